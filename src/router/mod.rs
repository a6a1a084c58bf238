//! The router as a whole, without its sockets: events in, actions out.
//!
//! ```text
//! Event + now ─► Router::handle ──┐ facts change, cores answer
//!                Router::settle ◄─┘ due timers, then: stale facts ─► plan::desired ─► cores, plan::diff ─► Apply
//! ```
//!
//! The daemon and the simulator drive this same struct; they differ only in their [`Hands`]. One turn is: any number of
//! `handle`, one `settle`, one [`carry_out`]. A turn's [`Action::Record`]s must be on disk before a
//! [`Action::SendDhcp6`] with `commits` leaves; when they can't be written, it is dropped and the client asks again.

mod hands;
mod lease_file;
mod naming;
mod notice;
mod status;
#[cfg(test)]
mod tests;
mod turn;
mod uplinks;

pub use hands::{Hands, carry_out};
pub use notice::Notice;
pub use status::troubles;
pub use turn::{Action, Event};
pub use uplinks::NetifdFacts;

use crate::config::{Config, GivenPrefix};
use crate::kernel::Refusal;
use crate::net::{Duid, FlatMap, FlatSet, Instant, Key32, Lifetimes, Rng, Until};
use crate::plan::{self, Desired, Facts, Key, Op, SourcePrefix};
use crate::proto::{dhcp6, ra};
use crate::store::Memory;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::time::Duration;
use uplinks::{Own, Uplinks};

/// Plans are made at most this often: a route that flaps a thousand times a second costs 20 plans.
const PLAN_SPACING: Duration = Duration::from_millis(50);

/// Randomness from the kernel, drawn once at start.
#[derive(Clone, Copy, Debug)]
pub struct Entropy {
    /// Seeds the jitter of every protocol core.
    pub seed: u64,
    /// The random 40 bits of a unique local prefix, should one be drawn (RFC 4193 §3.2.1).
    pub ula: [u8; 5],
    /// A DUID-UUID, should one be drawn (RFC 6355).
    pub duid: [u8; 16],
    /// The secret that addresses on uplinks follow from, should one be drawn (RFC 7217 §5).
    pub secret: [u8; 16],
}

/// The whole router.
pub struct Router {
    started: Instant,
    config: Config,
    facts: Facts,
    desired: Desired,
    memory: Memory,
    entropy: Entropy,
    rng: Rng,
    /// Since when each prefix given by hand counts.
    given: FlatMap<String, (GivenPrefix, Instant)>,
    advertisers: FlatMap<String, Advertising>,
    /// Links that are told good-bye (RFC 4861 §6.2.5).
    leaving: Vec<Advertising>,
    dhcp6: dhcp6::Server,
    uplinks: Uplinks,
    naming: naming::Naming,
    keys: FlatMap<String, Key32>,
    netifd: FlatMap<String, NetifdFacts>,
    retry: plan::Retry,
    /// Facts changed since the last plan.
    stale: bool,
    planned: Option<Instant>,
    /// Objects that changed one by one since the last plan: routes of delegated prefixes.
    touched: BTreeSet<Key>,
    /// Somebody wants to hear of every change to the kernel.
    watched: bool,
    dhcp6_out: Vec<dhcp6::Action>,
    nd_out: Vec<ra::Action>,
}

/// A link that is advertised on.
struct Advertising {
    link: u32,
    /// The link-local address it speaks from; hosts take another for another router (RFC 4861 §6.2.8).
    source: Option<Ipv6Addr>,
    core: ra::Advertiser,
}

impl Router {
    /// A router that knows what it knew before its last restart, and does nothing until it is configured.
    pub fn new(
        memory: Memory,
        bindings: Vec<dhcp6::Binding>,
        entropy: Entropy,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Router {
        let mut rng = Rng::new(entropy.seed);
        let facts =
            Facts { ula: memory.ula, duid: memory.duid.clone(), served: memory.served.clone(), ..Facts::default() };
        let mut router = Router {
            started: now,
            config: crate::config::Config::default(),
            facts,
            desired: Desired::default(),
            memory,
            entropy,
            given: FlatMap::new(),
            advertisers: FlatMap::new(),
            leaving: Vec::new(),
            dhcp6: dhcp6::Server::new(dhcp6::Config::default(), rng.next_u64(), now),
            uplinks: Uplinks::new(rng.next_u64()),
            naming: naming::Naming::default(),
            keys: FlatMap::new(),
            netifd: FlatMap::new(),
            rng,
            retry: plan::Retry::default(),
            stale: false,
            planned: None,
            touched: BTreeSet::new(),
            watched: false,
            dhcp6_out: Vec::new(),
            nd_out: Vec::new(),
        };
        router.dhcp6.restore(bindings, now, &mut router.dhcp6_out);
        router.take_dhcp6(now, out);
        router
    }

    /// Keeps at most so many bindings (see [`dhcp6::Server::limit_bindings`]).
    pub fn limit_bindings(&mut self, most: usize) {
        self.dhcp6.limit_bindings(most);
    }

    /// Takes one event in.
    pub fn handle(&mut self, event: Event<'_>, now: Instant, out: &mut Vec<Action>) {
        match event {
            Event::Configure { config, interfaces } => {
                self.config = *config;
                self.facts.interfaces = interfaces;
                self.uplinks.configure(&self.config, now, out);
                self.stale = true;
                self.planned = None;
            }
            Event::Kernel(changes) => {
                for change in changes {
                    self.stale |= self.facts.actual.apply(change);
                }
            }
            Event::Applied(results) => self.applied(results, now, out),
            Event::Nd { link, packet } => {
                if let ra::Event::Packet { source, hop_limit, fragmented, bytes } = packet
                    && self.uplinks.nd(link, ra::host::Event::Packet { source, hop_limit, fragmented, bytes }, now)
                {
                    self.stale |= self.uplinks.take(link, &self.facts.actual, out);
                } else if let Some(on) = self.advertisers.values_mut().find(|on| on.link == link) {
                    on.core.handle(packet, now, &mut self.nd_out);
                    take_nd(link, &mut self.nd_out, out);
                }
            }
            Event::Neighbour { link, message } => {
                self.stale |= self.uplinks.neighbour(link, &message, now, out);
            }
            Event::Dhcp6(packet) => {
                self.dhcp6.handle(packet, now, &mut self.dhcp6_out);
                self.take_dhcp6(now, out);
            }
            Event::Dhcp6Client { link, event } => {
                self.uplinks.dhcp6(link, event, now);
                self.stale |= self.uplinks.take(link, &self.facts.actual, out);
            }
            Event::Watch { link, event } => {
                self.uplinks.watched(link, event, now);
                self.stale |= self.uplinks.take(link, &self.facts.actual, out);
            }
            Event::Keys(keys) => {
                self.stale |= self.keys != keys;
                self.keys = keys;
            }
            Event::Netifd(facts) => {
                let steady = |(name, facts): (String, NetifdFacts)| match self.netifd.get(&name) {
                    Some(before) => (name, facts.steady(before)),
                    None => (name, facts),
                };
                let facts = facts.into_iter().map(steady).collect();
                self.stale |= self.netifd != facts;
                self.netifd = facts;
            }
            Event::Resolved { uplink, answer } => {
                self.uplinks.resolved(&uplink, answer, now);
                self.stale = true;
            }
            Event::Hosts { link, seen } => self.heard(link, &seen, now),
            Event::Hostname(hostname) => self.naming.take_hostname(hostname, now),
            Event::Leases4(leases) => self.naming.take_leases4(leases, now),
            Event::Fetched { uplink, answer } => self.uplinks.fetched(&uplink, answer, now),
            Event::Peer { link, handshake, sent } => {
                self.stale |= self.uplinks.peer(link, handshake, sent, now);
                self.stale |= self.uplinks.take(link, &self.facts.actual, out);
            }
        }
    }

    /// Ends a turn: fires what is due and brings the kernel and the cores in line with the facts.
    pub fn settle(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.dhcp6.poll_at().is_some_and(|(at, _)| at <= now) {
            self.dhcp6.tick(now, &mut self.dhcp6_out);
            self.take_dhcp6(now, out);
        }
        self.stale |= self.uplinks.tick(&self.facts.actual, now, out);
        self.uplinks.lookups(now, out);
        let retry = self.retry.poll_at().is_some_and(|at| at <= now);
        let recheck = self.desired.recheck_at.is_some_and(|at| at <= now);
        if (self.stale || retry || recheck) && self.plan_allowed_at().is_none_or(|at| at <= now) {
            self.replan(now, out);
        } else if !self.touched.is_empty() {
            let ops = plan::diff_keys(&self.desired.objects, &self.facts.actual, self.touched.iter());
            self.submit(ops, now, out);
        }
        for on in self.advertisers.values_mut().chain(&mut self.leaving) {
            if on.core.poll_at().is_some_and(|(at, _)| at <= now) {
                on.core.tick(now, &mut self.nd_out);
                take_nd(on.link, &mut self.nd_out, out);
            }
        }
        self.leaving.retain(|on| on.core.poll_at().is_some());
        self.settle_names(now, out);
    }

    /// When `settle` has to be called next though nothing happens, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let cores = self.advertisers.values().chain(&self.leaving).filter_map(|on| on.core.poll_at());
        let stale = self.stale.then_some((Instant(0), "facts changed"));
        let recheck = self.desired.recheck_at.map(|at| (at, "a lifetime ends"));
        let retry = self.retry.poll_at().map(|at| (at, "the kernel refused a change"));
        let allowed = self.plan_allowed_at().unwrap_or_default();
        let plan = [stale, recheck, retry].into_iter().flatten().map(|(at, why)| (at.max(allowed), why));
        let others = self.uplinks.poll_at().into_iter().chain(self.naming.poll_at());
        cores.chain(self.dhcp6.poll_at()).chain(others).chain(plan).min_by_key(|(at, _)| *at)
    }

    /// Says good-bye on every link (RFC 4861 §6.2.5). The kernel's objects stay, so that a restart disturbs nobody.
    pub fn shutdown(&mut self, now: Instant, out: &mut Vec<Action>) {
        for on in self.advertisers.values_mut() {
            on.core.shutdown(now, &mut self.nd_out);
            take_nd(on.link, &mut self.nd_out, out);
        }
        self.dhcp6.shutdown(now, &mut self.dhcp6_out);
        self.take_dhcp6(now, out);
        self.leaving.extend(std::mem::take(&mut self.advertisers).into_values());
    }

    /// Whether somebody wants to hear of every change to the kernel, not of refusals only: ten thousand leases are ten
    /// thousand routes.
    pub fn watch(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// Links whose multicast groups the sockets have to be in: those advertised on, and those DHCPv6 serves.
    pub fn links(&self) -> FlatSet<u32> {
        self.advertisers.values().map(|on| on.link).chain(self.desired.dhcp6.links.keys().copied()).collect()
    }

    /// Links on which neighbour solicitations and advertisements are to be heard, to be told of as [`Event::Neighbour`].
    pub fn shared_links(&self) -> FlatSet<u32> {
        self.uplinks.shared_links()
    }

    /// Devices of WireGuard uplinks, with their links, whose peers are to be told of as [`Event::Peer`].
    pub fn tunnels(&self) -> Vec<(String, u32)> {
        self.uplinks.tunnels().map(|(device, link)| (device.to_owned(), link)).collect()
    }

    /// Whether an uplink may have to be asked by echo.
    pub fn wants_echo(&self) -> bool {
        self.uplinks.wants_echo()
    }

    /// Whether an uplink asks by DHCPv6.
    pub fn wants_dhcp6_client(&self) -> bool {
        self.uplinks.wants_dhcp6()
    }

    /// A link's usable link-local address, to send from.
    pub fn link_local(&self, link: u32) -> Option<Ipv6Addr> {
        self.facts.actual.link_local(link)
    }

    /// Whether any LAN has a DHCPv6 server.
    pub fn wants_dhcp6(&self) -> bool {
        self.config.enabled && self.config.lans.values().any(|lan| lan.enabled && lan.dhcp6.is_some())
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The plan in force.
    pub fn desired(&self) -> &Desired {
        &self.desired
    }

    /// What is known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Every binding, for the store's snapshots.
    pub fn bindings(&self) -> impl Iterator<Item = &dhcp6::Binding> {
        self.dhcp6.bindings()
    }

    fn plan_allowed_at(&self) -> Option<Instant> {
        self.planned.map(|at| at.after(PLAN_SPACING))
    }

    /// Makes the plan anew and carries it to the cores and the kernel.
    fn replan(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.stale = false;
        self.planned = Some(now);
        if self.config.enabled {
            self.draw_identity(out);
        }
        self.facts.prefixes = self.given_prefixes(now);
        self.facts.hash_names = self.hash_names();
        self.follow_uplinks(now, out);
        self.facts.delegations = self.dhcp6.delegations().collect();
        self.facts.leases = if self.names_asked() { self.leased().cloned().collect() } else { Vec::new() };
        let desired =
            if self.config.enabled { plan::desired(&self.config, &self.facts, now) } else { Desired::default() };
        let before = std::mem::replace(&mut self.desired, desired);
        notice::differences(&before, &self.desired, out);
        if self.config.enabled && self.memory.served != self.desired.served {
            self.memory.served.clone_from(&self.desired.served);
            self.facts.served.clone_from(&self.desired.served);
            out.push(Action::Remember(self.memory.clone()));
        }
        self.reconfigure_advertisers(now, out);
        self.dhcp6.reconfigure(self.desired.dhcp6.clone(), now, &mut self.dhcp6_out);
        self.take_dhcp6(now, out);
        self.planned_names(now);
        let ops = plan::diff(&self.desired.objects, &self.facts.actual);
        self.retry.keep_only(&ops);
        self.submit(ops, now, out);
        let dead = plan::guard::no_longer_live(&before.objects, &self.desired.objects);
        if !dead.is_empty() {
            out.push(Action::ForgetFlows(dead));
        }
    }

    /// Whether the plan depends on leases by name.
    fn names_asked(&self) -> bool {
        plan::names_asked(&self.config, self.facts.actual.filter.firewall4.as_ref())
    }

    /// Bindings of addresses that a host uses.
    fn leased(&self) -> impl Iterator<Item = &dhcp6::Binding> {
        let used = |binding: &&dhcp6::Binding| binding.state != dhcp6::State::Declined;
        self.dhcp6.bindings().filter(used).filter(|binding| matches!(binding.resource, dhcp6::Resource::Address(_)))
    }

    /// Brings the uplinks in line with the facts, and the facts with what they give.
    fn follow_uplinks(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.facts.assigned = uplinks::assigned(&self.netifd, &self.facts.interfaces);
        let Router { config, facts, memory, keys, netifd, uplinks, .. } = self;
        let lans = plan::lan_links(config, facts);
        let own = own(facts, memory, keys, netifd);
        uplinks.follow(own, &lans, now, out);
        uplinks.choose(config.uplink_mode, now, out);
        let gives = uplinks.facts(own, now);
        facts.uplinks = gives;
    }

    /// What uplinks need to know.
    fn own(&self) -> Own<'_> {
        own(&self.facts, &self.memory, &self.keys, &self.netifd)
    }

    /// Draws the ULA, the DUID and the secret if there are none yet: once in a router's life.
    fn draw_identity(&mut self, out: &mut Vec<Action>) {
        let Memory { ula, duid, secret, .. } = &self.memory;
        let drawn = ula.is_some() && duid.is_some() && secret.is_some();
        if !drawn {
            self.memory.secret.get_or_insert(self.entropy.secret);
            self.memory.ula.get_or_insert_with(|| plan::ula::draw(self.entropy.ula));
            self.memory.duid.get_or_insert_with(|| Duid::uuid(self.entropy.duid));
            self.facts.ula = self.memory.ula;
            self.facts.duid.clone_from(&self.memory.duid);
            out.push(Action::Remember(self.memory.clone()));
        }
    }

    /// Prefixes given by hand, with ends. Their lifetimes count from when they were first configured so.
    fn given_prefixes(&mut self, now: Instant) -> Vec<SourcePrefix> {
        let given = &mut self.given;
        given.retain(|name, (was, _)| self.config.prefixes.get(name) == Some(was));
        let sources = self.config.prefixes.iter().map(|(name, prefix)| {
            let (_, since) = given.or_insert_with(name.clone(), || (prefix.clone(), now));
            SourcePrefix {
                source: format!("prefix {name}"),
                prefix: prefix.prefix,
                lifetimes: Lifetimes::new(
                    Until::from_wire(prefix.preferred_lifetime, *since),
                    Until::from_wire(prefix.valid_lifetime, *since),
                ),
                lans: prefix.lans.clone(),
                assign: prefix.assign,
                delegate: prefix.delegate,
                router: None,
            }
        });
        sources.collect()
    }

    fn reconfigure_advertisers(&mut self, now: Instant, out: &mut Vec<Action>) {
        let mut before = std::mem::take(&mut self.advertisers);
        for (name, lan) in &self.desired.lans {
            let (Some(link), Some(config)) = (lan.link, &lan.ra) else { continue };
            let source = self.facts.actual.link_local(link);
            let on = match before.remove(name) {
                Some(mut on) if (on.link, on.source) == (link, source) => {
                    on.core.reconfigure(config.clone(), now, &mut self.nd_out);
                    take_nd(link, &mut self.nd_out, out);
                    on
                }
                _ => {
                    let core = ra::Advertiser::new(config.clone(), self.rng.next_u64(), now);
                    Advertising { link, source, core }
                }
            };
            // whoever was told good-bye there is welcome again
            self.leaving.retain(|leaving| leaving.link != link);
            self.advertisers.insert(name.clone(), on);
        }
        for mut on in before.into_values() {
            let still_there = self.facts.actual.links.get(&on.link).is_some_and(|link| link.up);
            let taken_over = self.advertisers.values().any(|other| other.link == on.link);
            if still_there && !taken_over {
                on.core.shutdown(now, &mut self.nd_out);
                take_nd(on.link, &mut self.nd_out, out);
                self.leaving.push(on);
            }
        }
    }

    fn submit(&mut self, ops: Vec<Op>, now: Instant, out: &mut Vec<Action>) {
        self.touched.clear();
        let ops = self.retry.filter(ops, now);
        if !ops.is_empty() {
            out.push(Action::Apply(ops));
        }
    }

    fn applied(&mut self, results: Vec<(Op, Result<(), Refusal>)>, now: Instant, out: &mut Vec<Action>) {
        for (op, result) in results {
            self.retry.result(&op, &result, now);
            if result.is_ok() {
                self.facts.actual.apply_op(&op);
            }
            if self.watched || result.is_err() {
                let what = notice::object(&op, &self.facts.actual);
                out.push(Action::Tell(Notice::Kernel { what, op, result }));
            }
        }
    }

    /// Hands on what the DHCPv6 server wants done; delegations become routes at once, and facts of the next plan.
    fn take_dhcp6(&mut self, now: Instant, out: &mut Vec<Action>) {
        let names_asked = self.names_asked();
        for action in self.dhcp6_out.drain(..) {
            match action {
                dhcp6::Action::Record(record) => out.push(Action::Record(record)),
                dhcp6::Action::Send { link, to, port, bytes, commits } => {
                    out.push(Action::SendDhcp6 { link, to, port, bytes, commits });
                }
                dhcp6::Action::Delegated(prefix, to) => {
                    self.touched.insert(plan::delegation_key(prefix));
                    match to.map(|to| plan::delegation_route(prefix, &to)) {
                        Some((key, value)) => _ = self.desired.objects.insert(key, value),
                        None => _ = self.desired.objects.remove(&plan::delegation_key(prefix)),
                    }
                }
                dhcp6::Action::Tell(told, binding) => {
                    self.stale |= names_asked && told != dhcp6::Told::Renewed;
                    match told {
                        dhcp6::Told::Renewed => self.naming.renewed(now),
                        _ => self.naming.want(now),
                    }
                    out.push(Action::Tell(Notice::Lease(told, binding)));
                }
            }
        }
    }
}

fn own<'a>(
    facts: &'a Facts,
    memory: &Memory,
    keys: &'a FlatMap<String, Key32>,
    netifd: &'a FlatMap<String, NetifdFacts>,
) -> Own<'a> {
    let (duid, secret) = (facts.duid.as_ref(), memory.secret.unwrap_or_default());
    Own { duid, secret, keys, netifd, actual: &facts.actual, interfaces: &facts.interfaces }
}

fn take_nd(link: u32, actions: &mut Vec<ra::Action>, out: &mut Vec<Action>) {
    for action in actions.drain(..) {
        match action {
            ra::Action::Send { to, bytes } => out.push(Action::SendNd { link, to, bytes }),
            ra::Action::Neighbours => out.push(Action::Neighbours { link }),
        }
    }
}

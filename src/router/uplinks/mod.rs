//! Uplinks as they run: for each its cores, what they learn, and which of them the LANs use.
//!
//! ```text
//! kernel ─► follow: where is its device? is it up? ─┐
//! RA ─► ra::host ─┐                                 ▼
//! DHCPv6 ─► client ├─► gives: addresses, prefixes, next hop ─► uplink::Watch ─► uplink::Choice ─► roles
//! by hand ────────┘                                   echo, counters ─┘                             │
//!                                      plan::Uplink ◄───────────────────────────────────────────────┘
//! ```
//!
//! A core lives as long as its uplink's device; on one that comes back it begins anew, with what was leased before. What
//! was there before this program was restarted is taken up from the kernel ([`kept`]).

mod gives;
mod kept;
mod netifd;
mod share;
mod status;
#[cfg(test)]
mod tests;
mod tunnel;

pub use netifd::NetifdFacts;
pub(super) use netifd::assigned;

use super::{Action, Notice};
use crate::config::{self, Config, Device, UplinkKind, UplinkMode};
use crate::net::{Duid, FlatMap, FlatSet, Instant, Key32, Rng};
use crate::plan::{self, Actual, AddressState};
use crate::proto::dhcp6::client::{self, Client, Leases};
use crate::proto::endpoint::Endpoint;
use crate::proto::ra::host::{self, Host};
use crate::proto::update::Update;
use crate::proto::uplink::{self, Candidate, Choice, Role, State, Watch};
use crate::wire::nd::Neighbour;
use kept::Kept;
use share::Sharing;
use std::net::SocketAddr;

/// Every uplink that is configured and enabled.
pub(super) struct Uplinks {
    running: FlatMap<String, Running>,
    choice: Choice,
    /// The LAN that gets what one LAN only can get.
    first_lan: Option<String>,
    /// Whether a configuration was taken in: the uplinks of the first one may have been there before.
    configured: bool,
    rng: Rng,
    nd_out: Vec<host::Action>,
    dhcp6_out: Vec<client::Action>,
    watch_out: Vec<uplink::Action>,
}

/// What uplinks need to know of this router.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    pub(super) duid: Option<&'a Duid>,
    pub(super) secret: [u8; 16],
    /// Private keys of WireGuard uplinks that are in files, by the uplinks' names.
    pub(super) keys: &'a FlatMap<String, Key32>,
    /// What netifd says of its interfaces.
    pub(super) netifd: &'a FlatMap<String, NetifdFacts>,
    pub(super) actual: &'a Actual,
    pub(super) interfaces: &'a FlatMap<String, String>,
}

/// One uplink.
struct Running {
    config: config::Uplink,
    /// Which of the router's uplinks it is: identity associations are numbered by it.
    iaid: u32,
    /// Its device's name; empty: not known.
    device: String,
    /// Index of the device while it is there.
    link: Option<u32>,
    /// Whether it is up, and has a link-local address to speak from.
    ready: bool,
    host: Option<Host>,
    client: Option<Client>,
    /// What was leased when the device went.
    remembered: Option<Leases>,
    /// Until when what the kernel holds may be of before a restart.
    grace: Instant,
    /// What that is.
    kept: Option<Kept>,
    /// Where the peer of a WireGuard tunnel is.
    endpoint: Option<Endpoint>,
    sharing: Sharing,
    /// What its broker was told of our IPv4 address.
    update: Option<Update>,
    watch: Watch,
    /// What was last told of it.
    told: Option<(State, Role)>,
}

impl Uplinks {
    pub(super) fn new(seed: u64) -> Uplinks {
        Uplinks {
            running: FlatMap::new(),
            choice: Choice::new(),
            first_lan: None,
            configured: false,
            rng: Rng::new(seed),
            nd_out: Vec::new(),
            dhcp6_out: Vec::new(),
            watch_out: Vec::new(),
        }
    }

    /// Takes a configuration in. An uplink that is configured as before goes on undisturbed.
    pub(super) fn configure(&mut self, config: &Config, now: Instant, out: &mut Vec<Action>) {
        let first = config.lans.iter().find(|(_, lan)| lan.enabled);
        self.first_lan = first.map(|(name, _)| name.clone());
        let wanted = |name: &String| config.uplinks.get(name).filter(|uplink| config.enabled && uplink.enabled);
        let before = std::mem::take(&mut self.running);
        for (name, mut uplink) in before {
            if wanted(&name) == Some(&uplink.config) {
                self.running.insert(name, uplink);
            } else {
                self.give_back(&mut uplink, now, out);
            }
        }
        let grace = if std::mem::replace(&mut self.configured, true) { now } else { now.after(kept::GRACE) };
        for (name, uplink) in &config.uplinks {
            if wanted(name).is_some() && !self.running.contains_key(name) {
                let endpoint = match &uplink.kind {
                    UplinkKind::Wireguard(on) if !on.endpoint.is_empty() => Some(Endpoint::new(&on.endpoint, now)),
                    _ => None,
                };
                let update = match &uplink.kind {
                    UplinkKind::SixInFour { update_url, .. } if !update_url.is_empty() => Some(Update::new(update_url)),
                    _ => None,
                };
                let running = Running {
                    config: uplink.clone(),
                    iaid: iaid(name),
                    device: String::new(),
                    link: None,
                    ready: false,
                    host: None,
                    client: None,
                    remembered: None,
                    grace,
                    kept: None,
                    endpoint,
                    sharing: Sharing::default(),
                    update,
                    watch: Watch::new(uplink.probes.clone(), self.rng.next_u64(), now),
                    told: None,
                };
                self.running.insert(name.clone(), running);
            }
        }
    }

    /// Leases are given back when an uplink is taken out of the configuration (RFC 9915 §18.2.7).
    fn give_back(&mut self, uplink: &mut Running, now: Instant, out: &mut Vec<Action>) {
        let (Some(client), Some(link)) = (&mut uplink.client, uplink.link) else { return };
        client.handle(client::Event::Release, now, &mut self.dhcp6_out);
        take_dhcp6(link, &mut self.dhcp6_out, out);
    }

    /// Brings every uplink in line with what the kernel shows, and with what its own parts learnt from each other.
    /// `lans` are the links of LANs by name.
    pub(super) fn follow(&mut self, own: Own<'_>, lans: &FlatMap<String, u32>, now: Instant, out: &mut Vec<Action>) {
        let Uplinks { running, choice, rng, nd_out, dhcp6_out, watch_out, first_lan, .. } = self;
        for (name, uplink) in running.iter_mut() {
            if uplink.locate(name, own, now) {
                choice.resume(name);
            }
            uplink.follow_ipv4(own.actual, now);
            uplink.listen(name, own, rng, now, nd_out);
            uplink.ask(own, rng, now, dhcp6_out);
            uplink.share(first_lan.as_deref(), lans, own.actual, now);
            uplink.doubles(own.actual, now, nd_out, dhcp6_out);
            let state = uplink.readiness(own, now);
            let complete = matches!(state, uplink::Ready::Complete { .. });
            uplink.watch.handle(uplink::Event::Ready(state), now, watch_out);
            uplink.let_go(complete, now);
            uplink.flush(own.actual, nd_out, dhcp6_out, watch_out, out);
        }
    }

    /// Decides which uplinks are used, and tells what became of them.
    pub(super) fn choose(&mut self, mode: UplinkMode, now: Instant, out: &mut Vec<Action>) {
        let reports: Vec<_> = self.running.values().map(|uplink| uplink.watch.status(now)).collect();
        let candidates = self.running.iter().zip(&reports).map(|((name, uplink), report)| Candidate {
            name: name.clone(),
            priority: uplink.config.priority,
            state: uplink.counts_as(report.state),
            reason: report.reason.clone(),
            heard: report.heard,
        });
        let candidates: Vec<_> = candidates.collect();
        self.choice.choose(mode, &candidates, now);
        for ((name, uplink), report) in self.running.iter_mut().zip(reports) {
            let role = role(&self.choice, name);
            if uplink.told.replace((report.state, role)) != Some((report.state, role)) {
                let (name, reason) = (name.clone(), report.reason);
                out.push(Action::Tell(Notice::Uplink { name, state: report.state, role, reason }));
            }
        }
    }

    /// Something arrived for the uplink on `link`; false: there is none.
    pub(super) fn nd(&mut self, link: u32, packet: host::Event<'_>, now: Instant) -> bool {
        let Some(host) = on(&mut self.running, link).and_then(|uplink| uplink.host.as_mut()) else { return false };
        host.handle(packet, now, &mut self.nd_out);
        true
    }

    /// Neighbours on `link` talk; true: the plan should know.
    pub(super) fn neighbour(&mut self, link: u32, message: &Neighbour, now: Instant, out: &mut Vec<Action>) -> bool {
        let mut news = false;
        for uplink in self.running.values_mut() {
            news |= uplink.neighbour(link, message, now, out);
        }
        news
    }

    /// Links on which neighbours are to be heard.
    pub(super) fn shared_links(&self) -> FlatSet<u32> {
        let pairs = self.running.values().filter_map(Running::shared_links);
        pairs.flat_map(|(lan, uplink)| [lan, uplink]).collect()
    }

    /// A message for the DHCPv6 client on `link`.
    pub(super) fn dhcp6(&mut self, link: u32, packet: client::Event<'_>, now: Instant) {
        if let Some(client) = on(&mut self.running, link).and_then(|uplink| uplink.client.as_mut()) {
            client.handle(packet, now, &mut self.dhcp6_out);
        }
    }

    /// What the watch over the uplink on `link` should know.
    pub(super) fn watched(&mut self, link: u32, event: uplink::Event, now: Instant) {
        if let Some(uplink) = on(&mut self.running, link) {
            uplink.watch.handle(event, now, &mut self.watch_out);
        }
    }

    /// Hands on what the cores of the uplink on `link` want done after one of the above.
    pub(super) fn take(&mut self, link: u32, actual: &Actual, out: &mut Vec<Action>) -> bool {
        let Uplinks { running, nd_out, dhcp6_out, watch_out, .. } = self;
        on(running, link).is_some_and(|uplink| uplink.flush(actual, nd_out, dhcp6_out, watch_out, out))
    }

    /// Fires what is due; true: something was learnt.
    pub(super) fn tick(&mut self, actual: &Actual, now: Instant, out: &mut Vec<Action>) -> bool {
        let Uplinks { running, nd_out, dhcp6_out, watch_out, .. } = self;
        let due = |at: Option<(Instant, &str)>| at.is_some_and(|(at, _)| at <= now);
        let mut news = due(self.choice.poll_at());
        for uplink in running.values_mut() {
            if let Some(host) = uplink.host.as_mut().filter(|host| due(host.poll_at())) {
                host.tick(now, nd_out);
            }
            if let Some(client) = uplink.client.as_mut().filter(|client| due(client.poll_at())) {
                client.tick(now, dhcp6_out);
            }
            news |= uplink.tick_sharing(now, out);
            if due(uplink.watch.poll_at()) {
                uplink.watch.tick(now, watch_out);
            }
            news |= uplink.flush(actual, nd_out, dhcp6_out, watch_out, out);
            news |= uplink.kept.as_ref().is_some_and(|kept| kept.until <= now);
        }
        news
    }

    /// What is to be asked of the world now: peers of tunnels by their names, brokers by their URLs.
    pub(super) fn lookups(&mut self, now: Instant, out: &mut Vec<Action>) {
        for (name, uplink) in self.running.iter_mut() {
            if let Some(endpoint) = uplink.endpoint.as_mut().and_then(|endpoint| endpoint.ask(now)) {
                out.push(Action::Resolve { uplink: name.clone(), endpoint: endpoint.to_owned() });
            }
            if let Some(url) = uplink.update.as_mut().and_then(|update| update.ask(now)) {
                out.push(Action::Fetch { uplink: name.clone(), url: url.to_owned() });
            }
        }
    }

    /// What looking up an uplink's peer brought.
    pub(super) fn resolved(&mut self, uplink: &str, answer: Result<Vec<SocketAddr>, String>, now: Instant) {
        if let Some(endpoint) = self.running.get_mut(uplink).and_then(|uplink| uplink.endpoint.as_mut()) {
            endpoint.answer(answer, now);
        }
    }

    /// What came of telling an uplink's broker.
    pub(super) fn fetched(&mut self, uplink: &str, answer: Result<(), String>, now: Instant) {
        if let Some(update) = self.running.get_mut(uplink).and_then(|uplink| uplink.update.as_mut()) {
            update.answer(answer, now);
        }
    }

    /// What the kernel says of the peer of the tunnel on `link`; true: its endpoint is another one now.
    pub(super) fn peer(&mut self, link: u32, handshake: Option<Instant>, sent: u64, now: Instant) -> bool {
        let Some(uplink) = on(&mut self.running, link) else { return false };
        let age = handshake.map(|at| now.since(at));
        uplink.watch.handle(uplink::Event::Handshake(age), now, &mut self.watch_out);
        let Some(endpoint) = &mut uplink.endpoint else { return false };
        let before = endpoint.resolved();
        endpoint.heard(handshake, sent, now);
        endpoint.resolved() != before
    }

    /// When something is due next, and why.
    pub(super) fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let cores = self.running.values().flat_map(|uplink| {
            let host = uplink.host.as_ref().and_then(Host::poll_at);
            let client = uplink.client.as_ref().and_then(Client::poll_at);
            let endpoint = uplink.endpoint.as_ref().and_then(Endpoint::poll_at);
            let kept =
                uplink.kept.as_ref().map(|kept| (kept.until, "what was there before the restart counts no more"));
            let update = uplink.update.as_ref().and_then(Update::poll_at);
            [host, client, endpoint, update, uplink.sharing.poll_at(), uplink.watch.poll_at(), kept]
        });
        cores.chain([self.choice.poll_at()]).flatten().min_by_key(|(at, _)| *at)
    }

    /// Every uplink as the plan takes it.
    pub(super) fn facts(&self, own: Own<'_>, now: Instant) -> FlatMap<String, plan::Uplink> {
        let facts = self.running.iter().map(|(name, uplink)| {
            let role = role(&self.choice, name);
            (name.clone(), uplink.gives(name, own, role, now))
        });
        facts.collect()
    }

    /// Whether the client port is needed.
    pub(super) fn wants_dhcp6(&self) -> bool {
        self.running.values().any(|uplink| uplink.client.is_some())
    }

    /// Devices of tunnels whose handshakes are to be looked at.
    pub(super) fn tunnels(&self) -> impl Iterator<Item = (&str, u32)> {
        let tunnels = self.running.values().filter(|uplink| matches!(uplink.config.kind, UplinkKind::Wireguard(_)));
        tunnels.filter_map(|uplink| Some((uplink.device.as_str(), uplink.link?)))
    }

    /// Whether the echo socket is needed.
    pub(super) fn wants_echo(&self) -> bool {
        self.running.values().any(|uplink| uplink.ready)
    }
}

impl Running {
    /// Finds the device; true: the LANs used the uplink on it before a restart.
    fn locate(&mut self, name: &str, own: Own<'_>, now: Instant) -> bool {
        let device = match &self.config.kind {
            UplinkKind::Static { device, .. } | UplinkKind::Native { device, .. } => match device {
                Device::Name(name) => name.clone(),
                Device::Interface(name) => own.interfaces.get(name).cloned().unwrap_or_default(),
            },
            UplinkKind::Netifd { interface } => own.interfaces.get(interface).cloned().unwrap_or_default(),
            _ => format!("{}{name}", plan::DEVICE_PREFIX),
        };
        let link = own.actual.link_named(&device).map(|(link, _)| link);
        if (&device, link) == (&self.device, self.link) {
            self.kept = self.kept.take().filter(|kept| now < kept.until);
            return false;
        }
        // another device: what its cores knew is of no use
        self.host = None;
        if let Some(client) = self.client.take() {
            self.remembered = Some(client.leases());
        }
        self.sharing = Sharing::on(link, own.actual);
        self.ready = false;
        (self.device, self.link) = (device, link);
        let until = self.grace;
        let works = |link: &u32| now < until && own.actual.links.get(link).is_some_and(|link| link.up);
        self.kept = link.filter(works).and_then(|link| Kept::read(own.actual, link, until, now));
        self.kept.as_ref().is_some_and(|kept| kept.role == Role::Active)
    }

    /// Lets go of what was there before a restart, as far as it is over or better is known.
    fn let_go(&mut self, complete: bool, now: Instant) {
        let state = self.watch.state();
        self.kept = self.kept.take().filter(|_| state != State::Down);
        let Some(kept) = &mut self.kept else { return };
        if state != State::Starting || !complete {
            kept.role = Role::Out;
        }
        if self.host.as_ref().is_some_and(|host| !host.learned(now).routers.is_empty()) {
            kept.next_hop = None;
        }
    }

    /// How it is to those who choose: what worked before a restart works while nothing says otherwise.
    fn counts_as(&self, state: State) -> State {
        if self.kept.as_ref().is_some_and(|kept| kept.role != Role::Out) { State::Up } else { state }
    }

    /// Listens to router advertisements where the uplink lives by them.
    fn listen(&mut self, name: &str, own: Own<'_>, rng: &mut Rng, now: Instant, out: &mut Vec<host::Action>) {
        let was_ready = self.ready;
        let device = self.link.and_then(|link| Some((link, own.actual.links.get(&link)?)));
        // the kernel gives none to a tunnel that has many other ends, and nobody there would answer it
        let without = matches!(self.config.kind, UplinkKind::SixToFour { .. } | UplinkKind::SixRd { .. });
        self.ready =
            device.is_some_and(|(link, device)| device.up && (without || own.actual.link_local(link).is_some()));
        let (Some((_, device)), UplinkKind::Native { .. }) = (device, &self.config.kind) else { return };
        let config = host::Config {
            mac: device.mac,
            link_mtu: device.mtu,
            addresses: true,
            secret: own.secret,
            interface: name.to_owned(),
        };
        match &mut self.host {
            Some(host) => host.reconfigure(config, now, out),
            None => self.host = Some(Host::new(config, rng.next_u64(), now)),
        }
        if let Some(host) = self.host.as_mut().filter(|_| self.ready && !was_ready) {
            host.handle(host::Event::LinkUp, now, out);
        }
    }

    /// Asks by DHCPv6 for what is wanted and may be had.
    fn ask(&mut self, own: Own<'_>, rng: &mut Rng, now: Instant, out: &mut Vec<client::Action>) {
        let (Some(request), Some(duid), Some(_)) = (self.config.request(), own.duid, self.link) else { return };
        let learned = self.host.as_ref().map(|host| host.learned(now));
        let flag = |flag: fn(&host::Learned) -> bool| learned.as_ref().is_none_or(flag);
        if let (None, Some(kept), true) = (&self.client, &mut self.kept, self.ready) {
            let host = self.host.as_ref();
            let leases = kept.take_leases(|addr| host.is_some_and(|host| host.would_make(addr)), now);
            self.remembered.get_or_insert(leases);
        }
        // an address that was leased is not given back before a router has said whether there are any
        let unheard = learned.as_ref().is_some_and(|learned| learned.routers.is_empty());
        let held = self.client.as_ref().map(Client::leases).or_else(|| self.remembered.clone());
        let keeps = unheard && held.is_some_and(|leases| !leases.addresses.is_empty());
        let config = client::Config {
            duid: duid.clone(),
            iaid: self.iaid,
            want_address: request.address && (keeps || flag(|learned| learned.managed)),
            want_prefix: request.prefix.map(|len| len.unwrap_or(0)),
            information: flag(|learned| learned.other),
            rapid_commit: true,
            reconfigure_accept: request.reconfigure_accept,
            remembered: None,
        };
        match &mut self.client {
            Some(client) => client.reconfigure(config, now, out),
            None if self.ready => {
                let config = client::Config { remembered: self.remembered.take(), ..config };
                self.client = Some(Client::new(config, rng.next_u64(), now));
            }
            None => {}
        }
    }

    /// Tells the cores of addresses that somebody else has.
    fn doubles(
        &mut self,
        actual: &Actual,
        now: Instant,
        nd_out: &mut Vec<host::Action>,
        dhcp6_out: &mut Vec<client::Action>,
    ) {
        let Some(link) = self.link else { return };
        let duplicates = actual.addresses_of(link).filter(|(_, address)| address.state == AddressState::Duplicate);
        for (addr, _) in duplicates {
            if let Some(host) = &mut self.host {
                host.handle(host::Event::DuplicateAddress(addr), now, nd_out);
            }
            if let Some(client) = &mut self.client {
                client.handle(client::Event::DuplicateAddress(addr), now, dhcp6_out);
            }
        }
    }

    /// Hands on what the cores want done; true: something was learnt that the plan should know.
    fn flush(
        &self,
        actual: &Actual,
        nd_out: &mut Vec<host::Action>,
        dhcp6_out: &mut Vec<client::Action>,
        watch_out: &mut Vec<uplink::Action>,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(link) = self.link else {
            let any = !nd_out.is_empty() || !dhcp6_out.is_empty() || !watch_out.is_empty();
            nd_out.clear();
            dhcp6_out.clear();
            watch_out.clear();
            return any;
        };
        let mut news = false;
        for action in nd_out.drain(..) {
            match action {
                host::Action::Send { to, bytes } => out.push(Action::SendNd { link, to, bytes }),
                host::Action::Changed => news = true,
            }
        }
        news |= take_dhcp6(link, dhcp6_out, out);
        for action in watch_out.drain(..) {
            match action {
                uplink::Action::Echo { to, identifier, sequence } => {
                    let source = self.probe_source(actual, to);
                    out.push(Action::SendEcho { link, source, to, identifier, sequence });
                }
                uplink::Action::Count => out.push(Action::Count { link, device: self.device.clone() }),
                uplink::Action::LookUp(next_hop) => out.push(Action::LookUp { link, next_hop }),
                uplink::Action::Changed => news = true,
            }
        }
        news
    }
}

/// The uplink on `link`.
fn on(running: &mut FlatMap<String, Running>, link: u32) -> Option<&mut Running> {
    running.values_mut().find(|uplink| uplink.link == Some(link))
}

fn role(choice: &Choice, name: &str) -> Role {
    choice.roles().get(name).map_or(Role::Out, |chosen| chosen.role)
}

fn take_dhcp6(link: u32, actions: &mut Vec<client::Action>, out: &mut Vec<Action>) -> bool {
    let mut news = false;
    for action in actions.drain(..) {
        match action {
            client::Action::Send { to, bytes } => out.push(Action::SendDhcp6Client { link, to, bytes }),
            client::Action::Changed => news = true,
        }
    }
    news
}

/// The number of an uplink's identity associations: the same after every restart (RFC 9915 §12), and another one for
/// each name, by FNV-1a.
fn iaid(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

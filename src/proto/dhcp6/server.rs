//! The server as a whole: what goes in, what comes out, and the checks of RFC 9915 §16 that every message passes first.

use super::bindings::Table;
use super::leases::{Answer, Inquiry};
use super::reconfigure::Reconfigures;
use super::relay;
use super::site::Site;
use super::status::{Counters, Dropped, Status};
use super::turn::{Arrival, Turn};
use super::{Action, Binding, Config, Event, Record, Resource, State, Told};
use crate::net::{Duid, FlatSet, Instant, Prefix, Rng};
use crate::plan::Delegation;
use crate::wire::dhcp6::{Message, MessageType, option};
use std::sync::Arc;

/// Bindings kept unless [`Server::limit_bindings`] says otherwise: 6 MB, which the smallest routers can spare.
const MOST_BINDINGS: usize = 20_000;

/// The DHCPv6 server of all links.
#[derive(Debug)]
pub struct Server {
    config: Config,
    site: Site,
    table: Table,
    counters: Counters,
    most_bindings: usize,
    reconfigures: Reconfigures,
    /// The last answer, for its memory.
    answer: Answer,
}

impl Server {
    /// A server that holds nothing. `seed` keeps its hashes from being foreseen.
    pub fn new(config: Config, seed: u64, _now: Instant) -> Server {
        let site = Site::new(&config);
        let mut rng = Rng::new(seed);
        let table = Table::new(rng.next_u64());
        Server {
            config,
            site,
            table,
            counters: Counters::default(),
            most_bindings: MOST_BINDINGS,
            reconfigures: Reconfigures::new(rng),
            answer: Answer::default(),
        }
    }

    /// Keeps at most so many bindings instead of 20,000. One costs about 300 bytes of memory and a line in the journal.
    /// Those there are stay.
    pub fn limit_bindings(&mut self, most: usize) {
        self.most_bindings = most;
    }

    /// Takes bindings back in after a restart, and says where their prefixes are routed to. What overlaps another or is
    /// too much is left out.
    pub fn restore(&mut self, bindings: Vec<Binding>, now: Instant, out: &mut Vec<Action>) {
        let mut lans: FlatSet<Arc<str>> = self.site.links.values().map(|served| served.lan.clone()).collect();
        for mut binding in bindings {
            match lans.get(&binding.lan) {
                Some(lan) => binding.lan = lan.clone(),
                None => _ = lans.insert(binding.lan.clone()),
            }
            if self.table.len() < self.most_bindings {
                // an overlap can't come from our own records; the first one wins
                let _ = self.table.put(binding);
            }
        }
        self.reroute_all(now, out);
    }

    /// Works with another configuration from now on. Bindings stay; their prefixes are routed as it says. Clients that
    /// accept it are asked back if something they have was good before and is not any more.
    pub fn reconfigure(&mut self, config: Config, now: Instant, out: &mut Vec<Action>) {
        if config != self.config {
            let before = std::mem::replace(&mut self.site, Site::new(&config));
            self.config = config;
            self.reroute_all(now, out);
            self.ask_back(&before, now);
            self.tick(now, out);
        }
    }

    /// Takes one message in.
    pub fn handle(&mut self, event: Event<'_>, now: Instant, out: &mut Vec<Action>) {
        if let Err(reason) = self.receive(&event, now, out) {
            self.counters.dropped(reason);
        }
    }

    /// Ends what is over.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        while let Some(resource) = self.table.over(now) {
            remove(&mut self.table, resource, Told::Expired, out);
        }
        if let Some(duid) = &self.site.duid {
            self.reconfigures.tick(duid, now, &mut self.counters, out);
        }
    }

    /// Nothing: clients keep what they have, and find it again when the server is back.
    pub fn shutdown(&mut self, _now: Instant, _out: &mut Vec<Action>) {}

    /// When [`Server::tick`] has something to do, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let asked = self.reconfigures.next().filter(|_| self.site.duid.is_some());
        let asked = asked.map(|at| (at, "a client is asked to renew"));
        self.table.next_end().map(|end| (end, "a lease ends")).into_iter().chain(asked).min_by_key(|(at, _)| *at)
    }

    /// Every binding, by resource.
    pub fn bindings(&self) -> impl Iterator<Item = &Binding> {
        self.table.iter()
    }

    /// Every prefix that is routed to whom it is delegated to, as [`Action::Delegated`] last said, in order.
    pub fn delegations(&self) -> impl Iterator<Item = (Prefix, Delegation)> {
        self.table.iter_routed().filter_map(|(binding, link)| match binding.resource {
            Resource::Prefix(prefix) => Some((prefix, Delegation { link, via: binding.via })),
            Resource::Address(_) => None,
        })
    }

    /// What was done and what there is.
    pub fn status(&self, _now: Instant) -> Status {
        self.counters.status(self.table.counts(), self.most_bindings)
    }

    /// Asks clients back that have something which was good on the site `before` and is not now (RFC 9915 §18.3.11).
    fn ask_back(&mut self, before: &Site, now: Instant) {
        let lost = |duid: &&Duid| {
            let mut bindings = self.table.of_client(duid.as_bytes()).filter(|binding| binding.state == State::Bound);
            bindings.any(|binding| before.is_good(binding, now) && !self.site.is_good(binding, now))
        };
        let lost: Vec<Duid> = self.reconfigures.duids().filter(lost).cloned().collect();
        lost.iter().for_each(|duid| self.reconfigures.start(duid, now));
    }

    fn reroute_all(&mut self, now: Instant, out: &mut Vec<Action>) {
        for (binding, routed) in self.table.routes() {
            reroute(&self.site, binding, routed, false, now, out);
        }
    }

    fn receive(&mut self, event: &Event<'_>, now: Instant, out: &mut Vec<Action>) -> Result<(), Dropped> {
        let Event::Packet { link, source, port, multicast, bytes } = *event;
        let (message, path) = relay::unwrap(bytes)?;
        self.counters.received(message.kind);
        if source.is_unspecified() || source.is_multicast() {
            return Err(Dropped::BadSource);
        }
        if path.is_direct() && !multicast {
            return Err(Dropped::Unicast);
        }
        let served = self.site.links.get(&link).ok_or(Dropped::NotServed)?;
        let duid = self.site.duid.as_ref().ok_or(Dropped::NoDuid)?;
        let client = validate(&message, duid.as_bytes())?;
        match message.kind {
            MessageType::Renew | MessageType::Rebind | MessageType::InformationRequest => {
                self.reconfigures.came(client)
            }
            MessageType::Release => self.reconfigures.forget(client),
            _ => {}
        }
        let on = match path.link_address() {
            None => Some(served),
            Some(address) => self.site.link_with(address),
        };
        let mac = path.mac().or_else(|| Duid::mac_in(client));
        let inquiry = Inquiry {
            message,
            duid: client,
            mac,
            requested: message.options.get(option::OPTION_REQUEST).unwrap_or_default(),
            served: on.unwrap_or(served),
            subnets: on.map_or(&[], |on| on.subnets.as_slice()),
        };
        let arrival = Arrival { link, served, source, port, path };
        let turn = Turn {
            site: &self.site,
            table: &mut self.table,
            counters: &mut self.counters,
            most_bindings: self.most_bindings,
            reconfigures: &mut self.reconfigures,
            answer: &mut self.answer,
            duid: duid.as_bytes(),
            inquiry,
            arrival,
            now,
            out,
        };
        turn.answer()
    }
}

/// Checks a message as RFC 9915 §16 asks, and gives its client's DUID; empty if it has none and needs none.
fn validate<'a>(message: &Message<'a>, own: &[u8]) -> Result<&'a [u8], Dropped> {
    let options = &message.options;
    let server = options.get(option::SERVER_ID);
    let client = options.get(option::CLIENT_ID);
    match message.kind {
        MessageType::Solicit | MessageType::Confirm | MessageType::Rebind | MessageType::AddrRegInform => {
            if server.is_some() {
                return Err(Dropped::ServerIdPresent);
            }
        }
        MessageType::Request | MessageType::Renew | MessageType::Decline | MessageType::Release => {
            if server.ok_or(Dropped::NoServerId)? != own {
                return Err(Dropped::OtherServer);
            }
        }
        MessageType::InformationRequest => {
            if server.is_some_and(|server| server != own) {
                return Err(Dropped::OtherServer);
            }
            if options.iter().any(|(code, _)| matches!(code, option::IA_NA | option::IA_TA | option::IA_PD)) {
                return Err(Dropped::IaInInformationRequest);
            }
            return match client {
                Some(client) => checked(client),
                None => Ok(&[]),
            };
        }
        _ => return Err(Dropped::NotForServers),
    }
    checked(client.ok_or(Dropped::NoClientId)?)
}

fn checked(duid: &[u8]) -> Result<&[u8], Dropped> {
    // RFC 9915 §11.1: a type of two bytes, and 1 to 128 more
    if (3..=130).contains(&duid.len()) { Ok(duid) } else { Err(Dropped::BadClientId) }
}

/// Frees a resource. Whether it was bound.
pub(super) fn remove(table: &mut Table, resource: Resource, told: Told, out: &mut Vec<Action>) -> bool {
    let Some((binding, routed)) = table.remove(resource) else { return false };
    out.push(Action::Record(Record::Delete(resource)));
    if let (Resource::Prefix(prefix), true) = (resource, routed != 0) {
        out.push(Action::Delegated(prefix, None));
    }
    out.push(Action::Tell(told, binding));
    true
}

/// Says where a binding's prefix is routed to if that has changed.
pub(super) fn reroute(
    site: &Site,
    binding: &Binding,
    routed: &mut u32,
    moved: bool,
    now: Instant,
    out: &mut Vec<Action>,
) {
    let Resource::Prefix(prefix) = binding.resource else { return };
    let link = site.route(binding, now);
    if link.unwrap_or(0) != *routed || moved && link.is_some() {
        *routed = link.unwrap_or(0);
        out.push(Action::Delegated(prefix, link.map(|link| Delegation { link, via: binding.via })));
    }
}

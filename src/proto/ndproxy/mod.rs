//! One /64 on two links: which of its addresses are on the LAN, so that the router can answer for them on the uplink's
//! link (the neighbour discovery proxy of RFC 4861 §7.2.8, in the place of RFC 4389 §4).
//!
//! ```text
//! uplink's link                          │                                              LAN
//! solicitation for X ─► not known: ask ──┼─► solicitation for X ─► advertisement of X ─► known
//!   answered by the kernel ◄─ known ◄────┼── solicitation from X; X tested by its host, and nobody answered on the uplink
//! ```
//!
//! * **The kernel answers** on the uplink's link, for addresses that are known ([`Proxy::hosts`]): its `proxy_ndp` knows
//!   how to (groups, delays, unicast solicitations, other hosts' duplicate address detection), and goes on while we
//!   don't run. Only the first one who asks for an address that was not known is answered from here.
//! * **An address is known** when something is heard from it on the LAN. A host tests an address before it uses it, so it
//!   is known before it is needed; one that was silent since is asked for when somebody asks on the uplink.
//! * **A test is carried across**: an address that a host on the LAN tests is asked for on the uplink's link, and one who
//!   answers there is announced to the host as the other owner.
//! * **What is known is asked again** after half an hour of silence, and forgotten when no answer comes, or when it was
//!   heard on the other link.
//!
//! Limits, some of them RFC 4389's own (§1.1): one LAN and one uplink; hosts on the uplink's link are not reached from
//! the LAN by their addresses in the /64 (only the next hop, which is link-local, and whatever is beyond it are);
//! router advertisements are not passed on but made anew, without the P flag; a host that moves from one link to the
//! other is found after seconds only.

use crate::net::{ALL_NODES, FlatMap, Instant, Mac, Prefix};
use crate::wire::nd::{Neighbour, advertisement_for, solicitation, solicited_node};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Addresses known on the LAN: some forty hosts with a dozen addresses each. Beyond, the one silent for longest goes.
pub const MOST_KNOWN: usize = 512;
/// Addresses being asked for or tested: somebody outside may go through all the /64.
const MOST_ASKED: usize = 64;
/// An answer is waited for so long: a link's round trip many times over, and less than the second of a host's own test.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two questions to a known one (RFC 4861 §10, RETRANS_TIMER), and how many there are (MAX_UNICAST_SOLICIT).
const RETRY: Duration = Duration::from_secs(1);
const TRIES: u8 = 3;
/// One that is silent for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(1800);

/// What a proxy works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The /64 that both links have.
    pub prefix: Prefix,
    /// The router's own address in it: never anybody else's.
    pub router: Ipv6Addr,
    /// Our Ethernet address on the LAN.
    pub lan_mac: Option<Mac>,
    /// Our Ethernet address on the uplink's link.
    pub uplink_mac: Option<Mac>,
}

/// One of the two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The LAN.
    Lan,
    /// The uplink's link.
    Uplink,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send an ICMPv6 message from the link's link-local address with hop limit 255; checksum left zero.
    Send {
        /// By which link.
        side: Side,
        /// Destination.
        to: Ipv6Addr,
        /// ICMPv6 message.
        bytes: Vec<u8>,
    },
    /// [`Proxy::hosts`] gives something else.
    Changed,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Somebody on the uplink's link asks for it; whom to answer (`ff02::1` for one who tests it).
    Asked { answer: Ipv6Addr, until: Instant },
    /// A host on the LAN tests it.
    Tested { until: Instant },
    /// It is on the LAN.
    Known { heard: Instant, tries: u8, next: Instant },
}

impl State {
    fn next(&self) -> Instant {
        match self {
            State::Asked { until, .. } | State::Tested { until } => *until,
            State::Known { next, .. } => *next,
        }
    }
}

/// The proxy between one LAN and one uplink.
#[derive(Debug)]
pub struct Proxy {
    config: Config,
    all: FlatMap<Ipv6Addr, State>,
    /// Messages of our own that came back, by a loop between the two links.
    looped: u64,
    /// Addresses that were not asked for, since too many were already.
    left_out: u64,
}

impl Proxy {
    /// A proxy that knows addresses already: those the kernel still answers for.
    pub fn new(config: Config, known: impl IntoIterator<Item = Ipv6Addr>, now: Instant) -> Proxy {
        let mut proxy = Proxy { config, all: FlatMap::new(), looped: 0, left_out: 0 };
        for addr in known.into_iter().take(MOST_KNOWN) {
            if proxy.concerns(addr) {
                // whether it is still there is asked at once
                proxy.all.insert(addr, State::Known { heard: now, tries: 0, next: now });
            }
        }
        proxy
    }

    /// Takes a configuration in; with another /64 everything is forgotten.
    pub fn reconfigure(&mut self, config: Config) {
        if config.prefix != self.config.prefix || config.router != self.config.router {
            self.all = FlatMap::new();
        }
        self.config = config;
    }

    /// Addresses on the LAN, at most [`MOST_KNOWN`].
    pub fn hosts(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.all.iter().filter(|(_, state)| matches!(state, State::Known { .. })).map(|(addr, _)| *addr)
    }

    /// How often messages of our own came back by a loop, and addresses were left out since there were too many.
    pub fn drops(&self) -> [(&'static str, u64); 2] {
        [("loop between the links", self.looped), ("too many addresses asked for", self.left_out)]
    }

    /// A valid message between neighbours came in by a link.
    pub fn heard(&mut self, side: Side, message: &Neighbour, now: Instant, out: &mut Vec<Action>) {
        let own = [self.config.lan_mac, self.config.uplink_mac];
        if message.link.is_some() && own.contains(&message.link) {
            self.looped = self.looped.saturating_add(1);
            return;
        }
        let Neighbour { source, solicits, target, .. } = *message;
        match (side, solicits) {
            (Side::Lan, true) if source.is_unspecified() => self.tested(target, now, out),
            (Side::Lan, true) => self.learn(source, now, out),
            (Side::Lan, false) => self.learn(target, now, out),
            (Side::Uplink, true) => {
                let tests = source.is_unspecified();
                self.moved(source, now, out);
                self.asked(target, if tests { ALL_NODES } else { source }, now, out);
            }
            (Side::Uplink, false) => {
                if let Some(State::Tested { .. }) = self.all.get(&target) {
                    self.all.remove(&target);
                    self.say(Side::Lan, ALL_NODES, target, out);
                }
                self.moved(target, now, out);
            }
        }
    }

    /// Fires what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        let due = self.all.iter().filter(|(_, state)| state.next() <= now);
        let due: Vec<(Ipv6Addr, State)> = due.map(|(addr, state)| (*addr, *state)).collect();
        for (addr, state) in due {
            match state {
                State::Asked { .. } => _ = self.all.remove(&addr),
                // nobody else has it
                State::Tested { .. } => self.learn(addr, now, out),
                State::Known { tries: TRIES.., .. } => {
                    self.all.remove(&addr);
                    out.push(Action::Changed);
                }
                State::Known { heard, tries, .. } => {
                    let next = now.after(RETRY);
                    self.all.insert(addr, State::Known { heard, tries: tries.saturating_add(1), next });
                    self.ask(Side::Lan, addr, out);
                }
            }
        }
    }

    /// When `tick` has something to do.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let next = self.all.values().map(State::next).min();
        next.map(|at| (at, "a neighbour is asked for"))
    }

    /// Whether it is for us to know where this address is.
    fn concerns(&self, addr: Ipv6Addr) -> bool {
        let anycast = addr == self.config.prefix.addr();
        self.config.prefix.contains(addr) && addr != self.config.router && !anycast
    }

    /// Something was heard of an address on the LAN.
    fn learn(&mut self, addr: Ipv6Addr, now: Instant, out: &mut Vec<Action>) {
        if !self.concerns(addr) {
            return;
        }
        let known = State::Known { heard: now, tries: 0, next: now.after(SILENCE) };
        match self.all.get(&addr).copied() {
            Some(State::Known { .. }) => _ = self.all.insert(addr, known),
            before => {
                self.make_room();
                self.all.insert(addr, known);
                if let Some(State::Asked { answer, .. }) = before {
                    self.say(Side::Uplink, answer, addr, out);
                }
                out.push(Action::Changed);
            }
        }
    }

    fn make_room(&mut self) {
        let known = self.all.iter().filter_map(|(addr, state)| match state {
            State::Known { heard, .. } => Some((*heard, *addr)),
            _ => None,
        });
        if known.clone().count() >= MOST_KNOWN
            && let Some((_, oldest)) = known.min()
        {
            self.all.remove(&oldest);
        }
    }

    /// A host on the LAN tests whether an address is in use.
    fn tested(&mut self, target: Ipv6Addr, now: Instant, out: &mut Vec<Action>) {
        if self.concerns(target) && !self.all.contains_key(&target) && self.has_room() {
            self.all.insert(target, State::Tested { until: now.after(PATIENCE) });
            self.ask(Side::Uplink, target, out);
        }
    }

    /// Somebody on the uplink's link asks for an address. The kernel answers for one that is known.
    fn asked(&mut self, target: Ipv6Addr, answer: Ipv6Addr, now: Instant, out: &mut Vec<Action>) {
        if !self.concerns(target) {
            return;
        }
        match self.all.get(&target).copied() {
            // two test the same address at the same time: neither may have it (RFC 4862 §5.4.3)
            Some(State::Tested { .. }) if answer == ALL_NODES => {
                self.say(Side::Uplink, ALL_NODES, target, out);
                self.say(Side::Lan, ALL_NODES, target, out);
                self.all.remove(&target);
            }
            None if self.has_room() => {
                self.all.insert(target, State::Asked { answer, until: now.after(PATIENCE) });
                self.ask(Side::Lan, target, out);
            }
            _ => {}
        }
    }

    /// An address of the LAN was heard on the uplink's link: it may have moved there.
    fn moved(&mut self, addr: Ipv6Addr, now: Instant, out: &mut Vec<Action>) {
        if let Some(State::Known { heard, tries: 0, .. }) = self.all.get(&addr).copied() {
            self.all.insert(addr, State::Known { heard, tries: 1, next: now.after(RETRY) });
            self.ask(Side::Lan, addr, out);
        }
    }

    fn has_room(&mut self) -> bool {
        let asked = self.all.values().filter(|state| !matches!(state, State::Known { .. })).count();
        let room = asked < MOST_ASKED;
        self.left_out = self.left_out.saturating_add(u64::from(!room));
        room
    }

    fn ask(&self, side: Side, target: Ipv6Addr, out: &mut Vec<Action>) {
        let bytes = solicitation(target, self.mac(side));
        out.push(Action::Send { side, to: solicited_node(target), bytes });
    }

    fn say(&self, side: Side, to: Ipv6Addr, target: Ipv6Addr, out: &mut Vec<Action>) {
        let bytes = advertisement_for(target, self.mac(side), !to.is_multicast());
        out.push(Action::Send { side, to, bytes });
    }

    fn mac(&self, side: Side) -> Option<Mac> {
        match side {
            Side::Lan => self.config.lan_mac,
            Side::Uplink => self.config.uplink_mac,
        }
    }
}

#[cfg(test)]
mod tests;

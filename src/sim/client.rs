//! A DHCPv6 client of the simulated LAN, by RFC 9915 §18.2, as far as a well-behaved router behind the router needs it:
//! Solicit, Request, Renew, Rebind, Release, with an address, a prefix, or both.

use super::bytes::{address, number, option, options};
use super::host::end;
use crate::net::{Duid, Instant, Mac, Prefix};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

const SOLICIT: u8 = 1;
const ADVERTISE: u8 = 2;
const REQUEST: u8 = 3;
const RENEW: u8 = 5;
const REBIND: u8 = 6;
const REPLY: u8 = 7;
const RELEASE: u8 = 8;

/// First and longest time between two tries, milliseconds (RFC 9915 §7.6, with jitter left out).
const FIRST_RETRY: u64 = 1_000;
const LONGEST_RETRY: u64 = 60_000;
/// A Request is tried this often, then the client starts over (REQ_MAX_RC).
const REQUEST_TRIES: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Soliciting,
    Requesting,
    Bound,
    Renewing,
    Rebinding,
}

/// A client. Everything it holds is a prefix; an address is one of 128 bits.
pub(super) struct Client {
    pub(super) lan: usize,
    /// Its link-local address.
    pub(super) addr: Ipv6Addr,
    duid: Duid,
    wants_address: bool,
    wants_prefix: Option<u8>,
    state: State,
    server: Vec<u8>,
    /// What it holds: ends of lifetimes, preferred and valid, milliseconds.
    pub(super) held: BTreeMap<Prefix, (u64, u64)>,
    /// What it was offered and asks for.
    offered: Vec<Prefix>,
    renew_at: u64,
    rebind_at: u64,
    transaction: u32,
    tries: u32,
    send_at: u64,
    unbound_since: u64,
}

/// What an answer means to a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing.
    Ignored,
    /// It was offered something.
    Offer,
    /// It holds what the server says now.
    Bound,
    /// The server has nothing for it.
    Refused,
}

impl Client {
    pub(super) fn new(number: u32, lan: usize, wants_address: bool, wants_prefix: Option<u8>, now: Instant) -> Client {
        let [_, b, c, d] = number.to_be_bytes();
        Client {
            lan,
            addr: Ipv6Addr::from(0xfe80_u128 << 112 | 0x0200_01ff_fe00_0000 | u128::from(number)),
            duid: Duid::link_layer(Mac([2, 0, 1, b, c, d])),
            wants_address,
            wants_prefix,
            state: State::Soliciting,
            server: Vec::new(),
            held: BTreeMap::new(),
            offered: Vec::new(),
            renew_at: u64::MAX,
            rebind_at: u64::MAX,
            transaction: number << 12 & 0x00ff_ffff,
            tries: 0,
            send_at: now.0,
            unbound_since: now.0,
        }
    }

    /// The prefix it holds that is longer than nothing and shorter than an address.
    pub(super) fn delegated(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.held.keys().copied().filter(|prefix| prefix.len() < 128)
    }

    /// Since when it has not had what it wants, milliseconds.
    pub(super) fn unbound_since(&self) -> Option<u64> {
        (self.state != State::Bound).then_some(self.unbound_since)
    }

    /// Whether it has what it wants.
    pub(super) fn is_bound(&self) -> bool {
        self.state == State::Bound
    }

    /// When it wants to act next.
    pub(super) fn poll_at(&self) -> u64 {
        let ends = self.held.values().map(|(_, valid)| *valid).min().unwrap_or(u64::MAX);
        let next = if self.state == State::Bound { self.renew_at } else { self.send_at };
        next.min(ends)
    }

    fn start(&mut self, state: State, now: Instant) {
        if self.state == State::Bound {
            self.unbound_since = now.0;
        }
        self.state = state;
        self.tries = 0;
        self.send_at = now.0;
        self.transaction = (self.transaction + 1) & 0x00ff_ffff;
    }

    /// The message that is due, if any.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.held.retain(|_, (_, valid)| *valid > now.0);
        match self.state {
            State::Bound if self.held.is_empty() => self.start(State::Soliciting, now),
            State::Bound if self.renew_at <= now.0 => self.start(State::Renewing, now),
            State::Renewing | State::Rebinding if self.held.is_empty() => self.start(State::Soliciting, now),
            State::Renewing if self.rebind_at <= now.0 => self.start(State::Rebinding, now),
            State::Requesting if self.tries >= REQUEST_TRIES => self.start(State::Soliciting, now),
            _ => {}
        }
        if self.state == State::Bound || self.send_at > now.0 {
            return None;
        }
        self.send_at = now.0 + (FIRST_RETRY << self.tries.min(6)).min(LONGEST_RETRY);
        self.tries += 1;
        let kind = match self.state {
            State::Soliciting => SOLICIT,
            State::Requesting => REQUEST,
            State::Renewing => RENEW,
            _ => REBIND,
        };
        Some(self.message(kind))
    }

    /// A Release of all it holds; the client is done.
    pub(super) fn release(&mut self) -> Option<Vec<u8>> {
        self.transaction = (self.transaction + 1) & 0x00ff_ffff;
        let bytes = (!self.held.is_empty()).then(|| self.message(RELEASE));
        self.held.clear();
        bytes
    }

    fn message(&self, kind: u8) -> Vec<u8> {
        let mut bytes = self.transaction.to_be_bytes().to_vec();
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        option(1, self.duid.as_bytes(), &mut bytes);
        if matches!(kind, REQUEST | RENEW | RELEASE) {
            option(2, &self.server, &mut bytes);
        }
        option(8, &[0, 0], &mut bytes);
        option(6, &[0, 23, 0, 24, 0, 82], &mut bytes);
        let named: Vec<Prefix> =
            if kind == REQUEST { self.offered.clone() } else { self.held.keys().copied().collect() };
        let of = |address: bool| named.iter().filter(move |prefix| (prefix.len() == 128) == address);
        if self.wants_address && (kind != RELEASE || of(true).count() > 0) {
            let mut ia = [1_u32.to_be_bytes(), [0; 4], [0; 4]].concat();
            for prefix in of(true) {
                option(5, &[&prefix.addr().octets()[..], &[0; 8]].concat(), &mut ia);
            }
            option(3, &ia, &mut bytes);
        }
        if let Some(len) = self.wants_prefix.filter(|_| kind != RELEASE || of(false).count() > 0) {
            let mut ia = [2_u32.to_be_bytes(), [0; 4], [0; 4]].concat();
            for prefix in of(false) {
                option(26, &[&[0; 8], &[prefix.len()][..], &prefix.addr().octets()].concat(), &mut ia);
            }
            if kind == SOLICIT && of(false).count() == 0 {
                option(26, &[&[0; 8], &[len][..], &[0; 16]].concat(), &mut ia);
            }
            option(25, &ia, &mut bytes);
        }
        bytes
    }

    /// Hears an answer. `None` if it can't be read: the router must never send such a thing.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Instant) -> Option<Heard> {
        let (kind, rest) = bytes.split_first()?;
        let (transaction, rest) = rest.split_first_chunk::<3>()?;
        let all = options(rest)?;
        let [_, id @ ..] = self.transaction.to_be_bytes();
        let mine = all.iter().any(|(code, body)| *code == 1 && *body == self.duid.as_bytes());
        if *transaction != id || !mine {
            return Some(Heard::Ignored);
        }
        let granted = Granted::read(&all)?;
        match (self.state, *kind) {
            (State::Soliciting, ADVERTISE) => {
                if granted.leases.is_empty() {
                    return Some(Heard::Refused);
                }
                self.server = all.iter().find(|(code, _)| *code == 2)?.1.to_vec();
                self.offered = granted.leases.iter().map(|(prefix, _, _)| *prefix).collect();
                self.start(State::Requesting, now);
                Some(Heard::Offer)
            }
            (State::Requesting | State::Renewing | State::Rebinding, REPLY) => {
                self.server = all.iter().find(|(code, _)| *code == 2)?.1.to_vec();
                if granted.no_binding && self.state != State::Requesting {
                    // RFC 9915 §18.2.10.1: a Request for all of the binding
                    self.offered = self.held.keys().copied().collect();
                    self.start(State::Requesting, now);
                    return Some(Heard::Refused);
                }
                for (prefix, preferred, valid) in &granted.leases {
                    match valid {
                        0 => self.held.remove(prefix),
                        _ => self.held.insert(*prefix, (end(now, *preferred), end(now, *valid))),
                    };
                }
                if self.held.is_empty() {
                    self.start(State::Soliciting, now);
                    self.send_at = now.0 + LONGEST_RETRY;
                    return Some(Heard::Refused);
                }
                let shortest = self.held.values().map(|(preferred, _)| *preferred).min().unwrap_or(u64::MAX);
                let left = shortest.saturating_sub(now.0);
                let timer = |seconds: u32, share: u64| match seconds {
                    0 if shortest == u64::MAX => u64::MAX,
                    // nothing preferred left: not more often than a person would
                    0 => now.0 + (left / 10 * share).max(60_000),
                    seconds => end(now, seconds),
                };
                self.renew_at = timer(granted.t1, 5);
                self.rebind_at = timer(granted.t2, 8).max(self.renew_at);
                self.state = State::Bound;
                Some(Heard::Bound)
            }
            _ => Some(Heard::Ignored),
        }
    }
}

/// What the IAs of an answer hold.
#[derive(Default)]
struct Granted {
    /// Prefix, preferred and valid lifetime in seconds.
    leases: Vec<(Prefix, u32, u32)>,
    no_binding: bool,
    t1: u32,
    t2: u32,
}

impl Granted {
    fn read(all: &[(u16, &[u8])]) -> Option<Granted> {
        let mut granted = Granted { t1: u32::MAX, t2: u32::MAX, ..Granted::default() };
        for (code, body) in all {
            if !matches!(code, 3 | 25) {
                continue;
            }
            let (mut t1, mut t2) = (number(body.get(4..8)?)?, number(body.get(8..12)?)?);
            let mut got = false;
            for (code, body) in options(body.get(12..)?)? {
                match code {
                    5 => {
                        let prefix = Prefix::new(address(body.get(..16)?)?, 128)?;
                        granted.leases.push((prefix, number(body.get(16..20)?)?, number(body.get(20..24)?)?));
                        got = true;
                    }
                    26 => {
                        let prefix = Prefix::new(address(body.get(9..25)?)?, *body.get(8)?)?;
                        granted.leases.push((prefix, number(body.get(..4)?)?, number(body.get(4..8)?)?));
                        got = true;
                    }
                    13 => granted.no_binding |= body.get(..2)? == [0, 3],
                    _ => {}
                }
            }
            if !got {
                (t1, t2) = (u32::MAX, u32::MAX);
            }
            granted.t1 = granted.t1.min(t1);
            granted.t2 = granted.t2.min(t2);
        }
        Some(granted)
    }
}

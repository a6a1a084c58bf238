use super::exchange::{Bucket, Exchange, MAX_DELAY, MAX_RT};
use super::leases::Held;
use super::message::Saying;
use super::reply::{Answer, Kind};
use super::{Action, Config, Event, Leases, Status};
use crate::net::{ALL_DHCP_RELAY_AGENTS_AND_SERVERS, Duid, FlatMap, Instant, Rng, Until};
use crate::proto::dhcp6::Resource;
use crate::proto::retransmission::later;
use crate::wire::dhcp6::MessageType;
use std::net::Ipv6Addr;

/// First and longest wait until something wanted that is not held is asked for again, milliseconds.
const MISSING: (u64, u64) = (10_000, 3_600_000);
/// Longest wait until a search that led to nothing begins again, milliseconds.
const LONGEST_BACKOFF: u64 = 120_000;
/// Leases that were lost, asked for again.
const MOST_HINTS: usize = 16;
/// Addresses found to be somebody else's, not taken again while the link stays up.
const MOST_DECLINED: usize = 16;

/// What a client is doing with its main exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Soliciting,
    Requesting,
    Confirming,
    Bound,
    Renewing,
    Rebinding,
    Asking,
    Informed,
}

/// What a server offered.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) server: Duid,
    pub(super) resources: Vec<Resource>,
    /// The better, the greater: not one that failed us, with a prefix, with an address, preference.
    pub(super) score: (bool, bool, bool, u8),
}

/// What is given back, or declined, beside the main exchange.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) exchange: Exchange,
    pub(super) server: Duid,
    resources: Vec<Resource>,
}

/// A reconfigure key, its server, and the last replay detection value (RFC 9915 §20.4).
#[derive(Debug)]
pub(super) struct Key {
    pub(super) server: Duid,
    pub(super) key: [u8; 16],
    pub(super) replay: u64,
}

/// The DHCPv6 client of one uplink.
#[derive(Debug)]
pub struct Client {
    pub(super) config: Config,
    pub(super) rng: Rng,
    pub(super) state: State,
    since: Instant,
    pub(super) main: Option<Exchange>,
    pub(super) aside: Option<Aside>,
    pub(super) held: Held,
    pub(super) settings: Leases,
    /// The server that what is held comes from, or that is asked for it.
    pub(super) server: Option<Duid>,
    pub(super) offer: Option<Offer>,
    /// Servers that made offers and then failed us.
    pub(super) avoided: Vec<Duid>,
    hints: Vec<Resource>,
    pub(super) declined: Vec<Ipv6Addr>,
    /// Searches in a row that led to nothing.
    pub(super) failures: u32,
    /// When something wanted that is not held is asked for again, and how long that was waited for.
    missing: Option<(Instant, u64)>,
    pub(super) refresh_at: Until,
    pub(super) sol_max_rt: u64,
    pub(super) inf_max_rt: u64,
    pub(super) key: Option<Key>,
    bucket: Bucket,
    /// Given back: silent until reconfigured.
    released: bool,
    pub(super) refused: Option<String>,
    pub(super) changed: bool,
    sent: FlatMap<MessageType, u64>,
    pub(super) received: FlatMap<MessageType, u64>,
    dropped: FlatMap<&'static str, u64>,
}

impl Client {
    /// A client that begins within a second: with what it remembers, or from nothing.
    pub fn new(config: Config, seed: u64, now: Instant) -> Client {
        let remembered = config.remembered.clone().unwrap_or_default();
        let mut client = Client {
            rng: Rng::new(seed),
            state: State::Idle,
            since: now,
            main: None,
            aside: None,
            held: Held::remembered(&remembered, now),
            server: remembered.server.clone(),
            settings: Leases { addresses: Vec::new(), prefixes: Vec::new(), ..remembered },
            offer: None,
            avoided: Vec::new(),
            hints: Vec::new(),
            declined: Vec::new(),
            failures: 0,
            missing: None,
            refresh_at: Until::Forever,
            sol_max_rt: MAX_RT,
            inf_max_rt: MAX_RT,
            key: None,
            bucket: Bucket::new(now),
            released: false,
            refused: None,
            changed: false,
            sent: FlatMap::new(),
            received: FlatMap::new(),
            dropped: FlatMap::new(),
            config,
        };
        client.drop_unwanted(now);
        client.link_up(now);
        client
    }

    /// Takes one event in.
    pub fn handle(&mut self, event: Event<'_>, now: Instant, out: &mut Vec<Action>) {
        match event {
            Event::Packet { source: _, multicast, bytes } => {
                if let Err(reason) = self.receive(multicast, bytes, now) {
                    self.count_dropped(reason);
                }
            }
            Event::LinkUp => {
                self.declined.clear();
                self.link_up(now);
            }
            Event::DuplicateAddress(address) => self.decline(address, now),
            Event::Release => self.release(now),
        }
        self.tick(now, out);
    }

    /// Works with another configuration from now on: what is wanted no more is given back, what is wanted newly is asked
    /// for at once. After a [`Event::Release`] it begins anew. What it remembers is looked at by [`Client::new`] only.
    pub fn reconfigure(&mut self, config: Config, now: Instant, out: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.config, config);
        if before.duid != self.config.duid || before.iaid != self.config.iaid {
            // somebody else, to the server: what the other one holds runs out there
            self.changed |= !self.held.is_empty();
            (self.held, self.aside, self.server, self.key) = (Held::new(), None, None, None);
            self.begin(now);
        }
        self.drop_unwanted(now);
        let wishes = |config: &Config| (config.want_address, config.want_prefix, config.information);
        if std::mem::take(&mut self.released) || wishes(&before) != wishes(&self.config) {
            if self.held.is_empty() || self.state == State::Idle {
                self.begin(now);
            } else if !self.is_complete() {
                self.missing = Some((now, MISSING.0));
            }
        }
        self.tick(now, out);
    }

    /// Ends what is over and sends what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        let gone = self.held.end(now);
        if !gone.is_empty() {
            self.changed = true;
            self.hint(gone);
        }
        // a step leads to another at most a few times
        for _ in 0..8 {
            if !self.step(now) {
                break;
            }
        }
        self.schedule_missing(now);
        self.send(now, out);
        if std::mem::take(&mut self.changed) {
            out.push(Action::Changed);
        }
    }

    /// Nothing: the server keeps what we have, and it is found again when we are back. To give it back: [`Event::Release`].
    pub fn shutdown(&mut self, _now: Instant, _out: &mut Vec<Action>) {}

    /// When [`Client::tick`] has something to do, and why; `None` if nothing is wanted, or what is held has no end.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let due = |at: Option<Instant>, why: &'static str| at.map(|at| (at, why));
        let bound = self.state == State::Bound;
        let waits = matches!(self.state, State::Bound | State::Asking) && !self.held.is_empty();
        let all = [
            due(self.main.as_ref().map(|main| main.series.next()), "a message is sent again"),
            due(self.aside.as_ref().map(|aside| aside.exchange.series.next()), "leases are given back"),
            due(self.held.next_end(), "a lease ends"),
            due(self.held.renew_at().filter(|_| waits), "T1: leases are to be renewed"),
            due(self.held.rebind_at().filter(|_| waits || self.state == State::Renewing), "T2: any server will do"),
            due(self.missing.map(|(at, _)| at).filter(|_| bound), "something wanted is missing"),
            due(moment(self.refresh_at).filter(|_| self.state == State::Informed), "settings are to be refreshed"),
        ];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// What is held.
    pub fn leases(&self) -> Leases {
        let mut leases = self.settings.clone();
        leases.server.clone_from(&self.server);
        self.held.list(&mut leases);
        leases
    }

    /// What it is doing, and counters.
    pub fn status(&self, _now: Instant) -> Status {
        let state = match self.state {
            State::Idle if self.aside.is_some() => "releasing",
            State::Idle => "idle",
            State::Soliciting => "soliciting",
            State::Requesting => "requesting",
            State::Confirming => "confirming",
            State::Bound => "bound",
            State::Renewing => "renewing",
            State::Rebinding => "rebinding",
            State::Asking => "asking for settings",
            State::Informed => "informed",
        };
        let named = |counts: &FlatMap<MessageType, u64>| counts.iter().map(|(kind, n)| (kind.name(), *n)).collect();
        Status {
            state,
            since: self.since,
            tries: self.main.as_ref().map_or(0, |main| main.series.sent()),
            next: self.poll_at(),
            server: self.server.clone(),
            refused: self.refused.clone(),
            reconfigurable: self.key.is_some(),
            sent: named(&self.sent),
            received: named(&self.received),
            dropped: self.dropped.iter().map(|(reason, count)| (*reason, *count)).collect(),
        }
    }

    /// Whether everything wanted is held.
    pub(super) fn is_complete(&self) -> bool {
        Kind::ALL.into_iter().all(|kind| self.held.has(kind) || !kind.is_wanted(&self.config))
    }

    fn wants_leases(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| kind.is_wanted(&self.config))
    }

    pub(super) fn enter(&mut self, state: State, main: Option<Exchange>, now: Instant) {
        if state != self.state {
            (self.state, self.since) = (state, now);
        }
        self.main = main;
    }

    /// Begins from nothing, as the wishes are.
    pub(super) fn begin(&mut self, now: Instant) {
        self.missing = None;
        if self.wants_leases() {
            self.solicit(now);
        } else if self.config.information {
            self.ask(now);
        } else {
            self.enter(State::Idle, None, now);
        }
    }

    /// RFC 9915 §18.2.1; later, if searches before led to nothing.
    fn solicit(&mut self, now: Instant) {
        let backoff = match self.failures {
            0 => 0,
            failures => (1_000u64 << failures.min(10)).min(LONGEST_BACKOFF),
        };
        let at = later(now, backoff.saturating_add(self.rng.between(0, MAX_DELAY)));
        let exchange = Exchange::new(MessageType::Solicit, self.sol_max_rt, at, &mut self.rng);
        self.offer = None;
        self.enter(State::Soliciting, Some(exchange), now);
    }

    /// RFC 9915 §18.2.6.
    pub(super) fn ask(&mut self, now: Instant) {
        let at = later(now, self.rng.between(0, MAX_DELAY));
        let exchange = Exchange::new(MessageType::InformationRequest, self.inf_max_rt, at, &mut self.rng);
        self.enter(State::Asking, Some(exchange), now);
    }

    /// A message about what is held, or what was offered, at once.
    pub(super) fn start(&mut self, state: State, kind: MessageType, now: Instant) {
        let exchange = Exchange::new(kind, 0, now, &mut self.rng);
        self.enter(state, Some(exchange), now);
    }

    /// The search led to nothing; it begins again later.
    pub(super) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.begin(now);
    }

    /// RFC 9915 §18.2.12.
    fn link_up(&mut self, now: Instant) {
        self.failures = 0;
        if self.released {
            return;
        }
        if self.held.is_empty() {
            return self.begin(now);
        }
        let waits = self.main.as_ref().is_some_and(|main| main.series.sent() == 0);
        if self.state == State::Confirming && waits {
            return;
        }
        let kind = if self.held.has(Kind::Prefix) { MessageType::Rebind } else { MessageType::Confirm };
        let at = later(now, self.rng.between(0, MAX_DELAY));
        let exchange = Exchange::confirming(kind, at, &mut self.rng);
        self.enter(State::Confirming, Some(exchange), now);
    }

    /// Gives back what is wanted no more.
    fn drop_unwanted(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for kind in Kind::ALL {
            if !kind.is_wanted(&self.config) {
                gone.extend(self.held.drop_kind(kind));
            }
        }
        self.give_back(gone, now);
    }

    fn give_back(&mut self, gone: Vec<Resource>, now: Instant) {
        if !gone.is_empty() {
            self.changed = true;
            self.beside(MessageType::Release, self.server.clone(), gone, now);
        }
    }

    /// RFC 9915 §18.2.7.
    fn release(&mut self, now: Instant) {
        let gone: Vec<Resource> = Kind::ALL.into_iter().flat_map(|kind| self.held.drop_kind(kind)).collect();
        self.give_back(gone, now);
        (self.released, self.offer, self.missing) = (true, None, None);
        self.enter(State::Idle, None, now);
    }

    /// RFC 9915 §18.2.8.
    fn decline(&mut self, address: Ipv6Addr, now: Instant) {
        let resource = Resource::Address(address);
        if !self.held.drop_one(resource) {
            return self.count_dropped("duplicate of no address of ours");
        }
        self.changed = true;
        if self.declined.len() >= MOST_DECLINED {
            self.declined.remove(0);
        }
        self.declined.push(address);
        self.beside(MessageType::Decline, self.server.clone(), vec![resource], now);
        if self.held.is_empty() {
            self.fail(now);
        }
    }

    /// Gives back or declines, beside the main exchange. What was under way there before is forgotten.
    pub(super) fn beside(&mut self, kind: MessageType, server: Option<Duid>, resources: Vec<Resource>, now: Instant) {
        if let Some(server) = server {
            let exchange = Exchange::new(kind, 0, now, &mut self.rng);
            self.aside = Some(Aside { exchange, server, resources });
        }
    }

    /// What was lost is asked for again.
    pub(super) fn hint(&mut self, lost: Vec<Resource>) {
        self.hints = lost;
        self.hints.truncate(MOST_HINTS);
    }

    /// One change of state that time has brought; false if there is none.
    fn step(&mut self, now: Instant) -> bool {
        if self.aside.as_ref().is_some_and(|aside| aside.exchange.series.is_over(now)) {
            self.aside = None;
        }
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let main = self.main.as_ref();
        let tried = main.is_some_and(|main| main.series.next() <= now && main.series.sent() > 0);
        let over = main.is_some_and(|main| main.series.is_over(now));
        match self.state {
            State::Soliciting if tried && self.offer.is_some() => self.take_offer(now),
            State::Soliciting if tried && !self.held.is_empty() => self.settle(now),
            State::Requesting if over => self.request_failed(now),
            State::Bound | State::Renewing | State::Rebinding | State::Confirming if self.held.is_empty() => {
                self.begin(now);
            }
            // RFC 9915 §18.2.3: without an answer what is held is used on
            State::Confirming if over => self.settle(now),
            State::Bound | State::Renewing | State::Asking if is_due(self.held.rebind_at()) => {
                self.start(State::Rebinding, MessageType::Rebind, now);
            }
            State::Bound | State::Asking if is_due(self.held.renew_at()) => self.renew(now),
            State::Bound if is_due(self.missing.map(|(at, _)| at)) => {
                // at the server first, then at any
                let waited = self.missing.map_or(0, |(_, waited)| waited);
                self.missing = Some((later(now, waited), waited.saturating_mul(2).min(MISSING.1)));
                if waited <= MISSING.0 { self.renew(now) } else { self.solicit(now) }
            }
            State::Informed if is_due(moment(self.refresh_at)) => self.ask(now),
            _ => return false,
        }
        true
    }

    /// RFC 9915 §18.2.4.
    pub(super) fn renew(&mut self, now: Instant) {
        match self.server {
            Some(_) => self.start(State::Renewing, MessageType::Renew, now),
            None => self.start(State::Rebinding, MessageType::Rebind, now),
        }
    }

    /// Back to what is held, with its own timers.
    pub(super) fn settle(&mut self, now: Instant) {
        self.offer = None;
        if self.held.is_empty() { self.begin(now) } else { self.enter(State::Bound, None, now) }
    }

    /// Sees to it that what is missing is asked for some time.
    fn schedule_missing(&mut self, now: Instant) {
        if self.held.is_empty() || self.is_complete() {
            self.missing = None;
        } else if self.missing.is_none() {
            self.missing = Some((later(now, MISSING.0), MISSING.0));
        }
    }

    fn send(&mut self, now: Instant, out: &mut Vec<Action>) {
        for beside in [true, false] {
            let exchange =
                if beside { self.aside.as_mut().map(|aside| &mut aside.exchange) } else { self.main.as_mut() };
            let Some(exchange) = exchange.filter(|exchange| exchange.series.next() <= now) else { continue };
            if let Err(at) = self.bucket.take(now) {
                exchange.series.postpone(at);
                self.count_dropped("postponed: too many messages");
                continue;
            }
            let (kind, transaction, elapsed) = (exchange.kind, exchange.transaction, exchange.elapsed(now));
            exchange.series.sent_now(now, &mut self.rng);
            let (server, leases) = match (beside, &self.aside, &self.offer) {
                (true, Some(aside), _) => (Some(&aside.server), aside.resources.clone()),
                (_, _, Some(offer)) if kind == MessageType::Request => (Some(&offer.server), offer.resources.clone()),
                _ if kind == MessageType::Solicit && self.held.is_empty() => (None, self.hints.clone()),
                _ => (self.server.as_ref(), self.held.resources()),
            };
            let rapid_commit = self.may_commit_rapidly();
            let saying = Saying { kind, transaction, elapsed, rapid_commit, server, leases: &leases };
            if let Some(bytes) = saying.bytes(&self.config) {
                out.push(Action::Send { to: ALL_DHCP_RELAY_AGENTS_AND_SERVERS, bytes });
                let count = self.sent.or_default(kind);
                *count = count.saturating_add(1);
            }
        }
    }

    /// Not while something is held: it would be torn between two servers.
    pub(super) fn may_commit_rapidly(&self) -> bool {
        self.config.rapid_commit && self.held.is_empty()
    }

    pub(super) fn count_dropped(&mut self, reason: &'static str) {
        let count = self.dropped.or_default(reason);
        *count = count.saturating_add(1);
    }

    /// Settings that an answer brings.
    pub(super) fn take_settings(&mut self, answer: &Answer) {
        self.settings.dns.clone_from(&answer.dns);
        self.settings.search.clone_from(&answer.search);
    }
}

fn moment(until: Until) -> Option<Instant> {
    if let Until::At(end) = until { Some(end) } else { None }
}

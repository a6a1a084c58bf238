use super::damping::Flaps;
use super::probes::Probes;
use super::{Action, Event, Ready, State};
use crate::net::{Instant, Rng};
use std::net::Ipv6Addr;
use std::time::Duration;

mod cause;

use cause::Cause;

/// Between two readings of the counters while there is traffic: with a burst of probes after two of them, silence is found
/// within two seconds.
const COUNT_BUSY: Duration = Duration::from_millis(500);
/// Between two readings while there is none.
const COUNT_IDLE: Duration = Duration::from_secs(1);
/// Between probes of an idle uplink: often enough that it is found dead before somebody needs it, and a few bytes a second.
const ASK_IDLE: u64 = 5_000;
/// Between probes of a degraded one, with traffic or without: its loss has to be known.
const ASK_DEGRADED: u64 = 2_000;
/// Between probes of one that does not work: how soon it is known to be back.
const ASK_FAILING: u64 = 1_000;
/// Between probes of one that never answers, in case it does some day.
const ASK_MUTE: u64 = 30_000;
/// Intervals vary by this part of a hundred, so that two hundred sites don't ask in step.
const JITTER: u64 = 20;
/// Probes of a burst: one or two may get lost by themselves.
const BURST: u8 = 3;
/// Between the probes of a burst, and between any two: a link that comes and goes is not asked more often.
const BURST_STEP: Duration = Duration::from_millis(300);
/// Lost rounds of the last twenty that make an uplink degraded (20 %).
const DEGRADED_LOST: usize = 4;
/// Lost rounds of the last twenty at which it is well again (5 %).
const WELL_LOST: usize = 1;
/// Rounds in a row that break a series of answers.
const BROKEN: u32 = 3;
/// Signs of life it takes to be trusted again ...
const STEADY: u32 = 3;
/// ... and for how long, after the first failure. It doubles for each further one, up to 96 s.
const STEADY_FOR: Duration = Duration::from_secs(3);
/// Rounds in a row without an answer, while traffic comes in, that show that probes are filtered now.
const FILTERED: u32 = 10;
/// WireGuard gives up a session after 180 s, and its handshake after 5 s more (REJECT_AFTER_TIME, REKEY_TIMEOUT); with probes
/// on the way there is always one to renew.
const HANDSHAKE_DEAD: Duration = Duration::from_secs(195);
/// A mute uplink on which packets only go out is degraded after this time: a stream may well be one-way, for a while.
const ONE_WAY: Duration = Duration::from_secs(15);
/// Nothing went out for this long: what came of earlier packets says nothing of now.
const ONE_WAY_OVER: Duration = Duration::from_secs(60);

/// The liveness of one uplink.
#[derive(Debug)]
pub struct Watch {
    /// Whom the owner wants asked; empty: the next hop.
    configured: Vec<Ipv6Addr>,
    rng: Rng,
    ready: Ready,
    state: State,
    since: Instant,
    cause: Cause,
    /// State and cause when they were last told.
    told: (State, Cause),
    probes: Probes,
    /// Probes are never answered, though packets come back or the next hop is there.
    mute: bool,
    burst: Option<Burst>,
    /// When the next probe is due that is not of a burst.
    ask_at: Instant,
    /// When these targets were last asked.
    asked: Option<Instant>,
    count_at: Instant,
    /// When the next hop may be looked up again.
    look_up_at: Instant,
    counted: Option<(u64, u64)>,
    /// When the counters were last read.
    counted_at: Instant,
    /// Own echo replies and requests since the counters were read.
    own: (u64, u64),
    /// How many readings showed return traffic since it is complete.
    carried: u32,
    /// Last sign of life.
    heard: Option<Instant>,
    /// Since when, and last when, packets went out and none came back.
    one_way: Option<(Instant, Instant)>,
    neighbour: Option<bool>,
    /// When the last handshake was, if it is WireGuard.
    handshake: Option<Option<Instant>>,
    flaps: Flaps,
    /// Signs of life without a break: since when, and how many.
    steady: Option<(Instant, u32)>,
    requests: u64,
    replies: u64,
    strays: u64,
}

/// Probes in quick succession.
#[derive(Clone, Copy, Debug)]
struct Burst {
    left: u8,
    next: Instant,
    /// When it was over and nobody had answered.
    over: Option<Instant>,
}

/// What a person may want to know of an uplink's liveness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Instant,
    /// Why, in words.
    pub reason: String,
    /// Last sign of life.
    pub heard: Option<Instant>,
    /// Smoothed round-trip time of probes.
    pub rtt: Option<Duration>,
    /// Probes lost, of the last how many (at most 20).
    pub loss: (usize, usize),
    /// Failures that are not forgotten, 0 to 6.
    pub flaps: u32,
    /// Echo requests sent.
    pub requests: u64,
    /// Echo replies to them.
    pub replies: u64,
    /// Echo replies that were none of ours, or came too late.
    pub strays: u64,
    /// When it does something next, and why.
    pub next: Option<(Instant, &'static str)>,
}

impl Watch {
    /// A watch of an uplink that has nothing yet. `probes`: who is asked, at most 4; empty: the next hop.
    pub fn new(probes: Vec<Ipv6Addr>, seed: u64, now: Instant) -> Watch {
        let mut rng = Rng::new(seed);
        let [a, b, c, d, ..] = rng.next_u64().to_be_bytes();
        let cause = Cause::NotReady("it was just set up".into());
        Watch {
            configured: probes,
            rng,
            ready: Ready::Waiting("it was just set up".into()),
            state: State::Starting,
            since: now,
            told: (State::Starting, cause.clone()),
            cause,
            probes: Probes::new(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            mute: false,
            burst: None,
            ask_at: now,
            asked: None,
            count_at: now,
            look_up_at: now,
            counted: None,
            counted_at: now,
            own: (0, 0),
            carried: 0,
            heard: None,
            one_way: None,
            neighbour: None,
            handshake: None,
            flaps: Flaps::default(),
            steady: None,
            requests: 0,
            replies: 0,
            strays: 0,
        }
    }

    /// The owner wants others asked.
    pub fn reconfigure(&mut self, probes: Vec<Ipv6Addr>, now: Instant, out: &mut Vec<Action>) {
        self.configured = probes;
        self.aim(now);
        self.tick(now, out);
    }

    /// Takes one event in.
    pub fn handle(&mut self, event: Event, now: Instant, out: &mut Vec<Action>) {
        match event {
            Event::Ready(ready) => self.readied(ready, now),
            Event::Counters { unicast_in, out } => self.counted(unicast_in, out, now),
            Event::EchoReply { from, identifier, sequence } => {
                if self.probes.answered(from, identifier, sequence, now).is_some() {
                    self.replies += 1;
                    self.own.0 += 1;
                    self.mute = false;
                    self.alive(now);
                } else {
                    self.strays += 1;
                }
            }
            Event::Handshake(age) => {
                let ago =
                    |age: Duration| Instant(now.0.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
                self.handshake = Some(age.map(ago));
            }
            Event::Neighbour { reachable } => {
                self.neighbour = Some(reachable);
                if !reachable && self.state.is_usable() && !self.is_mute() {
                    self.suspect(now);
                }
                self.mute |= self.probes.lost_in_row() >= BROKEN && self.never_answers();
            }
        }
        self.tick(now, out);
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.is_complete() {
            if self.probes.judge(now) > 0 {
                self.missed(now);
            }
            self.decide(now);
            self.ask(now, out);
            if self.count_at <= now {
                self.count_at = now.after(COUNT_IDLE);
                out.push(Action::Count);
            }
        }
        if self.told.0 != self.state || self.told.1 != self.cause {
            self.told = (self.state, self.cause.clone());
            out.push(Action::Changed);
        }
    }

    /// When it wants to be ticked, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        if !self.is_complete() {
            return None;
        }
        let burst = self.burst.filter(|burst| burst.left > 0).map(|burst| (burst.next, "next probe of a burst"));
        let waits = [
            Some((self.count_at, "packet counters")),
            self.targets().next().map(|_| (self.ask_at, "next probe")),
            self.probes.deadline().map(|at| (at, "a probe is not answered")),
            burst,
        ];
        waits.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// How it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// When anything last came back.
    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Plain data for people.
    pub fn status(&self, now: Instant) -> Status {
        Status {
            state: self.state,
            since: self.since,
            reason: self.reason(now),
            heard: self.heard,
            rtt: self.probes.rtt(),
            loss: self.probes.loss(),
            flaps: self.flaps.count(now),
            requests: self.requests,
            replies: self.replies,
            strays: self.strays,
            next: self.poll_at(),
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.ready, Ready::Complete { .. })
    }

    fn next_hop(&self) -> Option<Ipv6Addr> {
        if let Ready::Complete { next_hop } = self.ready { next_hop } else { None }
    }

    fn targets(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.probes.targets()
    }

    /// Whether asking tells nothing.
    fn is_mute(&self) -> bool {
        self.mute || self.targets().next().is_none()
    }

    fn readied(&mut self, ready: Ready, now: Instant) {
        if ready == self.ready {
            return;
        }
        let was_complete = self.is_complete();
        self.ready = ready;
        match &self.ready {
            Ready::Down(why) | Ready::Waiting(why) => {
                let state = if matches!(self.ready, Ready::Down(_)) { State::Down } else { State::Starting };
                let why = why.clone();
                self.turn(state, Cause::NotReady(why), now);
                (self.burst, self.steady, self.one_way) = (None, None, None);
            }
            Ready::Complete { .. } if was_complete => self.aim(now),
            Ready::Complete { .. } => {
                (self.carried, self.counted, self.neighbour) = (0, None, None);
                self.own = (0, 0);
                self.count_at = now;
                self.turn(State::Starting, Cause::Asking, now);
                self.probes.restart();
                self.aim(now);
                self.suspect(now);
            }
        }
    }

    /// Asks whoever is to be asked now, if those are others than before.
    fn aim(&mut self, now: Instant) {
        let targets = match self.next_hop() {
            _ if !self.configured.is_empty() => self.configured.clone(),
            next_hop => next_hop.into_iter().collect(),
        };
        if self.is_complete() && self.probes.aim(&targets) {
            (self.mute, self.neighbour, self.asked) = (false, None, None);
            self.suspect(now);
        }
    }

    /// Asks at once, unless that is being done or was just done.
    fn suspect(&mut self, now: Instant) {
        if self.burst.is_none() && self.targets().next().is_some() {
            let next = self.asked.map_or(now, |asked| now.max(asked.after(BURST_STEP)));
            self.burst = Some(Burst { left: BURST, next, over: None });
        }
    }

    fn counted(&mut self, unicast_in: u64, out: u64, now: Instant) {
        let (own_in, own_out) = std::mem::take(&mut self.own);
        let (in_before, out_before) = self.counted.replace((unicast_in, out)).unwrap_or((unicast_in, out));
        self.counted_at = now;
        if !self.is_complete() {
            return;
        }
        // counters that went back are those of a new device, or of neighbour discovery that is told apart only roughly
        let came = unicast_in.saturating_sub(in_before).saturating_sub(own_in) > 0;
        let went = out.saturating_sub(out_before).saturating_sub(own_out) > 0;
        if came || went {
            self.count_at = self.count_at.min(now.after(COUNT_BUSY));
        }
        if came {
            self.carried = self.carried.saturating_add(1);
            self.one_way = None;
            let lost = self.probes.lost_in_row();
            if lost >= if self.probes.ever() { FILTERED } else { BROKEN } {
                self.mute = true;
            }
            self.alive(now);
        } else {
            if went {
                let began = self.one_way.map_or(now, |(began, _)| began);
                self.one_way = Some((began, now));
                if self.state.is_usable() && !self.is_mute() {
                    self.suspect(now);
                }
            }
            if self.is_mute() && self.accused(now).is_none() {
                self.steadied(now);
            }
        }
        self.one_way = self.one_way.filter(|(_, last)| now.since(*last) < ONE_WAY_OVER);
    }

    /// Something came back.
    fn alive(&mut self, now: Instant) {
        self.heard = Some(now);
        self.burst = None;
        if self.state == State::Up {
            self.ask_at = now.after(self.interval());
        }
        self.steadied(now);
    }

    fn steadied(&mut self, now: Instant) {
        let (began, count) = self.steady.unwrap_or((now, 0));
        self.steady = Some((began, count.saturating_add(1)));
    }

    /// A probe was not answered in time.
    fn missed(&mut self, now: Instant) {
        if self.is_mute() {
            return;
        }
        let broken = self.probes.lost_in_row() >= BROKEN;
        match self.state {
            State::Up | State::Degraded => self.suspect(now),
            State::Starting if broken => self.suspect(now),
            State::Failing if broken && self.steady.is_some() => {
                self.steady = None;
                self.cause = Cause::NoAnswer;
            }
            _ => {}
        }
    }

    /// Whether its silence says nothing, since there was never anything else, and there are other signs of life.
    fn never_answers(&self) -> bool {
        let is_there = self.neighbour == Some(true) && self.configured.is_empty();
        !self.probes.ever() && (self.carried >= STEADY || is_there)
    }

    /// Probes go unanswered: whether that says something.
    fn silence(&mut self, now: Instant) {
        self.burst = None;
        if self.never_answers() {
            self.mute = true;
        } else {
            let cause = if self.neighbour == Some(false) { Cause::NoNeighbour } else { Cause::NoAnswer };
            self.turn(State::Failing, cause, now);
        }
    }

    /// Whether a burst is over without an answer, and the counters were read since: nothing else came back either. Where they
    /// can't be read, they are not waited for longer than a second.
    fn is_silent(&mut self, now: Instant) -> bool {
        let waiting = self.probes.is_waiting();
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.left == 0 && !waiting) else { return false };
        let over = *burst.over.get_or_insert(now);
        if self.counted_at < over {
            self.count_at = self.count_at.min(now);
        }
        self.counted_at >= over || now.since(over) >= COUNT_IDLE
    }

    /// What speaks against an uplink that can't be asked.
    fn accused(&self, now: Instant) -> Option<Cause> {
        if self.neighbour == Some(false) {
            return Some(Cause::NoNeighbour);
        }
        match self.handshake? {
            Some(at) if now.since(at) < HANDSHAKE_DEAD => None,
            _ => Some(Cause::NoHandshake),
        }
    }

    fn decide(&mut self, now: Instant) {
        if self.is_silent(now) {
            self.silence(now);
        }
        let accused = if self.is_mute() { self.accused(now) } else { None };
        match (self.state, accused) {
            (State::Up | State::Degraded, Some(cause)) => self.turn(State::Failing, cause, now),
            (State::Up | State::Degraded, None) => self.grade(now),
            (State::Starting | State::Failing, Some(cause)) => {
                self.steady = None;
                self.cause = cause;
            }
            (State::Starting | State::Failing, None) => self.trust(now),
            (State::Down, _) => {}
        }
    }

    /// Whether one that works does so well.
    fn grade(&mut self, now: Instant) {
        let (lost, _) = self.probes.loss();
        let much = if self.state == State::Degraded { lost > WELL_LOST } else { lost >= DEGRADED_LOST };
        let silent: Vec<Ipv6Addr> = self.probes.silent().collect();
        let alone = silent.len() + 1 == self.targets().count() && !silent.is_empty();
        let one_way = self.one_way.is_some_and(|(began, last)| last.since(began) >= ONE_WAY);
        if self.is_mute() {
            let (state, cause) = if one_way { (State::Degraded, Cause::OneWay) } else { (State::Up, Cause::Mute) };
            self.turn(state, cause, now);
        } else if alone {
            self.turn(State::Degraded, Cause::Silent(silent), now);
        } else if much {
            self.turn(State::Degraded, Cause::Loss, now);
        } else {
            self.turn(State::Up, Cause::Answers, now);
        }
    }

    /// Whether one that does not work does again.
    fn trust(&mut self, now: Instant) {
        let Some((began, count)) = self.steady else { return };
        // a stray packet makes no uplink, an answer does
        let sure = self.probes.ever() || self.is_mute() || count >= STEADY;
        let fresh = sure && self.state == State::Starting && self.flaps.count(now) == 0;
        if fresh || count >= STEADY && now.since(began) >= self.flaps.hold(STEADY_FOR, now) {
            self.probes.forgive();
            self.one_way = None;
            self.turn(State::Up, if self.is_mute() { Cause::Mute } else { Cause::Answers }, now);
        } else {
            self.cause = Cause::Steadying;
        }
    }

    fn turn(&mut self, state: State, cause: Cause, now: Instant) {
        self.cause = cause;
        if self.state == state {
            return;
        }
        if self.state.is_usable() && !state.is_usable() {
            self.flaps.add(now);
            self.steady = None;
        }
        (self.state, self.since) = (state, now);
        self.ask_at = self.ask_at.min(now.after(self.interval()));
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.targets().next().is_none() {
            return;
        }
        let due = match &mut self.burst {
            Some(burst) if burst.left > 0 && burst.next <= now => {
                burst.left -= 1;
                burst.next = now.after(BURST_STEP);
                true
            }
            // what is said in quick succession need not be said again
            Some(_) => false,
            None => self.ask_at <= now,
        };
        if due || self.ask_at <= now {
            self.ask_at = now.after(self.interval());
        }
        if due {
            self.asked = Some(now);
            self.requests += self.probes.ask(now, out);
            // multicast is not among the packets that are counted
            self.own.1 += self.targets().filter(|target| !target.is_multicast()).count() as u64;
        }
        let of_use = !self.probes.ever() || self.mute || self.state == State::Failing;
        if let Some(next_hop) = self.next_hop().filter(|_| of_use && self.look_up_at <= now) {
            self.look_up_at = now.after(COUNT_IDLE);
            out.push(Action::LookUp(next_hop));
        }
    }

    /// Until the next probe.
    fn interval(&mut self) -> Duration {
        let millis = match self.state {
            State::Up | State::Degraded if self.mute => ASK_MUTE,
            State::Up => ASK_IDLE,
            State::Degraded => ASK_DEGRADED,
            State::Down | State::Starting | State::Failing => ASK_FAILING,
        };
        let spread = millis * JITTER / 100;
        Duration::from_millis(self.rng.between(millis - spread, millis + spread))
    }
}

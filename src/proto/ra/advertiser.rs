use super::routers::{OtherRouter, OtherRouters};
use super::{Action, Config, Event, content};
use crate::net::FlatMap;
use crate::net::{ALL_NODES, Instant, Rng, is_link_local};
use crate::wire::nd::{self, Advertisement, Message, NdOption, Solicitation};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Longest interval between the first advertisements (RFC 4861 §10 MAX_INITIAL_RTR_ADVERT_INTERVAL).
pub(super) const MAX_INITIAL_INTERVAL: Duration = Duration::from_secs(16);
/// How many first advertisements there are (RFC 4861 §10 MAX_INITIAL_RTR_ADVERTISEMENTS).
pub(super) const MAX_INITIAL: u8 = 3;
/// How many final advertisements there are (RFC 4861 §10 MAX_FINAL_RTR_ADVERTISEMENTS).
pub(super) const MAX_FINAL: u8 = 3;
/// Least time between two multicast advertisements (RFC 4861 §10 MIN_DELAY_BETWEEN_RAS).
pub(super) const MIN_DELAY: Duration = Duration::from_secs(3);
/// Longest delay of an answer, milliseconds (RFC 4861 §10 MAX_RA_DELAY_TIME).
pub(super) const MAX_ANSWER_DELAY: u64 = 500;
/// Least MinRtrAdvInterval, milliseconds (RFC 4861 §6.2.1).
const LEAST_MIN_INTERVAL: u64 = 3_000;
/// Least MaxRtrAdvInterval, milliseconds (RFC 4861 §6.2.1).
const LEAST_MAX_INTERVAL: u64 = 4_000;
/// Unicast answers that may wait, and that are begun in [`MIN_DELAY`]. Beyond it everybody is answered by one multicast,
/// which a flood of forged solicitations can't make more expensive.
pub(super) const MAX_UNICAST: usize = 16;
/// Hosts that are told of an urgent change by unicast: more than most LANs have. The others hear the multicast.
pub(super) const MAX_TOLD: usize = 64;
/// Withdrawn options kept: more than a sane change withdraws. What is beyond runs out by its lifetime.
const MAX_WITHDRAWN: usize = 32;

/// The advertiser of one link: says what its [`Config`] holds, when RFC 4861 §6.2 wants it said.
#[derive(Debug)]
pub struct Advertiser {
    config: Config,
    /// Holds what the last multicast said; `None` before the first.
    announced: Option<Config>,
    rng: Rng,
    /// When the last multicast left.
    last: Option<Instant>,
    /// When the next one is due, and why.
    next: (Instant, &'static str),
    /// When one is due since the content changed.
    change: Option<Instant>,
    /// Who is told of it alone, before all are.
    alone: Alone,
    /// How many of the first advertisements are still to come.
    initial: u8,
    /// Told with lifetime 0 ...
    withdrawn: Vec<NdOption>,
    /// ... in so many multicasts more.
    withdrawn_left: u8,
    /// Who is answered by unicast, and when.
    asked: Vec<(Ipv6Addr, Instant)>,
    /// Unicast answers begun since then.
    unicasts_begun: (Instant, usize),
    /// After shutdown: how many final advertisements are still to come.
    finals: Option<u8>,
    routers: OtherRouters,
    multicasts: u64,
    unicasts: u64,
    solicitations: u64,
    drops: FlatMap<&'static str, u64>,
}

/// How far known hosts were told of a change that can't be multicast yet; from the last multicast on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alone {
    /// That was not needed.
    Nobody,
    /// It is not known yet who they are.
    Asked,
    /// They were told; so all others must be told something too.
    Told,
}

/// What a person may want to know of an advertiser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Advertisements sent to all nodes; one that needed several messages counts once.
    pub multicasts: u64,
    /// Advertisements sent to one host.
    pub unicasts: u64,
    /// Valid solicitations heard: each was answered by unicast, or by the multicast that was due.
    pub solicitations: u64,
    /// What was dropped on its way in or out, and how often, by reason.
    pub drops: Vec<(&'static str, u64)>,
    /// When the next advertisement is due, and why.
    pub next: Option<(Instant, &'static str)>,
    /// Other routers heard on the link, at most 8.
    pub routers: Vec<OtherRouter>,
}

impl Advertiser {
    /// An advertiser whose first advertisement is due at once.
    pub fn new(config: Config, seed: u64, now: Instant) -> Advertiser {
        Advertiser {
            config,
            announced: None,
            rng: Rng::new(seed),
            last: None,
            next: (now, "first advertisement"),
            change: None,
            alone: Alone::Nobody,
            initial: 0,
            withdrawn: Vec::new(),
            withdrawn_left: 0,
            asked: Vec::new(),
            unicasts_begun: (now, 0),
            finals: None,
            routers: OtherRouters::default(),
            multicasts: 0,
            unicasts: 0,
            solicitations: 0,
            drops: FlatMap::new(),
        }
    }

    /// Takes one event in.
    pub fn handle(&mut self, event: Event<'_>, now: Instant, out: &mut Vec<Action>) {
        let (source, hop_limit, fragmented, bytes) = match event {
            Event::Packet { source, hop_limit, fragmented, bytes } => (source, hop_limit, fragmented, bytes),
            Event::Neighbours(hosts) => return self.tell_alone(hosts, now, out),
        };
        let result = match nd::parse(bytes) {
            Err(error) => Err(error.reason()),
            // RFC 6980 §5
            Ok(_) if fragmented => Err("fragmented"),
            // RFC 4861 §6.1: it came from this link, since no router has forwarded it
            Ok(_) if hop_limit != 255 => Err("hop limit is not 255"),
            Ok(_) if self.finals.is_some() => Err("no longer advertising"),
            Ok(Message::Solicitation(solicitation)) => self.solicited(source, &solicitation, now),
            Ok(Message::Advertisement(theirs)) => self.overheard(source, &theirs, now),
        };
        if let Err(reason) = result {
            self.dropped(reason);
        }
        self.tick(now, out);
    }

    /// Says from now on what `config` holds. It is announced as soon as may be if the bytes differ; a `config` that
    /// differs in nothing causes nothing. After `shutdown` it begins anew.
    pub fn reconfigure(&mut self, config: Config, now: Instant, out: &mut Vec<Action>) {
        if config == self.config && self.finals.is_none() {
            return;
        }
        self.config = config;
        if self.finals.take().is_some() {
            self.announced = None;
            self.next = (self.earliest(now), "first advertisement");
        }
        if let Some(announced) = &self.announced {
            let (before, after) = (content::advertisement(announced, now), content::advertisement(&self.config, now));
            if content::is_same(&before, &after) && self.alone != Alone::Told {
                self.change = None;
                self.announced = Some(self.config.clone());
            } else {
                let at = self.earliest(now);
                self.change = Some(at);
                if at > now && self.alone == Alone::Nobody && content::is_urgent(&before, &after) {
                    self.alone = Alone::Asked;
                    out.push(Action::Neighbours);
                }
                // nobody is told alone what all may never hear: the change may be taken back
                if !self.asked.is_empty() {
                    self.asked.clear();
                    self.answer_all(at);
                }
            }
        }
        if let Some(last) = self.last {
            let (_, longest) = self.intervals();
            self.next.0 = self.next.0.min(last.after(longest));
        }
        self.tick(now, out);
    }

    /// Sends what is due.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        if let Some(left) = self.finals {
            if left > 0 && self.next.0 <= now {
                self.say_farewell(left, now, out);
            }
        } else if self.next.0 <= now || self.change.is_some_and(|at| at <= now) {
            self.multicast(now, out);
        } else if self.asked.iter().any(|(_, at)| *at <= now) {
            self.unicast(now, out);
        }
    }

    /// Says that this router leaves the link: once at once, since the process may not live to say more, and then twice
    /// while `tick` is called.
    pub fn shutdown(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.finals.is_none() {
            self.asked.clear();
            self.change = None;
            // a link that was never told anything need not be told of its end
            let count = if self.announced.is_some() { MAX_FINAL } else { 0 };
            self.finals = Some(count);
            self.next = (now, "final advertisement");
            self.tick(now, out);
        }
    }

    /// Tells `hosts` what all will be told later.
    fn tell_alone(&mut self, hosts: &[Ipv6Addr], now: Instant, out: &mut Vec<Action>) {
        if self.alone != Alone::Asked || self.finals.is_some() {
            return;
        }
        if self.change.is_none() {
            self.alone = Alone::Nobody;
            return;
        }
        self.alone = Alone::Told;
        let said = content::advertisement(&self.config, now);
        let hosts = hosts.iter().filter(|host| !host.is_multicast() && !host.is_unspecified()).take(MAX_TOLD);
        self.unicasts = self.unicasts.saturating_add(u64::try_from(hosts.clone().count()).unwrap_or(u64::MAX));
        self.send(&said, hosts.copied(), out);
    }

    /// When `tick` has to be called, and why; `None` once everything is said.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        if let Some(left) = self.finals {
            return (left > 0).then_some(self.next);
        }
        let change = self.change.map(|at| (at, "content changed"));
        let asked = self.asked.iter().map(|(_, at)| (*at, "a host asked"));
        asked.chain(change).chain([self.next]).min_by_key(|(at, _)| *at)
    }

    /// Counters and what was heard.
    pub fn status(&self, now: Instant) -> Status {
        Status {
            multicasts: self.multicasts,
            unicasts: self.unicasts,
            solicitations: self.solicitations,
            drops: self.drops.iter().map(|(reason, count)| (*reason, *count)).collect(),
            next: self.poll_at(),
            routers: self.routers.known(now).cloned().collect(),
        }
    }

    /// RFC 4861 §6.1.1, §6.2.6.
    fn solicited(&mut self, source: Ipv6Addr, solicitation: &Solicitation, now: Instant) -> Result<(), &'static str> {
        if source.is_unspecified() && solicitation.has_source_link() {
            return Err("solicitation from :: with a link-layer address");
        }
        if source.is_multicast() || source.is_loopback() {
            return Err("source is no host");
        }
        self.solicitations = self.solicitations.saturating_add(1);
        let delay = self.rng.between(0, MAX_ANSWER_DELAY);
        let at = now.after(Duration::from_millis(delay));
        // a multicast that is due by then answers
        if self.next.0 <= at {
            return Ok(());
        }
        // and so does the one that tells of a change, at most 3 s away, even if the change is taken back until then
        if let Some(change) = self.change {
            self.answer_all(change);
            return Ok(());
        }
        if is_link_local(source) {
            if self.asked.iter().any(|(host, _)| *host == source) {
                return Ok(());
            }
            if self.may_unicast(now) {
                self.asked.push((source, at));
                return Ok(());
            }
        }
        let at = match self.last.map(|last| last.after(MIN_DELAY)) {
            Some(allowed) if allowed > now => allowed.after(Duration::from_millis(delay)),
            _ => at,
        };
        self.answer_all(at);
        Ok(())
    }

    /// Sees to it that the next multicast leaves at `at` or before.
    fn answer_all(&mut self, at: Instant) {
        if at < self.next.0 {
            self.next = (at, "a host asked");
        }
    }

    /// Whether one more unicast answer may be begun; counts it.
    fn may_unicast(&mut self, now: Instant) -> bool {
        let (since, begun) = &mut self.unicasts_begun;
        if now >= since.after(MIN_DELAY) {
            (*since, *begun) = (now, 0);
        }
        let may = *begun < MAX_UNICAST && self.asked.len() < MAX_UNICAST;
        *begun += usize::from(may);
        may
    }

    /// RFC 4861 §6.1.2, §6.2.7.
    fn overheard(&mut self, source: Ipv6Addr, theirs: &Advertisement, now: Instant) -> Result<(), &'static str> {
        if !is_link_local(source) {
            return Err("advertisement from no link-local address");
        }
        if theirs.source_link().is_some_and(|mac| self.config.mac == Some(mac)) {
            return Err("our own advertisement");
        }
        let ours = content::advertisement(&self.config, now);
        if self.routers.heard(source, theirs, &ours, now) { Ok(()) } else { Err("too many other routers") }
    }

    /// Tells everybody, and sets the timer anew (RFC 4861 §6.2.4).
    fn multicast(&mut self, now: Instant, out: &mut Vec<Action>) {
        let said = self.current(now);
        self.send(&said, [ALL_NODES].into_iter(), out);
        self.multicasts = self.multicasts.saturating_add(1);
        self.last = Some(now);
        self.asked.clear();
        self.change = None;
        self.alone = Alone::Nobody;
        self.initial = self.initial.saturating_sub(1);
        self.withdrawn_left = self.withdrawn_left.saturating_sub(1);
        if self.withdrawn_left == 0 {
            self.withdrawn = Vec::new();
        }
        let (shortest, longest) = self.intervals();
        let drawn = self.rng.between(millis(shortest), millis(longest));
        let interval = Duration::from_millis(drawn);
        self.next = if self.initial > 0 {
            (now.after(interval.min(MAX_INITIAL_INTERVAL)), "initial advertisement")
        } else {
            (now.after(interval), "periodic advertisement")
        };
    }

    /// What all nodes are told now; takes note of what is new in it, and of what is gone.
    fn current(&mut self, now: Instant) -> Advertisement {
        let said = content::advertisement(&self.config, now);
        if self.announced.as_ref() == Some(&self.config) {
            return said;
        }
        let before = self.announced.as_ref().map(|announced| content::advertisement(announced, now));
        if !before.as_ref().is_some_and(|before| content::is_same(before, &said)) {
            // RFC 4861 §6.2.4: the first few, also after a change
            self.initial = MAX_INITIAL;
        }
        let before = before.iter().flat_map(|before| &before.options);
        self.withdrawn = content::withdrawn(before.chain(&self.withdrawn), &said.options);
        self.withdrawn.truncate(MAX_WITHDRAWN);
        self.withdrawn_left = MAX_INITIAL;
        self.announced = Some(self.config.clone());
        said
    }

    /// Answers every host whose time has come.
    fn unicast(&mut self, now: Instant, out: &mut Vec<Action>) {
        let (due, waiting) = std::mem::take(&mut self.asked).into_iter().partition::<Vec<_>, _>(|(_, at)| *at <= now);
        self.asked = waiting;
        self.unicasts = self.unicasts.saturating_add(u64::try_from(due.len()).unwrap_or(u64::MAX));
        let said = content::advertisement(&self.config, now);
        self.send(&said, due.into_iter().map(|(host, _)| host), out);
    }

    fn say_farewell(&mut self, left: u8, now: Instant, out: &mut Vec<Action>) {
        let said = content::farewell(self.current(now));
        self.send(&said, [ALL_NODES].into_iter(), out);
        self.multicasts = self.multicasts.saturating_add(1);
        self.last = Some(now);
        self.finals = Some(left - 1);
        self.next.0 = now.after(MIN_DELAY);
    }

    fn send(&mut self, said: &Advertisement, hosts: impl Iterator<Item = Ipv6Addr>, out: &mut Vec<Action>) {
        let drops = &mut self.drops;
        let messages = content::messages(said, &self.withdrawn, |_| count(drops, "option can't be sent"));
        for to in hosts {
            out.extend(messages.iter().map(|bytes| Action::Send { to, bytes: bytes.clone() }));
        }
    }

    /// When a multicast may leave next (RFC 4861 §6.2.6).
    fn earliest(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| last.after(MIN_DELAY).max(now))
    }

    /// MinRtrAdvInterval and MaxRtrAdvInterval, no shorter than RFC 4861 §6.2.1 allows.
    fn intervals(&self) -> (Duration, Duration) {
        let longest = self.config.max_interval.max(Duration::from_millis(LEAST_MAX_INTERVAL));
        let shortest = self.config.min_interval.max(Duration::from_millis(LEAST_MIN_INTERVAL));
        (shortest.min(longest), longest)
    }

    fn dropped(&mut self, reason: &'static str) {
        count(&mut self.drops, reason);
    }
}

fn count(drops: &mut FlatMap<&'static str, u64>, reason: &'static str) {
    let count = drops.or_default(reason);
    *count = count.saturating_add(1);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

use super::damping::Flaps;
use super::{Role, State};
use crate::config::UplinkMode;
use crate::net::{FlatMap, Instant};
use std::collections::VecDeque;
use std::time::Duration;

/// How long a better uplink has to work before it takes over from one that works: nobody loses anything meanwhile. Doubled
/// for each failure after the first, up to 320 s.
const HOLD: Duration = Duration::from_secs(10);
/// How long an uplink has to be degraded before a worse one takes over.
const DEGRADED_HOLD: Duration = Duration::from_secs(30);
/// How long one that is down stays in use if no other works: a cable that is plugged in again changes nothing for the LAN.
const KEEP: Duration = Duration::from_secs(10);
/// Moves remembered: an evening's trouble, some kilobytes.
const MAX_HISTORY: usize = 50;

/// An uplink that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The smaller, the better.
    pub priority: u32,
    /// How it is: [`super::Watch::state`].
    pub state: State,
    /// Why: [`super::Status::reason`].
    pub reason: String,
    /// Its last sign of life: [`super::Watch::heard`].
    pub heard: Option<Instant>,
}

/// What was decided about an uplink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// What it is used for.
    pub role: Role,
    /// Why, in words; empty if that follows from its state, which says why itself.
    pub why: String,
}

/// A change of what the LANs use, or the end of an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub at: Instant,
    /// What was used before, names with commas between; empty: nothing.
    pub from: String,
    /// What is used since; the same as `from` where that works again.
    pub to: String,
    /// Why, in words.
    pub why: String,
    /// How long nothing that was used worked, if so: counted from the last sign of life, so it may have been less.
    pub outage: Option<Duration>,
}

/// Which uplinks are used. Its memory is for hysteresis only.
#[derive(Debug, Default)]
pub struct Choice {
    known: FlatMap<String, Known>,
    /// In mode best one at most.
    active: Vec<String>,
    chosen: FlatMap<String, Chosen>,
    history: VecDeque<Move>,
    /// Since when nothing that is used works.
    dead_since: Option<Instant>,
    wake: Option<(Instant, &'static str)>,
}

/// How useful a state is; the first is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Up,
    Degraded,
    /// It has a prefix and a next hop, so hosts may keep their addresses.
    Failing,
    Nothing,
}

impl Grade {
    fn of(state: State) -> Grade {
        match state {
            State::Up => Grade::Up,
            State::Degraded => Grade::Degraded,
            State::Failing => Grade::Failing,
            State::Starting | State::Down => Grade::Nothing,
        }
    }

    fn is_usable(self) -> bool {
        self <= Grade::Degraded
    }
}

/// What is remembered of an uplink.
#[derive(Clone, Copy, Debug)]
struct Known {
    grade: Grade,
    since: Instant,
    flaps: Flaps,
}

impl Known {
    /// When it will have been as it is for long enough.
    fn held_at(&self, now: Instant) -> Instant {
        self.since.after(self.flaps.hold(HOLD, now))
    }

    /// Whether it can be relied on.
    fn is_settled(&self, now: Instant) -> bool {
        self.flaps.count(now) == 0 || self.held_at(now) <= now
    }
}

/// A candidate with what is known of it.
#[derive(Clone, Copy)]
struct Entry<'a> {
    candidate: &'a Candidate,
    known: Known,
}

impl Entry<'_> {
    fn rank(&self) -> (Grade, u32, &str) {
        (self.known.grade, self.candidate.priority, &self.candidate.name)
    }

    /// `native is failing: no answer from fe80::1 for 2 s`.
    fn words(&self) -> String {
        let Candidate { name, state, reason, .. } = self.candidate;
        format!("{name} is {}: {reason}", state.word())
    }
}

impl Choice {
    /// With nothing in use.
    pub fn new() -> Choice {
        Choice::default()
    }

    /// Takes an uplink as one in use: it was, before a restart that nobody should notice.
    pub fn resume(&mut self, name: &str) {
        if !self.active.iter().any(|active| active == name) {
            self.active.push(name.to_owned());
        }
    }

    /// Decides anew; true if what the LANs use changed, which is then the last of [`Choice::history`]. To be called when a
    /// candidate changed, and when [`Choice::poll_at`] says so. Names are unique.
    pub fn choose(&mut self, mode: UplinkMode, candidates: &[Candidate], now: Instant) -> bool {
        self.observe(candidates, now);
        self.wake = None;
        let entries: Vec<Entry<'_>> = candidates
            .iter()
            .filter_map(|candidate| Some(Entry { candidate, known: *self.known.get(&candidate.name)? }))
            .collect();
        let before = std::mem::take(&mut self.active);
        let mut current: Vec<Entry<'_>> =
            entries.iter().copied().filter(|entry| before.contains(&entry.candidate.name)).collect();
        current.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let (active, why) = match mode {
            UplinkMode::All if entries.iter().any(|entry| entry.known.grade.is_usable()) => {
                self.all(&entries, &current, now)
            }
            _ => self.best(&entries, current.first(), now),
        };
        self.active = active.iter().map(|entry| entry.candidate.name.clone()).collect();
        self.record(&before, &current, &active, why, now);
        self.chosen = entries.iter().map(|entry| (entry.candidate.name.clone(), judge(entry, &active, now))).collect();
        self.active != before
    }

    /// What was decided about each candidate.
    pub fn roles(&self) -> &FlatMap<String, Chosen> {
        &self.chosen
    }

    /// The last moves and outages, at most 50, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Move> + ExactSizeIterator {
        self.history.iter()
    }

    /// When it has to decide again even if nothing changes, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        self.wake
    }

    fn observe(&mut self, candidates: &[Candidate], now: Instant) {
        self.known.retain(|name, _| candidates.iter().any(|candidate| candidate.name == *name));
        for candidate in candidates {
            let grade = Grade::of(candidate.state);
            let new = Known { grade, since: now, flaps: Flaps::default() };
            let known = self.known.or_insert(candidate.name.clone(), new);
            if known.grade.is_usable() && !grade.is_usable() {
                known.flaps.add(now);
            }
            if known.grade != grade {
                (known.grade, known.since) = (grade, now);
            }
        }
    }

    /// One uplink, and why it is not the one before.
    fn best<'a>(
        &mut self,
        entries: &[Entry<'a>],
        current: Option<&Entry<'a>>,
        now: Instant,
    ) -> (Vec<Entry<'a>>, String) {
        // a settled one of worse priority is better than one that may be gone again in a moment
        let usable = entries.iter().filter(|entry| entry.known.grade.is_usable());
        let best = usable.min_by_key(|entry| (entry.known.grade, !entry.known.is_settled(now), entry.rank()));
        let failing = || entries.iter().filter(|entry| entry.known.grade == Grade::Failing).min_by_key(|e| e.rank());
        let (next, why) = match (current, best) {
            (Some(current), Some(_)) if current.known.grade.is_usable() => match self.better(entries, current, now) {
                Some((better, why)) => (Some(better), why),
                None => (Some(current), String::new()),
            },
            (Some(current), Some(best)) => (Some(best), current.words()),
            (None, Some(best)) => (Some(best), format!("{} works", best.candidate.name)),
            (Some(current), None) if current.known.grade == Grade::Failing => (Some(current), String::new()),
            (Some(current), None) if now < current.known.since.after(KEEP) => {
                self.wake_at(current.known.since.after(KEEP), "an uplink that is down is given up");
                (Some(current), String::new())
            }
            (Some(current), None) => (failing(), current.words()),
            (None, None) => (failing(), "nothing better is there".to_owned()),
        };
        (next.into_iter().copied().collect(), why)
    }

    /// One that takes over from `current`, which works, and why.
    fn better<'b, 'a>(
        &mut self,
        entries: &'b [Entry<'a>],
        current: &Entry<'a>,
        now: Instant,
    ) -> Option<(&'b Entry<'a>, String)> {
        let (grade, priority) = (current.known.grade, current.candidate.priority);
        let mut found: Option<&Entry<'a>> = None;
        for entry in entries.iter().filter(|entry| entry.known.grade <= grade) {
            let mut at = entry.known.held_at(now);
            if entry.candidate.priority > priority && entry.known.grade < grade {
                at = at.max(current.known.since.after(DEGRADED_HOLD));
            } else if entry.candidate.priority >= priority && entry.known.grade == grade {
                continue;
            }
            if at > now {
                self.wake_at(at, "a better uplink has worked for long enough");
            } else if found.is_none_or(|found| entry.rank() < found.rank()) {
                found = Some(entry);
            }
        }
        let found = found?;
        if found.known.grade == grade {
            return Some((found, format!("{} is better", found.candidate.name)));
        }
        if let Some(known) = self.known.get_mut(&current.candidate.name) {
            // or else it would be back as soon as it is well
            known.flaps.add(now);
        }
        Some((found, current.words()))
    }

    /// Every uplink that works, and why they are not those before.
    fn all<'a>(&mut self, entries: &[Entry<'a>], current: &[Entry<'a>], now: Instant) -> (Vec<Entry<'a>>, String) {
        let is_used = |entry: &Entry<'_>| current.iter().any(|used| used.candidate.name == entry.candidate.name);
        let alone = !current.iter().any(|entry| entry.known.grade.is_usable());
        let (mut active, mut why) = (Vec::new(), Vec::new());
        for entry in entries {
            let usable = entry.known.grade.is_usable();
            if usable && (is_used(entry) || alone || entry.known.is_settled(now)) {
                active.push(*entry);
                if !is_used(entry) {
                    why.push(format!("{} works", entry.candidate.name));
                }
            } else if usable {
                self.wake_at(entry.known.held_at(now), "an uplink has worked for long enough");
            } else if is_used(entry) {
                why.push(entry.words());
            }
        }
        active
            .sort_by(|a, b| (a.candidate.priority, &a.candidate.name).cmp(&(b.candidate.priority, &b.candidate.name)));
        (active, why.join("; "))
    }

    fn wake_at(&mut self, at: Instant, why: &'static str) {
        if self.wake.is_none_or(|(earlier, _)| at < earlier) {
            self.wake = Some((at, why));
        }
    }

    fn record(&mut self, before: &[String], current: &[Entry<'_>], active: &[Entry<'_>], why: String, now: Instant) {
        let works = |entries: &[Entry<'_>]| entries.iter().any(|entry| entry.known.grade.is_usable());
        if !before.is_empty() && !works(current) && self.dead_since.is_none() {
            // of a failing one the last sign of life is known; what is down is so since now
            let failing = current.iter().filter(|entry| entry.known.grade == Grade::Failing);
            self.dead_since = Some(failing.filter_map(|entry| entry.candidate.heard).max().unwrap_or(now));
        }
        let outage = if works(active) { self.dead_since.take().map(|since| now.since(since)) } else { None };
        if self.active == before && outage.is_none() {
            return;
        }
        let gone: Vec<&String> =
            before.iter().filter(|name| !current.iter().any(|entry| entry.candidate.name == **name)).collect();
        let why = match gone.first() {
            Some(name) => format!("{name} is not configured any more"),
            None if self.active == before => format!("{} works again", before.join(", ")),
            None => why,
        };
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Move { at: now, from: before.join(", "), to: self.active.join(", "), why, outage });
    }
}

fn judge(entry: &Entry<'_>, active: &[Entry<'_>], now: Instant) -> Chosen {
    let is_active = active.iter().any(|other| other.candidate.name == entry.candidate.name);
    let usable = entry.known.grade.is_usable();
    let (role, why) = match (is_active, usable) {
        (true, true) => (Role::Active, String::new()),
        (true, false) => (Role::Active, "no other works".to_owned()),
        (false, false) => (Role::Out, String::new()),
        (false, true) => {
            let first = active.first().map_or("another", |other| &other.candidate.name);
            let better = active.first().is_some_and(|other| entry.rank() < other.rank());
            let why = if better && entry.known.held_at(now) > now {
                format!("it is better than {first}, and used when it has worked for a while")
            } else if better {
                format!("it works better than {first}, and is used if that lasts")
            } else {
                format!("{first} is better")
            };
            (Role::Standby, why)
        }
    };
    Chosen { role, why }
}

use super::Action;
use crate::net::Instant;
use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Addresses that are asked: enough to tell one dead server from a dead uplink. What is beyond is left out.
pub(super) const MAX_TARGETS: usize = 4;
/// Rounds whose late answers still count: five seconds of the quickest asking.
const MAX_ROUNDS: usize = 16;
/// An answer later than this tells nothing of now.
const LATEST: Duration = Duration::from_secs(5);
/// How long an answer is waited for, while no round-trip time is known (RFC 6298 §2.1).
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Least and longest wait for an answer. The least leaves room for a router that is busy.
const WAITS: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(1500));
/// Rounds that loss is computed of.
pub(super) const WINDOW: usize = 20;
/// A target that did not answer so often in a row is silent.
const SILENT: u32 = 3;

/// Echo requests on their way, and what came of earlier ones. All targets are asked at once: a round.
#[derive(Debug)]
pub(super) struct Probes {
    identifier: u16,
    sequence: u16,
    targets: Vec<Target>,
    /// Oldest first.
    rounds: VecDeque<Round>,
    /// Whether somebody answered in time, for the last rounds, oldest first.
    window: VecDeque<bool>,
    /// Smoothed round-trip time and its variation (RFC 6298).
    rtt: Option<(Duration, Duration)>,
    /// Rounds without an answer since the last one with.
    lost_in_row: u32,
    /// Whether any target ever answered.
    ever: bool,
}

#[derive(Debug)]
struct Target {
    address: Ipv6Addr,
    /// Rounds it did not answer since it last did.
    missed: u32,
}

impl Target {
    fn is(&self, from: Ipv6Addr) -> bool {
        self.address == from || self.address.is_multicast()
    }
}

#[derive(Debug)]
struct Round {
    sequence: u16,
    at: Instant,
    deadline: Instant,
    /// Who answered, a bit for each target.
    answered: u8,
    judged: bool,
}

impl Probes {
    /// With nobody to ask yet. `identifier` and `first` make it hard to forge an answer.
    pub(super) fn new(identifier: u16, first: u16) -> Probes {
        Probes {
            identifier,
            sequence: first,
            targets: Vec::new(),
            rounds: VecDeque::new(),
            window: VecDeque::new(),
            rtt: None,
            lost_in_row: 0,
            ever: false,
        }
    }

    /// Asks these from now on; true if they are others than before, and nothing is known of them.
    pub(super) fn aim(&mut self, addresses: &[Ipv6Addr]) -> bool {
        let addresses = addresses.get(..MAX_TARGETS).unwrap_or(addresses);
        if self.targets().eq(addresses.iter().copied()) {
            return false;
        }
        self.targets = addresses.iter().map(|address| Target { address: *address, missed: 0 }).collect();
        self.restart();
        (self.rtt, self.ever) = (None, false);
        true
    }

    /// Begins anew with the same targets: what was on its way is no longer waited for.
    pub(super) fn restart(&mut self) {
        self.rounds.clear();
        self.window.clear();
        self.lost_in_row = 0;
        for target in &mut self.targets {
            target.missed = 0;
        }
    }

    /// Whom it asks.
    pub(super) fn targets(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.targets.iter().map(|target| target.address)
    }

    /// Those that no longer answer.
    pub(super) fn silent(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.targets.iter().filter(|target| target.missed >= SILENT).map(|target| target.address)
    }

    /// Asks all targets; returns how many requests that were.
    pub(super) fn ask(&mut self, now: Instant, out: &mut Vec<Action>) -> u64 {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        if self.rounds.len() >= MAX_ROUNDS {
            self.rounds.pop_front();
        }
        let deadline = now.after(self.wait());
        self.rounds.push_back(Round { sequence, at: now, deadline, answered: 0, judged: false });
        let identifier = self.identifier;
        out.extend(self.targets().map(|to| Action::Echo { to, identifier, sequence }));
        self.targets.len() as u64
    }

    /// Takes an answer in; `None`: nobody asked, or it is known.
    pub(super) fn answered(&mut self, from: Ipv6Addr, identifier: u16, sequence: u16, now: Instant) -> Option<()> {
        if identifier != self.identifier {
            return None;
        }
        let round = self.rounds.iter_mut().find(|round| round.sequence == sequence)?;
        let took = now.since(round.at);
        let (bit, target) =
            (0..).zip(&mut self.targets).find(|(bit, target)| target.is(from) && round.answered & (1 << bit) == 0)?;
        if took > LATEST {
            return None;
        }
        target.missed = 0;
        let first = round.answered == 0;
        round.answered |= 1 << bit;
        self.ever = true;
        self.lost_in_row = 0;
        let in_time = first && !round.judged;
        round.judged |= round.answered.count_ones() as usize == self.targets.len();
        if in_time {
            self.judged(true);
        }
        self.rtt = Some(match self.rtt {
            None => (took, took / 2),
            Some((smoothed, variation)) => ((smoothed * 7 + took) / 8, (variation * 3 + smoothed.abs_diff(took)) / 4),
        });
        Some(())
    }

    /// Gives up waiting where that is due; returns how many rounds were lost.
    pub(super) fn judge(&mut self, now: Instant) -> u32 {
        let mut lost = 0;
        for round in self.rounds.iter_mut().filter(|round| !round.judged && round.deadline <= now) {
            round.judged = true;
            lost += u32::from(round.answered == 0);
            for (bit, target) in (0..).zip(&mut self.targets) {
                if round.answered & (1 << bit) == 0 {
                    target.missed = target.missed.saturating_add(1);
                }
            }
        }
        for _ in 0..lost {
            self.judged(false);
        }
        self.lost_in_row = self.lost_in_row.saturating_add(lost);
        lost
    }

    fn judged(&mut self, answered: bool) {
        if self.window.len() >= WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(answered);
    }

    /// Forgets what was lost.
    pub(super) fn forgive(&mut self) {
        self.window.clear();
    }

    /// When the next judgement is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.rounds.iter().filter(|round| !round.judged).map(|round| round.deadline).min()
    }

    /// Whether nobody answered yet, and somebody still may in time.
    pub(super) fn is_waiting(&self) -> bool {
        self.rounds.iter().any(|round| !round.judged && round.answered == 0)
    }

    /// Rounds without an answer since the last one with.
    pub(super) fn lost_in_row(&self) -> u32 {
        self.lost_in_row
    }

    /// Whether anybody ever answered.
    pub(super) fn ever(&self) -> bool {
        self.ever
    }

    /// Lost rounds of how many, at most the last [`WINDOW`].
    pub(super) fn loss(&self) -> (usize, usize) {
        (self.window.iter().filter(|answered| !**answered).count(), self.window.len())
    }

    /// Smoothed round-trip time.
    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt.map(|(smoothed, _)| smoothed)
    }

    /// How long an answer is waited for (RFC 6298 §2).
    fn wait(&self) -> Duration {
        self.rtt.map_or(FIRST_WAIT, |(smoothed, variation)| (smoothed + variation * 4).clamp(WAITS.0, WAITS.1))
    }
}

//! When one file goes to flash.

use crate::net::Instant;
use std::time::Duration;

/// Writes that may follow each other at once: a router that starts, and its first clients.
const BURST: u64 = 4;
/// One more write is allowed every so often: at most 12 per hour and file in the long run. Flash of small routers
/// bears some 10 000 erasures per block and spreads them over thousands: a century at this rate.
const REFILL: Duration = Duration::from_secs(300);
/// What can wait waits this long for others.
const BATCH: Duration = Duration::from_secs(3600);
/// Under a steady stream of news there is no quiet; then this is enough.
const PATIENCE: Duration = Duration::from_secs(10);
/// A write that failed is tried again after this, if the allowance has it.
const RETRY: Duration = Duration::from_secs(60);

/// What waits for flash, and the allowance that it waits for.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// News come in groups; this much quiet ends one.
    quiet: Duration,
    /// The first and the last of the news that should be written soon.
    soon: Option<(Instant, Instant)>,
    /// The first of those that can wait.
    later: Option<Instant>,
    /// When the allowance will be full again.
    full_at: Instant,
    retry_at: Option<Instant>,
    /// Writes so far.
    pub(super) writes: u32,
    /// The last one that succeeded.
    pub(super) last: Option<Instant>,
    /// Why the last one failed.
    pub(super) error: Option<String>,
}

impl Schedule {
    /// Nothing waits, and `allowance` of [`BURST`] writes are allowed at once.
    pub(super) fn new(quiet: Duration, allowance: u64, now: Instant) -> Schedule {
        let full_at = now.after(REFILL.saturating_mul(BURST.saturating_sub(allowance) as u32));
        Schedule { quiet, soon: None, later: None, full_at, retry_at: None, writes: 0, last: None, error: None }
    }

    /// As many writes as can be allowed at once.
    pub(super) const FULL: u64 = BURST;

    /// Something should be written soon.
    pub(super) fn want_soon(&mut self, now: Instant) {
        let (first, _) = self.soon.unwrap_or((now, now));
        self.soon = Some((first, now));
    }

    /// Something should be written some time.
    pub(super) fn want_later(&mut self, now: Instant) {
        self.later.get_or_insert(now);
    }

    /// Nothing waits any more.
    pub(super) fn cancel(&mut self) {
        (self.soon, self.later, self.retry_at, self.error) = (None, None, None, None);
    }

    /// Whether something waits.
    pub(super) fn is_waiting(&self) -> bool {
        self.soon.is_some() || self.later.is_some()
    }

    /// When it is to be written, unless there are more news.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let soon = self.soon.map(|(first, last)| last.after(self.quiet).min(first.after(PATIENCE)));
        let later = self.later.map(|first| first.after(BATCH));
        let wanted = soon.into_iter().chain(later).min()?;
        let allowed = Instant(self.full_at.0.saturating_sub(REFILL.as_millis() as u64 * (BURST - 1)));
        Some(wanted.max(allowed).max(self.retry_at.unwrap_or_default()))
    }

    /// Whether it is to be written now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due_at().is_some_and(|at| at <= now)
    }

    /// It was tried.
    pub(super) fn tried(&mut self, result: Result<(), String>, now: Instant) {
        self.full_at = self.full_at.max(now).after(REFILL);
        match result {
            Ok(()) => {
                self.cancel();
                self.writes = self.writes.saturating_add(1);
                self.last = Some(now);
            }
            Err(error) => {
                self.retry_at = Some(now.after(RETRY));
                self.error = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant(seconds * 1000)
    }

    fn schedule() -> Schedule {
        Schedule::new(Duration::from_secs(2), Schedule::FULL, at(0))
    }

    #[test]
    fn news_are_written_after_two_seconds_of_quiet() {
        let mut schedule = schedule();
        assert_eq!(schedule.due_at(), None);
        schedule.want_soon(at(100));
        schedule.want_soon(at(101));
        assert_eq!(schedule.due_at(), Some(at(103)));
        for second in 102..200 {
            schedule.want_soon(at(second));
        }
        assert_eq!(schedule.due_at(), Some(at(110)), "without quiet after ten seconds");
    }

    #[test]
    fn what_can_wait_is_written_once_an_hour() {
        let mut schedule = schedule();
        schedule.want_later(at(10));
        schedule.want_later(at(3000));
        assert_eq!(schedule.due_at(), Some(at(3610)));
        schedule.tried(Ok(()), at(3610));
        assert_eq!(schedule.due_at(), None);
    }

    #[test]
    fn endless_news_cost_a_burst_and_twelve_writes_an_hour() {
        let mut schedule = schedule();
        let mut writes = 0;
        for second in 0..24 * 3600 {
            schedule.want_soon(at(second));
            if schedule.is_due(at(second)) {
                schedule.tried(Ok(()), at(second));
                writes += 1;
            }
        }
        assert!((24 * 12..=24 * 12 + 4).contains(&writes), "{writes}");
    }

    #[test]
    fn a_write_that_failed_is_tried_again_within_the_allowance() {
        let mut schedule = schedule();
        schedule.want_soon(at(0));
        let mut tries = Vec::new();
        for second in 0..3600 {
            if schedule.is_due(at(second)) {
                schedule.tried(Err("full".into()), at(second));
                tries.push(second);
            }
        }
        assert_eq!(tries.get(..5), Some([2, 62, 122, 182, 302].as_slice()));
        assert_eq!(tries.len(), 15);
        assert_eq!(schedule.error.as_deref(), Some("full"));
    }

    #[test]
    fn a_restart_does_not_refill_the_allowance() {
        let mut schedule = Schedule::new(Duration::ZERO, 1, at(1000));
        schedule.want_soon(at(1000));
        assert_eq!(schedule.due_at(), Some(at(1000)));
        schedule.tried(Ok(()), at(1000));
        schedule.want_soon(at(1001));
        assert_eq!(schedule.due_at(), Some(at(1300)));
    }
}

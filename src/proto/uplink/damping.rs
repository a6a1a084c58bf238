use crate::net::Instant;
use std::time::Duration;

/// Quiet time after which half of the failures are forgotten: longer than a modem takes to train, short enough that an
/// evening's trouble is over by the next morning. BGP's route flap damping has 15 minutes (RFC 2439 §4.2).
pub(super) const HALF_LIFE: Duration = Duration::from_secs(600);
/// Failures that count: each doubles a time, so that it grows 32-fold at most.
pub(super) const MOST: u32 = 6;

/// How often something failed lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flaps {
    count: u32,
    last: Instant,
}

impl Flaps {
    /// It failed once more.
    pub(super) fn add(&mut self, now: Instant) {
        *self = Flaps { count: self.count(now).saturating_add(1).min(MOST), last: now };
    }

    /// How often, 0 to [`MOST`]; halved in every [`HALF_LIFE`] without another.
    pub(super) fn count(&self, now: Instant) -> u32 {
        let halvings = now.since(self.last).as_secs() / HALF_LIFE.as_secs();
        u32::try_from(halvings).ok().and_then(|halvings| self.count.checked_shr(halvings)).unwrap_or(0)
    }

    /// `base`, doubled for each failure after the first.
    pub(super) fn hold(&self, base: Duration, now: Instant) -> Duration {
        base * (1 << self.count(now).saturating_sub(1))
    }
}

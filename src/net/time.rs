use std::fmt;
use std::time::Duration;

/// A moment: milliseconds of CLOCK_BOOTTIME, which nobody can set back and which goes on in suspend.
///
/// The pure rooms never ask for it; every call brings its `now`. Wall-clock time is used nowhere but in logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// The moment `duration` later, in whole milliseconds, rounded up so that a timer never fires early.
    pub fn after(self, duration: Duration) -> Instant {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Instant(self.0.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)))
    }

    /// The moment `seconds` later.
    pub fn after_secs(self, seconds: u64) -> Instant {
        Instant(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// The end of a lifetime. Ordered: `Forever` is the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Until {
    /// At this moment, which may have passed.
    At(Instant),
    /// Never: 0xffffffff on the wire (RFC 4861 §4.6.2, RFC 9915 §7.7).
    Forever,
}

impl Until {
    /// The end of a lifetime of `seconds` that starts `now`; 0xffffffff is infinity.
    pub fn from_wire(seconds: u32, now: Instant) -> Until {
        if seconds == u32::MAX { Until::Forever } else { Until::At(now.after_secs(seconds.into())) }
    }

    /// Whole seconds left, rounded down, for the wire: 0 when over, 0xffffffff for `Forever` only.
    pub fn remaining(self, now: Instant) -> u32 {
        match self {
            Until::Forever => u32::MAX,
            Until::At(end) => u32::try_from(end.since(now).as_secs()).unwrap_or(u32::MAX).min(u32::MAX - 1),
        }
    }

    /// Whether the end has come.
    pub fn is_over(self, now: Instant) -> bool {
        matches!(self, Until::At(end) if end <= now)
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::Forever => f.write_str("forever"),
            Until::At(end) => write!(f, "{}.{:03}", end.0 / 1000, end.0 % 1000),
        }
    }
}

/// How long an address or prefix may be used: `preferred` for new connections, `valid` at all (RFC 4862 §5.5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lifetimes {
    /// End of the preferred lifetime; never after `valid`.
    pub preferred: Until,
    /// End of the valid lifetime.
    pub valid: Until,
}

impl Lifetimes {
    /// Preferred and valid without end.
    pub const FOREVER: Lifetimes = Lifetimes { preferred: Until::Forever, valid: Until::Forever };

    /// The two ends, with `preferred` cut to `valid`.
    pub fn new(preferred: Until, valid: Until) -> Lifetimes {
        Lifetimes { preferred: preferred.min(valid), valid }
    }

    /// The earlier end of each.
    pub fn min(self, other: Lifetimes) -> Lifetimes {
        Lifetimes::new(self.preferred.min(other.preferred), self.valid.min(other.valid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_count_down_and_end() {
        let now = Instant(5_000);
        let until = Until::from_wire(60, now);
        assert_eq!(until.remaining(now), 60);
        assert_eq!(until.remaining(Instant(6_001)), 58);
        assert!(!until.is_over(Instant(64_999)));
        assert!(until.is_over(Instant(65_000)));
        assert_eq!(until.remaining(Instant(90_000)), 0);
        assert_eq!(Until::from_wire(u32::MAX, now), Until::Forever);
        assert!(Until::Forever > until);
        assert_eq!(Until::At(Instant(u64::MAX)).remaining(now), u32::MAX - 1);
    }

    #[test]
    fn timers_never_fire_early() {
        assert_eq!(Instant(1).after(Duration::from_micros(1)), Instant(2));
        assert_eq!(Instant(u64::MAX).after(Duration::MAX), Instant(u64::MAX));
    }
}

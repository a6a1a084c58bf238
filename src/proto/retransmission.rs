//! When a message is sent again (RFC 9915 §15, and RFC 7559 §2 for router solicitations).

use crate::net::{Instant, Rng};

/// How a message is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retransmission {
    /// IRT: first wait, milliseconds.
    pub(crate) initial: u64,
    /// MRT: longest wait, milliseconds; 0: no limit.
    pub(crate) longest: u64,
    /// MRC: how often it is sent at most; 0: no limit.
    pub(crate) count: u32,
    /// MRD: for how long at most, milliseconds; 0: no limit.
    pub(crate) duration: u64,
}

/// A series of sendings of one message.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    rules: Retransmission,
    /// Whether the first wait is longer than IRT in any case (RFC 9915 §18.2.1).
    longer: bool,
    /// The last wait, milliseconds; 0: not sent yet.
    wait: u64,
    sent: u32,
    /// When it was first sent.
    first: Option<Instant>,
    next: Instant,
}

impl Series {
    /// A series that begins at `at`.
    pub(crate) fn new(rules: Retransmission, longer: bool, at: Instant) -> Series {
        Series { rules, longer, wait: 0, sent: 0, first: None, next: at }
    }

    /// When the message is sent next, or the series is over.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// How often it was sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// When it was first sent.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.first
    }

    /// MRT from now on, milliseconds.
    pub(crate) fn limit(&mut self, longest: u64) {
        self.rules.longest = longest;
    }

    /// Waits until `at` at least.
    pub(crate) fn postpone(&mut self, at: Instant) {
        self.next = self.next.max(at);
    }

    /// Whether `tick` finds nothing left to be sent: MRC or MRD is reached.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let Retransmission { count, duration, .. } = self.rules;
        let spent = self.first.is_some_and(|first| duration > 0 && now >= later(first, duration));
        spent || count > 0 && self.sent >= count && self.next <= now
    }

    /// Counts one sending and sets the timer anew.
    pub(crate) fn sent_now(&mut self, now: Instant, rng: &mut Rng) {
        let Retransmission { initial, longest, duration, .. } = self.rules;
        self.sent = self.sent.saturating_add(1);
        let first = *self.first.get_or_insert(now);
        self.wait = match self.wait {
            0 => jittered(initial, if self.longer { 1 } else { -100 }, rng),
            wait => jittered(wait, -100, rng).saturating_add(wait),
        };
        if longest > 0 && self.wait > longest {
            self.wait = jittered(longest, -100, rng);
        }
        self.next = later(now, self.wait);
        if duration > 0 {
            self.next = self.next.min(later(first, duration));
        }
    }
}

/// `value` with RAND times itself more, RAND from `least` to 100 thousandths.
fn jittered(value: u64, least: i64, rng: &mut Rng) -> u64 {
    let span = u64::try_from(100 - least).unwrap_or(0);
    let thousandths = 1000u64.saturating_add_signed(least).saturating_add(rng.between(0, span));
    // at least a millisecond: a series never spins
    (value.saturating_mul(thousandths) / 1000).max(1)
}

pub(crate) fn later(at: Instant, millis: u64) -> Instant {
    Instant(at.0.saturating_add(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Retransmission = Retransmission { initial: 1_000, longest: 16_000, count: 0, duration: 0 };

    fn waits(rules: Retransmission, longer: bool, seed: u64) -> Vec<u64> {
        let (mut rng, mut now) = (Rng::new(seed), Instant(5_000));
        let mut series = Series::new(rules, longer, now);
        let mut found = Vec::new();
        while found.len() < 12 && !series.is_over(now) {
            series.sent_now(now, &mut rng);
            found.push(series.next().0 - now.0);
            now = series.next();
        }
        found
    }

    // MUST RFC 9915 §15: RT begins at IRT, doubles, and stays near MRT, each with a random part between -0.1 and 0.1
    #[test]
    fn waits_double_up_to_the_longest_with_a_tenth_of_jitter() {
        let mut jitter = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let waits = waits(RULES, false, seed);
            assert!((900..=1100).contains(&waits[0]), "{waits:?}");
            for pair in waits.windows(2) {
                let doubled = pair[0] * 19 / 10 - 2..=pair[0] * 21 / 10 + 2;
                let capped = 14_400..=17_600;
                assert!(doubled.contains(&pair[1]) || pair[0] * 21 / 10 >= 16_000 && capped.contains(&pair[1]));
            }
            jitter.insert(waits[0]);
        }
        assert!(jitter.len() > 50, "RAND is no constant");
    }

    // MUST RFC 9915 §18.2.1: the first RT of a Solicit is strictly greater than IRT
    #[test]
    fn the_first_wait_of_a_solicit_is_longer_than_irt() {
        assert!((0..500).all(|seed| (1_001..=1_100).contains(&waits(RULES, true, seed)[0])));
    }

    // MUST RFC 9915 §15: the exchange fails once the message was sent MRC times, or MRD has passed since the first
    #[test]
    fn a_series_ends_by_count_or_by_duration() {
        for seed in 0..50 {
            assert_eq!(waits(Retransmission { count: 4, ..RULES }, false, seed).len(), 4);
            let total: u64 =
                waits(Retransmission { duration: 10_000, longest: 4_000, ..RULES }, false, seed).iter().sum();
            assert_eq!(total, 10_000);
        }
    }
}

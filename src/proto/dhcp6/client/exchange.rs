//! An exchange: one message, sent until it is answered.

use crate::net::{Instant, Rng};
use crate::proto::retransmission::{Retransmission, Series, later};
use crate::wire::dhcp6::MessageType;

/// Most messages in so many seconds (RFC 9915 §14.1: 20 in 20 seconds).
pub(super) const BURST: u64 = 20;
/// MAX of SOL_MAX_RT and INF_MAX_RT unless a server says otherwise, milliseconds (RFC 9915 §7.6).
pub(super) const MAX_RT: u64 = 3_600_000;
/// Seconds within which a server's SOL_MAX_RT and INF_MAX_RT count (RFC 9915 §21.24, §21.25).
pub(super) const MAX_RT_RANGE: std::ops::RangeInclusive<u32> = 60..=86_400;
/// Longest delay of the first Solicit, Confirm and Information-request, milliseconds (RFC 9915 §7.6 SOL_MAX_DELAY,
/// CNF_MAX_DELAY, INF_MAX_DELAY).
pub(super) const MAX_DELAY: u64 = 1_000;

/// Rules of RFC 9915 §18.2 by message type; `max_rt` is SOL_MAX_RT or INF_MAX_RT in milliseconds.
fn rules(kind: MessageType, max_rt: u64) -> Retransmission {
    let (initial, longest, count, duration) = match kind {
        MessageType::Solicit | MessageType::InformationRequest => (1_000, max_rt, 0, 0),
        MessageType::Request => (1_000, 30_000, 10, 0),
        MessageType::Confirm => (1_000, 4_000, 0, 10_000),
        MessageType::Release | MessageType::Decline => (1_000, 0, 4, 0),
        // Renew and Rebind; who begins them ends them
        _ => (10_000, 600_000, 0, 0),
    };
    Retransmission { initial, longest, count, duration }
}

/// One message under way.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) kind: MessageType,
    pub(super) transaction: u32,
    pub(super) series: Series,
}

impl Exchange {
    /// An exchange whose first message leaves at `at`.
    pub(super) fn new(kind: MessageType, max_rt: u64, at: Instant, rng: &mut Rng) -> Exchange {
        Exchange::with(kind, rules(kind, max_rt), at, rng)
    }

    /// A Rebind in a Confirm's place (RFC 9915 §18.2.12): by its rules.
    pub(super) fn confirming(kind: MessageType, at: Instant, rng: &mut Rng) -> Exchange {
        Exchange::with(kind, rules(MessageType::Confirm, 0), at, rng)
    }

    fn with(kind: MessageType, rules: Retransmission, at: Instant, rng: &mut Rng) -> Exchange {
        let transaction = (rng.next_u64() >> 40) as u32;
        Exchange { kind, transaction, series: Series::new(rules, kind == MessageType::Solicit, at) }
    }

    /// Hundredths of a second since the first message (RFC 9915 §21.9).
    pub(super) fn elapsed(&self, now: Instant) -> u16 {
        let since = self.series.first().map_or(0, |first| now.0.saturating_sub(first.0) / 10);
        u16::try_from(since).unwrap_or(u16::MAX)
    }
}

/// A token bucket: [`BURST`] messages at once, one more each second.
#[derive(Debug)]
pub(super) struct Bucket {
    /// When it will be full.
    full: Instant,
}

impl Bucket {
    pub(super) fn new(now: Instant) -> Bucket {
        Bucket { full: now }
    }

    /// Takes one token; else says when there will be one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let full = later(self.full.max(now), 1_000);
        let allowed = later(now, BURST * 1_000);
        if full > allowed {
            return Err(Instant(now.0.saturating_add(full.0.saturating_sub(allowed.0))));
        }
        self.full = full;
        Ok(())
    }
}

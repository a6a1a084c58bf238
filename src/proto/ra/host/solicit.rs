//! When routers are asked (RFC 4861 §6.3.7, RFC 7559).

use crate::net::{ALL_ROUTERS, Instant, Mac, Rng};
use crate::proto::retransmission::{Retransmission, Series, later};
use crate::wire::nd::{NdOption, Solicitation};

use super::Action;

/// Longest wait before the first solicitation, milliseconds (RFC 4861 §10 MAX_RTR_SOLICITATION_DELAY).
pub(super) const MAX_DELAY: u64 = 1_000;
/// Least time between two solicitations, milliseconds (RFC 4861 §10 RTR_SOLICITATION_INTERVAL).
pub(super) const INTERVAL: u64 = 4_000;
/// IRT and MRT of RFC 7559 §2.1; it knows no end.
const RULES: Retransmission = Retransmission { initial: INTERVAL, longest: 3_600_000, count: 0, duration: 0 };

/// Solicitations under way.
#[derive(Debug, Default)]
pub(super) struct Solicit {
    series: Option<(Series, &'static str)>,
    last: Option<Instant>,
    count: u64,
}

impl Solicit {
    /// Begins to ask, within `delay` milliseconds. A series under way that would ask later begins anew.
    pub(super) fn start(&mut self, why: &'static str, delay: u64, now: Instant, rng: &mut Rng) {
        let at = later(now, rng.between(0, delay));
        let at = self.last.map_or(at, |last| at.max(later(last, INTERVAL)));
        if self.series.as_ref().is_none_or(|(series, _)| series.next() > at) {
            self.series = Some((Series::new(RULES, false, at), why));
        }
    }

    /// A router answered.
    pub(super) fn stop(&mut self) {
        self.series = None;
    }

    pub(super) fn is_running(&self) -> bool {
        self.series.is_some()
    }

    pub(super) fn next(&self) -> Option<(Instant, &'static str)> {
        self.series.as_ref().map(|(series, why)| (series.next(), *why))
    }

    /// How many were sent.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Sends what is due.
    pub(super) fn tick(&mut self, mac: Option<Mac>, now: Instant, rng: &mut Rng, out: &mut Vec<Action>) {
        let Some((series, _)) = self.series.as_mut().filter(|(series, _)| series.next() <= now) else { return };
        series.sent_now(now, rng);
        self.last = Some(now);
        self.count = self.count.saturating_add(1);
        let solicitation = Solicitation { options: mac.map(NdOption::SourceLink).into_iter().collect() };
        // an Ethernet address always fits
        if let Ok(bytes) = solicitation.encode() {
            out.push(Action::Send { to: ALL_ROUTERS, bytes });
        }
    }
}

//! A host of the simulated LAN: stateless address autoconfiguration and router discovery as RFC 4862 and RFC 4861
//! §6.3 tell hosts, written from those texts and not from the router's code.

use super::bytes::Advertisement;
use crate::net::{Instant, Prefix};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// A valid lifetime can't be cut below this by an unauthenticated advertisement (RFC 4862 §5.5.3 e).
const TWO_HOURS: u64 = 7_200_000;
/// RFC 4861 §10 MAX_RTR_SOLICITATIONS and RTR_SOLICITATION_INTERVAL.
const SOLICITATIONS: u8 = 3;
const SOLICITATION_INTERVAL: u64 = 4_000;

/// A host.
pub(super) struct Host {
    pub(super) lan: usize,
    /// Its link-local address.
    pub(super) addr: Ipv6Addr,
    /// Ends of lifetimes by prefix: preferred, valid.
    pub(super) prefixes: BTreeMap<Prefix, (u64, u64)>,
    /// Until when the router is its default router.
    pub(super) router_until: u64,
    solicitations: u8,
    solicit_at: Option<u64>,
}

/// When a lifetime in seconds that starts `now` ends, in milliseconds; all ones is for ever.
pub(super) fn end(now: Instant, seconds: u32) -> u64 {
    if seconds == u32::MAX { u64::MAX } else { now.after_secs(seconds.into()).0 }
}

impl Host {
    /// A host that has just plugged in.
    pub(super) fn new(number: u32, lan: usize, now: Instant) -> Host {
        let addr = Ipv6Addr::from(0xfe80_u128 << 112 | 0x0200_00ff_fe00_0000 | u128::from(number));
        let mut host =
            Host { lan, addr, prefixes: BTreeMap::new(), router_until: 0, solicitations: 0, solicit_at: None };
        host.link_up(now);
        host
    }

    /// The link is there (again): solicits anew.
    pub(super) fn link_up(&mut self, now: Instant) {
        self.solicitations = SOLICITATIONS;
        self.solicit_at = Some(now.0);
    }

    /// When it wants to act next.
    pub(super) fn poll_at(&self) -> Option<u64> {
        self.solicit_at
    }

    /// A solicitation if one is due.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.solicit_at.is_none_or(|at| at > now.0) {
            return None;
        }
        self.solicitations = self.solicitations.saturating_sub(1);
        self.solicit_at = (self.solicitations > 0).then(|| now.0 + SOLICITATION_INTERVAL);
        Some(vec![133, 0, 0, 0, 0, 0, 0, 0])
    }

    /// Hears an advertisement.
    pub(super) fn hear(&mut self, ra: &Advertisement, now: Instant) {
        self.solicit_at = None;
        self.router_until = if ra.router_lifetime == 0 { 0 } else { end(now, ra.router_lifetime.into()) };
        for info in &ra.prefixes {
            if !info.autonomous || info.preferred > info.valid || info.prefix.len() != 64 {
                continue;
            }
            let (preferred, valid) = (end(now, info.preferred), end(now, info.valid));
            match self.prefixes.get_mut(&info.prefix) {
                Some(known) => {
                    let left = known.1.saturating_sub(now.0);
                    // RFC 4862 §5.5.3 e: longer than two hours or longer than what is left: taken; else cut to two hours
                    if valid > now.0 + TWO_HOURS || valid > known.1 {
                        known.1 = valid;
                    } else if left > TWO_HOURS {
                        known.1 = now.0 + TWO_HOURS;
                    }
                    known.0 = preferred;
                }
                None if info.valid > 0 => {
                    self.prefixes.insert(info.prefix, (preferred, valid));
                }
                None => {}
            }
        }
    }

    /// Forgets what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        self.prefixes.retain(|_, (_, valid)| *valid > now.0);
    }

    /// Prefixes it would use for a new connection.
    pub(super) fn preferred(&self, now: Instant) -> impl Iterator<Item = Prefix> + '_ {
        self.prefixes.iter().filter(move |(_, (preferred, _))| *preferred > now.0).map(|(prefix, _)| *prefix)
    }
}

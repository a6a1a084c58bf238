//! What a LAN's hosts are told by router advertisements.

use super::delegate::is_delegable;
use super::subnets::Subnets;
use super::{Actual, AddressState, Facts, LanPlan, LanPrefix, Link, SourcePrefix, uplinks};
use crate::config::{DefaultRouter, Dnr, DnsServer, Lan, LanRa};
use crate::net::{Instant, Preference, Prefix, is_ula};
use crate::proto::ra;
use std::net::Ipv6Addr;
use std::time::Duration;

/// How many router advertisements may get lost before hosts forget what is in them: every default lifetime of RFC 4861
/// §6.2.1 and RFC 8106 §5 is 3 × MaxRtrAdvInterval.
const LIFETIME_INTERVALS: u32 = 3;

/// What router advertisements and DHCPv6 tell alike.
pub(super) struct Common<'a> {
    pub(super) dns: Vec<Ipv6Addr>,
    pub(super) search: &'a [String],
    pub(super) captive_portal: Option<&'a String>,
    pub(super) dnr: Option<&'a Dnr>,
}

impl<'a> Common<'a> {
    pub(super) fn new(lan: &'a Lan, domain: &'a String, router: Option<Ipv6Addr>) -> Common<'a> {
        let servers = lan.dns.iter().filter_map(|server| match server {
            DnsServer::Router => router,
            DnsServer::At(addr) => Some(*addr),
        });
        let mut dns: Vec<Ipv6Addr> = Vec::new();
        for server in servers {
            if !dns.contains(&server) {
                dns.push(server);
            }
        }
        let search = match lan.search.as_slice() {
            [] if domain.is_empty() => &[],
            [] => std::slice::from_ref(domain),
            search => search,
        };
        let ra = lan.ra.as_ref();
        Common {
            dns,
            search,
            captive_portal: ra.and_then(|ra| ra.captive_portal.as_ref()),
            dnr: ra.and_then(|ra| ra.dnr.as_ref()),
        }
    }
}

/// The router's address that changes least, for hosts to ask DNS at: unique local before others, preferred before
/// deprecated, and its link-local one if there is no other. One that another host has too is none.
pub(super) fn router_address(
    prefixes: &[LanPrefix],
    link: u32,
    link_local: Option<Ipv6Addr>,
    actual: &Actual,
    now: Instant,
) -> Option<Ipv6Addr> {
    let duplicate = |addr: Ipv6Addr| {
        actual.addresses.get(&(link, addr)).is_some_and(|address| address.state == AddressState::Duplicate)
    };
    let usable = prefixes.iter().filter_map(|prefix| Some((prefix, prefix.router?)));
    let usable = usable.filter(|(_, addr)| !duplicate(*addr));
    // the first of the best: `min_by_key` keeps the order of the sources
    let best = usable.min_by_key(|(prefix, addr)| (prefix.lifetimes.preferred.is_over(now), !is_ula(*addr)));
    best.map(|(_, addr)| addr).or(link_local)
}

/// Whether we may call ourselves a default router on this LAN: there is a way out, and somebody could use it
/// (RFC 7084 G-4, L-4, ULA-5). Where addresses are translated on their way out, hosts that have none but unique local
/// ones can use it too. ULA-5 forbids to be a default router for these; the owner who sets `share` to `nat` wants it.
pub(super) fn leads_out(facts: &Facts, sources: &[SourcePrefix], lan: &str) -> bool {
    let usable = || sources.iter().any(|source| !is_ula(source.prefix.addr()));
    facts.actual.has_default_route() && (usable() || uplinks::translates(facts, lan))
}

/// The router advertisements of one LAN.
pub(super) struct Announcement<'a> {
    pub(super) lan: &'a Lan,
    pub(super) ra: &'a LanRa,
    pub(super) common: &'a Common<'a>,
    pub(super) plan: &'a LanPlan,
    pub(super) link: &'a Link,
    pub(super) sources: &'a [SourcePrefix],
    pub(super) subnets: &'a Subnets<'a>,
    pub(super) leads_out: bool,
    pub(super) uplink_mtu: Option<u32>,
}

impl Announcement<'_> {
    pub(super) fn config(&self) -> ra::Config {
        let Announcement { lan, ra, common, .. } = self;
        let default_router = match ra.default_router {
            DefaultRouter::Auto => self.leads_out,
            DefaultRouter::Always => true,
            DefaultRouter::Never => false,
        };
        let lifetime = if default_router { ra.default_lifetime } else { 0 };
        ra::Config {
            max_interval: Duration::from_secs(ra.max_interval.into()),
            min_interval: Duration::from_secs(ra.min_interval.into()),
            router_lifetime: u16::try_from(lifetime).unwrap_or(u16::MAX),
            preference: ra.preference,
            managed: ra.managed.unwrap_or(lan.dhcp6.as_ref().is_some_and(|dhcp6| dhcp6.addresses)),
            other: ra.other.unwrap_or(lan.dhcp6.is_some()),
            hop_limit: ra.hop_limit,
            reachable_time: ra.reachable_time,
            retrans_timer: ra.retrans_timer,
            mac: self.link.mac,
            mtu: ra.mtu.or(self.uplink_mtu.filter(|mtu| *mtu < self.link.mtu)),
            prefixes: self.plan.prefixes.iter().map(|prefix| self.prefix(prefix)).collect(),
            routes: self.routes(),
            dns: common.dns.clone(),
            search: common.search.to_vec(),
            dns_lifetime: ra.dns_lifetime.unwrap_or(ra.max_interval.saturating_mul(LIFETIME_INTERVALS)),
            pref64: ra.pref64,
            captive_portal: common.captive_portal.cloned(),
            dnr: common.dnr.cloned(),
        }
    }

    /// A live prefix with its lifetimes, cut to what is configured. One that is gone, for as long as hosts may remember
    /// it, with lifetimes cut to 0 and its flags as they were (RFC 9096 §3.5).
    fn prefix(&self, prefix: &LanPrefix) -> ra::PrefixInfo {
        let (ra, live) = (self.ra, prefix.router.is_some());
        ra::PrefixInfo {
            prefix: prefix.prefix,
            autonomous: ra.slaac,
            pd_preferred: live && self.pd_preferred(prefix),
            lifetimes: prefix.lifetimes,
            max_preferred: if live { ra.preferred_lifetime } else { 0 },
            max_valid: if live { ra.valid_lifetime } else { 0 },
        }
    }

    /// Whether hosts had better ask for a prefix of their own (RFC 9762).
    fn pd_preferred(&self, prefix: &LanPrefix) -> bool {
        let delegates = || {
            let asks = self.lan.dhcp6.as_ref().is_some_and(|dhcp6| dhcp6.delegation);
            let source = self.sources.iter().find(|source| source.source == prefix.source);
            asks && source.is_some_and(|source| is_delegable(source, self.subnets))
        };
        self.ra.pd_preferred.unwrap_or_else(delegates)
    }

    /// The routes to every prefix that is ours to route, whether there is a way out or not (RFC 7084 L-3), and those
    /// configured. A prefix that is on this link as a whole needs none.
    fn routes(&self) -> Vec<(Prefix, Preference, u32)> {
        let lifetime = self.ra.max_interval.saturating_mul(LIFETIME_INTERVALS);
        let on_link = |prefix: &Prefix| self.plan.prefixes.iter().any(|on| on.prefix == *prefix);
        let sources = self.sources.iter().map(|source| source.prefix);
        let mut routes: Vec<(Prefix, Preference, u32)> = Vec::new();
        for prefix in sources.chain(self.ra.routes.iter().copied()).filter(|prefix| !on_link(prefix)) {
            if !routes.iter().any(|(known, ..)| *known == prefix) {
                routes.push((prefix, self.ra.route_preference, lifetime));
            }
        }
        routes
    }
}

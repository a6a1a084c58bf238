//! What the DHCPv6 server works with: on-link /64s, and what is left of each prefix to delegate (RFC 9818).

use super::announce::Common;
use super::subnets::Subnets;
use super::{LanPlan, SourcePrefix};
use crate::config::LanDhcp6;
use crate::net::{Instant, Lifetimes, Prefix, Until};
use crate::proto::dhcp6::{Link, Pool, Subnet};

/// Lifetimes of what is over, since the beginning of time.
const OVER: Lifetimes = Lifetimes { preferred: Until::At(Instant(0)), valid: Until::At(Instant(0)) };

/// The last /64 of the unique local prefix: neither a LAN's nor delegated as long as there is another, so that a stub
/// network's router that comes late still finds one.
pub(super) fn held_back(source: &SourcePrefix) -> Option<Prefix> {
    let one = Prefix::new(source.prefix.last(), 64)?;
    (source.source == super::ULA && source.prefix != one).then_some(one)
}

/// Whether there is something to delegate out of `source`: more than the LANs have, and than is held back.
pub(super) fn is_delegable(source: &SourcePrefix, subnets: &Subnets<'_>) -> bool {
    let used = subnets.owner.keys().filter(|prefix| source.prefix.covers(prefix)).count() as u128;
    let size = 1u128 << (64 - source.prefix.len().min(64));
    source.delegate && size > 1 && size > used + u128::from(held_back(source).is_some())
}

/// Whether a route to a delegated prefix may stand: inside a prefix that we delegate out of, and not the place of a LAN
/// (odhcpd#418).
pub(super) fn may_route(prefix: &Prefix, sources: &[SourcePrefix], subnets: &Subnets<'_>) -> bool {
    let mut pools = sources.iter().filter(|source| source.delegate);
    let own = subnets.owner.keys().any(|lan| lan.covers(prefix));
    !own && pools.any(|source| source.prefix != *prefix && source.prefix.covers(prefix))
}

/// A link of the server.
pub(super) fn link(
    name: &str,
    options: &LanDhcp6,
    common: &Common<'_>,
    plan: &LanPlan,
    sources: &[SourcePrefix],
    subnets: &Subnets<'_>,
) -> Link {
    let on_link = plan.prefixes.iter().map(|prefix| Subnet {
        prefix: prefix.prefix,
        lifetimes: if prefix.router.is_some() { prefix.lifetimes } else { OVER },
        router: prefix.router,
    });
    let for_lan = |source: &&SourcePrefix| source.lans.as_ref().is_none_or(|lans| lans.iter().any(|lan| lan == name));
    let delegable = sources.iter().filter(|_| options.delegation).filter(for_lan);
    let pools = delegable.filter(|source| is_delegable(source, subnets)).map(|source| pool(source, sources, subnets));
    Link {
        lan: name.into(),
        subnets: on_link.collect(),
        pools: pools.collect(),
        dns: common.dns.clone(),
        search: common.search.to_vec(),
        captive_portal: common.captive_portal.cloned(),
        dnr: common.dnr.cloned(),
        options: options.clone(),
    }
}

/// `source` without the LANs' /64s, without prefixes inside it that are sources themselves or that netifd gave away, and without what is held back.
fn pool(source: &SourcePrefix, sources: &[SourcePrefix], subnets: &Subnets<'_>) -> Pool {
    let inside = |prefix: &&Prefix| source.prefix.covers(prefix) && source.prefix != **prefix;
    let others = sources.iter().map(|other| &other.prefix).chain(&subnets.taken);
    let mut reserved: Vec<Prefix> = subnets.owner.keys().chain(others).filter(inside).copied().collect();
    reserved.extend(held_back(source));
    reserved.sort_unstable();
    reserved.dedup();
    Pool { prefix: source.prefix, lifetimes: source.lifetimes, reserved }
}

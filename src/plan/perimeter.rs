//! The guard of this plan: who is where, what is behind us, whom pinholes lead to.

use super::guard::{Guard, Guarded, GuardedUplink, guard};
use super::objects::{on_link_route, unreachable_route};
use super::pinholes::{Seen, pinholes};
use super::{Desired, Facts, Key, LanPlan, SourcePrefix, ULA, Uplink, Value, uplinks};
use crate::config::{Config, UplinkKind};
use crate::net::{FlatMap, Prefix, is_ula};
use crate::proto::dhcp6::Resource;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Adds the guard to a plan that has its LANs, where there are uplinks to guard against, and with it
///
/// * routes to the /64s that LANs had: without them no host could be told that its source is of no live uplink any more;
/// * a route that says of unique local destinations that they are nowhere, if no longer one leads there (RFC 4193 §4.3).
///   An uplink that gives such a prefix leads to others of its kind.
pub(super) fn add(config: &Config, facts: &Facts, sources: &[SourcePrefix], plan: &mut Desired) {
    let Some(guard) = perimeter(config, facts, sources, plan) else { return };
    plan.objects.insert(Key::Guard, Value::Guard(Arc::new(guard)));
    let used: Vec<Prefix> = plan.lans.values().flat_map(live).collect();
    for lan in plan.lans.values() {
        let Some(link) = lan.link else { continue };
        let gone = lan.prefixes.iter().filter(|prefix| prefix.router.is_none()).map(|prefix| prefix.prefix);
        for (key, value) in gone.filter(|gone| !used.contains(gone)).map(|gone| on_link_route(gone, link)) {
            plan.objects.entry(key).or_insert(value);
        }
    }
    let gives_local = |uplink: &Uplink| uplink.prefixes.iter().any(|(prefix, _)| is_ula(prefix.addr()));
    if !facts.uplinks.values().any(gives_local) {
        plan.objects.extend([unreachable_route(Prefix::UNIQUE_LOCAL)]);
    }
}

fn perimeter(config: &Config, facts: &Facts, sources: &[SourcePrefix], plan: &Desired) -> Option<Guard> {
    let uplinks: Vec<GuardedUplink> = facts
        .uplinks
        .iter()
        .filter(|(_, uplink)| !uplink.device.is_empty())
        .map(|(name, uplink)| {
            let own = uplink.addresses.iter().filter_map(|(addr, ..)| Prefix::new(*addr, 128));
            let kind = config.uplinks.get(name).map(|uplink| &uplink.kind);
            GuardedUplink {
                device: uplink.device.clone(),
                live: uplink.is_used(),
                sources: uplink.prefixes.iter().map(|(prefix, _)| *prefix).chain(own).collect(),
                six_to_four: matches!(kind, Some(UplinkKind::SixToFour { .. })),
                translations: uplinks::translated(facts, uplink, &plan.lans)
                    .into_iter()
                    .map(|inside| (inside, None))
                    .collect(),
            }
        })
        .collect();
    let served = plan.lans.iter().filter(|(name, _)| config.lans.get(name.as_str()).is_some_and(|lan| lan.enabled));
    let lans = served.map(|(_, lan)| lan.device.clone()).filter(|device| !device.is_empty()).collect();
    let local = sources.iter().filter(|source| source.source == ULA).map(|source| source.prefix);
    let behind = plan.lans.values().flat_map(live).chain(facts.delegations.keys().copied()).chain(local);
    // a prefix that is on the uplink's link as well has hosts on both sides
    let outside = |prefix: &Prefix| {
        let mut on_link = facts.uplinks.values().flat_map(|uplink| &uplink.addresses);
        on_link.any(|(addr, len, _)| Prefix::new(*addr, *len).is_some_and(|link| link.overlaps(prefix) && *len < 128))
    };
    let shared = |prefix: &Prefix| {
        let mut all = facts.uplinks.values().filter_map(|uplink| uplink.shared_with());
        all.any(|(_, shared, _)| shared.overlaps(prefix))
    };
    let inside = behind.filter(|prefix| !outside(prefix) && !shared(prefix)).collect();
    let filter = &facts.actual.filter;
    let on_lans: FlatMap<&str, Vec<Prefix>> =
        plan.lans.iter().map(|(name, lan)| (name.as_str(), live(lan).collect())).collect();
    let seen: Vec<Seen<'_>> = facts.leases.iter().filter_map(|lease| Some(seen(lease, address(lease)?))).collect();
    let (holes, hosts) = pinholes(config, &on_lans, &seen, filter.firewall4.iter().flatten());
    guard(&uplinks, Guarded { lans, inside, holes, hosts, firewall4: filter.firewall4.is_some() })
}

/// The /64s that a LAN has now.
fn live(lan: &LanPlan) -> impl Iterator<Item = Prefix> + '_ {
    lan.prefixes.iter().filter(|prefix| prefix.router.is_some()).map(|prefix| prefix.prefix)
}

fn address(lease: &crate::proto::dhcp6::Binding) -> Option<Ipv6Addr> {
    if let Resource::Address(addr) = lease.resource { Some(addr) } else { None }
}

fn seen(lease: &crate::proto::dhcp6::Binding, addr: Ipv6Addr) -> Seen<'_> {
    Seen { name: &lease.hostname, duid: Some((&lease.client, lease.iaid)), mac: None, addr }
}

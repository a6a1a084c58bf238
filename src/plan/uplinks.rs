//! What uplinks give the LANs, and what the kernel holds for them.
//!
//! Every route that leads out is source-specific (RFC 8028 §3.1 asks for what it gives): a packet leaves by the uplink its
//! source comes from, or not at all. An uplink that is used or stands by has such a route for each of its prefixes; its
//! own addresses have one as long as there is a next hop, so that it can be found alive again.
//!
//! In mode `best` the prefixes of uplinks that stand by are on the LANs too, deprecated: hosts have addresses of them ready,
//! and use them from the moment they hear that they are preferred. Duplicate address detection alone would take a second.

use super::objects::{default_route, on_link_route};
use super::{Desired, Device, Facts, Key, LanPlan, Objects, RouteTarget, SourcePrefix, Value};
use crate::net::{FlatMap, Instant, Lifetimes, Prefix, Until, is_link_local, is_ula};
use crate::proto::uplink::Role;
use std::net::Ipv6Addr;

/// Preferred no more, since the beginning of time.
const DEPRECATED: Until = Until::At(Instant(0));

/// An uplink as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplink {
    /// Its device's name; empty while it isn't known.
    pub device: String,
    /// Index of its device while that is there.
    pub link: Option<u32>,
    /// The device that it needs made; `None`: none, or not known yet.
    pub make: Option<Device>,
    /// Whether the LANs use it.
    pub role: Role,
    /// Prefixes whose hosts are on the link itself: other sites of 6to4 or 6rd.
    pub on_link: Vec<Prefix>,
    /// Where everything else goes; `None`: nowhere yet.
    pub next_hop: Option<RouteTarget>,
    /// Addresses of its own, with the length of the prefix that is on the link, and their lifetimes.
    pub addresses: Vec<(Ipv6Addr, u8, Lifetimes)>,
    /// What it gives the LANs.
    pub prefixes: Vec<(Prefix, Lifetimes)>,
    /// LANs that get its prefixes; `None`: all.
    pub lans: Option<Vec<String>>,
    /// Largest packet that passes, bytes, where that is known.
    pub mtu: Option<u32>,
    /// The kernel must not listen to router advertisements on its device, since we do.
    pub deaf: bool,
    /// How LANs get something of a /64 that is on its own link.
    pub shared: Option<Shared>,
}

/// How LANs get IPv6 by an uplink that delegates nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Shared {
    /// One LAN has the /64 of the uplink's link too, and its hosts' neighbours there are answered for them (RFC 4389 §4).
    Proxy {
        /// Section name of the LAN.
        lan: String,
        /// The /64, one of [`Uplink::prefixes`].
        prefix: Prefix,
        /// The router's own address in it, which it has on both links.
        router: Ipv6Addr,
        /// Addresses on the LAN that are known to be in use, at most 512.
        hosts: Vec<Ipv6Addr>,
    },
    /// LANs have their unique local addresses only, which become the uplink's own on their way out (NAT66).
    Nat,
}

impl Uplink {
    /// Whether the LANs know of its prefixes.
    pub fn is_used(&self) -> bool {
        self.role != Role::Out
    }

    /// The LAN that has a /64 of its link too, that /64, and the router's address in it.
    pub(super) fn shared_with(&self) -> Option<(&str, Prefix, Ipv6Addr)> {
        match &self.shared {
            Some(Shared::Proxy { lan, prefix, router, .. }) => Some((lan, *prefix, *router)),
            _ => None,
        }
    }

    fn is_for(&self, lan: &str) -> bool {
        self.lans.as_ref().is_none_or(|lans| lans.iter().any(|name| name == lan))
    }
}

/// Whether an uplink in use translates the addresses of this LAN.
pub(super) fn translates(facts: &Facts, lan: &str) -> bool {
    facts.uplinks.values().any(|uplink| can_translate(facts, uplink) && uplink.is_for(lan))
}

/// Whether this uplink can translate. As long as no address of its own is ready the kernel would take one of a LAN's.
fn can_translate(facts: &Facts, uplink: &Uplink) -> bool {
    let ready = |addr: Ipv6Addr| {
        let address = uplink.link.and_then(|link| facts.actual.addresses.get(&(link, addr)));
        address.is_some_and(|address| address.is_usable())
    };
    let mut own = uplink.addresses.iter().map(|(addr, ..)| *addr).filter(|addr| !is_link_local(*addr));
    uplink.shared == Some(Shared::Nat) && uplink.role == Role::Active && own.any(ready)
}

/// The unique local /64s whose addresses this uplink translates.
pub(super) fn translated(facts: &Facts, uplink: &Uplink, lans: &FlatMap<String, LanPlan>) -> Vec<Prefix> {
    if !can_translate(facts, uplink) {
        return Vec::new();
    }
    let lans = lans.iter().filter(|(name, _)| uplink.is_for(name));
    let live = lans.flat_map(|(_, lan)| lan.prefixes.iter().filter(|prefix| prefix.router.is_some()));
    live.map(|prefix| prefix.prefix).filter(|prefix| is_ula(prefix.addr())).collect()
}

/// Routes for what is translated: from the LANs' own addresses too. Where several uplinks do it the first by name has it.
pub(super) fn translated_routes(facts: &Facts, plan: &mut Desired) {
    for uplink in facts.uplinks.values() {
        let Some(next_hop) = uplink.next_hop.filter(|_| uplink.link.is_some()) else { continue };
        for source in translated(facts, uplink, &plan.lans) {
            let (key, value) = default_route(source, next_hop);
            plan.objects.entry(key).or_insert(value);
        }
    }
}

/// The prefixes that uplinks give the LANs, each named after its uplink.
pub(super) fn sources(facts: &Facts) -> impl Iterator<Item = SourcePrefix> + '_ {
    facts.uplinks.iter().filter(|(_, uplink)| uplink.is_used()).flat_map(|(name, uplink)| {
        uplink.prefixes.iter().map(move |(prefix, lifetimes)| {
            let preferred = if uplink.role == Role::Active { lifetimes.preferred } else { DEPRECATED };
            let shared = uplink.shared_with().filter(|(_, shared, _)| shared == prefix);
            SourcePrefix {
                source: format!("uplink {name}"),
                prefix: *prefix,
                lifetimes: Lifetimes::new(preferred, lifetimes.valid),
                lans: shared.map_or_else(|| uplink.lans.clone(), |(lan, ..)| Some(vec![lan.to_owned()])),
                assign: true,
                delegate: shared.is_none(),
                router: shared.map(|(.., router)| router),
            }
        })
    })
}

/// The smallest MTU of the uplinks that LANs use (RFC 4861 §6.2.1 AdvLinkMTU).
pub(super) fn mtu(facts: &Facts) -> Option<u32> {
    facts.uplinks.values().filter(|uplink| uplink.role == Role::Active).filter_map(|uplink| uplink.mtu).min()
}

/// Addresses and routes of all uplinks, and sysctls of their devices.
pub(super) fn objects(facts: &Facts, now: Instant, objects: &mut Objects) {
    for uplink in facts.uplinks.values() {
        if let Some(device) = &uplink.make {
            objects.insert(Key::Device(uplink.device.clone()), Value::Device(device.clone()));
        }
        let Some(link) = uplink.link else { continue };
        if uplink.deaf {
            objects.insert(Key::of_device(&uplink.device, "accept_ra"), Value::Sysctl("0".into()));
        }
        if let Some(Shared::Proxy { hosts, .. }) = &uplink.shared {
            objects.insert(Key::of_device(&uplink.device, "proxy_ndp"), Value::Sysctl("1".into()));
            objects.extend(hosts.iter().map(|addr| (Key::Proxy { link, addr: *addr }, Value::Proxy)));
        }
        let live = || uplink.addresses.iter().filter(|(_, _, lifetimes)| !lifetimes.valid.is_over(now));
        for (addr, len, lifetimes) in live() {
            let lifetimes = super::desired::kernel_lifetimes(facts, (link, *addr), *lifetimes, now);
            objects.insert(Key::Address { link, addr: *addr }, Value::Address { len: *len, lifetimes });
        }
        objects.extend(uplink.on_link.iter().filter(|_| uplink.is_used()).map(|prefix| on_link_route(*prefix, link)));
        let Some(next_hop) = uplink.next_hop else { continue };
        let own = live().filter(|(addr, ..)| !is_link_local(*addr)).filter_map(|(addr, ..)| Prefix::new(*addr, 128));
        let given = uplink.prefixes.iter().filter(|(_, lifetimes)| !lifetimes.valid.is_over(now));
        let given = given.map(|(prefix, _)| *prefix).filter(|_| uplink.is_used());
        objects.extend(own.chain(given).map(|source| default_route(source, next_hop)));
    }
}

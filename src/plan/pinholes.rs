//! Whom pinholes lead to: hosts by name or identifier become addresses, again and again as prefixes change.
//!
//! A host that has a section `host` is recognised by what stands there: its DUIDs and MAC addresses, the identifier and
//! the addresses reserved for it. The name that a client gives itself counts only where no section has that name, so
//! that nobody takes over the pinholes of a host that the owner described. Addresses count while they are in a /64 that
//! a LAN has now.

use super::guard::{Hole, apart};
use crate::config::{Config, Host, Pinhole, PinholeHost, Protocol};
use crate::net::{Duid, FlatMap, FlatSet, Mac, Prefix, with_iid};
use std::net::Ipv6Addr;

/// Addresses of one host: 16 prefixes with a few addresses in each. One that makes itself more gets no more let in.
const MAX_ADDRESSES: usize = 64;

/// An address that a host was seen to use: a lease, a registered address, a neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What it calls itself, as a label or a whole name; empty: nothing.
    pub name: &'a str,
    /// Its DUID and the identity association the address belongs to.
    pub duid: Option<(&'a Duid, u32)>,
    /// Its Ethernet address, where it is known otherwise than from the DUID.
    pub mac: Option<Mac>,
    /// The address.
    pub addr: Ipv6Addr,
}

/// The pinholes that are enabled, and the addresses of their hosts and of those in `asked` by the names that their sets
/// have behind `o6_`.
///
/// `live` holds the /64s that each LAN has now, by the LAN's name; `asked` are names of hosts whose addresses the owner
/// uses in rules of firewall4, as they stand in [`super::Filter::firewall4`].
pub fn pinholes<'a>(
    config: &Config,
    live: &FlatMap<&str, Vec<Prefix>>,
    seen: &[Seen<'_>],
    asked: impl IntoIterator<Item = &'a String>,
) -> (Vec<Hole>, FlatMap<String, FlatSet<Ipv6Addr>>) {
    let place = Places { config, live, seen };
    let mut hosts: FlatMap<String, FlatSet<Ipv6Addr>> = FlatMap::new();
    for name in asked {
        hosts.insert(name.clone(), place.named(name));
    }
    let enabled = config.pinholes.iter().filter(|pinhole| pinhole.enabled);
    let holes = enabled.map(|pinhole| {
        let (host, addresses) = match &pinhole.host {
            PinholeHost::Name(name) => (set_name(name), place.named(name)),
            PinholeHost::Id { id, lan } => {
                let on_lan = live.get(lan.as_str()).into_iter().flatten();
                (format!("id_{}_{id:x}", set_name(lan)), in_each(on_lan, *id).collect())
            }
        };
        hosts.insert(host.clone(), addresses);
        let from = apart(pinhole.sources.iter().copied().collect(), Prefix::covers);
        Hole {
            host,
            protocols: protocols(&pinhole.protocols),
            ports: merged(&pinhole.ports),
            from: from.into_iter().collect(),
        }
    });
    let holes = holes.collect();
    (holes, hosts)
}

/// Whether the plan depends on who has which address: a pinhole leads to a host by its name, or a rule of the owner does.
pub fn names_asked(config: &Config, firewall4: Option<&FlatSet<String>>) -> bool {
    let named = |pinhole: &Pinhole| pinhole.enabled && matches!(pinhole.host, PinholeHost::Name(_));
    let asked = firewall4.is_some_and(|asked| !asked.is_empty());
    !config.uplinks.is_empty() && (asked || config.pinholes.iter().any(named))
}

/// A host's name as nftables takes it for a set: letters, digits and `_`.
pub(super) fn set_name(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

struct Places<'a> {
    config: &'a Config,
    live: &'a FlatMap<&'a str, Vec<Prefix>>,
    seen: &'a [Seen<'a>],
}

impl Places<'_> {
    /// Addresses of the host with this name, or this name of a set.
    fn named(&self, name: &str) -> FlatSet<Ipv6Addr> {
        let wanted = set_name(name);
        let is = |other: &str| !other.is_empty() && set_name(other) == wanted;
        let mut known = self.config.hosts.iter().filter(|host| is(&host.name) || is(&host.section)).peekable();
        let all: FlatSet<Ipv6Addr> = if known.peek().is_some() {
            known.flat_map(|host| self.of_host(host)).collect()
        } else {
            let itself = |seen: &&Seen<'_>| seen.name.split('.').next().is_some_and(is);
            self.seen.iter().filter(itself).map(|seen| seen.addr).filter(|addr| self.lan(*addr).is_some()).collect()
        };
        all.into_iter().take(MAX_ADDRESSES).collect()
    }

    /// Addresses of a host that has a section.
    fn of_host(&self, host: &Host) -> Vec<Ipv6Addr> {
        let seen = self.seen.iter().filter(|seen| belongs(seen, host)).map(|seen| seen.addr);
        let mut all: Vec<Ipv6Addr> = host.addresses.iter().copied().chain(seen).collect();
        all.retain(|addr| self.lan(*addr).is_some());
        // an identifier is the host's on the LANs where it is; one that was never seen may be anywhere
        let on: FlatSet<&str> = all.iter().filter_map(|addr| self.lan(*addr)).collect();
        let lans = self.live.iter().filter(|(lan, _)| on.is_empty() || on.contains(*lan));
        let ids = || host.host_id.into_iter().chain(host.macs.iter().map(Mac::eui64));
        for (_, prefixes) in lans {
            all.extend(ids().flat_map(|id| in_each(prefixes, id)));
        }
        all
    }

    /// Which LAN an address is on.
    fn lan(&self, addr: Ipv6Addr) -> Option<&str> {
        let on = self.live.iter().find(|(_, prefixes)| prefixes.iter().any(|prefix| prefix.contains(addr)));
        on.map(|(lan, _)| *lan)
    }
}

/// Whether what was seen is this host's.
fn belongs(seen: &Seen<'_>, host: &Host) -> bool {
    let by_duid = seen.duid.is_some_and(|(duid, iaid)| {
        host.duids.iter().any(|known| known.duid == *duid && known.iaid.is_none_or(|only| only == iaid))
    });
    let mac = seen.mac.or_else(|| seen.duid.and_then(|(duid, _)| duid.mac()));
    by_duid || mac.is_some_and(|mac| host.macs.contains(&mac))
}

fn in_each<'a>(prefixes: impl IntoIterator<Item = &'a Prefix>, id: u64) -> impl Iterator<Item = Ipv6Addr> {
    prefixes.into_iter().map(move |prefix| with_iid(prefix.addr(), id))
}

/// All of them if one says all.
fn protocols(list: &[Protocol]) -> Vec<Protocol> {
    if list.contains(&Protocol::All) { vec![Protocol::All] } else { list.to_vec() }
}

/// Ranges of ports, ascending, those that touch made one.
fn merged(ports: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut sorted = ports.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(u16, u16)> = Vec::new();
    for (low, high) in sorted {
        match merged.last_mut() {
            Some((_, last)) if u32::from(low) <= u32::from(*last) + 1 => *last = high.max(*last),
            _ => merged.push((low, high)),
        }
    }
    merged
}

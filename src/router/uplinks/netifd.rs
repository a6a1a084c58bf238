//! What OpenWrt's netifd says of its interfaces: the whole of an uplink of type `netifd`.
//!
//! netifd keeps the addresses and routes, which are source-specific as ours would be; we take its prefixes for the LANs,
//! and its next hop to ask. It tells how many seconds a lifetime has left, in whole ones, so that the same lifetime ends a
//! little earlier or later each time it is read: [`NetifdFacts::steady`] keeps what is the same.

use super::{Own, Running};
use crate::config::UplinkKind;
use crate::net::{ALL_ROUTERS, FlatMap, Lifetimes, Prefix, Until};
use crate::proto::uplink::Ready;
use std::net::Ipv6Addr;

/// Ends that are this near each other are the same, in milliseconds: netifd rounds down, and its answer takes a moment.
const SAME: u64 = 2_000;

/// What netifd says of one interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetifdFacts {
    /// Whether it is up.
    pub up: bool,
    /// Whether it is being set up.
    pub pending: bool,
    /// Why it could not be set up, in netifd's words (`NO_DEVICE`); empty: it said nothing.
    pub error: String,
    /// What was delegated to it, or configured (`ip6prefix`).
    pub prefixes: Vec<(Prefix, Lifetimes)>,
    /// Out of these prefixes, what netifd gave to other interfaces (`ip6assign`): the interface's name, and its share.
    pub assigned: Vec<(String, Prefix)>,
    /// Its addresses, with the lengths of their prefixes.
    pub addresses: Vec<(Ipv6Addr, u8, Lifetimes)>,
    /// The next hop of its default route, `::` if everything is on the link; `None`: there is no such route.
    pub gateway: Option<Ipv6Addr>,
    /// Name servers.
    pub dns: Vec<Ipv6Addr>,
}

impl NetifdFacts {
    /// These facts with the lifetimes of `before` where they are the same but for rounding.
    #[must_use]
    pub fn steady(mut self, before: &NetifdFacts) -> NetifdFacts {
        for (prefix, lifetimes) in &mut self.prefixes {
            let was = before.prefixes.iter().find(|(was, _)| was == prefix);
            *lifetimes = was.map_or(*lifetimes, |(_, was)| steady(*lifetimes, *was));
        }
        for (addr, _, lifetimes) in &mut self.addresses {
            let was = before.addresses.iter().find(|(was, ..)| was == addr);
            *lifetimes = was.map_or(*lifetimes, |(.., was)| steady(*lifetimes, *was));
        }
        self
    }
}

fn steady(now: Lifetimes, was: Lifetimes) -> Lifetimes {
    let end = |now: Until, was: Until| match (now, was) {
        (Until::At(a), Until::At(b)) if a.0.abs_diff(b.0) <= SAME => was,
        _ => now,
    };
    Lifetimes { preferred: end(now.preferred, was.preferred), valid: end(now.valid, was.valid) }
}

/// What netifd gave to devices out of the prefixes that it has: the LANs there had better have the same.
pub(in crate::router) fn assigned(
    all: &FlatMap<String, NetifdFacts>,
    interfaces: &FlatMap<String, String>,
) -> Vec<(String, Prefix)> {
    let assigned = all.values().flat_map(|facts| &facts.assigned);
    assigned.filter_map(|(interface, prefix)| Some((interfaces.get(interface)?.clone(), *prefix))).collect()
}

impl Running {
    /// What netifd says of its interface, if it is netifd's and netifd has one of that name.
    pub(super) fn netifd<'a>(&self, own: Own<'a>) -> Option<&'a NetifdFacts> {
        let UplinkKind::Netifd { interface } = &self.config.kind else { return None };
        own.netifd.get(interface)
    }

    /// What keeps an uplink of netifd's from being used; `None`: nothing, or it is none of netifd's.
    pub(super) fn netifd_lacks(&self, own: Own<'_>) -> Option<Ready> {
        let UplinkKind::Netifd { interface } = &self.config.kind else { return None };
        if own.netifd.is_empty() {
            return Some(Ready::Down("netifd has told us nothing yet: its interfaces are known by ubus only".into()));
        }
        let Some(facts) = own.netifd.get(interface) else {
            return Some(Ready::Down(format!("netifd has no interface {interface}: name one of /etc/config/network")));
        };
        if !facts.up {
            let why = match (facts.error.as_str(), facts.pending) {
                ("", true) => return Some(Ready::Waiting(format!("netifd is setting interface {interface} up"))),
                ("", false) => format!("netifd's interface {interface} is down: `ifup {interface}` brings it up"),
                (error, _) => format!("netifd could not set interface {interface} up: {error}"),
            };
            return Some(Ready::Down(why));
        }
        let lack = if facts.prefixes.is_empty() {
            "prefix"
        } else if facts.gateway.is_none() {
            "IPv6 default route"
        } else {
            return None;
        };
        Some(Ready::Waiting(format!("netifd's interface {interface} has no {lack} yet")))
    }

    /// Whom to ask beyond netifd's interface.
    pub(super) fn netifd_gateway(&self, own: Own<'_>) -> Option<Ipv6Addr> {
        let gateway = self.netifd(own)?.gateway?;
        Some(if gateway.is_unspecified() { ALL_ROUTERS } else { gateway })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Instant;

    #[test]
    fn lifetimes_that_differ_by_rounding_are_the_same() {
        let at = |secs: u64| Until::At(Instant(0).after_secs(secs));
        let facts = |preferred, valid| NetifdFacts {
            prefixes: vec![("2001:db8::/56".parse().unwrap(), Lifetimes { preferred, valid })],
            ..NetifdFacts::default()
        };
        let before = facts(at(100), at(200));
        assert_eq!(facts(at(99), at(201)).steady(&before), before);
        for other in [facts(at(0), at(200)), facts(at(100), at(300)), facts(Until::Forever, Until::Forever)] {
            assert_eq!(other.clone().steady(&before), other);
        }
        let gone = NetifdFacts::default();
        assert_eq!(gone.clone().steady(&before), gone);
    }
}

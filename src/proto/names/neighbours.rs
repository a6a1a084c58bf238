//! Which addresses hosts made themselves (SLAAC), as far as the kernel's table of neighbours tells, and which of them may
//! stand in the zone.
//!
//! A host has temporary addresses beside its stable ones (RFC 8981), and an address does not say which it is. Taken for
//! stable is
//!
//! * one with the identifier of the host's MAC address (RFC 4291 appendix A),
//! * one with the identifier of the host's link-local address: a temporary one is random for itself (RFC 8981 §3.3.1),
//! * one that was there for two days: a temporary one is not used that long (RFC 8981 §3.8).
//!
//! A host that was seen with a stable identifier in one prefix makes that address in every prefix of the LAN, so that it
//! is named in a new prefix before it has said a word there. Stable opaque addresses (RFC 7217) of hosts that say nothing
//! of them by DHCPv6 (RFC 9686) are known after two days.

use crate::net::{FlatMap, Instant, Mac, Prefix, is_link_local, with_iid};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Most hosts that are remembered: Linux remembers 1,024 neighbours by default.
const MAX_HOSTS: usize = 1_024;
/// Most addresses of one host: eight prefixes with a stable and a temporary one in each.
const MAX_ADDRESSES: usize = 16;
/// TEMP_VALID_LIFETIME (RFC 8981 §3.8).
const TEMPORARY: Duration = Duration::from_secs(2 * 86_400);
/// How long a host is remembered that says nothing.
const SILENT: Duration = Duration::from_secs(86_400);

/// Hosts by LAN and MAC address.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    hosts: BTreeMap<(String, Mac), Host>,
}

#[derive(Debug, Default)]
struct Host {
    /// When each address was first seen, and when last.
    addresses: FlatMap<Ipv6Addr, (Instant, Instant)>,
}

impl Host {
    fn last_seen(&self) -> Instant {
        self.addresses.values().map(|(_, last)| *last).max().unwrap_or_default()
    }
}

impl Neighbours {
    /// Takes in what the kernel knows of a LAN now; says whether that is news.
    pub(super) fn note(&mut self, lan: &str, seen: &[(Ipv6Addr, Mac)], now: Instant) -> bool {
        let mut news = self.forget(now);
        for (addr, mac) in seen {
            let key = (lan.to_owned(), *mac);
            if !self.hosts.contains_key(&key) && self.hosts.len() >= MAX_HOSTS && !self.make_room(now) {
                continue;
            }
            let host = self.hosts.entry(key).or_default();
            match host.addresses.get_mut(addr) {
                Some((first, last)) => {
                    // only a host's oldest addresses can come to count by their age
                    news |= last.since(*first) < TEMPORARY && now.since(*first) >= TEMPORARY;
                    *last = now;
                }
                None => {
                    if host.addresses.len() >= MAX_ADDRESSES {
                        let oldest = host.addresses.iter().min_by_key(|(_, (_, last))| *last).map(|(addr, _)| *addr);
                        oldest.map(|addr| host.addresses.remove(&addr));
                    }
                    host.addresses.insert(*addr, (now, now));
                    news = true;
                }
            }
        }
        news
    }

    /// Forgets the host that was silent for longest, if any was: who makes up neighbours does not keep them up.
    fn make_room(&mut self, now: Instant) -> bool {
        let silent = self.hosts.iter().map(|(key, host)| (host.last_seen(), key)).min();
        let silent = silent.filter(|(last, _)| *last < now).map(|(_, key)| key.clone());
        silent.and_then(|key| self.hosts.remove(&key)).is_some()
    }

    /// Forgets hosts and addresses that were not seen for long.
    fn forget(&mut self, now: Instant) -> bool {
        let before = self.hosts.len();
        for host in self.hosts.values_mut() {
            host.addresses.retain(|_, (_, last)| now.since(*last) < SILENT);
        }
        self.hosts.retain(|_, host| !host.addresses.is_empty());
        self.hosts.len() != before
    }

    /// Whose each address is, by LAN and address.
    pub(super) fn owners(&self) -> BTreeMap<(&str, Ipv6Addr), Mac> {
        let each = self
            .hosts
            .iter()
            .flat_map(|((lan, mac), host)| host.addresses.keys().map(move |addr| ((lan.as_str(), *addr), *mac)));
        each.collect()
    }

    /// The stable addresses of a host in these prefixes of a LAN; `slaac`: hosts may make addresses there.
    pub(super) fn stable(&self, lan: &str, mac: Mac, prefixes: &[Prefix], slaac: bool) -> Vec<Ipv6Addr> {
        let Some(host) = self.hosts.get(&(lan.to_owned(), mac)) else { return Vec::new() };
        let iid = |addr: &Ipv6Addr| u128::from(*addr) as u64;
        let mut ids: Vec<u64> = host.addresses.keys().filter(|addr| is_link_local(**addr)).map(iid).collect();
        ids.push(mac.eui64());
        let wide = || host.addresses.iter().filter(|(addr, _)| !is_link_local(**addr));
        // what it uses in no prefix, it may use in none
        ids.retain(|id| wide().any(|(addr, _)| iid(addr) == *id));
        let made = prefixes.iter().flat_map(|prefix| ids.iter().map(|id| with_iid(prefix.addr(), *id)));
        let made = made.filter(|addr| slaac || host.addresses.contains_key(addr));
        let old = wide().filter(|(_, (first, last))| last.since(*first) >= TEMPORARY).map(|(addr, _)| *addr);
        let old = old.filter(|addr| prefixes.iter().any(|prefix| prefix.contains(*addr)));
        let mut all: Vec<Ipv6Addr> = made.chain(old).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([2, 0, 0x5e, 0, 0x53, 1]);
    const HOUR: u64 = 3_600_000;

    fn seen(addrs: &[&str]) -> Vec<(Ipv6Addr, Mac)> {
        addrs.iter().map(|addr| (addr.parse().unwrap(), MAC)).collect()
    }

    fn prefixes(all: &[&str]) -> Vec<Prefix> {
        all.iter().map(|prefix| prefix.parse().unwrap()).collect()
    }

    fn text(addrs: Vec<Ipv6Addr>) -> Vec<String> {
        addrs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_made_of_the_mac_counts_and_a_random_one_does_not() {
        let mut neighbours = Neighbours::default();
        let (own, random) = ("2001:db8::5eff:fe00:5301", "2001:db8::1234:5678:9abc:def0");
        let live = prefixes(&["2001:db8::/64"]);
        assert!(neighbours.note("lan", &seen(&[random]), Instant(0)));
        assert!(neighbours.stable("lan", MAC, &live, true).is_empty());
        assert!(neighbours.note("lan", &seen(&[own]), Instant(0)));
        assert!(!neighbours.note("lan", &seen(&[random, own]), Instant(5)), "nothing new");
        assert_eq!(text(neighbours.stable("lan", MAC, &live, true)), [own]);
        assert!(neighbours.stable("guest", MAC, &live, true).is_empty());
        let owners = neighbours.owners();
        assert_eq!(owners.get(&("lan", own.parse().unwrap())), Some(&MAC));
        assert_eq!(owners.get(&("guest", own.parse().unwrap())), None);
    }

    #[test]
    fn an_address_like_the_link_local_one_counts_once_it_is_used() {
        let mut neighbours = Neighbours::default();
        let live = prefixes(&["2001:db8::/64", "fd00::/64"]);
        neighbours.note("lan", &seen(&["fe80::a:b:c:d", "2001:db8::1:2:3:4"]), Instant(0));
        assert!(neighbours.stable("lan", MAC, &live, true).is_empty());
        neighbours.note("lan", &seen(&["2001:db8::a:b:c:d"]), Instant(0));
        assert_eq!(text(neighbours.stable("lan", MAC, &live, true)), ["2001:db8::a:b:c:d", "fd00::a:b:c:d"]);
        assert_eq!(text(neighbours.stable("lan", MAC, &live, false)), ["2001:db8::a:b:c:d"], "no SLAAC there");
        let renumbered = prefixes(&["2001:db8:2::/64"]);
        assert_eq!(text(neighbours.stable("lan", MAC, &renumbered, true)), ["2001:db8:2:0:a:b:c:d"]);
    }

    #[test]
    fn an_address_that_stays_for_two_days_is_not_temporary() {
        let mut neighbours = Neighbours::default();
        let live = prefixes(&["2001:db8::/64"]);
        for hour in 0..48 {
            neighbours.note("lan", &seen(&["2001:db8::1:2:3:4"]), Instant(hour * HOUR));
            assert!(neighbours.stable("lan", MAC, &live, true).is_empty(), "{hour}");
        }
        assert!(neighbours.note("lan", &seen(&["2001:db8::1:2:3:4"]), Instant(48 * HOUR)), "that is news");
        assert_eq!(text(neighbours.stable("lan", MAC, &live, true)), ["2001:db8::1:2:3:4"]);
        assert!(neighbours.note("lan", &[], Instant(72 * HOUR)), "silent for a day");
        assert!(neighbours.stable("lan", MAC, &live, true).is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut neighbours = Neighbours::default();
        let many: Vec<_> = (0..100u128).map(|id| (Ipv6Addr::from(0x2001_0db8 << 96 | id), MAC)).collect();
        neighbours.note("lan", &many, Instant(0));
        assert_eq!(neighbours.hosts.values().map(|host| host.addresses.len()).sum::<usize>(), MAX_ADDRESSES);
        let macs = (0..10_000u128).map(|id| {
            let [.., c, d] = id.to_be_bytes();
            (Ipv6Addr::from(0x2001_0db8 << 96 | id), Mac([2, 0, 0, 0, c, d]))
        });
        let macs: Vec<_> = macs.collect();
        neighbours.note("lan", &macs, Instant(1));
        assert_eq!(neighbours.hosts.len(), MAX_HOSTS);
        let mine = ("lan".to_owned(), MAC);
        assert!(!neighbours.hosts.contains_key(&mine), "silent for longest");
        neighbours.note("lan", &seen(&["2001:db8::1"]), Instant(2));
        neighbours.note("lan", &[&seen(&["2001:db8::1"]), &macs[..]].concat(), Instant(3));
        assert!(neighbours.hosts.contains_key(&mine), "who speaks is not forgotten");
    }
}

//! Names → what stands in each zone.
//!
//! ```text
//! lan                    the router, its services (RFC 6763), every host             A, AAAA, SRV, PTR, TXT
//! office.lan             hosts of a LAN with a domain of its own
//! 6.5.4.3.2.1.d.f.ip6.arpa   one for each prefix of ours, gone when the prefix is     PTR (RFC 3596 §2.5)
//! 1.168.192.in-addr.arpa one for each /24 of the LANs' IPv4 networks                 PTR (RFC 1035 §3.5)
//! h.lan                  the zone of hash names: every name in it has its address
//! home.example           a public zone: the router alone, and what updates bring
//! ```
//!
//! SOA records are the server's, since serials are. A zone below another is delegated in it, so that a secondary that has
//! one of the two alone answers as we do.

use super::claims::own_name;
use super::{Entry, Known, Who};
use crate::net::{Prefix, siphash};
use crate::wire::dns::{Name, Type, srv_rdata, txt_rdata};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// TTL in seconds of what does not change with addresses.
const STEADY: u32 = 300;
/// TTL of addresses where the configuration has no `dns`.
const ADDRESS: u32 = 10;
/// Where updates are asked for (DNS-SD name of RFC 2136 servers, draft-sekar-dns-ul).
const UPDATE: &str = "_dns-update._udp";
/// Where the tools of OLPC look for a server of dynamic names.
const OLPC: &str = "_olpcdyndns1._tcp";
/// The DNS server itself, by its name in the registry of services (RFC 6335).
const DOMAIN: &str = "_domain._udp";
/// Reverse zones of IPv4 networks at most: a LAN has one or a few.
const MAX_REVERSE4: usize = 64;

/// A record of a zone, of class IN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its owner.
    pub name: Name,
    /// Its type.
    pub rtype: Type,
    /// RDATA, uncompressed.
    pub rdata: Vec<u8>,
    /// TTL in seconds.
    pub ttl: u32,
}

/// What a zone holds, its SOA record left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name.
    pub origin: Name,
    /// The primary server: this router (SOA MNAME, RFC 1035 §3.3.13).
    pub primary: Name,
    /// Everything else, in order.
    pub records: BTreeSet<Record>,
    /// Not empty: every name in the zone has its hash address in each of these prefixes ([`super::hash`]).
    pub hash: Vec<Prefix>,
}

/// A zone has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It now holds this and nothing else, but for what updates brought.
    Is(Zone),
    /// It is ours no more.
    Gone(Name),
}

/// What is another than before; `before` has a hash and the number of records of each zone.
pub(super) fn changes(now: Vec<Zone>, before: &mut BTreeMap<Name, (u64, usize)>) -> Vec<Change> {
    let mut gone = std::mem::take(before);
    let mut changes = Vec::new();
    for zone in now {
        let (hash, count) = (fingerprint(&zone), zone.records.len());
        let was = gone.remove(&zone.origin);
        before.insert(zone.origin.clone(), (hash, count));
        if was != Some((hash, count)) {
            changes.push(Change::Is(zone));
        }
    }
    changes.extend(gone.into_keys().map(Change::Gone));
    changes
}

fn fingerprint(zone: &Zone) -> u64 {
    let mut hash = 0u64;
    let mut add = |bytes: &[u8]| hash = siphash(u128::from(hash).to_le_bytes(), bytes);
    add(zone.primary.as_bytes());
    for prefix in &zone.hash {
        add(prefix.to_string().as_bytes());
    }
    for Record { name, rtype, rdata, ttl } in &zone.records {
        add(name.as_bytes());
        add(&[&rtype.0.to_be_bytes()[..], &ttl.to_be_bytes(), rdata].concat());
    }
    hash
}

/// Every zone, by name.
pub(super) fn zones(known: &Known<'_>, entries: &[Entry]) -> Vec<Zone> {
    let mut zones = Zones::new(known);
    let Some(primary) = zones.primary() else { return Vec::new() };
    zones.forward(entries);
    zones.reverse(entries);
    zones.public();
    zones.services();
    zones.finish(&primary)
}

struct Zones<'a> {
    known: &'a Known<'a>,
    own: String,
    /// The common domain; empty: there is none.
    common: String,
    /// The zone of hash names.
    hash_zone: Option<Name>,
    ttl: u32,
    records: BTreeMap<Name, BTreeSet<Record>>,
}

impl<'a> Zones<'a> {
    fn new(known: &'a Known<'a>) -> Zones<'a> {
        let dns = known.config.dns.as_ref();
        Zones {
            known,
            own: own_name(known.hostname),
            common: known.domain(),
            hash_zone: dns.and_then(|dns| dns.hash_zone.as_ref()?.parse().ok()),
            ttl: dns.map_or(ADDRESS, |dns| dns.ttl),
            records: BTreeMap::new(),
        }
    }

    /// The common domain, and those that LANs have.
    fn domains(&self) -> BTreeSet<String> {
        let lans = self.known.lans.iter().map(|lan| lan.domain.to_ascii_lowercase());
        lans.chain([self.common.clone()]).filter(|domain| !domain.is_empty()).collect()
    }

    /// The router's name in its first domain; without one there are no names at all.
    fn primary(&self) -> Option<Name> {
        let domain = if self.common.is_empty() { self.domains().into_iter().next()? } else { self.common.clone() };
        format!("{}.{domain}", self.own).parse().ok()
    }

    fn add(&mut self, origin: &Name, name: &Name, rtype: Type, ttl: u32, rdata: Vec<u8>) {
        if let Some(records) = self.records.get_mut(origin) {
            records.insert(Record { name: name.clone(), rtype, rdata, ttl });
        }
    }

    fn add_address(&mut self, origin: &Name, name: &Name, addr: IpAddr) {
        let (rtype, rdata) = match addr {
            IpAddr::V4(addr) => (Type::A, addr.octets().to_vec()),
            IpAddr::V6(addr) => (Type::AAAA, addr.octets().to_vec()),
        };
        self.add(origin, name, rtype, self.ttl, rdata);
    }

    fn forward(&mut self, entries: &[Entry]) {
        for domain in self.domains() {
            let Ok(origin) = domain.parse::<Name>() else { continue };
            self.records.insert(origin.clone(), BTreeSet::new());
            for entry in entries.iter().filter(|entry| entry.domain == domain) {
                let Some(name) = whole(entry) else { continue };
                entry.addresses.iter().for_each(|addr| self.add_address(&origin, &name, *addr));
            }
        }
        self.records.extend(self.hash_zone.clone().map(|origin| (origin, BTreeSet::new())));
    }

    fn reverse(&mut self, entries: &[Entry]) {
        let zones: Vec<Name> =
            self.reverse_zones().into_iter().filter(|zone| !self.records.contains_key(zone)).collect();
        self.records.extend(zones.iter().map(|zone| (zone.clone(), BTreeSet::new())));
        for entry in entries.iter().filter(|entry| !entry.alias) {
            // the router has one name for each of its addresses, too: that of the common domain
            let twin = entry.who == Who::Router && entry.domain != self.common && !self.common.is_empty();
            let Some(name) = whole(entry).filter(|_| !twin) else { continue };
            for addr in &entry.addresses {
                let owner = Name::reverse(*addr);
                let zone = zones.iter().filter(|zone| owner.is_within(zone)).max_by_key(|zone| zone.label_count());
                if let Some(zone) = zone {
                    self.add(zone, &owner, Type::PTR, self.ttl, name.as_bytes().to_vec());
                }
            }
        }
    }

    /// One for each prefix that ends between two hexadecimal digits; of others, one for each /64 that a LAN has.
    fn reverse_zones(&self) -> BTreeSet<Name> {
        let whole = self.known.prefixes.iter().filter(|prefix| prefix.len() % 4 == 0).copied();
        let lans = || self.known.lans.iter().flat_map(|lan| lan.prefixes.iter().copied());
        let parts = lans().filter(|lan| !self.known.prefixes.iter().any(|p| p.len() % 4 == 0 && p.covers(lan)));
        let v6 = whole.chain(parts).filter_map(reverse_zone);
        let networks = self.known.lans.iter().flat_map(|lan| &lan.networks);
        let v4 = networks.flat_map(|(addr, len)| {
            let (bits, count) = (u32::from(*addr), 1u32 << 24u8.saturating_sub(*len).min(24));
            let first = bits & u32::MAX.checked_shl(32 - u32::from((*len).min(24))).unwrap_or(0);
            (0..count).map(move |number| Ipv4Addr::from(first | number << 8))
        });
        let v4 = v4.filter_map(|net| Name::reverse(net.into()).parent()).take(MAX_REVERSE4);
        v6.chain(v4).collect()
    }

    /// Public zones that are none of our domains: the router, as the Internet sees it.
    fn public(&mut self) {
        let known = self.known;
        for zone in known.config.dns.iter().flat_map(|dns| &dns.public_zones) {
            let Some(origin) = zone.parse().ok().filter(|origin| !self.records.contains_key(origin)) else { continue };
            self.records.insert(origin.clone(), BTreeSet::new());
            let Ok(name) = origin.child(self.own.as_bytes()) else { continue };
            let global = known.lans.iter().flat_map(|lan| &lan.router).filter_map(global);
            global.for_each(|addr| self.add_address(&origin, &name, addr.into()));
            self.add(&origin, &origin, Type::NS, STEADY, name.as_bytes().to_vec());
        }
    }

    /// The server itself, and where to look for services (RFC 6763 §11).
    fn services(&mut self) {
        let Some(dns) = &self.known.config.dns else { return };
        let updates = self.known.config.keys.values().any(|key| !key.may.is_empty());
        for domain in self.domains() {
            let (Ok(origin), Ok(router)) = (domain.parse::<Name>(), format!("{}.{domain}", self.own).parse::<Name>())
            else {
                continue;
            };
            let mut enumeration = vec!["b", "lb", "db"];
            if updates {
                enumeration.extend(["r", "dr"]);
            }
            for kind in enumeration {
                self.pointer(&origin, &format!("{kind}._dns-sd._udp"), &origin);
            }
            self.service(&origin, &router, &self.own.clone(), DOMAIN, dns.port);
            if updates {
                self.service(&origin, &router, &self.own.clone(), UPDATE, dns.port);
                self.service(&origin, &router, "primary", OLPC, dns.port);
                // what clients of draft-sekar-dns-ul ask for: the service's own name
                if let Some(name) = below(&origin, UPDATE) {
                    self.add(&origin, &name, Type::SRV, STEADY, srv_rdata(0, 0, dns.port, &router));
                }
            }
        }
    }

    /// An instance of a service (RFC 6763 §4 to §6), and the service among all (§9).
    fn service(&mut self, origin: &Name, router: &Name, instance: &str, service: &str, port: u16) {
        let Some(kind) = below(origin, service) else { return };
        let Ok(name) = kind.child(instance.as_bytes()) else { return };
        self.add(origin, &name, Type::SRV, STEADY, srv_rdata(0, 0, port, router));
        self.add(origin, &name, Type::TXT, STEADY, txt_rdata([]));
        self.add(origin, &kind, Type::PTR, STEADY, name.as_bytes().to_vec());
        self.pointer(origin, "_services._dns-sd._udp", &kind);
    }

    fn pointer(&mut self, origin: &Name, owner: &str, to: &Name) {
        if let Some(owner) = below(origin, owner) {
            self.add(origin, &owner, Type::PTR, STEADY, to.as_bytes().to_vec());
        }
    }

    /// The zones with their servers: those at their tops, and where one is below another.
    fn finish(mut self, primary: &Name) -> Vec<Zone> {
        let origins: Vec<Name> = self.records.keys().cloned().collect();
        for origin in &origins {
            if !self.records.get(origin).is_some_and(|records| records.iter().any(|r| r.rtype == Type::NS)) {
                self.add(origin, origin, Type::NS, STEADY, primary.as_bytes().to_vec());
            }
            let above = origins.iter().filter(|other| *other != origin && origin.is_within(other));
            if let Some(parent) = above.max_by_key(|other| other.label_count()) {
                self.add(parent, origin, Type::NS, STEADY, primary.as_bytes().to_vec());
            }
        }
        let lans: BTreeSet<Prefix> = self.known.lans.iter().flat_map(|lan| lan.prefixes.iter().copied()).collect();
        let zones = self.records.into_iter().map(|(origin, records)| {
            let hash =
                if Some(&origin) == self.hash_zone.as_ref() { lans.iter().copied().collect() } else { Vec::new() };
            Zone { origin, primary: primary.clone(), records, hash }
        });
        zones.collect()
    }
}

/// `owner` relative to `origin`.
fn below(origin: &Name, owner: &str) -> Option<Name> {
    owner.parse::<Name>().ok()?.under(origin).ok()
}

/// The whole name of an entry.
fn whole(entry: &Entry) -> Option<Name> {
    format!("{}.{}", entry.name, entry.domain).parse().ok()
}

/// The zone of a prefix whose length is a multiple of 4 (RFC 3596 §2.5).
fn reverse_zone(prefix: Prefix) -> Option<Name> {
    let whole = Name::reverse(prefix.addr().into());
    // 32 digits, and ip6.arpa
    let digits = usize::from(prefix.len() / 4);
    Name::from_labels(whole.labels().skip(32 - digits.min(32))).ok()
}

/// An address that the Internet can reach.
pub(super) fn global(addr: &IpAddr) -> Option<Ipv6Addr> {
    match addr {
        IpAddr::V6(addr) => Some(*addr).filter(|addr| Prefix::GLOBAL.contains(*addr)),
        IpAddr::V4(_) => None,
    }
}

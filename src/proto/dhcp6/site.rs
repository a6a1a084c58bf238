//! The configuration, prepared so that no message costs a walk over it: spaces with what is blocked in them, known
//! hosts by DUID and MAC, and options as they go onto the wire.

use super::pool::{Space, Span, Spans, hash};
use super::{Binding, Config, Link, Resource, State, Subnet};
use crate::config::{Host, LanDhcp6};
use crate::net::FlatMap;
use crate::net::{Duid, Instant, Mac, Prefix, is_link_local, with_iid};
use crate::wire::dhcp6::{Dnr, Writer, option};
use crate::wire::svcparams;
use std::cell::Cell;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Interface identifiers that nobody may get (RFC 5453 and IANA's list).
const RESERVED_IIDS: [(u64, u64); 3] = [
    // the subnet-router anycast address
    (0, 0),
    // those made of IANA's block of Ethernet addresses, with proxy mobile IPv6's in it
    (0x0200_5eff_fe00_0000, 0x0200_5eff_feff_ffff),
    // subnet anycast addresses (RFC 2526)
    (0xfdff_ffff_ffff_ff80, 0xfdff_ffff_ffff_ffff),
];

/// Everything configured.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) duid: Option<Duid>,
    /// Keeps one router's choices apart from another's, and from being foreseen by who doesn't see its DUID.
    pub(super) key: u64,
    pub(super) links: FlatMap<u32, Served>,
    pub(super) hosts: Hosts,
}

/// A link that is served.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) lan: Arc<str>,
    pub(super) subnets: Vec<Space>,
    pub(super) pools: Vec<Space>,
    pub(super) options: LanDhcp6,
    /// Options for those who request them: their codes, and the whole options as bytes.
    pub(super) on_request: Vec<(u16, Vec<u8>)>,
}

impl Site {
    pub(super) fn new(config: &Config) -> Site {
        let on_link: Vec<Prefix> = config.links.values().flat_map(|link| &link.subnets).map(|s| s.prefix).collect();
        let hosts = Hosts::new(config, &on_link);
        let reserved: Vec<Span> =
            hosts.owners.iter().map(|(first, (last, _))| Span { first: *first, last: *last }).collect();
        let links = config.links.iter().map(|(index, link)| (*index, Served::new(link, &on_link, &reserved)));
        Site {
            key: config.duid.as_ref().map_or(0, |duid| hash(0, duid.as_bytes())),
            duid: config.duid.clone(),
            links: links.collect(),
            hosts,
        }
    }

    /// The link that the binding of a prefix is routed to; `None`: nowhere, since it is not ours to give (any more).
    pub(super) fn route(&self, binding: &Binding, now: Instant) -> Option<u32> {
        let Resource::Prefix(prefix) = binding.resource else { return None };
        if binding.state != State::Bound || binding.lifetimes.valid.is_over(now) {
            return None;
        }
        let (index, served) = self.links.iter().find(|(_, served)| served.lan == binding.lan)?;
        let ours = self
            .links
            .values()
            .flat_map(|served| &served.pools)
            .any(|pool| !pool.lifetimes.valid.is_over(now) && pool.permits_reserved(prefix.into()));
        (ours && served.reaches(binding.via)).then_some(*index)
    }

    /// Whether what is bound would be given today: it lies in a subnet or pool that is not deprecated.
    pub(super) fn is_good(&self, binding: &Binding, now: Instant) -> bool {
        let Some(served) = self.links.values().find(|served| served.lan == binding.lan) else { return false };
        let has = |space: &Space, within: bool| within && !space.lifetimes.preferred.is_over(now);
        match binding.resource {
            Resource::Address(address) => served.subnets.iter().any(|it| has(it, it.prefix.contains(address))),
            Resource::Prefix(prefix) => served.pools.iter().any(|it| has(it, it.prefix.covers(&prefix))),
        }
    }

    /// The link with a subnet that holds this address.
    pub(super) fn link_with(&self, addr: Ipv6Addr) -> Option<&Served> {
        self.links.values().find(|served| served.subnets.iter().any(|subnet| subnet.prefix.contains(addr)))
    }
}

impl Served {
    fn new(link: &Link, on_link: &[Prefix], reserved: &[Span]) -> Served {
        let subnets = link.subnets.iter().map(|subnet| subnet_space(subnet, &link.options, reserved));
        let pools = link.pools.iter().map(|pool| Space {
            prefix: pool.prefix,
            lifetimes: pool.lifetimes,
            open: pool.prefix.into(),
            never: Spans::new(pool.reserved.iter().chain(on_link).map(|prefix| Span::from(*prefix)).collect()),
            reserved: within(pool.prefix, reserved),
            in_vain: Cell::default(),
        });
        Served {
            lan: link.lan.clone(),
            subnets: subnets.collect(),
            pools: pools.collect(),
            options: link.options.clone(),
            on_request: on_request(link),
        }
    }

    /// Whether a neighbour of that address can be on this link.
    pub(super) fn reaches(&self, addr: Ipv6Addr) -> bool {
        is_link_local(addr) || self.subnets.iter().any(|subnet| subnet.prefix.contains(addr))
    }
}

fn subnet_space(subnet: &Subnet, options: &LanDhcp6, reserved: &[Span]) -> Space {
    let addr = subnet.prefix.addr();
    let iids = |low: u64, high: u64| Span { first: with_iid(addr, low).into(), last: with_iid(addr, high).into() };
    let (low, high) = options.range;
    let never = RESERVED_IIDS.into_iter().map(|(low, high)| iids(low, high)).chain(subnet.router.map(Span::from));
    Space {
        prefix: subnet.prefix,
        lifetimes: subnet.lifetimes,
        open: iids(low.min(high), high),
        never: Spans::new(never.collect()),
        reserved: within(subnet.prefix, reserved),
        in_vain: Cell::default(),
    }
}

fn within(prefix: Prefix, reserved: &[Span]) -> Spans {
    Spans::new(reserved.iter().copied().filter(|span| span.overlaps(prefix.into())).collect())
}

fn on_request(link: &Link) -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    let mut put = |code: u16, write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::options();
        write(&mut writer);
        // too long for an option is too long to be sent
        all.extend(writer.finish().map(|bytes| (code, bytes)));
    };
    if !link.dns.is_empty() {
        put(option::DNS_SERVERS, &|w| w.addresses(option::DNS_SERVERS, &link.dns));
    }
    if !link.search.is_empty() {
        put(option::DOMAIN_LIST, &|w| w.names(option::DOMAIN_LIST, link.search.iter().map(String::as_str)));
    }
    for (code, seconds) in
        [(option::SOL_MAX_RT, link.options.sol_max_rt), (option::INF_MAX_RT, link.options.inf_max_rt)]
    {
        if let Some(seconds) = seconds {
            put(code, &|w| w.put(code, &seconds.to_be_bytes()));
        }
    }
    if let Some(uri) = &link.captive_portal {
        put(option::CAPTIVE_PORTAL, &|w| w.put(option::CAPTIVE_PORTAL, uri.as_bytes()));
    }
    let mut params = Vec::new();
    // the configuration has checked the parameters
    if let Some(dnr) = link.dnr.as_ref().filter(|dnr| svcparams::encode(&dnr.params, &mut params).is_ok()) {
        let addresses = dnr.addresses.clone();
        let dnr = Dnr { priority: dnr.priority, name: dnr.name.clone(), addresses, params: &params };
        put(option::DNR, &|w| w.dnr(&dnr));
    }
    if link.options.registration {
        put(option::ADDR_REG_ENABLE, &|w| w.put(option::ADDR_REG_ENABLE, &[]));
    }
    all
}

/// Hosts known by DUID or MAC, and what is reserved for them.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    by_duid: FlatMap<Box<[u8]>, Vec<Known>>,
    by_mac: FlatMap<Mac, usize>,
    /// First address of what is reserved → its last, and for whom.
    owners: FlatMap<u128, (u128, usize)>,
}

/// A host, or the one of its identity associations that a section is about.
#[derive(Debug)]
struct Known {
    iaid: Option<u32>,
    host: usize,
}

impl Hosts {
    fn new(config: &Config, on_link: &[Prefix]) -> Hosts {
        let mut hosts = Hosts::default();
        for (index, host) in config.hosts.iter().enumerate() {
            for known in &host.duids {
                hosts.by_duid.or_default(known.duid.as_bytes().into()).push(Known { iaid: known.iaid, host: index });
            }
            for mac in &host.macs {
                hosts.by_mac.or_insert(*mac, index);
            }
            for span in reserved(host, on_link) {
                // of two hosts that want the same the first one has it
                if hosts.owner(span).is_none() {
                    hosts.owners.insert(span.first, (span.last, index));
                }
            }
        }
        hosts
    }

    /// The host that this identity association belongs to: by DUID and IAID, by DUID alone, or by MAC.
    pub(super) fn find(&self, duid: &[u8], iaid: u32, mac: Option<Mac>) -> Option<usize> {
        let by_duid = self.by_duid.get(duid).and_then(|known| {
            let exact = known.iter().find(|known| known.iaid == Some(iaid));
            exact.or_else(|| known.iter().find(|known| known.iaid.is_none())).map(|known| known.host)
        });
        by_duid.or_else(|| mac.and_then(|mac| self.by_mac.get(&mac).copied()))
    }

    /// Whether any of a client's identity associations belongs to a host.
    pub(super) fn knows(&self, duid: &[u8], mac: Option<Mac>) -> bool {
        self.by_duid.contains_key(duid) || mac.is_some_and(|mac| self.by_mac.contains_key(&mac))
    }

    /// The host that something in this span is reserved for.
    pub(super) fn owner(&self, span: Span) -> Option<usize> {
        let (_, (last, host)) = self.owners.range(..=span.last).next_back()?;
        (*last >= span.first).then_some(*host)
    }

    /// What is reserved for this host in this space.
    pub(super) fn reserved_in(&self, host: usize, space: Span) -> impl Iterator<Item = Span> {
        let within = self.owners.range(space.first..=space.last).filter(move |(_, (_, owner))| *owner == host);
        within.map(|(first, (last, _))| Span { first: *first, last: *last }).filter(move |span| space.covers(*span))
    }
}

fn reserved(host: &Host, on_link: &[Prefix]) -> Vec<Span> {
    let by_id = host.host_id.into_iter().flat_map(|id| on_link.iter().map(move |net| with_iid(net.addr(), id)));
    let addresses = by_id.chain(host.addresses.iter().copied()).map(Span::from);
    addresses.chain(host.prefix.map(Span::from)).collect()
}

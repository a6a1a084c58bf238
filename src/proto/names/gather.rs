//! Who is there, by what they are called and where: one device for everything that belongs together.

use super::neighbours::Neighbours;
use super::{Known, Lan, Source, Who};
use crate::config::{Host, UplinkKind};
use crate::net::{Duid, FlatMap, Mac, is_link_local, with_iid};
use crate::proto::dhcp6::{Binding, Resource, State};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

/// A device with what it is called, and its addresses.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// By its best source.
    pub(super) name: Option<(Source, String)>,
    /// More names, by the owner.
    pub(super) aliases: Vec<String>,
    /// Addresses, each with the place of its LAN in [`Known::lans`]; without one: it is on none.
    pub(super) addresses: BTreeSet<(Option<usize>, IpAddr)>,
}

impl Device {
    fn call(&mut self, source: Source, name: &str) {
        let better = self.name.as_ref().is_none_or(|(known, _)| source < *known);
        if better && !name.is_empty() {
            self.name = Some((source, name.to_owned()));
        }
    }
}

/// Every device that is known. `macs` remembers whose DUID is whose MAC address.
pub(super) fn devices(
    known: &Known<'_>,
    neighbours: &Neighbours,
    macs: &mut BTreeMap<Duid, Mac>,
) -> BTreeMap<Who, Device> {
    let mut gathering = Gathering::new(known);
    gathering.router();
    gathering.peers();
    learn_macs(known, neighbours, macs);
    gathering.bindings(macs);
    gathering.leases4();
    gathering.hosts();
    gathering.neighbours(neighbours);
    gathering.devices
}

/// Learns the MAC addresses of clients whose DUIDs don't tell them.
fn learn_macs(known: &Known<'_>, neighbours: &Neighbours, macs: &mut BTreeMap<Duid, Mac>) {
    let owners = neighbours.owners();
    let without = || known.bindings.iter().filter(|binding| binding.client.mac().is_none());
    let clients: BTreeSet<&Duid> = without().map(|binding| &binding.client).collect();
    macs.retain(|duid, _| clients.contains(duid));
    for binding in without() {
        let addr = if let Resource::Address(addr) = binding.resource { Some(addr) } else { None };
        let mut places = addr.into_iter().chain([binding.via]);
        if let Some(mac) = places.find_map(|addr| owners.get(&(&*binding.lan, addr))) {
            macs.insert(binding.client.clone(), *mac);
        }
    }
}

struct Gathering<'a> {
    known: &'a Known<'a>,
    devices: BTreeMap<Who, Device>,
    /// Sections `host`, by MAC address and by DUID.
    by_mac: FlatMap<Mac, &'a Host>,
    by_duid: FlatMap<&'a Duid, Vec<(Option<u32>, &'a Host)>>,
    /// Which MAC addresses are whose.
    macs: BTreeMap<Who, BTreeSet<Mac>>,
}

impl<'a> Gathering<'a> {
    fn new(known: &'a Known<'a>) -> Gathering<'a> {
        let mut by_mac = FlatMap::new();
        let mut by_duid: FlatMap<&Duid, Vec<_>> = FlatMap::new();
        for host in &known.config.hosts {
            host.macs.iter().for_each(|mac| _ = by_mac.or_insert(*mac, host));
            host.duids.iter().for_each(|id| by_duid.or_default(&id.duid).push((id.iaid, host)));
        }
        Gathering { known, devices: BTreeMap::new(), by_mac, by_duid, macs: BTreeMap::new() }
    }

    fn router(&mut self) {
        let device = self.devices.entry(Who::Router).or_default();
        device.call(Source::Router, self.known.hostname);
        for (index, lan) in self.known.lans.iter().enumerate() {
            device.addresses.extend(lan.router.iter().map(|addr| (Some(index), *addr)));
        }
    }

    /// Peers with a name; theirs are the single addresses that may come from them.
    fn peers(&mut self) {
        for (name, uplink) in self.known.config.uplinks.iter().filter(|(_, uplink)| uplink.enabled) {
            let UplinkKind::Wireguard(wireguard) = &uplink.kind else { continue };
            let Some(peer) = &wireguard.peer_name else { continue };
            let device = self.devices.entry(Who::Peer(name.clone())).or_default();
            device.call(Source::Peer, peer);
            let single = wireguard.allowed_ips.iter().filter(|prefix| prefix.len() == 128);
            device.addresses.extend(single.map(|prefix| (None, IpAddr::V6(prefix.addr()))));
        }
    }

    fn bindings(&mut self, macs: &BTreeMap<Duid, Mac>) {
        for binding in self.known.bindings.iter().filter(|binding| binding.state != State::Declined) {
            let Resource::Address(addr) = binding.resource else { continue };
            let mac = binding.client.mac().or_else(|| macs.get(&binding.client).copied());
            let host = self.section(&binding.client, binding.iaid, mac);
            let who = match (host, mac) {
                (Some(host), _) => Who::Host(host.section.clone()),
                (None, Some(mac)) => Who::Mac(mac),
                (None, None) => Who::Duid(binding.client.clone()),
            };
            self.macs.entry(who.clone()).or_default().extend(mac);
            let lan = self.live(addr, &binding.lan);
            let device = self.devices.entry(who).or_default();
            device.call(source(binding, host), &binding.hostname);
            device.addresses.extend(lan.map(|lan| (Some(lan), IpAddr::V6(addr))));
        }
    }

    /// The section `host` of a client.
    fn section(&self, duid: &Duid, iaid: u32, mac: Option<Mac>) -> Option<&'a Host> {
        let by_duid = self.by_duid.get(duid).and_then(|known| {
            let exact = known.iter().find(|(only, _)| *only == Some(iaid));
            exact.or_else(|| known.iter().find(|(only, _)| only.is_none())).map(|(_, host)| *host)
        });
        by_duid.or_else(|| self.by_mac.get(&mac?).copied())
    }

    /// The LAN that has a live /64 with this address, first of all `lan`.
    fn live(&self, addr: Ipv6Addr, lan: &str) -> Option<usize> {
        let holds = |lan: &Lan| lan.prefixes.iter().any(|prefix| prefix.contains(addr));
        let lans = || self.known.lans.iter().enumerate();
        let own = lans().find(|(_, on)| on.name == lan && holds(on));
        own.or_else(|| lans().find(|(_, on)| holds(on))).map(|(index, _)| index)
    }

    fn leases4(&mut self) {
        for lease in self.known.leases4 {
            let who = match self.by_mac.get(&lease.mac) {
                Some(host) => Who::Host(host.section.clone()),
                None => Who::Mac(lease.mac),
            };
            let bits = |addr: std::net::Ipv4Addr, len: u8| {
                u32::from(addr).checked_shr(32 - u32::from(len.min(32))).unwrap_or(0)
            };
            let on = |lan: &Lan| lan.networks.iter().any(|(net, len)| bits(*net, *len) == bits(lease.addr, *len));
            let lan = self.known.lans.iter().position(on);
            self.macs.entry(who.clone()).or_default().insert(lease.mac);
            let device = self.devices.entry(who).or_default();
            device.call(Source::Dhcp4, &lease.name);
            device.addresses.extend(lan.map(|lan| (Some(lan), IpAddr::V4(lease.addr))));
        }
    }

    /// What the owner says of hosts: names, and what is reserved for them, whether they are there or not.
    fn hosts(&mut self) {
        for host in &self.known.config.hosts {
            let who = Who::Host(host.section.clone());
            self.macs.entry(who.clone()).or_default().extend(&host.macs);
            let addresses: Vec<_> =
                host.addresses.iter().filter_map(|addr| Some((*addr, self.live(*addr, "")?))).collect();
            let device = self.devices.entry(who).or_default();
            device.call(Source::Host, &host.name);
            device.aliases.clone_from(&host.aliases);
            device.addresses.extend(addresses.into_iter().map(|(addr, lan)| (Some(lan), IpAddr::V6(addr))));
            let Some(id) = host.host_id else { continue };
            // where it was seen; one that never was may be anywhere
            let seen: BTreeSet<usize> = device.addresses.iter().filter_map(|(lan, _)| *lan).collect();
            let lans = self.known.lans.iter().enumerate();
            for (index, lan) in lans.filter(|(index, _)| seen.is_empty() || seen.contains(index)) {
                let made = lan.prefixes.iter().map(|prefix| IpAddr::V6(with_iid(prefix.addr(), id)));
                device.addresses.extend(made.map(|addr| (Some(index), addr)));
            }
        }
    }

    /// The addresses that devices made themselves.
    fn neighbours(&mut self, neighbours: &Neighbours) {
        for (who, macs) in &self.macs {
            let Some(device) = self.devices.get_mut(who) else { continue };
            for (index, lan) in self.known.lans.iter().enumerate() {
                let of_mac = |mac: &Mac| neighbours.stable(&lan.name, *mac, &lan.prefixes, lan.slaac);
                let made = macs.iter().flat_map(of_mac).filter(|addr| !is_link_local(*addr));
                device.addresses.extend(made.map(|addr| (Some(index), IpAddr::V6(addr))));
            }
        }
    }
}

/// How far a client's own name is trusted.
fn source(binding: &Binding, host: Option<&Host>) -> Source {
    match (host, binding.state) {
        (Some(_), _) => Source::Reserved,
        (None, State::Registered) => Source::Registered,
        (None, _) => Source::Dhcp6,
    }
}

//! What an uplink gives, and whether it is ready to be used.

use super::{Own, Running};
use crate::config::UplinkKind;
use crate::net::{ALL_ROUTERS, FlatMap, Instant, Lifetimes, Prefix, is_link_local};
use crate::plan::{self, Actual, RouteTarget};
use crate::proto::uplink::{Ready, Role};
use std::net::Ipv6Addr;

/// An address, the length of the prefix that is on the link, and how long it lives.
type OwnAddress = (Ipv6Addr, u8, Lifetimes);

impl Running {
    /// The uplink as the plan takes it.
    pub(super) fn gives(&self, name: &str, own: Own<'_>, role: Role, now: Instant) -> plan::Uplink {
        let (on_link, next_hop) = self.routes(now);
        plan::Uplink {
            device: self.device.clone(),
            link: self.link,
            make: self.device_wanted(name, own),
            role,
            next_hop,
            on_link,
            addresses: self.addresses(own, now),
            prefixes: self.prefixes(own, now),
            lans: self.config.lans.clone(),
            mtu: self.config.mtu.or_else(|| self.learned_mtu(own.actual, now)),
            deaf: self.host.is_some(),
            shared: self.shared(),
        }
    }

    /// Where packets go: prefixes that are beyond the device itself, and the next hop for everything else.
    fn routes(&self, now: Instant) -> (Vec<Prefix>, Option<RouteTarget>) {
        let Some(link) = self.link.filter(|_| self.ready) else { return (Vec::new(), None) };
        let via = |gateway| RouteTarget::Via { link, gateway };
        match &self.config.kind {
            UplinkKind::Static { gateway, .. } => (Vec::new(), Some(gateway.map_or(RouteTarget::OnLink { link }, via))),
            UplinkKind::Native { .. } => {
                let learned = self.host.as_ref().map(|host| host.learned(now));
                let router = learned.and_then(|learned| learned.routers.first().map(|router| via(router.address)));
                (Vec::new(), router.or_else(|| self.kept.as_ref()?.next_hop))
            }
            // netifd has routes of its own
            UplinkKind::Netifd { .. } => (Vec::new(), None),
            UplinkKind::Wireguard(_) | UplinkKind::SixInFour { .. } => (Vec::new(), Some(RouteTarget::OnLink { link })),
            // the relays of RFC 3068 are gone (RFC 7526): other 6to4 sites can be reached, and nothing else
            UplinkKind::SixToFour { .. } => (vec![Prefix::SIX_TO_FOUR], None),
            UplinkKind::SixRd { relay, prefix, .. } => (vec![*prefix], Some(via(relay.to_ipv6_compatible()))),
        }
    }

    fn addresses(&self, own: Own<'_>, now: Instant) -> Vec<OwnAddress> {
        let mut all: Vec<OwnAddress> = Vec::new();
        if let Some(given) = self.config.given() {
            all.extend(given.addresses.iter().map(|(addr, len)| (*addr, *len, Lifetimes::FOREVER)));
        }
        all.extend(self.tunnel_addresses(own));
        if let Some(host) = &self.host {
            let learned = host.learned(now);
            for address in &learned.addresses {
                let prefix = learned.prefixes.iter().find(|on| on.on_link && on.prefix.contains(address.address));
                let shared = self.is_shared(address.address);
                let len = prefix.filter(|_| !shared).map_or(128, |on| on.prefix.len());
                all.push((address.address, len, address.lifetimes));
            }
        }
        if let Some(client) = &self.client {
            all.extend(client.leases().addresses.iter().map(|lease| (lease.address, 128, lease.lifetimes)));
        }
        let kept = self.kept.iter().flat_map(|kept| kept.addresses.iter().copied());
        let kept: Vec<_> = kept.filter(|(addr, ..)| !all.iter().any(|(known, ..)| known == addr)).collect();
        all.extend(kept);
        all
    }

    fn prefixes(&self, own: Own<'_>, now: Instant) -> Vec<(Prefix, Lifetimes)> {
        let mut all: FlatMap<Prefix, Lifetimes> = FlatMap::new();
        if let Some(given) = self.config.given() {
            all.extend(given.prefixes.iter().map(|prefix| (*prefix, Lifetimes::FOREVER)));
        }
        all.extend(self.tunnel_prefix(own).map(|prefix| (prefix, Lifetimes::FOREVER)));
        all.extend(self.netifd(own).iter().flat_map(|netifd| netifd.prefixes.iter().copied()));
        if let Some(client) = &self.client {
            let leases = client.leases();
            all.extend(leases.prefixes.iter().map(|lease| (lease.prefix, lease.lifetimes)));
        }
        all.extend(self.shared_prefix(now));
        all.into_iter().filter(|(prefix, lifetimes)| prefix.len() <= 64 && !lifetimes.valid.is_over(now)).collect()
    }

    fn learned_mtu(&self, actual: &Actual, now: Instant) -> Option<u32> {
        let learned = self.host.as_ref().and_then(|host| host.learned(now).mtu);
        learned.or_else(|| actual.links.get(&self.link?).map(|device| device.mtu))
    }

    /// Where probes come from: an address of this uplink. The kernel chooses one toward a neighbour.
    pub(super) fn probe_source(&self, actual: &Actual, to: Ipv6Addr) -> Option<Ipv6Addr> {
        let link = self.link.filter(|_| !is_link_local(to))?;
        // the kernel gives sit an address ::a.b.c.d, which leads nowhere
        let leads = |addr: Ipv6Addr| !is_link_local(addr) && addr.to_bits() >> 32 != 0;
        actual.addresses_of(link).find(|(addr, address)| leads(*addr) && address.is_usable()).map(|(addr, _)| addr)
    }

    /// What the watch has to know before anything else.
    pub(super) fn readiness(&self, own: Own<'_>, now: Instant) -> Ready {
        if let Some(lacks) = self.netifd_lacks(own) {
            return lacks;
        }
        let device = self.link.and_then(|link| own.actual.links.get(&link));
        let why = match device {
            None => self.no_device(own),
            Some(device) if !device.up => format!("{} is down: bring it up, or plug the cable in", self.device),
            Some(_) if !self.ready => format!("{} has no link-local address yet", self.device),
            Some(_) => String::new(),
        };
        if !why.is_empty() {
            return Ready::Down(why);
        }
        let (on_link, next_hop) = self.routes(now);
        let netifd = matches!(self.config.kind, UplinkKind::Netifd { .. });
        if next_hop.is_none() && on_link.is_empty() && !netifd {
            return Ready::Waiting("no router advertisement has come yet".into());
        }
        if self.prefixes(own, now).is_empty() && !self.translates() {
            let asks = self.config.request().is_some_and(|request| request.prefix.is_some());
            let why = if asks { "waiting for a prefix by DHCPv6" } else { "it has no prefix for the LANs" };
            return Ready::Waiting(why.into());
        }
        let gateway = match next_hop {
            None if netifd => self.netifd_gateway(own),
            Some(RouteTarget::Via { gateway, .. }) if is_link_local(gateway) => Some(gateway),
            Some(RouteTarget::Via { gateway, .. }) if gateway.to_ipv4().is_none() => Some(gateway),
            Some(RouteTarget::OnLink { .. }) => Some(self.peer().unwrap_or(ALL_ROUTERS)),
            _ => None,
        };
        Ready::Complete { next_hop: gateway }
    }

    fn no_device(&self, own: Own<'_>) -> String {
        match &self.config.kind {
            UplinkKind::Static { .. } | UplinkKind::Native { .. } | UplinkKind::Netifd { .. } => {
                match self.device.as_str() {
                    "" => "its interface has no device in the network configuration".into(),
                    device => format!("there is no device {device}"),
                }
            }
            _ => self.why_no_tunnel(own),
        }
    }
}

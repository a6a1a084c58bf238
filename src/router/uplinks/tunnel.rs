//! Tunnels: which device an uplink wants, and the addresses and prefixes that follow from its parameters.

use super::{Own, Running};
use crate::config::{self, UplinkKind};
use crate::net::{Instant, Lifetimes, Prefix};
use crate::plan::{Actual, AllowedIp, Device, Peer, Sit, SixRd, Wireguard};
use crate::proto::endpoint::Endpoint;
use std::net::{Ipv4Addr, Ipv6Addr};

/// MTU of an IPv4 link less the outer header (RFC 4213 §3.2).
const SIT_MTU: u32 = 1480;

impl Running {
    /// The device that the kernel should have for it; `None`: none, or not yet.
    pub(super) fn device_wanted(&self, name: &str, own: Own<'_>) -> Option<Device> {
        let sit = |local, remote, ttl, sixrd| {
            let mtu = Some(self.config.mtu.unwrap_or(SIT_MTU));
            Some(Device::Sit(Sit { local, remote, ttl, mtu, sixrd, link: None }))
        };
        match &self.config.kind {
            UplinkKind::Static { .. } | UplinkKind::Native { .. } | UplinkKind::Netifd { .. } => None,
            UplinkKind::Wireguard(wireguard) => {
                let private_key = wireguard.private_key.clone().or_else(|| own.keys.get(name).cloned())?;
                Some(Device::Wireguard(Wireguard {
                    private_key,
                    listen_port: wireguard.listen_port,
                    mtu: self.config.mtu,
                    peers: vec![peer(wireguard, self.endpoint.as_ref())],
                }))
            }
            UplinkKind::SixInFour { local, remote, ttl, .. } => {
                sit(local.unwrap_or(Ipv4Addr::UNSPECIFIED), Some(*remote), *ttl, None)
            }
            UplinkKind::SixToFour { .. } => sit(self.local_v4(own.actual)?, None, 64, None),
            UplinkKind::SixRd { prefix, ipv4_mask_len, .. } => {
                let local = self.local_v4(own.actual)?;
                sit(local, None, 64, Some(six_rd(*prefix, local, *ipv4_mask_len)))
            }
        }
    }

    /// Our IPv4 address at the end of a tunnel that embeds it: the one configured, else a public one, else any.
    fn local_v4(&self, actual: &Actual) -> Option<Ipv4Addr> {
        let (local, public_only) = match &self.config.kind {
            UplinkKind::SixToFour { local } => (*local, true),
            UplinkKind::SixRd { local, .. } => (*local, false),
            _ => return None,
        };
        let all =
            || actual.ipv4.keys().map(|(_, addr)| *addr).filter(|addr| !addr.is_loopback() && !addr.is_link_local());
        local.or_else(|| all().find(|addr| is_public(*addr))).or_else(|| all().next().filter(|_| !public_only))
    }

    /// Tells what the broker is told: our address if it is configured, else all that might lead to it.
    pub(super) fn follow_ipv4(&mut self, actual: &Actual, now: Instant) {
        let (Some(update), UplinkKind::SixInFour { local, .. }) = (&mut self.update, &self.config.kind) else { return };
        let ours =
            actual.ipv4.keys().map(|(_, addr)| *addr).filter(|addr| !addr.is_loopback() && !addr.is_link_local());
        update.follow(ours.filter(|addr| local.is_none_or(|local| local == *addr)).collect(), now);
    }

    /// The prefix that follows from our IPv4 address (RFC 3056 §2, RFC 5969 §4).
    pub(super) fn tunnel_prefix(&self, own: Own<'_>) -> Option<Prefix> {
        match self.device_wanted(self.name_of_key(), own)? {
            Device::Sit(sit) => sit.site(),
            Device::Wireguard(_) => None,
        }
    }

    /// Addresses of the tunnel's end that nobody has to configure.
    pub(super) fn tunnel_addresses(&self, own: Own<'_>) -> Vec<(Ipv6Addr, u8, Lifetimes)> {
        let forever = |addr, len| vec![(addr, len, Lifetimes::FOREVER)];
        match &self.config.kind {
            UplinkKind::Wireguard(wireguard) => {
                let key = wireguard.private_key.as_ref().or_else(|| own.keys.get(self.name_of_key()));
                key.map_or_else(Vec::new, |key| forever(key.public().link_local(), 64))
            }
            UplinkKind::SixToFour { .. } | UplinkKind::SixRd { .. } => {
                let first = self.tunnel_prefix(own).map(|prefix| Ipv6Addr::from(u128::from(prefix.addr()) | 1));
                first.map_or_else(Vec::new, |addr| forever(addr, 128))
            }
            _ => Vec::new(),
        }
    }

    /// The section's name, by which its key is known.
    fn name_of_key(&self) -> &str {
        self.device.strip_prefix(crate::plan::DEVICE_PREFIX).unwrap_or_default()
    }

    /// Whom to ask whether the tunnel works, when nobody is configured: the other end's own address.
    pub(super) fn peer(&self) -> Option<Ipv6Addr> {
        match &self.config.kind {
            UplinkKind::Wireguard(wireguard) => Some(wireguard.peer_key.link_local()),
            UplinkKind::SixInFour { remote, .. } => Some(Sit::link_local(*remote)),
            _ => None,
        }
    }

    /// Why there is no tunnel device.
    pub(super) fn why_no_tunnel(&self, own: Own<'_>) -> String {
        match &self.config.kind {
            UplinkKind::SixToFour { .. } if self.local_v4(own.actual).is_none() => {
                "there is no public IPv4 address, which 6to4 needs: set local, or take another uplink".into()
            }
            UplinkKind::SixRd { .. } if self.local_v4(own.actual).is_none() => "there is no IPv4 address yet".into(),
            UplinkKind::Wireguard(wireguard)
                if wireguard.private_key.is_none() && !own.keys.contains_key(self.name_of_key()) =>
            {
                "its private key can't be read".into()
            }
            _ => format!("its device {} is not there yet", self.device),
        }
    }
}

fn peer(wireguard: &config::Wireguard, endpoint: Option<&Endpoint>) -> Peer {
    Peer {
        public_key: wireguard.peer_key,
        preshared_key: wireguard.preshared_key.clone(),
        endpoint: endpoint.and_then(Endpoint::addr),
        resolved: endpoint.map_or(0, Endpoint::resolved),
        allowed_ips: wireguard.allowed_ips.iter().map(|prefix| AllowedIp::V6(*prefix)).collect(),
        keepalive: wireguard.keepalive,
    }
}

/// 6rd's parameters as the kernel takes them.
fn six_rd(prefix: Prefix, local: Ipv4Addr, mask_len: u8) -> SixRd {
    let mask = u32::MAX.checked_shl(32 - u32::from(mask_len.min(32))).unwrap_or(0);
    SixRd { prefix, relay_prefix: (Ipv4Addr::from(u32::from(local) & mask), mask_len) }
}

/// Whether the Internet can send to it (RFC 6890).
fn is_public(addr: Ipv4Addr) -> bool {
    let [a, b, ..] = addr.octets();
    let shared = a == 100 && (64..128).contains(&b);
    !(addr.is_private() || addr.is_loopback() || addr.is_link_local() || addr.is_unspecified() || shared || a >= 224)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_follow_from_the_ipv4_address() {
        let p = |text: &str| text.parse::<Prefix>().unwrap();
        let site = |prefix: &str, addr: [u8; 4], mask_len| six_rd(p(prefix), addr.into(), mask_len).embed(addr.into());
        // RFC 5969 §7.1.1: what all addresses have in common is left out
        assert_eq!(site("2001:db8::/32", [10, 100, 100, 1], 8), Some(p("2001:db8:6464:100::/56")));
        assert_eq!(site("2001:db8::/32", [192, 0, 2, 4], 0), Some(p("2001:db8:c000:204::/64")));
        assert_eq!(site("2001:db8::/32", [192, 0, 2, 4], 32), Some(p("2001:db8::/32")));
        assert_eq!(site("2001:db8::/40", [192, 0, 2, 4], 0), None);
    }

    #[test]
    fn only_public_addresses_make_a_6to4_site() {
        for (addr, public) in [
            ([192, 0, 3, 1], true),
            ([10, 0, 0, 1], false),
            ([100, 64, 0, 1], false),
            ([192, 168, 1, 1], false),
            ([100, 128, 0, 1], true),
            ([169, 254, 1, 1], false),
        ] {
            assert_eq!(is_public(addr.into()), public, "{addr:?}");
        }
    }
}

use super::Actual;
use crate::net::{Key32, ParseError, Prefix, PublicKey};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Devices with names that begin like this are ours, if they are of a kind that we make.
pub const DEVICE_PREFIX: &str = "o6-";
/// A tunnel device. It is up from the moment it is made.
///
/// A WireGuard device has no link-local address but the one that is asked for, see [`PublicKey::link_local`]; a sit
/// device gets one from its IPv4 address by the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// IPv6 in IPv4.
    Sit(Sit),
    /// WireGuard.
    Wireguard(Wireguard),
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// IPv6 in IPv4.
    Sit,
    /// WireGuard.
    Wireguard,
}

impl DeviceKind {
    /// The kernel's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            DeviceKind::Sit => "sit",
            DeviceKind::Wireguard => "wireguard",
        }
    }

    /// The kernel's word read.
    pub fn from_word(word: &str) -> Option<DeviceKind> {
        [DeviceKind::Sit, DeviceKind::Wireguard].into_iter().find(|kind| kind.word() == word)
    }

    /// OpenWrt's package that brings it.
    pub fn package(&self) -> &'static str {
        match self {
            DeviceKind::Sit => "kmod-sit",
            DeviceKind::Wireguard => "kmod-wireguard",
        }
    }
}

/// An IPv6-in-IPv4 tunnel (RFC 4213 §3), Linux's `sit`.
///
/// # What the kernel checks by itself, and what it does not (net/ipv6/sit.c)
///
/// On reception: the outer source has to be `remote` where there is one (the lookup finds no tunnel otherwise, RFC
/// 4213 §4); without one (6to4, 6rd) an inner source within the 6to4 or 6rd prefix has to embed the outer source
/// (RFC 3964 §5.1.1, RFC 5969 §12). On sending without a `remote`, the outer destination is the one embedded in the
/// inner destination or the next hop `::a.b.c.d`, and it has to be unicast by the IPv4 routes. What it neither
/// checks, and a packet filter has to, is in [`Sit::SOURCE_CHECKS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sit {
    /// Our IPv4 address; 0.0.0.0: any.
    pub local: Ipv4Addr,
    /// The other end's IPv4 address; `None` for 6to4 and 6rd, where it follows from the destination.
    pub remote: Option<Ipv4Addr>,
    /// TTL of the IPv4 packets; 0: that of the IPv6 packet.
    pub ttl: u8,
    /// MTU in bytes, 1280 or more; `None`: what it has, at first 20 less than that of the device underneath.
    pub mtu: Option<u32>,
    /// Parameters of 6rd; `None`: 6in4, or 6to4.
    pub sixrd: Option<SixRd>,
    /// Index of the link its packets go out of; `None`: any.
    pub link: Option<u32>,
}

/// How an IPv6 prefix embeds an IPv4 address (RFC 5969 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SixRd {
    /// The 6rd prefix.
    pub prefix: Prefix,
    /// The IPv4 addresses' common prefix and its length in bits, which is left out: 0.0.0.0 and 0 for none.
    pub relay_prefix: (Ipv4Addr, u8),
}

impl SixRd {
    /// What a 6to4 device embeds (RFC 3056 §2); the kernel's default.
    pub const SIX_TO_FOUR: SixRd = SixRd { prefix: Prefix::SIX_TO_FOUR, relay_prefix: (Ipv4Addr::UNSPECIFIED, 0) };
}

/// A WireGuard device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wireguard {
    /// Its private key.
    pub private_key: Key32,
    /// UDP port; 0: whichever it has.
    pub listen_port: u16,
    /// MTU in bytes, 1280 or more; `None`: what it has, at first 1420.
    pub mtu: Option<u32>,
    /// Its peers, each public key once.
    pub peers: Vec<Peer>,
}

/// A peer of a WireGuard device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// By which it is known.
    pub public_key: PublicKey,
    /// The secret that is mixed in.
    pub preshared_key: Option<Key32>,
    /// Where to reach it, as last set; `None`: wherever it reaches us from. That the peer roamed since is no difference.
    pub endpoint: Option<SocketAddr>,
    /// How often the endpoint's name was resolved anew because the peer was silent: when this number changes, the
    /// endpoint is set again though it is the same, since the peer may have roamed elsewhere meanwhile.
    pub resolved: u32,
    /// Sources it may send from, and what is sent to it.
    pub allowed_ips: Vec<AllowedIp>,
    /// Seconds between keep-alives; 0: none.
    pub keepalive: u16,
}

/// Addresses of one family that a peer stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AllowedIp {
    /// IPv4 addresses, the bits behind the length zero.
    V4(Ipv4Addr, u8),
    /// IPv6 addresses.
    V6(Prefix),
}

impl Device {
    /// Its kind.
    pub fn kind(&self) -> DeviceKind {
        match self {
            Device::Sit(_) => DeviceKind::Sit,
            Device::Wireguard(_) => DeviceKind::Wireguard,
        }
    }

    /// Whether a device that is like `self` need not be changed to be as `wanted`.
    pub(super) fn serves(&self, wanted: &Device) -> bool {
        match (self, wanted) {
            (Device::Sit(is), Device::Sit(wanted)) => {
                let mtu = wanted.mtu.is_none_or(|mtu| is.mtu == Some(mtu));
                mtu && Sit { mtu: None, ..is.clone() } == Sit { mtu: None, ..wanted.clone() }
            }
            (Device::Wireguard(is), Device::Wireguard(wanted)) => {
                let same_peers = is.peers.len() == wanted.peers.len()
                    && wanted
                        .peers
                        .iter()
                        .all(|peer| is.peers.iter().any(|is| is.public_key == peer.public_key && is.serves(peer)));
                is.private_key == wanted.private_key
                    && (wanted.listen_port == 0 || is.listen_port == wanted.listen_port)
                    && wanted.mtu.is_none_or(|mtu| is.mtu == Some(mtu))
                    && same_peers
            }
            _ => false,
        }
    }

    /// What was known of this device before `self` was read from the kernel and the kernel does not tell: which
    /// endpoints were set by us. A peer that the kernel has no endpoint of needs one.
    pub(super) fn remember(&mut self, before: &Device) {
        let (Device::Wireguard(is), Device::Wireguard(before)) = (self, before) else { return };
        for peer in &mut is.peers {
            let was = before.peers.iter().find(|was| was.public_key == peer.public_key);
            if let Some(was) = was.filter(|was| peer.endpoint.is_some() && was.endpoint.is_some()) {
                (peer.endpoint, peer.resolved) = (was.endpoint, was.resolved);
            }
        }
    }
}

impl Sit {
    /// What the owner of a packet filter has to add for 6to4 and 6rd devices; see [`Sit`].
    pub const SOURCE_CHECKS: &str = "";

    /// The 6rd parameters the kernel works with.
    pub fn embedding(&self) -> SixRd {
        self.sixrd.unwrap_or(SixRd::SIX_TO_FOUR)
    }
}

impl Peer {
    fn serves(&self, wanted: &Peer) -> bool {
        let sorted = |ips: &[AllowedIp]| {
            let mut ips = ips.to_vec();
            ips.sort();
            ips.dedup();
            ips
        };
        let same_endpoint =
            wanted.endpoint.is_none() || (self.endpoint, self.resolved) == (wanted.endpoint, wanted.resolved);
        self.preshared_key == wanted.preshared_key
            && self.keepalive == wanted.keepalive
            && same_endpoint
            && sorted(&self.allowed_ips) == sorted(&wanted.allowed_ips)
    }
}

impl Actual {
    /// Whether somebody else's device stands under this name, so that ours can't be made.
    pub fn is_taken(&self, device: &str) -> bool {
        !self.devices.contains_key(device) && self.link_named(device).is_some()
    }
}

impl FromStr for AllowedIp {
    type Err = ParseError;

    /// `ADDRESS/LENGTH` of either family; bits behind the length must be zero.
    fn from_str(text: &str) -> Result<AllowedIp, ParseError> {
        let v4 = || {
            let (addr, len) = text.split_once('/')?;
            let (addr, len) = (addr.parse::<Ipv4Addr>().ok()?, len.parse::<u8>().ok().filter(|len| *len <= 32)?);
            let bits = u32::from(addr);
            (bits.checked_shl(len.into()).unwrap_or(0) == 0).then_some(AllowedIp::V4(addr, len))
        };
        match text.contains(':') {
            true => text.parse().map(AllowedIp::V6),
            false => v4().ok_or_else(|| ParseError(format!("'{text}' is no prefix; write it as ::/0 or 192.0.2.0/24"))),
        }
    }
}

impl fmt::Display for AllowedIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AllowedIp::V4(addr, len) => write!(f, "{addr}/{len}"),
            AllowedIp::V6(prefix) => prefix.fmt(f),
        }
    }
}

impl fmt::Debug for AllowedIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Device {
    /// In a few words, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Sit(Sit { local, remote: Some(remote), .. }) => write!(f, "sit from {local} to {remote}"),
            Device::Sit(sit) => write!(f, "sit from {} for {}", sit.local, sit.embedding().prefix),
            Device::Wireguard(device) => {
                write!(f, "wireguard {}", device.private_key.public())?;
                for peer in &device.peers {
                    write!(f, ", peer {}", peer.public_key)?;
                    if let Some(endpoint) = peer.endpoint {
                        write!(f, " at {endpoint}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

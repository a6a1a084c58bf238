//! Uplinks and pinholes as the owner wants them.

use super::Device;
use crate::net::{Key32, Prefix, PublicKey};
use std::net::{Ipv4Addr, Ipv6Addr};

/// How many uplinks' prefixes the LANs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UplinkMode {
    /// Those of the best one; the others stand by.
    Best,
    /// Those of every one that works (RFC 8028, RFC 8475).
    All,
}

/// A way to the Internet.
#[derive(Clone, Debug, PartialEq)]
pub struct Uplink {
    /// Whether it is used at all.
    pub enabled: bool,
    /// Which one is better: the smaller number, 0 to 999.
    pub priority: u32,
    /// LANs that get its prefixes; `None`: all.
    pub lans: Option<Vec<String>>,
    /// Addresses asked by echo whether it works; empty: its next hop.
    pub probes: Vec<Ipv6Addr>,
    /// MTU in bytes, 1280 to 65535; `None`: what the device or the network says.
    pub mtu: Option<u32>,
    /// What it is.
    pub kind: UplinkKind,
}

/// What an uplink is.
#[derive(Clone, Debug, PartialEq)]
pub enum UplinkKind {
    /// Everything by hand.
    Static {
        /// Its device.
        device: Device,
        /// The next hop; `None`: whoever is at the other end of the link.
        gateway: Option<Ipv6Addr>,
        /// Addresses and prefixes.
        given: Given,
    },
    /// Router advertisements and DHCPv6 of the network.
    Native {
        /// Its device.
        device: Device,
        /// What DHCPv6 is asked for.
        request: Request,
        /// What happens when there is a /64 on the link and nothing is delegated.
        share: Share,
    },
    /// What netifd has on an interface.
    Netifd {
        /// The section of /etc/config/network.
        interface: String,
    },
    /// A WireGuard tunnel.
    Wireguard(Box<Wireguard>),
    /// IPv6 in IPv4 to a broker (RFC 4213).
    SixInFour {
        /// Our IPv4 address; `None`: whichever leads to `remote`.
        local: Option<Ipv4Addr>,
        /// The broker's.
        remote: Ipv4Addr,
        /// TTL of the IPv4 packets, 1 to 255.
        ttl: u8,
        /// Where the broker wants to be told of our IPv4 address; empty: nowhere.
        update_url: String,
        /// Addresses and prefixes.
        given: Given,
    },
    /// 6to4 (RFC 3056).
    SixToFour {
        /// Our public IPv4 address; `None`: the one there is.
        local: Option<Ipv4Addr>,
    },
    /// 6rd (RFC 5969).
    SixRd {
        /// Our IPv4 address; `None`: whichever leads to `relay`.
        local: Option<Ipv4Addr>,
        /// The border relay.
        relay: Ipv4Addr,
        /// The provider's prefix.
        prefix: Prefix,
        /// How many leading bits of IPv4 addresses are left out, 0 to 32.
        ipv4_mask_len: u8,
    },
}

impl Uplink {
    /// What is given by hand, where something can be.
    pub fn given(&self) -> Option<&Given> {
        match &self.kind {
            UplinkKind::Static { given, .. } | UplinkKind::SixInFour { given, .. } => Some(given),
            UplinkKind::Wireguard(wireguard) => Some(&wireguard.given),
            _ => None,
        }
    }

    /// What DHCPv6 is asked for, where it is.
    pub fn request(&self) -> Option<Request> {
        match &self.kind {
            UplinkKind::Native { request, .. } => Some(*request),
            UplinkKind::Wireguard(wireguard) => wireguard.request,
            _ => None,
        }
    }
}

/// What is given by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Prefixes for LANs and delegation, at most 64 bits long.
    pub prefixes: Vec<Prefix>,
    /// Addresses of the uplink itself, with the length of their prefixes.
    pub addresses: Vec<(Ipv6Addr, u8)>,
}

/// What a DHCPv6 server is asked for (RFC 9915 §18.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether an address is asked for (IA_NA) where the network says it has some.
    pub address: bool,
    /// Whether a prefix is asked for (IA_PD), and its length if one is wished for, 1 to 64.
    pub prefix: Option<Option<u8>>,
    /// Whether the server may ask us to come back (RFC 9915 §21.20).
    pub reconfigure_accept: bool,
}

/// How a LAN gets something of a /64 that is on the uplink's own link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// By proxy if nothing is delegated.
    Auto,
    /// Neighbour discovery proxy: the LAN has the uplink's /64.
    Proxy,
    /// Translation by nftables: the LAN has its ULA only (RFC 6296, NAT66).
    Nat,
    /// Not at all.
    Off,
}

/// A WireGuard tunnel.
#[derive(Clone, Debug, PartialEq)]
pub struct Wireguard {
    /// Our private key; `None`: in `private_key_file`.
    pub private_key: Option<Key32>,
    /// Where our private key is, made if it is absent; empty: `wireguard-NAME.key` in `state_dir`.
    pub private_key_file: String,
    /// UDP port; 0: any.
    pub listen_port: u16,
    /// The peer's public key.
    pub peer_key: PublicKey,
    /// The peer's name in DNS, one label.
    pub peer_name: Option<String>,
    /// A key that both ends share beside.
    pub preshared_key: Option<Key32>,
    /// `HOST:PORT` of the peer; empty: it calls us.
    pub endpoint: String,
    /// What may come from the peer.
    pub allowed_ips: Vec<Prefix>,
    /// Seconds between packets that keep a NAT open, 0: none.
    pub keepalive: u16,
    /// What DHCPv6 is asked for over it; `None`: nothing.
    pub request: Option<Request>,
    /// Addresses and prefixes.
    pub given: Given,
}

/// A way in from the Internet to a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Pinhole {
    /// Section name, or `@pinhole[i]`.
    pub section: String,
    /// Whether it is open.
    pub enabled: bool,
    /// To whom.
    pub host: PinholeHost,
    /// Transport protocols.
    pub protocols: Vec<Protocol>,
    /// Lowest and highest port, each; empty: all.
    pub ports: Vec<(u16, u16)>,
    /// Who may come in; empty: everybody.
    pub sources: Vec<Prefix>,
}

/// Whom a pinhole leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinholeHost {
    /// A host by its name: a section `host`, or what it calls itself by DHCPv6.
    Name(String),
    /// Interface identifier on a LAN.
    Id {
        /// Lower half of the address.
        id: u64,
        /// Section name of the LAN.
        lan: String,
    },
}

/// A transport protocol that pinholes know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Every one, ICMPv6 too.
    All,
}

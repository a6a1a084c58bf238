use super::Actual;
use crate::net::{Key32, ParseError, Prefix, PublicKey, with_iid};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
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
/// # What the kernel checks by itself, and what not
///
/// (net/ipv6/sit.c, and tried with Linux 6.1.) With a `remote`, packets of any other IPv4 source are no packets of this
/// device (RFC 4213 §4). Without one, an IPv6 source that lies within the embedding prefix has to embed the IPv4
/// source, and a destination within it the IPv4 destination (RFC 3964 §5.2, RFC 5969 §9.2).
///
/// But it sends to whatever IPv4 address a destination embeds: private, loopback, broadcast and multicast ones too, and
/// our own; 0.0.0.0 alone is refused. It takes packets with IPv6 sources outside the embedding prefix from anybody, and
/// sends back out what came in. So a packet filter has to see to it, for a device `D` with our own prefix `P`, the
/// [`Sit::site`], that
///
/// * what came in by `D` does not go out by `D` or another uplink: no relay, no loop (RFC 6324 §3.1);
/// * nothing comes in by `D` with a source inside of us, or goes out by it with one other than `P`;
/// * with 6to4, no source coming in and no destination going out embeds an IPv4 address that is none of the Internet's,
///   or is an IPv4-compatible or IPv4-mapped address (RFC 3964 §5.3); with 6rd private ones are the provider's affair;
/// * with 6rd, an IPv6 source outside the 6rd prefix comes from the border relay only (RFC 5969 §12): in nftables
///   `ip protocol 41`, and the IPv6 source is `@th,64,128`, or its first bits.
///
/// And `P` should be unreachable where no part of it is in use (RFC 7084 WPD-5): what is sent to it by `D` comes back.
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

    /// The prefix of the site with this IPv4 address (RFC 5969 §4): the 6rd prefix, then the bits of `addr` that not
    /// all sites share. `None` if `addr` does not begin as all do, or a /64 does not fit.
    pub fn embed(&self, addr: Ipv4Addr) -> Option<Prefix> {
        let (shared, shared_len) = self.relay_prefix;
        let own_bits = 32u8.checked_sub(shared_len)?;
        let (addr, shared) = (u64::from(u32::from(addr)), u64::from(u32::from(shared)));
        let own = addr & ((1 << own_bits) - 1);
        let len = self.prefix.len().checked_add(own_bits).filter(|len| *len <= 64)?;
        self.prefix.subnet(own.into(), len).filter(|_| addr >> own_bits == shared >> own_bits)
    }
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
    /// The 6rd parameters the kernel works with.
    pub fn embedding(&self) -> SixRd {
        self.sixrd.unwrap_or(SixRd::SIX_TO_FOUR)
    }

    /// The link-local address of the tunnel's other end (RFC 4213 §3.7), which Linux has, too. A sit device belongs to no
    /// multicast group of routers, so this is whom to ask whether somebody is there.
    pub fn link_local(end: Ipv4Addr) -> Ipv6Addr {
        with_iid(Prefix::LINK_LOCAL.addr(), u32::from(end).into())
    }

    /// The prefix that belongs to our IPv4 address on a 6to4 or 6rd device; `None` for 6in4.
    pub fn site(&self) -> Option<Prefix> {
        self.embedding().embed(self.local).filter(|_| self.remote.is_none())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Change, Link};
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn sit(local: &str, sixrd: Option<SixRd>) -> Sit {
        Sit { local: local.parse().unwrap(), remote: None, ttl: 64, mtu: None, sixrd, link: None }
    }

    fn peer(key: u8, endpoint: Option<&str>) -> Peer {
        Peer {
            public_key: PublicKey([key; 32]),
            preshared_key: None,
            endpoint: endpoint.map(|addr| addr.parse().unwrap()),
            resolved: 0,
            allowed_ips: vec![AllowedIp::V6(Prefix::ALL)],
            keepalive: 0,
        }
    }

    fn wireguard(peers: Vec<Peer>) -> Wireguard {
        Wireguard { private_key: Key32([1; 32]), listen_port: 0, mtu: None, peers }
    }

    #[test]
    fn sites_have_the_prefixes_that_their_ipv4_addresses_give() {
        assert_eq!(sit("192.0.2.1", None).site(), Some(prefix("2002:c000:201::/48")));
        // RFC 5969 §4 and §7.1: a /32, and a network 10/8 whose first 8 bits are left out
        let table = [
            ("2001:db8::/32", "0.0.0.0", 0, "10.100.100.1", Some("2001:db8:a64:6401::/64")),
            ("2001:db8::/32", "10.0.0.0", 8, "10.100.100.1", Some("2001:db8:6464:100::/56")),
            ("2001:db8::/32", "10.0.0.0", 8, "11.100.100.1", None),
            ("2001:db8::/32", "10.1.2.3", 32, "10.1.2.3", Some("2001:db8::/32")),
            ("2001:db0::/28", "192.0.2.0", 24, "192.0.2.255", Some("2001:dbf:f000::/36")),
            ("2001:db8::/40", "0.0.0.0", 0, "10.100.100.1", None),
        ];
        for (rd, relay, len, addr, expected) in table {
            let sixrd = SixRd { prefix: prefix(rd), relay_prefix: (relay.parse().unwrap(), len) };
            assert_eq!(sit(addr, Some(sixrd)).site(), expected.map(prefix), "{rd} {relay}/{len} {addr}");
        }
        let broken = SixRd { prefix: prefix("2001:db8::/32"), relay_prefix: (Ipv4Addr::UNSPECIFIED, 33) };
        assert_eq!(broken.embed(Ipv4Addr::LOCALHOST), None);
        assert_eq!(Sit { remote: Some([192, 0, 2, 2].into()), ..sit("192.0.2.1", None) }.site(), None);
        assert_eq!(Sit::link_local([192, 0, 2, 2].into()).to_string(), "fe80::c000:202");
    }

    #[test]
    fn what_makes_no_difference_is_served() {
        let six = |mtu, ttl| Device::Sit(Sit { mtu, ttl, ..sit("192.0.2.1", None) });
        assert!(six(Some(1480), 64).serves(&six(None, 64)), "whatever it has");
        assert!(!six(Some(1480), 64).serves(&six(Some(1400), 64)) && !six(None, 64).serves(&six(None, 63)));
        let is = |peers| Device::Wireguard(wireguard(peers));
        let (a, b) = (peer(1, None), peer(2, None));
        assert!(is(vec![a.clone(), b.clone()]).serves(&is(vec![b.clone(), a.clone()])), "in whatever order");
        assert!(!is(vec![a.clone()]).serves(&is(vec![b.clone()])) && !is(vec![a.clone()]).serves(&is(vec![])));
        let ips = |texts: &[&str]| {
            let allowed_ips = texts.iter().map(|text| text.parse().unwrap()).collect();
            is(vec![Peer { allowed_ips, ..a.clone() }])
        };
        assert!(ips(&["::/0", "192.0.2.0/24"]).serves(&ips(&["192.0.2.0/24", "::/0", "::/0"])));
        assert!(!ips(&["::/0"]).serves(&ips(&["::/0", "0.0.0.0/0"])));
        let port = |listen_port| Device::Wireguard(Wireguard { listen_port, ..wireguard(Vec::new()) });
        assert!(port(4711).serves(&port(0)) && !port(4711).serves(&port(51820)));
        let at = |endpoint| is(vec![peer(1, endpoint)]);
        assert!(at(Some("192.0.2.1:1")).serves(&at(None)), "where a peer calls from is its own affair");
        assert!(!at(None).serves(&at(Some("192.0.2.1:1"))));
        assert!(!is(vec![]).serves(&six(None, 64)));
    }

    #[test]
    fn a_peer_that_roams_is_no_change_and_one_that_is_looked_up_again_is() {
        let mut actual = Actual::default();
        let told = |endpoint| Change::Device("o6-wg".into(), Device::Wireguard(wireguard(vec![peer(1, endpoint)])));
        let known = |actual: &Actual| match &actual.devices["o6-wg"] {
            Device::Wireguard(device) => (device.peers[0].endpoint, device.peers[0].resolved),
            Device::Sit(_) => panic!("no sit"),
        };
        assert!(actual.apply(told(Some("192.0.2.1:1"))));
        assert!(!actual.apply(told(Some("192.0.2.2:2"))), "it roamed");
        let first = (Some("192.0.2.1:1".parse().unwrap()), 0);
        assert_eq!(known(&actual), first);
        // also over a whole reading
        let mut all = Actual::default();
        all.apply(told(Some("192.0.2.2:2")));
        actual.apply(Change::All(all));
        assert_eq!(known(&actual), first);
        let again = Device::Wireguard(wireguard(vec![Peer { resolved: 1, ..peer(1, Some("192.0.2.1:1")) }]));
        assert!(!actual.devices["o6-wg"].serves(&again));
        // a kernel that has no endpoint of the peer needs one
        actual.apply(told(None));
        assert_eq!(known(&actual), (None, 0));
    }

    #[test]
    fn a_device_goes_with_its_link_and_a_name_may_be_taken() {
        let link = |name: &str| Link { name: name.into(), mac: None, up: true, mtu: 1480 };
        let mut actual = Actual::default();
        assert!(!actual.is_taken("o6-x"));
        actual.apply(Change::Link(7, link("o6-x")));
        assert!(actual.is_taken("o6-x"));
        let device = || Change::Device("o6-x".into(), Device::Sit(sit("192.0.2.1", None)));
        actual.apply(device());
        assert!(!actual.is_taken("o6-x"));
        actual.apply(Change::Ipv4(7, Ipv4Addr::LOCALHOST, 8));
        actual.apply(Change::LinkGone(7));
        assert!(actual.devices.is_empty() && actual.ipv4.is_empty());
        actual.apply(Change::Link(8, link("o6-x")));
        actual.apply(device());
        actual.apply(Change::Link(8, link("renamed")));
        assert!(actual.devices.is_empty(), "under another name it is not ours");
    }

    #[test]
    fn text_of_allowed_ips_round_trips_and_bad_text_is_refused() {
        for text in ["::/0", "0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "2001:db8::/32"] {
            assert_eq!(text.parse::<AllowedIp>().unwrap().to_string(), text);
        }
        for text in ["", "192.0.2.0", "192.0.2.0/33", "192.0.2.1/24", "1.2.3/8", "2001:db8::1/32", "0.0.0.0/x"] {
            assert!(text.parse::<AllowedIp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_device_in_words_shows_no_secret() {
        let secret = Key32([7; 32]);
        let with = Peer { preshared_key: Some(secret.clone()), ..peer(1, Some("192.0.2.1:1")) };
        let device = Device::Wireguard(Wireguard { private_key: secret.clone(), ..wireguard(vec![with]) });
        for text in [device.to_string(), format!("{device:?}")] {
            assert!(!text.contains(&secret.secret_text()) && !text.contains("7, 7"), "{text}");
        }
        assert_eq!(Device::Sit(sit("192.0.2.1", None)).to_string(), "sit from 192.0.2.1 for 2002::/16");
    }

    proptest! {
        #[test]
        fn embedding_never_fails_badly(len in 0..=128u8, relay: u32, relay_len: u8, addr: u32) {
            let sixrd = SixRd { prefix: Prefix::new(Ipv6Addr::LOCALHOST, len).unwrap(), relay_prefix: (relay.into(), relay_len) };
            if let Some(site) = sixrd.embed(addr.into()) {
                prop_assert!(sixrd.prefix.covers(&site) && site.len() <= 64);
            }
        }
    }
}

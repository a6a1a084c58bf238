//! Generic netlink (linux/genetlink.h) and WireGuard's messages in it (linux/wireguard.h).
//!
//! Written out here, since wireguard-control and the second netlink stack it brings are 200 KB of a package (measured,
//! compressed), a third of all that oasis6 takes.

use super::encode::{Attributes, Message};
use super::exchange::{Failure, Netlink, Request, attributes};
use crate::kernel::handshakes::Handshakes;
use crate::net::{Instant, Key32, Prefix, PublicKey};
use crate::plan::{AllowedIp, Peer, Wireguard};
use nix::errno::Errno;
use nix::libc;
use rtnetlink::sys::protocols::NETLINK_GENERIC;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

// linux/genetlink.h
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const GENERIC_HEADER: usize = 4;
// linux/wireguard.h
const VERSION: u8 = 1;
const WG_CMD_GET_DEVICE: u8 = 0;
const WG_CMD_SET_DEVICE: u8 = 1;
const WGDEVICE_A_IFNAME: u16 = 2;
const WGDEVICE_A_PRIVATE_KEY: u16 = 3;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_PEERS: u16 = 8;
const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_PRESHARED_KEY: u16 = 2;
const WGPEER_A_FLAGS: u16 = 3;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5;
const WGPEER_A_LAST_HANDSHAKE_TIME: u16 = 6;
const WGPEER_A_RX_BYTES: u16 = 7;
const WGPEER_A_TX_BYTES: u16 = 8;
const WGPEER_A_ALLOWEDIPS: u16 = 9;
const WGPEER_F_REMOVE_ME: u32 = 1 << 0;
const WGPEER_F_REPLACE_ALLOWEDIPS: u32 = 1 << 1;
const WGALLOWEDIP_A_FAMILY: u16 = 1;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;

/// Allowed IPs in one part of a peer; an attribute of netlink ends at 64 KiB, and one of them takes 36 bytes.
const IPS: usize = 256;
/// Bytes of peers in one message, reached by at most one part more: far below 64 KiB, too.
const PART: usize = 16 << 10;

/// A peer as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Which peer.
    pub public_key: PublicKey,
    /// Where it was heard of last, or will be sought.
    pub endpoint: Option<SocketAddr>,
    /// When the last handshake was; `None`: never.
    pub last_handshake: Option<Instant>,
    /// Bytes received.
    pub rx: u64,
    /// Bytes sent, calls for a handshake included.
    pub tx: u64,
}

/// A connection to WireGuard, made when it is first needed.
#[derive(Default)]
pub(super) struct Generic {
    connection: Option<(Netlink, u16)>,
}

/// All that the kernel says of a device; its MTU is the link's to know.
#[derive(Default)]
pub(super) struct Told {
    private_key: Option<Key32>,
    listen_port: u16,
    /// With the last handshake by the clock on the wall, which [`PeerStatus`] leaves open.
    peers: Vec<(Peer, PeerStatus, Option<Duration>)>,
}

impl Generic {
    fn connection(&mut self) -> Result<&mut (Netlink, u16), Failure> {
        if self.connection.is_none() {
            let mut netlink = Netlink::open(NETLINK_GENERIC)?;
            let mut name = Attributes::default();
            name.add(CTRL_ATTR_FAMILY_NAME, b"wireguard\0");
            let mut family = None;
            netlink.get(message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, VERSION, name), |_, payload| {
                family = find(payload, GENERIC_HEADER, CTRL_ATTR_FAMILY_ID).and_then(|id| id.try_into().ok());
            })?;
            let family = family.map(u16::from_ne_bytes).ok_or(Failure::from(Errno::ENOENT))?;
            self.connection = Some((netlink, family));
        }
        self.connection.as_mut().ok_or(Failure::from(Errno::ENOENT))
    }

    /// Reads a device.
    pub(super) fn read(&mut self, name: &str) -> Result<Told, Failure> {
        let (netlink, family) = self.connection()?;
        let mut question = Attributes::default();
        question.add(WGDEVICE_A_IFNAME, &terminated(name));
        let mut told = Told::default();
        netlink.dump(message(*family, WG_CMD_GET_DEVICE, VERSION, question), |_, payload| told.take(payload))?;
        Ok(told)
    }

    /// Makes a device as it is wanted. Sessions with peers that stay are kept.
    pub(super) fn configure(&mut self, name: &str, wanted: &Wireguard) -> Result<(), Failure> {
        let there = self.read(name)?;
        let (netlink, family) = self.connection()?;
        let requests = requests(*family, name, wanted, there.peers.iter().map(|(peer, ..)| peer.public_key));
        // one by one: together they may be more than a socket takes
        requests.into_iter().try_for_each(|request| netlink.change(vec![request]).pop().unwrap_or(Ok(())))
    }
}

impl Told {
    /// As the plan knows it.
    pub(super) fn device(self, mtu: u32) -> Wireguard {
        Wireguard {
            private_key: self.private_key.unwrap_or(Key32([0; 32])),
            listen_port: self.listen_port,
            mtu: Some(mtu),
            peers: self.peers.into_iter().map(|(peer, ..)| peer).collect(),
        }
    }

    /// How its peers do.
    pub(super) fn peers(self, handshakes: &mut Handshakes, now: Instant) -> Vec<PeerStatus> {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let told: Vec<_> = self.peers.iter().map(|(peer, _, stamp)| (peer.public_key, *stamp)).collect();
        let moments = handshakes.read(&told, wall, now);
        let statuses = self.peers.into_iter().map(|(_, status, _)| status);
        statuses.zip(moments).map(|(status, last_handshake)| PeerStatus { last_handshake, ..status }).collect()
    }

    /// Takes in one message of the dump. What can't be read is left out.
    fn take(&mut self, payload: &[u8]) {
        for (kind, value) in attributes(payload, GENERIC_HEADER).flatten() {
            match kind {
                WGDEVICE_A_PRIVATE_KEY => self.private_key = value.try_into().ok().map(Key32),
                WGDEVICE_A_LISTEN_PORT => self.listen_port = value.try_into().map_or(0, u16::from_ne_bytes),
                WGDEVICE_A_PEERS => attributes(value, 0).flatten().for_each(|(_, peer)| self.take_peer(peer)),
                _ => {}
            }
        }
    }

    fn take_peer(&mut self, value: &[u8]) {
        let Some(public_key) = find(value, 0, WGPEER_A_PUBLIC_KEY).and_then(|key| key.try_into().ok()) else { return };
        let public_key = PublicKey(public_key);
        let ips = find(value, 0, WGPEER_A_ALLOWEDIPS).unwrap_or_default();
        let ips = attributes(ips, 0).flatten().filter_map(|(_, ip)| allowed_ip(ip));
        // a peer that did not fit into one message goes on in the next with its key and more allowed IPs
        if let Some((peer, ..)) = self.peers.last_mut().filter(|(peer, ..)| peer.public_key == public_key) {
            peer.allowed_ips.extend(ips);
            return;
        }
        let number = |kind| find(value, 0, kind).and_then(|n| n.try_into().ok()).map(u64::from_ne_bytes);
        let keepalive = find(value, 0, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL);
        let preshared = find(value, 0, WGPEER_A_PRESHARED_KEY).and_then(|key| key.try_into().ok());
        let endpoint = find(value, 0, WGPEER_A_ENDPOINT).and_then(socket_address);
        let peer = Peer {
            public_key,
            preshared_key: preshared.filter(|key| *key != [0; 32]).map(Key32),
            endpoint,
            resolved: 0,
            allowed_ips: ips.collect(),
            keepalive: keepalive.and_then(|seconds| seconds.try_into().ok()).map_or(0, u16::from_ne_bytes),
        };
        let status = PeerStatus {
            public_key,
            endpoint,
            last_handshake: None,
            rx: number(WGPEER_A_RX_BYTES).unwrap_or(0),
            tx: number(WGPEER_A_TX_BYTES).unwrap_or(0),
        };
        self.peers.push((peer, status, find(value, 0, WGPEER_A_LAST_HANDSHAKE_TIME).and_then(time)));
    }
}

/// What makes a device with these peers as it is wanted, in messages that are never too long.
fn requests(family: u16, name: &str, wanted: &Wireguard, there: impl Iterator<Item = PublicKey>) -> Vec<Request> {
    let set = |more: &dyn Fn(&mut Attributes)| {
        let mut device = Attributes::default();
        device.add(WGDEVICE_A_IFNAME, &terminated(name));
        more(&mut device);
        (0, message(family, WG_CMD_SET_DEVICE, VERSION, device))
    };
    let gone = there.filter(|key| wanted.peers.iter().all(|peer| peer.public_key != *key)).map(|key| {
        let mut peer = Attributes::default();
        peer.add(WGPEER_A_PUBLIC_KEY, &key.0);
        peer.add(WGPEER_A_FLAGS, &WGPEER_F_REMOVE_ME.to_ne_bytes());
        peer
    });
    let mut all: Vec<Attributes> = gone.chain(wanted.peers.iter().flat_map(parts)).collect();
    let mut requests = vec![set(&|device| {
        device.add(WGDEVICE_A_PRIVATE_KEY, &wanted.private_key.0);
        if wanted.listen_port != 0 {
            device.add(WGDEVICE_A_LISTEN_PORT, &wanted.listen_port.to_ne_bytes());
        }
    })];
    while !all.is_empty() {
        let mut bytes = 0;
        let fits = |peer: &&Attributes| {
            let before = bytes;
            bytes += peer.0.len();
            before < PART
        };
        let count = all.iter().take_while(fits).count();
        let some: Vec<Attributes> = all.drain(..count).collect();
        requests
            .push(set(&|device| device.nest(WGDEVICE_A_PEERS, |peers| some.iter().for_each(|p| peers.add_nest(0, p)))));
    }
    requests
}

/// A peer, in parts of a bearable size.
fn parts(peer: &Peer) -> Vec<Attributes> {
    let mut first = Attributes::default();
    first.add(WGPEER_A_PUBLIC_KEY, &peer.public_key.0);
    first.add(WGPEER_A_FLAGS, &WGPEER_F_REPLACE_ALLOWEDIPS.to_ne_bytes());
    first.add(WGPEER_A_PRESHARED_KEY, &peer.preshared_key.as_ref().map_or([0; 32], |key| key.0));
    first.add(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &peer.keepalive.to_ne_bytes());
    if let Some(endpoint) = peer.endpoint {
        first.add(WGPEER_A_ENDPOINT, &socket_bytes(endpoint));
    }
    let mut parts = vec![first];
    for (at, ips) in peer.allowed_ips.chunks(IPS).enumerate() {
        if at > 0 {
            let mut more = Attributes::default();
            more.add(WGPEER_A_PUBLIC_KEY, &peer.public_key.0);
            parts.push(more);
        }
        if let Some(part) = parts.last_mut() {
            part.nest(WGPEER_A_ALLOWEDIPS, |all| ips.iter().for_each(|ip| all.nest(0, |one| add_allowed_ip(one, ip))));
        }
    }
    parts
}

fn add_allowed_ip(attributes: &mut Attributes, ip: &AllowedIp) {
    let (family, len) = match ip {
        AllowedIp::V4(_, len) => (libc::AF_INET, *len),
        AllowedIp::V6(prefix) => (libc::AF_INET6, prefix.len()),
    };
    attributes.add(WGALLOWEDIP_A_FAMILY, &(family as u16).to_ne_bytes());
    match ip {
        AllowedIp::V4(addr, _) => attributes.add(WGALLOWEDIP_A_IPADDR, &addr.octets()),
        AllowedIp::V6(prefix) => attributes.add(WGALLOWEDIP_A_IPADDR, &prefix.addr().octets()),
    }
    attributes.add(WGALLOWEDIP_A_CIDR_MASK, &[len]);
}

fn allowed_ip(value: &[u8]) -> Option<AllowedIp> {
    let [len] = *find(value, 0, WGALLOWEDIP_A_CIDR_MASK)? else { return None };
    let addr = find(value, 0, WGALLOWEDIP_A_IPADDR)?;
    match i32::from(u16::from_ne_bytes(find(value, 0, WGALLOWEDIP_A_FAMILY)?.try_into().ok()?)) {
        libc::AF_INET => Some(AllowedIp::V4(Ipv4Addr::from(<[u8; 4]>::try_from(addr).ok()?), len)),
        libc::AF_INET6 => Prefix::new(Ipv6Addr::from(<[u8; 16]>::try_from(addr).ok()?), len).map(AllowedIp::V6),
        _ => None,
    }
}

/// A `struct sockaddr_in` or `sockaddr_in6`.
fn socket_bytes(addr: SocketAddr) -> Vec<u8> {
    let start = |family: i32| [(family as u16).to_ne_bytes(), addr.port().to_be_bytes()].concat();
    match addr {
        SocketAddr::V4(addr) => [start(libc::AF_INET), addr.ip().octets().to_vec(), vec![0; 8]].concat(),
        SocketAddr::V6(addr) => {
            let (flow, scope) = (addr.flowinfo().to_be_bytes(), addr.scope_id().to_ne_bytes());
            [start(libc::AF_INET6), flow.to_vec(), addr.ip().octets().to_vec(), scope.to_vec()].concat()
        }
    }
}

fn socket_address(bytes: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = bytes.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let addr: IpAddr = match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => rest.first_chunk::<4>().map(|addr| Ipv4Addr::from(*addr))?.into(),
        libc::AF_INET6 => rest.get(4..)?.first_chunk::<16>().map(|addr| Ipv6Addr::from(*addr))?.into(),
        _ => return None,
    };
    let mut addr = SocketAddr::new(addr, u16::from_be_bytes(*port));
    if let (SocketAddr::V6(addr), Some(scope)) = (&mut addr, rest.get(20..).and_then(<[u8]>::first_chunk)) {
        addr.set_scope_id(u32::from_ne_bytes(*scope));
    }
    Some(addr)
}

/// A `struct __kernel_timespec`; none if it is zero.
fn time(bytes: &[u8]) -> Option<Duration> {
    let (seconds, rest) = bytes.split_first_chunk()?;
    let nanos = rest.first_chunk().map(|nanos| i64::from_ne_bytes(*nanos))?;
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).ok()?;
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos)).filter(|time| !time.is_zero())
}

fn message(family: u16, command: u8, version: u8, attributes: Attributes) -> Message {
    Message { kind: family, payload: [vec![command, version, 0, 0], attributes.0].concat() }
}

fn terminated(name: &str) -> Vec<u8> {
    [name.as_bytes(), &[0]].concat()
}

/// The value of an attribute behind a header of `header` bytes.
fn find(payload: &[u8], header: usize, wanted: u16) -> Option<&[u8]> {
    attributes(payload, header).flatten().find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::linux::exchange::PIECE;
    use proptest::prelude::*;

    fn addr() -> impl Strategy<Value = SocketAddr> {
        (any::<IpAddr>(), any::<u16>()).prop_map(|(addr, port)| SocketAddr::new(addr, port))
    }

    fn peers(count: usize, most: usize) -> impl Strategy<Value = Vec<Peer>> {
        let ip = prop_oneof![
            (any::<Ipv4Addr>(), 0..=32u8).prop_map(|(addr, len)| AllowedIp::V4(addr, len)),
            (any::<Ipv6Addr>(), 0..=128u8).prop_map(|(addr, len)| AllowedIp::V6(Prefix::new(addr, len).unwrap())),
        ];
        let secret = proptest::option::of((1..=255u8).prop_map(|byte| Key32([byte; 32])));
        let peer = (secret, proptest::option::of(addr()), proptest::collection::vec(ip, 0..most), any::<u16>());
        let peer = peer.prop_map(|(preshared_key, endpoint, allowed_ips, keepalive)| {
            let public_key = PublicKey([0; 32]);
            Peer { public_key, preshared_key, endpoint, resolved: 0, allowed_ips, keepalive }
        });
        proptest::collection::vec(peer, 0..count).prop_map(|mut peers| {
            peers.iter_mut().zip(1..).for_each(|(peer, n)| peer.public_key = PublicKey([n; 32]));
            peers
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_set_reads_back_in_messages_of_a_bearable_size(peers in peers(5, 600), key: [u8; 32], port: u16) {
            let wanted = Wireguard { private_key: Key32(key), listen_port: port, mtu: Some(1420), peers };
            let mut told = Told::default();
            for (_, message) in requests(30, "o6-wg", &wanted, [PublicKey([1; 32])].into_iter()) {
                prop_assert!(message.kind == 30 && message.payload.len() < PIECE);
                told.take(&message.payload);
            }
            // a message that removes a peer reads as one without anything
            told.peers.retain(|(peer, ..)| wanted.peers.iter().any(|wanted| wanted.public_key == peer.public_key));
            prop_assert_eq!(told.device(1420), wanted);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            Told::default().take(&bytes);
            Told::default().take_peer(&bytes);
            let _ = (socket_address(&bytes), time(&bytes), allowed_ip(&bytes));
        }

        #[test]
        fn no_damage_to_a_true_message_brings_it_down(peers in peers(4, 3), at in 0usize..2000, byte: u8) {
            let wanted = Wireguard { private_key: Key32([1; 32]), listen_port: 1, mtu: None, peers };
            for (_, mut message) in requests(30, "o6-wg", &wanted, std::iter::empty()) {
                if let Some(there) = message.payload.get_mut(at) {
                    *there = byte;
                }
                Told::default().take(&message.payload);
            }
        }

        #[test]
        fn socket_addresses_round_trip(addr in addr()) {
            prop_assert_eq!(socket_address(&socket_bytes(addr)), Some(addr));
        }
    }

    #[test]
    fn scopes_of_link_local_endpoints_are_kept_and_times_read() {
        let addr = SocketAddr::V6(std::net::SocketAddrV6::new("fe80::1".parse().unwrap(), 51820, 0, 7));
        assert_eq!(socket_address(&socket_bytes(addr)), Some(addr));
        let bytes = |seconds: i64, nanos: i64| [seconds.to_ne_bytes(), nanos.to_ne_bytes()].concat();
        assert_eq!(time(&bytes(5, 7)), Some(Duration::new(5, 7)));
        assert_eq!(
            (time(&bytes(0, 0)), time(&bytes(-1, 0)), time(&bytes(1, -1)), time(&[1; 9])),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_peer_that_goes_on_in_the_next_message_is_one_peer() {
        let ips: Vec<AllowedIp> = (0..600u32).map(|n| AllowedIp::V4(Ipv4Addr::from(n), 32)).collect();
        let peer = Peer {
            public_key: PublicKey([1; 32]),
            preshared_key: None,
            endpoint: None,
            resolved: 0,
            allowed_ips: ips.clone(),
            keepalive: 25,
        };
        let parts = parts(&peer);
        assert_eq!(parts.len(), 3);
        let mut told = Told::default();
        parts.iter().for_each(|part| told.take_peer(&part.0));
        let [(read, status, None)] = told.peers.as_slice() else { panic!("{} peers", told.peers.len()) };
        assert_eq!((read, status.rx, status.last_handshake), (&peer, 0, None));
    }
}

//! What we ask of the kernel, as messages.

use super::exchange::Request;
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Prefix};
use crate::plan::{Device, Key, Op, RouteTarget, Sit, SixRd, Value};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, CacheInfo};
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
use nix::libc;
use rtnetlink::packet_core::{DefaultNla, Emitable, NLA_F_NESTED, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use std::net::{Ipv4Addr, Ipv6Addr};

// linux/if_link.h, linux/rtnetlink.h
pub(super) const IFLA_IFNAME: u16 = 3;
pub(super) const IFLA_MTU: u16 = 4;
pub(super) const IFLA_LINKINFO: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
pub(super) const IFLA_INFO_KIND: u16 = 1;
pub(super) const IFLA_INFO_DATA: u16 = 2;
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;
// linux/if_tunnel.h
pub(super) const IFLA_IPTUN_LINK: u16 = 1;
pub(super) const IFLA_IPTUN_LOCAL: u16 = 2;
pub(super) const IFLA_IPTUN_REMOTE: u16 = 3;
pub(super) const IFLA_IPTUN_TTL: u16 = 4;
const IFLA_IPTUN_PMTUDISC: u16 = 10;
pub(super) const IFLA_IPTUN_6RD_PREFIX: u16 = 11;
pub(super) const IFLA_IPTUN_6RD_RELAY_PREFIX: u16 = 12;
pub(super) const IFLA_IPTUN_6RD_PREFIXLEN: u16 = 13;
pub(super) const IFLA_IPTUN_6RD_RELAY_PREFIXLEN: u16 = 14;

// linux/neighbour.h
pub(super) const NDA_DST: u16 = 1;
pub(super) const NDA_PROTOCOL: u16 = 12;
pub(super) const NTF_PROXY: u8 = 8;
const NDA_IFINDEX: u16 = 8;
pub(super) const NDMSG: usize = 12;

/// What is behind a message's header: its type, and bytes.
///
/// The library's enum of all messages would do, but to write one of them it brings the code to write every attribute of
/// every kind of link, which is a tenth of the program.
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) payload: Vec<u8>,
}

fn message(kind: u16, parts: &[&dyn Emitable]) -> Message {
    let mut payload = Vec::new();
    for part in parts {
        let start = payload.len();
        payload.resize(start + part.buffer_len(), 0);
        part.emit(payload.get_mut(start..).unwrap_or_default());
    }
    Message { kind, payload }
}

/// Attributes one behind the other, as bytes.
#[derive(Clone, Default)]
pub(super) struct Attributes(pub(super) Vec<u8>);

impl Attributes {
    pub(super) fn add(&mut self, kind: u16, value: &[u8]) {
        // nothing that is written here is near the 64 KiB of an attribute
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    pub(super) fn add_nest(&mut self, kind: u16, inner: &Attributes) {
        self.add(kind | NLA_F_NESTED, &inner.0);
    }

    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Attributes)) {
        let mut inner = Attributes::default();
        fill(&mut inner);
        self.add_nest(kind, &inner);
    }
}

/// The link of this name, without its counters.
pub(super) fn link(name: &str) -> Message {
    let mut question = links();
    let mut attributes = Attributes::default();
    attributes.add(IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
    question.payload.extend(attributes.0);
    question
}

/// Make a tunnel device, and bring it up, unless a link has its name.
pub(super) fn make_device(name: &str, device: &Device) -> Request {
    (NLM_F_CREATE | NLM_F_EXCL, device_message(name, device))
}

/// Give a tunnel device of the same kind other parameters.
pub(super) fn change_device(name: &str, device: &Device) -> Request {
    (0, device_message(name, device))
}

/// Remove a device by its link's index.
pub(super) fn remove_device(link: u32) -> Request {
    let header = LinkHeader { index: link, ..LinkHeader::default() };
    (0, message(libc::RTM_DELLINK, &[&header]))
}

fn device_message(name: &str, device: &Device) -> Message {
    let header = LinkHeader { flags: LinkFlags::Up, change_mask: LinkFlags::Up, ..LinkHeader::default() };
    let mut attributes = Attributes::default();
    attributes.add(IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
    let mtu = match device {
        Device::Sit(sit) => sit.mtu,
        Device::Wireguard(wireguard) => wireguard.mtu,
    };
    if let Some(mtu) = mtu {
        attributes.add(IFLA_MTU, &mtu.to_ne_bytes());
    }
    attributes.nest(IFLA_LINKINFO, |info| {
        info.add(IFLA_INFO_KIND, device.kind().word().as_bytes());
        if let Device::Sit(sit) = device {
            info.nest(IFLA_INFO_DATA, |data| sit_parameters(data, sit));
        }
    });
    let mut message = message(libc::RTM_NEWLINK, &[&header]);
    message.payload.extend(attributes.0);
    message
}

/// All of them: the kernel takes what is left out for zero.
fn sit_parameters(data: &mut Attributes, sit: &Sit) {
    let SixRd { prefix, relay_prefix: (relay, relay_len) } = sit.embedding();
    data.add(IFLA_IPTUN_LINK, &sit.link.unwrap_or(0).to_ne_bytes());
    data.add(IFLA_IPTUN_LOCAL, &sit.local.octets());
    data.add(IFLA_IPTUN_REMOTE, &sit.remote.unwrap_or(Ipv4Addr::UNSPECIFIED).octets());
    data.add(IFLA_IPTUN_TTL, &[sit.ttl]);
    // fragments of IPv4 are no way for IPv6 (RFC 4213 §3.2); a TTL of its own forbids them anyhow
    data.add(IFLA_IPTUN_PMTUDISC, &[1]);
    data.add(IFLA_IPTUN_6RD_PREFIX, &prefix.addr().octets());
    data.add(IFLA_IPTUN_6RD_RELAY_PREFIX, &relay.octets());
    data.add(IFLA_IPTUN_6RD_PREFIXLEN, &u16::from(prefix.len()).to_ne_bytes());
    data.add(IFLA_IPTUN_6RD_RELAY_PREFIXLEN, &u16::from(relay_len).to_ne_bytes());
}

/// All links, without their counters.
pub(super) fn links() -> Message {
    let mask = DefaultNla::new(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.to_ne_bytes().to_vec());
    message(libc::RTM_GETLINK, &[&LinkHeader::default(), &mask])
}

/// All IPv6 addresses.
pub(super) fn addresses() -> Message {
    let mut question = AddressMessage::default();
    question.header.family = AddressFamily::Inet6;
    message(libc::RTM_GETADDR, &[&question])
}

/// All IPv4 addresses.
pub(super) fn ipv4_addresses() -> Message {
    let mut question = AddressMessage::default();
    question.header.family = AddressFamily::Inet;
    message(libc::RTM_GETADDR, &[&question])
}

/// One address.
pub(super) fn address(link: u32, addr: Ipv6Addr) -> Message {
    let mut question = AddressMessage::default();
    question.header.family = AddressFamily::Inet6;
    question.header.index = link;
    question.attributes.push(AddressAttribute::Address(addr.into()));
    message(libc::RTM_GETADDR, &[&question])
}

/// What is known of one neighbour; since Linux 5.0.
pub(super) fn neighbour(link: u32, addr: Ipv6Addr) -> Message {
    // linux/neighbour.h: a family, three bytes of nothing, an index, and four bytes that are 0 in a question
    let mut payload = vec![0; NDMSG];
    if let Some(family) = payload.first_mut() {
        *family = AddressFamily::Inet6.into();
    }
    if let Some(index) = payload.get_mut(4..8) {
        index.copy_from_slice(&link.to_ne_bytes());
    }
    let mut attributes = Attributes::default();
    attributes.add(NDA_DST, &addr.octets());
    payload.extend(attributes.0);
    Message { kind: libc::RTM_GETNEIGH, payload }
}

/// All addresses that the kernel answers for.
pub(super) fn proxies() -> Message {
    neighbour_message(libc::RTM_GETNEIGH, 0, None)
}

/// Answer for an address on a link, or don't any more.
fn proxy(kind: u16, link: u32, addr: Ipv6Addr) -> Message {
    let mut message = neighbour_message(kind, link, Some(addr));
    let mut attributes = Attributes::default();
    attributes.add(NDA_PROTOCOL, &[PROTOCOL]);
    message.payload.extend(attributes.0);
    message
}

fn neighbour_message(kind: u16, link: u32, addr: Option<Ipv6Addr>) -> Message {
    // linux/neighbour.h: a family, three bytes of nothing, an index, two bytes of state, flags, a type
    let [i0, i1, i2, i3] = link.to_ne_bytes();
    let mut payload = vec![AddressFamily::Inet6.into(), 0, 0, 0, i0, i1, i2, i3, 0, 0, NTF_PROXY, 0];
    if let Some(addr) = addr {
        let mut attributes = Attributes::default();
        attributes.add(NDA_DST, &addr.octets());
        payload.extend(attributes.0);
    }
    Message { kind, payload }
}

/// All that is known of neighbours on a link.
pub(super) fn neighbours(link: u32) -> Message {
    let mut payload = vec![0; NDMSG];
    if let Some(family) = payload.first_mut() {
        *family = AddressFamily::Inet6.into();
    }
    let mut attributes = Attributes::default();
    attributes.add(NDA_IFINDEX, &link.to_ne_bytes());
    payload.extend(attributes.0);
    Message { kind: libc::RTM_GETNEIGH, payload }
}

/// All IPv6 routes.
pub(super) fn routes() -> Message {
    let mut question = RouteMessage::default();
    question.header.address_family = AddressFamily::Inet6;
    message(libc::RTM_GETROUTE, &[&question])
}

/// What to ask for first; `None` if `op` is nothing to ask by netlink.
pub(super) fn request(op: &Op, now: Instant) -> Option<Request> {
    match op {
        Op::Put(Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
            Some(make_address(*link, *addr, *len, *lifetimes, now))
        }
        Op::Delete(Key::Address { link, addr }, Value::Address { len, .. }) => Some(remove_address(*link, *addr, *len)),
        Op::Put(Key::Proxy { link, addr }, Value::Proxy) => {
            Some((NLM_F_CREATE | NLM_F_REPLACE, proxy(libc::RTM_NEWNEIGH, *link, *addr)))
        }
        Op::Delete(Key::Proxy { link, addr }, _) => Some((0, proxy(libc::RTM_DELNEIGH, *link, *addr))),
        Op::Put(key, Value::Route(target)) => make_route(key, *target),
        Op::Delete(key, Value::Route(target)) => remove_route(key, Some(*target)),
        _ => None,
    }
}

/// Make an address, unless there is one.
pub(super) fn make_address(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Request {
    (NLM_F_CREATE | NLM_F_EXCL, message(libc::RTM_NEWADDR, &[&lasting(link, addr, len, lifetimes, now)]))
}

/// Give an address of ours other lifetimes.
pub(super) fn renew_address(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Request {
    (NLM_F_CREATE | NLM_F_REPLACE, message(libc::RTM_NEWADDR, &[&lasting(link, addr, len, lifetimes, now)]))
}

/// Remove an address.
pub(super) fn remove_address(link: u32, addr: Ipv6Addr, len: u8) -> Request {
    (0, message(libc::RTM_DELADDR, &[&plain(link, addr, len)]))
}

fn plain(link: u32, addr: Ipv6Addr, len: u8) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = len;
    message.header.index = link;
    message.attributes.push(AddressAttribute::Local(addr.into()));
    message
}

fn lasting(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> AddressMessage {
    let mut message = plain(link, addr, len);
    let mut info = CacheInfo::default();
    info.ifa_preferred = lifetimes.preferred.remaining(now);
    // the kernel refuses 0; an end that has come is a second away
    info.ifa_valid = lifetimes.valid.remaining(now).max(1);
    message.attributes.extend([
        AddressAttribute::CacheInfo(info),
        AddressAttribute::RoutePriority(ADDRESS_METRIC),
        AddressAttribute::Protocol(AddressProtocol::Other(PROTOCOL)),
    ]);
    message
}

/// Make a route, unless there is one to the same destination with the same metric, whoever's.
pub(super) fn make_route(key: &Key, target: RouteTarget) -> Option<Request> {
    Some((NLM_F_CREATE | NLM_F_EXCL, message(libc::RTM_NEWROUTE, &[&route(key, Some(target))?])))
}

/// Remove a route of ours; `None`: wherever it leads. The kernel leaves those of others alone, since it is asked for
/// our protocol number.
pub(super) fn remove_route(key: &Key, target: Option<RouteTarget>) -> Option<Request> {
    Some((0, message(libc::RTM_DELROUTE, &[&route(key, target)?])))
}

/// `None` if `key` is no route.
fn route(key: &Key, target: Option<RouteTarget>) -> Option<RouteMessage> {
    let Key::Route { table, dst, src, metric } = key else { return None };
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.header.destination_prefix_length = dst.len();
    message.header.source_prefix_length = src.len();
    message.header.protocol = RouteProtocol::Other(PROTOCOL);
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes.extend([RouteAttribute::Table(*table), RouteAttribute::Priority(*metric)]);
    if *dst != Prefix::ALL {
        message.attributes.push(RouteAttribute::Destination(dst.addr().into()));
    }
    if *src != Prefix::ALL {
        message.attributes.push(RouteAttribute::Source(src.addr().into()));
    }
    match target {
        Some(RouteTarget::Via { link, gateway }) => {
            message.attributes.extend([RouteAttribute::Oif(link), RouteAttribute::Gateway(gateway.into())]);
        }
        Some(RouteTarget::OnLink { link }) => message.attributes.push(RouteAttribute::Oif(link)),
        Some(RouteTarget::Unreachable) => message.header.kind = RouteType::Unreachable,
        Some(RouteTarget::Other) | None => {}
    }
    Some(message)
}

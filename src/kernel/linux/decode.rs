//! What the kernel's messages say. Only the attributes we need are looked at, so that no new one can be in the way.

use super::encode::{
    IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_IPTUN_6RD_PREFIX, IFLA_IPTUN_6RD_PREFIXLEN,
    IFLA_IPTUN_6RD_RELAY_PREFIX, IFLA_IPTUN_6RD_RELAY_PREFIXLEN, IFLA_IPTUN_LINK, IFLA_IPTUN_LOCAL, IFLA_IPTUN_REMOTE,
    IFLA_IPTUN_TTL, IFLA_LINKINFO, IFLA_MTU, NDA_DST, NDA_PROTOCOL, NDMSG, NTF_PROXY,
};
use super::exchange::attributes;
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Mac, Prefix, Until};
use crate::plan::{Address, AddressState, DEVICE_PREFIX, DeviceKind, Key, Link, Route, RouteTarget, Sit, SixRd, Tag};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressFlags, AddressHeader, CacheInfo};
use netlink_packet_route::link::{LinkFlags, LinkHeader, LinkLayerType};
use netlink_packet_route::route::{RouteFlags, RouteHeader, RouteProtocol, RouteType};
use nix::libc;
use std::net::{Ipv4Addr, Ipv6Addr};

// linux/if_link.h
const IFLA_ADDRESS: u16 = 1;
// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_PROTO: u16 = 11;
// linux/netconf.h
const NETCONFA_IFINDEX: u16 = 1;

/// Table of the kernel's own addresses: nothing there is a route of somebody's.
const TABLE_LOCAL: u32 = 255;

/// What one message says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// With what it is, if it is one of our devices.
    Link(u32, Link, Option<Seen>),
    LinkGone(u32),
    Ipv4(u32, Ipv4Addr, u8),
    Ipv4Gone(u32, Ipv4Addr),
    Address(u32, Ipv6Addr, Address),
    /// With how it was: the kernel removes some addresses because they are duplicates.
    AddressGone(u32, Ipv6Addr, Address),
    Route(Key, Route),
    RouteGone(Key, Route),
    /// An address that the kernel answers for on a link, by our wish.
    Proxy(u32, Ipv6Addr),
    /// IPv6 was configured anew, on one link or (`None`) everywhere.
    Configured(Option<u32>),
    /// Nothing for us.
    Nothing,
}

/// A tunnel device as a link's message shows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    Sit(Sit),
    /// Its configuration is to be asked for elsewhere.
    Wireguard,
}

/// A message that is not as the kernel's headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<E: std::error::Error> From<E> for Malformed {
    fn from(_: E) -> Malformed {
        Malformed
    }
}

/// Reads a message of this type (RTM_…).
pub(super) fn news(kind: u16, payload: &[u8], now: Instant) -> Result<News, Malformed> {
    Ok(match kind {
        libc::RTM_NEWLINK => match link(payload)? {
            (AddressFamily::Unspec, index, link) => {
                let (link, device) = link?;
                News::Link(index, link, device)
            }
            (AddressFamily::Inet6, index, _) => News::Configured(Some(index)),
            _ => News::Nothing,
        },
        // a bridge says DELLINK in its own family of a port that leaves it
        libc::RTM_DELLINK => match link(payload)? {
            (AddressFamily::Unspec, index, _) => News::LinkGone(index),
            _ => News::Nothing,
        },
        libc::RTM_NEWADDR | libc::RTM_DELADDR if payload.first() == Some(&(libc::AF_INET as u8)) => {
            let (link, addr, len) = ipv4_address(payload)?;
            if kind == libc::RTM_NEWADDR { News::Ipv4(link, addr, len) } else { News::Ipv4Gone(link, addr) }
        }
        libc::RTM_NEWADDR => {
            address(payload, now)?.map_or(News::Nothing, |(link, addr, a)| News::Address(link, addr, a))
        }
        libc::RTM_DELADDR => {
            address(payload, now)?.map_or(News::Nothing, |(link, addr, a)| News::AddressGone(link, addr, a))
        }
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE => match route(payload)? {
            RouteNews::Route(key, route) if kind == libc::RTM_NEWROUTE => News::Route(key, route),
            RouteNews::Route(key, route) => News::RouteGone(key, route),
            // the route to ff00::/8 over a link comes and goes with IPv6 on that link
            RouteNews::Multicast(link) => News::Configured(Some(link)),
            RouteNews::Other => News::Nothing,
        },
        libc::RTM_NEWNEIGH => proxy(payload)?.map_or(News::Nothing, |(link, addr)| News::Proxy(link, addr)),
        libc::RTM_NEWNETCONF => {
            let index = attribute(payload, 4, NETCONFA_IFINDEX)?.map(i32::from_ne_bytes).ok_or(Malformed)?;
            News::Configured(u32::try_from(index).ok())
        }
        _ => News::Nothing,
    })
}

/// Whether a neighbour is there, if the kernel is sure of either (RFC 4861 §7.3.2; NUD_… of linux/neighbour.h).
pub(super) fn is_reachable(payload: &[u8]) -> Option<bool> {
    const REACHABLE: u16 = 0x02;
    const FAILED: u16 = 0x20;
    let state = u16::from_ne_bytes(*payload.get(8..)?.first_chunk()?);
    match state {
        REACHABLE => Some(true),
        FAILED => Some(false),
        _ => None,
    }
}

/// Link and address of a proxy entry of ours.
fn proxy(payload: &[u8]) -> Result<Option<(u32, Ipv6Addr)>, Malformed> {
    let Some([family, _, _, _, i0, i1, i2, i3, _, _, flags, _]) = payload.first_chunk::<NDMSG>() else {
        return Err(Malformed);
    };
    if i32::from(*family) != libc::AF_INET6 || flags & NTF_PROXY == 0 {
        return Ok(None);
    }
    let ours = attribute(payload, NDMSG, NDA_PROTOCOL)? == Some([PROTOCOL]);
    let addr: [u8; 16] = attribute(payload, NDMSG, NDA_DST)?.ok_or(Malformed)?;
    Ok(ours.then(|| (u32::from_ne_bytes([*i0, *i1, *i2, *i3]), addr.into())))
}

/// An address on a link, and whose it is.
pub(super) struct Neighbour<'a> {
    /// Index of the link.
    pub(super) link: u32,
    pub(super) addr: Ipv6Addr,
    /// Link-layer address.
    pub(super) mac: &'a [u8],
    pub(super) is_router: bool,
}

/// A neighbour, if it has answered lately (NUD_REACHABLE, STALE, DELAY, PROBE).
pub(super) fn neighbour(payload: &[u8]) -> Option<Neighbour<'_>> {
    const ANSWERED: u16 = 0x02 | 0x04 | 0x08 | 0x10;
    const NTF_ROUTER: u8 = 0x80;
    const NDA_LLADDR: u16 = 2;
    let link = u32::from_ne_bytes(*payload.get(4..)?.first_chunk()?);
    let state = u16::from_ne_bytes(*payload.get(8..)?.first_chunk()?);
    let flags = *payload.get(10)?;
    let addr: [u8; 16] = attribute(payload, NDMSG, NDA_DST).ok()??;
    let mac = attributes(payload, NDMSG).flatten().find(|(kind, _)| *kind == NDA_LLADDR).map(|(_, value)| value)?;
    let is_router = flags & NTF_ROUTER != 0;
    (state & ANSWERED != 0).then_some(Neighbour { link, addr: addr.into(), mac, is_router })
}

/// The value of the attribute `wanted` behind a header of `header` bytes.
fn attribute<const N: usize>(payload: &[u8], header: usize, wanted: u16) -> Result<Option<[u8; N]>, Malformed> {
    for attribute in attributes(payload, header) {
        let (kind, value) = attribute.ok_or(Malformed)?;
        if kind == wanted {
            return Ok(Some(value.try_into()?));
        }
    }
    Ok(None)
}

/// Family, index, and the link itself where the message describes it.
#[allow(clippy::type_complexity)]
fn link(payload: &[u8]) -> Result<(AddressFamily, u32, Result<(Link, Option<Seen>), Malformed>), Malformed> {
    let header = LinkHeader::parse(payload)?;
    let up = LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp;
    let described = || {
        let mut link = Link { name: String::new(), mac: None, up: header.flags.contains(up), mtu: 0 };
        let mut device = None;
        for attribute in attributes(payload, 16) {
            match attribute.ok_or(Malformed)? {
                (IFLA_ADDRESS, value) if header.link_layer_type == LinkLayerType::Ether => {
                    link.mac = value.try_into().ok().map(Mac);
                }
                (IFLA_IFNAME, value) => {
                    link.name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
                }
                (IFLA_MTU, value) => link.mtu = u32::from_ne_bytes(value.try_into()?),
                (IFLA_LINKINFO, value) => device = seen(value)?,
                _ => {}
            }
        }
        if let Some(Seen::Sit(sit)) = &mut device {
            sit.mtu = Some(link.mtu);
        }
        let device = device.filter(|_| link.name.starts_with(DEVICE_PREFIX));
        if link.name.is_empty() { Err(Malformed) } else { Ok((link, device)) }
    };
    Ok((header.interface_family, header.index, described()))
}

/// What kind of tunnel it is, and its parameters.
fn seen(info: &[u8]) -> Result<Option<Seen>, Malformed> {
    let (mut kind, mut data) = (&[][..], &[][..]);
    for attribute in attributes(info, 0) {
        match attribute.ok_or(Malformed)? {
            (IFLA_INFO_KIND, value) => kind = value,
            (IFLA_INFO_DATA, value) => data = value,
            _ => {}
        }
    }
    let kind = std::str::from_utf8(kind.strip_suffix(&[0]).unwrap_or(kind)).ok();
    Ok(match kind.and_then(DeviceKind::from_word) {
        Some(DeviceKind::Sit) => Some(Seen::Sit(sit(data)?)),
        Some(DeviceKind::Wireguard) => Some(Seen::Wireguard),
        None => None,
    })
}

fn sit(data: &[u8]) -> Result<Sit, Malformed> {
    let unspecified = Ipv4Addr::UNSPECIFIED;
    let mut sit = Sit { local: unspecified, remote: None, ttl: 0, mtu: None, sixrd: None, link: None };
    let (mut prefix, mut relay, mut prefix_len, mut relay_len) = (Ipv6Addr::UNSPECIFIED, unspecified, 0u16, 0u16);
    for attribute in attributes(data, 0) {
        match attribute.ok_or(Malformed)? {
            (IFLA_IPTUN_LINK, value) => {
                sit.link = Some(u32::from_ne_bytes(value.try_into()?)).filter(|link| *link != 0)
            }
            (IFLA_IPTUN_LOCAL, value) => sit.local = ipv4(value)?,
            (IFLA_IPTUN_REMOTE, value) => sit.remote = Some(ipv4(value)?).filter(|remote| !remote.is_unspecified()),
            (IFLA_IPTUN_TTL, value) => sit.ttl = value.first().copied().unwrap_or(0),
            (IFLA_IPTUN_6RD_PREFIX, value) => prefix = ipv6(value)?,
            (IFLA_IPTUN_6RD_RELAY_PREFIX, value) => relay = ipv4(value)?,
            (IFLA_IPTUN_6RD_PREFIXLEN, value) => prefix_len = u16::from_ne_bytes(value.try_into()?),
            (IFLA_IPTUN_6RD_RELAY_PREFIXLEN, value) => relay_len = u16::from_ne_bytes(value.try_into()?),
            _ => {}
        }
    }
    let prefix = Prefix::new(prefix, u8::try_from(prefix_len)?).ok_or(Malformed)?;
    // a kernel built without 6rd names none, and does 6to4
    sit.sixrd = (prefix.len() > 0).then_some(SixRd { prefix, relay_prefix: (relay, u8::try_from(relay_len)?) });
    sit.sixrd = sit.sixrd.filter(|sixrd| *sixrd != SixRd::SIX_TO_FOUR);
    Ok(sit)
}

/// Link, address and its prefix's length.
fn ipv4_address(payload: &[u8]) -> Result<(u32, Ipv4Addr, u8), Malformed> {
    let header = AddressHeader::parse(payload)?;
    let local = attribute(payload, 8, IFA_LOCAL)?.ok_or(Malformed)?;
    Ok((header.index, Ipv4Addr::from(local), header.prefix_len))
}

/// Link, address and how it is; `None` if it is of another family.
fn address(payload: &[u8], now: Instant) -> Result<Option<(u32, Ipv6Addr, Address)>, Malformed> {
    let header = AddressHeader::parse(payload)?;
    if header.family != AddressFamily::Inet6 {
        return Ok(None);
    }
    let mut flags = AddressFlags::from_bits_retain(header.flags.bits().into());
    let (mut peer, mut local, mut protocol, mut metric) = (None, None, None, None);
    let mut lifetimes = Lifetimes::FOREVER;
    for attribute in attributes(payload, 8) {
        match attribute.ok_or(Malformed)? {
            (IFA_ADDRESS, value) => peer = Some(ipv6(value)?),
            (IFA_LOCAL, value) => local = Some(ipv6(value)?),
            (IFA_FLAGS, value) => flags = AddressFlags::from_bits_retain(u32::from_ne_bytes(value.try_into()?)),
            (IFA_CACHEINFO, value) => {
                let info = CacheInfo::parse(value)?;
                let until = |seconds| Until::from_wire(seconds, now);
                lifetimes = Lifetimes::new(until(info.ifa_preferred), until(info.ifa_valid));
            }
            (IFA_RT_PRIORITY, value) => metric = Some(u32::from_ne_bytes(value.try_into()?)),
            (IFA_PROTO, value) => protocol = value.first().copied(),
            _ => {}
        }
    }
    let state = if flags.contains(AddressFlags::Dadfailed) {
        AddressState::Duplicate
    } else if flags.contains(AddressFlags::Tentative) {
        AddressState::Tentative
    } else {
        AddressState::Ready
    };
    // netifd has put the same address over ours, with this flag that we never set, and counts on it
    let taken_over = flags.contains(AddressFlags::Noprefixroute);
    let ours = !taken_over && protocol.map_or(metric == Some(ADDRESS_METRIC), |protocol| protocol == PROTOCOL);
    let tag = if ours { Tag::Ours } else { Tag::Foreign };
    let addr = local.or(peer).ok_or(Malformed)?;
    Ok(Some((header.index, addr, Address { len: header.prefix_len, lifetimes, state, tag })))
}

enum RouteNews {
    Route(Key, Route),
    Multicast(u32),
    Other,
}

fn route(payload: &[u8]) -> Result<RouteNews, Malformed> {
    let header = RouteHeader::parse(payload)?;
    if header.address_family != AddressFamily::Inet6 || header.flags.contains(RouteFlags::Cloned) {
        return Ok(RouteNews::Other);
    }
    let mut table = u32::from(header.table);
    let (mut dst, mut src) = (Ipv6Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
    let (mut link, mut gateway, mut metric, mut several) = (None, None, 0, false);
    for attribute in attributes(payload, 12) {
        match attribute.ok_or(Malformed)? {
            (libc::RTA_DST, value) => dst = ipv6(value)?,
            (libc::RTA_SRC, value) => src = ipv6(value)?,
            (libc::RTA_OIF, value) => link = Some(u32::from_ne_bytes(value.try_into()?)),
            (libc::RTA_GATEWAY, value) => gateway = Some(ipv6(value)?),
            (libc::RTA_PRIORITY, value) => metric = u32::from_ne_bytes(value.try_into()?),
            (libc::RTA_TABLE, value) => table = u32::from_ne_bytes(value.try_into()?),
            (libc::RTA_MULTIPATH, _) => several = true,
            _ => {}
        }
    }
    if table == TABLE_LOCAL {
        let link = link.filter(|_| dst.is_multicast());
        return Ok(link.map_or(RouteNews::Other, RouteNews::Multicast));
    }
    let target = match (header.kind, link, gateway) {
        (RouteType::Unicast, _, _) if several => RouteTarget::Other,
        (RouteType::Unicast, Some(link), Some(gateway)) => RouteTarget::Via { link, gateway },
        (RouteType::Unicast, Some(link), None) => RouteTarget::OnLink { link },
        (RouteType::Unicast, None, _) => RouteTarget::Other,
        // all that leads nowhere, whatever the sender is told
        (RouteType::Unreachable | RouteType::BlackHole | RouteType::Prohibit, _, _) => RouteTarget::Unreachable,
        _ => return Ok(RouteNews::Other),
    };
    let dst = Prefix::new(dst, header.destination_prefix_length).ok_or(Malformed)?;
    let src = Prefix::new(src, header.source_prefix_length).ok_or(Malformed)?;
    let tag = if header.protocol == RouteProtocol::Other(PROTOCOL) { Tag::Ours } else { Tag::Foreign };
    // a router may hold the whole Internet's routes; we need not
    if tag == Tag::Foreign && !dst.covers(&Prefix::GLOBAL) {
        return Ok(RouteNews::Other);
    }
    Ok(RouteNews::Route(Key::Route { table, dst, src, metric }, Route { target, tag }))
}

fn ipv4(value: &[u8]) -> Result<Ipv4Addr, Malformed> {
    Ok(Ipv4Addr::from(<[u8; 4]>::try_from(value)?))
}

fn ipv6(value: &[u8]) -> Result<Ipv6Addr, Malformed> {
    Ok(Ipv6Addr::from(<[u8; 16]>::try_from(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::linux::encode;
    use crate::kernel::linux::exchange::{Request, messages};
    use crate::net::Key32;
    use crate::plan::{Device, Op, Value, Wireguard};
    use proptest::prelude::*;

    const NOW: Instant = Instant(1_000_000);

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn asked(key: Key, value: Value) -> Vec<u8> {
        let (_, message): Request = encode::request(&Op::Put(key, value), NOW).unwrap();
        message.payload
    }

    #[test]
    fn only_proxy_entries_of_ours_are_seen() {
        let addr: Ipv6Addr = "2001:db8::10".parse().unwrap();
        let mut bytes = asked(Key::Proxy { link: 3, addr }, Value::Proxy);
        assert_eq!(news(libc::RTM_NEWNEIGH, &bytes, NOW), Ok(News::Proxy(3, addr)));
        let protocol = bytes.len() - 4;
        bytes[protocol] = 3;
        assert_eq!(news(libc::RTM_NEWNEIGH, &bytes, NOW), Ok(News::Nothing), "of somebody else");
        bytes[protocol] = PROTOCOL;
        bytes[10] = 0;
        assert_eq!(news(libc::RTM_NEWNEIGH, &bytes, NOW), Ok(News::Nothing), "a neighbour");
        assert_eq!(news(libc::RTM_NEWNEIGH, &bytes[..11], NOW), Err(Malformed));
    }

    fn route_key() -> Key {
        let dst = "2001:db8::/60".parse().unwrap();
        Key::Route { table: 254, dst, src: Prefix::ALL, metric: 7 }
    }

    fn an_address() -> (Key, Value) {
        let lifetimes = Lifetimes::new(Until::At(NOW.after_secs(60)), Until::Forever);
        (Key::Address { link: 3, addr: "fd00::1".parse().unwrap() }, Value::Address { len: 64, lifetimes })
    }

    #[test]
    fn what_we_ask_for_reads_back_as_ours() {
        let target = RouteTarget::Via { link: 3, gateway: "fe80::1".parse().unwrap() };
        let bytes = asked(route_key(), Value::Route(target));
        let expected = Route { target, tag: Tag::Ours };
        assert_eq!(news(libc::RTM_NEWROUTE, &bytes, NOW), Ok(News::Route(route_key(), expected.clone())));
        assert_eq!(news(libc::RTM_DELROUTE, &bytes, NOW), Ok(News::RouteGone(route_key(), expected)));
        let (key, value) = an_address();
        let Ok(News::Address(3, addr, address)) = news(libc::RTM_NEWADDR, &asked(key, value.clone()), NOW) else {
            panic!("no address")
        };
        assert_eq!(
            (addr.to_string().as_str(), address.tag, address.state),
            ("fd00::1", Tag::Ours, AddressState::Ready)
        );
        assert_eq!(Value::Address { len: address.len, lifetimes: address.lifetimes }, value);
    }

    fn devices() -> Vec<Sit> {
        let sit = Sit {
            local: "192.0.2.1".parse().unwrap(),
            remote: Some("192.0.2.2".parse().unwrap()),
            ttl: 64,
            mtu: Some(1480),
            sixrd: None,
            link: Some(5),
        };
        let relay_prefix = ("192.0.0.0".parse().unwrap(), 8);
        let sixrd = Some(SixRd { prefix: "2001:db8:6d00::/40".parse().unwrap(), relay_prefix });
        vec![Sit { remote: None, link: None, ..sit.clone() }, Sit { remote: None, sixrd, ..sit.clone() }, sit]
    }

    #[test]
    fn tunnels_read_back_as_they_are_asked_for_if_their_name_is_ours() {
        for sit in devices() {
            let (_, message) = encode::make_device("o6-six", &Device::Sit(sit.clone()));
            let Ok(News::Link(0, link, seen)) = news(message.kind, &message.payload, NOW) else { panic!("no link") };
            assert_eq!((link.name.as_str(), link.mtu, seen), ("o6-six", 1480, Some(Seen::Sit(sit.clone()))));
            let (_, message) = encode::make_device("six", &Device::Sit(sit));
            assert!(matches!(news(message.kind, &message.payload, NOW), Ok(News::Link(0, _, None))));
        }
        let wireguard = Wireguard { private_key: Key32([1; 32]), listen_port: 0, mtu: None, peers: Vec::new() };
        let (_, message) = encode::make_device("o6-wg", &Device::Wireguard(wireguard));
        assert!(matches!(news(message.kind, &message.payload, NOW), Ok(News::Link(0, _, Some(Seen::Wireguard)))));
    }

    #[test]
    fn ipv4_addresses_come_and_go() {
        let mut bytes = vec![2, 24, 0, 0, 3, 0, 0, 0];
        bytes.extend(attribute(IFA_ADDRESS, &[192, 0, 2, 9]));
        assert_eq!(news(libc::RTM_NEWADDR, &bytes, NOW), Err(Malformed), "an end of a cable's address is not ours");
        bytes.extend(attribute(IFA_LOCAL, &[192, 0, 2, 1]));
        let addr = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(news(libc::RTM_NEWADDR, &bytes, NOW), Ok(News::Ipv4(3, addr, 24)));
        assert_eq!(news(libc::RTM_DELADDR, &bytes, NOW), Ok(News::Ipv4Gone(3, addr)));
    }

    #[test]
    fn of_others_only_routes_to_everything_are_kept() {
        for (dst, kept) in [("::/0", true), ("2000::/3", true), ("2000::/4", false), ("2001:db8::/32", false)] {
            let key = Key::Route { table: 254, dst: dst.parse().unwrap(), src: Prefix::ALL, metric: 7 };
            let mut bytes = asked(key.clone(), Value::Route(RouteTarget::OnLink { link: 3 }));
            assert!(matches!(news(libc::RTM_NEWROUTE, &bytes, NOW), Ok(News::Route(..))));
            // rtm_protocol
            bytes[5] = 4;
            let foreign = Route { target: RouteTarget::OnLink { link: 3 }, tag: Tag::Foreign };
            let expected = if kept { News::Route(key, foreign) } else { News::Nothing };
            assert_eq!(news(libc::RTM_NEWROUTE, &bytes, NOW), Ok(expected), "{dst}");
        }
    }

    #[test]
    fn attributes_nobody_knows_are_passed_over() {
        let mut bytes = asked(route_key(), Value::Route(RouteTarget::Unreachable));
        let before = news(libc::RTM_NEWROUTE, &bytes, NOW);
        bytes.extend(attribute(8, &[1, 2, 3]));
        bytes.extend(attribute(4000, &[0; 100]));
        bytes.extend(attribute(22 | 0x8000, &[9; 5]));
        assert_eq!(news(libc::RTM_NEWROUTE, &bytes, NOW), before);
        // a broken one makes the message unreadable, but no more
        bytes.extend([200, 0, 1, 0]);
        assert_eq!(news(libc::RTM_NEWROUTE, &bytes, NOW), Err(Malformed));
    }

    #[test]
    fn kernels_without_ifa_proto_tell_our_addresses_by_the_metric() {
        let header = [10, 64, 0, 0, 3, 0, 0, 0];
        let addr = attribute(IFA_ADDRESS, &[0xfd; 16]);
        let metric = |metric: u32| attribute(IFA_RT_PRIORITY, &metric.to_ne_bytes());
        let table = [
            (vec![], Tag::Foreign),
            (metric(256), Tag::Foreign),
            (metric(ADDRESS_METRIC), Tag::Ours),
            ([metric(ADDRESS_METRIC), attribute(IFA_PROTO, &[3])].concat(), Tag::Foreign),
            (attribute(IFA_PROTO, &[PROTOCOL]), Tag::Ours),
            // what netifd made of an address of ours that was there before its own
            ([metric(ADDRESS_METRIC), attribute(IFA_FLAGS, &0x280u32.to_ne_bytes())].concat(), Tag::Foreign),
        ];
        for (more, tag) in table {
            let bytes = [header.to_vec(), addr.clone(), more].concat();
            let Ok(News::Address(_, _, address)) = news(libc::RTM_NEWADDR, &bytes, NOW) else { panic!("no address") };
            assert_eq!((address.tag, address.lifetimes), (tag, Lifetimes::FOREVER));
        }
    }

    #[test]
    fn messages_of_other_families_say_nothing() {
        let mut link = vec![7, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        link.extend(attribute(IFLA_IFNAME, b"eth0\0"));
        // AF_BRIDGE: the link left a bridge
        assert_eq!(news(libc::RTM_DELLINK, &link, NOW), Ok(News::Nothing));
        link[0] = 0;
        assert_eq!(news(libc::RTM_DELLINK, &link, NOW), Ok(News::LinkGone(3)));
        link[0] = 10;
        assert_eq!(news(libc::RTM_NEWLINK, &link, NOW), Ok(News::Configured(Some(3))));
        let mut address = asked(an_address().0, an_address().1);
        address[0] = 7;
        assert_eq!(news(libc::RTM_NEWADDR, &address, NOW), Ok(News::Nothing));
        assert_eq!(news(libc::RTM_DELNEIGH, &[], NOW), Ok(News::Nothing));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(kind in 16u16..96, mut bytes in proptest::collection::vec(any::<u8>(), 0..200), start: bool) {
            if start {
                // a family that goes on to the attributes
                bytes.splice(0..bytes.len().min(1), [10]);
            }
            let _ = news(kind, &bytes, NOW);
            for message in messages(&bytes) {
                let _ = news(message.message_type(), message.payload(), NOW);
            }
        }

        #[test]
        fn no_damage_to_a_true_message_brings_it_down(at in 0usize..200, byte: u8, cut in 0usize..200) {
            let tunnels = devices().into_iter().map(|sit| encode::make_device("o6-six", &Device::Sit(sit)).1.payload);
            let others = [asked(route_key(), Value::Route(RouteTarget::Unreachable)), asked(an_address().0, an_address().1)];
            for bytes in tunnels.chain(others) {
                let mut bytes = bytes;
                if let Some(there) = bytes.get_mut(at) {
                    *there = byte;
                }
                bytes.truncate(cut.max(1));
                for kind in [libc::RTM_NEWLINK, libc::RTM_NEWADDR, libc::RTM_NEWROUTE, libc::RTM_NEWNEIGH, libc::RTM_NEWNETCONF] {
                    let _ = news(kind, &bytes, NOW);
                }
            }
        }
    }
}

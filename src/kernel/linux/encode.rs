//! What we ask of the kernel, as messages.

use super::decode::{IFA_ADDRESS, IFA_CACHEINFO, IFA_LOCAL, IFA_PROTO, IFA_RT_PRIORITY};
use super::exchange::Request;
use super::message::{CREATE, EXCLUSIVE, Message, REPLACE};
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Prefix};
use crate::plan::{Key, Op, RouteTarget, Value};
use nix::libc;
use std::net::Ipv6Addr;

const INET6: u8 = libc::AF_INET6 as u8;
/// RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const WITHOUT_COUNTERS: u32 = 1 << 3;

// linux/if_link.h
const IFLA_EXT_MASK: u16 = 29;

/// All links, without their counters.
pub(super) fn links() -> Message {
    Message::new(libc::RTM_GETLINK, &[0; 16]).number(IFLA_EXT_MASK, WITHOUT_COUNTERS)
}

/// All IPv6 addresses.
pub(super) fn addresses() -> Message {
    about_address(libc::RTM_GETADDR, 0, 0)
}

/// One address.
pub(super) fn address(link: u32, addr: Ipv6Addr) -> Message {
    about_address(libc::RTM_GETADDR, link, 0).attribute(IFA_ADDRESS, &addr.octets())
}

/// All IPv6 routes.
pub(super) fn routes() -> Message {
    about_route(libc::RTM_GETROUTE, 0, 0, 0, 0)
}

/// What to ask for first; `None` if `op` is nothing to ask by netlink.
pub(super) fn request(op: &Op, now: Instant) -> Option<Request> {
    match op {
        Op::Put(Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
            Some(make_address(*link, *addr, *len, *lifetimes, now))
        }
        Op::Delete(Key::Address { link, addr }, Value::Address { len, .. }) => Some(remove_address(*link, *addr, *len)),
        Op::Put(key, Value::Route(target)) => make_route(key, *target),
        Op::Delete(key, Value::Route(target)) => remove_route(key, Some(*target)),
        _ => None,
    }
}

/// Make an address, unless there is one.
pub(super) fn make_address(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Request {
    (CREATE | EXCLUSIVE, lasting(link, addr, len, lifetimes, now))
}

/// Give an address of ours other lifetimes.
pub(super) fn renew_address(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Request {
    (CREATE | REPLACE, lasting(link, addr, len, lifetimes, now))
}

/// Remove an address.
pub(super) fn remove_address(link: u32, addr: Ipv6Addr, len: u8) -> Request {
    (0, about_address(libc::RTM_DELADDR, link, len).attribute(IFA_LOCAL, &addr.octets()))
}

/// RTM_…ADDR with struct ifaddrmsg.
fn about_address(kind: u16, link: u32, len: u8) -> Message {
    let [a, b, c, d] = link.to_ne_bytes();
    Message::new(kind, &[INET6, len, 0, 0, a, b, c, d])
}

fn lasting(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Message {
    // struct ifa_cacheinfo; the kernel refuses a valid lifetime of 0: an end that has come is a second away
    let (preferred, valid) = (lifetimes.preferred.remaining(now), lifetimes.valid.remaining(now).max(1));
    let info = [preferred, valid, 0, 0].map(u32::to_ne_bytes);
    about_address(libc::RTM_NEWADDR, link, len)
        .attribute(IFA_LOCAL, &addr.octets())
        .attribute(IFA_CACHEINFO, info.as_flattened())
        .number(IFA_RT_PRIORITY, ADDRESS_METRIC)
        .attribute(IFA_PROTO, &[PROTOCOL])
}

/// Make a route, unless there is one to the same destination with the same metric, whoever's.
pub(super) fn make_route(key: &Key, target: RouteTarget) -> Option<Request> {
    Some((CREATE | EXCLUSIVE, route(libc::RTM_NEWROUTE, key, Some(target))?))
}

/// Remove a route of ours; `None`: wherever it leads. The kernel leaves those of others alone, since it is asked for
/// our protocol number.
pub(super) fn remove_route(key: &Key, target: Option<RouteTarget>) -> Option<Request> {
    Some((0, route(libc::RTM_DELROUTE, key, target)?))
}

/// RTM_…ROUTE with struct rtmsg; the table is an attribute, where it may be any.
fn about_route(kind: u16, dst_len: u8, src_len: u8, protocol: u8, route_type: u8) -> Message {
    const ANY_SERVICE: u8 = 0;
    const TABLE: u8 = libc::RT_TABLE_UNSPEC;
    const SCOPE: u8 = libc::RT_SCOPE_UNIVERSE;
    Message::new(kind, &[INET6, dst_len, src_len, ANY_SERVICE, TABLE, protocol, SCOPE, route_type, 0, 0, 0, 0])
}

/// `None` if `key` is no route.
fn route(kind: u16, key: &Key, target: Option<RouteTarget>) -> Option<Message> {
    let Key::Route { table, dst, src, metric } = key else { return None };
    let route_type = if target == Some(RouteTarget::Unreachable) { libc::RTN_UNREACHABLE } else { libc::RTN_UNICAST };
    let mut message = about_route(kind, dst.len(), src.len(), PROTOCOL, route_type)
        .number(libc::RTA_TABLE, *table)
        .number(libc::RTA_PRIORITY, *metric);
    if *dst != Prefix::ALL {
        message = message.attribute(libc::RTA_DST, &dst.addr().octets());
    }
    if *src != Prefix::ALL {
        message = message.attribute(libc::RTA_SRC, &src.addr().octets());
    }
    Some(match target {
        Some(RouteTarget::Via { link, gateway }) => {
            message.number(libc::RTA_OIF, link).attribute(libc::RTA_GATEWAY, &gateway.octets())
        }
        Some(RouteTarget::OnLink { link }) => message.number(libc::RTA_OIF, link),
        Some(RouteTarget::Unreachable | RouteTarget::Other) | None => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::linux::message::messages;
    use crate::net::Until;
    use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
    use netlink_packet_route::RouteNetlinkMessage::{
        DelAddress, DelRoute, GetAddress, GetLink, GetRoute, NewAddress, NewRoute,
    };
    use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, CacheInfo};
    use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
    use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
    use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

    const NOW: Instant = Instant(1_000_000);

    /// What a library that knows every message makes of it.
    fn theirs(flags: u16, message: RouteNetlinkMessage) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = 7;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len().next_multiple_of(4)];
        message.serialize(&mut bytes);
        bytes
    }

    fn ours((flags, message): Request) -> Vec<u8> {
        let mut bytes = Vec::new();
        message.write(flags, 7, &mut bytes);
        assert_eq!(messages(&bytes).next().map(|message| message.payload.to_vec()), Some(message.payload));
        bytes
    }

    fn an_address(len: u8) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet6;
        message.header.prefix_len = len;
        message.header.index = 3;
        message
    }

    fn a_route(dst: u8, src: u8, kind: RouteType) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet6;
        message.header.destination_prefix_length = dst;
        message.header.source_prefix_length = src;
        message.header.protocol = RouteProtocol::Other(PROTOCOL);
        message.header.scope = RouteScope::Universe;
        message.header.kind = kind;
        message
    }

    #[test]
    fn questions_are_byte_for_byte_those_of_a_library() {
        let mut links_message = LinkMessage::default();
        links_message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        assert_eq!(ours((0, links())), theirs(0, GetLink(links_message)));
        let mut all = an_address(0);
        all.header.index = 0;
        assert_eq!(ours((0, addresses())), theirs(0, GetAddress(all)));
        let addr: Ipv6Addr = "fd00::1".parse().unwrap();
        let mut one = an_address(0);
        one.attributes.push(AddressAttribute::Address(addr.into()));
        assert_eq!(ours((0, address(3, addr))), theirs(0, GetAddress(one)));
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet6;
        assert_eq!(ours((0, routes())), theirs(0, GetRoute(message)));
    }

    #[test]
    fn addresses_are_byte_for_byte_those_of_a_library() {
        let addr: Ipv6Addr = "2001:db8::1".parse().unwrap();
        let lifetimes = Lifetimes::new(Until::At(NOW.after_secs(60)), Until::Forever);
        let mut message = an_address(64);
        message.attributes.push(AddressAttribute::Local(addr.into()));
        assert_eq!(ours(remove_address(3, addr, 64)), theirs(0, DelAddress(message.clone())));
        let mut info = CacheInfo::default();
        (info.ifa_preferred, info.ifa_valid) = (60, u32::MAX);
        message.attributes.extend([
            AddressAttribute::CacheInfo(info),
            AddressAttribute::RoutePriority(ADDRESS_METRIC),
            AddressAttribute::Protocol(AddressProtocol::Other(PROTOCOL)),
        ]);
        let made = theirs(0x600, NewAddress(message.clone()));
        assert_eq!(ours(make_address(3, addr, 64, lifetimes, NOW)), made);
        assert_eq!(ours(renew_address(3, addr, 64, lifetimes, NOW)), theirs(0x500, NewAddress(message)));
    }

    #[test]
    fn routes_are_byte_for_byte_those_of_a_library() {
        let (dst, src): (Prefix, Prefix) = ("2001:db8:1::/48".parse().unwrap(), "2001:db8::/32".parse().unwrap());
        let gateway: Ipv6Addr = "fe80::1".parse().unwrap();
        let key = Key::Route { table: 1000, dst, src, metric: 7 };
        let common = [RouteAttribute::Table(1000), RouteAttribute::Priority(7)];
        let both = [RouteAttribute::Destination(dst.addr().into()), RouteAttribute::Source(src.addr().into())];
        let table = [
            (RouteTarget::Unreachable, RouteType::Unreachable, vec![]),
            (RouteTarget::OnLink { link: 3 }, RouteType::Unicast, vec![RouteAttribute::Oif(3)]),
            (
                RouteTarget::Via { link: 3, gateway },
                RouteType::Unicast,
                vec![RouteAttribute::Oif(3), RouteAttribute::Gateway(gateway.into())],
            ),
        ];
        for (target, kind, more) in table {
            let mut message = a_route(48, 32, kind);
            message.attributes.extend(common.clone().into_iter().chain(both.clone()).chain(more));
            assert_eq!(ours(make_route(&key, target).unwrap()), theirs(0x600, NewRoute(message.clone())));
            assert_eq!(ours(remove_route(&key, Some(target)).unwrap()), theirs(0, DelRoute(message)));
        }
        let key = Key::Route { table: 254, dst: Prefix::ALL, src: Prefix::ALL, metric: 7 };
        let mut message = a_route(0, 0, RouteType::Unicast);
        message.attributes.extend([RouteAttribute::Table(254), RouteAttribute::Priority(7)]);
        assert_eq!(ours(remove_route(&key, None).unwrap()), theirs(0, DelRoute(message)));
        assert_eq!(remove_route(&Key::Sysctl("x".into()), None), None);
    }
}

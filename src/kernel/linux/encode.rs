//! What we ask of the kernel, as messages.

use super::exchange::Request;
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Prefix};
use crate::plan::{Key, Op, RouteTarget, Value};
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, CacheInfo};
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use std::net::Ipv6Addr;

/// All links, without their counters.
pub(super) fn links() -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    RouteNetlinkMessage::GetLink(message)
}

/// All IPv6 addresses.
pub(super) fn addresses() -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    RouteNetlinkMessage::GetAddress(message)
}

/// One address.
pub(super) fn address(link: u32, addr: Ipv6Addr) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.index = link;
    message.attributes.push(AddressAttribute::Address(addr.into()));
    RouteNetlinkMessage::GetAddress(message)
}

/// All IPv6 routes.
pub(super) fn routes() -> RouteNetlinkMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    RouteNetlinkMessage::GetRoute(message)
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
    (NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewAddress(lasting(link, addr, len, lifetimes, now)))
}

/// Give an address of ours other lifetimes.
pub(super) fn renew_address(link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes, now: Instant) -> Request {
    (NLM_F_CREATE | NLM_F_REPLACE, RouteNetlinkMessage::NewAddress(lasting(link, addr, len, lifetimes, now)))
}

/// Remove an address.
pub(super) fn remove_address(link: u32, addr: Ipv6Addr, len: u8) -> Request {
    (0, RouteNetlinkMessage::DelAddress(plain(link, addr, len)))
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
    Some((NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewRoute(route(key, Some(target))?)))
}

/// Remove a route of ours; `None`: wherever it leads. The kernel leaves those of others alone, since it is asked for
/// our protocol number.
pub(super) fn remove_route(key: &Key, target: Option<RouteTarget>) -> Option<Request> {
    Some((0, RouteNetlinkMessage::DelRoute(route(key, target)?)))
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

//! What we ask of the kernel, as messages.

use super::exchange::Request;
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Prefix};
use crate::plan::{Key, Op, RouteTarget, Value};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, CacheInfo};
use netlink_packet_route::link::LinkHeader;
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
use nix::libc;
use rtnetlink::packet_core::{DefaultNla, Emitable, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use std::net::Ipv6Addr;

// linux/if_link.h, linux/rtnetlink.h
const IFLA_EXT_MASK: u16 = 29;
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

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

/// One address.
pub(super) fn address(link: u32, addr: Ipv6Addr) -> Message {
    let mut question = AddressMessage::default();
    question.header.family = AddressFamily::Inet6;
    question.header.index = link;
    question.attributes.push(AddressAttribute::Address(addr.into()));
    message(libc::RTM_GETADDR, &[&question])
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

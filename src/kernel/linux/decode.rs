//! What the kernel's messages say. Only the attributes we need are looked at, so that no new one can be in the way.

use super::exchange::attributes;
use super::{ADDRESS_METRIC, PROTOCOL};
use crate::net::{Instant, Lifetimes, Mac, Prefix, Until};
use crate::plan::{Address, AddressState, Key, Link, Route, RouteTarget, Tag};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressFlags, AddressHeader, CacheInfo};
use netlink_packet_route::link::{LinkFlags, LinkHeader, LinkLayerType};
use netlink_packet_route::route::{RouteFlags, RouteHeader, RouteProtocol, RouteType};
use nix::libc;
use std::net::Ipv6Addr;

// linux/if_link.h
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
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
    Link(u32, Link),
    LinkGone(u32),
    Address(u32, Ipv6Addr, Address),
    /// With how it was: the kernel removes some addresses because they are duplicates.
    AddressGone(u32, Ipv6Addr, Address),
    Route(Key, Route),
    RouteGone(Key, Route),
    /// IPv6 was configured anew, on one link or (`None`) everywhere.
    Configured(Option<u32>),
    /// Nothing for us.
    Nothing,
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
            (AddressFamily::Unspec, index, link) => News::Link(index, link?),
            (AddressFamily::Inet6, index, _) => News::Configured(Some(index)),
            _ => News::Nothing,
        },
        // a bridge says DELLINK in its own family of a port that leaves it
        libc::RTM_DELLINK => match link(payload)? {
            (AddressFamily::Unspec, index, _) => News::LinkGone(index),
            _ => News::Nothing,
        },
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
        libc::RTM_NEWNETCONF => {
            let index = attribute(payload, 4, NETCONFA_IFINDEX)?.map(i32::from_ne_bytes).ok_or(Malformed)?;
            News::Configured(u32::try_from(index).ok())
        }
        _ => News::Nothing,
    })
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
fn link(payload: &[u8]) -> Result<(AddressFamily, u32, Result<Link, Malformed>), Malformed> {
    let header = LinkHeader::parse(payload)?;
    let up = LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp;
    let described = || {
        let mut link = Link { name: String::new(), mac: None, up: header.flags.contains(up), mtu: 0 };
        for attribute in attributes(payload, 16) {
            match attribute.ok_or(Malformed)? {
                (IFLA_ADDRESS, value) if header.link_layer_type == LinkLayerType::Ether => {
                    link.mac = value.try_into().ok().map(Mac);
                }
                (IFLA_IFNAME, value) => {
                    link.name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
                }
                (IFLA_MTU, value) => link.mtu = u32::from_ne_bytes(value.try_into()?),
                _ => {}
            }
        }
        if link.name.is_empty() { Err(Malformed) } else { Ok(link) }
    };
    Ok((header.interface_family, header.index, described()))
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
    let ours = protocol.map_or(metric == Some(ADDRESS_METRIC), |protocol| protocol == PROTOCOL);
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
    Ok(RouteNews::Route(Key::Route { table, dst, src, metric }, Route { target, tag }))
}

fn ipv6(value: &[u8]) -> Result<Ipv6Addr, Malformed> {
    Ok(Ipv6Addr::from(<[u8; 16]>::try_from(value)?))
}

use super::guard::Guard;
use super::{Delegation, Device};
use crate::net::{Lifetimes, Prefix};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// What an object of the kernel is: two objects with one key can't both exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A tunnel device of ours by its name, which begins with [`DEVICE_PREFIX`](super::DEVICE_PREFIX), at most 15 bytes.
    Device(String),
    /// A sysctl by its name with dots.
    Sysctl(String),
    /// An address of a link.
    Address {
        /// Index of the link.
        link: u32,
        /// The address.
        addr: Ipv6Addr,
    },
    /// A route.
    Route {
        /// Routing table, 254 for main.
        table: u32,
        /// Destination.
        dst: Prefix,
        /// Source (source-specific routing); `::/0` for any.
        src: Prefix,
        /// Metric; smaller wins.
        metric: u32,
    },
    /// An address elsewhere for which the kernel answers neighbours on a link (RFC 4861 §7.2.8).
    Proxy {
        /// Index of the link.
        link: u32,
        /// The address.
        addr: Ipv6Addr,
    },
    /// The packet filter of ours, as a whole.
    Guard,
}

impl Key {
    /// A sysctl of a device, as `accept_ra`.
    pub fn of_device(device: &str, leaf: &str) -> Key {
        Key::Sysctl(device_sysctl(device, leaf))
    }
}

/// The name of a device's sysctl. The device's name may hold dots, no leaf does.
pub fn device_sysctl(device: &str, leaf: &str) -> String {
    format!("{DEVICES}{device}.{leaf}")
}

/// What stands before a device's name in the names of its sysctls.
pub const DEVICES: &str = "net.ipv6.conf.";

/// How an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a tunnel device.
    Device(Device),
    /// Value of a sysctl.
    Sysctl(String),
    /// Of an address.
    Address {
        /// Length of its prefix.
        len: u8,
        /// How long it lives.
        lifetimes: Lifetimes,
    },
    /// Of a route.
    Route(RouteTarget),
    /// Of a proxied address: that it is.
    Proxy,
    /// What the packet filter works with; shared, since it is large and there is one.
    Guard(Arc<Guard>),
}

/// Where a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// To a router on a link.
    Via {
        /// Index of the link.
        link: u32,
        /// The router.
        gateway: Ipv6Addr,
    },
    /// To hosts on a link.
    OnLink {
        /// Index of the link.
        link: u32,
    },
    /// Nowhere: answered with ICMPv6 (RFC 7084 WPD-5).
    Unreachable,
    /// Something else that a foreign route does (blackhole, multipath …).
    Other,
}

impl RouteTarget {
    /// Index of the link it leads over.
    pub fn link(&self) -> Option<u32> {
        match self {
            RouteTarget::Via { link, .. } | RouteTarget::OnLink { link } => Some(*link),
            RouteTarget::Unreachable | RouteTarget::Other => None,
        }
    }
}

/// Main routing table.
const MAIN: u32 = 254;
/// Metric of routes to delegated prefixes: what the kernel gives a route when nobody names one (IP6_RT_PRIO_USER).
const METRIC: u32 = 1024;
/// Metric of unreachable routes: behind every other route to the same prefix, and not the number others choose for
/// theirs (netifd takes 2147483647).
const UNREACHABLE_METRIC: u32 = 2_000_000_000;

/// The route toward whom `prefix` is delegated to.
pub fn delegation_route(prefix: Prefix, to: &Delegation) -> (Key, Value) {
    (delegation_key(prefix), Value::Route(RouteTarget::Via { link: to.link, gateway: to.via }))
}

/// What the route to a delegated prefix is, wherever it leads.
pub fn delegation_key(prefix: Prefix) -> Key {
    Key::Route { table: MAIN, dst: prefix, src: Prefix::ALL, metric: METRIC }
}

/// The route to everywhere for packets from `source`.
pub(super) fn default_route(source: Prefix, next_hop: RouteTarget) -> (Key, Value) {
    (Key::Route { table: MAIN, dst: Prefix::ALL, src: source, metric: METRIC }, Value::Route(next_hop))
}

/// The route to hosts on a link.
pub(super) fn on_link_route(prefix: Prefix, link: u32) -> (Key, Value) {
    let key = Key::Route { table: MAIN, dst: prefix, src: Prefix::ALL, metric: METRIC };
    (key, Value::Route(RouteTarget::OnLink { link }))
}

/// The route that answers for what is in use nowhere of `prefix` (RFC 7084 WPD-5).
pub(super) fn unreachable_route(prefix: Prefix) -> (Key, Value) {
    let key = Key::Route { table: MAIN, dst: prefix, src: Prefix::ALL, metric: UNREACHABLE_METRIC };
    (key, Value::Route(RouteTarget::Unreachable))
}

/// Objects of ours that should exist.
pub type Objects = BTreeMap<Key, Value>;

/// One change to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Make or change an object. That it exists already is success.
    Put(Key, Value),
    /// Remove an object, which has this value now. That it, or its link, is gone already is success.
    Delete(Key, Value),
}

impl Op {
    /// The object it is about.
    pub fn key(&self) -> &Key {
        match self {
            Op::Put(key, _) | Op::Delete(key, _) => key,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Device(name) => write!(f, "device {name}"),
            Key::Sysctl(name) => write!(f, "sysctl {name}"),
            Key::Address { link, addr } => write!(f, "address {addr} on link {link}"),
            Key::Route { dst, src, .. } if src.len() == 0 => write!(f, "route to {dst}"),
            Key::Route { dst, src, .. } => write!(f, "route to {dst} from {src}"),
            Key::Proxy { link, addr } => write!(f, "answer for {addr} on link {link}"),
            Key::Guard => f.write_str("packet filter"),
        }
    }
}

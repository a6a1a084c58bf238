//! From what is wanted and what is there to what has to change. Pure.
//!
//! ```text
//! Config + Facts ─► desired() ─► Desired { objects, lans, dhcp6, served } ─► diff(objects, actual) ─► [Op]
//! ```
//!
//! * [`Actual`] is the kernel as we last heard of it: links, tunnel devices, addresses, routes, sysctls.
//! * [`Objects`] is what the kernel should hold of ours. An object has a [`Key`] (what it is) and a [`Value`]
//!   (how it is), so a difference is a walk over two ordered maps.
//! * What the LANs are told (router advertisements, DHCPv6) follows from the same plan, so that the kernel and
//!   the wire can't disagree.
//! * What was refused, or is undone again and again, waits in [`Retry`].
//!
//! `desired` asks one room after the other: `place` (which device, and why not), `subnets` (which /64), `served` (what
//! hosts have to be told of for longer), `uplinks` (what they give and need), then `perimeter` (what is guarded), and per LAN `announce` and `delegate` (what hosts are told).

mod actual;
mod announce;
mod delegate;
mod desired;
mod device;
mod diff;
pub mod guard;
mod objects;
mod perimeter;
mod pinholes;
mod place;
mod retry;
mod served;
mod subnets;
#[cfg(test)]
mod tests;
pub mod ula;
mod uplinks;

pub use actual::{Actual, Address, AddressState, Change, Filter, Link, Route, Tag};
pub use desired::{desired, sources};
pub use device::{AllowedIp, DEVICE_PREFIX, Device, DeviceKind, Peer, Sit, SixRd, Wireguard};
pub use diff::{diff, diff_keys};
pub use objects::{DEVICES, Key, Objects, Op, RouteTarget, Value, delegation_key, delegation_route, device_sysctl};
pub use pinholes::{Seen, names_asked, pinholes};
pub use place::lan_links;
pub use retry::Retry;
pub use uplinks::{Shared, Uplink};

use desired::ULA;

use crate::net::{FlatMap, Lifetimes, Prefix, Until};
use crate::proto::{dhcp6, ra};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// All that is known when a plan is made, beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The kernel as it is.
    pub actual: Actual,
    /// The unique local prefix drawn for this router (RFC 4193), once there is one.
    pub ula: Option<Prefix>,
    /// Prefixes given by hand, and how long they live.
    pub prefixes: Vec<SourcePrefix>,
    /// Uplinks by section name.
    pub uplinks: FlatMap<String, Uplink>,
    /// Prefixes that LANs were told of, now or before the last restart (RFC 9096 §3.5).
    pub served: Vec<Served>,
    /// Prefixes delegated by DHCPv6 and not over, as of the last plan.
    pub delegations: BTreeMap<Prefix, Delegation>,
    /// Leased and registered addresses, where names of hosts are asked for ([`names_asked`]); else none.
    pub leases: Vec<dhcp6::Binding>,
    /// What netifd gave to devices by itself (`ip6assign`), by the devices' names.
    pub assigned: Vec<(String, Prefix)>,
    /// Names out of which the router has one more address in each /64 and in fe80::/64 of each LAN.
    pub hash_names: Vec<String>,
    /// OpenWrt interface name → device.
    pub interfaces: FlatMap<String, String>,
    /// This server's DUID.
    pub duid: Option<crate::net::Duid>,
}

/// A prefix and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePrefix {
    /// `ula`, `prefix NAME` or `uplink NAME`.
    pub source: String,
    /// The prefix, at most 64 bits long.
    pub prefix: Prefix,
    /// How long it may be used.
    pub lifetimes: Lifetimes,
    /// LANs that get a /64 of it; `None`: all.
    pub lans: Option<Vec<String>>,
    /// Whether LANs get a /64 of it.
    pub assign: bool,
    /// Whether DHCPv6 may delegate out of it.
    pub delegate: bool,
    /// The router's address in it, where that isn't ours to choose: a /64 that is on an uplink's link as well.
    pub router: Option<Ipv6Addr>,
}

/// A /64 (never an address: odhcpd#387) that a LAN has, or had while hosts may still use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Served {
    /// Section name of the LAN.
    pub lan: String,
    /// The /64.
    pub prefix: Prefix,
    /// When the last host that heard of it must have dropped it. `Forever` while the prefix is live, since hosts hear
    /// of it again and again; once it is gone it stays, and the prefix is announced as over until then.
    pub until: Until,
    /// Whether a source still gives it.
    pub live: bool,
}

/// Where a delegated prefix is routed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The link the client is on.
    pub link: u32,
    /// The client's (or its relay agent's) link-local address there.
    pub via: Ipv6Addr,
}

/// All that should be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// What the kernel should hold of ours.
    pub objects: Objects,
    /// What each LAN gets, by section name.
    pub lans: FlatMap<String, LanPlan>,
    /// What the DHCPv6 server works with.
    pub dhcp6: dhcp6::Config,
    /// What has to be remembered on flash.
    pub served: Vec<Served>,
    /// What a person should know, for `status`, `plan` and the log.
    pub problems: Vec<Trouble>,
    /// When this plan has to be made again though nothing changed: the next end of a lifetime.
    pub recheck_at: Option<crate::net::Instant>,
}

/// A plan for one LAN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LanPlan {
    /// The device's name.
    pub device: String,
    /// The device's index while it is there and up.
    pub link: Option<u32>,
    /// The /64s it has, live ones first.
    pub prefixes: Vec<LanPrefix>,
    /// What is advertised; `None`: nothing, and `why` says why.
    pub ra: Option<ra::Config>,
    /// Why the LAN is not served, in words; empty when it is.
    pub why: String,
}

/// A /64 of a LAN.
#[derive(Clone, Debug, PartialEq)]
pub struct LanPrefix {
    /// Where it comes from, as in [`SourcePrefix::source`]; `gone` for one that is only announced deprecated.
    pub source: String,
    /// The /64.
    pub prefix: Prefix,
    /// The router's address in it; `None` for a prefix that is gone.
    pub router: Option<Ipv6Addr>,
    /// How long it may be used.
    pub lifetimes: Lifetimes,
}

/// Something in the world (not in the configuration) that keeps us from serving as we should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is about: `lan home`, `prefix x`, `kernel`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

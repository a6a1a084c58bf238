//! The host side of router advertisements on one uplink (RFC 4861 §6.3, RFC 4862 §5.5, RFC 4191).
//!
//! ```text
//! Event::LinkUp ─► solicitations, later and later (RFC 7559) ─► ff02::2
//! advertisement ─► checks of §6.1.2 ─► routers, prefixes, routes, DNS, … ─► Changed ─► Host::learned()
//! ```
//!
//! * **One router is in use**, and it stays while it lives: neither a newcomer nor a flood of forged ones takes its place,
//!   whatever preference they claim. It is left when its lifetime ends, when it says so, or when the caller finds it
//!   unreachable ([`Event::Reachable`]).
//! * **Who is in use, is heard first.** Every table is bounded. Where one is full, what the router in use announces takes
//!   the place of what others announced, never the other way round; and others get at most half of the places.
//! * **A single forged goodbye doesn't cut us off.** When the router in use says lifetime 0, it is asked at once, and is
//!   gone unless it answers otherwise within a few seconds.
//! * **Routers that only speak when asked** are asked again before their lifetime ends (three quarters of it).
//! * **What repeats, is no news.** Lifetimes are ends. [`Action::Changed`] comes when something appeared, went, was
//!   deprecated or shortened, and else only when half of a lifetime that was last told is gone.

mod addresses;
mod heard;
mod learned;
mod receiver;
mod solicit;
#[cfg(test)]
mod tests;

pub use receiver::Host;

use crate::net::{Instant, Lifetimes, Mac, Preference, Prefix, Until};
use std::net::Ipv6Addr;

/// What a host works with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The link's Ethernet address: source link-layer address of solicitations; by it our own advertisements are known.
    pub mac: Option<Mac>,
    /// The link's own MTU in bytes: an announced one counts from 1280 up to this.
    pub link_mtu: u32,
    /// Whether addresses are made in autonomous prefixes.
    pub addresses: bool,
    /// Secret that addresses follow from, stays the same over restarts (RFC 7217 §5).
    pub secret: [u8; 16],
    /// Name that tells this link from the router's others, in addresses (RFC 7217 §5 Net_Iface).
    pub interface: String,
}

/// What happens to a host.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An ICMPv6 message arrived; `bytes` start at the ICMPv6 type. Its checksum was verified by whoever hands it in.
    Packet {
        /// IPv6 source.
        source: Ipv6Addr,
        /// IPv6 hop limit.
        hop_limit: u8,
        /// Whether it came in fragments, as far as is known (RFC 6980).
        fragmented: bool,
        /// ICMPv6 message.
        bytes: &'a [u8],
    },
    /// The link came up, or may be another one: routers are asked anew. What was learned stays until it ends, or until
    /// the router in use says otherwise.
    LinkUp,
    /// Duplicate address detection failed for an address of [`Learned::addresses`]: the next one is tried (RFC 7217 §6).
    DuplicateAddress(Ipv6Addr),
    /// What neighbour unreachability detection says of a router (RFC 4861 §6.3.6).
    Reachable {
        /// Link-local address of the router.
        router: Ipv6Addr,
        /// Whether it answers. One that doesn't is used only if there is no other.
        reachable: bool,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send an ICMPv6 message from the link's link-local address with hop limit 255; checksum left zero.
    Send {
        /// Destination: ff02::2.
        to: Ipv6Addr,
        /// ICMPv6 message.
        bytes: Vec<u8>,
    },
    /// [`Host::learned`] gives something else than when this was last said.
    Changed,
}

/// What the routers of a link announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Default routers, the one in use first, at most 8.
    pub routers: Vec<Router>,
    /// Prefixes, at most 16.
    pub prefixes: Vec<LearnedPrefix>,
    /// Addresses made in autonomous prefixes, at most 16.
    pub addresses: Vec<HostAddress>,
    /// Routes that are more specific than the default one, at most 16.
    pub routes: Vec<LearnedRoute>,
    /// MTU in bytes, 1280 up to the link's own; `None`: nothing was said.
    pub mtu: Option<u32>,
    /// Hop limit of packets we send; `None`: nothing was said.
    pub hop_limit: Option<u8>,
    /// DNS servers, at most 8.
    pub dns: Vec<(Ipv6Addr, Until)>,
    /// Search domains, at most 8.
    pub search: Vec<(String, Until)>,
    /// NAT64 prefixes (RFC 8781), at most 4.
    pub pref64: Vec<(Prefix, Until)>,
    /// M flag: addresses are given by DHCPv6.
    pub managed: bool,
    /// O flag: settings are given by DHCPv6.
    pub other: bool,
}

/// A default router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    /// Its link-local address.
    pub address: Ipv6Addr,
    /// Its Ethernet address, if it said so.
    pub mac: Option<Mac>,
    /// Its preference (RFC 4191 §2.2).
    pub preference: Preference,
    /// When its lifetime ends.
    pub until: Until,
    /// Whether it answers, as far as is known.
    pub reachable: bool,
}

/// A prefix of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedPrefix {
    /// The prefix.
    pub prefix: Prefix,
    /// L flag: its addresses are on the link.
    pub on_link: bool,
    /// A flag: hosts may make addresses in it.
    pub autonomous: bool,
    /// P flag: hosts should ask for a prefix by DHCPv6 (RFC 9762).
    pub pd_preferred: bool,
    /// When it ends.
    pub lifetimes: Lifetimes,
}

/// An address made in an autonomous prefix of 64 bits. That prefix is on the link only if [`LearnedPrefix`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// When it ends.
    pub lifetimes: Lifetimes,
}

/// A route by one of the routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedRoute {
    /// Where to; never the default route, which is a matter of [`Router`].
    pub prefix: Prefix,
    /// Link-local address of the router.
    pub via: Ipv6Addr,
    /// Preference over other routers.
    pub preference: Preference,
    /// When it ends.
    pub until: Until,
}

/// What a person may want to know of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Solicitations sent.
    pub solicitations: u64,
    /// Valid advertisements heard.
    pub advertisements: u64,
    /// When the last one came.
    pub heard: Option<Instant>,
    /// What was dropped, and how often, by reason: whole messages, and parts of them there was no room for.
    pub drops: Vec<(&'static str, u64)>,
    /// When it does something next, and why.
    pub next: Option<(Instant, &'static str)>,
}

//! Router advertisements of one link (RFC 4861 §6.2). What a host does with those of others is in [`host`].
//!
//! ```text
//! Config ──content──► Advertisement ──messages──► bytes, several where one message would be too long
//!    │                                              ▲
//!    └── Advertiser: when? ── first, periodic, changed, asked, final ──┘        Event ──► asked, or another router heard
//! ```
//!
//! Three things make an advertisement due, and the earliest wins: the interval timer, a change of content, a host that
//! asks. Hosts are answered by unicast while that is cheap, since a multicast wakes every battery on the link (RFC 7772
//! §4), and by one multicast when many ask, or when one is due anyway. Multicasts keep three seconds between them, come
//! what may (RFC 4861 §6.2.6); there is one exception, the first of the final ones, because a process that is told to stop
//! does not live for three more seconds.
//!
//! Three seconds are long when an uplink has died. If a change can't be multicast yet, and hosts would go on using what is
//! dead (a prefix is preferred no more, or another one is, or there is a default router again), the hosts known on the link
//! are told at once, each by unicast, and all by the multicast when its time has come. That is done once between two
//! multicasts, so whatever flaps costs a bounded number of packets.
//!
//! *Changed* means that the bytes would differ now. A delegation that was renewed for another day, while one hour at most
//! is announced, changes nothing on the wire and so causes nothing; neither does a route that went and came back before
//! anything was sent. What was announced with a lifetime and is no longer wanted (routes, DNS servers, search domains,
//! NAT64 prefixes, encrypted resolvers) is announced with lifetime 0 a few times. Prefixes are not: `plan` keeps them in
//! the [`Config`] as deprecated until the last host has dropped them (RFC 9096 §3.5).

mod advertiser;
mod content;
pub mod host;
mod routers;
#[cfg(test)]
mod tests;

pub use advertiser::{Advertiser, Status};
pub use routers::OtherRouter;

use crate::config::Dnr;
use crate::net::{Lifetimes, Mac, Preference, Prefix};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What one link is told. Made by `plan`; ends of lifetimes are moments, so a plan that did not change makes
/// no difference here.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// MaxRtrAdvInterval; under 4 s counts as 4 s (RFC 4861 §6.2.1).
    pub max_interval: Duration,
    /// MinRtrAdvInterval; under 3 s counts as 3 s (RFC 4861 §6.2.1).
    pub min_interval: Duration,
    /// Router lifetime in seconds; 0: not a default router.
    pub router_lifetime: u16,
    /// Preference as a default router; sent as medium while router_lifetime is 0 (RFC 4191 §2.2).
    pub preference: Preference,
    /// M flag.
    pub managed: bool,
    /// O flag.
    pub other: bool,
    /// Cur Hop Limit.
    pub hop_limit: u8,
    /// Reachable Time, milliseconds.
    pub reachable_time: u32,
    /// Retrans Timer, milliseconds.
    pub retrans_timer: u32,
    /// Source link-layer address option.
    pub mac: Option<Mac>,
    /// MTU option.
    pub mtu: Option<u32>,
    /// Prefix information options.
    pub prefixes: Vec<PrefixInfo>,
    /// Route information options: prefix, preference, lifetime in seconds. Of two for one prefix the first counts.
    pub routes: Vec<(Prefix, Preference, u32)>,
    /// RDNSS addresses.
    pub dns: Vec<Ipv6Addr>,
    /// DNSSL domains.
    pub search: Vec<String>,
    /// Lifetime of both, seconds.
    pub dns_lifetime: u32,
    /// NAT64 prefix (RFC 8781).
    pub pref64: Option<Prefix>,
    /// Captive portal URI (RFC 8910).
    pub captive_portal: Option<String>,
    /// Encrypted DNS (RFC 9463).
    pub dnr: Option<Dnr>,
}

/// A prefix information option (RFC 4861 §4.6.2), always with the L flag.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixInfo {
    /// The prefix.
    pub prefix: Prefix,
    /// A flag.
    pub autonomous: bool,
    /// P flag (RFC 9762).
    pub pd_preferred: bool,
    /// When it ends. Announced lifetimes count down to this; once the valid one is over, it is left out.
    pub lifetimes: Lifetimes,
    /// Longest preferred lifetime announced, seconds; 0: deprecated.
    pub max_preferred: u32,
    /// Longest valid lifetime announced, seconds; 0 for a stale prefix, as RFC 9096 §3.5 has it.
    pub max_valid: u32,
}

/// What happens to a link.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An ICMPv6 message arrived; `bytes` start at the ICMPv6 type. Its checksum was verified by whoever hands it in
    /// (the kernel does for raw ICMPv6 sockets, and puts fragments together: RFC 6980 see `fragmented`).
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
    /// Hosts that are known on the link, in answer to [`Action::Neighbours`]: an address of each.
    Neighbours(&'a [Ipv6Addr]),
}

/// What is to be done on the link.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send an ICMPv6 message from the link's link-local address with hop limit 255; checksum left zero.
    Send {
        /// Destination: ff02::1 or a host.
        to: Ipv6Addr,
        /// ICMPv6 message.
        bytes: Vec<u8>,
    },
    /// See which hosts are known on the link, and hand them back as [`Event::Neighbours`].
    Neighbours,
}

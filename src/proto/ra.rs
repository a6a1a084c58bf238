//! Router advertisements of one link (RFC 4861 §6.2).

use crate::config::{Dnr, Preference};
use crate::net::{Lifetimes, Mac, Prefix};
use std::net::Ipv6Addr;
use std::time::Duration;

/// What one link is told. Made by `plan`; ends of lifetimes are moments, so a plan that did not change makes
/// no difference here.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// MaxRtrAdvInterval.
    pub max_interval: Duration,
    /// MinRtrAdvInterval.
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
    /// Route information options: prefix, preference, lifetime in seconds.
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

/// A prefix information option (RFC 4861 §4.6.2).
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixInfo {
    /// The prefix.
    pub prefix: Prefix,
    /// A flag.
    pub autonomous: bool,
    /// P flag (RFC 9762).
    pub pd_preferred: bool,
    /// When it ends. Announced lifetimes count down to this.
    pub lifetimes: Lifetimes,
    /// Longest preferred lifetime announced, seconds; 0: deprecated.
    pub max_preferred: u32,
    /// Longest valid lifetime announced, seconds.
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
}

//! What the owner wants: `/etc/config/oasis6` read, checked, and given types.
//!
//! ```text
//! bytes ─► uci (sections with line numbers) ─► schema (known? in range?) ─► Config, or Problems
//! ```
//!
//! A [`Config`] is always valid: whatever contradicts itself was refused with a [`Problem`] that names the
//! place and the remedy. Nothing here reads a file; `daemon` hands the bytes in.

mod dns;
mod harmless;
mod nearest;
mod read;
pub mod render;
pub mod schema;
pub mod uci;
mod uplink;

pub use dns::{Dns, DnsMode, NamePattern, Publish, Published, Secondary, Secret, TsigKey};
pub use harmless::harmless;
pub use nearest::nearest;
pub use read::{
    MAX_FILE_SIZE, MAX_KEYS, MAX_LANS, MAX_PINHOLES, MAX_PREFIXES, MAX_PROBLEMS, MAX_PUBLISH, MAX_UPLINKS, Reading,
    interfaces, read,
};
pub use schema::host_name;
pub use uplink::{Given, Pinhole, PinholeHost, Protocol, Request, Share, Uplink, UplinkKind, UplinkMode, Wireguard};

use crate::net::{Duid, FlatMap, Mac, Preference, Prefix};
use std::fmt;
use std::net::Ipv6Addr;

/// Whether a section can have this name: letters, digits and `_`, at least one.
pub fn is_section_name(name: &str) -> bool {
    schema::value::is_section_name(name)
}

/// A whole valid configuration. Lengths of time are whole seconds unless a name says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Nothing in the kernel or on the wire changes until this is true.
    pub enabled: bool,
    /// What is logged.
    pub log_level: log::LevelFilter,
    /// Where the LAN's own prefix comes from (RFC 4193).
    pub ula: Ula,
    /// Domain of the LAN's hosts, announced as search domain; empty: none.
    pub domain: String,
    /// Folder on flash for what must survive a reboot.
    pub state_dir: String,
    /// Folder in tmpfs for bindings, socket and lock.
    pub run_dir: String,
    /// File in tmpfs where leases stand as odhcpd writes them, for LuCI; empty: none.
    pub lease_file: String,
    /// Names out of which the router has one more address on each link.
    pub hash_names: Vec<String>,
    /// How many uplinks' prefixes the LANs use.
    pub uplink_mode: UplinkMode,
    /// The networks served, by section name.
    pub lans: FlatMap<String, Lan>,
    /// Ways to the Internet, by section name.
    pub uplinks: FlatMap<String, Uplink>,
    /// Prefixes given by hand, by section name.
    pub prefixes: FlatMap<String, GivenPrefix>,
    /// Known hosts, in the order of the file.
    pub hosts: Vec<Host>,
    /// Ways in from the Internet, in the order of the file.
    pub pinholes: Vec<Pinhole>,
    /// The DNS server; `None`: there is none.
    pub dns: Option<Dns>,
    /// Keys of TSIG, by section name.
    pub keys: FlatMap<String, TsigKey>,
    /// Zones of others in which our names are kept, by section name.
    pub publish: FlatMap<String, Publish>,
}

/// Source of the unique local prefix (RFC 4193).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ula {
    /// Drawn once at random and kept.
    Auto,
    /// This one.
    Fixed(Prefix),
    /// None.
    Off,
}

/// How a LAN section names its network device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// A device of the kernel, as `br-lan`.
    Name(String),
    /// A section `config interface` of OpenWrt's network configuration, as `lan`.
    Interface(String),
}

/// A network that oasis6 serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Lan {
    /// Whether it is served at all.
    pub enabled: bool,
    /// The device it is on.
    pub device: Device,
    /// Which /64 of each prefix it gets; `None`: chosen, and the same after every restart.
    pub subnet: Option<u64>,
    /// The router's interface identifier in each /64 (lower 64 bits).
    pub router_id: u64,
    /// DNS servers announced by RA and DHCPv6.
    pub dns: Vec<DnsServer>,
    /// Search domains announced; empty: [`Config::domain`].
    pub search: Vec<String>,
    /// Domain of its hosts; `None`: [`Config::domain`].
    pub domain: Option<String>,
    /// Router advertisements; `None`: not sent.
    pub ra: Option<LanRa>,
    /// The DHCPv6 server; `None`: silent.
    pub dhcp6: Option<LanDhcp6>,
}

/// A DNS server to announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsServer {
    /// The router's own address on that LAN (the most stable one: ULA before others).
    Router,
    /// This address.
    At(Ipv6Addr),
}

/// Router advertisements of a LAN: the variables of RFC 4861 §6.2.1 and the options beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct LanRa {
    /// MaxRtrAdvInterval, 4 to 1800 s (65535 by RFC 8319).
    pub max_interval: u32,
    /// MinRtrAdvInterval, 3 s to 0.75 × max.
    pub min_interval: u32,
    /// AdvDefaultLifetime in seconds, 0 or max_interval to 9000 (65535 by RFC 8319), announced while there is a default route.
    pub default_lifetime: u32,
    /// When we call ourselves a default router.
    pub default_router: DefaultRouter,
    /// Preference as a default router (RFC 4191).
    pub preference: Preference,
    /// M flag; `None`: set when DHCPv6 gives addresses on this LAN.
    pub managed: Option<bool>,
    /// O flag; `None`: set when DHCPv6 answers on this LAN.
    pub other: Option<bool>,
    /// Whether prefixes carry the A flag, so that hosts make addresses (RFC 4862).
    pub slaac: bool,
    /// P flag (RFC 9762); `None`: set on prefixes out of which DHCPv6 can delegate.
    pub pd_preferred: Option<bool>,
    /// AdvCurHopLimit, 0 to 255, 0: unspecified.
    pub hop_limit: u8,
    /// AdvReachableTime in milliseconds, 0 to 3,600,000, 0: unspecified.
    pub reachable_time: u32,
    /// AdvRetransTimer in milliseconds, 0: unspecified.
    pub retrans_timer: u32,
    /// AdvLinkMTU, `None`: no MTU option.
    pub mtu: Option<u32>,
    /// Longest preferred lifetime announced, seconds (RFC 9096 ND_PREFERRED_LIMIT: 2700).
    pub preferred_lifetime: u32,
    /// Longest valid lifetime announced, seconds (RFC 9096 ND_VALID_LIMIT: 5400).
    pub valid_lifetime: u32,
    /// Lifetime of RDNSS and DNSSL, seconds; `None`: 3 × max_interval (RFC 8106 §5).
    pub dns_lifetime: Option<u32>,
    /// More routes to announce by RIO (RFC 4191).
    pub routes: Vec<Prefix>,
    /// Preference of announced routes (RFC 4191).
    pub route_preference: Preference,
    /// NAT64 prefix to announce (RFC 8781), of 96, 64, 56, 48, 40 or 32 bits.
    pub pref64: Option<Prefix>,
    /// Captive portal URI (RFC 8910).
    pub captive_portal: Option<String>,
    /// Encrypted DNS resolver (RFC 9463).
    pub dnr: Option<Dnr>,
}

/// When the router lifetime is not 0 (RFC 7084 G-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultRouter {
    /// While the kernel has a route covering 2000::/3.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// An encrypted DNS resolver (RFC 9463 §3.1, §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnr {
    /// SvcPriority, 1 to 65535.
    pub priority: u16,
    /// Authentication domain name.
    pub name: String,
    /// Addresses; empty only in alias-only use.
    pub addresses: Vec<Ipv6Addr>,
    /// Service parameters as they are written in a zone file, `alpn=dot port=853`.
    pub params: String,
}

/// The DHCPv6 server of a LAN (RFC 9915).
#[derive(Clone, Debug, PartialEq)]
pub struct LanDhcp6 {
    /// Whether addresses are given (IA_NA).
    pub addresses: bool,
    /// Whether prefixes are delegated (IA_PD) when there is more than a /64.
    pub delegation: bool,
    /// Lowest and highest interface identifier given out.
    pub range: (u64, u64),
    /// Length of a delegated prefix when the client names none (RFC 9818 LPD-4: 64).
    pub delegated_len: u8,
    /// Shortest prefix a client may have (48 to 64).
    pub delegated_min_len: u8,
    /// Longest preferred lifetime given, seconds.
    pub preferred_lifetime: u32,
    /// Longest valid lifetime given, seconds.
    pub valid_lifetime: u32,
    /// T1 in seconds; `None`: 0.5 × shortest preferred lifetime.
    pub t1: Option<u32>,
    /// T2 in seconds; `None`: 0.8 × shortest preferred lifetime.
    pub t2: Option<u32>,
    /// Whether Rapid Commit is answered (RFC 9915 §18.3.1).
    pub rapid_commit: bool,
    /// Server preference, 0 to 255 (RFC 9915 §21.8); 0: option left out.
    pub preference: u8,
    /// SOL_MAX_RT to hand out, 60 to 86400 s (RFC 9915 §21.24).
    pub sol_max_rt: Option<u32>,
    /// INF_MAX_RT to hand out, 60 to 86400 s (RFC 9915 §21.25).
    pub inf_max_rt: Option<u32>,
    /// Whether address registration is accepted (RFC 9686).
    pub registration: bool,
}

/// A prefix given by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenPrefix {
    /// The prefix, at most 64 bits long.
    pub prefix: Prefix,
    /// Preferred lifetime in seconds, counted from when it was configured anew; `u32::MAX`: for ever.
    pub preferred_lifetime: u32,
    /// Valid lifetime in seconds, likewise.
    pub valid_lifetime: u32,
    /// LANs that get a /64 of it; `None`: all.
    pub lans: Option<Vec<String>>,
    /// Whether LANs get a /64 of it at all; without, it only serves delegation.
    pub assign: bool,
    /// Whether DHCPv6 may delegate out of it.
    pub delegate: bool,
}

/// A host known by DUID or MAC.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The section's name, or `@host[i]`.
    pub section: String,
    /// Name in DNS; empty: none.
    pub name: String,
    /// More names in DNS, one label each.
    pub aliases: Vec<String>,
    /// How it is recognised: any of these.
    pub duids: Vec<HostDuid>,
    /// ... or any of these.
    pub macs: Vec<Mac>,
    /// Reserved interface identifier in each /64 given to its LAN.
    pub host_id: Option<u64>,
    /// Reserved addresses, whole.
    pub addresses: Vec<Ipv6Addr>,
    /// Prefix reserved for delegation to it.
    pub prefix: Option<Prefix>,
}

/// A DUID, or one of its identity associations only (`DUID%IAID` as in odhcpd).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDuid {
    /// The client's DUID.
    pub duid: Duid,
    /// Only this IAID.
    pub iaid: Option<u32>,
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is not used.
    Error,
    /// It is used; somebody should look.
    Warning,
}

/// Something wrong in a configuration: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// Line in the file, from 1; 0: the file as a whole.
    pub line: usize,
    /// `TYPE NAME`, as `lan 'home'`; empty where there is none.
    pub section: String,
    /// The option; empty where there is none.
    pub option: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    /// `line 12: error: lan 'home', option 'subnet': 'x' is not a number; write …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        if !self.section.is_empty() {
            f.write_str(&self.section)?;
            f.write_str(if self.option.is_empty() { ": " } else { ", " })?;
        }
        if !self.option.is_empty() {
            write!(f, "option '{}': ", self.option)?;
        }
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

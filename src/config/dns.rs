//! DNS as the owner wants it.

use crate::net::Prefix;
use std::fmt;
use std::net::SocketAddr;

/// A DNS server for the LANs.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns {
    /// Who has port 53.
    pub mode: DnsMode,
    /// UDP and TCP port that is listened on.
    pub port: u16,
    /// Servers that are asked for what is not ours; empty: the uplinks' own.
    pub servers: Vec<SocketAddr>,
    /// Zones that are answered toward uplinks too, without a dot at the end.
    pub public_zones: Vec<String>,
    /// Most memory for cached answers, in KiB.
    pub cache_kib: u32,
    /// Whether private addresses in answers from outside are refused.
    pub rebind_protection: bool,
    /// Domains, with all below them, in which such answers are fine.
    pub rebind_domains: Vec<String>,
    /// NAT64 prefix out of which AAAA records are made (RFC 6147); `None`: none, or the one of a LAN's `pref64`.
    pub dns64_prefix: Option<Prefix>,
    /// Zone in which every name has its hash address; `None`: there is none.
    pub hash_zone: Option<String>,
    /// Secondaries that are told of changes (RFC 1996), and may transfer zones.
    pub secondaries: Vec<Secondary>,
    /// dnsmasq's file of DHCPv4 leases; empty: not read.
    pub dhcp4_leases: String,
    /// TTL in seconds of addresses that follow renumbering.
    pub ttl: u32,
}

/// Who has port 53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsMode {
    /// dnsmasq, which asks us for our zones.
    Behind,
    /// We.
    Replace,
}

/// A secondary of our zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secondary {
    /// Where it is told of changes, and from which address it comes.
    pub server: SocketAddr,
    /// Name of the section `key` that signs; `None`: by its address alone.
    pub key: Option<String>,
}

/// A key of TSIG (RFC 8945), hmac-sha256, and what who has it may change.
#[derive(Clone, Debug, PartialEq)]
pub struct TsigKey {
    /// Its name on the wire, without a dot at the end.
    pub name: String,
    /// The secret.
    pub secret: Secret,
    /// Names that may be changed with it.
    pub may: Vec<NamePattern>,
    /// Record types that may be changed with it (RFC 1035 §3.2.2); empty: all.
    pub types: Vec<u16>,
}

/// A secret of any length. No text of it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Which names: `NAME` is that one, `*.NAME` are all below it. Without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Just(String),
    /// Every name below this one.
    Below(String),
}

/// Names that are kept up to date in a zone of somebody else, by RFC 2136.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// The zone, without a dot at the end.
    pub zone: String,
    /// Name of the section `key` that signs.
    pub key: String,
    /// Its primary server; `None`: found by the zone's records.
    pub server: Option<SocketAddr>,
    /// Whose names.
    pub what: Published,
    /// The router's own name in the zone; `None`: its host name.
    pub name: Option<String>,
    /// TTL of the records in seconds.
    pub ttl: u32,
}

/// Whose names are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Published {
    /// The router's own.
    Router,
    /// ... and its tunnel peers'.
    Peers,
    /// ... and all hosts'.
    All,
}

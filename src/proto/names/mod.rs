//! The names there are: who is called what, at which addresses, and the zones that say so.
//!
//! ```text
//! configuration, bindings, neighbours,   ─► gather ─► devices, each with its name and its addresses now
//! dnsmasq's leases, tunnel peers, router                    │ claims: who gets a name that two want
//!                                                            ▼
//!                                                         Entry ─► zones ─► Change ─► proto::dns
//! ```
//!
//! * **Everything is made anew from facts**, whenever one has changed; nothing is remembered but who had which name, and
//!   which addresses hosts made themselves ([`Names::heard`]). So a name follows its host through every renumbering.
//! * **Sources are ranked** ([`Source`]): what the owner wrote before what a host says, and what a host says in DHCPv6
//!   before what it says elsewhere. A device has one name, that of its best source, and all addresses of all of them: it
//!   is recognised by its MAC address wherever one is known, else by its DUID.
//! * **Two that want one name**: the better source has it, of equals who had it already, and at a restart the one whose
//!   MAC address or DUID is smaller. The other one gets the next free of `name-2`, `name-3` …, and `names` says so.
//! * **Which addresses**: those in a /64 that its LAN has and that is not deprecated; never link-local ones. Of a lease,
//!   of a registration (RFC 9686), reserved by the owner, or made by the host itself and stable, so far as that can be
//!   known (`neighbours.rs`). So temporary addresses (RFC 8981) are never in the zone. IPv4 addresses are those of
//!   dnsmasq's leases and the router's own.
//! * **Names nobody gets by saying so**: the router's own, the domain's, `wpad`, `isatap`, `localhost`; characters that no
//!   host name has become `-`. What was refused is counted by reason.
//! * **Memory is bounded**: [`MAX_NAMES`] names, 1,024 hosts with 16 addresses each.
//!
//! mDNS is no source: its names are another domain's (`local`, RFC 6762 §3), whoever speaks it finds them on the link, and
//! asking for them would take a listener on every LAN.

// UNTESTED RFC 4704 §4.1: the N bit of a client asks for no update. Reason: it is about the client's own domain; the name here is the LAN's
// UNTESTED RFC 6303 §3: other zones that are locally served. Reason: the resolver's; here are the zones of live prefixes

mod claims;
mod dnsmasq;
mod gather;
pub mod hash;
mod label;
mod neighbours;
mod status;
#[cfg(test)]
mod tests;
mod zones;

pub use dnsmasq::{Lease4, leases as dnsmasq_leases};
pub use zones::{Change, Record, Zone};

use crate::config::{Config, Published};
use crate::net::{Duid, Instant, Mac, Prefix};
use crate::proto::dhcp6::Binding;
use crate::wire::dns::Name;
use claims::Held;
use neighbours::Neighbours;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most names. A name with its records costs about a kilobyte, and no LAN of a small router has more hosts.
pub const MAX_NAMES: usize = 4_096;

/// Where a name comes from, the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The router itself.
    Router,
    /// A section `host`.
    Host,
    /// A tunnel's peer.
    Peer,
    /// What a client calls itself by DHCPv6 (RFC 4704) for which a section `host` keeps addresses.
    Reserved,
    /// What a DHCPv6 client calls itself.
    Dhcp6,
    /// What a host calls itself that registered its address (RFC 9686).
    Registered,
    /// A lease of dnsmasq.
    Dhcp4,
}

/// Whose a name is. Of equals the smaller one has a name that both want.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The router.
    Router,
    /// The host of a section, by the section's name.
    Host(String),
    /// The peer of an uplink, by the uplink's name.
    Peer(String),
    /// A host by its MAC address.
    Mac(Mac),
    /// A host by its DUID, where no MAC address is known.
    Duid(Duid),
}

/// Why a name was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Nothing is left of it.
    NoName,
    /// `wpad`, `isatap`, `localhost`.
    Reserved,
    /// It is the router's own.
    Router,
    /// It is a domain of ours, or all of it.
    Domain,
    /// There are too many names, or too many hosts that want this one.
    TooMany,
}

/// A name with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, relative to `domain`, in lower case.
    pub name: String,
    /// The domain it is in, without a dot at its end.
    pub domain: String,
    /// What was wanted, if that is somebody else's.
    pub wanted: Option<String>,
    /// Another name of somebody who has one: it has no PTR records.
    pub alias: bool,
    /// Where it comes from.
    pub source: Source,
    /// Whose it is.
    pub who: Who,
    /// Since when it is theirs.
    pub since: Instant,
    /// What it stands for.
    pub addresses: BTreeSet<IpAddr>,
}

/// A LAN as far as names go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lan {
    /// Section name.
    pub name: String,
    /// Its hosts' domain; empty: none.
    pub domain: String,
    /// Its /64s that hosts should use: neither gone nor deprecated.
    pub prefixes: Vec<Prefix>,
    /// Whether hosts make addresses in them.
    pub slaac: bool,
    /// The router's addresses there, in these prefixes and of IPv4.
    pub router: Vec<IpAddr>,
    /// Its IPv4 networks.
    pub networks: Vec<(Ipv4Addr, u8)>,
}

/// All that names are made of.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What the router calls itself (`hostname`).
    pub hostname: &'a str,
    /// Addresses the router has by names that are addresses, by name ([`hash`]).
    pub hashed: &'a BTreeMap<String, Vec<Ipv6Addr>>,
    /// The LANs, by name.
    pub lans: &'a [Lan],
    /// Prefixes that are ours, whose reverse zones we have: neither over nor longer than a /64.
    pub prefixes: &'a [Prefix],
    /// Bindings of the DHCPv6 server.
    pub bindings: &'a [&'a Binding],
    /// Leases of dnsmasq.
    pub leases4: &'a [Lease4],
}

impl Known<'_> {
    /// The domain of LANs that have none of their own, in lower case; empty: there is none.
    fn domain(&self) -> String {
        self.config.domain.to_ascii_lowercase()
    }
}

/// The names there are.
#[derive(Debug, Default)]
pub struct Names {
    neighbours: Neighbours,
    /// MAC addresses that were seen behind DUIDs without one, while these have bindings.
    macs: BTreeMap<Duid, Mac>,
    held: Held,
    entries: Vec<Entry>,
    refused: BTreeMap<Refusal, u64>,
    /// Each zone by a hash of its contents.
    zones: BTreeMap<Name, (u64, usize)>,
}

impl Names {
    /// No names yet.
    pub fn new() -> Names {
        Names::default()
    }

    /// Takes in which addresses are whose on a LAN now, as the kernel's table of neighbours says; says whether names may
    /// have changed by it.
    pub fn heard(&mut self, lan: &str, seen: &[(Ipv6Addr, Mac)], now: Instant) -> bool {
        self.neighbours.note(lan, seen, now)
    }

    /// Makes the names anew, and gives what has changed in the zones.
    pub fn update(&mut self, known: &Known<'_>, now: Instant) -> Vec<Change> {
        let mut refused = BTreeSet::new();
        let devices = gather::devices(known, &self.neighbours, &mut self.macs);
        let claims = claims::claims(known, devices, &mut refused);
        self.entries = self.held.settle(claims, &mut refused, now);
        for refusal in self.held.news(refused) {
            *self.refused.entry(refusal).or_default() += 1;
        }
        zones::changes(zones::zones(known, &self.entries), &mut self.zones)
    }

    /// There are no names any more: every zone is gone.
    pub fn end(self) -> Vec<Change> {
        self.zones.into_keys().map(Change::Gone).collect()
    }

    /// Names that are to stand in a zone of somebody else, with the addresses that the Internet knows.
    pub fn published(&self, what: Published) -> impl Iterator<Item = (&Entry, BTreeSet<Ipv6Addr>)> {
        let is_wanted = move |entry: &&Entry| match what {
            Published::Router => entry.source == Source::Router,
            Published::Peers => matches!(entry.source, Source::Router | Source::Peer),
            Published::All => true,
        };
        let global = |entry: &Entry| entry.addresses.iter().filter_map(zones::global).collect();
        self.entries.iter().filter(is_wanted).map(move |entry| (entry, global(entry)))
    }

    /// Every name, by domain and name.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

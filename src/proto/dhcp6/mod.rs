//! DHCPv6 (RFC 9915): the server of all links, with its bindings. The client of an uplink is in [`client`].
//!
//! ```text
//! datagram ─► relay (unwrap) ─► server (checks of §16) ─► turn (rules of §18.3)
//!                                                            │ leases: what the client gets, decided only
//!                                                            ▼
//!                                          bindings ◄── commit: Record, Delegated, Tell, then Send
//! ```
//!
//! * **Deciding and committing are apart.** An Advertise and a Reply are decided by the same code without changing
//!   anything; only for a Reply is the decision carried out. So what is offered is what is then given, and a Solicit
//!   leaves nothing behind.
//! * **Nothing is given to two.** The table of bindings holds spans of address space that never overlap, be they leased
//!   addresses, delegated prefixes, declined or registered addresses.
//! * **The same client gets the same again.** What it has is kept; what was lost is found again, since the place of a
//!   lease follows from the client's DUID and IAID, and since what a client says it has is given to it when it is ours
//!   and free. So losing the last bindings in a power cut does no harm, as long as nobody else came in between.
//! * **A client is never left with something dead.** What is no longer ours to give is answered with lifetimes of 0, and
//!   a fresh one beside it. A subnet or pool that is deprecated counts as gone.
//! * **Prefixes are routed by fact, not by action.** [`Action::Delegated`] says to which neighbour a prefix belongs as long
//!   as it is bound, inside a pool of the configuration and outside of everything in use; `plan` makes the route.
//! * **Who can be asked back, is.** When what a client has is deprecated or gone, and it accepts Reconfigure, it is asked to
//!   renew at once instead of at T1.
//! * **Memory is bounded**: 20,000 bindings (or [`Server::limit_bindings`]) of about 300 bytes, a tenth of them kept for
//!   clients that are known; 128 per client; 2,000 registered addresses per link; 16 identity associations in a message
//!   and 8 leases listed in each are looked at. Nothing is kept for who only solicits.
//!
//! A server that answers a Renew from its own table alone could say NoBinding after a power cut, and the client would
//! start anew; accepting it (RFC 9915 §18.3.4 leaves the choice) keeps connections alive.

mod bindings;
pub mod client;
mod leases;
mod pool;
mod reconfigure;
mod registration;
mod relay;
mod server;
mod site;
mod status;
#[cfg(test)]
mod tests;
mod turn;

pub use bindings::Counts;
pub use server::Server;
pub use status::Status;

use crate::config::Host;
use crate::net::FlatMap;
use crate::net::{Duid, Lifetimes, Prefix};
use std::net::Ipv6Addr;
use std::sync::Arc;

/// What the server works with. Made by `plan`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The server's DUID; `None`: it can't answer yet.
    pub duid: Option<Duid>,
    /// Links it serves, by index.
    pub links: FlatMap<u32, Link>,
    /// Known hosts.
    pub hosts: Vec<Host>,
}

/// What one link gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Section name of the LAN: part of a binding, since indexes change.
    pub lan: Arc<str>,
    /// On-link prefixes. One that is deprecated or over is answered with lifetimes 0 to those who hold it.
    pub subnets: Vec<Subnet>,
    /// Where delegated prefixes come from; shared with other links.
    pub pools: Vec<Pool>,
    /// DNS servers.
    pub dns: Vec<Ipv6Addr>,
    /// Domain search list.
    pub search: Vec<String>,
    /// Captive portal URI (RFC 8910).
    pub captive_portal: Option<String>,
    /// Encrypted DNS (RFC 9463).
    pub dnr: Option<crate::config::Dnr>,
    /// Everything an administrator set.
    pub options: crate::config::LanDhcp6,
}

/// An on-link /64 that addresses are given out of.
#[derive(Clone, Debug, PartialEq)]
pub struct Subnet {
    /// The /64.
    pub prefix: Prefix,
    /// How long it may be used; leases never outlive it.
    pub lifetimes: Lifetimes,
    /// The router's own address in it: never given out.
    pub router: Option<Ipv6Addr>,
}

/// A prefix that others are delegated out of.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The whole.
    pub prefix: Prefix,
    /// How long it may be used; leases never outlive it.
    pub lifetimes: Lifetimes,
    /// Parts in use elsewhere (the LANs' own /64s, one /64 held back): never delegated.
    pub reserved: Vec<Prefix>,
}

/// What a client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// An address (IA_NA).
    Address(Ipv6Addr),
    /// A prefix (IA_PD).
    Prefix(Prefix),
}

/// One thing given to one identity association of one client, or registered by it (RFC 9686).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// What it holds: the key, since nothing is ever given to two.
    pub resource: Resource,
    /// Who.
    pub client: Duid,
    /// Which of its identity associations.
    pub iaid: u32,
    /// Section name of the LAN it is on; shared, since thousands of bindings name a handful of LANs.
    pub lan: Arc<str>,
    /// The client's address, or its relay agent's, on that LAN's link: where a delegated prefix is routed to.
    pub via: Ipv6Addr,
    /// When it ends.
    pub lifetimes: Lifetimes,
    /// What kind of a binding it is.
    pub state: State,
    /// The name the client gave itself (RFC 4704), a single label or a full name as sent, cleaned; empty: none.
    pub hostname: Box<str>,
}

/// Kind of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Leased to the client.
    Bound,
    /// The client found that somebody else uses the address (RFC 9915 §18.3.8): kept from everybody until it ends.
    Declined,
    /// Made by the client itself and registered (RFC 9686): no lease.
    Registered,
}

/// What has to be on disk before the reply that promises it may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The binding of this resource is now this one.
    Put(Binding),
    /// The resource is free.
    Delete(Resource),
}

/// What happens to the server.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A UDP message arrived on port 547.
    Packet {
        /// Index of the link it came in by.
        link: u32,
        /// Source address.
        source: Ipv6Addr,
        /// Source port: 546 of clients, 547 of relay agents; replies go back there (RFC 9915 §7.2 asks for the fixed
        /// ones; a relay may use another, RFC 8357).
        port: u16,
        /// Whether it was sent to a multicast address.
        multicast: bool,
        /// UDP payload.
        bytes: &'a [u8],
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Write this to the journal, before any later `Send`.
    Record(Record),
    /// Send a UDP message from port 547.
    Send {
        /// Index of the link it leaves by.
        link: u32,
        /// Destination address.
        to: Ipv6Addr,
        /// Destination port.
        port: u16,
        /// UDP payload.
        bytes: Vec<u8>,
        /// It acknowledges records: not to be sent when they could not be written.
        commits: bool,
    },
    /// Where this prefix is routed to has changed; `None`: nowhere any more. A fact for `plan`.
    Delegated(Prefix, Option<crate::plan::Delegation>),
    /// Somebody should hear of this (`monitor`): what became of a binding.
    Tell(Told, Binding),
}

/// What became of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// New.
    Granted,
    /// Its lifetimes were extended.
    Renewed,
    /// The client gave it back.
    Released,
    /// It ended.
    Expired,
    /// The client found it in use elsewhere.
    Declined,
}

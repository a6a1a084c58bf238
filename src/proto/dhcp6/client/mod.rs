//! DHCPv6 (RFC 9915 §18.2): the client of one uplink, with an IA_NA, an IA_PD, or both in one session.
//!
//! ```text
//!           ┌──────────── nothing came of it ────────────┐
//!           ▼                                            │
//! Solicit ─► Advertise ─► Request ─► Reply ─► bound ─T1─► Renew ─T2─► Rebind ─ last lease over ─► Solicit
//!      └───── Reply with Rapid Commit ────────►│  ▲        └─ NoBinding ─► Request at once
//!                                   link is up └──┘ Confirm, or Rebind when there is a prefix
//! Information-request ─► informed ─ refresh time ─► Information-request       when no lease is wanted
//! Release, Decline: an exchange beside it, for what is used no more
//! ```
//!
//! * **Leases and exchanges are apart.** What is held has its own ends and is used until they come, whatever message is
//!   under way; an exchange has its own timer and always ends in another state. So there is no state without a way out.
//! * **A network can't make us loud.** Retransmissions follow §15; 20 messages in 20 seconds is the most that leaves
//!   (§14.1), T1 is at least a few seconds, and a search that led to nothing begins again later and later.
//! * **A network can't make us large.** 16 leases, one offer (the best) and a few servers that failed us are remembered.
//! * **Somebody else can't change what we have.** A message counts only with our DUID and the transaction under way, or,
//!   for Reconfigure, when it is authenticated by the key its server gave (§20.4).
//! * **The caller maps flags to wishes.** Whether an address is wanted (M flag) or settings only (O flag) is in [`Config`],
//!   and may change any time: what is wanted no more is released, what is wanted newly is asked for at once.

mod exchange;
mod leases;
mod message;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod turn;

pub use session::Client;

use crate::net::{Duid, Instant, Lifetimes, Prefix};
use std::net::Ipv6Addr;

/// What a client works with. Made by the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The client's DUID.
    pub duid: Duid,
    /// Number of its identity associations, of the IA_NA and of the IA_PD (their numbers are apart); stays the same over
    /// restarts (RFC 9915 §12).
    pub iaid: u32,
    /// Whether an address is wanted (IA_NA).
    pub want_address: bool,
    /// Whether a prefix is wanted (IA_PD), and a hint for its length; 0: any.
    pub want_prefix: Option<u8>,
    /// Whether settings (DNS) are wanted even without a lease: an Information-request, when neither of the two is wanted.
    pub information: bool,
    /// Whether a server may answer a Solicit with a Reply (RFC 9915 §18.2.1).
    pub rapid_commit: bool,
    /// Whether servers may ask us to come back (RFC 9915 §18.2.11).
    pub reconfigure_accept: bool,
    /// What was held before a restart: used on, and confirmed at once. Looked at by [`Client::new`] only.
    pub remembered: Option<Leases>,
}

/// What happens to a client.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A UDP message arrived on port 546.
    Packet {
        /// Source address.
        source: Ipv6Addr,
        /// Whether it was sent to a multicast address: a Reconfigure must not be (RFC 9915 §16.11).
        multicast: bool,
        /// UDP payload.
        bytes: &'a [u8],
    },
    /// The link came up, or may be another one (RFC 9915 §18.2.12).
    LinkUp,
    /// An address we leased is in use by somebody else (DAD failed, RFC 9915 §18.2.8).
    DuplicateAddress(Ipv6Addr),
    /// Give everything back and be silent, until [`Client::reconfigure`] is called (RFC 9915 §18.2.7).
    Release,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a UDP message from the link's link-local address and port 546 to port 547.
    Send {
        /// Destination: ff02::1:2.
        to: Ipv6Addr,
        /// UDP payload.
        bytes: Vec<u8>,
    },
    /// [`Client::leases`] gives something else than before, be it ends of lifetimes only; worth being remembered.
    Changed,
}

/// What a client holds and was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// The server that gave the leases, or the settings.
    pub server: Option<Duid>,
    /// Leased addresses, each of 128 bits: they say nothing of what is on the link.
    pub addresses: Vec<LeasedAddress>,
    /// Delegated prefixes.
    pub prefixes: Vec<LeasedPrefix>,
    /// DNS servers, at most 8, best first.
    pub dns: Vec<Ipv6Addr>,
    /// Search domains, at most 8.
    pub search: Vec<String>,
}

/// An address of an IA_NA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeasedAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// When it ends.
    pub lifetimes: Lifetimes,
}

/// A prefix of an IA_PD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeasedPrefix {
    /// The prefix, 20 to 64 bits long.
    pub prefix: Prefix,
    /// When it ends.
    pub lifetimes: Lifetimes,
    /// The part that the other end of the link uses: never to be announced on a LAN (RFC 6603 §4.2).
    pub exclude: Option<Prefix>,
}

/// What a person may want to know of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is doing: `idle`, `soliciting`, `requesting`, `confirming`, `bound`, `renewing`, `rebinding`, `asking for
    /// settings`, `informed`, `releasing`.
    pub state: &'static str,
    /// Since when.
    pub since: Instant,
    /// How often the message under way was sent.
    pub tries: u32,
    /// When it does something next, and why.
    pub next: Option<(Instant, &'static str)>,
    /// The server it is bound to or asks.
    pub server: Option<Duid>,
    /// What a server last refused, in words; forgotten once everything wanted is held.
    pub refused: Option<String>,
    /// Whether the server may ask it to come back: it gave a reconfigure key.
    pub reconfigurable: bool,
    /// Messages sent, by message type.
    pub sent: Vec<(&'static str, u64)>,
    /// Messages that counted, by message type.
    pub received: Vec<(&'static str, u64)>,
    /// What was dropped on its way in or out, and how often, by reason.
    pub dropped: Vec<(&'static str, u64)>,
}

//! Whether an uplink works, and which uplinks are used.
//!
//! ```text
//! link, next hop, prefix ─► Ready ┐                                   ┌ Changed ─► Candidate ┐
//! packet counters, echo replies,  ├─► Watch (one per uplink) ─ Action ┤                      ├─► Choice ─► Role of each
//! neighbours, handshakes          ┘                                   └ Echo, Count          ┘
//! ```
//!
//! # Watch
//!
//! * **Who carries traffic, is not asked.** While unicast packets come in, nothing is sent. When packets go out and none
//!   come back, a burst of echo requests goes at once; if nobody answers that either, the uplink fails, within two seconds
//!   of the silence. An idle uplink is asked every few seconds; one answer missing starts a burst.
//! * **Traffic overrules silence.** An uplink that brings in unicast packets never fails. One whose probes are never
//!   answered all the same (there are providers that filter ICMPv6) is *mute*: it is judged by what the kernel knows of
//!   the next hop, and by WireGuard's handshakes. So is one that has nobody to ask.
//! * **Loss is not death.** One that loses many probes, or where only one of several targets answers, is degraded: used
//!   if there is no better one.
//! * **Trust comes back slowly.** What failed has to answer for some seconds without a break; each failure doubles that
//!   time, and ten quiet minutes halve it (the idea of RFC 2439).
//!
//! # Choice
//!
//! Away from a dead uplink at once; back to a better one when that has worked for a while, twice as long for each time it
//! failed lately. If none works, the one in use is kept while it has a next hop: the LAN keeps its prefix. Whatever uplinks
//! do, there are at most some tens of moves in an hour.

mod choice;
mod damping;
mod probes;
#[cfg(test)]
mod tests;
mod watch;
mod words;

pub use choice::{Candidate, Choice, Chosen, Move};
pub use watch::{Status, Watch};

use std::net::Ipv6Addr;
use std::time::Duration;

/// Whether the LANs use an uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its prefixes are preferred.
    Active,
    /// Its prefixes are known, and used from the moment it becomes active.
    Standby,
    /// It is not used.
    Out,
}

impl Role {
    /// As `status` shows it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Active => "active",
            Role::Standby => "standby",
            Role::Out => "out",
        }
    }
}

/// How an uplink is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing can work: no device, no carrier.
    Down,
    /// Something is still awaited: a router, a prefix, the first answer.
    Starting,
    /// It works.
    Up,
    /// It works badly.
    Degraded,
    /// All is there, but no packets come back.
    Failing,
}

impl State {
    /// Whether packets pass.
    pub fn is_usable(self) -> bool {
        matches!(self, State::Up | State::Degraded)
    }

    /// As `status` shows it.
    pub fn word(self) -> &'static str {
        match self {
            State::Down => "down",
            State::Starting => "starting",
            State::Up => "up",
            State::Degraded => "degraded",
            State::Failing => "failing",
        }
    }
}

/// What an uplink has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It can't work, and why: "eth1 is down: plug the cable in".
    Down(String),
    /// Something is missing still, and what: "no router advertisement came", "waiting for a prefix by DHCPv6".
    Waiting(String),
    /// Device, addresses, prefix and route are there: packets can leave by it, and answers come back.
    Complete {
        /// The next hop, which is asked if the owner names nobody else. `None`: nobody knows it. On a point-to-point link
        /// that may be ff02::2: whoever is at the other end.
        next_hop: Option<Ipv6Addr>,
    },
}

/// What happens to an uplink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What it has; the same again is no news.
    Ready(Ready),
    /// What its device has counted since it was made, in answer to [`Action::Count`].
    Counters {
        /// Unicast packets in, without neighbour discovery; echo replies to us included.
        unicast_in: u64,
        /// Unicast packets out, own and forwarded, without neighbour discovery; our echo requests included.
        out: u64,
    },
    /// An echo reply came in by its device. One that nobody asked for is counted and dropped.
    EchoReply {
        /// Source address.
        from: Ipv6Addr,
        /// Identifier (RFC 4443 §4.2).
        identifier: u16,
        /// Sequence number (RFC 4443 §4.2).
        sequence: u16,
    },
    /// How long ago WireGuard's last handshake was; `None`: there was none yet.
    Handshake(Option<Duration>),
    /// What the kernel's neighbour table says of the next hop.
    Neighbour {
        /// True for REACHABLE, false for FAILED; for any other state nothing is said.
        reachable: bool,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send an echo request by the uplink's device and from its own address.
    Echo {
        /// Destination: unicast, or ff02::2 where [`Ready::Complete`] said so.
        to: Ipv6Addr,
        /// Identifier (RFC 4443 §4.1).
        identifier: u16,
        /// Sequence number (RFC 4443 §4.1).
        sequence: u16,
    },
    /// Read the device's counters now, and hand them in as [`Event::Counters`]; once a second, twice while there is traffic.
    Count,
    /// Look up this next hop in the kernel's neighbour table, and hand in [`Event::Neighbour`]; at most once a second, and only
    /// where echo alone can't tell.
    LookUp(Ipv6Addr),
    /// State or reason are others than when this was last said.
    Changed,
}

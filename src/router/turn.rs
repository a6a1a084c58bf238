//! What a turn of the router is made of: events in, actions out.

use super::{NetifdFacts, Notice};
use crate::config::Config;
use crate::kernel::Refusal;
use crate::net::{FlatMap, Instant, Key32, Mac, Prefix};
use crate::plan::{Change, Op};
use crate::proto::{dhcp6, names, ra, uplink};
use crate::store::Memory;
use crate::wire::nd::Neighbour;
use std::net::{Ipv6Addr, SocketAddr};

/// What happens to the router.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A valid configuration was read, with OpenWrt's interface names.
    Configure {
        /// The configuration, now in force.
        config: Box<Config>,
        /// OpenWrt interface name → device.
        interfaces: FlatMap<String, String>,
    },
    /// The kernel changed.
    Kernel(Vec<Change>),
    /// What became of an [`Action::Apply`].
    Applied(Vec<(Op, Result<(), Refusal>)>),
    /// An ICMPv6 message arrived on a link, or what an [`Action::Neighbours`] brought.
    Nd {
        /// Index of the link.
        link: u32,
        /// The message, as the advertiser takes it.
        packet: ra::Event<'a>,
    },
    /// Neighbours talk on a link that shares a /64 with another one.
    Neighbour {
        /// Index of the link.
        link: u32,
        /// What was said.
        message: Neighbour,
    },
    /// A message for the DHCPv6 server arrived.
    Dhcp6(dhcp6::Event<'a>),
    /// Something happened to the DHCPv6 client of the uplink on a link.
    Dhcp6Client {
        /// Index of the link.
        link: u32,
        /// What.
        event: dhcp6::client::Event<'a>,
    },
    /// What the watch over the uplink on a link should know.
    Watch {
        /// Index of the link.
        link: u32,
        /// What.
        event: uplink::Event,
    },
    /// Private keys of WireGuard uplinks that are in files, by the uplinks' names.
    Keys(FlatMap<String, Key32>),
    /// What netifd says of each of its interfaces.
    Netifd(FlatMap<String, NetifdFacts>),
    /// What an [`Action::Resolve`] brought.
    Resolved {
        /// The uplink's name.
        uplink: String,
        /// Addresses of its peer, or why there are none.
        answer: Result<Vec<SocketAddr>, String>,
    },
    /// What an [`Action::Fetch`] brought.
    Fetched {
        /// The uplink's name.
        uplink: String,
        /// Nothing, or why it failed, without the URL.
        answer: Result<(), String>,
    },
    /// What an [`Action::Survey`] brought.
    Hosts {
        /// Index of the link.
        link: u32,
        /// Each neighbour's address and MAC address.
        seen: Vec<(Ipv6Addr, Mac)>,
    },
    /// What this machine calls itself.
    Hostname(String),
    /// dnsmasq's leases.
    Leases4(Vec<names::Lease4>),
    /// What the kernel says of the peer of a WireGuard uplink; to be told every few seconds.
    Peer {
        /// Index of the tunnel's link.
        link: u32,
        /// The last handshake.
        handshake: Option<Instant>,
        /// Bytes sent to it.
        sent: u64,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Send an ICMPv6 message from the link's link-local address, hop limit 255.
    SendNd {
        /// Index of the link.
        link: u32,
        /// Destination.
        to: Ipv6Addr,
        /// ICMPv6 message without checksum.
        bytes: Vec<u8>,
    },
    /// Send a UDP message from port 547.
    SendDhcp6 {
        /// Index of the link.
        link: u32,
        /// Destination address.
        to: Ipv6Addr,
        /// Destination port.
        port: u16,
        /// UDP payload.
        bytes: Vec<u8>,
        /// Not to be sent when this turn's records could not be written.
        commits: bool,
    },
    /// Send a UDP message from port 546 of the link's link-local address to port 547.
    SendDhcp6Client {
        /// Index of the link.
        link: u32,
        /// Destination address.
        to: Ipv6Addr,
        /// UDP payload.
        bytes: Vec<u8>,
    },
    /// Send an ICMPv6 echo request (RFC 4443 §4.1).
    SendEcho {
        /// Index of the link.
        link: u32,
        /// Source; `None`: the kernel chooses.
        source: Option<Ipv6Addr>,
        /// Destination.
        to: Ipv6Addr,
        /// Identifier.
        identifier: u16,
        /// Sequence number.
        sequence: u16,
    },
    /// Count the packets of a device now, and hand them back as [`uplink::Event::Counters`].
    Count {
        /// Index of the link.
        link: u32,
        /// The device's name.
        device: String,
    },
    /// See what the kernel knows of a neighbour, and hand it back as [`uplink::Event::Neighbour`].
    LookUp {
        /// Index of the link.
        link: u32,
        /// The neighbour.
        next_hop: Ipv6Addr,
    },
    /// See which hosts the kernel knows on a link, and hand an address of each back as [`ra::Event::Neighbours`].
    Neighbours {
        /// Index of the link.
        link: u32,
    },
    /// See which neighbours the kernel knows on a link, and hand all their addresses back as [`Event::Hosts`].
    Survey {
        /// Index of the link.
        link: u32,
    },
    /// Zones of ours have changed.
    Zones(Vec<names::Change>),
    /// Look up a name, and hand what comes of it back as [`Event::Resolved`].
    Resolve {
        /// The uplink's name.
        uplink: String,
        /// `HOST:PORT`.
        endpoint: String,
    },
    /// Fetch a URL, which may hold a password, and hand what comes of it back as [`Event::Fetched`].
    Fetch {
        /// The uplink's name.
        uplink: String,
        /// `http://…` or `https://…`.
        url: String,
    },
    /// Write this to the journal of bindings.
    Record(dhcp6::Record),
    /// Keep this on flash.
    Remember(Memory),
    /// Change the kernel, and hand the results back as [`Event::Applied`].
    Apply(Vec<Op>),
    /// Forget tracked flows from and to addresses in these prefixes, which no live uplink gives any more.
    ForgetFlows(Vec<Prefix>),
    /// Tell whoever monitors, and the log.
    Tell(Notice),
}

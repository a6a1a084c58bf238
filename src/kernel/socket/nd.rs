use super::inbox::{Inbox, Lost, RECV_FRAGMENT_SIZE};
use crate::net::ALL_ROUTERS;
use crate::proto::ra;
use nix::libc;
use nix::sys::socket::sockopt::{self, SetStruct};
use nix::sys::socket::{SockProtocol, SockType, setsockopt};
use std::io;
use std::net::Ipv6Addr;
use tokio::net::UdpSocket;

/// Receive buffer in bytes: some hundred solicitations, each of which the kernel charges with a whole page or so.
const RECEIVE_BUFFER: usize = 256 << 10;
/// Longest message taken, bytes: more than an Ethernet frame, since neighbour discovery has no fragments (RFC 6980 §5).
const MESSAGE: usize = 2048;
/// Hop limit of all neighbour discovery (RFC 4861 §4.2).
const HOP_LIMIT: libc::c_int = 255;
/// ICMP6_FILTER of linux/icmpv6.h.
const ICMP6_FILTER: libc::c_int = 1;
/// ICMPv6 types of router solicitations and advertisements (RFC 4861 §4.1, §4.2).
const HEARD: [usize; 2] = [133, 134];

#[derive(Clone)]
pub(super) struct Filter;
nix::setsockopt_impl!(Filter, libc::IPPROTO_ICMPV6, ICMP6_FILTER, [u32; 8], SetStruct<'_, [u32; 8]>);
#[derive(Clone)]
struct ReceiveFragmentSize;
nix::setsockopt_impl!(
    ReceiveFragmentSize,
    libc::IPPROTO_IPV6,
    RECV_FRAGMENT_SIZE,
    libc::c_int,
    SetStruct<'_, libc::c_int>
);

/// A raw ICMPv6 socket for router solicitations and advertisements on all links.
pub struct NdSocket {
    socket: UdpSocket,
    inbox: Inbox,
}

impl NdSocket {
    /// Opens it, with no group joined yet. Needs root or CAP_NET_RAW, and a tokio runtime. Errors: those of socket(2).
    pub fn open() -> io::Result<NdSocket> {
        let socket = super::open(SockType::Raw, SockProtocol::IcmpV6, RECEIVE_BUFFER)?;
        setsockopt(&socket, Filter, &filter(&HEARD))?;
        setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
        setsockopt(&socket, sockopt::Ipv6MulticastHops, &HOP_LIMIT)?;
        setsockopt(&socket, sockopt::Ipv6Ttl, &HOP_LIMIT)?;
        // every Linux knows it, QEMU's user emulation doesn't
        let _ = setsockopt(&socket, sockopt::Ipv6DontFrag, &true);
        // kernels before 4.14 don't tell fragments
        let _ = setsockopt(&socket, ReceiveFragmentSize, &1);
        socket.set_multicast_loop_v6(false)?;
        Ok(NdSocket { socket, inbox: Inbox::new(MESSAGE) })
    }

    /// Hears solicitations to ff02::2 on `link` too. Advertisements to ff02::1 are heard anyway. Errors: ENODEV.
    pub fn join(&mut self, link: u32) -> io::Result<()> {
        super::join(&self.socket, ALL_ROUTERS, link)
    }

    /// Hears them no more.
    pub fn leave(&mut self, link: u32) -> io::Result<()> {
        super::leave(&self.socket, ALL_ROUTERS, link)
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands up to `budget` messages to `each`, with the link they came in by.
    pub fn recv_batch(&mut self, budget: usize, mut each: impl FnMut(u32, ra::Event<'_>)) {
        self.inbox.receive(&self.socket, budget, |datagram| {
            let event = ra::Event::Packet {
                source: datagram.source,
                // a message without one is as good as one from afar
                hop_limit: datagram.hop_limit.unwrap_or(0),
                fragmented: datagram.fragmented,
                bytes: datagram.bytes,
            };
            each(datagram.link, event);
        });
    }

    /// Sends an ICMPv6 message with hop limit 255 by `link`; the kernel fills in the checksum. `source` has to be an
    /// address of the link that passed duplicate address detection; `None` leaves it to the kernel.
    ///
    /// Errors: EINVAL (no such source), ENODEV, ENETUNREACH, ENETDOWN, and EMSGSIZE where it would need fragments.
    pub fn send(&mut self, link: u32, source: Option<Ipv6Addr>, to: Ipv6Addr, bytes: &[u8]) -> io::Result<()> {
        let source = source.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let sent = super::send_by(&self.socket, link, source, to, 0, bytes);
        self.inbox.lost.unsent += u64::from(sent.is_err());
        sent.map(drop).map_err(io::Error::from)
    }

    /// What was dropped since it was opened.
    pub fn lost(&self) -> Lost {
        self.inbox.lost
    }
}

/// A filter that lets only these types pass (RFC 3542 §3.2; Linux has the bits the other way round: set means blocked).
pub(super) fn filter(types: &[usize]) -> [u32; 8] {
    let mut words = [u32::MAX; 8];
    for kind in types {
        if let Some(word) = words.get_mut(kind / 32) {
            *word &= !(1 << (kind % 32));
        }
    }
    words
}

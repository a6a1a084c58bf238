use super::inbox::{Inbox, Lost};
use super::nd::{Filter, filter};
use crate::wire::echo;
use nix::sys::socket::{SockProtocol, SockType, setsockopt};
use std::io;
use std::net::Ipv6Addr;
use tokio::net::UdpSocket;

/// Receive buffer in bytes: some ten replies. Everybody's come in here, also those of a flood.
const RECEIVE_BUFFER: usize = 32 << 10;
/// Longest message taken, bytes: ours are eight, and longer ones are of others.
const MESSAGE: usize = 64;

/// An echo reply that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoReply {
    /// Index of the link it came in by.
    pub link: u32,
    /// Source address.
    pub from: Ipv6Addr,
    /// Identifier (RFC 4443 §4.2).
    pub identifier: u16,
    /// Sequence number (RFC 4443 §4.2).
    pub sequence: u16,
}

/// A raw ICMPv6 socket for echo requests and the replies to them, on all links.
pub struct EchoSocket {
    socket: UdpSocket,
    inbox: Inbox,
}

impl EchoSocket {
    /// Opens it. Needs root or CAP_NET_RAW, and a tokio runtime. Errors: those of socket(2).
    pub fn open() -> io::Result<EchoSocket> {
        let socket = super::open(SockType::Raw, SockProtocol::IcmpV6, RECEIVE_BUFFER)?;
        setsockopt(&socket, Filter, &filter(&[echo::ECHO_REPLY.into()]))?;
        // or our own request to ff02::2 would be answered by ourselves
        socket.set_multicast_loop_v6(false)?;
        Ok(EchoSocket { socket, inbox: Inbox::new(MESSAGE) })
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands up to `budget` replies to `each`, those to other programs on this machine among them.
    pub fn recv_batch(&mut self, budget: usize, mut each: impl FnMut(EchoReply)) {
        self.inbox.receive(&self.socket, budget, |datagram| {
            if let Some((identifier, sequence)) = echo::reply(datagram.bytes) {
                each(EchoReply { link: datagram.link, from: datagram.source, identifier, sequence });
            }
        });
    }

    /// Sends an echo request by `link` and no other, from `source`; `None` leaves that to the kernel, which takes an
    /// address that suits `to`.
    ///
    /// Errors: EINVAL (no such source), ENODEV, ENETUNREACH, ENETDOWN, and EPERM where a firewall says so.
    pub fn send(
        &mut self,
        link: u32,
        source: Option<Ipv6Addr>,
        to: Ipv6Addr,
        identifier: u16,
        sequence: u16,
    ) -> io::Result<()> {
        let source = source.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let sent = super::send_by(&self.socket, link, source, to, 0, &echo::request(identifier, sequence));
        self.inbox.lost.unsent += u64::from(sent.is_err());
        sent.map_err(io::Error::from)
    }

    /// What was dropped since it was opened; `truncated` are replies to others, longer than ours.
    pub fn lost(&self) -> Lost {
        self.inbox.lost
    }
}

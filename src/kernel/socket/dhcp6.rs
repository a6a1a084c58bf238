use super::inbox::{Inbox, Lost};
use super::sendmmsg::send_many;
use crate::net::{ALL_DHCP_RELAY_AGENTS_AND_SERVERS, is_link_local};
use crate::proto::dhcp6;
use nix::sys::socket::{SockaddrIn6, setsockopt, sockopt};
use std::io::{self, IoSlice};
use std::net::{Ipv6Addr, SocketAddrV6};
use tokio::net::UdpSocket;

/// The port of servers and relay agents (RFC 9915 §7.2).
const PORT: u16 = 547;
/// Receive and send buffer in bytes: a burst of a thousand clients after a power cut.
const BUFFER: usize = 1 << 20;
/// Longest message taken, bytes. Messages of clients fit an Ethernet frame; relay agents add a little.
const MESSAGE: usize = 4096;
/// Datagrams sent by one system call.
const BATCH: usize = 64;

/// The port of clients.
const CLIENT: u16 = 546;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Index of the link it leaves by; to a relay agent beyond a router, routing decides.
    pub link: u32,
    /// Destination address.
    pub to: Ipv6Addr,
    /// Destination port.
    pub port: u16,
    /// UDP payload.
    pub bytes: Vec<u8>,
}

impl Outgoing {
    fn address(&self) -> SockaddrIn6 {
        SocketAddrV6::new(self.to, self.port, 0, self.link).into()
    }

    /// Whether its address alone would not keep it to its link: a client that uses a global address (RFC 9686 §4.2.1).
    fn is_pinned(&self) -> bool {
        self.port == CLIENT && !is_link_local(self.to) && !self.to.is_multicast()
    }
}

/// The UDP socket of the DHCPv6 server, on all links.
pub struct Dhcp6Socket {
    socket: UdpSocket,
    inbox: Inbox,
}

impl Dhcp6Socket {
    /// Takes port 547, with no group joined yet. Needs a tokio runtime. Errors: EADDRINUSE, whose message says who has
    /// the port; EACCES without root or CAP_NET_BIND_SERVICE.
    pub fn open() -> io::Result<Dhcp6Socket> {
        let socket = super::udp(PORT, BUFFER)?;
        if setsockopt(&socket, sockopt::SndBufForce, &BUFFER).is_err() {
            setsockopt(&socket, sockopt::SndBuf, &BUFFER)?;
        }
        Ok(Dhcp6Socket { socket, inbox: Inbox::new(MESSAGE) })
    }

    /// Hears clients and relay agents on `link`, which send to ff02::1:2 (RFC 9915 §7.1). Errors: ENODEV.
    pub fn join(&mut self, link: u32) -> io::Result<()> {
        super::join(&self.socket, ALL_DHCP_RELAY_AGENTS_AND_SERVERS, link)
    }

    /// Hears them no more.
    pub fn leave(&mut self, link: u32) -> io::Result<()> {
        super::leave(&self.socket, ALL_DHCP_RELAY_AGENTS_AND_SERVERS, link)
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands up to `budget` messages to `each`.
    pub fn recv_batch(&mut self, budget: usize, mut each: impl FnMut(dhcp6::Event<'_>)) {
        self.inbox.receive(&self.socket, budget, |datagram| {
            each(dhcp6::Event::Packet {
                link: datagram.link,
                source: datagram.source,
                port: datagram.port,
                multicast: datagram.destination.is_multicast(),
                bytes: datagram.bytes,
            });
        });
    }

    /// Sends `messages` in order, going on after one the kernel refuses. Returns how many went out.
    pub fn send_batch(&mut self, messages: &[Outgoing]) -> usize {
        let mut sent = 0;
        for run in messages.chunk_by(|a, b| !a.is_pinned() && !b.is_pinned()) {
            for batch in run.chunks(BATCH) {
                sent += self.send_run(batch);
            }
        }
        self.inbox.lost.unsent += (messages.len() - sent) as u64;
        sent
    }

    /// Sends messages of one kind.
    fn send_run(&self, messages: &[Outgoing]) -> usize {
        let mut sent = 0;
        let mut rest = messages;
        while let Some(first) = rest.first() {
            let result = if first.is_pinned() {
                let Outgoing { link, to, port, bytes } = first;
                super::send_by(&self.socket, *link, Ipv6Addr::UNSPECIFIED, *to, *port, bytes).map(|()| 1)
            } else {
                let datagrams: Vec<_> = rest.iter().map(|m| (m.address(), IoSlice::new(&m.bytes))).collect();
                send_many(&self.socket, &datagrams)
            };
            // a refusal is of the first message only; the others go on without it
            sent += result.unwrap_or(0);
            rest = rest.get(result.unwrap_or(1).max(1)..).unwrap_or_default();
        }
        sent
    }

    /// What was dropped since it was opened.
    pub fn lost(&self) -> Lost {
        self.inbox.lost
    }
}

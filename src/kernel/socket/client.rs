use super::inbox::{Inbox, Lost};
use crate::proto::dhcp6::client;
use std::io;
use std::net::Ipv6Addr;
use tokio::net::UdpSocket;

/// The port of clients (RFC 9915 §7.2).
const PORT: u16 = 546;
/// The port of servers and relay agents.
const SERVER: u16 = 547;
/// Receive buffer in bytes: the answers of a few servers.
const BUFFER: usize = 64 << 10;
/// Longest message taken, bytes: more than an Ethernet frame, since a server may send fragments.
const MESSAGE: usize = 2048;

/// The UDP socket of DHCPv6 clients, on all uplinks.
pub struct Dhcp6ClientSocket {
    socket: UdpSocket,
    inbox: Inbox,
}

impl Dhcp6ClientSocket {
    /// Takes port 546. Needs a tokio runtime. Errors: EADDRINUSE, whose message says who has the port; EACCES without
    /// root or CAP_NET_BIND_SERVICE.
    pub fn open() -> io::Result<Dhcp6ClientSocket> {
        Ok(Dhcp6ClientSocket { socket: super::udp(PORT, BUFFER)?, inbox: Inbox::new(MESSAGE) })
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands up to `budget` messages to `each`, with the link they came in by.
    pub fn recv_batch(&mut self, budget: usize, mut each: impl FnMut(u32, client::Event<'_>)) {
        self.inbox.receive(&self.socket, budget, |datagram| {
            let event = client::Event::Packet {
                source: datagram.source,
                multicast: datagram.destination.is_multicast(),
                bytes: datagram.bytes,
            };
            each(datagram.link, event);
        });
    }

    /// Sends a message by `link`, from its link-local address. Errors: ENODEV, ENETUNREACH, EADDRNOTAVAIL.
    pub fn send(&mut self, link: u32, to: Ipv6Addr, bytes: &[u8]) -> io::Result<()> {
        let sent = super::send_by(&self.socket, link, Ipv6Addr::UNSPECIFIED, to, SERVER, bytes);
        self.inbox.lost.unsent += u64::from(sent.is_err());
        sent.map_err(io::Error::from)
    }

    /// What was dropped since it was opened.
    pub fn lost(&self) -> Lost {
        self.inbox.lost
    }
}

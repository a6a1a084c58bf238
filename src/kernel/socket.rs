//! The sockets that talk with links: raw ICMPv6 for router advertisements and for echo, UDP port 547 for DHCPv6 toward
//! LANs and 546 toward uplinks.
//!
//! ```text
//! readable().await ─► recv_batch(budget, each) ─► the caller's core      send(), send_batch() ─► the link
//! ```
//!
//! Readiness is edge-triggered. `recv_batch` reads until the socket is empty, which arms the edge again, or until its
//! budget is spent, which leaves the socket readable, so that the next `readable` returns at once. A caller can thus
//! give every socket its turn and lose nothing.
//!
//! What arrives is a datagram with the link it came in by, from the kernel's control messages; one whose link is not
//! known or that did not fit the buffer is counted and dropped. What can't be sent is counted and dropped too: all
//! protocols repeat themselves.

mod client;
mod dhcp6;
mod echo;
mod holder;
mod inbox;
mod nd;
mod neighbours;
mod sendmmsg;

pub use client::Dhcp6ClientSocket;
pub use dhcp6::{Dhcp6Socket, Outgoing};
pub use echo::{EchoReply, EchoSocket};
pub use inbox::Lost;
pub use nd::NdSocket;
pub use neighbours::NeighbourSocket;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6};
use nix::sys::socket::{bind, sendmsg, setsockopt, socket, sockopt};
use std::io::{self, IoSlice};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::AsRawFd;
use tokio::net::UdpSocket;

/// Opens a datagram socket that doesn't block, with `receive` bytes of receive buffer.
///
/// It is a [`UdpSocket`] to tokio whatever its protocol: that type is the safe owner of a datagram socket, and knows how
/// to join multicast groups by interface index.
fn open(kind: SockType, protocol: SockProtocol, receive: usize) -> io::Result<UdpSocket> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Inet6, kind, flags, protocol)?;
    // beyond the system's limit where we may, else up to it
    if setsockopt(&fd, sockopt::RcvBufForce, &receive).is_err() {
        setsockopt(&fd, sockopt::RcvBuf, &receive)?;
    }
    setsockopt(&fd, sockopt::Ipv6RecvPacketInfo, &true)?;
    UdpSocket::from_std(fd.into())
}

/// A UDP socket on `port`. Errors: EADDRINUSE, whose message says who has the port; EACCES without root or
/// CAP_NET_BIND_SERVICE.
fn udp(port: u16, receive: usize) -> io::Result<UdpSocket> {
    let socket = open(SockType::Datagram, SockProtocol::Udp, receive)?;
    setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    let any = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0));
    bind(socket.as_raw_fd(), &any).map_err(|errno| holder::explain(io::Error::from(errno), port))?;
    Ok(socket)
}

/// Sends a datagram by `link` and no other, from `source`, or (`::`) from an address that the kernel chooses.
fn send_by(socket: &UdpSocket, link: u32, source: Ipv6Addr, to: Ipv6Addr, port: u16, bytes: &[u8]) -> nix::Result<()> {
    let info = libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: source.octets() }, ipi6_ifindex: link };
    let controls = [ControlMessage::Ipv6PacketInfo(&info)];
    let to = SockaddrIn6::from(SocketAddrV6::new(to, port, 0, link));
    let flags = MsgFlags::MSG_DONTWAIT;
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(bytes)], &controls, flags, Some(&to)).map(drop)
}

/// Joins `group` on `link`; being a member already is success.
fn join(socket: &UdpSocket, group: Ipv6Addr, link: u32) -> io::Result<()> {
    forgive(socket.join_multicast_v6(&group, link), &[Errno::EADDRINUSE])
}

/// Leaves `group` on `link`; being no member, or the link being gone, is success.
fn leave(socket: &UdpSocket, group: Ipv6Addr, link: u32) -> io::Result<()> {
    forgive(socket.leave_multicast_v6(&group, link), &[Errno::EADDRNOTAVAIL, Errno::ENODEV])
}

fn forgive(result: io::Result<()>, fine: &[Errno]) -> io::Result<()> {
    match result {
        Err(error) if fine.iter().any(|errno| error.raw_os_error() == Some(*errno as i32)) => Ok(()),
        other => other,
    }
}

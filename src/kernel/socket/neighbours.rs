use crate::kernel::socket_filter;
use crate::net::FlatSet;
use crate::wire::nd::{Neighbour, neighbour};
use nix::libc;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket, sockopt,
};
use std::io;
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Receive buffer in bytes: some hundred messages.
const RECEIVE_BUFFER: usize = 64 << 10;
/// Longest message taken, bytes: a header, and a neighbour's message with a few options.
const MESSAGE: usize = 256;
/// PACKET_MR_ALLMULTI of linux/if_packet.h.
const ALL_MULTICAST: libc::c_ushort = 2;

#[derive(Clone)]
struct AddMembership;
nix::setsockopt_impl!(
    AddMembership,
    libc::SOL_PACKET,
    libc::PACKET_ADD_MEMBERSHIP,
    libc::packet_mreq,
    SetStruct<'_, libc::packet_mreq>
);
#[derive(Clone)]
struct DropMembership;
nix::setsockopt_impl!(
    DropMembership,
    libc::SOL_PACKET,
    libc::PACKET_DROP_MEMBERSHIP,
    libc::packet_mreq,
    SetStruct<'_, libc::packet_mreq>
);

/// A socket that hears what neighbours say to each other on some links, whomever they say it to: neighbour solicitations
/// and advertisements. It only listens.
pub struct NeighbourSocket {
    /// To tokio it is that, as every socket here.
    socket: UdpSocket,
    links: FlatSet<u32>,
}

impl NeighbourSocket {
    /// Opens it, with no link to hear yet. Needs root or CAP_NET_RAW, and a tokio runtime. Errors: those of packet(7).
    pub fn open() -> io::Result<NeighbourSocket> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Packet, SockType::Datagram, flags, SockProtocol::EthIpv6)?;
        socket_filter::attach(&fd, &only_neighbours())?;
        setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        Ok(NeighbourSocket { socket: UdpSocket::from_std(fd.into())?, links: FlatSet::new() })
    }

    /// Hears these links from now on and no others. Errors: ENODEV; the other links are heard all the same.
    pub fn hear(&mut self, links: &FlatSet<u32>) -> io::Result<()> {
        let mut result = Ok(());
        for link in self.links.difference(links) {
            // a link that is gone is heard no more anyway
            let _ = setsockopt(&self.socket, DropMembership, &membership(*link));
        }
        for link in links.difference(&self.links) {
            if let Err(error) = setsockopt(&self.socket, AddMembership, &membership(*link)) {
                result = Err(error.into());
            }
        }
        self.links = links.clone();
        result
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands up to `budget` valid messages to `each`, with the link they came in by.
    pub fn recv_batch(&mut self, budget: usize, mut each: impl FnMut(u32, Neighbour)) {
        let mut buffer = [0; MESSAGE];
        for _ in 0..budget {
            let fd = self.socket.as_raw_fd();
            let received = self
                .socket
                .try_io(Interest::READABLE, || recvfrom::<LinkAddr>(fd, &mut buffer).map_err(io::Error::from));
            let (len, from) = match received {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // of a link that went down; the socket itself goes on
                Err(_) => continue,
            };
            let link = from.and_then(|from| u32::try_from(from.ifindex()).ok()).unwrap_or(0);
            let message = buffer.get(..len).and_then(neighbour).filter(|_| self.links.contains(&link));
            message.into_iter().for_each(|message| each(link, message));
        }
    }
}

fn membership(link: u32) -> libc::packet_mreq {
    let mr_ifindex = libc::c_int::try_from(link).unwrap_or(0);
    libc::packet_mreq { mr_ifindex, mr_type: ALL_MULTICAST, mr_alen: 0, mr_address: [0; 8] }
}

/// A socket filter (linux/filter.h) that lets only neighbour solicitations and advertisements pass (RFC 4861 §4.3, §4.4),
/// with no extension header, since neighbour discovery has none. What is read stands behind the link's own header.
fn only_neighbours() -> [libc::sock_filter; 7] {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let load = |at| step((libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16, 0, 0, at);
    let equal = |value, then, or| step((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, then, or, value);
    let end = |take| step((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, take);
    [load(6), equal(58, 0, 4), load(40), equal(135, 1, 0), equal(136, 0, 1), end(u32::MAX), end(0)]
}

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn6, recvmmsg};
use std::io::{self, IoSliceMut};
use std::net::Ipv6Addr;
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Datagrams taken by one system call. More gain nothing measurable and cost memory.
const BATCH: usize = 32;
/// IPV6_RECVFRAGSIZE of linux/in6.h, since Linux 4.14; as a control message it carries the size of the largest fragment.
pub(super) const RECV_FRAGMENT_SIZE: libc::c_int = 77;

/// What a socket dropped by itself, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Datagrams that did not fit the buffer.
    pub truncated: u64,
    /// Datagrams that came without saying by which link.
    pub nowhere: u64,
    /// Calls to receive that failed.
    pub failed: u64,
    /// Datagrams the kernel would not send.
    pub unsent: u64,
}

/// A datagram that arrived.
pub(super) struct Datagram<'a> {
    /// Index of the link it came in by.
    pub(super) link: u32,
    pub(super) source: Ipv6Addr,
    pub(super) port: u16,
    pub(super) destination: Ipv6Addr,
    /// `None` where the kernel was not asked.
    pub(super) hop_limit: Option<u8>,
    /// Whether it came in fragments, as far as the kernel tells.
    pub(super) fragmented: bool,
    pub(super) bytes: &'a [u8],
}

/// Buffers for datagrams, allocated once.
pub(super) struct Inbox {
    buffers: Box<[u8]>,
    size: usize,
    pub(super) lost: Lost,
}

impl Inbox {
    /// For datagrams of up to `size` bytes.
    pub(super) fn new(size: usize) -> Inbox {
        Inbox { buffers: vec![0; BATCH * size].into(), size, lost: Lost::default() }
    }

    /// Takes up to `budget` datagrams from `socket`. When it comes to find none left the socket is not ready any
    /// more; when the budget was spent before, it stays ready.
    pub(super) fn receive(&mut self, socket: &UdpSocket, budget: usize, mut each: impl FnMut(Datagram<'_>)) {
        let mut left = budget;
        while left > 0 {
            match socket.try_io(Interest::READABLE, || self.receive_some(socket, left, &mut each)) {
                Ok(count) => left = left.saturating_sub(count.max(1)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // of one datagram or of the link it went out by; the socket itself goes on
                Err(_) => {
                    self.lost.failed += 1;
                    left -= 1;
                }
            }
        }
    }

    fn receive_some(
        &mut self,
        socket: &UdpSocket,
        most: usize,
        each: &mut impl FnMut(Datagram<'_>),
    ) -> io::Result<usize> {
        let Inbox { buffers, size, lost } = self;
        let count = most.min(BATCH);
        // made anew each time, since the kernel shortens the room for control messages to what it used
        let space = cmsg_space!(libc::in6_pktinfo, libc::c_int, libc::c_int);
        let mut headers = MultiHeaders::<SockaddrIn6>::preallocate(count, Some(space));
        let mut slices: Vec<_> =
            buffers.chunks_exact_mut(*size).take(count).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let messages = match recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None) {
            Err(Errno::EINTR) => return Ok(0),
            other => other?,
        };
        let mut received = 0;
        for message in messages {
            received += 1;
            if message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC) {
                lost.truncated += 1;
            } else if let Some(datagram) = decode(&message) {
                each(datagram);
            } else {
                lost.nowhere += 1;
            }
        }
        Ok(received)
    }
}

fn decode<'a>(message: &'a RecvMsg<'_, '_, SockaddrIn6>) -> Option<Datagram<'a>> {
    let from = message.address.as_ref()?;
    let mut arrived = None;
    let mut hop_limit = None;
    let mut fragmented = false;
    for control in message.cmsgs().ok()? {
        match control {
            ControlMessageOwned::Ipv6PacketInfo(info) => arrived = Some(info),
            ControlMessageOwned::Ipv6HopLimit(limit) => hop_limit = u8::try_from(limit).ok(),
            ControlMessageOwned::Unknown(unknown) => {
                let kind = (unknown.cmsg_header.cmsg_level, unknown.cmsg_header.cmsg_type);
                fragmented |= kind == (libc::IPPROTO_IPV6, RECV_FRAGMENT_SIZE);
            }
            _ => {}
        }
    }
    let info = arrived?;
    Some(Datagram {
        link: info.ipi6_ifindex,
        source: from.ip(),
        port: from.port(),
        destination: info.ipi6_addr.s6_addr.into(),
        hop_limit,
        fragmented,
        bytes: message.iovs().next().unwrap_or_default(),
    })
}

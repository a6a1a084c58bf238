use nix::libc;
use rtnetlink::sys::{AsyncSocket, SocketAddr, TokioSocket};
use std::future::poll_fn;
use std::io;

/// NETLINK_NETFILTER of linux/netlink.h.
const NETLINK_NETFILTER: isize = 12;
/// NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h.
const GROUP: u32 = 7;
/// Room for one datagram in bytes: what the kernel puts into one at most.
const DATAGRAM: usize = 32 << 10;
/// Datagrams thrown away in one turn.
const BUDGET: usize = 1024;

/// Tells when rules of nftables change, whoever changes them: firewall4 loads everything anew, somebody flushes
/// everything. What has changed is for [`super::Nft::read`] to find out.
pub struct Watch {
    socket: TokioSocket,
    buffer: Vec<u8>,
}

impl Watch {
    /// Watches from now on. Needs a tokio runtime, and the rights to administer the network. Errors: those of socket(2);
    /// EPROTONOSUPPORT where the kernel has no nftables.
    pub fn open() -> io::Result<Watch> {
        let mut socket = TokioSocket::new(NETLINK_NETFILTER)?;
        socket.socket_mut().bind(&SocketAddr::new(0, 1 << (GROUP - 1)))?;
        Ok(Watch { socket, buffer: Vec::with_capacity(DATAGRAM) })
    }

    /// Waits for a change. Cancelling it loses nothing. Errors are of the socket itself.
    pub async fn changed(&mut self) -> io::Result<()> {
        self.buffer.clear();
        let Watch { socket, buffer } = self;
        // all that one change has to say is one change; when some of it was lost there was one, too
        let mut next = poll_fn(|context| socket.poll_recv(context, buffer)).await;
        for _ in 0..BUDGET {
            match next {
                Ok(()) => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => break,
                Err(error) => return Err(error),
            }
            buffer.clear();
            next = socket.socket_ref().recv(buffer, libc::MSG_DONTWAIT).map(drop);
        }
        Ok(())
    }
}

//! sendmmsg(2), and all the unsafe code there is. nix has this call too, but there the number of datagrams sent can
//! only be had by reading memory that nobody has written.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{SockaddrIn6, SockaddrLike};
use std::io::IoSlice;
use std::os::fd::AsRawFd;

/// Sends datagrams by one system call, without waiting. Returns how many went out; an error is of the first one.
pub(super) fn send_many(socket: &impl AsRawFd, datagrams: &[(SockaddrIn6, IoSlice<'_>)]) -> nix::Result<usize> {
    let header = |(to, bytes): &(SockaddrIn6, IoSlice<'_>)| {
        // SAFETY: it consists of integers and pointers, for which zero is a value
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_hdr.msg_namelen = to.len();
        // IoSlice is an iovec, by its documentation
        header.msg_hdr.msg_iov = std::ptr::from_ref(bytes).cast_mut().cast();
        header.msg_hdr.msg_iovlen = 1;
        header
    };
    let mut headers: Vec<libc::mmsghdr> = datagrams.iter().map(header).collect();
    let count = libc::c_uint::try_from(headers.len()).unwrap_or(libc::c_uint::MAX);
    // the type of the flags differs between C libraries
    #[allow(clippy::unnecessary_cast)]
    let flags = libc::MSG_DONTWAIT as _;
    // SAFETY: there are at least `count` headers. They point into `datagrams`, which outlives the call and is only read
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags) };
    Errno::result(sent).map(|sent| usize::try_from(sent).unwrap_or(0))
}

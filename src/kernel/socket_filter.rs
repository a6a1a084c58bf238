use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use std::os::fd::AsFd;

#[derive(Clone)]
struct AttachFilter;
nix::setsockopt_impl!(
    AttachFilter,
    libc::SOL_SOCKET,
    libc::SO_ATTACH_FILTER,
    libc::sock_fprog,
    SetStruct<'_, libc::sock_fprog>
);

/// Lets only those packets reach `socket` that `program` (linux/filter.h) lets pass. Errors: those of setsockopt(2).
pub(super) fn attach<const N: usize>(socket: &impl AsFd, program: &[libc::sock_filter; N]) -> nix::Result<()> {
    // the kernel only reads it, and only during the call
    let program = libc::sock_fprog { len: N as libc::c_ushort, filter: program.as_ptr().cast_mut() };
    setsockopt(socket, AttachFilter, &program)
}

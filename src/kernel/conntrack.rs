//! Connection tracking: flows of prefixes that are dead are forgotten, so that none of them goes on being let through,
//! or translated, as an old acquaintance (opnsense#4556).
//!
//! The kernel is asked for its IPv6 flows by ctnetlink (linux/netfilter/nfnetlink_conntrack.h), and to delete those in
//! question by the very bytes it named them with. A kernel without connection tracking has nothing to forget; one that
//! tracks but has no ctnetlink (OpenWrt's package kmod-nf-conntrack-netlink) keeps its flows until they time out, and
//! the guard rejects their packets by their sources all the same.

use super::Refusal;
use crate::net::Prefix;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use rtnetlink::sys::{Socket, SocketAddr};
use std::io;
use std::net::Ipv6Addr;

/// NETLINK_NETFILTER of linux/netlink.h.
const NETLINK_NETFILTER: isize = 12;
/// IPCTNL_MSG_CT_GET and IPCTNL_MSG_CT_DELETE of NFNL_SUBSYS_CTNETLINK.
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
/// Attributes: CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE; in a tuple CTA_TUPLE_IP; in that CTA_IP_V6_SRC and _DST.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ZONE: u16 = 18;
const TUPLE_IP: u16 = 1;
const SOURCE: u16 = 3;
const DESTINATION: u16 = 4;
/// What is beside an attribute's type: NLA_F_NESTED and NLA_F_NET_BYTEORDER.
const TYPE: u16 = 0x3fff;
/// Lengths of struct nlmsghdr and struct nfgenmsg.
const HEADER: usize = 16;
const FAMILY: usize = 4;
/// Room for one datagram of an answer in bytes: what the kernel puts into one at most.
const DATAGRAM: usize = 32 << 10;
/// Flows named for deletion in one go, and goes in a row: 65,536 flows, the kernel's own limit on most routers.
const BATCH: usize = 1024;
const ROUNDS: usize = 64;
/// Seconds. The kernel answers while it is asked, so this only bounds what should not happen.
const PATIENCE: i64 = 5;

/// Forgets every IPv6 flow from an address in one of these prefixes, or to one; says how many that were. Refused where
/// we may not, EPERM.
pub fn forget(prefixes: &[Prefix]) -> Result<usize, Refusal> {
    let gone = |errno: Option<i32>| errno.is_some_and(|errno| NOTHING.contains(&Errno::from_raw(errno)));
    match Ctnetlink::open().and_then(|mut kernel| kernel.forget(prefixes)) {
        Ok(forgotten) => Ok(forgotten),
        Err(error) if gone(error.raw_os_error()) => Ok(0),
        Err(error) => Err(Refusal {
            errno: error.raw_os_error().unwrap_or(libc::EIO),
            message: format!("can't forget flows of a dead prefix: {error}"),
        }),
    }
}

/// What a kernel says that has no connection tracking, or no way to ask for it.
const NOTHING: [Errno; 5] =
    [Errno::EPROTONOSUPPORT, Errno::EAFNOSUPPORT, Errno::EINVAL, Errno::EOPNOTSUPP, Errno::ENOENT];

struct Ctnetlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Ctnetlink {
    fn open() -> io::Result<Ctnetlink> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(PATIENCE))?;
        Ok(Ctnetlink { socket, sequence: 0, buffer: Vec::with_capacity(DATAGRAM) })
    }

    fn forget(&mut self, prefixes: &[Prefix]) -> io::Result<usize> {
        let mut forgotten = 0;
        for _ in 0..ROUNDS {
            let mut names = Vec::new();
            self.ask(GET, libc::NLM_F_DUMP, &[], |message| {
                if names.len() < BATCH {
                    names.extend(flow(message).filter(|flow| flow.touches(prefixes)).map(|flow| flow.name()));
                }
            })?;
            for name in &names {
                match self.ask(DELETE, libc::NLM_F_ACK, name, |_| {}) {
                    Ok(()) => forgotten += 1,
                    // it ended by itself meanwhile
                    Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                    Err(error) => return Err(error),
                }
            }
            if names.len() < BATCH {
                break;
            }
        }
        Ok(forgotten)
    }

    /// Sends one request about IPv6, and hands the payload of each message of the answer to `each`.
    fn ask(&mut self, kind: u16, flags: i32, attributes: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = HEADER + FAMILY + attributes.len();
        let flags = u16::try_from(flags | libc::NLM_F_REQUEST).unwrap_or_default();
        let mut request = u32::try_from(length).unwrap_or_default().to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend(flags.to_ne_bytes());
        request.extend(self.sequence.to_ne_bytes());
        request.extend([0; 4]);
        request.extend([u8::try_from(libc::AF_INET6).unwrap_or_default(), 0, 0, 0]);
        request.extend(attributes);
        self.socket.send(&request, 0)?;
        loop {
            self.buffer.clear();
            self.socket.recv(&mut self.buffer, 0)?;
            let mut rest = self.buffer.as_slice();
            while let Some(message) = Message::take(&mut rest) {
                match i32::from(message.kind) {
                    _ if message.sequence != self.sequence => {}
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => {
                        let errno =
                            message.payload.first_chunk().map_or(libc::EPROTO, |code| i32::from_ne_bytes(*code));
                        return if errno == 0 {
                            Ok(())
                        } else {
                            Err(io::Error::from_raw_os_error(errno.saturating_neg()))
                        };
                    }
                    _ => each(message.payload),
                }
            }
        }
    }
}

/// One message of netlink.
struct Message<'a> {
    kind: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Message<'a>> {
        let length = usize::try_from(u32::from_ne_bytes(*rest.first_chunk()?)).ok()?;
        let message = rest.get(..length)?;
        let payload = message.get(HEADER..)?;
        let kind = u16::from_ne_bytes(*message.get(4..)?.first_chunk()?);
        let sequence = u32::from_ne_bytes(*message.get(8..)?.first_chunk()?);
        *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, sequence, payload })
    }
}

/// The attributes in these bytes: type, payload, and all of it.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8], &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let whole = rest.get(..length)?;
        let payload = whole.get(4..)?;
        let kind = u16::from_ne_bytes(*whole.get(2..)?.first_chunk()?);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & TYPE, payload, whole))
    })
}

/// A flow as the kernel tells it.
struct Flow<'a> {
    /// Source and destination of its first packet.
    original: (Ipv6Addr, Ipv6Addr),
    /// Source and destination of answers.
    reply: (Ipv6Addr, Ipv6Addr),
    /// Attributes that name it.
    names: [Option<&'a [u8]>; 2],
}

impl Flow<'_> {
    /// Whether an inner host's address is in one of these: before and behind a translation, of who began or was called.
    fn touches(&self, prefixes: &[Prefix]) -> bool {
        let ends = [self.original.0, self.original.1, self.reply.0, self.reply.1];
        prefixes.iter().any(|prefix| ends.iter().any(|end| prefix.contains(*end)))
    }

    fn name(&self) -> Vec<u8> {
        let padded = |attribute: &[u8]| {
            let mut bytes = attribute.to_vec();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        self.names.iter().flatten().flat_map(|attribute| padded(attribute)).collect()
    }
}

/// Reads the payload of a message about a flow; `None`: it is none of IPv6.
fn flow(payload: &[u8]) -> Option<Flow<'_>> {
    let (mut original, mut reply, mut names) = (None, None, [None; 2]);
    for (kind, inner, whole) in attributes(payload.get(FAMILY..)?) {
        match kind {
            ORIGINAL => (original, names[0]) = (ends(inner), Some(whole)),
            REPLY => reply = ends(inner),
            ZONE => names[1] = Some(whole),
            _ => {}
        }
    }
    Some(Flow { original: original?, reply: reply?, names })
}

/// Source and destination in a tuple.
fn ends(tuple: &[u8]) -> Option<(Ipv6Addr, Ipv6Addr)> {
    let (_, addresses, _) = attributes(tuple).find(|(kind, ..)| *kind == TUPLE_IP)?;
    let address = |wanted: u16| {
        let (_, bytes, _) = attributes(addresses).find(|(kind, ..)| *kind == wanted)?;
        <[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)
    };
    Some((address(SOURCE)?, address(DESTINATION)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 4).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn tuple(kind: u16, source: &str, destination: &str) -> Vec<u8> {
        let address = |kind, text: &str| attribute(kind, &text.parse::<Ipv6Addr>().unwrap().octets());
        let ip = [address(SOURCE, source), address(DESTINATION, destination)].concat();
        attribute(kind | 0x8000, &attribute(TUPLE_IP | 0x8000, &ip))
    }

    #[test]
    fn a_flow_is_known_by_either_end_before_and_behind_a_translation() {
        let original = tuple(ORIGINAL, "fd00::1", "2001:db8:9::1");
        let reply = tuple(REPLY, "2001:db8:9::1", "2001:db8:a::7");
        let zone = attribute(ZONE, &[0, 7]);
        let payload = [&[10, 0, 0, 0], original.as_slice(), &reply, &attribute(99, &[1]), &zone].concat();
        let flow = flow(&payload).unwrap();
        for (prefix, touched) in
            [("fd00::/64", true), ("2001:db8:a::/56", true), ("2001:db8:9::/64", true), ("2001:db8:b::/64", false)]
        {
            assert_eq!(flow.touches(&[prefix.parse().unwrap()]), touched, "{prefix}");
        }
        assert!(!flow.touches(&[]));
        assert_eq!(flow.name(), [original, zone].concat());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = flow(&bytes);
            let mut rest = bytes.as_slice();
            while Message::take(&mut rest).is_some() {}
        }
    }
}

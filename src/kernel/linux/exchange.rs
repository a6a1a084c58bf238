//! Questions to the kernel and its answers, one after the other, over a netlink socket (RFC 3549, netlink(7)).

use super::encode::Message;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use rtnetlink::packet_core::{
    Emitable, NLM_F_ACK, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
    NetlinkBuffer, NetlinkHeader,
};
use rtnetlink::sys::{Socket, SocketAddr};
use std::io;
use std::num::Wrapping;

/// Room for answers in bytes: what the kernel puts into one piece of a dump at most.
pub(super) const PIECE: usize = 32 << 10;
/// Seconds. The kernel answers while it is asked, so this only bounds what should not happen.
const PATIENCE: i64 = 5;
/// NLMSGERR_ATTR_MSG of linux/netlink.h: the kernel's own words.
const ATTRIBUTE_MESSAGE: u16 = 1;

/// A change to ask for: flags beside NLM_F_REQUEST, and the message.
pub(super) type Request = (u16, Message);

/// The kernel's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) errno: i32,
    /// The kernel's own words, often none.
    pub(super) words: String,
}

impl Failure {
    /// As a constant to match on.
    pub(super) fn kind(&self) -> Errno {
        Errno::from_raw(self.errno)
    }

    /// Whether it means that an object, or the link it was on, is not there.
    pub(super) fn is_gone(&self) -> bool {
        [Errno::ESRCH, Errno::ENOENT, Errno::ENODEV, Errno::EADDRNOTAVAIL].contains(&self.kind())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure { errno: error.raw_os_error().unwrap_or(libc::EIO), words: String::new() }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure { errno: errno as i32, words: String::new() }
    }
}

/// A socket to ask the kernel with.
pub(super) struct Netlink {
    socket: Socket,
    /// Our number as the kernel knows us.
    pub(super) port: u32,
    /// Messages its users could not read.
    pub(super) malformed: u64,
    sequence: Wrapping<u32>,
    buffer: Vec<u8>,
}

impl Netlink {
    /// A connection by one of netlink's protocols.
    pub(super) fn open(protocol: isize) -> io::Result<Netlink> {
        let mut socket = Socket::new(protocol)?;
        let port = socket.bind_auto()?.port_number();
        socket.connect(&SocketAddr::new(0, 0))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(PATIENCE))?;
        // comforts of newer kernels: reasons in words, short answers, dumps of only what was asked for
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_netlink_get_strict_chk(true);
        Ok(Netlink { socket, port, malformed: 0, sequence: Wrapping(0), buffer: Vec::with_capacity(PIECE) })
    }

    /// Asks for all objects of a kind, and hands each to `each` by message type and payload. `false`: something changed
    /// meanwhile, so that an object may be missing.
    pub(super) fn dump(&mut self, question: Message, mut each: impl FnMut(u16, &[u8])) -> Result<bool, Failure> {
        let last = self.send([(NLM_F_DUMP, question)])?;
        let mut whole = true;
        self.receive(|answer| {
            whole &= answer.flags() & NLM_F_DUMP_INTR == 0;
            match answer.message_type() {
                _ if answer.sequence_number() != last => None,
                NLMSG_DONE | NLMSG_ERROR => Some(failure(answer).map_or(Ok(()), Err)),
                kind => {
                    each(kind, answer.payload());
                    None
                }
            }
        })??;
        Ok(whole)
    }

    /// Asks for one object.
    pub(super) fn get(&mut self, question: Message, each: impl FnOnce(u16, &[u8])) -> Result<(), Failure> {
        let last = self.send([(0, question)])?;
        let mut each = Some(each);
        self.receive(|answer| match answer.message_type() {
            _ if answer.sequence_number() != last => None,
            NLMSG_ERROR => Some(failure(answer).map_or(Ok(()), Err)),
            kind => {
                if let Some(each) = each.take() {
                    each(kind, answer.payload());
                }
                None
            }
        })?
    }

    /// Asks for changes, all in one system call, and gives the answer to each. The kernel does them in order and goes on
    /// after one it refuses.
    pub(super) fn change(&mut self, requests: Vec<Request>) -> Vec<Result<(), Failure>> {
        let mut results = vec![Ok(()); requests.len()];
        if requests.is_empty() {
            return results;
        }
        let first = self.sequence + Wrapping(1);
        let sent = self.send(requests).map_err(Failure::from).and_then(|last| {
            // refusals are told without being asked for; the last one's answer says that all are done
            self.receive(|answer| {
                if answer.message_type() != NLMSG_ERROR {
                    return None;
                }
                let sequence = answer.sequence_number();
                let index = usize::try_from((Wrapping(sequence) - first).0).unwrap_or(usize::MAX);
                if let (Some(result), Some(failure)) = (results.get_mut(index), failure(answer)) {
                    *result = Err(failure);
                }
                (sequence == last).then_some(())
            })
            .map_err(Failure::from)
        });
        if let Err(failure) = sent {
            // whether the rest was done is not known; what is asked for again is no harm
            results.iter_mut().filter(|result| result.is_ok()).for_each(|result| *result = Err(failure.clone()));
        }
        results
    }

    /// Sends messages in one piece, the last one with a wish for an answer; returns its number.
    fn send(&mut self, requests: impl IntoIterator<Item = Request>) -> io::Result<u32> {
        self.buffer.clear();
        let mut requests = requests.into_iter().peekable();
        while let Some((flags, message)) = requests.next() {
            self.sequence += 1;
            let mut header = NetlinkHeader::default();
            header.sequence_number = self.sequence.0;
            header.flags = NLM_F_REQUEST | flags;
            if requests.peek().is_none() && flags != NLM_F_DUMP {
                header.flags |= NLM_F_ACK;
            }
            header.message_type = message.kind;
            let (start, length) = (self.buffer.len(), header.buffer_len() + message.payload.len());
            header.length = u32::try_from(length).unwrap_or(u32::MAX);
            self.buffer.resize(start + header.buffer_len(), 0);
            header.emit(self.buffer.get_mut(start..).unwrap_or_default());
            self.buffer.extend(message.payload);
            self.buffer.resize(start + length.next_multiple_of(4), 0);
        }
        self.socket.send(&self.buffer, 0)?;
        Ok(self.sequence.0)
    }

    /// Hands answers to `each` until it has a result.
    fn receive<T>(&mut self, mut each: impl FnMut(&NetlinkBuffer<&[u8]>) -> Option<T>) -> io::Result<T> {
        loop {
            self.buffer.clear();
            match self.socket.recv(&mut self.buffer, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            for answer in messages(&self.buffer) {
                if let Some(result) = each(&answer) {
                    return Ok(result);
                }
            }
        }
    }
}

/// The messages in a datagram; a broken rest is left out.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(datagram).ok()?;
        let length = usize::try_from(message.length()).ok()?;
        let whole = datagram.get(..length)?;
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(NetlinkBuffer::new(whole))
    })
}

/// The attributes behind a header of `header` bytes, by number; `None` in place of a broken rest.
pub(super) fn attributes(payload: &[u8], header: usize) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let rest = payload.get(header..).unwrap_or_default();
    rtnetlink::packet_core::NlasIterator::new(rest).map(|attribute| {
        let attribute = attribute.ok()?;
        let (kind, end) = (attribute.kind(), usize::from(attribute.length()));
        Some((kind, attribute.into_inner().get(4..end)?))
    })
}

/// What an NLMSG_ERROR or NLMSG_DONE says, if it is no success.
fn failure(answer: &NetlinkBuffer<&[u8]>) -> Option<Failure> {
    let payload = answer.payload();
    let code = payload.first_chunk().map_or(-libc::EIO, |code| i32::from_ne_bytes(*code));
    if code == 0 {
        return None;
    }
    // behind the code of an error stands the request, at least its header
    let request = payload.get(4..).unwrap_or_default();
    let header = match (answer.message_type(), answer.flags() & NLM_F_CAPPED) {
        (NLMSG_DONE, _) => 4,
        (_, NLM_F_CAPPED) => 4 + 16,
        _ => 4 + messages(request).next().map_or(16, |request| request.length() as usize).next_multiple_of(4),
    };
    let words = attributes(payload, header).flatten().find(|(kind, _)| *kind == ATTRIBUTE_MESSAGE);
    let words = words.map(|(_, text)| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
    Some(Failure { errno: code.checked_neg().unwrap_or(libc::EIO), words: words.unwrap_or_default() })
}

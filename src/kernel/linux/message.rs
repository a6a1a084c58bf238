//! The form of netlink's messages: a header, and attributes behind a fixed part (RFC 3549 §2.2, netlink(7)). Numbers are in
//! the machine's own order.
//!
//! What is in them is the matter of `encode` and `decode`. That is a dozen of the kernel's several hundred attributes; a
//! library that knows them all was an eighth of the program.

use nix::libc;

/// Bytes of a message's header: length, type, flags, number, port.
const HEADER: usize = 16;
/// Bytes of an attribute's header: length, type.
const ATTRIBUTE_HEADER: usize = 4;
/// Bits of an attribute's type that are flags (NLA_TYPE_MASK of linux/netlink.h).
const ATTRIBUTE_FLAGS: u16 = 0xc000;

pub(super) const ERROR: u16 = libc::NLMSG_ERROR as u16;
pub(super) const DONE: u16 = libc::NLMSG_DONE as u16;
pub(super) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
pub(super) const ACK: u16 = libc::NLM_F_ACK as u16;
pub(super) const DUMP: u16 = libc::NLM_F_DUMP as u16;
pub(super) const DUMP_INTERRUPTED: u16 = libc::NLM_F_DUMP_INTR as u16;
pub(super) const CREATE: u16 = libc::NLM_F_CREATE as u16;
pub(super) const EXCLUSIVE: u16 = libc::NLM_F_EXCL as u16;
pub(super) const REPLACE: u16 = libc::NLM_F_REPLACE as u16;
/// NLM_F_CAPPED of linux/netlink.h: an answer repeats only the header of the request.
pub(super) const CAPPED: u16 = 0x100;

/// A message to send: its type (RTM_…) and what is behind the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) payload: Vec<u8>,
}

impl Message {
    /// With the fixed part of its type, whose length is a multiple of four.
    pub(super) fn new(kind: u16, fixed: &[u8]) -> Message {
        Message { kind, payload: fixed.to_vec() }
    }

    /// Appends an attribute of at most 65531 bytes; a longer one is left out.
    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Message {
        if let Ok(length) = u16::try_from(ATTRIBUTE_HEADER + value.len()) {
            self.payload.extend(length.to_ne_bytes());
            self.payload.extend(kind.to_ne_bytes());
            self.payload.extend(value);
            self.payload.resize(self.payload.len().next_multiple_of(4), 0);
        }
        self
    }

    /// Appends an attribute that is a number.
    pub(super) fn number(self, kind: u16, value: u32) -> Message {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends the message to a datagram.
    pub(super) fn write(&self, flags: u16, sequence: u32, datagram: &mut Vec<u8>) {
        let length = u32::try_from(HEADER + self.payload.len()).unwrap_or(u32::MAX);
        datagram.extend(length.to_ne_bytes());
        datagram.extend(self.kind.to_ne_bytes());
        datagram.extend(flags.to_ne_bytes());
        datagram.extend(sequence.to_ne_bytes());
        datagram.extend([0; 4]);
        datagram.extend(&self.payload);
        datagram.resize(datagram.len().next_multiple_of(4), 0);
    }
}

/// A message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    /// As the header says, in bytes.
    pub(super) length: usize,
    pub(super) payload: &'a [u8],
}

/// The messages in a datagram; a broken rest is left out.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Received<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(*datagram.first_chunk()?)).ok()?;
        let message = Received {
            kind: u16::from_ne_bytes(*datagram.get(4..)?.first_chunk()?),
            flags: u16::from_ne_bytes(*datagram.get(6..)?.first_chunk()?),
            sequence: u32::from_ne_bytes(*datagram.get(8..)?.first_chunk()?),
            length,
            payload: datagram.get(HEADER..length)?,
        };
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// The length that the header of a message says, in bytes; that of the header alone where it is broken or cut.
pub(super) fn length_of(message: &[u8]) -> usize {
    let length = message.first_chunk().map(|length| u32::from_ne_bytes(*length));
    length.and_then(|length| usize::try_from(length).ok()).unwrap_or(HEADER).max(HEADER)
}

/// The attributes behind a fixed part of `fixed` bytes, by number; `None` in place of a broken rest.
pub(super) fn attributes(payload: &[u8], fixed: usize) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    let mut rest = payload.get(fixed..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let all = std::mem::take(&mut rest);
        let one = || {
            let length = usize::from(u16::from_ne_bytes(*all.first_chunk()?));
            let kind = u16::from_ne_bytes(*all.get(2..)?.first_chunk()?);
            Some((kind & !ATTRIBUTE_FLAGS, all.get(ATTRIBUTE_HEADER..length)?, length))
        };
        Some(one().map(|(kind, value, length)| {
            rest = all.get(length.next_multiple_of(4)..).unwrap_or_default();
            (kind, value)
        }))
    })
}

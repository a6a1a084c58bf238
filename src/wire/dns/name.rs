use super::Malformed;
use crate::wire::name::{MAX_LABEL, MAX_NAME, NameError};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Most labels of a name: 127 of one byte each, and the root.
const MAX_LABELS: usize = MAX_NAME / 2;

/// A domain name, uncompressed (RFC 1035 §3.1): any bytes in labels of 1 to 63, 255 bytes in all at most.
///
/// Equality, order and hash disregard the case of ASCII letters; the order is the canonical one (RFC 4034 §6.1), in
/// which everything below a name follows it.
#[derive(Clone)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root.
    pub fn root() -> Name {
        Name(Box::new([0]))
    }

    /// The name that fills `bytes`, uncompressed, its final zero included.
    pub fn from_wire(bytes: &[u8]) -> Result<Name, Malformed> {
        match uncompressed_len(bytes) {
            Some(len) if len == bytes.len() => Ok(Name(bytes.into())),
            _ => Err(Malformed::Name),
        }
    }

    /// A name of these labels, the root's not among them.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Name, NameError> {
        let mut bytes = Vec::with_capacity(32);
        for label in labels {
            match u8::try_from(label.len()) {
                Ok(0) => return Err(NameError::EmptyLabel),
                Ok(len) if label.len() <= MAX_LABEL => bytes.push(len),
                _ => return Err(NameError::LongLabel),
            }
            bytes.extend_from_slice(label);
            // not a byte more is collected than a name can have, and one label
            if bytes.len() >= MAX_NAME {
                return Err(NameError::LongName);
            }
        }
        bytes.push(0);
        Ok(Name(bytes.into()))
    }

    /// Its bytes on the wire, uncompressed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its labels from the left, without the root's.
    pub fn labels(&self) -> Labels<'_> {
        Labels { message: &self.0, at: 0 }
    }

    /// How many labels it has, without the root's.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// Whether its leftmost label is `*` (RFC 4592 §2.1.1).
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// What is left without the leftmost label; `None` for the root.
    pub fn parent(&self) -> Option<Name> {
        let skip = 1 + usize::from(*self.0.first()?);
        self.0.get(skip..).filter(|rest| !rest.is_empty()).map(|rest| Name(rest.into()))
    }

    /// `label` under this name.
    pub fn child(&self, label: &[u8]) -> Result<Name, NameError> {
        Name::from_labels(std::iter::once(label).chain(self.labels()))
    }

    /// This name's labels and behind them `suffix`.
    pub fn under(&self, suffix: &Name) -> Result<Name, NameError> {
        Name::from_labels(self.labels().chain(suffix.labels()))
    }

    /// Whether it is `zone` or below it.
    pub fn is_within(&self, zone: &Name) -> bool {
        is_within(&self.0, &zone.0)
    }

    /// The same with letters in lower case (RFC 4034 §6.2).
    pub fn lower(&self) -> Name {
        // lengths are at most 63 and so no letters
        Name(self.0.to_ascii_lowercase().into())
    }

    /// The name whose PTR record tells who has an address: under ip6.arpa (RFC 3596 §2.5) or in-addr.arpa (RFC 1035
    /// §3.5).
    pub fn reverse(address: IpAddr) -> Name {
        let mut bytes = Vec::with_capacity(74);
        match address {
            IpAddr::V6(address) => {
                for byte in address.octets().iter().rev() {
                    for nibble in [byte & 15, byte >> 4] {
                        bytes.extend([1, if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }]);
                    }
                }
                bytes.extend(b"\x03ip6\x04arpa\0");
            }
            IpAddr::V4(address) => {
                for byte in address.octets().iter().rev() {
                    let text = byte.to_string();
                    bytes.push(text.len() as u8);
                    bytes.extend(text.bytes());
                }
                bytes.extend(b"\x07in-addr\x04arpa\0");
            }
        }
        Name(bytes.into())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        let (ours, theirs) = (Starts::of(&self.0), Starts::of(&other.0));
        let labels = |name: &'_ Name, starts: &Starts, at: usize| -> (usize, usize) {
            let start = usize::from(starts.starts.get(at).copied().unwrap_or(0));
            (start, usize::from(name.0.get(start).copied().unwrap_or(0)))
        };
        for back in 1..=ours.count.min(theirs.count) {
            let (start, len) = labels(self, &ours, ours.count - back);
            let (other_start, other_len) = labels(other, &theirs, theirs.count - back);
            let ours = self.0.get(start + 1..=start + len).unwrap_or_default();
            let theirs = other.0.get(other_start + 1..=other_start + other_len).unwrap_or_default();
            let lower = |label: &[u8], other: &[u8]| -> Ordering {
                let bytes = label.iter().map(u8::to_ascii_lowercase);
                bytes.cmp(other.iter().map(u8::to_ascii_lowercase))
            };
            match lower(ours, theirs) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
        }
        ours.count.cmp(&theirs.count)
    }
}

/// Where the labels of an uncompressed name begin.
struct Starts {
    starts: [u8; MAX_LABELS],
    count: usize,
}

impl Starts {
    fn of(bytes: &[u8]) -> Starts {
        let mut found = Starts { starts: [0; MAX_LABELS], count: 0 };
        let mut at = 0usize;
        for slot in &mut found.starts {
            match bytes.get(at) {
                None | Some(0) => break,
                // a name has 255 bytes at most
                Some(len) => {
                    *slot = at as u8;
                    at += 1 + usize::from(*len);
                    found.count += 1;
                }
            }
        }
        found
    }
}

/// Whether the uncompressed `name` is `zone` or below it.
pub(super) fn is_within(name: &[u8], zone: &[u8]) -> bool {
    let Some(skip) = name.len().checked_sub(zone.len()) else { return false };
    let mut at = 0;
    while at < skip {
        let Some(len) = name.get(at) else { return false };
        at += 1 + usize::from(*len);
    }
    at == skip && name.get(skip..).is_some_and(|tail| tail.eq_ignore_ascii_case(zone))
}

/// Length of the uncompressed name at the start of `bytes`; `None` if there is none.
pub(super) fn uncompressed_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let len = usize::from(*bytes.get(at)?);
        at += 1 + len;
        if len > MAX_LABEL || at > MAX_NAME {
            return None;
        }
        if len == 0 {
            return Some(at);
        }
    }
}

/// A name inside of a message, perhaps compressed. It was looked at when the message was parsed.
#[derive(Clone, Copy)]
pub struct ParsedName<'a> {
    pub(super) message: &'a [u8],
    pub(super) at: usize,
    /// Uncompressed.
    pub(super) len: usize,
}

impl<'a> ParsedName<'a> {
    /// The name at `at` of `message`, and where it ends there.
    pub(super) fn parse(message: &'a [u8], at: usize) -> Result<(ParsedName<'a>, usize), Malformed> {
        // a pointer leads before everything that was read of the name so far
        let (mut cursor, mut before, mut len, mut end) = (at, at, 0usize, None);
        loop {
            let first = *message.get(cursor).ok_or(Malformed::Truncated)?;
            match first {
                0 => {
                    len += 1;
                    let end = end.unwrap_or(cursor + 1);
                    return if len > MAX_NAME {
                        Err(Malformed::Name)
                    } else {
                        Ok((ParsedName { message, at, len }, end))
                    };
                }
                1..=63 => {
                    len += 1 + usize::from(first);
                    cursor += 1 + usize::from(first);
                    if len >= MAX_NAME {
                        return Err(Malformed::Name);
                    }
                }
                0xc0.. => {
                    let low = *message.get(cursor + 1).ok_or(Malformed::Truncated)?;
                    let target = usize::from(first & 0x3f) << 8 | usize::from(low);
                    end.get_or_insert(cursor + 2);
                    if target >= before {
                        return Err(Malformed::Pointer);
                    }
                    (cursor, before) = (target, target);
                }
                // RFC 6891 §5: no label type but these is in use
                _ => return Err(Malformed::LabelType),
            }
        }
    }

    /// Its labels from the left, without the root's.
    pub fn labels(&self) -> Labels<'a> {
        Labels { message: self.message, at: self.at }
    }

    /// Where it begins in the message.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes it has uncompressed, 1 to 255.
    pub fn uncompressed_len(&self) -> usize {
        self.len
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.len == 1
    }

    /// The name on its own, uncompressed.
    pub fn to_name(&self) -> Name {
        let mut bytes = Vec::with_capacity(self.len);
        self.append_to(&mut bytes);
        Name(bytes.into())
    }

    /// Appends the name, uncompressed.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        for label in self.labels() {
            out.push(label.len() as u8);
            out.extend_from_slice(label);
        }
        out.push(0);
    }

    /// Puts the name, uncompressed and in lower case, at the start of `key`: what tables are looked up by, without an
    /// allocation. Gives that part of `key`.
    pub fn lower_into<'k>(&self, key: &'k mut [u8; MAX_NAME]) -> &'k [u8] {
        let mut at = 0;
        for label in self.labels() {
            if let Some([len, rest @ ..]) = key.get_mut(at..=at + label.len()) {
                *len = label.len() as u8;
                rest.iter_mut().zip(label).for_each(|(to, from)| *to = from.to_ascii_lowercase());
            }
            at += 1 + label.len();
        }
        if let Some(zero) = key.get_mut(at) {
            *zero = 0;
        }
        key.get(..=at).unwrap_or_default()
    }
}

impl PartialEq for ParsedName<'_> {
    fn eq(&self, other: &ParsedName<'_>) -> bool {
        self.len == other.len && eq_labels(self.labels(), other.labels())
    }
}

impl PartialEq<Name> for ParsedName<'_> {
    fn eq(&self, other: &Name) -> bool {
        self.len == other.0.len() && eq_labels(self.labels(), other.labels())
    }
}

impl Eq for ParsedName<'_> {}

/// Whether two names are one, without regard to case.
pub(super) fn eq_labels(mut ours: Labels<'_>, mut theirs: Labels<'_>) -> bool {
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => {}
            _ => return false,
        }
    }
}

/// Labels of a name, from the left, without the root's.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Labels<'a> {
    /// The labels of the name at `at` of a message that was parsed, or written, as far as that.
    pub(super) fn at(message: &'a [u8], at: usize) -> Labels<'a> {
        Labels { message, at }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let first = *self.message.get(self.at)?;
            match first {
                0 => return None,
                1..=63 => {
                    let start = self.at + 1;
                    self.at = start + usize::from(first);
                    return self.message.get(start..self.at);
                }
                _ => {
                    let target = usize::from(first & 0x3f) << 8 | usize::from(*self.message.get(self.at + 1)?);
                    // what was parsed points backwards only
                    if target >= self.at {
                        return None;
                    }
                    self.at = target;
                }
            }
        }
    }
}

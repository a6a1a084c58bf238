use super::edns::Edns;
use super::{Class, HEADER, Header, Name, ParsedName, Rcode, Rdata, Type, u16_at, u32_at};
use std::fmt;

/// Why bytes are no DNS message, or a part of one makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Ends early.
    Truncated,
    /// A name of over 255 bytes, or bytes that are no name.
    Name,
    /// A compression pointer that does not point backwards.
    Pointer,
    /// A label of an unknown type (RFC 6891 §5).
    LabelType,
    /// RDATA that its type does not allow.
    Rdata,
    /// Two OPT records, one outside of the additional section, or one that is not owned by the root (RFC 6891 §6.1.1).
    Edns,
}

impl Malformed {
    /// The reason as a name of a counter.
    pub fn reason(self) -> &'static str {
        match self {
            Malformed::Truncated => "ends early",
            Malformed::Name => "bad name",
            Malformed::Pointer => "bad compression pointer",
            Malformed::LabelType => "unknown label type",
            Malformed::Rdata => "bad RDATA",
            Malformed::Edns => "bad OPT record",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Malformed {}

/// A message whose names, lengths and counts are sound.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Id, flags, opcode, and the lower part of the RCODE.
    pub header: Header,
    bytes: &'a [u8],
    /// Counts of the four sections, and where they begin.
    counts: [u16; 4],
    starts: [usize; 4],
    end: usize,
    edns: Option<Edns<'a>>,
}

impl<'a> Message<'a> {
    /// Looks at the whole message. Bytes behind its last record are not an error: see [`Message::len`].
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        let header = Header::of(bytes).ok_or(Malformed::Truncated)?;
        let count = |index: usize| u16_at(bytes, 4 + 2 * index).unwrap_or(0);
        let counts = [count(0), count(1), count(2), count(3)];
        let mut message = Message { header, bytes, counts, starts: [HEADER; 4], end: HEADER, edns: None };
        let mut at = HEADER;
        for _ in 0..count(0) {
            (_, at) = Question::parse(bytes, at)?;
        }
        let [_, starts @ ..] = &mut message.starts;
        for (section, start) in starts.iter_mut().enumerate() {
            *start = at;
            for _ in 0..count(1 + section) {
                let (record, end) = Record::parse(bytes, at)?;
                if record.rtype == Type::OPT {
                    if section != 2 || message.edns.is_some() {
                        return Err(Malformed::Edns);
                    }
                    message.edns = Some(Edns::parse(&record)?);
                }
                at = end;
            }
        }
        message.end = at;
        Ok(message)
    }

    /// All bytes it was parsed from.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes up to the end of its last record; fewer than there are if something follows.
    #[allow(clippy::len_without_is_empty)] // never empty: there is a header
    pub fn len(&self) -> usize {
        self.end
    }

    /// Numbers of questions, answers, authorities (in updates: zones, prerequisites, updates) and additional records.
    pub fn counts(&self) -> [u16; 4] {
        self.counts
    }

    /// How it went, with the upper bits of OPT (RFC 6891 §6.1.3).
    pub fn rcode(&self) -> Rcode {
        let upper = self.edns.map_or(0, |edns| u16::from(edns.extended_rcode));
        Rcode(upper << 4 | self.header.rcode.0)
    }

    /// The OPT record, if there is one.
    pub fn edns(&self) -> Option<Edns<'a>> {
        self.edns
    }

    /// The question, if there is exactly one.
    pub fn question(&self) -> Option<Question<'a>> {
        if self.counts.first() == Some(&1) { self.questions().next() } else { None }
    }

    /// The questions.
    pub fn questions(&self) -> impl Iterator<Item = Question<'a>> + use<'a> {
        let ([count, ..], bytes, mut at) = (self.counts, self.bytes, HEADER);
        (0..count).map_while(move |_| {
            let (question, end) = Question::parse(bytes, at).ok()?;
            at = end;
            Some(question)
        })
    }

    /// The answer section; prerequisites of an update.
    pub fn answers(&self) -> Records<'a> {
        self.section(1)
    }

    /// The authority section; the changes of an update.
    pub fn authorities(&self) -> Records<'a> {
        self.section(2)
    }

    /// The additional section, OPT and TSIG among it.
    pub fn additionals(&self) -> Records<'a> {
        self.section(3)
    }

    fn section(&self, index: usize) -> Records<'a> {
        let left = self.counts.get(index).copied().unwrap_or(0);
        Records { bytes: self.bytes, at: self.starts.get(index).copied().unwrap_or(HEADER), left }
    }
}

/// A question (RFC 1035 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The name asked for.
    pub name: ParsedName<'a>,
    /// The type asked for.
    pub qtype: Type,
    /// The class asked for.
    pub qclass: Class,
}

impl<'a> Question<'a> {
    fn parse(bytes: &'a [u8], at: usize) -> Result<(Question<'a>, usize), Malformed> {
        let (name, at) = ParsedName::parse(bytes, at)?;
        let qtype = u16_at(bytes, at).map(Type).ok_or(Malformed::Truncated)?;
        let qclass = u16_at(bytes, at + 2).map(Class).ok_or(Malformed::Truncated)?;
        Ok((Question { name, qtype, qclass }, at + 4))
    }
}

/// A record (RFC 1035 §4.1.3).
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Whose it is.
    pub name: ParsedName<'a>,
    /// Its type.
    pub rtype: Type,
    /// Its class.
    pub class: Class,
    /// For how many seconds it may be kept; 0 where the topmost bit is set (RFC 2181 §8).
    pub ttl: u32,
    /// The four bytes that `ttl` is made of: OPT has something else there.
    pub(super) raw_ttl: u32,
    /// What it says.
    pub rdata: Rdata<'a>,
}

impl<'a> Record<'a> {
    fn parse(bytes: &'a [u8], at: usize) -> Result<(Record<'a>, usize), Malformed> {
        let (name, at) = ParsedName::parse(bytes, at)?;
        let u16_at = |at: usize| u16_at(bytes, at).ok_or(Malformed::Truncated);
        let rtype = Type(u16_at(at)?);
        let raw_ttl = u32_at(bytes, at + 4).ok_or(Malformed::Truncated)?;
        let start = at + 10;
        let end = start + usize::from(u16_at(at + 8)?);
        if end > bytes.len() {
            return Err(Malformed::Truncated);
        }
        let ttl = if raw_ttl >> 31 == 1 { 0 } else { raw_ttl };
        let rdata = Rdata { message: bytes, rtype, start, end };
        Ok((Record { name, rtype, class: Class(u16_at(at + 2)?), ttl, raw_ttl, rdata }, end))
    }

    /// Where it begins in the message.
    pub fn offset(&self) -> usize {
        self.name.offset()
    }

    /// Whether it is a record of this name and type, in class IN.
    pub fn is(&self, name: &Name, rtype: Type) -> bool {
        self.class == Class::IN && self.rtype == rtype && self.name == *name
    }
}

/// The records of a section, in their order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u16,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (record, end) = Record::parse(self.bytes, self.at).ok()?;
        self.at = end;
        Some(record)
    }
}

use super::name::{ParsedName, uncompressed_len};
use super::{Malformed, Name, Type, u16_at, u32_at};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What RDATA consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    /// A name that may be compressed (RFC 1035's types).
    Name,
    /// A name that is read compressed but never written so (RFC 3597 §4).
    PlainName,
    /// This many bytes.
    Bytes(usize),
    /// A byte with a length and as many bytes (RFC 1035 §3.3).
    String,
    /// One such or more.
    Strings,
    /// Whatever is left.
    Rest,
}

/// The types with names, of RFC 1035 and of RFC 3597 §4, and those whose form we know otherwise.
fn layout(rtype: Type) -> &'static [Field] {
    use Field::{Bytes, Name, PlainName, Rest, String, Strings};
    match rtype.0 {
        // A; AAAA
        1 => &[Bytes(4)],
        28 => &[Bytes(16)],
        // NS, MD, MF, CNAME, MB, MG, MR, PTR
        2..=5 | 7..=9 | 12 => &[Name],
        // SOA; MINFO; MX
        6 => &[Name, Name, Bytes(20)],
        14 => &[Name, Name],
        15 => &[Bytes(2), Name],
        // HINFO; TXT
        13 => &[String, String],
        16 => &[Strings],
        // RP; AFSDB, RT, KX; SIG; PX; NXT; SRV; NAPTR; DNAME
        17 => &[PlainName, PlainName],
        18 | 21 | 36 => &[Bytes(2), PlainName],
        24 => &[Bytes(18), PlainName, Rest],
        26 => &[Bytes(2), PlainName, PlainName],
        30 => &[PlainName, Rest],
        33 => &[Bytes(6), PlainName],
        35 => &[Bytes(4), String, String, String, PlainName],
        39 => &[PlainName],
        _ => &[Rest],
    }
}

/// A piece of RDATA.
pub(super) enum Part<'a> {
    /// A name, and whether it may be written compressed.
    Name(ParsedName<'a>, bool),
    Bytes(&'a [u8]),
}

/// RDATA inside of a message, where names may point elsewhere; or on its own.
#[derive(Clone, Copy)]
pub struct Rdata<'a> {
    pub(super) message: &'a [u8],
    pub(super) rtype: Type,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl fmt::Debug for Rdata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:02x?}", self.rtype, self.bytes())
    }
}

impl<'a> Rdata<'a> {
    /// RDATA on its own, uncompressed.
    pub fn new(rtype: Type, bytes: &'a [u8]) -> Rdata<'a> {
        Rdata { message: bytes, rtype, start: 0, end: bytes.len() }
    }

    /// The type it belongs to.
    pub fn rtype(&self) -> Type {
        self.rtype
    }

    /// Its bytes, compressed as they may be.
    pub fn bytes(&self) -> &'a [u8] {
        self.message.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Goes through the pieces; an error if they are not what the type has.
    pub(super) fn walk(&self, mut visit: impl FnMut(Part<'a>)) -> Result<(), Malformed> {
        let mut at = self.start;
        let take = |at: usize, len: usize| {
            let end = at.checked_add(len).filter(|end| *end <= self.end).ok_or(Malformed::Rdata)?;
            self.message.get(at..end).map(|bytes| (bytes, end)).ok_or(Malformed::Rdata)
        };
        let string = |at: usize| {
            let len = self.message.get(at).filter(|_| at < self.end).ok_or(Malformed::Rdata)?;
            take(at, 1 + usize::from(*len))
        };
        for field in layout(self.rtype) {
            let part;
            (part, at) = match field {
                Field::Name | Field::PlainName => {
                    let (name, end) = ParsedName::parse(self.message, at)?;
                    if end > self.end {
                        return Err(Malformed::Rdata);
                    }
                    (Part::Name(name, *field == Field::Name), end)
                }
                Field::Bytes(len) => take(at, *len).map(|(bytes, end)| (Part::Bytes(bytes), end))?,
                Field::String => string(at).map(|(bytes, end)| (Part::Bytes(bytes), end))?,
                Field::Strings => {
                    let mut end = at;
                    while end < self.end || end == at {
                        (_, end) = string(end)?;
                    }
                    (Part::Bytes(take(at, end - at)?.0), end)
                }
                Field::Rest => (Part::Bytes(take(at, self.end - at)?.0), self.end),
            };
            visit(part);
        }
        if at == self.end { Ok(()) } else { Err(Malformed::Rdata) }
    }

    /// Appends it with its names uncompressed (RFC 3597 §4). An error if it is not what its type has; `out` is then as
    /// before.
    pub fn expand(&self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let start = out.len();
        let result = self.walk(|part| match part {
            Part::Name(name, _) => name.append_to(out),
            Part::Bytes(bytes) => out.extend_from_slice(bytes),
        });
        // what grew over what a record can hold can't be written again
        let result = result.and(if out.len() - start > usize::from(u16::MAX) { Err(Malformed::Rdata) } else { Ok(()) });
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// The address of an A record.
    pub fn a(&self) -> Option<Ipv4Addr> {
        let four: [u8; 4] = self.bytes().try_into().ok()?;
        (self.rtype == Type::A).then(|| four.into())
    }

    /// The address of an AAAA record.
    pub fn aaaa(&self) -> Option<Ipv6Addr> {
        let sixteen: [u8; 16] = self.bytes().try_into().ok()?;
        (self.rtype == Type::AAAA).then(|| sixteen.into())
    }

    /// The name that NS, CNAME, PTR, DNAME, MX or SRV point at.
    pub fn target(&self) -> Option<ParsedName<'a>> {
        let skip = match self.rtype {
            Type::NS | Type::CNAME | Type::PTR | Type::DNAME => 0,
            Type::MX => 2,
            Type::SRV => 6,
            _ => return None,
        };
        self.name_at(self.start + skip).filter(|(_, end)| *end == self.end).map(|(name, _)| name)
    }

    fn name_at(&self, at: usize) -> Option<(ParsedName<'a>, usize)> {
        ParsedName::parse(self.message, at).ok().filter(|(_, end)| *end <= self.end)
    }

    /// What an MX record says.
    pub fn mx(&self) -> Option<Mx<'a>> {
        let exchange = self.target().filter(|_| self.rtype == Type::MX)?;
        Some(Mx { preference: u16_at(self.bytes(), 0)?, exchange })
    }

    /// What an SRV record says.
    pub fn srv(&self) -> Option<Srv<'a>> {
        let target = self.target().filter(|_| self.rtype == Type::SRV)?;
        let number = |at: usize| u16_at(self.bytes(), at);
        Some(Srv { priority: number(0)?, weight: number(2)?, port: number(4)?, target })
    }

    /// What an SOA record says.
    pub fn soa(&self) -> Option<Soa<'a>> {
        if self.rtype != Type::SOA {
            return None;
        }
        let (mname, at) = self.name_at(self.start)?;
        let (rname, at) = self.name_at(at)?;
        let numbers = self.message.get(at..self.end).filter(|numbers| numbers.len() == 20)?;
        let number = |index: usize| u32_at(numbers, 4 * index);
        let (serial, refresh, retry) = (number(0)?, number(1)?, number(2)?);
        Some(Soa { mname, rname, serial, refresh, retry, expire: number(3)?, minimum: number(4)? })
    }

    /// The strings of a TXT record; those before the first that reaches past the end.
    pub fn strings(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = if self.rtype == Type::TXT { self.bytes() } else { &[] };
        std::iter::from_fn(move || {
            let (len, behind) = rest.split_first()?;
            let (string, behind) = behind.split_at_checked((*len).into())?;
            rest = behind;
            Some(string)
        })
    }
}

/// What an MX record says (RFC 1035 §3.3.9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mx<'a> {
    /// The lowest is tried first.
    pub preference: u16,
    /// The mail server.
    pub exchange: ParsedName<'a>,
}

/// What an SRV record says (RFC 2782).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Srv<'a> {
    /// The lowest is tried first.
    pub priority: u16,
    /// Share among those of one priority.
    pub weight: u16,
    /// Port of the service.
    pub port: u16,
    /// The host; the root: no such service.
    pub target: ParsedName<'a>,
}

/// What an SOA record says (RFC 1035 §3.3.13).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Soa<'a> {
    /// The primary server.
    pub mname: ParsedName<'a>,
    /// The mailbox of who is responsible.
    pub rname: ParsedName<'a>,
    /// Number of the version (RFC 1982).
    pub serial: u32,
    /// Seconds between two looks of a secondary.
    pub refresh: u32,
    /// Seconds until it looks again after a failure.
    pub retry: u32,
    /// Seconds until it stops answering.
    pub expire: u32,
    /// For how many seconds absence may be remembered (RFC 2308 §4).
    pub minimum: u32,
}

/// RDATA of an SOA record; `numbers` are serial, refresh, retry, expire, minimum.
pub fn soa_rdata(mname: &Name, rname: &Name, numbers: [u32; 5]) -> Vec<u8> {
    let mut rdata = [mname.as_bytes(), rname.as_bytes()].concat();
    rdata.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    rdata
}

/// RDATA of an SRV record.
pub fn srv_rdata(priority: u16, weight: u16, port: u16, target: &Name) -> Vec<u8> {
    let mut rdata: Vec<u8> = [priority, weight, port].iter().flat_map(|number| number.to_be_bytes()).collect();
    rdata.extend_from_slice(target.as_bytes());
    rdata
}

/// RDATA of a TXT record: of each string the first 255 bytes; without strings an empty one (RFC 6763 §6.1).
pub fn txt_rdata<'a>(strings: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut rdata = Vec::new();
    for string in strings {
        let len = u8::try_from(string.len()).unwrap_or(u8::MAX);
        rdata.push(len);
        rdata.extend(string.iter().take(len.into()));
    }
    if rdata.is_empty() {
        rdata.push(0);
    }
    rdata
}

/// Whether `rdata`, on its own, is what its type has, and uncompressed.
pub fn check(rtype: Type, rdata: &[u8]) -> Result<(), Malformed> {
    if rdata.len() > usize::from(u16::MAX) {
        return Err(Malformed::Rdata);
    }
    let mut plain = true;
    Rdata::new(rtype, rdata).walk(|part| {
        if let Part::Name(name, _) = part {
            // a name of its own length at its place holds no pointer
            plain &= rdata.get(name.at..).and_then(uncompressed_len) == Some(name.len);
        }
    })?;
    if plain { Ok(()) } else { Err(Malformed::Pointer) }
}

/// Turns the letters of the names in uncompressed RDATA into lower case (RFC 4034 §6.2), so that equal records have equal
/// bytes.
pub fn lower_names(rtype: Type, rdata: &mut [u8]) {
    let mut names = [(0, 0); 2];
    let mut slots = names.iter_mut();
    let walked = Rdata::new(rtype, rdata).walk(|part| {
        if let (Part::Name(name, _), Some(slot)) = (part, slots.next()) {
            *slot = (name.at, name.len);
        }
    });
    if walked.is_ok() {
        for (at, len) in names {
            rdata.get_mut(at..at + len).unwrap_or_default().make_ascii_lowercase();
        }
    }
}

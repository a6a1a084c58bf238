use super::edns::Edns;
use super::name::eq_labels;
use super::rdata::Part;
use super::{Class, HEADER, Header, Labels, Rdata, Type};

/// Places of names that later ones may point at. More are not remembered: a message of a thousand records repeats
/// what stands at its start.
const SUFFIXES: usize = 48;
/// Highest offset that a pointer can hold, 14 bits (RFC 1035 §4.1.4).
const MAX_POINTER: usize = 0x3fff;

/// A section of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Answers; in updates prerequisites.
    Answer,
    /// Authorities; in updates changes.
    Authority,
    /// Whatever may be useful.
    Additional,
}

/// How far a message was written, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    used: usize,
    counts: [u16; 4],
}

/// Writes a message at the end of a vector, never more than a limit.
///
/// A record that does not fit is left out as a whole; TC is set for it unless it was only additional (RFC 2181 §9).
#[derive(Debug)]
pub struct Writer<'a> {
    /// What the header will say. TC may have been set by what did not fit.
    pub header: Header,
    out: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
    reserved: usize,
    counts: [u16; 4],
    section: Section,
    /// Hash of a name's tail, 16 bits, and its offset.
    suffixes: [(u16, u16); SUFFIXES],
    used: usize,
    keep_case: bool,
}

impl<'a> Writer<'a> {
    /// A message of at most `limit` bytes, 12 at least, behind what stands in `out`. First come questions, then
    /// sections in their order.
    pub fn new(out: &'a mut Vec<u8>, header: Header, limit: usize) -> Writer<'a> {
        let start = out.len();
        out.resize(start + HEADER, 0);
        Writer {
            header,
            out,
            start,
            limit,
            reserved: 0,
            counts: [0; 4],
            section: Section::Answer,
            suffixes: [(0, 0); SUFFIXES],
            used: 0,
            keep_case: false,
        }
    }

    /// Sets bytes aside for what [`Writer::edns`] or a TSIG record will take, instead of what was set aside before.
    pub fn reserve(&mut self, bytes: usize) {
        self.reserved = bytes;
    }

    /// Points only at names of the same case, as zone transfers want it (RFC 5936 §3.4).
    pub fn keep_case(&mut self) {
        self.keep_case = true;
    }

    /// Bytes of the message so far.
    pub fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether there are neither questions nor records yet.
    pub fn is_empty(&self) -> bool {
        self.counts == [0; 4]
    }

    /// Number of records of a section so far.
    pub fn count(&self, section: Section) -> u16 {
        self.counts.get(1 + section as usize).copied().unwrap_or(0)
    }

    /// How far it is written.
    pub fn mark(&self) -> Mark {
        Mark { len: self.out.len(), used: self.used, counts: self.counts }
    }

    /// Takes everything written since `mark` back.
    pub fn rollback(&mut self, mark: Mark) {
        self.out.truncate(mark.len);
        (self.used, self.counts) = (mark.used, mark.counts);
    }

    /// Adds a question; `false` if it does not fit.
    pub fn question(&mut self, name: Labels<'_>, qtype: Type, qclass: Class) -> bool {
        let mark = self.mark();
        self.name(name, true);
        self.out.extend_from_slice(&qtype.0.to_be_bytes());
        self.out.extend_from_slice(&qclass.0.to_be_bytes());
        self.close(mark, 0)
    }

    /// Further records belong to this section.
    pub fn section(&mut self, section: Section) {
        self.section = section;
    }

    /// Adds a record; `rdata` is uncompressed. `false` if it does not fit.
    pub fn record(&mut self, name: Labels<'_>, rtype: Type, class: Class, ttl: u32, rdata: &[u8]) -> bool {
        let mark = self.mark();
        self.name(name, true);
        self.out.extend_from_slice(&rtype.0.to_be_bytes());
        self.out.extend_from_slice(&class.0.to_be_bytes());
        self.out.extend_from_slice(&ttl.to_be_bytes());
        let length = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        let walked = Rdata::new(rtype, rdata).walk(|part| match part {
            Part::Name(name, compress) => self.name(name.labels(), compress),
            Part::Bytes(bytes) => self.out.extend_from_slice(bytes),
        });
        if walked.is_err() {
            // not what the type has (empty, in updates), so nothing that could be compressed
            self.out.truncate(length + 2);
            self.out.extend_from_slice(rdata);
        }
        let Ok(len) = u16::try_from(self.out.len() - length - 2) else {
            self.rollback(mark);
            return false;
        };
        if let Some([high, low]) = self.out.get_mut(length..length + 2) {
            [*high, *low] = len.to_be_bytes();
        }
        let section = self.section;
        let fits = self.close(mark, 1 + section as usize);
        self.header.truncated |= !fits && section != Section::Additional;
        fits
    }

    /// Adds the OPT record, with what was set aside at its disposal; `false` if even so it does not fit.
    pub fn edns(&mut self, edns: &Edns<'_>) -> bool {
        let mark = self.mark();
        self.reserved = 0;
        let Ok(len) = u16::try_from(edns.options.len()) else { return false };
        self.out.push(0);
        self.out.extend_from_slice(&Type::OPT.0.to_be_bytes());
        self.out.extend_from_slice(&edns.udp_size.to_be_bytes());
        self.out.extend_from_slice(&edns.ttl().to_be_bytes());
        self.out.extend_from_slice(&len.to_be_bytes());
        self.out.extend_from_slice(edns.options);
        self.close(mark, 3)
    }

    /// Bytes that an OPT record with this many bytes of options takes.
    pub const fn edns_len(options: usize) -> usize {
        11 + options
    }

    /// Counts what was written since `mark`, or takes it back if it is too much.
    fn close(&mut self, mark: Mark, count: usize) -> bool {
        let fits = self.len().saturating_add(self.reserved) <= self.limit;
        match self.counts.get_mut(count) {
            Some(counted) if fits && *counted < u16::MAX => {
                *counted += 1;
                true
            }
            _ => {
                self.rollback(mark);
                false
            }
        }
    }

    /// Writes header and counts; gives the length of the message.
    pub fn finish(self) -> usize {
        let counts = self.counts.iter().flat_map(|count| count.to_be_bytes());
        let head = self.header.to_bytes().into_iter().chain(counts);
        let place = self.out.get_mut(self.start..).unwrap_or_default();
        place.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        self.out.len() - self.start
    }

    fn name(&mut self, mut labels: Labels<'_>, compress: bool) {
        loop {
            let rest = labels.clone();
            let Some(label) = labels.next() else {
                self.out.push(0);
                return;
            };
            let hash = hash(rest.clone());
            if compress && let Some(at) = self.find(hash, rest) {
                let [high, low] = at.to_be_bytes();
                self.out.extend_from_slice(&[high | 0xc0, low]);
                return;
            }
            let at = self.len();
            if let (Some(slot), true) = (self.suffixes.get_mut(self.used), at <= MAX_POINTER) {
                *slot = (hash, at as u16);
                self.used += 1;
            }
            // a label has 63 bytes at most
            self.out.push(label.len() as u8);
            self.out.extend_from_slice(label);
        }
    }

    fn find(&self, hash: u16, labels: Labels<'_>) -> Option<u16> {
        let message = self.out.get(self.start..)?;
        let same_case = |at: u16| labels.clone().eq(Labels::at(message, at.into()));
        let same =
            |at: u16| eq_labels(labels.clone(), Labels::at(message, at.into())) && (!self.keep_case || same_case(at));
        let known = self.suffixes.get(..self.used)?;
        known.iter().find(|(known, at)| *known == hash && same(*at)).map(|(_, at)| *at)
    }
}

/// FNV-1a without regard to case, folded.
fn hash(labels: Labels<'_>) -> u16 {
    let mut hash = 0x811c_9dc5u32;
    let mut add = |byte: u8| hash = (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193);
    for label in labels {
        add(label.len() as u8);
        label.iter().for_each(|byte| add(*byte));
    }
    (hash >> 16 ^ hash) as u16
}

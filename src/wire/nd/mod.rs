//! Router solicitations and advertisements (RFC 4861 §4.1, §4.2) with their options.
//!
//! ```text
//! ICMPv6 bytes ──parse──► Message::{Solicitation, Advertisement} ──encode──► ICMPv6 bytes, checksum zero
//! ```
//!
//! A message is judged twice. What RFC 4861 §6.1 makes invalid in the message itself (its length, its code, an option of
//! length zero) is an [`Error`], and the message is dropped. An option that is unknown, or whose content makes no sense, is
//! kept as [`NdOption::Skipped`] and the rest of the message counts, as §6.1.2 asks. What depends on the IPv6 header (hop
//! limit, source) is the caller's to check.

mod neighbour;
mod option;

pub use neighbour::{Neighbour, advertisement_for, neighbour, solicitation, solicited_node};
pub use option::{Dnr, NdOption, PrefixInformation, Unencodable};

use crate::net::{Mac, Preference};
use std::fmt;

/// ICMPv6 type of router solicitations (RFC 4861 §4.1).
pub const ROUTER_SOLICITATION: u8 = 133;
/// ICMPv6 type of router advertisements (RFC 4861 §4.2).
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// Fixed part of a router solicitation (RFC 4861 §4.1).
const SOLICITATION_HEADER: usize = 8;
/// Fixed part of a router advertisement (RFC 4861 §4.2).
pub const ADVERTISEMENT_HEADER: usize = 16;

/// M flag (RFC 4861 §4.2).
const MANAGED: u8 = 0x80;
/// O flag (RFC 4861 §4.2).
const OTHER: u8 = 0x40;

/// A message of neighbour discovery between hosts and routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A host asks (RFC 4861 §4.1).
    Solicitation(Solicitation),
    /// A router tells (RFC 4861 §4.2).
    Advertisement(Advertisement),
}

/// A router solicitation (RFC 4861 §4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solicitation {
    /// Options in their order.
    pub options: Vec<NdOption>,
}

/// A router advertisement (RFC 4861 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertisement {
    /// Cur Hop Limit; 0: unspecified.
    pub hop_limit: u8,
    /// M flag.
    pub managed: bool,
    /// O flag.
    pub other: bool,
    /// Default router preference (RFC 4191 §2.2); medium while `router_lifetime` is 0.
    pub preference: Preference,
    /// Router Lifetime, seconds; 0: not a default router.
    pub router_lifetime: u16,
    /// Reachable Time, milliseconds; 0: unspecified.
    pub reachable_time: u32,
    /// Retrans Timer, milliseconds; 0: unspecified.
    pub retrans_timer: u32,
    /// Options in their order.
    pub options: Vec<NdOption>,
}

/// Why bytes are no valid message (RFC 4861 §6.1.1, §6.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Neither a router solicitation nor a router advertisement.
    OtherType,
    /// Fewer than 8 bytes of a solicitation, or 16 of an advertisement.
    Short,
    /// The ICMPv6 code is not 0.
    Code,
    /// An option has length zero.
    EmptyOption,
    /// An option reaches past the end.
    TruncatedOption,
}

impl Error {
    /// The reason as a name of a counter.
    pub fn reason(self) -> &'static str {
        match self {
            Error::OtherType => "other type",
            Error::Short => "too short",
            Error::Code => "code is not 0",
            Error::EmptyOption => "option of length 0",
            Error::TruncatedOption => "option reaches past the end",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Error {}

/// Reads a message that begins at its ICMPv6 type. The checksum is not looked at: the kernel has.
pub fn parse(bytes: &[u8]) -> Result<Message, Error> {
    match bytes.first() {
        Some(&ROUTER_SOLICITATION) => {
            let (header, options) = bytes.split_first_chunk::<SOLICITATION_HEADER>().ok_or(Error::Short)?;
            let [_, 0, ..] = header else { return Err(Error::Code) };
            Ok(Message::Solicitation(Solicitation { options: parse_options(options)? }))
        }
        Some(&ROUTER_ADVERTISEMENT) => {
            let (header, options) = bytes.split_first_chunk::<ADVERTISEMENT_HEADER>().ok_or(Error::Short)?;
            let [_, 0, _, _, hop_limit, flags, l0, l1, r0, r1, r2, r3, t0, t1, t2, t3] = *header else {
                return Err(Error::Code);
            };
            let router_lifetime = u16::from_be_bytes([l0, l1]);
            // a preference that is reserved, or that comes with a lifetime of 0, counts as medium (RFC 4191 §2.2)
            let preference = option::preference(flags).filter(|_| router_lifetime > 0).unwrap_or_default();
            Ok(Message::Advertisement(Advertisement {
                hop_limit,
                managed: flags & MANAGED != 0,
                other: flags & OTHER != 0,
                preference,
                router_lifetime,
                reachable_time: u32::from_be_bytes([r0, r1, r2, r3]),
                retrans_timer: u32::from_be_bytes([t0, t1, t2, t3]),
                options: parse_options(options)?,
            }))
        }
        Some(_) => Err(Error::OtherType),
        None => Err(Error::Short),
    }
}

fn parse_options(mut bytes: &[u8]) -> Result<Vec<NdOption>, Error> {
    let mut options = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let len = match rest.first() {
            None => return Err(Error::TruncatedOption),
            Some(0) => return Err(Error::EmptyOption),
            Some(units) => usize::from(*units) * option::UNIT,
        };
        let (whole, rest) = bytes.split_at_checked(len).ok_or(Error::TruncatedOption)?;
        let content = whole.get(2..).unwrap_or_default();
        options.push(NdOption::parse(*kind, content).unwrap_or(NdOption::Skipped(*kind)));
        bytes = rest;
    }
    Ok(options)
}

impl Solicitation {
    /// The source link-layer address, if there is one of 48 bits.
    pub fn source_link(&self) -> Option<Mac> {
        source_link(&self.options)
    }

    /// Whether there is a source link-layer address option of any kind (RFC 4861 §6.1.1 forbids it with source ::).
    pub fn has_source_link(&self) -> bool {
        self.options.iter().any(|option| option.kind() == option::SOURCE_LINK)
    }

    /// The message's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Unencodable> {
        let mut bytes = vec![ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        self.options.iter().try_for_each(|option| option.encode(&mut bytes))?;
        Ok(bytes)
    }
}

impl Advertisement {
    /// The source link-layer address, if there is one of 48 bits.
    pub fn source_link(&self) -> Option<Mac> {
        source_link(&self.options)
    }

    /// The message's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Unencodable> {
        let mut bytes = self.header().to_vec();
        self.options.iter().try_for_each(|option| option.encode(&mut bytes))?;
        Ok(bytes)
    }

    /// The fixed part, with reserved bits zero.
    pub fn header(&self) -> [u8; ADVERTISEMENT_HEADER] {
        // RFC 4191 §2.2: the preference must be 00 while the router lifetime is 0
        let preference = if self.router_lifetime == 0 { Preference::Medium } else { self.preference };
        let flags = if self.managed { MANAGED } else { 0 }
            | if self.other { OTHER } else { 0 }
            | option::preference_bits(preference);
        let [l0, l1] = self.router_lifetime.to_be_bytes();
        let [r0, r1, r2, r3] = self.reachable_time.to_be_bytes();
        let [t0, t1, t2, t3] = self.retrans_timer.to_be_bytes();
        [ROUTER_ADVERTISEMENT, 0, 0, 0, self.hop_limit, flags, l0, l1, r0, r1, r2, r3, t0, t1, t2, t3]
    }
}

fn source_link(options: &[NdOption]) -> Option<Mac> {
    options.iter().find_map(|option| if let NdOption::SourceLink(mac) = option { Some(*mac) } else { None })
}

#[cfg(test)]
mod tests;

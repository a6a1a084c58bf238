//! DNS messages (RFC 1035 §4, RFC 6891).
//!
//! ```text
//! bytes ──Message::parse──► Message ──questions, answers, authorities, additionals──► Question, Record   borrowed
//!                                                                             │ to_name, Rdata::expand
//!                                                                             ▼
//! bytes ◄──────────── Writer ◄──────────────────────────────────── Name, type, TTL, uncompressed RDATA     owned
//! ```
//!
//! [`Message::parse`] looks once at everything: names, lengths and counts. What it gives can then be walked without
//! errors, and without allocating. What stands inside of RDATA is looked at when it is asked for ([`Rdata`]).
//!
//! A compression pointer must point before the name it stands in, and each further one before the last (RFC 1035 §4.1.4
//! says "prior"), so that following them ends; a name may have 255 bytes. Names compare without regard to the case of
//! ASCII letters (RFC 4343) and order as RFC 4034 §6.1 has it; the case they were written in is kept.
//!
//! Compressed names in RDATA are expanded for the types that RFC 3597 §4 lists, and compressed for those of RFC 1035 only.

mod edns;
mod name;
mod rdata;
mod read;
mod text;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub use edns::{Edns, EdnsOption, OptionCode};
pub use name::{Labels, Name, ParsedName};
pub use rdata::{Mx, Rdata, Soa, Srv, check, lower_names, soa_rdata, srv_rdata, txt_rdata};
pub use read::{Malformed, Message, Question, Record, Records};
pub use text::{NameText, RdataText, parse_rdata};
pub use types::{Class, Header, Opcode, Rcode, Type};
pub use write::{Mark, Section, Writer};

/// Bytes of a header (RFC 1035 §4.1.1).
pub const HEADER: usize = 12;
/// Most bytes of a message over UDP without EDNS (RFC 1035 §4.2.1).
pub const MAX_PLAIN_UDP: usize = 512;
/// Most bytes of a message over UDP that need no fragments anywhere: what we announce and send at most (DNS flag day
/// 2020; RFC 9715 §3.1 has 1400, less tunnels).
pub const MAX_UDP: u16 = 1232;
/// Most bytes of a message over TCP (RFC 1035 §4.2.2).
pub const MAX_TCP: usize = 65_535;

/// The two bytes at `at`.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

/// The four bytes at `at`.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

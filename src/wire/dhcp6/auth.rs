//! Authentication of Reconfigure messages (RFC 9915 §20.4 RKAP, §21.11).

use super::{Malformed, Writer, option};
use crate::wire::hmac_md5::hmac_md5;

/// Protocol: Reconfigure Key Authentication Protocol (RFC 9915 §20.4).
const RKAP: u8 = 3;
/// Algorithm: HMAC-MD5 (RFC 9915 §20.4).
const HMAC_MD5: u8 = 1;
/// Replay detection method: a counter that only grows (RFC 9915 §20.3).
const MONOTONIC: u8 = 0;
/// Authentication information is the key (RFC 9915 §20.4.1).
const KEY: u8 = 1;
/// Authentication information is the code (RFC 9915 §20.4.1).
const CODE: u8 = 2;
/// Type and transaction id of a message (RFC 9915 §8).
const HEADER: usize = 4;
/// Bytes of an Authentication option before its information ends (RFC 9915 §21.11).
const FIXED: usize = 11;

/// An Authentication option of the Reconfigure Key Authentication Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rkap {
    /// Replay detection value: grows with every message of a server.
    pub replay: u64,
    /// What it brings.
    pub information: RkapInformation,
}

/// What an Authentication option brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RkapInformation {
    /// The key, in a Reply.
    Key([u8; 16]),
    /// The code by which a Reconfigure is authenticated.
    Code([u8; 16]),
}

impl Rkap {
    /// Parses the contents of an Authentication option.
    pub fn parse(contents: &[u8]) -> Result<Rkap, Malformed> {
        Rkap::read(contents).ok_or(Malformed::Option(option::AUTHENTICATION))
    }

    fn read(contents: &[u8]) -> Option<Rkap> {
        let (fixed, rest) = contents.split_first_chunk::<FIXED>()?;
        let [protocol, algorithm, method, replay @ ..] = *fixed;
        if (protocol, algorithm, method) != (RKAP, HMAC_MD5, MONOTONIC) {
            return None;
        }
        let (kind, value) = rest.split_first()?;
        let value = value.try_into().ok()?;
        let information = match *kind {
            KEY => RkapInformation::Key(value),
            CODE => RkapInformation::Code(value),
            _ => return None,
        };
        Some(Rkap { replay: u64::from_be_bytes(replay), information })
    }

    /// Appends the option to a message.
    pub fn write(&self, writer: &mut Writer) {
        let (kind, value) = match self.information {
            RkapInformation::Key(key) => (KEY, key),
            RkapInformation::Code(code) => (CODE, code),
        };
        let mark = writer.open(option::AUTHENTICATION);
        writer.raw(&[RKAP, HMAC_MD5, MONOTONIC]);
        writer.raw(&self.replay.to_be_bytes());
        writer.raw(&[kind]);
        writer.raw(&value);
        writer.close(mark);
    }
}

/// Whether the code in a whole message (its first Authentication option) was made with `key` (RFC 9915 §20.4.3).
pub fn is_authentic(message: &[u8], key: [u8; 16]) -> bool {
    let Some(place) = code_place(message) else { return false };
    let mut zeroed = message.to_vec();
    let Some(code) = zeroed.get_mut(place..place + 16) else { return false };
    let claimed = code.to_vec();
    code.fill(0);
    // every byte is looked at, so that time tells nothing of where they differ
    hmac_md5(key, &zeroed).iter().zip(&claimed).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Puts the code into a whole message that has an option for it ([`RkapInformation::Code`] of zeros).
pub fn authenticate(message: &mut [u8], key: [u8; 16]) {
    let Some(place) = code_place(message) else { return };
    if let Some(code) = message.get_mut(place..place + 16) {
        code.fill(0);
    }
    let made = hmac_md5(key, message);
    if let Some(code) = message.get_mut(place..place + 16) {
        code.copy_from_slice(&made);
    }
}

/// Where the code stands in a message.
fn code_place(message: &[u8]) -> Option<usize> {
    let options = super::Options::parse(message.get(HEADER..)?).ok()?;
    let mut place = HEADER;
    for (code, contents) in options.iter() {
        if code == option::AUTHENTICATION {
            let rkap = Rkap::read(contents)?;
            return matches!(rkap.information, RkapInformation::Code(_)).then_some(place + 4 + FIXED + 1);
        }
        place = place.checked_add(4)?.checked_add(contents.len())?;
    }
    None
}

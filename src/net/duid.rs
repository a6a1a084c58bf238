use super::{Mac, ParseError};
use std::fmt;
use std::str::FromStr;

/// A DHCP unique identifier (RFC 9915 §11): 3 to 130 opaque bytes, compared as bytes and nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duid(Box<[u8]>);

impl Duid {
    /// Type code and at least one byte; `None` outside 3 to 130 bytes (RFC 9915 §11.1: 2 + 128).
    pub fn new(bytes: &[u8]) -> Option<Duid> {
        (3..=130).contains(&bytes.len()).then(|| Duid(bytes.into()))
    }

    /// A DUID-LL (type 3) for an Ethernet address (RFC 9915 §11.4).
    pub fn link_layer(mac: Mac) -> Duid {
        let mut bytes = vec![0, 3, 0, 1];
        bytes.extend(mac.0);
        Duid(bytes.into())
    }

    /// A DUID-UUID (type 4) from 16 random bytes (RFC 6355).
    pub fn uuid(mut bytes: [u8; 16]) -> Duid {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Duid([&[0, 4], bytes.as_slice()].concat().into())
    }

    /// The bytes as they stand on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The Ethernet address inside a DUID-LLT or DUID-LL (RFC 9915 §11.2, §11.4), for display and hints.
    pub fn mac(&self) -> Option<Mac> {
        Duid::mac_in(&self.0)
    }

    /// The same for a DUID's bytes.
    pub fn mac_in(bytes: &[u8]) -> Option<Mac> {
        let mac = match bytes {
            [0, 1, 0, 1, _, _, _, _, mac @ ..] | [0, 3, 0, 1, mac @ ..] => mac,
            _ => return None,
        };
        mac.try_into().ok().map(Mac)
    }
}

impl FromStr for Duid {
    type Err = ParseError;

    /// Hexadecimal digits in either case, with or without `:` between the bytes.
    fn from_str(text: &str) -> Result<Duid, ParseError> {
        let wrong = || {
            ParseError(format!("'{text}' is not a DUID; write 3 to 130 bytes in hexadecimal, as 0003000102005e005301"))
        };
        let digits: Vec<u8> = text
            .bytes()
            .filter(|b| *b != b':')
            .map(|b| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let pairs = digits.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(wrong());
        }
        let bytes: Vec<u8> = pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        Duid::new(&bytes).ok_or_else(wrong)
    }
}

impl fmt::Display for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Duid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let duid: Duid = "00:03:00:01:02:00:5E:00:53:01".parse().unwrap();
        assert_eq!(duid.to_string(), "0003000102005e005301");
        assert_eq!(duid, Duid::link_layer("02:00:5e:00:53:01".parse().unwrap()));
        assert_eq!(duid.mac().unwrap().to_string(), "02:00:5e:00:53:01");
    }

    #[test]
    fn bad_text_is_refused() {
        for text in ["", "00", "0003", "000300010", "zz0001", &"00".repeat(131)] {
            assert!(text.parse::<Duid>().is_err(), "{text}");
        }
        assert!("00".repeat(130).parse::<Duid>().is_ok());
    }
}

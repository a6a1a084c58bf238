use super::ParseError;
use std::fmt;
use std::str::FromStr;

/// An EUI-48 link-layer address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The modified EUI-64 interface identifier of this address (RFC 4291 appendix A).
    pub fn eui64(&self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f])
    }
}

impl FromStr for Mac {
    type Err = ParseError;

    /// Six hexadecimal bytes with `:` or `-` between them, in either case.
    fn from_str(text: &str) -> Result<Mac, ParseError> {
        let wrong = || ParseError(format!("'{text}' is not a MAC address; write it as 02:00:5e:00:53:01"));
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().ok_or_else(wrong)?;
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Mac(bytes)) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let mac: Mac = "02-00-5E-00-53-01".parse().unwrap();
        assert_eq!(mac.to_string(), "02:00:5e:00:53:01");
        assert_eq!(mac.eui64(), 0x0000_5eff_fe00_5301);
    }

    #[test]
    fn bad_text_is_refused() {
        for text in
            ["", "02:00:5e:00:53", "02:00:5e:00:53:01:02", "2:0:5e:0:53:1", "02:00:5e:00:53:0g", "+2:00:5e:00:53:01"]
        {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }
}

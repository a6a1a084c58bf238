use super::ParseError;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// An IPv6 prefix; the bits behind its length are always zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    // not a u128, which wants to lie at multiples of 16: that would make a prefix, and thousands of routes, a third larger
    upper: u64,
    lower: u64,
    len: u8,
}

impl Prefix {
    /// Everything, `::/0`.
    pub const ALL: Prefix = Prefix::of(0, 0);
    /// Global unicast space, 2000::/3 (RFC 4291 §2.4 and IANA's allocation).
    pub const GLOBAL: Prefix = Prefix::of(0x2 << 124, 3);

    /// Where hosts have their link-local addresses, fe80::/64 (RFC 4291 §2.5.6).
    pub const LINK_LOCAL: Prefix = Prefix::of(0xfe80 << 112, 64);

    /// Unique local addresses, fc00::/7 (RFC 4193 §3.1).
    pub const UNIQUE_LOCAL: Prefix = Prefix::of(0xfc << 120, 7);

    /// 6to4, 2002::/16 (RFC 3056 §2).
    pub const SIX_TO_FOUR: Prefix = Prefix::of(0x2002 << 112, 16);

    const fn of(bits: u128, len: u8) -> Prefix {
        Prefix { upper: (bits >> 64) as u64, lower: bits as u64, len }
    }

    const fn bits(&self) -> u128 {
        (self.upper as u128) << 64 | self.lower as u128
    }

    /// The prefix of `len` bits that `addr` lies in; `None` if `len` is over 128.
    pub fn new(addr: Ipv6Addr, len: u8) -> Option<Prefix> {
        (len <= 128).then(|| Prefix::of(u128::from(addr) & mask(len), len))
    }

    /// The first address, the one with all host bits zero.
    pub fn addr(&self) -> Ipv6Addr {
        Ipv6Addr::from(self.bits())
    }

    /// Length in bits, 0 to 128.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u8 {
        self.len
    }

    /// The last address of the prefix.
    pub fn last(&self) -> Ipv6Addr {
        Ipv6Addr::from(self.bits() | !mask(self.len))
    }

    /// Whether `addr` lies in the prefix.
    pub fn contains(&self, addr: Ipv6Addr) -> bool {
        u128::from(addr) & mask(self.len) == self.bits()
    }

    /// Whether `other` lies in this prefix or is the same.
    pub fn covers(&self, other: &Prefix) -> bool {
        self.len <= other.len && other.bits() & mask(self.len) == self.bits()
    }

    /// Whether the two share an address.
    pub fn overlaps(&self, other: &Prefix) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The `index`th prefix of `len` bits inside this one; `None` if there is none such.
    pub fn subnet(&self, index: u128, len: u8) -> Option<Prefix> {
        if len < self.len || len > 128 {
            return None;
        }
        let more = len - self.len;
        if more < 128 && index >> more != 0 {
            return None;
        }
        let bits = if len == 0 { 0 } else { self.bits() | index << (128 - len) };
        Some(Prefix::of(bits, len))
    }

    /// Which one of the prefixes of `inner`'s length inside this one `inner` is; `None` if it lies outside.
    pub fn index_of(&self, inner: &Prefix) -> Option<u128> {
        if !self.covers(inner) {
            return None;
        }
        Some(if inner.len == 0 { 0 } else { (inner.bits() & !mask(self.len)) >> (128 - inner.len) })
    }
}

fn mask(len: u8) -> u128 {
    if len == 0 { 0 } else { u128::MAX << (128 - u32::from(len)) }
}

impl FromStr for Prefix {
    type Err = ParseError;

    /// `ADDRESS/LENGTH`; bits behind the length must be zero, since a typing error hides there.
    fn from_str(text: &str) -> Result<Prefix, ParseError> {
        let wrong = |why: String| ParseError(format!("{why}; write it as 2001:db8::/48"));
        let (addr, len) = text.split_once('/').ok_or_else(|| wrong(format!("'{text}' has no '/length'")))?;
        let addr: Ipv6Addr = addr.parse().map_err(|_| wrong(format!("'{addr}' is not an IPv6 address")))?;
        let digits = !len.is_empty() && len.len() <= 3 && len.bytes().all(|b| b.is_ascii_digit());
        let len: u8 = len
            .parse()
            .ok()
            .filter(|len| digits && *len <= 128)
            .ok_or_else(|| wrong(format!("'{len}' is not a length from 0 to 128")))?;
        let prefix = Prefix::of(u128::from(addr) & mask(len), len);
        if prefix.addr() != addr {
            return Err(ParseError(format!("'{text}' has bits set behind its length; the prefix is {prefix}")));
        }
        Ok(prefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr(), self.len)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn text_round_trips() {
        for text in ["::/0", "2001:db8::/32", "fd00::/8", "2001:db8::1/128", "2000::/3"] {
            assert_eq!(p(text).to_string(), text);
        }
        assert_eq!(Prefix::GLOBAL, p("2000::/3"));
    }

    #[test]
    fn bad_text_is_refused_with_the_remedy() {
        for text in ["", "::", "::/", "::/129", "::/+4", "::/0064", "x/64", "2001:db8::1/64", "::/ 1"] {
            let error = text.parse::<Prefix>().unwrap_err();
            assert!(!error.0.is_empty(), "{text}");
        }
        assert!("2001:db8::1/64".parse::<Prefix>().unwrap_err().0.contains("2001:db8::/64"));
    }

    #[test]
    fn subnets_are_counted_and_found_again() {
        let site = p("2001:db8::/56");
        assert_eq!(site.subnet(0, 64), Some(p("2001:db8::/64")));
        assert_eq!(site.subnet(255, 64), Some(p("2001:db8:0:ff::/64")));
        assert_eq!(site.subnet(256, 64), None);
        assert_eq!(site.subnet(0, 48), None);
        assert_eq!(site.index_of(&p("2001:db8:0:ff::/64")), Some(255));
        assert_eq!(site.index_of(&p("2001:db9::/64")), None);
        assert_eq!(Prefix::ALL.subnet(u128::MAX, 128).map(|s| s.addr()), Some(Ipv6Addr::from(u128::MAX)));
        assert_eq!(Prefix::ALL.subnet(0, 0), Some(Prefix::ALL));
    }

    #[test]
    fn containment() {
        assert!(p("fd00::/8").covers(&p("fd12::/48")));
        assert!(!p("fd12::/48").covers(&p("fd00::/8")));
        assert!(p("fd12::/48").overlaps(&p("fd00::/8")));
        assert!(Prefix::ALL.contains(Ipv6Addr::LOCALHOST));
        assert_eq!(p("2001:db8::/64").last(), "2001:db8::ffff:ffff:ffff:ffff".parse::<Ipv6Addr>().unwrap());
    }
}

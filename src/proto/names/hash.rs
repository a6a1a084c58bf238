//! Addresses made of names, as VirtualSquare's tools make them (dnshash): whoever knows a name knows its address, and
//! asks nobody.
//!
//! The identifier of a name is the first eight bytes of the MD5 of it, in lower case and without a dot at the end. It is
//! XORed into the lower half of the prefix, and then the two lowest bits of the address's ninth byte are cleared: those
//! that say "universally administered" and "group" (RFC 4291 §2.5.1). MD5 is here so that both ends mean the same, and for
//! nothing else: whoever wants another name with the same address can find one.

use crate::net::{Prefix, with_iid};
use crate::wire::hmac_md5::md5;
use std::net::Ipv6Addr;

/// The two lowest bits of the first byte of an identifier.
const UNIVERSAL_AND_GROUP: u64 = 3 << 56;

/// The address of `name` in a prefix; what the prefix has in its lower half is part of it. A dot at the end of the name
/// and the case of its letters make no difference.
pub fn address(name: &str, prefix: Ipv6Addr) -> Ipv6Addr {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let [a, b, c, d, e, f, g, h, ..] = md5(name.as_bytes());
    let below = u128::from(prefix) as u64;
    with_iid(prefix, (u64::from_be_bytes([a, b, c, d, e, f, g, h]) ^ below) & !UNIVERSAL_AND_GROUP)
}

/// The address of `name` in each of these prefixes.
pub fn addresses(name: &str, prefixes: impl IntoIterator<Item = Prefix>) -> impl Iterator<Item = Ipv6Addr> {
    prefixes.into_iter().map(move |prefix| address(name, prefix.addr()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_holds() {
        let address = |name, prefix: &str| address(name, prefix.parse::<Prefix>().unwrap().addr()).to_string();
        let published = "2000:760::68d6:2fac:95a:5a2e";
        assert_eq!(address("test.v2.cs.unibo.it", "2000:760::/64"), published);
        assert_eq!(address("Test.V2.cs.unibo.IT.", "2000:760::/64"), published);
        assert_eq!(address("test.v2.cs.unibo.it", "fe80::/64"), "fe80::68d6:2fac:95a:5a2e");
    }

    #[test]
    fn what_stands_in_the_lower_half_of_the_prefix_is_part_of_the_address() {
        // 69d62fac095a5a2e of the name, XOR ff…ff, the two bits cleared
        let whole: Ipv6Addr = "2000:760::ffff:ffff:ffff:ffff".parse().unwrap();
        assert_eq!(address("test.v2.cs.unibo.it", whole).to_string(), "2000:760::9429:d053:f6a5:a5d1");
    }
}

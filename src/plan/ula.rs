//! The unique local prefix of a site (RFC 4193).

use crate::net::Prefix;
use std::net::Ipv6Addr;

/// The /48 whose global identifier is `random` (RFC 4193 §3.1): fc00::/7 with the L bit set, so fd00::/8, then 40 bits.
///
/// The bits have to be random (§3.2.1 and §3.2.2: any good pseudo-random source will do); the caller draws them, once
/// in a router's life.
pub fn draw(random: [u8; 5]) -> Prefix {
    let [a, b, c, d, e] = random;
    let mut octets = [0; 16];
    octets[..6].copy_from_slice(&[0xfd, a, b, c, d, e]);
    // 48 is a length, so this is never the whole space
    Prefix::new(Ipv6Addr::from(octets), 48).unwrap_or(Prefix::ALL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // MUST RFC 4193 §3.1: the prefix is FC00::/7, the L bit is 1, then come 40 bits of global ID and 16 of subnet ID
    #[test]
    fn the_global_id_stands_behind_fd() {
        assert_eq!(draw([0x12, 0x34, 0x56, 0x78, 0x9a]).to_string(), "fd12:3456:789a::/48");
    }

    proptest! {
        // MUST RFC 4193 §3.2: global IDs are pseudo-random, not assigned in sequence or from well-known numbers
        #[test]
        fn every_random_bit_counts(a: [u8; 5], b: [u8; 5]) {
            prop_assert_eq!(draw(a) == draw(b), a == b);
            prop_assert!(crate::net::is_ula(draw(a).addr()));
            prop_assert_eq!(draw(a).len(), 48);
        }
    }
}

use super::{ParseError, Prefix, base64, with_iid};
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The bit of an interface identifier that says "universally administered" (RFC 4291 §2.5.1).
const UNIVERSAL: u64 = 1 << 57;

/// A secret of 32 bytes: a WireGuard private key or preshared key. No text of it is made but by [`Key32::secret_text`].
#[derive(Clone, PartialEq, Eq)]
pub struct Key32(pub [u8; 32]);

impl Key32 {
    /// A private key made of 32 random bytes (RFC 7748 §5: the bits that X25519 sets and clears).
    pub fn from_random(mut bytes: [u8; 32]) -> Key32 {
        let [first, .., last] = &mut bytes;
        *first &= 248;
        *last = *last & 127 | 64;
        Key32(bytes)
    }

    /// The public key that belongs to this private key (RFC 7748 §6.1).
    pub fn public(&self) -> PublicKey {
        PublicKey(super::x25519::public(&self.0))
    }

    /// The secret itself in base64, for the file it is kept in and for nothing else.
    pub fn secret_text(&self) -> String {
        base64::encode(&self.0)
    }
}

impl FromStr for Key32 {
    type Err = ParseError;

    /// 44 characters of base64 (RFC 4648 §4), as `wg genkey` prints them. The error does not repeat the text.
    fn from_str(text: &str) -> Result<Key32, ParseError> {
        from_base64(text).map(Key32).ok_or_else(|| {
            ParseError(
                "this is no key; a key is 44 characters of base64, as `wg genkey` or `wg genpsk` prints it".into(),
            )
        })
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The public key of a WireGuard device: by it a peer is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The link-local address of the device with this key, on both ends of every tunnel, so that nobody has to
    /// configure it: fe80::/64, and as interface identifier the first eight bytes of the key with the universal bit
    /// (RFC 4291 §2.5.1, the bit of value 2 in the first byte) cleared.
    ///
    /// A key is a number that nobody can choose freely, uniform in these bytes, so no hash is needed; by hand it is
    /// `echo KEY | base64 -d | head -c 8 | od -An -tx1`.
    pub fn link_local(&self) -> Ipv6Addr {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        with_iid(Prefix::LINK_LOCAL.addr(), u64::from_be_bytes([a, b, c, d, e, f, g, h]) & !UNIVERSAL)
    }
}

impl FromStr for PublicKey {
    type Err = ParseError;

    /// 44 characters of base64 (RFC 4648 §4), as `wg pubkey` prints them.
    fn from_str(text: &str) -> Result<PublicKey, ParseError> {
        from_base64(text).map(PublicKey).ok_or_else(|| {
            ParseError(format!("'{text}' is no public key; that is 44 characters of base64, as `wg pubkey` prints it"))
        })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `None` unless `text` is base64 of exactly 32 bytes, in the one way it can be written.
fn from_base64(text: &str) -> Option<[u8; 32]> {
    base64::decode(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // as `wg genkey` and `wg pubkey` printed them
    const PRIVATE: &str = "kGgvmkHRBs0gre1VbuBERdeUKND1C/zAeQKhHC1QIVc=";
    const PUBLIC: &str = "PINUMC2n++NpPe7X65ZPUriL5CQPRQgFDamY0WOFLyk=";

    #[test]
    fn text_round_trips_and_is_as_wg_writes_it() {
        let key: Key32 = PRIVATE.parse().unwrap();
        assert_eq!((key.secret_text(), key.public().to_string()), (PRIVATE.into(), PUBLIC.into()));
        assert_eq!(PUBLIC.parse(), Ok(key.public()));
        assert_eq!(Key32::from_random([0xff; 32]).public(), Key32([0xff; 32]).public());
        assert_eq!(base64::encode(&[0; 32]), format!("{}=", "A".repeat(43)));
        assert_eq!(base64::encode(&[0xff; 32]), format!("{}8=", "/".repeat(42)));
    }

    #[test]
    fn bad_text_is_refused() {
        let last_bits = format!("{}B=", &PRIVATE[..42]);
        for text in
            ["", "AAAA", &PRIVATE[1..], &format!("{PRIVATE}="), &PRIVATE.replacen(&PRIVATE[..1], "*", 1), &last_bits]
        {
            assert!(text.parse::<Key32>().is_err(), "{text}");
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let key: Key32 = PRIVATE.parse().unwrap();
        assert_eq!(format!("{key:?} {key:#?}"), "(secret) (secret)");
        assert!(!PRIVATE[1..].parse::<Key32>().unwrap_err().to_string().contains(&PRIVATE[1..9]));
    }

    #[test]
    fn link_local_addresses_follow_from_the_public_key() {
        let key = |first: u8| {
            let mut bytes = [0x11; 32];
            bytes[0] = first;
            PublicKey(bytes).link_local().to_string()
        };
        assert_eq!(key(0x11), "fe80::1111:1111:1111:1111");
        // the universal bit is cleared, the group bit stays
        assert_eq!((key(0x02), key(0xff)), ("fe80::11:1111:1111:1111".into(), "fe80::fd11:1111:1111:1111".into()));
    }

    proptest! {
        #[test]
        fn every_key_round_trips(bytes: [u8; 32]) {
            prop_assert_eq!(from_base64(&base64::encode(&bytes)), Some(bytes));
        }

        #[test]
        fn no_text_brings_it_down(text in ".{0,50}") {
            if let Some(bytes) = from_base64(&text) {
                prop_assert_eq!(base64::encode(&bytes), text);
            }
        }
    }
}

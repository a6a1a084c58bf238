use super::ParseError;
use std::fmt;
use std::str::FromStr;

/// A key of WireGuard: 32 bytes, written in base64 (RFC 4648 §4) as `wg` does. It may be a secret: only [`Key32::base64`]
/// shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key32(pub [u8; 32]);

/// Letters of a key: 43 of six bits and a `=`.
const LETTERS: usize = 44;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Key32 {
    /// The key as `wg` writes it.
    pub fn base64(&self) -> String {
        let mut text = String::with_capacity(LETTERS);
        for three in self.0.chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            let letters = (0..=three.len()).filter_map(|n| ALPHABET.get((bits >> (18 - 6 * n) & 63) as usize));
            text.extend(letters.map(|letter| char::from(*letter)));
        }
        text.push('=');
        text
    }
}

impl FromStr for Key32 {
    type Err = ParseError;

    /// What is wrong is said without quoting the text.
    fn from_str(text: &str) -> Result<Key32, ParseError> {
        let wrong = || ParseError("it is not a WireGuard key of 44 letters; `wg genkey` makes one".into());
        let letters = text.strip_suffix('=').filter(|_| text.len() == LETTERS).ok_or_else(wrong)?;
        let mut key = [0; 32];
        let mut bytes = key.iter_mut();
        let (mut bits, mut count) = (0_u32, 0);
        for letter in letters.bytes() {
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or_else(wrong)?;
            bits = bits << 6 | u32::try_from(value).unwrap_or_default();
            count += 6;
            if count >= 8 {
                count -= 8;
                if let Some(byte) = bytes.next() {
                    *byte = (bits >> count & 0xff) as u8;
                }
                bits &= (1 << count) - 1;
            }
        }
        // the last letter carries two bits that no byte has
        if bits == 0 { Ok(Key32(key)) } else { Err(wrong()) }
    }
}

impl fmt::Debug for Key32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key32(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let text = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        let key: Key32 = text.parse().unwrap();
        assert_eq!(key.0[..3], [0xc8, 0x09, 0xf3]);
        assert_eq!(key.base64(), text);
        for byte in [0, 1, 0x80, 0xff] {
            assert_eq!(Key32([byte; 32]).base64().parse(), Ok(Key32([byte; 32])));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        for text in [
            "",
            "=",
            "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk",
            "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBml=",
            "yAnz5TF-lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
            "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmkk",
            "äAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBm=",
        ] {
            let error = text.parse::<Key32>().unwrap_err();
            assert!(text.len() < 2 || !error.0.contains(text));
        }
        assert_eq!(format!("{:?}", Key32([7; 32])), "Key32(…)");
    }
}

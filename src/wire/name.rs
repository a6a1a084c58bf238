//! Domain names as uncompressed labels (RFC 1035 §3.1), for options that carry names: DNSSL, DNR, domain search, FQDN.
//!
//! Names here are host names in ASCII: letters, digits, `-` and `_`, so that a name from the wire can stand in a log, a
//! file or JSON as it is. Case is kept. The root alone is no name: no option of ours means anything by it.

use std::fmt;

/// Longest name on the wire, length bytes and the final zero included (RFC 1035 §2.3.4).
pub const MAX_NAME: usize = 255;
/// Longest label (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;

/// Why something is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing, or the root alone.
    Empty,
    /// A label without bytes inside a text, as in `a..b`.
    EmptyLabel,
    /// A label over 63 bytes; on the wire also a compression pointer (RFC 1035 §4.1.4), which options must not hold.
    LongLabel,
    /// Over 255 bytes on the wire.
    LongName,
    /// A byte that host names don't have.
    Character,
    /// The bytes end inside a label, or before the final zero.
    Truncated,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Empty => "the name is empty",
            NameError::EmptyLabel => "the name has two dots in a row or starts with one",
            NameError::LongLabel => "a label of the name is longer than 63 bytes",
            NameError::LongName => "the name is longer than 255 bytes",
            NameError::Character => "the name has a character other than letters, digits, '-' and '_'",
            NameError::Truncated => "the name ends early",
        })
    }
}

impl std::error::Error for NameError {}

/// Appends `name` with its final zero to `out`; a dot at its end makes no difference. On an error `out` is as before.
pub fn encode(name: &str, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    let result = append(name.strip_suffix('.').unwrap_or(name), start, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn append(name: &str, start: usize, out: &mut Vec<u8>) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    for label in name.split('.') {
        let len = u8::try_from(label.len()).map_err(|_| NameError::LongLabel)?;
        check(label.as_bytes())?;
        out.push(len);
        out.extend(label.as_bytes());
    }
    out.push(0);
    if out.len() - start > MAX_NAME { Err(NameError::LongName) } else { Ok(()) }
}

/// The name at the start of `bytes`, without a dot at its end, and the bytes behind its final zero.
pub fn decode(bytes: &[u8]) -> Result<(String, &[u8]), NameError> {
    let (name, rest) = labels(bytes)?;
    let rest = rest.ok_or(NameError::Truncated)?;
    if name.is_empty() { Err(NameError::Empty) } else { Ok((name, rest)) }
}

/// The name that fills `bytes`, and whether it is whole: without its final zero it is only the start of one
/// (RFC 4704 §4.2). Bytes behind the final zero are an error.
pub fn decode_partial(bytes: &[u8]) -> Result<(String, bool), NameError> {
    let (name, rest) = labels(bytes)?;
    match rest {
        _ if name.is_empty() => Err(NameError::Empty),
        Some([_, ..]) => Err(NameError::EmptyLabel),
        rest => Ok((name, rest.is_some())),
    }
}

/// Labels up to the final zero, and what is behind it; `None` if `bytes` end between two labels.
fn labels(bytes: &[u8]) -> Result<(String, Option<&[u8]>), NameError> {
    let (mut name, mut rest) = (String::new(), bytes);
    loop {
        let (len, behind) = match rest.split_first() {
            None => return Ok((name, None)),
            Some((0, behind)) => return Ok((name, Some(behind))),
            Some((len, behind)) => (usize::from(*len), behind),
        };
        if len > MAX_LABEL {
            return Err(NameError::LongLabel);
        }
        let (label, behind) = behind.split_at_checked(len).ok_or(NameError::Truncated)?;
        check(label)?;
        if !name.is_empty() {
            name.push('.');
        }
        name.extend(label.iter().map(|byte| char::from(*byte)));
        // a length byte before the first label and a zero behind the last
        if name.len() + 2 > MAX_NAME {
            return Err(NameError::LongName);
        }
        rest = behind;
    }
}

fn check(label: &[u8]) -> Result<(), NameError> {
    match label.len() {
        0 => Err(NameError::EmptyLabel),
        1..=MAX_LABEL if label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) => Ok(()),
        1..=MAX_LABEL => Err(NameError::Character),
        _ => Err(NameError::LongLabel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(name: &str) -> Result<Vec<u8>, NameError> {
        let mut out = b"before".to_vec();
        let result = encode(name, &mut out);
        assert!(out.starts_with(b"before"));
        let bytes = out.split_off(6);
        assert!(result.is_ok() || bytes.is_empty());
        result.map(|()| bytes)
    }

    #[test]
    fn a_name_is_labels_and_a_final_zero() {
        assert_eq!(encoded("home.arpa").unwrap(), b"\x04home\x04arpa\0");
        assert_eq!(encoded("home.arpa.").unwrap(), b"\x04home\x04arpa\0");
        assert_eq!(encoded("_Dns.x-1").unwrap(), b"\x04_Dns\x03x-1\0");
        assert_eq!(decode(b"\x04home\x04arpa\0\x01x\0"), Ok(("home.arpa".into(), &b"\x01x\0"[..])));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = vec!["a".repeat(49); 6].join(".");
        for (name, error) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("a b", NameError::Character),
            ("bücher.example", NameError::Character),
            (&"a".repeat(64), NameError::LongLabel),
            (&"a".repeat(300), NameError::LongLabel),
            (&long, NameError::LongName),
        ] {
            assert_eq!(encoded(name), Err(error), "{name}");
        }
        for (bytes, error) in [
            (&b""[..], NameError::Truncated),
            (b"\0", NameError::Empty),
            (b"\x04hom", NameError::Truncated),
            (b"\x04home", NameError::Truncated),
            (b"\x04ho.e\0", NameError::Character),
            (b"\x04ho\0e\0", NameError::Character),
            (b"\xc0\x00", NameError::LongLabel),
            (b"\x40", NameError::LongLabel),
        ] {
            assert_eq!(decode(bytes), Err(error), "{bytes:?}");
        }
        let wire = [b"\x31".as_slice(), &[b'a'; 49]].concat().repeat(6);
        assert_eq!(decode(&[wire.as_slice(), b"\0"].concat()), Err(NameError::LongName));
    }

    #[test]
    fn a_name_may_have_255_bytes() {
        let name = [vec!["a".repeat(63); 3].join("."), "b".repeat(61)].join(".");
        let bytes = encoded(&name).unwrap();
        assert_eq!(bytes.len(), MAX_NAME);
        assert_eq!(decode(&bytes), Ok((name.clone(), &[][..])));
        assert_eq!(encoded(&format!("{name}b")), Err(NameError::LongName));
    }

    #[test]
    fn a_partial_name_is_told_from_a_whole_one() {
        assert_eq!(decode_partial(b"\x04host"), Ok(("host".into(), false)));
        assert_eq!(decode_partial(b"\x04host\x04home\0"), Ok(("host.home".into(), true)));
        for bytes in [&b""[..], b"\0", b"\x04host\0x", b"\x05host"] {
            assert!(decode_partial(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn names_round_trip(name in "[a-zA-Z0-9_-]{1,63}(\\.[a-zA-Z0-9_-]{1,30}){0,5}", behind: Vec<u8>) {
            let mut bytes = encoded(&name).unwrap();
            bytes.extend(&behind);
            prop_assert_eq!(decode(&bytes), Ok((name, behind.as_slice())));
        }

        #[test]
        fn decoded_names_encode_to_the_same_bytes(bytes in prop::collection::vec(prop_oneof![0..4u8, Just(b'a'), any::<u8>()], 0..40)) {
            let _ = decode_partial(&bytes);
            if let Ok((name, rest)) = decode(&bytes) {
                prop_assert_eq!(encoded(&name).unwrap(), &bytes[..bytes.len() - rest.len()]);
            }
        }
    }
}

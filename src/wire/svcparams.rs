//! Service parameters of an encrypted DNS resolver (RFC 9460 §2.1, §2.2; RFC 9461 for DNS; RFC 9463 §3.1.5), shared by
//! router advertisements (RFC 9463 §6.1) and DHCPv6 (RFC 9463 §4.1).
//!
//! ```text
//! alpn=dot,doq port=853   ─►   key, length, value for each parameter, in the order of the keys' numbers
//! ```
//!
//! Values may stand in double quotes; `\DDD` is the byte with that decimal number, `\X` is X itself. A parameter we have
//! no name for is written `keyNNNNN`. What DNR forbids or can't use is refused here, so that no client has to.

use crate::net::FlatMap;
use crate::net::ParseError;

/// SvcParamKey `mandatory` (RFC 9460 §14.3.2).
const MANDATORY: u16 = 0;
/// SvcParamKey `alpn` (RFC 9460 §14.3.2).
const ALPN: u16 = 1;
/// SvcParamKey `no-default-alpn` (RFC 9460 §14.3.2).
const NO_DEFAULT_ALPN: u16 = 2;
/// SvcParamKey `port` (RFC 9460 §14.3.2).
const PORT: u16 = 3;
/// SvcParamKey `ipv4hint` (RFC 9460 §14.3.2).
const IPV4HINT: u16 = 4;
/// SvcParamKey `ech` (RFC 9460 §14.3.2).
const ECH: u16 = 5;
/// SvcParamKey `ipv6hint` (RFC 9460 §14.3.2).
const IPV6HINT: u16 = 6;
/// SvcParamKey `dohpath` (RFC 9461 §5).
const DOHPATH: u16 = 7;

/// Appends the wire form of `text` to `out`; nothing for an empty text. On an error `out` is as before.
pub fn encode(text: &str, out: &mut Vec<u8>) -> Result<(), ParseError> {
    let mut params = FlatMap::new();
    for (name, value) in split(text)? {
        let key = key(&name)?;
        let value = value_of(key, &name, &value)?;
        if params.insert(key, value).is_some() {
            return Err(ParseError(format!("'{name}' is given twice")));
        }
    }
    check_set(&params)?;
    let mut bytes = Vec::new();
    for (key, value) in &params {
        let len = u16::try_from(value.len()).map_err(|_| ParseError("a service parameter is too long".into()))?;
        bytes.extend(key.to_be_bytes());
        bytes.extend(len.to_be_bytes());
        bytes.extend(value);
    }
    out.extend(bytes);
    Ok(())
}

/// Whether `bytes` are service parameters as RFC 9460 §2.2 has them: whole, and with strictly increasing keys.
pub fn is_well_formed(mut bytes: &[u8]) -> bool {
    let mut last = None;
    while let [k0, k1, l0, l1, rest @ ..] = bytes {
        let key = u16::from_be_bytes([*k0, *k1]);
        let len = usize::from(u16::from_be_bytes([*l0, *l1]));
        let Some(rest) = rest.get(len..) else { return false };
        if last.is_some_and(|last| last >= key) {
            return false;
        }
        last = Some(key);
        bytes = rest;
    }
    bytes.is_empty()
}

/// `name=value` pairs; escapes in values are not yet resolved, quotes are taken off.
fn split(text: &str) -> Result<Vec<(String, String)>, ParseError> {
    let mut pairs = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        if first.is_ascii_whitespace() {
            continue;
        }
        let (mut name, mut value) = (String::from(first), String::new());
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
            name.push(c);
        }
        if chars.next_if_eq(&'=').is_some() {
            let quoted = chars.next_if_eq(&'"').is_some();
            loop {
                match chars.next() {
                    Some('"') if quoted => break,
                    Some(c) if c.is_ascii_whitespace() && !quoted => break,
                    Some('\\') => {
                        value.push('\\');
                        value.extend(chars.next());
                    }
                    Some(c) => value.push(c),
                    None if quoted => return Err(ParseError(format!("the value of '{name}' lacks its closing quote"))),
                    None => break,
                }
            }
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn key(name: &str) -> Result<u16, ParseError> {
    Ok(match name {
        "mandatory" => MANDATORY,
        "alpn" => ALPN,
        "no-default-alpn" => NO_DEFAULT_ALPN,
        "port" => PORT,
        "ipv4hint" => IPV4HINT,
        "ech" => ECH,
        "ipv6hint" => IPV6HINT,
        "dohpath" => DOHPATH,
        other => {
            let number = other.strip_prefix("key").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            // 65535 is reserved as the invalid key (RFC 9460 §14.3.2)
            number.and_then(|digits| digits.parse().ok()).filter(|key| *key != u16::MAX).ok_or_else(|| {
                ParseError(format!(
                    "'{name}' is no service parameter; known are alpn, port, dohpath, mandatory and keyNNNNN"
                ))
            })?
        }
    })
}

fn value_of(key: u16, name: &str, value: &str) -> Result<Vec<u8>, ParseError> {
    let wrong = |why: &str| ParseError(format!("'{name}={value}': {why}"));
    let broken = || wrong(r"a backslash is followed by neither a character nor three digits up to 255");
    match key {
        MANDATORY => {
            let mut keys = value.split(',').map(self::key).collect::<Result<Vec<u16>, _>>()?;
            keys.sort_unstable();
            Ok(keys.into_iter().flat_map(u16::to_be_bytes).collect())
        }
        ALPN => {
            let mut bytes = Vec::new();
            for id in value.split(',') {
                let id = unescape(id).ok_or_else(broken)?;
                let len = u8::try_from(id.len()).ok().filter(|len| *len > 0);
                bytes.push(len.ok_or_else(|| wrong("a protocol has 1 to 255 bytes; write alpn=dot or alpn=dot,doq"))?);
                bytes.extend(id);
            }
            Ok(bytes)
        }
        PORT => {
            let digits = value.bytes().all(|b| b.is_ascii_digit());
            let port: Option<u16> = value.parse().ok().filter(|port| digits && *port > 0);
            Ok(port.ok_or_else(|| wrong("a port is a number from 1 to 65535"))?.to_be_bytes().into())
        }
        DOHPATH => {
            let path = unescape(value).ok_or_else(broken)?;
            let template = std::str::from_utf8(&path).is_ok_and(|text| text.starts_with('/') && has_dns(text));
            if template { Ok(path) } else { Err(wrong("write a path with the variable dns, as /dns-query{?dns}")) }
        }
        IPV4HINT | IPV6HINT => Err(wrong("must not be given here: the resolver's addresses are (RFC 9463 §3.1.5)")),
        NO_DEFAULT_ALPN => Err(wrong("means nothing for DNS, which has no default protocol (RFC 9461 §4.1)")),
        ECH => Err(wrong("is not supported by name; write key5= with its bytes as \\DDD")),
        _ => unescape(value).ok_or_else(broken),
    }
}

/// Whether a URI template (RFC 6570) has the variable `dns` (RFC 9461 §5).
fn has_dns(template: &str) -> bool {
    template.split('{').skip(1).any(|part| {
        let expression = part.split('}').next().unwrap_or_default();
        expression.trim_start_matches(['?', '&']).split(',').any(|variable| variable == "dns")
    })
}

/// Resolves `\DDD` and `\X` (RFC 9460 appendix A).
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'\\' => match rest.next()? {
                digit if digit.is_ascii_digit() => {
                    let digits = [digit, rest.next()?, rest.next()?];
                    std::str::from_utf8(&digits).ok()?.parse().ok()?
                }
                other => other,
            },
            other => other,
        };
        bytes.push(byte);
    }
    Some(bytes)
}

/// What holds for all of them together.
fn check_set(params: &FlatMap<u16, Vec<u8>>) -> Result<(), ParseError> {
    if !params.is_empty() && !params.contains_key(&ALPN) {
        return Err(ParseError("alpn is missing: no client can use a resolver without it; add alpn=dot".into()));
    }
    if let Some(mandatory) = params.get(&MANDATORY) {
        let keys: Vec<&[u8]> = mandatory.chunks_exact(2).collect();
        let present = |key: &&[u8]| {
            <[u8; 2]>::try_from(*key).is_ok_and(|key| {
                let key = u16::from_be_bytes(key);
                key != MANDATORY && params.contains_key(&key)
            })
        };
        if !keys.iter().all(present) || !keys.is_sorted_by(|a, b| a < b) {
            let why = "mandatory names a parameter that is not given, or one twice, or itself (RFC 9460 §8)";
            return Err(ParseError(why.into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str) -> Result<Vec<u8>, ParseError> {
        let mut out = b"before".to_vec();
        let result = encode(text, &mut out);
        let bytes = out.split_off(6);
        assert!(result.is_ok() || bytes.is_empty(), "{text}");
        result.map(|()| bytes)
    }

    // MUST RFC 9460 §2.2: keys appear in strictly increasing numeric order
    #[test]
    fn parameters_are_sorted_by_their_numbers() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("alpn=dot", b"\0\x01\0\x04\x03dot"),
            ("port=853 alpn=dot", b"\0\x01\0\x04\x03dot\0\x03\0\x02\x03\x55"),
            ("  alpn=\"h2,h3\"\tdohpath=/dns-query{?dns} ", b"\0\x01\0\x06\x02h2\x02h3\0\x07\0\x10/dns-query{?dns}"),
            (
                "alpn=dot port=8853 mandatory=port,alpn",
                b"\0\0\0\x04\0\x01\0\x03\0\x01\0\x04\x03dot\0\x03\0\x02\x22\x95",
            ),
            (r#"alpn=d\111t key667="he\"l\\o \000""#, b"\0\x01\0\x04\x03dot\x02\x9b\0\x08he\"l\\o \0"),
        ] {
            assert_eq!(encoded(text).as_deref(), Ok(bytes), "{text}");
            assert!(is_well_formed(bytes), "{text}");
        }
    }

    // MUST NOT RFC 9463 §3.1.5: ipv4hint and ipv6hint are not among the service parameters
    // MUST NOT RFC 9460 §2.1: no key is repeated
    #[test]
    fn what_dnr_can_not_use_is_refused() {
        for text in [
            "alpn=dot ipv4hint=192.0.2.1",
            "alpn=dot ipv6hint=2001:db8::1",
            "alpn=dot alpn=doq",
            "alpn=dot no-default-alpn",
            "alpn=dot ech=AAAA",
            "alpn=dot port=0",
            "alpn=dot port=65536",
            "alpn=dot port=+853",
            "alpn=dot port",
            "alpn",
            "alpn=dot,",
            "port=853",
            "alpn=h2 dohpath=dns-query{?dns}",
            "alpn=h2 dohpath=/dns-query",
            "alpn=h2 dohpath=/dns{?x}",
            "alpn=dot mandatory=port",
            "alpn=dot mandatory=mandatory",
            "alpn=dot mandatory=alpn,alpn",
            "alpn=dot mandatory",
            "alpn=dot colour=red",
            "alpn=dot key65535=x",
            "alpn=dot key=x",
            r"alpn=dot key9=\25",
            r"alpn=dot key9=\256",
            r"alpn=dot key9=\",
            "alpn=\"dot",
            "=",
        ] {
            let error = encoded(text).unwrap_err();
            assert!(!error.0.is_empty(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_parameters_are_recognised() {
        assert!(is_well_formed(b""));
        for bytes in [
            &b"\0"[..],
            b"\0\x01\0",
            b"\0\x01\0\x01",
            b"\0\x03\0\0\0\x01\0\0",
            b"\0\x01\0\0\0\x01\0\0",
            b"\0\x01\0\0\0",
        ] {
            assert!(!is_well_formed(bytes), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_an_error_or_well_formed_bytes(text in "(alpn=dot )?[ -~a-z=\\\\\"]{0,30}") {
            if let Ok(bytes) = encoded(&text) {
                prop_assert!(is_well_formed(&bytes));
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            is_well_formed(&bytes);
        }
    }
}

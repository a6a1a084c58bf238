//! One value: text → what it means, or why it means nothing.

use crate::config::{DnsServer, HostDuid, Ula, nearest};
use crate::net::{Duid, Mac, ParseError, Prefix, is_link_local};
use std::net::Ipv6Addr;

mod dns;
mod uplink;

pub(super) use dns::{NAME_PATTERN, RECORD_TYPE, SECONDARY, SECRET, SERVER, SERVER_OR_AUTO};
pub(super) use uplink::{ENDPOINT, FILE, LABEL, ON_LINK_ADDRESS, PORTS, REQUEST_PREFIX, SIXRD_PREFIX, URL, V4_ADDRESS};

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Refusal {
    pub(in crate::config) message: String,
    /// What to write instead; empty: what the option accepts.
    pub(in crate::config) remedy: String,
}

impl From<String> for Refusal {
    fn from(message: String) -> Refusal {
        Refusal { message, remedy: String::new() }
    }
}

impl From<ParseError> for Refusal {
    /// The words of `net` say what is wrong and, behind a semicolon, how to write it.
    fn from(ParseError(text): ParseError) -> Refusal {
        match text.split_once("; ") {
            Some((message, remedy)) => Refusal { message: message.into(), remedy: remedy.into() },
            None => text.into(),
        }
    }
}

/// How a type of value is written.
pub(in crate::config) struct Form<V> {
    /// What is taken, in words that follow "write".
    pub(super) accepts: &'static str,
    /// The check that LuCI makes.
    pub(super) datatype: &'static str,
    pub(super) parse: fn(&str) -> Result<V, Refusal>,
}

type Parsed<V> = Result<V, Refusal>;

/// The beginning of a value, in quotes, so that a message stays readable.
fn short(text: &str) -> String {
    const MOST: usize = 64;
    let cut: String = text.chars().take(MOST).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("'{}{dots}'", cut.escape_debug())
}

fn wrong<V>(text: &str, why: impl std::fmt::Display) -> Parsed<V> {
    Err(format!("{} {why}", short(text)).into())
}

/// `a, b or c`
pub(in crate::config) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).into(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The words that OpenWrt's scripts take for yes and no.
pub(super) fn flag(text: &str) -> Parsed<bool> {
    match text {
        "1" | "on" | "true" | "yes" | "enabled" => Ok(true),
        "0" | "off" | "false" | "no" | "disabled" => Ok(false),
        _ => wrong(text, "is neither yes nor no"),
    }
}

pub(super) fn choice<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> Parsed<&'a str> {
    if let Some(name) = names.clone().find(|name| *name == text) {
        return Ok(name);
    }
    let remedy = nearest(text, names).map(|name| format!("did you mean '{name}'?")).unwrap_or_default();
    Err(Refusal { message: format!("{} is not known here", short(text)), remedy })
}

pub(super) fn number<N: TryFrom<u64> + Into<u64> + Copy>(text: &str, low: N, high: N) -> Parsed<N> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        return wrong(text, "is not a whole number");
    }
    let (low, high) = (low.into(), high.into());
    let number = text.parse::<u64>().ok().filter(|number| (low..=high).contains(number));
    match number.and_then(|number| N::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => wrong(text, format!("is not from {low} to {high}")),
    }
}

/// Seconds; 0xffffffff on the wire is infinity (RFC 4861 §4.6.2, RFC 9915 §7.7).
pub(super) fn lifetime(text: &str) -> Parsed<u32> {
    if text == "infinite" { Ok(u32::MAX) } else { number(text, 1, u32::MAX - 1) }
}

fn hexadecimal(text: &str) -> Parsed<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return wrong(text, "is not a hexadecimal number");
    }
    match u64::from_str_radix(digits, 16) {
        Ok(number) => Ok(number),
        Err(_) => wrong(text, "has more than 64 bits"),
    }
}

pub(super) static SUBNET: Form<u64> = Form {
    accepts: "a hexadecimal number, as it stands in the address",
    datatype: "maxlength(18)",
    parse: hexadecimal,
};

/// Interface identifiers from here on are subnet anycast addresses (RFC 2526 §2).
const ANYCAST_IDS: u64 = 0xfdff_ffff_ffff_ff80;
/// ... up to here.
const LAST_ANYCAST_ID: u64 = 0xfdff_ffff_ffff_ffff;

fn identifier(text: &str) -> Parsed<u64> {
    let id = match text.parse::<Ipv6Addr>().map(u128::from) {
        Ok(addr) => match u64::try_from(addr) {
            Ok(id) => id,
            Err(_) => return wrong(text, "has bits set in its upper half"),
        },
        Err(_) => hexadecimal(text)?,
    };
    match id {
        0 => wrong(text, "is the address of every router (RFC 4291 §2.6.1)"),
        ANYCAST_IDS..=LAST_ANYCAST_ID => wrong(text, "is an anycast address (RFC 2526)"),
        _ => Ok(id),
    }
}

pub(super) static ID: Form<u64> = Form {
    accepts: "the lower half of an address",
    datatype: "or(ip6addr(\"nomask\"),maxlength(18))",
    parse: identifier,
};

fn id_range(text: &str) -> Parsed<(u64, u64)> {
    let Some((low, high)) = text.split_once('-') else { return wrong(text, "has no '-'") };
    match (identifier(low.trim())?, identifier(high.trim())?) {
        (low, high) if low > high => wrong(text, "ends before it begins"),
        (low, high) if low <= LAST_ANYCAST_ID && high >= ANYCAST_IDS => {
            wrong(text, "goes over the anycast addresses fdff:ffff:ffff:ff80 and up (RFC 2526)")
        }
        range => Ok(range),
    }
}

pub(super) static ID_RANGE: Form<(u64, u64)> =
    Form { accepts: "the lowest and highest lower half of an address", datatype: "string", parse: id_range };

/// An address that a host can have, or why it is none.
fn unicast(text: &str) -> Parsed<Ipv6Addr> {
    let Ok(addr) = text.parse::<Ipv6Addr>() else { return wrong(text, "is not an IPv6 address") };
    match addr {
        _ if addr.is_unspecified() || addr.is_loopback() => wrong(text, "is no address of a host on the network"),
        _ if addr.is_multicast() => wrong(text, "is a multicast address"),
        _ if addr.to_ipv4_mapped().is_some() => wrong(text, "is an IPv4 address in disguise"),
        _ => Ok(addr),
    }
}

fn wide_unicast(text: &str) -> Parsed<Ipv6Addr> {
    match unicast(text)? {
        addr if is_link_local(addr) => wrong(text, "is a link-local address"),
        addr => Ok(addr),
    }
}

pub(super) static ADDRESS: Form<Ipv6Addr> =
    Form { accepts: "an IPv6 address", datatype: "ip6addr(\"nomask\")", parse: unicast };

pub(super) static WIDE_ADDRESS: Form<Ipv6Addr> =
    Form { accepts: "a global or unique local IPv6 address", datatype: "ip6addr(\"nomask\")", parse: wide_unicast };

pub(super) static DNS: Form<Option<DnsServer>> = Form {
    accepts: "an IPv6 address, router (our own address), or off",
    datatype: "or(ip6addr(\"nomask\"),\"router\",\"off\")",
    parse: |text| match text {
        "off" => Ok(None),
        "router" => Ok(Some(DnsServer::Router)),
        _ => Ok(Some(DnsServer::At(unicast(text)?))),
    },
};

fn prefix(text: &str, shortest: u8, longest: u8) -> Parsed<Prefix> {
    let prefix: Prefix = text.parse()?;
    let range = shortest..=longest;
    if range.contains(&prefix.len()) {
        return Ok(prefix);
    }
    let longer = prefix.len() > longest;
    wrong(
        text,
        format!("is {} than /{}", if longer { "longer" } else { "shorter" }, if longer { longest } else { shortest }),
    )
}

/// Ours to hand out: neither link-local nor multicast nor the special ones below ::/8.
fn own_prefix(text: &str, shortest: u8) -> Parsed<Prefix> {
    const FOREIGN: [(u128, u32, &str); 3] = [
        (0, 8, "lies in ::/8, which is not for networks"),
        (0xfe80 << 112, 10, "is link-local"),
        (0xff << 120, 8, "is multicast"),
    ];
    let prefix = prefix(text, shortest, 64)?;
    let addr = u128::from(prefix.addr());
    match FOREIGN.iter().find(|(foreign, len, _)| (addr ^ foreign) >> (128 - len) == 0) {
        Some((_, _, why)) => wrong(text, why),
        None => Ok(prefix),
    }
}

pub(super) static GIVEN_PREFIX: Form<Prefix> =
    Form { accepts: "a prefix of 16 to 64 bits", datatype: "cidr6", parse: |text| own_prefix(text, 16) };

pub(super) static RESERVED_PREFIX: Form<Prefix> =
    Form { accepts: "a prefix of 48 to 64 bits", datatype: "cidr6", parse: |text| own_prefix(text, 48) };

pub(super) static ROUTE: Form<Prefix> =
    Form { accepts: "a prefix", datatype: "cidr6", parse: |text| prefix(text, 0, 128) };

/// A prefix for IPv4 addresses: lengths of RFC 8781 §4, and bits 64 to 71 zero as RFC 6052 §2.2 wants.
fn pref64(text: &str) -> Parsed<Prefix> {
    let prefix: Prefix = text.parse()?;
    if !matches!(prefix.len(), 32 | 40 | 48 | 56 | 64 | 96) {
        return wrong(text, "has a length that RFC 8781 does not know");
    }
    match u128::from(prefix.addr()) >> 56 & 0xff {
        0 => Ok(prefix),
        _ => wrong(text, "has bits set in its ninth byte, which RFC 6052 §2.2 wants to be 0"),
    }
}

pub(super) static PREF64: Form<Prefix> =
    Form { accepts: "a prefix of 32, 40, 48, 56, 64 or 96 bits", datatype: "cidr6", parse: pref64 };

/// RFC 4193 §3.1, §3.2: locally assigned, so fd00::/8; fc00::/8 is not defined.
fn ula(text: &str) -> Parsed<Ula> {
    match text {
        "auto" => Ok(Ula::Auto),
        "off" => Ok(Ula::Off),
        _ if !text.contains('/') => choice(text, ["auto", "off"].into_iter()).map(|_| Ula::Off),
        _ => match prefix(text, 48, 64)? {
            prefix if prefix.addr().octets().first() != Some(&0xfd) => {
                wrong(text, "does not lie in fd00::/8, where unique local prefixes are (RFC 4193)")
            }
            prefix => Ok(Ula::Fixed(prefix)),
        },
    }
}

pub(super) static ULA: Form<Ula> = Form {
    accepts: "auto, off, or a prefix of 48 to 64 bits in fd00::/8",
    datatype: "or(\"auto\",\"off\",cidr6)",
    parse: ula,
};

pub(super) static MAC: Form<Mac> = Form {
    accepts: "a MAC address",
    datatype: "macaddr",
    parse: |text| match text.parse::<Mac>()? {
        Mac([0, 0, 0, 0, 0, 0]) => wrong(text, "is no host's address"),
        Mac([first, ..]) if first & 1 == 1 => wrong(text, "is the address of a group, not of a host"),
        mac => Ok(mac),
    },
};

pub(super) static DUID: Form<HostDuid> = Form {
    accepts: "a DUID in hexadecimal, or DUID%IAID",
    datatype: "string",
    parse: |text| {
        let (duid, iaid) = match text.split_once('%') {
            None => (text, None),
            Some((duid, iaid)) => match hexadecimal(iaid).ok().and_then(|iaid| u32::try_from(iaid).ok()) {
                Some(iaid) => (duid, Some(iaid)),
                None => return wrong(iaid, "is not an IAID of up to eight hexadecimal digits"),
            },
        };
        Ok(HostDuid { duid: duid.parse::<Duid>()?, iaid })
    },
};

/// A domain name of letters, digits and hyphens (RFC 1123 §2.1), without the dot at its end.
pub(in crate::config) fn domain_name(text: &str) -> Parsed<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let why = match name {
        _ if !name.is_ascii() => "is not ASCII; write its xn-- form",
        _ if name.len() > 253 => "is longer than 253 letters",
        _ if name.split('.').any(str::is_empty) => "has an empty part",
        _ if name.split('.').any(|label| label.len() > 63) => "has a part longer than 63 letters",
        _ if !name.split('.').all(|label| label.bytes().all(letter)) => "has something else than letters, digits and -",
        _ if name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) => {
            "has a part that begins or ends with -"
        }
        _ => return Ok(name.into()),
    };
    wrong(text, why)
}

pub(super) static DOMAIN: Form<String> = Form { accepts: "a domain name", datatype: "hostname", parse: domain_name };

pub(super) static DOMAIN_OR_OFF: Form<String> = Form {
    accepts: "a domain name, or off",
    datatype: "or(hostname,\"off\")",
    parse: |text| if text == "off" { Ok(String::new()) } else { domain_name(text) },
};

/// What the kernel takes for a device's name.
pub(super) static DEVICE: Form<String> = Form {
    accepts: "a device's name of 1 to 15 letters",
    datatype: "and(minlength(1),maxlength(15))",
    parse: |text| match text {
        "" | "." | ".." => wrong(text, "is no device's name"),
        _ if text.len() > 15 => wrong(text, "is longer than 15 letters"),
        _ if text.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'/' | b':')) => {
            wrong(text, "has a letter that no device's name has")
        }
        _ => Ok(text.into()),
    },
};

/// A name of a UCI section.
pub(super) static SECTION: Form<String> = Form {
    accepts: "a section's name",
    datatype: "uciname",
    parse: |text| match is_section_name(text) {
        true => Ok(text.into()),
        false => wrong(text, "is no name of letters, digits and _"),
    },
};

pub(in crate::config) fn is_section_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A folder whose socket `oasis6.sock` still has a name that fits into a socket address (108 bytes).
const LONGEST_FOLDER: usize = 90;

pub(super) static FILE_OR_OFF: Form<String> = Form {
    accepts: "a file's whole path, or off",
    datatype: "or(file,\"off\")",
    parse: |text| match text {
        "off" => Ok(String::new()),
        _ if text.ends_with('/') => wrong(text, "is a folder"),
        _ => (FOLDER.parse)(text),
    },
};

pub(super) static FOLDER: Form<String> = Form {
    accepts: "a folder's whole path of at most 90 letters",
    datatype: "directory",
    parse: |text| match text {
        _ if !text.starts_with('/') => wrong(text, "does not begin with /"),
        _ if text.len() > LONGEST_FOLDER => wrong(text, format!("is longer than {LONGEST_FOLDER} letters")),
        _ if text.chars().any(char::is_control) => wrong(text, "has control characters"),
        _ if text.split('/').any(|part| part == "..") => wrong(text, "has '..' in it"),
        _ => match text.trim_end_matches('/') {
            "" => wrong(text, "is the root folder"),
            folder => Ok(folder.into()),
        },
    },
};

/// Longest URI taken; RFC 8910 §2.1 has 255 bytes for DHCPv4, and a longer one would crowd an advertisement.
const LONGEST_URI: usize = 255;

fn uri(text: &str) -> Parsed<String> {
    /// Says that there is no captive portal (RFC 8910 §2).
    const UNRESTRICTED: &str = "urn:ietf:params:capport:unrestricted";
    let host = text.split_once("://").map(|(scheme, rest)| (scheme, rest.split(['/', '?', '#']).next()));
    let letter = |b: u8| b.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&b);
    match host {
        _ if text == UNRESTRICTED => Ok(text.into()),
        _ if text.len() > LONGEST_URI => wrong(text, format!("is longer than {LONGEST_URI} letters")),
        _ if !text.bytes().all(letter) => wrong(text, "has letters that a URI can't have"),
        Some(("https" | "http", Some(host))) if !host.is_empty() => Ok(text.into()),
        _ => wrong(text, "is not a URI"),
    }
}

pub(super) static URI: Form<String> = Form {
    accepts: "a URI that begins with https://, or urn:ietf:params:capport:unrestricted",
    datatype: "maxlength(255)",
    parse: uri,
};

/// Service parameters of RFC 9460 §7 and RFC 9461 §5 that RFC 9463 §3.1 lets in; addresses stand elsewhere.
fn service_parameters(text: &str) -> Parsed<String> {
    let mut seen = Vec::new();
    for parameter in text.split_ascii_whitespace() {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let known = match key {
            "alpn" | "mandatory" => !value.is_empty() && !value.split(',').any(str::is_empty),
            "port" => number::<u32>(value, 1, 65535).is_ok(),
            "dohpath" => value.starts_with('/'),
            "no-default-alpn" => !parameter.contains('='),
            "ipv4hint" | "ipv6hint" => {
                return wrong(parameter, "is forbidden by RFC 9463; addresses go into dnr_address");
            }
            _ => key.strip_prefix("key").is_some_and(|n| !n.starts_with('0') && number::<u32>(n, 7, 65534).is_ok()),
        };
        let clean = parameter.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'));
        if !known || !clean || value.len() > LONGEST_URI {
            return wrong(parameter, "is not a service parameter");
        }
        if seen.contains(&key) {
            return wrong(parameter, "comes twice");
        }
        seen.push(key);
    }
    Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

pub(super) static SERVICE_PARAMETERS: Form<String> =
    Form { accepts: "service parameters as in a zone file", datatype: "string", parse: service_parameters };

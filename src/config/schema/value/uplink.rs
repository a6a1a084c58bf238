//! Values of uplinks and pinholes.

use super::{FOLDER, Form, LONGEST_URI, Parsed, domain_name, number, prefix, unicast, wrong};
use crate::net::Prefix;
use std::net::{Ipv4Addr, Ipv6Addr};

/// One part of a domain name (RFC 1123 §2.1).
pub(in crate::config::schema) static LABEL: Form<String> = Form {
    accepts: "a host's name without a domain",
    datatype: "hostname",
    parse: |text| match domain_name(text)? {
        name if name.contains('.') => wrong(text, "has a domain; leave it out"),
        name => Ok(name),
    },
};

fn ports(text: &str) -> Parsed<(u16, u16)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    match (number(low, 1, u16::MAX)?, number(high, 1, u16::MAX)?) {
        (low, high) if low > high => wrong(text, "ends before it begins"),
        range => Ok(range),
    }
}

pub(in crate::config::schema) static PORTS: Form<(u16, u16)> =
    Form { accepts: "a port from 1 to 65535, or two with - between them", datatype: "portrange", parse: ports };

fn on_link_address(text: &str) -> Parsed<(Ipv6Addr, u8)> {
    let (addr, len) = text.split_once('/').unwrap_or((text, "128"));
    Ok((unicast(addr)?, number(len, 1, 128)?))
}

pub(in crate::config::schema) static ON_LINK_ADDRESS: Form<(Ipv6Addr, u8)> = Form {
    accepts: "an IPv6 address with the length of its prefix",
    datatype: "or(cidr6,ip6addr)",
    parse: on_link_address,
};

fn v4_address(text: &str) -> Parsed<Ipv4Addr> {
    let Ok(addr) = text.parse::<Ipv4Addr>() else { return wrong(text, "is not an IPv4 address") };
    match addr {
        _ if addr.is_unspecified() || addr.is_loopback() || addr.is_broadcast() => {
            wrong(text, "is no address of a host on the network")
        }
        _ if addr.is_multicast() => wrong(text, "is a multicast address"),
        _ => Ok(addr),
    }
}

pub(in crate::config::schema) static V4_ADDRESS: Form<Ipv4Addr> =
    Form { accepts: "an IPv4 address", datatype: "ip4addr(\"nomask\")", parse: v4_address };

pub(in crate::config::schema) static REQUEST_PREFIX: Form<Option<Option<u8>>> = Form {
    accepts: "auto, off, or a length from 16 to 64",
    datatype: "or(\"auto\",\"off\",and(uinteger,range(16,64)))",
    parse: |text| match text {
        "off" => Ok(None),
        "auto" => Ok(Some(None)),
        _ => Ok(Some(Some(number(text, 16, 64)?))),
    },
};

pub(in crate::config::schema) static FILE: Form<String> = Form {
    accepts: "a file's whole path",
    datatype: "file",
    parse: |text| if text.ends_with('/') { wrong(text, "is a folder") } else { (FOLDER.parse)(text) },
};

/// `HOST:PORT`, an IPv6 address in brackets (RFC 3986 §3.2.2).
fn endpoint(text: &str) -> Parsed<String> {
    let Some((host, port)) = text.rsplit_once(':') else { return wrong(text, "has no port; write host:port") };
    number(port, 1, u16::MAX)?;
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match inside {
        Some(addr) => addr.parse::<Ipv6Addr>().is_ok(),
        None if host.contains(':') => return wrong(text, "is an IPv6 address without brackets"),
        None => host.parse::<Ipv4Addr>().is_ok() || domain_name(host).is_ok(),
    };
    if good { Ok(text.into()) } else { wrong(text, "begins with no host") }
}

pub(in crate::config::schema) static ENDPOINT: Form<String> =
    Form { accepts: "host:port, an IPv6 address in brackets", datatype: "string", parse: endpoint };

fn url(text: &str) -> Parsed<String> {
    let letter = |b: u8| b.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&b);
    let host = ["http://", "https://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    match host.and_then(|rest| rest.split(['/', '?']).next()) {
        _ if text.len() > LONGEST_URI => wrong(text, format!("is longer than {LONGEST_URI} letters")),
        _ if !text.bytes().all(letter) => wrong(text, "has letters that a URL can't have"),
        Some(host) if !host.is_empty() => Ok(text.into()),
        _ => wrong(text, "does not begin with http:// or https://"),
    }
}

pub(in crate::config::schema) static URL: Form<String> =
    Form { accepts: "a URL that begins with http:// or https://", datatype: "maxlength(255)", parse: url };

pub(in crate::config::schema) static SIXRD_PREFIX: Form<Prefix> =
    Form { accepts: "a prefix of 12 to 56 bits", datatype: "cidr6", parse: |text| prefix(text, 12, 56) };

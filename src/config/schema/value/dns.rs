//! Values of DNS.

use super::{Form, Parsed, Refusal, number, one_of, short, unicast, wrong};
use crate::config::{NamePattern, Secondary, Secret, nearest};
use crate::net::{base64, is_link_local};
use crate::wire::dns::Type;
use std::net::{IpAddr, SocketAddr};

/// Where DNS servers listen (RFC 1035 §4.2).
const PORT: u16 = 53;

/// `ADDRESS` or `ADDRESS#PORT`, as dnsmasq writes it.
fn server(text: &str) -> Parsed<SocketAddr> {
    let (addr, port) = match text.split_once('#') {
        Some((addr, port)) => (addr, number(port, 1, u16::MAX)?),
        None => (text, PORT),
    };
    let addr = match addr.parse::<IpAddr>() {
        Err(_) => return wrong(addr, "is not an address"),
        // A resolver beside us on the router is a server like others.
        Ok(addr) if addr.is_loopback() => addr,
        Ok(IpAddr::V4(v4)) if v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast() => {
            return wrong(addr, "is no address of a host on the network");
        }
        Ok(IpAddr::V6(v6)) if is_link_local(v6) => return wrong(addr, "is a link-local address"),
        Ok(IpAddr::V6(_)) => IpAddr::V6(unicast(addr)?),
        Ok(addr) => addr,
    };
    Ok(SocketAddr::new(addr, port))
}

pub(in crate::config::schema) static SERVER: Form<SocketAddr> =
    Form { accepts: "an address, or ADDRESS#PORT", datatype: "string", parse: server };

pub(in crate::config::schema) static SERVER_OR_AUTO: Form<Option<SocketAddr>> = Form {
    accepts: "auto, an address, or ADDRESS#PORT",
    datatype: "string",
    parse: |text| if text == "auto" { Ok(None) } else { Ok(Some(server(text)?)) },
};

pub(in crate::config::schema) static SECONDARY: Form<Secondary> = Form {
    accepts: "an address, ADDRESS#PORT, or with the section of its key KEY@ADDRESS",
    datatype: "string",
    parse: |text| {
        let (key, at) = match text.split_once('@') {
            Some((key, at)) => (Some((super::SECTION.parse)(key)?), at),
            None => (None, text),
        };
        Ok(Secondary { server: server(at)?, key })
    },
};

pub(in crate::config::schema) static SECRET: Form<Secret> = Form {
    accepts: "base64 of 16 bytes or more",
    datatype: "string",
    parse: |text| {
        /// RFC 8945 §6 wants no secret shorter than the MAC, and no shorter MAC than 16 bytes is taken (§5.2.2.1).
        const SHORTEST: usize = 16;
        // The text is not repeated: it is secret.
        match base64::decode(text) {
            None => Err("this is not base64".to_owned().into()),
            Some(bytes) if bytes.len() < SHORTEST => Err(format!("it has less than {SHORTEST} bytes").into()),
            Some(bytes) => Ok(Secret(bytes)),
        }
    },
};

/// Like a domain name, but labels may have the `_` that names of services and ACME's challenges have.
fn pattern(text: &str) -> Parsed<NamePattern> {
    let below = text.strip_prefix("*.");
    let plain: String = below.unwrap_or(text).chars().map(|c| if c == '_' { 'x' } else { c }).collect();
    match super::domain_name(&plain) {
        Err(_) => wrong(text, "is no name of letters, digits, - and _"),
        Ok(_) => {
            let name = below.unwrap_or(text).trim_end_matches('.').to_ascii_lowercase();
            Ok(if below.is_some() { NamePattern::Below(name) } else { NamePattern::Just(name) })
        }
    }
}

pub(in crate::config::schema) static NAME_PATTERN: Form<NamePattern> =
    Form { accepts: "a name, or *.NAME", datatype: "string", parse: pattern };

/// Types that people write, to be near to what they meant.
const TYPES: [&str; 14] =
    ["A", "NS", "CNAME", "PTR", "MX", "TXT", "AAAA", "SRV", "NAPTR", "SSHFP", "TLSA", "SVCB", "HTTPS", "CAA"];

pub(in crate::config::schema) static RECORD_TYPE: Form<u16> = Form {
    accepts: "a type by its name, or TYPE and its number",
    datatype: "string",
    parse: |text| match Type::from_text(text) {
        Some(known) if !known.is_meta() => Ok(known.0),
        Some(_) => wrong(text, "is no type of records in a zone"),
        None => {
            let remedy = match nearest(text, TYPES) {
                Some(name) => format!("did you mean '{name}'?"),
                None => format!("write {}", one_of(&TYPES)),
            };
            Err(Refusal { message: format!("{} is not known here", short(text)), remedy })
        }
    },
};

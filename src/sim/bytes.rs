//! What hosts and clients of the simulation need of the wire, read and written from the RFCs alone: a codec that shares
//! nothing with `wire`, so that the two check each other.

use crate::net::Prefix;
use std::net::Ipv6Addr;

/// A router advertisement as a host hears it (RFC 4861 §4.2).
pub(super) struct Advertisement {
    /// Router lifetime, seconds.
    pub(super) router_lifetime: u16,
    /// Its prefix information options.
    pub(super) prefixes: Vec<PrefixInformation>,
}

/// RFC 4861 §4.6.2; lifetimes in seconds, all ones for ever.
pub(super) struct PrefixInformation {
    pub(super) prefix: Prefix,
    pub(super) autonomous: bool,
    pub(super) valid: u32,
    pub(super) preferred: u32,
}

/// Reads an advertisement; `None` if it is not one that a host would accept (RFC 4861 §6.1.2).
pub(super) fn advertisement(bytes: &[u8]) -> Option<Advertisement> {
    let (&[134, 0, _, _, _, _, high, low, ..], Some(mut rest)) = (bytes, bytes.get(16..)) else { return None };
    let mut prefixes = Vec::new();
    while let [kind, length, ..] = *rest {
        let body = rest.get(..usize::from(length) * 8).filter(|body| !body.is_empty())?;
        rest = rest.get(body.len()..)?;
        if kind == 3 {
            prefixes.push(PrefixInformation {
                prefix: Prefix::new(address(body.get(16..32)?)?, *body.get(2)?)?,
                autonomous: body.get(3)? & 0x40 != 0,
                valid: number(body.get(4..8)?)?,
                preferred: number(body.get(8..12)?)?,
            });
        }
    }
    rest.is_empty().then_some(Advertisement { router_lifetime: u16::from_be_bytes([high, low]), prefixes })
}

/// Options of DHCPv6 in order (RFC 9915 §21.1); `None` if they are cut short.
pub(super) fn options(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while let [a, b, c, d, rest @ ..] = bytes {
        let body = rest.get(..usize::from(u16::from_be_bytes([*c, *d])))?;
        all.push((u16::from_be_bytes([*a, *b]), body));
        bytes = rest.get(body.len()..)?;
    }
    bytes.is_empty().then_some(all)
}

/// Appends an option of DHCPv6.
pub(super) fn option(code: u16, body: &[u8], to: &mut Vec<u8>) {
    to.extend(code.to_be_bytes());
    to.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
    to.extend(body);
}

/// Four bytes as a number.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// Sixteen bytes as an address.
pub(super) fn address(bytes: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)
}

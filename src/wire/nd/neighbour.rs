//! Neighbour solicitations and advertisements (RFC 4861 §4.3, §4.4), as whole IPv6 packets when they come in: who listens
//! beside the kernel has to check the checksum and the hop limit itself.

use super::option::{SOURCE_LINK, UNIT};
use crate::net::Mac;
use std::net::Ipv6Addr;

/// ICMPv6 type of neighbour solicitations (RFC 4861 §4.3).
pub(super) const NEIGHBOUR_SOLICITATION: u8 = 135;
/// ICMPv6 type of neighbour advertisements (RFC 4861 §4.4).
pub(super) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// Target link-layer address option (RFC 4861 §4.6.1).
const TARGET_LINK: u8 = 2;
/// Fixed part of an IPv6 packet (RFC 8200 §3).
const IPV6: usize = 40;
/// Fixed part of both messages.
const HEADER: usize = 24;
/// ICMPv6 (RFC 4443 §2.1).
const ICMPV6: u8 = 58;
/// S flag of an advertisement.
const SOLICITED: u8 = 0x40;

/// A valid message between neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// IPv6 source; `::` for duplicate address detection.
    pub source: Ipv6Addr,
    /// Whether it is a solicitation; else an advertisement.
    pub solicits: bool,
    /// Whom it is about.
    pub target: Ipv6Addr,
    /// Source or target link-layer address, if there is one of 48 bits.
    pub link: Option<Mac>,
}

/// Reads a packet that begins at its IPv6 header. `None`: it is no neighbour solicitation or advertisement, or not a valid
/// one (RFC 4861 §7.1.1, §7.1.2).
pub fn neighbour(packet: &[u8]) -> Option<Neighbour> {
    let (header, rest) = packet.split_first_chunk::<IPV6>()?;
    let [first, _, _, _, len0, len1, ICMPV6, 255, addresses @ ..] = header else { return None };
    if first >> 4 != 6 {
        return None;
    }
    let (source, destination) = addresses.split_first_chunk::<16>()?;
    let source = Ipv6Addr::from(*source);
    let destination = Ipv6Addr::from(*destination.first_chunk::<16>()?);
    let message = rest.get(..usize::from(u16::from_be_bytes([*len0, *len1])))?;
    if sum(&[addresses, &[0, 0, *len0, *len1, 0, 0, 0, ICMPV6], message]) != u16::MAX {
        return None;
    }
    let (fixed, mut options) = message.split_first_chunk::<HEADER>()?;
    let [kind, 0, _, _, flags, _, _, _, target @ ..] = fixed else { return None };
    let target = Ipv6Addr::from(*target.first_chunk::<16>()?);
    let wanted = match *kind {
        NEIGHBOUR_SOLICITATION => SOURCE_LINK,
        NEIGHBOUR_ADVERTISEMENT => TARGET_LINK,
        _ => return None,
    };
    let mut link = None;
    let mut any_link = false;
    while let Some((option, rest)) = options.split_first() {
        let len = rest.first().filter(|units| **units > 0).map(|units| usize::from(*units) * UNIT)?;
        let (whole, rest) = options.split_at_checked(len)?;
        if *option == wanted {
            any_link = true;
            link = whole.get(2..).and_then(|mac| mac.try_into().ok()).map(Mac);
        }
        options = rest;
    }
    let solicits = wanted == SOURCE_LINK;
    let valid = if solicits {
        !source.is_unspecified() || !any_link && is_solicited_node(destination)
    } else {
        !(destination.is_multicast() && flags & SOLICITED != 0)
    };
    (valid && !target.is_multicast()).then_some(Neighbour { source, solicits, target, link })
}

/// A solicitation for `target` by whom has this link-layer address; checksum left zero.
pub fn solicitation(target: Ipv6Addr, mac: Option<Mac>) -> Vec<u8> {
    message(NEIGHBOUR_SOLICITATION, 0, target, mac.map(|mac| (SOURCE_LINK, mac)))
}

/// An advertisement that somebody else's `target` is reached by this link-layer address: the override flag is not set, so
/// that the owner of the address comes first (RFC 4861 §7.2.8); checksum left zero.
pub fn advertisement_for(target: Ipv6Addr, mac: Option<Mac>, solicited: bool) -> Vec<u8> {
    let flags = if solicited { SOLICITED } else { 0 };
    message(NEIGHBOUR_ADVERTISEMENT, flags, target, mac.map(|mac| (TARGET_LINK, mac)))
}

fn message(kind: u8, flags: u8, target: Ipv6Addr, link: Option<(u8, Mac)>) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    bytes.extend(target.octets());
    if let Some((option, mac)) = link {
        bytes.extend([option, 1]);
        bytes.extend(mac.0);
    }
    bytes
}

/// The solicited-node multicast address (RFC 4291 §2.7.1).
pub fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let low = u128::from(target) & 0xff_ffff;
    Ipv6Addr::from(0xff02_0000_0000_0000_0000_0001_ff00_0000 | low)
}

fn is_solicited_node(addr: Ipv6Addr) -> bool {
    solicited_node(addr) == addr
}

/// The Internet checksum's sum (RFC 1071) over all parts, each of which but the last has an even length; all ones over a
/// message with a right checksum.
fn sum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let word = |chunk: &[u8]| match chunk {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    };
    // a packet has at most 65,575 bytes, whose words don't overflow 32 bits
    let mut sum = words.map(word).fold(0u32, u32::saturating_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(0)
}

/// A whole packet with the right checksum, as it comes in.
#[cfg(test)]
pub(super) fn packet(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap().to_be_bytes();
    let mut message = message.to_vec();
    let (from, to) = (source.octets(), destination.octets());
    let sum = !sum(&[&from, &to, &[0, 0, len[0], len[1], 0, 0, 0, ICMPV6], &message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    [&[0x60, 0, 0, 0, len[0], len[1], ICMPV6, 255], &from[..], &to[..], &message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

    fn asked() -> Vec<u8> {
        packet(a("fe80::1"), a("ff02::1:ff00:5"), &solicitation(a("2001:db8::5"), Some(MAC)))
    }

    fn told(to: &str, solicited: bool) -> Vec<u8> {
        packet(a("fe80::1"), a(to), &advertisement_for(a("2001:db8::5"), Some(MAC), solicited))
    }

    // MUST RFC 4861 §7.2.8: a proxy's advertisement has its own link-layer address and no override flag
    #[test]
    fn messages_come_back_as_they_were() {
        let target = a("2001:db8::5");
        let expected = Neighbour { source: a("fe80::1"), solicits: true, target, link: Some(MAC) };
        assert_eq!(neighbour(&asked()), Some(expected));
        let answer = Neighbour { solicits: false, ..expected };
        assert_eq!(neighbour(&told("fe80::2", true)), Some(answer));
        assert_eq!(advertisement_for(target, Some(MAC), true)[4], SOLICITED, "nothing else");
        assert_eq!(solicited_node(a("2001:db8::12:3456")), a("ff02::1:ff12:3456"));
    }

    // MUST RFC 4861 §7.1.1: invalid solicitations are dropped: hop limit, checksum, code, length, target, options
    // MUST RFC 4861 §7.1.2: invalid advertisements are dropped, one to a multicast address with the S flag among them
    #[test]
    fn what_is_not_valid_is_dropped() {
        for (place, value) in [(0, 0x40), (6, 17), (7, 254), (40, 137), (41, 1), (43, 0x77), (65, 0), (65, 2)] {
            let mut bytes = asked();
            bytes[place] = value;
            // the checksum of what else is changed is mended
            let mended = packet(a("fe80::1"), a("ff02::1:ff00:5"), &{
                let mut message = bytes[40..].to_vec();
                message[2..4].fill(0);
                message
            });
            if place > 43 || place == 40 || place == 41 {
                bytes = mended;
            }
            assert_eq!(neighbour(&bytes), None, "{place}");
        }
        let none = Ipv6Addr::UNSPECIFIED;
        let target = a("2001:db8::5");
        let dad = packet(none, a("ff02::1:ff00:5"), &solicitation(target, None));
        assert!(neighbour(&dad).is_some_and(|it| it.source == none));
        assert_eq!(neighbour(&packet(none, a("ff02::1:ff00:5"), &solicitation(target, Some(MAC)))), None);
        assert_eq!(neighbour(&packet(none, a("ff02::1"), &solicitation(target, None))), None);
        assert_eq!(neighbour(&packet(a("fe80::1"), a("ff02::1:ff00:5"), &solicitation(a("ff02::1"), None))), None);
        assert_eq!(neighbour(&told("ff02::1", true)), None);
        assert!(neighbour(&told("ff02::1", false)).is_some());
        for len in 0..asked().len() {
            assert_eq!(neighbour(&asked()[..len]), None, "{len}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120), message in proptest::collection::vec(any::<u8>(), 4..90)) {
            let _ = neighbour(&bytes);
            let mut whole = packet(a("fe80::1"), a("fe80::2"), &message);
            let _ = neighbour(&whole);
            whole[40] = NEIGHBOUR_SOLICITATION;
            let _ = neighbour(&whole);
        }
    }
}

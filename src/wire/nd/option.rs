use crate::net::{Mac, Preference, Prefix};
use crate::wire::{name, svcparams};
use std::fmt;
use std::net::Ipv6Addr;

/// Lengths of options count in these many bytes (RFC 4861 §4.6).
pub(super) const UNIT: usize = 8;
/// Longest option: 255 units, its type and length included (RFC 4861 §4.6).
const MAX_OPTION: usize = 255 * UNIT;

/// Source link-layer address (RFC 4861 §4.6.1).
pub(super) const SOURCE_LINK: u8 = 1;
/// Prefix information (RFC 4861 §4.6.2).
const PREFIX_INFORMATION: u8 = 3;
/// MTU (RFC 4861 §4.6.4).
const MTU: u8 = 5;
/// Route information (RFC 4191 §2.3).
const ROUTE_INFORMATION: u8 = 24;
/// Recursive DNS servers (RFC 8106 §5.1).
const RDNSS: u8 = 25;
/// DNS search list (RFC 8106 §5.2).
const DNSSL: u8 = 31;
/// Captive portal (RFC 8910 §2.3).
const CAPTIVE_PORTAL: u8 = 37;
/// NAT64 prefix (RFC 8781 §4).
const PREF64: u8 = 38;
/// Encrypted DNS (RFC 9463 §6.1).
const ENCRYPTED_DNS: u8 = 144;

/// L flag of a prefix (RFC 4861 §4.6.2).
const ON_LINK: u8 = 0x80;
/// A flag of a prefix (RFC 4861 §4.6.2).
const AUTONOMOUS: u8 = 0x40;
/// R flag of a prefix (RFC 6275 §7.2).
const ROUTER_ADDRESS: u8 = 0x20;
/// P flag of a prefix (RFC 9762 §5).
const PD_PREFERRED: u8 = 0x10;

/// Prefix lengths of PREF64 by their code (RFC 8781 §4).
const PREF64_LENGTHS: [u8; 6] = [96, 64, 56, 48, 40, 32];
/// Longest lifetime of PREF64, seconds: 13 bits of 8 seconds each (RFC 8781 §4).
const MAX_PREF64_LIFETIME: u16 = 8191 * 8;

/// An option of a router solicitation or advertisement. Lifetimes are seconds, 0xffffffff is for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NdOption {
    /// Source link-layer address of 48 bits (RFC 4861 §4.6.1).
    SourceLink(Mac),
    /// Prefix information (RFC 4861 §4.6.2).
    Prefix(PrefixInformation),
    /// MTU of the link, bytes (RFC 4861 §4.6.4).
    Mtu(u32),
    /// A route that leads by this router (RFC 4191 §2.3).
    Route {
        /// Where to.
        prefix: Prefix,
        /// Preference over other routers.
        preference: Preference,
        /// How long; 0: no more.
        lifetime: u32,
    },
    /// Recursive DNS servers, at least one (RFC 8106 §5.1).
    Rdnss {
        /// How long; 0: no more.
        lifetime: u32,
        /// The servers, best first.
        servers: Vec<Ipv6Addr>,
    },
    /// Search domains, at least one (RFC 8106 §5.2).
    Dnssl {
        /// How long; 0: no more.
        lifetime: u32,
        /// The domains in order.
        domains: Vec<String>,
    },
    /// URI of the captive portal's API: visible ASCII (RFC 8910 §2.3).
    CaptivePortal(String),
    /// NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits (RFC 8781 §4).
    Pref64 {
        /// The prefix.
        prefix: Prefix,
        /// How long, a multiple of 8 up to 65528: rounded up when written; 0: no more.
        lifetime: u16,
    },
    /// An encrypted DNS resolver (RFC 9463 §6.1).
    EncryptedDns(Dnr),
    /// An option of this type was there, but is unknown or makes no sense. Never written.
    Skipped(u8),
}

/// A prefix of the link (RFC 4861 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixInformation {
    /// The prefix.
    pub prefix: Prefix,
    /// L flag: hosts in it are on the link.
    pub on_link: bool,
    /// A flag: hosts may make addresses in it.
    pub autonomous: bool,
    /// With the R flag: the router's own address, which stands in the prefix's place (RFC 6275 §7.2).
    pub router: Option<Ipv6Addr>,
    /// P flag: hosts should ask for a prefix of their own by DHCPv6 instead (RFC 9762).
    pub pd_preferred: bool,
    /// Valid lifetime, seconds.
    pub valid: u32,
    /// Preferred lifetime, seconds.
    pub preferred: u32,
}

/// An encrypted DNS resolver (RFC 9463 §6.1). Without addresses there are no parameters either (ADN-only mode, §3.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnr {
    /// SvcPriority.
    pub priority: u16,
    /// How long, seconds; 0: no more.
    pub lifetime: u32,
    /// Authentication domain name.
    pub name: String,
    /// Where it is.
    pub addresses: Vec<Ipv6Addr>,
    /// SvcParams as they stand on the wire ([`svcparams`]).
    pub params: Vec<u8>,
}

/// An option that can't be written: it is too long, or a name, URI, prefix length or parameter in it is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unencodable(
    /// Which option, in words.
    pub &'static str,
);

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can't be written as an option", self.0)
    }
}

impl std::error::Error for Unencodable {}

/// Preference in bits 4 and 3 of a byte; `None` for the reserved 10 (RFC 4191 §2.1).
pub(super) fn preference(byte: u8) -> Option<Preference> {
    match byte >> 3 & 0b11 {
        0b00 => Some(Preference::Medium),
        0b01 => Some(Preference::High),
        0b11 => Some(Preference::Low),
        _ => None,
    }
}

pub(super) fn preference_bits(preference: Preference) -> u8 {
    match preference {
        Preference::Medium => 0b00 << 3,
        Preference::High => 0b01 << 3,
        Preference::Low => 0b11 << 3,
    }
}

impl NdOption {
    /// The option's type.
    pub fn kind(&self) -> u8 {
        match self {
            NdOption::SourceLink(_) => SOURCE_LINK,
            NdOption::Prefix(_) => PREFIX_INFORMATION,
            NdOption::Mtu(_) => MTU,
            NdOption::Route { .. } => ROUTE_INFORMATION,
            NdOption::Rdnss { .. } => RDNSS,
            NdOption::Dnssl { .. } => DNSSL,
            NdOption::CaptivePortal(_) => CAPTIVE_PORTAL,
            NdOption::Pref64 { .. } => PREF64,
            NdOption::EncryptedDns(_) => ENCRYPTED_DNS,
            NdOption::Skipped(kind) => *kind,
        }
    }

    /// Reads what is behind type and length; `None` if it is to be skipped.
    pub(super) fn parse(kind: u8, content: &[u8]) -> Option<NdOption> {
        match kind {
            SOURCE_LINK => content.try_into().ok().map(|mac| NdOption::SourceLink(Mac(mac))),
            PREFIX_INFORMATION => parse_prefix(content),
            MTU => match content {
                [_, _, mtu @ ..] => Some(NdOption::Mtu(u32::from_be_bytes(mtu.try_into().ok()?))),
                _ => None,
            },
            ROUTE_INFORMATION => parse_route(content),
            RDNSS => {
                let (lifetime, addresses) = reserved_and_lifetime(content)?;
                let servers = parse_addresses(addresses).filter(|servers| !servers.is_empty())?;
                Some(NdOption::Rdnss { lifetime, servers })
            }
            DNSSL => parse_search(content),
            CAPTIVE_PORTAL => {
                let end = content.iter().rposition(|byte| *byte != 0)?;
                let uri = std::str::from_utf8(content.get(..=end)?).ok()?;
                is_uri(uri).then(|| NdOption::CaptivePortal(uri.to_owned()))
            }
            PREF64 => parse_pref64(content),
            ENCRYPTED_DNS => parse_encrypted_dns(content),
            _ => None,
        }
    }

    /// Appends the option with type, length and padding; a skipped one appends nothing. On an error `out` is as before.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        let start = out.len();
        let result = self.append(start, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn append(&self, start: usize, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        out.extend([self.kind(), 0]);
        match self {
            NdOption::Skipped(_) => {
                out.truncate(start);
                return Ok(());
            }
            NdOption::SourceLink(mac) => out.extend(mac.0),
            NdOption::Prefix(info) => append_prefix(info, out),
            NdOption::Mtu(mtu) => {
                out.extend([0; 2]);
                out.extend(mtu.to_be_bytes());
            }
            NdOption::Route { prefix, preference, lifetime } => {
                out.extend([prefix.len(), preference_bits(*preference)]);
                out.extend(lifetime.to_be_bytes());
                // the shortest form that holds the prefix (RFC 4191 §2.3)
                let len = usize::from(prefix.len().div_ceil(64)) * 8;
                out.extend(prefix.addr().octets().iter().take(len));
            }
            NdOption::Rdnss { lifetime, servers } => {
                let wrong = Unencodable("a list of DNS servers");
                if servers.is_empty() {
                    return Err(wrong);
                }
                out.extend([0; 2]);
                out.extend(lifetime.to_be_bytes());
                out.extend(servers.iter().flat_map(|server| server.octets()));
            }
            NdOption::Dnssl { lifetime, domains } => {
                let wrong = Unencodable("a search list");
                if domains.is_empty() {
                    return Err(wrong);
                }
                out.extend([0; 2]);
                out.extend(lifetime.to_be_bytes());
                domains.iter().try_for_each(|domain| name::encode(domain, out)).map_err(|_| wrong)?;
            }
            NdOption::CaptivePortal(uri) => {
                if !is_uri(uri) {
                    return Err(Unencodable("a captive portal URI"));
                }
                out.extend(uri.as_bytes());
            }
            NdOption::Pref64 { prefix, lifetime } => {
                let code = PREF64_LENGTHS.iter().position(|len| *len == prefix.len());
                let code = code.and_then(|code| u16::try_from(code).ok()).ok_or(Unencodable("a NAT64 prefix"))?;
                // RFC 8781 §4.1: rounded up, so that a short lifetime does not become 0
                let scaled = (*lifetime).min(MAX_PREF64_LIFETIME).div_ceil(8);
                out.extend((scaled << 3 | code).to_be_bytes());
                out.extend(prefix.addr().octets().iter().take(12));
            }
            NdOption::EncryptedDns(dnr) => append_encrypted_dns(dnr, out)?,
        }
        // RFC 4861 §4.6: padded to a multiple of 8 bytes
        let len = (out.len() - start).next_multiple_of(UNIT);
        if len > MAX_OPTION {
            return Err(Unencodable("an option longer than 2040 bytes"));
        }
        out.resize(start + len, 0);
        if let (Some(byte), Ok(units)) = (out.get_mut(start + 1), u8::try_from(len / UNIT)) {
            *byte = units;
        }
        Ok(())
    }
}

fn parse_prefix(content: &[u8]) -> Option<NdOption> {
    let (head, addr) = content.split_first_chunk::<14>()?;
    let addr = Ipv6Addr::from(<[u8; 16]>::try_from(addr).ok()?);
    let [len, flags, v0, v1, v2, v3, p0, p1, p2, p3, ..] = *head;
    Some(NdOption::Prefix(PrefixInformation {
        prefix: Prefix::new(addr, len)?,
        on_link: flags & ON_LINK != 0,
        autonomous: flags & AUTONOMOUS != 0,
        router: (flags & ROUTER_ADDRESS != 0).then_some(addr),
        pd_preferred: flags & PD_PREFERRED != 0,
        valid: u32::from_be_bytes([v0, v1, v2, v3]),
        preferred: u32::from_be_bytes([p0, p1, p2, p3]),
    }))
}

fn append_prefix(info: &PrefixInformation, out: &mut Vec<u8>) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let flags = flag(info.on_link, ON_LINK)
        | flag(info.autonomous, AUTONOMOUS)
        | flag(info.router.is_some(), ROUTER_ADDRESS)
        | flag(info.pd_preferred, PD_PREFERRED);
    out.extend([info.prefix.len(), flags]);
    out.extend(info.valid.to_be_bytes());
    out.extend(info.preferred.to_be_bytes());
    out.extend([0; 4]);
    out.extend(info.router.unwrap_or_else(|| info.prefix.addr()).octets());
}

/// RFC 4191 §2.3: 0, 8 or 16 bytes of the prefix, as many as its length needs; a reserved preference makes it void.
fn parse_route(content: &[u8]) -> Option<NdOption> {
    let (head, bits) = content.split_first_chunk::<6>()?;
    let [len, flags, l0, l1, l2, l3] = *head;
    if !matches!(bits.len(), 0 | 8 | 16) || bits.len() * 8 < usize::from(len) {
        return None;
    }
    let mut addr = [0; 16];
    addr.iter_mut().zip(bits).for_each(|(to, from)| *to = *from);
    Some(NdOption::Route {
        prefix: Prefix::new(addr.into(), len)?,
        preference: preference(flags)?,
        lifetime: u32::from_be_bytes([l0, l1, l2, l3]),
    })
}

fn reserved_and_lifetime(content: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = content.split_first_chunk::<6>()?;
    let [_, _, l0, l1, l2, l3] = *head;
    Some((u32::from_be_bytes([l0, l1, l2, l3]), rest))
}

fn parse_addresses(bytes: &[u8]) -> Option<Vec<Ipv6Addr>> {
    let chunks = bytes.chunks_exact(16);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks.map(|chunk| <[u8; 16]>::try_from(chunk).ok().map(Ipv6Addr::from)).collect()
}

fn parse_search(content: &[u8]) -> Option<NdOption> {
    let (lifetime, mut names) = reserved_and_lifetime(content)?;
    let mut domains = Vec::new();
    while names.first().is_some_and(|len| *len != 0) {
        let (domain, rest) = name::decode(names).ok()?;
        domains.push(domain);
        names = rest;
    }
    // RFC 8106 §5.2: padded with zeros
    let padded = names.iter().all(|byte| *byte == 0);
    (padded && !domains.is_empty()).then_some(NdOption::Dnssl { lifetime, domains })
}

/// RFC 8781 §4: only the first 16 bytes of a longer option count.
fn parse_pref64(content: &[u8]) -> Option<NdOption> {
    let (head, bits) = content.split_first_chunk::<2>()?;
    let word = u16::from_be_bytes(*head);
    let len = *PREF64_LENGTHS.get(usize::from(word & 0b111))?;
    let mut addr = [0; 16];
    addr.iter_mut().zip(bits.get(..12)?).for_each(|(to, from)| *to = *from);
    Some(NdOption::Pref64 { prefix: Prefix::new(addr.into(), len)?, lifetime: word & !0b111 })
}

fn parse_encrypted_dns(content: &[u8]) -> Option<NdOption> {
    let (head, rest) = content.split_first_chunk::<8>()?;
    let [p0, p1, l0, l1, l2, l3, n0, n1] = *head;
    let (encoded, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([n0, n1])))?;
    let (name, behind) = name::decode(encoded).ok()?;
    let (addresses, rest) = counted(rest)?;
    let (params, padding) = counted(rest)?;
    let addresses = parse_addresses(addresses)?;
    let well_formed = behind.is_empty()
        && svcparams::is_well_formed(params)
        && padding.iter().all(|byte| *byte == 0)
        && (params.is_empty() || !addresses.is_empty());
    well_formed.then(|| {
        NdOption::EncryptedDns(Dnr {
            priority: u16::from_be_bytes([p0, p1]),
            lifetime: u32::from_be_bytes([l0, l1, l2, l3]),
            name,
            addresses,
            params: params.to_vec(),
        })
    })
}

/// Bytes with a length of 16 bits before them. In ADN-only mode the fields are not there, but padding may be.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes.split_first_chunk::<2>() {
        Some((len, rest)) => rest.split_at_checked(usize::from(u16::from_be_bytes(*len))),
        None => Some((&[], bytes)),
    }
}

fn append_encrypted_dns(dnr: &Dnr, out: &mut Vec<u8>) -> Result<(), Unencodable> {
    let wrong = Unencodable("an encrypted resolver");
    let mut name = Vec::new();
    name::encode(&dnr.name, &mut name).map_err(|_| wrong)?;
    if !svcparams::is_well_formed(&dnr.params) || dnr.addresses.is_empty() && !dnr.params.is_empty() {
        return Err(wrong);
    }
    let len_of = |len: usize| u16::try_from(len).map(u16::to_be_bytes).map_err(|_| wrong);
    out.extend(dnr.priority.to_be_bytes());
    out.extend(dnr.lifetime.to_be_bytes());
    out.extend(len_of(name.len())?);
    out.extend(name);
    if !dnr.addresses.is_empty() {
        out.extend(len_of(dnr.addresses.len().saturating_mul(16))?);
        out.extend(dnr.addresses.iter().flat_map(|addr| addr.octets()));
        out.extend(len_of(dnr.params.len())?);
        out.extend(&dnr.params);
    }
    Ok(())
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

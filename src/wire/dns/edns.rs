use super::{Malformed, Record, u16_at};

/// The code of an EDNS option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionCode(pub u16);

impl OptionCode {
    /// Who asks for whom (RFC 7871).
    pub const CLIENT_SUBNET: OptionCode = OptionCode(8);
    /// A cookie of 8 bytes, with the server's of 8 to 32 behind it (RFC 7873 §4).
    pub const COOKIE: OptionCode = OptionCode(10);
    /// How long a TCP connection is kept, units of 100 ms (RFC 7828).
    pub const TCP_KEEPALIVE: OptionCode = OptionCode(11);
    /// Padding (RFC 7830).
    pub const PADDING: OptionCode = OptionCode(12);
    /// Why it went as it did (RFC 8914).
    pub const EXTENDED_ERROR: OptionCode = OptionCode(15);
}

/// One EDNS option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdnsOption<'a> {
    /// What it is.
    pub code: OptionCode,
    /// What it says.
    pub data: &'a [u8],
}

/// The OPT record (RFC 6891 §6.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'a> {
    /// How many bytes the sender takes over UDP; under 512 counts as 512 (RFC 6891 §6.2.3): see [`Edns::size`].
    pub udp_size: u16,
    /// The upper eight bits of the RCODE.
    pub extended_rcode: u8,
    /// 0 is the only one there is.
    pub version: u8,
    /// DO: the sender wants DNSSEC's records (RFC 3225).
    pub dnssec_ok: bool,
    /// Options, as they stand on the wire.
    pub options: &'a [u8],
}

const DO: u32 = 1 << 15;

impl<'a> Edns<'a> {
    /// Version 0 with this size, no flags and no options.
    pub fn new(udp_size: u16) -> Edns<'static> {
        Edns { udp_size, extended_rcode: 0, version: 0, dnssec_ok: false, options: &[] }
    }

    pub(super) fn parse(record: &Record<'a>) -> Result<Edns<'a>, Malformed> {
        if !record.name.is_root() {
            return Err(Malformed::Edns);
        }
        let options = record.rdata.bytes();
        let mut rest = options;
        while !rest.is_empty() {
            (_, rest) = option(rest).ok_or(Malformed::Edns)?;
        }
        let [extended_rcode, version, ..] = record.raw_ttl.to_be_bytes();
        let dnssec_ok = record.raw_ttl & DO != 0;
        Ok(Edns { udp_size: record.class.0, extended_rcode, version, dnssec_ok, options })
    }

    /// How many bytes the sender takes over UDP, 512 at least.
    pub fn size(&self) -> u16 {
        self.udp_size.max(512)
    }

    /// The options, in their order.
    pub fn options(&self) -> impl Iterator<Item = EdnsOption<'a>> + use<'a> {
        let mut rest = self.options;
        std::iter::from_fn(move || {
            let (found, behind) = option(rest)?;
            rest = behind;
            Some(found)
        })
    }

    /// What the first option of this code says.
    pub fn option(&self, code: OptionCode) -> Option<&'a [u8]> {
        self.options().find(|option| option.code == code).map(|option| option.data)
    }

    /// The TTL field.
    pub(super) fn ttl(&self) -> u32 {
        u32::from_be_bytes([self.extended_rcode, self.version, 0, 0]) | if self.dnssec_ok { DO } else { 0 }
    }

    /// Appends an option to what will stand in [`Edns::options`]; of `data` the first 65 535 bytes.
    pub fn append_option(out: &mut Vec<u8>, code: OptionCode, data: &[u8]) {
        let len = u16::try_from(data.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&code.0.to_be_bytes());
        out.extend_from_slice(&len.to_be_bytes());
        out.extend(data.iter().take(len.into()));
    }
}

/// The option at the start of `bytes`, and what is behind it.
fn option(bytes: &[u8]) -> Option<(EdnsOption<'_>, &[u8])> {
    let code = OptionCode(u16_at(bytes, 0)?);
    let len = usize::from(u16_at(bytes, 2)?);
    let (data, rest) = bytes.get(4..)?.split_at_checked(len)?;
    Some((EdnsOption { code, data }, rest))
}

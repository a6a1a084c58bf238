//! The reading half: views into a datagram.

use super::{Malformed, MessageType, option};
use crate::net::Prefix;
use crate::wire::name;
use std::net::Ipv6Addr;

/// A datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Between client and server.
    Message(Message<'a>),
    /// From or to a relay agent.
    Relay(Relay<'a>),
}

impl<'a> Packet<'a> {
    /// Parses a UDP payload, or what a Relay Message option holds. The chain of options is checked to its end.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, Malformed> {
        let (number, rest) = bytes.split_first().ok_or(Malformed::Header)?;
        let kind = MessageType::from_wire(*number).ok_or(Malformed::MessageType(*number))?;
        if matches!(kind, MessageType::RelayForward | MessageType::RelayReply) {
            let mut rest = Bytes(rest);
            return Ok(Packet::Relay(Relay {
                kind,
                hop_count: rest.u8().ok_or(Malformed::Header)?,
                link_address: rest.address().ok_or(Malformed::Header)?,
                peer_address: rest.address().ok_or(Malformed::Header)?,
                options: Options::parse(rest.0)?,
            }));
        }
        let ([a, b, c], rest) = rest.split_first_chunk().ok_or(Malformed::Header)?;
        let transaction = u32::from_be_bytes([0, *a, *b, *c]);
        Ok(Packet::Message(Message { kind, transaction, options: Options::parse(rest)? }))
    }
}

/// A message between client and server (RFC 9915 §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type; never one of the two relay types.
    pub kind: MessageType,
    /// Transaction id, 24 bits.
    pub transaction: u32,
    /// Its options.
    pub options: Options<'a>,
}

/// A message from or to a relay agent (RFC 9915 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay<'a> {
    /// Relay-forward or Relay-reply.
    pub kind: MessageType,
    /// How many relay agents forwarded the message before this one.
    pub hop_count: u8,
    /// An address of the link the client is on; unspecified: the relay agent doesn't say.
    pub link_address: Ipv6Addr,
    /// Where the message came from: the client or the next relay agent.
    pub peer_address: Ipv6Addr,
    /// Its options.
    pub options: Options<'a>,
}

/// A chain of options (RFC 9915 §21.1) that is whole to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// Checks that `bytes` are whole options, one after the other.
    pub fn parse(bytes: &'a [u8]) -> Result<Options<'a>, Malformed> {
        let mut rest = Bytes(bytes);
        while !rest.0.is_empty() {
            rest.option().ok_or(Malformed::Truncated)?;
        }
        Ok(Options(bytes))
    }

    /// Code and contents of each, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = Bytes(self.0);
        std::iter::from_fn(move || rest.option())
    }

    /// Contents of the first option with this code.
    pub fn get(&self, code: u16) -> Option<&'a [u8]> {
        self.iter().find(|(found, _)| *found == code).map(|(_, contents)| contents)
    }

    /// Contents of every option with this code.
    pub fn all(&self, code: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter(move |(found, _)| *found == code).map(|(_, contents)| contents)
    }

    /// Whether the Option Request option (RFC 9915 §21.7) names `code`.
    pub fn requests(&self, code: u16) -> bool {
        self.get(option::OPTION_REQUEST).is_some_and(|contents| codes(contents).any(|asked| asked == code))
    }

    /// The status (RFC 9915 §21.13), Success when there is none.
    pub fn status(&self) -> Result<StatusCode<'a>, Malformed> {
        match self.get(option::STATUS_CODE) {
            Some(contents) => StatusCode::parse(contents),
            None => Ok(StatusCode { code: super::status::SUCCESS, message: &[] }),
        }
    }
}

/// An identity association: IA_NA (RFC 9915 §21.4) or IA_PD (§21.21), which look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ia<'a> {
    /// Its number, chosen by the client.
    pub iaid: u32,
    /// Seconds until the client should renew; 0: as it likes.
    pub t1: u32,
    /// Seconds until the client should rebind; 0: as it likes.
    pub t2: u32,
    /// Its addresses or prefixes and its status.
    pub options: Options<'a>,
}

impl<'a> Ia<'a> {
    /// Parses the contents of an option with this `code`, IA_NA or IA_PD.
    pub fn parse(code: u16, contents: &'a [u8]) -> Result<Ia<'a>, Malformed> {
        let wrong = Malformed::Option(code);
        let mut rest = Bytes(contents);
        Ok(Ia {
            iaid: rest.u32().ok_or(wrong)?,
            t1: rest.u32().ok_or(wrong)?,
            t2: rest.u32().ok_or(wrong)?,
            options: Options::parse(rest.0).map_err(|_| wrong)?,
        })
    }
}

/// An address in an IA_NA (RFC 9915 §21.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IaAddress<'a> {
    /// The address.
    pub address: Ipv6Addr,
    /// Preferred lifetime in seconds.
    pub preferred: u32,
    /// Valid lifetime in seconds.
    pub valid: u32,
    /// Its status, if anything.
    pub options: Options<'a>,
}

impl<'a> IaAddress<'a> {
    /// Parses the contents of an IA Address option.
    pub fn parse(contents: &'a [u8]) -> Result<IaAddress<'a>, Malformed> {
        let wrong = Malformed::Option(option::IA_ADDRESS);
        let mut rest = Bytes(contents);
        Ok(IaAddress {
            address: rest.address().ok_or(wrong)?,
            preferred: rest.u32().ok_or(wrong)?,
            valid: rest.u32().ok_or(wrong)?,
            options: Options::parse(rest.0).map_err(|_| wrong)?,
        })
    }
}

/// A prefix in an IA_PD (RFC 9915 §21.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IaPrefix<'a> {
    /// Its address, with whatever stands behind its length; unspecified in a hint for a length (RFC 8168 §3.1).
    pub address: Ipv6Addr,
    /// Length in bits, 0 to 128; 0 in a hint: any.
    pub len: u8,
    /// Preferred lifetime in seconds.
    pub preferred: u32,
    /// Valid lifetime in seconds.
    pub valid: u32,
    /// Its status, if anything.
    pub options: Options<'a>,
}

impl<'a> IaPrefix<'a> {
    /// Parses the contents of an IA Prefix option.
    pub fn parse(contents: &'a [u8]) -> Result<IaPrefix<'a>, Malformed> {
        let wrong = Malformed::Option(option::IA_PREFIX);
        let mut rest = Bytes(contents);
        let (preferred, valid) = (rest.u32().ok_or(wrong)?, rest.u32().ok_or(wrong)?);
        let len = rest.u8().filter(|len| *len <= 128).ok_or(wrong)?;
        let address = rest.address().ok_or(wrong)?;
        Ok(IaPrefix { address, len, preferred, valid, options: Options::parse(rest.0).map_err(|_| wrong)? })
    }
}

/// A status (RFC 9915 §21.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode<'a> {
    /// One of [`super::status`], or one we don't know.
    pub code: u16,
    /// For people; should be UTF-8.
    pub message: &'a [u8],
}

impl<'a> StatusCode<'a> {
    /// Parses the contents of a Status Code option.
    pub fn parse(contents: &'a [u8]) -> Result<StatusCode<'a>, Malformed> {
        let mut rest = Bytes(contents);
        let code = rest.u16().ok_or(Malformed::Option(option::STATUS_CODE))?;
        Ok(StatusCode { code, message: rest.0 })
    }
}

/// The name a client has or should have (RFC 4704 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientFqdn<'a> {
    /// Whether the server updates the AAAA record (S).
    pub server_updates: bool,
    /// Whether the server overrode the client's wish (O).
    pub overridden: bool,
    /// Whether the server updates nothing (N).
    pub no_updates: bool,
    /// The name in labels, with its final zero if it is whole, else the start of one (RFC 4704 §4.2).
    pub name: &'a [u8],
}

impl<'a> ClientFqdn<'a> {
    /// Parses the contents of a Client FQDN option. The name is not looked at.
    pub fn parse(contents: &'a [u8]) -> Result<ClientFqdn<'a>, Malformed> {
        let (flags, name) = contents.split_first().ok_or(Malformed::Option(option::CLIENT_FQDN))?;
        Ok(ClientFqdn { server_updates: flags & 1 != 0, overridden: flags & 2 != 0, no_updates: flags & 4 != 0, name })
    }
}

/// An encrypted DNS resolver (RFC 9463 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dnr<'a> {
    /// SvcPriority; the lower, the better.
    pub priority: u16,
    /// Its name, which its certificate holds.
    pub name: String,
    /// Its addresses; none: they are looked up by its name.
    pub addresses: Vec<Ipv6Addr>,
    /// Service parameters as on the wire (RFC 9460 §2.2).
    pub params: &'a [u8],
}

impl<'a> Dnr<'a> {
    /// Parses the contents of an Encrypted DNS option. The parameters are not looked at.
    pub fn parse(contents: &'a [u8]) -> Result<Dnr<'a>, Malformed> {
        Dnr::read(Bytes(contents)).ok_or(Malformed::Option(option::DNR))
    }

    fn read(mut rest: Bytes<'a>) -> Option<Dnr<'a>> {
        let priority = rest.u16()?;
        let name = match name::decode(rest.counted()?).ok()? {
            (name, []) => name,
            _ => return None,
        };
        let mut dnr = Dnr { priority, name, addresses: Vec::new(), params: &[] };
        if !rest.0.is_empty() {
            dnr.addresses = addresses(option::DNR, rest.counted()?).ok().filter(|found| !found.is_empty())?;
            dnr.params = rest.0;
        }
        Some(dnr)
    }
}

/// The prefix that a Prefix Exclude option inside the IA Prefix of `delegated` takes out of it (RFC 6603 §4.2).
pub fn excluded(delegated: &Prefix, contents: &[u8]) -> Result<Prefix, Malformed> {
    let read = || {
        let (len, subnet) = contents.split_first()?;
        let more = len.checked_sub(delegated.len()).filter(|more| *more > 0 && *len <= 128)?;
        if subnet.len() != usize::from(more.div_ceil(8)) {
            return None;
        }
        let bits = subnet.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        // left-aligned in its bytes
        delegated.subnet(bits >> (more.div_ceil(8) * 8 - more), *len)
    };
    read().ok_or(Malformed::Option(option::PD_EXCLUDE))
}

/// The codes in an Option Request option; an odd byte at its end is ignored.
pub fn codes(contents: &[u8]) -> impl Iterator<Item = u16> + use<'_> {
    let mut rest = Bytes(contents);
    std::iter::from_fn(move || rest.u16())
}

/// The addresses in an option of nothing but addresses, as DNS servers (RFC 3646 §3).
pub fn addresses(code: u16, contents: &[u8]) -> Result<Vec<Ipv6Addr>, Malformed> {
    let mut rest = Bytes(contents);
    let found = std::iter::from_fn(|| rest.address()).collect();
    if rest.0.is_empty() { Ok(found) } else { Err(Malformed::Option(code)) }
}

/// The names in an option of nothing but names, as the domain search list (RFC 3646 §4).
pub fn names(code: u16, contents: &[u8]) -> Result<Vec<String>, Malformed> {
    let (mut found, mut rest) = (Vec::new(), contents);
    while !rest.is_empty() {
        let (name, behind) = name::decode(rest).map_err(|_| Malformed::Option(code))?;
        found.push(name);
        rest = behind;
    }
    Ok(found)
}

/// The number in an option of one byte, as Preference.
pub fn u8_value(code: u16, contents: &[u8]) -> Result<u8, Malformed> {
    <[u8; 1]>::try_from(contents).map(u8::from_be_bytes).map_err(|_| Malformed::Option(code))
}

/// The number in an option of two bytes, as Elapsed Time.
pub fn u16_value(code: u16, contents: &[u8]) -> Result<u16, Malformed> {
    contents.try_into().map(u16::from_be_bytes).map_err(|_| Malformed::Option(code))
}

/// The number in an option of four bytes, as SOL_MAX_RT.
pub fn u32_value(code: u16, contents: &[u8]) -> Result<u32, Malformed> {
    contents.try_into().map(u32::from_be_bytes).map_err(|_| Malformed::Option(code))
}

/// What is still to be read; each call takes something off the front, or nothing if there is too little.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn u8(&mut self) -> Option<u8> {
        self.chunk().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    fn address(&mut self) -> Option<Ipv6Addr> {
        self.chunk::<16>().map(Ipv6Addr::from)
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        let (contents, rest) = self.0.split_at_checked(len.into())?;
        self.0 = rest;
        Some(contents)
    }

    fn option(&mut self) -> Option<(u16, &'a [u8])> {
        Some((self.u16()?, self.counted()?))
    }
}

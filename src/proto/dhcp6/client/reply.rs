//! What a server says, as far as it concerns us.

use super::Config;
use crate::net::{Duid, Prefix, is_link_local};
use crate::proto::dhcp6::Resource;
use crate::wire::dhcp6::{
    Ia, IaAddress, IaPrefix, Malformed, Message, MessageType, Options, Rkap, StatusCode, addresses, excluded, names,
    option, status, u8_value, u32_value,
};

/// DNS servers, and search domains, taken from an answer: more than a resolver asks.
const MOST_DNS: usize = 8;
/// Leases of one kind: half of the 16 that a client keeps, so that none of the two can take all.
pub(super) const MOST_LEASES: usize = 8;
/// Lengths that a delegated prefix may have: no more than the largest allocation, no less than a LAN.
const PREFIX_LEN: std::ops::RangeInclusive<u8> = 20..=64;
/// Characters of a server's message that are kept.
const MOST_TEXT: usize = 80;

/// The two kinds of identity association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    Prefix,
}

impl Kind {
    pub(super) const ALL: [Kind; 2] = [Kind::Address, Kind::Prefix];

    pub(super) fn of(resource: &Resource) -> Kind {
        match resource {
            Resource::Address(_) => Kind::Address,
            Resource::Prefix(_) => Kind::Prefix,
        }
    }

    /// Code of its option.
    pub(super) fn code(self) -> u16 {
        match self {
            Kind::Address => option::IA_NA,
            Kind::Prefix => option::IA_PD,
        }
    }

    pub(super) fn is_wanted(self, config: &Config) -> bool {
        match self {
            Kind::Address => config.want_address,
            Kind::Prefix => config.want_prefix.is_some(),
        }
    }
}

/// One lease as a server states it; lifetimes in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub(super) resource: Resource,
    pub(super) preferred: u32,
    pub(super) valid: u32,
    pub(super) exclude: Option<Prefix>,
}

/// Our identity association of one kind in an answer.
#[derive(Debug)]
pub(super) struct IaStated {
    pub(super) t1: u32,
    pub(super) t2: u32,
    pub(super) status: u16,
    pub(super) leases: Vec<Stated>,
}

/// An Advertise or Reply, or the options of a Reconfigure.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) server: Duid,
    pub(super) status: u16,
    pub(super) preference: u8,
    pub(super) rapid_commit: bool,
    pub(super) address: Option<IaStated>,
    pub(super) prefix: Option<IaStated>,
    pub(super) dns: Vec<std::net::Ipv6Addr>,
    pub(super) search: Vec<String>,
    pub(super) sol_max_rt: Option<u32>,
    pub(super) inf_max_rt: Option<u32>,
    pub(super) refresh: Option<u32>,
    pub(super) rkap: Option<Rkap>,
    /// What Reconfigure asks for.
    pub(super) reconfigure: Option<MessageType>,
    /// What was refused, in words.
    pub(super) refused: Option<String>,
}

impl Answer {
    /// Reads a message and checks what RFC 9915 §16.3, §16.10 and §16.11 ask of all of them.
    pub(super) fn read(message: &Message<'_>, config: &Config) -> Result<Answer, &'static str> {
        let options = &message.options;
        let client = options.get(option::CLIENT_ID).ok_or("no client identifier")?;
        if client != config.duid.as_bytes() {
            return Err("for another client");
        }
        let server = options.get(option::SERVER_ID).ok_or("no server identifier")?;
        let server = Duid::new(server).ok_or("server identifier too short or too long")?;
        let u32_of = |code| options.get(code).and_then(|contents| u32_value(code, contents).ok());
        let overall = options.status().map_err(|_| "malformed")?;
        let mut refused = refusal(&overall);
        let mut ia = |kind: Kind| ia(kind, options, config, &mut refused);
        let (address, prefix) = (ia(Kind::Address), ia(Kind::Prefix));
        let preference = options.get(option::PREFERENCE).and_then(|it| u8_value(option::PREFERENCE, it).ok());
        let reconfigure = options.get(option::RECONFIGURE_MESSAGE);
        let reconfigure = reconfigure.and_then(|it| u8_value(option::RECONFIGURE_MESSAGE, it).ok());
        Ok(Answer {
            server,
            status: overall.code,
            preference: preference.unwrap_or(0),
            rapid_commit: options.get(option::RAPID_COMMIT).is_some(),
            address,
            prefix,
            dns: servers(options),
            search: domains(options),
            sol_max_rt: u32_of(option::SOL_MAX_RT),
            inf_max_rt: u32_of(option::INF_MAX_RT),
            refresh: u32_of(option::INFORMATION_REFRESH_TIME),
            rkap: options.get(option::AUTHENTICATION).and_then(|contents| Rkap::parse(contents).ok()),
            reconfigure: reconfigure.and_then(MessageType::from_wire),
            refused,
        })
    }

    pub(super) fn ia(&self, kind: Kind) -> Option<&IaStated> {
        match kind {
            Kind::Address => self.address.as_ref(),
            Kind::Prefix => self.prefix.as_ref(),
        }
    }

    /// Leases of a kind that can be used.
    pub(super) fn good(&self, kind: Kind) -> impl Iterator<Item = &Stated> {
        self.ia(kind).into_iter().flat_map(|ia| &ia.leases).filter(|lease| lease.valid > 0)
    }
}

/// The first IA of this kind that is ours and makes sense.
fn ia(kind: Kind, options: &Options<'_>, config: &Config, refused: &mut Option<String>) -> Option<IaStated> {
    let code = kind.code();
    let parsed = options.all(code).filter_map(|contents| Ia::parse(code, contents).ok());
    let ia = parsed.into_iter().find(|ia| ia.iaid == config.iaid)?;
    // RFC 9915 §21.4, §21.21: as if it were not there
    if ia.t1 > ia.t2 && ia.t2 > 0 {
        return None;
    }
    let stated = ia.options.status().ok()?;
    *refused = refusal(&stated).or(refused.take());
    let leases = ia.options.iter().filter_map(|(code, contents)| lease(kind, code, contents).ok().flatten());
    Some(IaStated { t1: ia.t1, t2: ia.t2, status: stated.code, leases: leases.take(MOST_LEASES).collect() })
}

/// A lease of this kind; none if the option is another, or says what can't be used.
fn lease(kind: Kind, code: u16, contents: &[u8]) -> Result<Option<Stated>, Malformed> {
    let (stated, options) = match (kind, code) {
        (Kind::Address, option::IA_ADDRESS) => {
            let IaAddress { address, preferred, valid, options } = IaAddress::parse(contents)?;
            let odd = address.is_unspecified() || address.is_multicast() || address.is_loopback();
            if odd || is_link_local(address) {
                return Ok(None);
            }
            (Stated { resource: Resource::Address(address), preferred, valid, exclude: None }, options)
        }
        (Kind::Prefix, option::IA_PREFIX) => {
            let IaPrefix { address, len, preferred, valid, options } = IaPrefix::parse(contents)?;
            let odd = address.is_unspecified() || address.is_multicast() || is_link_local(address);
            let Some(prefix) = Prefix::new(address, len).filter(|_| !odd && PREFIX_LEN.contains(&len)) else {
                return Ok(None);
            };
            let exclude = options.get(option::PD_EXCLUDE).and_then(|contents| excluded(&prefix, contents).ok());
            (Stated { resource: Resource::Prefix(prefix), preferred, valid, exclude }, options)
        }
        _ => return Ok(None),
    };
    let failed = options.status()?.code != status::SUCCESS;
    // RFC 9915 §21.6, §21.22
    Ok(Some(stated).filter(|stated| stated.preferred <= stated.valid && !failed))
}

fn servers(options: &Options<'_>) -> Vec<std::net::Ipv6Addr> {
    let found = options.get(option::DNS_SERVERS).and_then(|it| addresses(option::DNS_SERVERS, it).ok());
    let usable = |server: &std::net::Ipv6Addr| !server.is_unspecified() && !server.is_multicast();
    found.unwrap_or_default().into_iter().filter(usable).take(MOST_DNS).collect()
}

fn domains(options: &Options<'_>) -> Vec<String> {
    let found = options.get(option::DOMAIN_LIST).and_then(|it| names(option::DOMAIN_LIST, it).ok());
    found.unwrap_or_default().into_iter().take(MOST_DNS).collect()
}

/// A status in words, if it is no success.
fn refusal(stated: &StatusCode<'_>) -> Option<String> {
    let name = match stated.code {
        status::SUCCESS => return None,
        status::UNSPEC_FAIL => "UnspecFail",
        status::NO_ADDRS_AVAIL => "NoAddrsAvail",
        status::NO_BINDING => "NoBinding",
        status::NOT_ON_LINK => "NotOnLink",
        status::NO_PREFIX_AVAIL => "NoPrefixAvail",
        other => return Some(format!("status {other}")),
    };
    let text = String::from_utf8_lossy(stated.message);
    let text: String = text.chars().filter(|c| !c.is_control()).take(MOST_TEXT).collect();
    Some(if text.is_empty() { name.to_owned() } else { format!("{name}: {text}") })
}

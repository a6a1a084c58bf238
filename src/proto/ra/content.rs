//! What a link is told at a given moment, and how it is cut into messages. Pure functions.

use super::Config;
use crate::net::FlatSet;
use crate::net::{Instant, Prefix, is_link_local};
use crate::wire::name::MAX_NAME;
use crate::wire::nd::{ADVERTISEMENT_HEADER, Advertisement, Dnr, NdOption, PrefixInformation, Unencodable};
use crate::wire::svcparams;
use std::net::Ipv6Addr;

/// Longest ICMPv6 message: what fits every link (RFC 8200 §5: 1280 bytes) behind the IPv6 header, since these messages
/// must not be fragmented (RFC 6980 §5).
pub(super) const MAX_MESSAGE: usize = 1280 - 40;
/// What one message holds beside its fixed part.
const MAX_OPTIONS: usize = MAX_MESSAGE - ADVERTISEMENT_HEADER;
/// Type, length, reserved field and lifetime of a list of DNS servers or domains (RFC 8106 §5).
const LIST_HEADER: usize = 8;
/// DNS servers in one option.
const MAX_SERVERS: usize = (MAX_OPTIONS - LIST_HEADER) / 16;
/// Lifetimes of prefixes that differ by no more seconds are the same: uplinks count in whole seconds, and messages take
/// their time.
const LIFETIME_JITTER: u32 = 3;
/// Longest lifetime of a NAT64 prefix, seconds (RFC 8781 §4.1).
const MAX_PREF64_LIFETIME: u64 = 8191 * 8;

/// What `config` says at `now`.
pub(super) fn advertisement(config: &Config, now: Instant) -> Advertisement {
    let mut options = Vec::new();
    options.extend(config.mac.map(NdOption::SourceLink));
    options.extend(config.mtu.map(NdOption::Mtu));
    prefixes(config, now, &mut options);
    routes(config, &mut options);
    lists(config, &mut options);
    if let Some(prefix) = config.pref64 {
        // RFC 8781 §4.1: by default the lesser of 3 × MaxRtrAdvInterval and 65528 s
        let lifetime = config.max_interval.as_secs().saturating_mul(3).min(MAX_PREF64_LIFETIME);
        options.push(NdOption::Pref64 { prefix, lifetime: u16::try_from(lifetime).unwrap_or(u16::MAX) });
    }
    options.extend(config.captive_portal.clone().map(NdOption::CaptivePortal));
    if let Some(dnr) = &config.dnr {
        let mut params = Vec::new();
        // what is no list of parameters was refused with the configuration
        if svcparams::encode(&dnr.params, &mut params).is_ok() {
            options.push(NdOption::EncryptedDns(Dnr {
                priority: dnr.priority,
                lifetime: config.dns_lifetime,
                name: dnr.name.clone(),
                addresses: dnr.addresses.clone(),
                params,
            }));
        }
    }
    Advertisement {
        hop_limit: config.hop_limit,
        managed: config.managed,
        other: config.other,
        preference: config.preference,
        router_lifetime: config.router_lifetime,
        reachable_time: config.reachable_time,
        retrans_timer: config.retrans_timer,
        options,
    }
}

/// Whether hosts need not hear of `after` at once when they heard `before`: ends of prefixes that were reckoned anew and
/// moved by a second or two are not worth waking anybody for. The next advertisement has them.
pub(super) fn is_same(before: &Advertisement, after: &Advertisement) -> bool {
    before.header() == after.header()
        && before.options.len() == after.options.len()
        && before.options.iter().zip(&after.options).all(|pair| match pair {
            (NdOption::Prefix(before), NdOption::Prefix(after)) => {
                let without = |info: &PrefixInformation| PrefixInformation { valid: 0, preferred: 0, ..*info };
                is_near(before.valid, after.valid)
                    && is_near(before.preferred, after.preferred)
                    && without(before) == without(after)
            }
            (before, after) => before == after,
        })
}

/// Whether hosts that heard `before` and not `after` go on using what works no more, or do not use what works again.
pub(super) fn is_urgent(before: &Advertisement, after: &Advertisement) -> bool {
    fn preferred(said: &Advertisement) -> FlatSet<Prefix> {
        let infos = said.options.iter().filter_map(|option| match option {
            NdOption::Prefix(info) if info.preferred > 0 => Some(info.prefix),
            _ => None,
        });
        infos.collect()
    }
    preferred(before) != preferred(after) || before.router_lifetime == 0 && after.router_lifetime > 0
}

fn is_near(before: u32, after: u32) -> bool {
    let special = [0, u32::MAX];
    before == after
        || before.abs_diff(after) <= LIFETIME_JITTER && !special.contains(&before) && !special.contains(&after)
}

/// RFC 4861 §6.2.3: one option for each prefix; §4.6.2: none for the link-local one.
fn prefixes(config: &Config, now: Instant, options: &mut Vec<NdOption>) {
    let mut told = FlatSet::new();
    let wanted = config.prefixes.iter().filter(|info| {
        !info.lifetimes.valid.is_over(now) && !is_link_local(info.prefix.addr()) && told.insert(info.prefix)
    });
    options.extend(wanted.map(|info| {
        let valid = info.lifetimes.valid.remaining(now).min(info.max_valid);
        NdOption::Prefix(PrefixInformation {
            prefix: info.prefix,
            on_link: true,
            autonomous: info.autonomous,
            router: None,
            pd_preferred: info.pd_preferred,
            valid,
            // RFC 4861 §4.6.2: never longer than the valid lifetime
            preferred: info.lifetimes.preferred.remaining(now).min(info.max_preferred).min(valid),
        })
    }));
}

/// RFC 4191 §2.3: never two options for one prefix.
fn routes(config: &Config, options: &mut Vec<NdOption>) {
    let mut told = FlatSet::new();
    let wanted = config.routes.iter().filter(|(prefix, ..)| told.insert(*prefix));
    options.extend(wanted.map(|(prefix, preference, lifetime)| NdOption::Route {
        prefix: *prefix,
        preference: *preference,
        lifetime: *lifetime,
    }));
}

/// DNS servers and search domains, in as many options as they need to fit into messages.
fn lists(config: &Config, options: &mut Vec<NdOption>) {
    let lifetime = config.dns_lifetime;
    options
        .extend(config.dns.chunks(MAX_SERVERS).map(|servers| NdOption::Rdnss { lifetime, servers: servers.to_vec() }));
    let (mut domains, mut len) = (Vec::new(), LIST_HEADER);
    for domain in &config.search {
        if len + MAX_NAME > MAX_OPTIONS {
            options.push(NdOption::Dnssl { lifetime, domains: std::mem::take(&mut domains) });
            len = LIST_HEADER;
        }
        len += domain.len() + 2;
        domains.push(domain.clone());
    }
    if !domains.is_empty() {
        options.push(NdOption::Dnssl { lifetime, domains });
    }
}

/// `said` as it is said at the end: no router any more (RFC 4861 §6.2.5), no way to anywhere (RFC 4191 §4), no resolver.
/// Prefixes stay as they are: hosts' addresses outlive a router that is restarted.
pub(super) fn farewell(mut said: Advertisement) -> Advertisement {
    said.router_lifetime = 0;
    for option in &mut said.options {
        match option {
            NdOption::Route { lifetime, .. } | NdOption::Rdnss { lifetime, .. } | NdOption::Dnssl { lifetime, .. } => {
                *lifetime = 0;
            }
            NdOption::Pref64 { lifetime, .. } => *lifetime = 0,
            NdOption::EncryptedDns(dnr) => dnr.lifetime = 0,
            _ => {}
        }
    }
    said
}

/// What `before` holds and `after` does not, with lifetime 0.
pub(super) fn withdrawn<'a>(before: impl Iterator<Item = &'a NdOption>, after: &[NdOption]) -> Vec<NdOption> {
    let routes: FlatSet<Prefix> = after.iter().filter_map(route).collect();
    let servers: FlatSet<Ipv6Addr> = after.iter().flat_map(servers).copied().collect();
    let domains: FlatSet<&String> = after.iter().flat_map(domains).collect();
    let gone = before.filter_map(|option| match option {
        NdOption::Route { prefix, preference, .. } if !routes.contains(prefix) => {
            Some(NdOption::Route { prefix: *prefix, preference: *preference, lifetime: 0 })
        }
        NdOption::Rdnss { servers: before, .. } => {
            let servers: Vec<Ipv6Addr> = before.iter().filter(|server| !servers.contains(server)).copied().collect();
            (!servers.is_empty()).then_some(NdOption::Rdnss { lifetime: 0, servers })
        }
        NdOption::Dnssl { domains: before, .. } => {
            let domains: Vec<String> = before.iter().filter(|domain| !domains.contains(domain)).cloned().collect();
            (!domains.is_empty()).then_some(NdOption::Dnssl { lifetime: 0, domains })
        }
        NdOption::Pref64 { prefix, .. } => {
            let kept = after.iter().any(|o| matches!(o, NdOption::Pref64 { prefix: now, .. } if now == prefix));
            (!kept).then_some(NdOption::Pref64 { prefix: *prefix, lifetime: 0 })
        }
        NdOption::EncryptedDns(dnr) => {
            let kept = after.iter().any(|o| matches!(o, NdOption::EncryptedDns(now) if now.name == dnr.name));
            (!kept).then(|| NdOption::EncryptedDns(Dnr { lifetime: 0, ..dnr.clone() }))
        }
        _ => None,
    });
    gone.collect()
}

fn route(option: &NdOption) -> Option<Prefix> {
    if let NdOption::Route { prefix, .. } = option { Some(*prefix) } else { None }
}

fn servers(option: &NdOption) -> &[Ipv6Addr] {
    if let NdOption::Rdnss { servers, .. } = option { servers } else { &[] }
}

fn domains(option: &NdOption) -> &[String] {
    if let NdOption::Dnssl { domains, .. } = option { domains } else { &[] }
}

/// The messages that say `said`, and then `more`: each with the same fixed part, each of at most [`MAX_MESSAGE`] bytes
/// (RFC 4861 §6.2.3). Options that can't be written, or fit no message, are handed to `lost`.
pub(super) fn messages(said: &Advertisement, more: &[NdOption], mut lost: impl FnMut(Unencodable)) -> Vec<Vec<u8>> {
    let header = said.header();
    let mut messages = Vec::new();
    let mut message = header.to_vec();
    for option in said.options.iter().chain(more) {
        let start = message.len();
        if let Err(error) = option.encode(&mut message) {
            lost(error);
        } else if message.len() - start > MAX_OPTIONS {
            message.truncate(start);
            lost(Unencodable("an option longer than a message"));
        } else if message.len() > MAX_MESSAGE {
            let mut next = header.to_vec();
            next.extend(message.drain(start..));
            messages.push(std::mem::replace(&mut message, next));
        }
    }
    messages.push(message);
    messages
}

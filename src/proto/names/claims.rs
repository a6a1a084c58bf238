//! Who gets which name.

use super::gather::Device;
use super::{Entry, Known, MAX_NAMES, Refusal, Source, Who, label};
use crate::net::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// So many may want one name; whoever comes then gets none.
const MOST_SUFFIX: u32 = 16;
/// Refusals that are told apart from others, so that each counts once.
const MOST_REFUSED: usize = 1_024;

/// Somebody wants a name in a domain.
#[derive(Debug)]
pub(super) struct Claim {
    domain: String,
    name: String,
    source: Source,
    alias: bool,
    who: Who,
    addresses: BTreeSet<IpAddr>,
}

/// A name that was not taken, and whose it would have been.
pub(super) type Refused = BTreeSet<(Refusal, Who, String)>;

/// What the devices want to be called, by domain.
pub(super) fn claims(known: &Known<'_>, devices: BTreeMap<Who, Device>, refused: &mut Refused) -> Vec<Claim> {
    let own = own_name(known.hostname);
    let mut claims = Vec::new();
    for (who, device) in devices {
        let Some((source, said)) = &device.name else { continue };
        for (domain, addresses) in by_domain(known, &device) {
            let names = std::iter::once((said, false)).chain(device.aliases.iter().map(|alias| (alias, true)));
            for (said, alias) in names {
                let name = match (&who, source) {
                    (Who::Router, _) => Ok(own.clone()),
                    (_, Source::Host | Source::Peer) => label::of_owner(said, &domain),
                    _ => label::of_host(said),
                };
                let name = name.and_then(|name| match name {
                    name if who != Who::Router && is_routers(&name, &own, &domain, known) => Err(Refusal::Router),
                    name if is_domain(&name, &domain, known) => Err(Refusal::Domain),
                    name => Ok(name),
                });
                match name {
                    Ok(name) => claims.push(Claim {
                        domain: domain.clone(),
                        name,
                        source: *source,
                        alias,
                        who: who.clone(),
                        addresses: addresses.clone(),
                    }),
                    Err(refusal) => refuse(refused, refusal, &who, said),
                }
            }
        }
    }
    claims.extend(hashed(known));
    claims
}

fn refuse(refused: &mut Refused, refusal: Refusal, who: &Who, name: &str) {
    if refused.len() < MOST_REFUSED {
        refused.insert((refusal, who.clone(), name.to_owned()));
    }
}

/// The router's label. A router that has no good name is called `router`.
pub(super) fn own_name(hostname: &str) -> String {
    label::of_host(hostname).unwrap_or_else(|_| "router".into())
}

/// Addresses by the domain of their LAN. The router is in the common domain with all of its addresses.
fn by_domain(known: &Known<'_>, device: &Device) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let mut domains: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    let common = known.domain();
    let router = device.name.as_ref().is_some_and(|(source, _)| *source == Source::Router);
    for (lan, addr) in &device.addresses {
        let lan = lan.and_then(|lan| known.lans.get(lan)).map(|lan| lan.domain.to_ascii_lowercase());
        for domain in lan.iter().chain([&common].into_iter().filter(|_| router || lan.is_none())) {
            domains.entry(domain.clone()).or_default().insert(*addr);
        }
    }
    domains.remove("");
    domains
}

/// Whether a name is one that the router has.
fn is_routers(name: &str, own: &str, domain: &str, known: &Known<'_>) -> bool {
    name == own || known.hashed.keys().any(|hashed| label::within(hashed, domain) == Some(name))
}

/// Whether a name is that of a domain of ours, or has one below it.
fn is_domain(name: &str, domain: &str, known: &Known<'_>) -> bool {
    let whole = format!("{name}.{domain}");
    let dns = known.config.dns.as_ref();
    let zones = dns.into_iter().flat_map(|dns| dns.public_zones.iter().chain(&dns.hash_zone));
    zones.chain(known.lans.iter().map(|lan| &lan.domain)).map(|zone| zone.to_ascii_lowercase()).any(|zone| {
        let holds = zone.strip_suffix(&whole).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        // what is below another domain of ours is in that one
        let below = whole.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.')) && zone.len() > domain.len();
        holds || below
    })
}

/// Names of the router that are addresses, where they are in the common domain.
fn hashed(known: &Known<'_>) -> Vec<Claim> {
    let domain = known.domain();
    let in_domain = known.hashed.iter().filter_map(|(name, addresses)| {
        let name = label::within(name, &domain)?.to_owned();
        let addresses = addresses.iter().map(|addr| IpAddr::V6(*addr)).collect();
        Some(Claim { domain: domain.clone(), name, source: Source::Router, alias: true, who: Who::Router, addresses })
    });
    in_domain.collect()
}

/// Who has which name, by domain and name.
#[derive(Debug, Default)]
pub(super) struct Held {
    names: BTreeMap<(String, String), (Who, Instant)>,
    refused: Refused,
}

impl Held {
    /// Gives every claim its name.
    pub(super) fn settle(&mut self, mut claims: Vec<Claim>, refused: &mut Refused, now: Instant) -> Vec<Entry> {
        let had = |claim: &Claim| {
            self.names.get(&(claim.domain.clone(), claim.name.clone())).is_some_and(|(who, _)| *who == claim.who)
        };
        claims.sort_by_cached_key(|claim| {
            (claim.source, !had(claim), claim.who.clone(), claim.alias, claim.name.clone())
        });
        let wanting: BTreeSet<(&str, &Who)> = claims.iter().map(|claim| (claim.domain.as_str(), &claim.who)).collect();
        // a suffix that somebody has is kept for them
        let kept = |domain: &str, name: &str, who: &Who| {
            let held = self.names.get(&(domain.to_owned(), name.to_owned()));
            held.is_some_and(|(holder, _)| holder != who && wanting.contains(&(domain, holder)))
        };
        let mut given: BTreeMap<(String, String), Entry> = BTreeMap::new();
        for claim in &claims {
            let key = (claim.domain.clone(), claim.name.clone());
            if let Some(entry) = given.get_mut(&key).filter(|entry| entry.who == claim.who) {
                entry.addresses.extend(&claim.addresses);
                continue;
            }
            let is_free = |name: &str| !given.contains_key(&(claim.domain.clone(), name.to_owned()));
            let name = if is_free(&claim.name) {
                Some(claim.name.clone())
            } else {
                let others = || (2..=MOST_SUFFIX).map(|number| label::with_suffix(&claim.name, number));
                let had = |name: &String| {
                    let held = self.names.get(&(claim.domain.clone(), name.clone()));
                    held.is_some_and(|(who, _)| *who == claim.who)
                };
                let again = others().find(|name| had(name) && is_free(name));
                again.or_else(|| others().find(|name| is_free(name) && !kept(&claim.domain, name, &claim.who)))
            };
            let Some(name) = name.filter(|_| given.len() < MAX_NAMES) else {
                refuse(refused, Refusal::TooMany, &claim.who, &claim.name);
                continue;
            };
            let key = (claim.domain.clone(), name.clone());
            let held = self.names.get(&key).filter(|(who, _)| *who == claim.who);
            let entry = Entry {
                domain: claim.domain.clone(),
                wanted: (name != claim.name).then(|| claim.name.clone()),
                name,
                alias: claim.alias,
                source: claim.source,
                who: claim.who.clone(),
                since: held.map_or(now, |(_, since)| *since),
                addresses: claim.addresses.clone(),
            };
            given.insert(key, entry);
        }
        self.names = given.iter().map(|(key, entry)| (key.clone(), (entry.who.clone(), entry.since))).collect();
        given.into_values().collect()
    }

    /// Those refusals that there were not before: what is refused again and again counts once.
    pub(super) fn news(&mut self, refused: Refused) -> Vec<Refusal> {
        let news = refused.difference(&self.refused).map(|(refusal, ..)| *refusal).collect();
        self.refused = refused;
        news
    }
}

//! Which /64 of each prefix a LAN gets (RFC 7084 L-2).
//!
//! Within one prefix, in this order:
//!
//! 1. a LAN whose section names a `subnet` gets that one; of two with the same number the first by name;
//! 2. a LAN on a device that netifd gave a share of this prefix to gets the first /64 of that share;
//! 3. a LAN that has a /64 of this prefix keeps it: what is remembered decides ([`Facts::served`]), so no LAN is
//!    renumbered because another one comes, goes or is renamed;
//! 4. the others, in the order of their names, get the number they have in an earlier prefix or had in one that is
//!    gone, or else the lowest free one, so that numbers stay small and the same in every prefix.
//!
//! The last step leaves out what others use or may soon want: prefixes delegated by DHCPv6 and what netifd gave to
//! devices that are no LAN's (always), and as long as
//! there is another choice /64s that hosts of another LAN still remember, other prefixes inside this one, and the one
//! kept free for stub networks.

use super::delegate::held_back;
use super::{Facts, SourcePrefix, Trouble, place};
use crate::config::Config;
use crate::net::FlatMap;
use crate::net::Prefix;

/// A /64 for a LAN.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subnet<'a> {
    /// The prefix it is out of.
    pub(super) source: &'a SourcePrefix,
    /// The /64.
    pub(super) prefix: Prefix,
}

/// All /64s of all LANs.
#[derive(Debug, Default)]
pub(super) struct Subnets<'a> {
    /// By LAN, in the order of the sources.
    pub(super) of: FlatMap<&'a str, Vec<Subnet<'a>>>,
    /// Who has a /64: no two LANs ever share one.
    pub(super) owner: FlatMap<Prefix, &'a str>,
    /// What netifd gave to devices that are no LAN's.
    pub(super) taken: Vec<Prefix>,
    /// What did not work out.
    pub(super) troubles: Vec<Trouble>,
}

/// Gives every LAN, served or not, its /64s of `sources`.
pub(super) fn assign<'a>(config: &'a Config, sources: &'a [SourcePrefix], facts: &Facts) -> Subnets<'a> {
    let device = |lan| place::device(lan, facts);
    let is_lans = |name: &str| config.lans.values().filter_map(device).any(|device| device == name);
    let taken = facts.assigned.iter().filter(|(device, _)| !is_lans(device)).map(|(_, share)| *share);
    let mut all = Subnets { taken: taken.collect(), ..Subnets::default() };
    for source in sources.iter().filter(|source| source.assign) {
        Round { config, sources, facts, source }.assign(&mut all);
    }
    all
}

/// The /64 whose lowest bits before the interface identifier are `index`; `None` if it lies outside.
fn subnet(source: &SourcePrefix, index: u128) -> Option<Prefix> {
    source.prefix.subnet(index, 64)
}

/// One source's turn.
struct Round<'a, 'b> {
    config: &'a Config,
    sources: &'a [SourcePrefix],
    facts: &'b Facts,
    source: &'a SourcePrefix,
}

impl<'a> Round<'a, '_> {
    fn assign(&self, all: &mut Subnets<'a>) {
        let source = self.source;
        let takes_part = |lan: &str| source.lans.as_ref().is_none_or(|lans| lans.iter().any(|name| name == lan));
        let mut rest: Vec<&'a str> =
            self.config.lans.keys().map(String::as_str).filter(|lan| takes_part(lan)).collect();
        rest.retain(|lan| !self.take(lan, self.named(lan, all), all));
        rest.retain(|lan| !self.take(lan, self.of_netifd(lan, all), all));
        for live in [true, false] {
            rest.retain(|lan| !self.take(lan, self.remembered(lan, live, all), all));
        }
        for lan in rest {
            let free = self
                .preferred(lan, all)
                .or_else(|| self.lowest(lan, all, true))
                .or_else(|| self.lowest(lan, all, false));
            if !self.take(lan, free, all) {
                all.troubles.push(Trouble {
                    place: source.source.clone(),
                    message: format!("{} has no /64 left for lan {lan}", source.prefix),
                    remedy: "get a shorter prefix (a /60 or /56), delegate less of it, or leave the lan out of it"
                        .into(),
                });
            }
        }
    }

    fn take(&self, lan: &'a str, prefix: Option<Prefix>, all: &mut Subnets<'a>) -> bool {
        if let Some(prefix) = prefix {
            all.owner.insert(prefix, lan);
            all.of.or_default(lan).push(Subnet { source: self.source, prefix });
        }
        prefix.is_some()
    }

    /// The /64 that the configuration names.
    fn named(&self, lan: &str, all: &mut Subnets<'a>) -> Option<Prefix> {
        let number = self.config.lans.get(lan)?.subnet?;
        let Some(prefix) = subnet(self.source, number.into()) else {
            let last = (1u128 << (64 - self.source.prefix.len())) - 1;
            all.troubles.push(Trouble {
                place: format!("lan {lan}"),
                message: format!("{} has no subnet {number:#x}; it gets another one", self.source.prefix),
                remedy: format!("set `subnet` to a number from 0 to {last:#x}, or leave it out"),
            });
            return None;
        };
        let Some(owner) = all.owner.get(&prefix) else { return Some(prefix) };
        all.troubles.push(Trouble {
            place: format!("lan {lan}"),
            message: format!(
                "subnet {number:#x} of {} belongs to lan {owner}; it gets another one",
                self.source.prefix
            ),
            remedy: "give each lan a `subnet` of its own, or leave it out".into(),
        });
        None
    }

    /// The first /64 of what netifd gave to the LAN's device.
    fn of_netifd(&self, lan: &str, all: &Subnets<'_>) -> Option<Prefix> {
        let device = place::device(self.config.lans.get(lan)?, self.facts)?;
        let shares = self.facts.assigned.iter().filter(|(to, share)| to == device && self.source.prefix.covers(share));
        let mut first = shares.filter(|(_, share)| share.len() <= 64).filter_map(|(_, share)| share.subnet(0, 64));
        first.find(|prefix| !all.owner.contains_key(prefix) && !self.is_delegated(prefix))
    }

    /// The /64 of this source that the LAN has, or had until lately.
    fn remembered(&self, lan: &str, live: bool, all: &Subnets<'_>) -> Option<Prefix> {
        let served = self.facts.served.iter().filter(|served| served.lan == lan && served.live == live);
        let mut here =
            served.map(|served| served.prefix).filter(|prefix| prefix.len() == 64 && self.source.prefix.covers(prefix));
        // once it was nobody's, it may have been delegated
        let is_taken =
            |prefix: &Prefix| all.owner.contains_key(prefix) || all.taken.iter().any(|taken| taken.covers(prefix));
        here.find(|prefix| !is_taken(prefix) && (live || !self.is_delegated(prefix)))
    }

    fn is_delegated(&self, prefix: &Prefix) -> bool {
        let mut whole = (0..=prefix.len()).filter_map(|len| Prefix::new(prefix.addr(), len));
        whole.any(|whole| self.facts.delegations.contains_key(&whole))
    }

    /// The /64 with the number that the LAN has elsewhere.
    fn preferred(&self, lan: &str, all: &Subnets<'_>) -> Option<Prefix> {
        let elsewhere = all.of.get(lan).into_iter().flatten().map(|subnet| subnet.prefix);
        let once = self.facts.served.iter().filter(|served| served.lan == lan).map(|served| served.prefix);
        let bits = 64 - self.source.prefix.len();
        let mask = 1u128.checked_shl(bits.into()).unwrap_or(0).wrapping_sub(1);
        let numbers = elsewhere.chain(once).map(|prefix| u128::from(prefix.addr()) >> 64 & mask);
        let blocked = self.blocked(lan, all, true);
        let mut free = numbers.filter(|number| !blocked.iter().any(|(from, to)| (from..=to).contains(&number)));
        free.next().and_then(|number| subnet(self.source, number))
    }

    /// The free /64 with the lowest number.
    fn lowest(&self, lan: &str, all: &Subnets<'_>, considerate: bool) -> Option<Prefix> {
        let mut number = 0;
        for (from, to) in self.blocked(lan, all, considerate) {
            if number < from {
                break;
            }
            number = number.max(to + 1);
        }
        subnet(self.source, number)
    }

    /// Numbers of /64s that the LAN must not have, or `considerate`ly had better not: ranges in order.
    fn blocked(&self, lan: &str, all: &Subnets<'_>, considerate: bool) -> Vec<(u128, u128)> {
        let hard = all.owner.keys().chain(self.facts.delegations.keys()).chain(&all.taken);
        // what a section had that is gone is free at once: it may have been renamed
        let another = |name: &String| name != lan && self.config.lans.contains_key(name);
        let others = self.facts.served.iter().filter(|served| another(&served.lan)).map(|served| &served.prefix);
        let inside = self
            .sources
            .iter()
            .map(|other| &other.prefix)
            .filter(|other| **other != self.source.prefix && self.source.prefix.covers(other));
        let held_back = held_back(self.source);
        let soft = others.chain(inside).chain(&held_back).filter(|_| considerate);
        let mut ranges: Vec<_> = hard.chain(soft).filter_map(|prefix| range(&self.source.prefix, prefix)).collect();
        ranges.sort_unstable();
        ranges
    }
}

/// Numbers of the first and last /64 of `outer` that `prefix` touches.
fn range(outer: &Prefix, prefix: &Prefix) -> Option<(u128, u128)> {
    let number = |addr| Prefix::new(addr, 64).and_then(|subnet| outer.index_of(&subnet));
    if prefix.covers(outer) {
        return Some((number(outer.addr())?, number(outer.last())?));
    }
    Some((number(prefix.addr())?, number(prefix.last())?))
}

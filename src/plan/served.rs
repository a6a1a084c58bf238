//! What is remembered of prefixes that LANs have (RFC 9096 §3.5), so that hosts can be told when they go, and so that
//! every LAN keeps its /64.
//!
//! An entry is *live* while a source gives the /64 to that LAN, whether the LAN can be served just now or not. It does
//! not change as time passes, so a situation that stays the same is written to flash once. When the source is gone the
//! entry gets an end, and until then the LAN is told that the prefix is no longer to be used. After a reboot the entries
//! on flash are taken up in the same way: those whose source did not come back have just gone.

use super::subnets::Subnets;
use super::{Facts, Served};
use crate::config::{Config, Lan};
use crate::net::FlatMap;
use crate::net::{Instant, Prefix, Until};

/// ND_VALID_LIMIT of RFC 9096 §3.4, in seconds: hosts that heard of a prefix from an earlier configuration of ours have
/// most likely dropped it after this.
const ND_VALID_LIMIT: u32 = 5_400;
/// The longest that a prefix is called gone, in seconds: 30 days, RFC 4861's default for a valid lifetime. It bounds
/// what an infinite one costs; RFC 4862 §5.5.3 lets hosts drop such a prefix two hours after they heard.
const LONGEST: u32 = 30 * 86_400;
/// How many prefixes that are gone a LAN is told of: more make the router advertisement large. The oldest are left out.
const MOST_GONE: usize = 16;

/// What is to be remembered from now on, in order of LAN and prefix.
pub(super) fn update(config: &Config, facts: &Facts, subnets: &Subnets<'_>, now: Instant) -> Vec<Served> {
    let longest = Until::At(now.after_secs(LONGEST.into()));
    let mut all = FlatMap::new();
    for served in facts.served.iter().filter(|served| served.prefix.len() == 64) {
        let just_gone = served.live || served.until > longest;
        let end = || Until::At(now.after_secs(valid_lifetime(config.lans.get(&served.lan)).into()));
        let until = if just_gone { end() } else { served.until };
        if !until.is_over(now) {
            all.insert((served.lan.clone(), served.prefix), Served { until, live: false, ..served.clone() });
        }
    }
    for (prefix, lan) in &subnets.owner {
        let live = Served { lan: (*lan).to_owned(), prefix: *prefix, until: Until::Forever, live: true };
        all.insert((live.lan.clone(), *prefix), live);
    }
    bound(&mut all);
    all.into_values().collect()
}

/// How long hosts of a LAN may use a prefix after they last heard of it, in seconds.
fn valid_lifetime(lan: Option<&Lan>) -> u32 {
    let announced = lan.and_then(|lan| lan.ra.as_ref()).map(|ra| ra.valid_lifetime);
    let leased = lan.and_then(|lan| lan.dhcp6.as_ref()).map(|dhcp6| dhcp6.valid_lifetime);
    announced.into_iter().chain(leased).fold(ND_VALID_LIMIT, u32::max).min(LONGEST)
}

fn bound(all: &mut FlatMap<(String, Prefix), Served>) {
    let mut gone: FlatMap<&str, Vec<(Until, Prefix)>> = FlatMap::new();
    for served in all.values().filter(|served| !served.live) {
        gone.or_default(&served.lan).push((served.until, served.prefix));
    }
    let mut excess = Vec::new();
    for (lan, mut ends) in gone {
        ends.sort_unstable();
        let count = ends.len().saturating_sub(MOST_GONE);
        excess.extend(ends.into_iter().take(count).map(|(_, prefix)| (lan.to_owned(), prefix)));
    }
    all.retain(|key, _| !excess.contains(key));
}

//! Other routers heard on the link, and what they contradict (RFC 4861 §6.2.7, RFC 8781 §5.2).

use crate::net::{Instant, Prefix};
use crate::wire::nd::{Advertisement, NdOption};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Routers remembered: more than a sane link has, and few enough that forged ones cost nothing.
pub(super) const MAX_ROUTERS: usize = 8;
/// A router unheard for this long is forgotten: three times the longest MaxRtrAdvInterval (RFC 4861 §6.2.1).
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3 * 1800);
/// Contradictions kept of one router: enough to see what is wrong.
const MAX_CONTRADICTIONS: usize = 8;
/// Lifetimes that differ by less are the same: both may count down, and clocks and links take their time (§6.2.7).
const SKEW: u32 = 10;

/// Another router on the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherRouter {
    /// Its link-local address.
    pub address: Ipv6Addr,
    /// When it was last heard.
    pub heard: Instant,
    /// Its router lifetime, seconds; 0: not a default router.
    pub router_lifetime: u16,
    /// Where its last advertisement contradicts ours, in words, at most 8; empty: nowhere.
    pub contradicts: Vec<String>,
}

/// The routers of a link, at most [`MAX_ROUTERS`].
#[derive(Debug, Default)]
pub(super) struct OtherRouters(Vec<OtherRouter>);

impl OtherRouters {
    /// Takes in what a router said; `ours` is what we say now. False if there is no room for one more router.
    pub(super) fn heard(
        &mut self,
        address: Ipv6Addr,
        theirs: &Advertisement,
        ours: &Advertisement,
        now: Instant,
    ) -> bool {
        self.0.retain(|router| router.address != address && !is_forgotten(router, now));
        if self.0.len() >= MAX_ROUTERS {
            return false;
        }
        let contradicts = contradictions(theirs, ours);
        self.0.push(OtherRouter { address, heard: now, router_lifetime: theirs.router_lifetime, contradicts });
        true
    }

    /// Those heard lately.
    pub(super) fn known(&self, now: Instant) -> impl Iterator<Item = &OtherRouter> {
        self.0.iter().filter(move |router| !is_forgotten(router, now))
    }
}

fn is_forgotten(router: &OtherRouter, now: Instant) -> bool {
    now.since(router.heard) > FORGOTTEN_AFTER
}

/// RFC 4861 §6.2.7: 0 means unspecified and contradicts nothing, and neither does a prefix only one of us has.
fn contradictions(theirs: &Advertisement, ours: &Advertisement) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, theirs: u32, ours: u32| {
        if theirs != ours && theirs != 0 && ours != 0 {
            found.push(format!("{what} {theirs}, ours is {ours}"));
        }
    };
    differ("hop limit", theirs.hop_limit.into(), ours.hop_limit.into());
    differ("reachable time", theirs.reachable_time, ours.reachable_time);
    differ("retransmission timer", theirs.retrans_timer, ours.retrans_timer);
    differ("MTU", mtu(theirs), mtu(ours));
    for (what, theirs, ours) in [("M flag", theirs.managed, ours.managed), ("O flag", theirs.other, ours.other)] {
        if theirs != ours {
            found.push(format!("{what} is {}, ours is {}", u8::from(theirs), u8::from(ours)));
        }
    }
    for option in &ours.options {
        let NdOption::Prefix(ours) = option else { continue };
        for option in &theirs.options {
            let NdOption::Prefix(theirs) = option else { continue };
            if theirs.prefix == ours.prefix {
                for (what, theirs, ours) in
                    [("preferred", theirs.preferred, ours.preferred), ("valid", theirs.valid, ours.valid)]
                {
                    // infinity is no number of seconds
                    if theirs.abs_diff(ours) > SKEW || (theirs == u32::MAX) != (ours == u32::MAX) {
                        found.push(format!("{} {what} for {theirs} s, ours for {ours} s", prefix_of(option)));
                    }
                }
            }
        }
    }
    // RFC 8781 §5.2: a router that says nothing of NAT64 contradicts nothing
    let (their_nat64, our_nat64) = (nat64(theirs), nat64(ours));
    if !their_nat64.is_empty() && their_nat64 != our_nat64 {
        let words = |prefixes: &[Prefix]| prefixes.iter().map(Prefix::to_string).collect::<Vec<_>>().join(", ");
        let ours = if our_nat64.is_empty() { "none".to_owned() } else { words(&our_nat64) };
        found.push(format!("NAT64 prefix {}, ours is {ours}", words(&their_nat64)));
    }
    found.truncate(MAX_CONTRADICTIONS);
    found
}

fn mtu(said: &Advertisement) -> u32 {
    said.options.iter().find_map(|option| if let NdOption::Mtu(mtu) = option { Some(*mtu) } else { None }).unwrap_or(0)
}

fn prefix_of(option: &NdOption) -> Prefix {
    if let NdOption::Prefix(info) = option { info.prefix } else { Prefix::ALL }
}

/// NAT64 prefixes with a lifetime, in order.
fn nat64(said: &Advertisement) -> Vec<Prefix> {
    let mut prefixes: Vec<Prefix> = said
        .options
        .iter()
        .filter_map(|option| match option {
            NdOption::Pref64 { prefix, lifetime } if *lifetime > 0 => Some(*prefix),
            _ => None,
        })
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

//! What is news in what was learned.

use super::Learned;
use crate::net::{Instant, Lifetimes, Until};

/// A lifetime that ends earlier by no more than this is the same, milliseconds: clocks and links take their time.
const SKEW: u64 = 10_000;

/// Whether `new` is worth being told to who was told `old`.
pub(super) fn is_news(old: &Learned, new: &Learned, now: Instant) -> bool {
    let ended = |old: Until, new: Until| moved(old, new, now);
    let both = |old: Lifetimes, new: Lifetimes| ended(old.preferred, new.preferred) || ended(old.valid, new.valid);
    let rest = |learned: &Learned| (learned.mtu, learned.hop_limit, learned.managed, learned.other);
    rest(old) != rest(new)
        || differ(&old.routers, &new.routers, |old, new| {
            let what = |router: &super::Router| (router.address, router.mac, router.preference, router.reachable);
            what(old) != what(new) || ended(old.until, new.until)
        })
        || differ(&old.prefixes, &new.prefixes, |old, new| {
            let what = |p: &super::LearnedPrefix| (p.prefix, p.on_link, p.autonomous, p.pd_preferred);
            what(old) != what(new) || both(old.lifetimes, new.lifetimes)
        })
        || differ(&old.addresses, &new.addresses, |old, new| {
            old.address != new.address || both(old.lifetimes, new.lifetimes)
        })
        || differ(&old.routes, &new.routes, |old, new| {
            let what = |route: &super::LearnedRoute| (route.prefix, route.via, route.preference);
            what(old) != what(new) || ended(old.until, new.until)
        })
        || differ(&old.dns, &new.dns, |old, new| old.0 != new.0 || ended(old.1, new.1))
        || differ(&old.search, &new.search, |old, new| old.0 != new.0 || ended(old.1, new.1))
        || differ(&old.pref64, &new.pref64, |old, new| old.0 != new.0 || ended(old.1, new.1))
}

fn differ<T>(old: &[T], new: &[T], pair: impl Fn(&T, &T) -> bool) -> bool {
    old.len() != new.len() || old.iter().zip(new).any(|(old, new)| pair(old, new))
}

/// Whether an end was moved so that it matters: shortened, ended or begun, or extended when half of it is gone.
fn moved(old: Until, new: Until, now: Instant) -> bool {
    match (old, new) {
        (Until::Forever, Until::Forever) => false,
        (Until::At(was), Until::At(is)) => {
            let left = |at: Instant| at.0.saturating_sub(now.0);
            old.is_over(now) != new.is_over(now)
                || is.0.saturating_add(SKEW) < was.0
                || left(was).saturating_mul(2) < left(is)
        }
        _ => true,
    }
}

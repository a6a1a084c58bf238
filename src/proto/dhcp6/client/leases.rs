//! What is held, and when it is to be extended.

use super::reply::{IaStated, Kind, MOST_LEASES};
use super::{LeasedAddress, LeasedPrefix, Leases};
use crate::net::{Instant, Lifetimes, Prefix, Until};
use crate::proto::dhcp6::Resource;
use crate::proto::retransmission::later;
use std::net::Ipv6Addr;

/// Least T1 whatever a server says, milliseconds: a short one would be a storm (RFC 9915 §14.2).
const LEAST_T1: u64 = 3_000;
/// Least T2, likewise: in the same proportion as 0.5 and 0.8.
const LEAST_T2: u64 = 4_800;

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) resource: Resource,
    pub(super) lifetimes: Lifetimes,
    exclude: Option<Prefix>,
    /// The server said that it knows nothing of it: it goes unless the server gives it again.
    unbound: bool,
}

/// T1 and T2 of an identity association, as moments.
#[derive(Clone, Copy, Debug)]
struct Timers {
    renew: Until,
    rebind: Until,
}

const NEVER: Timers = Timers { renew: Until::Forever, rebind: Until::Forever };

/// All that is held, at most [`MOST_LEASES`] of each kind.
#[derive(Debug)]
pub(super) struct Held {
    leases: Vec<Lease>,
    address: Timers,
    prefix: Timers,
}

impl Held {
    pub(super) fn new() -> Held {
        Held { leases: Vec::new(), address: NEVER, prefix: NEVER }
    }

    /// What was held before a restart, with timers of our own choice.
    pub(super) fn remembered(leases: &Leases, now: Instant) -> Held {
        let addresses = leases.addresses.iter().map(|it| (Resource::Address(it.address), it.lifetimes, None));
        let prefixes = leases.prefixes.iter().map(|it| (Resource::Prefix(it.prefix), it.lifetimes, it.exclude));
        let mut held = Held::new();
        for (resource, lifetimes, exclude) in addresses.take(MOST_LEASES).chain(prefixes.take(MOST_LEASES)) {
            if !lifetimes.valid.is_over(now) {
                held.leases.push(Lease { resource, lifetimes, exclude, unbound: false });
            }
        }
        Kind::ALL.into_iter().for_each(|kind| held.set_timers(kind, 0, 0, now));
        held
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.of(kind).next().is_some()
    }

    /// Leases of a kind.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Lease> {
        self.leases.iter().filter(move |lease| Kind::of(&lease.resource) == kind)
    }

    /// All leases.
    pub(super) fn resources(&self) -> Vec<Resource> {
        self.leases.iter().map(|lease| lease.resource).collect()
    }

    /// Takes in what a server says of an identity association (RFC 9915 §18.2.10.1). Gives what it should not have given:
    /// addresses that were declined.
    pub(super) fn take(&mut self, kind: Kind, ia: &IaStated, declined: &[Ipv6Addr], now: Instant) -> Vec<Resource> {
        let mut again = Vec::new();
        for stated in &ia.leases {
            let lifetimes =
                Lifetimes::new(Until::from_wire(stated.preferred, now), Until::from_wire(stated.valid, now));
            let lease = Lease { resource: stated.resource, lifetimes, exclude: stated.exclude, unbound: false };
            let full = self.of(kind).count() >= MOST_LEASES;
            let place = self.leases.iter().position(|held| held.resource == stated.resource);
            let refused = matches!(stated.resource, Resource::Address(address) if declined.contains(&address));
            match (place.and_then(|place| self.leases.get_mut(place)), stated.valid) {
                (Some(_), 0) => self.leases.retain(|held| held.resource != stated.resource),
                (Some(held), _) => *held = lease,
                (None, 0) => {}
                (None, _) if refused => again.push(stated.resource),
                (None, _) if full => {}
                (None, _) => self.leases.push(lease),
            }
        }
        self.set_timers(kind, ia.t1, ia.t2, now);
        again
    }

    /// The server doesn't know this identity association.
    pub(super) fn unbind(&mut self, kind: Kind) {
        let of_kind = self.leases.iter_mut().filter(|lease| Kind::of(&lease.resource) == kind);
        of_kind.for_each(|lease| lease.unbound = true);
    }

    /// Drops what the server does not know and did not give again. Whether there was anything.
    pub(super) fn drop_unbound(&mut self) -> bool {
        self.retain(|lease| !lease.unbound)
    }

    /// Drops a kind; gives what there was.
    pub(super) fn drop_kind(&mut self, kind: Kind) -> Vec<Resource> {
        let gone = self.of(kind).map(|lease| lease.resource).collect();
        self.retain(|lease| Kind::of(&lease.resource) != kind);
        gone
    }

    /// Drops one; whether it was there.
    pub(super) fn drop_one(&mut self, resource: Resource) -> bool {
        self.retain(|lease| lease.resource != resource)
    }

    /// Drops what is over; gives what it was.
    pub(super) fn end(&mut self, now: Instant) -> Vec<Resource> {
        let over = |lease: &Lease| lease.lifetimes.valid.is_over(now);
        let gone = self.leases.iter().filter(|lease| over(lease)).map(|lease| lease.resource).collect();
        self.retain(|lease| !over(lease));
        gone
    }

    fn retain(&mut self, keep: impl Fn(&Lease) -> bool) -> bool {
        let before = self.leases.len();
        self.leases.retain(keep);
        self.leases.len() < before
    }

    /// When the next lease is over.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.leases.iter().filter_map(|lease| moment(lease.lifetimes.valid)).min()
    }

    /// T1: the earliest of what is held, since all are renewed together (RFC 9915 §18.2.4).
    pub(super) fn renew_at(&self) -> Option<Instant> {
        self.timers().filter_map(|timers| moment(timers.renew)).min()
    }

    /// T2, likewise.
    pub(super) fn rebind_at(&self) -> Option<Instant> {
        self.timers().filter_map(|timers| moment(timers.rebind)).min()
    }

    fn timers(&self) -> impl Iterator<Item = Timers> {
        let kinds = [(Kind::Address, self.address), (Kind::Prefix, self.prefix)];
        kinds.into_iter().filter(|(kind, _)| self.has(*kind)).map(|(_, timers)| timers)
    }

    /// T1 and T2 in seconds, 0: ours to choose (RFC 9915 §14.2, §21.4). They never lie behind the leases they extend.
    fn set_timers(&mut self, kind: Kind, t1: u32, t2: u32, now: Instant) {
        let left = |until: Until| moment(until).map_or(u64::MAX, |end| end.0.saturating_sub(now.0));
        let preferred = self.of(kind).map(|lease| left(lease.lifetimes.preferred)).filter(|left| *left > 0).min();
        let valid = self.of(kind).map(|lease| left(lease.lifetimes.valid)).min().unwrap_or(u64::MAX);
        let base = preferred.unwrap_or(valid);
        let share = |of: u64, tenths: u64| if of == u64::MAX { of } else { of / 10 * tenths };
        let millis = |seconds: u32| if seconds == u32::MAX { u64::MAX } else { u64::from(seconds) * 1_000 };
        let chosen = |seconds: u32, tenths: u64| match seconds {
            0 => share(base, tenths),
            seconds if millis(seconds) >= valid => share(valid, tenths),
            seconds => millis(seconds),
        };
        let rebind = chosen(t2, 8).max(LEAST_T2);
        let renew = chosen(t1, 5).max(LEAST_T1);
        // there is always time for a Renew
        let renew = if renew < rebind { renew } else { if rebind == u64::MAX { rebind } else { rebind / 8 * 5 } };
        let until = |wait: u64| if wait == u64::MAX { Until::Forever } else { Until::At(later(now, wait)) };
        let timers = Timers { renew: until(renew), rebind: until(rebind) };
        match kind {
            Kind::Address => self.address = timers,
            Kind::Prefix => self.prefix = timers,
        }
    }

    /// What there is, for the caller.
    pub(super) fn list(&self, into: &mut Leases) {
        for Lease { resource, lifetimes, exclude, .. } in self.leases.iter().copied() {
            match resource {
                Resource::Address(address) => into.addresses.push(LeasedAddress { address, lifetimes }),
                Resource::Prefix(prefix) => into.prefixes.push(LeasedPrefix { prefix, lifetimes, exclude }),
            }
        }
    }
}

fn moment(until: Until) -> Option<Instant> {
    if let Until::At(end) = until { Some(end) } else { None }
}

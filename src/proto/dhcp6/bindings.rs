//! The table of bindings: found by resource, by client and by end, all in O(log n).
//!
//! Every binding covers a [`Span`] of address space, an address one of length 1, and no two spans overlap: that is the
//! invariant by which nothing is ever given to two. Bindings lie in slots; the indexes hold slot numbers, so that a
//! binding with its indexes costs about 300 bytes.

use super::pool::{Span, hash};
use super::{Binding, Resource, State};
use crate::net::{FlatMap, Instant, Until};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many bindings there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Leased addresses.
    pub addresses: usize,
    /// Delegated prefixes.
    pub prefixes: usize,
    /// Addresses that a client found in use elsewhere.
    pub declined: usize,
    /// Addresses that clients made themselves and registered (RFC 9686).
    pub registered: usize,
}

impl Counts {
    /// All together.
    pub fn total(&self) -> usize {
        self.addresses + self.prefixes + self.declined + self.registered
    }

    fn of(&mut self, binding: &Binding) -> &mut usize {
        match (binding.state, binding.resource) {
            (State::Declined, _) => &mut self.declined,
            (State::Registered, _) => &mut self.registered,
            (State::Bound, Resource::Address(_)) => &mut self.addresses,
            (State::Bound, Resource::Prefix(_)) => &mut self.prefixes,
        }
    }
}

/// A binding and what only this process knows of it.
#[derive(Debug)]
struct Slot {
    binding: Binding,
    client: u64,
    /// Link that its prefix is routed to; 0, which no link has: to none.
    routed: u32,
}

/// All bindings.
#[derive(Debug)]
pub(super) struct Table {
    key: u64,
    slots: Vec<Option<Slot>>,
    vacant: Vec<u32>,
    /// First address of each span → its last address as the length in bits that it has as a prefix, and its slot.
    spans: BTreeMap<u128, (u8, u32)>,
    /// Hash of the client's DUID, and slot.
    clients: BTreeSet<(u64, u32)>,
    ends: BTreeSet<(Instant, u32)>,
    counts: Counts,
    freed: u64,
    /// Registered addresses by LAN.
    registered: FlatMap<Arc<str>, usize>,
}

impl Table {
    /// An empty table. `key` keeps the hashes of clients from being foreseen.
    pub(super) fn new(key: u64) -> Table {
        Table {
            key,
            slots: Vec::new(),
            vacant: Vec::new(),
            spans: BTreeMap::new(),
            clients: BTreeSet::new(),
            ends: BTreeSet::new(),
            counts: Counts::default(),
            freed: 0,
            registered: FlatMap::new(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many bindings were taken out so far.
    pub(super) fn freed(&self) -> u64 {
        self.freed
    }

    /// How many addresses are registered on this LAN.
    pub(super) fn registered_on(&self, lan: &str) -> usize {
        self.registered.get(lan).copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// All of them, by resource.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Binding> {
        self.spans.values().filter_map(|(_, id)| self.slot(*id)).map(|slot| &slot.binding)
    }

    /// The binding of exactly this resource.
    pub(super) fn get(&self, resource: Resource) -> Option<&Binding> {
        self.find(resource).and_then(|id| self.slot(id)).map(|slot| &slot.binding)
    }

    /// Those of this client, whatever their kind.
    pub(super) fn of_client<'t>(&'t self, duid: &'t [u8]) -> impl Iterator<Item = &'t Binding> {
        let client = hash(self.key, duid);
        let ids = self.clients.range((client, 0)..=(client, u32::MAX)).map(|(_, id)| *id);
        // two clients may have the same hash
        ids.filter_map(|id| self.slot(id)).map(|slot| &slot.binding).filter(move |b| b.client.as_bytes() == duid)
    }

    /// Whether something in `span` is bound.
    pub(super) fn overlaps(&self, span: Span) -> bool {
        // spans don't overlap each other, so the last that begins in or before this one is the only one to look at
        self.spans.range(..=span.last).next_back().is_some_and(|(first, (len, _))| {
            let last = Span::of_len(*first, *len).last;
            last >= span.first
        })
    }

    /// Spans in use, in order, from the one that `from` lies in or the next.
    pub(super) fn spans_from(&self, from: u128) -> impl Iterator<Item = Span> {
        let before = self.spans.range(..from).next_back();
        let behind = self.spans.range(from..);
        before
            .into_iter()
            .chain(behind)
            .map(|(first, (len, _))| Span::of_len(*first, *len))
            .filter(move |s| s.last >= from)
    }

    /// Takes a binding in; one of the same resource is replaced. Gives the link it is routed to, to be changed; 0: to
    /// none. Nothing is done if it overlaps another.
    pub(super) fn put(&mut self, binding: Binding) -> Option<&mut u32> {
        let span = Span::from(binding.resource);
        let client = hash(self.key, binding.client.as_bytes());
        let (id, routed) = match self.find(binding.resource) {
            Some(id) => {
                let before = self.slots.get_mut(id as usize)?.take()?;
                self.unindex(&before.binding, before.client, id);
                (id, before.routed)
            }
            None if self.overlaps(span) => return None,
            None => {
                let id = self.vacant.pop().unwrap_or_else(|| self.add_slot());
                self.spans.insert(span.first, (span.len(), id));
                (id, 0)
            }
        };
        self.index(&binding, client, id);
        let slot = self.slots.get_mut(id as usize)?;
        Some(&mut slot.insert(Slot { binding, client, routed }).routed)
    }

    fn add_slot(&mut self) -> u32 {
        if self.slots.len() == self.slots.capacity() {
            // by an eighth, not by doubling: routers have little memory
            self.slots.reserve_exact(self.slots.len() / 8 + 16);
        }
        self.slots.push(None);
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    fn index(&mut self, binding: &Binding, client: u64, id: u32) {
        *self.counts.of(binding) += 1;
        if binding.state == State::Registered {
            *self.registered.or_default(binding.lan.clone()) += 1;
        }
        self.clients.insert((client, id));
        if let Until::At(end) = binding.lifetimes.valid {
            self.ends.insert((end, id));
        }
    }

    fn unindex(&mut self, binding: &Binding, client: u64, id: u32) {
        *self.counts.of(binding) -= 1;
        if binding.state == State::Registered
            && let Some(count) = self.registered.get_mut(&binding.lan)
        {
            *count -= 1;
        }
        self.clients.remove(&(client, id));
        if let Until::At(end) = binding.lifetimes.valid {
            self.ends.remove(&(end, id));
        }
    }

    /// Takes a binding out, and gives it with the link it was routed to.
    pub(super) fn remove(&mut self, resource: Resource) -> Option<(Binding, u32)> {
        let id = self.find(resource)?;
        let Slot { binding, client, routed } = self.slots.get_mut(id as usize)?.take()?;
        self.vacant.push(id);
        self.spans.remove(&Span::from(resource).first);
        self.freed += 1;
        self.unindex(&binding, client, id);
        Some((binding, routed))
    }

    /// When the next binding ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// A binding that is over.
    pub(super) fn over(&self, now: Instant) -> Option<Resource> {
        let (_, id) = self.ends.first().filter(|(end, _)| *end <= now)?;
        self.slot(*id).map(|slot| slot.binding.resource)
    }

    /// Every binding with the link it is routed to, to be changed; 0: to none.
    pub(super) fn routes(&mut self) -> impl Iterator<Item = (&Binding, &mut u32)> {
        self.slots.iter_mut().flatten().map(|slot| (&slot.binding, &mut slot.routed))
    }

    /// Those that are routed somewhere, with the link, by resource.
    pub(super) fn iter_routed(&self) -> impl Iterator<Item = (&Binding, u32)> {
        let slots = self.spans.values().filter_map(|(_, id)| self.slot(*id));
        slots.filter(|slot| slot.routed != 0).map(|slot| (&slot.binding, slot.routed))
    }

    fn find(&self, resource: Resource) -> Option<u32> {
        let span = Span::from(resource);
        let (len, id) = self.spans.get(&span.first)?;
        let same = self.slot(*id).is_some_and(|slot| slot.binding.resource == resource);
        (*len == span.len() && same).then_some(*id)
    }

    fn slot(&self, id: u32) -> Option<&Slot> {
        self.slots.get(id as usize)?.as_ref()
    }
}

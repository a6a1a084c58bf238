//! Address space that leases come out of, and the choice of a free piece.
//!
//! Where a client's lease lies follows from a hash of its DUID, its IAID and the router's own DUID, so that the same
//! client is most probably given the same again even when the binding was lost, and different clients seldom want the
//! same. A few such places are tried; then the first free one behind the first place is taken.

use super::Resource;
use super::bindings::Table;
use crate::net::{Instant, Lifetimes, Prefix};
use std::cell::Cell;
use std::net::Ipv6Addr;

/// Places that a hash picks before the search goes through the space in order: in a space that is half full, one of
/// 256 clients gets that far.
const PLACES: u64 = 8;

/// A stretch of addresses, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) first: u128,
    pub(super) last: u128,
}

impl Span {
    /// The prefix of `len` bits that starts at `first`.
    pub(super) fn of_len(first: u128, len: u8) -> Span {
        Span { first, last: first | u128::MAX.checked_shr(len.into()).unwrap_or(0) }
    }

    /// Its length in bits, if it is a prefix.
    pub(super) fn len(&self) -> u8 {
        u8::try_from((self.last - self.first).leading_zeros()).unwrap_or(128)
    }

    pub(super) fn overlaps(&self, other: Span) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub(super) fn covers(&self, other: Span) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl From<Prefix> for Span {
    fn from(prefix: Prefix) -> Span {
        Span { first: prefix.addr().into(), last: prefix.last().into() }
    }
}

impl From<Ipv6Addr> for Span {
    fn from(addr: Ipv6Addr) -> Span {
        Span { first: addr.into(), last: addr.into() }
    }
}

impl From<Resource> for Span {
    fn from(resource: Resource) -> Span {
        match resource {
            Resource::Address(addr) => addr.into(),
            Resource::Prefix(prefix) => prefix.into(),
        }
    }
}

/// Spans in order that don't touch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spans(Vec<Span>);

impl Spans {
    pub(super) fn new(mut spans: Vec<Span>) -> Spans {
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(before) if span.first <= before.last.saturating_add(1) => before.last = before.last.max(span.last),
                _ => merged.push(span),
            }
        }
        Spans(merged)
    }

    /// The first one that overlaps `span`.
    pub(super) fn hit(&self, span: Span) -> Option<Span> {
        let index = self.0.partition_point(|other| other.last < span.first);
        self.0.get(index).copied().filter(|other| other.overlaps(span))
    }
}

/// An on-link /64, or a prefix that others are delegated out of.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// The whole.
    pub(super) prefix: Prefix,
    /// How long it may be used.
    pub(super) lifetimes: Lifetimes,
    /// The part that leases may lie in when nothing is reserved.
    pub(super) open: Span,
    /// What nobody gets.
    pub(super) never: Spans,
    /// What only known hosts get.
    pub(super) reserved: Spans,
    /// The longest length that was last looked for in vain, and [`Table::freed`] then: until something is given back,
    /// nobody has to go through a full space again.
    pub(super) in_vain: Cell<Option<(u8, u64)>>,
}

impl Space {
    /// Whether new leases may come out of it.
    pub(super) fn is_live(&self, now: Instant) -> bool {
        self.lifetimes.preferred.remaining(now) > 0
    }

    /// Whether anybody may have this; free or not.
    pub(super) fn permits(&self, span: Span) -> bool {
        self.open.covers(span) && self.never.hit(span).is_none() && self.reserved.hit(span).is_none()
    }

    /// Whether the host it is reserved for may have this.
    pub(super) fn permits_reserved(&self, span: Span) -> bool {
        Span::from(self.prefix).covers(span) && self.never.hit(span).is_none()
    }

    /// A free prefix of `len` bits (128: an address), where neither `table` nor `taken` has anything.
    pub(super) fn free(&self, len: u8, place: u64, table: &Table, taken: &[Span]) -> Option<Span> {
        let freed = table.freed();
        if self.in_vain.get().is_some_and(|(longest, then)| len <= longest && then == freed) {
            return None;
        }
        let found = self.search(len, place, table, taken);
        if found.is_none() && taken.is_empty() {
            self.in_vain.set(Some((len, freed)));
        }
        found
    }

    fn search(&self, len: u8, place: u64, table: &Table, taken: &[Span]) -> Option<Span> {
        let size = 1u128.checked_shl(128 - u32::from(len))?;
        let start = align(self.open.first, size)?;
        let last_index = self.open.last.checked_sub(start)?.checked_sub(size - 1)? / size;
        let count = last_index.min(u64::MAX.into()) + 1;
        let at = |place: u64| {
            // scaled, not modulo: the upper bits of a hash are its best; a product of two 64-bit numbers at most
            let index = u128::from(place).saturating_mul(count) >> 64;
            Span::of_len(start + index * size, len)
        };
        let is_free = |span: &Span| {
            self.never.hit(*span).is_none()
                && self.reserved.hit(*span).is_none()
                && !taken.iter().any(|other| other.overlaps(*span))
                && !table.overlaps(*span)
        };
        let places = (0..PLACES).map(|nth| at(finish(place.wrapping_add(nth))));
        let first = at(finish(place)).first;
        places.into_iter().find(is_free).or_else(|| {
            let behind = Span { first, last: self.open.last };
            let before = Span { first: start, last: first.checked_sub(1)? };
            self.first_free(behind, len, size, table, taken)
                .or_else(|| self.first_free(before, len, size, table, taken))
        })
    }

    fn first_free(&self, within: Span, len: u8, size: u128, table: &Table, taken: &[Span]) -> Option<Span> {
        let mut cursor = within.first;
        let mut bound = table.spans_from(cursor).peekable();
        loop {
            let span = Span::of_len(cursor, len);
            if !within.covers(span) {
                return None;
            }
            while bound.next_if(|other| other.last < cursor).is_some() {}
            let hit = bound.peek().copied().filter(|other| other.overlaps(span));
            let hit = hit.or_else(|| self.never.hit(span)).or_else(|| self.reserved.hit(span));
            match hit.or_else(|| taken.iter().copied().find(|other| other.overlaps(span))) {
                None => return Some(span),
                Some(other) => cursor = align(other.last.checked_add(1)?, size)?,
            }
        }
    }
}

fn align(value: u128, size: u128) -> Option<u128> {
    value.checked_add(size - 1).map(|value| value & !(size - 1))
}

/// A hash that stays the same for ever, since leases are found by it after a restart. Not for secrets.
pub(super) fn hash(key: u64, bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| chunk.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte)));
    let start = key ^ (bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    finish(words.fold(start, |state, word| {
        let state = (state ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        state ^ state >> 32
    }))
}

/// Spreads every bit of `x` over all of them (splitmix64).
fn finish(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn space(open: Span, never: Vec<Span>) -> Space {
        Space {
            prefix: Prefix::ALL,
            lifetimes: Lifetimes::FOREVER,
            open,
            never: Spans::new(never),
            reserved: Spans::default(),
            in_vain: Cell::default(),
        }
    }

    #[test]
    fn spans_are_merged_and_found() {
        let spans = Spans::new(vec![
            Span { first: 20, last: 29 },
            Span { first: 0, last: 3 },
            Span { first: 4, last: 4 },
            Span { first: 22, last: 40 },
        ]);
        assert_eq!(spans.0, [Span { first: 0, last: 4 }, Span { first: 20, last: 40 }]);
        assert_eq!(spans.hit(Span { first: 5, last: 19 }), None);
        assert_eq!(spans.hit(Span { first: 5, last: 20 }), Some(Span { first: 20, last: 40 }));
        assert_eq!(spans.hit(Span { first: 41, last: 99 }), None);
        assert_eq!(spans.hit(Span { first: u128::MAX, last: u128::MAX }), None);
    }

    #[test]
    fn the_ends_of_the_address_space_are_no_trouble() {
        let table = Table::new(0);
        let all = space(Span { first: 0, last: u128::MAX }, vec![]);
        for len in [1, 64, 128] {
            assert_eq!(all.free(len, 1, &table, &[]).unwrap().len(), len);
        }
        assert_eq!(all.free(0, 1, &table, &[]), None);
        let last = space(Span { first: u128::MAX, last: u128::MAX }, vec![]);
        assert_eq!(last.free(128, 1, &table, &[]), Some(Span { first: u128::MAX, last: u128::MAX }));
        assert_eq!(last.free(127, 1, &table, &[]), None);
        let nearly = space(Span { first: u128::MAX - 1, last: u128::MAX }, vec![Span { first: 1, last: u128::MAX }]);
        assert_eq!(nearly.free(128, 1, &table, &[]), None);
    }

    proptest! {
        /// Against the simplest search there is, in a space of 256 addresses.
        #[test]
        fn what_is_free_is_found(
            never in prop::collection::vec((0..256u128, 0..9u128), 0..20),
            taken in prop::collection::vec((0..256u128, 123..=128u8), 0..20),
            first in 0..128u128, size in 0..128u128, len in 121..=128u8, place: u64
        ) {
            let never: Vec<Span> = never.into_iter().map(|(first, more)| Span { first, last: first + more }).collect();
            let taken: Vec<Span> =
                taken.into_iter().map(|(at, len)| Span::of_len(at & !Span::of_len(0, len).last, len)).collect();
            let open = Span { first, last: first + size };
            let space = space(open, never.clone());
            let is_free = |span: &Span| open.covers(*span) && !never.iter().chain(&taken).any(|s| s.overlaps(*span));
            let found = space.free(len, place, &Table::new(0), &taken);
            prop_assert_eq!(found, space.free(len, place, &Table::new(0), &taken));
            match found {
                Some(span) => prop_assert!(is_free(&span) && span.len() == len && span == Span::of_len(span.first, len)),
                None => {
                    let size = 1u128 << (128 - len);
                    let all = (0..256 / size).map(|index| Span::of_len(index * size, len));
                    prop_assert_eq!(all.filter(|span| is_free(span)).collect::<Vec<_>>(), vec![]);
                }
            }
        }
    }
}

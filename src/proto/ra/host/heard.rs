//! A bounded table of what routers announce.

use crate::net::{Instant, Until};
use std::net::Ipv6Addr;

/// Who says something, and whom we listen to first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker {
    /// The router that speaks.
    pub(super) router: Ipv6Addr,
    /// The router in use.
    pub(super) in_use: Option<Ipv6Addr>,
}

/// Something announced.
#[derive(Clone, Debug)]
pub(super) struct Entry<K, V> {
    pub(super) key: K,
    /// Which router announced it.
    pub(super) router: Ipv6Addr,
    /// When it ends.
    pub(super) until: Until,
    pub(super) value: V,
}

/// Things announced, by key, at most `most`; in the order they were first heard.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: Vec<Entry<K, V>>,
    most: usize,
}

impl<K: PartialEq, V> Table<K, V> {
    pub(super) fn new(most: usize) -> Table<K, V> {
        Table { entries: Vec::new(), most }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<K, V>> {
        self.entries.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<K, V>> {
        self.entries.iter_mut()
    }

    pub(super) fn get(&self, key: &K) -> Option<&Entry<K, V>> {
        self.entries.iter().find(|entry| entry.key == *key)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Whether `speaker` may change what is there under `key`: what the router in use announces is its own.
    pub(super) fn may_change(&self, key: &K, speaker: Speaker) -> bool {
        let owner = self.get(key).map(|entry| entry.router);
        owner.is_none_or(|owner| owner == speaker.router || Some(owner) != speaker.in_use)
    }

    /// Takes in what `speaker` says. False if there is no room for it.
    pub(super) fn put(&mut self, key: K, speaker: Speaker, until: Until, value: V, now: Instant) -> bool {
        if !self.may_change(&key, speaker) {
            return true;
        }
        let Speaker { router, in_use } = speaker;
        let place = self.entries.iter().position(|entry| entry.key == key);
        if until.is_over(now) {
            place.map(|place| self.entries.remove(place));
            return true;
        }
        let entry = Entry { key, router, until, value };
        if let Some(old) = place.and_then(|place| self.entries.get_mut(place)) {
            *old = entry;
            return true;
        }
        self.end(now);
        if Some(router) == in_use {
            if self.entries.len() >= self.most {
                let Some(other) = self.entries.iter().rposition(|entry| Some(entry.router) != in_use) else {
                    return false;
                };
                self.entries.remove(other);
            }
        } else {
            let others = self.entries.iter().filter(|entry| Some(entry.router) != in_use).count();
            if others >= self.most / 2 || self.entries.len() >= self.most {
                return false;
            }
        }
        self.entries.push(entry);
        true
    }

    /// Removes what is over.
    pub(super) fn end(&mut self, now: Instant) {
        self.entries.retain(|entry| !entry.until.is_over(now));
    }

    /// When the next one is over.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.entries.iter().filter_map(|entry| if let Until::At(end) = entry.until { Some(end) } else { None }).min()
    }
}

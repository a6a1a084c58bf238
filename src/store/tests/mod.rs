//! What a store keeps through kills, power cuts and bad disks.

mod crash;
mod damage;
mod flash;
mod remembered;

use super::fake::Fake;
use super::*;
use crate::net::{Duid, Lifetimes, Prefix, Until};
use crate::proto::dhcp6::{Resource, State};
use std::net::Ipv6Addr;

/// One hour, as a lifetime.
const HOUR: u32 = 3600;
/// The moment that most tests begin at.
const START: Instant = Instant(1_000_000);

fn binding(resource: u64, client: u8, seconds: u32, now: Instant) -> Binding {
    let preferred = if seconds == u32::MAX { seconds } else { seconds / 2 };
    let addr = Ipv6Addr::from(0x2001_0db8 << 96 | u128::from(resource));
    Binding {
        resource: match resource % 4 {
            0 => Resource::Prefix(Prefix::new(addr, 126).unwrap()),
            _ => Resource::Address(addr),
        },
        client: Duid::new(&[0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, client]).unwrap(),
        iaid: 7,
        lan: "home".into(),
        via: "fe80::1".parse().unwrap(),
        lifetimes: Lifetimes::new(Until::from_wire(preferred, now), Until::from_wire(seconds, now)),
        state: State::Bound,
        hostname: "laptop".into(),
    }
}

fn put(resource: u64, client: u8, seconds: u32, now: Instant) -> Record {
    Record::Put(binding(resource, client, seconds, now))
}

fn delete(resource: u64) -> Record {
    Record::Delete(binding(resource, 0, 0, START).resource)
}

/// A router as the store sees it: its table of bindings, and the turns of its loop.
struct Router {
    store: Store<Fake>,
    table: BTreeMap<Key, Binding>,
}

impl Router {
    fn new(seed: u64) -> Router {
        Router::start(Fake::new(seed), "one", START).0
    }

    fn start(fake: Fake, boot: &str, now: Instant) -> (Router, Found) {
        let (store, found) = Store::open(fake, boot, now);
        let table = found.bindings.iter().map(|binding| (key(&binding.resource), binding.clone())).collect();
        (Router { store, table }, found)
    }

    /// One turn of the daemon.
    fn turn(&mut self, records: &[Record], now: Instant) -> Result<(), String> {
        for record in records {
            match record {
                Record::Put(binding) => self.table.insert(key(&binding.resource), binding.clone()),
                Record::Delete(resource) => self.table.remove(&key(resource)),
            };
        }
        let result = self.store.commit(records, now);
        if self.store.needs_compaction() {
            self.store.compact(self.table.values(), now);
        }
        if self.store.flash_due(now) {
            self.store.flush(self.table.values(), now);
        }
        self.store.tick(now);
        result
    }

    /// Lets time pass, waking up only when the store asks for it.
    fn sleep(&mut self, from: Instant, to: Instant) {
        let mut at = from;
        for _ in 0..100_000 {
            let Some(next) = self.store.poll_at().filter(|next| *next <= to) else { return };
            at = at.max(next);
            self.turn(&[], at).unwrap();
        }
        panic!("the store never sleeps");
    }

    fn stop(mut self, now: Instant) -> Fake {
        self.store.shutdown(self.table.values(), now);
        self.store.into_medium()
    }

    fn killed(self) -> Fake {
        let mut fake = self.store.into_medium();
        fake.kill();
        fake
    }

    fn cut(self) -> Fake {
        let mut fake = self.store.into_medium();
        fake.power_cut();
        fake
    }

    fn bindings(&self) -> Vec<Binding> {
        self.table.values().cloned().collect()
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

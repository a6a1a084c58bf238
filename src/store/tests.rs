//! What a store keeps through kills, power cuts and bad disks.

use super::fake::Fake;
use super::*;
use crate::net::{Duid, Lifetimes, Prefix, Until};
use crate::proto::dhcp6::{Resource, State};
use std::net::Ipv6Addr;

const HOUR: u32 = 3600;
/// The moment that most tests begin at.
const START: Instant = Instant(1_000_000);

fn addr(host: u64) -> Ipv6Addr {
    Ipv6Addr::from(0x2001_0db8_0000_0000_0000_0000_0000_0000_u128 | u128::from(host))
}

fn binding(resource: u64, client: u8, seconds: u32, now: Instant) -> Binding {
    let resource = if resource.is_multiple_of(3) {
        Resource::Prefix(Prefix::new(addr(resource), 126).unwrap())
    } else {
        Resource::Address(addr(resource))
    };
    Binding {
        resource,
        client: Duid::new(&[0, 3, 0, 1, 2, 0, 0x5e, 0, 0x53, client]).unwrap(),
        iaid: 7,
        lan: "home".into(),
        via: "fe80::1".parse().unwrap(),
        lifetimes: Lifetimes::new(Until::from_wire(seconds / 2, now), Until::from_wire(seconds, now)),
        state: State::Bound,
        hostname: "laptop".into(),
    }
}

fn put(resource: u64, client: u8, seconds: u32, now: Instant) -> Record {
    Record::Put(binding(resource, client, seconds, now))
}

fn open(fake: Fake, boot: &str, now: Instant) -> (Store<Fake>, Found) {
    Store::open(fake, boot, now)
}

fn fresh() -> Store<Fake> {
    open(Fake::new(1), "one", START).0
}

#[test]
fn a_committed_binding_survives_kill_9() {
    let mut store = fresh();
    let records = [put(1, 1, HOUR, START), put(3, 2, HOUR, START), put(2, 3, u32::MAX, START)];
    store.commit(&records, START).unwrap();
    store.commit(&[Record::Delete(binding(1, 1, 0, START).resource)], START).unwrap();
    let (_, found) = open(store.into_medium(), "one", START.after_secs(60));
    assert_eq!(found.reports, Vec::<String>::new());
    let mut expected = vec![binding(3, 2, HOUR, START), binding(2, 3, u32::MAX, START)];
    expected.sort_by_key(|binding| key(&binding.resource));
    assert_eq!(found.bindings, expected);
}

//! Kills at any point, and disks that refuse.

use super::*;
use crate::store::fake::Fault;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn a_committed_binding_survives_kill_9() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START), put(4, 2, HOUR, START), put(2, 3, u32::MAX, START)], START).unwrap();
    router.turn(&[delete(1)], START).unwrap();
    let expected = router.bindings();
    let (_, found) = Router::start(router.killed(), "one", START.after_secs(60));
    assert_eq!(found.reports, none());
    assert_eq!(found.bindings, expected);
    assert_eq!(found.bindings.len(), 2);
}

#[test]
fn every_field_of_a_binding_is_kept() {
    let mut router = Router::new(1);
    let odd = Binding {
        lan: "living room".into(),
        hostname: "gästebad-%2d\n- ".into(),
        state: State::Declined,
        iaid: u32::MAX,
        client: Duid::new(&[0xff; 130]).unwrap(),
        lifetimes: Lifetimes::new(Until::At(Instant(5)), Until::Forever),
        ..binding(1, 1, HOUR, START)
    };
    let plain = Binding { hostname: "".into(), state: State::Registered, ..binding(4, 1, 0, START) };
    router.turn(&[Record::Put(odd), Record::Put(plain)], START).unwrap();
    let expected = router.bindings();
    assert_eq!(Router::start(router.killed(), "one", START).1.bindings, expected);
}

#[test]
fn an_address_is_no_prefix_of_128_bits() {
    let mut router = Router::new(1);
    let address = binding(1, 1, HOUR, START);
    let Resource::Address(addr) = address.resource else { panic!() };
    let prefix = Binding { resource: Resource::Prefix(Prefix::new(addr, 128).unwrap()), ..address.clone() };
    router.turn(&[Record::Put(address), Record::Put(prefix)], START).unwrap();
    assert_eq!(Router::start(router.killed(), "one", START).1.bindings.len(), 2);
}

#[test]
fn the_file_in_tmpfs_stays_small_and_each_change_is_rewritten_less_than_once() {
    let mut router = Router::new(1);
    let mut now = START;
    let (mut largest, mut rewritten) = (0, 0);
    for round in 0..20_000_u64 {
        now = now.after_secs(1);
        let before = router.store.journal.snapshot;
        router.turn(&[put(round % 500, 1, HOUR, now)], now).unwrap();
        let Journal { len, snapshot, .. } = router.store.journal;
        largest = largest.max(len);
        rewritten += if len == snapshot && before != snapshot { 500 } else { 0 };
    }
    let snapshot = router.store.journal.snapshot;
    assert!(largest < 3 * snapshot + COMPACT_BYTES + 500, "{largest} bytes, of which {snapshot} are needed");
    assert!(rewritten < 20_000, "{rewritten}");
}

#[test]
fn a_full_tmpfs_refuses_all_of_a_turn_and_recovers_by_itself() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    let size = router.store.medium().bytes(File::RunBindings).unwrap().len();
    // room for one and a half
    router.store.medium_mut().run = Fault { capacity: Some(size + 220), read_only: false };
    let error = router.turn(&[put(2, 2, HOUR, START), put(3, 3, HOUR, START)], START).unwrap_err();
    assert!(error.contains("run/journal") && error.contains("no space"), "{error}");
    assert_eq!(router.store.reports().collect::<Vec<_>>(), [&error]);
    assert_eq!(router.store.status(START)["journal"]["error"], error);
    let (_, found) = Router::start(router.store.medium().clone(), "one", START);
    assert_eq!(found.bindings, [binding(1, 1, HOUR, START)], "nothing is half there");

    // the client asks again, in vain
    assert!(router.turn(&[put(2, 2, HOUR, START)], START).is_ok(), "a small one fits");
    router.sleep(START, START.after_secs(10));
    assert_eq!(router.store.reports().count(), 1, "the file can't be written anew");
    router.store.medium_mut().run = Fault::default();
    router.sleep(START.after_secs(10), START.after_secs(20));
    assert_eq!(router.store.reports().count(), 0);
    let expected = router.bindings();
    assert_eq!(Router::start(router.killed(), "one", START).1.bindings, expected);
}

#[test]
fn a_tmpfs_that_is_full_from_the_start_gives_no_leases_until_there_is_room() {
    let mut fake = Fake::new(1);
    fake.run.read_only = true;
    let (mut router, found) = Router::start(fake, "one", START);
    assert_eq!(found.reports, none(), "what is wrong now stands in reports()");
    assert_eq!(router.store.reports().count(), 1);
    assert!(router.turn(&[put(1, 1, HOUR, START)], START).is_err());
    router.store.medium_mut().run.read_only = false;
    router.sleep(START, START.after_secs(2));
    router.turn(&[put(2, 2, HOUR, START)], START).unwrap();
    let expected = router.bindings();
    let (_, found) = Router::start(router.killed(), "one", START);
    assert_eq!(found.bindings, expected);
}

#[test]
fn a_write_cut_short_by_a_kill_is_cut_off_in_silence() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    let before = router.bindings();
    for cut in 0.. {
        let mut fake = router.store.medium().clone();
        let mut bytes = fake.bytes(File::RunBindings).unwrap().clone();
        let whole = bytes.len();
        bindings::put(&mut bytes, &binding(2, 2, HOUR, START), HOUR);
        if whole + cut >= bytes.len() - 1 {
            break;
        }
        bytes.truncate(whole + cut);
        fake.put(File::RunBindings, bytes);
        let (_, found) = Router::start(fake, "one", START);
        assert_eq!(found.reports, none(), "cut after {cut} bytes");
        assert_eq!(found.bindings, before);
    }
}

/// What a life consists of.
#[derive(Clone, Debug)]
enum Step {
    /// These resources go to these clients.
    Turn(Vec<(u64, Option<u8>)>),
    Wait(u64),
    Compact,
    Flush,
    Full(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec((0_u64..12, prop::option::weighted(0.8, 0_u8..5)), 1..6).prop_map(Step::Turn),
        2 => (0_u64..4000).prop_map(Step::Wait),
        1 => Just(Step::Compact),
        1 => Just(Step::Flush),
        1 => any::<bool>().prop_map(Step::Full),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The process is killed in the middle of anything, five times in its life. Of each resource, the next one knows
    /// what was last committed, or something that was refused or under way since.
    #[test]
    fn a_kill_at_any_point_loses_no_committed_binding(
        steps in prop::collection::vec(step(), 1..60),
        kills in prop::collection::vec(0_u32..60, 5),
        seed: u64,
    ) {
        let mut fake = Fake::new(seed);
        let mut kills = kills.into_iter();
        fake.dies_after = kills.next();
        let (mut router, _) = Router::start(fake, "one", START);
        let mut allowed: BTreeMap<Key, BTreeSet<Option<u8>>> = BTreeMap::new();
        let mut now = START;
        let client = |binding: &Binding| binding.client.as_bytes()[9];
        for step in steps {
            now = now.after_secs(1);
            match step {
                Step::Turn(turn) => {
                    let records: Vec<_> = turn
                        .iter()
                        .map(|(resource, client)| client.map_or(delete(*resource), |client| put(*resource, client, HOUR, now)))
                        .collect();
                    let committed = router.turn(&records, now).is_ok();
                    for (resource, client) in turn {
                        let allowed = allowed.entry(key(&binding(resource, 0, 0, now).resource)).or_insert([None].into());
                        if committed {
                            allowed.clear();
                        }
                        allowed.insert(client);
                    }
                }
                Step::Wait(seconds) => now = now.after_secs(seconds),
                Step::Compact => router.store.compact(router.table.values(), now),
                Step::Flush => router.store.flush(router.table.values(), now),
                Step::Full(full) => router.store.medium_mut().run.capacity = full.then_some(3000),
                Step::Restart => {
                    let (next, found) = Router::start(router.stop(now), "one", now);
                    prop_assert_eq!(found.reports, none());
                    router = next;
                }
            }
            if router.store.medium().dies_after == Some(0) {
                let mut fake = router.killed();
                fake.dies_after = kills.next();
                let (next, found) = Router::start(fake, "one", now);
                prop_assert_eq!(found.reports, none());
                router = next;
                for (key, allowed) in &allowed {
                    let found = router.table.get(key).map(client);
                    prop_assert!(allowed.contains(&found), "{:?} is not in {:?}", found, allowed);
                }
                // what was under way is known now
                for (key, allowed) in &mut allowed {
                    *allowed = [router.table.get(key).map(client)].into();
                }
            }
        }
    }
}

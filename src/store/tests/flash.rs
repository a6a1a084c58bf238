//! What reaches flash, when, and what a reboot or a power cut makes of it.

use super::*;
use crate::net::Rng;
use proptest::prelude::*;

const DAY: u64 = 86_400;

#[test]
fn a_new_binding_reaches_flash_after_two_seconds_of_quiet() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.turn(&[put(2, 1, HOUR, START)], START.after_secs(1)).unwrap();
    assert_eq!(router.store.poll_at(), Some(START.after_secs(3)));
    router.turn(&[], START.after_secs(2)).unwrap();
    assert_eq!(router.store.medium().flash_writes, 0);
    router.turn(&[], START.after_secs(3)).unwrap();
    assert_eq!(router.store.medium().flash_writes, 1);
    assert_eq!(router.store.poll_at(), None);
    let (_, found) = Router::start(router.cut(), "two", Instant(5000));
    assert_eq!(found.bindings.len(), 2);
}

#[test]
fn renewals_write_no_flash() {
    let mut router = Router::new(1);
    let mut now = START;
    for _ in 0..2 * DAY / 1800 {
        let records: Vec<_> = (0..50).map(|resource| put(resource, 1, HOUR, now)).collect();
        router.turn(&records, now).unwrap();
        router.sleep(now, now.after_secs(1800));
        now = now.after_secs(1800);
    }
    assert_eq!(router.store.medium().flash_writes, 1);
}

#[test]
fn what_changes_for_a_binding_but_its_lifetime_reaches_flash_soon() {
    let change: [fn(&mut Binding); 6] = [
        |binding| binding.client = Duid::new(&[0, 4, 9]).unwrap(),
        |binding| binding.iaid += 1,
        |binding| binding.lan = "guests".into(),
        |binding| binding.via = "fe80::2".parse().unwrap(),
        |binding| binding.state = State::Declined,
        |binding| binding.hostname = "printer".into(),
    ];
    for change in change {
        let mut router = Router::new(1);
        let mut binding = binding(1, 1, HOUR, START);
        router.turn(&[Record::Put(binding.clone())], START).unwrap();
        router.sleep(START, START.after_secs(60));
        change(&mut binding);
        router.turn(&[Record::Put(binding.clone())], START.after_secs(60)).unwrap();
        router.sleep(START.after_secs(60), START.after_secs(62));
        let (_, found) = Router::start(router.cut(), "two", START);
        assert_eq!(
            found.bindings.first().map(|found| Binding { lifetimes: binding.lifetimes, ..found.clone() }),
            Some(binding)
        );
    }
}

#[test]
fn releases_and_longer_lifetimes_wait_for_company_and_much_longer_ones_do_not() {
    for (record, seconds) in [
        (delete(1), 3600),
        (put(1, 1, HOUR * 3 / 2, START.after_secs(60)), 3600),
        (put(1, 1, HOUR * 3, START.after_secs(60)), 2),
        (put(1, 1, u32::MAX, START.after_secs(60)), 2),
    ] {
        let mut router = Router::new(1);
        router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
        router.sleep(START, START.after_secs(60));
        router.turn(&[record], START.after_secs(60)).unwrap();
        assert_eq!(router.store.poll_at(), Some(START.after_secs(60 + seconds)));
    }
}

#[test]
fn a_day_of_churn_costs_no_more_flash_writes_than_the_allowance() {
    let mut rng = Rng::new(7);
    let mut router = Router::new(1);
    let mut now = START;
    while now < START.after_secs(DAY) {
        let records: Vec<_> = (0..rng.between(1, 4))
            .map(|_| match rng.between(0, 3) {
                0 => delete(rng.between(0, 300)),
                _ => put(rng.between(0, 300), rng.between(0, 9) as u8, rng.between(60, 9000) as u32, now),
            })
            .collect();
        let _ = router.turn(&records, now);
        // a flash that is full now and then doesn't cost more
        router.store.medium_mut().flash.read_only = rng.between(0, 9) == 0;
        let next = now.after_secs(rng.between(1, 40));
        router.sleep(now, next);
        now = next;
    }
    let writes = router.store.medium().flash_writes;
    assert!((100..=24 * 12 + 4).contains(&writes), "{writes}");
    assert_eq!(router.store.status(now)["flash_writes"], writes);
}

#[test]
fn a_daemon_that_is_killed_again_and_again_does_not_get_the_full_allowance_each_time() {
    let mut router = Router::new(1);
    let mut now = START;
    for round in 0..100 {
        router.turn(&[put(round, 1, HOUR, now)], now).unwrap();
        router.sleep(now, now.after_secs(5));
        now = now.after_secs(5);
        router = Router::start(router.killed(), "one", now).0;
    }
    assert!(router.store.medium().flash_writes <= 101, "{}", router.store.medium().flash_writes);
}

#[test]
fn after_a_reboot_in_order_a_binding_has_what_was_left_of_it() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START), put(2, 1, u32::MAX, START)], START).unwrap();
    let mut fake = router.stop(START.after_secs(600));
    fake.power_cut();
    let boot = Instant(7_000);
    let (mut router, found) = Router::start(fake, "two", boot);
    let [one, two] = found.bindings.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.lifetimes, Lifetimes::new(Until::At(boot.after_secs(1200)), Until::At(boot.after_secs(3000))));
    assert_eq!(two.lifetimes, Lifetimes::FOREVER);

    // from the first new promise on, flash must not believe that any more
    router.turn(&[put(1, 1, HOUR, boot)], boot).unwrap();
    router.sleep(boot, boot.after_secs(2));
    let (_, found) = Router::start(router.cut(), "three", boot);
    assert_eq!(found.bindings[0].lifetimes.valid, Until::At(boot.after_secs(HOUR.into())));
}

#[test]
fn a_stop_puts_renewals_on_flash_so_that_nothing_counts_in_full_after_a_reboot() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.sleep(START, START.after_secs(60));
    router.turn(&[put(1, 1, HOUR, START.after_secs(60))], START.after_secs(60)).unwrap();
    let mut fake = router.stop(START.after_secs(660));
    fake.power_cut();
    let (_, found) = Router::start(fake, "two", START);
    assert_eq!(found.bindings[0].lifetimes.valid, Until::At(START.after_secs(3000)));
}

#[test]
fn after_a_power_cut_a_promise_counts_in_full() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.sleep(START, START.after_secs(1000));
    let boot = Instant(7_000);
    let (mut router, found) = Router::start(router.cut(), "two", boot);
    let full = Lifetimes::new(Until::At(boot.after_secs(1800)), Until::At(boot.after_secs(3600)));
    assert_eq!(found.bindings[0].lifetimes, full);
    // in the same boot it is not counted again
    router.turn(&[], boot).unwrap();
    let (_, found) = Router::start(router.killed(), "two", boot.after_secs(99));
    assert_eq!(found.bindings[0].lifetimes, full);
}

#[test]
fn flash_that_lacks_renewals_ends_no_binding_when_tmpfs_is_emptied_under_a_running_boot() {
    let mut router = Router::new(1);
    let mut now = START;
    for _ in 0..10 {
        router.turn(&[put(1, 1, HOUR, now)], now).unwrap();
        router.sleep(now, now.after_secs(1800));
        now = now.after_secs(1800);
    }
    let (_, found) = Router::start(router.cut(), "one", now);
    assert_eq!(found.bindings[0].lifetimes.valid, Until::At(now.after_secs(3600)));
}

#[test]
fn a_boot_without_an_id_is_never_the_same() {
    let (mut router, _) = Router::start(Fake::new(1), "", START);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    let later = START.after_secs(600);
    let (_, found) = Router::start(router.killed(), "", later);
    assert_eq!(found.bindings[0].lifetimes.valid, Until::At(later.after_secs(3600)));
}

#[test]
fn nothing_is_written_at_a_stop_when_nothing_has_changed() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.sleep(START, START.after_secs(10));
    let fake = router.stop(START.after_secs(20));
    assert_eq!(fake.flash_writes, 1);
    let (router, _) = Router::start(fake, "one", START.after_secs(30));
    assert_eq!(router.stop(START.after_secs(40)).flash_writes, 1);
}

#[test]
fn what_a_kill_kept_from_flash_gets_there_after_the_restart() {
    let mut router = Router::new(1);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    let (mut router, _) = Router::start(router.killed(), "one", START);
    router.sleep(START, START.after_secs(2));
    let (mut router, found) = Router::start(router.cut(), "two", START);
    assert_eq!(found.bindings.len(), 1);
    // and a release likewise, though later
    router.turn(&[delete(1)], START).unwrap();
    let (mut router, _) = Router::start(router.killed(), "two", START);
    router.sleep(START, START.after_secs(3600));
    let (_, found) = Router::start(router.cut(), "three", START);
    assert_eq!(found.bindings, []);
}

#[test]
fn a_read_only_flash_is_reported_and_tried_again_until_it_is_writable() {
    let mut router = Router::new(1);
    router.store.medium_mut().flash.read_only = true;
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.sleep(START, START.after_secs(3000));
    let reports: Vec<_> = router.store.reports().cloned().collect();
    assert!(
        matches!(reports.as_slice(), [one] if one.contains("flash/bindings") && one.contains("read-only")),
        "{reports:?}"
    );
    assert_eq!(router.store.status(START)["bindings"]["error"], reports[0]);
    router.store.medium_mut().flash.read_only = false;
    router.sleep(START.after_secs(3000), START.after_secs(3400));
    assert_eq!(router.store.reports().count(), 0);
    assert_eq!(Router::start(router.cut(), "two", START).1.bindings.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Clients come and go for hours, then the power is cut, in the middle of a write or not.
    #[test]
    fn a_power_cut_loses_only_the_newest_bindings_and_shortens_none(
        seed: u64, count in 1_usize..400, pause in 1_u64..120, dies_after in prop::option::of(0_u32..2000),
    ) {
        let mut rng = Rng::new(seed);
        let mut router = Router::new(seed);
        router.store.medium_mut().dies_after = dies_after;
        let (mut now, mut given) = (START, BTreeMap::new());
        for _ in 0..count {
            let resource = rng.between(0, 60);
            let record = put(resource, resource as u8, HOUR * (1 + resource as u32 % 5), now);
            if router.turn(std::slice::from_ref(&record), now).is_err() {
                break;
            }
            let Record::Put(binding) = record else { unreachable!() };
            given.entry(key(&binding.resource)).or_insert((now, binding.clone())).1 = binding.clone();
            if router.store.medium().dies_after == Some(0) {
                break;
            }
            let next = now.after_secs(rng.between(0, pause));
            if dies_after.is_none() {
                router.sleep(now, next);
            }
            now = next;
        }
        let slept = dies_after.is_none();
        let boot = Instant(rng.between(0, 100_000));
        let (router, found) = Router::start(router.cut(), "two", boot);
        prop_assert_eq!(found.reports, none());
        for (key, (first, binding)) in given {
            match router.table.get(&key) {
                Some(found) => {
                    prop_assert_eq!(&found.client, &binding.client);
                    prop_assert!(found.lifetimes.valid.remaining(boot) >= binding.lifetimes.valid.remaining(now));
                    prop_assert!(found.lifetimes.preferred.remaining(boot) >= binding.lifetimes.preferred.remaining(now));
                }
                None => prop_assert!(!slept || now.since(first).as_secs() <= 310, "lost after {:?}", now.since(first)),
            }
        }
    }
}

use super::*;

// MUST RFC 7559 §2: solicitations go on until a default router is heard, 4 s apart at first, an hour at most
// SHOULD RFC 4861 §6.3.7: the first solicitation waits for a random time of up to a second
#[test]
fn routers_are_asked_later_and_later_but_for_ever() {
    let mut first = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let mut rig = Rig::with(config(), seed);
        rig.pass(86_400_000);
        first.insert(rig.asked[0].since(START).as_millis());
        let waits: Vec<u64> = rig.asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!((3_600..=4_400).contains(&waits[0]), "{waits:?}");
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0] || pair[1] > 3_200_000), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= 3_960_000) && waits.len() > 25, "{waits:?}");
    }
    assert!(first.len() > 20 && *first.last().unwrap() <= 1_000);
}

// MUST RFC 4861 §6.3.7: once a default router has answered, no more solicitations are sent
#[test]
fn a_default_router_ends_the_asking_and_one_that_is_none_does_not() {
    let mut rig = Rig::new();
    rig.pass(1_000);
    rig.hear(router(1), &Advertisement::default());
    rig.pass(60_000);
    let asked = rig.asked.len();
    assert!(asked > 3, "a router that is no default router is no answer (RFC 7559 §2.1)");
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(1_300_000);
    assert_eq!(rig.asked.len(), asked);
}

#[test]
fn a_router_that_only_speaks_when_asked_is_asked_before_its_lifetime_ends() {
    let mut rig = Rig::new();
    for _ in 0..50 {
        let asked = rig.asked.len();
        while rig.asked.len() == asked {
            rig.pass(1_000);
            assert!(rig.in_use().is_some() || asked == 0);
        }
        rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 1200, 1000)]));
        assert!(rig.learned().addresses[0].lifetimes.preferred > Until::At(rig.now));
    }
    let waits: Vec<u64> = rig.asked.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert!(waits.iter().all(|wait| (700..=760).contains(wait)), "three quarters of 1000 s: {waits:?}");
}

#[test]
fn asking_in_vain_for_a_router_that_fell_silent_gets_rarer_and_does_not_end() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(1_800_000);
    assert!((4..12).contains(&rig.asked.len()), "{:?}", rig.asked);
    assert_eq!(rig.in_use(), None);
    let asked = rig.asked.len();
    rig.pass(86_400_000);
    assert!((20..45).contains(&(rig.asked.len() - asked)), "{}", rig.asked.len() - asked);
    assert!(rig.host.poll_at().is_some());
}

#[test]
fn a_link_that_flaps_is_asked_every_four_seconds_at_most() {
    let mut rig = Rig::new();
    for _ in 0..1000 {
        rig.event(Event::LinkUp);
        rig.pass(50);
    }
    assert!(rig.asked.len() <= 14, "{}", rig.asked.len());
    rig.pass(1_000);
    assert!(rig.asked.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_millis(3_600)));
}

#[test]
fn a_lifetime_of_one_second_does_not_make_us_loud() {
    let mut rig = Rig::new();
    for _ in 0..1000 {
        rig.hear(router(1), &Advertisement { router_lifetime: 1, ..advertisement(vec![pio("2001:db8::/64", 1, 1)]) });
        rig.pass(500);
    }
    assert!(rig.asked.len() < 130, "{}", rig.asked.len());
}

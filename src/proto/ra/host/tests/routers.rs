use super::*;

// MUST RFC 4861 §6.1.2: an advertisement from no link-local address, with another hop limit, or with a code, is discarded
// MUST RFC 6980 §5: an advertisement that came in fragments is ignored
#[test]
fn what_is_no_valid_advertisement_changes_nothing() {
    let mut rig = Rig::new();
    let good = advertisement(vec![pio("2001:db8::/64", 3600, 1800)]).encode().unwrap();
    let mut coded = good.clone();
    coded[1] = 1;
    let mut empty_option = good.clone();
    empty_option[17] = 0;
    rig.raw(a("2001:db8::1"), 255, false, &good);
    rig.raw(router(1), 254, false, &good);
    rig.raw(router(1), 255, true, &good);
    rig.raw(router(1), 255, false, &coded);
    rig.raw(router(1), 255, false, &empty_option);
    rig.raw(router(1), 255, false, &good[..15]);
    rig.raw(router(1), 255, false, &[]);
    assert_eq!(rig.learned(), Learned::default());
    assert_eq!((rig.changes, rig.host.status(rig.now).advertisements), (0, 0));
    assert_eq!(rig.host.status(rig.now).drops.iter().map(|(_, count)| count).sum::<u64>(), 7);
    rig.raw(router(1), 255, false, &good);
    assert_eq!((rig.changes, rig.learned().routers.len()), (1, 1));
}

#[test]
fn our_own_advertisement_is_no_router() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![NdOption::SourceLink(config().mac.unwrap())]));
    assert_eq!((rig.in_use(), rig.dropped("our own advertisement")), (None, 1));
}

// MUST RFC 4861 §6.3.4: the lifetime of a router that is known is set anew by each advertisement
// MUST RFC 4861 §6.3.5: a router whose lifetime ends is used no more
#[test]
fn a_router_lives_as_long_as_it_last_said() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(1_000_000);
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(1_799_999);
    assert_eq!(rig.in_use(), Some(router(1)));
    rig.pass(1);
    assert_eq!(rig.in_use(), None);
    assert_eq!(rig.changes, 3, "it came, half of its lifetime was gone when it was heard again, it went");
}

// MUST RFC 4861 §6.3.4: a router that says lifetime 0 is no default router any more
#[test]
fn a_router_in_use_that_says_goodbye_is_asked_and_then_gone() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(60_000);
    rig.asked.clear();
    rig.hear(router(1), &Advertisement::default());
    assert_eq!(rig.asked, [rig.now]);
    rig.pass(4_999);
    assert_eq!(rig.in_use(), Some(router(1)));
    rig.pass(1);
    assert_eq!(rig.in_use(), None);
    // another one, not in use, goes at once
    rig.hear(router(1), &advertisement(vec![]));
    rig.hear(router(2), &advertisement(vec![]));
    rig.hear(router(2), &Advertisement::default());
    assert_eq!(rig.learned().routers.len(), 1);
}

#[test]
fn a_forged_goodbye_is_undone_by_the_answer() {
    let mut rig = Rig::new();
    let good = advertisement(vec![pio("2001:db8::/64", 86400, 86400)]);
    rig.hear(router(1), &good);
    for _ in 0..200 {
        rig.pass(3_000);
        let asked = rig.asked.len();
        rig.hear(router(1), &Advertisement::default());
        // the real router answers half a second after it is asked
        while rig.asked.len() == asked {
            rig.pass(100);
            assert_eq!(rig.in_use(), Some(router(1)));
        }
        rig.pass(500);
        rig.hear(router(1), &good);
    }
    assert_eq!(rig.learned().addresses.len(), 1);
    assert!(rig.asked.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(4)));
}

#[test]
fn the_router_in_use_stays_whatever_others_claim() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(20_000);
    let better = Advertisement { preference: Preference::High, router_lifetime: 9000, ..advertisement(vec![]) };
    rig.hear(router(2), &better);
    assert_eq!(rig.in_use(), Some(router(1)));
    rig.event(Event::Reachable { router: router(1), reachable: false });
    assert_eq!(rig.in_use(), Some(router(2)));
    rig.hear(router(1), &advertisement(vec![]));
    assert_eq!(rig.in_use(), Some(router(2)), "an advertisement is no proof that it answers");
    rig.event(Event::Reachable { router: router(1), reachable: true });
    assert_eq!(rig.in_use(), Some(router(2)), "no way back without need");
}

// MUST RFC 4191 §3.2: of the routers heard, the one with the highest preference is used
#[test]
fn of_those_who_answer_first_the_preferred_one_is_used() {
    let mut rig = Rig::new();
    let low = Advertisement { preference: Preference::Low, ..advertisement(vec![]) };
    let high = Advertisement { preference: Preference::High, ..advertisement(vec![]) };
    rig.hear(router(1), &low);
    rig.hear(router(2), &advertisement(vec![]));
    assert_eq!(rig.in_use(), Some(router(2)));
    rig.pass(400);
    rig.hear(router(3), &high);
    let order: Vec<Ipv6Addr> = rig.learned().routers.iter().map(|router| router.address).collect();
    assert_eq!(order, [router(3), router(2), router(1)]);
}

// MUST RFC 4191 §3.1: a route option for ::/0 overrides preference and lifetime of the header
#[test]
fn a_route_to_everything_speaks_of_the_default_router() {
    let mut rig = Rig::new();
    let all = |lifetime| NdOption::Route { prefix: Prefix::ALL, preference: Preference::Low, lifetime };
    rig.hear(router(1), &advertisement(vec![all(60)]));
    let learned = rig.learned();
    assert_eq!(
        (learned.routers[0].preference, learned.routers[0].until),
        (Preference::Low, Until::At(START.after_secs(60)))
    );
    assert_eq!(learned.routes, []);
}

#[test]
fn after_the_link_came_up_who_is_there_now_is_used() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![]));
    rig.pass(60_000);
    rig.event(Event::LinkUp);
    assert_eq!(rig.in_use(), Some(router(1)), "nothing is known to be wrong with it");
    rig.hear(router(2), &advertisement(vec![]));
    assert_eq!(rig.in_use(), Some(router(2)));
}

#[test]
fn routes_servers_and_the_rest_are_learned() {
    let mut rig = Rig::new();
    let route = |prefix: &str, lifetime| NdOption::Route { prefix: p(prefix), preference: Preference::High, lifetime };
    let dns = a("2001:db8::53");
    let options = vec![
        NdOption::Mtu(1492),
        route("2001:db8:5::/48", 600),
        NdOption::Rdnss { lifetime: 600, servers: vec![dns, a("ff02::1")] },
        NdOption::Dnssl { lifetime: 600, domains: vec!["example.net".into()] },
        NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 600 },
    ];
    let said = Advertisement { managed: true, other: true, hop_limit: 64, ..advertisement(options) };
    rig.hear(router(1), &said);
    let end = Until::At(START.after_secs(600));
    let learned = rig.learned();
    assert_eq!((learned.mtu, learned.hop_limit, learned.managed, learned.other), (Some(1492), Some(64), true, true));
    assert_eq!((learned.routes[0].via, learned.routes[0].until), (router(1), end));
    assert_eq!(learned.dns, [(dns, end)]);
    assert_eq!(learned.search, [("example.net".to_owned(), end)]);
    assert_eq!(learned.pref64, [(p("64:ff9b::/96"), end)]);
    rig.hear(
        router(1),
        &advertisement(vec![route("2001:db8:5::/48", 0), NdOption::Rdnss { lifetime: 0, servers: vec![dns] }]),
    );
    assert_eq!((rig.learned().routes, rig.learned().dns), (vec![], vec![]));
    rig.pass(600_000);
    assert_eq!((rig.learned().search, rig.learned().pref64), (vec![], vec![]));
}

// MUST RFC 4861 §6.3.4: an MTU counts only from 1280 up to the most the link can carry
#[test]
fn an_mtu_out_of_range_is_ignored() {
    for (mtu, counts) in [(0, false), (1279, false), (1280, true), (1500, true), (1501, false), (u32::MAX, false)] {
        let mut rig = Rig::new();
        rig.hear(router(1), &advertisement(vec![NdOption::Mtu(mtu)]));
        assert_eq!(rig.learned().mtu, counts.then_some(mtu), "{mtu}");
    }
}

#[test]
fn an_advertisement_repeated_every_three_seconds_is_news_once_in_a_while() {
    let mut rig = Rig::new();
    let said = advertisement(vec![
        pio("2001:db8::/64", 5400, 2700),
        NdOption::Mtu(1492),
        NdOption::Rdnss { lifetime: 1800, servers: vec![a("2001:db8::53")] },
    ]);
    for _ in 0..1200 {
        rig.hear(router(1), &said);
        rig.pass(3_000);
    }
    // an hour: at first, and when half of 1800 s is gone
    assert!((3..=5).contains(&rig.changes), "{}", rig.changes);
    assert_eq!(rig.asked, []);
}

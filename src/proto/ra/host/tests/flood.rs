use super::*;

#[test]
fn a_flood_of_routers_and_prefixes_does_not_push_out_what_is_in_use() {
    let mut rig = Rig::new();
    let good = advertisement(vec![
        pio("2001:db8::/64", 86400, 86400),
        NdOption::Route { prefix: p("2001:db8:5::/48"), preference: Preference::Medium, lifetime: 86400 },
        NdOption::Rdnss { lifetime: 86400, servers: vec![a("2001:db8::53")] },
        NdOption::Mtu(1492),
    ]);
    rig.hear(router(1), &good);
    rig.pass(20_000);
    let forged = |number: u16| {
        let options = (0..20).flat_map(|i| {
            [
                pio(&format!("2001:db8:{number:x}:{i:x}::/64"), u32::MAX, u32::MAX),
                NdOption::Route {
                    prefix: p(&format!("2001:db8:{number:x}:{i:x}::/64")),
                    preference: Preference::High,
                    lifetime: u32::MAX,
                },
                NdOption::Rdnss { lifetime: u32::MAX, servers: vec![a(&format!("2001:db8:{number:x}::{i:x}"))] },
                NdOption::Mtu(1280),
            ]
        });
        Advertisement { preference: Preference::High, router_lifetime: u16::MAX, ..advertisement(options.collect()) }
    };
    for number in 2..500 {
        rig.hear(router(number), &forged(number));
    }
    let learned = rig.learned();
    assert_eq!((learned.routers.len(), learned.routers[0].address, learned.mtu), (8, router(1), Some(1492)));
    assert_eq!((learned.prefixes.len(), learned.addresses.len(), learned.routes.len()), (9, 9, 9));
    assert_eq!((learned.dns.len(), learned.dns[0].0), (5, a("2001:db8::53")));
    // and there is room for all that the router in use has to say, now or later
    let many = (0..16).map(|i| pio(&format!("2001:db8:0:{i:x}::/64"), 86400, 86400)).collect();
    rig.hear(router(1), &advertisement(many));
    let learned = rig.learned();
    assert_eq!((learned.prefixes.len(), learned.addresses.len()), (16, 16));
    assert!(learned.addresses.iter().all(|made| p("2001:db8::/48").contains(made.address)));
    let changes = rig.changes;
    for number in 2..500 {
        rig.hear(router(number), &forged(number));
    }
    assert_eq!(rig.changes, changes, "what is refused causes nothing");
}

#[test]
fn what_the_router_in_use_announces_is_changed_by_nobody_else() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 86400, 86400)]));
    rig.pass(20_000);
    let before = rig.learned().addresses;
    rig.hear(router(2), &advertisement(vec![pio("2001:db8::/64", 0, 0)]));
    assert_eq!(rig.learned().addresses, before);
}

fn random_option() -> impl Strategy<Value = NdOption> {
    let seconds = prop::sample::select(vec![0, 1, 60, 7200, 86400, u32::MAX]);
    let net = (0..40u16, 60..70u8)
        .prop_map(|(i, len)| Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, 0, i, 0, 0, 0, 0), len).unwrap());
    prop_oneof![
        3 => (net.clone(), seconds.clone(), seconds.clone(), any::<bool>(), any::<bool>()).prop_map(
            |(prefix, valid, preferred, on_link, autonomous)| NdOption::Prefix(PrefixInformation {
                prefix, on_link, autonomous, router: None, pd_preferred: false, valid, preferred
            })),
        1 => (net, seconds.clone()).prop_map(|(prefix, lifetime)| NdOption::Route {
            prefix, preference: Preference::Low, lifetime
        }),
        1 => (seconds.clone(), 0..20u16).prop_map(|(lifetime, i)| NdOption::Rdnss {
            lifetime, servers: vec![Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, i)]
        }),
        1 => (seconds, 0..20u16).prop_map(|(lifetime, i)| NdOption::Dnssl {
            lifetime, domains: vec![format!("d{i}.example")]
        }),
        1 => any::<u32>().prop_map(NdOption::Mtu),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is announced: bounds hold, nothing is used past its end, and the caller was told of what is there.
    #[test]
    fn bounds_hold_and_ends_count(
        steps in prop::collection::vec(
            (0..12u16, prop::sample::select(vec![0u16, 1, 1800, 65535]), prop::collection::vec(random_option(), 0..8),
             prop::sample::select(vec![0u64, 10, 1_000, 60_000, 8_000_000])), 1..40),
        seed: u64
    ) {
        let mut rig = Rig::with(config(), seed);
        let mut told = Learned::default();
        for (number, router_lifetime, options, millis) in steps {
            let changes = rig.changes;
            rig.hear(router(number), &Advertisement { router_lifetime, options, ..Advertisement::default() });
            rig.pass(millis);
            let learned = rig.learned();
            prop_assert!(learned.routers.len() <= 8 && learned.prefixes.len() <= 16 && learned.addresses.len() <= 16);
            prop_assert!(learned.routes.len() <= 16 && learned.dns.len() <= 8 && learned.search.len() <= 8);
            prop_assert!(learned.addresses.iter().all(|made| !made.lifetimes.valid.is_over(rig.now)));
            prop_assert!(learned.routers.iter().all(|router| !router.until.is_over(rig.now)));
            prop_assert!(rig.host.poll_at().is_some_and(|(at, _)| at > rig.now), "there is always a way on");
            if rig.changes > changes {
                told = learned;
            } else {
                let names = |l: &Learned| l.addresses.iter().map(|made| made.address).collect::<Vec<_>>();
                prop_assert_eq!(names(&told), names(&learned));
                prop_assert_eq!(told.routers.first().map(|r| r.address), learned.routers.first().map(|r| r.address));
            }
        }
    }
}

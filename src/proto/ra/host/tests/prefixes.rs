use super::*;

fn lifetimes(rig: &Rig) -> (u32, u32) {
    let lifetimes = rig.learned().addresses[0].lifetimes;
    (lifetimes.preferred.remaining(rig.now), lifetimes.valid.remaining(rig.now))
}

// MUST RFC 4862 §5.5.3: a valid lifetime under two hours shortens only what lives longer, and then to two hours
#[test]
fn the_two_hour_rule_holds() {
    const HOUR: u32 = 3600;
    for (had, says, gets) in [
        (24 * HOUR, 0, 2 * HOUR),
        (24 * HOUR, HOUR, 2 * HOUR),
        (24 * HOUR, 3 * HOUR, 3 * HOUR),
        (HOUR, 0, HOUR),
        (HOUR, HOUR / 2, HOUR),
        (HOUR, HOUR + 60, HOUR + 60),
        (2 * HOUR, 60, 2 * HOUR),
        (u32::MAX, 0, 2 * HOUR),
        (HOUR, u32::MAX, u32::MAX),
    ] {
        let mut rig = Rig::new();
        rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", had, HOUR)]));
        rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", says, 0)]));
        assert_eq!(lifetimes(&rig), (0, gets), "{had} {says}: the preferred lifetime counts whatever it is");
    }
}

// MUST RFC 4862 §5.5.3: a prefix without the A flag, link-local, or preferred longer than valid, makes no address
// MUST RFC 4862 §5.5.3: prefix and interface identifier make 128 bits together, or the prefix is ignored
#[test]
fn only_autonomous_prefixes_of_64_bits_make_addresses() {
    let changed = |change: fn(&mut PrefixInformation)| {
        let NdOption::Prefix(mut info) = pio("2001:db8::/64", 3600, 1800) else { unreachable!() };
        change(&mut info);
        let mut rig = Rig::new();
        rig.hear(router(1), &advertisement(vec![NdOption::Prefix(info)]));
        (rig.learned().addresses.len(), rig.learned().prefixes.len())
    };
    assert_eq!(changed(|_| {}), (1, 1));
    assert_eq!(changed(|info| info.autonomous = false), (0, 1));
    assert_eq!(changed(|info| info.prefix = p("2001:db8::/63")), (0, 1));
    assert_eq!(changed(|info| info.prefix = p("fe80::/64")), (0, 0));
    assert_eq!(changed(|info| info.prefix = p("ff05::/64")), (0, 0));
    assert_eq!(changed(|info| info.preferred = 3601), (0, 0));
    assert_eq!(changed(|info| (info.valid, info.preferred) = (0, 0)), (0, 0));
    let mut rig = Rig::with(Config { addresses: false, ..config() }, 1);
    rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 3600, 1800)]));
    assert_eq!((rig.learned().addresses.len(), rig.learned().prefixes.len()), (0, 1));
}

// MUST RFC 7217 §5: an address follows from prefix, link, count of duplicates and secret, and from nothing else
#[test]
fn addresses_are_stable_and_cannot_be_foreseen() {
    let made = |config: Config, prefix: &str, seed| {
        let mut rig = Rig::with(config, seed);
        rig.hear(router(1), &advertisement(vec![pio(prefix, 3600, 1800)]));
        rig.learned().addresses[0].address
    };
    let first = made(config(), "2001:db8::/64", 1);
    assert!(p("2001:db8::/64").contains(first));
    assert_eq!(first, made(config(), "2001:db8::/64", 2));
    let iid = |address: Ipv6Addr| u128::from(address) as u64;
    let others = [
        made(config(), "2001:db8:1::/64", 1),
        made(Config { secret: [8; 16], ..config() }, "2001:db8::/64", 1),
        made(Config { interface: "wan2".into(), ..config() }, "2001:db8::/64", 1),
    ];
    assert!(others.iter().all(|other| iid(*other) != iid(first)));
    assert_ne!(first, with_iid(a("2001:db8::"), config().mac.unwrap().eui64()));
}

// MUST RFC 7217 §6: a duplicate is replaced by the address of the next count, a few times
#[test]
fn a_duplicate_is_replaced_three_times_and_then_given_up() {
    let mut rig = Rig::new();
    let said = advertisement(vec![pio("2001:db8::/64", 3600, 1800)]);
    rig.hear(router(1), &said);
    let mut seen = vec![];
    while let Some(address) = rig.learned().addresses.first().map(|made| made.address) {
        assert!(!seen.contains(&address));
        seen.push(address);
        rig.event(Event::DuplicateAddress(address));
    }
    assert_eq!((seen.len(), rig.changes), (4, 5));
    rig.hear(router(1), &said);
    assert_eq!(rig.learned().addresses, [], "it is not tried again");
}

// MUST RFC 4861 §6.3.4: a prefix with the L flag and a valid lifetime of 0 is off the link at once
#[test]
fn a_prefix_ends_when_it_is_said_to() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 3600, 1800)]));
    rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 0, 0)]));
    assert_eq!(rig.learned().prefixes, []);
    assert_eq!(lifetimes(&rig), (0, 3600), "the address follows another rule");
    rig.pass(3_600_000);
    assert_eq!(rig.learned().addresses, []);
}

// MUST RFC 4861 §6.3.4: a prefix option without the L flag says nothing of what is on the link
#[test]
fn without_the_l_flag_a_prefix_stays_on_the_link() {
    let mut rig = Rig::new();
    rig.hear(router(1), &advertisement(vec![pio("2001:db8::/64", 3600, 1800)]));
    let before = rig.learned().prefixes;
    let NdOption::Prefix(info) = pio("2001:db8::/64", 0, 0) else { unreachable!() };
    rig.hear(router(1), &advertisement(vec![NdOption::Prefix(PrefixInformation { on_link: false, ..info })]));
    assert_eq!(rig.learned().prefixes, before);
}

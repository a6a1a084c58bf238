use super::*;
use MessageType::*;
use proptest::prelude::*;

#[test]
fn however_much_a_server_offers_sixteen_leases_are_kept() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    let names: Vec<String> = (0..300).map(|i| format!("2001:db8::1:{i:x}")).collect();
    let prefixes: Vec<String> = (0..300).map(|i| format!("2001:db8:{i:x}::/56")).collect();
    let addresses: Vec<(&str, u32, u32)> = names.iter().map(|name| (name.as_str(), 100, 200)).collect();
    let prefixes: Vec<(&str, u32, u32)> = prefixes.iter().map(|name| (name.as_str(), 100, 200)).collect();
    rig.answer(advertise().address(&addresses).prefix(&prefixes));
    assert_eq!(rig.until(Request).leases().len(), 16);
    rig.answer(reply().address(&addresses).prefix(&prefixes));
    assert_eq!(rig.held().len(), 16);
    for round in 1..4 {
        rig.until(Renew);
        let more = &addresses[round * 10..round * 10 + 8];
        rig.answer(reply().address(more).prefix(&prefixes[round * 10..round * 10 + 8]));
        assert!(rig.held().len() <= 16);
    }
}

#[test]
fn a_flood_of_offers_leaves_one() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    for number in 0..1000u32 {
        let server = format!("000300010200{number:08x}");
        rig.answer(advertise().from(&server).both().with(option::PREFERENCE, &[(number % 200) as u8]));
    }
    assert_eq!(rig.until(Request).server(), Some(duid("000300010200000000c7")));
}

/// Whether addresses, T1, T2, which lease, preferred, valid, status.
type RandomIa = (bool, u32, u32, u8, u32, u32, Option<u16>);

#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Says { kind: u8, server: bool, status: Option<u16>, ias: Vec<RandomIa>, rapid: bool },
    Pass(u64),
    LinkUp,
    Duplicate(u8),
    Release,
    Configure(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = || prop::sample::select(vec![0u32, 1, 60, 600, 3600, u32::MAX]);
    let code = || prop::option::weighted(0.3, 0..7u16);
    let ia = (any::<bool>(), seconds(), seconds(), 0..40u8, seconds(), seconds(), code());
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Step::Bytes),
        8 => (prop::sample::select(vec![2u8, 7, 7, 7, 10]), any::<bool>(), code(), prop::collection::vec(ia, 0..3), any::<bool>())
            .prop_map(|(kind, server, status, ias, rapid)| Step::Says { kind, server, status, ias, rapid }),
        5 => prop::sample::select(vec![0u64, 1, 999, 1_200, 10_000, 600_000, 4_000_000]).prop_map(Step::Pass),
        1 => Just(Step::LinkUp),
        1 => (0..40u8).prop_map(Step::Duplicate),
        1 => Just(Step::Release),
        2 => (0..16u8).prop_map(Step::Configure),
    ]
}

fn wishes(number: u8) -> Config {
    Config {
        want_address: number & 1 != 0,
        want_prefix: (number & 2 != 0).then_some(56),
        information: true,
        rapid_commit: number & 4 != 0,
        reconfigure_accept: number & 8 != 0,
        ..config()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a server says: bounds hold, nothing is used past its end, nothing spins, the rate is kept, and
    /// there is always a way on.
    #[test]
    fn bounds_hold_and_there_is_always_a_way_on(steps in prop::collection::vec(step(), 1..60), number in 0..16u8, seed: u64) {
        let mut rig = Rig::seeded(wishes(number), seed);
        let (mut told, mut released) = (vec![], false);
        for step in steps {
            let changes = rig.changes;
            match step {
                Step::Bytes(bytes) => rig.hear(&bytes),
                Step::Says { kind, server, status, ias, rapid } => {
                    let mut it = says(MessageType::from_wire(kind).unwrap()).from(if server { SERVER } else { OTHER });
                    it.status = status;
                    if rapid {
                        it = it.with(option::RAPID_COMMIT, &[]);
                    }
                    for (address, t1, t2, which, preferred, valid, refused) in ias {
                        let (code, name) = if address {
                            (option::IA_NA, format!("2001:db8::1:{which:x}"))
                        } else {
                            (option::IA_PD, format!("2001:db8:{which:x}::/56"))
                        };
                        it.ias.push((code, t1, t2, vec![(name, preferred, valid)], refused));
                    }
                    rig.answer(it);
                }
                Step::Pass(millis) => rig.pass(millis),
                Step::LinkUp => rig.event(Event::LinkUp),
                Step::Duplicate(which) => rig.event(Event::DuplicateAddress(a(&format!("2001:db8::1:{which:x}")))),
                Step::Release => {
                    rig.event(Event::Release);
                    released = true;
                }
                Step::Configure(number) => {
                    rig.reconfigure(wishes(number));
                    released = false;
                }
            }
            let held = rig.held();
            prop_assert!(held.len() <= 16);
            prop_assert!(held.iter().all(|(_, preferred, valid)| preferred <= valid));
            let leases = rig.client.leases();
            let ends = leases.addresses.iter().map(|it| it.lifetimes).chain(leases.prefixes.iter().map(|it| it.lifetimes));
            let ends: Vec<Lifetimes> = ends.collect();
            prop_assert!(ends.iter().all(|it| !it.valid.is_over(rig.now)));
            prop_assert!(!released || held.is_empty());
            // a lease without end, or settings without end, are the only reasons to wait for nothing
            let forever = ends.iter().any(|it| it.preferred == Until::Forever || it.valid == Until::Forever);
            let waits = rig.client.poll_at().is_none();
            prop_assert!(!waits || released || forever || rig.state() == "informed", "{}", rig.state());
            let names = rig.names();
            prop_assert!(rig.changes > changes || names == told, "a change that nobody was told of");
            told = names;
        }
        for pair in rig.sent.windows(41) {
            prop_assert!(pair[40].at.since(pair[0].at).as_secs() >= 19);
        }
    }
}

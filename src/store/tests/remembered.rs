//! The ULA, the DUID and the served prefixes.

use super::*;
use crate::plan::Served;

fn served(lan: &str, prefix: &str, live: bool, seconds: u32, now: Instant) -> Served {
    Served { lan: lan.into(), prefix: prefix.parse().unwrap(), until: Until::from_wire(seconds, now), live }
}

fn memory(served: &[Served]) -> Memory {
    Memory {
        ula: Some("fd12:3456:789a::/48".parse().unwrap()),
        duid: Some(Duid::uuid([7; 16])),
        secret: Some([5; 16]),
        hash_names: vec!["router.example".into()],
        served: served.to_vec(),
    }
}

fn remember(router: &mut Router, memory: &Memory, now: Instant) {
    router.store.remember(memory, now);
    router.turn(&[], now).unwrap();
}

// MUST RFC 9096 §3.5: prefixes advertised on a LAN are recorded on stable storage
#[test]
fn what_is_remembered_is_on_flash_at_the_end_of_the_turn() {
    let mut router = Router::new(1);
    let memory = memory(&[served("home", "2001:db8:1::/64", true, 5400, START)]);
    remember(&mut router, &memory, START);
    assert_eq!(router.store.medium().flash_writes, 1);
    let boot = Instant(3000);
    let (_, found) = Router::start(router.cut(), "two", boot);
    assert_eq!((found.memory.ula, &found.memory.duid), (memory.ula, &memory.duid));
    assert_eq!(found.memory.served, [served("home", "2001:db8:1::/64", true, 5400, boot)]);
    assert_eq!(found.reports, none());
}

#[test]
fn the_file_can_be_read_by_people() {
    let mut router = Router::new(1);
    let all = [
        served("home", "2001:db8:1::/64", true, 5400, START),
        served("guest net", "2001:db8:2::/64", false, u32::MAX, START),
    ];
    remember(&mut router, &memory(&all), START);
    let text = String::from_utf8(router.store.medium().bytes(File::FlashMemory).unwrap().clone()).unwrap();
    let words: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(|line| &line[..line.len() - 9]).collect();
    let secret = "secret 05050505050505050505050505050505";
    let identity = ["ula fd12:3456:789a::/48", "duid 000407070707070747078707070707070707", secret];
    assert_eq!(words[0], "oasis6-memory 1 one 1000000");
    assert_eq!(words[1..4], identity);
    assert_eq!(words[4], "hash router.example");
    assert_eq!(words[5], "served home 2001:db8:1::/64 live 5400");
    assert_eq!(words[6], "served guest%20net 2001:db8:2::/64 gone forever");
    assert_eq!(words[7..10], identity);
    assert_eq!(words[10], "end 2");
}

#[test]
fn a_live_prefix_counts_anew_and_one_that_is_gone_does_not_in_the_same_boot() {
    let mut router = Router::new(1);
    let all =
        [served("home", "2001:db8:1::/64", true, 5400, START), served("home", "2001:db8:2::/64", false, 5400, START)];
    remember(&mut router, &memory(&all), START);
    let later = START.after_secs(400);
    let (_, found) = Router::start(router.store.medium().clone(), "one", later);
    assert_eq!(found.memory.served[0].until, Until::At(later.after_secs(5400)));
    assert_eq!(found.memory.served[1].until, Until::At(later.after_secs(5000)));
    let boot = Instant(77);
    let (_, found) = Router::start(router.cut(), "two", boot);
    assert!(found.memory.served.iter().all(|one| one.until == Until::At(boot.after_secs(5400))), "{found:?}");
}

#[test]
fn a_plan_made_again_writes_nothing() {
    let mut router = Router::new(1);
    let mut now = START;
    let gone = served("home", "2001:db8:2::/64", false, 900_000, START);
    for _ in 0..1000 {
        let all = [served("home", "2001:db8:1::/64", true, 5400, now), gone.clone()];
        remember(&mut router, &memory(&all), now);
        router.sleep(now, now.after_secs(600));
        now = now.after_secs(600);
    }
    assert_eq!(router.store.medium().flash_writes, 1);
    // nor does a restart
    let (mut router, found) = Router::start(router.killed(), "one", now);
    remember(&mut router, &found.memory, now);
    router.sleep(now, now.after_secs(86_400));
    assert_eq!(router.store.medium().flash_writes, 1);
}

#[test]
fn an_end_that_moves_by_a_second_is_no_change() {
    let mut router = Router::new(1);
    for seconds in [5400, 5399, 5401, 5400] {
        remember(&mut router, &memory(&[served("home", "2001:db8:1::/64", true, seconds, START)]), START);
    }
    assert_eq!(router.store.medium().flash_writes, 1);
    remember(&mut router, &memory(&[served("home", "2001:db8:1::/64", true, 5402, START)]), START);
    assert_eq!(router.store.medium().flash_writes, 2);
}

#[test]
fn one_change_is_one_write() {
    let mut router = Router::new(1);
    let mut now = START;
    let mut all = Vec::new();
    for change in 1..=4 {
        all.push(served("home", &format!("2001:db8:{change}::/64"), true, 5400, now));
        remember(&mut router, &memory(&all), now);
        // told twice in a turn, and then again
        router.store.remember(&memory(&all), now);
        remember(&mut router, &memory(&all), now);
        assert_eq!(router.store.medium().flash_writes, change);
        now = now.after_secs(1);
    }
}

#[test]
fn a_prefix_that_goes_or_is_forgotten_waits_for_company() {
    let mut router = Router::new(1);
    let live = served("home", "2001:db8:1::/64", true, 5400, START);
    remember(&mut router, &memory(std::slice::from_ref(&live)), START);
    for change in [vec![Served { live: false, ..live }], vec![]] {
        remember(&mut router, &memory(&change), START);
        assert_eq!(router.store.poll_at(), Some(START.after_secs(3600)));
    }
    let mut fake = router.stop(START);
    fake.power_cut();
    assert_eq!(Router::start(fake, "two", START).1.memory, memory(&[]), "or for the stop");
}

#[test]
fn a_prefix_that_flaps_costs_no_more_than_the_allowance_and_a_kill_loses_nothing() {
    let mut router = Router::new(1);
    let mut now = START;
    let mut last = Memory::default();
    for round in 0..20_000_u32 {
        let prefix = format!("2001:db8:{:x}::/64", round % 50);
        last = memory(&[served("home", &prefix, round % 2 == 0, 5400, now)]);
        remember(&mut router, &last, now);
        router.sleep(now, now.after_secs(1));
        now = now.after_secs(1);
    }
    let writes = router.store.medium().flash_writes;
    assert!((60..=4 + 20_000 / 300).contains(&writes), "{writes}");
    let (_, found) = Router::start(router.killed(), "one", now);
    assert_eq!(found.memory.served[0].prefix, last.served[0].prefix);
}

#[test]
fn what_is_remembered_in_the_last_turn_is_known_after_a_restart() {
    let mut router = Router::new(1);
    remember(&mut router, &memory(&[served("home", "2001:db8:1::/64", true, 5400, START)]), START);
    let last = memory(&[served("home", "2001:db8:2::/64", true, 5400, START)]);
    router.store.remember(&last, START);
    assert_eq!(Router::start(router.stop(START), "one", START).1.memory, last);
}

#[test]
fn the_newer_of_two_copies_counts() {
    let mut router = Router::new(1);
    remember(&mut router, &memory(&[served("home", "2001:db8:1::/64", true, 5400, START)]), START);
    router.store.medium_mut().run.read_only = true;
    let later = START.after_secs(1);
    let last = memory(&[served("home", "2001:db8:2::/64", true, 5400, later)]);
    remember(&mut router, &last, later);
    assert_eq!(Router::start(router.killed(), "one", later).1.memory, last);
}

#[test]
fn any_flipped_bit_leaves_the_ula_and_the_duid() {
    let mut router = Router::new(1);
    let memory = memory(&[served("home", "2001:db8:1::/64", true, 5400, START)]);
    remember(&mut router, &memory, START);
    let fake = router.cut();
    let intact = fake.bytes(File::FlashMemory).unwrap().clone();
    for at in 0..intact.len() {
        for bit in 0..8 {
            let mut bytes = intact.clone();
            bytes[at] ^= 1 << bit;
            let content = memory::read(&bytes, "one", START);
            assert_eq!((content.memory.ula, &content.memory.duid), (memory.ula, &memory.duid), "byte {at}, bit {bit}");
            assert!(content.memory == memory || content.damaged);
        }
    }
}

#[test]
fn a_damaged_memory_is_completed_from_the_other_copy_and_mended() {
    for file in [File::RunMemory, File::FlashMemory] {
        let mut router = Router::new(1);
        let memory = memory(&[served("home", "2001:db8:1::/64", true, 5400, START)]);
        remember(&mut router, &memory, START);
        let mut fake = router.killed();
        let mut bytes = fake.bytes(file).unwrap().clone();
        bytes.iter_mut().for_each(|byte| *byte ^= 1);
        fake.put(file, bytes);
        let (mut router, found) = Router::start(fake, "one", START);
        assert_eq!((&found.memory, found.reports.len()), (&memory, 1), "{file:?}");
        router.sleep(START, START.after_secs(1));
        let (_, found) = Router::start(router.killed(), "one", START);
        assert_eq!((&found.memory, found.reports.len()), (&memory, 0), "{file:?}");
    }
}

#[test]
fn a_write_that_fails_is_tried_again() {
    let mut router = Router::new(1);
    let fake = router.store.medium_mut();
    (fake.run.read_only, fake.flash.read_only) = (true, true);
    let memory = memory(&[]);
    remember(&mut router, &memory, START);
    assert_eq!(router.store.reports().count(), 2);
    let fake = router.store.medium_mut();
    (fake.run.read_only, fake.flash.read_only) = (false, false);
    router.sleep(START, START.after_secs(60));
    assert_eq!(router.store.reports().count(), 0);
    assert_eq!(Router::start(router.killed(), "one", START).1.memory, memory);
    let mut router = Router::new(1);
    remember(&mut router, &memory, START);
    assert_eq!(Router::start(router.cut(), "two", START).1.memory, memory);
}

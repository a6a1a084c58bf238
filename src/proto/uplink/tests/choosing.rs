use super::candidate;
use crate::config::UplinkMode::{All, Best};
use crate::net::Instant;
use crate::proto::uplink::State::{Degraded, Down, Failing, Starting, Up};
use crate::proto::uplink::{Candidate, Choice, Role, State};

/// The candidates `a` (priority 10), `b` (20) and `c` (30) in these states.
fn three(states: [State; 3]) -> Vec<Candidate> {
    ["a", "b", "c"]
        .iter()
        .zip([10, 20, 30])
        .zip(states)
        .map(|((name, priority), state)| candidate(name, priority, state))
        .collect()
}

/// A for active, s for standby, - for out.
fn roles(choice: &Choice) -> String {
    let letter = |role| match role {
        Role::Active => 'A',
        Role::Standby => 's',
        Role::Out => '-',
    };
    choice.roles().values().map(|chosen| letter(chosen.role)).collect()
}

fn at(seconds: u64) -> Instant {
    Instant(1_000_000 + seconds * 1000)
}

#[test]
fn the_best_one_that_works_is_used_and_the_others_stand_by() {
    for (states, expected) in [
        ([Up, Up, Up], "Ass"),
        ([Starting, Up, Up], "-As"),
        ([Degraded, Up, Up], "sAs"),
        ([Degraded, Degraded, Down], "As-"),
        ([Failing, Degraded, Down], "-A-"),
        ([Failing, Failing, Down], "A--"),
        ([Down, Starting, Down], "---"),
    ] {
        let mut choice = Choice::new();
        choice.choose(Best, &three(states), at(0));
        assert_eq!(roles(&choice), expected, "{states:?}");
    }
    // of equals the first by name
    let mut choice = Choice::new();
    choice.choose(Best, &[candidate("z", 5, Up), candidate("y", 5, Up)], at(0));
    assert_eq!(choice.roles().get("y").unwrap().role, Role::Active);
}

#[test]
fn a_dead_one_is_left_at_once_and_a_better_one_comes_back_after_a_while() {
    let mut choice = Choice::new();
    assert!(choice.choose(Best, &three([Up, Up, Up]), at(0)));
    assert!(!choice.choose(Best, &three([Up, Up, Up]), at(1)));
    assert_eq!(choice.poll_at(), None);
    let mut dead = three([Failing, Up, Up]);
    (dead[0].heard, dead[0].reason) = (Some(at(98)), "no answer from fe80::1 for 2 s".into());
    assert!(choice.choose(Best, &dead, at(100)));
    assert_eq!(roles(&choice), "-As");
    let last = choice.history().last().unwrap();
    assert_eq!((last.from.as_str(), last.to.as_str(), last.at), ("a", "b", at(100)));
    assert_eq!(last.why, "a is failing: no answer from fe80::1 for 2 s");
    assert_eq!(last.outage.unwrap().as_secs(), 2);
    assert!(!choice.choose(Best, &three([Up, Up, Up]), at(110)));
    assert_eq!(choice.roles().get("a").unwrap().why, "it is better than b, and used when it has worked for a while");
    assert_eq!(choice.poll_at().unwrap().0, at(120));
    assert!(choice.choose(Best, &three([Up, Up, Up]), at(120)));
    assert_eq!((roles(&choice).as_str(), choice.poll_at()), ("Ass", None));
    let last = choice.history().last().unwrap();
    assert_eq!((last.why.as_str(), last.outage), ("a is better", None));
}

#[test]
fn each_failure_doubles_the_time_until_it_comes_back() {
    let mut choice = Choice::new();
    let mut now = 0;
    choice.choose(Best, &three([Up, Up, Up]), at(now));
    for expected in [10, 20, 40, 80, 160, 320, 320] {
        now += 10;
        choice.choose(Best, &three([Failing, Up, Up]), at(now));
        now += 10;
        choice.choose(Best, &three([Up, Up, Up]), at(now));
        let due = choice.poll_at().unwrap().0;
        assert_eq!(due, at(now + expected));
        now += expected;
        assert!(choice.choose(Best, &three([Up, Up, Up]), due));
    }
}

#[test]
fn a_degraded_one_is_left_for_a_worse_one_only_if_that_lasts() {
    let mut choice = Choice::new();
    choice.choose(Best, &three([Up, Up, Up]), at(0));
    assert!(!choice.choose(Best, &three([Degraded, Up, Up]), at(100)));
    assert_eq!((roles(&choice).as_str(), choice.poll_at().unwrap().0), ("Ass", at(130)));
    assert!(!choice.choose(Best, &three([Up, Up, Up]), at(129)));
    assert!(!choice.choose(Best, &three([Degraded, Up, Up]), at(140)));
    assert!(choice.choose(Best, &three([Degraded, Up, Up]), at(170)));
    assert_eq!(roles(&choice), "sAs");
    assert!(choice.history().last().unwrap().why.starts_with("a is degraded: "));
    choice.choose(Best, &three([Up, Up, Up]), at(180));
    assert!(choice.choose(Best, &three([Up, Up, Up]), choice.poll_at().unwrap().0));
    assert_eq!(roles(&choice), "Ass");
}

#[test]
fn if_none_works_the_one_in_use_stays_and_the_outage_is_told_when_it_ends() {
    let mut choice = Choice::new();
    choice.choose(Best, &three([Up, Down, Down]), at(0));
    let mut dead = three([Failing, Failing, Down]);
    dead[0].heard = Some(at(98));
    assert!(!choice.choose(Best, &dead, at(100)));
    assert_eq!((roles(&choice).as_str(), choice.history().len()), ("A--", 1));
    assert_eq!(choice.roles().get("a").unwrap().why, "no other works");
    assert!(!choice.choose(Best, &three([Up, Failing, Down]), at(158)));
    let last = choice.history().last().unwrap();
    assert_eq!((last.from.as_str(), last.to.as_str(), last.why.as_str()), ("a", "a", "a works again"));
    assert_eq!(last.outage.unwrap().as_secs(), 60);
}

#[test]
fn a_cable_that_is_plugged_in_again_soon_changes_nothing_for_the_lan() {
    let mut choice = Choice::new();
    choice.choose(Best, &three([Up, Down, Down]), at(0));
    assert!(!choice.choose(Best, &three([Down, Down, Down]), at(10)));
    assert_eq!((roles(&choice).as_str(), choice.poll_at().unwrap().0), ("A--", at(20)));
    assert!(!choice.choose(Best, &three([Starting, Down, Down]), at(12)));
    assert!(!choice.choose(Best, &three([Up, Down, Down]), at(15)));
    assert_eq!(choice.history().last().unwrap().outage.unwrap().as_secs(), 5);
    choice.choose(Best, &three([Down, Down, Down]), at(30));
    assert!(choice.choose(Best, &three([Down, Down, Down]), at(40)));
    assert_eq!((roles(&choice).as_str(), choice.history().last().unwrap().to.as_str()), ("---", ""));
    // one that works is taken without waiting
    choice.choose(Best, &three([Up, Down, Down]), at(50));
    assert!(choice.choose(Best, &three([Down, Down, Up]), at(51)));
    assert_eq!(roles(&choice), "--A");
}

#[test]
fn in_mode_all_every_one_that_works_is_used_and_one_that_flaps_has_to_wait() {
    let mut choice = Choice::new();
    choice.choose(All, &three([Up, Starting, Down]), at(0));
    assert_eq!(roles(&choice), "A--");
    assert!(choice.choose(All, &three([Up, Up, Degraded]), at(5)));
    assert_eq!(roles(&choice), "AAA");
    assert_eq!(choice.history().last().unwrap().to, "a, b, c");
    assert!(choice.choose(All, &three([Up, Failing, Degraded]), at(10)));
    assert_eq!(roles(&choice), "A-A");
    assert!(!choice.choose(All, &three([Up, Up, Degraded]), at(15)));
    assert_eq!((roles(&choice).as_str(), choice.poll_at().unwrap().0), ("AsA", at(25)));
    assert!(choice.choose(All, &three([Up, Up, Degraded]), at(25)));
    choice.choose(All, &three([Failing, Failing, Failing]), at(30));
    assert_eq!(roles(&choice), "A--");
    choice.choose(All, &three([Failing, Up, Failing]), at(35));
    assert_eq!(roles(&choice), "-A-");
    // and back to one
    choice.choose(All, &three([Up, Up, Up]), at(100));
    choice.choose(All, &three([Up, Up, Up]), at(200));
    assert_eq!(roles(&choice), "AAA");
    choice.choose(Best, &three([Up, Up, Up]), at(201));
    assert_eq!(roles(&choice), "Ass");
}

#[test]
fn one_that_is_no_longer_configured_is_left_and_forgotten() {
    let mut choice = Choice::new();
    choice.choose(Best, &three([Up, Up, Up]), at(0));
    choice.choose(Best, &three([Up, Up, Up])[1..], at(1));
    assert_eq!(choice.history().last().unwrap().why, "a is not configured any more");
    assert_eq!((roles(&choice).as_str(), choice.roles().len()), ("As", 2));
    choice.choose(Best, &[], at(2));
    assert_eq!(choice.roles().len(), 0);
}

#[test]
fn history_is_bounded() {
    let mut choice = Choice::new();
    for second in 0..200 {
        let states = if second % 2 == 0 { [Up, Failing, Down] } else { [Failing, Up, Down] };
        choice.choose(Best, &three(states), at(second));
    }
    assert_eq!(choice.history().len(), 50);
    assert_eq!(choice.history().last().unwrap().at, at(199));
}

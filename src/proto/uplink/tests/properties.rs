use super::{COMPLETE, Line, candidate};
use crate::config::UplinkMode;
use crate::net::Instant;
use crate::proto::uplink::{Candidate, Choice, Event, Ready, Role, State};
use proptest::prelude::*;

/// Moves in an hour, whatever happens: each doubles the time until the next, up to some minutes.
const MOVES_AN_HOUR: usize = 40;

fn of(name: &str, priority: u32, line: &Line) -> Candidate {
    let status = line.watch.status(line.now);
    Candidate { name: name.into(), priority, state: status.state, reason: status.reason, heard: status.heard }
}

/// What happens to a line, and for how many milliseconds it stays so.
fn weather() -> impl Strategy<Value = (u8, u64)> {
    (0u8..6, prop_oneof![1u64..500, 500u64..5_000, 5_000u64..60_000])
}

fn change(line: &mut Line, what: u8) {
    match what {
        0 => line.alive = false,
        1 => line.event(Event::Ready(Ready::Down("no cable".into()))),
        2 => line.traffic = 100,
        3 => (line.traffic, line.loss) = (0, 40),
        _ => {
            (line.alive, line.loss) = (true, 0);
            line.event(Event::Ready(COMPLETE));
        }
    }
}

proptest! {
    // each case is an hour and more
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_flapping_uplink_does_not_flap_the_lan(seed: u64, weather in prop::collection::vec(weather(), 1..400)) {
        let (mut bad, mut good) = (Line::up(seed), Line::up(seed ^ 7));
        let mut choice = Choice::new();
        let start = bad.now;
        let mut weather = weather.into_iter().cycle();
        while bad.now.since(start).as_secs() < 3600 {
            let (what, millis) = weather.next().unwrap();
            change(&mut bad, what);
            for _ in 0..=millis / 100 {
                bad.run(100);
                good.run(100);
                let candidates = [of("bad", 10, &bad), of("good", 20, &good)];
                choice.choose(UplinkMode::Best, &candidates, bad.now);
                prop_assert!(choice.poll_at().is_none_or(|(at, _)| at > bad.now));
                let active = choice.roles().iter().find(|(_, chosen)| chosen.role == Role::Active).unwrap();
                // dead ones are left at once, since there is one that works
                let works = active.0 == "good" || bad.watch.state().is_usable();
                prop_assert!(works);
            }
        }
        let moves = choice.history().len();
        prop_assert!(moves <= MOVES_AN_HOUR, "{moves} moves");
        // the bad one gets well, and is used again
        bad.event(Event::Ready(COMPLETE));
        (bad.alive, bad.loss, bad.traffic) = (true, 0, 0);
        for _ in 0..600 {
            bad.run(1000);
            choice.choose(UplinkMode::Best, &[of("bad", 10, &bad), of("good", 20, &good)], bad.now);
        }
        prop_assert_eq!(bad.watch.state(), State::Up);
        prop_assert_eq!(choice.roles().get("bad").unwrap().role, Role::Active);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn probes_are_few_and_return_traffic_is_never_called_failing(
        seed: u64,
        weather in prop::collection::vec(weather(), 1..60),
    ) {
        let mut line = Line::up(seed);
        for (what, millis) in weather {
            change(&mut line, what);
            let was = line.watch.state();
            for _ in 0..millis / 50 {
                let (before, state) = (line.unicast_in, line.watch.state());
                line.run(50);
                let fails = line.watch.state() == State::Failing && state != State::Failing;
                prop_assert!(!fails || line.unicast_in == before, "{was:?}");
            }
        }
        for pair in line.asked.windows(5) {
            prop_assert!(pair[4] - pair[0] >= 1000, "{pair:?}");
        }
        let seconds = line.now.since(Instant(1_000_000)).as_secs() + 1;
        prop_assert!(line.counts <= 3 * seconds + line.changes.len() as u64);
    }

    #[test]
    fn any_states_in_any_order_leave_one_active_that_works_if_any_does(
        steps in prop::collection::vec((prop::collection::vec(0u8..5, 3), 0u64..100_000, any::<bool>()), 1..100),
    ) {
        let mut choice = Choice::new();
        let mut now = Instant(0);
        for (states, millis, all) in steps {
            now.0 += millis;
            let state = |number: &u8| match number {
                0 => State::Down,
                1 => State::Starting,
                2 => State::Up,
                3 => State::Degraded,
                _ => State::Failing,
            };
            let candidates: Vec<Candidate> =
                (0u32..).zip(&states).map(|(n, number)| candidate(&n.to_string(), n % 2, state(number))).collect();
            choice.choose(if all { UplinkMode::All } else { UplinkMode::Best }, &candidates, now);
            prop_assert!(choice.poll_at().is_none_or(|(at, _)| at > now));
            let active: Vec<&Candidate> = candidates.iter().filter(|c| choice.roles().get(&c.name).unwrap().role == Role::Active).collect();
            prop_assert!(all || active.len() <= 1);
            if candidates.iter().any(|candidate| candidate.state.is_usable()) {
                prop_assert!(!active.is_empty() && active.iter().all(|active| active.state.is_usable()));
            }
            for (candidate, chosen) in candidates.iter().zip(choice.roles().values()) {
                prop_assert_eq!(chosen.role == Role::Standby, candidate.state.is_usable() && !active.contains(&candidate));
            }
        }
    }
}

#[test]
fn a_route_that_flaps_a_thousand_times_moves_nothing() {
    let (mut line, mut choice) = (Line::up(1), Choice::new());
    choice.choose(UplinkMode::Best, &[of("a", 10, &line), candidate("b", 20, State::Up)], line.now);
    for flap in 0..1000 {
        // the network says everything anew, and another router takes over and gives back
        let next_hop = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1 + flap % 2);
        line.event(Event::Ready(Ready::Complete { next_hop: Some(next_hop) }));
        line.event(Event::Ready(Ready::Complete { next_hop: Some(next_hop) }));
        line.run(100);
        choice.choose(UplinkMode::Best, &[of("a", 10, &line), candidate("b", 20, State::Up)], line.now);
    }
    assert_eq!((choice.history().len(), line.watch.state()), (1, State::Up));
}

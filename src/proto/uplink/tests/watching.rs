use super::{COMPLETE, Line, NEXT_HOP};
use crate::proto::uplink::{Action, Event, Ready, State};
use std::net::Ipv6Addr;
use std::time::Duration;

const FAR: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 3),
];

#[test]
fn it_is_down_then_waits_and_is_up_with_the_first_answer() {
    let mut line = Line::new(&[], 1);
    line.event(Event::Ready(Ready::Down("eth1 is down: plug the cable in".into())));
    line.secs(10);
    assert_eq!((line.watch.state(), line.reason()), (State::Down, "eth1 is down: plug the cable in".into()));
    line.event(Event::Ready(Ready::Waiting("no router advertisement came".into())));
    line.secs(10);
    assert_eq!((line.watch.state(), line.reason()), (State::Starting, "no router advertisement came".into()));
    assert_eq!((line.asked.len(), line.counts, line.watch.poll_at()), (0, 0, None));
    line.event(Event::Ready(COMPLETE));
    assert_eq!(line.reason(), "waiting for an answer from fe80::1");
    line.run(20);
    assert_eq!((line.watch.state(), line.reason()), (State::Up, "fe80::1 answers in 20 ms".into()));
    let states: Vec<State> = line.changes.iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [State::Down, State::Starting, State::Starting, State::Up]);
}

#[test]
fn a_link_that_comes_and_goes_is_not_asked_more_often() {
    let mut line = Line::up(1);
    let start = line.now;
    for _ in 0..1000 {
        line.event(Event::Ready(Ready::Down("no cable".into())));
        line.event(Event::Ready(COMPLETE));
        line.run(10);
    }
    let asked = line.asked_since(start);
    assert!((3..=34).contains(&asked), "{asked} probes in ten seconds");
}

#[test]
fn silence_is_found_within_two_seconds_in_every_phase_while_packets_go_out() {
    let mut worst = 0;
    for phase in 0..200 {
        let mut line = Line::up(phase);
        line.traffic = 100;
        line.run(3000 + phase * 17);
        line.alive = false;
        worst = worst.max(line.until(State::Failing, 2000));
        assert!(line.reason().starts_with("no answer from fe80::1 for "), "{}", line.reason());
    }
    assert!((1400..=1950).contains(&worst), "{worst} ms at worst");
}

#[test]
fn one_that_died_idle_is_found_within_two_seconds_of_the_first_packet_or_seven_of_none() {
    for phase in 0..100 {
        let mut line = Line::up(phase);
        line.run(20_000 + phase * 61);
        line.alive = false;
        assert!(line.until(State::Failing, 8000) > 800);
        let mut line = Line::up(phase);
        line.run(20_000 + phase * 61);
        line.alive = false;
        line.traffic = 100;
        line.until(State::Failing, 2000);
    }
}

#[test]
fn nothing_is_asked_while_unicast_packets_come_in() {
    let mut line = Line::up(1);
    line.traffic = 100;
    line.secs(1);
    let start = line.now;
    line.secs(600);
    assert_eq!((line.asked_since(start), line.watch.state()), (0, State::Up));
}

#[test]
fn an_idle_uplink_is_asked_every_five_seconds_or_so_and_sites_do_not_keep_step() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let mut line = Line::up(seed);
        let start = line.now;
        line.secs(300);
        let asked = line.asked_since(start);
        assert!((50..=75).contains(&asked), "{asked}");
        assert!(line.asked.windows(2).skip(1).all(|pair| (3_900..=6_100).contains(&(pair[1] - pair[0]))));
        firsts.insert(line.asked[10]);
    }
    assert!(firsts.len() > 40);
}

#[test]
fn one_lost_probe_is_asked_for_again_at_once_and_changes_nothing() {
    let mut line = Line::up(1);
    line.secs(4);
    line.loss = 100;
    let before = line.asked.len();
    while line.asked.len() == before {
        line.run(1);
    }
    line.loss = 0;
    let start = line.now;
    line.run(500);
    assert_eq!(line.asked_since(start), 1);
    line.secs(60);
    assert_eq!(line.changes.last().unwrap().1, State::Up);
    assert_eq!(line.changes.iter().filter(|(_, state, _)| *state == State::Up).count(), 1);
}

#[test]
fn traffic_that_only_goes_out_for_a_while_costs_a_few_probes_and_changes_nothing() {
    let mut line = Line::up(1);
    (line.traffic, line.answered) = (10, false);
    let start = line.now;
    line.secs(60);
    assert_eq!(line.watch.state(), State::Up);
    assert!(line.asked_since(start) <= 121, "{}", line.asked_since(start));
}

#[test]
fn one_that_failed_is_trusted_again_after_several_answers_and_later_each_time() {
    let mut line = Line::up(1);
    let mut took = Vec::new();
    for _ in 0..8 {
        line.traffic = 100;
        line.alive = false;
        line.until(State::Failing, 8000);
        line.traffic = 0;
        line.secs(5);
        line.alive = true;
        took.push(line.until(State::Up, 120_000) / 1000);
    }
    for (took, expected) in took.iter().zip([3, 6, 12, 24, 48, 96, 96, 96]) {
        assert!((expected..expected + 4).contains(took), "{took}, not {expected}");
    }
    // after an hour without trouble it is as good as new
    line.secs(3600);
    line.alive = false;
    line.until(State::Failing, 8000);
    line.alive = true;
    assert!(line.until(State::Up, 120_000) < 6000);
}

#[test]
fn a_cable_that_was_pulled_counts_as_a_failure_too() {
    let mut line = Line::up(1);
    line.event(Event::Ready(Ready::Down("eth1 is down: plug the cable in".into())));
    assert_eq!(line.watch.state(), State::Down);
    line.secs(2);
    line.event(Event::Ready(COMPLETE));
    line.run(100);
    assert_eq!(line.watch.state(), State::Starting);
    assert!(line.reason().starts_with("packets come back; trusted if that lasts for "), "{}", line.reason());
    assert!((2500..5000).contains(&line.until(State::Up, 10_000)));
}

#[test]
fn a_failing_one_is_asked_every_second_or_so() {
    let mut line = Line::up(1);
    line.alive = false;
    line.until(State::Failing, 8000);
    let start = line.now;
    line.secs(100);
    assert!((80..=126).contains(&line.asked_since(start)));
    assert_eq!(
        line.reason(),
        format!(
            "no answer from fe80::1 for {}",
            super::super::words::spoken(line.now.since(line.watch.heard().unwrap()))
        )
    );
}

#[test]
fn loss_degrades_and_its_end_heals() {
    let mut line = Line::up(3);
    line.loss = 30;
    line.until(State::Degraded, 600_000);
    assert!(line.reason().ends_with(" probes were lost"), "{}", line.reason());
    assert!(line.watch.state().is_usable());
    line.loss = 0;
    line.until(State::Up, 60_000);
}

#[test]
fn a_little_loss_is_nothing() {
    for seed in 0..20 {
        let mut line = Line::up(seed);
        line.loss = 2;
        line.secs(1800);
        assert_eq!(line.changes.len(), 2, "{:?}", line.changes);
    }
}

#[test]
fn of_several_targets_all_have_to_be_silent_and_one_that_answers_alone_degrades() {
    let mut line = Line::new(&FAR, 1);
    line.event(Event::Ready(COMPLETE));
    line.secs(60);
    assert_eq!(line.watch.state(), State::Up);
    line.mute = vec![FAR[1]];
    line.secs(60);
    assert_eq!(line.watch.state(), State::Up);
    line.mute = vec![FAR[1], FAR[0]];
    line.until(State::Degraded, 30_000);
    assert_eq!(line.reason(), "no answer from 2001:db8::1 and 2001:db8::2");
    line.secs(600);
    assert_eq!(line.watch.state(), State::Degraded);
    line.mute = FAR.to_vec();
    line.until(State::Failing, 8000);
    line.mute.clear();
    line.until(State::Up, 10_000);
    // at most four are asked
    let many: Vec<Ipv6Addr> = (0u128..9).map(Ipv6Addr::from).collect();
    let mut out = Vec::new();
    line.watch.reconfigure(many, line.now, &mut out);
    assert_eq!(out.iter().filter(|action| matches!(action, Action::Echo { .. })).count(), 4);
}

#[test]
fn return_traffic_overrules_silence_and_the_next_hop_is_known_not_to_answer() {
    let mut line = Line::new(&[], 1);
    line.mute = vec![NEXT_HOP];
    line.traffic = 400;
    line.event(Event::Ready(COMPLETE));
    line.until(State::Up, 5000);
    line.secs(60);
    line.traffic = 0;
    line.secs(600);
    assert_eq!(line.watch.state(), State::Up);
    assert_eq!(line.reason(), "fe80::1 never answers echo requests, and nothing else speaks against it");
    assert!(line.changes.iter().all(|(_, state, _)| *state != State::Failing), "{:?}", line.changes);
    // it is asked rarely, and believed when it answers
    let start = line.now;
    line.secs(300);
    assert!((8..=13).contains(&line.asked_since(start)));
    line.mute.clear();
    line.secs(60);
    assert_eq!(line.reason(), "fe80::1 answers in 20 ms");
}

#[test]
fn a_next_hop_that_filters_echo_is_judged_by_the_neighbour_table() {
    let mut line = Line::new(&[], 1);
    line.mute = vec![NEXT_HOP];
    line.neighbour = Some(true);
    line.event(Event::Ready(COMPLETE));
    line.until(State::Up, 4000);
    line.secs(60);
    line.neighbour = Some(false);
    line.until(State::Failing, 2000);
    assert_eq!(line.reason(), "the next hop fe80::1 is not there: it does not answer neighbour solicitations");
    line.secs(10);
    line.neighbour = Some(true);
    line.until(State::Up, 8000);
}

#[test]
fn one_that_once_answered_is_not_excused_by_the_neighbour_table() {
    let mut line = Line::up(1);
    line.neighbour = Some(true);
    line.mute = vec![NEXT_HOP];
    line.until(State::Failing, 8000);
    line.secs(60);
    line.event(Event::Ready(Ready::Waiting("no router advertisement came".into())));
    line.event(Event::Ready(COMPLETE));
    line.secs(60);
    assert_eq!(line.watch.state(), State::Failing);
}

#[test]
fn probes_that_are_filtered_later_are_found_out_by_return_traffic() {
    let mut line = Line::up(1);
    line.mute = vec![NEXT_HOP];
    line.until(State::Failing, 8000);
    line.secs(10);
    line.traffic = 50;
    line.until(State::Up, 10_000);
    let changes = line.changes.len();
    line.secs(600);
    line.traffic = 0;
    line.secs(600);
    assert_eq!((line.watch.state(), line.changes.len()), (State::Up, changes));
}

#[test]
fn probes_the_owner_names_are_not_excused_by_the_neighbour_table() {
    let mut line = Line::new(&FAR, 1);
    line.mute = FAR.to_vec();
    line.neighbour = Some(true);
    line.event(Event::Ready(COMPLETE));
    line.until(State::Failing, 2000);
    line.secs(100);
    assert_eq!(line.watch.state(), State::Failing);
}

#[test]
fn wireguard_without_anybody_to_ask_is_judged_by_its_handshakes() {
    let mut line = Line::new(&[], 1);
    line.event(Event::Handshake(None));
    line.event(Event::Ready(Ready::Complete { next_hop: None }));
    line.secs(5);
    assert_eq!((line.watch.state(), line.reason()), (State::Starting, "there was no WireGuard handshake yet".into()));
    line.event(Event::Handshake(Some(Duration::from_secs(1))));
    line.until(State::Up, 2000);
    line.secs(100);
    line.event(Event::Handshake(Some(Duration::from_secs(101))));
    line.secs(92);
    assert_eq!(line.watch.state(), State::Up);
    line.until(State::Failing, 3000);
    line.secs(45);
    assert_eq!(line.reason(), "the last WireGuard handshake was 4 minutes ago");
    line.event(Event::Handshake(Some(Duration::ZERO)));
    line.until(State::Up, 6000);
    assert!(line.asked.is_empty());
}

#[test]
fn what_only_goes_out_degrades_an_uplink_that_can_not_be_asked_and_quiet_is_forgotten() {
    let mut line = Line::new(&[], 1);
    line.event(Event::Ready(Ready::Complete { next_hop: None }));
    line.until(State::Up, 2000);
    (line.traffic, line.answered) = (100, false);
    let took = line.until(State::Degraded, 20_000);
    assert!(took >= 15_000);
    line.secs(30);
    assert_eq!(line.watch.state(), State::Degraded);
    line.traffic = 0;
    line.until(State::Up, 61_000);
}

#[test]
fn whoever_is_at_the_other_end_may_answer_a_multicast_probe() {
    let mut line = Line::new(&[], 1);
    let mut out = Vec::new();
    let next_hop = Some(crate::net::ALL_ROUTERS);
    line.watch.handle(Event::Ready(Ready::Complete { next_hop }), line.now, &mut out);
    let (identifier, sequence) = asked(&out);
    line.event(Event::EchoReply { from: NEXT_HOP, identifier, sequence });
    assert_eq!(line.watch.state(), State::Up);
}

fn asked(actions: &[Action]) -> (u16, u16) {
    let of = |action: &Action| {
        if let Action::Echo { identifier, sequence, .. } = action { Some((*identifier, *sequence)) } else { None }
    };
    actions.iter().find_map(of).unwrap()
}

#[test]
fn answers_nobody_asked_for_are_counted_and_change_nothing() {
    let mut line = Line::new(&[], 1);
    line.alive = false;
    let mut out = Vec::new();
    line.watch.handle(Event::Ready(COMPLETE), line.now, &mut out);
    let (identifier, sequence) = asked(&out);
    for (from, identifier, sequence) in [
        (FAR[0], identifier, sequence),
        (NEXT_HOP, identifier ^ 1, sequence),
        (NEXT_HOP, identifier, sequence ^ 0x8000),
    ] {
        line.event(Event::EchoReply { from, identifier, sequence });
    }
    assert_eq!((line.watch.status(line.now).strays, line.watch.state()), (3, State::Starting));
    line.event(Event::EchoReply { from: NEXT_HOP, identifier, sequence });
    line.event(Event::EchoReply { from: NEXT_HOP, identifier, sequence });
    assert_eq!((line.watch.status(line.now).strays, line.watch.state()), (4, State::Up));
}

#[test]
fn a_new_next_hop_is_asked_at_once() {
    let mut line = Line::up(1);
    let start = line.now;
    let next_hop = Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2));
    line.event(Event::Ready(Ready::Complete { next_hop }));
    line.run(100);
    assert_eq!((line.asked.iter().filter(|at| **at >= start.0).count(), line.watch.state()), (1, State::Up));
}

#[test]
fn an_answer_that_takes_long_is_an_answer() {
    let mut line = Line::up(1);
    line.rtt = 1200;
    line.secs(600);
    assert!(line.changes.iter().filter(|(_, state, _)| *state == State::Failing).count() <= 1, "{:?}", line.changes);
    assert!(line.watch.state().is_usable());
}

#[test]
fn counters_that_go_back_or_run_over_are_no_traffic() {
    let mut line = Line::up(1);
    for (unicast_in, out) in [(u64::MAX, u64::MAX), (0, 0), (u64::MAX, 0), (5, 7)] {
        line.event(Event::Counters { unicast_in, out });
    }
    assert_eq!(line.watch.state(), State::Up);
}

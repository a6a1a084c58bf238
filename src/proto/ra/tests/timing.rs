use super::*;

#[test]
fn the_first_advertisement_is_due_at_once() {
    let mut link = Link::new(config(), 1);
    assert_eq!(link.core.poll_at(), Some((link.now, "first advertisement")));
    link.run(0);
    assert_eq!(link.times(ALL_NODES), [0]);
}

// MUST RFC 4861 §6.2.4: the interval is drawn uniformly between MinRtrAdvInterval and MaxRtrAdvInterval after each multicast
// MUST NOT RFC 4861 §6.2.6: unsolicited multicast advertisements come no more often than MinRtrAdvInterval
#[test]
fn the_first_three_are_at_most_16_s_apart_and_the_others_keep_the_interval() {
    let mut drawn = Vec::new();
    for seed in 0..50 {
        let mut link = Link::new(config(), seed);
        link.run(20_000_000);
        let times = link.times(ALL_NODES);
        assert_eq!(times[..3], [0, 16_000, 32_000]);
        let gaps = gaps(&times[2..]);
        assert!(gaps.iter().all(|gap| (198_000..=600_000).contains(gap)), "{gaps:?}");
        drawn.extend(gaps);
    }
    let mean = drawn.iter().sum::<u64>() / drawn.len() as u64;
    assert!((385_000..413_000).contains(&mean), "{mean}");
    assert!(drawn.iter().any(|gap| *gap < 220_000) && drawn.iter().any(|gap| *gap > 580_000));
}

#[test]
fn a_short_interval_is_not_stretched_to_16_s() {
    let quick = Config { min_interval: Duration::from_secs(3), max_interval: Duration::from_secs(4), ..config() };
    let mut link = Link::new(quick, 3);
    link.run(600_000);
    let gaps = gaps(&link.times(ALL_NODES));
    assert!(gaps.iter().all(|gap| (3_000..=4_000).contains(gap)), "{gaps:?}");
}

// MUST RFC 4861 §6.2.1: MaxRtrAdvInterval is no less than 4 s, and MinRtrAdvInterval no less than 3 s
// UNTESTED RFC 4861 §6.2.1: MaxRtrAdvInterval at most 1800 s, MinRtrAdvInterval at most 0.75 of it. Reason: the configuration's
// UNTESTED RFC 4861 §6.2.1: AdvDefaultLifetime 0 or MaxRtrAdvInterval to 9000 s, AdvReachableTime at most an hour. Reason: likewise
// UNTESTED RFC 4861 §6.2.1: the router variables can be configured. Reason: the configuration's, see the schema
// UNTESTED RFC 4861 §6.2.1: IsRouter and AdvSendAdvertisements default to FALSE. Reason: a LAN without section gets no advertiser
#[test]
fn intervals_that_make_no_sense_can_not_make_us_busy() {
    let zero = Config { min_interval: Duration::ZERO, max_interval: Duration::ZERO, ..config() };
    let crossed = Config { min_interval: Duration::from_secs(700), ..config() };
    let huge = Config { min_interval: Duration::MAX, max_interval: Duration::MAX, ..config() };
    for (config, range) in [(zero, 3_000..=4_000), (crossed, 600_000..=600_000)] {
        let mut link = Link::settled(config, 4);
        link.run(6_000_000);
        let gaps = gaps(&link.times(ALL_NODES));
        assert!(!gaps.is_empty() && gaps.iter().all(|gap| range.contains(gap)), "{gaps:?}");
    }
    Link::new(huge, 4).run(100_000);
}

// MUST RFC 4861 §6.2.6: an answer is delayed by a random time of 0 to 0.5 s
#[test]
fn solicitations_are_answered_within_half_a_second() {
    let mut delays = Vec::new();
    for seed in 0..200 {
        let mut link = Link::settled(config(), seed);
        let asked = link.now;
        link.solicit(ip(HOST));
        link.run(500);
        assert_eq!(link.sent.len(), 1);
        assert_eq!(link.sent[0].1, ip(HOST));
        delays.push(link.sent[0].0.since(asked).as_millis());
    }
    assert!(delays.iter().any(|d| *d < 50) && delays.iter().any(|d| *d > 450), "{delays:?}");
    let status = Link::settled(config(), 0).core.status(Instant(1_040_000));
    assert_eq!((status.multicasts, status.unicasts, status.solicitations), (3, 0, 0));
}

// MUST RFC 4861 §6.2.6: a multicast answer sets the interval timer anew, as an unsolicited advertisement does
#[test]
fn a_host_without_an_address_is_answered_by_multicast() {
    let mut link = Link::settled(config(), 5);
    let asked = link.now;
    link.solicit(Ipv6Addr::UNSPECIFIED);
    link.run(500);
    assert_eq!(link.sent.len(), 1);
    let (answered, to, _) = link.sent[0];
    assert_eq!(to, ALL_NODES);
    assert!(answered.since(asked) <= Duration::from_millis(500));
    let (next, why) = link.core.poll_at().unwrap();
    assert!((198..=600).contains(&next.since(answered).as_secs()), "{next:?} {why}");
}

#[test]
fn a_source_that_is_not_link_local_is_answered_by_multicast_which_surely_reaches_it() {
    let mut link = Link::settled(config(), 5);
    link.solicit(ip("2001:db8::7"));
    link.run(500);
    assert_eq!(link.times(ALL_NODES).len(), 1);
    assert_eq!(link.sent.len(), 1);
}

// MUST RFC 4861 §6.2.6: multicast advertisements are at least 3 s apart, answers too
#[test]
fn a_multicast_answer_keeps_three_seconds_from_the_last_multicast() {
    for seed in 0..100 {
        let mut link = Link::new(config(), seed);
        link.run(1_000);
        link.solicit(Ipv6Addr::UNSPECIFIED);
        link.run(5_000);
        let times = link.times(ALL_NODES);
        assert_eq!(times.len(), 2);
        // RFC 4861 §6.2.6: three seconds plus the random delay after the previous one
        assert!((3_000..=3_500).contains(&times[1]), "{times:?}");
    }
}

#[test]
fn an_advertisement_that_is_due_anyway_is_the_answer() {
    let quick = Config { min_interval: Duration::from_secs(3), max_interval: Duration::from_secs(4), ..config() };
    for seed in 0..50 {
        let mut link = Link::settled(quick.clone(), seed);
        let due = link.core.poll_at().unwrap().0;
        link.run(due.0 - link.now.0 - 1);
        link.sent.clear();
        link.solicit(ip(HOST));
        link.solicit(Ipv6Addr::UNSPECIFIED);
        link.run(1);
        let answered = link.times(ALL_NODES).len();
        link.run(500);
        // a delay of 0 may be drawn; else the multicast answers both
        assert!(link.sent.len() == 1 && answered == 1 || !link.times(ip(HOST)).is_empty(), "{:?}", link.sent);
    }
}

#[test]
fn several_solicitations_share_an_answer() {
    let mut link = Link::settled(config(), 6);
    let asked = link.now;
    for _ in 0..5 {
        link.solicit(ip(HOST));
    }
    assert!(link.sent.len() <= 1);
    link.run(500);
    assert_eq!(link.sent.len(), 1);
    assert!(link.sent[0].0.since(asked) <= Duration::from_millis(500));
    assert_eq!(link.core.status(link.now).solicitations, 5);
}

#[test]
fn a_flood_of_forged_solicitations_is_answered_by_few_packets_and_little_memory() {
    let mut link = Link::settled(config(), 7);
    let start = link.now;
    for i in 0..30_000u32 {
        link.run(1);
        link.solicit(ip(&format!("fe80::{:x}:{:x}", i >> 16, i & 0xffff)));
        assert!(link.core.poll_at().is_some_and(|(at, _)| at > link.now || at <= Instant(link.now.0 + 500)));
    }
    let seconds = usize::try_from(link.now.since(start).as_secs()).unwrap();
    let multicasts = link.times(ALL_NODES).len();
    assert!(multicasts <= seconds / 3 + 1, "{multicasts} in {seconds} s");
    assert!(link.sent.len() - multicasts <= (seconds / 3 + 1) * 16, "{}", link.sent.len());
    // and a real host among them is answered
    link.sent.clear();
    link.solicit(ip("fe80::aaaa"));
    link.run(3_500);
    assert!(link.sent.iter().any(|(_, to, _)| *to == ALL_NODES || *to == ip("fe80::aaaa")));
}

#[test]
fn a_change_is_announced_at_once_and_then_twice_within_16_s_each() {
    let mut link = Link::settled(config(), 8);
    let changed = link.now.0 - 1_000_000;
    link.reconfigure(with_uplink());
    link.run(100_000);
    assert_eq!(link.times(ALL_NODES), [changed, changed + 16_000, changed + 32_000]);
    assert_eq!(prefixes(link.last()).len(), 2);
}

#[test]
fn a_change_soon_after_an_advertisement_waits_for_the_three_seconds() {
    let mut link = Link::new(config(), 9);
    link.run(1_200);
    link.reconfigure(with_uplink());
    assert_eq!(link.core.poll_at(), Some((Instant(1_003_000), "content changed")));
    // who asks meanwhile is answered by that
    link.solicit(ip(HOST));
    link.run(4_000);
    assert_eq!(link.times(ALL_NODES), [0, 3_000]);
    assert!(link.times(ip(HOST)).is_empty());
}

#[test]
fn a_configuration_that_differs_in_nothing_causes_nothing() {
    let mut link = Link::settled(config(), 10);
    let due = link.core.poll_at();
    for _ in 0..1000 {
        link.reconfigure(config());
    }
    assert_eq!(link.core.poll_at(), due);
    assert!(link.sent.is_empty());
}

#[test]
fn what_flaps_back_before_it_was_sent_is_not_sent() {
    let mut link = Link::new(config(), 11);
    link.run(1_000);
    let due = link.core.poll_at();
    for _ in 0..500 {
        link.reconfigure(with_uplink());
        link.reconfigure(config());
    }
    assert_eq!(link.core.poll_at(), due);
    link.run(10_000);
    assert_eq!(link.times(ALL_NODES), [0]);
}

#[test]
fn a_host_that_asks_is_answered_though_the_change_it_waited_for_is_taken_back() {
    let mut link = Link::new(config(), 20);
    link.run(1_000);
    link.reconfigure(with_uplink());
    link.solicit(ip(HOST));
    link.reconfigure(config());
    link.run(3_000);
    assert_eq!(link.times(ALL_NODES), [0, 3_000]);
    assert_eq!(prefixes(link.last()).len(), 1);
}

#[test]
fn a_route_that_flaps_for_long_costs_one_advertisement_in_three_seconds() {
    let mut link = Link::settled(config(), 12);
    let start = link.now.0;
    for i in 0..1000 {
        let lifetime = if i % 2 == 0 { 0 } else { 1800 };
        link.reconfigure(Config { router_lifetime: lifetime, ..config() });
        link.run(10);
    }
    assert!(link.sent.len() <= 5, "{}", link.sent.len());
    assert!(gaps(&link.times(ALL_NODES)).iter().all(|gap| *gap >= 3_000));
    // and what it came to rest at is what hosts know
    link.run(3_000);
    assert_eq!(link.last().router_lifetime, 1800);
    assert!(link.now.0 - start < 14_000);
}

#[test]
fn a_renewed_delegation_whose_announced_lifetimes_stay_wakes_nobody() {
    let with_end = |seconds| {
        let mut config = with_uplink();
        config.prefixes[1].lifetimes = Lifetimes::new(until(seconds), until(seconds));
        config
    };
    let mut link = Link::settled(with_end(86_400), 13);
    link.reconfigure(with_end(172_800));
    // reckoned anew, and a second off
    link.reconfigure(with_end(172_801));
    assert!(link.sent.is_empty());
    // below the longest lifetime announced it counts
    link.reconfigure(with_end(2_000));
    assert_eq!(link.sent.len(), 1);
    assert_eq!(prefixes(link.last())[1].preferred, 1_960);
    link.reconfigure(with_end(2_001));
    link.reconfigure(with_end(2_000));
    link.run(15_000);
    assert_eq!(link.sent.len(), 1);
}

#[test]
fn a_shorter_interval_holds_at_once() {
    let mut link = Link::settled(config(), 14);
    link.reconfigure(Config { min_interval: Duration::from_secs(3), max_interval: Duration::from_secs(4), ..config() });
    link.run(100_000);
    assert!(link.sent.len() >= 25, "{}", link.sent.len());
}

// SHOULD RFC 4861 §6.2.5: on ceasing to advertise, 1 to 3 final advertisements carry router lifetime 0
// MUST NOT RFC 4861 §6.2.2: nothing is sent on an interface that has ceased to advertise
// UNTESTED RFC 4861 §6.2.5: neighbour advertisements of what is no router have R 0. Reason: the kernel's, by its forwarding sysctl
// UNTESTED RFC 4861 §6.2.6: 3 s between multicasts for the first final one. Reason: sent at once; a stopping process lives no 3 s
#[test]
fn the_end_is_told_at_once_and_at_most_three_times() {
    let mut link = Link::settled(config(), 15);
    let start = link.now.0 - 1_000_000;
    link.shutdown();
    assert_eq!(link.sent.len(), 1);
    link.shutdown();
    link.run(1_000_000);
    assert_eq!(link.times(ALL_NODES), [start, start + 3_000, start + 6_000]);
    assert!(link.sent.iter().all(|(_, _, said)| said.router_lifetime == 0));
    assert_eq!(link.core.poll_at(), None);
    // nobody is answered any more
    link.solicit(ip(HOST));
    link.run(10_000);
    assert_eq!(link.sent.len(), 3);
    assert_eq!(link.drops(), [("no longer advertising", 1)]);
}

#[test]
fn a_change_that_could_not_be_told_before_the_end_is_told_with_it() {
    let mut link = Link::new(config(), 19);
    link.run(1_000);
    link.reconfigure(Config { routes: vec![], ..config() });
    link.shutdown();
    let gone = NdOption::Route { prefix: p("fd12:3456:789a::/48"), preference: Preference::Medium, lifetime: 0 };
    assert!(link.last().options.contains(&gone));
}

#[test]
fn a_link_that_heard_nothing_is_told_no_end() {
    let mut link = Link::new(config(), 16);
    link.shutdown();
    assert_eq!(link.core.poll_at(), None);
    assert!(link.sent.is_empty());
}

#[test]
fn an_advertiser_that_was_shut_down_can_begin_anew() {
    let mut link = Link::settled(config(), 17);
    let start = link.now.0 - 1_000_000;
    link.shutdown();
    link.run(1_000);
    link.reconfigure(config());
    link.run(3_000);
    assert_eq!(link.times(ALL_NODES), [start, start + 3_000]);
    assert_eq!(link.last().router_lifetime, 1800);
}

#[test]
fn a_timer_that_fires_early_or_late_or_twice_does_no_harm() {
    let mut link = Link::new(config(), 18);
    link.run(0);
    let mut out = Vec::new();
    for at in [1_000_000, 1_000_000, 1_001_000, 1_015_999] {
        link.core.tick(Instant(at), &mut out);
    }
    assert!(out.is_empty());
    // asleep for a day: one advertisement, not a hundred
    link.core.tick(Instant(90_000_000), &mut out);
    assert_eq!(out.len(), 1);
    assert!(link.core.poll_at().is_some_and(|(at, _)| at > Instant(90_000_000)));
}

/// The prefix of the uplink, which hosts know, is preferred or not.
fn with_standby(preferred: bool) -> Config {
    let mut config = with_uplink();
    if !preferred {
        config.prefixes[1].max_preferred = 0;
    }
    config
}

// MUST RFC 4861 §6.2.6: multicast advertisements are at least 3 s apart, however urgent what they say
#[test]
fn a_move_soon_after_an_advertisement_is_told_to_known_hosts_at_once() {
    let mut link = Link::settled(with_standby(false), 1);
    link.reconfigure(with_standby(true));
    link.run(500);
    assert_eq!((link.times(ALL_NODES).len(), link.asked), (1, 0), "the first move needs nobody's address");
    link.reconfigure(with_standby(false));
    assert_eq!(link.asked, 1);
    let hosts = [ip("fe80::a"), ip("2001:db8:1:1::b"), ALL_NODES, Ipv6Addr::UNSPECIFIED];
    link.find(&hosts);
    for host in &hosts[..2] {
        let told = link.sent.iter().find(|(at, to, _)| to == host && *at == link.now);
        assert_eq!(told.map(|(.., said)| prefixes(said)[1].preferred), Some(0), "{host}");
    }
    assert_eq!(link.times(ALL_NODES).len(), 1);
    link.run(10_000);
    assert_eq!(gaps(&link.times(ALL_NODES))[0], 3_000);
    assert_eq!(prefixes(link.last())[1].preferred, 0);
}

#[test]
fn what_was_told_alone_and_taken_back_is_told_to_all() {
    let mut link = Link::settled(with_standby(false), 1);
    link.reconfigure(with_standby(true));
    link.run(500);
    link.reconfigure(with_standby(false));
    link.find(&[ip("fe80::a")]);
    link.reconfigure(with_standby(true));
    link.run(2_600);
    assert_eq!(link.times(ALL_NODES).len(), 2);
    assert_eq!(prefixes(link.last())[1].preferred, 2700);
}

#[test]
fn a_move_that_flaps_is_told_alone_once_between_two_multicasts() {
    let mut link = Link::settled(with_standby(false), 1);
    let hosts: Vec<Ipv6Addr> = (1..=200).map(|host| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host)).collect();
    for round in 0..200 {
        let asked = link.asked;
        link.reconfigure(with_standby(round % 2 == 0));
        for _ in 0..link.asked - asked {
            link.find(&hosts);
        }
        link.run(50);
    }
    let multicasts = link.times(ALL_NODES).len();
    assert!(multicasts <= 4, "{multicasts} in ten seconds");
    assert!(link.asked <= 4, "{}", link.asked);
    assert!(link.sent.len() <= 4 * 64 + 4, "{}", link.sent.len());
}

#[test]
fn what_is_not_urgent_waits_for_the_multicast() {
    let mut link = Link::settled(config(), 1);
    link.reconfigure(Config { hop_limit: 63, ..config() });
    link.run(500);
    link.reconfigure(Config { hop_limit: 62, ..config() });
    link.reconfigure(Config { router_lifetime: 0, ..config() });
    assert_eq!(link.asked, 0);
    link.find(&[ip("fe80::a")]);
    assert_eq!(link.sent.len(), 1);
}

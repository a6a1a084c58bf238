use super::*;
use proptest::prelude::*;

/// Something that happens to an advertiser.
#[derive(Clone, Debug)]
enum Happening {
    Pass(u64),
    Solicit(Ipv6Addr),
    Flood(u16),
    Reconfigure(usize),
    Overhear(u16),
    Garbage(Vec<u8>),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0..600u64).prop_map(Happening::Pass),
        3 => (0..10_000u64).prop_map(Happening::Pass),
        1 => (0..2_000_000u64).prop_map(Happening::Pass),
        3 => (0..30u16).prop_map(|host| Happening::Solicit(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host))),
        2 => Just(Happening::Solicit(Ipv6Addr::UNSPECIFIED)),
        1 => Just(Happening::Solicit(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
        1 => (0..100u16).prop_map(Happening::Flood),
        4 => (0..6usize).prop_map(Happening::Reconfigure),
        1 => any::<u16>().prop_map(Happening::Overhear),
        1 => any::<Vec<u8>>().prop_map(Happening::Garbage),
    ]
}

fn variant(number: usize) -> Config {
    match number {
        0 => config(),
        1 => with_uplink(),
        2 => Config { router_lifetime: 0, dns: vec![], ..config() },
        3 => Config { min_interval: Duration::from_secs(3), max_interval: Duration::from_secs(4), ..with_uplink() },
        4 => Config { min_interval: Duration::from_secs(20), max_interval: Duration::from_secs(30), ..config() },
        _ => {
            let mut config = with_uplink();
            config.prefixes[1].max_preferred = 0;
            config.dns = (0..100).map(|i| ip(&format!("2001:db8::{i:x}"))).collect();
            config
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    // MUST RFC 4861 §6.2.6: whatever happens, multicast advertisements are at least 3 s apart
    // MUST RFC 4861 §6.2.4: whatever happens, no two multicast advertisements are further apart than MaxRtrAdvInterval
    // MUST RFC 4861 §6.2.6: whatever happens, each valid solicitation is answered within 0.5 s, or 3 s after the last multicast
    #[test]
    fn whatever_happens_the_timing_rules_hold(seed: u64, first in 0..6usize, life in prop::collection::vec(happening(), 1..80)) {
        let mut link = Link::new(variant(first), seed);
        let mut in_force = variant(first);
        link.run(0);
        // (when asked, by whom, when the last multicast before it left)
        let mut asked: Vec<(Instant, Ipv6Addr, Instant)> = Vec::new();
        let multicast_before = |link: &Link| link.sent.iter().rev().find(|(_, to, _)| *to == ALL_NODES).unwrap().0;
        for happening in life {
            match happening {
                Happening::Pass(millis) => link.run(millis),
                Happening::Solicit(source) => {
                    asked.push((link.now, source, multicast_before(&link)));
                    link.solicit(source);
                }
                Happening::Flood(count) => {
                    for i in 0..count {
                        let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 1, 0, 0, i);
                        asked.push((link.now, source, multicast_before(&link)));
                        link.solicit(source);
                    }
                }
                Happening::Reconfigure(number) => {
                    let (sent, due) = (link.sent.len(), link.core.poll_at());
                    let unchanged = in_force == variant(number);
                    in_force = variant(number);
                    link.reconfigure(variant(number));
                    if unchanged {
                        prop_assert_eq!((link.sent.len(), link.core.poll_at()), (sent, due));
                    }
                }
                Happening::Overhear(router) => {
                    let said = Advertisement { hop_limit: 3, ..Advertisement::default() };
                    link.overhear(Ipv6Addr::new(0xfe80, 0, 0, 0, 2, 0, 0, router), &said);
                }
                Happening::Garbage(bytes) => link.hear(ip(HOST), 255, false, &bytes),
            }
            // nothing is overdue for long: the driver ticks what is due now
            link.run(0);
            let (due, _) = link.core.poll_at().unwrap();
            prop_assert!(due > link.now);
            prop_assert!(due <= multicast_before(&link).after(in_force.max_interval));
            let status = link.core.status(link.now);
            prop_assert!(status.routers.len() <= 8 && status.drops.len() <= 20);
        }
        link.run(4_000);
        let multicasts = link.times(ALL_NODES);
        prop_assert!(gaps(&multicasts).iter().all(|gap| *gap >= 3_000), "{:?}", multicasts);
        for (at, source, before) in asked {
            let limit = Instant((at.0 + 500).max(before.0 + 3_500));
            let answer = link.sent.iter().find(|(sent, to, _)| *sent >= at && (*to == ALL_NODES || *to == source));
            prop_assert!(answer.is_some_and(|(sent, ..)| *sent <= limit), "{at:?} {source}: {answer:?}");
        }
        // nobody is told alone what not all were told
        let mut all = None;
        for (_, to, said) in &link.sent {
            if *to == ALL_NODES {
                all = Some(said.router_lifetime);
            }
            prop_assert_eq!(all, Some(said.router_lifetime));
        }
        // at rest, the last word is what holds
        let last = link.sent.iter().rev().find(|(sent, to, _)| *to == ALL_NODES && *sent <= link.now).unwrap();
        prop_assert_eq!(last.2.router_lifetime, in_force.router_lifetime);
        // and every life has an end
        link.shutdown();
        link.run(100_000);
        prop_assert_eq!(link.core.poll_at(), None);
        prop_assert_eq!(link.last().router_lifetime, 0);
    }
}

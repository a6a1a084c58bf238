use super::*;
use crate::wire::nd::Dnr as WireDnr;

fn said(config: Config) -> Advertisement {
    let mut link = Link::new(config, 1);
    link.run(0);
    assert_eq!(link.sent.len(), 1);
    link.last().clone()
}

// UNTESTED RFC 8910 §2: the URI is that of the captive portal's API. Reason: the administrator's to know
// MUST RFC 4861 §6.2.3: every field and option carries what the interface's variables hold
#[test]
fn everything_that_is_configured_is_said() {
    let full = Config {
        preference: Preference::High,
        reachable_time: 30_000,
        retrans_timer: 1_000,
        mtu: Some(1492),
        ..with_options(config())
    };
    let expected = Advertisement {
        hop_limit: 64,
        managed: true,
        other: true,
        preference: Preference::High,
        router_lifetime: 1800,
        reachable_time: 30_000,
        retrans_timer: 1_000,
        options: vec![
            NdOption::SourceLink(MAC.parse().unwrap()),
            NdOption::Mtu(1492),
            NdOption::Prefix(PrefixInformation {
                prefix: p("fd12:3456:789a:1::/64"),
                on_link: true,
                autonomous: true,
                router: None,
                pd_preferred: false,
                valid: 5400,
                preferred: 2700,
            }),
            NdOption::Route { prefix: p("fd12:3456:789a::/48"), preference: Preference::Medium, lifetime: 1800 },
            NdOption::Rdnss { lifetime: 1800, servers: vec![ip("fd12:3456:789a:1::1")] },
            NdOption::Dnssl { lifetime: 1800, domains: vec!["home.arpa".into()] },
            NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 1800 },
            NdOption::CaptivePortal("https://portal.example/api".into()),
            NdOption::EncryptedDns(WireDnr {
                priority: 1,
                lifetime: 1800,
                name: "dns.example".into(),
                addresses: vec![ip("2001:db8::53")],
                params: b"\0\x01\0\x04\x03dot\0\x03\0\x02\x03\x55".to_vec(),
            }),
        ],
    };
    assert_eq!(said(full), expected);
}

#[test]
fn what_is_not_configured_is_not_said() {
    let bare = Config {
        mac: None,
        prefixes: vec![],
        routes: vec![],
        dns: vec![],
        search: vec![],
        managed: false,
        other: false,
        ..config()
    };
    let said = said(bare);
    assert!(said.options.is_empty() && !said.managed && !said.other);
}

// MUST RFC 4191 §2.2: the preference is medium while the router lifetime is 0
// MUST RFC 4861 §6.2.5: while forwarding is off, router lifetime is 0
// UNTESTED RFC 4861 §6.2.5: a router that becomes a host leaves the all-routers group. Reason: the daemon's sockets do
#[test]
fn without_a_default_route_we_are_no_default_router_but_still_announce_the_rest() {
    let said = said(Config { router_lifetime: 0, preference: Preference::High, ..config() });
    assert_eq!((said.router_lifetime, said.preference), (0, Preference::Medium));
    assert_eq!(said.options.len(), 5);
}

// MUST NOT RFC 4861 §4.6.2: the preferred lifetime is no longer than the valid one
// MUST NOT RFC 9096 §3.3: announced lifetimes are no longer than what remains of the prefix
// SHOULD RFC 9096 §3.3: announced lifetimes are no longer than the limits
#[test]
fn lifetimes_count_down_to_the_end_of_the_prefix_and_never_pass_the_limits() {
    let ending = |preferred, valid| {
        let mut config = config();
        config.prefixes[0].lifetimes = Lifetimes::new(preferred, valid);
        config
    };
    let mut link = Link::new(ending(until(3_000), until(6_000)), 1);
    link.run(7_000_000);
    let mut last = (u32::MAX, u32::MAX);
    for (at, _, said) in &link.sent {
        let seconds = u32::try_from(at.0 - 1_000_000).unwrap().div_ceil(1000);
        match prefixes(said).as_slice() {
            [info] => {
                assert_eq!(info.valid, (6_000 - seconds).min(5_400));
                assert_eq!(info.preferred, 3_000u32.saturating_sub(seconds).min(2_700));
                assert!(info.preferred <= last.0 && info.valid <= last.1 && info.preferred <= info.valid);
                last = (info.preferred, info.valid);
            }
            [] => assert!(seconds >= 6_000),
            more => panic!("{more:?}"),
        }
    }
    assert!(prefixes(link.last()).is_empty(), "what is over is left out");
    // a limit below the preferred lifetime cuts both
    let mut odd = ending(Until::Forever, Until::Forever);
    odd.prefixes[0].max_valid = 100;
    assert_eq!(prefixes(&said(odd.clone()))[0].preferred, 100);
    odd.prefixes[0].max_valid = u32::MAX;
    odd.prefixes[0].max_preferred = u32::MAX;
    let info = prefixes(&said(odd))[0];
    assert_eq!((info.preferred, info.valid), (u32::MAX, u32::MAX));
}

// MUST RFC 9096 §3.5: a stale prefix is announced with lifetimes 0 and its A and L flags unchanged
// MUST RFC 9096 §3.5: stale prefixes are announced by unsolicited advertisements
// UNTESTED RFC 9096 §3.5: stale prefixes are announced for as long as hosts may hold them. Reason: plan keeps them in the Config
#[test]
fn a_prefix_that_goes_away_is_deprecated_at_once() {
    let mut link = Link::settled(with_uplink(), 2);
    let mut gone = with_uplink();
    gone.prefixes[1].max_preferred = 0;
    link.reconfigure(gone.clone());
    assert_eq!(link.sent.len(), 1);
    let info = prefixes(link.last())[1];
    assert_eq!((info.preferred, info.valid, info.autonomous, info.on_link), (0, 5400, true, true));
    gone.prefixes[1].max_valid = 0;
    link.reconfigure(gone);
    link.run(3_000);
    let info = prefixes(link.last())[1];
    assert_eq!((info.preferred, info.valid, info.autonomous, info.on_link), (0, 0, true, true));
}

// MUST RFC 9762 §6: the P flag is set apart from the A flag, and changes nothing about it
// UNTESTED RFC 9762 §6: P is 0 unless DHCPv6 can delegate. Reason: plan decides it
#[test]
fn the_p_flag_stands_beside_the_a_flag() {
    for (autonomous, pd_preferred) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut config = config();
        (config.prefixes[0].autonomous, config.prefixes[0].pd_preferred) = (autonomous, pd_preferred);
        let info = prefixes(&said(config))[0];
        assert_eq!((info.autonomous, info.pd_preferred), (autonomous, pd_preferred));
    }
}

// MUST NOT RFC 4191 §2.3: no two route options for one prefix
// MUST NOT RFC 4861 §4.6.2: no prefix option for the link-local prefix
#[test]
fn nothing_is_said_twice_and_the_link_local_prefix_never() {
    let mut config = config();
    config.prefixes.extend([prefix("fd12:3456:789a:1::/64"), prefix("fe80::/64")]);
    config.routes.push((p("fd12:3456:789a::/48"), Preference::High, 5));
    assert_eq!(said(config), said(super::config()));
}

// lifetime 0: used no more (RFC 4191 §2.3, RFC 8106 §5.1 and §5.2, RFC 8781 §4, RFC 9463 §6.1)
#[test]
fn what_is_no_longer_wanted_is_withdrawn_three_times() {
    let resolver = |name: &str| {
        Some(Dnr { priority: 1, name: name.into(), addresses: vec![ip("2001:db8::53")], params: "alpn=dot".into() })
    };
    let before = Config {
        dns: vec![ip("2001:db8::1"), ip("2001:db8::2")],
        search: vec!["a.example".into(), "b.example".into()],
        pref64: Some(p("64:ff9b::/96")),
        routes: vec![(p("fd00:1::/48"), Preference::High, 1800), (p("fd00:2::/48"), Preference::High, 1800)],
        dnr: resolver("old.example"),
        ..config()
    };
    let after = Config {
        dns: vec![ip("2001:db8::2"), ip("2001:db8::3")],
        search: vec!["b.example".into()],
        pref64: Some(p("2001:db8:64::/96")),
        routes: vec![(p("fd00:2::/48"), Preference::High, 1800)],
        dnr: resolver("new.example"),
        ..before.clone()
    };
    let withdrawn = |said: &Advertisement| -> Vec<NdOption> {
        let is = |option: &&NdOption| match option {
            NdOption::Route { lifetime, .. } | NdOption::Rdnss { lifetime, .. } | NdOption::Dnssl { lifetime, .. } => {
                *lifetime == 0
            }
            NdOption::Pref64 { lifetime, .. } => *lifetime == 0,
            NdOption::EncryptedDns(dnr) => dnr.lifetime == 0,
            _ => false,
        };
        said.options.iter().filter(is).cloned().collect()
    };
    let expected = [
        NdOption::Route { prefix: p("fd00:1::/48"), preference: Preference::High, lifetime: 0 },
        NdOption::Rdnss { lifetime: 0, servers: vec![ip("2001:db8::1")] },
        NdOption::Dnssl { lifetime: 0, domains: vec!["a.example".into()] },
        NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 0 },
        NdOption::EncryptedDns(WireDnr {
            priority: 1,
            lifetime: 0,
            name: "old.example".into(),
            addresses: vec![ip("2001:db8::53")],
            params: b"\0\x01\0\x04\x03dot".to_vec(),
        }),
    ];
    let mut link = Link::settled(before.clone(), 3);
    link.reconfigure(after.clone());
    link.run(2_000_000);
    assert!(link.sent.len() > 5);
    for (i, (_, _, said)) in link.sent.iter().enumerate() {
        assert_eq!(withdrawn(said), if i < 3 { expected.to_vec() } else { vec![] }, "{i}");
    }
    // what comes back is no longer withdrawn, and what went meanwhile is
    let mut link = Link::settled(before.clone(), 4);
    link.reconfigure(after);
    link.run(5_000);
    link.reconfigure(Config { pref64: None, ..before });
    let told = withdrawn(link.last());
    assert!(told.contains(&NdOption::Rdnss { lifetime: 0, servers: vec![ip("2001:db8::3")] }), "{told:?}");
    assert!(!told.contains(&expected[1]) && told.contains(&expected[3]), "{told:?}");
}

// SHOULD RFC 4191 §4: when router lifetime goes to 0 at the end, route lifetimes do too
#[test]
fn the_end_withdraws_routes_and_resolvers_and_leaves_prefixes() {
    let mut link = Link::settled(Config { pref64: Some(p("64:ff9b::/96")), ..config() }, 5);
    link.shutdown();
    let said = link.last();
    assert_eq!(said.router_lifetime, 0);
    assert_eq!(prefixes(said)[0].preferred, 2700);
    for option in &said.options {
        match option {
            NdOption::Route { lifetime, .. } | NdOption::Rdnss { lifetime, .. } | NdOption::Dnssl { lifetime, .. } => {
                assert_eq!(*lifetime, 0);
            }
            NdOption::Pref64 { lifetime, .. } => assert_eq!(*lifetime, 0),
            _ => {}
        }
    }
}

// SHOULD RFC 8781 §4.1: the lifetime is by default the lesser of 3 × MaxRtrAdvInterval and 65528 s
#[test]
fn the_nat64_prefix_lives_three_intervals() {
    for (interval, lifetime) in [(600, 1800), (4, 16), (1_000, 3_000), (65_535, 65_528)] {
        let config =
            Config { max_interval: Duration::from_secs(interval), pref64: Some(p("64:ff9b::/96")), ..config() };
        let said = said(config);
        assert!(said.options.contains(&NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime }), "{said:?}");
    }
}

// MUST NOT RFC 6980 §5: neighbour discovery messages are not sent in fragments
#[test]
fn what_is_too_long_for_1280_bytes_is_said_in_several_messages() {
    let big = Config {
        prefixes: (0..100).map(|i| prefix(&format!("2001:db8:0:{i:x}::/64"))).collect(),
        dns: (0..200).map(|i| ip(&format!("2001:db8::{i:x}"))).collect(),
        search: (0..30).map(|i| format!("{}.{i}.example", "a".repeat(60))).collect(),
        ..config()
    };
    // the harness looks at every length
    let mut link = Link::new(big.clone(), 6);
    link.run(0);
    assert!(link.sent.len() > 5, "{}", link.sent.len());
    assert!(
        link.sent.iter().all(|(_, to, said)| *to == ALL_NODES && said.router_lifetime == 1800 && said.hop_limit == 64)
    );
    let options: Vec<NdOption> = link.sent.iter().flat_map(|(_, _, said)| said.options.clone()).collect();
    let told: Vec<Prefix> = link.sent.iter().flat_map(|(_, _, said)| prefixes(said)).map(|info| info.prefix).collect();
    assert_eq!(told, big.prefixes.iter().map(|info| info.prefix).collect::<Vec<_>>());
    let servers: Vec<Ipv6Addr> = options
        .iter()
        .flat_map(|option| if let NdOption::Rdnss { servers, .. } = option { servers.clone() } else { vec![] })
        .collect();
    assert_eq!(servers, big.dns);
    let domains: Vec<String> = options
        .iter()
        .flat_map(|option| if let NdOption::Dnssl { domains, .. } = option { domains.clone() } else { vec![] })
        .collect();
    assert_eq!(domains, big.search);
    assert_eq!(link.core.status(link.now).multicasts, 1);
    assert!(link.drops().is_empty());
}

#[test]
fn an_option_that_fits_no_message_is_left_out_and_counted() {
    let config = Config { captive_portal: Some(format!("https://{}", "a".repeat(1300))), ..config() };
    let mut link = Link::new(config, 7);
    link.run(0);
    assert_eq!(link.last().options.len(), 5);
    assert_eq!(link.drops(), [("option can't be sent", 1)]);
}

use super::*;

fn solicitation(with_link: bool) -> Vec<u8> {
    let option = NdOption::SourceLink("02:00:5e:00:53:99".parse().unwrap());
    Solicitation { options: if with_link { vec![option] } else { vec![] } }.encode().unwrap()
}

// MUST RFC 4861 §6.1.1: a solicitation is dropped when its hop limit is not 255
// MUST RFC 4861 §6.1.1: a solicitation is dropped when its code is not 0, it has under 8 bytes, or an option of length 0
// MUST RFC 4861 §6.1.1: a solicitation from :: with a source link-layer option is dropped
// MUST RFC 4861 §6.2.6: a solicitation from :: with a source link-layer option is dropped
// MUST RFC 6980 §5: a fragmented solicitation or advertisement is dropped
// MUST RFC 4861 §6.1.2: an advertisement is dropped when its source is not link-local, or its hop limit is not 255
// MUST RFC 4861 §6.1.2: an advertisement is dropped when its code is not 0, it has under 16 bytes, or an option of length 0
// UNTESTED RFC 4861 §6.1.1: a wrong checksum is dropped. Reason: the kernel does it for raw ICMPv6 sockets (RFC 3542 §3.1)
// UNTESTED RFC 4861 §6.1.2: a wrong checksum is dropped. Reason: the kernel does it for raw ICMPv6 sockets (RFC 3542 §3.1)
// UNTESTED RFC 4861 §6.2.6: a solicitation's link-layer address goes to the neighbour cache as STALE. Reason: the kernel does it
// UNTESTED RFC 4861 §6.2.6: a solicitation from :: leaves the neighbour cache alone. Reason: the kernel's
// UNTESTED RFC 4861 §6.2.6: the cache entry of a solicitation's sender has IsRouter FALSE. Reason: the kernel does it
// UNTESTED RFC 4861 §6.2.2: advertising interfaces join the all-routers group. Reason: the daemon's sockets do, Router::links
// UNTESTED RFC 4861 §6.1.2: advertisements leave from the link-local address, hop limit 255. Reason: the daemon's socket does it
#[test]
fn what_is_not_valid_is_dropped_and_counted_by_reason() {
    let host = ip(HOST);
    let rs = solicitation(false);
    let ra = Advertisement::default().encode().unwrap();
    let with_code = |bytes: &[u8]| [&bytes[..1], &[1], &bytes[2..]].concat();
    let with_option = |bytes: &[u8], option: &[u8]| [bytes, option].concat();
    for (source, hop_limit, fragmented, bytes, reason) in [
        (host, 254, false, rs.clone(), "hop limit is not 255"),
        (host, 255, true, rs.clone(), "fragmented"),
        (host, 255, false, with_code(&rs), "code is not 0"),
        (host, 255, false, rs[..7].to_vec(), "too short"),
        (host, 255, false, with_option(&rs, &[1, 0]), "option of length 0"),
        (host, 255, false, with_option(&rs, &[1, 1, 0]), "option reaches past the end"),
        (Ipv6Addr::UNSPECIFIED, 255, false, solicitation(true), "solicitation from :: with a link-layer address"),
        (
            Ipv6Addr::UNSPECIFIED,
            255,
            false,
            with_option(&rs, &[&[1, 2][..], &[0; 14]].concat()),
            "solicitation from :: with a link-layer address",
        ),
        (ALL_NODES, 255, false, rs.clone(), "source is no host"),
        (Ipv6Addr::LOCALHOST, 255, false, rs.clone(), "source is no host"),
        (host, 254, false, ra.clone(), "hop limit is not 255"),
        (host, 255, true, ra.clone(), "fragmented"),
        (host, 255, false, with_code(&ra), "code is not 0"),
        (host, 255, false, ra[..15].to_vec(), "too short"),
        (host, 255, false, with_option(&ra, &[3, 0]), "option of length 0"),
        (ip("2001:db8::1"), 255, false, ra.clone(), "advertisement from no link-local address"),
        (Ipv6Addr::UNSPECIFIED, 255, false, ra.clone(), "advertisement from no link-local address"),
        (host, 255, false, vec![135, 0, 0, 0, 0, 0, 0, 0], "other type"),
        (host, 255, false, vec![], "too short"),
    ] {
        let mut link = Link::settled(config(), 1);
        link.hear(source, hop_limit, fragmented, &bytes);
        link.run(4_000);
        assert!(link.sent.is_empty(), "{reason}");
        assert_eq!(link.drops(), [(reason, 1)], "{source} {bytes:02x?}");
        let status = link.core.status(link.now);
        assert_eq!((status.solicitations, status.routers.len()), (0, 0));
    }
}

// MUST RFC 4861 §6.2.6: a valid solicitation is answered
#[test]
fn a_valid_solicitation_is_answered_with_or_without_a_link_layer_address() {
    for (source, with_link) in [(ip(HOST), false), (ip(HOST), true), (Ipv6Addr::UNSPECIFIED, false)] {
        let mut link = Link::settled(config(), 2);
        link.hear(source, 255, false, &solicitation(with_link));
        link.run(500);
        assert_eq!(link.sent.len(), 1);
        assert!(link.drops().is_empty());
    }
}

#[test]
fn our_own_advertisement_is_no_other_router() {
    let mut link = Link::new(config(), 3);
    link.run(0);
    let own = link.last().clone();
    link.overhear(ip("fe80::ff"), &own);
    assert_eq!(link.drops(), [("our own advertisement", 1)]);
    assert!(link.core.status(link.now).routers.is_empty());
}

fn theirs() -> Advertisement {
    let mut link = Link::new(Config { mac: "02:00:5e:00:53:02".parse().ok(), ..config() }, 4);
    link.run(0);
    link.last().clone()
}

fn contradictions(said: &Advertisement, config: Config) -> Vec<String> {
    let mut link = Link::settled(config, 5);
    link.overhear(ip("fe80::2"), said);
    let mut routers = link.core.status(link.now).routers;
    assert_eq!(routers.len(), 1);
    let router = routers.remove(0);
    assert_eq!((router.address, router.heard, router.router_lifetime), (ip("fe80::2"), link.now, said.router_lifetime));
    router.contradicts
}

// SHOULD RFC 4861 §6.2.7: consistency is checked of hop limit, M, O, timers, MTU and lifetimes of prefixes, 0 being exempt
// SHOULD RFC 4861 §6.2.7: of lifetimes that count down, the ends are compared, with some skew
// SHOULD RFC 8781 §5.2: consistency of NAT64 prefixes is checked
// UNTESTED RFC 4861 §6.2.7: inconsistencies are logged. Reason: status shows them; a log line for each would flood
#[test]
fn routers_that_contradict_us_are_shown_with_what_they_contradict() {
    assert_eq!(contradictions(&theirs(), config()), [""; 0]);
    let set = |change: fn(&mut Advertisement)| {
        let mut said = theirs();
        change(&mut said);
        said
    };
    let prefix_mut = |said: &mut Advertisement, change: fn(&mut PrefixInformation)| {
        said.options.iter_mut().for_each(|option| {
            if let NdOption::Prefix(info) = option {
                change(info);
            }
        });
    };
    for (said, found) in [
        (set(|said| said.hop_limit = 0), ""),
        (set(|said| said.hop_limit = 32), "hop limit 32, ours is 64"),
        (set(|said| said.managed = false), "M flag is 0, ours is 1"),
        (set(|said| said.other = false), "O flag is 0, ours is 1"),
        (set(|said| said.reachable_time = 5), "reachable time 5, ours is 30000"),
        (set(|said| said.retrans_timer = 5), "retransmission timer 5, ours is 1000"),
        (set(|said| said.options.push(NdOption::Mtu(1492))), "MTU 1492, ours is 1500"),
        (set(|said| said.options.push(NdOption::Mtu(1500))), ""),
        (set(|said| said.options.push(NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 8 })), ""),
        (
            set(|said| said.options.push(NdOption::Pref64 { prefix: p("2001:db8:64::/96"), lifetime: 8 })),
            "NAT64 prefix 2001:db8:64::/96, ours is 64:ff9b::/96",
        ),
        (set(|said| said.options.push(NdOption::Pref64 { prefix: p("2001:db8:64::/96"), lifetime: 0 })), ""),
        // another prefix is nobody's contradiction
        (set(|said| said.options.retain(|option| !matches!(option, NdOption::Prefix(_)))), ""),
    ] {
        let full = Config {
            reachable_time: 30_000,
            retrans_timer: 1_000,
            mtu: Some(1500),
            pref64: Some(p("64:ff9b::/96")),
            ..config()
        };
        let expected: Vec<&str> = if found.is_empty() { vec![] } else { vec![found] };
        assert_eq!(contradictions(&said, full), expected);
    }
    let mut said = theirs();
    prefix_mut(&mut said, |info| (info.preferred, info.valid) = (2_695, 5_405));
    assert_eq!(contradictions(&said, config()), [""; 0], "a little skew");
    prefix_mut(&mut said, |info| (info.preferred, info.valid) = (0, u32::MAX));
    assert_eq!(
        contradictions(&said, config()),
        [
            "fd12:3456:789a:1::/64 preferred for 0 s, ours for 2700 s",
            "fd12:3456:789a:1::/64 valid for 4294967295 s, ours for 5400 s"
        ]
    );
}

#[test]
fn other_routers_are_remembered_up_to_eight_and_forgotten_when_silent() {
    let mut link = Link::settled(config(), 6);
    for i in 0..1000u16 {
        link.overhear(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, i), &theirs());
    }
    let status = link.core.status(link.now);
    assert_eq!(status.routers.len(), 8);
    assert_eq!(status.drops, [("too many other routers", 992)]);
    // one that is known already finds room
    link.run(60_000);
    link.overhear(ip("fe80::1:3"), &Advertisement { hop_limit: 1, ..theirs() });
    let known = link.core.status(link.now).routers;
    assert_eq!(known.iter().filter(|router| !router.contradicts.is_empty()).count(), 1);
    link.run(5_400_000);
    assert_eq!(link.core.status(link.now).routers.len(), 1);
    link.overhear(ip("fe80::2:1"), &theirs());
    assert_eq!(link.core.status(link.now).routers.len(), 2);
}

#[test]
fn a_hundred_thousand_broken_packets_do_no_harm() {
    let mut rng = crate::net::Rng::new(7);
    let mut link = Link::settled(config(), 8);
    let big = with_options(with_uplink());
    let seeds =
        [content::advertisement(&big, link.now).encode().unwrap(), theirs().encode().unwrap(), solicitation(true)];
    for i in 0..100_000u64 {
        let mut bytes = seeds[(i % 3) as usize].clone();
        for _ in 0..rng.between(1, 4) {
            let at = usize::try_from(rng.between(0, bytes.len() as u64 - 1)).unwrap();
            bytes[at] = if rng.between(0, 1) == 0 { bytes[at] ^ 1 << rng.between(0, 7) } else { rng.next_u64() as u8 };
        }
        bytes.truncate(usize::try_from(rng.between(0, bytes.len() as u64 + 20)).unwrap());
        let source =
            if i % 5 == 0 { Ipv6Addr::UNSPECIFIED } else { Ipv6Addr::from(0xfe80 << 112 | rng.between(0, 20) as u128) };
        link.hear(source, 255, false, &bytes);
        link.run(rng.between(0, 20));
    }
    let status = link.core.status(link.now);
    assert!(status.routers.len() <= 8 && status.drops.len() < 20, "{status:?}");
}

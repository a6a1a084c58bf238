use super::*;
use proptest::prelude::*;

/// Bytes of hexadecimal text; blanks and line ends between them don't count.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn p(text: &str) -> crate::net::Prefix {
    text.parse().unwrap()
}

fn pio(prefix: &str) -> PrefixInformation {
    PrefixInformation {
        prefix: p(prefix),
        on_link: true,
        autonomous: true,
        router: None,
        pd_preferred: false,
        valid: 5400,
        preferred: 2700,
    }
}

/// An advertisement of nothing but this option.
fn with_option(bytes: &[u8]) -> Vec<u8> {
    [&hex("86 00 0000 00 00 0000 00000000 00000000"), bytes].concat()
}

fn only_option(bytes: &[u8]) -> NdOption {
    match parse(&with_option(bytes)) {
        Ok(Message::Advertisement(Advertisement { options, .. })) if options.len() == 1 => options[0].clone(),
        other => panic!("{other:?}"),
    }
}

/// Every option, and the bytes the RFCs give it.
fn table() -> Vec<(NdOption, Vec<u8>)> {
    let dnr = |addresses: &[&str], params: &[u8]| {
        NdOption::EncryptedDns(Dnr {
            priority: 1,
            lifetime: 1800,
            name: "dns.example".into(),
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            params: params.into(),
        })
    };
    let route = |prefix: &str, preference, lifetime| NdOption::Route { prefix: p(prefix), preference, lifetime };
    vec![
        (NdOption::SourceLink("02:00:5e:00:53:01".parse().unwrap()), hex("01 01 02005e005301")),
        (
            NdOption::Prefix(pio("2001:db8:1:2::/64")),
            hex("03 04 40 c0 00001518 00000a8c 00000000 20010db8000100020000000000000000"),
        ),
        (
            NdOption::Prefix(PrefixInformation {
                on_link: false,
                autonomous: false,
                router: Some("2001:db8:1:2::1".parse().unwrap()),
                pd_preferred: true,
                valid: u32::MAX,
                preferred: 0,
                ..pio("2001:db8:1:2::/64")
            }),
            hex("03 04 40 30 ffffffff 00000000 00000000 20010db8000100020000000000000001"),
        ),
        (NdOption::Mtu(1492), hex("05 01 0000 000005d4")),
        (route("::/0", Preference::High, 1800), hex("18 01 00 08 00000708")),
        (route("fd12:3456:789a::/48", Preference::Medium, 0), hex("18 02 30 00 00000000 fd123456789a0000")),
        (
            route("2001:db8::1/128", Preference::Low, u32::MAX),
            hex("18 03 80 18 ffffffff 20010db8000000000000000000000001"),
        ),
        (
            NdOption::Rdnss {
                lifetime: 1800,
                servers: vec!["fd12::1".parse().unwrap(), "2001:db8::53".parse().unwrap()],
            },
            hex("19 05 0000 00000708
                 fd120000000000000000000000000001 20010db8000000000000000000000053"),
        ),
        (
            NdOption::Dnssl { lifetime: 1800, domains: vec!["home.arpa".into(), "x.example".into()] },
            hex("1f 04 0000 00000708 04686f6d65 0461727061 00 0178 076578616d706c65 00 00 00"),
        ),
        (
            NdOption::CaptivePortal("https://p.example/api".into()),
            [hex("25 03"), b"https://p.example/api\0".to_vec()].concat(),
        ),
        (NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 1800 }, hex("26 02 0708 0064ff9b0000000000000000")),
        (
            NdOption::Pref64 { prefix: p("2001:db8:6464::/48"), lifetime: 65528 },
            hex("26 02 fffb 20010db86464000000000000"),
        ),
        (
            dnr(&["2001:db8::53"], b"\0\x01\0\x04\x03dot"),
            hex("90 07 0001 00000708 000d 03646e73076578616d706c6500
                 0010 20010db8000000000000000000000053 0008 0001000403646f74 0000000000"),
        ),
        (dnr(&[], b""), hex("90 03 0001 00000708 000d 03646e73076578616d706c6500 00")),
    ]
}

// MUST RFC 4191 §2.3: bits of a route's prefix behind its length are zero, and reserved bits are
// MUST RFC 4861 §4.6.2: bits of a prefix behind its length are zero, and reserved fields are
// MUST RFC 8106 §5.2: domain names are uncompressed labels, and padded with zeros to a multiple of 8 bytes
// MUST RFC 8910 §2.3: the URI is padded with NUL to a multiple of 8 bytes
// MUST RFC 9463 §6.1: the option is padded with zeros to a multiple of 8 bytes
#[test]
fn every_option_has_the_bytes_of_its_rfc() {
    for (option, bytes) in table() {
        let mut encoded = b"before".to_vec();
        option.encode(&mut encoded).unwrap();
        assert_eq!(encoded.split_off(6), bytes, "{option:?}");
        assert_eq!(only_option(&bytes), option);
    }
}

#[test]
fn an_advertisement_has_the_bytes_of_rfc_4861() {
    let message = Advertisement {
        hop_limit: 64,
        managed: true,
        other: true,
        preference: Preference::High,
        router_lifetime: 1800,
        reachable_time: 30_000,
        retrans_timer: 1000,
        options: vec![NdOption::Mtu(1500)],
    };
    let bytes = hex("86 00 0000 40 c8 0708 00007530 000003e8 05 01 0000 000005dc");
    assert_eq!(message.encode(), Ok(bytes.clone()));
    assert_eq!(parse(&bytes), Ok(Message::Advertisement(message)));
}

#[test]
fn a_solicitation_has_the_bytes_of_rfc_4861() {
    let mac: Mac = "02:00:5e:00:53:01".parse().unwrap();
    let message = Solicitation { options: vec![NdOption::SourceLink(mac)] };
    let bytes = hex("85 00 0000 00000000 01 01 02005e005301");
    assert_eq!(message.encode(), Ok(bytes.clone()));
    assert!(message.has_source_link());
    assert_eq!(message.source_link(), Some(mac));
    assert_eq!(parse(&bytes), Ok(Message::Solicitation(message)));
}

#[test]
fn an_advertisement_of_odhcpd_is_read() {
    let bytes = hex("86 00 09f7 40 c0 0708 00000000 00000000
         01 01 da8ae662b3fd 05 01 0000 000005dc
         03 04 40 c0 00001518 00000a8c 00000000 20010db8beef00100000000000000000
         03 04 40 c0 00000000 00000000 00000000 20010db8dddd00000000000000000000
         19 03 0000 00001518 fd123456789a00100000000000000001
         07 01 0000 000927c0");
    let Ok(Message::Advertisement(read)) = parse(&bytes) else { panic!() };
    assert!(read.managed && read.other && read.preference == Preference::Medium && read.router_lifetime == 1800);
    let gone = PrefixInformation { valid: 0, preferred: 0, ..pio("2001:db8:dddd::/64") };
    let servers = vec!["fd12:3456:789a:10::1".parse().unwrap()];
    assert_eq!(
        read.options,
        [
            NdOption::SourceLink("da:8a:e6:62:b3:fd".parse().unwrap()),
            NdOption::Mtu(1500),
            NdOption::Prefix(pio("2001:db8:beef:10::/64")),
            NdOption::Prefix(gone),
            NdOption::Rdnss { lifetime: 5400, servers },
            NdOption::Skipped(7),
        ]
    );
}

// MUST RFC 4861 §6.1.1: a solicitation is dropped when its code is not 0, or it has under 8 bytes, or an option of length 0
// MUST RFC 4861 §6.1.2: an advertisement is dropped when its code is not 0, or it has under 16 bytes, or an option of length 0
#[test]
fn invalid_messages_are_refused_with_the_reason() {
    for (bytes, error) in [
        ("", Error::Short),
        ("85", Error::Short),
        ("85 00 0000 000000", Error::Short),
        ("85 01 0000 00000000", Error::Code),
        ("85 00 0000 00000000 01", Error::TruncatedOption),
        ("85 00 0000 00000000 01 00 02005e005301", Error::EmptyOption),
        ("85 00 0000 00000000 01 02 02005e005301", Error::TruncatedOption),
        ("85 00 0000 00000000 fe 01 000000000000 fe 00", Error::EmptyOption),
        ("86 00 0000 40 00 0708 00007530 000003", Error::Short),
        ("86 ff 0000 40 00 0708 00007530 000003e8", Error::Code),
        ("86 00 0000 40 00 0708 00007530 000003e8 03 00", Error::EmptyOption),
        ("86 00 0000 40 00 0708 00007530 000003e8 03 04 40c0", Error::TruncatedOption),
        ("87 00 0000 00000000", Error::OtherType),
    ] {
        assert_eq!(parse(&hex(bytes)), Err(error), "{bytes}");
    }
}

// MUST RFC 4861 §6.1.1: the reserved field and unknown options of a solicitation are ignored
// MUST RFC 4861 §6.1.1: known options that don't belong in a solicitation are ignored, and it counts
// MUST RFC 4861 §6.1.2: the reserved field and unknown options of an advertisement are ignored
// MUST RFC 4861 §6.1.2: known options that don't belong in an advertisement are ignored, and it counts
#[test]
fn what_is_unknown_is_skipped_and_the_rest_counts() {
    let unknown = "fe 02 0102030405060708090a0b0c0d0e";
    let target_link = "02 01 02005e005301";
    let solicitation = hex(&format!("85 00 0000 ffffffff {unknown} {target_link} 01 01 02005e005301"));
    let Ok(Message::Solicitation(solicitation)) = parse(&solicitation) else { panic!() };
    assert_eq!(solicitation.options[..2], [NdOption::Skipped(0xfe), NdOption::Skipped(2)]);
    assert!(solicitation.source_link().is_some());
    let advertisement =
        hex(&format!("86 00 0000 40 07 0708 00000000 00000000 {unknown} {target_link} 05 01 0000 000005dc"));
    let Ok(Message::Advertisement(advertisement)) = parse(&advertisement) else { panic!() };
    assert_eq!(advertisement.options, [NdOption::Skipped(0xfe), NdOption::Skipped(2), NdOption::Mtu(1500)]);
    assert!(!advertisement.managed && !advertisement.other);
}

// MUST RFC 4191 §2.3: a route with the reserved preference is ignored
// MUST RFC 8781 §4: a NAT64 prefix with an unknown length code, or of length 1, is ignored
#[test]
fn options_that_make_no_sense_are_skipped() {
    for bytes in [
        "01 02 02005e005301 0000000000000000", // an address of another size
        "03 03 40 c0 00001518 00000a8c 00000000 20010db800010002", // a prefix cut short
        "03 04 81 c0 00001518 00000a8c 00000000 20010db8000100020000000000000000", // 129 bits
        "05 02 0000 000005dc 0000000000000000",
        "18 01 01 00 00000708",                  // one bit, no room for it
        "18 02 41 00 00000708 20010db800000000", // 65 bits in 64
        "18 03 81 00 00000708 20010db8000000000000000000000000",
        "18 02 30 10 00000708 20010db800000000", // preference 10
        "18 04 30 00 00000708 20010db8000000000000000000000000 0000000000000000",
        "19 01 0000 00000708",
        "19 02 0000 00000708 20010db800000000",
        "19 04 0000 00000708 20010db8000000000000000000000000 0000000000000000",
        "1f 01 0000 00000708",
        "1f 02 0000 00000708 0000000000000000",
        "1f 02 0000 00000708 c000000000000000", // compressed
        "1f 02 0000 00000708 0761626364656667",
        "1f 03 0000 00000708 0161 00 00 00 ff 00 00 0000000000000000", // padding
        "25 01 000000000000",
        "25 01 612062000000", // a blank
        "25 01 610062000000", // a NUL inside
        "26 01 0708 00000000",
        "26 02 0706 0064ff9b0000000000000000",
        "90 01 000100000708",
        "90 03 0001 00000708 000d 03646e73076578616d706c6500 01", // padding
        "90 03 0001 00000708 00ff 03646e73076578616d706c6500 00",
        "90 02 0001 00000708 0001 00 00 00000000", // the root
        "90 04 0001 00000708 000d 03646e73076578616d706c6500 0001 00 000000000000", // an address of one byte
        "90 04 0001 00000708 000d 03646e73076578616d706c6500 0000 0004 00010000 00", // parameters without address
    ] {
        let bytes = hex(bytes);
        assert_eq!(only_option(&bytes), NdOption::Skipped(bytes[0]), "{bytes:02x?}");
    }
}

// MUST RFC 8781 §4: of a longer NAT64 option the first 16 bytes count
#[test]
fn a_longer_nat64_option_counts_as_far_as_it_is_known() {
    let long = hex("26 03 0708 0064ff9b0000000000000000 ffffffffffffffff");
    assert_eq!(only_option(&long), NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime: 1800 });
}

// MUST RFC 4191 §2.2: the preference is 00 while the router lifetime is 0, and then ignored when received
// MUST RFC 4191 §2.2: the reserved preference 10 counts as medium, and is never sent
#[test]
fn the_preference_is_medium_without_a_router_lifetime() {
    let preference_of =
        |flags: &str, lifetime: &str| match parse(&hex(&format!("86 00 0000 00 {flags} {lifetime} 00000000 00000000")))
        {
            Ok(Message::Advertisement(advertisement)) => advertisement.preference,
            other => panic!("{other:?}"),
        };
    for (flags, lifetime, preference) in [
        ("08", "0708", Preference::High),
        ("18", "0708", Preference::Low),
        ("10", "0708", Preference::Medium),
        ("08", "0000", Preference::Medium),
        ("18", "0000", Preference::Medium),
    ] {
        assert_eq!(preference_of(flags, lifetime), preference, "{flags} {lifetime}");
    }
    let message = Advertisement { preference: Preference::High, ..Advertisement::default() };
    assert_eq!(message.header()[5], 0);
}

#[test]
fn lifetimes_of_nat64_are_rounded_up_to_8_seconds() {
    for (lifetime, word) in
        [(0, 0), (1, 8), (8, 8), (9, 16), (1799, 1800), (65528, 65528), (65529, 65528), (65535, 65528)]
    {
        let mut bytes = Vec::new();
        NdOption::Pref64 { prefix: p("64:ff9b::/96"), lifetime }.encode(&mut bytes).unwrap();
        assert_eq!(u16::from_be_bytes([bytes[2], bytes[3]]), word, "{lifetime}");
    }
}

#[test]
fn what_can_not_be_written_is_refused_and_leaves_no_trace() {
    let dnr = |name: &str, addresses: usize, params: &[u8]| {
        NdOption::EncryptedDns(Dnr {
            priority: 1,
            lifetime: 0,
            name: name.into(),
            addresses: vec![std::net::Ipv6Addr::LOCALHOST; addresses],
            params: params.into(),
        })
    };
    for option in [
        NdOption::Rdnss { lifetime: 0, servers: vec![] },
        NdOption::Rdnss { lifetime: 0, servers: vec![std::net::Ipv6Addr::LOCALHOST; 128] },
        NdOption::Dnssl { lifetime: 0, domains: vec![] },
        NdOption::Dnssl { lifetime: 0, domains: vec!["a..b".into()] },
        NdOption::Dnssl { lifetime: 0, domains: vec!["a".repeat(60); 40] },
        NdOption::CaptivePortal(String::new()),
        NdOption::CaptivePortal("a b".into()),
        NdOption::CaptivePortal("a".repeat(2039)),
        NdOption::Pref64 { prefix: p("64:ff9b::/95"), lifetime: 8 },
        dnr("", 1, b""),
        dnr("dns.example", 0, b"\0\x01\0\0"),
        dnr("dns.example", 1, b"\0\x01\0"),
        dnr("dns.example", 200, b""),
        dnr("dns.example", 5000, b""),
    ] {
        let mut out = b"before".to_vec();
        assert!(option.encode(&mut out).is_err(), "{option:?}");
        assert_eq!(out, b"before");
    }
    let mut out = Vec::new();
    NdOption::CaptivePortal("a".repeat(2038)).encode(&mut out).unwrap();
    assert_eq!((out.len(), out[1]), (2040, 255));
}

prop_compose! {
    fn any_prefix()(addr: u128, len in 0..=128u8) -> crate::net::Prefix {
        crate::net::Prefix::new(addr.into(), len).unwrap()
    }
}

fn any_preference() -> impl Strategy<Value = Preference> {
    prop_oneof![Just(Preference::Low), Just(Preference::Medium), Just(Preference::High)]
}

fn any_addresses(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<std::net::Ipv6Addr>> {
    prop::collection::vec(any::<u128>().prop_map(std::net::Ipv6Addr::from), count)
}

fn any_option() -> impl Strategy<Value = NdOption> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(|mac| NdOption::SourceLink(Mac(mac))),
        (any_prefix(), any::<[bool; 4]>(), any::<u128>(), any::<[u32; 2]>()).prop_map(
            |(prefix, flags, addr, times)| {
                let addr = std::net::Ipv6Addr::from(addr);
                let prefix = if flags[2] { crate::net::Prefix::new(addr, prefix.len()).unwrap() } else { prefix };
                NdOption::Prefix(PrefixInformation {
                    prefix,
                    on_link: flags[0],
                    autonomous: flags[1],
                    router: flags[2].then_some(addr),
                    pd_preferred: flags[3],
                    valid: times[0],
                    preferred: times[1],
                })
            }
        ),
        any::<u32>().prop_map(NdOption::Mtu),
        (any_prefix(), any_preference(), any::<u32>()).prop_map(|(prefix, preference, lifetime)| NdOption::Route {
            prefix,
            preference,
            lifetime
        }),
        (any::<u32>(), any_addresses(1..5)).prop_map(|(lifetime, servers)| NdOption::Rdnss { lifetime, servers }),
        (any::<u32>(), prop::collection::vec("[a-z0-9]{1,9}(\\.[a-z-]{1,9}){0,3}", 1..5))
            .prop_map(|(lifetime, domains)| NdOption::Dnssl { lifetime, domains }),
        "[!-~]{1,300}".prop_map(NdOption::CaptivePortal),
        (any::<u128>(), prop::sample::select(vec![96, 64, 56, 48, 40, 32]), 0..=8191u16).prop_map(
            |(addr, len, scaled)| {
                NdOption::Pref64 { prefix: crate::net::Prefix::new(addr.into(), len).unwrap(), lifetime: scaled * 8 }
            }
        ),
        (any::<u16>(), any::<u32>(), "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}", any_addresses(0..4), any::<bool>()).prop_map(
            |(priority, lifetime, name, addresses, params)| {
                let params = if params && !addresses.is_empty() { b"\0\x01\0\x04\x03dot".to_vec() } else { vec![] };
                NdOption::EncryptedDns(Dnr { priority, lifetime, name, addresses, params })
            }
        ),
    ]
}

prop_compose! {
    fn any_advertisement()(
        hop_limit: u8, managed: bool, other: bool, preference in any_preference(), router_lifetime: u16,
        reachable_time: u32, retrans_timer: u32, options in prop::collection::vec(any_option(), 0..6),
    ) -> Advertisement {
        let preference = if router_lifetime == 0 { Preference::Medium } else { preference };
        Advertisement { hop_limit, managed, other, preference, router_lifetime, reachable_time, retrans_timer, options }
    }
}

proptest! {
    #[test]
    fn advertisements_round_trip(message in any_advertisement()) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(bytes.len() % 8, 0);
        prop_assert_eq!(parse(&bytes), Ok(Message::Advertisement(message)));
    }

    #[test]
    fn solicitations_round_trip(options in prop::collection::vec(any_option(), 0..3)) {
        let message = Solicitation { options };
        prop_assert_eq!(parse(&message.encode().unwrap()), Ok(Message::Solicitation(message)));
    }

    #[test]
    fn no_bytes_panic(kind in 132..136u8, behind: Vec<u8>) {
        let _ = parse(&[&[kind, 0], behind.as_slice()].concat());
    }

    // what was read can be written, and is read the same again
    #[test]
    fn changed_bytes_are_read_the_same_twice(
        message in any_advertisement(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: prop::sample::Index,
    ) {
        let mut bytes = message.encode().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes[0] = ROUTER_ADVERTISEMENT;
        let _ = parse(&bytes[..cut.index(bytes.len())]);
        if let Ok(Message::Advertisement(mut read)) = parse(&bytes) {
            read.options.retain(|option| !matches!(option, NdOption::Skipped(_)));
            let again = parse(&read.encode().unwrap());
            prop_assert_eq!(again, Ok(Message::Advertisement(read)));
        }
    }
}

use super::*;
use dhcproto::v6 as oracle;
use dhcproto::{Decodable, Decoder, Encodable, Encoder};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::Ipv6Addr;

/// A message as the tests think of it, for our codec and for dhcproto's.
#[derive(Clone, Debug, PartialEq)]
enum Opt {
    Bytes(u16, Vec<u8>),
    Ia { code: u16, iaid: u32, t1: u32, t2: u32, leases: Vec<(Ipv6Addr, u8, u32, u32)>, status: Option<(u16, String)> },
    Codes(Vec<u16>),
    Preference(u8),
    Elapsed(u16),
    RapidCommit,
    Status(u16, String),
    Dns(Vec<Ipv6Addr>),
    Domains(Vec<String>),
}

fn write(options: &[Opt], writer: &mut Writer) {
    for opt in options {
        match opt {
            Opt::Bytes(code, bytes) => writer.put(*code, bytes),
            Opt::Ia { code, iaid, t1, t2, leases, status } => {
                let mark = writer.open_ia(*code, *iaid, *t1, *t2);
                for (address, len, preferred, valid) in leases {
                    if *code == option::IA_NA {
                        writer.ia_address(*address, *preferred, *valid);
                    } else {
                        writer.ia_prefix(*address, *len, *preferred, *valid);
                    }
                }
                if let Some((code, message)) = status {
                    writer.status(*code, message);
                }
                writer.close(mark);
            }
            Opt::Codes(codes) => writer.codes(option::OPTION_REQUEST, codes),
            Opt::Preference(value) => writer.put(option::PREFERENCE, &[*value]),
            Opt::Elapsed(value) => writer.put(option::ELAPSED_TIME, &value.to_be_bytes()),
            Opt::RapidCommit => writer.put(option::RAPID_COMMIT, &[]),
            Opt::Status(code, message) => writer.status(*code, message),
            Opt::Dns(servers) => writer.addresses(option::DNS_SERVERS, servers),
            Opt::Domains(names) => writer.names(option::DOMAIN_LIST, names.iter().map(String::as_str)),
        }
    }
}

fn read(options: Options<'_>) -> Vec<Opt> {
    let read_one = |(code, contents): (u16, &[u8])| match code {
        option::IA_NA | option::IA_PD => {
            let ia = Ia::parse(code, contents).unwrap();
            let leases = ia.options.iter().filter_map(|(inner, contents)| match inner {
                option::IA_ADDRESS if code == option::IA_NA => {
                    let lease = IaAddress::parse(contents).unwrap();
                    Some((lease.address, 128, lease.preferred, lease.valid))
                }
                option::IA_PREFIX if code == option::IA_PD => {
                    let lease = IaPrefix::parse(contents).unwrap();
                    Some((lease.address, lease.len, lease.preferred, lease.valid))
                }
                _ => None,
            });
            let status = ia.options.get(option::STATUS_CODE).map(|contents| {
                let status = StatusCode::parse(contents).unwrap();
                (status.code, String::from_utf8(status.message.to_vec()).unwrap())
            });
            Opt::Ia { code, iaid: ia.iaid, t1: ia.t1, t2: ia.t2, leases: leases.collect(), status }
        }
        option::OPTION_REQUEST => Opt::Codes(codes(contents).collect()),
        option::PREFERENCE => Opt::Preference(u8_value(code, contents).unwrap()),
        option::ELAPSED_TIME => Opt::Elapsed(u16_value(code, contents).unwrap()),
        option::RAPID_COMMIT => Opt::RapidCommit,
        option::STATUS_CODE => {
            let status = StatusCode::parse(contents).unwrap();
            Opt::Status(status.code, String::from_utf8(status.message.to_vec()).unwrap())
        }
        option::DNS_SERVERS => Opt::Dns(addresses(code, contents).unwrap()),
        option::DOMAIN_LIST => Opt::Domains(names(code, contents).unwrap()),
        _ => Opt::Bytes(code, contents.to_vec()),
    };
    options.iter().map(read_one).collect()
}

fn to_oracle(opt: &Opt) -> oracle::DhcpOption {
    let status = |code: u16, msg: &str| {
        oracle::DhcpOption::StatusCode(oracle::StatusCode { status: code.into(), msg: msg.into() })
    };
    match opt {
        Opt::Bytes(option::CLIENT_ID, bytes) => oracle::DhcpOption::ClientId(bytes.clone()),
        Opt::Bytes(option::SERVER_ID, bytes) => oracle::DhcpOption::ServerId(bytes.clone()),
        Opt::Bytes(option::INTERFACE_ID, bytes) => oracle::DhcpOption::InterfaceId(bytes.clone()),
        Opt::Bytes(code, bytes) => {
            oracle::DhcpOption::Unknown(oracle::UnknownOption::new((*code).into(), bytes.clone()))
        }
        Opt::Ia { code, iaid, t1, t2, leases, status: ia_status } => {
            let leases = leases.iter().map(|(addr, len, preferred, valid)| {
                let opts = oracle::DhcpOptions::new();
                if *code == option::IA_NA {
                    oracle::DhcpOption::IAAddr(oracle::IAAddr {
                        addr: *addr,
                        preferred_life: *preferred,
                        valid_life: *valid,
                        opts,
                    })
                } else {
                    oracle::DhcpOption::IAPrefix(oracle::IAPrefix {
                        preferred_lifetime: *preferred,
                        valid_lifetime: *valid,
                        prefix_len: *len,
                        prefix_ip: *addr,
                        opts,
                    })
                }
            });
            let opts = leases.chain(ia_status.as_ref().map(|(code, msg)| status(*code, msg))).collect();
            let (id, t1, t2) = (*iaid, *t1, *t2);
            if *code == option::IA_NA {
                oracle::DhcpOption::IANA(oracle::IANA { id, t1, t2, opts })
            } else {
                oracle::DhcpOption::IAPD(oracle::IAPD { id, t1, t2, opts })
            }
        }
        Opt::Codes(codes) => {
            oracle::DhcpOption::ORO(oracle::ORO { opts: codes.iter().map(|code| (*code).into()).collect() })
        }
        Opt::Preference(value) => oracle::DhcpOption::Preference(*value),
        Opt::Elapsed(value) => oracle::DhcpOption::ElapsedTime(*value),
        Opt::RapidCommit => oracle::DhcpOption::RapidCommit,
        Opt::Status(code, message) => status(*code, message),
        Opt::Dns(servers) => oracle::DhcpOption::DomainNameServers(servers.clone()),
        Opt::Domains(names) => {
            oracle::DhcpOption::DomainSearchList(names.iter().map(|name| format!("{name}.").parse().unwrap()).collect())
        }
    }
}

/// Options without their order: dhcproto sorts them by code, and equal codes anyhow.
fn unordered<T: std::fmt::Debug>(options: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut texts: Vec<String> = options.into_iter().map(|opt| format!("{opt:?}")).collect();
    texts.sort();
    texts
}

fn address() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(Ipv6Addr::from)
}

fn status_code() -> impl Strategy<Value = (u16, String)> {
    (0..7u16, "[ -~]{0,20}")
}

/// One lease, since dhcproto may change the order of several.
fn ia() -> impl Strategy<Value = Opt> {
    let code = prop_oneof![Just(option::IA_NA), Just(option::IA_PD)];
    let lease = (address(), 0..=128u8, any::<u32>(), any::<u32>());
    (code, any::<[u32; 3]>(), vec(lease, 0..=1), proptest::option::of(status_code())).prop_map(
        |(code, [iaid, t1, t2], mut leases, status)| {
            if code == option::IA_NA {
                leases.iter_mut().for_each(|lease| lease.1 = 128);
            }
            Opt::Ia { code, iaid, t1, t2, leases, status }
        },
    )
}

fn opt() -> impl Strategy<Value = Opt> {
    let plain = prop_oneof![
        Just(option::CLIENT_ID),
        Just(option::SERVER_ID),
        Just(option::INTERFACE_ID),
        Just(option::INFORMATION_REFRESH_TIME),
        Just(option::CLIENT_FQDN),
        Just(option::CLIENT_LINK_LAYER_ADDRESS),
        Just(option::SOL_MAX_RT),
        Just(option::CAPTIVE_PORTAL),
        Just(option::DNR),
        Just(option::ADDR_REG_ENABLE),
        Just(60_000),
    ];
    prop_oneof![
        (plain, vec(any::<u8>(), 0..40)).prop_map(|(code, bytes)| Opt::Bytes(code, bytes)),
        ia(),
        vec(any::<u16>(), 0..9).prop_map(Opt::Codes),
        any::<u8>().prop_map(Opt::Preference),
        any::<u16>().prop_map(Opt::Elapsed),
        Just(Opt::RapidCommit),
        status_code().prop_map(|(code, message)| Opt::Status(code, message)),
        vec(address(), 0..4).prop_map(Opt::Dns),
        vec("[a-z][a-z0-9]{0,20}(\\.[a-z]{1,9}){0,3}", 0..4).prop_map(Opt::Domains),
    ]
}

fn client_kind() -> impl Strategy<Value = MessageType> {
    (1..=11u8).prop_map(|number| MessageType::from_wire(number).unwrap())
}

proptest! {
    #[test]
    fn what_we_write_dhcproto_reads(kind in client_kind(), xid in 0..1u32 << 24, options in vec(opt(), 0..8)) {
        let mut writer = Writer::message(kind, xid);
        write(&options, &mut writer);
        let bytes = writer.finish().unwrap();
        let message = oracle::Message::decode(&mut Decoder::new(&bytes)).unwrap();
        prop_assert_eq!(u8::from(message.msg_type()), kind as u8);
        prop_assert_eq!(message.xid().to_vec(), xid.to_be_bytes()[1..].to_vec());
        prop_assert_eq!(unordered(message.opts().iter()), unordered(options.iter().map(to_oracle)));
        let Ok(Packet::Message(ours)) = Packet::parse(&bytes) else { panic!("{bytes:?}") };
        prop_assert_eq!((ours.kind, ours.transaction), (kind, xid));
        prop_assert_eq!(read(ours.options), options);
    }

    #[test]
    fn what_dhcproto_writes_we_read(kind in client_kind(), xid in any::<[u8; 3]>(), mut options in vec(opt(), 0..8)) {
        for opt in &mut options {
            // dhcproto 0.15 compresses the names in a list, which RFC 9915 §10 forbids
            if let Opt::Domains(names) = opt {
                names.truncate(1);
            }
        }
        let mut message = oracle::Message::new_with_id((kind as u8).into(), xid);
        message.set_opts(options.iter().map(to_oracle).collect());
        let mut bytes = Vec::new();
        message.encode(&mut Encoder::new(&mut bytes)).unwrap();
        let Ok(Packet::Message(ours)) = Packet::parse(&bytes) else { panic!("{bytes:?}") };
        prop_assert_eq!(&ours.transaction.to_be_bytes()[1..], xid.as_slice());
        prop_assert_eq!(unordered(read(ours.options)), unordered(options));
    }

    #[test]
    fn relay_messages_nest(
        link in address(), peer in address(), hops in 1..=9u8, interface in vec(any::<u8>(), 0..9), inner in vec(opt(), 0..4)
    ) {
        let mut writer = Writer::relay(MessageType::RelayForward, hops - 1, link, peer);
        let mut marks = Vec::new();
        for hop in (0..hops).rev() {
            writer.put(option::INTERFACE_ID, &interface);
            marks.push(writer.open(option::RELAY_MESSAGE));
            if let Some(inner_hop) = hop.checked_sub(1) {
                writer.begin_relay(MessageType::RelayForward, inner_hop, link, peer);
            }
        }
        writer.begin_message(MessageType::Solicit, 7);
        write(&inner, &mut writer);
        marks.into_iter().rev().for_each(|mark| writer.close(mark));
        let bytes = writer.finish().unwrap();

        let mut packet = Packet::parse(&bytes);
        for hop in (0..hops).rev() {
            let Ok(Packet::Relay(relay)) = packet else { panic!("{packet:?}") };
            prop_assert_eq!((relay.hop_count, relay.link_address, relay.peer_address), (hop, link, peer));
            prop_assert_eq!(relay.options.get(option::INTERFACE_ID), Some(interface.as_slice()));
            packet = Packet::parse(relay.options.get(option::RELAY_MESSAGE).unwrap());
        }
        let Ok(Packet::Message(message)) = packet else { panic!("{packet:?}") };
        prop_assert_eq!(read(message.options), inner);
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(
        bytes in vec(prop_oneof![0..30u8, any::<u8>()], 0..120), start in prop::sample::select(vec![0u8, 1, 3, 12, 13, 36])
    ) {
        for bytes in [bytes.clone(), [vec![start, 0, 0, 1], bytes.clone()].concat()] {
            walk(&bytes, 0);
            for code in [option::IA_NA, option::IA_PD] {
                if let Ok(ia) = Ia::parse(code, &bytes) {
                    ia.options.iter().for_each(|(_, contents)| contents_are_total(contents));
                }
            }
            contents_are_total(&bytes);
        }
    }
}

fn walk(bytes: &[u8], depth: u8) {
    let options = match Packet::parse(bytes) {
        Ok(Packet::Message(message)) => message.options,
        Ok(Packet::Relay(relay)) => relay.options,
        Err(_) => return,
    };
    for (code, contents) in options.iter() {
        assert!(options.all(code).any(|other| other == contents));
        contents_are_total(contents);
        if code == option::RELAY_MESSAGE && depth < 9 {
            walk(contents, depth + 1);
        }
    }
    let _ = options.status();
}

fn contents_are_total(contents: &[u8]) {
    let _ = IaAddress::parse(contents);
    let _ = IaPrefix::parse(contents).map(|prefix| assert!(prefix.len <= 128));
    let _ = StatusCode::parse(contents);
    let _ = ClientFqdn::parse(contents);
    let _ = Dnr::parse(contents);
    let _ = codes(contents).count();
    let _ = addresses(option::DNS_SERVERS, contents);
    let _ = names(option::DOMAIN_LIST, contents);
    let _ = (u8_value(7, contents), u16_value(8, contents), u32_value(82, contents));
}

#[test]
fn what_is_too_short_or_unknown_is_named() {
    for (bytes, error) in [
        (&[][..], Malformed::Header),
        (&[1], Malformed::Header),
        (&[1, 0, 0], Malformed::Header),
        (&[99, 0, 0, 0], Malformed::MessageType(99)),
        (&[0, 0, 0, 0], Malformed::MessageType(0)),
        (&[1, 0, 0, 0, 0], Malformed::Truncated),
        (&[1, 0, 0, 0, 0, 1, 0, 1], Malformed::Truncated),
        (&[12; 33], Malformed::Header),
    ] {
        assert_eq!(Packet::parse(bytes), Err(error), "{bytes:?}");
    }
    assert_eq!(Ia::parse(option::IA_NA, &[0; 11]), Err(Malformed::Option(option::IA_NA)));
    assert_eq!(Ia::parse(option::IA_PD, &[0; 13]), Err(Malformed::Option(option::IA_PD)));
    assert_eq!(IaAddress::parse(&[0; 23]), Err(Malformed::Option(option::IA_ADDRESS)));
    assert_eq!(IaPrefix::parse(&[0; 24]), Err(Malformed::Option(option::IA_PREFIX)));
    assert_eq!(IaPrefix::parse(&[129; 25]), Err(Malformed::Option(option::IA_PREFIX)));
    assert_eq!(StatusCode::parse(&[0]), Err(Malformed::Option(option::STATUS_CODE)));
    assert_eq!(addresses(option::DNS_SERVERS, &[0; 17]), Err(Malformed::Option(option::DNS_SERVERS)));
}

/// Without a client's message inside: dhcproto 0.15 takes that for a relay message too, and panics on some.
#[test]
fn dhcproto_reads_our_relay_messages() {
    let [link, peer] = [Ipv6Addr::LOCALHOST, "fe80::7".parse().unwrap()];
    let mut writer = Writer::relay(MessageType::RelayForward, 1, link, peer);
    writer.put(option::INTERFACE_ID, b"port 7");
    let mark = writer.open(option::RELAY_MESSAGE);
    writer.begin_relay(MessageType::RelayForward, 0, peer, link);
    writer.close(mark);
    let bytes = writer.finish().unwrap();
    let seen = oracle::RelayMessage::decode(&mut Decoder::new(&bytes)).unwrap();
    assert_eq!((seen.hop_count(), seen.link_addr(), seen.peer_addr()), (1, link, peer));
    let options: Vec<_> = seen.opts().iter().collect();
    let [oracle::DhcpOption::RelayMsg(inner), oracle::DhcpOption::InterfaceId(id)] = options.as_slice() else {
        panic!("{options:?}")
    };
    assert_eq!((inner.hop_count(), inner.link_addr(), inner.peer_addr()), (0, peer, link));
    assert_eq!(id, b"port 7");
}

#[test]
fn requested_options_are_found() {
    let mut writer = Writer::message(MessageType::Solicit, 1);
    writer.codes(option::OPTION_REQUEST, &[option::DNS_SERVERS, option::SOL_MAX_RT]);
    let bytes = writer.finish().unwrap();
    let Ok(Packet::Message(message)) = Packet::parse(&bytes) else { panic!() };
    assert!(message.options.requests(option::SOL_MAX_RT));
    assert!(!message.options.requests(option::DOMAIN_LIST));
    assert_eq!(message.options.status().unwrap().code, status::SUCCESS);
}

#[test]
fn the_flags_of_a_name_round_trip() {
    for flags in 0..8u8 {
        let fqdn = ClientFqdn {
            server_updates: flags & 1 != 0,
            overridden: flags & 2 != 0,
            no_updates: flags & 4 != 0,
            name: b"\x04host\0",
        };
        let mut writer = Writer::message(MessageType::Reply, 1);
        writer.client_fqdn(fqdn);
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.get(8), Some(&flags));
        let Ok(Packet::Message(message)) = Packet::parse(&bytes) else { panic!() };
        assert_eq!(ClientFqdn::parse(message.options.get(option::CLIENT_FQDN).unwrap()), Ok(fqdn));
    }
}

// MUST NOT RFC 9915 §10: a domain name in an option is not compressed
#[test]
fn names_are_not_compressed() {
    let mut writer = Writer::options();
    writer.names(option::DOMAIN_LIST, ["a.example", "b.example"]);
    let bytes = writer.finish().unwrap();
    assert_eq!(&bytes[4..], b"\x01a\x07example\x00\x01b\x07example\x00");
    let compressed = b"\x01a\x07example\x00\x01b\xc0\x02";
    assert_eq!(names(option::DOMAIN_LIST, compressed), Err(Malformed::Option(option::DOMAIN_LIST)));
}

#[test]
fn resolvers_round_trip() {
    let with_addresses = Dnr {
        priority: 7,
        name: "dns.example".into(),
        addresses: vec![Ipv6Addr::LOCALHOST, "2001:db8::53".parse().unwrap()],
        params: b"\x00\x01\x00\x04\x03dot",
    };
    let by_name = Dnr { addresses: vec![], params: &[], ..with_addresses.clone() };
    for dnr in [with_addresses, by_name] {
        let mut writer = Writer::options();
        writer.dnr(&dnr);
        let bytes = writer.finish().unwrap();
        let options = Options::parse(&bytes).unwrap();
        assert_eq!(Dnr::parse(options.get(option::DNR).unwrap()), Ok(dnr));
    }
    let mut writer = Writer::options();
    writer.dnr(&Dnr { priority: 1, name: "no name".into(), addresses: vec![], params: &[] });
    assert_eq!(writer.finish(), Some(vec![]));
}

#[test]
fn an_option_that_is_too_long_spoils_the_message() {
    let mut writer = Writer::message(MessageType::Reply, 1);
    let mark = writer.open(option::RELAY_MESSAGE);
    writer.raw(&[0; 65_536]);
    writer.close(mark);
    assert_eq!(writer.finish(), None);
    let mut writer = Writer::message(MessageType::Reply, 1);
    writer.put(option::INTERFACE_ID, &[0; 65_535]);
    assert!(writer.finish().is_some());
}

#[test]
fn every_message_type_has_its_number_and_a_name_of_its_own() {
    for kind in MessageType::ALL {
        assert_eq!(MessageType::from_wire(kind as u8), Some(kind));
        assert_eq!(MessageType::ALL.iter().filter(|other| other.name() == kind.name()).count(), 1);
    }
}

#[test]
fn a_code_is_found_wherever_its_option_stands_and_fits_its_key_only() {
    let mut writer = Writer::message(MessageType::Reconfigure, 0);
    writer.put(option::SERVER_ID, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
    Rkap { replay: 5, information: RkapInformation::Code([0; 16]) }.write(&mut writer);
    writer.put(option::RECONFIGURE_MESSAGE, &[5]);
    let mut bytes = writer.finish().unwrap();
    assert!(!is_authentic(&bytes, [9; 16]));
    authenticate(&mut bytes, [9; 16]);
    assert!(is_authentic(&bytes, [9; 16]));
    assert!(!is_authentic(&bytes, [8; 16]));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(!is_authentic(&changed, [9; 16]), "byte {place}");
    }
    assert!(!is_authentic(&[], [9; 16]));
}

// MUST RFC 6603 §4.2: the subnet id has as many bytes as it needs and lies inside the delegated prefix
#[test]
fn an_excluded_prefix_lies_inside_the_delegated_one() {
    let p = |text: &str| -> crate::net::Prefix { text.parse().unwrap() };
    let site = p("2001:db8::/56");
    assert_eq!(excluded(&site, &[64, 0x0f]), Ok(p("2001:db8:0:f::/64")));
    assert_eq!(excluded(&site, &[60, 0xf0]), Ok(p("2001:db8:0:f0::/60")));
    assert_eq!(excluded(&p("2001:db8::/48"), &[64, 0xff, 0x01]), Ok(p("2001:db8:0:ff01::/64")));
    for wrong in [&[][..], &[64], &[56], &[56, 0], &[64, 1, 2], &[129, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(excluded(&site, wrong), Err(Malformed::Option(option::PD_EXCLUDE)), "{wrong:?}");
    }
}

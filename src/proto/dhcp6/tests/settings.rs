//! What is given beside leases: Information-request (RFC 9915 §18.3.6), options on request, and the client's name
//! (RFC 4704).

use super::*;
use crate::wire::dhcp6::{ClientFqdn, Dnr, addresses, names, u32_value};
use MessageType::*;

fn everything(link: &mut Link) {
    link.dns = vec![a("2001:db8:0:1::1"), a("fd00::1")];
    link.search = vec!["home.arpa".into(), "example.net".into()];
    link.captive_portal = Some("https://portal.example/".into());
    link.dnr = Some(crate::config::Dnr {
        priority: 1,
        name: "dns.example".into(),
        addresses: vec![a("2001:db8::53")],
        params: "alpn=dot port=853".into(),
    });
    link.options.sol_max_rt = Some(3600);
    link.options.inf_max_rt = Some(7200);
}

const ASKED: [u16; 7] = [
    option::DNS_SERVERS,
    option::DOMAIN_LIST,
    option::CAPTIVE_PORTAL,
    option::DNR,
    option::SOL_MAX_RT,
    option::INF_MAX_RT,
    option::ADDR_REG_ENABLE,
];

// MUST RFC 9915 §18.3.6: a Reply to an Information-request has our server identifier, and the client's if it sent one
// MUST RFC 9686 §4.4: OPTION_ADDR_REG_ENABLE is only sent to who requests it
#[test]
fn options_are_given_to_who_requests_them() {
    let mut rig = Rig::new(config_with(everything));
    for kind in [Solicit, Request, Renew, Rebind, InformationRequest] {
        let us = |msg: Msg| if matches!(kind, Request | Renew) { msg.for_us() } else { msg };
        let seen = rig.ask(us(msg(kind, 1).asks(&ASKED)));
        assert_eq!(seen.get(option::SERVER_ID), Some(server_id().as_bytes()));
        let get = |code| seen.get(code).unwrap();
        let dns = addresses(option::DNS_SERVERS, get(option::DNS_SERVERS)).unwrap();
        assert_eq!(dns, [a("2001:db8:0:1::1"), a("fd00::1")]);
        assert_eq!(names(option::DOMAIN_LIST, get(option::DOMAIN_LIST)).unwrap(), ["home.arpa", "example.net"]);
        assert_eq!(get(option::CAPTIVE_PORTAL), b"https://portal.example/");
        let dnr = Dnr::parse(get(option::DNR)).unwrap();
        assert_eq!((dnr.priority, dnr.name.as_str(), dnr.addresses), (1, "dns.example", vec![a("2001:db8::53")]));
        assert_eq!(dnr.params, b"\x00\x01\x00\x04\x03dot\x00\x03\x00\x02\x03\x55");
        assert_eq!(u32_value(option::SOL_MAX_RT, get(option::SOL_MAX_RT)), Ok(3600));
        assert_eq!(u32_value(option::INF_MAX_RT, get(option::INF_MAX_RT)), Ok(7200));
        assert!(get(option::ADDR_REG_ENABLE).is_empty());
        for one in ASKED {
            let seen = rig.ask(us(msg(kind, 1).asks(&[one])));
            assert!(ASKED.iter().all(|code| seen.get(*code).is_some() == (*code == one)), "{kind:?} {one}");
        }
        let silent = rig.ask(us(msg(kind, 1)));
        assert_eq!(silent.options.len(), 2, "{silent:?}");
    }
}

#[test]
fn what_is_not_set_is_not_given() {
    let mut rig = Rig::new(config_with(|link| {
        link.dns.clear();
        link.search.clear();
        link.options.registration = false;
    }));
    let seen = rig.ask(msg(InformationRequest, 1).asks(&ASKED));
    assert_eq!(seen.options.len(), 2, "{seen:?}");
}

// MUST RFC 9915 §21.23: an Information Refresh Time is not below IRT_MINIMUM, 600 s
#[test]
fn information_is_refreshed_as_often_as_leases_are_renewed() {
    for (valid, expected) in [(1200, 1200), (60, 600), (1_000_000, 86_400), (u32::MAX, 86_400)] {
        let mut rig = Rig::new(config_with(|link| link.options.valid_lifetime = valid));
        let seen = rig.ask(msg(InformationRequest, 1).asks(&[option::INFORMATION_REFRESH_TIME]));
        let contents = seen.get(option::INFORMATION_REFRESH_TIME).unwrap();
        assert_eq!(u32_value(option::INFORMATION_REFRESH_TIME, contents), Ok(expected));
        assert_eq!(rig.ask(msg(InformationRequest, 1)).get(option::INFORMATION_REFRESH_TIME), None);
    }
}

fn named(msg: Msg, flags: u8, name: &[u8]) -> Msg {
    msg.with(option::CLIENT_FQDN, &[&[flags], name].concat())
}

// MUST RFC 4704 §6: the FQDN option is only sent to a client that sent one and requests it
#[test]
fn a_name_is_answered_when_it_was_sent_and_requested() {
    let mut rig = Rig::new(config());
    for kind in [Solicit, Request, Renew, Rebind] {
        let plain = msg(kind, 1).na(1, &[]);
        let plain = if matches!(kind, Request | Renew) { plain.for_us() } else { plain };
        let asks = plain.clone().asks(&[option::CLIENT_FQDN]);
        assert!(rig.ask(named(asks.clone(), 0, b"\x04host")).get(option::CLIENT_FQDN).is_some());
        assert_eq!(rig.ask(asks).get(option::CLIENT_FQDN), None);
        assert_eq!(rig.ask(named(plain, 0, b"\x04host")).get(option::CLIENT_FQDN), None);
    }
}

// MUST RFC 4704 §4.1: the S bit is 0 when the N bit is 1
// MUST RFC 4704 §6: the O bit is 1 when the S bit differs from the client's, else 0
// MUST RFC 4704 §4.1: the bits that mean nothing are 0
#[test]
fn the_flags_say_that_we_update_no_dns() {
    let mut rig = Rig::new(config());
    for flags in [0, 1, 4, 0xf8, 0xff] {
        let asked = named(msg(Solicit, 1).na(1, &[]).asks(&[option::CLIENT_FQDN]), flags, b"\x04host\x04home\x00");
        let seen = rig.ask(asked);
        let contents = seen.get(option::CLIENT_FQDN).unwrap();
        let expected = ClientFqdn {
            server_updates: false,
            overridden: flags & 1 != 0,
            no_updates: true,
            name: b"\x04host\x04home\x00",
        };
        assert_eq!(ClientFqdn::parse(contents), Ok(expected));
        assert_eq!(contents[0] & 0xf8, 0);
    }
}

#[test]
fn names_are_cleaned_and_remembered() {
    let mut rig = Rig::new(config());
    for (name, remembered) in [
        (&b"\x06Laptop"[..], "laptop"),
        (b"\x06laptop\x04Home\x04arpa\x00", "laptop.home.arpa"),
        (b"\x06lap\ntop", ""),
        (b"\x03a/b\x00", ""),
        (b"", ""),
        (b"\x00", ""),
        (b"\x09short", ""),
        (b"\xc0\x0c", ""),
        (b"\x04\xc3\xa9te\x00", ""),
    ] {
        rig.ask(named(msg(Request, 1).for_us().na(1, &[]).pd(1, &[]), 1, name));
        assert_eq!(rig.bindings().len(), 2);
        assert!(rig.bindings().iter().all(|binding| &*binding.hostname == remembered), "{name:?}");
    }
    // a client that says nothing keeps the name it had
    rig.ask(named(msg(Request, 1).for_us().na(1, &[]), 1, b"\x04host"));
    rig.ask(msg(Renew, 1).for_us().na(1, &[]));
    assert!(rig.bindings().iter().any(|binding| &*binding.hostname == "host"));
    // an option without its flags is no name
    assert!(rig.send(msg(Request, 1).for_us().na(1, &[]).with(option::CLIENT_FQDN, &[])).is_some());
}

// UNTESTED RFC 4704 §5: what clients send and update. Reason: about clients
// UNTESTED RFC 4704 §6.1: DNS updates by the server. Reason: in its domain we update nothing, as the N bit says; ours is made of leases

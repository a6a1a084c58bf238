use super::*;
use MessageType::*;

// MUST RFC 9915 §18.2.10.1: lifetimes, T1 and T2 are taken from the Reply
// MUST RFC 9915 §14.2: T1 and T2 of 0 are the client's choice, and never lead to a message at once
// SHOULD RFC 9915 §18.2.4: all are renewed together, at the earliest T1
#[test]
fn a_reply_binds_and_its_timers_count() {
    for (t1, t2, renew) in
        [(0, 0, 500), (300, 600, 300), (0, 400, 250), (1500, 0, 500), (5000, 6000, 1000), (400, 400, 250)]
    {
        let mut rig = Rig::new(config());
        rig.until(Solicit);
        rig.answer(advertise().both());
        rig.until(Request);
        let leases = [("2001:db8::5", 1000, 2000)];
        rig.answer(reply().ia(option::IA_NA, t1, t2, &leases).ia(
            option::IA_PD,
            0,
            0,
            &[("2001:db8:5::/56", 4000, 8000)],
        ));
        assert_eq!(rig.held(), [("2001:db8::5".into(), 1000, 2000), ("2001:db8:5::/56".into(), 4000, 8000)]);
        let bound = rig.now;
        let sent = rig.until(Renew);
        assert_eq!(sent.at.since(bound).as_secs(), renew, "{t1} {t2}");
        assert_eq!(sent.leases(), ["2001:db8::5", "2001:db8:5::/56"]);
    }
}

// MUST RFC 9915 §21.4: an IA_NA whose T1 is greater than its T2, neither being 0, is as if it were not there
// MUST RFC 9915 §21.21: an IA_PD whose T1 is greater than its T2, neither being 0, is as if it were not there
// MUST RFC 9915 §21.6: an address preferred for longer than it is valid is discarded
// MUST RFC 9915 §21.22: a prefix preferred for longer than it is valid is discarded
#[test]
fn what_makes_no_sense_is_as_if_it_were_not_there() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    let address: &[(&str, u32, u32)] =
        &[("2001:db8::6", 2001, 2000), ("2001:db8::5", 1000, 2000), ("ff02::1", 1, 2), ("::", 1, 2), ("fe80::1", 1, 2)];
    rig.answer(reply().address(address).ia(option::IA_PD, 11, 10, &[("2001:db8:5::/56", 1000, 2000)]));
    assert_eq!((rig.names(), rig.state()), (vec!["2001:db8::5".to_owned()], "bound"));
    let mut rig = Rig::new(only_prefix());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    rig.answer(reply().prefix(&[
        ("2001:db8:5::/56", 1001, 1000),
        ("2000::/3", 1, 2),
        ("2001:db8:6::/65", 1, 2),
        ("2001:db8:7::/56", 1, 2),
    ]));
    assert_eq!(rig.names(), ["2001:db8:7::/56"]);
}

#[test]
fn an_ia_of_another_number_is_not_ours() {
    let mut rig = Rig::new(only_prefix());
    rig.until(Solicit);
    let mut writer = Writer::options();
    let mark = writer.open_ia(option::IA_PD, 8, 0, 0);
    writer.ia_prefix(a("2001:db8:9::"), 56, 100, 200);
    writer.close(mark);
    let foreign = writer.finish().unwrap();
    rig.answer(advertise().with(option::IA_PD, &foreign[4..]));
    assert_eq!(rig.dropped("advertise without leases"), 1);
}

// MUST RFC 7084 §4.2 WPD-7: a prefix is accepted though both are asked for and no address is offered
#[test]
fn a_prefix_without_an_address_is_accepted() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    let part =
        |says: Says| says.refuses(option::IA_NA, status::NO_ADDRS_AVAIL).prefix(&[("2001:db8:5::/56", 1000, 2000)]);
    rig.answer(part(advertise()));
    rig.until(Request);
    rig.answer(part(reply()));
    assert_eq!((rig.state(), rig.names()), ("bound", vec!["2001:db8:5::/56".into()]));
}

#[test]
fn infinite_leases_are_never_renewed() {
    let mut rig = Rig::new(only_prefix());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    rig.answer(reply().prefix(&[("2001:db8:5::/56", u32::MAX, u32::MAX)]));
    assert_eq!((rig.state(), rig.client.poll_at()), ("bound", None));
    assert_eq!(rig.client.leases().prefixes[0].lifetimes, Lifetimes::FOREVER);
}

#[test]
fn settings_and_the_excluded_prefix_are_learned() {
    let mut rig = Rig::new(only_prefix());
    let asked = rig.until(Solicit);
    assert!(asked.message().options.requests(option::PD_EXCLUDE));
    rig.answer(advertise().both());
    rig.until(Request);
    let mut writer = Writer::options();
    let mark = writer.open(option::IA_PREFIX);
    writer.raw(&[0, 0, 1, 0, 0, 0, 2, 0, 56]);
    writer.raw(&a("2001:db8:5::").octets());
    writer.put(option::PD_EXCLUDE, &[64, 0x0f]);
    writer.close(mark);
    let inner = writer.finish().unwrap();
    let ia = [&7u32.to_be_bytes()[..], &[0; 8], &inner].concat();
    let dns = a("2001:db8::53").octets();
    let domain = b"\x07example\x03net\x00";
    rig.answer(reply().with(option::IA_PD, &ia).with(option::DNS_SERVERS, &dns).with(option::DOMAIN_LIST, domain));
    let leases = rig.client.leases();
    assert_eq!(
        (leases.server, leases.dns, leases.search),
        (Some(duid(SERVER)), vec![a("2001:db8::53")], vec!["example.net".into()])
    );
    assert_eq!(
        (leases.prefixes[0].prefix, leases.prefixes[0].exclude),
        (p("2001:db8:5::/56"), Some(p("2001:db8:5:f::/64")))
    );
}

// SHOULD RFC 9915 §18.2.10: after UnspecFail the message is sent again, by its own timer
#[test]
fn an_unspecified_failure_is_no_answer() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    let first = rig.until(Request);
    rig.answer(reply().status(status::UNSPEC_FAIL).both());
    assert_eq!((rig.state(), rig.held().len()), ("requesting", 0));
    let second = rig.until(Request);
    assert_eq!(second.message().transaction, first.message().transaction);
    assert!(second.at.since(first.at).as_millis() >= 900);
    assert_eq!(rig.client.status(rig.now).refused.as_deref(), Some("UnspecFail: because"));
    rig.answer(reply().both());
    assert_eq!((rig.state(), rig.client.status(rig.now).refused), ("bound", None));
}

// MUST RFC 9915 §18.2.10.1: NotOnLink to a Request: discovery begins again, without those addresses
#[test]
fn leases_that_do_not_fit_the_link_are_not_asked_for_again() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    rig.answer(reply().status(status::NOT_ON_LINK));
    assert_eq!(rig.until(Solicit).leases(), ["::/56"]);
}

// MUST RFC 9915 §18.2.10.1: what was assigned is used though another IA got nothing
// SHOULD RFC 9915 §18.2.4: an IA that got nothing is asked for again when the others are renewed
#[test]
fn a_part_is_used_and_the_rest_is_asked_for_again_and_again() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    let part = || reply().address(&[("2001:db8::5", 86_400, 86_400)]).refuses(option::IA_PD, status::NO_PREFIX_AVAIL);
    rig.answer(part());
    assert_eq!((rig.state(), rig.names()), ("bound", vec!["2001:db8::5".into()]));
    assert_eq!(rig.client.status(rig.now).refused.as_deref(), Some("NoPrefixAvail"));
    let first = rig.now;
    let renew = rig.until(Renew);
    assert_eq!((renew.at.since(first).as_secs(), renew.leases()), (10, vec!["2001:db8::5".into(), "::/56".into()]));
    rig.answer(part());
    // then any server is asked, and what we have stays
    let solicit = rig.until(Solicit);
    assert_eq!(solicit.leases(), ["2001:db8::5", "::/56"]);
    rig.answer(advertise().address(&[("2001:db8::5", 100, 100)]));
    rig.secs(2);
    assert_eq!((rig.state(), rig.names()), ("bound", vec!["2001:db8::5".into()]));
    rig.until(Solicit);
    rig.answer(advertise().from(OTHER).both());
    rig.until(Request);
    rig.answer(reply().from(OTHER).both());
    assert_eq!((rig.state(), rig.held().len()), ("bound", 2));
    assert_eq!(rig.client.status(rig.now).refused, None);
}

#[test]
fn asking_for_what_is_missing_gets_rarer() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    rig.answer(reply().address(&[("2001:db8::5", u32::MAX, u32::MAX)]));
    rig.sent.clear();
    let mut last = rig.now;
    for _ in 0..8 * 3600 {
        rig.secs(1);
        if rig.sent.last().is_some_and(|sent| sent.kind() == Renew && sent.at > last) {
            last = rig.now;
            rig.answer(reply().address(&[("2001:db8::5", u32::MAX, u32::MAX)]));
        }
    }
    assert!((8..25).contains(&rig.sent.len()), "{:?}", rig.kinds());
    assert_eq!((rig.state(), rig.held().len()), ("bound", 1));
}

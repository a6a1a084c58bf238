use super::*;
use MessageType::*;

// MUST RFC 9915 §18.2.4: a Renew names its server, the IAs and their leases; REN_TIMEOUT 10 s, REN_MAX_RT 600 s, until T2
// MUST RFC 9915 §18.2.5: a Rebind names no server; it ends with the last valid lifetime, and discovery begins again
// MUST RFC 9915 §18.2.4: no lease is used past its valid lifetime
#[test]
fn without_answers_renew_turns_to_rebind_and_rebind_to_solicit() {
    let mut rig = Rig::bound(config());
    let bound = rig.now;
    rig.secs(2_000);
    let of = |kind| rig.sent.iter().filter(move |sent| sent.kind() == kind).collect::<Vec<_>>();
    let (renews, rebinds) = (of(Renew), of(Rebind));
    assert_eq!((renews[0].at.since(bound).as_secs(), rebinds[0].at.since(bound).as_secs()), (500, 800));
    assert!((9_000..=11_000).contains(&(renews[1].at.0 - renews[0].at.0)));
    assert!((9_000..=11_000).contains(&(rebinds[1].at.0 - rebinds[0].at.0)));
    assert!(renews.iter().all(|sent| sent.server() == Some(duid(SERVER)) && sent.leases().len() == 2));
    assert!(rebinds.iter().all(|sent| sent.server().is_none() && sent.leases().len() == 2));
    assert!(renews.iter().chain(&rebinds).all(|sent| sent.message().options.requests(option::SOL_MAX_RT)));
    assert_eq!((rig.held(), rig.state(), rig.changes), (vec![], "soliciting", 1));
    assert_eq!(rig.until(Solicit).leases(), ["2001:db8::5", "2001:db8:5::/56"], "what we had is asked for again");
}

#[test]
fn a_renewal_begins_everything_anew() {
    let mut rig = Rig::bound(config());
    for _ in 0..20 {
        let renew = rig.until(Renew);
        rig.secs(3);
        rig.answer(reply().both());
        assert_eq!((rig.state(), rig.held()[1].clone()), ("bound", ("2001:db8:5::/56".into(), 1000, 2000)));
        assert_eq!(renew.elapsed(), 0);
    }
    assert_eq!((rig.sent.len(), rig.changes), (20, 20));
}

#[test]
fn any_server_may_answer_a_rebind_and_only_ours_a_renew() {
    let mut rig = Rig::bound(config());
    rig.until(Renew);
    rig.answer(reply().from(OTHER).both());
    assert_eq!((rig.state(), rig.dropped("from another server")), ("renewing", 1));
    rig.until(Rebind);
    rig.answer(reply().from(OTHER).both());
    assert_eq!((rig.state(), rig.client.leases().server), ("bound", Some(duid(OTHER))));
    assert_eq!(rig.until(Renew).server(), Some(duid(OTHER)));
}

// MUST RFC 9915 §18.2.10.1: NoBinding to a Renew or Rebind is answered by a Request with all IAs, at once, to that server
#[test]
fn a_server_that_forgot_us_is_asked_at_once() {
    for kind in [Renew, Rebind] {
        let mut rig = Rig::bound(config());
        rig.until(kind);
        let server = if kind == Renew { SERVER } else { OTHER };
        let prefix = [("2001:db8:5::/56", 1000, 2000)];
        rig.answer(reply().from(server).refuses(option::IA_NA, status::NO_BINDING).prefix(&prefix));
        let request = rig.last(Request);
        assert_eq!((request.at, request.server()), (rig.now, Some(duid(server))));
        assert_eq!(request.leases(), ["2001:db8::5", "2001:db8:5::/56"]);
        assert_eq!(rig.names(), ["2001:db8::5", "2001:db8:5::/56"], "used on while the answer is awaited");
        rig.answer(reply().from(server).address(&[("2001:db8::6", 1000, 2000)]).prefix(&prefix));
        assert_eq!(
            (rig.state(), rig.names()),
            ("bound", vec!["2001:db8:5::/56".into(), "2001:db8::6".into()].into_iter().rev().collect::<Vec<String>>())
        );
    }
}

#[test]
fn a_server_that_has_no_prefix_any_more_does_not_hold_us_for_hours() {
    let mut rig = Rig::bound(only_prefix());
    rig.until(Renew);
    rig.answer(reply().refuses(option::IA_PD, status::NO_PREFIX_AVAIL));
    rig.last(Request);
    rig.answer(reply().refuses(option::IA_PD, status::NO_PREFIX_AVAIL));
    assert_eq!((rig.state(), rig.held()), ("soliciting", vec![]));
    let lost = rig.now;
    assert!(rig.until(Solicit).at.since(lost).as_secs() <= 3);
}

#[test]
fn a_request_after_no_binding_that_is_never_answered_ends_too() {
    let mut rig = Rig::bound(config());
    rig.until(Renew);
    let prefix = [("2001:db8:5::/56", 1000, 2000)];
    rig.answer(reply().refuses(option::IA_NA, status::NO_BINDING).prefix(&prefix));
    rig.secs(600);
    assert_eq!(rig.names(), ["2001:db8:5::/56"]);
    assert_ne!(rig.state(), "requesting");
}

// MUST RFC 9915 §18.2.10.1: a lease with valid lifetime 0 is discarded at once
// MUST RFC 9915 §18.2.10.1: leases that the Reply does not mention are left unchanged
#[test]
fn a_lifetime_of_zero_ends_a_lease_at_once_and_another_comes_beside_it() {
    let mut rig = Rig::bound(config());
    rig.until(Renew);
    let prefixes = [("2001:db8:5::/56", 0, 0), ("2001:db8:6::/56", 1000, 2000)];
    rig.answer(reply().address(&[]).prefix(&prefixes));
    assert_eq!(rig.names(), ["2001:db8::5", "2001:db8:6::/56"]);
    assert_eq!(rig.state(), "bound");
    rig.until(Renew);
    rig.answer(reply().address(&[]).prefix(&[("2001:db8:6::/56", 0, 1500)]));
    assert_eq!(rig.held()[1], ("2001:db8:6::/56".into(), 0, 1500), "deprecated");
}

// MUST RFC 9915 §18.2.10.1: when an IA is missing in the Reply, the message is sent again, not at once
#[test]
fn an_answer_without_one_of_the_ias_is_half_an_answer() {
    let mut rig = Rig::bound(config());
    let first = rig.until(Renew);
    rig.answer(reply().address(&[("2001:db8::5", 1000, 2000)]));
    assert_eq!((rig.state(), rig.held()[0].clone()), ("renewing", ("2001:db8::5".into(), 1000, 2000)));
    let second = rig.until(Renew);
    assert!(second.at.since(first.at).as_secs() >= 9);
}

#[test]
fn unspecified_failures_never_end_a_lease_early() {
    let mut rig = Rig::bound(config());
    for _ in 0..5 {
        rig.until(Renew);
        rig.answer(reply().status(status::UNSPEC_FAIL));
        assert_eq!((rig.state(), rig.held().len()), ("renewing", 2));
    }
    rig.until(Rebind);
    rig.answer(reply().refuses(option::IA_NA, status::UNSPEC_FAIL).refuses(option::IA_PD, status::UNSPEC_FAIL));
    assert_eq!((rig.state(), rig.held().len()), ("rebinding", 2));
}

#[test]
fn a_t1_of_a_second_does_not_make_us_loud() {
    let mut rig = Rig::bound(config());
    rig.until(Renew);
    rig.sent.clear();
    let start = rig.now;
    rig.until(Renew);
    while rig.now.since(start).as_secs() < 3600 {
        rig.answer(reply().ia(option::IA_NA, 1, 1, &[("2001:db8::5", 1, 1000)]).ia(
            option::IA_PD,
            1,
            1,
            &[("2001:db8:5::/56", 1, 1000)],
        ));
        rig.until(Renew);
    }
    assert!(rig.sent.windows(2).all(|pair| pair[1].at.since(pair[0].at).as_secs() >= 3));
}

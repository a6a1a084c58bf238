use super::*;
use MessageType::*;

// MUST RFC 9915 §18.2.12: a client with addresses only confirms them when its link came up
// MUST RFC 9915 §18.2.3: a Confirm names the addresses, no server; CNF_TIMEOUT 1 s, CNF_MAX_RT 4 s, CNF_MAX_RD 10 s
// SHOULD RFC 9915 §18.2.3: the first Confirm is delayed by a random time of up to a second
// SHOULD RFC 9915 §18.2.3: without an answer what is held is used on
#[test]
fn addresses_are_confirmed_when_the_link_came_up() {
    let mut rig = Rig::bound(only_address());
    rig.event(Event::LinkUp);
    let start = rig.now;
    assert_eq!(rig.state(), "confirming");
    rig.secs(12);
    assert!(rig.sent.iter().all(|sent| sent.kind() == Confirm && sent.server().is_none()));
    assert!(rig.sent.iter().all(|sent| sent.leases() == ["2001:db8::5"] && !sent.has(option::OPTION_REQUEST)));
    let waits: Vec<u64> = rig.sent.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).collect();
    assert!((900..=1_100).contains(&waits[0]) && waits.iter().all(|wait| *wait <= 4_400), "{waits:?}");
    assert!(rig.sent.last().unwrap().at.since(rig.sent[0].at).as_secs() < 10);
    assert!(rig.sent[0].at.since(start).as_millis() <= 1_000);
    assert_eq!((rig.state(), rig.held().len(), rig.changes), ("bound", 1, 0));
    rig.until(Renew);
}

// MUST RFC 9915 §18.2.10.3: NotOnLink to a Confirm: discovery begins again
#[test]
fn a_confirm_is_answered_by_yes_or_no() {
    let mut rig = Rig::bound(only_address());
    rig.event(Event::LinkUp);
    rig.until(Confirm);
    rig.answer(reply().status(status::SUCCESS));
    assert_eq!((rig.state(), rig.held().len(), rig.changes), ("bound", 1, 0));
    rig.event(Event::LinkUp);
    rig.until(Confirm);
    rig.answer(reply().from(OTHER).status(status::NOT_ON_LINK));
    assert_eq!((rig.state(), rig.held().len(), rig.changes), ("soliciting", 0, 1));
    assert_eq!(rig.until(Solicit).leases(), Vec::<String>::new());
}

// MUST RFC 9915 §18.2.12: a client with a prefix rebinds when its link came up, with the times of a Confirm
#[test]
fn prefixes_are_rebound_when_the_link_came_up() {
    let mut rig = Rig::bound(config());
    rig.event(Event::LinkUp);
    let first = rig.until(Rebind);
    assert_eq!(first.leases(), ["2001:db8::5", "2001:db8:5::/56"]);
    let second = rig.until(Rebind);
    assert!(second.at.since(first.at).as_millis() <= 1_100);
    rig.answer(reply().from(OTHER).both());
    assert_eq!((rig.state(), rig.held()[1].clone()), ("bound", ("2001:db8:5::/56".into(), 1000, 2000)));
    rig.event(Event::LinkUp);
    rig.secs(12);
    assert_eq!((rig.state(), rig.held().len()), ("bound", 2), "without an answer it is used on");
}

#[test]
fn a_network_that_knows_nothing_of_our_prefix_gives_another() {
    let mut rig = Rig::bound(only_prefix());
    rig.event(Event::LinkUp);
    rig.until(Rebind);
    rig.answer(reply().from(OTHER).prefix(&[("2001:db8:5::/56", 0, 0), ("2001:db8:9::/56", 1000, 2000)]));
    assert_eq!((rig.state(), rig.names()), ("bound", vec!["2001:db8:9::/56".into()]));
    rig.event(Event::LinkUp);
    rig.until(Rebind);
    rig.answer(reply().from(OTHER).prefix(&[("2001:db8:9::/56", 0, 0)]));
    assert_eq!((rig.state(), rig.names()), ("soliciting", vec![]));
}

#[test]
fn a_link_that_flaps_makes_us_no_louder_than_twenty_messages_in_twenty_seconds() {
    for config in [config(), only_address(), only_settings()] {
        let mut rig = Rig::bound_if_leases(config);
        for _ in 0..1000 {
            rig.event(Event::LinkUp);
            rig.pass(700);
        }
        for (place, sent) in rig.sent.iter().enumerate() {
            if let Some(later) = rig.sent.get(place + 21) {
                assert!(later.at.since(sent.at).as_secs() >= 1, "{place}");
            }
            if let Some(later) = rig.sent.get(place + 40) {
                assert!(later.at.since(sent.at).as_secs() >= 19, "{place}");
            }
        }
        assert!(rig.sent.len() <= 720 + 20, "{}", rig.sent.len());
    }
}

#[test]
fn a_link_that_came_up_ends_a_long_wait() {
    let mut rig = Rig::new(config());
    rig.secs(20_000);
    let before = rig.sent.len();
    rig.event(Event::LinkUp);
    rig.secs(1);
    assert_eq!(rig.sent.len(), before + 1);
}

// MUST RFC 9915 §18.2.7: released leases are used no more, a Release names server and leases; REL_MAX_RC 4
// MUST RFC 9915 §18.2.10.2: a Reply ends the Release whatever its status
#[test]
fn a_release_gives_all_back_and_then_there_is_silence() {
    let mut rig = Rig::bound(config());
    rig.event(Event::Release);
    let release = rig.last(Release);
    assert_eq!((release.server(), release.leases().len()), (Some(duid(SERVER)), 2));
    assert!(!release.has(option::OPTION_REQUEST));
    assert_eq!((rig.held(), rig.changes, rig.state()), (vec![], 1, "releasing"));
    rig.secs(3600);
    assert_eq!(rig.kinds(), [Release; 4]);
    rig.event(Event::LinkUp);
    rig.secs(3600);
    assert_eq!((rig.sent.len(), rig.state(), rig.client.poll_at()), (4, "idle", None));
    rig.reconfigure(config());
    rig.until(Solicit);
    let mut rig = Rig::bound(config());
    rig.event(Event::Release);
    rig.answer(reply().status(status::NO_BINDING));
    assert_eq!((rig.state(), rig.client.poll_at()), ("idle", None));
}

// MUST RFC 9915 §18.2.8: a Decline names server and address; DEC_MAX_RC 4; the address is used no more
// MUST RFC 9915 §18.2.10.1: an address found in use by somebody else is declined
#[test]
fn an_address_of_somebody_else_is_declined_and_another_asked_for() {
    let mut rig = Rig::bound(config());
    rig.event(Event::DuplicateAddress(a("2001:db8::77")));
    assert_eq!(rig.sent.len(), 0);
    rig.event(Event::DuplicateAddress(a("2001:db8::5")));
    let decline = rig.last(Decline);
    assert_eq!((decline.server(), decline.leases()), (Some(duid(SERVER)), vec!["2001:db8::5".into()]));
    assert_eq!((rig.names(), rig.state()), (vec!["2001:db8:5::/56".into()], "bound"));
    let renew = rig.until(Renew);
    assert_eq!(renew.leases(), ["2001:db8:5::/56"]);
    // the same again is not taken, and the server is told again
    rig.sent.retain(|sent| sent.kind() == Renew);
    rig.answer(reply().both());
    assert_eq!((rig.names(), rig.last(Decline).leases()), (vec!["2001:db8:5::/56".into()], vec!["2001:db8::5".into()]));
    rig.secs(60);
    assert!(rig.kinds().iter().filter(|kind| **kind == Decline).count() <= 4);
    let mut rig = Rig::bound(only_address());
    rig.event(Event::DuplicateAddress(a("2001:db8::5")));
    rig.answer(reply());
    assert_eq!(rig.until(Solicit).leases(), Vec::<String>::new());
}

#[test]
fn what_is_wanted_no_more_is_given_back_and_what_is_wanted_newly_asked_for() {
    let mut rig = Rig::bound(config());
    rig.reconfigure(only_prefix());
    assert_eq!((rig.last(Release).leases(), rig.names()), (vec!["2001:db8::5".into()], vec!["2001:db8:5::/56".into()]));
    rig.answer(reply());
    assert_eq!(rig.until(Renew).leases(), ["2001:db8:5::/56"]);
    rig.answer(reply().prefix(&[("2001:db8:5::/56", 1000, 2000)]));
    rig.reconfigure(config());
    let renew = rig.last(Renew);
    assert!(renew.at == rig.now && renew.has(option::IA_NA));
    // a server that knows no new IAs in a Renew
    rig.answer(reply().refuses(option::IA_NA, status::NO_BINDING).prefix(&[("2001:db8:5::/56", 1000, 2000)]));
    rig.last(Request);
    rig.answer(reply().both());
    assert_eq!((rig.state(), rig.held().len()), ("bound", 2));
    let before = rig.sent.len();
    rig.reconfigure(config());
    assert_eq!(rig.sent.len(), before, "the same again causes nothing");
    rig.reconfigure(only_settings());
    assert_eq!(rig.last(Release).leases().len(), 2);
    rig.until(InformationRequest);
    rig.reconfigure(Config { information: false, ..only_settings() });
    rig.secs(60);
    assert_eq!((rig.state(), rig.client.poll_at()), ("idle", None));
}

#[test]
fn another_duid_begins_anew() {
    let mut rig = Rig::bound(config());
    rig.reconfigure(Config { duid: duid("0003000102000000cccc"), ..config() });
    assert_eq!((rig.held(), rig.state(), rig.changes), (vec![], "soliciting", 1));
}

#[test]
fn what_was_held_before_a_restart_is_used_on_and_confirmed() {
    let mut before = Rig::bound(config());
    before.secs(100);
    let remembered = Some(before.client.leases());
    let mut rig = Rig::new(Config { remembered: remembered.clone(), ..config() });
    assert_eq!(rig.client.leases(), remembered.clone().unwrap());
    assert_eq!(rig.until(Rebind).leases(), ["2001:db8::5", "2001:db8:5::/56"]);
    rig.secs(15);
    assert_eq!(rig.state(), "bound");
    assert_eq!(rig.until(Renew).server(), Some(duid(SERVER)));
    rig.answer(reply().both());
    assert_eq!(rig.held().len(), 2);
    // what is over is not remembered, and what is not wanted is given back
    let mut late = Client::new(Config { remembered: remembered.clone(), ..config() }, 1, START.after_secs(9_000));
    assert_eq!(late.leases().prefixes, []);
    late.tick(START.after_secs(9_001), &mut vec![]);
    let mut rig = Rig::new(Config { remembered, ..only_prefix() });
    assert_eq!(rig.until(Release).leases(), ["2001:db8::5"]);
}

#[test]
fn a_remembered_lease_without_a_server_is_rebound() {
    let mut before = Rig::bound(only_address());
    before.secs(1);
    let remembered = Some(Leases { server: None, ..before.client.leases() });
    let mut rig = Rig::new(Config { remembered, ..only_address() });
    rig.until(Confirm);
    rig.answer(reply().status(status::SUCCESS));
    rig.until(Rebind);
    assert!(rig.kinds().iter().all(|kind| matches!(kind, Confirm | Rebind)));
}

impl Rig {
    fn bound_if_leases(config: Config) -> Rig {
        if config.information { Rig::new(config) } else { Rig::bound(config) }
    }
}

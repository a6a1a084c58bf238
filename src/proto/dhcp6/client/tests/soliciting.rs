use super::*;
use MessageType::*;

// SHOULD RFC 9915 §18.2.1: the first Solicit is delayed by a random time of up to a second
// MUST RFC 9915 §18.2.1: a Solicit has a Client Identifier, the IAs wanted, Elapsed Time, and requests SOL_MAX_RT
// MUST RFC 9915 §21.9: the elapsed time of the first message of an exchange is 0, then it counts on
// MUST RFC 9915 §16.1: retransmissions leave the transaction id unchanged; a new exchange has a new one
// MUST RFC 9915 §18.2.1: SOL_TIMEOUT 1 s, SOL_MAX_RT an hour, no end by count or duration
// MUST RFC 7084 §4.2 WPD-1: the router asks for a prefix by DHCPv6
// MUST RFC 7084 §4.2 WPD-2: the length hinted at is what the owner configures, large enough for its LANs
#[test]
fn a_solicit_says_what_is_wanted_and_is_repeated_for_ever() {
    let mut delays = std::collections::BTreeSet::new();
    for seed in 0..30 {
        let mut rig = Rig::seeded(config(), seed);
        rig.secs(86_400);
        delays.insert(rig.sent[0].at.since(START).as_millis());
        let first = rig.sent[0].message();
        assert!(rig.sent.iter().all(|sent| sent.kind() == Solicit && sent.message().transaction == first.transaction));
        for sent in &rig.sent {
            let options = sent.message().options;
            assert_eq!(options.get(option::CLIENT_ID), Some(config().duid.as_bytes()));
            assert!(options.requests(option::SOL_MAX_RT) && options.requests(option::DNS_SERVERS));
            assert!(
                !sent.has(option::SERVER_ID)
                    && !sent.has(option::RAPID_COMMIT)
                    && !sent.has(option::RECONFIGURE_ACCEPT)
            );
            assert!(sent.has(option::IA_NA));
            assert_eq!(sent.leases(), ["::/56"]);
            let hundredths = (sent.at.since(rig.sent[0].at).as_millis() / 10).min(0xffff);
            assert_eq!(u128::from(sent.elapsed()), hundredths);
        }
        let waits: Vec<u64> = rig.sent.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).collect();
        assert!((1_001..=1_100).contains(&waits[0]));
        assert!(waits.iter().all(|wait| *wait <= 3_960_000) && waits.len() > 25);
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0] || pair[1] > 3_200_000));
    }
    assert!(delays.len() > 15 && *delays.last().unwrap() <= 1_000);
}

#[test]
fn only_what_is_wanted_is_asked_for() {
    for (config, na, pd) in [(only_address(), true, false), (only_prefix(), false, true)] {
        let mut rig = Rig::new(config);
        let sent = rig.until(Solicit);
        assert_eq!((sent.has(option::IA_NA), sent.has(option::IA_PD)), (na, pd));
    }
    let mut rig = Rig::new(Config { want_prefix: Some(0), ..only_prefix() });
    assert_eq!(rig.until(Solicit).leases(), Vec::<String>::new(), "any length will do");
    let nothing = Config { information: false, ..only_settings() };
    assert_eq!(Rig::new(nothing).client.poll_at(), None);
}

// MUST RFC 9915 §18.2.1: Advertises are collected until the first RT is over
// SHOULD RFC 9915 §18.2.9: the server with the best offer is chosen
// MUST RFC 9915 §18.2.2: a Request names its server and the leases offered
#[test]
fn offers_are_collected_for_a_second_and_the_best_is_taken() {
    let mut rig = Rig::new(config());
    let sent = rig.until(Solicit);
    rig.answer(advertise().from(OTHER).address(&[("2001:db8::9", 100, 200)]).with(option::PREFERENCE, &[200]));
    rig.pass(500);
    rig.answer(advertise().both());
    rig.answer(advertise().from("00030001020000000003").both());
    assert_eq!(rig.sent.len(), 1);
    let request = rig.until(Request);
    assert!((1_001..=1_100).contains(&(request.at.0 - sent.at.0)));
    assert_eq!(request.server(), Some(duid(SERVER)), "the most that is wanted, and of two alike the first");
    assert_eq!(request.leases(), ["2001:db8::5", "2001:db8:5::/56"]);
    assert_eq!(request.elapsed(), 0);
    assert_ne!(request.message().transaction, sent.message().transaction);
    assert!(request.message().options.requests(option::SOL_MAX_RT));
}

#[test]
fn of_like_offers_the_preferred_server_is_chosen() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.answer(advertise().from(OTHER).both().with(option::PREFERENCE, &[1]));
    assert_eq!(rig.until(Request).server(), Some(duid(OTHER)));
}

// MUST RFC 9915 §18.2.1: an Advertise with preference 255 is answered at once
#[test]
fn preference_255_ends_the_waiting() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both().with(option::PREFERENCE, &[255]));
    assert_eq!((rig.sent.len(), rig.last(Request).at), (2, rig.now));
}

// MUST RFC 9915 §18.2.1: after the first RT the first Advertise is acted upon at once
#[test]
fn a_late_offer_is_taken_at_once() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.until(Solicit);
    rig.answer(advertise().both());
    assert_eq!(rig.last(Request).at, rig.now);
}

// MUST RFC 9915 §18.2.9: an Advertise without leases is ignored, but its SOL_MAX_RT counts
// MUST RFC 9915 §21.24: SOL_MAX_RT counts from 60 to 86400 only
// MUST RFC 9915 §21.25: INF_MAX_RT counts from 60 to 86400 only
#[test]
fn an_offer_of_nothing_is_no_offer_but_may_calm_us() {
    for (seconds, counts) in [(59u32, false), (60, true), (86_400, true), (86_401, false)] {
        let mut rig = Rig::new(config());
        rig.until(Solicit);
        let limit = seconds.to_be_bytes();
        rig.answer(advertise().status(status::NO_ADDRS_AVAIL).both().with(option::SOL_MAX_RT, &limit));
        rig.answer(
            advertise().refuses(option::IA_NA, status::NO_ADDRS_AVAIL).refuses(option::IA_PD, status::NO_PREFIX_AVAIL),
        );
        rig.answer(advertise().address(&[("2001:db8::5", 0, 0)]));
        rig.answer(advertise());
        assert_eq!(rig.dropped("advertise without leases"), 4);
        rig.secs(86_400 * 20);
        assert!(rig.sent.iter().all(|sent| sent.kind() == Solicit));
        let longest = rig.sent.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).max().unwrap();
        let expected = if counts { u64::from(seconds) * 1000 } else { 3_600_000 };
        assert!((expected * 9 / 10..=expected * 11 / 10).contains(&longest), "{seconds}: {longest}");
        let refused = rig.client.status(rig.now).refused;
        assert_eq!(refused.as_deref(), Some("a server offers nothing"));
    }
}

// MUST RFC 9915 §16.3: an Advertise without server, without client, for another client or of another transaction is dropped
// MUST RFC 9915 §16.10: a Reply without server, for another client, or of another transaction is dropped
#[test]
fn what_is_not_for_us_is_dropped() {
    for kind in [Advertise, Reply] {
        let mut rig = Rig::new(Config { rapid_commit: true, ..config() });
        rig.until(Solicit);
        let good = || says(kind).both().with(option::RAPID_COMMIT, &[]).with(option::PREFERENCE, &[255]);
        rig.answer(Says { server: None, ..good() });
        rig.answer(Says { client: None, ..good() });
        rig.answer(Says { client: Some(duid(OTHER)), ..good() });
        rig.answer(Says { transaction: Some(1), ..good() });
        rig.answer(good().with(option::STATUS_CODE, &[0]));
        rig.hear(&[]);
        rig.hear(&[2]);
        rig.hear(&[99, 0, 0, 0]);
        assert_eq!((rig.sent.len(), rig.held().len()), (1, 0));
        let dropped: Vec<&str> = rig.client.status(rig.now).dropped.into_iter().map(|(reason, _)| reason).collect();
        let reasons = [
            "for another client",
            "malformed",
            "no client identifier",
            "no server identifier",
            "unknown message type",
            "unknown transaction",
        ];
        assert_eq!(dropped, reasons);
        rig.answer(good());
        assert_ne!(rig.state(), "soliciting");
    }
}

// MUST RFC 9915 §18.2.1: with Rapid Commit a Reply is taken at once, but only one that has the option too
#[test]
fn rapid_commit_takes_two_messages() {
    let mut rig = Rig::new(Config { rapid_commit: true, ..config() });
    assert!(rig.until(Solicit).has(option::RAPID_COMMIT));
    rig.answer(reply().both());
    assert_eq!(rig.dropped("reply to a solicit without rapid commit"), 1);
    rig.answer(reply().both().with(option::RAPID_COMMIT, &[]));
    assert_eq!((rig.state(), rig.names()), ("bound", vec!["2001:db8::5".into(), "2001:db8:5::/56".into()]));
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(reply().both().with(option::RAPID_COMMIT, &[]));
    assert_eq!(rig.state(), "soliciting", "it was not asked for");
}

#[test]
fn a_rapid_reply_is_not_needed() {
    let mut rig = Rig::new(Config { rapid_commit: true, ..config() });
    rig.until(Solicit);
    rig.answer(advertise().both());
    rig.until(Request);
    rig.answer(reply().both());
    assert_eq!(rig.state(), "bound");
}

// MUST RFC 9915 §18.2.2: REQ_TIMEOUT 1 s, REQ_MAX_RT 30 s, REQ_MAX_RC 10, then discovery begins again
#[test]
fn a_server_that_offers_and_never_answers_does_not_catch_us() {
    let mut rig = Rig::new(config());
    rig.until(Solicit);
    rig.answer(advertise().both().with(option::PREFERENCE, &[255]));
    rig.until(Solicit);
    let requests: Vec<&Sent> = rig.sent.iter().filter(|sent| sent.kind() == Request).collect();
    assert_eq!(requests.len(), 10);
    let waits: Vec<u64> = requests.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).collect();
    assert!((900..=1_100).contains(&waits[0]) && waits.iter().all(|wait| *wait <= 33_000), "{waits:?}");
    // it is passed over for any other, whatever its preference
    rig.answer(advertise().both().with(option::PREFERENCE, &[255]));
    assert_eq!(rig.state(), "soliciting");
    rig.answer(advertise().from(OTHER).both());
    assert_eq!(rig.until(Request).server(), Some(duid(OTHER)));
}

// MUST RFC 9915 §14.1: no more than 20 messages in 20 seconds, whatever servers do
#[test]
fn a_search_that_leads_to_nothing_begins_again_later_and_later() {
    let mut rig = Rig::new(Config { rapid_commit: true, ..config() });
    for _ in 0..200 {
        rig.until(Solicit);
        rig.answer(reply().with(option::RAPID_COMMIT, &[]));
        assert_eq!(rig.state(), "soliciting");
    }
    let waits: Vec<u64> = rig.sent.windows(2).map(|pair| pair[1].at.since(pair[0].at).as_secs()).collect();
    assert!(waits[10..].iter().all(|wait| (119..=122).contains(wait)), "{waits:?}");
}

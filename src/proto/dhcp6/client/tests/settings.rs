use super::*;
use MessageType::*;

fn informs(seconds: Option<u32>) -> Says {
    let says = reply().with(option::DNS_SERVERS, &a("2001:db8::53").octets());
    match seconds {
        Some(seconds) => says.with(option::INFORMATION_REFRESH_TIME, &seconds.to_be_bytes()),
        None => says,
    }
}

// MUST RFC 9915 §18.2.6: an Information-request requests INF_MAX_RT and has no IA; INF_TIMEOUT 1 s, INF_MAX_RT an hour
// MUST RFC 9915 §18.2.6: the first Information-request is delayed by a random time of up to a second
// MUST RFC 9915 §21.23: it requests the Information Refresh Time
#[test]
fn settings_are_asked_for_without_leases() {
    let mut rig = Rig::new(only_settings());
    rig.secs(86_400);
    assert!(rig.sent[0].at.since(START).as_millis() <= 1_000);
    for sent in &rig.sent {
        assert_eq!(sent.kind(), InformationRequest);
        let options = sent.message().options;
        assert!(options.requests(option::INF_MAX_RT) && options.requests(option::INFORMATION_REFRESH_TIME));
        assert!(options.requests(option::DNS_SERVERS) && options.requests(option::DOMAIN_LIST));
        assert!(!sent.has(option::IA_NA) && !sent.has(option::IA_PD) && !sent.has(option::SERVER_ID));
        assert!(sent.has(option::CLIENT_ID) && sent.has(option::ELAPSED_TIME));
    }
    let waits: Vec<u64> = rig.sent.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).collect();
    assert!((900..=1_100).contains(&waits[0]) && waits.iter().all(|wait| *wait <= 3_960_000));
    rig.answer(informs(None));
    assert_eq!((rig.state(), rig.changes, rig.client.leases().dns), ("informed", 1, vec![a("2001:db8::53")]));
}

// MUST RFC 9915 §21.23: without an Information Refresh Time it is 86400 s, and less than 600 s counts as 600 s
// MUST RFC 9915 §21.23: 0xffffffff means never
#[test]
fn settings_are_refreshed_when_their_time_has_come() {
    for (says, refresh) in [(None, 86_400), (Some(0), 600), (Some(599), 600), (Some(3600), 3600)] {
        let mut rig = Rig::new(only_settings());
        rig.until(InformationRequest);
        rig.answer(informs(says));
        let informed = rig.now;
        let wait = rig.until(InformationRequest).at.since(informed).as_secs();
        assert!((refresh..=refresh + 1).contains(&wait), "{says:?}: {wait}");
        rig.secs(86_400);
        assert_eq!(rig.client.leases().dns, [a("2001:db8::53")], "used on while nobody answers");
    }
    let mut rig = Rig::new(only_settings());
    rig.until(InformationRequest);
    rig.answer(informs(Some(u32::MAX)));
    assert_eq!(rig.client.poll_at(), None);
    rig.event(Event::LinkUp);
    rig.until(InformationRequest);
}

#[test]
fn inf_max_rt_counts() {
    let mut rig = Rig::new(only_settings());
    rig.until(InformationRequest);
    rig.answer(informs(Some(600)).with(option::INF_MAX_RT, &60u32.to_be_bytes()));
    rig.sent.clear();
    rig.secs(7200);
    let longest = rig.sent.windows(2).map(|pair| pair[1].at.0 - pair[0].at.0).max().unwrap();
    assert!((54_000..=66_000).contains(&longest), "{longest}");
}

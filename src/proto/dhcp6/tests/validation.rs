//! RFC 9915 §16 and what else makes a message no message for us.

use super::*;
use MessageType::*;

/// A message of each kind that a server answers, valid.
fn valid(kind: MessageType) -> Msg {
    let plain = msg(kind, 1);
    match kind {
        Solicit | Rebind => plain.na(1, &[]),
        Confirm => plain.na(1, &["2001:db8:0:1::1234"]),
        Request | Renew | Release | Decline => plain.na(1, &["2001:db8:0:1::1234"]).for_us(),
        AddrRegInform => registration(1, "2001:db8:0:1::abcd", 600, 1200),
        _ => plain,
    }
}

#[test]
fn valid_messages_are_answered() {
    for kind in [Solicit, Request, Confirm, Renew, Rebind, Release, Decline, InformationRequest, AddrRegInform] {
        let mut rig = Rig::new(config());
        let seen = rig.ask(valid(kind));
        let expected = match kind {
            Solicit => Advertise,
            AddrRegInform => AddrRegReply,
            _ => Reply,
        };
        assert_eq!(seen.kind, expected, "{kind:?}");
        let status = rig.server.status(rig.now);
        assert_eq!(status.received, [(kind.name(), 1)]);
        assert_eq!(status.sent, [(expected.name(), 1)]);
        assert_eq!(status.dropped, []);
    }
}

// MUST RFC 9915 §16.2: a Solicit without a client identifier is discarded
// MUST RFC 9915 §16.4: a Request without a client identifier is discarded
// MUST RFC 9915 §16.5: a Confirm without a client identifier is discarded
// MUST RFC 9915 §16.6: a Renew without a client identifier is discarded
// MUST RFC 9915 §16.7: a Rebind without a client identifier is discarded
// MUST RFC 9915 §16.8: a Decline without a client identifier is discarded
// MUST RFC 9915 §16.9: a Release without a client identifier is discarded
// MUST RFC 9686 §4.2.1: an ADDR-REG-INFORM without a client identifier is discarded
#[test]
fn messages_without_a_client_identifier_are_dropped() {
    for kind in [Solicit, Request, Confirm, Renew, Rebind, Release, Decline, AddrRegInform] {
        let mut rig = Rig::new(config());
        let anonymous = Msg { client: None, ..valid(kind) };
        assert_eq!(rig.dropped(anonymous), "no client identifier", "{kind:?}");
    }
}

// MUST RFC 9915 §16.2: a Solicit with a server identifier is discarded
// MUST RFC 9915 §16.5: a Confirm with a server identifier is discarded
// MUST RFC 9915 §16.7: a Rebind with a server identifier is discarded
// MUST RFC 9686 §4.2.1: an ADDR-REG-INFORM with a server identifier is discarded
#[test]
fn messages_for_every_server_that_name_one_are_dropped() {
    for kind in [Solicit, Confirm, Rebind, AddrRegInform] {
        let mut rig = Rig::new(config());
        assert_eq!(rig.dropped(valid(kind).for_us()), "server identifier present", "{kind:?}");
    }
}

// MUST RFC 9915 §16.4: a Request without a server identifier, or with another server's, is discarded
// MUST RFC 9915 §16.6: a Renew without a server identifier, or with another server's, is discarded
// MUST RFC 9915 §16.8: a Decline without a server identifier, or with another server's, is discarded
// MUST RFC 9915 §16.9: a Release without a server identifier, or with another server's, is discarded
#[test]
fn messages_for_one_server_that_name_none_or_another_are_dropped() {
    for kind in [Request, Renew, Release, Decline] {
        let mut rig = Rig::new(config());
        assert_eq!(rig.dropped(Msg { server: None, ..valid(kind) }), "no server identifier", "{kind:?}");
        let other = Msg { server: Some(vec![0, 2, 9]), ..valid(kind) };
        assert_eq!(rig.dropped(other), "for another server", "{kind:?}");
    }
}

// MUST RFC 9915 §16.12: an Information-request with another server's identifier is discarded
// MUST RFC 9915 §16.12: an Information-request with an IA option is discarded
#[test]
fn information_requests_may_name_us_but_no_other_and_hold_no_identity_association() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.dropped(Msg { server: Some(vec![0, 2, 9]), ..valid(InformationRequest) }), "for another server");
    for code in [option::IA_NA, option::IA_TA, option::IA_PD] {
        let with_ia = valid(InformationRequest).with(code, &[0; 12]);
        assert_eq!(rig.dropped(with_ia), "information-request with an identity association");
    }
    let named = rig.ask(valid(InformationRequest).for_us());
    assert_eq!(named.get(option::CLIENT_ID), msg(Solicit, 1).client.as_deref());
    let anonymous = rig.ask(Msg { client: None, ..valid(InformationRequest) });
    assert_eq!(anonymous.get(option::CLIENT_ID), None);
}

// MUST RFC 9915 §16.3: a server discards Advertise messages
// MUST RFC 9915 §16.10: a server discards Reply messages
// MUST RFC 9915 §16.11: a server discards Reconfigure messages
// MUST RFC 9915 §16.14: a server discards Relay-reply messages
// MUST RFC 9686 §4.3: a server ignores ADDR-REG-REPLY messages
#[test]
fn messages_that_servers_send_are_dropped() {
    let mut rig = Rig::new(config());
    for kind in [Advertise, Reply, Reconfigure, AddrRegReply] {
        assert_eq!(rig.dropped(msg(kind, 1).for_us()), "message type not for servers", "{kind:?}");
    }
    let mut writer = Writer::relay(RelayReply, 0, a("::"), a("fe80::101"));
    let mark = writer.open(option::RELAY_MESSAGE);
    writer.raw(&valid(Solicit).bytes());
    writer.close(mark);
    rig.deliver(&msg(RelayReply, 1), &writer.finish().unwrap());
    assert_eq!(rig.out, vec![]);
}

/// The others too: with the Server Unicast option obsolete, no client has a reason to send them so.
// MUST RFC 9915 §16: a Solicit, Confirm, Rebind or Information-request sent to a unicast address is discarded
#[test]
fn messages_to_a_unicast_address_are_dropped() {
    for kind in [Solicit, Request, Confirm, Renew, Rebind, Release, Decline, InformationRequest, AddrRegInform] {
        let mut rig = Rig::new(config());
        let unicast = Msg { multicast: false, ..valid(kind) };
        assert_eq!(rig.dropped(unicast), "sent to a unicast address", "{kind:?}");
    }
}

// MUST NOT RFC 9915 §16: a message is not discarded for an option that we don't know
#[test]
fn unknown_options_are_no_reason_to_drop() {
    for kind in [Solicit, Request, Confirm, Renew, Rebind, Release, Decline, InformationRequest] {
        let strange = valid(kind).with(64_000, b"?").with(17, &[0; 6]).with(16, &[9]);
        assert!(Rig::new(config()).send(strange).is_some(), "{kind:?}");
    }
}

// MUST RFC 9915 §11.1: a DUID is no longer than 128 bytes without its type
#[test]
fn client_identifiers_have_a_length() {
    let mut rig = Rig::new(config());
    for len in [0, 2, 131] {
        let odd = Msg { client: Some(vec![0; len]), ..valid(Solicit) };
        assert_eq!(rig.dropped(odd), "client identifier too short or too long");
    }
    for len in [3, 130] {
        assert!(rig.send(Msg { client: Some(vec![0; len]), ..valid(Solicit) }).is_some());
    }
}

#[test]
fn what_is_no_message_is_counted_and_dropped() {
    let mut rig = Rig::new(config());
    for (bytes, reason) in [
        (vec![], "malformed"),
        (vec![1, 2, 3], "malformed"),
        (vec![1, 2, 3, 4, 0, 1, 0, 9], "malformed"),
        (vec![99, 0, 0, 0], "unknown message type"),
    ] {
        rig.deliver(&msg(Solicit, 1), &bytes);
        assert_eq!(rig.out, vec![]);
        assert!(rig.server.status(rig.now).dropped.iter().any(|(why, _)| *why == reason), "{bytes:?}");
    }
    // an identity association that is too short, or holds an address that is
    for code in [option::IA_NA, option::IA_PD] {
        assert_eq!(rig.dropped(msg(Solicit, 1).with(code, &[0; 11])), "malformed");
    }
    assert_eq!(
        rig.dropped(msg(Solicit, 1).with(option::IA_NA, &[[0; 12].as_slice(), &[0, 5, 0, 0]].concat())),
        "malformed"
    );
    assert_eq!(
        rig.dropped(msg(Solicit, 1).with(option::IA_PD, &[[0; 12].as_slice(), &[0, 26, 0, 0]].concat())),
        "malformed"
    );
    assert_eq!(rig.server.status(rig.now).dropped.iter().map(|(_, count)| count).sum::<u64>(), 8);
}

#[test]
fn a_message_is_dropped_where_nothing_is_served() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.dropped(valid(Solicit).on(77)), "link not served");
    let mut rig = Rig::new(Config { duid: None, ..config() });
    assert_eq!(rig.dropped(valid(Solicit)), "this server has no DUID yet");
    for source in ["::", "ff02::1"] {
        let mut rig = Rig::new(config());
        assert_eq!(rig.dropped(Msg { source: a(source), ..valid(Solicit) }), "no unicast source address");
    }
}

// UNTESTED RFC 9915 §16.13: clients discard Relay-forward messages. Reason: about clients; ours are tested under §19.3
// UNTESTED RFC 9915 §20: authentication of messages but Reconfigure. Reason: nobody has ever deployed it; RFC 9915 has no other

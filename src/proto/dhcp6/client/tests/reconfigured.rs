use super::*;
use crate::wire::dhcp6::authenticate;
use MessageType::*;

const KEY: [u8; 16] = [0x42; 16];

fn accepting() -> Config {
    Config { reconfigure_accept: true, ..config() }
}

fn key(replay: u64) -> Vec<u8> {
    let mut writer = Writer::options();
    Rkap { replay, information: RkapInformation::Key(KEY) }.write(&mut writer);
    writer.finish().unwrap()[4..].to_vec()
}

fn bound() -> Rig {
    let mut rig = Rig::new(accepting());
    assert!(rig.until(Solicit).has(option::RECONFIGURE_ACCEPT));
    rig.answer(advertise().both());
    assert!(rig.until(Request).has(option::RECONFIGURE_ACCEPT));
    rig.answer(reply().both().with(option::AUTHENTICATION, &key(10)));
    assert!(rig.client.status(rig.now).reconfigurable);
    rig.sent.clear();
    rig
}

fn reconfigure(kind: MessageType, replay: u64) -> Vec<u8> {
    let mut writer = Writer::options();
    Rkap { replay, information: RkapInformation::Code([0; 16]) }.write(&mut writer);
    let auth = writer.finish().unwrap();
    let says = says(Reconfigure).with(option::RECONFIGURE_MESSAGE, &[kind as u8]);
    let mut bytes = says.with(option::AUTHENTICATION, &auth[4..]).bytes(0);
    authenticate(&mut bytes, KEY);
    bytes
}

// MUST RFC 9915 §18.2.11: a valid Reconfigure is answered by the message that it asks for
#[test]
fn an_authentic_reconfigure_is_answered_at_once() {
    for kind in [Renew, Rebind, InformationRequest] {
        let mut rig = bound();
        rig.hear(&reconfigure(kind, 11));
        rig.until(kind);
        assert!(rig.sent[0].kind() == kind && rig.sent[0].at.since(rig.now).is_zero());
        rig.answer(reply().both());
        assert_eq!((rig.state(), rig.held().len()), ("bound", 2));
    }
}

// MUST RFC 9915 §16.11: a Reconfigure by multicast, without server, client, message type or authentication is discarded
// MUST RFC 9915 §20.4.3: a Reconfigure whose code does not fit the key of its server is discarded
// MUST RFC 9915 §20.3: a message whose replay detection value has not grown is discarded
#[test]
fn any_other_reconfigure_is_dropped() {
    let mut rig = bound();
    let good = reconfigure(Renew, 11);
    rig.event(Event::Packet { source: a("fe80::1"), multicast: true, bytes: &good });
    for place in 4..good.len() {
        let mut changed = good.clone();
        changed[place] ^= 0x40;
        rig.hear(&changed);
    }
    rig.hear(&reconfigure(Renew, 10));
    rig.hear(&reconfigure(Solicit, 12));
    rig.hear(&says(Reconfigure).with(option::RECONFIGURE_MESSAGE, &[5]).bytes(0));
    rig.hear(
        &says(Reconfigure).with(option::RECONFIGURE_MESSAGE, &[5]).with(option::AUTHENTICATION, &key(99)).bytes(0),
    );
    rig.hear(&says(Reconfigure).from(OTHER).with(option::RECONFIGURE_MESSAGE, &[5]).bytes(0));
    assert_eq!((rig.state(), rig.sent.len()), ("bound", 0));
    assert!(rig.dropped("reconfigure is not authentic") > 0 && rig.dropped("reconfigure by multicast") == 1);
    assert_eq!(rig.dropped("reconfigure is replayed"), 1);
    rig.hear(&reconfigure(Renew, 13));
    rig.last(Renew);
    rig.answer(reply().both());
    rig.hear(&reconfigure(Renew, 13));
    assert_eq!(rig.dropped("reconfigure is replayed"), 2);
}

// MUST RFC 9915 §18.2.11: while the exchange it began is under way, further Reconfigures are ignored
#[test]
fn one_reconfigure_at_a_time() {
    let mut rig = bound();
    rig.hear(&reconfigure(Renew, 11));
    rig.hear(&reconfigure(Rebind, 12));
    assert_eq!((rig.kinds(), rig.state()), (vec![Renew], "renewing"));
}

// MUST RFC 9915 §18.2.1: who does not accept Reconfigure, does not say so and does not follow it
#[test]
fn who_does_not_accept_is_not_asked_back() {
    let mut rig = Rig::bound(config());
    rig.hear(&reconfigure(Renew, 11));
    assert_eq!((rig.sent.len(), rig.dropped("reconfigure is not accepted")), (0, 1));
    let mut rig = Rig::bound(accepting());
    rig.hear(&reconfigure(Renew, 11));
    assert_eq!((rig.sent.len(), rig.dropped("reconfigure without a key")), (0, 1));
}

#[test]
fn settings_are_asked_for_again_when_a_server_says_so() {
    let mut rig = Rig::new(Config { reconfigure_accept: true, ..only_settings() });
    rig.until(InformationRequest);
    rig.answer(reply().with(option::AUTHENTICATION, &key(1)));
    rig.hear(&reconfigure(InformationRequest, 2));
    rig.until(InformationRequest);
    assert_eq!(rig.sent.len(), 2);
}

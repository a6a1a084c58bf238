//! Address registration: RFC 9686.

use super::*;
use MessageType::*;

const OWN: &str = "2001:db8:0:1:211:22ff:fe33:4455";

// MUST RFC 9686 §4.3: a valid ADDR-REG-INFORM is acknowledged by an ADDR-REG-REPLY
// MUST RFC 9686 §4.3: the ADDR-REG-REPLY goes to the address being registered
// MUST RFC 9686 §4.3: the transaction id is copied
// MUST RFC 9686 §4.3: the IA Address option is the same as in the ADDR-REG-INFORM
#[test]
fn a_registration_is_remembered_and_acknowledged() {
    let mut rig = Rig::new(config());
    let asked = registration(1, OWN, 600, 1200).with(option::CLIENT_FQDN, b"\x00\x05phone");
    let seen = rig.ask(asked.clone());
    assert_eq!((seen.kind, seen.xid, seen.to, seen.port), (AddrRegReply, asked.xid, a(OWN), 546));
    assert_eq!(seen.get(option::IA_ADDRESS), Some(asked.more[0].1.as_slice()));
    assert!(seen.commits);
    let [binding] = rig.bindings().try_into().unwrap();
    assert_eq!((binding.resource, binding.state), (Resource::Address(a(OWN)), State::Registered));
    assert_eq!(binding.client.as_bytes(), asked.client.unwrap());
    assert_eq!((&*binding.lan, binding.via, &*binding.hostname), ("home", a(OWN), "phone"));
    assert_eq!(binding.lifetimes.valid.remaining(rig.now), 1200);
    assert_eq!(rig.journal[&binding.resource], binding);
    assert_eq!(rig.server.status(rig.now).bindings.registered, 1);
    // nobody else gets it
    let other = rig.ask(msg(Solicit, 2).na(1, &[OWN]));
    assert_ne!(other.lease(), OWN);
}

// MUST RFC 9686 §4.2.1: a registration is discarded without an IA Address option, or if that isn't the source address
// MUST RFC 9686 §4.2.1: a registration with an Option Request option is discarded
// MUST RFC 9686 §4.2.1: a registration of an address that doesn't fit the link is dropped
#[test]
fn wrong_registrations_are_dropped() {
    let mut rig = Rig::new(config());
    let asked = registration(1, OWN, 600, 1200);
    let elsewhere = Msg { source: a("2001:db8:0:1::9"), ..asked.clone() };
    assert_eq!(rig.dropped(elsewhere), "registered address is not the source");
    let without = Msg { more: vec![], ..asked.clone() };
    assert_eq!(rig.dropped(without), "registered address is not the source");
    let short = Msg { more: vec![(option::IA_ADDRESS, vec![0; 20])], ..asked.clone() };
    assert_eq!(rig.dropped(short), "malformed");
    assert_eq!(rig.dropped(asked.clone().asks(&[option::DNS_SERVERS])), "registration requests options");
    assert_eq!(rig.dropped(asked.clone().on(GUEST)), "registered address not on the link");
    assert_eq!(rig.dropped(registration(1, "fe80::1", 600, 1200)), "registered address not on the link");
    let mut rig = Rig::new(config_with(|link| link.options.registration = false));
    assert_eq!(rig.dropped(asked), "address registration is off");
    assert_eq!(rig.bindings(), vec![]);
}

// MUST RFC 9686 §4.3: a relayed registration is answered by a Relay-reply
#[test]
fn a_registration_may_be_relayed() {
    let asked = registration(1, OWN, 600, 1200);
    for (peer, valid) in [(OWN, true), ("2001:db8:0:1::9", false)] {
        let mut rig = Rig::new(config());
        let mut writer = Writer::relay(RelayForward, 0, a("2001:db8:0:1::7"), a(peer));
        writer.put(option::RELAY_MESSAGE, &asked.bytes());
        let through = Msg { source: a("fe80::4e1a"), port: 547, ..asked.clone() };
        rig.deliver(&through, &writer.finish().unwrap());
        let sent = rig.out.iter().find_map(|action| match action {
            Action::Send { bytes, to, .. } => Some((bytes[0], *to)),
            _ => None,
        });
        assert_eq!(sent, valid.then_some((RelayReply as u8, a("fe80::4e1a"))));
        assert_eq!(rig.bindings().len(), usize::from(valid));
    }
}

#[test]
fn registrations_are_refreshed_moved_and_ended() {
    let mut rig = Rig::new(config());
    rig.ask(registration(1, OWN, 600, 1200));
    rig.pass(1000);
    rig.ask(registration(1, OWN, 600, 1200));
    rig.pass(1000);
    assert_eq!(rig.bindings().len(), 1);
    // the address is another client's now
    rig.ask(registration(2, OWN, 600, 1200));
    assert_eq!(rig.bindings()[0].client.as_bytes().last(), Some(&2));
    assert_eq!(rig.bindings().len(), 1);
    // only who registered it says that it is unused
    rig.ask(registration(1, OWN, 0, 0));
    assert_eq!(rig.bindings().len(), 1);
    let seen = rig.ask(registration(2, OWN, 0, 0));
    assert_eq!((seen.kind, rig.bindings().len(), rig.journal.len()), (AddrRegReply, 0, 0));
    rig.ask(registration(1, OWN, 600, 1200));
    rig.pass(1200);
    assert_eq!((rig.bindings().len(), rig.journal.len()), (0, 0));
}

#[test]
fn a_lease_is_no_registration() {
    let mut rig = Rig::new(config());
    let leased = rig.ask(msg(Request, 1).for_us().na(1, &[])).lease();
    let before = rig.bindings();
    for number in [1, 2] {
        assert_eq!(rig.dropped(registration(number, &leased, 600, 1200)), "registered address is leased");
    }
    assert_eq!(rig.bindings(), before);
}

#[test]
fn an_address_in_a_delegated_prefix_may_be_registered_but_is_not_kept_twice() {
    let mut rig = Rig::new(config());
    let prefix = rig.ask(msg(Request, 1).for_us().pd(1, &[])).lease();
    let inside = crate::net::with_iid(p(&prefix).addr(), 7).to_string();
    let seen = rig.ask(registration(1, &inside, 600, 1200));
    assert_eq!((seen.kind, seen.commits, rig.bindings().len()), (AddrRegReply, false, 1));
    assert_eq!(rig.dropped(registration(2, &inside, 600, 1200)), "registered address not on the link");
}

#[test]
fn registrations_are_bounded_per_link() {
    let mut rig = Rig::new(config());
    let address = |n: u32| format!("2001:db8:0:1:aaaa::{n:x}");
    for n in 0..2_100 {
        assert!(rig.send(registration(n as u16, &address(n), 600, 1200)).is_some());
    }
    assert_eq!(rig.server.status(rig.now).bindings.registered, 2_000);
    // those who are in are refreshed, and the other link has room
    rig.pass(600);
    assert!(rig.ask(registration(7, &address(7), 600, 1200)).commits);
    assert!(rig.ask(registration(1, "2001:db8:0:2::77", 600, 1200).on(GUEST)).commits);
    rig.pass(600);
    assert_eq!(rig.server.status(rig.now).bindings.registered, 2);
    assert!(rig.ask(registration(9, &address(3_000), 600, 1200)).commits);
}

// UNTESTED RFC 9686 §4.2.1: the registration is logged. Reason: monitor and log are told; tested there

//! Messages through relay agents: RFC 9915 §19.3, §13.1, and the options relay agents add.

use super::*;
use MessageType::*;

/// One relay agent on the way.
#[derive(Clone, Debug)]
struct Hop {
    link: &'static str,
    peer: &'static str,
    options: Vec<(u16, Vec<u8>)>,
}

fn hop(link: &'static str, peer: &'static str) -> Hop {
    Hop { link, peer, options: vec![] }
}

/// `msg` as the last of `hops` forwards it; the first is next to the client.
fn relayed(msg: &Msg, hops: &[Hop]) -> Vec<u8> {
    let mut inner = msg.bytes();
    for (count, hop) in hops.iter().enumerate() {
        let mut writer = Writer::relay(RelayForward, count.try_into().unwrap(), a(hop.link), a(hop.peer));
        for (code, contents) in &hop.options {
            writer.put(*code, contents);
        }
        writer.put(option::RELAY_MESSAGE, &inner);
        inner = writer.finish().unwrap();
    }
    inner
}

/// What the client sees, after checking that the answer takes the same way back.
fn relay(rig: &mut Rig, msg: &Msg, hops: &[Hop]) -> Option<Seen> {
    let outer = Msg { source: a("fe80::4e1a"), port: 547, ..msg.clone() };
    rig.deliver(&outer, &relayed(msg, hops));
    let action = rig.out.iter().find(|action| matches!(action, Action::Send { .. }))?;
    let Action::Send { bytes, link, to, port, .. } = action else { unreachable!() };
    assert_eq!((*link, *to, *port), (msg.link, outer.source, outer.port));
    let mut bytes = bytes.clone();
    for (count, hop) in hops.iter().enumerate().rev() {
        let Ok(Packet::Relay(seen)) = Packet::parse(&bytes) else { panic!("{bytes:?}") };
        assert_eq!((seen.kind, usize::from(seen.hop_count)), (RelayReply, count));
        assert_eq!((seen.link_address, seen.peer_address), (a(hop.link), a(hop.peer)));
        for code in [option::INTERFACE_ID, option::RELAY_SOURCE_PORT] {
            let sent = hop.options.iter().find(|(sent, _)| *sent == code).map(|(_, contents)| contents.as_slice());
            assert_eq!(seen.options.get(code), sent);
        }
        let others = seen.options.iter().filter(|(code, _)| {
            ![option::INTERFACE_ID, option::RELAY_SOURCE_PORT, option::RELAY_MESSAGE].contains(code)
        });
        assert_eq!(others.count(), 0);
        bytes = seen.options.get(option::RELAY_MESSAGE).unwrap().to_vec();
    }
    Some(Seen::parse(&bytes, action))
}

// MUST RFC 9915 §19.3: a Relay-forward is answered by a Relay-reply through the same relay agents
// MUST RFC 9915 §19.3: hop count, link address and peer address are copied from the Relay-forward
// MUST RFC 9915 §19.3: an Interface-Id option is copied from the Relay-forward
// MUST RFC 9915 §18.3.10: an answer to a relayed message goes to the relay agent's source address
// MUST RFC 8357 §5.3: the Relay Source Port option comes back, and the answer goes to the source port
#[test]
fn answers_take_the_same_way_back() {
    let near = Hop {
        options: vec![
            (option::INTERFACE_ID, b"port 7".to_vec()),
            (37, b"remote id".to_vec()),
            (option::CLIENT_LINK_LAYER_ADDRESS, vec![0, 1, 2, 0, 0x5e, 0, 0x53, 1]),
        ],
        ..hop("2001:db8:0:1::7", "fe80::c")
    };
    let far = Hop {
        options: vec![(option::RELAY_SOURCE_PORT, vec![0, 0]), (option::INTERFACE_ID, vec![])],
        ..hop("2001:db8:0:2::9", "2001:db8:0:1::7")
    };
    for hops in [vec![near.clone()], vec![near.clone(), far.clone()]] {
        let mut rig = Rig::new(config());
        let offer = relay(&mut rig, &msg(Solicit, 1).na(1, &[]).pd(1, &[]), &hops).unwrap();
        assert_eq!((offer.kind, offer.good().len()), (Advertise, 2));
        let asked = msg(Request, 1).for_us().na(1, &[&offer.good()[0]]).pd(1, &[&offer.good()[1]]);
        assert_eq!(relay(&mut rig, &asked, &hops).unwrap().good(), offer.good());
        let inform = msg(InformationRequest, 1).asks(&[option::DNS_SERVERS]);
        assert!(relay(&mut rig, &inform, &hops).unwrap().get(option::DNS_SERVERS).is_some());
        assert_eq!(rig.server.status(rig.now).received.len(), 3);
    }
    // a relay agent may send to our own address
    let mut rig = Rig::new(config());
    let unicast = Msg { multicast: false, ..msg(Solicit, 1).na(1, &[]) };
    assert!(relay(&mut rig, &unicast, &[near]).is_some());
}

// MUST RFC 9915 §13.1: the link is the one of the relay agent nearest to the client that names one
#[test]
fn the_link_is_the_one_that_the_nearest_relay_agent_names() {
    for (hops, subnet) in [
        // on the home LAN, but for the guests
        (vec![hop("2001:db8:0:2::7", "fe80::c")], "2001:db8:0:2::/64"),
        (vec![hop("2001:db8:0:2::7", "fe80::c"), hop("2001:db8:0:1::9", "fe80::d")], "2001:db8:0:2::/64"),
        // a layer 2 relay agent names none (RFC 6221 §5.1)
        (vec![hop("::", "fe80::c")], "2001:db8:0:1::/64"),
        (vec![hop("::", "fe80::c"), hop("2001:db8:0:2::7", "fe80::c")], "2001:db8:0:2::/64"),
    ] {
        let mut rig = Rig::new(config());
        let asked = msg(Solicit, 1).na(1, &[]).with(option::RAPID_COMMIT, &[]);
        let seen = relay(&mut rig, &asked, &hops).unwrap();
        assert!(p(subnet).contains(a(&seen.lease())), "{hops:?}");
        let lan = if subnet == "2001:db8:0:2::/64" { "guest" } else { "home" };
        assert_eq!((&*rig.bindings()[0].lan, rig.bindings()[0].via), (lan, a("fe80::c")));
    }
}

#[test]
fn behind_a_relay_agent_on_a_link_of_its_own_there_are_prefixes_and_settings_but_no_addresses() {
    let mut rig = Rig::new(config());
    let hops = [hop("2001:db8:77::1", "fe80::c")];
    let asked = msg(Request, 1).for_us().na(1, &[]).pd(1, &[]).asks(&[option::DNS_SERVERS]);
    let seen = relay(&mut rig, &asked, &hops).unwrap();
    assert_eq!(seen.ias[0].status, Some(status::NO_ADDRS_AVAIL));
    assert!(p("2001:db8::/48").covers(&p(&seen.lease())));
    assert!(seen.get(option::DNS_SERVERS).is_some());
    // the relay agent is the next hop
    assert_eq!(rig.routes[&p(&seen.lease())], crate::plan::Delegation { link: HOME, via: a("fe80::4e1a") });
    let seen = relay(&mut rig, &msg(Request, 1).for_us().na(1, &["2001:db8:0:1::1234"]), &hops).unwrap();
    assert_eq!(seen.ias[0].status, Some(status::NOT_ON_LINK));
    assert!(relay(&mut rig, &msg(Confirm, 1).na(1, &["2001:db8:0:1::1234"]), &hops).is_none());
}

#[test]
fn a_relay_agent_that_is_no_neighbour_is_no_next_hop() {
    let mut rig = Rig::new(config());
    let asked = msg(Solicit, 1).pd(1, &[]).with(option::RAPID_COMMIT, &[]);
    let far = Msg { source: a("2001:db8:99::1"), ..asked.clone() };
    rig.deliver(&far, &relayed(&asked, &[hop("2001:db8:0:1::7", "fe80::c")]));
    assert_eq!((rig.bindings().len(), rig.routes.len()), (1, 0));
}

// MUST RFC 9915 §7.6: no more than HOP_COUNT_LIMIT relay agents may have forwarded what a relay agent forwards
#[test]
fn there_is_an_end_to_relaying() {
    let hops = vec![hop("::", "fe80::c"); 9];
    let mut rig = Rig::new(config());
    assert!(relay(&mut rig, &msg(Solicit, 1).na(1, &[]), &hops).is_some());
    for many in [10, 50] {
        let hops = vec![hop("::", "fe80::c"); many];
        rig.deliver(&msg(Solicit, 1), &relayed(&msg(Solicit, 1).na(1, &[]), &hops));
        assert_eq!(rig.out, vec![]);
    }
    // ten levels, whatever they count
    let mut liar = msg(Solicit, 1).na(1, &[]).bytes();
    for _ in 0..10 {
        let mut writer = Writer::relay(RelayForward, 0, a("::"), a("fe80::c"));
        writer.put(option::RELAY_MESSAGE, &liar);
        liar = writer.finish().unwrap();
    }
    rig.deliver(&msg(Solicit, 1), &liar);
    assert_eq!(rig.out, vec![]);
    assert_eq!(rig.server.status(rig.now).dropped, [("too many relay agents", 3)]);
}

#[test]
fn an_answer_that_no_datagram_can_hold_is_not_made() {
    for (len, answered) in [(60_000, true), (65_450, false), (65_535, false)] {
        let mut rig = Rig::new(config());
        let mut writer = Writer::relay(RelayForward, 0, a("::"), a("fe80::c"));
        writer.put(option::INTERFACE_ID, &vec![7; len]);
        writer.put(option::RELAY_MESSAGE, &msg(Request, 1).for_us().na(1, &[]).bytes());
        rig.deliver(&msg(Request, 1), &writer.finish().unwrap());
        assert_eq!(rig.bindings().len(), usize::from(answered));
        assert_eq!(rig.server.status(rig.now).dropped.len(), usize::from(!answered));
    }
}

#[test]
fn wrong_relay_messages_are_counted_and_dropped() {
    let mut rig = Rig::new(config());
    let empty = Writer::relay(RelayForward, 0, a("::"), a("fe80::c")).finish().unwrap();
    rig.deliver(&msg(Solicit, 1), &empty);
    let mut writer = Writer::relay(RelayForward, 0, a("::"), a("fe80::c"));
    writer.put(option::RELAY_MESSAGE, &[1, 2]);
    rig.deliver(&msg(Solicit, 1), &writer.finish().unwrap());
    let mut writer = Writer::relay(RelayForward, 0, a("::"), a("fe80::c"));
    writer.put(option::RELAY_MESSAGE, &Writer::relay(RelayReply, 0, a("::"), a("::")).finish().unwrap());
    rig.deliver(&msg(Solicit, 1), &writer.finish().unwrap());
    let dropped = rig.server.status(rig.now).dropped;
    let expected = [("malformed", 1), ("message type not for servers", 1), ("relay message without a message", 1)];
    assert_eq!(dropped, expected);
}

// UNTESTED RFC 9915 §19.1: what relay agents do. Reason: we are none
// UNTESTED RFC 9915 §19.4: Reconfigure through relay agents. Reason: clients behind relay agents are not asked back

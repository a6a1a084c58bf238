//! Hosts of the configuration, and what is reserved for them.

use super::*;
use crate::config::HostDuid;
use MessageType::*;

fn host(number: u16) -> Host {
    let client = msg(Solicit, number).client.unwrap();
    Host {
        section: format!("host{number}"),
        aliases: Vec::new(),
        name: format!("host{number}"),
        duids: vec![HostDuid { duid: Duid::new(&client).unwrap(), iaid: None }],
        macs: vec![],
        host_id: None,
        addresses: vec![],
        prefix: None,
    }
}

fn rig(hosts: Vec<Host>) -> Rig {
    Rig::new(Config { hosts, ..config() })
}

fn get(rig: &mut Rig, msg: Msg) -> Vec<String> {
    rig.ask(msg.with(option::RAPID_COMMIT, &[])).good()
}

#[test]
fn a_host_gets_what_is_reserved_for_it() {
    let reserved = Host { host_id: Some(0x20), prefix: Some(p("2001:db8:0:40::/60")), ..host(1) };
    let whole = Host { addresses: vec![a("2001:db8:0:1::2000"), a("2001:db8:0:2::3000")], ..host(2) };
    let mut rig = rig(vec![reserved, whole]);
    assert_eq!(get(&mut rig, msg(Solicit, 1).na(1, &[]).pd(1, &[])), ["2001:db8:0:1::20", "2001:db8:0:40::/60"]);
    assert_eq!(get(&mut rig, msg(Solicit, 2).na(1, &[])), ["2001:db8:0:1::2000"]);
    assert_eq!(rig.routes.len(), 1);
    // in the subnet of another link it is another one
    assert_eq!(get(&mut rig, msg(Solicit, 1).na(2, &[]).on(GUEST)), ["2001:db8:0:2::20"]);
    assert_eq!(get(&mut rig, msg(Solicit, 2).na(2, &[]).on(GUEST)), ["2001:db8:0:2::3000"]);
}

#[test]
fn hosts_are_known_by_duid_by_identity_association_and_by_mac() {
    let mac: crate::net::Mac = "02:00:5e:00:53:01".parse().unwrap();
    let by_mac = Host { duids: vec![], macs: vec![mac], host_id: Some(0x21), ..host(1) };
    let mut one_ia = host(2);
    one_ia.duids[0].iaid = Some(7);
    one_ia.host_id = Some(0x22);
    let whole = Host { host_id: Some(0x23), ..host(2) };
    let mut rig = rig(vec![by_mac, one_ia, whole]);
    let client = |bytes: &[u8]| Msg { client: Some(bytes.to_vec()), ..msg(Solicit, 1).na(1, &[]) };
    let ll = [&[0, 3, 0, 1], mac.0.as_slice()].concat();
    let llt = [&[0, 1, 0, 1, 9, 9, 9, 9], mac.0.as_slice()].concat();
    assert_eq!(rig.ask(client(&ll)).good(), ["2001:db8:0:1::21"]);
    assert_eq!(rig.ask(client(&llt)).good(), ["2001:db8:0:1::21"]);
    assert_ne!(rig.ask(client(b"\x00\x02other")).good(), ["2001:db8:0:1::21"]);
    assert_eq!(get(&mut rig, msg(Solicit, 2).na(7, &[]).na(1, &[])), ["2001:db8:0:1::22", "2001:db8:0:1::23"]);

    // a relay agent says what the DUID doesn't
    let asked = client(b"\x00\x02other");
    for (option, known) in [
        (vec![0, 1, 2, 0, 0x5e, 0, 0x53, 1], true),
        (vec![0, 1, 2, 0, 0x5e, 0, 0x53, 2], false),
        (vec![0, 6, 2, 0, 0x5e, 0, 0x53, 1], false),
        (vec![0, 1, 2, 0], false),
        (vec![], false),
    ] {
        let mut writer = Writer::relay(RelayForward, 0, a("::"), a("fe80::c"));
        writer.put(option::CLIENT_LINK_LAYER_ADDRESS, &option);
        writer.put(option::RELAY_MESSAGE, &asked.bytes());
        rig.deliver(&asked, &writer.finish().unwrap());
        let Some(Action::Send { bytes, .. }) = rig.out.last() else { panic!() };
        let Ok(Packet::Relay(relay)) = Packet::parse(bytes) else { panic!() };
        let seen = Seen::parse(relay.options.get(option::RELAY_MESSAGE).unwrap(), rig.out.last().unwrap());
        assert_eq!(seen.lease() == "2001:db8:0:1::21", known, "{option:?}");
    }
}

#[test]
fn nobody_else_gets_what_is_reserved() {
    let mut config = config();
    for link in config.links.values_mut() {
        link.options.range = (0x20, 0x21);
        link.pools = vec![pool("2001:db8:f::/63", &[])];
    }
    config.hosts = vec![Host { host_id: Some(0x20), prefix: Some(p("2001:db8:f:1::/64")), ..host(1) }];
    let mut rig = Rig::new(config);
    let given = get(&mut rig, msg(Solicit, 2).na(1, &["2001:db8:0:1::20"]).pd(1, &["2001:db8:f:1::/64"]));
    assert_eq!(given, ["2001:db8:0:1::21", "2001:db8:f::/64"]);
    let none = rig.ask(msg(Solicit, 3).na(1, &["2001:db8:0:1::20"]).pd(1, &["2001:db8:f::/63"]));
    assert_eq!(none.good(), Vec::<String>::new());
    // nor by registering it
    assert!(!rig.ask(registration(3, "2001:db8:0:1::20", 600, 1200)).commits);
    // nor by claiming to have it
    let claimed = rig.ask(msg(Renew, 3).for_us().na(1, &["2001:db8:0:1::20"]).pd(1, &["2001:db8:f:1::/64"]));
    assert_eq!(claimed.good(), Vec::<String>::new());
    let own = get(&mut rig, msg(Solicit, 1).na(1, &[]).pd(1, &[]));
    assert_eq!(own, ["2001:db8:0:1::20", "2001:db8:f:1::/64"]);
    // the host itself has it once
    let twice = rig.ask(msg(Solicit, 1).na(2, &[]).pd(2, &[]));
    assert_eq!(twice.good(), Vec::<String>::new());
}

#[test]
fn a_reservation_made_later_moves_both_clients() {
    let mut rig = rig(vec![]);
    let [taken] = get(&mut rig, msg(Solicit, 2).na(1, &["2001:db8:0:1::1020"])).try_into().unwrap();
    let [before] = get(&mut rig, msg(Solicit, 1).na(1, &[])).try_into().unwrap();
    rig.reconfigure(Config { hosts: vec![Host { host_id: Some(0x1020), ..host(1) }], ..config() });
    // still another's: the host keeps what it has
    assert_eq!(rig.ask(msg(Renew, 1).for_us().na(1, &[&before])).lease(), before);
    let moved = rig.ask(msg(Renew, 2).for_us().na(1, &[&taken]));
    assert_eq!(moved.leases()[1], (taken.clone(), 0, 0));
    let own = rig.ask(msg(Renew, 1).for_us().na(1, &[&before]));
    assert_eq!(own.leases(), [(taken, 600, 1200), (before, 0, 0)]);
    assert_eq!(rig.bindings().len(), 2);
}

#[test]
fn a_host_keeps_its_reservation_under_another_duid() {
    let mac: crate::net::Mac = "02:00:5e:00:53:01".parse().unwrap();
    let dual_boot = Host { duids: vec![], macs: vec![mac], prefix: Some(p("2001:db8:0:40::/60")), ..host(1) };
    let mut rig = rig(vec![Host { host_id: Some(0x21), ..dual_boot }]);
    let ll = [&[0, 3, 0, 1], mac.0.as_slice()].concat();
    let llt = [&[0, 1, 0, 1, 9, 9, 9, 9], mac.0.as_slice()].concat();
    let reserved = ["2001:db8:0:1::21", "2001:db8:0:40::/60"];
    for duid in [&ll, &llt, &ll] {
        // its other interface doesn't get the same
        let asked = Msg { client: Some(duid.clone()), ..msg(Solicit, 1).na(1, &[]).pd(1, &[]).na(3, &[]) };
        let given = get(&mut rig, asked);
        assert_eq!(given[..2], reserved);
        assert_ne!(given[2], reserved[0]);
        let of = |rig: &Rig, resource| rig.bindings().into_iter().find(|binding| binding.resource == resource).unwrap();
        assert_eq!(of(&rig, Resource::Address(a(reserved[0]))).client.as_bytes(), duid);
        assert_eq!(of(&rig, Resource::Prefix(p(reserved[1]))).client.as_bytes(), duid);
    }
    // two interfaces of one system both keep what they have
    let other = Msg { client: Some(ll.clone()), ..msg(Solicit, 1).na(2, &[]).pd(2, &[]) };
    assert!(get(&mut rig, other).iter().all(|lease| !reserved.contains(&lease.as_str())));
    // what it registered itself it may have
    rig.pass(100_000);
    rig.ask(Msg { client: Some(ll.clone()), ..registration(1, reserved[0], 600, 1200) });
    let asked = Msg { client: Some(ll), ..msg(Solicit, 1).na(1, &[]) };
    assert_eq!(get(&mut rig, asked), [reserved[0]]);
    assert_eq!(rig.bindings()[0].state, State::Bound);
    // but not what it declined
    rig.ask(Msg {
        client: rig.bindings()[0].client.as_bytes().to_vec().into(),
        ..msg(Decline, 1).for_us().na(1, &[reserved[0]])
    });
    let asked = Msg { client: Some(llt), ..msg(Solicit, 1).na(1, &[]) };
    assert_ne!(get(&mut rig, asked), [reserved[0]]);
}

#[test]
fn a_reservation_outside_our_prefixes_or_in_our_way_is_not_given() {
    for (address, prefix) in [
        ("2001:db8:99::1", "2001:db9::/60"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1::", "2001:db8::/60"),
    ] {
        let mut rig = rig(vec![Host { addresses: vec![a(address)], prefix: Some(p(prefix)), ..host(1) }]);
        let given = get(&mut rig, msg(Solicit, 1).na(1, &[]).pd(1, &[]));
        assert_eq!(given.len(), 2);
        assert!(!given.contains(&address.into()) && !given.contains(&prefix.into()), "{given:?}");
    }
}

//! Floods: what one client or many forged ones can make the server keep.

use super::*;
use MessageType::*;

#[test]
fn solicits_leave_nothing_behind() {
    let mut rig = Rig::new(config());
    for number in 0..5_000 {
        rig.ask(msg(Solicit, number).na(1, &[]).pd(1, &[]));
    }
    assert_eq!((rig.bindings(), rig.journal.len(), rig.server.poll_at()), (vec![], 0, None));
}

#[test]
fn a_flood_of_requests_leaves_room_for_known_clients() {
    let mut config = config();
    let known = msg(Solicit, 60_000).client.unwrap();
    config.hosts = vec![Host {
        section: "printer".into(),
        name: "printer".into(),
        aliases: Vec::new(),
        duids: vec![crate::config::HostDuid { duid: Duid::new(&known).unwrap(), iaid: None }],
        macs: vec![],
        host_id: None,
        addresses: vec![],
        prefix: None,
    }];
    let mut rig = Rig::new(config.clone());
    rig.server.limit_bindings(1_000);
    let first = rig.ask(msg(Request, 1).for_us().na(1, &[]));
    for number in 2..2_000 {
        rig.ask(msg(Request, number).for_us().na(1, &[]));
    }
    assert_eq!(rig.bindings().len(), 900);
    let late = rig.ask(msg(Solicit, 3_000).na(1, &[]).pd(1, &[]));
    let statuses: Vec<Option<u16>> = late.ias.iter().map(|ia| ia.status).collect();
    assert_eq!(statuses, [Some(status::NO_ADDRS_AVAIL), Some(status::NO_PREFIX_AVAIL)]);
    // who has a lease keeps it and may have a prefix, and so may who is in the configuration
    let renewed = rig.ask(msg(Renew, 1).for_us().na(1, &[&first.lease()]).pd(1, &[]));
    assert_eq!(renewed.good().len(), 2);
    assert_eq!(rig.ask(msg(Request, 60_000).for_us().na(1, &[])).good().len(), 1);
    assert_eq!(rig.server.status(rig.now).most_bindings, 1_000);
    // to the very end
    for number in 2..2_000 {
        rig.ask(msg(Request, number).for_us().na(1, &[]).pd(1, &[]).pd(2, &[]));
    }
    assert_eq!(rig.bindings().len(), 1_000);
    rig.pass(10_000);
    assert_eq!(rig.ask(msg(Solicit, 3_000).na(1, &[])).good().len(), 1);
}

#[test]
fn one_client_gets_only_so_much() {
    let mut rig = Rig::new(config());
    let many = (0..200).fold(msg(Request, 1).for_us(), |msg, iaid| msg.na(iaid, &[]));
    assert_eq!(rig.ask(many).ias.len(), 16);
    for batch in 0..20 {
        let asked = (0..16).fold(msg(Request, 1).for_us(), |msg, iaid| msg.na(batch * 16 + iaid, &[]));
        rig.ask(asked);
    }
    assert_eq!(rig.bindings().len(), 128);
    // declining them makes no room
    let all: Vec<Binding> = rig.bindings();
    for binding in all {
        let Resource::Address(address) = binding.resource else { panic!() };
        rig.ask(msg(Decline, 1).for_us().na(binding.iaid, &[&address.to_string()]));
    }
    assert_eq!(rig.server.status(rig.now).bindings.declined, 128);
    assert_eq!(rig.ask(msg(Solicit, 1).na(1, &[])).ias[0].status, Some(status::NO_ADDRS_AVAIL));
    assert_eq!(rig.ask(msg(Solicit, 2).na(1, &[])).good().len(), 1);
}

#[test]
fn only_so_many_of_the_addresses_listed_are_looked_at() {
    let mut rig = Rig::new(config());
    let listed: Vec<String> = (0..50).map(|n| format!("2001:db8:0:9::{n:x}")).collect();
    let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
    let seen = rig.ask(msg(Renew, 1).for_us().na(1, &listed));
    assert_eq!(seen.ias[0].leases.len(), 1 + 8);
}

#[test]
fn restored_bindings_that_overlap_or_are_too_many_are_left_out() {
    let mut rig = Rig::new(config());
    for number in 1..=10 {
        rig.ask(msg(Request, number).for_us().pd(1, &["::/60"]));
    }
    let mut bindings = rig.bindings();
    let mut inside = bindings[0].clone();
    let Resource::Prefix(prefix) = inside.resource else { panic!() };
    inside.resource = Resource::Prefix(prefix.subnet(3, 64).unwrap());
    let mut around = bindings[1].clone();
    let Resource::Prefix(prefix) = around.resource else { panic!() };
    around.resource = Resource::Prefix(Prefix::new(prefix.addr(), 56).unwrap());
    let expected = bindings.clone();
    bindings.extend([inside, around]);
    let mut server = Server::new(config(), 1, START);
    let mut out = vec![];
    server.restore(bindings.clone(), START, &mut out);
    assert_eq!(server.bindings().cloned().collect::<Vec<_>>(), expected);
    assert_eq!(out.len(), 10);
    let mut server = Server::new(config(), 1, START);
    server.limit_bindings(4);
    server.restore(bindings, START, &mut vec![]);
    assert_eq!(server.bindings().count(), 4);
}

//! Prefix delegation on LANs: RFC 9818, RFC 8168, and where prefixes are routed to.

use super::*;
use crate::net::Until;
use crate::plan::Delegation;
use MessageType::*;

fn get(rig: &mut Rig, msg: Msg) -> String {
    rig.ask(msg.with(option::RAPID_COMMIT, &[])).lease()
}

// MUST RFC 9818 §5.1: a prefix delegated without a hint is a /64
#[test]
fn a_client_without_a_wish_gets_a_64() {
    let mut rig = Rig::new(config());
    for (number, hint) in [(1, &[][..]), (2, &["::/0"])] {
        assert!(get(&mut rig, msg(Solicit, number).pd(1, hint)).ends_with("/64"));
    }
    let mut rig = Rig::new(config_with(|link| link.options.delegated_len = 60));
    assert!(get(&mut rig, msg(Solicit, 1).pd(1, &[])).ends_with("/60"));
}

#[test]
fn a_wish_for_a_length_is_honoured_as_far_as_it_goes() {
    // the shortest is a /56
    for (hint, len) in [("::/56", 56), ("::/60", 60), ("::/63", 63), ("::/48", 56), ("::/1", 56), ("::/80", 64)] {
        let mut rig = Rig::new(config());
        let given = get(&mut rig, msg(Solicit, 1).pd(1, &[hint]));
        assert_eq!(p(&given).len(), len, "{hint}");
    }
    // what there isn't is as near to it as can be
    let mut rig = Rig::new(config_with(|link| link.pools = vec![pool("2001:db8:f::/60", &["2001:db8:f::/64"])]));
    let lens: Vec<u8> = (1..=4).map(|number| p(&get(&mut rig, msg(Solicit, number).pd(1, &["::/56"]))).len()).collect();
    assert_eq!(lens, [61, 62, 63, 64]);
    let none = rig.ask(msg(Solicit, 5).pd(1, &["::/56"]));
    assert_eq!(none.ias[0].status, Some(status::NO_PREFIX_AVAIL));
    // the same as the default may not be had either
    let mut rig = Rig::new(config_with(|link| link.options.delegated_len = 50));
    assert_eq!(p(&get(&mut rig, msg(Solicit, 1).pd(1, &[]))).len(), 56);
}

// MUST RFC 9818 §5.1: a prefix in use on a LAN is not delegated; the rest is
#[test]
fn every_free_prefix_is_delegated_once_and_no_other() {
    let reserved = ["2001:db8:f:3::/64", "2001:db8:f:8::/62"];
    let mut rig = Rig::new(config_with(|link| {
        link.subnets = vec![subnet("2001:db8:f:1::/64")];
        link.pools = vec![pool("2001:db8:f::/60", &reserved)];
    }));
    let mut given: Vec<Prefix> = (1..=10).map(|number| p(&get(&mut rig, msg(Solicit, number).pd(1, &[])))).collect();
    given.sort();
    let all = (0..16).map(|index| p("2001:db8:f::/60").subnet(index, 64).unwrap());
    let blocked: Vec<Prefix> = reserved.iter().map(|r| p(r)).chain([p("2001:db8:f:1::/64")]).collect();
    let free: Vec<Prefix> = all.filter(|prefix| !blocked.iter().any(|other| other.overlaps(prefix))).collect();
    assert_eq!(given, free);
    assert_eq!(rig.routes.keys().copied().collect::<Vec<_>>(), free);
    let none = rig.ask(msg(Solicit, 11).pd(1, &[]));
    assert_eq!(none.ias[0].status, Some(status::NO_PREFIX_AVAIL));
    // one is given back, another one takes it
    let third = rig.bindings().remove(2);
    rig.ask(msg(Release, u16::from(*third.client.as_bytes().last().unwrap())).for_us().pd(1, &[&free[2].to_string()]));
    assert!(!rig.routes.contains_key(&free[2]));
    assert_eq!(get(&mut rig, msg(Solicit, 11).pd(1, &[])), free[2].to_string());
    assert_eq!(rig.routes[&free[2]].via, a("fe80::10b"));
}

// MUST RFC 9915 §21.22: bits behind the prefix length are ignored
#[test]
fn bits_behind_the_length_of_a_prefix_count_for_nothing() {
    let mut rig = Rig::new(config());
    assert_eq!(get(&mut rig, msg(Solicit, 1).pd(1, &["2001:db8:0:4f:1:2:3:4/60"])), "2001:db8:0:40::/60");
    let renewed = rig.ask(msg(Renew, 1).for_us().pd(1, &["2001:db8:0:4e::7/60"]));
    assert_eq!(renewed.leases(), [("2001:db8:0:40::/60".into(), 600, 1200)]);
    rig.ask(msg(Release, 1).for_us().pd(1, &["2001:db8:0:4d::/60"]));
    assert_eq!(rig.bindings(), vec![]);
}

// MUST RFC 9818 §5.1: a delegated prefix is routed to the client it was delegated to
#[test]
fn a_route_follows_the_clients_address_and_the_lan() {
    let mut rig = Rig::new(config());
    let prefix = get(&mut rig, msg(Solicit, 1).pd(1, &[]));
    let to = |rig: &Rig| rig.routes[&p(&prefix)];
    assert_eq!(to(&rig), Delegation { link: HOME, via: a("fe80::101") });
    // nothing is said when nothing changes
    rig.ask(msg(Renew, 1).for_us().pd(1, &[&prefix]));
    assert!(!rig.out.iter().any(|action| matches!(action, Action::Delegated(..))));
    rig.ask(Msg { source: a("fe80::beef"), ..msg(Renew, 1).for_us().pd(1, &[&prefix]) });
    assert_eq!(to(&rig), Delegation { link: HOME, via: a("fe80::beef") });
    // the LAN's device comes back under another index
    let mut config = config();
    let home = config.links.remove(&HOME).unwrap();
    rig.reconfigure(config.clone());
    assert_eq!(rig.routes.len(), 0);
    config.links.insert(9, home);
    rig.reconfigure(config);
    assert_eq!(to(&rig), Delegation { link: 9, via: a("fe80::beef") });
    assert_eq!(rig.bindings().len(), 1);
}

#[test]
fn nothing_is_routed_outside_our_pools() {
    let mut rig = Rig::new(config());
    let prefix = get(&mut rig, msg(Solicit, 1).pd(1, &[]));
    // the prefix goes to a LAN (odhcpd#418), the pool goes, its life ends, and back
    let mut taken = config();
    taken.links.get_mut(&GUEST).unwrap().subnets[0].prefix = p(&prefix);
    let mut reserved = config();
    let mut gone = config();
    let mut over = config();
    for link in [HOME, GUEST] {
        reserved.links.get_mut(&link).unwrap().pools[0].reserved.push(p(&prefix));
        gone.links.get_mut(&link).unwrap().pools.clear();
        let ended = Until::At(START);
        over.links.get_mut(&link).unwrap().pools[0].lifetimes = Lifetimes::new(ended, ended);
    }
    for without in [taken, reserved, gone, over] {
        rig.reconfigure(without.clone());
        assert_eq!((rig.routes.len(), rig.bindings().len()), (0, 1));
        rig.restart(without);
        assert_eq!(rig.routes.len(), 0);
        rig.reconfigure(config());
        assert_eq!(rig.routes.len(), 1);
    }
}

#[test]
fn a_source_that_is_no_neighbour_is_no_next_hop() {
    let mut rig = Rig::new(config());
    let far = Msg { source: a("2001:db8:99::1"), ..msg(Request, 1).for_us().pd(1, &[]) };
    let prefix = rig.ask(far).lease();
    assert_eq!((rig.bindings().len(), rig.routes.len()), (1, 0));
    let near = Msg { source: a("2001:db8:0:1::77"), ..msg(Renew, 1).for_us().pd(1, &[&prefix]) };
    rig.ask(near);
    assert_eq!(rig.routes[&p(&prefix)].via, a("2001:db8:0:1::77"));
}

// UNTESTED RFC 9818 §5.1: the LAN's own prefixes come first, and stay. Reason: plan assigns them; tested there

//! Leases: RFC 9915 §18.3.1, §18.3.2, §18.3.4, §18.3.5, and the answers' contents (§18.3.9, §18.3.10).

use super::*;
use crate::net::Until;
use MessageType::*;

const RAPID: u16 = option::RAPID_COMMIT;

/// Binds an address and a prefix; gives both.
fn bind(rig: &mut Rig, number: u16) -> [String; 2] {
    let reply = rig.ask(msg(Solicit, number).na(1, &[]).pd(1, &[]).with(RAPID, &[]));
    assert_eq!(reply.kind, Reply);
    reply.good().try_into().unwrap()
}

#[test]
fn four_messages_give_an_address_and_a_prefix() {
    let mut rig = Rig::new(config());
    let offer = rig.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]));
    assert_eq!(offer.kind, Advertise);
    assert_eq!(rig.bindings(), vec![]);
    assert!(!offer.commits);
    let [address, prefix] = offer.good().try_into().unwrap();
    assert!(p("2001:db8:0:1::/64").contains(a(&address)), "{address}");
    assert!(p("2001:db8::/48").covers(&p(&prefix)) && prefix.ends_with("/64"), "{prefix}");

    let reply = rig.ask(msg(Request, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((reply.kind, reply.good()), (Reply, vec![address.clone(), prefix.clone()]));
    assert!(reply.commits);
    assert_eq!(reply.leases()[0], (address.clone(), 600, 1200));
    assert_eq!(rig.bindings().len(), 2);
    assert_eq!(rig.routes[&p(&prefix)], crate::plan::Delegation { link: HOME, via: a("fe80::101") });

    rig.pass(300);
    let renewed = rig.ask(msg(Renew, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!(renewed.good(), vec![address.clone(), prefix.clone()]);
    rig.pass(1000);
    assert_eq!(rig.bindings().len(), 2);

    let released = rig.ask(msg(Release, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((released.status(), released.ias), (Some(status::SUCCESS), vec![]));
    assert_eq!(rig.bindings(), vec![]);
    assert!(rig.routes.is_empty());
}

#[test]
fn what_is_not_renewed_ends() {
    let mut rig = Rig::new(config());
    bind(&mut rig, 1);
    assert_eq!(rig.bindings().len(), 2);
    assert_eq!(rig.server.poll_at(), Some((START.after_secs(1200), "a lease ends")));
    rig.pass(1199);
    assert_eq!((rig.bindings().len(), rig.routes.len()), (2, 1));
    rig.pass(1);
    assert_eq!((rig.bindings().len(), rig.routes.len()), (0, 0));
    assert!(rig.out.iter().any(|action| matches!(action, Action::Tell(Told::Expired, _))));
    assert_eq!(rig.journal, BTreeMap::new());
    assert_eq!(rig.server.poll_at(), None);
}

#[test]
fn bindings_come_back_after_a_restart() {
    let mut rig = Rig::new(config());
    let [address, prefix] = bind(&mut rig, 1);
    let routes = rig.routes.clone();
    rig.restart(config());
    assert_eq!(rig.routes, routes);
    let renewed = rig.ask(msg(Renew, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!(renewed.good(), [address, prefix]);
}

// MUST RFC 9915 §18.3.9: an Advertise has our server identifier and the client's identifier as it came
// MUST RFC 9915 §18.3.10: a Reply has our server identifier and the client's identifier as it came
// MUST RFC 9915 §18.3.9: an Advertise has the transaction id of the Solicit
// MUST RFC 9915 §18.3.2: a Reply has the transaction id of the message it answers
// MUST RFC 9915 §18.3.10: an answer goes to the source address, on the link that the message came in by
#[test]
fn every_answer_says_who_answers_whom() {
    for kind in [Solicit, Request, Confirm, Renew, Rebind, Release, Decline, InformationRequest] {
        for link in [HOME, GUEST] {
            let mut rig = Rig::new(config());
            let mut asked = msg(kind, 0x1234).on(link);
            asked.client = Some(b"\x00\x02any bytes at all".to_vec());
            asked.port = 5460;
            if kind != InformationRequest {
                asked = asked.na(1, if link == HOME { &["2001:db8:0:1::1234"] } else { &["2001:db8:0:2::1234"] });
            }
            if matches!(kind, Request | Renew | Release | Decline) {
                asked = asked.for_us();
            }
            let seen = rig.ask(asked.clone());
            assert_eq!(seen.xid, 0x00ab_1234);
            assert_eq!(seen.get(option::SERVER_ID), Some(server_id().as_bytes()));
            assert_eq!(seen.get(option::CLIENT_ID), asked.client.as_deref());
            assert_eq!((seen.link, seen.to, seen.port), (link, asked.source, 5460), "{kind:?}");
        }
    }
}

// MUST RFC 9915 §18.3.1: a Solicit with Rapid Commit is answered by a Reply with Rapid Commit when we are set so
// MUST RFC 9915 §18.3.1: the assignment is committed before that Reply is sent
#[test]
fn rapid_commit_takes_two_messages() {
    let mut rig = Rig::new(config());
    let reply = rig.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]).with(RAPID, &[]));
    assert_eq!((reply.kind, reply.get(RAPID)), (Reply, Some(&[][..])));
    assert!(reply.commits);
    let order = rig.out.iter().filter_map(|action| match action {
        Action::Record(_) => Some(true),
        Action::Send { .. } => Some(false),
        _ => None,
    });
    assert_eq!(order.collect::<Vec<bool>>(), [true, true, false]);
    assert_eq!(rig.journal.len(), 2);
    // who doesn't ask for it doesn't get it
    assert_eq!(rig.ask(msg(Solicit, 2).na(1, &[])).get(RAPID), None);
    assert_eq!(rig.ask(msg(Request, 2).na(1, &[]).for_us()).get(RAPID), None);
    let mut rig = Rig::new(config_with(|link| link.options.rapid_commit = false));
    let offer = rig.ask(msg(Solicit, 1).na(1, &[]).with(RAPID, &[]));
    assert_eq!((offer.kind, offer.get(RAPID)), (Advertise, None));
    assert_eq!(rig.bindings(), vec![]);
}

#[test]
fn rapid_commit_with_nothing_to_commit_is_an_advertise() {
    let mut rig = Rig::new(config_with(|link| link.options.addresses = false));
    let offer = rig.ask(msg(Solicit, 1).na(1, &[]).with(RAPID, &[]));
    assert_eq!((offer.kind, offer.ias[0].status), (Advertise, Some(status::NO_ADDRS_AVAIL)));
    assert!(!offer.commits);
}

// MUST RFC 9915 §18.3.9: an Advertise has for every IA what would be assigned to it
#[test]
fn an_advertise_offers_what_the_request_then_gets() {
    // a pool with room for four, so that places collide
    let mut rig = Rig::new(config_with(|link| link.pools = vec![pool("2001:db8:f::/62", &[])]));
    for number in 1..=4 {
        let offer = rig.ask(msg(Solicit, number).na(7, &[]).pd(7, &["::/64"]).na(8, &[]));
        let ias: Vec<(u16, u32)> = offer.ias.iter().map(|ia| (ia.code, ia.iaid)).collect();
        assert_eq!(ias, [(option::IA_NA, 7), (option::IA_PD, 7), (option::IA_NA, 8)]);
        assert_eq!(offer.good().len(), 3);
        // though it doesn't say what it was offered
        let reply = rig.ask(msg(Request, number).for_us().na(7, &[]).pd(7, &[]).na(8, &[]));
        assert_eq!(reply.leases(), offer.leases());
    }
    let late = rig.ask(msg(Solicit, 5).pd(7, &[]));
    assert_eq!((late.ias[0].status, late.good()), (Some(status::NO_PREFIX_AVAIL), vec![]));
}

// MUST RFC 9915 §18.3.9: an IA that will get no address is advertised with NoAddrsAvail
// MUST RFC 9915 §18.3.9: an IA that will get no prefix is advertised with NoPrefixAvail
// MUST RFC 9915 §18.3.2: an IA that gets no address is in the Reply with NoAddrsAvail
// MUST RFC 9915 §18.3.2: an IA that gets no prefix is in the Reply with NoPrefixAvail
#[test]
fn what_is_not_available_is_said_so_per_identity_association() {
    let mut rig = Rig::new(config_with(|link| {
        link.options.range = (0x1000, 0x1000);
        link.pools = vec![pool("2001:db8:f::/64", &[])];
    }));
    for (ask, kind) in [(Solicit, Advertise), (Request, Reply)] {
        let mut asked = msg(ask, 1).na(1, &[]).na(2, &[]).pd(1, &[]).pd(2, &[]);
        if ask == Request {
            asked = asked.for_us();
        }
        let seen = rig.ask(asked);
        assert_eq!(seen.kind, kind);
        let statuses: Vec<Option<u16>> = seen.ias.iter().map(|ia| ia.status).collect();
        assert_eq!(statuses, [None, Some(status::NO_ADDRS_AVAIL), None, Some(status::NO_PREFIX_AVAIL)]);
        assert_eq!(seen.good(), ["2001:db8:0:1::1000", "2001:db8:f::/64"]);
        assert_eq!(seen.status(), None);
    }
    let mut rig = Rig::new(config_with(|link| {
        link.options.addresses = false;
        link.options.delegation = false;
    }));
    let seen = rig.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]));
    let statuses: Vec<Option<u16>> = seen.ias.iter().map(|ia| ia.status).collect();
    assert_eq!(statuses, [Some(status::NO_ADDRS_AVAIL), Some(status::NO_PREFIX_AVAIL)]);
}

// MUST RFC 9915 §18.3.2: an IA of a Request with an address that doesn't fit the link is returned with NotOnLink
#[test]
fn a_request_from_another_link_is_told_so() {
    let mut rig = Rig::new(config());
    let seen =
        rig.ask(msg(Request, 1).for_us().na(1, &["2001:db8:0:2::1234"]).na(2, &["2001:db8:0:1::1234"]).pd(1, &[]));
    let statuses: Vec<Option<u16>> = seen.ias.iter().map(|ia| ia.status).collect();
    assert_eq!(statuses, [Some(status::NOT_ON_LINK), None, None]);
    assert_eq!(seen.ias[0].leases, []);
    assert_eq!(rig.bindings().len(), 2);
}

// MUST RFC 9915 §18.3.2: T1 and T2 are the same in all IAs of a Reply to a Request
// MUST RFC 9915 §18.3.4: T1 and T2 are the same in all IAs of a Reply to a Renew
// MUST RFC 9915 §18.3.5: T1 and T2 are the same in all IAs of a Reply to a Rebind
// MUST RFC 9915 §18.3.2: T1 and T2 are determined over all leases of the Reply
#[test]
fn all_identity_associations_are_renewed_together() {
    let mut config = config();
    for link in config.links.values_mut() {
        for pool in &mut link.pools {
            pool.lifetimes = Lifetimes::new(Until::At(START.after_secs(100)), Until::Forever);
        }
    }
    let mut rig = Rig::new(config);
    let [address, prefix] = bind(&mut rig, 1);
    for kind in [Request, Renew, Rebind] {
        let mut asked = msg(kind, 1).na(1, &[&address]).pd(1, &[&prefix]).na(2, &[]);
        if kind != Rebind {
            asked = asked.for_us();
        }
        let seen = rig.ask(asked);
        let times: Vec<(u32, u32)> = seen.ias.iter().map(|ia| ia.times).collect();
        assert_eq!(times, [(50, 80); 3], "{kind:?}");
        assert_eq!(seen.leases()[1], (prefix.clone(), 100, 1200));
    }
}

// MUST RFC 9915 §21.4: T1 is not later than T2
// MUST RFC 9915 §21.21: T1 is not later than T2
// MUST RFC 9915 §21.6: the preferred lifetime is not longer than the valid one
// MUST RFC 9915 §7.7: 0xffffffff is infinity, and nothing else is
#[test]
fn times_follow_from_the_shortest_preferred_lifetime_or_the_configuration() {
    const EVER: u32 = u32::MAX;
    for (preferred, valid, t1, t2, expected, lifetimes) in [
        (600, 1200, None, None, (300, 480), (600, 1200)),
        (EVER, EVER, None, None, (EVER, EVER), (EVER, EVER)),
        (EVER, EVER, Some(1000), Some(2000), (1000, 2000), (EVER, EVER)),
        (EVER - 1, EVER, None, None, (0x7fff_ffff, 0xcccc_cccb), (EVER - 1, EVER)),
        (EVER, 90, None, None, (45, 72), (90, 90)),
        (600, 1200, Some(100), None, (100, 480), (600, 1200)),
        (600, 1200, Some(500), None, (480, 480), (600, 1200)),
        (600, 1200, Some(100), Some(50), (50, 50), (600, 1200)),
        (600, 1200, None, Some(9000), (300, 600), (600, 1200)),
        (1, 1, None, None, (0, 0), (1, 1)),
    ] {
        let mut rig = Rig::new(config_with(|link| {
            link.options.preferred_lifetime = preferred;
            link.options.valid_lifetime = valid;
            link.options.t1 = t1;
            link.options.t2 = t2;
        }));
        let seen = rig.ask(msg(Solicit, 1).na(1, &[]).with(RAPID, &[]));
        assert_eq!(seen.ias[0].times, expected, "{preferred} {t1:?} {t2:?}");
        assert_eq!((seen.leases()[0].1, seen.leases()[0].2), lifetimes);
        assert_eq!(rig.server.poll_at().is_none(), valid == EVER);
    }
}

// MUST RFC 9818 §5.1: a prefix is not delegated for longer than it may be used itself
#[test]
fn leases_never_outlive_their_prefix() {
    let until = |seconds| Until::At(START.after_secs(seconds));
    let mut rig = Rig::new(config_with(|link| {
        link.subnets[0].lifetimes = Lifetimes::new(until(50), until(70));
        link.pools[0].lifetimes = Lifetimes::new(until(400), until(700));
    }));
    let seen = rig.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]).with(RAPID, &[]));
    let lifetimes: Vec<(u32, u32)> =
        seen.leases().into_iter().map(|(_, preferred, valid)| (preferred, valid)).collect();
    assert_eq!(lifetimes, [(50, 70), (400, 700)]);
    assert_eq!(seen.ias[0].times, (25, 40));
    rig.pass(70);
    assert_eq!(rig.bindings().len(), 1);
    // nothing new comes out of a prefix that is over
    let seen = rig.ask(msg(Solicit, 2).na(1, &[]).pd(1, &[]));
    assert_eq!((seen.ias[0].status, seen.ias[1].status), (Some(status::NO_ADDRS_AVAIL), None));
}

#[test]
fn a_lease_comes_out_of_every_subnet_and_every_pool() {
    let mut rig = Rig::new(config_with(|link| {
        link.subnets.push(subnet("fd00:1:2:1::/64"));
        link.pools.push(pool("fd00:1:2::/48", &["fd00:1:2:1::/64"]));
    }));
    let seen = rig.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]).with(RAPID, &[]));
    assert_eq!((seen.ias[0].leases.len(), seen.ias[1].leases.len()), (2, 2));
    let [one, two, three, four] = seen.good().try_into().unwrap();
    assert!(p("2001:db8:0:1::/64").contains(a(&one)) && p("fd00:1:2:1::/64").contains(a(&two)));
    assert!(p("2001:db8::/48").covers(&p(&three)) && p("fd00:1:2::/48").covers(&p(&four)));
    // the same place in each
    assert_eq!(p("2001:db8::/48").index_of(&p(&three)), p("fd00:1:2::/48").index_of(&p(&four)));
}

#[test]
fn hints_are_honoured_when_they_are_free_and_ours() {
    let mut rig = Rig::new(config());
    let given = rig.ask(msg(Solicit, 1).na(1, &["2001:db8:0:1::1234"]).pd(1, &["2001:db8:0:40::/60"]).with(RAPID, &[]));
    assert_eq!(given.good(), ["2001:db8:0:1::1234", "2001:db8:0:40::/60"]);
    // taken, outside, the router's own, out of range, a LAN's, too short a prefix
    for (address, prefix) in [
        ("2001:db8:0:1::1234", "2001:db8:0:4f::/64"),
        ("2001:db8:0:9::1234", "2001:db9::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1::fff", "2001:db8::/60"),
        ("2001:db8:0:1:ffff::", "2001:db8::/48"),
        ("fe80::1", "2001:db8:0:80::/72"),
    ] {
        let other = rig.ask(msg(Solicit, 2).na(1, &[address]).pd(1, &[prefix]));
        let [got_address, got_prefix] = other.good().try_into().unwrap();
        assert!(got_address != address && got_prefix != prefix, "{got_address} {got_prefix}");
        assert!(!p("2001:db8:0:40::/60").covers(&p(&got_prefix)));
    }
}

#[test]
fn the_same_client_gets_the_same_again_even_when_the_binding_was_lost() {
    let mut rig = Rig::new(config());
    let before = bind(&mut rig, 1);
    assert_eq!(bind(&mut rig, 1), before);
    rig.pass(10_000);
    assert_eq!(rig.bindings(), vec![]);
    assert_eq!(bind(&mut rig, 1), before);
    let mut lost = Rig::new(config());
    bind(&mut lost, 2);
    assert_eq!(bind(&mut lost, 1), before);
    // another router chooses otherwise
    let mut other = Rig::new(Config { duid: Some("000400".parse().unwrap()), ..config() });
    let elsewhere = other.ask(msg(Solicit, 1).na(1, &[]).pd(1, &[]));
    assert_ne!(elsewhere.good(), before);
}

#[test]
fn identity_associations_of_one_client_are_apart() {
    let mut rig = Rig::new(config());
    let seen = rig.ask(msg(Solicit, 1).na(1, &[]).na(2, &[]).pd(1, &[]).pd(2, &[]).na(1, &[]).with(RAPID, &[]));
    let mut good = seen.good();
    assert_eq!((good.len(), seen.ias.len()), (4, 4));
    good.sort();
    good.dedup();
    assert_eq!(good.len(), 4);
    let again = rig.ask(msg(Solicit, 1).pd(2, &[]).na(2, &[]));
    assert_eq!(again.good(), [seen.ias[3].leases[0].0.clone(), seen.ias[1].leases[0].0.clone()]);
}

// MUST RFC 9915 §13.1: no address has a reserved interface identifier (RFC 5453)
#[test]
fn reserved_interface_identifiers_are_given_to_nobody() {
    for (low, high, only) in [
        (0, 2, "2001:db8:0:1::2"),
        (0xfdff_ffff_ffff_ff7f, 0xfdff_ffff_ffff_ffff, "2001:db8:0:1:fdff:ffff:ffff:ff7f"),
        (0x0200_5eff_fe00_0000, 0x0200_5eff_ff00_0000, "2001:db8:0:1:200:5eff:ff00:0"),
    ] {
        let mut rig = Rig::new(config_with(|link| link.options.range = (low, high)));
        assert_eq!(rig.ask(msg(Solicit, 1).na(1, &["2001:db8:0:1::"]).with(RAPID, &[])).lease(), only);
        assert_eq!(rig.ask(msg(Solicit, 2).na(1, &[])).ias[0].status, Some(status::NO_ADDRS_AVAIL));
    }
}

// MUST RFC 9915 §18.3.4: an address of a Renew that doesn't fit the link is returned with lifetimes of 0
// MUST RFC 9915 §18.3.4: a prefix of a Renew that doesn't fit is returned with lifetimes of 0
// MUST RFC 9915 §18.3.5: leases of a Rebind that don't fit the link are returned with lifetimes of 0
#[test]
fn what_is_stale_gets_lifetimes_of_0_and_a_fresh_one_beside_it() {
    for kind in [Renew, Rebind] {
        let mut rig = Rig::new(config());
        let [address, prefix] = bind(&mut rig, 1);
        rig.reconfigure(config_with(|link| {
            link.subnets = vec![subnet("2001:db8:7:1::/64")];
            link.pools = vec![pool("2001:db8:7::/48", &[])];
        }));
        // the guests' pool is still the old one, so the route stays until the client knows
        assert_eq!(rig.routes.len(), 1);
        let asked = msg(kind, 1).na(1, &[&address]).pd(1, &[&prefix]);
        let seen = rig.ask(if kind == Renew { asked.for_us() } else { asked });
        assert_eq!(seen.ias[0].leases[1], (address.clone(), 0, 0));
        assert_eq!(seen.ias[1].leases[1], (prefix.clone(), 0, 0));
        let [new_address, new_prefix] = seen.good().try_into().unwrap();
        assert!(p("2001:db8:7:1::/64").contains(a(&new_address)) && p("2001:db8:7::/48").covers(&p(&new_prefix)));
        assert_eq!(rig.bindings().len(), 2);
        assert_eq!(rig.routes.keys().map(Prefix::to_string).collect::<Vec<_>>(), [new_prefix]);
    }
}

#[test]
fn a_deprecated_prefix_is_stale_too() {
    let mut rig = Rig::new(config());
    let [address, prefix] = bind(&mut rig, 1);
    let over = Lifetimes::new(Until::At(START), Until::At(START.after_secs(5000)));
    let mut config = config();
    for link in config.links.values_mut() {
        link.subnets[0].lifetimes = over;
        link.pools[0].lifetimes = over;
    }
    rig.reconfigure(config);
    let seen = rig.ask(msg(Renew, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!(seen.leases(), [(address, 0, 0), (prefix, 0, 0)]);
    assert_eq!((seen.ias[0].times, seen.ias[0].status), ((0, 0), None));
    assert_eq!((rig.bindings(), rig.routes.len()), (vec![], 0));
}

// MUST RFC 9915 §18.3.4: an IA of a Renew that we don't know is bound anew, or returned with a status
#[test]
fn a_renew_of_a_lost_binding_is_accepted_when_it_is_free() {
    for kind in [Renew, Rebind] {
        let mut rig = Rig::new(config());
        let [address, prefix] = bind(&mut rig, 1);
        let mut lost = Rig::new(config());
        let us = |msg: Msg| if kind == Renew { msg.for_us() } else { msg };
        let seen = lost.ask(us(msg(kind, 1).na(1, &[&address]).pd(1, &[&prefix])));
        assert_eq!(seen.good(), [address.clone(), prefix.clone()]);
        assert!(seen.commits);
        assert_eq!((lost.bindings(), lost.routes), (rig.bindings(), rig.routes));
        // but somebody else's it is not
        let mut other = Rig::new(config());
        other.ask(msg(Request, 2).for_us().na(1, &[&address]).pd(1, &[&prefix]));
        let seen = other.ask(us(msg(kind, 1).na(1, &[&address]).pd(1, &[&prefix])));
        assert_eq!(seen.leases().into_iter().filter(|(_, _, valid)| *valid == 0).count(), 2);
        assert_eq!(seen.good().len(), 2);
        assert!(!seen.good().contains(&address) && !seen.good().contains(&prefix));
    }
}

// MUST RFC 9915 §18.3.5: a Rebind that gives nothing and withdraws nothing gets a status per IA, or no answer
#[test]
fn a_rebind_makes_new_bindings_only_where_rapid_commit_is_on() {
    let off = || config_with(|link| link.options.rapid_commit = false);
    let mut rig = Rig::new(off());
    let seen = rig.ask(msg(Rebind, 1).na(1, &[]).pd(1, &[]));
    let statuses: Vec<Option<u16>> = seen.ias.iter().map(|ia| ia.status).collect();
    assert_eq!(statuses, [Some(status::NO_BINDING); 2]);
    assert!(!seen.commits);
    // what it lists and we could have given is taken up, what we couldn't is withdrawn
    let seen = rig.ask(msg(Rebind, 1).na(1, &["2001:db8:0:1::1234"]).pd(1, &["2001:db8:7::/64"]));
    assert_eq!(seen.leases(), [("2001:db8:0:1::1234".into(), 600, 1200), ("2001:db8:7::/64".into(), 0, 0)]);
    let mut rig = Rig::new(config());
    assert_eq!(rig.ask(msg(Rebind, 1).na(1, &[]).pd(1, &[])).good().len(), 2);
}

#[test]
fn a_client_that_moves_takes_its_prefix_along_but_not_its_address() {
    let mut rig = Rig::new(config());
    let [address, prefix] = bind(&mut rig, 1);
    let moved = Msg { source: a("fe80::beef"), ..msg(Rebind, 1).on(GUEST).na(1, &[&address]).pd(1, &[&prefix]) };
    let seen = rig.ask(moved);
    assert_eq!(seen.ias[0].leases[1], (address, 0, 0));
    assert_eq!(seen.ias[1].leases, [(prefix.clone(), 600, 1200)]);
    assert_eq!(rig.routes[&p(&prefix)], crate::plan::Delegation { link: GUEST, via: a("fe80::beef") });
    assert_eq!(rig.bindings().len(), 2);
    assert!(rig.bindings().iter().all(|binding| &*binding.lan == "guest"));
}

#[test]
fn the_preference_is_advertised_when_it_is_set() {
    let offer = Rig::new(config()).ask(msg(Solicit, 1).na(1, &[]));
    assert_eq!(offer.get(option::PREFERENCE), None);
    let mut rig = Rig::new(config_with(|link| link.options.preference = 255));
    assert_eq!(rig.ask(msg(Solicit, 1).na(1, &[])).get(option::PREFERENCE), Some(&[255][..]));
    assert_eq!(rig.ask(msg(Request, 1).na(1, &[]).for_us()).get(option::PREFERENCE), None);
}

#[test]
fn a_message_without_identity_associations_gets_the_options_alone() {
    let mut rig = Rig::new(config());
    for kind in [Solicit, Request, Renew, Rebind] {
        let asked = msg(kind, 1).asks(&[option::DNS_SERVERS]);
        let seen = rig.ask(if matches!(kind, Request | Renew) { asked.for_us() } else { asked });
        assert_eq!((seen.ias.len(), seen.commits), (0, false));
        assert!(seen.get(option::DNS_SERVERS).is_some());
    }
}

/// As recorded from OpenWrt's odhcp6c.
#[test]
fn what_odhcp6c_sends_is_understood() {
    let solicit = "0187d98b000800020000000600120015001600170018001f0038004300670052000\
        1000a00030001b6a9f6eb8579001400000027000900066f7772747037000003000c6c448c9d000000000000000000190029000000010000\
        000000000000001a001900000000000000003e00000000000000000000000000000000";
    let bytes: Vec<u8> = solicit
        .as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect();
    let mut rig = Rig::new(config_with(|link| link.options.sol_max_rt = Some(60)));
    rig.deliver(&msg(Solicit, 1), &bytes);
    let [action @ Action::Send { bytes, .. }] = rig.out.as_slice() else { panic!("{:?}", rig.out) };
    let seen = Seen::parse(bytes, action);
    assert_eq!((seen.kind, seen.xid), (Advertise, 0x0087_d98b));
    assert_eq!(seen.ias.iter().map(|ia| (ia.code, ia.iaid)).collect::<Vec<_>>(), [(3, 0x6c44_8c9d), (25, 1)]);
    assert!(seen.good()[1].ends_with("/62"));
    for code in [option::DNS_SERVERS, option::DOMAIN_LIST, option::SOL_MAX_RT] {
        assert!(seen.get(code).is_some());
    }
}

// UNTESTED RFC 9915 §21.5: IA_TA. Reason: obsolete; ignored as any option we don't know

//! Confirm, Release and Decline: RFC 9915 §18.3.3, §18.3.7, §18.3.8.

use super::*;
use crate::net::Until;
use MessageType::*;

fn bind(rig: &mut Rig, number: u16) -> [String; 2] {
    let asked = msg(Solicit, number).na(1, &[]).pd(1, &[]).with(option::RAPID_COMMIT, &[]);
    rig.ask(asked).good().try_into().unwrap()
}

// MUST RFC 9915 §18.3.3: a Confirm whose addresses all fit the link is answered with Success, else with NotOnLink
#[test]
fn confirm_says_whether_addresses_fit_the_link() {
    let mut rig = Rig::new(config());
    for (listed, status) in [
        (&["2001:db8:0:1::1234"][..], status::SUCCESS),
        // nobody asks whether we gave it
        (&["2001:db8:0:1:1:2:3:4", "2001:db8:0:1::9"], status::SUCCESS),
        (&["2001:db8:0:2::1234"], status::NOT_ON_LINK),
        (&["2001:db8:0:1::1234", "2001:db8:0:2::1234"], status::NOT_ON_LINK),
        (&["fe80::1"], status::NOT_ON_LINK),
    ] {
        let seen = rig.ask(msg(Confirm, 1).na(1, &[]).na(2, listed));
        assert_eq!((seen.kind, seen.status(), seen.ias.len()), (Reply, Some(status), 0), "{listed:?}");
        assert!(!seen.commits);
    }
    let over = config_with(|link| link.subnets[0].lifetimes = Lifetimes::new(Until::At(START), Until::At(START)));
    rig.reconfigure(over);
    assert_eq!(rig.ask(msg(Confirm, 1).na(1, &["2001:db8:0:1::1234"])).status(), Some(status::NOT_ON_LINK));
}

// MUST NOT RFC 9915 §18.3.3: a Confirm without addresses gets no Reply
// MUST NOT RFC 9915 §18.3.3: a Confirm gets no Reply when we don't know the prefixes of the link
#[test]
fn confirm_is_not_answered_when_nothing_can_be_said() {
    let mut rig = Rig::new(config());
    for asked in [msg(Confirm, 1), msg(Confirm, 1).na(1, &[]), msg(Confirm, 1).pd(1, &["2001:db8:0:4::/64"])] {
        assert_eq!(rig.dropped(asked), "nothing to confirm");
    }
    let mut rig = Rig::new(config_with(|link| link.subnets.clear()));
    assert_eq!(rig.dropped(msg(Confirm, 1).na(1, &["2001:db8:0:1::1234"])), "nothing to confirm");
}

// MUST RFC 9915 §18.3.7: a Reply to a Release has status Success, and NoBinding in each IA that we don't know
#[test]
fn release_frees_what_the_client_has_and_nothing_else() {
    let mut rig = Rig::new(config());
    let [address, prefix] = bind(&mut rig, 1);
    let [other, other_prefix] = bind(&mut rig, 2);
    // an unknown identity association, and another client's leases in a known one
    let seen = rig.ask(msg(Release, 1).for_us().na(9, &[&address]).na(1, &[&other]).pd(1, &[&other_prefix]));
    assert_eq!((seen.kind, seen.status()), (Reply, Some(status::SUCCESS)));
    let unknown =
        SeenIa { code: option::IA_NA, iaid: 9, times: (0, 0), leases: vec![], status: Some(status::NO_BINDING) };
    assert_eq!(seen.ias, [unknown]);
    assert!(!seen.commits);
    assert_eq!((rig.bindings().len(), rig.routes.len()), (4, 2));

    let seen = rig.ask(msg(Release, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((seen.status(), seen.ias.len(), seen.commits), (Some(status::SUCCESS), 0, true));
    assert_eq!((rig.bindings().len(), rig.routes.len(), rig.journal.len()), (2, 1, 2));
    // the Reply was lost
    let again = rig.ask(msg(Release, 1).for_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((again.status(), again.ias.len()), (Some(status::SUCCESS), 2));
    assert!(again.ias.iter().all(|ia| ia.status == Some(status::NO_BINDING)));
}

// MUST RFC 9915 §18.3.8: a Reply to a Decline has status Success, and NoBinding in each IA that we don't know
// MUST RFC 9915 §18.3.8: a declined address is not given to other clients
#[test]
fn a_declined_address_is_kept_from_everybody_for_a_day() {
    // room for two
    let mut rig = Rig::new(config_with(|link| link.options.range = (0x1000, 0x1001)));
    let [address, prefix] = bind(&mut rig, 1);
    let seen = rig.ask(msg(Decline, 1).for_us().na(1, &[&address]).na(9, &[&address]).pd(1, &[&prefix]));
    assert_eq!((seen.kind, seen.status(), seen.commits), (Reply, Some(status::SUCCESS), true));
    // prefixes can't be declined
    assert_eq!(seen.ias.iter().map(|ia| (ia.iaid, ia.status)).collect::<Vec<_>>(), [(9, Some(status::NO_BINDING))]);
    assert_eq!(rig.server.status(rig.now).bindings, Counts { prefixes: 1, declined: 1, ..Counts::default() });
    let declined = rig.server.bindings().find(|binding| binding.state == State::Declined).unwrap().clone();
    assert_eq!(declined.resource, Resource::Address(a(&address)));
    assert_eq!(rig.journal[&declined.resource], declined);

    let next = rig.ask(msg(Renew, 1).for_us().na(1, &[&address]));
    assert_eq!(next.leases()[1], (address.clone(), 0, 0));
    assert_ne!(next.lease(), address);
    for number in 2..5 {
        let none = rig.ask(msg(Solicit, number).na(1, &[&address]));
        assert_eq!(none.ias[0].status, Some(status::NO_ADDRS_AVAIL));
    }
    let now = rig.now;
    rig.restart(config_with(|link| link.options.range = (0x1000, 0x1001)));
    rig.now = now;
    rig.pass(86_399);
    assert_eq!(rig.server.status(rig.now).bindings.declined, 1);
    rig.pass(1);
    assert_eq!(rig.server.status(rig.now).bindings.declined, 0);
    assert_eq!(rig.ask(msg(Solicit, 1).na(1, &[&address])).lease(), address);
}

#[test]
fn nobody_declines_what_is_not_theirs() {
    let mut rig = Rig::new(config());
    let [address, _] = bind(&mut rig, 1);
    let before = rig.bindings();
    let seen = rig.ask(msg(Decline, 2).for_us().na(1, &[&address]));
    assert_eq!(seen.ias[0].status, Some(status::NO_BINDING));
    assert_eq!(rig.bindings(), before);
    // a client that has something, but not this
    bind(&mut rig, 2);
    let before = rig.bindings();
    rig.ask(msg(Decline, 2).for_us().na(1, &[&address]));
    rig.ask(msg(Decline, 1).for_us().na(1, &["2001:db8:0:1::1"]));
    assert_eq!(rig.bindings(), before);
}

use super::*;

#[test]
fn four_messages_give_an_address_and_a_prefix() {
    let mut rig = Rig::new(config());
    let offer = rig.ask(msg(MessageType::Solicit, 1).na(1, &[]).pd(1, &[]));
    assert_eq!(offer.kind, MessageType::Advertise);
    assert_eq!(rig.bindings(), vec![]);
    assert!(!offer.commits);
    let [address, prefix] = offer.good().try_into().unwrap();
    assert!(p("2001:db8:0:1::/64").contains(a(&address)), "{address}");
    assert!(p("2001:db8::/48").covers(&p(&prefix)) && prefix.ends_with("/64"), "{prefix}");

    let reply = rig.ask(msg(MessageType::Request, 1).to_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((reply.kind, reply.good()), (MessageType::Reply, vec![address.clone(), prefix.clone()]));
    assert!(reply.commits);
    assert_eq!(reply.ias[0].times, (300, 480));
    assert_eq!(reply.leases()[0], (address.clone(), 600, 1200));
    assert_eq!(rig.bindings().len(), 2);
    assert_eq!(rig.routes[&p(&prefix)], crate::plan::Delegation { link: HOME, via: a("fe80::101") });

    rig.pass(300);
    let renewed = rig.ask(msg(MessageType::Renew, 1).to_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!(renewed.good(), vec![address.clone(), prefix.clone()]);
    rig.pass(1000);
    assert_eq!(rig.bindings().len(), 2);

    let released = rig.ask(msg(MessageType::Release, 1).to_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!((released.status(), released.ias), (Some(status::SUCCESS), vec![]));
    assert_eq!(rig.bindings(), vec![]);
    assert!(rig.routes.is_empty());
}

#[test]
fn what_is_not_renewed_ends() {
    let mut rig = Rig::new(config());
    rig.ask(msg(MessageType::Solicit, 1).na(1, &[]).pd(1, &[]).with(option::RAPID_COMMIT, &[]));
    assert_eq!(rig.bindings().len(), 2);
    assert_eq!(rig.server.poll_at(), Some((START.after_secs(1200), "a lease ends")));
    rig.pass(1199);
    assert_eq!((rig.bindings().len(), rig.routes.len()), (2, 1));
    rig.pass(1);
    assert_eq!((rig.bindings().len(), rig.routes.len()), (0, 0));
    assert_eq!(rig.journal, BTreeMap::new());
    assert_eq!(rig.server.poll_at(), None);
}

#[test]
fn bindings_come_back_after_a_restart() {
    let mut rig = Rig::new(config());
    let reply = rig.ask(msg(MessageType::Solicit, 1).na(1, &[]).pd(1, &[]).with(option::RAPID_COMMIT, &[]));
    let routes = rig.routes.clone();
    rig.restart(config());
    assert_eq!(rig.routes, routes);
    let [address, prefix] = reply.good().try_into().unwrap();
    let renewed = rig.ask(msg(MessageType::Renew, 1).to_us().na(1, &[&address]).pd(1, &[&prefix]));
    assert_eq!(renewed.good(), reply.good());
}

//! What LANs get of an uplink that delegates nothing.

use super::*;
use crate::plan::{Shared, Uplink};
use crate::proto::uplink::Role;

const ROUTER: &str = "2001:db8:5:5::abcd";
const HOST: &str = "2001:db8:5:5::10";

/// An uplink with a /64 on its link, shared or not.
fn uplink(world: &mut World, role: Role, shared: Option<Shared>) -> u32 {
    let link = world.kernel.actual().link_named("wan").map(|(link, _)| link);
    let link = link.unwrap_or_else(|| world.kernel.add_link("wan", None));
    let proxied = matches!(shared, Some(Shared::Proxy { .. }));
    let uplink = Uplink {
        device: "wan".into(),
        link: Some(link),
        make: None,
        role,
        on_link: vec![],
        next_hop: Some(RouteTarget::Via { link, gateway: a("fe80::1") }),
        addresses: vec![(a(ROUTER), if proxied { 128 } else { 64 }, Lifetimes::FOREVER)],
        prefixes: proxied.then(|| (p("2001:db8:5:5::/64"), Lifetimes::FOREVER)).into_iter().collect(),
        lans: None,
        mtu: None,
        deaf: true,
        shared,
    };
    world.facts.uplinks.insert("a".to_owned(), uplink);
    link
}

fn proxy(lan: &str) -> Option<Shared> {
    let (lan, prefix, router) = (lan.to_owned(), p("2001:db8:5:5::/64"), a(ROUTER));
    Some(Shared::Proxy { lan, prefix, router, hosts: vec![a(HOST)] })
}

#[test]
fn a_shared_64_is_one_lans_and_the_router_has_one_address_on_both_links() {
    let mut world = World::new(&["guests", "home"]);
    let link = uplink(&mut world, Role::Active, proxy("home"));
    let plan = world.plan();
    assert!(live(&plan, "home").contains(&"2001:db8:5:5::/64".to_owned()));
    assert!(!live(&plan, "guests").contains(&"2001:db8:5:5::/64".to_owned()));
    let lengths = [(world.link("home"), 64), (link, 128)];
    for (link, expected) in lengths {
        let address = plan.objects.get(&Key::Address { link, addr: a(ROUTER) });
        assert!(matches!(address, Some(Value::Address { len, .. }) if *len == expected), "{address:?}");
    }
    assert!(world.kernel.actual().proxies.contains(&(link, a(HOST))));
    assert_eq!(world.kernel.actual().sysctls["net.ipv6.conf.wan.proxy_ndp"], "1");
    assert!(plan.dhcp6.links.values().all(|link| link.pools.iter().all(|pool| pool.prefix.len() < 64)));
    assert!(plan.problems.is_empty(), "{:?}", plan.problems);
    let Some(Value::Guard(guard)) = plan.objects.get(&Key::Guard) else { panic!("no guard") };
    assert!(guard.inside.iter().all(|inside| !inside.overlaps(&p("2001:db8:5:5::/64"))), "its hosts are on both sides");
    assert_eq!(diff(&plan.objects, &world.kernel.read().unwrap()), [], "nothing is left to do");
}

#[test]
fn what_is_shared_no_more_is_answered_for_no_more() {
    let mut world = World::new(&["home"]);
    let link = uplink(&mut world, Role::Active, proxy("home"));
    world.plan();
    world.kernel.set_carrier(link, false);
    world.plan();
    assert!(world.kernel.actual().proxies.is_empty(), "the kernel forgets them itself");
    world.kernel.set_carrier(link, true);
    world.plan();
    assert_eq!(world.kernel.actual().proxies.len(), 1);
    uplink(&mut world, Role::Active, None);
    world.plan();
    assert!(world.kernel.actual().proxies.is_empty());
}

// UNTESTED RFC 7084 §4.3: (ULA-5) no default router for unique local addresses alone. Reason: `share nat` breaks it by the owner's
// explicit wish, since these addresses are translated and do lead out; without `share nat` it is kept, see this test
#[test]
fn translated_hosts_are_told_of_a_default_router_and_others_are_not() {
    for (shared, role, lifetime) in
        [(Some(Shared::Nat), Role::Active, 1800), (Some(Shared::Nat), Role::Standby, 0), (None, Role::Active, 0)]
    {
        let mut world = World::new(&["home"]);
        let translated = shared.is_some() && role == Role::Active;
        let link = uplink(&mut world, role, shared);
        let plan = world.plan();
        assert_eq!(told(&plan, "home").router_lifetime, 0, "no address is ready to translate to");
        world.sleep(2);
        world.plan();
        let plan = world.plan();
        assert_eq!(told(&plan, "home").router_lifetime, lifetime);
        let lan = p(&live(&plan, "home")[0]);
        let route = plan.objects.iter().find(|(key, _)| matches!(key, Key::Route { src, .. } if *src == lan));
        assert_eq!(route.is_some(), translated);
        let Some(Value::Guard(guard)) = plan.objects.get(&Key::Guard) else { panic!("no guard") };
        let inside: Vec<Prefix> = guard.translations.iter().map(|one| one.inside).collect();
        assert_eq!(inside, if translated { vec![lan] } else { vec![] });
        assert!(plan.objects.keys().all(|key| !matches!(key, Key::Proxy { .. })), "{link}");
    }
}

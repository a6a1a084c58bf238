//! What uplinks give, and where packets go.

use super::*;
use crate::plan::Uplink;
use crate::proto::uplink::Role;

/// An uplink on a device of its own that gives `prefix`.
fn uplink(world: &mut World, name: &str, prefix: &str, role: Role) -> u32 {
    let link = world.kernel.actual().link_named(&format!("eth-{name}")).map(|(link, _)| link);
    let link = link.unwrap_or_else(|| world.kernel.add_link(&format!("eth-{name}"), None));
    let own = a(&format!("{}1", prefix.split('/').next().unwrap()));
    let uplink = Uplink {
        device: format!("eth-{name}"),
        link: Some(link),
        make: None,
        role,
        on_link: vec![],
        next_hop: Some(RouteTarget::Via { link, gateway: a("fe80::1") }),
        addresses: vec![(own, 128, Lifetimes::FOREVER)],
        prefixes: vec![(p(prefix), Lifetimes::FOREVER)],
        lans: None,
        mtu: None,
        deaf: true,
        shared: None,
    };
    world.facts.uplinks.insert(name.to_owned(), uplink);
    link
}

/// The routes that lead out: `source > device`.
fn ways_out(world: &World) -> Vec<String> {
    let actual = world.kernel.actual();
    let ours = actual.routes.iter().filter(|(_, route)| route.tag == Tag::Ours);
    let out = ours.filter_map(|(key, route)| match (key, route.target.link()) {
        (Key::Route { dst, src, .. }, Some(link)) if *dst == Prefix::ALL => {
            Some(format!("{src} > {}", actual.links[&link].name))
        }
        _ => None,
    });
    out.collect()
}

/// Prefixes of a LAN that hosts may begin connections from.
fn preferred(plan: &Desired, lan: &str, now: Instant) -> Vec<String> {
    let told = told(plan, lan).prefixes.iter();
    let preferred = told.filter(|info| info.max_preferred > 0 && !info.lifetimes.preferred.is_over(now));
    preferred.map(|info| info.prefix.to_string()).collect()
}

#[test]
fn packets_leave_by_the_uplink_that_their_source_comes_from() {
    let mut world = World::new(&["home"]);
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    world.plan();
    let expected = [
        "2001:db8:a::/48 > eth-a",
        "2001:db8:a::1/128 > eth-a",
        "2001:db8:b::/48 > eth-b",
        "2001:db8:b::1/128 > eth-b",
    ];
    assert_eq!(ways_out(&world), expected);
    let plan = world.plan();
    assert_eq!(told(&plan, "home").router_lifetime, 1800);
    assert_eq!(preferred(&plan, "home", world.now).len(), 3, "both, and the ULA");
    assert_eq!(diff(&plan.objects, &world.kernel.read().unwrap()), [], "nothing is left to do");
}

// MUST RFC 7084 §4.3 ULA-4: packets to unique local addresses take no default route, unless the owner has such an uplink
#[test]
fn unique_local_destinations_that_no_route_leads_to_are_nowhere() {
    let mut world = World::new(&["home"]);
    let nowhere = |plan: &Desired| {
        let unreachable = plan.objects.iter().filter(|(_, value)| **value == Value::Route(RouteTarget::Unreachable));
        unreachable.filter(|(key, _)| matches!(key, Key::Route { dst, .. } if *dst == p("fc00::/7"))).count()
    };
    assert_eq!(nowhere(&world.plan()), 0, "without uplinks it is none of our business");
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    assert_eq!(nowhere(&world.plan()), 1);
    uplink(&mut world, "b", "fd12:3456:789a::/48", Role::Standby);
    assert_eq!(nowhere(&world.plan()), 0, "a tunnel to another site, say");
}

#[test]
fn an_uplink_that_stands_by_is_on_the_lan_but_deprecated() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Standby);
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), ["2001:db8:a::/64", "2001:db8:b::/64"]);
    assert_eq!(preferred(&plan, "home", world.now), ["2001:db8:a::/64"]);
    assert_eq!(ways_out(&world).len(), 4);
    // it takes over: the same addresses, the other way round
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Standby);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), ["2001:db8:a::/64", "2001:db8:b::/64"]);
    assert_eq!(preferred(&plan, "home", world.now), ["2001:db8:b::/64"]);
    let plan = world.plan();
    assert_eq!(diff(&plan.objects, &world.kernel.read().unwrap()), [], "deprecated is deprecated");
}

// MUST RFC 9096 §3.5: a prefix that is gone is announced with lifetimes of 0 when the uplink that gave it died
// MUST RFC 7084 §4.3 L-13: a prefix that the uplink gives no more is announced with a preferred lifetime of 0 at once
#[test]
fn a_dead_uplink_leaves_nothing_that_a_host_could_use() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Standby);
    world.plan();
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Out);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    let plan = world.plan();
    assert_eq!(dead(&plan, "home"), ["2001:db8:a::/64"]);
    assert_eq!(preferred(&plan, "home", world.now), ["2001:db8:b::/64"]);
    // its own address keeps its way, so that it can be found alive again
    let expected = ["2001:db8:a::1/128 > eth-a", "2001:db8:b::/48 > eth-b", "2001:db8:b::1/128 > eth-b"];
    assert_eq!(ways_out(&world), expected);
    // what is left alone leads nowhere: no default router by it
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Out);
    world.plan();
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
}

#[test]
fn hosts_are_told_the_smallest_mtu_of_the_uplinks_in_use() {
    let mut world = World::new(&["home"]);
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    assert_eq!(told(&world.plan(), "home").mtu, None);
    for (name, mtu) in [("a", 1480), ("b", 1420)] {
        world.facts.uplinks.get_mut(name).unwrap().mtu = Some(mtu);
    }
    assert_eq!(told(&world.plan(), "home").mtu, Some(1420));
    world.facts.uplinks.get_mut("b").unwrap().role = Role::Standby;
    assert_eq!(told(&world.plan(), "home").mtu, Some(1480));
    world.ra("home").mtu = Some(1300);
    assert_eq!(told(&world.plan(), "home").mtu, Some(1300), "the administrator knows better");
}

#[test]
fn an_uplink_that_goes_leaves_no_object_of_ours() {
    let mut world = World::new(&["home"]);
    let link = uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    world.plan();
    assert_eq!(addresses(&world.kernel, link), ["2001:db8:a::1"]);
    world.facts.uplinks.remove("a");
    world.plan();
    assert_eq!(addresses(&world.kernel, link), [""; 0]);
    assert_eq!(ways_out(&world), [""; 0]);
}

fn guard_of(plan: &Desired) -> &guard::Guard {
    let Some(Value::Guard(guard)) = plan.objects.get(&Key::Guard) else { panic!("no guard") };
    guard
}

#[test]
fn uplinks_are_guarded_against_and_what_may_leave_by_each_is_known() {
    let mut world = World::new(&["home"]);
    assert_eq!(world.plan().objects.get(&Key::Guard), None);
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Out);
    let plan = world.plan();
    let guard = guard_of(&plan);
    assert_eq!(guard.lans, ["br-home".to_owned()].into());
    assert_eq!(guard.uplinks, ["eth-a".to_owned(), "eth-b".to_owned()].into());
    assert_eq!(guard.paths, [("eth-a".to_owned(), p("2001:db8:a::/48"))].into());
    assert_eq!(guard.inside, [p("2001:db8:a::/64"), p(SITE)].into());
    assert_eq!(diff(&plan.objects, &world.kernel.read().unwrap()), [], "nothing is left to do");
}

#[test]
fn a_64_that_is_on_the_uplinks_own_link_too_is_not_inside_only() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    uplink(&mut world, "a", "2001:db8:a::/64", Role::Active);
    world.facts.uplinks.get_mut("a").unwrap().addresses[0].1 = 64;
    assert!(guard_of(&world.plan()).inside.is_empty());
}

#[test]
fn a_64_that_is_gone_stays_on_the_link_so_that_hosts_can_be_told() {
    let mut world = World::new(&["home"]);
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    let before = world.plan();
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Out);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    let plan = world.plan();
    assert_eq!(guard::no_longer_live(&before.objects, &plan.objects), [p("2001:db8:a::/48")]);
    let on_link = Key::Route { table: 254, dst: p("2001:db8:a::/64"), src: Prefix::ALL, metric: 1024 };
    let home = world.kernel.actual().link_named("br-home").unwrap().0;
    assert_eq!(plan.objects.get(&on_link), Some(&Value::Route(RouteTarget::OnLink { link: home })));
    // until no host can have an address of it any more
    world.sleep(3 * 3600);
    let plan = world.plan();
    assert_eq!(plan.objects.get(&on_link), None);
    assert_eq!(guard::no_longer_live(&plan.objects, &plan.objects), []);
}

#[test]
fn pinholes_follow_from_uplink_to_uplink() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    let text = "config pinhole\n option host_id '::53'\n option lan 'it'\nconfig lan 'it'\n option device 'br-home'\n";
    world.config.pinholes = crate::config::read(text.as_bytes()).config.unwrap().pinholes;
    let crate::config::PinholeHost::Id { lan, .. } = &mut world.config.pinholes[0].host else {
        panic!("no identifier")
    };
    "home".clone_into(lan);
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Active);
    let before = guard_of(&world.plan()).clone();
    assert_eq!(before.hosts["id_home_53"], [a("2001:db8:a::53")].into());
    uplink(&mut world, "a", "2001:db8:a::/48", Role::Out);
    uplink(&mut world, "b", "2001:db8:b::/48", Role::Active);
    let after = guard_of(&world.plan()).clone();
    assert_eq!(after.hosts["id_home_53"], [a("2001:db8:b::53")].into());
    assert_eq!(after.holes, before.holes);
}

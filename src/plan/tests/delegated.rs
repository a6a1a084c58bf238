//! Delegation, routes, and addresses in the kernel.

use super::*;

// MUST RFC 7084 §4.2 WPD-5: packets to what is in use nowhere of our prefixes go nowhere
#[test]
fn an_unreachable_route_stands_behind_every_prefix_as_long_as_it_is_ours() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    let unreachable = |world: &World| -> Vec<String> {
        let all = world.kernel.actual().routes.iter().filter(|(_, route)| route.target == RouteTarget::Unreachable);
        all.map(|(key, _)| key.to_string()).collect()
    };
    world.plan();
    assert_eq!(unreachable(&world), ["route to 2001:db8::/56", "route to fd12:3456:789a::/48"]);
    let metrics = world.kernel.actual().routes.iter().map(|(key, route)| match key {
        Key::Route { metric, .. } => (*metric, route.target == RouteTarget::Unreachable),
        _ => panic!("{key}"),
    });
    let worst_of_the_others = metrics.clone().filter(|(_, unreachable)| !unreachable).max().unwrap();
    assert!(metrics.filter(|(_, unreachable)| *unreachable).all(|metric| metric > worst_of_the_others));
    world.take("isp");
    world.plan();
    assert_eq!(unreachable(&world), ["route to fd12:3456:789a::/48"]);
}

// UNTESTED RFC 7084 §4.2 WPD-5: an ICMPv6 Destination Unreachable is sent. Reason: the kernel does for unreachable routes
// UNTESTED RFC 7084 §4.3 L-14: code 5 for a source from an invalidated prefix. Reason: source routing comes with uplinks
// UNTESTED RFC 7084 §4.1 G-3: nothing is forwarded before a prefix is acquired. Reason: hosts have no address before
// UNTESTED RFC 9096 §3.1: DHCPv6-PD is not released on restart. Reason: there is no DHCPv6 client yet
// UNTESTED RFC 9096 §3.2: the IAID on the WAN side is stable. Reason: there is no DHCPv6 client yet
#[test]
fn forwarding_is_switched_on_for_as_long_as_there_is_a_lan() {
    let mut world = World::new(&["home"]);
    assert_eq!(world.kernel.actual().sysctls["net.ipv6.conf.all.forwarding"], "0");
    world.plan();
    assert_eq!(world.kernel.actual().sysctls["net.ipv6.conf.all.forwarding"], "1");
    let none = desired(&config(&[]), &world.facts, world.now);
    assert!(!none.objects.keys().any(|key| matches!(key, Key::Sysctl(_))));
}

#[test]
fn an_uplink_that_will_lose_its_default_route_by_forwarding_is_reported_before() {
    let mut world = World::new(&["home"]);
    world.uplink();
    world.kernel.set_sysctl("net.ipv6.conf.wan.accept_ra", "1");
    assert!(messages(&world.plan()).contains("kernel: wan ceases to listen to router advertisements"));
    assert_eq!(messages(&world.plan()), "", "now it forwards");
    world.kernel.set_sysctl("net.ipv6.conf.all.forwarding", "0");
    world.kernel.set_sysctl("net.ipv6.conf.wan.accept_ra", "2");
    assert_eq!(messages(&world.plan()), "");
}

#[test]
fn pools_are_what_the_lans_leave() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8:0:40::/60", None);
    world.give("one", "2001:db8:1::/64", None);
    world.lan("guest").enabled = false;
    let plan = world.plan();
    let pools = &plan.dhcp6.links[&world.link("home")].pools;
    let words: Vec<String> = pools.iter().map(|pool| format!("{} but {:?}", pool.prefix, pool.reserved)).collect();
    assert_eq!(
        words,
        [
            "fd12:3456:789a::/48 but [fd12:3456:789a::/64, fd12:3456:789a:1::/64, fd12:3456:789a:ffff::/64]",
            "2001:db8:0:40::/60 but [2001:db8:0:40::/64, 2001:db8:0:41::/64]",
        ],
        "a disabled LAN keeps its place, a /64 is no pool, and one /64 of the ULA is held back"
    );
    assert_eq!(plan.dhcp6.links.len(), 1);
    world.lan("home").dhcp6.as_mut().unwrap().delegation = false;
    assert_eq!(world.plan().dhcp6.links[&world.link("home")].pools, []);
    world.lan("home").dhcp6 = None;
    assert!(world.plan().dhcp6.links.is_empty());
}

#[test]
fn a_prefix_for_some_lans_is_delegated_on_those_only() {
    let mut world = World::new(&["guest", "home"]);
    world.config.ula = Ula::Off;
    world.give("isp", "2001:db8::/56", None);
    world.facts.prefixes[0].lans = Some(vec!["home".into()]);
    world.facts.prefixes[0].assign = false;
    let plan = world.plan();
    assert_eq!(plan.dhcp6.links[&world.link("guest")].pools, []);
    assert_eq!(plan.dhcp6.links[&world.link("home")].pools[0].prefix, p("2001:db8::/56"));
    assert_eq!(live(&plan, "home"), [""; 0], "it is for delegation only");
}

#[test]
fn pools_inside_pools_leave_each_other_alone() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    world.give("big", "2001:db8::/48", None);
    world.give("small", "2001:db8:0:100::/56", None);
    let plan = world.plan();
    let pools = &plan.dhcp6.links[&world.link("home")].pools;
    assert_eq!(pools[0].prefix, p("2001:db8::/48"));
    assert!(pools[0].reserved.contains(&p("2001:db8:0:100::/56")));
    assert_eq!(pools[1].prefix, p("2001:db8:0:100::/56"));
}

#[test]
fn delegated_prefixes_are_routed_to_their_routers_and_nothing_else_is() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    let to = Delegation { link: world.link("home"), via: a("fe80::9") };
    for prefix in
        ["2001:db8:0:10::/60", "2001:db8:0:20::/64", "2001:db8::/64", "2001:db8::/56", "2001:db8:1::/64", "::/0"]
    {
        world.facts.delegations.insert(p(prefix), to);
    }
    world.plan();
    let via: Vec<String> = world
        .kernel
        .actual()
        .routes
        .iter()
        .filter(|(_, route)| matches!(route.target, RouteTarget::Via { .. }))
        .map(|(key, _)| key.to_string())
        .collect();
    // odhcpd#418: not the LAN's own /64, not all of the pool, not what is not ours
    assert_eq!(via, ["route to 2001:db8:0:10::/60", "route to 2001:db8:0:20::/64"]);
    world.take("isp");
    world.plan();
    assert!(world.kernel.actual().routes.values().all(|route| !matches!(route.target, RouteTarget::Via { .. })));
}

#[test]
fn a_new_lan_takes_nothing_that_is_delegated() {
    let mut world = World::new(&["a"]);
    world.config.ula = Ula::Off;
    world.give("isp", "2001:db8::/61", None);
    world.plan();
    let to = Delegation { link: 1, via: a("fe80::9") };
    world.facts.delegations.insert(p("2001:db8::/64"), to); // stale: a LAN's place is the LAN's
    world.facts.delegations.insert(p("2001:db8:0:1::/64"), to);
    world.facts.delegations.insert(p("2001:db8:0:4::/62"), to);
    for (n, name) in ["b", "c", "d"].into_iter().enumerate() {
        world.config.lans.insert(name.into(), lan(&format!("br-{name}")));
        world.plug(name, 10 + u8::try_from(n).unwrap());
    }
    world.sleep(2);
    let plan = world.plan();
    let all: Vec<_> = ["a", "b", "c", "d"].iter().map(|lan| live(&plan, lan)).collect();
    let subnet = |n: u8| vec![if n == 0 { "2001:db8::/64".into() } else { format!("2001:db8:0:{n}::/64") }];
    assert_eq!(all, [subnet(0), subnet(2), subnet(3), vec![]]);
    assert!(messages(&plan).contains("prefix isp: 2001:db8::/61 has no /64 left for lan d"));
}

#[test]
fn the_kernel_hears_nothing_while_lifetimes_count_down() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", Some((3_000, 6_000)));
    world.give("long", "2001:db8:1::/56", Some((3_000_000, 6_000_000)));
    world.plan();
    for second in 1..=6_000 {
        world.sleep(1);
        world.facts.actual = world.kernel.read().unwrap();
        let plan = desired(&world.config, &world.facts, world.now);
        let ops = diff(&plan.objects, &world.facts.actual);
        match second {
            // the kernel lets the address go by itself, but not the route
            6_000 => assert!(matches!(ops.as_slice(), [Op::Delete(Key::Route { .. }, _)]), "{ops:?}"),
            _ => assert_eq!(ops, [], "after {second} s"),
        }
    }
}

#[test]
fn a_long_lifetime_becomes_finite_in_the_kernel_once() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Off;
    world.give("isp", "2001:db8::/56", Some((3_000_000, 6_000_000)));
    let mut changes = 0;
    for _ in 0..700 {
        world.facts.actual = world.kernel.read().unwrap();
        let plan = desired(&world.config, &world.facts, world.now);
        changes += diff(&plan.objects, &world.facts.actual).len();
        world.plan();
        world.sleep(10_000);
    }
    // made: sysctl, route, address; preferred gets near; valid gets near; the route goes
    assert_eq!(changes, 3 + 1 + 1 + 1);
    let link = world.link("home");
    assert_eq!(addresses(&world.kernel, link), [""; 0]);
}

#[test]
fn an_address_that_netifd_made_serves_as_ours() {
    let mut world = World::new(&["home"]);
    let link = world.link("home");
    world.kernel.add_foreign_address(link, a("fd12:3456:789a::1"), 64, Lifetimes::FOREVER);
    world.plan();
    assert_eq!(addresses(&world.kernel, link), [""; 0]);
    world.kernel.remove_address(link, a("fd12:3456:789a::1"));
    world.plan();
    assert_eq!(addresses(&world.kernel, link), ["fd12:3456:789a::1"]);
}

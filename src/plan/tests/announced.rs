//! What LANs are told.

use super::*;

// MUST NOT RFC 7084 §4.1 G-4: be a default router without a default route: the router lifetime is 0 in every advertisement
// MUST RFC 7084 §4.1 G-5: when the default route is lost, the router ceases to be a default router at once
#[test]
fn we_are_a_default_router_while_the_kernel_has_a_default_route() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
    let wan = world.uplink();
    assert_eq!(told(&world.plan(), "home").router_lifetime, 1800);
    world.kernel.remove_route(&default_route());
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
    // odhcpd#388, openwrt#23246: any route to all of 2000::/3 will do, from wherever
    let source_specific = Key::Route { table: 254, dst: Prefix::GLOBAL, src: p("2001:db8::/56"), metric: 1 };
    world.kernel.add_foreign_route(source_specific, RouteTarget::OnLink { link: wan });
    assert_eq!(told(&world.plan(), "home").router_lifetime, 1800);
}

#[test]
fn the_administrator_may_say_otherwise() {
    let mut world = World::new(&["home"]);
    world.ra("home").default_router = DefaultRouter::Always;
    assert_eq!(told(&world.plan(), "home").router_lifetime, 1800);
    world.ra("home").default_router = DefaultRouter::Never;
    world.give("isp", "2001:db8::/56", None);
    world.uplink();
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
}

// MUST NOT RFC 7084 §4.3 L-4: be a default router without a prefix
// MUST NOT RFC 7084 §4.3 ULA-5: be a default router while all prefixes are unique local ones
#[test]
fn a_default_route_is_no_use_to_hosts_without_a_global_prefix() {
    let mut world = World::new(&["home"]);
    world.uplink();
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
    world.config.ula = Ula::Off;
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
    world.give("own", "fd99::/48", None);
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0);
    world.give("isp", "2001:db8::/56", Some((100, 200)));
    assert_eq!(told(&world.plan(), "home").router_lifetime, 1800);
    world.sleep(200);
    assert_eq!(told(&world.plan(), "home").router_lifetime, 0, "its end is the end of it");
}

// MUST RFC 7084 §4.3 L-3: a route information option for each delegated prefix and the ULA, with or without an uplink
#[test]
fn our_prefixes_are_announced_as_routes() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    world.ra("home").routes = vec![p("2001:db8:ffff::/48"), p("2001:db8::/56")];
    let routes = |plan: &Desired| {
        let routes = told(plan, "home").routes.iter();
        routes.map(|(prefix, _, lifetime)| format!("{prefix} {lifetime}")).collect::<Vec<_>>()
    };
    let all = ["fd12:3456:789a::/48 1800", "2001:db8::/56 1800", "2001:db8:ffff::/48 1800"];
    assert_eq!(routes(&world.plan()), all);
    world.uplink();
    assert_eq!(routes(&world.plan()), all);
    // a prefix that is as a whole on this link is no route
    world.give("isp", "2001:db8::/64", None);
    assert_eq!(routes(&world.plan())[1..], ["2001:db8:ffff::/48 1800", "2001:db8::/56 1800"]);
}

// MUST RFC 7084 §4.3 L-5: each LAN interface is an advertising interface
// MUST RFC 7084 §4.3 L-6: the A and L flags are set by default
// MUST RFC 7084 §4.3 L-11: DNS servers and search domains are in router advertisements
// MUST RFC 7084 §4.3 L-10: DNS servers and search domains are in DHCPv6
#[test]
fn hosts_find_addresses_and_names() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8::/56", None);
    let plan = world.plan();
    for (name, dns) in [("guest", "fd12:3456:789a::1"), ("home", "fd12:3456:789a:1::1")] {
        let ra = told(&plan, name);
        assert!(ra.prefixes.iter().all(|info| info.autonomous));
        assert_eq!((ra.dns.as_slice(), ra.dns_lifetime), ([a(dns)].as_slice(), 1800));
        assert_eq!(ra.search, ["lan"]);
        assert_eq!((ra.managed, ra.other), (true, true));
        assert!(ra.mac.is_some());
        let dhcp6 = &plan.dhcp6.links[&world.link(name)];
        assert_eq!((&dhcp6.dns, &dhcp6.search), (&ra.dns, &ra.search));
    }
}

#[test]
fn dns_servers_are_those_configured_each_once_or_none() {
    let mut world = World::new(&["home"]);
    let other = DnsServer::At(a("2001:db8::53"));
    world.lan("home").dns = vec![other, DnsServer::Router, other, DnsServer::At(a("fd12:3456:789a::1"))];
    assert_eq!(told(&world.plan(), "home").dns, [a("2001:db8::53"), a("fd12:3456:789a::1")]);
    world.lan("home").dns = vec![];
    world.lan("home").search = vec!["example.org".into()];
    world.ra("home").dns_lifetime = Some(7);
    let plan = world.plan();
    assert_eq!(told(&plan, "home").dns, [] as [Ipv6Addr; 0]);
    assert_eq!(told(&plan, "home").search, ["example.org"]);
    assert_eq!(told(&plan, "home").dns_lifetime, 7);
    world.config.domain = String::new();
    world.lan("home").search = vec![];
    assert_eq!(told(&world.plan(), "home").search, [""; 0]);
}

#[test]
fn the_dns_address_is_the_one_that_changes_least() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", Some((100, 200)));
    world.give("new", "2001:db8:1::/56", None);
    assert_eq!(told(&world.plan(), "home").dns, [a("fd12:3456:789a::1")]);
    world.config.ula = Ula::Off;
    assert_eq!(told(&world.plan(), "home").dns, [a("2001:db8::1")]);
    world.sleep(100);
    assert_eq!(told(&world.plan(), "home").dns, [a("2001:db8:1::1")], "preferred before deprecated");
    world.take("isp");
    world.take("new");
    assert_eq!(told(&world.plan(), "home").dns, [a("fe80::5eff:fe00:5300")]);
}

// SHOULD RFC 7084 §4.3 L-9: without IA_NA the M flag is 0 and the O flag is 1
// SHOULD RFC 7084 §4.3 L-7: the A flag can be configured
#[test]
fn flags_follow_what_dhcpv6_does() {
    let mut world = World::new(&["home"]);
    let flags = |world: &mut World| {
        let plan = world.plan();
        let ra = told(&plan, "home");
        (ra.managed, ra.other, ra.prefixes.iter().any(|info| info.pd_preferred))
    };
    assert_eq!(flags(&mut world), (true, true, true));
    world.lan("home").dhcp6.as_mut().unwrap().addresses = false;
    assert_eq!(flags(&mut world), (false, true, true));
    world.lan("home").dhcp6.as_mut().unwrap().delegation = false;
    assert_eq!(flags(&mut world), (false, true, false));
    world.lan("home").dhcp6 = None;
    assert_eq!(flags(&mut world), (false, false, false));
    world.ra("home").slaac = false;
    assert!(told(&world.plan(), "home").prefixes.iter().all(|info| !info.autonomous));
    world.ra("home").managed = Some(true);
    world.ra("home").other = Some(true);
    world.ra("home").pd_preferred = Some(true);
    assert_eq!(flags(&mut world), (true, true, true));
}

#[test]
fn the_p_flag_is_on_prefixes_out_of_which_something_can_be_delegated() {
    let mut world = World::new(&["home"]);
    world.give("one", "2001:db8:1::/64", None);
    world.give("two", "2001:db8:2::/63", None);
    world.give("zero", "2001:db8:3::/56", None);
    world.facts.prefixes[2].delegate = false;
    let plan = world.plan();
    let flags: Vec<bool> = told(&plan, "home").prefixes.iter().map(|info| info.pd_preferred).collect();
    assert_eq!(flags, [true, false, true, false]);
}

// MUST NOT RFC 9096 §3.3: announce, assign or delegate for longer than what is left of the prefix's own lifetimes
// SHOULD RFC 9096 §3.4: preferred and valid lifetimes are capped (to ND_PREFERRED_LIMIT and ND_VALID_LIMIT by default)
#[test]
fn lifetimes_are_those_of_the_source_cut_to_what_is_configured() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", Some((3600, 7200)));
    let source = world.facts.prefixes[0].lifetimes;
    for _ in 0..3 {
        let plan = world.plan();
        let [ula, isp] = told(&plan, "home").prefixes.as_slice() else { panic!() };
        assert_eq!((ula.lifetimes, ula.max_preferred, ula.max_valid), (Lifetimes::FOREVER, 2700, 5400));
        assert_eq!((isp.lifetimes, isp.max_preferred, isp.max_valid), (source, 2700, 5400));
        let dhcp6 = &plan.dhcp6.links[&world.link("home")];
        assert_eq!(dhcp6.subnets[1].lifetimes, source);
        assert_eq!(dhcp6.pools[1].lifetimes, source);
        world.sleep(1200);
    }
}

// MUST RFC 7084 §4.3 L-13: a prefix that is gone is announced at once with preferred lifetime 0 and valid lifetime 0
// MUST RFC 9096 §3.5: a stale prefix is announced with both lifetimes 0 and the A and L flags unchanged
// MUST RFC 9096 §3.5: a stale prefix is announced for at least the valid lifetime it was announced with before
#[test]
fn a_prefix_that_goes_is_announced_as_over_until_every_host_has_dropped_it() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    world.sleep(1000);
    world.take("isp");
    let plan = world.plan();
    let info = &told(&plan, "home").prefixes[1];
    assert_eq!((info.prefix, info.autonomous), (p("2001:db8::/64"), true));
    assert_eq!((info.max_preferred, info.max_valid), (0, 0));
    assert_eq!(info.lifetimes.valid.remaining(world.now), 5400, "it is told for so long");
    assert_eq!(plan.recheck_at, Some(world.now.after_secs(5400)));
    let link = world.link("home");
    assert_eq!(addresses(&world.kernel, link), ["fd12:3456:789a::1"], "the router's own address goes at once");
    // DHCPv6 clients are told as well: RFC 9096 §3.5, odhcpd#400
    assert_eq!(plan.dhcp6.links[&link].subnets[1].prefix, p("2001:db8::/64"));
    assert_eq!(plan.dhcp6.links[&link].subnets[1].lifetimes.valid.remaining(world.now), 0);
    world.sleep(5399);
    assert_eq!(dead(&world.plan(), "home"), ["2001:db8::/64"]);
    world.sleep(1);
    assert_eq!(dead(&world.plan(), "home"), [""; 0]);
    assert_eq!(world.facts.served.len(), 1, "and forgotten");
}

// MUST RFC 9096 §3.5: after bootstrapping, prefixes advertised before and now stale are announced as over
#[test]
fn after_a_reboot_the_prefix_of_yesterday_is_announced_as_over() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    world.kernel.reboot();
    world.facts.prefixes.clear();
    // whatever end a file gives to what was live
    world.facts.served.iter_mut().for_each(|served| served.until = Until::At(Instant(1)));
    world.sleep(30);
    let plan = world.plan();
    assert_eq!(dead(&plan, "home"), ["2001:db8::/64"]);
    assert_eq!(plan.recheck_at, Some(world.now.after_secs(5400)));
    // and when it comes back, it is alive at once
    world.give("isp", "2001:db8::/56", None);
    let plan = world.plan();
    assert_eq!(dead(&plan, "home"), [""; 0]);
    assert_eq!(live(&plan, "home")[1], "2001:db8::/64");
}

#[test]
fn longer_lifetimes_are_remembered_longer() {
    let mut world = World::new(&["home"]);
    world.ra("home").valid_lifetime = 86_400;
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    world.take("isp");
    assert_eq!(world.plan().recheck_at, Some(world.now.after_secs(86_400)));
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    world.lan("home").dhcp6.as_mut().unwrap().valid_lifetime = u32::MAX;
    world.take("isp");
    assert_eq!(world.plan().recheck_at, Some(world.now.after_secs(30 * 86_400)), "for ever is bounded");
}

#[test]
fn what_is_remembered_does_not_change_while_nothing_happens() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", Some((50_000, 90_000)));
    world.give("old", "2001:db8:1::/56", None);
    world.plan();
    world.take("old");
    let first = world.plan().served;
    assert_eq!(first.len(), 3);
    for _ in 0..50 {
        world.sleep(100);
        assert_eq!(world.plan().served, first);
    }
}

#[test]
fn a_prefix_that_moves_to_another_lan_is_over_on_the_old_one() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8::/64", None);
    world.facts.prefixes[0].lans = Some(vec!["guest".into()]);
    world.plan();
    world.facts.prefixes[0].lans = Some(vec!["home".into()]);
    let plan = world.plan();
    assert_eq!(dead(&plan, "guest"), ["2001:db8::/64"]);
    assert_eq!(dead(&plan, "home"), [""; 0]);
    assert_eq!(live(&plan, "home")[1], "2001:db8::/64");
}

#[test]
fn what_goes_while_the_device_is_away_is_told_when_it_is_back() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8::/56", None);
    world.plan();
    let link = world.link("home");
    world.kernel.remove_link(link);
    world.give("isp", "2001:db8:1::/56", None);
    assert!(world.plan().lans["home"].ra.is_none());
    world.plug("home", 1);
    world.sleep(2);
    let plan = world.plan();
    assert_eq!(dead(&plan, "home"), ["2001:db8::/64"]);
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a::/64", "2001:db8:1::/64"]);
}

#[test]
fn the_memory_of_a_provider_that_renumbers_all_the_time_is_bounded() {
    let mut world = World::new(&["home"]);
    for n in 0..100 {
        world.give("isp", &format!("2001:db8:{n:x}::/56"), None);
        world.plan();
        world.sleep(1);
    }
    assert_eq!(world.facts.served.iter().filter(|served| !served.live).count(), 16);
    assert!(dead(&world.plan(), "home").contains(&"2001:db8:62::/64".to_owned()), "the last ones count");
}

#[test]
fn options_go_where_they_belong() {
    let mut world = World::new(&["home"]);
    world.ra("home").captive_portal = Some("https://portal.example/".into());
    world.ra("home").pref64 = Some(p("64:ff9b::/96"));
    world.ra("home").mtu = Some(1480);
    let plan = world.plan();
    let ra = told(&plan, "home");
    assert_eq!(ra.captive_portal.as_deref(), Some("https://portal.example/"));
    assert_eq!(plan.dhcp6.links[&world.link("home")].captive_portal, ra.captive_portal);
    assert_eq!((ra.pref64, ra.mtu), (Some(p("64:ff9b::/96")), Some(1480)));
    assert_eq!(messages(&plan), "");
    world.ra("home").mtu = Some(9000);
    assert!(messages(&world.plan()).contains("hosts are told an MTU of 9000, but br-home has 1500"));
}

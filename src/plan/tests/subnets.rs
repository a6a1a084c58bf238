//! Which LAN gets which /64, and where LANs are.

use super::*;

// MUST RFC 7084 §4.3 L-2: each LAN gets a /64 of its own out of every delegated prefix and of the ULA
#[test]
fn every_lan_gets_a_64_of_every_prefix_with_the_same_number() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8:0:10::/60", None);
    let plan = world.plan();
    assert_eq!(live(&plan, "guest"), ["fd12:3456:789a::/64", "2001:db8:0:10::/64"]);
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a:1::/64", "2001:db8:0:11::/64"]);
    let home = world.link("home");
    assert_eq!(addresses(&world.kernel, home), ["2001:db8:0:11::1", "fd12:3456:789a:1::1"]);
    assert_eq!(messages(&plan), "");
}

#[test]
fn a_subnet_in_the_configuration_is_honoured_in_every_prefix() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8::/56", None);
    world.lan("home").subnet = Some(0);
    world.lan("guest").subnet = Some(0xa);
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a::/64", "2001:db8::/64"]);
    assert_eq!(live(&plan, "guest"), ["fd12:3456:789a:a::/64", "2001:db8:0:a::/64"]);
}

#[test]
fn of_two_lans_with_one_subnet_the_first_by_name_has_it() {
    let mut world = World::new(&["guest", "home"]);
    world.lan("home").subnet = Some(7);
    world.lan("guest").subnet = Some(7);
    let plan = world.plan();
    assert_eq!(live(&plan, "guest"), ["fd12:3456:789a:7::/64"]);
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a::/64"]);
    assert!(messages(&plan).contains("lan home: subnet 0x7 of fd12:3456:789a::/48 belongs to lan guest"));
}

#[test]
fn a_subnet_outside_the_prefix_is_reported_and_the_lan_still_served() {
    let mut world = World::new(&["home"]);
    world.give("isp", "2001:db8:0:8::/62", None);
    world.lan("home").subnet = Some(4);
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a:4::/64", "2001:db8:0:8::/64"]);
    assert!(
        messages(&plan).contains(
            "2001:db8:0:8::/62 has no subnet 0x4; it gets another one; set `subnet` to a number from 0 to 0x3"
        )
    );
}

#[test]
fn one_64_for_two_lans_goes_to_the_first_by_name() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8::/64", None);
    let plan = world.plan();
    assert_eq!(live(&plan, "guest"), ["fd12:3456:789a::/64", "2001:db8::/64"]);
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a:1::/64"]);
    assert!(messages(&plan).contains("prefix isp: 2001:db8::/64 has no /64 left for lan home"), "{}", messages(&plan));
    // whoever has it keeps it
    world.config.lans.insert("admin".into(), lan("br-admin"));
    world.plug("admin", 9);
    world.sleep(2);
    assert_eq!(live(&world.plan(), "guest"), ["fd12:3456:789a::/64", "2001:db8::/64"]);
}

#[test]
fn a_prefix_longer_than_64_or_given_twice_is_reported() {
    let mut world = World::new(&["home"]);
    world.give("long", "2001:db8::/72", None);
    world.give("one", "2001:db8:1::/64", None);
    world.give("two", "2001:db8:1::/64", None);
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), ["fd12:3456:789a::/64", "2001:db8:1::/64"]);
    assert!(messages(&plan).contains("prefix long: 2001:db8::/72 is longer than a /64"));
    assert!(messages(&plan).contains("prefix two: 2001:db8:1::/64 is the same as prefix one"));
}

#[test]
fn overlapping_prefixes_never_give_two_lans_one_64() {
    let mut world = World::new(&["guest", "home"]);
    world.give("big", "2001:db8::/56", None);
    world.give("small", "2001:db8::/64", None);
    world.facts.prefixes[1].lans = Some(vec!["home".into()]);
    let plan = world.plan();
    assert_eq!(live(&plan, "guest")[1..], ["2001:db8:0:1::/64"], "the big one leaves the small one alone");
    assert_eq!(live(&plan, "home")[1..], ["2001:db8:0:2::/64", "2001:db8::/64"]);
}

#[test]
fn a_lan_that_goes_or_comes_renumbers_nobody() {
    let mut world = World::new(&["b", "c"]);
    let before = world.plan();
    world.config.lans.insert("a".into(), lan("br-a"));
    world.plug("a", 9);
    world.sleep(2);
    let plan = world.plan();
    assert_eq!([live(&plan, "b"), live(&plan, "c")], [live(&before, "b"), live(&before, "c")]);
    assert_eq!(live(&plan, "a"), ["fd12:3456:789a:2::/64"]);
    world.config.lans.remove("b");
    let plan = world.plan();
    assert_eq!(live(&plan, "c"), live(&before, "c"));
    // after a reboot too: only what is on flash is left
    world.kernel.reboot();
    world.sleep(2);
    let plan = world.plan();
    assert_eq!([live(&plan, "a"), live(&plan, "c")], [vec!["fd12:3456:789a:2::/64".to_owned()], live(&before, "c")]);
}

#[test]
fn a_lan_under_a_new_name_keeps_its_prefix() {
    let mut world = World::new(&["lan", "guest"]);
    world.plan();
    let before = live(&world.plan(), "lan");
    let renamed = world.config.lans.remove("lan").unwrap();
    world.config.lans.insert("zuhause".into(), renamed);
    assert_eq!(live(&world.plan(), "zuhause"), before);
}

#[test]
fn a_new_prefix_of_the_provider_keeps_the_numbers() {
    let mut world = World::new(&["a", "b"]);
    world.config.ula = Ula::Off;
    world.give("isp", "2001:db8:0:10::/60", None);
    world.plan();
    world.config.lans.remove("a");
    world.plan();
    world.give("isp", "2001:db8:0:a0::/60", None);
    let plan = world.plan();
    assert_eq!(live(&plan, "b"), ["2001:db8:0:a1::/64"]);
    assert_eq!(dead(&plan, "b"), ["2001:db8:0:11::/64"]);
}

// MUST RFC 7084 §4.3 ULA-2: the ULA prefix stays the same across reboots
#[test]
fn the_ula_does_not_change_with_what_else_changes() {
    let mut world = World::new(&["home"]);
    let before = live(&world.plan(), "home");
    world.uplink();
    world.give("isp", "2001:db8::/56", Some((100, 200)));
    assert_eq!(live(&world.plan(), "home")[0], before[0]);
    world.kernel.reboot();
    world.sleep(500);
    assert_eq!(live(&world.plan(), "home"), before);
}

// SHOULD RFC 7084 §4.3 ULA-1: a ULA prefix is generated
// SHOULD RFC 7084 §4.3 ULA-3: the ULA prefix can be configured
#[test]
fn the_ula_can_be_given_or_left_out() {
    let mut world = World::new(&["home"]);
    world.config.ula = Ula::Fixed(p("fd00:1:2::/48"));
    assert_eq!(live(&world.plan(), "home"), ["fd00:1:2::/64"]);
    world.config.ula = Ula::Off;
    let plan = world.plan();
    assert_eq!(live(&plan, "home"), [""; 0]);
    assert_eq!(dead(&plan, "home"), ["fd00:1:2::/64"]);
    assert!(messages(&plan).contains("lan home: there is no prefix for it; set `ula` to auto"));
}

#[test]
fn why_a_lan_is_not_served_is_said() {
    let mut world = World::new(&["home"]);
    let why = |world: &mut World| world.plan().lans["home"].why.clone();
    assert_eq!(why(&mut world), "");
    let link = world.link("home");
    world.kernel.set_carrier(link, false);
    assert_eq!(why(&mut world), "br-home is down");
    assert_eq!(addresses(&world.kernel, link).len(), 1, "the address stays without a cable");
    world.kernel.set_carrier(link, true);
    world.kernel.change_link(link, |link| link.mtu = 1279);
    assert_eq!(why(&mut world), "the MTU of br-home is 1279, and IPv6 needs at least 1280");
    world.kernel.change_link(link, |link| link.mtu = 1500);
    world.kernel.set_sysctl("net.ipv6.conf.br-home.disable_ipv6", "1");
    assert_eq!(why(&mut world), "IPv6 is disabled on br-home (disable_ipv6)");
    world.kernel.set_sysctl("net.ipv6.conf.br-home.disable_ipv6", "0");
    assert_eq!(why(&mut world), "br-home has no link-local address yet");
    world.sleep(2);
    assert_eq!(why(&mut world), "");
    world.kernel.remove_link(link);
    assert_eq!(why(&mut world), "there is no device br-home");
    world.kernel.set_used_elsewhere(a("fe80::5eff:fe00:5300"), true);
    let again = world.plug("home", 0);
    world.sleep(2);
    assert_eq!(why(&mut world), "another host uses the link-local address fe80::5eff:fe00:5300 of br-home");
    world.kernel.set_used_elsewhere(a("fe80::5eff:fe00:5300"), false);
    world.kernel.set_admin(again, false);
    world.kernel.set_admin(again, true);
    world.sleep(2);
    assert_eq!(why(&mut world), "");
    assert_eq!(addresses(&world.kernel, again), ["fd12:3456:789a::1"]);
    world.lan("home").device = Device::Interface("lan".into());
    assert_eq!(why(&mut world), "there is no interface lan with a device in the network configuration");
    world.facts.interfaces.insert("lan".into(), "br-home".into());
    assert_eq!(why(&mut world), "");
    world.lan("home").enabled = false;
    assert_eq!(why(&mut world), "it is disabled in the configuration");
    assert_eq!(addresses(&world.kernel, again), [""; 0]);
    assert_eq!(world.kernel.wrongs(), [""; 0]);
}

#[test]
fn a_renamed_device_is_followed() {
    let mut world = World::new(&["home"]);
    world.plan();
    let link = world.link("home");
    world.kernel.change_link(link, |link| link.name = "br-away".into());
    assert_eq!(world.plan().lans["home"].why, "there is no device br-home");
    assert_eq!(addresses(&world.kernel, link), [""; 0]);
    world.kernel.change_link(link, |link| link.name = "br-home".into());
    assert_eq!(world.plan().lans["home"].why, "");
    assert_eq!(addresses(&world.kernel, link), ["fd12:3456:789a::1"]);
}

#[test]
fn of_two_lans_on_one_device_the_second_waits() {
    let mut world = World::new(&["home"]);
    world.config.lans.insert("other".into(), lan("br-home"));
    let plan = world.plan();
    assert_eq!(plan.lans["other"].why, "br-home is served as lan home already");
    assert_eq!(plan.lans["home"].why, "");
    assert!(plan.lans["other"].ra.is_none());
    world.lan("home").enabled = false;
    let plan = world.plan();
    assert_eq!(plan.lans["other"].why, "");
    let link = world.link("home");
    assert_eq!(addresses(&world.kernel, link), ["fd12:3456:789a:1::1"]);
}

#[test]
fn who_has_the_routers_address_or_prefix_too_is_reported() {
    let mut world = World::new(&["home"]);
    world.kernel.set_used_elsewhere(a("fd12:3456:789a::1"), true);
    world.plan();
    world.sleep(2);
    let plan = world.plan();
    assert!(messages(&plan).contains("another host on br-home uses fd12:3456:789a::1"), "{}", messages(&plan));
    assert_eq!(told(&plan, "home").dns, [a("fe80::5eff:fe00:5300")], "and nobody is sent there for DNS");
    let wan = world.uplink();
    world.kernel.remove_address(world.link("home"), a("fd12:3456:789a::1"));
    world.kernel.add_foreign_address(wan, a("fd12:3456:789a::99"), 64, Lifetimes::FOREVER);
    world.facts.actual = world.kernel.read().unwrap();
    let plan = desired(&world.config, &world.facts, world.now);
    assert!(messages(&plan).contains("fd12:3456:789a::/64 is on wan too"), "{}", messages(&plan));
}

#[test]
fn what_netifd_gave_to_a_device_is_its_lans_and_nobody_elses() {
    let mut world = World::new(&["guest", "home"]);
    world.give("isp", "2001:db8::/56", None);
    world.facts.ula = None;
    world.facts.assigned = vec![
        ("br-dmz".into(), p("2001:db8::/63")),
        ("br-home".into(), p("2001:db8:0:10::/60")),
        ("br-guest".into(), p("2001:db8:1::/64")),
    ];
    let plan = world.plan();
    assert_eq!(
        (live(&plan, "home"), live(&plan, "guest")),
        (vec!["2001:db8:0:10::/64".into()], vec!["2001:db8:0:2::/64".into()])
    );
    let link = &plan.dhcp6.links[&world.link("home")];
    assert!(link.pools[0].reserved.contains(&p("2001:db8::/63")), "{:?}", link.pools);
    // netifd's word goes before what was, and goes
    world.facts.assigned = vec![("br-home".into(), p("2001:db8:0:2::/64")), ("br-dmz".into(), p("2001:db8:0:10::/60"))];
    let plan = world.plan();
    assert_eq!(
        (live(&plan, "home"), live(&plan, "guest")),
        (vec!["2001:db8:0:2::/64".into()], vec!["2001:db8::/64".into()])
    );
    world.facts.assigned.clear();
    assert_eq!(live(&world.plan(), "home"), ["2001:db8:0:2::/64"]);
}

use super::*;

#[test]
fn a_name_follows_its_host_when_the_prefix_changes() {
    let mut world =
        World::new("config host nas\n list mac 02:00:5e:00:53:01\n option name nas\n option host_id ::77\n");
    world.bindings = vec![binding(3, "2001:db8:1:a::1002", "laptop"), binding(3, "fd00:1:2:a::1002", "laptop")];
    let slaac = "2001:db8:1:a:0:5eff:fe00:5304".parse().unwrap();
    world.leases4 = vec![lease4(4, "192.168.1.4", "tv")];
    world.names.heard("lan", &[(slaac, mac(4))], world.now);
    assert_eq!(world.of("tv.lan"), "2001:db8:1:a:0:5eff:fe00:5304 fd00:1:2:a:0:5eff:fe00:5304");
    let since: Vec<Instant> = world.names.entries().iter().map(|entry| entry.since).collect();
    // the provider gives another prefix; the old one is deprecated and no more in the list
    world.now = Instant(5_000_000);
    world.lans = vec![lan("lan", "lan", &["2001:db8:2:a::/64", ULA])];
    world.prefixes = prefixes(&["2001:db8:2::/56", "fd00:1:2::/48"]);
    assert_eq!(world.of("openwrt.lan"), "2001:db8:2:a::1 fd00:1:2:a::1");
    assert_eq!(world.of("nas.lan"), "2001:db8:2:a::77 fd00:1:2:a::77");
    assert_eq!(
        world.of("tv.lan"),
        "2001:db8:2:a:0:5eff:fe00:5304 fd00:1:2:a:0:5eff:fe00:5304",
        "before it spoke there"
    );
    assert_eq!(world.of("laptop.lan"), "fd00:1:2:a::1002", "its lease in the old prefix is no more named");
    world.bindings.push(binding(3, "2001:db8:2:a::1002", "laptop"));
    assert_eq!(world.of("laptop.lan"), "2001:db8:2:a::1002 fd00:1:2:a::1002");
    assert_eq!(since, world.names.entries().iter().map(|entry| entry.since).collect::<Vec<_>>(), "nobody is new");
}

#[test]
fn only_zones_that_changed_are_told_of_and_those_of_prefixes_that_are_gone_go() {
    let mut world = World::new("");
    let told = |changes: Vec<Change>| -> Vec<String> {
        let each = changes.iter().map(|change| match change {
            Change::Is(zone) => zone.origin.to_string(),
            Change::Gone(name) => format!("gone {name}"),
        });
        each.collect()
    };
    let (ula, old, new) = (
        "2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa.",
        "0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
        "0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
    );
    assert_eq!(told(world.update()), [old, ula, "lan."]);
    assert!(told(world.update()).is_empty(), "nothing has changed");
    world.bindings = vec![binding(3, "fd00:1:2:a::1002", "laptop")];
    assert_eq!(told(world.update()), [ula, "lan."]);
    world.lans = vec![lan("lan", "lan", &["2001:db8:2:a::/64", ULA])];
    world.prefixes = prefixes(&["2001:db8:2::/56", "fd00:1:2::/48"]);
    assert_eq!(told(world.update()), [new, "lan.", &format!("gone {old}")]);
}

#[test]
fn a_host_without_an_address_that_counts_has_no_name() {
    let mut world = World::new("");
    world.bindings = vec![binding(3, "2001:db8:1:a::1002", "laptop")];
    assert_eq!(world.of("laptop.lan"), "2001:db8:1:a::1002");
    world.lans = vec![lan("lan", "lan", &[ULA])];
    assert_eq!(world.of("laptop.lan"), "nobody");
    // temporary addresses never count
    world.leases4 = vec![lease4(4, "192.168.1.4", "tv")];
    world.names.heard("lan", &[("fd00:1:2:a:f:e:d:c".parse().unwrap(), mac(4))], world.now);
    assert_eq!(world.of("tv.lan"), "nobody");
}

use super::*;
use crate::wire::dns::{Rdata, RdataText};

/// The records of every zone as in a zone file.
fn zones(world: &mut World) -> BTreeMap<String, Vec<String>> {
    world.names = Names::new();
    let all = world.update().into_iter().map(|change| match change {
        Change::Gone(name) => panic!("{name}"),
        Change::Is(zone) => {
            let line = |record: &Record| {
                let data = RdataText(Rdata::new(record.rtype, &record.rdata));
                crate::wire::dns::check(record.rtype, &record.rdata).unwrap();
                assert!(record.name.is_within(&zone.origin), "{record:?}");
                format!("{} {} {} {data}", record.name, record.ttl, record.rtype)
            };
            (zone.origin.to_string(), zone.records.iter().map(line).collect())
        }
    });
    all.collect()
}

#[test]
fn a_host_is_in_the_forward_and_in_the_reverse_zone() {
    let mut world = World::new("option ttl 7\n");
    world.lans[0].networks = vec![("192.168.1.1".parse().unwrap(), 24)];
    world.lans[0].router.push("192.168.1.1".parse().unwrap());
    world.bindings = vec![binding(3, "fd00:1:2:a::1002", "laptop")];
    world.leases4 = vec![lease4(3, "192.168.1.33", "laptop")];
    let zones = zones(&mut world);
    let forward = &zones["lan."];
    for line in [
        "lan. 300 NS openwrt.lan.",
        "laptop.lan. 7 A 192.168.1.33",
        "laptop.lan. 7 AAAA fd00:1:2:a::1002",
        "openwrt.lan. 7 A 192.168.1.1",
        "openwrt.lan. 7 AAAA 2001:db8:1:a::1",
    ] {
        assert!(forward.iter().any(|have| have == line), "{line}\n{forward:#?}");
    }
    assert_eq!(
        zones["2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa."],
        [
            "2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa. 300 NS openwrt.lan.",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.0.0.0.2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa. 7 PTR openwrt.lan.",
            "2.0.0.1.0.0.0.0.0.0.0.0.0.0.0.0.a.0.0.0.2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa. 7 PTR laptop.lan.",
        ]
    );
    assert_eq!(
        zones["1.168.192.in-addr.arpa."],
        [
            "1.168.192.in-addr.arpa. 300 NS openwrt.lan.",
            "1.1.168.192.in-addr.arpa. 7 PTR openwrt.lan.",
            "33.1.168.192.in-addr.arpa. 7 PTR laptop.lan.",
        ]
    );
    let names: Vec<_> = zones.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
            "1.168.192.in-addr.arpa.",
            "2.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa.",
            "lan."
        ]
    );
}

#[test]
fn a_prefix_that_ends_inside_a_digit_has_a_zone_for_each_64_in_use() {
    let mut world = World::new("");
    world.prefixes = prefixes(&["2001:db8:1::/57"]);
    world.lans = vec![lan("lan", "lan", &[GUA]), lan("guest", "lan", &["2001:db8:1:b::/64"])];
    let zones = zones(&mut world);
    let names: Vec<_> = zones.keys().map(String::as_str).collect();
    let tail = "0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
    assert_eq!(names, [format!("a.0.{}", &tail[2..]), format!("b.0.{}", &tail[2..]), "lan.".into()]);
}

#[test]
fn an_ipv4_network_that_is_larger_than_24_bits_has_a_zone_for_each_24() {
    let mut world = World::new("");
    for (network, zones4) in [("10.1.0.1/22", 4), ("10.1.0.1/8", 64), ("192.168.1.129/25", 1), ("10.0.0.0/0", 64)] {
        let (addr, len) = network.split_once('/').unwrap();
        world.lans[0].networks = vec![(addr.parse().unwrap(), len.parse().unwrap())];
        let found = zones(&mut world).keys().filter(|name| name.ends_with("in-addr.arpa.")).count();
        assert_eq!(found, zones4, "{network}");
    }
}

// MUST RFC 6763 §6.1: every instance of a service has a TXT record beside its SRV record
// MUST RFC 6763 §6.1: a TXT record is not without any string
#[test]
fn the_services_of_the_router_can_be_found() {
    let mut world = World::new("");
    let plain = zones(&mut world).remove("lan.").unwrap();
    for line in [
        "_services._dns-sd._udp.lan. 300 PTR _domain._udp.lan.",
        "_domain._udp.lan. 300 PTR openwrt._domain._udp.lan.",
        "openwrt._domain._udp.lan. 300 SRV 0 0 5356 openwrt.lan.",
        "openwrt._domain._udp.lan. 300 TXT \"\"",
        "b._dns-sd._udp.lan. 300 PTR lan.",
        "lb._dns-sd._udp.lan. 300 PTR lan.",
    ] {
        assert!(plain.iter().any(|have| have == line), "{line}\n{plain:#?}");
    }
    assert!(
        !plain.iter().any(|line| line.contains("update") || line.contains("olpc")),
        "there is nobody who may update"
    );
    let key = "config key k\n option secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4=\n list name *.lan\n";
    let updated = zones(&mut World::new(key)).remove("lan.").unwrap();
    for line in [
        "_dns-update._udp.lan. 300 SRV 0 0 5356 openwrt.lan.",
        "openwrt._dns-update._udp.lan. 300 SRV 0 0 5356 openwrt.lan.",
        "primary._olpcdyndns1._tcp.lan. 300 SRV 0 0 5356 openwrt.lan.",
        "primary._olpcdyndns1._tcp.lan. 300 TXT \"\"",
        "_olpcdyndns1._tcp.lan. 300 PTR primary._olpcdyndns1._tcp.lan.",
        "dr._dns-sd._udp.lan. 300 PTR lan.",
    ] {
        assert!(updated.iter().any(|have| have == line), "{line}\n{updated:#?}");
    }
}

#[test]
fn a_zone_below_another_is_delegated_in_it() {
    let mut world = World::new("option hash_zone h.lan\n list public_zone home.example\n");
    world.lans.push(lan("office", "office.lan", &["2001:db8:1:b::/64"]));
    let zones = zones(&mut world);
    for line in ["office.lan. 300 NS openwrt.lan.", "h.lan. 300 NS openwrt.lan."] {
        assert!(zones["lan."].iter().any(|have| have == line), "{line}");
    }
    assert_eq!(zones["h.lan."], ["h.lan. 300 NS openwrt.lan."]);
    // the Internet has no use for local addresses, nor for a name server called .lan
    assert_eq!(
        zones["home.example."],
        [
            "home.example. 300 NS openwrt.home.example.",
            "openwrt.home.example. 10 AAAA 2001:db8:1:a::1",
            "openwrt.home.example. 10 AAAA 2001:db8:1:b::1",
        ]
    );
}

#[test]
fn a_hash_zone_knows_the_prefixes_of_the_lans() {
    let mut world = World::new("option hash_zone h.lan\n");
    let zone = world.update().into_iter().find_map(|change| match change {
        Change::Is(zone) if zone.origin.to_string() == "h.lan." => Some(zone),
        _ => None,
    });
    assert_eq!(zone.unwrap().hash, prefixes(&[GUA, ULA]));
}

// MUST RFC 8375 §4: names below home.arpa are answered from the site's own zone
#[test]
fn home_arpa_is_a_domain_like_others() {
    let mut world = World::new("");
    world.config.domain = "home.arpa".into();
    world.lans[0].domain = "home.arpa".into();
    assert!(zones(&mut world)["home.arpa."].contains(&"openwrt.home.arpa. 10 AAAA 2001:db8:1:a::1".to_owned()));
}

#[test]
fn what_is_published_leaves_local_addresses_out() {
    let mut world = World::new("");
    world.bindings = vec![binding(3, "2001:db8:1:a::1002", "laptop")];
    world.update();
    let told = |what| -> Vec<(String, usize)> {
        world.names.published(what).map(|(entry, addresses)| (entry.name.clone(), addresses.len())).collect()
    };
    assert_eq!(told(Published::Router), [("openwrt".into(), 1)]);
    assert_eq!(told(Published::Peers), [("openwrt".into(), 1)]);
    assert_eq!(told(Published::All), [("laptop".into(), 1), ("openwrt".into(), 1)]);
}

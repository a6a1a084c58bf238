use super::*;
use crate::proto::names::{self, Lease4};

const NAMED: &str = "config oasis6\n option enabled 1\n list hash_name Me.lan\nconfig lan home\n option device lan0\n\
    config dns\nconfig prefix isp\n option prefix 2001:db8:1::/56\n";
const MAC: Mac = Mac([2, 0, 0x5e, 0, 0x53, 4]);

/// The AAAA records of a name of the rig's zone `lan`, as they were last told.
fn addresses(rig: &Rig, name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (origin, zone) in &rig.zones {
        let records = zone.records.iter().filter(|record| record.rtype == crate::wire::dns::Type::AAAA);
        for record in records.filter(|record| origin == "lan." && record.name.to_string() == name) {
            all.push(Ipv6Addr::from(<[u8; 16]>::try_from(record.rdata.as_slice()).unwrap()).to_string());
        }
    }
    all
}

fn rig() -> Rig {
    let mut rig = Rig::new(NAMED);
    rig.take(Event::Hostname("gate".into()));
    rig.take(Event::Leases4(vec![Lease4 { mac: MAC, addr: "192.168.1.4".parse().unwrap(), name: "tv".into() }]));
    rig.run(1_000);
    rig
}

#[test]
fn names_follow_a_renumbering_within_a_second() {
    let mut rig = rig();
    assert_eq!(addresses(&rig, "gate.lan."), ["2001:db8:1::1", "fd01:203:405::1"]);
    let seen = "2001:db8:1::5eff:fe00:5304".parse().unwrap();
    rig.take(Event::Hosts { link: rig.lan, seen: vec![(seen, MAC)] });
    rig.run(500);
    assert_eq!(addresses(&rig, "tv.lan."), ["2001:db8:1::5eff:fe00:5304", "fd01:203:405::5eff:fe00:5304"]);
    rig.configure(&NAMED.replace("2001:db8:1::", "2001:db8:2::"));
    rig.run(999);
    assert_eq!(addresses(&rig, "gate.lan."), ["2001:db8:2::1", "fd01:203:405::1"]);
    assert_eq!(addresses(&rig, "tv.lan."), ["2001:db8:2::5eff:fe00:5304", "fd01:203:405::5eff:fe00:5304"]);
    let zones: Vec<&str> = rig.zones.keys().map(String::as_str).collect();
    let reverse = ["5.0.4.0.3.0.2.0.1.0.d.f.ip6.arpa.", "0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."];
    assert!(reverse.iter().all(|zone| zones.contains(zone)) && zones.len() == 3, "{zones:?}");
}

#[test]
fn neighbours_are_asked_for_more_often_after_prefixes_changed_and_nothing_is_told_twice() {
    let mut rig = rig();
    rig.run(20_000);
    let (told, surveys) = (rig.told_zones, rig.surveys);
    rig.run(60_000);
    assert_eq!(rig.told_zones, told);
    assert!((11..=13).contains(&(rig.surveys - surveys)), "{}", rig.surveys - surveys);
    rig.configure(&NAMED.replace("2001:db8:1::", "2001:db8:2::"));
    let surveys = rig.surveys;
    rig.run(10_000);
    assert!((9..=12).contains(&(rig.surveys - surveys)), "{}", rig.surveys - surveys);
}

#[test]
fn without_dns_there_are_no_names_and_no_zones() {
    let mut rig = rig();
    assert!(!rig.zones.is_empty());
    rig.configure(&NAMED.replace("config dns\n", ""));
    rig.run(1_000);
    assert!(rig.zones.is_empty());
    let (told, surveys) = (rig.told_zones, rig.surveys);
    rig.run(600_000);
    assert_eq!((rig.told_zones, rig.surveys), (told, surveys));
}

#[test]
fn the_router_has_an_address_made_of_a_name_on_every_link_until_it_is_detached() {
    let mut rig = rig();
    let made = |name: &str, prefix: &str| names::hash::address(name, prefix.parse().unwrap());
    let has = |rig: &Rig, addr: Ipv6Addr| {
        let on = rig.kernel.actual().addresses.get(&(rig.lan, addr)).cloned();
        on.is_some_and(|address| address.tag == Tag::Ours && address.len == 64)
    };
    for prefix in ["fe80::", "2001:db8:1::", "fd01:203:405::"] {
        assert!(has(&rig, made("me.lan", prefix)), "{prefix}");
    }
    let wide = [made("me.lan", "2001:db8:1::"), made("me.lan", "fd01:203:405::")].map(|addr| addr.to_string());
    assert_eq!(addresses(&rig, "me.lan."), wide);
    let source = rig.router.link_local(rig.lan);
    let mut out = Vec::new();
    assert!(rig.router.attach_hash("no name", rig.now, &mut out).is_err());
    rig.router.attach_hash("Other.example.", rig.now, &mut out).unwrap();
    let remembered = rig.remembered;
    rig.turn(out);
    rig.run(5_000);
    assert_eq!(rig.remembered, remembered + 1);
    assert!(has(&rig, made("other.example", "fe80::")));
    assert_eq!(rig.router.link_local(rig.lan), source, "router advertisements have the source that they had");
    let mut out = Vec::new();
    rig.router.detach_hash("other.example", rig.now, &mut out).unwrap();
    let told = rig.router.detach_hash("me.lan", rig.now, &mut out).unwrap_err();
    assert!(told.contains("configuration"), "{told}");
    rig.turn(out);
    rig.run(5_000);
    assert!(!has(&rig, made("other.example", "fe80::")) && !has(&rig, made("other.example", "2001:db8:1::")));
    for number in 0..16 {
        rig.router.attach_hash(&format!("n{number}"), rig.now, &mut Vec::new()).unwrap();
    }
    assert!(rig.router.attach_hash("one-more", rig.now, &mut Vec::new()).is_err(), "there is a bound");
}

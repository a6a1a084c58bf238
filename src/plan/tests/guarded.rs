//! What the guard is made of, and whom pinholes lead to.

use crate::config::{Config, Host, HostDuid, Pinhole, PinholeHost, Protocol};
use crate::net::{Duid, FlatMap, FlatSet, Mac, Prefix};
use crate::plan::guard::{Guard, Guarded, GuardedUplink, Hole, Mode, Translation, guard};
use crate::plan::{Actual, Change, Filter, Key, Op, Seen, Value, diff, pinholes};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn uplink(device: &str, sources: &[&str]) -> GuardedUplink {
    let sources = sources.iter().map(|source| prefix(source)).collect();
    GuardedUplink { device: device.into(), live: true, sources, ..GuardedUplink::default() }
}

fn guarded(lans: &[&str]) -> Guarded {
    Guarded { lans: lans.iter().map(|lan| (*lan).to_owned()).collect(), ..Guarded::default() }
}

fn paths(guard: &Guard) -> Vec<String> {
    guard.paths.iter().map(|(device, prefix)| format!("{device} {prefix}")).collect()
}

#[test]
fn without_uplinks_or_lans_there_is_no_guard() {
    assert_eq!(guard(&[], guarded(&["br-lan"])), None);
    assert_eq!(guard(&[uplink("wan", &[])], guarded(&[])), None);
    assert_eq!(guard(&[uplink("br-lan", &[])], guarded(&["br-lan"])), None, "one device can't be both");
}

#[test]
fn a_dead_uplink_is_guarded_against_and_nothing_leaves_by_it() {
    let dead = GuardedUplink {
        live: false,
        translations: vec![(prefix("fd00::/64"), None)],
        six_to_four: true,
        ..uplink("o6-six", &["2002:102:304::/48"])
    };
    let made = guard(&[uplink("wan", &["2001:db8::/56"]), dead], guarded(&["br-lan"])).unwrap();
    assert_eq!(made.uplinks, ["o6-six".to_owned(), "wan".to_owned()].into());
    assert_eq!(made.six_to_four, ["o6-six".to_owned()].into());
    assert_eq!(paths(&made), ["wan 2001:db8::/56"]);
    assert!(made.translations.is_empty());
    assert_eq!(made.mode, Mode::Own);
}

#[test]
fn prefixes_in_others_are_left_out_since_elements_must_not_overlap() {
    let sources = ["2001:db8:1::/64", "2001:db8::/32", "2001:db8:f::1/128", "2001:db9::1/128", "2001:db8::/32"];
    let uplinks = [uplink("a", &sources), uplink("b", &["2001:db8:1::/64"])];
    let inside = vec![prefix("fd00::/64"), prefix("fd00::/48"), prefix("fd00:0:1::/64")];
    let made = guard(&uplinks, Guarded { inside, ..guarded(&["br-lan"]) }).unwrap();
    assert_eq!(paths(&made), ["a 2001:db8::/32", "a 2001:db9::1/128", "b 2001:db8:1::/64"]);
    assert_eq!(made.inside, [prefix("fd00::/48"), prefix("fd00:0:1::/64")].into());
}

#[test]
fn however_many_prefixes_a_network_announces_the_kernel_gets_256() {
    let many: Vec<Prefix> = (0..1000).filter_map(|n| prefix("2001:db8::/32").subnet(n * 2, 64)).collect();
    let flood = GuardedUplink { sources: many.clone(), ..uplink("wan", &[]) };
    let made = guard(&[flood], Guarded { inside: many, ..guarded(&["br-lan"]) }).unwrap();
    assert_eq!((made.paths.len(), made.inside.len()), (256, 256));
}

#[test]
fn what_is_translated_may_leave_by_its_uplink_and_prefixes_are_of_one_length() {
    let translations = vec![
        (prefix("fd00::/64"), None),
        (prefix("fd00:0:1::/64"), Some(prefix("2001:db8::/64"))),
        (prefix("fd00:0:2::/64"), Some(prefix("2001:db8::/56"))),
    ];
    let made =
        guard(&[GuardedUplink { translations, ..uplink("wan", &["2001:db8::/64"]) }], guarded(&["br-lan"])).unwrap();
    let outside: Vec<Option<Prefix>> = made.translations.iter().map(|Translation { outside, .. }| *outside).collect();
    assert_eq!(outside, [None, Some(prefix("2001:db8::/64")), None]);
    assert!(paths(&made).contains(&"wan fd00:0:2::/64".to_owned()));
}

#[test]
fn the_guard_stands_before_what_it_guards_and_goes_last() {
    let made = Arc::new(guard(&[uplink("wan", &["2001:db8::/56"])], guarded(&["br-lan"])).unwrap());
    let sysctl = (Key::Sysctl("net.ipv6.conf.all.forwarding".into()), Value::Sysctl("1".into()));
    let wanted = BTreeMap::from([sysctl, (Key::Guard, Value::Guard(made.clone()))]);
    let mut actual = Actual::default();
    let ops = diff(&wanted, &actual);
    assert_eq!(ops.len(), 2);
    assert_eq!(ops[0], Op::Put(Key::Guard, Value::Guard(made.clone())));
    ops.iter().for_each(|op| actual.apply_op(op));
    assert_eq!(diff(&wanted, &actual), []);
    // somebody changed it
    let filter = |guard| Change::Filter(Filter { guard, firewall4: None });
    assert!(actual.apply(filter(Some(Arc::default()))));
    assert!(!actual.apply(filter(Some(Arc::default()))));
    assert_eq!(diff(&wanted, &actual), ops[..1]);
    assert_eq!(diff(&BTreeMap::new(), &actual), [Op::Delete(Key::Guard, Value::Guard(Arc::default()))]);
    actual.apply_op(&Op::Delete(Key::Guard, Value::Guard(made)));
    assert_eq!(actual.filter, Filter::default());
}

// ---- pinholes

const MAC: Mac = Mac([2, 0, 0, 0, 0, 7]);

fn config(pinholes: Vec<Pinhole>, hosts: Vec<Host>) -> Config {
    Config { pinholes, hosts, ..super::config(&["lan"]) }
}

fn toward(host: PinholeHost) -> Pinhole {
    Pinhole {
        section: "x".into(),
        enabled: true,
        host,
        protocols: vec![Protocol::Tcp],
        ports: vec![(443, 443)],
        sources: Vec::new(),
    }
}

fn named(name: &str) -> Pinhole {
    toward(PinholeHost::Name(name.into()))
}

fn host(name: &str) -> Host {
    Host {
        section: "@host[0]".into(),
        name: name.into(),
        aliases: Vec::new(),
        duids: Vec::new(),
        macs: Vec::new(),
        host_id: None,
        addresses: Vec::new(),
        prefix: None,
    }
}

fn seen<'a>(name: &'a str, duid: Option<&'a Duid>, address: &str) -> Seen<'a> {
    Seen { name, duid: duid.map(|duid| (duid, 1)), mac: None, addr: addr(address) }
}

/// Two LANs, `lan` renumbered from `old` to `new`.
fn live(prefixes: &[&str]) -> FlatMap<&'static str, Vec<Prefix>> {
    let lan = prefixes.iter().map(|text| prefix(text)).collect();
    FlatMap::from([("guest", vec![prefix("2001:db8:9::/64")]), ("lan", lan)])
}

fn addresses(config: &Config, live: &FlatMap<&str, Vec<Prefix>>, seen: &[Seen<'_>]) -> Vec<String> {
    let (holes, hosts) = pinholes(config, live, seen, []);
    let of = |hole: &Hole| hosts[hole.host.as_str()].iter().map(Ipv6Addr::to_string).collect::<Vec<_>>();
    holes.iter().flat_map(of).collect()
}

#[test]
fn a_pinhole_to_an_identifier_follows_every_prefix_of_its_lan() {
    let config = config(vec![toward(PinholeHost::Id { id: 0x53, lan: "lan".into() })], Vec::new());
    assert_eq!(addresses(&config, &live(&["2001:db8:1::/64", "fd00::/64"]), &[]), ["2001:db8:1::53", "fd00::53"]);
    assert_eq!(addresses(&config, &live(&["2001:db8:2::/64"]), &[]), ["2001:db8:2::53"]);
    assert_eq!(addresses(&config, &live(&[]), &[]), Vec::<String>::new());
}

#[test]
fn a_pinhole_to_a_name_follows_what_the_host_is_seen_to_use_in_live_prefixes() {
    let config = config(vec![named("Nas")], Vec::new());
    let duid = Duid::link_layer(MAC);
    let table = [
        seen("nas", Some(&duid), "2001:db8:1::10"),
        seen("nas.home.arpa", None, "2001:db8:2::10"),
        seen("other", None, "2001:db8:1::11"),
        seen("", None, "2001:db8:1::12"),
    ];
    assert_eq!(addresses(&config, &live(&["2001:db8:1::/64"]), &table), ["2001:db8:1::10"]);
    assert_eq!(addresses(&config, &live(&["2001:db8:2::/64"]), &table), ["2001:db8:2::10"]);
}

#[test]
fn a_host_that_has_a_section_is_known_by_it_and_not_by_a_name_that_anybody_may_take() {
    let duid = Duid::uuid([7; 16]);
    let known = Host {
        duids: vec![HostDuid { duid: duid.clone(), iaid: Some(1) }],
        macs: vec![MAC],
        host_id: Some(0x10),
        addresses: vec![addr("2001:db8:1::99"), addr("2001:db8:77::99")],
        ..host("nas")
    };
    let config = config(vec![named("nas")], vec![known]);
    let by_mac = Duid::link_layer(MAC);
    let other = Duid::uuid([8; 16]);
    let live = live(&["2001:db8:1::/64"]);
    let all = [
        seen("x", Some(&duid), "2001:db8:1::aa"),
        seen("y", Some(&by_mac), "2001:db8:1::bb"),
        Seen { mac: Some(MAC), ..seen("", None, "2001:db8:1::cc") },
        // a thief of the name
        seen("nas", Some(&other), "2001:db8:1::dd"),
        // of another identity association
        Seen { duid: Some((&duid, 2)), ..seen("", None, "2001:db8:1::ee") },
    ];
    assert_eq!(
        addresses(&config, &live, &all),
        [
            "2001:db8:1::10",
            "2001:db8:1::99",
            "2001:db8:1::aa",
            "2001:db8:1::bb",
            "2001:db8:1::cc",
            "2001:db8:1::ff:fe00:7"
        ]
    );
}

#[test]
fn a_host_that_was_never_seen_may_be_on_any_lan() {
    let config = config(vec![named("nas")], vec![Host { host_id: Some(0x10), ..host("nas") }]);
    assert_eq!(addresses(&config, &live(&["2001:db8:1::/64"]), &[]), ["2001:db8:1::10", "2001:db8:9::10"]);
}

#[test]
fn one_host_gets_64_addresses_at_most() {
    let config = config(vec![named("nas")], Vec::new());
    let all: Vec<String> = (1..1000).map(|n| format!("2001:db8:1::{n:x}")).collect();
    let all: Vec<Seen<'_>> = all.iter().map(|address| seen("nas", None, address)).collect();
    assert_eq!(addresses(&config, &live(&["2001:db8:1::/64"]), &all).len(), 64);
}

#[test]
fn holes_hold_what_the_section_says_in_a_form_that_does_not_overlap() {
    let mut wide = named("my-nas");
    wide.protocols = vec![Protocol::Udp, Protocol::All];
    wide.ports = vec![(90, 100), (80, 80), (81, 85), (95, 99), (65535, 65535)];
    wide.sources = vec![prefix("2001:db8:1::/48"), prefix("2001:db8::/32")];
    let closed = Pinhole { enabled: false, ..named("closed") };
    let asked = ["tv".to_owned()];
    let table = [seen("tv", None, "2001:db8:1::7")];
    let (holes, hosts) = pinholes(&config(vec![wide, closed], Vec::new()), &live(&["2001:db8:1::/64"]), &table, &asked);
    let expected = Hole {
        host: "my_nas".into(),
        protocols: vec![Protocol::All],
        ports: vec![(80, 85), (90, 100), (65535, 65535)],
        from: vec![prefix("2001:db8::/32")],
    };
    assert_eq!(holes, [expected]);
    let expected: FlatMap<String, FlatSet<Ipv6Addr>> =
        FlatMap::from([("my_nas".to_owned(), FlatSet::new()), ("tv".to_owned(), [addr("2001:db8:1::7")].into())]);
    assert_eq!(hosts, expected);
}

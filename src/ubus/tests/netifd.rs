use crate::net::{Instant, Lifetimes, Prefix, Until};
use crate::router::NetifdFacts;
use crate::ubus::netifd::{devices, facts};
use crate::ubus::value;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

const NOW: Instant = Instant(5_000);

/// A recorded dump, as it comes over the bus.
fn recorded(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/netifd");
    let step: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
    let mut bytes = Vec::new();
    value::write(&mut bytes, &step["dump"]);
    value::read(&bytes).unwrap()
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn left(preferred: u64, valid: u64) -> Lifetimes {
    Lifetimes::new(Until::At(NOW.after_secs(preferred)), Until::At(NOW.after_secs(valid)))
}

#[test]
fn netifds_recorded_interfaces_are_on_the_devices_that_carry_packets() {
    let up = devices(&recorded("1-up.json"));
    let up: Vec<_> = up.iter().map(|(name, device)| format!("{name} {device}")).collect();
    assert_eq!(up, ["absent nodev0", "guest gst0", "lan br-lan", "loopback lo", "wan wan0", "wan6 tst-wan6"]);
    assert!(!devices(&recorded("2-wan6-down.json")).contains_key("wan6"));
}

#[test]
fn what_netifd_was_delegated_is_read_with_its_lifetimes_and_shares() {
    let all = facts(&recorded("1-up.json"), NOW);
    let wan6 = NetifdFacts {
        up: true,
        pending: false,
        error: String::new(),
        prefixes: vec![(p("2001:db8:1200::/48"), left(3596, 7196))],
        assigned: vec![("guest".into(), p("2001:db8:1200::/64")), ("lan".into(), p("2001:db8:1200:10::/60"))],
        addresses: vec![("2001:db8:ffff::2".parse().unwrap(), 128, left(86396, 172_796))],
        gateway: Some("::".parse().unwrap()),
        dns: vec!["2001:4860:4860::8888".parse().unwrap()],
    };
    assert_eq!(all["wan6"], wan6);
    // what is configured has no end
    assert_eq!(all["wan"].prefixes, [(p("2001:db8:beef::/56"), Lifetimes::FOREVER)]);
    assert_eq!((all["wan"].gateway, all["lan"].gateway), (Some("2001:db8:f::1".parse().unwrap()), None));
    // name servers of IPv4 are none of ours
    assert_eq!((all["lan"].up, &all["lan"].dns), (true, &vec![]));
    assert_eq!(facts(&recorded("2-wan6-down.json"), NOW)["wan6"], NetifdFacts::default());
    let two = facts(&recorded("5-prefix-two.json"), NOW);
    assert_eq!(two["wan6"].prefixes[2], (p("2001:db8:7800::/64"), left(0, 27)));
    let failed = facts(&recorded("9-error.json"), NOW);
    assert!(failed.values().any(|interface| !interface.error.is_empty()), "{failed:?}");
}

#[test]
fn a_gateway_is_read_where_netifd_has_one() {
    let route = |nexthop: &str| json!({ "target": "::", "mask": 0, "nexthop": nexthop, "source": "2001:db8::/56" });
    let dump = json!({ "interface": [{ "interface": "wan6", "up": true, "route": [
        { "target": "2001:db8::", "mask": 32, "nexthop": "fe80::9" }, route("fe80::1"), route("fe80::2"),
    ] }] });
    assert_eq!(facts(&dump, NOW)["wan6"].gateway, Some("fe80::1".parse().unwrap()));
}

#[test]
fn of_much_only_some_is_taken() {
    let prefixes: Vec<Value> =
        (0..100).map(|n| json!({ "address": format!("2001:db8:{n:x}::"), "mask": 48 })).collect();
    let dump = json!({ "interface": [{ "interface": "wan6", "ipv6-prefix": prefixes, "ipv6-address": prefixes }] });
    let all = facts(&dump, NOW);
    assert_eq!((all["wan6"].prefixes.len(), all["wan6"].addresses.len()), (16, 16));
    let many: Vec<Value> = (0..3000).map(|n| json!({ "interface": n.to_string() })).collect();
    assert_eq!(facts(&json!({ "interface": many }), NOW).len(), 1024);
}

/// JSON of any form, with netifd's words in it.
fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "interface",
        "up",
        "ipv6-prefix",
        "assigned",
        "address",
        "mask",
        "valid",
        "route",
        "target",
        "nexthop",
        "errors",
        "code",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!("::")),
        Just(json!("2001:db8::")),
        Just(json!(0)),
        Just(json!(129)),
        "[a-z0-9:]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(WORDS), inner), 0..5)
                .prop_map(|all| Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_brings_it_down(dump in any_json(), interface in any_json()) {
        for dump in [dump, json!({ "interface": [{ "interface": "wan6", "ipv6-prefix": [interface] }, interface] })] {
            let _ = (devices(&dump), facts(&dump, NOW));
        }
    }
}

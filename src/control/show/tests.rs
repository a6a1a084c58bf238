use super::text::{Table, WIDTH, duration, wrapped};
use super::{event, leases, plan, reload, status};
use crate::config::harmless;
use proptest::prelude::*;
use serde_json::{Value, json};

fn serving() -> Value {
    json!({
        "version": "0.1.0", "enabled": true, "uptime": 273_660, "state": "serving", "default_router": true,
        "ula": "fd4f:91a2:c7e3::/48",
        "prefixes": [
            { "source": "prefix isp", "prefix": "2001:db8:1200::/56", "delegable": true, "preferred": 5340, "valid": 8940 },
            { "source": "ula", "prefix": "fd4f:91a2:c7e3::/48", "delegable": true, "preferred": null, "valid": null },
        ],
        "lans": [
            {
                "name": "home", "device": "br-lan", "state": "serving", "why": "",
                "prefixes": [
                    { "prefix": "2001:db8:1200:1::/64", "source": "prefix isp", "router": "2001:db8:1200:1::1",
                      "preferred": 5340, "valid": 8940 },
                    { "prefix": "fd4f:91a2:c7e3:1::/64", "source": "ula", "router": "fd4f:91a2:c7e3:1::1",
                      "preferred": null, "valid": null },
                    { "prefix": "2001:db8:ff00:1::/64", "source": "gone", "router": null, "preferred": 0, "valid": 5042 },
                ],
                "ra": { "multicasts": 1432, "unicasts": 17, "drops": { "hop limit": 3, "source": 0 },
                        "routers": [{ "address": "fe80::1", "contradicts": [] }] },
                "dhcp6": { "addresses": 12, "prefixes": 1 },
            },
            {
                "name": "guest", "device": "br-guest", "state": "serving", "why": "",
                "prefixes": [{ "prefix": "2001:db8:1200:2::/64", "source": "prefix isp", "router": "2001:db8:1200:2::1",
                               "preferred": 5340, "valid": 8940 }],
                "ra": { "multicasts": 1420, "unicasts": 0, "drops": {}, "routers": [] }, "dhcp6": null,
            },
        ],
        "dhcp6": { "bindings": 13, "received": { "solicit": 20, "renew": 190 }, "dropped": { "malformed": 2, "unicast": 0 } },
        "control": { "clients": 1, "watchers": 0, "dropped": { "busy": 0, "late": 2, "lost": 0, "malformed": 0 } },
        "kernel": { "objects": 9, "refused": [] },
        "config": { "file": "/etc/config/oasis6", "loaded": 273_660, "error": null, "warnings": [] },
        "store": { "flash_writes": 31, "journal": { "bytes": 1800 }, "bindings": { "next_write": 2040 } },
        "troubles": [],
    })
}

#[test]
fn a_status_shows_what_is_served() {
    assert_eq!(
        status(&serving()),
        "\
oasis6 0.1.0 serves 2 LANs, up 3 d 4 h

LAN home on br-lan: served
  PREFIX                 PREFERRED   VALID       FROM
  2001:db8:1200:1::/64   1 h 29 min  2 h 29 min  prefix isp
  fd4f:91a2:c7e3:1::/64  for ever    for ever    ula
  2001:db8:ff00:1::/64   deprecated  1 h 24 min  gone: withdrawn
  leased: 12 addresses, 1 prefix
  advertised 1432 times to all, 17 times to one; dropped: 3 hop limit; other
    routers: fe80::1

LAN guest on br-guest: served
  PREFIX                 PREFERRED   VALID       FROM
  2001:db8:1200:2::/64   1 h 29 min  2 h 29 min  prefix isp
  advertised 1420 times to all, 0 times to one

Prefixes to give to LANs
  PREFIX                 PREFERRED   VALID       FROM
  2001:db8:1200::/56     1 h 29 min  2 h 29 min  prefix isp
  fd4f:91a2:c7e3::/48    for ever    for ever    ula

Hosts use this router as their way out.
Flash: written 31 times, next in 34 min
DHCPv6: 13 bindings; dropped: 2 malformed; received: 190 renew, 20 solicit
Clients dropped by the control socket: 2 late
Configuration: /etc/config/oasis6, loaded 3 d 4 h ago
"
    );
}

#[test]
fn a_status_begins_with_what_is_wrong_and_how_to_mend_it() {
    let answer = json!({
        "version": "0.1.0", "enabled": true, "uptime": 59, "state": "waiting", "default_router": false, "ula": null,
        "prefixes": [],
        "lans": [
            { "name": "home", "device": "br-lan", "state": "waiting", "why": "the device 'br-lan' does not exist",
              "prefixes": [], "ra": null, "dhcp6": null },
            { "name": "x", "device": "", "state": "waiting", "why": "OpenWrt has no interface 'x'",
              "prefixes": [], "ra": null, "dhcp6": null },
        ],
        "dhcp6": {},
        "kernel": { "objects": 1, "refused": [
            { "what": "sysctl net.ipv6.conf.all.forwarding", "message": "the kernel says: read-only file system (EROFS)",
              "retry_in": 8 },
        ] },
        "config": { "file": "/etc/config/oasis6", "loaded": 59, "error": null,
                    "warnings": ["line 7: there is no option 'devise' in section 'lan'; did you mean 'device'?"] },
        "store": { "flash_writes": 0, "bindings": { "next_write": null } },
        "troubles": [
            { "place": "lan home", "message": "the device 'br-lan' does not exist, so nobody there gets an address or a route",
              "remedy": "create the bridge, or set `option device` of the section 'home' to a device of `ip link`" },
            { "place": "store", "message": "/etc/oasis6/bindings is damaged; kept as bindings.bad", "remedy": "" },
        ],
    });
    assert_eq!(
        status(&answer),
        "\
oasis6 0.1.0 serves none of 2 LANs, up 59 s

TO MEND
  lan home: the device 'br-lan' does not exist, so nobody there gets an address
    or a route
    -> create the bridge, or set `option device` of the section 'home' to a
       device of `ip link`
  store: /etc/oasis6/bindings is damaged; kept as bindings.bad

REFUSED BY THE KERNEL
  sysctl net.ipv6.conf.all.forwarding: the kernel says: read-only file system
    (EROFS); tried again in 8 s

WARNINGS ABOUT THE CONFIGURATION
  line 7: there is no option 'devise' in section 'lan'; did you mean 'device'?

LAN home on br-lan: NOT served: the device 'br-lan' does not exist

LAN x: NOT served: OpenWrt has no interface 'x'

There is no prefix to give to LANs.

Hosts don't use this router as their way out: it has no default route.
Flash: written 0 times
Configuration: /etc/config/oasis6, loaded 59 s ago
"
    );
}

#[test]
fn leases_stand_in_columns() {
    let lease = |lan, kind, resource, duid, hostname, valid: Value| {
        json!({ "lan": lan, "kind": kind, "resource": resource, "duid": duid, "iaid": "00000001", "hostname": hostname,
                "via": "fe80::5e00:53ff:fe01:2", "preferred": 1800, "valid": valid })
    };
    let answer = json!({ "leases": [
        lease("guest", "address", "2001:db8:1200:2::1f3", "0003000102005e005301", "laptop", json!(3599)),
        lease("home", "address", "fd4f:91a2:c7e3:1::2a", "0003000102005e005302", "", json!(40_000)),
        lease("home", "prefix", "2001:db8:1200:40::/60", "00046b1d8a1fa1b24cd5a8e0a1b2c3d4e5f6", "", json!(86_400)),
        lease("home", "registered", "2001:db8:1200:1:5054:ff:fe12:3456", "000100012f0a1b2c02005e005303",
              "a-very-long-name-of-a-host-that-does-not-fit.example.org", Value::Null),
        lease("home", "declined", "2001:db8:1200:1::9", "0003000102005e005304", "\u{1b}]0;root\u{7}", json!(60)),
    ] });
    assert_eq!(
        leases(&answer),
        "\
LAN guest
  2001:db8:1200:2::1f3               59 min 59 s  laptop

LAN home
  fd4f:91a2:c7e3:1::2a               11 h 6 min   02:00:5e:00:53:02
  2001:db8:1200:40::/60              1 d          00046b1d8a1fa1b24cd5a8e0a1b2c…
  2001:db8:1200:1:5054:ff:fe12:3456  for ever     registered: a-very-long-name-…
  2001:db8:1200:1::9                 1 min        declined: ?]0;root?

2 addresses, 1 declined (somebody else uses them; kept back), 1 delegated
  prefix, 1 registered by their hosts
"
    );
    assert_eq!(leases(&json!({ "leases": [] })), "No leases.\n");
}

#[test]
fn a_plan_lists_the_changes_and_what_the_lans_would_get() {
    let answer = json!({
        "enabled": false,
        "ops": [
            { "op": "put", "object": "sysctl net.ipv6.conf.all.forwarding", "value": "1" },
            { "op": "put", "object": "address fd4f:91a2:c7e3:1::1 on br-lan", "value": "/64, valid for ever" },
            { "op": "put", "object": "route to fd4f:91a2:c7e3::/48", "value": "unreachable" },
            { "op": "delete", "object": "route to 2001:db8:1200::/56", "value": "" },
        ],
        "lans": [{ "name": "home", "device": "br-lan", "state": "serving", "why": "",
                   "prefixes": [{ "prefix": "fd4f:91a2:c7e3:1::/64", "source": "ula", "router": "fd4f:91a2:c7e3:1::1",
                                  "preferred": null, "valid": null }] }],
        "troubles": [],
    });
    assert_eq!(
        plan(&answer),
        "\
oasis6 is off: `run` changes nothing until the configuration says `option
  enabled '1'`.

LAN home on br-lan: served
  PREFIX                 PREFERRED  VALID     FROM
  fd4f:91a2:c7e3:1::/64  for ever   for ever  ula

4 changes in the kernel
  put     sysctl net.ipv6.conf.all.forwarding    1
  put     address fd4f:91a2:c7e3:1::1 on br-lan  /64, valid for ever
  put     route to fd4f:91a2:c7e3::/48           unreachable
  delete  route to 2001:db8:1200::/56
"
    );
    assert_eq!(
        plan(&json!({ "enabled": true, "ops": [], "lans": [], "troubles": [] })),
        "Nothing would change in the kernel.\n"
    );
}

#[test]
fn a_reload_says_what_is_odd() {
    assert_eq!(reload(&json!({ "warnings": [] })), "The configuration is in force.\n");
    let answer = json!({ "warnings": ["run_dir and state_dir take effect at the next start only"] });
    assert_eq!(
        reload(&answer),
        "\
The configuration is in force, with 1 warning:
  run_dir and state_dir take effect at the next start only
"
    );
}

#[test]
fn an_event_is_one_line() {
    let lease = |what: &str, hostname: &str| {
        json!({ "event": "lease", "what": what, "lan": "home", "kind": "address", "resource": "2001:db8::5",
                "duid": "0003000102005e005301", "hostname": hostname, "preferred": 1800, "valid": 7200 })
    };
    for (value, line) in [
        (json!({ "event": "hello", "version": "0.1.0" }), "watching oasis6 0.1.0"),
        (lease("granted", "laptop"), "lan home: 2001:db8::5 granted to laptop, valid 2 h"),
        (lease("renewed", ""), "lan home: 2001:db8::5 renewed by 02:00:5e:00:53:01, valid 2 h"),
        (lease("released", "a\u{9b}2Jb"), "lan home: 2001:db8::5 released by a?2Jb"),
        (lease("expired", "laptop"), "lan home: 2001:db8::5 expired, was of laptop"),
        (lease("declined", "laptop"), "lan home: 2001:db8::5 declined by laptop"),
        (
            json!({ "event": "lan", "name": "home", "device": "br-lan", "state": "serving", "why": "" }),
            "lan home: served on br-lan",
        ),
        (
            json!({ "event": "lan", "name": "home", "device": "", "state": "waiting", "why": "no device\nat all" }),
            "lan home: NOT served: no device?at all",
        ),
        (
            json!({ "event": "prefix", "what": "deprecated", "lan": "home", "prefix": "2001:db8::/64" }),
            "lan home: prefix 2001:db8::/64 is deprecated",
        ),
        (
            json!({ "event": "kernel", "what": "done", "op": "put", "object": "route to 2001:db8::/56", "message": null }),
            "kernel: put route to 2001:db8::/56",
        ),
        (
            json!({ "event": "kernel", "what": "refused", "op": "put", "object": "route to 2001:db8::/56",
                    "message": "no room (ENOMEM)" }),
            "kernel: REFUSED to put route to 2001:db8::/56: no room (ENOMEM)",
        ),
        (json!({ "event": "config", "what": "loaded", "problems": [] }), "configuration loaded"),
        (
            json!({ "event": "config", "what": "refused", "problems": ["line 1: x", "line 2: y"] }),
            "configuration REFUSED: line 1: x; line 2: y",
        ),
        (json!({ "event": "lost", "message": "too slow" }), "LOST: too slow"),
        (json!({ "event": "later", "text": "\u{9b}2J" }), r#"{"event":"later","text":"?2J"}"#),
    ] {
        assert_eq!(event(&value), line);
    }
}

#[test]
fn durations_are_two_units_at_most() {
    for (seconds, words) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (89, "1 min 29 s"),
        (5340, "1 h 29 min"),
        (3601, "1 h"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
        (u64::MAX, "213503982334601 d 7 h"),
    ] {
        assert_eq!(duration(seconds), words);
    }
}

#[test]
fn nothing_commands_the_terminal() {
    for bad in ["\u{1b}[2J", "\u{9b}2J", "a\nb", "a\r", "\u{7f}", "\0", "\u{202e}gnp.exe", "\u{200b}", "\u{e0041}"] {
        let shown = harmless(bad);
        assert!(shown.contains('?') && !shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(harmless(&shown), shown);
    }
    assert_eq!(harmless("Küche-电视 ' \" <b>"), "Küche-电视 ' \" <b>");
}

/// Any value whose fields have the names that ours have.
fn value() -> impl Strategy<Value = Value> {
    let names = [
        "version",
        "uptime",
        "state",
        "lans",
        "name",
        "device",
        "why",
        "prefixes",
        "prefix",
        "source",
        "preferred",
        "valid",
        "ra",
        "dhcp6",
        "kernel",
        "refused",
        "retry_in",
        "config",
        "warnings",
        "troubles",
        "place",
        "message",
        "remedy",
        "store",
        "flash_writes",
        "bindings",
        "next_write",
        "leases",
        "lan",
        "resource",
        "kind",
        "duid",
        "hostname",
        "ops",
        "op",
        "object",
        "value",
        "enabled",
        "event",
        "what",
        "problems",
        "default_router",
        "loaded",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(vec!["serving", "waiting", "gone", "lease", "granted"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 100, 10, move |inner| {
        let name =
            prop_oneof![9 => proptest::sample::select(names.to_vec()).prop_map(String::from), 1 => any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Whatever a daemon of another version says, there is a text, and it is harmless.
fn is_shown(value: &Value) -> Result<(), TestCaseError> {
    for show in [status, leases, plan, reload] {
        let text = show(value);
        prop_assert!(text.ends_with('\n'));
        prop_assert!(text.lines().all(|line| harmless(line) == line));
    }
    let line = event(value);
    prop_assert_eq!(harmless(&line), line);
    Ok(())
}

#[test]
fn nothing_that_is_missing_is_missed() {
    fn without_each(value: &Value, whole: &Value, path: &mut Vec<String>) {
        let keys: Vec<String> = match value {
            Value::Object(fields) => fields.keys().cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
            _ => return,
        };
        for key in keys {
            for instead in [None, Some(Value::Null), Some(json!([1])), Some(json!({ "a": { "b": "\u{1b}" } }))] {
                let mut changed = whole.clone();
                let parent =
                    changed.pointer_mut(&path.iter().map(|key| format!("/{key}")).collect::<String>()).unwrap();
                match (parent, instead) {
                    (Value::Object(fields), None) => drop(fields.remove(&key)),
                    (Value::Object(fields), Some(instead)) => drop(fields.insert(key.clone(), instead)),
                    (Value::Array(items), None) => drop(items.remove(key.parse().unwrap())),
                    (Value::Array(items), Some(instead)) => items[key.parse::<usize>().unwrap()] = instead,
                    _ => unreachable!(),
                }
                is_shown(&changed).unwrap();
            }
            path.push(key.clone());
            without_each(
                value.get(&key).or_else(|| value.get(key.parse::<usize>().unwrap_or(0))).unwrap(),
                whole,
                path,
            );
            path.pop();
        }
    }
    without_each(&serving(), &serving(), &mut Vec::new());
    for empty in [json!({}), json!([]), json!(null), json!(7), json!("\u{1b}")] {
        is_shown(&empty).unwrap();
    }
}

proptest! {
    #[test]
    fn any_answer_is_shown(value in value()) {
        is_shown(&value)?;
    }

    #[test]
    fn lines_are_not_longer_than_the_terminal(words in proptest::collection::vec("[a-z]{1,70}", 0..30)) {
        let text = wrapped("  ", "    ", &words.join(" "));
        prop_assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{}", text);
        prop_assert_eq!(text.split_whitespace().map(String::from).collect::<Vec<_>>(), words);
    }

    #[test]
    fn a_long_last_column_is_cut(first in "[a-z]{0,59}", second in "[a-z]{1,200}") {
        let mut table = Table::default();
        table.row([first, second]);
        prop_assert!(table.show().chars().count() <= WIDTH + 1);
    }
}

#[test]
fn uplinks_say_how_they_are_and_what_happened() {
    let answer = json!({
        "uplinks": [
            { "name": "wan", "type": "native", "device": "eth1", "state": "down", "role": "out", "since": 61,
              "reason": "eth1 is down: plug the cable in", "role_reason": null,
              "prefixes": [], "dns": [] },
            { "name": "home", "type": "wireguard", "device": "o6-home", "state": "up", "role": "active", "since": 3700,
              "reason": "fe80::1 answers in 20 ms", "role_reason": "no other works", "mtu": 1420, "next_hop": "fe80::1",
              "prefixes": [{ "prefix": "2001:db8::/56", "preferred": null, "valid": null }], "dns": ["2001:db8::53"],
              "public_key": "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=" },
        ],
        "moves": [{ "ago": 61, "from": "wan", "to": "home", "why": "wan is down", "outage_ms": 1250 }],
    });
    let text = super::uplinks(&answer).replace("\n  ", " ");
    assert_eq!(text.matches("is down: plug").count(), 1, "{text}");
    for said in [
        "Uplink wan (native on eth1): down for 1 min 1 s",
        "Uplink home (wireguard on o6-home): up, in use for",
        "answers in 20 ms; no other works",
        "2001:db8::/56",
        "our public key",
        "1 min 1 s ago: moved from wan to home: wan is down; out for about 1.2 s",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(super::uplinks(&json!({ "uplinks": [], "moves": [] })).contains("No uplink is configured"));
}

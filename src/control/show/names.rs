use super::field::{list, number, object, text, word};
use super::text::{Table, counted, duration, wrapped};
use crate::net::FlatMap;
use serde_json::Value;

/// The answer to `names`.
pub fn names(answer: &Value) -> String {
    let mut by_domain: FlatMap<String, Vec<&Value>> = FlatMap::new();
    for name in list(answer, "names") {
        by_domain.or_default(word(name, "domain")).push(name);
    }
    if by_domain.is_empty() {
        return "No names.\n".into();
    }
    let mut table = Table::default();
    for (domain, names) in by_domain {
        table.text(format!("Domain {domain}\n"));
        for name in names {
            let since = number(name, "since").map_or_else(String::new, |since| format!(", for {}", duration(since)));
            let wanted = match word(name, "wanted").as_str() {
                "" => String::new(),
                wanted => format!("{wanted} is taken; "),
            };
            let from = format!("{wanted}{} ({}){since}", source(&word(name, "source")), word(name, "who"));
            let mut called = word(name, "name");
            let mut from = Some(from);
            for addr in list(name, "addresses") {
                table.row([std::mem::take(&mut called), text(addr), from.take().unwrap_or_default()]);
            }
        }
        table.text("\n");
    }
    if let Some(refused) = object(answer, "refused").map(super::field::words).filter(|words| !words.is_empty()) {
        table.text(wrapped("", "  ", &format!("Names refused: {refused}")));
    }
    let zones: Vec<String> = list(answer, "zones")
        .iter()
        .map(|zone| {
            format!("{} ({})", word(zone, "zone"), counted(number(zone, "records").unwrap_or(0), "record", "records"))
        })
        .collect();
    if !zones.is_empty() {
        table.text(wrapped("", "  ", &format!("Zones: {}", zones.join(", "))));
    }
    table.show()
}

/// Where a name comes from, in words.
fn source(word: &str) -> String {
    match word {
        "router" => "this router",
        "host" => "configuration",
        "peer" => "tunnel",
        "reserved" => "DHCPv6, reserved",
        "dhcp6" => "DHCPv6",
        "registered" => "registered by its host",
        "dhcp4" => "DHCPv4",
        other => other,
    }
    .to_owned()
}

#[test]
fn names_are_shown_with_their_addresses_and_who_wanted_another() {
    let answer = serde_json::json!({
        "names": [
            { "name": "pc", "domain": "lan", "addresses": ["2001:db8::5", "fd00::5"], "source": "dhcp6",
              "who": "02:00:5e:00:53:01", "since": 90, "alias": false, "wanted": null },
            { "name": "pc-2", "domain": "lan", "addresses": ["fd00::6"], "source": "dhcp4",
              "who": "02:00:5e:00:53:02", "since": 5, "alias": false, "wanted": "pc" },
        ],
        "refused": { "reserved": 2 },
        "zones": [{ "zone": "lan.", "records": 9 }],
    });
    assert_eq!(
        names(&answer),
        "Domain lan\n  \
         pc    2001:db8::5  DHCPv6 (02:00:5e:00:53:01), for 1 min 30 s\n        \
         fd00::5\n  \
         pc-2  fd00::6      pc is taken; DHCPv4 (02:00:5e:00:53:02), for 5 s\n\n\
         Names refused: 2 reserved\nZones: lan. (9 records)\n"
    );
    assert_eq!(names(&serde_json::json!({ "names": [] })), "No names.\n");
}

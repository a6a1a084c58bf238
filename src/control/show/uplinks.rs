use super::field::{list, number, text, word};
use super::text::{Table, counted, duration, wrapped};
use serde_json::Value;

/// The answer to `uplinks`.
pub fn uplinks(answer: &Value) -> String {
    let mut table = Table::default();
    overview(answer, &mut table);
    if list(answer, "uplinks").is_empty() {
        table.text("No uplink is configured.\n");
    }
    let moves = list(answer, "moves");
    if !moves.is_empty() {
        table.text("What happened\n");
        for one in moves {
            let ago = number(one, "ago").map_or_else(String::new, |seconds| format!("{} ago: ", duration(seconds)));
            let (from, to, why) = (word(one, "from"), word(one, "to"), word(one, "why"));
            let what = match (from.as_str(), to.as_str()) {
                ("", to) => format!("{to} is used"),
                (from, "") => format!("{from} is not used any more"),
                (from, to) if from == to => format!("{to} works again"),
                (from, to) => format!("moved from {from} to {to}"),
            };
            let mut line = format!("{ago}{what}: {why}");
            if let Some(outage) = one.get("outage_ms").and_then(Value::as_u64) {
                line.push_str(&format!("; out for about {}.{} s", outage / 1000, outage % 1000 / 100));
            }
            table.text(wrapped("  ", "    ", &line));
        }
    }
    table.show()
}

/// Each uplink: its state and why, and what it gives.
pub(super) fn overview(answer: &Value, table: &mut Table) {
    for uplink in list(answer, "uplinks") {
        let (name, kind, device) = (word(uplink, "name"), word(uplink, "type"), word(uplink, "device"));
        let place = if device.is_empty() { String::new() } else { format!(" on {device}") };
        let since = number(uplink, "since").map_or_else(String::new, |since| format!(" for {}", duration(since)));
        let role = match word(uplink, "role").as_str() {
            "active" => ", in use",
            "standby" => ", standing by",
            _ => "",
        };
        let mut line = format!("Uplink {name} ({kind}{place}): {}{role}{since}", word(uplink, "state"));
        for why in ["reason", "role_reason", "share"].map(|key| word(uplink, key)).iter().filter(|why| !why.is_empty())
        {
            line.push_str(&format!("; {why}"));
        }
        table.text(wrapped("", "  ", &line));
        super::prefixes(uplink, table);
        let mut more = Vec::new();
        let hop = word(uplink, "next_hop");
        if !hop.is_empty() {
            more.push(format!("next hop {hop}"));
        }
        if let Some(mtu) = number(uplink, "mtu") {
            more.push(format!("MTU {}", counted(mtu, "byte", "bytes")));
        }
        let dns: Vec<String> = list(uplink, "dns").iter().map(text).collect();
        if !dns.is_empty() {
            more.push(format!("DNS {}", dns.join(", ")));
        }
        let key = word(uplink, "public_key");
        if !key.is_empty() {
            more.push(format!("our public key {key}"));
        }
        let refused = uplink.get("dhcp6").map(|dhcp6| word(dhcp6, "refused")).unwrap_or_default();
        if !refused.is_empty() {
            more.push(format!("DHCPv6 refused: {refused}"));
        }
        if let Some(ago) = uplink.get("update").and_then(|update| number(update, "ago")) {
            more.push(format!("the broker was told our IPv4 address {} ago", duration(ago)));
        }
        if !more.is_empty() {
            table.text(wrapped("  ", "    ", &more.join("; ")));
        }
        table.text("\n");
    }
}

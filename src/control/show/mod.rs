//! Answers as text for people: what is wrong first, each with its remedy, then what is served.
//!
//! Everything fits 80 columns as far as addresses allow. Names and messages come from hosts and files, so nothing in
//! them reaches a terminal as a control character. A field that is missing (a daemon of another version) is left out.

mod event;
mod field;
mod names;
mod text;
mod uplinks;

#[cfg(test)]
mod tests;

pub use event::event;
pub use names::names;
pub use uplinks::uplinks;

use crate::config::harmless;
use crate::net::FlatMap;
use field::{list, number, object, word};
use serde_json::Value;
use text::{Table, counted, duration, left, wrapped};

/// The answer to `status`.
pub fn status(answer: &Value) -> String {
    let mut out = heading(answer);
    troubles(answer, &mut out);
    refused(answer, &mut out);
    warnings(answer, &mut out);
    let mut table = Table::default();
    uplinks::overview(answer, &mut table);
    lans(answer, &mut table);
    sources(answer, &mut table);
    out.push_str(&table.show());
    facts(answer, &mut out);
    out
}

/// The answer to `leases`.
pub fn leases(answer: &Value) -> String {
    let mut by_lan: FlatMap<String, Vec<&Value>> = FlatMap::new();
    let mut counts: FlatMap<&str, usize> = FlatMap::new();
    for lease in list(answer, "leases") {
        by_lan.or_default(word(lease, "lan")).push(lease);
        *counts.or_default(lease.get("kind").and_then(Value::as_str).unwrap_or_default()) += 1;
    }
    if by_lan.is_empty() {
        return "No leases.\n".into();
    }
    let mut table = Table::default();
    for (lan, leases) in by_lan {
        table.text(format!("LAN {lan}\n"));
        for lease in leases {
            let who = match word(lease, "kind").as_str() {
                kind @ ("registered" | "declined") => format!("{kind}: {}", client(lease)),
                _ => client(lease),
            };
            table.row([word(lease, "resource"), left(lease, "valid"), who]);
        }
        table.text("\n");
    }
    let kinds = counts.iter().map(|(kind, count)| match *kind {
        "address" => counted(count, "address", "addresses"),
        "prefix" => counted(count, "delegated prefix", "delegated prefixes"),
        "registered" => format!("{count} registered by their hosts"),
        "declined" => format!("{count} declined (somebody else uses them; kept back)"),
        other => format!("{count} {}", harmless(other)),
    });
    table.text(wrapped("", "  ", &kinds.collect::<Vec<_>>().join(", ")));
    table.show()
}

/// The answer to `plan`.
pub fn plan(answer: &Value) -> String {
    let mut out = String::new();
    if answer.get("enabled") == Some(&Value::Bool(false)) {
        let off = "oasis6 is off: `run` changes nothing until the configuration says `option enabled '1'`.";
        out.push_str(&wrapped("", "  ", off));
        out.push('\n');
    }
    troubles(answer, &mut out);
    let mut table = Table::default();
    lans(answer, &mut table);
    out.push_str(&table.show());
    let ops = list(answer, "ops");
    if ops.is_empty() {
        return out + "Nothing would change in the kernel.\n";
    }
    let mut table = Table::default();
    table.text(format!("{} in the kernel\n", counted(ops.len(), "change", "changes")));
    for op in ops {
        table.row([word(op, "op"), word(op, "object"), word(op, "value")]);
    }
    out + &table.show()
}

/// The answer to `reload`.
pub fn reload(answer: &Value) -> String {
    let warnings = list(answer, "warnings");
    if warnings.is_empty() {
        return "The configuration is in force.\n".into();
    }
    let mut out = format!("The configuration is in force, with {}:\n", counted(warnings.len(), "warning", "warnings"));
    for warning in warnings {
        out.push_str(&wrapped("  ", "    ", &field::text(warning)));
    }
    out
}

/// Who a lease is of: the name, or the address inside the DUID, or the DUID.
fn client(lease: &Value) -> String {
    let (hostname, duid) = (word(lease, "hostname"), word(lease, "duid"));
    if !hostname.is_empty() {
        return hostname;
    }
    let mac = duid.parse::<crate::net::Duid>().ok().and_then(|duid| duid.mac());
    mac.map_or(duid, |mac| mac.to_string())
}

/// One line: who, what, since when.
fn heading(answer: &Value) -> String {
    let lans = list(answer, "lans");
    let serving = lans.iter().filter(|lan| word(lan, "state") == "serving").count();
    let state = match word(answer, "state").as_str() {
        "serving" if serving < lans.len() => format!("serves {serving} of {}", counted(lans.len(), "LAN", "LANs")),
        "serving" => format!("serves {}", counted(lans.len(), "LAN", "LANs")),
        "waiting" if lans.is_empty() => "serves nothing: no LAN is configured".into(),
        "waiting" => format!("serves none of {}", counted(lans.len(), "LAN", "LANs")),
        "disabled" => "is off (option enabled '0')".into(),
        other => other.into(),
    };
    let mut out = format!("oasis6 {} {state}", word(answer, "version"));
    if let Some(uptime) = number(answer, "uptime") {
        out.push_str(&format!(", up {}", duration(uptime)));
    }
    out + "\n\n"
}

fn troubles(answer: &Value, out: &mut String) {
    let troubles = list(answer, "troubles");
    if troubles.is_empty() {
        return;
    }
    out.push_str("TO MEND\n");
    for trouble in troubles {
        let (place, message, remedy) = (word(trouble, "place"), word(trouble, "message"), word(trouble, "remedy"));
        out.push_str(&wrapped("  ", "    ", &format!("{place}: {message}")));
        if !remedy.is_empty() {
            out.push_str(&wrapped("    -> ", "       ", &remedy));
        }
    }
    out.push('\n');
}

/// What the kernel does not take.
fn refused(answer: &Value, out: &mut String) {
    let refused = answer.get("kernel").map_or(&[][..], |kernel| list(kernel, "refused"));
    if refused.is_empty() {
        return;
    }
    out.push_str("REFUSED BY THE KERNEL\n");
    for one in refused {
        let mut line = format!("{}: {}", word(one, "what"), word(one, "message"));
        if let Some(seconds) = number(one, "retry_in") {
            line.push_str(&format!("; tried again in {}", duration(seconds)));
        }
        out.push_str(&wrapped("  ", "    ", &line));
    }
    out.push('\n');
}

fn warnings(answer: &Value, out: &mut String) {
    let warnings = answer.get("config").map_or(&[][..], |config| list(config, "warnings"));
    if warnings.is_empty() {
        return;
    }
    out.push_str("WARNINGS ABOUT THE CONFIGURATION\n");
    for warning in warnings {
        out.push_str(&wrapped("  ", "    ", &field::text(warning)));
    }
    out.push('\n');
}

fn lans(answer: &Value, table: &mut Table) {
    for lan in list(answer, "lans") {
        let (name, device) = (word(lan, "name"), word(lan, "device"));
        let place = if device.is_empty() { format!("LAN {name}") } else { format!("LAN {name} on {device}") };
        if word(lan, "state") == "serving" {
            table.text(format!("{place}: served\n"));
        } else {
            table.text(wrapped("", "  ", &format!("{place}: NOT served: {}", word(lan, "why"))));
        }
        prefixes(lan, table);
        if let Some(leased) = lan.get("dhcp6")
            && let Some(addresses) = number(leased, "addresses")
        {
            let addresses = counted(addresses, "address", "addresses");
            let prefixes = counted(number(leased, "prefixes").unwrap_or(0), "prefix", "prefixes");
            table.text(format!("  leased: {addresses}, {prefixes}\n"));
        }
        if let Some(ra) = lan.get("ra").filter(|ra| ra.is_object()) {
            table.text(wrapped("  ", "    ", &advertisements(ra)));
        }
        table.text("\n");
    }
}

/// `advertised 12 times to all, 3 times to one; dropped: 4 hop limit; other routers: fe80::1`
fn advertisements(ra: &Value) -> String {
    let times = |key| counted(number(ra, key).unwrap_or(0), "time", "times");
    let dropped = object(ra, "drops").map(field::words).filter(|words| !words.is_empty());
    let routers: Vec<String> = list(ra, "routers").iter().map(|router| word(router, "address")).collect();
    let routers = (!routers.is_empty()).then(|| routers.join(", "));
    let said = format!("advertised {} to all, {} to one", times("multicasts"), times("unicasts"));
    let more = [("dropped", dropped), ("other routers", routers)];
    let more = more.into_iter().filter_map(|(what, words)| Some(format!("; {what}: {}", words?)));
    said + &more.collect::<String>()
}

fn sources(answer: &Value, table: &mut Table) {
    match answer.get("prefixes").and_then(Value::as_array) {
        Some(sources) if sources.is_empty() => table.text("There is no prefix to give to LANs.\n\n"),
        Some(_) => {
            table.text("Prefixes to give to LANs\n");
            prefixes(answer, table);
            table.text("\n");
        }
        None => {}
    }
}

fn prefixes(of: &Value, table: &mut Table) {
    let prefixes = list(of, "prefixes");
    if !prefixes.is_empty() {
        table.row(["PREFIX", "PREFERRED", "VALID", "FROM"].map(Into::into));
    }
    for prefix in prefixes {
        let preferred = match number(prefix, "preferred") {
            Some(0) => "deprecated".into(),
            _ => left(prefix, "preferred"),
        };
        let from = match word(prefix, "source").as_str() {
            "gone" => "gone: withdrawn".into(),
            source => source.to_owned(),
        };
        table.row([word(prefix, "prefix"), preferred, left(prefix, "valid"), from]);
    }
}

fn facts(answer: &Value, out: &mut String) {
    let mut line = |text: &str| out.push_str(&wrapped("", "  ", text));
    let is = |key| answer.get(key).and_then(Value::as_bool);
    match (is("default_router"), is("default_route")) {
        (Some(true), _) => line("Hosts use this router as their way out."),
        (Some(false), Some(true)) => line(
            "Hosts don't use this router as their way out: there is a default route, but no LAN has a prefix that is \
             known to the Internet.",
        ),
        (Some(false), _) => line("Hosts don't use this router as their way out: it has no default route."),
        (None, _) => {}
    }
    if let Some(store) = answer.get("store") {
        let due = store.get("bindings").and_then(|bindings| number(bindings, "next_write"));
        let due = due.map(|seconds| format!(", next in {}", duration(seconds))).unwrap_or_default();
        if let Some(writes) = number(store, "flash_writes") {
            line(&format!("Flash: written {}{due}", counted(writes, "time", "times")));
        }
    }
    let misused = answer.get("control").and_then(|control| object(control, "dropped"));
    for (counts, what) in [(object(answer, "dhcp6"), "DHCPv6"), (misused, "Clients dropped by the control socket")] {
        if let Some(words) = counts.map(field::words).filter(|words| !words.is_empty()) {
            line(&format!("{what}: {words}"));
        }
    }
    if let Some(config) = answer.get("config")
        && let Some(seconds) = number(config, "loaded")
    {
        line(&format!("Configuration: {}, loaded {} ago", word(config, "file"), duration(seconds)));
    }
}

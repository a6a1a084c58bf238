//! Answers as text for people: what is wrong first, each with its remedy, then what is served.
//!
//! Everything fits 80 columns as far as addresses allow. Names and messages come from hosts and files, so nothing in
//! them reaches a terminal as a control character. A field that is missing (a daemon of another version) is left out.

mod event;
mod field;
mod text;

#[cfg(test)]
mod tests;

pub use event::event;
pub use text::harmless;

use field::{list, number, object, word};
use serde_json::Value;
use text::{Table, counted, duration, left, wrapped};

/// The answer to `status`.
pub fn status(answer: &Value) -> String {
    let mut out = heading(answer);
    troubles(answer, &mut out);
    refused(answer, &mut out);
    warnings(answer, &mut out);
    lans(answer, &mut out);
    sources(answer, &mut out);
    facts(answer, &mut out);
    out
}

/// The answer to `leases`.
pub fn leases(answer: &Value) -> String {
    let leases = list(answer, "leases");
    if leases.is_empty() {
        return "No leases.\n".into();
    }
    let mut table = Table::new(&["LAN", "ADDRESS OR PREFIX", "KIND", "LEFT", "CLIENT"]);
    for lease in leases {
        table.row([
            word(lease, "lan"),
            word(lease, "resource"),
            word(lease, "kind"),
            left(lease, "valid"),
            client(lease),
        ]);
    }
    let kinds = ["address", "prefix", "registered", "declined"].into_iter().filter_map(|kind| {
        let count = leases.iter().filter(|lease| word(lease, "kind") == kind).count();
        (count > 0).then(|| match kind {
            "address" => counted(count, "address", "addresses"),
            "prefix" => counted(count, "delegated prefix", "delegated prefixes"),
            "registered" => format!("{count} registered by their hosts"),
            _ => format!("{count} in use by somebody else, kept back"),
        })
    });
    let kinds: Vec<String> = kinds.collect();
    format!("{}\n{}\n", table.text(""), kinds.join(", "))
}

/// The answer to `plan`.
pub fn plan(answer: &Value) -> String {
    let mut out = String::new();
    troubles(answer, &mut out);
    let ops = list(answer, "ops");
    if ops.is_empty() {
        out.push_str("Nothing would change in the kernel.\n");
    } else {
        out.push_str(&format!("{} in the kernel:\n\n", counted(ops.len(), "change", "changes")));
        let mut table = Table::new(&[]);
        for op in ops {
            table.row([word(op, "op"), word(op, "object"), word(op, "value")]);
        }
        out.push_str(&table.text("  "));
    }
    out.push('\n');
    lans(answer, &mut out);
    if answer.get("enabled") == Some(&Value::Bool(false)) {
        out.push_str("oasis6 is off: `run` changes nothing until the configuration says `option enabled '1'`.\n");
    }
    out.trim_end().to_owned() + "\n"
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

fn lans(answer: &Value, out: &mut String) {
    for lan in list(answer, "lans") {
        let (name, device, why) = (word(lan, "name"), word(lan, "device"), word(lan, "why"));
        let place = if device.is_empty() { format!("LAN {name}") } else { format!("LAN {name} on {device}") };
        if word(lan, "state") == "serving" {
            out.push_str(&format!("{place}: served\n"));
        } else {
            out.push_str(&wrapped("", "  ", &format!("{place}: NOT served: {why}")));
        }
        let mut table = Table::new(&[]);
        for prefix in list(lan, "prefixes") {
            table.row([word(prefix, "prefix"), from(prefix), lifetimes(prefix)]);
        }
        out.push_str(&table.text("  "));
        for (key, what) in [("dhcp6", "leases"), ("ra", "router advertisements")] {
            let words = object(lan, key).map(|counts| field::words(counts)).unwrap_or_default();
            if !words.is_empty() {
                out.push_str(&wrapped("  ", "    ", &format!("{what}: {words}")));
            }
        }
        out.push('\n');
    }
}

/// Where a prefix comes from.
fn from(prefix: &Value) -> String {
    match word(prefix, "source").as_str() {
        "gone" => "gone, being withdrawn".into(),
        source => format!("from {source}"),
    }
}

/// How long a prefix may be used.
fn lifetimes(prefix: &Value) -> String {
    let (preferred, valid) = (left(prefix, "preferred"), left(prefix, "valid"));
    match number(prefix, "preferred") {
        Some(0) => format!("deprecated, valid {valid}"),
        _ if preferred == valid => format!("valid {valid}"),
        _ => format!("preferred {preferred}, valid {valid}"),
    }
}

fn sources(answer: &Value, out: &mut String) {
    let sources = list(answer, "prefixes");
    if sources.is_empty() {
        if answer.get("prefixes").is_some() {
            out.push_str("There is no prefix to give to LANs.\n\n");
        }
        return;
    }
    out.push_str("Prefixes to give to LANs\n");
    let mut table = Table::new(&[]);
    for source in sources {
        let delegable = source.get("delegable") == Some(&Value::Bool(true));
        let note = if delegable { "delegated too" } else { "" };
        table.row([word(source, "prefix"), from(source), lifetimes(source), note.into()]);
    }
    out.push_str(&table.text("  "));
    out.push('\n');
}

fn facts(answer: &Value, out: &mut String) {
    let mut line = |text: &str| out.push_str(&wrapped("", "  ", text));
    match answer.get("default_router").and_then(Value::as_bool) {
        Some(true) => line("Hosts use this router as their way out: it has a default route."),
        Some(false) => line("Hosts don't use this router as their way out: it has no default route."),
        None => {}
    }
    for (key, what) in [("dhcp6", "DHCPv6 server"), ("store", "Store"), ("control", "Control")] {
        let words = object(answer, key).map(|counts| field::words(counts)).unwrap_or_default();
        if !words.is_empty() {
            line(&format!("{what}: {words}"));
        }
    }
    if let Some(config) = answer.get("config")
        && let Some(seconds) = number(config, "loaded")
    {
        line(&format!("Configuration: {}, loaded {} ago", word(config, "file"), duration(seconds)));
    }
}

use super::field::{list, text, word};
use super::text::left;
use serde_json::Value;

/// One event of `monitor`, in one line without its end.
pub fn event(event: &Value) -> String {
    let what = word(event, "what");
    match word(event, "event").as_str() {
        "hello" => format!("watching oasis6 {}", word(event, "version")),
        "lost" => format!("LOST: {}", word(event, "message")),
        "lease" => lease(event, &what),
        "lan" => {
            let (name, device, why) = (word(event, "name"), word(event, "device"), word(event, "why"));
            match word(event, "state").as_str() {
                "serving" => format!("lan {name}: served on {device}"),
                _ => format!("lan {name}: NOT served: {why}"),
            }
        }
        "uplink" => {
            let (name, state, role) = (word(event, "name"), word(event, "state"), word(event, "role"));
            let why = word(event, "reason");
            let why = if why.is_empty() { why } else { format!(": {why}") };
            format!("uplink {name}: {state}, {role}{why}")
        }
        "prefix" => format!("lan {}: prefix {} is {what}", word(event, "lan"), word(event, "prefix")),
        "kernel" => {
            let (op, object, message) = (word(event, "op"), word(event, "object"), word(event, "message"));
            match what.as_str() {
                "refused" => format!("kernel: REFUSED to {op} {object}: {message}"),
                _ => format!("kernel: {op} {object}"),
            }
        }
        "config" => {
            let problems: Vec<String> = list(event, "problems").iter().map(text).collect();
            let what = if what == "refused" { "REFUSED".into() } else { what };
            match problems.is_empty() {
                true => format!("configuration {what}"),
                false => format!("configuration {what}: {}", problems.join("; ")),
            }
        }
        // an event of a later version
        _ => text(event),
    }
}

fn lease(event: &Value, what: &str) -> String {
    let mut line = format!("lan {}: {} {what}", word(event, "lan"), word(event, "resource"));
    let by = match what {
        "granted" => " to ",
        "expired" => ", was of ",
        _ => " by ",
    };
    let client = super::client(event);
    if !client.is_empty() {
        line.push_str(by);
        line.push_str(&client);
    }
    if matches!(what, "granted" | "renewed") {
        line.push_str(&format!(", valid {}", left(event, "valid")));
    }
    line
}

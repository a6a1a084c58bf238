//! Fields of a JSON object that may be missing.

use crate::config::harmless;
use serde_json::{Map, Value};

/// A list; empty if it is missing.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An object.
pub(super) fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}

/// A whole number.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

/// A text or number as text; empty if it is missing or null.
pub(super) fn word(value: &Value, key: &str) -> String {
    value.get(key).map(text).unwrap_or_default()
}

/// Any value as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        other => harmless(&other.to_string()),
    }
}

/// Counters and plain facts in words: `12 addresses, 3 prefixes; dropped: 4 hop limit`. What is nought is left out.
pub(super) fn words(object: &Map<String, Value>) -> String {
    let (mut plain, mut nested) = (Vec::new(), Vec::new());
    for (key, value) in object {
        let name = harmless(key).replace('_', " ");
        match value {
            Value::Number(number) if number.as_f64() == Some(0.0) => {}
            Value::Number(number) if number.as_u64() == Some(1) => plain.push(format!("1 {}", singular(&name))),
            Value::Number(number) => plain.push(format!("{number} {name}")),
            Value::Bool(true) => plain.push(name),
            Value::String(text) if !text.is_empty() => plain.push(format!("{name} {}", harmless(text))),
            Value::Object(inner) => nested.push((name, words(inner))),
            Value::Array(items) => nested.push((name, items.iter().map(item).collect::<Vec<_>>().join(", "))),
            _ => {}
        }
    }
    let nested = nested.into_iter().filter(|(_, inner)| !inner.is_empty());
    let nested = nested.map(|(name, inner)| format!("{name}: {inner}"));
    (!plain.is_empty()).then(|| plain.join(", ")).into_iter().chain(nested).collect::<Vec<_>>().join("; ")
}

fn singular(name: &str) -> &str {
    let es = ["addresses", "prefixes"].contains(&name).then(|| name.strip_suffix("es")).flatten();
    es.or_else(|| name.strip_suffix('s').filter(|rest| !rest.ends_with('s'))).unwrap_or(name)
}

fn item(value: &Value) -> String {
    value.as_object().map_or_else(|| text(value), words)
}

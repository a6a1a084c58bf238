//! What netifd says of its interfaces: the answer to `network.interface dump`.
//!
//! Everything in it is optional; an interface that is down has next to nothing. Numbers of seconds are what is left.

use crate::net::{FlatMap, Instant, Lifetimes, Prefix, Until};
use crate::router::NetifdFacts;
use serde_json::Value;
use std::net::Ipv6Addr;

/// Interfaces taken: ten times what a large router has.
const MAX_INTERFACES: usize = 1024;
/// Prefixes, addresses, name servers taken of one, each: RFC 7084's routers have one or two.
const MOST: usize = 16;
/// Shares of one prefix: more than a router has networks.
const MAX_ASSIGNED: usize = 64;

/// Interface name → device: the device that carries packets while the interface is up, else the one that is configured.
/// An interface without a device is left out, and so is one that is on another (`@lan`).
pub fn devices(dump: &Value) -> FlatMap<String, String> {
    let devices = interfaces(dump).filter_map(|(name, interface)| {
        let device = word(interface, "l3_device")
            .or_else(|| word(interface, "device").filter(|device| !device.starts_with('@')))?;
        Some((name.to_owned(), device.to_owned()))
    });
    devices.collect()
}

/// Interface name → what an uplink of type `netifd` needs to know; lifetimes count from `now`.
pub fn facts(dump: &Value, now: Instant) -> FlatMap<String, NetifdFacts> {
    interfaces(dump).map(|(name, interface)| (name.to_owned(), of_interface(interface, now))).collect()
}

fn interfaces(dump: &Value) -> impl Iterator<Item = (&str, &Value)> {
    list(dump, "interface")
        .filter_map(|interface| Some((word(interface, "interface")?, interface)))
        .take(MAX_INTERFACES)
}

fn of_interface(interface: &Value, now: Instant) -> NetifdFacts {
    let flag = |name: &str| interface.get(name).and_then(Value::as_bool).unwrap_or(false);
    let addresses = list(interface, "ipv6-address").filter_map(|entry| {
        let (addr, len) = address(entry)?;
        Some((addr, len, lifetimes(entry, now)))
    });
    let prefixes = || list(interface, "ipv6-prefix").filter_map(|entry| Some((entry, prefix(entry)?))).take(MOST);
    let assigned = prefixes().flat_map(|(entry, whole)| {
        let shares = entry.get("assigned").and_then(Value::as_object).into_iter().flatten();
        let shares = shares.filter_map(|(name, share)| Some((name.clone(), prefix(share)?)));
        shares.filter(move |(_, share)| whole.covers(share)).take(MAX_ASSIGNED)
    });
    let default = list(interface, "route").find(|route| address(route) == Some((Ipv6Addr::UNSPECIFIED, 0)));
    let dns = list(interface, "dns-server").filter_map(|server| server.as_str()?.parse().ok());
    let errors = list(interface, "errors").filter_map(|error| word(error, "code"));
    NetifdFacts {
        up: flag("up"),
        pending: flag("pending"),
        error: errors.take(MOST).collect::<Vec<_>>().join(", "),
        prefixes: prefixes().map(|(entry, prefix)| (prefix, lifetimes(entry, now))).collect(),
        assigned: assigned.collect(),
        addresses: addresses.take(MOST).collect(),
        gateway: default.map(|route| parsed(route, "nexthop").unwrap_or(Ipv6Addr::UNSPECIFIED)),
        dns: dns.take(MOST).collect(),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn word<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|word| !word.is_empty())
}

fn parsed(value: &Value, name: &str) -> Option<Ipv6Addr> {
    word(value, name)?.parse().ok()
}

/// `address` (in a route `target`) and `mask`.
fn address(entry: &Value) -> Option<(Ipv6Addr, u8)> {
    let len = u8::try_from(entry.get("mask")?.as_u64()?).ok().filter(|len| *len <= 128)?;
    Some((parsed(entry, "address").or_else(|| parsed(entry, "target"))?, len))
}

fn prefix(entry: &Value) -> Option<Prefix> {
    let (addr, len) = address(entry)?;
    Prefix::new(addr, len)
}

/// Seconds that are left; nothing: for ever.
fn lifetimes(entry: &Value, now: Instant) -> Lifetimes {
    let end = |name: &str| match entry.get(name).and_then(Value::as_u64) {
        Some(seconds) => Until::from_wire(u32::try_from(seconds).unwrap_or(u32::MAX), now),
        None => Until::Forever,
    };
    Lifetimes::new(end("preferred"), end("valid"))
}

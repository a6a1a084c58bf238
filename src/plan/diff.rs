//! What has to change in the kernel so that it holds what is wanted.
//!
//! Only objects that carry our tag are changed or deleted. An object of somebody else under a wanted key counts as
//! there: it does the job, and fighting over it would help nobody.

use super::{Actual, Key, Objects, Op, RouteTarget, Tag, Value};
use crate::net::{Lifetimes, Until};

/// How far two ends of a lifetime may lie apart and still count as the same: the kernel tells whole seconds, cut once
/// when it is told and once when it tells.
const TOLERANCE_MS: u64 = 2_000;

/// Everything that has to change, in an order in which each change can succeed. Empty: the kernel is as wanted.
pub fn diff(wanted: &Objects, actual: &Actual) -> Vec<Op> {
    let ours = |tag: Tag| tag == Tag::Ours;
    let addresses = actual.addresses.iter().filter(|(_, address)| ours(address.tag));
    let addresses = addresses.map(|((link, addr), _)| Key::Address { link: *link, addr: *addr });
    let routes = actual.routes.iter().filter(|(_, route)| ours(route.tag)).map(|(key, _)| key.clone());
    let devices = actual.devices.keys().map(|name| Key::Device(name.clone()));
    let proxies = actual.proxies.iter().map(|(link, addr)| Key::Proxy { link: *link, addr: *addr });
    let all = addresses.chain(routes).chain(devices).chain(proxies).chain([Key::Guard]);
    let unwanted = all.filter(|key| !wanted.contains_key(key));
    let mut ops: Vec<Op> = unwanted.filter_map(|key| delete(key, actual)).collect();
    ops.extend(wanted.iter().filter_map(|(key, value)| put(key, value, actual)));
    ops.sort_by_key(rank);
    ops
}

/// As [`diff`], for the objects under `keys` only: the rest is known to be as it was.
pub fn diff_keys<'a>(wanted: &Objects, actual: &Actual, keys: impl IntoIterator<Item = &'a Key>) -> Vec<Op> {
    let one = |key: &Key| match wanted.get(key) {
        Some(value) => put(key, value, actual),
        None => delete(key.clone(), actual),
    };
    let mut ops: Vec<Op> = keys.into_iter().filter_map(one).collect();
    ops.sort_by_key(rank);
    ops
}

fn put(key: &Key, value: &Value, actual: &Actual) -> Option<Op> {
    let there = match actual.get(key) {
        Some((_, Tag::Foreign)) => true,
        Some((was, Tag::Ours)) => alike(value, &was),
        None => false,
    };
    let possible = match (key, value) {
        // somebody else's device under this name is not touched
        (Key::Device(name), _) => !actual.is_taken(name),
        (Key::Address { link, .. }, _) => actual.links.contains_key(link),
        // it forgets them when the link goes down
        (Key::Proxy { link, .. }, _) => actual.links.get(link).is_some_and(|link| link.up),
        // the kernel refuses routes over a link that is down; it comes up with a change of its own
        (_, Value::Route(target)) => {
            target.link().is_none_or(|link| actual.links.get(&link).is_some_and(|link| link.up))
        }
        _ => true,
    };
    match (there, possible) {
        (true, _) => None,
        (false, true) => Some(Op::Put(key.clone(), value.clone())),
        // what stands there instead leads astray
        (false, false) => delete(key.clone(), actual),
    }
}

/// Removes what is ours. A sysctl has no owner and stays as it is.
fn delete(key: Key, actual: &Actual) -> Option<Op> {
    let (value, tag) = actual.get(&key)?;
    let link = match (&key, &value) {
        (Key::Sysctl(_), _) => return None,
        (Key::Address { link, .. } | Key::Proxy { link, .. }, _) => Some(*link),
        (_, Value::Route(target)) => target.link(),
        _ => None,
    };
    // a link takes its objects along
    let possible = link.is_none_or(|link| actual.links.contains_key(&link));
    (tag == Tag::Ours && possible).then_some(Op::Delete(key, value))
}

/// The guard before anything that it guards; sysctls; then what goes, users before what they use; then what comes, the
/// other way round. Devices go before others come: two tunnels between the same addresses can't both be.
fn rank(op: &Op) -> u8 {
    match op {
        Op::Put(Key::Guard, _) => 0,
        Op::Put(Key::Sysctl(_), _) | Op::Delete(Key::Sysctl(_), _) => 1,
        Op::Delete(_, Value::Route(RouteTarget::Unreachable)) => 4,
        Op::Delete(Key::Route { .. } | Key::Proxy { .. }, _) => 2,
        Op::Delete(Key::Address { .. }, _) => 3,
        Op::Delete(Key::Device(_), _) => 5,
        Op::Put(Key::Device(_), _) => 6,
        Op::Put(_, Value::Route(RouteTarget::Unreachable)) => 7,
        Op::Put(Key::Address { .. }, _) => 8,
        Op::Put(Key::Route { .. } | Key::Proxy { .. }, _) => 9,
        Op::Delete(Key::Guard, _) => 10,
    }
}

/// Whether it makes no difference to anybody that there is `b` where `a` is wanted.
pub(super) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Address { len: a_len, lifetimes: a }, Value::Address { len: b_len, lifetimes: b }) => {
            let Lifetimes { preferred, valid } = a;
            a_len == b_len && near(*preferred, b.preferred) && near(*valid, b.valid)
        }
        (Value::Device(wanted), Value::Device(is)) => is.serves(wanted),
        _ => a == b,
    }
}

fn near(a: Until, b: Until) -> bool {
    match (a, b) {
        (Until::At(a), Until::At(b)) => a.0.abs_diff(b.0) <= TOLERANCE_MS,
        _ => a == b,
    }
}

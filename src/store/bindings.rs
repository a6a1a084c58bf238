//! The file of bindings, in tmpfs and on flash alike: a snapshot, behind which changes may be appended.
//!
//! ```text
//! oasis6-bindings 1 BOOT AT whole|part                                   which boot its times belong to, when written
//! + ADDRESS LENGTH|- PREFERRED VALID GRANTED STATE CLIENT IAID VIA LAN HOSTNAME     what this client holds now
//! - ADDRESS LENGTH|-                                     this prefix is free, or, without a length, this address
//! end COUNT                                                              so many bindings were in the snapshot
//! ```
//!
//! Ends are milliseconds of CLOCK_BOOTTIME, or `forever`; GRANTED is how many seconds were promised when the client
//! was last answered. In the same boot, the ends in tmpfs are simply true. In another boot CLOCK_BOOTTIME has begun
//! anew, and on flash a renewal may be missing; so the promise counts in full from now: a binding then lasts longer
//! than the client believes, never shorter. Only a `whole` file, written when the daemon stopped, knows that nothing
//! was promised later; then what was left is what is left.
//!
//! Words may be added at the end of a line and kinds of lines may be added: a reader passes over what it doesn't know,
//! so that an older oasis6 can read the file of a newer one. What it must not misread gets a new kind.

use super::line::{Line, Read, fingerprint, lines, unhex, untext};
use crate::net::{Duid, FlatSet, Instant, Lifetimes, Prefix, Until};
use crate::proto::dhcp6::{Binding, Resource, State};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

const KIND: &str = "oasis6-bindings";
/// Which oasis6 wrote it; nothing depends on it yet.
const VERSION: &str = "1";

/// A resource in the least space, ordered: its octets, and its length or 255 for an address.
pub(super) type Key = [u8; 17];

pub(super) fn key(resource: &Resource) -> Key {
    let (addr, len) = match resource {
        Resource::Address(addr) => (*addr, u8::MAX),
        Resource::Prefix(prefix) => (prefix.addr(), prefix.len()),
    };
    let mut key = [len; 17];
    for (to, from) in key.iter_mut().zip(addr.octets()) {
        *to = from;
    }
    key
}

/// Seconds that a promise made `now` runs, rounded up; [`u32::MAX`] for ever.
pub(super) fn granted(until: Until, now: Instant) -> u32 {
    match until {
        Until::Forever => u32::MAX,
        Until::At(end) => {
            let seconds = end.since(now).as_millis().div_ceil(1000);
            u32::try_from(seconds).unwrap_or(u32::MAX).min(u32::MAX - 1)
        }
    }
}

/// The first line.
pub(super) fn header(out: &mut Vec<u8>, boot: &str, at: Instant, whole: bool) {
    let whole = if whole { "whole" } else { "part" };
    Line::new(out, KIND).word(VERSION).text(boot).number(at.0).word(whole).close();
}

/// The last line of a snapshot.
pub(super) fn end(out: &mut Vec<u8>, count: usize) {
    Line::new(out, "end").number(count as u64).close();
}

/// One binding; gives back a fingerprint of everything but its lifetimes.
pub(super) fn put(out: &mut Vec<u8>, binding: &Binding, granted: u32) -> u32 {
    let state = match binding.state {
        State::Bound => "bound",
        State::Declined => "declined",
        State::Registered => "registered",
    };
    let line = resource(Line::new(out, "+"), &binding.resource);
    let line = until(line, binding.lifetimes.preferred);
    let line = until(line, binding.lifetimes.valid).number(granted.into());
    let mark = line.mark();
    let line = line.word(state).hex(binding.client.as_bytes()).hex(&binding.iaid.to_be_bytes());
    let line = line.hex(&binding.via.octets()).text(&binding.lan).text(&binding.hostname);
    let print = line.fingerprint_since(mark);
    line.close();
    print
}

/// A resource that is free again.
pub(super) fn delete(out: &mut Vec<u8>, freed: &Resource) {
    resource(Line::new(out, "-"), freed).close();
}

fn resource<'a>(line: Line<'a>, resource: &Resource) -> Line<'a> {
    match resource {
        Resource::Address(addr) => line.hex(&addr.octets()).word("-"),
        Resource::Prefix(prefix) => line.hex(&prefix.addr().octets()).number(prefix.len().into()),
    }
}

fn until(line: Line<'_>, until: Until) -> Line<'_> {
    match until {
        Until::Forever => line.word("forever"),
        Until::At(end) => line.number(end.0),
    }
}

/// A binding as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) binding: Binding,
    /// Seconds that were promised.
    pub(super) granted: u32,
    /// Fingerprint of everything but the lifetimes, as [`put`] gives it.
    pub(super) print: u32,
}

/// All that a file says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    /// By resource; `None`: free.
    pub(super) records: BTreeMap<Key, Option<Held>>,
    /// It was written when the daemon stopped.
    pub(super) whole: bool,
    /// Its last line was cut short.
    pub(super) torn: bool,
    /// Something else is damaged or missing.
    pub(super) damaged: bool,
    /// Lines of a newer oasis6.
    pub(super) unknown: usize,
}

/// Reads a file, whatever it holds, as of `now` in this `boot`. If it `lags`, renewals may be missing in it.
pub(super) fn read(bytes: &[u8], lags: bool, boot: &str, now: Instant) -> Content {
    let mut content = Content::default();
    let mut names = FlatSet::new();
    let (mut header, mut count, mut expected) = (None, 0, None);
    for (index, line) in lines(bytes).enumerate() {
        let body = match line {
            Read::Good(body) => body,
            Read::Torn => {
                content.torn = true;
                continue;
            }
            Read::Bad => {
                content.damaged = true;
                continue;
            }
        };
        let (kind, rest) = body.split_once(' ').unwrap_or((body, ""));
        let understood = match kind {
            KIND if index == 0 => parse_header(rest).map(|parsed| header = Some(parsed)),
            "+" => parse_put(rest, &mut names).map(|held| {
                count += 1;
                content.records.insert(key(&held.binding.resource), Some(held));
            }),
            "-" => parse_resource(&mut rest.split(' ')).map(|resource| {
                content.records.insert(key(&resource), None);
            }),
            "end" => rest.split(' ').next().and_then(|word| word.parse::<usize>().ok()).map(|number| {
                expected = Some((number, count));
            }),
            _ => None,
        };
        content.unknown += usize::from(understood.is_none());
    }
    // lines that were not understood are missing from the count, and no damage
    let complete = expected.is_some_and(|(expected, count)| expected == count || content.unknown > 0);
    content.damaged |= header.is_none() || !complete;
    let header = header.unwrap_or_default();
    content.whole = header.whole;
    // what was damaged may have been a renewal
    let lags = lags || content.damaged;
    let same_boot = header.boot == boot && !boot.is_empty();
    for held in content.records.values_mut().flatten() {
        match (same_boot, header.whole) {
            (true, whole) if whole || !lags => {}
            (false, true) => move_ends(&mut held.binding.lifetimes, header.at, now),
            _ => promise_anew(held, now),
        }
    }
    content
}

#[derive(Default)]
struct Header {
    boot: String,
    at: Instant,
    whole: bool,
}

fn parse_header(words: &str) -> Option<Header> {
    let mut words = words.split(' ').skip(1);
    let boot = untext(words.next()?)?;
    let at = Instant(words.next()?.parse().ok()?);
    Some(Header { boot, at, whole: words.next()? == "whole" })
}

fn parse_resource<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Resource> {
    let addr = parse_addr(words.next()?)?;
    match words.next()? {
        "-" => Some(Resource::Address(addr)),
        len => Prefix::new(addr, len.parse().ok()?).map(Resource::Prefix),
    }
}

fn parse_put(words: &str, names: &mut FlatSet<Arc<str>>) -> Option<Held> {
    let mut words = words.splitn(6, ' ');
    let resource = parse_resource(&mut words)?;
    let (preferred, valid) = (parse_until(words.next()?)?, parse_until(words.next()?)?);
    let granted = words.next()?.parse().ok()?;
    let words = words.next()?;
    let print = fingerprint(words.as_bytes());
    let mut words = words.split(' ');
    let state = match words.next()? {
        "bound" => State::Bound,
        "declined" => State::Declined,
        "registered" => State::Registered,
        _ => return None,
    };
    let client = Duid::new(&unhex(words.next()?)?)?;
    let iaid = u32::from_be_bytes(unhex(words.next()?)?.try_into().ok()?);
    let via = parse_addr(words.next()?)?;
    let lan = untext(words.next()?)?;
    let lan = names.get(lan.as_str()).cloned().unwrap_or_else(|| {
        let lan: Arc<str> = lan.into();
        names.insert(lan.clone());
        lan
    });
    let hostname = untext(words.next()?)?.into();
    let lifetimes = Lifetimes::new(preferred, valid);
    let binding = Binding { resource, client, iaid, lan, via, lifetimes, state, hostname };
    Some(Held { binding, granted, print })
}

fn parse_addr(word: &str) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = unhex(word)?.try_into().ok()?;
    Some(octets.into())
}

fn parse_until(word: &str) -> Option<Until> {
    match word {
        "forever" => Some(Until::Forever),
        _ => word.parse().ok().map(|end| Until::At(Instant(end))),
    }
}

/// What was left at `then`, in another boot, is left now.
fn move_ends(lifetimes: &mut Lifetimes, then: Instant, now: Instant) {
    let moved = |until: Until| match until {
        Until::Forever => Until::Forever,
        Until::At(end) => Until::At(now.after(end.since(then))),
    };
    *lifetimes = Lifetimes::new(moved(lifetimes.preferred), moved(lifetimes.valid));
}

/// The whole promise counts from now; the preferred lifetime ends as long before the valid one as it did.
fn promise_anew(held: &mut Held, now: Instant) {
    let Lifetimes { preferred, valid } = held.binding.lifetimes;
    let until = Until::from_wire(held.granted, now);
    let preferred = match (preferred, valid, until) {
        (Until::At(preferred), Until::At(valid), Until::At(until)) => {
            let before = u64::try_from(valid.since(preferred).as_millis()).unwrap_or(u64::MAX);
            Until::At(Instant(until.0.saturating_sub(before)))
        }
        _ => until,
    };
    held.binding.lifetimes = Lifetimes::new(preferred, until);
}

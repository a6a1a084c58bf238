//! The file of what is remembered beside the bindings, readable by people; in tmpfs and on flash alike.
//!
//! ```text
//! oasis6-memory 1 BOOT AT                                   which boot it is of, and when in it this was written
//! ula fd12:3456:789a::/48
//! duid 0004…
//! secret 8f3a…                                           addresses of uplinks follow from it (RFC 7217)
//! hash router.example                                     the router has an address made of this name
//! served LAN PREFIX live|gone SECONDS|forever               how long hosts may still use it
//! end COUNT                                                 so many prefixes were served
//! ```
//!
//! `ula`, `duid` and `secret` stand there twice, since one flipped bit must not renumber a whole site. A live prefix is announced
//! again and again, so its seconds count anew whenever the file is read. Those of one that is gone count from AT in the
//! same boot, and anew in another: hosts are told for longer that it is gone, never for too short.

// UNTESTED RFC 9096 §3.5: the A and L flags of each prefix are recorded too. Reason: they follow from the LAN's configuration, which is on flash

use super::bindings::granted;
use super::line::{Line, Read, lines, unhex, untext};
use crate::net::{Duid, Instant, Prefix, Until};
use crate::plan::Served;

const KIND: &str = "oasis6-memory";
const VERSION: &str = "1";
/// Ends that differ by less are the same: they are written in whole seconds, rounded up.
const SLACK_S: u32 = 1;

/// What is remembered on flash beside the bindings. Changes rarely; one write per change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The unique local prefix drawn for this router (RFC 4193 §3.2).
    pub ula: Option<Prefix>,
    /// The DHCPv6 server's DUID (RFC 9915 §11).
    pub duid: Option<Duid>,
    /// Secret that the router's own addresses on uplinks follow from (RFC 7217 §5).
    pub secret: Option<[u8; 16]>,
    /// Names attached, out of which the router has addresses.
    pub hash_names: Vec<String>,
    /// Prefixes that LANs were told of.
    pub served: Vec<Served>,
}

/// A memory, and when it was true: the ends of live prefixes move on, whether we are told or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) memory: Memory,
    pub(super) at: Instant,
}

impl Told {
    /// Seconds that hosts may still use a prefix; [`u32::MAX`]: for ever.
    fn left(&self, served: &Served, now: Instant) -> u32 {
        granted(served.until, if served.live { self.at } else { now })
    }

    /// The whole file.
    pub(super) fn write(&self, boot: &str, now: Instant) -> Vec<u8> {
        let Memory { ula, duid, secret, hash_names, served } = &self.memory;
        let mut out = Vec::new();
        Line::new(&mut out, KIND).word(VERSION).text(boot).number(now.0).close();
        let identity = |out: &mut Vec<u8>| {
            if let Some(ula) = ula {
                Line::new(out, "ula").word(&ula.to_string()).close();
            }
            if let Some(duid) = duid {
                Line::new(out, "duid").hex(duid.as_bytes()).close();
            }
            if let Some(secret) = secret {
                Line::new(out, "secret").hex(secret).close();
            }
        };
        identity(&mut out);
        for name in hash_names {
            Line::new(&mut out, "hash").text(name).close();
        }
        for one in served {
            let line = Line::new(&mut out, "served").text(&one.lan).word(&one.prefix.to_string());
            let line = line.word(if one.live { "live" } else { "gone" });
            match self.left(one, now) {
                u32::MAX => line.word("forever").close(),
                seconds => line.number(seconds.into()).close(),
            }
        }
        identity(&mut out);
        Line::new(&mut out, "end").number(served.len() as u64).close();
        out
    }

    /// What of this is missing in a file that was made of `written`, or in no file.
    pub(super) fn lacking(&self, written: Option<&Told>, now: Instant) -> Missing {
        let Some(written) = written else { return Missing { something: true, promise: true } };
        let (wanted, was) = (&self.memory, &written.memory);
        let mut missing = Missing { something: wanted.served.len() != was.served.len(), promise: false };
        missing.promise |= (wanted.ula, &wanted.duid, wanted.secret) != (was.ula, &was.duid, was.secret);
        missing.promise |= wanted.hash_names != was.hash_names;
        for one in &wanted.served {
            match was.served.iter().find(|other| (&other.lan, other.prefix) == (&one.lan, one.prefix)) {
                Some(other) => {
                    missing.something |= one.live != other.live;
                    missing.promise |= self.left(one, now) > written.left(other, now).saturating_add(SLACK_S);
                }
                None => missing.promise = true,
            }
        }
        missing
    }
}

/// How a file lags behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// In nothing that hosts rely on: a prefix gone, or forgotten.
    pub(super) something: bool,
    /// In who we are, or in what hosts were told: a prefix unknown to it, or one that lives longer.
    pub(super) promise: bool,
}

/// All that a file says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) memory: Memory,
    /// When it was written, if that was in this boot.
    pub(super) written_at: Option<Instant>,
    /// Something is damaged or missing.
    pub(super) damaged: bool,
    /// Lines of a newer oasis6.
    pub(super) unknown: usize,
}

/// Reads a file, whatever it holds, as of `now` in this `boot`.
pub(super) fn read(bytes: &[u8], boot: &str, now: Instant) -> Content {
    let mut content = Content::default();
    let (mut has_header, mut expected) = (false, None);
    for (index, line) in lines(bytes).enumerate() {
        let Read::Good(body) = line else {
            content.damaged = true;
            continue;
        };
        let (kind, rest) = body.split_once(' ').unwrap_or((body, ""));
        let mut words = rest.split(' ');
        let memory = &mut content.memory;
        let understood = match kind {
            KIND if index == 0 => parse_header(words).map(|(written_in, at)| {
                has_header = true;
                content.written_at = (written_in == boot && !boot.is_empty()).then_some(at.min(now));
            }),
            "ula" => words.next().and_then(|word| word.parse().ok()).map(|ula| {
                memory.ula.get_or_insert(ula);
            }),
            "duid" => words.next().and_then(unhex).and_then(|bytes| Duid::new(&bytes)).map(|duid| {
                memory.duid.get_or_insert(duid);
            }),
            "secret" => words.next().and_then(unhex).and_then(|bytes| bytes.try_into().ok()).map(|secret| {
                memory.secret.get_or_insert(secret);
            }),
            "hash" => words.next().and_then(untext).map(|name| memory.hash_names.push(name)),
            "served" => {
                parse_served(words, content.written_at.unwrap_or(now), now).map(|served| memory.served.push(served))
            }
            "end" => words.next().and_then(|word| word.parse::<usize>().ok()).map(|count| expected = Some(count)),
            _ => None,
        };
        content.unknown += usize::from(understood.is_none());
    }
    let complete = expected.is_some_and(|count| count == content.memory.served.len() || content.unknown > 0);
    content.damaged |= !has_header || !complete;
    content
}

/// The boot it was written in, and when in it.
fn parse_header<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<(String, Instant)> {
    Some((untext(words.nth(1)?)?, Instant(words.next()?.parse().ok()?)))
}

/// Seconds of a live prefix count from `now`, those of one that is gone from `at`.
fn parse_served<'a>(mut words: impl Iterator<Item = &'a str>, at: Instant, now: Instant) -> Option<Served> {
    let lan = untext(words.next()?)?;
    let prefix = words.next()?.parse().ok()?;
    let live = match words.next()? {
        "live" => true,
        "gone" => false,
        _ => return None,
    };
    let until = match words.next()? {
        "forever" => Until::Forever,
        seconds => Until::At((if live { now } else { at }).after_secs(seconds.parse::<u32>().ok()?.into())),
    };
    Some(Served { lan, prefix, until, live })
}

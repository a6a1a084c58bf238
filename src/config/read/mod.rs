//! A configuration file's bytes → [`Config`], or everything that is wrong with them.
//!
//! ```text
//! bytes ─► uci::parse ─► fill (each option by its row) ─► globals, lan, uplink, … (options of one section together)
//!                                                          ─► across (sections together) ─► Config
//! ```
//!
//! Nothing stops at the first mistake: each step reports what it finds and goes on with what it has. A check of
//! several options keeps quiet when one of them was refused already, and checks of what is missing or contradicts
//! itself are left out where a part of the file could not even be split into options.

mod across;
mod dns;
mod globals;
mod host;
mod interfaces;
mod lan;
mod pinhole;
mod prefix;
mod report;
mod uplink;

pub use interfaces::interfaces;

use super::schema::{
    self, DNS, DnsDraft, GLOBALS, HOST, KEY, KeyDraft, LAN, LanDraft, PINHOLE, PREFIX, PUBLISH, PinholeDraft,
    PrefixDraft, PublishDraft, Row, Table, UPLINK, UplinkDraft,
};
use super::{Config, Host, Problem, Severity, nearest, uci};
use crate::net::FlatMap;
use report::{Place, Report};

/// Largest file read, in bytes. A configuration for hundreds of hosts has some ten thousand; a router with 32 MB of
/// memory must survive whatever stands in the file's place.
pub const MAX_FILE_SIZE: usize = 1 << 20;

/// Most sections `lan`: each is a device, with sockets and timers of its own. Every VLAN number once would be 4094.
pub const MAX_LANS: usize = 256;

/// Most sections `prefix`: each LAN gets an address out of each.
pub const MAX_PREFIXES: usize = 256;

/// Most sections `uplink`: each is watched, and its prefixes stand in every router advertisement.
pub const MAX_UPLINKS: usize = 16;

/// Most sections `pinhole`: each is an element of a set of nftables for each address of its host.
pub const MAX_PINHOLES: usize = 1024;

/// Most sections `key`: each update and transfer looks its key up by name.
pub const MAX_KEYS: usize = 64;

/// Most sections `publish`: each is a server that is told of every change.
pub const MAX_PUBLISH: usize = 16;

/// What came of reading a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The configuration; `None` if there is an error among the problems.
    pub config: Option<Config>,
    /// Its `run_dir`, also of a configuration that is refused: the daemon may still be running there.
    pub run_dir: String,
    /// Errors and warnings, by line; at most [`MAX_PROBLEMS`] and one that counts the others.
    pub problems: Vec<Problem>,
}

pub use report::MAX_PROBLEMS;

impl Default for Config {
    /// What an empty file says: the schema's defaults, and so not enabled.
    fn default() -> Config {
        GLOBALS.defaults()
    }
}

/// Reads and checks a configuration. Total: any bytes give a [`Reading`].
pub fn read(bytes: &[u8]) -> Reading {
    let mut report = Report::default();
    let config = if fit(bytes, &mut report) { Some(convert(&uci::parse(bytes), &mut report)) } else { None };
    let run_dir = config.as_ref().map_or_else(|| Config::default().run_dir, |config| config.run_dir.clone());
    let config = config.filter(|_| !report.has_errors());
    Reading { config, run_dir, problems: report.problems() }
}

/// Whether this is a text that we look at: damage to the file as a whole is said once, not line by line.
fn fit(bytes: &[u8], report: &mut Report) -> bool {
    let whole = Place::default();
    if bytes.len() > MAX_FILE_SIZE {
        let message = format!("the file is larger than {} KiB", MAX_FILE_SIZE / 1024);
        report.at(Severity::Error, &whole, 0, "", message, "see that it is the right file");
        return false;
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let line = 1 + bytes.iter().take(at).filter(|b| **b == b'\n').count();
        let remedy = "the file was probably being written when the power failed; restore it";
        report.at(Severity::Error, &whole, line, "", "there is a NUL byte", remedy);
        return false;
    }
    true
}

fn convert(file: &uci::File, report: &mut Report) -> Config {
    for (line, mistake) in &file.mistakes {
        report.at(mistake.severity(), &Place::default(), *line, "", mistake.to_string(), mistake.remedy());
    }
    report.skip(file.more_mistakes);
    let whole = !report.has_errors();
    let Drafts { globals, lans, uplinks, prefixes, hosts, pinholes, dns, keys, publish } =
        Drafts::collect(file, report);
    let mut config = match &globals {
        Some((place, config)) => {
            globals::check(place, config, report);
            config.clone()
        }
        None => {
            if whole {
                let message = "there is no section oasis6, so nothing is served";
                report.at(Severity::Warning, &Place::default(), 0, "", message, "add config oasis6 'globals'");
            }
            Config::default()
        }
    };
    if !whole {
        return config;
    }
    let lans = checked(lans, lan::check, report);
    let prefixes = checked(prefixes, prefix::check, report);
    for (place, host) in &hosts {
        host::check(place, host, report);
    }
    let uplinks = checked(uplinks, uplink::check, report);
    let pinholes = checked(pinholes, pinhole::check, report);
    let dns = checked(dns.into_iter().collect(), dns::check, report).pop();
    let keys = checked(keys, dns::key, report);
    let publish = checked(publish, dns::publish, report);
    let globals = globals.as_ref().map(|(place, _)| place);
    let sections = across::Sections { lans, uplinks, prefixes, hosts, pinholes, dns, keys, publish };
    across::check(globals, &config, &sections, report);
    let across::Sections { lans, uplinks, prefixes, hosts, pinholes, dns, keys, publish } = sections;
    config.dns = dns.map(|(_, dns)| dns);
    config.keys = keys.into_iter().map(|(place, key)| (place.name, key)).collect();
    config.publish = publish.into_iter().map(|(place, publish)| (place.name, publish)).collect();
    config.uplinks = uplinks.into_iter().map(|(place, uplink)| (place.name, uplink)).collect();
    config.pinholes = pinholes.into_iter().map(|(_, pinhole)| pinhole).collect();
    config.lans = lans.into_iter().map(|(place, lan)| (place.name, lan)).collect();
    config.prefixes = prefixes.into_iter().map(|(place, prefix)| (place.name, prefix)).collect();
    config.hosts = hosts.into_iter().map(|(_, host)| host).collect();
    config
}

/// Those sections of one type whose options agree.
fn checked<D, T>(
    drafts: Vec<(Place, D)>,
    check: fn(&Place, D, &mut Report) -> Option<T>,
    report: &mut Report,
) -> Vec<(Place, T)> {
    let sections = drafts.into_iter().filter_map(|(place, draft)| {
        let section = check(&place, draft, report)?;
        Some((place, section))
    });
    sections.collect()
}

/// The sections of a file, each with the place it has there.
#[derive(Default)]
struct Drafts {
    globals: Option<(Place, Config)>,
    lans: Vec<(Place, LanDraft)>,
    uplinks: Vec<(Place, UplinkDraft)>,
    prefixes: Vec<(Place, PrefixDraft)>,
    hosts: Vec<(Place, Host)>,
    pinholes: Vec<(Place, PinholeDraft)>,
    dns: Option<(Place, DnsDraft)>,
    keys: Vec<(Place, KeyDraft)>,
    publish: Vec<(Place, PublishDraft)>,
}

impl Drafts {
    fn collect(file: &uci::File, report: &mut Report) -> Drafts {
        let mut drafts = Drafts::default();
        let mut counts: FlatMap<&str, usize> = FlatMap::new();
        for section in &file.sections {
            let count = counts.or_default(&section.kind);
            let place = Place::new(section, *count);
            *count += 1;
            match section.kind.as_str() {
                "dns" => {
                    let draft = fill(&DNS, section, place, report);
                    only(&mut drafts.dns, draft, &section.kind, report);
                }
                "oasis6" => {
                    let draft = fill(&GLOBALS, section, place, report);
                    only(&mut drafts.globals, draft, &section.kind, report);
                }
                kind @ "lan" if drafts.lans.len() >= MAX_LANS => too_many(kind, MAX_LANS, &place, report),
                kind @ "prefix" if drafts.prefixes.len() >= MAX_PREFIXES => {
                    too_many(kind, MAX_PREFIXES, &place, report)
                }
                kind @ "uplink" if drafts.uplinks.len() >= MAX_UPLINKS => too_many(kind, MAX_UPLINKS, &place, report),
                kind @ "pinhole" if drafts.pinholes.len() >= MAX_PINHOLES => {
                    too_many(kind, MAX_PINHOLES, &place, report)
                }
                kind @ "key" if drafts.keys.len() >= MAX_KEYS => too_many(kind, MAX_KEYS, &place, report),
                kind @ "publish" if drafts.publish.len() >= MAX_PUBLISH => too_many(kind, MAX_PUBLISH, &place, report),
                "key" => drafts.keys.push(fill(&KEY, section, place, report)),
                "publish" => drafts.publish.push(fill(&PUBLISH, section, place, report)),
                "lan" => drafts.lans.push(fill(&LAN, section, place, report)),
                "uplink" => drafts.uplinks.push(fill(&UPLINK, section, place, report)),
                "pinhole" => drafts.pinholes.push(fill(&PINHOLE, section, place, report)),
                "prefix" => drafts.prefixes.push(fill(&PREFIX, section, place, report)),
                "host" => {
                    let (place, host) = fill(&HOST, section, place, report);
                    let host = Host { section: place.name.clone(), ..host };
                    drafts.hosts.push((place, host));
                }
                other => {
                    let known = schema::sections().map(|section| section.kind);
                    let message = format!("there is no section type '{other}'");
                    let remedy = meant(other, known, report);
                    report.warning(&place, &[], message, remedy);
                }
            }
        }
        drafts
    }
}

/// Keeps the first of those sections of which there is one.
fn only<T>(kept: &mut Option<(Place, T)>, draft: (Place, T), kind: &str, report: &mut Report) {
    match kept {
        None => *kept = Some(draft),
        Some((first, _)) => {
            let message = format!("line {} has a section {kind} already", first.line);
            report.error(&draft.0, &[], message, "put all its options into that one");
        }
    }
}

fn too_many(kind: &str, most: usize, place: &Place, report: &mut Report) {
    report.error(place, &[], format!("there are more than {most} sections {kind}"), "remove some");
}

/// `did you mean …?`, or where all names stand. Nothing where it would not be told: comparing takes time.
fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, report: &Report) -> String {
    if report.is_full() {
        return String::new();
    }
    match nearest(word, known) {
        Some(known) => format!("did you mean '{known}'?"),
        None => "it is ignored; 'oasis6 schema' shows what there is".into(),
    }
}

/// Puts every option of a section into its place, and the default where there is none.
fn fill<T>(table: &Table<T>, section: &uci::Section, mut place: Place, report: &mut Report) -> (Place, T) {
    let mut target = table.blank();
    if table.named && section.anonymous {
        let remedy = format!("write config {} 'NAME'; it is remembered by that name", table.kind);
        report.error(&place, &[], "it has no name", remedy);
    }
    for entry in &section.options {
        match table.rows.iter().find(|row| row.name == entry.name) {
            Some(row) => {
                let good = put(row, entry, &place, &mut target, report);
                place.add(row.name, entry.items.first().map_or(section.line, |item| item.line), good);
            }
            None => {
                let line = entry.items.first().map_or(section.line, |item| item.line);
                let remedy = meant(&entry.name, table.rows.iter().map(|row| row.name), report);
                report.at(Severity::Warning, &place, line, &entry.name, "there is no such option", remedy);
            }
        }
    }
    for row in table.rows.iter().filter(|row| !place.has(row.name)) {
        row.set_default(&mut target);
    }
    (place, target)
}

/// Puts an option's values into their place; false if one was refused. Where a list is wanted, words in one value
/// are items too, as OpenWrt's own scripts have it.
fn put<T>(row: &Row<T>, entry: &uci::Entry, place: &Place, target: &mut T, report: &mut Report) -> bool {
    let mut good = true;
    let mut refuse = |line, message: String, remedy: String| {
        report.at(Severity::Error, place, line, row.name, message, remedy);
        good = false;
    };
    let mut count = 0;
    for item in &entry.items {
        let Ok(text) = std::str::from_utf8(&item.value) else {
            refuse(item.line, "the value is not UTF-8 text".into(), "write it in ASCII".into());
            continue;
        };
        let words: Vec<&str> = match row.most {
            1 => vec![text],
            _ => text.split_ascii_whitespace().collect(),
        };
        if words.is_empty() {
            refuse(item.line, "an item is empty".into(), "remove it".into());
        }
        count += words.len();
        if count > row.most {
            let (message, remedy) = match row.most {
                1 => ("it has more than one value".into(), format!("write option {} once", row.name)),
                most => (format!("it has more than {most} items"), "remove some".into()),
            };
            refuse(item.line, message, remedy);
            break;
        }
        for word in words {
            if let Err(refusal) = row.set(target, word) {
                refuse(item.line, refusal.message, refusal.remedy);
            }
        }
    }
    good
}

#[cfg(test)]
mod tests;

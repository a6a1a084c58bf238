//! What a person asks of names.

use super::{Names, Refusal, Source, Who};
use crate::net::Instant;
use serde_json::{Map, Value, json};
use std::fmt;

impl Names {
    /// The answer to `names`: every name, what was refused, and the zones.
    pub fn status(&self, now: Instant) -> Value {
        let names = self.entries.iter().map(|entry| {
            let addresses: Vec<String> = entry.addresses.iter().map(ToString::to_string).collect();
            json!({
                "name": entry.name, "domain": entry.domain, "addresses": addresses, "source": entry.source.word(),
                "who": entry.who.to_string(), "since": now.since(entry.since).as_secs(), "alias": entry.alias,
                "wanted": entry.wanted,
            })
        });
        let names: Vec<Value> = names.collect();
        let zones =
            self.zones.iter().map(|(name, (_, records))| json!({ "zone": name.to_string(), "records": records }));
        let zones: Vec<Value> = zones.collect();
        let refused = self.refused.iter().map(|(why, count)| (why.word().to_owned(), Value::from(*count)));
        json!({ "names": names, "refused": refused.collect::<Map<_, _>>(), "zones": zones })
    }
}

impl Source {
    /// As `names` shows it.
    pub fn word(self) -> &'static str {
        match self {
            Source::Router => "router",
            Source::Host => "host",
            Source::Peer => "peer",
            Source::Reserved => "reserved",
            Source::Dhcp6 => "dhcp6",
            Source::Registered => "registered",
            Source::Dhcp4 => "dhcp4",
        }
    }
}

impl Refusal {
    /// As `names` counts it.
    pub fn word(self) -> &'static str {
        match self {
            Refusal::NoName => "no name",
            Refusal::Reserved => "reserved",
            Refusal::Router => "the router's",
            Refusal::Domain => "a domain",
            Refusal::TooMany => "too many",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Router => f.write_str("router"),
            Who::Host(section) => write!(f, "host {section}"),
            Who::Peer(uplink) => write!(f, "uplink {uplink}"),
            Who::Mac(mac) => write!(f, "{mac}"),
            Who::Duid(duid) => write!(f, "{duid}"),
        }
    }
}

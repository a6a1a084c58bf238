//! Who is called what, and what stands in the zones.

use super::*;
use crate::config;
use crate::net::{Lifetimes, Until};
use crate::proto::dhcp6::{Resource, State};

mod naming;
mod renumbering;
mod zoning;

const GUA: &str = "2001:db8:1:a::/64";
const ULA: &str = "fd00:1:2:a::/64";

/// All that a test says of the world.
struct World {
    names: Names,
    config: Config,
    hostname: String,
    hashed: BTreeMap<String, Vec<Ipv6Addr>>,
    lans: Vec<Lan>,
    prefixes: Vec<Prefix>,
    bindings: Vec<Binding>,
    leases4: Vec<Lease4>,
    now: Instant,
}

impl World {
    fn new(config: &str) -> World {
        let reading = config::read(format!("config oasis6\nconfig dns\n{config}").as_bytes());
        assert!(reading.config.is_some(), "{:?}", reading.problems);
        World {
            names: Names::new(),
            config: reading.config.unwrap(),
            hostname: "OpenWrt".into(),
            hashed: BTreeMap::new(),
            lans: vec![lan("lan", "lan", &[GUA, ULA])],
            prefixes: prefixes(&["2001:db8:1::/56", "fd00:1:2::/48"]),
            bindings: Vec::new(),
            leases4: Vec::new(),
            now: Instant(1_000),
        }
    }

    fn update(&mut self) -> Vec<Change> {
        let bindings: Vec<&Binding> = self.bindings.iter().collect();
        let known = Known {
            config: &self.config,
            hostname: &self.hostname,
            hashed: &self.hashed,
            lans: &self.lans,
            prefixes: &self.prefixes,
            bindings: &bindings,
            leases4: &self.leases4,
        };
        self.names.update(&known, self.now)
    }

    /// `name.domain: addresses`, each.
    fn names(&mut self) -> Vec<String> {
        self.update();
        self.names.entries().iter().map(shown).collect()
    }

    /// The addresses of one name.
    fn of(&mut self, name: &str) -> String {
        let prefix = format!("{name}: ");
        self.names().iter().find_map(|line| line.strip_prefix(&prefix)).unwrap_or("nobody").to_owned()
    }

    fn refused(&self) -> Vec<(&'static str, u64)> {
        self.names.refused.iter().map(|(why, count)| (why.word(), *count)).collect()
    }
}

fn shown(entry: &Entry) -> String {
    let addresses: Vec<String> = entry.addresses.iter().map(ToString::to_string).collect();
    format!("{}.{}: {}", entry.name, entry.domain, addresses.join(" "))
}

fn prefixes(all: &[&str]) -> Vec<Prefix> {
    all.iter().map(|prefix| prefix.parse().unwrap()).collect()
}

fn lan(name: &str, domain: &str, all: &[&str]) -> Lan {
    let prefixes = prefixes(all);
    let router = prefixes.iter().map(|prefix| crate::net::with_iid(prefix.addr(), 1).into()).collect();
    Lan { name: name.into(), domain: domain.into(), prefixes, slaac: true, router, networks: Vec::new() }
}

fn mac(number: u8) -> Mac {
    Mac([2, 0, 0x5e, 0, 0x53, number])
}

fn binding(number: u8, addr: &str, hostname: &str) -> Binding {
    Binding {
        resource: Resource::Address(addr.parse().unwrap()),
        client: Duid::link_layer(mac(number)),
        iaid: 1,
        lan: "lan".into(),
        via: "fe80::1".parse().unwrap(),
        lifetimes: Lifetimes::new(Until::Forever, Until::Forever),
        state: State::Bound,
        hostname: hostname.into(),
    }
}

fn lease4(number: u8, addr: &str, name: &str) -> Lease4 {
    Lease4 { mac: mac(number), addr: addr.parse().unwrap(), name: name.into() }
}

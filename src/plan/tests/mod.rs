//! Tests of the plan as a whole, and what they share.

mod announced;
mod convergence;
mod delegated;
mod guarded;
mod lives;
mod shared;
mod subnets;
mod uplinks;

use super::*;
use crate::config::{Config, DefaultRouter, Device, DnsServer, Lan, LanRa, Ula};
use crate::kernel::{Kernel, fake::FakeKernel};
use crate::net::{Instant, Mac};

/// When every test begins.
const START: Instant = Instant(1_000_000);
const SITE: &str = "fd12:3456:789a::/48";

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn a(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// A LAN as the configuration has it when nothing but the device is said.
fn lan(device: &str) -> Lan {
    let text = format!("config lan 'it'\n option device '{device}'\n");
    crate::config::read(text.as_bytes()).config.unwrap().lans["it"].clone()
}

/// LANs by name, each on a device `br-NAME`.
fn config(lans: &[&str]) -> Config {
    Config {
        enabled: true,
        lans: lans.iter().map(|name| ((*name).to_owned(), lan(&format!("br-{name}")))).collect(),
        ..Config::default()
    }
}

/// A router whose kernel does what it is told.
struct World {
    config: Config,
    facts: Facts,
    kernel: FakeKernel,
    now: Instant,
}

impl World {
    /// A router with these LANs, all devices there and ready, and a unique local prefix.
    fn new(lans: &[&str]) -> World {
        let config = config(lans);
        let facts = Facts { ula: Some(p(SITE)), duid: Some(crate::net::Duid::uuid([7; 16])), ..Facts::default() };
        let mut world = World { config, facts, kernel: FakeKernel::new(START), now: START };
        for (n, name) in lans.iter().enumerate() {
            world.plug(name, u8::try_from(n).unwrap());
        }
        world.sleep(2);
        world
    }

    /// The device of a LAN appears.
    fn plug(&mut self, lan: &str, n: u8) -> u32 {
        self.kernel.add_link(&format!("br-{lan}"), Some(Mac([2, 0, 0x5e, 0, 0x53, n])))
    }

    fn link(&self, lan: &str) -> u32 {
        self.kernel.actual().link_named(&format!("br-{lan}")).unwrap().0
    }

    fn sleep(&mut self, seconds: u64) {
        self.now = self.now.after_secs(seconds);
        self.kernel.advance(self.now);
    }

    /// Makes the plan as the router does, carries it out, and remembers what is to be remembered.
    fn plan(&mut self) -> Desired {
        self.facts.actual = self.kernel.read().unwrap();
        let plan = desired(&self.config, &self.facts, self.now);
        let ops = diff(&plan.objects, &self.facts.actual);
        for (op, result) in ops.iter().zip(self.kernel.apply(&ops)) {
            assert_eq!(result, Ok(()), "{op:?}");
        }
        self.facts.served.clone_from(&plan.served);
        plan
    }

    /// A prefix comes, or comes anew with other lifetimes in seconds.
    fn give(&mut self, name: &str, prefix: &str, lifetimes: Option<(u64, u64)>) {
        let source = format!("prefix {name}");
        self.take(name);
        let lifetimes = lifetimes.map_or(Lifetimes::FOREVER, |(preferred, valid)| Lifetimes {
            preferred: Until::At(self.now.after_secs(preferred)),
            valid: Until::At(self.now.after_secs(valid)),
        });
        let given = SourcePrefix {
            source,
            prefix: p(prefix),
            lifetimes,
            lans: None,
            assign: true,
            delegate: true,
            router: None,
        };
        self.facts.prefixes.push(given);
        self.facts.prefixes.sort_by(|a, b| a.source.cmp(&b.source));
    }

    /// A prefix goes.
    fn take(&mut self, name: &str) {
        self.facts.prefixes.retain(|given| given.source != format!("prefix {name}"));
    }

    /// An uplink gives a default route.
    fn uplink(&mut self) -> u32 {
        let link = self.kernel.add_link("wan", None);
        self.kernel.add_foreign_route(default_route(), RouteTarget::Via { link, gateway: a("fe80::1") });
        link
    }

    fn lan(&mut self, name: &str) -> &mut Lan {
        self.config.lans.get_mut(name).unwrap()
    }

    fn ra(&mut self, name: &str) -> &mut LanRa {
        self.lan(name).ra.as_mut().unwrap()
    }
}

fn default_route() -> Key {
    Key::Route { table: 254, dst: Prefix::ALL, src: Prefix::ALL, metric: 512 }
}

/// What a LAN is told of.
fn told<'a>(plan: &'a Desired, lan: &str) -> &'a ra::Config {
    plan.lans[lan].ra.as_ref().unwrap_or_else(|| panic!("{lan} is not served: {}", plan.lans[lan].why))
}

/// Live prefixes of a LAN in words.
fn live(plan: &Desired, lan: &str) -> Vec<String> {
    let all = plan.lans[lan].prefixes.iter().filter(|prefix| prefix.router.is_some());
    all.map(|prefix| prefix.prefix.to_string()).collect()
}

/// Prefixes that a LAN is told not to use any more.
fn dead(plan: &Desired, lan: &str) -> Vec<String> {
    let all = told(plan, lan).prefixes.iter().filter(|info| (info.max_preferred, info.max_valid) == (0, 0));
    all.map(|info| info.prefix.to_string()).collect()
}

fn addresses(kernel: &FakeKernel, link: u32) -> Vec<String> {
    let ours = kernel.actual().addresses.iter().filter(|((on, _), at)| *on == link && at.tag == Tag::Ours);
    ours.map(|((_, addr), _)| addr.to_string()).collect()
}

fn messages(plan: &Desired) -> String {
    plan.problems.iter().map(|t| format!("{}: {}; {}\n", t.place, t.message, t.remedy)).collect()
}

//! Tests of the host through its events and actions. This file is the rig.

use super::*;
use crate::net::{ALL_ROUTERS, with_iid};
use crate::wire::nd::{self, Advertisement, NdOption, PrefixInformation};
use proptest::prelude::*;
use std::time::Duration;

mod flood;
mod prefixes;
mod routers;
mod soliciting;

const START: Instant = Instant(1_000_000);

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn a(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// Link-local address of router `number`.
fn router(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
}

fn config() -> Config {
    Config {
        mac: Some("02:00:5e:00:53:01".parse().unwrap()),
        link_mtu: 1500,
        addresses: true,
        secret: [7; 16],
        interface: "wan".into(),
    }
}

fn pio(prefix: &str, valid: u32, preferred: u32) -> NdOption {
    NdOption::Prefix(PrefixInformation {
        prefix: p(prefix),
        on_link: true,
        autonomous: true,
        router: None,
        pd_preferred: false,
        valid,
        preferred,
    })
}

/// What a router says that is a default router for half an hour.
fn advertisement(options: Vec<NdOption>) -> Advertisement {
    Advertisement { router_lifetime: 1800, options, ..Advertisement::default() }
}

struct Rig {
    host: Host,
    now: Instant,
    /// When solicitations left.
    asked: Vec<Instant>,
    changes: usize,
}

impl Rig {
    fn new() -> Rig {
        Rig::with(config(), 1)
    }

    fn with(config: Config, seed: u64) -> Rig {
        Rig { host: Host::new(config, seed, START), now: START, asked: vec![], changes: 0 }
    }

    fn take(&mut self, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Send { to, bytes } => {
                    assert_eq!(to, ALL_ROUTERS);
                    assert!(matches!(nd::parse(&bytes), Ok(nd::Message::Solicitation(_))));
                    self.asked.push(self.now);
                }
                Action::Changed => self.changes += 1,
            }
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let mut out = vec![];
        self.host.handle(event, self.now, &mut out);
        self.take(out);
    }

    fn raw(&mut self, source: Ipv6Addr, hop_limit: u8, fragmented: bool, bytes: &[u8]) {
        self.event(Event::Packet { source, hop_limit, fragmented, bytes });
    }

    fn hear(&mut self, source: Ipv6Addr, said: &Advertisement) {
        self.raw(source, 255, false, &said.encode().unwrap());
    }

    /// Lets time pass, with every timer at its moment.
    fn pass(&mut self, millis: u64) {
        let end = Instant(self.now.0 + millis);
        let mut turns = 0;
        while let Some((at, _)) = self.host.poll_at().filter(|(at, _)| *at <= end) {
            turns = if at <= self.now { turns + 1 } else { 0 };
            assert!(turns < 10, "it spins: {:?}", self.host.poll_at());
            self.now = self.now.max(at);
            let mut out = vec![];
            self.host.tick(self.now, &mut out);
            self.take(out);
        }
        self.now = end;
    }

    fn learned(&self) -> Learned {
        self.host.learned(self.now)
    }

    fn in_use(&self) -> Option<Ipv6Addr> {
        self.learned().routers.first().map(|router| router.address)
    }

    fn dropped(&self, reason: &str) -> u64 {
        let drops = self.host.status(self.now).drops;
        drops.into_iter().find(|(found, _)| *found == reason).map_or(0, |(_, count)| count)
    }
}

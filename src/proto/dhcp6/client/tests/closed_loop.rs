//! The client against our own server, on a link that loses, doubles and delays.

use super::*;
use crate::config::LanDhcp6;
use crate::net::Rng;
use crate::proto::dhcp6::{self as server, Binding, Server, State};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LINK: u32 = 3;
/// Longest that a message is under way, milliseconds.
const LONGEST_DELAY: u64 = 4_000;

fn lan() -> LanDhcp6 {
    LanDhcp6 {
        addresses: true,
        delegation: true,
        range: (0x1000, 0xffff),
        delegated_len: 60,
        delegated_min_len: 56,
        preferred_lifetime: 600,
        valid_lifetime: 1200,
        t1: None,
        t2: None,
        rapid_commit: true,
        preference: 0,
        sol_max_rt: Some(120),
        inf_max_rt: None,
        registration: false,
    }
}

/// What the ISP has: site `number`.
fn isp(number: u8) -> server::Config {
    let site = p(&format!("2001:db8:{number:x}::/48"));
    let net = site.subnet(1, 64).unwrap();
    let link = server::Link {
        lan: "isp".into(),
        subnets: vec![server::Subnet { prefix: net, lifetimes: Lifetimes::FOREVER, router: None }],
        pools: vec![server::Pool { prefix: site, lifetimes: Lifetimes::FOREVER, reserved: vec![net] }],
        dns: vec![a("2001:db8::53")],
        search: vec![],
        captive_portal: None,
        dnr: None,
        options: lan(),
    };
    server::Config { duid: Some(duid(SERVER)), links: [(LINK, link)].into(), hosts: vec![] }
}

/// How bad the link is, in percent.
#[derive(Clone, Copy, Debug)]
struct Weather {
    lost: u64,
    doubled: u64,
    /// Longest delay, milliseconds.
    delay: u64,
}

struct World {
    client: Client,
    server: Server,
    now: Instant,
    rng: Rng,
    weather: Weather,
    /// When, and a running number; to the client or not; bytes.
    wire: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    number: u64,
    /// When messages of the client left.
    sent: Vec<Instant>,
}

impl World {
    fn new(config: Config, seed: u64, weather: Weather) -> World {
        World {
            client: Client::new(config, seed, START),
            server: Server::new(isp(1), seed, START),
            now: START,
            rng: Rng::new(seed),
            weather,
            wire: BTreeMap::new(),
            number: 0,
            sent: vec![],
        }
    }

    fn put(&mut self, to_client: bool, bytes: Vec<u8>) {
        let chance = |rng: &mut Rng, percent| rng.between(1, 100) <= percent;
        if chance(&mut self.rng, self.weather.lost) {
            return;
        }
        let copies = 1 + u64::from(chance(&mut self.rng, self.weather.doubled));
        for _ in 0..copies {
            let at = Instant(self.now.0 + 1 + self.rng.between(0, self.weather.delay));
            self.number += 1;
            self.wire.insert((at, self.number), (to_client, bytes.clone()));
        }
    }

    fn client(&mut self, act: impl FnOnce(&mut Client, Instant, &mut Vec<Action>)) {
        let mut out = vec![];
        act(&mut self.client, self.now, &mut out);
        for action in out {
            if let Action::Send { bytes, .. } = action {
                self.sent.push(self.now);
                self.put(false, bytes);
            }
        }
    }

    fn server(&mut self, act: impl FnOnce(&mut Server, Instant, &mut Vec<server::Action>)) {
        let mut out = vec![];
        act(&mut self.server, self.now, &mut out);
        for action in out {
            if let server::Action::Send { bytes, .. } = action {
                self.put(true, bytes);
            }
        }
    }

    /// Runs for so long; `check` looks at every moment.
    fn run(&mut self, seconds: u64, check: impl Fn(&World)) {
        let end = self.now.after_secs(seconds);
        loop {
            let timers = [self.client.poll_at(), self.server.poll_at()].into_iter().flatten().map(|(at, _)| at);
            let wire = self.wire.keys().next().map(|(at, _)| *at);
            let Some(at) = timers.chain(wire).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.client(|client, now, out| client.tick(now, out));
            self.server(|server, now, out| server.tick(now, out));
            while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to_client, bytes) = entry.remove();
                let source = if to_client { a("fe80::1") } else { a("fe80::c") };
                if to_client {
                    let event = Event::Packet { source, multicast: false, bytes: &bytes };
                    self.client(|client, now, out| client.handle(event, now, out));
                } else {
                    let event = server::Event::Packet { link: LINK, source, port: 546, multicast: true, bytes: &bytes };
                    self.server(|server, now, out| server.handle(event, now, out));
                }
            }
            check(self);
        }
        self.now = end;
    }

    /// What the client holds, and what the server has bound for it.
    fn both(&self) -> (Vec<Resource>, Vec<Resource>) {
        let leases = self.client.leases();
        let addresses = leases.addresses.iter().map(|it| Resource::Address(it.address));
        let prefixes = leases.prefixes.iter().map(|it| Resource::Prefix(it.prefix));
        let mut held: Vec<Resource> = addresses.chain(prefixes).collect();
        held.sort();
        let bound = |binding: &&Binding| binding.state == State::Bound;
        (held, self.server.bindings().filter(bound).map(|binding| binding.resource).collect())
    }

    /// Nothing is used that the server may have given to somebody else: what the client holds ends no later than the
    /// server's binding, but for the time that an answer is on its way.
    fn nothing_is_used_too_long(&self) {
        let leases = self.client.leases();
        let addresses = leases.addresses.iter().map(|it| (Resource::Address(it.address), it.lifetimes));
        let prefixes = leases.prefixes.iter().map(|it| (Resource::Prefix(it.prefix), it.lifetimes));
        for (resource, lifetimes) in addresses.chain(prefixes) {
            assert!(!lifetimes.valid.is_over(self.now), "{resource:?} is used past its end");
            let bound = self.server.bindings().find(|binding| binding.resource == resource);
            let Some(bound) = bound else { continue };
            let (Until::At(held), Until::At(bound)) = (lifetimes.valid, bound.lifetimes.valid) else { continue };
            assert!(held.0 <= bound.0 + LONGEST_DELAY + 1_001, "{resource:?} is held for longer than it is bound");
        }
    }
}

#[test]
fn on_a_good_link_the_client_is_bound_in_two_seconds_or_three() {
    for (rapid_commit, most) in [(true, 1_100), (false, 2_200)] {
        for seed in 0..30 {
            let mut world =
                World::new(Config { rapid_commit, ..config() }, seed, Weather { lost: 0, doubled: 0, delay: 5 });
            while world.client.status(world.now).state != "bound" {
                world.run(0, |_| {});
                world.now = Instant(world.now.0 + 1);
                assert!(world.now.since(START).as_millis() <= most);
            }
            let (held, bound) = world.both();
            assert_eq!((held.len(), &held), (2, &bound));
            assert_eq!(world.client.leases().dns, [a("2001:db8::53")]);
        }
    }
}

#[test]
fn a_day_of_renewals_costs_two_messages_each_and_changes_nothing() {
    let mut world = World::new(config(), 1, Weather { lost: 0, doubled: 0, delay: 5 });
    world.run(60, World::nothing_is_used_too_long);
    let before = world.both();
    world.run(86_400, World::nothing_is_used_too_long);
    assert_eq!(world.both(), before);
    assert!((285..=295).contains(&world.sent.len()), "{}", world.sent.len());
}

#[test]
fn a_network_that_is_renumbered_is_followed_at_the_next_renewal() {
    let mut world = World::new(config(), 1, Weather { lost: 0, doubled: 0, delay: 5 });
    world.run(60, World::nothing_is_used_too_long);
    world.server(|server, now, out| server.reconfigure(isp(2), now, out));
    world.run(400, World::nothing_is_used_too_long);
    let (held, bound) = world.both();
    assert_eq!((held.len(), &held), (2, &bound));
    assert!(world.client.leases().prefixes.iter().all(|it| p("2001:db8:2::/48").covers(&it.prefix)));
}

#[test]
fn who_accepts_reconfigure_follows_within_a_second() {
    let config = Config { reconfigure_accept: true, ..config() };
    let mut world = World::new(config, 1, Weather { lost: 0, doubled: 0, delay: 5 });
    world.run(60, World::nothing_is_used_too_long);
    for number in [2, 3, 1] {
        world.server(|server, now, out| server.reconfigure(isp(number), now, out));
        world.run(1, World::nothing_is_used_too_long);
        let (held, bound) = world.both();
        assert_eq!((held.len(), &held), (2, &bound));
        let site = p(&format!("2001:db8:{number:x}::/48"));
        assert!(world.client.leases().prefixes.iter().all(|it| site.covers(&it.prefix)));
    }
}

#[test]
fn a_server_that_lost_its_table_gives_the_same_again() {
    let mut world = World::new(config(), 1, Weather { lost: 0, doubled: 0, delay: 5 });
    world.run(60, World::nothing_is_used_too_long);
    let (before, _) = world.both();
    world.server = Server::new(isp(1), 99, world.now);
    world.run(400, World::nothing_is_used_too_long);
    assert_eq!(world.both(), (before.clone(), before));
}

#[derive(Clone, Debug)]
enum Event2 {
    Run(u64),
    LinkUp,
    /// The client's process is started again.
    Restart,
    /// The server forgets all.
    Forget,
    Renumber(u8),
    Wish(u8),
    Duplicate,
}

fn events() -> impl Strategy<Value = Vec<Event2>> {
    let event = prop_oneof![
        4 => prop::sample::select(vec![1u64, 5, 60, 400, 700, 2_000]).prop_map(Event2::Run),
        1 => Just(Event2::LinkUp),
        1 => Just(Event2::Restart),
        1 => Just(Event2::Forget),
        1 => (1..4u8).prop_map(Event2::Renumber),
        1 => (1..4u8).prop_map(Event2::Wish),
        1 => Just(Event2::Duplicate),
    ];
    prop::collection::vec(event, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is lost, doubled, overtaken or forgotten on the way: nothing is ever used too long, and once the
    /// link is good the client holds what the server has bound for it, and all that it wants.
    #[test]
    fn client_and_server_always_agree_in_the_end(
        events in events(), seed: u64, rapid_commit: bool,
        lost in 0..60u64, doubled in 0..60u64, delay in prop::sample::select(vec![0u64, 30, 900, LONGEST_DELAY])
    ) {
        let bad = Weather { lost, doubled, delay };
        let mut wishes = Config { rapid_commit, ..config() };
        let mut world = World::new(wishes.clone(), seed, bad);
        for event in events {
            match event {
                Event2::Run(seconds) => world.run(seconds, World::nothing_is_used_too_long),
                Event2::LinkUp => world.client(|client, now, out| client.handle(Event::LinkUp, now, out)),
                Event2::Restart => {
                    let remembered = Some(world.client.leases());
                    world.client = Client::new(Config { remembered, ..wishes.clone() }, seed ^ 1, world.now);
                }
                Event2::Forget => world.server = Server::new(isp(1), seed ^ 2, world.now),
                Event2::Renumber(number) => world.server(|server, now, out| server.reconfigure(isp(number), now, out)),
                Event2::Wish(number) => {
                    wishes.want_address = number & 1 != 0;
                    wishes.want_prefix = (number & 2 != 0).then_some(60);
                    let config = wishes.clone();
                    world.client(|client, now, out| client.reconfigure(config, now, out));
                }
                Event2::Duplicate => {
                    if let Some(it) = world.client.leases().addresses.first().copied() {
                        world.client(|client, now, out| client.handle(Event::DuplicateAddress(it.address), now, out));
                    }
                }
            }
        }
        world.weather = Weather { lost: 0, doubled: 0, delay: 5 };
        // T2, a Rebind's longest wait, and what is missing is asked for again; old bindings end
        world.run(2_600, World::nothing_is_used_too_long);
        let (held, bound) = world.both();
        prop_assert_eq!(&held, &bound, "{:?}", world.client.status(world.now));
        let kinds: Vec<bool> = held.iter().map(|it| matches!(it, Resource::Address(_))).collect();
        prop_assert_eq!(kinds.contains(&true), wishes.want_address);
        prop_assert_eq!(kinds.contains(&false), wishes.want_prefix.is_some());
        prop_assert_eq!(world.client.status(world.now).state, "bound");
    }
}

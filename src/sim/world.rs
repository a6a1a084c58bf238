//! The world around a simulated router: its kernel, its flash, two LANs with hosts and clients, and one virtual clock.
//!
//! It does what the daemon does with a turn's actions, in the same order: kernel, journal, wire.

mod happen;

use super::bytes;
use super::client::{Client, Heard};
use super::host::Host;
use super::model::Model;
use super::script::{LANS, Script};
use super::{Failure, Summary};
use crate::config::Config;
use crate::kernel::fake::FakeKernel;
use crate::kernel::{Kernel, Refusal};
use crate::net::{ALL_DHCP_RELAY_AGENTS_AND_SERVERS, ALL_NODES, ALL_ROUTERS, FlatMap, Instant, Mac, Rng};
use crate::plan::{Change, Key, Op, RouteTarget};
use crate::proto::{dhcp6, ra};
use crate::router::{Action, Entropy, Event, Hands, Notice, Router, carry_out};
use crate::store::fake::Fake;
use crate::store::{Memory, Store};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// How long a packet is on its way, milliseconds.
const LATENCY: u64 = 1;
/// How long a router takes to boot, milliseconds.
const BOOT: u64 = 20_000;
/// Turns without the clock moving on that are taken for a busy loop.
const BUSY: u32 = 5_000;

/// A router that is up.
struct Running {
    router: Router,
    store: Store<Fake>,
}

/// A packet on its way.
enum Mail {
    ToRouter { lan: usize, source: Ipv6Addr, to: Ipv6Addr, bytes: Vec<u8> },
    ToLan { lan: usize, to: Ipv6Addr, bytes: Vec<u8> },
}

pub(super) struct World {
    now: u64,
    rng: Rng,
    booted: u64,
    boots: u32,
    kernel: FakeKernel,
    /// Flash and tmpfs while no daemon has them.
    medium: Option<Fake>,
    running: Option<Running>,
    start_at: Option<u64>,
    /// The daemon is going to die while it writes, and to start again after so long.
    dying: Option<u64>,
    config: Config,
    links: [Option<u32>; 2],
    carrier: [bool; 2],
    wan: u32,
    hosts: BTreeMap<u32, Host>,
    clients: BTreeMap<u32, Client>,
    mail: BTreeMap<(u64, u64), Mail>,
    mails: u64,
    to_lose: u32,
    model: Model,
    summary: Summary,
}

impl World {
    pub(super) fn new(script: &Script) -> World {
        let mut kernel = FakeKernel::new(Instant(0));
        let wan = kernel.add_link("wan", Some(Mac([2, 0, 0, 0, 0, 1])));
        let links = [0, 1].map(|lan| Some(add_lan(&mut kernel, lan)));
        let mut world = World {
            now: 0,
            rng: Rng::new(script.seed),
            booted: 0,
            boots: 0,
            kernel,
            medium: Some(Fake::new(script.seed)),
            running: None,
            start_at: Some(0),
            dying: None,
            config: configuration(),
            links,
            carrier: [true; 2],
            wan,
            hosts: BTreeMap::new(),
            clients: BTreeMap::new(),
            mail: BTreeMap::new(),
            mails: 0,
            to_lose: 0,
            model: Model::default(),
            summary: Summary::default(),
        };
        world.model.link(0, 0, true);
        world.model.link(1, 0, true);
        world.model.disturb(0, 30_000);
        world
    }

    /// Lives the script to its end. Errors: what went against the model, and when.
    pub(super) fn live(mut self, script: &Script) -> Result<Summary, Failure> {
        let mut lines = script.lines.iter().peekable();
        let mut busy = 0;
        loop {
            let next_line = lines.peek().map_or(script.until, |(at, _)| *at);
            let next = self.next_wake().unwrap_or(u64::MAX).min(next_line).min(script.until).max(self.now);
            busy = if next == self.now { busy + 1 } else { 0 };
            if busy > BUSY {
                let why = self.running.as_ref().and_then(|on| on.router.poll_at()).map_or("", |(_, why)| why);
                return Err(self.failure(format!("the loop never sleeps ({why})")));
            }
            self.now = next;
            while let Some((_, what)) = lines.next_if(|(at, _)| *at <= self.now) {
                self.happen(what).map_err(|what| self.failure(what))?;
                self.summary.events += 1;
            }
            if self.now >= script.until {
                break;
            }
            self.turn().map_err(|what| self.failure(what))?;
        }
        self.summary.flash_writes = self.running.as_ref().map_or(0, |on| u64::from(on.store.medium().flash_writes));
        self.summary.checks = self.model.checks;
        Ok(self.summary)
    }

    fn failure(&self, what: String) -> Failure {
        Failure { at: self.now, what }
    }

    /// The router's clock: counts from its boot.
    fn clock(&self) -> Instant {
        Instant(self.now - self.booted)
    }

    fn next_wake(&self) -> Option<u64> {
        let router = self.running.as_ref().into_iter().flat_map(|on| {
            [on.router.poll_at().map(|(at, _)| at), on.store.poll_at()]
                .into_iter()
                .flatten()
                .map(|at| at.0 + self.booted)
        });
        let hosts = self.hosts.values().filter_map(Host::poll_at);
        let connected = |client: &&Client| self.carrier.get(client.lan) == Some(&true);
        let clients = self.clients.values().filter(connected).map(Client::poll_at);
        let mail = self.mail.keys().next().map(|(at, _)| *at);
        let kernel = self.kernel.poll_at().map(|at| at.0 + self.booted);
        let news = self.kernel.has_news().then_some(self.now);
        router
            .chain(kernel)
            .chain(news.filter(|_| self.running.is_some()))
            .chain(hosts)
            .chain(clients)
            .chain(mail)
            .chain(self.start_at)
            .chain(self.model.poll_at(self.now))
            .min()
    }

    /// Everything that is due now.
    fn turn(&mut self) -> Result<(), String> {
        if self.start_at.is_some_and(|at| at <= self.now) {
            self.start()?;
        }
        self.kernel.advance(self.clock());
        while let Some(entry) = self.mail.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let mail = entry.remove();
            self.deliver(mail)?;
        }
        let now = Instant(self.now);
        let mut sent = Vec::new();
        for host in self.hosts.values_mut() {
            host.expire(now);
            if let Some(bytes) = host.tick(now) {
                sent.push((host.lan, host.addr, ALL_ROUTERS, bytes));
            }
        }
        let carrier = self.carrier;
        for client in self.clients.values_mut().filter(|client| carrier.get(client.lan) == Some(&true)) {
            if let Some(bytes) = client.tick(now) {
                self.summary.exchanges += 1;
                sent.push((client.lan, client.addr, ALL_DHCP_RELAY_AGENTS_AND_SERVERS, bytes));
            }
        }
        for (lan, source, to, bytes) in sent {
            self.post(Mail::ToRouter { lan, source, to, bytes });
        }
        self.router_turn()?;
        self.model.check(now, &self.hosts, &self.clients)?;
        self.check_kernel()
    }

    /// One turn of the daemon.
    fn router_turn(&mut self) -> Result<(), String> {
        let now = self.clock();
        let Some(mut on) = self.running.take() else { return Ok(()) };
        let mut out = Vec::new();
        if self.kernel.has_news() {
            let changes = match self.kernel.news() {
                Some(changes) => changes,
                None => vec![Change::All(self.kernel.read().map_err(|refusal| refusal.message)?)],
            };
            on.router.handle(Event::Kernel(changes), now, &mut out);
        }
        on.router.settle(now, &mut out);
        let done = self.carry_out(&mut on, out);
        if on.store.needs_compaction() {
            on.store.compact(on.router.bindings(), now);
        }
        if on.store.flash_due(now) {
            on.store.flush(on.router.bindings(), now);
        }
        on.store.tick(now);
        let dead = self.is_dead(&on);
        self.running = Some(on);
        if dead {
            self.kill();
        }
        done
    }

    /// Whether the daemon died of [`super::script::Happening::KillIn`]: nothing it does after that counts.
    fn is_dead(&mut self, on: &Running) -> bool {
        self.dying.is_some() && (on.store.medium().dies_after == Some(0) || self.kernel.has_crashed())
    }

    fn carry_out(&mut self, on: &mut Running, mut out: Vec<Action>) -> Result<(), String> {
        let now = self.clock();
        let mut turn = Turn { world: self, on, done: Ok(()) };
        carry_out(&mut turn, &mut out, now);
        turn.done
    }

    /// A packet of the router's, sent. Errors: what the model has against it.
    fn send(&mut self, packet: Action) -> Result<(), String> {
        match packet {
            Action::SendNd { link, to, bytes } => {
                let Some(lan) = self.lan_of(link) else { return Ok(()) };
                let ra = bytes::advertisement(&bytes).ok_or("an advertisement that no host would take")?;
                self.model.announced(self.now, lan, to == ALL_NODES, &ra)?;
                self.summary.advertisements += 1;
                self.post(Mail::ToLan { lan, to, bytes });
            }
            Action::SendDhcp6 { link, to, bytes, .. } => {
                let Some(lan) = self.lan_of(link) else { return Ok(()) };
                self.post(Mail::ToLan { lan, to, bytes });
            }
            _ => {}
        }
        Ok(())
    }

    fn lan_of(&self, link: u32) -> Option<usize> {
        self.links.iter().position(|at| *at == Some(link))
    }

    fn post(&mut self, mail: Mail) {
        let lan = match &mail {
            Mail::ToRouter { lan, .. } | Mail::ToLan { lan, .. } => *lan,
        };
        let connected = self.carrier.get(lan) == Some(&true) && self.links.get(lan).is_some_and(Option::is_some);
        if !connected {
            return;
        }
        if self.to_lose > 0 {
            self.to_lose -= 1;
            self.model.lost(self.now);
            return;
        }
        self.mails += 1;
        self.mail.insert((self.now + LATENCY, self.mails), mail);
    }

    fn deliver(&mut self, mail: Mail) -> Result<(), String> {
        match mail {
            Mail::ToRouter { lan, source, to, bytes } => {
                let now = self.clock();
                let (Some(mut on), Some(link)) = (self.running.take(), self.links.get(lan).copied().flatten()) else {
                    return Ok(());
                };
                let mut out = Vec::new();
                let event = if to == ALL_ROUTERS {
                    let packet = ra::Event::Packet { source, hop_limit: 255, fragmented: false, bytes: &bytes };
                    Event::Nd { link, packet }
                } else {
                    Event::Dhcp6(dhcp6::Event::Packet { link, source, port: 546, multicast: true, bytes: &bytes })
                };
                on.router.handle(event, now, &mut out);
                let done = self.carry_out(&mut on, out);
                self.running = Some(on);
                done
            }
            Mail::ToLan { lan, to, bytes } => {
                let now = Instant(self.now);
                if let Some(ra) = bytes::advertisement(&bytes) {
                    for host in self.hosts.values_mut().filter(|host| host.lan == lan) {
                        if to == ALL_NODES || to == host.addr {
                            host.hear(&ra, now);
                        }
                    }
                    return Ok(());
                }
                let Some(number) = self.clients.iter().find(|(_, c)| c.lan == lan && c.addr == to).map(|(n, _)| *n)
                else {
                    return Ok(());
                };
                let Some(client) = self.clients.get_mut(&number) else { return Ok(()) };
                let before = client.held.clone();
                let heard = client.hear(&bytes, now).ok_or("an answer that no client can read")?;
                if heard == Heard::Bound || heard == Heard::Refused {
                    self.model.answered(self.now, number, &before, &self.clients)?;
                }
                Ok(())
            }
        }
    }

    /// At quiet moments the kernel holds a route for every prefix that a client holds.
    fn check_kernel(&mut self) -> Result<(), String> {
        if self.running.is_none() || !self.model.kernel_is_quiet(self.now) {
            return Ok(());
        }
        for (number, client) in &self.clients {
            let Some(link) = self.links.get(client.lan).copied().flatten() else { continue };
            if self.carrier.get(client.lan) != Some(&true) || !client.is_bound() {
                continue;
            }
            for prefix in client.delegated().filter(|prefix| self.model.gives(self.now, prefix)) {
                let ending = client.held.get(&prefix).is_some_and(|(_, valid)| *valid < self.now + 5_000);
                let wanted = RouteTarget::Via { link, gateway: client.addr };
                let routed = self.kernel.actual().routes.iter().any(|(key, route)| {
                    matches!(key, Key::Route { dst, .. } if *dst == prefix) && route.target == wanted
                });
                if !routed && !ending {
                    return Err(format!("client {number} holds {prefix}, which is not routed to it"));
                }
            }
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), String> {
        self.start_at = None;
        let now = self.clock();
        let boot_id = format!("boot-{}", self.boots);
        let Some(medium) = self.medium.take() else { return Ok(()) };
        let (store, found) = Store::open(medium, &boot_id, now);
        let entropy = Entropy {
            seed: self.rng.next_u64(),
            ula: std::array::from_fn(|_| self.rng.next_u64().to_be_bytes()[0]),
            duid: std::array::from_fn(|_| self.rng.next_u64().to_be_bytes()[0]),
            secret: [7; 16],
        };
        let mut out = Vec::new();
        let mut router = Router::new(found.memory, found.bindings, entropy, now, &mut out);
        if let Ok(actual) = self.kernel.read() {
            let _ = self.kernel.news();
            router.handle(Event::Kernel(vec![Change::All(actual)]), now, &mut out);
        }
        let config = Event::Configure { config: Box::new(self.config.clone()), interfaces: FlatMap::new() };
        router.handle(config, now, &mut out);
        let mut on = Running { router, store };
        on.router.settle(now, &mut out);
        self.model.started(self.now, &self.config);
        let done = self.carry_out(&mut on, out);
        let ula = on.router.facts().ula.ok_or("there is no unique local prefix")?;
        self.model.ula(ula)?;
        self.running = Some(on);
        done
    }

    fn stop(&mut self) -> Result<(), String> {
        let now = self.clock();
        if let Some(mut on) = self.running.take() {
            let mut out = Vec::new();
            on.router.shutdown(now, &mut out);
            self.carry_out(&mut on, out)?;
            on.store.shutdown(on.router.bindings(), now);
            self.medium = Some(on.store.into_medium());
        }
        self.model.stopped(self.now);
        Ok(())
    }

    /// The daemon dies where it stands.
    fn kill(&mut self) {
        if let Some(on) = self.running.take() {
            let mut medium = on.store.into_medium();
            medium.kill();
            self.medium = Some(medium);
            self.kernel.crashed();
            self.model.stopped(self.now);
        }
        if let Some(pause) = self.dying.take() {
            self.start_at = Some(self.now + pause);
        }
    }

    fn reboot(&mut self) {
        self.kill();
        if let Some(medium) = &mut self.medium {
            medium.power_cut();
        }
        self.booted = self.now;
        self.boots += 1;
        self.start_at = Some(self.now + BOOT);
        self.kernel = FakeKernel::new(Instant(0));
        self.wan = self.kernel.add_link("wan", Some(Mac([2, 0, 0, 0, 0, 1])));
        for lan in 0..LANS.len() {
            if let Some(link) = self.links.get_mut(lan).filter(|link| link.is_some()) {
                *link = Some(add_lan(&mut self.kernel, lan));
                if self.carrier.get(lan) != Some(&true) {
                    self.kernel.set_carrier(link.unwrap_or(0), false);
                }
            }
        }
        if self.model.default_route {
            self.default_route(true);
        }
    }
}

/// A turn of the simulated daemon.
struct Turn<'w> {
    world: &'w mut World,
    on: &'w mut Running,
    done: Result<(), String>,
}

impl Hands for Turn<'_> {
    fn router(&mut self) -> &mut Router {
        &mut self.on.router
    }

    fn remember(&mut self, memory: &Memory, now: Instant) {
        self.on.store.remember(memory, now);
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        let answers = self.world.kernel.apply(ops);
        if answers.iter().any(Result::is_err) {
            self.world.model.refused(self.world.now);
        }
        answers
    }

    fn tell(&mut self, _: &Notice, _: Instant) {}

    fn commit(&mut self, records: &[dhcp6::Record], now: Instant) -> bool {
        self.on.store.commit(records, now).is_ok()
    }

    fn send(&mut self, packets: Vec<Action>) {
        if !self.world.is_dead(self.on) {
            self.done = packets.into_iter().try_for_each(|packet| self.world.send(packet));
        }
    }
}

fn device(lan: usize) -> String {
    format!("br-{}", LANS.get(lan).copied().unwrap_or("none"))
}

fn add_lan(kernel: &mut FakeKernel, lan: usize) -> u32 {
    let number = u8::try_from(lan).unwrap_or(0);
    kernel.add_link(&device(lan), Some(Mac([2, 0, 0, 0, 1, number])))
}

fn configuration() -> Config {
    let mut text = String::from("config oasis6\n\toption enabled 1\n");
    for (lan, name) in LANS.iter().enumerate() {
        text += &format!("config lan '{name}'\n\toption device '{}'\n", device(lan));
    }
    crate::config::read(text.as_bytes()).config.unwrap_or_default()
}

use super::addresses::{self, Addresses};
use super::heard::{Speaker, Table};
use super::learned::is_news;
use super::solicit::{MAX_DELAY, Solicit};
use super::{Action, Config, Event, Learned, LearnedPrefix, LearnedRoute, Router, Status};
use crate::net::{FlatMap, Instant, Lifetimes, Preference, Prefix, Rng, Until, is_link_local};
use crate::proto::retransmission::later;
use crate::wire::nd::{self, Advertisement, Message, NdOption, PrefixInformation};
use std::cmp::Reverse;
use std::net::Ipv6Addr;

/// Default routers kept: more than a sane link has (the bound).
pub(super) const MOST_ROUTERS: usize = 8;
/// Prefixes kept (the bound).
pub(super) const MOST_PREFIXES: usize = 16;
/// Routes kept (the bound).
pub(super) const MOST_ROUTES: usize = 16;
/// DNS servers, and search domains: RFC 8106 §5.3.1 asks for three at least.
pub(super) const MOST_DNS: usize = 8;
/// NAT64 prefixes: a network has one, or two while it changes (RFC 8781 §5.1).
pub(super) const MOST_PREF64: usize = 4;
/// The router in use that says goodbye has so long to say otherwise, milliseconds: the time of one solicitation and of
/// its answer, be it a multicast that has to wait (RFC 4861 §6.2.6).
pub(super) const GOODBYE: u64 = 5_000;
/// Until it was in use for so long, a router gives way to one of higher preference, milliseconds: time for all to answer
/// the first solicitations.
pub(super) const SETTLED: u64 = 10_000;
/// Least MTU of IPv6, bytes (RFC 8200 §5).
const LEAST_MTU: u32 = 1_280;

/// A router that we know.
#[derive(Debug)]
struct Known {
    router: Router,
    /// Seconds it said it is a router for, and when.
    lifetime: u16,
    heard: Instant,
    /// Whether it was heard since the link came up.
    fresh: bool,
}

/// The host on one link: takes in what routers announce.
#[derive(Debug)]
pub struct Host {
    config: Config,
    rng: Rng,
    solicit: Solicit,
    routers: Vec<Known>,
    /// The router in use, and since when.
    in_use: Option<(Ipv6Addr, Instant)>,
    prefixes: Table<Prefix, LearnedPrefix>,
    addresses: Addresses,
    routes: Table<(Prefix, Ipv6Addr), Preference>,
    dns: Table<Ipv6Addr, ()>,
    search: Table<String, ()>,
    pref64: Table<Prefix, ()>,
    mtu: Option<u32>,
    hop_limit: Option<u8>,
    managed: bool,
    other: bool,
    /// What was there when [`Action::Changed`] was last said.
    told: Learned,
    advertisements: u64,
    heard: Option<Instant>,
    drops: FlatMap<&'static str, u64>,
}

impl Host {
    /// A host that knows nothing and asks within a second.
    pub fn new(config: Config, seed: u64, now: Instant) -> Host {
        let mut host = Host {
            config,
            rng: Rng::new(seed),
            solicit: Solicit::default(),
            routers: Vec::new(),
            in_use: None,
            prefixes: Table::new(MOST_PREFIXES),
            addresses: Addresses::new(),
            routes: Table::new(MOST_ROUTES),
            dns: Table::new(MOST_DNS),
            search: Table::new(MOST_DNS),
            pref64: Table::new(MOST_PREF64),
            mtu: None,
            hop_limit: None,
            managed: false,
            other: false,
            told: Learned::default(),
            advertisements: 0,
            heard: None,
            drops: FlatMap::new(),
        };
        host.solicit.start("the link came up", MAX_DELAY, now, &mut host.rng);
        host
    }

    /// Takes one event in.
    pub fn handle(&mut self, event: Event<'_>, now: Instant, out: &mut Vec<Action>) {
        match event {
            Event::Packet { source, hop_limit, fragmented, bytes } => {
                if let Err(reason) = self.receive(source, hop_limit, fragmented, bytes, now) {
                    self.dropped(reason);
                }
            }
            Event::LinkUp => {
                self.routers.iter_mut().for_each(|known| known.fresh = false);
                self.solicit.start("the link came up", MAX_DELAY, now, &mut self.rng);
            }
            Event::DuplicateAddress(address) => {
                if !self.addresses.duplicate(address, &self.config) {
                    self.dropped("duplicate of no address of ours");
                }
            }
            Event::Reachable { router, reachable } => {
                let known = self.routers.iter_mut().find(|known| known.router.address == router);
                if let Some(known) = known {
                    known.router.reachable = reachable;
                }
            }
        }
        self.tick(now, out);
    }

    /// Works with another configuration from now on.
    pub fn reconfigure(&mut self, config: Config, now: Instant, out: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.config, config);
        let what = |config: &Config| (config.addresses, config.secret, config.interface.clone());
        if what(&before) != what(&self.config) {
            self.addresses.remake(&self.config);
            if self.config.addresses && !before.addresses {
                self.solicit.start("addresses are wanted", MAX_DELAY, now, &mut self.rng);
            }
        }
        self.mtu = self.mtu.filter(|mtu| *mtu <= self.config.link_mtu);
        self.tick(now, out);
    }

    /// Ends what is over and asks when it is time to.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.routers.retain(|known| !known.router.until.is_over(now));
        self.prefixes.end(now);
        self.addresses.end(now);
        self.routes.end(now);
        self.dns.end(now);
        self.search.end(now);
        self.pref64.end(now);
        self.elect(now);
        if !self.solicit.is_running() && self.ask_at().is_some_and(|at| at <= now) {
            self.solicit.start("a router has been silent for long", MAX_DELAY, now, &mut self.rng);
        }
        self.solicit.tick(self.config.mac, now, &mut self.rng, out);
        let learned = self.learned(now);
        if is_news(&self.told, &learned, now) {
            self.told = learned;
            out.push(Action::Changed);
        }
    }

    /// Nothing: a host leaves without a word.
    pub fn shutdown(&mut self, _now: Instant, _out: &mut Vec<Action>) {}

    /// When [`Host::tick`] has something to do, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let solicit = self.solicit.next().or_else(|| self.ask_at().map(|at| (at, "a router has been silent for long")));
        let routers = self.routers.iter().filter_map(|known| match known.router.until {
            Until::At(end) => Some((end, "a router's lifetime ends")),
            Until::Forever => None,
        });
        let tables = [
            (self.prefixes.next_end(), "a prefix ends"),
            (self.addresses.next_end(), "an address ends"),
            (self.routes.next_end(), "a route ends"),
            (self.dns.next_end(), "a DNS server ends"),
            (self.search.next_end(), "a search domain ends"),
            (self.pref64.next_end(), "a NAT64 prefix ends"),
        ];
        let tables = tables.into_iter().filter_map(|(end, why)| end.map(|end| (end, why)));
        solicit.into_iter().chain(routers).chain(tables).min_by_key(|(at, _)| *at)
    }

    /// What the routers announce, without what is over.
    pub fn learned(&self, now: Instant) -> Learned {
        let mut routers: Vec<&Known> = self.routers.iter().filter(|known| !known.router.until.is_over(now)).collect();
        // the first in the list is the oldest; a stable sort keeps that among equals
        routers.sort_by_key(|known| Reverse(self.rank(known, now)));
        let live = |until: Until| !until.is_over(now);
        Learned {
            routers: routers.into_iter().map(|known| known.router).collect(),
            prefixes: self.prefixes.iter().filter(|entry| live(entry.until)).map(|entry| entry.value).collect(),
            addresses: self.addresses.current(now).collect(),
            routes: self
                .routes
                .iter()
                .filter(|entry| live(entry.until))
                .map(|entry| LearnedRoute {
                    prefix: entry.key.0,
                    via: entry.key.1,
                    preference: entry.value,
                    until: entry.until,
                })
                .collect(),
            mtu: self.mtu,
            hop_limit: self.hop_limit,
            dns: self.dns.iter().filter(|e| live(e.until)).map(|e| (e.key, e.until)).collect(),
            search: self.search.iter().filter(|e| live(e.until)).map(|e| (e.key.clone(), e.until)).collect(),
            pref64: self.pref64.iter().filter(|e| live(e.until)).map(|e| (e.key, e.until)).collect(),
            managed: self.managed,
            other: self.other,
        }
    }

    /// Whether an address is one that this host makes in its prefix, be that announced now or not.
    pub fn would_make(&self, address: Ipv6Addr) -> bool {
        addresses::would_make(address, &self.config)
    }

    /// Counters.
    pub fn status(&self, _now: Instant) -> Status {
        Status {
            solicitations: self.solicit.count(),
            advertisements: self.advertisements,
            heard: self.heard,
            drops: self.drops.iter().map(|(reason, count)| (*reason, *count)).collect(),
            next: self.poll_at(),
        }
    }

    /// How good a router is.
    fn rank(&self, known: &Known, now: Instant) -> (bool, bool, bool, u8, bool) {
        let since = self.in_use.filter(|(address, _)| *address == known.router.address).map(|(_, since)| since);
        let settled = since.is_some_and(|since| now >= later(since, SETTLED));
        (known.router.reachable, known.fresh, settled, known.router.preference as u8, since.is_some())
    }

    fn elect(&mut self, now: Instant) {
        let mut best: Option<&Known> = None;
        for known in &self.routers {
            if best.is_none_or(|best| self.rank(known, now) > self.rank(best, now)) {
                best = Some(known);
            }
        }
        let best = best.map(|known| known.router.address);
        let before = self.in_use.map(|(address, _)| address);
        if best != before {
            self.in_use = best.map(|address| (address, now));
            if before.is_some() {
                (self.mtu, self.hop_limit) = (None, None);
                self.solicit.start("the router in use is gone", MAX_DELAY, now, &mut self.rng);
            }
        }
    }

    /// When the router in use should be asked, since it has been silent for three quarters of what it said.
    fn ask_at(&self) -> Option<Instant> {
        let (address, _) = self.in_use?;
        let known = self.routers.iter().find(|known| known.router.address == address)?;
        let asked = |seconds: u64, since: Instant| later(since, seconds.saturating_mul(750));
        let addresses = self.addresses.given_by(address).filter(|(preferred, _)| *preferred != u32::MAX);
        addresses
            .map(|(preferred, given)| asked(preferred.into(), given))
            // it has spoken since and did not extend it
            .filter(|at| *at > known.heard)
            .chain([asked(known.lifetime.into(), known.heard)])
            .min()
    }

    fn receive(
        &mut self,
        source: Ipv6Addr,
        hop_limit: u8,
        fragmented: bool,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), &'static str> {
        let said = match nd::parse(bytes).map_err(nd::Error::reason)? {
            Message::Advertisement(said) => said,
            Message::Solicitation(_) => return Err("solicitation"),
        };
        // RFC 6980 §5
        if fragmented {
            return Err("fragmented");
        }
        // RFC 4861 §6.1.2: it came from a router on this link, since no router has forwarded it
        if hop_limit != 255 {
            return Err("hop limit is not 255");
        }
        if !is_link_local(source) {
            return Err("advertisement from no link-local address");
        }
        if said.source_link().is_some() && said.source_link() == self.config.mac {
            return Err("our own advertisement");
        }
        self.advertisements = self.advertisements.saturating_add(1);
        self.heard = Some(now);
        self.router_said(source, &said, now);
        self.elect(now);
        let in_use = self.in_use.map(|(address, _)| address);
        let speaker = Speaker { router: source, in_use };
        if in_use.is_none_or(|in_use| in_use == source) {
            self.managed = said.managed;
            self.other = said.other;
            // 0: unspecified
            self.hop_limit = Some(said.hop_limit).filter(|limit| *limit > 0).or(self.hop_limit);
        }
        for option in &said.options {
            self.option_said(option, speaker, now);
        }
        Ok(())
    }

    /// The router itself (RFC 4861 §6.3.4, RFC 4191 §3.1).
    fn router_said(&mut self, source: Ipv6Addr, said: &Advertisement, now: Instant) {
        let (mut lifetime, mut preference) = (said.router_lifetime, said.preference);
        for option in &said.options {
            if let NdOption::Route { prefix: Prefix::ALL, preference: stated, lifetime: seconds } = option {
                // RFC 4191 §3.1: it overrides what stands in the header
                (lifetime, preference) = (u16::try_from(*seconds).unwrap_or(u16::MAX), *stated);
            }
        }
        let place = self.routers.iter().position(|known| known.router.address == source);
        let in_use = self.in_use.is_some_and(|(address, _)| address == source);
        if lifetime == 0 {
            match place.and_then(|place| self.routers.get_mut(place)) {
                Some(known) if in_use => {
                    known.router.until = known.router.until.min(Until::At(later(now, GOODBYE)));
                    self.solicit.start("the router in use said goodbye", 0, now, &mut self.rng);
                }
                Some(_) => self.routers.retain(|known| known.router.address != source),
                None => {}
            }
            return;
        }
        let heard = Known {
            router: Router {
                address: source,
                mac: said.source_link(),
                preference,
                until: Until::At(now.after_secs(lifetime.into())),
                reachable: true,
            },
            lifetime,
            heard: now,
            fresh: true,
        };
        match place.and_then(|place| self.routers.get_mut(place)) {
            Some(known) => {
                let router = Router {
                    reachable: known.router.reachable,
                    mac: heard.router.mac.or(known.router.mac),
                    ..heard.router
                };
                *known = Known { router, ..heard };
                if in_use {
                    self.solicit.stop();
                }
            }
            None => {
                if self.routers.len() >= MOST_ROUTERS {
                    let in_use = self.in_use.map(|(address, _)| address);
                    let lost = self
                        .routers
                        .iter()
                        .position(|known| !known.router.reachable && Some(known.router.address) != in_use);
                    match lost {
                        Some(lost) => _ = self.routers.remove(lost),
                        None => return self.dropped("too many routers"),
                    }
                }
                self.routers.push(heard);
                if self.in_use.is_none() {
                    self.solicit.stop();
                }
            }
        }
    }

    fn option_said(&mut self, option: &NdOption, speaker: Speaker, now: Instant) {
        let from_best = speaker.in_use.is_none_or(|in_use| in_use == speaker.router);
        let until = |seconds: u32| Until::from_wire(seconds, now);
        let has_room = match option {
            NdOption::Prefix(info) => return self.prefix_said(info, speaker, now),
            NdOption::Mtu(mtu) => {
                if !(LEAST_MTU..=self.config.link_mtu).contains(mtu) {
                    return self.dropped("MTU out of range");
                }
                if from_best {
                    self.mtu = Some(*mtu);
                }
                true
            }
            NdOption::Route { prefix, preference, lifetime } => {
                let odd = is_link_local(prefix.addr()) || prefix.addr().is_multicast();
                odd && prefix.len() > 0
                    || *prefix == Prefix::ALL
                    || self.routes.put((*prefix, speaker.router), speaker, until(*lifetime), *preference, now)
            }
            NdOption::Rdnss { lifetime, servers } => {
                let mut has_room = true;
                for server in servers.iter().filter(|server| !server.is_multicast() && !server.is_unspecified()) {
                    has_room &= self.dns.put(*server, speaker, until(*lifetime), (), now);
                }
                has_room
            }
            NdOption::Dnssl { lifetime, domains } => {
                let mut has_room = true;
                for domain in domains {
                    has_room &= self.search.put(domain.clone(), speaker, until(*lifetime), (), now);
                }
                has_room
            }
            NdOption::Pref64 { prefix, lifetime } => {
                self.pref64.put(*prefix, speaker, until((*lifetime).into()), (), now)
            }
            _ => true,
        };
        if !has_room {
            self.dropped("no room for what another router announces");
        }
    }

    /// RFC 4861 §6.3.4, RFC 4862 §5.5.3.
    fn prefix_said(&mut self, info: &PrefixInformation, speaker: Speaker, now: Instant) {
        let odd = is_link_local(info.prefix.addr()) || info.prefix.addr().is_multicast();
        if odd || info.preferred > info.valid {
            return self.dropped("prefix that makes no sense");
        }
        let mut lifetimes = Lifetimes::new(Until::from_wire(info.preferred, now), Until::from_wire(info.valid, now));
        // without the L flag nothing is said about what is on the link
        let on_link = self.prefixes.get(&info.prefix).map(|entry| entry.value).filter(|before| before.on_link);
        if let Some(before) = on_link.filter(|_| !info.on_link) {
            lifetimes = before.lifetimes;
        }
        let learned = LearnedPrefix {
            prefix: info.prefix,
            on_link: info.on_link || on_link.is_some(),
            autonomous: info.autonomous,
            pd_preferred: info.pd_preferred,
            lifetimes,
        };
        let mut has_room = self.prefixes.put(info.prefix, speaker, lifetimes.valid, learned, now);
        // RFC 4862 §5.5.3 d: prefix and interface identifier make 128 bits
        if info.autonomous && self.config.addresses && info.prefix.len() == 64 {
            has_room &= self.addresses.announced(info, speaker, &self.config, now);
        }
        if !has_room {
            self.dropped("no room for what another router announces");
        }
    }

    fn dropped(&mut self, reason: &'static str) {
        let count = self.drops.or_default(reason);
        *count = count.saturating_add(1);
    }
}

const _: () = assert!(addresses::MOST == MOST_PREFIXES);

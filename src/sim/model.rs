//! What must be true, from the script alone: which prefixes live, who is a default router, and what every host and
//! client must therefore have. It knows nothing of how the router decides.

use super::bytes::Advertisement;
use super::client::Client;
use super::host::{Host, end};
use crate::config::Config;
use crate::net::{Instant, Prefix};
use std::collections::BTreeMap;

/// After something happened, hosts have what they should after this long: three seconds between advertisements (RFC
/// 4861 §10) and some.
pub(super) const SETTLE: u64 = 10_000;
/// After a lost packet: one MaxRtrAdvInterval more.
const SETTLE_AFTER_LOSS: u64 = 620_000;
/// After the kernel refused: the longest back-off and some.
const SETTLE_AFTER_REFUSAL: u64 = 320_000;
/// MaxRtrAdvInterval of the simulated LANs, and some.
const LONGEST_SILENCE: u64 = 602_000;
/// Hosts and clients are looked at this often, and no more.
const CHECK_SPACING: u64 = 5_000;
/// A client has what it asks for after this long in quiet.
const PATIENCE: u64 = 120_000;
/// Lifetimes on the wire are whole seconds.
const ROUNDING: u64 = 2_000;

struct Source {
    /// Since when it is in the configuration.
    since: u64,
    lifetimes: (u32, u32),
    preferred: u64,
    valid: u64,
}

#[derive(Clone, Copy, Default)]
struct Lan {
    /// Since when hosts there can hear the router's link.
    connected: Option<u64>,
    last_multicast: u64,
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) default_route: bool,
    ula: Option<Prefix>,
    sources: BTreeMap<Prefix, Source>,
    /// Which /64 of a source a LAN has: never changes.
    subnets: BTreeMap<(Prefix, usize), Prefix>,
    quiet_from: u64,
    kernel_quiet_from: u64,
    running: Option<u64>,
    lans: [Lan; 2],
    /// Since when a client has held a resource.
    granted: BTreeMap<(u32, Prefix), u64>,
    checked_at: u64,
    pub(super) checks: u64,
}

impl Model {
    pub(super) fn disturb(&mut self, now: u64, settle: u64) {
        self.quiet_from = self.quiet_from.max(now + settle);
        self.kernel_quiet_from = self.kernel_quiet_from.max(now + settle);
    }

    pub(super) fn lost(&mut self, now: u64) {
        self.disturb(now, SETTLE_AFTER_LOSS);
    }

    pub(super) fn refused(&mut self, now: u64) {
        self.kernel_quiet_from = self.kernel_quiet_from.max(now + SETTLE_AFTER_REFUSAL);
    }

    pub(super) fn kernel_is_quiet(&self, now: u64) -> bool {
        self.running.is_some() && now >= self.kernel_quiet_from
    }

    /// When it wants to look again though nothing happens.
    pub(super) fn poll_at(&self, now: u64) -> Option<u64> {
        (self.quiet_from > now).then_some(self.quiet_from)
    }

    /// The unique local prefix: one for ever.
    pub(super) fn ula(&mut self, ula: Prefix) -> Result<(), String> {
        match self.ula.replace(ula) {
            Some(was) if was != ula => Err(format!("the unique local prefix changed from {was} to {ula}")),
            _ => Ok(()),
        }
    }

    /// The router started: what was given by hand counts anew.
    pub(super) fn started(&mut self, now: u64, config: &Config) {
        for source in self.sources.values_mut() {
            source.lifetimes = (0, 0);
        }
        self.configured(now, config);
        self.running = Some(now);
        self.disturb(now, SETTLE);
    }

    pub(super) fn stopped(&mut self, now: u64) {
        self.running = None;
        self.disturb(now, SETTLE);
    }

    pub(super) fn link(&mut self, lan: usize, now: u64, connected: bool) {
        if let Some(lan) = self.lans.get_mut(lan)
            && lan.connected.is_some() != connected
        {
            lan.connected = connected.then_some(now);
        }
    }

    pub(super) fn configured(&mut self, now: u64, config: &Config) {
        self.sources.retain(|prefix, _| config.prefixes.values().any(|given| given.prefix == *prefix));
        for given in config.prefixes.values() {
            let lifetimes = (given.preferred_lifetime, given.valid_lifetime);
            let since = self.sources.get(&given.prefix).map_or(now, |source| source.since);
            if self.sources.get(&given.prefix).is_none_or(|source| source.lifetimes != lifetimes) {
                let (preferred, valid) = (end(Instant(now), lifetimes.0), end(Instant(now), lifetimes.1));
                self.sources.insert(given.prefix, Source { since, lifetimes, preferred, valid });
            }
        }
    }

    /// The source that `prefix` lies in: itself, since when it is there, ends of its lifetimes.
    fn source_of(&self, prefix: &Prefix) -> Option<(Prefix, u64, u64, u64)> {
        if let Some(ula) = self.ula.filter(|ula| ula.covers(prefix)) {
            return Some((ula, 0, u64::MAX, u64::MAX));
        }
        let (source, ends) = self.sources.iter().find(|(source, _)| source.covers(prefix))?;
        Some((*source, ends.since, ends.preferred, ends.valid))
    }

    /// Whether there is still something that `prefix` can be taken from.
    pub(super) fn gives(&self, now: u64, prefix: &Prefix) -> bool {
        self.source_of(prefix).is_some_and(|(_, _, _, valid)| valid > now)
    }

    /// Prefixes that are to be used for new connections `now`, and will be for a while.
    fn live(&self, now: u64) -> impl Iterator<Item = Prefix> + '_ {
        let given = self.sources.iter().filter(move |(_, source)| source.preferred > now + SETTLE);
        self.ula.into_iter().chain(given.map(|(prefix, _)| *prefix))
    }

    /// An advertisement leaves for a LAN.
    pub(super) fn announced(
        &mut self,
        now: u64,
        lan: usize,
        multicast: bool,
        ra: &Advertisement,
    ) -> Result<(), String> {
        if multicast && let Some(lan) = self.lans.get_mut(lan) {
            lan.last_multicast = now;
        }
        for info in &ra.prefixes {
            let source = self.source_of(&info.prefix);
            let dead = info.preferred == 0;
            match source {
                Some((source, _, preferred, valid)) if preferred > now + ROUNDING => {
                    let known = self.subnets.get(&(source, lan)).copied();
                    match known {
                        Some(known) if known == info.prefix && dead => {
                            return Err(format!("LAN {lan}: {} lives, but is announced dead", info.prefix));
                        }
                        Some(known) if known != info.prefix && !dead => {
                            return Err(format!("LAN {lan}: had {known} of {source}, now {}", info.prefix));
                        }
                        None if !dead => {
                            self.subnets.insert((source, lan), info.prefix);
                        }
                        _ => {}
                    }
                    let over = |lifetime, ends: u64| {
                        ends != u64::MAX && lifetime != 0 && end(Instant(now), lifetime) > ends.saturating_add(ROUNDING)
                    };
                    if over(info.preferred, preferred) || (!dead && over(info.valid, valid)) {
                        return Err(format!("LAN {lan}: {} is announced longer than it lives", info.prefix));
                    }
                }
                Some(_) => {}
                None if dead => {}
                None => return Err(format!("LAN {lan}: {} is announced, but nothing gives it", info.prefix)),
            }
        }
        Ok(())
    }

    /// A client took an answer in; `before` is what it held.
    pub(super) fn answered(
        &mut self,
        now: u64,
        number: u32,
        before: &BTreeMap<Prefix, (u64, u64)>,
        clients: &BTreeMap<u32, Client>,
    ) -> Result<(), String> {
        let Some(client) = clients.get(&number) else { return Ok(()) };
        for prefix in client.held.keys() {
            self.granted.entry((number, *prefix)).or_insert(now);
            if self.source_of(prefix).is_none_or(|(_, _, _, valid)| valid <= now) {
                return Err(format!("client {number} was given {prefix}, which no prefix of ours covers"));
            }
            for (other, holder) in clients.iter().filter(|(other, _)| **other != number) {
                let twice = holder.held.iter().find(|(held, (_, valid))| held.overlaps(prefix) && *valid > now);
                if let Some((held, _)) = twice {
                    return Err(format!("client {number} was given {prefix}, client {other} holds {held}"));
                }
            }
        }
        for prefix in before.keys().filter(|prefix| !client.held.contains_key(*prefix)) {
            let granted = self.granted.remove(&(number, *prefix)).unwrap_or(now);
            if let Some((_, since, preferred, _)) = self.source_of(prefix)
                && since <= granted
                && preferred > now + ROUNDING
            {
                return Err(format!("client {number} was told to drop {prefix}, which lives"));
            }
        }
        Ok(())
    }

    /// Looks at every host and client, if the world has been quiet for long enough.
    pub(super) fn check(
        &mut self,
        now: Instant,
        hosts: &BTreeMap<u32, Host>,
        clients: &BTreeMap<u32, Client>,
    ) -> Result<(), String> {
        let Some(running) = self.running else { return Ok(()) };
        for (number, lan) in self.lans.iter().enumerate() {
            let Some(connected) = lan.connected else { continue };
            let since = lan.last_multicast.max(running).max(connected);
            if now.0 > since + LONGEST_SILENCE {
                return Err(format!("LAN {number}: no advertisement for {} s", (now.0 - since) / 1000));
            }
        }
        if now.0 < self.quiet_from.max(self.checked_at + CHECK_SPACING) {
            return Ok(());
        }
        self.checked_at = now.0;
        let mut checks = 0;
        for (number, host) in hosts.iter().filter(|(_, host)| self.connected(host.lan)) {
            checks += 1;
            self.check_host(now, host).map_err(|what| format!("host {number} on LAN {}: {what}", host.lan))?;
        }
        for (number, client) in clients.iter().filter(|(_, client)| self.connected(client.lan)) {
            let since = client.unbound_since().unwrap_or(now.0).max(self.quiet_from);
            if now.0 > since + PATIENCE {
                return Err(format!(
                    "client {number} on LAN {} asks in vain for {} s",
                    client.lan,
                    (now.0 - since) / 1000
                ));
            }
        }
        self.checks += checks;
        Ok(())
    }

    fn connected(&self, lan: usize) -> bool {
        self.lans.get(lan).is_some_and(|lan| lan.connected.is_some())
    }

    fn check_host(&self, now: Instant, host: &Host) -> Result<(), String> {
        let believed = host.router_until > now.0;
        let ending = self.sources.values().any(|source| source.valid.abs_diff(now.0) < SETTLE);
        // with nothing but unique local addresses there is no way out (RFC 7084 G-4)
        let wanted = self.default_route && self.sources.values().any(|source| source.valid > now.0);
        if believed != wanted && !ending {
            return Err(format!("that the router is a default router is {wanted}; the host believes {believed}"));
        }
        for source in self.live(now.0) {
            let inside: Vec<Prefix> = host.preferred(now).filter(|prefix| source.covers(prefix)).collect();
            match inside.as_slice() {
                [one] if self.subnets.get(&(source, host.lan)) == Some(one) => {}
                found => return Err(format!("of {source} it should prefer one prefix, not {found:?}")),
            }
        }
        for prefix in host.preferred(now) {
            let lives = self.source_of(&prefix).is_some_and(|(_, _, preferred, _)| preferred > now.0 - SETTLE);
            if !lives {
                return Err(format!("it prefers {prefix}, which is gone"));
            }
        }
        Ok(())
    }
}

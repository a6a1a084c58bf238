//! Where a WireGuard peer is: its name is looked up at the start, and again when the peer is silent though we call.
//!
//! ```text
//! ask(now) ─► name to look up ─► answer(addresses or error)        one at a time; after an error later and later
//! heard(last handshake, bytes sent) ─► silent for 3 minutes, and we sent something: due again
//! addr(), resolved() ─► plan::Peer
//! ```
//!
//! An idle tunnel is silent without being broken, so silence counts only while bytes are sent: after three minutes
//! (REJECT_AFTER_TIME of WireGuard's paper, §6.1) whatever is sent is a call for a handshake. Each time the name has
//! been looked up anew the next of its addresses is tried, and one and the same is set again: the peer may have roamed
//! to somewhere that it left since. So it is with an endpoint that needs no looking up.

use crate::net::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a peer may be silent.
const SILENCE: Duration = Duration::from_secs(180);
/// How long the next address gets; twice as long each time.
const NEXT_TRY: Duration = Duration::from_secs(60);
/// The longest of these waits.
const LONGEST_TRY: Duration = Duration::from_secs(600);
/// Wait after the first failed lookup; twice as long each time.
const RETRY: Duration = Duration::from_secs(1);
/// The longest of these waits: until the name is known there is no tunnel.
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Addresses kept of a name: more than a sane one has.
const MOST: usize = 8;

/// The endpoint of one peer.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: String,
    /// What the name stands for, IPv4 first: a tunnel that brings IPv6 had better not need it.
    found: Vec<SocketAddr>,
    addr: Option<SocketAddr>,
    resolved: u32,
    /// When to look it up.
    due: Option<Instant>,
    running: bool,
    /// Failed lookups in a row.
    failed: u32,
    problem: Option<String>,
    /// The last sign of life, or when an address was last set.
    sign: Instant,
    /// Addresses set without a sign of life since.
    tries: u32,
    sent: u64,
}

impl Endpoint {
    /// `name` is `HOST:PORT`, a name or an address.
    pub fn new(name: &str, now: Instant) -> Endpoint {
        let addr = name.parse().ok();
        Endpoint {
            name: name.to_owned(),
            found: addr.into_iter().collect(),
            addr,
            resolved: 0,
            due: addr.is_none().then_some(now),
            running: false,
            failed: 0,
            problem: None,
            sign: now,
            tries: 0,
            sent: 0,
        }
    }

    /// As configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What has to be looked up now, once; [`Endpoint::answer`] has to follow.
    pub fn ask(&mut self, now: Instant) -> Option<&str> {
        self.due.take_if(|due| *due <= now)?;
        self.running = true;
        Some(&self.name)
    }

    /// What the lookup brought. No addresses are an error like another.
    pub fn answer(&mut self, answer: Result<Vec<SocketAddr>, String>, now: Instant) {
        self.running = false;
        match answer {
            Ok(mut found) if !found.is_empty() => {
                // which of them comes first is up to the resolver's mood
                found.sort_by_key(|addr| (addr.is_ipv6(), *addr));
                found.dedup();
                found.truncate(MOST);
                self.found = found;
                (self.failed, self.problem) = (0, None);
                self.set_next(now);
            }
            other => {
                let wait = (RETRY * (1 << self.failed.min(16))).min(LONGEST_RETRY);
                self.failed = self.failed.saturating_add(1);
                self.problem = Some(other.err().unwrap_or_else(|| "the name has no address".into()));
                self.due = Some(now.after(wait));
            }
        }
    }

    /// What the kernel says of the peer: its last handshake, and how many bytes were sent to it. To be told every few
    /// seconds.
    pub fn heard(&mut self, last_handshake: Option<Instant>, sent: u64, now: Instant) {
        if let Some(handshake) = last_handshake.filter(|handshake| *handshake > self.sign) {
            (self.sign, self.tries) = (handshake, 0);
        }
        let called = std::mem::replace(&mut self.sent, sent) != sent;
        let patience = match self.tries {
            0 => SILENCE,
            tries => (NEXT_TRY * (1 << (tries - 1).min(16))).min(LONGEST_TRY),
        };
        if !called || now.since(self.sign) < patience || self.addr.is_none() || self.running || self.due.is_some() {
            return;
        }
        match self.name.parse::<SocketAddr>() {
            Ok(_) => self.set_next(now),
            Err(_) => self.due = Some(now),
        }
    }

    /// Takes the address behind the one that was used, or the first.
    fn set_next(&mut self, now: Instant) {
        let used = self.addr.and_then(|addr| self.found.iter().position(|found| *found == addr));
        let next = used.map_or(0, |used| used + 1);
        if self.addr.is_some() {
            self.resolved = self.resolved.wrapping_add(1);
            self.tries = self.tries.saturating_add(1);
        }
        self.addr = self.found.get(next).or(self.found.first()).copied();
        self.sign = now;
    }

    /// The address to use, once one is known.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// How often it was set anew: see [`Peer::resolved`](crate::plan::Peer::resolved).
    pub fn resolved(&self) -> u32 {
        self.resolved
    }

    /// Why the last lookup failed, if it did.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// When [`Endpoint::ask`] has something to say.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        self.due.map(|due| (due, "look up an endpoint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_000_000);

    fn after(seconds: u64) -> Instant {
        START.after_secs(seconds)
    }

    fn addrs(texts: &[&str]) -> Result<Vec<SocketAddr>, String> {
        Ok(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_name_is_looked_up_at_once_and_after_failures_later_and_later() {
        let mut endpoint = Endpoint::new("vpn.example.org:51820", START);
        let (mut now, mut waits) = (START, Vec::new());
        for _ in 0..9 {
            assert_eq!(endpoint.ask(now), Some("vpn.example.org:51820"));
            assert_eq!(endpoint.ask(now), None, "one lookup at a time");
            assert_eq!(endpoint.poll_at(), None);
            endpoint.answer(Err("no answer".into()), now);
            assert_eq!((endpoint.problem(), endpoint.addr()), (Some("no answer"), None));
            let (at, _) = endpoint.poll_at().unwrap();
            assert_eq!(endpoint.ask(Instant(at.0 - 1)), None);
            waits.push(at.since(now).as_secs());
            now = at;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        endpoint.ask(now);
        endpoint.answer(addrs(&["[2001:db8::2]:51820", "192.0.2.2:51820"]), now);
        assert_eq!(endpoint.addr(), Some("192.0.2.2:51820".parse().unwrap()), "IPv4 first");
        assert_eq!((endpoint.resolved(), endpoint.poll_at(), endpoint.problem()), (0, None, None));
    }

    #[test]
    fn it_is_looked_up_again_when_a_peer_we_call_is_silent_for_three_minutes() {
        let mut endpoint = Endpoint::new("vpn.example.org:51820", START);
        endpoint.ask(START);
        endpoint.answer(addrs(&["192.0.2.2:51820", "192.0.2.3:51820"]), START);
        endpoint.heard(Some(after(10)), 100, after(12));
        // idle for long, which is no silence
        endpoint.heard(Some(after(10)), 100, after(5000));
        assert_eq!(endpoint.poll_at(), None);
        endpoint.heard(Some(after(5001)), 200, after(5002));
        endpoint.heard(Some(after(5001)), 300, after(5180));
        assert_eq!(endpoint.poll_at(), None);
        endpoint.heard(Some(after(5001)), 400, after(5181));
        assert_eq!(endpoint.ask(after(5181)), Some("vpn.example.org:51820"));
        endpoint.answer(addrs(&["192.0.2.3:51820", "192.0.2.2:51820"]), after(5181));
        assert_eq!((endpoint.addr(), endpoint.resolved()), ("192.0.2.3:51820".parse().ok(), 1), "the next one");
        // it stays silent: again and again, ever more rarely; what is known stays while lookups fail
        let (mut sent, mut asked) = (400, Vec::new());
        for second in 5182..8000 {
            sent += 148;
            endpoint.heard(Some(after(5001)), sent, after(second));
            if endpoint.ask(after(second)).is_some() {
                endpoint.answer(addrs(&["192.0.2.2:51820"]), after(second));
                asked.push(second - 5181);
                assert_eq!(endpoint.addr(), "192.0.2.2:51820".parse().ok());
            }
        }
        assert_eq!(asked, [60, 180, 420, 900, 1500, 2100, 2700]);
        assert_eq!(endpoint.resolved(), 8, "the same address is set again");
        endpoint.heard(Some(after(8000)), sent, after(8001));
        endpoint.heard(Some(after(8000)), sent + 1, after(8179));
        assert_eq!(endpoint.poll_at(), None, "a handshake gives it three minutes again");
    }

    #[test]
    fn an_address_is_never_looked_up_but_set_again() {
        let mut endpoint = Endpoint::new("[2001:db8::2]:51820", START);
        assert_eq!(endpoint.ask(START), None);
        assert_eq!(endpoint.addr(), "[2001:db8::2]:51820".parse().ok());
        endpoint.heard(None, 148, after(179));
        assert_eq!(endpoint.resolved(), 0);
        endpoint.heard(None, 296, after(180));
        assert_eq!((endpoint.resolved(), endpoint.poll_at()), (1, None));
        assert_eq!(endpoint.addr(), "[2001:db8::2]:51820".parse().ok());
    }

    #[test]
    fn a_name_without_addresses_is_an_error_and_with_hundreds_a_few_are_kept() {
        let mut endpoint = Endpoint::new("vpn.example.org:51820", START);
        endpoint.ask(START);
        endpoint.answer(Ok(Vec::new()), START);
        assert!(endpoint.problem().is_some() && endpoint.poll_at().is_some());
        endpoint.ask(after(1));
        endpoint.answer(Ok((0..200).map(|n| ([192, 0, 2, n], 1).into()).collect()), after(1));
        assert_eq!(endpoint.found.len(), MOST);
    }
}

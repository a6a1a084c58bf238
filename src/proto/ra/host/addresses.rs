//! Addresses made in autonomous prefixes (RFC 4862 §5.5.3, RFC 7217).

use super::heard::{Speaker, Table};
use super::{Config, HostAddress};
use crate::net::{Instant, Lifetimes, Prefix, Until, siphash, with_iid};
use crate::wire::nd::PrefixInformation;
use std::net::Ipv6Addr;

/// Addresses, as many as prefixes.
pub(super) const MOST: usize = 16;
/// A valid lifetime is not cut below this by an unauthenticated advertisement, seconds (RFC 4862 §5.5.3 e).
const TWO_HOURS: u32 = 7_200;
/// How many addresses are tried in a prefix (RFC 7217 §6 IDGEN_RETRIES, and the first).
const TRIES: u8 = 4;

/// An address of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    /// DAD_Counter (RFC 7217 §5).
    tries: u8,
    /// `None`: all that were tried are in use by others.
    address: Option<Ipv6Addr>,
    lifetimes: Lifetimes,
    /// Seconds it was last given, preferred, and when.
    pub(super) given: (u32, Instant),
}

/// The addresses of a link.
#[derive(Debug)]
pub(super) struct Addresses(Table<Prefix, Made>);

impl Addresses {
    pub(super) fn new() -> Addresses {
        Addresses(Table::new(MOST))
    }

    /// RFC 4862 §5.5.3. False if there is no room for one more.
    pub(super) fn announced(
        &mut self,
        info: &PrefixInformation,
        speaker: Speaker,
        config: &Config,
        now: Instant,
    ) -> bool {
        let before = self.0.get(&info.prefix).map(|entry| entry.value);
        let valid = match before.map(|made| made.lifetimes.valid) {
            Some(valid) if info.valid <= TWO_HOURS && info.valid <= valid.remaining(now) => {
                valid.min(Until::from_wire(TWO_HOURS, now))
            }
            _ => Until::from_wire(info.valid, now),
        };
        let lifetimes = Lifetimes::new(Until::from_wire(info.preferred, now), valid);
        let (tries, address) = match before {
            Some(made) => (made.tries, made.address),
            None => first_free(info.prefix, 0, config),
        };
        let made = Made { tries, address, lifetimes, given: (info.preferred, now) };
        self.0.put(info.prefix, speaker, valid, made, now)
    }

    /// RFC 7217 §6. Whether it was one of ours.
    pub(super) fn duplicate(&mut self, address: Ipv6Addr, config: &Config) -> bool {
        let Some(entry) = self.0.iter_mut().find(|entry| entry.value.address == Some(address)) else { return false };
        (entry.value.tries, entry.value.address) = first_free(entry.key, entry.value.tries.saturating_add(1), config);
        true
    }

    /// The secret or the link's name changed: all are made anew.
    pub(super) fn remake(&mut self, config: &Config) {
        if !config.addresses {
            self.0.clear();
        }
        for entry in self.0.iter_mut() {
            (entry.value.tries, entry.value.address) = first_free(entry.key, 0, config);
        }
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.0.end(now);
    }

    pub(super) fn next_end(&self) -> Option<Instant> {
        self.0.next_end()
    }

    pub(super) fn current(&self, now: Instant) -> impl Iterator<Item = HostAddress> {
        self.0.iter().filter(move |entry| !entry.until.is_over(now)).filter_map(|entry| {
            let Made { address, lifetimes, .. } = entry.value;
            address.map(|address| HostAddress { address, lifetimes })
        })
    }

    /// What `router` gave, and when: preferred lifetime in seconds.
    pub(super) fn given_by(&self, router: Ipv6Addr) -> impl Iterator<Item = (u32, Instant)> {
        self.0.iter().filter(move |entry| entry.router == router).map(|entry| entry.value.given)
    }
}

/// The first address whose interface identifier is not reserved, from `tries` on.
fn first_free(prefix: Prefix, tries: u8, config: &Config) -> (u8, Option<Ipv6Addr>) {
    for tries in tries..TRIES {
        let iid = identifier(prefix, tries, config);
        if !is_reserved(iid) {
            return (tries, Some(with_iid(prefix.addr(), iid)));
        }
    }
    (TRIES, None)
}

/// Whether an address is one of those that are tried in its /64.
pub(super) fn would_make(address: Ipv6Addr, config: &Config) -> bool {
    let Some(prefix) = Prefix::new(address, 64) else { return false };
    (0..TRIES).any(|tries| with_iid(prefix.addr(), identifier(prefix, tries, config)) == address)
}

/// RFC 7217 §5: F(Prefix, Net_Iface, DAD_Counter, secret_key), without a Network_ID, which an uplink has none of.
fn identifier(prefix: Prefix, tries: u8, config: &Config) -> u64 {
    let mut bytes = prefix.addr().octets().to_vec();
    bytes.push(tries);
    bytes.extend(config.interface.as_bytes());
    siphash(config.secret, &bytes)
}

/// RFC 5453 §3: the subnet-router anycast address, and the reserved subnet anycast addresses.
fn is_reserved(iid: u64) -> bool {
    iid == 0 || (0xfdff_ffff_ffff_ff80..=0xfdff_ffff_ffff_ffff).contains(&iid)
}

//! Clients that are asked to come back, since what they have is no longer good (RFC 9915 §18.3.11, §20.4).
//!
//! A client that says it accepts this gets a key in its Reply. The key lives in memory only: after a restart the next
//! Renew brings a new one. A client behind a relay agent gets none.

use super::Action;
use super::status::Counters;
use crate::net::{Duid, Instant, Rng};
use crate::proto::retransmission::later;
use crate::wire::dhcp6::{MessageType, Rkap, RkapInformation, Writer, authenticate, option};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Clients whose key is kept: about 200 bytes each, more than a home has. Others come back at T1.
pub(super) const MOST_KEYS: usize = 1_000;
/// First wait for an answer, milliseconds; it doubles each time (RFC 9915 §7.6 REC_TIMEOUT).
const REC_TIMEOUT: u64 = 2_000;
/// How often a client is asked (RFC 9915 §7.6 REC_MAX_RC).
const REC_MAX_RC: u32 = 8;

/// A client that may be asked to come back.
#[derive(Debug)]
struct Client {
    key: [u8; 16],
    replay: u64,
    link: u32,
    address: Ipv6Addr,
    port: u16,
    /// When it is asked next, and how often it was; `None`: it need not come back.
    asking: Option<(Instant, u32)>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Reconfigures {
    rng: Rng,
    clients: BTreeMap<Duid, Client>,
}

impl Reconfigures {
    pub(super) fn new(rng: Rng) -> Reconfigures {
        Reconfigures { rng, clients: BTreeMap::new() }
    }

    /// Puts a key into a Reply to a client that accepts Reconfigure and is at this address: a new one if it has none, the
    /// one it has if `again` (its first Reply may have been lost).
    pub(super) fn accept(&mut self, duid: &[u8], at: (u32, Ipv6Addr, u16), again: bool, writer: &mut Writer) {
        let Some(duid) = Duid::new(duid) else { return };
        let is_known = self.clients.contains_key(&duid);
        if !is_known && self.clients.len() >= MOST_KEYS {
            return;
        }
        let (link, address, port) = at;
        let rng = &mut self.rng;
        let client = self.clients.entry(duid).or_insert_with(|| {
            let key = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
            Client { key: key.to_be_bytes(), replay: 0, link, address, port, asking: None }
        });
        (client.link, client.address, client.port) = (link, address, port);
        writer.put(option::RECONFIGURE_ACCEPT, &[]);
        if again || !is_known {
            client.replay = client.replay.saturating_add(1);
            Rkap { replay: client.replay, information: RkapInformation::Key(client.key) }.write(writer);
        }
    }

    /// A client came back.
    pub(super) fn came(&mut self, duid: &[u8]) {
        if let Some(client) = Duid::new(duid).and_then(|duid| self.clients.get_mut(&duid)) {
            client.asking = None;
        }
    }

    /// A client is gone.
    pub(super) fn forget(&mut self, duid: &[u8]) {
        Duid::new(duid).map(|duid| self.clients.remove(&duid));
    }

    /// Clients that can be asked.
    pub(super) fn duids(&self) -> impl Iterator<Item = &Duid> {
        self.clients.keys()
    }

    /// Begins to ask this client.
    pub(super) fn start(&mut self, duid: &Duid, now: Instant) {
        if let Some(client) = self.clients.get_mut(duid).filter(|client| client.asking.is_none()) {
            client.asking = Some((now, 0));
        }
    }

    /// When somebody is asked next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.clients.values().filter_map(|client| client.asking).map(|(at, _)| at).min()
    }

    /// Asks whose time has come.
    pub(super) fn tick(&mut self, server: &Duid, now: Instant, counters: &mut Counters, out: &mut Vec<Action>) {
        for (duid, client) in &mut self.clients {
            let Some((_, asked)) = client.asking.filter(|(at, _)| *at <= now) else { continue };
            if asked >= REC_MAX_RC {
                client.asking = None;
                continue;
            }
            client.asking = Some((later(now, REC_TIMEOUT << asked), asked + 1));
            client.replay = client.replay.saturating_add(1);
            // RFC 9915 §18.3.11: transaction id 0
            let mut writer = Writer::message(MessageType::Reconfigure, 0);
            writer.put(option::SERVER_ID, server.as_bytes());
            writer.put(option::CLIENT_ID, duid.as_bytes());
            writer.put(option::RECONFIGURE_MESSAGE, &[MessageType::Renew as u8]);
            Rkap { replay: client.replay, information: RkapInformation::Code([0; 16]) }.write(&mut writer);
            if let Some(mut bytes) = writer.finish() {
                authenticate(&mut bytes, client.key);
                counters.sent(MessageType::Reconfigure);
                let Client { link, address: to, port, .. } = *client;
                out.push(Action::Send { link, to, port, bytes, commits: false });
            }
        }
    }
}

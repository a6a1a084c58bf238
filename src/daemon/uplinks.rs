//! The sockets toward uplinks: DHCPv6 clients and echo. They are open while an uplink needs them.

use super::Loaded;
use super::errands::Errands;
use super::fetch::fetch;
use super::lookup::lookup;
use super::slot::Slot;
use crate::config::{self, Config, UplinkKind};
use crate::kernel::linux::{self, LinuxKernel};
use crate::kernel::socket::{Dhcp6ClientSocket, EchoReply, EchoSocket, NeighbourSocket};
use crate::kernel::traffic::{self, Traffic};
use crate::net::{FlatMap, Instant, Key32};
use crate::proto::uplink;
use crate::router::{Action, Event, Router};
use crate::store::key_file;
use serde_json::{Value, json};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Longest name of an uplink that a key is made for, in bytes: file names have 255.
const MAX_NAME: usize = 64;
/// Packets taken from one socket in a row.
const BUDGET: usize = 32;

/// The sockets toward uplinks.
pub(super) struct UplinkSockets {
    dhcp6: Slot<Dhcp6ClientSocket>,
    echo: Slot<EchoSocket>,
    neighbours: Slot<NeighbourSocket>,
    /// Names that are being looked up.
    lookups: Errands<Vec<SocketAddr>>,
    /// URLs that are being fetched.
    fetches: Errands<()>,
    /// Devices whose packets are to be counted.
    count: Vec<(u32, String)>,
    /// Neighbours that are to be looked up, with their links.
    look_up: Vec<(u32, Ipv6Addr)>,
    handshakes_at: Option<Instant>,
    /// What keeps private keys from being read.
    no_keys: Vec<String>,
}

/// Which of them has something.
pub(super) enum Ready {
    Dhcp6,
    Echo,
    Neighbours,
    Resolved(String, Result<Vec<SocketAddr>, String>),
    Fetched(String, Result<(), String>),
}

impl UplinkSockets {
    pub(super) fn closed() -> UplinkSockets {
        UplinkSockets {
            dhcp6: Slot::CLOSED,
            echo: Slot::CLOSED,
            neighbours: Slot::CLOSED,
            lookups: Errands::none(),
            fetches: Errands::none(),
            count: Vec::new(),
            look_up: Vec::new(),
            handshakes_at: None,
            no_keys: Vec::new(),
        }
    }

    /// Waits for something to receive. Cancelling it loses nothing.
    pub(super) async fn readable(&mut self) -> std::io::Result<Ready> {
        tokio::select! {
            ready = self.dhcp6.ready(Dhcp6ClientSocket::readable) => ready.map(|()| Ready::Dhcp6),
            ready = self.echo.ready(EchoSocket::readable) => ready.map(|()| Ready::Echo),
            ready = self.neighbours.ready(NeighbourSocket::readable) => ready.map(|()| Ready::Neighbours),
            (uplink, answer) = self.lookups.next() => Ok(Ready::Resolved(uplink, answer)),
            (uplink, answer) = self.fetches.next() => Ok(Ready::Fetched(uplink, answer)),
        }
    }

    /// Private keys of WireGuard uplinks; files that are missing are made.
    pub(super) fn keys(&mut self, config: &Config) -> FlatMap<String, Key32> {
        self.no_keys.clear();
        let mut keys = FlatMap::new();
        for (name, path) in key_files(config) {
            match key_file::private_key(&path, linux::random()) {
                Ok(key) => _ = keys.insert(name.to_owned(), key),
                Err(why) => {
                    ::log::warn!("uplink {name}: {why}");
                    self.no_keys.push(why);
                }
            }
        }
        keys
    }

    /// Hands what arrived to the router.
    pub(super) fn receive(&mut self, ready: Ready, router: &mut Router, now: Instant, out: &mut Vec<Action>) {
        match (ready, &mut self.dhcp6.socket, &mut self.echo.socket) {
            (Ready::Neighbours, ..) => {
                if let Some(socket) = &mut self.neighbours.socket {
                    socket.recv_batch(BUDGET, |link, message| {
                        router.handle(Event::Neighbour { link, message }, now, out);
                    });
                }
            }
            (Ready::Dhcp6, Some(socket), _) => {
                socket.recv_batch(BUDGET, |link, event| router.handle(Event::Dhcp6Client { link, event }, now, out));
            }
            (Ready::Echo, _, Some(socket)) => socket.recv_batch(BUDGET, |reply| {
                let EchoReply { link, from, identifier, sequence } = reply;
                let event = uplink::Event::EchoReply { from, identifier, sequence };
                router.handle(Event::Watch { link, event }, now, out);
            }),
            (Ready::Resolved(uplink, answer), ..) => router.handle(Event::Resolved { uplink, answer }, now, out),
            (Ready::Fetched(uplink, answer), ..) => {
                match &answer {
                    Ok(()) => ::log::info!("uplink {uplink}: the broker was told of our IPv4 address"),
                    Err(why) => ::log::warn!("uplink {uplink}: the broker was not told of our IPv4 address: {why}"),
                }
                router.handle(Event::Fetched { uplink, answer }, now, out);
            }
            _ => {}
        }
    }

    /// Before a turn ends: opens and closes sockets as the uplinks need them, and brings what they asked for.
    pub(super) fn tick(&mut self, router: &mut Router, kernel: &mut LinuxKernel, now: Instant, out: &mut Vec<Action>) {
        if let Some(why) = self.dhcp6.keep(router.wants_dhcp6_client(), Dhcp6ClientSocket::open, now) {
            ::log::warn!("no DHCPv6 client: {why}");
        }
        if let Some(why) = self.echo.keep(router.wants_echo(), EchoSocket::open, now) {
            ::log::warn!("uplinks can't be asked by echo: {why}");
        }
        let shared = router.shared_links();
        if let Some(why) = self.neighbours.keep(!shared.is_empty(), NeighbourSocket::open, now) {
            ::log::warn!("no /64 can be shared: {why}");
        }
        if let Some(Err(error)) = self.neighbours.socket.as_mut().map(|socket| socket.hear(&shared)) {
            ::log::warn!("can't hear neighbours: {error}");
        }
        for (link, device) in self.count.drain(..) {
            if let Some(Traffic { unicast_in, out: sent }) = traffic::read(&device) {
                let event = uplink::Event::Counters { unicast_in, out: sent };
                router.handle(Event::Watch { link, event }, now, out);
            }
        }
        for (link, next_hop) in self.look_up.drain(..) {
            if let Some(reachable) = kernel.neighbour(link, next_hop) {
                router.handle(Event::Watch { link, event: uplink::Event::Neighbour { reachable } }, now, out);
            }
        }
        self.handshakes(router, kernel, now, out);
    }

    /// Looks at the handshakes of tunnels.
    #[cfg(feature = "wireguard")]
    fn handshakes(&mut self, router: &mut Router, kernel: &mut LinuxKernel, now: Instant, out: &mut Vec<Action>) {
        /// They are looked at this often.
        const EACH: std::time::Duration = std::time::Duration::from_secs(5);
        let tunnels = router.tunnels();
        if tunnels.is_empty() {
            self.handshakes_at = None;
            return;
        }
        if self.handshakes_at.is_some_and(|at| at > now) {
            return;
        }
        self.handshakes_at = Some(now.after(EACH));
        for (device, link) in tunnels {
            let peers = kernel.wireguard_peers(&device).unwrap_or_default();
            if let Some(peer) = peers.first() {
                router.handle(Event::Peer { link, handshake: peer.last_handshake, sent: peer.tx }, now, out);
            }
        }
    }

    #[cfg(not(feature = "wireguard"))]
    fn handshakes(&mut self, _: &mut Router, _: &mut LinuxKernel, _: Instant, _: &mut Vec<Action>) {}

    /// When `tick` has something to do.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        let count = (!self.count.is_empty() || !self.look_up.is_empty()).then_some(Instant(0));
        let all = [count, self.handshakes_at, self.dhcp6.poll_at(), self.echo.poll_at(), self.neighbours.poll_at()];
        all.into_iter().flatten().min()
    }

    pub(super) fn send_dhcp6(&mut self, link: u32, to: Ipv6Addr, bytes: &[u8]) {
        if let Some(Err(error)) = self.dhcp6.socket.as_mut().map(|socket| socket.send(link, to, bytes)) {
            ::log::debug!("a DHCPv6 message was not sent: {error}");
        }
    }

    pub(super) fn send_echo(
        &mut self,
        link: u32,
        source: Option<Ipv6Addr>,
        to: Ipv6Addr,
        (identifier, sequence): (u16, u16),
    ) {
        // an echo that can't be sent is one that is not answered
        if let Some(Err(error)) = self.echo.socket.as_mut().map(|s| s.send(link, source, to, identifier, sequence)) {
            ::log::debug!("an echo request was not sent: {error}");
        }
    }

    /// Packets of a device are to be counted, in the next turn.
    pub(super) fn count(&mut self, link: u32, device: String) {
        self.count.push((link, device));
    }

    /// A neighbour is to be looked up, in the next turn.
    pub(super) fn look_up(&mut self, link: u32, next_hop: Ipv6Addr) {
        self.look_up.push((link, next_hop));
    }

    pub(super) fn resolve(&mut self, uplink: &str, endpoint: &str) {
        self.lookups.start(uplink, lookup(endpoint.to_owned()));
    }

    pub(super) fn fetch(&mut self, uplink: &str, url: &str) {
        self.fetches.start(uplink, fetch(url.to_owned()));
    }

    /// What keeps a socket from being open.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let dhcp6 = self.dhcp6.refused().map(|why| ("dhcp6 client", why));
        let keys = self.no_keys.iter().map(|why| ("wireguard", why.as_str()));
        let neighbours = self.neighbours.refused().map(|why| ("share", why));
        keys.chain(dhcp6).chain(self.echo.refused().map(|why| ("echo", why))).chain(neighbours)
    }
}

/// Adds to each uplink of an answer what its device has carried.
pub(super) fn add_traffic(answer: &mut Value) {
    let Some(uplinks) = answer.get_mut("uplinks").and_then(Value::as_array_mut) else { return };
    if uplinks.is_empty() {
        return;
    }
    let bytes = traffic::bytes();
    for fields in uplinks.iter_mut().filter_map(Value::as_object_mut) {
        let of_device = fields.get("device").and_then(Value::as_str).and_then(|device| bytes.get(device));
        let counted = of_device.map(|(rx, tx)| json!({ "rx_bytes": rx, "tx_bytes": tx }));
        fields.insert("traffic".into(), counted.unwrap_or_default());
    }
}

/// The public key of the WireGuard uplink `name` in its usual file, which is made if it is missing: for a peer that has to know
/// it before the uplink is configured. Errors: `name` is none, or the file can't be read or written.
pub fn public_key(loaded: &Loaded, name: &str) -> Result<String, String> {
    if name.len() > MAX_NAME || !config::is_section_name(name) {
        return Err(format!("'{}' is no name of an uplink", name.escape_debug()));
    }
    let state_dir =
        loaded.config.as_ref().map_or_else(|| Config::default().state_dir, |config| config.state_dir.clone());
    Ok(key_file::private_key(&key_path(&state_dir, name), linux::random())?.public().to_string())
}

/// Where the private key of an uplink is, if the configuration names no other file.
fn key_path(state_dir: &str, name: &str) -> PathBuf {
    Path::new(state_dir).join(format!("wireguard-{name}.key"))
}

/// Files with the private keys of WireGuard uplinks that are used, by the uplinks' names.
pub(super) fn key_files(config: &Config) -> impl Iterator<Item = (&str, PathBuf)> {
    config.uplinks.iter().filter(|(_, uplink)| config.enabled && uplink.enabled).filter_map(|(name, uplink)| {
        let UplinkKind::Wireguard(wireguard) = &uplink.kind else { return None };
        let file = match wireguard.private_key_file.as_str() {
            "" => key_path(&config.state_dir, name),
            file => PathBuf::from(file),
        };
        wireguard.private_key.is_none().then_some((name.as_str(), file))
    })
}

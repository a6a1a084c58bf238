//! The one event loop: owns every socket, timer and file, and decides nothing.
//!
//! ```text
//! sockets, kernel, signals, control ─► one now ─► Router::handle … Router::settle ─► carry_out
//!                                                    ▲                                  │
//!                                                    └────────── Event::Applied ◄───────┤ journal, kernel, sockets
//! ```
//!
//! Any error of the loop itself ends the process, so that procd starts it anew: a part that died while the rest goes
//! on is the one state nobody notices. What the world refuses (a full disk, a taken port) is no such error: it is
//! shown in `status`, and tried again.

mod bus;
mod errands;
mod fetch;
mod filter;
mod lease_file;
mod load;
pub(crate) mod log;
mod lookup;
mod names;
mod plan;
mod slot;
mod unsent;
mod uplinks;
mod withdraw;

pub use load::{Loaded, Paths, load};
pub use plan::plan;
pub use uplinks::public_key;
pub use withdraw::withdraw;

use bus::{Bus, Call, Devices};
use filter::FilterWatch;
use lease_file::LeaseFile;
use names::NameSources;

use crate::config::{Config, Severity};
use crate::control;
use crate::control::server::{Request, Server};
use crate::kernel::conntrack;
use crate::kernel::linux::{self, LinuxKernel, Notifications, Received};
use crate::kernel::socket::{Dhcp6Socket, NdSocket, Outgoing};
use crate::kernel::{Kernel, Refusal};
use crate::net::FlatSet;
use crate::net::Instant;
use crate::plan::{Change, Op, Trouble};
use crate::proto::dhcp6::Record;
use crate::proto::ra;
use crate::router::{Action, Entropy, Event, Hands, Notice, Router, carry_out};
use crate::store::{Memory, Store, disk::Disk, disk::Lock};
use ::log::{error, info, warn};
use serde_json::{Value, json};
use slot::Slot;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use unsent::Unsent;
use uplinks::{Ready, UplinkSockets};

/// Packets taken from one socket in a row, before the others have their turn.
const BUDGET: usize = 64;
/// The kernel is read anew this often though no notification was lost: nothing may rest on what we remember alone.
const AUDIT: Duration = Duration::from_secs(300);
/// Errors of the store that are logged between two audits. It has four files.
const MOST_COMPLAINTS: usize = 8;

/// A daemon that can't start or go on; says why and what to do.
#[derive(Debug)]
pub struct Fatal(pub String);

/// Runs until SIGTERM or SIGINT. Errors: what keeps it from starting.
pub fn run(paths: Paths) -> Result<(), Fatal> {
    log::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fatal(format!("can't start: {error}")))?;
    runtime.block_on(async { Daemon::start(paths)?.serve().await })
}

struct Daemon {
    paths: Paths,
    router: Router,
    kernel: LinuxKernel,
    notifications: Notifications,
    store: Store<Disk>,
    nd: NdSocket,
    unsent: Unsent,
    dhcp6: Slot<Dhcp6Socket>,
    uplinks: UplinkSockets,
    filter: FilterWatch,
    joined: FlatSet<u32>,
    /// Links whose hosts are to be told of something at once.
    neighbours: FlatSet<u32>,
    names: NameSources,
    control: Server,
    bus: Bus,
    /// What OpenWrt's network file says.
    devices: Devices,
    audit_at: Instant,
    lease_file: LeaseFile,
    /// Errors of the store that the log has had since the last audit: one that lasts is said again after each.
    complaints: FlatSet<String>,
    loaded_at: Instant,
    warnings: Vec<String>,
    config_error: Option<String>,
    out: Vec<Action>,
    _lock: Lock,
}

/// Why the loop woke up.
enum Wake {
    Nd,
    Dhcp6,
    Uplink(Ready),
    Kernel(Received),
    Filter,
    Control(Request),
    Ubus(Option<Call>),
    Reload,
    Stop,
    Timer,
}

impl Daemon {
    /// Everything that can fail at start does so here, before anything changes.
    fn start(paths: Paths) -> Result<Daemon, Fatal> {
        let loaded = load(&paths);
        let errors = loaded.lines(Severity::Error, &paths.config);
        let Some(config) = loaded.config else {
            return Err(Fatal(format!("the configuration can't be used:\n{}", errors.join("\n"))));
        };
        ::log::set_max_level(config.log_level);
        let now = linux::boottime();
        let disk = Disk::new(Path::new(&config.run_dir), Path::new(&config.state_dir)).map_err(Fatal)?;
        let lock = Lock::take(Path::new(&config.run_dir)).map_err(Fatal)?;
        let (store, found) = Store::open(disk, &linux::boot_id(), now);
        for report in &found.reports {
            warn!("{report}");
        }
        let refused = |refusal: Refusal| Fatal(refusal.message);
        let mut notifications = Notifications::open().map_err(|e| Fatal(format!("can't listen to the kernel: {e}")))?;
        let mut kernel = LinuxKernel::open().map_err(refused)?;
        if let Err(error) = notifications.leave_out_routes_of(&kernel) {
            info!("hearing of our own routes too: {error}");
        }
        let actual = kernel.read().map_err(refused)?;
        let nd =
            NdSocket::open().map_err(|error| Fatal(format!("can't open an ICMPv6 socket: {error}; run as root")))?;
        let control = Server::bind(&Path::new(&config.run_dir).join("oasis6.sock"))
            .map_err(|error| Fatal(format!("can't open the control socket: {error}")))?;
        let mut out = Vec::new();
        let entropy =
            Entropy { seed: linux::random_u64(), ula: linux::random(), duid: linux::random(), secret: linux::random() };
        let mut router = Router::new(found.memory, found.bindings, entropy, now, &mut out);
        router.limit_bindings(most_bindings(linux::memory()));
        router.handle(Event::Kernel(vec![Change::All(actual)]), now, &mut out);
        let mut daemon = Daemon {
            router,
            kernel,
            notifications,
            store,
            nd,
            unsent: Unsent::default(),
            dhcp6: Slot::CLOSED,
            uplinks: UplinkSockets::closed(),
            filter: FilterWatch::default(),
            joined: FlatSet::new(),
            neighbours: FlatSet::new(),
            names: NameSources::default(),
            control,
            bus: Bus::new(&paths.ubus),
            devices: Devices::new(),
            audit_at: now.after(AUDIT),
            lease_file: LeaseFile::default(),
            complaints: FlatSet::new(),
            loaded_at: now,
            warnings: Vec::new(),
            config_error: None,
            out,
            _lock: lock,
            paths,
        };
        let lines = loaded.problems.iter().map(ToString::to_string).collect();
        daemon.configure(config, loaded.interfaces, lines, now);
        info!("oasis6 {} started", env!("CARGO_PKG_VERSION"));
        Ok(daemon)
    }

    async fn serve(mut self) -> Result<(), Fatal> {
        let mut hangup = listen(SignalKind::hangup())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut changes = Vec::new();
        self.settle(linux::boottime());
        loop {
            let sleep = self.sleep(linux::boottime());
            let wake = tokio::select! {
                ready = self.nd.readable() => ready.map(|()| Wake::Nd),
                ready = self.dhcp6.ready(Dhcp6Socket::readable) => ready.map(|()| Wake::Dhcp6),
                ready = self.uplinks.readable() => ready.map(Wake::Uplink),
                received = self.notifications.recv(&mut changes) => received.map(Wake::Kernel),
                changed = self.filter.changed() => changed.map(|()| Wake::Filter),
                request = self.control.next() => Ok(Wake::Control(request)),
                call = self.bus.next() => Ok(Wake::Ubus(call)),
                _ = hangup.recv() => Ok(Wake::Reload),
                _ = terminate.recv() => Ok(Wake::Stop),
                _ = interrupt.recv() => Ok(Wake::Stop),
                () = tokio::time::sleep(sleep) => Ok(Wake::Timer),
            };
            let now = linux::boottime();
            match wake.map_err(|error| Fatal(format!("a socket failed: {error}")))? {
                Wake::Nd => self.receive_nd(now),
                Wake::Dhcp6 => self.receive_dhcp6(now),
                Wake::Uplink(ready) => self.uplinks.receive(ready, &mut self.router, now, &mut self.out),
                Wake::Kernel(Received::Changes) => {
                    let changes = std::mem::take(&mut changes);
                    self.router.handle(Event::Kernel(changes), now, &mut self.out);
                }
                Wake::Kernel(Received::Lost) => {
                    changes.clear();
                    warn!("the kernel had more news than we could read; reading everything anew");
                    self.audit(now);
                }
                Wake::Filter => self.filter.note(now),
                Wake::Control(Request { method, params, reply }) => reply.send(self.answer(&method, &params, now)),
                Wake::Ubus(Some(call)) => {
                    let answer = self.answer(&call.method, &Value::Null, now);
                    self.bus.answer(&call, answer);
                }
                Wake::Ubus(None) => self.follow(now),
                // what went wrong was told and stands in the status
                Wake::Reload => drop(self.reload(now)),
                Wake::Stop => break,
                Wake::Timer => {}
            }
            self.settle(now);
        }
        self.stop(linux::boottime()).await;
        Ok(())
    }

    /// Ends a turn.
    fn settle(&mut self, now: Instant) {
        if self.audit_at <= now {
            self.audit(now);
            self.complaints = FlatSet::new();
        }
        self.router.watch(self.control.is_watched() || ::log::log_enabled!(::log::Level::Debug));
        self.uplinks.tick(&mut self.router, &mut self.kernel, now, &mut self.out);
        self.filter.tick(&mut self.router, &mut self.kernel, now, &mut self.out);
        for link in std::mem::take(&mut self.neighbours) {
            let hosts = self.kernel.neighbours(link);
            let packet = ra::Event::Neighbours(&hosts);
            self.router.handle(Event::Nd { link, packet }, now, &mut self.out);
        }
        self.names.tick(&mut self.router, &mut self.kernel, now, &mut self.out);
        self.router.settle(now, &mut self.out);
        self.unsent.tick(now, &mut self.out);
        self.carry_out(now);
        self.open_dhcp6(now);
        self.join();
        self.keep(now);
        self.bus.tick(now);
    }

    /// How long the loop may sleep.
    fn sleep(&self, now: Instant) -> Duration {
        if !self.neighbours.is_empty() {
            return Duration::ZERO;
        }
        let router = self.router.poll_at().map(|(at, _)| at);
        let files = [self.store.poll_at(), self.lease_file.poll_at(), self.unsent.poll_at()];
        let all = [
            router,
            self.dhcp6.poll_at(),
            self.uplinks.poll_at(),
            self.filter.poll_at(),
            self.bus.poll_at(),
            self.names.poll_at(),
            Some(self.audit_at),
        ]
        .into_iter()
        .chain(files);
        all.flatten().min().map_or(AUDIT, |at| at.since(now))
    }

    fn receive_nd(&mut self, now: Instant) {
        let Daemon { nd, router, out, .. } = self;
        nd.recv_batch(BUDGET, |link, packet| router.handle(Event::Nd { link, packet }, now, out));
    }

    fn receive_dhcp6(&mut self, now: Instant) {
        let Daemon { dhcp6, router, out, .. } = self;
        if let Some(socket) = &mut dhcp6.socket {
            socket.recv_batch(BUDGET, |packet| router.handle(Event::Dhcp6(packet), now, out));
        }
    }

    /// Reads the kernel anew.
    fn audit(&mut self, now: Instant) {
        self.audit_at = now.after(AUDIT);
        match self.kernel.read() {
            Ok(actual) => self.router.handle(Event::Kernel(vec![Change::All(actual)]), now, &mut self.out),
            Err(refusal) => {
                error!("can't read the kernel: {refusal}");
                self.audit_at = now.after(Duration::from_secs(1));
            }
        }
    }

    /// Does what the router wants done.
    fn carry_out(&mut self, now: Instant) {
        let mut out = std::mem::take(&mut self.out);
        carry_out(self, &mut out, now);
        self.out = out;
    }

    /// Opens or closes port 547 as the configuration asks.
    fn open_dhcp6(&mut self, now: Instant) {
        let Daemon { dhcp6, router, joined, .. } = self;
        let open = || {
            let mut socket = Dhcp6Socket::open()?;
            for link in joined.iter() {
                if let Err(error) = socket.join(*link) {
                    warn!("can't hear DHCPv6 clients on link {link}: {error}");
                }
            }
            Ok(socket)
        };
        if let Some(why) = dhcp6.keep(router.wants_dhcp6(), open, now) {
            warn!("no DHCPv6: {why}");
        }
    }

    /// Brings the multicast groups in line with the links served.
    fn join(&mut self) {
        let wanted = self.router.links();
        for link in self.joined.difference(&wanted) {
            // a link that is gone has left its groups by itself
            let _ = self.nd.leave(*link);
            if let Some(socket) = &mut self.dhcp6.socket {
                let _ = socket.leave(*link);
            }
        }
        for link in wanted.difference(&self.joined) {
            let joined =
                self.nd.join(*link).and_then(|()| self.dhcp6.socket.as_mut().map_or(Ok(()), |s| s.join(*link)));
            if let Err(error) = joined {
                warn!("can't hear hosts on link {link}: {error}");
            }
        }
        self.joined = wanted;
    }

    /// Lets the store do what is due.
    fn keep(&mut self, now: Instant) {
        if self.store.needs_compaction() {
            self.store.compact(self.router.bindings(), now);
        }
        if self.store.flash_due(now) {
            self.store.flush(self.router.bindings(), now);
        }
        self.store.tick(now);
        self.complain();
        self.lease_file.tick(now, |clock| self.router.lease_file(now, clock));
    }

    /// Logs what the store can't write.
    fn complain(&mut self) {
        for error in self.store.errors() {
            if self.complaints.len() < MOST_COMPLAINTS && self.complaints.insert(error.clone()) {
                warn!("{error}");
            }
        }
    }

    fn configure(&mut self, config: Config, devices: Devices, warnings: Vec<String>, now: Instant) {
        ::log::set_max_level(config.log_level);
        self.loaded_at = now;
        self.config_error = None;
        self.out.push(Action::Tell(Notice::Config { what: "loaded", problems: warnings.clone() }));
        self.warnings = warnings;
        self.bus.forget();
        self.devices = devices;
        self.lease_file.configure(&config.lease_file, now);
        let interfaces = self.bus.devices(&self.devices);
        let keys = self.uplinks.keys(&config);
        self.router.handle(Event::Keys(keys), now, &mut self.out);
        self.router.handle(Event::Netifd(self.bus.interfaces()), now, &mut self.out);
        self.router.handle(Event::Configure { config: Box::new(config), interfaces }, now, &mut self.out);
        for Trouble { place, message, remedy } in self.router.uplink_troubles() {
            warn!("{place}: {message}; {remedy}");
        }
    }

    /// Lets the LANs and uplinks follow netifd's interfaces.
    fn follow(&mut self, now: Instant) {
        self.router.handle(Event::Netifd(self.bus.interfaces()), now, &mut self.out);
        let interfaces = self.bus.devices(&self.devices);
        if interfaces != self.router.facts().interfaces {
            let config = Box::new(self.router.config().clone());
            self.router.handle(Event::Configure { config, interfaces }, now, &mut self.out);
        }
    }

    /// Reads the configuration again; a broken one leaves the last good one running.
    fn reload(&mut self, now: Instant) -> Result<(), Vec<String>> {
        let loaded = load(&self.paths);
        let lines: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let Some(config) = loaded.config else {
            self.config_error = Some(lines.join("; "));
            self.out.push(Action::Tell(Notice::Config { what: "refused", problems: lines.clone() }));
            return Err(lines);
        };
        let running = self.router.config();
        let mut warnings = lines;
        if (&config.run_dir, &config.state_dir) != (&running.run_dir, &running.state_dir) {
            warnings.push("run_dir and state_dir take effect at the next start only".into());
        }
        self.configure(config, loaded.interfaces, warnings, now);
        Ok(())
    }

    /// Answers a method of [`control::METHODS`], or one that takes a name.
    fn answer(&mut self, method: &str, params: &Value, now: Instant) -> Result<Value, control::Error> {
        let refused = |message: String| control::Error::new("config", message);
        match method {
            "status" => Ok(self.status(now)),
            "leases" => Ok(self.router.leases(now)),
            "uplinks" => Ok(self.uplinks(now)),
            "names" => Ok(self.router.names(now)),
            "attach" | "detach" => {
                let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
                let change = if method == "attach" { Router::attach_hash } else { Router::detach_hash };
                change(&mut self.router, name, now, &mut self.out).map_err(refused)?;
                Ok(json!({ "name": name }))
            }
            "check" => Ok(load(&self.paths).check()),
            "plan" => {
                let mut loaded = load(&self.paths);
                loaded.interfaces = self.bus.devices(&loaded.interfaces);
                loaded.netifd = self.bus.interfaces();
                plan(loaded, &self.paths.config).map_err(refused)
            }
            "reload" => match self.reload(now) {
                Ok(()) => Ok(json!({ "warnings": self.warnings })),
                Err(problems) => Err(refused(problems.join("\n"))),
            },
            other => {
                let known = control::METHODS.join(", ");
                Err(control::Error::new("method", format!("there is no method '{other}'; known: {known}, monitor")))
            }
        }
    }

    fn uplinks(&self, now: Instant) -> Value {
        let mut answer = self.router.uplinks(now);
        uplinks::add_traffic(&mut answer);
        answer
    }

    fn status(&self, now: Instant) -> Value {
        let mut status = self.router.status(now);
        uplinks::add_traffic(&mut status);
        let mut troubles = Vec::new();
        let mut trouble = |place: &str, message: &str, remedy: &str| {
            troubles.push(Trouble { place: place.into(), message: message.into(), remedy: remedy.into() });
        };
        if let Some(error) = &self.config_error {
            trouble("configuration", error, "mend it and run `oasis6 reload`; the last good one is in force");
        }
        if let Some(why) = self.dhcp6.refused() {
            trouble("dhcp6", why, "stop the other server; the port is tried again every 10 s");
        }
        for (place, why) in self.uplinks.troubles() {
            trouble(place, why, "it is tried again every 10 s");
        }
        for report in self.store.reports() {
            trouble("store", report, "");
        }
        if let Some(error) = self.lease_file.trouble() {
            trouble("lease_file", error, "see that its folder is there and has room, or name another lease_file");
        }
        if let Some(why) = self.bus.trouble() {
            trouble("ubus", why, "it is tried again every few seconds; if another oasis6 runs, stop one of the two");
        }
        if let Some(fields) = status.as_object_mut() {
            fields.insert(
                "config".into(),
                json!({
                    "file": self.paths.config.display().to_string(), "loaded": now.since(self.loaded_at).as_secs(),
                    "error": self.config_error, "warnings": self.warnings,
                }),
            );
            fields.insert("store".into(), self.store.status(now));
            fields.insert("control".into(), self.control.status());
            fields.insert("ubus".into(), self.bus.status());
            if let Some(Value::Array(all)) = fields.get_mut("troubles") {
                all.extend(crate::router::troubles(&troubles));
            }
        }
        status
    }

    /// Good-bye: final router advertisements, and everything to flash.
    async fn stop(&mut self, now: Instant) {
        self.router.shutdown(now, &mut self.out);
        self.carry_out(now);
        self.store.shutdown(self.router.bindings(), now);
        info!("stopped");
    }
}

impl Hands for Daemon {
    fn router(&mut self) -> &mut Router {
        &mut self.router
    }

    fn remember(&mut self, memory: &Memory, now: Instant) {
        self.store.remember(memory, now);
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        self.kernel.apply(ops)
    }

    fn tell(&mut self, notice: &Notice, now: Instant) {
        ::log::log!(notice.level(), "{notice}");
        if self.control.is_watched() {
            self.control.publish(&notice.to_json(now));
        }
        self.bus.tell(notice, now);
    }

    fn commit(&mut self, records: &[Record], now: Instant) -> bool {
        self.lease_file.changed(now);
        self.store.commit(records, now).is_ok()
    }

    fn send(&mut self, packets: Vec<Action>) {
        let mut messages = Vec::with_capacity(packets.len());
        for packet in packets {
            match packet {
                Action::SendNd { link, to, bytes } => {
                    let sent = self.nd.send(link, self.router.link_local(link), to, &bytes);
                    if let Err(error) = &sent {
                        ::log::debug!("a router advertisement was not sent: {error}");
                    }
                    self.unsent.note(link, to, bytes, sent.is_ok(), linux::boottime());
                }
                Action::SendDhcp6 { link, to, port, bytes, .. } => messages.push(Outgoing { link, to, port, bytes }),
                Action::SendDhcp6Client { link, to, bytes } => self.uplinks.send_dhcp6(link, to, &bytes),
                Action::SendEcho { link, source, to, identifier, sequence } => {
                    self.uplinks.send_echo(link, source, to, (identifier, sequence));
                }
                Action::Count { link, device } => self.uplinks.count(link, device),
                Action::ForgetFlows(prefixes) => match conntrack::forget(&prefixes) {
                    Ok(0) => {}
                    Ok(flows) => info!("{flows} flows of prefixes that are gone were forgotten"),
                    Err(refusal) => warn!("{refusal}"),
                },
                Action::Neighbours { link } => _ = self.neighbours.insert(link),
                Action::Survey { link } => self.names.survey(link),
                Action::LookUp { link, next_hop } => self.uplinks.look_up(link, next_hop),
                Action::Fetch { uplink, url } => self.uplinks.fetch(&uplink, &url),
                Action::Resolve { uplink, endpoint } => self.uplinks.resolve(&uplink, &endpoint),
                _ => {}
            }
        }
        if let Some(socket) = &mut self.dhcp6.socket {
            socket.send_batch(&messages);
        }
    }
}

/// How many bindings a machine can afford: about 1 KiB each with its route and its line in the journal, out of a
/// sixteenth of the memory. 4,096 on a router of 64 MiB.
fn most_bindings(memory: u64) -> usize {
    let affordable = memory / 16 / 1024;
    usize::try_from(affordable).unwrap_or(usize::MAX).clamp(1_000, 1_000_000)
}

fn listen(kind: SignalKind) -> Result<Signal, Fatal> {
    signal(kind).map_err(|error| Fatal(format!("can't listen to signals: {error}")))
}

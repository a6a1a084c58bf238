//! How fast the DHCPv6 server is without sockets, journal and kernel, and what a binding costs in memory.
//!
//! `cargo bench --no-default-features --bench dhcp6_core [-- SECONDS]` prints, for an empty server and for one with
//! 10,000 leases: exchanges per second (Solicit, Advertise, Request, Reply by new clients; Renew by known ones),
//! allocations per exchange, and live bytes per binding. Then how many Solicits per second a pool of 16,384 prefixes
//! bears when all are given away.
#![allow(unsafe_code, clippy::unwrap_used, clippy::indexing_slicing)]

use oasis6::config::LanDhcp6;
use oasis6::net::{Duid, Instant, Lifetimes};
use oasis6::proto::dhcp6::{Action, Config, Event, Link, Pool, Server};
use oasis6::wire::dhcp6::{Ia, IaPrefix, MessageType, Packet, Writer, option};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::Ipv6Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what the system's allocator does.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps to alloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps to dealloc's contract.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LINK: u32 = 2;

fn config(pool: &str) -> Config {
    let link = Link {
        lan: "home".into(),
        subnets: vec![],
        pools: vec![Pool {
            prefix: pool.parse().unwrap(),
            lifetimes: Lifetimes::FOREVER,
            reserved: vec!["fd00:1000::/64".parse().unwrap()],
        }],
        dns: vec!["fd00:6bed::1".parse().unwrap()],
        search: vec!["home.arpa".into()],
        captive_portal: None,
        dnr: None,
        options: LanDhcp6 {
            addresses: true,
            delegation: true,
            range: (0x1000, 0xffff_ffff),
            delegated_len: 56,
            delegated_min_len: 48,
            preferred_lifetime: 3000,
            valid_lifetime: 4000,
            t1: None,
            t2: None,
            rapid_commit: true,
            preference: 0,
            sol_max_rt: Some(3600),
            inf_max_rt: None,
            registration: true,
        },
    };
    Config { duid: Some(duid()), links: [(LINK, link)].into(), hosts: vec![] }
}

fn duid() -> Duid {
    "0004000102030405060708090a0b0c0d0e0f".parse().unwrap()
}

/// A client with what it holds, and one buffer for all it does.
struct Load {
    server: Server,
    out: Vec<Action>,
    now: Instant,
    held: Vec<(Ipv6Addr, u8)>,
}

impl Load {
    fn exchange(&mut self, kind: MessageType, client: usize, held: Option<(Ipv6Addr, u8)>) -> Option<(Ipv6Addr, u8)> {
        let mut writer = Writer::message(kind, client as u32 & 0xff_ffff);
        let number = (client as u32).to_be_bytes();
        writer.put(option::CLIENT_ID, &[[0, 1, 0, 1, 0, 0, 0, 0, 0, 12].as_slice(), &number].concat());
        if kind != MessageType::Solicit {
            writer.put(option::SERVER_ID, duid().as_bytes());
        }
        writer.put(option::ELAPSED_TIME, &[0, 0]);
        writer.codes(option::OPTION_REQUEST, &[option::DNS_SERVERS, option::DOMAIN_LIST, option::SOL_MAX_RT]);
        let mark = writer.open_ia(option::IA_PD, 1, 0, 0);
        if let Some((address, len)) = held {
            writer.ia_prefix(address, len, 0, 0);
        }
        writer.close(mark);
        let bytes = writer.finish().unwrap();
        let source = "fe80::1".parse().unwrap();
        self.out.clear();
        let event = Event::Packet { link: LINK, source, port: 546, multicast: true, bytes: &bytes };
        self.server.handle(event, self.now, &mut self.out);
        let sent = self.out.iter().find_map(|action| match action {
            Action::Send { bytes, .. } => Some(bytes),
            _ => None,
        });
        let Ok(Packet::Message(message)) = Packet::parse(sent.unwrap()) else { panic!("no answer") };
        let ia = Ia::parse(option::IA_PD, message.options.get(option::IA_PD).unwrap()).unwrap();
        let prefix = IaPrefix::parse(ia.options.get(option::IA_PREFIX)?).unwrap();
        Some((prefix.address, prefix.len))
    }

    fn four_way(&mut self, client: usize) {
        let offered = self.exchange(MessageType::Solicit, client, None);
        let given = self.exchange(MessageType::Request, client, offered);
        assert_eq!(given, offered);
        self.held.extend(given);
    }

    fn renew(&mut self, turn: usize) {
        let client = turn % self.held.len();
        let held = self.held[client];
        assert_eq!(self.exchange(MessageType::Renew, client, Some(held)), Some(held));
    }
}

/// Nanoseconds of processor time used; machines are busy with other things too.
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// Runs `step` for some seconds and says how fast it was.
fn measure(seconds: f64, mut step: impl FnMut(usize)) -> String {
    let start = std::time::Instant::now();
    let (cpu, allocations) = (processor_time(), ALLOCATIONS.load(Ordering::Relaxed));
    let mut turns = 0;
    while start.elapsed().as_secs_f64() < seconds {
        (0..100).for_each(|n| step(turns + n));
        turns += 100;
    }
    let each = |count: usize| count as f64 / turns as f64;
    let rate = turns as f64 / start.elapsed().as_secs_f64();
    let nanoseconds = each((processor_time() - cpu) as usize);
    let allocations = each(ALLOCATIONS.load(Ordering::Relaxed) - allocations);
    format!("{rate:.0} (each {nanoseconds:.0} ns of processor time, {allocations:.1} allocations)")
}

fn main() {
    // cargo bench adds --bench
    let seconds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1.0);
    for leases in [0, 10_000] {
        let before = LIVE.load(Ordering::Relaxed);
        let now = Instant(1_000_000);
        let mut load = Load { server: Server::new(config("fd00:1000::/32"), 1, now), out: vec![], now, held: vec![] };
        load.server.limit_bindings(4_000_000);
        (0..leases).for_each(|client| load.four_way(client));
        // what the bench itself keeps is not the server's
        let own = load.held.capacity() * size_of::<(Ipv6Addr, u8)>();
        let live = LIVE.load(Ordering::Relaxed) - before - own;
        if let Some(bytes) = live.checked_div(leases) {
            println!("VALUE dhcp6_core_bytes_per_binding {bytes}");
            println!("VALUE dhcp6_core_renew_per_s {}", measure(seconds, |turn| load.renew(turn)));
        }
        let rate = measure(seconds, |turn| load.four_way(leases + turn));
        println!("VALUE dhcp6_core_four_way_per_s_from_{leases}_leases {rate}");
    }
    let now = Instant(1_000_000);
    let mut load = Load { server: Server::new(config("fd00:1000::/42"), 1, now), out: vec![], now, held: vec![] };
    load.server.limit_bindings(4_000_000);
    (0..20_000).for_each(|client| load.four_way(client));
    let full = load.held.len();
    let rate = measure(seconds, |turn| {
        assert_eq!(load.exchange(MessageType::Solicit, 20_000 + turn, None), None);
    });
    println!("VALUE dhcp6_core_solicit_full_pool_per_s {rate}, {full} leases");
}

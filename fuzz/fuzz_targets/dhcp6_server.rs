//! The DHCPv6 server, driven by messages (raw, or built well enough to get deep) and time: it never panics, never
//! spins, never gives one thing to two, and what it says can be read.
#![no_main]

mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use oasis6::config::{self, LanDhcp6};
use oasis6::net::{Duid, Instant, Lifetimes, Prefix, Until};
use oasis6::proto::dhcp6::{Action, Config, Event, Link, Pool, Record, Resource, Server, State, Subnet};
use oasis6::wire::dhcp6::{MessageType, Packet, Writer, option};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::sync::LazyLock;
use std::time::Duration;

/// What a LAN has by default.
static OPTIONS: LazyLock<LanDhcp6> = LazyLock::new(|| {
    let text = "config lan 'lan'\n\toption device 'br-lan'\n";
    let config = config::read(text.as_bytes()).config.expect("a valid configuration");
    config.lans["lan"].dhcp6.clone().expect("DHCPv6 is on by default")
});

const SERVER: [u8; 16] = [7; 16];

fn prefix(a: u16, b: u16, len: u8) -> Prefix {
    Prefix::new(Ipv6Addr::new(0xfd00, a, 0, b, 0, 0, 0, 0), len).unwrap_or(Prefix::ALL)
}

fn config(input: &mut Input<'_>, now: Instant) -> Config {
    let flags = input.u8();
    let lifetimes = match input.u8() {
        0 => Lifetimes::FOREVER,
        seconds => Lifetimes::new(Until::from_wire(seconds.into(), now), Until::from_wire(u32::from(seconds) * 2, now)),
    };
    let site = u16::from(flags & 1);
    let pool =
        Pool { prefix: prefix(site, 0, 56), lifetimes, reserved: vec![prefix(site, 1, 64), prefix(site, 2, 64)] };
    let link = |number: u16| Link {
        lan: format!("lan{number}").into(),
        subnets: vec![Subnet {
            prefix: prefix(site, number, 64),
            lifetimes,
            router: prefix(site, number, 64).subnet(1, 128).map(|p| p.addr()),
        }],
        pools: if flags & 2 == 0 { vec![pool.clone()] } else { Vec::new() },
        dns: vec![prefix(site, number, 64).addr()],
        search: vec!["home.arpa".into()],
        captive_portal: None,
        dnr: None,
        options: OPTIONS.clone(),
    };
    let links = [(1, link(1)), (2, link(2))].into_iter().take(if flags & 4 == 0 { 2 } else { 1 }).collect();
    Config { duid: Some(Duid::uuid(SERVER)), links, hosts: Vec::new() }
}

/// A message that could come from a client.
fn message(input: &mut Input<'_>) -> Vec<u8> {
    let kind = MessageType::ALL[usize::from(input.u8()) % MessageType::ALL.len()];
    let mut writer = Writer::message(kind, u32::from(input.u16()));
    let client = input.u8() % 8;
    writer.put(option::CLIENT_ID, &[0, 3, 0, 1, 2, 0, 0, 0, 0, client]);
    let flags = input.u8();
    if flags & 1 != 0 {
        writer.put(option::SERVER_ID, Duid::uuid(SERVER).as_bytes());
    }
    if flags & 2 != 0 {
        writer.put(option::RAPID_COMMIT, &[]);
    }
    if flags & 4 != 0 {
        writer.codes(option::OPTION_REQUEST, &[23, 24, 82, 83, 103, input.u16()]);
    }
    for _ in 0..input.u8() % 4 {
        let (code, iaid) = if input.u8() & 1 == 0 { (option::IA_NA, 1) } else { (option::IA_PD, input.u8().into()) };
        let mark = writer.open_ia(code, iaid, 0, 0);
        for _ in 0..input.u8() % 3 {
            let (a, b) = (u16::from(input.u8() & 1), u16::from(input.u8()));
            if code == option::IA_NA {
                let address = Ipv6Addr::new(0xfd00, a, 0, b, 0, 0, 0, input.u16());
                writer.ia_address(address, input.u8().into(), input.u8().into());
            } else {
                writer.ia_prefix(prefix(a, b, 64).addr(), input.u8(), input.u8().into(), input.u8().into());
            }
        }
        writer.close(mark);
    }
    writer.raw(input.bytes());
    writer.finish().unwrap_or_default()
}

/// Everything that somebody holds, as the journal has it.
type Held = BTreeMap<Resource, (Duid, Instant, State)>;

fn overlap(a: &Resource, b: &Resource) -> bool {
    match (a, b) {
        (Resource::Address(a), Resource::Address(b)) => a == b,
        (Resource::Prefix(a), Resource::Prefix(b)) => a.overlaps(b),
        (Resource::Address(a), Resource::Prefix(b)) | (Resource::Prefix(b), Resource::Address(a)) => b.contains(*a),
    }
}

fn follow(held: &mut Held, record: Record, now: Instant) {
    match record {
        Record::Delete(resource) => {
            held.remove(&resource);
        }
        Record::Put(binding) => {
            for (resource, (client, end, state)) in held.iter() {
                let lives = *end > now && *state != State::Registered && binding.state != State::Registered;
                let other = *client != binding.client;
                assert!(
                    !(lives && other && overlap(resource, &binding.resource)),
                    "{:?} is given to two",
                    binding.resource
                );
            }
            let end = match binding.lifetimes.valid {
                Until::Forever => Instant(u64::MAX),
                Until::At(end) => end,
            };
            held.insert(binding.resource, (binding.client, end, binding.state));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut now = Instant(1_000_000);
    let mut out = Vec::new();
    let mut held = Held::new();
    let mut server = Server::new(config(&mut input, now), input.u16().into(), now);
    while input.more() {
        match input.u8() % 8 {
            0 => {
                let (source, bytes) = (input.sender(), input.bytes());
                server.handle(Event::Packet { link: 1, source, port: 546, multicast: true, bytes }, now, &mut out);
            }
            1..=4 => {
                let (source, link) = (input.sender(), 1 + u32::from(input.u8() & 1));
                let bytes = message(&mut input);
                let packet = Event::Packet { link, source, port: 546, multicast: true, bytes: &bytes };
                server.handle(packet, now, &mut out);
            }
            5 => {
                let inner = message(&mut input);
                let link_address = prefix(0, 1 + u16::from(input.u8() & 1), 64).addr();
                let mut writer = Writer::relay(MessageType::RelayForward, input.u8(), link_address, input.sender());
                writer.put(option::RELAY_MESSAGE, &inner);
                let bytes = writer.finish().unwrap_or_default();
                let source = input.sender();
                let packet = Event::Packet { link: 1, source, port: 547, multicast: true, bytes: &bytes };
                server.handle(packet, now, &mut out);
            }
            6 => server.reconfigure(config(&mut input, now), now, &mut out),
            _ => {
                now = now.after(Duration::from_secs(input.u16().into()));
                server.tick(now, &mut out);
            }
        }
        let mut turns = 0;
        while server.poll_at().is_some_and(|(at, _)| at <= now) {
            server.tick(now, &mut out);
            turns += 1;
            assert!(turns < 100, "it spins: {:?}", server.poll_at());
        }
        for action in out.drain(..) {
            match action {
                Action::Record(record) => follow(&mut held, record, now),
                Action::Send { bytes, .. } => assert!(Packet::parse(&bytes).is_ok(), "nobody can read what it says"),
                Action::Delegated(..) | Action::Tell(..) => {}
            }
        }
    }
    let known: BTreeSet<_> = server.bindings().map(|binding| binding.resource).collect();
    assert_eq!(known, held.keys().copied().collect(), "the journal and the server differ");
});

//! The DHCPv6 client, driven by messages (raw, or built well enough to get deep), events and time: it never panics, never
//! spins, keeps its bounds and its rate, uses nothing past its end, and what it says can be read.
#![no_main]

mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use oasis6::net::{Duid, Instant, Until};
use oasis6::proto::dhcp6::client::{Action, Client, Config, Event};
use oasis6::wire::dhcp6::{MessageType, Packet, Rkap, RkapInformation, Writer, authenticate, option};
use std::net::Ipv6Addr;
use std::time::Duration;

const CLIENT: [u8; 16] = [9; 16];
const KEY: [u8; 16] = [5; 16];

fn config(input: &mut Input<'_>) -> Config {
    let flags = input.u8();
    Config {
        duid: Duid::uuid(CLIENT),
        iaid: 7,
        want_address: flags & 1 == 0,
        want_prefix: (flags & 2 == 0).then_some(flags / 2),
        information: flags & 4 != 0,
        rapid_commit: flags & 8 != 0,
        reconfigure_accept: flags & 16 != 0,
        remembered: None,
    }
}

fn seconds(input: &mut Input<'_>) -> u32 {
    match input.u8() {
        255 => u32::MAX,
        number => u32::from(number) * 16,
    }
}

/// A message that could come from a server, in answer to the last one that was sent.
fn message(input: &mut Input<'_>, transaction: u32) -> Vec<u8> {
    let kinds = [MessageType::Advertise, MessageType::Reply, MessageType::Reply, MessageType::Reconfigure];
    let kind = kinds[usize::from(input.u8()) % kinds.len()];
    let mut writer = Writer::message(kind, transaction);
    writer.put(option::CLIENT_ID, Duid::uuid(CLIENT).as_bytes());
    writer.put(option::SERVER_ID, &[0, 3, 0, 1, 2, 0, 0, 0, 0, input.u8() % 4]);
    let flags = input.u8();
    if flags & 1 != 0 {
        writer.put(option::RAPID_COMMIT, &[]);
    }
    if flags & 2 != 0 {
        writer.put(option::PREFERENCE, &[input.u8()]);
    }
    if flags & 4 != 0 {
        writer.status(u16::from(input.u8() % 8), "");
    }
    if flags & 8 != 0 {
        for code in [option::SOL_MAX_RT, option::INF_MAX_RT, option::INFORMATION_REFRESH_TIME] {
            writer.put(code, &seconds(input).to_be_bytes());
        }
    }
    if kind == MessageType::Reconfigure {
        writer.put(option::RECONFIGURE_MESSAGE, &[[5, 6, 11, 1][usize::from(input.u8() % 4)]]);
        Rkap { replay: input.u8().into(), information: RkapInformation::Code([0; 16]) }.write(&mut writer);
    } else if flags & 16 != 0 {
        Rkap { replay: input.u8().into(), information: RkapInformation::Key(KEY) }.write(&mut writer);
    }
    for _ in 0..input.u8() % 3 {
        let code = if input.u8() & 1 == 0 { option::IA_NA } else { option::IA_PD };
        let mark = writer.open_ia(code, 7, seconds(input), seconds(input));
        for _ in 0..input.u8() % 20 {
            let (number, preferred, valid) = (input.u8(), seconds(input), seconds(input));
            if code == option::IA_NA {
                writer.ia_address(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, number.into()), preferred, valid);
            } else {
                writer.ia_prefix(Ipv6Addr::new(0xfd00, 0, number.into(), 0, 0, 0, 0, 0), 56, preferred, valid);
            }
        }
        if input.u8() & 3 == 0 {
            writer.status(u16::from(input.u8() % 8), "");
        }
        writer.close(mark);
    }
    writer.raw(input.bytes());
    let mut bytes = writer.finish().unwrap_or_default();
    authenticate(&mut bytes, KEY);
    bytes
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut now = Instant(1_000_000);
    let mut out = Vec::new();
    let mut client = Client::new(config(&mut input), input.u16().into(), now);
    let (mut transaction, mut sent) = (0, Vec::new());
    let mut released = false;
    while input.more() {
        match input.u8() % 12 {
            0 => {
                let (source, bytes) = (input.sender(), input.bytes());
                client.handle(Event::Packet { source, multicast: input.u8() & 1 != 0, bytes }, now, &mut out);
            }
            1..=5 => {
                let bytes = message(&mut input, transaction);
                let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
                client.handle(Event::Packet { source, multicast: false, bytes: &bytes }, now, &mut out);
            }
            6 => client.handle(Event::LinkUp, now, &mut out),
            7 => {
                let ours = client.leases().addresses.first().map(|it| it.address);
                let address = ours.unwrap_or_else(|| input.sender());
                client.handle(Event::DuplicateAddress(address), now, &mut out);
            }
            8 if input.u8() & 1 == 0 => {
                released = true;
                client.handle(Event::Release, now, &mut out);
            }
            9 => {
                client.reconfigure(config(&mut input), now, &mut out);
                released = false;
            }
            10 => {
                now = now.max(client.poll_at().map_or(now, |(at, _)| at));
                client.tick(now, &mut out);
            }
            _ => {
                let millis = u64::from(input.u16());
                now = now.after(Duration::from_millis(millis * millis / 256));
                client.tick(now, &mut out);
            }
        }
        let mut turns = 0;
        while client.poll_at().is_some_and(|(at, _)| at <= now) {
            client.tick(now, &mut out);
            turns += 1;
            assert!(turns < 20, "it spins: {:?}", client.poll_at());
        }
        for action in out.drain(..) {
            if let Action::Send { bytes, .. } = action {
                let Ok(Packet::Message(message)) = Packet::parse(&bytes) else {
                    panic!("nobody can read what it says")
                };
                transaction = message.transaction;
                sent.push(now);
            }
        }
        let leases = client.leases();
        assert!(leases.addresses.len() + leases.prefixes.len() <= 16);
        assert!(leases.dns.len() <= 8 && leases.search.len() <= 8);
        let lifetimes =
            leases.addresses.iter().map(|it| it.lifetimes).chain(leases.prefixes.iter().map(|it| it.lifetimes));
        let lifetimes: Vec<_> = lifetimes.collect();
        assert!(lifetimes.iter().all(|it| !it.valid.is_over(now) && it.preferred <= it.valid));
        assert!(!released || lifetimes.is_empty(), "what was released is used");
        let forever = lifetimes.iter().any(|it| it.preferred == Until::Forever || it.valid == Until::Forever);
        let state = client.status(now).state;
        let rests = released || forever || matches!(state, "idle" | "informed");
        assert!(client.poll_at().is_some() || rests, "no way on from {state}");
    }
    for pair in sent.windows(41) {
        assert!(pair[40].since(pair[0]) >= Duration::from_secs(19), "too many messages");
    }
});

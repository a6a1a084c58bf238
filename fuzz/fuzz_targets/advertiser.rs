//! The advertiser, driven by packets, new configurations and time: it never panics, never spins, never says more than
//! RFC 4861 allows, and what it says can be read.
#![no_main]

mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use oasis6::net::{ALL_NODES, Instant, Lifetimes, Mac, Preference, Prefix, Until};
use oasis6::proto::ra::{Action, Advertiser, Config, Event, PrefixInfo};
use oasis6::wire::nd::{self, Message};
use std::time::Duration;

fn prefix(number: u8, len: u8) -> Prefix {
    let addr = std::net::Ipv6Addr::new(0xfd00, 0, 0, number.into(), 0, 0, 0, 0);
    Prefix::new(addr, len).unwrap_or(Prefix::ALL)
}

/// How many of something: mostly few, sometimes more than fit into one packet.
fn count(input: &mut Input<'_>) -> u8 {
    match input.u8() {
        255 => 80,
        number => number % 4,
    }
}

fn config(input: &mut Input<'_>, now: Instant) -> Config {
    let flags = input.u8();
    let prefixes = (0..count(input)).map(|number| {
        let lifetimes = match input.u8() {
            0 => Lifetimes::FOREVER,
            seconds => {
                Lifetimes::new(Until::from_wire(seconds.into(), now), Until::from_wire(u32::from(seconds) * 2, now))
            }
        };
        PrefixInfo {
            prefix: prefix(number, 64),
            autonomous: flags & 1 != 0,
            pd_preferred: flags & 2 != 0,
            lifetimes,
            max_preferred: input.u16().into(),
            max_valid: u32::MAX - u32::from(input.u8()),
        }
    });
    let prefixes = prefixes.collect();
    Config {
        max_interval: Duration::from_secs(input.u16().into()),
        min_interval: Duration::from_secs(input.u16().into()),
        router_lifetime: input.u16(),
        preference: Preference::High,
        managed: flags & 4 != 0,
        other: flags & 8 != 0,
        hop_limit: input.u8(),
        reachable_time: input.u16().into(),
        retrans_timer: input.u16().into(),
        mac: (flags & 16 != 0).then_some(Mac([2, 0, 0, 0, 0, 1])),
        mtu: (flags & 32 != 0).then(|| input.u16().into()),
        prefixes,
        routes: (0..count(input)).map(|number| (prefix(number, number), Preference::Low, 1800)).collect(),
        dns: (0..count(input)).map(|number| prefix(number, 128).addr()).collect(),
        search: (0..count(input)).map(|number| format!("d{number}.example")).collect(),
        dns_lifetime: input.u16().into(),
        pref64: (flags & 64 != 0).then(|| prefix(1, 96)),
        captive_portal: (flags & 128 != 0).then(|| format!("https://{}", "x".repeat(input.u8().into()))),
        dnr: None,
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut now = Instant(1_000_000);
    let mut out = Vec::new();
    let mut advertiser = Advertiser::new(config(&mut input, now), input.u16().into(), now);
    let mut multicast: Option<Instant> = None;
    let mut stopped = false;
    while input.more() {
        match input.u8() % 9 {
            0..=2 => {
                let (source, odd) = (input.sender(), input.u8());
                let bytes = input.bytes();
                let hop_limit = if odd == 1 { 64 } else { 255 };
                advertiser.handle(Event::Packet { source, hop_limit, fragmented: odd == 2, bytes }, now, &mut out);
            }
            3 => {
                let (source, bytes) = (input.sender(), [133, 0, 0, 0, 0, 0, 0, 0]);
                let packet = Event::Packet { source, hop_limit: 255, fragmented: false, bytes: &bytes };
                advertiser.handle(packet, now, &mut out);
            }
            4 => {
                stopped = false;
                multicast = None; // it may begin anew
                advertiser.reconfigure(config(&mut input, now), now, &mut out);
            }
            5 => {
                now = now.max(advertiser.poll_at().map_or(now, |(at, _)| at));
                advertiser.tick(now, &mut out);
            }
            6 => {
                now = now.after(Duration::from_millis(input.u16().into()));
                advertiser.tick(now, &mut out);
            }
            7 => {
                let hosts: Vec<_> = (0..input.u8()).map(|_| input.sender()).collect();
                advertiser.handle(Event::Neighbours(&hosts), now, &mut out);
            }
            _ => {
                stopped = true;
                advertiser.shutdown(now, &mut out);
            }
        }
        let mut turns = 0;
        while advertiser.poll_at().is_some_and(|(at, _)| at <= now) {
            advertiser.tick(now, &mut out);
            turns += 1;
            assert!(turns < 100, "it spins: {:?}", advertiser.poll_at());
        }
        for action in out.drain(..) {
            let Action::Send { to, bytes } = action else { continue };
            assert!(matches!(nd::parse(&bytes), Ok(Message::Advertisement(_))), "nobody can read what it says");
            if to != ALL_NODES {
                continue;
            }
            if let Some(last) = multicast.filter(|last| *last != now && !stopped) {
                assert!(now.since(last) >= Duration::from_secs(3), "{:?} after the last", now.since(last));
            }
            multicast = Some(now);
        }
        let _ = advertiser.status(now);
    }
});

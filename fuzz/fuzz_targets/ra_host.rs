//! The host side of router advertisements, driven by packets (raw, or built well enough to get deep), events and time: it
//! never panics, never spins, keeps its bounds, uses nothing past its end, and asks no more often than it may.
#![no_main]

mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use oasis6::net::{Instant, Mac, Preference, Prefix};
use oasis6::proto::ra::host::{Action, Config, Event, Host};
use oasis6::wire::nd::{self, Advertisement, Message, NdOption, PrefixInformation};
use std::net::Ipv6Addr;
use std::time::Duration;

fn prefix(number: u8, len: u8) -> Prefix {
    let addr = Ipv6Addr::new(0xfd00, 0, 0, number.into(), 0, 0, 0, 0);
    Prefix::new(addr, len).unwrap_or(Prefix::ALL)
}

fn seconds(input: &mut Input<'_>) -> u32 {
    match input.u8() {
        255 => u32::MAX,
        number => u32::from(number) * u32::from(number),
    }
}

/// Something that a router could say.
fn said(input: &mut Input<'_>) -> Vec<u8> {
    let flags = input.u8();
    let mut options = Vec::new();
    for _ in 0..input.u8() % 24 {
        let number = input.u8();
        options.push(match number % 6 {
            0 | 1 => NdOption::Prefix(PrefixInformation {
                prefix: prefix(number, 60 + input.u8() % 8),
                on_link: flags & 1 != 0,
                autonomous: flags & 2 != 0,
                router: None,
                pd_preferred: false,
                valid: seconds(input),
                preferred: seconds(input),
            }),
            2 => NdOption::Route {
                prefix: prefix(number, number / 2),
                preference: Preference::High,
                lifetime: seconds(input),
            },
            3 => NdOption::Rdnss { lifetime: seconds(input), servers: vec![prefix(number, 128).addr()] },
            4 => NdOption::Dnssl { lifetime: seconds(input), domains: vec![format!("d{number}.example")] },
            _ => NdOption::Mtu(input.u16().into()),
        });
    }
    let preference = if flags & 4 != 0 { Preference::High } else { Preference::Medium };
    let managed = flags & 8 != 0;
    let router_lifetime = if flags & 16 != 0 { 0 } else { input.u16() };
    Advertisement { router_lifetime, preference, managed, options, ..Advertisement::default() }
        .encode()
        .unwrap_or_default()
}

fn config(input: &mut Input<'_>) -> Config {
    let flags = input.u8();
    Config {
        mac: (flags & 1 != 0).then_some(Mac([2, 0, 0, 0, 0, 1])),
        link_mtu: if flags & 2 != 0 { 9000 } else { 1500 },
        addresses: flags & 4 == 0,
        secret: [flags & 8; 16],
        interface: "wan".into(),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut now = Instant(1_000_000);
    let mut out = Vec::new();
    let mut host = Host::new(config(&mut input), input.u16().into(), now);
    let mut asked: Option<Instant> = None;
    let mut told = host.learned(now);
    while input.more() {
        match input.u8() % 10 {
            0 => {
                let (source, odd) = (input.sender(), input.u8());
                let bytes = input.bytes();
                let hop_limit = if odd == 1 { 64 } else { 255 };
                host.handle(Event::Packet { source, hop_limit, fragmented: odd == 2, bytes }, now, &mut out);
            }
            1..=4 => {
                let source = input.sender();
                let bytes = said(&mut input);
                host.handle(Event::Packet { source, hop_limit: 255, fragmented: false, bytes: &bytes }, now, &mut out);
            }
            5 => host.handle(Event::LinkUp, now, &mut out),
            6 => {
                let ours = host.learned(now).addresses.first().map(|made| made.address);
                let address = ours.unwrap_or_else(|| input.sender());
                host.handle(Event::DuplicateAddress(address), now, &mut out);
            }
            7 => {
                let event = Event::Reachable { router: input.sender(), reachable: input.u8() & 1 != 0 };
                host.handle(event, now, &mut out);
            }
            8 => host.reconfigure(config(&mut input), now, &mut out),
            _ => {
                let millis = u64::from(input.u16());
                now = now.after(Duration::from_millis(millis * millis / 64));
                host.tick(now, &mut out);
            }
        }
        let mut turns = 0;
        while host.poll_at().is_some_and(|(at, _)| at <= now) {
            host.tick(now, &mut out);
            turns += 1;
            assert!(turns < 20, "it spins: {:?}", host.poll_at());
        }
        assert!(host.poll_at().is_some(), "there is always a way on");
        let learned = host.learned(now);
        assert!(learned.routers.len() <= 8 && learned.prefixes.len() <= 16 && learned.addresses.len() <= 16);
        assert!(learned.routes.len() <= 16 && learned.dns.len() <= 8 && learned.search.len() <= 8);
        assert!(learned.addresses.iter().all(|made| !made.lifetimes.valid.is_over(now)));
        assert!(learned.routers.iter().all(|router| !router.until.is_over(now)));
        for action in out.drain(..) {
            match action {
                Action::Changed => told = learned.clone(),
                Action::Send { bytes, .. } => {
                    assert!(matches!(nd::parse(&bytes), Ok(Message::Solicitation(_))), "nobody can read what it says");
                    if let Some(last) = asked {
                        assert!(
                            now.since(last) >= Duration::from_millis(3_600),
                            "{:?} after the last",
                            now.since(last)
                        );
                    }
                    asked = Some(now);
                }
            }
        }
        let names = |it: &oasis6::proto::ra::host::Learned| it.addresses.iter().map(|a| a.address).collect::<Vec<_>>();
        assert_eq!(names(&told), names(&learned), "a change that nobody was told of");
        let _ = host.status(now);
    }
});

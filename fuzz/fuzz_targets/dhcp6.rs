//! DHCPv6 messages: any bytes are read without panic, and as dhcproto, which nobody here wrote, reads them.
#![no_main]

use dhcproto::{Decodable, Decoder, Encodable, v6};
use libfuzzer_sys::fuzz_target;
use oasis6::wire::dhcp6::{self, ClientFqdn, Ia, IaAddress, IaPrefix, Options, Packet, StatusCode, option};

/// Reads everything there is a reader for.
fn read(options: Options<'_>, depth: u8) {
    let _ = options.status();
    for (code, contents) in options.iter() {
        let _ = options.get(code);
        let _ = options.requests(code);
        match code {
            option::IA_NA | option::IA_PD => {
                if let Ok(ia) = Ia::parse(code, contents) {
                    read(ia.options, depth);
                }
            }
            option::IA_ADDRESS => {
                if let Ok(address) = IaAddress::parse(contents) {
                    read(address.options, depth);
                }
            }
            option::IA_PREFIX => {
                if let Ok(prefix) = IaPrefix::parse(contents) {
                    read(prefix.options, depth);
                }
            }
            option::RELAY_MESSAGE if depth < 16 => {
                if let Ok(packet) = Packet::parse(contents) {
                    read(options_of(&packet), depth + 1);
                }
            }
            _ => {
                let _ = StatusCode::parse(contents);
                let _ = ClientFqdn::parse(contents);
                let _ = dhcp6::codes(contents).count();
                let _ = dhcp6::addresses(code, contents);
                let _ = dhcp6::names(code, contents);
                let _ = dhcp6::u8_value(code, contents);
                let _ = dhcp6::u16_value(code, contents);
                let _ = dhcp6::u32_value(code, contents);
            }
        }
    }
}

fn options_of<'a>(packet: &Packet<'a>) -> Options<'a> {
    match packet {
        Packet::Message(message) => message.options,
        Packet::Relay(relay) => relay.options,
    }
}

/// A message that dhcproto read out of the bytes and wrote anew, so that it is a sound one. It subtracts from lengths
/// without looking, so some bytes make it panic: its own affair.
fn rewritten(data: &[u8]) -> Option<(v6::Message, Vec<u8>)> {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let read = std::panic::catch_unwind(|| {
        let message = v6::Message::decode(&mut Decoder::new(data)).ok()?;
        let bytes = message.to_vec().ok()?;
        let again = v6::Message::decode(&mut Decoder::new(&bytes)).ok()?;
        (message == again).then_some((message, bytes))
    });
    std::panic::set_hook(abort);
    read.ok().flatten()
}

fuzz_target!(|data: &[u8]| {
    if let Ok(packet) = Packet::parse(data) {
        read(options_of(&packet), 0);
    }
    let Some((theirs, bytes)) = rewritten(data) else { return };
    let Ok(Packet::Message(ours)) = Packet::parse(&bytes) else { return };
    assert_eq!(ours.transaction.to_be_bytes()[1..], theirs.xid());
    assert_eq!(ours.options.iter().count(), theirs.opts().iter().count());
    for (option, (code, contents)) in theirs.opts().iter().zip(ours.options.iter()) {
        assert_eq!(code, u16::from(v6::OptionCode::from(option)));
        match option {
            v6::DhcpOption::ClientId(id) => assert_eq!(contents, id),
            v6::DhcpOption::IANA(ia) => {
                let ours = Ia::parse(code, contents).expect("an IA_NA that dhcproto wrote");
                assert_eq!((ours.iaid, ours.t1, ours.t2), (ia.id, ia.t1, ia.t2));
            }
            v6::DhcpOption::IAPD(ia) => {
                let ours = Ia::parse(code, contents).expect("an IA_PD that dhcproto wrote");
                assert_eq!((ours.iaid, ours.t1, ours.t2), (ia.id, ia.t1, ia.t2));
            }
            _ => {}
        }
    }
});

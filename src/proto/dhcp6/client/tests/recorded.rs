//! What odhcpd answered odhcp6c (tests/vectors/odhcp, fuzz/corpus/dhcp6).

use super::*;
use crate::wire::hmac_md5::hmac_md5;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fuzz/corpus/dhcp6/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A client with the DUID and IAID of the recorded one.
fn recorded(advertise: &[u8]) -> Rig {
    let Ok(Packet::Message(message)) = Packet::parse(advertise) else { panic!() };
    let duid = Duid::new(message.options.get(option::CLIENT_ID).unwrap()).unwrap();
    let iaid = Ia::parse(option::IA_NA, message.options.get(option::IA_NA).unwrap()).unwrap().iaid;
    Rig::new(Config { duid, iaid, reconfigure_accept: true, ..config() })
}

/// The recorded message in our exchange: with the transaction of our last one. odhcp6c numbers IA_NA and IA_PD apart;
/// here the second has the number of the first.
fn ours(name: &str, rig: &Rig) -> Vec<u8> {
    let mut bytes = file(name);
    bytes[1..4].copy_from_slice(&rig.sent.last().unwrap().bytes[1..4]);
    let pd = bytes.windows(3).position(|it| it == [0, 0x19, 0]).unwrap();
    bytes[pd + 4..pd + 8].copy_from_slice(&rig.client.config.iaid.to_be_bytes());
    bytes
}

fn bound_by(offer: &str, answer: &str) -> Rig {
    let mut rig = recorded(&file(offer));
    rig.until(MessageType::Solicit);
    rig.hear(&ours(offer, &rig));
    rig.until(MessageType::Request);
    rig.hear(&ours(answer, &rig));
    assert_eq!(rig.state(), "bound", "{offer}: {:?}", rig.client.status(rig.now));
    rig
}

// MUST RFC 7084 §4.2 WPD-3: a delegated prefix of another length than hinted at is accepted
#[test]
fn the_answers_of_odhcpd_and_of_a_linux_server_are_understood() {
    let rig = bound_by("openwrt-advertise-267", "openwrt-reply-299");
    let leases = rig.client.leases();
    let prefixes: Vec<Prefix> = leases.prefixes.iter().map(|it| it.prefix).collect();
    assert_eq!(prefixes, [p("2001:db8:beef:14::/62"), p("2001:db8:9900:14::/62"), p("fd12:3456:789a:14::/62")]);
    assert_eq!((leases.addresses.len(), leases.dns), (3, vec![a("fd12:3456:789a:10::1")]));
    assert_eq!(rig.client.poll_at(), Some((rig.now.after_secs(0x546), "T1: leases are to be renewed")));
    let rig = bound_by("debian-advertise-149", "debian-reply-149");
    assert_eq!(rig.held(), [("fd00:6bed::1:0".into(), 8, 16), ("fd00:1000::/60".into(), 8, 16)]);
}

#[test]
fn the_key_of_odhcpd_fits_its_reconfigure_though_that_is_malformed() {
    let mut rig = bound_by("openwrt-advertise-267", "openwrt-reply-299");
    let key = rig.client.key.as_ref().map(|key| key.key).expect("a key in the reply");
    let mut bytes = file("openwrt-reconfigure-69");
    let code = bytes.split_off(bytes.len() - 16);
    bytes.extend([0; 16]);
    assert_eq!(hmac_md5(key, &bytes).as_slice(), code);
    // its Authentication option claims four bytes more than there are, and the code covers that length
    assert!(Packet::parse(&file("openwrt-reconfigure-69")).is_err());
    rig.hear(&file("openwrt-reconfigure-69"));
    assert_eq!((rig.state(), rig.dropped("malformed")), ("bound", 1));
}

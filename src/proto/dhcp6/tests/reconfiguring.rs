//! Clients that are asked back when what they have is no longer good.

use super::*;
use crate::wire::dhcp6::{Rkap, RkapInformation, is_authentic};
use MessageType::*;

/// A configuration whose pool and subnets lie elsewhere.
fn renumbered() -> Config {
    config_with(|link| {
        link.subnets = vec![subnet("2001:db9:0:1::/64")];
        link.pools = vec![pool("2001:db9::/48", &[])];
    })
}

fn accepting(kind: MessageType, number: u16) -> Msg {
    let msg = msg(kind, number).with(option::RECONFIGURE_ACCEPT, &[]);
    if matches!(kind, Request | Renew) { msg.for_us() } else { msg }
}

fn key(seen: &Seen) -> Option<[u8; 16]> {
    let rkap = Rkap::parse(seen.get(option::AUTHENTICATION)?).unwrap();
    let RkapInformation::Key(key) = rkap.information else { panic!("{rkap:?}") };
    Some(key)
}

impl Rig {
    /// Reconfigure messages since the last step: where to, and the bytes.
    fn asked(&self) -> Vec<(Ipv6Addr, Vec<u8>)> {
        let sent = self.out.iter().filter_map(|action| match action {
            Action::Send { to, bytes, port: 546, link: HOME, commits: false } if bytes[0] == Reconfigure as u8 => {
                Some((*to, bytes.clone()))
            }
            _ => None,
        });
        sent.collect()
    }
}

// MUST RFC 9915 §20.4.1: the key goes to a client that accepts Reconfigure, in a Reply, and to nobody else
#[test]
fn who_accepts_gets_a_key_of_its_own() {
    let mut rig = Rig::new(config());
    assert_eq!(key(&rig.ask(accepting(Solicit, 1).na(1, &[]))), None);
    let first = key(&rig.ask(accepting(Request, 1).na(1, &[]))).unwrap();
    assert_eq!(key(&rig.ask(accepting(Request, 1).na(1, &[]))), Some(first), "its first Reply may have been lost");
    assert_eq!(key(&rig.ask(accepting(Renew, 1).na(1, &[]))), None, "it has one");
    assert_ne!(key(&rig.ask(accepting(Request, 2).na(1, &[]))), Some(first));
    assert_eq!(key(&rig.ask(msg(Request, 3).for_us().na(1, &[]))), None);
}

// MUST RFC 9915 §18.3.11: a Reconfigure has transaction 0, both identifiers, the message wanted, and is authenticated
// MUST RFC 9915 §18.3.11: it goes to the client by unicast, again after 2 s, twice as long each time, 8 times at most
#[test]
fn a_client_whose_prefix_is_gone_is_asked_until_it_comes() {
    for comes in [false, true] {
        let mut rig = Rig::new(config());
        let key = key(&rig.ask(accepting(Request, 1).na(1, &[]).pd(1, &[]))).unwrap();
        rig.ask(msg(Request, 2).for_us().na(1, &[]));
        rig.reconfigure(renumbered());
        let (mut times, mut last, start) = (vec![], 0, rig.now);
        while times.len() < 20 {
            for (to, bytes) in rig.asked() {
                assert_eq!((to, &bytes[1..4]), (a("fe80::101"), &[0, 0, 0][..]));
                assert!(is_authentic(&bytes, key));
                let Ok(Packet::Message(message)) = Packet::parse(&bytes) else { panic!() };
                let options = message.options;
                assert_eq!(options.get(option::SERVER_ID), Some(server_id().as_bytes()));
                assert_eq!(options.get(option::CLIENT_ID), msg(Renew, 1).client.as_deref());
                assert_eq!(options.get(option::RECONFIGURE_MESSAGE), Some(&[Renew as u8][..]));
                assert_eq!(options.iter().count(), 4);
                let replay = Rkap::parse(options.get(option::AUTHENTICATION).unwrap()).unwrap().replay;
                assert!(replay > last);
                (last, _) = (replay, times.push(rig.now.since(start).as_secs()));
            }
            if comes && times.len() == 2 {
                assert!(!rig.ask(accepting(Renew, 1).na(1, &[]).pd(1, &[])).good().is_empty());
            }
            let Some((at, _)) = rig.server.poll_at().filter(|(_, why)| why.contains("asked")) else { break };
            rig.pass(at.since(rig.now).as_secs());
        }
        let expected: &[u64] = if comes { &[0, 2] } else { &[0, 2, 6, 14, 30, 62, 126, 254] };
        assert_eq!(times, expected);
        // what was lost is lost once
        let mut elsewhere = renumbered();
        elsewhere.links.get_mut(&HOME).unwrap().dns.clear();
        rig.reconfigure(elsewhere);
        assert_eq!(rig.asked(), []);
    }
}

#[test]
fn who_lost_nothing_is_left_alone() {
    let mut rig = Rig::new(config());
    rig.ask(accepting(Request, 1).na(1, &[]).pd(1, &[]));
    rig.reconfigure(config_with(|link| link.dns = vec![]));
    rig.reconfigure(config_with(|link| link.options.preferred_lifetime = 100));
    assert_eq!(rig.asked(), []);
    rig.ask(msg(Release, 1).for_us().na(1, &[]));
    rig.reconfigure(renumbered());
    assert_eq!(rig.asked(), [], "it said goodbye");
}

#[test]
fn a_deprecated_pool_counts_as_gone() {
    let mut rig = Rig::new(config());
    rig.ask(accepting(Request, 1).pd(1, &[]));
    let now = crate::net::Until::At(rig.now);
    rig.reconfigure(config_with(|link| {
        link.pools[0].lifetimes.preferred = now;
    }));
    assert_eq!(rig.asked().len(), 1);
}

#[test]
fn keys_are_bounded() {
    let mut rig = Rig::new(config());
    let keys = (0..1_100).filter(|number| key(&rig.ask(accepting(Request, *number).na(1, &[]))).is_some()).count();
    assert_eq!(keys, crate::proto::dhcp6::reconfigure::MOST_KEYS);
}

use crate::bed::{Bed, address, device, reaches, run, run_with};
use crate::namespace::block_on;
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::{Notifications, boottime};
use oasis6::net::{Key32, Prefix, PublicKey};
use oasis6::plan::{Actual, AllowedIp, Device, Key, Objects, Op, Peer, Value, Wireguard, diff};
use std::net::{Ipv4Addr, SocketAddr};

const OURS: [u8; 32] = [1; 32];
const PSK: [u8; 32] = [9; 32];

fn peer(public_key: PublicKey, endpoint: Option<&str>) -> Peer {
    Peer {
        public_key,
        preshared_key: None,
        endpoint: endpoint.map(|addr| addr.parse().unwrap()),
        resolved: 0,
        allowed_ips: vec![AllowedIp::V6(Prefix::ALL)],
        keepalive: 0,
    }
}

fn wireguard(peers: Vec<Peer>) -> (Key, Value) {
    let private_key = Key32::from_random(OURS);
    device("o6-wg", Device::Wireguard(Wireguard { private_key, listen_port: 51820, mtu: Some(1400), peers }))
}

/// A plain WireGuard device `wg0` at the other end, which knows us; returns its public key.
fn plain(bed: &Bed) -> PublicKey {
    let ours = Key32::from_random(OURS).public();
    bed.there.run(|| {
        let secret = run("wg genkey");
        let key: PublicKey = run_with("wg pubkey", &secret).trim().parse().unwrap();
        assert_eq!(secret.trim().parse::<Key32>().unwrap().public(), key, "our keys are wg's");
        run("ip link add wg0 type wireguard");
        run_with("wg set wg0 listen-port 51820 private-key /dev/stdin", &secret);
        run_with(
            &format!("wg set wg0 peer {ours} allowed-ips ::/0 preshared-key /dev/stdin"),
            &Key32(PSK).secret_text(),
        );
        run("ip link set wg0 up");
        run(&format!("ip address add {}/64 dev wg0", key.link_local()));
        run("ip address add 2001:db8:7::1/64 dev wg0");
        key
    })
}

#[test]
fn a_tunnel_to_a_plain_wireguard_carries_traffic_and_outlives_changes_and_roaming() {
    let Some(mut bed) = Bed::new() else { return };
    let key = plain(&bed);
    let ours = Key32::from_random(OURS).public();
    let with = |endpoint: &str, resolved| {
        let keys = Some(Key32(PSK));
        wireguard(vec![Peer { preshared_key: keys, keepalive: 25, resolved, ..peer(key, Some(endpoint)) }])
    };
    let mut wanted = Objects::from([with("192.0.2.2:51820", 0)]);
    bed.reach(&wanted);
    wanted.extend([address("o6-wg", &ours.link_local().to_string(), 64), address("o6-wg", "2001:db8:7::2", 64)]);
    bed.reach(&wanted);
    reaches(&format!("{}%o6-wg", key.link_local()));
    reaches("2001:db8:7::1");
    bed.there.run(|| reaches(&format!("{}%wg0", ours.link_local())));

    let peers = bed.kernel().wireguard_peers("o6-wg").unwrap();
    let [status] = peers.as_slice() else { panic!("{peers:?}") };
    assert_eq!(status.public_key, key);
    let age = boottime().since(status.last_handshake.expect("a handshake"));
    assert!(age.as_secs() < 60, "{age:?}");
    assert!(status.rx > 200 && status.tx > 200, "{status:?}");

    // the peer speaks from elsewhere: the kernel follows, and that is no difference to what was set
    let mut view: Actual = bed.kernel().read().unwrap();
    bed.there.run(|| {
        run("ip address del 192.0.2.2/24 dev b");
        run("ip address add 192.0.2.3/24 dev b");
        reaches("2001:db8:7::2");
    });
    let peers = bed.kernel().wireguard_peers("o6-wg").unwrap();
    assert_eq!(peers[0].endpoint, Some("192.0.2.3:51820".parse().unwrap()));
    view.apply(oasis6::plan::Change::All(bed.kernel().read().unwrap()));
    assert_eq!(diff(&wanted, &view), []);

    // its name is resolved anew: that is one; the session stays
    let sessions = bed.kernel().wireguard_peers("o6-wg").unwrap()[0].last_handshake;
    for (endpoint, resolved) in
        [("192.0.2.3:51820", 0), ("192.0.2.3:51820", 1), ("192.0.2.9:51820", 1), ("192.0.2.3:51820", 2)]
    {
        wanted.extend([with(endpoint, resolved)]);
        let ops = diff(&wanted, &view);
        assert_eq!(ops.len(), 1, "{endpoint} {resolved}");
        assert_eq!(bed.kernel().apply(&ops), [Ok(())]);
        ops.iter().for_each(|op| view.apply_op(op));
        assert_eq!(bed.kernel().wireguard_peers("o6-wg").unwrap()[0].endpoint, Some(endpoint.parse().unwrap()));
        view.apply(oasis6::plan::Change::All(bed.kernel().read().unwrap()));
        assert_eq!(diff(&wanted, &view), []);
    }
    assert_eq!(bed.kernel().wireguard_peers("o6-wg").unwrap()[0].last_handshake, sessions);
    reaches("2001:db8:7::1");

    // another peer comes, and this one goes
    let other = PublicKey([3; 32]);
    wanted.extend([wireguard(vec![peer(other, None)])]);
    bed.reach(&wanted);
    let peers = bed.kernel().wireguard_peers("o6-wg").unwrap();
    assert_eq!(peers.iter().map(|peer| (peer.public_key, peer.last_handshake)).collect::<Vec<_>>(), [(other, None)]);
    bed.reach(&Objects::new());
    assert!(!run("ip link").contains("o6-"));
}

#[test]
fn a_thousand_peers_and_a_thousand_allowed_ips_are_set_and_read_whole() {
    let Some(mut bed) = Bed::new() else { return };
    let ip = |n: usize| AllowedIp::V6(Prefix::ALL.subnet(0x2001_0db8_0000 + n as u128, 48).unwrap());
    let endpoint: SocketAddr = "[2001:db8::1]:51820".parse().unwrap();
    let key = |n: usize| PublicKey(std::array::from_fn(|at| if at < 2 { n.to_le_bytes()[at] } else { 5 }));
    let peers = (0..1000).map(|n| Peer {
        allowed_ips: vec![ip(n), AllowedIp::V4(Ipv4Addr::from(u32::try_from(n << 8).unwrap()), 24)],
        endpoint: Some(endpoint),
        preshared_key: (n % 2 == 0).then_some(Key32(PSK)),
        ..peer(key(n), None)
    });
    let mut peers: Vec<Peer> = peers.collect();
    peers[500].allowed_ips = (1000..2000).map(ip).collect();
    let wanted = Objects::from([wireguard(peers.clone())]);
    bed.reach(&wanted);
    assert_eq!(run("wg show o6-wg peers").lines().count(), 1000);
    peers.truncate(3);
    peers[1].allowed_ips.truncate(1);
    bed.reach(&Objects::from([wireguard(peers)]));
    assert_eq!(run("wg show o6-wg peers").lines().count(), 3);
}

#[test]
fn notifications_tell_what_a_reading_tells() {
    let Some(mut bed) = Bed::new() else { return };
    block_on(async {
        let mut notifications = Notifications::open().unwrap();
        let mut view = bed.kernel().read().unwrap();
        let mut wanted = Objects::from([wireguard(vec![peer(PublicKey([3; 32]), Some("192.0.2.2:1"))])]);
        for round in 0..3 {
            match round {
                0 => {}
                1 => wanted.extend([wireguard(vec![peer(PublicKey([4; 32]), Some("192.0.2.2:2"))])]),
                _ => wanted.clear(),
            }
            let ops: Vec<Op> = diff(&wanted, &view);
            assert_eq!(ops.len(), 1);
            assert_eq!(bed.kernel().apply(&ops), [Ok(())]);
            ops.iter().for_each(|op| view.apply_op(op));
            assert_eq!(diff(&wanted, &view), [], "before the news of it");
            let truth = bed.kernel().read().unwrap();
            let mut changes = Vec::new();
            while view.links != truth.links || view.devices != truth.devices {
                notifications.recv(&mut changes).await.unwrap();
                for change in changes.drain(..) {
                    view.apply(change);
                }
                if round == 1 {
                    // WireGuard itself says nothing of its configuration
                    break;
                }
            }
            assert_eq!(diff(&wanted, &view), []);
        }
    });
}

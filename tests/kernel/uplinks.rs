use crate::namespace::{Namespace, block_on, cable, eventually, index, ip};
use oasis6::kernel::linux::LinuxKernel;
use oasis6::kernel::socket::{EchoReply, EchoSocket};
use oasis6::kernel::traffic::{self, Traffic};
use oasis6::net::ALL_ROUTERS;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::time::Duration;
use tokio::time::timeout;

const THERE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xb);
const OURS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xa);
const FAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 1);
const SOON: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_millis(50);

async fn hear(socket: &mut EchoSocket) -> EchoReply {
    let mut heard = None;
    while heard.is_none() {
        timeout(SOON, socket.readable()).await.expect("no reply").unwrap();
        socket.recv_batch(64, |reply| heard = Some(reply));
    }
    heard.unwrap()
}

/// The far end forwards, has an address beyond, and knows the way back.
fn beyond(there: &Namespace) {
    ip("address add 2001:db8::a/128 dev a nodad");
    there.run(|| {
        std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
        ip("address add 2001:db8:f::1/128 dev lo nodad");
        ip("route add 2001:db8::a/128 via fe80::a dev b");
        is_local("2001:db8:f::1");
    });
    is_local("2001:db8::a");
}

/// Waits until the kernel takes packets to a new address, which it makes a route for a moment later.
fn is_local(address: &str) {
    eventually("an address is local", || !ip(&format!("route show table local {address}")).is_empty());
}

#[test]
fn echo_is_asked_by_link_and_source_and_replies_tell_where_they_came_from() {
    let Some((_here, there)) = cable() else { return };
    beyond(&there);
    // a route that only packets from our address may take
    ip("route add default from 2001:db8::a/128 via fe80::b dev a");
    block_on(async {
        let mut socket = EchoSocket::open().unwrap();
        let link = index("a");
        socket.send(link, None, THERE, 7, 1).unwrap();
        assert_eq!(hear(&mut socket).await, EchoReply { link, from: THERE, identifier: 7, sequence: 1 });
        socket.send(link, Some(OURS), FAR, 7, 2).unwrap();
        assert_eq!(hear(&mut socket).await, EchoReply { link, from: FAR, identifier: 7, sequence: 2 });
        // whoever is at the other end, but not ourselves
        socket.send(link, None, ALL_ROUTERS, 7, 3).unwrap();
        assert_eq!(hear(&mut socket).await, EchoReply { link, from: THERE, identifier: 7, sequence: 3 });
        assert!(timeout(NEVER, socket.readable()).await.is_err());
        // no such source, no such link, no route from there
        assert!(socket.send(link, Some(FAR), THERE, 7, 4).is_err());
        assert!(socket.send(4711, None, THERE, 7, 4).is_err());
        assert!(socket.send(link, Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa)), FAR, 7, 4).is_err());
        assert_eq!(socket.lost().unsent, 3);
    });
}

#[test]
fn a_flood_of_replies_to_others_costs_no_more_than_its_budget() {
    let Some((_here, there)) = cable() else { return };
    beyond(&there);
    block_on(async {
        let mut socket = EchoSocket::open().unwrap();
        let mut other = EchoSocket::open().unwrap();
        for sequence in 0..2000 {
            other.send(index("a"), None, THERE, 9, sequence).unwrap();
        }
        let (mut heard, mut turns) = (0, 0);
        while timeout(NEVER, socket.readable()).await.is_ok() {
            let before = heard;
            socket.recv_batch(16, |_| heard += 1);
            assert!(heard - before <= 16);
            turns += 1;
        }
        assert!(heard > 0 && heard < 2000 && turns > 1, "{heard} of 2000 in {turns} turns");
        // and ours is heard after it
        socket.send(index("a"), None, THERE, 7, 1).unwrap();
        assert_eq!(hear(&mut socket).await.identifier, 7);
    });
}

fn since(before: Traffic) -> (u64, u64) {
    let now = traffic::read("a").unwrap();
    (now.unicast_in - before.unicast_in, now.out - before.out)
}

#[test]
fn packets_of_a_device_are_counted_our_own_and_forwarded_ones_but_no_neighbour_discovery() {
    let Some((_here, there)) = cable() else { return };
    beyond(&there);
    ip("route add default via fe80::b dev a");
    block_on(async {
        let mut socket = EchoSocket::open().unwrap();
        let link = index("a");
        // neighbours know each other first, since each solicitation may hide a packet
        socket.send(link, None, THERE, 7, 0).unwrap();
        hear(&mut socket).await;
        let before = traffic::read("a").unwrap();
        for sequence in 1..=20 {
            socket.send(link, Some(OURS), FAR, 7, sequence).unwrap();
            hear(&mut socket).await;
        }
        assert_eq!(since(before), (20, 20));
    });
    // multicast is none
    let before = traffic::read("a").unwrap();
    let client = there.run(|| UdpSocket::bind(SocketAddrV6::new(THERE, 0, 0, index("b"))).unwrap());
    let group = SocketAddrV6::new("ff02::1".parse().unwrap(), 9, 0, there.run(|| index("b")));
    for _ in 0..10 {
        client.send_to(b"to all", group).unwrap();
    }
    std::thread::sleep(NEVER);
    assert_eq!(since(before), (0, 0));
    // what a host behind us sends is counted on its way out, and the answers on their way in
    std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
    let host = Namespace::beside();
    ip(&format!("link add name lan type veth peer name h netns {}", host.path()));
    std::fs::write("/proc/sys/net/ipv6/conf/lan/accept_dad", "0").unwrap();
    ip("link set dev lan up");
    ip("address add 2001:db8:1::1/64 dev lan nodad");
    is_local("2001:db8:1::1");
    host.run(|| {
        std::fs::write("/proc/sys/net/ipv6/conf/h/accept_dad", "0").unwrap();
        ip("link set dev h up");
        ip("address add 2001:db8:1::2/64 dev h nodad");
        is_local("2001:db8:1::2");
        ip("route add default via 2001:db8:1::1 dev h");
    });
    there.run(|| ip("route add 2001:db8:1::/64 via fe80::a dev b"));
    host.run(|| {
        let socket = UdpSocket::bind("[2001:db8:1::2]:0").unwrap();
        let server = there.run(|| UdpSocket::bind("[2001:db8:f::1]:9").unwrap());
        server.set_read_timeout(Some(SOON)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let mut buffer = [0; 8];
        eventually("there is a way", || socket.send_to(b"first", "[2001:db8:f::1]:9").is_ok());
        server.recv_from(&mut buffer).unwrap();
    });
    assert_eq!(since(before), (0, 1));
}

#[test]
fn reading_the_counters_is_cheap() {
    let Some((_here, _there)) = cable() else { return };
    let start = std::time::Instant::now();
    for _ in 0..1000 {
        traffic::read("a").unwrap();
    }
    eprintln!("counters of a device: {} µs", start.elapsed().as_micros() / 1000);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(traffic::read("nosuch0"), None);
}

#[test]
fn a_neighbour_is_known_as_there_or_gone_once_it_was_asked() {
    let Some((_here, there)) = cable() else { return };
    let mut kernel = LinuxKernel::open().unwrap();
    let link = index("a");
    assert_eq!(kernel.neighbour(link, THERE), None, "nobody asked yet");
    assert_eq!(kernel.neighbour(4711, THERE), None, "there is no such link");
    let call = |to: Ipv6Addr| {
        let socket = UdpSocket::bind("[::]:0").unwrap();
        let _ = socket.send_to(b"hello", SocketAddrV6::new(to, 9, 0, link));
    };
    call(THERE);
    eventually("it answers", || kernel.neighbour(link, THERE) == Some(true));
    let nobody = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xdead);
    call(nobody);
    eventually("it does not answer", || kernel.neighbour(link, nobody) == Some(false));
    // one that is believed without being asked proves nothing
    ip("neighbour replace fe80::dead lladdr 02:00:00:00:00:01 dev a nud permanent");
    assert_eq!(kernel.neighbour(link, nobody), None);
    drop(there);
}

#[test]
fn hosts_of_a_link_are_listed_once_each_and_routers_and_the_missing_are_not() {
    let Some((_here, there)) = cable() else { return };
    let mut kernel = LinuxKernel::open().unwrap();
    let link = index("a");
    assert_eq!(kernel.neighbours(link), Vec::<Ipv6Addr>::new());
    for (addr, mac, state) in [
        ("2001:db8::5", "02:00:00:00:00:05", "stale"),
        ("fe80::5", "02:00:00:00:00:05", "reachable"),
        ("2001:db8::55", "02:00:00:00:00:05", "stale"),
        ("2001:db8::6", "02:00:00:00:00:06", "stale"),
        ("fe80::7", "02:00:00:00:00:07", "stale router"),
        ("fe80::8", "02:00:00:00:00:08", "failed"),
        ("fe80::9", "02:00:00:00:00:09", "permanent"),
    ] {
        ip(&format!("neighbour replace {addr} lladdr {mac} dev a nud {state}"));
    }
    ip("neighbour replace fe80::10 lladdr 02:00:00:00:00:10 dev lo nud reachable");
    let hosts: Vec<Ipv6Addr> = ["fe80::5", "2001:db8::6"].iter().map(|addr| addr.parse().unwrap()).collect();
    assert_eq!(kernel.neighbours(link), hosts);
    assert_eq!(kernel.neighbours(4711), Vec::<Ipv6Addr>::new());
    drop(there);
}

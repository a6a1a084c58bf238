use crate::namespace::{Namespace, block_on, cable, eventually, index, ip};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, sendto, socket};
use oasis6::kernel::socket::{Dhcp6Socket, NdSocket, Outgoing};
use oasis6::net::{ALL_DHCP_RELAY_AGENTS_AND_SERVERS, ALL_NODES, ALL_ROUTERS};
use oasis6::proto::{dhcp6, ra};
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const HERE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa);
const THERE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xb);
const SOLICITATION: [u8; 8] = [133, 0, 0, 0, 0, 0, 0, 0];
const ADVERTISEMENT: [u8; 16] = [134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SOON: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_millis(50);

#[derive(Debug, PartialEq)]
struct Heard {
    link: u32,
    source: Ipv6Addr,
    hop_limit: u8,
    fragmented: bool,
    bytes: Vec<u8>,
}

/// Opens a socket there that is used here.
fn opened<S: Send>(there: &Namespace, open: impl FnOnce() -> std::io::Result<S> + Send) -> S {
    let runtime = tokio::runtime::Handle::current();
    there.run(|| {
        let _inside = runtime.enter();
        open().unwrap()
    })
}

/// Receives until there is something.
async fn hear(socket: &mut NdSocket) -> Vec<Heard> {
    let mut heard = Vec::new();
    while heard.is_empty() {
        timeout(SOON, socket.readable()).await.expect("nothing comes").unwrap();
        socket.recv_batch(64, |link, event| {
            let ra::Event::Packet { source, hop_limit, fragmented, bytes } = event else { panic!("{event:?}") };
            heard.push(Heard { link, source, hop_limit, fragmented, bytes: bytes.to_vec() });
        });
    }
    heard
}

/// Sends an ICMPv6 message as a host's kernel would, with this hop limit, from `fe80::b` on `b`.
fn solicit(there: &Namespace, hop_limit: u8, to: Ipv6Addr, bytes: &[u8]) {
    there.run(|| {
        let fd = socket(AddressFamily::Inet6, SockType::Raw, SockFlag::empty(), SockProtocol::IcmpV6).unwrap();
        let hops = i32::from(hop_limit);
        nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::Ipv6MulticastHops, &hops).unwrap();
        nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::Ipv6Ttl, &hops).unwrap();
        let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, index("b")));
        sendto(fd.as_raw_fd(), bytes, &to, MsgFlags::empty()).unwrap();
    });
}

// MUST RFC 4861 §6.2.2: a router joins the all-routers multicast address on an advertising interface
#[test]
fn solicitations_arrive_with_link_source_and_hop_limit_once_the_group_is_joined() {
    let Some((_here, there)) = cable() else { return };
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        let link = index("a");
        socket.join(link).unwrap();
        socket.join(link).unwrap();
        for hop_limit in [255, 64] {
            solicit(&there, hop_limit, ALL_ROUTERS, &SOLICITATION);
            let [heard] = &hear(&mut socket).await[..] else { panic!("more than one") };
            assert_eq!((heard.link, heard.source, heard.hop_limit), (link, THERE, hop_limit));
            assert_eq!((heard.fragmented, heard.bytes.len(), heard.bytes[0]), (false, 8, 133));
        }
        // other types stay outside: an echo request is answered by the kernel and not seen by us
        solicit(&there, 255, HERE, &[128, 0, 0, 0, 0, 1, 0, 1]);
        assert!(timeout(NEVER, socket.readable()).await.is_err());
        socket.leave(link).unwrap();
        socket.leave(link).unwrap();
        assert!(socket.join(4711).is_err());
        socket.leave(4711).unwrap();
    });
}

/// Puts an IPv6 packet with an ICMPv6 message on the cable at `b`, byte by byte as given but for the checksum, to which
/// `wrong` is added.
fn forge(there: &Namespace, source: Ipv6Addr, message: &[u8], wrong: u16) {
    let words =
        |bytes: &[u8]| bytes.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u32>();
    let len = u8::try_from(message.len()).unwrap();
    let mut sum = words(&source.octets()) + words(&ALL_ROUTERS.octets()) + u32::from(len) + 58 + words(message);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    let checksum = u16::try_from(!sum & 0xffff).unwrap().wrapping_add(wrong);
    let mut packet = vec![0x60, 0, 0, 0, 0, len, 58, 255];
    packet.extend(source.octets());
    packet.extend(ALL_ROUTERS.octets());
    packet.extend(message);
    packet[42..44].copy_from_slice(&checksum.to_be_bytes());
    there.run(|| {
        let fd = socket(AddressFamily::Inet6, SockType::Raw, SockFlag::empty(), SockProtocol::Raw).unwrap();
        let to = SockaddrIn6::from(SocketAddrV6::new(ALL_ROUTERS, 0, 0, index("b")));
        sendto(fd.as_raw_fd(), &packet, &to, MsgFlags::empty()).unwrap();
    });
}

// MUST RFC 4861 §6.1.1: a solicitation whose ICMP checksum is not valid is dropped
#[test]
fn a_wrong_checksum_is_not_let_through_and_no_source_is_none_at_all() {
    let Some((_here, there)) = cable() else { return };
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        socket.join(index("a")).unwrap();
        forge(&there, THERE, &SOLICITATION, 1);
        forge(&there, Ipv6Addr::UNSPECIFIED, &SOLICITATION, 0xff00);
        forge(&there, THERE, &SOLICITATION, 0);
        forge(&there, Ipv6Addr::UNSPECIFIED, &SOLICITATION, 0);
        let mut heard = hear(&mut socket).await;
        if heard.len() < 2 {
            heard.extend(hear(&mut socket).await);
        }
        let sources: Vec<_> = heard.iter().map(|heard| (heard.source, heard.hop_limit)).collect();
        assert_eq!(sources, [(THERE, 255), (Ipv6Addr::UNSPECIFIED, 255)]);
    });
}

// MUST RFC 4861 §4.2: a router advertisement has hop limit 255 and the link-local address of the link as its source
#[test]
fn advertisements_leave_with_hop_limit_255_from_the_link_local_address_asked_for() {
    let Some((_here, there)) = cable() else { return };
    ip("address add fe80::1:a/64 dev a nodad");
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        let mut host = opened(&there, NdSocket::open);
        let link = index("a");
        let other = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, 0xa);
        for (source, to) in [(HERE, ALL_NODES), (other, ALL_NODES), (HERE, THERE)] {
            socket.send(link, Some(source), to, &ADVERTISEMENT).unwrap();
            let [heard] = &hear(&mut host).await[..] else { panic!("more than one") };
            assert_eq!((heard.source, heard.hop_limit, heard.fragmented), (source, 255, false));
            assert_eq!((heard.bytes[0], heard.bytes.len()), (134, 16));
            assert_ne!(heard.bytes[2..4], [0, 0], "the kernel fills in the checksum");
        }
        socket.send(link, None, ALL_NODES, &ADVERTISEMENT).unwrap();
        assert_eq!(hear(&mut host).await.len(), 1);
        // our own multicast does not come back to us
        assert!(timeout(NEVER, socket.readable()).await.is_err());
        // not ours
        assert!(socket.send(link, Some(THERE), ALL_NODES, &ADVERTISEMENT).is_err());
        assert!(socket.send(4711, Some(HERE), ALL_NODES, &ADVERTISEMENT).is_err());
        assert_eq!(socket.lost().unsent, 2);
    });
}

// MUST RFC 6980 §5: neighbour discovery is never sent in fragments
#[test]
fn an_advertisement_longer_than_the_mtu_is_refused() {
    let Some((_here, _there)) = cable() else { return };
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        let mut long = ADVERTISEMENT.to_vec();
        long.resize(1461, 0);
        let error = socket.send(index("a"), Some(HERE), ALL_NODES, &long).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::errno::Errno::EMSGSIZE as i32));
        long.truncate(1460);
        socket.send(index("a"), Some(HERE), ALL_NODES, &long).unwrap();
    });
}

#[test]
fn solicitations_in_fragments_are_told_apart() {
    let Some((_here, there)) = cable() else { return };
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        let link = index("a");
        socket.join(link).unwrap();
        // padded with an option nobody knows, so that the kernel cuts it in two
        let mut long = SOLICITATION.to_vec();
        long.resize(2008, 0);
        long[8..10].copy_from_slice(&[253, 250]);
        solicit(&there, 255, ALL_ROUTERS, &long);
        let [heard] = &hear(&mut socket).await[..] else { panic!("more than one") };
        assert_eq!((heard.fragmented, heard.bytes.len()), (true, 2008));
        solicit(&there, 255, ALL_ROUTERS, &SOLICITATION);
        assert!(!hear(&mut socket).await[0].fragmented);
        // one that fits no buffer is counted, and the next is heard
        long.resize(3000, 0);
        solicit(&there, 255, ALL_ROUTERS, &long);
        solicit(&there, 255, ALL_ROUTERS, &SOLICITATION);
        assert_eq!(hear(&mut socket).await[0].bytes.len(), 8);
        assert_eq!(socket.lost().truncated, 1);
    });
}

#[test]
fn a_spent_budget_leaves_the_socket_readable_and_an_empty_one_does_not() {
    let Some((_here, there)) = cable() else { return };
    block_on(async {
        let mut socket = NdSocket::open().unwrap();
        socket.join(index("a")).unwrap();
        for round in 0..3 {
            for _ in 0..40 {
                solicit(&there, 255, ALL_ROUTERS, &SOLICITATION);
            }
            let mut heard = 0;
            for want in [10, 20, 30, 40] {
                timeout(SOON, socket.readable()).await.expect("still readable").unwrap();
                socket.recv_batch(10, |_, _| heard += 1);
                assert_eq!(heard, want, "round {round}");
            }
            // all were taken, but the socket was not seen empty: it may say once more that it is readable
            let _ = timeout(NEVER, socket.readable()).await;
            socket.recv_batch(10, |_, _| heard += 1);
            assert_eq!(heard, 40);
            assert!(timeout(NEVER, socket.readable()).await.is_err(), "round {round}");
        }
    });
}

#[test]
fn a_taken_port_is_reported_with_its_holder() {
    let Some(_here) = Namespace::enter() else { return };
    block_on(async {
        let holder = UdpSocket::bind("[::]:547").unwrap();
        let error = Dhcp6Socket::open().err().unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        let own = format!("(pid {})", std::process::id());
        assert!(error.to_string().starts_with("port 547 is taken by "), "{error}");
        assert!(error.to_string().ends_with(&own), "{error}");
        drop(holder);
        // not at once: a process that another test starts holds a copy for a moment
        let mut first = None;
        eventually("the port is free", || {
            first = Dhcp6Socket::open().ok();
            first.is_some()
        });
        assert!(Dhcp6Socket::open().is_err(), "two of us can't have it either");
    });
}

/// Receives a datagram there; a signal in between is none.
fn received(socket: &UdpSocket) -> std::io::Result<(Vec<u8>, u16)> {
    let mut buffer = vec![0; 64];
    loop {
        match socket.recv_from(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok((len, from)) => {
                buffer.truncate(len);
                return Ok((buffer, from.port()));
            }
        }
    }
}

/// A client's socket on `b`.
fn client(there: &Namespace) -> UdpSocket {
    there.run(|| {
        let client = UdpSocket::bind(SocketAddrV6::new(THERE, 546, 0, index("b"))).unwrap();
        nix::sys::socket::setsockopt(&client, nix::sys::socket::sockopt::RcvBufForce, &(8 << 20)).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        client
    })
}

#[test]
fn a_thousand_messages_go_each_way() {
    let Some((_here, there)) = cable() else { return };
    let client = client(&there);
    let server = SocketAddrV6::new(ALL_DHCP_RELAY_AGENTS_AND_SERVERS, 547, 0, there.run(|| index("b")));
    block_on(async {
        let mut socket = Dhcp6Socket::open().unwrap();
        let link = index("a");
        socket.join(link).unwrap();
        socket.join(link).unwrap();
        let mut took = [Duration::ZERO; 2];
        for _ in 0..20 {
            for number in 0..500u16 {
                client.send_to(&number.to_be_bytes(), server).unwrap();
            }
            let mut numbers = Vec::new();
            let start = Instant::now();
            while numbers.len() < 500 {
                timeout(SOON, socket.readable()).await.expect("some are missing").unwrap();
                socket.recv_batch(64, |event| {
                    let dhcp6::Event::Packet { link: by, source, port, multicast, bytes } = event;
                    assert_eq!((by, source, port, multicast), (link, THERE, 546, true));
                    numbers.push(u16::from_be_bytes(bytes.try_into().unwrap()));
                });
            }
            took[0] += start.elapsed();
            assert_eq!(numbers, (0..500).collect::<Vec<_>>());
            let replies: Vec<_> = (0..500u16)
                .map(|number| Outgoing { link, to: THERE, port: 546, bytes: number.to_be_bytes().to_vec() })
                .collect();
            let start = Instant::now();
            assert_eq!(socket.send_batch(&replies), 500);
            took[1] += start.elapsed();
            for number in 0..500u16 {
                assert_eq!(received(&client).unwrap(), (number.to_be_bytes().to_vec(), 547));
            }
        }
        let rate = |took: Duration| 10_000.0 / took.as_secs_f64();
        eprintln!("received {:.0}/s, sent {:.0}/s", rate(took[0]), rate(took[1]));
        socket.leave(link).unwrap();
        socket.leave(link).unwrap();
        assert!(socket.join(4711).is_err());
        assert_eq!(socket.lost(), Default::default());
    });
}

#[test]
fn a_message_that_cannot_be_sent_or_is_too_long_stops_no_other() {
    let Some((_here, there)) = cable() else { return };
    let client = client(&there);
    let server = SocketAddrV6::new(HERE, 547, 0, there.run(|| index("b")));
    block_on(async {
        let mut socket = Dhcp6Socket::open().unwrap();
        let link = index("a");
        let to = |to: Ipv6Addr, link: u32, text: &str| Outgoing { link, to, port: 546, bytes: text.into() };
        let messages = [
            to(THERE, 4711, "nowhere"),
            to(THERE, link, "first"),
            to("2001:db8::1".parse().unwrap(), link, "no route"),
            to(THERE, link, "second"),
        ];
        assert_eq!(socket.send_batch(&messages), 2);
        assert_eq!(socket.send_batch(&[]), 0);
        assert_eq!(socket.lost().unsent, 2);
        for text in ["first", "second"] {
            assert_eq!(received(&client).unwrap().0, text.as_bytes());
        }
        client.send_to(&[1; 5000], server).unwrap();
        client.send_to(&[1; 4096], server).unwrap();
        client.send_to(b"short", server).unwrap();
        let mut lens = Vec::new();
        while lens.len() < 2 {
            timeout(SOON, socket.readable()).await.expect("some are missing").unwrap();
            socket.recv_batch(64, |dhcp6::Event::Packet { multicast, bytes, .. }| {
                assert!(!multicast);
                lens.push(bytes.len());
            });
        }
        assert_eq!(lens, [4096, 5]);
        assert_eq!(socket.lost().truncated, 1);
    });
}

// MUST RFC 9915 §18.3.10: an answer to a client leaves by the link its message came in by, whatever routing says
#[test]
fn answers_to_global_addresses_of_clients_leave_by_the_clients_link() {
    let Some((_here, there)) = cable() else { return };
    let to: Ipv6Addr = "2001:db8::b".parse().unwrap();
    there.run(|| ip("address add 2001:db8::b/64 dev b nodad"));
    ip("address add 2001:db8::a/64 dev a nodad");
    // a better route astray
    ip("link add name c type veth peer name d");
    ip("link set dev d up");
    ip("link set dev c up");
    ip("route add 2001:db8::b via fe80::d dev c metric 1");
    let sockets = there.run(|| [546, 547].map(|port| UdpSocket::bind(("2001:db8::b", port)).unwrap()));
    block_on(async {
        let mut socket = Dhcp6Socket::open().unwrap();
        let link = index("a");
        let message = |port, text: &str| Outgoing { link, to, port, bytes: text.into() };
        let messages = [message(546, "first"), message(547, "to a relay agent"), message(546, "second")];
        socket.send_batch(&messages);
        sockets[0].set_read_timeout(Some(SOON)).unwrap();
        for text in ["first", "second"] {
            assert_eq!(received(&sockets[0]).unwrap().0, text.as_bytes());
        }
        sockets[1].set_read_timeout(Some(NEVER)).unwrap();
        assert!(received(&sockets[1]).is_err(), "a relay agent is where routing says");
    });
}

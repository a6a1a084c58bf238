//! What the packet filter lets through, seen from the LAN and from outside.

use crate::namespace::{Namespace, ip};
use crate::skip::skip;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, bind, connect, recv, sendto, setsockopt,
    socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use oasis6::config::Protocol;
use oasis6::kernel::Kernel;
use oasis6::kernel::conntrack;
use oasis6::kernel::linux::LinuxKernel;
use oasis6::net::{FlatMap, FlatSet, Prefix};
use oasis6::plan::guard::{Guarded, GuardedUplink, Hole, guard};
use oasis6::plan::{Key, Op, Value};
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOST: &str = "2001:db8:a::10";
/// An address of the other LAN.
const GUEST: &str = "2001:db8:a:1::10";
/// Of the other uplink.
const SECOND: &str = "2001:db8:b::10";
/// Of a prefix that died.
const DEAD: &str = "2001:db8:dead::10";
/// Of no prefix that ever was.
const NOBODYS: &str = "2001:db8:bad::10";
const OUTSIDE: &str = "2001:db8:9::1";
const OUTSIDE_B: &str = "2001:db8:9::2";
const NOTHING_COMES: Duration = Duration::from_millis(300);
const SOMETHING_COMES: Duration = Duration::from_secs(3);

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn at(text: &str, port: u16) -> SocketAddr {
    SocketAddrV6::new(addr(text), port, 0, 0).into()
}

fn nft(arguments: &str) -> String {
    let output = Command::new("/usr/sbin/nft").args(arguments.split(' ')).output().expect("nft runs");
    assert!(output.status.success(), "nft {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A router (the calling thread) with two LANs and two uplinks, a host on each LAN and one behind each uplink.
struct Bed {
    _router: Namespace,
    lan: Namespace,
    guest: Namespace,
    outside: Namespace,
    outside_b: Namespace,
    kernel: LinuxKernel,
    uplinks: Vec<GuardedUplink>,
    guarded: Guarded,
}

impl Bed {
    fn new() -> Option<Bed> {
        let router = Namespace::enter()?;
        if !Command::new("/usr/sbin/nft").args(["list", "tables"]).output().is_ok_and(|o| o.status.success()) {
            skip("no nftables");
            return None;
        }
        let set = |key: &str| std::fs::write(format!("/proc/sys/net/ipv6/conf/{key}"), "1").unwrap();
        let quick = || {
            for key in ["all", "default"] {
                std::fs::write(format!("/proc/sys/net/ipv6/conf/{key}/accept_dad"), "0").unwrap();
            }
        };
        quick();
        let plug = |device: &str, inner: &str, outer: &[&str]| {
            let there = Namespace::beside();
            there.run(quick);
            ip(&format!("link add name {device} type veth peer name eth0 netns {}", there.path()));
            ip(&format!("link set dev {device} up"));
            ip(&format!("address add {inner} dev {device} nodad"));
            there.run(|| {
                ip("link set dev eth0 up");
                for address in outer {
                    ip(&format!("address add {address} dev eth0 nodad"));
                }
                ip(&format!("route add default via {}", inner.split('/').next().unwrap()));
            });
            there
        };
        let lan = plug(
            "lan0",
            "2001:db8:a::1/64",
            &[
                "2001:db8:a::10/64",
                "2001:db8:a:1::99/128",
                "2001:db8:b::10/64",
                "2001:db8:dead::10/64",
                "2001:db8:bad::10/128",
                "fd00:1::10/64",
            ],
        );
        let guest = plug("lan1", "2001:db8:a:1::1/64", &["2001:db8:a:1::10/64"]);
        let outside =
            plug("wan0", "2001:db8:f1::2/64", &["2001:db8:f1::1/64", "2001:db8:9::1/128", "2001:db8:a:9::1/128"]);
        let outside_b = plug("wan1", "2001:db8:f2::2/64", &["2001:db8:f2::1/64", "2001:db8:9::2/128"]);
        set("all/forwarding");
        // prefixes that are on the LAN's link too: of the second uplink, the dead one, the unique local one
        for on_link in ["2001:db8:b::/64", "2001:db8:dead::/64", "fd00:1::/64"] {
            ip(&format!("route add {on_link} dev lan0"));
        }
        ip("route add default from 2001:db8:a::/56 via 2001:db8:f1::1");
        ip("route add default from 2001:db8:b::/56 via 2001:db8:f2::1");
        let uplink = |device: &str, sources: &[&str]| GuardedUplink {
            device: device.into(),
            live: true,
            sources: sources.iter().map(|source| prefix(source)).collect(),
            ..GuardedUplink::default()
        };
        let uplinks =
            vec![uplink("wan0", &["2001:db8:a::/56", "2001:db8:f1::2/128"]), uplink("wan1", &["2001:db8:b::/56"])];
        let guarded = Guarded {
            lans: ["lan0".to_owned(), "lan1".to_owned()].into(),
            inside: vec![prefix("2001:db8:a::/64"), prefix("2001:db8:a:1::/64"), prefix("fd00:1::/64")],
            ..Guarded::default()
        };
        let kernel = LinuxKernel::open().unwrap();
        let mut bed = Bed { _router: router, lan, guest, outside, outside_b, kernel, uplinks, guarded };
        bed.put();
        Some(bed)
    }

    fn put(&mut self) {
        let guard = Arc::new(guard(&self.uplinks, self.guarded.clone()).unwrap());
        assert_eq!(self.kernel.apply(&[Op::Put(Key::Guard, Value::Guard(guard))]), [Ok(())]);
    }

    /// Opens a TCP port of the host `nas`, which has these addresses.
    fn open(&mut self, port: u16, addresses: &[&str]) {
        let hole =
            Hole { host: "nas".into(), protocols: vec![Protocol::Tcp], ports: vec![(port, port)], from: Vec::new() };
        self.guarded.holes = vec![hole];
        self.guarded.hosts =
            FlatMap::from([("nas".to_owned(), addresses.iter().map(|a| addr(a)).collect::<FlatSet<_>>())]);
        self.put();
    }
}

/// Packets that a rule with this comment caught.
fn caught(comment: &str) -> u64 {
    let rules = nft("list table inet oasis6");
    let line = rules.lines().find(|line| line.contains(comment)).unwrap_or_else(|| panic!("no {comment} in {rules}"));
    line.split_once("counter packets ").unwrap().1.split(' ').next().unwrap().parse().unwrap()
}

/// Calls a TCP port from this address.
fn call(from: &Namespace, source: &str, to: SocketAddr) -> Option<TcpStream> {
    from.run(|| {
        let patience = TimeVal::milliseconds(300);
        let socket = socket(AddressFamily::Inet6, SockType::Stream, SockFlag::empty(), None).unwrap();
        setsockopt(&socket, sockopt::SendTimeout, &patience).unwrap();
        let end = |at: SocketAddr| at.to_string().parse().map(|at: SocketAddrV6| SockaddrIn6::from(at)).unwrap();
        bind(socket.as_raw_fd(), &end(at(source, 0))).unwrap();
        connect(socket.as_raw_fd(), &end(to)).ok().map(|()| socket.into())
    })
}

fn connects(from: &Namespace, source: &str, to: SocketAddr) -> bool {
    call(from, source, to).is_some()
}

/// Sends a datagram and says whether it arrived.
fn arrives(from: &Namespace, source: &str, to: &Namespace, destination: &str) -> bool {
    let target = to.run(|| UdpSocket::bind(at(destination, 0)).unwrap());
    target.set_read_timeout(Some(NOTHING_COMES)).unwrap();
    let port = target.local_addr().unwrap().port();
    from.run(|| UdpSocket::bind(at(source, 0)).unwrap().send_to(b"x", at(destination, port)).unwrap());
    target.recv(&mut [0; 8]).is_ok()
}

/// A raw ICMPv6 socket.
fn icmp(inside: &Namespace) -> OwnedFd {
    inside.run(|| {
        let socket = socket(AddressFamily::Inet6, SockType::Raw, SockFlag::SOCK_NONBLOCK, SockProtocol::IcmpV6);
        socket.unwrap()
    })
}

/// Waits for an ICMPv6 message that is `wanted`.
fn hears(socket: &OwnedFd, limit: Duration, wanted: impl Fn(&[u8]) -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        let mut buffer = [0; 1500];
        match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(len) if wanted(&buffer[..len]) => return true,
            Ok(_) => {}
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    false
}

/// Whether a datagram from `source` is answered with ICMPv6 type 1 code 5.
fn refused(from: &Namespace, source: &str, destination: &str) -> bool {
    let errors = icmp(from);
    from.run(|| {
        let socket = UdpSocket::bind(at(source, 0)).unwrap();
        socket.send_to(b"x", at(destination, 9)).unwrap();
        let source = addr(source).octets();
        // behind the error's header stands the packet in question
        hears(&errors, SOMETHING_COMES / 6, |message| message[..2] == [1, 5] && message.get(16..32) == Some(&source))
    })
}

// SHOULD RFC 7084 §4.5 S-1: nothing that nobody asked for passes from an uplink to a LAN (RFC 6092)
#[test]
fn from_outside_nothing_gets_in_uninvited_and_answers_do() {
    let Some(bed) = Bed::new() else { return };
    let listener = bed.lan.run(|| TcpListener::bind(at(HOST, 80)).unwrap());
    assert!(connects(&bed.guest, GUEST, at(HOST, 80)), "from another LAN");
    assert!(!connects(&bed.outside, OUTSIDE, at(HOST, 80)));
    assert!(!connects(&bed.outside_b, OUTSIDE_B, at(SECOND, 80)));
    assert!(!arrives(&bed.outside, OUTSIDE, &bed.lan, HOST));
    assert!(caught("nobody asked for it") > 0);
    // the other way
    let server = bed.outside.run(|| TcpListener::bind(at(OUTSIDE, 80)).unwrap());
    let mut client = call(&bed.lan, HOST, at(OUTSIDE, 80)).unwrap();
    let (mut inner, _) = server.accept().unwrap();
    inner.write_all(b"hello").unwrap();
    let mut text = [0; 5];
    client.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");
    drop(listener);
}

#[test]
fn a_pinhole_lets_in_and_follows_its_host_by_elements_alone() {
    let Some(mut bed) = Bed::new() else { return };
    let listen = |text: &str| bed.lan.run(|| TcpListener::bind(at(text, 443)).unwrap());
    let (_first, _second) = (listen(HOST), listen(SECOND));
    assert!(!connects(&bed.outside, OUTSIDE, at(HOST, 443)));
    bed.open(443, &[HOST]);
    let rules = || nft("-a list table inet oasis6").split_once("chain ").unwrap().1.to_owned();
    let handles: Vec<String> = rules().lines().filter_map(|l| Some(l.split_once("# handle ")?.1.to_owned())).collect();
    assert!(connects(&bed.outside, OUTSIDE, at(HOST, 443)));
    assert!(!connects(&bed.outside, OUTSIDE, at(HOST, 444)), "another port");
    assert!(!connects(&bed.outside_b, OUTSIDE_B, at(SECOND, 443)), "another address");
    // renumbered
    bed.open(443, &[SECOND]);
    assert!(connects(&bed.outside_b, OUTSIDE_B, at(SECOND, 443)));
    assert!(!connects(&bed.outside, OUTSIDE, at(HOST, 443)), "the old address");
    let now: Vec<String> = rules().lines().filter_map(|l| Some(l.split_once("# handle ")?.1.to_owned())).collect();
    assert_eq!(now, handles, "the rules were loaded anew");
}

// MUST RFC 7084 §4.3 L-14: a packet with a source of an invalidated prefix is answered with ICMPv6 type 1 code 5
// MUST RFC 4443 §3.1: code 5 says that the source address failed ingress or egress policy
#[test]
fn a_source_of_no_live_uplink_is_refused_by_code_5() {
    let Some(bed) = Bed::new() else { return };
    assert!(refused(&bed.lan, DEAD, OUTSIDE));
    assert!(refused(&bed.lan, "fd00:1::10", OUTSIDE), "a unique local source");
    assert!(!refused(&bed.lan, HOST, OUTSIDE));
    assert!(refused(&bed.lan, NOBODYS, OUTSIDE), "a source that leads back nowhere");
    // between LANs it may be used still
    assert!(arrives(&bed.lan, DEAD, &bed.guest, GUEST));
    // where somebody else's default route would take it
    ip("route add default via 2001:db8:f1::1");
    assert!(refused(&bed.lan, DEAD, OUTSIDE));
    assert!(!arrives(&bed.lan, DEAD, &bed.outside, OUTSIDE));
}

// MUST RFC 4443 §2.4: error messages are limited in their rate
#[test]
fn refusals_are_limited_in_their_rate() {
    let Some(bed) = Bed::new() else { return };
    // the kernel's own limit is one a second to one host, and is switched off to see ours
    std::fs::write("/proc/sys/net/ipv6/icmp/ratelimit", "0").unwrap();
    ip("route add default via 2001:db8:f1::1");
    let errors = icmp(&bed.lan);
    bed.lan.run(|| {
        let socket = UdpSocket::bind(at(DEAD, 0)).unwrap();
        (0..500).for_each(|_| drop(socket.send_to(b"x", at(OUTSIDE, 9))));
    });
    let mut answers = 0;
    while hears(&errors, NOTHING_COMES, |message| message[..2] == [1, 5]) {
        answers += 1;
    }
    assert!((20..150).contains(&answers), "{answers}");
}

// SHOULD RFC 8028 §3.1: a source that the way out does not serve is refused, so that it never leaves by another uplink
#[test]
fn a_source_of_one_uplink_never_leaves_by_another() {
    let Some(bed) = Bed::new() else { return };
    assert!(arrives(&bed.lan, HOST, &bed.outside, OUTSIDE));
    assert!(arrives(&bed.lan, SECOND, &bed.outside_b, OUTSIDE_B));
    // somebody else's more specific route
    ip("route add 2001:db8:9::/64 via 2001:db8:f1::1");
    assert!(!arrives(&bed.lan, SECOND, &bed.outside, OUTSIDE));
    assert!(refused(&bed.lan, SECOND, OUTSIDE));
    assert!(caught("source of another uplink") > 0);
}

// SHOULD RFC 7084 §4.5 S-2: forged sources are dropped, those of LANs and those from outside (BCP 38)
#[test]
fn forged_sources_are_dropped() {
    let Some(bed) = Bed::new() else { return };
    // a host of one LAN with an address of the other
    assert!(!arrives(&bed.lan, "2001:db8:a:1::99", &bed.outside, OUTSIDE));
    assert!(caught("forged source") > 0);
    // from outside with a source of ours
    let raise = "2001:db8:a::77";
    bed.outside.run(|| ip(&format!("address add {raise}/128 dev eth0 nodad")));
    assert!(!arrives(&bed.outside, raise, &bed.lan, HOST));
    assert!(caught("our own source from outside") > 0);
}

// MUST RFC 7084 §4.3 ULA-4: no packet with a unique local source leaves by an uplink, not one of the router's own
#[test]
fn unique_local_sources_do_not_leave() {
    let Some(mut bed) = Bed::new() else { return };
    ip("address add fd00:1::1/64 dev lan0 nodad");
    ip("route add default via 2001:db8:f1::1");
    let leaves = |source: &str, to: &Namespace, destination: &str| {
        let target = to.run(|| UdpSocket::bind(at(destination, 0)).unwrap());
        target.set_read_timeout(Some(NOTHING_COMES)).unwrap();
        let sent = UdpSocket::bind(at(source, 0)).unwrap().send_to(b"x", target.local_addr().unwrap());
        assert_eq!(sent.is_ok(), target.recv(&mut [0; 8]).is_ok(), "who sends is told");
        sent.is_ok()
    };
    assert!(leaves("2001:db8:f1::2", &bed.outside, OUTSIDE), "its own");
    assert!(!leaves("fd00:1::1", &bed.outside, OUTSIDE));
    assert!(leaves("fd00:1::1", &bed.lan, HOST), "inside");
    assert_eq!(caught("unique local source"), 1);
    // what the owner gave the device, and what an uplink gave
    ip("address add fd77::2/64 dev wan0 nodad");
    bed.outside.run(|| ip("address add fd77::1/64 dev eth0 nodad"));
    assert!(leaves("fd77::2", &bed.outside, "fd77::1"));
    ip("address add fd78::2/64 dev lan0 nodad");
    assert!(!leaves("fd78::2", &bed.outside, "fd77::1"));
    bed.uplinks[0].sources.push(prefix("fd78::/56"));
    bed.put();
    assert!(leaves("fd78::2", &bed.outside, "fd77::1"));
}

// SHOULD RFC 6324 §3.2: what came from a tunnel does not go back into one, so that no packet circles between two of them
#[test]
fn nothing_goes_from_one_uplink_to_another() {
    let Some(bed) = Bed::new() else { return };
    ip("route add 2001:db8:9::2/128 via 2001:db8:f2::1");
    ip("route add 2001:db8:9::1/128 via 2001:db8:f1::1");
    assert!(!arrives(&bed.outside, OUTSIDE, &bed.outside_b, OUTSIDE_B));
    assert!(caught("we are no transit") > 0);
}

// MUST RFC 4890 §4.3.1: errors about flows that are there pass
// MUST RFC 4890 §4.3.1: answers to echo requests pass
// UNTESTED RFC 4890 §4.3.1: echo requests from outside pass. Reason: they don't, since nothing uninvited does; a pinhole lets them in
// SHOULD NOT RFC 6092 §3.2.1 REC-10: errors about no flow that is there pass
#[test]
fn icmpv6_that_must_pass_passes() {
    let Some(bed) = Bed::new() else { return };
    let pings = |from: &Namespace, source: &str, to: &str| {
        let output = from.run(|| Command::new("ping").args(["-6", "-c1", "-W1", "-I", source, to]).output().unwrap());
        output.status.success()
    };
    assert!(pings(&bed.lan, HOST, OUTSIDE));
    // who wants to be pinged opens a pinhole for all protocols
    assert!(!pings(&bed.outside, OUTSIDE, HOST));
    // a flow, and errors about it and about another
    let flow = bed.lan.run(|| UdpSocket::bind(at(HOST, 5000)).unwrap());
    flow.send_to(b"x", at(OUTSIDE, 6000)).unwrap();
    let errors = icmp(&bed.lan);
    let sender = icmp(&bed.outside);
    let complain = |kind: u8, code: u8, port: u16| {
        let mut message = vec![kind, code, 0, 0, 0, 0, 5, 0];
        message.extend([0x60, 0, 0, 0, 0, 9, 17, 63]);
        message.extend(addr(HOST).octets());
        message.extend(addr(OUTSIDE).octets());
        message.extend([port.to_be_bytes(), 6000u16.to_be_bytes(), [0, 9], [0, 0]].concat());
        message.push(b'x');
        let to = SockaddrIn6::from(SocketAddrV6::new(addr(HOST), 0, 0, 0));
        sendto(sender.as_raw_fd(), &message, &to, MsgFlags::empty()).unwrap();
        hears(&errors, NOTHING_COMES, |message| message[..2] == [kind, code])
    };
    for (kind, code) in [(1, 0), (1, 4), (2, 0), (3, 0), (4, 1), (4, 2)] {
        assert!(complain(kind, code, 5000), "type {kind} code {code}");
        assert!(!complain(kind, code, 5001), "type {kind} code {code} about no flow");
    }
    // node information queries (RFC 4890 §4.3.5 leaves them to the owner)
    assert!(!complain(139, 0, 5000));
}

// MUST RFC 3964 §5.1: 6to4 addresses that embed a private, loopback or multicast IPv4 address are dropped
#[test]
fn six_to_four_addresses_of_nobody_are_dropped() {
    let Some(mut bed) = Bed::new() else { return };
    bed.uplinks[0].six_to_four = true;
    bed.uplinks[0].sources.push(prefix("2002:c633:6401::/48"));
    bed.put();
    ip("route add default via 2001:db8:f1::1");
    bed.lan.run(|| ip("address add 2002:c633:6401::10/64 dev eth0 nodad"));
    ip("route add 2002:c633:6401::/64 dev lan0");
    bed.guarded.holes = vec![Hole { host: "h".into(), protocols: vec![Protocol::All], ports: vec![], from: vec![] }];
    bed.guarded.hosts = FlatMap::from([("h".to_owned(), [addr("2002:c633:6401::10")].into())]);
    bed.put();
    for (peer, passes) in [
        ("2002:cb00:7105::1", true),
        ("2002:c000:1::1", false),
        ("2002:a01:203::1", false),
        ("2002:7f00:1::1", false),
        ("2002:e000:1::1", false),
        ("2002:c0a8:101::1", false),
    ] {
        bed.outside.run(|| ip(&format!("address add {peer}/128 dev eth0 nodad")));
        assert_eq!(arrives(&bed.lan, "2002:c633:6401::10", &bed.outside, peer), passes, "to {peer}");
        assert_eq!(arrives(&bed.outside, peer, &bed.lan, "2002:c633:6401::10"), passes, "from {peer}");
    }
}

#[test]
fn addresses_change_on_their_way_out_where_a_64_is_shared_by_translation() {
    let Some(mut bed) = Bed::new() else { return };
    bed.uplinks[0].translations = vec![(prefix("fd00:1::/64"), None)];
    bed.put();
    ip("route add default from fd00:1::/64 via 2001:db8:f1::1");
    let server = bed.outside.run(|| TcpListener::bind(at(OUTSIDE, 80)).unwrap());
    let _client = call(&bed.lan, "fd00:1::10", at(OUTSIDE, 80)).unwrap();
    let (_inner, from) = server.accept().unwrap();
    assert_eq!(from.ip(), addr("2001:db8:f1::2"), "the uplink's own address");
    // an error about no flow that conntrack knows is not translated
    let (errors, sender) = (icmp(&bed.outside), icmp(&bed.lan));
    let mut complaint = vec![1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 8, 17, 63];
    complaint.extend([addr(OUTSIDE).octets(), addr("fd00:1::10").octets()].concat());
    complaint.extend([0x17, 0x70, 0x13, 0x88, 0, 8, 0, 0]);
    let end = |text: &str| SockaddrIn6::from(SocketAddrV6::new(addr(text), 0, 0, 0));
    bind(sender.as_raw_fd(), &end("fd00:1::10")).unwrap();
    sendto(sender.as_raw_fd(), &complaint, &end(OUTSIDE), MsgFlags::empty()).unwrap();
    assert!(!hears(&errors, NOTHING_COMES, |message| message[..2] == [1, 4]));
    assert_eq!(caught("not translated"), 1);
    // a prefix of its own for it
    bed.uplinks[0].translations = vec![(prefix("fd00:1::/64"), Some(prefix("2001:db8:a:7::/64")))];
    bed.put();
    let _client = call(&bed.lan, "fd00:1::10", at(OUTSIDE, 80)).unwrap();
    let (_inner, from) = server.accept().unwrap();
    assert_eq!(from.ip(), addr("2001:db8:a:7::10"));
}

#[test]
fn flows_of_a_dead_prefix_are_forgotten_and_others_go_on() {
    let Some(bed) = Bed::new() else { return };
    let server = bed.outside.run(|| TcpListener::bind(at(OUTSIDE, 80)).unwrap());
    let _client = call(&bed.lan, HOST, at(OUTSIDE, 80)).unwrap();
    let (mut inner, _) = server.accept().unwrap();
    let passes = |inner: &mut TcpStream| {
        inner.write_all(b"x").unwrap();
        caught("nobody asked for it") == 0
    };
    assert!(passes(&mut inner));
    assert_eq!(conntrack::forget(&[prefix("2001:db8:b::/56")]), Ok(0));
    assert_eq!(conntrack::forget(&[prefix("2001:db8:a::/56")]), Ok(1));
    assert!(!passes(&mut inner));
    // many of them
    bed.lan.run(|| {
        let socket = UdpSocket::bind(at(HOST, 0)).unwrap();
        (1..=3000u16).for_each(|port| drop(socket.send_to(b"x", at(OUTSIDE, port))));
    });
    let begun = Instant::now();
    let forgotten = conntrack::forget(&[prefix("2001:db8:a::/56")]).unwrap();
    assert!((3000..3010).contains(&forgotten), "{forgotten}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(conntrack::forget(&[prefix("::/0")]), Ok(0));
}

#[test]
fn ipv4_is_none_of_its_business() {
    let Some(bed) = Bed::new() else { return };
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    let four = |arguments: &str| {
        let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for (device, net, inner) in [("lan0", 1, &bed.lan), ("wan0", 2, &bed.outside), ("wan1", 3, &bed.outside_b)] {
        four(&format!("address add 192.0.2.{}/30 dev {device}", net * 4 + 1));
        inner.run(|| {
            four(&format!("address add 192.0.2.{}/30 dev eth0", net * 4 + 2));
            four(&format!("route add default via 192.0.2.{}", net * 4 + 1));
        });
    }
    for to in ["192.0.2.6", "192.0.2.14"] {
        assert!(
            bed.outside.run(|| Command::new("ping").args(["-c1", "-W3", to]).output().unwrap().status.success()),
            "{to}"
        );
    }
}

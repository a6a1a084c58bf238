//! The guard of a running router: it heals when somebody flushes it, follows a change of prefix, and goes when it is withdrawn.

use super::bed::{Bed, SOON};
use super::netns::{Namespace, ready, wait_until};
use nix::sys::signal::Signal;

fn config(prefix: &str) -> String {
    format!(
        "config lan 'lan'\n\toption device 'br-lan'\n\
         config uplink 'isp'\n\toption type 'static'\n\toption device 'wan'\n\toption gateway 'fe80::1'\n\
         \tlist prefix '{prefix}'\n\tlist address '2001:db8:f::2/64'\n\
         config pinhole 'web'\n\toption host_id '::53'\n\toption lan 'lan'\n\tlist port '8080'\n"
    )
}

/// Whether a TCP port can be called from outside.
fn open(outside: &Namespace, address: &str, port: u16) -> bool {
    let call = format!(
        "python3 -c 'import socket; socket.create_connection((\"{address}\", {port}), 0.5, (\"2001:db8:9::1\", 0))' 2> /dev/null"
    );
    outside.holds(&call)
}

#[test]
fn the_guard_heals_follows_a_change_of_prefix_and_goes() {
    if !ready(&["nft", "python3"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    let outside = Namespace::new("outside");
    bed.router.wire("wan", &outside, "eth0");
    outside.run("sysctl -qw net.ipv6.conf.all.forwarding=1; ip addr add fe80::1/64 dev eth0 nodad");
    outside
        .run("ip addr add 2001:db8:9::1/128 dev lo; ip -6 route add 2001:db8::/32 via 2001:db8:f::2 dev eth0 onlink");
    host.run("ip token set ::53 dev eth0");
    let servers = host.spawn("exec python3 -m http.server --bind :: 8080", &bed.folder.join("8080"));
    let closed = host.spawn("exec python3 -m http.server --bind :: 8081", &bed.folder.join("8081"));
    bed.configure(&config("2001:db8:a::/56"));
    bed.start();
    assert!(wait_until(SOON, || open(&outside, "2001:db8:a::53", 8080)), "{}\n{}", bed.log(), servers.log());
    assert!(!open(&outside, "2001:db8:a::53", 8081));

    bed.router.run("nft flush ruleset");
    assert!(wait_until(SOON, || !open(&outside, "2001:db8:a::53", 8081)), "it does not heal:\n{}", bed.log());
    assert!(open(&outside, "2001:db8:a::53", 8080));

    bed.configure(&config("2001:db8:b::/56"));
    assert!(bed.oasis6("reload").status.success());
    assert!(wait_until(SOON, || open(&outside, "2001:db8:b::53", 8080)), "{}", bed.log());
    assert!(!open(&outside, "2001:db8:b::53", 8081) && !open(&outside, "2001:db8:a::53", 8080));
    let told = host.output("ping -6 -c 1 -W 1 -I 2001:db8:a::53 2001:db8:9::1");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("code 5") || told.contains("Source address failed"), "{told}");
    drop(closed);

    bed.kill();
    bed.start();
    assert!(wait_until(SOON, || open(&outside, "2001:db8:b::53", 8080)), "{}", bed.log());
    assert!(!open(&outside, "2001:db8:b::53", 8081));
    bed.daemon().signal(Signal::SIGTERM);
    assert!(bed.daemon().ended(SOON).is_some());
    assert!(bed.oasis6("withdraw").status.success());
    assert_eq!(bed.router.run("nft list tables"), "");
}

//! Devices come and go; oasis6 follows without a restart.

use super::bed::{Bed, SOON};
use super::netns::{Namespace, ready, wait_until};

const LAN: &str = "config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\nconfig lan 'lan'\n\toption device 'eth1'\n\toption ra_min_interval '3'\n\toption ra_max_interval '4'\n";

/// Plugs eth1 of the router into a host.
fn plug(bed: &Bed) -> Namespace {
    let host = Namespace::new("host");
    bed.router.wire("eth1", &host, "eth0");
    host
}

/// Whether the host numbered itself from both prefixes, which shows that the router serves it.
fn served(host: &Namespace) -> bool {
    wait_until(SOON, || host.addresses("eth0").len() == 2)
}

#[test]
fn a_device_may_be_absent_appear_vanish_and_come_back() {
    if !ready(&[]) {
        return;
    }
    let bed = Bed::serving(LAN);
    let status = bed.ask("status");
    assert_eq!(status["lans"][0]["state"], "waiting", "{status}");
    assert!(status["lans"][0]["why"].to_string().contains("eth1"), "{status}");

    let host = plug(&bed);
    assert!(served(&host), "after it appeared:\n{}", bed.log());
    let before = host.run("ip -6 route show dev eth0 proto kernel");
    bed.router.run("ip link del eth1");
    drop(host);
    assert!(wait_until(SOON, || bed.ask("status")["lans"][0]["state"] == "waiting"), "{}", bed.log());

    let host = plug(&bed);
    assert!(served(&host), "after it came back:\n{}", bed.log());
    assert!(wait_until(SOON, || bed.ask("status")["lans"][0]["state"] == "serving"), "{}", bed.log());
    let prefixes = |text: &str| -> Vec<String> {
        let mut found: Vec<_> = text.lines().filter_map(|l| l.split_whitespace().next()).map(str::to_owned).collect();
        found.sort();
        found
    };
    let after = host.run("ip -6 route show dev eth0 proto kernel");
    assert_eq!(prefixes(&after), prefixes(&before), "it has other prefixes than before");
}

#[test]
fn a_device_may_get_its_name_later() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let host = Namespace::new("host");
    bed.router.wire("early", &host, "eth0");
    bed.configure(LAN);
    bed.start();
    assert_eq!(bed.ask("status")["lans"][0]["state"], "waiting");
    bed.router.run("ip link set early down && ip link set early name eth1 && ip link set eth1 up");
    assert!(served(&host), "after it got its name:\n{}", bed.log());
    bed.router.run("ip link set eth1 down && ip link set eth1 name late && ip link set late up");
    assert!(wait_until(SOON, || bed.ask("status")["lans"][0]["state"] == "waiting"), "{}", bed.log());
    assert!(wait_until(SOON, || bed.router.addresses("late").is_empty()), "{:?}", bed.router.addresses("late"));
}

#[test]
fn a_device_may_change_its_mac_address() {
    if !ready(&["rdisc6"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = plug(&bed);
    bed.configure(LAN);
    bed.start();
    assert!(served(&host), "{}", bed.log());
    bed.router.run("ip link set eth1 down && ip link set eth1 address 02:00:00:00:be:ef && ip link set eth1 up");
    let announced = || host.output("rdisc6 -1 -w 1000 eth0");
    let new = || String::from_utf8_lossy(&announced().stdout).to_uppercase().contains("02:00:00:00:BE:EF");
    assert!(wait_until(SOON, new), "{}", String::from_utf8_lossy(&announced().stdout));
    assert!(wait_until(SOON, || bed.router.addresses("eth1").len() == 2), "{:?}", bed.router.addresses("eth1"));
    let router = bed.router.addresses("eth1").remove(0);
    assert!(wait_until(SOON, || host.holds(&format!("ping -6 -c 1 -W 1 {router}"))), "no ping to {router}");
}

#[test]
fn ipv6_that_is_switched_off_on_a_device_is_said_and_followed() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let host = plug(&bed);
    bed.router.run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1");
    bed.configure(LAN);
    bed.start();
    let said = || bed.ask("status").to_string().contains("disable_ipv6");
    assert!(wait_until(SOON, said), "{}", bed.ask("status"));
    bed.router.run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0");
    assert!(served(&host), "after it was switched on:\n{}", bed.log());
    assert!(!said(), "{}", bed.ask("status"));
}

#[test]
fn an_address_that_somebody_else_has_is_shown() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let host = plug(&bed);
    bed.router.run("sysctl -qw net.ipv6.conf.eth1.accept_dad=1 net.ipv6.conf.eth1.dad_transmits=1");
    host.run("ip -6 addr add fd00:6bed::1/64 dev eth0 nodad && ip -6 addr add fd00:6bed:0:1::1/64 dev eth0 nodad");
    bed.configure(LAN);
    bed.start();
    let said = || {
        let status = bed.ask("status").to_string();
        status.contains("another host") && status.contains("fd00:6bed:")
    };
    assert!(wait_until(SOON, said), "{}", bed.ask("status"));
}

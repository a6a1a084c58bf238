use crate::bed::{Bed, address, answers, device, index, reaches, run, sit};
use oasis6::plan::{Device, Key, Objects, RouteTarget, Sit, SixRd, Value};
use std::process::Command;

/// Whether `to` here answers a ping that the far end sends with this source.
fn pinged_from(bed: &Bed, source: &str, to: &str) -> bool {
    let words = ["-6", "-q", "-c1", "-W2", "-I", source, to];
    bed.there.run(|| Command::new("ping").args(words).output().unwrap().status.success())
}

fn far_end(bed: &Bed, commands: &[&str]) {
    bed.there.run(|| commands.iter().for_each(|command| drop(run(command))));
}

// MUST RFC 4213 §4: packets from an IPv4 address that is not the tunnel's other end are dropped
#[test]
fn a_6in4_tunnel_carries_traffic_to_a_plain_linux_tunnel_changes_and_goes() {
    let Some(mut bed) = Bed::new() else { return };
    let wanted = Objects::from([device("o6-six", Device::Sit(sit(Some("192.0.2.2"))))]);
    bed.reach(&wanted);
    assert!(run("ip link show dev o6-six").contains(",UP,LOWER_UP"), "it is up at once");
    far_end(
        &bed,
        &[
            "ip tunnel add t0 mode sit local 192.0.2.2 remote 192.0.2.1",
            "ip tunnel add t1 mode sit local 192.0.2.3 remote 192.0.2.1",
            "ip link set t0 up",
            "ip address add 2001:db8:6::1/64 dev t0",
            "ip route add 2001:db8:6:f::/64 dev t0",
        ],
    );
    let prefix = "2001:db8:6:f::/64".parse().unwrap();
    let route = Key::Route { table: 254, dst: "2000::/3".parse().unwrap(), src: prefix, metric: 1024 };
    let target = Value::Route(RouteTarget::OnLink { link: index("o6-six") });
    let mut wanted: Objects = wanted;
    wanted.extend([address("o6-six", "2001:db8:6::2", 64), (route, target)]);
    bed.reach(&wanted);
    reaches("2001:db8:6::1");
    reaches(&format!("{}%o6-six", Sit::link_local([192, 0, 2, 2].into())));

    // other parameters of the same device, which keeps its addresses
    let before = index("o6-six");
    let other = Sit { ttl: 32, mtu: Some(1280), ..sit(Some("192.0.2.3")) };
    wanted.extend([device("o6-six", Device::Sit(other))]);
    assert_eq!(bed.diff(&wanted).len(), 1);
    bed.reach(&wanted);
    assert_eq!(index("o6-six"), before);
    let shown = run("ip -d link show dev o6-six");
    assert!(shown.contains("mtu 1280") && shown.contains("remote 192.0.2.3") && shown.contains("ttl 32"), "{shown}");
    far_end(
        &bed,
        &["ip address del 2001:db8:6::1/64 dev t0", "ip link set t1 up", "ip address add 2001:db8:6::1/64 dev t1"],
    );
    reaches("2001:db8:6::1");

    // whoever is not the remote end is not listened to
    far_end(&bed, &["ip address del 2001:db8:6::1/64 dev t1", "ip address add 2001:db8:6::1/64 dev t0"]);
    assert!(!answers("2001:db8:6::1"));

    bed.reach(&Objects::new());
    assert!(!run("ip link").contains("o6-"));
}

#[test]
fn a_6to4_device_reaches_another_6to4_router() {
    let Some(mut bed) = Bed::new() else { return };
    let mut wanted = Objects::from([device("o6-6to4", Device::Sit(sit(None)))]);
    bed.reach(&wanted);
    wanted.extend([address("o6-6to4", "2002:c000:201::1", 16)]);
    bed.reach(&wanted);
    far_end(
        &bed,
        &[
            "ip tunnel add t0 mode sit remote any local 192.0.2.2 ttl 64",
            "ip link set t0 up",
            "ip address add 2002:c000:202::1/16 dev t0",
        ],
    );
    reaches("2002:c000:202::1");
    // an inner source that belongs to another outer one is dropped (RFC 3964 §5.1.1), by the kernel itself
    far_end(&bed, &["ip address add 2002:c000:203::1/128 dev t0"]);
    assert!(pinged_from(&bed, "2002:c000:202::1", "2002:c000:201::1"));
    assert!(!pinged_from(&bed, "2002:c000:203::1", "2002:c000:201::1"));
    bed.reach(&Objects::new());
}

// MUST RFC 5969 §9.2: a packet whose IPv6 source embeds another IPv4 address than its IPv4 source is dropped
#[test]
fn a_6rd_device_reaches_the_relay_and_other_sites_and_takes_other_parameters() {
    let Some(mut bed) = Bed::new() else { return };
    let sixrd =
        SixRd { prefix: "2001:db8:6d00::/40".parse().unwrap(), relay_prefix: ("192.0.0.0".parse().unwrap(), 8) };
    let rd = |sixrd| device("o6-rd", Device::Sit(Sit { sixrd: Some(sixrd), ..sit(None) }));
    let mut wanted =
        Objects::from([rd(SixRd { relay_prefix: ([0, 0, 0, 0].into(), 0), prefix: "2001:db8::/32".parse().unwrap() })]);
    bed.reach(&wanted);
    wanted.extend([rd(sixrd)]);
    assert_eq!(bed.diff(&wanted).len(), 1);
    bed.reach(&wanted);
    // 192.0.2.1 without its first 8 bits
    wanted.extend([address("o6-rd", "2001:db8:6d00:201::1", 40)]);
    bed.reach(&wanted);
    far_end(
        &bed,
        &[
            "ip tunnel add t0 mode sit remote any local 192.0.2.2 ttl 64",
            "ip tunnel 6rd dev t0 6rd-prefix 2001:db8:6d00::/40 6rd-relay_prefix 192.0.0.0/8",
            "ip link set t0 up",
            "ip address add 2001:db8:6d00:202::1/40 dev t0",
            "ip link add name inner type dummy",
            "ip link set inner up",
            "ip address add 2001:db8:ffff::1/64 dev inner",
        ],
    );
    reaches("2001:db8:6d00:202::1");
    far_end(&bed, &["ip address add 2001:db8:6d00:203::1/128 dev t0"]);
    assert!(pinged_from(&bed, "2001:db8:6d00:202::1", "2001:db8:6d00:201::1"));
    assert!(!pinged_from(&bed, "2001:db8:6d00:203::1", "2001:db8:6d00:201::1"));
    // the rest of the world lies behind the relay, whose address is the next hop (RFC 5969 §7.1.1 and sit.c)
    let source = "2001:db8:6d00:201::/64".parse().unwrap();
    let route = Key::Route { table: 254, dst: oasis6::net::Prefix::ALL, src: source, metric: 1024 };
    let relay = RouteTarget::Via { link: index("o6-rd"), gateway: "::192.0.2.2".parse().unwrap() };
    wanted.insert(route, Value::Route(relay));
    bed.reach(&wanted);
    reaches("2001:db8:ffff::1");
    bed.reach(&Objects::new());
    assert!(!run("ip link").contains("o6-"));
}

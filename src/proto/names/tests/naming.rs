use super::*;
use proptest::prelude::*;

const ROUTER: &str = "openwrt.lan: 2001:db8:1:a::1 fd00:1:2:a::1";

#[test]
fn the_router_is_named_with_its_addresses_on_every_lan() {
    let mut world = World::new("");
    assert_eq!(world.names(), [ROUTER]);
    world.hostname = "gate.example.org".into();
    world.lans.push(lan("guest", "lan", &["2001:db8:1:b::/64"]));
    assert_eq!(world.names(), ["gate.lan: 2001:db8:1:a::1 2001:db8:1:b::1 fd00:1:2:a::1"]);
    world.hostname = "_".into();
    assert!(world.names()[0].starts_with("router.lan: "));
}

#[test]
fn every_source_names_its_hosts() {
    let mut world = World::new(
        "config host nas\n list mac 02:00:5e:00:53:01\n option name Nas\n list alias files\n option host_id ::77\n\
         config host printer\n list duid 0004aabbcc\n option name printer.lan\n\
         config uplink vpn\n option type wireguard\n option endpoint a:1\n option peer_name office\n\
         option peer_key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n list allowed_ips 'fd77::5/128 fd77:1::/48'\n",
    );
    world.lans[0].networks = vec![("192.168.1.1".parse().unwrap(), 24)];
    let printer = Binding { client: "0004aabbcc".parse().unwrap(), ..binding(0, "2001:db8:1:a::1001", "HP-4711") };
    let registered = Binding { state: State::Registered, ..binding(4, "2001:db8:1:a:1:2:3:4", "phone.example") };
    let declined = Binding { state: State::Declined, ..binding(5, "2001:db8:1:a::1003", "declined") };
    world.bindings = vec![printer, binding(3, "fd00:1:2:a::1002", "laptop"), registered, declined];
    world.leases4 = vec![lease4(6, "192.168.1.106", "Tv Set"), lease4(1, "192.168.1.101", "synology")];
    assert_eq!(
        world.names(),
        [
            "files.lan: 192.168.1.101 2001:db8:1:a::77 fd00:1:2:a::77",
            "laptop.lan: fd00:1:2:a::1002",
            "nas.lan: 192.168.1.101 2001:db8:1:a::77 fd00:1:2:a::77",
            "office.lan: fd77::5",
            ROUTER,
            "phone.lan: 2001:db8:1:a:1:2:3:4",
            "printer.lan: 2001:db8:1:a::1001",
            "tv-set.lan: 192.168.1.106",
        ]
    );
    let sources: Vec<_> = world.names.entries().iter().map(|entry| entry.source).collect();
    use Source::*;
    assert_eq!(sources, [Host, Dhcp6, Host, Peer, Router, Registered, Host, Dhcp4]);
}

#[test]
fn a_client_with_a_reservation_comes_before_one_without() {
    let mut world = World::new("config host\n list mac 02:00:5e:00:53:09\n option host_id ::9\n");
    world.bindings = vec![binding(1, "2001:db8:1:a::1001", "pc"), binding(9, "2001:db8:1:a::9", "pc")];
    assert_eq!(world.of("pc.lan"), "2001:db8:1:a::9 fd00:1:2:a::9");
    assert_eq!(world.of("pc-2.lan"), "2001:db8:1:a::1001");
}

#[test]
fn what_belongs_to_one_device_has_one_name() {
    let mut world = World::new("");
    let uuid: Duid = "0004ffeeddcc".parse().unwrap();
    let own = "fe80::9".parse().unwrap();
    // its DUID tells no MAC address; the neighbours do, by the address that it asks from
    world.bindings = vec![Binding { client: uuid, via: own, ..binding(0, "2001:db8:1:a::1001", "laptop") }];
    world.lans[0].networks = vec![("192.168.1.1".parse().unwrap(), 24)];
    world.leases4 = vec![lease4(7, "192.168.1.107", "LAPTOP")];
    assert_eq!(
        (world.of("laptop.lan"), world.of("laptop-2.lan")),
        ("2001:db8:1:a::1001".into(), "192.168.1.107".into())
    );
    let eui64 = "2001:db8:1:a:0:5eff:fe00:5307";
    assert!(world.names.heard("lan", &[(own, mac(7)), (eui64.parse().unwrap(), mac(7))], world.now));
    let all = format!("192.168.1.107 {eui64} 2001:db8:1:a::1001 fd00:1:2:a:0:5eff:fe00:5307");
    let mut sorted: Vec<IpAddr> = all.split(' ').map(|addr| addr.parse().unwrap()).collect();
    sorted.sort_unstable();
    let all = sorted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!((world.of("laptop.lan"), world.of("laptop-2.lan")), (all, "nobody".into()));
}

#[test]
fn of_two_that_want_a_name_the_first_keeps_it_and_the_second_gets_a_suffix() {
    let mut world = World::new("");
    world.bindings = vec![binding(5, "2001:db8:1:a::1005", "pc")];
    assert_eq!(world.of("pc.lan"), "2001:db8:1:a::1005");
    world.bindings.insert(0, binding(1, "2001:db8:1:a::1001", "pc"));
    assert_eq!(world.of("pc.lan"), "2001:db8:1:a::1005");
    assert_eq!(world.of("pc-2.lan"), "2001:db8:1:a::1001");
    let entry = world.names.entries().iter().find(|entry| entry.name == "pc-2").unwrap();
    assert_eq!(entry.wanted.as_deref(), Some("pc"));
    // a third, with a smaller MAC address than the second
    world.bindings.insert(0, binding(0, "2001:db8:1:a::1000", "PC"));
    assert_eq!(
        (world.of("pc-2.lan"), world.of("pc-3.lan")),
        ("2001:db8:1:a::1001".into(), "2001:db8:1:a::1000".into())
    );
    // without memory, as after a restart, the smallest comes first
    world.names = Names::new();
    assert_eq!((world.of("pc.lan"), world.of("pc-3.lan")), ("2001:db8:1:a::1000".into(), "2001:db8:1:a::1005".into()));
    // whoever goes leaves the name to the others
    world.bindings.remove(0);
    assert_eq!((world.of("pc.lan"), world.of("pc-3.lan")), ("2001:db8:1:a::1001".into(), "2001:db8:1:a::1005".into()));
}

#[test]
fn the_owners_word_takes_a_name_from_whoever_has_it() {
    let mut world = World::new("config host\n list mac 02:00:5e:00:53:09\n option name pc\n option host_id ::9\n");
    let hosts = std::mem::take(&mut world.config.hosts);
    world.bindings = vec![binding(5, "2001:db8:1:a::1005", "pc")];
    assert_eq!(world.of("pc.lan"), "2001:db8:1:a::1005");
    world.config.hosts = hosts;
    assert_eq!(world.of("pc.lan"), "2001:db8:1:a::9 fd00:1:2:a::9");
    assert_eq!(world.of("pc-2.lan"), "2001:db8:1:a::1005");
}

// MUST RFC 6761 §6.3: localhost is nobody's name but the loopback's
#[test]
fn names_that_nobody_may_claim_are_refused_and_counted_once() {
    let mut world = World::new("list public_zone office.lan\n");
    let names = ["wpad", "isatap", "localhost", "openwrt", "OpenWrt.example", "office", "日本", "fine"];
    world.bindings = names
        .iter()
        .zip(0..)
        .map(|(name, number)| binding(number, &format!("2001:db8:1:a::100{number}"), name))
        .collect();
    for _ in 0..3 {
        assert_eq!(world.names(), ["fine.lan: 2001:db8:1:a::1007", ROUTER]);
        assert_eq!(world.refused(), [("no name", 1), ("reserved", 3), ("the router's", 2), ("a domain", 1)]);
    }
}

#[test]
fn lans_with_domains_have_their_own_names() {
    let mut world = World::new("");
    world.lans.push(lan("office", "office.lan", &["2001:db8:1:b::/64"]));
    let there = |binding: Binding| Binding { lan: "office".into(), ..binding };
    world.bindings = vec![binding(1, "2001:db8:1:a::1001", "pc"), there(binding(2, "2001:db8:1:b::1001", "pc"))];
    assert_eq!(
        world.names(),
        [
            "openwrt.lan: 2001:db8:1:a::1 2001:db8:1:b::1 fd00:1:2:a::1",
            "pc.lan: 2001:db8:1:a::1001",
            "openwrt.office.lan: 2001:db8:1:b::1",
            "pc.office.lan: 2001:db8:1:b::1001",
        ]
    );
    world.config.domain = String::new();
    world.lans[0].domain = String::new();
    assert_eq!(world.names().len(), 2, "no domain, no names");
}

#[test]
fn names_of_the_router_that_are_addresses_are_in_its_domain() {
    let mut world = World::new("");
    let addr: Ipv6Addr = "2001:db8:1:a:1:2:3:4".parse().unwrap();
    world.hashed = [("me.lan", addr), ("me.example", addr)].map(|(name, addr)| (name.to_owned(), vec![addr])).into();
    world.bindings = vec![binding(1, "2001:db8:1:a::1001", "me")];
    assert_eq!(world.names(), ["me.lan: 2001:db8:1:a:1:2:3:4", ROUTER]);
    assert_eq!(world.refused(), [("the router's", 1)]);
}

#[test]
fn names_are_bounded() {
    let mut world = World::new("");
    world.bindings = (0..MAX_NAMES + 10)
        .map(|number| Binding {
            client: format!("0004aa{number:08x}").parse().unwrap(),
            ..binding(0, &format!("2001:db8:1:a::{:x}", 0x1000 + number), &format!("h{number}"))
        })
        .collect();
    assert_eq!(world.names().len(), MAX_NAMES);
    assert_eq!(world.refused(), [("too many", 11)]);
    for binding in &mut world.bindings {
        binding.hostname = "same".into();
    }
    assert_eq!(world.names().len(), 1 + 16, "one name, and suffixes up to 16");
}

proptest! {
    /// Whatever hosts say: nobody has two names, no name has two, and all of them are good labels in live prefixes.
    #[test]
    fn names_are_clean_and_nobodys_twice(
        said in prop::collection::vec((0..6u8, "[a-zA-Z.é_' -]{0,8}|wpad|openwrt|pc|pc-2", 0..3u8), 0..20),
    ) {
        let mut world = World::new("");
        for (number, name, subnet) in said {
            let subnet = [GUA, ULA, "2001:db8:9::/64"][usize::from(subnet)].trim_end_matches("/64");
            let addr = format!("{subnet}10{:02x}", world.bindings.len());
            world.bindings.push(binding(number, &addr, &name));
            world.update();
            let mut whose = BTreeSet::new();
            for entry in world.names.entries() {
                prop_assert!(!entry.addresses.is_empty());
                prop_assert!(whose.insert(entry.who.clone()), "{entry:?}");
                prop_assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!entry.name.starts_with('-') && !entry.name.ends_with('-') && entry.name != "wpad");
                prop_assert!((entry.name == "openwrt") == (entry.who == Who::Router));
                let live = |addr: &IpAddr| match addr {
                    IpAddr::V6(addr) => world.lans[0].prefixes.iter().any(|prefix| prefix.contains(*addr)),
                    IpAddr::V4(_) => false,
                };
                prop_assert!(entry.addresses.iter().all(live), "{entry:?}");
            }
        }
    }
}

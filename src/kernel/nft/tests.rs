use super::text::{self, Firewall4, Found};
use crate::config::Protocol;
use crate::net::{FlatMap, FlatSet, Prefix};
use crate::plan::guard::{Guard, Guarded, GuardedUplink, Hole, guard};
use std::path::Path;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn names(names: &[&str]) -> FlatSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn uplink(device: &str, sources: &[&str]) -> GuardedUplink {
    let sources = sources.iter().map(|source| prefix(source)).collect();
    GuardedUplink { device: device.into(), live: true, sources, ..GuardedUplink::default() }
}

fn guarded() -> Guarded {
    let hole = |host: &str, protocols: &[Protocol], ports: &[(u16, u16)], from: &[&str]| Hole {
        host: host.into(),
        protocols: protocols.to_vec(),
        ports: ports.to_vec(),
        from: from.iter().map(|from| prefix(from)).collect(),
    };
    let addresses = |all: &[&str]| all.iter().map(|addr| addr.parse().unwrap()).collect::<FlatSet<_>>();
    Guarded {
        lans: names(&["br-guest", "br-lan"]),
        inside: vec![prefix("2001:db8:a::/64"), prefix("fd00:6bed::/48")],
        holes: vec![
            hole("nas", &[Protocol::Tcp, Protocol::Udp], &[(443, 443), (8000, 8010)], &["2001:db8:77::/48"]),
            hole("id_lan_53", &[Protocol::All], &[], &[]),
            hole("printer", &[Protocol::Tcp], &[], &[]),
        ],
        hosts: FlatMap::from([
            ("asked".to_owned(), addresses(&["2001:db8:a::5"])),
            ("id_lan_53".to_owned(), addresses(&["2001:db8:a::53", "2001:db8:b::53"])),
            ("nas".to_owned(), addresses(&["2001:db8:a::10"])),
            ("printer".to_owned(), addresses(&[])),
        ]),
        firewall4: false,
    }
}

fn whole(firewall4: bool) -> Guard {
    let native = uplink("wan0", &["2001:db8:a::/56", "2001:db8:ffff::2/128", "2001:db8:a:1::/64"]);
    let sixto4 = GuardedUplink { six_to_four: true, ..uplink("o6-six", &["2002:c633:6401::/48"]) };
    let down = GuardedUplink { live: false, ..uplink("o6-hub", &["2001:db8:b::/56"]) };
    let nat = GuardedUplink {
        translations: vec![
            (prefix("fd00:6bed::/64"), None),
            (prefix("fd00:6bed:0:1::/64"), Some(prefix("2001:db8:c::/64"))),
        ],
        ..uplink("wlan0", &["2001:db8:d::7/128"])
    };
    guard(&[native, sixto4, down, nat], Guarded { firewall4, ..guarded() }).unwrap()
}

/// Compares with a file beside this one; `UPDATE=1` writes it.
fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel/nft/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "differs from {}; UPDATE=1 writes it", file.display());
}

fn owners_sets() -> Firewall4 {
    Firewall4 { chain: true, hosts: FlatMap::from([("asked".to_owned(), false), ("old".to_owned(), true)]) }
}

#[test]
fn the_table_is_as_it_was_read_by_a_person() {
    golden("own.nft", &text::whole(&whole(false)));
    golden("strays.nft", &text::strays(&whole(false), |device| device != "br-guest").1);
}

#[test]
fn beside_firewall4_our_table_guards_no_lan_and_pinholes_are_its_elements() {
    golden("beside-firewall4.nft", &text::whole(&whole(true)));
    golden("in-firewall4.nft", &text::firewall4(&whole(true), &owners_sets()));
}

#[test]
fn a_change_of_addresses_is_a_change_of_elements() {
    let before = whole(false);
    let mut after = before.clone();
    after.hosts.insert("nas".into(), ["2001:db8:b::10".parse().unwrap()].into());
    after.inside.insert(prefix("2001:db8:b::/64"));
    golden("update.nft", &text::update(&before, &after).unwrap());
    assert_ne!(text::fingerprint(&before), text::fingerprint(&after));
    assert_eq!(text::update(&before, &before.clone()).unwrap().lines().count(), 2, "only the state is written again");
}

#[test]
fn another_pinhole_or_mode_is_a_new_table() {
    let before = whole(false);
    let mut after = before.clone();
    after.holes.pop();
    assert_eq!(text::update(&before, &after), None);
    assert_eq!(text::update(&before, &whole(true)), None);
    assert_eq!(text::update(&before, &Guard::default()), None);
}

#[test]
fn what_is_removed_is_ours() {
    let mut found = Found { table: true, firewall4: Some(owners_sets()), ..Found::default() };
    assert_eq!(
        text::removal(&found),
        "delete table inet oasis6\nflush chain inet fw4 oasis6_pinholes\nflush set inet fw4 o6_asked\ndelete set inet fw4 o6_old\n"
    );
    found = Found::default();
    assert_eq!(text::removal(&found), "");
}

#[test]
fn names_that_nft_would_take_for_something_else_are_left_out() {
    for name in ["", "a\"b", "eth*", "a b", "a\\"] {
        let guard = guard(&[uplink(name, &["2001:db8::/48"])], guarded()).unwrap();
        assert!(!text::whole(&guard).contains("2001:db8::/48\""), "{name}");
        assert!(text::whole(&guard).contains("set uplinks {\n\t\ttype ifname\n\t}"), "{name}");
    }
}

#[test]
fn listings_are_read() {
    let listing = "table inet fw4 {
	set o6_nas {
		type ipv6_addr
		comment \"oasis6\"
	}

	set o6_tv {
		type ipv6_addr
		comment \"the owner's\"
	}

	set other {
		type ipv6_addr
		comment \"oasis6\"
	}

	chain oasis6_pinholes {
		iifname != \"wan\" return
	}
}
";
    let found = text::read_firewall4(listing);
    assert!(found.chain);
    assert_eq!(found.hosts, FlatMap::from([("nas".to_owned(), true), ("tv".to_owned(), false)]));
    assert!(!text::read_firewall4("").chain);
    assert!(text::has_table("table ip nat\ntable inet oasis6\n", "inet oasis6"));
    assert!(!text::has_table("table inet oasis66\n", "inet oasis6"));
    let state = "\tset state {\n\t\ttype ipv6_addr\n\t\telements = { fc12::7 }\n\t}\n";
    assert_eq!(text::read_state(state), Some("fc12::7".parse().unwrap()));
    assert_eq!(text::read_state("set state {"), None);
    assert_eq!(text::read_mark("return comment \"oasis6 fc12::7\""), Some("fc12::7".parse().unwrap()));
}

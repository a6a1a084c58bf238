//! The packet filter as the kernel keeps it.

use crate::namespace::{Namespace, block_on, eventually};
use crate::skip::skip;
use oasis6::config::Protocol;
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::LinuxKernel;
use oasis6::kernel::nft::{Nft, Watch};
use oasis6::net::{FlatMap, FlatSet};
use oasis6::plan::guard::{Guard, Guarded, GuardedUplink, Hole, guard};
use oasis6::plan::{Key, Op, Value, diff};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// What OpenWrt's firewall4 has, as far as it matters here, with the file that our package brings.
const FIREWALL4: &str = "
table inet fw4
flush table inet fw4
table inet fw4 {
	set o6_tv { type ipv6_addr; comment \"the owner's\"
	}
	set many { type ipv6_addr; elements = { 2001:db8::1 }
	}
	chain forward { type filter hook forward priority filter; policy drop;
		jump oasis6_pinholes
		ip6 daddr @o6_tv accept
	}
	chain oasis6_pinholes {
	}
}
";

fn nft(script: &str) -> String {
    let mut command = Command::new("nft");
    command.args(["-s", "-n"]).args(script.split(' ')).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    let output = command.output().expect("nft runs");
    assert!(output.status.success(), "nft {script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn load(text: &str) {
    let file =
        std::env::temp_dir().join(format!("oasis6-{}-{:?}.nft", std::process::id(), std::thread::current().id()));
    std::fs::write(&file, text).unwrap();
    nft(&format!("-f {}", file.display()));
    std::fs::remove_file(&file).unwrap();
}

/// A namespace of its own, where there is nftables.
fn enter() -> Option<Namespace> {
    let namespace = Namespace::enter()?;
    if Command::new("/usr/sbin/nft").args(["list", "tables"]).output().is_ok_and(|output| output.status.success()) {
        return Some(namespace);
    }
    skip("no nftables");
    None
}

fn example(firewall4: bool, nas: &[&str]) -> Arc<Guard> {
    let set = |all: &[&str]| all.iter().map(|addr| addr.parse().unwrap()).collect::<FlatSet<_>>();
    let uplink = |device: &str, source: &str| GuardedUplink {
        device: device.into(),
        live: true,
        sources: vec![source.parse().unwrap()],
        six_to_four: device == "o6-six",
        translations: vec![
            ("fd00:1::/64".parse().unwrap(), None),
            ("fd00:2::/64".parse().unwrap(), Some("2001:db8:f::/64".parse().unwrap())),
        ],
    };
    let hole = |host: &str, ports: &[(u16, u16)]| Hole {
        host: host.into(),
        protocols: if ports.is_empty() { vec![Protocol::All] } else { vec![Protocol::Tcp, Protocol::Udp] },
        ports: ports.to_vec(),
        from: vec!["2001:db8:77::/48".parse().unwrap()],
    };
    let guarded = Guarded {
        lans: ["br-lan".to_owned()].into(),
        inside: vec!["fd00:1::/64".parse().unwrap(), "2001:db8:a::/64".parse().unwrap()],
        holes: vec![hole("nas", &[(80, 80), (443, 500)]), hole("all", &[])],
        hosts: FlatMap::from([
            ("nas".to_owned(), set(nas)),
            ("all".to_owned(), set(&[])),
            ("tv".to_owned(), set(&["2001:db8:a::7"])),
        ]),
        firewall4,
    };
    Arc::new(guard(&[uplink("wan0", "2001:db8:a::/56"), uplink("o6-six", "2002:102:304::/48")], guarded).unwrap())
}

#[test]
fn the_guard_is_put_read_adopted_changed_and_removed() {
    let Some(_namespace) = enter() else { return };
    load("table inet theirs {\n\tchain x {\n\t}\n}\n");
    let mut nft_ = Nft::default();
    assert_eq!(nft_.read().guard, None);
    let first = example(false, &["2001:db8:a::10"]);
    nft_.put(&first).unwrap();
    assert_eq!(nft_.read().guard.as_ref(), Some(&first));
    let before = nft("-a list table inet oasis6");

    // a new process knows it again and writes nothing
    let mut later = Nft::default();
    assert_eq!(later.read().guard, Some(Arc::default()), "nobody knows yet what it is");
    later.put(&first).unwrap();
    assert_eq!(later.read().guard.as_ref(), Some(&first));
    assert_eq!(nft("-a list table inet oasis6"), before, "handles show that it is the same");

    // addresses change by elements: the chains' rules keep their handles
    let second = example(false, &["2001:db8:b::10", "2001:db8:b::11"]);
    later.put(&second).unwrap();
    let after = nft("-a list table inet oasis6");
    assert!(after.contains("2001:db8:b::11") && !after.contains("2001:db8:a::10"), "{after}");
    let chains = |text: &str| text.split_once("chain ").unwrap().1.to_owned();
    assert_eq!(chains(&after), chains(&before));
    assert_eq!(later.read().guard, Some(second));

    later.remove().unwrap();
    assert_eq!(later.read().guard, None);
    assert_eq!(nft("list tables"), "table inet theirs\n");
}

#[test]
fn what_somebody_did_to_our_table_is_noticed_and_healed() {
    let Some(_namespace) = enter() else { return };
    let wanted = example(false, &["2001:db8:a::10"]);
    let objects = BTreeMap::from([(Key::Guard, Value::Guard(wanted.clone()))]);
    let mut kernel = LinuxKernel::open().unwrap();
    for harm in [
        "flush ruleset",
        "delete table inet oasis6",
        "flush chain inet oasis6 uninvited",
        "flush set inet oasis6 o6_nas",
    ] {
        let ops = diff(&objects, &kernel.read().unwrap());
        assert_eq!(ops, [Op::Put(Key::Guard, Value::Guard(wanted.clone()))], "before: {harm}");
        assert_eq!(kernel.apply(&ops), [Ok(())]);
        assert_eq!(diff(&objects, &kernel.read().unwrap()), []);
        nft(harm);
    }
}

#[test]
fn beside_firewall4_pinholes_are_its_elements_and_come_back_after_a_reload() {
    let Some(_namespace) = enter() else { return };
    load(FIREWALL4);
    let wanted = example(true, &["2001:db8:a::10"]);
    let objects = BTreeMap::from([(Key::Guard, Value::Guard(wanted.clone()))]);
    let mut kernel = LinuxKernel::open().unwrap();
    // what `fw4 reload` begins with, and what `fw4 restart` does
    for again in ["flush table inet fw4", "delete table inet fw4"] {
        let actual = kernel.read().unwrap();
        assert_eq!(actual.filter.firewall4, Some(["tv".to_owned()].into()), "the owner's set is known");
        let ops = diff(&objects, &actual);
        assert_eq!(kernel.apply(&ops), [Ok(())]);
        assert_eq!(diff(&objects, &kernel.read().unwrap()), []);
        let there = nft("list table inet fw4");
        assert!(there.contains("2001:db8:a::7") && there.contains("2001:db8:a::10"), "{there}");
        assert!(there.contains("th dport"), "{there}");
        nft(again);
        load(FIREWALL4);
        assert!(!nft("list table inet fw4").contains("th dport"));
    }
    let ops = diff(&objects, &kernel.read().unwrap());
    kernel.apply(&ops);
    // a new process writes nothing
    let before = nft("-a list ruleset");
    let mut later = LinuxKernel::open().unwrap();
    let ops = diff(&objects, &later.read().unwrap());
    assert_eq!(later.apply(&ops), [Ok(())]);
    assert_eq!(nft("-a list ruleset"), before);
    // another address
    let moved = example(true, &["2001:db8:b::10"]);
    assert_eq!(later.apply(&[Op::Put(Key::Guard, Value::Guard(moved.clone()))]), [Ok(())]);
    assert_eq!(later.read().unwrap().filter.guard, Some(moved));
    // and away: their table is as they loaded it
    assert_eq!(later.apply(&[Op::Delete(Key::Guard, Value::Guard(wanted))]), [Ok(())]);
    let there = nft("list table inet fw4");
    nft("delete table inet fw4");
    load(FIREWALL4);
    assert_eq!(nft("list table inet fw4"), there);
    assert_eq!(nft("list tables"), "table inet fw4\n");
}

#[test]
fn a_change_of_rules_is_heard_of() {
    let Some(_namespace) = enter() else { return };
    block_on(async {
        let mut watch = Watch::open().unwrap();
        let quiet =
            async |watch: &mut Watch| tokio::time::timeout(Duration::from_millis(100), watch.changed()).await.is_err();
        assert!(quiet(&mut watch).await);
        load(FIREWALL4);
        watch.changed().await.unwrap();
        while !quiet(&mut watch).await {}
        nft("delete table inet fw4");
        watch.changed().await.unwrap();
    });
    eventually("nothing is left", || nft("list tables").is_empty());
}

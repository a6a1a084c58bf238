//! When a native uplink shares the /64 of its link.

use super::*;
use crate::plan::Shared;
use crate::wire::nd::{Advertisement, NdOption, Neighbour, PrefixInformation};

const PREFIX: &str = "2001:db8:5:5::/64";

/// A router with an uplink, to whom the network has announced a /64 and answers nothing else.
fn rig(options: &str) -> Rig {
    let mut rig = Rig::new(LAN);
    rig.kernel.add_link("wan", Some(Mac([2, 0, 0, 0, 0, 2])));
    rig.configure(&format!("{LAN}config uplink a\n option type native\n option device wan\n{options}"));
    rig.run(2_000);
    announce(&mut rig, 1800);
    rig
}

fn announce(rig: &mut Rig, preferred: u32) {
    let info = PrefixInformation {
        prefix: PREFIX.parse().unwrap(),
        on_link: true,
        autonomous: true,
        router: None,
        pd_preferred: false,
        valid: 1800,
        preferred,
    };
    let options = vec![NdOption::Prefix(info)];
    let message = Advertisement { router_lifetime: 1800, options, ..Advertisement::default() };
    let bytes = message.encode().unwrap();
    let (link, source) = (wan(rig), "fe80::1".parse().unwrap());
    rig.take(Event::Nd {
        link,
        packet: ra::Event::Packet { source, hop_limit: 255, fragmented: false, bytes: &bytes },
    });
}

fn wan(rig: &Rig) -> u32 {
    rig.kernel.actual().link_named("wan").unwrap().0
}

fn shared(rig: &Rig) -> Option<Shared> {
    rig.router.facts().uplinks["a"].shared.clone()
}

fn own_length(rig: &Rig) -> u8 {
    rig.router.facts().uplinks["a"].addresses[0].1
}

#[test]
fn a_delegation_is_waited_for_ten_seconds_and_then_the_64_is_shared() {
    let mut rig = rig("");
    rig.run(5_000);
    assert_eq!((shared(&rig), own_length(&rig)), (None, 64));
    rig.run(6_000);
    let Some(Shared::Proxy { lan, prefix, hosts, .. }) = shared(&rig) else { panic!("not shared") };
    assert_eq!((lan.as_str(), prefix.to_string().as_str(), hosts.len()), ("home", PREFIX, 0));
    assert_eq!(own_length(&rig), 128);
    let said = rig.router.uplinks(rig.now)["uplinks"][0]["share"].as_str().unwrap().to_owned();
    assert_eq!(said, format!("shares {PREFIX} with lan home by proxy, since nothing was delegated"));
}

#[test]
fn the_owner_says_how_it_is_shared_and_whether() {
    let off = " option request_prefix off\n";
    for (options, expected, words) in [
        (format!("{off} option share off\n"), None, "share` is off"),
        (format!("{off} option share nat\n"), Some("nat"), "by translation"),
        (format!("{off} option share proxy\n"), Some("proxy"), "with lan home by proxy, since no prefix is asked for"),
    ] {
        let mut rig = rig(&options);
        rig.run(500);
        let how = shared(&rig).map(|shared| if shared == Shared::Nat { "nat" } else { "proxy" });
        assert_eq!(how, expected, "{options}");
        let said = rig.router.uplinks(rig.now).to_string();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn hosts_that_are_heard_on_the_lan_are_answered_for_on_the_uplink_as_long_as_the_64_lives() {
    let mut rig = rig(" option request_prefix off\n");
    rig.run(1_000);
    let lan = rig.lan;
    assert_eq!(rig.router.shared_links(), [lan, wan(&rig)].into_iter().collect());
    let host: Ipv6Addr = "2001:db8:5:5::10".parse().unwrap();
    let message = Neighbour { source: host, solicits: true, target: "fe80::1".parse().unwrap(), link: None };
    rig.take(Event::Neighbour { link: lan, message });
    rig.run(1_000);
    let link = wan(&rig);
    assert!(rig.kernel.actual().proxies.contains(&(link, host)));
    // the cable is out for a while: the kernel forgets, we don't
    rig.kernel.set_carrier(link, false);
    rig.run(5_000);
    assert!(rig.kernel.actual().proxies.is_empty());
    rig.kernel.set_carrier(link, true);
    rig.run(5_000);
    assert!(rig.kernel.actual().proxies.contains(&(link, host)));
    rig.run(1_800_000);
    assert_eq!(shared(&rig), None, "nobody announces it any more");
    assert!(rig.kernel.actual().proxies.is_empty());
    assert!(rig.router.shared_links().is_empty());
}

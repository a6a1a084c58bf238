//! Uplinks in a router with a kernel in memory.

use super::super::NetifdFacts;
use crate::net::{FlatMap, Instant, Lifetimes, Until};
use crate::plan::{Change, Link};
use crate::router::tests::Rig;
use crate::router::{Action, Entropy, Event, Router};
use crate::store::Memory;

const NETIFD: &str = "config oasis6\n option enabled 1\nconfig lan home\n option device lan0\n\
                      config uplink isp\n option type netifd\n option interface wan6\n";

fn reason(rig: &Rig) -> String {
    let answer = rig.router.uplinks(rig.now);
    format!("{} {}", answer["uplinks"][0]["state"].as_str().unwrap(), answer["uplinks"][0]["reason"].as_str().unwrap())
}

/// netifd says this of its interface wan6, which is on `wan`.
fn say(rig: &mut Rig, facts: &NetifdFacts) {
    rig.take(Event::Netifd(FlatMap::from([("wan6".to_owned(), facts.clone())])));
    rig.run(200);
}

fn prefix(text: &str, preferred: u64, valid: u64) -> (crate::net::Prefix, Lifetimes) {
    let end = |at| Until::At(Instant(at));
    (text.parse().unwrap(), Lifetimes { preferred: end(preferred), valid: end(valid) })
}

#[test]
fn an_uplink_of_netifds_lives_by_its_word_and_has_no_route_of_ours() {
    let mut rig = Rig::new(NETIFD);
    assert_eq!(reason(&rig), "down netifd has told us nothing yet: its interfaces are known by ubus only");
    rig.take(Event::Netifd(FlatMap::from([("lan".to_owned(), NetifdFacts::default())])));
    rig.run(200);
    assert!(reason(&rig).starts_with("down netifd has no interface wan6"), "{}", reason(&rig));
    let mut facts = NetifdFacts::default();
    say(&mut rig, &facts);
    assert!(reason(&rig).starts_with("down netifd's interface wan6 is down"), "{}", reason(&rig));
    facts.error = "NO_DEVICE".into();
    say(&mut rig, &facts);
    assert_eq!(reason(&rig), "down netifd could not set interface wan6 up: NO_DEVICE");
    facts = NetifdFacts { pending: true, ..NetifdFacts::default() };
    say(&mut rig, &facts);
    assert_eq!(reason(&rig), "starting netifd is setting interface wan6 up");

    rig.kernel.add_link("wan", None);
    rig.interfaces.insert("wan6".into(), "wan".into());
    rig.configure(NETIFD);
    rig.run(3_000);
    let start = rig.now.0;
    facts = NetifdFacts { up: true, ..NetifdFacts::default() };
    say(&mut rig, &facts);
    assert_eq!(reason(&rig), "starting netifd's interface wan6 has no prefix yet");
    facts.prefixes = vec![prefix("2001:db8::/56", start + 1_800_000, start + 3_600_000)];
    say(&mut rig, &facts);
    assert_eq!(reason(&rig), "starting netifd's interface wan6 has no IPv6 default route yet");
    facts.gateway = Some("fe80::1".parse().unwrap());
    facts.assigned = vec![("lan".into(), "2001:db8:0:10::/60".parse().unwrap())];
    facts.addresses = vec![("2001:db8:ffff::2".parse().unwrap(), 128, Lifetimes::FOREVER)];
    facts.dns = vec!["2001:db8::53".parse().unwrap()];
    rig.interfaces.insert("lan".into(), "lan0".into());
    rig.configure(NETIFD);
    say(&mut rig, &facts);
    rig.run(5_000);

    let answer = rig.router.uplinks(rig.now);
    let uplink = &answer["uplinks"][0];
    assert_eq!(
        (uplink["next_hop"].as_str(), uplink["dns"][0].as_str()),
        (Some("fe80::1"), Some("2001:db8::53")),
        "{uplink}"
    );
    assert_eq!(uplink["addresses"][0]["address"], "2001:db8:ffff::2/128");
    let lan = &rig.router.desired().lans["home"];
    let sixty_four =
        lan.prefixes.iter().find(|prefix| prefix.source == "uplink isp").expect("a /64 of netifd's prefix");
    assert_eq!(sixty_four.prefix.to_string(), "2001:db8:0:10::/64");
    assert_eq!(sixty_four.lifetimes.valid, Until::At(Instant(start + 3_600_000)));
    let wan = rig.kernel.actual().link_named("wan").unwrap().0;
    let objects = &rig.router.desired().objects;
    assert!(!objects.iter().any(|(_, value)| matches!(value, crate::plan::Value::Route(to) if to.link() == Some(wan))));

    // a lease that is read again, with a second lost by rounding, changes nothing
    let applied = rig.applied;
    facts.prefixes = vec![prefix("2001:db8::/56", start + 1_799_000, start + 3_599_400)];
    say(&mut rig, &facts);
    assert_eq!(rig.applied, applied);
    // it is withdrawn
    facts = NetifdFacts::default();
    say(&mut rig, &facts);
    assert!(reason(&rig).starts_with("down"), "{}", reason(&rig));
    let lan = &rig.router.desired().lans["home"];
    assert!(
        lan.prefixes.iter().all(|prefix| prefix.source != "uplink isp" || prefix.lifetimes.preferred.is_over(rig.now))
    );
}

const BROKER: &str = "config oasis6\n option enabled 1\nconfig uplink he\n option type 6in4\n option remote 192.0.2.9\n\
                      list prefix 2001:db8:5::/48\n option update_url http://user:secret@broker/\n";

/// What is to be fetched within these milliseconds.
fn fetched(router: &mut Router, now: &mut Instant, millis: u64) -> Vec<String> {
    let (mut all, end) = (Vec::new(), Instant(now.0 + millis));
    while *now < end {
        let mut out = Vec::new();
        router.settle(*now, &mut out);
        all.extend(out.into_iter().filter_map(|action| match action {
            Action::Fetch { uplink, url } => Some(format!("{uplink} {url}")),
            _ => None,
        }));
        *now = Instant(now.0 + 100);
    }
    all
}

#[test]
fn a_broker_is_told_of_our_ipv4_address_and_a_refusal_is_shown_without_the_password() {
    let entropy = Entropy { seed: 7, ula: [1; 5], duid: [9; 16], secret: [3; 16] };
    let mut now = Instant(1_000_000);
    let mut router = Router::new(Memory::default(), Vec::new(), entropy, now, &mut Vec::new());
    let config = Box::new(crate::config::read(BROKER.as_bytes()).config.unwrap());
    router.handle(Event::Configure { config, interfaces: FlatMap::new() }, now, &mut Vec::new());
    assert_eq!(fetched(&mut router, &mut now, 5_000), [""; 0], "there is no address to tell");
    let wan = Change::Link(2, Link { name: "wan".into(), mac: None, up: true, mtu: 1500 });
    let ours = |addr| Change::Ipv4(2, addr, 24);
    router.handle(Event::Kernel(vec![wan, ours([192, 0, 2, 1].into())]), now, &mut Vec::new());
    assert_eq!(fetched(&mut router, &mut now, 5_000), ["he http://user:secret@broker/"]);
    let answer = |answer| Event::Fetched { uplink: "he".into(), answer };
    router.handle(answer(Err("curl failed with code 22".into())), now, &mut Vec::new());
    let status = router.status(now).to_string();
    assert!(status.contains("curl failed with code 22") && !status.contains("secret"), "{status}");
    assert_eq!(fetched(&mut router, &mut now, 58_000), [""; 0]);
    assert_eq!(fetched(&mut router, &mut now, 5_000).len(), 1);
    router.handle(answer(Ok(())), now, &mut Vec::new());
    assert_eq!(router.uplinks(now)["uplinks"][0]["update"]["ago"], 0);
    assert_eq!(fetched(&mut router, &mut now, 3_600_000), [""; 0], "it knows");
    router.handle(Event::Kernel(vec![ours([198, 51, 100, 1].into())]), now, &mut Vec::new());
    assert_eq!(fetched(&mut router, &mut now, 5_000).len(), 1);
}

#[test]
fn the_owner_of_a_6to4_uplink_is_told_what_it_does_not_reach() {
    let rig = Rig::new("config oasis6\n option enabled 1\nconfig uplink old\n option type 6to4\n");
    let troubles = rig.router.status(rig.now)["troubles"].to_string();
    assert!(troubles.contains("uplink old") && troubles.contains("RFC 7526"), "{troubles}");
}

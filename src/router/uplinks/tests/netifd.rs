//! Uplinks in a router with a kernel in memory.

use super::super::NetifdFacts;
use crate::net::{FlatMap, Instant, Lifetimes, Until};
use crate::router::Event;
use crate::router::tests::Rig;

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

//! Tunnels that depend on others: on a broker that has to be told, on relays that are gone.

use crate::net::{FlatMap, Instant};
use crate::plan::{Change, Link};
use crate::router::tests::Rig;
use crate::router::{Action, Entropy, Event, Router};
use crate::store::Memory;

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

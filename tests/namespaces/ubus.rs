//! The daemon on OpenWrt's bus: its object, its events, and netifd's word on devices.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::netns::{Namespace, ready, wait_for, wait_until};
use super::ubusd::{Client, Ubusd, table};
use oasis6::ubus::message::{Message, attr, kind, status};
use serde_json::{Value, json};
use std::path::PathBuf;

const BY_INTERFACE: &str =
    "config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\nconfig lan 'lan'\n\toption interface 'lan'\n";

fn socket(bed: &Bed) -> PathBuf {
    bed.folder.join("ubus.sock")
}

/// Waits until the daemon's object is there.
fn registered(bus: &Ubusd) -> Client {
    let mut client = bus.client();
    assert!(wait_until(SOON, || client.find("oasis6").is_some()), "oasis6 is not on the bus");
    client
}

/// Starts ubusd, then the daemon, and waits until the two know each other.
fn together(bed: &mut Bed) -> (Ubusd, Client) {
    let bus = Ubusd::start(&socket(bed));
    bed.start();
    let client = registered(&bus);
    (bus, client)
}

/// Answers the next question that netifd is asked with these interfaces.
fn dump(netifd: &mut Client, interfaces: &Value) {
    let call = wait_for(SOON, || netifd.next().filter(|message| message.kind == kind::INVOKE)).expect("a question");
    assert_eq!(call.get_text(attr::METHOD).as_deref(), Some("dump"));
    netifd.answer(&call, &json!({ "interface": interfaces }));
}

#[test]
fn whoever_asks_on_ubus_is_answered_as_on_the_control_socket() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let (_bus, mut client) = together(&mut bed);
    let (_, methods) = client.find("oasis6").unwrap();
    let methods: Vec<_> = methods.as_object().unwrap().keys().collect();
    assert_eq!(methods, ["check", "leases", "names", "plan", "reload", "status", "uplinks"]);
    for method in ["leases", "names", "check", "plan", "uplinks"] {
        assert_eq!(client.call("oasis6", method), (bed.ask(method), status::OK), "{method}");
    }
    let (answer, code) = client.call("oasis6", "status");
    assert_eq!((answer["enabled"].as_bool(), code), (Some(true), status::OK), "{answer}");
    assert_eq!(bed.ask("status")["ubus"]["conversation"]["registered"], true);
    assert_eq!(client.call("oasis6", "reload").1, status::OK);
    let (answer, code) = client.call("oasis6", "stat");
    assert_eq!((&answer["error"]["code"], code), (&json!("method"), status::METHOD_NOT_FOUND));

    bed.configure("config lan 'lan'\n\toption device 'br-lan'\n\toption ra_max_interval 'often'\n");
    let (answer, code) = client.call("oasis6", "reload");
    assert_eq!(code, status::UNKNOWN_ERROR);
    assert!(answer["error"]["message"].as_str().unwrap().contains("ra_max_interval"), "{answer}");
    assert_eq!(client.call("oasis6", "check").0["valid"], false);
}

#[test]
fn callers_who_send_garbage_or_die_hurt_nobody() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let (bus, mut client) = together(&mut bed);
    let (object, _) = client.find("oasis6").unwrap();
    for (number, body) in [table(&json!({ "a": [1, { "b": null }] })), vec![0xff; 64], vec![], vec![7, 0, 0, 4]]
        .into_iter()
        .cycle()
        .take(200)
        .enumerate()
    {
        let mut invoke = Message::new(kind::INVOKE, 1, object).number(attr::OBJID, object);
        if number % 3 > 0 {
            invoke = invoke.text(attr::METHOD, "status");
        }
        invoke.body.extend(body);
        let mut bytes = Vec::new();
        assert!(invoke.put(&mut bytes));
        bus.client().write(&bytes);
    }
    assert_eq!(registered(&bus).call("oasis6", "leases").1, status::OK);
    assert!(bed.oasis6("status").status.success(), "{}", bed.log());
}

#[test]
fn listeners_hear_of_prefixes_and_lans() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let _host = bed.host("host");
    bed.configure(SHORT_LIVED);
    let (_bus, mut listener) = together(&mut bed);
    listener.listen("oasis6.*");
    bed.configure(&format!("config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\n{SHORT_LIVED}"));
    assert!(bed.oasis6("reload").status.success());
    let expected = json!({ "event": "prefix", "what": "new", "lan": "lan", "prefix": "fd00:6bed::/64" });
    let heard = wait_for(SOON, || Some(listener.event()).filter(|(id, _)| id == "oasis6.prefix"));
    assert_eq!(heard, Some(("oasis6.prefix".into(), expected)));
    bed.router.run("ip link set br-lan down");
    let (id, event) = wait_for(SOON, || Some(listener.event()).filter(|(id, _)| id == "oasis6.lan")).unwrap();
    assert_eq!((id.as_str(), &event["name"], &event["state"]), ("oasis6.lan", &json!("lan"), &json!("waiting")));
}

#[test]
fn a_ubusd_that_comes_late_or_restarts_is_found() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    assert!(!bed.log().contains("ubus"), "{}", bed.log());
    assert_eq!(bed.ask("status")["ubus"]["conversation"], Value::Null);
    for _ in 0..2 {
        let bus = Ubusd::start(&socket(&bed));
        assert_eq!(registered(&bus).call("oasis6", "leases").1, status::OK);
        drop(bus);
        assert!(wait_until(SOON, || bed.troubles().contains("ubusd has gone")), "{}", bed.troubles());
    }
    bed.daemon().signal(nix::sys::signal::Signal::SIGTERM);
    assert!(bed.daemon().ended(SOON).is_some_and(|status| status.success()), "{}", bed.log());
}

#[test]
fn a_lan_by_interface_follows_netifd_when_its_device_changes() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.router.run("ip link add guest type veth peer name peer && ip link set guest up && ip link set peer up");
    let _host = bed.host("host");
    bed.configure(BY_INTERFACE);
    let (bus, _) = together(&mut bed);
    assert!(bed.troubles().contains("no interface lan"), "{}", bed.troubles());

    let mut netifd = bus.client();
    let object = netifd.add(Some("network.interface"));
    dump(&mut netifd, &json!([{ "interface": "lan", "up": true, "device": "br-lan", "l3_device": "br-lan" }]));
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").len() == 2), "{}", bed.log());

    let guest =
        json!([{ "interface": "lan", "up": true, "device": "@other", "l3_device": "guest" }, { "interface": 7 }]);
    netifd.notify(object, "interface.update");
    dump(&mut netifd, &guest);
    assert!(wait_until(SOON, || bed.router.addresses("guest").len() == 2), "{}", bed.log());
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").is_empty()), "{}", bed.log());

    // it dies while it is asked, and ubusd says nothing of that: its last word stands, and nobody waits
    netifd.notify(object, "interface.update");
    while netifd.next().is_none_or(|message| message.kind != kind::INVOKE) {}
    drop(netifd);
    assert!(wait_until(SOON, || bed.ask("status")["ubus"]["conversation"]["timeouts"] == 1), "{}", bed.ask("status"));
    assert_eq!(bed.router.addresses("guest").len(), 2);

    // the next one is heard, too
    let mut netifd = bus.client();
    netifd.add(Some("network.interface"));
    dump(&mut netifd, &json!([{ "interface": "lan", "up": false, "device": "br-lan" }]));
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").len() == 2), "{}", bed.log());

    // without netifd, a reload goes by the file
    drop(netifd);
    assert!(wait_until(SOON, || bed.ask("status")["ubus"]["conversation"]["netifd"] == false));
    bed.folder.write("network", "config interface 'lan'\n\toption device 'guest'\n");
    assert!(bed.oasis6("reload").status.success());
    assert!(wait_until(SOON, || bed.router.addresses("guest").len() == 2), "{}", bed.log());
}

#[test]
fn an_uplink_of_netifds_gives_the_lan_its_prefix_and_listeners_hear_of_it() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let _host = bed.host("host");
    let isp = Namespace::new("isp");
    bed.router.wire("wan", &isp, "eth0");
    isp.run("ip addr add fe80::1/64 dev eth0 nodad");
    bed.configure(&format!("{BY_INTERFACE}config uplink 'isp'\n\toption type 'netifd'\n\toption interface 'wan6'\n"));
    let (bus, mut client) = together(&mut bed);
    let mut listener = bus.client();
    listener.listen("oasis6.uplink");
    let uplink = |client: &mut Client| {
        let (answer, code) = client.call("oasis6", "uplinks");
        assert_eq!(code, status::OK);
        answer["uplinks"][0].clone()
    };
    assert!(uplink(&mut client)["reason"].as_str().unwrap().contains("netifd has told us nothing yet"));

    let mut netifd = bus.client();
    let object = netifd.add(Some("network.interface"));
    let lan = json!({ "interface": "lan", "up": true, "device": "br-lan", "l3_device": "br-lan" });
    dump(&mut netifd, &json!([lan, { "interface": "wan6", "up": false, "device": "wan" }]));
    let is_down = || uplink(&mut client)["reason"].as_str().unwrap().contains("netifd's interface wan6 is down");
    assert!(wait_until(SOON, is_down), "{}", bed.log());

    let delegated = json!({
        "address": "2001:db8:1200::", "mask": 48, "preferred": 1800, "valid": 3600, "class": "wan6",
        "assigned": { "lan": { "address": "2001:db8:1200:10::", "mask": 60 } },
    });
    let wan6 = json!({
        "interface": "wan6", "up": true, "l3_device": "wan", "ipv6-prefix": [delegated],
        "route": [{ "target": "::", "mask": 0, "nexthop": "fe80::1", "source": "2001:db8:1200::/48" }],
    });
    netifd.notify(object, "interface.update");
    dump(&mut netifd, &json!([lan, wan6]));
    let served = || bed.router.addresses("br-lan").iter().any(|addr| addr.contains("2001:db8:1200:10::1"));
    assert!(wait_until(SOON, served), "{}", bed.log());
    let state = || uplink(&mut client)["state"] == "up";
    assert!(wait_until(SOON, state), "{}", bed.log());
    let shown = uplink(&mut client);
    assert_eq!((&shown["role"], &shown["next_hop"]), (&json!("active"), &json!("fe80::1")), "{shown}");
    let routes = bed.router.run("ip -6 route show proto 111");
    assert!(!routes.contains("dev wan"), "netifd's uplink has no route of ours: {routes}");
    let (id, event) = wait_for(SOON, || Some(listener.event()).filter(|(_, event)| event["state"] == "up")).unwrap();
    assert_eq!((id.as_str(), &event["name"]), ("oasis6.uplink", &json!("isp")), "{event}");

    netifd.notify(object, "interface.update");
    dump(&mut netifd, &json!([lan, { "interface": "wan6", "up": false }]));
    assert!(wait_until(SOON, || uplink(&mut client)["state"] == "down"), "{}", bed.log());
}

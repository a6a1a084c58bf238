//! An uplink of netifd's: what it says of an interface is what the LAN gets.

use super::bed::{Bed, SOON};
use super::netns::{Namespace, ready, wait_for, wait_until};
use super::ubusd::{Client, Ubusd};
use oasis6::ubus::message::{attr, kind};
use serde_json::{Value, json};

const WAN6: &str = "config lan 'lan'\n\toption device 'br-lan'\nconfig uplink 'wan6'\n\toption type 'netifd'\n\toption interface 'wan6'\n";

/// netifd's word on wan6, with these prefixes.
fn wan6(prefixes: &[&str]) -> Value {
    let prefixes: Vec<_> = prefixes
        .iter()
        .map(|prefix| json!({ "address": prefix, "mask": 48, "preferred": 3600, "valid": 7200, "class": "wan6" }))
        .collect();
    json!({
        "interface": "wan6", "up": true, "device": "wan", "l3_device": "wan", "proto": "dhcpv6",
        "ipv6-address": [{ "address": "2001:db8:ffff::2", "mask": 128, "preferred": 86400, "valid": 172800 }],
        "ipv6-prefix": prefixes,
        "route": [{ "target": "::", "mask": 0, "nexthop": "fe80::1", "metric": 512, "source": "2001:db8:ffff::2/128" }],
    })
}

/// netifd says this of its interfaces now, unless it is asked for the first time.
struct Netifd {
    client: Client,
    object: u32,
}

impl Netifd {
    fn says(&mut self, interfaces: &Value) {
        self.client.notify(self.object, "interface.update");
        self.answers(interfaces);
    }

    fn answers(&mut self, interfaces: &Value) {
        let asked = || self.client.next().filter(|message| message.kind == kind::INVOKE);
        let call = wait_for(SOON, asked).expect("a question");
        assert_eq!(call.get_text(attr::METHOD).as_deref(), Some("dump"));
        self.client.answer(&call, &json!({ "interface": interfaces }));
    }
}

/// Whether the host has an address with this beginning that is preferred, or one that is deprecated.
fn has(host: &Namespace, beginning: &str, preferred: bool) -> bool {
    let which = if preferred { "-deprecated" } else { "deprecated" };
    host.run(&format!("ip -6 -o addr show dev eth0 scope global {which}")).contains(&format!(" {beginning}"))
}

#[test]
fn an_uplink_of_netifd_comes_up_is_renumbered_survives_nonsense_and_dies() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.router.run("ip link add wan type veth peer name far && ip link set wan up && ip link set far up");
    let host = bed.host("host");
    bed.configure(WAN6);
    let bus = Ubusd::start(&bed.folder.join("ubus.sock"));
    bed.start();
    let mut client = bus.client();
    let object = client.add(Some("network.interface"));
    let mut netifd = Netifd { client, object };

    // netifd makes the routes that it tells of
    let route = |what: &str| {
        bed.router.run(&format!("ip -6 route {what} default from 2001:db8:ffff::2 via fe80::1 dev wan metric 512"))
    };
    route("add");
    netifd.answers(&json!([wan6(&["2001:db8:1200::"])]));
    let soon = |condition: &dyn Fn() -> bool| wait_until(SOON, condition);
    assert!(soon(&|| has(&host, "2001:db8:1200:", true)), "{}", bed.log());
    assert!(soon(&|| host.run("ip -6 route show default").contains("via fe80")), "{}", bed.log());

    netifd.says(&json!([wan6(&["2001:db8:3400::"])]));
    assert!(soon(&|| has(&host, "2001:db8:3400:", true)), "{}", bed.log());
    assert!(soon(&|| has(&host, "2001:db8:1200:", false) && !has(&host, "2001:db8:1200:", true)), "{}", bed.log());

    let mut nonsense = wan6(&["2001:db8:3400::", "::ffff:192.0.2.1", "ff02::", "no address"]);
    nonsense["route"] = json!([{ "target": 7 }, [], { "target": "::", "mask": 900, "nexthop": "fe80::1" }]);
    nonsense["ipv6-address"] = json!({ "address": "2001:db8:ffff::2" });
    netifd.says(&json!([nonsense]));
    netifd.says(&json!([wan6(&["2001:db8:3400::"])]));
    assert!(soon(&|| has(&host, "2001:db8:3400:", true)), "{}", bed.log());

    route("del");
    netifd.says(&json!([{ "interface": "wan6", "up": false, "device": "wan" }]));
    assert!(soon(&|| !has(&host, "2001:db8:3400:", true)), "{}", bed.log());
    assert!(soon(&|| host.run("ip -6 route show default").is_empty()), "{}", bed.log());

    netifd.says(&json!([wan6(&["2001:db8:3400::"])]));
    assert!(soon(&|| has(&host, "2001:db8:3400:", true)), "{}", bed.log());
}

//! Counterparts that nobody here wrote: each gets an address and a prefix, renews and releases them.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::netns::{Namespace, Process, ready, touch, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::time::Duration;

/// T1 is 4 s; twice that for a busy machine.
const RENEWAL: Duration = Duration::from_secs(12);

/// A client that writes its environment to `events` whenever something happens, `reason=` first.
struct Client<'a> {
    bed: &'a Bed,
    process: Process,
}

impl Client<'_> {
    /// What happened for one of these reasons: the variables of the newest such event.
    fn happened(&self, reasons: &[&str]) -> Option<Event> {
        let text = self.bed.folder.read("events");
        let events = text.split("\n\n").filter(|event| !event.trim().is_empty());
        let wanted = |event: &&str| {
            event.lines().any(|line| line.strip_prefix("reason=").is_some_and(|reason| reasons.contains(&reason)))
        };
        events.filter(wanted).last().map(|event| Event(event.to_owned()))
    }

    fn waits_for(&self, reasons: &[&str], limit: Duration) -> Event {
        wait_for(limit, || self.happened(reasons))
            .unwrap_or_else(|| panic!("no {reasons:?}:\n{}\n{}", self.process.log(), self.bed.log()))
    }
}

struct Event(String);

impl Event {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A script that notes what it is called for.
fn hook(bed: &Bed) -> String {
    touch(&bed.folder.join("events"));
    let events = bed.folder.join("events");
    let script = format!("{{ env | grep -E '^(reason|new_|old_|REASON)' | sort; echo; }} >> {}", events.display());
    bed.folder.script("hook", &script).display().to_string()
}

/// The router gave exactly this, and routes the prefix to the client.
fn holds(bed: &Bed, host: &Namespace, address: Option<&str>, prefix: Option<&str>) {
    assert_eq!(bed.leases("address"), address.into_iter().collect::<Vec<_>>());
    assert_eq!(bed.leases("prefix"), prefix.into_iter().collect::<Vec<_>>());
    if let Some(prefix) = prefix {
        let gateway = wait_for(SOON, || bed.route(prefix)).expect("a route to the delegated prefix");
        let own = host.run("ip -6 -o addr show dev eth0 scope link");
        assert!(own.contains(&gateway), "{prefix} is routed to {gateway}, the client is {own}");
    }
}

/// Everything was given back, and no route stays.
fn released(bed: &Bed, prefix: Option<&str>) {
    let none_left = || bed.leases("address").is_empty() && bed.leases("prefix").is_empty();
    assert!(wait_until(SOON, none_left), "{}", bed.ask("leases"));
    if let Some(prefix) = prefix {
        assert!(wait_until(SOON, || bed.route(prefix).is_none()), "{prefix} is still routed");
    }
}

#[test]
fn dhcpcd_gets_renews_and_releases_an_address_and_a_prefix() {
    if !ready(&["dhcpcd", "tcpdump", "tshark"]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    let host = bed.host("dhcpcd");
    host.run("ip link add lan0 type veth peer name lan1 && ip link set lan0 up && ip link set lan1 up");
    let capture = bed.capture();
    let config = format!(
        "ipv6only\nnoipv6rs\nduid\noption dhcp6_name_servers\nscript {}\ninterface eth0\n\tia_na 1\n\tia_pd 2/::/60 lan0/1/64\n",
        hook(&bed)
    );
    let config = bed.folder.write("dhcpcd.conf", &config);
    let script = format!(
        "mount -t tmpfs none /run && mkdir /run/dhcpcd && mount -t tmpfs none /var/lib/dhcpcd && \
         exec dhcpcd --nobackground -d -f {} eth0",
        config.display()
    );
    let client = Client { bed: &bed, process: host.spawn(&script, &bed.folder.join("dhcpcd.log")) };

    let bound = client.waits_for(&["BOUND6"], SOON);
    let address = bound.get("new_dhcp6_ia_na1_ia_addr1").expect("an address").to_owned();
    assert_eq!(bound.get("new_dhcp6_ia_pd1_prefix1_length"), Some("60"));
    let prefix = format!("{}/60", bound.get("new_dhcp6_ia_pd1_prefix1").expect("a prefix"));
    let router = bed.router.addresses("br-lan");
    assert!(router.iter().any(|addr| Some(addr.as_str()) == bound.get("new_dhcp6_name_servers")), "{}", bound.0);
    holds(&bed, &host, Some(&address), Some(&prefix));

    let renewed = client.waits_for(&["RENEW6"], RENEWAL);
    assert_eq!(renewed.get("new_dhcp6_ia_na1_ia_addr1"), Some(address.as_str()));
    assert_eq!(renewed.get("new_dhcp6_ia_pd1_prefix1"), prefix.strip_suffix("/60"));
    holds(&bed, &host, Some(&address), Some(&prefix));

    client.process.signal(Signal::SIGALRM); // dhcpcd's word for release
    released(&bed, Some(&prefix));
    capture.decodes("dhcpv6");
}

#[test]
fn dhclient_gets_renews_and_releases_an_address() {
    dhclient("-N");
}

#[test]
fn dhclient_gets_renews_and_releases_a_prefix() {
    dhclient("-P");
}

#[test]
fn dhclient_gets_renews_and_releases_both() {
    dhclient("-N -P");
}

fn dhclient(what: &str) {
    if !ready(&["dhclient", "tcpdump", "tshark"]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    let host = bed.host("dhclient");
    let capture = bed.capture();
    let config = bed.folder.write("dhclient.conf", "request dhcp6.name-servers, dhcp6.domain-search;\n");
    let (leases, pid) = (bed.folder.join("dhclient.leases"), bed.folder.join("dhclient.pid"));
    touch(&leases);
    let words = format!(
        "dhclient -6 {what} -cf {} -lf {} -pf {} -sf {}",
        config.display(),
        leases.display(),
        pid.display(),
        hook(&bed)
    );
    let script = format!("exec {words} -d eth0");
    let client = Client { bed: &bed, process: host.spawn(&script, &bed.folder.join("dhclient.log")) };

    let given = |event: &Event| {
        (event.get("new_ip6_address").map(str::to_owned), event.get("new_ip6_prefix").map(str::to_owned))
    };
    // one event for an address, one for a prefix
    let both = |reasons: &[&str], limit| {
        let whole = || {
            let text = bed.folder.read("events");
            let events = text.split("\n\n").map(|event| Event(event.to_owned()));
            let events: Vec<Event> =
                events.filter(|event| event.get("reason").is_some_and(|reason| reasons.contains(&reason))).collect();
            let address = events.iter().rev().find_map(|event| given(event).0);
            let prefix = events.iter().rev().find_map(|event| given(event).1);
            let complete = address.is_some() == what.contains('N') && prefix.is_some() == what.contains('P');
            complete.then_some((address, prefix))
        };
        wait_for(limit, whole)
            .unwrap_or_else(|| panic!("no {reasons:?}:\n{}\n{}", client.process.log(), bed.folder.read("events")))
    };
    let (address, prefix) = both(&["BOUND6"], SOON);
    holds(&bed, &host, address.as_deref(), prefix.as_deref());
    let again = both(&["RENEW6"], RENEWAL);
    assert_eq!(again, (address, prefix.clone()));

    host.run(&format!("{words} -r eth0"));
    released(&bed, prefix.as_deref());
    capture.decodes("dhcpv6");
}

#[test]
fn wide_dhcpv6_gets_renews_and_releases_an_address_and_a_prefix() {
    if !ready(&["dhcp6c", "tcpdump", "tshark"]) {
        return;
    }
    // it renews after 18 s at the soonest, so the lifetimes are longer than for the others: T1 is 20 s
    let mut bed = Bed::serving(
        "config lan 'lan'\n\toption device 'br-lan'\n\toption dhcp6_preferred_lifetime '40'\n\toption dhcp6_valid_lifetime '60'\n",
    );
    let host = bed.host("wide");
    host.run("ip link add lan0 type veth peer name lan1 && ip link set lan0 up && ip link set lan1 up");
    let capture = bed.capture();
    let config = format!(
        "interface eth0 {{ send ia-na 0; send ia-pd 1; request domain-name-servers; script \"{}\"; }};\n\
         id-assoc na 0 {{ }};\n\
         id-assoc pd 1 {{ prefix ::/60 infinity; prefix-interface lan0 {{ sla-id 1; sla-len 4; }}; }};\n",
        hook(&bed)
    );
    let config = bed.folder.write("dhcp6c.conf", &config);
    let script = format!(
        "mount -t tmpfs none /var/lib/dhcpv6 && exec dhcp6c -f -D -c {} -p {} eth0",
        config.display(),
        bed.folder.join("dhcp6c.pid").display()
    );
    let process = host.spawn(&script, &bed.folder.join("dhcp6c.log"));

    let lease = |kind: &str| {
        wait_for(SOON, || bed.leases(kind).pop())
            .unwrap_or_else(|| panic!("no {kind}:\n{}\n{}", process.log(), bed.log()))
    };
    let (address, prefix) = (lease("address"), lease("prefix"));
    assert!(prefix.ends_with("/60"), "{prefix}");
    holds(&bed, &host, Some(&address), Some(&prefix));
    let has = |host: &Namespace, device: &str, start: &str| {
        host.addresses(device).iter().any(|address| address.starts_with(start))
    };
    assert!(wait_until(SOON, || has(&host, "eth0", &address)), "{}", process.log());
    assert!(wait_until(SOON, || !host.addresses("lan0").is_empty()), "{}", process.log());

    let valid = || bed.ask("leases")["leases"][0]["valid"].as_u64().expect("seconds");
    assert!(wait_until(SOON * 3, || valid() < 45), "lifetimes stand still");
    assert!(wait_until(SOON * 3, || valid() > 45), "no renewal:\n{}", process.log());
    holds(&bed, &host, Some(&address), Some(&prefix));

    process.signal(Signal::SIGTERM);
    released(&bed, Some(&prefix));
    capture.decodes("dhcpv6");
}

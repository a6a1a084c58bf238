use crate::namespace::{Namespace, block_on, cable, index, ip};
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::{LinuxKernel, Notifications, Received};
use oasis6::kernel::socket::NdSocket;
use oasis6::net::{ALL_NODES, Lifetimes, Prefix};
use oasis6::plan::{Actual, AddressState, Change, Key, Op, RouteTarget, Tag, Value};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

/// A daemon's view of the kernel: read once, then kept by notifications.
struct View {
    notifications: Notifications,
    actual: Actual,
}

impl View {
    fn new() -> View {
        let notifications = Notifications::open().unwrap();
        View { notifications, actual: read() }
    }

    /// Takes notifications in until `done` holds.
    async fn until(&mut self, what: &str, done: impl Fn(&Actual) -> bool) {
        let listen = async {
            while !done(&self.actual) {
                let mut changes = Vec::new();
                assert_eq!(self.notifications.recv(&mut changes).await.unwrap(), Received::Changes);
                for change in changes {
                    self.actual.apply(change);
                }
            }
        };
        assert!(timeout(SOON, listen).await.is_ok(), "never seen: {what}");
        assert_eq!(self.notifications.malformed(), 0);
    }
}

/// What was said of routes until all is quiet. A busy machine says this or that of links at any time.
pub(crate) async fn of_routes(notifications: &mut Notifications) -> Vec<Change> {
    let mut changes = Vec::new();
    while let Ok(next) = timeout(Duration::from_millis(100), notifications.recv(&mut changes)).await {
        assert_eq!(next.unwrap(), Received::Changes);
    }
    changes.retain(|change| matches!(change, Change::Route(..) | Change::RouteGone(_)));
    changes
}

fn read() -> Actual {
    LinuxKernel::open().unwrap().read().unwrap()
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[test]
fn a_link_that_comes_changes_and_goes_is_followed() {
    let Some(_here) = Namespace::enter() else { return };
    block_on(async {
        let mut view = View::new();
        ip("link add name c type veth peer name d");
        view.until("c is there", |actual| actual.link_named("c").is_some()).await;
        let (link, _) = view.actual.link_named("c").unwrap();
        ip("link set dev c up");
        assert!(!view.actual.links[&link].up);
        ip("link set dev d up");
        view.until("c is up", |actual| actual.links[&link].up).await;
        ip("link set dev c address 02:00:5e:00:53:01");
        view.until("its new MAC", |actual| actual.links[&link].mac.is_some_and(|mac| mac.0[5] == 1)).await;
        ip("link set dev c mtu 1400");
        view.until("its new MTU", |actual| actual.links[&link].mtu == 1400).await;
        // unplugged
        ip("link set dev d down");
        view.until("c has no carrier", |actual| !actual.links[&link].up).await;
        ip("link set dev d up");
        view.until("c has carrier", |actual| actual.links[&link].up).await;
        ip("link set dev c down");
        ip("link set dev c name br.lan");
        view.until("its new name", |actual| actual.links[&link].name == "br.lan").await;
        assert!(view.actual.link_named("c").is_none());
        ip("link set dev br.lan up");
        view.until("its address", |actual| actual.link_local(link).is_some()).await;
        assert_eq!(view.actual.sysctls["net.ipv6.conf.br.lan.forwarding"], "0");
        ip("link del dev br.lan");
        view.until("it is gone", |actual| !actual.links.contains_key(&link)).await;
        assert!(view.actual.addresses.keys().all(|(on, _)| *on != link));
    });
}

#[test]
fn ipv4_addresses_come_and_go() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut view = View::new();
        let link = index("a");
        let at = |last| (link, Ipv4Addr::new(192, 0, 2, last));
        ip("-4 address add 192.0.2.1/24 dev a");
        ip("-4 address add 192.0.2.2/32 dev a");
        view.until("both", |actual| actual.ipv4.get(&at(1)) == Some(&24) && actual.ipv4.get(&at(2)) == Some(&32)).await;
        assert_eq!(view.actual.ipv4, read().ipv4);
        ip("-4 address del 192.0.2.1/24 dev a");
        view.until("one is gone", |actual| !actual.ipv4.contains_key(&at(1))).await;
        ip("link del dev a");
        view.until("the other too", |actual| !actual.ipv4.contains_key(&at(2))).await;
    });
}

#[test]
fn leaving_a_bridge_is_not_being_gone() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        ip("link add name br type bridge");
        let mut view = View::new();
        let (link, bridge) = (index("a"), index("br"));
        ip("link set dev a master br");
        ip("link set dev br up");
        view.until("the bridge is up", |actual| actual.links[&bridge].up).await;
        ip("link set dev a nomaster");
        view.until("the bridge is empty", |actual| !actual.links[&bridge].up).await;
        assert!(view.actual.links.contains_key(&link));
    });
}

#[test]
fn after_any_changes_notifications_and_a_new_reading_agree() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut view = View::new();
        let link = index("a");
        let key = |n: u16, metric| {
            let dst = Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0), 48).unwrap();
            Key::Route { table: 254, dst, src: Prefix::ALL, metric }
        };
        let mut kernel = LinuxKernel::open().unwrap();
        let mut ops = Vec::new();
        for n in 0..200 {
            let value = Value::Route(RouteTarget::Via { link, gateway: addr("fe80::b") });
            ops.push(Op::Put(key(n, 50), value.clone()));
            if n % 3 == 0 {
                ops.push(Op::Delete(key(n, 50), value));
            }
            if n % 5 == 0 {
                ops.push(Op::Put(key(n, 50), Value::Route(RouteTarget::Unreachable)));
            }
        }
        let lifetimes = Lifetimes::FOREVER;
        ops.push(Op::Put(Key::Address { link, addr: addr("fd00::1") }, Value::Address { len: 64, lifetimes }));
        assert!(kernel.apply(&ops).iter().all(Result::is_ok));
        ip("route add default via fe80::b dev a");
        ip("route change default via fe80::c dev a");
        ip(
            "route add 2001:db8:aaaa::/48 encap ip6 dst fe80::1 via fe80::b dev a mtu 1400 advmss 1200 initcwnd 10 proto 111",
        );
        let now = read();
        view.until("all of it", |actual| actual.routes == now.routes && actual.addresses == now.addresses).await;
        assert_eq!(view.actual, now);
        assert_eq!(now.routes.values().filter(|route| route.tag == Tag::Ours).count(), 148);
    });
}

#[test]
fn a_duplicate_address_is_seen_whatever_its_lifetime() {
    let Some((_here, there)) = cable() else { return };
    std::fs::write("/proc/sys/net/ipv6/conf/a/accept_dad", "1").unwrap();
    there.run(|| ip("address add fd00::1/64 dev b nodad"));
    there.run(|| ip("address add fd00::2/64 dev b nodad"));
    block_on(async {
        let mut view = View::new();
        let link = index("a");
        let mut kernel = LinuxKernel::open().unwrap();
        let now = oasis6::kernel::linux::boottime();
        let hour = oasis6::net::Until::At(now.after_secs(3600));
        let mut puts = Vec::new();
        for (text, lifetimes) in
            [("fd00::1", Lifetimes::FOREVER), ("fd00::2", Lifetimes::new(hour, hour)), ("fd00::3", Lifetimes::FOREVER)]
        {
            puts.push(Op::Put(Key::Address { link, addr: addr(text) }, Value::Address { len: 64, lifetimes }));
        }
        assert!(kernel.apply(&puts).iter().all(Result::is_ok));
        assert_eq!(read().addresses[&(link, addr("fd00::3"))].state, AddressState::Tentative);
        let is = |text: &'static str, state| {
            move |actual: &Actual| {
                actual.addresses.get(&(link, addr(text))).is_some_and(|address| address.state == state)
            }
        };
        view.until("the first is a duplicate", is("fd00::1", AddressState::Duplicate)).await;
        view.until("so is the second", is("fd00::2", AddressState::Duplicate)).await;
        view.until("the third is ready", is("fd00::3", AddressState::Ready)).await;
        for op in puts {
            let Op::Put(key, value) = op else { unreachable!() };
            assert_eq!(kernel.apply(&[Op::Delete(key, value)]), [Ok(())]);
        }
        let gone = |text| move |actual: &Actual| !actual.addresses.contains_key(&(link, addr(text)));
        view.until("the first is gone", gone("fd00::1")).await;
        view.until("the third is gone", gone("fd00::3")).await;
    });
}

#[test]
fn ipv6_switched_off_and_on_and_forwarding_are_seen() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut view = View::new();
        let set = |name: &str, value: &str| std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}"), value).unwrap();
        let is = |name: &'static str, value: &'static str| {
            move |actual: &Actual| actual.sysctls.get(&format!("net.ipv6.conf.{name}")).is_some_and(|is| is == value)
        };
        set("a/disable_ipv6", "1");
        view.until("off", is("a.disable_ipv6", "1")).await;
        view.until("no address", |actual| actual.link_local(index("a")).is_none()).await;
        set("a/disable_ipv6", "0");
        view.until("on", is("a.disable_ipv6", "0")).await;
        set("all/forwarding", "1");
        view.until("forwarding", is("all.forwarding", "1")).await;
        view.until("forwarding on a", is("a.forwarding", "1")).await;
        set("a/forwarding", "0");
        view.until("not forwarding on a", is("a.forwarding", "0")).await;
    });
}

/// A second cable between the two namespaces: `c` here, `d` there, with link-local addresses.
fn second_cable(there: &Namespace) {
    ip(&format!("link add name c type veth peer name d netns {}", there.path()));
    let up = |name: &str| {
        ip(&format!("link set dev {name} up"));
        ip(&format!("address add fe80::{name}/64 dev {name} nodad"));
    };
    up("c");
    there.run(|| up("d"));
}

// openwrt#23246: the router must not stop being one while a default route is left
#[test]
fn of_two_default_routes_learned_with_one_metric_the_other_stays() {
    let Some((_here, there)) = cable() else { return };
    second_cable(&there);
    block_on(async {
        let runtime = tokio::runtime::Handle::current();
        let mut uplink = there.run(|| {
            let _inside = runtime.enter();
            NdSocket::open().unwrap()
        });
        let (b, d) = there.run(|| (index("b"), index("d")));
        let mut advertise = |link, source: &str, lifetime: u8| {
            let message = [134, 0, 0, 0, 64, 0, 0, lifetime, 0, 0, 0, 0, 0, 0, 0, 0];
            uplink.send(link, Some(addr(source)), ALL_NODES, &message).unwrap();
        };
        let mut view = View::new();
        let default = Key::Route { table: 254, dst: Prefix::ALL, src: Prefix::ALL, metric: 1024 };
        let leads_to = |link: u32| {
            let default = default.clone();
            move |actual: &Actual| actual.routes.get(&default).is_some_and(|route| route.target.link() == Some(link))
        };
        let (a, c) = (index("a"), index("c"));
        advertise(b, "fe80::b", 200);
        view.until("a default route", leads_to(a)).await;
        advertise(d, "fe80::d", 200);
        view.until("a second one", leads_to(c)).await;
        advertise(d, "fe80::d", 0);
        view.until("the first one again", leads_to(a)).await;
        advertise(d, "fe80::d", 200);
        view.until("the second one again", leads_to(c)).await;
        ip("link set dev c down");
        view.until("the first one again", leads_to(a)).await;
        advertise(b, "fe80::b", 0);
        view.until("none", |actual| !actual.has_default_route()).await;
    });
}

#[test]
fn a_default_route_over_several_uplinks_stays_while_one_is_left() {
    let Some((_here, there)) = cable() else { return };
    second_cable(&there);
    block_on(async {
        ip("route append default via fe80::b dev a");
        ip("route append default via fe80::d dev c");
        let mut view = View::new();
        assert!(view.actual.has_default_route());
        let marker = |dst: &'static str| {
            move |actual: &Actual| {
                let dst: Prefix = dst.parse().unwrap();
                actual.routes.keys().any(|key| matches!(key, Key::Route { dst: to, .. } if *to == dst))
            }
        };
        ip("route del default via fe80::b dev a");
        ip("route add 2001:db8::/48 via fe80::b dev a proto 111");
        view.until("the deletion", marker("2001:db8::/48")).await;
        assert!(view.actual.has_default_route());
        ip("route append unreachable default metric 1024");
        ip("route add 2001:db8:1::/48 via fe80::b dev a proto 111");
        view.until("the unreachable one", marker("2001:db8:1::/48")).await;
        assert!(view.actual.has_default_route());
        ip("route del default via fe80::d dev c");
        view.until("no default route", |actual| !actual.has_default_route()).await;
    });
}

#[test]
fn lost_news_are_reported_and_nothing_old_follows() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut notifications = Notifications::with_buffer(4096).unwrap();
        let link = index("a");
        let mut kernel = LinuxKernel::open().unwrap();
        let key = |n| {
            let dst = Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0), 48).unwrap();
            Key::Route { table: 254, dst, src: Prefix::ALL, metric: 50 }
        };
        let value = Value::Route(RouteTarget::Via { link, gateway: addr("fe80::b") });
        let ops: Vec<_> = (0..3000).map(|n| Op::Put(key(n), value.clone())).collect();
        assert!(kernel.apply(&ops).iter().all(Result::is_ok));
        let mut changes = Vec::new();
        assert_eq!(timeout(SOON, notifications.recv(&mut changes)).await.unwrap().unwrap(), Received::Lost);
        let actual = kernel.read().unwrap();
        assert_eq!(actual.routes.values().filter(|route| route.tag == Tag::Ours).count(), 3000);
        assert_eq!(of_routes(&mut notifications).await, []);
        // and it goes on
        assert_eq!(kernel.apply(&[Op::Delete(key(7), value)]), [Ok(())]);
        assert_eq!(of_routes(&mut notifications).await, [Change::RouteGone(key(7))]);
    });
}

#[test]
fn news_of_our_own_routes_can_be_left_out_and_no_other() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut view = View::new();
        let mut kernel = LinuxKernel::open().unwrap();
        view.notifications.leave_out_routes_of(&kernel).unwrap();
        let link = index("a");
        let key = |n| {
            let dst = Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0), 48).unwrap();
            Key::Route { table: 254, dst, src: Prefix::ALL, metric: 50 }
        };
        let value = Value::Route(RouteTarget::Via { link, gateway: addr("fe80::b") });
        let ops: Vec<_> = (0..3).map(|n| Op::Put(key(n), value.clone())).collect();
        assert!(kernel.apply(&ops).iter().all(Result::is_ok));
        assert_eq!(kernel.apply(&[Op::Delete(key(0), value.clone())]), [Ok(())]);
        let mut changes = Vec::new();
        while timeout(Duration::from_millis(50), view.notifications.recv(&mut changes)).await.is_ok() {}
        assert!(
            !changes.iter().any(|change| matches!(change, Change::Route(..) | Change::RouteGone(_))),
            "{changes:?}"
        );
        // our addresses, somebody else's route, and what somebody does to a route of ours
        let address = Value::Address { len: 64, lifetimes: Lifetimes::FOREVER };
        assert_eq!(kernel.apply(&[Op::Put(Key::Address { link, addr: addr("fd00::1") }, address)]), [Ok(())]);
        view.until("our address", |actual| actual.addresses.contains_key(&(link, addr("fd00::1")))).await;
        view.actual = read();
        ip("route del 2001:db8:1::/48");
        view.until("our route removed", |actual| !actual.routes.contains_key(&key(1))).await;
        ip("route add 2001:db8:9::/48 dev a metric 50 proto 111");
        view.until("another's route", |actual| actual.routes.contains_key(&key(9))).await;
        ip("link set dev a down");
        view.until("all gone with the link", |actual| !actual.routes.contains_key(&key(2))).await;
    });
}

#[test]
fn a_cancelled_wait_loses_nothing() {
    let Some(_ends) = cable() else { return };
    block_on(async {
        let mut view = View::new();
        for n in 0..20 {
            let mut changes = Vec::new();
            let _ = timeout(Duration::from_millis(n % 3), view.notifications.recv(&mut changes)).await;
            changes.into_iter().for_each(|change| {
                view.actual.apply(change);
            });
            ip(&format!("route add 2001:db8:{n}::/48 dev a proto 111"));
        }
        let now = read();
        view.until("all of it", |actual| actual.routes == now.routes).await;
    });
}

use crate::namespace::{cable, index, ip};
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::{LinuxKernel, boottime};
use oasis6::net::{Lifetimes, Prefix, Until};
use oasis6::plan::{Actual, AddressState, Key, Op, RouteTarget, Tag, Value};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

const MAIN: u32 = 254;
const METRIC: u32 = 6666;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn route(dst: &str) -> Key {
    Key::Route { table: MAIN, dst: prefix(dst), src: Prefix::ALL, metric: METRIC }
}

fn via(link: u32, gateway: &str) -> Value {
    Value::Route(RouteTarget::Via { link, gateway: addr(gateway) })
}

fn read() -> Actual {
    LinuxKernel::open().unwrap().read().unwrap()
}

/// Does it, and expects success.
fn apply(ops: &[Op]) {
    for (op, result) in ops.iter().zip(LinuxKernel::open().unwrap().apply(ops)) {
        assert_eq!(result, Ok(()), "{op:?}");
    }
}

/// What `actual` holds of ours, lifetimes in whole seconds from now, rounded up.
fn ours(actual: &Actual) -> BTreeMap<Key, Value> {
    let addresses = actual.addresses.iter().filter(|(_, address)| address.tag == Tag::Ours);
    let addresses = addresses.map(|((link, addr), address)| {
        (Key::Address { link: *link, addr: *addr }, Value::Address { len: address.len, lifetimes: address.lifetimes })
    });
    let routes = actual.routes.iter().filter(|(_, route)| route.tag == Tag::Ours);
    addresses.chain(routes.map(|(key, route)| (key.clone(), Value::Route(route.target)))).collect()
}

/// One object of each kind, on link `a`.
fn one_of_each() -> BTreeMap<Key, Value> {
    let link = index("a");
    let address =
        |text, len| (Key::Address { link, addr: addr(text) }, Value::Address { len, lifetimes: Lifetimes::FOREVER });
    let from = Key::Route { table: MAIN, dst: Prefix::ALL, src: prefix("2001:db8:9::/48"), metric: METRIC };
    let other_table = Key::Route { table: 1000, dst: prefix("2001:db8:8::/48"), src: Prefix::ALL, metric: METRIC };
    BTreeMap::from([
        address("2001:db8:1::1", 64),
        address("fd00:1::1", 64),
        address("2001:db8:1::2", 128),
        (route("2001:db8:2::/60"), via(link, "fe80::b")),
        (route("2001:db8:3::/64"), Value::Route(RouteTarget::OnLink { link })),
        (route("2001:db8::/32"), Value::Route(RouteTarget::Unreachable)),
        (from, via(link, "fe80::b")),
        (other_table, Value::Route(RouteTarget::Unreachable)),
    ])
}

fn puts(objects: &BTreeMap<Key, Value>) -> Vec<Op> {
    objects.iter().map(|(key, value)| Op::Put(key.clone(), value.clone())).collect()
}

fn deletes(objects: &BTreeMap<Key, Value>) -> Vec<Op> {
    objects.iter().map(|(key, value)| Op::Delete(key.clone(), value.clone())).collect()
}

#[test]
fn what_is_there_is_read() {
    let Some(_ends) = cable() else { return };
    ip("address add 2001:db8:1::1/64 dev a valid_lft 200 preferred_lft 100 nodad");
    ip("route add default via fe80::b dev a metric 77");
    ip("route add default from 2001:db8:5::/48 via fe80::b dev a metric 5 proto static");
    ip("route add blackhole default table 99");
    ip("route add 2000::/3 metric 9 nexthop via fe80::b dev a nexthop via fe80::c dev a");
    ip("route add 2001:db8:7::/48 via fe80::b dev a");
    let actual = read();
    let link = index("a");
    let a = &actual.links[&link];
    assert_eq!((a.name.as_str(), a.up, a.mtu, a.mac.is_some()), ("a", true, 1500, true));
    let lo = &actual.links[&index("lo")];
    assert_eq!((lo.name.as_str(), lo.mac), ("lo", None));
    assert_eq!(actual.link_local(link), Some(addr("fe80::a")));
    let address = &actual.addresses[&(link, addr("2001:db8:1::1"))];
    assert_eq!((address.len, address.state, address.tag), (64, AddressState::Ready, Tag::Foreign));
    let left = [address.lifetimes.preferred, address.lifetimes.valid].map(|until| until.remaining(boottime()));
    assert!((98..=100).contains(&left[0]) && (198..=200).contains(&left[1]), "{left:?}");
    let target = |table, dst: &str, src: &str, metric| {
        let key = Key::Route { table, dst: prefix(dst), src: prefix(src), metric };
        let route = &actual.routes[&key];
        assert_eq!(route.tag, Tag::Foreign);
        route.target
    };
    let gateway = addr("fe80::b");
    assert_eq!(target(MAIN, "::/0", "::/0", 77), RouteTarget::Via { link, gateway });
    assert_eq!(target(MAIN, "::/0", "2001:db8:5::/48", 5), RouteTarget::Via { link, gateway });
    assert_eq!(target(99, "::/0", "::/0", 1024), RouteTarget::Unreachable);
    assert_eq!(target(MAIN, "2000::/3", "::/0", 9), RouteTarget::Other);
    assert_eq!(actual.routes.len(), 4);
    assert!(actual.has_default_route());
    for name in ["net.ipv6.conf.all.forwarding", "net.ipv6.conf.a.forwarding", "net.ipv6.conf.a.disable_ipv6"] {
        assert_eq!(actual.sysctls.get(name).map(String::as_str), Some("0"), "{name}");
    }
    assert_eq!(actual.sysctls["net.ipv6.conf.a.accept_ra"], "1");
}

#[test]
fn every_kind_of_object_is_made_read_as_ours_and_removed_again_and_again() {
    let Some(_ends) = cable() else { return };
    let before = read();
    let wanted = one_of_each();
    for _ in 0..2 {
        apply(&puts(&wanted));
        assert_eq!(ours(&read()), wanted);
    }
    apply(&[Op::Put(Key::Sysctl("net.ipv6.conf.all.forwarding".into()), Value::Sysctl("1".into()))]);
    assert_eq!(read().sysctls["net.ipv6.conf.a.forwarding"], "1");
    for _ in 0..2 {
        apply(&deletes(&wanted));
        assert_eq!(ours(&read()), BTreeMap::new());
    }
    let mut after = read();
    after.sysctls = before.sysctls.clone();
    assert_eq!(after, before);
}

#[test]
fn objects_change_their_values() {
    let Some(_ends) = cable() else { return };
    let link = index("a");
    let now = boottime();
    let lasting =
        |preferred, valid| Lifetimes::new(Until::At(now.after_secs(preferred)), Until::At(now.after_secs(valid)));
    let key = Key::Address { link, addr: addr("2001:db8:1::1") };
    let steps = [
        (64, lasting(100, 200)),
        (64, lasting(1000, 2000)),
        (64, lasting(0, 50)),
        (64, Lifetimes::FOREVER),
        (56, Lifetimes::FOREVER),
        (56, lasting(3, 4)),
    ];
    for (len, lifetimes) in steps {
        apply(&[Op::Put(key.clone(), Value::Address { len, lifetimes })]);
        let address = read().addresses[&(link, addr("2001:db8:1::1"))].clone();
        assert_eq!((address.len, address.tag), (len, Tag::Ours));
        for (is, should) in
            [(address.lifetimes.preferred, lifetimes.preferred), (address.lifetimes.valid, lifetimes.valid)]
        {
            let (is, should) = (is.remaining(now), should.remaining(now));
            assert!(is.abs_diff(should) <= 2, "{is} for {should}");
        }
    }
    let key = route("2001:db8:2::/60");
    let steps = [
        via(link, "fe80::b"),
        via(link, "fe80::c"),
        Value::Route(RouteTarget::Unreachable),
        Value::Route(RouteTarget::OnLink { link }),
        via(link, "fe80::b"),
        via(link, "fe80::b"),
    ];
    for value in steps {
        apply(&[Op::Put(key.clone(), value.clone())]);
        let routes: Vec<_> = ours(&read()).into_iter().filter(|(key, _)| matches!(key, Key::Route { .. })).collect();
        assert_eq!(routes, [(key.clone(), value)]);
    }
}

#[test]
fn an_address_takes_the_route_to_its_prefix_along_whatever_its_lifetime() {
    let Some(_there) = cable() else { return };
    let link = index("a");
    let soon = Until::At(boottime().after_secs(600));
    let address = |text, valid| {
        let lifetimes = Lifetimes { preferred: valid, valid };
        (Key::Address { link, addr: addr(text) }, Value::Address { len: 64, lifetimes })
    };
    let routes = || ip("route show dev a proto kernel").lines().filter(|line| line.starts_with("2001:db8:")).count();
    let both = BTreeMap::from([address("2001:db8:1::1", soon), address("2001:db8:1::2", soon)]);
    let forever = BTreeMap::from([address("2001:db8:2::1", Until::Forever)]);
    apply(&puts(&both));
    apply(&puts(&forever));
    assert_eq!(routes(), 2);
    let deletes = deletes(&both);
    apply(&deletes[..1]);
    assert_eq!(routes(), 2, "the other address needs it");
    apply(&deletes[1..]);
    assert_eq!(routes(), 1);
    // gone already is no failure, and nothing comes back
    apply(&deletes);
    assert_eq!((routes(), ours(&read()).len()), (1, 1));
}

#[test]
fn what_others_made_stays_as_it_is() {
    let Some(_ends) = cable() else { return };
    let link = index("a");
    ip("address add 2001:db8:1::1/48 dev a valid_lft 200 preferred_lft 100 nodad");
    ip(&format!("route add 2001:db8:2::/60 via fe80::c dev a metric {METRIC} proto static"));
    ip(&format!("route add unreachable 2001:db8::/32 metric {METRIC} proto static"));
    let before = ip("route show");
    let mut kernel = LinuxKernel::open().unwrap();
    let address =
        (Key::Address { link, addr: addr("2001:db8:1::1") }, Value::Address { len: 64, lifetimes: Lifetimes::FOREVER });
    // the address is there, whoever made it
    assert_eq!(kernel.apply(&[Op::Put(address.0, address.1)]), [Ok(())]);
    for (key, value) in [
        (route("2001:db8:2::/60"), via(link, "fe80::b")),
        (route("2001:db8:2::/60"), Value::Route(RouteTarget::Unreachable)),
        (route("2001:db8::/32"), Value::Route(RouteTarget::Unreachable)),
    ] {
        let refusal = kernel.apply(&[Op::Put(key.clone(), value.clone())]).pop().unwrap().unwrap_err();
        assert_eq!(refusal.errno, nix::errno::Errno::EEXIST as i32);
        assert!(refusal.message.contains("another program"), "{refusal}");
        assert_eq!(kernel.apply(&[Op::Delete(key, value)]), [Ok(())]);
    }
    let still = |routes: String| routes.lines().filter(|line| !line.contains("expires")).collect::<Vec<_>>().join("\n");
    assert_eq!(still(ip("route show")), still(before));
    let address = read().addresses[&(link, addr("2001:db8:1::1"))].clone();
    assert_eq!((address.len, address.tag), (48, Tag::Foreign));
    assert!(address.lifetimes.valid.remaining(boottime()) <= 200);
}

#[test]
fn a_refused_operation_stops_no_other_and_says_why() {
    let Some(_ends) = cable() else { return };
    let link = index("a");
    let address = |link, text| {
        (Key::Address { link, addr: addr(text) }, Value::Address { len: 64, lifetimes: Lifetimes::FOREVER })
    };
    let put = |(key, value)| Op::Put(key, value);
    let ops = [
        put((route("2001:db8:1::/64"), via(link, "fe80::b"))),
        put((route("2001:db8:2::/64"), via(4711, "fe80::b"))),
        put((route("2001:db8:3::/64"), via(link, "2001:db8:ffff::1"))),
        put((Key::Sysctl("net.ipv6.conf.nosuch0.forwarding".into()), Value::Sysctl("1".into()))),
        put(address(4711, "2001:db8::1")),
        put((route("2001:db8:4::/64"), via(link, "fe80::b"))),
        put((route("2001:db8:5::/64"), Value::Sysctl("1".into()))),
    ];
    let mut kernel = LinuxKernel::open().unwrap();
    let results = kernel.apply(&ops);
    let words: Vec<_> = results.iter().map(|result| result.as_ref().err().map(ToString::to_string)).collect();
    assert_eq!((&words[0], &words[5]), (&None, &None));
    for (index, word) in [(1, "link is gone"), (2, "gateway"), (3, "nosuch0"), (4, "link is gone"), (6, "Invalid")] {
        assert!(words[index].as_ref().is_some_and(|text| text.contains(word)), "{words:?}");
    }
    assert_eq!(ours(&read()).len(), 2);
    ip("link set dev a down");
    let results = kernel.apply(&[put((route("2001:db8:6::/64"), via(link, "fe80::b")))]);
    assert!(results[0].as_ref().is_err_and(|refusal| refusal.message.contains("down")), "{results:?}");
    ip("link set dev a up");
    std::fs::write("/proc/sys/net/ipv6/conf/a/disable_ipv6", "1").unwrap();
    let results = kernel.apply(&[put(address(link, "2001:db8::1"))]);
    assert!(results[0].as_ref().is_err_and(|refusal| refusal.message.contains("disable_ipv6")), "{results:?}");
    // on a link that is gone everything is removed already
    ip("link del dev a");
    assert_eq!(kernel.apply(&[Op::Delete(address(link, "2001:db8::1").0, address(link, "2001:db8::1").1)]), [Ok(())]);
}

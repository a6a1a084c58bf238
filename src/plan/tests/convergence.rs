//! The reconciler against a kernel that behaves, and against one that does not.

use super::super::*;
use crate::kernel::{Kernel, Refusal, fake::FakeKernel};
use crate::net::{Instant, Key32, PublicKey};
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::time::Duration;

const LINKS: u32 = 3;
/// Index of a link that never exists.
const ABSENT: u32 = 99;
const START: Instant = Instant(1_000_000);

fn addr(n: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, u16::from(n % 4), 0, 0, 0, u16::from(n))
}

fn prefix(n: u8) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x2001, 0xdb8, u16::from(n) << 8, 0, 0, 0, 0, 0), 40 + n % 16).unwrap()
}

fn lifetimes() -> impl Strategy<Value = Lifetimes> {
    let end =
        prop_oneof![Just(Until::Forever), (100_000..9_000_000u64).prop_map(|ms| Until::At(Instant(START.0 + ms)))];
    (end.clone(), end).prop_map(|(preferred, valid)| Lifetimes::new(preferred, valid))
}

/// A tunnel device under one of four names; those of different names never have the same addresses.
fn device() -> impl Strategy<Value = (Key, Value)> {
    let mtu = || proptest::option::of(1280..1500u32);
    let any_sit = move |name: u8| {
        (0..3u8, proptest::option::of(0..2u8), mtu(), 0..2u8).prop_map(move |(local, remote, mtu, ttl)| {
            let remote = remote.map(|n| Ipv4Addr::new(198, 51, 100, n));
            let sixrd = SixRd { prefix: prefix(1), relay_prefix: (Ipv4Addr::UNSPECIFIED, 0) };
            let sixrd = Some(sixrd).filter(|_| local == 0 && remote.is_none());
            Device::Sit(Sit { local: Ipv4Addr::new(192, 0, 2, name * 8 + local), remote, ttl, mtu, sixrd, link: None })
        })
    };
    let peer = (0..3u8, 0..3u8, 0..2u16).prop_map(|(key, endpoint, keepalive)| Peer {
        public_key: PublicKey([key; 32]),
        preshared_key: None,
        endpoint: (endpoint > 0).then(|| ([203, 0, 113, endpoint], 51820).into()),
        resolved: 0,
        allowed_ips: vec![AllowedIp::V6(Prefix::ALL)],
        keepalive,
    });
    let wireguard =
        (0..2u8, 0..2u16, mtu(), proptest::collection::vec(peer, 0..3)).prop_map(|(key, port, mtu, peers)| {
            let peers: FlatMap<_, _> = peers.into_iter().map(|peer| (peer.public_key, peer)).collect();
            let peers = peers.into_values().collect();
            Device::Wireguard(Wireguard { private_key: Key32([key; 32]), listen_port: port, mtu, peers })
        });
    (0..4u8).prop_flat_map(move |name| {
        let key = Key::Device(format!("{DEVICE_PREFIX}{name}"));
        let device = prop_oneof![any_sit(name), wireguard.clone()];
        device.prop_map(move |device| (key.clone(), Value::Device(device)))
    })
}

/// Objects over links 1 to 3, and one that never exists.
fn objects() -> impl Strategy<Value = Objects> {
    let gateway = (0..9u8).prop_map(|n| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(n)));
    let link = (1..=LINKS + 1).prop_map(|link| if link > LINKS { ABSENT } else { link });
    let object = prop_oneof![
        (link.clone(), 0..12u8, lifetimes()).prop_map(|(link, n, lifetimes)| {
            (Key::Address { link, addr: addr(n) }, Value::Address { len: 64, lifetimes })
        }),
        (link, 0..6u8, gateway).prop_map(|(link, n, via)| delegation_route(prefix(n), &Delegation { link, via })),
        (0..6u8).prop_map(|n| objects::unreachable_route(prefix(n))),
        device(),
        (0..2u8).prop_map(|n| { (Key::Sysctl("net.ipv6.conf.all.forwarding".into()), Value::Sysctl(n.to_string())) }),
    ];
    proptest::collection::vec(object, 0..16).prop_map(|list| list.into_iter().collect())
}

/// A kernel with three links, objects of somebody else and `ours` from an earlier life.
fn kernel() -> impl Strategy<Value = FakeKernel> {
    (objects(), objects()).prop_map(|(foreign, ours)| {
        let mut kernel = FakeKernel::new(START);
        for n in 1..=LINKS {
            let mac = crate::net::Mac([2, 0, 0x5e, 0, 0x53, u8::try_from(n).unwrap()]);
            kernel.add_link(&format!("lan{n}"), Some(mac));
        }
        for (key, value) in foreign {
            match (key, value) {
                (Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
                    kernel.add_foreign_address(link, addr, len, lifetimes);
                }
                (Key::Device(name), _) if name == "o6-0" => {
                    kernel.add_link(&name, None);
                }
                (key @ Key::Route { .. }, Value::Route(target)) if target.link() != Some(ABSENT) => {
                    kernel.add_foreign_route(key, target);
                }
                _ => {}
            }
        }
        let ops: Vec<Op> = ours.into_iter().map(|(key, value)| Op::Put(key, value)).collect();
        kernel.apply(&ops);
        kernel.advance(Instant(START.0 + 2_000));
        kernel
    })
}

fn foreign(actual: &Actual) -> Actual {
    let mut actual = actual.clone();
    let devices = std::mem::take(&mut actual.devices);
    actual.links.retain(|_, link| !devices.contains_key(&link.name));
    let links = actual.links.clone();
    actual.addresses.retain(|(link, _), address| address.tag == Tag::Foreign && links.contains_key(link));
    // the kernel's own connected routes come and go with addresses
    actual.routes.retain(|key, route| route.tag == Tag::Foreign && !matches!(key, Key::Route { metric: 256, .. }));
    actual.sysctls.clear();
    actual
}

/// Whether every wanted object is there, and nothing else of ours.
fn reached(wanted: &Objects, actual: &Actual) -> Result<(), TestCaseError> {
    for (key, value) in wanted {
        let absent_link = match (key, value) {
            (Key::Address { link, .. }, _) | (_, Value::Route(RouteTarget::Via { link, .. })) => *link == ABSENT,
            _ => false,
        };
        match actual.get(key) {
            Some((_, Tag::Foreign)) => {}
            Some((was, Tag::Ours)) => prop_assert!(diff::alike(value, &was), "{key}: {was:?} instead of {value:?}"),
            None => {
                let taken = matches!(key, Key::Device(name) if actual.is_taken(name));
                prop_assert!(absent_link || taken, "{key} is missing");
            }
        }
    }
    let addresses = actual.addresses.iter().filter(|(_, address)| address.tag == Tag::Ours);
    for ((link, addr), _) in addresses {
        let key = Key::Address { link: *link, addr: *addr };
        prop_assert!(wanted.contains_key(&key), "{key} is left over");
    }
    for name in actual.devices.keys() {
        prop_assert!(wanted.contains_key(&Key::Device(name.clone())), "{name} is left over");
    }
    for (key, _) in actual.routes.iter().filter(|(_, route)| route.tag == Tag::Ours) {
        prop_assert!(wanted.contains_key(key), "{key} is left over");
    }
    Ok(())
}

fn all_done(results: &[Result<(), Refusal>]) -> Result<(), TestCaseError> {
    prop_assert!(results.iter().all(Result::is_ok), "{results:?}");
    Ok(())
}

proptest! {
    #[test]
    fn one_pass_reaches_what_is_wanted_and_a_second_finds_nothing_to_do(wanted in objects(), mut kernel in kernel()) {
        let before = foreign(kernel.actual());
        let mut view = kernel.read().unwrap();
        let ops = diff(&wanted, &view);
        all_done(&kernel.apply(&ops))?;
        reached(&wanted, kernel.actual())?;
        prop_assert_eq!(diff(&wanted, &kernel.read().unwrap()), []);
        prop_assert_eq!(foreign(kernel.actual()), before, "foreign objects stay");
        prop_assert_eq!(kernel.wrongs(), [] as [&str; 0]);
        // our own view after the operations, without the kernel's news, says the same
        ops.iter().for_each(|op| view.apply_op(op));
        prop_assert_eq!(diff(&wanted, &view), []);
    }

    #[test]
    fn some_keys_alone_are_brought_in_line_like_all(wanted in objects(), mut kernel in kernel()) {
        let view = kernel.read().unwrap();
        let ops = diff(&wanted, &view);
        let keys: Vec<Key> = ops.iter().map(|op| op.key().clone()).chain(wanted.keys().cloned()).collect();
        let mut some = diff_keys(&wanted, &view, keys.iter());
        some.dedup();
        for op in &ops {
            prop_assert!(some.contains(op));
        }
    }

    #[test]
    fn a_crash_after_any_number_of_operations_converges(wanted in objects(), mut kernel in kernel(), after in 0..20u32) {
        let before = foreign(kernel.actual());
        let ops = diff(&wanted, &kernel.read().unwrap());
        kernel.crash_after(after);
        kernel.apply(&ops);
        prop_assert!(kernel.crashed() || ops.len() < after as usize || ops.is_empty());
        let mut kernel = kernel; // a new life with nothing but what the kernel tells
        kernel.crash_after(u32::MAX);
        let ops = diff(&wanted, &kernel.read().unwrap());
        all_done(&kernel.apply(&ops))?;
        reached(&wanted, kernel.actual())?;
        prop_assert_eq!(foreign(kernel.actual()), before);
    }

    #[test]
    fn nothing_of_ours_is_left_when_nothing_is_wanted(mut kernel in kernel()) {
        let before = foreign(kernel.actual());
        let ops = diff(&Objects::new(), &kernel.read().unwrap());
        all_done(&kernel.apply(&ops))?;
        reached(&Objects::new(), kernel.actual())?;
        prop_assert_eq!(foreign(kernel.actual()), before);
    }

    #[test]
    fn refused_changes_are_tried_again_until_they_work(wanted in objects(), mut kernel in kernel(), refuse in 1..40u32) {
        let (mut retry, mut now) = (Retry::default(), Instant(START.0 + 2_000));
        kernel.refuse(refuse);
        let mut rounds = 0;
        loop {
            let ops = diff(&wanted, &kernel.read().unwrap());
            retry.keep_only(&ops);
            let ops = retry.filter(ops, now);
            let results = kernel.apply(&ops);
            for (op, result) in ops.iter().zip(&results) {
                retry.result(op, result, now);
            }
            prop_assert_eq!(retry.refused(now).len(), results.iter().filter(|r| r.is_err()).count());
            let Some(at) = retry.poll_at() else { break };
            prop_assert!(at.since(now) >= Duration::from_secs(1), "it waits between tries");
            now = at;
            rounds += 1;
            prop_assert!(rounds <= 40);
        }
        reached(&wanted, kernel.actual())?;
    }

    #[test]
    fn after_lost_news_a_full_read_converges(wanted in objects(), kernel in kernel(), ours in objects()) {
        let mut kernel = kernel;
        kernel.news();
        let mut view = kernel.read().unwrap();
        // somebody tampers while the news gets lost
        kernel.apply(&ours.into_iter().map(|(key, value)| Op::Put(key, value)).collect::<Vec<_>>());
        kernel.lose_news();
        prop_assert_eq!(kernel.news(), None);
        view.apply(Change::All(kernel.read().unwrap()));
        all_done(&kernel.apply(&diff(&wanted, &view)))?;
        reached(&wanted, kernel.actual())?;
    }

    #[test]
    fn news_alone_keeps_the_view_true(wanted in objects(), mut kernel in kernel(), link in 1..=LINKS, up in any::<bool>()) {
        kernel.news();
        let mut view = kernel.read().unwrap();
        let ops = diff(&wanted, &view);
        kernel.apply(&ops);
        ops.iter().for_each(|op| view.apply_op(op));
        kernel.set_admin(link, false);
        if up {
            kernel.set_admin(link, true);
        } else {
            kernel.remove_link(link);
        }
        kernel.advance(Instant(START.0 + 60_000));
        for change in kernel.news().unwrap() {
            view.apply(change);
        }
        let truth = kernel.read().unwrap();
        prop_assert_eq!(&view.links, &truth.links);
        prop_assert_eq!(&view.routes, &truth.routes);
        prop_assert_eq!(view.addresses.keys().collect::<Vec<_>>(), truth.addresses.keys().collect::<Vec<_>>());
        prop_assert_eq!(diff(&wanted, &view), diff(&wanted, &truth));
    }

    #[test]
    fn lifetimes_that_only_count_down_change_nothing(wanted in objects(), mut kernel in kernel(), later in 0..90_000u64) {
        let ops = diff(&wanted, &kernel.read().unwrap());
        kernel.apply(&ops);
        kernel.advance(Instant(START.0 + 2_000 + later));
        prop_assert_eq!(diff(&wanted, &kernel.read().unwrap()), []);
    }
}

#[test]
fn addresses_come_before_routes_and_go_after_them() {
    let mut kernel = FakeKernel::new(START);
    kernel.add_link("lan1", None);
    let via = addr(1);
    let wanted = Objects::from([
        delegation_route(prefix(1), &Delegation { link: 1, via }),
        objects::unreachable_route(prefix(1)),
        (
            Key::Address { link: 1, addr: crate::net::with_iid(via, 99) },
            Value::Address { len: 64, lifetimes: Lifetimes::FOREVER },
        ),
    ]);
    let ops = diff(&wanted, &kernel.read().unwrap());
    assert!(matches!(ops.as_slice(), [_, Op::Put(Key::Address { .. }, _), Op::Put(Key::Route { .. }, _)]), "{ops:?}");
    assert_eq!(kernel.apply(&ops), [Ok(()), Ok(()), Ok(())]);
    let ops = diff(&Objects::new(), &kernel.read().unwrap());
    let unreachable = Value::Route(RouteTarget::Unreachable);
    assert!(
        matches!(ops.as_slice(), [Op::Delete(Key::Route { .. }, _), Op::Delete(Key::Address { .. }, _), Op::Delete(_, last)] if *last == unreachable)
    );
}

#[test]
fn a_link_that_is_gone_is_left_alone_and_served_anew_under_its_new_index() {
    let mut kernel = FakeKernel::new(START);
    let old = kernel.add_link("lan1", None);
    let address =
        |link| (Key::Address { link, addr: addr(1) }, Value::Address { len: 64, lifetimes: Lifetimes::FOREVER });
    kernel.apply(&diff(&Objects::from([address(old)]), &kernel.actual().clone()));
    kernel.remove_link(old);
    assert_eq!(diff(&Objects::from([address(old)]), kernel.actual()), []);
    let new = kernel.add_link("lan1", None);
    assert_ne!(new, old);
    assert_eq!(diff(&Objects::from([address(new)]), kernel.actual()).len(), 1);
}

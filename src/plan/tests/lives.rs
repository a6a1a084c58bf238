//! Whole lives of a router, drawn at random: what must hold after whatever happened.

use super::*;
use proptest::prelude::*;

const LANS: [&str; 4] = ["admin", "guest", "home", "iot"];

#[derive(Clone, Debug)]
enum Happening {
    Give(u8, u8, Option<(u16, u16)>),
    Take(u8),
    Lan(usize, bool),
    Enable(usize, bool),
    Device(usize, bool),
    Carrier(usize, bool),
    Delegate(u8, u8),
    Return(u8),
    DefaultRoute(bool),
    Sleep(u16),
    Reboot,
    Ula(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let lan = 0..LANS.len();
    let lifetimes = proptest::option::of((0..9_000u16, 0..20_000u16));
    prop_oneof![
        3 => (0..4u8, 0..5u8, lifetimes).prop_map(|(n, len, lifetimes)| Happening::Give(n, len, lifetimes)),
        2 => (0..4u8).prop_map(Happening::Take),
        3 => (lan.clone(), any::<bool>()).prop_map(|(lan, there)| Happening::Lan(lan, there)),
        1 => (lan.clone(), any::<bool>()).prop_map(|(lan, on)| Happening::Enable(lan, on)),
        1 => (lan.clone(), any::<bool>()).prop_map(|(lan, there)| Happening::Device(lan, there)),
        1 => (lan, any::<bool>()).prop_map(|(lan, there)| Happening::Carrier(lan, there)),
        2 => (0..4u8, 0..40u8).prop_map(|(n, at)| Happening::Delegate(n, at)),
        1 => (0..40u8).prop_map(Happening::Return),
        1 => any::<bool>().prop_map(Happening::DefaultRoute),
        3 => (0..9_000u16).prop_map(Happening::Sleep),
        1 => Just(Happening::Reboot),
        1 => any::<bool>().prop_map(Happening::Ula),
    ]
}

fn site(n: u8, len: u8) -> String {
    let len = [56, 60, 62, 63, 64][usize::from(len)];
    format!("2001:db8:{n}::/{len}")
}

fn apply(world: &mut World, what: &Happening) {
    let device = |world: &World, lan: usize| {
        world.kernel.actual().link_named(&format!("br-{}", LANS[lan])).map(|(index, _)| index)
    };
    match *what {
        Happening::Give(n, len, lifetimes) => {
            let lifetimes = lifetimes.map(|(a, b)| (u64::from(a.min(b)), u64::from(b)));
            world.give(&n.to_string(), &site(n, len), lifetimes);
        }
        Happening::Take(n) => world.take(&n.to_string()),
        Happening::Lan(n, true) => {
            world.config.lans.or_insert_with(LANS[n].into(), || lan(&format!("br-{}", LANS[n])));
        }
        Happening::Lan(n, false) => {
            world.config.lans.remove(LANS[n]);
        }
        Happening::Enable(n, on) => {
            if let Some(lan) = world.config.lans.get_mut(LANS[n]) {
                lan.enabled = on;
            }
        }
        Happening::Device(n, there) => match device(world, n) {
            None if there => {
                world.plug(LANS[n], u8::try_from(n).unwrap());
            }
            Some(link) if !there => world.kernel.remove_link(link),
            _ => {}
        },
        Happening::Carrier(n, there) => {
            if let Some(link) = device(world, n) {
                world.kernel.set_carrier(link, there);
            }
        }
        Happening::Delegate(n, at) => {
            // as the server does: only what is free in a pool
            world.facts.actual = world.kernel.read().unwrap();
            let plan = desired(&world.config, &world.facts, world.now);
            let Some((link, served)) = plan.dhcp6.links.iter().next() else { return };
            let Some(pool) = served.pools.get(usize::from(n)) else { return };
            let Some(part) = pool.prefix.subnet(at.into(), 64.min(pool.prefix.len() + 4)) else { return };
            let taken = pool.reserved.iter().chain(world.facts.delegations.keys()).any(|other| other.overlaps(&part));
            if !taken {
                world.facts.delegations.insert(part, Delegation { link: *link, via: a("fe80::9") });
            }
        }
        Happening::Return(n) => {
            if let Some(prefix) = world.facts.delegations.keys().nth(n.into()).copied() {
                world.facts.delegations.remove(&prefix);
            }
        }
        Happening::DefaultRoute(true) => {
            world.kernel.add_foreign_route(default_route(), RouteTarget::Other);
        }
        Happening::DefaultRoute(false) => world.kernel.remove_route(&default_route()),
        Happening::Sleep(seconds) => world.sleep(seconds.into()),
        Happening::Reboot => {
            world.kernel.reboot();
            world.facts.delegations.clear();
        }
        Happening::Ula(on) => world.config.ula = if on { Ula::Auto } else { Ula::Off },
    }
}

/// What must hold of every plan.
fn check(world: &World, plan: &Desired) -> Result<(), TestCaseError> {
    let mut owners = BTreeMap::new();
    for (name, lan) in &plan.lans {
        for prefix in lan.prefixes.iter().filter(|prefix| prefix.router.is_some()) {
            prop_assert_eq!(owners.insert(prefix.prefix, name), None, "two LANs share {}", prefix.prefix);
        }
        let mut known = std::collections::BTreeSet::new();
        for info in lan.ra.iter().flat_map(|ra| &ra.prefixes) {
            prop_assert!(known.insert(info.prefix), "{} stands there twice", info.prefix);
            let alive = lan.prefixes.iter().any(|on| on.prefix == info.prefix && on.router.is_some());
            prop_assert_eq!(alive, info.max_valid > 0, "{} is announced wrongly", info.prefix);
        }
        prop_assert!(lan.ra.is_none() || lan.why.is_empty());
    }
    for link in plan.dhcp6.links.values() {
        for pool in &link.pools {
            let inside = |prefix: &&Prefix| pool.prefix.covers(prefix);
            for prefix in owners.keys().filter(inside) {
                prop_assert!(pool.reserved.contains(prefix), "{prefix} could be delegated");
            }
            for other in
                link.pools.iter().map(|other| &other.prefix).filter(|other| **other != pool.prefix).filter(inside)
            {
                prop_assert!(pool.reserved.contains(other));
            }
        }
    }
    for served in plan.served.iter().filter(|served| !served.live) {
        prop_assert!(!served.until.is_over(world.now));
        prop_assert!(
            owners
                .get(&served.prefix)
                .is_none_or(|owner| **owner != served.lan || !plan.lans[&served.lan].why.is_empty())
        );
    }
    prop_assert!(plan.recheck_at.is_none_or(|at| at > world.now));
    Ok(())
}

/// What each LAN that hosts are on has of each source.
fn numbering(plan: &Desired) -> BTreeMap<(String, String), Prefix> {
    let served = plan.lans.iter().filter(|(_, lan)| lan.why.is_empty());
    let all = served
        .flat_map(|(name, lan)| lan.prefixes.iter().map(move |on| ((name.clone(), on.source.clone()), on.prefix)));
    all.filter(|((_, source), _)| source != "gone").collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_plan_is_sound(life in proptest::collection::vec(happening(), 1..60)) {
        let mut world = World::new(&LANS);
        for what in &life {
            apply(&mut world, what);
            world.facts.actual = world.kernel.read().unwrap();
            let plan = desired(&world.config, &world.facts, world.now);
            check(&world, &plan)?;

            // the same facts give the same plan, and its memory gives itself
            prop_assert_eq!(&plan, &desired(&world.config, &world.facts, world.now));
            let made = world.plan();
            let again = world.plan();
            prop_assert_eq!(&made.served, &again.served);
            prop_assert!(made.objects.keys().eq(again.objects.keys()));
            prop_assert_eq!(numbering(&made), numbering(&again));

            // the kernel is as wanted, and what happened of itself since needs nothing done
            world.sleep(2);
            if again.recheck_at.is_none_or(|at| at > world.now) {
                world.facts.actual = world.kernel.read().unwrap();
                let later = desired(&world.config, &world.facts, world.now);
                prop_assert_eq!(diff(&later.objects, &world.facts.actual), []);
            }
            prop_assert_eq!(world.kernel.wrongs(), [] as [&str; 0]);
        }
    }

    #[test]
    fn whatever_comes_and_goes_renumbers_no_lan(life in proptest::collection::vec(happening(), 1..60)) {
        let prefixes = |world: &World| -> BTreeMap<String, Prefix> {
            sources(&world.config, &world.facts).into_iter().map(|source| (source.source, source.prefix)).collect()
        };
        let mut world = World::new(&LANS);
        let mut before = (numbering(&world.plan()), prefixes(&world));
        for what in &life {
            apply(&mut world, what);
            let after = (numbering(&world.plan()), prefixes(&world));
            for ((lan, source), prefix) in &after.0 {
                if let Some(was) = before.0.get(&(lan.clone(), source.clone()))
                    && before.1.get(source) == after.1.get(source)
                {
                    prop_assert_eq!(was, prefix, "{} {}", lan, source);
                }
            }
            before = after;
        }
    }

    #[test]
    fn hosts_hear_the_end_of_every_prefix_they_were_told_of(life in proptest::collection::vec(happening(), 1..60)) {
        // what hosts on each LAN may still hold, and until when at the latest
        let mut held: BTreeMap<(String, Prefix), Instant> = BTreeMap::new();
        let mut world = World::new(&LANS);
        for what in &life {
            apply(&mut world, what);
            let plan = world.plan();
            held.retain(|_, until| *until > world.now);
            for (name, lan) in &plan.lans {
                let Some(ra) = &lan.ra else { continue };
                for info in &ra.prefixes {
                    let key = (name.clone(), info.prefix);
                    if info.max_valid > 0 {
                        held.insert(key, world.now.after_secs(info.max_valid.into()));
                    } else {
                        held.remove(&key);
                    }
                }
                let silent: Vec<_> = held.keys().filter(|(on, prefix)| on == name && ra.prefixes.iter().all(|info| info.prefix != *prefix)).collect();
                prop_assert!(silent.is_empty(), "{name} hears nothing of {silent:?}");
            }
        }
    }

    #[test]
    fn time_alone_changes_nothing_before_the_plan_is_due(life in proptest::collection::vec(happening(), 1..30), part in 1..100u64) {
        let mut world = World::new(&LANS);
        for what in &life {
            apply(&mut world, what);
            world.plan();
        }
        let plan = world.plan();
        let Some(due) = plan.recheck_at else { return Ok(()) };
        let later = Instant(world.now.0 + (due.0 - 1 - world.now.0) * part / 100);
        prop_assert_eq!(plan, desired(&world.config, &world.facts, later));
    }
}

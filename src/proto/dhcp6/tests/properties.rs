//! Random clients, messages, times, configurations and restarts: what must hold whatever happens.

use super::*;
use crate::config::HostDuid;
use crate::net::Until;
use MessageType::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Asks for an address and a prefix in two messages or four.
    Join {
        client: u16,
        rapid: bool,
        iaid: u32,
        len: u8,
    },
    /// Sends a message with whatever listed.
    Say {
        client: u16,
        kind: MessageType,
        iaid: u32,
        address: u8,
        prefix: u8,
        len: u8,
    },
    /// Extends what it has.
    Extend {
        client: u16,
        kind: MessageType,
        link: u32,
    },
    /// Gives back what it has, or says it is in use elsewhere.
    GiveUp {
        client: u16,
        kind: MessageType,
    },
    Register {
        client: u16,
        address: u8,
        valid: u32,
    },
    Pass(u64),
    Restart,
    /// A restart that comes back without every third binding: the power failed before they were on flash.
    PowerCut,
    Configure(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 1..7u16;
    let extend = prop::sample::select(vec![Renew, Rebind]);
    let any_kind = prop::sample::select(vec![Solicit, Request, Renew, Rebind, Release, Decline, Confirm]);
    prop_oneof![
        3 => (client.clone(), any::<bool>(), 0..2u32, 60..66u8)
            .prop_map(|(client, rapid, iaid, len)| Step::Join { client, rapid, iaid, len }),
        3 => (client.clone(), any_kind, 0..2u32, 0..12u8, 0..20u8, 60..66u8).prop_map(
            |(client, kind, iaid, address, prefix, len)| Step::Say { client, kind, iaid, address, prefix, len }
        ),
        3 => (client.clone(), extend, prop::sample::select(vec![HOME, GUEST]))
            .prop_map(|(client, kind, link)| Step::Extend { client, kind, link }),
        1 => (client.clone(), prop::sample::select(vec![Release, Decline]))
            .prop_map(|(client, kind)| Step::GiveUp { client, kind }),
        1 => (client, 0..12u8, prop::sample::select(vec![0, 60, 3000, u32::MAX]))
            .prop_map(|(client, address, valid)| Step::Register { client, address, valid }),
        2 => prop::sample::select(vec![0, 1, 59, 300, 601, 1200, 90_000]).prop_map(Step::Pass),
        1 => Just(Step::Restart),
        1 => Just(Step::PowerCut),
        1 => (0..7u8).prop_map(Step::Configure),
    ]
}

/// What variant 3 reserves for clients 1 and 2, which are one host.
const RESERVED: [&str; 3] = ["2001:db8:0:1::5", "2001:db8:0:2::5", "2001:db8:f:4::/62"];

/// Little room, so that everybody is in everybody's way.
fn variant(number: u8, now: Instant) -> Config {
    let mut config = config();
    for link in config.links.values_mut() {
        link.options.range = (2, 9);
        link.options.delegated_min_len = 61;
        link.pools = vec![pool("2001:db8:f::/60", &["2001:db8:f:3::/64"])];
    }
    let home = config.links.get_mut(&HOME).unwrap();
    match number {
        1 => home.pools = vec![pool("2001:db8:e::/61", &[])],
        2 => home.subnets[0].lifetimes = Lifetimes::new(Until::At(now), Until::At(now.after_secs(700))),
        3 => {
            // one host with two operating systems
            let duids = [1, 2].map(|number| Duid::new(&msg(Solicit, number).client.unwrap()).unwrap());
            config.hosts = vec![Host {
                section: "one".into(),
                name: String::new(),
                aliases: Vec::new(),
                duids: duids.into_iter().map(|duid| HostDuid { duid, iaid: None }).collect(),
                macs: vec![],
                host_id: Some(5),
                addresses: vec![],
                prefix: Some(p("2001:db8:f:4::/62")),
            }];
        }
        4 => home.subnets = vec![subnet("2001:db8:f:6::/64"), subnet("2001:db8:0:1::/64")],
        5 => home.options.rapid_commit = false,
        6 => home.options.valid_lifetime = u32::MAX,
        _ => {}
    }
    config
}

/// What clients believe, beside the server.
struct World {
    rig: Rig,
    config: Config,
    /// What each client thinks it has, and until when.
    believed: BTreeMap<(u16, u16, u32, String), Until>,
}

impl World {
    fn new() -> World {
        let config = variant(0, START);
        World { rig: Rig::new(config.clone()), config, believed: BTreeMap::new() }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Join { client, rapid, iaid, len } => {
                let hint = format!("::/{len}");
                let solicit = msg(Solicit, client).na(iaid, &[]).pd(iaid, &[&hint]);
                if rapid {
                    self.say(client, solicit.with(option::RAPID_COMMIT, &[]));
                } else {
                    let offer = self.say(client, solicit.clone()).unwrap();
                    let again = self.say(client, solicit).unwrap();
                    assert_eq!(offer.leases(), again.leases());
                    let request = msg(Request, client).for_us().na(iaid, &[]).pd(iaid, &[&hint]);
                    let reply = self.say(client, request.clone()).unwrap();
                    assert_eq!(reply.leases(), offer.leases());
                    assert_eq!(self.say(client, request).unwrap().leases(), reply.leases());
                }
            }
            Step::Say { client, kind, iaid, address, prefix, len } => {
                let address = format!("2001:db8:0:1::{address:x}");
                let prefix = format!("2001:db8:f:{prefix:x}::/{len}");
                let said = msg(kind, client).na(iaid, &[&address]).pd(iaid, &[&prefix]);
                let names_us = matches!(kind, Request | Renew | Release | Decline);
                self.say(client, if names_us { said.for_us() } else { said });
            }
            Step::Extend { client, kind, link } => {
                let said = self.with_all(msg(kind, client).on(link), client);
                self.say(client, if kind == Renew { said.for_us() } else { said });
            }
            Step::GiveUp { client, kind } => {
                let said = self.with_all(msg(kind, client).for_us(), client);
                self.say(client, said);
                self.believed
                    .retain(|(holder, code, ..), _| *holder != client || kind == Decline && *code == option::IA_PD);
            }
            Step::Register { client, address, valid } => {
                let address = format!("2001:db8:0:1::{address:x}");
                self.rig.send(registration(client, &address, valid, valid));
            }
            Step::Pass(seconds) => {
                // by way of every wake-up that the server asks for
                let end = self.rig.now.after_secs(seconds);
                let mut wakes = 0;
                while let Some((at, _)) = self.rig.server.poll_at().filter(|(at, _)| *at <= end) {
                    assert!(at > self.rig.now, "it wants to be woken again at once");
                    self.rig.now = at;
                    self.rig.pass(0);
                    assert!(self.rig.out.iter().any(|action| matches!(action, Action::Record(Record::Delete(_)))));
                    wakes += 1;
                    assert!(wakes < 1000);
                }
                self.rig.now = end;
                self.rig.pass(0);
                assert_eq!(self.rig.out, vec![], "nothing was due");
                self.believed.retain(|_, until| !until.is_over(end));
            }
            Step::Restart => self.rig.restart(self.config.clone()),
            Step::PowerCut => {
                let mut turn = 0;
                let lost: Vec<Resource> = self.rig.journal.keys().copied().collect();
                for resource in lost {
                    turn += 1;
                    if turn % 3 == 0 {
                        self.rig.journal.remove(&resource);
                    }
                }
                self.rig.server = Server::new(self.config.clone(), 5, self.rig.now);
                self.rig.routes.clear();
                self.rig.out.clear();
                let bindings = self.rig.journal.values().cloned().collect();
                self.rig.server.restore(bindings, self.rig.now, &mut self.rig.out);
                self.rig.take();
                // a client that lost its binding has nothing to be sure of until it hears from us again
                self.believed.retain(|(_, _, _, resource), _| {
                    self.rig.journal.keys().any(|key| resource_text(*key) == *resource)
                });
            }
            Step::Configure(number) => {
                self.config = variant(number, self.rig.now);
                self.rig.reconfigure(self.config.clone());
            }
        }
        self.check();
    }

    fn with_all(&self, msg: Msg, client: u16) -> Msg {
        let mine = self.believed.keys().filter(|(holder, ..)| *holder == client);
        mine.fold(msg, |msg, (_, code, iaid, resource)| {
            let mut msg = msg;
            match msg.ias.iter_mut().find(|(known, id, _)| known == code && id == iaid) {
                Some((.., listed)) => listed.push(resource.clone()),
                None => msg.ias.push((*code, *iaid, vec![resource.clone()])),
            }
            msg
        })
    }

    /// Sends a message and believes the answer.
    fn say(&mut self, client: u16, said: Msg) -> Option<Seen> {
        if matches!(said.kind, Release | Decline) {
            for (code, iaid, listed) in
                said.ias.iter().filter(|(code, ..)| said.kind == Release || *code == option::IA_NA)
            {
                for resource in listed {
                    self.believed.remove(&(client, *code, *iaid, without_bits_behind(resource)));
                }
            }
        }
        let seen = self.rig.send(said)?;
        let mut promised: Vec<Resource> = Vec::new();
        for action in &self.rig.out {
            match action {
                Action::Record(Record::Put(binding)) => promised.push(binding.resource),
                Action::Send { commits, .. } => assert!(*commits || promised.is_empty()),
                _ => {}
            }
        }
        if seen.kind == Advertise {
            assert_eq!(promised, vec![]);
            return Some(seen);
        }
        for ia in &seen.ias {
            assert!(ia.times.0 <= ia.times.1);
            for (resource, preferred, valid) in &ia.leases {
                assert!(preferred <= valid);
                let key = (client, ia.code, ia.iaid, resource.clone());
                if *valid == 0 {
                    self.believed.remove(&key);
                    continue;
                }
                if client < 3 && RESERVED.contains(&resource.as_str()) {
                    // the host runs one system at a time
                    self.believed
                        .retain(|(holder, .., other), _| *holder > 2 || *holder == client || other != resource);
                }
                self.believed.insert(key, Until::from_wire(*valid, self.rig.now));
                let (binding, before) = self.binding(resource);
                assert!(before, "{resource} was promised before it was recorded");
                assert_eq!(binding.client.as_bytes(), msg(Solicit, client).client.unwrap());
                assert_eq!((binding.iaid, binding.state), (ia.iaid, State::Bound));
                assert!(binding.lifetimes.valid >= Until::from_wire(*valid, self.rig.now));
            }
        }
        Some(seen)
    }

    /// The journal's binding of that name, and whether this turn's records had it before the message was sent.
    fn binding(&self, resource: &str) -> (Binding, bool) {
        let binding = self.rig.journal.values().find(|binding| resource_text(binding.resource) == resource);
        let sent = self.rig.out.iter().position(|action| matches!(action, Action::Send { .. })).unwrap();
        let recorded = self.rig.out.iter().take(sent).any(|action| match action {
            Action::Record(Record::Put(binding)) => resource_text(binding.resource) == resource,
            _ => false,
        });
        (binding.unwrap().clone(), recorded)
    }

    fn check(&self) {
        let rig = &self.rig;
        let bindings = rig.bindings();
        let span = |resource: Resource| match resource {
            Resource::Address(address) => Prefix::new(address, 128).unwrap(),
            Resource::Prefix(prefix) => prefix,
        };
        // in order, so neighbours are enough
        for pair in bindings.windows(2) {
            assert!(!span(pair[0].resource).overlaps(&span(pair[1].resource)), "{pair:?}");
        }
        assert_eq!(bindings.iter().map(|b| (b.resource, b.clone())).collect::<BTreeMap<_, _>>(), rig.journal);
        assert_eq!(rig.server.status(rig.now).bindings.total(), bindings.len());
        let ends = bindings.iter().filter_map(|binding| match binding.lifetimes.valid {
            Until::At(end) => Some(end),
            Until::Forever => None,
        });
        assert_eq!(rig.server.poll_at().map(|(at, _)| at), ends.min());

        let links = self.config.links.values();
        let pools: Vec<&Pool> = links.clone().flat_map(|link| &link.pools).collect();
        let on_link: Vec<Prefix> = links.flat_map(|link| &link.subnets).map(|subnet| subnet.prefix).collect();
        for (prefix, to) in &rig.routes {
            let binding = &rig.journal[&Resource::Prefix(*prefix)];
            assert_eq!((binding.state, binding.via), (State::Bound, to.via));
            assert_eq!(self.config.links[&to.link].lan, binding.lan);
            let ours = |pool: &&&Pool| {
                pool.prefix.covers(prefix) && !pool.reserved.iter().any(|reserved| reserved.overlaps(prefix))
            };
            assert!(pools.iter().any(|pool| ours(&pool)), "{prefix} is not ours");
            assert!(!on_link.iter().any(|net| net.overlaps(prefix)), "{prefix} is a LAN's");
        }
        // what one client may use no other one may
        let believed: Vec<_> = self.believed.keys().collect();
        for (index, (one, _, _, resource)) in believed.iter().enumerate() {
            for (other, _, _, overlapping) in believed.iter().skip(index + 1) {
                let both = parse(resource).overlaps(&parse(overlapping));
                let one_host = [*one, *other] == [1, 2] && RESERVED.contains(&resource.as_str());
                assert!(
                    one == other || one_host || !both,
                    "client {one} has {resource}, client {other} has {overlapping}"
                );
            }
        }
    }
}

fn resource_text(resource: Resource) -> String {
    match resource {
        Resource::Address(address) => address.to_string(),
        Resource::Prefix(prefix) => prefix.to_string(),
    }
}

/// Bits behind a prefix's length count for nothing (RFC 9915 §21.22).
fn without_bits_behind(resource: &str) -> String {
    match resource.split_once('/') {
        Some((address, len)) => Prefix::new(a(address), len.parse().unwrap()).unwrap().to_string(),
        None => resource.into(),
    }
}

fn parse(resource: &str) -> Prefix {
    resource.parse().unwrap_or_else(|_| Prefix::new(a(resource), 128).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn nothing_is_ever_given_to_two(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        // and replaying the records gives the same table
        world.take(&Step::Restart);
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        mangle in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        kind in prop::sample::select(MessageType::ALL.to_vec()),
        multicast: bool
    ) {
        let mut rig = Rig::new(config());
        rig.ask(msg(Request, 1).for_us().na(1, &[]).pd(1, &[]));
        rig.deliver(&Msg { multicast, ..msg(kind, 1) }, &bytes);
        let mut valid = msg(kind, 1).na(1, &["2001:db8:0:1::1234"]).pd(1, &["::/60"]).asks(&[23, 39]).for_us();
        for server in [valid.server.take(), None] {
            valid.server = server;
            let mut bytes = valid.bytes();
            for (at, byte) in &mangle {
                *at.get_mut(&mut bytes) = *byte;
            }
            rig.deliver(&Msg { multicast, ..msg(kind, 1) }, &bytes);
        }
        prop_assert!(rig.bindings().len() <= 8);
    }
}

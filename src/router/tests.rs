mod naming;
mod sharing;

use super::*;
use crate::kernel::Kernel;
use crate::kernel::fake::FakeKernel;
use crate::net::{ALL_NODES, Mac};
use crate::plan::Change;
use crate::plan::{AddressState, RouteTarget, Tag};
use crate::proto::names;

const LAN: &str = "config oasis6\n option enabled 1\nconfig lan home\n option device lan0\n";

/// A router and its kernel, with everything else written down.
pub(super) struct Rig {
    pub(super) router: Router,
    pub(super) kernel: FakeKernel,
    pub(super) now: Instant,
    /// OpenWrt interface name → device.
    pub(super) interfaces: FlatMap<String, String>,
    lan: u32,
    /// Router advertisements: when, to whom, router lifetime.
    said: Vec<(Instant, Ipv6Addr, u16)>,
    pub(super) applied: usize,
    remembered: usize,
    /// What was done, in this order.
    done: Vec<&'static str>,
    /// The disk is full.
    full: bool,
    /// Zones as they were last told.
    zones: FlatMap<String, names::Zone>,
    told_zones: usize,
    surveys: usize,
}

impl Rig {
    pub(super) fn new(config: &str) -> Rig {
        let now = Instant(1_000_000);
        let mut kernel = FakeKernel::new(now);
        let lan = kernel.add_link("lan0", Some(Mac([2, 0, 0, 0, 0, 1])));
        let entropy = Entropy { seed: 7, ula: [1, 2, 3, 4, 5], duid: [9; 16], secret: [3; 16] };
        let router = Router::new(Memory::default(), Vec::new(), entropy, now, &mut Vec::new());
        let said = Vec::new();
        let interfaces = FlatMap::new();
        let mut rig = Rig {
            router,
            kernel,
            now,
            interfaces,
            lan,
            said,
            applied: 0,
            remembered: 0,
            done: Vec::new(),
            full: false,
            zones: FlatMap::new(),
            told_zones: 0,
            surveys: 0,
        };
        rig.configure(config);
        rig.run(20_000);
        rig
    }

    pub(super) fn configure(&mut self, text: &str) {
        let config = Box::new(crate::config::read(text.as_bytes()).config.unwrap());
        self.take(Event::Configure { config, interfaces: self.interfaces.clone() });
    }

    pub(super) fn take(&mut self, event: Event<'_>) {
        let mut out = Vec::new();
        self.router.handle(event, self.now, &mut out);
        self.turn(out);
    }

    fn turn(&mut self, mut out: Vec<Action>) {
        if self.kernel.has_news() {
            let news = self.kernel.news().unwrap_or_else(|| vec![Change::All(self.kernel.read().unwrap())]);
            self.router.handle(Event::Kernel(news), self.now, &mut out);
        }
        self.router.settle(self.now, &mut out);
        carry_out(self, &mut out, self.now);
    }

    /// Lets so many milliseconds pass.
    pub(super) fn run(&mut self, millis: u64) {
        let end = Instant(self.now.0 + millis);
        loop {
            let router = self.router.poll_at().map(|(at, _)| at);
            let news = self.kernel.has_news().then_some(self.now);
            let next = router.into_iter().chain(self.kernel.poll_at()).chain(news).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next.max(self.now);
            self.kernel.advance(self.now);
            self.turn(Vec::new());
        }
        self.now = end;
    }

    fn default_route(&mut self, there: bool) {
        let key = Key::Route { table: 254, dst: crate::net::Prefix::ALL, src: crate::net::Prefix::ALL, metric: 1024 };
        let wan = self.kernel.actual().link_named("wan").map(|(index, _)| index).unwrap();
        let gateway = "fe80::1".parse().unwrap();
        if there {
            self.kernel.add_foreign_route(key, RouteTarget::Via { link: wan, gateway });
        } else {
            self.kernel.remove_route(&key);
        }
        self.turn(Vec::new());
    }

    fn ours(&self) -> usize {
        let actual = self.kernel.actual();
        let addresses = actual.addresses.values().filter(|address| address.tag == Tag::Ours).count();
        addresses + actual.routes.values().filter(|route| route.tag == Tag::Ours).count()
    }
}

impl Hands for Rig {
    fn router(&mut self) -> &mut Router {
        &mut self.router
    }

    fn remember(&mut self, _: &Memory, _: Instant) {
        self.remembered += 1;
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        self.done.push("apply");
        self.applied += ops.len();
        self.kernel.apply(ops)
    }

    fn tell(&mut self, _: &Notice, _: Instant) {}

    fn commit(&mut self, _: &[dhcp6::Record], _: Instant) -> bool {
        self.done.push("commit");
        !self.full
    }

    fn send(&mut self, packets: Vec<Action>) {
        for packet in packets {
            match packet {
                Action::SendNd { to, bytes, .. } => {
                    self.said.push((self.now, to, u16::from_be_bytes([bytes[6], bytes[7]])));
                }
                Action::SendDhcp6 { .. } => self.done.push("reply"),
                Action::Survey { .. } => self.surveys += 1,
                Action::Zones(changes) => {
                    self.told_zones += 1;
                    for change in changes {
                        match change {
                            names::Change::Is(zone) => _ = self.zones.insert(zone.origin.to_string(), zone),
                            names::Change::Gone(name) => _ = self.zones.remove(&name.to_string()),
                        }
                    }
                }
                // nobody is at the other end of an uplink
                Action::SendDhcp6Client { .. }
                | Action::SendEcho { .. }
                | Action::Count { .. }
                | Action::LookUp { .. }
                | Action::Neighbours { .. }
                | Action::ForgetFlows(_) => {}
                other => panic!("{other:?} is nothing to send"),
            }
        }
    }
}

#[test]
fn the_journal_is_written_after_the_kernel_and_before_the_wire() {
    let mut rig = Rig::new(LAN);
    let reply = |commits| Action::SendDhcp6 { link: 1, to: ALL_NODES, port: 546, bytes: vec![], commits };
    let key = Key::Sysctl("net/ipv6/conf/lan0/accept_ra".into());
    for (full, replies) in [(false, vec!["reply", "reply"]), (true, vec!["reply"])] {
        (rig.full, rig.done) = (full, Vec::new());
        let record = dhcp6::Record::Delete(dhcp6::Resource::Address(ALL_NODES));
        let apply = Action::Apply(vec![Op::Put(key.clone(), plan::Value::Sysctl("0".into()))]);
        let mut out = vec![reply(true), reply(false), Action::Record(record), apply];
        carry_out(&mut rig, &mut out, Instant(0));
        assert_eq!(rig.done, [vec!["apply", "commit"], replies].concat());
        assert_eq!(out, []);
    }
}

// MUST RFC 4861 §6.2.8: with a new link-local address a router's advertisements come from that address at once
#[test]
fn a_new_link_local_address_is_announced_at_once() {
    let mut rig = Rig::new(LAN);
    let was = rig.router.link_local(rig.lan).unwrap();
    rig.run(60_000);
    rig.said.clear();
    rig.kernel.remove_address(rig.lan, was);
    rig.kernel.add_foreign_address(rig.lan, "fe80::77".parse().unwrap(), 64, Lifetimes::FOREVER);
    rig.run(100);
    assert_eq!(rig.router.link_local(rig.lan), Some("fe80::77".parse().unwrap()));
    assert_eq!(rig.said.first().map(|(_, to, _)| *to), Some(ALL_NODES));
}

#[test]
fn disabling_takes_everything_back_and_says_good_bye() {
    let mut rig = Rig::new(LAN);
    assert!(rig.ours() >= 2);
    rig.said.clear();
    rig.configure(&LAN.replace("enabled 1", "enabled 0"));
    rig.run(20_000);
    assert_eq!(rig.ours(), 0);
    assert!(rig.kernel.wrongs().is_empty());
    assert!((1..=3).contains(&rig.said.len()), "{:?}", rig.said);
    assert!(rig.said.iter().all(|(_, to, lifetime)| *to == ALL_NODES && *lifetime == 0));
    assert_eq!(rig.router.poll_at().map(|(_, why)| why), None);
}

#[test]
fn a_route_that_flaps_a_thousand_times_disturbs_nobody() {
    let mut rig = Rig::new(&format!("{LAN}config prefix p\n option prefix 2001:db8::/56\n"));
    rig.kernel.add_link("wan", Some(Mac([2, 0, 0, 0, 0, 2])));
    rig.default_route(true);
    rig.run(60_000);
    assert_eq!(rig.said.last().map(|(_, _, lifetime)| *lifetime), Some(1800));
    let (said, applied, remembered) = (rig.said.len(), rig.applied, rig.remembered);
    for _ in 0..1_000 {
        rig.default_route(false);
        rig.default_route(true);
    }
    rig.run(3_000);
    assert_eq!(rig.applied, applied, "the kernel was changed");
    assert_eq!(rig.remembered, remembered, "flash was written");
    assert!(rig.said.len() <= said + 2, "{:?}", &rig.said[said..]);
    assert_eq!(rig.said.last().map(|(_, _, lifetime)| *lifetime), Some(1800));
}

#[test]
fn what_the_kernel_refuses_is_shown_and_tried_again() {
    let mut rig = Rig::new(LAN);
    rig.kernel.refuse(1);
    rig.configure(&format!("{LAN}config prefix p\n option prefix 2001:db8::/64\n"));
    rig.run(200);
    let refused = rig.router.status(rig.now)["kernel"]["refused"].clone();
    assert_eq!(refused.as_array().map(Vec::len), Some(1), "{refused}");
    rig.run(5_000);
    assert_eq!(rig.router.status(rig.now)["kernel"]["refused"], serde_json::json!([]));
    let addr = "2001:db8::1".parse().unwrap();
    let address = rig.kernel.actual().addresses.get(&(rig.lan, addr)).map(|address| address.state);
    assert_eq!(address, Some(AddressState::Ready));
}

#[test]
fn a_lan_that_comes_back_before_the_good_bye_is_over_is_welcome() {
    let mut rig = Rig::new(LAN);
    rig.configure("config oasis6\n option enabled 1\n");
    rig.configure(LAN);
    rig.said.clear();
    rig.run(30_000);
    assert!(!rig.said.is_empty());
    assert!(rig.router.status(rig.now)["lans"][0]["ra"]["multicasts"].as_u64() >= Some(1));
    let last = rig.said.iter().map(|(at, _, _)| at.0).collect::<Vec<_>>();
    assert!(last.windows(2).all(|pair| pair[1] - pair[0] >= 3_000), "{last:?}");
}

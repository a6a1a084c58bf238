use crate::kernel::fake::FakeKernel;
use crate::kernel::{Kernel, Refusal};
use crate::net::{FlatMap, Instant, Key32, Lifetimes, Mac, Prefix, Until};
use crate::plan::{Change, Key, Op, RouteTarget, Value};
use crate::proto::{dhcp6, uplink};
use crate::router::{Action, Entropy, Event, Hands, Notice, Router, carry_out};
use crate::store::Memory;
use crate::wire::dhcp6::MessageType;
use crate::wire::nd::{self, Message, NdOption};
use std::net::Ipv6Addr;

const STATIC: &str = "config uplink a\n option type static\n option device wan\n list prefix 2001:db8:a::/56\n\
    list address 2001:db8:a:ffff::2/64\n option gateway fe80::1\n";
const NATIVE: &str = "config uplink a\n option type native\n option device wan\n";

/// A router that is restarted over and over, and its kernel.
struct Rig {
    router: Router,
    kernel: FakeKernel,
    now: Instant,
    memory: Memory,
    wan: u32,
    lan: u32,
    config: String,
    /// Whether echo requests are answered.
    answers: bool,
    echoes: Vec<(u32, Ipv6Addr, u16, u16)>,
    /// Operations that were done.
    applied: Vec<Op>,
    /// Preferred lifetimes of prefixes that the LAN was told.
    said: Vec<(Prefix, u32)>,
    /// Messages of the DHCPv6 client.
    asked: Vec<u8>,
}

impl Rig {
    fn new(uplink: &str) -> Rig {
        let now = Instant(1_000_000);
        let mut kernel = FakeKernel::new(now);
        let lan = kernel.add_link("lan0", Some(Mac([2, 0, 0, 0, 0, 1])));
        let wan = kernel.add_link("wan", Some(Mac([2, 0, 0, 0, 0, 2])));
        kernel.advance(now);
        let config = format!(
            "config oasis6\n option enabled 1\nconfig lan home\n option device lan0\n option ula off\n{uplink}"
        );
        let mut rig = Rig {
            router: fresh(Memory::default(), now),
            kernel,
            now,
            memory: Memory::default(),
            wan,
            lan,
            config,
            answers: true,
            echoes: Vec::new(),
            applied: Vec::new(),
            said: Vec::new(),
            asked: Vec::new(),
        };
        rig.restart();
        rig.run(20_000);
        rig
    }

    /// Another process, on the same kernel.
    fn restart(&mut self) {
        self.router = fresh(self.memory.clone(), self.now);
        (self.applied, self.said, self.asked) = (Vec::new(), Vec::new(), Vec::new());
        let actual = self.kernel.read().unwrap();
        let _ = self.kernel.news();
        let config = Box::new(crate::config::read(self.config.as_bytes()).config.unwrap());
        let mut out = Vec::new();
        self.router.handle(Event::Kernel(vec![Change::All(actual)]), self.now, &mut out);
        self.router.handle(Event::Configure { config, interfaces: FlatMap::new() }, self.now, &mut out);
        self.turn(out);
    }

    /// Another process that finds all as it left it, and leaves it so.
    fn restart_changes_nothing(&mut self) {
        self.restart();
        assert_eq!(self.role(), "active");
        self.run(60_000);
        assert_eq!(self.applied, []);
        assert!(!self.said.is_empty() && self.said.iter().all(|(_, preferred)| *preferred > 0), "{:?}", self.said);
    }

    fn turn(&mut self, mut out: Vec<Action>) {
        if self.kernel.has_news() {
            let news = self.kernel.news().unwrap_or_else(|| vec![Change::All(self.kernel.read().unwrap())]);
            self.router.handle(Event::Kernel(news), self.now, &mut out);
        }
        for (link, from, identifier, sequence) in std::mem::take(&mut self.echoes) {
            let event = uplink::Event::EchoReply { from, identifier, sequence };
            self.router.handle(Event::Watch { link, event }, self.now, &mut out);
        }
        self.router.settle(self.now, &mut out);
        carry_out(self, &mut out, self.now);
    }

    fn run(&mut self, millis: u64) {
        let end = Instant(self.now.0 + millis);
        loop {
            let router = self.router.poll_at().map(|(at, _)| at);
            let news = (self.kernel.has_news() || !self.echoes.is_empty()).then_some(Instant(self.now.0 + 1));
            let next = router.into_iter().chain(self.kernel.poll_at()).chain(news).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next.max(self.now);
            self.kernel.advance(self.now);
            self.turn(Vec::new());
        }
        self.now = end;
    }

    /// What a native uplink left in the kernel: a route of the prefix and an address of ours in it on the LAN.
    fn leave(&mut self, prefix: &str, preferred: u64) {
        let until = |seconds| Until::At(self.now.after_secs(seconds));
        let lifetimes = Lifetimes { preferred: until(preferred), valid: until(3_600) };
        let prefix: Prefix = prefix.parse().unwrap();
        let addr = Ipv6Addr::from(u128::from(prefix.addr()) | 1);
        let via = RouteTarget::Via { link: self.wan, gateway: "fe80::1".parse().unwrap() };
        let leased = Key::Address { link: self.wan, addr: "2001:db8:ffff::9".parse().unwrap() };
        let results = self.kernel.apply(&[
            Op::Put(Key::Address { link: self.lan, addr }, Value::Address { len: 64, lifetimes }),
            Op::Put(leased, Value::Address { len: 128, lifetimes }),
            Op::Put(Key::Route { table: 254, dst: Prefix::ALL, src: prefix, metric: 1024 }, Value::Route(via)),
        ]);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        self.kernel.advance(self.now);
    }

    fn deleted(&self) -> Vec<&Op> {
        self.applied.iter().filter(|op| matches!(op, Op::Delete(..))).collect()
    }

    fn role(&self) -> String {
        self.router.uplinks(self.now)["uplinks"][0]["role"].as_str().unwrap().to_owned()
    }
}

fn fresh(memory: Memory, now: Instant) -> Router {
    let entropy = Entropy { seed: 7, ula: [1, 2, 3, 4, 5], duid: [9; 16], secret: [3; 16] };
    Router::new(memory, Vec::new(), entropy, now, &mut Vec::new())
}

impl Hands for Rig {
    fn router(&mut self) -> &mut Router {
        &mut self.router
    }

    fn remember(&mut self, memory: &Memory, _: Instant) {
        self.memory = memory.clone();
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        self.applied.extend_from_slice(ops);
        self.kernel.apply(ops)
    }

    fn tell(&mut self, _: &Notice, _: Instant) {}

    fn commit(&mut self, _: &[dhcp6::Record], _: Instant) -> bool {
        true
    }

    fn send(&mut self, packets: Vec<Action>) {
        for packet in packets {
            match packet {
                Action::SendNd { link, bytes, .. } if link == self.lan => {
                    let Ok(Message::Advertisement(said)) = nd::parse(&bytes) else { panic!("{bytes:?}") };
                    self.said.extend(said.options.iter().filter_map(|option| match option {
                        NdOption::Prefix(info) => Some((info.prefix, info.preferred)),
                        _ => None,
                    }));
                }
                Action::SendEcho { link, to, identifier, sequence, .. } if self.answers => {
                    self.echoes.push((link, to, identifier, sequence));
                }
                Action::SendDhcp6Client { bytes, .. } => self.asked.push(bytes[0]),
                _ => {}
            }
        }
    }
}

#[test]
fn a_restart_changes_nothing_that_an_uplink_by_hand_gave() {
    let mut rig = Rig::new(STATIC);
    assert_eq!(rig.role(), "active");
    for _ in 0..3 {
        rig.restart_changes_nothing();
    }
}

#[test]
fn a_restart_changes_nothing_that_a_tunnel_gave() {
    let key = |byte| Key32::from_random([byte; 32]);
    let mut rig = Rig::new(&format!(
        "config uplink a\n option type wireguard\n option private_key {}\n option peer_key {}\n\
            option endpoint 192.0.2.1:51820\n list prefix 2001:db8:a::/56\n",
        key(0x50).secret_text(),
        key(0x60).public(),
    ));
    assert_eq!(rig.role(), "active");
    rig.restart_changes_nothing();
}

#[test]
fn one_that_died_meanwhile_is_found_out() {
    let mut rig = Rig::new(&format!("{STATIC}{}", NATIVE.replace(" a\n", " b\n").replace("wan", "other")));
    rig.answers = false;
    rig.restart();
    assert_eq!(rig.role(), "active");
    rig.run(5_000);
    assert_eq!(rig.router.uplinks(rig.now)["uplinks"][0]["state"], "failing");
}

#[test]
fn what_was_delegated_and_leased_is_used_on_and_confirmed_at_once() {
    let mut rig = Rig::new(NATIVE);
    rig.leave("2001:db8:a::/56", 1_800);
    rig.restart();
    assert_eq!(rig.role(), "active");
    rig.run(2_000);
    assert_eq!(rig.deleted(), Vec::<&Op>::new());
    assert_eq!(rig.asked.first(), Some(&(MessageType::Rebind as u8)));
    assert_eq!(rig.role(), "active");
    let told = rig.said.iter().find(|(prefix, _)| *prefix == "2001:db8:a::/64".parse().unwrap());
    assert!(told.is_some_and(|(_, preferred)| (1_700..=1_800).contains(preferred)), "{:?}", rig.said);
}

// MUST RFC 9096 §3.5: hosts are told that a prefix is gone when no source gives it any more
#[test]
fn what_does_not_come_back_is_let_go_after_the_grace_time() {
    let mut rig = Rig::new(NATIVE);
    rig.leave("2001:db8:a::/56", 1_800);
    rig.restart();
    rig.run(super::super::kept::GRACE.as_millis() as u64 - 1_000);
    assert_eq!(rig.deleted(), Vec::<&Op>::new());
    rig.said.clear();
    // as for a cable that is out, the choice has some patience
    rig.run(12_000);
    assert_eq!(rig.role(), "out", "no router has come");
    assert!(!rig.deleted().is_empty());
    assert_eq!(rig.said.last().map(|(_, preferred)| *preferred), Some(0));
}

#[test]
fn a_prefix_that_stood_by_stands_by() {
    let mut rig = Rig::new(NATIVE);
    rig.leave("2001:db8:a::/56", 0);
    rig.restart();
    assert_eq!(rig.deleted(), Vec::<&Op>::new());
    assert_ne!(rig.role(), "out");
}

#[test]
fn nothing_is_kept_of_a_link_that_is_down_or_of_another_boot() {
    let mut rig = Rig::new(NATIVE);
    rig.leave("2001:db8:a::/56", 1_800);
    rig.kernel.set_carrier(rig.wan, false);
    rig.restart();
    assert_eq!(rig.role(), "out");
    let mut rig = Rig::new(NATIVE);
    rig.kernel.reboot();
    rig.kernel.advance(rig.now);
    rig.restart();
    assert_eq!(rig.role(), "out");
    rig.run(5_000);
    assert_eq!(rig.asked.first(), Some(&(MessageType::Solicit as u8)));
}

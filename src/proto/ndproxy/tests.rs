//! What the proxy knows, asks and answers.

use super::*;
use proptest::prelude::*;

const LAN: Mac = Mac([2, 0, 0, 0, 0, 1]);
const UPLINK: Mac = Mac([2, 0, 0, 0, 0, 2]);
const OTHER: Mac = Mac([2, 0, 0, 0, 0, 9]);

fn a(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn config() -> Config {
    let prefix = "2001:db8:1:2::/64".parse().unwrap();
    Config { prefix, router: a("2001:db8:1:2::abcd"), lan_mac: Some(LAN), uplink_mac: Some(UPLINK) }
}

/// The proxy, and what it did since last looked at.
struct Bench {
    proxy: Proxy,
    now: Instant,
    out: Vec<Action>,
}

impl Bench {
    fn new() -> Bench {
        Bench { proxy: Proxy::new(config(), [], Instant(0)), now: Instant(0), out: Vec::new() }
    }

    fn asks(&mut self, side: Side, source: &str, target: &str) {
        let link = (source != "::").then_some(OTHER);
        let message = Neighbour { source: a(source), solicits: true, target: a(target), link };
        self.proxy.heard(side, &message, self.now, &mut self.out);
    }

    fn tells(&mut self, side: Side, target: &str) {
        let message = Neighbour { source: a("fe80::9"), solicits: false, target: a(target), link: Some(OTHER) };
        self.proxy.heard(side, &message, self.now, &mut self.out);
    }

    /// Lets time pass, with every timer fired when it is due.
    fn pass(&mut self, by: Duration) {
        let end = self.now.after(by);
        while let Some((at, _)) = self.proxy.poll_at().filter(|(at, _)| *at <= end) {
            self.now = at.max(self.now);
            self.proxy.tick(self.now, &mut self.out);
        }
        self.now = end;
    }

    fn hosts(&self) -> Vec<Ipv6Addr> {
        self.proxy.hosts().collect()
    }

    /// What left since the last call: link, destination, and message.
    fn sent(&mut self) -> Vec<(Side, Ipv6Addr, Vec<u8>)> {
        let sent = self.out.drain(..).filter_map(|action| match action {
            Action::Send { side, to, bytes } => Some((side, to, bytes)),
            Action::Changed => None,
        });
        sent.collect()
    }
}

fn question(side: Side, target: &str) -> (Side, Ipv6Addr, Vec<u8>) {
    let mac = if side == Side::Lan { LAN } else { UPLINK };
    (side, solicited_node(a(target)), solicitation(a(target), Some(mac)))
}

const X: &str = "2001:db8:1:2::10";

// MUST RFC 4389 §4.1.3.2: a solicitation for an address on the other link leads to a solicitation there
// MUST RFC 4861 §7.2.8: who asks for a proxied address is answered by an advertisement with the proxy's link-layer address
#[test]
fn who_asks_on_the_uplink_for_a_silent_host_is_answered_once_it_is_found() {
    let mut bench = Bench::new();
    bench.asks(Side::Uplink, "fe80::1", X);
    assert_eq!(bench.sent(), [question(Side::Lan, X)]);
    assert!(bench.hosts().is_empty(), "nobody is answered for before it is known to be there");
    bench.tells(Side::Lan, X);
    let answer = (Side::Uplink, a("fe80::1"), advertisement_for(a(X), Some(UPLINK), true));
    assert!(bench.out.contains(&Action::Changed));
    assert_eq!(bench.sent(), [answer]);
    assert_eq!(bench.hosts(), [a(X)]);
    bench.asks(Side::Uplink, "fe80::1", X);
    assert_eq!(bench.sent(), [], "from now on the kernel answers");
}

#[test]
fn an_address_is_known_as_soon_as_its_host_speaks_or_has_tested_it() {
    let mut bench = Bench::new();
    bench.asks(Side::Lan, X, "fe80::1");
    assert_eq!(bench.hosts(), [a(X)]);
    let y = "2001:db8:1:2::11";
    bench.asks(Side::Lan, "::", y);
    assert_eq!(bench.sent(), [question(Side::Uplink, y)]);
    assert_eq!(bench.hosts(), [a(X)]);
    bench.pass(PATIENCE);
    assert_eq!(bench.hosts(), [a(X), a(y)], "within the second that a host's own test takes");
}

// MUST RFC 4861 §7.2.5: an address in use on one link is not given to a host on the other: its test is answered (RFC 4389)
#[test]
fn a_test_of_an_address_that_is_in_use_on_the_other_link_fails() {
    let mut bench = Bench::new();
    bench.asks(Side::Lan, "::", X);
    bench.sent();
    bench.tells(Side::Uplink, X);
    assert_eq!(bench.sent(), [(Side::Lan, ALL_NODES, advertisement_for(a(X), Some(LAN), false))]);
    bench.pass(SILENCE);
    assert!(bench.hosts().is_empty());
    // the other way round, for one that was silent
    bench.asks(Side::Uplink, "::", X);
    bench.tells(Side::Lan, X);
    let answer = (Side::Uplink, ALL_NODES, advertisement_for(a(X), Some(UPLINK), false));
    assert_eq!(bench.sent(), [question(Side::Lan, X), answer]);
}

#[test]
fn two_hosts_that_test_one_address_at_once_both_fail() {
    let mut bench = Bench::new();
    bench.asks(Side::Lan, "::", X);
    bench.asks(Side::Uplink, "::", X);
    let sent = bench.sent();
    let told: Vec<Side> = sent.iter().filter(|(_, to, _)| *to == ALL_NODES).map(|(side, ..)| *side).collect();
    assert_eq!(told, [Side::Uplink, Side::Lan]);
    bench.pass(PATIENCE);
    assert!(bench.hosts().is_empty());
}

#[test]
fn a_host_that_falls_silent_is_asked_and_then_forgotten() {
    let mut bench = Bench::new();
    bench.tells(Side::Lan, X);
    bench.pass(SILENCE);
    assert_eq!(bench.sent(), [question(Side::Lan, X)]);
    bench.tells(Side::Lan, X);
    bench.pass(SILENCE - RETRY);
    assert_eq!((bench.sent().len(), bench.hosts().len()), (0, 1), "it answered");
    bench.pass(RETRY * 5);
    assert_eq!((bench.sent().len(), bench.hosts().len()), (3, 0));
    assert_eq!(bench.proxy.poll_at(), None);
}

#[test]
fn a_host_that_is_heard_on_the_uplink_keeps_its_address_only_if_the_lan_confirms_it() {
    let mut bench = Bench::new();
    bench.tells(Side::Lan, X);
    bench.asks(Side::Uplink, X, "fe80::1");
    assert_eq!(bench.sent(), [question(Side::Lan, X)]);
    bench.pass(RETRY);
    bench.tells(Side::Lan, X);
    bench.pass(RETRY * 5);
    assert_eq!(bench.hosts(), [a(X)]);
    bench.tells(Side::Uplink, X);
    bench.pass(RETRY * 5);
    assert!(bench.hosts().is_empty(), "it has moved");
}

#[test]
fn what_was_answered_for_before_a_restart_is_answered_for_until_it_is_known_to_be_gone() {
    let known = [a(X), a("2001:db8:1:3::1"), config().router];
    let mut bench = Bench::new();
    bench.proxy = Proxy::new(config(), known, bench.now);
    assert_eq!(bench.hosts(), [a(X)], "not what is in no /64 of ours, nor the router itself");
    bench.pass(RETRY);
    bench.tells(Side::Lan, X);
    bench.pass(RETRY * 5);
    assert_eq!(bench.hosts(), [a(X)]);
    let mut other = config();
    other.prefix = "2001:db8:1:4::/64".parse().unwrap();
    bench.proxy.reconfigure(other);
    assert!(bench.hosts().is_empty());
}

#[test]
fn addresses_of_the_router_and_of_other_prefixes_are_nobodys_business() {
    let mut bench = Bench::new();
    for target in ["2001:db8:1:2::abcd", "2001:db8:1:2::", "2001:db8:9::1", "fe80::5"] {
        bench.asks(Side::Uplink, "fe80::1", target);
        bench.asks(Side::Lan, "::", target);
        bench.tells(Side::Lan, target);
    }
    assert_eq!((bench.sent().len(), bench.hosts().len()), (0, 0));
}

// UNTESTED RFC 4389 §4.1.3.3: an RA with the P bit disables the proxy. Reason: we pass on no RA, and proxies may follow each
// other in a row; two links that are one are found by our own messages, which come back
#[test]
fn our_own_messages_that_come_back_are_dropped_and_counted() {
    let mut bench = Bench::new();
    for (side, mac) in [(Side::Lan, UPLINK), (Side::Uplink, LAN)] {
        let message = Neighbour { source: a("fe80::1"), solicits: true, target: a(X), link: Some(mac) };
        bench.proxy.heard(side, &message, bench.now, &mut bench.out);
    }
    assert_eq!((bench.sent().len(), bench.proxy.drops()[0].1), (0, 2));
}

#[test]
fn somebody_who_goes_through_the_whole_64_costs_little() {
    let mut bench = Bench::new();
    for n in 0..10_000u128 {
        let target = Ipv6Addr::from(u128::from(a("2001:db8:1:2::1:0")) + n).to_string();
        bench.asks(Side::Uplink, "fe80::1", &target);
        bench.asks(Side::Lan, "::", &target);
    }
    assert_eq!(bench.sent().len(), MOST_ASKED);
    assert!(bench.proxy.drops()[1].1 > 0);
    bench.tells(Side::Lan, X);
    assert_eq!(bench.hosts(), [a(X)], "there is room for who is there");
    bench.pass(PATIENCE);
    assert_eq!(bench.proxy.all.len(), 1);
}

#[test]
fn of_too_many_hosts_the_one_silent_for_longest_is_forgotten() {
    let mut bench = Bench::new();
    let host = |n: u128| Ipv6Addr::from(u128::from(a("2001:db8:1:2::1:0")) + n).to_string();
    for n in 0..=MOST_KNOWN as u128 {
        bench.now = Instant(u64::try_from(n).unwrap());
        bench.tells(Side::Lan, &host(n));
    }
    assert_eq!(bench.hosts().len(), MOST_KNOWN);
    assert!(!bench.hosts().contains(&a(&host(0))) && bench.hosts().contains(&a(&host(1))));
}

proptest! {
    /// Whatever comes, tables are bounded, timers end, and nobody is answered for who was not heard on the LAN.
    #[test]
    fn nothing_makes_it_large_or_loud(turns in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u8..20, 0u8..20, 0u64..3000), 0..200)) {
        let mut bench = Bench::new();
        let addr = |n: u8| if n == 0 { "::".into() } else { format!("2001:db8:1:2::{n}") };
        let mut heard: FlatMap<Ipv6Addr, ()> = FlatMap::new();
        for (lan, solicits, source, target, wait) in turns {
            let side = if lan { Side::Lan } else { Side::Uplink };
            if solicits {
                bench.asks(side, &addr(source), &addr(target));
            } else {
                bench.tells(side, &addr(target));
            }
            if lan {
                heard.insert(a(&addr(source)), ());
                heard.insert(a(&addr(target)), ());
            }
            prop_assert!(bench.out.len() <= 3);
            bench.out.clear();
            bench.pass(Duration::from_millis(wait));
            prop_assert!(bench.out.len() <= 20 * 8);
            bench.out.clear();
            prop_assert!(bench.proxy.hosts().all(|host| heard.contains_key(&host)));
        }
        bench.pass(SILENCE * 2);
        prop_assert_eq!(bench.proxy.poll_at(), None);
    }
}

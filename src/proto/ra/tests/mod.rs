mod life;
mod reception;
mod saying;
mod timing;

use super::*;
use crate::net::{ALL_NODES, Instant, Until};
use crate::wire::nd::{self, Advertisement, Message, NdOption, PrefixInformation, Solicitation};

pub(super) fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(super) fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

pub(super) const MAC: &str = "02:00:5e:00:53:01";
pub(super) const HOST: &str = "fe80::1";

pub(super) fn prefix(text: &str) -> PrefixInfo {
    PrefixInfo {
        prefix: p(text),
        autonomous: true,
        pd_preferred: false,
        lifetimes: Lifetimes::FOREVER,
        max_preferred: 2700,
        max_valid: 5400,
    }
}

/// What a LAN with the defaults and a unique local prefix is told.
pub(super) fn config() -> Config {
    Config {
        max_interval: Duration::from_secs(600),
        min_interval: Duration::from_secs(198),
        router_lifetime: 1800,
        preference: Preference::Medium,
        managed: true,
        other: true,
        hop_limit: 64,
        reachable_time: 0,
        retrans_timer: 0,
        mac: MAC.parse().ok(),
        mtu: None,
        prefixes: vec![prefix("fd12:3456:789a:1::/64")],
        routes: vec![(p("fd12:3456:789a::/48"), Preference::Medium, 1800)],
        dns: vec![ip("fd12:3456:789a:1::1")],
        search: vec!["home.arpa".into()],
        dns_lifetime: 1800,
        pref64: None,
        captive_portal: None,
        dnr: None,
    }
}

/// A second prefix, as an uplink brings it.
pub(super) fn with_uplink() -> Config {
    let mut config = config();
    config.prefixes.push(prefix("2001:db8:1:1::/64"));
    config
}

/// With every option there is.
pub(super) fn with_options(config: Config) -> Config {
    Config {
        pref64: Some(p("64:ff9b::/96")),
        captive_portal: Some("https://portal.example/api".into()),
        dnr: Some(Dnr {
            priority: 1,
            name: "dns.example".into(),
            addresses: vec![ip("2001:db8::53")],
            params: "alpn=dot port=853".into(),
        }),
        ..config
    }
}

/// An advertiser on its link: calls `tick` when it asks for it, and reads what it sends.
pub(super) struct Link {
    pub(super) core: Advertiser,
    pub(super) now: Instant,
    pub(super) sent: Vec<(Instant, Ipv6Addr, Advertisement)>,
    /// How often it wanted to know who is there.
    pub(super) asked: usize,
}

impl Link {
    pub(super) fn new(config: Config, seed: u64) -> Link {
        let now = Instant(1_000_000);
        Link { core: Advertiser::new(config, seed, now), now, sent: Vec::new(), asked: 0 }
    }

    /// One that has sent its first advertisements and says nothing new.
    pub(super) fn settled(config: Config, seed: u64) -> Link {
        let mut link = Link::new(config, seed);
        link.run(40_000);
        link.sent.clear();
        link
    }

    fn take(&mut self, out: Vec<Action>) {
        for action in out {
            let Action::Send { to, bytes } = action else {
                self.asked += 1;
                continue;
            };
            assert!(bytes.len() <= content::MAX_MESSAGE, "{}", bytes.len());
            assert_eq!(bytes[2..4], [0, 0], "the checksum is the kernel's");
            let Ok(Message::Advertisement(said)) = nd::parse(&bytes) else { panic!("{bytes:02x?}") };
            self.sent.push((self.now, to, said));
        }
    }

    /// Lets so many milliseconds pass.
    pub(super) fn run(&mut self, millis: u64) {
        let until = Instant(self.now.0 + millis);
        while let Some((at, _)) = self.core.poll_at().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            let mut out = Vec::new();
            self.core.tick(self.now, &mut out);
            self.take(out);
            assert!(self.core.poll_at().is_none_or(|(at, _)| at > self.now), "busy: {:?}", self.core.poll_at());
        }
        self.now = until;
    }

    pub(super) fn hear(&mut self, source: Ipv6Addr, hop_limit: u8, fragmented: bool, bytes: &[u8]) {
        let mut out = Vec::new();
        self.core.handle(Event::Packet { source, hop_limit, fragmented, bytes }, self.now, &mut out);
        self.take(out);
    }

    pub(super) fn solicit(&mut self, source: Ipv6Addr) {
        self.hear(source, 255, false, &Solicitation::default().encode().unwrap());
    }

    pub(super) fn overhear(&mut self, source: Ipv6Addr, said: &Advertisement) {
        self.hear(source, 255, false, &said.encode().unwrap());
    }

    pub(super) fn find(&mut self, hosts: &[Ipv6Addr]) {
        let mut out = Vec::new();
        self.core.handle(Event::Neighbours(hosts), self.now, &mut out);
        self.take(out);
    }

    pub(super) fn reconfigure(&mut self, config: Config) {
        let mut out = Vec::new();
        self.core.reconfigure(config, self.now, &mut out);
        self.take(out);
    }

    pub(super) fn shutdown(&mut self) {
        let mut out = Vec::new();
        self.core.shutdown(self.now, &mut out);
        self.take(out);
    }

    /// Times of what was sent to `to`, milliseconds from the start; messages of one moment count once.
    pub(super) fn times(&self, to: Ipv6Addr) -> Vec<u64> {
        let mut times: Vec<u64> =
            self.sent.iter().filter(|(_, t, _)| *t == to).map(|(at, ..)| at.0 - 1_000_000).collect();
        times.dedup();
        times
    }

    pub(super) fn last(&self) -> &Advertisement {
        &self.sent.last().unwrap().2
    }

    pub(super) fn drops(&self) -> Vec<(&'static str, u64)> {
        self.core.status(self.now).drops
    }
}

pub(super) fn prefixes(said: &Advertisement) -> Vec<PrefixInformation> {
    let info = |option: &NdOption| if let NdOption::Prefix(info) = option { Some(*info) } else { None };
    said.options.iter().filter_map(info).collect()
}

pub(super) fn gaps(times: &[u64]) -> Vec<u64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// A lifetime that ends so many seconds after the start.
pub(super) fn until(seconds: u64) -> Until {
    Until::At(Instant(1_000_000 + seconds * 1000))
}

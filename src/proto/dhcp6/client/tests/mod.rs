//! Tests of the client through its events and actions. This file is the rig: a client, and a server that says what the
//! test wants.

mod binding;
mod changing;
mod closed_loop;
mod extending;
mod hostile;
mod reconfigured;
mod recorded;
mod settings;
mod soliciting;

use super::*;
use crate::net::Until;
use crate::proto::dhcp6::Resource;
use crate::wire::dhcp6::{
    Ia, IaAddress, IaPrefix, Message, MessageType, Packet, Rkap, RkapInformation, Writer, option, status, u16_value,
};

const START: Instant = Instant(1_000_000);
const SERVER: &str = "00030001020000000001";
const OTHER: &str = "00030001020000000002";

fn duid(text: &str) -> Duid {
    text.parse().unwrap()
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn a(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// An address and a prefix are wanted.
fn config() -> Config {
    Config {
        duid: duid("000300010200000000aa"),
        iaid: 7,
        want_address: true,
        want_prefix: Some(56),
        information: false,
        rapid_commit: false,
        reconfigure_accept: false,
        remembered: None,
    }
}

fn only_address() -> Config {
    Config { want_prefix: None, ..config() }
}

fn only_prefix() -> Config {
    Config { want_address: false, ..config() }
}

fn only_settings() -> Config {
    Config { want_address: false, want_prefix: None, information: true, ..config() }
}

/// A message that the client sent.
#[derive(Clone, Debug)]
struct Sent {
    at: Instant,
    bytes: Vec<u8>,
}

impl Sent {
    fn message(&self) -> Message<'_> {
        let Ok(Packet::Message(message)) = Packet::parse(&self.bytes) else { panic!("{:?}", self.bytes) };
        message
    }

    fn kind(&self) -> MessageType {
        self.message().kind
    }

    fn has(&self, code: u16) -> bool {
        self.message().options.get(code).is_some()
    }

    fn server(&self) -> Option<Duid> {
        self.message().options.get(option::SERVER_ID).and_then(Duid::new)
    }

    fn elapsed(&self) -> u16 {
        u16_value(option::ELAPSED_TIME, self.message().options.get(option::ELAPSED_TIME).unwrap()).unwrap()
    }

    /// Every lease listed; all times are 0 (asserted).
    fn leases(&self) -> Vec<String> {
        let mut found = vec![];
        for (code, contents) in self.message().options.iter() {
            if !matches!(code, option::IA_NA | option::IA_PD) {
                continue;
            }
            let ia = Ia::parse(code, contents).unwrap();
            assert_eq!((ia.iaid, ia.t1, ia.t2), (7, 0, 0));
            for (inner, contents) in ia.options.iter() {
                let (text, times) = match inner {
                    option::IA_ADDRESS => {
                        let it = IaAddress::parse(contents).unwrap();
                        (it.address.to_string(), (it.preferred, it.valid))
                    }
                    _ => {
                        let it = IaPrefix::parse(contents).unwrap();
                        (format!("{}/{}", it.address, it.len), (it.preferred, it.valid))
                    }
                };
                assert_eq!(times, (0, 0));
                found.push(text);
            }
        }
        found
    }
}

/// Code, T1, T2, leases with preferred and valid lifetime, status.
type SaidIa = (u16, u32, u32, Vec<(String, u32, u32)>, Option<u16>);

/// What a server answers.
#[derive(Clone, Debug)]
struct Says {
    kind: MessageType,
    server: Option<Duid>,
    client: Option<Duid>,
    transaction: Option<u32>,
    status: Option<u16>,
    ias: Vec<SaidIa>,
    more: Vec<(u16, Vec<u8>)>,
}

fn says(kind: MessageType) -> Says {
    Says {
        kind,
        server: Some(duid(SERVER)),
        client: Some(config().duid),
        transaction: None,
        status: None,
        ias: vec![],
        more: vec![],
    }
}

fn reply() -> Says {
    says(MessageType::Reply)
}

fn advertise() -> Says {
    says(MessageType::Advertise)
}

impl Says {
    fn ia(mut self, code: u16, t1: u32, t2: u32, leases: &[(&str, u32, u32)]) -> Says {
        let leases = leases.iter().map(|(text, preferred, valid)| (text.to_string(), *preferred, *valid)).collect();
        self.ias.push((code, t1, t2, leases, None));
        self
    }

    fn address(self, leases: &[(&str, u32, u32)]) -> Says {
        self.ia(option::IA_NA, 0, 0, leases)
    }

    fn prefix(self, leases: &[(&str, u32, u32)]) -> Says {
        self.ia(option::IA_PD, 0, 0, leases)
    }

    /// An address and a prefix for 1000 and 2000 s.
    fn both(self) -> Says {
        self.address(&[("2001:db8::5", 1000, 2000)]).prefix(&[("2001:db8:5::/56", 1000, 2000)])
    }

    fn refuses(mut self, code: u16, status: u16) -> Says {
        self.ias.push((code, 0, 0, vec![], Some(status)));
        self
    }

    fn status(mut self, status: u16) -> Says {
        self.status = Some(status);
        self
    }

    fn with(mut self, code: u16, contents: &[u8]) -> Says {
        self.more.push((code, contents.to_vec()));
        self
    }

    fn from(mut self, server: &str) -> Says {
        self.server = Some(duid(server));
        self
    }

    fn bytes(&self, transaction: u32) -> Vec<u8> {
        let mut writer = Writer::message(self.kind, self.transaction.unwrap_or(transaction));
        for (code, duid) in [(option::CLIENT_ID, &self.client), (option::SERVER_ID, &self.server)] {
            if let Some(duid) = duid {
                writer.put(code, duid.as_bytes());
            }
        }
        if let Some(code) = self.status {
            writer.status(code, "because");
        }
        for (code, contents) in &self.more {
            writer.put(*code, contents);
        }
        for (code, t1, t2, leases, refused) in &self.ias {
            let mark = writer.open_ia(*code, 7, *t1, *t2);
            for (text, preferred, valid) in leases {
                match text.split_once('/') {
                    None => writer.ia_address(a(text), *preferred, *valid),
                    Some((address, len)) => writer.ia_prefix(a(address), len.parse().unwrap(), *preferred, *valid),
                }
            }
            if let Some(code) = refused {
                writer.status(*code, "");
            }
            writer.close(mark);
        }
        writer.finish().unwrap()
    }
}

struct Rig {
    client: Client,
    now: Instant,
    sent: Vec<Sent>,
    changes: usize,
}

impl Rig {
    fn new(config: Config) -> Rig {
        Rig::seeded(config, 1)
    }

    fn seeded(config: Config, seed: u64) -> Rig {
        Rig { client: Client::new(config, seed, START), now: START, sent: vec![], changes: 0 }
    }

    /// A client that holds an address and a prefix of 1000 and 2000 s.
    fn bound(config: Config) -> Rig {
        let mut rig = Rig::new(config);
        rig.until(MessageType::Solicit);
        rig.answer(advertise().both());
        rig.until(MessageType::Request);
        rig.answer(reply().both());
        assert_eq!(rig.state(), "bound");
        rig.sent.clear();
        rig.changes = 0;
        rig
    }

    fn take(&mut self, out: Vec<Action>) {
        for action in out {
            match action {
                Action::Send { to, bytes } => {
                    assert_eq!(to, a("ff02::1:2"));
                    self.sent.push(Sent { at: self.now, bytes });
                }
                Action::Changed => self.changes += 1,
            }
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let mut out = vec![];
        self.client.handle(event, self.now, &mut out);
        self.take(out);
    }

    fn reconfigure(&mut self, config: Config) {
        let mut out = vec![];
        self.client.reconfigure(config, self.now, &mut out);
        self.take(out);
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.event(Event::Packet { source: a("fe80::1"), multicast: false, bytes });
    }

    /// Answers the message sent last.
    fn answer(&mut self, says: Says) {
        let transaction = self.sent.last().map_or(0, |sent| sent.message().transaction);
        self.hear(&says.bytes(transaction));
    }

    /// Lets time pass, with every timer at its moment.
    fn pass(&mut self, millis: u64) {
        let end = Instant(self.now.0 + millis);
        while self.client.poll_at().is_some_and(|(at, _)| at <= end) {
            self.wake();
        }
        self.now = end;
    }

    fn secs(&mut self, seconds: u64) {
        self.pass(seconds * 1000);
    }

    /// The next timer.
    fn wake(&mut self) {
        let (at, why) = self.client.poll_at().expect("a way on");
        self.now = self.now.max(at);
        let mut out = vec![];
        self.client.tick(self.now, &mut out);
        self.take(out);
        assert!(self.client.poll_at().is_none_or(|(at, _)| at > self.now), "it spins: {why}");
    }

    /// Lets time pass until a message of this kind is sent.
    fn until(&mut self, kind: MessageType) -> Sent {
        let before = self.sent.len();
        for _ in 0..1_000 {
            if let Some(sent) = self.sent[before..].iter().find(|sent| sent.kind() == kind) {
                return sent.clone();
            }
            self.wake();
        }
        panic!("no {kind:?}: {:?}", self.client.status(self.now));
    }

    /// The message sent last, which is of this kind.
    fn last(&self, kind: MessageType) -> &Sent {
        let last = self.sent.last().expect("a message");
        assert_eq!(last.kind(), kind);
        last
    }

    fn kinds(&self) -> Vec<MessageType> {
        self.sent.iter().map(Sent::kind).collect()
    }

    fn state(&self) -> &'static str {
        self.client.status(self.now).state
    }

    /// Everything held, with seconds preferred and valid.
    fn held(&self) -> Vec<(String, u32, u32)> {
        let Leases { addresses, prefixes, .. } = self.client.leases();
        let addresses = addresses.into_iter().map(|it| (it.address.to_string(), it.lifetimes));
        let prefixes = prefixes.into_iter().map(|it| (it.prefix.to_string(), it.lifetimes));
        let all = addresses.chain(prefixes);
        all.map(|(text, it)| (text, it.preferred.remaining(self.now), it.valid.remaining(self.now))).collect()
    }

    fn names(&self) -> Vec<String> {
        self.held().into_iter().map(|(text, ..)| text).collect()
    }

    fn dropped(&self, reason: &str) -> u64 {
        let dropped = self.client.status(self.now).dropped;
        dropped.into_iter().find(|(found, _)| *found == reason).map_or(0, |(_, count)| count)
    }
}

//! Tests of the server through its events and actions. This file is the rig: a server, clients that write messages,
//! and answers that are easy to look at.

mod bounds;
mod delegating;
mod giving_back;
mod known_hosts;
mod leasing;
mod properties;
mod reconfiguring;
mod registering;
mod relaying;
mod settings;
mod validation;

use super::*;
use crate::config::LanDhcp6;
use crate::net::Instant;
use crate::wire::dhcp6::{Ia, IaAddress, IaPrefix, MessageType, Options, Packet, StatusCode, Writer, option, status};
use std::collections::BTreeMap;

const HOME: u32 = 3;
const GUEST: u32 = 4;
/// When the tests begin.
const START: Instant = Instant(1_000_000);

fn server_id() -> Duid {
    "0004000102030405060708090a0b0c0d0e0f".parse().unwrap()
}

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn a(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// What an administrator gets who says nothing, but for lifetimes of ten minutes and twenty, and prefixes from /56.
fn options() -> LanDhcp6 {
    let text = "config lan it\n option device it\n option dhcp6_delegated_min_len 56\n";
    let lan = crate::config::read(text.as_bytes()).config.unwrap().lans["it"].clone();
    LanDhcp6 { preferred_lifetime: 600, valid_lifetime: 1200, ..lan.dhcp6.unwrap() }
}

fn subnet(prefix: &str) -> Subnet {
    let router = crate::net::with_iid(p(prefix).addr(), 1);
    Subnet { prefix: p(prefix), lifetimes: Lifetimes::FOREVER, router: Some(router) }
}

fn pool(prefix: &str, reserved: &[&str]) -> Pool {
    Pool { prefix: p(prefix), lifetimes: Lifetimes::FOREVER, reserved: reserved.iter().map(|r| p(r)).collect() }
}

/// A LAN with a /64 out of a /48 that others are delegated out of, and a second LAN.
fn config() -> Config {
    let pools = vec![pool("2001:db8::/48", &["2001:db8:0:ff00::/64"])];
    let link = |lan: &str, net: &str| Link {
        lan: lan.into(),
        subnets: vec![subnet(net)],
        pools: pools.clone(),
        dns: vec![a("2001:db8:0:1::1")],
        search: vec!["home.arpa".into()],
        captive_portal: None,
        dnr: None,
        options: options(),
    };
    let links = [(HOME, link("home", "2001:db8:0:1::/64")), (GUEST, link("guest", "2001:db8:0:2::/64"))];
    Config { duid: Some(server_id()), links: links.into(), hosts: vec![] }
}

fn config_with(change: impl FnOnce(&mut Link)) -> Config {
    let mut config = config();
    change(config.links.get_mut(&HOME).unwrap());
    config
}

/// A message from a client, to be changed before it is sent.
#[derive(Clone, Debug)]
struct Msg {
    kind: MessageType,
    xid: u32,
    client: Option<Vec<u8>>,
    server: Option<Vec<u8>>,
    /// Code, IAID, and addresses (`::`) or prefixes (`::/60`).
    ias: Vec<(u16, u32, Vec<String>)>,
    requests: Vec<u16>,
    more: Vec<(u16, Vec<u8>)>,
    source: Ipv6Addr,
    port: u16,
    multicast: bool,
    link: u32,
}

/// A message of client number `number` on the home LAN, valid as it is for those kinds that need no server identifier.
fn msg(kind: MessageType, number: u16) -> Msg {
    let [high, low] = number.to_be_bytes();
    Msg {
        kind,
        xid: 0x00ab_0000 | u32::from(number),
        client: Some(vec![0, 3, 0, 1, 2, 0, 0, 0, high, low]),
        server: None,
        ias: vec![],
        requests: vec![],
        more: vec![],
        source: a(&format!("fe80::{:x}", 0x100 + u32::from(number))),
        port: 546,
        multicast: true,
        link: HOME,
    }
}

impl Msg {
    fn for_us(mut self) -> Msg {
        self.server = Some(server_id().as_bytes().to_vec());
        self
    }

    fn na(self, iaid: u32, listed: &[&str]) -> Msg {
        self.ia(option::IA_NA, iaid, listed)
    }

    fn pd(self, iaid: u32, listed: &[&str]) -> Msg {
        self.ia(option::IA_PD, iaid, listed)
    }

    fn ia(mut self, code: u16, iaid: u32, listed: &[&str]) -> Msg {
        self.ias.push((code, iaid, listed.iter().map(|text| text.to_string()).collect()));
        self
    }

    fn with(mut self, code: u16, contents: &[u8]) -> Msg {
        self.more.push((code, contents.to_vec()));
        self
    }

    fn asks(mut self, codes: &[u16]) -> Msg {
        self.requests.extend(codes);
        self
    }

    fn on(mut self, link: u32) -> Msg {
        self.link = link;
        self
    }

    fn write(&self, writer: &mut Writer) {
        if let Some(client) = &self.client {
            writer.put(option::CLIENT_ID, client);
        }
        if let Some(server) = &self.server {
            writer.put(option::SERVER_ID, server);
        }
        if !self.requests.is_empty() {
            writer.codes(option::OPTION_REQUEST, &self.requests);
        }
        for (code, contents) in &self.more {
            writer.put(*code, contents);
        }
        for (code, iaid, listed) in &self.ias {
            let mark = writer.open_ia(*code, *iaid, 0, 0);
            for text in listed {
                match text.split_once('/') {
                    None => writer.ia_address(a(text), 0, 0),
                    Some((address, len)) => writer.ia_prefix(a(address), len.parse().unwrap(), 0, 0),
                }
            }
            writer.close(mark);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::message(self.kind, self.xid);
        self.write(&mut writer);
        writer.finish().unwrap()
    }
}

/// A client that registers the address it sends from.
fn registration(number: u16, address: &str, preferred: u32, valid: u32) -> Msg {
    let mut writer = Writer::options();
    writer.ia_address(a(address), preferred, valid);
    let option = writer.finish().unwrap();
    Msg { source: a(address), ..msg(MessageType::AddrRegInform, number).with(option::IA_ADDRESS, &option[4..]) }
}

/// An identity association in an answer.
#[derive(Clone, Debug, PartialEq)]
struct SeenIa {
    code: u16,
    iaid: u32,
    times: (u32, u32),
    /// Address or prefix, preferred and valid lifetime.
    leases: Vec<(String, u32, u32)>,
    status: Option<u16>,
}

/// An answer.
#[derive(Clone, Debug)]
struct Seen {
    kind: MessageType,
    xid: u32,
    ias: Vec<SeenIa>,
    options: Vec<(u16, Vec<u8>)>,
    link: u32,
    to: Ipv6Addr,
    port: u16,
    commits: bool,
}

impl Seen {
    fn parse(bytes: &[u8], action: &Action) -> Seen {
        let Ok(Packet::Message(message)) = Packet::parse(bytes) else { panic!("{bytes:?}") };
        let Action::Send { link, to, port, commits, .. } = action else { panic!("{action:?}") };
        Seen {
            kind: message.kind,
            xid: message.transaction,
            ias: seen_ias(&message.options),
            options: message.options.iter().map(|(code, contents)| (code, contents.to_vec())).collect(),
            link: *link,
            to: *to,
            port: *port,
            commits: *commits,
        }
    }

    fn get(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find(|(found, _)| *found == code).map(|(_, contents)| contents.as_slice())
    }

    fn status(&self) -> Option<u16> {
        self.get(option::STATUS_CODE).map(|contents| StatusCode::parse(contents).unwrap().code)
    }

    /// Every lease with its lifetimes.
    fn leases(&self) -> Vec<(String, u32, u32)> {
        self.ias.iter().flat_map(|ia| ia.leases.clone()).collect()
    }

    /// Every lease that is good.
    fn good(&self) -> Vec<String> {
        self.leases().into_iter().filter(|(_, _, valid)| *valid > 0).map(|(resource, ..)| resource).collect()
    }

    /// The only lease.
    fn lease(&self) -> String {
        let good = self.good();
        assert_eq!(good.len(), 1, "{self:?}");
        good[0].clone()
    }
}

fn seen_ias(options: &Options<'_>) -> Vec<SeenIa> {
    let ias = options.iter().filter(|(code, _)| matches!(*code, option::IA_NA | option::IA_PD));
    ias.map(|(code, contents)| {
        let ia = Ia::parse(code, contents).unwrap();
        let leases = ia.options.iter().filter_map(|(inner, contents)| match inner {
            option::IA_ADDRESS => {
                let lease = IaAddress::parse(contents).unwrap();
                Some((lease.address.to_string(), lease.preferred, lease.valid))
            }
            option::IA_PREFIX => {
                let lease = IaPrefix::parse(contents).unwrap();
                Some((format!("{}/{}", lease.address, lease.len), lease.preferred, lease.valid))
            }
            _ => None,
        });
        let status = ia.options.get(option::STATUS_CODE).map(|contents| StatusCode::parse(contents).unwrap().code);
        SeenIa { code, iaid: ia.iaid, times: (ia.t1, ia.t2), leases: leases.collect(), status }
    })
    .collect()
}

/// A server, and what it did.
struct Rig {
    server: Server,
    now: Instant,
    /// Since the last message.
    out: Vec<Action>,
    /// What the journal would hold.
    journal: BTreeMap<Resource, Binding>,
    /// What is routed where.
    routes: BTreeMap<Prefix, crate::plan::Delegation>,
}

impl Rig {
    fn new(config: Config) -> Rig {
        Rig {
            server: Server::new(config, 7, START),
            now: START,
            out: vec![],
            journal: BTreeMap::new(),
            routes: BTreeMap::new(),
        }
    }

    fn deliver(&mut self, msg: &Msg, bytes: &[u8]) {
        let Msg { link, source, port, multicast, .. } = *msg;
        self.out.clear();
        self.server.handle(Event::Packet { link, source, port, multicast, bytes }, self.now, &mut self.out);
        self.take();
    }

    /// Follows the actions, as the router and its journal do.
    fn take(&mut self) {
        for action in &self.out {
            match action {
                Action::Record(Record::Put(binding)) => _ = self.journal.insert(binding.resource, binding.clone()),
                Action::Record(Record::Delete(resource)) => _ = self.journal.remove(resource),
                Action::Delegated(prefix, Some(to)) => _ = self.routes.insert(*prefix, *to),
                Action::Delegated(prefix, None) => {
                    assert!(self.routes.remove(prefix).is_some(), "{prefix} was not routed");
                }
                Action::Send { .. } | Action::Tell(..) => {}
            }
        }
    }

    /// Sends a message and takes its answer.
    fn send(&mut self, msg: Msg) -> Option<Seen> {
        self.deliver(&msg, &msg.bytes());
        let sent: Vec<&Action> = self.out.iter().filter(|action| matches!(action, Action::Send { .. })).collect();
        assert!(sent.len() <= 1);
        sent.first().map(|action| {
            let Action::Send { bytes, .. } = action else { unreachable!() };
            Seen::parse(bytes, action)
        })
    }

    fn ask(&mut self, msg: Msg) -> Seen {
        let text = format!("{msg:?}");
        let seen = self.send(msg);
        seen.unwrap_or_else(|| panic!("no answer to {text}: {:?}", self.server.status(self.now)))
    }

    /// Why the message gets no answer.
    fn dropped(&mut self, msg: Msg) -> &'static str {
        let before = self.server.status(self.now).dropped;
        assert!(self.send(msg).is_none());
        assert_eq!(self.out, vec![]);
        let after = self.server.status(self.now).dropped;
        let more: Vec<_> = after.into_iter().filter(|entry| !before.contains(entry)).collect();
        assert_eq!(more.len(), 1);
        more[0].0
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.after_secs(seconds);
        self.out.clear();
        self.server.tick(self.now, &mut self.out);
        self.take();
    }

    fn reconfigure(&mut self, config: Config) {
        self.out.clear();
        self.server.reconfigure(config, self.now, &mut self.out);
        self.take();
    }

    fn bindings(&self) -> Vec<Binding> {
        self.server.bindings().cloned().collect()
    }

    /// The server is killed and started again with what the journal holds.
    fn restart(&mut self, config: Config) {
        let before = self.bindings();
        self.server = Server::new(Config::default(), 99, self.now);
        self.out.clear();
        self.server.restore(self.journal.values().cloned().collect(), self.now, &mut self.out);
        // the router forgets what it knew; the kernel's routes are compared with what it learns now
        self.routes.clear();
        self.take();
        self.reconfigure(config);
        assert_eq!(self.bindings(), before);
    }
}

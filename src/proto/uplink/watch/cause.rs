use super::{STEADY_FOR, Watch};
use crate::net::Instant;
use crate::proto::uplink::words::{listed, spoken};
use std::net::Ipv6Addr;

/// Why the state is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// As [`Ready`] says.
    NotReady(String),
    /// Nothing came back yet.
    Asking,
    /// It works again, and has to go on so.
    Steadying,
    /// Packets come back.
    Answers,
    /// It can't be asked, and nothing speaks against it.
    Mute,
    /// Many probes are lost.
    Loss,
    /// Some targets no longer answer.
    Silent(Vec<Ipv6Addr>),
    /// Packets go out and none come back; it can't be asked.
    OneWay,
    /// Nobody answers.
    NoAnswer,
    /// Nor is the next hop there.
    NoNeighbour,
    /// WireGuard's peer is silent.
    NoHandshake,
}

impl Watch {
    /// Why the state is what it is, in words.
    pub(super) fn reason(&self, now: Instant) -> String {
        let who = |addresses: &mut dyn Iterator<Item = Ipv6Addr>| {
            listed(&addresses.map(|address| address.to_string()).collect::<Vec<_>>())
        };
        let targets = || who(&mut self.targets());
        let next_hop =
            || self.next_hop().map_or("the next hop".to_owned(), |address| format!("the next hop {address}"));
        match &self.cause {
            Cause::NotReady(why) => why.clone(),
            Cause::Asking => format!("waiting for an answer from {}", targets()),
            Cause::Steadying => {
                let hold = self.flaps.hold(STEADY_FOR, now);
                let left = self.steady.map_or(hold, |(began, _)| hold.saturating_sub(now.since(began)));
                format!("packets come back; trusted if that lasts for {} more", spoken(left))
            }
            Cause::Answers => match self.probes.rtt() {
                Some(rtt) => format!("{} answers in {} ms", targets(), rtt.as_millis()),
                None => "packets come back".into(),
            },
            Cause::Mute if self.targets().next().is_none() => {
                "there is nobody to ask, and nothing speaks against it".into()
            }
            Cause::Mute => format!("{} never answers echo requests, and nothing else speaks against it", targets()),
            Cause::Loss => {
                let (lost, of) = self.probes.loss();
                format!("{lost} of the last {of} probes were lost")
            }
            Cause::Silent(silent) => format!("no answer from {}", who(&mut silent.iter().copied())),
            Cause::OneWay => {
                let since = self.one_way.map_or(now, |(began, _)| began);
                format!("packets go out and none came back for {}; it can't be asked", spoken(now.since(since)))
            }
            Cause::NoAnswer => {
                let since = self.heard.unwrap_or(self.since);
                let mut words = format!("no answer from {} for {}", targets(), spoken(now.since(since)));
                if self.handshake.is_some() && self.accused(now) == Some(Cause::NoHandshake) {
                    words.push_str(&format!("; {}", self.no_handshake(now)));
                }
                words
            }
            Cause::NoNeighbour => format!("{} is not there: it does not answer neighbour solicitations", next_hop()),
            Cause::NoHandshake => self.no_handshake(now),
        }
    }

    fn no_handshake(&self, now: Instant) -> String {
        match self.handshake {
            Some(Some(at)) => format!("the last WireGuard handshake was {} ago", spoken(now.since(at))),
            _ => "there was no WireGuard handshake yet".into(),
        }
    }
}

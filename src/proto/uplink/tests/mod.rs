mod choosing;
mod properties;
mod watching;

use super::{Action, Candidate, Event, Ready, State, Watch};
use crate::net::{Instant, Rng};
use std::net::Ipv6Addr;

const NEXT_HOP: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const COMPLETE: Ready = Ready::Complete { next_hop: Some(NEXT_HOP) };

/// An uplink's device and what is beyond, in virtual time.
struct Line {
    watch: Watch,
    now: Instant,
    rng: Rng,
    /// Whether packets get through in both directions.
    alive: bool,
    /// Per cent of echo requests that are lost by themselves.
    loss: u64,
    /// Who never answers echo requests.
    mute: Vec<Ipv6Addr>,
    /// Milliseconds there and back.
    rtt: u64,
    /// Milliseconds between packets that go out; each is answered. 0: none.
    traffic: u64,
    /// Whether those are answered.
    answered: bool,
    next_packet: u64,
    unicast_in: u64,
    out: u64,
    on_the_way: Vec<(u64, Option<Event>)>,
    /// When echo requests were sent.
    asked: Vec<u64>,
    counts: u64,
    changes: Vec<(u64, State, String)>,
    /// What the neighbour table says when it is asked.
    neighbour: Option<bool>,
}

impl Line {
    fn new(probes: &[Ipv6Addr], seed: u64) -> Line {
        let now = Instant(1_000_000);
        Line {
            watch: Watch::new(probes.to_vec(), seed, now),
            now,
            rng: Rng::new(seed ^ 1),
            alive: true,
            loss: 0,
            mute: Vec::new(),
            rtt: 20,
            traffic: 0,
            answered: true,
            next_packet: 0,
            unicast_in: 0,
            out: 0,
            on_the_way: Vec::new(),
            asked: Vec::new(),
            counts: 0,
            changes: Vec::new(),
            neighbour: None,
        }
    }

    /// One that is complete and has answered.
    fn up(seed: u64) -> Line {
        let mut line = Line::new(&[], seed);
        line.event(Event::Ready(COMPLETE));
        line.run(100);
        assert_eq!(line.watch.state(), State::Up);
        line
    }

    fn event(&mut self, event: Event) {
        let mut out = Vec::new();
        self.watch.handle(event, self.now, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Echo { to, identifier, sequence } => {
                    self.asked.push(self.now.0);
                    self.out += 1;
                    let lost = self.rng.between(1, 100) <= self.loss || self.mute.contains(&to);
                    if self.alive && !lost {
                        let reply = Event::EchoReply { from: to, identifier, sequence };
                        self.on_the_way.push((self.now.0 + self.rtt, Some(reply)));
                    }
                }
                Action::Count => {
                    self.counts += 1;
                    self.event(Event::Counters { unicast_in: self.unicast_in, out: self.out });
                }
                Action::LookUp(_) => {
                    if let Some(reachable) = self.neighbour {
                        self.event(Event::Neighbour { reachable });
                    }
                }
                Action::Changed => {
                    let status = self.watch.status(self.now);
                    self.changes.push((self.now.0, status.state, status.reason));
                }
            }
        }
    }

    /// Lets time go by, from one thing that happens to the next.
    fn run(&mut self, millis: u64) {
        let end = self.now.0 + millis;
        while self.now.0 < end {
            let packet = if self.traffic > 0 { self.next_packet } else { end };
            let wake = self.watch.poll_at().map_or(end, |(at, _)| at.0);
            let arrival = self.on_the_way.iter().map(|(at, _)| *at).min().unwrap_or(end);
            self.now.0 = end.min(packet).min(wake).min(arrival).max(self.now.0 + 1);
            self.moment();
        }
    }

    fn moment(&mut self) {
        let now = self.now.0;
        if self.traffic > 0 && self.next_packet <= now {
            self.next_packet = now + self.traffic;
            self.out += 1;
            if self.alive && self.answered {
                self.on_the_way.push((now + self.rtt, None));
            }
        }
        let (arrived, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.on_the_way).into_iter().partition(|(at, _)| *at <= now);
        self.on_the_way = later;
        for (_, event) in arrived {
            if self.alive {
                self.unicast_in += 1;
                event.into_iter().for_each(|event| self.event(event));
            }
        }
        if self.watch.poll_at().is_some_and(|(at, _)| at <= self.now) {
            let mut out = Vec::new();
            self.watch.tick(self.now, &mut out);
            self.carry_out(out);
            assert!(self.watch.poll_at().is_none_or(|(at, _)| at > self.now), "{:?}", self.watch.poll_at());
        }
    }

    fn secs(&mut self, seconds: u64) {
        self.run(seconds * 1000);
    }

    /// Runs until it is in this state; returns how many milliseconds that took.
    fn until(&mut self, state: State, at_most: u64) -> u64 {
        let start = self.now.0;
        while self.watch.state() != state {
            assert!(
                self.now.0 - start < at_most,
                "not {} in {at_most} ms: {:?}",
                state.word(),
                self.watch.status(self.now)
            );
            self.run(1);
        }
        self.now.0 - start
    }

    fn reason(&self) -> String {
        self.watch.status(self.now).reason
    }

    /// Echo requests since then.
    fn asked_since(&self, at: Instant) -> usize {
        self.asked.iter().filter(|asked| **asked > at.0).count()
    }
}

fn candidate(name: &str, priority: u32, state: State) -> Candidate {
    Candidate { name: name.into(), priority, state, reason: "so it is".into(), heard: None }
}

use super::{Action, Event, Router};
use crate::kernel::Refusal;
use crate::net::Instant;
use crate::plan::Op;
use crate::proto::dhcp6::Record;
use crate::router::Notice;
use crate::store::Memory;

/// Whoever carries out what a router wants: the daemon, a simulated world.
pub trait Hands {
    /// The router whose hands these are.
    fn router(&mut self) -> &mut Router;
    /// Keeps this on flash ([`Action::Remember`]).
    fn remember(&mut self, memory: &Memory, now: Instant);
    /// Changes the kernel; gives what became of each operation ([`Action::Apply`]).
    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>>;
    /// Tells whoever monitors, and the log ([`Action::Tell`]).
    fn tell(&mut self, notice: &Notice, now: Instant);
    /// Writes all of a turn's records to the journal, and says whether they are safe there ([`Action::Record`]).
    fn commit(&mut self, records: &[Record], now: Instant) -> bool;
    /// Sends, in order, what may leave, and asks what is to be asked: every `Action::Send…`, [`Action::Count`],
    /// [`Action::LookUp`], [`Action::Neighbours`], [`Action::Survey`], [`Action::Resolve`] and [`Action::Fetch`];
    /// [`Action::ForgetFlows`] too, which comes after the guard is in force, and [`Action::Zones`].
    fn send(&mut self, packets: Vec<Action>);
}

/// Empties `out`, and with it a turn: first memory and kernel, whose answers may bring more of it, then the journal,
/// and only then the wire. What promises a binding that could not be written does not leave.
pub fn carry_out(hands: &mut impl Hands, out: &mut Vec<Action>, now: Instant) {
    let (mut records, mut packets) = (Vec::new(), Vec::new());
    while !out.is_empty() {
        let mut results = Vec::new();
        for action in out.drain(..) {
            match action {
                Action::Record(record) => records.push(record),
                Action::Remember(memory) => hands.remember(&memory, now),
                Action::Apply(ops) => {
                    let answers = hands.apply(&ops);
                    results.extend(ops.into_iter().zip(answers));
                }
                Action::Tell(notice) => hands.tell(&notice, now),
                Action::SendNd { .. }
                | Action::SendDhcp6 { .. }
                | Action::SendDhcp6Client { .. }
                | Action::SendEcho { .. }
                | Action::Count { .. }
                | Action::LookUp { .. }
                | Action::Neighbours { .. }
                | Action::Survey { .. }
                | Action::Zones(_)
                | Action::Resolve { .. }
                | Action::Fetch { .. }
                | Action::ForgetFlows(_) => packets.push(action),
            }
        }
        if !results.is_empty() {
            hands.router().handle(Event::Applied(results), now, out);
        }
    }
    if !records.is_empty() && !hands.commit(&records, now) {
        packets.retain(|packet| !matches!(packet, Action::SendDhcp6 { commits: true, .. }));
    }
    hands.send(packets);
}

//! What the server counts.

use super::bindings::Counts;
use crate::wire::dhcp6::{Malformed, MessageType};

/// What the server did and has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Messages received, relayed ones by what was inside, valid or not; by message type.
    pub received: Vec<(&'static str, u64)>,
    /// Messages sent, by message type.
    pub sent: Vec<(&'static str, u64)>,
    /// Messages that were not answered, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Bindings by kind.
    pub bindings: Counts,
    /// Most bindings there can be.
    pub most_bindings: usize,
}

/// Why a message gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dropped {
    Malformed,
    UnknownType,
    NoDuid,
    NotServed,
    BadSource,
    Unicast,
    NotForServers,
    TooManyRelays,
    NothingRelayed,
    NoClientId,
    BadClientId,
    NoServerId,
    ServerIdPresent,
    OtherServer,
    IaInInformationRequest,
    NothingToConfirm,
    RegistrationOff,
    RegistrationWithRequest,
    RegistrationAddress,
    RegistrationNotOnLink,
    RegistrationLeased,
    TooLong,
}

impl Dropped {
    fn name(self) -> &'static str {
        match self {
            Dropped::Malformed => "malformed",
            Dropped::UnknownType => "unknown message type",
            Dropped::NoDuid => "this server has no DUID yet",
            Dropped::NotServed => "link not served",
            Dropped::BadSource => "no unicast source address",
            Dropped::Unicast => "sent to a unicast address",
            Dropped::NotForServers => "message type not for servers",
            Dropped::TooManyRelays => "too many relay agents",
            Dropped::NothingRelayed => "relay message without a message",
            Dropped::NoClientId => "no client identifier",
            Dropped::BadClientId => "client identifier too short or too long",
            Dropped::NoServerId => "no server identifier",
            Dropped::ServerIdPresent => "server identifier present",
            Dropped::OtherServer => "for another server",
            Dropped::IaInInformationRequest => "information-request with an identity association",
            Dropped::NothingToConfirm => "nothing to confirm",
            Dropped::RegistrationOff => "address registration is off",
            Dropped::RegistrationWithRequest => "registration requests options",
            Dropped::RegistrationAddress => "registered address is not the source",
            Dropped::RegistrationNotOnLink => "registered address not on the link",
            Dropped::RegistrationLeased => "registered address is leased",
            Dropped::TooLong => "answer too long",
        }
    }
}

impl From<Malformed> for Dropped {
    fn from(malformed: Malformed) -> Dropped {
        match malformed {
            Malformed::MessageType(_) => Dropped::UnknownType,
            _ => Dropped::Malformed,
        }
    }
}

/// Counters, since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    received: [u64; MessageType::ALL.len()],
    sent: [u64; MessageType::ALL.len()],
    dropped: crate::net::FlatMap<Dropped, u64>,
}

impl Counters {
    pub(super) fn received(&mut self, kind: MessageType) {
        count(&mut self.received, kind);
    }

    pub(super) fn sent(&mut self, kind: MessageType) {
        count(&mut self.sent, kind);
    }

    pub(super) fn dropped(&mut self, reason: Dropped) {
        *self.dropped.or_default(reason) += 1;
    }

    pub(super) fn status(&self, bindings: Counts, most_bindings: usize) -> Status {
        Status {
            received: named(&self.received),
            sent: named(&self.sent),
            dropped: self.dropped.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            bindings,
            most_bindings,
        }
    }
}

fn count(counters: &mut [u64], kind: MessageType) {
    let place = MessageType::ALL.iter().position(|other| *other == kind);
    if let Some(counter) = place.and_then(|place| counters.get_mut(place)) {
        *counter += 1;
    }
}

fn named(counters: &[u64]) -> Vec<(&'static str, u64)> {
    let all = MessageType::ALL.iter().zip(counters);
    all.filter(|(_, count)| **count > 0).map(|(kind, count)| (kind.name(), *count)).collect()
}

//! Messages that come through relay agents: taken out of their wrapping, and answers wrapped the same way back
//! (RFC 9915 §19.3).

use super::status::Dropped;
use crate::net::Mac;
use crate::wire::dhcp6::{HOP_COUNT_LIMIT, Mark, Message, MessageType, Packet, Relay, Writer, option};
use std::net::Ipv6Addr;

/// A relay agent forwards what has passed fewer than [`HOP_COUNT_LIMIT`] others (RFC 9915 §19.1.2), so one more can
/// have been passed.
const MOST_RELAYS: usize = HOP_COUNT_LIMIT as usize + 1;

/// Most bytes of an answer: what a UDP datagram without a jumbogram's option can hold (RFC 8200 §3).
const MOST_BYTES: usize = 65_535 - 8;

/// The relay agents that a message passed, the last one first; none: it came directly.
#[derive(Debug, Default)]
pub(super) struct Path<'a>(Vec<Relay<'a>>);

/// Unwraps a datagram down to the client's message.
pub(super) fn unwrap(bytes: &[u8]) -> Result<(Message<'_>, Path<'_>), Dropped> {
    let mut path = Vec::new();
    let mut packet = Packet::parse(bytes)?;
    loop {
        let relay = match packet {
            Packet::Message(message) => return Ok((message, Path(path))),
            Packet::Relay(relay) if relay.kind != MessageType::RelayForward => return Err(Dropped::NotForServers),
            Packet::Relay(relay) => relay,
        };
        if relay.hop_count > HOP_COUNT_LIMIT || path.len() >= MOST_RELAYS {
            return Err(Dropped::TooManyRelays);
        }
        let inner = relay.options.get(option::RELAY_MESSAGE).ok_or(Dropped::NothingRelayed)?;
        path.push(relay);
        packet = Packet::parse(inner)?;
    }
}

impl Path<'_> {
    /// Where the client is, by the relay agent nearest to it that says so (RFC 9915 §13.1; a layer 2 relay agent says
    /// nothing, RFC 6221 §5.1).
    pub(super) fn link_address(&self) -> Option<Ipv6Addr> {
        self.0.iter().rev().map(|relay| relay.link_address).find(|address| !address.is_unspecified())
    }

    /// Whether the message came without any relay agent.
    pub(super) fn is_direct(&self) -> bool {
        self.0.is_empty()
    }

    /// The client's address, as the relay agent nearest to it saw it.
    pub(super) fn client(&self) -> Option<Ipv6Addr> {
        self.0.last().map(|relay| relay.peer_address)
    }

    /// The client's Ethernet address, as the relay agent nearest to it saw it (RFC 6939).
    pub(super) fn mac(&self) -> Option<Mac> {
        let contents = self.0.last()?.options.get(option::CLIENT_LINK_LAYER_ADDRESS)?;
        let (hardware_type, address) = contents.split_first_chunk()?;
        (u16::from_be_bytes(*hardware_type) == 1).then(|| address.try_into().ok().map(Mac)).flatten()
    }

    /// Begins an answer, wrapped for the way back.
    pub(super) fn begin(&self, kind: MessageType, transaction: u32) -> (Writer, Vec<Mark>) {
        let Some((outermost, inner)) = self.0.split_first() else {
            return (Writer::message(kind, transaction), Vec::new());
        };
        let mut writer =
            Writer::relay(MessageType::RelayReply, outermost.hop_count, outermost.link_address, outermost.peer_address);
        let mut marks = vec![open(&mut writer, outermost)];
        for relay in inner {
            writer.begin_relay(MessageType::RelayReply, relay.hop_count, relay.link_address, relay.peer_address);
            marks.push(open(&mut writer, relay));
        }
        writer.begin_message(kind, transaction);
        (writer, marks)
    }
}

/// The options that come back to a relay agent as they were, and the beginning of what it passes on.
fn open(writer: &mut Writer, relay: &Relay<'_>) -> Mark {
    for code in [option::INTERFACE_ID, option::RELAY_SOURCE_PORT] {
        if let Some(contents) = relay.options.get(code) {
            writer.put(code, contents);
        }
    }
    writer.open(option::RELAY_MESSAGE)
}

/// Ends an answer.
pub(super) fn finish(mut writer: Writer, marks: Vec<Mark>) -> Result<Vec<u8>, Dropped> {
    marks.into_iter().rev().for_each(|mark| writer.close(mark));
    writer.finish().filter(|bytes| bytes.len() <= MOST_BYTES).ok_or(Dropped::TooLong)
}

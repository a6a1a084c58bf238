//! DHCPv6 messages and options (RFC 9915 §8, §9, §21).
//!
//! [`Packet::parse`] looks at a whole datagram once and gives views into it, nothing is copied: a [`Message`] between
//! client and server or a [`Relay`] message around one, each with its [`Options`]. Options are a chain that was checked
//! to its end, so walking it can't fail; what is inside an option is parsed when it is asked for ([`Ia`],
//! [`IaAddress`], [`IaPrefix`], [`StatusCode`], [`ClientFqdn`]). [`Writer`] makes messages, nested options by
//! [`Writer::open`] and [`Writer::close`].

mod auth;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use auth::{Rkap, RkapInformation, authenticate, is_authentic};
pub use read::{
    ClientFqdn, Dnr, Ia, IaAddress, IaPrefix, Message, Options, Packet, Relay, StatusCode, addresses, codes, excluded,
    names, u8_value, u16_value, u32_value,
};
pub use write::{Mark, Writer};

use std::fmt;

/// UDP port of clients (RFC 9915 §7.2).
pub const CLIENT_PORT: u16 = 546;
/// UDP port of servers and relay agents (RFC 9915 §7.2).
pub const SERVER_PORT: u16 = 547;
/// Most relay agents a message may have passed (RFC 9915 §7.6).
pub const HOP_COUNT_LIMIT: u8 = 8;

/// Message types (RFC 9915 §7.3, RFC 9686 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageType {
    /// A client looks for servers.
    Solicit = 1,
    /// A server offers.
    Advertise = 2,
    /// A client takes up an offer.
    Request = 3,
    /// A client asks whether its addresses fit the link.
    Confirm = 4,
    /// A client extends its leases at the server that gave them.
    Renew = 5,
    /// A client extends its leases at any server.
    Rebind = 6,
    /// A server's answer.
    Reply = 7,
    /// A client gives leases back.
    Release = 8,
    /// A client found addresses in use.
    Decline = 9,
    /// A server asks a client to come back.
    Reconfigure = 10,
    /// A client asks for settings without leases.
    InformationRequest = 11,
    /// A relay agent forwards towards the server.
    RelayForward = 12,
    /// A server answers through a relay agent.
    RelayReply = 13,
    /// A client registers an address of its own (RFC 9686 §4.2).
    AddrRegInform = 36,
    /// A server acknowledges that (RFC 9686 §4.3).
    AddrRegReply = 37,
}

impl MessageType {
    /// All of them, in order.
    pub const ALL: [MessageType; 15] = [
        MessageType::Solicit,
        MessageType::Advertise,
        MessageType::Request,
        MessageType::Confirm,
        MessageType::Renew,
        MessageType::Rebind,
        MessageType::Reply,
        MessageType::Release,
        MessageType::Decline,
        MessageType::Reconfigure,
        MessageType::InformationRequest,
        MessageType::RelayForward,
        MessageType::RelayReply,
        MessageType::AddrRegInform,
        MessageType::AddrRegReply,
    ];

    /// The type of this number; `None` if we don't know it.
    pub fn from_wire(number: u8) -> Option<MessageType> {
        MessageType::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The name in lower case with `-` between words, as `status` shows it.
    pub fn name(self) -> &'static str {
        match self {
            MessageType::Solicit => "solicit",
            MessageType::Advertise => "advertise",
            MessageType::Request => "request",
            MessageType::Confirm => "confirm",
            MessageType::Renew => "renew",
            MessageType::Rebind => "rebind",
            MessageType::Reply => "reply",
            MessageType::Release => "release",
            MessageType::Decline => "decline",
            MessageType::Reconfigure => "reconfigure",
            MessageType::InformationRequest => "information-request",
            MessageType::RelayForward => "relay-forward",
            MessageType::RelayReply => "relay-reply",
            MessageType::AddrRegInform => "addr-reg-inform",
            MessageType::AddrRegReply => "addr-reg-reply",
        }
    }
}

/// Option codes (RFC 9915 §21 and the RFCs named).
pub mod option {
    /// Client Identifier (RFC 9915 §21.2).
    pub const CLIENT_ID: u16 = 1;
    /// Server Identifier (RFC 9915 §21.3).
    pub const SERVER_ID: u16 = 2;
    /// Identity Association for Non-temporary Addresses (RFC 9915 §21.4).
    pub const IA_NA: u16 = 3;
    /// Identity Association for Temporary Addresses, obsolete (RFC 9915 §25).
    pub const IA_TA: u16 = 4;
    /// IA Address (RFC 9915 §21.6).
    pub const IA_ADDRESS: u16 = 5;
    /// Option Request (RFC 9915 §21.7).
    pub const OPTION_REQUEST: u16 = 6;
    /// Preference (RFC 9915 §21.8).
    pub const PREFERENCE: u16 = 7;
    /// Elapsed Time (RFC 9915 §21.9).
    pub const ELAPSED_TIME: u16 = 8;
    /// Relay Message (RFC 9915 §21.10).
    pub const RELAY_MESSAGE: u16 = 9;
    /// Authentication (RFC 9915 §21.11).
    pub const AUTHENTICATION: u16 = 11;
    /// Status Code (RFC 9915 §21.13).
    pub const STATUS_CODE: u16 = 13;
    /// Rapid Commit (RFC 9915 §21.14).
    pub const RAPID_COMMIT: u16 = 14;
    /// Interface-Id (RFC 9915 §21.18).
    pub const INTERFACE_ID: u16 = 18;
    /// Reconfigure Message (RFC 9915 §21.19).
    pub const RECONFIGURE_MESSAGE: u16 = 19;
    /// Reconfigure Accept (RFC 9915 §21.20).
    pub const RECONFIGURE_ACCEPT: u16 = 20;
    /// DNS Recursive Name Server (RFC 3646 §3).
    pub const DNS_SERVERS: u16 = 23;
    /// Domain Search List (RFC 3646 §4).
    pub const DOMAIN_LIST: u16 = 24;
    /// Identity Association for Prefix Delegation (RFC 9915 §21.21).
    pub const IA_PD: u16 = 25;
    /// IA Prefix (RFC 9915 §21.22).
    pub const IA_PREFIX: u16 = 26;
    /// Information Refresh Time (RFC 9915 §21.23).
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
    /// Client FQDN (RFC 4704 §4).
    pub const CLIENT_FQDN: u16 = 39;
    /// Prefix Exclude, inside an IA Prefix (RFC 6603 §4.2).
    pub const PD_EXCLUDE: u16 = 67;
    /// Client Link-Layer Address (RFC 6939 §4).
    pub const CLIENT_LINK_LAYER_ADDRESS: u16 = 79;
    /// SOL_MAX_RT (RFC 9915 §21.24).
    pub const SOL_MAX_RT: u16 = 82;
    /// INF_MAX_RT (RFC 9915 §21.25).
    pub const INF_MAX_RT: u16 = 83;
    /// Captive portal URI (RFC 8910 §2.2).
    pub const CAPTIVE_PORTAL: u16 = 103;
    /// Relay Source Port (RFC 8357 §4).
    pub const RELAY_SOURCE_PORT: u16 = 135;
    /// Encrypted DNS (RFC 9463 §4.1).
    pub const DNR: u16 = 144;
    /// Address registration is enabled (RFC 9686 §4.1).
    pub const ADDR_REG_ENABLE: u16 = 148;
}

/// Status codes (RFC 9915 §21.13).
pub mod status {
    /// It worked.
    pub const SUCCESS: u16 = 0;
    /// It failed, nothing more is said.
    pub const UNSPEC_FAIL: u16 = 1;
    /// No addresses for this IA.
    pub const NO_ADDRS_AVAIL: u16 = 2;
    /// The server doesn't know this IA.
    pub const NO_BINDING: u16 = 3;
    /// The addresses don't fit the link.
    pub const NOT_ON_LINK: u16 = 4;
    /// No prefixes for this IA.
    pub const NO_PREFIX_AVAIL: u16 = 6;
}

/// Why bytes are no DHCPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than a message's fixed part.
    Header,
    /// A message type we don't know.
    MessageType(u8),
    /// An option says it is longer than what is left.
    Truncated,
    /// The contents of the option with this code.
    Option(u16),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Header => f.write_str("the message is shorter than its fixed part"),
            Malformed::MessageType(number) => write!(f, "message type {number} is unknown"),
            Malformed::Truncated => f.write_str("an option is longer than the rest of the message"),
            Malformed::Option(code) => write!(f, "option {code} has contents that it must not have"),
        }
    }
}

impl std::error::Error for Malformed {}

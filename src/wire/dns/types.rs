use super::{HEADER, u16_at};
use std::fmt;

macro_rules! numbers {
    ($(#[$doc:meta])* $type:ident($repr:ty), $unknown:literal: $($(#[$each:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $repr);

        impl $type {
            $($(#[$each])* pub const $name: $type = $type($value);)*

            /// Its name, if it has one here.
            pub fn name(self) -> Option<&'static str> {
                Some(match self.0 {
                    $($value => $text,)*
                    _ => return None,
                })
            }

            /// The one called `text`, in any case; also as RFC 3597 §5 writes unknown ones, with the number behind it.
            pub fn from_text(text: &str) -> Option<$type> {
                $(if text.eq_ignore_ascii_case($text) {
                    return Some($type($value));
                })*
                let (word, number) = text.split_at_checked($unknown.len())?;
                let number = if number.starts_with('+') { None } else { number.parse().ok() };
                number.filter(|_| word.eq_ignore_ascii_case($unknown)).map($type)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!($unknown, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

numbers! {
    /// The type of a record, or of a question (RFC 1035 §3.2.2).
    Type(u16), "TYPE":
    /// IPv4 address (RFC 1035 §3.4.1).
    A = 1, "A";
    /// A server of a zone (RFC 1035 §3.3.11).
    NS = 2, "NS";
    /// The true name of an alias (RFC 1035 §3.3.1).
    CNAME = 5, "CNAME";
    /// The start of a zone (RFC 1035 §3.3.13).
    SOA = 6, "SOA";
    /// A pointer to another name (RFC 1035 §3.3.12).
    PTR = 12, "PTR";
    /// A host's hardware (RFC 1035 §3.3.2); what ANY is answered with (RFC 8482 §4.2).
    HINFO = 13, "HINFO";
    /// Mail exchange (RFC 1035 §3.3.9).
    MX = 15, "MX";
    /// Text (RFC 1035 §3.3.14).
    TXT = 16, "TXT";
    /// A signature over a transaction by SIG(0) (RFC 2931).
    SIG = 24, "SIG";
    /// A key, before DNSSEC as it is (RFC 2536).
    KEY = 25, "KEY";
    /// IPv6 address (RFC 3596 §2.1).
    AAAA = 28, "AAAA";
    /// Where a service is (RFC 2782).
    SRV = 33, "SRV";
    /// Naming authority pointer (RFC 3403).
    NAPTR = 35, "NAPTR";
    /// An alias of a whole tree (RFC 6672).
    DNAME = 39, "DNAME";
    /// EDNS (RFC 6891 §6.1).
    OPT = 41, "OPT";
    /// The signer of a delegated zone (RFC 4034 §5).
    DS = 43, "DS";
    /// Fingerprint of an SSH key (RFC 4255).
    SSHFP = 44, "SSHFP";
    /// A signature (RFC 4034 §3).
    RRSIG = 46, "RRSIG";
    /// What is absent (RFC 4034 §4).
    NSEC = 47, "NSEC";
    /// A zone's key (RFC 4034 §2).
    DNSKEY = 48, "DNSKEY";
    /// Which client has the name (RFC 4701).
    DHCID = 49, "DHCID";
    /// What is absent, hashed (RFC 5155 §3).
    NSEC3 = 50, "NSEC3";
    /// How NSEC3 hashes (RFC 5155 §4).
    NSEC3PARAM = 51, "NSEC3PARAM";
    /// Certificate association (RFC 6698).
    TLSA = 52, "TLSA";
    /// Service binding (RFC 9460).
    SVCB = 64, "SVCB";
    /// Service binding for HTTPS (RFC 9460).
    HTTPS = 65, "HTTPS";
    /// Establishes a key (RFC 2930).
    TKEY = 249, "TKEY";
    /// Authenticates a transaction (RFC 8945).
    TSIG = 250, "TSIG";
    /// Asks for what changed in a zone (RFC 1995).
    IXFR = 251, "IXFR";
    /// Asks for a whole zone (RFC 5936).
    AXFR = 252, "AXFR";
    /// Asks for mailbox records, obsolete (RFC 1035 §3.2.3).
    MAILB = 253, "MAILB";
    /// Asks for mail agents, obsolete (RFC 1035 §3.2.3).
    MAILA = 254, "MAILA";
    /// Asks for any type (RFC 1035 §3.2.3, RFC 8482).
    ANY = 255, "ANY";
    /// Who may issue certificates (RFC 8659).
    CAA = 257, "CAA";
}

impl Type {
    /// Whether it is a type of questions or of a message's own records, which no zone can hold: OPT, and 128 to 255
    /// (RFC 6895 §3.1: QTYPEs and meta-types).
    pub fn is_meta(self) -> bool {
        self == Type::OPT || (128..=255).contains(&self.0) || self.0 == 0
    }
}

numbers! {
    /// The class of a record, or of a question (RFC 1035 §3.2.4).
    Class(u16), "CLASS":
    /// The Internet.
    IN = 1, "IN";
    /// Chaos: questions about the server itself, as `version.bind`.
    CH = 3, "CH";
    /// In updates: not this, or away with this (RFC 2136 §2.4, §2.5).
    NONE = 254, "NONE";
    /// Any class (RFC 1035 §3.2.5).
    ANY = 255, "ANY";
}

numbers! {
    /// What a message is about (RFC 1035 §4.1.1), four bits.
    Opcode(u8), "OPCODE":
    /// A question.
    QUERY = 0, "QUERY";
    /// A zone changed (RFC 1996).
    NOTIFY = 4, "NOTIFY";
    /// Changes a zone (RFC 2136).
    UPDATE = 5, "UPDATE";
}

numbers! {
    /// How it went: four bits in the header, eight more in OPT (RFC 6891 §6.1.3), sixteen in TSIG (RFC 8945 §4.2).
    Rcode(u16), "RCODE":
    /// Well.
    NOERROR = 0, "NOERROR";
    /// The message makes no sense.
    FORMERR = 1, "FORMERR";
    /// The server could not.
    SERVFAIL = 2, "SERVFAIL";
    /// There is no such name.
    NXDOMAIN = 3, "NXDOMAIN";
    /// The server does not do that.
    NOTIMP = 4, "NOTIMP";
    /// The server will not.
    REFUSED = 5, "REFUSED";
    /// A name exists that should not (RFC 2136 §2.2).
    YXDOMAIN = 6, "YXDOMAIN";
    /// A set of records exists that should not (RFC 2136 §2.2).
    YXRRSET = 7, "YXRRSET";
    /// A set of records that should exist does not (RFC 2136 §2.2).
    NXRRSET = 8, "NXRRSET";
    /// The server is not authoritative for the zone (RFC 2136 §2.2), or the sender not authenticated (RFC 8945 §5.2).
    NOTAUTH = 9, "NOTAUTH";
    /// A name is outside of the zone (RFC 2136 §2.2).
    NOTZONE = 10, "NOTZONE";
    /// EDNS of another version, in OPT (RFC 6891 §9); a wrong MAC, in TSIG (RFC 8945 §3).
    BADVERS = 16, "BADVERS";
    /// An unknown key, in TSIG (RFC 8945 §3).
    BADKEY = 17, "BADKEY";
    /// A clock that is too far off, in TSIG (RFC 8945 §3).
    BADTIME = 18, "BADTIME";
    /// A MAC cut too short, in TSIG (RFC 8945 §3).
    BADTRUNC = 22, "BADTRUNC";
    /// A missing or wrong server cookie, in OPT (RFC 7873 §8).
    BADCOOKIE = 23, "BADCOOKIE";
}

impl Rcode {
    /// A wrong MAC, in TSIG (RFC 8945 §3): the number that OPT calls BADVERS.
    pub const BADSIG: Rcode = Rcode(16);
}

const QR: u16 = 1 << 15;
const AA: u16 = 1 << 10;
const TC: u16 = 1 << 9;
const RD: u16 = 1 << 8;
const RA: u16 = 1 << 7;
const AD: u16 = 1 << 5;
const CD: u16 = 1 << 4;

/// The first four bytes of a message (RFC 1035 §4.1.1; AD and CD: RFC 4035 §3). The bit Z is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Tells which question an answer belongs to.
    pub id: u16,
    /// QR: it is an answer.
    pub response: bool,
    /// What it is about; values over 15 don't fit.
    pub opcode: Opcode,
    /// AA: from a server of the zone.
    pub authoritative: bool,
    /// TC: cut to fit; to be asked again over TCP.
    pub truncated: bool,
    /// RD: the server should ask others.
    pub recursion_desired: bool,
    /// RA: the server would ask others.
    pub recursion_available: bool,
    /// AD: validated by DNSSEC.
    pub authentic: bool,
    /// CD: don't validate.
    pub checking_disabled: bool,
    /// The lower four bits of how it went; [`Message::rcode`](super::Message::rcode) has all.
    pub rcode: Rcode,
}

impl Header {
    /// The header of a question with this id, all else false and zero.
    pub fn query(id: u16) -> Header {
        Header {
            id,
            response: false,
            opcode: Opcode::QUERY,
            authoritative: false,
            truncated: false,
            recursion_desired: false,
            recursion_available: false,
            authentic: false,
            checking_disabled: false,
            rcode: Rcode::NOERROR,
        }
    }

    /// The header of an answer to a message with this header: id, opcode, RD and CD are taken over (RFC 1035 §4.1.1,
    /// RFC 4035 §3.1.6).
    pub fn reply(&self, rcode: Rcode) -> Header {
        Header {
            response: true,
            opcode: self.opcode,
            recursion_desired: self.recursion_desired,
            checking_disabled: self.checking_disabled,
            rcode,
            ..Header::query(self.id)
        }
    }

    /// Reads the header of a message, whatever stands behind it. `None` if there are fewer than 12 bytes.
    pub fn of(message: &[u8]) -> Option<Header> {
        message.get(..HEADER)?;
        let flags = u16_at(message, 2)?;
        Some(Header {
            id: u16_at(message, 0)?,
            response: flags & QR != 0,
            opcode: Opcode((flags >> 11 & 15) as u8),
            authoritative: flags & AA != 0,
            truncated: flags & TC != 0,
            recursion_desired: flags & RD != 0,
            recursion_available: flags & RA != 0,
            authentic: flags & AD != 0,
            checking_disabled: flags & CD != 0,
            rcode: Rcode(flags & 15),
        })
    }

    /// The four bytes.
    pub fn to_bytes(self) -> [u8; 4] {
        let mut flags = u16::from(self.opcode.0 & 15) << 11 | self.rcode.0 & 15;
        for (set, bit) in [
            (self.response, QR),
            (self.authoritative, AA),
            (self.truncated, TC),
            (self.recursion_desired, RD),
            (self.recursion_available, RA),
            (self.authentic, AD),
            (self.checking_disabled, CD),
        ] {
            flags |= if set { bit } else { 0 };
        }
        let ([a, b], [c, d]) = (self.id.to_be_bytes(), flags.to_be_bytes());
        [a, b, c, d]
    }
}

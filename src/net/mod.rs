//! The words every room shares: prefixes, addresses, identifiers, time and lifetimes.
//!
//! Parse, don't validate: a value of these types is always well formed, so no other room checks again.

pub mod base64;
mod duid;
mod flat;
mod key;
mod mac;
mod preference;
mod prefix;
mod random;
mod siphash;
mod time;
mod x25519;

pub use duid::Duid;
pub use flat::{FlatMap, FlatSet};
pub use key::{Key32, PublicKey};
pub use mac::Mac;
pub use preference::Preference;
pub use prefix::Prefix;
pub use random::Rng;
pub use siphash::siphash;
pub use time::{Instant, Lifetimes, Until};

use std::fmt;
use std::net::Ipv6Addr;

/// A text that is not what its place asks for; says what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(pub String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

/// All nodes on a link (RFC 4291 §2.7.1).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers on a link (RFC 4291 §2.7.1).
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// All DHCPv6 servers and relay agents on a link (RFC 9915 §7.1).
pub const ALL_DHCP_RELAY_AGENTS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// Whether `addr` is a unicast link-local address, fe80::/10 (RFC 4291 §2.5.6).
pub fn is_link_local(addr: Ipv6Addr) -> bool {
    addr.segments()[0] & 0xffc0 == 0xfe80
}

/// Whether `addr` is a unique local address, fc00::/7 (RFC 4193 §3.1).
pub fn is_ula(addr: Ipv6Addr) -> bool {
    Prefix::UNIQUE_LOCAL.contains(addr)
}

/// `prefix`'s upper 64 bits with `iid` as the lower 64.
pub fn with_iid(prefix: Ipv6Addr, iid: u64) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(prefix) & !u128::from(u64::MAX) | u128::from(iid))
}

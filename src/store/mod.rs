//! What outlives the process: bindings (tmpfs, batched to flash), the ULA, the DUID and the served prefixes.

use crate::net::{Duid, Prefix};
use crate::plan::Served;

/// What is remembered on flash beside the bindings. Changes rarely; one write per change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The unique local prefix drawn for this router (RFC 4193 §3.2).
    pub ula: Option<Prefix>,
    /// The DHCPv6 server's DUID (RFC 9915 §11).
    pub duid: Option<Duid>,
    /// Prefixes that LANs were told of.
    pub served: Vec<Served>,
}

//! Bytes ↔ values, for the formats we own. Parsers are total: any input gives a value or an error, never a panic.

pub mod dhcp6;
pub mod dns;
pub mod echo;
pub(crate) mod hmac_md5;
pub mod name;
pub mod nd;
pub mod svcparams;

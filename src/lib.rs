//! IPv6 for any network.

pub mod config;
pub mod control;
pub mod kernel;
pub mod net;
pub mod plan;
pub mod proto;
pub mod router;
pub mod store;
pub mod wire;

//! The outer room against the real kernel, in network namespaces. Needs root; says SKIP where it can't run, and fails
//! there in CI.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod devices;
mod guard;
mod guarding;
mod namespace;
mod netlink;
mod notifications;
mod rights;
#[path = "../namespaces/skip.rs"]
mod skip;
mod sockets;
mod speed;
mod uplinks;

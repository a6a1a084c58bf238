//! Tunnel devices in a kernel that has them, against plain Linux tunnels and WireGuard as `wg` sets it up: run by
//! `make test-vm` in the virtual machine, and skipped everywhere else.
#![cfg(all(feature = "daemon", feature = "wireguard"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod bed;
#[path = "../kernel/namespace.rs"]
#[allow(dead_code)]
mod namespace;
mod sit;
#[path = "../namespaces/skip.rs"]
mod skip;
mod taking_over;
mod wireguard;

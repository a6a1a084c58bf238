//! The outer room against the real kernel, in network namespaces. Needs root; says SKIPPED where it can't run, and
//! fails there if the environment variable CI is set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod namespace;
mod netlink;
mod notifications;
mod rights;
mod sockets;
mod speed;

//! oasis6 as it runs: real sockets, the real kernel, and clients that nobody here wrote, in network namespaces.
//!
//! Needs root and the programs of `.ci/setup.sh netns test`; what is missing is a visible skip (`tests/run.sh`).
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod advertisements;
mod bed;
mod broker;
mod clients;
mod commands;
mod control;
mod devices;
mod floods;
mod guard;
mod kills;
mod load;
mod netns;
mod reload;
mod skip;
mod startup;
mod storage;
#[cfg(feature = "ubus")]
mod ubus;
#[cfg(feature = "ubus")]
mod ubusd;
#[cfg(feature = "ubus")]
mod uplinks;

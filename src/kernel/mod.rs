//! The only place that changes the system.
//!
//! `linux` does it by netlink and /proc/sys, `fake` in memory for tests and simulation; both are a [`Kernel`].

#[cfg(feature = "daemon")]
pub mod conntrack;
pub mod fake;
pub mod handshakes;
#[cfg(feature = "daemon")]
pub mod linux;
pub mod nft;
#[cfg(feature = "daemon")]
pub mod socket;
#[cfg(feature = "daemon")]
mod socket_filter;
#[cfg(feature = "daemon")]
pub mod sysctl;
#[cfg(feature = "daemon")]
pub mod traffic;

use crate::plan::{Actual, Op};
use std::fmt;

/// A kernel that can be read and changed.
pub trait Kernel {
    /// Reads everything that [`Actual`] holds: one dump at a time.
    fn read(&mut self) -> Result<Actual, Refusal>;

    /// Does `ops` in order, going on after one that is refused; one result for each.
    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>>;
}

/// The kernel said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// errno, positive.
    pub errno: i32,
    /// In words, with the remedy where there is one.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

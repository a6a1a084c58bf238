//! A router's life in virtual time: the same [`Router`](crate::router::Router) that the daemon drives, with a kernel, a
//! flash, hosts and clients that exist in memory only, and a model of what they must see.
//!
//! ```text
//! Script (seed, events) ─► World ─► Router, FakeKernel, Store      what happens
//!                            │
//!                            └────► Host, Client ─► Model          what has to be true
//! ```
//!
//! A life is drawn from a seed or read from a file. When the model finds a difference, that file is all that is needed
//! to live it again: `oasis6 replay FILE`.

mod bytes;
mod client;
mod host;
mod model;
mod script;
mod world;

pub use script::{Happening, LANS, Line, Script};

use std::fmt;

/// What a life was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events of the script.
    pub events: u64,
    /// Router advertisements sent.
    pub advertisements: u64,
    /// Messages of DHCPv6 clients.
    pub exchanges: u64,
    /// Checks of hosts and clients against the model.
    pub checks: u64,
    /// Files written to flash.
    pub flash_writes: u64,
}

/// Where a life went against the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Milliseconds from the start.
    pub at: u64,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, rest) = (self.at / 86_400_000, self.at % 86_400_000);
        write!(f, "day {day}, second {}.{:03} ({} ms): {}", rest / 1000, rest % 1000, self.at, self.what)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events, {} advertisements, {} client messages, {} checks, {} flash writes; no difference to the model",
            self.events, self.advertisements, self.exchanges, self.checks, self.flash_writes
        )
    }
}

/// Lives a script to its end.
///
/// # Errors
/// The first difference between the model and what hosts, clients and the kernel show.
pub fn live(script: &Script) -> Result<Summary, Failure> {
    world::World::new(script).live(script)
}

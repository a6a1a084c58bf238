//! Protocol cores: what to say on the wire, and when. Sans I/O.
//!
//! Every core has one shape:
//!
//! ```text
//! new(config, seed, now)                      handle(event, now, out)      one call in, a list of actions out
//! reconfigure(config, now, out)               tick(now, out)               a timer that fires early or twice does nothing
//! shutdown(now, out)                          poll_at() -> when and why    derived from state
//! status(now) -> plain data
//! ```
//!
//! Time and seeds are arguments. Bad bytes are no error to the caller: they are counted and shown. What a core wants
//! from the kernel (a route for a delegated prefix) is no action: it is a fact for `plan`, the one writer.

pub mod dhcp6;
pub mod endpoint;
pub mod names;
pub mod ndproxy;
pub mod ra;
mod retransmission;
pub mod update;
pub mod uplink;

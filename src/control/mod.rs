//! JSON methods over a unix socket, and the commands that ask them.
//!
//! One JSON object a line, each way:
//!
//! ```text
//! → {"method":"status","params":{}}
//! ← {"result":{…}}   or   {"error":{"code":"method","message":"there is no method 'stat'; known: …"}}
//! → {"method":"monitor"}
//! ← {"event":"hello","version":"0.1.0"}
//! ← {"event":"lease",…}                    … until one side ends the connection
//! ```
//!
//! [`request`] turns bytes into requests and [`show`] answers into text for people: both are pure. [`server`] is polled
//! by the daemon's loop and owns the connections; [`client`] is the blocking other end, for the commands.
//!
//! A connection may carry one request after the other; each is answered before the next is read. Whoever does not
//! speak this language is told why, and the connection ends. Clients, lines, answers and events waiting for slow
//! readers are all bounded (see the constants of [`server`] and [`request`]), so nobody can make the daemon wait or grow.

#[cfg(feature = "daemon")]
pub mod client;
#[cfg(feature = "daemon")]
mod connection;
pub mod request;
#[cfg(feature = "daemon")]
pub mod server;
pub mod show;
#[cfg(test)]
#[cfg(feature = "daemon")]
mod tests;

/// What the daemon can be asked, here and on ubus; none takes parameters. The control socket alone has `attach` and `detach`
/// beside them, with the parameter `name`.
pub const METHODS: &[&str] = &["status", "uplinks", "leases", "names", "check", "plan", "reload"];

/// Why a request got no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// One word for programs: `request` (not understood), `method` (unknown), `config`, `busy`, `timeout`, `internal`.
    pub code: String,
    /// A sentence for people, with what to do.
    pub message: String,
}

impl Error {
    /// An error of this code with this message.
    pub fn new(code: &str, message: impl Into<String>) -> Error {
        Error { code: code.into(), message: message.into() }
    }
}

//! OpenWrt's bus: how LuCI, scripts and netifd speak with us.
//!
//! ```text
//! ubusd ◄─ unix socket ─► link (tokio) ─► client::Client ─► Event: a method was called, netifd's devices changed
//!                                          │    ▲
//!                          message, value ─┘    └─ answers and events of the daemon
//! ```
//!
//! [`blob`], [`value`] and [`message`] are the bytes: attributes, JSON values in them, and framed messages; all numbers
//! are big-endian on the wire. [`client`] is one conversation with ubusd without its socket: it registers the object
//! `oasis6`, takes calls, sends events, and follows netifd's interfaces, which [`netifd`] reads. `link` owns the socket, is polled by the
//! daemon's loop and connects again when ubusd has restarted. No ubusd, as on plain Linux, is no error and no log line.
//!
//! The crate `ubus` 0.1.7 is a blocking client that can neither register an object nor subscribe, and its types are bound to
//! its own reading loop, so the few hundred lines are ours.
//!
//! ubusd never tells a caller that the object's owner has died: every call has a deadline. It checks neither what
//! callers put into a message nor what owners answer, so the readers here are total. Who may call is decided by ubusd's
//! access lists (by default root alone) and, for LuCI's sessions, by rpcd's (`files/usr/share/rpcd/acl.d`).

pub mod blob;
pub mod client;
#[cfg(feature = "ubus")]
pub mod link;
pub mod message;
pub mod netifd;
pub mod value;

/// Where OpenWrt's ubusd listens.
pub const SOCKET: &str = "/var/run/ubus/ubus.sock";

#[cfg(test)]
mod tests;

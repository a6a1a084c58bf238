//! Uplinks of a router without sockets.

mod broker;
mod netifd;
mod restarts;

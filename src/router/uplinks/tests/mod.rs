//! Uplinks of a router without sockets.

mod netifd;
mod restarts;

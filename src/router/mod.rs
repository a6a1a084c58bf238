//! The router as a whole, without its sockets: events in, actions out.

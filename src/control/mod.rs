//! JSON methods over a unix socket, and the commands that ask them.

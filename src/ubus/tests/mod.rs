//! The codec against what the real ubusd, libubus and `ubus` said (tests/vectors/ubus).

mod any;
mod conversation;
mod netifd;
mod recorded;

//! ubus as the daemon sees it. A build without it has a bus on which nothing ever happens.

use crate::control;
use crate::net::FlatMap;
use crate::net::Instant;
use crate::router::Notice;
use serde_json::Value;
use std::path::Path;

/// OpenWrt interface name → device.
pub(super) type Devices = FlatMap<String, String>;

#[cfg(feature = "ubus")]
pub(super) use on::{Bus, Call};

#[cfg(feature = "ubus")]
mod on {
    use super::{Devices, Instant, Notice, Path, Value, control};
    use crate::ubus::client::Event;
    use crate::ubus::link::Link;
    use crate::ubus::message::status;
    use serde_json::json;

    pub(crate) use crate::ubus::client::Call;

    /// Our name.
    const OBJECT: &str = "oasis6";

    /// The object `oasis6`, and what netifd last said.
    pub(crate) struct Bus {
        link: Link,
        netifd: Devices,
    }

    impl Bus {
        pub(crate) fn new(socket: &Path) -> Bus {
            Bus { link: Link::new(socket.into(), OBJECT, control::METHODS), netifd: Devices::new() }
        }

        /// The next call. `None`: netifd said something, or the bus came or went.
        pub(crate) async fn next(&mut self) -> Option<Call> {
            match self.link.next().await? {
                Event::Called(call) => Some(call),
                Event::Interfaces(devices) => {
                    self.netifd = devices;
                    None
                }
            }
        }

        pub(crate) fn tick(&mut self, now: Instant) {
            self.link.tick(now);
        }

        pub(crate) fn poll_at(&self) -> Option<Instant> {
            self.link.poll_at()
        }

        /// netifd's word counts more than the file's. It stands while netifd restarts, until [`Bus::forget`].
        pub(crate) fn devices(&self, file: &Devices) -> Devices {
            let mut devices = file.clone();
            devices.extend(self.netifd.clone());
            devices
        }

        /// Forgets what a netifd said that is not there any more.
        pub(crate) fn forget(&mut self) {
            if !self.link.has_netifd() {
                self.netifd.clear();
            }
        }

        pub(crate) fn answer(&mut self, call: &Call, answer: &Result<Value, control::Error>) {
            let (code, value) = match answer {
                Ok(value) => (status::OK, value),
                Err(error) => {
                    let code = if error.code == "method" { status::METHOD_NOT_FOUND } else { status::UNKNOWN_ERROR };
                    (code, &json!({ "error": { "code": error.code, "message": error.message } }))
                }
            };
            if !self.link.answer(call, code, value) {
                log::warn!("ubus takes no answer as long as that to {}; ask `oasis6 {0}`", call.method);
            }
        }

        /// Sends what the events of ubus are about.
        pub(crate) fn tell(&mut self, notice: &Notice, now: Instant) {
            let id = match notice {
                Notice::Lease(..) => "oasis6.lease",
                Notice::Lan { .. } => "oasis6.lan",
                Notice::Prefix { .. } => "oasis6.prefix",
                Notice::Kernel { .. } | Notice::Config { .. } => return,
            };
            if self.link.is_registered() {
                self.link.send(id, &notice.to_json(now));
            }
        }

        pub(crate) fn trouble(&self) -> Option<&str> {
            self.link.trouble()
        }

        pub(crate) fn status(&self) -> Value {
            self.link.status()
        }
    }
}

#[cfg(not(feature = "ubus"))]
pub(super) use off::{Bus, Call};

#[cfg(not(feature = "ubus"))]
mod off {
    use super::{Devices, Instant, Notice, Path, Value, control};

    /// There is never one.
    pub(crate) struct Call {
        pub(crate) method: String,
    }

    pub(crate) struct Bus;

    impl Bus {
        pub(crate) fn new(_: &Path) -> Bus {
            Bus
        }
        pub(crate) async fn next(&mut self) -> Option<Call> {
            std::future::pending().await
        }
        pub(crate) fn tick(&mut self, _: Instant) {}
        pub(crate) fn poll_at(&self) -> Option<Instant> {
            None
        }
        pub(crate) fn devices(&self, file: &Devices) -> Devices {
            file.clone()
        }
        pub(crate) fn forget(&mut self) {}
        pub(crate) fn answer(&mut self, _: &Call, _: &Result<Value, control::Error>) {}
        pub(crate) fn tell(&mut self, _: &Notice, _: Instant) {}
        pub(crate) fn trouble(&self) -> Option<&str> {
            None
        }
        pub(crate) fn status(&self) -> Value {
            Value::Null
        }
    }
}

//! ubus as the daemon sees it. A build without it has a bus on which nothing ever happens.

use crate::control;
use crate::net::FlatMap;
use crate::net::Instant;
use crate::router::{NetifdFacts, Notice};
use serde_json::Value;
use std::path::Path;

/// OpenWrt interface name → device.
pub(super) type Devices = FlatMap<String, String>;
/// OpenWrt interface name → what netifd says of it.
pub(super) type Interfaces = FlatMap<String, NetifdFacts>;

#[cfg(feature = "ubus")]
pub(super) use on::{Bus, Call};

#[cfg(feature = "ubus")]
mod on {
    use super::{Devices, Instant, Interfaces, Notice, Path, Value, control};
    use crate::kernel::linux::boottime;
    use crate::ubus::client::Event;
    use crate::ubus::link::Link;
    use crate::ubus::message::status;
    use crate::ubus::netifd;
    use serde_json::json;

    pub(crate) use crate::ubus::client::Call;

    /// Our name.
    const OBJECT: &str = "oasis6";

    /// The object `oasis6`, and what netifd last said.
    pub(crate) struct Bus {
        link: Link,
        devices: Devices,
        interfaces: Interfaces,
    }

    impl Bus {
        pub(crate) fn new(socket: &Path) -> Bus {
            let link = Link::new(socket.into(), OBJECT, control::METHODS);
            Bus { link, devices: Devices::new(), interfaces: Interfaces::new() }
        }

        /// The next call. `None`: netifd said something, or the bus came or went.
        pub(crate) async fn next(&mut self) -> Option<Call> {
            match self.link.next().await? {
                Event::Called(call) => Some(call),
                Event::Interfaces(dump) => {
                    self.devices = netifd::devices(&dump);
                    self.interfaces = netifd::facts(&dump, boottime());
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
            devices.extend(self.devices.clone());
            devices
        }

        /// What netifd last said.
        pub(crate) fn interfaces(&self) -> Interfaces {
            self.interfaces.clone()
        }

        /// Forgets what a netifd said that is not there any more.
        pub(crate) fn forget(&mut self) {
            if !self.link.has_netifd() {
                self.devices.clear();
                self.interfaces.clear();
            }
        }

        pub(crate) fn answer(&mut self, call: &Call, answer: Result<Value, control::Error>) {
            let (code, mut value) = match answer {
                Ok(value) => (status::OK, value),
                Err(error) => {
                    let code = if error.code == "method" { status::METHOD_NOT_FOUND } else { status::UNKNOWN_ERROR };
                    (code, json!({ "error": { "code": error.code, "message": error.message } }))
                }
            };
            while !self.link.answer(call, code, &value) {
                if !shorten(&mut value) {
                    return self.link.refuse(call, status::NO_MEMORY);
                }
            }
        }

        /// Sends what the events of ubus are about.
        pub(crate) fn tell(&mut self, notice: &Notice, now: Instant) {
            let id = match notice {
                Notice::Lease(..) => "oasis6.lease",
                Notice::Lan { .. } => "oasis6.lan",
                Notice::Uplink { .. } => "oasis6.uplink",
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

    /// Leaves out a quarter of the leases, or of the names, and says how many are missing: a message holds about four thousand.
    /// False: there is nothing to leave out.
    fn shorten(answer: &mut Value) -> bool {
        let Some(fields) = answer.as_object_mut() else { return false };
        let long = if fields.contains_key("names") { "names" } else { "leases" };
        let Some(list) = fields.get_mut(long).and_then(Value::as_array_mut) else { return false };
        let fewer = list.len().div_ceil(4);
        list.truncate(list.len() - fewer);
        let before = fields.get("left_out").and_then(Value::as_u64).unwrap_or_default();
        fields.insert("left_out".into(), json!(before.saturating_add(u64::try_from(fewer).unwrap_or(u64::MAX))));
        fewer > 0
    }

    #[test]
    fn an_answer_is_shortened_to_what_is_left() {
        let mut answer = json!({ "leases": [1, 2, 3, 4, 5] });
        assert!(shorten(&mut answer));
        assert_eq!(answer, json!({ "leases": [1, 2, 3], "left_out": 2 }));
        while shorten(&mut answer) {}
        assert_eq!(answer, json!({ "leases": [], "left_out": 5 }));
        let mut answer = json!({ "names": [1, 2, 3, 4], "zones": [1] });
        assert!(shorten(&mut answer));
        assert_eq!(answer, json!({ "names": [1, 2, 3], "zones": [1], "left_out": 1 }));
        assert!(!shorten(&mut json!({ "state": "serving" })));
    }
}

#[cfg(not(feature = "ubus"))]
pub(super) use off::{Bus, Call};

#[cfg(not(feature = "ubus"))]
mod off {
    use super::{Devices, Instant, Interfaces, Notice, Path, Value, control};

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
        pub(crate) fn interfaces(&self) -> Interfaces {
            Interfaces::new()
        }
        pub(crate) fn forget(&mut self) {}
        pub(crate) fn answer(&mut self, _: &Call, _: Result<Value, control::Error>) {}
        pub(crate) fn tell(&mut self, _: &Notice, _: Instant) {}
        pub(crate) fn trouble(&self) -> Option<&str> {
            None
        }
        pub(crate) fn status(&self) -> Value {
            Value::Null
        }
    }
}

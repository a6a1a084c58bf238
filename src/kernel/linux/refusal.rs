//! The kernel's refusals in words, with the remedy.

use super::exchange::Failure;
use crate::kernel::Refusal;
use crate::plan::{Key, Op, Value};
use nix::errno::Errno;

impl Failure {
    /// What is special about devices.
    fn of_device(&self, op: Option<&Op>) -> Option<String> {
        let Some(Op::Put(Key::Device(name), Value::Device(device))) = op else { return None };
        let (kind, package) = (device.kind().word(), device.kind().package());
        match self.kind() {
            // "Unknown device type"; and ENOENT from generic netlink
            Errno::EOPNOTSUPP | Errno::ENOENT | Errno::EPROTONOSUPPORT => {
                Some(format!("this kernel can't do {kind}; install {package}"))
            }
            Errno::EEXIST => Some("another tunnel has the same addresses; remove that one".into()),
            Errno::EBUSY => Some(format!("another device has the name {name}; rename or remove it")),
            Errno::ENOSYS => Some(self.words.clone()),
            Errno::EADDRINUSE => Some("another program has the UDP port; choose another listen_port".into()),
            _ => None,
        }
    }

    /// In words for a person who sees what was to be done beside it.
    pub(super) fn refusal(&self, op: Option<&Op>) -> Refusal {
        if let Some(message) = self.of_device(op) {
            return Refusal { errno: self.errno, message };
        }
        let route = matches!(op, Some(Op::Put(Key::Route { .. }, _)));
        let words = match self.kind() {
            Errno::EPERM => "not allowed; run as root or with CAP_NET_ADMIN",
            Errno::EACCES => "IPv6 is off on this link; set net.ipv6.conf.DEVICE.disable_ipv6 to 0",
            Errno::ENODEV | Errno::ENXIO => "the link is gone",
            Errno::ENETDOWN => "the link is down",
            Errno::EEXIST if route => {
                "another program has a route to the same destination with the same metric; remove that one"
            }
            Errno::EHOSTUNREACH | Errno::ENETUNREACH => "the gateway can't be reached over this link",
            Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT => {
                "this kernel can't do that; it has to be built with IPv6"
            }
            Errno::ENOMEM | Errno::ENOBUFS => "the kernel has no memory left for it",
            Errno::EAGAIN => "the kernel did not answer",
            other => other.desc(),
        };
        let message = if self.words.is_empty() { words.to_owned() } else { format!("{words} ({})", self.words) };
        Refusal { errno: self.errno, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Device, Sit};

    #[test]
    fn refusals_of_devices_say_what_is_missing_or_in_the_way() {
        let sit = Sit { local: [192, 0, 2, 1].into(), remote: None, ttl: 64, mtu: None, sixrd: None, link: None };
        let op = Op::Put(Key::Device("o6-six".into()), Value::Device(Device::Sit(sit)));
        let table = [
            (Errno::EOPNOTSUPP, "install kmod-sit"),
            (Errno::EEXIST, "another tunnel"),
            (Errno::EBUSY, "name o6-six"),
            (Errno::EADDRINUSE, "UDP port"),
            (Errno::EPERM, "CAP_NET_ADMIN"),
        ];
        for (errno, expected) in table {
            let message = Failure::from(errno).refusal(Some(&op)).message;
            assert!(message.contains(expected), "{errno}: {message}");
        }
    }

    #[test]
    fn refusals_name_the_remedy_and_keep_the_kernels_own_words() {
        let failure = |errno: Errno, words: &str| Failure { errno: errno as i32, words: words.into() };
        let refusal = failure(Errno::EPERM, "").refusal(None);
        assert_eq!((refusal.errno, refusal.message.contains("CAP_NET_ADMIN")), (1, true));
        assert_eq!(failure(Errno::ENODEV, "Unknown device").refusal(None).message, "the link is gone (Unknown device)");
        assert_eq!(failure(Errno::ERANGE, "").refusal(None).message, Errno::ERANGE.desc());
        assert!(!Failure { errno: 99999, words: String::new() }.refusal(None).message.is_empty());
    }
}

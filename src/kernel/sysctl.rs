//! Sysctls under /proc/sys, by their names with dots.
//!
//! A device's name may hold dots (`br.lan`); `net.ipv6.conf.DEVICE.LEAF` is taken apart at both ends, since no leaf
//! holds one. Everywhere else a dot is a step down.

use super::Refusal;
use crate::plan::DEVICES;
use nix::errno::Errno;
use std::fs;
use std::io;
use std::path::PathBuf;

/// What we look at of each device, beside `net.ipv6.conf.all.forwarding`.
pub const OF_DEVICE: [&str; 4] = ["accept_ra", "disable_ipv6", "forwarding", "proxy_ndp"];
/// Whether the machine forwards at all.
pub const FORWARDING: &str = "net.ipv6.conf.all.forwarding";

/// The value, without the newline; `None` if there is none such, or it can't be read.
pub fn read(name: &str) -> Option<String> {
    let value = fs::read_to_string(path(name)?).ok()?;
    Some(value.trim_end().to_owned())
}

/// Sets it. Refused with ENOENT where there is none such, EROFS or EACCES where it may not be written.
pub fn write(name: &str, value: &str) -> Result<(), Refusal> {
    let written = path(name).ok_or_else(|| io::Error::from(Errno::ENOENT)).and_then(|path| {
        // never made anew: a file of that name elsewhere than in /proc would mislead
        let mut file = fs::OpenOptions::new().write(true).open(path)?;
        io::Write::write_all(&mut file, value.as_bytes())
    });
    written.map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(Errno::EIO as i32);
        let message = match Errno::from_raw(errno) {
            Errno::ENOENT => format!("there is no {name}: the device is gone, or has no IPv6"),
            Errno::EROFS => {
                format!("can't set {name}: /proc/sys is read-only; set it outside of this container, or mount /proc/sys writable")
            }
            Errno::EACCES | Errno::EPERM => format!("may not set {name}; run as root"),
            Errno::EINVAL => format!("{name} can't be '{value}'"),
            other => format!("can't set {name}: {}", other.desc()),
        };
        Refusal { errno, message }
    })
}

/// `None`: a name that leads out of /proc/sys or nowhere.
fn path(name: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = match name.strip_prefix(DEVICES).and_then(|rest| rest.rsplit_once('.')) {
        Some((device, leaf)) => vec!["net", "ipv6", "conf", device, leaf],
        None => name.split('.').collect(),
    };
    let sound = parts.iter().all(|part| !["", ".", ".."].contains(part) && !part.contains(['/', '\0']));
    sound.then(|| ["/proc/sys"].into_iter().chain(parts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_steps_but_not_in_the_name_of_a_device() {
        for (name, expected) in [
            ("net.ipv6.conf.all.forwarding", "/proc/sys/net/ipv6/conf/all/forwarding"),
            ("net.ipv6.conf.br.lan.accept_ra", "/proc/sys/net/ipv6/conf/br.lan/accept_ra"),
            ("net.ipv6.conf.eth0.1.2.forwarding", "/proc/sys/net/ipv6/conf/eth0.1.2/forwarding"),
            ("net.ipv6.route.max_size", "/proc/sys/net/ipv6/route/max_size"),
            ("kernel.ostype", "/proc/sys/kernel/ostype"),
        ] {
            assert_eq!(path(name), Some(expected.into()), "{name}");
        }
    }

    #[test]
    fn no_name_leads_out_of_proc_sys() {
        for name in ["", ".", "..", "net..x", "net/../x", "net.ipv6.conf....forwarding", "net.ipv6.conf./.x", "a.\0"] {
            assert_eq!(path(name), None, "{name:?}");
        }
        assert_eq!(write("net.ipv6.conf....forwarding", "1").unwrap_err().errno, Errno::ENOENT as i32);
    }

    #[test]
    fn values_are_read_without_the_newline_and_what_is_missing_is_named() {
        assert_eq!(read("kernel.ostype").as_deref(), Some("Linux"));
        assert_eq!(read("net.ipv6.conf.nosuch0.forwarding"), None);
        let refusal = write("net.ipv6.conf.nosuch0.forwarding", "1").unwrap_err();
        assert_eq!(refusal.errno, Errno::ENOENT as i32);
        assert!(refusal.message.contains("net.ipv6.conf.nosuch0.forwarding"), "{refusal}");
    }
}

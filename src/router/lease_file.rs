use super::Router;
use crate::net::{Duid, Instant, Until};
use crate::proto::dhcp6::{Binding, Resource, State};
use std::fmt::Write;

impl Router {
    /// Every lease as odhcpd writes its file, which LuCI's status page reads (rpcd-mod-luci, `lease_next`). `clock` is the
    /// wall clock `now`, seconds since 1970.
    ///
    /// ```text
    /// # DEVICE DUID IAID NAME END ID LENGTH ADDRESS/LENGTH
    /// ```
    ///
    /// DUID, IAID and ID are hexadecimal, the end is in seconds since 1970, or -1 for never; without a name there is `-`.
    pub fn lease_file(&self, now: Instant, clock: u64) -> String {
        let mut text = String::new();
        for binding in self.dhcp6.bindings().filter(|binding| binding.state == State::Bound) {
            let device = self.desired.lans.get(&*binding.lan).map_or(&*binding.lan, |lan| &lan.device);
            line(&mut text, binding, device, now, clock);
        }
        text
    }
}

fn line(text: &mut String, binding: &Binding, device: &str, now: Instant, clock: u64) {
    let end = match binding.lifetimes.valid {
        Until::Forever => "-1".to_owned(),
        Until::At(_) if binding.lifetimes.valid.is_over(now) => return,
        Until::At(end) => clock.saturating_add(end.since(now).as_secs()).to_string(),
    };
    let (id, len, start) = match binding.resource {
        // the host's half of the address
        Resource::Address(addr) => (addr.to_bits() & u128::from(u64::MAX), 128, addr),
        Resource::Prefix(prefix) => (0, prefix.len(), prefix.addr()),
    };
    let name = if binding.hostname.is_empty() { "-".to_owned() } else { escaped(&binding.hostname) };
    let (device, duid, iaid) = (escaped(device), hex(&binding.client), binding.iaid);
    // writing to a string can't fail
    let _ = writeln!(text, "# {device} {duid} {iaid:x} {name} {end} {id:x} {len} {start}/{len}");
}

fn hex(duid: &Duid) -> String {
    duid.as_bytes().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What clients say can neither end a line nor a field.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Lifetimes, Mac};

    fn of(resource: Resource, hostname: &str, valid: Until) -> Binding {
        Binding {
            resource,
            client: Duid::link_layer(Mac([2, 0, 0, 0, 0, 0x1f])),
            iaid: 0xabc,
            lan: "lan".into(),
            via: "fe80::1".parse().unwrap(),
            lifetimes: Lifetimes::new(valid, valid),
            state: State::Bound,
            hostname: hostname.into(),
        }
    }

    #[test]
    fn a_lease_is_a_line_as_odhcpd_writes_it_whatever_the_client_calls_itself() {
        let (now, clock) = (Instant(60_000), 1_800_000_000);
        let end = Until::At(Instant(660_999));
        let address = Resource::Address("fd00::1:2".parse().unwrap());
        let prefix = Resource::Prefix("fd00:0:0:10::/60".parse().unwrap());
        for (binding, expected) in [
            (
                of(address, "laptop.lan", end),
                "# br-lan 0003000102000000001f abc laptop.lan 1800000600 10002 128 fd00::1:2/128\n",
            ),
            (of(prefix, "", Until::Forever), "# br-lan 0003000102000000001f abc - -1 0 60 fd00:0:0:10::/60\n"),
            (
                of(address, "a b\n# x", end),
                "# br-lan 0003000102000000001f abc a\\x20b\\x0a\\x23\\x20x 1800000600 10002 128 fd00::1:2/128\n",
            ),
            (of(address, "gone", Until::At(now)), ""),
        ] {
            let mut text = String::new();
            line(&mut text, &binding, "br-lan", now, clock);
            assert_eq!(text, expected);
        }
    }
}

//! dnsmasq's file of leases: who has which IPv4 address, and which name.

use crate::net::Mac;
use std::net::Ipv4Addr;

/// Most leases taken: more names there are none either ([`super::MAX_NAMES`]).
const MAX_LEASES: usize = super::MAX_NAMES;

/// A lease of DHCPv4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease4 {
    /// Whose.
    pub mac: Mac,
    /// Which address.
    pub addr: Ipv4Addr,
    /// What the host calls itself, as it stands there; empty: nothing.
    pub name: String,
}

/// The leases in a file that are not over at `clock`, seconds since 1970. Lines that are none are passed over.
///
/// ```text
/// 1764069000 02:00:5e:00:53:01 192.168.1.101 laptop 01:02:00:5e:00:53:01       END MAC ADDRESS NAME CLIENT-ID
/// duid 00:01:…                                                                 behind it: leases of DHCPv6, not ours
/// ```
///
/// END is 0 for a lease without an end, and NAME `*` where there is none.
pub fn leases(text: &[u8], clock: u64) -> Vec<Lease4> {
    let lines = text.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"duid "));
    lines.filter_map(|line| lease(&String::from_utf8_lossy(line), clock)).take(MAX_LEASES).collect()
}

fn lease(line: &str, clock: u64) -> Option<Lease4> {
    let mut words = line.split(' ');
    let (end, mac, addr, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let end: u64 = end.parse().ok()?;
    if end != 0 && end <= clock {
        return None;
    }
    let name = if name == "*" { "" } else { name };
    Some(Lease4 { mac: mac.parse().ok()?, addr: addr.parse().ok()?, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leases_are_read_as_dnsmasq_writes_them() {
        let text = b"1764069000 02:00:5e:00:53:01 192.168.1.101 laptop 01:02:00:5e:00:53:01\n\
            1764060000 02:00:5e:00:53:02 192.168.1.102 gone *\n\
            0 02:00:5e:00:53:03 192.168.1.103 * *\n\
            0 06-02:00:5e:00:53:04 192.168.1.104 token-ring *\n\
            nonsense\n\
            0 02:00:5e:00:53:05 192.168.1.256 wrong *\n\
            0 02:00:5e:00:53:06 192.168.1.106 caf\xc3\xa9 *\n\
            duid 00:01:00:01:2a:2b:2c:2d:02:00:5e:00:53:99\n\
            0 1234 fd00::5 other 00:01:00:01:2a\n\
            0 02:00:5e:00:53:07 192.168.1.107 behind *\n";
        let told = leases(text, 1_764_065_000);
        let told: Vec<_> = told.iter().map(|l| (l.mac.0[5], l.addr.octets()[3], l.name.as_str())).collect();
        assert_eq!(told, [(1, 101, "laptop"), (3, 103, ""), (6, 106, "café")]);
    }

    #[test]
    fn leases_are_bounded() {
        let text = "0 02:00:5e:00:53:01 192.168.1.101 a *\n".repeat(MAX_LEASES + 1);
        assert_eq!(leases(text.as_bytes(), 1).len(), MAX_LEASES);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text: Vec<u8>, words in prop::collection::vec("[0-9a-f:. *\n]{0,12}|duid |0 ", 0..60), clock: u64) {
            leases(&text, clock);
            leases(words.concat().as_bytes(), clock);
        }
    }
}

//! How many IPv6 packets a device has carried: /proc/net/dev_snmp6/DEVICE.
//!
//! What neighbour discovery and multicast say is left out, since a next hop that forwards nothing may still answer
//! neighbour solicitations. The kernel counts a multicast solicitation both as multicast and as a solicitation; so a unicast
//! packet in may go uncounted for each of them, never the other way round. Of those that go out, the few unicast ones are
//! counted as traffic: in front of a dead next hop there are many of the others.

use crate::net::FlatMap;
use std::fs;

/// Packets since the device was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Unicast packets in, also those that are forwarded, without neighbour discovery and errors to ourselves.
    pub unicast_in: u64,
    /// Unicast packets out, own and forwarded, without neighbour advertisements.
    pub out: u64,
}

/// Reads a device's counters, in the network namespace of the calling thread. `None`: there is no such device, or it has no
/// IPv6.
pub fn read(device: &str) -> Option<Traffic> {
    if device.is_empty() || device.starts_with('.') || device.contains('/') {
        return None;
    }
    // /proc/net is that of the process's first thread
    let counters = fs::read_to_string(format!("/proc/thread-self/net/dev_snmp6/{device}")).ok()?;
    Some(parse(&counters))
}

fn parse(counters: &str) -> Traffic {
    let [mut came, mut not_came, mut went, mut not_went] = [0u64; 4];
    for line in counters.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse::<u64>)) else { continue };
        let sum = match name {
            "Ip6InReceives" => &mut came,
            "Ip6InMcastPkts" | "Icmp6InNeighborSolicits" | "Icmp6InNeighborAdvertisements" => &mut not_came,
            // to our own packets; what hosts behind us get can't be told from traffic
            "Icmp6InDestUnreachs" | "Icmp6InTimeExcds" => &mut not_came,
            "Ip6OutRequests" | "Ip6OutForwDatagrams" => &mut went,
            "Ip6OutMcastPkts" | "Icmp6OutNeighborAdvertisements" => &mut not_went,
            _ => continue,
        };
        *sum = sum.saturating_add(value);
    }
    Traffic { unicast_in: came.saturating_sub(not_came), out: went.saturating_sub(not_went) }
}

/// Bytes of all protocols that each device has carried, in and out, in the network namespace of the calling thread. Empty if
/// the kernel does not say.
pub fn bytes() -> FlatMap<String, (u64, u64)> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    table.lines().filter_map(bytes_of).collect()
}

/// `  eth0: RECEIVED packets errors dropped fifo frame compressed multicast SENT …`
fn bytes_of(line: &str) -> Option<(String, (u64, u64))> {
    /// Which number after the name is that of the bytes out.
    const SENT: usize = 8;
    let (name, counts) = line.split_once(':')?;
    let mut counts = counts.split_ascii_whitespace();
    let received = counts.next()?.parse().ok()?;
    Some((name.trim().to_owned(), (received, counts.nth(SENT - 1)?.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_devices_bytes_are_found_and_other_lines_are_passed_by() {
        let line = "  wan.7: 1500 10 0 0 0 0 0 3 700 5 0 0 0 0 0 0";
        assert_eq!(bytes_of(line), Some(("wan.7".into(), (1500, 700))));
        for other in [
            "",
            "Inter-|   Receive   |  Transmit",
            " face |bytes packets|bytes packets",
            "eth0: 1 2",
            "eth0: x 1 1 1 1 1 1 1 1",
        ] {
            assert_eq!(bytes_of(other), None, "{other}");
        }
        assert!(bytes().contains_key("lo"));
    }

    #[test]
    fn multicast_and_neighbour_discovery_are_left_out_and_nonsense_is_nothing() {
        let counters = "ifIndex                         \t2
Ip6InReceives                   \t100
Ip6InDelivers                   \t50
Ip6OutForwDatagrams             \t30
Ip6OutRequests                  \t20
Ip6InMcastPkts                  \t7
Ip6OutMcastPkts                 \t5
Icmp6InNeighborSolicits         \t3
Icmp6InNeighborAdvertisements   \t2
Icmp6InDestUnreachs             \t2
Icmp6OutNeighborSolicits        \t1
Icmp6OutNeighborAdvertisements  \t4
";
        assert_eq!(parse(counters), Traffic { unicast_in: 86, out: 41 });
        let nonsense = "Ip6InReceives\nIp6InReceives x\n\nIp6InReceives 18446744073709551616\nIp6InMcastPkts 9";
        assert_eq!(parse(nonsense), Traffic::default());
        for none in ["", ".", "..", "../dev_snmp6/lo", "nosuch0"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}

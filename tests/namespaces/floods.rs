//! Floods from forged senders: memory stays bounded, and others are served all the while.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::load::Load;
use super::netns::{ready, wait_until};
use std::time::Duration;

/// Router solicitations from ever new link-local and link-layer addresses, as fast as python makes them, for 5 seconds.
const SOLICITATIONS: &str = r#"
import socket, struct, time
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
group = bytes.fromhex("ff020000000000000000000000000002")
end, number = time.time() + 5, 0
while time.time() < end:
    number += 1
    mac = b"\x02\x00" + struct.pack("!I", number)
    source = bytes.fromhex("fe80000000000000") + b"\x00\x00" + mac
    body = b"\x85\x00\x00\x00\x00\x00\x00\x00\x01\x01" + mac
    words = source + group + struct.pack("!II", len(body), 58) + body
    total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + group
    raw.send(b"\x33\x33\x00\x00\x00\x02" + mac + b"\x86\xdd" + header + body)
print(number)
"#;

#[test]
fn a_flood_of_router_solicitations_costs_little_and_hosts_are_answered() {
    if !ready(&["python3", "rdisc6"]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    let (attacker, host) = (bed.host("attacker"), bed.host("host"));
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    let before = bed.memory();
    let program = bed.folder.write("flood.py", SOLICITATIONS);
    let log = bed.folder.join("flood.log");
    let mut flood = attacker.spawn(&format!("exec python3 {}", program.display()), &log);
    // no answer within its own time is possible, no answer at all is not
    assert!(wait_until(SOON, || host.holds("rdisc6 -1 -r 1 -w 4500 eth0")), "{}", bed.log());
    assert!(flood.ended(SOON).is_some_and(|status| status.success()), "{}", flood.log());
    let sent: u64 = flood.log().trim().parse().expect("how many were sent");
    assert!(sent > 5000, "{sent} is no flood");
    let after = bed.memory();
    assert!(after < before + 2048, "memory went from {before} to {after} KiB");
    assert!(wait_until(SOON, || host.holds("rdisc6 -1 -r 1 -w 4500 eth0")), "{}", bed.log());
}

#[test]
fn a_flood_of_dhcp_clients_leaves_room_for_others() {
    if !ready(&["cc"]) {
        return;
    }
    let mut bed = Bed::serving("config lan 'lan'\n\toption device 'br-lan'\n");
    let (attacker, host) = (bed.host("attacker"), bed.host("host"));
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    // Solicit after Solicit that is never followed by a Request: nothing may be kept for them
    let before = bed.memory();
    let mut flood = Load::start(&bed, &attacker, "-t both -r 20000 -s 5 -T 0.0001");
    std::thread::sleep(Duration::from_secs(1));
    assert!(flood.process().ended(SOON * 2).is_some(), "{}", flood.process().log());
    let after = bed.memory();
    assert!(after < before + 40 * 1024, "memory went from {before} to {after} KiB");
    let mut client = Load::start(&bed, &host, "-t na -w 1 -p 1 -s 0 -b 9000000 -T 2");
    let status = client.process().ended(SOON).expect("an exchange ends");
    assert!(status.success(), "{}\n{}", client.process().log(), bed.log());
}

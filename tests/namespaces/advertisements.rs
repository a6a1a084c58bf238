//! What ndisc6's `rdisc6` sees of the announced options, and whether tshark can read them all.

use super::bed::{Bed, SOON};
use super::netns::{ready, wait_for};

#[test]
fn rdisc6_shows_every_option_that_is_announced() {
    if !ready(&["rdisc6", "tcpdump", "tshark"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    bed.configure(
        "
config prefix 'site'
	option prefix 'fd00:6bed::/48'

config lan 'lan'
	option device 'br-lan'
	option subnet '7'
	list dns 'fd00:6bed:0:7::53'
	list search 'home.arpa'
	list search 'example.net'
	option ra_hop_limit '64'
	option ra_mtu '1400'
	option ra_reachable_time '30000'
	option ra_retrans_timer '1000'
	list ra_route 'fd00:1000::/32'
	option ra_route_preference 'high'
	option pref64 '64:ff9b::/96'
	option captive_portal 'https://portal.example/api'
",
    );
    let capture = bed.capture();
    bed.start();
    let ask = || Some(String::from_utf8_lossy(&host.output("rdisc6 -1 -w 1000 eth0").stdout).into_owned());
    let whole = || ask().filter(|text| text.contains("fd00:6bed:0:7::/64") && text.contains("Recursive DNS"));
    let text = wait_for(SOON, whole).unwrap_or_else(|| panic!("{:?}\n{}", ask(), bed.log()));
    for (what, value) in [
        ("Hop limit", "64"),
        ("Stateful other conf.", "Yes"),
        ("Router lifetime", "0"),
        ("Reachable time", "30000"),
        ("Retransmit time", "1000"),
        ("MTU", "1400"),
        ("Prefix", "fd00:6bed:0:7::/64"),
        ("Recursive DNS server", "fd00:6bed:0:7::53"),
        ("DNS search list", "home.arpa"),
        ("Route", "fd00:1000::/32"),
    ] {
        let shown = |line: &str| line.trim_start().starts_with(what) && line.contains(value);
        assert!(text.lines().any(shown), "no {what} {value} in\n{text}");
    }
    capture.decodes("icmpv6.type == 134");
}

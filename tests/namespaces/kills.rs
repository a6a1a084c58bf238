//! kill -9 in the middle of real exchanges loses nothing that a client was told it has.

use super::bed::{Bed, SOON};
use super::load::Load;
use super::netns::{ready, wait_until};
use nix::sys::signal::Signal;
use std::os::unix::net::UnixStream;
use std::time::Duration;

const KILLS: u64 = 200;
/// New clients a second.
const RATE: u32 = 300;

const LAN: &str = "
config prefix 'pool'
	option prefix 'fd00:1000::/40'

config lan 'lan'
	option device 'br-lan'
	option dhcp6_delegated_len '60'
";

/// A pause of 20 to 150 ms: where in the exchanges the kill falls is left to chance, how long each life lasts is not.
fn pause(kill: u64) -> Duration {
    Duration::from_millis(20 + kill.wrapping_mul(2_654_435_761) % 131)
}

#[test]
fn two_hundred_kills_lose_no_acknowledged_binding() {
    if !ready(&["cc"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("load");
    bed.configure(LAN);
    bed.start();
    assert!(wait_until(SOON, || !bed.router.addresses("br-lan").is_empty()), "{}", bed.log());

    let mut load = Load::start(&bed, &host, &format!("-t both -r {RATE} -s 600 -T 0.5"));
    for kill in 0..KILLS {
        std::thread::sleep(pause(kill));
        bed.kill();
        bed.spawn();
        let socket = bed.folder.join("run").join("oasis6.sock");
        let up = || UnixStream::connect(&socket).is_ok();
        assert!(wait_until(SOON, up), "after kill {kill}:\n{}", bed.log());
    }
    load.process().signal(Signal::SIGTERM);
    let status = load.process().ended(SOON * 2).expect("the generator ends");
    assert!(status.success(), "two clients hold the same:\n{}", load.process().log());
    let acknowledged = load.is_remembered_by(&bed);
    assert!(acknowledged > 2000, "only {acknowledged} bindings:\n{}", load.process().log());
    println!("{acknowledged} bindings acknowledged over {KILLS} kills");
}

//! kill -9 in the middle of real exchanges loses nothing that a client was told it has.

use super::bed::{Bed, SOON};
use super::netns::{ready, wait_until};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
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

/// The load generator of the benches, built.
fn d6load(to: &Path) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/d6load.c");
    let built = Command::new("cc").args(["-std=gnu11", "-O2", "-o"]).arg(to).arg(source).output().expect("a compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

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
    let (program, held) = (bed.folder.join("d6load"), bed.folder.join("held"));
    d6load(&program);
    bed.configure(LAN);
    bed.start();
    assert!(wait_until(SOON, || !bed.router.addresses("br-lan").is_empty()), "{}", bed.log());

    let script = format!("exec {} eth0 -t both -r {RATE} -s 600 -T 0.5 -o {}", program.display(), held.display());
    let mut load = host.spawn(&script, &bed.folder.join("d6load.log"));
    for kill in 0..KILLS {
        std::thread::sleep(pause(kill));
        bed.kill();
        bed.spawn();
        let socket = bed.folder.join("run").join("oasis6.sock");
        let up = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
        assert!(wait_until(SOON, up), "after kill {kill}:\n{}", bed.log());
    }
    load.signal(Signal::SIGTERM);
    let status = load.ended(SOON * 2).expect("the generator ends");
    assert!(status.success(), "two clients hold the same:\n{}", load.log());

    let answer = bed.ask("leases");
    let leases = answer["leases"].as_array().expect("a list");
    let kept: BTreeMap<&str, String> = leases
        .iter()
        .map(|lease| {
            let text = |name: &str| lease[name].as_str().expect("a text");
            (text("resource"), text("duid").replace(':', "").to_lowercase())
        })
        .collect();
    let held = bed.folder.read("held");
    let acknowledged: Vec<(&str, &str)> = held.lines().filter_map(|line| line.split_once(' ')).collect();
    assert!(acknowledged.len() > 2000, "only {} bindings:\n{}", acknowledged.len(), load.log());
    for (duid, resource) in &acknowledged {
        let resource = resource.strip_suffix("/128").unwrap_or(resource);
        assert_eq!(kept.get(resource).map(String::as_str), Some(*duid), "{resource} was acknowledged, and is lost");
    }
    println!("{} bindings acknowledged over {KILLS} kills, {}", acknowledged.len(), load.log().trim());
}

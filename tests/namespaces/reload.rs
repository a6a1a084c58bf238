//! A configuration that is read anew changes only what differs, and a broken one changes nothing.

use super::bed::{Bed, SOON};
use super::netns::{ready, wait_until};
use nix::sys::signal::Signal;

const ONE_LAN: &str =
    "config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\nconfig lan 'lan'\n\toption device 'br-lan'\n";
const TWO_LANS: &str = "config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\nconfig lan 'lan'\n\toption device 'br-lan'\nconfig lan 'guest'\n\toption device 'guest'\n";

#[test]
fn a_reload_applies_the_difference_and_nothing_else() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let _host = bed.host("host");
    bed.router.run("ip link add guest type veth peer name peer && ip link set guest up && ip link set peer up");
    bed.configure(ONE_LAN);
    bed.start();
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").len() == 2), "{:?}", bed.router.addresses("br-lan"));
    let news = bed.router.spawn("exec ip -6 monitor address route", &bed.folder.join("news"));
    std::thread::sleep(std::time::Duration::from_millis(300));

    bed.configure(TWO_LANS);
    bed.daemon().signal(Signal::SIGHUP);
    assert!(wait_until(SOON, || bed.router.addresses("guest").len() == 2), "{}", bed.log());
    let heard = || news.log().lines().filter(|line| line.contains("Deleted") || line.contains("br-lan")).count();
    assert_eq!(heard(), 0, "{}", news.log());

    bed.configure(ONE_LAN);
    let answer = bed.oasis6("reload");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert!(wait_until(SOON, || bed.router.addresses("guest").is_empty()), "{}", bed.log());
    assert!(!news.log().contains("br-lan"), "{}", news.log());
}

#[test]
fn a_broken_file_leaves_the_last_good_configuration_running() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::serving(ONE_LAN);
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").len() == 2), "{}", bed.log());
    let before = bed.router.addresses("br-lan");
    bed.configure("config lan 'lan'\n\toption device 'br-lan'\n\toption ra_max_interval 'often'\n");
    bed.daemon().signal(Signal::SIGHUP);
    assert!(wait_until(SOON, || bed.troubles().contains("ra_max_interval")), "{}", bed.troubles());
    let answer = bed.oasis6("reload");
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("ra_max_interval"), "{answer:?}");
    assert_eq!(bed.router.addresses("br-lan"), before);
    assert_eq!(bed.ask("status")["state"], "serving");

    bed.configure(ONE_LAN);
    assert!(bed.oasis6("reload").status.success());
    assert!(!bed.troubles().contains("ra_max_interval"), "{}", bed.troubles());
}

#[test]
fn a_file_that_is_none_changes_nothing() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::serving(ONE_LAN);
    assert!(wait_until(SOON, || bed.router.addresses("br-lan").len() == 2), "{}", bed.log());
    let (socket, before) = (bed.folder.join("run").join("oasis6.sock"), bed.router.addresses("br-lan"));
    let file = bed.folder.join("config");
    let damages = [
        ("gone", format!("rm {0}", file.display())),
        ("a folder", format!("rm {0} && mkdir {0}", file.display())),
        ("10 MB", format!("dd if=/dev/zero bs=1M count=10 2>/dev/null | tr '\\0' '#' > {0}", file.display())),
        ("no text", format!("head -c 4096 /dev/urandom > {0}", file.display())),
    ];
    for (what, damage) in damages {
        bed.router.run(&damage);
        bed.daemon().signal(Signal::SIGHUP);
        let status = || call(&socket, "status");
        assert!(wait_until(SOON, || status()["result"]["config"]["error"].is_string()), "{what}: {}", status());
        assert_eq!(status()["result"]["state"], "serving", "{what}");
        assert_eq!(bed.router.addresses("br-lan"), before, "{what}");
        bed.router.run(&format!("rm -rf {}", file.display()));
        bed.configure(ONE_LAN);
        assert!(bed.oasis6("reload").status.success(), "{what}");
    }
}

/// Asks at the socket itself: the command finds it by the file.
fn call(socket: &std::path::Path, method: &str) -> serde_json::Value {
    use std::io::{BufRead, BufReader, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("the control socket");
    stream.write_all(format!("{{\"method\":\"{method}\"}}\n").as_bytes()).expect("a request");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    serde_json::from_str(&line).expect("JSON")
}

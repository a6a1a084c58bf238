//! A tunnel broker is told of our IPv4 address, by the program that the machine has for it.

use super::bed::{Bed, SOON};
use super::netns::{ready, wait_until};

const BROKER: &str = "config uplink 'he'\n\toption type '6in4'\n\toption remote '192.0.2.9'\n\tlist prefix '2001:db8:5::/48'\n\
                      \toption update_url 'http://broker.example/?key=secret&b=$(reboot)'\n";

#[test]
fn the_broker_is_told_after_start_and_its_refusal_is_shown_but_never_the_password() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.router.run("ip link add wan type veth peer name far && ip link set wan up && ip link set far up");
    let answer = bed.folder.write("answer", "badauth");
    let asked = bed.folder.join("asked");
    bed.folder.script("uclient-fetch", &format!("echo \"$@\" >>{}; cat {}", asked.display(), answer.display()));
    bed.configure(BROKER);
    let folder = answer.parent().unwrap().display().to_string();
    let script = format!("PATH={folder}:$PATH exec {}", bed.words("run"));
    let process = bed.router.spawn(&script, &bed.folder.join("log"));
    bed.adopt(process);
    assert!(wait_until(SOON, || bed.oasis6("status").status.success()), "{}", bed.log());
    assert_eq!(bed.folder.read("asked"), "", "there is no address to tell");

    bed.router.run("ip addr add 192.0.2.1/24 dev wan");
    assert!(wait_until(SOON, || bed.troubles().contains("the broker says badauth")), "{}", bed.log());
    assert!(bed.folder.read("asked").ends_with("-- http://broker.example/?key=secret&b=$(reboot)\n"));
    let (status, log) = (bed.ask("status").to_string(), bed.log());
    assert!(log.contains("badauth") && !log.contains("secret") && !status.contains("secret"), "{log}");

    // after a restart it is told anew, and this time it is content
    bed.folder.write("answer", "good 192.0.2.1");
    bed.daemon().signal(nix::sys::signal::Signal::SIGTERM);
    assert!(bed.daemon().ended(SOON).is_some_and(|status| status.success()), "{}", bed.log());
    let process = bed.router.spawn(&script, &bed.folder.join("log"));
    bed.adopt(process);
    let told = || bed.oasis6("uplinks").status.success() && bed.ask("uplinks")["uplinks"][0]["update"]["ago"].is_u64();
    assert!(wait_until(SOON, told), "{}", bed.log());
    assert_eq!(bed.folder.read("asked").lines().count(), 2);
    assert!(!bed.troubles().contains("broker"), "{}", bed.troubles());
}

//! Flash that can't be written and a disk that is full are shown; what is promised to a client was written first.

use super::bed::{Bed, SOON};
use super::load::Load;
use super::netns::{Namespace, ready, wait_until};

const LAN: &str = "config lan 'lan'\n\toption device 'br-lan'\n";

/// Starts oasis6 with a small file system of its own at one of its folders.
fn start_on(bed: &mut Bed, folder: &str, options: &str) {
    let path = bed.folder.join(folder);
    let log = bed.folder.join("log");
    let path = path.display();
    let run = bed.words("run");
    let script = format!("mkdir -p {path} && mount -t tmpfs -o {options} none {path} && exec {run}");
    let process = bed.router.spawn(&script, &log);
    bed.adopt(process);
}

/// Runs a shell command among the mounts of the daemon.
fn beside(bed: &mut Bed, script: &str) -> String {
    let pid = bed.daemon().id();
    bed.router.run(&format!("nsenter -t {pid} -m sh -c '{script}'"))
}

/// Asks once by DHCPv6; whether an address was given.
fn asks(host: &Namespace, bed: &Bed) -> bool {
    let folder = bed.folder.join("dhclient");
    let script = format!(
        "rm -rf {0} && mkdir {0} && touch {0}/leases && printf '#!/bin/sh\\nexit 0\\n' > {0}/hook && chmod +x {0}/hook && \
         timeout 3 dhclient -6 -N -1 -cf /dev/null -lf {0}/leases -pf {0}/pid -sf {0}/hook eth0",
        folder.display()
    );
    let done = host.holds(&script);
    host.output(&format!("kill $(cat {}/pid)", folder.display()));
    done
}

#[test]
fn flash_that_is_read_only_is_shown_and_does_not_keep_it_from_serving() {
    if !ready(&["nsenter", "dhclient"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    bed.configure(LAN);
    start_on(&mut bed, "state", "ro,size=64k");
    assert!(wait_until(SOON, || bed.oasis6("status").status.success()), "{}", bed.log());
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    assert!(asks(&host, &bed), "no address by DHCPv6:\n{}", bed.log());
    assert!(bed.troubles().contains("state"), "{}", bed.ask("status"));
    assert!((1..=2).contains(&bed.log().matches("Read-only").count()), "{}", bed.log());
    let state = bed.folder.join("state");
    beside(&mut bed, &format!("mount -o remount,rw {}", state.display()));
    let written = |bed: &mut Bed| !beside(bed, &format!("ls {}", state.display())).trim().is_empty();
    assert!(wait_until(SOON * 9, || written(&mut bed)), "nothing was written when it could be:\n{}", bed.log());
}

#[test]
fn on_a_full_disk_nothing_is_promised_that_is_not_kept_and_afterwards_all_goes_on() {
    if !ready(&["nsenter", "dhclient", "cc"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    bed.configure(LAN);
    start_on(&mut bed, "run", "size=128k");
    let run = bed.folder.join("run");
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    beside(&mut bed, &format!("dd if=/dev/zero of={}/ballast bs=1k 2>/dev/null || true", run.display()));
    let mut load = Load::start(&bed, &host, "-t na -w 1 -s 3 -n 1000 -T 0.1");
    assert!(load.process().ended(SOON * 2).is_some(), "{}", load.process().log());
    let promised = bed.folder.read("held");
    assert!(promised.lines().count() < 1000, "a thousand clients fit onto a full disk");
    assert!(!asks(&host, &bed), "an address was given that can't be remembered");
    // its socket is among the daemon's mounts
    let ask = |bed: &mut Bed, what: &str| {
        let words = bed.words(&format!("{what} --json"));
        beside(bed, &words)
    };
    let status = ask(&mut bed, "status");
    assert!(status.contains("No space left") || status.contains("full"), "{status}");
    assert!((1..=2).contains(&bed.log().matches("No space left").count()), "{}", bed.log());
    let kept = beside(&mut bed, &format!("find {} -type f -exec cat {{}} +", run.display()));
    for line in promised.lines() {
        let duid = line.split(' ').next().expect("a DUID");
        assert!(kept.contains(duid), "{line} was promised, and is in no file");
    }
    beside(&mut bed, &format!("rm {}/ballast", run.display()));
    assert!(wait_until(SOON * 3, || asks(&host, &bed)), "no address when there was room again:\n{}", bed.log());
}

#[test]
fn a_corrupt_file_of_bindings_is_kept_aside_and_said() {
    if !ready(&["dhclient"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    bed.configure(LAN);
    bed.start();
    assert!(wait_until(SOON, || asks(&host, &bed)), "{}", bed.log());
    bed.kill();
    let run = bed.folder.join("run");
    bed.router.run(&format!(
        "cd {} && for f in $(find . -type f -size +0); do printf 'garbage' | dd of=$f bs=1 conv=notrunc; done",
        run.display()
    ));
    bed.start();
    let status = bed.ask("status").to_string();
    assert!(status.contains("corrupt") || status.contains("damaged"), "{status}");
    let kept = bed.router.run(&format!("grep -rl garbage {} {}", run.display(), bed.folder.join("state").display()));
    assert!(!kept.trim().is_empty(), "the damaged file is gone");
}

#[test]
fn leases_stand_where_luci_looks_while_the_daemon_runs() {
    if !ready(&["dhclient"]) {
        return;
    }
    let mut bed = Bed::new();
    let host = bed.host("host");
    let file = bed.folder.join("hosts/odhcpd");
    bed.configure(&format!("\toption lease_file '{}'\n{LAN}", file.display()));
    bed.start();
    assert!(wait_until(SOON, || file.exists()), "{}", bed.log());
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    assert!(asks(&host, &bed), "no address by DHCPv6:\n{}", bed.log());
    assert!(wait_until(SOON, || !bed.folder.read("hosts/odhcpd").is_empty()), "{}", bed.log());
    let (text, lease) = (bed.folder.read("hosts/odhcpd"), bed.leases("address").remove(0));
    let start = text.split(' ').take(2).collect::<Vec<_>>();
    assert_eq!((start, text.lines().count()), (vec!["#", "br-lan"], 1), "{text}");
    assert!(text.ends_with(&format!(" 128 {lease}/128\n")), "{text}");

    bed.configure(LAN);
    assert!(bed.oasis6("reload").status.success());
    assert!(!file.exists());

    let nowhere = bed.folder.join("missing/too/leases");
    bed.configure(&format!("\toption lease_file '{}'\n{LAN}", nowhere.display()));
    assert!(bed.oasis6("reload").status.success());
    assert!(wait_until(SOON, || bed.troubles().contains("lease file")), "{}", bed.troubles());
}

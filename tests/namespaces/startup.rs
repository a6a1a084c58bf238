//! What keeps oasis6 from starting, or one part of it from working, is said in words that help.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::netns::{Process, ready, wait_until};

/// Starts oasis6, which has to give up; what it said.
fn refusal(process: &mut Process) -> String {
    let status = process.ended(SOON).unwrap_or_else(|| panic!("it runs:\n{}", process.log()));
    assert_eq!(status.code(), Some(1), "{}", process.log());
    process.log()
}

#[test]
fn a_second_oasis6_is_refused_and_the_first_named() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    let first = bed.daemon().id().to_string();
    let mut second = bed.router.spawn(&format!("exec {}", bed.words("run")), &bed.folder.join("second.log"));
    let said = refusal(&mut second);
    assert!(said.contains("already") && said.contains(&first), "{said}");
    assert_eq!(bed.ask("status")["state"], "serving");
}

/// The command line that runs oasis6 without a capability.
fn without(bed: &Bed, capability: &str) -> String {
    let run = bed.words("run");
    format!("exec setpriv --bounding-set=-{capability} --inh-caps=-{capability} {run}")
}

#[test]
fn without_raw_sockets_it_gives_up_and_says_what_it_needs() {
    if !ready(&["setpriv"]) {
        return;
    }
    let bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let mut process = bed.router.spawn(&without(&bed, "net_raw"), &bed.folder.join("log"));
    let said = refusal(&mut process);
    assert!(said.contains("ICMPv6") && said.contains("root"), "{said}");
}

#[test]
fn without_the_right_to_change_the_network_it_says_which_one_is_missing() {
    if !ready(&["setpriv"]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let process = bed.router.spawn(&without(&bed, "net_admin"), &bed.folder.join("log"));
    bed.adopt(process);
    assert!(wait_until(SOON, || bed.log().contains("CAP_NET_ADMIN")), "{}", bed.log());
    assert!(wait_until(SOON, || bed.oasis6("status").status.success()), "{}", bed.log());
    let shown = String::from_utf8_lossy(&bed.oasis6("status").stdout).into_owned();
    assert!(shown.contains("CAP_NET_ADMIN"), "{shown}");
}

#[test]
fn a_taken_port_is_shown_with_its_owner_and_used_when_it_is_free() {
    if !ready(&["python3"]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let bind = "import socket, time\\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\\ns.bind((\"::\", 547))\\nprint(\"bound\", flush=True)\\ntime.sleep(600)";
    let bind = bind.replace("\\n", "\n");
    let other = bed.router.spawn(&format!("exec python3 -c '{bind}'"), &bed.folder.join("other.log"));
    assert!(wait_until(SOON, || other.log().contains("bound")), "{}", other.log());
    bed.start();
    assert!(wait_until(SOON, || bed.troubles().contains("547")), "{}", bed.troubles());
    let troubles = bed.troubles();
    assert!(troubles.contains("python3") && troubles.contains(&other.id().to_string()), "{troubles}");
    assert!(wait_until(SOON, || !bed.router.addresses("br-lan").is_empty()), "the rest does not work");
    other.kill();
    assert!(wait_until(SOON * 2, || !bed.troubles().contains("547")), "{}", bed.troubles());
}

#[test]
fn a_broken_configuration_is_named_with_line_and_remedy() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure("config lan 'lan'\n\toption device 'br-lan'\n\toption ra_max_interval 'often'\n");
    let said = refusal(bed.spawn());
    assert!(said.contains("line 8") && said.contains("ra_max_interval") && said.contains("often"), "{said}");
    assert_eq!(bed.router.run("ip -6 -o addr show dev br-lan scope global"), "");
}

#[test]
fn withdraw_removes_what_a_stopped_daemon_left_and_nothing_else() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    bed.router.run("ip -6 address add fd00:77::1/64 dev br-lan; ip -6 route add unreachable fd00:78::/64 metric 7");
    let refused = bed.oasis6("withdraw");
    assert!(!refused.status.success() && bed.ask("status")["state"] == "serving");
    bed.kill();
    assert!(bed.router.addresses("br-lan").len() > 1);
    let output = bed.oasis6("withdraw");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bed.router.addresses("br-lan"), ["fd00:77::1"]);
    let routes = bed.router.run("ip -6 route show table all type unreachable");
    assert!(routes.contains("fd00:78::/64") && !routes.contains("metric 2000000000"), "{routes}");
}

// what files/etc/capabilities/oasis6.json leaves it in a jail
#[test]
fn three_capabilities_are_enough() {
    if !ready(&["setpriv"]) {
        return;
    }
    let mut bed = Bed::new();
    bed.configure(SHORT_LIVED);
    let run = bed.words("run");
    let three = "-all,+net_admin,+net_raw,+net_bind_service";
    let jailed = format!("exec setpriv --no-new-privs --bounding-set={three} --inh-caps={three} {run}");
    let process = bed.router.spawn(&jailed, &bed.folder.join("log"));
    bed.adopt(process);
    assert!(wait_until(SOON, || !bed.router.addresses("br-lan").is_empty()), "{}", bed.log());
    let status = bed.ask("status");
    assert_eq!(status["state"], "serving", "{status:#}");
    assert_eq!(status["troubles"], serde_json::json!([]), "{status:#}");
}

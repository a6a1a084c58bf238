//! The commands beside `run`, as an owner types them.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::load::Load;
use super::netns::{ready, wait_until};
use serde_json::Value;

#[test]
fn plan_shows_what_run_would_change_and_changes_nothing() {
    if !ready(&[]) {
        return;
    }
    let mut bed = Bed::new();
    let _host = bed.host("host");
    bed.configure(
        "config prefix 'site'\n\toption prefix 'fd00:6bed::/56'\nconfig lan 'lan'\n\toption device 'br-lan'\n",
    );
    let all = "ip -6 -o addr show scope global; ip -6 route; sysctl -a -r '^net.ipv6.conf' 2>/dev/null";
    assert!(wait_until(SOON, || bed.router.holds("ip -br link show br-lan | grep -q ' UP '")), "br-lan stays down");
    let before = bed.router.run(all);
    let plan = bed.ask("plan");
    let ops: Vec<String> = plan["ops"].as_array().expect("a list").iter().map(Value::to_string).collect();
    let wants = |words: &[&str]| ops.iter().any(|op| words.iter().all(|word| op.contains(word)));
    assert!(wants(&["fd00:6bed::1", "br-lan"]), "{ops:?}");
    assert!(wants(&["fd00:6bed::/56", "unreachable"]), "{ops:?}");
    assert!(wants(&["forwarding"]), "{ops:?}");
    assert_eq!(bed.router.run(all), before);
    assert!(!bed.folder.join("state").exists() && !bed.folder.join("run").exists());

    bed.start();
    assert!(wait_until(SOON, || bed.ask("plan")["ops"] == serde_json::json!([])), "{}", bed.ask("plan"));
}

#[test]
fn monitor_tells_what_happens_as_it_happens() {
    if !ready(&["cc"]) {
        return;
    }
    let mut bed = Bed::serving(SHORT_LIVED);
    let host = bed.host("host");
    assert!(wait_until(SOON, || !host.addresses("eth0").is_empty()), "{}", bed.log());
    let log = bed.folder.join("monitor.log");
    let monitor = bed.router.spawn(&format!("exec {}", bed.words("monitor --json")), &log);
    assert!(wait_until(SOON, || monitor.log().contains("hello")), "{}", monitor.log());
    let mut client = Load::start(&bed, &host, "-t both -w 1 -p 1 -s 0");
    assert!(client.process().ended(SOON).is_some_and(|status| status.success()), "{}", client.process().log());
    let told = |event: &str, what: &str| {
        let text = monitor.log();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|told| told["event"] == event && told["what"] == what).count()
    };
    assert!(wait_until(SOON, || told("lease", "granted") == 2), "{}", monitor.log());
    assert!(wait_until(SOON, || told("kernel", "done") > 0), "{}", monitor.log());
    // nobody renews them
    assert!(wait_until(SOON * 3, || told("lease", "expired") == 2), "{}", monitor.log());
}

#[test]
fn check_names_every_problem_and_fails_for_errors_only() {
    if !ready(&[]) {
        return;
    }
    let bed = Bed::new();
    bed.configure("config lan 'lan'\n\toption device 'br-lan'\n\toption colour 'blue'\n");
    assert!(bed.oasis6("check").status.success());
    bed.configure("config lan 'lan'\n\toption device 'br-lan'\n\toption ra_max_intervall '5'\n\toption subnet 'x'\n");
    let answer = bed.oasis6("check");
    assert_eq!(answer.status.code(), Some(1));
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(said.contains("ra_max_interval") && said.contains("subnet"), "{said}");
}

#[test]
fn plan_shows_tunnels_with_what_is_on_them_and_makes_no_key() {
    if !ready(&[]) {
        return;
    }
    let bed = Bed::new();
    bed.router.run("ip link add wan type veth peer name far && ip link set wan up && ip link set far up");
    bed.router.run("ip addr add 192.0.2.1/24 dev wan");
    let peer = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    bed.configure(&format!(
        "config lan 'lan'\n\toption device 'br-lan'\n\
         config uplink 'he'\n\toption type '6in4'\n\toption remote '192.0.2.9'\n\tlist prefix '2001:db8:5::/48'\n\
         \tlist address '2001:db8:1::2/64'\n\toption update_url 'http://192.0.2.9/'\n\
         config uplink 'home'\n\toption type 'wireguard'\n\toption peer_key '{peer}'\n\toption endpoint 'nowhere.invalid:51820'\n\
         \tlist prefix '2001:db8:6::/48'\n\
         config uplink 'old'\n\toption type '6to4'\n\toption local '198.51.100.7'\n\
         config uplink 'isp'\n\toption type 'native'\n\toption device 'wan'\n\
         config uplink 'wan6'\n\toption type 'netifd'\n\toption interface 'wan6'\n"
    ));
    let all = "ip -o addr; ip -6 route; ip -o link";
    let settled = || bed.router.run("ip -6 -o addr show tentative").is_empty();
    assert!(wait_until(SOON, settled), "{}", bed.router.run(all));
    let before = bed.router.run(all);
    let plan = bed.ask("plan");
    let ops: Vec<String> = plan["ops"].as_array().expect("a list").iter().map(Value::to_string).collect();
    let wants = |words: &[&str]| ops.iter().any(|op| words.iter().all(|word| op.contains(word)));
    assert!(wants(&["device o6-he", "192.0.2.9"]), "{ops:#?}");
    assert!(wants(&["device o6-home", "wireguard"]), "{ops:#?}");
    assert!(wants(&["2001:db8:1::2", "o6-he"]), "{ops:#?}");
    assert!(wants(&["route to ::/0 from 2001:db8:1::2/128"]), "{ops:#?}");
    assert!(wants(&["accept_ra", "wan"]), "{ops:#?}");
    assert!(!plan.to_string().contains("secret"));
    assert_eq!(bed.router.run(all), before);
    assert!(!bed.folder.join("state").exists() && !bed.folder.join("run").exists());
    let text = String::from_utf8(bed.oasis6("plan").stdout).unwrap();
    assert!(text.contains("o6-he") && text.contains("2001:db8:1::2"), "{text}");
}

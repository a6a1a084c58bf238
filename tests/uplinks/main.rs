//! What each type of uplink lives through, with providers, brokers and attackers that nobody here wrote: see run.sh,
//! scenarios.sh and lab.sh beside this.
//!
//! Needs root and the programs of `.ci/setup.sh netns uplinks`; what is missing is a visible skip (`tests/run.sh`). What
//! needs a kernel with WireGuard or sit is lived in a virtual machine: `make test-vm`.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

#[path = "../namespaces/skip.rs"]
mod skip;

const SCENARIOS: &str = include_str!("scenarios.sh");

/// The status of run.sh where this machine lacks something.
const LACKING: i32 = 77;

/// How many labs there are at a time: their machines wait most of the time.
const LABS: usize = 6;

/// A flood fills tables that all namespaces share.
static ALONE: Mutex<()> = Mutex::new(());

/// Lives scenarios, each in a lab of its own.
fn live(scenarios: &[&'static str]) {
    let programs = ["ip", "nft", "kea-dhcp6", "radvd", "wg", "python3"];
    let found = |program: &&&str| {
        ["/bin", "/sbin", "/usr/bin", "/usr/sbin"].iter().any(|at| Path::new(at).join(program).exists())
    };
    let missing: Vec<_> = programs.iter().filter(|program| !found(program)).copied().collect();
    if !nix::unistd::geteuid().is_root() {
        return skip::skip("network namespaces need root");
    }
    if !missing.is_empty() {
        return skip::skip(&format!("missing: {} (.ci/setup.sh netns uplinks)", missing.join(", ")));
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (left, failed) = (Mutex::new(scenarios.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..LABS.min(scenarios.len()) {
            scope.spawn(|| {
                while let Some(scenario) = { left.lock().unwrap().next() } {
                    let (status, said) = run(scenario);
                    println!("{scenario}\n{said}");
                    match status {
                        Some(0) => {}
                        Some(LACKING) => skip::skip(&format!("{scenario}: {}", said.lines().last().unwrap_or(""))),
                        _ => failed.lock().unwrap().push(*scenario),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed, see above: {}", failed.join(", "));
}

/// The exit status of a scenario, and what it said.
fn run(scenario: &str) -> (Option<i32>, String) {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/uplinks/run.sh");
    let output = Command::new(run).args([env!("CARGO_BIN_EXE_oasis6"), scenario]).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The functions of a part of scenarios.sh.
fn functions(part: &str) -> Vec<&str> {
    let named = |line: &'static str| line.strip_suffix("() {").filter(|name| name.contains('_'));
    let (_, rest) = SCENARIOS.split_once(part).unwrap();
    let end = rest.find("\n# ---- ").unwrap_or(rest.len());
    SCENARIOS.lines().filter_map(named).filter(|name| rest[..end].contains(&format!("\n{name}() {{"))).collect()
}

const PEACEFUL: &[&str] = &[
    "native_lives",
    "native_is_cut_beyond",
    "native_is_restarted",
    "static_is_restarted",
    "native_renews",
    "native_is_renumbered",
    "native_gets_bad_input",
    "an_isp_that_repeats_itself_changes_nothing",
    "nothing_comes_in_uninvited",
    "sources_of_no_uplink_are_refused",
    "native_shares_a_64",
    "native_answers_for_hosts_that_are_silent",
    "native_translates_a_64",
    "static_lives",
    "static_over_wireguard_lives",
];
const HOSTILE: &str = "hostile_neighbours_change_nothing";

#[test]
fn uplinks_live_through_every_scenario() {
    live(PEACEFUL);
}

#[test]
fn hostile_neighbours_change_nothing() {
    live(&[HOSTILE]);
}

#[test]
fn every_scenario_is_lived() {
    let mut lived: Vec<_> = PEACEFUL.iter().chain([&HOSTILE]).copied().collect();
    let mut written = functions("\n# ---- scenarios\n");
    lived.sort_unstable();
    written.sort_unstable();
    assert_eq!(written, lived);
}

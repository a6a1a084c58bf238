//! What `files/` does to a router, lived in a root file system of its own: see run.sh and scenarios.sh beside this.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[path = "../namespaces/skip.rs"]
mod skip;

const SCENARIOS: &str = include_str!("scenarios.sh");
const ACL: &str = include_str!("../../files/usr/share/rpcd/acl.d/oasis6.json");
const CAPABILITIES: &str = include_str!("../../files/etc/capabilities/oasis6.json");

/// Lives a scenario with busybox and the stand-ins.
fn live(scenario: &str, programs: &[&str]) {
    let found = |program: &&&str| {
        ["/bin", "/sbin", "/usr/bin", "/usr/sbin"].iter().any(|at| Path::new(at).join(program).exists())
    };
    let missing: Vec<_> =
        ["busybox", "unshare"].iter().chain(programs).filter(|program| !found(program)).copied().collect();
    if !nix::unistd::geteuid().is_root() {
        return skip::skip("a root file system of its own needs root");
    }
    if !missing.is_empty() {
        return skip::skip(&format!("missing: {} (.ci/setup.sh test)", missing.join(", ")));
    }
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openwrt/run.sh");
    let output = Command::new(run).args([env!("CARGO_BIN_EXE_oasis6"), scenario]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{scenario}: {}", String::from_utf8_lossy(&said));
}

macro_rules! scenarios {
    ($($name:ident $(with $program:literal)?;)*) => {
        $(#[test] fn $name() { live(stringify!($name), &[$($program)?]); })*

        #[test]
        fn every_scenario_is_lived() {
            let (_, scenarios) = SCENARIOS.split_once("\n# ---- scenarios\n").unwrap();
            let (scenarios, _) = scenarios.split_once("\n# ---- crashes\n").unwrap();
            let written: Vec<_> = scenarios.lines().filter_map(|line| line.strip_suffix("() {")).collect();
            assert_eq!(written, [$(stringify!($name)),*]);
        }
    };
}

scenarios! {
    nothing_changes_until_it_is_enabled;
    install_enable_disable_remove_leaves_all_as_it_was;
    removal_gives_back_while_it_runs_and_keeps_what_is_the_owners;
    service_disable_and_stop_give_back_in_either_order;
    restart_and_reboot_give_nothing_back_and_forth;
    a_mistake_in_the_configuration_gives_back_at_start_and_keeps_the_daemon_at_reload;
    only_lans_that_are_served_are_taken;
    a_lan_may_be_named_by_its_device;
    an_interface_on_the_same_device_is_taken_too;
    what_the_owner_changed_meanwhile_is_the_owners;
    a_section_without_a_name_is_found_where_it_has_moved;
    a_crash_while_taking_over_heals;
    a_crash_while_giving_back_heals;
    a_firmware_without_oasis6_gives_back_at_its_first_boot;
    the_orphan_stays_as_long_as_oasis6_does;
    a_service_that_does_not_start_at_boot_gives_back_at_boot;
    an_upgrade_keeps_leases_ula_and_configuration_and_odhcpd_away;
    the_new_program_runs_after_an_upgrade;
    what_it_left_in_the_kernel_goes_only_when_it_is_given_up with "ip";
    with_no_room_on_flash_odhcpd_goes_on;
    first_boot_fits_the_configuration_to_the_lans;
    first_boot_leaves_odhcpds_file_alone_that_odhcpd_goes_on_writing;
    first_boot_asks_netifd_where_there_is_no_hint;
    first_boot_without_a_lan_that_odhcpd_serves_switches_the_delivered_one_off;
    first_boot_leaves_a_configuration_alone_that_anybody_touched;
    the_firewall_lets_in_what_ipv6_needs_and_only_where_it_does_not_anyway;
    rules_that_the_firewall_refuses_are_withdrawn;
    nftables_accepts_the_rules with "nft";
    the_commands_of_the_service_are_those_of_the_program;
    procd_gets_what_it_needs;
    netifd_is_told_what_is_on_a_lan_and_leaves_it_alone with "python3";
    netifd_learns_of_the_protocol_and_of_a_missing_lan;
}

#[test]
fn the_acl_names_methods_and_nothing_else() {
    let acl: Value = serde_json::from_str(ACL).unwrap();
    let group = &acl["oasis6"];
    assert_eq!(
        group["read"]["ubus"]["oasis6"],
        serde_json::json!(["status", "uplinks", "leases", "names", "check", "plan"])
    );
    assert_eq!(group["write"]["ubus"]["oasis6"], serde_json::json!(["reload"]));
    for role in ["read", "write"] {
        assert_eq!(group[role].as_object().unwrap().len(), 2, "ubus and uci");
        assert_eq!(group[role]["ubus"].as_object().unwrap().len(), 1);
        assert_eq!(group[role]["uci"], serde_json::json!(["oasis6"]));
    }
    assert!(!ACL.contains('*'));
}

#[test]
fn the_jail_leaves_three_capabilities() {
    let capabilities: Value = serde_json::from_str(CAPABILITIES).unwrap();
    let three = serde_json::json!(["CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"]);
    for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
        assert_eq!(capabilities[set], three, "{set}");
    }
    assert_eq!(capabilities.as_object().unwrap().len(), 5);
}

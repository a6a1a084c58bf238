use super::report::{Place, Report};
use crate::config::Config;

/// What the options of the section `oasis6` must be together.
pub(super) fn check(place: &Place, config: &Config, report: &mut Report) {
    if config.state_dir == config.run_dir {
        let remedy = "give run_dir a folder of its own in memory, as /var/run/oasis6";
        report.error(place, &["run_dir", "state_dir"], "run_dir and state_dir are the same folder", remedy);
    }
    if ["/tmp/", "/var/", "/run/"].iter().any(|memory| config.state_dir.starts_with(memory)) {
        let message = format!("'{}' is in memory on OpenWrt, and empty after a reboot", config.state_dir);
        report.warning(place, &["state_dir"], message, "choose a folder on flash, as /etc/oasis6");
    }
    // RFC 6762 §3: such names are asked for on the link, by multicast, and so never reach a server.
    if config.domain.eq_ignore_ascii_case("local") || config.domain.to_ascii_lowercase().ends_with(".local") {
        let message = format!("'{}' is for names asked for by multicast (RFC 6762)", config.domain);
        report.warning(place, &["domain"], message, "choose another, as lan or home.arpa");
    }
}

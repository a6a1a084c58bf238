use super::report::{Place, Report};
use crate::config::Host;

/// What the options of a section `host` must be together.
pub(super) fn check(place: &Place, host: &Host, report: &mut Report) {
    if host.duids.is_empty() && host.macs.is_empty() {
        let remedy = "write list duid or list mac; 'oasis6 leases' shows them";
        report.error(place, &["duid", "mac"], "nothing tells how to recognise it", remedy);
    }
    if host.name.is_empty() && host.host_id.is_none() && host.addresses.is_empty() && host.prefix.is_none() {
        let message = "it has neither a name nor anything kept for it";
        report.warning(place, &["name", "host_id", "address", "prefix"], message, "add one of these, or remove it");
    }
}

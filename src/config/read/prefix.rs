use super::report::{Place, Report};
use crate::config::GivenPrefix;
use crate::config::schema::PrefixDraft;

/// A `prefix` section whose options agree; `None` if there is no telling what it is.
pub(super) fn check(place: &Place, draft: PrefixDraft, report: &mut Report) -> Option<GivenPrefix> {
    let PrefixDraft { prefix, preferred_lifetime, valid_lifetime, lans, assign, delegate } = draft;
    if preferred_lifetime > valid_lifetime {
        let message = "preferred_lifetime is longer than valid_lifetime";
        let options = ["preferred_lifetime", "valid_lifetime"];
        report.error(place, &options, message, "make it shorter, or valid_lifetime longer");
    }
    if !assign && !delegate {
        let message = "neither LANs nor DHCPv6 clients get any of it";
        report.warning(place, &["assign", "delegate"], message, "set assign or delegate to 1, or remove the section");
    }
    let Some(prefix) = prefix else {
        report.error(place, &["prefix"], "the prefix is missing", "write option prefix '2001:db8:1200::/48'");
        return None;
    };
    let lans = Some(lans).filter(|_| place.has("lan"));
    Some(GivenPrefix { prefix, preferred_lifetime, valid_lifetime, lans, assign, delegate })
}

use super::report::{Place, Report};
use crate::config::schema::PinholeDraft;
use crate::config::{Pinhole, PinholeHost, Protocol};

/// A `pinhole` section whose options agree; `None` if there is no telling whom it leads to.
pub(super) fn check(place: &Place, mut draft: PinholeDraft, report: &mut Report) -> Option<Pinhole> {
    if !draft.ports.is_empty() && draft.protocols.contains(&Protocol::All) {
        let remedy = "write list proto 'tcp', or 'udp', or remove port";
        report.error(place, &["port", "proto"], "there are ports, but all protocols are let in", remedy);
    }
    draft.protocols.sort_unstable();
    draft.protocols.dedup();
    let host = match (draft.host.take(), draft.host_id, draft.lan.take()) {
        (Some(name), None, None) => PinholeHost::Name(name),
        (None, Some(id), Some(lan)) => PinholeHost::Id { id, lan },
        (Some(_), ..) => {
            let message = "the host is named, and described by the lower half of its address too";
            report.error(place, &["host", "host_id", "lan"], message, "remove host, or host_id and lan");
            return None;
        }
        (None, Some(_), None) => {
            report.error(
                place,
                &["lan", "host_id"],
                "nothing tells which LAN the host is on",
                "write option lan 'lan'",
            );
            return None;
        }
        (None, None, _) => {
            let remedy = "write option host 'NAME', or option host_id and option lan";
            report.error(place, &["host", "host_id", "lan"], "nothing tells whom it leads to", remedy);
            return None;
        }
    };
    Some(draft.toward(place.name.clone(), host))
}

use super::report::{Place, Report};
use crate::config::schema::{DnsDraft, KeyDraft, PublishDraft};
use crate::config::{Dns, DnsMode, Publish, TsigKey};

/// A `dns` section whose options agree; `None` if it is off.
pub(super) fn check(place: &Place, draft: DnsDraft, report: &mut Report) -> Option<Dns> {
    /// Where we are asked while dnsmasq has port 53.
    const BEHIND: u16 = 5356;
    /// RFC 1035 §4.2.
    const STANDARD: u16 = 53;
    if !draft.dns.rebind_domains.is_empty() && !draft.dns.rebind_protection {
        let message = "rebind_protection is off, so that every domain is allowed";
        report.warning(place, &["rebind_domain", "rebind_protection"], message, "remove one of the two");
    }
    let mode = draft.mode?;
    let port = match (mode, place.has("port")) {
        (_, true) => draft.dns.port,
        (DnsMode::Behind, false) => BEHIND,
        (DnsMode::Replace, false) => STANDARD,
    };
    if port == 0 {
        report.error(place, &["port"], "it is no port", "write 1 to 65535");
    }
    if mode == DnsMode::Behind && port == STANDARD {
        let message = "dnsmasq has this port already, and mode is behind";
        report.error(place, &["port", "mode"], message, "write another port, or option mode 'replace'");
    }
    Some(Dns { mode, port, ..draft.dns })
}

/// A `key` section that has a secret.
pub(super) fn key(place: &Place, draft: KeyDraft, report: &mut Report) -> Option<TsigKey> {
    let KeyDraft { name, secret, may, mut types } = draft;
    let Some(secret) = secret else {
        let remedy = "make one by 'head -c 32 /dev/urandom | base64', and give it to the other end too";
        report.error(place, &["secret"], "the secret is missing", remedy);
        return None;
    };
    let name = name.unwrap_or_else(|| place.name.clone()).to_ascii_lowercase();
    types.sort_unstable();
    types.dedup();
    if !types.is_empty() && may.is_empty() {
        let message = "there are types, but no names that may be changed";
        report.warning(place, &["type", "name"], message, "write list name 'laptop.lan', or remove type");
    }
    Some(TsigKey { name, secret, may, types })
}

/// A `publish` section that says where to, and by which key.
pub(super) fn publish(place: &Place, draft: PublishDraft, report: &mut Report) -> Option<Publish> {
    let PublishDraft { zone, key, server, what, name, ttl } = draft;
    let (Some(zone), Some(key)) = (zone, key) else {
        let (missing, remedy) = match place.has("zone") {
            false => ("zone", "write option zone 'dyn.example'"),
            true => ("key", "write the name of a section key"),
        };
        report.error(place, &[missing], format!("the {missing} is missing"), remedy);
        return None;
    };
    Some(Publish { zone, key, server, what, name, ttl })
}

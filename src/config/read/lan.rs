use super::report::{Place, Report};
use crate::config::schema::LanDraft;
use crate::config::{Device, Dnr, Lan, LanDhcp6};

/// A `lan` section whose options agree; `None` if there is no telling where it is.
pub(super) fn check(place: &Place, mut draft: LanDraft, report: &mut Report) -> Option<Lan> {
    /// A DNSSL option holds 2032 bytes (RFC 8106 §5.2), a packet of the smallest MTU 1280.
    const MOST_SEARCH: usize = 1000;
    if draft.search.iter().map(|domain| domain.len() + 2).sum::<usize>() > MOST_SEARCH {
        let message = format!("the search domains have more than {MOST_SEARCH} letters");
        report.error(place, &["search"], message, "remove some");
    }
    advertising(place, &mut draft, report);
    draft.ra.dnr = resolver(place, &draft.dnr, report);
    dhcp6(place, &draft.dhcp6, draft.router_id, report);
    if draft.advertise && !draft.ra.slaac && !(draft.serve_dhcp6 && draft.dhcp6.addresses) {
        let message = "hosts get no address: neither by SLAAC nor by DHCPv6";
        let remedy = "set ra_slaac, or dhcp6 and dhcp6_addresses, to 1";
        report.warning(place, &["ra_slaac", "dhcp6_addresses", "dhcp6"], message, remedy);
    }
    let remedy = "write option interface 'lan', or option device 'br-lan'";
    let device = device(place, draft.device, draft.interface, remedy, report)?;
    Some(Lan {
        enabled: draft.enabled,
        device,
        subnet: draft.subnet,
        router_id: draft.router_id,
        dns: draft.dns,
        search: draft.search,
        domain: draft.domain,
        ra: Some(draft.ra).filter(|_| draft.advertise),
        dhcp6: Some(draft.dhcp6).filter(|_| draft.serve_dhcp6),
    })
}

/// Where a section is; `remedy` says what to write when it does not say.
pub(super) fn device(
    place: &Place,
    device: Option<String>,
    interface: Option<String>,
    remedy: &str,
    report: &mut Report,
) -> Option<Device> {
    match (device, interface) {
        (Some(device), None) => Some(Device::Name(device)),
        (None, Some(interface)) => Some(Device::Interface(interface)),
        (Some(_), Some(_)) => {
            report.error(
                place,
                &["device", "interface"],
                "it has both a device and an interface",
                "remove one of them",
            );
            None
        }
        (None, None) => {
            report.error(place, &["interface", "device"], "nothing tells which network it is", remedy);
            None
        }
    }
}

/// RFC 4861 §6.2.1 and RFC 8319 §4: the intervals and lifetimes, and those that follow from others.
fn advertising(place: &Place, draft: &mut LanDraft, report: &mut Report) {
    let LanDraft { ra, min_interval, default_lifetime, .. } = draft;
    let max = ra.max_interval;
    ra.min_interval = match min_interval {
        Some(min) => *min,
        // The RFC's own default under 9 s, max itself, breaks its own bound of 0.75 × max.
        None if max < 9 => (max * 3 / 4).max(3),
        None => (max * 33 / 100).max(3),
    };
    ra.default_lifetime = default_lifetime.unwrap_or((max * 3).min(65535));
    if ra.min_interval * 4 > max * 3 {
        let message = format!("{} is more than 0.75 × ra_max_interval ({max})", ra.min_interval);
        let remedy = format!("write at most {}, or make ra_max_interval longer", max * 3 / 4);
        report.error(place, &["ra_min_interval", "ra_max_interval"], message, remedy);
    }
    if ra.default_lifetime != 0 && ra.default_lifetime < max {
        let message = format!("{} is less than ra_max_interval ({max})", ra.default_lifetime);
        let remedy = format!("write 0, or at least {max}, or make ra_max_interval shorter");
        report.error(place, &["ra_default_lifetime", "ra_max_interval"], message, remedy);
    }
    if ra.preferred_lifetime > ra.valid_lifetime {
        let message = "ra_preferred_lifetime is longer than ra_valid_lifetime";
        let options = ["ra_preferred_lifetime", "ra_valid_lifetime"];
        report.error(place, &options, message, "make it shorter, or ra_valid_lifetime longer");
    }
    if ra.valid_lifetime < max {
        let message = "ra_valid_lifetime is shorter than ra_max_interval: addresses end between two advertisements";
        let remedy = format!("write at least {max}, or make ra_max_interval shorter");
        report.warning(place, &["ra_valid_lifetime", "ra_max_interval"], message, remedy);
    }
    if ra.dns_lifetime.is_some_and(|lifetime| lifetime < max) {
        let message = "ra_dns_lifetime is shorter than ra_max_interval: DNS ends between two advertisements";
        let remedy = format!("write at least {max}, or make ra_max_interval shorter");
        report.warning(place, &["ra_dns_lifetime", "ra_max_interval"], message, remedy);
    }
    if ra.captive_portal.as_ref().is_some_and(|uri| uri.starts_with("http:")) {
        let message = "hosts ask a captive portal by https only (RFC 8908 §4)";
        report.warning(place, &["captive_portal"], message, "write a URI that begins with https://");
    }
}

/// RFC 9463 §3.1: with addresses the parameters say which protocol to speak; without, there are none.
fn resolver(place: &Place, dnr: &Dnr, report: &mut Report) -> Option<Dnr> {
    let options = ["dnr_address", "dnr_params"];
    let alpn = dnr.params.split(' ').any(|parameter| parameter.starts_with("alpn="));
    if dnr.name.is_empty() {
        if !dnr.addresses.is_empty() || !dnr.params.is_empty() {
            let options = ["dnr_address", "dnr_params", "dnr_name"];
            report.error(
                place,
                &options,
                "the resolver has no name",
                "write option dnr_name, as its certificate has it",
            );
        }
        return None;
    }
    if !dnr.addresses.is_empty() && !alpn {
        let remedy = "write option dnr_params 'alpn=dot', or what it speaks";
        report.error(place, &options, "nothing tells what the resolver speaks", remedy);
    }
    if dnr.addresses.is_empty() && !dnr.params.is_empty() {
        let remedy = "add list dnr_address, or remove dnr_params";
        report.error(place, &["dnr_params", "dnr_address"], "a resolver without addresses has no parameters", remedy);
    }
    Some(dnr.clone())
}

fn dhcp6(place: &Place, dhcp6: &LanDhcp6, router_id: u64, report: &mut Report) {
    let (low, high) = dhcp6.range;
    if (low..=high).contains(&router_id) {
        let message = format!("the router's own address, ::{router_id:x}, lies in dhcp6_range ({low:x}-{high:x})");
        report.error(place, &["dhcp6_range", "router_id"], message, "move one of the two");
    }
    if dhcp6.delegated_min_len > dhcp6.delegated_len {
        let message = format!(
            "dhcp6_delegated_len ({}) is shorter than the shortest allowed ({})",
            dhcp6.delegated_len, dhcp6.delegated_min_len
        );
        let options = ["dhcp6_delegated_len", "dhcp6_delegated_min_len"];
        report.error(place, &options, message, "make dhcp6_delegated_min_len no larger than it");
    }
    if dhcp6.preferred_lifetime > dhcp6.valid_lifetime {
        let message = "dhcp6_preferred_lifetime is longer than dhcp6_valid_lifetime";
        let options = ["dhcp6_preferred_lifetime", "dhcp6_valid_lifetime"];
        report.error(place, &options, message, "make it shorter, or dhcp6_valid_lifetime longer");
    }
    // RFC 9915 §21.4, §21.21: a client discards what has T1 > T2.
    if let (Some(t1), Some(t2)) = (dhcp6.t1, dhcp6.t2)
        && t1 > t2
    {
        report.error(place, &["dhcp6_t1", "dhcp6_t2"], "dhcp6_t1 is later than dhcp6_t2", "make it earlier");
    }
    for (option, time) in [("dhcp6_t1", dhcp6.t1), ("dhcp6_t2", dhcp6.t2)] {
        if time.is_some_and(|time| time > dhcp6.preferred_lifetime) {
            let message =
                "it is later than dhcp6_preferred_lifetime: addresses are deprecated before clients ask again";
            let remedy = format!("write at most {}", dhcp6.preferred_lifetime);
            report.warning(place, &[option, "dhcp6_preferred_lifetime"], message, remedy);
        }
    }
}

use super::report::{Place, Report};
use crate::config::{
    Config, Device, Dns, GivenPrefix, Host, Lan, Pinhole, PinholeHost, Publish, TsigKey, Ula, Uplink, UplinkKind,
    nearest,
};
use crate::net::FlatMap;
use crate::net::Prefix;
use std::fmt::Display;

/// Every section of a file that makes sense by itself.
pub(super) struct Sections {
    pub(super) lans: Vec<(Place, Lan)>,
    pub(super) uplinks: Vec<(Place, Uplink)>,
    pub(super) prefixes: Vec<(Place, GivenPrefix)>,
    pub(super) hosts: Vec<(Place, Host)>,
    pub(super) pinholes: Vec<(Place, Pinhole)>,
    pub(super) dns: Option<(Place, Dns)>,
    pub(super) keys: Vec<(Place, TsigKey)>,
    pub(super) publish: Vec<(Place, Publish)>,
}

/// What sections must be together. LANs that are not served don't collide with others.
pub(super) fn check(globals: Option<&Place>, config: &Config, sections: &Sections, report: &mut Report) {
    let Sections { lans, uplinks, prefixes, hosts, pinholes, dns, keys, publish } = sections;
    let served: Vec<&(Place, Lan)> = lans.iter().filter(|(_, lan)| lan.enabled).collect();
    places_of_lans(&served, report);
    places_of_uplinks(uplinks, &served, report);
    let named = prefixes.iter().map(|(place, given)| (place, given.lans.as_deref().unwrap_or_default()));
    let named = named.chain(uplinks.iter().map(|(place, uplink)| (place, uplink.lans.as_deref().unwrap_or_default())));
    for (place, names) in named {
        known_lans(place, names, lans, report);
    }
    for (place, pinhole) in pinholes {
        if let PinholeHost::Id { lan, .. } = &pinhole.host {
            known_lans(place, std::slice::from_ref(lan), lans, report);
        }
    }
    let publishing = publish.iter().map(|(place, publish)| (place, "key", &publish.key));
    let secondaries = dns.iter().flat_map(|(place, dns)| {
        dns.secondaries.iter().filter_map(move |secondary| Some((place, "secondary", secondary.key.as_ref()?)))
    });
    for (place, option, name) in publishing.chain(secondaries) {
        known(place, option, "key", name, keys.iter().map(|(place, _)| place.name.as_str()), report);
    }
    let names = keys.iter().map(|(place, key)| (format!("key_name '{}'", key.name), place));
    unique(names, "key_name", "give one of the two another name", report);
    subnets(config.ula, &served, prefixes, report);
    let ula = match (config.ula, globals) {
        (Ula::Fixed(prefix), Some(place)) => Some((prefix, place, "ula")),
        _ => None,
    };
    let given = prefixes.iter().map(|(place, given)| (given.prefix, place, "prefix"));
    let tunnelled = uplinks.iter().filter_map(|(place, uplink)| Some((place, uplink.given()?)));
    let tunnelled =
        tunnelled.flat_map(|(place, given)| given.prefixes.iter().map(move |prefix| (*prefix, place, "prefix")));
    overlaps(ula.into_iter().chain(given).chain(tunnelled).collect(), report);
    identities(hosts, report);
    reservations(hosts, &served, report);
}

/// Refuses whatever comes twice, at the second one.
fn unique<'a, K: Ord + Display>(
    things: impl Iterator<Item = (K, &'a Place)>,
    option: &str,
    remedy: &str,
    report: &mut Report,
) {
    let mut seen: FlatMap<K, &Place> = FlatMap::new();
    for (thing, place) in things {
        match seen.get(&thing) {
            None => {
                seen.insert(thing, place);
            }
            Some(first) if first.line == place.line => {
                report.error(place, &[option], format!("{thing} comes twice"), "remove one of them");
            }
            Some(first) => {
                let message = format!("{} has {thing} already (line {})", first.label(), first.line);
                report.error(place, &[option], message, remedy);
            }
        }
    }
}

fn places_of_lans(served: &[&(Place, Lan)], report: &mut Report) {
    let remedy = "there is one lan section for each network; remove one of the two";
    let devices = served.iter().filter_map(|(place, lan)| match &lan.device {
        Device::Name(name) => Some((format!("device '{name}'"), place)),
        Device::Interface(_) => None,
    });
    unique(devices, "device", remedy, report);
    let interfaces = served.iter().filter_map(|(place, lan)| match &lan.device {
        Device::Interface(name) => Some((format!("interface '{name}'"), place)),
        Device::Name(_) => None,
    });
    unique(interfaces, "interface", remedy, report);
    let subnets = served.iter().filter_map(|(place, lan)| Some((format!("subnet {:x}", lan.subnet?), place)));
    unique(subnets, "subnet", "give one of the two another subnet", report);
}

/// An uplink is neither a LAN nor another uplink.
fn places_of_uplinks(uplinks: &[(Place, Uplink)], served: &[&(Place, Lan)], report: &mut Report) {
    let label = |device: &Device| match device {
        Device::Name(name) => ("device", format!("device '{name}'")),
        Device::Interface(name) => ("interface", format!("interface '{name}'")),
    };
    let mut seen: FlatMap<String, &Place> = served.iter().map(|(place, lan)| (label(&lan.device).1, place)).collect();
    for (place, uplink) in uplinks.iter().filter(|(_, uplink)| uplink.enabled) {
        let device = match &uplink.kind {
            UplinkKind::Static { device, .. } | UplinkKind::Native { device, .. } => device.clone(),
            UplinkKind::Netifd { interface } => Device::Interface(interface.clone()),
            _ => continue,
        };
        let (option, name) = label(&device);
        match seen.get(&name) {
            Some(other) => {
                let message = format!("{} has {name} already (line {})", other.label(), other.line);
                report.error(
                    place,
                    &[option],
                    message,
                    "a network is either a LAN or one uplink; remove one of the two",
                );
            }
            None => _ = seen.insert(name, place),
        }
    }
}

fn known_lans(place: &Place, names: &[String], lans: &[(Place, Lan)], report: &mut Report) {
    for name in names {
        known(place, "lan", "lan", name, lans.iter().map(|(place, _)| place.name.as_str()), report);
    }
}

/// Refuses the name of a section that there is not; `sections` are those of its type.
fn known<'a>(
    place: &Place,
    option: &str,
    kind: &str,
    name: &str,
    mut sections: impl Iterator<Item = &'a str> + Clone,
    report: &mut Report,
) {
    if !sections.clone().any(|known| known == name) {
        let remedy = match nearest(name, &mut sections) {
            Some(known) => format!("did you mean '{known}'?"),
            None => format!("add config {kind} '{name}', or remove it here"),
        };
        report.error(place, &[option], format!("there is no {kind} '{name}'"), remedy);
    }
}

/// A LAN's subnet id must exist in a prefix that it gets, and better in each.
fn subnets(ula: Ula, served: &[&(Place, Lan)], prefixes: &[(Place, GivenPrefix)], report: &mut Report) {
    /// Length of the prefix that is drawn (RFC 4193 §3.1).
    const DRAWN: u8 = 48;
    let ula = match ula {
        Ula::Auto => Some((DRAWN, "the ULA prefix".to_owned())),
        Ula::Fixed(prefix) => Some((prefix.len(), format!("the ULA prefix {prefix}"))),
        Ula::Off => None,
    };
    for (place, lan) in served {
        let Some(subnet) = lan.subnet else { continue };
        let gets =
            |given: &GivenPrefix| given.assign && given.lans.as_ref().is_none_or(|lans| lans.contains(&place.name));
        let given = prefixes.iter().filter(|(_, given)| gets(given));
        let given = given.map(|(_, given)| (given.prefix.len(), format!("prefix {}", given.prefix)));
        let sources: Vec<(u8, String)> = ula.clone().into_iter().chain(given).collect();
        // A prefix of `len` bits has 2 to the power of 64 − len subnets.
        let too_small = |len: u8| len > 0 && subnet >> (64 - len.min(64)) != 0;
        let small: Vec<_> = sources.iter().filter(|(len, _)| too_small(*len)).collect();
        let last = |len: u8| (1_u128 << (64 - len.min(64))) - 1;
        if small.is_empty() {
            continue;
        }
        if let Some((len, name)) = sources.iter().min_by_key(|(len, _)| *len).filter(|(len, _)| too_small(*len)) {
            let message = format!("subnet {subnet:x} lies outside every prefix of this LAN");
            let remedy = format!("{name} has subnets 0 to {:x}", last(*len));
            report.error(place, &["subnet"], message, remedy);
            continue;
        }
        for (len, name) in small {
            let message = format!("subnet {subnet:x} lies outside {name}; there another one is chosen");
            report.warning(place, &["subnet"], message, format!("write 0 to {:x} to have it everywhere", last(*len)));
        }
    }
}

/// No prefix may lie in another. In order each lies behind the one that covers it.
fn overlaps(mut prefixes: Vec<(Prefix, &Place, &str)>, report: &mut Report) {
    prefixes.sort_by_key(|(prefix, ..)| *prefix);
    let mut widest: Option<(Prefix, &Place)> = None;
    for (prefix, place, option) in prefixes {
        match widest {
            Some((wide, other)) if wide.covers(&prefix) => {
                let message = format!("{prefix} overlaps {wide} of {} (line {})", other.label(), other.line);
                report.error(place, &[option], message, "give each of them addresses of its own");
            }
            _ => widest = Some((prefix, place)),
        }
    }
}

fn identities(hosts: &[(Place, Host)], report: &mut Report) {
    let remedy = "a host has one section; put both into it";
    let duids = hosts.iter().flat_map(|(place, host)| {
        host.duids.iter().map(move |id| match id.iaid {
            None => (format!("DUID {}", id.duid), place),
            Some(iaid) => (format!("DUID {}%{iaid:x}", id.duid), place),
        })
    });
    unique(duids, "duid", remedy, report);
    let macs = hosts.iter().flat_map(|(place, host)| host.macs.iter().map(move |mac| (format!("MAC {mac}"), place)));
    unique(macs, "mac", remedy, report);
}

fn reservations(hosts: &[(Place, Host)], served: &[&(Place, Lan)], report: &mut Report) {
    let ids = hosts.iter().filter_map(|(place, host)| Some((format!("host_id {:x}", host.host_id?), place)));
    unique(ids, "host_id", "give one of the two another host_id", report);
    let addresses = hosts
        .iter()
        .flat_map(|(place, host)| host.addresses.iter().map(move |address| (format!("address {address}"), place)));
    unique(addresses, "address", "give one of the two another address", report);
    for (place, host) in hosts {
        let router = served.iter().find(|(_, lan)| host.host_id == Some(lan.router_id));
        if let Some((lan, _)) = router {
            let message = format!("it is the router's own on {}", lan.label());
            report.error(place, &["host_id"], message, "choose another");
        }
    }
    let kept = hosts.iter().filter_map(|(place, host)| Some((host.prefix?, place, "prefix")));
    overlaps(kept.collect(), report);
}

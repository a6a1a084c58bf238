use super::report::{Place, Report};
use crate::config::schema::{Type, UPLINK, UplinkDraft};
use crate::config::{Device, Given, Request, Share, Uplink, UplinkKind, Wireguard};

/// An `uplink` section whose options agree; `None` if there is no telling what it is.
pub(super) fn check(place: &Place, draft: UplinkDraft, report: &mut Report) -> Option<Uplink> {
    let Some(kind) = draft.kind else {
        report.error(place, &["type"], "nothing tells what it is", "write option type 'native'");
        return None;
    };
    strangers(place, kind, report);
    name(place, kind, report);
    let lans = Some(draft.lans.clone()).filter(|_| place.has("lan"));
    Some(Uplink {
        enabled: draft.enabled,
        priority: draft.priority.unwrap_or(kind.priority()),
        lans,
        probes: draft.probes.clone(),
        mtu: draft.mtu,
        kind: what(place, kind, draft, report)?,
    })
}

/// Options of other types do nothing.
fn strangers(place: &Place, kind: Type, report: &mut Report) {
    for row in UPLINK.rows.iter().filter(|row| place.has(row.name)) {
        if !row.of.is_empty() && !row.of.contains(&kind.name()) {
            let message = format!("it does nothing in an uplink of type {}", kind.name());
            report.warning(place, &[row.name], message, format!("remove it; it is for {}", row.of.join(", ")));
        }
    }
}

/// A device is named after the section, and its name has 15 letters at most.
fn name(place: &Place, kind: Type, report: &mut Report) {
    const LONGEST: usize = 12;
    let makes_device = !matches!(kind, Type::Static | Type::Native | Type::Netifd);
    if makes_device && place.name.len() > LONGEST {
        let message = format!("its name has more than {LONGEST} letters, and its device would be o6-{}", place.name);
        report.error(place, &[], message, "give the section a shorter name");
    }
}

fn what(place: &Place, kind: Type, draft: UplinkDraft, report: &mut Report) -> Option<UplinkKind> {
    let given = Given { prefixes: draft.prefixes.clone(), addresses: draft.addresses.clone() };
    let request = Request {
        address: draft.request_address,
        prefix: draft.request_prefix,
        reconfigure_accept: draft.reconfigure_accept,
    };
    let mut needed =
        |option: &str, remedy: &str| report.error(place, &[option], format!("{option} is missing"), remedy);
    match kind {
        Type::Static => {
            let device = device(place, &draft, report)?;
            if given == Given::default() {
                let message = "it gives the LANs nothing";
                report.warning(place, &["prefix", "address"], message, "write list prefix '2001:db8:1200::/48'");
            }
            Some(UplinkKind::Static { device, gateway: draft.gateway, given })
        }
        Type::Native => {
            let share = draft.share.unwrap_or(Share::Auto);
            Some(UplinkKind::Native { device: device(place, &draft, report)?, request, share })
        }
        Type::Netifd => match draft.interface {
            Some(interface) => Some(UplinkKind::Netifd { interface }),
            None => {
                needed("interface", "write option interface 'wan6'");
                None
            }
        },
        Type::Wireguard => {
            if draft.private_key.is_some() && !draft.private_key_file.is_empty() {
                let remedy = "remove one of them";
                report.error(place, &["private_key", "private_key_file"], "the private key is given twice", remedy);
            }
            if draft.endpoint.is_empty() && draft.listen_port == 0 {
                let message = "there is no endpoint to call, and no listen_port to be called at";
                report.warning(place, &["endpoint", "listen_port"], message, "write option endpoint 'HOST:PORT'");
            }
            let Some(peer_key) = draft.peer_key else {
                report.error(place, &["peer_key"], "peer_key is missing", "write the public key that the peer shows");
                return None;
            };
            Some(UplinkKind::Wireguard(Box::new(Wireguard {
                private_key: draft.private_key,
                private_key_file: draft.private_key_file,
                listen_port: draft.listen_port,
                peer_key,
                peer_name: draft.peer_name,
                preshared_key: draft.preshared_key,
                endpoint: draft.endpoint,
                allowed_ips: draft.allowed_ips,
                keepalive: draft.keepalive,
                request: Some(request).filter(|_| draft.delegation),
                given,
            })))
        }
        Type::SixInFour => {
            let Some(remote) = draft.remote else {
                needed("remote", "write the IPv4 address of the broker's server");
                return None;
            };
            let ttl = u8::try_from(draft.ttl).unwrap_or(u8::MAX);
            Some(UplinkKind::SixInFour { local: draft.local, remote, ttl, update_url: draft.update_url, given })
        }
        Type::SixToFour => Some(UplinkKind::SixToFour { local: draft.local }),
        Type::SixRd => {
            let (Some(relay), Some(prefix)) = (draft.remote, draft.prefix_6rd) else {
                let missing = if draft.remote.is_none() { "remote" } else { "prefix_6rd" };
                needed(missing, "write what the provider says of its 6rd");
                return None;
            };
            let bits = u32::from(prefix.len()) + 32 - u32::from(draft.ipv4_mask_len.min(32));
            if bits > 64 {
                let message = format!("a prefix of {bits} bits would come out, and a LAN needs one of 64 at most");
                report.error(place, &["ipv4_mask_len", "prefix_6rd"], message, "write what the provider says");
            }
            Some(UplinkKind::SixRd { local: draft.local, relay, prefix, ipv4_mask_len: draft.ipv4_mask_len })
        }
    }
}

fn device(place: &Place, draft: &UplinkDraft, report: &mut Report) -> Option<Device> {
    let remedy = "write option interface 'wan6', or option device 'eth1'";
    super::lan::device(place, draft.device.clone(), draft.interface.clone(), remedy, report)
}

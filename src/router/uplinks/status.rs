//! What a person asks of uplinks, as JSON.

use super::{Own, Running, Uplinks};
use crate::config::UplinkKind;
use crate::net::{Instant, Lifetimes};
use crate::plan::{RouteTarget, Trouble};
use crate::proto::dhcp6::client;
use crate::proto::ra::host;
use crate::router::status::{counts, seconds};
use serde_json::{Value, json};
use std::net::Ipv6Addr;

impl Uplinks {
    /// The answer to `uplinks`: each uplink, best first, and the moves between them.
    pub(in crate::router) fn status(&self, own: Own<'_>, now: Instant) -> Value {
        let mut all: Vec<_> = self.running.iter().collect();
        all.sort_by_key(|(name, uplink)| (uplink.config.priority, (*name).clone()));
        let uplinks: Vec<Value> = all.into_iter().map(|(name, uplink)| self.uplink(name, uplink, own, now)).collect();
        let moves = self.choice.history().rev().map(|one| {
            json!({
                "ago": now.since(one.at).as_secs(), "from": one.from, "to": one.to, "why": one.why,
                "outage_ms": one.outage.map(|outage| u64::try_from(outage.as_millis()).unwrap_or(u64::MAX)),
            })
        });
        json!({ "uplinks": uplinks, "moves": moves.collect::<Vec<_>>() })
    }

    /// What a person should know beside the states.
    pub(in crate::router) fn troubles(&self) -> Vec<Trouble> {
        let of = |(name, uplink): (&String, &Running)| match (&uplink.config.kind, &uplink.update) {
            (UplinkKind::SixToFour { .. }, _) => Some(Trouble {
                place: format!("uplink {name}"),
                message:
                    "6to4 reaches other 6to4 sites only: the relays to the rest of the Internet are gone (RFC 7526)"
                        .into(),
                remedy: "take a tunnel of type 6in4 or wireguard, or 6rd if the provider has it".into(),
            }),
            (_, Some(update)) => update.problem().map(|problem| Trouble {
                place: format!("uplink {name}"),
                message: format!("the broker was not told of our IPv4 address: {problem}"),
                remedy: "it is tried again within the hour, and when the address changes".into(),
            }),
            _ => None,
        };
        self.running.iter().filter_map(of).collect()
    }

    fn uplink(&self, name: &str, uplink: &Running, own: Own<'_>, now: Instant) -> Value {
        let health = uplink.watch.status(now);
        let gives = uplink.gives(name, own, super::role(&self.choice, name), now);
        let ends = |Lifetimes { preferred, valid }: Lifetimes| (seconds(preferred, now), seconds(valid, now));
        let prefixes = gives.prefixes.iter().map(|(prefix, lifetimes)| {
            let (preferred, valid) = ends(*lifetimes);
            json!({ "prefix": prefix.to_string(), "preferred": preferred, "valid": valid })
        });
        let netifd = uplink.netifd(own);
        let netifds = netifd.iter().flat_map(|netifd| &netifd.addresses);
        let addresses = gives.addresses.iter().chain(netifds).map(|(addr, len, lifetimes)| {
            let (preferred, valid) = ends(*lifetimes);
            json!({ "address": format!("{addr}/{len}"), "preferred": preferred, "valid": valid })
        });
        let dns = uplink.client.iter().flat_map(|client| client.leases().dns.clone());
        let learned = uplink.host.as_ref().map(|host| host.learned(now));
        let dns = dns.chain(learned.iter().flat_map(|learned| learned.dns.iter().map(|(addr, _)| *addr)));
        let dns = dns.chain(netifd.iter().flat_map(|netifd| netifd.dns.iter().copied()));
        let dns: Vec<String> = dns.map(|addr| addr.to_string()).collect();
        let next_hop = match gives.next_hop {
            Some(RouteTarget::Via { gateway, .. }) => Some(gateway),
            Some(_) => Some(Ipv6Addr::UNSPECIFIED),
            None => netifd.and_then(|netifd| netifd.gateway),
        };
        let next_hop = next_hop.map(|gateway| match gateway {
            Ipv6Addr::UNSPECIFIED => "the other end of the link".into(),
            gateway => gateway.to_string(),
        });
        let why_role = self.choice.roles().get(name).map(|chosen| chosen.why.as_str()).filter(|why| !why.is_empty());
        json!({
            "name": name, "type": uplink.kind(), "priority": uplink.config.priority, "device": uplink.device,
            "state": health.state.word(), "reason": health.reason, "since": now.since(health.since).as_secs(),
            "role": gives.role.word(), "role_reason": why_role,
            "share": uplink.share_reason(),
            "next_hop": next_hop,
            "mtu": gives.mtu, "dns": dns,
            "prefixes": prefixes.collect::<Vec<_>>(), "addresses": addresses.collect::<Vec<_>>(),
            "rtt_ms": health.rtt.map(|rtt| u64::try_from(rtt.as_millis()).unwrap_or(u64::MAX)),
            "lost": health.loss.0, "asked": health.loss.1, "flaps": health.flaps,
            "heard": health.heard.map(|at| now.since(at).as_secs()),
            "endpoint": uplink.endpoint.as_ref().map(|endpoint| json!({
                "name": endpoint.name(), "address": endpoint.addr().map(|addr| addr.to_string()),
                "problem": endpoint.problem(),
            })),
            "update": uplink.update.as_ref().map(|update| json!({
                "ago": update.done().map(|at| now.since(at).as_secs()), "problem": update.problem(),
            })),
            "public_key": uplink.public_key(name, own),
            "ra": uplink.host.as_ref().map(|host| advertisements(&host.status(now))),
            "dhcp6": uplink.client.as_ref().map(|client| leases(&client.status(now), now)),
        })
    }
}

impl Running {
    /// The type as it is configured.
    fn kind(&self) -> &'static str {
        match self.config.kind {
            UplinkKind::Static { .. } => "static",
            UplinkKind::Native { .. } => "native",
            UplinkKind::Netifd { .. } => "netifd",
            UplinkKind::Wireguard(_) => "wireguard",
            UplinkKind::SixInFour { .. } => "6in4",
            UplinkKind::SixToFour { .. } => "6to4",
            UplinkKind::SixRd { .. } => "6rd",
        }
    }

    /// Our public key, for the peer's configuration.
    fn public_key(&self, name: &str, own: Own<'_>) -> Option<String> {
        let UplinkKind::Wireguard(wireguard) = &self.config.kind else { return None };
        let key = wireguard.private_key.as_ref().or_else(|| own.keys.get(name))?;
        Some(key.public().to_string())
    }
}

fn advertisements(status: &host::Status) -> Value {
    json!({
        "solicitations": status.solicitations, "advertisements": status.advertisements, "drops": counts(&status.drops),
    })
}

fn leases(status: &client::Status, now: Instant) -> Value {
    json!({
        "state": status.state, "since": now.since(status.since).as_secs(), "tries": status.tries,
        "refused": status.refused, "sent": counts(&status.sent), "received": counts(&status.received),
        "dropped": counts(&status.dropped),
    })
}

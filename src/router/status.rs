//! What a person asks, as JSON: the same answers for the command line, ubus and LuCI.

use super::{Router, notice};
use crate::net::{Instant, Lifetimes, Until};
use crate::plan::{self, LanPlan, Op, Trouble};
use crate::proto::{dhcp6, ra};
use serde_json::{Map, Value, json};

impl Router {
    /// The answer to `status`, without what only the daemon knows (`config`, `store`).
    pub fn status(&self, now: Instant) -> Value {
        let lans: Vec<Value> = self.desired.lans.iter().map(|(name, lan)| self.lan(name, lan, now)).collect();
        let serving = self.desired.lans.values().filter(|lan| lan.why.is_empty()).count();
        let state = match (self.config.enabled, serving) {
            (false, _) => "disabled",
            (true, 0) => "waiting",
            (true, _) => "serving",
        };
        let sources = plan::sources(&self.config, &self.facts).into_iter().map(|source| {
            json!({
                "source": source.source, "prefix": source.prefix.to_string(), "delegable": source.delegate,
                "preferred": seconds(source.lifetimes.preferred, now), "valid": seconds(source.lifetimes.valid, now),
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "enabled": self.config.enabled,
            "uptime": now.since(self.started).as_secs(),
            "state": state,
            "default_route": self.facts.actual.has_default_route(),
            "default_router": self.desired.lans.values().filter_map(|lan| lan.ra.as_ref()).any(|ra| ra.router_lifetime > 0),
            "ula": self.facts.ula.map(|prefix| prefix.to_string()),
            "prefixes": sources.collect::<Vec<_>>(),
            "lans": lans,
            "uplinks": self.uplinks(now).get_mut("uplinks").map(Value::take),
            "dhcp6": dhcp6_server(&self.dhcp6.status(now)),
            "kernel": {
                "objects": self.desired.objects.len(),
                "refused": self.retry.refused(now).into_iter().map(|(key, message, retry_in)| json!({
                    "what": key.to_string(), "message": message, "retry_in": retry_in.as_secs(),
                })).collect::<Vec<_>>(),
            },
            "troubles": troubles(&[self.desired.problems.as_slice(), &self.uplinks.troubles(), &self.contradictions(now)].concat()),
        })
    }

    /// Other routers that tell the hosts of a LAN something else than we do (RFC 4861 §6.2.7).
    fn contradictions(&self, now: Instant) -> Vec<Trouble> {
        let of_lan = |(name, on): (&String, &super::Advertising)| {
            let routers = on.core.status(now).routers.into_iter().filter(|other| !other.contradicts.is_empty());
            let name = name.clone();
            routers.map(move |other| Trouble {
                place: format!("lan {name}"),
                message: format!("router {} contradicts us: {}", other.address, other.contradicts.join(", ")),
                remedy: "let one of the two routers advertise there, or give both the same settings".into(),
            })
        };
        self.advertisers.iter().flat_map(of_lan).collect()
    }

    /// The answer to `leases`.
    pub fn leases(&self, now: Instant) -> Value {
        json!({ "leases": self.dhcp6.bindings().map(|binding| lease(binding, now)).collect::<Vec<_>>() })
    }

    /// The answer to `uplinks`.
    pub fn uplinks(&self, now: Instant) -> Value {
        self.uplinks.status(self.own(), now)
    }

    /// What a person should know of the uplinks, beside their states.
    pub fn uplink_troubles(&self) -> Vec<Trouble> {
        self.uplinks.troubles()
    }

    /// The answer to `plan`: what would change in the kernel if `ops` were applied, and what the LANs would get.
    pub fn plan(&self, ops: &[Op], now: Instant) -> Value {
        let lans: Vec<Value> = self.desired.lans.iter().map(|(name, lan)| self.lan(name, lan, now)).collect();
        let ops = ops.iter().map(|op| {
            let value = match op {
                Op::Put(_, plan::Value::Sysctl(value)) => value.clone(),
                Op::Put(_, plan::Value::Device(device)) => device.to_string(),
                Op::Put(_, plan::Value::Address { len, lifetimes }) => {
                    format!("/{len}, valid {}", words(lifetimes.valid, now))
                }
                Op::Put(_, plan::Value::Route(target)) => match target {
                    plan::RouteTarget::Via { gateway, .. } => format!("via {gateway}"),
                    plan::RouteTarget::OnLink { .. } => "on the link".into(),
                    plan::RouteTarget::Unreachable => "unreachable".into(),
                    plan::RouteTarget::Other => String::new(),
                },
                Op::Put(_, plan::Value::Guard(guard)) => guard.to_string(),
                Op::Put(_, plan::Value::Proxy) | Op::Delete(..) => String::new(),
            };
            json!({ "op": notice::op_word(op), "object": notice::object(op, &self.facts.actual), "value": value })
        });
        json!({ "ops": ops.collect::<Vec<_>>(), "lans": lans, "troubles": troubles(&self.desired.problems) })
    }

    fn lan(&self, name: &str, lan: &LanPlan, now: Instant) -> Value {
        let prefixes = lan.prefixes.iter().map(|prefix| {
            json!({
                "prefix": prefix.prefix.to_string(), "source": prefix.source,
                "router": prefix.router.map(|addr| addr.to_string()),
                "preferred": seconds(prefix.lifetimes.preferred, now), "valid": seconds(prefix.lifetimes.valid, now),
            })
        });
        let ra = self.advertisers.get(name).map(|on| advertiser(&on.core.status(now), now));
        let dhcp6 = lan.link.and_then(|link| self.desired.dhcp6.links.get(&link)).map(|_| {
            let of_lan = || self.dhcp6.bindings().filter(|binding| &*binding.lan == name);
            let prefixes = of_lan().filter(|b| matches!(b.resource, dhcp6::Resource::Prefix(_))).count();
            json!({ "addresses": of_lan().count() - prefixes, "prefixes": prefixes })
        });
        json!({
            "name": name, "device": lan.device,
            "state": if lan.why.is_empty() { "serving" } else { "waiting" }, "why": lan.why,
            "prefixes": prefixes.collect::<Vec<_>>(), "ra": ra, "dhcp6": dhcp6,
        })
    }
}

/// The advertiser's counters. The next advertisement is an object, so that text for people passes it by.
fn advertiser(status: &ra::Status, now: Instant) -> Value {
    let routers = status.routers.iter().map(|other| {
        json!({
            "address": other.address.to_string(), "heard": now.since(other.heard).as_secs(),
            "router_lifetime": other.router_lifetime, "contradicts": other.contradicts,
        })
    });
    json!({
        "multicasts": status.multicasts, "unicasts": status.unicasts, "solicitations": status.solicitations,
        "drops": counts(&status.drops),
        "next": status.next.map(|(at, why)| json!({ "in": at.since(now).as_secs(), "why": why })),
        "routers": routers.collect::<Vec<_>>(),
    })
}

/// The DHCPv6 server's counters.
fn dhcp6_server(status: &dhcp6::Status) -> Value {
    let dhcp6::Counts { addresses, prefixes, declined, registered } = status.bindings;
    json!({
        "addresses": addresses, "prefixes": prefixes, "declined": declined, "registered": registered,
        "received": counts(&status.received), "sent": counts(&status.sent), "dropped": counts(&status.dropped),
    })
}

pub(super) fn counts(counts: &[(&'static str, u64)]) -> Value {
    counts.iter().map(|(name, count)| ((*name).to_owned(), Value::from(*count))).collect::<Map<_, _>>().into()
}

/// A trouble each, as `status` and `plan` show them.
pub fn troubles(troubles: &[Trouble]) -> Vec<Value> {
    let each = |t: &Trouble| json!({ "place": t.place, "message": t.message, "remedy": t.remedy });
    troubles.iter().map(each).collect()
}

/// A binding as `leases` and `monitor` show it.
pub(super) fn lease(binding: &dhcp6::Binding, now: Instant) -> Value {
    let Lifetimes { preferred, valid } = binding.lifetimes;
    json!({
        "lan": &*binding.lan,
        "kind": match (binding.state, binding.resource) {
            (dhcp6::State::Declined, _) => "declined",
            (dhcp6::State::Registered, _) => "registered",
            (dhcp6::State::Bound, dhcp6::Resource::Address(_)) => "address",
            (dhcp6::State::Bound, dhcp6::Resource::Prefix(_)) => "prefix",
        },
        "resource": resource(binding),
        "duid": binding.client.to_string(), "iaid": format!("{:08x}", binding.iaid),
        "hostname": &*binding.hostname, "via": binding.via.to_string(),
        "preferred": seconds(preferred, now), "valid": seconds(valid, now),
    })
}

/// The address or prefix of a binding.
pub(super) fn resource(binding: &dhcp6::Binding) -> String {
    match binding.resource {
        dhcp6::Resource::Address(addr) => addr.to_string(),
        dhcp6::Resource::Prefix(prefix) => prefix.to_string(),
    }
}

/// Seconds left; null: for ever.
pub(super) fn seconds(until: Until, now: Instant) -> Value {
    match until {
        Until::Forever => Value::Null,
        Until::At(_) => until.remaining(now).into(),
    }
}

fn words(until: Until, now: Instant) -> String {
    match until {
        Until::Forever => "for ever".into(),
        Until::At(_) => format!("for {} s", until.remaining(now)),
    }
}

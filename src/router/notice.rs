use super::Action;
use crate::kernel::Refusal;
use crate::net::FlatMap;
use crate::net::{Instant, Prefix};
use crate::plan::{Actual, Desired, Key, Op};
use crate::proto::{dhcp6, uplink};
use serde_json::{Value, json};
use std::fmt;

/// Something that a person who watches wants to hear of. Its text goes to the log, its JSON to `oasis6 monitor`.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A binding of the DHCPv6 server changed.
    Lease(dhcp6::Told, dhcp6::Binding),
    /// A LAN began or ceased to be served.
    Lan {
        /// Section name.
        name: String,
        /// Device.
        device: String,
        /// Why it is not served; empty when it is.
        why: String,
    },
    /// An uplink is in another state, or is used otherwise.
    Uplink {
        /// Section name.
        name: String,
        /// Its state.
        state: uplink::State,
        /// Whether the LANs use it.
        role: uplink::Role,
        /// Why, in words.
        reason: String,
    },
    /// A LAN has a new prefix, or an old one was deprecated or dropped.
    Prefix {
        /// Section name of the LAN.
        lan: String,
        /// The /64.
        prefix: Prefix,
        /// `new`, `deprecated` or `gone`.
        what: &'static str,
    },
    /// The kernel was changed, or refused.
    Kernel {
        /// The object in words.
        what: String,
        /// What was asked.
        op: Op,
        /// What became of it.
        result: Result<(), Refusal>,
    },
    /// A configuration was taken or refused.
    Config {
        /// `loaded` or `refused`.
        what: &'static str,
        /// Every problem, a line each.
        problems: Vec<String>,
    },
}

impl Notice {
    /// As which level it is logged: INFO is a change that users see, WARN wants somebody to look.
    pub fn level(&self) -> log::Level {
        match self {
            Notice::Lease(..) => log::Level::Debug,
            Notice::Lan { why, .. } if why.is_empty() => log::Level::Info,
            Notice::Lan { .. } => log::Level::Warn,
            Notice::Uplink { .. } | Notice::Prefix { .. } => log::Level::Info,
            Notice::Kernel { result: Ok(()), .. } => log::Level::Debug,
            Notice::Kernel { .. } => log::Level::Warn,
            Notice::Config { what: "loaded", problems } if problems.is_empty() => log::Level::Info,
            Notice::Config { .. } => log::Level::Warn,
        }
    }

    /// One event of `oasis6 monitor`.
    pub fn to_json(&self, now: Instant) -> Value {
        match self {
            Notice::Lease(told, binding) => {
                let mut event = super::status::lease(binding, now);
                if let Some(fields) = event.as_object_mut() {
                    fields.insert("event".into(), "lease".into());
                    fields.insert("what".into(), told_word(*told).into());
                }
                event
            }
            Notice::Lan { name, device, why } => json!({
                "event": "lan", "name": name, "device": device,
                "state": if why.is_empty() { "serving" } else { "waiting" }, "why": why,
            }),
            Notice::Uplink { name, state, role, reason } => json!({
                "event": "uplink", "name": name, "state": state.word(), "role": role.word(), "reason": reason,
            }),
            Notice::Prefix { lan, prefix, what } => {
                json!({ "event": "prefix", "what": what, "lan": lan, "prefix": prefix.to_string() })
            }
            Notice::Kernel { what, op, result } => json!({
                "event": "kernel",
                "what": if result.is_ok() { "done" } else { "refused" },
                "op": op_word(op), "object": what,
                "message": result.as_ref().err().map(|refusal| refusal.message.clone()),
            }),
            Notice::Config { what, problems } => json!({ "event": "config", "what": what, "problems": problems }),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Lease(told, binding) => {
                write!(f, "lan {}: {} {}", binding.lan, super::status::resource(binding), told_word(*told))
            }
            Notice::Lan { name, device, why } if why.is_empty() => write!(f, "lan {name}: serving on {device}"),
            Notice::Lan { name, why, .. } => write!(f, "lan {name}: not served: {why}"),
            Notice::Uplink { name, state, role, reason } => {
                write!(f, "uplink {name}: {}, {}", state.word(), role.word())?;
                if reason.is_empty() { Ok(()) } else { write!(f, ": {reason}") }
            }
            Notice::Prefix { lan, prefix, what } => write!(f, "lan {lan}: prefix {prefix} is {what}"),
            Notice::Kernel { what, op, result } => match result {
                Ok(()) => write!(f, "kernel: {} {what}", op_word(op)),
                Err(refusal) => write!(f, "kernel refused to {} {what}: {refusal}", op_word(op)),
            },
            Notice::Config { what, problems } => {
                write!(f, "configuration {what}")?;
                problems.iter().try_for_each(|problem| write!(f, "; {problem}"))
            }
        }
    }
}

fn told_word(told: dhcp6::Told) -> &'static str {
    match told {
        dhcp6::Told::Granted => "granted",
        dhcp6::Told::Renewed => "renewed",
        dhcp6::Told::Released => "released",
        dhcp6::Told::Expired => "expired",
        dhcp6::Told::Declined => "declined",
    }
}

/// `put` or `delete`.
pub(super) fn op_word(op: &Op) -> &'static str {
    match op {
        Op::Put(..) => "put",
        Op::Delete(..) => "delete",
    }
}

/// The object of an operation in words, links by name.
pub(super) fn object(op: &Op, actual: &Actual) -> String {
    match op.key() {
        Key::Address { link, addr } => match actual.links.get(link) {
            Some(link) => format!("address {addr} on {}", link.name),
            None => op.key().to_string(),
        },
        Key::Proxy { link, addr } => match actual.links.get(link) {
            Some(link) => format!("answer for {addr} on {}", link.name),
            None => op.key().to_string(),
        },
        key => key.to_string(),
    }
}

/// What a person should hear of when one plan follows another.
pub(super) fn differences(before: &Desired, after: &Desired, out: &mut Vec<Action>) {
    for (name, lan) in &after.lans {
        let was = before.lans.get(name);
        if was.is_none_or(|was| was.why != lan.why || was.device != lan.device) {
            out.push(Action::Tell(Notice::Lan {
                name: name.clone(),
                device: lan.device.clone(),
                why: lan.why.clone(),
            }));
        }
    }
    for name in before.lans.keys().filter(|name| !after.lans.contains_key(*name)) {
        let why = "it was taken out of the configuration".to_owned();
        out.push(Action::Tell(Notice::Lan { name: name.clone(), device: String::new(), why }));
    }
    let (old, new) = (prefixes(before), prefixes(after));
    let mut tell = |(lan, prefix): &(&String, Prefix), what| {
        out.push(Action::Tell(Notice::Prefix { lan: (*lan).clone(), prefix: *prefix, what }));
    };
    for (at, live) in &new {
        match (old.get(at), live) {
            (None | Some(false), true) => tell(at, "new"),
            (None | Some(true), false) => tell(at, "deprecated"),
            _ => {}
        }
    }
    for at in old.keys().filter(|at| !new.contains_key(*at)) {
        tell(at, "gone");
    }
}

/// Every /64 of every LAN, and whether it is live.
fn prefixes(desired: &Desired) -> FlatMap<(&String, Prefix), bool> {
    let all = desired.lans.iter().flat_map(|(name, lan)| lan.prefixes.iter().map(move |prefix| (name, prefix)));
    all.map(|(name, prefix)| ((name, prefix.prefix), prefix.router.is_some())).collect()
}

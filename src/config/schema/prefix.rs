use super::Kind::{Flag, Lifetime, Prefix as PrefixKind, Text};
use super::{Table, value};
use crate::config::MAX_LANS;
use crate::net::Prefix;

/// A `prefix` section as it is written.
pub(in crate::config) struct PrefixDraft {
    pub(in crate::config) prefix: Option<Prefix>,
    pub(in crate::config) preferred_lifetime: u32,
    pub(in crate::config) valid_lifetime: u32,
    pub(in crate::config) lans: Vec<String>,
    pub(in crate::config) assign: bool,
    pub(in crate::config) delegate: bool,
}

type Row = super::Row<PrefixDraft>;

pub(in crate::config) static PREFIX: Table<PrefixDraft> = Table {
    kind: "prefix",
    help: "A prefix given by hand, as by a provider with fixed prefixes or a tunnel.",
    example: "isp",
    named: true,
    many: true,
    blank: || PrefixDraft {
        prefix: None,
        preferred_lifetime: 0,
        valid_lifetime: 0,
        lans: Vec::new(),
        assign: false,
        delegate: false,
    },
    rows: &[
        Row::option("prefix", PrefixKind(&value::GIVEN_PREFIX, |p, prefix| p.prefix = Some(prefix)))
            .example("2001:db8:1200::/48")
            .help("The prefix."),
        Row::option("preferred_lifetime", Lifetime(|p, seconds| p.preferred_lifetime = seconds))
            .default("infinite")
            .unit("seconds")
            .help("How long hosts begin new connections from it, counted from when it was configured.")
            .rfc("RFC 4862 §5.5.4"),
        Row::option("valid_lifetime", Lifetime(|p, seconds| p.valid_lifetime = seconds))
            .default("infinite")
            .unit("seconds")
            .help("How long it may be used at all, counted likewise.")
            .rfc("RFC 4862 §5.5.4"),
        Row::list("lan", Text(&value::SECTION, |p, lan| p.lans.push(lan)))
            .most(MAX_LANS)
            .otherwise("all")
            .example("lan")
            .help("LANs that get a /64 of it."),
        Row::option("assign", Flag(|p, on| p.assign = on))
            .default("1")
            .help("LANs get a /64 of it; without, it only serves delegation."),
        Row::option("delegate", Flag(|p, on| p.delegate = on))
            .default("1")
            .help("DHCPv6 may delegate out of it.")
            .rfc("RFC 9915 §6.3"),
    ],
};

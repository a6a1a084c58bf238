use super::Kind::{Choice, Number, ServerOrAuto, Text};
use super::{Table, value};
use crate::config::Published;
use std::net::SocketAddr;

/// A `publish` section as it is written.
pub(in crate::config) struct PublishDraft {
    pub(in crate::config) zone: Option<String>,
    pub(in crate::config) key: Option<String>,
    pub(in crate::config) server: Option<SocketAddr>,
    pub(in crate::config) what: Published,
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) ttl: u32,
}

type Row = super::Row<PublishDraft>;

pub(in crate::config) static PUBLISH: Table<PublishDraft> = Table {
    kind: "publish",
    help: "Not in use yet. A zone of somebody else in which our names are kept up to date.",
    example: "dyndns",
    named: true,
    many: true,
    blank: || PublishDraft { zone: None, key: None, server: None, what: Published::Router, name: None, ttl: 0 },
    rows: &[
        Row::option("zone", Text(&value::DOMAIN, |p, zone| p.zone = Some(zone)))
            .example("dyn.example")
            .help("The zone.")
            .rfc("RFC 2136 §2.3"),
        Row::option("key", Text(&value::SECTION, |p, key| p.key = Some(key)))
            .example("laptop")
            .help("The section key that signs."),
        Row::option("server", ServerOrAuto(&value::SERVER_OR_AUTO, |p, server| p.server = server))
            .default("auto")
            .help("Its primary server; auto: the zone's own records tell.")
            .rfc("RFC 2136 §4"),
        Row::option(
            "names",
            Choice(&[
                ("router", |p| p.what = Published::Router),
                ("peers", |p| p.what = Published::Peers),
                ("all", |p| p.what = Published::All),
            ]),
        )
        .default("peers")
        .help("Whose names: the router's, its tunnel peers' too, or all hosts' too."),
        Row::option("name", Text(&value::LABEL, |p, name| p.name = Some(name)))
            .otherwise("its host name")
            .example("home")
            .help("The router's name in the zone."),
        Row::option("ttl", Number(1, 86400, |p, seconds| p.ttl = seconds))
            .default("60")
            .unit("seconds")
            .help("How long others may keep the addresses."),
    ],
};

use super::Kind::{Choice, Flag, Id, PortRange, Prefix as PrefixKind, Text};
use super::{Table, value};
use crate::config::{Pinhole, PinholeHost, Protocol};
use crate::net::Prefix;

/// A `pinhole` section as it is written.
pub(in crate::config) struct PinholeDraft {
    pub(in crate::config) enabled: bool,
    pub(in crate::config) host: Option<String>,
    pub(in crate::config) host_id: Option<u64>,
    pub(in crate::config) lan: Option<String>,
    pub(in crate::config) protocols: Vec<Protocol>,
    pub(in crate::config) ports: Vec<(u16, u16)>,
    pub(in crate::config) sources: Vec<Prefix>,
}

impl PinholeDraft {
    /// The pinhole of section `section` toward `host`.
    pub(in crate::config) fn toward(self, section: String, host: PinholeHost) -> Pinhole {
        let PinholeDraft { enabled, protocols, ports, sources, .. } = self;
        Pinhole { section, enabled, host, protocols, ports, sources }
    }
}

type Row = super::Row<PinholeDraft>;

pub(in crate::config) static PINHOLE: Table<PinholeDraft> = Table {
    kind: "pinhole",
    help: "A way in from the Internet to one host, which follows it through every change of prefix.",
    example: "web",
    named: false,
    many: true,
    blank: || PinholeDraft {
        enabled: false,
        host: None,
        host_id: None,
        lan: None,
        protocols: Vec::new(),
        ports: Vec::new(),
        sources: Vec::new(),
    },
    rows: &[
        Row::option("enabled", Flag(|p, on| p.enabled = on)).default("1").help("Open it."),
        Row::option("host", Text(&value::LABEL, |p, name| p.host = Some(name)))
            .otherwise("host_id")
            .example("printer")
            .help("The host by its name: of a host section, or what it calls itself by DHCPv6."),
        Row::option("host_id", Id(&value::ID, |p, id| p.host_id = Some(id)))
            .otherwise("host")
            .example("::53")
            .help("The host by the lower half of its address, instead of a name; with lan."),
        Row::option("lan", Text(&value::SECTION, |p, lan| p.lan = Some(lan)))
            .otherwise("where the host is")
            .example("lan")
            .help("The LAN that host_id is on."),
        Row::list(
            "proto",
            Choice(&[
                ("tcp", |p| p.protocols.push(Protocol::Tcp)),
                ("udp", |p| p.protocols.push(Protocol::Udp)),
                ("all", |p| p.protocols.push(Protocol::All)),
            ]),
        )
        .default("tcp")
        .help("Protocol let in; all: whatever comes."),
        Row::list("port", PortRange(&value::PORTS, |p, ports| p.ports.push(ports)))
            .otherwise("all")
            .example("443")
            .help("Port let in, or a range of ports."),
        Row::list("source", PrefixKind(&value::ROUTE, |p, prefix| p.sources.push(prefix)))
            .otherwise("everybody")
            .example("2001:db8:77::/48")
            .help("Who may come in."),
    ],
};

use super::Kind::{Address, Duid, Id, Mac, Prefix, Text};
use super::{Table, value};
use crate::config::Host;

type Row = super::Row<Host>;

pub(in crate::config) static HOST: Table<Host> = Table {
    kind: "host",
    help: "A known host: its name, and addresses kept for it.",
    example: "printer",
    named: false,
    many: true,
    blank: || Host {
        section: String::new(),
        name: String::new(),
        aliases: Vec::new(),
        duids: Vec::new(),
        macs: Vec::new(),
        host_id: None,
        addresses: Vec::new(),
        prefix: None,
    },
    rows: &[
        Row::option("name", Text(&value::DOMAIN, |h, name| h.name = name))
            .otherwise("none")
            .example("printer")
            .help("Its name in DNS."),
        Row::list("alias", Text(&value::LABEL, |h, name| h.aliases.push(name)))
            .otherwise("none")
            .example("print")
            .help("One more name of it in DNS."),
        Row::list("duid", Duid(&value::DUID, |h, duid| h.duids.push(duid)))
            .otherwise("none")
            .example("0003000102005e005301")
            .help("Recognise it by this DHCPv6 identifier, or with %IAID by one of its interfaces.")
            .rfc("RFC 9915 §11"),
        Row::list("mac", Mac(&value::MAC, |h, mac| h.macs.push(mac)))
            .otherwise("none")
            .example("02:00:5e:00:53:01")
            .help("Recognise it by this MAC address."),
        Row::option("host_id", Id(&value::ID, |h, id| h.host_id = Some(id)))
            .otherwise("chosen")
            .example("::53")
            .help("Lower half of its address in each /64 of its LAN."),
        Row::list("address", Address(&value::WIDE_ADDRESS, |h, address| h.addresses.push(address)))
            .otherwise("none")
            .example("2001:db8:1200:a::53")
            .help("A whole address kept for it."),
        Row::option("prefix", Prefix(&value::RESERVED_PREFIX, |h, prefix| h.prefix = Some(prefix)))
            .otherwise("none")
            .example("2001:db8:1200:f0::/60")
            .help("Prefix kept for delegation to it.")
            .rfc("RFC 9915 §6.3"),
    ],
};

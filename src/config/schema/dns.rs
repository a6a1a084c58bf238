use super::Kind::{Choice, Flag, Number, Port, Prefix as PrefixKind, Server, Text};
use super::{Table, value};
use crate::config::{Dns, DnsMode};

/// A `dns` section as it is written.
pub(in crate::config) struct DnsDraft {
    /// `None`: off.
    pub(in crate::config) mode: Option<DnsMode>,
    /// Everything else; its own mode says nothing.
    pub(in crate::config) dns: Dns,
}

type Row = super::Row<DnsDraft>;

pub(in crate::config) static DNS: Table<DnsDraft> = Table {
    kind: "dns",
    help: "Names of hosts, peers and sites. `oasis6 names` shows them; not served by DNS yet.",
    example: "dns",
    named: false,
    many: false,
    blank: || DnsDraft {
        mode: None,
        dns: Dns {
            mode: DnsMode::Behind,
            port: 0,
            servers: Vec::new(),
            public_zones: Vec::new(),
            cache_kib: 0,
            rebind_protection: false,
            rebind_domains: Vec::new(),
            dns64_prefix: None,
            hash_zone: None,
            secondaries: Vec::new(),
            dhcp4_leases: String::new(),
            ttl: 0,
        },
    },
    rows: &[
        Row::option(
            "mode",
            Choice(&[
                ("behind", |d| d.mode = Some(DnsMode::Behind)),
                ("replace", |d| d.mode = Some(DnsMode::Replace)),
                ("off", |d| d.mode = None),
            ]),
        )
        .default("behind")
        .help("Who has port 53: dnsmasq, which asks us for our zones; or we, in its place."),
        Row::option("port", Port(|d, port| d.dns.port = port))
            .otherwise("5356 behind dnsmasq, 53 in its place")
            .example("5356")
            .help("Port that is listened on, by UDP and TCP."),
        Row::list("server", Server(&value::SERVER, |d, server| d.dns.servers.push(server)))
            .otherwise("the uplinks' own")
            .example("2001:db8::53")
            .help("Server that is asked for what is not ours."),
        Row::list("public_zone", Text(&value::DOMAIN, |d, zone| d.dns.public_zones.push(zone)))
            .otherwise("none")
            .example("home.example")
            .help("Zone that is answered to the Internet too."),
        Row::option("cache_kib", Number(16, 65536, |d, kib| d.dns.cache_kib = kib))
            .default("256")
            .unit("KiB")
            .help("Most memory for answers that are kept."),
        Row::option("rebind_protection", Flag(|d, on| d.dns.rebind_protection = on))
            .default("1")
            .help("Refuse answers from outside that name addresses inside."),
        Row::list("rebind_domain", Text(&value::DOMAIN, |d, domain| d.dns.rebind_domains.push(domain)))
            .otherwise("none")
            .example("work.example")
            .help("Domain in which such answers are fine."),
        Row::option("dns64_prefix", PrefixKind(&value::PREF64, |d, prefix| d.dns.dns64_prefix = Some(prefix)))
            .otherwise("none")
            .example("64:ff9b::/96")
            .help("NAT64 prefix, out of which names without IPv6 get addresses.")
            .rfc("RFC 6147"),
        Row::option("hash_zone", Text(&value::DOMAIN, |d, zone| d.dns.hash_zone = Some(zone)))
            .otherwise("none")
            .example("hash.example")
            .help("Zone in which every name has an address, made of the name itself."),
        Row::list("secondary", super::Kind::Secondary(&value::SECONDARY, |d, server| d.dns.secondaries.push(server)))
            .otherwise("none")
            .example("2001:db8::54")
            .help("Server that is told when a zone changes, and may transfer it.")
            .rfc("RFC 1996, RFC 5936"),
        Row::option("dhcp4_leases", Text(&value::FILE_OR_OFF, |d, file| d.dns.dhcp4_leases = file))
            .default("/tmp/dhcp.leases")
            .help("dnsmasq's file of DHCPv4 leases, whose hosts get names; off: it is not read."),
        Row::option("ttl", Number(1, 86400, |d, seconds| d.dns.ttl = seconds))
            .default("10")
            .unit("seconds")
            .help("How long others may keep addresses of hosts."),
    ],
};

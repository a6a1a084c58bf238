use super::Kind::{Choice, Flag, Number, Port, Prefix as PrefixKind, Server, Text};
use super::{Table, value};
use crate::config::{DnsMode, Secondary};
use crate::net::Prefix;
use std::net::SocketAddr;

/// A `dns` section as it is written.
#[derive(Default)]
pub(in crate::config) struct DnsDraft {
    /// `None`: off.
    pub(in crate::config) mode: Option<DnsMode>,
    pub(in crate::config) port: u16,
    pub(in crate::config) servers: Vec<SocketAddr>,
    pub(in crate::config) public_zones: Vec<String>,
    pub(in crate::config) cache_kib: u32,
    pub(in crate::config) rebind_protection: bool,
    pub(in crate::config) rebind_domains: Vec<String>,
    pub(in crate::config) dns64_prefix: Option<Prefix>,
    pub(in crate::config) hash_zone: Option<String>,
    pub(in crate::config) secondaries: Vec<Secondary>,
    pub(in crate::config) dhcp4_leases: String,
    pub(in crate::config) ttl: u32,
}

type Row = super::Row<DnsDraft>;

pub(in crate::config) static DNS: Table<DnsDraft> = Table {
    kind: "dns",
    help: "Names of hosts, peers and sites. `oasis6 names` shows them; not served by DNS yet.",
    example: "dns",
    named: false,
    many: false,
    blank: DnsDraft::default,
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
        Row::option("port", Port(|d, port| d.port = port))
            .otherwise("5356 behind dnsmasq, 53 in its place")
            .example("5356")
            .help("Port that is listened on, by UDP and TCP."),
        Row::list("server", Server(&value::SERVER, |d, server| d.servers.push(server)))
            .otherwise("the uplinks' own")
            .example("2001:db8::53")
            .help("Server that is asked for what is not ours."),
        Row::list("public_zone", Text(&value::DOMAIN, |d, zone| d.public_zones.push(zone)))
            .otherwise("none")
            .example("home.example")
            .help("Zone that is answered to the Internet too."),
        Row::option("cache_kib", Number(16, 65536, |d, kib| d.cache_kib = kib))
            .default("256")
            .unit("KiB")
            .help("Most memory for answers that are kept."),
        Row::option("rebind_protection", Flag(|d, on| d.rebind_protection = on))
            .default("1")
            .help("Refuse answers from outside that name addresses inside."),
        Row::list("rebind_domain", Text(&value::DOMAIN, |d, domain| d.rebind_domains.push(domain)))
            .otherwise("none")
            .example("work.example")
            .help("Domain in which such answers are fine."),
        Row::option("dns64_prefix", PrefixKind(&value::PREF64, |d, prefix| d.dns64_prefix = Some(prefix)))
            .otherwise("none")
            .example("64:ff9b::/96")
            .help("NAT64 prefix, out of which names without IPv6 get addresses.")
            .rfc("RFC 6147"),
        Row::option("hash_zone", Text(&value::DOMAIN, |d, zone| d.hash_zone = Some(zone)))
            .otherwise("none")
            .example("hash.example")
            .help("Zone in which every name has an address, made of the name itself."),
        Row::list("secondary", super::Kind::Secondary(&value::SECONDARY, |d, server| d.secondaries.push(server)))
            .otherwise("none")
            .example("2001:db8::54")
            .help("Server that is told when a zone changes, and may transfer it.")
            .rfc("RFC 1996, RFC 5936"),
        Row::option("dhcp4_leases", Text(&value::FILE_OR_OFF, |d, file| d.dhcp4_leases = file))
            .default("/tmp/dhcp.leases")
            .help("dnsmasq's file of DHCPv4 leases, whose hosts get names; off: it is not read."),
        Row::option("ttl", Number(1, 86400, |d, seconds| d.ttl = seconds))
            .default("10")
            .unit("seconds")
            .help("How long others may keep addresses of hosts."),
    ],
};

use super::Kind::{Choice, Flag, Text, Ula as UlaKind};
use super::{Table, value};
use crate::config::{Config, Ula, UplinkMode};
use crate::net::FlatMap;
use log::LevelFilter;

type Row = super::Row<Config>;

pub(in crate::config) static GLOBALS: Table<Config> = Table {
    kind: "oasis6",
    help: "What holds for the whole router.",
    example: "globals",
    named: false,
    many: false,
    blank: || Config {
        enabled: false,
        log_level: LevelFilter::Off,
        ula: Ula::Off,
        domain: String::new(),
        state_dir: String::new(),
        run_dir: String::new(),
        lease_file: String::new(),
        hash_names: Vec::new(),
        uplink_mode: UplinkMode::Best,
        lans: FlatMap::new(),
        uplinks: FlatMap::new(),
        prefixes: FlatMap::new(),
        hosts: Vec::new(),
        pinholes: Vec::new(),
        dns: None,
        keys: FlatMap::new(),
        publish: FlatMap::new(),
    },
    rows: &[
        Row::option("enabled", Flag(|c, on| c.enabled = on))
            .default("0")
            .help("Serve the LANs; until then nothing in the kernel or on the wire changes."),
        Row::option(
            "log_level",
            Choice(&[
                ("off", |c| c.log_level = LevelFilter::Off),
                ("error", |c| c.log_level = LevelFilter::Error),
                ("warn", |c| c.log_level = LevelFilter::Warn),
                ("info", |c| c.log_level = LevelFilter::Info),
                ("debug", |c| c.log_level = LevelFilter::Debug),
                ("trace", |c| c.log_level = LevelFilter::Trace),
            ]),
        )
        .default("info")
        .help("Least important messages that are logged."),
        Row::option("ula", UlaKind(&value::ULA, |c, ula| c.ula = ula))
            .default("auto")
            .help("The LANs' own prefix, which stays when the provider's changes; auto: drawn once and kept.")
            .rfc("RFC 4193, RFC 7084 ULA-1 to ULA-5"),
        Row::option(
            "uplinks",
            Choice(&[("best", |c| c.uplink_mode = UplinkMode::Best), ("all", |c| c.uplink_mode = UplinkMode::All)]),
        )
        .default("best")
        .help("LANs use prefixes of the best uplink, while the others stand by; or of all that work.")
        .rfc("RFC 8028, RFC 8475"),
        Row::option("domain", Text(&value::DOMAIN_OR_OFF, |c, domain| c.domain = domain))
            .default("lan")
            .help("Domain of the LANs' hosts, announced as search domain; off: none."),
        Row::option("state_dir", Text(&value::FOLDER, |c, folder| c.state_dir = folder))
            .default("/etc/oasis6")
            .help("Folder on flash for what must survive a reboot."),
        Row::option("run_dir", Text(&value::FOLDER, |c, folder| c.run_dir = folder))
            .default("/var/run/oasis6")
            .help("Folder in memory for leases, socket and lock."),
        Row::option("lease_file", Text(&value::FILE_OR_OFF, |c, file| c.lease_file = file))
            .default("off")
            .help("File for LuCI's list of leases, written as odhcpd writes its own; off: none."),
        Row::list("hash_name", Text(&value::DOMAIN, |c, name| c.hash_names.push(name)))
            .otherwise("none")
            .example("router.example")
            .help("Name of the router itself, out of which it has one more address on each link."),
    ],
};

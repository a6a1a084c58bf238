use super::Kind::{Address, AutoFlag, Byte, Choice, Dns, Flag, Id, IdRange, Lifetime, Number, Prefix, Text};
use super::{Table, value};
use crate::config::{DefaultRouter, Dnr, LanDhcp6, LanRa};
use crate::net::Preference;

/// A `lan` section as it is written: what follows from other options is still open.
pub(in crate::config) struct LanDraft {
    pub(in crate::config) enabled: bool,
    pub(in crate::config) device: Option<String>,
    pub(in crate::config) interface: Option<String>,
    pub(in crate::config) subnet: Option<u64>,
    pub(in crate::config) router_id: u64,
    pub(in crate::config) dns: Vec<crate::config::DnsServer>,
    pub(in crate::config) search: Vec<String>,
    pub(in crate::config) domain: Option<String>,
    pub(in crate::config) advertise: bool,
    pub(in crate::config) min_interval: Option<u32>,
    pub(in crate::config) default_lifetime: Option<u32>,
    pub(in crate::config) ra: LanRa,
    /// Its name is empty while none is given.
    pub(in crate::config) dnr: Dnr,
    pub(in crate::config) serve_dhcp6: bool,
    pub(in crate::config) dhcp6: LanDhcp6,
}

const RA: LanRa = LanRa {
    max_interval: 0,
    min_interval: 0,
    default_lifetime: 0,
    default_router: DefaultRouter::Never,
    preference: Preference::Medium,
    managed: None,
    other: None,
    slaac: false,
    pd_preferred: None,
    hop_limit: 0,
    reachable_time: 0,
    retrans_timer: 0,
    mtu: None,
    preferred_lifetime: 0,
    valid_lifetime: 0,
    dns_lifetime: None,
    routes: Vec::new(),
    route_preference: Preference::Medium,
    pref64: None,
    captive_portal: None,
    dnr: None,
};

const DHCP6: LanDhcp6 = LanDhcp6 {
    addresses: false,
    delegation: false,
    range: (0, 0),
    delegated_len: 0,
    delegated_min_len: 0,
    preferred_lifetime: 0,
    valid_lifetime: 0,
    t1: None,
    t2: None,
    rapid_commit: false,
    preference: 0,
    sol_max_rt: None,
    inf_max_rt: None,
    registration: false,
};

type Row = super::Row<LanDraft>;

pub(in crate::config) static LAN: Table<LanDraft> = Table {
    kind: "lan",
    help: "A network that is served.",
    example: "lan",
    named: true,
    many: true,
    blank: || LanDraft {
        enabled: false,
        device: None,
        interface: None,
        subnet: None,
        router_id: 0,
        dns: Vec::new(),
        search: Vec::new(),
        domain: None,
        advertise: false,
        min_interval: None,
        default_lifetime: None,
        ra: RA,
        dnr: Dnr { priority: 0, name: String::new(), addresses: Vec::new(), params: String::new() },
        serve_dhcp6: false,
        dhcp6: DHCP6,
    },
    rows: &[
        Row::option("enabled", Flag(|l, on| l.enabled = on)).default("1").help("Serve this LAN."),
        Row::option("interface", Text(&value::SECTION, |l, name| l.interface = Some(name)))
            .otherwise("device")
            .example("lan")
            .help("The OpenWrt interface that it is on."),
        Row::option("device", Text(&value::DEVICE, |l, name| l.device = Some(name)))
            .otherwise("the interface's")
            .example("br-lan")
            .help("The network device that it is on, instead of an interface."),
        Row::option("subnet", Id(&value::SUBNET, |l, id| l.subnet = Some(id)))
            .otherwise("chosen, and kept")
            .example("a")
            .help("Which /64 of each prefix it gets.")
            .rfc("RFC 4291 §2.5.4"),
        Row::option("router_id", Id(&value::ID, |l, id| l.router_id = id))
            .default("::1")
            .help("Lower half of the router's own address.")
            .rfc("RFC 4291 §2.5.1"),
        Row::list("dns", Dns(&value::DNS, |l, server| l.dns.extend(server)))
            .default("router")
            .help("DNS server announced; off: none.")
            .rfc("RFC 8106 §5.1, RFC 3646 §3"),
        Row::list("search", Text(&value::DOMAIN, |l, domain| l.search.push(domain)))
            .otherwise("the domain of oasis6")
            .example("home.arpa")
            .help("Search domain announced.")
            .rfc("RFC 8106 §5.2, RFC 3646 §4"),
        Row::option("domain", Text(&value::DOMAIN, |l, domain| l.domain = Some(domain)))
            .otherwise("the domain of oasis6")
            .example("office.lan")
            .help("Domain of this LAN's hosts, which are in the domain of oasis6 then no more."),
        // Router advertisements.
        Row::option("ra", Flag(|l, on| l.advertise = on))
            .default("1")
            .help("Send router advertisements.")
            .rfc("RFC 4861 §6.2.1 AdvSendAdvertisements"),
        Row::option("ra_max_interval", Number(4, 65535, |l, seconds| l.ra.max_interval = seconds))
            .default("600")
            .unit("seconds")
            .help("Longest time between two advertisements to all.")
            .rfc("RFC 4861 §6.2.1, RFC 8319 §4"),
        Row::option("ra_min_interval", Number(3, 49151, |l, seconds| l.min_interval = Some(seconds)))
            .otherwise("0.33 × ra_max_interval")
            .example("198")
            .unit("seconds")
            .help("Shortest such time, at most 0.75 × ra_max_interval.")
            .rfc("RFC 4861 §6.2.1"),
        Row::option("ra_default_lifetime", Number(0, 65535, |l, seconds| l.default_lifetime = Some(seconds)))
            .otherwise("3 × ra_max_interval")
            .example("1800")
            .unit("seconds")
            .help(
                "How long hosts take us for a default router without hearing from us: 0, or ra_max_interval and more.",
            )
            .rfc("RFC 4861 §6.2.1, RFC 8319 §4"),
        Row::option(
            "ra_default_router",
            Choice(&[
                ("auto", |l| l.ra.default_router = DefaultRouter::Auto),
                ("always", |l| l.ra.default_router = DefaultRouter::Always),
                ("never", |l| l.ra.default_router = DefaultRouter::Never),
            ]),
        )
        .default("auto")
        .help("When we call ourselves a default router; auto: while there is a way to the Internet.")
        .rfc("RFC 7084 G-4"),
        Row::option(
            "ra_preference",
            Choice(&[
                ("low", |l| l.ra.preference = Preference::Low),
                ("medium", |l| l.ra.preference = Preference::Medium),
                ("high", |l| l.ra.preference = Preference::High),
            ]),
        )
        .default("medium")
        .help("Preference over other default routers.")
        .rfc("RFC 4191 §2.2"),
        Row::option("ra_managed", AutoFlag(|l, on| l.ra.managed = on))
            .default("auto")
            .help("M flag, addresses by DHCPv6; auto: when DHCPv6 gives addresses here.")
            .rfc("RFC 4861 §4.2"),
        Row::option("ra_other", AutoFlag(|l, on| l.ra.other = on))
            .default("auto")
            .help("O flag, other things by DHCPv6; auto: when DHCPv6 answers here.")
            .rfc("RFC 4861 §4.2"),
        Row::option("ra_slaac", Flag(|l, on| l.ra.slaac = on))
            .default("1")
            .help("A flag on prefixes: hosts make their addresses themselves.")
            .rfc("RFC 4862 §5.5.3"),
        Row::option("ra_pd_preferred", AutoFlag(|l, on| l.ra.pd_preferred = on))
            .default("auto")
            .help("P flag, hosts should ask for a prefix of their own; auto: where there are some to delegate.")
            .rfc("RFC 9762"),
        Row::option("ra_hop_limit", Byte(0, 255, |l, hops| l.ra.hop_limit = hops))
            .default("64")
            .help("Hop limit that hosts use; 0: their own.")
            .rfc("RFC 4861 §6.2.1"),
        Row::option("ra_reachable_time", Number(0, 3_600_000, |l, millis| l.ra.reachable_time = millis))
            .default("0")
            .unit("milliseconds")
            .help("How long a neighbour counts as reachable; 0: as hosts like.")
            .rfc("RFC 4861 §6.2.1"),
        Row::option("ra_retrans_timer", Number(0, u32::MAX, |l, millis| l.ra.retrans_timer = millis))
            .default("0")
            .unit("milliseconds")
            .help("Time between two neighbour solicitations; 0: as hosts like.")
            .rfc("RFC 4861 §6.2.1"),
        Row::option("ra_mtu", Number(1280, 65535, |l, bytes| l.ra.mtu = Some(bytes)))
            .otherwise("not announced")
            .example("1500")
            .unit("bytes")
            .help("MTU announced.")
            .rfc("RFC 4861 §4.6.4"),
        Row::option("ra_preferred_lifetime", Lifetime(|l, seconds| l.ra.preferred_lifetime = seconds))
            .default("2700")
            .unit("seconds")
            .help("Longest preferred lifetime of a prefix announced.")
            .rfc("RFC 9096 §4 ND_PREFERRED_LIMIT"),
        Row::option("ra_valid_lifetime", Lifetime(|l, seconds| l.ra.valid_lifetime = seconds))
            .default("5400")
            .unit("seconds")
            .help("Longest valid lifetime of a prefix announced.")
            .rfc("RFC 9096 §4 ND_VALID_LIMIT"),
        Row::option("ra_dns_lifetime", Lifetime(|l, seconds| l.ra.dns_lifetime = Some(seconds)))
            .otherwise("3 × ra_max_interval")
            .example("1800")
            .unit("seconds")
            .help("How long hosts keep DNS servers and search domains announced.")
            .rfc("RFC 8106 §5"),
        Row::list("ra_route", Prefix(&value::ROUTE, |l, prefix| l.ra.routes.push(prefix)))
            .otherwise("none")
            .example("2001:db8:77::/48")
            .help("One more route announced.")
            .rfc("RFC 4191 §2.3"),
        Row::option(
            "ra_route_preference",
            Choice(&[
                ("low", |l| l.ra.route_preference = Preference::Low),
                ("medium", |l| l.ra.route_preference = Preference::Medium),
                ("high", |l| l.ra.route_preference = Preference::High),
            ]),
        )
        .default("medium")
        .help("Preference of the routes announced.")
        .rfc("RFC 4191 §2.3"),
        Row::option("pref64", Prefix(&value::PREF64, |l, prefix| l.ra.pref64 = Some(prefix)))
            .otherwise("not announced")
            .example("64:ff9b::/96")
            .help("NAT64 prefix announced.")
            .rfc("RFC 8781"),
        Row::option("captive_portal", Text(&value::URI, |l, uri| l.ra.captive_portal = Some(uri)))
            .otherwise("not announced")
            .example("https://portal.example/api")
            .help("Address of the captive portal's API, announced to hosts.")
            .rfc("RFC 8910"),
        Row::option("dnr_name", Text(&value::DOMAIN, |l, name| l.dnr.name = name))
            .otherwise("not announced")
            .example("dns.example")
            .help("Name of an encrypted DNS resolver, as its certificate has it.")
            .rfc("RFC 9463 §3.1"),
        Row::option("dnr_priority", Number(1, 65535, |l, priority| l.dnr.priority = priority.try_into().unwrap_or(1)))
            .default("1")
            .help("Its priority; lower is better.")
            .rfc("RFC 9463 §3.1"),
        Row::list("dnr_address", Address(&value::ADDRESS, |l, address| l.dnr.addresses.push(address)))
            .otherwise("hosts look the name up")
            .example("2001:db8::853")
            .help("An address of it.")
            .rfc("RFC 9463 §3.1"),
        Row::option("dnr_params", Text(&value::SERVICE_PARAMETERS, |l, params| l.dnr.params = params))
            .otherwise("none")
            .example("alpn=dot port=853")
            .help("Its service parameters; needed with addresses.")
            .rfc("RFC 9463 §3.1"),
        // DHCPv6.
        Row::option("dhcp6", Flag(|l, on| l.serve_dhcp6 = on)).default("1").help("Answer DHCPv6.").rfc("RFC 9915"),
        Row::option("dhcp6_addresses", Flag(|l, on| l.dhcp6.addresses = on))
            .default("1")
            .help("Give addresses.")
            .rfc("RFC 9915 §6.2"),
        Row::option("dhcp6_range", IdRange(&value::ID_RANGE, |l, range| l.dhcp6.range = range))
            .default("1000-ffff")
            .help("Lowest and highest lower half of an address given."),
        Row::option("dhcp6_delegation", Flag(|l, on| l.dhcp6.delegation = on))
            .default("1")
            .help("Delegate prefixes when there is more than the LANs' own /64.")
            .rfc("RFC 9818"),
        Row::option("dhcp6_delegated_len", Byte(48, 64, |l, bits| l.dhcp6.delegated_len = bits))
            .default("64")
            .unit("bits")
            .help("Length of a delegated prefix when the client asks for none.")
            .rfc("RFC 9818 LPD-4"),
        Row::option("dhcp6_delegated_min_len", Byte(48, 64, |l, bits| l.dhcp6.delegated_min_len = bits))
            .default("60")
            .unit("bits")
            .help("Shortest prefix that a client may have: 60 means 16 subnets.")
            .rfc("RFC 8168"),
        Row::option("dhcp6_preferred_lifetime", Lifetime(|l, seconds| l.dhcp6.preferred_lifetime = seconds))
            .default("2700")
            .unit("seconds")
            .help("Longest preferred lifetime given.")
            .rfc("RFC 9096 §4"),
        Row::option("dhcp6_valid_lifetime", Lifetime(|l, seconds| l.dhcp6.valid_lifetime = seconds))
            .default("5400")
            .unit("seconds")
            .help("Longest valid lifetime given.")
            .rfc("RFC 9096 §4"),
        Row::option("dhcp6_t1", Lifetime(|l, seconds| l.dhcp6.t1 = Some(seconds)))
            .otherwise("0.5 × the shortest preferred lifetime")
            .example("1350")
            .unit("seconds")
            .help("When clients ask us to go on.")
            .rfc("RFC 9915 §14.2"),
        Row::option("dhcp6_t2", Lifetime(|l, seconds| l.dhcp6.t2 = Some(seconds)))
            .otherwise("0.8 × the shortest preferred lifetime")
            .example("2160")
            .unit("seconds")
            .help("When clients ask any server to go on.")
            .rfc("RFC 9915 §14.2"),
        Row::option("dhcp6_rapid_commit", Flag(|l, on| l.dhcp6.rapid_commit = on))
            .default("1")
            .help("Answer in one step those who ask for it.")
            .rfc("RFC 9915 §18.3.1"),
        Row::option("dhcp6_preference", Byte(0, 255, |l, preference| l.dhcp6.preference = preference))
            .default("0")
            .help("Preference over other servers; higher is better, 255 is taken at once.")
            .rfc("RFC 9915 §21.8"),
        Row::option("dhcp6_sol_max_rt", Number(60, 86400, |l, seconds| l.dhcp6.sol_max_rt = Some(seconds)))
            .otherwise("not sent")
            .example("3600")
            .unit("seconds")
            .help("Longest time between two Solicits of a client that gets nothing.")
            .rfc("RFC 9915 §21.24"),
        Row::option("dhcp6_inf_max_rt", Number(60, 86400, |l, seconds| l.dhcp6.inf_max_rt = Some(seconds)))
            .otherwise("not sent")
            .example("3600")
            .unit("seconds")
            .help("Likewise for Information-requests.")
            .rfc("RFC 9915 §21.25"),
        Row::option("dhcp6_registration", Flag(|l, on| l.dhcp6.registration = on))
            .default("1")
            .help("Accept hosts' word on addresses that they made themselves.")
            .rfc("RFC 9686"),
    ],
};

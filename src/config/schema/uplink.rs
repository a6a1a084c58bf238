use super::Kind::{
    Address, Byte, Choice, Flag, Key, Number, OnLinkAddress, PeerKey, Port, Prefix as PrefixKind, PrefixLen, Text,
    V4Address,
};
use super::{Table, value};
use crate::config::{MAX_LANS, Share};
use crate::net::{Key32, Prefix, PublicKey};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Types of uplinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Type {
    Static,
    Native,
    Netifd,
    Wireguard,
    SixInFour,
    SixToFour,
    SixRd,
}

impl Type {
    /// As it is written.
    pub(in crate::config) fn name(self) -> &'static str {
        match self {
            Type::Static => "static",
            Type::Native => "native",
            Type::Netifd => "netifd",
            Type::Wireguard => "wireguard",
            Type::SixInFour => "6in4",
            Type::SixToFour => "6to4",
            Type::SixRd => "6rd",
        }
    }

    /// Its priority when none is given: native before what is tunnelled, a tunnel of one's own before a relayed one.
    pub(in crate::config) fn priority(self) -> u32 {
        match self {
            Type::Static | Type::Native | Type::Netifd => 10,
            Type::SixRd => 20,
            Type::Wireguard => 30,
            Type::SixInFour => 40,
            Type::SixToFour => 90,
        }
    }
}

/// An `uplink` section as it is written.
#[derive(Default)]
pub(in crate::config) struct UplinkDraft {
    pub(in crate::config) kind: Option<Type>,
    pub(in crate::config) enabled: bool,
    pub(in crate::config) priority: Option<u32>,
    pub(in crate::config) device: Option<String>,
    pub(in crate::config) interface: Option<String>,
    pub(in crate::config) lans: Vec<String>,
    pub(in crate::config) probes: Vec<Ipv6Addr>,
    pub(in crate::config) mtu: Option<u32>,
    pub(in crate::config) prefixes: Vec<Prefix>,
    pub(in crate::config) addresses: Vec<(Ipv6Addr, u8)>,
    pub(in crate::config) gateway: Option<Ipv6Addr>,
    pub(in crate::config) request_address: bool,
    pub(in crate::config) request_prefix: Option<Option<u8>>,
    pub(in crate::config) reconfigure_accept: bool,
    pub(in crate::config) share: Option<Share>,
    pub(in crate::config) private_key: Option<Key32>,
    pub(in crate::config) private_key_file: String,
    pub(in crate::config) listen_port: u16,
    pub(in crate::config) peer_key: Option<PublicKey>,
    pub(in crate::config) peer_name: Option<String>,
    pub(in crate::config) preshared_key: Option<Key32>,
    pub(in crate::config) endpoint: String,
    pub(in crate::config) allowed_ips: Vec<Prefix>,
    pub(in crate::config) keepalive: u16,
    pub(in crate::config) delegation: bool,
    pub(in crate::config) local: Option<Ipv4Addr>,
    pub(in crate::config) remote: Option<Ipv4Addr>,
    pub(in crate::config) ttl: u32,
    pub(in crate::config) update_url: String,
    pub(in crate::config) prefix_6rd: Option<Prefix>,
    pub(in crate::config) ipv4_mask_len: u8,
}

type Row = super::Row<UplinkDraft>;

const ON_A_DEVICE: &[&str] = &["static", "native"];
const BY_HAND: &[&str] = &["static", "wireguard", "6in4"];
const ASKS: &[&str] = &["native", "wireguard"];
const IN_IPV4: &[&str] = &["6in4", "6to4", "6rd"];

pub(in crate::config) static UPLINK: Table<UplinkDraft> = Table {
    kind: "uplink",
    help: "A way to the Internet. The best one that works is used, and the next one when it dies.",
    example: "wan",
    named: true,
    many: true,
    blank: UplinkDraft::default,
    rows: &[
        Row::option(
            "type",
            Choice(&[
                ("static", |u| u.kind = Some(Type::Static)),
                ("native", |u| u.kind = Some(Type::Native)),
                ("netifd", |u| u.kind = Some(Type::Netifd)),
                ("wireguard", |u| u.kind = Some(Type::Wireguard)),
                ("6in4", |u| u.kind = Some(Type::SixInFour)),
                ("6to4", |u| u.kind = Some(Type::SixToFour)),
                ("6rd", |u| u.kind = Some(Type::SixRd)),
            ]),
        )
        .example("native")
        .help("What it is; native: the provider's own IPv6. 6to4 reaches other 6to4 sites only."),
        Row::option("enabled", Flag(|u, on| u.enabled = on)).default("1").help("Use it."),
        Row::option("priority", Number(0, 999, |u, n| u.priority = Some(n)))
            .otherwise("10 native, 20 6rd, 30 wireguard, 40 6in4, 90 6to4")
            .example("10")
            .help("Which one is better: the smaller number."),
        Row::option("interface", Text(&value::SECTION, |u, name| u.interface = Some(name)))
            .of(&["static", "native", "netifd"])
            .otherwise("device")
            .example("wan6")
            .help("The OpenWrt interface that it is on."),
        Row::option("device", Text(&value::DEVICE, |u, name| u.device = Some(name)))
            .of(ON_A_DEVICE)
            .otherwise("the interface's")
            .example("eth1")
            .help("The network device that it is on, instead of an interface."),
        Row::list("lan", Text(&value::SECTION, |u, lan| u.lans.push(lan)))
            .most(MAX_LANS)
            .otherwise("all")
            .example("lan")
            .help("LANs that get its prefixes."),
        Row::list("probe", Address(&value::ADDRESS, |u, addr| u.probes.push(addr)))
            .otherwise("the next hop")
            .example("2001:db8::1")
            .help("Address that is asked by echo whether the uplink works, when nothing else shows it."),
        Row::option("mtu", Number(1280, 65535, |u, mtu| u.mtu = Some(mtu)))
            .otherwise("what the network says")
            .example("1472")
            .unit("bytes")
            .help("Largest packet that passes.")
            .rfc("RFC 8200 §5"),
        Row::list("prefix", PrefixKind(&value::GIVEN_PREFIX, |u, prefix| u.prefixes.push(prefix)))
            .of(BY_HAND)
            .otherwise("none")
            .example("2001:db8:1200::/48")
            .help("Prefix for the LANs."),
        Row::list("address", OnLinkAddress(&value::ON_LINK_ADDRESS, |u, address| u.addresses.push(address)))
            .of(BY_HAND)
            .otherwise("none")
            .example("2001:db8:1::2/64")
            .help("The router's own address on it."),
        Row::option("gateway", Address(&value::ADDRESS, |u, addr| u.gateway = Some(addr)))
            .of(&["static"])
            .otherwise("whoever is at the other end")
            .example("fe80::1")
            .help("The next hop."),
        // Native, and DHCPv6 over a tunnel.
        Row::option("request_address", Flag(|u, on| u.request_address = on))
            .of(ASKS)
            .default("1")
            .help("Ask for an address by DHCPv6 where the network says that there are some.")
            .rfc("RFC 9915 §18.2, RFC 7084 W-3"),
        Row::option("request_prefix", PrefixLen(&value::REQUEST_PREFIX, |u, wish| u.request_prefix = wish))
            .of(ASKS)
            .default("auto")
            .help("Ask for a prefix by DHCPv6, and for this length.")
            .rfc("RFC 9915 §18.2, RFC 7084 WPD-1"),
        Row::option("reconfigure_accept", Flag(|u, on| u.reconfigure_accept = on))
            .of(ASKS)
            .default("1")
            .help("Let the server ask us to come back.")
            .rfc("RFC 9915 §18.2.11"),
        Row::option(
            "share",
            Choice(&[
                ("auto", |u| u.share = Some(Share::Auto)),
                ("proxy", |u| u.share = Some(Share::Proxy)),
                ("nat", |u| u.share = Some(Share::Nat)),
                ("off", |u| u.share = Some(Share::Off)),
            ]),
        )
        .of(&["native"])
        .default("auto")
        .help("A /64 for the link alone: share it with a LAN by proxy, or by translation; auto: proxy.")
        .rfc("RFC 4389, RFC 6296"),
        // WireGuard.
        Row::option("private_key", Key(|u, key| u.private_key = Some(key)))
            .of(&["wireguard"])
            .otherwise("in private_key_file")
            .example("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=")
            .help("Our private key; better in a file."),
        Row::option("private_key_file", Text(&value::FILE, |u, file| u.private_key_file = file))
            .of(&["wireguard"])
            .otherwise("wireguard-NAME.key in state_dir")
            .example("/etc/oasis6/wireguard-wan.key")
            .help("File of our private key, made when it is missing."),
        Row::option("listen_port", Port(|u, port| u.listen_port = port))
            .of(&["wireguard"])
            .default("0")
            .help("UDP port; 0: any."),
        Row::option("peer_key", PeerKey(|u, key| u.peer_key = Some(key)))
            .of(&["wireguard"])
            .otherwise("needed")
            .example("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=")
            .help("The peer's public key."),
        Row::option("peer_name", Text(&value::LABEL, |u, name| u.peer_name = Some(name)))
            .of(&["wireguard"])
            .otherwise("none")
            .example("office")
            .help("The peer's name in DNS; its addresses are those of allowed_ips that have 128 bits."),
        Row::option("preshared_key", Key(|u, key| u.preshared_key = Some(key)))
            .of(&["wireguard"])
            .otherwise("none")
            .example("FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=")
            .help("A key that both ends share beside."),
        Row::option("endpoint", Text(&value::ENDPOINT, |u, endpoint| u.endpoint = endpoint))
            .of(&["wireguard"])
            .otherwise("the peer calls us")
            .example("vpn.example.org:51820")
            .help("Host and port of the peer; a name is looked up again when the peer falls silent."),
        Row::list("allowed_ips", PrefixKind(&value::ROUTE, |u, prefix| u.allowed_ips.push(prefix)))
            .of(&["wireguard"])
            .default("::/0")
            .help("Sources that may come from the peer."),
        Row::option("keepalive", Port(|u, seconds| u.keepalive = seconds))
            .of(&["wireguard"])
            .default("25")
            .unit("seconds")
            .help("How often a packet keeps the way open through a NAT; 0: never."),
        Row::option("delegation", Flag(|u, on| u.delegation = on))
            .of(&["wireguard"])
            .default("0")
            .help("Ask the peer for a prefix by DHCPv6.")
            .rfc("RFC 9915 §6.3"),
        // IPv6 in IPv4.
        Row::option("local", V4Address(&value::V4_ADDRESS, |u, addr| u.local = Some(addr)))
            .of(IN_IPV4)
            .otherwise("the one that leads there")
            .example("192.0.2.2")
            .help("Our IPv4 address."),
        Row::option("remote", V4Address(&value::V4_ADDRESS, |u, addr| u.remote = Some(addr)))
            .of(&["6in4", "6rd"])
            .otherwise("needed")
            .example("192.0.2.1")
            .help("IPv4 address of the broker, or of the provider's border relay.")
            .rfc("RFC 4213, RFC 5969 §7.1.1"),
        Row::option("ttl", Number(1, 255, |u, ttl| u.ttl = ttl))
            .of(&["6in4"])
            .default("64")
            .help("How many IPv4 routers the packets may pass."),
        Row::option("update_url", Text(&value::URL, |u, url| u.update_url = url))
            .of(&["6in4"])
            .otherwise("nowhere")
            .example("http://broker.example.org/update?host=1")
            .help("Fetched by uclient-fetch, curl or wget when our IPv4 address changes, so that the broker knows it."),
        Row::option("prefix_6rd", PrefixKind(&value::SIXRD_PREFIX, |u, prefix| u.prefix_6rd = Some(prefix)))
            .of(&["6rd"])
            .otherwise("needed")
            .example("2001:db8::/32")
            .help("The provider's prefix, behind which the IPv4 address stands.")
            .rfc("RFC 5969 §7.1.1"),
        Row::option("ipv4_mask_len", Byte(0, 32, |u, bits| u.ipv4_mask_len = bits))
            .of(&["6rd"])
            .default("0")
            .unit("bits")
            .help("How many leading bits all the provider's IPv4 addresses have in common.")
            .rfc("RFC 5969 §7.1.1"),
    ],
};

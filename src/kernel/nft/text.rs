//! A [`Guard`] as text for `nft`, and what `nft` says read. Pure.
//!
//! A table has a frame (its chains, and which sets there are) and elements of sets. Devices, prefixes and addresses are
//! elements, so most changes are a few lines of `add element` and `delete element`.

use crate::config::Protocol;
use crate::net::{FlatMap, FlatSet, Prefix};
use crate::plan::DEVICE_PREFIX;
use crate::plan::guard::{Guard, Hole, Mode, Translation, apart};
use std::fmt::{Display, Write};
use std::net::Ipv6Addr;

/// Our table.
pub(super) const TABLE: &str = "inet oasis6";
/// Another of ours, for [`strays`].
pub(super) const STRAYS: &str = "netdev oasis6";
/// What a kernel that can answer [`strays`] takes.
pub(super) const STRAYS_TRIAL: &str =
    "table netdev oasis6_trial {\n\tchain trial {\n\t\treject with icmpv6 type policy-fail\n\t}\n}\n";
/// OpenWrt's.
pub(super) const FIREWALL4: &str = "inet fw4";
/// The chain in firewall4's table that our file in /usr/share/nftables.d makes and jumps to.
pub(super) const PINHOLES: &str = "oasis6_pinholes";
/// What names of hosts' sets begin with.
pub(super) const HOST_SET: &str = "o6_";
/// The set of sources that may leave by one uplink or another.
const SOURCES: &str = "sources";
/// The comment of sets that we make in firewall4's table.
const MARK: &str = "oasis6";
/// Answers a second that say a source is of no live uplink (RFC 4443 §2.4 f asks for a limit).
const ANSWERS: &str = "limit rate 50/second burst 50 packets";
/// 6to4 addresses that embed an IPv4 one which is nobody's on the Internet (RFC 3964 §5.1.1, RFC 6890), and those that
/// never leave a link or a site.
const MARTIANS: &str = "::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24, 2002:6440::/26, 2002:7f00::/24, 2002:a9fe::/32, \
2002:ac10::/28, 2002:c000::/40, 2002:c0a8::/32, 2002:c612::/31, 2002:e000::/19, fc00::/7, fec0::/10";

/// A named set.
struct Set {
    name: String,
    kind: &'static str,
    elements: FlatSet<String>,
}

fn set<T: Display>(name: &str, kind: &'static str, elements: impl IntoIterator<Item = T>) -> Set {
    let elements = elements.into_iter().map(|element| element.to_string()).collect();
    Set { name: name.to_owned(), kind, elements }
}

impl Set {
    fn declaration(&self) -> String {
        let elements: Vec<&str> = self.elements.iter().map(String::as_str).collect();
        declaration(&self.name, self.kind, &elements)
    }
}

/// All sets of our table but the one that says what it holds.
fn sets(guard: &Guard) -> Vec<Set> {
    const DEVICES: &str = "type ifname";
    const PREFIXES: &str = "type ipv6_addr; flags interval";
    let paths = guard.paths.iter().filter_map(|(device, prefix)| Some(format!("{} . {prefix}", quoted(device)?)));
    let sources = guard.paths.iter().map(|(_, prefix)| *prefix).collect();
    let mut sets = vec![
        set("lans", DEVICES, devices(&guard.lans)),
        set("uplinks", DEVICES, devices(&guard.uplinks)),
        set("six_to_four", DEVICES, devices(&guard.six_to_four)),
        set("paths", "type ifname . ipv6_addr; flags interval", paths),
        set(SOURCES, PREFIXES, apart(sources, Prefix::covers)),
        set("inside", PREFIXES, &guard.inside),
    ];
    if guard.mode == Mode::Own {
        sets.extend(hole_hosts(guard).map(|(host, addresses)| set(&host_set(host), "type ipv6_addr", addresses)));
    }
    sets
}

/// Hosts that pinholes lead to.
fn hole_hosts(guard: &Guard) -> impl Iterator<Item = (&String, &FlatSet<Ipv6Addr>)> {
    guard.hosts.iter().filter(|(host, _)| guard.holes.iter().any(|hole| hole.host == **host))
}

fn host_set(host: &str) -> String {
    format!("{HOST_SET}{host}")
}

fn devices(names: &FlatSet<String>) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| quoted(name))
}

/// A device's name in quotes; `None` if `nft` could take it for something else: there is no way to write a quote in it.
fn quoted(name: &str) -> Option<String> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && !"\"*\\".contains(c));
    plain.then(|| format!("\"{name}\""))
}

/// What tells one guard from another and one version of the rules from the next, as the only element of the set `state`.
pub(super) fn fingerprint(guard: &Guard) -> Ipv6Addr {
    let firewall4 = Firewall4 { chain: true, ..Firewall4::default() };
    hash(&format!("{}{}", body(guard), rules_of_firewall4(guard, &firewall4)))
}

fn hash(text: &str) -> Ipv6Addr {
    // FNV-1a of 128 bits; what it keeps apart was made by ourselves
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(START, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    // an address that nft prints in one way only: none of those with dots in it
    Ipv6Addr::from(hash | 0xfc << 120)
}

/// The script that makes our table anew, whatever was there, in one step.
pub(super) fn whole(guard: &Guard) -> String {
    format!("table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n{}{}}}\n", state(fingerprint(guard)), body(guard))
}

/// The script that makes the table that answers hosts with a source that leads back nowhere, a typing error perhaps. There
/// is no route for an answer of the router's, so it has to be turned round where the packet comes in: it seems to come from
/// where the packet was to go. `exists` tells which devices are there, since such a chain can't wait for one.
///
/// What bridges carry from port to port is none of our business, so both tables look only at what is for us (where
/// br_netfilter is loaded, the chain prerouting sees all, and before this table does).
///
/// Not every kernel can do it (NFT_REJECT_NETDEV), so it is a table of its own that may be missing. Gives what the table's
/// `state` says, and the script.
pub(super) fn strays(guard: &Guard, exists: impl Fn(&str) -> bool) -> (Ipv6Addr, String) {
    let mut body = String::new();
    for set in sets(guard).iter().filter(|set| set.name == SOURCES) {
        body += &set.declaration();
    }
    body += &format!(
        "\tchain strays {{
		ip6 saddr {{ ::, fe80::/10 }} return
		ip6 saddr @{SOURCES} return
		ip6 daddr {{ fe80::/10, ff00::/8 }} return
		fib saddr oif exists return
		fib daddr type local return
		{ANSWERS} counter reject with icmpv6 type policy-fail
	}}
"
    );
    let there = guard.lans.iter().filter(|device| exists(device)).filter_map(|device| quoted(device));
    for (number, device) in there.enumerate() {
        body += &format!(
            "\tchain lan_{number} {{
		type filter hook ingress device {device} priority 0; policy accept;
		meta protocol ip6 meta pkttype host jump strays
	}}
"
        );
    }
    let holds = hash(&body);
    (holds, format!("table {STRAYS}\ndelete table {STRAYS}\ntable {STRAYS} {{\n{}{body}}}\n", state(holds)))
}

/// The script that makes `before` into `after` by elements of sets alone; `None` if that can't be done.
pub(super) fn update(before: &Guard, after: &Guard) -> Option<String> {
    let (old, new) = (sets(before), sets(after));
    let same_sets = old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| old.name == new.name);
    if !same_sets || chains(before) != chains(after) {
        return None;
    }
    let mut script = String::new();
    for (old, new) in old.iter().zip(&new) {
        change(&mut script, "delete", &new.name, old.elements.difference(&new.elements));
        change(&mut script, "add", &new.name, new.elements.difference(&old.elements));
    }
    let state = |guard: &Guard| fingerprint(guard).to_string();
    change(&mut script, "delete", "state", [&state(before)].into_iter());
    change(&mut script, "add", "state", [&state(after)].into_iter());
    Some(script)
}

/// The script that takes out all that is ours: the table, and in firewall4's what is there of ours.
pub(super) fn removal(found: &Found) -> String {
    let mut script = String::new();
    if found.table {
        script += &format!("delete table {TABLE}\n");
    }
    if found.strays.is_some() {
        script += &format!("delete table {STRAYS}\n");
    }
    let Some(firewall4) = &found.firewall4 else { return script };
    if firewall4.chain {
        script += &format!("flush chain {FIREWALL4} {PINHOLES}\n");
    }
    for (host, ours) in &firewall4.hosts {
        let what = if *ours { "delete" } else { "flush" };
        script += &format!("{what} set {FIREWALL4} {}\n", host_set(host));
    }
    script
}

/// The script that brings firewall4's table in line.
pub(super) fn firewall4(guard: &Guard, there: &Firewall4) -> String {
    let mut script = String::new();
    if there.chain {
        script += &format!("flush chain {FIREWALL4} {PINHOLES}\n");
    }
    let wanted = |host: &str| guard.hosts.contains_key(host);
    for (host, _) in there.hosts.iter().filter(|(host, ours)| **ours && !wanted(host)) {
        script += &format!("delete set {FIREWALL4} {}\n", host_set(host));
    }
    script += &rules_of_firewall4(guard, there);
    if there.chain {
        // the last rule of all says what the chain holds
        script += &format!("add rule {FIREWALL4} {PINHOLES} return comment \"{MARK} {}\"\n", fingerprint(guard));
    }
    script
}

fn rules_of_firewall4(guard: &Guard, there: &Firewall4) -> String {
    let mut script = String::new();
    if guard.mode != Mode::Firewall4 {
        return script;
    }
    for (host, addresses) in &guard.hosts {
        let name = host_set(host);
        let wanted = guard.holes.iter().any(|hole| hole.host == *host);
        match (there.hosts.contains_key(host), wanted) {
            (true, _) => script += &format!("flush set {FIREWALL4} {name}\n"),
            (false, true) => {
                script += &format!("add set {FIREWALL4} {name} {{ type ipv6_addr; comment \"{MARK}\"; }}\n");
            }
            // the owner's set is gone, and nobody else asks
            (false, false) => continue,
        }
        let addresses: Vec<String> = addresses.iter().map(Ipv6Addr::to_string).collect();
        if !addresses.is_empty() {
            script += &format!("add element {FIREWALL4} {name} {{ {} }}\n", addresses.join(", "));
        }
    }
    if there.chain {
        for rule in forwarded_by_firewall4(guard) {
            script += &format!("add rule {FIREWALL4} {PINHOLES} {rule}\n");
        }
    }
    script
}

/// What firewall4 forwards before its zones decide: pinholes, and all there is to say of devices that we make, which are
/// in no zone.
fn forwarded_by_firewall4(guard: &Guard) -> Vec<String> {
    let list = |devices: Vec<String>| devices.join(", ");
    let (uplinks, lans) = (list(devices(&guard.uplinks).collect()), list(devices(&guard.lans).collect()));
    let made = guard.uplinks.iter().filter(|device| device.starts_with(DEVICE_PREFIX));
    let made = list(made.filter_map(|device| quoted(device)).collect());
    let mut rules = Vec::new();
    if uplinks.is_empty() || lans.is_empty() || (made.is_empty() && guard.holes.is_empty()) {
        return rules;
    }
    rules.push("meta nfproto != ipv6 return".to_owned());
    if !made.is_empty() {
        rules.push(format!("iifname {{ {lans} }} oifname {{ {made} }} accept"));
    }
    rules.push(format!("iifname != {{ {uplinks} }} return"));
    rules.extend(guard.holes.iter().map(|hole| format!("oifname {{ {lans} }} {}", rule(hole))));
    if !made.is_empty() {
        rules.push(format!("iifname {{ {made} }} ct state established,related accept"));
        rules.push(format!("iifname {{ {made} }} counter drop comment \"nobody asked for it\""));
    }
    rules
}

/// Whether something depends on our chain in firewall4's table.
pub(super) fn needs_firewall4(guard: &Guard) -> bool {
    guard.mode == Mode::Firewall4 && !forwarded_by_firewall4(guard).is_empty()
}

/// What is in our table beside its state.
fn body(guard: &Guard) -> String {
    let mut body = String::new();
    for set in sets(guard) {
        body += &set.declaration();
    }
    body + &chains(guard)
}

fn state(fingerprint: Ipv6Addr) -> String {
    declaration("state", "type ipv6_addr", &[&fingerprint.to_string()])
}

fn declaration(name: &str, kind: &str, elements: &[&str]) -> String {
    let kind = kind.replace("; ", "\n\t\t");
    let elements =
        if elements.is_empty() { String::new() } else { format!("\t\telements = {{ {} }}\n", elements.join(", ")) };
    format!("\tset {name} {{\n\t\t{kind}\n{elements}\t}}\n")
}

fn change<'a>(script: &mut String, verb: &str, set: &str, elements: impl Iterator<Item = &'a String>) {
    let elements: Vec<&str> = elements.map(String::as_str).collect();
    if !elements.is_empty() {
        // a String takes everything
        let _ = writeln!(script, "{verb} element {TABLE} {set} {{ {} }}", elements.join(", "));
    }
}

fn chains(guard: &Guard) -> String {
    let untranslated = untranslated(guard);
    let mut chains = format!(
        "\tchain from_lan {{
		ip6 saddr {{ ::, fe80::/10 }} return
		ip6 saddr @sources ct state established,related return
		fib saddr oif missing return
		fib saddr . iif oif missing counter drop comment \"forged source\"
		ip6 saddr @sources return
		fib daddr type {{ local, anycast, multicast }} return
		fib daddr oif missing {ANSWERS} counter reject with icmpv6 type policy-fail comment \"source of no live uplink\"
	}}
	chain prerouting {{
		type filter hook prerouting priority mangle; policy accept;
		meta nfproto != ipv6 return
		iifname @lans meta pkttype host jump from_lan
		iifname @uplinks ip6 saddr @inside counter drop comment \"our own source from outside\"
		iifname @six_to_four ip6 saddr {{ {MARTIANS} }} counter drop
	}}
	chain postrouting {{
		type filter hook postrouting priority srcnat + 10; policy accept;
		oifname @six_to_four ip6 daddr {{ {MARTIANS} }} counter drop
{untranslated}		oifname @uplinks ip6 saddr fc00::/7 oifname . ip6 saddr != @paths fib saddr . oif type != local counter drop comment \"unique local source\"
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		meta nfproto != ipv6 return
		iifname @uplinks oifname @uplinks counter drop comment \"we are no transit\"
		iifname @lans oifname @uplinks oifname . ip6 saddr != @paths jump wrong_way
"
    );
    if guard.mode == Mode::Own {
        chains += "\t\tiifname @uplinks oifname @lans jump uninvited\n";
    }
    chains += &format!(
        "\t}}
	chain wrong_way {{
		{ANSWERS} counter reject with icmpv6 type policy-fail comment \"source of another uplink\"
		counter drop
	}}
"
    );
    if guard.mode == Mode::Own {
        chains += "\tchain uninvited {
		ct state established,related accept
";
        for hole in &guard.holes {
            chains += &format!("\t\t{}\n", rule(hole));
        }
        chains += "\t\tcounter drop comment \"nobody asked for it\"\n\t}\n";
    }
    if !guard.translations.is_empty() {
        chains += &translations(guard);
    }
    chains
}

/// Address translation, there and back.
fn translations(guard: &Guard) -> String {
    let (mut out, mut back) = (String::new(), String::new());
    for translation in &guard.translations {
        let Some(device) = quoted(&translation.device) else { continue };
        let inside = translation.inside;
        match translation.outside {
            None => out += &format!("\t\toifname {device} ip6 saddr {inside} masquerade\n"),
            Some(outside) => {
                out += &format!("\t\toifname {device} snat ip6 prefix to ip6 saddr map {{ {inside} : {outside} }}\n");
                back += &format!("\t\tiifname {device} dnat ip6 prefix to ip6 daddr map {{ {outside} : {inside} }}\n");
            }
        }
    }
    format!(
        "\tchain translate_out {{\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n{out}\t}}\n\
         \tchain translate_back {{\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n{back}\t}}\n"
    )
}

/// What drops that of which translation has kept its hands off: packets of flows that conntrack knows nothing of, and the
/// router's own with an address that the kernel chose for want of a better one.
fn untranslated(guard: &Guard) -> String {
    let rule = |translation: &Translation| {
        let (device, inside) = (quoted(&translation.device)?, translation.inside);
        Some(format!("\t\toifname {device} ip6 saddr {inside} counter drop comment \"not translated\"\n"))
    };
    guard.translations.iter().filter_map(rule).collect()
}

/// What lets a hole's packets in.
fn rule(hole: &Hole) -> String {
    let mut rule = String::new();
    let transports: Vec<&str> = hole
        .protocols
        .iter()
        .filter_map(|protocol| match protocol {
            Protocol::Tcp => Some("tcp"),
            Protocol::Udp => Some("udp"),
            Protocol::All => None,
        })
        .collect();
    if !transports.is_empty() {
        rule += &format!("meta l4proto {{ {} }} ", transports.join(", "));
        let range = |(low, high): &(u16, u16)| if low == high { low.to_string() } else { format!("{low}-{high}") };
        let ports: Vec<String> = hole.ports.iter().map(range).collect();
        if !ports.is_empty() {
            rule += &format!("th dport {{ {} }} ", ports.join(", "));
        }
    }
    let from: Vec<String> = hole.from.iter().map(Prefix::to_string).collect();
    if !from.is_empty() {
        rule += &format!("ip6 saddr {{ {} }} ", from.join(", "));
    }
    rule + &format!("ip6 daddr @{} accept", host_set(&hole.host))
}

/// What was found in the kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Whether our table is there.
    pub(super) table: bool,
    /// What it holds, and firewall4's with it; `None`: nobody knows.
    pub(super) fingerprint: Option<Ipv6Addr>,
    /// What the table for strays holds, if it is there; `::`: nobody knows.
    pub(super) strays: Option<Ipv6Addr>,
    /// Firewall4's table.
    pub(super) firewall4: Option<Firewall4>,
}

/// Firewall4's table as far as we care.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Firewall4 {
    /// Whether our chain is in it.
    pub(super) chain: bool,
    /// Hosts that have a set, and whether we made it.
    pub(super) hosts: FlatMap<String, bool>,
}

/// Whether `nft list tables` names this table.
pub(super) fn has_table(tables: &str, name: &str) -> bool {
    tables.lines().any(|line| line.trim().strip_prefix("table ") == Some(name))
}

/// Reads `nft -t list table inet fw4`.
pub(super) fn read_firewall4(listing: &str) -> Firewall4 {
    let mut found = Firewall4::default();
    let mut set = None;
    for line in listing.lines().map(str::trim) {
        let named = |kind: &str| line.strip_prefix(kind)?.strip_suffix(" {").map(str::to_owned);
        if let Some(name) = named("set ") {
            set = name.strip_prefix(HOST_SET).map(str::to_owned);
            if let Some(host) = &set {
                found.hosts.insert(host.clone(), false);
            }
        } else if let Some(name) = named("chain ") {
            set = None;
            found.chain |= name == PINHOLES;
        } else if let Some(host) = &set
            && line.strip_prefix("comment ").is_some_and(|comment| comment.trim_matches('"') == MARK)
        {
            found.hosts.insert(host.clone(), true);
        }
    }
    found
}

/// What a listing of our table says that it holds.
pub(super) fn read_state(listing: &str) -> Option<Ipv6Addr> {
    let (_, state) = listing.split_once("set state {")?;
    let (_, elements) = state.split_once("elements = {")?;
    elements.split_once('}')?.0.trim().parse().ok()
}

/// What a listing of our chain in firewall4's table says that it holds.
pub(super) fn read_mark(listing: &str) -> Option<Ipv6Addr> {
    let (_, mark) = listing.split_once(&format!("comment \"{MARK} "))?;
    mark.split_once('"')?.0.parse().ok()
}

//! What is refused and why: for each mistake the line, the option, the message and the remedy.

use super::*;
use crate::config::{DefaultRouter, Device, DnsServer, HostDuid, Preference, Ula};
use proptest::prelude::*;

const GOOD: &str = "\
config oasis6 'globals'
	option enabled '1'
	option log_level 'debug'
	option ula 'fd12:3456:789a::/48'
	option domain 'home.arpa.'
	option state_dir '/overlay/o6/'

config lan 'home'
	option device 'br-lan'
	option subnet 'a0'
	option router_id '::dead:beef'
	list dns 'router'
	list dns '2001:db8::53'
	option search 'a.example b.example'
	option ra_max_interval '1000'
	option ra_preference 'high'
	option ra_default_router 'always'
	option ra_managed '1'
	option ra_other 'no'
	option ra_preferred_lifetime 'infinite'
	option ra_valid_lifetime 'infinite'
	list ra_route '2001:db8:77::/48'
	option dhcp6_range '100-1ff'
	option dhcp6_delegated_min_len '56'

config lan 'guest'
	option interface 'guest'
	option ra '0'
	option dhcp6 'off'
	option dns 'off'

config prefix 'isp'
	option prefix '2001:db8:1200::/48'
	option valid_lifetime '86400'
	option preferred_lifetime '3600'
	list lan 'home'
	option delegate '0'

config host
	option name 'nas'
	list duid '0003000102005e005301%1f'
	list mac '02-00-5E-00-53-01'
	option host_id '42'
	list address '2001:db8:1200:a0::42'
	option prefix '2001:db8:1200:f000::/56'
";

fn valid(text: &str) -> Config {
    let Reading { config, problems } = read(text.as_bytes());
    assert_eq!(problems, [], "{text}");
    config.unwrap()
}

#[test]
fn a_whole_configuration_is_read() {
    let config = valid(GOOD);
    assert!(config.enabled);
    assert_eq!(config.log_level, log::LevelFilter::Debug);
    assert_eq!(config.ula, Ula::Fixed("fd12:3456:789a::/48".parse().unwrap()));
    assert_eq!((config.domain.as_str(), config.state_dir.as_str()), ("home.arpa", "/overlay/o6"));
    assert_eq!(config.run_dir, "/var/run/oasis6");

    let home = &config.lans["home"];
    assert_eq!(home.device, Device::Name("br-lan".into()));
    assert_eq!((home.subnet, home.router_id), (Some(0xa0), 0xdead_beef));
    assert_eq!(home.dns, [DnsServer::Router, DnsServer::At("2001:db8::53".parse().unwrap())]);
    assert_eq!(home.search, ["a.example", "b.example"]);
    let ra = home.ra.as_ref().unwrap();
    assert_eq!((ra.max_interval, ra.min_interval, ra.default_lifetime), (1000, 330, 3000));
    assert_eq!((ra.preference, ra.default_router), (Preference::High, DefaultRouter::Always));
    assert_eq!((ra.managed, ra.other, ra.pd_preferred), (Some(true), Some(false), None));
    assert_eq!((ra.preferred_lifetime, ra.valid_lifetime), (u32::MAX, u32::MAX));
    assert_eq!(ra.routes, ["2001:db8:77::/48".parse().unwrap()]);
    let dhcp6 = home.dhcp6.as_ref().unwrap();
    assert_eq!((dhcp6.range, dhcp6.delegated_len, dhcp6.delegated_min_len), ((0x100, 0x1ff), 64, 56));

    let guest = &config.lans["guest"];
    assert_eq!(guest.device, Device::Interface("guest".into()));
    assert_eq!((&guest.ra, &guest.dhcp6, guest.dns.len()), (&None, &None, 0));

    let isp = &config.prefixes["isp"];
    assert_eq!((isp.preferred_lifetime, isp.valid_lifetime), (3600, 86400));
    assert_eq!((isp.lans.as_deref(), isp.assign, isp.delegate), (Some(&["home".to_owned()][..]), true, false));

    let host = &config.hosts[0];
    assert_eq!((host.section.as_str(), host.name.as_str()), ("@host[0]", "nas"));
    let duid = HostDuid { duid: "0003000102005e005301".parse().unwrap(), iaid: Some(0x1f) };
    assert_eq!((&host.duids[..], host.host_id), (&[duid][..], Some(0x42)));
    assert_eq!(host.macs[0].to_string(), "02:00:5e:00:53:01");
    assert_eq!(host.prefix, Some("2001:db8:1200:f000::/56".parse().unwrap()));
}

// MUST RFC 4861 §6.2.1: MaxRtrAdvInterval is 600 s by default, MinRtrAdvInterval 0.33 of it, AdvDefaultLifetime three times it
#[test]
fn a_lan_has_the_defaults_of_the_rfcs() {
    let config = valid("config oasis6\nconfig lan l\noption device eth0\n");
    let lan = &config.lans["l"];
    assert!(lan.enabled);
    assert_eq!((lan.subnet, lan.router_id, &lan.dns[..]), (None, 1, &[DnsServer::Router][..]));
    let ra = lan.ra.as_ref().unwrap();
    assert_eq!((ra.max_interval, ra.min_interval, ra.default_lifetime), (600, 198, 1800));
    assert_eq!((ra.preferred_lifetime, ra.valid_lifetime, ra.dns_lifetime), (2700, 5400, None));
    assert_eq!((ra.hop_limit, ra.reachable_time, ra.retrans_timer, ra.mtu), (64, 0, 0, None));
    assert!(ra.slaac && ra.routes.is_empty() && ra.pref64.is_none() && ra.dnr.is_none());
    let dhcp6 = lan.dhcp6.as_ref().unwrap();
    assert_eq!((dhcp6.range, dhcp6.delegated_len, dhcp6.delegated_min_len), ((0x1000, 0xffff), 64, 60));
    assert_eq!((dhcp6.preferred_lifetime, dhcp6.valid_lifetime, dhcp6.t1, dhcp6.t2), (2700, 5400, None, None));
    assert!(dhcp6.addresses && dhcp6.delegation && dhcp6.rapid_commit && dhcp6.registration);
}

// MUST RFC 4861 §6.2.1: MinRtrAdvInterval is no less than 3 s and no greater than 0.75 × MaxRtrAdvInterval
// MUST RFC 8319 §4: AdvDefaultLifetime is zero or from MaxRtrAdvInterval to 65535 s
#[test]
fn intervals_that_follow_from_others_are_always_within_bounds() {
    for max in (4..2000).chain([9000, 21845, 21846, 65534, 65535]) {
        let config = valid(&format!(
            "config oasis6\nconfig lan l\noption device eth0\noption ra_max_interval {max}\n\
             option ra_valid_lifetime 65535\n"
        ));
        let ra = config.lans["l"].ra.clone().unwrap();
        assert!(ra.min_interval >= 3 && ra.min_interval * 4 <= max * 3, "{max}: {}", ra.min_interval);
        assert!(ra.default_lifetime >= max && ra.default_lifetime <= 65535, "{max}: {}", ra.default_lifetime);
    }
}

#[test]
fn an_empty_file_is_a_valid_configuration_that_does_nothing() {
    let Reading { config, problems } = read(b"");
    assert_eq!(config, Some(Config::default()));
    assert!(!Config::default().enabled);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "warning: there is no section oasis6, so nothing is served; add config oasis6 'globals'"
    );
}

/// Reads a configuration that has exactly one problem.
fn problem(text: &str) -> Problem {
    let Reading { config, problems } = read(text.as_bytes());
    let [problem] = problems.as_slice() else { panic!("{text}\n{problems:#?}") };
    assert_eq!(config.is_none(), problem.severity == Severity::Error, "{text}");
    assert!(!problem.remedy.is_empty(), "{text}\n{problem}");
    problem.clone()
}

/// Each row: options that come, one a line, into a section on line 3; what is said about them.
fn says(section: &str, rows: &[(&str, &str)]) {
    for (options, expected) in rows {
        let text = format!("config oasis6\n\n{section}\n{options}\n");
        let told = problem(&text).to_string();
        assert!(told.starts_with(expected), "{options}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn wrong_values_of_a_lan_are_refused_with_line_and_remedy() {
    let rows = [
        ("option ra maybe", "line 4: error: lan 'l', option 'ra': 'maybe' is neither yes nor no; write 0 or 1, as '1'"),
        (
            "option ra_managed 2",
            "line 4: error: lan 'l', option 'ra_managed': '2' is neither yes nor no; write auto, 0 or 1",
        ),
        (
            "option ra_preference hihg",
            "line 4: error: lan 'l', option 'ra_preference': 'hihg' is not known here; did you mean 'high'?",
        ),
        (
            "option ra_preference 7",
            "line 4: error: lan 'l', option 'ra_preference': '7' is not known here; write low, medium or high",
        ),
        (
            "option ra_max_interval 3",
            "line 4: error: lan 'l', option 'ra_max_interval': '3' is not from 4 to 65535; write 4 to 65535 seconds",
        ),
        ("option ra_max_interval 65536", "line 4: error: lan 'l', option 'ra_max_interval': '65536' is not from 4"),
        ("option ra_max_interval 99999999999999999999999", "line 4: error: lan 'l', option 'ra_max_interval': '9999"),
        ("option ra_max_interval -1", "line 4: error: lan 'l', option 'ra_max_interval': '-1' is not a whole number"),
        ("option ra_max_interval 10m", "line 4: error: lan 'l', option 'ra_max_interval': '10m' is not a whole number"),
        (
            "option ra_max_interval +600",
            "line 4: error: lan 'l', option 'ra_max_interval': '+600' is not a whole number",
        ),
        ("option ra_hop_limit 256", "line 4: error: lan 'l', option 'ra_hop_limit': '256' is not from 0 to 255"),
        ("option ra_reachable_time 3600001", "line 4: error: lan 'l', option 'ra_reachable_time'"),
        ("option ra_mtu 1279", "line 4: error: lan 'l', option 'ra_mtu': '1279' is not from 1280"),
        (
            "option ra_valid_lifetime 0",
            "line 4: error: lan 'l', option 'ra_valid_lifetime': '0' is not from 1 to 4294967294; write 1 to 4294967294 or infinite seconds",
        ),
        ("option subnet 0x1g", "line 4: error: lan 'l', option 'subnet': '0x1g' is not a hexadecimal number"),
        (
            "option subnet 11111111111111111",
            "line 4: error: lan 'l', option 'subnet': '11111111111111111' has more than 64 bits",
        ),
        ("option router_id 0", "line 4: error: lan 'l', option 'router_id': '0' is the address of every router"),
        (
            "option router_id fe80::1",
            "line 4: error: lan 'l', option 'router_id': 'fe80::1' has bits set in its upper half",
        ),
        (
            "option router_id fdff:ffff:ffff:ff80",
            "line 4: error: lan 'l', option 'router_id': 'fdff:ffff:ffff:ff80' is not a hexa",
        ),
        (
            "option router_id ::fdff:ffff:ffff:ff80",
            "line 4: error: lan 'l', option 'router_id': '::fdff:ffff:ffff:ff80' is an anycast",
        ),
        (
            "list dns 1.1.1.1",
            "line 4: error: lan 'l', option 'dns': '1.1.1.1' is not an IPv6 address; write an IPv6 address, router",
        ),
        ("list dns ::1", "line 4: error: lan 'l', option 'dns': '::1' is no address of a host"),
        ("list dns ff02::1", "line 4: error: lan 'l', option 'dns': 'ff02::1' is a multicast address"),
        (
            "list dns ::ffff:1.2.3.4",
            "line 4: error: lan 'l', option 'dns': '::ffff:1.2.3.4' is an IPv4 address in disguise",
        ),
        ("list dns router\nlist dns x", "line 5: error: lan 'l', option 'dns': 'x' is not an IPv6 address"),
        ("list dns ''", "line 4: error: lan 'l', option 'dns': an item is empty; remove it"),
        ("list search a..b", "line 4: error: lan 'l', option 'search': 'a..b' has an empty part"),
        ("list search a_b", "line 4: error: lan 'l', option 'search': 'a_b' has something else than letters"),
        ("list search -a", "line 4: error: lan 'l', option 'search': '-a' has a part that begins or ends with -"),
        (
            "list search bücher.example",
            "line 4: error: lan 'l', option 'search': 'bücher.example' is not ASCII; write its xn--",
        ),
        (
            "list ra_route 2001:db8::1/48",
            "line 4: error: lan 'l', option 'ra_route': '2001:db8::1/48' has bits set behind its length; the prefix is 2001:db8::/48",
        ),
        (
            "list ra_route 2001:db8::",
            "line 4: error: lan 'l', option 'ra_route': '2001:db8::' has no '/length'; write it as",
        ),
        (
            "option pref64 64:ff9b::/80",
            "line 4: error: lan 'l', option 'pref64': '64:ff9b::/80' has a length that RFC 8781",
        ),
        (
            "option pref64 2001:db8:1:2:ff00::/96",
            "line 4: error: lan 'l', option 'pref64': '2001:db8:1:2:ff00::/96' has bits set in its ninth byte",
        ),
        (
            "option captive_portal portal",
            "line 4: error: lan 'l', option 'captive_portal': 'portal' is not a URI; write a URI that begins with https://",
        ),
        ("option captive_portal https://", "line 4: error: lan 'l', option 'captive_portal': 'https://' is not a URI"),
        (
            "option captive_portal 'https://a b'",
            "line 4: error: lan 'l', option 'captive_portal': 'https://a b' has letters that a URI can't have",
        ),
        (
            "option dhcp6_range 1000",
            "line 4: error: lan 'l', option 'dhcp6_range': '1000' has no '-'; write the lowest",
        ),
        (
            "option dhcp6_range 2000-1000",
            "line 4: error: lan 'l', option 'dhcp6_range': '2000-1000' ends before it begins",
        ),
        (
            "option dhcp6_range 0-1000",
            "line 4: error: lan 'l', option 'dhcp6_range': '0' is the address of every router",
        ),
        (
            "option dhcp6_range 2-ffffffffffffffff",
            "line 4: error: lan 'l', option 'dhcp6_range': '2-ffffffffffffffff' goes over the anycast",
        ),
        (
            "option dhcp6_delegated_len 47",
            "line 4: error: lan 'l', option 'dhcp6_delegated_len': '47' is not from 48 to 64",
        ),
        (
            "option dhcp6_sol_max_rt 59",
            "line 4: error: lan 'l', option 'dhcp6_sol_max_rt': '59' is not from 60 to 86400",
        ),
        (
            "option dhcp6_preference 256",
            "line 4: error: lan 'l', option 'dhcp6_preference': '256' is not from 0 to 255",
        ),
        (
            "list subnet 1\nlist subnet 2",
            "line 5: error: lan 'l', option 'subnet': it has more than one value; write option subnet once",
        ),
        (
            "option ra_maxinterval 5",
            "line 4: warning: lan 'l', option 'ra_maxinterval': there is no such option; did you mean 'ra_max_interval'?",
        ),
        (
            "option colour red",
            "line 4: warning: lan 'l', option 'colour': there is no such option; it is ignored; 'oasis6 schema' shows",
        ),
    ];
    // The option under test stands on the section's first line; so does what a LAN needs, behind it.
    let rows: Vec<_> = rows.map(|(options, said)| (format!("{options}\noption device eth0"), said)).into();
    let rows: Vec<_> = rows.iter().map(|(options, said)| (options.as_str(), *said)).collect();
    says("config lan 'l'", &rows);
}

#[test]
fn options_of_a_lan_that_contradict_each_other_are_refused() {
    let rows = [
        (
            "option ra_min_interval 451",
            "line 4: error: lan 'l', option 'ra_min_interval': 451 is more than 0.75 × ra_max_interval (600); write at most 450",
        ),
        (
            "option ra_max_interval 100\noption ra_min_interval 76",
            "line 5: error: lan 'l', option 'ra_min_interval': 76 is more",
        ),
        (
            "option ra_default_lifetime 599",
            "line 4: error: lan 'l', option 'ra_default_lifetime': 599 is less than ra_max_interval (600); write 0, or at least 600",
        ),
        (
            "option ra_preferred_lifetime 5401",
            "line 4: error: lan 'l', option 'ra_preferred_lifetime': ra_preferred_lifetime is longer than ra_valid_lifetime",
        ),
        (
            "option ra_valid_lifetime 2699",
            "line 4: error: lan 'l', option 'ra_valid_lifetime': ra_preferred_lifetime is longer",
        ),
        (
            "option ra_max_interval 5401",
            "line 4: warning: lan 'l', option 'ra_max_interval': ra_valid_lifetime is shorter than ra_max_interval",
        ),
        (
            "option ra_dns_lifetime 599",
            "line 4: warning: lan 'l', option 'ra_dns_lifetime': ra_dns_lifetime is shorter",
        ),
        (
            "option captive_portal http://a.example/",
            "line 4: warning: lan 'l', option 'captive_portal': hosts ask a captive portal by https only",
        ),
        (
            "option ra_slaac 0\noption dhcp6_addresses 0",
            "line 4: warning: lan 'l', option 'ra_slaac': hosts get no address",
        ),
        ("list dnr_address 2001:db8::853", "line 4: error: lan 'l', option 'dnr_address': the resolver has no name"),
        (
            "option dnr_name a.example\nlist dnr_address 2001:db8::853",
            "line 5: error: lan 'l', option 'dnr_address': nothing tells what the resolver speaks",
        ),
        (
            "option dnr_name a.example\noption dnr_params alpn=dot",
            "line 5: error: lan 'l', option 'dnr_params': a resolver without addresses has no parameters",
        ),
        (
            "option router_id 1000",
            "line 4: error: lan 'l', option 'router_id': the router's own address, ::1000, lies in dhcp6_range (1000-ffff)",
        ),
        (
            "option dhcp6_range 1-fff",
            "line 4: error: lan 'l', option 'dhcp6_range': the router's own address, ::1, lies in",
        ),
        (
            "option dhcp6_delegated_len 59",
            "line 4: error: lan 'l', option 'dhcp6_delegated_len': dhcp6_delegated_len (59) is shorter than the shortest allowed (60)",
        ),
        (
            "option dhcp6_preferred_lifetime 5401",
            "line 4: error: lan 'l', option 'dhcp6_preferred_lifetime': dhcp6_preferred_lifetime is longer",
        ),
        (
            "option dhcp6_t1 2000\noption dhcp6_t2 1000",
            "line 4: error: lan 'l', option 'dhcp6_t1': dhcp6_t1 is later than dhcp6_t2",
        ),
        (
            "option dhcp6_t2 2701",
            "line 4: warning: lan 'l', option 'dhcp6_t2': it is later than dhcp6_preferred_lifetime",
        ),
        (
            "option subnet 10000",
            "line 4: error: lan 'l', option 'subnet': subnet 10000 lies outside every prefix of this LAN; the ULA prefix has subnets 0 to ffff",
        ),
        ("option interface lan", "line 5: error: lan 'l', option 'device': it has both a device and an interface"),
    ];
    let rows: Vec<_> = rows.map(|(options, said)| (format!("{options}\noption device eth0"), said)).into();
    let rows: Vec<_> = rows.iter().map(|(options, said)| (options.as_str(), *said)).collect();
    says("config lan 'l'", &rows);
}

#[test]
fn wrong_device_names_are_refused() {
    says(
        "config lan l",
        &[
            (
                "",
                "line 3: error: lan 'l', option 'interface': nothing tells which network it is; write option interface 'lan'",
            ),
            (
                "option device sixteen_letters0",
                "line 4: error: lan 'l', option 'device': 'sixteen_letters0' is longer than 15",
            ),
            (
                "option device eth0/1",
                "line 4: error: lan 'l', option 'device': 'eth0/1' has a letter that no device's name has",
            ),
            ("option device ..", "line 4: error: lan 'l', option 'device': '..' is no device's name"),
            (
                "option interface br-lan",
                "line 4: error: lan 'l', option 'interface': 'br-lan' is no name of letters, digits and _",
            ),
        ],
    );
}

#[test]
fn wrong_prefixes_are_refused() {
    says(
        "config prefix p",
        &[
            ("", "line 3: error: prefix 'p', option 'prefix': the prefix is missing"),
            (
                "option prefix 2001:db8::/65",
                "line 4: error: prefix 'p', option 'prefix': '2001:db8::/65' is longer than /64; write a prefix of 16 to 64 bits",
            ),
            ("option prefix 2000::/3", "line 4: error: prefix 'p', option 'prefix': '2000::/3' is shorter than /16"),
            ("option prefix fe80::/64", "line 4: error: prefix 'p', option 'prefix': 'fe80::/64' is link-local"),
            ("option prefix ff00::/16", "line 4: error: prefix 'p', option 'prefix': 'ff00::/16' is multicast"),
            ("option prefix ::/64", "line 4: error: prefix 'p', option 'prefix': '::/64' lies in ::/8"),
            (
                "option prefix 2001:db8::/48\noption valid_lifetime 100\noption preferred_lifetime 101",
                "line 6: error: prefix 'p', option 'preferred_lifetime': preferred_lifetime is longer than valid_lifetime",
            ),
            (
                "option prefix 2001:db8::/48\noption assign 0\noption delegate 0",
                "line 5: warning: prefix 'p', option 'assign': neither LANs nor DHCPv6 clients",
            ),
            (
                "option prefix 2001:db8::/48\nlist lan home",
                "line 5: error: prefix 'p', option 'lan': there is no lan 'home'; add config lan 'home'",
            ),
            (
                "option prefix 2001:db8::/48\nlist lan hoem\nconfig lan home\noption device e",
                "line 5: error: prefix 'p', option 'lan': there is no lan 'hoem'; did you mean 'home'?",
            ),
        ],
    );
}

#[test]
fn wrong_hosts_are_refused() {
    says(
        "config host",
        &[
            ("option name x", "line 3: error: host @host[0], option 'duid': nothing tells how to recognise it"),
            ("list mac 02:00:5e:00:53:01", "line 3: warning: host @host[0], option 'name': it has neither a name nor"),
            (
                "list mac 02:00:5e:00:53\noption name x",
                "line 4: error: host @host[0], option 'mac': '02:00:5e:00:53' is not a MAC address; write it as",
            ),
            (
                "list mac 01:00:5e:00:53:01\noption name x",
                "line 4: error: host @host[0], option 'mac': '01:00:5e:00:53:01' is the address of a group",
            ),
            (
                "list duid 00\noption name x",
                "line 4: error: host @host[0], option 'duid': '00' is not a DUID; write 3 to 130 bytes",
            ),
            ("list duid 000300%x\noption name x", "line 4: error: host @host[0], option 'duid': 'x' is not an IAID"),
            (
                "list duid 000300\noption host_id 0",
                "line 5: error: host @host[0], option 'host_id': '0' is the address of every router",
            ),
            (
                "list duid 000300\nlist address fe80::1",
                "line 5: error: host @host[0], option 'address': 'fe80::1' is a link-local",
            ),
            (
                "list duid 000300\noption prefix 2001:db8::/65",
                "line 5: error: host @host[0], option 'prefix': '2001:db8::/65' is longer",
            ),
            ("list duid 000300\noption name x.-y", "line 5: error: host @host[0], option 'name': 'x.-y' has a part"),
            (
                "list duid '000300 0003:00'\noption name x",
                "line 4: error: host @host[0], option 'duid': DUID 000300 comes twice",
            ),
        ],
    );
}

#[test]
fn wrong_globals_are_refused_although_nothing_is_enabled() {
    for (options, expected) in [
        ("option enabled si", "line 2: error: oasis6 'g', option 'enabled': 'si' is neither yes nor no"),
        (
            "option log_level inof",
            "line 2: error: oasis6 'g', option 'log_level': 'inof' is not known here; did you mean 'info'?",
        ),
        ("option ula fd00::/47", "line 2: error: oasis6 'g', option 'ula': 'fd00::/47' is shorter than /48"),
        ("option ula fd00::/65", "line 2: error: oasis6 'g', option 'ula': 'fd00::/65' is longer than /64"),
        ("option ula fc00::/48", "line 2: error: oasis6 'g', option 'ula': 'fc00::/48' does not lie in fd00::/8"),
        ("option ula atuo", "line 2: error: oasis6 'g', option 'ula': 'atuo' is not known here; did you mean 'auto'?"),
        ("option domain a..b", "line 2: error: oasis6 'g', option 'domain': 'a..b' has an empty part"),
        ("option state_dir etc", "line 2: error: oasis6 'g', option 'state_dir': 'etc' does not begin with /"),
        ("option state_dir /a/../b", "line 2: error: oasis6 'g', option 'state_dir': '/a/../b' has '..' in it"),
        ("option state_dir //", "line 2: error: oasis6 'g', option 'state_dir': '//' is the root folder"),
        (
            "option run_dir /etc/oasis6/",
            "line 2: error: oasis6 'g', option 'run_dir': run_dir and state_dir are the same",
        ),
        (
            "option state_dir /tmp/x",
            "line 2: warning: oasis6 'g', option 'state_dir': '/tmp/x' is in memory on OpenWrt",
        ),
    ] {
        let told = problem(&format!("config oasis6 'g'\n{options}\n")).to_string();
        assert!(told.starts_with(expected), "{options}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn sections_that_collide_are_refused_at_the_second() {
    const A: &str = "config lan a\noption device d0\noption subnet 1\n";
    for (text, expected) in [
        (format!("{A}config lan b\noption device d0\n"), "line 6: error: lan 'b', option 'device': lan 'a' has device 'd0' already (line 2)"),
        (
            "config lan a\noption interface lan\nconfig lan b\noption interface lan\n".into(),
            "line 5: error: lan 'b', option 'interface': lan 'a' has interface 'lan' already",
        ),
        (format!("{A}config lan b\noption device d1\noption subnet 01\n"), "line 7: error: lan 'b', option 'subnet': lan 'a' has subnet 1 already"),
        (
            "config prefix p\noption prefix 2001:db8::/48\nconfig prefix q\noption prefix 2001:db8:0:8000::/49\n".into(),
            "line 5: error: prefix 'q', option 'prefix': 2001:db8:0:8000::/49 overlaps 2001:db8::/48 of prefix 'p' (line 2)",
        ),
        (
            "config prefix q\noption prefix 2001:db8:0:1::/64\nconfig prefix p\noption prefix 2001:db8::/48\n".into(),
            "line 3: error: prefix 'q', option 'prefix': 2001:db8:0:1::/64 overlaps 2001:db8::/48 of prefix 'p' (line 4)",
        ),
        (
            "config lan b\noption device d\noption subnet 100\nconfig prefix p\noption prefix 2001:db8::/56\n".into(),
            "line 4: warning: lan 'b', option 'subnet': subnet 100 lies outside prefix 2001:db8::/56; there another one",
        ),
        (
            format!("{A}config host h\nlist mac 02:00:5e:00:53:01\noption host_id ::1\n"),
            "line 7: error: host 'h', option 'host_id': it is the router's own on lan 'a'; choose another",
        ),
        (
            "config host\nlist mac 02:00:5e:00:53:01\noption name a\nconfig host\nlist mac 02:00:5E:00:53:01\noption name b\n".into(),
            "line 6: error: host @host[1], option 'mac': host @host[0] has MAC 02:00:5e:00:53:01 already (line 2)",
        ),
        (
            "config host\nlist duid 00:03:00\noption name a\nconfig host\nlist duid 000300\noption name b\n".into(),
            "line 6: error: host @host[1], option 'duid': host @host[0] has DUID 000300 already (line 2)",
        ),
        (
            "config host\nlist duid 000300\noption host_id 7\nconfig host\nlist duid 000301\noption host_id ::7\n".into(),
            "line 7: error: host @host[1], option 'host_id': host @host[0] has host_id 7 already",
        ),
        (
            "config host\nlist duid 000300\nlist address 2001:db8::7\nconfig host\nlist duid 000301\nlist address 2001:DB8:0::7\n".into(),
            "line 7: error: host @host[1], option 'address': host @host[0] has address 2001:db8::7 already",
        ),
        (
            "config host\nlist duid 000300\noption prefix 2001:db8::/56\nconfig host\nlist duid 000301\noption prefix 2001:db8:0:1::/64\n".into(),
            "line 7: error: host @host[1], option 'prefix': 2001:db8:0:1::/64 overlaps 2001:db8::/56 of host @host[0]",
        ),
        ("config oasis6 b\n".into(), "line 2: error: oasis6 'b': line 1 has a section oasis6 already; put all its options into that one"),
        ("config lan\noption device d\n".into(), "line 2: error: lan @lan[0]: it has no name; write config lan 'NAME'"),
        ("config lna x\n".into(), "line 2: warning: lna 'x': there is no section type 'lna'; did you mean 'lan'?"),
        ("config wifi\n".into(), "line 2: warning: wifi @wifi[0]: there is no section type 'wifi'; it is ignored"),
    ] {
        let told = problem(&format!("config oasis6 g\n{text}")).to_string();
        assert!(told.starts_with(expected), "{text}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn a_given_prefix_may_not_overlap_the_ula_prefix() {
    let told = problem("config oasis6\noption ula fd00:1::/48\nconfig prefix p\noption prefix fd00:1:0:1::/64\n");
    assert!(told.to_string().starts_with("line 4: error: prefix 'p', option 'prefix': fd00:1:0:1::/64 overlaps"));
}

#[test]
fn what_does_not_collide_is_accepted() {
    let two = "config oasis6\nconfig lan a\noption device d0\nconfig lan b\noption device d0\noption enabled 0\n";
    assert_eq!(valid(two).lans.len(), 2, "a LAN that is not served takes no device");
    valid("config oasis6\noption ula off\nconfig lan a\noption device d\noption subnet ffffffff\n");
    valid(
        "config oasis6\noption domain off\nconfig host\nlist duid 000300%1\noption name a\nconfig host\nlist duid 000300%2\noption name b\n",
    );
    valid("config oasis6\nconfig lan a\noption device d\noption captive_portal urn:ietf:params:capport:unrestricted\n");
}

#[test]
fn every_problem_is_told_at_once_and_by_line() {
    let text = "config oasis6\noption enabled x\nconfig lan l\noption device eth0\noption ra_mtu 1\noption ra_mtuu 2\n\
        option ra_min_interval 500\nconfig wrong\nconfig prefix p\noption prefix x\n";
    let Reading { config, problems } = read(text.as_bytes());
    assert_eq!(config, None);
    let told: Vec<_> = problems.iter().map(|problem| (problem.line, problem.option.as_str())).collect();
    assert_eq!(told, [(2, "enabled"), (5, "ra_mtu"), (6, "ra_mtuu"), (7, "ra_min_interval"), (8, ""), (10, "prefix")]);
}

#[test]
fn a_refused_value_makes_no_second_problem_by_what_it_is_compared_with() {
    let told =
        problem("config oasis6\nconfig lan l\noption device e\noption ra_max_interval x\noption ra_min_interval 500\n");
    assert_eq!((told.line, told.option.as_str()), (4, "ra_max_interval"));
}

#[test]
fn mistakes_of_the_grammar_are_told_with_line_and_remedy() {
    for (text, expected) in [
        ("config oasis6\n\noptoin enabled 1\n", "line 3: error: there is no command 'optoin'; did you mean 'option'?"),
        (
            "config oasis6\nfoo\n",
            "line 2: error: there is no command 'foo'; begin the line with config, option or list",
        ),
        (
            "config oasis6\nconfig\n",
            "line 2: error: there is no command 'config'; 'config' wants a space and a word behind it",
        ),
        ("config oasis6\noption enabled 1 2\n", "line 2: error: '2' is one word too many; put the value in quotes"),
        (
            "config oasis6\noption\tra-min 1\n",
            "line 2: error: 'ra-min' can't be a name; use letters, digits and _ only",
        ),
        ("config 'a b'\n", "line 1: error: 'a b' can't be a section type; use printable ASCII"),
        ("config oasis6\noption \n", "line 2: error: a word is missing at the end; write config TYPE"),
        ("config oasis6\noption enabled '1\n\n\n", "line 2: error: a ' opened here is never closed; close it"),
        ("config oasis6\noption domain \"1\n\n\n", "line 2: error: a \" opened here is never closed; close it"),
        ("option enabled 1\nconfig oasis6\n", "line 1: error: this stands before the first section; write config"),
        (
            "config oasis6 x\nconfig lan x\noption device e\n",
            "line 2: error: line 1 has a section of this name but of another type",
        ),
        (
            "\u{feff}config oasis6\n",
            "line 1: error: there is no command '\\u{feff}config'; save the file as plain text",
        ),
        (
            "config oasis6\noption enabled 1; option domain x\n",
            "line 2: warning: what follows the ; is lost: 'option domain x'; put it on a line",
        ),
        ("config oasis6\n\0\0\0\n", "line 2: error: there is a NUL byte; the file was probably being written"),
    ] {
        let told = problem(text).to_string();
        assert!(told.starts_with(expected), "{text}\n  says {told}\n  not  {expected}");
    }
}

#[test]
fn after_a_mistake_of_the_grammar_nothing_is_said_to_be_missing() {
    // The open quote swallows the device; that must not be told as a second mistake.
    let told = problem("config oasis6\nconfig lan l\noption search 'x\noption device e\n");
    assert_eq!(told.line, 3);
}

#[test]
fn a_semicolon_that_loses_nothing_is_no_problem() {
    valid("config oasis6\noption enabled 1;\noption domain a; # b\noption log_level 'info'; option ula off\n");
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_where_they_are_read_and_nothing_elsewhere() {
    let Reading { config, problems } = read(b"config oasis6\n# \xff\noption domain '\xff'\n");
    assert_eq!(config, None);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "line 3: error: oasis6 @oasis6[0], option 'domain': the value is not UTF-8 text; write it in ASCII"
    );
    let unread = read(b"config oasis6\noption colour '\xff'\n");
    assert!(unread.config.is_some());
    assert_eq!(unread.problems.len(), 1);
}

#[test]
fn a_file_that_is_too_large_is_refused_at_once() {
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.resize(MAX_FILE_SIZE, b'\n');
    assert!(read(&bytes).config.is_some());
    for size in [MAX_FILE_SIZE + 1, 10 << 20] {
        bytes.resize(size, b'\n');
        let Reading { config, problems } = read(&bytes);
        assert_eq!(config, None);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "error: the file is larger than 1024 KiB; see that it is the right file");
    }
}

#[test]
fn problems_are_bounded() {
    for line in ["x\n", "config lan\n", "config lan x\nconfig oasis6 x\n", "option y\n"] {
        let text = line.repeat(MAX_FILE_SIZE / line.len());
        let Reading { config, problems } = read(text.as_bytes());
        assert_eq!(config, None);
        assert_eq!(problems.len(), MAX_PROBLEMS + 1, "{line}");
        let last = problems.last().unwrap();
        assert!(last.message.ends_with("more problems are not shown"), "{last}");
    }
}

/// A file full of many things at once must not take time that grows with their square.
#[test]
fn a_full_file_is_read_in_good_time() {
    let mut hosts = String::from("config oasis6\n");
    for i in 0..8000_u32 {
        let [_, _, b, c] = i.to_be_bytes();
        hosts +=
            &format!("config host\n\tlist mac 02:00:5e:00:{b:02x}:{c:02x}\n\tlist address 2001:db8::{:x}\n", i + 1);
        hosts += &format!("config prefix p{i}\n\toption prefix 2001:db8:1:{i:x}::/64\n");
    }
    let options: String = (0..60_000).map(|i| format!("\toption x{i} y\n")).collect();
    let started = std::time::Instant::now();
    assert_eq!(valid(&hosts).hosts.len(), 8000);
    assert!(read(format!("config oasis6\n{options}").as_bytes()).config.is_some());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn openwrt_interfaces_are_found() {
    let network = b"config interface 'loopback'\n\toption device 'lo'\n
config interface 'lan'\n\toption device 'br-lan'\n
config interface 'old'\n\toption type 'bridge'\n\toption ifname 'eth0 eth1'\n
config interface 'older'\n\toption ifname 'eth2 eth3'\n
config interface 'alias'\n\toption device '@lan'\n
config interface 'alias2'\n\toption ifname '@alias'\n
config interface 'loop'\n\toption device '@loop'\n
config interface 'a'\n\toption device '@b'\nconfig interface 'b'\n\toption device '@a'\n
config interface 'nowhere'\n\toption device '@gone'\n
config interface 'wan6'\n\toption proto 'dhcpv6'\n
config device\n\toption name 'br-lan'\n\toption type 'bridge'\n
config interface 'bad'\n\toption device '\xff'\n\toops\n
config interface 'last'\n\toption device 'eth9'\n";
    let found = interfaces(network);
    let found: Vec<_> = found.iter().map(|(name, device)| (name.as_str(), device.as_str())).collect();
    assert_eq!(
        found,
        [
            ("alias", "br-lan"),
            ("alias2", "br-lan"),
            ("lan", "br-lan"),
            ("last", "eth9"),
            ("loopback", "lo"),
            ("old", "br-old"),
            ("older", "eth2"),
        ]
    );
    assert!(interfaces(b"").is_empty());
}

/// What holds for any bytes.
fn holds(bytes: &[u8]) {
    let Reading { config, problems } = read(bytes);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    assert_eq!(config.is_none(), errors.clone().next().is_some());
    let lines = bytes.split(|b| *b == b'\n').count();
    for error in errors {
        assert!((1..=lines).contains(&error.line), "{error}");
    }
    assert!(problems.iter().all(|problem| !problem.remedy.is_empty() && !problem.message.is_empty()));
    assert!(problems.is_sorted_by_key(|problem| problem.line));
    interfaces(bytes);
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_every_error_names_a_line(bytes: Vec<u8>) {
        holds(&bytes);
    }

    #[test]
    fn any_words_of_the_language_are_read(words in prop::collection::vec(word(), 0..60)) {
        holds(words.concat().as_bytes());
    }

    #[test]
    fn a_damaged_file_is_read_and_every_error_names_a_line(
        damage in prop::collection::vec((0..GOOD.len(), any::<u8>(), 0..4_usize), 1..8),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte, what) in damage {
            let at = at.min(bytes.len().saturating_sub(1));
            match what {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => bytes.truncate(at.max(1)),
            }
        }
        holds(&bytes);
    }

    #[test]
    fn any_value_of_any_option_is_taken_or_refused(section in 0..4_usize, option in 0..60_usize, value in value()) {
        let section = schema::sections()[section].clone();
        let option = &section.options[option % section.options.len()];
        holds(format!("config {} x\noption {} \"{value}\"\n", section.kind, option.name).as_bytes());
    }
}

fn word() -> impl Strategy<Value = String> {
    let names: Vec<_> = schema::sections().into_iter().flat_map(|section| section.options).map(|o| o.name).collect();
    prop_oneof![
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("\nconfig ".to_owned()),
        Just("\n\toption ".to_owned()),
        Just("\n\tlist ".to_owned()),
        Just("'".to_owned()),
        prop::sample::select(vec![
            "oasis6 ", "lan ", "prefix ", "host ", "x", "\"", "\\", ";", "#", "\r", "\0", "auto"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(names).prop_map(|name| format!("{name} ")),
        value(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f:/%.-]{0,24}",
        "[0-9]{1,12}",
        "[a-z./:]{0,20}",
        any::<[u16; 8]>().prop_map(|s| std::net::Ipv6Addr::from(s).to_string()),
        (any::<u128>(), 0..140_u8).prop_map(|(bits, len)| {
            let shift = 128 - u32::from(len.min(128));
            let bits = bits.checked_shr(shift).unwrap_or(0).checked_shl(shift).unwrap_or(0);
            format!("{}/{len}", std::net::Ipv6Addr::from(bits))
        }),
        "[ -~]{0,30}".prop_map(|text| text.replace(['"', '\\'], "")),
    ]
}

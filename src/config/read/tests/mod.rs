//! What is refused and why: for each mistake the line, the option, the message and the remedy.

use super::*;
use crate::config::{DefaultRouter, Device, DnsServer, HostDuid, Ula};
use crate::net::Preference;

mod any;
mod dns;
mod file;
mod sections;
mod uplinks;
mod values;

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
    let Reading { config, problems, .. } = read(text.as_bytes());
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
    let Reading { config, problems, .. } = read(b"");
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
    let Reading { config, problems, .. } = read(text.as_bytes());
    let [problem] = problems.as_slice() else { panic!("{text}\n{problems:#?}") };
    assert_eq!(config.is_none(), problem.severity == Severity::Error, "{text}");
    assert!(!problem.remedy.is_empty(), "{text}\n{problem}");
    problem.clone()
}

use super::problem;

/// A table of mistakes. Each line: options (`|` between two lines of the file), and what is said about them: line in the
/// file, severity, option, beginning of the message. They stand from line 4 on, below `section`; `needed` comes last.
pub(super) fn says(section: &str, label: &str, needed: &str, table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (options, expected) = row.split_once("=> ").unwrap();
        let [line, severity, option, message] = expected.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let option = option.trim_end_matches(':');
        let expected = format!("line {line}: {severity}: {label}, option '{option}': {message}");
        let options = options.replace('|', "\n");
        let globals = if section.starts_with("config oasis6") { "" } else { "config oasis6" };
        let told = problem(&format!("{globals}\n\n{section}\n{options}\n{needed}\n")).to_string();
        assert!(told.starts_with(&expected), "{options}\n  says {told}\n  not  {expected}");
    }
}

// MUST RFC 8319 §4: MaxRtrAdvInterval is from 4 to 65535 s
// MUST RFC 4861 §6.2.1: AdvReachableTime is no greater than 3,600,000 ms
// MUST RFC 8781 §4: a NAT64 prefix has 96, 64, 56, 48, 40 or 32 bits
// MUST RFC 9915 §21.24: SOL_MAX_RT is from 60 to 86400 s
#[test]
fn wrong_values_of_a_lan_are_refused_with_line_and_remedy() {
    says(
        "config lan 'l'",
        "lan 'l'",
        "option device eth0",
        r"
        option ra maybe => 4 error ra: 'maybe' is neither yes nor no; write 0 or 1, as '1'
        option ra_managed 2 => 4 error ra_managed: '2' is neither yes nor no; write auto, 0 or 1
        option ra_preference hihg => 4 error ra_preference: 'hihg' is not known here; did you mean 'high'?
        option ra_preference 7 => 4 error ra_preference: '7' is not known here; write low, medium or high
        option ra_max_interval 3 => 4 error ra_max_interval: '3' is not from 4 to 65535; write 4 to 65535 (seconds), as '600'
        option ra_max_interval 65536 => 4 error ra_max_interval: '65536' is not from 4
        option ra_max_interval 99999999999999999999999 => 4 error ra_max_interval: '9999
        option ra_max_interval -1 => 4 error ra_max_interval: '-1' is not a whole number
        option ra_max_interval 10m => 4 error ra_max_interval: '10m' is not a whole number
        option ra_max_interval +600 => 4 error ra_max_interval: '+600' is not a whole number
        option ra_hop_limit 256 => 4 error ra_hop_limit: '256' is not from 0 to 255
        option ra_reachable_time 3600001 => 4 error ra_reachable_time: '3600001' is not from 0 to 3600000
        option ra_mtu 1279 => 4 error ra_mtu: '1279' is not from 1280
        option ra_valid_lifetime 0 => 4 error ra_valid_lifetime: '0' is not from 1 to 4294967294; write 1 to 4294967294, or infinite (seconds)
        option subnet 0x1g => 4 error subnet: '0x1g' is not a hexadecimal number
        option subnet 11111111111111111 => 4 error subnet: '11111111111111111' has more than 64 bits
        option router_id 0 => 4 error router_id: '0' is the address of every router
        option router_id fe80::1 => 4 error router_id: 'fe80::1' has bits set in its upper half
        option router_id fdff:ffff:ffff:ff80 => 4 error router_id: 'fdff:ffff:ffff:ff80' is not a hexa
        option router_id ::fdff:ffff:ffff:ff80 => 4 error router_id: '::fdff:ffff:ffff:ff80' is an anycast
        list dns 1.1.1.1 => 4 error dns: '1.1.1.1' is not an IPv6 address; write an IPv6 address, router
        list dns ::1 => 4 error dns: '::1' is no address of a host
        list dns ff02::1 => 4 error dns: 'ff02::1' is a multicast address
        list dns ::ffff:1.2.3.4 => 4 error dns: '::ffff:1.2.3.4' is an IPv4 address in disguise
        list dns router | list dns x => 5 error dns: 'x' is not an IPv6 address
        list dns '' => 4 error dns: an item is empty; remove it
        list search a..b => 4 error search: 'a..b' has an empty part
        list search a_b => 4 error search: 'a_b' has something else than letters
        list search -a => 4 error search: '-a' has a part that begins or ends with -
        list search bücher.example => 4 error search: 'bücher.example' is not ASCII; write its xn--
        list ra_route 2001:db8::1/48 => 4 error ra_route: '2001:db8::1/48' has bits set behind its length; the prefix is 2001:db8::/48
        list ra_route 2001:db8:: => 4 error ra_route: '2001:db8::' has no '/length'; write it as
        option pref64 64:ff9b::/80 => 4 error pref64: '64:ff9b::/80' has a length that RFC 8781
        option pref64 2001:db8:1:2:ff00::/96 => 4 error pref64: '2001:db8:1:2:ff00::/96' has bits set in its ninth byte
        option captive_portal portal => 4 error captive_portal: 'portal' is not a URI; write a URI that begins with https://
        option captive_portal https:// => 4 error captive_portal: 'https://' is not a URI
        option captive_portal 'https://a b' => 4 error captive_portal: 'https://a b' has letters that a URI can't have
        option dhcp6_range 1000 => 4 error dhcp6_range: '1000' has no '-'; write the lowest
        option dhcp6_range 2000-1000 => 4 error dhcp6_range: '2000-1000' ends before it begins
        option dhcp6_range 0-1000 => 4 error dhcp6_range: '0' is the address of every router
        option dhcp6_range 2-ffffffffffffffff => 4 error dhcp6_range: '2-ffffffffffffffff' goes over the anycast
        option dhcp6_delegated_len 47 => 4 error dhcp6_delegated_len: '47' is not from 48 to 64
        option dhcp6_sol_max_rt 59 => 4 error dhcp6_sol_max_rt: '59' is not from 60 to 86400
        option dhcp6_preference 256 => 4 error dhcp6_preference: '256' is not from 0 to 255
        option dns '::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 ::a ::b ::c ::d ::e ::f ::11 ::12' | list dns ::13 => 5 error dns: it has more than 16 items
        list subnet 1 | list subnet 2 => 5 error subnet: it has more than one value; write option subnet once
        option ra_maxinterval 5 => 4 warning ra_maxinterval: there is no such option; did you mean 'ra_max_interval'?
        option colour red => 4 warning colour: there is no such option; it is ignored; 'oasis6 schema' shows
        ",
    );
}

// MUST RFC 4861 §6.2.1: MinRtrAdvInterval is no greater than 0.75 × MaxRtrAdvInterval
// MUST RFC 8319 §4: AdvDefaultLifetime is zero or no less than MaxRtrAdvInterval
// MUST RFC 9915 §21.4: T1 is not greater than T2 where both are set
#[test]
fn options_of_a_lan_that_contradict_each_other_are_refused() {
    says(
        "config lan 'l'",
        "lan 'l'",
        "option device eth0",
        r"
        option ra_min_interval 451 => 4 error ra_min_interval: 451 is more than 0.75 × ra_max_interval (600); write at most 450
        option ra_max_interval 100 | option ra_min_interval 76 => 5 error ra_min_interval: 76 is more
        option ra_default_lifetime 599 => 4 error ra_default_lifetime: 599 is less than ra_max_interval (600); write 0, or at least 600
        option ra_preferred_lifetime 5401 => 4 error ra_preferred_lifetime: ra_preferred_lifetime is longer than ra_valid_lifetime
        option ra_valid_lifetime 2699 => 4 error ra_valid_lifetime: ra_preferred_lifetime is longer
        option ra_max_interval 5401 => 4 warning ra_max_interval: ra_valid_lifetime is shorter than ra_max_interval
        option ra_dns_lifetime 599 => 4 warning ra_dns_lifetime: ra_dns_lifetime is shorter
        option captive_portal http://a.example/ => 4 warning captive_portal: hosts ask a captive portal by https only
        option ra_slaac 0 | option dhcp6_addresses 0 => 4 warning ra_slaac: hosts get no address
        list dnr_address 2001:db8::853 => 4 error dnr_address: the resolver has no name
        option dnr_name a.example | list dnr_address 2001:db8::853 => 5 error dnr_address: nothing tells what the resolver speaks
        option dnr_name a.example | option dnr_params alpn=dot => 5 error dnr_params: a resolver without addresses has no parameters
        option router_id 1000 => 4 error router_id: the router's own address, ::1000, lies in dhcp6_range (1000-ffff)
        option dhcp6_range 1-fff => 4 error dhcp6_range: the router's own address, ::1, lies in
        option dhcp6_delegated_len 59 => 4 error dhcp6_delegated_len: dhcp6_delegated_len (59) is shorter than the shortest allowed (60)
        option dhcp6_preferred_lifetime 5401 => 4 error dhcp6_preferred_lifetime: dhcp6_preferred_lifetime is longer
        option dhcp6_t1 2000 | option dhcp6_t2 1000 => 4 error dhcp6_t1: dhcp6_t1 is later than dhcp6_t2
        option dhcp6_t2 2701 => 4 warning dhcp6_t2: it is later than dhcp6_preferred_lifetime
        option subnet 10000 => 4 error subnet: subnet 10000 lies outside every prefix of this LAN; the ULA prefix has subnets 0 to ffff
        option interface lan => 5 error device: it has both a device and an interface
        ",
    );
}

#[test]
fn wrong_device_names_are_refused() {
    says(
        "config lan 'l'",
        "lan 'l'",
        "",
        r"
         => 3 error interface: nothing tells which network it is; write option interface 'lan'
        option device sixteen_letters0 => 4 error device: 'sixteen_letters0' is longer than 15
        option device eth0/1 => 4 error device: 'eth0/1' has a letter that no device's name has
        option device .. => 4 error device: '..' is no device's name
        option interface br-lan => 4 error interface: 'br-lan' is no name of letters, digits and _
        ",
    );
}

#[test]
fn wrong_prefixes_are_refused() {
    says(
        "config prefix 'p'",
        "prefix 'p'",
        "",
        r"
         => 3 error prefix: the prefix is missing
        option prefix 2001:db8::/65 => 4 error prefix: '2001:db8::/65' is longer than /64; write a prefix of 16 to 64 bits
        option prefix 2000::/3 => 4 error prefix: '2000::/3' is shorter than /16
        option prefix fe80::/64 => 4 error prefix: 'fe80::/64' is link-local
        option prefix ff00::/16 => 4 error prefix: 'ff00::/16' is multicast
        option prefix ::/64 => 4 error prefix: '::/64' lies in ::/8
        option prefix 2001:db8::/48 | option valid_lifetime 100 | option preferred_lifetime 101 => 6 error preferred_lifetime: preferred_lifetime is longer than valid_lifetime
        option prefix 2001:db8::/48 | option assign 0 | option delegate 0 => 5 warning assign: neither LANs nor DHCPv6 clients
        option prefix 2001:db8::/48 | list lan home => 5 error lan: there is no lan 'home'; add config lan 'home'
        option prefix 2001:db8::/48 | list lan hoem | config lan home | option device e => 5 error lan: there is no lan 'hoem'; did you mean 'home'?
        ",
    );
}

#[test]
fn wrong_hosts_are_refused() {
    says(
        "config host",
        "host @host[0]",
        "",
        r"
        option name x => 3 error duid: nothing tells how to recognise it
        list mac 02:00:5e:00:53:01 => 3 warning name: it has neither a name nor
        list mac 02:00:5e:00:53 | option name x => 4 error mac: '02:00:5e:00:53' is not a MAC address; write it as
        list mac 01:00:5e:00:53:01 | option name x => 4 error mac: '01:00:5e:00:53:01' is the address of a group
        list duid 00 | option name x => 4 error duid: '00' is not a DUID; write 3 to 130 bytes
        list duid 000300%x | option name x => 4 error duid: 'x' is not an IAID
        list duid 000300 | option host_id 0 => 5 error host_id: '0' is the address of every router
        list duid 000300 | list address fe80::1 => 5 error address: 'fe80::1' is a link-local
        list duid 000300 | option prefix 2001:db8::/65 => 5 error prefix: '2001:db8::/65' is longer
        list duid 000300 | option name x.-y => 5 error name: 'x.-y' has a part
        list duid '000300 0003:00' | option name x => 4 error duid: DUID 000300 comes twice
        ",
    );
}

#[test]
fn wrong_globals_are_refused_although_nothing_is_enabled() {
    says(
        "config oasis6 'g'",
        "oasis6 'g'",
        "",
        r"
        option enabled si => 4 error enabled: 'si' is neither yes nor no
        option log_level inof => 4 error log_level: 'inof' is not known here; did you mean 'info'?
        option ula fd00::/47 => 4 error ula: 'fd00::/47' is shorter than /48
        option ula fd00::/65 => 4 error ula: 'fd00::/65' is longer than /64
        option ula fc00::/48 => 4 error ula: 'fc00::/48' does not lie in fd00::/8
        option ula atuo => 4 error ula: 'atuo' is not known here; did you mean 'auto'?
        option domain a..b => 4 error domain: 'a..b' has an empty part
        option state_dir etc => 4 error state_dir: 'etc' does not begin with /
        option state_dir /a/../b => 4 error state_dir: '/a/../b' has '..' in it
        option state_dir // => 4 error state_dir: '//' is the root folder
        option run_dir /etc/oasis6/ => 4 error run_dir: run_dir and state_dir are the same
        option state_dir /tmp/x => 4 warning state_dir: '/tmp/x' is in memory on OpenWrt
        ",
    );
}

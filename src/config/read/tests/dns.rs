use super::values::says;
use super::{problem, valid};
use crate::config::{DnsMode, NamePattern, Published, Secondary};

const SECRET: &str = "option secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4=";

#[test]
fn a_whole_configuration_of_dns_is_read() {
    let config = valid(&format!(
        "config oasis6\n list hash_name router.example\n\
         config lan office\n option device eth1\n option domain office.lan\n\
         config host\n list mac 02:00:5e:00:53:01\n option name printer\n list alias 'print paper'\n\
         config dns\n option mode replace\n list server 192.0.2.53\n list server '2001:db8::53#5353'\n list server '::1#5300'\n\
         list public_zone home.example.\n option hash_zone h.lan\n list secondary '2001:db8::54 laptop@2001:db8::55#54'\n\
         config key laptop\n {SECRET}\n list name Laptop.lan.\n list name *.dyn.lan\n list name _acme-challenge.lan\n\
         list type 'aaaa TXT TYPE65000 txt'\n\
         config key other\n option key_name Other.Example\n {SECRET}\n\
         config publish home\n option zone dyn.example\n option key laptop\n option names all\n option server 2001:db8::1\n"
    ));
    assert_eq!(config.hash_names, ["router.example"]);
    assert_eq!(config.lans["office"].domain.as_deref(), Some("office.lan"));
    assert_eq!(config.hosts[0].aliases, ["print", "paper"]);
    let dns = config.dns.unwrap();
    assert_eq!((dns.mode, dns.port, dns.ttl, dns.cache_kib), (DnsMode::Replace, 53, 10, 256));
    let servers: Vec<_> = dns.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:5353", "[::1]:5300"]);
    assert_eq!((dns.public_zones, dns.hash_zone.as_deref()), (vec!["home.example".to_owned()], Some("h.lan")));
    assert_eq!(
        dns.secondaries,
        [
            Secondary { server: "[2001:db8::54]:53".parse().unwrap(), key: None },
            Secondary { server: "[2001:db8::55]:54".parse().unwrap(), key: Some("laptop".into()) },
        ]
    );
    let key = &config.keys["laptop"];
    assert_eq!((key.name.as_str(), key.secret.0.as_slice()), ("laptop", &b"secret of thirty-two letters...."[..]));
    assert_eq!(
        key.may,
        [
            NamePattern::Just("laptop.lan".into()),
            NamePattern::Below("dyn.lan".into()),
            NamePattern::Just("_acme-challenge.lan".into()),
        ]
    );
    assert_eq!(key.types, [16, 28, 65000]);
    assert_eq!(config.keys["other"].name, "other.example");
    let publish = &config.publish["home"];
    assert_eq!((publish.what, publish.ttl, publish.name.as_deref()), (Published::All, 60, None));
    assert_eq!(publish.server, Some("[2001:db8::1]:53".parse().unwrap()));
}

#[test]
fn without_a_section_dns_there_is_no_server_and_with_one_dnsmasq_keeps_its_port() {
    assert_eq!(valid("config oasis6\n").dns, None);
    assert_eq!(valid("config oasis6\nconfig dns\n option mode off\n").dns, None);
    let dns = valid("config oasis6\nconfig dns\n").dns.unwrap();
    assert_eq!((dns.mode, dns.port, dns.rebind_protection), (DnsMode::Behind, 5356, true));
}

#[test]
fn wrong_values_of_dns_are_refused() {
    says(
        "config dns 'd'",
        "dns 'd'",
        "",
        r"
        option mode behnid => 4 error mode: 'behnid' is not known here; did you mean 'behind'?
        option port 0 => 4 error port: it is no port
        option port 53 => 4 error port: dnsmasq has this port already, and mode is behind
        list server dns.example => 4 error server: 'dns.example' is not an address; write an address, or ADDRESS#PORT
        list server 192.0.2.1:53 => 4 error server: '192.0.2.1:53' is not an address
        list server '192.0.2.1#0' => 4 error server: '0' is not from 1 to 65535
        list server 0.0.0.0 => 4 error server: '0.0.0.0' is no address of a host
        list server ff02::1 => 4 error server: 'ff02::1' is a multicast
        list server fe80::1 => 4 error server: 'fe80::1' is a link-local
        option cache_kib 4 => 4 error cache_kib: '4' is not from 16 to 65536
        option dns64_prefix 64:ff9b::/95 => 4 error dns64_prefix: '64:ff9b::/95' has a length
        option rebind_protection 0 | list rebind_domain a.example => 5 warning rebind_domain: rebind_protection is off
        list secondary laptop@2001:db8::1 => 4 error secondary: there is no key 'laptop'; add config key 'laptop'
        option ttl 0 => 4 error ttl: '0' is not from 1
        option tll 5 => 4 warning tll: there is no such option; did you mean 'ttl'?
        ",
    );
}

// MUST RFC 8945 §8: a secret is not so short that it can be guessed
#[test]
fn wrong_keys_are_refused() {
    says(
        "config key 'laptop'",
        "key 'laptop'",
        "",
        r"
         => 3 error secret: the secret is missing; make one by
        option secret x => 4 error secret: this is not base64; write base64 of 16 bytes or more
        option secret c2VjcmV0 => 4 error secret: it has less than 16 bytes
        ",
    );
    says(
        "config key 'laptop'",
        "key 'laptop'",
        SECRET,
        r"
        option algorithm hmac-sha25 => 4 error algorithm: 'hmac-sha25' is not known here; did you mean 'hmac-sha256'?
        list name a..b => 4 error name: 'a..b' is no name of letters
        list name a.*.b => 4 error name: 'a.*.b' is no name of letters
        list type AAAB | list name a.lan => 4 error type: 'AAAB' is not known here; did you mean 'AAAA'?
        list type TYPE65536 | list name a.lan => 4 error type: 'TYPE65536' is not known here; write A, NS
        list type ANY | list name a.lan => 4 error type: 'ANY' is no type of records in a zone
        list type AAAA => 4 warning type: there are types, but no names
        ",
    );
    assert!(problem(&format!("config oasis6\nconfig key\n{SECRET}\n")).to_string().contains("write config key 'NAME'"));
    let twice = format!("config oasis6\nconfig key a\n{SECRET}\nconfig key b\noption key_name A\n{SECRET}\n");
    assert!(
        problem(&twice).to_string().starts_with("line 5: error: key 'b', option 'key_name': key 'a' has key_name 'a'")
    );
}

#[test]
fn a_secret_is_never_shown() {
    let config = valid(&format!("config oasis6\nconfig key a\n{SECRET}\n"));
    assert!(!format!("{config:?}").contains("115, 101"), "{config:?}");
    let told = problem("config oasis6\nconfig key a\noption secret 'c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4'\n");
    assert!(!told.to_string().contains("c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4'"), "{told}");
}

#[test]
fn wrong_publishing_is_refused() {
    says(
        "config publish 'p'",
        "publish 'p'",
        "",
        r"
         => 3 error zone: the zone is missing
        option zone dyn.example => 3 error key: the key is missing
        option zone dyn.example | option key laptpo | config key laptop | option secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4= => 5 error key: there is no key 'laptpo'; did you mean 'laptop'?
        option zone dyn.example | option server atuo | option key l | config key l | option secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4= => 5 error server: 'atuo' is not an address; write auto, an address
        option zone dyn.example | option name a.b | option key l | config key l | option secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4= => 5 error name: 'a.b' has a domain
        ",
    );
}

#[test]
fn a_domain_for_multicast_is_warned_of() {
    let told = problem("config oasis6\noption domain local\n").to_string();
    assert!(told.starts_with("line 2: warning: oasis6 @oasis6[0], option 'domain': 'local' is for names"), "{told}");
}

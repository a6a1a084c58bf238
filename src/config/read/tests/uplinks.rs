use super::{problem, valid};
use crate::config::{Device, PinholeHost, Protocol, Share, UplinkKind};

const KEY: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

#[test]
fn uplinks_of_every_type_are_read() {
    let config = valid(&format!(
        "config oasis6\nconfig lan home\noption device br-lan\n\
         config uplink wan\noption type native\noption interface wan6\noption request_prefix 56\n\
         config uplink fixed\noption type static\noption device eth2\nlist prefix 2001:db8:1::/48\nlist address 2001:db8::2/64\noption gateway fe80::1\n\
         config uplink other\noption type netifd\noption interface wwan6\n\
         config uplink wg\noption type wireguard\noption peer_key {KEY}\noption endpoint [2001:db8::9]:51820\nlist prefix 2001:db8:2::/56\n\
         config uplink he\noption type 6in4\noption remote 192.0.2.9\nlist prefix 2001:db8:3::/48\noption priority 7\nlist lan home\n\
         config uplink old\noption type 6to4\noption enabled 0\n\
         config uplink isp\noption type 6rd\noption remote 192.0.2.7\noption prefix_6rd 2001:db8::/32\n"
    ));
    let priorities: Vec<_> = config.uplinks.iter().map(|(name, uplink)| (name.as_str(), uplink.priority)).collect();
    let expected = [("fixed", 10), ("he", 7), ("isp", 20), ("old", 90), ("other", 10), ("wan", 10), ("wg", 30)];
    assert_eq!(priorities, expected);
    let UplinkKind::Native { device, request, share } = &config.uplinks["wan"].kind else { panic!() };
    assert_eq!((device, *share), (&Device::Interface("wan6".into()), Share::Auto));
    assert!(request.address && request.reconfigure_accept && request.prefix == Some(Some(56)));
    let UplinkKind::Wireguard(tunnel) = &config.uplinks["wg"].kind else { panic!() };
    assert_eq!((tunnel.keepalive, tunnel.listen_port, tunnel.request), (25, 0, None));
    assert_eq!(tunnel.allowed_ips, ["::/0".parse().unwrap()]);
    assert_eq!(config.uplinks["he"].lans.as_deref(), Some(&["home".to_owned()][..]));
    assert_eq!(config.uplinks["he"].given().unwrap().prefixes.len(), 1);
    assert!(!config.uplinks["old"].enabled);
}

#[test]
fn pinholes_lead_to_a_host_by_name_or_by_identifier() {
    let config = valid(
        "config oasis6\nconfig lan home\noption device br-lan\n\
         config pinhole web\noption host nas\nlist port 443\nlist port 8000-8010\n\
         config pinhole\noption host_id ::53\noption lan home\nlist proto udp\nlist proto tcp\n",
    );
    let [web, other] = config.pinholes.as_slice() else { panic!() };
    assert_eq!((web.section.as_str(), &web.host), ("web", &PinholeHost::Name("nas".into())));
    assert_eq!((&web.ports[..], &web.protocols[..]), (&[(443, 443), (8000, 8010)][..], &[Protocol::Tcp][..]));
    assert_eq!(other.host, PinholeHost::Id { id: 0x53, lan: "home".into() });
    assert_eq!((other.section.as_str(), &other.protocols[..]), ("@pinhole[1]", &[Protocol::Tcp, Protocol::Udp][..]));
}

#[test]
fn wrong_uplinks_and_pinholes_are_refused_with_line_and_remedy() {
    let lan = "config oasis6\nconfig lan home\noption device br-lan\n";
    for (section, told) in [
        ("config uplink x", "line 4: error: uplink 'x', option 'type': nothing tells what it is"),
        (
            "config uplink x\noption type nativ",
            "line 5: error: uplink 'x', option 'type': 'nativ' is not known here; did you mean 'native'?",
        ),
        ("config uplink x\noption type native", "line 4: error: uplink 'x', option 'interface': nothing tells"),
        (
            "config uplink x\noption type native\noption device br-lan",
            "line 6: error: uplink 'x', option 'device': lan 'home' has device 'br-lan' already",
        ),
        (
            "config uplink x\noption type native\noption device a\noption ttl 3",
            "line 7: warning: uplink 'x', option 'ttl': it does nothing in an uplink of type native; remove it; it is for 6in4",
        ),
        (
            "config uplink x\noption type wireguard\noption endpoint a:1",
            "line 4: error: uplink 'x', option 'peer_key': peer_key is missing",
        ),
        (
            "config uplink x\noption type wireguard\noption endpoint a:1\noption peer_key hunter2",
            "line 7: error: uplink 'x', option 'peer_key': 'hunter2' is no public key",
        ),
        ("config uplink x\noption type 6in4", "line 4: error: uplink 'x', option 'remote': remote is missing"),
        (
            "config uplink x\noption type 6in4\noption remote 224.0.0.1",
            "line 6: error: uplink 'x', option 'remote': '224.0.0.1' is a multicast",
        ),
        (
            "config uplink x\noption type 6rd\noption remote 192.0.2.1\noption prefix_6rd 2001:db8:100::/40",
            "line 7: error: uplink 'x', option 'prefix_6rd': a prefix of 72 bits would come out",
        ),
        (
            "config uplink a_very_long_name\noption type 6to4",
            "line 4: error: uplink 'a_very_long_name': its name has more than 12 letters",
        ),
        (
            "config uplink x\noption type 6to4\nlist lan hme",
            "line 6: error: uplink 'x', option 'lan': there is no lan 'hme'; did you mean 'home'?",
        ),
        ("config pinhole p", "line 4: error: pinhole 'p', option 'host': nothing tells whom"),
        (
            "config pinhole p\noption host_id ::1",
            "line 5: error: pinhole 'p', option 'host_id': nothing tells which LAN",
        ),
        (
            "config pinhole p\noption host a\nlist port 0",
            "line 6: error: pinhole 'p', option 'port': '0' is not from 1",
        ),
        (
            "config pinhole p\noption host a\nlist port 9-1",
            "line 6: error: pinhole 'p', option 'port': '9-1' ends before",
        ),
        (
            "config pinhole p\noption host a\nlist port 9\nlist proto all",
            "line 6: error: pinhole 'p', option 'port': there are ports",
        ),
    ] {
        let said = problem(&format!("{lan}{section}\n")).to_string();
        assert!(said.starts_with(told), "{section}\n  says {said}\n  not  {told}");
    }
}

use super::*;
use crate::config::{Config, Device, DnsMode, Ula, read};
use std::path::Path;

/// A file of the project that is made from the schema: it must be what the schema says. `UPDATE=1` writes it.
fn same(path: &str, content: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == content, "{} is not what the schema says; run the tests once with UPDATE=1", path.display());
}

#[test]
fn the_shipped_configuration_is_made_from_the_schema() {
    same("files/etc/config/oasis6", &example());
}

#[test]
fn the_option_tables_are_made_from_the_schema() {
    let title = "# Options of /etc/config/oasis6\n\n\
        Made from the schema (`src/config/schema`): don't edit it here. `oasis6 schema` shows the same.\n\n";
    same("src/config/OPTIONS.md", &format!("{title}{}", readme_table()));
}

#[test]
fn the_form_of_luci_is_made_from_the_schema() {
    same("luci-app/htdocs/luci-static/resources/oasis6/schema.js", &luci::luci());
}

#[test]
fn every_option_has_a_label_in_luci() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("luci-app/htdocs/luci-static/resources/oasis6/labels.js");
    let labels = std::fs::read_to_string(file).unwrap();
    for section in sections() {
        let start = labels.find(&format!("\n\t{}: {{\n", section.kind)).expect(section.kind);
        let part = labels[start..].split("\n\t}").next().unwrap();
        for option in section.options {
            assert!(part.contains(&format!("\n\t\t{}: _('", option.name)), "{} {}", section.kind, option.name);
        }
    }
}

#[test]
fn luci_knows_every_check_that_the_schema_asks_it_for() {
    const KNOWN: &[&str] = &[
        "and",
        "cidr6",
        "directory",
        "file",
        "hostname",
        "ip4addr",
        "ip6addr",
        "length",
        "macaddr",
        "maxlength",
        "minlength",
        "or",
        "portrange",
        "range",
        "string",
        "uciname",
        "uinteger",
    ];
    for option in sections().into_iter().flat_map(|section| section.options) {
        let unquoted: String = option.datatype.split('"').step_by(2).collect();
        let words =
            unquoted.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.starts_with(char::is_alphabetic));
        for word in words {
            assert!(KNOWN.contains(&word), "{}: {word}", option.name);
        }
    }
}

#[test]
fn the_shipped_configuration_serves_the_interface_lan_once_it_is_enabled() {
    let shipped = read(example().as_bytes());
    assert_eq!(shipped.problems, []);
    let config = shipped.config.unwrap();
    assert!(!config.enabled);
    assert_eq!(config.ula, Ula::Auto);
    assert_eq!(config.lans["lan"].device, Device::Interface("lan".into()));
    assert_eq!(config.dns.as_ref().map(|dns| (dns.mode, dns.port)), Some((DnsMode::Behind, 5356)));
    assert_eq!(Config { lans: Default::default(), dns: None, ..config }, Config::default());
    let enabled = example().replace("option enabled '0'", "option enabled '1'");
    assert!(read(enabled.as_bytes()).config.unwrap().enabled);
}

#[test]
fn each_line_of_the_shipped_configuration_may_be_uncommented_alone() {
    let example = example();
    let lines: Vec<&str> = example.lines().collect();
    let mut count = 0;
    for (index, line) in lines.iter().enumerate() {
        let commented = ["#option", "#list"].iter().any(|start| line.trim_start().starts_with(start));
        // The section that it belongs to; DNR's options stand for one thing, and so do device and interface.
        if !commented || line.contains("dnr_") || line.contains("option device") {
            continue;
        }
        let section = (0..index).rev().find(|above| lines[*above].contains("config ")).unwrap();
        let own = lines[section].trim_start_matches('#');
        let name = line.split_whitespace().nth(1).unwrap();
        let of = sections().into_iter().flat_map(|s| s.options).find(|o| o.name == name && !o.of.is_empty());
        let of = of.and_then(|option| option.of.first().copied()).unwrap_or("native");
        let uplink = format!(
            "option type {of}\n{}",
            match (of, name) {
                (_, "interface") => "list prefix 2001:db8::/48\n",
                ("static", "prefix" | "address") => "option device eth1\n",
                ("static", _) => "option device eth1\nlist prefix 2001:db8::/48\n",
                ("native", _) => "option device eth1\n",
                ("wireguard", "peer_key") => "option endpoint a:1\n",
                ("wireguard", "endpoint") => "option peer_key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n",
                ("wireguard", _) =>
                    "option endpoint a:1\noption peer_key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n",
                ("6in4", "local" | "ttl" | "update_url") => "option remote 192.0.2.9\n",
                ("6rd", "prefix_6rd") => "option remote 192.0.2.9\n",
                ("6rd", _) => "option remote 192.0.2.9\noption prefix_6rd 2001:db8::/32\n",
                _ => "",
            }
        );
        let needed = if own.contains("uplink") && name != "type" {
            &uplink
        } else if own.contains("uplink") {
            "option device eth1\n"
        } else if own.contains("pinhole") && !["host", "host_id", "lan"].contains(&name) {
            "option host printer\n"
        } else if own.contains("pinhole") && name == "host_id" {
            "option lan lan\n"
        } else if own.contains("pinhole") && name == "lan" {
            "option host_id ::53\n"
        } else if own.contains("prefix 'isp'") && !line.contains("option prefix") {
            "option prefix 2001:db8::/48\n"
        } else if own.contains("lan 'lan'") && !line.contains("interface") {
            "option interface lan\n"
        } else if own.contains("config key") && name != "secret" {
            "list name a.lan\noption secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4=\n"
        } else if own.contains("publish") {
            match name {
                "zone" => "option key laptop\n",
                "key" => "option zone dyn.example\n",
                _ => "option zone dyn.example\noption key laptop\n",
            }
        } else if own.contains("host") {
            "list mac 02:00:5e:00:53:02\noption name x\n"
        } else {
            ""
        };
        let key = match own.contains("publish") {
            true => "config key laptop\noption secret c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4=\n",
            false => "",
        };
        let lan = if ["prefix 'isp'", "uplink", "pinhole"].iter().any(|section| own.contains(section)) {
            "config lan lan\noption interface lan\n"
        } else {
            ""
        };
        let globals = if own.contains("oasis6") { "" } else { "config oasis6\n" };
        let text = format!("{globals}{lan}{key}{own}\n{needed}{}\n", line.replace('#', ""));
        assert_eq!(read(text.as_bytes()).problems, [], "{text}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn all_of_it_uncommented_has_only_the_contradiction_of_device_and_interface() {
    // an uplink is of one type, and a pinhole leads to one host
    let whole = example();
    let (before, uplink) = whole.split_once("#config uplink").unwrap();
    let (_, after) = uplink.split_once("#config prefix").unwrap();
    let (after, pinhole) = after.split_once("#config pinhole").unwrap();
    let (_, dns) = pinhole.split_once("config dns").unwrap();
    let all: String = format!("{before}#config prefix{after}config dns{dns}")
        .lines()
        .filter(|line| !line.contains("option device"))
        .map(|line| match line.trim_start() {
            comment if comment.starts_with("# ") => "\n".to_owned(),
            line => format!("{}\n", line.trim_start_matches('#')),
        })
        .collect();
    let reading = read(all.as_bytes());
    assert_eq!(reading.problems, [], "{all}");
    let config = reading.config.unwrap();
    assert_eq!((config.lans.len(), config.prefixes.len(), config.hosts.len()), (1, 1, 1));
    assert_eq!((config.keys.len(), config.publish.len()), (1, 1));
    let ra = config.lans["lan"].ra.as_ref().unwrap();
    assert_eq!(ra.dnr.as_ref().unwrap().params, "alpn=dot port=853");
}

#[test]
fn json_has_every_option_once() {
    let json = json();
    let sections = json["sections"].as_array().unwrap();
    let kinds: Vec<_> = sections.iter().map(|section| section["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["oasis6", "lan", "uplink", "prefix", "host", "pinhole", "dns", "key", "publish"]);
    let lan = sections[1]["options"].as_array().unwrap();
    let max = lan.iter().find(|option| option["name"] == "ra_max_interval").unwrap();
    assert_eq!(max["default"], "600");
    assert_eq!(max["datatype"], "and(uinteger,range(4,65535))");
    assert_eq!(max["unit"], "seconds");
    let min = lan.iter().find(|option| option["name"] == "ra_min_interval").unwrap();
    assert_eq!(min["default"], Value::Null);
    assert_eq!(min["otherwise"], "0.33 × ra_max_interval");
}

#[test]
fn text_for_a_terminal_fits_and_has_every_option() {
    let text = text();
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    for section in sections() {
        assert!(text.contains(&format!("config {}", section.kind)));
        for option in section.options {
            assert!(text.contains(&format!(" {} ", option.name)), "{}", option.name);
        }
    }
}

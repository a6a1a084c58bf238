use crate::config::uci::{self, Section};
use crate::net::FlatMap;

/// OpenWrt's interfaces and the devices they are on, from `/etc/config/network`. Interfaces without a device of their
/// own are left out; so is whatever can't be read.
///
/// `option device 'br-lan'`, or `ifname` as it was called before 21.02, where `type bridge` meant the device
/// `br-NAME`; `@lan` means the device of another interface.
pub fn interfaces(network: &[u8]) -> FlatMap<String, String> {
    if network.len() > super::MAX_FILE_SIZE {
        return FlatMap::new();
    }
    let file = uci::parse(network);
    let sections = file.sections.iter().filter(|section| section.kind == "interface" && !section.anonymous);
    let devices: FlatMap<&str, String> =
        sections.filter_map(|section| Some((section.name.as_str(), device(section)?))).collect();
    let resolved = devices.keys().filter_map(|name| Some(((*name).to_owned(), resolve(name, &devices)?.to_owned())));
    resolved.collect()
}

/// What the section itself says: a device, or `@` and an interface.
fn device(section: &Section) -> Option<String> {
    if first_word(section, "type").as_deref() == Some("bridge") {
        return Some(format!("br-{}", section.name));
    }
    first_word(section, "device").or_else(|| first_word(section, "ifname"))
}

fn first_word(section: &Section, option: &str) -> Option<String> {
    let entry = section.options.iter().find(|entry| entry.name == option)?;
    let text = std::str::from_utf8(&entry.items.first()?.value).ok()?;
    text.split_ascii_whitespace().next().map(str::to_owned)
}

/// Follows `@`; an interface that is on itself has no device.
fn resolve<'a>(name: &str, devices: &'a FlatMap<&str, String>) -> Option<&'a str> {
    /// Nobody builds interfaces on interfaces deeper than this.
    const DEPTH: usize = 8;
    let mut device = devices.get(name)?.as_str();
    for _ in 0..DEPTH {
        match device.strip_prefix('@') {
            None => return Some(device),
            Some(other) => device = devices.get(other)?,
        }
    }
    None
}

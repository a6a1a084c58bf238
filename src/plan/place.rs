//! Which device each LAN is on, and why it can't be served there.

use super::{Actual, Address, AddressState, Facts, Trouble, device_sysctl};
use crate::config::{Config, Device, Lan};
use crate::net::{FlatMap, is_link_local};
use std::net::Ipv6Addr;

/// IPv6 needs links that carry packets of this size (RFC 8200 §5); Linux has no IPv6 on smaller ones.
const MIN_MTU: u32 = 1280;

/// Where a LAN is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    /// The device's name; empty when it isn't known.
    pub(super) device: String,
    /// Index of the device, if it can hold IPv6 addresses of this LAN.
    pub(super) link: Option<u32>,
    /// Whether the device is up.
    pub(super) up: bool,
    /// A usable link-local address there.
    pub(super) link_local: Option<Ipv6Addr>,
    /// Why hosts can't be served; empty when they can.
    pub(super) why: String,
    /// What to do about it; empty: nothing.
    remedy: String,
}

impl Place {
    fn waits(mut self, why: String, remedy: &str) -> Place {
        self.why = why;
        remedy.clone_into(&mut self.remedy);
        self
    }

    /// What a person should know.
    pub(super) fn trouble(&self, lan: &str) -> Option<Trouble> {
        (!self.remedy.is_empty()).then(|| Trouble {
            place: format!("lan {lan}"),
            message: self.why.clone(),
            remedy: self.remedy.clone(),
        })
    }
}

/// Finds every LAN's place. Of several LANs on one device the first by name has it.
pub(super) fn places<'a>(config: &'a Config, facts: &Facts) -> FlatMap<&'a str, Place> {
    let mut owners = FlatMap::new();
    let mut place = |(name, lan): (&'a String, &Lan)| {
        let place = locate(lan, facts);
        let Some(link) = place.link.filter(|_| lan.enabled) else { return (name.as_str(), place) };
        let owner = *owners.or_insert(link, name.as_str());
        let place = if owner == name { place } else { taken(place, owner) };
        (name.as_str(), place)
    };
    config.lans.iter().map(&mut place).collect()
}

/// The links of the LANs that are served, by section name.
pub fn lan_links(config: &Config, facts: &Facts) -> FlatMap<String, u32> {
    let places = places(config, facts);
    places.iter().filter_map(|(lan, place)| Some(((*lan).to_owned(), place.link?))).collect()
}

fn taken(place: Place, owner: &str) -> Place {
    let why = format!("{} is served as lan {owner} already", place.device);
    Place { link: None, ..place }.waits(why, "give each lan a device of its own, or take one of the two out")
}

/// The device that a LAN is on by the configuration; `None`: netifd knows no such interface.
pub(super) fn device<'a>(lan: &'a Lan, facts: &'a Facts) -> Option<&'a str> {
    match &lan.device {
        Device::Name(name) => Some(name),
        Device::Interface(name) => facts.interfaces.get(name).map(String::as_str),
    }
}

fn locate(lan: &Lan, facts: &Facts) -> Place {
    let place = Place::default();
    let Some(device) = device(lan, facts) else {
        let (Device::Name(name) | Device::Interface(name)) = &lan.device;
        let why = format!("there is no interface {name} with a device in the network configuration");
        return place.waits(why, "name an interface of /etc/config/network, or a device by `option device`");
    };
    let place = Place { device: device.to_owned(), ..place };
    if !lan.enabled {
        return place.waits("it is disabled in the configuration".into(), "");
    }
    let Some((index, link)) = facts.actual.link_named(device) else {
        return place.waits(format!("there is no device {device}"), "create it, or name another; it is waited for");
    };
    if facts.actual.sysctls.get(&device_sysctl(device, "disable_ipv6")).is_some_and(|value| value.trim() != "0") {
        let remedy = format!("run `sysctl -w net/ipv6/conf/{device}/disable_ipv6=0`, and find out who set it");
        return place.waits(format!("IPv6 is disabled on {device} (disable_ipv6)"), &remedy);
    }
    if link.mtu < MIN_MTU {
        let why = format!("the MTU of {device} is {}, and IPv6 needs at least {MIN_MTU}", link.mtu);
        return place.waits(why, "raise the device's MTU");
    }
    let link_local = facts.actual.link_local(index);
    let place = Place { link: Some(index), up: link.up, link_local, ..place };
    match (link.up, link_local, duplicate_link_local(&facts.actual, index)) {
        (false, ..) => place.waits(format!("{device} is down"), "bring the device up, or plug a cable in"),
        (true, None, Some(addr)) => {
            let why = format!("another host uses the link-local address {addr} of {device}");
            place.waits(why, "find the host with the same MAC address, or a loop; then take the device down and up")
        }
        (true, None, None) => place.waits(format!("{device} has no link-local address yet"), ""),
        (true, Some(_), _) => place,
    }
}

fn duplicate_link_local(actual: &Actual, link: u32) -> Option<Ipv6Addr> {
    let is_duplicate = |addr, address: &Address| is_link_local(addr) && address.state == AddressState::Duplicate;
    actual.addresses_of(link).find(|(addr, address)| is_duplicate(*addr, address)).map(|(addr, _)| addr)
}

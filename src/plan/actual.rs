use crate::net::{FlatMap, FlatSet, Lifetimes, Mac, Prefix};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::guard::Guard;
use super::{Device, Key, Op, RouteTarget, Value};

/// The kernel as we last heard of it. Filled by one dump, kept by [`Change`]s, replaced whole when one was lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// Links by index.
    pub links: FlatMap<u32, Link>,
    /// Tunnel devices of ours by name, those included that were made a moment ago and are no link yet.
    pub devices: FlatMap<String, Device>,
    /// IPv4 addresses by link and address, with the lengths of their prefixes.
    pub ipv4: FlatMap<(u32, Ipv4Addr), u8>,
    /// IPv6 addresses by link and address.
    pub addresses: FlatMap<(u32, Ipv6Addr), Address>,
    /// IPv6 routes by [`Key::Route`]: ours, and those of others that lead to all of 2000::/3.
    pub routes: BTreeMap<Key, Route>,
    /// Values of the sysctls we care for, by name with dots, as `net.ipv6.conf.all.forwarding`.
    pub sysctls: FlatMap<String, String>,
    /// Addresses that the kernel answers for on a link, those that are ours.
    pub proxies: FlatSet<(u32, Ipv6Addr)>,
    /// The packet filter.
    pub filter: Filter,
}

/// The packet filter as far as we care.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// What stands in it of ours; the default [`Guard`] for something of ours that is not as we made it.
    pub guard: Option<Arc<Guard>>,
    /// If OpenWrt's firewall4 is in force: hosts `NAME` for whom the owner has declared a set `o6_NAME`.
    pub firewall4: Option<FlatSet<String>>,
}

/// A network device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its Ethernet address, where it has one.
    pub mac: Option<Mac>,
    /// Administratively up and with carrier.
    pub up: bool,
    /// MTU in bytes.
    pub mtu: u32,
}

/// Who made an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// oasis6.
    Ours,
    /// Anybody else: never touched.
    Foreign,
}

/// State of an address (RFC 4862 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressState {
    /// Duplicate address detection goes on.
    Tentative,
    /// In use.
    Ready,
    /// Somebody else has it.
    Duplicate,
}

/// An IPv6 address of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Length of its prefix.
    pub len: u8,
    /// How long it lives.
    pub lifetimes: Lifetimes,
    /// Whether it can be used.
    pub state: AddressState,
    /// Who made it.
    pub tag: Tag,
}

impl Address {
    /// Whether packets may leave with it as their source.
    pub fn is_usable(&self) -> bool {
        self.state == AddressState::Ready
    }
}

/// An IPv6 route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub target: RouteTarget,
    /// Who made it.
    pub tag: Tag,
}

/// One thing that changed in the kernel.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Everything, after a dump.
    All(Actual),
    /// A link is new or changed.
    Link(u32, Link),
    /// A link is gone, with its addresses and routes, and the device that it was.
    LinkGone(u32),
    /// A tunnel device of ours is new or changed. Comes behind the change of its link.
    Device(String, Device),
    /// An IPv4 address is new or changed, with the length of its prefix.
    Ipv4(u32, Ipv4Addr, u8),
    /// An IPv4 address is gone.
    Ipv4Gone(u32, Ipv4Addr),
    /// An address is new or changed.
    Address(u32, Ipv6Addr, Address),
    /// An address is gone.
    AddressGone(u32, Ipv6Addr),
    /// A route is new or changed.
    Route(Key, Route),
    /// A route is gone.
    RouteGone(Key),
    /// A sysctl has a new value.
    Sysctl(String, String),
    /// The packet filter, read anew.
    Filter(Filter),
}

impl Actual {
    /// Takes a change in; `false` if it was known already.
    pub fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::All(mut all) => {
                for (name, device) in &self.devices {
                    if let Some(is) = all.devices.get_mut(name) {
                        is.remember(device);
                    }
                }
                let new = *self != all;
                *self = all;
                new
            }
            Change::Link(index, link) => {
                if !link.up {
                    self.proxies.retain(|(on, _)| *on != index);
                }
                let was = self.links.insert(index, link.clone());
                if let Some(was) = was.as_ref().filter(|was| was.name != link.name) {
                    self.devices.remove(&was.name);
                }
                was.as_ref() != Some(&link)
            }
            Change::LinkGone(index) => {
                self.addresses.retain(|(link, _), _| *link != index);
                self.proxies.retain(|(on, _)| *on != index);
                self.routes.retain(|_, route| route.target.link() != Some(index));
                self.ipv4.retain(|(link, _), _| *link != index);
                let gone = self.links.remove(&index);
                if let Some(link) = &gone {
                    self.devices.remove(&link.name);
                }
                gone.is_some()
            }
            Change::Device(name, mut device) => {
                let before = self.devices.get(&name);
                if let Some(before) = before {
                    device.remember(before);
                }
                let new = before != Some(&device);
                self.devices.insert(name, device);
                new
            }
            Change::Ipv4(link, addr, len) => self.ipv4.insert((link, addr), len) != Some(len),
            Change::Ipv4Gone(link, addr) => self.ipv4.remove(&(link, addr)).is_some(),
            Change::Address(link, addr, address) => {
                self.addresses.insert((link, addr), address.clone()).as_ref() != Some(&address)
            }
            Change::AddressGone(link, addr) => self.addresses.remove(&(link, addr)).is_some(),
            Change::Route(key, route) => self.routes.insert(key, route.clone()).as_ref() != Some(&route),
            Change::RouteGone(key) => self.routes.remove(&key).is_some(),
            Change::Filter(filter) => {
                let new = self.filter != filter;
                self.filter = filter;
                new
            }
            Change::Sysctl(name, value) => self.sysctls.insert(name, value.clone()).as_ref() != Some(&value),
        }
    }

    /// Takes in a change of ours that the kernel made; its own news of it follows and may say more. What somebody else
    /// made meanwhile under the same key stands.
    pub fn apply_op(&mut self, op: &Op) {
        let foreign = matches!(self.get(op.key()), Some((_, Tag::Foreign)));
        match op {
            Op::Put(Key::Sysctl(name), Value::Sysctl(value)) => {
                self.sysctls.insert(name.clone(), value.clone());
            }
            _ if foreign => {}
            Op::Put(Key::Guard, Value::Guard(guard)) => self.filter.guard = Some(guard.clone()),
            Op::Delete(Key::Guard, _) => self.filter.guard = None,
            Op::Put(Key::Proxy { link, addr }, Value::Proxy) => {
                if self.links.get(link).is_some_and(|link| link.up) {
                    self.proxies.insert((*link, *addr));
                }
            }
            Op::Delete(Key::Proxy { link, addr }, _) => _ = self.proxies.remove(&(*link, *addr)),
            Op::Put(Key::Device(name), Value::Device(device)) => {
                self.devices.insert(name.clone(), device.clone());
            }
            Op::Delete(Key::Device(name), _) => {
                self.devices.remove(name);
            }
            Op::Put(Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
                if self.links.contains_key(link) {
                    let state = self.addresses.get(&(*link, *addr)).map_or(AddressState::Tentative, |was| was.state);
                    let address = Address { len: *len, lifetimes: *lifetimes, state, tag: Tag::Ours };
                    self.addresses.insert((*link, *addr), address);
                }
            }
            Op::Put(key @ Key::Route { .. }, Value::Route(target)) => {
                if target.link().is_none_or(|link| self.links.contains_key(&link)) {
                    self.routes.insert(key.clone(), Route { target: *target, tag: Tag::Ours });
                }
            }
            Op::Delete(Key::Address { link, addr }, _) => {
                self.addresses.remove(&(*link, *addr));
            }
            Op::Delete(key @ Key::Route { .. }, _) => {
                self.routes.remove(key);
            }
            // a key with another object's value is never planned; a sysctl is never deleted
            Op::Put(..) | Op::Delete(Key::Sysctl(_), _) => {}
        }
    }

    /// The object under `key` and who made it; sysctls are nobody's and count as ours.
    pub fn get(&self, key: &Key) -> Option<(Value, Tag)> {
        match key {
            Key::Device(name) => self.devices.get(name).map(|device| (Value::Device(device.clone()), Tag::Ours)),
            Key::Sysctl(name) => self.sysctls.get(name).map(|value| (Value::Sysctl(value.clone()), Tag::Ours)),
            Key::Address { link, addr } => self
                .addresses
                .get(&(*link, *addr))
                .map(|address| (Value::Address { len: address.len, lifetimes: address.lifetimes }, address.tag)),
            Key::Proxy { link, addr } => self.proxies.get(&(*link, *addr)).map(|_| (Value::Proxy, Tag::Ours)),
            Key::Guard => self.filter.guard.clone().map(|guard| (Value::Guard(guard), Tag::Ours)),
            Key::Route { .. } => self.routes.get(key).map(|route| (Value::Route(route.target), route.tag)),
        }
    }

    /// Index and state of the link named `name`.
    pub fn link_named(&self, name: &str) -> Option<(u32, &Link)> {
        self.links.iter().find(|(_, link)| link.name == name).map(|(index, link)| (*index, link))
    }

    /// A usable link-local address of `link`: needed to send router advertisements (RFC 4861 §6.1.2). The kernel's own
    /// before one of ours, which is made of a name and may go: hosts take another address for another router.
    pub fn link_local(&self, link: u32) -> Option<Ipv6Addr> {
        let all = self.addresses_of(link);
        let usable = all.filter(|(addr, address)| crate::net::is_link_local(*addr) && address.is_usable());
        usable.min_by_key(|(_, address)| address.tag == Tag::Ours).map(|(addr, _)| addr)
    }

    /// The addresses of `link`, in order.
    pub fn addresses_of(&self, link: u32) -> impl Iterator<Item = (Ipv6Addr, &Address)> {
        let all = self.addresses.range((link, Ipv6Addr::UNSPECIFIED)..=(link, Ipv6Addr::from(u128::MAX)));
        all.map(|((_, addr), address)| (*addr, address))
    }

    /// Whether a route of whatever origin leads to all of 2000::/3 over a link that is up, source-specific ones included
    /// (odhcpd#388, openwrt#23246): that is when we may call ourselves a default router (RFC 7084 G-4).
    pub fn has_default_route(&self) -> bool {
        let is_up = |link: u32| self.links.get(&link).is_some_and(|link| link.up);
        self.routes.iter().any(|(key, route)| match key {
            // a route for one address of ours is there to ask whether an uplink is alive again
            Key::Route { src, .. } if route.tag == Tag::Ours && src.len() == 128 => false,
            Key::Route { dst, .. } => {
                let leads = route.target != RouteTarget::Unreachable && route.target.link().is_none_or(is_up);
                leads && dst.covers(&Prefix::GLOBAL)
            }
            _ => false,
        })
    }
}

//! A kernel in memory, for tests and the simulator: links, tunnel devices, addresses, routes and sysctls that behave as Linux does.
//!
//! It tells what changes by [`FakeKernel::news`], makes link-local addresses and connected routes by itself, detects
//! duplicate addresses, lets addresses expire, and on request goes wrong: refuses, loses news, crashes half way.
//! Time is an argument, as everywhere: nothing expires but by [`FakeKernel::advance`].

mod devices;

use super::{Kernel, Refusal};
use crate::net::{FlatMap, Instant, Lifetimes, Mac, Prefix, Until, with_iid};
use crate::plan::{
    Actual, Address, AddressState, Change, Device, DeviceKind, Key, Link, Op, Route, RouteTarget, Tag, Value,
    device_sysctl,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv6Addr;

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EACCES: i32 = 13;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const EOPNOTSUPP: i32 = 95;
const ENETDOWN: i32 = 100;
const EHOSTUNREACH: i32 = 113;

/// How long duplicate address detection takes: DupAddrDetectTransmits × RetransTimer (RFC 4862 §5.1), in milliseconds.
pub const DAD_MS: u64 = 1_000;
/// How much news waits for a reader before it is lost, as a socket's buffer is bounded.
const NEWS: usize = 10_000;
/// Metric of the routes that the kernel makes by itself (IP6_RT_PRIO_ADDRCONF).
const CONNECTED_METRIC: u32 = 256;
const FORWARDING: &str = "net.ipv6.conf.all.forwarding";
const DISABLE: &str = "disable_ipv6";
/// Sysctls that a device has, and their values at first.
const OF_DEVICE: [(&str, &str); 3] = [(DISABLE, "0"), ("accept_ra", "1"), ("proxy_ndp", "0")];

/// The kernel.
#[derive(Clone, Debug)]
pub struct FakeKernel {
    now: Instant,
    actual: Actual,
    next_index: u32,
    admin_down: BTreeSet<u32>,
    no_carrier: BTreeSet<u32>,
    /// Running duplicate address detections and their ends.
    detecting: BTreeMap<(u32, Ipv6Addr), Instant>,
    /// Addresses that somebody else on the link uses.
    used_elsewhere: BTreeSet<Ipv6Addr>,
    /// The kinds of tunnel devices that it can't make.
    missing: Vec<DeviceKind>,
    news: VecDeque<Change>,
    lost: bool,
    refuse: u32,
    crash_after: Option<u32>,
    wrongs: Vec<String>,
}

impl FakeKernel {
    /// A kernel without links, forwarding off.
    pub fn new(now: Instant) -> FakeKernel {
        let sysctls = FlatMap::from([(FORWARDING.to_owned(), "0".to_owned())]);
        FakeKernel {
            now,
            actual: Actual { sysctls, ..Actual::default() },
            next_index: 1,
            admin_down: BTreeSet::new(),
            no_carrier: BTreeSet::new(),
            detecting: BTreeMap::new(),
            used_elsewhere: BTreeSet::new(),
            missing: Vec::new(),
            news: VecDeque::new(),
            lost: false,
            refuse: 0,
            crash_after: None,
            wrongs: Vec::new(),
        }
    }

    /// What is, to the millisecond: `read` tells lifetimes in whole seconds.
    pub fn actual(&self) -> &Actual {
        &self.actual
    }

    /// What no well-behaved daemon does: deletions of what it does not own. Empty after a good run.
    pub fn wrongs(&self) -> &[String] {
        &self.wrongs
    }

    /// What changed since the last call; `None` when news got lost, so that everything has to be read.
    pub fn news(&mut self) -> Option<Vec<Change>> {
        let news = self.news.drain(..).collect();
        (!std::mem::take(&mut self.lost)).then_some(news)
    }

    /// Whether there is news, or lost news.
    pub fn has_news(&self) -> bool {
        self.lost || !self.news.is_empty()
    }

    /// Loses the news that waits (ENOBUFS).
    pub fn lose_news(&mut self) {
        self.news.clear();
        self.lost = true;
    }

    /// Refuses the next `count` operations.
    pub fn refuse(&mut self, count: u32) {
        self.refuse = count;
    }

    /// After `ops` more operations the caller crashes: those behind are not done.
    pub fn crash_after(&mut self, ops: u32) {
        self.crash_after = Some(ops);
    }

    /// Whether the caller crashed.
    pub fn has_crashed(&self) -> bool {
        self.crash_after == Some(0)
    }

    /// Whether the caller crashed, which ends the crash.
    pub fn crashed(&mut self) -> bool {
        self.crash_after.take_if(|left| *left == 0).is_some()
    }

    /// When something happens next by itself: an address expires or is detected to be unique.
    pub fn poll_at(&self) -> Option<Instant> {
        let detected = self.detecting.iter().filter(|((link, _), _)| self.is_up(*link)).map(|(_, at)| *at);
        let ends = self.actual.addresses.values().flat_map(|a| [a.lifetimes.preferred, a.lifetimes.valid]);
        let ends = ends.filter_map(|end| if let Until::At(at) = end { Some(at) } else { None });
        detected.chain(ends.filter(|at| *at > self.now)).min()
    }

    /// Lets time pass: addresses are deprecated, expire, or turn out to be unique or not.
    pub fn advance(&mut self, now: Instant) {
        let before = std::mem::replace(&mut self.now, now);
        let done = self.detecting.iter().filter(|((link, _), at)| **at <= now && self.is_up(*link));
        let done: Vec<(u32, Ipv6Addr)> = done.map(|(at, _)| *at).collect();
        for at in done {
            self.detecting.remove(&at);
            let state = if self.used_elsewhere.contains(&at.1) { AddressState::Duplicate } else { AddressState::Ready };
            match self.actual.addresses.get_mut(&at) {
                // as Linux does: a duplicate stays only if it was to stay for ever
                Some(address) if state == AddressState::Duplicate && address.lifetimes.valid != Until::Forever => {
                    self.remove_address(at.0, at.1);
                }
                Some(address) => {
                    address.state = state;
                    self.tell_address(at);
                }
                None => {}
            }
        }
        let changed = self.actual.addresses.iter().filter(|(_, address)| {
            let Lifetimes { preferred, valid } = address.lifetimes;
            valid.is_over(now) || preferred.is_over(now) && !preferred.is_over(before)
        });
        let changed: Vec<((u32, Ipv6Addr), bool)> =
            changed.map(|(at, address)| (*at, address.lifetimes.valid.is_over(now))).collect();
        for (at, over) in changed {
            if over { self.remove_address(at.0, at.1) } else { self.tell_address(at) }
        }
    }

    /// A new link; its index is one never used before.
    pub fn add_link(&mut self, name: &str, mac: Option<Mac>) -> u32 {
        let index = self.next_index;
        self.next_index += 1;
        self.actual.links.insert(index, Link { name: name.to_owned(), mac, up: true, mtu: 1500 });
        for (leaf, value) in OF_DEVICE {
            self.set_sysctl(&device_sysctl(name, leaf), value);
        }
        self.tell(Change::Link(index, Link { name: name.to_owned(), mac, up: true, mtu: 1500 }));
        self.come_up(index);
        index
    }

    /// The link is gone, with its addresses, routes and sysctls.
    pub fn remove_link(&mut self, index: u32) {
        let Some(link) = self.actual.links.get(&index) else { return };
        for (leaf, _) in OF_DEVICE {
            self.actual.sysctls.remove(&device_sysctl(&link.name, leaf));
        }
        self.flush(index);
        self.admin_down.remove(&index);
        self.no_carrier.remove(&index);
        self.actual.apply(Change::LinkGone(index));
        self.tell(Change::LinkGone(index));
    }

    /// Changes a link's name, MAC address or MTU. The addresses stay, the link-local one too.
    pub fn change_link(&mut self, index: u32, change: impl FnOnce(&mut Link)) {
        let Some(link) = self.actual.links.get_mut(&index) else { return };
        let was = link.name.clone();
        change(link);
        let link = link.clone();
        for (leaf, _) in OF_DEVICE.into_iter().filter(|_| was != link.name) {
            if let Some(value) = self.actual.sysctls.remove(&device_sysctl(&was, leaf)) {
                self.set_sysctl(&device_sysctl(&link.name, leaf), &value);
            }
        }
        self.tell(Change::Link(index, link));
    }

    /// The cable is plugged in or out; addresses and routes stay.
    pub fn set_carrier(&mut self, index: u32, there: bool) {
        if there {
            self.no_carrier.remove(&index)
        } else {
            self.no_carrier.insert(index)
        };
        self.show_state(index);
    }

    /// `ip link set up` or `down`; down loses addresses and routes.
    pub fn set_admin(&mut self, index: u32, up: bool) {
        if up {
            self.admin_down.remove(&index);
        } else {
            self.admin_down.insert(index);
            self.flush(index);
        }
        self.show_state(index);
    }

    /// Somebody else makes an address, ready at once.
    pub fn add_foreign_address(&mut self, link: u32, addr: Ipv6Addr, len: u8, lifetimes: Lifetimes) {
        if self.actual.links.contains_key(&link) {
            let address = Address { len, lifetimes, state: AddressState::Ready, tag: Tag::Foreign };
            self.actual.addresses.insert((link, addr), address);
            self.tell_address((link, addr));
            self.connect((link, addr));
        }
    }

    /// An address goes, whoever made it.
    pub fn remove_address(&mut self, link: u32, addr: Ipv6Addr) {
        if let Some(address) = self.actual.addresses.remove(&(link, addr)) {
            self.detecting.remove(&(link, addr));
            self.tell(Change::AddressGone(link, addr));
            self.disconnect(link, addr, address.len);
        }
    }

    /// Somebody else makes a route.
    pub fn add_foreign_route(&mut self, key: Key, target: RouteTarget) {
        self.insert_route(key, Route { target, tag: Tag::Foreign });
    }

    /// A route goes, whoever made it.
    pub fn remove_route(&mut self, key: &Key) {
        if self.actual.routes.remove(key).is_some() {
            self.tell(Change::RouteGone(key.clone()));
        }
    }

    /// Somebody sets a sysctl, or one comes into being. `disable_ipv6` does what it says.
    pub fn set_sysctl(&mut self, name: &str, value: &str) {
        let was = self.actual.sysctls.insert(name.to_owned(), value.to_owned());
        if was.as_deref() == Some(value) {
            return;
        }
        self.tell(Change::Sysctl(name.to_owned(), value.to_owned()));
        let link = self.actual.links.iter().find(|(_, link)| device_sysctl(&link.name, DISABLE) == name);
        if let Some((index, _)) = link {
            let index = *index;
            if value == "1" { self.flush(index) } else { self.come_up(index) }
        }
    }

    /// Another host begins or ceases to use `addr`: duplicate address detection of it fails from now on, or works.
    pub fn set_used_elsewhere(&mut self, addr: Ipv6Addr, used: bool) {
        if used {
            self.used_elsewhere.insert(addr)
        } else {
            self.used_elsewhere.remove(&addr)
        };
    }

    /// The machine starts anew: links come back under the same names with new indexes, everything else is gone.
    pub fn reboot(&mut self) {
        let devices = std::mem::take(&mut self.actual.devices);
        let mut links = std::mem::take(&mut self.actual.links);
        links.retain(|_, link| !devices.contains_key(&link.name));
        let mut fresh = FakeKernel::new(self.now);
        fresh.next_index = self.next_index;
        fresh.used_elsewhere = std::mem::take(&mut self.used_elsewhere);
        fresh.missing = std::mem::take(&mut self.missing);
        fresh.wrongs = std::mem::take(&mut self.wrongs);
        for (old, link) in links {
            let index = fresh.add_link(&link.name, link.mac);
            if self.no_carrier.contains(&old) {
                fresh.set_carrier(index, false);
            }
        }
        *self = fresh;
        self.news.clear();
    }

    fn tell(&mut self, change: Change) {
        if self.news.len() >= NEWS {
            self.lose_news();
        }
        if !self.lost {
            self.news.push_back(change);
        }
    }

    fn tell_address(&mut self, at: (u32, Ipv6Addr)) {
        if let Some(address) = self.actual.addresses.get(&at) {
            let address = self.told(address);
            self.tell(Change::Address(at.0, at.1, address));
        }
    }

    /// An address as the kernel tells it: in whole seconds left.
    fn told(&self, address: &Address) -> Address {
        let told = |end: Until| match end {
            Until::Forever => Until::Forever,
            Until::At(_) => Until::At(self.now.after_secs(end.remaining(self.now).into())),
        };
        let Lifetimes { preferred, valid } = address.lifetimes;
        Address { lifetimes: Lifetimes { preferred: told(preferred), valid: told(valid) }, ..address.clone() }
    }

    fn is_up(&self, index: u32) -> bool {
        self.actual.links.get(&index).is_some_and(|link| link.up)
    }

    fn ipv6_disabled(&self, link: &Link) -> bool {
        self.actual.sysctls.get(&device_sysctl(&link.name, DISABLE)).is_some_and(|value| value == "1")
    }

    fn show_state(&mut self, index: u32) {
        let up = !self.admin_down.contains(&index) && !self.no_carrier.contains(&index);
        let Some(link) = self.actual.links.get_mut(&index).filter(|link| link.up != up) else { return };
        link.up = up;
        let link = link.clone();
        if !up {
            self.actual.proxies.retain(|(on, _)| *on != index);
        }
        self.tell(Change::Link(index, link));
        if up {
            self.come_up(index);
        }
    }

    /// Gives a link that is up its link-local address, and tests what is tentative.
    fn come_up(&mut self, index: u32) {
        let Some(link) = self.actual.links.get(&index).filter(|link| link.up && !self.ipv6_disabled(link)) else {
            return;
        };
        // WireGuard has addr_gen_mode none
        if let Some(Device::Wireguard(_)) = self.actual.devices.get(&link.name) {
            return;
        }
        let iid = link.mac.map_or(u64::from(index), |mac| mac.eui64());
        let addr = with_iid(Prefix::LINK_LOCAL.addr(), iid);
        if self.actual.link_local(index).is_none() && !self.actual.addresses.contains_key(&(index, addr)) {
            let address =
                Address { len: 64, lifetimes: Lifetimes::FOREVER, state: AddressState::Tentative, tag: Tag::Foreign };
            self.actual.addresses.insert((index, addr), address);
            self.tell_address((index, addr));
        }
        let tentative = self
            .actual
            .addresses
            .iter()
            .filter(|((link, _), address)| *link == index && address.state == AddressState::Tentative);
        let tentative: Vec<(u32, Ipv6Addr)> = tentative.map(|(at, _)| *at).collect();
        for at in tentative {
            self.detecting.insert(at, Instant(self.now.0.saturating_add(DAD_MS)));
        }
    }

    /// Takes a link's addresses and routes away.
    fn flush(&mut self, index: u32) {
        let addresses: Vec<Ipv6Addr> =
            self.actual.addresses.keys().filter(|(link, _)| *link == index).map(|(_, addr)| *addr).collect();
        for addr in addresses {
            self.remove_address(index, addr);
        }
        let over = self.actual.routes.iter().filter(|(_, route)| route.target.link() == Some(index));
        let over: Vec<Key> = over.map(|(key, _)| key.clone()).collect();
        for key in over {
            self.remove_route(&key);
        }
    }

    fn insert_route(&mut self, key: Key, route: Route) {
        if self.actual.routes.insert(key.clone(), route.clone()).as_ref() != Some(&route) {
            self.tell(Change::Route(key, route));
        }
    }

    /// Makes the connected route of an address.
    fn connect(&mut self, (link, addr): (u32, Ipv6Addr)) {
        let len = self.actual.addresses.get(&(link, addr)).map(|address| address.len).filter(|len| *len < 128);
        if let Some(key) = len.and_then(|len| connected(addr, len))
            && !self.actual.routes.contains_key(&key)
            && !crate::net::is_link_local(addr)
        {
            self.insert_route(key, Route { target: RouteTarget::OnLink { link }, tag: Tag::Foreign });
        }
    }

    /// Removes the connected route of an address that is gone, or hands it on to another address of that prefix.
    fn disconnect(&mut self, link: u32, addr: Ipv6Addr, len: u8) {
        let Some(key) = connected(addr, len) else { return };
        let Key::Route { dst, .. } = &key else { return };
        let mut others = self.actual.addresses.iter().filter(|((_, other), a)| a.len == len && dst.contains(*other));
        if others.clone().any(|((other, _), _)| *other == link) {
            return;
        }
        let next = others.next().map(|(at, _)| *at);
        if self.actual.routes.get(&key).is_some_and(|route| route.target == RouteTarget::OnLink { link }) {
            self.remove_route(&key);
        }
        if let Some(at) = next {
            self.connect(at);
        }
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<(), Refusal> {
        let foreign = matches!(self.actual.get(key), Some((_, Tag::Foreign)));
        match (key, value) {
            (Key::Sysctl(name), Value::Sysctl(value)) if self.actual.sysctls.contains_key(name) => {
                self.set_sysctl(name, value);
            }
            (Key::Sysctl(_), Value::Sysctl(_)) => return Err(refusal(ENOENT, "no such sysctl")),
            (Key::Device(name), Value::Device(device)) => return self.put_device(name, device),
            // that it exists already is success
            (Key::Address { .. } | Key::Route { .. }, _) if foreign => {}
            (Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
                let Some(on) = self.actual.links.get(link) else { return Err(refusal(ENODEV, "no such device")) };
                if self.ipv6_disabled(on) {
                    return Err(refusal(EACCES, "IPv6 is disabled on this device"));
                }
                if lifetimes.valid.is_over(self.now) {
                    return Err(refusal(EINVAL, "a valid lifetime of 0"));
                }
                let was = self.actual.addresses.get(&(*link, *addr));
                let state = was.map_or(AddressState::Tentative, |was| was.state);
                let new = was.is_none();
                let address = Address { len: *len, lifetimes: *lifetimes, state, tag: Tag::Ours };
                // the kernel is told whole seconds
                let address = self.told(&address);
                self.actual.addresses.insert((*link, *addr), address);
                self.tell_address((*link, *addr));
                self.connect((*link, *addr));
                if new {
                    self.detecting.insert((*link, *addr), Instant(self.now.0.saturating_add(DAD_MS)));
                }
            }
            (Key::Route { .. }, Value::Route(target)) => {
                if let Some(link) = target.link() {
                    let Some(_) = self.actual.links.get(&link) else {
                        return Err(refusal(ENODEV, "no such device"));
                    };
                    if self.admin_down.contains(&link) {
                        return Err(refusal(ENETDOWN, "the device is down"));
                    }
                }
                if let RouteTarget::Via { link, gateway } = target
                    && !crate::net::is_link_local(*gateway)
                    && !self.is_on_link(*link, *gateway)
                {
                    return Err(refusal(EHOSTUNREACH, "no route to the gateway"));
                }
                self.insert_route(key.clone(), Route { target: *target, tag: Tag::Ours });
            }
            (Key::Proxy { link, addr }, Value::Proxy) => {
                if !self.actual.links.contains_key(link) {
                    return Err(refusal(ENODEV, "no such device"));
                }
                self.actual.proxies.insert((*link, *addr));
            }
            (Key::Guard, Value::Guard(guard)) => self.actual.filter.guard = Some(guard.clone()),
            _ => return Err(refusal(EINVAL, "key and value don't belong together")),
        }
        Ok(())
    }

    fn is_on_link(&self, link: u32, addr: Ipv6Addr) -> bool {
        self.actual.routes.iter().any(|(key, route)| {
            matches!(key, Key::Route { dst, .. } if dst.contains(addr)) && route.target == RouteTarget::OnLink { link }
        })
    }

    fn delete(&mut self, key: &Key) -> Result<(), Refusal> {
        if let (Some((_, Tag::Foreign)), Key::Address { .. } | Key::Route { .. }) = (self.actual.get(key), key) {
            self.wrongs.push(format!("deleted the foreign {key}"));
            return Err(refusal(EPERM, "this is not yours"));
        }
        match key {
            Key::Device(name) if self.actual.is_taken(name) => {
                self.wrongs.push(format!("deleted the foreign {key}"));
                return Err(refusal(EPERM, "this is not yours"));
            }
            Key::Device(name) => {
                let index = self.actual.link_named(name).map(|(index, _)| index);
                index.into_iter().for_each(|index| self.remove_link(index));
            }
            Key::Address { link, addr } => self.remove_address(*link, *addr),
            Key::Route { .. } => self.remove_route(key),
            Key::Proxy { link, addr } => _ = self.actual.proxies.remove(&(*link, *addr)),
            Key::Guard => self.actual.filter.guard = None,
            Key::Sysctl(_) => return Err(refusal(EINVAL, "a sysctl can't be deleted")),
        }
        Ok(())
    }
}

impl Kernel for FakeKernel {
    fn read(&mut self) -> Result<Actual, Refusal> {
        let addresses = self.actual.addresses.iter().map(|(at, address)| (*at, self.told(address))).collect();
        Ok(Actual { addresses, ..self.actual.clone() })
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        let one = |op: &Op| {
            match &mut self.crash_after {
                Some(0) => return Err(refusal(EPERM, "crashed before this")),
                Some(left) => *left -= 1,
                None => {}
            }
            if self.refuse > 0 {
                self.refuse -= 1;
                return Err(refusal(EPERM, "refused for a test"));
            }
            match op {
                Op::Put(key, value) => self.put(key, value),
                Op::Delete(key, _) => self.delete(key),
            }
        };
        ops.iter().map(one).collect()
    }
}

fn refusal(errno: i32, message: &str) -> Refusal {
    Refusal { errno, message: message.to_owned() }
}

fn connected(addr: Ipv6Addr, len: u8) -> Option<Key> {
    Some(Key::Route { table: 254, dst: Prefix::new(addr, len)?, src: Prefix::ALL, metric: CONNECTED_METRIC })
}

#[cfg(test)]
mod tests;

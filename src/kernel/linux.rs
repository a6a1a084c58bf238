//! The real kernel: what it holds by netlink, what it does by netlink and /proc/sys.
//!
//! ```text
//! LinuxKernel::read ─► Actual             once, after every loss, and now and then
//! Notifications::recv ─► [Change]         as things happen
//! LinuxKernel::apply ◄─ [Op]              the one place where the machine changes
//! ```
//!
//! # Ours and theirs
//!
//! What we make carries our mark, so that it is known again after a crash, and nothing without it is ever touched:
//!
//! * Routes carry the protocol number [`PROTOCOL`]. They are made only where no route to the same destination with the
//!   same metric stands (the kernel's "replace" would replace anybody's), and removed with that number in the request,
//!   which the kernel compares. A route that has to lead elsewhere is removed and made anew, a few microseconds later.
//! * Addresses carry the same number as IFA_PROTO, since Linux 5.18. Before, only the metric [`ADDRESS_METRIC`] of the
//!   route that comes with an address tells it, since Linux 4.18. They carry both, so that a kernel may be exchanged.
//!   An address that says `noprefixroute` is not ours, even so: netifd has put its own over it, and relies on it.
//!
//! * Tunnel devices are known by their name ([`DEVICE_PREFIX`](crate::plan::DEVICE_PREFIX)) and kind together.
//!
//! Of the routes of others only those that lead to everything are read at all: they say whether we are a default router,
//! and a router may hold the whole Internet's. That one of the others is in the way is told when ours is refused.
//!
//! Sysctls have no owner; `plan` asks for as few as can be.
//!
//! # Success
//!
//! What is asked for is a state, no deed: to make what stands and to remove what is gone succeeds. So does making an
//! address that somebody else made: it is there, and stays as it is.

mod decode;
mod devices;
mod encode;
mod exchange;
#[cfg(feature = "wireguard")]
mod generic;
mod notifications;
mod refusal;

#[cfg(feature = "wireguard")]
pub use generic::PeerStatus;
pub use notifications::{Notifications, Received};

#[cfg(feature = "wireguard")]
use super::handshakes::Handshakes;
use super::nft::Nft;
use super::{Kernel, Refusal, sysctl};
use crate::net::{FlatMap, FlatSet, Instant, Lifetimes, Mac, Until, is_link_local};
use crate::plan::{self, Actual, Filter, Key, Link, Op, Route, RouteTarget, Tag, Value};
use decode::{Neighbour, News, Seen};
use devices::Devices;
use exchange::{Failure, Netlink, Request};
use nix::errno::Errno;
use nix::libc;
#[cfg(feature = "wireguard")]
use nix::net::if_::if_nametoindex;
use nix::time::{ClockId, clock_gettime};
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Read;
use std::net::Ipv6Addr;

/// The protocol number of our routes and addresses: no one in iproute2's `rt_protos` or FRR has it.
pub const PROTOCOL: u8 = 111;
/// Metric of the on-link routes that come with our addresses: a little behind the kernel's own 256.
pub const ADDRESS_METRIC: u32 = 256 + 111;

/// Operations asked for by one system call.
const BATCH: usize = 128;
/// A dump that was disturbed is repeated this often. Notifications tell what the last one missed.
const DUMPS: usize = 3;

/// The kernel this process runs on, in the network namespace of the thread that opened it.
pub struct LinuxKernel {
    netlink: Netlink,
    devices: Devices,
    #[cfg(feature = "wireguard")]
    handshakes: FlatMap<String, Handshakes>,
    nft: Nft,
}

impl LinuxKernel {
    /// Opens a connection; needs no rights. Refused where there is no netlink.
    pub fn open() -> Result<LinuxKernel, Refusal> {
        let netlink = Netlink::open(NETLINK_ROUTE).map_err(|error| Failure::from(error).refusal(None))?;
        Ok(LinuxKernel {
            netlink,
            devices: Devices::default(),
            #[cfg(feature = "wireguard")]
            handshakes: FlatMap::default(),
            nft: Nft::default(),
        })
    }

    /// The packet filter alone, read anew: one part of what [`Kernel::read`] gives.
    pub fn read_filter(&mut self) -> Filter {
        self.nft.read()
    }

    /// Messages that could not be read, since it was opened.
    pub fn malformed(&self) -> u64 {
        self.netlink.malformed
    }

    /// Whether a neighbour on a link is there, as the kernel's neighbour discovery last found it; `None` while it is not
    /// sure, or knows nothing of it.
    pub fn neighbour(&mut self, link: u32, addr: Ipv6Addr) -> Option<bool> {
        let mut found = None;
        let asked = self.netlink.get(encode::neighbour(link, addr), |kind, payload| {
            found = (kind == libc::RTM_NEWNEIGH).then(|| decode::is_reachable(payload)).flatten();
        });
        asked.ok().and(found)
    }

    /// Hosts that the kernel has lately exchanged packets with on a link, an address of each: the link-local one if it is
    /// known. As many as its table holds, 1,024 by default; none if it can't be asked.
    pub fn neighbours(&mut self, link: u32) -> Vec<Ipv6Addr> {
        let mut hosts: FlatMap<Vec<u8>, Ipv6Addr> = FlatMap::new();
        self.each_neighbour(link, |Neighbour { addr, mac, is_router, .. }| {
            if !is_router && (is_link_local(addr) || !hosts.contains_key(mac)) {
                hosts.insert(mac.to_vec(), addr);
            }
        });
        hosts.into_values().collect()
    }

    /// Every address on a link that the kernel has lately exchanged packets with, and whose it is. As many as its table
    /// holds; none if it can't be asked.
    pub fn neighbour_addresses(&mut self, link: u32) -> Vec<(Ipv6Addr, Mac)> {
        let mut all = Vec::new();
        self.each_neighbour(link, |Neighbour { addr, mac, .. }| {
            all.extend(mac.try_into().ok().map(|mac| (addr, Mac(mac))));
        });
        all
    }

    fn each_neighbour(&mut self, link: u32, mut each: impl FnMut(Neighbour<'_>)) {
        let _ = self.netlink.dump(encode::neighbours(link), |kind, payload| {
            let found = decode::neighbour(payload).filter(|found| kind == libc::RTM_NEWNEIGH && found.link == link);
            found.into_iter().for_each(&mut each);
        });
    }

    /// How the peers of a WireGuard device do. Refused if there is no such device.
    #[cfg(feature = "wireguard")]
    pub fn wireguard_peers(&mut self, device: &str) -> Result<Vec<PeerStatus>, Refusal> {
        let told = self.devices.generic.read(device).map_err(|failure| failure.refusal(None))?;
        if !self.handshakes.contains_key(device) {
            // of devices that are gone nobody asks again
            self.handshakes.retain(|name, _| if_nametoindex(name.as_str()).is_ok());
        }
        Ok(told.peers(self.handshakes.or_default(device.to_owned()), boottime()))
    }

    /// Asks for all of `batch` at once, empties it and appends the results.
    fn change(&mut self, batch: &mut Vec<(&Op, Request)>, results: &mut Vec<Result<(), Refusal>>, now: Instant) {
        // with an address that was to end, the kernel forgets to remove the route to its prefix, until that ends, too
        let lingering = batch.iter().filter_map(|(op, _)| match op {
            Op::Delete(Key::Address { link, addr }, Value::Address { len, lifetimes }) => (lifetimes.valid
                != Until::Forever)
                .then(|| encode::renew_address(*link, *addr, *len, Lifetimes::FOREVER, now)),
            _ => None,
        });
        let lingering = lingering.collect();
        self.netlink.change(lingering);
        let (ops, requests): (Vec<&Op>, Vec<Request>) = batch.drain(..).unzip();
        let answers = self.netlink.change(requests);
        results.extend(ops.into_iter().zip(answers).map(|(op, answer)| {
            let answer = match (op, answer) {
                (Op::Put(key, value), Err(failure)) if failure.kind() == Errno::EEXIST => {
                    self.netlink.put_over(key, value, failure, now)
                }
                (Op::Delete(..), Err(failure)) if failure.is_gone() => Ok(()),
                (_, answer) => answer,
            };
            answer.map_err(|failure| failure.refusal(Some(op)))
        }));
    }
}

impl Kernel for LinuxKernel {
    fn read(&mut self) -> Result<Actual, Refusal> {
        let actual = self.netlink.actual(&mut self.devices).map_err(|failure| failure.refusal(None))?;
        Ok(Actual { filter: self.nft.read(), ..actual })
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), Refusal>> {
        let now = boottime();
        let mut results = Vec::with_capacity(ops.len());
        let mut batch = Vec::new();
        for op in ops {
            match encode::request(op, now) {
                Some(request) => batch.push((op, request)),
                None => {
                    self.change(&mut batch, &mut results, now);
                    results.push(match op {
                        Op::Put(Key::Sysctl(name), Value::Sysctl(value)) => sysctl::write(name, value),
                        Op::Put(Key::Guard, Value::Guard(guard)) => self.nft.put(guard),
                        Op::Delete(Key::Guard, _) => self.nft.remove(),
                        // there is no such thing as a sysctl removed
                        Op::Delete(Key::Sysctl(_), _) => Ok(()),
                        Op::Put(Key::Device(name), Value::Device(device)) => {
                            let done = self.devices.put(&mut self.netlink, name, device);
                            done.map_err(|failure| failure.refusal(Some(op)))
                        }
                        Op::Delete(Key::Device(name), _) => {
                            let done = self.devices.delete(&mut self.netlink, name);
                            done.map_err(|failure| failure.refusal(Some(op)))
                        }
                        _ => Err(Failure::from(Errno::EINVAL).refusal(None)),
                    });
                }
            }
            if batch.len() == BATCH {
                self.change(&mut batch, &mut results, now);
            }
        }
        self.change(&mut batch, &mut results, now);
        results
    }
}

impl Netlink {
    /// Everything `plan` looks at.
    fn actual(&mut self, tunnels: &mut Devices) -> Result<Actual, Failure> {
        let seen = self.read(encode::links, |links: &mut FlatMap<u32, (Link, Option<Seen>)>, news| {
            if let News::Link(index, link, device) = news {
                links.insert(index, (link, device));
            }
        })?;
        let (mut links, mut devices) = (FlatMap::default(), FlatMap::default());
        for (index, (link, device)) in seen {
            devices.extend(
                device.and_then(|device| tunnels.device(&link, device)).map(|device| (link.name.clone(), device)),
            );
            links.insert(index, link);
        }
        let ipv4 = self.read(encode::ipv4_addresses, |addresses: &mut FlatMap<_, _>, news| {
            if let News::Ipv4(link, addr, len) = news {
                addresses.insert((link, addr), len);
            }
        })?;
        let addresses = self.read(encode::addresses, |addresses: &mut FlatMap<_, _>, news| {
            if let News::Address(link, addr, address) = news {
                addresses.insert((link, addr), address);
            }
        })?;
        let proxies = self.read(encode::proxies, |proxies: &mut FlatSet<_>, news| {
            if let News::Proxy(link, addr) = news {
                proxies.insert((link, addr));
            }
        });
        // one that can't tell them (an emulator's) has none of ours
        let proxies = match proxies {
            Err(failure) if failure.kind() == Errno::EOPNOTSUPP => FlatSet::new(),
            proxies => proxies?,
        };
        let routes = self.routes(|_| true)?;
        let of_devices =
            links.values().flat_map(|link| sysctl::OF_DEVICE.iter().map(|leaf| plan::device_sysctl(&link.name, leaf)));
        let sysctls = std::iter::once(sysctl::FORWARDING.to_owned())
            .chain(of_devices)
            .filter_map(|name| Some((name.clone(), sysctl::read(&name)?)))
            .collect();
        Ok(Actual { links, devices, ipv4, addresses, routes, sysctls, proxies, ..Actual::default() })
    }

    /// The routes whose keys are wanted. Of several with one key the one that says most: ours, or one that leads
    /// somewhere.
    fn routes(&mut self, wanted: impl Fn(&Key) -> bool) -> Result<BTreeMap<Key, Route>, Failure> {
        let weight = |route: &Route| (route.tag == Tag::Ours, route.target != RouteTarget::Unreachable);
        self.read(encode::routes, |routes: &mut BTreeMap<_, _>, news| {
            if let News::Route(key, route) = news
                && wanted(&key)
            {
                let best = routes.entry(key).or_insert_with(|| route.clone());
                if weight(&route) > weight(best) {
                    *best = route;
                }
            }
        })
    }

    /// Collects one dump, repeated when something changed under it. What can't be read is counted and left out.
    fn read<T: Default>(
        &mut self,
        question: fn() -> encode::Message,
        collect: impl Fn(&mut T, News),
    ) -> Result<T, Failure> {
        let now = boottime();
        let mut left = DUMPS;
        loop {
            let mut all = T::default();
            let mut malformed = 0;
            let whole = self.dump(question(), |kind, payload| match decode::news(kind, payload, now) {
                Ok(news) => collect(&mut all, news),
                Err(_) => malformed += 1,
            })?;
            self.malformed += malformed;
            left -= 1;
            if whole || left == 0 {
                return Ok(all);
            }
        }
    }

    /// Makes what stands already, in one form or another; `exists` is what the kernel said.
    fn put_over(&mut self, key: &Key, value: &Value, exists: Failure, now: Instant) -> Result<(), Failure> {
        let requests = match (key, value) {
            (Key::Address { link, addr }, Value::Address { len, lifetimes }) => {
                let mut found = None;
                self.get(encode::address(*link, *addr), |kind, payload| found = decode::news(kind, payload, now).ok())?;
                match found {
                    Some(News::Address(_, _, there)) if there.tag == Tag::Foreign => return Ok(()),
                    // the route of its prefix goes along only with one that was to live for ever
                    Some(News::Address(_, _, there)) if there.len != *len => vec![
                        encode::renew_address(*link, *addr, there.len, Lifetimes::FOREVER, now),
                        encode::remove_address(*link, *addr, there.len),
                        encode::make_address(*link, *addr, *len, *lifetimes, now),
                    ],
                    _ => vec![encode::renew_address(*link, *addr, *len, *lifetimes, now)],
                }
            }
            (Key::Route { .. }, Value::Route(target)) => {
                [encode::remove_route(key, None), encode::make_route(key, *target)].into_iter().flatten().collect()
            }
            _ => return Err(exists),
        };
        self.change(requests).pop().unwrap_or(Err(exists))
    }
}

/// Now, by CLOCK_BOOTTIME (clock_gettime(2)).
pub fn boottime() -> Instant {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    let millis = now.map(|now| std::time::Duration::from(now).as_millis()).unwrap_or_default();
    Instant(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// A text that is another one after each boot, so that moments of [`boottime`] can be told apart; empty where /proc
/// is missing.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// The machine's memory in bytes; 0 where /proc is missing.
pub fn memory() -> u64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

/// A random number.
pub fn random_u64() -> u64 {
    u64::from_ne_bytes(random())
}

/// `N` random bytes, fit for identifiers that must not collide (RFC 4193 §3.2).
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).is_err() {
        // no /dev here: the standard library's hash keys come from the same source by getrandom(2)
        for chunk in bytes.chunks_mut(8) {
            let word = RandomState::new().hash_one(0).to_ne_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, random)| *byte = random);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_random_bytes_differ() {
        let before = boottime();
        assert!(before > Instant(0));
        assert!(boottime() >= before);
        assert_ne!(random::<16>(), random::<16>());
        assert_ne!(random_u64(), random_u64());
        assert_eq!(boot_id(), boot_id());
    }
}

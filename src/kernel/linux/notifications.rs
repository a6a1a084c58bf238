use super::decode::{self, News, Seen};
use super::devices::Devices;
use super::exchange::{Netlink, PIECE, messages};
use super::{LinuxKernel, boottime};
use crate::kernel::{socket_filter, sysctl};
use crate::net::{FlatMap, FlatSet, Prefix, Until, is_link_local};
use crate::plan::{self, AddressState, Change, Key, Route, RouteTarget, Tag};
use nix::libc;
use nix::net::if_::if_indextoname;
use nix::sys::socket::{setsockopt, sockopt};
use rtnetlink::MulticastGroup::{Ipv4Ifaddr, Ipv6Ifaddr, Ipv6Ifinfo, Ipv6Netconf, Ipv6Route, Link};
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{AsyncSocket, SocketAddr, TokioSocket};
use std::future::poll_fn;
use std::io;
use std::net::Ipv4Addr;

/// Receive buffer in bytes; the kernel doubles it for its own book-keeping. Some two thousand notifications.
const RECEIVE_BUFFER: usize = 1 << 20;
/// Notifications taken in one turn.
const BUDGET: usize = 1024;
/// Notifications thrown away after some were lost: more than the receive buffer can hold.
const FLUSH: usize = 1 << 16;

/// What [`Notifications::recv`] brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Changes, perhaps none of interest.
    Changes,
    /// The kernel had more to say than fitted: everything has to be read anew. What was still waiting was thrown away,
    /// so that no old news follows the new reading.
    Lost,
}

/// News from the kernel about links, addresses, routes and sysctls, as they happen.
///
/// Sysctls have no notifications of their own. What the kernel says when IPv6 is switched or forwarding set on a link is
/// taken as a reason to read that link's sysctls; a changed `accept_ra` alone is seen at the next reading.
pub struct Notifications {
    socket: TokioSocket,
    /// To ask what a message leaves open.
    netlink: Netlink,
    devices: Devices,
    buffer: Vec<u8>,
}

impl Notifications {
    /// Listens from now on. Needs a tokio runtime, no rights. Errors: those of socket(2).
    pub fn open() -> io::Result<Notifications> {
        Notifications::with_buffer(RECEIVE_BUFFER)
    }

    /// Like [`Notifications::open`], with this many bytes of receive buffer.
    pub fn with_buffer(bytes: usize) -> io::Result<Notifications> {
        let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
        // beyond the system's limit where we may, else up to it
        if setsockopt(socket.socket_ref(), sockopt::RcvBufForce, &bytes).is_err() {
            setsockopt(socket.socket_ref(), sockopt::RcvBuf, &bytes)?;
        }
        let groups = [Link, Ipv4Ifaddr, Ipv6Ifaddr, Ipv6Route, Ipv6Ifinfo, Ipv6Netconf];
        let groups = groups.iter().fold(0, |all, group| all | 1 << (*group as u32 - 1));
        socket.socket_mut().bind(&SocketAddr::new(0, groups))?;
        Ok(Notifications {
            socket,
            netlink: Netlink::open(NETLINK_ROUTE)?,
            devices: Devices::default(),
            buffer: Vec::with_capacity(PIECE),
        })
    }

    /// Spares itself the news of routes that `kernel` makes and removes: [`Kernel::apply`] answers for each, and a
    /// thousand delegated prefixes a second are a thousand notifications a second. What others do to these routes is
    /// still heard. Without it nothing is wrong, only slower.
    ///
    /// [`Kernel::apply`]: crate::kernel::Kernel::apply
    pub fn leave_out_routes_of(&mut self, kernel: &LinuxKernel) -> io::Result<()> {
        Ok(socket_filter::attach(self.socket.socket_ref(), &echo_filter(kernel.netlink.port))?)
    }

    /// Waits for news and appends what changed to `changes`: of several changes to one object the last one only.
    /// Cancelling it loses nothing. Errors end the daemon: they are of the socket itself.
    pub async fn recv(&mut self, changes: &mut Vec<Change>) -> io::Result<Received> {
        self.buffer.clear();
        let Notifications { socket, buffer, .. } = self;
        let first = poll_fn(|context| socket.poll_recv(context, buffer)).await;
        // nothing is awaited from here on
        let mut digest = Digest::default();
        let mut next = first.map(|()| true);
        for left in (0..BUDGET).rev() {
            match next {
                Ok(true) if self.digest(&mut digest) => {}
                Ok(true) => return self.flush(),
                Ok(false) => break,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return self.flush(),
                // an emulator's word for news of a kind that it can't translate
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                Err(error) => return Err(error),
            }
            next = if left > 0 { self.take() } else { Ok(false) };
        }
        digest.finish(&mut self.netlink, &mut self.devices, changes)
    }

    /// Messages that could not be read, since it was opened.
    pub fn malformed(&self) -> u64 {
        self.netlink.malformed
    }

    /// Takes a datagram; `false` if none is waiting.
    fn take(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        match self.socket.socket_ref().recv(&mut self.buffer, libc::MSG_DONTWAIT) {
            Ok(_) => Ok(true),
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads the datagram in the buffer; `false` if it was cut short.
    fn digest(&mut self, digest: &mut Digest) -> bool {
        let now = boottime();
        let mut read = 0;
        for message in messages(&self.buffer) {
            read += (message.length() as usize).next_multiple_of(4);
            match decode::news(message.message_type(), message.payload(), now) {
                Ok(news) => digest.take(news),
                Err(_) => self.netlink.malformed += 1,
            }
        }
        read >= self.buffer.len()
    }

    /// Throws away what is waiting.
    fn flush(&mut self) -> io::Result<Received> {
        for _ in 0..FLUSH {
            match self.take() {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EINVAL)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Received::Lost)
    }
}

/// A socket filter (linux/filter.h) that drops RTM_NEWROUTE and RTM_DELROUTE caused by the socket with this number.
fn echo_filter(port: u32) -> [libc::sock_filter; 7] {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let load = |size: u32, at| step((libc::BPF_LD | size | libc::BPF_ABS) as u16, 0, 0, at);
    let equal = |value, then, or| step((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, then, or, value);
    let end = |take| step((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, take);
    // a filter reads in network order what netlink writes in the host's: numbers are turned round to match
    let kind = |kind: u16| u32::from(u16::from_be_bytes(kind.to_ne_bytes()));
    [
        load(libc::BPF_W, 12),
        equal(u32::from_be_bytes(port.to_ne_bytes()), 0, 3),
        load(libc::BPF_H, 4),
        equal(kind(libc::RTM_NEWROUTE), 2, 0),
        equal(kind(libc::RTM_DELROUTE), 1, 0),
        end(u32::MAX),
        end(0),
    ]
}

/// What a [`Change`] is about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Link(u32),
    Ipv4(u32, Ipv4Addr),
    Object(Key),
}

/// The news of one turn.
#[derive(Default)]
struct Digest {
    /// In the order they came; `None` where a later one took over.
    changes: Vec<Option<Change>>,
    last: FlatMap<About, usize>,
    /// Tunnel devices of ours among the links that are new or changed.
    devices: FlatMap<u32, (plan::Link, Seen)>,
    /// Links whose sysctls are to be read.
    configured: FlatSet<u32>,
    everywhere: bool,
    /// Routes to everything that may have a twin.
    doubtful: FlatSet<Key>,
}

impl Digest {
    fn take(&mut self, news: News) {
        match news {
            News::Link(index, link, seen) => {
                self.configured.insert(index);
                match seen {
                    Some(seen) => self.devices.insert(index, (link.clone(), seen)),
                    None => self.devices.remove(&index),
                };
                self.put(About::Link(index), Change::Link(index, link));
            }
            // ends what came before, so it takes nothing's place
            News::LinkGone(index) => {
                self.last.clear();
                self.devices.remove(&index);
                self.changes.push(Some(Change::LinkGone(index)));
            }
            News::Ipv4(link, addr, len) => self.put(About::Ipv4(link, addr), Change::Ipv4(link, addr, len)),
            News::Ipv4Gone(link, addr) => self.put(About::Ipv4(link, addr), Change::Ipv4Gone(link, addr)),
            News::Address(link, addr, address) => {
                if is_link_local(addr) {
                    self.configured.insert(link);
                }
                self.put(About::Object(Key::Address { link, addr }), Change::Address(link, addr, address));
            }
            News::AddressGone(link, addr, address) => {
                // a duplicate that was not to live for ever is removed by the kernel, and this is all it says
                let change = match (address.state, address.lifetimes.valid) {
                    (AddressState::Duplicate, Until::At(_)) => Change::Address(link, addr, address),
                    _ => Change::AddressGone(link, addr),
                };
                self.put(About::Object(Key::Address { link, addr }), change);
            }
            News::Route(key, route) => {
                self.doubt(&key, &route, false);
                self.put(About::Object(key.clone()), Change::Route(key, route));
            }
            News::RouteGone(key, route) => {
                self.doubt(&key, &route, true);
                self.put(About::Object(key.clone()), Change::RouteGone(key));
            }
            News::Configured(Some(link)) => {
                self.configured.insert(link);
            }
            News::Configured(None) => self.everywhere = true,
            // of these the kernel tells nothing by itself
            News::Proxy(..) | News::Nothing => {}
        }
    }

    fn put(&mut self, about: About, change: Change) {
        if let Some(earlier) = self.last.insert(about, self.changes.len()).and_then(|i| self.changes.get_mut(i)) {
            *earlier = None;
        }
        self.changes.push(Some(change));
    }

    /// The kernel keeps several default routes with one metric, learned from several routers, but [`Key`] has room for
    /// one. When one of them goes, another may remain: only the kernel knows.
    fn doubt(&mut self, key: &Key, route: &Route, gone: bool) {
        if let Key::Route { dst, .. } = key {
            let useless = gone || route.target == RouteTarget::Unreachable;
            if useless && route.tag == Tag::Foreign && dst.covers(&Prefix::GLOBAL) {
                self.doubtful.insert(key.clone());
            }
        }
    }

    /// Clears up what the messages left open, and hands the changes over.
    fn finish(self, netlink: &mut Netlink, devices: &mut Devices, changes: &mut Vec<Change>) -> io::Result<Received> {
        changes.extend(self.changes.into_iter().flatten());
        for (link, seen) in self.devices.into_values() {
            changes.extend(devices.device(&link, seen).map(|device| Change::Device(link.name, device)));
        }
        if !self.doubtful.is_empty() {
            let Ok(routes) = netlink.routes(|key| self.doubtful.contains(key)) else { return Ok(Received::Lost) };
            for key in self.doubtful {
                let route = routes.get(&key).cloned();
                changes.push(route.map_or(Change::RouteGone(key.clone()), |route| Change::Route(key, route)));
            }
        }
        let mut read = |name: String| {
            if let Some(value) = sysctl::read(&name) {
                changes.push(Change::Sysctl(name, value));
            }
        };
        if self.everywhere {
            read(sysctl::FORWARDING.into());
        }
        for index in self.configured {
            // one that is gone meanwhile has no name
            let Ok(name) = if_indextoname(index) else { continue };
            let Ok(name) = name.into_string() else { continue };
            sysctl::OF_DEVICE.iter().for_each(|leaf| read(plan::device_sysctl(&name, leaf)));
        }
        Ok(Received::Changes)
    }
}

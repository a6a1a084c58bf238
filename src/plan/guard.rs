//! What may pass between uplinks and LANs: the guard.
//!
//! One [`Guard`] is one object of the kernel, `Key::Guard`; `kernel::nft` turns it into a table of nftables. It says who
//! is where (devices of LANs and of uplinks), what may leave by which uplink ([`Guard::paths`]), what can't come from
//! outside ([`Guard::inside`]), and who may be called from there ([`Guard::holes`]). The rules themselves are the same
//! for everybody and stand in the renderer, so that a change of addresses is a change of set elements only.
//!
//! # What the rules do
//!
//! * From a LAN: a packet whose source leads back to another link is forged and dropped (BCP 38, RFC 7084 S-2). One that
//!   no route takes on, because its source is of no live uplink, is answered with ICMPv6 type 1 code 5 (RFC 4443 §3.1,
//!   RFC 7084 L-14); so is one that would leave by an uplink that its source is not of. A host learns of it by the
//!   answer only while the route back to it stands: `plan` keeps prefixes that are gone on the LAN's link while hosts
//!   may still use them. A source that leads back nowhere at all is answered where it comes in, if the kernel can.
//! * From an uplink: a packet with a source of our own is dropped, and nothing goes from one uplink to another (we are
//!   no transit, and so RFC 6324's loops end here).
//! * By an uplink: nothing with a unique local source leaves (RFC 4193 §4.3), whoever sent it, the router itself too,
//!   unless the uplink gave that source, or the owner gave it to the uplink's device.
//! * From an uplink to a LAN ([`Mode::Own`]): answers, ICMPv6 errors about flows that are there (RFC 4890 §4.3.1), and
//!   pinholes; no echo requests either, which RFC 4890 would let in. Where firewall4 is, its zones do this, and pinholes
//!   and the devices of our own making, which are in no zone, are handed to it.

use super::{Key, Objects, Value};
use crate::config::Protocol;
use crate::net::{FlatMap, FlatSet, Prefix};
use std::fmt;
use std::net::Ipv6Addr;

/// Prefixes and addresses of uplinks that are looked at, all together, and of prefixes inside: what one provider or a
/// hostile network announces must not fill the kernel. 16 uplinks with 16 prefixes and addresses each.
const MAX_PREFIXES: usize = 256;

/// Everything that the packet filter of ours works with.
///
/// The default one stands for a table of ours whose contents nobody knows, which no plan ever wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Who guards the LANs.
    pub mode: Mode,
    /// Devices of LANs.
    pub lans: FlatSet<String>,
    /// Devices of uplinks, also of those that are down.
    pub uplinks: FlatSet<String>,
    /// Which sources may leave by which device: prefixes and addresses of live uplinks.
    pub paths: FlatSet<(String, Prefix)>,
    /// Prefixes that are behind us only: nobody outside has an address in them.
    pub inside: FlatSet<Prefix>,
    /// Ways in from the Internet.
    pub holes: Vec<Hole>,
    /// Addresses of hosts by name: those of [`Hole::host`], and those the owner's own firewall rules ask for.
    pub hosts: FlatMap<String, FlatSet<Ipv6Addr>>,
    /// Devices that carry IPv6 in IPv4 to anybody by addresses that embed IPv4 ones (6to4).
    pub six_to_four: FlatSet<String>,
    /// Addresses that change on their way out.
    pub translations: FlatSet<Translation>,
}

/// Who keeps uninvited packets from LANs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Our own table.
    #[default]
    Own,
    /// OpenWrt's firewall4, whose zones the owner configures.
    Firewall4,
}

/// A way in from the Internet to one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Whose addresses, as a key of [`Guard::hosts`].
    pub host: String,
    /// Transport protocols.
    pub protocols: Vec<Protocol>,
    /// Lowest and highest destination port, each, ascending and apart from each other; empty: all.
    pub ports: Vec<(u16, u16)>,
    /// Who may come in, none inside of another; empty: everybody.
    pub from: Vec<Prefix>,
}

/// Addresses of a LAN that are changed on their way out by an uplink, and back (`share nat`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Translation {
    /// The uplink's device.
    pub device: String,
    /// The LAN's own /64.
    pub inside: Prefix,
    /// Which prefix of the same length it becomes, identifier by identifier (as RFC 6296, but stateful); `None`: all
    /// hosts share the uplink's own address (NAT66).
    pub outside: Option<Prefix>,
}

/// An uplink as the guard sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardedUplink {
    /// Its device.
    pub device: String,
    /// Whether it is alive, in use or standing by.
    pub live: bool,
    /// Its prefixes and its own addresses (as /128): what may leave by it.
    pub sources: Vec<Prefix>,
    /// Whether it is 6to4.
    pub six_to_four: bool,
    /// How LANs' addresses are changed on their way out: the LAN's own /64, and what it becomes, as in
    /// [`Translation::outside`].
    pub translations: Vec<(Prefix, Option<Prefix>)>,
}

/// What the guard is made of, beside uplinks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// Devices of the LANs that are served.
    pub lans: FlatSet<String>,
    /// /64s of LANs and prefixes delegated to hosts, unique local ones too: packets from outside never have such a
    /// source. Not a /64 that is on the uplink's own link as well (`share proxy`).
    pub inside: Vec<Prefix>,
    /// Who may be called from outside.
    pub holes: Vec<Hole>,
    /// Addresses of hosts by name.
    pub hosts: FlatMap<String, FlatSet<Ipv6Addr>>,
    /// Whether firewall4's table is in the kernel.
    pub firewall4: bool,
}

/// The guard of these uplinks; `None` where there is nothing to guard against.
pub fn guard(uplinks: &[GuardedUplink], guarded: Guarded) -> Option<Guard> {
    let Guarded { lans, inside, holes, hosts, firewall4 } = guarded;
    // a device that is both is a mistake that its owner is told of; guarded as an uplink it would shut its LAN off
    let uplinks = || uplinks.iter().filter(|uplink| !lans.contains(&uplink.device));
    let devices: FlatSet<String> = uplinks().map(|uplink| uplink.device.clone()).collect();
    if devices.is_empty() || lans.is_empty() {
        return None;
    }
    let live = || uplinks().filter(|uplink| uplink.live);
    let translations: FlatSet<Translation> = live()
        .flat_map(|uplink| {
            let translation = |(inside, outside): &(Prefix, Option<Prefix>)| Translation {
                device: uplink.device.clone(),
                inside: *inside,
                outside: outside.filter(|outside| outside.len() == inside.len()),
            };
            uplink.translations.iter().map(translation)
        })
        .collect();
    let sources = live().flat_map(|uplink| {
        let translated = uplink.translations.iter().map(|(inside, _)| *inside);
        uplink.sources.iter().copied().chain(translated).map(|prefix| (uplink.device.clone(), prefix))
    });
    let paths = sources.take(MAX_PREFIXES).collect();
    let paths = apart(paths, |(device, wide), (other, prefix)| device == other && wide.covers(prefix));
    let inside = apart(inside.into_iter().take(MAX_PREFIXES).collect(), Prefix::covers);
    let six_to_four = uplinks().filter(|uplink| uplink.six_to_four).map(|uplink| uplink.device.clone()).collect();
    let mode = if firewall4 { Mode::Firewall4 } else { Mode::Own };
    Some(Guard { mode, uplinks: devices, paths, inside, holes, hosts, six_to_four, translations, lans })
}

/// Prefixes that were of a live uplink by the plan before and are by none now. What still lies in another live one goes
/// on living.
pub fn no_longer_live(before: &Objects, now: &Objects) -> Vec<Prefix> {
    let paths = |objects: &Objects| match objects.get(&Key::Guard) {
        Some(Value::Guard(guard)) => guard.paths.iter().map(|(_, prefix)| *prefix).collect(),
        _ => FlatSet::new(),
    };
    let now = paths(now);
    let dead = |was: &&Prefix| !now.iter().any(|live| live.overlaps(was));
    paths(before).iter().filter(dead).copied().collect()
}

impl fmt::Display for Guard {
    /// What is guarded, in short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |devices: &FlatSet<String>| devices.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        write!(f, "{} from {}, pinholes: {}", names(&self.lans), names(&self.uplinks), self.holes.len())
    }
}

/// Leaves out what lies in another, since elements of a set must not overlap. `covers` holds only for elements that
/// follow each other in order.
pub(crate) fn apart<T: Ord>(all: FlatSet<T>, covers: impl Fn(&T, &T) -> bool) -> FlatSet<T> {
    let mut kept: Vec<T> = Vec::new();
    for one in all {
        // in order, a prefix comes before all that it covers, and nothing else in between
        if !kept.last().is_some_and(|last| covers(last, &one)) {
            kept.push(one);
        }
    }
    kept.into_iter().collect()
}

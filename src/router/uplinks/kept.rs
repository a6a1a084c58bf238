//! What an uplink gave before a restart of this program, read from what it left in the kernel.
//!
//! A daemon that is killed, restarted or upgraded leaves its addresses and routes where they are, and packets go on. The new
//! one has heard of no router and no prefix yet; if it planned by that, it would take everything away and tell the LANs
//! that their prefixes are gone, for the seconds until all is back. So what the kernel holds of ours on an uplink's device
//! counts as given for [`GRACE`], at most as long as its lifetimes say, and only while nothing better is known:
//!
//! * the next hop, until a router is heard;
//! * the delegated prefixes and the leased addresses, which the DHCPv6 client takes up where they were left and confirms
//!   at once (RFC 9915 §18.2.12): what the server says of them counts at once;
//! * other addresses of the device, until the end;
//! * the role, while the uplink has all it needs and was not asked yet whether it works.
//!
//! A link that goes down ends all of this.
//!
//! The kernel is the one memory of this that is never wrong: it costs no write to tmpfs or flash, it can't be damaged, and
//! after a reboot there is nothing in it, as it should be, since then the network may be another one. A server still knows
//! us by our DUID and the IAID; prefixes that hosts were told of before are on flash (RFC 9096 §3.5).

use crate::net::{Instant, Lifetimes, Prefix, Until, is_link_local, is_ula};
use crate::plan::{Actual, Key, RouteTarget, Tag};
use crate::proto::dhcp6::client::{LeasedAddress, LeasedPrefix, Leases};
use crate::proto::uplink::Role;
use std::net::Ipv6Addr;
use std::time::Duration;

/// How long what was there before counts: three solicitations of routers and two of servers find their answers within it.
pub(super) const GRACE: Duration = Duration::from_secs(15);
/// Ends that the kernel doesn't keep because they are too far off are taken to be here, seconds; a server says more soon.
const FAR: u64 = 2_000_000;

/// What was there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// When it ceases to count.
    pub(super) until: Instant,
    /// What the LANs used it for; [`Role::Out`]: nothing, or that is over.
    pub(super) role: Role,
    pub(super) next_hop: Option<RouteTarget>,
    /// Addresses of the device, with the lengths of their prefixes.
    pub(super) addresses: Vec<(Ipv6Addr, u8, Lifetimes)>,
    /// What LANs have /64s of, for as long as those live.
    pub(super) prefixes: Vec<(Prefix, Lifetimes)>,
}

impl Kept {
    /// What the kernel holds of ours on `link`; `None`: nothing.
    pub(super) fn read(actual: &Actual, link: u32, until: Instant, now: Instant) -> Option<Kept> {
        let ours = actual.addresses.iter().filter(|(_, address)| address.tag == Tag::Ours);
        let (here, lans): (Vec<_>, Vec<_>) = ours.partition(|((on, _), _)| *on == link);
        let addresses: Vec<_> = here.into_iter().map(|((_, addr), is)| (*addr, is.len, is.lifetimes)).collect();
        let mut kept = Kept { until, role: Role::Out, next_hop: None, addresses, prefixes: Vec::new() };
        let routes = actual.routes.iter().filter(|(_, route)| route.tag == Tag::Ours);
        for (key, route) in routes.filter(|(_, route)| route.target.link() == Some(link)) {
            let Key::Route { dst, src, .. } = key else { continue };
            if *dst != Prefix::ALL {
                // other sites of 6to4 or 6rd are reached while an uplink is used
                kept.use_as(Role::Standby);
                continue;
            }
            kept.next_hop = Some(route.target);
            // a /64 that was shared with a LAN is no lease: the router has an address in it on both links; nor is what was
            // translated
            let shared = kept.addresses.iter().any(|(addr, ..)| src.contains(*addr));
            if src.len() > 64 || shared || src.len() == 64 && is_ula(src.addr()) {
                continue;
            }
            kept.use_as(Role::Standby);
            let given = lans.iter().filter(|((_, addr), _)| src.contains(*addr)).map(|(_, is)| is.lifetimes);
            if given.clone().any(|lifetimes| !lifetimes.preferred.is_over(now)) {
                kept.use_as(Role::Active);
            }
            if let Some(longest) = given.max_by_key(|lifetimes| (lifetimes.valid, lifetimes.preferred)) {
                kept.prefixes.push((*src, longest));
            }
        }
        (kept.next_hop.is_some() || !kept.addresses.is_empty()).then_some(kept)
    }

    fn use_as(&mut self, role: Role) {
        if self.role != Role::Active {
            self.role = role;
        }
    }

    /// Hands over what a DHCPv6 client had leased: the prefixes, and those addresses that were not made by us.
    pub(super) fn take_leases(&mut self, is_made: impl Fn(Ipv6Addr) -> bool, now: Instant) -> Leases {
        let is_leased = |addr: Ipv6Addr, len: u8| len == 128 && !is_link_local(addr) && !is_made(addr);
        let (leased, rest) = std::mem::take(&mut self.addresses)
            .into_iter()
            .partition::<Vec<_>, _>(|(addr, len, _)| is_leased(*addr, *len));
        self.addresses = rest;
        let addresses = leased.into_iter().map(|(address, _, lifetimes)| {
            let lifetimes = near(lifetimes, now);
            LeasedAddress { address, lifetimes }
        });
        let prefixes = std::mem::take(&mut self.prefixes).into_iter().map(|(prefix, lifetimes)| {
            let Lifetimes { preferred, valid } = near(lifetimes, now);
            // that of an uplink that stands by is deprecated on LANs only
            let preferred = if preferred.is_over(now) { valid } else { preferred };
            LeasedPrefix { prefix, lifetimes: Lifetimes { preferred, valid }, exclude: None }
        });
        Leases { addresses: addresses.collect(), prefixes: prefixes.collect(), ..Leases::default() }
    }
}

/// Lifetimes that have an end.
fn near(lifetimes: Lifetimes, now: Instant) -> Lifetimes {
    let far = Until::At(now.after_secs(FAR));
    Lifetimes { preferred: lifetimes.preferred.min(far), valid: lifetimes.valid.min(far) }
}

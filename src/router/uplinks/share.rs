//! What LANs get when a native uplink has a /64 on its link and nothing is delegated: the same /64 by proxy, or
//! translation (`share`).
//!
//! A delegation is waited for at first, unless none is asked for or a server says that it has none; and one that comes
//! later takes the place of what was shared, as one prefix takes another's place.

use super::{Action, Running};
use crate::config::{Share, UplinkKind};
use crate::net::{FlatMap, Instant, Lifetimes, Prefix, is_ula};
use crate::plan::{self, Actual};
use crate::proto::ndproxy::{self, Proxy, Side};
use crate::wire::nd::Neighbour;
use std::net::Ipv6Addr;
use std::time::Duration;

/// A delegation is waited for so long: a server that answers at all has then been asked four times (RFC 9915 §7.6,
/// SOL_TIMEOUT).
const PATIENCE: Duration = Duration::from_secs(10);

/// How an uplink shares what it has.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    /// Since when a delegation is waited for.
    since: Option<Instant>,
    /// When that is over.
    waits: Option<Instant>,
    /// Addresses that the kernel answered for when the device was found: from before a restart.
    answered: Vec<Ipv6Addr>,
    now: Shares,
}

/// What is shared now.
#[derive(Debug, Default)]
enum Shares {
    /// Nothing, since there is a delegation, or nothing to share.
    #[default]
    Nothing,
    /// Nothing, though something would be there; why.
    Not(&'static str),
    Proxy {
        lan: String,
        /// Index of the LAN's link.
        link: Option<u32>,
        prefix: Prefix,
        router: Ipv6Addr,
        core: Box<Proxy>,
        why: &'static str,
    },
    Nat(&'static str),
}

impl Sharing {
    /// On a device that was found just now.
    pub(super) fn on(link: Option<u32>, actual: &Actual) -> Sharing {
        let own = actual.proxies.iter().filter(|(on, _)| Some(*on) == link);
        Sharing { answered: own.map(|(_, addr)| *addr).collect(), ..Sharing::default() }
    }

    /// When something is due, and why.
    pub(super) fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let waits = self.waits.map(|at| (at, "a delegation was waited for long enough"));
        let core = if let Shares::Proxy { core, .. } = &self.now { core.poll_at() } else { None };
        waits.into_iter().chain(core).min_by_key(|(at, _)| *at)
    }
}

impl Running {
    /// Decides what is shared. `first` is the LAN that gets it where none is named, `lans` are the links of LANs.
    pub(super) fn share(&mut self, first: Option<&str>, lans: &FlatMap<String, u32>, actual: &Actual, now: Instant) {
        if !self.ready && self.link.is_some() {
            // what a cable that is out means is for others to say; what was shared is ready for when it is back
            return;
        }
        let (wanted, why) = self.wanted(now);
        let Some(((prefix, router), how)) = self.shareable(now).zip(wanted) else {
            self.sharing.now = why.map_or(Shares::Nothing, Shares::Not);
            return;
        };
        let why = why.unwrap_or_default();
        let lan = self.config.lans.clone().map_or(first.map(str::to_owned), |lans| lans.into_iter().next());
        let (Some(lan), true) = (lan, how == Share::Proxy) else {
            self.sharing.now = if how == Share::Nat { Shares::Nat(why) } else { Shares::Not("there is no lan") };
            return;
        };
        let link = lans.get(&lan).copied();
        let mac = |link: Option<u32>| link.and_then(|link| actual.links.get(&link)).and_then(|link| link.mac);
        let config = ndproxy::Config { prefix, router, lan_mac: mac(link), uplink_mac: mac(self.link) };
        let core = match std::mem::take(&mut self.sharing.now) {
            Shares::Proxy { mut core, link: was, .. } if was == link => {
                core.reconfigure(config);
                core
            }
            _ => Box::new(Proxy::new(config, std::mem::take(&mut self.sharing.answered), now)),
        };
        self.sharing.now = Shares::Proxy { lan, link, prefix, router, core, why };
    }

    /// How something is to be shared now, and why; or why not.
    fn wanted(&mut self, now: Instant) -> (Option<Share>, Option<&'static str>) {
        let UplinkKind::Native { share, request, .. } = self.config.kind.clone() else { return (None, None) };
        let delegated = self.client.as_ref().is_some_and(|client| {
            client.leases().prefixes.iter().any(|lease| !lease.lifetimes.valid.is_over(now) && lease.prefix.len() <= 64)
        });
        self.sharing.waits = None;
        if delegated || self.link.is_none() {
            self.sharing.since = None;
            return (None, None);
        }
        let how = match share {
            Share::Auto | Share::Proxy => Share::Proxy,
            Share::Nat => Share::Nat,
            Share::Off => return (None, Some("nothing is shared, since `share` is off")),
        };
        if let Shares::Proxy { why, .. } | Shares::Nat(why) = self.sharing.now {
            // once given it stays, until there is something better
            return (Some(how), Some(why));
        }
        if request.prefix.is_none() {
            return (Some(how), Some("no prefix is asked for"));
        }
        if self.client.as_ref().is_some_and(|client| client.status(now).refused.is_some()) {
            return (Some(how), Some("the network has no prefix to delegate"));
        }
        let until = self.sharing.since.get_or_insert(now).after(PATIENCE);
        if until <= now {
            return (Some(how), Some("nothing was delegated"));
        }
        self.sharing.waits = Some(until);
        (None, None)
    }

    /// A /64 of the uplink's link that has an address of ours.
    fn shareable(&self, now: Instant) -> Option<(Prefix, Ipv6Addr)> {
        let learned = self.host.as_ref()?.learned(now);
        let autonomous = learned.prefixes.iter().filter(|on| on.autonomous && on.prefix.len() == 64);
        // what is shared stays so while it lives
        let before = self.shared_pair().map(|(prefix, _)| prefix);
        let pairs = autonomous.filter(|on| !on.lifetimes.valid.is_over(now)).filter_map(|on| {
            let mut own = learned.addresses.iter().map(|own| own.address);
            let router = own.find(|addr| on.prefix.contains(*addr))?;
            Some((on.prefix, router, on.lifetimes.preferred.is_over(now)))
        });
        let rank = |prefix: Prefix, deprecated| (is_ula(prefix.addr()), deprecated, Some(prefix) != before);
        let best = pairs.min_by_key(|(prefix, _, deprecated)| rank(*prefix, *deprecated));
        best.map(|(prefix, router, _)| (prefix, router))
    }

    fn shared_pair(&self) -> Option<(Prefix, Ipv6Addr)> {
        match &self.sharing.now {
            Shares::Proxy { prefix, router, .. } => Some((*prefix, *router)),
            _ => None,
        }
    }

    /// The /64 that a LAN has by proxy, and its lifetimes.
    pub(super) fn shared_prefix(&self, now: Instant) -> Option<(Prefix, Lifetimes)> {
        let (prefix, _) = self.shared_pair()?;
        let learned = self.host.as_ref()?.learned(now);
        learned.prefixes.iter().find(|on| on.prefix == prefix).map(|on| (prefix, on.lifetimes))
    }

    /// Whether this address lies in a /64 that is a LAN's too.
    pub(super) fn is_shared(&self, addr: Ipv6Addr) -> bool {
        self.shared_pair().is_some_and(|(prefix, _)| prefix.contains(addr))
    }

    /// Whether LANs' addresses become the uplink's own.
    pub(super) fn translates(&self) -> bool {
        matches!(self.sharing.now, Shares::Nat(_))
    }

    /// What the plan has to know.
    pub(super) fn shared(&self) -> Option<plan::Shared> {
        match &self.sharing.now {
            Shares::Proxy { lan, prefix, router, core, .. } => Some(plan::Shared::Proxy {
                lan: lan.clone(),
                prefix: *prefix,
                router: *router,
                hosts: core.hosts().collect(),
            }),
            Shares::Nat(_) => Some(plan::Shared::Nat),
            Shares::Nothing | Shares::Not(_) => None,
        }
    }

    /// What is shared, or not, and why, in words.
    pub(super) fn share_reason(&self) -> Option<String> {
        Some(match &self.sharing.now {
            Shares::Proxy { lan, prefix, why, .. } => format!("shares {prefix} with lan {lan} by proxy, since {why}"),
            Shares::Nat(why) => format!("shares its own address with the lans by translation (NAT66), since {why}"),
            Shares::Not(why) => (*why).to_owned(),
            Shares::Nothing => return None,
        })
    }

    /// The two links between which neighbours are to be heard: the LAN's and the uplink's.
    pub(super) fn shared_links(&self) -> Option<(u32, u32)> {
        match &self.sharing.now {
            Shares::Proxy { link, .. } => Some(((*link)?, self.link?)),
            _ => None,
        }
    }

    /// A message between neighbours on one of the two links; true: the plan should know.
    pub(super) fn neighbour(&mut self, link: u32, message: &Neighbour, now: Instant, out: &mut Vec<Action>) -> bool {
        let Some((lan, uplink)) = self.shared_links() else { return false };
        let side = match link {
            link if link == lan => Side::Lan,
            link if link == uplink => Side::Uplink,
            _ => return false,
        };
        let mut actions = Vec::new();
        if let Shares::Proxy { core, .. } = &mut self.sharing.now {
            core.heard(side, message, now, &mut actions);
        }
        hand_on((lan, uplink), actions, out)
    }

    /// Fires what is due; true: the plan should know.
    pub(super) fn tick_sharing(&mut self, now: Instant, out: &mut Vec<Action>) -> bool {
        let over = self.sharing.waits.take_if(|at| *at <= now).is_some();
        let links = self.shared_links();
        let mut actions = Vec::new();
        if let Shares::Proxy { core, .. } = &mut self.sharing.now
            && core.poll_at().is_some_and(|(at, _)| at <= now)
        {
            core.tick(now, &mut actions);
        }
        // without both links nobody can be asked, and what is known ends
        links.map_or(!actions.is_empty(), |links| hand_on(links, actions, out)) || over
    }
}

fn hand_on((lan, uplink): (u32, u32), actions: Vec<ndproxy::Action>, out: &mut Vec<Action>) -> bool {
    let mut news = false;
    for action in actions {
        match action {
            ndproxy::Action::Send { side, to, bytes } => {
                let link = if side == Side::Lan { lan } else { uplink };
                out.push(Action::SendNd { link, to, bytes });
            }
            ndproxy::Action::Changed => news = true,
        }
    }
    news
}

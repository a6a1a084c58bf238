//! The plan: all that should be, out of the configuration and the facts.

use super::announce::{Announcement, Common, leads_out, router_address};
use super::objects::unreachable_route;
use super::place::{Place, places};
use super::subnets::{self, Subnets};
use super::{
    Actual, AddressState, Desired, Facts, Key, LanPlan, LanPrefix, RouteTarget, Served, SourcePrefix, Tag, Trouble,
    Value, delegate, delegation_route, device_sysctl, perimeter, served, uplinks,
};
use crate::config::{Config, Lan, Ula};
use crate::net::FlatMap;
use crate::net::{Instant, Lifetimes, Prefix, Until, with_iid};
use crate::proto::{dhcp6, names};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Name of the unique local prefix as a source.
pub(super) const ULA: &str = "ula";
/// Source of a prefix that none gives any more.
const GONE: &str = "gone";
/// Packets are forwarded between all links.
const FORWARDING: &str = "net.ipv6.conf.all.forwarding";
/// Longer lifetimes of addresses are told to the kernel as infinite, since a 32-bit one counts ticks of up to 1 kHz in
/// 31 bits. They become finite as they get nearer, and end by a new plan in any case.
const KERNEL_LONGEST: Duration = Duration::from_secs(2_000_000);

/// Every prefix there is for LANs: the unique local one, those given by hand, those of uplinks.
pub fn sources(config: &Config, facts: &Facts) -> Vec<SourcePrefix> {
    let ula = match config.ula {
        Ula::Auto => facts.ula,
        Ula::Fixed(prefix) => Some(prefix),
        Ula::Off => None,
    };
    let ula = ula.map(|prefix| SourcePrefix {
        source: ULA.to_owned(),
        prefix,
        lifetimes: Lifetimes::FOREVER,
        lans: None,
        assign: true,
        delegate: true,
        router: None,
    });
    ula.into_iter().chain(facts.prefixes.iter().cloned()).chain(uplinks::sources(facts)).collect()
}

/// Makes the plan. The same arguments give the same plan, and what it says of [`Desired::served`] gives itself.
pub fn desired(config: &Config, facts: &Facts, now: Instant) -> Desired {
    let mut troubles = Vec::new();
    let sources = usable(sources(config, facts), now, &mut troubles);
    let places = places(config, facts);
    let mut subnets = subnets::assign(config, &sources, facts);
    troubles.extend(places.iter().filter_map(|(lan, place)| place.trouble(lan)));
    troubles.append(&mut subnets.troubles);
    let served = served::update(config, facts, &subnets, now);
    let world = World { config, facts, sources: &sources, subnets: &subnets, served: &served, now };
    let mut plan = Desired {
        dhcp6: dhcp6::Config { duid: facts.duid.clone(), links: FlatMap::new(), hosts: config.hosts.clone() },
        problems: troubles,
        ..Desired::default()
    };
    world.objects(&mut plan);
    plan.problems.extend(world.deafened(&places));
    for (name, lan) in &config.lans {
        if let Some(place) = places.get(name.as_str()) {
            world.lan(name, lan, place, &mut plan);
        }
    }
    uplinks::translated_routes(facts, &mut plan);
    perimeter::add(config, facts, &sources, &mut plan);
    plan.recheck_at = world.next_end();
    plan.served = served;
    plan
}

/// The prefixes that can be used now, each once.
fn usable(sources: Vec<SourcePrefix>, now: Instant, troubles: &mut Vec<Trouble>) -> Vec<SourcePrefix> {
    let mut usable: Vec<SourcePrefix> = Vec::new();
    for mut source in sources.into_iter().filter(|source| !source.lifetimes.valid.is_over(now)) {
        let wrong = if source.prefix.len() > 64 {
            Some(("is longer than a /64, too little for a LAN".to_owned(), "get a prefix of at most 64 bits"))
        } else {
            let twin = usable.iter().find(|other| other.prefix == source.prefix);
            twin.map(|twin| (format!("is the same as {}", twin.source), "take one of the two out"))
        };
        match wrong {
            Some((message, remedy)) => troubles.push(Trouble {
                place: source.source,
                message: format!("{} {message}", source.prefix),
                remedy: remedy.to_owned(),
            }),
            None => {
                source.lifetimes = Lifetimes::new(source.lifetimes.preferred, source.lifetimes.valid);
                usable.push(source);
            }
        }
    }
    usable
}

/// What is known while the plan is made.
struct World<'a> {
    config: &'a Config,
    facts: &'a Facts,
    sources: &'a [SourcePrefix],
    subnets: &'a Subnets<'a>,
    served: &'a [Served],
    now: Instant,
}

impl World<'_> {
    /// What concerns no LAN alone: forwarding, unreachable routes, routes to delegated prefixes.
    fn objects(&self, plan: &mut Desired) {
        if self.config.lans.values().any(|lan| lan.enabled) {
            plan.objects.insert(Key::Sysctl(FORWARDING.into()), Value::Sysctl("1".into()));
        }
        uplinks::objects(self.facts, self.now, &mut plan.objects);
        plan.objects.extend(self.sources.iter().map(|source| unreachable_route(source.prefix)));
        let delegations = self.facts.delegations.iter();
        let routed = delegations.filter(|(prefix, _)| delegate::may_route(prefix, self.sources, self.subnets));
        plan.objects.extend(routed.map(|(prefix, to)| delegation_route(*prefix, to)));
    }

    /// Uplinks that lose their default route when this machine begins to forward.
    fn deafened(&self, places: &FlatMap<&str, Place>) -> Option<Trouble> {
        let Actual { links, routes, sysctls, .. } = &self.facts.actual;
        let is = |name: &str, value: &str| sysctls.get(name).is_some_and(|was| was == value);
        let default_routes =
            routes.iter().filter(|(key, _)| matches!(key, Key::Route { dst, .. } if dst.covers(&Prefix::GLOBAL)));
        let mut uplinks = default_routes.filter_map(|(_, route)| route.target.link());
        let link = uplinks.find_map(|index| {
            let link = links.get(&index).filter(|_| places.values().all(|place| place.link != Some(index)))?;
            is(&device_sysctl(&link.name, "accept_ra"), "1").then_some(&link.name)
        });
        let link = link.filter(|_| is(FORWARDING, "0") && !places.is_empty())?;
        Some(Trouble {
            place: "kernel".into(),
            message: format!(
                "{link} ceases to listen to router advertisements, and so loses its default route, when this machine forwards"
            ),
            remedy: format!("run `sysctl -w net/ipv6/conf/{link}/accept_ra=2` first, and keep it in /etc/sysctl.d"),
        })
    }

    fn lan(&self, name: &str, lan: &Lan, place: &Place, plan: &mut Desired) {
        let mut lan_plan = LanPlan {
            device: place.device.clone(),
            link: place.link.filter(|_| place.up),
            why: place.why.clone(),
            ..LanPlan::default()
        };
        if let Some(index) = place.link {
            lan_plan.prefixes = self.prefixes(name, lan);
            self.addresses(name, index, &lan_plan, plan);
            self.serve(name, lan, (index, place), &mut lan_plan, plan);
        }
        plan.lans.insert(name.to_owned(), lan_plan);
    }

    /// A LAN's /64s: those that a source gives, then those that hosts have yet to forget.
    fn prefixes(&self, name: &str, lan: &Lan) -> Vec<LanPrefix> {
        let live = self.subnets.of.get(name).into_iter().flatten().map(|subnet| LanPrefix {
            source: subnet.source.source.clone(),
            prefix: subnet.prefix,
            router: Some(subnet.source.router.unwrap_or_else(|| with_iid(subnet.prefix.addr(), lan.router_id))),
            lifetimes: subnet.source.lifetimes,
        });
        let gone = self.served.iter().filter(|served| served.lan == name && !served.live);
        let gone = gone.map(|served| LanPrefix {
            source: GONE.into(),
            prefix: served.prefix,
            router: None,
            lifetimes: Lifetimes { preferred: Until::At(Instant(0)), valid: served.until },
        });
        live.chain(gone).collect()
    }

    /// The router's address in each live /64, for as long as its source gives it.
    fn addresses(&self, name: &str, link: u32, lan: &LanPlan, plan: &mut Desired) {
        if !lan.prefixes.iter().any(|prefix| prefix.router.is_some()) {
            plan.problems.push(Trouble {
                place: format!("lan {name}"),
                message: "there is no prefix for it".into(),
                remedy: "set `ula` to auto, or add a `prefix` section that this lan may use".into(),
            });
        }
        for (prefix, addr) in lan.prefixes.iter().filter_map(|prefix| Some((prefix, prefix.router?))) {
            plan.problems.extend(conflict(name, lan, link, (prefix.prefix, addr), &self.facts.actual));
            for addr in std::iter::once(addr).chain(self.hashed(prefix.prefix)) {
                let lifetimes = kernel_lifetimes(self.facts, (link, addr), prefix.lifetimes, self.now);
                plan.objects.insert(Key::Address { link, addr }, Value::Address { len: 64, lifetimes });
            }
        }
        for addr in self.hashed(Prefix::LINK_LOCAL) {
            let value = Value::Address { len: 64, lifetimes: Lifetimes::FOREVER };
            plan.objects.insert(Key::Address { link, addr }, value);
        }
    }

    /// Addresses of the router in a prefix that are made of names.
    fn hashed(&self, prefix: Prefix) -> impl Iterator<Item = Ipv6Addr> {
        self.facts.hash_names.iter().map(move |name| names::hash::address(name, prefix.addr()))
    }

    /// What a LAN's hosts are told, if they can be told.
    fn serve(&self, name: &str, lan: &Lan, (index, place): (u32, &Place), lan_plan: &mut LanPlan, plan: &mut Desired) {
        let Some(link) = self.facts.actual.links.get(&index).filter(|_| place.why.is_empty()) else { return };
        let router = router_address(&lan_plan.prefixes, index, place.link_local, &self.facts.actual, self.now);
        let common = Common::new(lan, &self.config.domain, router);
        if let Some(ra) = &lan.ra {
            let announcement = Announcement {
                lan,
                ra,
                common: &common,
                plan: lan_plan,
                link,
                sources: self.sources,
                subnets: self.subnets,
                leads_out: leads_out(self.facts, self.sources, name),
                uplink_mtu: uplinks::mtu(self.facts),
            };
            lan_plan.ra = Some(announcement.config());
            if let Some(mtu) = ra.mtu.filter(|mtu| *mtu > link.mtu) {
                plan.problems.push(Trouble {
                    place: format!("lan {name}"),
                    message: format!("hosts are told an MTU of {mtu}, but {} has {}", link.name, link.mtu),
                    remedy: "set the lan's `mtu` to the device's, or leave it out".into(),
                });
            }
        }
        if let Some(options) = &lan.dhcp6 {
            let link = delegate::link(name, options, &common, lan_plan, self.sources, self.subnets);
            plan.dhcp6.links.insert(index, link);
        }
    }

    /// When a lifetime ends next, of a prefix or of the memory of one.
    fn next_end(&self) -> Option<Instant> {
        let sources = self.sources.iter().map(|source| source.lifetimes);
        let own =
            self.facts.uplinks.values().flat_map(|uplink| uplink.addresses.iter().map(|(.., lifetimes)| *lifetimes));
        let ends = sources.chain(own).flat_map(|lifetimes| [lifetimes.preferred, lifetimes.valid]);
        let ends = ends.chain(self.served.iter().filter(|served| !served.live).map(|served| served.until));
        let ends = ends.filter_map(|end| if let Until::At(at) = end { Some(at) } else { None });
        ends.filter(|at| *at > self.now).min()
    }
}

/// Lifetimes of an address as the kernel can keep and tell them.
pub(super) fn kernel_lifetimes(facts: &Facts, on: (u32, Ipv6Addr), lifetimes: Lifetimes, now: Instant) -> Lifetimes {
    let Lifetimes { preferred, valid } = lifetimes;
    let countable = |end: Until| match end {
        Until::At(at) if at.since(now) <= KERNEL_LONGEST => end,
        _ => Until::Forever,
    };
    let was = facts.actual.addresses.get(&on).map(|address| address.lifetimes.preferred);
    let preferred = match was {
        // deprecated is deprecated: the kernel does not tell since when
        Some(was) if was.is_over(now) && preferred.is_over(now) => was,
        _ => countable(preferred),
    };
    Lifetimes { preferred, valid: countable(valid) }
}

/// Somebody else has the router's address, or the whole /64.
fn conflict(name: &str, lan: &LanPlan, link: u32, on: (Prefix, Ipv6Addr), actual: &Actual) -> Option<Trouble> {
    let (prefix, addr) = on;
    let place = format!("lan {name}");
    if actual.addresses.get(&(link, addr)).is_some_and(|address| address.state == AddressState::Duplicate) {
        return Some(Trouble {
            place,
            message: format!("another host on {} uses {addr}, the router's address", lan.device),
            remedy: "give that host another address, or set the lan's `router_id`".into(),
        });
    }
    let elsewhere = actual.routes.iter().find_map(|(key, route)| match (key, route.target, route.tag) {
        (Key::Route { dst, .. }, RouteTarget::OnLink { link: other }, Tag::Foreign)
            if other != link && prefix.covers(dst) && Some(*dst) != Prefix::new(addr, 128) =>
        {
            actual.links.get(&other)
        }
        _ => None,
    })?;
    Some(Trouble {
        place,
        message: format!("{prefix} is on {} too: its hosts there can't be reached", elsewhere.name),
        remedy: "give the lan another `subnet`, or take the prefix off the other device".into(),
    })
}

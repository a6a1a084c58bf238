//! The router's names: what [`proto::names`](crate::proto::names) is told, and when.
//!
//! Names are made anew when a plan was made, a binding came or went, or a host was heard of; then at once if that was not
//! just done, so that a name follows its host through a renumbering within a second. A thousand clients that renew cost
//! one round in a minute. While there are names, the kernel is asked for its neighbours every few seconds, and more often
//! just after prefixes have changed.

use super::{Action, Router};
use crate::net::{Instant, Mac, Prefix};
use crate::plan::{self, LanPlan};
use crate::proto::dhcp6::{Binding, Resource};
use crate::proto::names::{Change, Known, Lan, Lease4, Names, hash};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Names are made anew at most this often,
const SPACING: Duration = Duration::from_millis(100);
/// ... and so much later for each binding there is: 20,000 of them cost a second.
const FOR_EACH_BINDING: Duration = Duration::from_micros(50);
/// How soon a lease that was only extended counts: its host may have another name.
const RENEWED: Duration = Duration::from_secs(60);
/// How often the kernel is asked for its neighbours,
const SURVEY: Duration = Duration::from_secs(5);
/// ... and how often just after a LAN got other prefixes,
const EAGER_SURVEY: Duration = Duration::from_secs(1);
/// ... for so long.
const EAGER: Duration = Duration::from_secs(10);
/// Names that are addresses, at most.
const MAX_HASHED: usize = 16;

/// Names, and what they are made of beside the router's own facts.
#[derive(Debug, Default)]
pub(super) struct Naming {
    pub(super) names: Names,
    hostname: String,
    leases4: Vec<Lease4>,
    /// When they are to be made anew.
    due: Option<Instant>,
    made: Option<Instant>,
    /// /64s of the LANs, as of the last plan.
    prefixes: Vec<Prefix>,
    surveyed: Option<Instant>,
    eager_until: Instant,
    /// How many bindings there were.
    bindings: usize,
    /// Whether there are names.
    on: bool,
}

impl Naming {
    /// They are to be made anew, at `at` or as soon as may be.
    pub(super) fn want(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// A binding was only extended.
    pub(super) fn renewed(&mut self, now: Instant) {
        self.want(now.after(RENEWED));
    }

    pub(super) fn take_hostname(&mut self, hostname: String, now: Instant) {
        if self.hostname != hostname {
            self.hostname = hostname;
            self.want(now);
        }
    }

    pub(super) fn take_leases4(&mut self, leases4: Vec<Lease4>, now: Instant) {
        if self.leases4 != leases4 {
            self.leases4 = leases4;
            self.want(now);
        }
    }

    fn due_at(&self) -> Option<Instant> {
        let bindings = u32::try_from(self.bindings).unwrap_or(u32::MAX);
        let spacing = SPACING.saturating_add(FOR_EACH_BINDING.saturating_mul(bindings));
        let allowed = self.made.map(|at| at.after(spacing)).unwrap_or_default();
        self.due.map(|at| at.max(allowed))
    }

    fn survey_at(&self) -> Instant {
        let spacing = |last: Instant| if last < self.eager_until { EAGER_SURVEY } else { SURVEY };
        self.surveyed.map(|last| last.after(spacing(last))).unwrap_or_default()
    }

    pub(super) fn poll_at(&self) -> Option<(Instant, &'static str)> {
        let due = self.due_at().map(|at| (at, "names change"));
        let survey = (self.survey_at(), "neighbours are looked at");
        due.into_iter().chain([survey]).filter(|_| self.on).min_by_key(|(at, _)| *at)
    }
}

impl Router {
    /// Whether there are names: somebody asks us for them, or others are told.
    pub fn wants_names(&self) -> bool {
        self.config.enabled && (self.config.dns.is_some() || !self.config.publish.is_empty())
    }

    /// The answer to `names`.
    pub fn names(&self, now: Instant) -> Value {
        self.naming.names.status(now)
    }

    /// The names there are.
    pub fn known_names(&self) -> &Names {
        &self.naming.names
    }

    /// Which hosts are on a link, as its neighbours are known.
    pub(super) fn heard(&mut self, link: u32, seen: &[(Ipv6Addr, Mac)], now: Instant) {
        let lan = self.desired.lans.iter().find(|(_, lan)| lan.link == Some(link));
        if let Some((name, _)) = lan
            && self.naming.names.heard(name, seen, now)
        {
            self.naming.want(now);
        }
    }

    /// A plan was made.
    pub(super) fn planned_names(&mut self, now: Instant) {
        let lans = self.desired.lans.values().flat_map(|lan| &lan.prefixes).filter(|prefix| prefix.router.is_some());
        let prefixes: Vec<Prefix> = lans.map(|prefix| prefix.prefix).collect();
        if prefixes != self.naming.prefixes {
            self.naming.prefixes = prefixes;
            self.naming.eager_until = now.after(EAGER);
        }
        self.naming.want(now);
    }

    /// Makes the names anew if they are due, and asks for neighbours.
    pub(super) fn settle_names(&mut self, now: Instant, out: &mut Vec<Action>) {
        let wanted = self.wants_names();
        let was = std::mem::replace(&mut self.naming.on, wanted);
        if !wanted {
            if was {
                let gone = std::mem::take(&mut self.naming.names).end();
                out.extend(Some(gone).filter(|gone| !gone.is_empty()).map(Action::Zones));
            }
            return;
        }
        if self.naming.survey_at() <= now {
            self.naming.surveyed = Some(now);
            let links = self.desired.lans.values().filter_map(|lan| lan.link);
            out.extend(links.map(|link| Action::Survey { link }));
        }
        if !was {
            self.naming.want(now);
        }
        if self.naming.due_at().is_some_and(|at| at <= now) {
            self.naming.due = None;
            self.naming.made = Some(now);
            let changes = self.make_names(now);
            if !changes.is_empty() {
                out.push(Action::Zones(changes));
            }
        }
    }

    fn make_names(&mut self, now: Instant) -> Vec<Change> {
        let lans: Vec<Lan> = self.desired.lans.iter().map(|(name, lan)| self.named_lan(name, lan, now)).collect();
        let sources = plan::sources(&self.config, &self.facts).into_iter();
        let sources = sources.filter(|source| !source.lifetimes.valid.is_over(now) && source.prefix.len() <= 64);
        let prefixes: Vec<Prefix> = sources.map(|source| source.prefix).collect();
        let hashed: BTreeMap<String, Vec<Ipv6Addr>> = self
            .facts
            .hash_names
            .iter()
            .map(|name| {
                let each = lans.iter().flat_map(|lan| lan.prefixes.iter().copied());
                (name.clone(), hash::addresses(name, each).collect())
            })
            .collect();
        let Router { naming, dhcp6, config, .. } = self;
        let is_address = |binding: &&Binding| matches!(binding.resource, Resource::Address(_));
        let bindings: Vec<&Binding> = dhcp6.bindings().filter(is_address).collect();
        naming.bindings = bindings.len();
        let known = Known {
            config,
            hostname: &naming.hostname,
            hashed: &hashed,
            lans: &lans,
            prefixes: &prefixes,
            bindings: &bindings,
            leases4: &naming.leases4,
        };
        naming.names.update(&known, now)
    }

    fn named_lan(&self, name: &str, lan: &LanPlan, now: Instant) -> Lan {
        let config = self.config.lans.get(name);
        let live = || lan.prefixes.iter().filter(|prefix| !prefix.lifetimes.preferred.is_over(now));
        let live = || live().filter_map(|prefix| Some((prefix.prefix, prefix.router?)));
        let ipv4 = self.facts.actual.ipv4.iter().filter(|((link, _), _)| Some(*link) == lan.link);
        let networks: Vec<_> = ipv4.map(|((_, addr), len)| (*addr, *len)).collect();
        let router = live().map(|(_, router)| IpAddr::V6(router));
        Lan {
            name: name.to_owned(),
            domain: config.and_then(|lan| lan.domain.clone()).unwrap_or_else(|| self.config.domain.clone()),
            prefixes: live().map(|(prefix, _)| prefix).collect(),
            slaac: config.and_then(|lan| lan.ra.as_ref()).is_some_and(|ra| ra.slaac),
            router: router.chain(networks.iter().map(|(addr, _)| IpAddr::V4(*addr))).collect(),
            networks,
        }
    }

    /// Gives the router an address made of a name on each link, until it is taken away again. Errors: why not, in words.
    pub fn attach_hash(&mut self, name: &str, now: Instant, out: &mut Vec<Action>) -> Result<(), String> {
        let name = crate::config::host_name(name)?;
        let attached = &mut self.memory.hash_names;
        if !attached.contains(&name) {
            if attached.len() >= MAX_HASHED {
                return Err(format!("there are {MAX_HASHED} such names already; detach one of them first"));
            }
            attached.push(name);
            self.follow_hashes(now, out);
        }
        Ok(())
    }

    /// Takes such an address away. Errors: it was not attached.
    pub fn detach_hash(&mut self, name: &str, now: Instant, out: &mut Vec<Action>) -> Result<(), String> {
        let name = crate::config::host_name(name)?;
        let before = self.memory.hash_names.len();
        self.memory.hash_names.retain(|attached| *attached != name);
        if self.memory.hash_names.len() == before {
            return Err(match self.hash_names().contains(&name) {
                true => format!("'{name}' stands in the configuration: remove list hash_name '{name}' there"),
                false => format!("'{name}' is not attached"),
            });
        }
        self.follow_hashes(now, out);
        Ok(())
    }

    fn follow_hashes(&mut self, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Remember(self.memory.clone()));
        self.stale = true;
        self.naming.want(now);
    }

    /// All names that are addresses of the router: those of the configuration, and those attached.
    pub(super) fn hash_names(&self) -> Vec<String> {
        let mut all: Vec<String> = self.config.hash_names.iter().map(|name| name.to_ascii_lowercase()).collect();
        all.extend(self.memory.hash_names.iter().cloned());
        all.sort_unstable();
        all.dedup();
        all
    }
}

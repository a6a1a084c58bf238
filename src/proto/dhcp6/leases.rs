//! What a client gets: decided without changing anything, so that an Advertise offers what a Request will be given
//! (RFC 9915 §18.3.9).
//!
//! Every identity association gets one lease out of each live space of its link: an address of every subnet, a prefix
//! of every pool. In order of preference it is what is reserved for the client, what it has, what it asks for if that
//! is free (so that a binding that was lost comes back), and a free one. What it lists beside that is no longer good and
//! is answered with lifetimes of 0.

use super::bindings::Table;
use super::pool::{Space, Span};
use super::site::{Served, Site};
use super::status::Dropped;
use super::{Binding, Resource, State};
use crate::net::{Instant, Lifetimes, Mac, Prefix, Until};
use crate::wire::dhcp6::{Ia, IaAddress, IaPrefix, Message, MessageType, Writer, codes, option, status};

/// Identity associations of one message that are looked at; a client with more gets no answer for the rest.
pub(super) const MOST_IAS: usize = 16;
/// Addresses or prefixes of one identity association that are looked at.
pub(super) const MOST_LISTED: usize = 8;
/// Longest prefix that is delegated: a /64 is the least that a link can use (RFC 9818 §5.1).
const LONGEST_PREFIX: u8 = 64;

/// A message from a client, and where it is.
#[derive(Debug)]
pub(super) struct Inquiry<'a> {
    pub(super) message: Message<'a>,
    pub(super) duid: &'a [u8],
    pub(super) mac: Option<Mac>,
    /// Contents of its Option Request option.
    pub(super) requested: &'a [u8],
    /// The link that the client is on, or else the one its relay agent is on.
    pub(super) served: &'a Served,
    /// Subnets of the client's link; none if that isn't one of ours.
    pub(super) subnets: &'a [Space],
}

impl Inquiry<'_> {
    /// Whether the client requests this option.
    pub(super) fn requests(&self, code: u16) -> bool {
        codes(self.requested).any(|requested| requested == code)
    }
}

/// Why leases are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be offered.
    Offer,
    /// To be assigned.
    Assign,
    /// To be extended by us.
    Renew,
    /// To be extended by anybody.
    Rebind,
}

/// A lease in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lease {
    /// Which one of the answer's identity associations.
    pub(super) ia: usize,
    pub(super) resource: Resource,
    /// `None`: it is no longer good.
    pub(super) lifetimes: Option<Lifetimes>,
}

/// An identity association in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct IaAnswer {
    pub(super) code: u16,
    pub(super) iaid: u32,
    pub(super) status: Option<(u16, &'static str)>,
}

/// All identity associations of an answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) ias: Vec<IaAnswer>,
    pub(super) leases: Vec<Lease>,
    /// What the answer gives, so that it gives nothing twice.
    taken: Vec<Span>,
    /// What the client holds in the identity association at hand, what it lists, and what it gets out of one space.
    held: Vec<Resource>,
    listed: Vec<Resource>,
    chosen: Vec<Resource>,
}

/// The identity associations of a message with their codes, as many as are looked at.
pub(super) fn ias<'a>(message: &Message<'a>) -> impl Iterator<Item = Result<(u16, Ia<'a>), Dropped>> + use<'a> {
    let all = message.options.iter().filter(|(code, _)| matches!(*code, option::IA_NA | option::IA_PD));
    all.take(MOST_IAS).map(|(code, contents)| Ok((code, Ia::parse(code, contents)?)))
}

/// Appends what an identity association lists; `::` is only a hint for lifetimes or for a length.
pub(super) fn list(code: u16, ia: &Ia<'_>, listed: &mut Vec<Resource>) -> Result<(), Dropped> {
    for (inner, contents) in ia.options.iter() {
        let resource = match (code, inner) {
            (option::IA_NA, option::IA_ADDRESS) => Some(Resource::Address(IaAddress::parse(contents)?.address)),
            (option::IA_PD, option::IA_PREFIX) => {
                let prefix = IaPrefix::parse(contents)?;
                Prefix::new(prefix.address, prefix.len).map(Resource::Prefix)
            }
            _ => None,
        };
        if listed.len() < MOST_LISTED {
            listed.extend(resource.filter(|resource| Span::from(*resource).first != 0));
        }
    }
    Ok(())
}

/// The bindings that a client has leased in an identity association of that code and number.
pub(super) fn held<'t>(table: &'t Table, duid: &'t [u8], code: u16, iaid: u32) -> impl Iterator<Item = &'t Binding> {
    table.of_client(duid).filter(move |binding| {
        binding.state == State::Bound && binding.iaid == iaid && code == code_of(binding.resource)
    })
}

fn code_of(resource: Resource) -> u16 {
    match resource {
        Resource::Address(_) => option::IA_NA,
        Resource::Prefix(_) => option::IA_PD,
    }
}

/// What is asked, of whom, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    pub(super) site: &'q Site,
    pub(super) table: &'q Table,
    pub(super) inquiry: &'q Inquiry<'q>,
    pub(super) purpose: Purpose,
    pub(super) now: Instant,
}

/// One identity association while it is decided.
struct Deciding<'d> {
    question: Question<'d>,
    held: &'d [Resource],
    listed: &'d [Resource],
    code: u16,
    /// Length of a prefix to be delegated, and the shortest that may be.
    len: u8,
    shortest: u8,
    place: u64,
    host: Option<usize>,
    creates: bool,
}

impl Answer {
    /// Decides what the client gets. `room`: most bindings that may be made for it.
    pub(super) fn decide(&mut self, question: Question<'_>, mut room: usize) -> Result<(), Dropped> {
        let Question { table, inquiry, now, .. } = question;
        self.ias.clear();
        self.leases.clear();
        self.taken.clear();
        for found in ias(&inquiry.message) {
            let (code, ia) = found?;
            if self.ias.iter().any(|known| known.code == code && known.iaid == ia.iaid) {
                continue;
            }
            self.listed.clear();
            list(code, &ia, &mut self.listed)?;
            self.held.clear();
            self.held.extend(held(table, inquiry.duid, code, ia.iaid).map(|binding| binding.resource));
            let misplaced = inquiry.message.kind == MessageType::Request
                && code == option::IA_NA
                && !self.listed.iter().all(|resource| on_link(inquiry.subnets, *resource, now));
            let status = if misplaced {
                Some((status::NOT_ON_LINK, "an address does not fit this link"))
            } else {
                self.decide_ia(question, code, &ia, &mut room)
            };
            self.ias.push(IaAnswer { code, iaid: ia.iaid, status });
        }
        Ok(())
    }

    fn decide_ia(
        &mut self,
        question: Question<'_>,
        code: u16,
        ia: &Ia<'_>,
        room: &mut usize,
    ) -> Option<(u16, &'static str)> {
        let Question { site, inquiry, purpose, now, .. } = question;
        let options = &inquiry.served.options;
        let (enabled, spaces) = match code {
            option::IA_NA => (options.addresses, inquiry.subnets),
            _ => (options.delegation, inquiry.served.pools.as_slice()),
        };
        let deciding = Deciding {
            question,
            held: &self.held,
            listed: &self.listed,
            code,
            len: length_hint(ia).unwrap_or(options.delegated_len),
            shortest: options.delegated_min_len.min(LONGEST_PREFIX),
            place: place(site.key, code, ia.iaid, inquiry.duid),
            host: site.hosts.find(inquiry.duid, ia.iaid, inquiry.mac),
            // who answers a Rebind may not be the only one who does (RFC 9915 §18.3.5)
            creates: purpose != Purpose::Rebind || !self.held.is_empty() || options.rapid_commit,
        };
        let (before, index) = (self.leases.len(), self.ias.len());
        let wanted = Lifetimes::new(
            Until::from_wire(options.preferred_lifetime, now),
            Until::from_wire(options.valid_lifetime, now),
        );
        for space in spaces.iter().filter(|space| enabled && space.is_live(now)) {
            self.chosen.clear();
            deciding.choose(space, &self.taken, &mut self.chosen);
            for resource in self.chosen.iter().copied() {
                if !deciding.held.contains(&resource) {
                    if *room == 0 {
                        continue;
                    }
                    *room -= 1;
                }
                self.taken.push(resource.into());
                self.leases.push(Lease { ia: index, resource, lifetimes: Some(wanted.min(space.lifetimes)) });
            }
        }
        if matches!(purpose, Purpose::Renew | Purpose::Rebind) {
            for resource in deciding.listed.iter().copied() {
                let answered = self.leases.iter().skip(before).any(|lease| lease.resource == resource);
                if !answered {
                    self.leases.push(Lease { ia: index, resource, lifetimes: None });
                }
            }
        }
        match (self.leases.len() > before, code) {
            (true, _) => None,
            (false, _) if !deciding.creates => Some((status::NO_BINDING, "not known here")),
            (false, option::IA_NA) => Some((status::NO_ADDRS_AVAIL, "no address is available")),
            (false, _) => Some((status::NO_PREFIX_AVAIL, "no prefix is available")),
        }
    }

    /// T1 and T2 in seconds, the same for all identity associations (RFC 9915 §18.3.2).
    pub(super) fn times(&self, served: &Served, now: Instant) -> (u32, u32) {
        let given = self.leases.iter().filter_map(|lease| lease.lifetimes);
        let Some(shortest) = given.map(|lifetimes| lifetimes.preferred.remaining(now)).min() else { return (0, 0) };
        let share = |numerator: u64, denominator: u64| match shortest {
            u32::MAX => u32::MAX,
            // a part of a u32 is a u32
            seconds => u32::try_from(u64::from(seconds) * numerator / denominator).unwrap_or(seconds),
        };
        let t2 = served.options.t2.unwrap_or(share(4, 5)).min(shortest);
        (served.options.t1.unwrap_or(share(1, 2)).min(t2), t2)
    }

    /// Writes every identity association.
    pub(super) fn write(&self, served: &Served, now: Instant, writer: &mut Writer) {
        let (t1, t2) = self.times(served, now);
        for (index, ia) in self.ias.iter().enumerate() {
            let mark = writer.open_ia(ia.code, ia.iaid, t1, t2);
            for lease in self.leases.iter().filter(|lease| lease.ia == index) {
                let seconds = |until: Until| until.remaining(now);
                let (preferred, valid) = lease.lifetimes.map_or((0, 0), |l| (seconds(l.preferred), seconds(l.valid)));
                match lease.resource {
                    Resource::Address(address) => writer.ia_address(address, preferred, valid),
                    Resource::Prefix(prefix) => writer.ia_prefix(prefix.addr(), prefix.len(), preferred, valid),
                }
            }
            if let Some((code, message)) = ia.status {
                writer.status(code, message);
            }
            writer.close(mark);
        }
    }
}

impl Deciding<'_> {
    /// What the client gets out of this space.
    fn choose(&self, space: &Space, taken: &[Span], chosen: &mut Vec<Resource>) {
        let Question { site, table, .. } = self.question;
        let within = Span::from(space.prefix);
        let untaken = |resource: &Resource| !taken.iter().any(|other| other.overlaps((*resource).into()));
        let free = |resource: &Resource| !table.overlaps((*resource).into()) && untaken(resource);
        let fits = |resource: &Resource| {
            let span = Span::from(*resource);
            within.covers(span) && space.permits(span) && self.has_fitting_len(*resource)
        };
        let reserved = self.host.into_iter().flat_map(|host| site.hosts.reserved_in(host, within));
        let mut reserved = reserved.filter(|span| space.permits_reserved(*span)).filter_map(|span| self.resource(span));
        let mine = |resource: &Resource| {
            self.held.contains(resource) || free(resource) || untaken(resource) && self.takes_over(*resource)
        };
        if let Some(mine) = reserved.find(mine) {
            chosen.push(mine);
            return;
        }
        chosen.extend(self.held.iter().copied().filter(fits));
        if !chosen.is_empty() {
            return;
        }
        let asked = self.listed.iter().copied().filter(fits).find(free);
        chosen.extend(asked.or_else(|| {
            let lens = match self.code {
                option::IA_NA => 128..=128,
                _ => self.len.max(self.shortest).max(space.prefix.len()).min(LONGEST_PREFIX)..=LONGEST_PREFIX,
            };
            let mut lens = lens.filter(|_| self.creates);
            lens.find_map(|len| space.free(len, self.place, table, taken)).and_then(|span| self.resource(span))
        }));
    }

    /// Whether the same host has this under another DUID, as of its other operating system, or has registered it. Two
    /// identity associations of one DUID don't take from each other: they may be two interfaces, both in use.
    fn takes_over(&self, resource: Resource) -> bool {
        let Question { site, table, inquiry, .. } = self.question;
        table.get(resource).is_some_and(|binding| {
            let duid = binding.client.as_bytes();
            let may = match binding.state {
                State::Bound => duid != inquiry.duid,
                State::Registered => true,
                State::Declined => false,
            };
            may && site.hosts.find(duid, binding.iaid, binding.client.mac()) == self.host
        })
    }

    fn has_fitting_len(&self, resource: Resource) -> bool {
        match resource {
            Resource::Address(_) => true,
            Resource::Prefix(prefix) => (self.shortest..=LONGEST_PREFIX).contains(&prefix.len()),
        }
    }

    /// What this span is for this identity association: an address or a prefix, or nothing it could have.
    fn resource(&self, span: Span) -> Option<Resource> {
        match (self.code, span.len()) {
            (option::IA_NA, 128) => Some(Resource::Address(span.first.into())),
            (option::IA_PD, len @ ..128) => Prefix::new(span.first.into(), len).map(Resource::Prefix),
            _ => None,
        }
    }
}

/// Whether a client on the link of these subnets may have this address, as far as the link is concerned.
pub(super) fn on_link(subnets: &[Space], resource: Resource, now: Instant) -> bool {
    let Resource::Address(address) = resource else { return false };
    subnets.iter().any(|subnet| subnet.prefix.contains(address) && !subnet.lifetimes.valid.is_over(now))
}

/// The length that the client asks for (RFC 8168 §3.1).
fn length_hint(ia: &Ia<'_>) -> Option<u8> {
    let prefixes = ia.options.all(option::IA_PREFIX).filter_map(|contents| IaPrefix::parse(contents).ok());
    prefixes.map(|prefix| prefix.len).find(|len| *len > 0)
}

/// Where a lease of this identity association lies, as a number to be scaled to a space.
fn place(key: u64, code: u16, iaid: u32, duid: &[u8]) -> u64 {
    super::pool::hash(key ^ u64::from(code) << 32 ^ u64::from(iaid), duid)
}

//! One message and its answer: RFC 9915 §18.3, section by section.

use super::bindings::Table;
use super::leases::{self, Answer, Inquiry, Lease, Purpose, Question};
use super::reconfigure::Reconfigures;
use super::relay::{self, Path};
use super::server::{remove, reroute};
use super::site::{Served, Site};
use super::status::{Counters, Dropped};
use super::{Action, Binding, Record, Resource, State, Told};
use crate::net::{Duid, Instant, Lifetimes, Until};
use crate::wire::dhcp6::{ClientFqdn, Mark, MessageType, Writer, option, status};
use crate::wire::name;
use std::net::Ipv6Addr;

/// Bindings of one client, so that none can take all.
const MOST_PER_CLIENT: usize = 128;
/// One part in so many of all bindings is kept for clients that are known: those in the configuration, and those that
/// have a lease already. A flood from forged DUIDs can't take it.
const KEPT_FOR_KNOWN: usize = 10;
/// Seconds for which a declined address is given to nobody: a day, as long as the other holder may be asleep.
const DECLINED_FOR: u64 = 86_400;
/// Least and default Information Refresh Time in seconds (RFC 9915 §7.6 IRT_MINIMUM, IRT_DEFAULT).
const REFRESH: (u32, u32) = (600, 86_400);

/// Where a datagram came in and what it says of the way back.
pub(super) struct Arrival<'a> {
    pub(super) link: u32,
    /// The link it came in by.
    pub(super) served: &'a Served,
    pub(super) source: Ipv6Addr,
    pub(super) port: u16,
    pub(super) path: Path<'a>,
}

/// One message being answered.
pub(super) struct Turn<'a> {
    pub(super) site: &'a Site,
    pub(super) table: &'a mut Table,
    pub(super) counters: &'a mut Counters,
    pub(super) most_bindings: usize,
    pub(super) reconfigures: &'a mut Reconfigures,
    pub(super) answer: &'a mut Answer,
    pub(super) duid: &'a [u8],
    pub(super) inquiry: Inquiry<'a>,
    pub(super) arrival: Arrival<'a>,
    pub(super) now: Instant,
    pub(super) out: &'a mut Vec<Action>,
}

impl Turn<'_> {
    pub(super) fn answer(mut self) -> Result<(), Dropped> {
        match self.inquiry.message.kind {
            MessageType::Solicit => {
                let options = &self.inquiry.message.options;
                if self.inquiry.served.options.rapid_commit && options.get(option::RAPID_COMMIT).is_some() {
                    self.lease(Purpose::Assign)
                } else {
                    self.lease(Purpose::Offer)
                }
            }
            MessageType::Request => self.lease(Purpose::Assign),
            MessageType::Renew => self.lease(Purpose::Renew),
            MessageType::Rebind => self.lease(Purpose::Rebind),
            MessageType::Confirm => self.confirm(),
            MessageType::Release => self.give_up(Told::Released),
            MessageType::Decline => self.give_up(Told::Declined),
            MessageType::InformationRequest => self.inform(),
            MessageType::AddrRegInform => self.register(),
            _ => Err(Dropped::NotForServers),
        }
    }

    /// Solicit, Request, Renew and Rebind (RFC 9915 §18.3.1, §18.3.2, §18.3.4, §18.3.5).
    fn lease(&mut self, purpose: Purpose) -> Result<(), Dropped> {
        let mut answer = std::mem::take(self.answer);
        let question = Question { site: self.site, table: self.table, inquiry: &self.inquiry, purpose, now: self.now };
        answer.decide(question, self.room())?;
        let solicited = self.inquiry.message.kind == MessageType::Solicit;
        // a Reply without leases would end the client's search for other servers
        let offer = purpose == Purpose::Offer || solicited && answer.leases.is_empty();
        let kind = if offer { MessageType::Advertise } else { MessageType::Reply };
        let (mut writer, marks) = self.begin(kind);
        let options = &self.inquiry.served.options;
        if offer && options.preference > 0 {
            writer.put(option::PREFERENCE, &[options.preference]);
        }
        if solicited && !offer {
            writer.put(option::RAPID_COMMIT, &[]);
        }
        let accepts = self.inquiry.message.options.get(option::RECONFIGURE_ACCEPT).is_some();
        if accepts && !offer && self.arrival.path.is_direct() {
            let Arrival { link, source, port, .. } = self.arrival;
            let again = matches!(purpose, Purpose::Assign);
            self.reconfigures.accept(self.inquiry.duid, (link, source, port), again, &mut writer);
        }
        answer.write(self.inquiry.served, self.now, &mut writer);
        self.put_requested(&mut writer);
        let fqdn = self.fqdn();
        if let Some(fqdn) = fqdn.filter(|_| self.inquiry.requests(option::CLIENT_FQDN)) {
            writer.client_fqdn(fqdn_answer(fqdn));
        }
        let bytes = relay::finish(writer, marks)?;
        let commits = !offer && self.commit(&answer, fqdn.map(hostname));
        *self.answer = answer;
        self.send(kind, bytes, commits);
        Ok(())
    }

    /// How many bindings may be made for this client.
    pub(super) fn room(&self) -> usize {
        let (mut count, mut known) = (0, self.site.hosts.knows(self.inquiry.duid, self.inquiry.mac));
        for binding in self.table.of_client(self.inquiry.duid) {
            count += 1;
            known |= binding.state == State::Bound;
        }
        let kept = if known { 0 } else { self.most_bindings / KEPT_FOR_KNOWN };
        let free = self.most_bindings.saturating_sub(kept).saturating_sub(self.table.len());
        free.min(MOST_PER_CLIENT.saturating_sub(count))
    }

    /// Makes the answer true. Whether there was anything to be recorded.
    fn commit(&mut self, answer: &Answer, hostname: Option<Box<str>>) -> bool {
        let mut recorded = false;
        for lease in &answer.leases {
            let Some(ia) = answer.ias.get(lease.ia) else { continue };
            recorded |= match lease.lifetimes {
                Some(lifetimes) => self.grant(lease, ia.iaid, lifetimes, hostname.clone()),
                None => self.withdraw(ia.code, ia.iaid, lease.resource, Told::Expired),
            };
        }
        recorded
    }

    fn grant(&mut self, lease: &Lease, iaid: u32, lifetimes: Lifetimes, hostname: Option<Box<str>>) -> bool {
        let Some(client) = Duid::new(self.inquiry.duid) else { return false };
        let before = self.table.get(lease.resource);
        let kept = before.filter(|before| before.client == client).map(|before| before.hostname.clone());
        let hostname = hostname.or(kept).unwrap_or_default();
        let (lan, via) = match lease.resource {
            Resource::Address(_) => (&self.inquiry.served.lan, self.client_address()),
            Resource::Prefix(_) => (&self.arrival.served.lan, self.arrival.source),
        };
        let moved = before.is_some_and(|before| before.via != via);
        let binding = Binding {
            resource: lease.resource,
            client,
            iaid,
            lan: lan.clone(),
            via,
            lifetimes,
            state: State::Bound,
            hostname,
        };
        let renewed = before.is_some_and(|before| before.client == binding.client && before.state == State::Bound);
        let told = if renewed { Told::Renewed } else { Told::Granted };
        let Some(routed) = self.table.put(binding.clone()) else { return false };
        self.out.push(Action::Record(Record::Put(binding.clone())));
        reroute(self.site, &binding, routed, moved, self.now, self.out);
        self.out.push(Action::Tell(told, binding));
        true
    }

    /// Frees a resource if it is this client's, in this identity association.
    fn withdraw(&mut self, code: u16, iaid: u32, resource: Resource, told: Told) -> bool {
        let mine = leases::held(self.table, self.inquiry.duid, code, iaid).any(|held| held.resource == resource);
        mine && remove(self.table, resource, told, self.out)
    }

    /// Confirm (RFC 9915 §18.3.3).
    fn confirm(&mut self) -> Result<(), Dropped> {
        let (mut any, mut all) = (false, true);
        for found in leases::ias(&self.inquiry.message) {
            let (code, ia) = found?;
            let mut listed = Vec::new();
            leases::list(code, &ia, &mut listed)?;
            for resource in listed.into_iter().filter(|_| code == option::IA_NA) {
                any = true;
                all &= leases::on_link(self.inquiry.subnets, resource, self.now);
            }
        }
        if !any || self.inquiry.subnets.is_empty() {
            return Err(Dropped::NothingToConfirm);
        }
        let (mut writer, marks) = self.begin(MessageType::Reply);
        match all {
            true => writer.status(status::SUCCESS, "all addresses fit this link"),
            false => writer.status(status::NOT_ON_LINK, "an address does not fit this link"),
        }
        let bytes = relay::finish(writer, marks)?;
        self.send(MessageType::Reply, bytes, false);
        Ok(())
    }

    /// Release and Decline (RFC 9915 §18.3.7, §18.3.8).
    fn give_up(&mut self, told: Told) -> Result<(), Dropped> {
        let (mut writer, marks) = self.begin(MessageType::Reply);
        writer.status(status::SUCCESS, "");
        let mut gone = Vec::new();
        for found in leases::ias(&self.inquiry.message) {
            let (code, ia) = found?;
            if told == Told::Declined && code != option::IA_NA {
                continue;
            }
            if leases::held(self.table, self.inquiry.duid, code, ia.iaid).next().is_none() {
                let mark = writer.open_ia(code, ia.iaid, 0, 0);
                writer.status(status::NO_BINDING, "not known here");
                writer.close(mark);
            }
            let mut listed = Vec::new();
            leases::list(code, &ia, &mut listed)?;
            gone.extend(listed.into_iter().map(|resource| (code, ia.iaid, resource)));
        }
        let bytes = relay::finish(writer, marks)?;
        let mut recorded = false;
        for (code, iaid, resource) in gone {
            recorded |= match told {
                Told::Declined => self.decline(code, iaid, resource),
                _ => self.withdraw(code, iaid, resource, told),
            };
        }
        self.send(MessageType::Reply, bytes, recorded);
        Ok(())
    }

    fn decline(&mut self, code: u16, iaid: u32, resource: Resource) -> bool {
        let held = leases::held(self.table, self.inquiry.duid, code, iaid).find(|held| held.resource == resource);
        let Some(binding) = held.cloned() else { return false };
        let end = Until::At(self.now.after_secs(DECLINED_FOR));
        let lifetimes = Lifetimes::new(Until::At(self.now), end);
        let binding = Binding { state: State::Declined, lifetimes, ..binding };
        if self.table.put(binding.clone()).is_none() {
            return false;
        }
        self.out.push(Action::Record(Record::Put(binding.clone())));
        self.out.push(Action::Tell(Told::Declined, binding));
        true
    }

    /// Information-request (RFC 9915 §18.3.6).
    fn inform(&mut self) -> Result<(), Dropped> {
        let (mut writer, marks) = self.begin(MessageType::Reply);
        self.put_requested(&mut writer);
        if self.inquiry.requests(option::INFORMATION_REFRESH_TIME) {
            let (least, most) = REFRESH;
            let seconds = self.inquiry.served.options.valid_lifetime.min(most).max(least);
            writer.put(option::INFORMATION_REFRESH_TIME, &seconds.to_be_bytes());
        }
        let bytes = relay::finish(writer, marks)?;
        self.send(MessageType::Reply, bytes, false);
        Ok(())
    }

    /// The client's own address.
    pub(super) fn client_address(&self) -> Ipv6Addr {
        self.arrival.path.client().unwrap_or(self.arrival.source)
    }

    pub(super) fn fqdn(&self) -> Option<ClientFqdn<'_>> {
        self.inquiry.message.options.get(option::CLIENT_FQDN).and_then(|contents| ClientFqdn::parse(contents).ok())
    }

    /// Begins an answer with what is in every one (RFC 9915 §18.3).
    pub(super) fn begin(&self, kind: MessageType) -> (Writer, Vec<Mark>) {
        let (mut writer, marks) = self.arrival.path.begin(kind, self.inquiry.message.transaction);
        writer.put(option::SERVER_ID, self.duid);
        if !self.inquiry.duid.is_empty() {
            writer.put(option::CLIENT_ID, self.inquiry.duid);
        }
        (writer, marks)
    }

    /// The options that the client requests.
    fn put_requested(&self, writer: &mut Writer) {
        for (code, bytes) in &self.inquiry.served.on_request {
            if self.inquiry.requests(*code) {
                writer.raw(bytes);
            }
        }
    }

    pub(super) fn send(&mut self, kind: MessageType, bytes: Vec<u8>, commits: bool) {
        self.counters.sent(kind);
        let Arrival { link, source, port, .. } = self.arrival;
        self.out.push(Action::Send { link, to: source, port, bytes, commits });
    }
}

/// A client's name in lower case; empty if it isn't one.
pub(super) fn hostname(fqdn: ClientFqdn<'_>) -> Box<str> {
    name::decode_partial(fqdn.name).map(|(name, _)| name.to_ascii_lowercase()).unwrap_or_default().into()
}

/// What we answer to a client's name (RFC 4704 §6): we update nothing in its domain. In ours it is named by `proto::names`.
fn fqdn_answer(asked: ClientFqdn<'_>) -> ClientFqdn<'_> {
    ClientFqdn { server_updates: false, overridden: asked.server_updates, no_updates: true, name: asked.name }
}

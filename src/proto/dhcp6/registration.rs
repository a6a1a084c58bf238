//! Addresses that clients made themselves and tell us of (RFC 9686). No leases: they are only kept from others and shown.

use super::leases;
use super::relay;
use super::server::remove;
use super::status::Dropped;
use super::turn::{Turn, hostname};
use super::{Action, Binding, Record, Resource, State, Told};
use crate::net::{Duid, Lifetimes, Until};
use crate::wire::dhcp6::{IaAddress, MessageType, option};

/// Addresses registered per link: a dozen each for a busy office floor (RFC 9686 §6 warns of floods).
const MOST_REGISTERED: usize = 2_000;

impl Turn<'_> {
    /// ADDR-REG-INFORM (RFC 9686 §4.2.1).
    pub(super) fn register(&mut self) -> Result<(), Dropped> {
        let options = &self.inquiry.message.options;
        if !self.inquiry.served.options.registration {
            return Err(Dropped::RegistrationOff);
        }
        if options.get(option::OPTION_REQUEST).is_some() {
            return Err(Dropped::RegistrationWithRequest);
        }
        let contents = options.get(option::IA_ADDRESS).ok_or(Dropped::RegistrationAddress)?;
        let registered = IaAddress::parse(contents)?;
        if registered.address != self.client_address() {
            return Err(Dropped::RegistrationAddress);
        }
        let resource = Resource::Address(registered.address);
        let delegated = self.table.of_client(self.inquiry.duid).any(|binding| match binding.resource {
            Resource::Prefix(prefix) => prefix.contains(registered.address),
            Resource::Address(_) => false,
        });
        if !delegated && !leases::on_link(self.inquiry.subnets, resource, self.now) {
            return Err(Dropped::RegistrationNotOnLink);
        }
        if self.table.get(resource).is_some_and(|binding| binding.state == State::Bound) {
            return Err(Dropped::RegistrationLeased);
        }
        let (mut writer, marks) = self.begin(MessageType::AddrRegReply);
        writer.put(option::IA_ADDRESS, contents);
        let bytes = relay::finish(writer, marks)?;
        let recorded = self.keep_registered(registered);
        self.send(MessageType::AddrRegReply, bytes, recorded);
        Ok(())
    }

    /// Remembers a registered address, if there is room for it. The answer is the same if not: it promises nothing.
    fn keep_registered(&mut self, registered: IaAddress<'_>) -> bool {
        let resource = Resource::Address(registered.address);
        let before = self.table.get(resource);
        if registered.valid == 0 {
            let mine = before.is_some_and(|b| b.state == State::Registered && b.client.as_bytes() == self.inquiry.duid);
            return mine && remove(self.table, resource, Told::Released, self.out);
        }
        let subnet = self.inquiry.subnets.iter().find(|subnet| subnet.prefix.contains(registered.address));
        let (Some(subnet), Some(client)) = (subnet, Duid::new(self.inquiry.duid)) else { return false };
        let owner = self.site.hosts.owner(registered.address.into());
        let others = owner.is_some() && owner != self.site.hosts.find(self.inquiry.duid, 0, self.inquiry.mac);
        let full = self.table.registered_on(&self.inquiry.served.lan) >= MOST_REGISTERED || self.room() == 0;
        if others || before.is_none() && full {
            return false;
        }
        let until = |seconds| Until::from_wire(seconds, self.now);
        let lifetimes = Lifetimes::new(until(registered.preferred), until(registered.valid)).min(subnet.lifetimes);
        let hostname = self.fqdn().map(hostname).or_else(|| before.map(|b| b.hostname.clone())).unwrap_or_default();
        let told = if before.is_some() { Told::Renewed } else { Told::Granted };
        let (lan, via) = (self.inquiry.served.lan.clone(), registered.address);
        let binding = Binding { resource, client, iaid: 0, lan, via, lifetimes, state: State::Registered, hostname };
        if self.table.put(binding.clone()).is_none() {
            return false;
        }
        self.out.push(Action::Record(Record::Put(binding.clone())));
        self.out.push(Action::Tell(told, binding));
        true
    }
}

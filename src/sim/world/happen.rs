//! What a script lets happen to the world.

use super::super::client::Client;
use super::super::host::Host;
use super::super::model::SETTLE;
use super::super::script::Happening;
use super::{Mail, World, add_lan};
use crate::config::GivenPrefix;
use crate::net::{ALL_DHCP_RELAY_AGENTS_AND_SERVERS, FlatMap, Instant, Prefix};
use crate::plan::{Key, RouteTarget};
use crate::router::Event;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

impl World {
    pub(super) fn happen(&mut self, what: &Happening) -> Result<(), String> {
        let now = Instant(self.now);
        self.model.disturb(self.now, SETTLE);
        match what {
            Happening::Prefix { prefix, preferred, valid } => {
                self.config.prefixes.retain(|_, given| !given.prefix.overlaps(prefix));
                let given = GivenPrefix {
                    prefix: *prefix,
                    preferred_lifetime: *preferred,
                    valid_lifetime: *valid,
                    lans: None,
                    assign: true,
                    delegate: true,
                };
                self.config.prefixes.insert(name(prefix), given);
                self.reconfigure()?;
            }
            Happening::NoPrefix(prefix) => {
                self.config.prefixes.remove(&name(prefix));
                self.reconfigure()?;
            }
            Happening::DefaultRoute(there) => self.default_route(*there),
            Happening::Flap(times) => {
                for _ in 0..*times {
                    self.default_route(false);
                    self.default_route(true);
                }
            }
            Happening::Carrier(lan, there) => {
                if let Some(carrier) = self.carrier.get_mut(*lan) {
                    *carrier = *there;
                }
                if let Some(link) = self.links.get(*lan).copied().flatten() {
                    self.kernel.set_carrier(link, *there);
                }
                self.link_changed(*lan, *there);
            }
            Happening::Device(lan, there) => {
                let Some(link) = self.links.get_mut(*lan) else { return Ok(()) };
                match (*link, *there) {
                    (Some(index), false) => {
                        self.kernel.remove_link(index);
                        *link = None;
                    }
                    (None, true) => {
                        let index = add_lan(&mut self.kernel, *lan);
                        *link = Some(index);
                        self.kernel.set_carrier(index, self.carrier.get(*lan) == Some(&true));
                    }
                    _ => {}
                }
                self.link_changed(*lan, *there);
            }
            Happening::HostJoins(number, lan) => {
                self.hosts.insert(*number, Host::new(*number, *lan, now));
            }
            Happening::HostLeaves(number) => {
                if let Some(number) = nearest(&self.hosts, *number) {
                    self.hosts.remove(&number);
                }
            }
            Happening::ClientStarts { client, lan, address, prefix } => {
                self.clients.insert(*client, Client::new(*client, *lan, *address, *prefix, now));
            }
            Happening::ClientStops(number) => {
                if let Some(number) = nearest(&self.clients, *number)
                    && let Some(mut client) = self.clients.remove(&number)
                    && let Some(bytes) = client.release()
                {
                    let (lan, source) = (client.lan, client.addr);
                    self.post(Mail::ToRouter { lan, source, to: ALL_DHCP_RELAY_AGENTS_AND_SERVERS, bytes });
                }
            }
            Happening::Kill(pause) => {
                if self.running.is_some() {
                    self.kill();
                    self.start_at = Some(self.now + pause);
                }
            }
            Happening::KillIn { steps, ops, pause } => {
                if let Some(on) = &mut self.running {
                    on.store.medium_mut().dies_after = Some(*steps);
                    self.kernel.crash_after(*ops);
                    self.dying = Some(*pause);
                }
            }
            Happening::Restart(pause) => {
                if self.running.is_some() {
                    self.stop()?;
                    self.start_at = Some(self.now + pause);
                }
            }
            Happening::Reboot => {
                self.stop()?;
                self.reboot();
            }
            Happening::PowerCut => self.reboot(),
            Happening::LostNews => self.kernel.lose_news(),
            Happening::Refuse(count) => self.kernel.refuse(*count),
            Happening::Loss(count) => self.to_lose = self.to_lose.saturating_add(*count),
        }
        Ok(())
    }

    fn link_changed(&mut self, lan: usize, there: bool) {
        self.model.link(
            lan,
            self.now,
            self.carrier.get(lan) == Some(&true) && self.links.get(lan).is_some_and(Option::is_some),
        );
        if there {
            for host in self.hosts.values_mut().filter(|host| host.lan == lan) {
                host.link_up(Instant(self.now));
            }
        }
    }

    pub(super) fn default_route(&mut self, there: bool) {
        let key = Key::Route { table: 254, dst: Prefix::ALL, src: Prefix::ALL, metric: 512 };
        let gateway = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let target = RouteTarget::Via { link: self.wan, gateway };
        if there {
            self.kernel.add_foreign_route(key, target);
        } else {
            self.kernel.remove_route(&key);
        }
        self.model.default_route = there;
    }

    fn reconfigure(&mut self) -> Result<(), String> {
        self.model.configured(self.now, &self.config);
        let now = self.clock();
        if let Some(mut on) = self.running.take() {
            let mut out = Vec::new();
            let config = Event::Configure { config: Box::new(self.config.clone()), interfaces: FlatMap::new() };
            on.router.handle(config, now, &mut out);
            on.router.settle(now, &mut out);
            let done = self.carry_out(&mut on, out);
            self.running = Some(on);
            return done;
        }
        Ok(())
    }
}

/// The first number from `wanted` on that is there, or the first of all.
fn nearest<T>(all: &BTreeMap<u32, T>, wanted: u32) -> Option<u32> {
    all.range(wanted..).next().or_else(|| all.first_key_value()).map(|(number, _)| *number)
}

fn name(prefix: &Prefix) -> String {
    format!("p{:x}", prefix.addr().segments()[2])
}

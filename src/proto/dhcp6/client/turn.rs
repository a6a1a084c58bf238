//! What a server's message does (RFC 9915 §18.2.9 to §18.2.11).

use super::exchange::MAX_RT_RANGE;
use super::reply::{Answer, Kind};
use super::session::{Client, Key, Offer, State};
use crate::net::{Instant, Until};
use crate::proto::dhcp6::Resource;
use crate::wire::dhcp6::{Malformed, Message, MessageType, Packet, RkapInformation, is_authentic, status};

/// Servers that failed us and are remembered.
const MOST_AVOIDED: usize = 4;
/// Least and default time until settings are refreshed, seconds (RFC 9915 §7.6 IRT_MINIMUM, IRT_DEFAULT).
const REFRESH: (u32, u32) = (600, 86_400);

impl Client {
    pub(super) fn receive(&mut self, multicast: bool, bytes: &[u8], now: Instant) -> Result<(), &'static str> {
        let message = match Packet::parse(bytes) {
            Ok(Packet::Message(message)) => message,
            Ok(Packet::Relay(_)) => return Err("message type not for clients"),
            Err(Malformed::MessageType(_)) => return Err("unknown message type"),
            Err(_) => return Err("malformed"),
        };
        match message.kind {
            MessageType::Advertise => self.advertised(&message, now)?,
            MessageType::Reply => self.replied(&message, now)?,
            MessageType::Reconfigure => self.asked_back(&message, multicast, bytes, now)?,
            _ => return Err("message type not for clients"),
        }
        let count = self.received.or_default(message.kind);
        *count = count.saturating_add(1);
        Ok(())
    }

    /// RFC 9915 §18.2.9.
    fn advertised(&mut self, message: &Message<'_>, now: Instant) -> Result<(), &'static str> {
        let main = self.main.as_ref().filter(|main| main.kind == MessageType::Solicit);
        let sent = main.map_or(0, |main| main.series.sent());
        if sent == 0 || main.is_none_or(|main| main.transaction != message.transaction) {
            return Err("unknown transaction");
        }
        let answer = Answer::read(message, &self.config)?;
        self.take_limits(&answer);
        let has = |kind: Kind| kind.is_wanted(&self.config) && answer.good(kind).next().is_some();
        let (address, prefix) = (has(Kind::Address), has(Kind::Prefix));
        if answer.status != status::SUCCESS || !address && !prefix {
            self.refused = answer.refused.or_else(|| Some("a server offers nothing".to_owned()));
            return Err("advertise without leases");
        }
        let trusted = !self.avoided.contains(&answer.server);
        let score = (trusted, prefix, address, answer.preference);
        if self.offer.as_ref().is_none_or(|offer| score > offer.score) {
            let resources = Kind::ALL.into_iter().flat_map(|kind| answer.good(kind)).map(|it| it.resource);
            let resources: Vec<Resource> = resources.filter(|it| Kind::of(it).is_wanted(&self.config)).collect();
            self.offer = Some(Offer { server: answer.server, resources, score });
        }
        if trusted && (answer.preference == u8::MAX || sent > 1) {
            self.take_offer(now);
        }
        Ok(())
    }

    /// The best offer is taken up, unless we hold as much as it has (RFC 9915 §18.2.2).
    pub(super) fn take_offer(&mut self, now: Instant) {
        let Some(offer) = &self.offer else { return };
        let (_, prefix, address, _) = offer.score;
        let better = prefix && !self.held.has(Kind::Prefix) || address && !self.held.has(Kind::Address);
        if better { self.start(State::Requesting, MessageType::Request, now) } else { self.settle(now) }
    }

    /// A Request was not answered, or in vain.
    pub(super) fn request_failed(&mut self, now: Instant) {
        if let Some(offer) = self.offer.take() {
            self.avoid(offer.server);
        }
        self.changed |= self.held.drop_unbound();
        if self.held.is_empty() { self.fail(now) } else { self.settle(now) }
    }

    fn avoid(&mut self, server: crate::net::Duid) {
        self.avoided.retain(|avoided| *avoided != server);
        if self.avoided.len() >= MOST_AVOIDED {
            self.avoided.remove(0);
        }
        self.avoided.push(server);
    }

    fn take_limits(&mut self, answer: &Answer) {
        let millis = |seconds: Option<u32>| {
            seconds.filter(|seconds| MAX_RT_RANGE.contains(seconds)).map(|seconds| u64::from(seconds) * 1_000)
        };
        if let Some(longest) = millis(answer.sol_max_rt) {
            self.sol_max_rt = longest;
            if let Some(main) = self.main.as_mut().filter(|main| main.kind == MessageType::Solicit) {
                main.series.limit(longest);
            }
        }
        if let Some(longest) = millis(answer.inf_max_rt) {
            self.inf_max_rt = longest;
            if let Some(main) = self.main.as_mut().filter(|main| main.kind == MessageType::InformationRequest) {
                main.series.limit(longest);
            }
        }
    }

    /// RFC 9915 §18.2.10.
    fn replied(&mut self, message: &Message<'_>, now: Instant) -> Result<(), &'static str> {
        if let Some(aside) = self.aside.as_ref().filter(|it| it.exchange.transaction == message.transaction) {
            let answer = Answer::read(message, &self.config)?;
            if answer.server != aside.server {
                return Err("from another server");
            }
            // whatever its status: it is given back
            self.aside = None;
            return Ok(());
        }
        let main = self.main.as_ref().filter(|main| main.transaction == message.transaction && main.series.sent() > 0);
        let kind = main.ok_or("unknown transaction")?.kind;
        let answer = Answer::read(message, &self.config)?;
        let asked = match (kind, &self.offer) {
            (MessageType::Request, Some(offer)) => Some(&offer.server),
            (MessageType::Request | MessageType::Renew, _) => self.server.as_ref(),
            _ => None,
        };
        if asked.is_some_and(|asked| *asked != answer.server) {
            return Err("from another server");
        }
        if kind == MessageType::Solicit && !(self.may_commit_rapidly() && answer.rapid_commit) {
            return Err("reply to a solicit without rapid commit");
        }
        self.take_limits(&answer);
        if let Some(refused) = &answer.refused {
            self.refused = Some(refused.clone());
        }
        match (kind, answer.status) {
            (MessageType::InformationRequest, _) => self.informed(answer, now),
            // RFC 9915 §18.2.10: the message is sent again as if there had been no answer
            (_, status::UNSPEC_FAIL) => {}
            (MessageType::Confirm, status::NOT_ON_LINK) => self.off_link(now),
            (MessageType::Confirm, status::SUCCESS) => self.settle(now),
            (MessageType::Confirm, _) => {}
            (MessageType::Solicit | MessageType::Request, status::SUCCESS) => self.granted(answer, now),
            (MessageType::Solicit | MessageType::Request, _) => {
                self.hint(Vec::new());
                self.request_failed(now);
            }
            _ => self.extended(answer, now),
        }
        Ok(())
    }

    /// RFC 9915 §18.2.10.4.
    fn informed(&mut self, answer: Answer, now: Instant) {
        self.take_settings(&answer);
        self.changed = true;
        let seconds = answer.refresh.unwrap_or(REFRESH.1).max(REFRESH.0);
        self.refresh_at = Until::from_wire(seconds, now);
        if self.held.is_empty() {
            self.take_key(&answer);
            self.server = Some(answer.server);
            self.enter(State::Informed, None, now);
        } else {
            self.settle(now);
        }
    }

    /// What we hold does not fit this link (RFC 9915 §18.2.10.3).
    fn off_link(&mut self, now: Instant) {
        Kind::ALL.into_iter().for_each(|kind| _ = self.held.drop_kind(kind));
        self.changed = true;
        self.hint(Vec::new());
        self.begin(now);
    }

    /// A Reply to a Request or, with Rapid Commit, to a Solicit (RFC 9915 §18.2.10.1).
    fn granted(&mut self, answer: Answer, now: Instant) {
        let mut again = Vec::new();
        for kind in Kind::ALL {
            let ia = answer.ia(kind).filter(|ia| kind.is_wanted(&self.config) && ia.status == status::SUCCESS);
            if let Some(ia) = ia {
                again.extend(self.held.take(kind, ia, &self.declined, now));
            }
        }
        self.changed = true;
        self.decline_again(&answer, again, now);
        let held = self.held.resources();
        let useful = Kind::ALL.into_iter().flat_map(|kind| answer.good(kind)).any(|it| held.contains(&it.resource));
        if useful {
            self.held.drop_unbound();
            self.bind(answer, now);
        } else {
            self.request_failed(now);
        }
    }

    /// The server did not hear, or forgot, that an address is somebody else's.
    fn decline_again(&mut self, answer: &Answer, again: Vec<Resource>, now: Instant) {
        if !again.is_empty() {
            self.beside(MessageType::Decline, Some(answer.server.clone()), again, now);
        }
    }

    /// A Reply to a Renew or Rebind (RFC 9915 §18.2.10.1).
    fn extended(&mut self, answer: Answer, now: Instant) {
        let (mut unknown, mut unanswered, mut again) = (false, false, Vec::new());
        for kind in Kind::ALL {
            if !kind.is_wanted(&self.config) {
                continue;
            }
            match answer.ia(kind) {
                None => unanswered |= self.held.has(kind),
                Some(ia) if ia.status == status::SUCCESS => {
                    again.extend(self.held.take(kind, ia, &self.declined, now));
                }
                Some(ia) => {
                    // a server that has nothing for what we hold has forgotten it as well
                    let forgot = ia.status == status::NO_BINDING
                        || self.held.has(kind)
                            && matches!(
                                ia.status,
                                status::NO_ADDRS_AVAIL | status::NO_PREFIX_AVAIL | status::NOT_ON_LINK
                            );
                    if forgot {
                        unknown = true;
                        self.held.unbind(kind);
                    } else {
                        unanswered |= self.held.has(kind);
                    }
                }
            }
        }
        self.changed = true;
        self.decline_again(&answer, again, now);
        if unknown {
            // RFC 9915 §18.2.10.1: a Request for all, to the server that answered
            self.offer = None;
            self.server = Some(answer.server);
            self.start(State::Requesting, MessageType::Request, now);
        } else if !unanswered {
            if self.held.is_empty() { self.begin(now) } else { self.bind(answer, now) }
        } else if self.state == State::Confirming {
            self.settle(now);
        }
        // else the message is sent again by its own timer, as if there had been no answer
    }

    fn bind(&mut self, answer: Answer, now: Instant) {
        self.take_settings(&answer);
        self.take_key(&answer);
        self.offer = None;
        self.failures = 0;
        self.avoided.retain(|avoided| *avoided != answer.server);
        self.server = Some(answer.server);
        if self.is_complete() {
            self.refused = None;
        }
        self.settle(now);
    }

    /// RFC 9915 §20.4.3: the key is kept with the server that gave it.
    fn take_key(&mut self, answer: &Answer) {
        let Some(rkap) = answer.rkap.filter(|_| self.config.reconfigure_accept) else { return };
        if let RkapInformation::Key(key) = rkap.information {
            self.key = Some(Key { server: answer.server.clone(), key, replay: rkap.replay });
        }
    }

    /// Reconfigure (RFC 9915 §16.11, §18.2.11).
    fn asked_back(
        &mut self,
        message: &Message<'_>,
        multicast: bool,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), &'static str> {
        if !self.config.reconfigure_accept {
            return Err("reconfigure is not accepted");
        }
        if multicast {
            return Err("reconfigure by multicast");
        }
        let answer = Answer::read(message, &self.config)?;
        let wanted = answer.reconfigure.ok_or("reconfigure that asks for nothing")?;
        let key = self.key.as_mut().filter(|key| key.server == answer.server).ok_or("reconfigure without a key")?;
        let rkap = answer.rkap.ok_or("reconfigure is not authenticated")?;
        if !matches!(rkap.information, RkapInformation::Code(_)) || !is_authentic(bytes, key.key) {
            return Err("reconfigure is not authentic");
        }
        if rkap.replay <= key.replay {
            return Err("reconfigure is replayed");
        }
        key.replay = rkap.replay;
        let has_leases = !self.held.is_empty();
        match (wanted, self.state) {
            (MessageType::Renew, State::Bound) if has_leases => self.renew(now),
            (MessageType::Rebind, State::Bound) if has_leases => {
                self.start(State::Rebinding, MessageType::Rebind, now);
            }
            (MessageType::InformationRequest, State::Bound | State::Informed) => self.ask(now),
            (MessageType::Renew | MessageType::Rebind | MessageType::InformationRequest, _) => {
                return Err("reconfigure while something is under way");
            }
            _ => return Err("reconfigure that asks for nothing"),
        }
        Ok(())
    }
}

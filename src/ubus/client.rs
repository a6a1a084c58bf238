//! One conversation with ubusd, without its socket: bytes in, [`Event`]s out, bytes to send.
//!
//! After ubusd's hello we register an object with methods, and a nameless one that hears netifd's notifications and of
//! netifd's coming. Whatever netifd says has changed, its whole list of interfaces is read anew, a moment later and once:
//! one change comes as several notifications. ubusd answers every request of ours at once; if it does not, or says no
//! to the object, the conversation is over and its owner begins another.

use super::message::{EVENTS, Message, Unframed, attr, kind, status};
use crate::net::{FlatMap, Instant};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// netifd's list of interfaces.
const NETIFD: &str = "network.interface";
/// What ubusd says when an object comes.
const ADDED: &str = "ubus.object.add";
/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long after a notification the interfaces are read.
pub const DEBOUNCE: Duration = Duration::from_millis(300);
/// When the interfaces are read again, after netifd gave no answer.
pub const RETRY: Duration = Duration::from_secs(30);
/// While more bytes than these wait to be sent, no call is taken and events are dropped: a quarter of the largest answer.
const MAX_QUEUE: usize = 256 * 1024;
/// Requests without an answer, of which there are never more than a few.
const MAX_WAITING: usize = 64;

/// What the other side wants of us.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A method of our object was called.
    Called(Call),
    /// netifd's interfaces, as [`netifd`](super::netifd) reads them.
    Interfaces(Value),
}

/// A call that waits for [`Client::answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method, which may be none of ours.
    pub method: String,
    seq: u16,
    caller: u32,
}

/// Why the conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// What came is no message.
    Unframed,
    /// ubusd gave no answer in time.
    Silent,
    /// ubusd does not let us register our object, and says this [`status`].
    Refused(u32),
}

impl From<Unframed> for Over {
    fn from(_: Unframed) -> Over {
        Over::Unframed
    }
}

/// What a request of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    AddObject,
    AddListener,
    Register,
    Lookup,
    Subscribe,
    Dump,
}

/// A request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    purpose: Purpose,
    /// Who answers: the peer of the request. ubusd hands us parts of answers from anybody who owns an object, so that the
    /// number of the request is not enough.
    peer: u32,
    until: Instant,
}

/// Our end of a conversation.
#[derive(Debug)]
pub struct Client {
    path: &'static str,
    methods: &'static [&'static str],
    input: Vec<u8>,
    output: Vec<u8>,
    seq: u16,
    waiting: FlatMap<u16, Waiting>,
    object: Option<u32>,
    listener: Option<u32>,
    netifd: Option<u32>,
    dump_at: Option<Instant>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u32,
    lost: u32,
    timeouts: u32,
}

impl Client {
    /// A conversation that begins: nothing is sent before ubusd's hello. The object is called `path` and has these methods,
    /// which take no arguments.
    pub fn new(path: &'static str, methods: &'static [&'static str]) -> Client {
        Client {
            path,
            methods,
            input: Vec::new(),
            output: Vec::new(),
            seq: 0,
            waiting: FlatMap::new(),
            object: None,
            listener: None,
            netifd: None,
            dump_at: None,
            counts: Counts::default(),
        }
    }

    /// Takes in what arrived.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// What is to be sent; [`Client::sent`] says how much of it was.
    pub fn to_send(&self) -> &[u8] {
        &self.output
    }

    /// The first `count` bytes of [`Client::to_send`] are on their way.
    pub fn sent(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
        if self.output.is_empty() {
            // an idle conversation keeps no memory
            self.output = Vec::new();
        }
    }

    /// Works off what arrived, up to the next event. While much waits to be sent, nothing is worked off.
    pub fn next(&mut self, now: Instant) -> Result<Option<Event>, Over> {
        while !self.is_full() {
            let Some(message) = Message::take(&mut self.input)? else {
                if self.input.is_empty() {
                    self.input = Vec::new();
                }
                break;
            };
            if let Some(event) = self.handle(&message, now)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) -> Result<(), Over> {
        let late: Vec<u16> =
            self.waiting.iter().filter(|(_, waiting)| waiting.until <= now).map(|(seq, _)| *seq).collect();
        for seq in late {
            if self.waiting.remove(&seq).is_some_and(|waiting| waiting.purpose != Purpose::Dump) {
                return Err(Over::Silent);
            }
            self.counts.timeouts += 1;
            self.dump_at = Some(now.after(RETRY));
        }
        if self.dump_at.is_some_and(|at| at <= now) {
            self.dump_at = None;
            if let Some(netifd) = self.netifd {
                self.call(netifd, "dump", &Value::Null, Purpose::Dump, now);
            }
        }
        Ok(())
    }

    /// When [`Client::tick`] has to be called next.
    pub fn poll_at(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).chain(self.dump_at).min()
    }

    /// Whether callers find our object.
    pub fn is_registered(&self) -> bool {
        self.object.is_some()
    }

    /// Whether netifd can be asked.
    pub fn has_netifd(&self) -> bool {
        self.netifd.is_some()
    }

    /// Whether so much waits to be sent that nothing should be received.
    pub fn is_full(&self) -> bool {
        self.output.len() >= MAX_QUEUE
    }

    /// Answers a call with an object, or with a [`status`] and an object that explains it. False, and nothing is said, if the
    /// answer is larger than a message may be.
    #[must_use]
    pub fn answer(&mut self, call: &Call, code: u32, value: &Value) -> bool {
        let Some(object) = self.object else { return true };
        let data = Message::new(kind::DATA, call.seq, call.caller).number(attr::OBJID, object);
        let fits = data.table(attr::DATA, value).put(&mut self.output);
        if fits {
            self.finish(call.seq, call.caller, object, code);
        }
        fits
    }

    /// Answers a call with a [`status`] alone.
    pub fn refuse(&mut self, call: &Call, code: u32) {
        if let Some(object) = self.object {
            self.finish(call.seq, call.caller, object, code);
        }
    }

    /// Tells whoever listens. Without a registered object, or when much waits to be sent, nobody is told.
    pub fn send(&mut self, id: &str, data: &Value) {
        if !self.is_registered() || self.is_full() {
            self.counts.lost += u32::from(self.is_registered());
            return;
        }
        let seq = self.next_seq();
        let message = invoke(seq, EVENTS, "send").table(attr::DATA, &json!({ "id": id, "data": data }));
        // an event is small; the answer, always `ok`, is for none of `waiting`
        let _ = message.put(&mut self.output);
    }

    /// Whether netifd is there, and what was counted in this conversation.
    pub fn status(&self) -> Value {
        let Counts { calls, lost, timeouts } = self.counts;
        json!({
            "registered": self.is_registered(), "netifd": self.has_netifd(),
            "calls": calls, "lost_events": lost, "timeouts": timeouts,
        })
    }

    fn handle(&mut self, message: &Message, now: Instant) -> Result<Option<Event>, Over> {
        match message.kind {
            kind::HELLO => self.register(now),
            kind::DATA => return Ok(self.part(message)),
            kind::STATUS => self.ended(message, now)?,
            kind::INVOKE => return Ok(self.invoked(message, now)),
            kind::UNSUBSCRIBE if message.get_number(attr::TARGET) == self.netifd => self.netifd = None,
            _ => {}
        }
        Ok(None)
    }

    fn register(&mut self, now: Instant) {
        let methods: Map<String, Value> = self.methods.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        let path = self.path;
        self.ask(Purpose::AddObject, now, |seq| {
            let object = Message::new(kind::ADD_OBJECT, seq, 0).text(attr::OBJPATH, path);
            object.table(attr::SIGNATURE, &Value::Object(methods))
        });
        self.ask(Purpose::AddListener, now, |seq| Message::new(kind::ADD_OBJECT, seq, 0));
    }

    /// A part of an answer.
    fn part(&mut self, message: &Message) -> Option<Event> {
        let waiting = self.waiting.get(&message.seq).filter(|waiting| waiting.peer == message.peer)?;
        let id = message.get_number(attr::OBJID);
        match waiting.purpose {
            Purpose::AddObject => self.object = id,
            Purpose::AddListener => self.listener = id,
            Purpose::Lookup => self.netifd = id,
            Purpose::Dump => return message.get_table(attr::DATA).map(Event::Interfaces),
            Purpose::Register | Purpose::Subscribe => {}
        }
        None
    }

    /// The end of an answer.
    fn ended(&mut self, message: &Message, now: Instant) -> Result<(), Over> {
        let waiting = self.waiting.get(&message.seq).filter(|waiting| waiting.peer == message.peer);
        let Some(&Waiting { purpose, .. }) = waiting else { return Ok(()) };
        self.waiting.remove(&message.seq);
        let code = message.get_number(attr::STATUS).unwrap_or(status::UNKNOWN_ERROR);
        match (purpose, code) {
            (Purpose::AddObject, status::OK) => {}
            (Purpose::AddObject, code) => return Err(Over::Refused(code)),
            (Purpose::AddListener, status::OK) => {
                let Some(listener) = self.listener else { return Ok(()) };
                // the number goes as a signed one over the bus
                let data = json!({ "object": listener.cast_signed(), "pattern": ADDED });
                self.call(EVENTS, "register", &data, Purpose::Register, now);
                self.look_up(now);
            }
            (Purpose::Lookup, status::OK) => {
                let (Some(listener), Some(netifd)) = (self.listener, self.netifd) else { return Ok(()) };
                self.ask(Purpose::Subscribe, now, |seq| {
                    let subscribe = Message::new(kind::SUBSCRIBE, seq, 0).number(attr::OBJID, listener);
                    subscribe.number(attr::TARGET, netifd)
                });
                self.dump_at = Some(now);
            }
            // netifd is there, but restarts or is at its limit
            (Purpose::Dump, code) if code != status::OK => self.dump_at = Some(now.after(RETRY)),
            _ => {}
        }
        Ok(())
    }

    /// A call of our object's method, a notification or an event.
    fn invoked(&mut self, message: &Message, now: Instant) -> Option<Event> {
        let (id, method) = (message.get_number(attr::OBJID)?, message.get_text(attr::METHOD).unwrap_or_default());
        if Some(id) == self.object {
            self.counts.calls = self.counts.calls.saturating_add(1);
            return Some(Event::Called(Call { method, seq: message.seq, caller: message.peer }));
        }
        // ubusd speaks as nobody; anybody may call a nameless object
        if method == ADDED && message.peer == 0 {
            let path = message.get_table(attr::DATA).and_then(|data| Some(data.get("path")?.as_str()? == NETIFD));
            if path == Some(true) {
                self.look_up(now);
            }
        } else {
            self.dump_at.get_or_insert(now.after(DEBOUNCE));
        }
        if !message.get_flag(attr::NO_REPLY) {
            self.finish(message.seq, message.peer, id, status::OK);
        }
        None
    }

    fn look_up(&mut self, now: Instant) {
        self.netifd = None;
        self.ask(Purpose::Lookup, now, |seq| Message::new(kind::LOOKUP, seq, 0).text(attr::OBJPATH, NETIFD));
    }

    /// Calls a method of somebody else.
    fn call(&mut self, object: u32, method: &str, data: &Value, purpose: Purpose, now: Instant) {
        self.ask(purpose, now, |seq| invoke(seq, object, method).table(attr::DATA, data));
    }

    fn ask(&mut self, purpose: Purpose, now: Instant, message: impl FnOnce(u16) -> Message) {
        if self.waiting.len() >= MAX_WAITING {
            return;
        }
        let seq = self.next_seq();
        let message = message(seq);
        self.waiting.insert(seq, Waiting { purpose, peer: message.peer, until: now.after(PATIENCE) });
        // requests are small; one that was not sent would be late
        let _ = message.put(&mut self.output);
    }

    fn next_seq(&mut self) -> u16 {
        loop {
            self.seq = self.seq.wrapping_add(1);
            if !self.waiting.contains_key(&self.seq) {
                return self.seq;
            }
        }
    }

    /// Ends the answer to a call.
    fn finish(&mut self, seq: u16, caller: u32, object: u32, code: u32) {
        let end = Message::new(kind::STATUS, seq, caller).number(attr::STATUS, code).number(attr::OBJID, object);
        let _ = end.put(&mut self.output);
    }
}

fn invoke(seq: u16, object: u32, method: &str) -> Message {
    Message::new(kind::INVOKE, seq, object).number(attr::OBJID, object).text(attr::METHOD, method)
}

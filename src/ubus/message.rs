//! Framed messages: a header of 8 bytes and one blob that holds the attributes.

use super::blob::{self, Attribute};
use super::value;
use serde_json::Value;

/// What a message is.
pub mod kind {
    /// From ubusd at once: our client id is the peer.
    pub const HELLO: u8 = 0;
    /// Ends the answer to a request.
    pub const STATUS: u8 = 1;
    /// A part of an answer.
    pub const DATA: u8 = 2;
    /// Asks for objects by path.
    pub const LOOKUP: u8 = 4;
    /// Calls a method.
    pub const INVOKE: u8 = 5;
    /// Registers an object.
    pub const ADD_OBJECT: u8 = 6;
    /// Asks for an object's notifications.
    pub const SUBSCRIBE: u8 = 8;
    /// Tells a subscriber that the object is gone.
    pub const UNSUBSCRIBE: u8 = 9;
}

/// Which attribute of a message.
pub mod attr {
    /// A number of [`status`](super::status).
    pub const STATUS: u8 = 1;
    /// An object's path.
    pub const OBJPATH: u8 = 2;
    /// An object's number.
    pub const OBJID: u8 = 3;
    /// A method's or an event's name.
    pub const METHOD: u8 = 4;
    /// An object's methods, each a table of arguments with their types.
    pub const SIGNATURE: u8 = 6;
    /// Arguments or an answer: a table.
    pub const DATA: u8 = 7;
    /// The object that is subscribed to.
    pub const TARGET: u8 = 8;
    /// A byte: no answer is wanted.
    pub const NO_REPLY: u8 = 10;
}

/// How a request ended.
pub mod status {
    /// Done.
    pub const OK: u32 = 0;
    /// An argument is missing or wrong; the path of an object is taken.
    pub const INVALID_ARGUMENT: u32 = 2;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: u32 = 3;
    /// There is no such object.
    pub const NOT_FOUND: u32 = 4;
    /// Anything else.
    pub const UNKNOWN_ERROR: u32 = 9;
    /// The answer is larger than a message may be.
    pub const NO_MEMORY: u32 = 11;
}

/// The number of the object that hands out events.
pub const EVENTS: u32 = 1;
/// Bytes before the attributes.
const HEADER: usize = 12;
/// Most bytes of a blob, its own word included; ubusd hangs up on more.
const MAX_BLOB: u32 = 1024 * 1024;
/// Most bytes of attributes.
pub const MAX_BODY: usize = MAX_BLOB as usize - 4;

/// What can't be followed by a message that we could find the start of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unframed;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// See [`kind`].
    pub kind: u8,
    /// Which request of the connection it is, or answers.
    pub seq: u16,
    /// The other side's number, or an object's.
    pub peer: u32,
    /// The attributes as they stand on the wire.
    pub body: Vec<u8>,
}

impl Message {
    /// A message without attributes.
    pub fn new(kind: u8, seq: u16, peer: u32) -> Message {
        Message { kind, seq, peer, body: Vec::new() }
    }

    /// Takes the first message out of what arrived; `None` while it is not whole. Errors: the length is below 4 or over 1
    /// MiB, where ubusd would hang up too. Version and outer id are not looked at, as in ubusd.
    pub fn take(input: &mut Vec<u8>) -> Result<Option<Message>, Unframed> {
        let Some((&[_, kind, s0, s1, p0, p1, p2, p3, b0, b1, b2, b3], _)) = input.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes([b0, b1, b2, b3]) & blob::MAX_LEN;
        if !(4..=MAX_BLOB).contains(&len) {
            return Err(Unframed);
        }
        let end = HEADER - 4 + usize::try_from(len).map_err(|_| Unframed)?;
        let Some(body) = input.get(HEADER..end) else { return Ok(None) };
        let (seq, peer) = (u16::from_be_bytes([s0, s1]), u32::from_be_bytes([p0, p1, p2, p3]));
        let message = Message { kind, seq, peer, body: body.to_vec() };
        input.drain(..end);
        Ok(Some(message))
    }

    /// Appends the message as it is sent. False, and nothing is appended, if it is larger than ubusd takes.
    #[must_use]
    pub fn put(&self, out: &mut Vec<u8>) -> bool {
        if self.body.len() > MAX_BODY {
            return false;
        }
        out.extend([0, self.kind]);
        out.extend(self.seq.to_be_bytes());
        out.extend(self.peer.to_be_bytes());
        let mark = blob::open(out, 0, false);
        out.extend_from_slice(&self.body);
        blob::close(out, mark);
        true
    }

    /// With a number.
    #[must_use]
    pub fn number(mut self, id: u8, number: u32) -> Message {
        blob::put(&mut self.body, id, &number.to_be_bytes());
        self
    }

    /// With text.
    #[must_use]
    pub fn text(mut self, id: u8, text: &str) -> Message {
        let mark = blob::open(&mut self.body, id, false);
        self.body.extend_from_slice(text.as_bytes());
        self.body.push(0);
        blob::close(&mut self.body, mark);
        self
    }

    /// With a table.
    #[must_use]
    pub fn table(mut self, id: u8, table: &Value) -> Message {
        let mark = blob::open(&mut self.body, id, false);
        value::write(&mut self.body, table);
        blob::close(&mut self.body, mark);
        self
    }

    /// An attribute's payload that `read` can read, the last if there are several. Whatever can't be read counts as absent, as
    /// in ubusd.
    fn last<'a, T>(&'a self, id: u8, read: impl Fn(&'a [u8]) -> Option<T>) -> Option<T> {
        let all = blob::attributes(&self.body).map_while(Result::ok);
        all.filter(|Attribute { id: is, .. }| *is == id).filter_map(|attribute| read(attribute.payload)).last()
    }

    /// A number.
    pub fn get_number(&self, id: u8) -> Option<u32> {
        self.last(id, |payload| payload.try_into().ok().map(u32::from_be_bytes))
    }

    /// A byte that is not 0.
    pub fn get_flag(&self, id: u8) -> bool {
        self.last(id, |payload| (payload.len() == 1).then_some(payload != [0])).unwrap_or(false)
    }

    /// Text.
    pub fn get_text(&self, id: u8) -> Option<String> {
        self.last(id, |payload| (payload.last() == Some(&0)).then(|| value::text(payload))?)
    }

    /// A table.
    pub fn get_table(&self, id: u8) -> Option<Value> {
        self.last(id, |payload| value::read(payload).ok())
    }
}

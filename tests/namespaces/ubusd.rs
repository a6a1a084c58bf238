//! A stand-in for OpenWrt's ubusd, and clients of it: as much of the bus as the tests need.
//!
//! It does what the real one was recorded doing (tests/vectors/ubus, openwrt/ubus 3cc98db); last compared on 2026-11-24:
//! the real ubusd, `ubus` and netifd in its place give the same.

use oasis6::ubus::message::{EVENTS, Message, attr, kind, status};
use oasis6::ubus::value;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// NOTIFY, which the daemon never sends.
const NOTIFY: u8 = 10;

struct Object {
    path: Option<String>,
    owner: u32,
    signature: Value,
}

#[derive(Default)]
struct Bus {
    clients: BTreeMap<u32, UnixStream>,
    objects: BTreeMap<u32, Object>,
    /// Target and subscriber.
    subscriptions: Vec<(u32, u32)>,
    /// Listener and the event it wants.
    patterns: Vec<(u32, String)>,
    last: u32,
}

/// A running stand-in; gone, with all connections, when dropped.
pub(crate) struct Ubusd {
    socket: PathBuf,
    bus: Arc<Mutex<Bus>>,
}

impl Ubusd {
    pub(crate) fn start(socket: &Path) -> Ubusd {
        let listener = UnixListener::bind(socket).expect("a socket");
        let bus = Arc::new(Mutex::new(Bus::default()));
        let shared = Arc::downgrade(&bus);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // the socket lives as long as the stand-in
                let (Some(bus), Ok(stream)) = (shared.upgrade(), stream) else { return };
                std::thread::spawn(move || serve(&bus, stream));
            }
        });
        Ubusd { socket: socket.into(), bus }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket)
    }
}

impl Drop for Ubusd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        for stream in self.bus.lock().unwrap().clients.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(bus: &Mutex<Bus>, mut stream: UnixStream) {
    let me = {
        let mut bus = bus.lock().unwrap();
        let me = bus.number();
        bus.clients.insert(me, stream.try_clone().unwrap());
        bus.send(me, &Message::new(kind::HELLO, 0, me));
        me
    };
    let mut input = Vec::new();
    while let Some(message) = receive(&mut stream, &mut input) {
        bus.lock().unwrap().handle(me, &message);
    }
    bus.lock().unwrap().leave(me);
}

/// The next message, `None` at the end.
fn receive(stream: &mut UnixStream, input: &mut Vec<u8>) -> Option<Message> {
    loop {
        if let Some(message) = Message::take(input).expect("framed") {
            return Some(message);
        }
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        input.extend_from_slice(&bytes[..count]);
    }
}

fn write(stream: &mut UnixStream, message: &Message) {
    let mut bytes = Vec::new();
    assert!(message.put(&mut bytes));
    // whoever is gone misses it
    let _ = stream.write_all(&bytes);
}

impl Bus {
    fn number(&mut self) -> u32 {
        self.last += 0x7654_3210 % 0x0100_0000 + 1024;
        self.last | 0x8000_0000
    }

    fn send(&mut self, client: u32, message: &Message) {
        if let Some(stream) = self.clients.get_mut(&client) {
            write(stream, message);
        }
    }

    fn handle(&mut self, me: u32, message: &Message) {
        let id = message.get_number(attr::OBJID);
        let answer = |kind| Message::new(kind, message.seq, message.peer);
        let code = match message.kind {
            kind::LOOKUP => {
                let path = message.get_text(attr::OBJPATH).unwrap_or_else(|| "*".into());
                let fits = |is: &str| path.strip_suffix('*').map_or(is == path, |start| is.starts_with(start));
                let found = self.objects.iter().filter_map(|(id, object)| {
                    let path = object.path.as_deref().filter(|path| fits(path))?;
                    let data = answer(kind::DATA).text(attr::OBJPATH, path).number(attr::OBJID, *id);
                    Some(data.table(attr::SIGNATURE, &object.signature))
                });
                let found: Vec<_> = found.collect();
                found.iter().for_each(|data| self.send(me, data));
                if found.is_empty() { status::NOT_FOUND } else { status::OK }
            }
            kind::ADD_OBJECT => {
                let path = message.get_text(attr::OBJPATH);
                if path.is_some() && self.objects.values().any(|object| object.path == path) {
                    status::INVALID_ARGUMENT
                } else {
                    let id = self.number();
                    let signature = message.get_table(attr::SIGNATURE).unwrap_or(Value::Null);
                    self.objects.insert(id, Object { path: path.clone(), owner: me, signature });
                    if let Some(path) = path {
                        self.event(0, "ubus.object.add", &json!({ "id": id.cast_signed(), "path": path }));
                    }
                    self.send(me, &answer(kind::DATA).number(attr::OBJID, id));
                    status::OK
                }
            }
            kind::SUBSCRIBE => {
                self.subscriptions.push((message.get_number(attr::TARGET).unwrap(), id.unwrap()));
                status::OK
            }
            kind::INVOKE if id == Some(EVENTS) => {
                let data = message.get_table(attr::DATA).unwrap();
                match message.get_text(attr::METHOD).as_deref() {
                    Some("register") => {
                        let object = i32::try_from(data["object"].as_i64().unwrap()).unwrap().cast_unsigned();
                        self.patterns.push((object, data["pattern"].as_str().unwrap().into()));
                    }
                    _ => self.event(me, data["id"].as_str().unwrap(), &data["data"]),
                }
                status::OK
            }
            kind::INVOKE => match id.and_then(|id| self.objects.get(&id)) {
                // the owner answers, or nobody
                Some(object) => {
                    let to = object.owner;
                    let mut call = Message::new(kind::INVOKE, message.seq, me);
                    call.body.clone_from(&message.body);
                    return self.send(to, &call.text(12, "root").text(13, "root"));
                }
                None => status::NOT_FOUND,
            },
            kind::DATA | kind::STATUS => {
                let mut part = Message::new(message.kind, message.seq, id.unwrap_or_default());
                part.body.clone_from(&message.body);
                return self.send(message.peer, &part);
            }
            NOTIFY => {
                let targets = self.subscriptions.iter().filter(|(target, _)| Some(*target) == id);
                for subscriber in targets.map(|(_, subscriber)| *subscriber).collect::<Vec<_>>() {
                    let method = message.get_text(attr::METHOD).unwrap();
                    let data = message.get_table(attr::DATA).unwrap();
                    self.invoke(subscriber, message.seq, me, &method, &data);
                }
                status::OK
            }
            _ => 1,
        };
        self.send(me, &answer(kind::STATUS).number(attr::STATUS, code));
    }

    fn invoke(&mut self, object: u32, seq: u16, peer: u32, method: &str, data: &Value) {
        let Some(owner) = self.objects.get(&object).map(|object| object.owner) else { return };
        let call = Message::new(kind::INVOKE, seq, peer).number(attr::OBJID, object).text(attr::METHOD, method);
        self.send(owner, &call.table(attr::DATA, data));
    }

    fn event(&mut self, from: u32, id: &str, data: &Value) {
        let fits = |pattern: &str| pattern.strip_suffix('*').map_or(id == pattern, |start| id.starts_with(start));
        let mine = |object: &u32| self.objects.get(object).is_some_and(|object| object.owner == from);
        let wants = self.patterns.iter().filter(|(object, pattern)| fits(pattern) && !mine(object));
        for object in wants.map(|(object, _)| *object).collect::<Vec<_>>() {
            self.invoke(object, 1, 0, id, data);
        }
    }

    fn leave(&mut self, me: u32) {
        self.clients.remove(&me);
        let gone: Vec<u32> = self.objects.iter().filter(|(_, object)| object.owner == me).map(|(id, _)| *id).collect();
        self.objects.retain(|_, object| object.owner != me);
        let (lost, kept) = self.subscriptions.drain(..).partition(|(target, _)| gone.contains(target));
        self.subscriptions = kept;
        for (target, subscriber) in lost {
            let Some(owner) = self.objects.get(&subscriber).map(|object| object.owner) else { continue };
            let told = Message::new(kind::UNSUBSCRIBE, 0, 0).number(attr::OBJID, subscriber);
            self.send(owner, &told.number(attr::TARGET, target));
        }
    }
}

/// A client that asks and waits, as the command `ubus` does.
pub(crate) struct Client {
    stream: UnixStream,
    input: Vec<u8>,
    seq: u16,
}

impl Client {
    fn connect(socket: &Path) -> Client {
        let mut stream = UnixStream::connect(socket).expect("ubusd listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut input = Vec::new();
        assert_eq!(receive(&mut stream, &mut input).expect("hello").kind, kind::HELLO);
        Client { stream, input, seq: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<Message> {
        receive(&mut self.stream, &mut self.input)
    }

    /// The parts of the answer, and the status at its end.
    fn ask(&mut self, make: impl FnOnce(u16) -> Message) -> (Vec<Message>, u32) {
        self.seq += 1;
        write(&mut self.stream, &make(self.seq));
        let mut parts = Vec::new();
        loop {
            let message = self.next().expect("an answer within ten seconds");
            match message.kind {
                kind::DATA if message.seq == self.seq => parts.push(message),
                kind::STATUS if message.seq == self.seq => {
                    return (parts, message.get_number(attr::STATUS).expect("a status"));
                }
                _ => {}
            }
        }
    }

    /// An object's number and its methods.
    pub(crate) fn find(&mut self, path: &str) -> Option<(u32, Value)> {
        let (parts, _) = self.ask(|seq| Message::new(kind::LOOKUP, seq, 0).text(attr::OBJPATH, path));
        parts.first().map(|part| (part.get_number(attr::OBJID).unwrap(), part.get_table(attr::SIGNATURE).unwrap()))
    }

    /// Calls a method; the answer, and its status.
    pub(crate) fn call(&mut self, path: &str, method: &str) -> (Value, u32) {
        let Some((id, _)) = self.find(path) else { return (Value::Null, status::NOT_FOUND) };
        let (parts, code) = self.ask(|seq| {
            let invoke = Message::new(kind::INVOKE, seq, id).number(attr::OBJID, id).text(attr::METHOD, method);
            invoke.table(attr::DATA, &Value::Null)
        });
        (parts.first().and_then(|part| part.get_table(attr::DATA)).unwrap_or_default(), code)
    }

    /// Registers an object; its number.
    pub(crate) fn add(&mut self, path: Option<&str>) -> u32 {
        let (parts, code) = self.ask(|seq| {
            let add = Message::new(kind::ADD_OBJECT, seq, 0);
            path.map_or(add.clone(), |path| add.text(attr::OBJPATH, path).table(attr::SIGNATURE, &json!({})))
        });
        assert_eq!(code, status::OK);
        parts[0].get_number(attr::OBJID).unwrap()
    }

    /// Hears events from now on.
    pub(crate) fn listen(&mut self, pattern: &str) {
        let object = self.add(None);
        let data = json!({ "object": object.cast_signed(), "pattern": pattern });
        let (_, code) = self.ask(|seq| {
            let invoke = Message::new(kind::INVOKE, seq, EVENTS).number(attr::OBJID, EVENTS);
            invoke.text(attr::METHOD, "register").table(attr::DATA, &data)
        });
        assert_eq!(code, status::OK);
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> (String, Value) {
        let invoke = self.next().expect("an event within ten seconds");
        (invoke.get_text(attr::METHOD).unwrap(), invoke.get_table(attr::DATA).unwrap())
    }

    /// Tells an object's subscribers.
    pub(crate) fn notify(&mut self, object: u32, method: &str) {
        let notify = Message::new(NOTIFY, 9, object).number(attr::OBJID, object).text(attr::METHOD, method);
        write(&mut self.stream, &notify.table(attr::DATA, &json!({})));
    }

    /// Answers a call with a table.
    pub(crate) fn answer(&mut self, call: &Message, data: &Value) {
        let object = call.get_number(attr::OBJID).unwrap();
        let part = Message::new(kind::DATA, call.seq, call.peer).number(attr::OBJID, object);
        write(&mut self.stream, &part.table(attr::DATA, data));
        let end = Message::new(kind::STATUS, call.seq, call.peer).number(attr::STATUS, 0).number(attr::OBJID, object);
        write(&mut self.stream, &end);
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }
}

/// A table as it stands on the wire.
pub(crate) fn table(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value::write(&mut bytes, value);
    bytes
}

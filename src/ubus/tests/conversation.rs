use crate::net::Instant;
use crate::ubus::client::{Call, Client, DEBOUNCE, Event, Over, PATIENCE, RETRY};
use crate::ubus::message::{EVENTS, Message, attr, kind, status};
use serde_json::{Value, json};

const METHODS: &[&str] = &["status", "leases"];
const OBJECT: u32 = 0x8000_0400;
const LISTENER: u32 = 0x9b7c_2188;
const NETIFD: u32 = 0x0153_0000;
const CALLER: u32 = 0x22e2_a803;

/// A conversation, and what ubusd would say in it.
struct Talk {
    client: Client,
    now: Instant,
    netifd: bool,
}

impl Talk {
    fn new(netifd: bool) -> Talk {
        let mut talk = Talk { client: Client::new("oasis6", METHODS), now: Instant(1000), netifd };
        assert!(talk.client.to_send().is_empty());
        talk.say(Message::new(kind::HELLO, 0, 0x1234_5678));
        talk
    }

    fn say(&mut self, message: Message) {
        let mut bytes = Vec::new();
        assert!(message.put(&mut bytes));
        self.client.receive(&bytes);
    }

    fn next(&mut self) -> Option<Event> {
        self.client.next(self.now).expect("the conversation goes on")
    }

    /// What the client said since.
    fn heard(&mut self) -> Vec<Message> {
        let mut bytes = self.client.to_send().to_vec();
        self.client.sent(bytes.len());
        std::iter::from_fn(|| Message::take(&mut bytes).unwrap()).collect()
    }

    /// Answers as ubusd and netifd do, until the client has nothing more to say. Gives events, and the names of what was asked.
    fn go_on(&mut self) -> (Vec<Event>, Vec<String>) {
        let (mut events, mut asked) = (Vec::new(), Vec::new());
        loop {
            events.extend(std::iter::from_fn(|| self.next()));
            self.client.tick(self.now).unwrap();
            let heard = self.heard();
            if heard.is_empty() {
                return (events, asked);
            }
            for message in heard {
                let part = |id, number| Message::new(kind::DATA, message.seq, message.peer).number(id, number);
                let mut code = status::OK;
                match message.kind {
                    kind::ADD_OBJECT if message.get_text(attr::OBJPATH).as_deref() == Some("oasis6") => {
                        let signature = message.get_table(attr::SIGNATURE);
                        assert_eq!(signature, Some(json!({ "status": {}, "leases": {} })));
                        self.say(part(attr::OBJID, OBJECT));
                    }
                    kind::ADD_OBJECT => self.say(part(attr::OBJID, LISTENER)),
                    kind::LOOKUP if self.netifd => {
                        asked.push(message.get_text(attr::OBJPATH).unwrap());
                        self.say(part(attr::OBJID, NETIFD));
                    }
                    kind::LOOKUP => code = status::NOT_FOUND,
                    kind::SUBSCRIBE => {
                        assert_eq!(message.get_number(attr::OBJID), Some(LISTENER));
                        assert_eq!(message.get_number(attr::TARGET), Some(NETIFD));
                        asked.push("subscribe".into());
                    }
                    kind::INVOKE if message.peer == EVENTS => {
                        let data = message.get_table(attr::DATA).unwrap();
                        assert_eq!(data, json!({ "object": -1_686_363_768, "pattern": "ubus.object.add" }));
                    }
                    kind::INVOKE => {
                        assert_eq!(message.get_number(attr::OBJID), Some(NETIFD));
                        asked.push(message.get_text(attr::METHOD).unwrap());
                        let data = json!({ "interface": [{ "interface": "lan", "l3_device": "br-lan" }] });
                        self.say(part(attr::OBJID, NETIFD).table(attr::DATA, &data));
                    }
                    // what the client answers to a notification
                    kind::STATUS => continue,
                    other => panic!("{other}"),
                }
                self.say(Message::new(kind::STATUS, message.seq, message.peer).number(attr::STATUS, code));
            }
        }
    }

    fn notify(&mut self, method: &str, data: &Value) {
        let invoke = Message::new(kind::INVOKE, 10, 0).number(attr::OBJID, LISTENER).text(attr::METHOD, method);
        self.say(invoke.table(attr::DATA, data));
    }

    /// What the client says after netifd told of a change: an answer to that, and a question.
    fn asked(&mut self) -> Vec<Message> {
        self.notify("interface.update", &json!({}));
        assert_eq!(self.next(), None);
        self.now = self.now.after(DEBOUNCE);
        self.client.tick(self.now).unwrap();
        self.heard()
    }

    fn call(&mut self, seq: u16, method: &str) -> Call {
        let invoke = Message::new(kind::INVOKE, seq, CALLER).number(attr::OBJID, OBJECT).text(attr::METHOD, method);
        self.say(invoke.text(12, "root"));
        let Some(Event::Called(call)) = self.next() else { panic!("no call") };
        call
    }
}

fn lan() -> Event {
    Event::Interfaces(json!({ "interface": [{ "interface": "lan", "l3_device": "br-lan" }] }))
}

#[test]
fn after_the_hello_it_registers_and_reads_the_interfaces() {
    let mut talk = Talk::new(true);
    let (events, asked) = talk.go_on();
    assert_eq!(events, [lan()]);
    assert_eq!(asked, ["network.interface", "subscribe", "dump"]);
    assert!(talk.client.is_registered() && talk.client.has_netifd());
    assert_eq!(talk.client.poll_at(), None);
}

#[test]
fn many_notifications_make_one_reading_a_moment_later() {
    let mut talk = Talk::new(true);
    talk.go_on();
    for _ in 0..50 {
        talk.notify("interface.update", &json!({ "interface": "lan" }));
    }
    assert_eq!(talk.go_on(), (vec![], vec![]));
    let due = talk.now.after(DEBOUNCE);
    assert_eq!(talk.client.poll_at(), Some(due));
    talk.now = due;
    assert_eq!(talk.go_on(), (vec![lan()], vec!["dump".into()]));
}

#[test]
fn netifd_is_found_when_it_comes_later_and_again_after_it_restarted() {
    let mut talk = Talk::new(false);
    assert_eq!(talk.go_on(), (vec![], vec![]));
    talk.netifd = true;
    talk.notify("ubus.object.add", &json!({ "id": 1, "path": "network.interface.lan" }));
    assert_eq!(talk.go_on(), (vec![], vec![]));
    for _ in 0..2 {
        talk.notify("ubus.object.add", &json!({ "id": 1, "path": "network.interface" }));
        assert_eq!(talk.go_on().0, [lan()]);
        let gone = Message::new(kind::UNSUBSCRIBE, 1, 0).number(attr::OBJID, LISTENER).number(attr::TARGET, NETIFD);
        talk.say(gone);
        talk.go_on();
        assert!(!talk.client.has_netifd());
    }
}

#[test]
fn netifd_that_died_while_it_was_asked_costs_its_answer_and_nothing_else() {
    let mut talk = Talk::new(true);
    talk.go_on();
    // ubusd hands the call on, and is silent for ever
    assert_eq!(talk.asked().len(), 2);
    let late = talk.now.after(PATIENCE);
    assert_eq!(talk.client.poll_at(), Some(late));
    talk.now = late;
    assert_eq!(talk.go_on(), (vec![], vec![]));
    assert_eq!(talk.client.status()["timeouts"], 1);
    talk.now = late.after(RETRY);
    assert_eq!(talk.go_on(), (vec![lan()], vec!["dump".into()]));
}

#[test]
fn answers_and_events_of_anybody_else_are_none() {
    let mut talk = Talk::new(true);
    talk.go_on();
    let [_, dump] = talk.asked().try_into().unwrap();
    // ubusd puts the number of the object that answers where the peer stands
    let forged = json!({ "interface": [{ "interface": "lan", "l3_device": "wan0" }] });
    let part = Message::new(kind::DATA, dump.seq, CALLER).number(attr::OBJID, CALLER);
    talk.say(part.table(attr::DATA, &forged));
    talk.say(Message::new(kind::STATUS, dump.seq, CALLER).number(attr::STATUS, 0).number(attr::OBJID, CALLER));
    let added = Message::new(kind::INVOKE, 1, CALLER).number(attr::OBJID, LISTENER);
    let added = added.text(attr::METHOD, "ubus.object.add");
    talk.say(added.table(attr::DATA, &json!({ "id": 1, "path": "network.interface" })));
    assert_eq!(talk.next(), None);
    assert!(talk.heard().iter().all(|message| message.kind == kind::STATUS));

    let part = Message::new(kind::DATA, dump.seq, NETIFD).number(attr::OBJID, NETIFD);
    talk.say(part.table(attr::DATA, &json!({ "interface": [{ "interface": "lan", "l3_device": "br-lan" }] })));
    assert_eq!(talk.next(), Some(lan()));
}

#[test]
fn a_ubusd_that_is_silent_or_says_no_ends_the_conversation() {
    let mut talk = Talk::new(false);
    talk.next();
    talk.now = talk.now.after(PATIENCE);
    assert_eq!(talk.client.tick(talk.now), Err(Over::Silent));

    let mut talk = Talk::new(false);
    talk.next();
    let add = talk.heard().remove(0);
    talk.say(Message::new(kind::STATUS, add.seq, 0).number(attr::STATUS, status::INVALID_ARGUMENT));
    assert_eq!(talk.client.next(talk.now), Err(Over::Refused(status::INVALID_ARGUMENT)));

    let mut talk = Talk::new(false);
    talk.client.receive(&[0; 12]);
    assert_eq!(talk.client.next(talk.now), Err(Over::Unframed));
}

#[test]
fn a_call_is_answered_to_its_caller() {
    let mut talk = Talk::new(false);
    talk.go_on();
    let call = talk.call(65535, "status");
    assert_eq!(call.method, "status");
    assert!(talk.client.answer(&call, status::OK, &json!({ "state": "serving" })));
    let [data, end] = talk.heard().try_into().unwrap();
    assert_eq!((data.kind, data.seq, data.peer), (kind::DATA, 65535, CALLER));
    assert_eq!(data.get_table(attr::DATA), Some(json!({ "state": "serving" })));
    assert_eq!((end.kind, end.seq, end.peer), (kind::STATUS, 65535, CALLER));
    assert_eq!(end.get_number(attr::STATUS), Some(status::OK));
    assert_eq!((data.get_number(attr::OBJID), end.get_number(attr::OBJID)), (Some(OBJECT), Some(OBJECT)));
}

#[test]
fn an_answer_larger_than_a_message_is_not_begun() {
    let mut talk = Talk::new(false);
    talk.go_on();
    let call = talk.call(7, "leases");
    let large = json!({ "leases": "x".repeat(1024 * 1024) });
    assert!(!talk.client.answer(&call, status::OK, &large));
    assert!(talk.heard().is_empty());
    talk.client.refuse(&call, status::NO_MEMORY);
    let [end] = talk.heard().try_into().unwrap();
    assert_eq!((end.kind, end.get_number(attr::STATUS)), (kind::STATUS, Some(status::NO_MEMORY)));
}

#[test]
fn whoever_does_not_read_gets_no_more_answers_and_no_events_until_he_does() {
    let mut talk = Talk::new(false);
    talk.go_on();
    let half = json!({ "leases": "x".repeat(300 * 1024) });
    let call = talk.call(1, "leases");
    assert!(talk.client.answer(&call, status::OK, &half));
    assert!(talk.client.is_full());
    let sized = talk.client.to_send().len();
    talk.client.send("oasis6.lease", &json!({ "lan": "lan" }));
    let invoke = Message::new(kind::INVOKE, 2, CALLER).number(attr::OBJID, OBJECT).text(attr::METHOD, "status");
    talk.say(invoke);
    assert_eq!(talk.next(), None);
    assert_eq!((talk.client.to_send().len(), talk.client.status()["lost_events"].clone()), (sized, json!(1)));
    talk.heard();
    assert!(matches!(talk.next(), Some(Event::Called(call)) if call.method == "status"));
    talk.client.send("oasis6.lease", &json!({ "lan": "lan" }));
    let [event] = talk.heard().try_into().unwrap();
    assert_eq!(event.get_text(attr::METHOD).as_deref(), Some("send"));
    assert_eq!(event.get_table(attr::DATA), Some(json!({ "id": "oasis6.lease", "data": { "lan": "lan" } })));
}

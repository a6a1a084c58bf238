//! The bus: whatever ubusd, netifd or a caller says, in any pieces, is read without panic, and what is kept stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oasis6::net::Instant;
use oasis6::ubus::client::{Client, Event};
use oasis6::ubus::message::{Message, attr, status};
use oasis6::ubus::value;
use std::time::Duration;

/// What may wait to be sent: the bound of the queue, and one more answer.
const MOST: usize = 2 * 1024 * 1024;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    // a table that was read is written and read again as it is
    if let Ok(table) = value::read(bytes) {
        let mut written = Vec::new();
        value::write(&mut written, &table);
        assert_eq!(value::read(&written).as_ref(), Ok(&table));
    }
    let mut input = bytes.to_vec();
    while let Ok(Some(message)) = Message::take(&mut input) {
        let mut again = Vec::new();
        assert!(message.put(&mut again));
        assert_eq!(Message::take(&mut again), Ok(Some(message)));
    }

    let mut client = Client::new("oasis6", &["status", "leases"]);
    let mut now = Instant(0);
    for piece in bytes.chunks(usize::from(*size).max(1)) {
        client.receive(piece);
        now = now.after(Duration::from_millis(100));
        loop {
            match client.next(now) {
                Ok(Some(Event::Called(call))) => {
                    assert!(client.answer(&call, status::OK, &serde_json::json!({ "leases": [] })));
                }
                Ok(Some(Event::Interfaces(_))) => client.send("oasis6.lan", &serde_json::json!({})),
                Ok(None) => break,
                Err(_) => return,
            }
        }
        if client.tick(now).is_err() {
            return;
        }
        assert!(client.to_send().len() < MOST);
        // what it says is what ubusd can read
        let mut said = client.to_send().to_vec();
        while let Ok(Some(message)) = Message::take(&mut said) {
            let _ = message.get_number(attr::OBJID);
        }
        assert!(said.is_empty());
        if size % 2 == 0 {
            client.sent(client.to_send().len());
        }
    }
});

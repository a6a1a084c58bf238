use crate::ubus::blob::{self, Attribute};
use crate::ubus::message::{Message, attr, kind};
use crate::ubus::value::{self, ARRAY, Field, TABLE};
use serde_json::Value;
use std::path::Path;

/// A line of a recording: its text in words, and its bytes.
pub(super) struct Recorded {
    pub(super) file: String,
    pub(super) note: String,
    pub(super) hex: String,
}

impl Recorded {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&self.hex[at..at + 2], 16).unwrap();
        (0..self.hex.len()).step_by(2).map(digit).collect()
    }
}

/// Every message of every recording.
pub(super) fn all() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ubus");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let Some(hex) = line["hex"].as_str().filter(|hex| !hex.is_empty()) else { continue };
            let note = line["note"].as_str().unwrap_or_default();
            all.push(Recorded { file: file.clone(), note: note.into(), hex: hex.into() });
        }
    }
    all
}

fn only_message(bytes: &[u8]) -> Message {
    let mut input = bytes.to_vec();
    let message = Message::take(&mut input).expect("framed").expect("whole");
    assert!(input.is_empty());
    message
}

/// Reads a table to its last element and writes it anew, types and order as they were.
fn written_anew(bytes: &[u8]) -> Result<Vec<u8>, blob::Malformed> {
    let mut out = Vec::new();
    for field in value::fields(bytes) {
        let Field { kind, name, value } = field?;
        let mark = value::open(&mut out, kind, name);
        match kind {
            TABLE | ARRAY => out.extend(written_anew(value)?),
            _ => out.extend_from_slice(value),
        }
        blob::close(&mut out, mark);
    }
    Ok(out)
}

#[test]
fn every_recorded_message_is_read_and_written_byte_for_byte() {
    let (mut messages, mut tables) = (0, 0);
    for recorded in all().into_iter().filter(|recorded| !recorded.file.starts_with("60")) {
        let Recorded { file, note, .. } = &recorded;
        let bytes = recorded.bytes();
        let message = only_message(&bytes);
        let mut again = Message::new(message.kind, message.seq, message.peer);
        for attribute in blob::attributes(&message.body) {
            let Attribute { id, named, payload } = attribute.expect(note);
            assert!(!named);
            // what `monitor` is about has attributes of its own, without names
            let names = blob::attributes(payload).all(|field| field.is_ok_and(|field| field.named));
            let table = matches!(id, attr::SIGNATURE | attr::DATA) && names;
            let mark = blob::open(&mut again.body, id, false);
            if table {
                tables += 1;
                again.body.extend(written_anew(payload).expect(note));
            } else {
                again.body.extend_from_slice(payload);
            }
            blob::close(&mut again.body, mark);
        }
        let mut out = Vec::new();
        assert!(again.put(&mut out));
        assert_eq!(out, bytes, "{file}: {note}");
        messages += 1;
    }
    assert!(messages > 500 && tables > 200, "{messages} messages, {tables} tables");
}

#[test]
fn data_is_read_as_the_json_that_was_noted_and_written_as_the_command_writes_it() {
    let mut compared = 0;
    for recorded in all() {
        let Recorded { file, note, .. } = &recorded;
        let Some((_, noted)) = note.split_once(" DATA={") else { continue };
        let noted = format!("{{{noted}");
        let mut values = serde_json::Deserializer::from_str(&noted).into_iter::<Value>();
        let Some(Ok(noted)) = values.next() else { panic!("{file}: {note}") };
        if noted.as_object().is_some_and(|fields| fields.contains_key("dbl") || fields.contains_key("")) {
            continue;
        }
        let message = only_message(&recorded.bytes());
        if matches!(message.kind, kind::INVOKE | kind::DATA) && !file.starts_with("60") {
            assert_eq!(message.get_table(attr::DATA), Some(noted), "{file}: {note}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

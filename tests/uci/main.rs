#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
//! The UCI parser against what the real `uci` said about 518 files (tests/vectors/uci/README.md).

use oasis6::config::Severity;
use oasis6::config::uci::{self, File};
use serde_json::Value;

mod print;

const CASES: &str = include_str!("../vectors/uci/cases.jsonl");

struct Case(Value);

impl Case {
    fn all() -> Vec<Case> {
        CASES.lines().map(|line| Case(serde_json::from_str(line).unwrap())).collect()
    }

    fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    fn ok(&self) -> bool {
        self.0["ok"].as_bool().unwrap()
    }

    /// The bytes of a field, which stands as text or, under another name, in hexadecimal.
    fn bytes(&self, field: &str) -> Option<Vec<u8>> {
        if let Some(text) = self.0[field].as_str() {
            return Some(text.as_bytes().to_vec());
        }
        let hex = self.0[format!("{field}_hex")].as_str()?;
        Some((0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect())
    }

    fn file(&self) -> File {
        uci::parse(&self.bytes("input").unwrap())
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn the_parser_loads_what_uci_loads_and_refuses_what_it_refuses() {
    let cases = Case::all();
    assert_eq!(cases.len(), 518);
    for case in &cases {
        assert_eq!(print::loads(&case.file()), case.ok(), "{}", case.id());
    }
}

#[test]
fn values_are_those_of_uci_show() {
    for case in Case::all().iter().filter(|case| case.ok()) {
        let (file, plain) = (case.file(), case.bytes("show").unwrap());
        assert_eq!(text(&print::show(&file, false)), text(&plain), "{}", case.id());
        let real = case.bytes("show_x").unwrap_or(plain);
        assert_eq!(text(&print::show(&file, true)), text(&real), "{} with real names", case.id());
    }
}

#[test]
fn sections_and_lists_are_those_of_uci_export() {
    for case in Case::all().iter().filter(|case| case.ok()) {
        assert_eq!(text(&print::export(&case.file())), text(&case.bytes("export").unwrap()), "{}", case.id());
    }
}

#[test]
fn the_first_mistake_is_the_one_that_uci_names() {
    for case in Case::all().iter().filter(|case| !case.ok()) {
        let file = case.file();
        let error = case.0["error"].as_str().unwrap();
        let (_, mistake) = file.mistakes.iter().find(|(_, mistake)| mistake.severity() == Severity::Error).unwrap();
        let named = print::name(mistake);
        assert!(error.contains(&format!("({named})")), "{}: {named} is not {error}", case.id());
    }
}

#[test]
fn after_a_mistake_the_rest_is_read_as_lenient_uci_reads_it() {
    for case in Case::all().iter().filter(|case| !case.ok()) {
        assert_eq!(
            text(&print::show(&case.file(), false)),
            text(&case.bytes("lenient_show").unwrap()),
            "{}",
            case.id()
        );
    }
}

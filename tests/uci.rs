//! The UCI parser against what the real `uci` said about 518 files (tests/vectors/uci/README.md).

use oasis6::config::Severity;
use oasis6::config::uci::{self, Entry, File, Mistake, Section};
use serde_json::Value;
use std::collections::BTreeMap;

const CASES: &str = include_str!("vectors/uci/cases.jsonl");

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

fn loads(file: &File) -> bool {
    file.mistakes.iter().all(|(_, mistake)| mistake.severity() != Severity::Error)
}

fn quote(value: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = value.split(|b| *b == b'\'').collect();
    [b"'".as_slice(), &pieces.join(b"'\\''".as_slice()), b"'"].concat()
}

/// What `uci show t` prints, or `uci -X show t` with `real` names.
fn show(file: &File, real: bool) -> Vec<u8> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for Section { kind, name, anonymous, options, .. } in &file.sections {
        let count = counts.entry(kind).or_default();
        let name = if *anonymous && !real { format!("@{kind}[{count}]") } else { name.clone() };
        *count += 1;
        out.extend(format!("t.{name}={kind}\n").bytes());
        for Entry { name: option, items, .. } in options {
            let values: Vec<_> = items.iter().map(|item| quote(&item.value)).collect();
            out.extend(format!("t.{name}.{option}=").bytes());
            out.extend(values.join(b" ".as_slice()));
            out.push(b'\n');
        }
    }
    out
}

/// What `uci export t` prints.
fn export(file: &File) -> Vec<u8> {
    let mut out = b"package t\n\n".to_vec();
    for Section { kind, name, anonymous, options, .. } in &file.sections {
        out.extend(format!("config {kind}").bytes());
        if !anonymous {
            out.extend(format!(" '{name}'").bytes());
        }
        out.push(b'\n');
        for Entry { name, list, items } in options {
            for item in items {
                out.extend(format!("\t{} {name} ", if *list { "list" } else { "option" }).bytes());
                out.extend(quote(&item.value));
                out.push(b'\n');
            }
        }
        out.push(b'\n');
    }
    out
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn the_parser_loads_what_uci_loads_and_refuses_what_it_refuses() {
    let cases = Case::all();
    assert_eq!(cases.len(), 518);
    for case in &cases {
        assert_eq!(loads(&case.file()), case.ok(), "{}", case.id());
    }
}

#[test]
fn values_are_those_of_uci_show() {
    for case in Case::all().iter().filter(|case| case.ok()) {
        let (file, plain) = (case.file(), case.bytes("show").unwrap());
        assert_eq!(text(&show(&file, false)), text(&plain), "{}", case.id());
        let real = case.bytes("show_x").unwrap_or(plain);
        assert_eq!(text(&show(&file, true)), text(&real), "{} with real names", case.id());
    }
}

#[test]
fn sections_and_lists_are_those_of_uci_export() {
    for case in Case::all().iter().filter(|case| case.ok()) {
        assert_eq!(text(&export(&case.file())), text(&case.bytes("export").unwrap()), "{}", case.id());
    }
}

#[test]
fn the_first_mistake_is_the_one_that_uci_names() {
    for case in Case::all().iter().filter(|case| !case.ok()) {
        let file = case.file();
        let error = case.0["error"].as_str().unwrap();
        let (_, mistake) = file.mistakes.iter().find(|(_, mistake)| mistake.severity() == Severity::Error).unwrap();
        let named = match mistake {
            Mistake::UnknownCommand(_) => "invalid command",
            Mistake::MissingArgument => "insufficient arguments",
            Mistake::SurplusArgument(_) => "too many arguments",
            Mistake::BadName(_) => "invalid character in name field",
            Mistake::BadType(_) => "invalid character in type field",
            Mistake::OpenQuote('"') => "EOF with unterminated \"",
            Mistake::OpenQuote(_) => "EOF with unterminated '",
            Mistake::OutsideSection => "option/list command found before the first section",
            Mistake::OtherType(_) => "section of different type overwrites prior section with same name",
            Mistake::LostAfterSemicolon(_) => unreachable!(),
        };
        assert!(error.contains(&format!("({named})")), "{}: {named} is not {error}", case.id());
    }
}

#[test]
fn after_a_mistake_the_rest_is_read_as_lenient_uci_reads_it() {
    for case in Case::all().iter().filter(|case| !case.ok()) {
        assert_eq!(text(&show(&case.file(), false)), text(&case.bytes("lenient_show").unwrap()), "{}", case.id());
    }
}

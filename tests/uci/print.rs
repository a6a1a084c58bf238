//! What the parser found, in the words of the real `uci`. Shared with tests/libuci.

use oasis6::config::Severity;
use oasis6::config::uci::{Entry, File, Mistake, Section};
use std::collections::BTreeMap;

/// Whether libuci loads this file.
pub(crate) fn loads(file: &File) -> bool {
    file.mistakes.iter().all(|(_, mistake)| mistake.severity() != Severity::Error)
}

fn quote(value: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = value.split(|b| *b == b'\'').collect();
    [b"'".as_slice(), &pieces.join(b"'\\''".as_slice()), b"'"].concat()
}

/// What `uci show t` prints, or `uci -X show t` with `real` names.
#[allow(dead_code)]
pub(crate) fn show(file: &File, real: bool) -> Vec<u8> {
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
pub(crate) fn export(file: &File) -> Vec<u8> {
    let mut out = b"package t\n\n".to_vec();
    for Section { kind, name, anonymous, options, .. } in &file.sections {
        out.extend(format!("config {}", kind.replace('\'', "'\\''")).bytes());
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

/// libuci's words for a mistake.
pub(crate) fn name(mistake: &Mistake) -> &'static str {
    match mistake {
        Mistake::UnknownCommand(_) => "invalid command",
        Mistake::MissingArgument => "insufficient arguments",
        Mistake::SurplusArgument(_) => "too many arguments",
        Mistake::BadName(_) => "invalid character in name field",
        Mistake::BadType(_) => "invalid character in type field",
        Mistake::OpenQuote('"') => "EOF with unterminated \"",
        Mistake::OpenQuote(_) => "EOF with unterminated '",
        Mistake::OutsideSection => "option/list command found before the first section",
        Mistake::OtherType(_) => "section of different type overwrites prior section with same name",
        Mistake::LostAfterSemicolon(_) => "",
    }
}

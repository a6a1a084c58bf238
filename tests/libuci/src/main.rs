//! oasis6's UCI parser against libuci itself, on generated files: `cargo run --release -- COUNT [SEED]`.
//!
//! Needs the Debian packages cmake, libclang-dev and libjson-c-dev. Each file is loaded by both, strictly and leniently;
//! they must agree on whether it loads, on every section, option and list, and on the first mistake. Left out is only
//! what libuci itself leaves to chance: NUL bytes (its answer depends on the size of its buffer), and a last line
//! without newline that ends in its first word (it reads on behind the end); and a mistake of the libuci that
//! libuci-sys brings, mended since: after the third `config` of one name it thinks that there is no section at all.
//! UCI_DIR names an installed libuci to build with instead.

use libuci_sys as libuci;
use oasis6::config::Severity;
use oasis6::config::uci::{self, File, Mistake};
use oasis6::net::Rng;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::process::ExitCode;
use std::ptr::{null, null_mut};

#[path = "../../uci/print.rs"]
mod print;

/// libuci's flag for giving up at the first mistake, which is its default.
const STRICT: u32 = 1;

/// C's FILE.
enum Stream {}

unsafe extern "C" {
    fn fmemopen(buffer: *mut c_void, size: usize, mode: *const c_char) -> *mut Stream;
    fn open_memstream(buffer: *mut *mut c_char, size: *mut usize) -> *mut Stream;
    fn fclose(file: *mut Stream) -> c_int;
    fn free(memory: *mut c_void);
}

/// What libuci exports of this file, or its error.
fn real(text: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    let mut text = text.to_vec();
    // SAFETY: each call gets pointers that live until its stream is closed; the context and strings that libuci
    // allocates are freed once, here.
    unsafe {
        let context = libuci::uci_alloc_context();
        if !strict {
            (*context).flags &= !(STRICT);
        }
        let input = fmemopen(text.as_mut_ptr().cast(), text.len(), c"r".as_ptr());
        assert!(!input.is_null());
        let mut package = null_mut();
        let failed = libuci::uci_import(context, input.cast(), c"t".as_ptr(), &mut package, true);
        fclose(input);
        let answer = if failed != 0 {
            let mut message = null_mut();
            libuci::uci_get_errorstr(context, &mut message, null());
            let owned = CStr::from_ptr(message).to_string_lossy().into_owned();
            free(message.cast());
            Err(owned)
        } else {
            let (mut buffer, mut size) = (null_mut(), 0);
            let output = open_memstream(&mut buffer, &mut size);
            if !package.is_null() {
                libuci::uci_export(context, output.cast(), package, true);
            }
            fclose(output);
            let exported = std::slice::from_raw_parts(buffer.cast::<u8>(), size).to_vec();
            free(buffer.cast());
            Ok(exported)
        };
        libuci::uci_free_context(context);
        answer
    }
}

/// Where the two differ; `None` if they don't.
fn difference(text: &[u8]) -> Option<String> {
    let file = uci::parse(text);
    let (theirs, strict) = match real(text, true) {
        Ok(_) if !print::loads(&file) => return Some("libuci loads it, oasis6 does not".into()),
        Ok(theirs) => (theirs, true),
        Err(error) => {
            let first = first_mistake(&file);
            if !error.contains(&format!("({first})")) {
                return Some(format!("libuci says {error}, oasis6 ({first})"));
            }
            (real(text, false).ok()?, false)
        }
    };
    // After one argument too many lenient libuci goes on in the middle of the line, and we drop the rest of it; after a
    // second type for one name the libuci of libuci-sys is confused.
    let excused =
        |(_, mistake): &(usize, Mistake)| matches!(mistake, Mistake::SurplusArgument(_) | Mistake::OtherType(_));
    let alike = same(&file, &theirs) || !strict && file.mistakes.iter().any(excused);
    (!alike).then(|| format!("libuci exports\n{}\noasis6\n{}", shown(&theirs), shown(&print::export(&file))))
}

/// Whether this is what libuci exports, but for the order of a section's options: a value set again keeps its place in
/// today's libuci, and went to the end in the one that libuci-sys has.
fn same(file: &File, exported: &[u8]) -> bool {
    let sorted = |file: &File| {
        let mut file = file.clone();
        file.sections.iter_mut().for_each(|section| section.options.sort_by(|a, b| a.name.cmp(&b.name)));
        print::export(&file)
    };
    // An empty file has no package at all.
    if exported.is_empty() && file.sections.is_empty() || print::export(file) == exported {
        return true;
    }
    let theirs = uci::parse(exported);
    if print::export(&theirs) == exported {
        sorted(&theirs) == sorted(file)
    } else {
        bytes(exported) == bytes(&print::export(file))
    }
}

/// All that can be compared of an export that is no file, as where a section type has a `;`.
fn bytes(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    bytes.sort_unstable();
    bytes
}

fn first_mistake(file: &File) -> &'static str {
    let mut errors = file.mistakes.iter().filter(|(_, mistake)| mistake.severity() == Severity::Error);
    errors.next().map_or("none", |(_, mistake)| print::name(mistake))
}

fn shown(bytes: &[u8]) -> String {
    bytes.split_inclusive(|b| *b == b'\n').map(|line| format!("    {}\n", line.escape_ascii())).collect()
}

/// A file of words that mean something to the grammar, most of it well formed.
fn generate(rng: &mut Rng) -> Vec<u8> {
    const NAMES: [&str; 8] = ["a", "b", "c1", "_d", "'a'", "\"b\"", "a'b'", "x-y"];
    const TYPES: [&str; 6] = ["t", "u", "t", "'t'", "t.u", "\"u\""];
    const VALUES: [&str; 18] = [
        "1",
        "'a b'",
        "\"a b\"",
        "''",
        "\"\"",
        "",
        "'it'\\''s'",
        "a\\ b",
        "\"a\\\"b\"",
        "'a\nb'",
        "\"a\\\nb\"",
        "a#b",
        "a\\\nb",
        "'#;'",
        "2001:db8::/48",
        "a'b'\"c\"",
        "\\'",
        "\"x\\y\\\\\"",
    ];
    const GLUE: [&str; 16] =
        [" ", "\t", "  ", "\n", ";", " ; ", "#", "'", "\"", "\\", "\r", "\r\n", "\u{b}", "x", "\\\r\n", "é"];
    fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
        from[(rng.next_u64() % from.len() as u64) as usize]
    }
    let (wild, damage) = (rng.between(0, 1) == 1, rng.between(0, 6).saturating_sub(3));
    let names = if wild { &NAMES[..] } else { &NAMES[..NAMES.len() - 1] };
    let mut sections: Vec<String> = Vec::new();
    let mut text = b"config t\n".to_vec();
    for _ in 0..rng.between(1, 12) {
        let line = match rng.between(0, if wild { 11 } else { 10 }) {
            0..=1 => {
                let name = pick(rng, names);
                let plain = name.replace(['\'', '"'], "");
                let before = sections.iter().filter(|section| **section == plain).count();
                sections.push(plain);
                // Two types under one name are an error; a third section of one name is left out (see above).
                let kind = if wild { pick(rng, &TYPES) } else { "t" };
                if before < if damage > 0 { 1 } else { 2 } {
                    format!("config {kind} {name}")
                } else {
                    "config t".into()
                }
            }
            2 => format!("config {}", pick(rng, &TYPES)),
            3..=6 => format!("\toption {} {}", pick(rng, names), pick(rng, &VALUES)),
            7..=9 => format!("\tlist {} {}", pick(rng, names), pick(rng, &VALUES)),
            10 => format!("package {}", pick(rng, names)),
            _ => ["config", "option", "list", "c", "o", "l", "p", "package"][rng.between(0, 7) as usize].to_owned(),
        };
        text.extend(line.bytes());
        let ends = ["\n", "\n", "\r\n", " # c\n", ";\n", "\t\n", "#\n", "; x\n", ";", " ;", "'", "\\\n", " "];
        text.extend(pick(rng, &ends[..if wild { ends.len() } else { 8 }]).bytes());
    }
    // Half of them are damaged here and there.
    for _ in 0..damage {
        let at = rng.between(0, text.len() as u64 - 1) as usize;
        match rng.between(0, 2) {
            0 => drop(text.splice(at..at, pick(rng, &GLUE).bytes())),
            1 => drop(text.remove(at)),
            _ => text[at] = rng.between(1, 255) as u8,
        }
        if text.is_empty() {
            text.push(b'\n');
        }
    }
    let mut last_word = text.iter().rev().take_while(|b| !b"\n;".contains(b));
    if rng.between(0, 9) > 0 || last_word.all(|b| !b" \t".contains(b)) {
        text.push(b'\n');
    }
    text
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("COUNT [SEED]"));
    let (count, seed) = (arguments.next().unwrap_or(100_000), arguments.next().unwrap_or(1));
    let mut rng = Rng::new(seed);
    let (mut loaded, mut failed) = (0_u64, 0_u64);
    for _ in 0..count {
        let text = generate(&mut rng);
        loaded += u64::from(print::loads(&uci::parse(&text)));
        if let Some(difference) = difference(&text) {
            failed += 1;
            if failed <= 10 {
                println!("{}{difference}\n", shown(&text));
            }
        }
    }
    println!("{count} files, {loaded} of them loaded by both");
    println!("{} passed, {failed} failed", count - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! The list of what the RFCs require of us and which test shows it, made from the tests: `tests/requirements.md`.
//!
//! A requirement stands in one line above the `#[test]` that shows it holds (`MUST`, `MUST NOT`, `SHOULD` or
//! `SHOULD NOT`; several lines may precede one test), or anywhere with the reason why it has none:
//!
//! ```text
//! // MUST RFC 4861 §6.2.6: a solicitation from :: with a source link-layer option is dropped
//! // UNTESTED RFC 4861 §6.2.5: the text of the requirement. Reason: why there is no test
//! ```
//!
//! `UPDATE=1 cargo test --test requirements` writes the list anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// The words an annotation may begin with, longer ones first.
const LEVELS: [&str; 5] = ["MUST NOT", "MUST", "SHOULD NOT", "SHOULD", "UNTESTED"];
const LIST: &str = "tests/requirements.md";

/// Sorted as the list is: RFC, section by its numbers, level, text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Requirement {
    rfc: u32,
    section: Vec<(u32, String)>,
    level: &'static str,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    /// `file::name`, and whether plain `cargo test` leaves it out.
    ByTest(String, bool),
    /// The reason why not.
    Not(String),
}

type All = BTreeMap<Requirement, BTreeSet<Shown>>;

#[test]
fn every_requirement_has_a_test_or_a_reason_and_stands_in_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut all, mut wrong) = (All::new(), Vec::new());
    let mut files = Vec::new();
    for place in ["src", "tests"] {
        find(root, Path::new(place), &mut files).unwrap();
    }
    files.sort();
    for file in files.iter().filter(|file| *file != "tests/requirements.rs") {
        scan(file, &std::fs::read_to_string(root.join(file)).unwrap(), &mut all, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    let (list, path) = (list(&all), root.join(LIST));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = stands.lines().zip(list.lines()).position(|(old, new)| old != new);
    let line = differs.unwrap_or_else(|| stands.lines().count().min(list.lines().count())) + 1;
    assert!(stands == list, "{LIST}:{line}: not what the tests say; run UPDATE=1 cargo test --test requirements");
}

/// Every `.rs` file, by its path from the root.
fn find(root: &Path, place: &Path, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root.join(place))? {
        let entry = entry?;
        let path = place.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.display().to_string());
        }
    }
    Ok(())
}

/// Reads one file's annotations; what is wrong with them is said as `file:line: what`.
fn scan(file: &str, text: &str, all: &mut All, wrong: &mut Vec<String>) {
    // requirements that wait for their test, with their line numbers
    let mut waiting: Vec<(usize, Requirement)> = Vec::new();
    let (mut is_test, mut ignored, mut in_attribute) = (false, false, false);
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        let found = annotation(line);
        if let Some(Err(why)) = &found {
            wrong.push(format!("{file}:{number}: {why}"));
        }
        match found {
            Some(Ok((requirement, Some(reason)))) => {
                all.entry(requirement).or_default().insert(Shown::Not(reason));
                continue;
            }
            Some(Ok((requirement, None))) => {
                waiting.push((number, requirement));
                continue;
            }
            Some(Err(_)) => continue,
            None if waiting.is_empty() => continue,
            None => {}
        }
        if in_attribute || line.starts_with("#[") {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            ignored |= line.starts_with("#[ignore");
            in_attribute = !line.ends_with(']');
            continue;
        }
        if line.starts_with("///") {
            continue;
        }
        match function(line).filter(|_| is_test) {
            Some(name) => {
                for (_, requirement) in waiting.drain(..) {
                    all.entry(requirement).or_default().insert(Shown::ByTest(format!("{file}::{name}"), ignored));
                }
            }
            None => {
                let what =
                    if line.starts_with("//") { "goes on in a second line" } else { "is not followed by a test" };
                wrong.extend(waiting.drain(..).map(|(at, _)| format!("{file}:{at}: the requirement {what}")));
            }
        }
        (is_test, ignored) = (false, false);
    }
    wrong.extend(waiting.iter().map(|(at, _)| format!("{file}:{at}: the requirement is not followed by a test")));
}

/// The requirement in this line, with the reason if it is `UNTESTED`; `None` if it is no such line.
fn annotation(line: &str) -> Option<Result<(Requirement, Option<String>), String>> {
    let comment = line.strip_prefix("//")?;
    let words = comment.trim_start_matches(['/', '!']).trim_start();
    let level = LEVELS.into_iter().find(|level| words.strip_prefix(level).is_some_and(|rest| rest.starts_with(' ')))?;
    let rest = words.strip_prefix(level).map(str::trim_start).unwrap_or_default();
    if !rest.starts_with("RFC") && comment != format!(" {words}") {
        // documentation that uses the word
        return None;
    }
    Some(requirement(level, rest).and_then(|found| {
        if line.starts_with("// ") { Ok(found) } else { Err("write the requirement in a plain comment, `// `".into()) }
    }))
}

fn requirement(level: &'static str, rest: &str) -> Result<(Requirement, Option<String>), String> {
    let form = || format!("write `// {level} RFC NNNN §x.y: text`");
    let (place, text) = rest.split_once(": ").ok_or_else(form)?;
    let (rfc, section) = place.strip_prefix("RFC ").and_then(|place| place.split_once(" §")).ok_or_else(form)?;
    let rfc = rfc.parse().map_err(|_| form())?;
    let section = numbers(section).ok_or_else(form)?;
    let (text, reason) = match (level, text.split_once(" Reason: ")) {
        ("UNTESTED", Some((text, reason))) if !reason.trim().is_empty() => (text, Some(reason.trim().to_owned())),
        ("UNTESTED", _) => return Err("say why there is no test: `… text. Reason: why`".into()),
        _ => (text, None),
    };
    let text = text.trim().trim_end_matches('.').to_owned();
    if text.is_empty() { Err(form()) } else { Ok((Requirement { rfc, section, level, text }, reason)) }
}

/// `6.2.6`, `A.2`, or `4.1 G-4` with the requirement's own name; as it sorts, numbers by their size.
fn numbers(section: &str) -> Option<Vec<(u32, String)>> {
    let (numbers, name) = section.split_once(' ').map_or((section, None), |(numbers, name)| (numbers, Some(name)));
    let part = |part: &str| match part.parse() {
        Ok(number) => Some((number, part.to_owned())),
        // appendices come last
        Err(_) => {
            (part.len() == 1 && part.bytes().all(|b| b.is_ascii_uppercase())).then(|| (u32::MAX, part.to_owned()))
        }
    };
    let mut parts = numbers.split('.').map(part).collect::<Option<Vec<_>>>()?;
    if let Some(name) = name {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
        let number = name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        parts.push((number, (!name.is_empty() && name.bytes().all(fits)).then(|| format!(" {name}"))?));
    }
    Some(parts)
}

/// The name of the function that begins in this line.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

/// The list as it stands in the docs.
fn list(all: &All) -> String {
    let untested = all.keys().filter(|requirement| requirement.level == "UNTESTED").count();
    let mut out = format!(
        "# What the RFCs require, and the tests that show it\n\n\
         Made from the lines above the tests by `UPDATE=1 cargo test --test requirements`; change those, not this.\n\n\
         {} requirements: {} with a test, {untested} with a reason why there is none.\n",
        all.len(),
        all.len() - untested,
    );
    let mut rfc = 0;
    for (requirement, shown) in all {
        if requirement.rfc != rfc {
            rfc = requirement.rfc;
            let head = "| section | | requirement | shown by |\n|---|---|---|---|";
            let _ = write!(out, "\n## RFC {rfc}\n\n{head}\n");
        }
        let shown: Vec<String> = shown.iter().map(cell).collect();
        let level = if requirement.level == "UNTESTED" { "" } else { requirement.level };
        let place = link(rfc, &requirement.section);
        let _ = writeln!(out, "| {place} | {level} | {} | {} |", escaped(&requirement.text), shown.join("<br>"));
    }
    out
}

fn cell(shown: &Shown) -> String {
    match shown {
        Shown::ByTest(test, false) => format!("`{test}`"),
        Shown::ByTest(test, true) => format!("`{test}` (left out by plain `cargo test`)"),
        Shown::Not(reason) => format!("no test: {}", escaped(reason)),
    }
}

fn link(rfc: u32, section: &[(u32, String)]) -> String {
    let (names, numbers): (Vec<&str>, Vec<&str>) =
        section.iter().map(|(_, part)| part.as_str()).partition(|part| part.starts_with(' '));
    let numbers = numbers.join(".");
    let kind = if numbers.starts_with(|c: char| c.is_ascii_digit()) { "section" } else { "appendix" };
    format!("[§{numbers}{}](https://www.rfc-editor.org/rfc/rfc{rfc}#{kind}-{numbers})", names.concat())
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<")
}

fn scanned(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut all, mut wrong) = (All::new(), Vec::new());
    scan("f.rs", text, &mut all, &mut wrong);
    let lines =
        list(&all).lines().filter(|line| line.starts_with("| [") || line.starts_with("## ")).map(Into::into).collect();
    (lines, wrong)
}

#[test]
fn requirements_are_sorted_and_stand_with_their_tests() {
    let (lines, wrong) = scanned(
        "
    // MUST RFC 9915 §18.3.10: b | c
    // MUST NOT RFC 9915 §18.3.9: d
    #[test]
    #[should_panic(
        expected = \"x\"
    )]
    fn one() {}
    // UNTESTED RFC 4861 §6.2.5: e. Reason: the kernel does it.
    // MUST RFC 9915 §18.3.10: b | c
    /// Documented.
    #[tokio::test(flavor = \"current_thread\")]
    #[ignore = \"slow\"]
    async fn two() {}
    // SHOULD RFC 7084 §4.1 G-4: f
    // MUST RFC 7084 §A.1: g
    #[test]
    fn three(x in 0..1) {}
    // a comment that MUST be read
    /// MUST be documented
",
    );
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        lines,
        [
            "## RFC 4861",
            "| [§6.2.5](https://www.rfc-editor.org/rfc/rfc4861#section-6.2.5) |  | e | no test: the kernel does it. |",
            "## RFC 7084",
            "| [§4.1 G-4](https://www.rfc-editor.org/rfc/rfc7084#section-4.1) | SHOULD | f | `f.rs::three` |",
            "| [§A.1](https://www.rfc-editor.org/rfc/rfc7084#appendix-A.1) | MUST | g | `f.rs::three` |",
            "## RFC 9915",
            "| [§18.3.9](https://www.rfc-editor.org/rfc/rfc9915#section-18.3.9) | MUST NOT | d | `f.rs::one` |",
            "| [§18.3.10](https://www.rfc-editor.org/rfc/rfc9915#section-18.3.10) | MUST | b \\| c | `f.rs::one`<br>`f.rs::two` (left out by plain `cargo test`) |",
        ]
    );
}

#[test]
fn malformed_requirements_are_pointed_at() {
    let form = "f.rs:1: write `// MUST RFC NNNN §x.y: text`";
    let not_followed = "f.rs:1: the requirement is not followed by a test";
    for (text, told) in [
        ("// MUST RFC 4861: text", form),
        ("// MUST RFC 4861 6.2: text", form),
        ("// MUST RFC 4861 §: text", form),
        ("// MUST RFC 4861 §6.x: text", form),
        ("// MUST RFC §6.2: text", form),
        ("// MUST RFC 4861 §6.2 text", form),
        ("// MUST RFC 4861 §6.2: ", form),
        ("// MUST RFC 4861 §6.2 and more: text", form),
        ("// MUST be so", form),
        ("/// MUST RFC 4861 §6.2: text", "f.rs:1: write the requirement in a plain comment, `// `"),
        ("//MUST RFC 4861 §6.2: text", "f.rs:1: write the requirement in a plain comment, `// `"),
        ("// UNTESTED RFC 4861 §6.2: text", "f.rs:1: say why there is no test: `… text. Reason: why`"),
        ("// UNTESTED RFC 4861 §6.2: text. Reason: ", "f.rs:1: say why there is no test: `… text. Reason: why`"),
        ("// MUST RFC 4861 §6.2: text", not_followed),
        ("// MUST RFC 4861 §6.2: text\n\n#[test]\nfn x() {}", not_followed),
        ("// MUST RFC 4861 §6.2: text\nfn x() {}", not_followed),
        ("// MUST RFC 4861 §6.2: text\n#[cfg(test)]\nmod tests {", not_followed),
        ("// MUST RFC 4861 §6.2: text\nproptest! {\n#[test]\nfn x() {}", not_followed),
        (
            "// MUST RFC 4861 §6.2: text\n// goes on\n#[test]\nfn x() {}",
            "f.rs:1: the requirement goes on in a second line",
        ),
    ] {
        let (lines, wrong) = scanned(text);
        assert_eq!((lines, wrong), (Vec::new(), vec![told.to_owned()]), "{text}");
    }
}

//! The schema, shown: for programs and LuCI, for a terminal, for the manual, and as the configuration that is shipped.

use super::schema::{Opt, Section, sections};
use serde_json::{Value, json};
use std::fmt::Write;

/// Widest line of text for a terminal, in letters.
const WIDTH: usize = 100;

/// Every section type and option, for programs.
///
/// `default` is what is taken when the option is missing, `null` if there is nothing that could be written;
/// `otherwise` says then in words what happens, `null` if the option is needed. `datatype` is LuCI's.
pub fn json() -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let option = |option: Opt| {
        json!({
            "name": option.name, "list": option.most > 1, "most": option.most, "default": text(option.default),
            "otherwise": text(option.otherwise), "example": option.example, "unit": text(option.unit),
            "accepts": option.accepts, "datatype": option.datatype, "choices": option.choices,
            "help": option.help, "rfc": text(option.rfc), "of": option.of,
        })
    };
    let section = |section: Section| {
        let options: Vec<Value> = section.options.into_iter().map(option).collect();
        json!({
            "type": section.kind, "help": section.help, "named": section.named, "many": section.many,
            "options": options,
        })
    };
    json!({ "sections": sections().map(section) })
}

/// Every section type and option, for a terminal.
pub fn text() -> String {
    let mut out = String::new();
    for section in sections() {
        let name = if section.named { " 'NAME'" } else { "" };
        let _ = writeln!(out, "config {}{name}\n  {}", section.kind, section.help);
        for option in &section.options {
            let _ = writeln!(out, "\n  {} {}   {}", option.keyword(), option.name, if_missing(option));
            let rfc = if option.rfc.is_empty() { String::new() } else { format!(" ({})", option.rfc) };
            wrap(&mut out, &format!("{}{}{rfc}", of(option), option.help));
            wrap(&mut out, &format!("Takes {}.", option.values()));
        }
        out.push('\n');
    }
    out
}

/// Every section type and option as Markdown tables.
pub fn readme_table() -> String {
    let mut out = String::new();
    for section in sections() {
        let name = if section.named { " 'NAME'" } else { "" };
        let many = if section.many { "" } else { " There is one." };
        let _ = writeln!(out, "### `config {}{name}`\n\n{}{many}\n", section.kind, section.help);
        let _ = writeln!(out, "| option | if missing | values | what it does |\n|---|---|---|---|");
        for option in &section.options {
            let list = if option.most > 1 { " (list)" } else { "" };
            let missing = match (option.default, option.otherwise) {
                ("", "") => "**needed**".into(),
                ("", otherwise) => otherwise.to_owned(),
                (default, _) => format!("`{default}`"),
            };
            let rfc = if option.rfc.is_empty() { String::new() } else { format!(" {}", option.rfc) };
            let _ = writeln!(
                out,
                "| `{}`{list} | {missing} | {} | {}{}{rfc} |",
                option.name,
                option.values(),
                of(option),
                option.help
            );
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The configuration that is shipped: it does nothing until it is enabled, and then serves the interface `lan`.
/// Every option stands in it with its default or an example, as a comment.
pub fn example() -> String {
    /// Written out; everything else is a comment.
    const SET: [(&str, &str, &str); 3] =
        [("oasis6", "enabled", "0"), ("lan", "interface", "lan"), ("dns", "mode", "behind")];
    let mut out = String::from(
        "# oasis6: IPv6 for any network. 'oasis6 check' finds mistakes in this file, 'oasis6 plan' shows what it\n\
         # would change. A line with # is a default or an example; remove the # to set it.\n",
    );
    for Section { kind, help, example, options, .. } in sections() {
        let shipped = SET.iter().any(|(section, ..)| *section == kind);
        let comment = if shipped { "" } else { "#" };
        let _ = write!(out, "\n# {help}\n{comment}config {kind} '{example}'\n");
        for option in &options {
            let set = SET.iter().find(|(section, name, _)| (*section, *name) == (kind, option.name));
            let (comment, value) = match set {
                Some((_, _, value)) => ("", *value),
                None => ("#", option.example),
            };
            let (of, help, keyword, name) = (of(option), option.help, option.keyword(), option.name);
            let _ = writeln!(out, "\t# {of}{help}\n\t{comment}{keyword} {name} '{value}'");
        }
    }
    out
}

/// The types that an option is for, where it is not for all.
fn of(option: &Opt) -> String {
    if option.of.is_empty() { String::new() } else { format!("({}) ", option.of.join(", ")) }
}

fn if_missing(option: &Opt) -> String {
    match (option.default, option.otherwise) {
        ("", "") => "[needed]".into(),
        ("", otherwise) => format!("[if missing: {otherwise}]"),
        (default, _) => format!("[{default}]"),
    }
}

/// Appends `text` with line breaks, indented.
fn wrap(out: &mut String, text: &str) {
    const INDENT: &str = "     ";
    let mut line = INDENT.to_owned();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = INDENT.to_owned();
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod luci;
#[cfg(test)]
mod tests;

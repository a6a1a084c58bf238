//! The schema for LuCI's form. It is a file of the package luci-app-oasis6, so no program needs this.

use crate::config::schema::{Opt, sections};
use std::fmt::Write;

/// Every section type and option as LuCI's module `oasis6.schema`, with the words that are translated as calls of `_`.
pub(super) fn luci() -> String {
    let mut out = String::from(
        "'use strict';\n'require baseclass';\n\n\
         /* Made from the schema of oasis6 (src/config/schema): don't edit it here. */\n\
         return baseclass.extend({\n\tsections: {",
    );
    for (index, section) in sections().into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (kind, help) = (section.kind, translated(section.help));
        let _ = write!(out, "{comma}\n\t\t{kind}: {{ help: {help}, named: {}, options: {{", section.named);
        for (index, option) in section.options.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\n\t\t\t{}: {{ {} }}", option.name, fields(option));
        }
        out.push_str("\n\t\t} }");
    }
    out.push_str("\n\t}\n});\n");
    out
}

/// What LuCI has to know of an option.
fn fields(option: &Opt) -> String {
    let list = |words: &[&str]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let mut fields = vec![format!("help: {}", translated(option.help))];
    if option.choices.is_empty() {
        fields.push(format!("datatype: {}", quoted(&option.datatype)));
    }
    if !option.default.is_empty() {
        fields.push(format!("default_value: {}", quoted(option.default)));
    }
    for (name, text) in [("otherwise", option.otherwise), ("unit", option.unit)] {
        if !text.is_empty() {
            fields.push(format!("{name}: {}", translated(text)));
        }
    }
    if option.most > 1 {
        fields.push("list: true".into());
    }
    for (name, words) in [("choices", option.choices.as_slice()), ("of", option.of)] {
        if !words.is_empty() {
            fields.push(format!("{name}: [ {} ]", list(words)));
        }
    }
    fields.join(", ")
}

/// A call that LuCI's translators find.
fn translated(text: &str) -> String {
    format!("_({})", quoted(text))
}

/// A string of JavaScript.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

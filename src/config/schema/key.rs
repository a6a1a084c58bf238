use super::Kind::{Choice, NamePattern as Pattern, RecordType, Secret as SecretKind, Text};
use super::{Table, value};
use crate::config::{NamePattern, Secret};

/// A `key` section as it is written.
#[derive(Default)]
pub(in crate::config) struct KeyDraft {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) secret: Option<Secret>,
    pub(in crate::config) may: Vec<NamePattern>,
    pub(in crate::config) types: Vec<u16>,
}

type Row = super::Row<KeyDraft>;

pub(in crate::config) static KEY: Table<KeyDraft> = Table {
    kind: "key",
    help: "Not in use yet. A key for updates and transfers of zones, and what who has it may change.",
    example: "laptop",
    named: true,
    many: true,
    blank: KeyDraft::default,
    rows: &[
        Row::option("key_name", Text(&value::DOMAIN, |k, name| k.name = Some(name)))
            .otherwise("the section's")
            .example("ddns-key.example")
            .help("Its name, as both ends must have it.")
            .rfc("RFC 8945 §4.2"),
        Row::option("algorithm", Choice(&[("hmac-sha256", |_| ())]))
            .default("hmac-sha256")
            .help("How it signs.")
            .rfc("RFC 8945 §6"),
        Row::option("secret", SecretKind(&value::SECRET, |k, secret| k.secret = Some(secret)))
            .example("c2VjcmV0IG9mIHRoaXJ0eS10d28gbGV0dGVycy4uLi4=")
            .help("The secret that both ends share.")
            .rfc("RFC 8945 §8"),
        Row::list("name", Pattern(&value::NAME_PATTERN, |k, pattern| k.may.push(pattern)))
            .most(64)
            .otherwise("none")
            .example("laptop.lan")
            .help("Name that may be changed with it, *.NAME for all below.")
            .rfc("RFC 2136 §3.3"),
        Row::list("type", RecordType(&value::RECORD_TYPE, |k, kind| k.types.push(kind)))
            .otherwise("all")
            .example("AAAA")
            .help("Type of records that may be changed with it."),
    ],
};

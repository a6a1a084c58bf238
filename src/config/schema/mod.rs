//! The one list of options, and everything that is said about them.
//!
//! ```text
//!                  ┌─► read: is it known? in range? what if it is not there? ─► Config
//! Table ─► Row ────┤
//!                  └─► Section, Opt ─► render: oasis6 schema, OPTIONS.md, the shipped configuration, LuCI's form
//! ```
//!
//! A section type is a [`Table`], an option is a [`Row`] of it: name, [`Kind`], default, unit, help, RFC. The kind
//! holds the function that puts a value of just that type into its place, so a row can't be read as something it is
//! not, and no name is written twice. A new option is a field in `Config` and a row here; a new section type is a
//! table, an entry in [`sections`] and one in `read`.

mod dns;
mod globals;
mod host;
mod key;
mod lan;
mod pinhole;
mod prefix;
mod publish;
mod uplink;
pub(super) mod value;

pub(super) use dns::{DNS, DnsDraft};
pub(super) use globals::GLOBALS;
pub(super) use host::HOST;
pub(super) use key::{KEY, KeyDraft};
pub(super) use lan::{LAN, LanDraft};
pub(super) use pinhole::{PINHOLE, PinholeDraft};
pub(super) use prefix::{PREFIX, PrefixDraft};
pub(super) use publish::{PUBLISH, PublishDraft};
pub(super) use uplink::{Type, UPLINK, UplinkDraft};

use super::{DnsServer, HostDuid, NamePattern, Secondary, Secret, Ula};
use crate::net::{Key32, Mac, Prefix, PublicKey};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use value::{Form, Refusal};

/// Most values of a list, if it says nothing else. A host uses three DNS servers and has a few MAC addresses, and all
/// that a LAN is told must fit into packets of 1280 bytes.
const MAX_ITEMS: usize = 16;

/// A section type, without the Rust types behind it.
#[derive(Clone, Debug)]
pub struct Section {
    /// As it is written, `lan`.
    pub kind: &'static str,
    /// What a section of this type is, in one sentence.
    pub help: &'static str,
    /// Name of the section in examples.
    pub example: &'static str,
    /// Whether each needs a name of its own.
    pub named: bool,
    /// Whether there may be more than one.
    pub many: bool,
    /// Its options, in the order in which they are shown.
    pub options: Vec<Opt>,
}

/// An option, without the Rust types behind it.
#[derive(Clone, Debug)]
pub struct Opt {
    /// As it is written, `ra_max_interval`.
    pub name: &'static str,
    /// How many values it may have: 1 for an option, more for a list.
    pub most: usize,
    /// What is taken when it is missing, as it would be written; empty: see `otherwise`.
    pub default: &'static str,
    /// What happens when it is missing and has no default, in words; empty: it is needed.
    pub otherwise: &'static str,
    /// A sensible value, as it would be written.
    pub example: &'static str,
    /// Unit of a number; empty: none.
    pub unit: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Where the standards define it; empty: nowhere.
    pub rfc: &'static str,
    /// The types (values of the section's option `type`) that it is for; empty: all.
    pub of: &'static [&'static str],
    /// Which values are taken, in words.
    pub accepts: String,
    /// The check that LuCI makes on it.
    pub datatype: String,
    /// The values themselves, where they are few.
    pub choices: Vec<&'static str>,
}

impl Opt {
    /// `option` or `list`, as it is written in the file.
    pub fn keyword(&self) -> &'static str {
        if self.most > 1 { "list" } else { "option" }
    }

    /// Which values are taken, with their unit.
    pub fn values(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        format!("{}{unit}", self.accepts)
    }
}

/// Every section type with its options, in the order in which they are shown.
pub fn sections() -> [Section; 9] {
    [
        GLOBALS.describe(),
        LAN.describe(),
        UPLINK.describe(),
        PREFIX.describe(),
        HOST.describe(),
        PINHOLE.describe(),
        DNS.describe(),
        KEY.describe(),
        PUBLISH.describe(),
    ]
}

/// A section type whose values are collected in a `T`.
pub(super) struct Table<T: 'static> {
    pub(super) kind: &'static str,
    help: &'static str,
    example: &'static str,
    pub(super) named: bool,
    many: bool,
    blank: fn() -> T,
    pub(super) rows: &'static [Row<T>],
}

impl<T> Table<T> {
    /// A `T` in which every value is the schema's default.
    pub(super) fn defaults(&self) -> T {
        let mut target = (self.blank)();
        for row in self.rows {
            row.set_default(&mut target);
        }
        target
    }

    /// A `T` without any value.
    pub(super) fn blank(&self) -> T {
        (self.blank)()
    }

    fn describe(&self) -> Section {
        let Table { kind, help, example, named, many, .. } = *self;
        Section { kind, help, example, named, many, options: self.rows.iter().map(Row::describe).collect() }
    }
}

/// An option of a section whose values are collected in a `T`.
pub(super) struct Row<T: 'static> {
    pub(super) name: &'static str,
    kind: Kind<T>,
    /// How many values it may have; a list takes more than 1.
    pub(super) most: usize,
    pub(super) default: &'static str,
    otherwise: &'static str,
    example: &'static str,
    unit: &'static str,
    help: &'static str,
    rfc: &'static str,
    pub(super) of: &'static [&'static str],
}

impl<T> Row<T> {
    const fn option(name: &'static str, kind: Kind<T>) -> Self {
        Row { name, kind, most: 1, default: "", otherwise: "", example: "", unit: "", help: "", rfc: "", of: &[] }
    }

    const fn list(name: &'static str, kind: Kind<T>) -> Self {
        Row { most: MAX_ITEMS, ..Row::option(name, kind) }
    }

    const fn most(self, most: usize) -> Self {
        Row { most, ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Row { default, example: if self.example.is_empty() { default } else { self.example }, ..self }
    }

    const fn otherwise(self, otherwise: &'static str) -> Self {
        Row { otherwise, ..self }
    }

    const fn example(self, example: &'static str) -> Self {
        Row { example, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Row { unit, ..self }
    }

    const fn help(self, help: &'static str) -> Self {
        Row { help, ..self }
    }

    const fn rfc(self, rfc: &'static str) -> Self {
        Row { rfc, ..self }
    }

    const fn of(self, of: &'static [&'static str]) -> Self {
        Row { of, ..self }
    }

    /// Puts the default, if there is one. That it is a good value is tested.
    pub(super) fn set_default(&self, target: &mut T) {
        if !self.default.is_empty() {
            let _ = self.kind.set(target, self.default);
        }
    }

    /// Puts a value as it is written into its place in `target`.
    pub(super) fn set(&self, target: &mut T, text: &str) -> Result<(), Refusal> {
        self.kind.set(target, text).map_err(|refusal| match refusal.remedy.is_empty() {
            true => Refusal { remedy: self.remedy(), ..refusal },
            false => refusal,
        })
    }

    /// What to write, with the unit and an example.
    fn remedy(&self) -> String {
        format!("write {}, as '{}'", self.describe().values(), self.example)
    }

    fn describe(&self) -> Opt {
        let Row { name, most, default, otherwise, example, unit, help, rfc, of, .. } = *self;
        let (accepts, datatype, choices) = (self.kind.accepts(), self.kind.datatype(), self.kind.choices());
        Opt { name, most, default, otherwise, example, unit, help, rfc, of, accepts, datatype, choices }
    }
}

/// A domain name of letters, digits and hyphens in lower case, without a dot at its end. Errors: why it is none.
pub fn host_name(text: &str) -> Result<String, String> {
    value::domain_name(text).map(|name| name.to_ascii_lowercase()).map_err(|refusal| refusal.message)
}

/// Words, and what each of them sets.
type Choices<T> = &'static [(&'static str, fn(&mut T))];

/// What an option's value is, and where it goes.
pub(super) enum Kind<T: 'static> {
    Flag(fn(&mut T, bool)),
    /// A flag, or `auto`: we know best.
    AutoFlag(fn(&mut T, Option<bool>)),
    Choice(Choices<T>),
    Byte(u8, u8, fn(&mut T, u8)),
    Number(u32, u32, fn(&mut T, u32)),
    Port(fn(&mut T, u16)),
    PortRange(&'static Form<(u16, u16)>, fn(&mut T, (u16, u16))),
    Lifetime(fn(&mut T, u32)),
    Id(&'static Form<u64>, fn(&mut T, u64)),
    IdRange(&'static Form<(u64, u64)>, fn(&mut T, (u64, u64))),
    Text(&'static Form<String>, fn(&mut T, String)),
    Prefix(&'static Form<Prefix>, fn(&mut T, Prefix)),
    /// The length of a prefix that is wished for: none at all, any, or this one.
    PrefixLen(&'static Form<Option<Option<u8>>>, fn(&mut T, Option<Option<u8>>)),
    Address(&'static Form<Ipv6Addr>, fn(&mut T, Ipv6Addr)),
    OnLinkAddress(&'static Form<(Ipv6Addr, u8)>, fn(&mut T, (Ipv6Addr, u8))),
    V4Address(&'static Form<Ipv4Addr>, fn(&mut T, Ipv4Addr)),
    Key(fn(&mut T, Key32)),
    PeerKey(fn(&mut T, PublicKey)),
    Dns(&'static Form<Option<DnsServer>>, fn(&mut T, Option<DnsServer>)),
    Ula(&'static Form<Ula>, fn(&mut T, Ula)),
    Mac(&'static Form<Mac>, fn(&mut T, Mac)),
    Duid(&'static Form<HostDuid>, fn(&mut T, HostDuid)),
    Server(&'static Form<SocketAddr>, fn(&mut T, SocketAddr)),
    ServerOrAuto(&'static Form<Option<SocketAddr>>, fn(&mut T, Option<SocketAddr>)),
    Secondary(&'static Form<Secondary>, fn(&mut T, Secondary)),
    Secret(&'static Form<Secret>, fn(&mut T, Secret)),
    NamePattern(&'static Form<NamePattern>, fn(&mut T, NamePattern)),
    RecordType(&'static Form<u16>, fn(&mut T, u16)),
}

impl<T> Kind<T> {
    fn set(&self, target: &mut T, text: &str) -> Result<(), Refusal> {
        match self {
            Kind::Flag(set) => set(target, value::flag(text)?),
            Kind::AutoFlag(set) => set(target, if text == "auto" { None } else { Some(value::flag(text)?) }),
            Kind::Choice(choices) => {
                let names = choices.iter().map(|(name, _)| *name);
                let chosen = value::choice(text, names)?;
                choices.iter().filter(|(name, _)| *name == chosen).for_each(|(_, set)| set(target));
            }
            Kind::Byte(low, high, set) => set(target, value::number(text, *low, *high)?),
            Kind::Number(low, high, set) => set(target, value::number(text, *low, *high)?),
            Kind::Port(set) => set(target, value::number(text, 0, u16::MAX)?),
            Kind::PortRange(form, set) => set(target, (form.parse)(text)?),
            Kind::Lifetime(set) => set(target, value::lifetime(text)?),
            Kind::Id(form, set) => set(target, (form.parse)(text)?),
            Kind::IdRange(form, set) => set(target, (form.parse)(text)?),
            Kind::Text(form, set) => set(target, (form.parse)(text)?),
            Kind::Prefix(form, set) => set(target, (form.parse)(text)?),
            Kind::PrefixLen(form, set) => set(target, (form.parse)(text)?),
            Kind::Address(form, set) => set(target, (form.parse)(text)?),
            Kind::OnLinkAddress(form, set) => set(target, (form.parse)(text)?),
            Kind::V4Address(form, set) => set(target, (form.parse)(text)?),
            Kind::Key(set) => set(target, text.parse::<Key32>()?),
            Kind::PeerKey(set) => set(target, text.parse::<PublicKey>()?),
            Kind::Dns(form, set) => set(target, (form.parse)(text)?),
            Kind::Ula(form, set) => set(target, (form.parse)(text)?),
            Kind::Mac(form, set) => set(target, (form.parse)(text)?),
            Kind::Duid(form, set) => set(target, (form.parse)(text)?),
            Kind::Server(form, set) => set(target, (form.parse)(text)?),
            Kind::ServerOrAuto(form, set) => set(target, (form.parse)(text)?),
            Kind::Secondary(form, set) => set(target, (form.parse)(text)?),
            Kind::Secret(form, set) => set(target, (form.parse)(text)?),
            Kind::NamePattern(form, set) => set(target, (form.parse)(text)?),
            Kind::RecordType(form, set) => set(target, (form.parse)(text)?),
        }
        Ok(())
    }

    /// Which values are taken: in words, and as LuCI checks it.
    fn says(&self) -> (String, String) {
        let form = |accepts: &str, datatype: &str| (accepts.to_owned(), datatype.to_owned());
        match self {
            Kind::Flag(_) => form("0 or 1", "or(\"0\",\"1\")"),
            Kind::AutoFlag(_) => form("auto, 0 or 1", "or(\"auto\",\"0\",\"1\")"),
            Kind::Choice(_) => {
                let names = self.choices();
                let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
                (value::one_of(&names), format!("or({})", quoted.join(",")))
            }
            Kind::Byte(low, high, _) => (format!("{low} to {high}"), format!("and(uinteger,range({low},{high}))")),
            Kind::Number(low, high, _) => (format!("{low} to {high}"), format!("and(uinteger,range({low},{high}))")),
            Kind::Port(_) => form("0 to 65535", "and(uinteger,range(0,65535))"),
            Kind::PortRange(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Lifetime(_) => {
                form("1 to 4294967294, or infinite", "or(and(uinteger,range(1,4294967294)),\"infinite\")")
            }
            Kind::Id(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::IdRange(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Text(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Prefix(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::PrefixLen(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Address(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::OnLinkAddress(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::V4Address(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Key(_) | Kind::PeerKey(_) => form("a WireGuard key", "length(44)"),
            Kind::Dns(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Ula(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Mac(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Duid(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Server(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::ServerOrAuto(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Secondary(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::Secret(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::NamePattern(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
            Kind::RecordType(Form { accepts, datatype, .. }, _) => form(accepts, datatype),
        }
    }

    fn accepts(&self) -> String {
        self.says().0
    }

    fn datatype(&self) -> String {
        self.says().1
    }

    fn choices(&self) -> Vec<&'static str> {
        match self {
            Kind::Flag(_) => vec!["0", "1"],
            Kind::AutoFlag(_) => vec!["auto", "0", "1"],
            Kind::Choice(choices) => choices.iter().map(|(name, _)| *name).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;

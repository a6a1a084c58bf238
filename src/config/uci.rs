//! UCI text → sections and options, each with its line: libuci's grammar, byte for byte.
//!
//! ```text
//! config lan 'home'          # a section: type, and a name or none (anonymous)
//!     option device 'br-lan' # one value
//!     list dns '2001:db8::1' # one more item of a list
//! ```
//!
//! A line holds a command and its arguments. An argument is a run of plain, 'single' and "double" quoted pieces
//! glued together; quoted pieces may span lines. Where libuci gives up at the first mistake, this parser notes it,
//! drops the rest of that line and goes on, so that the owner sees all of them at once. A file is one that libuci
//! loads exactly if no mistake is an error; `tests/uci.rs` holds this against what the real `uci` says.
//!
//! Bytes are bytes here: a value may hold anything but NUL. What it means is told by `schema`.

use super::{Severity, nearest};
use crate::net::FlatMap;
use std::fmt;

/// Most mistakes noted in one file; the rest is only counted. Nobody reads more, and a damaged file has no end of them.
pub const MAX_MISTAKES: usize = 100;

/// What a file says, and what is wrong with how it says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// The sections in the order of the file; a repeated section is merged into the first of its name.
    pub sections: Vec<Section>,
    /// Mistakes by line, at most [`MAX_MISTAKES`] of them.
    pub mistakes: Vec<(usize, Mistake)>,
    /// How many more mistakes there are.
    pub more_mistakes: usize,
}

/// `config KIND 'NAME'` and what follows up to the next section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Line of its (first) `config`, from 1.
    pub line: usize,
    /// Its type: printable ASCII without space.
    pub kind: String,
    /// Its name: letters, digits and `_`; for an anonymous section the one that libuci makes up, as `cfg0189ab`.
    pub name: String,
    /// Whether the file gives no name.
    pub anonymous: bool,
    /// Its options, by first appearance; no name twice.
    pub options: Vec<Entry>,
}

/// An option or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Letters, digits and `_`.
    pub name: String,
    /// Whether it was written as a list.
    pub list: bool,
    /// Exactly one item for an option, one or more for a list.
    pub items: Vec<Item>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Line on which its command begins, from 1.
    pub line: usize,
    /// The value; never empty for an option, never with a NUL.
    pub value: Vec<u8>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The line begins with none of `config`, `option`, `list`, `package`.
    UnknownCommand(String),
    /// The section type, or the name of an option or package, is missing.
    MissingArgument,
    /// There is one argument too many, this one.
    SurplusArgument(String),
    /// A name with something else in it than letters, digits and `_`.
    BadName(String),
    /// A section type with something else in it than printable ASCII.
    BadType(String),
    /// A quote of this kind is opened and never closed.
    OpenQuote(char),
    /// An option before the first section.
    OutsideSection,
    /// A section of this name but of another type stands on this line.
    OtherType(usize),
    /// A `;` glued to a plain word: libuci drops what follows it. Not an error to libuci.
    LostAfterSemicolon(String),
}

impl Mistake {
    /// Whether libuci refuses a file that has it.
    pub fn severity(&self) -> Severity {
        if matches!(self, Mistake::LostAfterSemicolon(_)) { Severity::Warning } else { Severity::Error }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        const COMMANDS: [&str; 4] = ["config", "option", "list", "package"];
        match self {
            Mistake::UnknownCommand(word) if word.starts_with('\u{feff}') => {
                "save the file as plain text, without a byte order mark".into()
            }
            Mistake::UnknownCommand(word) if COMMANDS.contains(&word.trim()) => {
                format!("'{}' wants a space and a word behind it", word.trim())
            }
            Mistake::UnknownCommand(word) => match nearest(word, COMMANDS) {
                Some(command) => format!("did you mean '{command}'?"),
                None => "begin the line with config, option or list, or with # for a comment".into(),
            },
            Mistake::MissingArgument => "write config TYPE 'NAME', option NAME 'VALUE' or list NAME 'VALUE'".into(),
            Mistake::SurplusArgument(_) => "put the value in quotes if it has spaces, and # before a comment".into(),
            Mistake::BadName(_) => "use letters, digits and _ only".into(),
            Mistake::BadType(_) => "use printable ASCII without spaces".into(),
            Mistake::OpenQuote('"') => "close it; a \" inside the value is written \\\"".into(),
            Mistake::OpenQuote(_) => "close it; a value with ' inside is written in \"double quotes\"".into(),
            Mistake::OutsideSection => "write config TYPE 'NAME' above it".into(),
            Mistake::OtherType(_) => "give one of the two another name".into(),
            Mistake::LostAfterSemicolon(_) => "put it on a line of its own".into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::UnknownCommand(word) => write!(f, "there is no command '{}'", word.trim().escape_debug()),
            Mistake::MissingArgument => f.write_str("a word is missing at the end"),
            Mistake::SurplusArgument(word) => write!(f, "'{}' is one word too many", word.escape_debug()),
            Mistake::BadName(name) => write!(f, "'{}' can't be a name", name.escape_debug()),
            Mistake::BadType(kind) => write!(f, "'{}' can't be a section type", kind.escape_debug()),
            Mistake::OpenQuote(quote) => write!(f, "a {quote} opened here is never closed"),
            Mistake::OutsideSection => f.write_str("this stands before the first section"),
            Mistake::OtherType(line) => write!(f, "line {line} has a section of this name but of another type"),
            Mistake::LostAfterSemicolon(rest) => write!(f, "what follows the ; is lost: '{}'", rest.escape_debug()),
        }
    }
}

/// Reads a file as libuci does. Total: any bytes give a [`File`].
pub fn parse(bytes: &[u8]) -> File {
    let mut parser = Parser {
        rest: bytes,
        line: 0,
        text: Vec::new(),
        at: 0,
        file: File::default(),
        current: None,
        names: FlatMap::new(),
        options: FlatMap::new(),
    };
    while !parser.rest.is_empty() {
        parser.text.clear();
        parser.at = 0;
        parser.fetch();
        let line = parser.line;
        if let Err(mistake) = parser.commands() {
            parser.note(line, mistake);
        }
    }
    parser.file
}

struct Parser<'a> {
    /// What was not fetched yet.
    rest: &'a [u8],
    /// Number of the line fetched last, from 1.
    line: usize,
    /// The line at work: one line of the file, or more where quotes or backslashes join them.
    text: Vec<u8>,
    /// How much of it is read.
    at: usize,
    file: File,
    /// Index of the section that options go to.
    current: Option<usize>,
    /// Section name → index.
    names: FlatMap<String, usize>,
    /// Section index and option name → index in that section.
    options: FlatMap<(usize, String), usize>,
}

impl Parser<'_> {
    fn note(&mut self, line: usize, mistake: Mistake) {
        if self.file.mistakes.len() < MAX_MISTAKES {
            self.file.mistakes.push((line, mistake));
        } else {
            self.file.more_mistakes += 1;
        }
    }

    /// Appends the next line, with its newline, to the text. As in libuci a NUL ends the line's text and takes the
    /// newline with it, so that the next line is glued on; at the very beginning it blanks the line.
    fn fetch(&mut self) {
        while !self.rest.is_empty() {
            let length = self.rest.iter().position(|b| *b == b'\n').map_or(self.rest.len(), |newline| newline + 1);
            let (line, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
            self.rest = rest;
            self.line += 1;
            let text = line.split(|b| *b == 0).next().unwrap_or_default();
            self.text.extend_from_slice(text);
            if text.is_empty() || text.len() == line.len() {
                break;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn at_space(&self) -> bool {
        self.peek().is_some_and(is_space)
    }

    fn skip_spaces(&mut self) {
        while self.at_space() {
            self.at += 1;
        }
    }

    /// The commands of one line, with `;` between them.
    fn commands(&mut self) -> Result<(), Mistake> {
        self.skip_spaces();
        loop {
            let line = self.line;
            let word = self.command();
            match word.as_slice() {
                [] | [b'#', ..] => return Ok(()),
                b"config" | b"c" => self.section(line)?,
                b"option" | b"o" => self.option(line, false)?,
                b"list" | b"l" => self.option(line, true)?,
                b"package" | b"p" => self.package(line)?,
                _ => return Err(Mistake::UnknownCommand(lossy(&word))),
            }
        }
    }

    /// The next word up to a space or tab; neither quotes nor other white space mean anything here.
    fn command(&mut self) -> Vec<u8> {
        let blank = |b: &u8| matches!(b, b' ' | b'\t');
        let rest = self.text.get(self.at..).unwrap_or_default();
        let skipped = rest.iter().take_while(|b| blank(b)).count();
        let word: Vec<u8> = rest.iter().skip(skipped).take_while(|b| !blank(b)).copied().collect();
        self.at = (self.at + skipped + word.len() + 1).min(self.text.len());
        word
    }

    fn package(&mut self, line: usize) -> Result<(), Mistake> {
        let name = self.required()?;
        check_name(&name, b"_-")?;
        self.end(line)
    }

    fn section(&mut self, line: usize) -> Result<(), Mistake> {
        let kind = self.required()?;
        if !kind.iter().all(u8::is_ascii_graphic) {
            return Err(Mistake::BadType(lossy(&kind)));
        }
        let kind = lossy(&kind);
        let name = self.argument()?;
        let anonymous = name.is_empty();
        let name = match anonymous {
            true => made_up_name(self.file.sections.len() + 1, &kind),
            false => check_name(&name, b"_")?,
        };
        self.end(line)?;
        let index = *self.names.or_insert(name.clone(), self.file.sections.len());
        self.current = Some(index);
        match self.file.sections.get_mut(index) {
            None => self.file.sections.push(Section { line, kind, name, anonymous, options: Vec::new() }),
            Some(section) if section.kind != kind => {
                section.kind = kind;
                let first = section.line;
                self.note(line, Mistake::OtherType(first));
            }
            Some(_) => (),
        }
        Ok(())
    }

    fn option(&mut self, line: usize, list: bool) -> Result<(), Mistake> {
        let Some(section) = self.current else { return Err(Mistake::OutsideSection) };
        let name = self.required()?;
        let name = check_name(&name, b"_")?;
        let value = self.argument()?;
        self.end(line)?;
        if list || !value.is_empty() {
            self.put(section, name, Item { line, value }, list);
        }
        Ok(())
    }

    fn put(&mut self, section: usize, name: String, item: Item, list: bool) {
        let Some(options) = self.file.sections.get_mut(section).map(|section| &mut section.options) else { return };
        let index = *self.options.or_insert((section, name.clone()), options.len());
        match options.get_mut(index) {
            None => options.push(Entry { name, list, items: vec![item] }),
            Some(entry) if list => {
                entry.list = true;
                entry.items.push(item);
            }
            Some(entry) => *entry = Entry { name, list, items: vec![item] },
        }
    }

    fn required(&mut self) -> Result<Vec<u8>, Mistake> {
        let argument = self.argument()?;
        if argument.is_empty() { Err(Mistake::MissingArgument) } else { Ok(argument) }
    }

    /// The end of a command: the end of the line, a comment, or a `;` that is not glued to a plain word. If it is none
    /// of them the rest of the line is dropped, and the command holds all the same.
    fn end(&mut self, line: usize) -> Result<(), Mistake> {
        let surplus = self.argument()?;
        if !surplus.is_empty() {
            self.text.truncate(self.at);
            self.note(line, Mistake::SurplusArgument(lossy(&surplus)));
        }
        Ok(())
    }

    /// The next argument; empty where there is none, or an empty one, or a `;`.
    fn argument(&mut self) -> Result<Vec<u8>, Mistake> {
        self.skip_spaces();
        let mut argument = Vec::new();
        let mut plain = true;
        if self.peek() == Some(b';') {
            self.at += 1;
            return Ok(argument);
        }
        loop {
            match self.peek() {
                Some(quote @ (b'\'' | b'"')) => {
                    plain = false;
                    self.quoted(quote, &mut argument)?;
                }
                Some(b'\\') => {
                    plain = false;
                    self.escaped(&mut argument);
                }
                Some(b'#') => self.text.truncate(self.at),
                Some(b';') | None => break,
                Some(byte) => {
                    argument.push(byte);
                    self.at += 1;
                }
            }
            if self.at_space() {
                self.at += 1;
                return Ok(argument);
            }
        }
        if plain {
            self.lose_rest();
        }
        Ok(argument)
    }

    /// libuci writes the end of a plain word over the `;` behind it, and so never sees what follows.
    fn lose_rest(&mut self) {
        let lost = self.text.split_off(self.at);
        let lost = lossy(lost.trim_ascii());
        let lost = lost.trim_start_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        if !lost.is_empty() && !lost.starts_with('#') {
            self.note(self.line, Mistake::LostAfterSemicolon(lost.into()));
        }
    }

    fn quoted(&mut self, quote: u8, argument: &mut Vec<u8>) -> Result<(), Mistake> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'\\') if quote == b'"' => {
                    self.escaped(argument);
                    continue;
                }
                Some(byte) => argument.push(byte),
                None => {
                    self.fetch();
                    if self.peek().is_none() {
                        return Err(Mistake::OpenQuote(char::from(quote)));
                    }
                    continue;
                }
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// A backslash: the next byte is taken as it is; before the end of a line it joins the next line to this.
    fn escaped(&mut self, argument: &mut Vec<u8>) {
        self.at += 1;
        match self.text.get(self.at..).unwrap_or_default() {
            [] => (),
            [b'\n', ..] | [b'\r', b'\n', ..] => {
                self.text.truncate(self.at);
                self.fetch();
            }
            [byte, ..] => {
                argument.push(*byte);
                self.at += 1;
            }
        }
    }
}

/// White space as C's isspace() has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check_name(name: &[u8], beside: &[u8]) -> Result<String, Mistake> {
    let good = name.iter().all(|b| b.is_ascii_alphanumeric() || beside.contains(b));
    if good { Ok(lossy(name)) } else { Err(Mistake::BadName(lossy(name))) }
}

/// The name that libuci gives to the anonymous section at `position`, counted from 1: djb2 over its type.
fn made_up_name(position: usize, kind: &str) -> String {
    let hash = kind.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(byte.into()));
    format!("cfg{position:02x}{:04x}", hash % 65536)
}

//! What outlives the process: bindings, the ULA, the DUID and the served prefixes.
//!
//! ```text
//!                     tmpfs (run_dir)                          flash (state_dir)
//! commit(records) ──► journal: snapshot + changes, each        bindings: snapshot ◄── flush, rarely
//!                     turn one write(2) before its replies
//! remember(memory) ─► memory.now                               memory ◄── tick, at each change that matters
//! ```
//!
//! # What a crash costs
//!
//! * `kill -9`: nothing. Every record is in the file in tmpfs before the reply that promises it may leave; the file is
//!   replaced as a whole (`rename`) or grows at its end, so there is no moment at which it can't be read.
//! * A reboot in order: nothing. The last state is flushed when the daemon stops.
//! * A power cut: what had not reached flash. That does no harm, as follows.
//!
//! A *promise* is written to flash soon: a resource that flash doesn't know in this client's hands, with this hostname
//! and next hop, or one that was promised for more than twice as long as flash believes. Soon means after two seconds
//! of quiet, or ten without. Everything else (released and expired bindings, somewhat longer lifetimes) waits for
//! company, an hour at most. Renewals need no write at all: after a power cut each promise counts in full from then on
//! (see `bindings.rs`). So a binding lasts longer than its client believes, by one lifetime at most if the client is
//! gone; none ends sooner, but for one whose last renewal was for longer than the one before, and that one outlives
//! T1, at which the client renews.
//!
//! Flash is spared by an allowance: four writes at once, one more every five minutes, so at most 12 per hour and file
//! in the long run, and one at each stop. A network that only renews costs none. When clients arrive faster than that,
//! a power cut loses the newest of them, those of the last five minutes; the server finds their resources again by
//! itself, since it derives them from the client and accepts renewals of what is free.
//!
//! The memory has an allowance of its own of the same size. A prefix that flaps uses it up, and then waits; what flash
//! may lack is a prefix that was first announced within the last five minutes. That a prefix went away waits for
//! company, since after a reboot it is announced as gone anyway if nothing gives it any more.
//!
//! # Time
//!
//! All ends are CLOCK_BOOTTIME, marked with the id of the boot; the wall clock is not used, so setting it changes
//! nothing. In another boot the lifetimes begin anew.
//!
//! # Damage
//!
//! Each line has a checksum. A damaged one is passed over, all others before and behind it are used, the file is kept
//! aside under another name, and that is reported until the next start. If the file in tmpfs is damaged, flash fills
//! in what is missing, and promises count in full. Only a last line without its end is cut off in silence, in tmpfs:
//! the process was killed while it wrote, and no reply had left.
//!
//! # A full or read-only disk
//!
//! A commit that fails leaves nothing behind, the reply is not sent, and the client asks again. Everything is tried
//! again by itself: tmpfs every second, flash within its allowance.

mod bindings;
#[cfg(feature = "daemon")]
pub mod disk;
pub mod fake;
#[cfg(feature = "daemon")]
pub mod key_file;
mod line;
mod memory;
mod schedule;
#[cfg(test)]
mod tests;

pub use memory::Memory;

use crate::net::Instant;
use crate::plan::Served;
use crate::proto::dhcp6::{Binding, Record};
use bindings::{Key, granted, key};
use memory::{Missing, Told};
use schedule::Schedule;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The file of bindings in tmpfs is written anew once its changes take this much, and twice the snapshot's size: so
/// each change is rewritten half a time on average, however many bindings there are.
const COMPACT_BYTES: usize = 64 * 1024;
/// tmpfs is tried again this often.
const RUN_RETRY: Duration = Duration::from_secs(1);
/// How much quiet ends a group of new bindings.
const QUIET: Duration = Duration::from_secs(2);

/// The files that a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// Bindings in tmpfs: the one that is appended to.
    RunBindings,
    /// Memory in tmpfs.
    RunMemory,
    /// Bindings on flash.
    FlashBindings,
    /// Memory on flash.
    FlashMemory,
}

impl File {
    /// Whether it lies on flash.
    pub fn is_on_flash(self) -> bool {
        matches!(self, File::FlashBindings | File::FlashMemory)
    }

    /// Its name in its folder; another one for each, so that both folders may be the same.
    pub fn name(self) -> &'static str {
        match self {
            File::RunBindings => "journal",
            File::RunMemory => "memory.now",
            File::FlashBindings => "bindings",
            File::FlashMemory => "memory",
        }
    }
}

/// Where files lie. Errors say what was tried, where, why it failed and what to do.
pub trait Medium {
    /// The whole file; `None` if there is none.
    fn read(&self, file: File) -> Result<Option<Vec<u8>>, String>;
    /// Puts a file in the place of the old one: at any moment one of both is there, and whole. On flash it is the new
    /// one, even if the power fails, once this returns.
    fn replace(&mut self, file: File, bytes: &[u8]) -> Result<(), String>;
    /// Writes at the end of [`File::RunBindings`] as it was last replaced. After an error any part may be there.
    fn append(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// Shortens [`File::RunBindings`].
    fn truncate(&mut self, len: usize) -> Result<(), String>;
    /// Keeps a damaged file's bytes under another name, in the place of those kept before.
    fn keep_aside(&mut self, file: File, bytes: &[u8]) -> Result<(), String>;
    /// What a person calls the file; with `aside` the name it is kept under when damaged.
    fn name(&self, file: File, aside: bool) -> String;
}

/// What the last process left.
#[derive(Debug, Default)]
pub struct Found {
    /// The ULA, the DUID and the served prefixes.
    pub memory: Memory,
    /// Bindings, of which some may be over.
    pub bindings: Vec<Binding>,
    /// What a person should hear of.
    pub reports: Vec<String>,
}

/// What is known of a binding's copies. A fingerprint of 0 means that there is none.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    print: u32,
    granted: u32,
    flash_print: u32,
    flash_granted: u32,
}

/// The file of bindings in tmpfs.
#[derive(Debug, Default)]
struct Journal {
    /// Bytes of it that are true.
    len: usize,
    /// Bytes of its snapshot.
    snapshot: usize,
    /// It is there, and ends where `len` says.
    usable: bool,
    /// It has to be written anew at the next occasion, or at this time.
    wanted: bool,
    retry_at: Option<Instant>,
    error: Option<String>,
}

/// The store, over a [`Medium`].
#[derive(Debug)]
pub struct Store<D> {
    medium: D,
    boot: String,
    journal: Journal,
    buffer: Vec<u8>,
    known: BTreeMap<Key, Known>,
    /// Flash's bindings were written at a stop: they tell what was left, not what was promised.
    flash_whole: bool,
    /// Something was committed since flash's bindings were written.
    dirty: bool,
    bindings: Schedule,
    told: Option<Told>,
    run_told: Option<Told>,
    flash_told: Option<Told>,
    run_memory_retry: Option<Instant>,
    run_memory_error: Option<String>,
    memory: Schedule,
    found: Vec<String>,
}

impl<D: Medium> Store<D> {
    /// Reads what is there and begins the file in tmpfs anew. `boot_id` names this boot; empty if it is not known.
    pub fn open(medium: D, boot_id: &str, now: Instant) -> (Store<D>, Found) {
        let mut store = Store {
            medium,
            boot: boot_id.into(),
            journal: Journal::default(),
            buffer: Vec::new(),
            known: BTreeMap::new(),
            flash_whole: false,
            dirty: false,
            bindings: Schedule::new(QUIET, Schedule::FULL, now),
            told: None,
            run_told: None,
            flash_told: None,
            run_memory_retry: None,
            run_memory_error: None,
            memory: Schedule::new(Duration::ZERO, Schedule::FULL, now),
            found: Vec::new(),
        };
        let bindings = store.open_bindings(now);
        let memory = store.open_memory(now);
        store.compact(bindings.iter(), now);
        let reports = store.found.clone();
        (store, Found { memory, bindings, reports })
    }

    fn open_bindings(&mut self, now: Instant) -> Vec<Binding> {
        let mut read = |file: File| {
            self.fetch(file).map(|bytes| {
                let mut content = bindings::read(&bytes, file.is_on_flash(), &self.boot, now);
                // on flash nothing is ever cut short
                content.damaged |= content.torn && file.is_on_flash();
                self.inspect(file, &bytes, content.damaged, content.unknown);
                content
            })
        };
        let (run, flash) = (read(File::RunBindings), read(File::FlashBindings));
        if run.is_some() {
            // a daemon that starts again and again has not the full allowance each time
            self.bindings = Schedule::new(QUIET, 1, now);
            self.memory = Schedule::new(Duration::ZERO, 1, now);
        }
        let flash = flash.unwrap_or_default();
        self.flash_whole = flash.whole;
        if flash.damaged {
            self.bindings.want_soon(now);
        }
        let on_flash: BTreeMap<Key, (u32, u32)> = flash
            .records
            .iter()
            .filter_map(|(key, held)| held.as_ref().map(|held| (*key, (held.print, held.granted))))
            .collect();
        let (mut records, damaged) = match run {
            Some(run) => (run.records, run.damaged),
            None => (BTreeMap::new(), true),
        };
        if damaged {
            for (key, held) in flash.records {
                records.entry(key).or_insert(held);
            }
        }
        let mut found = Vec::new();
        for (key, held) in records {
            let Some(held) = held else { continue };
            let (flash_print, flash_granted) = on_flash.get(&key).copied().unwrap_or_default();
            let known = Known { print: held.print, granted: held.granted, flash_print, flash_granted };
            self.lack(known, now);
            self.known.insert(key, known);
            found.push(held.binding);
        }
        if on_flash.keys().any(|key| !self.known.contains_key(key)) {
            self.bindings.want_later(now);
        }
        found
    }

    fn open_memory(&mut self, now: Instant) -> Memory {
        let mut contents = [File::RunMemory, File::FlashMemory].map(|file| {
            self.fetch(file).map(|bytes| {
                let content = memory::read(&bytes, &self.boot, now);
                self.inspect(file, &bytes, content.damaged, content.unknown);
                content
            })
        });
        let [run, flash] = &mut contents;
        // damaged files are written anew: what stands in them counts as if it were not there
        let sound = |content: &Option<memory::Content>| {
            let content = content.as_ref().filter(|content| !content.damaged)?;
            Some(Told { memory: content.memory.clone(), at: now })
        };
        (self.run_told, self.flash_told) = (sound(run), sound(flash));
        let (run, flash) = (run.take().unwrap_or_default(), flash.take().unwrap_or_default());
        // tmpfs has the news, unless it could not be written
        let (newer, older) = if flash.written_at > run.written_at { (flash, run) } else { (run, flash) };
        let mut memory = newer.memory;
        memory.ula = memory.ula.or(older.memory.ula);
        memory.duid = memory.duid.or(older.memory.duid);
        memory.secret = memory.secret.or(older.memory.secret);
        if newer.damaged || newer.written_at.is_none() {
            let known = |one: &Served| memory.served.iter().any(|had| (&had.lan, had.prefix) == (&one.lan, one.prefix));
            let missing: Vec<_> = older.memory.served.into_iter().filter(|one| !known(one)).collect();
            memory.served.extend(missing);
            let missing: Vec<_> =
                older.memory.hash_names.into_iter().filter(|one| !memory.hash_names.contains(one)).collect();
            memory.hash_names.extend(missing);
        }
        if memory != Memory::default() {
            self.remember(&memory, now);
        }
        memory
    }

    fn fetch(&mut self, file: File) -> Option<Vec<u8>> {
        self.medium.read(file).unwrap_or_else(|error| {
            self.found.push(error);
            None
        })
    }

    /// Keeps a file aside that is not as it should be, and reports it.
    fn inspect(&mut self, file: File, bytes: &[u8], damaged: bool, unknown: usize) {
        let name = self.medium.name(file, false);
        let what = match (damaged, unknown) {
            (false, 0) => return,
            (false, _) => format!("{name} has {unknown} lines of a newer oasis6, which are not used"),
            (true, _) => format!("{name} is damaged; what could be read is used"),
        };
        let kept = match self.medium.keep_aside(file, bytes) {
            Ok(()) => format!("it is kept as {}", self.medium.name(file, true)),
            Err(error) => error,
        };
        self.found.push(format!("{what}; {kept}"));
    }

    /// Notes what flash lacks of a binding.
    fn lack(&mut self, known: Known, now: Instant) {
        if known.flash_print != known.print || known.granted / 2 > known.flash_granted {
            self.bindings.want_soon(now);
        } else if known.granted > known.flash_granted {
            self.bindings.want_later(now);
        }
    }

    /// Writes what has to be there before this turn's replies leave. After an error none of it is; the replies must
    /// not be sent.
    pub fn commit(&mut self, records: &[Record], now: Instant) -> Result<(), String> {
        if records.is_empty() {
            return Ok(());
        }
        self.buffer.clear();
        self.dirty = true;
        for record in records {
            match record {
                Record::Put(binding) => {
                    let granted = granted(binding.lifetimes.valid, now);
                    let print = bindings::put(&mut self.buffer, binding, granted);
                    let known = self.known.entry(key(&binding.resource)).or_default();
                    (known.print, known.granted) = (print, granted);
                    let known = *known;
                    self.lack(known, now);
                    if self.flash_whole {
                        self.bindings.want_soon(now);
                    }
                }
                Record::Delete(resource) => {
                    bindings::delete(&mut self.buffer, resource);
                    if self.known.remove(&key(resource)).is_some_and(|known| known.flash_print != 0) {
                        self.bindings.want_later(now);
                    }
                }
            }
        }
        if !self.journal.usable {
            return Err(self.journal.error.clone().unwrap_or_default());
        }
        match self.medium.append(&self.buffer) {
            Ok(()) => {
                self.journal.len += self.buffer.len();
                Ok(())
            }
            Err(error) => {
                self.journal.usable = self.medium.truncate(self.journal.len).is_ok();
                self.journal.retry_at = Some(now.after(RUN_RETRY));
                self.journal.error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Whether the file in tmpfs should be written anew.
    pub fn needs_compaction(&self) -> bool {
        let Journal { len, snapshot, wanted, retry_at, .. } = self.journal;
        wanted || retry_at.is_none() && len.saturating_sub(snapshot) > snapshot.saturating_mul(2) + COMPACT_BYTES
    }

    /// Writes the file in tmpfs anew from all `bindings`. If that fails, the old one is still in use.
    pub fn compact<'a>(&mut self, bindings: impl Iterator<Item = &'a Binding>, now: Instant) {
        let bytes = self.snapshot(bindings, false, now);
        self.journal.wanted = false;
        match self.medium.replace(File::RunBindings, &bytes) {
            Ok(()) => {
                let len = bytes.len();
                self.journal = Journal { len, snapshot: len, usable: true, ..Journal::default() };
            }
            Err(error) => {
                self.journal.retry_at = Some(now.after(RUN_RETRY));
                self.journal.error = Some(error);
            }
        }
    }

    /// All `bindings` as a file; what is known of others is forgotten.
    fn snapshot<'a>(&mut self, bindings: impl Iterator<Item = &'a Binding>, whole: bool, now: Instant) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.journal.snapshot);
        bindings::header(&mut bytes, &self.boot, now, whole);
        let known: BTreeMap<Key, Known> = bindings
            .map(|binding| {
                let key = key(&binding.resource);
                let mut known = self.known.get(&key).copied().unwrap_or_default();
                known.granted = known.granted.max(granted(binding.lifetimes.valid, now));
                known.print = bindings::put(&mut bytes, binding, known.granted);
                (key, known)
            })
            .collect();
        bindings::end(&mut bytes, known.len());
        self.known = known;
        bytes
    }

    /// Whether the bindings should be written to flash now.
    pub fn flash_due(&self, now: Instant) -> bool {
        self.bindings.is_due(now)
    }

    /// Writes all `bindings` to flash.
    pub fn flush<'a>(&mut self, bindings: impl Iterator<Item = &'a Binding>, now: Instant) {
        self.write_flash(bindings, false, now);
    }

    fn write_flash<'a>(&mut self, bindings: impl Iterator<Item = &'a Binding>, whole: bool, now: Instant) {
        let bytes = self.snapshot(bindings, whole, now);
        let result = self.medium.replace(File::FlashBindings, &bytes);
        if result.is_ok() {
            self.flash_whole = whole;
            self.dirty = false;
            for known in self.known.values_mut() {
                (known.flash_print, known.flash_granted) = (known.print, known.granted);
            }
        }
        self.bindings.tried(result, now);
    }

    /// Takes note of what has to be remembered; [`Store::tick`] writes it.
    pub fn remember(&mut self, memory: &Memory, now: Instant) {
        let told = Told { memory: memory.clone(), at: now };
        match told.lacking(self.flash_told.as_ref(), now) {
            Missing { promise: true, .. } => self.memory.want_soon(now),
            Missing { something: true, .. } => self.memory.want_later(now),
            _ => self.memory.cancel(),
        }
        let run = told.lacking(self.run_told.as_ref(), now);
        if run.promise || run.something {
            self.run_memory_retry.get_or_insert(now);
        } else {
            self.run_memory_retry = None;
        }
        self.told = Some(told);
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) {
        if self.journal.retry_at.is_some_and(|at| at <= now) {
            self.journal.wanted = true;
            self.journal.retry_at = None;
        }
        let Some(told) = &self.told else { return };
        if self.run_memory_retry.is_some_and(|at| at <= now) {
            match self.medium.replace(File::RunMemory, &told.write(&self.boot, now)) {
                Ok(()) => {
                    self.run_told = Some(told.clone());
                    (self.run_memory_retry, self.run_memory_error) = (None, None);
                }
                Err(error) => {
                    (self.run_memory_retry, self.run_memory_error) = (Some(now.after(RUN_RETRY)), Some(error));
                }
            }
        }
        if self.memory.is_due(now) {
            self.write_memory(now);
        }
    }

    fn write_memory(&mut self, now: Instant) {
        let Some(told) = &self.told else { return };
        let result = self.medium.replace(File::FlashMemory, &told.write(&self.boot, now));
        if result.is_ok() {
            self.flash_told = Some(told.clone());
        }
        self.memory.tried(result, now);
    }

    /// When the store wants to be called though nothing happens.
    pub fn poll_at(&self) -> Option<Instant> {
        let wanted = self.journal.wanted.then_some(Instant(0));
        let all = [wanted, self.journal.retry_at, self.bindings.due_at(), self.run_memory_retry, self.memory.due_at()];
        all.into_iter().flatten().min()
    }

    /// What a person should know: what was found at the start, and what can't be written now.
    pub fn reports(&self) -> impl Iterator<Item = &String> {
        self.found.iter().chain(self.errors())
    }

    /// What can't be written now.
    pub fn errors(&self) -> impl Iterator<Item = &String> {
        let errors = [&self.journal.error, &self.run_memory_error, &self.bindings.error, &self.memory.error];
        errors.into_iter().flatten()
    }

    /// For `status`. Times are seconds, ago or from now.
    pub fn status(&self, now: Instant) -> Value {
        let schedule = |file: File, schedule: &Schedule| {
            json!({
                "file": self.medium.name(file, false),
                "writes": schedule.writes,
                "written": schedule.last.map(|at| now.since(at).as_secs()),
                "next_write": schedule.due_at().map(|at| at.since(now).as_secs()),
                "error": schedule.error,
            })
        };
        json!({
            "flash_writes": self.bindings.writes.saturating_add(self.memory.writes),
            "journal": {
                "file": self.medium.name(File::RunBindings, false),
                "bytes": self.journal.len,
                "bindings": self.known.len(),
                "error": self.journal.error,
            },
            "bindings": schedule(File::FlashBindings, &self.bindings),
            "memory": schedule(File::FlashMemory, &self.memory),
        })
    }

    /// Writes what flash lacks, for the daemon stops now.
    pub fn shutdown<'a>(&mut self, bindings: impl Iterator<Item = &'a Binding>, now: Instant) {
        self.tick(now);
        if self.dirty || self.bindings.is_waiting() {
            self.write_flash(bindings, true, now);
        }
        if self.memory.is_waiting() {
            self.write_memory(now);
        }
    }

    /// The medium, to look at it.
    pub fn medium(&self) -> &D {
        &self.medium
    }

    /// The medium, to let something happen to it.
    pub fn medium_mut(&mut self) -> &mut D {
        &mut self.medium
    }

    /// The medium that remains when the process ends, in order or not.
    pub fn into_medium(self) -> D {
        self.medium
    }
}

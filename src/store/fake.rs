//! A medium in memory that can fail in every way a real one does; for tests and the simulator.

use super::{File, Medium};
use crate::net::Rng;
use std::collections::BTreeMap;

/// Folders in tmpfs and on flash that nothing real stands behind.
#[derive(Clone, Debug)]
pub struct Fake {
    files: BTreeMap<(File, bool), Vec<u8>>,
    /// What flash would still have after a power cut.
    durable: BTreeMap<(File, bool), Vec<u8>>,
    /// What is wrong with tmpfs.
    pub run: Fault,
    /// What is wrong with flash.
    pub flash: Fault,
    /// Steps that the process still lives; `None`: it is not going to die. A write is several steps.
    pub dies_after: Option<u32>,
    /// Files on flash that were replaced so far.
    pub flash_writes: u32,
    rng: Rng,
}

/// What is wrong with a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Bytes that fit in; `None`: any number.
    pub capacity: Option<usize>,
    /// Nothing can be written.
    pub read_only: bool,
}

impl Fake {
    /// Empty folders; `seed` decides where a write is cut off.
    pub fn new(seed: u64) -> Fake {
        Fake {
            files: BTreeMap::new(),
            durable: BTreeMap::new(),
            run: Fault::default(),
            flash: Fault::default(),
            dies_after: None,
            flash_writes: 0,
            rng: Rng::new(seed),
        }
    }

    /// The process was killed; a new one may start.
    pub fn kill(&mut self) {
        self.dies_after = None;
    }

    /// The power failed or the machine was restarted: tmpfs is gone, and what flash had not yet written out.
    pub fn power_cut(&mut self) {
        self.files = self.durable.clone();
        self.dies_after = None;
    }

    /// A file's bytes.
    pub fn bytes(&self, file: File) -> Option<&Vec<u8>> {
        self.files.get(&(file, false))
    }

    /// The bytes of a damaged file that was kept aside.
    pub fn aside(&self, file: File) -> Option<&Vec<u8>> {
        self.files.get(&(file, true))
    }

    /// Puts bytes in the place of a file's, as a bad disk or a person would.
    pub fn put(&mut self, file: File, bytes: Vec<u8>) {
        if file.is_on_flash() {
            self.durable.insert((file, false), bytes.clone());
        }
        self.files.insert((file, false), bytes);
    }

    /// Whether the process lives on after one more step.
    fn step(&mut self) -> Result<(), String> {
        match &mut self.dies_after {
            None => Ok(()),
            Some(0) => Err("the process was killed".into()),
            Some(steps) => {
                *steps -= 1;
                Ok(())
            }
        }
    }

    /// How many of so many more bytes can be written, and why not all.
    fn room(&self, file: File, more: usize) -> (usize, Result<(), String>) {
        let fault = if file.is_on_flash() { self.flash } else { self.run };
        let used: usize = self
            .files
            .iter()
            .filter(|((other, _), _)| other.is_on_flash() == file.is_on_flash())
            .map(|(_, bytes)| bytes.len())
            .sum();
        let room = fault.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
        let failed = |why: &str| Err(format!("can't write {}: {why}", self.name(file, false)));
        if fault.read_only {
            (0, failed("read-only file system"))
        } else if more > room {
            (room, failed("no space left on device"))
        } else {
            (more, Ok(()))
        }
    }

    fn write(&mut self, file: File, aside: bool, bytes: &[u8]) -> Result<(), String> {
        // begun under another name
        self.step()?;
        self.room(file, bytes.len()).1?;
        // there, and flushed
        self.step()?;
        self.files.insert((file, aside), bytes.to_vec());
        // renamed
        self.step()?;
        if file.is_on_flash() {
            self.flash_writes += 1;
            self.durable.insert((file, aside), bytes.to_vec());
        }
        // renamed for good
        self.step()
    }
}

impl Medium for Fake {
    fn read(&self, file: File) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(&(file, false)).cloned())
    }

    fn replace(&mut self, file: File, bytes: &[u8]) -> Result<(), String> {
        self.write(file, false, bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.step()?;
        let (mut fits, mut result) = self.room(File::RunBindings, bytes.len());
        if let Err(killed) = self.step() {
            fits = self.rng.between(0, fits as u64) as usize;
            result = Err(killed);
        }
        let file = self.files.entry((File::RunBindings, false)).or_default();
        file.extend(bytes.iter().take(fits));
        result?;
        self.step()
    }

    fn truncate(&mut self, len: usize) -> Result<(), String> {
        self.step()?;
        if self.run.read_only {
            return Err("read-only file system".into());
        }
        if let Some(file) = self.files.get_mut(&(File::RunBindings, false)) {
            file.truncate(len);
        }
        Ok(())
    }

    fn keep_aside(&mut self, file: File, bytes: &[u8]) -> Result<(), String> {
        self.write(file, true, bytes)
    }

    fn name(&self, file: File, aside: bool) -> String {
        let folder = if file.is_on_flash() { "flash" } else { "run" };
        format!("{folder}/{}{}", file.name(), if aside { ".corrupt" } else { "" })
    }
}

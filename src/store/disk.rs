//! The real folders, and the lock that keeps a second oasis6 out of them.

use super::{File, Medium};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A larger file is none of ours: this is room for some 300 000 bindings.
const MAX_FILE: u64 = 64 << 20;

/// A folder in tmpfs and one on flash.
#[derive(Debug)]
pub struct Disk {
    folders: Folders,
    journal: Option<fs::File>,
}

impl Disk {
    /// Makes the folders if need be, for nobody else to read. Error: there is no folder in tmpfs, and so no way to give
    /// a lease; says where and what to do. A missing folder on flash is no error: it is tried again with each write.
    pub fn new(run_dir: &Path, state_dir: &Path) -> Result<Disk, String> {
        // a folder in tmpfs is never waited for: the first router advertisement comes after this
        let lasting = state_dir.starts_with(run_dir);
        make_folder(run_dir, lasting).map_err(|error| failed("make the folder", run_dir, "run_dir", &error))?;
        let folders = Folders { run: run_dir.into(), state: state_dir.into() };
        Ok(Disk { folders, journal: None })
    }

    fn write(&mut self, file: File, aside: bool, bytes: &[u8]) -> io::Result<()> {
        let (folder, path) = (self.folders.folder(file), self.folders.path(file, aside));
        make_folder(folder, file.is_on_flash())?;
        let beside = folder.join(format!("{}.new", file.name()));
        let written = write_new(&beside, bytes, file.is_on_flash()).and_then(|written| {
            fs::rename(&beside, &path)?;
            Ok(written)
        });
        let written = written.inspect_err(|_| {
            // what is left of it takes up room; if it can't be removed, the next try will
            let _ = fs::remove_file(&beside);
        })?;
        if file.is_on_flash() {
            fs::File::open(folder)?.sync_all()?;
        }
        if file == File::RunBindings && !aside {
            self.journal = Some(written);
        }
        Ok(())
    }
}

impl Medium for Disk {
    fn read(&self, file: File) -> Result<Option<Vec<u8>>, String> {
        self.folders.read(file)
    }

    fn replace(&mut self, file: File, bytes: &[u8]) -> Result<(), String> {
        self.write(file, false, bytes).map_err(|error| self.folders.failed(file, false, &error))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        let append = || {
            let mut journal = self.journal.as_ref().ok_or(ErrorKind::NotFound)?;
            if journal.metadata()?.nlink() == 0 {
                return Err(io::Error::new(ErrorKind::NotFound, "somebody removed it"));
            }
            journal.write_all(bytes)
        };
        append().map_err(|error| self.folders.failed(File::RunBindings, false, &error))
    }

    fn truncate(&mut self, len: usize) -> Result<(), String> {
        let journal = self.journal.as_ref().ok_or_else(|| "there is no journal".to_string())?;
        journal.set_len(len as u64).map_err(|error| self.folders.failed(File::RunBindings, false, &error))
    }

    fn keep_aside(&mut self, file: File, bytes: &[u8]) -> Result<(), String> {
        if fs::read(self.folders.path(file, true)).is_ok_and(|kept| kept == bytes) {
            return Ok(());
        }
        self.write(file, true, bytes).map_err(|error| self.folders.failed(file, true, &error))
    }

    fn name(&self, file: File, aside: bool) -> String {
        self.folders.name(file, aside)
    }
}

/// The same folders for one who only looks, as `oasis6 plan` does beside a running daemon.
#[derive(Debug)]
pub struct ReadOnly(Folders);

impl ReadOnly {
    /// Nothing is made, and nothing will be written.
    pub fn new(run_dir: &Path, state_dir: &Path) -> ReadOnly {
        ReadOnly(Folders { run: run_dir.into(), state: state_dir.into() })
    }
}

impl Medium for ReadOnly {
    fn read(&self, file: File) -> Result<Option<Vec<u8>>, String> {
        self.0.read(file)
    }

    fn replace(&mut self, _: File, _: &[u8]) -> Result<(), String> {
        Err(LOOKING.into())
    }

    fn append(&mut self, _: &[u8]) -> Result<(), String> {
        Err(LOOKING.into())
    }

    fn truncate(&mut self, _: usize) -> Result<(), String> {
        Err(LOOKING.into())
    }

    fn keep_aside(&mut self, _: File, _: &[u8]) -> Result<(), String> {
        Err("the daemon will keep it aside when it starts".into())
    }

    fn name(&self, file: File, aside: bool) -> String {
        self.0.name(file, aside)
    }
}

const LOOKING: &str = "nothing is written, since this only looks";

#[derive(Debug)]
struct Folders {
    run: PathBuf,
    state: PathBuf,
}

impl Folders {
    fn folder(&self, file: File) -> &Path {
        if file.is_on_flash() { &self.state } else { &self.run }
    }

    fn path(&self, file: File, aside: bool) -> PathBuf {
        self.folder(file).join(format!("{}{}", file.name(), if aside { ".corrupt" } else { "" }))
    }

    fn name(&self, file: File, aside: bool) -> String {
        self.path(file, aside).display().to_string()
    }

    fn read(&self, file: File) -> Result<Option<Vec<u8>>, String> {
        let path = self.path(file, false);
        let read = || {
            let mut bytes = Vec::new();
            let opened = fs::File::open(&path)?;
            if !opened.metadata()?.is_file() {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is no file"));
            }
            if opened.take(MAX_FILE).read_to_end(&mut bytes)? as u64 == MAX_FILE {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is larger than 64 MiB"));
            }
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("can't read {}: {error}; what it held is not known", path.display())),
        }
    }

    fn failed(&self, file: File, aside: bool, error: &io::Error) -> String {
        let option = if file.is_on_flash() { "state_dir" } else { "run_dir" };
        failed("write", &self.path(file, aside), option, error)
    }
}

pub(super) fn failed(what: &str, path: &Path, option: &str, error: &io::Error) -> String {
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there".to_string(),
        ErrorKind::ReadOnlyFilesystem => format!("mount it writable, or set {option} to another folder"),
        ErrorKind::PermissionDenied => "run as root".to_string(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            format!("a file is in the way: move it, or set {option} to another folder")
        }
        _ => format!("mend it, or set {option} to another folder"),
    };
    format!("can't {what} {}: {error}; {remedy}", path.display())
}

pub(super) fn make_folder(path: &Path, lasting: bool) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if lasting && let Some(Ok(parent)) = path.parent().map(fs::File::open) {
        // or a power cut takes the new folder with all that is in it; where that can't be asked for, it isn't
        let _ = parent.sync_all();
    }
    Ok(())
}

/// Writes a file that is not there yet, readable by nobody else, and leaves it open for appending.
pub(super) fn write_new(path: &Path, bytes: &[u8], sync: bool) -> io::Result<fs::File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    if sync {
        file.sync_all()?;
    }
    Ok(file)
}

/// Held while a daemon runs; the kernel drops it with the process, however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code)] Flock<fs::File>);

impl Lock {
    /// Error: another oasis6 runs, and which; or the file can't be made.
    pub fn take(run_dir: &Path) -> Result<Lock, String> {
        let path = run_dir.join("lock");
        let open =
            || fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open().map_err(|error| failed("open", &path, "run_dir", &error))?;
        let mut file =
            Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(file, error)| refused(file, error, &path))?;
        let note = |file: &mut fs::File| {
            file.set_len(0)?;
            file.write_all(std::process::id().to_string().as_bytes())
        };
        // only there to be read by people: a full disk doesn't make the lock weaker
        let _: io::Result<()> = note(&mut file);
        Ok(Lock(file))
    }
}

fn refused(file: fs::File, error: Errno, path: &Path) -> String {
    if error != Errno::EWOULDBLOCK {
        return failed("lock", path, "run_dir", &error.into());
    }
    let mut pid = String::new();
    let read = file.take(20).read_to_string(&mut pid);
    let who: &dyn Display = match read.is_ok() && pid.parse::<u32>().is_ok() {
        true => &format!("process {pid}"),
        false => &"another process",
    };
    format!("oasis6 runs already ({who}); stop it first, or set run_dir to another folder")
}

#[cfg(test)]
pub(super) mod tests;

use crate::net::Instant;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The file is written at most this often: a thousand clients that renew cost a few writes.
const SPACING: Duration = Duration::from_secs(5);

/// The file in which LuCI looks for leases; gone when the daemon ends, so that nobody takes old leases for new ones.
#[derive(Default)]
pub(super) struct LeaseFile {
    /// None: it is not wanted.
    path: Option<PathBuf>,
    due: Option<Instant>,
    /// Why it was not written.
    error: Option<String>,
}

impl LeaseFile {
    /// Takes another path; an empty one: the file is not wanted.
    pub(super) fn configure(&mut self, path: &str, now: Instant) {
        let path = (!path.is_empty()).then(|| PathBuf::from(path));
        if path != self.path {
            *self = LeaseFile { due: path.as_ref().map(|_| now), path, error: None };
        }
    }

    /// A lease has changed.
    pub(super) fn changed(&mut self, now: Instant) {
        if self.path.is_some() {
            self.due.get_or_insert(now.after(SPACING));
        }
    }

    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.due
    }

    /// Writes the file when it is due. `text` is given the wall clock, seconds since 1970.
    pub(super) fn tick(&mut self, now: Instant, text: impl FnOnce(u64) -> String) {
        let (Some(path), Some(_)) = (&self.path, self.due.filter(|due| *due <= now)) else { return };
        self.due = None;
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let error = replace(path, &text(clock.as_secs())).err();
        let error = error.map(|error| format!("can't write the lease file {}: {error}", path.display()));
        if let Some(error) = error.as_ref().filter(|error| Some(*error) != self.error.as_ref()) {
            log::warn!("{error}");
        }
        self.error = error;
    }

    /// What `status` should say.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

impl Drop for LeaseFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whoever reads it finds the old or the new content. /tmp is anybody's, so no link is followed. The folder is made if there
/// is one to make it in: after a boot nobody but odhcpd would make that of its own file.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let _ = DirBuilder::new().mode(0o755).create(folder);
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&new, path)
}

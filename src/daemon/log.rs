//! Where log lines go: to syslog's socket with their level (procd would flatten levels), or to a person's terminal.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixDatagram;

/// Facility `daemon` (RFC 5424 §6.2.1).
const DAEMON: u8 = 3 << 3;

struct Logger {
    syslog: Option<UnixDatagram>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // libraries speak only when something is wrong
        metadata.level() <= if metadata.target().starts_with("oasis6") { log::max_level() } else { LevelFilter::Warn }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let (severity, word) = match record.level() {
            Level::Error => (3, "error"),
            Level::Warn => (4, "warning"),
            Level::Info => (6, "info"),
            Level::Debug => (7, "debug"),
            Level::Trace => (7, "trace"),
        };
        let sent = self.syslog.as_ref().is_some_and(|socket| {
            let line = format!("<{}>oasis6[{}]: {}", DAEMON | severity, std::process::id(), record.args());
            socket.send(line.as_bytes()).is_ok()
        });
        if !sent {
            // a log that can't be written has nobody left to tell
            let line = format!("oasis6: {word}: {}\n", record.args());
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Starts logging: to /dev/log when it is there and stderr is no terminal, else to stderr.
pub(crate) fn start() {
    let syslog = (!std::io::stderr().is_terminal())
        .then(|| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            socket.connect("/dev/log").ok()?;
            Some(socket)
        })
        .flatten();
    if log::set_boxed_logger(Box::new(Logger { syslog })).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

//! The commands' end: blocking, with an end to every wait.

use crate::config::harmless;
use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest answer taken, bytes: an answer with 10,000 leases has four million.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// Longest event taken, bytes.
const MAX_EVENT: u64 = 1024 * 1024;

/// Asks the daemon that listens at `path` and waits at most `patience` for its answer. Errors: a sentence for people,
/// with what to do.
pub fn call(path: &Path, method: &str, params: &Value, patience: Duration) -> Result<Value, String> {
    let end = Instant::now() + patience;
    let mut stream = connect(path, patience)?;
    let mut request = json!({ "method": method });
    if let Some(fields) = request.as_object_mut().filter(|_| !params.is_null()) {
        fields.insert("params".into(), params.clone());
    }
    ask(&mut stream, &request)?;
    let mut answer = Vec::new();
    let mut piece = [0; 64 * 1024];
    while answer.last() != Some(&b'\n') {
        let left = end.saturating_duration_since(Instant::now());
        let late = || format!("oasis6 did not answer within {} s; look into `logread -e oasis6`", patience.as_secs());
        if left.is_zero() {
            return Err(late());
        }
        stream.set_read_timeout(Some(left)).map_err(broken)?;
        match stream.read(&mut piece) {
            Ok(0) => return Err("oasis6 ended before it had answered; look into `logread -e oasis6`".into()),
            Ok(read) => answer.extend(piece.iter().take(read)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(late()),
            Err(error) => return Err(broken(error)),
        }
        if answer.len() > MAX_ANSWER {
            return Err(format!("the answer has more than {MAX_ANSWER} bytes; is this the socket of oasis6?"));
        }
    }
    result(&answer)
}

/// Hands over each event, `hello` first, until the handler or the daemon ends it; the latter is an error.
pub fn monitor(path: &Path, mut handle: impl FnMut(&Value) -> Result<(), String>) -> Result<(), String> {
    let mut stream = connect(path, super::server::PATIENCE)?;
    ask(&mut stream, &json!({ "method": "monitor" }))?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(MAX_EVENT).read_until(b'\n', &mut line).map_err(broken)?;
        if read == 0 {
            return Err("oasis6 has stopped".into());
        }
        let event: Value = serde_json::from_slice(&line).map_err(not_json)?;
        if event.get("event").is_none() {
            return result(&line).map(|_| ());
        }
        handle(&event)?;
    }
}

fn connect(path: &Path, patience: Duration) -> Result<UnixStream, String> {
    let shown = path.display();
    let connected = || -> nix::Result<OwnedFd> {
        let stream = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        let millis = i64::try_from(patience.as_millis().max(1)).unwrap_or(i64::MAX);
        // holds for connecting too: a daemon that hangs takes nobody
        setsockopt(&stream, sockopt::SendTimeout, &TimeVal::milliseconds(millis))?;
        socket::connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
        Ok(stream)
    };
    let start = "start it with `service oasis6 start`";
    connected().map(UnixStream::from).map_err(|error| match error {
        Errno::ENOENT | Errno::ENOTDIR => format!("oasis6 is not running (no socket at {shown}); {start}"),
        Errno::ECONNREFUSED => format!("oasis6 is not running (nobody listens at {shown}); {start}"),
        Errno::EACCES | Errno::EPERM => format!("no access to {shown}; run as root"),
        Errno::EAGAIN => format!("oasis6 takes no connections at {shown}; `service oasis6 restart` may help"),
        error => format!("can't connect to {shown}: {error}"),
    })
}

fn ask(stream: &mut UnixStream, request: &Value) -> Result<(), String> {
    match stream.write_all(format!("{request}\n").as_bytes()) {
        // whoever is refused may be told so before asking
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(broken(error)),
        _ => Ok(()),
    }
}

/// What an answer says.
fn result(line: &[u8]) -> Result<Value, String> {
    let mut answer: Value = serde_json::from_slice(line).map_err(not_json)?;
    if let Some(result) = answer.get_mut("result") {
        return Ok(result.take());
    }
    let message = answer.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
    let message = message.unwrap_or("oasis6 gave no answer that we understand; do both have the same version?");
    Err(message.split('\n').map(harmless).collect::<Vec<_>>().join("\n"))
}

fn broken(error: std::io::Error) -> String {
    format!("the connection to oasis6 broke: {error}")
}

fn not_json(error: serde_json::Error) -> String {
    format!("oasis6 did not answer in JSON ({error}); is this its socket?")
}

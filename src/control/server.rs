//! The daemon's end: every connection, polled inside [`Server::next`] and nowhere else.
//!
//! There are no tasks, so none can die unnoticed, and whatever `next` leaves half done stands in the server and goes
//! on when it is polled again. Each turn reads and writes a little of every connection; nobody is waited for.

use super::Error;
use super::connection::Connection;
use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};
use nix::sys::stat::{Mode, fchmod};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

/// Clients at a time: a person, LuCI and some scripts need a few.
pub const MAX_CLIENTS: usize = 16;
/// Of these, clients that watch events, so that there is always room for a question.
pub const MAX_WATCHERS: usize = 8;
/// How long a client may take over one request, and over one answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// While more bytes than these wait to be taken by others (two answers with 10,000 leases), nobody gets another answer.
const MAX_WAITING: usize = 8 * 1024 * 1024;
/// Connections taken in a row, before the rest of the daemon has its turn.
const ACCEPTS: usize = 16;
/// How long no connection is taken after that failed (no file descriptors or no memory left).
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// A question for the daemon.
#[derive(Debug)]
pub struct Request {
    /// Name of the method; never `monitor`, which the server answers itself.
    pub method: String,
    /// An object, or null.
    pub params: Value,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Takes one answer. If it is dropped instead, the client gets an error.
#[derive(Debug)]
pub struct Reply(pub(super) oneshot::Sender<Vec<u8>>);

impl Reply {
    /// Answers. The answer is written as fast as the client takes it; a client that is gone is no error.
    pub fn send(self, answer: Result<Value, Error>) {
        let _ = self.0.send(answer_line(&answer));
    }
}

/// What clients did wrong.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Connections beyond the bound, and requests while too many answers wait.
    pub(super) busy: u32,
    /// Lines that are no request.
    pub(super) malformed: u32,
    /// Clients too slow with a request or an answer.
    pub(super) late: u32,
    /// Watchers too slow for the events.
    pub(super) lost: u32,
}

/// A client that has let us wait this long loses its place when all are taken.
const STALLED: Duration = Duration::from_secs(1);

/// The control socket.
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    clients: Vec<Connection>,
    /// Who is heard first.
    turn: usize,
    timer: Pin<Box<Sleep>>,
    /// When connections are taken again, after that failed.
    accept_at: Option<Instant>,
    patience: Duration,
    counts: Counts,
}

impl Server {
    /// Opens the socket for root alone (mode 0600). A socket that nobody listens to any more is replaced. Must be called
    /// inside a tokio runtime. Errors: somebody listens there already, something else lies there, or the system refuses.
    pub fn bind(path: &Path) -> io::Result<Server> {
        make_way(path)?;
        let listener = stream_socket()?;
        // Linux gives the file the mode of the socket, so there is no moment at which others could open it
        fchmod(&listener, Mode::S_IRUSR | Mode::S_IWUSR)?;
        socket::bind(listener.as_raw_fd(), &UnixAddr::new(path)?)?;
        socket::listen(&listener, Backlog::MAXCONN)?;
        Ok(Server {
            listener: UnixListener::from_std(listener.into())?,
            path: path.into(),
            clients: Vec::new(),
            turn: 0,
            timer: Box::pin(sleep_until(Instant::now())),
            accept_at: None,
            patience: PATIENCE,
            counts: Counts::default(),
        })
    }

    /// With another time for requests and answers than [`PATIENCE`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Server {
        self.patience = patience;
        self
    }

    /// The next question. All reading and writing is done in here, so it has to be polled all the time; it may be dropped
    /// at any moment and loses nothing.
    pub async fn next(&mut self) -> Request {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Whether somebody watches events.
    pub fn is_watched(&self) -> bool {
        self.clients.iter().any(Connection::is_watching)
    }

    /// Queues an event for all who watch.
    pub fn publish(&mut self, event: &Value) {
        if !self.is_watched() {
            return;
        }
        let (line, now) = (event_line(event), Instant::now());
        for client in &mut self.clients {
            client.tell(&line, now, &mut self.counts);
        }
    }

    /// Who is connected, and what clients did wrong since the start.
    pub fn status(&self) -> Value {
        let Counts { busy, malformed, late, lost } = self.counts;
        json!({
            "clients": self.clients.len(), "watchers": self.watchers(),
            "dropped": { "busy": busy, "malformed": malformed, "late": late, "lost": lost },
        })
    }

    fn watchers(&self) -> usize {
        self.clients.iter().filter(|client| client.is_watching()).count()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Request> {
        loop {
            let now = Instant::now();
            self.accept(cx, now);
            for client in &mut self.clients {
                client.expire(now, &mut self.counts);
                client.poll(cx, now, &mut self.counts);
            }
            self.clients.retain(|client| !client.is_gone());
            match self.take(now) {
                Taken::Request(request) => return Poll::Ready(request),
                // that client's answer is to be written
                Taken::AnsweredHere => continue,
                Taken::Nothing => {}
            }
            let deadlines = self.clients.iter().filter_map(Connection::deadline).chain(self.accept_at);
            let Some(deadline) = deadlines.min() else { return Poll::Pending };
            if self.timer.deadline() != deadline {
                self.timer.as_mut().reset(deadline);
            }
            match self.timer.as_mut().poll(cx) {
                Poll::Ready(()) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
    fn accept(&mut self, cx: &mut Context<'_>, now: Instant) {
        if self.accept_at.is_some_and(|at| at > now) {
            return;
        }
        for _ in 0..ACCEPTS {
            let stream = match self.listener.poll_accept(cx) {
                Poll::Ready(Ok((stream, _))) => stream,
                Poll::Ready(Err(error)) => {
                    if self.accept_at.is_none() {
                        log::warn!("{}: can't take connections: {error}; trying again", self.path.display());
                    }
                    self.accept_at = Some(now + ACCEPT_RETRY);
                    return;
                }
                Poll::Pending => {
                    self.accept_at = None;
                    return;
                }
            };
            if self.clients.len() < MAX_CLIENTS || self.displace(now) {
                self.clients.push(Connection::new(stream, self.patience, now));
            } else {
                self.counts.busy += 1;
                let line = answer_line(&Err(busy("too many are connected")));
                // a new socket has room for it; if not, nobody is there to hear it
                let _ = stream.into_std().and_then(|mut stream| stream.write_all(&line));
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Makes room by dropping who has kept us waiting longest, so that silent clients don't lock others out.
    fn displace(&mut self, now: Instant) -> bool {
        let silent = self.clients.iter().enumerate().filter(|(_, client)| client.has_stalled(now, STALLED));
        let Some((at, _)) = silent.min_by_key(|(_, client)| client.deadline()) else { return false };
        self.clients.swap_remove(at);
        self.counts.late += 1;
        true
    }

    /// Hears the client whose turn it is.
    fn take(&mut self, now: Instant) -> Taken {
        let waiting: usize = self.clients.iter().map(Connection::waiting).sum();
        let watchers = self.watchers();
        let count = self.clients.len();
        for at in (0..count).map(|step| (self.turn + step) % count) {
            let Some(client) = self.clients.get_mut(at) else { continue };
            let Some(call) = client.take() else { continue };
            self.turn = at + 1;
            let error = match call.method.as_str() {
                "monitor" if watchers < MAX_WATCHERS => {
                    client.watch();
                    return Taken::AnsweredHere;
                }
                "monitor" => busy("too many are watching"),
                _ if waiting > MAX_WAITING => busy("others have to take their answers first"),
                _ => {
                    let reply = client.wait();
                    return Taken::Request(Request { method: call.method, params: call.params, reply });
                }
            };
            self.counts.busy += 1;
            client.refuse(error, now);
            return Taken::AnsweredHere;
        }
        Taken::Nothing
    }
}

enum Taken {
    Request(Request),
    AnsweredHere,
    Nothing,
}

impl Drop for Server {
    fn drop(&mut self) {
        // whoever finds the file then knows that nobody listens; if it stays, the next `bind` finds that out
        let _ = std::fs::remove_file(&self.path);
    }
}

fn busy(why: &str) -> Error {
    Error::new("busy", format!("{why}; try again"))
}

/// An answer as it is sent.
pub(super) fn answer_line(answer: &Result<Value, Error>) -> Vec<u8> {
    let mut line = Vec::new();
    let written = match answer {
        Ok(result) => {
            line.extend_from_slice(b"{\"result\":");
            serde_json::to_writer(&mut line, result)
        }
        Err(Error { code, message }) => {
            line.extend_from_slice(b"{\"error\":");
            serde_json::to_writer(&mut line, &json!({ "code": code, "message": message }))
        }
    };
    // a `Value` can always be written; a line cut short would be no JSON, and the client would say so
    let _ = written;
    line.extend_from_slice(b"}\n");
    line
}

/// An event as it is sent.
pub(super) fn event_line(event: &Value) -> Vec<u8> {
    format!("{event}\n").into_bytes()
}

fn stream_socket() -> nix::Result<OwnedFd> {
    socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)
}

/// Removes a socket that nobody listens to.
fn make_way(path: &Path) -> io::Result<()> {
    let file = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let shown = path.display();
    if !file.is_socket() {
        let message = format!("{shown} is there already and is no socket; remove it, or set another run_dir");
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    let probe = stream_socket()?;
    match socket::connect(probe.as_raw_fd(), &UnixAddr::new(path)?) {
        Err(Errno::ECONNREFUSED) => std::fs::remove_file(path),
        Err(Errno::ENOENT) => Ok(()),
        // EAGAIN: somebody listens, and many are waiting for him
        Ok(()) | Err(Errno::EAGAIN) => {
            let message = format!("another oasis6 answers at {shown}; stop it first, or set another run_dir");
            Err(io::Error::new(io::ErrorKind::AddrInUse, message))
        }
        Err(error) => Err(error.into()),
    }
}

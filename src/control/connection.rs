use super::Error;
use super::request::{Call, Lines};
use super::server::{Counts, Reply, answer_line, event_line};
use serde_json::json;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Bytes read at once.
const READ: usize = 4096;
/// Bytes written at once.
const WRITE: usize = 64 * 1024;
/// Reads and writes of one connection before the others have their turn.
const STEPS: usize = 4;
/// Bytes of events that may wait for one slow reader: thousands of events, far more than one turn of the loop makes.
pub(super) const MAX_QUEUE: usize = 1024 * 1024;

/// One client.
pub(super) struct Connection {
    stream: UnixStream,
    state: State,
    /// How long it may take over one request, and over one answer.
    patience: Duration,
    /// When it is late with what its state asks of it.
    deadline: Option<Instant>,
    lines: Lines,
    output: Output,
    /// It will send no more.
    finished: bool,
}

enum State {
    /// Its request is being read.
    Asking,
    /// Its request is here and waits for its turn.
    Asked(Call),
    /// The daemon is at it.
    Waiting(oneshot::Receiver<Vec<u8>>),
    /// The answer is being written.
    Answering,
    /// It gets events.
    Watching,
    /// It is told why, and then it's over.
    Leaving,
    /// It's over.
    Gone,
}

/// Whether trying again at once is worth it.
#[derive(PartialEq)]
enum Step {
    Done,
    Nothing,
}

impl Connection {
    pub(super) fn new(stream: UnixStream, patience: Duration, now: Instant) -> Connection {
        Connection {
            stream,
            state: State::Asking,
            patience,
            deadline: Some(now + patience),
            lines: Lines::default(),
            output: Output::default(),
            finished: false,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    pub(super) fn is_watching(&self) -> bool {
        matches!(self.state, State::Watching)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the client has let us wait for so long.
    pub(super) fn has_stalled(&self, now: Instant, long: Duration) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now + self.patience.saturating_sub(long))
    }

    /// Bytes that wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        self.output.len()
    }

    /// Reads and writes what is possible at once.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, now: Instant, counts: &mut Counts) {
        for _ in 0..STEPS {
            let heard = self.listen(cx, now, counts);
            let told = self.write(cx, now);
            if heard == Step::Nothing && told == Step::Nothing {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// The request that waits for its turn; whoever takes it calls `wait`, `watch` or `refuse` next.
    pub(super) fn take(&mut self) -> Option<Call> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Asked(call) => Some(call),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The daemon is to answer what was taken.
    pub(super) fn wait(&mut self) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.state = State::Waiting(answer);
        Reply(reply)
    }

    /// From now on it gets events.
    pub(super) fn watch(&mut self) {
        self.state = State::Watching;
        let hello = json!({ "event": "hello", "version": env!("CARGO_PKG_VERSION") });
        self.output.push(&event_line(&hello));
    }

    /// Puts an event in the queue; a reader that is too slow for it is told so, and leaves.
    pub(super) fn tell(&mut self, line: &[u8], now: Instant, counts: &mut Counts) {
        if !self.is_watching() {
            return;
        }
        if self.output.len() + line.len() <= MAX_QUEUE {
            self.output.push(line);
            return;
        }
        counts.lost += 1;
        let why = "events came faster than they were read; ask for `status` and connect again";
        self.output.push(&event_line(&json!({ "event": "lost", "message": why })));
        self.leave(now);
    }

    /// Tells the client why it gets no answer, and ends the connection.
    pub(super) fn refuse(&mut self, error: Error, now: Instant) {
        self.output.push(&answer_line(&Err(error)));
        self.leave(now);
    }

    fn leave(&mut self, now: Instant) {
        self.state = State::Leaving;
        self.deadline = Some(now + self.patience);
    }

    /// Time is over for whoever is late.
    pub(super) fn expire(&mut self, now: Instant, counts: &mut Counts) {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        counts.late += 1;
        match self.state {
            State::Asking => {
                let message = format!("no whole request came within {} s", self.patience.as_secs());
                self.refuse(Error::new("timeout", message), now);
            }
            _ => self.state = State::Gone,
        }
    }

    fn listen(&mut self, cx: &mut Context<'_>, now: Instant, counts: &mut Counts) -> Step {
        match &mut self.state {
            State::Asking => self.ask(cx, now, counts),
            State::Waiting(answer) => match Pin::new(answer).poll(cx) {
                Poll::Ready(Ok(line)) => {
                    self.output.put(line);
                    self.state = State::Answering;
                    self.deadline = Some(now + self.patience);
                    Step::Done
                }
                Poll::Ready(Err(_)) => {
                    self.refuse(Error::new("internal", "the daemon gave no answer; that is a bug of oasis6"), now);
                    Step::Done
                }
                Poll::Pending => Step::Nothing,
            },
            State::Watching => match self.read(cx) {
                // what a watcher says is not asked for
                Poll::Ready(Some(_)) => Step::Done,
                Poll::Ready(None) => {
                    self.state = State::Gone;
                    Step::Done
                }
                Poll::Pending => Step::Nothing,
            },
            State::Asked(_) | State::Answering | State::Leaving | State::Gone => Step::Nothing,
        }
    }

    fn ask(&mut self, cx: &mut Context<'_>, now: Instant, counts: &mut Counts) -> Step {
        match self.lines.take() {
            Some(Ok(call)) => {
                self.state = State::Asked(call);
                self.deadline = None;
                return Step::Nothing;
            }
            Some(Err(error)) => {
                counts.malformed += 1;
                self.refuse(error, now);
                return Step::Done;
            }
            None => {}
        }
        if self.finished {
            if self.lines.is_empty() {
                self.state = State::Gone;
            } else {
                counts.malformed += 1;
                self.refuse(Error::new("request", "the last line has no end"), now);
            }
            return Step::Done;
        }
        match self.read(cx) {
            Poll::Ready(Some(piece)) => self.lines.push(&piece),
            Poll::Ready(None) => self.finished = true,
            Poll::Pending => return Step::Nothing,
        }
        Step::Done
    }

    /// What has arrived; `None`: no more will.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut bytes = [0; READ];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        let filled = buffer.filled();
        Poll::Ready((read.is_ok() && !filled.is_empty()).then(|| filled.to_vec()))
    }

    fn write(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        if self.output.len() > 0 {
            return match self.output.write(&mut self.stream, cx) {
                Poll::Ready(Ok(())) => Step::Done,
                Poll::Ready(Err(_)) => {
                    self.state = State::Gone;
                    Step::Nothing
                }
                Poll::Pending => Step::Nothing,
            };
        }
        match self.state {
            State::Answering => {
                self.state = State::Asking;
                self.deadline = Some(now + self.patience);
                Step::Done
            }
            State::Leaving => {
                self.state = State::Gone;
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }
}

/// Bytes on their way out.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    fn push(&mut self, line: &[u8]) {
        // what was written is dropped when it is the larger part, so that every byte is moved once on average
        if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        self.bytes.extend_from_slice(line);
    }

    /// Like `push`, without a copy where there is nothing else.
    fn put(&mut self, line: Vec<u8>) {
        if self.len() == 0 {
            *self = Output { bytes: line, written: 0 };
        } else {
            self.push(&line);
        }
    }

    fn write(&mut self, stream: &mut UnixStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        let piece = rest.get(..WRITE).unwrap_or(rest);
        let written = ready!(Pin::new(stream).poll_write(cx, piece))?;
        self.written += written;
        if self.len() == 0 {
            // an idle client keeps no memory
            *self = Output::default();
        }
        Poll::Ready(Ok(()))
    }
}

//! The socket of the conversation: opened, read and written when the daemon's loop polls it, and opened anew with growing
//! patience when ubusd is gone.

use super::client::{Call, Client, Event, Over};
use super::message::status;
use crate::kernel::linux::boottime;
use crate::net::Instant;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream as Socket;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// How long after the end of a conversation the next is tried, doubled each time …
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// … up to this.
const LAST_RETRY: Duration = Duration::from_secs(16);
/// Bytes read at once.
const READ: usize = 4096;

/// The daemon's end of the bus.
pub struct Link {
    socket: PathBuf,
    path: &'static str,
    methods: &'static [&'static str],
    conversation: Option<(UnixStream, Client)>,
    connect_at: Instant,
    retry: Duration,
    /// Why the last conversation ended, told once.
    over: Option<String>,
    reconnects: u32,
}

impl Link {
    /// A link to ubusd at `socket`, which need not be there; connects at the next [`Link::tick`]. See [`Client::new`].
    pub fn new(socket: PathBuf, path: &'static str, methods: &'static [&'static str]) -> Link {
        let (conversation, over) = (None, None);
        Link { socket, path, methods, conversation, connect_at: Instant(0), retry: FIRST_RETRY, over, reconnects: 0 }
    }

    /// The next event; `None`: [`Link::poll_at`] is another now, as when the conversation has ended. All reading and
    /// writing is done in here, so it has to be polled all the time; it may be dropped at any moment and loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Does what is due, connecting among it.
    pub fn tick(&mut self, now: Instant) {
        if let Some((_, client)) = &mut self.conversation {
            if let Err(over) = client.tick(now) {
                self.end(&reason(over), now);
            }
        } else if self.connect_at <= now {
            match self.connect() {
                Ok(stream) => self.conversation = Some((stream, Client::new(self.path, self.methods))),
                // on plain Linux there is no ubusd, and that is fine
                Err(_) => self.wait(now),
            }
        }
    }

    /// When [`Link::tick`] has to be called next.
    pub fn poll_at(&self) -> Option<Instant> {
        match &self.conversation {
            Some((_, client)) => client.poll_at(),
            None => Some(self.connect_at),
        }
    }

    /// Whether callers find our object, so that events are worth making.
    pub fn is_registered(&self) -> bool {
        self.conversation.as_ref().is_some_and(|(_, client)| client.is_registered())
    }

    /// Whether netifd can be asked.
    pub fn has_netifd(&self) -> bool {
        self.conversation.as_ref().is_some_and(|(_, client)| client.has_netifd())
    }

    /// See [`Client::answer`].
    #[must_use]
    pub fn answer(&mut self, call: &Call, code: u32, value: &Value) -> bool {
        self.conversation.as_mut().is_none_or(|(_, client)| client.answer(call, code, value))
    }

    /// See [`Client::refuse`].
    pub fn refuse(&mut self, call: &Call, code: u32) {
        if let Some((_, client)) = &mut self.conversation {
            client.refuse(call, code);
        }
    }

    /// See [`Client::send`].
    pub fn send(&mut self, id: &str, data: &Value) {
        if let Some((_, client)) = &mut self.conversation {
            client.send(id, data);
        }
    }

    /// Why there is no object on the bus, though there is a ubusd.
    pub fn trouble(&self) -> Option<&str> {
        self.over.as_deref().filter(|_| !self.is_registered())
    }

    /// The conversation, and what ended the one before.
    pub fn status(&self) -> Value {
        let conversation = self.conversation.as_ref().map(|(_, client)| client.status());
        json!({ "conversation": conversation, "reconnects": self.reconnects, "over": self.over })
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some((stream, client)) = &mut self.conversation else { return Poll::Pending };
        let (now, before) = (boottime(), client.poll_at());
        match converse(stream, client, now, cx) {
            Poll::Ready(Ok(event)) => Poll::Ready(Some(event)),
            Poll::Ready(Err(why)) => {
                self.end(&why, now);
                Poll::Ready(None)
            }
            // whoever sleeps has to know that he is to wake up at another time
            Poll::Pending if client.poll_at() != before => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn connect(&self) -> std::io::Result<UnixStream> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let stream = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        // with a full queue it says EAGAIN at once, and never makes us wait
        socket::connect(stream.as_raw_fd(), &UnixAddr::new(&self.socket)?)?;
        UnixStream::from_std(Socket::from(stream))
    }

    fn end(&mut self, why: &str, now: Instant) {
        let Some((_, client)) = self.conversation.take() else { return };
        if client.is_registered() {
            self.retry = FIRST_RETRY;
        }
        if self.over.as_deref() != Some(why) {
            log::warn!("{}: {why}; trying again", self.socket.display());
            self.over = Some(why.to_owned());
        }
        self.reconnects = self.reconnects.saturating_add(1);
        self.wait(now);
    }

    fn wait(&mut self, now: Instant) {
        self.connect_at = now.after(self.retry);
        self.retry = (self.retry * 2).min(LAST_RETRY);
    }
}

/// Works off what arrived, writes and reads until there is an event or nothing to do. Errors: why the conversation is over.
fn converse(
    stream: &mut UnixStream,
    client: &mut Client,
    now: Instant,
    cx: &mut Context<'_>,
) -> Poll<Result<Event, String>> {
    let gone = "ubusd has gone".to_owned();
    loop {
        match client.next(now) {
            Ok(Some(event)) => return Poll::Ready(Ok(event)),
            Ok(None) => {}
            Err(over) => return Poll::Ready(Err(reason(over))),
        }
        let mut went_on = false;
        if !client.to_send().is_empty() {
            match Pin::new(&mut *stream).poll_write(cx, client.to_send()) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    client.sent(count);
                    went_on = true;
                }
                Poll::Ready(_) => return Poll::Ready(Err(gone)),
                Poll::Pending => {}
            }
        }
        // while it takes nothing in, it waits for the socket to take more
        if !client.is_full() {
            let mut bytes = [0; READ];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    client.receive(buffer.filled());
                    went_on = true;
                }
                Poll::Ready(_) => return Poll::Ready(Err(gone)),
                Poll::Pending => {}
            }
        }
        if !went_on {
            return Poll::Pending;
        }
    }
}

fn reason(over: Over) -> String {
    match over {
        Over::Unframed => "ubusd said what is no message".into(),
        Over::Silent => "ubusd did not answer in time".into(),
        Over::Refused(status::INVALID_ARGUMENT) => "the name oasis6 is taken on ubus, or not allowed".into(),
        Over::Refused(code) => format!("ubusd refused the object oasis6 with status {code}"),
    }
}

use crate::net::Instant;
use std::io;
use std::time::Duration;

/// A socket that can't be opened, since somebody else has its port, is tried again this often.
const RETRY: Duration = Duration::from_secs(10);

/// A socket that is open while it is wanted.
pub(super) struct Slot<S> {
    pub(super) socket: Option<S>,
    /// Why it is not open, and when it is tried again.
    refused: Option<(String, Instant)>,
}

impl<S> Slot<S> {
    pub(super) const CLOSED: Slot<S> = Slot { socket: None, refused: None };

    /// Opens or closes it; what went wrong is returned once.
    pub(super) fn keep(&mut self, wanted: bool, open: impl Fn() -> io::Result<S>, now: Instant) -> Option<&str> {
        if !wanted {
            *self = Slot::CLOSED;
        }
        let waits = self.refused.as_ref().is_some_and(|(_, at)| *at > now);
        if !wanted || self.socket.is_some() || waits {
            return None;
        }
        match open() {
            Ok(socket) => {
                *self = Slot { socket: Some(socket), refused: None };
                None
            }
            Err(error) => {
                let news = self.refused.as_ref().is_none_or(|(was, _)| *was != error.to_string());
                self.refused = Some((error.to_string(), now.after(RETRY)));
                self.refused().filter(|_| news)
            }
        }
    }

    /// What `wait` waits for, for ever while the socket is not open.
    pub(super) async fn ready(&self, wait: impl AsyncFn(&S) -> io::Result<()>) -> io::Result<()> {
        match &self.socket {
            Some(socket) => wait(socket).await,
            None => std::future::pending().await,
        }
    }

    /// Why it is not open.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_ref().map(|(why, _)| why.as_str())
    }

    /// When `keep` tries again.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.refused.as_ref().map(|(_, at)| *at)
    }
}

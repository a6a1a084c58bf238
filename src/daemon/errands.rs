use tokio::task::JoinSet;

/// What is done beside the event loop for uplinks, each by its uplink's name. Their number is bounded by that of the
/// uplinks: each has one at most.
pub(super) struct Errands<T> {
    running: JoinSet<(String, Result<T, String>)>,
}

impl<T: Send + 'static> Errands<T> {
    pub(super) fn none() -> Errands<T> {
        Errands { running: JoinSet::new() }
    }

    /// Begins one for an uplink.
    pub(super) fn start(&mut self, uplink: &str, errand: impl Future<Output = Result<T, String>> + Send + 'static) {
        let uplink = uplink.to_owned();
        self.running.spawn(async move { (uplink, errand.await) });
    }

    /// Waits for the next one that is done: the uplink, and what came of it. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> (String, Result<T, String>) {
        loop {
            match self.running.join_next().await {
                Some(Ok(done)) => return done,
                // a task neither panics nor is aborted here
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }
}

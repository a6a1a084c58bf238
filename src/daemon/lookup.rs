//! Names of endpoints are looked up beside the event loop, by the C library: with /etc/hosts and resolv.conf as every
//! other program has them.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;

/// Longer than a resolver tries; the thread that waits for it goes when it is done.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lookups that are under way. Their number is bounded by that of the uplinks: each has one at most.
#[derive(Default)]
pub struct Lookups {
    running: JoinSet<(String, Result<Vec<SocketAddr>, String>)>,
}

impl Lookups {
    /// Looks up `HOST:PORT` for an uplink.
    pub fn start(&mut self, uplink: &str, endpoint: &str) {
        let (uplink, endpoint) = (uplink.to_owned(), endpoint.to_owned());
        self.running.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, tokio::net::lookup_host(&endpoint)).await;
            let answer = match answer {
                Ok(Ok(found)) => Ok(found.collect()),
                Ok(Err(error)) => Err(format!("can't look up {endpoint}: {error}")),
                Err(_) => Err(format!("can't look up {endpoint}: no answer within {} s", PATIENCE.as_secs())),
            };
            (uplink, answer)
        });
    }

    /// Waits for the next one that is done: the uplink, and its addresses or what went wrong. Cancelling it loses
    /// nothing.
    pub async fn next(&mut self) -> (String, Result<Vec<SocketAddr>, String>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_local_names_are_found_and_nonsense_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut lookups = Lookups::default();
            lookups.start("a", "192.0.2.1:51820");
            assert_eq!(lookups.next().await, ("a".into(), Ok(vec!["192.0.2.1:51820".parse().unwrap()])));
            lookups.start("b", "localhost:7");
            let (uplink, found) = lookups.next().await;
            assert!(uplink == "b" && found.unwrap().iter().all(|addr| addr.ip().is_loopback() && addr.port() == 7));
            lookups.start("c", "no port");
            assert!(lookups.next().await.1.unwrap_err().contains("no port"));
            // nothing is under way: it waits
            assert!(tokio::time::timeout(Duration::from_millis(10), lookups.next()).await.is_err());
        });
    }
}

//! Names of endpoints are looked up beside the event loop, by the C library: with /etc/hosts and resolv.conf as every
//! other program has them.

use std::net::SocketAddr;
use std::time::Duration;

/// Longer than a resolver tries; the thread that waits for it goes when it is done.
const PATIENCE: Duration = Duration::from_secs(30);

/// The addresses of `HOST:PORT`, or why there are none.
pub(super) async fn lookup(endpoint: String) -> Result<Vec<SocketAddr>, String> {
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host(&endpoint)).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(format!("can't look up {endpoint}: {error}")),
        Err(_) => Err(format!("can't look up {endpoint}: no answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::errands::Errands;

    #[test]
    fn addresses_and_local_names_are_found_and_nonsense_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut lookups = Errands::none();
            lookups.start("a", lookup("192.0.2.1:51820".into()));
            assert_eq!(lookups.next().await, ("a".into(), Ok(vec!["192.0.2.1:51820".parse().unwrap()])));
            lookups.start("b", lookup("localhost:7".into()));
            let (uplink, found) = lookups.next().await;
            assert!(uplink == "b" && found.unwrap().iter().all(|addr| addr.ip().is_loopback() && addr.port() == 7));
            lookups.start("c", lookup("no port".into()));
            assert!(lookups.next().await.1.unwrap_err().contains("no port"));
            // nothing is under way: it waits
            assert!(tokio::time::timeout(Duration::from_millis(10), lookups.next()).await.is_err());
        });
    }
}

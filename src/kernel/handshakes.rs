//! When handshakes were, by a clock that only goes forward.
//!
//! WireGuard tells a handshake's time by the clock on the wall, and a router without a battery sets that by decades when
//! it first hears of the true time. So the time it tells is only taken for a stamp: one that is another than before
//! means a handshake since the last reading, and one that is not is as old as before and what has passed since.

use crate::net::{FlatMap, Instant, PublicKey};
use std::time::Duration;

/// What is known of the peers of one device.
#[derive(Clone, Debug, Default)]
pub struct Handshakes {
    peers: FlatMap<PublicKey, (Duration, Instant)>,
    read: Option<Instant>,
}

impl Handshakes {
    /// Takes in what was read `now`: the time of each peer's last handshake since 1970 by the clock on the wall, which
    /// shows `wall`. Gives their moments in the same order. Peers that are not told of are forgotten.
    pub fn read(
        &mut self,
        told: &[(PublicKey, Option<Duration>)],
        wall: Duration,
        now: Instant,
    ) -> Vec<Option<Instant>> {
        let since_last = self.read.replace(now).map(|read| now.since(read));
        let before = std::mem::take(&mut self.peers);
        let one = |(key, stamp): &(PublicKey, Option<Duration>)| {
            let stamp = (*stamp)?;
            let moment = match before.get(key) {
                Some((was, moment)) if *was == stamp => *moment,
                _ => {
                    let age = wall.saturating_sub(stamp).min(since_last.unwrap_or(Duration::MAX));
                    let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                    Instant(now.0.saturating_sub(age))
                }
            };
            self.peers.insert(*key, (stamp, moment));
            Some(moment)
        };
        told.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey([1; 32]);

    #[test]
    fn handshakes_keep_their_moments_whatever_becomes_of_the_clock() {
        let mut handshakes = Handshakes::default();
        let secs = Duration::from_secs;
        let mut read = |stamp: Option<u64>, wall: u64, now: u64| {
            let moments = handshakes.read(&[(KEY, stamp.map(secs))], secs(wall), Instant(now * 1000));
            moments[0].map(|moment| moment.0 / 1000)
        };
        assert_eq!(read(None, 100, 1000), None);
        assert_eq!(read(Some(103), 105, 1005), Some(1003));
        assert_eq!(read(Some(103), 110, 1010), Some(1003));
        // the true time is heard of
        assert_eq!(read(Some(103), 1_800_000_000, 1015), Some(1003));
        assert_eq!(read(Some(1_800_000_002), 1_800_000_005, 1020), Some(1017));
        // a handshake just before the clock was set back: since the last reading, in any case
        assert_eq!(read(Some(1_800_000_007), 500, 1025), Some(1025));
        assert_eq!(read(Some(490), 1_900_000_000, 1030), Some(1025));
    }

    #[test]
    fn the_first_reading_takes_the_clock_at_its_word_and_gone_peers_are_forgotten() {
        let mut handshakes = Handshakes::default();
        let moments = handshakes.read(&[(KEY, Some(Duration::from_secs(5)))], Duration::from_secs(65), Instant(90_000));
        assert_eq!(moments, [Some(Instant(30_000))]);
        let moments = handshakes.read(&[(KEY, Some(Duration::ZERO))], Duration::MAX, Instant(0));
        assert_eq!(moments, [Some(Instant(0))]);
        handshakes.read(&[], Duration::ZERO, Instant(0));
        assert!(handshakes.peers.is_empty());
    }
}

//! Advertisements to all that the kernel would not take, to be tried again.
//!
//! While its table of neighbours is full, which whoever scans a LAN can bring about, Linux has no room to send even to a
//! group, and says "Invalid argument". An advertisement that moves the LAN to another uplink can't wait for the next one,
//! which may be ten minutes away.

use crate::net::{ALL_NODES, FlatMap, Instant};
use crate::router::Action;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(200);
/// Tries, together ten seconds: by then the link is gone, or the table stays full and the hosts won't find their way anyway.
const TRIES: u8 = 50;

/// What waits, the last one of each link.
#[derive(Default)]
pub(super) struct Unsent {
    waiting: FlatMap<u32, Waiting>,
}

struct Waiting {
    at: Instant,
    bytes: Vec<u8>,
    tries: u8,
}

impl Unsent {
    /// A message was sent, or not.
    pub(super) fn note(&mut self, link: u32, to: Ipv6Addr, bytes: Vec<u8>, sent: bool, now: Instant) {
        if to != ALL_NODES {
            return;
        }
        let was = self.waiting.remove(&link);
        let tries = was.filter(|was| was.bytes == bytes).map_or(0, |was| was.tries);
        if !sent && tries < TRIES {
            self.waiting.insert(link, Waiting { at: now.after(AGAIN), bytes, tries: tries.saturating_add(1) });
        }
    }

    /// Puts those whose time has come before whatever is sent now.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        for (link, waiting) in self.waiting.iter().filter(|(_, waiting)| waiting.at <= now) {
            // a newer one takes its place
            let newer =
                |action: &Action| matches!(action, Action::SendNd { link: of, to: ALL_NODES, .. } if of == link);
            if !out.iter().any(newer) {
                out.push(Action::SendNd { link: *link, to: ALL_NODES, bytes: waiting.bytes.clone() });
            }
        }
    }

    /// When the next one is tried.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: [u8; 2] = [134, 0];

    /// The links that have something to send at this moment.
    fn due(unsent: &mut Unsent, now: u64) -> Vec<u32> {
        let mut out = Vec::new();
        unsent.tick(Instant(now), &mut out);
        let link = |action: &Action| if let Action::SendNd { link, .. } = action { *link } else { 0 };
        out.iter().map(link).collect()
    }

    #[test]
    fn what_the_kernel_would_not_take_is_tried_again_until_it_does() {
        let mut unsent = Unsent::default();
        for now in [0, 200, 400] {
            unsent.note(1, ALL_NODES, SOME.to_vec(), false, Instant(now));
            assert_eq!(unsent.poll_at(), Some(Instant(now + 200)));
            assert_eq!((due(&mut unsent, now + 199), due(&mut unsent, now + 200)), (vec![], vec![1]));
        }
        unsent.note(1, ALL_NODES, SOME.to_vec(), true, Instant(600));
        assert_eq!(unsent.poll_at(), None);
    }

    #[test]
    fn it_is_given_up_after_ten_seconds_and_a_newer_one_takes_its_place() {
        let mut unsent = Unsent::default();
        for _ in 0..TRIES {
            unsent.note(1, ALL_NODES, SOME.to_vec(), false, Instant(0));
            assert_eq!(due(&mut unsent, 200), [1]);
        }
        unsent.note(1, ALL_NODES, SOME.to_vec(), false, Instant(0));
        assert_eq!(unsent.poll_at(), None);
        unsent.note(1, ALL_NODES, SOME.to_vec(), false, Instant(0));
        let mut out = vec![Action::SendNd { link: 1, to: ALL_NODES, bytes: vec![134] }];
        unsent.tick(Instant(200), &mut out);
        assert_eq!(out.len(), 1);
        unsent.note(1, ALL_NODES, vec![134], true, Instant(200));
        assert_eq!(unsent.poll_at(), None);
    }

    #[test]
    fn answers_to_one_host_are_not_tried_again() {
        let mut unsent = Unsent::default();
        unsent.note(1, "fe80::9".parse().unwrap(), SOME.to_vec(), false, Instant(0));
        assert_eq!(unsent.poll_at(), None);
    }
}

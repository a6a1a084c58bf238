//! The real kernel: what it holds by netlink, what it does by netlink and /proc/sys.

use crate::net::Instant;
use nix::time::{ClockId, clock_gettime};
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::Read;

/// Now, by CLOCK_BOOTTIME (clock_gettime(2)).
pub fn boottime() -> Instant {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    let millis = now.map(|now| std::time::Duration::from(now).as_millis()).unwrap_or_default();
    Instant(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// A text that is another one after each boot, so that moments of [`boottime`] can be told apart; empty where /proc
/// is missing.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// A random number.
pub fn random_u64() -> u64 {
    u64::from_ne_bytes(random())
}

/// `N` random bytes, fit for identifiers that must not collide (RFC 4193 §3.2).
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).is_err() {
        // no /dev here: the standard library's hash keys come from the same source by getrandom(2)
        for chunk in bytes.chunks_mut(8) {
            let word = RandomState::new().hash_one(0).to_ne_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, random)| *byte = random);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_random_bytes_differ() {
        let before = boottime();
        assert!(before > Instant(0));
        assert!(boottime() >= before);
        assert_ne!(random::<16>(), random::<16>());
        assert_ne!(random_u64(), random_u64());
        assert_eq!(boot_id(), boot_id());
    }
}

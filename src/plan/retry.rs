//! What the kernel refused is tried again, later and later; so is what somebody undoes again and again.

use super::{Key, Op, RouteTarget, Value, diff::alike};
use crate::kernel::Refusal;
use crate::net::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Wait after the first refusal.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait: what a person mends by hand heals within five minutes without a restart.
const LONGEST: Duration = Duration::from_secs(300);
/// How many refusals are remembered. A kernel that refuses more is out of memory or routes; those beyond are tried
/// again whenever a remembered one is.
const MOST: usize = 1024;
/// How often in a row the same change may be made again at once: devices go down and come back.
const PATIENCE: u32 = 5;
/// A change made again later than this after the last time is a new one.
const QUIET: Duration = Duration::from_secs(10);

/// Refused operations and when they may be tried again. Each object has a back-off of its own.
#[derive(Debug, Default)]
pub struct Retry {
    refused: BTreeMap<Key, Refused>,
    /// Changes that worked, to notice when they don't last. Not of routes to routers, of which there may be thousands.
    made: BTreeMap<Key, Made>,
}

#[derive(Debug)]
struct Made {
    op: Op,
    times: u32,
    at: Instant,
    wait: Duration,
}

#[derive(Debug)]
struct Refused {
    op: Op,
    message: String,
    wait: Duration,
    at: Instant,
}

impl Retry {
    /// Takes `ops` as all that is wanted now: forgets refusals of anything else.
    pub fn keep_only(&mut self, ops: &[Op]) {
        if !self.refused.is_empty() {
            let mut wanted = BTreeMap::new();
            wanted.extend(ops.iter().filter(|op| self.refused.contains_key(op.key())).map(|op| (op.key(), op)));
            self.refused.retain(|key, refused| wanted.get(key).is_some_and(|op| same(op, &refused.op)));
        }
    }

    /// Leaves out of `ops` what was refused and has to wait. An operation other than the refused one may go at once.
    pub fn filter(&mut self, mut ops: Vec<Op>, now: Instant) -> Vec<Op> {
        if self.refused.is_empty() && self.made.is_empty() {
            return ops;
        }
        for op in &ops {
            self.hold(op, now);
        }
        ops.retain(|op| self.refused.get(op.key()).is_none_or(|refused| refused.at <= now || !same(op, &refused.op)));
        // whether it is wanted or not, a timer that fired must not fire again at once
        for refused in self.refused.values_mut().filter(|refused| refused.at <= now) {
            refused.at = now.after(refused.wait);
        }
        ops
    }

    /// Learns what became of an operation.
    pub fn result(&mut self, op: &Op, result: &Result<(), Refusal>, now: Instant) {
        let Err(refusal) = result else {
            self.refused.remove(op.key());
            self.made(op, now);
            return;
        };
        let before = self.refused.get(op.key()).filter(|refused| same(op, &refused.op));
        let wait = before.map_or(FIRST, |refused| (refused.wait * 2).min(LONGEST));
        if self.refused.len() < MOST || self.refused.contains_key(op.key()) {
            let refused = Refused { op: op.clone(), message: refusal.message.clone(), wait, at: now.after(wait) };
            self.refused.insert(op.key().clone(), refused);
        }
    }

    /// Counts how often a change was made.
    fn made(&mut self, op: &Op, now: Instant) {
        let Op::Put(key, value) = op else {
            self.made.remove(op.key());
            return;
        };
        if matches!(value, Value::Route(RouteTarget::Via { .. })) {
            return;
        }
        let before = self.made.get(key).filter(|made| same_value(op, &made.op));
        let before = before.filter(|made| now.since(made.at) < QUIET.max(made.wait * 2));
        let times = before.map_or(0, |made| made.times).saturating_add(1);
        let wait = before.map_or(Duration::ZERO, |made| made.wait);
        let wait = if times > PATIENCE { (wait * 2).clamp(FIRST, LONGEST) } else { wait };
        if self.made.len() >= MOST {
            self.made.clear();
        }
        self.made.insert(key.clone(), Made { op: op.clone(), times, at: now, wait });
    }

    /// Makes `op` wait if it was made too often and is wanted again.
    fn hold(&mut self, op: &Op, now: Instant) {
        let Some(made) = self.made.get(op.key()).filter(|made| same_value(op, &made.op)) else { return };
        let at = made.at.after(made.wait);
        if at > now && !self.refused.contains_key(op.key()) {
            let message = "it was made, but is undone again and again".to_owned();
            let refused = Refused { op: op.clone(), message, wait: made.wait, at };
            self.refused.insert(op.key().clone(), refused);
        }
    }

    /// When the next one may be tried again.
    pub fn poll_at(&self) -> Option<Instant> {
        self.refused.values().map(|refused| refused.at).min()
    }

    /// What is refused, the kernel's words, and how long until the next try.
    pub fn refused(&self, now: Instant) -> Vec<(Key, String, Duration)> {
        self.refused.iter().map(|(key, on)| (key.clone(), on.message.clone(), on.at.since(now))).collect()
    }
}

/// Whether two operations on one object ask for the same; lifetimes that move on don't count.
fn same(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Put(_, Value::Address { len: a, .. }), Op::Put(_, Value::Address { len: b, .. })) => a == b,
        (Op::Put(_, a), Op::Put(_, b)) => a == b,
        (Op::Delete(..), Op::Delete(..)) => true,
        _ => false,
    }
}

/// Whether two operations make the same object alike.
fn same_value(a: &Op, b: &Op) -> bool {
    matches!((a, b), (Op::Put(_, a), Op::Put(_, b)) if alike(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sysctl(name: &str) -> Op {
        Op::Put(Key::Sysctl(name.into()), Value::Sysctl("1".into()))
    }

    fn no() -> Result<(), Refusal> {
        Err(Refusal { errno: 1, message: "no".into() })
    }

    #[test]
    fn a_refused_change_waits_from_one_second_to_five_minutes() {
        let (mut retry, op) = (Retry::default(), sysctl("a"));
        let mut now = Instant(0);
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert_eq!(retry.filter(vec![op.clone()], now), std::slice::from_ref(&op));
            retry.result(&op, &no(), now);
            let at = retry.poll_at().unwrap();
            assert_eq!(retry.filter(vec![op.clone()], Instant(at.0 - 1)), []);
            assert_eq!(retry.refused(now), [(op.key().clone(), "no".to_owned(), at.since(now))]);
            waits.push(at.since(now).as_secs());
            now = at;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(retry.filter(vec![op.clone()], now), std::slice::from_ref(&op));
        retry.result(&op, &Ok(()), now);
        assert_eq!(retry.poll_at(), None);
        assert_eq!(retry.refused(now), []);
    }

    #[test]
    fn another_change_to_the_same_object_need_not_wait() {
        let mut retry = Retry::default();
        retry.result(&sysctl("a"), &no(), Instant(0));
        let other = Op::Put(Key::Sysctl("a".into()), Value::Sysctl("2".into()));
        assert_eq!(retry.filter(vec![other.clone(), sysctl("b")], Instant(1)), [other.clone(), sysctl("b")]);
        retry.result(&other, &no(), Instant(1));
        assert_eq!(retry.poll_at(), Some(Instant(1001)));
    }

    #[test]
    fn what_is_wanted_no_longer_does_not_keep_the_timer_going() {
        let mut retry = Retry::default();
        retry.result(&sysctl("a"), &no(), Instant(0));
        retry.result(&sysctl("b"), &no(), Instant(0));
        retry.keep_only(&[sysctl("a")]);
        assert_eq!(retry.refused(Instant(0)).len(), 1);
        assert_eq!(retry.filter(vec![], Instant(1000)), []);
        assert_eq!(retry.poll_at(), Some(Instant(2000)), "a timer that fired is wound up again");
        retry.keep_only(&[]);
        assert_eq!(retry.poll_at(), None);
    }

    #[test]
    fn a_change_that_somebody_undoes_at_once_is_made_less_and_less_often() {
        let (mut retry, op) = (Retry::default(), sysctl("a"));
        let (mut now, mut made) = (Instant(0), Vec::new());
        while now < Instant(600_000) {
            // undone within the same millisecond, and noticed at once; the timer comes on time
            let ops = retry.filter(vec![op.clone()], now);
            retry.keep_only(std::slice::from_ref(&op));
            if ops.is_empty() {
                assert!(retry.refused(now).iter().all(|(_, message, _)| message.contains("undone")));
                now = retry.poll_at().unwrap();
            } else {
                made.push(now.0 / 1000);
                retry.result(&op, &Ok(()), now);
            }
        }
        assert_eq!(made, [0, 0, 0, 0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 255, 511]);
        // left alone for long, it counts as new
        now = Instant(2_000_000);
        assert_eq!(retry.filter(vec![op.clone()], now), std::slice::from_ref(&op));
        retry.result(&op, &Ok(()), now);
        retry.keep_only(&[]);
        assert_eq!(retry.filter(vec![op.clone()], now), std::slice::from_ref(&op));
        assert_eq!(retry.poll_at(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut retry = Retry::default();
        for n in 0..2 * MOST {
            retry.result(&sysctl(&n.to_string()), &no(), Instant(0));
            retry.result(&sysctl(&format!("made {n}")), &Ok(()), Instant(0));
        }
        assert_eq!(retry.refused(Instant(0)).len(), MOST);
        assert!(retry.made.len() <= MOST);
    }
}

//! When a tunnel broker is told of our IPv4 address, by fetching a URL of its.
//!
//! ```text
//! follow(our addresses) ─► ask(now) ─► URL to fetch ─► answer(what came of it)
//!      another set: due in 2 s                           failed: due again after 1 min, 2 min … 1 h
//! ```
//!
//! The broker sees which address asks, or the URL says it; here it only counts that our addresses are others than when it
//! was last told, so that a set is told once, and once after each start. Two fetches are a minute apart at least: brokers
//! lock out who asks more often, and an address may flap.

use crate::net::Instant;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A new address comes in several steps: the old one goes, the new one comes, then its route.
const SETTLE: Duration = Duration::from_secs(2);
/// Wait after the first failure, twice as long each time; and between any two fetches.
const RETRY: Duration = Duration::from_secs(60);
/// The longest of these waits.
const LONGEST_RETRY: Duration = Duration::from_secs(3600);
/// What a broker answers with success of HTTP though it refuses (the words of dyndns2, which brokers speak).
const REFUSALS: &[&str] = &[
    "badauth", "badagent", "badsys", "!donator", "!yours", "notfqdn", "nohost", "numhost", "abuse", "dnserr", "911",
    "-ERROR",
];

/// What one broker was told.
#[derive(Clone, Debug)]
pub struct Update {
    url: String,
    /// Our addresses now.
    ours: Vec<Ipv4Addr>,
    /// Our addresses when the running, or else the last successful, fetch began.
    told: Vec<Ipv4Addr>,
    due: Option<Instant>,
    running: bool,
    /// When the last fetch began.
    asked: Option<Instant>,
    /// Failures in a row.
    failed: u32,
    problem: Option<String>,
    /// When the broker was last told with success.
    done: Option<Instant>,
}

impl Update {
    /// `url` is the broker's; it may hold a password and is never shown.
    pub fn new(url: &str) -> Update {
        Update {
            url: url.to_owned(),
            ours: Vec::new(),
            told: Vec::new(),
            due: None,
            running: false,
            asked: None,
            failed: 0,
            problem: None,
            done: None,
        }
    }

    /// Our IPv4 addresses, in any order. Without any there is nobody to tell.
    pub fn follow(&mut self, mut ours: Vec<Ipv4Addr>, now: Instant) {
        ours.sort_unstable();
        if self.ours == ours {
            return;
        }
        self.ours = ours;
        self.failed = 0;
        self.schedule(SETTLE, now);
    }

    /// What has to be fetched now, once; [`Update::answer`] has to follow.
    pub fn ask(&mut self, now: Instant) -> Option<&str> {
        self.due.take_if(|due| *due <= now)?;
        self.running = true;
        self.asked = Some(now);
        self.told.clone_from(&self.ours);
        Some(&self.url)
    }

    /// What came of it. The reason of a failure is shown to people, and must not hold the URL.
    pub fn answer(&mut self, answer: Result<(), String>, now: Instant) {
        self.running = false;
        match answer {
            Ok(()) => {
                (self.failed, self.problem, self.done) = (0, None, Some(now));
                self.schedule(SETTLE, now);
            }
            Err(problem) => {
                let wait = (RETRY * (1 << self.failed.min(16))).min(LONGEST_RETRY);
                self.failed = self.failed.saturating_add(1);
                self.problem = Some(problem);
                self.told.clear();
                self.schedule(wait, now);
            }
        }
    }

    /// Makes it due after `wait`, if there is something to tell.
    fn schedule(&mut self, wait: Duration, now: Instant) {
        let news = !self.ours.is_empty() && self.ours != self.told;
        let allowed = self.asked.map_or(now, |asked| asked.after(RETRY));
        self.due = (news && !self.running).then(|| now.after(wait).max(allowed));
    }

    /// When something has to be fetched, and why.
    pub fn poll_at(&self) -> Option<(Instant, &'static str)> {
        self.due.map(|at| (at, "the broker is told of our IPv4 address"))
    }

    /// When the broker was last told with success.
    pub fn done(&self) -> Option<Instant> {
        self.done
    }

    /// Why the last fetch failed.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

/// Whether a broker that answered by HTTP with success is content. Errors name the word that says no; an answer may hold
/// anything, and nothing else of it is shown.
pub fn verdict(body: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    let first = text.split_ascii_whitespace().next().unwrap_or_default();
    let first = first.trim_end_matches([':', ',', '.']);
    match REFUSALS.iter().find(|word| word.eq_ignore_ascii_case(first)) {
        Some(word) => Err(format!("the broker says {word}: look at update_url")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_000_000);
    const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

    fn at(seconds: u64) -> Instant {
        START.after_secs(seconds)
    }

    fn due(update: &Update) -> Option<u64> {
        update.poll_at().map(|(at, _)| at.since(START).as_secs())
    }

    fn no() -> Result<(), String> {
        Err("no".into())
    }

    #[test]
    fn the_broker_is_told_once_after_start_and_once_for_each_change() {
        let mut update = Update::new("http://broker/");
        update.follow(vec![], at(0));
        assert_eq!(due(&update), None);
        update.follow(vec![OURS, OTHER], at(0));
        assert_eq!((due(&update), update.ask(at(1))), (Some(2), None));
        assert_eq!(update.ask(at(2)), Some("http://broker/"));
        assert_eq!(update.ask(at(2)), None, "one at a time");
        assert_eq!(due(&update), None);
        update.answer(Ok(()), at(3));
        assert_eq!((update.done(), due(&update)), (Some(at(3)), None));
        update.follow(vec![OTHER, OURS], at(500));
        assert_eq!(due(&update), None, "another order is no news");
        update.follow(vec![], at(600));
        assert_eq!(due(&update), None);
        update.follow(vec![OTHER, OURS], at(610));
        assert_eq!(due(&update), None, "the same as before is no news");
        update.follow(vec![OTHER], at(620));
        assert_eq!(due(&update), Some(622));
    }

    #[test]
    fn a_change_while_it_is_told_is_told_afterwards() {
        let mut update = Update::new("http://broker/");
        update.follow(vec![OURS], at(0));
        update.ask(at(2)).unwrap();
        update.follow(vec![OTHER], at(3));
        assert_eq!(due(&update), None);
        update.answer(Ok(()), at(4));
        assert_eq!(due(&update), Some(62));
        update.ask(at(62)).unwrap();
        update.answer(Ok(()), at(63));
        assert_eq!(due(&update), None);
    }

    #[test]
    fn after_failures_it_waits_longer_and_longer_and_anew_after_a_change() {
        let mut update = Update::new("http://broker/");
        update.follow(vec![OURS], at(0));
        let mut now = 2;
        for wait in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
            assert!(update.ask(at(now)).is_some());
            update.answer(no(), at(now));
            assert_eq!((due(&update), update.problem()), (Some(now + wait), Some("no")));
            now += wait;
        }
        update.follow(vec![OTHER], at(now - 1800));
        assert_eq!(due(&update), Some(now - 1798));
        assert!(update.ask(at(now)).is_some());
        update.answer(no(), at(now));
        assert_eq!(due(&update), Some(now + 60));
        update.ask(at(now + 60)).unwrap();
        update.answer(Ok(()), at(now + 61));
        assert_eq!((update.problem(), due(&update)), (None, None));
    }

    #[test]
    fn an_address_that_flaps_costs_a_fetch_a_minute() {
        let mut update = Update::new("http://broker/");
        let mut fetched = 0;
        for second in 0..3600 {
            update.follow(if second % 2 == 0 { vec![OURS] } else { vec![OTHER] }, at(second));
            if update.ask(at(second)).is_some() {
                fetched += 1;
                update.answer(if second % 3 == 0 { no() } else { Ok(()) }, at(second));
            }
        }
        assert!(fetched <= 60, "{fetched}");
    }

    #[test]
    fn brokers_that_refuse_with_success_are_understood() {
        for yes in ["good 192.0.2.1", "nochg 192.0.2.1", "+OK: Tunnel endpoint updated", "", "\u{fffd}\u{1}", "<html>"]
        {
            assert_eq!(verdict(yes.as_bytes()), Ok(()), "{yes}");
        }
        for no in ["badauth", "BADAUTH\n", "abuse secret", "-ERROR: API key", "911"] {
            let why = verdict(no.as_bytes()).unwrap_err();
            assert!(why.starts_with("the broker says ") && !why.contains("secret"), "{why}");
        }
    }
}

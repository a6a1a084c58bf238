//! A life as a list of events: drawn at random, written to a file, read again by `oasis6 replay`.

use crate::net::{Prefix, Rng};
use std::fmt::Write as _;

/// The LANs of every simulated router.
pub const LANS: [&str; 2] = ["home", "guest"];

/// Something that happens to the simulated router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A prefix is configured by hand, or configured anew with other lifetimes (seconds).
    Prefix {
        /// The prefix.
        prefix: Prefix,
        /// Preferred lifetime.
        preferred: u32,
        /// Valid lifetime.
        valid: u32,
    },
    /// It is taken out of the configuration.
    NoPrefix(Prefix),
    /// An uplink gives a default route, or takes it away.
    DefaultRoute(bool),
    /// The default route goes and comes this often within a second, and is there in the end.
    Flap(u32),
    /// A LAN's device gets or loses carrier.
    Carrier(usize, bool),
    /// A LAN's device vanishes, or comes back under another index.
    Device(usize, bool),
    /// A host joins a LAN; it is known by its number.
    HostJoins(u32, usize),
    /// The host with this number leaves, or else the next one.
    HostLeaves(u32),
    /// A DHCPv6 client starts on a LAN, asking for an address, a prefix, or both.
    ClientStarts {
        /// Its number.
        client: u32,
        /// Its LAN.
        lan: usize,
        /// It wants an address.
        address: bool,
        /// It wants a prefix of this length.
        prefix: Option<u8>,
    },
    /// The client with this number, or else the next one, releases what it has and stops.
    ClientStops(u32),
    /// The daemon is killed with -9, and started again after so many milliseconds.
    Kill(u64),
    /// The daemon is killed with -9 in the midst of writing: after so many more steps of the store, or, where there are
    /// none, so many more changes of the kernel; and started again after so many milliseconds.
    KillIn {
        /// Steps of the store; a write is several.
        steps: u32,
        /// Changes of the kernel.
        ops: u32,
        /// Milliseconds until the next start.
        pause: u64,
    },
    /// The daemon is stopped, and started again after so many milliseconds.
    Restart(u64),
    /// The whole router is rebooted in order: tmpfs and the kernel's state are lost, flash is up to date.
    Reboot,
    /// The power fails: as a reboot, but flash has only what had reached it.
    PowerCut,
    /// The kernel's notifications are lost (ENOBUFS) while it changes.
    LostNews,
    /// The kernel refuses the next so many operations.
    Refuse(u32),
    /// This many packets on the way to or from the router get lost.
    Loss(u32),
}

/// A happening and its time, milliseconds from the start.
pub type Line = (u64, Happening);

/// A life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Seed of everything that is random inside the run.
    pub seed: u64,
    /// How long it lasts, milliseconds.
    pub until: u64,
    /// What happens, in order of time.
    pub lines: Vec<Line>,
}

impl Script {
    /// A life of so many days, drawn from `seed`.
    pub fn draw(seed: u64, days: u64) -> Script {
        let mut rng = Rng::new(seed);
        let until = days * 86_400_000;
        let mut lines = Vec::new();
        let (mut at, mut next) = (1_000, 0);
        while at < until {
            lines.push((at, happening(&mut rng, &mut next)));
            // mostly an hour or so apart, sometimes everything at once
            at += if rng.between(0, 9) < 3 { rng.between(1, 5_000) } else { rng.between(5_000, 7_200_000) };
        }
        Script { seed, until, lines }
    }

    /// A life in which so many clients come and go, drawn from `seed`, and the daemon is killed in the midst of its work
    /// for each.
    pub fn kills(seed: u64, clients: u32) -> Script {
        let mut rng = Rng::new(seed);
        let mut script = Script { seed, until: 0, lines: Vec::new() };
        let mut at = 60_000;
        for client in 1..=clients {
            script.lines.push((at, kill_in(&mut rng, 3_000)));
            let (address, prefix) = (rng.between(0, 1) == 0, Some(62));
            let lan = usize::from(rng.between(0, 1) == 0);
            script.lines.push((at + 1, Happening::ClientStarts { client, lan, address, prefix }));
            if client > 30 {
                script.lines.push((at + 2, Happening::ClientStops(client - 30)));
            }
            // every second one is left in peace, for the model to look
            at += if client % 2 == 0 { 200_000 } else { 8_000 };
        }
        script.until = at + 600_000;
        script
    }

    /// The file that `oasis6 replay` reads.
    pub fn to_text(&self) -> String {
        let mut text =
            format!("# a life of a simulated router, for oasis6 replay\nseed {}\nuntil {}\n", self.seed, self.until);
        for (at, what) in &self.lines {
            // writing to a String can't fail
            let _ = match what {
                Happening::Prefix { prefix, preferred, valid } => {
                    writeln!(text, "{at} prefix {prefix} {preferred} {valid}")
                }
                Happening::NoPrefix(prefix) => writeln!(text, "{at} no-prefix {prefix}"),
                Happening::DefaultRoute(there) => writeln!(text, "{at} default-route {}", on(*there)),
                Happening::Flap(times) => writeln!(text, "{at} flap {times}"),
                Happening::Carrier(lan, there) => writeln!(text, "{at} carrier {lan} {}", on(*there)),
                Happening::Device(lan, there) => writeln!(text, "{at} device {lan} {}", on(*there)),
                Happening::HostJoins(host, lan) => writeln!(text, "{at} host-joins {host} {lan}"),
                Happening::HostLeaves(host) => writeln!(text, "{at} host-leaves {host}"),
                Happening::ClientStarts { client, lan, address, prefix } => writeln!(
                    text,
                    "{at} client-starts {client} {lan} {} {}",
                    on(*address),
                    prefix.map_or("none".into(), |len| len.to_string())
                ),
                Happening::ClientStops(client) => writeln!(text, "{at} client-stops {client}"),
                Happening::Kill(pause) => writeln!(text, "{at} kill {pause}"),
                Happening::KillIn { steps, ops, pause } => writeln!(text, "{at} kill-in {steps} {ops} {pause}"),
                Happening::Restart(pause) => writeln!(text, "{at} restart {pause}"),
                Happening::Reboot => writeln!(text, "{at} reboot"),
                Happening::PowerCut => writeln!(text, "{at} power-cut"),
                Happening::LostNews => writeln!(text, "{at} lost-news"),
                Happening::Refuse(count) => writeln!(text, "{at} refuse {count}"),
                Happening::Loss(count) => writeln!(text, "{at} loss {count}"),
            };
        }
        text
    }

    /// Reads what [`Script::to_text`] wrote. Errors name the line.
    pub fn from_text(text: &str) -> Result<Script, String> {
        let mut script = Script { seed: 0, until: 0, lines: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let wrong = || format!("line {}: '{line}' is no event of a replay file", number + 1);
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["seed", value] => script.seed = value.parse().map_err(|_| wrong())?,
                ["until", value] => script.until = value.parse().map_err(|_| wrong())?,
                [at, rest @ ..] => {
                    let at = at.parse().map_err(|_| wrong())?;
                    script.lines.push((at, parse(rest).ok_or_else(wrong)?));
                }
            }
        }
        script.lines.sort_by_key(|(at, _)| *at);
        Ok(script)
    }
}

fn on(there: bool) -> &'static str {
    if there { "on" } else { "off" }
}

fn parse(words: &[&str]) -> Option<Happening> {
    let there = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    let lan = |word: &str| word.parse().ok().filter(|lan| *lan < LANS.len());
    Some(match *words {
        ["prefix", prefix, preferred, valid] => Happening::Prefix {
            prefix: prefix.parse().ok()?,
            preferred: preferred.parse().ok()?,
            valid: valid.parse().ok()?,
        },
        ["no-prefix", prefix] => Happening::NoPrefix(prefix.parse().ok()?),
        ["default-route", word] => Happening::DefaultRoute(there(word)?),
        ["flap", times] => Happening::Flap(times.parse().ok()?),
        ["carrier", at, word] => Happening::Carrier(lan(at)?, there(word)?),
        ["device", at, word] => Happening::Device(lan(at)?, there(word)?),
        ["host-joins", host, at] => Happening::HostJoins(host.parse().ok()?, lan(at)?),
        ["host-leaves", host] => Happening::HostLeaves(host.parse().ok()?),
        ["client-starts", client, at, address, prefix] => Happening::ClientStarts {
            client: client.parse().ok()?,
            lan: lan(at)?,
            address: there(address)?,
            prefix: if prefix == "none" { None } else { Some(prefix.parse().ok()?) },
        },
        ["client-stops", client] => Happening::ClientStops(client.parse().ok()?),
        ["kill", pause] => Happening::Kill(pause.parse().ok()?),
        ["kill-in", steps, ops, pause] => {
            Happening::KillIn { steps: steps.parse().ok()?, ops: ops.parse().ok()?, pause: pause.parse().ok()? }
        }
        ["restart", pause] => Happening::Restart(pause.parse().ok()?),
        ["reboot"] => Happening::Reboot,
        ["power-cut"] => Happening::PowerCut,
        ["lost-news"] => Happening::LostNews,
        ["refuse", count] => Happening::Refuse(count.parse().ok()?),
        ["loss", count] => Happening::Loss(count.parse().ok()?),
        _ => return None,
    })
}

/// One of a few prefixes that an uplink might bring: the same ones come back now and then, as ISPs do.
fn prefix(rng: &mut Rng) -> Prefix {
    let site = u16::try_from(rng.between(1, 6)).unwrap_or(1);
    let len = [48, 56, 60, 62].get(usize::try_from(rng.between(0, 3)).unwrap_or(0)).copied().unwrap_or(56);
    let addr = std::net::Ipv6Addr::new(0x2001, 0xdb8, site, 0, 0, 0, 0, 0);
    Prefix::new(addr, len).unwrap_or(Prefix::ALL)
}

fn kill_in(rng: &mut Rng, longest: u64) -> Happening {
    let few = |rng: &mut Rng| u32::try_from(rng.between(0, 11)).unwrap_or(0);
    Happening::KillIn { steps: few(rng), ops: few(rng), pause: rng.between(1, longest) }
}

fn happening(rng: &mut Rng, next: &mut u32) -> Happening {
    let lan = |rng: &mut Rng| usize::try_from(rng.between(0, 1)).unwrap_or(0);
    let known = |rng: &mut Rng, next: u32| u32::try_from(rng.between(0, u64::from(next))).unwrap_or(0);
    let mut number = || {
        *next += 1;
        *next
    };
    match rng.between(0, 99) {
        0..=13 => {
            let (preferred, valid) = match rng.between(0, 2) {
                0 => (u32::MAX, u32::MAX),
                1 => (3_600, 7_200),
                _ => (86_400, 172_800),
            };
            Happening::Prefix { prefix: prefix(rng), preferred, valid }
        }
        14..=25 => Happening::NoPrefix(prefix(rng)),
        26..=35 => Happening::DefaultRoute(rng.between(0, 2) > 0),
        36..=37 => Happening::Flap(u32::try_from(rng.between(1, 1000)).unwrap_or(1)),
        38..=41 => Happening::Carrier(lan(rng), false),
        42..=47 => Happening::Carrier(lan(rng), true),
        48 => Happening::Device(lan(rng), false),
        49..=51 => Happening::Device(lan(rng), true),
        52..=59 => Happening::HostJoins(number(), lan(rng)),
        60..=63 => {
            let next = number();
            Happening::HostLeaves(known(rng, next))
        }
        64..=75 => {
            let prefix = [None, Some(64), Some(62), Some(60)].get(usize::try_from(rng.between(0, 3)).unwrap_or(0));
            let prefix = prefix.copied().flatten();
            let address = prefix.is_none() || rng.between(0, 1) == 0;
            Happening::ClientStarts { client: number(), lan: lan(rng), address, prefix }
        }
        76..=81 => {
            let next = number();
            Happening::ClientStops(known(rng, next))
        }
        82..=83 => Happening::Kill(rng.between(1, 20_000)),
        84..=86 => kill_in(rng, 20_000),
        87..=88 => Happening::Restart(rng.between(1, 20_000)),
        89..=90 => Happening::Reboot,
        91..=92 => Happening::PowerCut,
        93..=94 => Happening::LostNews,
        95..=96 => Happening::Refuse(u32::try_from(rng.between(1, 5)).unwrap_or(1)),
        _ => Happening::Loss(u32::try_from(rng.between(1, 3)).unwrap_or(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_survives_its_file() {
        let script = Script::draw(42, 30);
        assert!(script.lines.len() > 300);
        assert_eq!(Script::from_text(&script.to_text()), Ok(script));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = Script::from_text("seed 1\nuntil 5\n3 dance\n").unwrap_err();
        assert!(error.starts_with("line 3:"), "{error}");
        assert!(Script::from_text("1 carrier 9 on").is_err());
    }
}

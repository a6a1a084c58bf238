use crate::kernel::linux::LinuxKernel;
use crate::net::{FlatSet, Instant};
use crate::proto::names;
use crate::router::{Action, Event, Router};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);
/// Most bytes of dnsmasq's leases that are read: some ten thousand.
const MOST: u64 = 1 << 20;
const HOSTNAME: &str = "/proc/sys/kernel/hostname";

/// Where names come from beside the router's own protocols: dnsmasq's leases, the machine's name, the kernel's neighbours.
#[derive(Default)]
pub(super) struct NameSources {
    surveys: FlatSet<u32>,
    due: Option<Instant>,
    /// When the leases were written that were read last, and how long they are; `None`: there were none.
    leases: Option<(SystemTime, u64)>,
}

impl NameSources {
    /// The neighbours on this link are to be looked at, in the next turn.
    pub(super) fn survey(&mut self, link: u32) {
        self.surveys.insert(link);
    }

    pub(super) fn poll_at(&self) -> Option<Instant> {
        if self.surveys.is_empty() { self.due } else { Some(Instant(0)) }
    }

    /// Tells the router what is new.
    pub(super) fn tick(&mut self, router: &mut Router, kernel: &mut LinuxKernel, now: Instant, out: &mut Vec<Action>) {
        if !router.wants_names() {
            *self = NameSources::default();
            return;
        }
        for link in std::mem::take(&mut self.surveys) {
            let seen = kernel.neighbour_addresses(link);
            router.handle(Event::Hosts { link, seen }, now, out);
        }
        if self.due.is_some_and(|due| due > now) {
            return;
        }
        self.due = Some(now.after(EVERY));
        let hostname = std::fs::read_to_string(HOSTNAME).unwrap_or_default();
        router.handle(Event::Hostname(hostname.trim().to_owned()), now, out);
        let file = router.config().dns.as_ref().map(|dns| dns.dhcp4_leases.clone()).unwrap_or_default();
        let written = std::fs::metadata(&file).ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        if written != self.leases {
            self.leases = written;
            router.handle(Event::Leases4(leases(Path::new(&file))), now, out);
        }
    }
}

/// dnsmasq's leases; none if they can't be read.
fn leases(file: &Path) -> Vec<names::Lease4> {
    let mut text = Vec::new();
    if let Ok(file) = File::open(file) {
        // what was read until an error is good
        let _ = file.take(MOST).read_to_end(&mut text);
    }
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    names::dnsmasq_leases(&text, clock.as_secs())
}

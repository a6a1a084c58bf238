use crate::kernel::linux::LinuxKernel;
use crate::kernel::nft::Watch;
use crate::net::Instant;
use crate::plan::Change;
use crate::router::{Action, Event, Router};
use std::time::Duration;

/// One change is seldom alone: what follows within this time is read with it.
const GATHER: Duration = Duration::from_millis(200);
/// The packet filter is read this often at most; some programs change theirs every second.
const PAUSE: Duration = Duration::from_secs(2);

/// Notices when somebody changes the packet filter, so that what is ours there heals at once (`fw4 reload`,
/// `nft flush ruleset`).
#[derive(Default)]
pub(super) struct FilterWatch {
    watch: Option<Watch>,
    read_at: Option<Instant>,
    last: Instant,
}

impl FilterWatch {
    /// Waits for a change, for ever if nothing of ours is to be in the filter. Errors are of the socket itself.
    pub(super) async fn changed(&mut self) -> std::io::Result<()> {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Somebody changed something.
    pub(super) fn note(&mut self, now: Instant) {
        let soon = now.after(GATHER).max(self.last.after(PAUSE));
        self.read_at.get_or_insert(soon);
    }

    /// Watches if there is something to guard, and reads what is due.
    pub(super) fn tick(&mut self, router: &mut Router, kernel: &mut LinuxKernel, now: Instant, out: &mut Vec<Action>) {
        if router.config().uplinks.is_empty() {
            *self = FilterWatch { last: self.last, ..FilterWatch::default() };
            return;
        }
        if self.watch.is_none() {
            match Watch::open() {
                Ok(watch) => {
                    self.watch = Some(watch);
                    self.note(now);
                }
                // the regular audit finds it in the end; a kernel without nftables is told of where the guard is put
                Err(error) => log::debug!("can't watch the packet filter: {error}"),
            }
        }
        if self.read_at.take_if(|at| *at <= now).is_some() {
            self.last = now;
            router.handle(Event::Kernel(vec![Change::Filter(kernel.read_filter())]), now, out);
        }
    }

    /// When it is read next.
    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.read_at
    }
}

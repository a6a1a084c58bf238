//! Namespaces that live as long as a test does. A thread of its own is all it takes to enter one.

use super::skip::skip;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::{Duration, Instant};

/// A network namespace with its loopback up.
pub(crate) struct Namespace(File);

impl Namespace {
    /// Puts the calling thread into a new namespace; `None`: it can't, and the test is skipped.
    pub(crate) fn enter() -> Option<Namespace> {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            skip(&format!("no network namespaces ({error}); run as root"));
            return None;
        }
        ip("link set dev lo up");
        Some(Namespace(File::open("/proc/thread-self/ns/net").unwrap()))
    }

    /// Another new one, beside the one of the calling thread.
    pub(crate) fn beside() -> Namespace {
        std::thread::spawn(|| Namespace::enter().unwrap()).join().unwrap()
    }

    /// Does something inside.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }

    /// How `ip` can name it.
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }
}

/// Two namespaces with a cable between them: `a` here, `b` there. Both ends are up, with `fe80::a` and `fe80::b`
/// at once, since duplicate address detection is off.
pub(crate) fn cable() -> Option<(Namespace, Namespace)> {
    let here = Namespace::enter()?;
    let there = Namespace::beside();
    ip(&format!("link add name a type veth peer name b netns {}", there.path()));
    let up = |name: &str| {
        for (key, value) in [("accept_dad", "0"), ("addr_gen_mode", "1"), ("router_solicitations", "0")] {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/{key}"), value).unwrap();
        }
        ip(&format!("link set dev {name} up"));
        ip(&format!("address add fe80::{name}/64 dev {name} nodad"));
    };
    up("a");
    there.run(|| up("b"));
    // carrier takes a moment, and the routes to multicast groups with it
    let ready = |name: &str| {
        let groups = format!("route show table local type multicast dev {name}");
        eventually("a cable", || ip(&format!("link show dev {name}")).contains("state UP") && !ip(&groups).is_empty());
    };
    ready("a");
    there.run(|| ready("b"));
    Some((here, there))
}

/// Runs `ip -6` with these arguments.
pub(crate) fn ip(arguments: &str) -> String {
    let output = Command::new("ip").arg("-6").args(arguments.split_whitespace()).output().expect("iproute2");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Index of a link of the calling thread's namespace.
pub(crate) fn index(name: &str) -> u32 {
    nix::net::if_::if_nametoindex(name).unwrap()
}

/// Waits until `done` holds, at most five seconds.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !done() {
        assert!(Instant::now() < end, "did not happen: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs `work` in an event loop like the daemon's, on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), work).await.expect("it takes too long") })
}

//! Two namespaces with IPv4 between them, and the reconciler in the first.

use crate::namespace::{Namespace, cable};
use oasis6::kernel::Kernel;
use oasis6::kernel::linux::LinuxKernel;
use oasis6::net::Lifetimes;
use oasis6::plan::{Device, Key, Objects, Op, Sit, Value, diff};
use std::net::Ipv6Addr;
use std::process::Command;
use std::time::{Duration, Instant};

/// The other end of the cable: a plain Linux machine.
pub(crate) struct Bed {
    pub(crate) there: Namespace,
    kernel: LinuxKernel,
}

impl Bed {
    /// `a` here has 192.0.2.1, `b` there 192.0.2.2 and 192.0.2.3; `None` outside of the virtual machine.
    pub(crate) fn new() -> Option<Bed> {
        if !std::path::Path::new("/run/vm/started").exists() {
            println!("skipped: only in the virtual machine (make test-vm)");
            return None;
        }
        let (_, there) = cable().expect("the virtual machine has namespaces");
        run("ip address add 192.0.2.1/24 dev a");
        there.run(|| {
            run("ip address add 192.0.2.2/24 dev b");
            run("ip address add 192.0.2.3/24 dev b");
            run("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0");
        });
        run("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0");
        Some(Bed { there, kernel: LinuxKernel::open().unwrap() })
    }

    /// What has to change for `wanted`.
    pub(crate) fn diff(&mut self, wanted: &Objects) -> Vec<Op> {
        diff(wanted, &self.kernel.read().unwrap())
    }

    /// Brings the kernel in line, which takes this many rounds at most, and finds nothing to do afterwards.
    pub(crate) fn reach(&mut self, wanted: &Objects) {
        for op in self.diff(wanted) {
            assert_eq!(self.kernel.apply(std::slice::from_ref(&op)), [Ok(())], "{}", op.key());
        }
        assert_eq!(self.diff(wanted), []);
    }

    pub(crate) fn kernel(&mut self) -> &mut LinuxKernel {
        &mut self.kernel
    }
}

/// Index of a link of this namespace.
pub(crate) fn index(name: &str) -> u32 {
    crate::namespace::index(name)
}

/// Runs a command, which has to succeed, and gives its output.
pub(crate) fn run(command: &str) -> String {
    run_with(command, "")
}

/// The same with `input`.
pub(crate) fn run_with(command: &str, input: &str) -> String {
    let mut words = command.split_whitespace();
    let mut child = Command::new(words.next().unwrap());
    child.args(words).stdin(std::process::Stdio::piped());
    child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = child.spawn().expect(command);
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until `to` answers a ping, half a minute at most: the machine is slow.
pub(crate) fn reaches(to: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while !answers(to) {
        assert!(Instant::now() < end, "{to} does not answer\n{}{}", run("ip -6 address"), run("ip -6 route"));
    }
}

/// Whether `to` answers one ping within two seconds.
pub(crate) fn answers(to: &str) -> bool {
    Command::new("ping").args(["-6", "-q", "-c1", "-W2", to]).output().unwrap().status.success()
}

/// An object of each kind that the tests want.
pub(crate) fn device(name: &str, device: Device) -> (Key, Value) {
    (Key::Device(name.into()), Value::Device(device))
}

pub(crate) fn address(link: &str, addr: &str, len: u8) -> (Key, Value) {
    let addr: Ipv6Addr = addr.parse().unwrap();
    (Key::Address { link: index(link), addr }, Value::Address { len, lifetimes: Lifetimes::FOREVER })
}

/// A tunnel from 192.0.2.1.
pub(crate) fn sit(remote: Option<&str>) -> Sit {
    let remote = remote.map(|addr| addr.parse().unwrap());
    Sit { local: "192.0.2.1".parse().unwrap(), remote, ttl: 64, mtu: None, sixrd: None, link: None }
}

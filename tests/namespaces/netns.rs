//! Namespaces, processes and folders that are gone when their owner is dropped, so that a test leaves the machine as
//! it was, also when it fails.

use super::skip::skip;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A number of its own for everything that needs a name of its own.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where daemons are that a user's PATH leaves out.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

/// A program found where daemons are, too.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", path()).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Whether a test can run here: as root, with these programs. If not, it is noted as skipped; in CI that is a failure.
pub(crate) fn ready(programs: &[&str]) -> bool {
    let exists = |program: &&&str| std::env::split_paths(&path()).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> = ["ip", "ping"].iter().chain(programs).filter(|program| !exists(program)).copied().collect();
    if !geteuid().is_root() {
        skip("network namespaces need root");
    } else if !missing.is_empty() {
        skip(&format!("missing: {} (.ci/setup.sh netns test)", missing.join(", ")));
    } else {
        return true;
    }
    false
}

/// Waits until `condition` gives something, at most `limit`.
pub(crate) fn wait_for<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// As [`wait_for`], of a condition that is true or not.
pub(crate) fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    wait_for(limit, || condition().then_some(())).is_some()
}

/// A folder that vanishes with all that is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("oasis6-test-{}-{}", std::process::id(), number()));
        fs::create_dir(&path).expect("a folder for the test");
        Folder(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read(self.0.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file of the test");
        path
    }

    /// Writes a shell script that can be run.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable script");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A network namespace without duplicate address detection, so that addresses can be used at once.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn new(label: &str) -> Namespace {
        let namespace = Namespace { name: format!("o6t{}-{}{label}", std::process::id(), number()) };
        let made = command("ip").args(["netns", "add", &namespace.name]).output().expect("ip runs");
        assert!(made.status.success(), "no namespace: {}", String::from_utf8_lossy(&made.stderr));
        namespace.run("ip link set lo up");
        namespace.run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0");
        namespace
    }

    /// A shell command in the namespace, with mounts of its own.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = command("ip");
        command.args(["netns", "exec", &self.name, "sh", "-c", script]);
        command
    }

    /// Runs a shell command; what became of it.
    pub(crate) fn output(&self, script: &str) -> Output {
        self.command(script).output().expect("ip runs")
    }

    /// Runs a shell command that must succeed; its output.
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.output(script);
        let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {script}: {}\n{text}{error}", self.name, output.status);
        text.into_owned()
    }

    /// Whether a shell command succeeds.
    pub(crate) fn holds(&self, script: &str) -> bool {
        self.output(script).status.success()
    }

    /// Starts a shell command in the background (`exec` it); what it prints goes to a file.
    pub(crate) fn spawn(&self, script: &str, log: &Path) -> Process {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let both = file.try_clone().expect("a log file");
        let child = self.command(script).stdout(file).stderr(both).spawn().expect("ip runs");
        Process { child, log: log.to_owned() }
    }

    /// Usable global addresses of a device, without their length.
    pub(crate) fn addresses(&self, device: &str) -> Vec<String> {
        let lines = self.run(&format!("ip -6 -o addr show dev {device} scope global -tentative"));
        let address = |line: &str| line.split_whitespace().nth(3)?.split('/').next().map(str::to_owned);
        lines.lines().filter_map(address).collect()
    }

    /// Adds a veth pair, both ends up.
    pub(crate) fn wire(&self, device: &str, other: &Namespace, other_device: &str) {
        self.run(&format!("ip link add {device} type veth peer name {other_device} netns {}", other.name));
        self.run(&format!("ip link set {device} up"));
        other.run(&format!("ip link set {other_device} up"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Ok(pids) = command("ip").args(["netns", "pids", &self.name]).output() {
            for pid in String::from_utf8_lossy(&pids.stdout).split_whitespace().filter_map(|pid| pid.parse().ok()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        let _ = command("ip").args(["netns", "del", &self.name]).output();
    }
}

/// A program in the background, killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(pid, signal).expect("the process is there");
    }

    /// What it printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its exit status, should it end within `limit`.
    pub(crate) fn ended(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_for(limit, || self.child.try_wait().expect("a child"))
    }

    /// Kills it at once, as a power cut would.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates an empty file, so that a program may append to it.
pub(crate) fn touch(path: &Path) {
    File::create(path).expect("a file of the test");
}

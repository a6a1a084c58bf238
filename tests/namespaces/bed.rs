//! A router that runs oasis6, and whoever is plugged into it.

use super::netns::{Folder, Namespace, Process, command, wait_until};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

/// The program under test.
pub(crate) const OASIS6: &str = env!("CARGO_BIN_EXE_oasis6");
/// How long anything may take that should happen at once, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// One LAN on a bridge, with lifetimes short enough to see clients renew: T1 is 4 s.
pub(crate) const SHORT_LIVED: &str = "
config lan 'lan'
	option device 'br-lan'
	option ra_min_interval '3'
	option ra_max_interval '4'
	option dhcp6_preferred_lifetime '8'
	option dhcp6_valid_lifetime '16'
";

/// A router with a bridge `br-lan`, which has no port yet.
pub(crate) struct Bed {
    pub(crate) router: Namespace,
    pub(crate) folder: Folder,
    daemon: Option<Process>,
    ports: u32,
}

impl Bed {
    pub(crate) fn new() -> Bed {
        let router = Namespace::new("router");
        router.run("ip link add br-lan type bridge && ip link set br-lan up");
        Bed { router, folder: Folder::new(), daemon: None, ports: 0 }
    }

    /// A router with this configuration (without the section of globals), running and answering.
    pub(crate) fn serving(config: &str) -> Bed {
        let mut bed = Bed::new();
        bed.configure(config);
        bed.start();
        bed
    }

    /// Plugs a machine into the bridge: its device is eth0, and it listens to route information as desktops do.
    pub(crate) fn host(&mut self, label: &str) -> Namespace {
        let host = Namespace::new(label);
        host.run("sysctl -qw net.ipv6.conf.default.accept_ra_rt_info_max_plen=64");
        self.ports += 1;
        let port = format!("port{}", self.ports);
        self.router.wire(&port, &host, "eth0");
        self.router.run(&format!("ip link set {port} master br-lan"));
        let link_local = || host.run("ip -6 -o addr show dev eth0 scope link -tentative").contains("fe80");
        assert!(wait_until(SOON, link_local), "eth0 has no link-local address");
        host
    }

    /// Writes the configuration, with folders of the test.
    pub(crate) fn configure(&self, config: &str) {
        let (state, run) = (self.folder.join("state"), self.folder.join("run"));
        let globals = format!(
            "config oasis6 'globals'\n\toption enabled '1'\n\toption domain 'home.arpa'\n\toption state_dir '{}'\n\toption run_dir '{}'\n",
            state.display(),
            run.display()
        );
        self.folder.write("config", &format!("{globals}{config}"));
    }

    /// The command line of `oasis6 WORDS` for this router.
    pub(crate) fn words(&self, words: &str) -> String {
        let file = |name| self.folder.join(name).display().to_string();
        let (config, network, ubus) = (file("config"), file("network"), file("ubus.sock"));
        format!("{OASIS6} {words} --config {config} --network {network} --ubus {ubus}")
    }

    /// Starts oasis6 without waiting for it.
    pub(crate) fn spawn(&mut self) -> &mut Process {
        let script = format!("exec {}", self.words("run"));
        let process = self.router.spawn(&script, &self.folder.join("log"));
        self.daemon.insert(process)
    }

    /// Starts oasis6 and waits until it answers.
    pub(crate) fn start(&mut self) {
        self.spawn();
        let up = wait_until(SOON, || self.oasis6("status").status.success());
        assert!(up, "oasis6 does not answer:\n{}", self.log());
    }

    /// Takes a process for this router's daemon.
    pub(crate) fn adopt(&mut self, process: Process) {
        self.daemon = Some(process);
    }

    /// The running daemon.
    pub(crate) fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("oasis6 was started")
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        self.daemon.take().expect("oasis6 was started").kill();
    }

    /// Resident memory of the daemon, KiB.
    pub(crate) fn memory(&self) -> u64 {
        let pid = self.daemon.as_ref().expect("oasis6 was started").id();
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the daemon runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.split_whitespace().next().expect("a number").parse().expect("a number")
    }

    /// What it wrote to its log.
    pub(crate) fn log(&self) -> String {
        self.folder.read("log")
    }

    /// Runs another oasis6 command beside it.
    pub(crate) fn oasis6(&self, words: &str) -> Output {
        self.router.output(&format!("exec {}", self.words(words)))
    }

    /// The answer to `status`, `leases`, ... as JSON.
    pub(crate) fn ask(&self, command: &str) -> Value {
        let output = self.oasis6(&format!("{command} --json"));
        let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command}: {error}\n{}", self.log());
        serde_json::from_str(&text).expect("JSON")
    }

    /// Every lease's address or prefix of a kind (`address`, `prefix`).
    pub(crate) fn leases(&self, kind: &str) -> Vec<String> {
        let answer = self.ask("leases");
        let leases = answer["leases"].as_array().expect("a list of leases").iter();
        let of_kind = leases.filter(|lease| lease["kind"] == kind);
        of_kind.map(|lease| lease["resource"].as_str().expect("a resource").to_owned()).collect()
    }

    /// All troubles that `status` shows, as one text.
    pub(crate) fn troubles(&self) -> String {
        self.ask("status")["troubles"].to_string()
    }

    /// Where the router sends packets for a prefix: the gateway, if there is one.
    pub(crate) fn route(&self, prefix: &str) -> Option<String> {
        let line = self.router.run(&format!("ip -6 route show {prefix}"));
        let mut words = line.split_whitespace().skip_while(|word| *word != "via");
        words.nth(1).map(str::to_owned)
    }

    /// Records what crosses the bridge, until the test ends.
    pub(crate) fn capture(&self) -> Capture {
        let file = self.folder.join("pcap");
        let log = self.folder.join("tcpdump.log");
        let script = format!("exec tcpdump -i br-lan -U -Z root -w {} ip6", file.display());
        let process = self.router.spawn(&script, &log);
        assert!(wait_until(SOON, || process.log().contains("listening on")), "tcpdump: {}", process.log());
        Capture { file, _process: process }
    }
}

/// A running record of packets.
pub(crate) struct Capture {
    file: PathBuf,
    _process: Process,
}

impl Capture {
    /// Fails unless a packet that matches `kind` was seen, and tshark decoded all packets without a warning.
    pub(crate) fn decodes(&self, kind: &str) {
        let tshark = |filter: &str| {
            let output = command("tshark").args(["-n", "-r"]).arg(&self.file).args(["-Y", filter]).output();
            String::from_utf8_lossy(&output.expect("tshark runs").stdout).into_owned()
        };
        assert!(wait_until(SOON, || !tshark(kind).is_empty()), "no packet of {kind} was seen");
        let complaints = tshark("_ws.malformed || _ws.expert.severity >= 6291456");
        assert!(complaints.is_empty(), "{complaints}");
    }
}

use crate::config::{self, Problem, Severity};
use crate::net::FlatMap;
use crate::router::NetifdFacts;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the configuration is read from.
#[derive(Clone, Debug)]
pub struct Paths {
    /// oasis6's own file; `-` is standard input, which can be read once.
    pub config: PathBuf,
    /// OpenWrt's network file, which knows the devices of interfaces; it may be missing.
    pub network: PathBuf,
    /// Where OpenWrt's ubusd listens; it may be missing.
    pub ubus: PathBuf,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths {
            config: "/etc/config/oasis6".into(),
            network: "/etc/config/network".into(),
            ubus: crate::ubus::SOCKET.into(),
        }
    }
}

/// A configuration file as it was read.
pub struct Loaded {
    /// The configuration; `None` when there was an error.
    pub config: Option<config::Config>,
    /// Where a daemon with this file has its socket, even if there was an error.
    pub run_dir: String,
    /// OpenWrt interface name → device.
    pub interfaces: FlatMap<String, String>,
    /// OpenWrt interface name → what netifd says of it; the files know nothing of that.
    pub netifd: FlatMap<String, NetifdFacts>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// Every problem as one line of text, errors only or all.
    pub fn lines(&self, least: Severity, path: &Path) -> Vec<String> {
        let wanted = self.problems.iter().filter(|problem| problem.severity <= least);
        wanted.map(|problem| format!("{}: {problem}", path.display())).collect()
    }

    /// The answer to `check`.
    pub fn check(&self) -> Value {
        let problems = self.problems.iter().map(|problem| {
            json!({
                "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
                "line": problem.line, "section": problem.section, "option": problem.option,
                "message": problem.message, "remedy": problem.remedy,
            })
        });
        json!({ "valid": self.config.is_some(), "problems": problems.collect::<Vec<_>>() })
    }
}

/// Reads and checks the configuration. A file that can't be read is a problem like any other.
pub fn load(paths: &Paths) -> Loaded {
    let interfaces = read_bounded(&paths.network).map(|bytes| config::interfaces(&bytes)).unwrap_or_default();
    match read_bounded(&paths.config) {
        Ok(bytes) => {
            let config::Reading { config, run_dir, problems } = config::read(&bytes);
            Loaded { config, run_dir, interfaces, netifd: FlatMap::new(), problems }
        }
        Err(error) => {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "name another with --config FILE",
                io::ErrorKind::PermissionDenied => "run as root",
                _ => "see that it is a readable file",
            };
            let problem = Problem {
                severity: Severity::Error,
                line: 0,
                section: String::new(),
                option: String::new(),
                message: format!("can't be read: {error}"),
                remedy: remedy.into(),
            };
            Loaded {
                config: None,
                run_dir: config::Config::default().run_dir,
                interfaces,
                netifd: FlatMap::new(),
                problems: vec![problem],
            }
        }
    }
}

/// A file's bytes, or with `-` those of standard input, but never more than one byte over what the parser accepts: it says
/// then what is wrong.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(config::MAX_FILE_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    match path.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut bytes)?,
        _ => File::open(path)?.take(most).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

//! The program `nft`.

use crate::kernel::Refusal;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Where daemons' programs are, for a caller whose PATH leaves them out.
const FOLDERS: &str = "/usr/sbin:/sbin:/usr/bin:/bin";
/// How long it may take. A listing of a firewall takes some 50 ms on a slow router.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether it has ended.
const STEP: Duration = Duration::from_millis(1);
/// Bytes of its answer that are read.
const MAX_ANSWER: u64 = 4 << 20;

/// Where `nft` is.
#[derive(Debug)]
pub(super) struct Program(PathBuf);

impl Program {
    /// Looks for it. Refused with ENOENT where there is none.
    pub(super) fn find() -> Result<Program, Refusal> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(std::env::split_paths(FOLDERS));
        let mut files = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join("nft"));
        let found = files.find(|file| file.is_file()).map(Program);
        found.ok_or_else(|| Refusal {
            errno: Errno::ENOENT as i32,
            message: "there is no program nft: LANs are not guarded against the Internet; install the package nftables"
                .into(),
        })
    }

    /// Lets it do `script` with `options`, and gives what it printed. Refused with what it complained of.
    pub(super) fn run(&self, options: &[&str], script: &str) -> Result<String, Refusal> {
        let failed = |what: &str, error: io::Error| Refusal {
            errno: error.raw_os_error().unwrap_or(Errno::EIO as i32),
            message: format!("{what} {}: {error}", self.0.display()),
        };
        let (status, output, errors) = run(&self.0, options, script).map_err(|error| failed("can't run", error))?;
        if status.success() {
            return Ok(output);
        }
        // its first line says what is wrong, the others where
        let words = errors.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        let errno = if words.contains("Operation not permitted") { Errno::EPERM } else { Errno::EIO };
        Err(Refusal { errno: errno as i32, message: format!("nft refuses: {words}") })
    }
}

/// Files in memory stand for its input and outputs, so that nobody waits for anybody.
fn run(program: &Path, options: &[&str], script: &str) -> io::Result<(ExitStatus, String, String)> {
    let file = || memfd_create("nft", MFdFlags::MFD_CLOEXEC).map(File::from);
    let (mut input, mut output, mut errors) = (file()?, file()?, file()?);
    input.write_all(script.as_bytes())?;
    input.rewind()?;
    let child = Command::new(program)
        .args(options)
        .args(["-f", "-"])
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(input)
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .spawn()?;
    let status = wait(child)?;
    let text = |file: &mut File| {
        file.rewind()?;
        let mut bytes = Vec::new();
        file.take(MAX_ANSWER).read_to_end(&mut bytes)?;
        Ok::<String, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok((status, text(&mut output)?, text(&mut errors)?))
}

fn wait(mut child: Child) -> io::Result<ExitStatus> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(STEP);
    }
}

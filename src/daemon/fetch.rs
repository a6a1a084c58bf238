//! URLs of tunnel brokers are fetched by a program that the machine has: we bring neither HTTP nor TLS.
//!
//! By IPv4, since the broker takes the address that asks for the tunnel's end. No shell sees the URL, and neither log nor
//! status shows it; like every program's arguments it can be seen in the process list while the program runs.

use crate::proto::update::verdict;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the program has ended, once it has closed its output.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes of the answer that are looked at: its first word says enough.
const ANSWER: u64 = 1024;
/// Programs, the first one that is there is used: OpenWrt's own, then others'. All write the answer to their output.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("uclient-fetch", &["-4", "-q", "-T", "20", "-O", "-", "--"]),
    ("curl", &["-4", "-s", "-f", "-L", "-m", "25", "--"]),
    ("wget", &["-4", "-q", "-t", "1", "-T", "20", "-O", "-", "--"]),
];

/// Fetches `url`, or says why it could not.
pub(super) async fn fetch(url: String) -> Result<(), String> {
    let answer = tokio::time::timeout(PATIENCE, fetch_by(PROGRAMS, &url)).await;
    answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

/// A program that runs no longer than somebody waits for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Errors name the program, and never the URL.
async fn fetch_by(programs: &[(&str, &[&str])], url: &str) -> Result<(), String> {
    let (program, mut running) = start(programs, url)?;
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut body = Vec::new();
    if let Some(output) = running.0.stdout.take() {
        let output = Receiver::from_owned_fd(OwnedFd::from(output)).map_err(failed)?;
        output.take(ANSWER).read_to_end(&mut body).await.map_err(failed)?;
    }
    let full = u64::try_from(body.len()).unwrap_or(u64::MAX) == ANSWER;
    loop {
        match running.0.try_wait().map_err(failed)? {
            Some(status) => return judge(program, status, full).and_then(|()| verdict(&body)),
            None => tokio::time::sleep(LOOK).await,
        }
    }
}

fn start<'a>(programs: &[(&'a str, &[&str])], url: &str) -> Result<(&'a str, Running), String> {
    for (program, arguments) in programs {
        let mut command = Command::new(program);
        command.args(*arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        match command.spawn() {
            Ok(child) => return Ok((program, Running(child))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("can't run {program}: {error}")),
        }
    }
    let names: Vec<&str> = programs.iter().map(|(name, _)| *name).collect();
    Err(format!("there is no program to fetch it with: install one of {}", names.join(", ")))
}

/// `full`: we closed the output of one that wrote more than is looked at, and it may have ended by that.
fn judge(program: &str, status: ExitStatus, full: bool) -> Result<(), String> {
    match status.code() {
        Some(0) => Ok(()),
        _ if full => Ok(()),
        Some(code) => Err(format!("{program} failed with code {code}")),
        None => Err(format!("{program} was killed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::errands::Errands;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    fn run(program: &'static str, arguments: &'static [&'static str], url: &str) -> Result<(), String> {
        block_on(fetch_by(&[("no-such-program", &[]), (program, arguments)], url))
    }

    #[test]
    fn the_first_program_that_is_there_is_run_and_its_answer_judged() {
        assert_eq!(run("echo", &["good"], "http://broker/"), Ok(()));
        assert_eq!(run("echo", &["badauth"], "x").unwrap_err(), "the broker says badauth: look at update_url");
        assert_eq!(run("false", &[], "http://secret/").unwrap_err(), "false failed with code 1");
        assert_eq!(run("yes", &[], "and more"), Ok(()), "it ends when nobody reads on");
        let none = block_on(fetch_by(&[("no-such-program", &[])], "http://secret/")).unwrap_err();
        assert_eq!(none, "there is no program to fetch it with: install one of no-such-program");
        // no shell: the URL is one argument as it is
        assert_eq!(run("echo", &["good"], "http://broker/?a=$(false)&b;exit 1"), Ok(()));
    }

    #[test]
    fn one_that_nobody_waits_for_any_more_is_killed() {
        block_on(async {
            let slow = fetch_by(&[("sleep", &[])], "600");
            let started = std::time::Instant::now();
            assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
            assert!(started.elapsed() < Duration::from_secs(5));
        });
    }

    #[test]
    fn a_url_is_fetched_by_what_this_machine_has() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/nic/update?hostname=7&password=p", server.local_addr().unwrap());
        let answers = [("200 OK", "good 192.0.2.1"), ("200 OK", "badauth"), ("401 Unauthorized", "")];
        let serving = std::thread::spawn(move || {
            answers.map(|(status, body)| {
                let (mut stream, _) = server.accept().unwrap();
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                String::from_utf8_lossy(&request[..length]).into_owned()
            })
        });
        let results = answers.map(|_| {
            block_on(async {
                let mut fetches = Errands::none();
                fetches.start("he", fetch(url.clone()));
                fetches.next().await
            })
        });
        if results[0].1.as_ref().is_err_and(|why| why.contains("there is no program")) {
            eprintln!("SKIP nothing to fetch with");
            return;
        }
        let [good, refused, failed] = results;
        assert_eq!(good, ("he".into(), Ok(())));
        assert!(refused.1.unwrap_err().contains("badauth"));
        let why = failed.1.unwrap_err();
        assert!(why.contains("failed with code") && !why.contains("password"), "{why}");
        let requests = serving.join().unwrap();
        assert!(
            requests.iter().all(|asked| asked.starts_with("GET /nic/update?hostname=7&password=p HTTP/1.")),
            "{requests:?}"
        );
    }
}

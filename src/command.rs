//! The command line: arguments → command → exit status.

use crate::config::{self, Severity};
use crate::control::{client, show};
use crate::daemon::{self, Paths};
#[cfg(feature = "replay")]
use crate::kernel::linux;
use crate::net::Prefix;
use crate::proto::names;
#[cfg(feature = "replay")]
use crate::sim::{self, Script};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
oasis6: IPv6 for any network

  oasis6 run        serve, in the foreground (the init script does this)
  oasis6 check      check the configuration; exit status 1 if it has an error
  oasis6 plan       show what `run` would change on this machine; change nothing
  oasis6 status     what is served, and what is wrong
  oasis6 uplinks    which ways to the Internet there are, and what became of them
  oasis6 leases     who has which address and prefix
  oasis6 names      what hosts are called, and the zones that say so
  oasis6 hash lookup NAME [PREFIX]
                    the address made of a name, in fe80::/64 and every LAN's /64
  oasis6 hash attach|detach NAME
                    give the router that address on every LAN, or take it away
  oasis6 monitor    what happens, as it happens
  oasis6 reload     read the configuration again; apply only the difference
  oasis6 withdraw   remove what a stopped daemon left in the kernel for the next one
  oasis6 key NAME   the public key of a WireGuard uplink, made if there is none yet
  oasis6 schema     every option with its default, range and meaning
  oasis6 replay F   live a recorded life of a simulated router again

  --config FILE     the configuration (/etc/config/oasis6); - for check and plan: standard input
  --network FILE    OpenWrt's interfaces (/etc/config/network)
  --ubus SOCKET     OpenWrt's bus (/var/run/ubus/ubus.sock)
  --json            for programs
  --version, help
";

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command that `arguments` (without the program's name) ask for.
pub fn main(arguments: &[String]) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(message) => return usage(&message),
    };
    let done = match options.command.as_str() {
        "help" => print(HELP),
        "version" => print(&format!("oasis6 {}\n", env!("CARGO_PKG_VERSION"))),
        "run" => daemon::run(options.paths).map_err(|fatal| fatal.0),
        "check" => return check(&options),
        "plan" => plan(&options),
        "status" => ask(&options, "status", show::status),
        "uplinks" => ask(&options, "uplinks", show::uplinks),
        "leases" => ask(&options, "leases", show::leases),
        "names" => ask(&options, "names", show::names),
        "hash" => match hash(&options) {
            Ok(done) => done,
            Err(message) => return usage(&message),
        },
        "reload" => ask(&options, "reload", show::reload),
        "monitor" => monitor(&options),
        "withdraw" => withdraw(&options),
        "key" => key(&options),
        "schema" => schema(&options),
        "replay" => replay(&options),
        other => return usage(&format!("there is no command '{other}'")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("oasis6: {message}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    command: String,
    operands: Vec<String>,
    paths: Paths,
    json: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options =
            Options { command: String::new(), operands: Vec::new(), paths: Paths::default(), json: false };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut file = |option: &str| {
                let value = rest.next().ok_or_else(|| format!("{option} needs a file"))?;
                Ok::<_, String>(PathBuf::from(value))
            };
            match argument.as_str() {
                "--config" => options.paths.config = file("--config")?,
                "--network" => options.paths.network = file("--network")?,
                "--ubus" => options.paths.ubus = file("--ubus")?,
                "--json" => options.json = true,
                "--version" | "-V" => options.command = "version".into(),
                "--help" | "-h" => options.command = "help".into(),
                option if option.starts_with('-') => return Err(format!("there is no option '{option}'")),
                word if options.command.is_empty() => options.command = word.into(),
                word if options.operands.len() < most_operands(&options.command) => options.operands.push(word.into()),
                word => return Err(format!("'{word}' is one word too many")),
            }
        }
        let once = matches!(&*options.command, "check" | "plan");
        match options.paths.config.to_str() {
            _ if options.command.is_empty() => Err("which command?".into()),
            Some("-") if !once => Err("only check and plan read a configuration from standard input".into()),
            _ => Ok(options),
        }
    }

    /// The running daemon's socket: where the configuration puts it, or the default place if it can't be read.
    fn socket(&self) -> PathBuf {
        Path::new(&daemon::load(&self.paths).run_dir).join("oasis6.sock")
    }
}

fn usage(message: &str) -> ExitCode {
    eprint!("oasis6: {message}\n\n{HELP}");
    ExitCode::from(2)
}

/// Prints; a reader that has gone (`oasis6 monitor | head`) ends the command, and is no error.
fn print(text: &str) -> Result<(), String> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.map_err(|error| format!("can't print: {error}")),
    }
}

fn print_json(value: &Value) -> Result<(), String> {
    print(&format!("{value:#}\n"))
}

fn check(options: &Options) -> ExitCode {
    let loaded = daemon::load(&options.paths);
    let done = if options.json {
        print_json(&loaded.check())
    } else {
        let mut lines = loaded.lines(Severity::Warning, &options.paths.config);
        if loaded.problems.is_empty() {
            lines.push(format!("{}: no problem found", options.paths.config.display()));
        }
        print(&(lines.join("\n") + "\n"))
    };
    if loaded.config.is_some() && done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(options: &Options) -> Result<(), String> {
    let answer = daemon::plan(daemon::load(&options.paths), &options.paths.config)?;
    if options.json { print_json(&answer) } else { print(&show::plan(&answer)) }
}

fn ask(options: &Options, method: &str, show: fn(&Value) -> String) -> Result<(), String> {
    let answer = client::call(&options.socket(), method, &Value::Null, PATIENCE)?;
    if options.json { print_json(&answer) } else { print(&show(&answer)) }
}

/// How many words may stand behind a command.
fn most_operands(command: &str) -> usize {
    match command {
        "replay" | "key" => 1,
        "hash" => 3,
        _ => 0,
    }
}

/// Addresses made of names. Errors: it was asked for in a way that nobody understands.
fn hash(options: &Options) -> Result<Result<(), String>, String> {
    let operands: Vec<&str> = options.operands.iter().map(String::as_str).collect();
    match operands.as_slice() {
        ["lookup", name] => Ok(look_up(options, name, &prefixes(options))),
        ["lookup", name, prefix] => {
            let prefix = prefix.parse().map_err(|error| format!("{error}"))?;
            Ok(look_up(options, name, &[prefix]))
        }
        [method @ ("attach" | "detach"), name] => {
            let answer = client::call(&options.socket(), method, &json!({ "name": name }), PATIENCE);
            Ok(answer.and_then(|_| match *method {
                "attach" => look_up(options, name, &prefixes(options)),
                _ => Ok(()),
            }))
        }
        _ => Err("hash lookup NAME [PREFIX], hash attach NAME, or hash detach NAME?".into()),
    }
}

/// fe80::/64, and what the running daemon gives to its LANs; if it does not run, that alone.
fn prefixes(options: &Options) -> Vec<Prefix> {
    let status = client::call(&options.socket(), "status", &Value::Null, PATIENCE).unwrap_or_default();
    let array = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let of_lans = array(&status, "lans").into_iter().flat_map(|lan| array(&lan, "prefixes"));
    let live = of_lans.filter(|prefix| prefix.get("router").is_some_and(|router| !router.is_null()));
    let given = live.filter_map(|prefix| prefix.get("prefix")?.as_str()?.parse().ok());
    std::iter::once(Prefix::LINK_LOCAL).chain(given).collect()
}

fn look_up(options: &Options, name: &str, prefixes: &[Prefix]) -> Result<(), String> {
    let name = config::host_name(name)?;
    let addresses: Vec<String> =
        names::hash::addresses(&name, prefixes.iter().copied()).map(|addr| addr.to_string()).collect();
    match options.json {
        true => print_json(&json!({ "name": name, "addresses": addresses })),
        false => print(&(addresses.join("\n") + "\n")),
    }
}

fn withdraw(options: &Options) -> Result<(), String> {
    let removed = daemon::withdraw(&daemon::load(&options.paths))?;
    print(&format!("{removed} addresses and routes removed\n"))
}

fn monitor(options: &Options) -> Result<(), String> {
    client::monitor(&options.socket(), |event| {
        let line = if options.json { event.to_string() } else { show::event(event) };
        print(&(line + "\n"))
    })
}

fn key(options: &Options) -> Result<(), String> {
    let Some(name) = options.operands.first() else { return Err("key needs the name of an uplink".into()) };
    let key = daemon::public_key(&daemon::load(&options.paths), name)?;
    if options.json { print_json(&json!({ "public_key": key })) } else { print(&format!("{key}\n")) }
}

fn schema(options: &Options) -> Result<(), String> {
    if options.json { print_json(&config::render::json()) } else { print(&config::render::text()) }
}

#[cfg(not(feature = "replay"))]
fn replay(_: &Options) -> Result<(), String> {
    Err("this oasis6 was built without its simulator; replay the file with a full one".into())
}

/// Lives a simulated router's life again, from a file, or a new one from `seed:NUMBER:DAYS`.
#[cfg(feature = "replay")]
fn replay(options: &Options) -> Result<(), String> {
    let Some(operand) = options.operands.first() else {
        return Err("replay needs a file, or seed:NUMBER:DAYS for a life drawn at random".into());
    };
    let script = match operand.strip_prefix("seed:").and_then(|rest| rest.split_once(':')) {
        Some((seed, days)) => {
            let wrong = |_| format!("'{operand}' is not seed:NUMBER:DAYS");
            Script::draw(seed.parse().map_err(wrong)?, days.parse().map_err(wrong)?)
        }
        None => {
            let text = std::fs::read_to_string(operand).map_err(|error| format!("{operand}: {error}"))?;
            Script::from_text(&text).map_err(|error| format!("{operand}: {error}"))?
        }
    };
    let started = linux::boottime();
    let summary = sim::live(&script).map_err(|failure| {
        let file = format!("oasis6-life-{}", script.seed);
        let kept = operand.starts_with("seed:") && std::fs::write(&file, script.to_text()).is_ok();
        if kept { format!("{failure}\nthe life stands in {file}: oasis6 replay {file}") } else { failure.to_string() }
    })?;
    let took = linux::boottime().since(started).as_secs_f32();
    print(&format!("{summary}; lived in {took:.1} s\n"))
}

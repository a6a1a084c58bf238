//! The server and the client, with real sockets and a loop like the daemon's.

use super::client;
use super::connection::MAX_QUEUE;
use super::request::MAX_LINE;
use super::server::{MAX_CLIENTS, MAX_WATCHERS, Request, Server};
use super::{Error, show};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const PATIENT: Duration = Duration::from_secs(10);
const HASTY: Duration = Duration::from_millis(300);
/// How long what must come is waited for, on a machine that has other things to do.
const SURELY: Duration = Duration::from_secs(60);

/// Bytes of a large answer: far more than a socket takes at once.
const LARGE: usize = 3_000_000;
/// Bytes of an answer that is more than a socket takes at once, and doesn't keep a slow machine busy.
const LONGER: usize = 300_000;

/// A directory for one socket.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("oasis6-control-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("oasis6.sock")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A loop that answers, and notes by how much it was ever late.
struct Daemon {
    place: Place,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    latest: Arc<Mutex<Duration>>,
}

impl Daemon {
    fn start(patience: Duration) -> Daemon {
        let place = Place::new();
        let (path, latest) = (place.socket(), Arc::new(Mutex::new(Duration::ZERO)));
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::channel();
        let late = latest.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&path).unwrap().with_patience(patience);
                ready.send(()).unwrap();
                serve(server, stopped, &late).await;
            });
        });
        is_ready.recv().unwrap();
        Daemon { place, stop: Some(stop), thread: Some(thread), latest }
    }

    fn path(&self) -> PathBuf {
        self.place.socket()
    }

    fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        client::call(&self.path(), method, &params, PATIENT)
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.path()).unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        stream.set_write_timeout(Some(PATIENT)).unwrap();
        Client(BufReader::new(stream))
    }

    fn watch(&self) -> Client {
        let mut client = self.connect();
        client.send(b"{\"method\":\"monitor\"}\n");
        assert_eq!(client.line().unwrap()["event"], "hello");
        client
    }

    fn dropped(&self, reason: &str) -> u64 {
        self.call("status", Value::Null).unwrap()["dropped"][reason].as_u64().unwrap()
    }

    fn until(&self, is: impl Fn(&Value) -> bool) {
        let end = Instant::now() + SURELY;
        while !is(&self.call("status", Value::Null).unwrap_or_default()) {
            assert!(Instant::now() < end, "{:?}", self.call("status", Value::Null));
            sleep(Duration::from_millis(10));
        }
    }

    /// Whether it still answers, and was never held up (a client that could would do so as long as it is heard).
    fn is_well(&self) {
        assert_eq!(self.call("echo", json!({ "are": "you well?" })), Ok(json!({ "are": "you well?" })));
        let latest = *self.latest.lock().unwrap();
        assert!(latest < PATIENT, "the loop was late by {latest:?}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

async fn serve(mut server: Server, mut stopped: oneshot::Receiver<()>, late: &Mutex<Duration>) {
    const TICK: Duration = Duration::from_millis(2);
    let mut due = Instant::now() + TICK;
    let mut kept = Vec::new();
    loop {
        tokio::select! {
            request = server.next() => answer(&mut server, request, &mut kept),
            () = tokio::time::sleep_until(due.into()) => {
                let mut late = late.lock().unwrap();
                *late = due.elapsed().max(*late);
                due = Instant::now() + TICK;
            }
            _ = &mut stopped => return,
        }
    }
}

fn answer(server: &mut Server, request: Request, kept: &mut Vec<Request>) {
    match request.method.as_str() {
        "echo" => request.reply.send(Ok(request.params)),
        "status" => request.reply.send(Ok(server.status())),
        "leases" => request.reply.send(Ok(many_leases())),
        "large" => request.reply.send(Ok("x".repeat(LARGE).into())),
        "longer" => request.reply.send(Ok("x".repeat(LONGER).into())),
        "drop" => drop(request),
        "keep" => kept.push(request),
        "publish" => {
            for number in 0..request.params["count"].as_u64().unwrap() {
                server.publish(&json!({ "event": "number", "number": number, "text": request.params["text"] }));
            }
            request.reply.send(Ok(json!(server.is_watched())));
        }
        _ => request.reply.send(Err(Error::new("method", "there is no such method"))),
    }
}

fn many_leases() -> Value {
    let lease = |number: u32| {
        json!({
            "lan": "home", "kind": "address", "resource": format!("2001:db8:12:1::{number:x}"),
            "duid": format!("0003000102005e{number:06x}"), "iaid": format!("{number:08x}"),
            "hostname": format!("host-{number}"), "via": format!("fe80::{number:x}"), "preferred": 3600, "valid": 7200,
        })
    };
    json!({ "leases": (0..10_000).map(lease).collect::<Vec<_>>() })
}

struct Client(BufReader<UnixStream>);

impl Client {
    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn code(&mut self) -> String {
        self.line().unwrap()["error"]["code"].as_str().unwrap().to_owned()
    }

    fn is_over(&mut self) -> bool {
        self.line().is_none()
    }
}

#[test]
fn questions_are_answered() {
    let daemon = Daemon::start(PATIENT);
    assert_eq!(daemon.call("echo", json!({ "a": [1, "ä\n\u{1b}"] })), Ok(json!({ "a": [1, "ä\n\u{1b}"] })));
    assert_eq!(daemon.call("echo", Value::Null), Ok(Value::Null));
    assert_eq!(daemon.call("unknown", Value::Null), Err("there is no such method".into()));
    assert!(daemon.call("drop", Value::Null).unwrap_err().contains("no answer"));
    daemon.is_well();
}

#[test]
fn a_connection_may_carry_many_questions() {
    let daemon = Daemon::start(PATIENT);
    let mut client = daemon.connect();
    let all: String = (0..1000).map(|n| format!("{{\"method\":\"echo\",\"params\":{{\"n\":{n}}}}}\n")).collect();
    client.send(all.as_bytes());
    for n in 0..1000 {
        assert_eq!(client.line(), Some(json!({ "result": { "n": n } })));
    }
    client.0.get_mut().shutdown(Shutdown::Write).unwrap();
    assert!(client.is_over());
}

#[test]
fn a_question_is_answered_though_the_client_will_say_no_more() {
    let daemon = Daemon::start(PATIENT);
    let mut client = daemon.connect();
    client.send(b"{\"method\":\"echo\",\"params\":{\"n\":7}}\n");
    client.0.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.line(), Some(json!({ "result": { "n": 7 } })));
    assert!(client.is_over());
}

#[test]
fn a_question_may_arrive_byte_by_byte() {
    let daemon = Daemon::start(PATIENT);
    let mut client = daemon.connect();
    for byte in b"{\"method\":\"echo\",\"params\":{\"n\":7}}\n" {
        client.send(&[*byte]);
        sleep(Duration::from_millis(1));
    }
    assert_eq!(client.line(), Some(json!({ "result": { "n": 7 } })));
}

#[test]
fn whoever_talks_nonsense_is_told_so_and_leaves() {
    let daemon = Daemon::start(PATIENT);
    let long = [vec![b'x'; MAX_LINE + 1], b"\n".to_vec()].concat();
    let nonsense: [&[u8]; 7] =
        [b"\n", b"\0\0\0\n", b"\xff\xfe\n", b"GET / HTTP/1.1\r\n\r\n", b"{\"method\":7}\n", b"[1,2]\n", &long];
    for bytes in nonsense {
        let mut client = daemon.connect();
        // the daemon may end the connection before all is sent
        let _ = client.0.get_mut().write_all(bytes);
        assert_eq!(client.code(), "request");
        assert!(client.is_over());
    }
    let mut client = daemon.connect();
    client.send(b"{\"method\":\"st");
    client.0.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.code(), "request");
    assert_eq!(daemon.dropped("malformed"), 8);
    daemon.is_well();
}

#[test]
fn a_client_that_vanishes_leaves_nothing_behind() {
    let daemon = Daemon::start(PATIENT);
    for bytes in [&b""[..], b"{\"met", b"{\"method\":\"longer\"}\n", b"{\"method\":\"monitor\"}\n"] {
        for _ in 0..2 * MAX_CLIENTS {
            // the kernel keeps what is sent before the daemon takes the connection
            let mut client = UnixStream::connect(daemon.path()).unwrap();
            let _ = client.write_all(bytes);
        }
        daemon.until(|status| status["clients"] == 1);
    }
    daemon.is_well();
}

#[test]
fn idle_clients_are_told_that_their_time_is_over() {
    let daemon = Daemon::start(HASTY);
    let mut silent = daemon.connect();
    let mut half = daemon.connect();
    half.send(b"{\"method\":");
    let mut asked = daemon.connect();
    asked.send(b"{\"method\":\"echo\"}\n");
    assert_eq!(asked.line(), Some(json!({ "result": null })));
    for client in [&mut silent, &mut half, &mut asked] {
        assert_eq!(client.code(), "timeout");
        assert!(client.is_over());
    }
    assert_eq!(daemon.dropped("late"), 3);
    daemon.is_well();
}

#[test]
fn a_byte_now_and_then_buys_no_time() {
    let daemon = Daemon::start(HASTY);
    let mut client = daemon.connect();
    let begun = Instant::now();
    while client.0.get_mut().write_all(b" ").is_ok() {
        assert!(begun.elapsed() < PATIENT);
        sleep(Duration::from_millis(20));
    }
    assert_eq!(client.code(), "timeout");
}

#[test]
fn watchers_may_be_silent_for_ever() {
    let daemon = Daemon::start(HASTY);
    let mut watcher = daemon.watch();
    sleep(3 * HASTY);
    daemon.call("publish", json!({ "count": 1 })).unwrap();
    assert_eq!(watcher.line().unwrap()["number"], 0);
    watcher.send(&[b'x'; 100_000]);
    daemon.call("publish", json!({ "count": 1 })).unwrap();
    assert_eq!(watcher.line().unwrap()["number"], 0);
    drop(watcher);
    daemon.until(|status| status["watchers"] == 0);
}

#[test]
fn only_so_many_are_taken_and_the_others_told() {
    let daemon = Daemon::start(PATIENT);
    let mut taken: Vec<Client> = (0..MAX_CLIENTS).map(|_| daemon.connect()).collect();
    for client in &mut taken {
        client.send(b"{\"method\":\"echo\"}\n");
        assert_eq!(client.line(), Some(json!({ "result": null })));
    }
    for _ in 0..3 {
        let mut refused = daemon.connect();
        assert_eq!(refused.code(), "busy");
        assert!(refused.is_over());
    }
    assert!(daemon.call("echo", Value::Null).unwrap_err().contains("try again"));
    let mut client = taken.pop().unwrap();
    client.send(b"{\"method\":\"status\"}\n");
    assert_eq!(client.line().unwrap()["result"]["dropped"]["busy"], 4);
    drop(taken);
    client.send(b"{\"method\":\"echo\"}\n");
    assert_eq!(client.line(), Some(json!({ "result": null })));
    daemon.until(|status| status["clients"] == 2);
    daemon.is_well();
}

#[test]
fn watchers_leave_room_for_questions() {
    let daemon = Daemon::start(PATIENT);
    let _watchers: Vec<Client> = (0..MAX_WATCHERS).map(|_| daemon.watch()).collect();
    let mut refused = daemon.connect();
    refused.send(b"{\"method\":\"monitor\"}\n");
    assert_eq!(refused.code(), "busy");
    daemon.is_well();
}

#[test]
fn a_flood_of_connections_holds_nobody_up() {
    let daemon = Daemon::start(HASTY);
    let flood = |bytes: &'static [u8]| {
        let path = daemon.path();
        std::thread::spawn(move || {
            for _ in 0..2000 {
                if let Ok(mut client) = UnixStream::connect(&path) {
                    let _ = client.write_all(bytes);
                }
            }
        })
    };
    for thread in [flood(b""), flood(b"{\"method\":\"echo\"}\n"), flood(b"nonsense\n"), flood(&[0; 5000])] {
        thread.join().unwrap();
    }
    daemon.until(|status| status["clients"] == 1);
    daemon.is_well();
}

#[test]
fn large_answers_arrive_whole() {
    let daemon = Daemon::start(PATIENT);
    let answer = daemon.call("leases", Value::Null).unwrap();
    assert_eq!(answer, many_leases());
    assert_eq!(show::leases(&answer).lines().count(), 10_003);
    daemon.is_well();
}

#[test]
fn clients_that_never_read_hold_nobody_up_and_are_dropped() {
    let daemon = Daemon::start(10 * HASTY);
    let mut deaf: Vec<Client> = (0..MAX_CLIENTS - 1).map(|_| daemon.connect()).collect();
    for client in &mut deaf {
        client.send(b"{\"method\":\"large\"}\n");
    }
    daemon.until(|status| status["clients"] == 1);
    // the first ones' answers wait to be taken, and the others get none for that reason
    let status = daemon.call("status", Value::Null).unwrap();
    assert!(status["dropped"]["late"].as_u64() >= Some(2), "{status}");
    assert!(status["dropped"]["busy"].as_u64() >= Some(10), "{status}");
    daemon.is_well();
}

#[test]
fn a_slow_watcher_is_told_what_it_lost_and_leaves() {
    let daemon = Daemon::start(PATIENT);
    let (mut slow, mut quick) = (daemon.watch(), daemon.watch());
    let text = "x".repeat(1000);
    for _ in 0..40 {
        assert_eq!(daemon.call("publish", json!({ "count": 100, "text": text })), Ok(json!(true)));
        assert!((0..100).all(|number| quick.line().unwrap()["number"] == number));
    }
    assert_eq!(daemon.dropped("lost"), 1);
    let mut events: Vec<Value> = std::iter::from_fn(|| slow.line()).collect();
    assert_eq!(events.pop().unwrap()["event"], "lost");
    let numbers = events.iter().map(|event| event["number"].as_u64().unwrap());
    assert!(numbers.eq((0..).map(|number| number % 100).take(events.len())), "what came before is whole");
    assert!(events.len() * 1000 < 2 * MAX_QUEUE, "{}", events.len());
    daemon.is_well();
}

#[test]
fn events_reach_watchers_and_nobody_else() {
    let daemon = Daemon::start(PATIENT);
    assert_eq!(daemon.call("publish", json!({ "count": 3 })), Ok(json!(false)));
    let mut events = Vec::new();
    let mut asker = daemon.connect();
    asker.send(b"{\"method\":\"publish\",\"params\":{\"count\":2}}\n");
    assert_eq!(asker.line(), Some(json!({ "result": false })));
    let path = daemon.path();
    let result = client::monitor(&path, |event| {
        events.push(event.clone());
        if events.len() == 1 {
            daemon.call("publish", json!({ "count": 2 })).unwrap();
        }
        if events.len() == 3 { Err("enough".into()) } else { Ok(()) }
    });
    assert_eq!(result, Err("enough".into()));
    let [hello, first, second] = &events[..] else { panic!("{events:?}") };
    assert_eq!(hello, &json!({ "event": "hello", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!((&first["number"], &second["number"]), (&json!(0), &json!(1)));
}

#[test]
fn a_watcher_hears_that_the_daemon_has_stopped() {
    let daemon = Daemon::start(PATIENT);
    let path = daemon.path();
    let (told, hello) = mpsc::channel();
    let watcher = std::thread::spawn(move || client::monitor(&path, |_| told.send(()).map_err(|e| e.to_string())));
    hello.recv().unwrap();
    drop(daemon);
    assert_eq!(watcher.join().unwrap(), Err("oasis6 has stopped".into()));
}

#[test]
fn an_answer_is_waited_for_only_so_long() {
    let daemon = Daemon::start(PATIENT);
    let error = client::call(&daemon.path(), "keep", &Value::Null, Duration::from_millis(100)).unwrap_err();
    assert!(error.starts_with("oasis6 did not answer within 0 s"), "{error}");
    daemon.is_well();
}

#[test]
fn the_socket_is_for_root_alone_and_goes_with_the_daemon() {
    let daemon = Daemon::start(PATIENT);
    let path = daemon.path();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let again = bind(&path).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
    assert!(again.to_string().contains("another oasis6"), "{again}");
    daemon.is_well();
}

fn bind(path: &Path) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Server::bind(path).map(|_| ()) })
}

#[test]
fn a_socket_that_nobody_listens_to_is_replaced_and_nothing_else_is() {
    let place = Place::new();
    drop(UnixListener::bind(place.socket()).unwrap());
    assert!(place.socket().exists());
    bind(&place.socket()).unwrap();
    assert!(!place.socket().exists(), "taken away at the end");

    std::fs::write(place.socket(), "precious").unwrap();
    assert!(bind(&place.socket()).unwrap_err().to_string().contains("no socket"));
    assert_eq!(std::fs::read_to_string(place.socket()).unwrap(), "precious");

    std::os::unix::fs::symlink(place.socket(), place.0.join("link")).unwrap();
    assert!(bind(&place.0.join("link")).is_err());
    assert!(bind(&place.0.join("not there").join("oasis6.sock")).is_err());
    assert!(bind(&place.0.join("x".repeat(200))).is_err());
}

#[test]
fn who_can_not_reach_the_daemon_is_told_what_to_do() {
    let place = Place::new();
    let call = |path: &Path| client::call(path, "status", &Value::Null, PATIENT).unwrap_err();
    let socket = place.socket();
    let error = call(&socket);
    assert_eq!(
        error,
        format!("oasis6 is not running (no socket at {}); start it with `service oasis6 start`", socket.display())
    );
    let listener = UnixListener::bind(&socket).unwrap();
    let silent = client::call(&socket, "status", &Value::Null, Duration::from_millis(50)).unwrap_err();
    assert!(silent.contains("did not answer"), "{silent}");
    drop(listener);
    assert!(call(&socket).contains("nobody listens"), "{}", call(&socket));
    assert!(client::monitor(&socket, |_| Ok(())).unwrap_err().contains("not running"));
}

#[test]
fn a_stranger_at_the_socket_is_noticed() {
    let place = Place::new();
    let listener = UnixListener::bind(place.socket()).unwrap();
    let answers: [&[u8]; 4] =
        [b"hello\n", b"{}\n", b"", b"{\"error\":{\"code\":\"config\",\"message\":\"line 1: \\u001b[2J\\nline 2\"}}\n"];
    let stranger = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 100];
            let _ = stream.read(&mut bytes).unwrap();
            stream.write_all(answer).unwrap();
        }
    });
    for told in ["did not answer in JSON", "no answer that we understand", "ended before", "line 1: ?[2J\nline 2"] {
        let error = client::call(&place.socket(), "status", &Value::Null, PATIENT).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    stranger.join().unwrap();
}

#[test]
fn the_access_list_for_luci_names_every_method_and_no_other() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("files/usr/share/rpcd/acl.d/oasis6.json");
    let list: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let may = |what: &str| list["oasis6"][what]["ubus"]["oasis6"].as_array().unwrap().clone();
    let mut named = [may("read"), may("write")].concat();
    let mut methods: Vec<Value> = super::METHODS.iter().map(|method| (*method).into()).collect();
    named.sort_by_key(Value::to_string);
    methods.sort_by_key(Value::to_string);
    assert_eq!(named, methods);
}

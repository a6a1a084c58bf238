//! The control socket under hostile callers: the daemon goes on, and its owner is answered.

use super::bed::{Bed, SHORT_LIVED, SOON};
use super::netns::{ready, wait_until};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

#[test]
fn garbage_silence_and_floods_on_the_socket_hurt_nobody() {
    if !ready(&[]) {
        return;
    }
    let bed = Bed::serving(SHORT_LIVED);
    let socket = bed.folder.join("run").join("oasis6.sock");
    let before = bed.memory();
    let mut open = Vec::new();
    for number in 0..300_u32 {
        let Ok(mut stream) = UnixStream::connect(&socket) else { continue };
        stream.set_write_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let _ = match number % 4 {
            0 => Ok(()), // says nothing
            1 => stream.write_all(&[0xff; 4096]),
            2 => stream.write_all(b"{\"method\":\"status\"}\n".repeat(2000).as_slice()), // asks, never reads
            _ => stream.write_all(&b"[".repeat(200_000)),
        };
        open.push(stream);
    }
    let asked = Instant::now();
    assert!(wait_until(SOON, || bed.oasis6("status").status.success()), "its owner is not answered:\n{}", bed.log());
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    let after = bed.memory();
    assert!(after < before + 8 * 1024, "memory went from {before} to {after} KiB");
    drop(open);
    assert!(wait_until(SOON, || bed.oasis6("leases").status.success()), "{}", bed.log());
}

//! Who has a UDP port: its socket's inode in /proc/net/udp6, and the process that has that inode open.

use std::fs;
use std::io;

/// `error` in words, if it says that `port` is taken or may not be taken; else `error` itself.
pub(super) fn explain(error: io::Error, port: u16) -> io::Error {
    let message = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let table = fs::read_to_string("/proc/thread-self/net/udp6").unwrap_or_default();
            match inodes(&table, port).iter().find_map(|inode| process(inode)) {
                Some(holder) => format!("port {port} is taken by {holder}"),
                None => format!("port {port} is taken by another program"),
            }
        }
        io::ErrorKind::PermissionDenied => format!("port {port} is for root only; run as root"),
        _ => return error,
    };
    io::Error::new(error.kind(), message)
}

/// Inodes of the sockets bound to `port` in a table like /proc/net/udp6.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let local = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let bound = fields.nth(1).is_some_and(|address| address.ends_with(&local));
            // sl local remote st queues timer retransmits uid timeout inode: eight after the local address
            fields.nth(7).filter(|_| bound).map(str::to_owned)
        })
        .collect()
}

/// Name and number of a process that has the socket with this inode open.
fn process(inode: &str) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(files) = fs::read_dir(entry.path().join("fd")) else { continue };
        let has = |file: fs::DirEntry| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == &*wanted);
        if files.flatten().any(has) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  361: 00000000000000000000000000000000:0222 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11 2 0000000000000000 0
  362: 00000000000000000000000000000000:0223 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16931 2 0000000000000000 0
  363: 000080FE000000000000000001000000:0223 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 16932 2 0000000000000000 0
";

    #[test]
    fn sockets_of_a_port_are_found_in_the_table() {
        assert_eq!(inodes(TABLE, 547), ["16931", "16932"]);
        assert_eq!(inodes(TABLE, 546), ["11"]);
        assert!(inodes(TABLE, 80).is_empty());
        assert!(inodes("", 547).is_empty());
        assert!(inodes("x\n1: 2:0223", 547).is_empty());
    }
}

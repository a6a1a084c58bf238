//! What the store costs: `cargo bench --bench store [FOLDER]`. FOLDER should lie in a tmpfs, as `run_dir` does.

use oasis6::net::{Duid, Instant, Lifetimes, Prefix, Until};
use oasis6::proto::dhcp6::{Binding, Record, Resource, State};
use oasis6::store::{Store, disk::Disk};
use std::hint::black_box;
use std::path::PathBuf;
use std::time;

/// Clients, each with one delegated prefix.
const CLIENTS: u32 = 10_000;
/// Records written in each run.
const RECORDS: usize = 500_000;

fn binding(client: u32) -> Binding {
    let [a, b, c, d] = client.to_be_bytes();
    let site = Prefix::new([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].into(), 32);
    Binding {
        resource: Resource::Prefix(site.and_then(|site| site.subnet(client.into(), 60)).unwrap_or(Prefix::ALL)),
        client: Duid::new(&[0, 1, 0, 1, 0x2f, 3, 4, 5, 2, 0, a, b, c, d]).unwrap_or_else(|| Duid::uuid([0; 16])),
        iaid: client,
        lan: "home".into(),
        via: "fe80::200:5eff:fe00:5301".parse().unwrap_or(std::net::Ipv6Addr::LOCALHOST),
        lifetimes: Lifetimes::new(Until::At(Instant(43_200_000)), Until::At(Instant(86_400_000))),
        state: State::Bound,
        hostname: "laptop".into(),
    }
}

fn main() {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-')).map(PathBuf::from);
    let folder = folder.unwrap_or_else(std::env::temp_dir).join(format!("oasis6-bench-{}", std::process::id()));
    let open = || match Disk::new(&folder.join("run"), &folder.join("state")) {
        Ok(disk) => Store::open(disk, "boot", Instant(0)),
        Err(error) => panic!("{error}"),
    };
    let bindings: Vec<_> = (0..CLIENTS).map(binding).collect();
    let records: Vec<_> = bindings.iter().cloned().map(Record::Put).collect();
    for turn in [1, 8, 64] {
        let (mut store, _) = open();
        let (mut done, mut compactions) = (0, 0);
        let begun = time::Instant::now();
        for records in records.chunks(turn).cycle() {
            if let Err(error) = store.commit(records, Instant(1)) {
                panic!("{error}");
            }
            if store.needs_compaction() {
                store.compact(bindings.iter(), Instant(1));
                compactions += 1;
            }
            done += records.len();
            if done >= RECORDS {
                break;
            }
        }
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        println!("VALUE store_records_per_s_{turn}_a_turn {rate:.0}");
        println!("# of which compactions: {compactions}, of {CLIENTS} bindings each");
    }
    let begun = time::Instant::now();
    let (mut store, found) = open();
    println!("VALUE store_open_ms {:.1}", begun.elapsed().as_secs_f64() * 1e3);
    println!("# {} bindings found", black_box(found).bindings.len());
    for (name, run) in [("compact", true), ("flush", false)] {
        let begun = time::Instant::now();
        match run {
            true => store.compact(bindings.iter(), Instant(2)),
            false => store.flush(bindings.iter(), Instant(2)),
        }
        println!("VALUE store_{name}_ms {:.1}", begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("{:#}", store.status(Instant(2)));
    drop(store);
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        eprintln!("{}: {error}", folder.display());
    }
}

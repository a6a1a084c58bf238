use super::*;
use crate::net::{Duid, Instant, Lifetimes};
use crate::proto::dhcp6::{Binding, Record, Resource, State};
use crate::store::{Memory, Store};
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

const NOW: Instant = Instant(1_000_000);

/// A folder that is gone after the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("oasis6-store-{}-{test}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    fn state(&self) -> PathBuf {
        self.0.join("etc/state")
    }

    fn open(&self) -> (Store<Disk>, crate::store::Found) {
        Store::open(Disk::new(&self.run(), &self.state()).unwrap(), "boot", NOW)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn binding(number: u16) -> Binding {
    Binding {
        resource: Resource::Address(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number)),
        client: Duid::uuid([1; 16]),
        iaid: 1,
        lan: "home".into(),
        via: "fe80::1".parse().unwrap(),
        lifetimes: Lifetimes::FOREVER,
        state: State::Bound,
        hostname: "laptop".into(),
    }
}

fn memory() -> Memory {
    Memory { ula: "fd12:3456:789a::/48".parse().ok(), duid: Some(Duid::uuid([2; 16])), ..Memory::default() }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn bindings_and_memory_come_back_from_real_files() {
    let folder = Folder::new("real");
    let (mut store, found) = folder.open();
    assert_eq!(found.bindings, []);
    store.remember(&memory(), NOW);
    store.commit(&[Record::Put(binding(1)), Record::Put(binding(2))], NOW).unwrap();
    store.commit(&[Record::Delete(binding(1).resource)], NOW).unwrap();
    store.tick(NOW);
    drop(store);
    let (mut store, found) = folder.open();
    assert_eq!((found.memory, found.bindings.as_slice()), (memory(), [binding(2)].as_slice()));
    assert_eq!(found.reports, Vec::<String>::new());
    store.commit(&[Record::Put(binding(3))], NOW).unwrap();
    store.shutdown([binding(2), binding(3)].iter(), NOW);
    drop(store);
    assert_eq!(names(&folder.run()), ["journal", "memory.now"], "nothing else is left behind");
    assert_eq!(names(&folder.state()), ["bindings", "memory"]);

    fs::remove_dir_all(folder.run()).unwrap();
    let (_, found) = folder.open();
    assert_eq!((found.memory, found.bindings), (memory(), vec![binding(2), binding(3)]));
}

#[test]
fn one_folder_for_both_works_too() {
    let folder = Folder::new("one");
    let open = || Store::open(Disk::new(&folder.0, &folder.0).unwrap(), "boot", NOW);
    let (mut store, _) = open();
    store.remember(&memory(), NOW);
    store.commit(&[Record::Put(binding(1))], NOW).unwrap();
    store.flush([binding(1)].iter(), NOW);
    store.tick(NOW);
    store.commit(&[Record::Put(binding(2))], NOW).unwrap();
    let (_, found) = open();
    assert_eq!((found.memory, found.bindings.len(), found.reports.len()), (memory(), 2, 0));
}

#[test]
fn folders_and_files_are_nobody_elses() {
    let folder = Folder::new("modes");
    let (mut store, _) = folder.open();
    store.flush([binding(1)].iter(), NOW);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(folder.run()), mode(folder.state())], [0o700, 0o700]);
    assert_eq!([mode(folder.run().join("journal")), mode(folder.state().join("bindings"))], [0o600, 0o600]);
}

#[test]
fn a_clock_set_back_or_forward_ten_years_changes_nothing() {
    let folder = Folder::new("clock");
    let (mut store, _) = folder.open();
    store.remember(&memory(), NOW);
    store.commit(&[Record::Put(binding(1))], NOW).unwrap();
    store.tick(NOW);
    store.flush([binding(1)].iter(), NOW);
    let decade = Duration::from_secs(3652 * 86_400);
    for time in [SystemTime::now() - decade, SystemTime::now() + decade] {
        for path in [folder.run(), folder.state()] {
            for name in names(&path) {
                fs::File::open(path.join(name)).unwrap().set_modified(time).unwrap();
            }
        }
        let (_, found) = folder.open();
        assert_eq!((found.memory, found.bindings), (memory(), vec![binding(1)]));
        assert_eq!(found.reports, Vec::<String>::new());
    }
}

#[test]
fn a_folder_that_can_not_be_made_is_named_with_the_remedy() {
    let folder = Folder::new("in-the-way");
    fs::write(folder.0.join("run"), "").unwrap();
    let error = Disk::new(&folder.run(), &folder.state()).unwrap_err();
    assert!(error.contains(folder.run().to_str().unwrap()), "{error}");
    assert!(error.contains("set run_dir to another folder"), "{error}");
}

#[test]
fn a_file_in_the_place_of_the_flash_folder_is_reported_and_leases_are_given_all_the_same() {
    let folder = Folder::new("no-flash");
    fs::create_dir_all(folder.0.join("etc")).unwrap();
    fs::write(folder.state(), "").unwrap();
    let (mut store, found) = folder.open();
    assert!(found.reports.iter().all(|report| report.contains("etc/state")), "{:?}", found.reports);
    store.commit(&[Record::Put(binding(1))], NOW).unwrap();
    store.flush([binding(1)].iter(), NOW);
    let report = store.reports().last().unwrap();
    assert!(report.contains("etc/state") && report.contains("state_dir"), "{report}");
    fs::remove_file(folder.state()).unwrap();
    store.flush([binding(1)].iter(), NOW);
    assert_eq!(names(&folder.state()), ["bindings"]);
}

#[test]
fn a_journal_that_somebody_removed_refuses_and_is_made_anew() {
    let folder = Folder::new("removed");
    let (mut store, _) = folder.open();
    store.commit(&[Record::Put(binding(1))], NOW).unwrap();
    fs::remove_dir_all(folder.run()).unwrap();
    let error = store.commit(&[Record::Put(binding(2))], NOW).unwrap_err();
    assert!(error.contains("somebody removed it"), "{error}");
    let later = NOW.after_secs(1);
    store.tick(later);
    assert!(store.needs_compaction());
    store.compact([binding(1), binding(2)].iter(), later);
    store.commit(&[Record::Put(binding(3))], later).unwrap();
    assert_eq!(folder.open().1.bindings.len(), 3);
}

#[test]
fn what_a_crash_left_beside_a_file_is_no_hindrance() {
    let folder = Folder::new("leftover");
    fs::create_dir_all(folder.state()).unwrap();
    fs::write(folder.state().join("bindings.new"), "half").unwrap();
    let (mut store, _) = folder.open();
    store.flush([binding(1)].iter(), NOW);
    assert_eq!(names(&folder.state()), ["bindings"]);
}

#[test]
fn a_damaged_file_is_kept_aside_once() {
    let folder = Folder::new("aside");
    let (mut store, _) = folder.open();
    store.flush([binding(1)].iter(), NOW);
    drop(store);
    let path = folder.state().join("bindings");
    fs::write(&path, "rubbish\n").unwrap();
    let (mut store, found) = folder.open();
    assert_eq!(found.reports.len(), 1);
    assert_eq!(fs::read(folder.state().join("bindings.corrupt")).unwrap(), b"rubbish\n");
    store.flush([binding(1)].iter(), NOW);
    assert_eq!(folder.open().1.reports, Vec::<String>::new());
    assert_eq!(names(&folder.state()), ["bindings", "bindings.corrupt"]);
}

#[test]
fn a_folder_or_a_monster_in_the_place_of_a_file_is_reported() {
    let folder = Folder::new("monster");
    fs::create_dir_all(folder.state().join("memory")).unwrap();
    fs::File::create(folder.state().join("bindings")).unwrap().set_len(MAX_FILE).unwrap();
    let (_, found) = folder.open();
    let [bindings, memory] = found.reports.as_slice() else { panic!("{:?}", found.reports) };
    assert!(bindings.contains("larger than 64 MiB") && memory.contains("no file"), "{found:?}");
}

#[test]
fn one_who_only_looks_sees_the_same_and_writes_nothing() {
    let folder = Folder::new("look");
    let look = || Store::open(ReadOnly::new(&folder.run(), &folder.state()), "boot", NOW);
    let (_, found) = look();
    assert_eq!((found.bindings.len(), found.reports.len()), (0, 0));
    assert!(!folder.run().exists());
    let (mut store, _) = folder.open();
    store.commit(&[Record::Put(binding(1))], NOW).unwrap();
    let before = fs::read(folder.run().join("journal")).unwrap();
    let (mut other, found) = look();
    assert_eq!(found.bindings, [binding(1)]);
    assert!(other.commit(&[Record::Put(binding(2))], NOW).is_err());
    other.shutdown([binding(1)].iter(), NOW);
    assert_eq!(fs::read(folder.run().join("journal")).unwrap(), before);
    assert!(!folder.state().exists());
}

#[test]
fn two_can_not_have_the_lock_and_the_second_hears_who_has_it() {
    let folder = Folder::new("lock");
    Disk::new(&folder.run(), &folder.state()).unwrap();
    let lock = Lock::take(&folder.run()).unwrap();
    let error = Lock::take(&folder.run()).unwrap_err();
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    drop(lock);
    Lock::take(&folder.run()).unwrap();
    fs::remove_dir_all(folder.run()).unwrap();
    assert!(Lock::take(&folder.run()).unwrap_err().contains("run_dir"));
}

/// A tmpfs of 64 KiB, if we may mount one.
struct Small(PathBuf);

impl Small {
    fn mount(path: PathBuf) -> Option<Small> {
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Small(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_tmpfs_that_is_really_full_refuses_whole_turns_and_recovers() {
    let folder = Folder::new("full");
    let Some(_small) = Small::mount(folder.run()) else {
        eprintln!("not tested: mounting a tmpfs needs root");
        return;
    };
    let (mut store, _) = folder.open();
    let turn = |from: u16| (from..from + 7).map(|number| Record::Put(binding(number))).collect::<Vec<_>>();
    let mut kept = 0;
    let error = loop {
        match store.commit(&turn(kept), NOW) {
            Ok(()) => kept += 7,
            Err(error) => break error,
        }
    };
    assert!(kept > 100 && error.contains("make room"), "{kept}: {error}");
    assert_eq!(folder.open().1.bindings.len(), usize::from(kept), "whole turns only");

    // the others go, and there is room for a file with the rest
    let few: Vec<_> = (0..50).map(binding).collect();
    fs::remove_file(folder.run().join("journal")).unwrap();
    drop(store);
    let (mut store, _) = folder.open();
    store.compact(few.iter(), NOW);
    store.commit(&turn(1000), NOW).unwrap();
    assert_eq!(store.reports().count(), 0);
    assert_eq!(folder.open().1.bindings.len(), 57);
}

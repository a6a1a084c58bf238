//! Flipped bits, cut files, garbage, and files of another oasis6.

use super::*;
use proptest::prelude::*;

/// A router with ten bindings, five of them in the snapshot of its file.
fn router() -> Router {
    let mut router = Router::new(1);
    let records: Vec<_> = (1..=5).map(|resource| put(resource, resource as u8, HOUR, START)).collect();
    router.turn(&records, START).unwrap();
    router.store.flush(router.table.values(), START);
    router.store.compact(router.table.values(), START);
    let records: Vec<_> = (6..=10).map(|resource| put(resource, resource as u8, HOUR, START)).collect();
    router.turn(&records, START).unwrap();
    router
}

#[test]
fn any_flipped_bit_costs_at_most_the_record_it_is_in() {
    let router = router();
    for file in [File::RunBindings, File::FlashBindings] {
        let intact = router.store.medium().bytes(file).unwrap().clone();
        let all = bindings::read(&intact, false, "one", START).records.len();
        for at in 0..intact.len() {
            for bit in 0..8 {
                let mut bytes = intact.clone();
                bytes[at] ^= 1 << bit;
                let content = bindings::read(&bytes, false, "one", START);
                assert!(content.records.len() >= all - 1, "byte {at}, bit {bit}");
                assert!(
                    content.records.len() == all || content.damaged || content.torn,
                    "byte {at}, bit {bit} was not noticed"
                );
                for held in content.records.values().flatten() {
                    let number = u128::from_be_bytes(key(&held.binding.resource)[..16].try_into().unwrap()) as u64;
                    // the resource 4 is ::4/126, and so on
                    let expected = binding(number, number as u8, HOUR, START);
                    assert_eq!(held.binding, expected, "byte {at}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn a_damaged_file_is_kept_aside_and_reported_and_flash_fills_in() {
    let router = router();
    let expected = router.bindings();
    let mut fake = router.killed();
    let mut bytes = fake.bytes(File::RunBindings).unwrap().clone();
    // in the first binding, which is on flash too
    let at = bytes.windows(6).position(|window| window == b"laptop").unwrap();
    bytes[at] = b'L';
    fake.put(File::RunBindings, bytes.clone());
    let (router, found) = Router::start(fake, "one", START);
    assert_eq!(found.bindings, expected);
    let [report] = found.reports.as_slice() else { panic!("{:?}", found.reports) };
    assert_eq!(report, "run/journal is damaged; what could be read is used; it is kept as run/journal.corrupt");
    assert!(router.store.reports().any(|other| other == report), "as long as the daemon runs");
    assert_eq!(router.store.medium().aside(File::RunBindings), Some(&bytes));
    let (_, found) = Router::start(router.killed(), "one", START);
    assert_eq!(found.reports, none(), "it was mended");
}

#[test]
fn a_damaged_renewal_shortens_no_promise() {
    let mut router = Router::new(1);
    let later = START.after_secs(1000);
    router.turn(&[put(1, 1, HOUR, START)], START).unwrap();
    router.turn(&[put(1, 1, HOUR, later)], later).unwrap();
    let mut fake = router.killed();
    let mut bytes = fake.bytes(File::RunBindings).unwrap().clone();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fake.put(File::RunBindings, bytes);
    let (_, found) = Router::start(fake, "one", later);
    assert_eq!(found.bindings, [binding(1, 1, HOUR, later)]);
}

#[test]
fn a_released_binding_does_not_come_back_from_flash() {
    let mut router = router();
    router.turn(&[delete(2)], START).unwrap();
    let mut fake = router.killed();
    let mut bytes = fake.bytes(File::RunBindings).unwrap().clone();
    let at = bytes.windows(6).position(|window| window == b"laptop").unwrap();
    bytes[at] = b'L';
    fake.put(File::RunBindings, bytes);
    let (router, _) = Router::start(fake, "one", START);
    assert!(!router.table.contains_key(&key(&binding(2, 0, 0, START).resource)));
}

#[test]
fn a_damaged_flash_is_mended() {
    let router = router();
    let mut fake = router.cut();
    let mut bytes = fake.bytes(File::FlashBindings).unwrap().clone();
    // the last line says how many there should be
    bytes.truncate(bytes.len() - 5);
    fake.put(File::FlashBindings, bytes);
    let (mut router, found) = Router::start(fake, "two", START);
    assert_eq!((found.bindings.len(), found.reports.len()), (5, 1));
    router.sleep(START, START.after_secs(2));
    let (_, found) = Router::start(router.cut(), "three", START);
    assert_eq!((found.bindings.len(), found.reports.len()), (5, 0));
}

#[test]
fn an_empty_file_is_damaged() {
    for file in [File::RunBindings, File::FlashBindings, File::FlashMemory] {
        let mut fake = Fake::new(1);
        fake.put(file, Vec::new());
        assert_eq!(Router::start(fake, "one", START).1.reports.len(), 1, "{file:?}");
    }
}

#[test]
fn lines_of_a_newer_oasis6_are_passed_over_and_reported() {
    let mut bytes = Vec::new();
    bindings::header(&mut bytes, "one", START, false);
    line::Line::new(&mut bytes, "zone").word("whatever").close();
    line::Line::new(&mut bytes, "+").word("not-an-address").close();
    bindings::put(&mut bytes, &binding(1, 1, HOUR, START), HOUR);
    bindings::end(&mut bytes, 3);
    let mut fake = Fake::new(1);
    fake.put(File::RunBindings, bytes);
    let (_, found) = Router::start(fake, "one", START);
    assert_eq!(found.bindings, [binding(1, 1, HOUR, START)]);
    let [report] = found.reports.as_slice() else { panic!("{:?}", found.reports) };
    assert!(report.starts_with("run/journal has 2 lines of a newer oasis6"), "{report}");
}

#[test]
fn words_that_a_newer_oasis6_adds_to_a_line_are_passed_over() {
    let mut bytes = Vec::new();
    bindings::header(&mut bytes, "one", START, false);
    bindings::put(&mut bytes, &binding(1, 1, HOUR, START), HOUR);
    bindings::end(&mut bytes, 1);
    let longer: Vec<_> = line::lines(&bytes)
        .flat_map(|line| {
            let line::Read::Good(body) = line else { panic!() };
            let mut longer = Vec::new();
            line::Line::new(&mut longer, body).word("more").close();
            longer
        })
        .collect();
    let content = bindings::read(&longer, false, "one", START);
    assert!(!content.damaged && content.unknown == 0);
    assert_eq!(content.records.into_values().flatten().next().unwrap().binding, binding(1, 1, HOUR, START));
}

proptest! {
    #[test]
    fn any_bytes_open_without_a_panic(files in prop::collection::vec(prop::option::of(any::<Vec<u8>>()), 4)) {
        let mut fake = Fake::new(1);
        let names = [File::RunBindings, File::RunMemory, File::FlashBindings, File::FlashMemory];
        for (name, bytes) in names.into_iter().zip(files) {
            if let Some(bytes) = bytes {
                fake.put(name, bytes);
            }
        }
        let (router, found) = Router::start(fake, "one", START);
        prop_assert_eq!(found.bindings, vec![]);
        router.stop(START);
    }

    /// Lines whose checksums hold, of words drawn at random, reach every parser.
    #[test]
    fn any_words_are_read_without_a_panic(
        lines in prop::collection::vec(
            prop::collection::vec(
                "oasis6-bindings|oasis6-memory|[+]|[-]|end|ula|duid|served|live|gone|forever|part|whole|bound|[0-9]{1,20}|\
                 [0-9a-f]{32}|fd00::/48|128|%2|[ -~]{0,9}",
                0..14,
            ),
            0..8,
        ),
        at: u64,
    ) {
        let mut bytes = Vec::new();
        for words in lines {
            line::Line::new(&mut bytes, &words.join(" ")).close();
        }
        bindings::read(&bytes, false, "one", Instant(at));
        memory::read(&bytes, "one", Instant(at));
    }

    #[test]
    fn a_file_cut_anywhere_keeps_what_stands_before(cut: prop::sample::Index) {
        let router = router();
        let intact = router.store.medium().bytes(File::RunBindings).unwrap();
        let cut = cut.index(intact.len());
        let whole = intact[..cut].windows(2).filter(|window| window == b"\n\n").count();
        let content = bindings::read(&intact[..cut], false, "one", START);
        // the first line is the header, the seventh the end of the snapshot
        let expected = whole.saturating_sub(1) - usize::from(whole > 6);
        prop_assert!(content.records.len() >= expected);
        prop_assert!(content.records.len() <= expected + 1);
    }
}

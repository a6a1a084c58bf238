//! Simulated routers live for days of virtual time, and a model finds no difference (see `src/sim`).

use oasis6::sim::{Script, live};

/// A life that goes wrong is left in `target/lives`, for `oasis6 replay`.
fn lives_well(script: &Script) {
    let seed = script.seed;
    if let Err(failure) = live(script) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/lives");
        let file = format!("{folder}/{seed}");
        let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, script.to_text()));
        panic!("seed {seed}: {failure}\nthe life stands in {file} ({kept:?}): oasis6 replay {file}");
    }
}

#[test]
fn thirty_days_without_a_difference() {
    lives_well(&Script::draw(1, 30));
}

#[test]
fn many_short_lives_without_a_difference() {
    (100..130).for_each(|seed| lives_well(&Script::draw(seed, 2)));
}

/// No acknowledged binding is lost and no route is missing, wherever in its work the daemon dies.
#[test]
fn a_thousand_exchanges_with_a_kill_in_the_midst_of_each() {
    lives_well(&Script::kills(1, 1_000));
}

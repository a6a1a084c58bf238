#!/bin/bash
# run.sh LIBFUZZER-OPTION... : every fuzz target, one after the other: -max_total_time=SECONDS or -runs=INPUTS.
# TARGETS="nd uci" runs those only.
#
# cargo-fuzz asks for options that only a nightly Rust takes; RUSTC_BOOTSTRAP makes a stable one take them. No
# sanitizer: the code has no unsafe, and so runs several times as many inputs. What is found lies in
# fuzz/artifacts/TARGET; `fuzz/run.sh fuzz/artifacts/TARGET/FILE` with TARGETS=TARGET runs it again.
set -eu
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1 PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
host=$(rustc -vV | sed -n 's/^host: //p')
read -ra targets <<< "${TARGETS:-$(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | grep -v '^oasis6-fuzz$' | tr '\n' ' ')}"

for target in "${targets[@]}"; do
    cargo fuzz build --sanitizer none --target "$host" "$target" 2>/dev/null ||
        cargo fuzz build --sanitizer none --target "$host" "$target"
done
# what is learnt stays out of the committed corpus
learnt=$(mktemp -d -t oasis6-fuzz.XXXXXX)
trap 'rm -rf "$learnt"' EXIT
for target in "${targets[@]}"; do
    echo "fuzz: $target"
    mkdir -p "$learnt/$target" "fuzz/artifacts/$target"
    log=$learnt/$target.log
    if ! "fuzz/target/$host/release/$target" -artifact_prefix="fuzz/artifacts/$target/" -rss_limit_mb=512 -timeout=30 \
        -print_final_stats=1 "$@" "$learnt/$target" "fuzz/corpus/$target" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz: $target FAILED; the input is in fuzz/artifacts/$target"
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */fuzz: inputs without a finding: /p' "$log"
done

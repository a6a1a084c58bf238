#!/bin/bash
# mips-check.sh : type-checks oasis6 for 32-bit MIPS, where AtomicU64 and much else of a desktop is missing.
#
# rustup has no such target; Debian's Rust has the source of the standard library, which is checked along. No C compiler
# and no linker take part.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x /usr/bin/cargo ] || [ ! -d /usr/lib/rustlib/src/rust/library ]; then
    echo "mips-check: this Debian has no rust-web-src" >&2
    exit 1
fi
export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
exec /usr/bin/cargo check --locked --release --target mipsel-unknown-linux-musl --target-dir target/mips \
    -Zbuild-std=std,panic_abort

#!/bin/bash
# linker.sh ARGUMENTS...: the linker that cross.sh gives to rustc; called as a C compiler is.
#
#   ZIG_TARGET      the target and processor in zig's words
#   LINK_UNWIND     what is linked in place of -lunwind
#   LINK_MORE       objects that are linked as well
#   LINK_SMALL      1: as small as can be, for a program that nobody unwinds
#
# zig's compiler driver refuses the options of its own linker that it doesn't know. So the driver links, with -Os for the
# musl that it compiles, and tells what it called; then the linker is called once more, with these:
#   functions that are alike next to each other, which packs better; one of those that are the same; no unwind tables of C
set -euo pipefail
here=$(dirname "$0")
# shellcheck disable=SC2086 # names and options
set -- cc -target $ZIG_TARGET "${@/#-lunwind/$LINK_UNWIND}" $LINK_MORE
[ "${LINK_SMALL:-}" = 1 ] || exec python3 -m ziglang "$@"
said=$(ZIG_VERBOSE_LINK=1 python3 -m ziglang "$@" -Os 2>&1) || { echo "$said" >&2; exit 1; }
call=$(grep '^ld\.lld .*--gc-sections' <<< "$said" | tail -n 1)
[ -n "$call" ] || { echo "linker.sh: zig did not say how it links" >&2; exit 1; }
call=${call/ -s / } # symbols are for crates.py
# shellcheck disable=SC2086 # it is a line of words
exec python3 -m ziglang ${call/ --eh-frame-hdr / } --icf=all --bp-compression-sort=both -T "$here/linker.ld"

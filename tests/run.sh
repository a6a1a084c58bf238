#!/bin/bash
# run.sh [CARGO TEST ARGUMENT...] : cargo test, and at the end what was not tested here and why.
#
# A test that can't run here (no root, a program is missing) writes a line to $OASIS6_SKIPS and passes. These lines are
# shown at the end; with CI=true, where nothing may be missing, one of them fails the run.
set -u
cd "$(dirname "$0")/.." || exit 1
OASIS6_SKIPS=$(mktemp -t oasis6-skips.XXXXXX) || exit 1
export OASIS6_SKIPS
trap 'rm -f "$OASIS6_SKIPS"' EXIT
cargo test --locked --no-fail-fast "$@"
status=$?
skipped=$(sort -u "$OASIS6_SKIPS")
if [ -n "$skipped" ]; then
    printf '\nNot tested here:\n%s\n' "$skipped"
    if [ "${CI:-}" = true ]; then
        echo "nothing may be left out in CI"
        status=1
    fi
fi
exit $status

#!/bin/bash
# run.sh OASIS6 [SCENARIO...] : what needs a kernel with WireGuard and sit, in the virtual machine. As root.
#
# The tests of main.rs beside this, then scenarios of ../uplinks/scenarios.sh with the program OASIS6; with SCENARIO only
# these. VM_SECONDS (1500) is the limit of each part. vm-setup.sh has to be run once before.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
oasis6=$(realpath "$1") limit=${VM_SECONDS:-1500} failed=0
shift
if [ $# = 0 ]; then
    tests=$(cargo test --locked --test vm --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
    [ -x "$tests" ] || { echo "vm: the tests can't be built" >&2; exit 1; }
    tests/vm/vm-run.sh -t "$limit" -- "$tests" --test-threads=1 || failed=1
    set -- wireguard_lives sixinfour_lives sixtofour_lives sixrd_lives
fi
tests/vm/vm-run.sh -m 768 -t "$limit" -- tests/uplinks/run.sh "$oasis6" "$@" || failed=1
exit $failed

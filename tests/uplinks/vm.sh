#!/bin/bash
# vm.sh OASIS6 [SCENARIO...] : the scenarios that need a kernel with WireGuard and sit, in the virtual machine of tests/vm.
#
# As root; tests/vm/vm-setup.sh once before. On a busy machine this takes some minutes.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
oasis6=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- wireguard_lives sixinfour_lives sixtofour_lives sixrd_lives
exec tests/vm/vm-run.sh -m 768 -t "${VM_SECONDS:-900}" -- tests/uplinks/run.sh "$oasis6" "$@"

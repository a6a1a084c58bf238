#!/bin/bash
# run.sh OASIS6 SCENARIO... : lives scenarios of scenarios.sh, each in a lab of its own (lab.sh). As root.
#
# Prints a line for each thing that held or did not, and "skipped: WHY" (status 77) where this machine lacks something.
# KEEP=1 leaves the logs in a folder that is named.
set -u
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 1 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
OASIS6=$(realpath "$1")
shift
if [ $# -gt 1 ]; then
    worst=0
    for scenario in "$@"; do
        echo "$scenario"
        "$here/run.sh" "$OASIS6" "$scenario" || { status=$? && [ $status = 77 ] || worst=$status; }
    done
    exit $worst
fi
run=o6up$$ failed=0
work=$(mktemp -d -t oasis6-uplinks.XXXXXX) || exit 1
# shellcheck source=SCRIPTDIR/machines.sh
. "$here/machines.sh"
# shellcheck source=SCRIPTDIR/lab.sh
. "$here/lab.sh"
# shellcheck source=SCRIPTDIR/router.sh
. "$here/router.sh"
# shellcheck source=SCRIPTDIR/scenarios.sh
. "$here/scenarios.sh"
# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "${KEEP:-}" ] || { cp -r "$work" "$work.kept" && echo "logs: $work.kept"; }
    clean_up
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

make_lab || { echo "FAILED a lab can be made here"; exit 1; }
declare -F "$1" >/dev/null || { echo "there is no scenario $1"; exit 2; }
"$1"
exit $failed

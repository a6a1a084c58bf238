#!/bin/bash
# bench-ra.sh PROGRAM : router advertisements of oasis6 against radvd, in one run of ra.py with one interface.
#
# Ends with, each for radvd too
#   VALUE first_ra_ms N         from exec to the first router advertisement, median
#   VALUE prefix_change_ms N    from SIGHUP, the new configuration in place, to the one that deprecates the old prefix
# REPS=3, SECONDS_STEADY=4 (time over which processor time is measured), OUT: see ra.py.
set -eu
set -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:?which program?}")
export PROGRAM=$program HERE=$here
# shellcheck disable=SC2016  # expanded by the shells of ra.py
python3 "$here/ra.py" -n 1 -r "${REPS:-3}" -s "${SECONDS_STEADY:-4}" \
    --configure '"$HERE/oasis6-config.sh" ra a $BENCH_IFS > $BENCH_DIR/config' \
    --reconfigure '"$HERE/oasis6-config.sh" ra b $BENCH_IFS > $BENCH_DIR/config' \
    radvd 'custom:exec "$PROGRAM" run --config $BENCH_DIR/config' |
    awk '
        { print; fflush() }
        $1 == "RESULT" { value[$3, $4] = $5 }
        END {
            print "VALUE radvd_first_ra_ms", value["radvd", "n1-first"]
            print "VALUE radvd_prefix_change_ms", value["radvd", "n1-deprecate"]
            print "VALUE first_ra_ms", value["custom", "n1-first"]
            print "VALUE prefix_change_ms", value["custom", "n1-deprecate"]
            if (value["custom", "n1-first"] == "" || value["custom", "n1-deprecate"] == "") {
                print "bench-ra: something was not measured, see above"
                exit 1
            }
        }'

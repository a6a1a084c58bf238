#!/bin/bash
# bench-dhcp6.sh PROGRAM : the DHCPv6 server of oasis6 against kea with its lease file, in one run of dhcp6.sh.
#
# Ends with
#   RATIO dhcp6_pd_vs_kea N                 delegated prefixes per second by four-way exchanges, oasis6's through kea's
#   RATIO dhcp6_pd_10k_leases_vs_empty N    the same of oasis6 with 10 000 leases, through that with none
#   VALUE rss_kib_1000_leases N             resident memory of oasis6 with 1000 leases, KiB
# REPS, SEC, OUT and the others of dhcp6.sh hold here too.
set -eu
set -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:?which program?}")
export TYPES=pd PARTS=${PARTS:-4way many} PROGRAM=$program HERE=$here
# shellcheck disable=SC2016  # expanded by dhcp6.sh's shell
"$here/dhcp6.sh" kea-persist 'custom:"$HERE/oasis6-config.sh" dhcp6 > $BENCH_DIR/config; exec "$PROGRAM" run --config $BENCH_DIR/config' |
    awk '
        { print; fflush() }
        $1 == "RATIO" && $2 == "dhcp6.pd-4way-rate.custom/kea-persist" { kea = $3 }
        $1 == "RATIO" && $2 == "dhcp6.pd-many-rate.custom/empty" { many = $3 }
        $1 == "RESULT" && $3 == "custom" && $4 == "pd-rss-1000" { rss = $5 }
        END {
            if (kea != "") print "RATIO dhcp6_pd_vs_kea", kea
            if (many != "") print "RATIO dhcp6_pd_10k_leases_vs_empty", many
            if (rss != "") print "VALUE rss_kib_1000_leases", rss
            if (kea == "" || many == "" || rss == "") { print "bench-dhcp6: something was not measured, see above"; exit 1 }
        }'

#!/bin/bash
# bench-failover.sh PROGRAM : how long a host on the LAN is without the Internet when the router's uplink dies.
#
# Two native uplinks, as tests/uplinks/lab.sh has them; a host asks the Internet by echo every 20 ms, each time from a new
# socket. Whichever uplink is in use is cut, and mended when the other has taken over. Since oasis6 trusts an uplink less with
# each failure, for minutes in the end, it is started anew after every fourth move. Ends with
#   VALUE outage_link_down_s N   the cable is out: from the first request lost to the first answered for good, median
#   VALUE outage_silent_s N      everything vanishes on the cable, which stays up
# REPS=10 moves of each kind. Status 1 if a move failed, if a host used a source of the dead uplink after a move, if mending
# or the new start cost a request, or if anything of oasis6 is left on the router at the end. OUT=folder keeps the logs.
# PEERS="babeld bird-babel" shows in the same run what routing daemons need when a link of a mesh fails (babel.py): another
# job, but the one that moves a network today.
set -u
here=$(cd "$(dirname "$0")" && pwd)
OASIS6=$(realpath "${1:?which program?}")
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || { echo "bench-failover: network namespaces need root" >&2; exit 1; }
run=o6fail$$ REPS=${REPS:-10} failed=0
work=$(mktemp -d -t oasis6-failover.XXXXXX) || exit 1
# shellcheck source=SCRIPTDIR/../../tests/uplinks/machines.sh
. "$here/../../tests/uplinks/machines.sh"
# shellcheck source=SCRIPTDIR/../../tests/uplinks/lab.sh
. "$here/../../tests/uplinks/lab.sh"
# shellcheck source=SCRIPTDIR/../../tests/uplinks/router.sh
. "$here/../../tests/uplinks/router.sh"
# shellcheck disable=SC2317 # called by the trap
finish() {
    [ -z "${OUT:-}" ] || { mkdir -p "$OUT" && cp -r "$work"/. "$OUT"/; }
    clean_up
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
fail() {
    echo "bench-failover: $*"
    failed=1
}
give_up() {
    fail "$@"
    oasis6 status
    lan_addresses pc
    tail -n 20 "$work/oasis6.log"
    exit 1
}
other() { case $1 in a) echo b ;; b) echo a ;; esac; }
in_use() { if prefers pc a; then echo a; elif prefers pc b; then echo b; fi; }

make_lab || give_up "can't make namespaces here"
provide a && provide b
configure <<WORDS
$NATIVE_A
$NATIVE_B
WORDS
remember_things
start_router || give_up "the router does not answer"
# shellcheck disable=SC2317 # called by within
everything_up() { ready pc a && ready pc b && [ -n "$(in_use)" ]; }
within 30 everything_up || give_up "the host never had addresses of both uplinks"
probing pc 20
sleep 2
since=$(now_ms) moved=0
for how in link silent; do
    for ((rep = 1; rep <= REPS; rep++)); do
        now=$(in_use) next=$(other "$(in_use)")
        [ -n "$now" ] || give_up "no uplink is in use"
        before=$(prober lost "$work/probes" "$since")
        [ "${before% *}" = 0 ] || fail "$before requests were lost while the uplinks came back"
        since=$(now_ms)
        cut_off "$now" $how
        ms=$(prober outage "$work/probes" "$since" 60000) || give_up "no recovery within a minute after $now was cut ($how)"
        echo "SAMPLE $rep failover oasis6 $how-outage $ms ms ($now to $next)"
        echo "$how $ms" >> "$work/samples"
        prefers pc "$next" || fail "the host does not prefer an address of $next"
        sources=$(prober sources "$work/probes" $(($(now_ms) - 1000)))
        case $sources in *"$(of_letter "$now")"*) fail "after the move the host still used a source of $now" ;; esac
        since=$(now_ms)
        mend "$now"
        within 60 ready pc "$now" || give_up "$now did not come back"
        moved=$((moved + 1))
        if [ $((moved % 4)) = 0 ]; then
            stop oasis6
            start_router || give_up "the router does not come back"
            within 30 everything_up || give_up "it came back without its uplinks"
        fi
        sleep "${REST:-4}"
    done
done
stop prober
stop oasis6
oasis6 withdraw >/dev/null
left=$(leftovers)
[ -z "$left" ] || fail "left on the router: $left"
if [ -n "${PEERS:-}" ]; then
    read -ra peers <<<"$PEERS"
    OUT='' python3 "$here/babel.py" -r "${PEER_REPS:-3}" "${peers[@]}"
fi
median() { awk -v how="$1" '$1 == how { print $2 }' "$work/samples" | sort -n | awk '{ v[NR] = $1 } END { printf "%.2f\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2000 }'; }
worst() { awk -v how="$1" '$1 == how && $2 > w { w = $2 } END { printf "%.2f\n", w / 1000 }' "$work/samples"; }
echo "VALUE outage_link_down_worst_s $(worst link)"
echo "VALUE outage_silent_worst_s $(worst silent)"
echo "VALUE outage_link_down_s $(median link)"
echo "VALUE outage_silent_s $(median silent)"
exit $failed

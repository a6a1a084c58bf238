# shellcheck shell=bash
# lib.sh: what dhcp6.sh and bench-*.sh share. Sourced, with BENCH set to the bench's name.
#
# All traffic stays in network namespaces made here; they and the daemons are gone when the script ends.
#   OUT        folder for configurations, logs and samples, kept; without it a temporary one, removed
#   BENCH_BIN  where the C helpers are built, once per change (default: the user's cache)
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BENCH_BIN=${BENCH_BIN:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/oasis6-bench}
PATH=$PATH:/usr/sbin:/sbin
SERVER_CPU=${SERVER_CPU:-0} LOAD_CPU=${LOAD_CPU:-1}
NETNS=() DAEMONS=() DAEMON='' KEEP_OUT=${OUT:+1}
OUT=${OUT:-$(mktemp -d -t oasis6-bench.XXXXXX)}
export BENCH_BIN
mkdir -p "$OUT" "$BENCH_BIN"
OUT=$(cd "$OUT" && pwd)
SAMPLES=$OUT/samples
: > "$SAMPLES"

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }

die() { echo "$BENCH: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "must run as root (network namespaces)"

# need PROGRAM... : the programs the bench itself can't do without
need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || die "$program is missing: .ci/setup.sh netns bench installs it"
    done
}

# build NAME : compiles NAME.c unless that is done; prints the program's path
build() {
    local program=$BENCH_BIN/$1
    if [ ! "$program" -nt "$HERE/$1.c" ]; then
        ${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -o "$program.$$" "$HERE/$1.c" -lpthread || die "can't build $1"
        mv "$program.$$" "$program"
    fi
    echo "$program"
}

# milliseconds the processors have worked for processes (user, nice, system), and for this script's
all_work_ms() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($2 + $3 + $4) * 1000 / hz); exit }' /proc/stat; }
own_work_ms() { # after "times": lines "0m1.234s 0m0.567s" for the shell, then for its children
    tr 'ms' '  ' < "$OUT/times" | awk '{ sum += ($1 + $3) * 60 + $2 + $4 } END { print int(sum * 1000) }'
}

# begin, end_note : other work on the machine spoils a run; end_note says how much there was.
begin() {
    BEGIN_MS=$(now_ms) BEGIN_WORK_MS=$(all_work_ms)
}

end_note() {
    times > "$OUT/times"
    local wall=$(($(now_ms) - BEGIN_MS))
    local others=$(($(all_work_ms) - BEGIN_WORK_MS - $(own_work_ms)))
    echo "# $(nproc) processors; other programs used $((others > 0 ? 100 * others / wall : 0)) % of one during the run"
}

# ---- namespaces

new_netns() {
    for ns in "$@"; do
        ip netns add "$ns" || die "can't make network namespaces here"
        NETNS+=("$ns")
        ip -n "$ns" link set lo up
        ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
            net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0
    done
}

delete_netns() {
    for ns in "${NETNS[@]}"; do ip netns del "$ns" 2>/dev/null; done
    NETNS=()
}

# wire NS_A IF_A NS_B IF_B : a veth pair
wire() {
    ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
    ip -n "$1" link set "$2" up
    ip -n "$3" link set "$4" up
}

in_ns() { ip netns exec "$@"; }

# ---- daemons, each the leader of a session of its own

# launch NS LOG COMMAND : starts a shell command in the background; its process id is in $DAEMON.
# $CPU, when set, is the processor it may use.
launch() {
    setsid ip netns exec "$1" ${CPU:+taskset -c "$CPU"} bash -c "$3" >"$2" 2>&1 </dev/null &
    DAEMON=$!
    DAEMONS[DAEMON]=$DAEMON
}

# stop_daemon PID... : ends them and their children
stop_daemon() {
    for pid in "$@"; do kill -- "-$pid" 2>/dev/null; done
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        pgrep -s "$(IFS=,; echo "$*")" >/dev/null || break
        sleep 0.1
    done
    for pid in "$@"; do kill -9 -- "-$pid" 2>/dev/null; done
    wait "$@" 2>/dev/null
    for pid in "$@"; do unset "DAEMONS[$pid]"; done
}

stop_daemons() { [ ${#DAEMONS[@]} = 0 ] || stop_daemon "${DAEMONS[@]}"; }

clean_up() {
    stop_daemons
    delete_netns
    [ -n "$KEEP_OUT" ] || rm -rf "$OUT"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# resident kB of a daemon and its children
memory_of() {
    pgrep -s "$1" | while read -r pid; do grep VmRSS "/proc/$pid/status"; done 2>/dev/null |
        awk '{ sum += $2 } END { print sum + 0 }'
}

# milliseconds of processor time they have used
cpu_of() {
    pgrep -s "$1" | while read -r pid; do sed 's/.*) //' "/proc/$pid/stat"; done 2>/dev/null |
        awk -v hz="$(getconf CLK_TCK)" '{ sum += $12 + $13 } END { print sum * 1000 / hz }'
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# ---- peers and results

# A peer is a name the bench knows or "custom:COMMAND"; "custom-old:COMMAND" adds a second one.
label_of() { case $1 in custom*:*) echo "${1%%:*}" ;; *) echo "$1" ;; esac; }
command_of() { echo "${1#*:}"; }

skip() { echo "SKIP $BENCH $1 ${*:2}"; }

# failed PEER LOG REASON... : as skip, with the end of the daemon's log
failed() {
    skip "$1" "${@:3}"
    tail -n 5 "$2" | sed 's/^/# /'
}

# sample REPETITION PEER METRIC VALUE UNIT
sample() { echo "SAMPLE $1 $BENCH ${*:2}" | tee -a "$SAMPLES"; }

# the RESULT and RATIO lines, from the medians over the repetitions
summary() {
    end_note
    python3 "$HERE/result.py" "$SAMPLES"
}

# calc EXPRESSION : arithmetic with fractions
calc() { awk "BEGIN { printf \"%.4g\", $1 }"; }

#!/bin/bash
# dhcp6.sh SERVER... : DHCPv6 servers under load, one after the other in every repetition.
#
# SERVER: ref (stateless responder, the upper bound), kea (lease file off), kea-persist, or custom:COMMAND;
#   "custom-old:COMMAND" adds a second build. The command runs in a shell in the server's namespace; it has to
#   serve interface s0 (fd00:6bed::1/64 is on it) with rapid commit, delegating from fd00:1000::/32 in /56
#   and giving addresses out of fd00:6bed::/64. $BENCH_DIR is an empty folder for it, new for every start.
#
# Environment:
#   REPS=3  SEC=1.5       repetitions, seconds per measurement
#   TYPES="pd na"         delegated prefixes, addresses, both
#   PARTS="4way rapid latency many"   what to measure, each with a freshly started server:
#     4way, rapid  exchanges per second with WINDOW=16 in flight, their p50 and p99, the server's
#                  processor time per exchange
#     latency      p50 and p99 of four-way exchanges at RATE=100 per second
#     many         resident memory at 0, 1000 and MANY=10000 leases; then, with those leases there, four-way
#                  exchanges by new clients (many-rate, many-cpu) and renewals per second (renew-rate)
#   CAPACITY=400000       clients that may be bound in a measurement
#   PATIENCE=60           seconds one run of the generator may take; binding MANY clients takes longest
#   SERVER_CPU=0 LOAD_CPU=1, OUT, BENCH_BIN: see lib.sh
#
# Output: SAMPLE, RESULT and RATIO lines (README.md), and DUPLICATES for a server that gave two clients the
# same or overlapping bindings; the exit status is 1 then.
BENCH=dhcp6
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"
. "$HERE/dhcp6-servers.sh"
[ $# -gt 0 ] || usage
REPS=${REPS:-3} SEC=${SEC:-1.5} TYPES=${TYPES:-pd na} PARTS=${PARTS:-4way rapid latency many}
WINDOW=${WINDOW:-16} RATE=${RATE:-100} PATIENCE=${PATIENCE:-60} MANY=${MANY:-10000} CAPACITY=${CAPACITY:-400000}
need ip taskset pgrep python3 "${CC:-gcc}"
D6LOAD=$(build d6load) || exit 1
D6REF=$(build d6ref) || exit 1
SERVER=o6s$$ CLIENT=o6c$$
duplicates=0

# load ARGUMENT... : one run of the generator, its line in $line; false if it failed
load() {
    local output
    output=$(in_ns "$CLIENT" timeout "$PATIENCE" taskset -c "$LOAD_CPU" "$D6LOAD" c0 -t "$type" "$@" 2>"$OUT/d6load.log")
    local status=$?
    line=$(head -n 1 <<<"$output")
    local found
    found=$(sed -n 's/^DUPLICATES //p' <<<"$output")
    if [ "${found:-0}" != 0 ]; then
        echo "DUPLICATES $label $type $found"
        duplicates=$((duplicates + found))
        return 0
    fi
    return $status
}

field() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" <<<"$line"; }

# percent of the exchanges that got no valid answer
failed_share() { calc "100 * (1 - $(field "done") / $(field sent))"; }

# fresh : starts the server and waits until it binds a client
fresh() {
    stop_daemons
    dir=$OUT/$label
    rm -rf "$dir"
    mkdir -p "$dir"
    # the last server's leases are gone, and so are their routes: a fresh one would have to find and remove them all
    ip -n "$SERVER" -6 route flush root fd00:1000::/32
    local command
    command=$(server_command "$peer" "$dir")
    BENCH_DIR=$dir CPU=$SERVER_CPU launch "$SERVER" "$OUT/$label.log" "$command"
    for _ in $(seq 10); do
        sleep 0.2
        load -p 1 -n 1 -s 0 -T 0.4 && return 0
        kill -0 "$DAEMON" 2>/dev/null || break
    done
    failed "$label" "$OUT/$label.log" "no $type binding; $(cat "$OUT/d6load.log")"
    return 1
}

measure_rate() {
    local name=$type-$1 cpu
    cpu=$(cpu_of "$DAEMON")
    load -m "$1" -w "$WINDOW" -s "$SEC" -n "$CAPACITY" || return
    cpu=$(calc "$(cpu_of "$DAEMON") - $cpu")
    local finished
    finished=$(field "done")
    if [ "$finished" = 0 ]; then
        skip "$label" "no $type $1 exchange succeeded"
        return
    fi
    sample "$rep" "$label" "$name-rate" "$(field rate)" 1/s
    sample "$rep" "$label" "$name-p50" "$(field p50_ms)" ms
    sample "$rep" "$label" "$name-p99" "$(field p99_ms)" ms
    sample "$rep" "$label" "$name-cpu" "$(calc "$cpu * 1000 / $finished")" us
    sample "$rep" "$label" "$name-failed" "$(failed_share)" %
}

measure_latency() {
    load -r "$RATE" -s "$SEC" || return
    sample "$rep" "$label" "$type-at$RATE-p50" "$(field p50_ms)" ms
    sample "$rep" "$label" "$type-at$RATE-p99" "$(field p99_ms)" ms
}

measure_many() {
    sample "$rep" "$label" "$type-rss-0" "$(memory_of "$DAEMON")" kB
    for count in 1000 "$MANY"; do
        if ! load -p "$count" -s 0 -w 4; then
            skip "$label" "can't bind $count clients in $PATIENCE s"
            return
        fi
        sample "$rep" "$label" "$type-rss-$count" "$(memory_of "$DAEMON")" kB
    done
    local cpu
    cpu=$(cpu_of "$DAEMON")
    if load -p "$MANY" -w "$WINDOW" -s "$SEC" -n "$CAPACITY"; then
        cpu=$(calc "$(cpu_of "$DAEMON") - $cpu")
        sample "$rep" "$label" "$type-many-rate" "$(field rate)" 1/s
        # the generator binds its MANY clients once more before it measures
        sample "$rep" "$label" "$type-many-cpu" "$(calc "$cpu * 1000 / ($MANY + $(field "done"))")" us
    fi
    if load -m renew -p "$MANY" -w "$WINDOW" -s "$SEC"; then
        sample "$rep" "$label" "$type-renew-rate" "$(field rate)" 1/s
        sample "$rep" "$label" "$type-renew-failed" "$(failed_share)" %
    fi
}

measure() {
    for part in $PARTS; do
        fresh || return
        case $part in
            4way | rapid) measure_rate "$part" ;;
            latency) measure_latency ;;
            many) measure_many ;;
            *) die "no such part: $part" ;;
        esac
    done
}

begin
new_netns "$SERVER" "$CLIENT"
wire "$SERVER" s0 "$CLIENT" c0
ip -n "$SERVER" addr add fd00:6bed::1/64 dev s0
sleep 1.5 # the link-local addresses

for rep in $(seq "$REPS"); do
    for peer in "$@"; do
        label=$(label_of "$peer")
        if ! available "$peer"; then
            skip "$label" "not installed"
            continue
        fi
        for type in $TYPES; do
            measure
        done
        stop_daemons
    done
done
# ... and how a server with many leases compares with the same one without
summary | awk '
    { print }
    $1 == "RESULT" { value[$3, $4] = $5 }
    $1 == "RESULT" && $4 ~ /-many-(rate|cpu)$/ { many[$3, $4] = $3 }
    END {
        for (key in many) {
            split(key, part, SUBSEP)
            empty = part[2]
            sub(/many/, "4way", empty)
            if (value[many[key], empty])
                printf "RATIO dhcp6.%s.%s/%s %.4g\n", part[2], many[key], "empty", value[key] / value[many[key], empty]
        }
    }'
[ "$duplicates" = 0 ]

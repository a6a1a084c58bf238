# shellcheck shell=bash disable=SC2154 # run and work are the caller's
# machines.sh : machines that are network namespaces, cables between them and programs on them. Sourced.
#
# Wants $run, which starts the names of all namespaces, and $work, a folder for logs. clean_up removes everything, and
# belongs in a trap.
declare -A daemons=() machines=()

# machine NAME... : makes it
machine() {
    local name
    for name in "$@"; do
        ip netns add "$run-$name" && ip -n "$run-$name" link set lo up || return 1
        machines[$name]=$name
    done
}
# in_ NAME COMMAND... : runs a command on that machine
in_() { ip netns exec "$run-$1" "${@:2}"; }
# ip_ NAME WORDS... : many commands of ip at once, each one word: processes are what costs most in a virtual machine
ip_() { printf '%s\n' "${@:2}" | ip -n "$run-$1" -b -; }
cable() { # cable NAME DEVICE NAME DEVICE
    ip_ "$1" "link add $2 type veth peer name $4 netns $run-$3" "link set $2 up" && ip_ "$3" "link set $4 up"
}
# start NAME MACHINE COMMAND : a shell command in the background; its log is $work/NAME.log
start() {
    ip netns exec "$run-$2" setsid bash -c "$3" >>"$work/$1.log" 2>&1 </dev/null &
    daemons[$1]=$!
}
# stop NAME [SIGNAL] : ends it and its children
stop() {
    local pid=${daemons[$1]:-}
    [ -n "$pid" ] || return 0
    kill "-${2:-TERM}" -- "-$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "daemons[$1]"
}
runs() { [ -n "${daemons[$1]:-}" ] && kill -0 "${daemons[$1]}" 2>/dev/null; }
clean_up() {
    local name
    for name in "${!daemons[@]}"; do stop "$name"; done
    for name in "${!machines[@]}"; do ip netns del "$run-$name" 2>/dev/null; done
    rm -rf "$work"
}
# within SECONDS COMMAND... : waits until the command succeeds
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}
# milliseconds since the machine started, as prober.py counts them
now_ms() {
    local up
    read -r up _ < /proc/uptime
    echo $((10#${up/./} * 10))
}

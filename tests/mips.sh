#!/bin/bash
# mips.sh PROGRAM [MB...] : oasis6 on a whole emulated MIPS machine with as little memory as a small router has (64 and
# 32 MB). As root.
#
# A host in a network namespace is its LAN, connected by a tap device. Shown are the time from the start of the daemon to
# its first router advertisement, as the host sees it, and the daemon's memory: after the start, and with ten hosts that
# hold an address and a prefix each. More than RSS_BUDGET KiB (4096) of resident memory then fails.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
[ $# -gt 0 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "mips: network namespaces need root" >&2; exit 1; }
program=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- 64 32
budget=${RSS_BUDGET:-4096} hosts=10 failed=0
work=$(mktemp -d -t oasis6-mips.XXXXXX) || exit 1
lan=o6mips$$ machine=''
clean_up() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null
    ip netns del "$lan" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
fail() {
    echo "  FAILED $*"
    failed=1
}
cc -O2 -o "$work/d6load" benches/peers/d6load.c || exit 1

# What runs in the machine. Its answers are lines on its console; what it waits for are files in /out.
cat > "$work/guest.sh" <<'END'
ip link set eth0 up
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
sleep 3                                  # duplicate address detection of eth0's own
echo "free $(sed -n 's/MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
mkdir -p /tmp/run /tmp/state
ping -6 -c 1 -W 1 ff02::1%eth0 > /dev/null    # marks the start for the host
/out/oasis6 run --config /out/oasis6.conf --network /dev/null 2> /out/log &
pid=$!
memory() {
    echo "memory-$1 $(awk '/^(VmHWM|VmRSS|RssAnon|RssFile):/ { printf "%s%s ", $1, $2 }' /proc/$pid/status)"
    echo "free-$1 $(sed -n 's/MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
}
until [ -e /out/advertised ]; do sleep 1; done
memory start
until [ -e /out/leased ]; do sleep 1; done
memory leases
kill $pid
wait $pid
echo "exit $?"
END
cat > "$work/oasis6.conf" <<'END'
config oasis6 'globals'
	option enabled '1'
	option run_dir '/tmp/run'
	option state_dir '/tmp/state'
config lan 'lan'
	option device 'eth0'
END
# first.py DEVICE : seconds from an echo request to the first router advertisement after it
cat > "$work/first.py" <<'END'
import socket
import time
heard = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
started = None
while True:
    kind = heard.recv(2048)[0]
    if kind == 128 and started is None:
        started = time.monotonic()
    if kind == 134 and started is not None:
        print(f"{time.monotonic() - started:.2f}", flush=True)
        break
END

for mb in "$@"; do
    echo "$mb MB of memory:"
    rm -f "$work/advertised" "$work/leased" "$work/first" "$work/log"
    cp "$program" "$work/oasis6"
    ip netns add $lan && ip -n $lan link set lo up && ip -n $lan tuntap add dev tap0 mode tap &&
        ip -n $lan link set tap0 up || exit 1
    ip netns exec $lan tests/vm/mips-run.sh -m "$mb" -t 240 -n tap,ifname=tap0,script=no,downscript=no -o "$work" \
        -- sh /out/guest.sh > "$work/console" 2>&1 &
    machine=$!
    ip netns exec $lan timeout 200 python3 "$work/first.py" > "$work/first"
    : > "$work/advertised"
    if [ -s "$work/first" ]; then
        echo "  first router advertisement $(cat "$work/first") s after the start"
        ip netns exec $lan "$work/d6load" tap0 -t both -p $hosts -s 0 -T 5 > "$work/load" ||
            fail "$hosts hosts get an address and a prefix: $(tail -n 3 "$work/load")"
    else
        fail "no router advertisement"
    fi
    : > "$work/leased"
    wait "$machine"
    machine=''
    ip netns del $lan
    sed -n 's/^free \(.*\)/  \1 KiB were free before/p; s/^free-\(.*\) \(.*\)/  \2 KiB were free (\1)/p; s/^memory-\(.*\)/  memory, \1/p' "$work/console"
    rss=$(sed -n 's/^memory-leases.*VmRSS:\([0-9]*\).*/\1/p' "$work/console")
    if [ -z "$rss" ]; then
        fail "no measurement"
        sed 's/^/  | /' "$work/console" "$work/log"
    elif [ "$rss" -gt "$budget" ]; then
        fail "$rss KiB of resident memory with $hosts hosts; the budget is $budget"
    else
        echo "  ok     $rss KiB of resident memory with $hosts hosts, of a budget of $budget"
    fi
    grep -qx 'exit 0' "$work/console" || fail "the daemon ends in good order"
done
[ $failed = 0 ]

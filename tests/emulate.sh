#!/bin/bash
# emulate.sh ARCH=PROGRAM... : runs oasis6 as built for an architecture, under QEMU's user emulation. As root.
#
# Each one prints its version, accepts the example configuration, and serves a host in a network namespace of its own: a
# router advertisement that the kernel makes an address from, and a DHCPv6 lease for dhclient.
#
# User emulation runs the program's instructions and translates its system calls for this machine's kernel. Netlink
# messages are translated field by field, and where the two disagree on the order of bytes that is incomplete: fields
# that QEMU doesn't know stay as they are. So big-endian programs are asked for their version and configuration only,
# and a line SKIP says so; in QEMU's whole machines (make test-mips) there is no such limit. One kind of message, of
# changed sysctls, QEMU refuses altogether, so forwarding is on before oasis6 would switch it on.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
[ $# -gt 0 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "emulate: network namespaces need root" >&2; exit 1; }
example=$PWD/files/etc/config/oasis6
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
failed=0 passed=0

# emulator ARCH : the command before the program. The processors are the oldest that an architecture stands for.
emulator() {
    case $1 in
        mipsel_mips32) echo qemu-mipsel-static -cpu 4Kc ;;
        mipsel_24kc) echo qemu-mipsel-static -cpu 24Kc ;;
        mipsel_74kc) echo qemu-mipsel-static -cpu 74Kf ;;
        mips_24kc) echo qemu-mips-static -cpu 24Kc ;;
        arm_cortex-a7*) echo qemu-arm-static -cpu cortex-a7 ;;
        arm_cortex-a9*) echo qemu-arm-static -cpu cortex-a9 ;;
        aarch64_*) echo qemu-aarch64-static -cpu cortex-a53 ;;
        x86_64) echo qemu-x86_64-static ;;
        *) return 1 ;;
    esac
}

work=$(mktemp -d -t oasis6-emulate.XXXXXX) || exit 1
run=o6emu$$ router=''
stop_router() {
    [ -z "$router" ] || { kill "$router"; wait "$router"; } 2>/dev/null
    router=''
}
clean_up() {
    stop_router
    [ ! -e "$work/dhclient.pid" ] || kill "$(cat "$work/dhclient.pid")" 2>/dev/null
    ip netns del $run-router 2>/dev/null
    ip netns del $run-host 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

within() { # SECONDS COMMAND... : waits until the command succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}
not() { ! "$@"; }
verdict() { # STATUS WHAT
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
        echo "  ok     $2"
    else
        failed=$((failed + 1))
        echo "  FAILED $2"
    fi
}

# ours : usable addresses of the host in the router's prefix, one a line, of this length
ours() { ip -n $run-host -6 -o addr show dev eth0 scope global -tentative | awk '{ print $4 }' | grep "^fd.*/$1"; }

serve() { # COMMAND... : the router's side is served by COMMAND
    ip netns add $run-router && ip netns add $run-host &&
        ip netns exec $run-router sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1 &&
        ip -n $run-router link set lo up && ip -n $run-host link set lo up &&
        ip -n $run-router link add lan0 type veth peer name eth0 netns $run-host &&
        ip -n $run-router link set lan0 up && ip -n $run-host link set eth0 up || return 1
    cat > "$work/oasis6.conf" <<END
config oasis6 'globals'
	option enabled '1'
	option run_dir '$work/run'
	option state_dir '$work/state'
config lan 'lan'
	option device 'lan0'
END
    mkdir -p "$work/run" "$work/state"
    : > "$work/leases"
    ip netns exec $run-router "$@" run --config "$work/oasis6.conf" --network /dev/null > "$work/log" 2>&1 &
    router=$!
    within 20 ours 64
    verdict $? "a router advertisement gives the host an address"
    ip netns exec $run-host timeout 20 dhclient -6 -1 -sf /bin/true -lf "$work/leases" \
        -pf "$work/dhclient.pid" eth0 > "$work/dhclient.log" 2>&1
    within 2 grep -q "iaaddr fd" "$work/leases"
    verdict $? "DHCPv6 leases it one"
    local address
    address=$(ip -n $run-router -6 -o addr show dev lan0 scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
    ip netns exec $run-host ping -6 -q -c 1 -W 5 "$address" >/dev/null
    verdict $? "the host reaches the router at $address"
    case ${*: -1} in *-mini)
        kill -TRAP $router
        within 5 grep -q "a bug ends it at 0x" "$work/log" && within 5 not kill -0 $router
        verdict $? "the log says where a bug ended it"
    esac
}

for pair in "$@"; do
    arch=${pair%%=*} program=${pair#*=}
    read -ra command <<< "$(emulator "$arch")"
    [ ${#command[@]} -gt 0 ] || { echo "emulate: no architecture '$arch'" >&2; exit 2; }
    command+=("$program")
    echo "$arch: ${command[*]}"
    [ "$("${command[@]}" --version)" = "oasis6 $version" ]
    verdict $? "--version"
    "${command[@]}" check --config "$example" --network /dev/null > "$work/log" 2>&1
    verdict $? "check of the example configuration"
    before=$failed
    if [ "$arch" = mips_24kc ]; then
        echo "  SKIP   serving: QEMU $("${command[0]}" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p') translates netlink for another order of bytes only in part"
    else
        serve "${command[@]}"
    fi
    if [ $failed != "$before" ]; then
        sed 's/^/    | /' "$work/log"
        sed 's/^/    | dhclient: /' "$work/dhclient.log" 2>/dev/null
    fi
    clean_up
    mkdir "$work"
done
echo "emulate: $passed passed, $failed failed"
[ $failed = 0 ]

#!/bin/bash
# lab.sh OASIS6 FOLDER : the lab of tests/uplinks for a page. As root.
#
# Makes the machines, starts provider b and the broker, and says "ready {JSON}". Then each line on standard input is a
# command with its words; the answer is "ok" or "failed" with a reason. At the end of the input everything is removed.
# FOLDER takes the configuration files of the router (as /etc/config) and all logs.
set -u
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
OASIS6=$(realpath "$1")
etc=$2
run=o6ui$$
work=$(mktemp -d -t oasis6-luci.XXXXXX) || exit 1
# shellcheck source=SCRIPTDIR/../uplinks/machines.sh
. "$here/../uplinks/machines.sh"
# shellcheck source=SCRIPTDIR/../uplinks/lab.sh
. "$here/../uplinks/lab.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

oasis6() { in_ router "$OASIS6" "$@" --config "$etc/oasis6" --network "$etc/network" --ubus "$work/ubus.sock"; }
# start_daemon [PATH_OF_THE_PROGRAM] : as procd would
start_daemon() {
    start oasis6 router "exec $OASIS6 run --config $etc/oasis6 --network $etc/network --ubus $work/ubus.sock"
    within 20 oasis6 status
}
stop_daemon() { stop oasis6 TERM; }
# reload_daemon : what the init script's reload_service does
reload_daemon() {
    if runs oasis6; then oasis6 reload; else start_daemon; fi
}
# ask_as NAME : the host pc asks for an address under that name
ask_as() { in_ pc timeout 10 dhclient -6 -1 -H "$1" -lf "$work/dhclient.leases" -pf "$work/dhclient.pid" eth0; }

make_lab 2>"$work/lab.log" || { echo "failed a lab can't be made here: $(tail -n 1 "$work/lab.log")"; exit 1; }
provide b
within 10 serves b
start_broker >>"$work/lab.log" 2>&1 || { echo "failed there is no WireGuard here"; exit 1; }
customer_wireguard wg0 >>"$work/lab.log" 2>&1
if kernel_has_wireguard; then wireguard=true; else wireguard=false; fi
# wg0 is a tunnel made by hand, for a kernel without WireGuard: the daemon itself can't make one there
printf 'ready {"work":"%s","run":"%s","wireguard":%s,"broker_key":"%s","broker4":"%s","prefix":"%s","gateway":"%s"}\n' \
    "$work" "$run" "$wireguard" "$broker_key" "$BROKER4" "$BROKER_PREFIX" "$(link_local_of "$broker_key")"

# admit KEY : the broker takes this customer
admit() { wg_ broker set wgbroker peer "$1" allowed-ips "$BROKER_PREFIX,fe80::/64"; }

while read -r command words; do
    # shellcheck disable=SC2086 # words
    case $command in
        start_daemon | stop_daemon | reload_daemon | cut_off | mend | admit | ask_as | provide | retire | oasis6)
            if "$command" $words > "$work/said" 2>&1; then result=ok; else result=failed; fi
            echo "$result $(tr '\n' ' ' < "$work/said")"
            ;;
        *) echo "failed there is no command $command" ;;
    esac
done

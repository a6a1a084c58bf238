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
# host_named LABEL : the host pc asks for an address under that name
ask_as() { in_ pc timeout 10 dhclient -6 -1 -H "$1" -lf "$work/dhclient.leases" -pf "$work/dhclient.pid" eth0; }

make_lab 2>"$work/lab.log" || { echo "failed a lab can't be made here: $(tail -n 1 "$work/lab.log")"; exit 1; }
provide b
within 10 serves b
start_broker >>"$work/lab.log" 2>&1 || { echo "failed there is no WireGuard here"; exit 1; }
wg_ broker set wgbroker peer "$customer_key" remove
wg genkey > "$work/spare.key"
printf 'ready {"work":"%s","run":"%s","broker_key":"%s","broker4":"%s","prefix":"%s"}\n' "$work" "$run" "$broker_key" "$BROKER4" "$BROKER_PREFIX"

# admit KEY : the broker takes this customer
admit() { wg_ broker set wgbroker peer "$1" allowed-ips "$BROKER_PREFIX,fe80::/64"; }
# router_key DEVICE : the public key of a tunnel that oasis6 made
router_key() { wg_ router show "$1" public-key; }

while read -r command words; do
    # shellcheck disable=SC2086 # words
    case $command in
        start_daemon | stop_daemon | reload_daemon | cut_off | mend | admit | router_key | ask_as | provide | retire | oasis6)
            if said=$("$command" $words 2>&1); then echo "ok $(tr '\n' ' ' <<<"$said")"; else echo "failed $(tr '\n' ' ' <<<"$said")"; fi
            ;;
        *) echo "failed there is no command $command" ;;
    esac
done

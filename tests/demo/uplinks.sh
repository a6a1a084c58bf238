#!/bin/bash
# uplinks.sh : the demo's second act: a router that finds IPv6 wherever it is plugged in. Run by demo.sh, with OASIS6 set.
# shellcheck disable=SC2015  # "A && B || broke": broke ends the demo
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=SCRIPTDIR/words.sh
. tests/demo/words.sh
# shellcheck source=SCRIPTDIR/../uplinks/machines.sh
. tests/uplinks/machines.sh
# shellcheck source=SCRIPTDIR/../uplinks/lab.sh
. tests/uplinks/lab.sh
# shellcheck source=SCRIPTDIR/../uplinks/router.sh
. tests/uplinks/router.sh
: "${OASIS6:?which program?}"
run=o6act$$
mkdir -p target && work=$(mktemp -d -p "$PWD/target" demo.XXXXXX) || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

reaches() { in_ "$1" ping -6 -q -c 2 -i 0.2 -W 1 "$2" >/dev/null 2>&1; }
# name LETTER : an uplink in words
name() { case $1 in a) echo "the provider" ;; b) echo "the second provider" ;; c) echo "the tunnel" ;; esac; }
in_seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f s", ms / 1000 }'; }
# uses_now LETTER : what the laptop has of it now
uses_now() { preferred pc | grep "^$(of_letter "$1")" | head -n 1; }

# moves LETTER HOW OTHER : an uplink is cut, and what that means for the laptop's pings
moves() {
    local since ms how
    case $2 in link) how="the cable is pulled" ;; silent) how="the cable stays, but nothing gets through any more" ;; esac
    sleep 4 # an advertisement may follow another after 3 s (RFC 4861 §6.2.4), and seldom does in life
    prefers pc "$1" || broke "the laptop does not use $(name "$1")"
    say "Now $(name "$1") fails: $how."
    since=$(now_ms)
    cut_off "$1" "$2"
    ms=$(prober outage "$work/probes" "$since" 30000) || broke "the laptop's pings are not answered any more"
    prefers pc "$3" || broke "the laptop does not use $(name "$3")"
    case $(prober sources "$work/probes" $(($(now_ms) - 1000))) in
        *"$(of_letter "$1")"*) broke "the laptop still uses the address of $(name "$1")" ;;
    esac
    held "The laptop's pings went unanswered for $(in_seconds "$ms"), then were on $(name "$3"), from $(uses_now "$3")"
    since=$(now_ms)
    mend "$1"
    within 60 ready pc "$1" || broke "$(name "$1") did not come back"
    local lost
    lost=$(prober lost "$work/probes" "$since")
    [ "${lost% *}" = 0 ] || broke "$lost pings were lost while $(name "$1") came back"
    held "Mended, $(name "$1") stands by again. That cost no ping."
}

cat <<END_OF_TEXT

${bold}The second act: the way to the Internet${plain}

  The router is taken along: first to where there is nothing but a tree, then to a network that only has IPv4, behind a
  router that translates addresses, then to a provider with IPv6.

     laptop ── router (oasis6) ──────────── provider ─┐
                            ╎               (IPv6)    ├─ the Internet: a host that answers pings
                            └─ IPv4, NAT ── broker ───┘
                               (WireGuard)

  The provider is kea and radvd, the broker is WireGuard. The laptop pings the Internet host every 100 ms, each time from
  a socket that is new, so that its kernel chooses the address it speaks from anew each time.
END_OF_TEXT
make_lab >"$work/network.log" 2>&1 || { cat "$work/network.log"; echo "demo: can't make namespaces here" >&2; exit 1; }
# nothing is plugged in
for letter in a b c; do cut_off $letter link; done

title "1. Under a tree"
start_broker || broke "the broker does not start"
(umask 077 && echo "$customer_private" > "$work/customer.key")
second=c tunnel=$(wireguard_c)
if ! kernel_has_wireguard; then
    if customer_wireguard wg0; then
        say "This machine's kernel has no WireGuard, so wireguard-go stands in, with its device set up by hand: to oasis6" \
            "it is an uplink of type static here. On a router, oasis6 makes the tunnel itself (make test-vm shows that)."
        tunnel=$(by_hand_c)
    else
        say "This machine has no WireGuard, neither in its kernel nor as a program: a second provider takes the broker's place."
        second=b tunnel=$NATIVE_B
    fi
fi
configure <<WORDS
$NATIVE_A
$tunnel priority=20
WORDS
SHOWN="grep -v key /etc/config/oasis6" show grep -v "key\|_dir\|log_level" "$work/oasis6"
remember_things
start_router || broke "the router does not answer"
local_address() { preferred pc | grep '^f[cd]'; }
within 20 local_address || broke "the laptop has no address"
held "The laptop has the address $(local_address | head -n 1), for within the house; there is no Internet"

title "2. A network with IPv4 only"
mend $second
[ $second = c ] || provide b
within 30 prefers pc $second || broke "the laptop has no address of $(name $second)"
within 10 reaches pc $INTERNET || broke "the laptop does not reach the Internet"
held "Plugged in, the router reaches the broker, and the laptop the Internet, from $(uses_now $second)"
ask status
probing pc 100
sleep 2

title "3. A provider with IPv6"
since=$(now_ms)
mend a
provide a
within 40 prefers pc a || broke "the laptop has no address of the provider"
held "The provider delegated a prefix, and the laptop moved to it: $(uses_now a)"
ms=$(prober outage "$work/probes" "$since" 30000) || broke "the laptop's pings are not answered any more"
if [ "$ms" = 0 ]; then held "Not one ping was lost"; else say "Pings went unanswered for $(in_seconds "$ms")"; fi
within 30 ready pc $second || broke "$(name $second) does not stand by"

title "4. Each is cut in turn"
for how in link silent; do
    moves a $how $second
    moves $second $how a
done
ask status

title "5. The end"
stop prober
stop oasis6
oasis6 withdraw >/dev/null
left=$(leftovers)
[ -z "$left" ] || broke "something is left on the router: $left"
held "oasis6 was stopped and took back all it had made on the router"

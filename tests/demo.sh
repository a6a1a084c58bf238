#!/bin/bash
# demo.sh : what oasis6 does for a network, step by step, on this machine and without touching its own network.
#
# Two acts: a network of its own here, and in demo/uplinks.sh its ways to the Internet. As root on Debian; installs what it needs, builds oasis6, and makes a router, three hosts and a downstream router in
# network namespaces. The exit status is 0 only if every step held. OASIS6=PROGRAM shows one that is built already.
# shellcheck disable=SC2015  # "A && B || broke": broke ends the demo
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

# shellcheck source=SCRIPTDIR/demo/words.sh
. tests/demo/words.sh
# shellcheck source=SCRIPTDIR/uplinks/machines.sh
. tests/uplinks/machines.sh

# ---- what this needs

[ "$(id -u)" = 0 ] || { echo "demo: network namespaces need root: sudo make demo" >&2; exit 1; }
.ci/setup.sh demo || exit 1
if [ -z "${OASIS6:-}" ]; then
    .ci/setup.sh rust build || exit 1
    echo "building oasis6 (a minute or two the first time)"
    cargo build --release --locked --quiet || exit 1
    OASIS6=$PWD/target/release/oasis6
fi
example=$PWD/files/etc/config/oasis6

# ---- the network: namespaces with names of their own, gone when the demo ends, however it ends

run=o6demo$$
mkdir -p target && work=$(mktemp -d -p "$PWD/target" demo.XXXXXX) || exit 1
before=$(ip netns list | sort; ip -o link | sed 's/^[0-9]*: \([^:]*\):.*/\1/' | sort)
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

make_network() {
    machine router laptop downstream visitor printer || return 1
    # every desktop listens to route information in router advertisements; the bare kernel has to be told
    for ns in laptop downstream visitor; do
        in_ $ns sysctl -qw net.ipv6.conf.default.accept_ra_rt_info_max_plen=64
    done
    in_ downstream sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_ra=2
    ip -n "$run-router" link add br-lan type bridge && ip -n "$run-router" link set br-lan up || return 1
    cable router lan1 laptop eth0 && cable router lan2 downstream wan && cable router br-guest visitor eth0 &&
        cable downstream lan0 printer eth0 || return 1
    for port in lan1 lan2; do ip -n "$run-router" link set $port master br-lan || return 1; done
}

# ---- looking at it

# addresses NAME DEVICE : usable global addresses with their length
addresses() { ip -n "$run-$1" -6 -o addr show dev "$2" scope global -tentative | awk '{ print $4 }'; }
# on_link NAME DEVICE : the /64 that the kernel sees on the device
on_link() { ip -n "$run-$1" -6 route show dev "$2" proto kernel | awk '/^f[cd].*\/64/ { print $1; exit }'; }
has_address() { [ -n "$(addresses "$@")" ]; }
address_of() { addresses "$@" | head -n 1 | cut -d / -f 1; }
reaches() { in_ "$1" ping -6 -q -c 2 -i 0.2 -W 1 "$2" >/dev/null 2>&1; }
# learnt NAME : what the last DHCPv6 exchange of dhcpcd gave for a variable
learnt() { sed -n "s/^new_dhcp6_$1=//p" "$work/lease" 2>/dev/null | tail -n 1; }
oasis6() { in_ router "$OASIS6" "$@" --config "$work/oasis6" --network "$work/network"; }
start_router() { start oasis6 router "exec $OASIS6 run --config $work/oasis6 --network $work/network"; }

pings() {
    reaches laptop "$visitor" || broke "the laptop does not reach the visitor"
    held "the laptop reaches the visitor in the guest network ($visitor)"
    reaches laptop "$printer" || broke "the laptop does not reach the printer"
    held "the laptop reaches the printer in the delegated prefix ($printer)"
    reaches visitor "$printer" || broke "the visitor does not reach the printer"
    held "the visitor reaches the printer, too"
}

# ---- the demo

cat <<END

${bold}oasis6: IPv6 for any network${plain}

  A router with two networks, and not even a connection to the internet:

                    ┌──────────────────┐
                    │ router (oasis6)  │
                    └─┬──────────────┬─┘
              br-lan  │              │  br-guest
             ┌────────┴───┐          │
        ┌────┴───┐  ┌─────┴──────┐ ┌─┴───────┐
        │ laptop │  │ downstream │ │ visitor │
        └────────┘  │ (dhcpcd)   │ └─────────┘
                    └─────┬──────┘
                     ┌────┴────┐
                     │ printer │
                     └─────────┘

  Each of these is a network namespace of this machine. Its own network is not touched.
END
make_network >"$work/network.log" 2>&1 || { cat "$work/network.log"; echo "demo: can't make namespaces here" >&2; exit 1; }

title "1. The configuration"
say "The example that comes with oasis6, with what an owner would change: switch it on, add the guest"
say "network, and (since this is no real router) keep its files in a folder of the demo."
sed -e "s/option enabled '0'/option enabled '1'/" \
    -e "s|#option state_dir '.*'|option state_dir '$work/state'|" \
    -e "s|#option run_dir '.*'|option run_dir '$work/run'|" "$example" > "$work/oasis6"
cat >> "$work/oasis6" <<END

config lan 'guest'
	option device 'br-guest'
END
# as every OpenWrt router has it
cat > "$work/network" <<END
config interface 'lan'
	option device 'br-lan'
	option proto 'static'
END
SHOWN="diff /etc/config/oasis6 ..." show diff "$example" "$work/oasis6"
oasis6 check >/dev/null || { oasis6 check; broke "the configuration has an error"; }
held "oasis6 check finds no error in it"

title "2. The router starts"
start_router
within 10 oasis6 status || broke "the router does not answer"
within 10 has_address router br-lan && within 10 has_address router br-guest || broke "the router has no addresses"
held "It drew a unique local prefix at random, once in its life, and gave itself an address in each network:"
on router ip -6 -br addr show scope global
lan=$(on_link router br-lan) guest=$(on_link router br-guest) router=$(address_of router br-lan)
[ -n "$lan" ] && [ -n "$guest" ] && [ "$lan" != "$guest" ] || broke "the two networks do not have a /64 each"
site=$(ip -n "$run-router" -6 route show type unreachable | awk '/^unreachable f[cd].*\/48/ { print $2; exit }')
[ -n "$site" ] || broke "there is no unreachable route for the rest of the prefix"
held "What of $site is not in use is unreachable, so that no packet runs in circles:"
on router ip -6 route show type unreachable

title "3. A laptop joins the network"
say "It runs nothing but the kernel: addresses by SLAAC, out of the router's advertisements."
within 10 has_address laptop eth0 && [ "$(on_link laptop eth0)" = "$lan" ] || broke "the laptop has no address in $lan"
laptop=$(address_of laptop eth0)
held "It has the address $laptop"
on laptop ip -6 -br addr show dev eth0 scope global
within 5 in_ laptop sh -c "ip -6 route show $site | grep -q via" || broke "the laptop has no route to $site"
[ -z "$(ip -n "$run-laptop" -6 route show default)" ] || broke "the laptop has a default route, and there is no internet"
held "It knows the way to the whole site, and no way to the internet, since there is none:"
on laptop ip -6 route show proto ra
within 5 has_address visitor eth0 && [ "$(on_link visitor eth0)" = "$guest" ] || broke "the visitor has no address in $guest"
visitor=$(address_of visitor eth0)
held "The visitor in the guest network has $visitor"

title "4. A downstream router asks for an address and a prefix"
cat > "$work/hook" <<END
#!/bin/sh
case \$reason in
    BOUND6 | RENEW6 | REBIND6) env | sed -n '/^new_dhcp6/p; s/^reason=/new_dhcp6_reason=/p' > $work/lease.new && mv $work/lease.new $work/lease ;;
esac
END
chmod +x "$work/hook"
cat > "$work/dhcpcd.conf" <<END
ipv6only
noipv6rs
duid
option dhcp6_name_servers
option dhcp6_domain_search
script $work/hook
interface wan
    ia_na 1
    ia_pd 2/::/60 lan0/1/64
END
say "Debian's dhcpcd, configured like this:"
SHOWN="tail -n 3 /etc/dhcpcd.conf" show tail -n 3 "$work/dhcpcd.conf"
# ip netns exec gives it mounts of its own: what it writes to these folders only it sees
start dhcpcd downstream "mount -t tmpfs none /run && mkdir /run/dhcpcd && mount -t tmpfs none /var/lib/dhcpcd &&
    exec dhcpcd --nobackground -f $work/dhcpcd.conf wan"
within 20 test -s "$work/lease" || broke "dhcpcd got nothing"
address=$(learnt ia_na1_ia_addr1) prefix=$(learnt ia_pd1_prefix1)/$(learnt ia_pd1_prefix1_length)
[ -n "$address" ] || broke "dhcpcd got no address"
held "It got the address $address by DHCPv6"
[ "${prefix#*/}" = 60 ] || broke "dhcpcd got no /60"
held "It was delegated the prefix $prefix, to number its own networks from"
[ "$(learnt name_servers)" = "$router" ] || broke "dhcpcd was told the DNS server '$(learnt name_servers)', not the router"
held "It was told the DNS server $router"
within 5 in_ router sh -c "ip -6 route show $prefix | grep -q 'via fe80'" || broke "the router has no route to $prefix"
held "The router sends packets for that prefix to it:"
on router ip -6 route show "$prefix"
say "So the downstream router numbers the network behind it, and the printer there has an address."
within 10 has_address downstream lan0 || broke "dhcpcd did not number lan0"
gateway=$(address_of downstream lan0) printer=${gateway%::*}::99
ip -n "$run-printer" addr add "$printer/64" dev eth0 nodad && ip -n "$run-printer" route add default via "$gateway"
held "The printer has $printer"

title "5. Everyone reaches everyone"
pings

title "6. What the router knows"
ask status
ask leases
leases=$(oasis6 leases)
grep -qF "$address" <<<"$leases" && grep -qF "$prefix" <<<"$leases" || broke "the leases are not all shown"
held "Both leases are there"

title "7. The router is killed (kill -9), and starts again"
stop oasis6 KILL
say "Killed. While it is away, what it built stays:"
pings
rm -f "$work/lease"
start_router
within 10 oasis6 status || broke "the router does not come back"
[ "$(on_link router br-lan)" = "$lan" ] && [ "$(address_of router br-lan)" = "$router" ] || broke "the prefix changed"
held "It is back, with the same prefix and addresses"
after=$(oasis6 leases)
grep -qF "$address" <<<"$after" && grep -qF "$prefix" <<<"$after" || broke "it forgot leases"
held "It remembers who has what:"
ask leases
kill -USR1 "${daemons[dhcpcd]}" # renew
within 20 test -s "$work/lease" || broke "dhcpcd could not renew"
[ "$(learnt ia_na1_ia_addr1)" = "$address" ] && [ "$(learnt ia_pd1_prefix1)/$(learnt ia_pd1_prefix1_length)" = "$prefix" ] ||
    broke "dhcpcd got something else"
held "The downstream router renewed both, and keeps them"
ip -n "$run-laptop" link set eth0 down && ip -n "$run-laptop" link set eth0 up
within 10 has_address laptop eth0 && [ "$(address_of laptop eth0)" = "$laptop" ] || broke "the laptop has another address"
held "The laptop left and came back, and has its address again"
within 5 in_ laptop sh -c "ip -6 route show $site | grep -q via" || broke "the laptop has no route to $site"
pings

title "8. The end of the first act"
clean_up
after=$(ip netns list | sort; ip -o link | sed 's/^[0-9]*: \([^:]*\):.*/\1/' | sort)
if [ "$before" != "$after" ]; then
    diff <(echo "$before") <(echo "$after")
    say "Something on this machine changed meanwhile (perhaps not by the demo)."
else
    held "Everything the demo made is gone; this machine is as it was"
fi
OASIS6=$OASIS6 tests/demo/uplinks.sh || exit 1
printf '\n%sEvery step held.%s\n' "$green" "$plain"

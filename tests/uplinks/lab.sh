# shellcheck shell=bash disable=SC2154
# lab.sh : an Internet in namespaces, with two providers, a tunnel broker, a router and hosts. Sourced after machines.sh.
#
#       pc, tv ─ br-lan ┌────────┐ wana ──────── isp-a ─┐
#                       │ router │ wanb ──────── isp-b ─┼─ inet (the host $INTERNET)
#                       └────────┘ wan4 ─ nat ─ broker ─┘
#
# Providers: radvd announces a /64 on the customer's link, kea leases an address and delegates a /56, and its hook script
# routes what it delegated to the client, as the relay of a real provider does. They are known as a and b; all they have
# is in 2001:db8:a00::/40 and 2001:db8:b00::/40, and with each renumbering (generation G = 1, 2, ...)
#       2001:db8:a0G:ffff::/64  the customer's link        2001:db8:a1G::/48  what is delegated
# What is routed to no one is dropped silently. The broker has 2001:db8:c00::/40, gives 2001:db8:c10::/56 to the customer,
# and is reached by IPv4 only, through a router that translates addresses.
# shellcheck disable=SC2034 # used by those who source this
INTERNET=2001:db8:1::1
BROKER_PREFIX=2001:db8:c10::/56
BROKER4=198.51.100.1
CUSTOMER4=198.51.101.2
tunnel_prefix=2001:db8:c10: # what starts every address that comes of the tunnel
declare -A generation=([a]=1 [b]=1) seconds=()
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# make_lab : all machines and cables, forwarding and addresses of the core; nobody serves the customer yet
make_lab() {
    local name letter
    local forwards="net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1 net.ipv4.ip_forward=1"
    local certain="net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0"
    machine inet isp-a isp-b broker nat router pc tv || return 1
    # shellcheck disable=SC2086 # words
    for name in inet isp-a isp-b broker nat; do in_ "$name" sysctl -qw $forwards $certain; done
    # shellcheck disable=SC2086 # words
    in_ router sysctl -qw $forwards
    # as on OpenWrt: a bridge's packets are filtered once, as packets
    in_ router sysctl -qw net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null
    for name in pc tv; do in_ "$name" sysctl -qw net.ipv6.conf.default.accept_ra_rt_info_max_plen=64; done
    cable inet to-a isp-a core && cable isp-a edge router wana && cable inet to-b isp-b core && cable isp-b edge router wanb &&
        cable inet to-c broker core && cable broker edge nat core && cable nat edge router wan4 || return 1
    backbone a isp-a && backbone b isp-b && backbone c broker || return 1
    for letter in a b; do
        # whatever leaves by this uplink with a source that it didn't give
        in_ "isp-$letter" nft "table netdev foreign {
            set foreign { typeof ip6 saddr . ip6 daddr; flags dynamic; size 1000; }
            chain in {
                type filter hook ingress device edge priority 0
                ip6 saddr != { ::, fe80::/10, 2001:db8:${letter}00::/40 } add @foreign { ip6 saddr . ip6 daddr }
            }
        }" || return 1
    done
    ip_ inet "addr add $INTERNET/128 dev lo nodad"
    ip_ isp-a "addr add fe80::1/64 dev edge nodad" && ip_ isp-b "addr add fe80::1/64 dev edge nodad" &&
        ip_ broker "addr add $BROKER4/24 dev edge" &&
        ip_ nat "addr add 198.51.100.2/24 dev core" "addr add 192.168.4.1/24 dev edge" "route add default via $BROKER4" &&
        in_ nat nft 'table ip nat { chain out { type nat hook postrouting priority 100; oifname "core" masquerade; }; }' &&
        ip_ router "addr add 192.168.4.2/24 dev wan4" "route add default via 192.168.4.1" "link add br-lan type bridge" \
            "link set br-lan up" && cable router pc pc eth0 && cable router tv tv eth0 &&
        ip_ router "link set pc master br-lan" "link set tv master br-lan"
}

# backbone LETTER MACHINE : the provider's default route, and the Internet's way to all that is the provider's
backbone() {
    ip_ "$2" "addr add 2001:db8:${1}00::1/128 dev lo nodad" "addr add fe80::2/64 dev core nodad" \
        "route add default via fe80::1 dev core src 2001:db8:${1}00::1" "route add blackhole 2001:db8:${1}00::/40" &&
        ip_ inet "addr add fe80::1/64 dev to-$1 nodad" "route add 2001:db8:${1}00::/40 via fe80::2 dev to-$1"
}

link_prefix() { echo "2001:db8:${1}0${generation[$1]}:ffff::/64"; }
delegated_pool() { echo "2001:db8:${1}1${generation[$1]}::"; }
# lan_prefix LETTER : what starts every address that a provider gives out now, of hosts on the LAN
lan_prefix() { echo "2001:db8:${1}1${generation[$1]}:"; }

# ---- providers

# provide LETTER : the provider begins to serve. Lifetimes in ${seconds[...]}: valid, preferred, renew, rebind; delegates=no
# gives addresses only
provide() {
    local letter=$1 folder=$work/isp-$1 prefix pool delegated='' valid=${seconds[valid]:-1800}
    mkdir -p "$folder"
    prefix=$(link_prefix "$letter") pool=$(delegated_pool "$letter")
    [ "${delegates:-yes}" = no ] || delegated="{ \"prefix\": \"$pool\", \"prefix-len\": 48, \"delegated-len\": 56 }"
    ip -n "$run-isp-$letter" addr replace "${prefix%/64}1/64" dev edge nodad
    cat > "$folder/radvd.conf" <<CONF
interface edge {
    AdvSendAdvert on; AdvManagedFlag on; AdvOtherConfigFlag on; MinRtrAdvInterval 3; MaxRtrAdvInterval ${seconds[interval]:-4};
    AdvDefaultLifetime ${seconds[router]:-1800};
    prefix $prefix { AdvValidLifetime $valid; AdvPreferredLifetime ${seconds[preferred]:-900}; };
};
CONF
    cat > "$folder/route" <<CONF
#!/bin/bash
# as the relay of a provider: a route for each prefix that was delegated
[ "\$1" = leases6_committed ] || exit 0
for ((n = 0; n < LEASES6_SIZE; n++)); do
    kind=LEASES6_AT\${n}_TYPE prefix=LEASES6_AT\${n}_ADDRESS length=LEASES6_AT\${n}_PREFIX_LEN
    [ "\${!kind}" = IA_PD ] || continue
    ip -6 route replace "\${!prefix}/\${!length}" via "\$QUERY6_REMOTE_ADDR" dev edge && echo "\${!prefix}/\${!length} \$QUERY6_REMOTE_ADDR" >> "$folder/routes"
done
CONF
    chmod +x "$folder/route"
    cat > "$folder/kea.json" <<CONF
{ "Dhcp6": {
    "data-directory": "$folder",
    "server-id": { "type": "LL", "htype": 1, "identifier": "0200000000${letter}${letter}", "persist": false },
    "interfaces-config": { "interfaces": [ "edge" ], "re-detect": true },
    "lease-database": { "type": "memfile", "persist": true, "name": "$folder/leases" },
    "multi-threading": { "enable-multi-threading": false },
    "preferred-lifetime": ${seconds[preferred]:-900}, "valid-lifetime": $valid,
    "renew-timer": ${seconds[renew]:-450}, "rebind-timer": ${seconds[rebind]:-720},
    "hooks-libraries": [ { "library": "$(kea_hook)", "parameters": { "name": "$folder/route", "sync": false } } ],
    "option-data": [ { "name": "dns-servers", "data": "$INTERNET" } ],
    "subnet6": [ {
        "id": ${generation[$letter]}, "subnet": "$prefix", "interface": "edge", "rapid-commit": true,
        "pools": [ { "pool": "${prefix%/64}1:0-${prefix%/64}1:ffff" } ],
        "pd-pools": [ $delegated ] } ],
    "loggers": [ { "name": "kea-dhcp6", "severity": "WARN", "output_options": [ { "output": "stderr" } ] } ] } }
CONF
    start "radvd-$letter" "isp-$letter" "exec radvd -n -C $folder/radvd.conf -p $folder/radvd.pid -m stderr"
    start "kea-$letter" "isp-$letter" "export KEA_PIDFILE_DIR=$folder KEA_LOCKFILE_DIR=none; exec kea-dhcp6 -c $folder/kea.json"
}
kea_hook() {
    local hook
    for hook in /usr/lib/*/kea/hooks/libdhcp_run_script.so; do echo "$hook"; done
}
# retire LETTER [SIGNAL] : the provider serves no more; by KILL without a word
retire() {
    stop "radvd-$1" "${2:-KILL}"
    stop "kea-$1" "${2:-KILL}"
}
# renumber LETTER : another link prefix, other delegations; whatever was given out before is dropped from now on
renumber() {
    local letter=$1 old
    retire "$letter"
    old=$(link_prefix "$letter")
    in_ "isp-$letter" ip -6 addr del "${old%/64}1/64" dev edge
    ip -n "$run-isp-$letter" -6 route show root "2001:db8:${letter}10::/44" | awk '/via/ { print $1 }' |
        while read -r old; do ip -n "$run-isp-$letter" -6 route del "$old"; done
    generation[$letter]=$((generation[$letter] + 1))
    rm -f "$work/isp-$letter/leases"*
    provide "$letter"
    within 5 serves "$letter"
}
# serves LETTER : its DHCPv6 server listens
serves() { in_ "isp-$1" ss -Hlnu sport = :547 | grep -q .; }

# ---- the broker

# start_broker : the far end of a WireGuard tunnel, by the kernel or else by wireguard-go; $broker_key, $customer_key
start_broker() {
    broker_private=$(wg genkey) customer_private=$(wg genkey)
    broker_key=$(wg pubkey <<<"$broker_private") customer_key=$(wg pubkey <<<"$customer_private")
    make_wireguard broker wgbroker || return 1
    (umask 077 && echo "$broker_private" > "$work/broker.key")
    wg_ broker set wgbroker listen-port 51820 private-key "$work/broker.key" peer "$customer_key" \
        allowed-ips "$BROKER_PREFIX,fe80::/64" || return 1
    ip -n "$run-broker" link set wgbroker up mtu 1420 && ip -n "$run-broker" addr add "$(link_local_of "$broker_key")/64" dev wgbroker nodad &&
        ip -n "$run-broker" -6 route add $BROKER_PREFIX dev wgbroker
}
# link_local_of KEY : the address that both ends expect of whoever has this public key: its first eight bytes without the
# universal bit
link_local_of() {
    local bytes
    bytes=$(base64 -d <<<"$1" | head -c 8 | od -An -v -tx1 | tr -d ' ')
    printf 'fe80::%02x%s:%s:%s:%s\n' $((0x${bytes:0:2} & ~2)) "${bytes:2:2}" "${bytes:4:4}" "${bytes:8:4}" "${bytes:12:4}"
}
# customer_wireguard DEVICE : the near end of the tunnel made by hand, for a router that can't
customer_wireguard() {
    make_wireguard router "$1" || return 1
    (umask 077 && echo "$customer_private" > "$work/by-hand.key")
    wg_ router set "$1" private-key "$work/by-hand.key" peer "$broker_key" endpoint $BROKER4:51820 allowed-ips ::/0 \
        persistent-keepalive 25 && ip -n "$run-router" link set "$1" up mtu 1420 &&
        ip -n "$run-router" addr add "$(link_local_of "$customer_key")/64" dev "$1" nodad
}
kernel_has_wireguard() {
    ip -n "$run-broker" link add wgtry type wireguard 2>/dev/null && ip -n "$run-broker" link del wgtry
}
# make_wireguard MACHINE DEVICE
make_wireguard() {
    if kernel_has_wireguard; then
        ip -n "$run-$1" link add "$2" type wireguard
    else
        mkdir -p "$work/$1-wireguard"
        start "wireguard-$2" "$1" "$(with_sockets "$1") && exec wireguard-go -f $2"
        within 5 test -S "$work/$1-wireguard/$2.sock" && within 5 ip -n "$run-$1" link show "$2"
    fi
}
# with_sockets MACHINE : shell words that give a process this machine's sockets of wireguard-go and no others
with_sockets() {
    echo "mkdir -p $work/$1-wireguard /var/run/wireguard && mount --bind $work/$1-wireguard /var/run/wireguard"
}
# wg_ MACHINE ARGUMENT... : the program wg there
wg_() {
    # shellcheck disable=SC2016 # expanded there
    in_ "$1" bash -c "$(with_sockets "$1")"' && exec wg "$@"' wg "${@:2}"
}

# public_ipv4 : the router at nat translates no more, and the customer has an address of the Internet
public_ipv4() {
    in_ nat nft delete table ip nat && ip -n "$run-nat" addr add 198.51.101.1/24 dev edge &&
        ip -n "$run-router" addr flush dev wan4 scope global && ip -n "$run-router" addr add $CUSTOMER4/24 dev wan4 &&
        ip -n "$run-router" route add default via 198.51.101.1 && ip -n "$run-broker" route add 198.51.101.0/24 via 198.51.100.2
}
# start_sit sixinfour|sixtofour|sixrd : the broker's end of such a tunnel
start_sit() {
    local broker=$run-broker
    case $1 in
        sixinfour)
            ip -n "$broker" tunnel add far mode sit local $BROKER4 remote $CUSTOMER4 ttl 64 &&
                ip -n "$broker" link set far up && ip -n "$broker" addr add 2001:db8:c01::1/64 dev far &&
                ip -n "$broker" -6 route add $BROKER_PREFIX dev far
            ;;
        sixtofour) # another site
            tunnel_prefix=2002:c633:6502:
            ip -n "$broker" tunnel add far mode sit local $BROKER4 ttl 64 && ip -n "$broker" link set far up &&
                ip -n "$broker" addr add 2002:c633:6401::1/16 dev far
            ;;
        sixrd) # behind a /40 stand the last 16 bits of the customer's IPv4 address
            tunnel_prefix=2001:db8:c65:2
            ip -n "$broker" tunnel add far mode sit local $BROKER4 ttl 64 &&
                ip -n "$broker" tunnel 6rd dev far 6rd-prefix 2001:db8:c00::/40 6rd-relay_prefix 198.51.0.0/16 &&
                ip -n "$broker" link set far up && ip -n "$broker" -6 route del blackhole 2001:db8:c00::/40 &&
                ip -n "$broker" -6 route add 2001:db8:c00::/40 dev far
            ;;
    esac 2>/dev/null
}

# ---- cutting

# far_end LETTER : the machine at the other end of the router's cable; its device there is called edge
far_end() { case $1 in a | b) echo "isp-$1" ;; c) echo nat ;; esac; }
# cut_off LETTER link|silent|beyond : the cable is out; everything vanishes on the cable; the provider still answers, but not
# the Internet behind it
cut_off() {
    local far device=edge
    far=$(far_end "$1")
    case $2 in
        link)
            ip -n "$run-$far" link set edge down
            return
            ;;
        beyond) device=core ;;
    esac
    in_ "$far" nft "table netdev cut {
        chain in { type filter hook ingress device $device priority -500; policy drop; }
        chain out { type filter hook egress device $device priority -500; policy drop; }
    }"
}
# mend LETTER : as before it was cut off
mend() {
    local far prefix
    far=$(far_end "$1")
    in_ "$far" nft delete table netdev cut 2>/dev/null
    [ -z "$(ip -n "$run-$far" link show dev edge up)" ] || return 0
    ip -n "$run-$far" link set edge up
    # addresses and routes of IPv6 do not outlive the link
    [ "$1" != c ] || return 0
    prefix=$(link_prefix "$1")
    ip -n "$run-$far" addr replace fe80::1/64 dev edge nodad
    ip -n "$run-$far" addr replace "${prefix%/64}1/64" dev edge nodad
    delegated_routes "$1"
}
# delegated_routes LETTER : the routes of what is delegated, which the kernel removed with the link
delegated_routes() {
    local prefix via
    sort -u "$work/isp-$1/routes" 2>/dev/null | while read -r prefix via; do
        case $prefix in "$(lan_prefix "$1")"*) ip -n "$run-isp-$1" -6 route replace "$prefix" via "$via" dev edge ;; esac
    done
}

# ---- looking

# strayed LETTER : what left by that provider with a source of someone else: from . to
strayed() { in_ "isp-$1" nft -j list set netdev foreign foreign | grep -o '"concat": \[[^]]*\]' | sed 's/"concat": //'; }

# preferred MACHINE : its preferred global addresses on eth0; lan_addresses: all, with "deprecated" where that is so
preferred() {
    ip -n "$run-$1" -6 -o addr show dev eth0 scope global -tentative -deprecated | awk '{ split($4, a, "/"); print a[1] }'
}
lan_addresses() {
    ip -n "$run-$1" -6 -o addr show dev eth0 scope global -tentative | awk '{ split($4, a, "/"); print a[1], ($0 ~ /deprecated/ ? "deprecated" : "preferred") }'
}
# prefers MACHINE LETTER : it has a preferred address from that provider (a, b) or the broker (c)
prefers() { preferred "$1" | grep -q "^$(of_letter "$2")"; }
of_letter() { case $1 in c) echo "$tunnel_prefix" ;; *) lan_prefix "$1" ;; esac; }
prober() { python3 "$lab/prober.py" "$@"; }
# probing MACHINE EVERY : a prober on that machine asks the Internet every so many milliseconds, and has been answered for half
# a second; its log is $work/probes
probing() {
    : > "$work/probes"
    start prober "$1" "exec python3 $lab/prober.py ask $INTERNET $2 $work/probes"
    prober outage "$work/probes" "$(now_ms)" 20000 500 >/dev/null
}

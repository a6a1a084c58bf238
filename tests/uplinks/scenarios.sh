# shellcheck shell=bash disable=SC2034,SC2154
# scenarios.sh : what an uplink lives through. Sourced by run.sh.
#
# In each, an uplink under test (a, or c for one over IPv4) is the better one, and the native uplink b stands beside it.
# A host asks the Internet ten times a second from a socket that is always new.

# ---- words

ok() { echo "  ok     $*"; }
# broken WHAT : says so, the first time with what helps to see why; goes on
broken() {
    echo "  FAILED $*"
    [ "$failed" = 0 ] || return
    {
        oasis6 status
        ip -n "$run-router" -6 route show
        lan_addresses pc
        tail -n 15 "$work/oasis6.log"
    } 2>&1 | sed 's/^/         | /'
    failed=1
}
# held WHAT COMMAND... : the command must succeed
held() {
    if "${@:2}"; then ok "$1"; else broken "$1"; fi
}
# must : as held, and without it the rest means nothing
must() {
    held "$@"
    [ "$failed" = 0 ] || exit 1
}
skipped() {
    echo "  skipped: $*"
    exit 77
}
prefers_no() { ! preferred pc | grep -q "^$1"; }
has_no() { ! lan_addresses pc | grep -q "^$1"; }
uses_no() { ! prober sources "$work/probes" "$2" | grep -q "^$1"; }
# (on the LAN's link a prefix that is gone is left while hosts may use it: they are answered that it is, RFC 7084 L-14)
router_has_no() { ! { ip -n "$run-router" -6 addr show; ip -n "$run-router" -6 route show; } | grep -v ' dev br-lan proto 111 ' | grep -q "$1"; }
status_says() { oasis6 status | grep -qi "$1"; }
reaches() { in_ "$1" ping -6 -q -c 2 -i 0.2 -W 1 "${2:-$INTERNET}" >/dev/null 2>&1; }

# begins LETTER : the router starts, the host has addresses of both uplinks, that of LETTER is preferred and works
begins() {
    remember_things
    must "the router answers" start_router
    must "comes up: the host has an address of $1, and uses it" within 20 prefers pc "$1"
    held "the host reaches the Internet" within 10 reaches pc
    held "b stands by: the host has an address of it in reserve" within 20 ready pc b
    probing pc 100
}
# a_before_b [LINE...] : two native uplinks are configured, of which a is the better one, and what the lines say
a_before_b() { printf '%s\n' "$NATIVE_A priority=1" "$NATIVE_B" "$@" | configure; }
# patience MS : three times as much in a virtual machine, where one run of nft may take a second
patience() { echo $(($1 * $([ -e /run/vm/started ] && echo 3 || echo 1))); }
# moves LETTER HOW OTHER LIMIT_MS : cuts an uplink; the host is on the other one within the limit, and never looks back
moves() {
    local since ms
    since=$(now_ms)
    cut_off "$1" "$2"
    ms=$(prober outage "$work/probes" "$since" 30000)
    since=$(now_ms)
    held "dies ($2): the host is on $3 after $ms ms, of $(patience "$4")" [ "$ms" -le "$(patience "$4")" ]
    held "its preferred addresses are of $3 only" only_prefers "$1" "$3"
    sleep 0.5
    held "it uses no source of $1 any more" uses_no "$(of_letter "$1")" $((since - 1000))
}
only_prefers() { prefers pc "$2" && ! prefers pc "$1"; }
# comes_back LETTER : a mended uplink stands by again, and that costs no packet
comes_back() {
    local since lost
    since=$(now_ms)
    mend "$1"
    held "returns: $1 stands by again" within 40 standing "$1"
    lost=$(prober lost "$work/probes" "$since")
    held "nothing is lost meanwhile ($lost requests)" [ "${lost% *}" = 0 ]
}
# lives LETTER LIMIT_MS : dies by link, returns, is moved back to though the LAN heard an advertisement a moment ago, dies
# silently, returns
lives() {
    moves "$1" link b "$2"
    comes_back "$1"
    moves b link "$1" 1500
    comes_back b
    moves "$1" silent b "$3"
    comes_back "$1"
}
# ends : nothing is left of oasis6 after it was stopped and withdrawn
ends() {
    local left
    left=$(strayed a)$(strayed b)
    held "nothing left by an uplink with a source of another${left:+: $left}" [ -z "$left" ]
    stop prober
    stop oasis6
    oasis6 withdraw >/dev/null
    left=$(leftovers)
    held "nothing is left on the router${left:+: $left}" [ -z "$left" ]
}
# unshaken WHAT SECONDS MACHINE COMMAND... : while the command runs there, at most so long, nothing is lost
unshaken() {
    local since lost
    since=$(now_ms)
    timeout "$2" ip netns exec "$run-$3" "${@:4}" >/dev/null 2>&1
    sleep 1.5
    lost=$(prober lost "$work/probes" "$since")
    held "$1: no request is lost ($lost)" [ "${lost% *}" = 0 ]
}

# restarts HOW LIMIT_MS : the router's program ends by that signal and starts anew; the kernel's objects are not touched
restarts() {
    local since ms
    start monitor router "exec ip -6 monitor address route"
    sleep 0.3
    since=$(now_ms)
    stop oasis6 "$1"
    [ "$1" = TERM ] || sleep 1
    held "starts again after $1" start_router
    sleep 6
    ms=$(prober outage "$work/probes" "$since" 30000)
    held "restarted ($1): the host missed $ms ms, of $2" [ "$ms" -le "$2" ]
    stop monitor
    held "no address and no route went" not grep '^Deleted' "$work/monitor.log"
    : > "$work/monitor.log"
}
# static_a : a is given by hand, b is native
static_a() {
    provide b
    local pool
    pool=$(delegated_pool a)
    ip -n "$run-isp-a" addr add "2001:db8:a01:ffff::1/64" dev edge
    ip -n "$run-isp-a" -6 route add "${pool%::}:100::/56" via 2001:db8:a01:ffff::2
    echo "${pool%::}:100::/56 2001:db8:a01:ffff::2" > "$work/isp-a.routes"
    mkdir -p "$work/isp-a" && mv "$work/isp-a.routes" "$work/isp-a/routes"
    configure <<WORDS
uplink a type=static device=wana priority=1 +prefix=${pool%::}:100::/56 +address=2001:db8:a01:ffff::2/64 gateway=2001:db8:a01:ffff::1
$NATIVE_B
WORDS
}

# ---- scenarios

native_lives() {
    provide a && provide b
    a_before_b
    begins a
    lives a 3000 6000
    ends
}

# The provider's router answers and advertises as before: only somebody farther off, whom the owner names, can tell.
native_is_cut_beyond() {
    provide a && provide b
    configure <<WORDS
$NATIVE_A priority=1 +probe=$INTERNET
$NATIVE_B
WORDS
    begins a
    moves a beyond b 6000
    held "status says who does not answer" status_says "no answer from $INTERNET"
    comes_back a
    held "and is used again" within 40 only_prefers b a
    ends
}

native_is_restarted() {
    provide a && provide b
    configure <<WORDS
$NATIVE_A priority=10
$NATIVE_B priority=1
WORDS
    begins b
    restarts KILL 0
    held "the host still prefers an address of b" only_prefers a b
    moves b link a 3000
    comes_back b
    restarts KILL 0
    held "the host still prefers an address of what was in use, though b is better" only_prefers b a
    restarts TERM 1000
    stop oasis6 KILL
    renumber a
    held "starts again" start_router
    held "renumbered meanwhile: the host has an address of the new prefix" within 30 prefers pc a
    ends
}

static_is_restarted() {
    static_a
    begins a
    restarts KILL 0
    held "the host still prefers an address of a" prefers pc a
    restarts TERM 1000
    ends
}

native_renews() {
    seconds=([valid]=14 [preferred]=12 [renew]=3 [rebind]=6 [router]=12)
    provide a
    seconds=()
    provide b
    a_before_b
    begins a
    unshaken "renews: lifetimes of 14 s, renewed every 3" 20 pc sleep 18
    held "the host still prefers an address of it" prefers pc a
    held "kea saw it renew" [ "$(grep -c . "$work/isp-a/routes")" -ge 4 ]
    ends
}

native_is_renumbered() {
    seconds=([valid]=600 [preferred]=300 [renew]=4 [rebind]=8)
    provide a
    provide b
    a_before_b
    begins a
    local old since ms
    old=$(lan_prefix a) since=$(now_ms)
    renumber a
    cut_off a link && sleep 0.3 && mend a
    held "renumbered while the cable was out: the host has an address of the new prefix" within 30 prefers pc a
    held "none of the old one is preferred" within 3 prefers_no "$old"
    ms=$(prober outage "$work/probes" "$since" 30000)
    held "and is back after $ms ms" [ "$ms" -le 10000 ]
    old=$(lan_prefix a) since=$(now_ms)
    renumber a
    held "renumbered without a word: the host has an address of the new prefix" within 30 prefers pc a
    held "none of the old one is preferred" within 3 prefers_no "$old"
    ms=$(prober outage "$work/probes" "$since" 30000)
    held "and is back after $ms ms" [ "$ms" -le 10000 ]
    held "the router has no address or route of the old prefix" within 3 router_has_no "$old"
    ends
}

native_gets_bad_input() {
    provide a && provide b
    a_before_b
    begins a
    local far
    ip -n "$run-isp-a" addr add fe80::bad/64 dev edge nodad
    far=$(in_ router cat /sys/class/net/wana/address)
    unshaken "bad input: router advertisements of nonsense" 10 isp-a python3 "$lab/nonsense.py" ra edge 2000 fe80::bad
    unshaken "bad input: DHCPv6 of nonsense" 10 isp-a python3 "$lab/nonsense.py" dhcp6 edge 2000 fe80::bad "$far"
    held "the host still prefers an address of it" prefers pc a
    ends
}

an_isp_that_repeats_itself_changes_nothing() {
    local before changes
    provide a && provide b
    a_before_b
    begins a
    sleep 12 # the first advertisements to the LAN come closer to each other
    before=$(advertised)
    changes=$(timeout 15 ip netns exec "$run-router" ip -6 monitor address route | sed 's/^/         | /')
    held "no change in the kernel in 15 s, while an advertisement comes every 3 to 4 s${changes:+:
$changes}" [ -z "$changes" ]
    held "no advertisement to the LAN because of them" [ $(($(advertised) - before)) -le 1 ]
    ends
}
# advertised : how many advertisements went to all on the LAN
advertised() { oasis6 status | sed -n 's/.*advertised \([0-9]*\) times* to all.*/\1/p'; }

hostile_neighbours_change_nothing() {
    local before after
    command -v atk6-flood_router26 >/dev/null || skipped "thc-ipv6 is missing"
    provide a && provide b
    configure <<WORDS
$NATIVE_A priority=20
$NATIVE_B priority=10
WORDS
    begins b
    ip -n "$run-isp-a" addr add fe80::bad/64 dev edge nodad
    before=$(resident_kb)
    unshaken "flood_router26 on the link of a" 3 isp-a atk6-flood_router26 edge
    after=$(resident_kb)
    unshaken "fake_router26" 2 isp-a atk6-fake_router26 -i 1 -s fe80::bad -A 2001:db8:bad::/64 edge
    unshaken "fake_dhcps6" 2 isp-a atk6-fake_dhcps6 edge 2001:db8:bad::/64 2001:db8:bad::53
    unshaken "kill_router6" 2 isp-a atk6-kill_router6 edge fe80::1
    unshaken "flood_router26 again" 3 isp-a atk6-flood_router26 edge
    held "memory stays flat: $before, then $after, then $(resident_kb) KiB" [ "$(resident_kb)" -le $((after + 256)) ]
    held "the host still prefers an address of b" prefers pc b
    held "and has none of what was made up" has_no 2001:db8:bad:
    held "the router has at most 16 addresses on the link" [ "$(ip -n "$run-router" -6 -o addr show dev wana scope global | wc -l)" -le 16 ]
    ends
}

nothing_comes_in_uninvited() {
    local id address
    provide a && provide b
    id=$(ip -n "$run-pc" -6 -o addr show dev eth0 scope link | sed -n 's/.*fe80\(::[^/]*\).*/\1/p')
    a_before_b "pinhole web host_id=$id lan=lan +port=8080"
    for address in 8080 8081; do start "http-$address" pc "exec python3 -m http.server --bind :: $address"; done
    begins a
    address=$(preferred pc | grep "^$(lan_prefix a)")
    held "the host's services run" within 5 both_ports pc "$address"
    held "a ping from the Internet does not reach it" not in_ inet ping -6 -q -c 2 -i 0.3 -W 1 "$address"
    held "nor a connection" not connects inet "$address" 8081
    held "one through the pinhole does" connects inet "$address" 8080
    moves a link b 3000
    address=$(preferred pc | grep "^$(lan_prefix b)")
    held "the pinhole has moved along" within 2 connects inet "$address" 8080
    held "and nothing else is open" not connects inet "$address" 8081
    address=$(preferred tv | grep "^$(lan_prefix b)")
    held "nor to another host" not in_ inet ping -6 -q -c 2 -i 0.3 -W 1 "$address"
    ends
}
connects() { timeout 2 ip netns exec "$run-$1" bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null; }
both_ports() { connects "$1" "$2" 8080 && connects "$1" "$2" 8081; }
not() { ! "$@" >/dev/null 2>&1; }

sources_of_no_uplink_are_refused() {
    provide a && provide b
    a_before_b
    begins a
    ip -n "$run-pc" addr add 2001:db8:dead::1/128 dev eth0 nodad
    held "a source that no uplink gave: the router answers with type 1 code 5" answers_policy 2001:db8:dead::1
    moves a silent b 6000
    local old
    old=$(lan_addresses pc | sed -n "s/^\($(lan_prefix a)[^ ]*\) .*/\1/p")
    held "the same for the source of an uplink that died" within 5 answers_policy "$old"
    ends
}
# answers_policy SOURCE : the host is told that its source failed a policy
answers_policy() { in_ pc ping -6 -c 1 -W 1 -I "$1" "$INTERNET" 2>&1 | grep -q "Source address failed\|code 5$"; }

native_shares_a_64() {
    delegates=no provide a
    provide b
    a_before_b
    tunnel_prefix=$(link_prefix a) && tunnel_prefix=${tunnel_prefix%:/64}
    remember_things
    must "the router answers" start_router
    held "a network with one /64 and no delegation: the host has an address of it" within 30 prefers pc c
    held "the host reaches the Internet" within 10 reaches pc
    held "status says why it is shared" status_says proxy
    probing pc 100
    local since ms old=$tunnel_prefix
    since=$(now_ms)
    cut_off a link
    ms=$(prober outage "$work/probes" "$since" 30000)
    held "dies (link): the host is on b after $ms ms, of 3000" [ "$ms" -le 3000 ]
    mend a
    held "returns: the /64 is shared again" within 40 standing c
    cut_off b link
    held "and used when b dies: the host prefers it" within 10 prefers pc c
    held "the host reaches the Internet by it" within 5 reaches pc
    readvertise
    held "renumbered: the host has an address of the new /64" within 30 prefers pc c
    held "none of the old one is preferred" within 5 prefers_no "$old"
    held "the host reaches the Internet" within 5 reaches pc
    old=$tunnel_prefix
    retire a
    provide a && within 5 serves a
    cut_off a link && sleep 0.5 && mend a
    held "a prefix is delegated at last: the host prefers it" within 40 prefers pc a
    held "to what was shared" within 5 prefers_no "$old"
    held "the host reaches the Internet" within 10 reaches pc
    held "and nobody is answered for any more" within 5 not proxied "$old"
    ends
}
# readvertise : provider a deprecates the /64 on the customer's link and announces another
readvertise() {
    local old
    old=$(link_prefix a)
    stop radvd-a KILL
    generation[a]=$((generation[a] + 1)) tunnel_prefix=$(link_prefix a) && tunnel_prefix=${tunnel_prefix%:/64}
    ip -n "$run-isp-a" addr add "${tunnel_prefix}:1/64" dev edge nodad
    sed -i "s|^ *prefix .*|prefix $tunnel_prefix:/64 { }; prefix $old { AdvValidLifetime 60; AdvPreferredLifetime 0; };|" "$work/isp-a/radvd.conf"
    start radvd-a isp-a "exec radvd -n -C $work/isp-a/radvd.conf -p $work/isp-a/radvd.pid -m stderr"
}

native_answers_for_hosts_that_are_silent() {
    delegates=no provide a
    tunnel_prefix=$(link_prefix a) && tunnel_prefix=${tunnel_prefix%:/64}
    # addresses that no host ever tests or speaks from
    ip_ tv "addr add $tunnel_prefix:53/128 dev eth0 nodad" "addr add $tunnel_prefix:54/128 dev eth0 nodad"
    configure <<WORDS
$NATIVE_A request_prefix=off
pinhole web host_id=::53 lan=lan +port=8080
WORDS
    start http tv "exec python3 -m http.server --bind :: 8080"
    remember_things
    must "the router answers" start_router
    held "no prefix is asked for: the /64 is shared at once" within 10 prefers pc c
    held "the host reaches the Internet" within 5 reaches pc
    held "a silent host is reached from the Internet" within 5 connects inet "$tunnel_prefix:53" 8080
    held "who has no pinhole is not" not connects inet "$tunnel_prefix:54" 8080
    held "the router answers for it" proxied "$tunnel_prefix:53"
    held "and not for addresses that nobody has" asked_in_vain "$tunnel_prefix:dead"
    held "a host that wants the address of the provider's router hears that it is taken" collides "$tunnel_prefix:1"
    stop oasis6 KILL
    held "killed, the router goes on answering" connects inet "$tunnel_prefix:53" 8080
    must "started again" start_router
    sleep 5
    held "it still answers for the host" proxied "$tunnel_prefix:53"
    held "which is reached" connects inet "$tunnel_prefix:53" 8080
    ends
}
proxied() { ip -n "$run-router" -6 neigh show proxy | grep -q "^$1"; }
asked_in_vain() { not in_ isp-a ping -6 -q -c 1 -W 2 "$1" && ! proxied "$1"; }
collides() {
    ip -n "$run-pc" addr add "$1/64" dev eth0
    within 3 eval "ip -n $run-pc -6 addr show dev eth0 | grep -q '$1/64.*dadfailed'"
    local status=$?
    ip -n "$run-pc" addr del "$1/64" dev eth0
    return $status
}

native_translates_a_64() {
    delegates=no provide a
    configure <<WORDS
$NATIVE_A share=nat request_prefix=off
WORDS
    remember_things
    must "the router answers" start_router
    held "status says why addresses are translated" within 10 status_says NAT66
    held "the host has a unique local address only" within 10 prefers_local
    held "and reaches the Internet" within 10 reaches pc
    held "no address of it is seen outside" [ -z "$(strayed a)" ]
    ends
}
prefers_local() { preferred pc | grep -q "^fd" && ! preferred pc | grep -q "^2"; }

static_lives() {
    static_a
    begins a
    lives a 3000 6000
    ends
}

# A kernel without WireGuard: the owner runs wireguard-go, and oasis6 uses the device.
static_over_wireguard_lives() {
    command -v wireguard-go >/dev/null || skipped "wireguard-go is missing"
    provide b
    must "the broker runs" start_broker
    must "the tunnel is made by hand" customer_wireguard wg0
    configure <<WORDS
$(by_hand_c) priority=1
$NATIVE_B
WORDS
    begins c
    lives c 6000 6000
    ends
}

# ---- scenarios for the virtual machine

over_ipv4() {
    provide b
    must "the router has a public IPv4 address" public_ipv4
    configure <<WORDS
$* priority=1
$NATIVE_B
WORDS
    begins c
    lives c 6000 6000
    unshaken "bad input: nonsense in packets of protocol 41" 10 broker python3 "$lab/nonsense.py" sit "$CUSTOMER4" 500
    ends
}

wireguard_lives() {
    kernel_has_wireguard || skipped "the kernel has no WireGuard"
    provide b
    must "the broker runs" start_broker
    (umask 077 && echo "$customer_private" > "$work/customer.key")
    configure <<WORDS
$(wireguard_c) priority=1
$NATIVE_B
WORDS
    begins c
    lives c 6000 6000
    unshaken "bad input: datagrams of nonsense at the port of WireGuard" 10 \
        broker python3 "$lab/nonsense.py" udp 198.51.100.2 2000
    ends
}

sixinfour_lives() {
    start_sit sixinfour || skipped "the kernel has no sit"
    over_ipv4 "uplink c type=6in4 local=$CUSTOMER4 remote=$BROKER4 +prefix=$BROKER_PREFIX +address=2001:db8:c01::2/64"
}

# The relays to the rest of the Internet are gone (RFC 7526): a site of the same kind is what it reaches.
sixtofour_lives() {
    start_sit sixtofour || skipped "the kernel has no sit"
    provide b
    must "the router has a public IPv4 address" public_ipv4
    configure <<WORDS
uplink c type=6to4 local=$CUSTOMER4
$NATIVE_B
WORDS
    remember_things
    must "the router answers" start_router
    held "the host has an address of the native uplink, and uses it" within 30 prefers pc b
    held "another 6to4 site is reached" within 10 in_ router ping -6 -q -c 1 -W 1 -I 2002:c633:6502::1 2002:c633:6401::1
    ends
}

# A border relay answers nobody, so the owner says who does.
sixrd_lives() {
    start_sit sixrd || skipped "the kernel has no sit"
    over_ipv4 "uplink c type=6rd local=$CUSTOMER4 remote=$BROKER4 prefix_6rd=2001:db8:c00::/40 ipv4_mask_len=16 +probe=$INTERNET"
}

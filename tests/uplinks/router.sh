# shellcheck shell=bash disable=SC2034,SC2154
# router.sh : oasis6 on the router of lab.sh, and what it leaves behind. Sourced after lab.sh; $OASIS6 is the program.

# configure : the configuration, from words on standard input: "uplink NAME OPTION=VALUE...", with "+OPTION=VALUE" for an
# element of a list, and "globals OPTION=VALUE..." for what differs from the lab's.
configure() {
    {
        cat <<CONF
config oasis6 'globals'
	option enabled '1'
	option state_dir '$work/state'
	option run_dir '$work/run'
	option log_level 'debug'
CONF
        local kind name words word
        local lan=$'\nconfig lan \'lan\'\n\toption device \'br-lan\'\n'
        while read -r kind name words; do
            case $kind in
                globals) words="$name $words" ;;
                *) printf "%s\nconfig %s '%s'\n" "$lan" "$kind" "$name" && lan='' ;;
            esac
            for word in $words; do
                case $word in
                    +*) word=${word#+} && printf "\tlist %s '%s'\n" "${word%%=*}" "${word#*=}" ;;
                    *) printf "\toption %s '%s'\n" "${word%%=*}" "${word#*=}" ;;
                esac
            done
        done
        printf '%s' "$lan"
    } > "$work/oasis6"
}
NATIVE_A="uplink a type=native device=wana"
NATIVE_B="uplink b type=native device=wanb"
# The tunnel to the broker, made by oasis6, or by hand as device wg0.
wireguard_c() { echo "uplink c type=wireguard private_key_file=$work/customer.key peer_key=$broker_key endpoint=$BROKER4:51820 +prefix=$BROKER_PREFIX"; }
by_hand_c() { echo "uplink c type=static device=wg0 gateway=$(link_local_of "$broker_key") +prefix=$BROKER_PREFIX"; }

oasis6() { in_ router "$OASIS6" "$@" --config "$work/oasis6" --network "$work/network" --ubus "$work/ubus.sock"; }
start_router() {
    : >> "$work/network"
    start oasis6 router "exec $OASIS6 run --config $work/oasis6 --network $work/network --ubus $work/ubus.sock"
    within 30 oasis6 status
}
# resident_kb : of the daemon
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/${daemons[oasis6]}/status"; }

# standing LETTER : the router has a way to the Internet for what that uplink gave: it is in use, or stands by
standing() {
    ip -n "$run-router" -6 route show default | grep -q "^default from $(of_letter "$1")"
}
# ready MACHINE LETTER : a move to that uplink would find this host with an address of it
ready() {
    standing "$2" && lan_addresses "$1" | grep -q "^$(of_letter "$2")"
}

# things : all that oasis6 might leave on the router, one a line
things() {
    ip -n "$run-router" -o link show | sed 's/^[0-9]*: //; s/[:@].*//; s/^/device /'
    ip -n "$run-router" -6 -o addr show | awk '{ print "address", $2, $4 }'
    ip -n "$run-router" -4 -o addr show | awk '{ print "address", $2, $4 }'
    ip -n "$run-router" -6 route show table all | grep -v ' table local ' | sed 's/ expires [^ ]*//; s/^/route /'
    ip -n "$run-router" -6 rule show | sed 's/^/rule /'
    ip -n "$run-router" -6 neigh show proxy | sed 's/^/proxy /'
    in_ router nft list tables | sed 's/^/nft /'
}
# leftovers : what is on the router that was not when remember_things was called; nothing if all is well
remember_things() { things | sort > "$work/things"; }
# (the kernel makes link-local addresses and their routes itself, at its own time)
leftovers() { things | sort | comm -13 "$work/things" - | grep -v '^route fe80::/64\|^route multicast\|^address [^ ]* fe80:'; }

#!/bin/bash
# oasis6-config.sh dhcp6 | ra a|b IFACE... : prints the configuration of oasis6 that a bench needs.
#
#   dhcp6    interface s0, addresses out of fd00:6bed::/64, /56 delegated out of fd00:1000::/32, rapid commit
#   ra       on the N-th interface the prefix fd00:N:a::/64 (or b), every 20 to 30 seconds
# $BENCH_DIR holds everything that oasis6 writes.
set -eu

globals() {
    cat <<END
config oasis6 'globals'
    option enabled '1'
    option log_level 'warn'
    option ula 'off'
    option state_dir '$BENCH_DIR/state'
    option run_dir '$BENCH_DIR/run'

END
}

dhcp6() {
    cat <<END
config prefix 'link'
    option prefix 'fd00:6bed::/64'

config prefix 'pool'
    option prefix 'fd00:1000::/32'
    option assign '0'

config lan 's0'
    option device 's0'
    option dhcp6_delegated_len '56'
    option dhcp6_delegated_min_len '56'
END
}

# ra LETTER IFACE...
ra() {
    local letter=$1 number=0 prefix
    shift
    for iface in "$@"; do
        printf -v prefix 'fd00:%x:%s::/64' $number "$letter"
        cat <<END
config prefix 'of_$iface'
    option prefix '$prefix'
    list lan '$iface'

config lan '$iface'
    option device '$iface'
    option ra_min_interval '20'
    option ra_max_interval '30'
    option dhcp6 '0'

END
        number=$((number + 1))
    done
}

case ${1:-} in
    dhcp6 | ra) globals && "$@" ;;
    *) echo "usage: oasis6-config.sh dhcp6 | ra a|b IFACE..." >&2; exit 2 ;;
esac

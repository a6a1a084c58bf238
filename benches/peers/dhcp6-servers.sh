# shellcheck shell=bash disable=SC2154
# dhcp6-servers.sh: how dhcp6.sh configures and starts each DHCPv6 server. Sourced.
# All serve interface s0, addresses from fd00:6bed::1:0 to ::ff:ffff and /56 prefixes from fd00:1000::/32.

available() {
    case $1 in
        kea*) command -v kea-dhcp6 ;;
        ref | custom*:*) true ;;
        *) die "no such server: $1" ;;
    esac >/dev/null
}

# server_command SERVER DIR : writes its configuration to DIR, prints the command that runs it in the foreground
server_command() {
    local dir=$2
    case $1 in
        ref) echo "exec $D6REF s0" ;;
        kea) kea "$dir" false ;;
        kea-persist) kea "$dir" true ;;
        custom*:*) command_of "$1" ;;
    esac
}

# kea DIR PERSIST
kea() {
    cat > "$1/kea.json" <<END
{ "Dhcp6": {
    "data-directory": "$1",
    "interfaces-config": { "interfaces": [ "s0" ] },
    "lease-database": { "type": "memfile", "persist": $2, "name": "$1/leases" },
    "multi-threading": { "enable-multi-threading": false },
    "preferred-lifetime": 3000, "valid-lifetime": 4000, "renew-timer": 1000, "rebind-timer": 2000,
    "subnet6": [ {
        "subnet": "fd00:6bed::/64", "interface": "s0", "rapid-commit": true,
        "pools": [ { "pool": "fd00:6bed::1:0-fd00:6bed::ff:ffff" } ],
        "pd-pools": [ { "prefix": "fd00:1000::", "prefix-len": 32, "delegated-len": 56 } ] } ],
    "loggers": [ { "name": "kea-dhcp6", "severity": "ERROR",
        "output_options": [ { "output": "stderr" } ] } ] } }
END
    echo "KEA_DHCP_DATA_DIR=$1 KEA_PIDFILE_DIR=$1 KEA_LOCKFILE_DIR=none exec kea-dhcp6 -c $1/kea.json"
}

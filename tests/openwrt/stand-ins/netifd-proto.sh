# shellcheck shell=dash disable=SC2034
# What files/ use of netifd-proto.sh and jshn.sh: what netifd would hear goes to /run/netifd; a value's place in the JSON
# is its names and numbers with a / between.

json_load() {
	json_at=''
	printf '%s' "$1" | /usr/bin/python3 -c '
import json, sys
def walk(value, place):
    if isinstance(value, (dict, list)):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value, 1):
            walk(item, f"{place}{name}/")
    elif value is not None:
        print(place.rstrip("/"), value)
walk(json.load(sys.stdin), "")' > /run/json 2> /dev/null
}

json_select() {
	case $1 in
		..) json_at=${json_at%/}; json_at=${json_at%"${json_at##*/}"} ;;
		*) json_at=$json_at$1/ ;;
	esac
}

json_get_keys() {
	export "$1=$(sed -n "s|^$json_at\([^/ ]*\).*|\1|p" /run/json | uniq | tr '\n' ' ')"
}

json_get_vars() {
	local json_name
	for json_name; do
		if [ -e /run/json ]; then
			eval "$json_name=\$(sed -n 's|^$json_at$json_name ||p' /run/json)"
		else
			eval "$json_name=\$JSON_$json_name"
		fi
	done
}

proto_init_update() { told="device $1 up $2 external $3"; }
proto_add_ipv6_address() { echo "address $*" >> /run/netifd; }
proto_send_update() { echo "$1: $told" >> /run/netifd; }
proto_config_add_string() { echo "option string $1" >> /run/netifd; }
proto_run_command() { echo "run $*" >> /run/netifd; }
proto_notify_error() { echo "error $*" >> /run/netifd; }
proto_block_restart() { echo "block $*" >> /run/netifd; }

#!/bin/sh
# shellcheck shell=dash disable=SC1091,SC2034 # netifd-proto.sh is netifd's, and reads no_device and available
# config interface 'lan6'
#	option proto 'oasis6'
#	option lan 'lan'
#
# shows the addresses that oasis6 has put on a LAN in `ifstatus lan6` and in LuCI. It changes nothing: they stay oasis6's,
# and neither `ifup lan6` nor `ifdown lan6` touches them.

[ -n "$INCLUDE_ONLY" ] || {
	. /lib/functions.sh
	. ../netifd-proto.sh
	init_proto "$@"
}

proto_oasis6_init_config() {
	no_device=1
	available=1
	proto_config_add_string lan
}

proto_oasis6_setup() {
	local interface="$1" lan
	json_get_vars lan
	if [ -z "$lan" ]; then
		proto_notify_error "$interface" NO_LAN
		proto_block_restart "$interface"
		return
	fi
	proto_run_command "$interface" /usr/lib/oasis6/mirror.sh "$interface" "$lan"
}

proto_oasis6_teardown() {
	proto_kill_command "$1"
}

[ -n "$INCLUDE_ONLY" ] || add_protocol oasis6

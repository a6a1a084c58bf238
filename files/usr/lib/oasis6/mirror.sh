#!/bin/sh
# shellcheck shell=dash disable=SC1091 # netifd-proto.sh is netifd's
# mirror.sh INTERFACE LAN : tells netifd what oasis6 has put on LAN, as addresses that netifd leaves alone. Runs until it is
# killed, and asks again whenever oasis6 says that a LAN or a prefix has changed.

. /lib/functions.sh
. /lib/netifd/netifd-proto.sh

mirrored=$1
lan=$2
events=/var/run/oasis6-mirror.$$

tell() {
	local keys key item device='' addresses='' up=0 name state router preferred valid
	json_load "$(oasis6 status --json 2> /dev/null)" 2> /dev/null && json_select lans 2> /dev/null && json_get_keys keys
	for key in $keys; do
		json_select "$key"
		json_get_vars name state
		if [ "$name $state" = "$lan serving" ]; then
			up=1
			json_get_vars device
			json_select prefixes
			json_get_keys keys
			for item in $keys; do
				json_select "$item"
				json_get_vars router preferred valid
				[ -z "$router" ] || addresses="$addresses $router/$preferred/$valid"
				json_select ..
			done
			break
		fi
		json_select ..
	done
	proto_init_update "${device:-*}" "$up" 1
	for item in $addresses; do
		preferred=${item#*/}
		proto_add_ipv6_address "${item%%/*}" 64 "${preferred%/*}" "${preferred#*/}"
	done
	proto_send_update "$mirrored"
}

mkfifo "$events" || exit
trap 'rm -f "$events"; kill $! 2> /dev/null; exit' TERM INT HUP
while :; do
	oasis6 monitor --json > "$events" 2> /dev/null &
	{
		tell
		while read -r event; do
			case $event in
				*'"event":"lan"'* | *'"event":"prefix"'*) tell ;;
			esac
		done
	} < "$events"
	tell
	sleep 5 &
	wait $!
done

# shellcheck shell=dash disable=SC1090,SC2012
# scenarios.sh SCENARIO : runs inside the root that run.sh makes. A scenario is a function; its name says what is true.
set -eu

# ---- the router's owner, package manager and power switch

install() {
	put_files
	defaults /etc/uci-defaults/oasis6
	/etc/init.d/oasis6 enable
	/etc/init.d/oasis6 start
}

put_files() {
	(cd /package && find . -type f) | while read -r file; do
		case "$# $file" in 0*) ;; *etc/config/* | *uci-defaults*) continue ;; esac
		mkdir -p "/${file%/*}"
		cp -a "/package/$file" "/$file"
	done
	printf '#!/bin/sh\nexec /stand-in-oasis6 "$@"\n' > /usr/sbin/oasis6
	chmod 755 /usr/sbin/oasis6
}

# As default_prerm does, then opkg and apk: a configuration that was changed stays.
remove() {
	/etc/init.d/oasis6 disable
	/etc/init.d/oasis6 stop
	remove_files
}

remove_files() {
	local file
	rm -f /usr/sbin/oasis6
	(cd /package && find . -type f) | while read -r file; do
		case $file in
			./etc/config/*) ! cmp -s "/package/$file" "/$file" || rm "/$file" ;;
			*) rm -f "/$file" ;;
		esac
		rmdir -p "/${file%/*}" 2> /dev/null || true
	done
}

# opkg stops the old program first; apk only starts the new one.
upgrade() {
	[ "${1:-}" = apk ] || PKG_UPGRADE=1 /etc/init.d/oasis6 stop
	cp -a /etc/config/oasis6 /tmp/kept
	put_files
	mv /tmp/kept /etc/config/oasis6
	defaults /etc/uci-defaults/oasis6
	PKG_UPGRADE=1 /etc/init.d/oasis6 start
}

defaults() {
	local file
	for file; do
		[ ! -e "$file" ] || ! (cd "${file%/*}" && . "$file") || rm -f "$file"
	done
	uci commit
}

reboot() {
	[ ! -e /etc/rc.d/K15oasis6 ] || /etc/rc.d/K15oasis6 shutdown
	lose_power
	boot
}

lose_power() {
	rm -rf /run/* /tmp/.uci
	mkdir -p /run/procd
}

boot() {
	defaults /etc/uci-defaults/*
	cp /etc/config/dhcp /run/odhcpd.knows
	[ ! -e /etc/rc.d/S40oasis6 ] || /etc/rc.d/S40oasis6 boot
}

# What `uci set` and LuCI's Save & Apply do.
set_and_apply() {
	local change
	for change; do uci set "$change"; done
	uci commit oasis6
	uci commit dhcp
	apply
}

# procd calls this as it is told to.
apply() {
	local trigger
	[ -e /run/procd/oasis6.triggers ] || return 0
	read -r trigger < /run/procd/oasis6.triggers
	[ "$trigger" = "oasis6 network dhcp" ]
	/etc/init.d/oasis6 reload
}

# ---- what is true

fail() {
	echo "FAILED: $* $now" >&2
	cat /run/log /etc/oasis6/odhcpd >&2 2> /dev/null || true
	exit 1
}

is() { [ "$1" = "$2" ] || fail "expected '$2', found '$1' ${3:-}"; }
dhcp() { uci -q get "dhcp.$1" || true; }
running() { /etc/init.d/oasis6 running; }

served() {
	running || fail "it doesn't run"
	is "$(dhcp lan.ra) $(dhcp lan.dhcpv6) $(dhcp lan.ndp)" "disabled disabled "
	as_in_file
}

# odhcpd does what stands in the file, and is never told in vain.
as_in_file() {
	cmp -s /etc/config/dhcp /run/odhcpd.knows || fail "odhcpd doesn't know of the change"
	[ ! -e /run/oasis6-odhcpd ] || fail "something is left to be told"
}

given_back() {
	! running || fail "it runs"
	as_before
}

as_before() {
	cmp /etc/config/dhcp /original/dhcp || fail "dhcp is not as it was"
	[ ! -e /etc/oasis6/odhcpd ] || fail "something is remembered"
	[ ! -e /etc/uci-defaults/zz-oasis6-odhcpd ] || fail "the orphan is there"
	[ ! -e /run/oasis6-input.nft ] || fail "the firewall still lets in"
	as_in_file
}

# Names, modes and contents of everything that could have changed; not what is in memory or ours.
picture() {
	find /etc /usr/lib/oasis6 /usr/share/nftables.d /usr/share/rpcd /usr/sbin /lib/upgrade /sbin -xdev 2> /dev/null |
		sort | while read -r path; do
		if [ -f "$path" ] && [ ! -L "$path" ]; then
			echo "$(stat -c '%a %u:%g' "$path") $(md5sum "$path")"
		else
			echo "$(stat -c '%a %u:%g' "$path") $path $(readlink "$path")"
		fi
	done
}

# ---- scenarios

nothing_changes_until_it_is_enabled() {
	install
	given_back
	reboot
	given_back
	[ ! -e /run/odhcpd.told ] || fail "odhcpd was told"
	[ ! -e /etc/oasis6 ] || fail "there is state"
}

install_enable_disable_remove_leaves_all_as_it_was() {
	picture > /run/before
	install
	set_and_apply oasis6.globals.enabled=1
	served
	set_and_apply oasis6.globals.enabled=0
	given_back
	set_and_apply oasis6.globals.enabled=1
	served
	remove
	as_before
	# what was changed is the owner's, as with every package
	rm /etc/config/oasis6
	picture > /run/after
	diff /run/before /run/after || fail "something else is left"
}

removal_gives_back_while_it_runs_and_keeps_what_is_the_owners() {
	install
	set_and_apply oasis6.globals.enabled=1
	mkdir -p /etc/oasis6
	echo lease > /etc/oasis6/bindings
	remove
	as_before
	is "$(cat /etc/oasis6/bindings)" lease
	is "$(uci get oasis6.globals.enabled)" 1
}

service_disable_and_stop_give_back_in_either_order() {
	install
	set_and_apply oasis6.globals.enabled=1
	/etc/init.d/oasis6 disable
	served
	/etc/init.d/oasis6 stop
	given_back
	/etc/init.d/oasis6 enable
	/etc/init.d/oasis6 start
	served
	/etc/init.d/oasis6 stop
	is "$(dhcp lan.ra)" disabled
	/etc/init.d/oasis6 disable
	given_back
}

restart_and_reboot_give_nothing_back_and_forth() {
	install
	set_and_apply oasis6.globals.enabled=1
	ls -i /etc/config/dhcp /etc/oasis6/odhcpd /etc/uci-defaults/zz-oasis6-odhcpd > /files
	/etc/init.d/oasis6 restart
	served
	/etc/init.d/oasis6 reload
	served
	is "$(wc -l < /run/odhcpd.told)" 1
	reboot
	served
	[ ! -e /run/odhcpd.told ] || fail "odhcpd was told"
	lose_power
	boot
	served
	ls -i /etc/config/dhcp /etc/oasis6/odhcpd /etc/uci-defaults/zz-oasis6-odhcpd | diff /files -
}

a_mistake_in_the_configuration_gives_back_at_start_and_keeps_the_daemon_at_reload() {
	install
	set_and_apply oasis6.globals.enabled=1
	served
	set_and_apply oasis6.lan.subnet=nonsense
	served
	[ ! -e /run/procd/signals ] || fail "it was asked to read the mistake"
	/etc/init.d/oasis6 restart
	given_back
	grep -q nonsense /run/log || fail "nobody said why"
	set_and_apply oasis6.lan.subnet=1
	served
	uci set oasis6.lan.subnet=nonsense
	uci commit oasis6
	reboot
	given_back
}

only_lans_that_are_served_are_taken() {
	install
	uci set oasis6.guest.enabled=0
	set_and_apply oasis6.globals.enabled=1
	served
	is "$(dhcp @dhcp[2].interface) $(dhcp @dhcp[2].ra)" "guest server"
	set_and_apply oasis6.guest.enabled=1
	is "$(dhcp @dhcp[2].ra) $(dhcp @dhcp[2].dhcpv6) $(dhcp @dhcp[2].ndp)" "disabled disabled disabled"
	as_in_file
	is "$(dhcp @dhcp[3].ra) $(dhcp @dhcp[3].dhcpv6) $(dhcp wan6.ndp)" "relay relay relay"
	set_and_apply oasis6.lan.enabled=0
	is "$(dhcp lan.ra) $(dhcp @dhcp[2].ra)" "server disabled"
	as_in_file
	set_and_apply oasis6.globals.enabled=0
	given_back
}

a_lan_may_be_named_by_its_device() {
	install
	uci delete oasis6.lan.interface
	set_and_apply oasis6.lan.device=br-lan oasis6.globals.enabled=1
	served
}

an_interface_on_the_same_device_is_taken_too() {
	sed -i "s/option interface 'iot'/option interface 'lan_too'/" /etc/config/dhcp
	cp /etc/config/dhcp /original/
	install
	set_and_apply oasis6.globals.enabled=1
	is "$(dhcp @dhcp[3].ra)" disabled
	remove
	as_before
}

what_the_owner_changed_meanwhile_is_the_owners() {
	install
	set_and_apply oasis6.globals.enabled=1
	uci delete dhcp.lan.dhcpv6
	uci set dhcp.lan.start=10
	set_and_apply dhcp.lan.ra=relay
	is "$(dhcp lan.ra)" disabled
	as_in_file
	set_and_apply oasis6.globals.enabled=0
	is "$(dhcp lan.ra) $(dhcp lan.dhcpv6) $(dhcp lan.start)" "relay  10"
	as_in_file
}

a_section_without_a_name_is_found_where_it_has_moved() {
	install
	set_and_apply oasis6.globals.enabled=1
	uci delete dhcp.wan
	uci commit dhcp
	set_and_apply oasis6.globals.enabled=0
	is "$(dhcp @dhcp[1].interface) $(dhcp @dhcp[1].ra) $(dhcp @dhcp[1].ndp)" "guest server hybrid"
	is "$(dhcp @dhcp[2].interface) $(dhcp @dhcp[2].ra)" "iot relay"
}

# A crash before each step of taking over; then start again, lose power, or remove.
a_crash_while_taking_over_heals() {
	install
	uci set oasis6.globals.enabled=1
	uci commit oasis6
	each_crash start then_start_again then_lose_power then_remove
}

# A crash before each step of giving back, likewise.
a_crash_while_giving_back_heals() {
	install
	set_and_apply oasis6.globals.enabled=1
	each_crash stop then_stop_again then_lose_power_disabled then_start_after_all
}

a_firmware_without_oasis6_gives_back_at_its_first_boot() {
	install
	set_and_apply oasis6.globals.enabled=1
	served
	# the new image has no oasis6; of the old system comes what keep.d lists, and /etc/config
	mkdir -p /flash
	cp -a /etc/oasis6 /flash/
	cp -a "$(cat /lib/upgrade/keep.d/oasis6-odhcpd)" /flash/orphan
	/etc/init.d/oasis6 disable
	remove_files
	lose_power
	rm -rf /etc/oasis6
	cp -a /flash/oasis6 /etc/
	mkdir -p /etc/uci-defaults
	cp -a /flash/orphan /etc/uci-defaults/zz-oasis6-odhcpd
	boot
	as_before
}

the_orphan_stays_as_long_as_oasis6_does() {
	install
	set_and_apply oasis6.globals.enabled=1
	cp /etc/uci-defaults/zz-oasis6-odhcpd /orphan
	reboot
	served
	cmp /orphan /etc/uci-defaults/zz-oasis6-odhcpd
}

a_service_that_does_not_start_at_boot_gives_back_at_boot() {
	install
	set_and_apply oasis6.globals.enabled=1
	rm /etc/rc.d/S40oasis6
	lose_power
	boot
	as_before
}

an_upgrade_keeps_leases_ula_and_configuration_and_odhcpd_away() {
	install
	set_and_apply oasis6.globals.enabled=1
	echo lease > /etc/oasis6/bindings
	cp -a /etc/oasis6 /etc/config /saved
	echo >> /run/odhcpd.told.before
	upgrade
	served
	diff -r /etc/oasis6 /saved/oasis6
	diff -r /etc/config /saved/config
	upgrade apk
	served
	diff -r /etc/oasis6 /saved/oasis6
	diff -r /etc/config /saved/config
	is "$(wc -l < /run/odhcpd.told)" 1
}

the_new_program_runs_after_an_upgrade() {
	install
	upgrade apk
	! running || fail "nobody has enabled it"
	set_and_apply oasis6.globals.enabled=1
	is "$(wc -l < /run/procd/oasis6.starts)" 1
	/etc/init.d/oasis6 start
	is "$(wc -l < /run/procd/oasis6.starts)" 1 "it runs already"
	upgrade
	is "$(wc -l < /run/procd/oasis6.starts)" 2 "by opkg"
	upgrade apk
	is "$(wc -l < /run/procd/oasis6.starts)" 3 "by apk"
	set_and_apply oasis6.globals.enabled=0
	given_back
}

what_it_left_in_the_kernel_goes_only_when_it_is_given_up() {
	install
	set_and_apply oasis6.globals.enabled=1
	/sbin/ip link set lo up
	/sbin/ip -6 route add unreachable fd00::/48 proto 111 metric 2000000000
	/sbin/ip -6 route add unreachable fd01::/48 metric 7
	/etc/init.d/oasis6 restart
	/etc/init.d/oasis6 stop
	/sbin/ip -6 route | grep -q fd00::/48 || fail "it went too early"
	/etc/init.d/oasis6 start
	remove
	! /sbin/ip -6 route | grep fd00::/48 || fail "it is still there"
	/sbin/ip -6 route | grep -q fd01::/48 || fail "that wasn't ours"
}

with_no_room_on_flash_odhcpd_goes_on() {
	install
	# nobody can make a folder there
	echo > /etc/oasis6
	set_and_apply oasis6.globals.enabled=1
	! running || fail "it runs"
	cmp /etc/config/dhcp /original/dhcp
	grep -q "flash full" /run/log
	rm /etc/oasis6
	apply
	served
}

first_boot_fits_the_configuration_to_the_lans() {
	install
	[ ! -e /etc/uci-defaults/oasis6 ] || fail "it would run again"
	is "$(uci get oasis6.globals.ula)" fd12:3456:789a::/48
	# as netifd does it: what doesn't fit 60 bits of the hint is cut off
	is "$(uci get oasis6.lan.subnet)" 10
	is "$(uci get oasis6.guest.interface)" guest
	is "$(uci -q get oasis6.guest.subnet || true)" ""
	is "$(uci -q get oasis6.iot.interface || true)" "" "odhcpd only relays there"
	is "$(uci get oasis6.globals.enabled)" 0
	is "$(stat -c %a /etc/config/oasis6)" "$(stat -c %a /package/etc/config/oasis6)"
	# odhcpd has no leases of its own any more
	is "$(uci get oasis6.globals.lease_file)" /tmp/hosts/odhcpd
	# the explanations are still there
	grep -q '# Which /64 of each prefix it gets.' /etc/config/oasis6
	oasis6 check | grep -q 'no problem found'
	[ ! -e /etc/config/oasis6.new ]
}

first_boot_leaves_odhcpds_file_alone_that_odhcpd_goes_on_writing() {
	copy_to /saved
	uci set dhcp.odhcpd.maindhcp=1
	uci commit dhcp
	install
	is "$(uci -q get oasis6.globals.lease_file || true)" "" "DHCPv4 is odhcpd's"
	remove
	restore_from /saved
	put_files
	uci set network.guest.proto=dhcp
	uci commit network
	install
	is "$(uci -q get oasis6.globals.lease_file || true)" "" "a LAN stays odhcpd's"
}

first_boot_asks_netifd_where_there_is_no_hint() {
	uci delete network.lan.ip6hint
	uci commit network
	cat > /applets/ubus <<- 'END'
		#!/bin/sh
		case "$*" in
			"call network.interface.lan status") echo fd12:3456:789a:: ;;
			"call network.interface.guest status") echo 2001:db8::; echo fd12:3456:789a:1c:: ;;
			*) exit 1 ;;
		esac
	END
	printf '#!/bin/sh\ncat\n' > /applets/jsonfilter
	chmod 755 /applets/ubus /applets/jsonfilter
	install
	is "$(uci get oasis6.lan.subnet) $(uci get oasis6.guest.subnet)" "0 1c"
}

first_boot_without_a_lan_that_odhcpd_serves_switches_the_delivered_one_off() {
	uci set dhcp.lan.ra=disabled
	uci set dhcp.lan.dhcpv6=disabled
	uci commit dhcp
	install
	is "$(uci get oasis6.lan.enabled) $(uci get oasis6.guest.interface)" "0 guest"
}

first_boot_leaves_a_configuration_alone_that_anybody_touched() {
	cp /package/etc/config/oasis6 /etc/config/oasis6
	uci set oasis6.lan.ra_mtu=1400
	uci commit oasis6
	cp /etc/config/oasis6 /mine
	put_files except the configuration
	upgrade
	cmp /mine /etc/config/oasis6
}

the_firewall_lets_in_what_ipv6_needs_and_only_where_it_does_not_anyway() {
	install
	given_back
	set_and_apply oasis6.globals.enabled=1
	is "$(grep -c . /run/fw4.rules)" 3
	is "$(grep -c '{ "gst0" }' /run/fw4.rules)" 3 "lan accepts everything"
	cp /run/fw4.rules /run/first
	reboot
	grep -q gst0 /run/fw4.rules
	set_and_apply oasis6.guest.enabled=0
	is "$(cat /run/fw4.rules)" ""
	set_and_apply oasis6.guest.enabled=1
	set_and_apply oasis6.globals.enabled=0
	is "$(cat /run/fw4.rules)" ""
	given_back
}

rules_that_the_firewall_refuses_are_withdrawn() {
	touch /run/fw4.fails
	install
	set_and_apply oasis6.globals.enabled=1
	served
	[ ! -e /run/oasis6-input.nft ] || fail "they are there"
	[ ! -e /run/fw4.rules ] || fail "they were loaded"
	grep -q firewall /run/log
}

nftables_accepts_the_rules() {
	install
	set_and_apply oasis6.globals.enabled=1
	{
		echo 'table inet fw4 { chain input { type filter hook input priority filter; policy drop;'
		echo 'include "/usr/share/nftables.d/chain-pre/input/oasis6.nft"'
		echo '}'
		echo 'chain forward { type filter hook forward priority filter; policy drop;'
		echo 'include "/usr/share/nftables.d/chain-pre/forward/oasis6.nft"'
		echo '}'
		echo 'include "/usr/share/nftables.d/table-post/oasis6.nft"'
		echo '}'
	} > /ruleset
	/usr/sbin/nft -c -f /ruleset || fail "with rules"
	/usr/sbin/nft -f /ruleset
	is "$(/usr/sbin/nft list ruleset | grep -c gst0)" 3
	set_and_apply oasis6.globals.enabled=0
	/usr/sbin/nft -c -f /ruleset || fail "without rules"
}

the_commands_of_the_service_are_those_of_the_program() {
	install
	/etc/init.d/oasis6 check | grep -q 'no problem found'
	! /etc/init.d/oasis6 status > /run/status 2>&1 || fail "nobody runs"
	grep -q oasis6.sock /run/status
}

procd_gets_what_it_needs() {
	touch /sbin/ujail
	chmod 755 /sbin/ujail
	install
	set_and_apply oasis6.globals.enabled=1
	diff - /run/procd/oasis6 <<- 'END'
		command /usr/sbin/oasis6 run
		file /etc/config/oasis6
		reload_signal HUP
		respawn 3600 5 0
		stderr 1
		jail oasis6
		capabilities /etc/capabilities/oasis6.json
		no_new_privs 1
	END
	/etc/init.d/oasis6 reload
	is "$(cat /run/procd/signals)" 'oasis6 * HUP'
}

netifd_is_told_what_is_on_a_lan_and_leaves_it_alone() {
	put_files
	mkdir -p /lib/netifd
	cp /stand-ins/netifd-proto.sh /lib/netifd/
	: > /lib/functions.sh
	cat > /usr/sbin/oasis6 <<- 'END'
		#!/bin/sh
		case "$1" in
			status) cat /run/status ;;
			monitor)
				/applets/sleep 1
				mv /run/next /run/status
				echo '{"event":"lease","lan":"lan"}'
				echo '{"event":"prefix","lan":"lan","what":"new"}'
				/applets/sleep 1
				rm /run/status
				;;
		esac
	END
	cat > /run/status <<- 'END'
		{"lans": [
			{"name": "guest", "device": "gst0", "state": "serving", "prefixes": [{"router": "fd00:0:0:2::1", "valid": null}]},
			{"name": "lan", "device": "br-lan", "state": "waiting", "prefixes": []}
		]}
	END
	cat > /run/next <<- 'END'
		{"lans": [
			{"name": "lan", "device": "br-lan", "state": "serving", "prefixes": [
				{"router": "fd00::1", "preferred": null, "valid": null},
				{"router": null, "preferred": 0, "valid": 7},
				{"router": "2001:db8::1", "preferred": 30, "valid": 60}
			]}
		]}
	END
	/usr/lib/oasis6/mirror.sh lan6 lan &
	# once before and once after oasis6 served
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		/applets/sleep 1
		[ "$(grep -c 'up 0' /run/netifd)" -lt 2 ] || break
	done
	kill $!
	wait $! || true
	[ -z "$(ls /run/oasis6-mirror.* 2> /dev/null)" ] || fail "the pipe is left"
	sort /run/netifd | uniq | diff - /dev/fd/3 3<<- 'END'
		address 2001:db8::1 64 30 60
		address fd00::1 64  
		lan6: device * up 0 external 1
		lan6: device br-lan up 1 external 1
	END
	is "$(head -n 1 /run/netifd)" "lan6: device * up 0 external 1"
	is "$(tail -n 1 /run/netifd)" "lan6: device * up 0 external 1"
}

netifd_learns_of_the_protocol_and_of_a_missing_lan() {
	put_files
	. /stand-ins/netifd-proto.sh
	# shellcheck disable=SC1091,SC2034
	{
		INCLUDE_ONLY=1
		. /lib/netifd/proto/oasis6.sh
	}
	proto_oasis6_init_config
	JSON_lan=guest proto_oasis6_setup lan6
	JSON_lan='' proto_oasis6_setup lan7
	diff - /run/netifd <<- 'END'
		option string lan
		run lan6 /usr/lib/oasis6/mirror.sh lan6 guest
		error lan7 NO_LAN
		block lan7
	END
}

# ---- crashes

then_start_again() { /etc/init.d/oasis6 start; served; }
then_lose_power() { lose_power; boot; served; }
then_remove() { remove; as_before; }
then_stop_again() { /etc/init.d/oasis6 stop; given_back; }
then_lose_power_disabled() { lose_power; boot; as_before; }
then_start_after_all() { /etc/init.d/oasis6 enable; /etc/init.d/oasis6 start; served; remove; as_before; }

each_crash() {
	local action=$1 what_then
	shift
	[ "$action" = start ] || /etc/init.d/oasis6 disable
	copy_to /saved
	CRASH=1
	while :; do
		for what_then; do
			restore_from /saved
			echo 1 > /run/step
			if CRASH=$CRASH setsid "/etc/init.d/oasis6" "$action" 2> /dev/null; then
				[ "$CRASH" -gt 8 ] || fail "there were only $CRASH steps"
				return 0
			fi
			now="after crash $CRASH of $action, $what_then"
			CRASH='' "$what_then"
		done
		CRASH=$((CRASH + 1))
	done
}

copy_to() {
	mkdir -p "$1/etc" "$1/run"
	cp -a /etc/config /etc/rc.d /etc/uci-defaults "$1/etc/"
	[ ! -e /etc/oasis6 ] || cp -a /etc/oasis6 "$1/etc/"
	cp -a /run/. "$1/run/"
}

restore_from() {
	rm -rf /etc/config /etc/rc.d /etc/uci-defaults /etc/oasis6 /tmp/.uci /run/*
	cp -a "$1/etc/." /etc/
	cp -a "$1/run/." /run/
	put_files except the configuration
}

now=''
mkdir -p /original /saved /run/procd
# other packages are there too
touch /etc/uci-defaults/.other /etc/rc.d/.other
cp /etc/config/* /original/
cp /etc/config/dhcp /run/odhcpd.knows
"$1"

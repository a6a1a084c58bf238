# shellcheck shell=dash
# Who advertises on a LAN: odhcpd, until oasis6 takes the LAN over, and again once it doesn't serve it any more.
#
# odhcpd_yield INTERFACE… says which OpenWrt interfaces oasis6 serves; without arguments none. In /etc/config/dhcp every
# `ra`, `dhcpv6` and `ndp` of these that is not 'disabled' becomes 'disabled', and those of all others that were changed
# so before become what they were. What they were stands in $ODHCPD_YIELDED, one option a line:
#
#     SECTION INTERFACE OPTION VALUE
#
# It is written before the first change and shortened after the last, so whatever kills us, the next call goes on from
# there; $ODHCPD_UNTOLD says that there are changes which odhcpd, or even the file, may not have yet. An option that the
# owner set meanwhile is the owner's: nothing is put back over it. dnsmasq has the same options for its own
# advertisements and DHCPv6.
#
# Sourced by the init script, and copied to $ODHCPD_ORPHAN for the day when a new firmware comes up without oasis6 but
# with the old configuration. So it needs uci, awk and a shell, nothing else.

ODHCPD_YIELDED=/etc/oasis6/odhcpd
ODHCPD_UNTOLD=/var/run/oasis6-odhcpd
ODHCPD_ORPHAN=/etc/uci-defaults/zz-oasis6-odhcpd

odhcpd_yield() {
	local plan change
	plan=$(odhcpd_plan "$@")
	if [ -z "$(odhcpd_lines set "$plan")" ] && ! [ -e "$ODHCPD_UNTOLD" ]; then
		odhcpd_remember "$(odhcpd_lines keep "$plan")"
		return
	fi
	odhcpd_remember "$(odhcpd_lines '(keep|drop)' "$plan")" && : > "$ODHCPD_UNTOLD" || return
	odhcpd_lines set "$plan" | while read -r change; do
		uci -q set "$change" || exit
	done || return
	uci -q commit dhcp || return
	odhcpd_tell
	odhcpd_remember "$(odhcpd_lines keep "$plan")"
	rm -f "$ODHCPD_UNTOLD"
}

odhcpd_lines() {
	echo "$2" | sed -nE "s/^$1 //p"
}

# What is to be done: `set dhcp.lan.ra=disabled`, and what is to be remembered afterwards (`keep SECTION …`) or only
# until it is done (`drop SECTION …`).
odhcpd_plan() {
	{
		for interface; do echo "want $interface"; done
		sed 's/^/took /' "$ODHCPD_YIELDED" 2> /dev/null
		odhcpd_options
	} | awk '
		$1 == "want" { want[$2] }
		$1 == "took" { took[++t] = $2 " " $3 " " $4; old[t] = $5 }
		$1 == "has" { has[++h] = $2 " " $3 " " $4; now[h] = $5 }
		END {
			for (i = 1; i <= h; i++) {
				split(has[i], now_, " ")
				if (now_[2] in want && now[i] != "disabled") {
					print "set dhcp." now_[1] "." now_[3] "=disabled"
					print "keep " has[i] " " now[i]
					anew[has[i]]
				}
			}
			for (i = 1; i <= t; i++) {
				split(took[i], then, " ")
				if (took[i] in anew) continue
				if (then[2] in want) { print "keep " took[i] " " old[i]; continue }
				print "drop " took[i] " " old[i]
				# a section without a name may have moved
				found = 0
				for (j = 1; j <= h; j++) {
					split(has[j], now_, " ")
					if (now[j] == "disabled" && now_[2] == then[2] && now_[3] == then[3] && !(j in given) \
						&& (!found || has[j] == took[i])) found = j
				}
				if (!found) continue
				given[found]
				split(has[found], now_, " ")
				print "set dhcp." now_[1] "." now_[3] "=" old[i]
			}
		}'
}

# `has SECTION INTERFACE OPTION VALUE` for whatever makes odhcpd speak, or keeps it silent. It does nothing for options
# that are missing or that it doesn't understand.
odhcpd_options() {
	uci -q show dhcp | sed -nE "s/^dhcp\.([^.=]+)\.(interface|ra|dhcpv6|ndp)='([^' ]+)'\$/\1 \2 \3/p
		s/^dhcp\.([^.=]+)=dhcp\$/\1/p" | awk '
		NF == 1 { section[++n] = $1; interface[$1] = $1 }
		$2 == "interface" { interface[$1] = $3; next }
		$3 ~ /^(server|relay|hybrid|disabled)$/ { value[$1, $2] = $3 }
		END {
			split("ra dhcpv6 ndp", options, " ")
			for (i = 1; i <= n; i++) for (j = 1; j <= 3; j++) if ((section[i], options[j]) in value)
				print "has " section[i], interface[section[i]], options[j], value[section[i], options[j]]
		}'
}

# Makes $1 what is remembered, whole or not at all.
odhcpd_remember() {
	local beside="$ODHCPD_YIELDED.new"
	if [ -z "$1" ]; then
		rm -f "$ODHCPD_YIELDED" "$beside" "$ODHCPD_ORPHAN"
		rmdir "${ODHCPD_YIELDED%/*}" 2> /dev/null
		return 0
	fi
	[ "$1" != "$(cat "$ODHCPD_YIELDED" 2> /dev/null)" ] || return 0
	mkdir -p "${ODHCPD_YIELDED%/*}" && chmod 700 "${ODHCPD_YIELDED%/*}" || return
	if [ ! -e "$ODHCPD_ORPHAN" ]; then
		odhcpd_orphan > "$beside" && mv "$beside" "$ODHCPD_ORPHAN" || return
	fi
	echo "$1" > "$beside" && sync && mv "$beside" "$ODHCPD_YIELDED" && sync
}

odhcpd_orphan() {
	cat /usr/lib/oasis6/odhcpd.sh - <<- 'ORPHAN'

		# Run at every boot, and kept as long as oasis6 starts later in that boot.
		set -- /etc/rc.d/S[0-9][0-9]oasis6
		[ -x /usr/sbin/oasis6 ] && [ -e "$1" ] && return 1
		odhcpd_tell() { :; }
		odhcpd_yield
	ORPHAN
}

# Once odhcpd has heard of a LAN that it lost, it says goodbye there. Ours must be the last word.
odhcpd_tell() {
	local service
	for service in odhcpd dnsmasq; do
		[ ! -x "/etc/init.d/$service" ] || "/etc/init.d/$service" reload
	done
	sleep 1
}

# shellcheck shell=bash disable=SC2154 # work is the caller's
# words.sh : how the demo speaks. Sourced by demo.sh and uplinks.sh.

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold="" dim="" green="" red="" plain=""; fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$@"; }
# show COMMAND... : runs it, its output below it (without the "@if3" that ip adds to the name of a virtual device)
show() {
    printf '    %s$ %s%s\n' "$dim" "${SHOWN:-$*}" "$plain"
    "$@" 2>&1 | sed "s/@[a-z0-9-]*//; s/^/    $dim/; s/[[:space:]]*\$/$plain/"
}
held() { printf '  %s✓%s %s\n' "$green" "$plain" "$*"; }
broke() {
    printf '  %s✗ %s%s\n' "$red" "$*" "$plain"
    printf '\nThe end of the log of oasis6:\n'
    tail -n 20 "$work/oasis6.log" | sed 's/^/    /'
    if [ -s "$work/dhcpcd.log" ]; then
        printf '\nThe end of the log of dhcpcd:\n'
        tail -n 10 "$work/dhcpcd.log" | sed 's/^/    /'
    fi
    printf '\n%sThe demo stops here: this step did not hold.%s\n' "$red" "$plain"
    exit 1
}
on() { SHOWN="${*:2}" show in_ "$@"; }
ask() { SHOWN="oasis6 $*" show oasis6 "$@"; }

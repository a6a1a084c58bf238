#!/bin/bash
# size.sh ARCH...: builds for each, prints `SIZE ARCH FILE BYTES`, and fails where openwrt/budget.txt allows less.
#
# FILE is oasis6 (the binary), oasis6.xz (about what it takes in a squashfs), oasis6.ipk, oasis6.apk; the same for
# oasis6-mini; and with /feed behind it, as built with the flags of OpenWrt's Rust recipe.
#
#   PROFILES="ours feed"   which flags to build with (both)
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }
read -ra profiles <<< "${PROFILES:-ours feed}"
over=0

# report ARCH NAME BYTES
report() {
    local limit
    echo "SIZE $1 $2 $3"
    limit=$(awk -v arch="$1" -v file="$2" '$1 == arch && $2 == file { print $3 }' openwrt/budget.txt)
    if [ -n "$limit" ] && [ "$3" -gt "$limit" ]; then
        echo "size: $2 for $1 is $(($3 - limit)) bytes over its budget of $limit (openwrt/budget.txt)" >&2
        over=1
    fi
}

for arch in "$@"; do
    for profile in "${profiles[@]}"; do
        suffix=''
        [ "$profile" = ours ] || suffix=/$profile
        for variant in full mini; do
            name=oasis6 mini=()
            [ $variant = full ] || name=oasis6-mini mini=(--mini)
            binary=$(PROFILE=${suffix#/} openwrt/cross.sh "$arch" $variant)
            out=target/openwrt/packages${suffix:+-$profile}/$arch
            report "$arch" "$name$suffix" "$(stat -c %s "$binary")"
            report "$arch" "$name.xz$suffix" "$(xz -9e -c "$binary" | wc -c)"
            for format in ipk apk; do
                package=$(openwrt/package.py $format "$arch" "$binary" "${mini[@]}" --out "$out")
                report "$arch" "$name.$format$suffix" "$(stat -c %s "$package")"
            done
        done
    done
done
for package in $(openwrt/luci.py ipk --out target/openwrt/luci); do
    name=${package##*/}
    report all "${name%%_*}.ipk" "$(stat -c %s "$package")"
done
exit $over

#!/bin/sh
# build.sh ipk|apk ARCH|all: both variants' packages for an architecture, in target/openwrt/packages/ARCH.
#
# OASIS6_KEY=PEM signs an apk. Prints the paths.
set -eu
cd "$(dirname "$0")/.."
format=$1
arches=$2
[ "$arches" != all ] || arches=$(openwrt/cross.sh arches)
for arch in $arches; do
    for variant in full mini; do
        mini=''
        [ $variant = full ] || mini=--mini
        binary=$(openwrt/cross.sh "$arch" $variant)
        # shellcheck disable=SC2086 # $mini is an option or nothing
        openwrt/package.py "$format" "$arch" "$binary" $mini --out "target/openwrt/packages/$arch" \
            ${OASIS6_KEY:+--key "$OASIS6_KEY"}
    done
done

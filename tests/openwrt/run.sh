#!/bin/bash
# run.sh OASIS6 SCENARIO : lives a scenario of scenarios.sh in a root file system of its own. As root.
#
# The root is this machine's under an overlay in memory, with busybox for /bin/sh and all tools, the files of ../../files
# to install, and stand-ins for what OpenWrt has. OPENWRT_UCI=PROGRAM takes the real uci instead.
#
# Last compared on 2026-11-25 with the real rc.common and procd.sh of OpenWrt's main, procd 2c1834a, netifd e97e36f, ubus
# 3cc98db, uci 66127cd and apk-tools 3.0.6, all in one root: apk add, uci set and reload_config on, changed, off and on
# again, kill -9, apk upgrade, apk del, with a host that had a lease. What the stand-ins lack: instances of one service
# beside each other, delays of triggers, respawn, jail.
set -eu
here=$(realpath "$(dirname "$0")")

if [ $# = 2 ]; then
    root=$(mktemp -d)
    status=0
    unshare --mount --net --pid --fork "$here/run.sh" "$1" "$2" "$root" || status=$?
    rmdir "$root"
    exit $status
fi

oasis6=$(realpath "$1")
scenario=$2
root=$3
mount -t tmpfs tmpfs "$root"
mkdir "$root"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/root"
cd "$root/root"
mkdir -p tmp run dev proc stand-ins package applets etc/config etc/init.d etc/rc.d etc/uci-defaults usr/sbin sbin
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs run
mount --bind /dev dev
mount -t proc proc proc
mount --bind "$here/stand-ins" stand-ins
mount --bind "$here/../../files" package
touch stand-in-oasis6
mount --bind "$oasis6" stand-in-oasis6

# as on OpenWrt
[ -L var/run ] || { rm -rf var/run && ln -s ../run var/run; }
cp "$here"/config/* etc/config/
cp stand-ins/rc.common etc/rc.common
cp stand-ins/odhcpd etc/init.d/odhcpd
rm -f sbin/fw4
cp stand-ins/fw4 sbin/fw4

# nothing but busybox and stand-ins in PATH
busybox=$(command -v busybox)
"$busybox" --list | while read -r applet; do ln -s "$busybox" "applets/$applet"; done
cp stand-ins/uci applets/
[ -z "${OPENWRT_UCI:-}" ] || printf '#!/bin/sh\nmkdir -p /tmp/.uci\nexec %s "$@"\n' "$OPENWRT_UCI" > applets/uci
rm -f bin/sh
ln -s "$busybox" bin/sh
cp "$here/scenarios.sh" scenarios.sh
exec env -i PATH=/applets:/sbin CRASH= chroot . /applets/ash /scenarios.sh "$scenario"

# shellcheck shell=dash
# Kills the process group before command number $CRASH of those that change something. /run/step counts.
crash_here() {
	local step
	read -r step < /run/step
	echo $((step + 1)) > /run/step
	[ "$step" -lt "$CRASH" ] || kill -9 0
}

mv() { crash_here; command mv "$@"; }
rm() { crash_here; command rm "$@"; }
rmdir() { crash_here; command rmdir "$@"; }
mkdir() { crash_here; command mkdir "$@"; }
chmod() { crash_here; command chmod "$@"; }
sync() { crash_here; }
sleep() { crash_here; }
uci() { crash_here; command uci "$@"; }

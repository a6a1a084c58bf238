#!/bin/sh
# cross.sh ARCH [CARGO ARGUMENT...]: builds oasis6 for an OpenWrt architecture, static, with musl, from a plain Debian machine.
#
# No cross toolchain is downloaded: Debian's Rust (rustc-web, with the sources of its standard library) builds std for the
# target, and zig (from PyPI) is C compiler, linker and musl for every target. `.ci/setup.sh cross` installs both.
#
#   PROFILE=feed    with the flags that OpenWrt's Rust recipe forces (panic=unwind) instead of our release profile
#   CARGO_COMMAND   instead of `build`, as `check`
#
# Prints the path of the binary. One binary serves several names of OpenWrt: see `family`.
set -eu

# family ARCH: sets target (Rust), zig (zig's name and flags) and cpu (LLVM's name)
family() {
    case $1 in
        mipsel_mips32)                          target=mipsel-unknown-linux-musl    cpu=mips32   zig='mipsel-linux-musleabi -mcpu=mips32 -msoft-float' ;;
        mipsel_24kc | mipsel_74kc)              target=mipsel-unknown-linux-musl    cpu=mips32r2 zig='mipsel-linux-musleabi -mcpu=mips32r2 -msoft-float' ;;
        mips_24kc)                              target=mips-unknown-linux-musl      cpu=mips32r2 zig='mips-linux-musleabi -mcpu=mips32r2 -msoft-float' ;;
        arm_cortex-a7_neon-vfpv4)               target=armv7-unknown-linux-musleabihf cpu=cortex-a7 zig='arm-linux-musleabihf -mcpu=cortex_a7' ;;
        arm_cortex-a9_vfpv3-d16)                target=armv7-unknown-linux-musleabihf cpu=cortex-a9 zig='arm-linux-musleabihf -mcpu=cortex_a9-neon' ;;
        aarch64_cortex-a53 | aarch64_generic)   target=aarch64-unknown-linux-musl   cpu=generic  zig='aarch64-linux-musl' ;;
        x86_64)                                 target=x86_64-unknown-linux-musl    cpu=x86-64   zig='x86_64-linux-musl' ;;
        *) echo "cross.sh: no architecture '$1'; known: mipsel_mips32 mipsel_24kc mipsel_74kc mips_24kc arm_cortex-a7_neon-vfpv4 arm_cortex-a9_vfpv3-d16 aarch64_cortex-a53 aarch64_generic x86_64" >&2; exit 2 ;;
    esac
}

[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set' >&2; exit 2; }
arch=$1; shift
family "$arch"
cd "$(dirname "$0")/.."
out=$PWD/target/openwrt/$cpu-$target${PROFILE:+-$PROFILE}
mkdir -p "$out"
linker=$out/linker
printf '#!/bin/sh\nexec python3 -m ziglang cc -target %s "$@"\n' "$zig" > "$linker"
chmod 755 "$linker"
features=''
[ "$cpu" != cortex-a9 ] || features=',-d32,-neon'
name=$(echo "$target" | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${name}_LINKER=$linker"
export "CARGO_TARGET_${name}_RUSTFLAGS=-Ctarget-feature=+crt-static$features -Clink-self-contained=no -Ctarget-cpu=$cpu --remap-path-prefix=$PWD=oasis6 --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
if [ "${PROFILE:-}" = feed ]; then
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
fi
RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo "${CARGO_COMMAND:-build}" --release --locked -Zbuild-std=std,panic_abort \
    -Zbuild-std-features=optimize_for_size --target "$target" --target-dir "$out" "$@" >&2
echo "$out/$target/release/oasis6"

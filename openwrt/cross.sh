#!/bin/sh
# cross.sh ARCH [full|mini]: builds oasis6 for an architecture of OpenWrt, static, with musl, on a plain Debian machine.
# cross.sh arches: the architectures there are.
#
# Prints the path of the binary. One binary serves several names of OpenWrt; it is built once.
#
# No cross toolchain is downloaded. Debian's Rust comes with the source of its standard library and builds that for the
# target; zig is C compiler, linker and musl for every target. `.ci/setup.sh cross` installs both.
#
#   PROFILE=feed    with the flags that OpenWrt's Rust recipe forces (unwinding, position-independent) instead of ours
set -eu

ARCHES='mipsel_mips32 mipsel_24kc mipsel_74kc mips_24kc arm_cortex-a7_neon-vfpv4 arm_cortex-a9_vfpv3-d16
aarch64_cortex-a53 aarch64_generic x86_64'

# choose ARCH: what LLVM (target, cpu, features) and zig call it; `family` names what is built once
choose() {
    features=''
    case $1 in
        mipsel_mips32)
            # Rust's target is for release 2 of the architecture unless told otherwise.
            family=mipsel-mips32 target=mipsel-unknown-linux-musl cpu=mips32 features=,-mips32r2
            zig='mipsel-linux-musleabi -mcpu=mips32 -msoft-float' ;;
        mipsel_24kc | mipsel_74kc)
            family=mipsel-mips32r2 target=mipsel-unknown-linux-musl cpu=mips32r2
            zig='mipsel-linux-musleabi -mcpu=mips32r2 -msoft-float' ;;
        mips_24kc)
            family=mips-mips32r2 target=mips-unknown-linux-musl cpu=mips32r2
            zig='mips-linux-musleabi -mcpu=mips32r2 -msoft-float' ;;
        arm_cortex-a7_neon-vfpv4)
            family=arm-cortex-a7 target=armv7-unknown-linux-musleabihf cpu=cortex-a7
            zig='arm-linux-musleabihf -mcpu=cortex_a7' ;;
        arm_cortex-a9_vfpv3-d16)
            family=arm-cortex-a9 target=armv7-unknown-linux-musleabihf cpu=cortex-a9 features=,-neon,-d32
            zig='arm-linux-musleabihf -mcpu=cortex_a9-neon-d32' ;;
        aarch64_cortex-a53 | aarch64_generic)
            family=aarch64 target=aarch64-unknown-linux-musl cpu=generic
            zig='aarch64-linux-musl' ;;
        x86_64)
            family=x86_64 target=x86_64-unknown-linux-musl cpu=x86-64
            zig='x86_64-linux-musl' ;;
        *)
            printf "cross.sh: no architecture '%s'; there are:\n%s\n" "$1" "$ARCHES" >&2
            exit 2 ;;
    esac
}

[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set' >&2; exit 2; }
[ "$1" != arches ] || { echo "$ARCHES"; exit; }
choose "$1"
variant=${2:-full}
case $variant in
    full) set -- ;;
    mini) set -- --no-default-features --features daemon ;;
    *) echo "cross.sh: no variant '$variant'; there are full and mini" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."
rust=$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust
work=$PWD/target/openwrt/$family${PROFILE:+-$PROFILE}
mkdir -p "$work"

compile() {
    # shellcheck disable=SC2086 # $zig is a name and options
    python3 -m ziglang cc -target $zig -Os -c "openwrt/$1" -o "$2"
}

unwind=-lunwind more='' small=''
flags="-Ctarget-cpu=$cpu -Ctarget-feature=+crt-static$features -Clink-self-contained=no"
if [ "${PROFILE:-}" != feed ]; then
    small=1
    flags="$flags -Cforce-unwind-tables=no"    # nobody unwinds where a panic aborts
    # Position-independent code is a fifth larger on MIPS, where every call goes through a table. What it is for (random
    # addresses) is no loss on processors that small: the linker makes a program at a fixed address of it in any case.
    case $family in mips*)
        flags="$flags -Crelocation-model=static" unwind=$work/nounwind.o
        compile nounwind.c "$unwind" ;;
    esac
    if [ "$variant" = mini ]; then
        # Panics without words, see crash.c
        set -- "$@" -Zpanic-immediate-abort
        export CARGO_PROFILE_RELEASE_PANIC=immediate-abort
        # by the linker, since other flags for rustc would have the other variant's crates built again and again
        more=$work/crash.o
        compile crash.c "$more"
    fi
fi
# No path of this machine in the binary: it would betray who built it, and differ from one machine to the next.
for path in "$(realpath "$rust")=rust" "$rust=rust" "${CARGO_HOME:-$HOME/.cargo}=cargo" "$PWD=oasis6"; do
    flags="$flags --remap-path-prefix=$path"
done
export "ZIG_TARGET=$zig" "LINK_UNWIND=$unwind" "LINK_MORE=$more" "LINK_SMALL=$small"
name=$(echo "$target" | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${name}_LINKER=$PWD/openwrt/linker.sh" "CARGO_TARGET_${name}_RUSTFLAGS=$flags"
# Flash is scarce: small before fast. Symbols are for openwrt/crates.py; the copy below has none.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=false
if [ "${PROFILE:-}" = feed ]; then
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
fi
RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo build --release --locked --bin oasis6 --target "$target" \
    --target-dir "$work" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size "$@" >&2
cp "$work/$target/release/oasis6" "$work/oasis6-$variant.elf"
openwrt/strip.py "$work/oasis6-$variant.elf" "$work/oasis6-$variant"
echo "$work/oasis6-$variant"

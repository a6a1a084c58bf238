#!/bin/bash
# setup.sh GROUP... : installs what a make target needs on a Debian machine. As root; quick when nothing is missing.
#
#   rust     looks for cargo 1.88 or newer; without one, Debian's newest Rust
#   build    the linker that Rust calls
#   netns    network namespaces and what every test in them uses
#   demo     make demo
#   test     make test: DHCPv6 clients, an analyser of packets
#   uplinks  the Internet in namespaces: providers, a tunnel broker, attackers
#   bench    make bench-dhcp6, make bench-ra: the daemons people use today
#   fuzz     make fuzz: cargo-fuzz and the C++ compiler it needs
#   lint     shellcheck
#   mips     Rust with its standard library's source, to build for routers
#   cross    the same, and zig: compiler, linker and C library for routers
#   packages what the tests of the packages need
#   emulate  runs programs of other architectures
#   luci     a browser, node and what tests/luci/package-lock.json names
#
# Nothing that is installed here is started: while apt runs, a policy-rc.d that answers "no" (101) is in place; one that
# was there before is kept. Under systemd the new services are disabled too, so that a reboot doesn't start them.
# A package that this Debian doesn't have is named in a line "SKIP"; what needs it then says so itself.
set -eu
export PATH=$PATH:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

OLDEST_RUST=1.88
declare -A PACKAGES=(
    [rust]=""
    [build]="gcc libc6-dev make"
    [netns]="iproute2 iputils-ping procps util-linux"
    [demo]="iproute2 iputils-ping procps util-linux dhcpcd-base kea-dhcp6-server radvd wireguard-go wireguard-tools nftables python3"
    [test]="dhcpcd-base isc-dhcp-client wide-dhcpv6-client ndisc6 tshark tcpdump python3 busybox-static nftables"
    [uplinks]="kea-dhcp6-server radvd wireguard-go wireguard-tools nftables thc-ipv6 python3"
    [bench]="gcc libc6-dev python3 kea-dhcp6-server radvd babeld bird2"
    [fuzz]="g++"
    [lint]="shellcheck"
    [mips]="cargo-web rustc-web rust-web-src"
    [cross]="cargo-web rustc-web rust-web-src python3 xz-utils zopfli"
    [packages]="python3 busybox-static openssl"
    [emulate]="qemu-user-static isc-dhcp-client"
    [luci]="chromium fonts-dejavu-core fonts-liberation"
)
SERVICES="kea-dhcp6-server radvd wide-dhcpv6-client babeld bird"

say() { echo "setup: $*" >&2; }
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0" >&2; exit 2; }

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# candidate PACKAGE : the version apt would install; nothing if there is none
candidate() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'; }

REMOVE_POLICY=""
finish() { [ -z "$REMOVE_POLICY" ] || rm -f /usr/sbin/policy-rc.d; }
trap finish EXIT

# install_packages PACKAGE... : those that are missing
install_packages() {
    local missing=() found=() package
    for package in "$@"; do is_installed "$package" || missing+=("$package"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "this is no Debian machine: install by hand what corresponds to ${missing[*]}"
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "missing: ${missing[*]}. Run as root, or: sudo apt-get install ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        REMOVE_POLICY=1
    fi
    apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || say "apt-get update had problems; going on with the lists there are"
    for package in "${missing[@]}"; do
        if [ -n "$(candidate "$package")" ]; then found+=("$package"); else say "SKIP $package: this Debian doesn't have it"; fi
    done
    [ ${#found[@]} -eq 0 ] || DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends "${found[@]}" >&2 </dev/null
    if [ -d /run/systemd/system ]; then
        for service in $SERVICES; do
            case " ${found[*]} " in *" $service "*) systemctl disable --now "$service" >/dev/null 2>&1 || true ;; esac
        done
    fi
}

# at_least VERSION WANTED
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

cargo_version() { cargo --version 2>/dev/null | awk '{ print $2 }'; }

find_rust() {
    local have
    have=$(cargo_version)
    if [ -n "$have" ] && at_least "$have" $OLDEST_RUST; then return 0; fi
    say "cargo is ${have:-missing}; oasis6 needs $OLDEST_RUST or newer"
    # Debian keeps a current Rust for its browsers, beside the one of its release
    [ "$(id -u)" != 0 ] || apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || true
    local package offered
    for package in web ""; do
        offered=$(candidate "cargo${package:+-$package}" | sed 's/[+~-].*//')
        [ -n "$package" ] || offered=$(candidate rustc | sed 's/[+~-].*//')
        if [ -n "$offered" ] && at_least "$offered" $OLDEST_RUST; then
            install_packages "cargo${package:+-$package}" "rustc${package:+-$package}" && return 0
        fi
    done
    say "install Rust with rustup (https://rustup.rs), then run this again"
    return 1
}

install_cargo_fuzz() {
    command -v cargo-fuzz >/dev/null && return 0
    say "building cargo-fuzz"
    cargo install --locked --quiet cargo-fuzz >&2
}

# Newer zig may link differently: raise this together with a look at `make size`.
ZIG=0.17.1

install_zig() {
    [ "$(python3 -m ziglang version 2>/dev/null)" != $ZIG ] || return 0
    say "installing zig $ZIG"
    python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
    PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        "ziglang==$ZIG" >&2
}

# Debian's node, unless there is one already
install_node() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then install_packages nodejs npm; fi
    local folder
    folder=$(dirname "$0")/../tests/luci
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed" && return 0
    say "installing the node packages of tests/luci"
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm --prefix "$folder" ci --silent --no-audit --no-fund >&2 &&
        cp "$folder/package-lock.json" "$folder/node_modules/.installed"
}

[ $# -gt 0 ] || usage
wanted=()
for group in "$@"; do
    [ -n "${PACKAGES[$group]+known}" ] || usage
    read -ra of_group <<< "${PACKAGES[$group]}"
    wanted+=("${of_group[@]}")
done
install_packages "${wanted[@]}"
for group in "$@"; do
    case $group in
        rust) find_rust ;;
        fuzz) install_cargo_fuzz ;;
        cross) install_zig ;;
        luci) install_node ;;
    esac
done

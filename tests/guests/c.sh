#!/usr/bin/env bash
# Builds the conformance workflows in C, and what tests need beside them, with `wf-host build`, and puts them at
# target/guests/c/<name>.wasm. The compiler is fetched once, into target/tools/cache, where the tests look for it.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/guests/c
# As `make test` builds it, so that nothing is built twice.
cargo build --quiet --release --workspace --all-targets
mkdir -p "$out"
cp tests/guests/c/*.c "$out"
WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host build "$out" >&2

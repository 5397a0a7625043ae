#!/usr/bin/env bash
# Builds the conformance workflows in TypeScript, and what tests need beside them, with `wf-host build`, and puts them at
# target/guests/js/<name>.wasm. The tools are fetched once, into target/tools/cache, where the tests look for them.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/guests/js
# As `make test` builds it, so that nothing is built twice.
cargo build --quiet --release --workspace --all-targets
mkdir -p "$out"
cp guest-sdk/js/conformance/*.ts tests/guests/js/*.ts "$out"
WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host build "$out" >&2

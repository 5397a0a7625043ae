#!/usr/bin/env bash
# Builds the conformance workflows in Go, and what tests need beside them, with `wf-host build`, and puts them at
# target/guests/go/<name>.wasm. The tools are fetched once, into target/tools/cache, where the tests look for them.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/guests/go
# As `make test` builds it, so that nothing is built twice.
cargo build --quiet --release --workspace --all-targets
mkdir -p "$out"
for folder in guest-sdk/go/conformance tests/guests/go; do
  WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host build "$folder" >&2
  mv "$folder"/*.wasm "$out"
done

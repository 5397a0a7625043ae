#!/usr/bin/env bash
# Builds every example in Rust, and puts the files at target/examples/<name>.wasm.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/guests/build.sh examples/Cargo.toml target/examples
# A part of a workflow is none by itself: it lies with the others, which `examples/three-languages/build.sh` makes.
mkdir -p target/examples/three-languages
mv target/examples/price.wasm target/examples/three-languages/

#!/usr/bin/env bash
# Builds every example, and puts the files at target/examples/<name>.wasm.
exec "$(dirname "$0")/../tests/guests/build.sh" examples/Cargo.toml target/examples

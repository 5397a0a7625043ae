#!/usr/bin/env bash
# Builds the parts, with `wf-host build`, and puts them at target/examples/three-languages. The one in Rust is built
# with the other examples.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/examples/three-languages
mkdir -p "$out"
cp examples/three-languages/{take.ts,serve.c} "$out"
WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host build --part "$out/take.ts" >&2
WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host build --part "$out/serve.c" >&2

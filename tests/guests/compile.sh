#!/usr/bin/env bash
# Compiles what tests serve, once, to where they look for it: several of them at once would each compile the same.
set -euo pipefail
shopt -s extglob
cd "$(dirname "$0")/../.."

# `compiled CACHE WORKFLOW…`. Some are made to be refused.
compiled() {
  WF_HOST_CACHE_DIR=$PWD/$1 target/release/wf-host check "${@:2}" >/dev/null 2>&1 || true
}

languages=target/examples/three-languages
compiled target/cache target/guests/rust/!(describe-*).wasm target/examples/*.wasm "order=$languages/take.wasm+$languages/price.wasm+$languages/serve.wasm"
compiled target/tools/cache target/guests/{python,openai,js,c,go}/*.wasm

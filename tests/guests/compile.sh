#!/usr/bin/env bash
# Compiles what tests serve, once, to where they look for it: several of them at once would each compile the same.
set -euo pipefail
shopt -s extglob
cd "$(dirname "$0")/../.."

languages=target/examples/three-languages
# Some are made to be refused.
WF_HOST_CACHE_DIR=$PWD/target/tools/cache target/release/wf-host check target/guests/rust/!(describe-*).wasm target/guests/{python,openai,js,c,go}/*.wasm \
  target/examples/*.wasm "order=$languages/take.wasm+$languages/price.wasm+$languages/serve.wasm" >/dev/null 2>&1 || true

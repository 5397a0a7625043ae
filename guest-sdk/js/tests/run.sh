#!/usr/bin/env bash
# Tests the SDK: its types, what its components hold to, what its build says. Takes the host that is built.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cmp -s package-lock.json node_modules/installed.json; then
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/installed.json
fi
WF_HOST=${WF_HOST:-$PWD/../../target/release/wf-host} WF_HOST_CACHE_DIR=$PWD/../../target/tools/cache npm test --silent

#!/usr/bin/env bash
# Tests the SDK: its types, what its components hold to on either engine, what its build says. Takes the host that is built.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the SDK needs; what makes components of SpiderMonkey, 60 MB that only these tests fetch; and the vitest of the page.
for folder in . tests/spidermonkey ../../host/ui; do
  if ! cmp -s $folder/package-lock.json $folder/node_modules/installed.json; then
    npm ci --prefix $folder --silent --no-audit --no-fund
    cp $folder/package-lock.json $folder/node_modules/installed.json
  fi
done
WF_HOST=${WF_HOST:-$PWD/../../target/release/wf-host} WF_HOST_CACHE_DIR=$PWD/../../target/tools/cache npm test --silent

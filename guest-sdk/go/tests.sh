#!/usr/bin/env bash
# Tests the SDK for Go with Go's own tools: what is installed, else what `wf-host build` has fetched. Takes the host that
# is built, and the components of tests/guests.
set -euo pipefail
cd "$(dirname "$0")"

root=$(cd ../.. && pwd)
export WF_HOST=${WF_HOST:-$root/target/release/wf-host} WF_HOST_CACHE_DIR=$root/target/tools/cache
go=$(command -v go || ls -d "$root"/target/tools/cache/go/tools-*/bin/go | head -1)
"$go" vet ./...
"$go" test ./...

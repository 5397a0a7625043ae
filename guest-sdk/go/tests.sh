#!/usr/bin/env bash
# Tests the SDK for Go with Go's own tools: what is installed, else what `wf-host build` has fetched.
set -euo pipefail
cd "$(dirname "$0")"

go=$(command -v go || ls -d ../../target/tools/cache/go/tools-*/bin/go | head -1)
"$go" vet ./...
"$go" test ./...

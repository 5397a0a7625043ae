#!/usr/bin/env bash
# Builds the conformance workflows in TypeScript, and puts them at target/guests/js/<name>.wasm.
set -euo pipefail
cd "$(dirname "$0")/../../guest-sdk/js"

out=../../target/guests/js
mkdir -p "$out"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error >&2
pairs=()
for file in conformance/*.ts; do
  wasm=$out/$(basename "$file" .ts).wasm
  # What neither the SDK, its tools nor the contract has changed for is as it was.
  newer=$(find src tools wit package-lock.json ../../wit/workflow.wit "$file" -newer "$wasm" -print -quit 2>/dev/null || echo missing)
  [ -f "$wasm" ] && [ -z "$newer" ] || pairs+=("$file" "$wasm")
done
[ ${#pairs[@]} = 0 ] || node tools/build.mjs "${pairs[@]}"
echo "built $((${#pairs[@]} / 2)) workflows in target/guests/js" >&2

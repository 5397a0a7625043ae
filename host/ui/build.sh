#!/usr/bin/env bash
# Builds the debugger's page to dist/, which the next build of wf-host embeds. Its types are made
# from the OpenAPI document, so wf-host itself is built first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../.. && pwd)

if ! cmp -s package-lock.json node_modules/installed.json; then
    echo "installing what the page is made of" >&2
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/installed.json
fi
cargo build --quiet --release --manifest-path "$root/Cargo.toml" --package wf-host
"$root/target/release/wf-host" openapi >"$root/target/openapi.json"
npm run --silent types >&2
npm run --silent build >&2

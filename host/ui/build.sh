#!/usr/bin/env bash
# Builds the debugger's page to dist/, which the next build of wf-host embeds. That its types are
# those of the API is checked apart, by `npm run check`, which asks a wf-host that is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! cmp -s package-lock.json node_modules/installed.json; then
    echo "installing what the page is made of" >&2
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/installed.json
fi
npm run --silent build >&2

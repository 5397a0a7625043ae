#!/usr/bin/env bash
# Installs, at pinned versions, the official clients and what else asks our API in tests, copies our
# database, or looks at our packages: Python environments and the official debugger's page under target/clients, and node_modules
# beside the TypeScript driver. Says nothing and does nothing where they are installed already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target="$root/target/clients"
mkdir -p "$target"

for generation in python-old python-new schemathesis litestream packages; do
    wanted="$here/$generation/requirements.txt"
    environment="$target/$generation"
    if cmp -s "$wanted" "$environment/installed.txt"; then continue; fi
    echo "installing $generation" >&2
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$wanted"
    cp "$wanted" "$environment/installed.txt"
done

lock="$here/typescript/package-lock.json"
if ! cmp -s "$lock" "$target/typescript-installed.json" || [ ! -d "$here/typescript/node_modules" ]; then
    echo "installing the client for TypeScript" >&2
    (cd "$here/typescript" && npm ci --silent --no-audit --no-fund)
    cp "$lock" "$target/typescript-installed.json"
fi

debugger="$target/workflow-debugger"
version=0.2.42
if [ "$(cat "$debugger/version" 2>/dev/null)" != "$version" ]; then
    echo "installing the official debugger's page" >&2
    rm -rf "$debugger"
    mkdir -p "$debugger"
    (cd "$debugger" && npm pack --silent "@llamaindex/workflow-debugger@$version" | xargs tar -xzf)
    echo "$version" >"$debugger/version"
fi

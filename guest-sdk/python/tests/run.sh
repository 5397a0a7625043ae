#!/usr/bin/env bash
# Tries the Python package: natively, and beside the original. `run.sh native` leaves the second out, which
# builds a component for each workflow of tests/programs (ten seconds each, once for the same sources).
# Needs target/release/wf-host, and the originals' environment (tests/clients/setup.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
tools="$root/target/python-tests"

wanted=$(cat "$here/requirements.txt" "$here/../requirements.txt")
if [ "$(cat "$tools/installed.txt" 2>/dev/null)" != "$wanted" ]; then
    echo "installing what the Python package's tests need" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$here/../requirements.txt"
    echo "$wanted" >"$tools/installed.txt"
fi

"$tools/bin/python" -m pytest --quiet -p no:cacheprovider "$here"
if [ "${1:-}" != native ]; then
    "$tools/bin/python" -P "$here/compare/compare.py" --host "$root/target/release/wf-host" \
        --original "$root/target/clients/python-new/bin/python" --tools "$tools/bin/python"
fi

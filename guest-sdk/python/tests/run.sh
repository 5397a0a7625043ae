#!/usr/bin/env bash
# Tries the Python package: natively, and beside the original. `run.sh native` leaves the second out, which
# builds a component for each workflow of tests/programs (seconds each, once for the same sources).
# Needs target/release/wf-host, and the originals' environment (tests/clients/setup.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
tools="$root/target/python-tests"
# The package is embedded in the binary as it lies here.
export PYTHONDONTWRITEBYTECODE=1 WF_HOST_CACHE_DIR="$root/target/tools/cache"

wanted=$(cat "$here/requirements.txt")
if [ "$(cat "$tools/installed.txt" 2>/dev/null)" != "$wanted" ]; then
    echo "installing what the Python package's tests need" >&2
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
    echo "$wanted" >"$tools/installed.txt"
fi

"$tools/bin/python" -m pytest --quiet -p no:cacheprovider "$here"
if [ "${1:-}" != native ]; then
    "$tools/bin/python" -P "$here/compare/compare.py" --host "$root/target/release/wf-host" \
        --original "$root/target/clients/python-new/bin/python"
fi

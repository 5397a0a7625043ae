#!/usr/bin/env bash
# Makes packages of a binary: a wheel, and npm packages. build.sh [BINARY] [FOLDER]; without arguments of
# target/release/wf-host, to target/packages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

binary=${1:-$root/target/release/wf-host}
out=${2:-$root/target/packages}
if [ ! -x "$binary" ]; then
    echo "error: there is no binary at \`$binary\`" >&2
    echo "hint: \`cargo build --release -p wf-host\` makes one" >&2
    exit 1
fi
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Whoever installs it does not debug it.
strip --strip-debug -o "$work/wf-host" "$binary"
python3 "$here/notices.py" "$work/THIRD-PARTY"
python3 "$here/pack.py" "$work/wf-host" "$work/THIRD-PARTY" "$out"

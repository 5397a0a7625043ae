#!/usr/bin/env bash
# Builds the conformance workflows in Python, and others under test, with `wf-host build`, and puts them at
# target/guests/python/<name>.wasm, and that with the `openai` package at target/guests/openai/ask.wasm.
# The tools are fetched once, into target/tools/cache, where the tests look for them, and so are the packages that projects
# in tests ask for, into target/guests/wheels.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/guests/python
# As `make test` builds it, so that nothing is built twice.
cargo build --quiet --release --workspace --all-targets
mkdir -p "$out"
cp guest-sdk/python/conformance/*.py tests/guests/python/*.py examples/python/chat.py "$out"
export WF_HOST_CACHE_DIR=$PWD/target/tools/cache
target/release/wf-host build "$out" >&2

# A project with packages, which are fetched once, too.
out=target/guests/openai
mkdir -p "$out"
cp tests/guests/openai/* "$out"
target/release/wf-host build "$out" >&2

out=target/guests/wheels
if ! cmp -s tests/guests/wheels.txt "$out/fetched.txt"; then
    rm -rf "$out"
    pip=("$WF_HOST_CACHE_DIR"/python/tools-*/bin/pip)
    "${pip[0]}" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$out" --requirement tests/guests/wheels.txt
    cp tests/guests/wheels.txt "$out/fetched.txt"
fi

#!/usr/bin/env bash
# Builds the conformance workflows in C, and puts them at target/guests/c/<name>.wasm. The compiler is
# fetched once, into target/tools/zig. Nothing is done where nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/../.."

sdk=guest-sdk/c
out=target/guests/c
work=target/build-c
mkdir -p "$out" "$work"

tools=target/tools/zig
if ! cmp -s $sdk/requirements.txt $tools/installed.txt; then
  echo "installing the compiler for C" >&2
  python3 -m venv $tools
  $tools/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $sdk/requirements.txt
  cp $sdk/requirements.txt $tools/installed.txt
fi

now=$(sha256sum "$0" $sdk/*.[ch] $sdk/requirements.txt tests/guests/c/*.c)
if [ "$now" = "$(cat $work/built.txt 2>/dev/null)" ]; then exit 0; fi

# What the compiler builds along, as its C library, is kept beside it.
export ZIG_GLOBAL_CACHE_DIR=$PWD/target/tools/cache/zig ZIG_LOCAL_CACHE_DIR=$PWD/target/tools/cache/zig
compile() {
  $tools/bin/python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wl,-z,stack-size=131072 \
    -Wall -Wextra -Werror -Wno-missing-field-initializers -I $sdk "$@"
}
# Objects once, for all of them.
objects=()
for source in $sdk/*.c; do
  object=$work/$(basename "$source" .c).o
  compile -c "$source" -o "$object"
  objects+=("$object")
done
for source in tests/guests/c/*.c; do
  compile "$source" "${objects[@]}" -o "$out/$(basename "$source" .c).wasm"
done
echo "$now" >$work/built.txt
echo "built $(ls "$out" | wc -l) workflows in $out" >&2

#!/usr/bin/env bash
# Builds every guest, and puts the files at target/guests/rust/<name>.wasm. Another workspace
# and place can be named: build.sh examples/Cargo.toml target/examples.
#
# The target that is installed is used, else fetched with rustup. Where rustup reaches nothing,
# Debian's compiler builds the standard library along; guests that need WASI are left out then.
# WF_GUEST_TOOLCHAIN=debian asks for that one. VERBOSE=1 shows what is being compiled.
set -euo pipefail
cd "$(dirname "$0")/../.."

manifest=${1:-tests/guests/Cargo.toml}
out=${2:-target/guests/rust}
work=target/build-$(basename "$out")
mkdir -p "$out"
quiet=--quiet
if [ -n "${VERBOSE:-}" ]; then quiet=; fi

installed() { rustc --print target-libdir --target "$1" >/dev/null 2>&1 && [ -d "$(rustc --print target-libdir --target "$1")" ]; }

debian() {
  if ! dpkg -s rustc-web rust-web-src cargo-web >/dev/null 2>&1; then
    echo "installing Debian's compiler for WebAssembly" >&2
    apt-get update -qq && apt-get install -qq --no-install-recommends rustc-web rust-web-src cargo-web >&2
  fi
  linker=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker \
    /usr/bin/cargo build $quiet --release --manifest-path "$manifest" --target wasm32-unknown-unknown \
    -Zbuild-std=std,panic_abort --target-dir "$work-debian" "$@"
  built=$work-debian/wasm32-unknown-unknown/release
}

if [ "${WF_GUEST_TOOLCHAIN:-}" = debian ]; then
  debian --workspace
elif installed wasm32-wasip2 || timeout 60 rustup target add wasm32-wasip2 >/dev/null 2>&1; then
  cargo build $quiet --release --manifest-path "$manifest" --target wasm32-wasip2 --workspace --target-dir "$work"
  built=$work/wasm32-wasip2/release
else
  debian --workspace
fi

for file in "$built"/*.wasm; do
  name=$(basename "$file" .wasm | tr _ -)
  cmp -s "$file" "$out/$name.wasm" || cp "$file" "$out/$name.wasm"
done
echo "built $(ls "$out" | wc -l) workflows in $out" >&2

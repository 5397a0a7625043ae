#!/usr/bin/env bash
# Packages the crates for a registry, to target/packages/crates: the engine, the client, the SDK and its macros.
# `crates.sh --verify` also builds what was packaged; `crates.sh --dry-run` goes through all of `cargo publish` but
# the upload.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$root/target/packages/workspace
out=$root/target/packages/crates
cd "$root"

# They lie in two workspaces, and one crate's contract outside of it: a registry's reader has neither.
rm -rf "$work"
mkdir -p "$work/host" "$work/guest-sdk/rust" "$out"
cp -r host/engine host/client "$work/host"
cp -r guest-sdk/rust/wf-guest guest-sdk/rust/wf-guest-macros guest-sdk/rust/README.md "$work/guest-sdk/rust"
cp -r wit "$work/guest-sdk/rust/wf-guest/wit"
sed -i 's|"../../../wit"|"wit"|' "$work/guest-sdk/rust/wf-guest/src/lib.rs"
for crate in host/engine host/client guest-sdk/rust/wf-guest guest-sdk/rust/wf-guest-macros; do
    cp LICENSE-APACHE LICENSE-MIT "$work/$crate"
done
members='["host/engine", "host/client", "guest-sdk/rust/wf-guest", "guest-sdk/rust/wf-guest-macros"]'
sed -e "s|^members = .*|members = $members|" -e '/^exclude = /d' Cargo.toml >"$work/Cargo.toml"
cp Cargo.lock "$work"

cd "$work"
export CARGO_TARGET_DIR=$root/target/packages/target
case ${1:-} in
--dry-run) cargo publish --quiet --workspace --dry-run --allow-dirty --no-verify ;;
--verify) cargo package --quiet --workspace --allow-dirty ;;
*) cargo package --quiet --workspace --allow-dirty --no-verify ;;
esac
cp "$CARGO_TARGET_DIR"/package/*.crate "$out"
ls "$out"

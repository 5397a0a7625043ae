#!/usr/bin/env bash
# Packages the crates for a registry, to target/packages/crates: the engine, the client, the SDK with its macros, and the
# server. `crates.sh --verify` also builds what was packaged, the server for a quarter of an hour; `crates.sh --dry-run`
# goes through all of `cargo publish` but the upload.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$root/target/packages/workspace
out=$root/target/packages/crates
crates=(host/engine host/client guest-sdk/rust/wf-guest-macros guest-sdk/rust/wf-guest host)
cd "$root"

# They lie in two workspaces, and what they need beside them: a registry's reader has neither.
rm -rf "$work"
mkdir -p "$work/host" "$work/guest-sdk/rust"
cp README.md Cargo.lock "$work"
cp -r host/engine host/client host/src host/build.rs host/Cargo.toml "$work/host"
cp -r guest-sdk/rust/wf-guest guest-sdk/rust/wf-guest-macros guest-sdk/rust/README.md "$work/guest-sdk/rust"
cp -r wit "$work/guest-sdk/rust/wf-guest/wit"
sed -i 's|"../../../wit"|"wit"|' "$work/guest-sdk/rust/wf-guest/src/lib.rs"
for crate in "${crates[@]}"; do
    cp LICENSE-APACHE LICENSE-MIT "$work/$crate"
done
members=$(printf '"%s", ' "${crates[@]}")
sed -e "s|^members = .*|members = [${members%, }]|" -e '/^exclude = /d' Cargo.toml >"$work/Cargo.toml"

# The server's own parts. A folder with a manifest would be taken for another crate, and left out.
mkdir "$work/host/parts" "$work/host/ui"
while read -r part; do
    cp -r --parents "$part" "$work/host/parts"
done < <(grep -v '^#' host/parts.txt)
find "$work/host/parts" -depth \( -name conformance -o -name __pycache__ \) -exec rm -r {} +
find "$work/host/parts" -name Cargo.toml -exec mv {} {}.part \;
sed 's|Cargo.toml$|&.part|' host/parts.txt >"$work/host/parts.txt"
sed -i 's|path: "../wit"|path: "parts/wit"|' "$work/host/src/runtime/bindings.rs"
sed -i '/^wf-tests = /d' "$work/host/Cargo.toml"
if [ -d host/ui/dist ]; then
    cp -r host/ui/dist "$work/host/ui"
else
    echo "warning: the page is not built: the server's crate has none; \`make ui\` builds it" >&2
fi

cd "$work"
export CARGO_TARGET_DIR=$root/target/packages/target
rm -f "$CARGO_TARGET_DIR"/package/*.crate
case ${1:-} in
--dry-run)
    cargo publish --workspace --dry-run --allow-dirty --no-verify
    exit
    ;;
--verify) cargo package --quiet --workspace --allow-dirty ;;
*) cargo package --quiet --workspace --allow-dirty --no-verify ;;
esac
rm -rf "$out"
mkdir -p "$out"
cp "$CARGO_TARGET_DIR"/package/*.crate "$out"
ls "$out"

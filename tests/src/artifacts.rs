//! Where the things under test are.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the root").to_owned()
}

/// The binary, of the same profile as this test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    existing(profile.join("wf-host"), "cargo build --release --workspace")
}

/// A component of the conformance set or a fault guest, made from Rust.
pub fn guest(name: &str) -> PathBuf {
    existing(guests().join(format!("{name}.wasm")), "make guests")
}

/// A component of an example.
pub fn example(name: &str) -> PathBuf {
    existing(root().join(format!("target/examples/{name}.wasm")), "make examples")
}

/// The folder with the components made from Rust.
pub fn guests() -> PathBuf {
    root().join("target/guests/rust")
}

fn existing(path: PathBuf, command: &str) -> PathBuf {
    assert!(path.exists(), "`{}` is missing: `{command}` makes it", path.display());
    path
}

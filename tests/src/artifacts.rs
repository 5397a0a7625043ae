//! Where the things under test are.

use std::fs;
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

/// In which language a component was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Everything there is to test.
    Rust,
    /// The conformance set, `border`, `outside` and `talker`.
    Python,
    /// The conformance set, and `border`.
    TypeScript,
    /// The conformance set, and `border`.
    C,
    /// The conformance set, `border` and `churn`.
    Go,
}

/// A component of the conformance set.
pub fn guest_of(language: Language, name: &str) -> PathBuf {
    match language {
        Language::Rust => guest(name),
        Language::C => existing(root().join(format!("target/guests/c/{name}.wasm")), "make guests"),
        Language::Go => existing(root().join(format!("target/guests/go/{name}.wasm")), "make guests"),
        Language::Python => existing(root().join(format!("target/guests/python/{name}.wasm")), "make guests"),
        Language::TypeScript => existing(root().join(format!("target/guests/js/{name}.wasm")), "make guests"),
    }
}

/// Where tools and compiled code are kept that take long to make, shared by the tests that want them.
pub fn cache() -> PathBuf {
    root().join("target/tools/cache")
}

/// A program that `wf-host build` has fetched for a language, by the names of their folders.
pub fn tool(language: &str, path: &str) -> PathBuf {
    let folders = fs::read_dir(cache().join(language)).into_iter().flatten().flatten();
    let found = folders.map(|it| it.path().join(path)).find(|it| it.exists());
    found.unwrap_or_else(|| panic!("no `{path}` for `{language}`: `make guests` fetches it"))
}

/// The folder with the packages that projects in Python ask for.
pub fn wheels() -> PathBuf {
    existing(root().join("target/guests/wheels"), "make guests")
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

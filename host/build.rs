//! The page is embedded as `make ui` has built it; where it has not, there is none.
//! `wf-host new` carries the SDK, the contract and the engine: what is embedded must be what lies there.

use std::fs;
use std::path::PathBuf;

fn main() {
    ui();
    println!("cargo::rerun-if-changed=../guest-sdk/rust");
    println!("cargo::rerun-if-changed=../guest-sdk/python");
    println!("cargo::rerun-if-changed=src/cli/new/python");
    println!("cargo::rerun-if-changed=src/cli/new/typescript");
    for part in ["src", "tools", "wit", "package.json", "package-lock.json", "README.md"] {
        println!("cargo::rerun-if-changed=../guest-sdk/js/{part}");
    }
    println!("cargo::rerun-if-changed=../wit");
    println!("cargo::rerun-if-changed=engine/src");
}

/// Copies the built page to where it is embedded from: an empty folder, where it is not built.
fn ui() {
    println!("cargo::rerun-if-changed=ui/dist");
    let embedded = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("ui");
    let _ = fs::remove_dir_all(&embedded);
    fs::create_dir_all(&embedded).expect("a folder of ours");
    for entry in fs::read_dir("ui/dist").into_iter().flatten().flatten().filter(|it| it.path().is_file()) {
        fs::copy(entry.path(), embedded.join(entry.file_name())).expect("a file of ours");
    }
}

//! Lays out what the binary carries: the page, as `make ui` has built it, or none; and what `parts.txt` names.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// What lies among the parts, and is none.
const LEFT_OUT: [&str; 2] = ["conformance", "__pycache__"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    ui(&out.join("ui"));
    parts(&out.join("parts"));
}

fn ui(to: &Path) {
    println!("cargo::rerun-if-changed=ui/dist");
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("a folder of ours");
    for entry in fs::read_dir("ui/dist").into_iter().flatten().flatten().filter(|it| it.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a file of ours");
    }
}

/// In a crate from a registry they lie in a folder of it, and their manifests end with `.part`: no crate holds another.
fn parts(to: &Path) {
    println!("cargo::rerun-if-changed=parts.txt");
    let _ = fs::remove_dir_all(to);
    let from = if Path::new("parts").is_dir() { "parts" } else { ".." };
    for part in fs::read_to_string("parts.txt").expect("a file of ours").lines().filter(|it| !it.starts_with('#')) {
        copy(&Path::new(from).join(part), &to.join(part));
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder of ours").flatten() {
            if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
    } else {
        let to = if to.extension().is_some_and(|it| it == "part") { to.with_extension("") } else { to.to_owned() };
        // Not its folder: languages' tools leave things there, and each would build the host again.
        println!("cargo::rerun-if-changed={}", from.display());
        fs::create_dir_all(to.parent().expect("it lies in a folder")).expect("a folder of ours");
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

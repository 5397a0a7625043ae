//! `wf-host new`.

mod pages;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use include_dir::{Dir, DirEntry, include_dir};
use toml::{Table, Value};

use super::Problem;
use super::screen::out;

/// The folder of the SDK, the contract that it is built against, and the engine that its tests
/// run on: a project carries them.
static RUST: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/rust");
static WIT: Dir = include_dir!("$OUT_DIR/parts/wit");
static ENGINE: Dir = include_dir!("$OUT_DIR/parts/host/engine/src");
const RUST_PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/rust/README.md"));
const ENGINE_MANIFEST: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/host/engine/Cargo.toml"));
const WORKSPACE_MANIFEST: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/Cargo.toml"));

/// A project in Python, with what its tests import: the SDK comes into the components by itself.
static PYTHON: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/cli/new/python");
const PYTHON_TESTING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/python/testing/wf_testing.py"));
const PYTHON_PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/python/README.md"));

/// A project in TypeScript, with the SDK for its types; into the components it comes by itself.
static TYPESCRIPT: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/cli/new/typescript");
static TYPESCRIPT_SDK: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/js/src");
static TYPESCRIPT_TESTING: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/js/testing");
const TYPESCRIPT_PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/js/README.md"));

/// A project in Go, and one in C, each with its SDK.
static GO: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/cli/new/go");
static GO_SDK: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/go");
const GO_PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/go/README.md"));
static C: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/cli/new/c");
static C_SDK: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/c");
const C_PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/c/README.md"));

/// What may be reached outside: nothing so far.
const GRANTS: &[u8] = include_bytes!("new/wf-host.toml");

/// Makes a project: a small workflow that builds, passes its test and runs.
#[derive(Args)]
#[command(after_help = "\
Examples:
  wf-host new hello --lang rust && cd hello && wf-host dev
  wf-host new hello --lang python && cd hello && wf-host dev
  wf-host new hello --lang typescript && cd hello && wf-host dev
  wf-host new hello --lang go && cd hello && wf-host dev
  wf-host new hello --lang c && cd hello && wf-host dev
")]
pub(super) struct New {
    /// The project's name, and that of its folder.
    name: String,
    /// The language to write it in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// A crate with the SDK `wf-guest`, and tests.
    Rust,
    /// A file as LlamaIndex has them.
    Python,
    /// A file with the SDK `wf-guest` and zod.
    #[value(name = "typescript")]
    TypeScript,
    /// A module with the SDK `wf-host/wf`, and tests.
    Go,
    /// A file with the SDK `wf.h`.
    C,
}

impl New {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let folder = PathBuf::from(&self.name);
        let name = folder.file_name().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
        let fits = name.starts_with(|it: char| it.is_ascii_lowercase())
            && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-');
        if !fits {
            let hint = "begin with a letter, and use small letters, digits and `-`, as in `order-tea`";
            return Err(Problem::new(format!("`{name}` is no name for a project")).hint(hint).usage());
        }
        if folder.exists() {
            return Err(Problem::new(format!("`{}` is there already", folder.display())).hint("choose another name, or remove it first"));
        }
        let (written, tested) = match self.lang {
            Language::Rust => (rust(&folder, &name), "  cargo test       tests it\n"),
            Language::Python => (python(&folder, &name), "  pytest           tests it\n"),
            Language::TypeScript => {
                (typescript(&folder, &name), "  npm install      for its types and packages\n  npm test         tests it\n")
            }
            Language::Go => (go(&folder, &name), "  go test          tests it\n"),
            Language::C => (c(&folder, &name), ""),
        };
        let written = written.and_then(|()| from_template(&folder, &name, Path::new("wf-host.toml"), GRANTS));
        written.map_err(|error| {
            Problem::new(format!("`{}` could not be made: {error}", folder.display())).hint("name a folder that you can write to")
        })?;
        out(&format!("made `{0}`\n\n  cd {0}\n  wf-host dev      builds and serves it, again after each save\n{tested}", folder.display()))
    }
}

fn rust(folder: &Path, name: &str) -> std::io::Result<()> {
    for file in files(&RUST).chain(files(&WIT).filter(|it| it.0.extension().is_some_and(|it| it == "wit"))) {
        let (path, bytes) = file;
        if let Ok(inside) = path.strip_prefix("template") {
            from_template(folder, name, inside, bytes)?;
        } else if path == Path::new("Cargo.lock") {
            // The versions that the SDK is tested with; cargo adds the project, and drops what it does not need.
            write(&folder.join(path), bytes)?;
        } else if path.extension().is_some_and(|it| it == "wit") {
            write(&folder.join("sdk/wit").join(path), bytes)?;
        } else {
            write(&folder.join("sdk/guest-sdk/rust").join(path), bytes)?;
        }
    }
    write_pages(&folder.join("sdk/guest-sdk"), "rust", RUST_PAGE, "rust/README.md")?;
    for (path, bytes) in files(&ENGINE) {
        write(&folder.join("sdk/host/engine/src").join(path), bytes)?;
    }
    let (workspace, engine) = engine_manifests().map_err(std::io::Error::other)?;
    write(&folder.join("sdk/Cargo.toml"), workspace.as_bytes())?;
    write(&folder.join("sdk/host/engine/Cargo.toml"), engine.as_bytes())
}

fn python(folder: &Path, name: &str) -> std::io::Result<()> {
    files(&PYTHON).try_for_each(|(path, bytes)| from_template(folder, name, path, bytes))?;
    write(&folder.join("tests/wf_testing.py"), PYTHON_TESTING)?;
    write_pages(&folder.join("sdk"), "python", PYTHON_PAGE, "README.md")
}

fn typescript(folder: &Path, name: &str) -> std::io::Result<()> {
    for (path, bytes) in files(&TYPESCRIPT) {
        let own = path.to_str().and_then(|it| it.strip_prefix("workflow.")).map(|ending| PathBuf::from(format!("{name}.{ending}")));
        from_template(folder, name, own.as_deref().unwrap_or(path), bytes)?;
    }
    for (part, sdk) in [("sdk/src", &TYPESCRIPT_SDK), ("sdk/testing", &TYPESCRIPT_TESTING)] {
        files(sdk).try_for_each(|(path, bytes)| write(&folder.join(part).join(path), bytes))?;
    }
    write_pages(&folder.join("sdk"), "js", TYPESCRIPT_PAGE, "README.md")
}

fn go(folder: &Path, name: &str) -> std::io::Result<()> {
    files(&GO).try_for_each(|(path, bytes)| from_template(folder, name, path, bytes))?;
    let sdk = files(&GO_SDK).filter(|(path, _)| path.extension().is_some_and(|it| it == "go" || it == "mod"));
    sdk.into_iter().try_for_each(|(path, bytes)| write(&folder.join("sdk").join(path), bytes))?;
    write_pages(&folder.join("sdk"), "go", GO_PAGE, "README.md")
}

fn c(folder: &Path, name: &str) -> std::io::Result<()> {
    for (path, bytes) in files(&C) {
        let own = PathBuf::from(format!("{name}.c"));
        from_template(folder, name, if path == Path::new("workflow.c.in") { &own } else { path }, bytes)?;
    }
    let sdk = files(&C_SDK).filter(|(path, _)| path == &Path::new("wf.h"));
    sdk.into_iter().try_for_each(|(path, bytes)| write(&folder.join("sdk").join(path), bytes))?;
    write_pages(&folder.join("sdk"), "c", C_PAGE, "README.md")
}

/// How it is in this language, and beside it what holds for all of them.
fn write_pages(sdk: &Path, language: &str, page: &str, at: &str) -> std::io::Result<()> {
    pages::pages(language, page, Path::new(at)).iter().try_for_each(|(path, text)| write(&sdk.join(path), text.as_bytes()))
}

fn from_template(folder: &Path, name: &str, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = match path.to_str() {
        // Under their own names these would mean something where they lie.
        Some("gitignore") => Path::new(".gitignore"),
        Some("Cargo.toml.in") => Path::new("Cargo.toml"),
        Some("go.mod.in") => Path::new("go.mod"),
        _ => path,
    };
    write(&folder.join(path), String::from_utf8_lossy(bytes).replace("{{name}}", name).as_bytes())
}

/// Our own manifests, with no more in them than the engine needs.
fn engine_manifests() -> Result<(String, String), toml::de::Error> {
    let mut engine: Table = toml::from_str(ENGINE_MANIFEST)?;
    engine.remove("dev-dependencies");
    let mut root: Table = toml::from_str(WORKSPACE_MANIFEST)?;
    root.retain(|key, _| key == "workspace");
    if let Some(Value::Table(workspace)) = root.get_mut("workspace") {
        workspace.insert("members".to_owned(), vec!["host/engine"].into());
        workspace.insert("exclude".to_owned(), vec!["guest-sdk"].into());
        if let (Some(Value::Table(all)), Some(Value::Table(needed))) = (workspace.get_mut("dependencies"), engine.get("dependencies")) {
            all.retain(|name, _| needed.contains_key(name));
        }
    }
    Ok((root.to_string(), engine.to_string()))
}

fn files<'a>(folder: &'a Dir<'a>) -> Box<dyn Iterator<Item = (&'a Path, &'a [u8])> + 'a> {
    Box::new(folder.entries().iter().flat_map(|entry| match entry {
        DirEntry::Dir(inner) => files(inner),
        DirEntry::File(file) => Box::new(std::iter::once((file.path(), file.contents()))),
    }))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, bytes)
}

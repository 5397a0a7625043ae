//! The compiler for C, C++ and Zig: what is installed, else an environment of its own in the user's cache; and the SDK,
//! compiled once.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use tokio::process::Command;

use crate::cli::environment::{DONE, Lock, digest, files, home, output, said, short, unpacked, unwritable, whole};
use crate::cli::{Problem, pypi};

static SDK: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/c");
const TOOLS: pypi::Tools =
    pypi::Tools { language: "C", requirements: include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/c/requirements.txt")) };
/// Without the last each instance would have a stack of 16 MiB.
const FLAGS: [&str; 6] = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-Os", "-s", "-Wl,-z,stack-size=131072"];

/// What a source is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    C,
    CPlusPlus,
    Zig,
}

impl Language {
    /// By the ending of the file.
    pub(super) fn of(path: &Path) -> Option<Language> {
        match path.extension()?.to_str()? {
            "c" => Some(Language::C),
            "cpp" | "cc" | "cxx" => Some(Language::CPlusPlus),
            "zig" => Some(Language::Zig),
            _ => None,
        }
    }
}

/// Where everything is.
pub(super) struct Tools {
    home: PathBuf,
    /// The environment's Python, which runs the compiler; none: it is installed.
    python: Option<PathBuf>,
    /// The header, and the sources behind it.
    sdk: PathBuf,
    /// What those were compiled to.
    compiled: PathBuf,
}

impl Tools {
    /// Finds them, or makes them.
    pub(super) async fn ready(offline: bool) -> Result<Tools, Problem> {
        let home = home("C", "c")?;
        let _lock = Lock::take(&home, "the tools of C").await?;
        let all: Vec<(PathBuf, &[u8])> =
            files(&SDK).filter(|(path, _)| is_code(path)).map(|(path, bytes)| (path.to_owned(), bytes)).collect();
        let sdk = unpacked(&home, "sdk", &all).map_err(|error| unwritable(&home, &error))?;
        let version = TOOLS.first().1;
        let installed = said(&mut Command::new("zig"), &["version"]).await.is_some_and(|it| it == version);
        let python = if installed { None } else { Some(TOOLS.environment(&home, &pypi::python().await?, offline).await?) };
        let name = digest([sdk.as_os_str().as_encoded_bytes(), version.as_bytes(), FLAGS.concat().as_bytes()]);
        let compiled = home.join(format!("compiled-{}", short(&name)));
        let tools = Tools { home, python, sdk, compiled };
        if !tools.compiled.join(DONE).is_file() {
            tools.compile_sdk().await?;
        }
        Ok(tools)
    }

    async fn compile_sdk(&self) -> Result<(), Problem> {
        let folder = &self.compiled;
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        for source in files(&SDK).map(|(path, _)| path).filter(|path| path.extension().is_some_and(|it| it == "c")) {
            run(&mut self.compile(&self.sdk.join(source), &folder.join(source.with_extension("o")))).await?;
        }
        fs::write(folder.join(DONE), "").map_err(|error| unwritable(folder, &error))
    }

    /// One of the compiler's commands. What it makes along, as the C library, is kept.
    fn zig(&self, command: &str) -> Command {
        let mut zig = match &self.python {
            Some(python) => Command::new(python),
            None => Command::new("zig"),
        };
        if self.python.is_some() {
            zig.args(["-m", "ziglang"]);
        }
        zig.arg(command).env("ZIG_GLOBAL_CACHE_DIR", self.home.join("cache")).env("ZIG_LOCAL_CACHE_DIR", self.home.join("cache"));
        zig
    }

    /// Makes an object file of a source.
    pub(super) fn compile(&self, source: &Path, object: &Path) -> Command {
        let (command, extra): (&str, &[&str]) = match Language::of(source) {
            Some(Language::Zig) => {
                let mut zig = self.zig("build-obj");
                zig.args(["-target", "wasm32-wasi", "-OReleaseSmall", "-lc", "--dep", "wf"]);
                zig.arg(argument("-Mroot=", source)).arg(argument("-Mwf=", &self.sdk.join("wf.zig")));
                zig.arg(argument("-femit-bin=", object));
                return zig;
            }
            Some(Language::CPlusPlus) => ("c++", &["-std=c++20", "-fno-exceptions", "-fno-rtti"]),
            _ => ("cc", &[]),
        };
        let mut zig = self.zig(command);
        zig.args([
            "-target",
            "wasm32-wasi",
            "-Os",
            "-Wall",
            "-Wextra",
            "-Wno-missing-field-initializers",
            "-Wno-missing-designated-field-initializers",
        ])
        .args(extra);
        zig.arg("-I").arg(&self.sdk).arg("-c").arg(source).arg("-o").arg(object);
        zig
    }

    /// Links object files, which are to be added, with the SDK. With the library of C++ only where that is used: it is
    /// compiled once, for minutes.
    pub(super) fn link(&self, wasm: &Path, of_cplusplus: bool) -> Command {
        let mut zig = self.zig(if of_cplusplus { "c++" } else { "cc" });
        zig.args(FLAGS).arg("-o").arg(wasm);
        for (source, _) in files(&SDK).filter(|(path, _)| path.extension().is_some_and(|it| it == "c")) {
            zig.arg(self.compiled.join(source.with_extension("o")));
        }
        zig
    }
}

fn argument(flag: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(flag);
    argument.push(path);
    argument
}

/// What lies beside the code: the page, the pins.
fn is_code(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "c" || it == "h" || it == "zig") && path.components().count() == 1
}

async fn run(command: &mut Command) -> Result<(), Problem> {
    let ran = output(command).await?;
    if ran.status.success() { Ok(()) } else { Err(Problem::new(whole(&ran)).hint("this is a defect of wf-host")) }
}

//! Projects in Rust.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::Problem;

/// A project in Rust.
pub(super) struct Project {
    dir: PathBuf,
    toolchain: Toolchain,
}

/// Which compiler makes WebAssembly of Rust here.
enum Toolchain {
    /// A target that is installed beside the native one.
    Target(&'static str),
    /// Debian's compiler, which builds the standard library along. With the linker to use.
    Debian(PathBuf),
}

const TARGETS: [&str; 3] = ["wasm32-wasip2", "wasm32-wasip1", "wasm32-unknown-unknown"];

impl Project {
    /// A folder with a `Cargo.toml`.
    pub(super) fn find(dir: &Path) -> Result<Project, Problem> {
        Ok(Project { dir: dir.to_owned(), toolchain: toolchain()? })
    }

    /// The project's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Builds it; what the tools say goes on to stderr as it comes, and into the error.
    pub(super) async fn build(&self) -> Result<PathBuf, Problem> {
        let mut command = self.command();
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| Problem::new(format!("cargo cannot be started: {error}")).hint(INSTALL))?;
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (artifacts, said) = tokio::join!(whole(stdout), echoed(stderr));
        let status = child.wait().await.map_err(|error| Problem::new(format!("cargo: {error}")))?;
        if !status.success() {
            return Err(Problem::new(format!("the build failed\n{}", said.trim_end())).hint("correct what the compiler names above"));
        }
        let artifact = artifacts.lines().filter_map(artifact).next_back();
        let artifact = artifact.ok_or_else(|| {
            Problem::new("the build made no `.wasm` file").hint("the library's `crate-type` must name `cdylib` in Cargo.toml")
        })?;
        let name = artifact.file_stem().map(|it| it.to_string_lossy().replace('_', "-")).unwrap_or_default();
        let wasm = self.dir.join(format!("{name}.wasm"));
        let wasm = wasm.strip_prefix(".").unwrap_or(&wasm).to_owned();
        put(&artifact, &wasm).map_err(|error| Problem::new(format!("`{}` cannot be written: {error}", wasm.display())))?;
        Ok(wasm)
    }

    fn command(&self) -> Command {
        let arguments = ["build", "--release", "--message-format", "json-render-diagnostics", "--target"];
        match &self.toolchain {
            Toolchain::Target(target) => {
                let mut command = Command::new("cargo");
                command.args(arguments).arg(target);
                command
            }
            Toolchain::Debian(linker) => {
                let mut command = Command::new("/usr/bin/cargo");
                // Apart from what the other compiler makes, also where the user has all of it elsewhere.
                let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from).join("debian");
                command.args(arguments).args(["wasm32-unknown-unknown", "-Zbuild-std=std,panic_abort", "--target-dir"]).arg(target);
                command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                command
            }
        }
    }
}

const INSTALL: &str = "install Rust from https://rustup.rs, then `rustup target add wasm32-wasip2`";

fn toolchain() -> Result<Toolchain, Problem> {
    let print = |what: &[&str]| {
        let output = std::process::Command::new("rustc").arg("--print").args(what).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    };
    let sysroot = print(&["sysroot"]).ok_or_else(|| Problem::new("Rust is not installed").hint(INSTALL))?;
    let installed = |target: &&str| print(&["target-libdir", "--target", *target]).is_some_and(|it| it.is_dir());
    if let Some(target) = TARGETS.into_iter().find(|it| installed(it)) {
        return Ok(Toolchain::Target(target));
    }
    let linker = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    let debian = ["/usr/bin/cargo", "/usr/bin/rustc"].iter().all(|it| Path::new(it).exists());
    if debian && linker.exists() {
        return Ok(Toolchain::Debian(linker));
    }
    Err(Problem::new("Rust has no WebAssembly target here")
        .hint("`rustup target add wasm32-wasip2`; without rustup, on Debian: `apt-get install rustc-web rust-web-src cargo-web`"))
}

async fn whole(mut from: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    // What was read before an error is what there is.
    let _ = from.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[expect(clippy::print_stderr, reason = "the compiler's own output")]
async fn echoed(from: impl tokio::io::AsyncRead + Unpin) -> String {
    let (mut text, mut lines) = (String::new(), BufReader::new(from).lines());
    while let Ok(Some(line)) = lines.next_line().await {
        eprintln!("{line}");
        // Progress is for the terminal alone.
        if !["Compiling", "Finished", "Downloading", "Downloaded", "Locking", "Updating", "Blocking"]
            .iter()
            .any(|it| line.trim_start().starts_with(it))
        {
            text += &line;
            text.push('\n');
        }
    }
    text
}

/// The file that a line of cargo's output says it made.
fn artifact(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|it| it.ends_with(".wasm")).map(PathBuf::from)
}

/// Whole, or not at all: somebody may be serving it.
fn put(from: &Path, to: &Path) -> std::io::Result<()> {
    let beside = to.with_extension("wasm.new");
    std::fs::copy(from, &beside)?;
    std::fs::rename(beside, to)
}

//! The tools that make components of Python: what is installed, else an environment of their own in the user's cache.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use include_dir::{Dir, DirEntry, include_dir};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::cli::progress::size;
use crate::cli::{Problem, cache};

/// What the workflows import, and the versions of the tools.
static SDK: Dir = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/python");
static WIT: Dir = include_dir!("$CARGO_MANIFEST_DIR/../wit");
/// Written when all of a folder is there.
const DONE: &str = "done";
/// The oldest Python that inspects files.
const OLDEST: &str = "3.11";

/// Another command that looks whether all is there is done before this.
const SILENT: Duration = Duration::from_secs(2);

/// Where everything is.
pub(super) struct Tools {
    /// A folder of the user's cache, for what is made once.
    pub home: PathBuf,
    /// The SDK, as `guest-sdk/python`.
    pub sdk: PathBuf,
    pub wit: PathBuf,
    /// Which Python inspects files, and has `pip`.
    pub python: PathBuf,
    /// How componentize-py is called.
    componentize: PathBuf,
    /// Nothing may be fetched.
    pub offline: bool,
}

impl Tools {
    /// Finds them, or makes them.
    pub(super) async fn ready(offline: bool) -> Result<Tools, Problem> {
        let cache = cache::folder().ok_or_else(|| {
            Problem::new("there is no folder for the tools of Python").hint("`WF_HOST_CACHE_DIR` names one, where you have no home")
        })?;
        let home = private(cache.join("python"))?;
        let python = python().await?;
        let _lock = Lock::take(&home, "the tools of Python").await?;
        let (sdk, wit) = unpack(&home).map_err(|error| unwritable(&home, &error))?;
        let mut tools = Tools { home, sdk, wit, python, componentize: PathBuf::new(), offline };
        let installed = said(&mut Command::new("componentize-py"), &["--version"]).await;
        if installed.is_some_and(|it| it == format!("componentize-py {}", version())) {
            tools.componentize = "componentize-py".into();
        } else {
            tools.python = tools.environment().await?;
            tools.componentize = tools.python.with_file_name("componentize-py");
        }
        Ok(tools)
    }

    /// The environment's Python.
    async fn environment(&self) -> Result<PathBuf, Problem> {
        let folder = self.home.join(format!("tools-{}", short(&digest([requirements().as_bytes()]))));
        let python = folder.join("bin/python");
        // The Python that it stands on may be gone by now.
        if folder.join(DONE).is_file() && said(&mut Command::new(&python), &["--version"]).await.is_some() {
            return Ok(python);
        }
        if self.offline {
            return Err(Problem::new(format!("componentize-py {} is not installed, and nothing may be fetched", version()))
                .hint(format!("once without `--offline`, or `pip install componentize-py=={}`", version())));
        }
        progress(&format!("fetching the tools of Python, once: componentize-py {}", version()));
        let begun = Instant::now();
        let _ = fs::remove_dir_all(&folder);
        let made = output(Command::new(&self.python).args(["-m", "venv"]).arg(&folder)).await?;
        if !made.status.success() {
            return Err(Problem::new(format!("`{} -m venv` failed: {}", self.python.display(), last(&made))).hint(format!(
                "on Debian `apt-get install python3-venv`; or install the tools yourself: `pip install componentize-py=={}`",
                version()
            )));
        }
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
        let installed = output(install.arg(self.sdk.join("requirements.txt"))).await?;
        if !installed.status.success() {
            return Err(Problem::new(format!("the tools of Python cannot be fetched: {}", last(&installed)))
                .hint(format!("see whether `pip download componentize-py=={}` works here, and try again", version())));
        }
        fs::write(folder.join(DONE), "").map_err(|error| unwritable(&folder, &error))?;
        progress(&format!("fetched them in {:.1?}, {} in `{}`", begun.elapsed(), size(weight(&folder)), folder.display()));
        Ok(python)
    }

    /// Makes a component of the module of that name. Gives what it said, where that failed.
    pub(super) async fn componentize(&self, module: &str, folders: &[&Path], to: &Path) -> Result<Result<(), String>, Problem> {
        let mut command = Command::new(&self.componentize);
        command.env_remove("VIRTUAL_ENV").arg("--quiet").arg("-d").arg(&self.wit);
        command.args(["-w", "workflow", "componentize", module, "-o"]).arg(to);
        for folder in folders {
            command.arg("-p").arg(folder);
        }
        let made = output(&mut command).await?;
        Ok(if made.status.success() { Ok(()) } else { Err(whole(&made)) })
    }
}

/// The tools, as `pip` reads them.
fn requirements() -> &'static str {
    SDK.get_file("requirements.txt").and_then(|it| it.contents_utf8()).unwrap_or_default()
}

/// Of componentize-py.
fn version() -> &'static str {
    let line = requirements().lines().find_map(|line| line.strip_prefix("componentize-py=="));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

/// Python as it is installed.
async fn python() -> Result<PathBuf, Problem> {
    let install = format!("install Python {OLDEST} or later: https://www.python.org, or your system's packages");
    let version = said(&mut Command::new("python3"), &["-c", "import sys; print(*sys.version_info[:2], sep='.')"]).await;
    let Some(version) = version else { return Err(Problem::new("Python is not installed").hint(install)) };
    let number = |text: &str| text.split('.').filter_map(|it| it.parse::<u32>().ok()).collect::<Vec<_>>();
    if number(&version) < number(OLDEST) {
        return Err(Problem::new(format!("Python {version} is too old")).hint(install));
    }
    Ok("python3".into())
}

/// Writes the SDK and the contract to where the tools read them.
fn unpack(home: &Path) -> std::io::Result<(PathBuf, PathBuf)> {
    let all: Vec<(PathBuf, &[u8])> = files(&SDK)
        .filter(|(path, _)| path.starts_with("src") || path.as_os_str() == "requirements.txt")
        .chain(files(&WIT).filter(|(path, _)| path.extension().is_some_and(|it| it == "wit")))
        .map(|(path, bytes)| {
            (if path.extension().is_some_and(|it| it == "wit") { Path::new("wit").join(path) } else { path.to_owned() }, bytes)
        })
        .collect();
    let parts = all.iter().flat_map(|(path, bytes)| [path.as_os_str().as_encoded_bytes(), bytes]);
    let folder = home.join(format!("sdk-{}", short(&digest(parts))));
    if !folder.join(DONE).is_file() {
        for (path, bytes) in &all {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(path, bytes)?;
        }
        fs::write(folder.join(DONE), "")?;
    }
    Ok((folder.clone(), folder.join("wit")))
}

fn files<'a>(folder: &'a Dir<'a>) -> Box<dyn Iterator<Item = (&'a Path, &'a [u8])> + 'a> {
    Box::new(folder.entries().iter().flat_map(|entry| match entry {
        DirEntry::Dir(inner) => files(inner),
        DirEntry::File(file) => Box::new(std::iter::once((file.path(), file.contents()))),
    }))
}

/// Held while something is made that another command may want as well; the system lets go of it with the process.
pub(super) struct Lock(#[expect(dead_code, reason = "held")] fs::File);

impl Lock {
    pub(super) async fn take(home: &Path, what: &str) -> Result<Lock, Problem> {
        let path = home.join("lock");
        let file = fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| unwritable(&path, &error))?;
        let mut locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let locked = match tokio::time::timeout(SILENT, &mut locked).await {
            Ok(locked) => locked,
            Err(_) => {
                progress(&format!("waiting for another command, which makes {what}"));
                locked.await
            }
        };
        let locked = locked.map_err(|error| Problem::new(error.to_string()))?;
        Ok(Lock(locked.map_err(|error| unwritable(&path, &error))?))
    }
}

/// A folder that nobody else reads.
fn private(folder: PathBuf) -> Result<PathBuf, Problem> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| unwritable(&folder, &error))?;
    Ok(folder)
}

pub(super) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("`{}` cannot be written: {error}", path.display())).hint("`WF_HOST_CACHE_DIR` names another folder")
}

/// What a command says, where it succeeds.
async fn said(command: &mut Command, arguments: &[&str]) -> Option<String> {
    let said = command.args(arguments).stdin(Stdio::null()).output().await.ok().filter(|it| it.status.success())?;
    Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

pub(super) async fn output(command: &mut Command) -> Result<Output, Problem> {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.map_err(|error| Problem::new(format!("`{}` cannot be started: {error}", command.as_std().get_program().display())))
}

/// What a command has written to say why it failed.
pub(super) fn whole(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

fn last(output: &Output) -> String {
    whole(output).lines().rfind(|line| !line.trim().is_empty()).map_or_else(|| output.status.to_string(), |line| line.trim().to_owned())
}

#[expect(clippy::print_stderr, reason = "the command line's own output")]
pub(super) fn progress(text: &str) {
    eprintln!("{text}");
}

/// SHA-256 over parts, each with its length, as text.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Enough of a digest to name a folder.
pub(super) fn short(digest: &str) -> &str {
    &digest[..16]
}

/// All files below a folder, in bytes.
fn weight(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let weigh = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => weight(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(weigh).sum()
}

/// A file as text; none where it is none.
pub(super) fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

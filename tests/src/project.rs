//! A project that somebody is writing: made, built, served and edited by the commands for authors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};

use tempfile::TempDir;

use crate::artifacts::{cache, root};
use crate::http::Client;
use crate::output::Output;
use crate::patience::until;
use crate::server::command;

/// A project of `wf-host new`, named `hello`, in a folder that goes with it.
pub struct Project {
    /// Its folder.
    pub path: PathBuf,
    _within: TempDir,
}

impl Project {
    /// In a language, as `--lang` names it, in a folder that is empty before.
    pub fn new(language: &str) -> Project {
        let within = tempfile::tempdir().expect("a temporary directory");
        let made = succeeded(command().args(["new", "hello", "--lang", language]).current_dir(within.path()));
        assert!(made.contains("wf-host dev"), "{made}");
        Project { path: within.path().join("hello"), _within: within }
    }

    /// Changes a text in one of its files, wherever it stands there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path.join(file);
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("writable");
    }

    /// What a command says that must succeed in it.
    pub fn wf_host(&self, arguments: &[&str]) -> String {
        succeeded(&mut with_tools(&self.path, arguments))
    }

    /// Serves what a path in it names, and builds it after each save.
    pub async fn dev(&self, path: &str) -> Dev {
        Dev::of(&self.path, &["dev", path, "--port", "0"]).await
    }
}

/// A `wf-host dev` that runs. Killed when dropped.
pub struct Dev {
    child: Child,
    /// A client of what it serves.
    pub client: Client,
    stderr: Output,
}

impl Dev {
    /// By these arguments in a folder.
    pub async fn of(folder: &Path, arguments: &[&str]) -> Dev {
        let mut command = with_tools(folder, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (stdout, stderr) = (Output::of(child.stdout.take().expect("piped")), Output::of(child.stderr.take().expect("piped")));
        let url = until("dev to listen", async || {
            let screen = stdout.so_far();
            Some(screen.split_once("listening on")?.1.split_once('\n')?.0.trim().to_owned())
        })
        .await;
        Dev { child, client: Client::new(&url), stderr }
    }

    /// Waits until a run of its workflow, of somebody named Ada, ends with this.
    pub async fn says(&self, wanted: &str) {
        until(&format!("the run to say {wanted}"), async || {
            let answer = self.client.run("hello", r#"{"name":"Ada"}"#).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            (answer.result() == wanted).then_some(())
        })
        .await;
    }

    /// What it has written beside its first screen.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// What the page shows of a build that has failed, once it has.
    pub async fn mistake(&self) -> String {
        until("the build's message", async || {
            let workflows = self.client.get("/api/v1/workflows").await.json();
            workflows["workflows"][0]["error"]["message"].as_str().map(str::to_owned)
        })
        .await
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `wf-host` in a folder, with the tools that the guests were made with: nothing is fetched. Crates that were compiled
/// for those are taken as they are; what is made of them lies where it would without.
pub fn with_tools(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command();
    command.args(arguments).env("WF_HOST_CACHE_DIR", cache()).env("CARGO_BUILD_BUILD_DIR", root().join("target/build-rust"));
    command.current_dir(folder);
    command
}

/// What a command says, where it succeeds.
pub fn succeeded(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
    assert!(output.status.success(), "{text}");
    text
}

/// What a command has written beside its results.
pub fn stderr(output: &process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

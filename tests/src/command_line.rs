//! The command line as a black box: exit code, stdout, stderr.

use std::path::Path;
use std::process::{self, Child, Stdio};

use expect_test::Expect;

use crate::artifacts;
use crate::http::Client;
use crate::output::Output;
use crate::patience::until_blocking;
use crate::server::command;

/// Runs `wf-host` with arguments in a directory and compares what it prints. It must end by itself.
///
/// The directory is shown as `[DIR]`, the folder of the guests as `[GUESTS]`.
pub fn check_command(directory: &Path, arguments: &[&str], expect: &Expect) {
    expect.assert_eq(&outcome(directory, arguments));
}

/// What it prints, with the same replacements.
pub fn outcome(directory: &Path, arguments: &[&str]) -> String {
    let mut command = command();
    command
        .current_dir(directory)
        .args(arguments)
        .env("COLUMNS", "100")
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdout = Output::of(child.stdout.take().expect("piped"));
    let mut stderr = Output::of(child.stderr.take().expect("piped"));
    let status = until_blocking("the command to end", || child.try_wait().expect("it is a child"));
    let code = status.code().map_or("killed".into(), |code| code.to_string());
    let text = format!("exit code {code}\n--- stdout\n{}--- stderr\n{}", stdout.whole(), stderr.whole());
    filtered(&text, directory)
}

/// What becomes of `wf-host` with arguments.
pub fn wf_host(arguments: &[&str]) -> process::Output {
    command().args(arguments).output().expect("the binary starts")
}

/// It must do what it was asked. Gives what it says.
pub fn done(arguments: &[&str]) -> String {
    let output = wf_host(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Without what differs from machine to machine.
pub fn filtered(text: &str, directory: &Path) -> String {
    let guests = artifacts::guests().display().to_string();
    let text = text.replace(&guests, "[GUESTS]").replace(&directory.display().to_string(), "[DIR]");
    let lines = text.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

/// `wf-host open`, with a client of it. It ends when it is dropped.
pub struct Opened {
    child: Child,
    /// Of the address that it says.
    pub client: Client,
}

impl Opened {
    /// Opens a file.
    pub fn file(file: &Path) -> Opened {
        let mut child = command().args(["open", text(file)]).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = Output::of(child.stdout.take().expect("piped"));
        let url =
            until_blocking("its address", || Some(stdout.so_far().split_once("to be looked at: ")?.1.strip_suffix("/\n")?.to_owned()));
        Opened { child, client: Client::new(&url) }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

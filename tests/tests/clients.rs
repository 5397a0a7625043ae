//! LlamaIndex's own clients, unmodified, through every call they have.
//!
//! `tests/clients/setup.sh` installs them at the versions that are pinned there; each driver prints
//! one line for each call. The same drivers pass against the original servers with `--original`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use wf_tests::output::Output;
use wf_tests::patience::until_blocking;
use wf_tests::wasm::Module;
use wf_tests::{CONFORMANCE, Serve, artifacts};

/// The fewest calls that a driver makes: a driver that ends early has not passed.
const CALLS_MIN: u32 = 60;

fn clients() -> PathBuf {
    static SET_UP: Once = Once::new();
    let folder = artifacts::root().join("tests/clients");
    SET_UP.call_once(|| {
        let status = Command::new(folder.join("setup.sh")).status().expect("bash");
        assert!(status.success(), "`tests/clients/setup.sh` installs the official clients");
    });
    folder
}

/// What a program says that ends well.
async fn told(mut command: Command) -> String {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (status, stdout, stderr) = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the driver starts");
        let mut stdout = Output::of(child.stdout.take().expect("piped"));
        let mut stderr = Output::of(child.stderr.take().expect("piped"));
        let status = until_blocking("the driver to end", || child.try_wait().expect("it is a child"));
        (status, stdout.whole(), stderr.whole())
    })
    .await
    .expect("no panic");
    assert!(status.success(), "{stdout}{stderr}");
    stdout
}

async fn drive(program: PathBuf, driver: &str) {
    drive_below(program, driver, "", false).await;
}

async fn drive_with_a_key(program: PathBuf, driver: &str) {
    drive_below(program, driver, "", true).await;
}

/// With the server below a path, as a proxy that leaves it there asks for it. `locked`: it asks for a key.
async fn drive_below(program: PathBuf, driver: &str, path: &str, locked: bool) {
    let driver = clients().join(driver);
    // Beside the conformance set one whose event names a module for itself.
    let workflows: Vec<&str> = CONFORMANCE.into_iter().chain(["two-types"]).collect();
    let mut serve = Serve::guests(&workflows).with(&["--public-url", &format!("http://flows.localhost{path}")]);
    // And one that ends with what it is given, null included.
    let folder = tempfile::tempdir().expect("a temporary directory");
    let nothing = folder.path().join("nothing.wasm");
    let manifest = r#"{"name":"nothing","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
    std::fs::write(&nothing, Module::echoing(manifest).binary()).expect("written");
    serve.paths.push(nothing.display().to_string());
    let server = serve.start().await;
    // One for everything, as purges are among the calls.
    let key = if locked { Some(server.lock("driver", &["--scope", "admin"]).await) } else { None };
    let mut command = Command::new(program);
    command.env_remove("WF_HOST_API_KEY").envs(key.map(|key| ("WF_HOST_API_KEY", key)));
    command.arg(&driver).arg(format!("{}{path}", server.url()));
    let stdout = told(command).await;
    let calls = stdout.lines().filter(|it| it.starts_with("ok - ")).count();
    assert!(calls >= CALLS_MIN as usize, "only {calls} calls:\n{stdout}");
}

fn python(generation: &str) -> PathBuf {
    clients();
    artifacts::root().join(format!("target/clients/{generation}/bin/python"))
}

#[tokio::test]
async fn python_of_the_old_generation() {
    drive(python("python-old"), "python-old/drive.py").await;
}

#[tokio::test]
async fn python_of_the_new_generation() {
    drive(python("python-new"), "python-new/drive.py").await;
}

#[tokio::test]
async fn typescript() {
    drive("node".into(), "typescript/drive.mjs").await;
}

#[tokio::test]
async fn python_of_the_old_generation_with_a_key() {
    drive_with_a_key(python("python-old"), "python-old/drive.py").await;
}

#[tokio::test]
async fn python_of_the_new_generation_with_a_key() {
    drive_with_a_key(python("python-new"), "python-new/drive.py").await;
}

#[tokio::test]
async fn typescript_with_a_key() {
    drive_with_a_key("node".into(), "typescript/drive.mjs").await;
}

#[tokio::test]
async fn clients_whose_server_lies_below_a_path() {
    drive_below("node".into(), "typescript/drive.mjs", "/flows/wf", false).await;
    drive_below(python("python-new"), "python-new/drive.py", "/flows/wf", false).await;
}

/// The same scenario at the original and here: who begins when, and what everybody sees of those that queue.
#[tokio::test]
async fn runs_take_turns_as_with_the_originals_number_of_concurrent_runs() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("wf-host.toml");
    std::fs::write(&config, "[workflows.hitl]\nruns_max = 2\n").expect("written");
    let server = Serve::guests(&["hitl"]).with(&["--config", &config.display().to_string()]).start().await;
    let mut command = Command::new(python("python-new"));
    command.arg(clients().join("python-new/turns.py")).arg(server.url());
    let stdout = told(command).await;
    assert_eq!(stdout.lines().filter(|it| it.starts_with("ok - ")).count(), 13, "{stdout}");
}

//! LlamaIndex's own clients, unmodified, through every call they have.
//!
//! `tests/clients/setup.sh` installs them at the versions that are pinned there; each driver prints
//! one line for each call. The same drivers pass against the original servers with `--original`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use wf_tests::output::Output;
use wf_tests::patience::until_blocking;
use wf_tests::{CONFORMANCE, Server, artifacts};

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

async fn drive(program: PathBuf, driver: &str) {
    let driver = clients().join(driver);
    let server = Server::start(&CONFORMANCE).await;
    let mut command = Command::new(program);
    command.arg(&driver).arg(server.url()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (status, stdout, stderr) = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the driver starts");
        let mut stdout = Output::of(child.stdout.take().expect("piped"));
        let mut stderr = Output::of(child.stderr.take().expect("piped"));
        let status = until_blocking("the driver to end", || child.try_wait().expect("it is a child"));
        (status, stdout.whole(), stderr.whole())
    })
    .await
    .expect("no panic");
    assert!(status.success(), "{}\n{stdout}{stderr}", driver.display());
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

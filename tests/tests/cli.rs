//! The command line as a black box: exit code, stdout, stderr.

use std::net::TcpListener;
use std::path::Path;

use expect_test::{Expect, expect};
use wf_tests::command_line::{check_command, filtered};
use wf_tests::{Serve, Server, artifacts};

/// In an empty directory; `GUEST:name` stands for a component's path.
fn check(arguments: &str, expect: Expect) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    check_in(directory.path(), arguments, &expect);
}

fn check_in(directory: &Path, arguments: &str, expect: &Expect) {
    let filled = |word: &str| match word.split_once("GUEST:") {
        Some((before, name)) => format!("{before}{}", artifacts::guest(name).display()),
        None => word.to_owned(),
    };
    let arguments: Vec<String> = arguments.split_whitespace().map(filled).collect();
    check_command(directory, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), expect);
}

#[test]
fn help() {
    check("", expect![[]]);
    check("--help", expect![[]]);
    check("serve --help", expect![[]]);
    check("--version", expect![[]]);
}

#[test]
fn arguments_that_make_no_sense() {
    check("nope", expect![[]]);
    check("serve", expect![[]]);
    check("serve --port many x.wasm", expect![[]]);
    check("serve --prot 1 x.wasm", expect![[]]);
}

#[test]
fn nothing_to_load() {
    check("serve nope.wasm", expect![[]]);
    check("serve *.wasm", expect![[]]);
    check("serve .", expect![[]]);
    check("serve hello=nope.wasm", expect![[]]);
    check("serve --port 0 a.wasm b.wasm", expect![[]]);
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let guest = artifacts::guest("greeting").display().to_string();
    let seen = wf_tests::command_line::outcome(directory.path(), &["serve", "--host", "127.0.0.1", "--port", &port.to_string(), &guest]);
    expect![[]].assert_eq(&seen.replace(&port.to_string(), "PORT"));
}

#[test]
fn stores_that_cannot_be() {
    check("serve --port 0 --store redis://localhost GUEST:greeting", expect![[]]);
    check("serve --port 0 --store nope GUEST:greeting", expect![[]]);
    check("serve --port 0 --store sqlite: GUEST:greeting", expect![[]]);
    // Root may write everywhere, but not there.
    check("serve --port 0 --data-dir /proc/wf-host GUEST:greeting", expect![[]]);
    check("serve --port 0 --store sqlite:/proc/wf-host.db GUEST:greeting", expect![[]]);
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("taken"), "a file").expect("writable");
    check_in(directory.path(), "serve --port 0 --data-dir taken GUEST:greeting", &expect![[]]);
    std::fs::write(directory.path().join("text.db"), "no database at all, but text of some length".repeat(100)).expect("writable");
    check_in(directory.path(), "serve --port 0 --store sqlite:text.db GUEST:greeting", &expect![[]]);
}

#[tokio::test]
async fn a_data_directory_in_use() {
    let server = Server::start(&["greeting"]).await;
    let data = server.data();
    let guest = artifacts::guest("greeting").display().to_string();
    let arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", &data.display().to_string(), &guest];
    let seen = wf_tests::command_line::outcome(&data, &arguments);
    expect![[]].assert_eq(&seen);
    assert_eq!(server.get("/health").await.status, 200, "the first one goes on");
}

#[test]
fn two_workflows_of_one_name() {
    check("serve --host 127.0.0.1 --port 0 --strict GUEST:greeting GUEST:greeting", expect![[]]);
    check("serve --host 127.0.0.1 --port 0 --strict same=GUEST:greeting GUEST:hitl same=GUEST:hitl", expect![[]]);
}

#[tokio::test]
async fn the_first_screen() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let screen = filtered(&server.screen(), &server.data()).replace(server.address(), "ADDRESS");
    expect![[]].assert_eq(&screen);
    assert!(!server.log().contains("warning"), "on loopback there is nothing to warn of: {}", server.log());
}

#[tokio::test]
async fn a_warning_beyond_loopback() {
    let server = Serve::guests(&["greeting"]).with(&["--host", "0.0.0.0"]).start().await;
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    let log: String =
        server.log().lines().filter(|it| it.starts_with("warning") || it.starts_with("hint")).map(|it| format!("{it}\n")).collect();
    expect![[]].assert_eq(&log.replace(&port, "PORT"));
}

#[tokio::test]
async fn paths_are_files_directories_globs_and_names() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for name in ["greeting", "hitl"] {
        std::fs::copy(artifacts::guest(name), directory.path().join(format!("{name}.wasm"))).expect("readable");
    }
    let folder = directory.path().display();
    let cases = [
        (format!("{folder}"), r#"{"workflows":["greeting","hitl"]}"#),
        (format!("{folder}/h*.wasm"), r#"{"workflows":["hitl"]}"#),
        (format!("welcome={folder}/greeting.wasm"), r#"{"workflows":["welcome"]}"#),
    ];
    for (path, expected) in cases {
        let server = Serve { paths: vec![path.clone()], ..Serve::default() }.start().await;
        assert_eq!(server.get("/workflows").await.body, expected, "{path}");
    }
}

#[tokio::test]
async fn a_renamed_workflow_is_known_by_that_name() {
    let path = format!("welcome={}", artifacts::guest("hitl").display());
    let server = Serve { paths: vec![path], ..Serve::default() }.start().await;
    let handler = server.begin("welcome", "{}").await;
    let asked = server.events(&handler, "").await.next().await.expect("an event");
    assert_eq!(asked.json()["qualified_name"], "welcome.RequestEvent");
}

#[tokio::test]
async fn the_environment_chooses_where_to_listen() {
    for prefix in ["WF_HOST", "WORKFLOWS_PY_SERVER"] {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut child = wf_tests::server::command();
        child.current_dir(directory.path()).args(["serve", &artifacts::guest("greeting").display().to_string()]);
        child.env(format!("{prefix}_HOST"), "127.0.0.1").env(format!("{prefix}_PORT"), port.to_string());
        let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().expect("the binary starts");
        let client = wf_tests::Client::new(&format!("http://127.0.0.1:{port}"));
        let healthy = async || client.attempt("GET", "/health", &[], "").await.filter(|it| it.status == 200).map(drop);
        wf_tests::until("the server to be healthy", healthy).await;
        child.kill().expect("it can be killed");
        child.wait().expect("it is a child");
        assert!(directory.path().join(".wf-host").is_dir(), "the data directory's default");
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port()
}

#[tokio::test]
async fn logs_as_json() {
    let mut server = Serve::guests(&["greeting"]).with(&["--log-format", "json"]).start().await;
    server.run("greeting", "{}").await;
    assert!(server.stop().success());
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|it| it.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

//! Components that take long to compile: beside them everything goes on.

use std::fs;
use std::net::TcpListener;

use serde_json::json;
use wf_tests::wasm::Module;
use wf_tests::{Client, Serve, Server, artifacts, until};

/// A folder that is served.
fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("writable");
    }
    folder
}

fn greeting() -> Vec<u8> {
    fs::read(artifacts::guest("greeting")).expect("readable")
}

/// Compiles for longer than any test lasts.
fn laborious() -> Vec<u8> {
    Module::laborious("laborious", 100).binary()
}

async fn start(folder: &tempfile::TempDir, arguments: &[&str]) -> Server {
    Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() }.anew().with(arguments).start().await
}

async fn greets(server: &Server) {
    assert_eq!(server.run("greeting", r#"{"name":"Ada"}"#).await.result(), "Hello, Ada!");
}

#[tokio::test]
async fn while_one_is_compiled_everything_else_goes_on() {
    let folder = folder(&[("greeting.wasm", greeting())]);
    let server = start(&folder, &[]).await;
    greets(&server).await;
    let before = server.memory_max();
    fs::write(folder.path().join("a.wasm"), laborious()).expect("writable");
    until("a compiler", async || (!server.children().is_empty()).then_some(())).await;
    assert_eq!(server.get("/health").await.status, 200);
    greets(&server).await;
    // Perhaps it is that one.
    let answer = server.post("/workflows/laborious/run", "{}").await;
    assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{answer:?}");
    // One more comes, and is there; so does one that is changed.
    fs::write(folder.path().join("sound.wasm"), Module::sound("sound").binary()).expect("writable");
    until("one more", async || server.get("/workflows").await.body.contains("sound").then_some(())).await;
    fs::write(folder.path().join("sound.wasm"), Module::sound("other").binary()).expect("writable");
    until("another", async || server.get("/workflows").await.body.contains("other").then_some(())).await;
    assert!(!server.children().is_empty(), "it is still being compiled");
    let grown = server.memory_max() - before;
    assert!(grown < 48 << 20, "{} MiB more beside a compiler", grown >> 20);
    assert_eq!(server.get("/workflows").await.json()["workflows"], json!(["greeting", "other"]));
    // What is gone is compiled for nobody, and no name is waited for.
    fs::remove_file(folder.path().join("a.wasm")).expect("removed");
    until("no compiler", async || server.children().is_empty().then_some(())).await;
    assert_eq!(server.post("/workflows/laborious/run", "{}").await.status, 404);
}

#[tokio::test]
async fn while_a_server_starts_it_says_so_and_takes_nothing() {
    let folder = folder(&[("a.wasm", Module::laborious("laborious", 3).binary()), ("greeting.wasm", greeting())]);
    // One that nothing listens at now.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let serve = Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() }.anew().with(&["--port", &port.to_string()]);
    let client = Client::new(&format!("http://127.0.0.1:{port}"));
    let looked = async {
        let health = until("an answer", async || client.attempt("GET", "/health", &[], "").await).await;
        assert_eq!((health.status, health.header("retry-after")), (503, "1"), "{health:?}");
        assert_eq!((health.text("status").as_str(), health.json()["reason"].is_string()), ("unhealthy", true), "{health:?}");
        let refused = client.post("/workflows/greeting/run", "{}").await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{refused:?}");
        assert!(refused.json()["detail"].is_string(), "{refused:?}");
    };
    let (server, ()) = tokio::join!(serve.start(), looked);
    assert_eq!(server.get("/health").await.body, r#"{"status":"healthy"}"#);
    greets(&server).await;
}

/// Whoever waits for a start is told why, and that it is for once.
#[tokio::test]
async fn what_is_compiled_is_said_at_the_first_start_and_cached_for_the_next() {
    let folder = folder(&[("a.wasm", Module::laborious("laborious", 3).binary())]);
    let mut server = start(&folder, &[]).await;
    let said = format!("loading `{}`: what has to be compiled is cached for the next start", folder.path().join("a.wasm").display());
    assert_eq!(server.log().matches(&said).count(), 1, "{}", server.log());
    server.crash().await;
    assert_eq!(server.get("/workflows").await.json()["workflows"], json!(["laborious"]));
    assert!(!server.log().contains("compiling"), "{}", server.log());
}

#[tokio::test]
async fn a_newer_version_takes_the_place_of_one_that_is_still_being_compiled() {
    let folder = folder(&[("greeting.wasm", greeting())]);
    let server = start(&folder, &[]).await;
    let path = folder.path().join("late.wasm");
    fs::write(&path, laborious()).expect("writable");
    until("a compiler", async || (!server.children().is_empty()).then_some(())).await;
    fs::write(&path, Module::sound("late").binary()).expect("writable");
    until("its newer version", async || server.get("/workflows").await.body.contains("late").then_some(())).await;
    until("no compiler", async || server.children().is_empty().then_some(())).await;
    assert!(!server.log().contains("not loaded"), "the one before is nobody's fault");
}

#[tokio::test]
async fn one_that_takes_too_long_is_given_up() {
    let folder = folder(&[("greeting.wasm", greeting()), ("a.wasm", laborious())]);
    let server = start(&folder, &["--compile-max", "1"]).await;
    until("why", async || server.log().contains("compiling it took more than 1s (limit compile_max)").then_some(())).await;
    assert_eq!(server.post("/workflows/laborious/run", "{}").await.status, 404);
    greets(&server).await;
}

#[tokio::test]
async fn a_server_that_starts_does_not_wait_for_ever_and_takes_its_compiler_along() {
    let folder = folder(&[("a.wasm", laborious()), ("greeting.wasm", greeting())]);
    let mut server = start(&folder, &[]).await;
    greets(&server).await;
    assert_eq!(server.post("/workflows/laborious/run", "{}").await.status, 503);
    let compilers = server.children();
    assert!(!compilers.is_empty(), "it is being compiled");
    server.kill();
    // What nobody waits for stays as a name without a command.
    let runs = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|it| !it.is_empty());
    until("their end", async || (!compilers.iter().any(runs)).then_some(())).await;
}

//! `wf-host replay` runs finished attempts again, offline; `wf-host open` shows the runs of a file.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::artifacts::{Language, guest};
use wf_tests::command_line::{Opened, done, text, wf_host};
use wf_tests::database::forge;
use wf_tests::origin::{Origin, chunk, chunked};
use wf_tests::patience::within;
use wf_tests::{CONFORMANCE, Serve, Server, until};

/// Exit code and output of a replay.
fn replayed(arguments: &[&str]) -> (Option<i32>, String) {
    let output = wf_host(&[&["replay"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// A run of a workflow in a file.
async fn exported(server: &Server, workflow: &str, start: &str) -> (TempDir, PathBuf, String) {
    let handler = server.begin(workflow, start).await;
    let run = server.ended(&handler).await.run();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.wfrun");
    done(&["export", &run, "-o", text(&file), "--data-dir", text(&server.data())]);
    (folder, file, run)
}

async fn conformance(language: Language) {
    let server = Server::of(language, &CONFORMANCE).await;
    until("all workflows", async || {
        (server.get("/workflows").await.json()["workflows"].as_array()?.len() == CONFORMANCE.len()).then_some(())
    })
    .await;
    for (name, start) in [
        ("greeting", r#"{"name":"Ada"}"#),
        ("failing", "{}"),
        ("retry", "{}"),
        ("slow", r#"{"seconds":0.02}"#),
        ("slow", r#"{"seconds":1.1}"#),
        ("timeout", "{}"),
        ("fanout", r#"{"n":5}"#),
        ("counter", r#"{"by":2}"#),
        ("random", r#"{"sleep":0.02}"#),
        ("waiter", r#"{"wait":0.05}"#),
    ] {
        server.ended(&server.begin(name, start).await).await;
    }
    for (name, kind, event) in
        [("hitl", "ResponseEvent", r#"{"response":"Ada"}"#), ("waiter", "AnswerEvent", r#"{"answer":"42","user":"laurie"}"#)]
    {
        let handler = server.begin(name, "{}").await;
        server.events(&handler, "").await.next().await.expect("a question");
        server.send(&handler, kind, event).await;
        server.ended(&handler).await;
    }
    // What was forked has attempts of its origin, with the seed that they had.
    let run = server.get("/handlers").await.json()["handlers"][2]["run_id"].as_str().expect("a run").to_owned();
    let forked = server.post(&format!("/api/v1/runs/{run}/fork"), r#"{"at":2}"#).await;
    server.ended(&forked.handler()).await;
    let (code, said) = replayed(&["--last", "1000", "--data-dir", text(&server.data())]);
    assert!(code == Some(0) && said.contains(" of 13 runs: all did again what they did"), "{said}");
}

#[tokio::test]
async fn every_conformance_run_does_again_what_it_did_beside_its_server() {
    conformance(Language::Rust).await;
}

#[tokio::test]
async fn in_python_too() {
    conformance(Language::Python).await;
}

#[tokio::test]
async fn in_typescript_too() {
    conformance(Language::TypeScript).await;
}

#[tokio::test]
async fn in_go_too() {
    conformance(Language::Go).await;
}

#[tokio::test]
async fn in_c_too() {
    conformance(Language::C).await;
}

#[tokio::test]
async fn what_the_world_answered_is_answered_again_without_it() {
    let origin = Origin::start(|_, _| vec![chunked(200, &[]), chunk("first"), chunk("second"), chunk("")]).await;
    let server = Serve::guests(&["outside"]).with(&["--allow-http", &origin.url(""), "--allow-env", "STAGE=test"]).start().await;
    let tasks = json!({ "tasks": [{ "variable": "STAGE" }, { "url": origin.url("/a") }, { "url": "http://127.0.0.1:1/" }] });
    let (_folder, file, _) = exported(&server, "outside", &tasks.to_string()).await;
    let asked = origin.seen().len();
    drop(server);
    let (code, said) = replayed(&[text(&file)]);
    assert_eq!((code, said.as_str()), (Some(0), "1 attempt of 1 run: all did again what they did\n"));
    assert_eq!(origin.seen().len(), asked, "nobody asked again");
}

#[tokio::test]
async fn the_first_thing_that_differs_is_told_and_the_exit_code_says_so() {
    let server = Server::start(&["greeting", "counter"]).await;
    let (_folder, file, run) = exported(&server, "greeting", r#"{"name":"Ada"}"#).await;
    forge(&file, "export", "0/journal", "Hello, Ada!", "Hello, Eve!");
    let (code, said) = replayed(&[text(&file)]);
    let expected = format!(
        "run {run} of greeting, step greet, invocation 0, attempt 0, its end
  recorded  it returned StopEvent {{\"result\":\"Hello, Eve!\"}}
  now       it returned StopEvent {{\"result\":\"Hello, Ada!\"}}
1 attempt of 1 run: 1 differs
"
    );
    assert_eq!((code, said.as_str()), (Some(1), expected.as_str()));
    let (_folder, file, _) = exported(&server, "greeting", "{}").await;
    forge(&file, "export", "0/stream", r#"{"sequence":1}"#, r#"{"sequence":7}"#);
    let (code, said) = replayed(&[text(&file)]);
    let published = "call 1\n  recorded  publish StreamEvent {\"sequence\":7}\n  now       publish StreamEvent {\"sequence\":1}\n";
    assert!(code == Some(1) && said.contains(published), "{said}");
    let (_folder, counted, _) = exported(&server, "counter", r#"{"by":2}"#).await;
    forge(&counted, "export", "0/journal", r#""path":"count""#, r#""path":"total""#);
    let (code, said) = replayed(&[text(&counted), "--json"]);
    let line: Value = serde_json::from_str(&said).expect("a line of JSON");
    assert_eq!((code, &line["attempts"], &line["differing"][0]["step"]), (Some(1), &json!(1), &json!("bump")), "{said}");
    assert!(line["differing"][0]["then"].as_str().is_some_and(|it| it.contains("total")), "{said}");
}

#[tokio::test]
async fn a_new_component_is_tried_on_what_was() {
    let server = Server::start(&["slow", "greeting"]).await;
    let (_folder, file, _) = exported(&server, "slow", r#"{"seconds":0.02}"#).await;
    let with = |guest_name: &str| format!("slow={}", guest(guest_name).display());
    let (code, said) = replayed(&[text(&file), "--with", &with("timeout")]);
    assert_eq!((code, said.as_str()), (Some(0), "1 attempt of 1 run: all did again what they did; with the new component of slow\n"));
    // Without a name it is the workflow that the component says it is.
    let (code, said) = replayed(&[text(&file), "--with", text(&guest("slow"))]);
    assert_eq!((code, said.as_str()), (Some(0), "1 attempt of 1 run: all did again what they did; with the new component of slow\n"));
    let (code, said) = replayed(&[text(&file), "--with", &with("greeting")]);
    assert!(code == Some(1) && said.contains("recorded  step `nap`\n  now       no such step\n"), "{said}");
    let (code, said) = replayed(&[text(&file), "--with", "nowhere.wasm"]);
    assert!(code == Some(2) && said.starts_with("error: `nowhere.wasm` cannot be read: "), "{said}");
    forge(&file, "export", "0/journal", r#"{"v":1,"seq":0"#, r#"{"v":9,"seq":0"#);
    let (code, said) = replayed(&[text(&file)]);
    assert!(code == Some(1) && said.contains("cannot be replayed: entry 0 of the journal has form 9"), "{said}");
    let (code, said) = replayed(&["nobody", "--data-dir", text(&server.data())]);
    assert!(
        code == Some(1) && said.starts_with("error: there is no run and no handler `nobody` in the store, and no file of that name\n"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_is_looked_at_in_the_page_and_nothing_can_be_done_to_it() {
    let server = Server::start(&["retry"]).await;
    let (_folder, file, run) = exported(&server, "retry", "{}").await;
    let paths = ["", "/history", "/state", "/representation", "/logs"].map(|path| format!("/api/v1/runs/{run}{path}"));
    let mut told = Vec::new();
    for path in &paths {
        told.push(server.get(path).await.json());
    }
    let events = server.shape(&server.get(&format!("/api/v1/runs/{run}")).await.handler()).await;
    drop(server);
    let opened = Opened::file(&file);
    let client = &opened.client;
    for (path, told) in paths.iter().zip(told) {
        assert_eq!(client.get(path).await.json(), told, "{path}");
    }
    let handler = client.get(&format!("/api/v1/runs/{run}")).await.handler();
    assert_eq!(within("its events", client.shape(&handler)).await, events);
    assert_eq!(client.get("/api/v1/runs").await.json()["runs"].as_array().map(Vec::len), Some(1));
    assert!(client.get("/").await.body.contains("<div id=\"root\">"));
    let session = client.get("/api/v1/session").await.json();
    assert_eq!((&session["read_only"], &session["notice"]), (&json!(true), &Value::Null), "the page offers nothing that is refused");
    for path in ["/workflows/retry/run".to_owned(), format!("/api/v1/runs/{run}/fork"), format!("/handlers/{handler}/cancel?purge=true")] {
        let refused = client.post(&path, "{}").await;
        let why = "'run.wfrun' is shown here to be looked at: nothing can be started or changed";
        assert_eq!((refused.status, refused.text("detail").as_str()), (403, why), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_export_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.wfrun");
    std::fs::write(&file, "nothing").expect("written");
    for command in ["open", "replay"] {
        let output = wf_host(&[command, text(&file)]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && why.contains("is no whole export of wf-host"), "{command}: {why}");
    }
    // Whoever makes such a file makes its last line, too. It is the file that is wrong, and no store.
    let server = Server::start(&["greeting"]).await;
    let (_folder, file, _) = exported(&server, "greeting", "{}").await;
    forge(&file, "export", "journal", "[", "");
    forge(&file, "export", "0/journal/000000.json", "", "{}");
    for command in ["open", "replay"] {
        let output = wf_host(&[command, text(&file)]);
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && why.contains("cannot be looked at: a row cannot be read: "), "{command}: {why}");
    }
}

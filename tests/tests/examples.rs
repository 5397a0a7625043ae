//! Every example as its README says: those in Rust, and those in Python.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::artifacts::{self, root};
use wf_tests::{Serve, Server, server};

/// The examples that are the same in both languages, but for what a document is.
const NAMES: [&str; 8] = ["conversation", "documents", "fan-out", "greeting", "human-in-the-loop", "joins", "retry", "sub-workflow"];

async fn rust(names: &[&str], arguments: &[&str]) -> Server {
    let paths = names.iter().map(|name| artifacts::example(name).display().to_string()).collect();
    Serve { paths, ..Serve::default() }.with(arguments).start().await
}

/// Built as anybody builds them, in a folder of its own.
async fn python(folder: &Path, arguments: &[&str]) -> Server {
    for name in NAMES.map(|name| format!("{}.py", name.replace('-', "_"))) {
        std::fs::copy(root().join("examples/python").join(&name), folder.join(&name)).expect("the example");
    }
    let built = server::command().arg("build").arg(folder).output().expect("it starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let path = |name: &str| format!("{name}={}", folder.join(name.replace('-', "_")).with_extension("wasm").display());
    Serve { paths: NAMES.iter().map(|name| path(name)).collect(), ..Serve::default() }.with(arguments).start().await
}

async fn result(server: &Server, workflow: &str, start: Value) -> Value {
    server.run(workflow, &start.to_string()).await.result()
}

async fn fan_out(server: &Server) {
    let text = "one\ntwo words\nand three words";
    assert_eq!(result(server, "fan-out", json!({ "text": text })).await, json!({ "words": 6, "lines": [1, 2, 3] }));
    assert_eq!(result(server, "fan-out", json!({ "text": "" })).await, json!({ "words": 0, "lines": [] }));
}

async fn joins(server: &Server) {
    let expected = json!({ "order": { "item": "a chair", "cents": 4500 }, "carrier": "Bee", "shipping": 500 });
    assert_eq!(result(server, "joins", json!({ "item": "a chair", "cents": 4500 })).await, expected);
}

async fn retry(server: &Server) {
    assert_eq!(result(server, "retry", json!({ "cents": 500, "failures": 1 })).await, json!({ "paid": 500, "retries": 1 }));
    let billed = result(server, "retry", json!({ "cents": 500, "failures": 9 })).await;
    assert_eq!(billed["billed"], 500);
    assert!(billed["because"].as_str().is_some_and(|it| it.contains("the bank does not answer, 3 times now")), "{billed}");
}

async fn conversation(server: &mut Server) {
    let say = async |server: &Server, line: &str| {
        let body = json!({ "handler_id": "talk", "start_event": { "line": line } }).to_string();
        server.post("/workflows/conversation/run", &body).await.result()
    };
    assert_eq!(say(server, "I am Ada.").await, "Hello, Ada. You have said 1 line(s).");
    server.crash().await;
    assert_eq!(say(server, "Do you know me?").await, "Hello, Ada. You have said 2 line(s).");
    assert_eq!(result(server, "conversation", json!({ "line": "Me, too?" })).await, "Hello, stranger. You have said 1 line(s).");
}

async fn greeting(server: &Server) {
    let handler = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    assert_eq!(server.ended(&handler).await.result(), "Hello, Ada!");
    let events = server.events(&handler, "").await.until("StopEvent").await;
    assert_eq!(events[0].json()["value"]["message"], "looking up Ada");
}

async fn human_in_the_loop(server: &mut Server) {
    for (approved, outcome) in [(true, "it is out"), (false, "it stays in")] {
        let handler = server.begin("human-in-the-loop", r#"{"what":"the train"}"#).await;
        let asked = server.events(&handler, "").await.until("ApprovalRequest").await;
        assert_eq!(asked.last().expect("it asks").json()["value"]["question"], "Shall the train go out?");
        server.crash().await;
        assert_eq!(server.send(&handler, "ApprovalResponse", &json!({ "approved": approved }).to_string()).await.status, 200);
        assert_eq!(server.ended(&handler).await.result(), outcome);
    }
}

/// What it takes to run the workflows of another server.
fn reaching(others: &Server) -> [String; 4] {
    let url = others.url();
    ["--allow-http".to_owned(), url.to_owned(), "--allow-env".to_owned(), format!("FLOWS_URL={url}")]
}

/// The first runs the workflows of the other.
async fn sub_workflow(server: &mut Server, others: &Server) {
    assert_eq!(result(server, "sub-workflow", json!({ "names": ["Ada", "Grace"] })).await, json!(["Hello, Ada!", "Hello, Grace!"]));
    assert_eq!(result(server, "sub-workflow", json!({})).await, json!([]));
    // The other server stands still: the run waits for it, also over a crash of its own, and asks for nothing twice.
    others.pause();
    let handler = server.begin("sub-workflow", r#"{"names":["Edsger"]}"#).await;
    server.crash().await;
    others.resume();
    assert_eq!(server.ended(&handler).await.result(), json!(["Hello, Edsger!"]));
    let all = others.get("/handlers").await.json();
    assert_eq!(all["handlers"].as_array().expect("handlers").len(), 3, "{all}");
}

/// The draft that a run asks a person about.
async fn draft(server: &Server, handler: &str) -> String {
    let asked = server.events(handler, "").await.until("ReviewRequest").await;
    asked.last().expect("it asks").json()["value"]["draft"].as_str().expect("a text").to_owned()
}

/// One sentence of each of its three parts.
fn check_draft(draft: &str) {
    let lines: Vec<&str> = draft.lines().collect();
    assert!(lines.len() >= 2 && lines[0].starts_with("1. ") && lines[1].starts_with("2. "), "{draft}");
    assert!(lines.iter().all(|line| line.contains("tide") || line.contains("moon")), "{draft}");
}

fn tides() -> String {
    std::fs::read_to_string(root().join("examples/documents/documents/tides.txt")).expect("the document")
}

#[tokio::test(flavor = "multi_thread")]
async fn those_in_rust_do_what_they_say() {
    let mut server = rust(&["conversation", "fan-out", "greeting", "human-in-the-loop", "joins", "retry"], &[]).await;
    tokio::join!(fan_out(&server), joins(&server), retry(&server), greeting(&server));
    let error = server.run("retry", r#"{"cents":0}"#).await.result();
    assert_eq!(error, json!({ "billed": 0, "because": "there is nothing to pay" }), "it is final at once");
    conversation(&mut server).await;
    human_in_the_loop(&mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_in_python_do_the_same() {
    let folder = TempDir::new().expect("a folder");
    let others = rust(&["greeting"], &[]).await;
    let mut server = python(folder.path(), &reaching(&others).each_ref().map(String::as_str)).await;
    tokio::join!(fan_out(&server), joins(&server), retry(&server), greeting(&server));
    conversation(&mut server).await;
    human_in_the_loop(&mut server).await;
    sub_workflow(&mut server, &others).await;
    let handler = server.begin("documents", &json!({ "name": "tides", "text": tides() }).to_string()).await;
    check_draft(&draft(&server, &handler).await);
    server.send(&handler, "ReviewResponse", r#"{"approved":true,"title":"On tides"}"#).await;
    let reported = server.ended(&handler).await.value();
    let report = reported["report"].as_str().expect("a report");
    assert!(report.starts_with("# On tides\n\n1. ") && reported["words"] == tides().split_whitespace().count(), "{reported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_split_summed_up_approved_and_written() {
    let folder = TempDir::new().expect("a folder");
    let documents = format!("documents={}", root().join("examples/documents/documents").display());
    let reports = format!("reports={}:rw", folder.path().display());
    let mut server = rust(&["documents"], &["--allow-dir", &documents, "--allow-dir", &reports]).await;
    let written = folder.path().join("tides.md");
    for (review, report) in [(r#"{"approved":false}"#, Value::Null), (r#"{"approved":true,"title":"On tides"}"#, json!("tides.md"))] {
        let handler = server.begin("documents", r#"{"file":"tides.txt"}"#).await;
        check_draft(&draft(&server, &handler).await);
        server.crash().await;
        assert_eq!(server.send(&handler, "ReviewResponse", review).await.status, 200);
        let reported = server.ended(&handler).await.value();
        assert_eq!((&reported["report"], &reported["words"]), (&report, &json!(tides().split_whitespace().count())));
        assert_eq!(written.exists(), report != Value::Null);
    }
    assert!(std::fs::read_to_string(written).expect("the report").starts_with("# On tides\n\n1. "));
    for file in ["../secret", "", ".", "/etc/passwd"] {
        let error = server.run("documents", &json!({ "file": file }).to_string()).await.text("error");
        assert!(error.contains("is no name of a file"), "{file}: {error}");
    }
    let handler = server.begin("documents", r#"{"file":"missing.txt"}"#).await;
    assert_eq!(server.ended(&handler).await.json()["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_runs_another_and_does_so_once() {
    let mut others = rust(&["greeting"], &[]).await;
    let mut server = rust(&["sub-workflow"], &reaching(&others).each_ref().map(String::as_str)).await;
    sub_workflow(&mut server, &others).await;
    let without = rust(&["sub-workflow"], &[]).await;
    let error = without.run("sub-workflow", r#"{"names":["Ada"]}"#).await.text("error");
    assert!(error.contains("grant it `FLOWS_URL`"), "{error}");
    assert!(others.is_up());
}

/// Every example has a README that names what is there, and stands in the table.
#[test]
fn every_example_is_described() {
    let all = std::fs::read_to_string(root().join("examples/README.md")).expect("a README");
    for folder in std::fs::read_dir(root().join("examples")).expect("examples").flatten().map(|it| it.path()).filter(|it| it.is_dir()) {
        let name = folder.file_name().and_then(|it| it.to_str()).expect("a name").to_owned();
        if name == "target" {
            continue;
        }
        assert!(all.contains(&format!("[{name}]({name}/README.md)")), "examples/README.md does not name `{name}`");
        let own = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        assert!(own.starts_with(&format!("# {name}\n")), "`{name}` has no README");
    }
}

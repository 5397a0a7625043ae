//! Bodies of requests, with events in every form: through the whole of HTTP, so that a panic is an answer that never comes.

use std::time::Duration;

use serde_json::json;
use wf_host::WorkflowServer;
use wf_host::config::Config;
use wf_host::model::Limits;
use wf_tests::fuzz::{corpus, fuzz};
use wf_tests::wasm::Module;
use wf_tests::{Answer, Client};

fn manifest(name: &str, timeout: Option<u32>) -> String {
    let schema = json!({ "properties": { "n": { "type": "integer" }, "who": { "type": "string" } }, "required": ["n"] });
    let events = json!([
        { "name": "Note", "kind": "human-response", "schema": schema },
        { "name": "Order", "kind": "start", "schema": { "properties": { "type": {}, "n": { "type": "number" } } } },
    ]);
    let steps = json!([{ "name": "only", "accepts": ["Order"], "emits": ["StopEvent"] }]);
    json!({ "name": name, "timeout": timeout, "events": events, "steps": steps, "additional_events": ["Note"] }).to_string()
}

/// `echo` ends with what it is given, `brief` after a second, `quiet` never. What has ended is soon forgotten.
async fn server() -> WorkflowServer {
    let configure = |config: &mut Config| {
        config.limits = Limits { instances_max: 8, payload_max: 64 << 10, ..Limits::default() };
        config.retention = Some(Duration::from_secs(1));
    };
    let server = WorkflowServer::builder()
        .add_workflow("echo", Module::echoing(&manifest("echo", None)).binary())
        .add_workflow("brief", Module::quiet(&manifest("brief", Some(1))).binary())
        .add_workflow("quiet", Module::quiet(&manifest("quiet", None)).binary())
        .configure(configure);
    server.serve("127.0.0.1:0").await.expect("it serves")
}

/// An answer that says what happened: only a run may fail, never the server.
fn check(answer: &Answer) {
    let failed = || answer.json()["status"] == "failed";
    let known = match answer.status {
        200 | 202 | 400 | 404 | 409 | 413 | 422 | 429 => true,
        500 => failed(),
        _ => false,
    };
    assert!(known, "{answer:?}");
    answer.json();
}

#[test]
fn fuzz_event() {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let server = tokio.block_on(server());
    let client = Client::new(&format!("http://{}", server.address().expect("it listens")));
    let begin = || tokio.block_on(client.begin("quiet", r#"{"n":1}"#));
    let handler = std::sync::Mutex::new(begin());
    fuzz("event", &corpus("event"), |bytes| {
        let body = String::from_utf8_lossy(bytes);
        let mut handler = handler.lock().unwrap_or_else(|panicked| panicked.into_inner());
        for path in ["/workflows/echo/run".to_owned(), "/workflows/brief/run-nowait".to_owned(), format!("/events/{handler}")] {
            let answer = tokio.block_on(client.post(&path, &body));
            check(&answer);
            // The inbox is full.
            if answer.status == 429 {
                *handler = begin();
            }
        }
    });
}

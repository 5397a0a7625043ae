//! What comes in by HTTP is refused with its reason, or carried as it came to wherever it is shown again.

use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use wf_host::config::Config;
use wf_host::host::Host;
use wf_host::http;
use wf_host::model::Limits;
use wf_host::registry::Source;
use wf_host::runtime::{Compiler, Options, Runtime};
use wf_host::store::{Memory, Store};
use wf_tests::wasm::Module;
use wf_tests::{Client, until};

/// Digits that no double holds, and other forms that a reader may change.
const NUMBERS: &str = r#"{"n":12345678901234567890123,"f":1.0,"e":1E+2,"z":-0,"d":0.30000000000000004,"s":"\u00e9\/"}"#;

fn manifest(name: &str) -> String {
    let events = json!([{ "name": "Note", "kind": "human-response", "schema": { "properties": { "n": {} } } }]);
    let steps = json!([{ "name": "only", "accepts": ["StartEvent"], "emits": ["StopEvent"] }]);
    json!({ "name": name, "events": events, "steps": steps, "additional_events": ["Note"] }).to_string()
}

struct Server {
    client: Client,
    host: Host,
    _folder: tempfile::TempDir,
}

/// A host with `echo`, which ends with what it is given, and `quiet`, which waits for a `Note` for ever.
async fn server(store: Arc<dyn Store>) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new(Options {
        cache_dir: None,
        compiler: Compiler::Here,
        threads: None,
        limits: Limits { instances_max: 8, ..Limits::default() },
    })
    .expect("a runtime");
    let host = Host::open(store, runtime, Config::default()).await.expect("it opens");
    for (name, module) in [("echo", Module::echoing(&manifest("echo"))), ("quiet", Module::quiet(&manifest("quiet")))] {
        let path = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, module.binary()).expect("it is written");
        host.load(&Source::file(path)).await.expect("it loads");
    }
    host.resume().await.expect("runs go on");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = Client::new(&format!("http://{}", listener.local_addr().expect("bound")));
    let options = watch::channel(http::Options::default()).1;
    let service = http::Service::new(host.clone(), options, listener.local_addr().ok()).expect("a service");
    tokio::spawn(http::serve(service, listener, std::future::pending()));
    Server { client, host, _folder: folder }
}

async fn fresh() -> Server {
    server(Arc::new(Memory::default())).await
}

#[tokio::test]
async fn numbers_and_texts_are_carried_as_they_came() {
    let Server { client, .. } = fresh().await;
    let result = format!(r#""result":{NUMBERS}"#);
    let answer = client.run("echo", &format!(r#"{{{result}}}"#)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (handler, run) = (answer.handler(), answer.run());
    let mut shown = vec![("the answer".to_owned(), answer.body)];
    for path in [
        format!("/handlers/{handler}"),
        "/handlers".to_owned(),
        "/handlers?limit=1".to_owned(),
        "/api/v1/runs".to_owned(),
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/runs/{run}/history"),
        format!("/events/{handler}?sse=false"),
        format!("/events/{handler}?sse=false&include_qualified_name=false"),
    ] {
        shown.push((path.clone(), client.get(&path).await.body));
    }
    for (path, body) in &shown {
        assert!(body.contains(&result), "{path}: {body}");
    }
    assert!(client.get(&format!("/results/{handler}")).await.body.contains(&result), "its value alone");
}

#[tokio::test]
async fn a_state_comes_out_as_it_came_in() {
    let Server { client, .. } = fresh().await;
    let held = serde_json::to_string(NUMBERS).expect("JSON");
    let context = format!(r#"{{"version":1,"state":{{"state_data":{{"_data":{{"held":{held},"plain":{NUMBERS}}}}}}}}}"#);
    let answer = client.post("/workflows/echo/run", &format!(r#"{{"context":{context}}}"#)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let state = format!(r#""state":{{"held":{NUMBERS},"plain":{NUMBERS}}}"#);
    let path = format!("/api/v1/runs/{}/state", answer.run());
    assert!(client.get(&path).await.body.contains(&state), "{:?}", client.get(&path).await);
    // Exported, imported, and carried on by the handler.
    let exported = client.get(&format!("/api/v1/handlers/{}/context", answer.handler())).await;
    assert!(exported.body.contains(&format!(r#""_data":{{"held":{held},"plain":{held}}}"#)), "{exported:?}");
    for body in [format!(r#"{{"context":{}}}"#, exported.body), format!(r#"{{"handler_id":"{}"}}"#, answer.handler())] {
        let again = client.post("/workflows/echo/run", &body).await;
        let path = format!("/api/v1/runs/{}/state", again.run());
        assert!(client.get(&path).await.body.contains(&state), "{:?}", client.get(&path).await);
    }
}

async fn check_refused(client: &Client, path: &str, body: &str, expected: Expect) {
    let answer = client.post(path, body).await;
    expected.assert_eq(&format!("{} {}", answer.status, answer.body));
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_reason() {
    let Server { client, .. } = fresh().await;
    let run = "/workflows/echo/run";
    check_refused(
        &client,
        run,
        r#"{"start_event":{"n":1e999}}"#,
        expect![[
            r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent has the number 1e999, which is beyond a double"}"#
        ]],
    )
    .await;
    check_refused(&client, run, r#"{"start_event":{"s":"\ud83d"}}"#, expect![[r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent has the text \"\\ud83d\", which is half of a surrogate pair"}"#]]).await;
    check_refused(
        &client,
        run,
        r#"{"start_event":{"\ud83d":1}}"#,
        expect![[
            r#"400 {"detail":"Validation error for 'start_event': it cannot be read: unexpected end of hex escape at line 1 column 9"}"#
        ]],
    )
    .await;
    check_refused(
        &client,
        run,
        r#"{"start_event":{"a":1,"a":2}}"#,
        expect![[
            r#"400 {"detail":"Validation error for 'start_event': it cannot be read: the field `a` is there twice at line 1 column 13"}"#
        ]],
    )
    .await;
    check_refused(
        &client,
        run,
        r#"{"kwargs":{"o":{"a":1,"a":2}}}"#,
        expect![[r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent has the field `a` twice"}"#]],
    )
    .await;
    check_refused(
        &client,
        run,
        r#"{"kwargs":[1]}"#,
        expect![[r#"400 {"detail":"Validation error for 'start_event': 'kwargs' is no JSON object"}"#]],
    )
    .await;
    check_refused(
        &client,
        run,
        r#"{"start_event":{},"start_event":{}}"#,
        expect![[r#"400 {"detail":"Invalid JSON body: the field `start_event` is there twice at line 1 column 35"}"#]],
    )
    .await;
    check_refused(&client, run, r#"{"start_event":{"$serde_json::private::RawValue":"1"}}"#, expect![[r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent has the field `$serde_json::private::RawValue`, a name that is reserved"}"#]]).await;
    check_refused(
        &client,
        run,
        r#"{"handler_id":"\ud83d"}"#,
        expect![[r#"400 {"detail":"Error processing request body: 'handler_id' is no text"}"#]],
    )
    .await;
    let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let nested = |depth: usize| format!(r#"{{"start_event":{}}}"#, deep(depth));
    assert_eq!(client.post(run, &nested(64)).await.status, 200);
    check_refused(
        &client,
        run,
        &nested(65),
        expect![[r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent is more than 64 deep (limit depth_max)"}"#]],
    )
    .await;
    check_refused(
        &client,
        run,
        &nested(100_000),
        expect![[r#"400 {"detail":"Validation error for 'start_event': the value of StartEvent is more than 64 deep (limit depth_max)"}"#]],
    )
    .await;
    let context = |state: &str| format!(r#"{{"context":{{"state":{{"state_data":{{"_data":{state}}}}}}}}}"#);
    check_refused(
        &client,
        run,
        &context(&deep(124)),
        expect![[r#"400 {"detail":"Error processing request body: the state in 'context' is more than 64 deep (limit depth_max)"}"#]],
    )
    .await;
    check_refused(
        &client,
        run,
        &context(r#"{"k":"1e999"}"#),
        expect![[
            r#"400 {"detail":"Error processing request body: the state in 'context' has the number 1e999, which is beyond a double"}"#
        ]],
    )
    .await;
    check_refused(&client, run, &context(r#"{"k":"no JSON"}"#), expect![[r#"400 {"detail":"Error processing request body: 'context' has a value under 'k' that holds no JSON: expected ident at line 1 column 2"}"#]]).await;
    check_refused(
        &client,
        run,
        r#"{"context":{"version":1e999}}"#,
        expect![[r#"400 {"detail":"Error processing request body: 'context' has a version that is no number"}"#]],
    )
    .await;
    let handler = client.begin("quiet", "{}").await;
    let events = format!("/events/{handler}");
    check_refused(
        &client,
        &events,
        r#"{"event":{"type":"Note","value":{"n":1e999}}}"#,
        expect![[r#"400 {"detail":"Failed to deserialize event: the value of Note has the number 1e999, which is beyond a double"}"#]],
    )
    .await;
    check_refused(
        &client,
        &events,
        r#"{"event":{"type":"\ud83d","value":{}}}"#,
        expect![[
            r#"400 {"detail":"Failed to deserialize event: its 'type' cannot be read: unexpected end of hex escape at line 1 column 8"}"#
        ]],
    )
    .await;
    check_refused(
        &client,
        &events,
        r#"{"event":{"type":"Note","value":{}},"invocation":-1}"#,
        expect![[r#"400 {"detail":"Failed to send event: 'invocation' is no number of an invocation"}"#]],
    )
    .await;
    let long = client.post(&events, &format!(r#"{{"event":{{"type":"{}","value":{{}}}}}}"#, "N".repeat(100_000))).await;
    assert!(long.status == 400 && long.body.len() < 20_000, "{} {}", long.status, long.body.len());
    check_refused(
        &client,
        &format!("/handlers/{}/cancel", "x".repeat(300)),
        "",
        expect![[r#"400 {"detail":"a part of the path is longer than 256 bytes (limit name_max)"}"#]],
    )
    .await;
    let query = client.get("/api/v1/runs?search=%ff").await;
    expect![[r#"400 {"detail":"the query is no UTF-8: '%ff'"}"#]].assert_eq(&format!("{} {}", query.status, query.body));
    // Nothing of all this has left a mark.
    assert_eq!(client.get("/handlers").await.status, 200);
}

#[tokio::test]
async fn what_a_guest_cannot_return_breaks_no_list() {
    let Server { client, host, _folder } = fresh().await;
    let mut module = Module::echoing(&manifest("wild"));
    // The payload of its stop event, in the place of what it is given.
    module.fields.push_str(r#"(data (i32.const 28720) "{\22result\22:1e999}")"#);
    let payload = "(i32.store (i32.const 28696) (i32.const 28720)) (i32.store (i32.const 28700) (i32.const 16)) (i32.const 28672)";
    let invoke = module.invoke.trim_end().strip_suffix("(i32.const 28672)").expect("what it leaves").to_owned() + payload;
    module.invoke = invoke.leak();
    let path = _folder.path().join("wild.wasm");
    std::fs::write(&path, module.binary()).expect("it is written");
    host.load(&Source::file(path)).await.expect("it loads");
    let answer = client.run("wild", "{}").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (500, Some("failed")), "{answer:?}");
    assert!(answer.text("error").contains("the number 1e999, which is beyond a double"), "{answer:?}");
    let listed = client.get("/handlers").await;
    assert_eq!((listed.status, listed.json()["handlers"].as_array().map(Vec::len)), (200, Some(1)), "{listed:?}");
}

#[tokio::test]
async fn a_full_inbox_and_a_wait_that_is_not_there_refuse_events() {
    let Server { client, .. } = fresh().await;
    let handler = client.begin("quiet", "{}").await;
    let path = format!("/events/{handler}");
    let body = |more: &str| format!(r#"{{"event":{{"type":"Note","value":{{"n":1}}}}{more}}}"#);
    check_refused(
        &client,
        &path,
        &body(r#","invocation":7"#),
        expect![[r#"400 {"detail":"Failed to send event: Invocation 7 does not wait for it"}"#]],
    )
    .await;
    for _ in 0..wf_engine::run::INBOX_EVENTS_MAX {
        assert_eq!(client.post(&path, &body("")).await.status, 200);
    }
    let keyed = async || client.request("POST", &path, &[("idempotency-key", "k")], &body("")).await;
    let refused = keyed().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"), "{refused:?}");
    expect![[r#"{"detail":"The run's inbox is full: it keeps at most 1000 events, and 16 MiB of them, that nothing has taken yet (limit inbox_max)"}"#]]
        .assert_eq(&refused.body);
    assert_eq!(keyed().await.status, 429, "a refusal is not remembered");
}

#[tokio::test]
async fn looking_at_a_run_writes_nothing() {
    let Server { client, host, .. } = fresh().await;
    let handler = client.begin("quiet", "{}").await;
    let run = host.handler(&handler).await.expect("it is there").run;
    let entries = async || host.history(&run, None, 9).await.expect("its history").0.moments.len();
    let before = until("the step to return", async || (entries().await == 2).then_some(2)).await;
    for _ in 0..5 {
        assert_eq!(client.get(&format!("/api/v1/handlers/{handler}/context")).await.status, 200);
        assert_eq!(client.get(&format!("/api/v1/runs/{run}/history")).await.status, 200);
        assert_eq!(client.get(&format!("/api/v1/runs/{run}/state")).await.status, 200);
    }
    assert_eq!(entries().await, before);
}

#[tokio::test]
async fn a_run_that_waits_is_taken_up_without_a_word() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let before = server(store.clone()).await;
    let handler = before.client.begin("quiet", "{}").await;
    let run = before.host.handler(&handler).await.expect("it is there").run;
    let kinds = async |host: &Host| -> Vec<&str> {
        host.history(&run, None, 9).await.expect("a history").0.moments.iter().map(|it| it.kind).collect()
    };
    until("the step to return", async || (kinds(&before.host).await.len() == 2).then_some(())).await;
    before.host.stop().await;
    let after = server(store).await;
    assert_eq!(after.client.send(&handler, "Note", r#"{"n":1}"#).await.status, 200);
    assert_eq!(kinds(&after.host).await, ["started", "step-returned", "event-received"]);
}

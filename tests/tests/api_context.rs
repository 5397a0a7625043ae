//! Section 4 of the HTTP contract: contexts and continuation.

use serde_json::{Value, json};
use wf_tests::Server;

fn context(count: &str) -> Value {
    json!({
        "version": 1,
        "state": {
            "state_data": {"_data": {"count": count}},
            "state_type": "DictState",
            "state_module": "workflows.context.state_store",
        },
        "is_running": false,
        "unknown": ["ignored"],
    })
}

#[tokio::test]
async fn a_context_begins_a_run_with_its_state() {
    let server = Server::start(&["counter"]).await;
    let body = json!({"context": context("7"), "start_event": {"by": 2}}).to_string();
    let answer = server.post("/workflows/counter/run", &body).await;
    assert_eq!((answer.status, answer.result().to_string()), (200, r#"{"count":9}"#.into()), "{answer:?}");

    let exported = server.get(&format!("/api/v1/handlers/{}/context", answer.handler())).await;
    assert_eq!(exported.status, 200, "{exported:?}");
    let exported = exported.json();
    assert_eq!(exported["version"], 1);
    assert_eq!(exported["state"]["state_data"]["_data"]["count"], "9", "each value is a JSON-encoded string: {exported}");
    assert_eq!((exported["state"]["state_type"].as_str(), exported["is_running"].as_bool()), (Some("DictState"), Some(false)));

    let body = json!({"context": exported}).to_string();
    assert_eq!(server.post("/workflows/counter/run", &body).await.result().to_string(), r#"{"count":10}"#);
}

#[tokio::test]
async fn what_is_no_context() {
    let server = Server::start(&["counter"]).await;
    for (context, status) in [
        (json!({"version": 3}), 400),
        (json!({"version": 2, "state": {"state_data": {"_data": {"count": "1"}}}}), 200),
        (json!({"state": {}}), 200),
        (json!({"state": {"state_data": {}}}), 200),
        (json!({"state": {"state_data": null}}), 200),
        (json!({"state": {"count": 1}}), 400),
        (json!({"state": {"state_data": {"count": "1"}}}), 400),
        (json!({}), 200),
        (json!("text"), 400),
        (json!([1]), 400),
        (context("no JSON"), 400),
    ] {
        let answer = server.post("/workflows/counter/run", &json!({"context": context}).to_string()).await;
        assert_eq!(answer.status, status, "{context}: {answer:?}");
    }
    let natural = server.post("/workflows/counter/run", r#"{"context":{"state":{"count":1}}}"#).await;
    assert!(natural.body.contains("'state' in 'context' has no 'state_data': give it as"), "{natural:?}");
    assert_eq!(server.get("/api/v1/handlers/nobody/context").await.status, 404);
}

#[tokio::test]
async fn continuing_carries_the_state_and_nothing_else() {
    let mut server = Server::start(&["counter"]).await;
    for expected in 1..=3 {
        let answer = server.post("/workflows/counter/run", r#"{"handler_id":"c"}"#).await;
        assert_eq!(answer.result()["count"], expected);
        let sequences: Vec<u64> = server.events("c", "include_internal=true").await.rest().await.iter().map(|it| it.id).collect();
        assert_eq!(sequences.first(), Some(&0), "sequences from 0 again");
    }
    server.crash().await;
    assert_eq!(server.post("/workflows/counter/run", r#"{"handler_id":"c"}"#).await.result()["count"], 4);
    // A given context wins over the handler's own state.
    let body = json!({"handler_id": "c", "context": context("40")}).to_string();
    assert_eq!(server.post("/workflows/counter/run", &body).await.result()["count"], 41);
}

//! `Idempotency-Key`.

use wf_tests::{Answer, Server};

async fn keyed(server: &Server, key: &str, path: &str, body: &str) -> Answer {
    server.request("POST", path, &[("Idempotency-Key", key)], body).await
}

const SLOW: &str = r#"{"start_event":{"seconds":0.3}}"#;

#[tokio::test]
async fn a_repeated_start_is_answered_from_the_run_it_made() {
    let mut server = Server::start(&["slow", "counter"]).await;
    let first = keyed(&server, "k", "/workflows/slow/run-nowait", SLOW).await;
    assert_eq!((first.status, first.text("status")), (200, "running".into()));
    // `run` and `run-nowait` share their keys; `run` waits for the end.
    let second = keyed(&server, "k", "/workflows/slow/run", SLOW).await;
    assert_eq!((second.status, second.run(), second.result()), (200, first.run(), "slept 0.3".into()));
    let third = keyed(&server, "k", "/workflows/slow/run-nowait", SLOW).await;
    assert_eq!((third.run(), third.text("status")), (first.run(), "completed".into()));

    let other_body = keyed(&server, "k", "/workflows/slow/run", r#"{"start_event":{"seconds":0.31}}"#).await;
    assert_eq!(other_body.status, 422, "{other_body:?}");
    assert!(other_body.text("detail").contains("Idempotency-Key"), "{other_body:?}");
    // Looked up before every other check.
    assert_eq!(keyed(&server, "k", "/workflows/slow/run", "{").await.status, 422);
    // The scope is the workflow.
    assert_eq!(keyed(&server, "k", "/workflows/counter/run", "{}").await.result().to_string(), r#"{"count":1}"#);

    server.crash().await;
    assert_eq!(keyed(&server, "k", "/workflows/slow/run", SLOW).await.run(), first.run());
}

#[tokio::test]
async fn a_repeat_is_not_answered_from_a_later_run() {
    let server = Server::start(&["counter"]).await;
    let body = r#"{"handler_id":"c","start_event":{"by":2}}"#;
    let first = keyed(&server, "k", "/workflows/counter/run", body).await;
    let later = server.post("/workflows/counter/run", body).await;
    assert_eq!(later.result().to_string(), r#"{"count":4}"#);
    let repeat = keyed(&server, "k", "/workflows/counter/run", body).await;
    assert_eq!((repeat.body, repeat.status), (first.body, 200));
}

#[tokio::test]
async fn refusals_are_not_remembered() {
    let server = Server::start(&["fanout"]).await;
    assert_eq!(keyed(&server, "k", "/workflows/fanout/run", r#"{"start_event":{"n":-1}}"#).await.status, 400);
    assert_eq!(keyed(&server, "k", "/workflows/fanout/run", r#"{"start_event":{"n":1}}"#).await.status, 200);
}

#[tokio::test]
async fn keys_have_a_length() {
    let server = Server::start(&["counter"]).await;
    assert_eq!(keyed(&server, &"k".repeat(255), "/workflows/counter/run", "{}").await.status, 200);
    assert_eq!(keyed(&server, &"k".repeat(256), "/workflows/counter/run", "{}").await.status, 400);
}

#[tokio::test]
async fn two_at_once_make_one_run() {
    let server = Server::start(&["slow"]).await;
    let request = || keyed(&server, "k", "/workflows/slow/run", SLOW);
    let (a, b, c) = tokio::join!(request(), request(), request());
    assert_eq!((a.run(), a.status), (b.run(), 200));
    assert_eq!(a.run(), c.run());
    let handlers = server.get("/handlers").await.json()["handlers"].as_array().expect("a list").len();
    assert_eq!(handlers, 1);
}

#[tokio::test]
async fn a_repeated_event_is_sent_once() {
    let server = Server::start(&["waiter", "hitl"]).await;
    let start = r#"{"handler_id":"h"}"#;
    server.post("/workflows/hitl/run-nowait", start).await;
    server.events("h", "").await.until("RequestEvent").await;
    let body = r#"{"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}"#;
    for _ in 0..2 {
        let sent = keyed(&server, "k", "/events/h", body).await;
        assert_eq!((sent.status, sent.body.as_str()), (200, r#"{"status":"sent"}"#));
    }
    server.ended("h").await;
    // Also after the end, where a fresh event is refused.
    assert_eq!(keyed(&server, "k", "/events/h", body).await.status, 200);
    assert_eq!(keyed(&server, "fresh", "/events/h", body).await.status, 409);
    let other = r#"{"event":{"type":"ResponseEvent","value":{"response":"Bob"}}}"#;
    assert_eq!(keyed(&server, "k", "/events/h", other).await.status, 422);

    // Never delivered to a later run.
    server.post("/workflows/hitl/run-nowait", start).await;
    server.events("h", "").await.until("RequestEvent").await;
    assert_eq!(keyed(&server, "k", "/events/h", body).await.body, r#"{"status":"sent"}"#);
    assert_eq!(keyed(&server, "other", "/events/h", other).await.status, 200);
    assert_eq!(server.ended("h").await.value().to_string(), r#"{"output":"Hello, Bob"}"#);
}

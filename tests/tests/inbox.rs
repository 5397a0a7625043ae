//! What is sent is kept; what a step has to itself nobody changes; and looking changes nothing.

use serde_json::{Value, json};
use wf_tests::{Server, until};

async fn send(server: &Server, handler: &str, event: Value) -> u16 {
    server.post(&format!("/events/{handler}"), &event.to_string()).await.status
}

fn answer(text: &str) -> Value {
    json!({ "event": { "type": "AnswerEvent", "value": { "text": text } } })
}

/// The debugger's words for the entries of a run.
async fn entries(server: &Server, run: &str) -> Vec<String> {
    let history = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
    assert_eq!(history["next"], Value::Null, "it is all on one page");
    let moments = history["moments"].as_array().expect("a list").iter();
    moments.map(|it| it["kind"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn answers_that_come_before_their_questions_are_kept_over_a_kill() {
    let mut server = Server::start(&["inbox"]).await;
    let started = server.post("/workflows/inbox/run-nowait", r#"{"handler_id":"early","start_event":{"n":3,"delay":1.5}}"#).await;
    assert_eq!(started.status, 200, "{}", started.body);
    for text in ["one", "two"] {
        assert_eq!(send(&server, "early", answer(text)).await, 200);
    }
    server.crash().await;
    assert_eq!(send(&server, "early", answer("three")).await, 200);
    assert_eq!(server.ended("early").await.result(), json!(["one", "two", "three"]));
}

#[tokio::test]
async fn of_two_quick_answers_none_is_lost() {
    let server = Server::start(&["inbox"]).await;
    for round in 0..20 {
        let handler = format!("quick-{round}");
        server.post("/workflows/inbox/run-nowait", &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
        let (one, two) = (send(&server, &handler, answer("one")).await, send(&server, &handler, answer("two")).await);
        assert_eq!((one, two), (200, 200));
        assert_eq!(server.ended(&handler).await.result(), json!(["one", "two"]));
    }
}

#[tokio::test]
async fn a_full_inbox_says_so_and_when_to_come_again() {
    let server = Server::start(&["inbox"]).await;
    server.post("/workflows/inbox/run-nowait", r#"{"handler_id":"full","start_event":{"n":1,"delay":600}}"#).await;
    let mut kept = 0;
    let refused = loop {
        let answer = server.post("/events/full", &answer("x").to_string()).await;
        if answer.status != 200 {
            break answer;
        }
        kept += 1;
    };
    assert_eq!((kept, refused.status), (1_000, 429), "{}", refused.body);
    assert!(refused.text("detail").contains("inbox is full"), "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn an_event_for_one_invocation_is_taken_by_its_wait_or_refused() {
    let server = Server::start(&["inbox"]).await;
    server.post("/workflows/inbox/run-nowait", r#"{"handler_id":"direct","start_event":{"n":1}}"#).await;
    let directed = |invocation: u64| json!({ "event": answer("x")["event"], "invocation": invocation });
    let nobody = server.post("/events/direct", &directed(7).to_string()).await;
    assert_eq!((nobody.status, nobody.text("detail").starts_with("Failed to send event: ")), (400, true), "{}", nobody.body);
    until("the step to wait", async || (send(&server, "direct", directed(0)).await == 200).then_some(())).await;
    assert_eq!(server.ended("direct").await.result(), json!(["x"]));
}

#[tokio::test]
async fn a_wait_for_two_types_takes_the_first_to_come() {
    let server = Server::start(&["two-types"]).await;
    let events = [
        ("yes", json!({ "type": "ApprovedEvent", "value": { "by": "Ada" } }), json!({ "approved": "Ada" })),
        ("no", json!({ "type": "RefusedEvent", "value": { "reason": "late" } }), json!({ "refused": "late" })),
    ];
    for (handler, event, expected) in events {
        server.post("/workflows/two-types/run-nowait", &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
        assert_eq!(send(&server, handler, json!({ "event": event })).await, 200);
        assert_eq!(server.ended(handler).await.result(), expected);
    }
}

#[tokio::test]
async fn twenty_exclusive_edits_at_once_give_twenty_and_repeat_nothing() {
    let server = Server::start(&["exclusive"]).await;
    let answer = server.run("exclusive", "{}").await;
    assert_eq!(answer.result(), json!({ "count": 20, "begun": 20 }), "{}", answer.body);
}

#[tokio::test]
async fn looking_at_a_parked_run_writes_nothing_also_after_a_kill() {
    let mut server = Server::start(&["waiter"]).await;
    let started = server.post("/workflows/waiter/run-nowait", r#"{"handler_id":"parked"}"#).await;
    until("the step to wait", async || entries(&server, &started.run()).await.contains(&"step-progressed".into()).then_some(())).await;
    server.crash().await;
    let before = entries(&server, &started.run()).await;
    for _ in 0..5 {
        assert_eq!(server.get("/api/v1/handlers/parked/context").await.status, 200);
        assert_eq!(server.get(&format!("/api/v1/runs/{}/state", started.run())).await.status, 200);
        assert_eq!(server.get("/handlers/parked").await.status, 202);
    }
    assert_eq!(before, ["started", "step-progressed"]);
    assert_eq!(entries(&server, &started.run()).await, before);
}

//! Events from outside that their component validates: what it takes, what it refuses, and what it cannot say.

use expect_test::expect;
use wf_tests::{Server, check};

#[tokio::test]
async fn a_component_says_itself_whether_a_start_event_fits() {
    let server = Server::start(&["validating"]).await;
    let refused = r#"
        POST /workflows/validating/run {"start_event":{"count":1}}
        POST /workflows/validating/run-nowait {"start_event":{"count":1}}
        POST /workflows/validating/run {"start_event":{}}
        POST /workflows/validating/run {"start_event":{"count":13}}
        POST /workflows/validating/run {"start_event":{"count":14}}
        POST /workflows/validating/run {"start_event":{"count":15}}
        POST /workflows/validating/run {"start_event":{"count":16}}
        "#;
    check(
        &server,
        refused,
        expect![[r#"
        "#]],
    )
    .await;
    let long = server.post("/workflows/validating/run", r#"{"start_event":{"count":17}}"#).await.body;
    assert!(long.len() < 20_000 && long.contains("Validation error for 'start_event': long long"), "{long:.200}");
    let runs = server.get("/api/v1/runs").await;
    assert_eq!(runs.json()["runs"], serde_json::json!([]), "what is refused begins no run");
    check(
        &server,
        r#"
        POST /workflows/validating/run {"start_event":{"count":0}}
        POST /workflows/validating/run {"start_event":{"count":"0"}}
        "#,
        expect![[r#"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_component_says_itself_whether_an_answer_fits_and_what_the_run_gets() {
    let server = Server::start(&["validating"]).await;
    check(
        &server,
        r#"
        POST /workflows/validating/run-nowait {"start_event":{"count":2},"handler_id":"reply"}
        POST /events/reply {"event":{"type":"Reply","value":{"number":"many"}}}
        POST /events/reply {"event":{"type":"Plain","value":{"number":"3"}}}
        POST /events/reply {"event":{"type":"Note","value":{"text":3}}}
        POST /events/reply {"event":{"type":"Note","value":{"text":"junk"}}}
        GET /handlers/reply
        POST /events/reply {"event":{"type":"Reply","value":{"number":"3"}}}
        GET /events/reply?sse=false
        POST /workflows/validating/run-nowait {"start_event":{"count":2},"handler_id":"note"}
        POST /events/note {"event":{"type":"Note","value":{"text":"  trimmed  "}}}
        GET /events/note?sse=false
        "#,
        expect![[r#"
        "#]],
    )
    .await;
}

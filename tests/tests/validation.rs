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
            POST /workflows/validating/run {"start_event":{"count":1}}
            400 {"detail":"Validation error for 'start_event': it is odd"}
            POST /workflows/validating/run-nowait {"start_event":{"count":1}}
            400 {"detail":"Validation error for 'start_event': it is odd"}
            POST /workflows/validating/run {"start_event":{}}
            400 {"detail":"Validation error for 'start_event': it is no count"}
            POST /workflows/validating/run {"start_event":{"count":13}}
            400 {"detail":"Validation error for 'start_event': thirteen"}
            POST /workflows/validating/run {"start_event":{"count":14}}
            400 {"detail":"Validation error for 'start_event': what is called outside of a run may not use the context"}
            POST /workflows/validating/run {"start_event":{"count":15}}
            400 {"detail":"Validation error for 'start_event': step `wf:validate` sleeps for a second or more in a way that keeps its instance: use the `sleep` of the SDK's context, which is durable"}
            POST /workflows/validating/run {"start_event":{"count":16}}
            400 {"detail":"Validation error for 'start_event': the memory limit of 256 MiB was exceeded"}
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
            POST /workflows/validating/run {"start_event":{"count":0}}
            200 {"handler_id":"$1","workflow_name":"validating","run_id":"$r1","error":null,"result":{"value":{"result":"{\"count\":0}"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/validating/run {"start_event":{"count":"0"}}
            200 {"handler_id":"$2","workflow_name":"validating","run_id":"$r2","error":null,"result":{"value":{"result":"{\"count\":\"0\"}"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
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
            POST /workflows/validating/run-nowait {"start_event":{"count":2},"handler_id":"reply"}
            200 {"handler_id":"reply","workflow_name":"validating","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/reply {"event":{"type":"Reply","value":{"number":"many"}}}
            400 {"detail":"Failed to deserialize event: it is no number"}
            POST /events/reply {"event":{"type":"Plain","value":{"number":"3"}}}
            400 {"detail":"Failed to deserialize event: number: \"3\" is not of type \"integer\""}
            POST /events/reply {"event":{"type":"Note","value":{"text":3}}}
            400 {"detail":"Failed to deserialize event: it is no text"}
            POST /events/reply {"event":{"type":"Note","value":{"text":"junk"}}}
            400 {"detail":"Failed to deserialize event: the value of Note is no JSON: key must be a string at line 1 column 2"}
            GET /handlers/reply
            202 {"handler_id":"reply","workflow_name":"validating","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/reply {"event":{"type":"Reply","value":{"number":"3"}}}
            200 {"status":"sent"}
            GET /events/reply?sse=false
            200 application/x-ndjson
            {"value":{"result":"{\"number\":\"3\"}"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            POST /workflows/validating/run-nowait {"start_event":{"count":2},"handler_id":"note"}
            200 {"handler_id":"note","workflow_name":"validating","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/note {"event":{"type":"Note","value":{"text":"  trimmed  "}}}
            200 {"status":"sent"}
            GET /events/note?sse=false
            200 application/x-ndjson
            {"value":{"result":"{\"text\":\"trimmed\"}"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        "#]],
    )
    .await;
}

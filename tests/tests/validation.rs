//! Events from outside that their component validates: what it takes, what it refuses, and what it cannot say.

use std::time::{SystemTime, UNIX_EPOCH};

use expect_test::expect;
use serde_json::json;
use wf_tests::artifacts::Language;
use wf_tests::{Serve, Server, check, until};

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

#[tokio::test]
async fn where_a_component_cannot_be_asked_nothing_is_said_of_the_event() {
    let server = Serve::guests(&["validating"]).with(&["--memory-total-max", "64"]).start().await;
    let refused = server.post("/workflows/validating/run", r#"{"start_event":{"count":18}}"#).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (503, false), "{refused:?}");
    assert!(refused.body.contains("memory_total_max"), "{refused:?}");
    assert_eq!(server.get("/api/v1/runs").await.json()["runs"], json!([]));
}

#[tokio::test]
async fn what_a_fork_is_given_is_validated_as_what_comes_in() {
    let server = Server::start(&["validating"]).await;
    let begun = server.post("/workflows/validating/run", r#"{"start_event":{"count":0}}"#).await;
    let fork =
        async |event: &str| server.post(&format!("/api/v1/runs/{}/fork", begun.run()), &format!(r#"{{"at":0,"event":{event}}}"#)).await;
    let refused = fork(r#"{"count":1}"#).await;
    assert_eq!((refused.status, &*refused.body), (400, r#"{"detail":"Failed to deserialize event: it is odd"}"#));
    let forked = fork(r#"{"count":"0"}"#).await;
    assert_eq!(forked.status, 200, "{forked:?}");
    assert_eq!(server.ended(&forked.handler()).await.json()["result"]["value"]["result"], r#"{"count":"0"}"#);
}

#[tokio::test]
async fn what_a_fork_has_as_its_origin_had_it_was_taken_before() {
    let server = Server::start(&["validating"]).await;
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + 1;
    let start = json!({ "count": 20, "until": soon });
    let run = server.post("/workflows/validating/run-nowait", &json!({ "start_event": start }).to_string()).await.run();
    until("what would be refused now", async || {
        let another = server.post("/workflows/validating/run-nowait", &json!({ "start_event": start }).to_string()).await;
        (another.status == 400).then_some(())
    })
    .await;
    // However it is written.
    for (event, status) in
        [(format!(r#"{{ "until": {soon}, "count": 20 }}"#), 200), (format!(r#"{{"until":{},"count":20}}"#, soon - 1), 400)]
    {
        let forked = server.post(&format!("/api/v1/runs/{run}/fork"), &format!(r#"{{"at":0,"event":{event}}}"#)).await;
        assert_eq!(forked.status, status, "{forked:?}");
    }
}

#[tokio::test]
async fn rules_in_python_look_at_the_world_as_far_as_it_is_there() {
    let environment = vec![("NAMES".to_owned(), "Ada,Kay".to_owned())];
    let serve = Serve { environment, ..Serve::of(Language::Python, &["ruled"]) };
    let server = serve.with(&["--allow-env", "NAMES"]).start().await;
    let over = server.post("/workflows/ruled/run", r#"{"start_event":{"count":0,"by":"2000-01-01"}}"#).await;
    assert!(over.status == 400 && over.body.contains("Value error, that day is over"), "{over:?}");

    let handler = server.begin("ruled", r#"{"count":2,"by":"2999-01-01"}"#).await;
    for text in [" one ", "two"] {
        assert_eq!(server.send(&handler, "Note", &json!({ "text": text }).to_string()).await.status, 200);
    }
    let notes = server.ended(&handler).await.json()["result"]["value"]["result"].clone();
    assert_eq!((&notes[0][0], &notes[1][0]), (&json!("one."), &json!("two.")), "a rule is asked once");
    assert!(notes[0][1] != notes[1][1] && notes[0][2] != notes[1][2], "what is made by chance is each one's own: {notes}");

    // Variables are there in a run alone: there it is refused, and waited for again.
    let handler = server.begin("ruled", r#"{"count":0}"#).await;
    for name in ["Eve", "Kay"] {
        assert_eq!(server.send(&handler, "Allowed", &json!({ "name": name }).to_string()).await.status, 200);
    }
    assert_eq!(server.ended(&handler).await.json()["result"]["value"]["result"], "Kay");
}

#[tokio::test]
async fn of_a_run_that_takes_nothing_any_more_nobody_is_asked() {
    let server = Serve::of(Language::Python, &["ruled"]).start().await;
    let handler = server.begin("ruled", r#"{"count":2,"by":"2999-01-01"}"#).await;
    let refused = server.send(&handler, "Order", r#"{"count":"many"}"#).await;
    assert_eq!(refused.text("detail").matches("Failed to deserialize event: ").count(), 1, "{refused:?}");
    for _ in 0..2 {
        assert_eq!(server.send(&handler, "Note", r#"{"text":"one"}"#).await.status, 200);
    }
    server.ended(&handler).await;
    let late = server.send(&handler, "Note", r#"{"text":3}"#).await;
    assert_eq!((late.status, late.text("detail").as_str()), (409, "Workflow already completed"));
}

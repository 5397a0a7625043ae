//! `POST /workflows/{name}/run` and `/run-nowait`: every row of their table.

use expect_test::expect;
use serde_json::json;
use wf_tests::wasm::Module;
use wf_tests::{Serve, Server, check, until};

#[tokio::test]
async fn a_run_that_completes() {
    let server = Server::start(&["greeting", "hitl"]).await;
    check(
        &server,
        r#"
        POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
        POST /workflows/greeting/run {}
        POST /workflows/greeting/run {"start_event":null,"context":{},"handler_id":null}
        POST /workflows/greeting/run {"kwargs":{"name":"Kay"}}
        POST /workflows/greeting/run {"start_event":{"name":"Ada"},"kwargs":{"name":"Kay"}}
        POST /workflows/hitl/run-nowait {}
        "#,
        expect![[r#"
            POST /workflows/greeting/run {"start_event":{"name":"Ada"}}
            200 {"handler_id":"$1","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {}
            200 {"handler_id":"$2","workflow_name":"greeting","run_id":"$r2","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {"start_event":null,"context":{},"handler_id":null}
            200 {"handler_id":"$3","workflow_name":"greeting","run_id":"$r3","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {"kwargs":{"name":"Kay"}}
            200 {"handler_id":"$4","workflow_name":"greeting","run_id":"$r4","error":null,"result":{"value":{"result":"Hello, Kay!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {"start_event":{"name":"Ada"},"kwargs":{"name":"Kay"}}
            200 {"handler_id":"$5","workflow_name":"greeting","run_id":"$r5","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/hitl/run-nowait {}
            200 {"handler_id":"$6","workflow_name":"hitl","run_id":"$r6","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_result_of_null_or_none_is_left_out() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("nothing.wasm");
    let manifest = r#"{"name":"nothing","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
    std::fs::write(&path, Module::echoing(manifest).binary()).expect("written");
    let server = Serve { paths: vec![path.display().to_string()], ..Serve::default() }.start().await;
    check(
        &server,
        r#"
        POST /workflows/nothing/run {"handler_id":"null","start_event":{"result":null}}
        GET /results/null
        GET /events/null?sse=false
        POST /workflows/nothing/run {"handler_id":"none"}
        GET /handlers/none
        GET /results/none
        GET /events/none?sse=false
        POST /workflows/nothing/run {"handler_id":"more","start_event":{"result":null,"more":[1]}}
        GET /results/more
        "#,
        expect![[r#"
            POST /workflows/nothing/run {"handler_id":"null","start_event":{"result":null}}
            200 {"handler_id":"null","workflow_name":"nothing","run_id":"$r1","error":null,"result":{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/null
            200 {"handler_id":"null","workflow_name":"nothing","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/null?sse=false
            200 application/x-ndjson
            {"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            POST /workflows/nothing/run {"handler_id":"none"}
            200 {"handler_id":"none","workflow_name":"nothing","run_id":"$r2","error":null,"result":{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /handlers/none
            200 {"handler_id":"none","workflow_name":"nothing","run_id":"$r2","error":null,"result":{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/none
            200 {"handler_id":"none","workflow_name":"nothing","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/none?sse=false
            200 application/x-ndjson
            {"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            POST /workflows/nothing/run {"handler_id":"more","start_event":{"result":null,"more":[1]}}
            200 {"handler_id":"more","workflow_name":"nothing","run_id":"$r3","error":null,"result":{"value":{"_data":{"more":[1]}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/more
            200 {"handler_id":"more","workflow_name":"nothing","run_id":"$r3","error":null,"result":null,"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn forms_of_a_start_event() {
    let server = Server::start(&["greeting", "fanout"]).await;
    let forms = [
        (r#"{"name":"Ada"}"#, "Ada"),
        (r#"{"_data":{"name":"Ada"}}"#, "Ada"),
        (r#"{"type":"StartEvent","value":{"name":"Ada"}}"#, "Ada"),
        (r#"{"type":"StartEvent","value":{"_data":{"name":"Ada"}}}"#, "Ada"),
        (r#"{"type":"invoice","name":"Ada"}"#, "Ada"),
        (r#"{"type":"StartEvent","data":{},"name":"Ada"}"#, "Ada"),
        (r#"{"qualified_name":"invoice","name":"Ada"}"#, "Ada"),
        (r#"{"type":"StartEvent","qualified_name":"workflows.events.StartEvent"}"#, "World"),
        (r#"{"__is_pydantic":true,"value":{"name":"Ada"},"qualified_name":"workflows.events.StartEvent"}"#, "Ada"),
        (r#"{"value":{"_data":{"name":"Ada"}},"qualified_name":"workflows.events.StartEvent"}"#, "Ada"),
        (r#"{"type":"StartEvent","qualified_name":"some.Other","value":{"name":"Ada"}}"#, "Ada"),
        (r#""{\"name\":\"Ada\"}""#, "Ada"),
        (r#""{\"type\":\"StartEvent\",\"value\":{\"name\":\"Ada\"}}""#, "Ada"),
        (r#""""#, "World"),
        ("null", "World"),
        ("{}", "World"),
    ];
    for (form, name) in forms {
        let answer = server.run("greeting", form).await;
        assert_eq!((answer.status, answer.result()), (200, format!("Hello, {name}!").into()), "{form}: {answer:?}");
    }
    let own = [
        r#"{"n":2}"#,
        r#"{"type":"FanStart","value":{"n":2}}"#,
        r#"{"value":{"n":2},"qualified_name":"anything.at.all.FanStart"}"#,
        r#""{\"n\":2}""#,
    ];
    for form in own {
        let answer = server.run("fanout", form).await;
        assert_eq!((answer.status, answer.result().to_string()), (200, "[0,1]".into()), "{form}: {answer:?}");
    }
}

#[tokio::test]
async fn a_run_that_does_not_complete() {
    let server = Server::start(&["failing", "timeout", "slow"]).await;
    check(
        &server,
        r#"
        POST /workflows/failing/run {"start_event":{"message":"no luck"}}
        POST /workflows/timeout/run {}
        "#,
        expect![[r#"
            POST /workflows/failing/run {"start_event":{"message":"no luck"}}
            500 {"handler_id":"$1","workflow_name":"failing","run_id":"$r1","error":"no luck","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/timeout/run {}
            500 {"handler_id":"$2","workflow_name":"timeout","run_id":"$r2","error":"Workflow timed out after 0.3s","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
        "#]],
    )
    .await;
    let path = "/workflows/slow/run";
    let body = r#"{"handler_id":"sleeper","start_event":{"seconds":600}}"#;
    let cancelled = async {
        until("the run to be there", async || (server.get("/handlers/sleeper").await.status == 202).then_some(())).await;
        server.post("/handlers/sleeper/cancel", "").await
    };
    let (held, cancel) = tokio::join!(server.post(path, body), cancelled);
    assert_eq!(cancel.body, r#"{"status":"cancelled"}"#);
    assert_eq!((held.status, held.text("status")), (500, "cancelled".into()), "{held:?}");
    assert!(held.json()["error"].is_null() && held.json()["result"].is_null(), "{held:?}");
}

#[tokio::test]
async fn what_is_refused() {
    let server = Server::start(&["greeting", "fanout", "hitl"]).await;
    check(
        &server,
        r#"
        POST /workflows/nope/run {}
        POST /workflows/nope/run-nowait {}
        POST /workflows/greeting/run
        POST /workflows/greeting/run {
        POST /workflows/greeting/run []
        POST /workflows/greeting/run "text"
        POST /workflows/greeting/run-nowait
        POST /workflows/greeting/run-nowait 17
        POST /workflows/greeting/run {"start_event":17}
        POST /workflows/greeting/run {"start_event":[]}
        POST /workflows/greeting/run {"start_event":"no JSON"}
        POST /workflows/greeting/run {"start_event":{"type":"Nope","value":{}}}
        POST /workflows/greeting/run {"start_event":{"value":{}}}
        POST /workflows/greeting/run {"start_event":{"type":"StopEvent","value":{}}}
        POST /workflows/hitl/run {"start_event":{"type":"ResponseEvent","value":{"response":"x"}}}
        POST /workflows/fanout/run {"start_event":{"type":"StartEvent","value":{}}}
        POST /workflows/fanout/run {"start_event":{"n":"many"}}
        POST /workflows/fanout/run {"start_event":{"n":-1}}
        POST /workflows/fanout/run {"start_event":{"n":1001}}
        POST /workflows/fanout/run-nowait {"start_event":{"n":1.5}}
        POST /workflows/greeting/run {"context":{"version":3}}
        POST /workflows/greeting/run {"handler_id":"no spaces"}
        POST /workflows/greeting/run {"handler_id":"a/b"}
        POST /workflows/greeting/run {"handler_id":17}
        GET /handlers
        "#,
        expect![[r#"
            POST /workflows/nope/run {}
            404 {"detail":"Workflow not found"}
            POST /workflows/nope/run-nowait {}
            404 {"detail":"Workflow not found"}
            POST /workflows/greeting/run
            400 {"detail":"Invalid JSON body: EOF while parsing a value at line 1 column 0"}
            POST /workflows/greeting/run {
            400 {"detail":"Invalid JSON body: EOF while parsing an object at line 1 column 1"}
            POST /workflows/greeting/run []
            400 {"detail":"Error processing request body: it is a list, and no object"}
            POST /workflows/greeting/run "text"
            400 {"detail":"Error processing request body: it is a text, and no object"}
            POST /workflows/greeting/run-nowait
            400 {"detail":"Invalid JSON body: EOF while parsing a value at line 1 column 0"}
            POST /workflows/greeting/run-nowait 17
            400 {"detail":"Error processing request body: it is a number, and no object"}
            POST /workflows/greeting/run {"start_event":17}
            400 {"detail":"Validation error for 'start_event': it is no JSON object"}
            POST /workflows/greeting/run {"start_event":[]}
            400 {"detail":"Validation error for 'start_event': it is no JSON object"}
            POST /workflows/greeting/run {"start_event":"no JSON"}
            400 {"detail":"Validation error for 'start_event': expected ident at line 1 column 2"}
            POST /workflows/greeting/run {"start_event":{"type":"Nope","value":{}}}
            400 {"detail":"Validation error for 'start_event': unknown event type Nope; expected StartEvent"}
            POST /workflows/greeting/run {"start_event":{"value":{}}}
            400 {"detail":"Validation error for 'start_event': Invalid client data. Must have a type or a qualified name, got {\"value\":{}}"}
            POST /workflows/greeting/run {"start_event":{"type":"StopEvent","value":{}}}
            400 {"detail":"Start event must be an instance of StartEvent"}
            POST /workflows/hitl/run {"start_event":{"type":"ResponseEvent","value":{"response":"x"}}}
            400 {"detail":"Start event must be an instance of StartEvent"}
            POST /workflows/fanout/run {"start_event":{"type":"StartEvent","value":{}}}
            400 {"detail":"Start event must be an instance of FanStart"}
            POST /workflows/fanout/run {"start_event":{"n":"many"}}
            400 {"detail":"Validation error for 'start_event': n: \"many\" is not of type \"integer\""}
            POST /workflows/fanout/run {"start_event":{"n":-1}}
            400 {"detail":"Validation error for 'start_event': n: -1 is less than the minimum of 0"}
            POST /workflows/fanout/run {"start_event":{"n":1001}}
            400 {"detail":"Validation error for 'start_event': n: 1001 is greater than the maximum of 1000"}
            POST /workflows/fanout/run-nowait {"start_event":{"n":1.5}}
            400 {"detail":"Validation error for 'start_event': n: 1.5 is not of type \"integer\""}
            POST /workflows/greeting/run {"context":{"version":3}}
            400 {"detail":"Error processing request body: 'context' is of a version above 2"}
            POST /workflows/greeting/run {"handler_id":"no spaces"}
            400 {"detail":"Error processing request body: 'handler_id' must be 1 to 128 characters of [0-9A-Za-z._:-]"}
            POST /workflows/greeting/run {"handler_id":"a/b"}
            400 {"detail":"Error processing request body: 'handler_id' must be 1 to 128 characters of [0-9A-Za-z._:-]"}
            POST /workflows/greeting/run {"handler_id":17}
            400 {"detail":"Error processing request body: 'handler_id' is no text"}
            GET /handlers
            200 {"handlers":[]}
        "#]],
    )
    .await;
    let long = "h".repeat(129);
    let answer = server.post("/workflows/greeting/run", &format!(r#"{{"handler_id":"{long}"}}"#)).await;
    assert!(answer.status == 400 && answer.text("detail").ends_with(" (limit handler_id_max)"), "{}", answer.body);
    let longest = "h".repeat(128);
    let answer = server.post("/workflows/greeting/run", &format!(r#"{{"handler_id":"{longest}"}}"#)).await;
    assert_eq!((answer.status, answer.handler()), (200, longest));
}

#[tokio::test]
async fn handlers_of_the_clients_choice() {
    let server = Server::start(&["counter", "slow", "failing"]).await;
    check(
        &server,
        r#"
        POST /workflows/counter/run {"handler_id":"my.own:handler_1-x","start_event":{"by":2}}
        GET /events/my.own:handler_1-x
        POST /workflows/counter/run {"handler_id":"my.own:handler_1-x","start_event":{"by":3}}
        GET /events/my.own:handler_1-x
        POST /workflows/counter/run-nowait {"handler_id":"my.own:handler_1-x","start_event":{"by":4}}
        UNTIL 200 /handlers/my.own:handler_1-x
        GET /api/v1/runs/$r1
        GET /api/v1/runs/$r1/events
        GET /api/v1/runs/$r2
        GET /api/v1/runs/nope
        GET /api/v1/runs/nope/events
        POST /workflows/counter/run {"handler_id":""}
        POST /workflows/slow/run-nowait {"handler_id":"busy","start_event":{"seconds":600}}
        POST /workflows/slow/run-nowait {"handler_id":"busy"}
        POST /workflows/slow/run {"handler_id":"busy"}
        POST /handlers/busy/cancel
        POST /workflows/slow/run {"handler_id":"busy","start_event":{"seconds":0.01}}
        POST /workflows/failing/run {"handler_id":"luckless"}
        POST /workflows/failing/run {"handler_id":"luckless","start_event":{"message":"again"}}
        GET /handlers
        "#,
        expect![[r#"
            POST /workflows/counter/run {"handler_id":"my.own:handler_1-x","start_event":{"by":2}}
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r1","error":null,"result":{"value":{"result":{"count":2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/my.own:handler_1-x
            200 text/event-stream; charset=utf-8
            id: 2
            data: {"value":{"result":{"count":2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            POST /workflows/counter/run {"handler_id":"my.own:handler_1-x","start_event":{"by":3}}
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r2","error":null,"result":{"value":{"result":{"count":5}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/my.own:handler_1-x
            200 text/event-stream; charset=utf-8
            id: 2
            data: {"value":{"result":{"count":5}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            POST /workflows/counter/run-nowait {"handler_id":"my.own:handler_1-x","start_event":{"by":4}}
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r3","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            UNTIL 200 /handlers/my.own:handler_1-x
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r3","error":null,"result":{"value":{"result":{"count":9}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /api/v1/runs/$r1
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r1","error":null,"result":{"value":{"result":{"count":2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>","queued":false,"input_preview":"{\"by\":2}","result_preview":"{\"value\":{\"result\":{\"count\":2}},\"qualified_name\":\"workflows.events.StopEvent\",\"type\":\"StopEvent\",\"types\":null}","waiting_for":null,"forked_from":null,"forks":[]}
            GET /api/v1/runs/$r1/events
            200 text/event-stream; charset=utf-8
            id: 2
            data: {"value":{"result":{"count":2}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /api/v1/runs/$r2
            200 {"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r2","error":null,"result":{"value":{"result":{"count":5}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>","queued":false,"input_preview":"{\"by\":3}","result_preview":"{\"value\":{\"result\":{\"count\":5}},\"qualified_name\":\"workflows.events.StopEvent\",\"type\":\"StopEvent\",\"types\":null}","waiting_for":null,"forked_from":null,"forks":[]}
            GET /api/v1/runs/nope
            404 {"detail":"Handler not found"}
            GET /api/v1/runs/nope/events
            404 {"detail":"Handler not found"}
            POST /workflows/counter/run {"handler_id":""}
            200 {"handler_id":"$1","workflow_name":"counter","run_id":"$r4","error":null,"result":{"value":{"result":{"count":1}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/slow/run-nowait {"handler_id":"busy","start_event":{"seconds":600}}
            200 {"handler_id":"busy","workflow_name":"slow","run_id":"$r5","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /workflows/slow/run-nowait {"handler_id":"busy"}
            409 {"detail":"Handler 'busy' is already running"}
            POST /workflows/slow/run {"handler_id":"busy"}
            409 {"detail":"Handler 'busy' is already running"}
            POST /handlers/busy/cancel
            200 {"status":"cancelled"}
            POST /workflows/slow/run {"handler_id":"busy","start_event":{"seconds":0.01}}
            200 {"handler_id":"busy","workflow_name":"slow","run_id":"$r6","error":null,"result":{"value":{"result":"slept 0.01"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/failing/run {"handler_id":"luckless"}
            500 {"handler_id":"luckless","workflow_name":"failing","run_id":"$r7","error":"boom","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/failing/run {"handler_id":"luckless","start_event":{"message":"again"}}
            500 {"handler_id":"luckless","workflow_name":"failing","run_id":"$r8","error":"again","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /handlers
            200 {"handlers":[{"handler_id":"my.own:handler_1-x","workflow_name":"counter","run_id":"$r3","error":null,"result":{"value":{"result":{"count":9}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"},{"handler_id":"$1","workflow_name":"counter","run_id":"$r4","error":null,"result":{"value":{"result":{"count":1}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"},{"handler_id":"busy","workflow_name":"slow","run_id":"$r6","error":null,"result":{"value":{"result":"slept 0.01"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"},{"handler_id":"luckless","workflow_name":"failing","run_id":"$r8","error":"again","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}]}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_step_and_a_wait_that_take_subtypes_see_which_one_they_are_given() {
    let server = Server::start(&["subtypes"]).await;
    for (start, name, change, expected) in [
        ("{}", "Change", r#"{"by":"Ada"}"#, json!(["Order", 1, null, "Change", "Ada", null])),
        (r#"{"hours":3}"#, "SignedChange", r#"{"by":"Ada","key":"k"}"#, json!(["RushOrder", 1, 3, "SignedChange", "Ada", "k"])),
    ] {
        let handler = server.begin("subtypes", start).await;
        let sent = server.send(&handler, name, change).await;
        assert_eq!(sent.status, 200, "{}", sent.body);
        assert_eq!(server.ended(&handler).await.result(), expected);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_nothing() {
    let server = Server::start(&["slow"]).await;
    let body = r#"{"handler_id":"left","start_event":{"seconds":0.5}}"#;
    let mut wire = wf_tests::wire::Wire::connect(server.address());
    let head = format!("POST /workflows/slow/run HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(wire.write(head.as_bytes()));
    until("the run to be there", async || (server.get("/handlers/left").await.status == 202).then_some(())).await;
    drop(wire);
    assert_eq!(server.ended("left").await.result(), "slept 0.5");
}

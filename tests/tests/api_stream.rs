//! `GET /events/{id}`.

use expect_test::expect;
use wf_tests::wasm::Module;
use wf_tests::wire::Wire;
use wf_tests::{Frame, Serve, Server, check};

/// Who waits for the end of a run opens its stream at `now`, and may come at that very moment.
#[tokio::test(flavor = "multi_thread")]
async fn from_now_on_the_end_of_a_run_is_told_or_nothing_is_left() {
    let server = Server::start(&["failing"]).await;
    for _ in 0..500 {
        let handler = server.begin("failing", r#"{"message":"no luck"}"#).await;
        let answer = server.get(&format!("/events/{handler}?after_sequence=now")).await;
        assert!(answer.status == 204 || answer.body.contains("WorkflowFailedEvent"), "{answer:?}");
    }
}

#[tokio::test]
async fn cursors_and_forms() {
    let server = Server::start(&["greeting"]).await;
    check(
        &server,
        r#"
        POST /workflows/greeting/run {"handler_id":"g","start_event":{"name":"Ada"}}
        GET /events/g
          ? content-type
        GET /events/g?sse=false
          ? content-type
        GET /events/g?sse=no&include_qualified_name=false
        GET /events/g?sse=TRUE&after_sequence=2
        GET /events/g?after_sequence=-1&sse=false
        GET /events/g?after_sequence=now
        GET /events/g?after_sequence=NOW
        GET /events/g?after_sequence=1000000
        GET /events/g?after_sequence=abc
        GET /events/g?after_sequence=1.5
        GET /events/g?after_sequence=
        GET /events/g?acquire_timeout=abc
        GET /events/g?acquire_timeout=0.5&after_sequence=3&sse=false
        GET /events/g?after_sequence=1000
          Last-Event-ID: 3
        GET /events/g?after_sequence=3
          Last-Event-ID: abc
        GET /events/g?after_sequence=3&sse=false
          Last-Event-ID: 0
        GET /events/g?sse=false&include_internal=true
        GET /events/nobody
        "#,
        expect![[r#"
            POST /workflows/greeting/run {"handler_id":"g","start_event":{"name":"Ada"}}
            200 {"handler_id":"g","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/g
            200 text/event-stream; charset=utf-8
              content-type: text/event-stream; charset=utf-8
            id: 1
            data: {"value":{"sequence":0},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}

            id: 2
            data: {"value":{"sequence":1},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}

            id: 3
            data: {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}

            id: 5
            data: {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?sse=false
            200 application/x-ndjson
              content-type: application/x-ndjson
            {"value":{"sequence":0},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":1},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?sse=no&include_qualified_name=false
            200 application/x-ndjson
            {"value":{"sequence":0},"qualified_name":null,"type":"StreamEvent","types":null}
            {"value":{"sequence":1},"qualified_name":null,"type":"StreamEvent","types":null}
            {"value":{"sequence":2},"qualified_name":null,"type":"StreamEvent","types":null}
            {"value":{"result":"Hello, Ada!"},"qualified_name":null,"type":"StopEvent","types":null}
            GET /events/g?sse=TRUE&after_sequence=2
            200 text/event-stream; charset=utf-8
            id: 3
            data: {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}

            id: 5
            data: {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?after_sequence=-1&sse=false
            200 application/x-ndjson
            {"value":{"sequence":0},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":1},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?after_sequence=now
            204
            GET /events/g?after_sequence=NOW
            204
            GET /events/g?after_sequence=1000000
            204
            GET /events/g?after_sequence=abc
            400 {"detail":"Invalid after_sequence: 'abc'"}
            GET /events/g?after_sequence=1.5
            400 {"detail":"Invalid after_sequence: '1.5'"}
            GET /events/g?after_sequence=
            400 {"detail":"Invalid after_sequence: ''"}
            GET /events/g?acquire_timeout=abc
            400 {"detail":"Invalid acquire_timeout: 'abc'"}
            GET /events/g?acquire_timeout=0.5&after_sequence=3&sse=false
            200 application/x-ndjson
            {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?after_sequence=1000
              Last-Event-ID: 3
            200 text/event-stream; charset=utf-8
            id: 5
            data: {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?after_sequence=3
              Last-Event-ID: abc
            200 text/event-stream; charset=utf-8
            id: 5
            data: {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?after_sequence=3&sse=false
              Last-Event-ID: 0
            200 application/x-ndjson
            {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/g?sse=false&include_internal=true
            200 application/x-ndjson
            {"value":{"name":"greet","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null},"qualified_name":"workflows.events.StepStateChanged","type":"StepStateChanged","types":["InternalDispatchEvent"]}
            {"value":{"sequence":0},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":1},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"sequence":2},"qualified_name":"greeting.StreamEvent","type":"StreamEvent","types":null}
            {"value":{"name":"greet","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":"StopEvent"},"qualified_name":"workflows.events.StepStateChanged","type":"StepStateChanged","types":["InternalDispatchEvent"]}
            {"value":{"result":"Hello, Ada!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
            GET /events/nobody
            404 {"detail":"Handler not found"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_terminal_events() {
    let server = Server::start(&["failing", "timeout", "hitl", "slow", "retry"]).await;
    check(
        &server,
        r#"
        POST /workflows/failing/run-nowait {"handler_id":"f","start_event":{"message":"no luck"}}
        UNTIL 500 /handlers/f
        GET /events/f?sse=false
        POST /workflows/timeout/run-nowait {"handler_id":"t"}
        UNTIL 500 /handlers/t
        GET /events/t?sse=false
        POST /workflows/slow/run-nowait {"handler_id":"c","start_event":{"seconds":600}}
        POST /handlers/c/cancel
        GET /events/c?sse=false
        POST /workflows/hitl/run-nowait {"handler_id":"h"}
        POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
        UNTIL 200 /handlers/h
        GET /events/h?sse=false
        POST /workflows/retry/run {"handler_id":"r"}
        GET /events/r?sse=false
        "#,
        expect![[r#"
            POST /workflows/failing/run-nowait {"handler_id":"f","start_event":{"message":"no luck"}}
            200 {"handler_id":"f","workflow_name":"failing","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            UNTIL 500 /handlers/f
            500 {"handler_id":"f","workflow_name":"failing","run_id":"$r1","error":"no luck","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/f?sse=false
            200 application/x-ndjson
            {"value":{"step_name":"fail","exception":{"exception_type":"ValueError","exception_message":"no luck"},"attempts":1,"elapsed_seconds":<seconds>},"qualified_name":"workflows.events.WorkflowFailedEvent","type":"WorkflowFailedEvent","types":["StopEvent"]}
            POST /workflows/timeout/run-nowait {"handler_id":"t"}
            200 {"handler_id":"t","workflow_name":"timeout","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            UNTIL 500 /handlers/t
            500 {"handler_id":"t","workflow_name":"timeout","run_id":"$r2","error":"Workflow timed out after 0.3s","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/t?sse=false
            200 application/x-ndjson
            {"value":{"timeout":0.3,"active_steps":["nap"]},"qualified_name":"workflows.events.WorkflowTimedOutEvent","type":"WorkflowTimedOutEvent","types":["StopEvent"]}
            POST /workflows/slow/run-nowait {"handler_id":"c","start_event":{"seconds":600}}
            200 {"handler_id":"c","workflow_name":"slow","run_id":"$r3","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /handlers/c/cancel
            200 {"status":"cancelled"}
            GET /events/c?sse=false
            200 application/x-ndjson
            {"value":{},"qualified_name":"workflows.events.WorkflowCancelledEvent","type":"WorkflowCancelledEvent","types":["StopEvent"]}
            POST /workflows/hitl/run-nowait {"handler_id":"h"}
            200 {"handler_id":"h","workflow_name":"hitl","run_id":"$r4","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/h {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
            200 {"status":"sent"}
            UNTIL 200 /handlers/h
            200 {"handler_id":"h","workflow_name":"hitl","run_id":"$r4","error":null,"result":{"value":{"output":"Hello, Ada"},"qualified_name":"hitl.OutEvent","type":"OutEvent","types":["StopEvent"]},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/h?sse=false
            200 application/x-ndjson
            {"value":{"prompt":"What is your name?"},"qualified_name":"hitl.RequestEvent","type":"RequestEvent","types":["InputRequiredEvent"]}
            {"value":{"output":"Hello, Ada"},"qualified_name":"hitl.OutEvent","type":"OutEvent","types":["StopEvent"]}
            POST /workflows/retry/run {"handler_id":"r"}
            200 {"handler_id":"r","workflow_name":"retry","run_id":"$r5","error":null,"result":{"value":{"result":{"tries":3}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/r?sse=false
            200 application/x-ndjson
            {"value":{"result":{"tries":3}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn internal_events_count() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    server.ended(&handler).await;
    let every = server.events(&handler, "include_internal=true").await.rest().await;
    let ids: Vec<u64> = every.iter().map(|it| it.id).collect();
    assert_eq!(ids, (0..ids.len() as u64).collect::<Vec<_>>(), "sequences start at 0 and have no gap");
    let internal = |frame: &&Frame| frame.json()["types"] == serde_json::json!(["InternalDispatchEvent"]);
    let visible: Vec<Frame> = every.iter().filter(|it| !internal(it)).cloned().collect();
    assert_eq!(server.events(&handler, "").await.rest().await, visible, "the same numbers without the internal ones");
    let states: Vec<String> = every.iter().filter(internal).map(Frame::shape).collect();
    expect![[r#"
        StepStateChanged {"name":"prompt_human","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null}
        StepStateChanged {"name":"prompt_human","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":"RequestEvent"}
        WorkflowIdleEvent {}
        StepStateChanged {"name":"greet_human","step_state":"running","worker_id":"0","input_event_name":"ResponseEvent","output_event_name":null}
        StepStateChanged {"name":"greet_human","step_state":"not_running","worker_id":"0","input_event_name":"ResponseEvent","output_event_name":"OutEvent"}"#]].assert_eq(&states.join("\n"));
}

#[tokio::test]
async fn around_a_wait_a_step_is_told_not_to_run_and_the_run_to_be_idle() {
    let server = Server::start(&["waiter"]).await;
    let handler = server.begin("waiter", "{}").await;
    let mut stream = server.events(&handler, "include_internal=true").await;
    let waiting = stream.until("WorkflowIdleEvent").await;
    server.send(&handler, "AnswerEvent", r#"{"user":"laurie","answer":"42"}"#).await;
    let all: Vec<String> = waiting.iter().chain(&stream.rest().await).map(Frame::shape).collect();
    expect![[r#"
        StepStateChanged {"name":"ask","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null}
        AskEvent {"question":"who?"}
        StepStateChanged {"name":"ask","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null}
        WorkflowIdleEvent {}
        StepStateChanged {"name":"ask","step_state":"running","worker_id":"0","input_event_name":"StartEvent","output_event_name":null}
        StepStateChanged {"name":"ask","step_state":"not_running","worker_id":"0","input_event_name":"StartEvent","output_event_name":"StopEvent"}
        StopEvent {"result":{"answer":"42"}}"#]].assert_eq(&all.join("\n"));
}

#[tokio::test]
async fn what_waits_for_a_slot_and_what_nobody_takes_is_told() {
    let server = Server::start(&["fanout", "hitl"]).await;
    let handler = server.run("fanout", r#"{"n":5}"#).await.handler();
    let frames = server.events(&handler, "include_internal=true").await.rest().await;
    let first_of = |state: &str| frames.iter().map(Frame::shape).find(|it| it.contains("WorkEvent") && it.contains(state));
    // Four of the five have a slot at once.
    assert_eq!(
        first_of("preparing").as_deref(),
        Some(
            r#"StepStateChanged {"name":"work","step_state":"preparing","worker_id":"<enqueued>","input_event_name":"WorkEvent","output_event_name":null}"#
        )
    );
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    server.send(&handler, "RequestEvent", r#"{"prompt":"mine"}"#).await;
    let mut stream = server.events(&handler, "include_internal=true").await;
    let told = stream.until("UnhandledEvent").await;
    let told = told.last().expect("it is told");
    expect![[r#"{"value":{"event_type":"RequestEvent","qualified_name":"hitl.RequestEvent","step_name":null,"idle":true},"qualified_name":"workflows.events.UnhandledEvent","type":"UnhandledEvent","types":["InternalDispatchEvent"]}"#]].assert_eq(&told.json().to_string());
}

#[tokio::test]
async fn bytes_on_the_wire() {
    let server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    let id = server.events(&handler, "").await.next().await.expect("an event").id;
    let mut wire = Wire::connect(server.address());
    assert!(wire.write(format!("GET /events/{handler} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()));
    let event = r#"{"value":{"prompt":"What is your name?"},"qualified_name":"hitl.RequestEvent","type":"RequestEvent","types":["InputRequiredEvent"]}"#;
    let frame = format!("id: {id}\ndata: {event}\n\n");
    let seen = String::from_utf8(wire.read_until(frame.as_bytes())).expect("text");
    let head = seen.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{seen}");
    assert!(head.contains("content-type: text/event-stream; charset=utf-8\r\n"), "{seen}");
    assert!(head.contains("x-accel-buffering: no\r\n"), "{seen}");
}

#[tokio::test]
async fn any_number_of_readers_each_see_everything() {
    let server = Server::start(&["greeting"]).await;
    let handler = server.begin("greeting", r#"{"delay":0.1,"name":"Ada"}"#).await;
    let first = server.events(&handler, "").await;
    let second = server.events(&handler, "after_sequence=-1").await;
    let (first, second) = tokio::join!(first.rest(), second.rest());
    let shapes: Vec<String> = first.iter().map(Frame::shape).collect();
    let expected = [
        r#"StreamEvent {"sequence":0}"#,
        r#"StreamEvent {"sequence":1}"#,
        r#"StreamEvent {"sequence":2}"#,
        r#"StopEvent {"result":"Hello, Ada!"}"#,
    ];
    assert_eq!(shapes, expected);
    assert_eq!(first, second);
    let after = server.events(&handler, &format!("after_sequence={}", first[1].id)).await.rest().await;
    assert_eq!(after, first[2..]);
}

#[tokio::test]
async fn from_now_on() {
    let server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    let stream = server.events(&handler, "after_sequence=now").await;
    assert_eq!(stream.status(), 200);
    server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    let shapes: Vec<String> = stream.rest().await.iter().map(Frame::shape).collect();
    assert_eq!(shapes, [r#"OutEvent {"output":"Hello, Ada"}"#]);
}

#[tokio::test]
async fn a_silent_stream_has_a_heartbeat() {
    let server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    let mut wire = Wire::connect(server.address());
    assert!(wire.write(format!("GET /events/{handler} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()));
    let mut lines = Wire::connect(server.address());
    assert!(lines.write(format!("GET /events/{handler}?sse=false&after_sequence=now HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()));
    wire.read_until(b": heartbeat\n\n");
    // A chunk of one byte.
    let head = String::from_utf8(lines.read_until(b"\r\n1\r\n\n\r\n")).expect("text").to_ascii_lowercase();
    assert!(head.contains("x-accel-buffering: no\r\n"), "{head}");
}

#[tokio::test]
async fn a_finished_run_stays_readable_over_a_restart() {
    let mut server = Server::start(&["greeting"]).await;
    let handler = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    server.ended(&handler).await;
    let before = server.events(&handler, "include_internal=true").await.rest().await;
    assert!(server.stop().success());
    server.restart().await;
    assert_eq!(server.events(&handler, "include_internal=true").await.rest().await, before);
    assert_eq!(server.get(&format!("/events/{handler}?after_sequence=now")).await.status, 204);
}

/// Publishes the event that it starts with.
#[tokio::test]
async fn a_start_event_of_its_own_names_its_base() {
    let manifest = r#"{"name":"orders","events":[{"name":"OrderStart","kind":"start"}],
        "steps":[{"name":"only","accepts":["OrderStart"],"emits":["StopEvent"]}]}"#;
    let module = Module::echoing(manifest);
    let publish = r#"(import "wf:workflow/events@0.1.0" "publish" (func $publish (param i32 i32 i32 i32 i32 i32 i32)))"#;
    let field = |at| format!("(i32.load offset={at} (local.get 2))");
    let event = [field(0), field(4), field(8), field(12)].concat();
    let invoke = format!("(call $publish {event} (i32.const 0) (i32.const 0) (i32.const 28640)) {}", module.invoke).leak();
    let module = Module { fields: format!("{publish} {}", module.fields), invoke, ..module };
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("orders.wasm");
    std::fs::write(&path, module.binary()).expect("writable");
    let server = Serve { paths: vec![path.display().to_string()], ..Serve::default() }.start().await;
    check(
        &server,
        r#"
        POST /workflows/orders/run {"handler_id":"o","start_event":{"type":"OrderStart","value":{"result":"done"}}}
        GET /events/o?sse=false
        "#,
        expect![[r#"
            POST /workflows/orders/run {"handler_id":"o","start_event":{"type":"OrderStart","value":{"result":"done"}}}
            200 {"handler_id":"o","workflow_name":"orders","run_id":"$r1","error":null,"result":{"value":{"result":"done"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/o?sse=false
            200 application/x-ndjson
            {"value":{"_data":{"result":"done"}},"qualified_name":"orders.OrderStart","type":"OrderStart","types":["StartEvent"]}
            {"value":{"result":"done"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}
        "#]],
    )
    .await;
}

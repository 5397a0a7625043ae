//! `GET /handlers`, `/handlers/{id}`, `/results/{id}` and `POST /handlers/{id}/cancel`.

use expect_test::expect;
use serde_json::json;
use wf_tests::{Server, check, until};

#[tokio::test]
async fn a_handler_in_every_state() {
    let server = Server::start(&["greeting", "hitl", "failing", "slow"]).await;
    check(
        &server,
        r#"
        POST /workflows/hitl/run-nowait {"handler_id":"asked"}
        GET /handlers/asked
        GET /results/asked
        POST /events/asked {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
        UNTIL 200 /handlers/asked
        GET /results/asked
        POST /workflows/greeting/run {"handler_id":"greeted"}
        GET /handlers/greeted
        GET /results/greeted
        POST /workflows/failing/run {"handler_id":"failed"}
        GET /handlers/failed
        GET /results/failed
        POST /workflows/slow/run-nowait {"handler_id":"cancelled","start_event":{"seconds":600}}
        POST /handlers/cancelled/cancel
        GET /handlers/cancelled
        GET /results/cancelled
        GET /handlers/nobody
        GET /results/nobody
        "#,
        expect![[r#"
            POST /workflows/hitl/run-nowait {"handler_id":"asked"}
            200 {"handler_id":"asked","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            GET /handlers/asked
            202 {"handler_id":"asked","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            GET /results/asked
            202 {"handler_id":"asked","workflow_name":"hitl","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /events/asked {"event":{"type":"ResponseEvent","value":{"response":"Ada"}}}
            200 {"status":"sent"}
            UNTIL 200 /handlers/asked
            200 {"handler_id":"asked","workflow_name":"hitl","run_id":"$r1","error":null,"result":{"value":{"output":"Hello, Ada"},"qualified_name":"hitl.OutEvent","type":"OutEvent","types":["StopEvent"]},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/asked
            200 {"handler_id":"asked","workflow_name":"hitl","run_id":"$r1","error":null,"result":{"output":"Hello, Ada"},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greeting/run {"handler_id":"greeted"}
            200 {"handler_id":"greeted","workflow_name":"greeting","run_id":"$r2","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /handlers/greeted
            200 {"handler_id":"greeted","workflow_name":"greeting","run_id":"$r2","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/greeted
            200 {"handler_id":"greeted","workflow_name":"greeting","run_id":"$r2","error":null,"result":"Hello, World!","result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/failing/run {"handler_id":"failed"}
            500 {"handler_id":"failed","workflow_name":"failing","run_id":"$r3","error":"boom","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /handlers/failed
            500 {"handler_id":"failed","workflow_name":"failing","run_id":"$r3","error":"boom","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/failed
            500 {"handler_id":"failed","workflow_name":"failing","run_id":"$r3","error":"boom","result":null,"result_unreadable":false,"status":"failed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/slow/run-nowait {"handler_id":"cancelled","start_event":{"seconds":600}}
            200 {"handler_id":"cancelled","workflow_name":"slow","run_id":"$r4","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /handlers/cancelled/cancel
            200 {"status":"cancelled"}
            GET /handlers/cancelled
            500 {"handler_id":"cancelled","workflow_name":"slow","run_id":"$r4","error":null,"result":null,"result_unreadable":false,"status":"cancelled","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/cancelled
            500 {"handler_id":"cancelled","workflow_name":"slow","run_id":"$r4","error":null,"result":null,"result_unreadable":false,"status":"cancelled","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /handlers/nobody
            404 {"detail":"Handler not found"}
            GET /results/nobody
            404 {"detail":"Handler not found"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_list() {
    let server = Server::start(&["greeting", "hitl", "failing"]).await;
    for (workflow, handler) in [("greeting", "a"), ("hitl", "b"), ("failing", "c"), ("greeting", "d")] {
        let started = server.post(&format!("/workflows/{workflow}/run-nowait"), &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
        assert_eq!(started.status, 200, "{started:?}");
        if workflow != "hitl" {
            server.ended(handler).await;
        }
    }
    let cases = [
        ("", "a b c d"),
        ("?status=completed", "a d"),
        ("?status=running", "b"),
        ("?status=failed", "c"),
        ("?status=cancelled", ""),
        ("?status=completed&status=failed", "a c d"),
        ("?workflow_name=greeting", "a d"),
        ("?workflow_name=greeting&workflow_name=hitl", "a b d"),
        ("?workflow_name=greeting&status=running", ""),
        ("?status=&workflow_name=", "a b c d"),
        ("?status=&status=failed", "c"),
        ("?status=completed,failed", ""),
        ("?status=nope", ""),
        ("?workflow_name=nope", ""),
        ("?unknown=1", "a b c d"),
    ];
    for (query, expected) in cases {
        let answer = server.get(&format!("/handlers{query}")).await;
        assert_eq!((answer.status, listed(&answer).as_str()), (200, expected), "{query}");
        let body = answer.json();
        assert_eq!(body.as_object().map(|it| it.len()), Some(1), "{query}: `next` only when paging is asked for");
    }
}

#[tokio::test]
async fn the_list_in_pages() {
    let server = Server::start(&["greeting"]).await;
    for handler in ["a", "b", "c", "d", "e"] {
        server.post("/workflows/greeting/run", &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let answer = server.get(&format!("/handlers{query}")).await;
        assert!(answer.json().as_object().expect("an object").contains_key("next"), "{answer:?}");
        seen.push(listed(&answer));
        match answer.json()["next"].as_str() {
            Some(next) => query = format!("?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a b", "c d", "e"]);
    assert_eq!(listed(&server.get("/handlers?after=c").await), "d e");
    assert_eq!(server.get("/handlers?limit=x").await.status, 400);
}

fn listed(answer: &wf_tests::Answer) -> String {
    let handlers = answer.json()["handlers"].clone();
    let ids = handlers.as_array().expect("a list").iter().map(|it| it["handler_id"].as_str().expect("an id").to_owned());
    ids.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn cancelling_and_purging() {
    let server = Server::start(&["slow", "greeting"]).await;
    check(
        &server,
        r#"
        POST /workflows/slow/run-nowait {"handler_id":"s","start_event":{"seconds":600}}
        POST /handlers/s/cancel
        GET /handlers/s
        GET /events/s
        POST /handlers/s/cancel
        POST /handlers/s/cancel?purge=false
        POST /handlers/s/cancel?purge=TRUE
        POST /handlers/s/cancel?purge=true
        GET /handlers/s
        GET /events/s
        GET /api/v1/runs/$r1
        POST /handlers/nobody/cancel
        POST /handlers/nobody/cancel?purge=true
        POST /workflows/slow/run-nowait {"handler_id":"t","start_event":{"seconds":600}}
        POST /handlers/t/cancel?purge=true
        GET /handlers/t
        POST /workflows/slow/run-nowait {"handler_id":"u","start_event":{"seconds":600}}
        POST /handlers/u/cancel?purge=yes
        GET /handlers
        "#,
        expect![[r#"
            POST /workflows/slow/run-nowait {"handler_id":"s","start_event":{"seconds":600}}
            200 {"handler_id":"s","workflow_name":"slow","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /handlers/s/cancel
            200 {"status":"cancelled"}
            GET /handlers/s
            500 {"handler_id":"s","workflow_name":"slow","run_id":"$r1","error":null,"result":null,"result_unreadable":false,"status":"cancelled","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /events/s
            200 text/event-stream; charset=utf-8
            id: 1
            data: {"value":{},"qualified_name":"workflows.events.WorkflowCancelledEvent","type":"WorkflowCancelledEvent","types":["StopEvent"]}
            POST /handlers/s/cancel
            404 {"detail":"Handler not found"}
            POST /handlers/s/cancel?purge=false
            404 {"detail":"Handler not found"}
            POST /handlers/s/cancel?purge=TRUE
            200 {"status":"deleted"}
            POST /handlers/s/cancel?purge=true
            404 {"detail":"Handler not found"}
            GET /handlers/s
            404 {"detail":"Handler not found"}
            GET /events/s
            404 {"detail":"Handler not found"}
            GET /api/v1/runs/$r1
            404 {"detail":"Handler not found"}
            POST /handlers/nobody/cancel
            404 {"detail":"Handler not found"}
            POST /handlers/nobody/cancel?purge=true
            404 {"detail":"Handler not found"}
            POST /workflows/slow/run-nowait {"handler_id":"t","start_event":{"seconds":600}}
            200 {"handler_id":"t","workflow_name":"slow","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /handlers/t/cancel?purge=true
            200 {"status":"deleted"}
            GET /handlers/t
            404 {"detail":"Handler not found"}
            POST /workflows/slow/run-nowait {"handler_id":"u","start_event":{"seconds":600}}
            200 {"handler_id":"u","workflow_name":"slow","run_id":"$r3","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            POST /handlers/u/cancel?purge=yes
            200 {"status":"cancelled"}
            GET /handlers
            200 {"handlers":[{"handler_id":"u","workflow_name":"slow","run_id":"$r3","error":null,"result":null,"result_unreadable":false,"status":"cancelled","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}]}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_cancel_ends_the_streams_of_connected_readers() {
    let server = Server::start(&["slow", "hitl"]).await;
    for purge in ["false", "true"] {
        let handler = server.begin("slow", r#"{"seconds":600}"#).await;
        let stream = server.events(&handler, "").await;
        let path = format!("/handlers/{handler}/cancel?purge={purge}");
        let (frames, answer) = tokio::join!(stream.rest(), server.post(&path, ""));
        assert_eq!(answer.status, 200, "{answer:?}");
        let shapes: Vec<String> = frames.iter().map(wf_tests::Frame::shape).collect();
        assert_eq!(shapes, ["WorkflowCancelledEvent {}"], "purge={purge}");
        assert_eq!(frames[0].json()["types"].to_string(), r#"["StopEvent"]"#);
    }
}

/// The ids of the handlers in a list of runs.
async fn found(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("/api/v1/runs?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let runs = answer.json()["runs"].as_array().cloned().expect("a list");
    runs.iter().map(|it| it["handler_id"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_run_that_waits_for_a_person_says_so_whichever_way_it_asks() {
    let server = Server::start(&["hitl", "inbox", "slow", "greeting"]).await;
    for (handler, workflow) in [("event", "hitl"), ("wait", "inbox")] {
        server
            .post(&format!("/workflows/{workflow}/run-nowait"), &format!(r#"{{"handler_id":"{handler}","start_event":{{"n":1}}}}"#))
            .await;
    }
    server.post("/workflows/slow/run-nowait", r#"{"handler_id":"busy","start_event":{"seconds":600}}"#).await;
    until("both to wait", async || (found(&server, "status=waiting").await == ["wait", "event"]).then_some(())).await;
    assert_eq!(found(&server, "status=running").await, ["busy"]);
    assert_eq!(found(&server, "status=running&status=waiting").await, ["busy", "wait", "event"]);
    assert_eq!(found(&server, "status=waiting&workflow=hitl").await, ["event"]);
    // The contract knows no such status.
    for handler in ["event", "wait"] {
        assert_eq!(server.get(&format!("/handlers/{handler}")).await.json()["status"], "running");
    }
    let list = server.get("/api/v1/runs?status=waiting").await.json();
    let told = |place: usize| list["runs"][place]["waiting_for"].clone();
    assert_eq!(list["runs"][0]["status"], "waiting");
    let request = json!({ "sequence": told(0)[0]["request"]["sequence"], "type": "AskEvent", "value": { "number": 0 } });
    assert_eq!(told(0), json!([{ "types": ["AnswerEvent"], "step": "ask", "invocation": 0, "request": request }]));
    let prompt = json!({ "prompt": "What is your name?" });
    let request = json!({ "sequence": told(1)[0]["request"]["sequence"], "type": "RequestEvent", "value": prompt });
    assert_eq!(told(1), json!([{ "types": ["ResponseEvent"], "step": null, "invocation": null, "request": request }]));
    // A single one says the same.
    let run = list["runs"][1]["run_id"].as_str().expect("an id");
    let one = server.get(&format!("/api/v1/runs/{run}")).await;
    // A list leaves out what was forked from it.
    let mut listed = list["runs"][1].clone();
    listed["forks"] = json!([]);
    assert_eq!((one.status, one.json()), (202, listed));
    server.send("event", "ResponseEvent", r#"{"response":"Ada"}"#).await;
    server.ended("event").await;
    let one = server.get(&format!("/api/v1/runs/{run}")).await.json();
    assert_eq!((&one["status"], &one["waiting_for"]), (&json!("completed"), &json!(null)));
    assert_eq!(found(&server, "status=waiting").await, ["wait"]);
}

#[tokio::test]
async fn runs_tell_what_went_in_and_came_out_and_are_found_by_it_and_by_time() {
    let server = Server::start(&["greeting", "failing"]).await;
    for (handler, workflow, start) in
        [("one", "greeting", r#"{"name":"Ada"}"#), ("two", "failing", r#"{"message":"no luck"}"#), ("one", "greeting", r#"{"name":"Bob"}"#)]
    {
        let body = format!(r#"{{"handler_id":"{handler}","start_event":{start}}}"#);
        server.post(&format!("/workflows/{workflow}/run"), &body).await;
    }
    let list = server.get("/api/v1/runs").await.json();
    let told = |place: usize, key: &str| list["runs"][place][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(told(0, "input_preview"), r#"{"name":"Bob"}"#);
    assert!(told(0, "result_preview").contains("Hello, Bob!"), "{list}");
    assert_eq!((told(1, "result_preview"), told(1, "error")), ("no luck".to_owned(), "no luck".to_owned()));
    assert_eq!(found(&server, "search=hello,%20ADA").await, ["one"]);
    assert_eq!(found(&server, "search=LUCK").await, ["two"]);
    assert_eq!(found(&server, "handler=one").await, ["one", "one"]);
    assert_eq!(found(&server, "newest=true").await, ["one", "two"]);
    assert_eq!(found(&server, "order=oldest").await, ["one", "two", "one"]);
    assert_eq!(found(&server, "order=last-ended&status=failed").await, ["two"]);
    let second = told(1, "started_at").replace('+', "%2B");
    assert_eq!(found(&server, &format!("since={second}")).await, ["one", "two"]);
    assert_eq!(found(&server, &format!("until={second}&order=oldest")).await, ["one"]);
    assert_eq!(found(&server, "until=2000-01-01").await, [""; 0]);
    let page = server.get("/api/v1/runs?order=oldest&limit=2").await.json();
    let next = page["next"].as_str().expect("a place");
    assert_eq!(found(&server, &format!("order=oldest&limit=2&before={next}")).await, ["one"]);
    for (query, status, why) in [
        ("order=best", 400, "Invalid order: 'best'. Give newest, oldest, last-ended or first-ended"),
        ("since=noon", 422, "Invalid since: 'noon'. Give a time as in 2026-11-23T06:38:23Z, or a day"),
        ("handler=one&order=oldest", 422, "Runs of a 'handler' are listed newest first, without 'since', 'until' or 'order'"),
        ("before=x", 400, "Invalid before: 'x'"),
    ] {
        let answer = server.get(&format!("/api/v1/runs?{query}")).await;
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (status, Some(why)));
    }
}

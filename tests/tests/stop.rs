//! A graceful stop: nothing is cancelled, nothing is lost, and it ends in time.

use std::ops::Range;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use wf_tests::database::{copy_runs, query, rows};
use wf_tests::patience::until_blocking;
use wf_tests::wire::Wire;
use wf_tests::{CONFORMANCE, Client, End, Serve, Server, until};

#[tokio::test]
async fn running_runs_go_on_after_the_restart() {
    let mut server = Server::start(&CONFORMANCE).await;
    let slow = server.begin("slow", r#"{"seconds":1.5}"#).await;
    let greeting = server.begin("greeting", r#"{"delay":0.4,"name":"Ada"}"#).await;
    let fanout = server.begin("fanout", r#"{"n":400}"#).await;
    let hitl = server.begin("hitl", "{}").await;
    let waiter = server.begin("waiter", "{}").await;
    server.events(&hitl, "").await.until("RequestEvent").await;
    server.events(&waiter, "").await.until("AskEvent").await;
    let seen = server.events(&greeting, "").await.until("StreamEvent").await;

    assert!(server.stop().success(), "{}", server.log());
    server.restart().await;
    assert!(server.screen().contains("going on with 5 unfinished runs"), "{}", server.screen());

    server.send(&hitl, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    server.send(&waiter, "AnswerEvent", r#"{"user":"laurie","answer":"42"}"#).await;
    assert_eq!(server.ended(&slow).await.result(), "slept 1.5");
    assert_eq!(server.ended(&fanout).await.result(), json!((0..400).map(|i| i * i).collect::<Vec<u64>>()));
    assert_eq!(server.ended(&hitl).await.value(), json!({"output": "Hello, Ada"}));
    assert_eq!(server.ended(&waiter).await.result(), json!({"answer": "42"}));
    assert_eq!(server.ended(&greeting).await.result(), "Hello, Ada!");
    let all = server.events(&greeting, "").await.rest().await;
    assert_eq!((&all[..seen.len()], all.len()), (&seen[..], 4));
}

#[tokio::test]
async fn held_requests_get_503_and_streams_end_without_a_terminal_event() {
    let mut server = Serve::guests(&["slow"]).with(&["--cors-origin", "https://friend.example"]).start().await;
    // Has begun to ask, and comes to the end of it when the server stops.
    let mut late = Wire::connect(server.address());
    assert!(late.write(b"POST /workflows/slow/run HTTP/1.1\r\n"));
    let held = {
        let client = (*server).clone();
        tokio::spawn(async move { client.post("/workflows/slow/run", r#"{"handler_id":"held","start_event":{"seconds":1}}"#).await })
    };
    until("the run to be there", async || (server.get("/handlers/held").await.status == 202).then_some(())).await;
    let mut stream = server.events("held", "").await;
    server.terminate();
    let (frames, end) = stream.to_end().await;
    assert_eq!((frames, end), (vec![], End::Whole));
    let held = held.await.expect("no panic");
    assert_eq!(held.status, 503, "{held:?}");
    assert!(held.json()["detail"].is_string(), "{held:?}");
    assert_eq!((held.text("handler_id").as_str(), held.header("retry-after")), ("held", "1"));
    let (body, origin) = (r#"{"handler_id":"late"}"#, "Origin: https://friend.example");
    let rest = format!("Host: x\r\n{origin}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert!(late.write(rest.as_bytes()));
    let answer = String::from_utf8(late.read_to_end()).expect("text").to_ascii_lowercase();
    for part in ["http/1.1 503 ", "\r\nretry-after: 1\r\n", "\r\naccess-control-allow-origin: https://friend.example\r\n", r#"{"detail":"#]
    {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(server.exited().success(), "{}", server.log());
    server.restart().await;
    assert_eq!(server.ended("held").await.result(), "slept 1.0");
    assert_eq!(server.get("/handlers/late").await.status, 404, "what was refused was not begun");
}

#[tokio::test]
async fn stopping_many_times_does_not_count_as_poison() {
    let mut server = Server::start(&["slow"]).await;
    let handler = server.begin("slow", r#"{"seconds":3}"#).await;
    for _ in 0..12 {
        assert!(server.stop().success());
        server.restart().await;
    }
    assert_eq!(server.ended(&handler).await.result(), "slept 3.0");
}

#[tokio::test]
async fn a_timeout_does_not_run_while_no_host_is_up() {
    let mut server = Server::start(&["waiter"]).await;
    let handler = server.begin("waiter", r#"{"wait":2}"#).await;
    server.events(&handler, "").await.until("AskEvent").await;
    let stopped = std::time::Instant::now();
    assert!(server.stop().success());
    // The host is down for longer than the wait.
    until("two seconds without a host", async || (stopped.elapsed().as_millis() > 2100).then_some(())).await;
    server.restart().await;
    assert_eq!(server.send(&handler, "AnswerEvent", r#"{"user":"laurie","answer":"42"}"#).await.status, 200);
    assert_eq!(server.ended(&handler).await.result(), json!({"answer": "42"}));
}

#[tokio::test]
async fn the_memory_store_keeps_nothing() {
    let mut server = Serve::guests(&["greeting"]).with(&["--store", "memory:"]).start().await;
    let handler = server.run("greeting", "{}").await.handler();
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.status, 200);
    assert!(server.stop().success());
    server.restart().await;
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.status, 404);
}

/// Runs that wait for an answer, and have asked for it: half of them inside a step, half between two.
async fn parked(server: &Server, places: Range<usize>) -> Vec<String> {
    let handlers = places.map(|place| format!("{}-{place}", ["hitl", "waiter"][place % 2])).collect();
    at_once(server, handlers, async |client, handler| {
        let workflow = handler.split('-').next().expect("a name");
        let start = json!({ "handler_id": handler, "start_event": { "wait": 6000 } }).to_string();
        let started = client.post(&format!("/workflows/{workflow}/run-nowait"), &start).await;
        assert_eq!(started.status, 200, "{started:?}");
        client.events(handler, "").await.next().await.expect("what it asks");
    })
    .await
}

/// Does the same for all handlers, fifty at a time.
async fn at_once(server: &Server, handlers: Vec<String>, what: impl AsyncFn(&Client, &str)) -> Vec<String> {
    for some in handlers.chunks(50) {
        join_all(some.iter().map(|handler| what(server, handler))).await;
    }
    handlers
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_parked_runs_cost_a_restart_nothing() {
    let mut server = Server::start(&["hitl", "waiter"]).await;
    let handlers = parked(&server, 0..2000).await;
    assert!(server.stop().success(), "{}", server.log());
    let entries = rows(&server.data(), "journal");
    for killed in [false, true] {
        if killed {
            server.kill();
        }
        let begun = Instant::now();
        server.restart().await;
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(5), "healthy after {taken:?}, killed: {killed}");
        until("what it does after it is healthy", async || (begun.elapsed() > 2 * taken).then_some(())).await;
        assert_eq!(rows(&server.data(), "journal"), entries, "a run that only waits is not touched, killed: {killed}");
    }
    at_once(&server, handlers.clone(), async |client, handler| {
        let answer = json!({ "response": "Ada", "user": "laurie", "answer": "42" }).to_string();
        let name = if handler.starts_with("hitl") { "ResponseEvent" } else { "AnswerEvent" };
        let sent = client.send(handler, name, &answer).await;
        assert_eq!(sent.status, 200, "{sent:?}");
    })
    .await;
    at_once(&server, handlers, async |client, handler| {
        let expected = if handler.starts_with("hitl") { json!({"output": "Hello, Ada"}) } else { json!({"result": {"answer": "42"}}) };
        assert_eq!(client.ended(handler).await.value(), expected);
    })
    .await;
    assert_eq!(server.get("/health").await.status, 200);
}

/// What runs took while they executed goes back to the machine, beside what the first few have left.
#[tokio::test(flavor = "multi_thread")]
async fn parked_runs_cost_no_memory() {
    let server = Server::start(&["hitl", "waiter"]).await;
    // What the server keeps for all runs, as pages of its database, is there after these.
    parked(&server, 0..4000).await;
    let before = server.memory();
    parked(&server, 4000..12_000).await;
    until("less than a kilobyte of memory for each run", async || (server.memory() < before + (8000 << 10)).then_some(())).await;
}

/// The benchmark has ten times as many, and takes the time.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parked_runs_are_not_touched_by_a_start() {
    let mut server = Server::start(&["hitl", "slow"]).await;
    server.post("/workflows/hitl/run-nowait", r#"{"handler_id":"parked"}"#).await;
    server.events("parked", "").await.until("RequestEvent").await;
    let owned = "select count(*) from run where owner is not null";
    until("it to be parked", async || (query(&server.data(), owned)[0][0] == 0).then_some(())).await;
    server.post("/workflows/slow/run-nowait", r#"{"handler_id":"executing","start_event":{"seconds":600}}"#).await;
    let (memory, data) = (server.memory_max(), server.data());
    server.kill();
    // On a busy machine it may have gone to sleep, and be nobody's, by then.
    let held = query(&data, "select generation + (owner is not null) from run where handler = 'executing'");
    copy_runs(&data, "parked", 10_000);
    let parked = "select count(*), sum(generation), sum(next_seq), count(owner), max(updated_at) from run where workflow = 'hitl'";
    let before = query(&data, parked);
    assert_eq!(before[0][0], 10_001);
    server.restart().await;
    assert!(server.screen().contains("going on with 10002 unfinished runs"), "{}", server.screen());
    // The first search takes what the killed one had, and whatever is due.
    let taken = "select generation from run where handler = 'executing'";
    until("what was executing to go on", async || (query(&data, taken) == held).then_some(())).await;
    let more = server.memory_max().saturating_sub(memory);
    assert!(more < 64 << 20, "{more} bytes more than for two");
    assert_eq!(server.run("slow", r#"{"seconds":0.1}"#).await.status, 200);
    assert_eq!(query(&data, parked), before, "a run that only waits is not touched");
    for handler in ["p000000000", "p000004711", "p000009999"] {
        assert_eq!(server.send(handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
        assert_eq!(server.ended(handler).await.value(), json!({"output": "Hello, Ada"}));
    }
}

/// From the moment at which it has its database open.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_it_starts_is_graceful() {
    let mut server = Server::start(&CONFORMANCE).await;
    let slow = server.begin("slow", r#"{"seconds":600}"#).await;
    assert!(server.stop().success(), "{}", server.log());
    for round in 0..10 {
        server.begin_restart();
        until_blocking("it to open its database", || server.has_open(".db").then_some(()));
        server.terminate();
        let status = server.exited();
        assert!(status.success(), "{status} in round {round}: {}", server.log());
    }
    server.restart().await;
    assert_eq!(server.get(&format!("/handlers/{slow}")).await.status, 202, "it goes on");
}

//! Of a workflow only so many runs go on at once, where `runs_max` says so: the others queue, durably.

use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::{Serve, Server, server, until};

/// A server of one workflow, of which so many runs go on at once.
async fn server(workflow: &str, runs_max: u32) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    set(&folder, &format!("[workflows.{workflow}]\nruns_max = {runs_max}\n"));
    let config = folder.path().join("wf-host.toml").display().to_string();
    (Serve::guests(&[workflow]).with(&["--config", &config]).start().await, folder)
}

fn set(folder: &TempDir, settings: &str) {
    std::fs::write(folder.path().join("wf-host.toml"), settings).expect("written");
}

async fn start(server: &Server, handler: &str) -> String {
    let answer = server.post("/workflows/inbox/run-nowait", &json!({ "handler_id": handler, "start_event": { "n": 1 } }).to_string()).await;
    assert_eq!((answer.status, answer.text("status").as_str()), (200, "running"), "{}", answer.body);
    answer.run()
}

/// The handlers that run, oldest first: those that have begun, or those that queue.
async fn running(server: &Server, queued: bool) -> Vec<String> {
    let list = server.get("/api/v1/runs?status=running&status=waiting").await.json();
    let runs = list["runs"].as_array().expect("a list").iter().rev();
    runs.filter(|it| it["queued"] == queued).map(|it| it["handler_id"].as_str().expect("a text").to_owned()).collect()
}

async fn until_begun(server: &Server, handlers: &[&str]) {
    until(&format!("{handlers:?} to begin"), async || (running(server, false).await == handlers).then_some(())).await;
}

async fn answer(server: &Server, handler: &str) {
    let sent = server.send(handler, "AnswerEvent", r#"{"text":"x"}"#).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
}

#[tokio::test]
async fn they_go_on_in_the_order_of_their_starts_and_never_more_than_may_over_kills() {
    let (mut server, _folder) = server("inbox", 3).await;
    let handlers: Vec<String> = (10..30).map(|number| format!("h{number}")).collect();
    for handler in &handlers {
        start(&server, handler).await;
    }
    let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
    assert_eq!(running(&server, false).await, handlers[..3]);
    assert_eq!(running(&server, true).await, handlers[3..]);
    for (place, handler) in handlers.iter().enumerate() {
        answer(&server, handler).await;
        if place % 4 == 1 {
            // Its turn may have been given, or not.
            server.crash().await;
        }
        assert_eq!(server.ended(handler).await.result(), json!(["x"]));
        until(&format!("whoever comes after {handler}"), async || {
            let begun = running(&server, false).await;
            assert!(begun.len() <= 3, "{begun:?}");
            (begun == handlers[place + 1..(place + 4).min(handlers.len())]).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn one_that_queues_runs_for_whoever_looks_and_has_not_begun() {
    let (mut server, _folder) = server("inbox", 1).await;
    start(&server, "first").await;
    let context = json!({ "state": { "state_data": { "_data": { "kept": 7 } } } });
    let body = json!({ "handler_id": "second", "start_event": { "n": 1 }, "context": context }).to_string();
    let key = [("idempotency-key", "once")];
    let made = server.request("POST", "/workflows/inbox/run-nowait", &key, &body).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let run = made.run();
    for restarted in [false, true] {
        if restarted {
            server.crash().await;
        }
        assert_eq!(server.get("/handlers/second").await.text("status"), "running");
        assert_eq!(server.get("/results/second").await.status, 202);
        let shown = server.get(&format!("/api/v1/runs/{run}")).await;
        assert_eq!((shown.status, &shown.json()["queued"]), (202, &json!(true)), "{}", shown.body);
        let history = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
        assert_eq!((&history["moments"], &history["next"]), (&json!([]), &Value::Null));
        let state = server.get(&format!("/api/v1/runs/{run}/state")).await;
        assert!(state.status == 200 && state.body.contains(r#""kept":7"#), "{}", state.body);
        let state = server.get(&format!("/api/v1/runs/{run}/state?seq=0")).await;
        assert!(state.status == 200 && state.body.contains(r#""kept":7"#), "{}", state.body);
        let context = server.get("/api/v1/handlers/second/context").await;
        assert!(context.status == 200 && context.body.contains("kept"), "{}", context.body);
        let sent = server.send("second", "AnswerEvent", r#"{"text":"x"}"#).await;
        assert_eq!((sent.status, sent.header("retry-after")), (429, "1"), "{}", sent.body);
        assert!(sent.text("detail").contains("has not begun"), "{}", sent.body);
        assert_eq!(server.post("/workflows/inbox/run-nowait", r#"{"handler_id":"second"}"#).await.status, 409);
        assert_eq!(server.request("POST", "/workflows/inbox/run-nowait", &key, &body).await.run(), run);
    }
    let mut stream = server.events("second", "").await;
    answer(&server, "first").await;
    stream.until("AskEvent").await;
    assert_eq!(server.get(&format!("/api/v1/runs/{run}")).await.json()["queued"], false);
    answer(&server, "second").await;
    assert_eq!(server.ended("second").await.result(), json!(["x"]));
}

#[tokio::test]
async fn one_that_queues_is_listed_as_such_by_the_command() {
    let (server, _folder) = server("inbox", 1).await;
    start(&server, "first").await;
    start(&server, "second").await;
    let ask = |arguments: &[&str]| {
        let output = server::command().args(["runs", "ls"]).args(arguments).env("WF_HOST_SERVER", server.url()).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    until("the first to wait", async || ask(&["--status", "waiting"]).contains("first").then_some(())).await;
    let listed = ask(&["--status", "running", "--status", "waiting"]);
    let rows: Vec<Vec<&str>> = listed.lines().skip(1).map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(rows, [["second", "inbox", "queued"], ["first", "inbox", "waiting"]]);
    let listed: Value = serde_json::from_str(&ask(&["--workflow", "inbox", "--json"])).expect("JSON");
    assert_eq!((&listed["runs"][0]["queued"], &listed["runs"][1]["queued"]), (&json!(true), &Value::Null));
    answer(&server, "first").await;
    until("its turn", async || (!ask(&[]).contains("queued")).then_some(())).await;
}

/// Whoever goes on with a handler again and again passes nobody.
#[tokio::test]
async fn a_handler_that_begins_again_queues_behind_all_others() {
    let (server, _folder) = server("inbox", 1).await;
    for handler in ["greedy", "a", "b"] {
        start(&server, handler).await;
    }
    for next in ["a", "b", "greedy"] {
        let before = running(&server, false).await;
        answer(&server, &before[0]).await;
        server.ended(&before[0]).await;
        if before[0] == "greedy" {
            start(&server, "greedy").await;
        }
        until_begun(&server, &[next]).await;
    }
}

#[tokio::test]
async fn who_waits_for_one_that_queues_is_told_its_end() {
    let (server, _folder) = server("inbox", 1).await;
    start(&server, "first").await;
    let waited = async {
        let ended = server.post("/workflows/inbox/run", r#"{"handler_id":"second","start_event":{"n":1}}"#).await;
        assert_eq!((ended.status, ended.result()), (200, json!(["x"])));
    };
    let driven = async {
        until("the second to queue", async || (running(&server, true).await == ["second"]).then_some(())).await;
        answer(&server, "first").await;
        until_begun(&server, &["second"]).await;
        answer(&server, "second").await;
    };
    tokio::join!(waited, driven);
}

#[tokio::test]
async fn one_that_queues_is_cancelled_or_purged_without_a_step_of_it() {
    let (server, _folder) = server("inbox", 1).await;
    for handler in ["first", "second", "third", "fourth"] {
        start(&server, handler).await;
    }
    let run = server.get("/handlers/second").await.run();
    assert_eq!(server.post("/handlers/second/cancel", "").await.status, 200);
    assert_eq!(server.get("/handlers/second").await.text("status"), "cancelled");
    assert_eq!(server.shape("second").await.len(), 1, "it has asked nothing: nobody has entered its step");
    let history = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
    let kinds: Vec<&Value> = history["moments"].as_array().expect("a list").iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["started", "cancel-requested"]);
    assert_eq!(server.post("/handlers/third/cancel?purge=true", "").await.status, 200);
    assert_eq!(server.get("/handlers/third").await.status, 404);
    assert_eq!((running(&server, false).await, running(&server, true).await), (vec!["first".to_owned()], vec!["fourth".to_owned()]));
    assert_eq!(server.post("/handlers/first/cancel", "").await.status, 200);
    until_begun(&server, &["fourth"]).await;
}

#[tokio::test]
async fn its_timeout_counts_from_its_turn() {
    let (server, _folder) = server("timeout", 1).await;
    let mut handlers = Vec::new();
    for _ in 0..8 {
        handlers.push(server.begin("timeout", r#"{"seconds":0.1}"#).await);
    }
    for handler in handlers {
        assert_eq!(
            server.ended(&handler).await.result(),
            json!("slept 0.1"),
            "0.3 seconds are enough from its turn, and not from its start"
        );
    }
}

#[tokio::test]
async fn those_that_queue_begin_where_the_cap_is_another_after_a_restart() {
    let (mut server, folder) = server("inbox", 1).await;
    for handler in ["h1", "h2", "h3", "h4"] {
        start(&server, handler).await;
    }
    set(&folder, "[workflows.inbox]\nruns_max = 2\n");
    server.stop();
    server.restart().await;
    until_begun(&server, &["h1", "h2"]).await;
    set(&folder, "");
    server.stop();
    server.restart().await;
    until_begun(&server, &["h1", "h2", "h3", "h4"]).await;
}

#[tokio::test]
async fn a_fork_queues_as_others_do_over_kills_and_begins_when_its_turn_comes() {
    let (mut server, _folder) = server("inbox", 1).await;
    start(&server, "first").await;
    // It is answered after it has asked: what comes before would be its second entry.
    server.events("first", "").await.until("AskEvent").await;
    answer(&server, "first").await;
    let origin = server.ended("first").await;
    start(&server, "second").await;
    let fork = async |server: &Server, handler: &str| {
        let body = json!({ "at": 1, "handler_id": handler }).to_string();
        let forked = server.post(&format!("/api/v1/runs/{}/fork", origin.run()), &body).await;
        assert_eq!((forked.status, &forked.json()["queued"]), (200, &json!(true)), "{}", forked.body);
        forked.run()
    };
    let run = fork(&server, "forked").await;
    start(&server, "third").await;
    fork(&server, "never").await;
    for restarted in [false, true] {
        if restarted {
            server.crash().await;
        }
        assert_eq!(running(&server, false).await, ["second"]);
        assert_eq!(running(&server, true).await, ["forked", "third", "never"]);
        let shown = server.get(&format!("/api/v1/runs/{run}")).await.json();
        assert_eq!((&shown["forked_from"], &shown["queued"]), (&json!(origin.run()), &json!(true)));
        let state = server.get(&format!("/api/v1/runs/{run}/state")).await;
        assert_eq!(state.status, 200, "{}", state.body);
        let graph = server.get(&format!("/api/v1/runs/{run}/representation")).await;
        assert_eq!(graph.status, 200, "{}", graph.body);
        assert_eq!(server.send("forked", "AnswerEvent", r#"{"text":"x"}"#).await.status, 429);
        assert_eq!(server.post(&format!("/api/v1/runs/{run}/fork"), "{}").await.status, 429);
        server.check_store();
    }
    assert_eq!(server.post("/handlers/never/cancel", "").await.status, 200);
    assert_eq!(server.ended("never").await.text("status"), "cancelled");
    // Its origin may go: it has all that it needs.
    assert_eq!(server.post("/handlers/first/cancel?purge=true", "").await.status, 200);
    let began = async || server.get(&format!("/api/v1/runs/{run}")).await.text("started_at");
    let before = began().await;
    answer(&server, "second").await;
    until_begun(&server, &["forked"]).await;
    until("its beginning, which is when its turn comes", async || (began().await > before).then_some(())).await;
    assert_eq!(running(&server, true).await, ["third"]);
    server.crash().await;
    answer(&server, "forked").await;
    assert_eq!(server.ended("forked").await.result(), json!(["x"]));
    until_begun(&server, &["third"]).await;
    let kinds = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
    let kinds: Vec<&str> = kinds["moments"].as_array().expect("entries").iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds[..3], ["started", "step-progressed", "forked"]);
    server.check_store();
}

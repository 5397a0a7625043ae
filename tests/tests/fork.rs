//! Forks: a run from any entry of another on, under a handler of its own.

use serde_json::{Value, json};
use wf_tests::artifacts::Language;
use wf_tests::command_line::wf_host;
use wf_tests::origin::{Origin, reply};
use wf_tests::wasm::Module;
use wf_tests::{Answer, CONFORMANCE, Serve, Server, until};

/// The fields that say how a run ended.
fn end(run: &Value) -> [Value; 3] {
    ["status", "error", "result"].map(|key| run[key].clone())
}

async fn run(server: &Server, id: &str) -> Value {
    server.get(&format!("/api/v1/runs/{id}")).await.json()
}

async fn fork(server: &Server, run: &str, body: &Value) -> Answer {
    server.post(&format!("/api/v1/runs/{run}/fork"), &body.to_string()).await
}

/// What a fork of a run came to.
async fn forked(server: &Server, run: &str, body: &Value) -> Value {
    let forked = fork(server, run, body).await;
    assert_eq!(forked.status, 200, "{body}: {}", forked.body);
    assert_eq!(forked.json()["forked_from"], run);
    server.ended(&forked.handler()).await.json()
}

/// The entries of a run, with how many frames there were after each.
async fn moments(server: &Server, run: &str) -> Vec<Value> {
    let history = server.get(&format!("/api/v1/runs/{run}/history?limit=1000")).await.json();
    history["moments"].as_array().expect("entries").clone()
}

async fn frames(server: &Server, run: &str) -> Vec<Value> {
    let path = format!("/api/v1/runs/{run}/events?include_internal=true");
    server.stream(&path, &[]).await.rest().await.iter().map(|frame| frame.json()).collect()
}

/// What a conformance run is begun with, and what is sent to it.
fn played(name: &str) -> (&'static str, Option<(&'static str, &'static str)>) {
    match name {
        "greeting" => (r#"{"name":"Ada"}"#, None),
        "hitl" => ("{}", Some(("ResponseEvent", r#"{"response":"Ada"}"#))),
        "waiter" => ("{}", Some(("AnswerEvent", r#"{"answer":"42","user":"laurie"}"#))),
        "slow" => (r#"{"seconds":0.02}"#, None),
        _ => ("{}", None),
    }
}

/// Plays a run of a conformance workflow to its end.
async fn origin(server: &Server, name: &str) -> String {
    let (start, sent) = played(name);
    let handler = server.begin(name, start).await;
    if let Some((kind, event)) = sent {
        server.events(&handler, "").await.next().await.expect("a question");
        assert_eq!(server.send(&handler, kind, event).await.status, 200);
    }
    server.ended(&handler).await.run()
}

async fn every_entry_of(language: Language) {
    let server = Server::of(language, &CONFORMANCE).await;
    until("all workflows", async || {
        (server.get("/workflows").await.json()["workflows"].as_array()?.len() == CONFORMANCE.len()).then_some(())
    })
    .await;
    for name in CONFORMANCE {
        let id = origin(&server, name).await;
        let (before, moments, told) = (run(&server, &id).await, moments(&server, &id).await, frames(&server, &id).await);
        assert!(moments.len() >= 2, "{name}");
        let mut forks = Vec::new();
        for at in 0..moments.len() - 1 {
            let forked = fork(&server, &id, &json!({ "at": at })).await;
            assert_eq!(forked.status, 200, "{name} at {at}: {}", forked.body);
            let later = moments[at + 1..].iter().any(|it| it["kind"] == "event-received");
            if let Some((kind, event)) = played(name).1.filter(|_| later) {
                assert_eq!(server.send(&forked.handler(), kind, event).await.status, 200);
            }
            let ended = server.ended(&forked.handler()).await.json();
            // What an attempt had committed stands where it begins anew, as it does when it fails.
            let counts = ["retry", "counter"].contains(&name) && moments[at]["kind"] == "step-progressed";
            assert_eq!(ended["status"], before["status"], "{name} at {at}");
            // Chance is a fork's own.
            if !counts && name != "random" {
                assert_eq!(end(&ended), end(&before), "{name} at {at}");
            }
            let copied = moments[at]["frames"].as_u64().expect("a number") as usize;
            let of_fork = frames(&server, &forked.run()).await;
            assert_eq!(of_fork[..copied], told[..copied], "{name} at {at}");
            assert!(of_fork.len() > copied, "{name} at {at}: it has an end of its own");
            forks.push(forked.run());
        }
        let after = run(&server, &id).await;
        assert_eq!(after["forks"], json!(forks), "{name}");
        assert_eq!(end(&after), end(&before), "{name}: nothing happened to it");
        assert_eq!(moments.len(), self::moments(&server, &id).await.len(), "{name}");
    }
    server.check_store();
}

#[tokio::test]
async fn a_fork_from_every_entry_of_every_conformance_run_ends_as_its_origin_did() {
    every_entry_of(Language::Rust).await;
}

#[tokio::test]
async fn in_python_too() {
    every_entry_of(Language::Python).await;
}

#[tokio::test]
async fn in_typescript_too() {
    every_entry_of(Language::TypeScript).await;
}

#[tokio::test]
async fn in_go_too() {
    every_entry_of(Language::Go).await;
}

#[tokio::test]
async fn in_c_too() {
    every_entry_of(Language::C).await;
}

/// Two requests, the second of which fails at first: a fork makes both once, from wherever it goes on, and tells the same.
#[tokio::test]
async fn a_run_that_has_been_outside_is_forked_from_every_entry() {
    let origin = Origin::start(|seen, number| match number {
        1 => vec![reply(503, &[], "busy")],
        _ => vec![reply(200, &[], &format!("{} {}", seen.method, seen.path))],
    })
    .await;
    let server = Serve::guests(&["outside"]).with(&["--allow-http", &origin.url("")]).start().await;
    let tasks = ["/a", "/b"].map(|path| json!({ "url": origin.url(path), "publish": true, "fails": true }));
    let ended = server.run("outside", &json!({ "tasks": tasks }).to_string()).await;
    let (id, told) = (ended.run(), ended.result()["told"].clone());
    assert_eq!((&told[0]["body"], &told[1]["body"]), (&json!("GET /a"), &json!("GET /b")), "{ended:?}");
    let paths = || origin.seen().into_iter().map(|it| it.path).collect::<Vec<String>>();
    assert_eq!(paths(), ["/a", "/b", "/a", "/b"]);
    let (all, before) = (moments(&server, &id).await, frames(&server, &id).await);
    assert!(all.iter().any(|it| it["kind"] == "step-failed") && all.iter().any(|it| it["kind"] == "step-progressed"), "{all:?}");
    for (at, moment) in all[..all.len() - 1].iter().enumerate() {
        let asked = paths().len();
        let ended = forked(&server, &id, &json!({ "at": at })).await;
        assert_eq!((&ended["status"], &ended["result"]["value"]["result"]["told"]), (&json!("completed"), &told), "at {at}: {ended}");
        assert_eq!(paths()[asked..], ["/a", "/b"], "at {at}: what was in flight asks again, once");
        let copied = moment["frames"].as_u64().expect("a number") as usize;
        let of_fork = frames(&server, ended["run_id"].as_str().expect("an id")).await;
        assert_eq!(of_fork[..copied], before[..copied], "at {at}");
    }
    server.check_store();
}

#[tokio::test]
async fn its_state_its_input_or_what_comes_next_is_edited() {
    let server = Server::start(&["counter", "greeting", "hitl", "fanout"]).await;
    let counter = origin(&server, "counter").await;
    let ended = forked(&server, &counter, &json!({ "at": 0, "state": { "count": 41 } })).await;
    assert_eq!(ended["result"]["value"]["result"], json!({ "count": 42 }));
    let greeting = origin(&server, "greeting").await;
    for event in [json!({ "name": "Bob" }), json!({ "type": "StartEvent", "value": { "name": "Bob" } }), json!([{ "name": "Bob" }])] {
        let ended = forked(&server, &greeting, &json!({ "at": 0, "event": event, "invocation": 0 })).await;
        assert_eq!(ended["result"]["value"]["result"], "Hello, Bob!");
    }
    let hitl = origin(&server, "hitl").await;
    let next = json!({ "type": "ResponseEvent", "value": { "response": "Bob" } });
    assert_eq!(forked(&server, &hitl, &json!({ "at": 1, "event": next })).await["result"]["value"]["output"], "Hello, Bob");
    let fanout = origin(&server, "fanout").await;
    let entries = moments(&server, &fanout).await;
    let split = entries.iter().position(|it| it["kind"] == "step-returned").expect("it sends three");
    let edit = json!({ "at": split, "event": { "i": 9 }, "invocation": 1 });
    assert_eq!(forked(&server, &fanout, &edit).await["result"]["value"]["result"], json!([1, 4, 81]));
    server.check_store();
}

#[tokio::test]
async fn a_failed_run_is_tried_again_from_its_step_as_it_was_or_with_todays_code() {
    let manifest = r#"{"name":"w","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("w.wasm");
    std::fs::write(&file, Module::describing(manifest).binary()).expect("written");
    let mut server = Serve::guests(&[]).with(&[&format!("w={}", file.display())]).start().await;
    let listed = async |server: &Server| server.get("/api/v1/workflows").await.json()["workflows"][0]["digest"].clone();
    let before = listed(&server).await;
    let handler = server.begin("w", r#"{"result":1}"#).await;
    let failed = server.ended(&handler).await;
    assert_eq!(failed.text("status"), "failed");
    let again = forked(&server, &failed.run(), &json!({})).await;
    assert_eq!(end(&again), end(&failed.json()), "as it was, it fails again");
    // The same step of the new version ends the run with what it is given.
    std::fs::write(&file, Module::echoing(manifest).binary()).expect("written");
    until("the new version", async || (listed(&server).await != before).then_some(())).await;
    for restarted in [false, true] {
        if restarted {
            server.crash().await;
            until("it to be loaded", async || (!listed(&server).await.is_null()).then_some(())).await;
        }
        for event in [json!({}), json!({ "event": { "result": 2 } })] {
            for definition in [None, Some("pinned"), Some("current")] {
                let mut body = event.clone();
                if let Some(definition) = definition {
                    body["definition"] = json!(definition);
                }
                let ended = forked(&server, &failed.run(), &body).await;
                if definition == Some("current") {
                    let given = event["event"]["result"].as_i64().unwrap_or(1);
                    assert_eq!(ended["status"], "completed", "{body}: {ended}");
                    assert_eq!(ended["result"]["value"]["result"], given, "{body}");
                } else {
                    assert_eq!(end(&ended), end(&failed.json()), "{body}: the code of then fails, whatever is there now");
                }
                let id = ended["run_id"].as_str().expect("an id");
                assert!(moments(&server, id).await.iter().any(|it| it["kind"] == "forked"), "{body}");
            }
        }
    }
    server.check_store();
}

#[tokio::test]
async fn a_fork_goes_on_after_a_kill_and_is_made_once() {
    let mut server = Server::start(&["hitl"]).await;
    let id = origin(&server, "hitl").await;
    let (path, headers) = (format!("/api/v1/runs/{id}/fork"), [("idempotency-key", "once")]);
    let forked = server.request("POST", &path, &headers, r#"{"at":0}"#).await;
    assert_eq!(forked.status, 200, "{}", forked.body);
    server.crash().await;
    let again = server.request("POST", &path, &headers, r#"{"at":0}"#).await;
    assert_eq!((again.status, again.run()), (200, forked.run()));
    let other = server.request("POST", &path, &headers, r#"{"at":1}"#).await;
    assert_eq!((other.status, other.text("detail").as_str()), (422, "Idempotency-Key was used before with another body"));
    assert_eq!(run(&server, &id).await["forks"], json!([forked.run()]));
    server.events(&forked.handler(), "").await.until("RequestEvent").await;
    server.send(&forked.handler(), "ResponseEvent", r#"{"response":"Eve"}"#).await;
    assert_eq!(server.ended(&forked.handler()).await.value(), json!({ "output": "Hello, Eve" }));
    server.check_store();
}

#[tokio::test]
async fn a_fork_names_its_handler_unless_that_runs() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let hitl = origin(&server, "hitl").await;
    let named = fork(&server, &hitl, &json!({ "at": 0, "handler_id": "mine" })).await;
    assert_eq!((named.status, named.handler()), (200, "mine".to_owned()), "{}", named.body);
    for (handler, status, why) in [
        ("mine", 409, "Handler 'mine' is already running"),
        ("a/b", 400, "Error processing request body: 'handler_id' must be 1 to 128 characters of [0-9A-Za-z._:-]"),
    ] {
        let refused = fork(&server, &hitl, &json!({ "at": 0, "handler_id": handler })).await;
        assert_eq!((refused.status, refused.text("detail").as_str()), (status, why));
    }
    let long = fork(&server, &hitl, &json!({ "at": 0, "handler_id": "h".repeat(129) })).await;
    assert!(long.status == 400 && long.text("detail").ends_with("(limit handler_id_max)"), "{}", long.body);
    assert_eq!(fork(&server, &hitl, &json!({ "at": 0, "handler_id": 1 })).await.status, 400);
    server.events("mine", "").await.until("RequestEvent").await;
    server.send("mine", "ResponseEvent", r#"{"response":"Eve"}"#).await;
    assert_eq!(server.ended("mine").await.value(), json!({ "output": "Hello, Eve" }));
    // One that has ended is gone on with, also that of the origin itself.
    let greeting = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    let first = server.ended(&greeting).await.run();
    for handler in ["mine", &greeting] {
        let next = fork(&server, &first, &json!({ "at": 0, "handler_id": handler })).await;
        assert_eq!((next.status, next.handler().as_str()), (200, handler), "{}", next.body);
        let ended = server.ended(handler).await;
        assert_eq!((ended.run(), ended.result()), (next.run(), json!("Hello, Ada!")));
    }
    let output = wf_host(&["runs", "fork", &first, "--at", "0", "--handler-id", "by-hand", "--server", server.url()]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "by-hand\n");
    let waiting = server.begin("hitl", "{}").await;
    let output = wf_host(&["runs", "fork", &first, "--at", "0", "--handler-id", &waiting, "--server", server.url()]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(&format!("Handler '{waiting}' is already running")), "{said}");
    server.check_store();
}

#[tokio::test]
async fn a_fork_begins_when_it_is_made_and_its_timeout_counts_from_there() {
    let mut server = Server::start(&["timeout", "greeting"]).await;
    let handler = server.begin("timeout", r#"{"seconds":5}"#).await;
    let failed = server.ended(&handler).await;
    let origin = run(&server, &failed.run()).await;
    // Since its origin began, more than its timeout has passed.
    let ended = forked(&server, &failed.run(), &json!({ "at": 0, "event": { "seconds": 0.01 } })).await;
    assert_eq!(ended["result"]["value"]["result"], "slept 0.01");
    let id = ended["run_id"].as_str().expect("an id");
    let began = |run: &Value| run["started_at"].as_str().expect("a time").to_owned();
    assert!(*began(&ended) >= *origin["completed_at"].as_str().expect("a time"), "{ended}");
    let entries = moments(&server, id).await;
    let at = |kind: &str| entries.iter().find(|it| it["kind"] == kind).map(|it| it["at"].as_str().expect("a time").to_owned());
    assert_eq!(at("started"), Some(began(&origin)), "what was copied stays as it was");
    assert_eq!(at("forked"), Some(began(&ended)));
    server.crash().await;
    let listed = server.get("/api/v1/runs").await.json();
    let listed: Vec<(String, String)> =
        listed["runs"].as_array().expect("runs").iter().map(|it| (it["run_id"].as_str().expect("an id").to_owned(), began(it))).collect();
    assert_eq!(listed.iter().find(|it| it.0 == id).map(|it| it.1.clone()), Some(began(&ended)));
    assert_eq!(server.get(&format!("/handlers/{}", ended["handler_id"].as_str().expect("an id"))).await.text("started_at"), began(&ended));
    server.check_store();
}

#[tokio::test]
async fn what_cannot_be_forked_says_why() {
    let server = Server::start(&["greeting", "fanout", "hitl"]).await;
    assert_eq!(fork(&server, "nobody", &json!({})).await.status, 404);
    let greeting = origin(&server, "greeting").await;
    let last = moments(&server, &greeting).await.len() - 1;
    let fanout = origin(&server, "fanout").await;
    let split = moments(&server, &fanout).await.iter().position(|it| it["kind"] == "step-returned").expect("it sends three");
    for (id, body, why) in [
        (&greeting, json!({ "at": 99 }), format!("Entry 99 is not in the journal of run '{greeting}': its last is entry {last}")),
        (&greeting, json!({ "at": last }), format!("Run '{greeting}' ended with entry {last}: fork it at an earlier one")),
        (&greeting, json!({ "at": -1 }), "Invalid at: -1".to_owned()),
        (&greeting, json!({ "at": 0, "state": [] }), "Invalid state: the state is no JSON object".to_owned()),
        (&greeting, json!({ "at": 0, "definition": "old" }), "Invalid definition: \"old\". Give 'pinned' or 'current'".to_owned()),
        (
            &greeting,
            json!({ "at": 0, "event": {}, "invocation": 7 }),
            "Invocation 7 is not in flight after entry 0. In flight: 0 (greet)".to_owned(),
        ),
        (&greeting, json!({ "at": 0, "invocation": 0 }), "Event data is required: 'invocation' says who is to have it".to_owned()),
        (&greeting, json!({ "at": 0, "event": [{}, {}] }), "Invocation 0 of step greet was given 1 events, and not 2".to_owned()),
        (
            &greeting,
            json!({ "at": 0, "event": { "type": "StopEvent", "value": {} }, "invocation": 0 }),
            "Failed to send event: Step greet does not accept StopEvent".to_owned(),
        ),
        (
            &fanout,
            json!({ "at": split, "event": { "i": 1 } }),
            format!("Several are in flight after entry {split}: say which 'invocation' is to have it, of 1 (work), 2 (work), 3 (work)"),
        ),
        (
            &fanout,
            json!({ "at": 0, "event": { "n": "many" } }),
            "Failed to deserialize event: n: \"many\" is not of type \"integer\"".to_owned(),
        ),
    ] {
        let refused = fork(&server, id, &body).await;
        assert_eq!((refused.status, refused.text("detail")), (400, why), "{body}");
    }
    assert_eq!(run(&server, &greeting).await["forks"], json!([]), "nothing was made");
}

#[tokio::test]
async fn the_command_line_tries_again_with_a_mended_event() {
    let server = Server::start(&["failing", "greeting"]).await;
    let greeting = origin(&server, "greeting").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"name":"Bob"}"#).expect("written");
    let said = |arguments: &[&str]| {
        let output = wf_host(&[&["runs", "fork", "--server", server.url()], arguments].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let edit = format!("@{}", file.display());
    let (code, mended, _) = said(&[&greeting, "--at", "0", "--event", &edit, "--wait"]);
    assert_eq!((code, mended.as_str()), (Some(0), "\"Hello, Bob!\"\n"));
    let failed = server.begin("failing", "{}").await;
    server.ended(&failed).await;
    let (code, _, why) = said(&[&failed, "--wait"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("error: boom\n"), "{why}");
    let (code, _, why) = said(&[&failed, "--at", "9"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("Entry 9 is not in the journal of run"), "{why}");
    let (code, _, why) = said(&[&failed, "--state", "{"]);
    assert_eq!(code, Some(2));
    assert!(why.starts_with("error: `--state` is no JSON: "), "{why}");
    let (code, _, why) = said(&[&failed, "--state", "@nowhere.json"]);
    assert_eq!(code, Some(2));
    assert!(why.starts_with("error: `nowhere.json` cannot be read: "), "{why}");
    let shown = wf_host(&["runs", "show", &failed, "--server", server.url()]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("\nforks "), "{shown:?}");
}

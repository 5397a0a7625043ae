//! The conformance set: exact behaviour, the same for every language.

use serde_json::{Value, json};
use wf_tests::artifacts::{Language, root};
use wf_tests::wasm::compiled;
use wf_tests::{Answer, CONFORMANCE, Frame, Serve, Server, until};

/// Each test once for every language.
macro_rules! in_every_language {
    ($($name:ident)*) => {
        mod rust {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::Rust).await })*
        }
        mod python {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::Python).await })*
        }
        mod typescript {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::TypeScript).await })*
        }
        mod go {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::Go).await })*
        }
        mod c {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::C).await })*
        }
    };
}

in_every_language! {
    all_are_there greeting hitl waiter waiter_without_an_answer failing retry slow timeout
    fanout fanout_works_in_four_slots counter random descriptions
}

/// Up with all of them: where none is compiled yet, that may take longer than a server waits for them.
async fn start(language: Language, names: &[&str]) -> Server {
    let server = Server::of(language, names).await;
    until("all are loaded", async || {
        let loaded = server.get("/workflows").await.json()["workflows"].as_array().map_or(0, Vec::len);
        (loaded == names.len()).then_some(())
    })
    .await;
    server
}

async fn all_are_there(language: Language) {
    let server = start(language, &CONFORMANCE).await;
    let answer = server.get("/workflows").await.json();
    // Those that are still compiled when the server is up come in the order in which they are ready.
    let mut names: Vec<&str> = answer["workflows"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let mut all = CONFORMANCE;
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
}

async fn greeting(language: Language) {
    let server = start(language, &["greeting"]).await;
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!");
    for event in [r#"{"name":"Ada"}"#, r#"{"name":"Ada","delay":0.02}"#] {
        let handler = server.begin("greeting", event).await;
        assert_eq!(server.ended(&handler).await.result(), "Hello, Ada!");
        let events = [
            r#"StreamEvent {"sequence":0}"#,
            r#"StreamEvent {"sequence":1}"#,
            r#"StreamEvent {"sequence":2}"#,
            r#"StopEvent {"result":"Hello, Ada!"}"#,
        ];
        assert_eq!(server.shape(&handler).await, events);
    }
    let taken = seconds(&server.run("greeting", r#"{"delay":0.2}"#).await);
    assert!(taken >= 0.6, "it sleeps after each event: {taken}");
    let odd = server.run("greeting", r#"{"name":"Ünïcode \"quoted\" 🦀 \\ \u0000 end"}"#).await;
    assert_eq!(odd.result(), "Hello, Ünïcode \"quoted\" 🦀 \\ \u{0} end!");
}

async fn hitl(language: Language) {
    let server = start(language, &["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    let asked = server.events(&handler, "").await.next().await.expect("an event");
    assert_eq!(asked.shape(), r#"RequestEvent {"prompt":"What is your name?"}"#);
    assert_eq!(asked.json()["types"], json!(["InputRequiredEvent"]));
    assert_eq!(asked.json()["qualified_name"], "hitl.RequestEvent");
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.status, 202);
    server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    let ended = server.ended(&handler).await;
    let result = json!({"value": {"output": "Hello, Ada"}, "qualified_name": "hitl.OutEvent", "type": "OutEvent", "types": ["StopEvent"]});
    assert_eq!(ended.json()["result"], result);
    let events = [r#"RequestEvent {"prompt":"What is your name?"}"#, r#"OutEvent {"output":"Hello, Ada"}"#];
    assert_eq!(server.shape(&handler).await, events);
}

async fn waiter(language: Language) {
    let server = start(language, &["waiter"]).await;
    let handler = server.begin("waiter", "{}").await;
    let asked = server.events(&handler, "").await.next().await.expect("an event");
    assert_eq!(asked.shape(), r#"AskEvent {"question":"who?"}"#);
    for other in [r#"{"answer":"1"}"#, r#"{"answer":"2","user":"Laurie"}"#, r#"{"answer":"3","user":"anyone"}"#] {
        assert_eq!(server.send(&handler, "AnswerEvent", other).await.status, 200);
    }
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.status, 202, "no other answer is taken");
    server.send(&handler, "AnswerEvent", r#"{"answer":"42","user":"laurie"}"#).await;
    assert_eq!(server.ended(&handler).await.result(), json!({"answer": "42"}));
    assert_eq!(server.shape(&handler).await, [r#"AskEvent {"question":"who?"}"#, r#"StopEvent {"result":{"answer":"42"}}"#]);
}

async fn waiter_without_an_answer(language: Language) {
    let server = start(language, &["waiter"]).await;
    let ended = server.run("waiter", r#"{"wait":0.2}"#).await;
    assert_eq!((ended.status, ended.text("status")), (500, "failed".into()), "{ended:?}");
    assert!(seconds(&ended) >= 0.2, "{ended:?}");
    let events = server.shape(&ended.handler()).await;
    assert_eq!(events[0], r#"AskEvent {"question":"who?"}"#);
    assert!(events[1].starts_with("WorkflowFailedEvent "), "{events:?}");
    assert_eq!(events.len(), 2);
}

async fn failing(language: Language) {
    let server = start(language, &["failing"]).await;
    for (event, message) in [("{}", "boom"), (r#"{"message":"no luck"}"#, "no luck")] {
        let ended = server.run("failing", event).await;
        assert_eq!((ended.status, ended.text("error"), ended.text("status")), (500, message.into(), "failed".into()));
        let events = server.events(&ended.handler(), "").await.rest().await;
        assert_eq!(events.len(), 1);
        let failed = events[0].json();
        assert_eq!((&failed["type"], &failed["types"]), (&json!("WorkflowFailedEvent"), &json!(["StopEvent"])));
        let value = &failed["value"];
        assert_eq!((&value["step_name"], &value["attempts"]), (&json!("fail"), &json!(1)), "{failed}");
        assert_eq!(value["exception"]["exception_message"], message);
        assert!(value["exception"]["exception_type"].as_str().is_some_and(|it| it.ends_with("ValueError")), "{failed}");
        assert!(value["elapsed_seconds"].is_number(), "{failed}");
    }
}

async fn retry(language: Language) {
    let server = start(language, &["retry"]).await;
    let ended = server.run("retry", "{}").await;
    assert_eq!(ended.result(), json!({"tries": 3}));
    assert!(seconds(&ended) >= 0.1, "two delays of 0.05 s: {ended:?}");
}

async fn slow(language: Language) {
    let server = start(language, &["slow"]).await;
    for (event, result, least) in
        [("{}", "slept 1.0", 1.0), (r#"{"seconds":0.5}"#, "slept 0.5", 0.5), (r#"{"seconds":0}"#, "slept 0.0", 0.0)]
    {
        let ended = server.run("slow", event).await;
        assert_eq!(ended.result(), result);
        assert!((least..least + 30.0).contains(&seconds(&ended)), "{ended:?}");
    }
}

async fn timeout(language: Language) {
    let server = start(language, &["timeout"]).await;
    let ended = server.run("timeout", r#"{"seconds":600}"#).await;
    assert_eq!((ended.status, ended.text("error")), (500, "Workflow timed out after 0.3s".into()));
    let events = server.shape(&ended.handler()).await;
    assert_eq!(events, [r#"WorkflowTimedOutEvent {"timeout":0.3,"active_steps":["nap"]}"#]);
    assert_eq!(server.run("timeout", r#"{"seconds":0.01}"#).await.result(), "slept 0.01");
}

async fn fanout(language: Language) {
    let server = start(language, &["fanout"]).await;
    for (event, n) in [("{}", 3), (r#"{"n":0}"#, 0), (r#"{"n":1}"#, 1), (r#"{"n":50}"#, 50), (r#"{"n":1000}"#, 1000)] {
        let squares: Vec<u64> = (0..n).map(|i| i * i).collect();
        assert_eq!(server.run("fanout", event).await.result(), json!(squares), "{event}");
    }
}

async fn fanout_works_in_four_slots(language: Language) {
    let server = start(language, &["fanout"]).await;
    let ended = server.run("fanout", r#"{"n":40}"#).await;
    let events = server.events(&ended.handler(), "include_internal=true").await.rest().await;
    let mut running = 0;
    let mut most = 0;
    for event in events.iter().map(Frame::json).filter(|it| it["value"]["name"] == "work") {
        match event["value"]["step_state"].as_str() {
            Some("running") => running += 1,
            Some("not_running") => running -= 1,
            _ => {}
        }
        most = most.max(running);
    }
    assert_eq!((running, most), (0, 4), "at most four at once, and never fewer than could be");
}

async fn counter(language: Language) {
    let server = start(language, &["counter"]).await;
    let first = server.run("counter", "{}").await;
    assert_eq!(first.result(), json!({"count": 1}));
    let handler = first.handler();
    for (by, count) in [("{}", 2), (r#"{"by":5}"#, 7), (r#"{"by":-3}"#, 4)] {
        let body = format!(r#"{{"handler_id":"{handler}","start_event":{by}}}"#);
        let next = server.post("/workflows/counter/run", &body).await;
        assert_eq!((next.result(), next.handler()), (json!({"count": count}), handler.clone()));
        assert_ne!(next.run(), first.run());
    }
    assert_eq!(server.run("counter", "{}").await.result(), json!({"count": 1}), "another handler counts for itself");
}

async fn random(language: Language) {
    let server = start(language, &["random"]).await;
    let mut seen: Vec<Value> = Vec::new();
    for _ in 0..5 {
        let result = server.run("random", "{}").await.result();
        assert!(result["a"].is_number() && result["b"].is_number(), "{result}");
        seen.extend([result["a"].clone(), result["b"].clone()]);
    }
    let distinct: std::collections::BTreeSet<String> = seen.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), seen.len(), "{seen:?}");
}

/// Of the workflow, its steps and its own events. They come from the documentation that each language has: doc comments,
/// docstrings, comments; C, which has none that a program could ask for, has them in its tables.
async fn descriptions(language: Language) {
    let server = start(language, &CONFORMANCE).await;
    let mut said: Vec<(String, String)> = Vec::new();
    let mut note = |workflow: &str, name: &Value, description: &Value| {
        let text = |of: &Value| of.as_str().unwrap_or_default().to_lowercase();
        assert_ne!(text(description), "", "{workflow}: {name}");
        said.push((format!("{workflow}: {}", text(name)), text(description)));
    };
    for name in CONFORMANCE {
        let graph = server.get(&format!("/workflows/{name}/representation")).await.json()["graph"].clone();
        let workflow = server.get(&format!("/api/v1/workflows/{name}")).await.json();
        assert_eq!(workflow["listing"]["description"], graph["description"], "{name}");
        note(name, &json!(""), &graph["description"]);
        for step in graph["nodes"].as_array().expect("a list").iter().filter(|it| it["node_type"] == "step") {
            note(name, &step["id"], &step["description"]);
        }
        let events = server.get(&format!("/workflows/{name}/events")).await.json()["events"].clone();
        let built_in = |it: &Value| it["title"] == "StartEvent" || it["title"] == "StopEvent";
        for event in events.as_array().expect("a list").iter().filter(|it| !built_in(it)) {
            note(name, &event["title"], &event["description"]);
        }
    }
    // In Go the comment of a type begins with its name.
    let wanted = [
        ("hitl: ", "asks for a name and greets."),
        ("hitl: prompt_human", "asks for the name."),
        ("hitl: greet_human", "greets whoever answered."),
        ("hitl: responseevent", "what the person says."),
        ("hitl: outevent", "the greeting."),
    ];
    for (of, text) in wanted {
        let is_said = said.iter().any(|(name, description)| name == of && description.ends_with(text));
        assert!(is_said, "{of}: {said:?}");
    }
}

/// What the host hands in, Go's collector never moves nor looks for: whatever it collects meanwhile, nothing traps.
#[tokio::test]
async fn go_calls_and_allocates_twenty_thousand_times_in_one_instance() {
    let server = start(Language::Go, &["churn"]).await;
    assert_eq!(server.run("churn", r#"{"n":20000}"#).await.result(), 20_000 * 2_000);
}

/// The guest made by hand, of the page for languages without an SDK.
#[tokio::test]
async fn raw() {
    let text = std::fs::read_to_string(root().join("guest-sdk/raw/hello.wat")).expect("the guest");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hello.wasm");
    std::fs::write(&path, compiled(&text)).expect("a file");
    let server = Serve::guests(&[]).with(&[&path.display().to_string()]).start().await;
    assert_eq!(server.run("hello", "{}").await.result(), "Hello, World!");
}

/// From start to completion, as the handler says.
fn seconds(answer: &Answer) -> f64 {
    let at = |key: &str| {
        let text = answer.text(key);
        let (_, clock) = text.split_once('T').expect("a time");
        let parts: Vec<f64> = clock.trim_end_matches("+00:00").split(':').map(|it| it.parse().expect("a number")).collect();
        parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]
    };
    (at("completed_at") - at("started_at")).rem_euclid(86400.0)
}

//! The chat example, in Rust and in Python, against a server that speaks the protocol, on a good day and on bad ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use wf_tests::artifacts::{self, Language};
use wf_tests::origin::{Origin, Part, Seen, chunk, chunked, reply};
use wf_tests::{Serve, Server, until};

/// Each test once for each language that the example is written in.
macro_rules! in_both {
    ($($name:ident)*) => {
        mod rust {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::Rust).await })*
        }
        mod python {
            $(#[tokio::test] async fn $name() { super::$name(super::Language::Python).await })*
        }
    };
}

in_both! {
    a_model_answers_with_tools_and_a_refund_waits_for_a_person without_its_grants_it_says_what_is_missing
    a_model_that_is_busy_or_cut_off_is_asked_again a_model_that_falls_silent_is_asked_again a_budget_that_is_spent_ends_it
    a_kill_while_tokens_come_changes_none_that_was_shown
}

const KEY: &str = "sk-proj-0123456789abcdef";

/// What the model says, in pieces.
fn says(pieces: &[&str]) -> Vec<Part> {
    let parts = pieces.iter().map(|text| json!({ "choices": [{ "delta": { "content": text } }] }));
    stream(parts.collect())
}

/// What it asks for; the arguments come in two pieces.
fn calls(id: &str, name: &str, order: u32) -> Vec<Part> {
    let call = |part: Value| json!({ "choices": [{ "delta": { "tool_calls": [part] } }] });
    stream(vec![
        call(json!({ "index": 0, "id": id, "type": "function", "function": { "name": name, "arguments": "{\"ord" } })),
        call(json!({ "index": 0, "function": { "arguments": format!("er\":{order}}}") } })),
    ])
}

fn stream(parts: Vec<Value>) -> Vec<Part> {
    let usage = json!({ "choices": [], "usage": { "total_tokens": 50 } });
    let parts = parts.iter().chain([&usage]).map(|part| chunk(&format!("data: {part}\n\n")));
    let begun = std::iter::once(chunked(200, &[("content-type", "text/event-stream")]));
    begun.chain(parts).chain([chunk("data: [DONE]\n\n"), chunk("")]).collect()
}

/// A model that plays its part by what was said to it.
fn plays(seen: &Seen) -> Vec<Part> {
    assert_eq!(seen.header("authorization"), format!("Bearer {KEY}"));
    let messages = seen.json()["messages"].as_array().expect("messages").clone();
    let question = messages[1]["content"].as_str().expect("a question").to_owned();
    let last = messages.last().expect("one");
    match (last["role"].as_str(), question.contains("refund")) {
        (Some("tool"), _) => says(&["I hear: ", last["content"].as_str().expect("a text")]),
        (_, true) => calls("call-1", "refund", 7),
        _ => calls("call-1", "look_up_order", 7),
    }
}

async fn serve(language: Language, origin: &Origin, arguments: &[&str]) -> Server {
    let mut serve = match language {
        Language::Rust => Serve { paths: vec![artifacts::example("chat").display().to_string()], ..Serve::default() },
        _ => Serve::of(language, &["chat"]),
    };
    serve.environment.push(("CHAT_KEY".to_owned(), KEY.to_owned()));
    let url = format!("CHAT_URL={}", origin.url("/v1"));
    let server = serve.with(&["--allow-env", &url]).with(arguments).start().await;
    until("it is loaded", async || (server.get("/workflows").await.json()["workflows"] == json!(["chat"])).then_some(())).await;
    server
}

async fn granted(language: Language, origin: &Origin) -> Server {
    granted_with(language, origin, &[]).await
}

async fn granted_with(language: Language, origin: &Origin, arguments: &[&str]) -> Server {
    let url = origin.url("");
    let secret = format!("OPENAI_API_KEY=env:CHAT_KEY@{url}");
    serve(language, origin, &[&["--allow-http", &url, "--secret", &secret], arguments].concat()).await
}

async fn a_model_answers_with_tools_and_a_refund_waits_for_a_person(language: Language) {
    let origin = Origin::start(|seen, _| plays(seen)).await;
    let mut server = granted(language, &origin).await;
    let looked = server.run("chat", r#"{"question":"Where is it?"}"#).await.result();
    assert_eq!(looked, json!({ "answer": "I hear: order 7 is on its way, and comes tomorrow", "tokens": 100 }));
    for (approved, answer) in [(true, "I hear: done: refund order 7"), (false, "I hear: a person has refused it")] {
        let handler = server.begin("chat", r#"{"question":"Please refund it."}"#).await;
        let asked = server.events(&handler, "").await.until("ApprovalRequest").await;
        assert_eq!(asked.last().expect("it asks").json()["value"]["what"], "refund order 7");
        // However long that takes, and whatever happens meanwhile.
        server.crash().await;
        assert_eq!(server.send(&handler, "ApprovalResponse", &json!({ "approved": approved }).to_string()).await.status, 200);
        assert_eq!(server.ended(&handler).await.result()["answer"], answer);
    }
    assert_eq!(origin.seen().len(), 6, "two questions a run, over all crashes");
    let first = &origin.seen()[0];
    assert_eq!(
        (&*first.path, &first.json()["stream"], first.json()["tools"][1]["function"]["name"].as_str()),
        ("/v1/chat/completions", &json!(true), Some("refund"))
    );
}

async fn without_its_grants_it_says_what_is_missing(language: Language) {
    let origin = Origin::start(|seen, _| plays(seen)).await;
    let url = origin.url("");
    let error = serve(language, &origin, &["--allow-http", &url]).await.run("chat", "{}").await.text("error");
    let what = if language == Language::Rust { "secret" } else { "variable" };
    assert!(error.contains(&format!("`chat` has no {what} `OPENAI_API_KEY`: add")), "{error}");
    assert!(error.contains("--secret OPENAI_API_KEY=env:"), "{error}");
    let secret = format!("OPENAI_API_KEY=env:CHAT_KEY@{url}");
    let error = serve(language, &origin, &["--secret", &secret]).await.run("chat", "{}").await.text("error");
    assert!(error.contains("is not granted the request `POST") && error.contains("`[workflows.chat]` in wf-host.toml"), "{error}");
    let elsewhere = "OPENAI_API_KEY=env:CHAT_KEY@https://api.openai.com";
    let error = serve(language, &origin, &["--allow-http", &url, "--secret", elsewhere]).await.run("chat", "{}").await.text("error");
    assert!(error.contains("the secret `OPENAI_API_KEY` is not granted for"), "{error}");
    assert_eq!(origin.connections(), 0);
}

async fn a_model_that_is_busy_or_cut_off_is_asked_again(language: Language) {
    let origin = Origin::start(|_, number| match number {
        0 => vec![reply(429, &[("retry-after", "1")], r#"{"error":{"message":"slower"}}"#)],
        1 => vec![reply(503, &[], "")],
        2 => says(&["Hel", "lo"]).into_iter().take(2).chain([Part::Cut]).collect(),
        // It ends as a body should, and not as an answer does.
        3 => says(&["Hel"]).into_iter().take(2).chain([chunk("")]).collect(),
        _ => says(&["Hello", ", Ada."]),
    })
    .await;
    let server = granted(language, &origin).await;
    let begun = std::time::Instant::now();
    let handler = server.begin("chat", "{}").await;
    let ended = server.ended(&handler).await;
    assert_eq!(ended.result()["answer"], "Hello, Ada.", "{ended:?}");
    assert!(begun.elapsed().as_secs_f64() >= 1.0, "the first asked for a second");
    let shown: Vec<String> = server.shape(&handler).await;
    assert!(shown.iter().filter(|it| it.starts_with("Token")).count() >= 3, "what was shown stays: {shown:?}");
    let refusing = Origin::start(|_, _| vec![reply(401, &[], r#"{"error":{"message":"no such key"}}"#)]).await;
    let error = granted(language, &refusing).await.run("chat", "{}").await.text("error");
    let told = if language == Language::Rust { "401 of `POST" } else { "'401 Unauthorized' for url" };
    assert!(error.contains(told) && !error.contains(KEY), "{error}");
    assert!(language != Language::Rust || error.contains("no such key"), "{error}");
    assert_eq!(refusing.seen().len(), 1, "another time would do no better");
}

/// It takes the question and says nothing, or stops in the middle of its answer, and keeps the connection: the host would wait
/// for minutes.
async fn a_model_that_falls_silent_is_asked_again(language: Language) {
    let origin = Origin::start(|_, number| match number {
        0 => vec![Part::Hang],
        1 => says(&["Hel", "lo"]).into_iter().take(2).chain([Part::Hang]).collect(),
        _ => says(&["Hello", ", Ada."]),
    })
    .await;
    let server = granted_with(language, &origin, &["--allow-env", "CHAT_PATIENCE=1"]).await;
    let begun = std::time::Instant::now();
    let handler = server.begin("chat", "{}").await;
    let ended = server.ended(&handler).await;
    assert_eq!(ended.result()["answer"], "Hello, Ada.", "{ended:?}");
    assert!(begun.elapsed().as_secs_f64() >= 2.0, "each was waited for: {:?}", begun.elapsed());
    assert!(origin.seen().len() >= 3, "{:?}", origin.seen());
    let frames = server.events(&handler, "").await.rest().await;
    let shown: Vec<Value> = frames.iter().filter(|it| it.name() == "Token").map(|it| it.json()["value"]["text"].clone()).collect();
    // A machine that is busy may be taken for a model that is silent once more: what came before that stays, too.
    assert_eq!((&shown[0], &shown[shown.len() - 2..]), (&json!("Hel"), &[json!("Hello"), json!(", Ada.")][..]), "{shown:?}");
}

async fn a_budget_that_is_spent_ends_it(language: Language) {
    let origin = Origin::start(|_, number| calls(&format!("call-{number}"), "look_up_order", 7)).await;
    let error = granted(language, &origin).await.run("chat", r#"{"budget":120}"#).await.text("error");
    assert!(error.contains("150 tokens of 120 are spent"), "{error}");
    assert_eq!(origin.seen().len(), 3);
}

/// Killed while tokens come: those that were shown stay as they are, and the one who reads sees none changed.
async fn a_kill_while_tokens_come_changes_none_that_was_shown(language: Language) {
    let number = Arc::new(AtomicUsize::new(0));
    let counted = number.clone();
    let origin = Origin::start(move |_, _| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let mut parts = says(&["one ", "two ", "three"]);
        if number == 0 {
            // After the head and the first two.
            parts.insert(3, Part::Hang);
        }
        parts
    })
    .await;
    let mut server = granted(language, &origin).await;
    let handler = server.begin("chat", "{}").await;
    let mut stream = server.events(&handler, "").await;
    let before = [stream.next().await.expect("a token"), stream.next().await.expect("a token")];
    server.crash().await;
    assert_eq!(server.ended(&handler).await.result()["answer"], "one two three");
    let all = server.events(&handler, "").await.rest().await;
    assert_eq!(all[..2], before, "what was read stays");
    let tokens: Vec<String> =
        all.iter().filter(|it| it.name() == "Token").map(|it| it.json()["value"]["text"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(tokens, ["one ", "two ", "one ", "two ", "three"]);
    assert_eq!(number.load(Ordering::Relaxed), 2, "one for each attempt");
}

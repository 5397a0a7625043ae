//! The `openai` package, its own files unchanged, against a server that speaks the protocol.

use serde_json::{Value, json};
use wf_tests::artifacts::root;
use wf_tests::origin::{Origin, Part, Seen, chunk, chunked, reply};
use wf_tests::{Serve, Server, until};

const KEY: &str = "sk-proj-0123456789abcdef";

async fn serve(origin: &Origin, arguments: &[&str]) -> Server {
    let path = root().join("target/guests/openai/ask.wasm");
    assert!(path.exists(), "`{}` is missing: `make guests` makes it", path.display());
    let environment = vec![("KEY".to_owned(), KEY.to_owned()), ("OPENAI_URL".to_owned(), origin.url("/v1"))];
    let serve = Serve { paths: vec![path.display().to_string()], environment, ..Serve::default() };
    let secret = format!("OPENAI_API_KEY=env:KEY@{}", origin.url(""));
    let server = serve.with(&["--allow-env", "OPENAI_URL", "--secret", &secret]).with(arguments).start().await;
    until("it is loaded", async || (server.get("/workflows").await.json()["workflows"] == json!(["ask"])).then_some(())).await;
    server
}

async fn granted(origin: &Origin) -> Server {
    serve(origin, &["--allow-http", &origin.url("")]).await
}

fn completion(message: &Value) -> Part {
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null });
    let usage = json!({ "prompt_tokens": 40, "completion_tokens": 10, "total_tokens": 50 });
    let body = json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "small", "choices": [choice], "usage": usage });
    reply(200, &[("content-type", "application/json"), ("x-request-id", "req_7")], &body.to_string())
}

fn says(text: &str) -> Part {
    completion(&json!({ "role": "assistant", "content": text }))
}

fn delta(delta: &Value) -> Part {
    part(&json!({ "index": 0, "delta": delta, "finish_reason": null }))
}

fn part(choice: &Value) -> Part {
    let part = json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [choice] });
    chunk(&format!("data: {part}\n\n"))
}

fn begins() -> Part {
    chunked(200, &[("content-type", "text/event-stream")])
}

fn ends() -> [Part; 2] {
    [chunk("data: [DONE]\n\n"), chunk("")]
}

fn streams(parts: &[&str]) -> Vec<Part> {
    let parts = parts.iter().map(|text| delta(&json!({ "content": text })));
    std::iter::once(begins()).chain(parts).chain(ends()).collect()
}

fn what(what: &str) -> String {
    json!({ "what": what }).to_string()
}

#[tokio::test]
async fn a_model_calls_a_tool_and_answers() {
    let call = json!({ "id": "call-1", "type": "function", "function": { "name": "look_up_order", "arguments": "{\"order\":7}" } });
    let asks = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
    let origin = Origin::start(move |seen, _| match seen.json()["messages"].as_array().map(Vec::len) {
        Some(1) => vec![completion(&asks)],
        _ => vec![says("It comes tomorrow.")],
    })
    .await;
    let told = granted(&origin).await.run("ask", &what("calls")).await.result();
    assert_eq!(told["call"], "{\"order\":7}", "{told}");
    assert_eq!((&told["said"], &told["tokens"], &told["request"]), (&json!("It comes tomorrow."), &json!(50), &json!("req_7")));
    assert_eq!(told["all"]["choices"][0]["message"], json!({ "role": "assistant", "content": "It comes tomorrow." }));
    let seen = origin.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((&*seen[0].path, seen[0].header("authorization")), ("/v1/chat/completions", &*format!("Bearer {KEY}")));
    assert_eq!(seen[0].json()["tools"][0]["function"]["name"], "look_up_order");
    // The answer was given back as the message that it is.
    assert_eq!(seen[1].json()["messages"][1]["tool_calls"][0]["id"], "call-1");
}

#[tokio::test]
async fn a_streamed_answer_comes_piece_by_piece() {
    let origin = Origin::start(|_, _| {
        let mut parts = vec![begins()];
        for text in ["one ", "two ", "three"] {
            parts.extend([delta(&json!({ "content": text })), Part::Gate]);
        }
        parts.extend(ends());
        parts
    })
    .await;
    let server = granted(&origin).await;
    let handler = server.begin("ask", &what("streams")).await;
    let mut stream = server.events(&handler, "").await;
    for text in ["one ", "two ", "three"] {
        assert_eq!(stream.next().await.expect("a piece").json()["value"]["text"], text);
        origin.let_through(1);
    }
    assert_eq!(server.ended(&handler).await.result(), "one two three");
    assert_eq!(origin.seen()[0].json()["stream"], true);
}

#[tokio::test]
async fn an_answer_that_a_crash_has_cut_is_asked_for_anew() {
    let origin = Origin::start(|_, number| match number {
        0 => vec![begins(), delta(&json!({ "content": "one " })), Part::Hang],
        _ => streams(&["one ", "two"]),
    })
    .await;
    let mut server = granted(&origin).await;
    let handler = server.begin("ask", &json!({ "what": "streams", "fails": true }).to_string()).await;
    let first = server.events(&handler, "").await.next().await.expect("a piece");
    server.crash().await;
    assert_eq!(server.ended(&handler).await.result(), "one two");
    let all = server.events(&handler, "").await.rest().await;
    let tokens: Vec<Value> = all.iter().filter(|it| it.name() == "Token").map(|it| it.json()["value"]["text"].clone()).collect();
    assert_eq!((&all[0], tokens), (&first, vec![json!("one "), json!("one "), json!("two")]));
    assert_eq!(origin.seen().len(), 2, "once for each attempt");
}

#[tokio::test]
async fn errors_are_the_packages_own() {
    let refusal = r#"{"error":{"message":"no such key","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    let origin = Origin::start(move |seen: &Seen, _| {
        let status = if seen.json()["stream"] == true { 429 } else { 401 };
        vec![reply(status, &[("content-type", "application/json")], refusal)]
    })
    .await;
    let server = granted(&origin).await;
    let told = server.run("ask", &what("calls")).await.result();
    assert_eq!((&told["kind"], &told["status"], &told["code"]), (&json!("AuthenticationError"), &json!(401), &json!("invalid_api_key")));
    assert!(told["message"].as_str().is_some_and(|it| it.contains("no such key")), "{told}");
    let once = json!({ "what": "streams", "client": { "max_retries": 0 } });
    assert_eq!(server.run("ask", &once.to_string()).await.result()["kind"], "RateLimitError");
    assert_eq!(origin.seen().len(), 2);
    let error = server.run("ask", &json!({ "what": "calls", "fails": true }).to_string()).await.text("error");
    assert!(error.contains("no such key") && !error.contains(KEY), "{error}");
}

/// The package waits by itself, as long as the answer says: the step leaves memory meanwhile, and a host that is lost
/// then asks nothing twice.
#[tokio::test]
async fn who_is_told_to_come_later_sleeps_durably() {
    let origin = Origin::start(|_, number| match number {
        0 => vec![reply(429, &[("retry-after", "3")], r#"{"error":{"message":"slower"}}"#)],
        1 => vec![reply(503, &[("retry-after-ms", "5")], "")],
        _ => streams(&["Hel", "lo"]),
    })
    .await;
    let mut server = granted(&origin).await;
    let begun = std::time::Instant::now();
    let handler = server.begin("ask", &what("streams")).await;
    let history = format!("/api/v1/runs/{}/history", server.get(&format!("/handlers/{handler}")).await.run());
    until("it sleeps", async || server.get(&history).await.body.contains("sleeping").then_some(())).await;
    server.crash().await;
    assert_eq!(server.ended(&handler).await.result(), "Hello");
    assert!(begun.elapsed().as_secs_f64() >= 3.0, "the first asked for three seconds");
    let keys: Vec<String> = origin.seen().iter().map(|it| it.header("x-stainless-retry-count").to_owned()).collect();
    assert_eq!(keys, ["0", "1", "2"], "each once");
}

#[tokio::test]
async fn what_is_not_granted_or_not_there_says_so() {
    let origin = Origin::start(|_, _| vec![Part::Cut]).await;
    let error = serve(&origin, &[]).await.run("ask", &what("calls")).await.text("error");
    let grant = format!("add `allow_http = [\"{}\"]` to `[workflows.ask]` in wf-host.toml", origin.url(""));
    assert!(error.contains(&grant), "{error}");
    assert_eq!(origin.connections(), 0);
    let told = granted(&origin).await.run("ask", &what("calls")).await.result();
    assert_eq!(told["kind"], "APIConnectionError", "{told}");
    assert_eq!(origin.seen().len(), 3, "it tries again by itself");
}

#[tokio::test]
async fn forms_of_answers_events_and_pages_are_the_packages_own() {
    let origin = Origin::start(|seen, _| {
        if seen.path == "/v1/models" {
            let model = |id: &str| json!({ "id": id, "object": "model", "created": 1, "owned_by": "us" });
            return vec![reply(200, &[], &json!({ "object": "list", "data": [model("small"), model("large")] }).to_string())];
        }
        let asked = seen.json();
        if seen.path == "/v1/responses" {
            return responds();
        }
        if asked["response_format"]["json_schema"]["schema"]["title"] == "Place" {
            return vec![says(r#"{"order":7,"towns":["Bonn"]}"#)];
        }
        match (asked["stream"] == true, asked["tools"].is_array()) {
            (true, true) => {
                let call = |part: Value| delta(&json!({ "tool_calls": [part] }));
                let first = call(
                    json!({ "index": 0, "id": "c", "type": "function", "function": { "name": "look_up_order", "arguments": "{\"ord" } }),
                );
                let last = call(json!({ "index": 0, "function": { "arguments": "er\":7}" } }));
                let choice = json!({ "index": 0, "delta": {}, "finish_reason": "tool_calls" });
                let [done, end] = ends();
                vec![begins(), first, last, part(&choice), done, end]
            }
            (true, false) => streams(&["He", "llo"]),
            (false, _) => vec![says("Hello")],
        }
    })
    .await;
    let server = granted(&origin).await;
    let told = async |it: &str| server.run("ask", &what(it)).await.result();
    assert_eq!(told("parses").await, json!({ "order": 7, "towns": ["Bonn"] }));
    let kinds = ["tool_calls.function.arguments.delta", "tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"];
    assert_eq!(told("streams_calls").await, json!({ "kinds": kinds, "call": "{\"order\":7}" }));
    let kinds = ["ResponseCreatedEvent", "ResponseTextDeltaEvent", "ResponseCompletedEvent"];
    assert_eq!(told("responds").await, json!({ "kinds": kinds, "said": "Here." }));
    assert_eq!(told("lists").await, json!(["Model small", "Model large"]));
    assert_eq!(told("plain").await, json!(["Hello", "Hello"]));
}

/// What the younger interface answers with.
fn responds() -> Vec<Part> {
    let response = |output: Value| {
        json!({ "id": "r", "object": "response", "created_at": 1, "model": "small", "output": output, "tools": [], "tool_choice": "auto",
            "parallel_tool_calls": true })
    };
    let text = json!({ "type": "output_text", "text": "Here.", "annotations": [] });
    let message = json!({ "type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text] });
    let events = [
        json!({ "type": "response.created", "sequence_number": 0, "response": response(json!([])) }),
        json!({ "type": "response.output_text.delta", "sequence_number": 1, "item_id": "m", "output_index": 0, "content_index": 0,
            "delta": "Here.", "logprobs": [] }),
        json!({ "type": "response.completed", "sequence_number": 2, "response": response(json!([message])) }),
    ];
    let parts = events.iter().map(|it| chunk(&format!("event: {}\ndata: {it}\n\n", it["type"].as_str().expect("a type"))));
    std::iter::once(begins()).chain(parts).chain([chunk("")]).collect()
}

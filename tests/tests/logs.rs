//! What guests write is there as they write it, and costs nobody else anything.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wf_tests::artifacts::{Language, root};
use wf_tests::database::rows;
use wf_tests::{Server, until};

/// Longer, and a run is slowed by its neighbour.
const NEIGHBOUR_MAX: Duration = Duration::from_secs(5);

async fn logs(server: &Server, run: &str) -> Vec<Value> {
    let logs = server.get(&format!("/api/v1/runs/{run}/logs")).await.json();
    logs["logs"].as_array().expect("a list").clone()
}

/// The lines are seen before the step has ended, whatever it does after them.
async fn seen_at_once(start_event: &str) {
    let server = Server::start(&["talker"]).await;
    let started = server.post("/workflows/talker/run-nowait", &format!(r#"{{"handler_id":"t","start_event":{start_event}}}"#)).await;
    let lines = until("the lines to be seen", async || {
        let lines = logs(&server, &started.run()).await;
        (lines.len() >= 2).then_some(lines)
    })
    .await;
    assert_eq!(server.get("/handlers/t").await.status, 202, "the step goes on");
    let mut messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["begun", "begun on stdout"]);
    assert_eq!(server.post("/handlers/t/cancel", "").await.status, 200);
}

#[tokio::test]
async fn lines_are_seen_while_the_step_sleeps() {
    seen_at_once(r#"{"tenths":6000}"#).await;
}

#[tokio::test]
async fn lines_are_seen_while_the_step_computes() {
    seen_at_once(r#"{"turns":1000000000000}"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_million_newlines_are_few_rows_and_slow_no_neighbour() {
    let mut server = Server::start(&["talker", "greeting"]).await;
    let handler = server.begin("talker", r#"{"newlines":500000}"#).await;
    let path = format!("/handlers/{handler}");
    let mut longest = Duration::ZERO;
    while server.get(&path).await.status == 202 {
        let begun = Instant::now();
        assert_eq!(server.run("greeting", "{}").await.status, 200);
        longest = longest.max(begun.elapsed());
    }
    assert_eq!(server.ended(&handler).await.result(), "said");
    assert!(longest < NEIGHBOUR_MAX, "a neighbour took {longest:?}");
    assert!(server.stop().success());
    let kept = rows(&server.data(), "log");
    assert!(kept < 5_000, "{kept} rows");
}

/// Who sees the end sees all that was written before it, also after a kill in that moment.
#[tokio::test]
async fn all_lines_are_there_when_the_run_has_ended() {
    let mut server = Server::start(&["talker"]).await;
    for killed in [false, true] {
        let ended = server.run("talker", r#"{"newlines":700}"#).await;
        if killed {
            server.crash().await;
        }
        assert_eq!(logs(&server, &ended.run()).await.len(), 702, "killed: {killed}");
    }
}

/// Page by page, of a run that goes on and of one that has ended: each line once, and in all what there is.
#[tokio::test]
async fn lines_come_in_pages_each_once() {
    let server = Server::start(&["talker"]).await;
    let handler = server.begin("talker", r#"{"newlines":10000,"times":2}"#).await;
    let run = server.get(&format!("/handlers/{handler}")).await.run();
    let key = |line: &Value| (line["invocation"].as_u64(), line["source"].as_str().map(str::to_owned), line["number"].as_u64());
    let (mut after, mut told, mut pages) = (0, Vec::new(), 0);
    loop {
        let ended = server.get(&format!("/handlers/{handler}")).await.status != 202;
        let page = server.get(&format!("/api/v1/runs/{run}/logs?after={after}&limit=3000")).await.json();
        let lines = page["logs"].as_array().expect("a list");
        told.extend(lines.iter().map(key));
        after = page["last"].as_u64().expect("a place");
        pages += u32::from(!lines.is_empty());
        if ended && page["more"] == false {
            break;
        }
    }
    let mut whole: Vec<_> = logs(&server, &run).await.iter().map(key).collect();
    told.sort_unstable();
    whole.sort_unstable();
    assert_eq!(told.len(), whole.len());
    assert_eq!(told, whole);
    assert!(whole.len() == 20_002 && pages > 3, "{} lines in {pages} pages", whole.len());
    // A browser is given less.
    let path = format!("/api/v1/runs/{run}/logs");
    let (plain, small) = (server.get(&path).await, server.request("GET", &path, &[("accept-encoding", "gzip")], "").await);
    assert_eq!((plain.header("content-encoding"), small.header("content-encoding")), ("", "gzip"));
    let size = |answer: &wf_tests::Answer| answer.header("content-length").parse::<usize>().expect("a number");
    assert!(size(&small) * 5 < size(&plain), "{} of {} bytes", size(&small), size(&plain));
    for (query, said) in [("after=x", "Invalid after: 'x'"), ("limit=0", "Invalid limit: '0'. Give 1 to 10000")] {
        let answer = server.get(&format!("/api/v1/runs/{run}/logs?{query}")).await;
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (400, Some(said)));
    }
    assert_eq!(server.get("/api/v1/runs/nobody/logs?after=0").await.status, 404);
}

/// Streams are lines without a level of their own; loggers have their names and levels, and are as quiet as they are anywhere
/// before somebody configures them. What is said before a kill in the middle of the step is there once.
#[tokio::test]
async fn what_is_printed_and_logged_in_python_is_there_once() {
    let source = fs::read_to_string(root().join("tests/guests/python/talker.py")).expect("the source");
    let place = source.lines().position(|it| it.ends_with("# fails here")).expect("a line") + 1;
    let mut server = Server::of(Language::Python, &["talker"]).await;
    for configured in [false, true] {
        let handler = server.begin("talker", &json!({ "configured": configured }).to_string()).await;
        let run = server.get(&format!("/handlers/{handler}")).await.run();
        server.events(&handler, "").await.until("Ask").await;
        let is_there = |lines: &[Value]| lines.iter().any(|it| it["message"] == "it failed");
        until("its lines", async || is_there(&logs(&server, &run).await).then_some(())).await;
        server.crash().await;
        assert_eq!(server.send(&handler, "Answer", "{}").await.status, 200);
        assert_eq!(server.ended(&handler).await.result(), "said");

        let history = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
        let step = |line: &Value| {
            let invocations = history["invocations"].as_array().expect("a list");
            invocations.iter().find(|it| it["id"] == line["invocation"]).expect("whose line it is")["step"].clone()
        };
        let (mut said, mut traces) = (Vec::new(), Vec::new());
        for mut line in logs(&server, &run).await {
            traces.extend(line["fields"].as_object_mut().expect("fields").remove("trace"));
            said.push(json!([step(&line), line["level"], line["fields"], line["message"]]).to_string());
        }
        let (stdout, mine, top) = (json!({ "stream": "stdout" }), json!({ "logger": "mine" }), json!({ "logger": "root" }));
        let mut wanted = vec![
            json!(["talk", "info", stdout, "on stdout"]),
            json!(["talk", "info", { "stream": "stderr" }, "on stderr"]),
            json!(["talk", "info", stdout, "two"]),
            json!(["talk", "info", stdout, "lines"]),
            json!(["talk", "warn", mine, "careful now"]),
            json!(["talk", "error", top, "it failed"]),
            json!(["talk", "info", stdout, "begun and ended"]),
            json!(["end", "error", mine, "over"]),
        ];
        if configured {
            wanted.splice(5..5, [json!(["talk", "info", mine, "told softly"]), json!(["talk", "info", top, "told by the root"])]);
        }
        let wanted: Vec<String> = wanted.iter().map(Value::to_string).collect();
        assert_eq!(said, wanted, "configured: {configured}");
        let trace = traces.iter().filter_map(Value::as_str).collect::<String>();
        assert!(
            trace.contains(&format!("File \"talker.py\", line {place}, in talk\n")) && trace.ends_with("ValueError: no luck\n"),
            "{trace}"
        );
    }
}

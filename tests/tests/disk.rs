//! A disk that is full for a while: what was accepted is kept, what was not is refused.

use std::time::{Duration, Instant};

use serde_json::json;
use wf_tests::{Answer, Client, Serve, until};

/// As text in a body.
fn large(place: usize) -> String {
    format!(r#"{{"start_event":{{"name":"{}{place}"}}}}"#, "x".repeat(20_000))
}

async fn start(client: &Client, place: usize) -> Answer {
    let from = [("Origin", FRIEND)];
    client.attempt("POST", "/workflows/greeting/run-nowait", &from, &large(place)).await.expect("an answer")
}

/// Where a page comes from that may use the server.
const FRIEND: &str = "https://friend.example";

/// Says when to come again, and a page that may use the server can read it.
fn may_come_again(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{answer:?}");
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (FRIEND, "Origin"), "{answer:?}");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_accepted() {
    let serve = Serve { files_may_be_full: true, ..Serve::guests(&["greeting"]) }.with(&["--cors-origin", FRIEND]);
    let mut server = serve.start().await;
    server.limit_files(Some(server.longest_file() + 256 * 1024));
    let mut accepted = Vec::new();
    let mut refused = 0;
    for place in 0..400 {
        let answer = tokio::time::timeout(Duration::from_secs(30), start(&server, place)).await.expect("an answer in time");
        match answer.status {
            200 => accepted.push(answer.handler()),
            503 => {
                assert!(answer.json()["detail"].is_string(), "{answer:?}");
                may_come_again(&answer);
                refused += 1;
            }
            other => panic!("{other}: {answer:?}"),
        }
        if refused > 3 {
            break;
        }
    }
    assert!(refused > 0, "the disk was not full after {} runs", accepted.len());
    let health = server.attempt("GET", "/health", &[("Origin", FRIEND)], "").await.expect("an answer");
    may_come_again(&health);
    assert!(health.json()["reason"].is_string(), "{health:?}");
    server.limit_files(None);
    let handler = until("the store to take writes again", async || {
        let answer = start(&server, 1000).await;
        (answer.status == 200).then(|| answer.handler())
    })
    .await;
    assert_eq!(server.ended(&handler).await.text("status"), "completed");
    for handler in &accepted {
        assert_eq!(server.ended(handler).await.text("status"), "completed", "{handler}");
    }
    server.crash().await;
    for handler in &accepted {
        assert_eq!(server.ended(handler).await.text("status"), "completed", "{handler}");
    }
}

/// Starts a run under a handler and waits for its end, with the handler as the key. It is answered in time.
fn run(client: &Client, handler: &str) -> tokio::task::JoinHandle<Answer> {
    let (client, handler) = (client.clone(), handler.to_owned());
    tokio::spawn(async move {
        let body = json!({ "handler_id": handler, "start_event": { "name": handler, "delay": 0.3 } }).to_string();
        let key = [("Idempotency-Key", handler.as_str())];
        let answer = client.attempt("POST", "/workflows/greeting/run", &key, &body);
        let answer = tokio::time::timeout(Duration::from_secs(30), answer).await.expect("an answer in time").expect("an answer");
        assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
        answer
    })
}

async fn listed(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("/handlers?{query}")).await.json();
    let handlers = list["handlers"].as_array().expect("a list").iter();
    handlers.map(|it| it["handler_id"].as_str().expect("a text").to_owned()).collect()
}

/// Eight requests wait for their runs when the disk begins to refuse, and eight come meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_for_a_while_leaves_no_request_and_no_run_behind() {
    let serve = Serve { files_may_be_full: true, ..Serve::guests(&["greeting"]) };
    let server = serve.start().await;
    let names: Vec<String> = (0..16).map(|place| format!("asked-{place}")).collect();
    let mut requests: Vec<_> = names[..8].iter().map(|name| run(&server, name)).collect();
    until("eight runs to be there", async || (listed(&server, "").await.len() == 8).then_some(())).await;
    server.limit_files(Some(0));
    let begun = Instant::now();
    let health = until("its health to say so", async || {
        let health = server.get("/health").await;
        (health.status == 503).then_some(health)
    })
    .await;
    assert!(health.text("reason").len() > 10, "{health:?}");
    requests.extend(names[8..].iter().map(|name| run(&server, name)));
    until("four seconds of that", async || (begun.elapsed() > Duration::from_secs(4)).then_some(())).await;
    assert_eq!(server.get("/health").await.status, 503);
    server.limit_files(None);
    until("its health to be good again", async || (server.get("/health").await.status == 200).then_some(())).await;
    let mut answered = Vec::new();
    for request in requests {
        answered.push(request.await.expect("an answer in time"));
    }
    // Nobody touches a run: a list loads none.
    until("every run to end", async || listed(&server, "status=running").await.is_empty().then_some(())).await;
    let completed = listed(&server, "status=completed").await;
    assert_eq!(completed, listed(&server, "").await, "what was accepted completes");
    assert!(names[..8].iter().all(|it| completed.contains(it)), "{completed:?}");
    for (name, first) in names.iter().zip(answered) {
        let again = run(&server, name).await.expect("an answer in time");
        assert_eq!(again.result(), format!("Hello, {name}!"));
        assert!(first.status == 503 || first.run() == again.run(), "one key, one run: {first:?} {again:?}");
    }
    let runs = server.get("/api/v1/runs").await.json();
    assert_eq!(runs["runs"].as_array().expect("a list").len(), 16, "{runs}");
}

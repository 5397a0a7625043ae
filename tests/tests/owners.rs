//! Requests for one handler that meet: each is answered, and no run is left behind.

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::json;
use wf_tests::patience::DEADLINE;
use wf_tests::{Answer, Client, Server, until};

/// What may be answered, and how often it was.
#[derive(Debug, Default)]
struct Answers(BTreeMap<(&'static str, u16), usize>);

impl Answers {
    fn count(&mut self, request: &'static str, answer: &Answer, allowed: &[u16]) {
        assert!(allowed.contains(&answer.status), "{request}: {answer:?}");
        *self.0.entry((request, answer.status)).or_default() += 1;
    }
}

async fn running(client: &Client) -> usize {
    let list = client.get("/handlers?status=running").await.json();
    list["handlers"].as_array().expect("a list").len()
}

/// Waits for nothing but the runs themselves: a list loads none.
async fn nothing_is_left_running(client: &Client) {
    until("every run to end", async || (running(client).await == 0).then_some(())).await;
}

/// A request whose run is purged while it waits is told that there is none, or how the run ended.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "how often each answer came, shown by the test harness when the test fails")]
async fn a_purge_beside_a_start_leaves_no_request_without_an_answer() {
    let server = Server::start(&["slow"]).await;
    let other = Client::new(server.url());
    let mut answers = Answers::default();
    for round in 0..200 {
        let start = json!({ "handler_id": "met", "start_event": { "seconds": if round % 4 == 0 { 0.01 } else { 600.0 } } }).to_string();
        let held: Vec<_> = [(*server).clone(), other.clone()]
            .into_iter()
            .map(|client| {
                let start = start.clone();
                tokio::spawn(async move { client.post("/workflows/slow/run", &start).await })
            })
            .collect();
        // Some come before the run, some beside its start, some after its end.
        while held.iter().any(|it| !it.is_finished()) {
            let purges = (0..4).map(|_| other.post("/handlers/met/cancel?purge=true", ""));
            for purged in join_all(purges).await {
                answers.count("purge", &purged, &[200, 404]);
            }
        }
        for request in held {
            answers.count("run", &request.await.expect("no panic"), &[200, 404, 409, 500]);
        }
    }
    println!("{answers:?}");
    until("the last one to be purged", async || {
        let purged = other.post("/handlers/met/cancel?purge=true", "").await;
        (purged.status == 404).then_some(())
    })
    .await;
    assert_eq!(server.get("/api/v1/runs").await.json()["runs"], json!([]), "nothing is left");
}

/// Asks again as long as there is no such handler yet.
async fn as_soon_as_it_is_there(client: &Client, path: &str, body: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = client.post(path, body).await;
        if answer.status != 404 {
            return answer;
        }
        assert!(begun.elapsed() < DEADLINE, "{path}: still {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_beside_a_start_reaches_the_run() {
    met(|handler| (format!("/events/{handler}"), r#"{"event":{"type":"AnswerEvent","value":{"text":"x"}}}"#, "completed")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_beside_a_start_reaches_the_run() {
    met(|handler| (format!("/handlers/{handler}/cancel"), "", "cancelled")).await;
}

/// Starts six hundred runs that would wait, and each time makes a request from another connection while the start is
/// not yet answered.
async fn met(request: impl Fn(&str) -> (String, &'static str, &'static str)) {
    let server = Server::start(&["inbox"]).await;
    let other = Client::new(server.url());
    let mut ends = Vec::new();
    for batch in 0..30 {
        let tasks: Vec<_> = (0..20)
            .map(|place| {
                let handler = format!("met-{batch}-{place}");
                let (path, body, end) = request(&handler);
                let start = json!({ "handler_id": handler, "start_event": { "n": 1 } }).to_string();
                let (client, other) = ((*server).clone(), other.clone());
                ends.push((handler, end));
                tokio::spawn(async move {
                    tokio::join!(client.post("/workflows/inbox/run-nowait", &start), as_soon_as_it_is_there(&other, &path, body))
                })
            })
            .collect();
        for task in tasks {
            let (started, met) = task.await.expect("no panic");
            assert_eq!((started.status, met.status), (200, 200), "{started:?} {met:?}");
        }
    }
    nothing_is_left_running(&server).await;
    for (handler, end) in ends {
        assert_eq!(server.get(&format!("/handlers/{handler}")).await.text("status"), end);
    }
}

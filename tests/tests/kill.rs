//! `kill -9` at random moments: nothing is lost and nothing is doubled. `SEED=n` repeats a test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use wf_tests::chance::Chance;
use wf_tests::{CONFORMANCE, Client, End, Frame, Server};

const ROUNDS: u64 = 10;

/// A run is over after about a second; a kill comes before.
const MOMENT_MAX_MS: u64 = 900;

/// What each workflow is started with.
fn start_event(workflow: &str) -> &'static str {
    match workflow {
        "greeting" => r#"{"name":"Ada","delay":0.2}"#,
        "slow" => r#"{"seconds":0.6}"#,
        "fanout" => r#"{"n":60}"#,
        "failing" => r#"{"message":"no luck"}"#,
        // A sleep goes on while no host is up, the time of a run does not: it sleeps longer than any restart takes.
        "timeout" => r#"{"seconds":600}"#,
        _ => "{}",
    }
}

/// What it ends with, whatever happens meanwhile: status and result or error.
fn expected(workflow: &str, round: u64) -> (&'static str, Value) {
    match workflow {
        "greeting" => ("completed", json!("Hello, Ada!")),
        "hitl" => ("completed", json!({"output": "Hello, Ada"})),
        "waiter" => ("completed", json!({"answer": "42"})),
        "failing" => ("failed", json!("no luck")),
        "retry" => ("completed", json!({"tries": 3})),
        "slow" => ("completed", json!("slept 0.6")),
        "timeout" => ("failed", json!("Workflow timed out after 0.3s")),
        "fanout" => ("completed", json!((0..60).map(|i| i * i).collect::<Vec<u64>>())),
        "counter" => ("completed", json!({"count": round + 1})),
        "random" => ("completed", Value::Null),
        other => panic!("{other} is not of the set"),
    }
}

/// One run, as its client sees it over all crashes.
#[derive(Clone)]
struct Player {
    workflow: &'static str,
    handler: String,
    /// The idempotency key of the start. Each round has its own.
    key: String,
    /// Every frame that was ever received, in order.
    seen: Arc<Mutex<Vec<Frame>>>,
}

impl Player {
    fn new(workflow: &'static str, round: u64) -> Player {
        // The counter goes on counting under one handler: a doubled run would show.
        let handler = if workflow == "counter" { "counter".into() } else { format!("{workflow}-{round}") };
        Player { workflow, handler, key: format!("{workflow}-{round}"), seen: Arc::default() }
    }

    /// Starts the run where it is not started, reads its stream from the beginning and answers
    /// what it asks. Ends with the stream, or with the server: then nothing is known.
    async fn play(&self, client: &Client) -> Option<End> {
        let body = format!(r#"{{"handler_id":"{}","start_event":{}}}"#, self.handler, start_event(self.workflow));
        let path = format!("/workflows/{}/run-nowait", self.workflow);
        let started = client.attempt("POST", &path, &[("Idempotency-Key", &self.key)], &body).await?;
        if started.status == 503 {
            return None;
        }
        assert_eq!(started.status, 200, "{started:?}");
        let mut stream = client.open(&format!("/api/v1/runs/{}/events?include_internal=true", started.run()), &[]).await?;
        let mut at = 0;
        loop {
            match stream.next().await {
                Ok(frame) => self.received(at, &frame),
                Err(end) => return Some(end),
            }
            at += 1;
            self.answer(client, at - 1).await?;
        }
    }

    /// A frame that was seen before must be the same again; a new one continues the stream.
    fn received(&self, at: usize, frame: &Frame) {
        assert_eq!(frame.id, at as u64, "no gap in {}", self.handler);
        let mut seen = self.seen.lock().expect("no panic while locked");
        match seen.get(at) {
            Some(before) => assert_eq!(frame, before, "a frame of {} changed", self.handler),
            None => seen.push(frame.clone()),
        }
    }

    async fn answer(&self, client: &Client, at: usize) -> Option<()> {
        let name = self.seen.lock().expect("no panic while locked")[at].name();
        let event = match name.as_str() {
            "RequestEvent" => r#"{"type":"ResponseEvent","value":{"response":"Ada"}}"#,
            "AskEvent" => r#"{"type":"AnswerEvent","value":{"user":"laurie","answer":"42"}}"#,
            _ => return Some(()),
        };
        let path = format!("/events/{}", self.handler);
        let sent = client.attempt("POST", &path, &[("Idempotency-Key", &self.key)], &format!(r#"{{"event":{event}}}"#)).await?;
        assert!(sent.status == 200 || sent.status == 503, "{sent:?}");
        Some(())
    }

    async fn check(&self, client: &Client, round: u64) {
        let ended = client.ended(&self.handler).await;
        let (status, result) = expected(self.workflow, round);
        assert_eq!(ended.text("status"), status, "{ended:?}");
        let seen = match self.workflow {
            "failing" | "timeout" => ended.json()["error"].clone(),
            "hitl" => ended.value(),
            "random" => Value::Null,
            _ => ended.result(),
        };
        assert_eq!(seen, result, "{ended:?}");
        self.check_stream();
    }

    fn check_stream(&self) {
        let seen = self.seen.lock().expect("no panic while locked").clone();
        let mut visible: BTreeMap<String, usize> = BTreeMap::new();
        for frame in seen.iter().filter(|it| it.json()["types"] != json!(["InternalDispatchEvent"])) {
            *visible.entry(frame.name()).or_default() += 1;
        }
        let visible: Vec<String> = visible.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let expected = match self.workflow {
            "greeting" => "1 StopEvent, 3 StreamEvent",
            "hitl" => "1 OutEvent, 1 RequestEvent",
            "waiter" => "1 AskEvent, 1 StopEvent",
            "failing" => "1 WorkflowFailedEvent",
            "timeout" => "1 WorkflowTimedOutEvent",
            _ => "1 StopEvent",
        };
        assert_eq!(visible.join(", "), expected, "{}: {seen:#?}", self.handler);
    }
}

/// Plays all at once; ends when all streams have ended or broken.
async fn play_all(client: &Client, players: &[Player]) -> bool {
    let tasks: Vec<_> = players
        .iter()
        .map(|player| {
            let (player, client) = (player.clone(), client.clone());
            tokio::spawn(async move { player.play(&client).await })
        })
        .collect();
    let mut whole = true;
    for task in tasks {
        whole &= task.await.expect("no player panics") == Some(End::Whole);
    }
    whole
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_rounds_of_kills_lose_nothing_and_double_nothing() {
    let mut chance = Chance::from_environment();
    let mut server = Server::start(&CONFORMANCE).await;
    for round in 0..ROUNDS {
        let players: Vec<Player> = CONFORMANCE.iter().map(|workflow| Player::new(workflow, round)).collect();
        for _ in 0..=chance.below(3) {
            let client = (*server).clone();
            let moment = Duration::from_millis(chance.below(MOMENT_MAX_MS));
            let under_way = tokio::spawn({
                let players = players.clone();
                async move { play_all(&client, &players).await }
            });
            tokio::time::sleep(moment).await;
            server.kill();
            under_way.await.expect("no player panics");
            server.restart().await;
        }
        assert!(play_all(&server, &players).await, "every stream ends in round {round}");
        for player in &players {
            player.check(&server, round).await;
        }
    }
    let handlers = server.get("/handlers").await.json();
    let count = handlers["handlers"].as_array().expect("a list").len() as u64;
    assert_eq!(count, ROUNDS * 9 + 1, "each started once; the counter has one handler for all rounds");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_one_upon_the_other_end_nothing() {
    let mut chance = Chance::from_environment();
    let mut server = Server::start(&["slow", "fanout", "waiter"]).await;
    let players: Vec<Player> = ["slow", "fanout", "waiter"].iter().map(|workflow| Player::new(workflow, 0)).collect();
    for _ in 0..8 {
        let client = (*server).clone();
        let under_way = tokio::spawn({
            let players = players.clone();
            async move { play_all(&client, &players).await }
        });
        tokio::time::sleep(Duration::from_millis(chance.below(60))).await;
        server.kill();
        under_way.await.expect("no player panics");
        server.restart().await;
    }
    assert!(play_all(&server, &players).await);
    for player in &players {
        player.check(&server, 0).await;
    }
}

#[tokio::test]
async fn what_was_answered_is_durable() {
    let mut server = Server::start(&["counter", "hitl"]).await;
    for round in 1..=5 {
        let answer = server.post("/workflows/counter/run", r#"{"handler_id":"c"}"#).await;
        server.kill();
        server.restart().await;
        assert_eq!(server.get("/handlers/c").await.body, answer.body, "round {round}");
    }
    let handler = server.begin("hitl", "{}").await;
    server.crash().await;
    server.events(&handler, "").await.until("RequestEvent").await;
    assert_eq!(server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    server.crash().await;
    assert_eq!(server.ended(&handler).await.value(), json!({"output": "Hello, Ada"}));
}

/// One that computes without end is on a thread at each kill; its neighbour, which sleeps, never is.
#[tokio::test]
async fn a_guest_that_is_there_at_every_kill_does_not_fail_its_neighbour() {
    let mut server = Server::start(&["busy", "wasi-sleep"]).await;
    let neighbour = server.begin("wasi-sleep", r#"{"seconds":600}"#).await;
    let busy = server.begin("busy", "{}").await;
    // A kill in the moment between two turns is rare, and does not count.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.crash().await;
        if server.get(&format!("/handlers/{busy}")).await.status == 500 {
            break;
        }
    }
    let failed = server.get(&format!("/handlers/{busy}")).await;
    assert!(failed.body.contains("was entered 10 times"), "{}", failed.body);
    assert_eq!(server.get(&format!("/handlers/{neighbour}")).await.status, 202, "it goes on");
}

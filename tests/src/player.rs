//! A client that plays the runs of the conformance workflows over all crashes of a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::patience::within;
use crate::{Client, End, Frame};

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
pub struct Player {
    workflow: &'static str,
    handler: String,
    /// The idempotency key of the start. Each round has its own.
    key: String,
    /// Every frame that was ever received, in order.
    seen: Arc<Mutex<Vec<Frame>>>,
}

impl Player {
    /// The run of a workflow in a round.
    pub fn new(workflow: &'static str, round: u64) -> Player {
        // The counter goes on counting under one handler: a doubled run would show.
        let handler = if workflow == "counter" { "counter".into() } else { format!("{workflow}-{round}") };
        Player { workflow, handler, key: format!("{workflow}-{round}"), seen: Arc::default() }
    }

    /// Starts the run where it is not started, reads its stream from the beginning and answers
    /// what it asks. Ends with the stream, or with the server: then nothing is known.
    pub async fn play(&self, client: &Client) -> Option<End> {
        let body = format!(r#"{{"handler_id":"{}","start_event":{}}}"#, self.handler, start_event(self.workflow));
        let path = format!("/workflows/{}/run-nowait", self.workflow);
        let started = client.attempt("POST", &path, &[("Idempotency-Key", &self.key)], &body).await?;
        if started.status == 503 {
            return None;
        }
        assert_eq!(started.status, 200, "{started:?}");
        let mut stream = client.open(&format!("/api/v1/runs/{}/events?include_internal=true", started.run()), &[]).await?;
        if stream.status() == 503 {
            return None;
        }
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
        (sent.status == 200).then_some(())
    }

    /// Waits for the run's end: it ended as it should, and so did what was seen of its stream.
    pub async fn check(&self, client: &Client, round: u64) {
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

/// Plays all at once; ends when all streams have ended or broken. Says whether all have ended.
pub async fn play_all(client: &Client, players: &[Player]) -> bool {
    let tasks: Vec<_> = players
        .iter()
        .map(|player| {
            let (player, client) = (player.clone(), client.clone());
            // A stream without a worker behind it has heartbeats for ever.
            tokio::spawn(async move { within(&format!("the stream of {}", player.handler), player.play(&client)).await })
        })
        .collect();
    let mut whole = true;
    for task in tasks {
        whole &= task.await.expect("no player panics") == Some(End::Whole);
    }
    whole
}

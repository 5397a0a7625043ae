//! `kill -9` at random moments: nothing is lost and nothing is doubled. `SEED=n` repeats a test.

use std::time::Duration;

use serde_json::json;
use wf_tests::artifacts::Language;
use wf_tests::chance::Chance;
use wf_tests::player::{Player, play_all};
use wf_tests::{CONFORMANCE, Client, Server, until};

/// A run is over after about a second; a kill comes before.
const MOMENT_MAX_MS: u64 = 900;

/// The conformance set in rounds, each of which is killed up to three times before it is played to its end.
async fn rounds_of_kills(language: Language, rounds: u64) {
    let mut chance = Chance::from_environment();
    let mut server = Server::of(language, &CONFORMANCE).await;
    // Where none is compiled yet, that may take longer than a server waits for them.
    until("all to be loaded", async || {
        let loaded = server.get("/workflows").await.json()["workflows"].as_array().map_or(0, Vec::len);
        (loaded == CONFORMANCE.len()).then_some(())
    })
    .await;
    for round in 0..rounds {
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
    let fresh = CONFORMANCE.len() as u64 - 1;
    assert_eq!(count, rounds * fresh + 1, "each started once; the counter has one handler for all rounds");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_rounds_of_kills_lose_nothing_and_double_nothing() {
    rounds_of_kills(Language::Rust, 10).await;
}

/// An interpreter is entered anew as a compiled step is: what it has slept and counted it does not sleep or count again.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_and_double_nothing_in_python() {
    rounds_of_kills(Language::Python, 5).await;
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

/// What was acknowledged before a kill: runs, and answers to those that wait.
async fn load(client: Client, round: u32) -> Vec<String> {
    let mut begun = Vec::new();
    for number in 0.. {
        let handler = format!("h{round}-{number}");
        let (workflow, event) = if number % 3 == 0 { ("inbox", r#"{"n":1}"#) } else { ("greeting", r#"{"name":"Ada"}"#) };
        let body = format!(r#"{{"handler_id":"{handler}","start_event":{event}}}"#);
        let path = format!("/workflows/{workflow}/run-nowait");
        let Some(answer) = client.attempt("POST", &path, &[("Idempotency-Key", &handler)], &body).await else { break };
        assert_eq!(answer.status, 200, "{answer:?}");
        if workflow == "inbox" {
            let path = format!("/events/{handler}");
            let event = json!({ "event": { "type": "AnswerEvent", "value": { "text": "x".repeat(70_000) } } }).to_string();
            let Some(answer) = client.attempt("POST", &path, &[], &event).await else { break };
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        begun.push(handler);
    }
    begun
}

/// One store, killed a hundred times under load: all of it is as it was written, whenever somebody looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_killed_a_hundred_times_is_sound() {
    let mut chance = Chance::from_environment();
    let mut server = Server::start(&["inbox", "greeting"]).await;
    let mut begun = Vec::new();
    for round in 1..=100 {
        let under_way = tokio::spawn(load((*server).clone(), round));
        tokio::time::sleep(Duration::from_millis(chance.below(80))).await;
        server.kill();
        if round % 10 == 0 {
            // As the kill has left it, with its log.
            server.check_store();
        }
        begun.extend(under_way.await.expect("no client panics"));
        server.restart().await;
    }
    server.check_store();
    assert!(begun.len() > 100, "{} were begun", begun.len());
    for handler in &begun {
        assert_eq!(server.ended(handler).await.text("status"), "completed", "{handler}");
    }
    assert!(server.stop().success());
    server.check_store();
}

/// One that computes without end is on a thread at each kill; its neighbour, which sleeps, never is.
#[tokio::test]
async fn a_guest_that_is_there_at_every_kill_does_not_fail_its_neighbour() {
    let mut server = Server::start(&["busy", "hostile"]).await;
    let neighbour = server.begin("hostile", r#"{"fault":"nap"}"#).await;
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

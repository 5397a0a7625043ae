//! Guests that trap, hang, grow and flood, beside runs that do not notice.

use std::time::{Duration, Instant};

use serde_json::json;
use wf_tests::{Serve, Server};

/// Runs a misbehaving workflow while others work; gives its error.
async fn failure(guest: &str) -> String {
    let server = Server::start(&[guest, "fanout", "slow"]).await;
    let beside = (server.begin("slow", r#"{"seconds":1.5}"#).await, server.begin("fanout", r#"{"n":40}"#).await);
    let handler = server.begin(guest, "{}").await;
    // They work while the other one misbehaves.
    assert_eq!(server.run("fanout", r#"{"n":5}"#).await.result(), json!([0, 1, 4, 9, 16]));
    let ended = server.ended(&handler).await;
    assert_eq!(ended.text("status"), "failed", "{ended:?}");
    assert_eq!(server.ended(&beside.0).await.result(), "slept 1.5");
    let squares: Vec<u64> = (0..40).map(|it| it * it).collect();
    assert_eq!(server.ended(&beside.1).await.result(), json!(squares));
    // And it can be done again.
    let again = server.begin(guest, "{}").await;
    assert_eq!(server.ended(&again).await.text("error"), ended.text("error"));
    assert_eq!(server.get("/health").await.status, 200);
    ended.text("error")
}

#[tokio::test]
async fn a_trap_ends_with_the_message_of_the_guest() {
    assert_eq!(failure("trap").await, "it broke");
}

#[tokio::test]
async fn a_step_that_never_returns_times_out() {
    assert_eq!(failure("spin").await, "step `spin` timed out");
}

#[tokio::test]
async fn memory_is_limited() {
    assert_eq!(failure("grow").await, "the memory limit of 256 MiB was exceeded");
}

#[tokio::test]
async fn the_stack_is_limited() {
    assert_eq!(failure("recurse").await, "the stack limit of 1024 KiB was exceeded");
}

#[tokio::test]
async fn events_are_limited() {
    assert_eq!(failure("flood").await, "the step sent more than 10000 events (limit events_max)");
}

#[tokio::test]
async fn the_state_is_limited() {
    assert_eq!(failure("hoard").await, "the state is longer than 16777216 bytes (limit state_max)");
}

#[tokio::test]
async fn the_log_is_limited() {
    let server = Server::start(&["chatty"]).await;
    let ended = server.run("chatty", "{}").await;
    assert_eq!(ended.result(), "said", "{ended:?}");
    let lines = server.get(&format!("/api/v1/runs/{}/logs", ended.run())).await.json();
    let lines = lines["logs"].as_array().expect("a list of lines");
    let written: usize = lines.iter().map(|line| line["message"].as_str().map_or(0, str::len)).sum();
    assert!((900_000..=1 << 20).contains(&written), "{written} bytes were kept");
}

#[tokio::test]
async fn ten_thousand_published_events_are_read_in_order() {
    let server = Server::start(&["publish-10000"]).await;
    let handler = server.begin("publish-10000", "{}").await;
    let frames = server.events(&handler, "").await.rest().await;
    assert_eq!(frames.len(), 10_001);
    for (place, frame) in frames[..10_000].iter().enumerate() {
        assert_eq!(frame.json()["value"]["sequence"], place, "{frame:?}");
    }
    assert_eq!(server.ended(&handler).await.result(), "published");
}

/// A guest that publishes 800 MB waits for the store: what is not written yet is never all in memory.
#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_faster_than_the_disk_writes_waits() {
    let server = Server::start(&["torrent", "greeting"]).await;
    let handler = server.begin("torrent", r#"{"events":400,"bytes":2000000}"#).await;
    let path = format!("/handlers/{handler}");
    let mut longest = Duration::ZERO;
    while server.get(&path).await.status == 202 {
        let begun = Instant::now();
        assert_eq!(server.run("greeting", "{}").await.status, 200);
        longest = longest.max(begun.elapsed());
    }
    assert_eq!(server.ended(&handler).await.result(), 400);
    assert!(longest < Duration::from_secs(5), "a neighbour took {longest:?}");
    let megabytes = server.memory_max() / 1_000_000;
    assert!(megabytes < 500, "{megabytes} MB");
}

#[tokio::test]
async fn nothing_is_granted() {
    let server = Server::start(&["ask"]).await;
    let told = server.run("ask", "{}").await.result();
    assert_ne!(told["file"], "granted");
    assert_ne!(told["network"], "granted");
    assert_eq!(told["variables"], json!([]));
    let network = told["network"].as_str().expect("a text");
    assert!(network.to_lowercase().contains("denied"), "what is not granted says so: {network}");
    let http = told["http"].as_str().expect("a text");
    assert!(http.contains("HttpRequestDenied"), "`wasi:http` links, and answers denied: {http}");
}

#[tokio::test]
async fn a_sleep_through_wasi_moves_the_derived_clock() {
    let server = Server::start(&["wasi-sleep"]).await;
    let moved = server.run("wasi-sleep", "{}").await.result();
    for clock in ["monotonic", "wall"] {
        let milliseconds = moved[clock].as_u64().expect("a number");
        assert!((200..210).contains(&milliseconds), "{clock} moved by {milliseconds} ms, of the derived clock");
    }
}

#[tokio::test]
async fn computing_is_limited() {
    let server = Serve::guests(&["spin"]).with(&["--executing-max", "0.5"]).start().await;
    let ended = server.run("spin", "{}").await;
    assert_eq!(ended.text("error"), "step `spin` computed for more than 500ms", "{ended:?}");
}

#[tokio::test]
async fn a_trap_keeps_its_backtrace() {
    let server = Server::start(&["trap"]).await;
    let handler = server.begin("trap", r#"{"message":"of its own"}"#).await;
    let ended = server.ended(&handler).await;
    assert_eq!(ended.text("error"), "of its own");
    let logs = server.get(&format!("/api/v1/runs/{}/logs", ended.run())).await.json();
    let failure = logs["logs"].as_array().and_then(|lines| lines.iter().find(|it| it["source"] == "failure")).expect("how it ended");
    assert_eq!((&failure["message"], &failure["fields"]["kind"]), (&json!("of its own"), &json!("panic")), "{failure}");
    let trace = failure["fields"]["trace"].as_str().unwrap_or_default();
    assert!(trace.contains("panic"), "the guest's functions by name: {failure}");
}

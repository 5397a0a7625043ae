//! The faults of the originals that wf-host does not have, one test each.

use serde_json::json;
use wf_tests::wire::Wire;
use wf_tests::{Server, until};

#[tokio::test]
async fn no_event_that_was_answered_sent_is_lost() {
    let server = Server::start(&["hitl", "waiter"]).await;
    for _ in 0..100 {
        // At once: the run has hardly begun, and is parked at any moment.
        let hitl = server.begin("hitl", "{}").await;
        assert_eq!(server.send(&hitl, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
        assert_eq!(server.ended(&hitl).await.value(), json!({"output": "Hello, Ada"}));
    }
}

#[tokio::test]
async fn young_runs_go_on_after_a_restart() {
    let mut server = Server::start(&["slow"]).await;
    let handler = server.begin("slow", r#"{"seconds":0.7}"#).await;
    server.crash().await;
    assert_eq!(server.ended(&handler).await.result(), "slept 0.7", "with its own start event, not an empty one");
}

#[tokio::test]
async fn a_204_has_no_body_and_leaves_the_connection_usable() {
    let server = Server::start(&["greeting"]).await;
    let handler = server.run("greeting", "{}").await.handler();
    let mut wire = Wire::connect(server.address());
    for _ in 0..3 {
        assert!(wire.write(format!("GET /events/{handler}?after_sequence=now HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()));
        let head = String::from_utf8(wire.read_until(b"\r\n\r\n")).expect("text").to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 204 ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(!head.contains("transfer-encoding") && !head.contains("content-length: 1"), "{head}");
    }
    assert!(wire.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"));
    let health = String::from_utf8(wire.read_until(b"}")).expect("text");
    assert!(health.starts_with("HTTP/1.1 200 ") && health.ends_with(r#"{"status":"healthy"}"#), "{health}");
}

#[tokio::test]
async fn a_graceful_stop_cancels_nothing() {
    let mut server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    assert!(server.stop().success());
    server.restart().await;
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.text("status"), "running");
}

#[tokio::test]
async fn retries_keep_their_delay() {
    let server = Server::start(&["retry"]).await;
    let begun = std::time::Instant::now();
    assert_eq!(server.run("retry", "{}").await.result(), json!({"tries": 3}));
    assert!(begun.elapsed().as_millis() >= 100, "two delays of 0.05 s, not {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_wait_times_out() {
    let server = Server::start(&["waiter"]).await;
    let handler = server.begin("waiter", r#"{"wait":0.1}"#).await;
    assert_eq!(server.ended(&handler).await.text("status"), "failed");
}

#[tokio::test]
async fn the_list_of_events_does_not_grow() {
    let server = Server::start(&["waiter"]).await;
    let first = server.get("/workflows/waiter/events").await.body;
    for _ in 0..3 {
        assert_eq!(server.get("/workflows/waiter/events").await.body, first);
    }
}

#[tokio::test]
async fn a_qualified_name_imports_nothing() {
    let server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    for name in ["os.path.join", "builtins.print", "antigravity.Event", "workflows.events.StopEvent", "a", ""] {
        let body = format!(r#"{{"event":{{"value":{{}},"qualified_name":"{name}"}}}}"#);
        let answer = server.post(&format!("/events/{handler}"), &body).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    assert_eq!(server.get(&format!("/handlers/{handler}")).await.text("status"), "running");
}

#[tokio::test]
async fn the_list_of_handlers_can_be_paged() {
    let server = Server::start(&["greeting"]).await;
    for _ in 0..3 {
        server.run("greeting", "{}").await;
    }
    let page = server.get("/handlers?limit=2").await.json();
    assert_eq!(page["handlers"].as_array().map(Vec::len), Some(2));
    let rest = server.get(&format!("/handlers?limit=2&after={}", page["next"].as_str().expect("a next page"))).await.json();
    assert_eq!((rest["handlers"].as_array().map(Vec::len), &rest["next"]), (Some(1), &json!(null)));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let server = Server::start(&["greeting"]).await;
    let page = server.get("/").await.body;
    for elsewhere in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "@import", "cdn."] {
        assert!(!page.contains(elsewhere), "`{elsewhere}` in {page}");
    }
}

#[tokio::test]
async fn a_finished_run_shows_its_events_without_a_cursor() {
    let server = Server::start(&["greeting"]).await;
    let handler = server.begin("greeting", "{}").await;
    until("the run to end", async || (server.get(&format!("/handlers/{handler}")).await.status == 200).then_some(())).await;
    assert_eq!(server.shape(&handler).await.len(), 4);
}

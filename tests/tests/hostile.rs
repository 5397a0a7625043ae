//! Hostile and unlucky clients: an answer or a clean close, and a healthy server after it.

use std::time::Duration;

use wf_tests::wire::Wire;
use wf_tests::{Client, Serve, Server, until};

async fn healthy(server: &Server) {
    assert_eq!(server.get("/health").await.body, r#"{"status":"healthy"}"#);
    let answer = server.run("greeting", r#"{"name":"Ada"}"#).await;
    assert_eq!(answer.result(), "Hello, Ada!");
}

/// Sends a whole request by hand; the whole answer, or nothing at a close.
async fn raw(server: &Server, request: Vec<u8>) -> String {
    let address = server.address().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut wire = Wire::connect(&address);
        wire.write(&request);
        wire.read_to_end()
    });
    String::from_utf8_lossy(&answer.await.expect("no panic")).into_owned()
}

fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn bodies_over_the_limit() {
    let server = Serve::guests(&["greeting", "hitl"]).with(&["--body-max", "1"]).start().await;
    let mebibyte = 1 << 20;
    let text = |length: usize| format!(r#"{{"start_event":{{"name":"{}"}}}}"#, "a".repeat(length - 27));
    assert_eq!(server.post("/workflows/greeting/run", &text(mebibyte)).await.status, 200);
    let over = server.post("/workflows/greeting/run", &text(mebibyte + 1)).await;
    assert_eq!(over.status, 413, "{over:?}");
    assert!(over.json()["detail"].is_string(), "{over:?}");
    let handler = server.begin("hitl", "{}").await;
    for path in ["/workflows/greeting/run-nowait", &format!("/events/{handler}")] {
        assert_eq!(server.post(path, &text(3 * mebibyte)).await.status, 413, "{path}");
    }
    healthy(&server).await;
}

#[tokio::test]
async fn bodies_without_a_length_over_the_limit() {
    let server = Serve::guests(&["greeting"]).with(&["--body-max", "1"]).start().await;
    let mut request =
        b"POST /workflows/greeting/run HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..40 {
        request.extend_from_slice(b"10000\r\n");
        request.extend_from_slice(&[b' '; 0x10000]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let answer = raw(&server, request).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let promised = b"POST /workflows/greeting/run HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    let answer = raw(&server, promised.to_vec()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    healthy(&server).await;
}

#[tokio::test]
async fn deep_and_huge_json() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    for depth in [200, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let middle = if open == "[" { String::new() } else { "1".into() };
            let deep = open.repeat(depth) + &middle + &close.repeat(depth);
            let answer = server.post("/workflows/greeting/run", &format!(r#"{{"start_event":{{"deep":{deep}}}}}"#)).await;
            assert!(answer.status == 400 || answer.status == 200, "{depth}: {}", answer.status);
            let body = format!(r#"{{"event":{{"type":"ResponseEvent","value":{{"response":{deep}}}}}}}"#);
            assert_eq!(server.post(&format!("/events/{handler}"), &body).await.status, 400, "{depth}");
            // A key that nobody knows is ignored, whatever it holds.
            let expected = if open == "[" { 400 } else { 200 };
            assert_eq!(server.post("/workflows/greeting/run", &deep).await.status, expected, "{depth}");
        }
    }
    let many: String = (0..100_000).map(|it| format!(r#""k{it}":{it},"#)).collect();
    let answer = server.post("/workflows/greeting/run", &format!(r#"{{"start_event":{{{many}"name":"Ada"}}}}"#)).await;
    assert_eq!((answer.status, answer.result()), (200, "Hello, Ada!".into()));
    healthy(&server).await;
}

#[tokio::test]
async fn a_payload_over_the_limit_of_events() {
    let server = Server::start(&["greeting"]).await;
    // Within the body's limit, over the one of an event: refused, or ended with its name.
    let answer = server.run("greeting", &format!(r#"{{"name":"{}"}}"#, "a".repeat(6 << 20))).await;
    assert!([400, 413, 500].contains(&answer.status), "{}", answer.status);
    healthy(&server).await;
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let server = Server::start(&["greeting"]).await;
    let answer = raw(&server, post("/workflows/greeting/run", b"\xef\xbb\xbf{\"start_event\":{\"name\":\"Ada\"}}")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("Hello, Ada!"), "{answer}");
}

#[tokio::test]
async fn half_an_emoji_reaches_no_run() {
    let server = Server::start(&["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    for half in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#"{"\ud83d":1}"#] {
        let body = format!(r#"{{"event":{{"type":"ResponseEvent","value":{{"response":{half}}}}}}}"#);
        let answer = server.post(&format!("/events/{handler}"), &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let answer = server.run("hitl", &format!(r#"{{"name":{half}}}"#)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    // Whole, it is an answer like any other.
    let body = r#"{"event":{"type":"ResponseEvent","value":{"response":"\ud83d\ude00"}}}"#;
    assert_eq!(server.post(&format!("/events/{handler}"), body).await.status, 200);
    assert_eq!(server.ended(&handler).await.text("status"), "completed");
}

#[tokio::test]
async fn a_long_failure_is_short_in_every_list() {
    let server = Server::start(&["failing"]).await;
    let message = "long ".repeat(200_000);
    let answer = server.run("failing", &format!(r#"{{"message":"{message}"}}"#)).await;
    assert_eq!(answer.status, 500);
    for path in ["/handlers", "/api/v1/runs"] {
        let listed = server.get(path).await;
        assert!(listed.body.len() < 100_000 && listed.body.contains("long long"), "{path}: {}", listed.body.len());
    }
}

#[tokio::test]
async fn invalid_utf_8() {
    let server = Server::start(&["greeting"]).await;
    for body in [&b"{\"start_event\":{\"name\":\"\xff\xfe\"}}"[..], b"\xff", b"{\"\xc3\x28\":1}"] {
        let answer = raw(&server, post("/workflows/greeting/run", body)).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(r#"{"detail":"Invalid JSON body: "#), "{answer}");
    }
    for path in ["/handlers/%ff%fe", "/events/%ff", "/workflows/%c3%28/schema", "/handlers?status=%ff", "/handlers/%00"] {
        let answer = server.get(path).await;
        assert!([200, 400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    healthy(&server).await;
}

#[tokio::test]
async fn unknown_fields_are_passed_over() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let body = r#"{"start_event":{"name":"Ada","unknown":[1]},"context":{},"unknown":{"deep":[null]},"type":17}"#;
    assert_eq!(server.post("/workflows/greeting/run", body).await.result(), "Hello, Ada!");
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    let body = r#"{"event":{"type":"ResponseEvent","value":{"response":"Ada","more":1},"more":2},"more":3}"#;
    assert_eq!(server.post(&format!("/events/{handler}"), body).await.status, 200);
    assert_eq!(server.ended(&handler).await.value()["output"], "Hello, Ada");
}

#[tokio::test]
async fn what_is_no_http() {
    let server = Server::start(&["greeting"]).await;
    let long_header = format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20)).into_bytes();
    let many_headers = format!("GET /health HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: 1\r\n".repeat(10_000)).into_bytes();
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20)).into_bytes();
    for request in [long_header, many_headers, long_path, b"\x16\x03\x01\x02\x00\x01\x00".repeat(40), b"nonsense\r\n\r\n".to_vec()] {
        let answer = raw(&server, request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let two_lengths = b"POST /workflows/greeting/run HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}";
    let answer = raw(&server, two_lengths.to_vec()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    healthy(&server).await;
}

#[tokio::test]
async fn a_slow_client_is_let_go() {
    let server = Server::start(&["greeting"]).await;
    let address = server.address().to_owned();
    let slow_head = tokio::task::spawn_blocking({
        let address = address.clone();
        move || {
            let mut wire = Wire::connect(&address);
            wire.write(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ");
            wire.read_to_end()
        }
    });
    let slow_body = tokio::task::spawn_blocking(move || {
        let mut wire = Wire::connect(&address);
        wire.write(b"POST /workflows/greeting/run HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"start");
        wire.read_to_end()
    });
    healthy(&server).await;
    for answer in [slow_head.await.expect("no panic"), slow_body.await.expect("no panic")] {
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    healthy(&server).await;
}

#[tokio::test]
async fn clients_that_vanish() {
    let server = Server::start(&["greeting", "slow"]).await;
    let body = r#"{"start_event":{"seconds":600}}"#;
    for _ in 0..50 {
        let mut half = Wire::connect(server.address());
        half.write(b"POST /workflows/greeting/run HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
        let mut held = Wire::connect(server.address());
        held.write(format!("POST /workflows/slow/run HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }
    let handler = server.begin("slow", r#"{"seconds":0.4}"#).await;
    for _ in 0..50 {
        let mut reader = Wire::connect(server.address());
        reader.write(format!("GET /events/{handler} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    }
    assert_eq!(server.ended(&handler).await.result(), "slept 0.4");
    healthy(&server).await;
    assert!(open_files(&server) < 100, "descriptors of clients that are gone");
}

fn open_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).map_or(0, Iterator::count)
}

/// How many readers the issue asks for.
const READERS: u64 = 5000;
/// Descriptors for everything else.
const SPARE: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "it is asked to say how many")]
async fn thousands_of_readers_of_one_stream() {
    // Both ends of each connection are on this machine, in two processes of equal limits.
    let limit = rlimit::increase_nofile_limit(u64::MAX).expect("a limit of descriptors");
    let readers = READERS.min(limit.saturating_sub(SPARE));
    println!("{readers} readers; the hard limit is {limit} descriptors");
    let server = Server::start(&["hitl", "greeting"]).await;
    let handler = server.begin("hitl", "{}").await;
    let mut tasks = tokio::task::JoinSet::new();
    let (begun, mut beginnings) = tokio::sync::mpsc::unbounded_channel();
    let client: Client = (*server).clone();
    for _ in 0..readers {
        let (client, handler, begun) = (client.clone(), handler.clone(), begun.clone());
        tasks.spawn(async move {
            let mut stream = client.events(&handler, "").await;
            let first = stream.next().await.expect("an event");
            let _ = begun.send(());
            std::iter::once(first).chain(stream.rest().await).map(|it| it.shape()).collect::<Vec<_>>()
        });
    }
    for _ in 0..readers {
        wf_tests::patience::within("every reader to begin", beginnings.recv()).await.expect("it has begun");
    }
    assert_eq!(server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    let expected = [r#"RequestEvent {"prompt":"What is your name?"}"#, r#"OutEvent {"output":"Hello, Ada"}"#];
    while let Some(seen) = tasks.join_next().await {
        assert_eq!(seen.expect("no reader panics"), expected);
    }
    healthy(&server).await;
    // Idle connections stay open for reuse; the client's end is closed with it.
    drop(client);
    until("the readers' memory to matter no more", async || (server.get("/health").await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn more_connections_than_it_takes_do_no_harm() {
    let server = Server::start(&["greeting"]).await;
    let idle: Vec<Wire> = (0..500).map(|_| Wire::connect(server.address())).collect();
    let answer = tokio::time::timeout(Duration::from_secs(30), healthy(&server)).await;
    assert!(answer.is_ok(), "idle connections keep nobody out");
    drop(idle);
    healthy(&server).await;
}

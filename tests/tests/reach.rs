//! Where a server meets the world: names, paths, connections, threads, and a clock that jumps.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::{Value, json};
use wf_tests::wasm::Module;
use wf_tests::{Serve, Server, check, until};

#[tokio::test]
async fn a_name_that_a_stranger_could_own_is_refused_and_the_log_says_what_lets_it_in() {
    let server = Server::start(&["greeting"]).await;
    check(
        &server,
        r#"
        GET /health
          Host: evil.example
        GET /
          Host: Evil.Example:8080
        POST /workflows/greeting/run {}
          Host: evil.example
        GET /health
          Host: printer.local
        GET /health
          Host: server:8080
        GET /health
          Host: [::1]:8080
        "#,
        expect![[r#"
            GET /health
              Host: evil.example
            421 {"detail":"Host 'evil.example' is not allowed"}
            GET /
              Host: Evil.Example:8080
            421 {"detail":"Host 'evil.example' is not allowed"}
            POST /workflows/greeting/run {}
              Host: evil.example
            421 {"detail":"Host 'evil.example' is not allowed"}
            GET /health
              Host: printer.local
            200 {"status":"healthy"}
            GET /health
              Host: server:8080
            200 {"status":"healthy"}
            GET /health
              Host: [::1]:8080
            200 {"status":"healthy"}
        "#]],
    )
    .await;
    let said = |log: &str| log.matches("`--allowed-host evil.example` lets it in").count();
    until("the log to name the option", async || (said(&server.log()) == 1).then_some(())).await;

    let serve = Serve::guests(&["greeting"]).with(&["--allowed-host", "one.example,two.example", "--public-url", "https://three.example"]);
    let server = serve.start().await;
    for (host, status) in [("one.example", 200), ("two.example", 200), ("three.example", 200), ("four.example", 421)] {
        assert_eq!(server.request("GET", "/health", &[("host", host)], "").await.status, status, "{host}");
    }
    let server = Serve::guests(&["greeting"]).with(&["--allowed-host", "*"]).start().await;
    assert_eq!(server.request("GET", "/health", &[("host", "evil.example")], "").await.status, 200);
}

#[tokio::test]
async fn a_percent_sign_means_what_it_stands_for_in_every_path() {
    let server = Server::start(&["hitl", "greeting"]).await;
    check(
        &server,
        r#"
        GET /workflows
        POST /workflows/%67reeting/run {"handler_id":"user:42"}
        POST /workflows/greet%69ng/run%2Dnowait {"handler_id":"user:43"}
        GET /workflows/greet%69ng/schema
        GET /workflows/greet%69ng/events
        GET /workflows/greet%69ng/representation
        GET /handlers/user%3A42
        GET /results/user%3A42
        GET /api/v1/handlers/user%3a42/context
        GET /events/user%3A42?after_sequence=now
        POST /events/user%3A42 {"event":{"type":"StopEvent","value":{}}}
        POST /handlers/user%3A42/cancel
        POST /handlers/user%3A42/cancel?purge=true
        GET /%68ealth
        DELETE /handlers/user%3A42
          ? allow
        PUT /workflows/greet%69ng/run
          ? allow
        GET /handlers/%zz
        GET /handlers/100%
        GET /handlers/%ff
        GET /handlers/a%2Fb
        "#,
        expect![[r#"
            GET /workflows
            200 {"workflows":["hitl","greeting"]}
            POST /workflows/%67reeting/run {"handler_id":"user:42"}
            200 {"handler_id":"user:42","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            POST /workflows/greet%69ng/run%2Dnowait {"handler_id":"user:43"}
            200 {"handler_id":"user:43","workflow_name":"greeting","run_id":"$r2","error":null,"result":null,"result_unreadable":false,"status":"running","started_at":"<time>","updated_at":"<time>","completed_at":null}
            GET /workflows/greet%69ng/schema
            200 {"start":{"properties":{},"title":"StartEvent","type":"object"},"stop":{"properties":{},"title":"StopEvent","type":"object"}}
            GET /workflows/greet%69ng/events
            200 {"events":[{"description":"Shown while the greeting is under way.","properties":{"sequence":{"description":"From 0.","format":"uint32","maximum":4294967295,"minimum":0,"type":"integer"}},"required":["sequence"],"title":"StreamEvent","type":"object"},{"properties":{},"title":"StartEvent","type":"object"},{"properties":{},"title":"StopEvent","type":"object"}]}
            GET /workflows/greet%69ng/representation
            200 {"graph":{"name":"greeting","nodes":[{"id":"greet","label":"greet","node_type":"step","description":"Counts to three, and greets."},{"id":"StartEvent","label":"StartEvent","node_type":"event","title":null,"event_type":"StartEvent","event_types":["StartEvent"],"event_schema":{"properties":{},"title":"StartEvent","type":"object"},"produced_by":[]},{"id":"StopEvent","label":"StopEvent","node_type":"event","title":null,"event_type":"StopEvent","event_types":["StopEvent"],"event_schema":{"properties":{},"title":"StopEvent","type":"object"},"produced_by":["greet"]}],"edges":[{"source":"StartEvent","target":"greet","label":null},{"source":"greet","target":"StopEvent","label":null}],"description":"Greets by name."}}
            GET /handlers/user%3A42
            200 {"handler_id":"user:42","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /results/user%3A42
            200 {"handler_id":"user:42","workflow_name":"greeting","run_id":"$r1","error":null,"result":"Hello, World!","result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /api/v1/handlers/user%3a42/context
            200 {"version":1,"state":{"state_data":{"_data":{}},"state_type":"DictState","state_module":"workflows.context.state_store"},"is_running":false}
            GET /events/user%3A42?after_sequence=now
            204
            POST /events/user%3A42 {"event":{"type":"StopEvent","value":{}}}
            409 {"detail":"Workflow already completed"}
            POST /handlers/user%3A42/cancel
            404 {"detail":"Handler not found"}
            POST /handlers/user%3A42/cancel?purge=true
            200 {"status":"deleted"}
            GET /%68ealth
            200 {"status":"healthy"}
            DELETE /handlers/user%3A42
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            PUT /workflows/greet%69ng/run
            405
              allow: POST
            {"detail":"Method Not Allowed"}
            GET /handlers/%zz
            400 {"detail":"a part of the path has a '%' that begins no byte: '%zz'"}
            GET /handlers/100%
            400 {"detail":"a part of the path has a '%' that begins no byte: '%'"}
            GET /handlers/%ff
            400 {"detail":"a part of the path is no UTF-8: '%ff'"}
            GET /handlers/a%2Fb
            404 {"detail":"Handler not found"}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn below_a_path_all_works_whether_a_proxy_takes_the_path_away_or_leaves_it() {
    let serve = Serve::guests(&["greeting"]).with(&["--public-url", "https://flows.example/wf/"]);
    let server = serve.start().await;
    check(
        &server,
        r#"
        GET /wf/health
        GET /health
        POST /wf/workflows/greeting/run {}
          Origin: https://flows.example
        GET /wf/handlers/user%3A42
        GET /wf/handlers?limit=1
        DELETE /wf/health
          ? allow
        GET /wf/wf/health
        GET /wfx/health
        GET /wf/ui/nothing.js
        "#,
        expect![[r#"
            GET /wf/health
            200 {"status":"healthy"}
            GET /health
            200 {"status":"healthy"}
            POST /wf/workflows/greeting/run {}
              Origin: https://flows.example
            200 {"handler_id":"$1","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}
            GET /wf/handlers/user%3A42
            404 {"detail":"Handler not found"}
            GET /wf/handlers?limit=1
            200 {"handlers":[{"handler_id":"$1","workflow_name":"greeting","run_id":"$r1","error":null,"result":{"value":{"result":"Hello, World!"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null},"result_unreadable":false,"status":"completed","started_at":"<time>","updated_at":"<time>","completed_at":"<time>"}],"next":null}
            DELETE /wf/health
            405
              allow: GET, HEAD
            {"detail":"Method Not Allowed"}
            GET /wf/wf/health
            404 {"detail":"Not Found"}
            GET /wfx/health
            404 {"detail":"Not Found"}
            GET /wf/ui/nothing.js
            404 {"detail":"Not Found"}
        "#]],
    )
    .await;
    let sent = server.get("/wf?x=1").await;
    assert_eq!((sent.status, sent.header("location")), (308, "/wf/"), "to where the slash is");
    for path in ["/wf/", "/"] {
        let page = server.get(path).await;
        assert!(page.status == 200 && page.body.contains("<div id=\"root\">"), "{path}: {page:?}");
        assert!(!page.body.contains("\"/ui"), "its files are named from where it is: {}", page.body);
    }
    // A path that is one of ours as it stands is that one.
    let server = Serve::guests(&["greeting"]).with(&["--public-url", "https://flows.example/workflows"]).start().await;
    check(
        &server,
        r#"
        GET /workflows
        GET /workflows/workflows
        GET /workflows/greeting/schema
        GET /workflows/workflows/greeting/schema
        "#,
        expect![[r#"
            GET /workflows
            200 {"workflows":["greeting"]}
            GET /workflows/workflows
            200 {"workflows":["greeting"]}
            GET /workflows/greeting/schema
            200 {"start":{"properties":{},"title":"StartEvent","type":"object"},"stop":{"properties":{},"title":"StopEvent","type":"object"}}
            GET /workflows/workflows/greeting/schema
            200 {"start":{"properties":{},"title":"StartEvent","type":"object"},"stop":{"properties":{},"title":"StopEvent","type":"object"}}
        "#]],
    )
    .await;
}

#[tokio::test]
async fn it_listens_on_an_address_of_the_newer_kind_in_brackets_or_without() {
    for host in ["[::1]", "::1"] {
        let server = Serve::guests(&["greeting"]).with(&["--host", host]).start().await;
        assert!(server.url().starts_with("http://[::1]:"), "{}", server.url());
        let own = [("origin", server.url())];
        let answer = server.request("POST", "/workflows/greeting/run", &own, "{}").await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, server.url()));
        assert!(server.screen().contains("\n  open to everyone on this machine; "), "{}", server.screen());
    }
}

/// Whether the server would notice that the client at this end is gone: the kernel's timer of its socket.
fn keeps_alive(server_port: u16, client_port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/tcp").expect("the sockets of this machine");
    let port = |address: &str| address.rsplit(':').next().and_then(|it| u16::from_str_radix(it, 16).ok());
    sockets.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, _, _, timer, ..] = fields[..] else { return false };
        port(local) == Some(server_port) && port(remote) == Some(client_port) && timer.starts_with("02:")
    })
}

#[tokio::test]
async fn a_silent_connection_is_asked_whether_anybody_is_there() {
    let server = Server::start(&["greeting"]).await;
    let connection = TcpStream::connect(server.address()).expect("it listens");
    let server_port = connection.peer_addr().expect("connected").port();
    let client_port = connection.local_addr().expect("connected").port();
    until("the timer", async || keeps_alive(server_port, client_port).then_some(())).await;
}

/// A workflow whose graph is large: every step may return whatever is declared, and that has many fields.
fn large(steps: usize) -> Vec<u8> {
    let name = |at: usize| match at {
        0 => "StartEvent".to_owned(),
        at if at == steps => "StopEvent".to_owned(),
        at => format!("Event{at}"),
    };
    let fields: serde_json::Map<String, Value> = (0..30).map(|at| (format!("field{at}"), json!({ "type": "integer" }))).collect();
    let schema = json!({ "type": "object", "properties": fields });
    let events: Vec<Value> = (1..steps).map(|at| json!({ "name": name(at), "kind": "plain", "schema": schema })).collect();
    let step = |at| json!({ "name": format!("step{at}"), "accepts": [name(at)], "emits": [], "emits_any": true });
    let steps: Vec<Value> = (0..steps).map(step).collect();
    Module::describing(&json!({ "name": "large", "events": events, "steps": steps }).to_string()).binary()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_graph_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("large.wasm");
    fs::write(&file, large(250)).expect("written");
    let mut serve = Serve { paths: vec![file.display().to_string()], ..Serve::default() };
    // With one thread to answer, whoever holds it holds up everybody.
    serve.environment.push(("TOKIO_WORKER_THREADS".to_owned(), "1".to_owned()));
    let server = serve.start().await;
    let client = (*server).clone();
    let begun = Instant::now();
    let graph = tokio::spawn(async move { client.get("/workflows/large/representation").await });
    let (mut longest, mut answered) = (Duration::ZERO, 0);
    while !graph.is_finished() {
        let asked = Instant::now();
        assert_eq!(server.get("/health").await.status, 200);
        longest = longest.max(asked.elapsed());
        answered += 1;
    }
    let took = begun.elapsed();
    assert_eq!(graph.await.expect("no panic").status, 200);
    assert!(answered > 5 && longest * 2 < took, "{answered} answers, the longest in {longest:?}, beside a graph in {took:?}");
}

/// Stands before the machine's clock of the day, and sets it ahead by the seconds in a file.
const AHEAD: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    char text[32] = "";
    int file = clock == CLOCK_REALTIME ? open(getenv("CLOCK_AHEAD"), O_RDONLY) : -1;
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0) time->tv_sec += atol(text);
        close(file);
    }
    return result;
}
"#;

/// When this happened in the run of a handler, by its journal: in seconds of the day.
async fn moment(server: &Server, handler: &str, kind: &str) -> f64 {
    let run = server.get(&format!("/handlers/{handler}")).await.run();
    let history = server.get(&format!("/api/v1/runs/{run}/history")).await.json();
    let moments = history["moments"].as_array().expect("a list");
    let at = moments.iter().find(|it| it["kind"] == kind).and_then(|it| it["at"].as_str()).unwrap_or_else(|| panic!("{history}"));
    let (_, clock) = at.trim_end_matches("+00:00").split_once('T').expect("a date and a time");
    clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_forward_wakes_what_is_due_and_not_what_counts_a_host_that_is_up() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (source, library, ahead) = (folder.path().join("ahead.c"), folder.path().join("ahead.so"), folder.path().join("ahead"));
    fs::write(&source, AHEAD).expect("written");
    fs::write(&ahead, "0").expect("written");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(compiled.expect("a C compiler").success());
    let mut serve = Serve::guests(&["slow", "waiter"]);
    serve.environment.push(("LD_PRELOAD".to_owned(), library.display().to_string()));
    serve.environment.push(("CLOCK_AHEAD".to_owned(), ahead.display().to_string()));
    let server = serve.start().await;
    let waiting = server.begin("waiter", r#"{"wait":1800}"#).await;
    server.events(&waiting, "").await.until("AskEvent").await;
    // The first has left memory by then, the second has not.
    let first = server.begin("slow", r#"{"seconds":3600}"#).await;
    let begun = Instant::now();
    until("the first to rest", async || (begun.elapsed() > Duration::from_secs(2)).then_some(())).await;
    let second = server.begin("slow", r#"{"seconds":3600}"#).await;
    let history = format!("/api/v1/runs/{}/history", server.get(&format!("/handlers/{second}")).await.run());
    // What begins to sleep after the jump sleeps from there.
    until("the second to sleep", async || server.get(&history).await.body.contains(r#""phase":"sleeping""#).then_some(())).await;
    fs::write(&ahead, "3700").expect("written");
    // By the server's own clock, of which this one tells when it has jumped: how busy the machine is does not matter.
    let jumped = server.begin("slow", r#"{"seconds":0}"#).await;
    let jumped = moment(&server, &jumped, "started").await;
    for handler in [&second, &first] {
        assert_eq!(server.ended(handler).await.result(), "slept 3600.0");
        let woken = moment(&server, handler, "timer-fired").await - jumped;
        // Midnight may lie in between.
        let woken = (woken + 43_200.0).rem_euclid(86_400.0) - 43_200.0;
        assert!(woken < 1.0, "{woken} seconds after the jump");
    }
    assert_eq!(server.get(&format!("/handlers/{waiting}")).await.status, 202);
    assert_eq!(server.send(&waiting, "AnswerEvent", r#"{"user":"laurie","answer":"42"}"#).await.status, 200);
    assert_eq!(server.ended(&waiting).await.result(), json!({"answer": "42"}));
}

//! Commands against a server, and the client that they stand on.

use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use wf_client::{Client, Error, Filter, From, Start, Status, To};
use wf_tests::output::Output as Said;
use wf_tests::wasm::Module;
use wf_tests::{Serve, Server, server, until};

/// What a command against a server gave: exit code, stdout, stderr.
fn ask(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        server::command().args(arguments).env("WF_HOST_SERVER", server.url()).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text").trim_end().to_owned();
    (status.code().expect("it exits"), text(stdout), text(stderr))
}

fn said(server: &Server, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = ask(server, arguments);
    assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
    stdout
}

fn object(server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(server, &[arguments, &["--json"]].concat())).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_are_listed_and_shown() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let listed = said(&server, &["workflows", "ls"]);
    assert!(listed.starts_with("NAME") && listed.contains("hitl      served  Asks for a name and greets."), "{listed}");
    assert_eq!(object(&server, &["workflows", "ls"])[0]["name"], "greeting");
    let shown = said(&server, &["workflows", "show", "hitl"]);
    for part in [
        "starts with\n  StartEvent\n",
        "ends with\n  OutEvent  {output: string}\n",
        "  RequestEvent (asks)  {prompt: string}\n  ResponseEvent (answers)  {response: string}\n",
        "prompt_human → RequestEvent",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(object(&server, &["workflows", "show", "hitl"])["stop"]["title"], "OutEvent");
    let (code, _, stderr) = ask(&server, &["workflows", "show", "nope"]);
    assert_eq!((code, stderr.as_str()), (1, "error: Workflow not found\nhint: `wf-host workflows ls` lists those that are there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_answered_and_purged() {
    let server = Server::start(&["greeting", "hitl", "failing"]).await;
    assert_eq!(said(&server, &["runs", "start", "greeting", "--param", "name=Ada", "--wait"]), r#""Hello, Ada!""#);
    let handler = said(&server, &["runs", "start", "hitl"]);
    until("the question", async || said(&server, &["runs", "events", &handler]).contains("RequestEvent").then_some(())).await;
    let half = ask(&server, &["runs", "send", &handler, "ResponseEvent", "--event", r#"{"response":"\ud83d"}"#]);
    let error = r#"error: the event cannot be sent: it has the text "\ud83d", which is half of a surrogate pair"#;
    assert_eq!((half.0, half.2.as_str()), (2, error));
    assert_eq!(said(&server, &["runs", "send", &handler, "ResponseEvent", "--param", "response=Bob"]), "sent");
    assert_eq!(said(&server, &["runs", "result", &handler]), r#"{"output":"Hello, Bob"}"#);
    let events = said(&server, &["runs", "events", &handler, "--follow"]);
    assert!(events.lines().count() == 2 && events.contains(r#"OutEvent  {"output":"Hello, Bob"}"#), "{events}");
    let first: Value =
        serde_json::from_str(said(&server, &["runs", "events", &handler, "--json"]).lines().next().expect("a line")).expect("JSON");
    assert!(first["sequence"].is_i64() && first["type"] == "RequestEvent", "{first}");
    assert_eq!(object(&server, &["runs", "show", &handler])["status"], "completed");
    assert!(said(&server, &["runs", "show", &handler]).contains("status     completed"));

    let (code, stdout, stderr) = ask(&server, &["runs", "start", "failing", "--wait", "--param", "message=no luck"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let (handler, why) = stderr.split_once('\n').expect("lines");
    assert!(handler.starts_with("handler: ") && why.starts_with("error: no luck\nhint: "), "{stderr}");

    let waiting = said(&server, &["runs", "start", "hitl", "--handler", "mine"]);
    assert_eq!(waiting, "mine");
    until("it to wait", async || said(&server, &["runs", "ls", "--status", "waiting"]).contains("mine").then_some(())).await;
    let listed = said(&server, &["runs", "ls"]);
    let rows: Vec<Vec<&str>> = listed.lines().map(|it| it.split("  ").filter(|it| !it.is_empty()).map(str::trim).collect()).collect();
    assert_eq!(rows[0], ["HANDLER", "WORKFLOW", "STATUS", "STARTED (UTC)", "ABOUT"]);
    assert_eq!([rows[1][0], rows[1][1], rows[1][2], rows[1][4]], ["mine", "hitl", "waiting", "ResponseEvent"], "newest first: {listed}");
    assert_eq!([rows[2][1], rows[2][2], rows[2][4]], ["failing", "failed", "no luck"]);
    assert!(rows[1][3].len() == 19 && !rows[1][3].contains(['T', '.', '+']), "a time for people: {listed}");
    assert!(said(&server, &["runs", "show", "mine"]).contains("\nwaits for  ResponseEvent\n"));
    let first = object(&server, &["runs", "ls", "--limit", "1"]);
    let next = first["next"].as_str().expect("a place");
    assert_eq!(object(&server, &["runs", "ls", "--limit", "1", "--before", next])["runs"][0]["workflow_name"], "failing");
    assert!(said(&server, &["runs", "ls", "--limit", "1"]).ends_with(&format!("more: --before {next}")));
    assert_eq!(said(&server, &["runs", "ls", "--search", "no LUCK"]).lines().count(), 2);
    let (code, _, stderr) = ask(&server, &["runs", "ls", "--since", "noon"]);
    assert!(code == 2 && stderr.ends_with("hint: `wf-host runs ls --help` says what it may be"), "{stderr}");
    assert_eq!(said(&server, &["runs", "cancel", "mine"]), "cancelled");
    let (code, _, stderr) = ask(&server, &["runs", "result", "mine"]);
    assert_eq!((code, stderr.as_str()), (1, "error: the run is cancelled"));
    let (code, _, stderr) = ask(&server, &["runs", "cancel", "mine"]);
    assert!(code == 1 && stderr.starts_with("error: the run is cancelled already\nhint: "), "{stderr}");
    assert_eq!(said(&server, &["runs", "purge", "mine"]), "deleted");
    let (code, _, stderr) = ask(&server, &["runs", "show", "mine"]);
    assert_eq!((code, stderr.as_str()), (1, "error: Handler not found\nhint: `wf-host runs ls` lists the handlers that are there"));
}

/// A workflow that ends with what it began with.
fn echo() -> Vec<u8> {
    let schema = json!({ "type": "object", "properties": { "result": {} } });
    let events = [json!({ "name": "StartEvent", "kind": "start", "schema": schema })];
    let steps = [json!({ "name": "repeat", "accepts": ["StartEvent"], "emits": ["StopEvent"] })];
    Module::echoing(&json!({ "name": "echo", "events": events, "steps": steps }).to_string()).binary()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_sent_and_shown_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("echo.wasm");
    std::fs::write(&file, echo()).expect("written");
    let server = Serve { paths: vec![file.display().to_string()], ..Serve::default() }.start().await;
    let long = "12345678901234567890123";
    assert_eq!(said(&server, &["runs", "start", "echo", "--param", &format!("result={long}"), "--wait"]), long);
    let given = format!(r#"{{"b":{long},"a":1.0}}"#);
    said(&server, &["runs", "start", "echo", "--handler", "long", "--event", &format!(r#"{{"result":{given}}}"#)]);
    assert_eq!(said(&server, &["runs", "result", "long"]), given);
    let events = said(&server, &["runs", "events", "long", "--follow"]);
    assert!(events.ends_with(&format!(r#"StopEvent  {{"result":{given}}}"#)), "{events}");
    for arguments in [
        &["show", "long"][..],
        &["show", "long", "--json"],
        &["result", "long", "--json"],
        &["events", "long", "--json"],
        &["ls", "--json"],
    ] {
        let shown = said(&server, &[&["runs"][..], arguments].concat());
        assert!(shown.contains(&given), "{arguments:?}: {shown}");
    }
    let client = Client::new(server.url()).expect("a URL");
    let result = client.result("long").await.expect("a result").result.expect("it has one");
    assert_eq!(result.text(), given);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_shown() {
    let server = Server::start(&["trap"]).await;
    let handler = said(&server, &["runs", "start", "trap", "--param", "message=of its own"]);
    server.ended(&handler).await;
    let logs = said(&server, &["runs", "logs", &handler]);
    assert!(logs.contains("of its own  kind=panic  retryable=true\n"), "{logs}");
    assert!(logs.contains("\n    error while executing at wasm backtrace:\n"), "{logs}");
    assert_eq!(object(&server, &["runs", "logs", &handler])[0]["attempt"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_and_servers_that_are_not_there() {
    let server = Server::start(&["greeting"]).await;
    let (code, _, stderr) = ask(&server, &["workflows", "ls", "--server", "nonsense"]);
    assert!(code == 2 && stderr.starts_with("error: `nonsense` is no URL of a server: "), "{stderr}");
    let (code, _, stderr) = ask(&server, &["runs", "start", "greeting", "--event", "{"]);
    assert!(code == 2 && stderr.contains("`--event` is no JSON"), "{stderr}");
    let (code, _, stderr) = ask(&server, &["runs", "start", "greeting", "--event", r#"{"type":"Nope","value":{}}"#]);
    assert!(code == 1 && stderr.contains("unknown event type Nope"), "{stderr}");
    // The discard port: nothing listens there.
    let gone = Client::new("http://127.0.0.1:9").expect("a URL").with_patience(Duration::from_millis(100));
    let error = gone.health().await.expect_err("nobody is there");
    assert!(matches!(&error, Error::Connection(_)), "{error}");
}

/// What a step or a client has written clears no screen, and copies nothing.
#[tokio::test]
async fn texts_of_others_do_nothing_to_a_terminal() {
    let server = Server::start(&["failing"]).await;
    let evil = "no luck\u{1b}[2J\u{1b}]52;c;eA==\u{7}\rfine";
    let ended = server.run("failing", &json!({ "message": evil }).to_string()).await;
    assert!(ended.text("error").contains(evil), "{ended:?}");
    let all = ["logs", "result", "show", "events"].map(|command| {
        let (_, stdout, stderr) = ask(&server, &["runs", command, &ended.handler()]);
        stdout + &stderr
    });
    assert!(all.concat().contains("no luck\\u{1b}[2J"), "{all:?}");
    assert!(!all.concat().contains(['\u{1b}', '\u{7}', '\r']), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_in_the_order_of_time_with_their_steps_and_fields() {
    let server = Server::start(&["talker"]).await;
    let handler = said(&server, &["runs", "start", "talker", "--param", "newlines=1"]);
    server.ended(&handler).await;
    let logs = said(&server, &["runs", "logs", &handler]);
    let times: Vec<&str> = logs.lines().map(|it| &it[..23]).collect();
    assert!(times.is_sorted() && times.len() == 3, "{logs}");
    assert!(times.iter().all(|it| !it.contains('T')), "times for people: {logs}");
    assert!(logs.contains("  info   talk[0]  begun\n"), "{logs}");
}

/// A command on a terminal, with what is written there.
fn on_a_terminal(server: &Server, arguments: &str, input: &str) -> String {
    let binary = wf_tests::artifacts::binary().display().to_string();
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &format!("{binary} {arguments}"), "/dev/null"]).env("WF_HOST_SERVER", server.url());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`script` of util-linux is there");
    let mut said = Said::of(child.stdout.take().expect("piped"));
    wf_tests::patience::until_blocking("the question", || said.so_far().contains("? ").then_some(()));
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input.as_bytes()).expect("it reads");
    child.wait().expect("it ends");
    said.whole()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_asks_on_a_terminal_what_the_run_asks() {
    let server = Server::start(&["hitl", "inbox"]).await;
    let shown = on_a_terminal(&server, "runs start hitl --wait --handler mine", "Ada\n");
    assert!(shown.contains("handler: mine") && shown.contains("What is your name?"), "{shown}");
    assert!(shown.contains("? response: ") && shown.contains(r#"{"output":"Hello, Ada"}"#), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_without_a_terminal_says_how_to_answer() {
    let server = Server::start(&["hitl"]).await;
    let mut start = server::command();
    start.args(["runs", "start", "hitl", "--wait", "--handler", "mine"]).env("WF_HOST_SERVER", server.url());
    let mut start = start.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let said = Said::of(start.stderr.take().expect("piped"));
    let question = "RequestEvent  {\"prompt\":\"What is your name?\"}\nwaiting for ResponseEvent: `wf-host runs send mine ResponseEvent --event '{\"response\":\"response\"}'` answers\n";
    until("it to say so", async || said.so_far().contains(question).then_some(())).await;
    assert_eq!(self::said(&server, &["runs", "send", "mine", "ResponseEvent", "--event", r#"{"response":"Ada"}"#]), "sent");
    let ended = start.wait_with_output().expect("it ends");
    assert!(ended.status.success() && String::from_utf8_lossy(&ended.stdout).trim() == r#"{"output":"Hello, Ada"}"#, "{ended:?}");

    // So does a fork that waits.
    let mut fork = server::command();
    fork.args(["runs", "fork", "mine", "--at", "0", "--handler-id", "other", "--wait"]).env("WF_HOST_SERVER", server.url());
    let mut fork = fork.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let said = Said::of(fork.stderr.take().expect("piped"));
    until("it to say so", async || said.so_far().contains("waiting for ResponseEvent: `wf-host runs send other ").then_some(())).await;
    server.send("other", "ResponseEvent", r#"{"response":"Ada"}"#).await;
    assert!(fork.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runs_of_a_handler_are_listed_and_an_event_may_be_in_a_file() {
    let server = Server::start(&["greeting"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"name":"Ada"}"#).expect("written");
    let event = format!("@{}", file.display());
    for _ in 0..2 {
        let arguments = ["runs", "start", "greeting", "--handler", "mine", "--event", &event, "--wait"];
        assert_eq!(said(&server, &arguments), r#""Hello, Ada!""#);
    }
    assert_eq!(said(&server, &["runs", "ls"]).lines().count(), 2, "the newest");
    assert_eq!(said(&server, &["runs", "ls", "--all"]).lines().count(), 3);
    let earlier = said(&server, &["runs", "ls", "--handler", "mine"]);
    assert!(earlier.lines().count() == 3 && earlier.starts_with("RUN "), "{earlier}");
    let (code, _, stderr) = ask(&server, &["runs", "start", "greeting", "--event", "@nowhere.json"]);
    assert!(code == 2 && stderr.starts_with("error: `--event @nowhere.json` cannot be read: "), "{stderr}");
}

/// What a shell would offer for the last word.
fn offered(server: &Server, words: &[&str]) -> Vec<String> {
    let mut command = server::command();
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() + 1).to_string()).env("WF_HOST_SERVER", server.url());
    let output = command.args(["--", "wf-host"]).args(words).arg("").output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter(|it| !it.starts_with("--")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_what_the_server_has() {
    let server = Server::start(&["greeting", "hitl"]).await;
    said(&server, &["runs", "start", "hitl", "--handler", "mine"]);
    assert_eq!(offered(&server, &["runs", "start"]), ["greeting", "hitl"]);
    assert_eq!(offered(&server, &["workflows", "show"]), ["greeting", "hitl"]);
    assert_eq!(offered(&server, &["runs", "cancel"]), ["mine"]);
    assert_eq!(
        offered(&server, &["runs", "send", "--step", "greet_human", "mine"]),
        ["RequestEvent", "ResponseEvent", "OutEvent", "StartEvent"]
    );
    assert_eq!(offered(&server, &["runs", "send", "mine", "X", "--step"]), ["prompt_human", "greet_human"]);
    // The line's own server counts; where none answers nothing is offered, and nothing is said.
    assert_eq!(offered(&server, &["runs", "cancel", "--server=http://127.0.0.1:9"]), [""; 0]);
    let script = said(&server, &["completions", "bash"]);
    assert!(script.contains("COMPLETE=") && script.contains("complete "), "{script}");
}

#[tokio::test]
async fn every_call_of_the_client() {
    let server = Server::start(&["greeting", "hitl", "counter"]).await;
    let client = Client::new(server.url()).expect("a URL");
    client.health().await.expect("healthy");
    assert_eq!(client.workflows().await.expect("names"), ["greeting", "hitl", "counter"]);
    assert_eq!(client.listings().await.expect("files").len(), 3);
    assert_eq!(client.schema("hitl").await.expect("schemas")["stop"]["title"], "OutEvent");
    assert!(client.event_types("hitl").await.expect("types").iter().any(|it| it["title"] == "ResponseEvent"));
    assert!(client.representation("hitl").await.expect("a graph")["nodes"].is_array());
    let counted =
        client.run("counter", &Start { handler_id: Some("mine".into()), ..Start::event(json!({ "by": 2 })) }).await.expect("a run");
    let result: Value = counted.result.expect("a result").parse().expect("an envelope");
    assert_eq!((counted.status, &result["value"]["result"]), (Status::Completed, &json!({ "count": 2 })));
    assert_eq!(client.result("mine").await.expect("a result").result, Some(json!({ "count": 2 }).into()));
    let run = client.start("hitl", &Start::default()).await.expect("a run");
    let mut events = client.events(&run.handler_id, From::Beginning);
    let asked = events.try_next().await.expect("an event").expect("it goes on");
    assert_eq!(asked.event.parse::<Value>().expect("a payload")["prompt"], "What is your name?");
    let error = client.send(&run.handler_id, "NopeEvent", json!({}), To::default()).await.expect_err("no such event");
    assert!(matches!(error, Error::Refused { status: 400, .. }), "{error}");
    client
        .send(&run.handler_id, "ResponseEvent", json!({ "response": "Ada" }), To { step: Some("greet_human"), invocation: None })
        .await
        .expect("sent");
    let last = events.try_next().await.expect("an event").expect("the end");
    assert!(last.event.is_terminal() && events.next().await.is_none());
    let id = run.run_id.expect("a wf-host tells");
    assert_eq!(client.run_of(&id).await.expect("a run").status, Status::Completed);
    assert_eq!(client.events_of_run(&id, From::After(asked.sequence)).count().await, 1);
    assert_eq!(client.events(&run.handler_id, From::Now).count().await, 0, "it has ended");
    assert!(client.logs(&id).await.expect("lines").is_empty());
    let page = client.handlers(&Filter { status: vec![Status::Completed], limit: Some(1), ..Filter::default() }).await.expect("a page");
    assert_eq!((page.handlers.len(), page.next.as_deref()), (1, Some("mine")));
    let waiting = client.start("hitl", &Start::default()).await.expect("a run").handler_id;
    client.cancel(&waiting).await.expect("cancelled");
    client.purge(&waiting).await.expect("deleted");
    assert!(matches!(client.handler(&waiting).await, Err(Error::Refused { status: 404, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_after_the_server_was_killed() {
    let mut server = Server::start(&["hitl"]).await;
    let client = Client::new(server.url()).expect("a URL");
    let run = client.start("hitl", &Start::default()).await.expect("a run");
    let mut events = client.events(&run.handler_id, From::Beginning);
    let first = events.try_next().await.expect("an event").expect("it goes on");
    // On the same port: that is what a client knows.
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    server.kill();
    let rest = tokio::spawn(async move { events.try_collect::<Vec<_>>().await });
    let mut serve = Serve::guests(&["hitl"]);
    serve.arguments.extend(["--port".to_owned(), port]);
    server.load(serve);
    server.restart().await;
    client.send(&run.handler_id, "ResponseEvent", json!({ "response": "Ada" }), To::default()).await.expect("sent");
    let rest = rest.await.expect("no panic").expect("it goes on by itself");
    assert_eq!(rest.len(), 1, "nothing twice: {rest:?}");
    assert!(rest[0].sequence > first.sequence && rest[0].event.name == "OutEvent", "{rest:?}");
}

/// Starts it again where its clients know it.
async fn restart_in_place(server: &mut Server, names: &[&str]) {
    let port = server.address().rsplit(':').next().expect("a port").to_owned();
    server.load(Serve::guests(names).with(&["--port", &port]));
    server.restart().await;
}

/// A command that goes on while the server is restarted.
fn asking(server: &Server, arguments: &[&str]) -> JoinHandle<(i32, String, String)> {
    let mut command = server::command();
    command.args(arguments).env("WF_HOST_SERVER", server.url());
    tokio::task::spawn_blocking(move || {
        let Output { status, stdout, stderr } = command.output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text").trim_end().to_owned();
        (status.code().expect("it exits"), text(stdout), text(stderr))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_go_on_over_a_restart() {
    let mut server = Server::start(&["slow", "hitl"]).await;
    let started = asking(&server, &["runs", "start", "slow", "--param", "seconds=2", "--handler", "mine", "--wait"]);
    until("the run", async || (server.get("/handlers/mine").await.status == 202).then_some(())).await;
    let asked = server.begin("hitl", "{}").await;
    let followed = asking(&server, &["runs", "events", &asked, "--follow"]);
    let result = asking(&server, &["runs", "result", &asked]);
    assert!(server.stop().success());
    // One is called while nobody is there, and says so.
    let mut listing = server::command();
    listing.args(["runs", "ls", "--workflow", "slow"]).env("WF_HOST_SERVER", server.url());
    let mut listing = listing.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let said = Said::of(listing.stderr.take().expect("piped"));
    let notice = "; that is tried again for 15 seconds\nhint: Ctrl-C ends it";
    until("it to say that it waits", async || said.so_far().contains(notice).then_some(())).await;
    assert!(said.so_far().starts_with("warning: no answer from the server: "), "{}", said.so_far());
    restart_in_place(&mut server, &["slow", "hitl"]).await;
    server.kill();
    restart_in_place(&mut server, &["slow", "hitl"]).await;
    let (code, stdout, stderr) = started.await.expect("no panic");
    assert_eq!((code, stdout.as_str()), (0, r#""slept 2.0""#), "{stderr}");
    let listed = listing.wait_with_output().expect("it ends");
    assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("mine"), "{listed:?}");
    server.send(&asked, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    let (code, stdout, stderr) = followed.await.expect("no panic");
    assert!(code == 0 && stdout.lines().count() == 2 && stdout.contains("OutEvent"), "each event once: {stdout}{stderr}");
    let (code, stdout, stderr) = result.await.expect("no panic");
    assert_eq!((code, stdout.as_str()), (0, r#"{"output":"Hello, Ada"}"#), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_longer_than_asked_and_a_server_that_is_not_there_has_a_code_of_its_own() {
    let server = Server::start(&["hitl"]).await;
    // The discard port: nothing listens there.
    let gone = asking(&server, &["runs", "ls", "--server", "http://127.0.0.1:9"]);
    for arguments in [
        &["start", "hitl", "--handler", "mine", "--wait", "--timeout", "0.2"][..],
        &["result", "mine", "--timeout", "0.2"],
        &["events", "mine", "--follow", "--timeout", "0.2"],
    ] {
        let (code, _, stderr) = ask(&server, &[&["runs"][..], arguments].concat());
        let late = "error: the run has not ended within 0.2 seconds\nhint: it goes on: `wf-host runs result mine` waits for its end";
        // Whether it has asked by then is another matter.
        let said = if arguments[0] == "start" { stderr.strip_prefix("handler: mine\n").expect("the handler") } else { &stderr };
        assert!(code == 124 && if arguments[0] == "start" { said.ends_with(late) } else { said == late }, "{arguments:?}: {stderr}");
    }
    assert_eq!(server.get("/handlers/mine").await.status, 202);
    let (code, _, stderr) = ask(&server, &["runs", "result", "mine", "--timeout", "soon"]);
    assert!(code == 2 && stderr.contains("give a number of seconds, as in `2.5`"), "{stderr}");
    let (code, _, stderr) = gone.await.expect("no panic");
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("hint: is a server at http://127.0.0.1:9? `--server` names another"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_the_end_of_a_run_whose_request_a_stop_has_cut() {
    let mut server = Server::start(&["slow"]).await;
    let client = Client::new(server.url()).expect("a URL");
    let waiting = client.clone();
    let start = Start { handler_id: Some("mine".into()), ..Start::event(json!({ "seconds": 1.5 })) };
    let run = tokio::spawn(async move { waiting.run("slow", &start).await });
    until("the run", async || (server.get("/handlers/mine").await.status == 202).then_some(())).await;
    assert!(server.stop().success());
    restart_in_place(&mut server, &["slow"]).await;
    let ended = run.await.expect("no panic").expect("its end");
    assert_eq!((ended.handler_id.as_str(), ended.status), ("mine", Status::Completed));
    assert_eq!(client.handlers(&Filter::default()).await.expect("a page").handlers.len(), 1, "it was begun once");
    client.purge("mine").await.expect("deleted");
    assert!(matches!(client.purge("mine").await, Err(Error::Refused { status: 404, .. })));
}

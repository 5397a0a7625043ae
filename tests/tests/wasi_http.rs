//! The second door to the outside: WASI's own interface, by a guest whose libraries bring it.

use serde_json::{Value, json};
use wf_tests::origin::{Origin, Part, Seen, chunk, chunked, reply};
use wf_tests::written::{all_that_is_said, files, stands_nowhere};
use wf_tests::{Serve, Server, Stream, until};

/// What a step publishes when a timer was before the next part.
const TIMER: &str = "the timer";

async fn origin(answer: impl Fn(&Seen, usize) -> Vec<Part> + Send + Sync + 'static) -> Origin {
    Origin::start(answer).await
}

/// A server that grants this origin.
async fn granted(origin: &Origin) -> Server {
    Serve::guests(&["wasi-http"]).with(&["--allow-http", &origin.url("")]).start().await
}

/// A task that asks this origin.
fn ask(origin: &Origin, path: &str, more: Value) -> Value {
    let mut task = json!({ "authority": format!("127.0.0.1:{}", origin.port()), "path": path });
    task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    task
}

fn tasks(tasks: &[Value]) -> String {
    json!({ "tasks": tasks }).to_string()
}

async fn told(server: &Server, task: Value) -> Value {
    let ended = server.run("wasi-http", &tasks(&[task])).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    ended.result()["told"][0].clone()
}

/// The next part that a run publishes, of a type that its workflow does not declare: not that its timer was first.
async fn part(stream: &mut Stream) -> String {
    loop {
        let event = stream.next().await.expect("a part").json();
        let text = event["value"]["_data"]["text"].as_str().unwrap_or_else(|| panic!("it is no part: {event}"));
        if text != TIMER {
            return text.to_owned();
        }
    }
}

async fn refused(server: &Server, task: Value) -> String {
    let told = told(server, task).await;
    told.as_str().unwrap_or_else(|| panic!("it is no error: {told}")).to_owned()
}

#[tokio::test]
async fn a_request_with_headers_and_a_body_is_sent_as_a_whole() {
    let origin = origin(|seen, _| vec![reply(201, &[("x-way", "here")], &format!("{} {}", seen.method, seen.path))]).await;
    let server = granted(&origin).await;
    let headers = json!([["x-mine", "1"], ["x-mine", "2"], ["content-length", "4"], ["host", format!("127.0.0.1:{}", origin.port())]]);
    for late in [false, true] {
        let post = json!({ "method": "POST", "headers": headers, "body": "body", "late": late });
        let answer = told(&server, ask(&origin, "/a?b=c", post)).await;
        assert_eq!((&answer["status"], &answer["body"]), (&json!(201), &json!("POST /a?b=c")), "{answer}");
        assert!(answer["headers"].to_string().contains(r#"["x-way","here"]"#), "{answer}");
    }
    assert_eq!(told(&server, ask(&origin, "/none", json!({}))).await["body"], "GET /none");
    let seen = origin.seen();
    assert_eq!((seen.len(), &seen[0].body[..], &seen[1].body[..], &seen[2].body[..]), (3, &b"body"[..], &b"body"[..], &b""[..]));
    let mine: Vec<&str> = seen[0].headers.iter().filter(|(name, _)| name == "x-mine").map(|(_, value)| value.as_str()).collect();
    assert_eq!(mine, ["1", "2"]);
    let large = "x".repeat(1 << 20);
    assert_eq!(told(&server, ask(&origin, "/large", json!({ "method": "POST", "body": large }))).await["status"], 201);
    assert_eq!(origin.seen()[3].body.len(), 1 << 20);
}

#[tokio::test]
async fn what_is_not_granted_names_the_grant() {
    let origin = origin(|_, _| vec![reply(200, &[], "")]).await;
    let server = Serve::guests(&["wasi-http"]).start().await;
    let url = origin.url("");
    let error = refused(&server, ask(&origin, "/", json!({}))).await;
    let grant = format!("`[workflows.wasi-http]` in wf-host.toml, or start the host with `--allow-http {url}`");
    assert!(error.contains(&grant), "{error}");
    assert_eq!(origin.connections(), 0);
}

/// A value that no guest has.
const SECRET: &str = "sk-live-1a2b3c4d5e6f";

#[tokio::test]
async fn a_secret_goes_to_the_hosts_that_it_is_granted_for_and_stands_nowhere_else() {
    let other = origin(|seen, _| vec![reply(200, &[], seen.header("x-key"))]).await;
    let away = other.url("");
    let origin = origin(move |seen, _| match seen.path.split('?').next() {
        Some("/away") => vec![reply(302, &[("location", &format!("{away}/there"))], "")],
        _ => vec![reply(200, &[("x-told", seen.header("x-key"))], &format!("{} {}", seen.path, seen.header("x-key")))],
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, SECRET).expect("written");
    let secret = format!("KEY=file:{}@{}", file.display(), origin.url(""));
    let hosts = ["--allow-http", &origin.url(""), "--allow-http", &other.url(""), "--secret", &secret];
    let mut serve = Serve::guests(&["wasi-http"]).with(&hosts);
    serve.environment = vec![("RUST_LOG".to_owned(), "debug".to_owned())];
    let mut server = serve.start().await;
    let filled = json!({
        "fill": ["KEY"], "method": "POST", "headers": [["x-key", "{KEY}"]], "body": "key={KEY}", "late": true, "publish": true,
    });
    let ended = server.run("wasi-http", &tasks(&[ask(&origin, "/all?key={KEY}", filled)])).await;
    let answer = ended.result()["told"][0].clone();
    let seen = origin.seen()[0].clone();
    assert_eq!((seen.path.as_str(), seen.header("x-key")), (&*format!("/all?key={SECRET}"), SECRET));
    assert_eq!(String::from_utf8_lossy(&seen.body), format!("key={SECRET}"));
    assert!(
        answer.to_string().contains("wf-secret-KEY-") && !answer.to_string().contains(SECRET),
        "what is repeated is put back: {answer}"
    );
    // Another host gets none of it, wherever it stands, also if the one that has it leads there.
    for part in [json!({ "headers": [["x-key", "{KEY}"]] }), json!({ "body": "{KEY}", "late": true }), json!({ "path": "/?key={KEY}" })] {
        let mut task = ask(&other, "/", json!({ "fill": ["KEY"] }));
        task.as_object_mut().expect("an object").extend(part.as_object().expect("an object").clone());
        let error = refused(&server, task).await;
        assert!(error.contains("the secret `KEY` is not granted for"), "{part}: {error}");
    }
    let led = json!({ "fill": ["KEY"], "headers": [["x-key", "{KEY}"]], "follows": true });
    let error = refused(&server, ask(&origin, "/away", led)).await;
    assert!(error.contains("the secret `KEY` is not granted for"), "{error}");
    assert_eq!((origin.seen().len(), other.connections()), (2, 0));

    // Nor is it in anything that the host has written or says, before its end and after it.
    let mut said = all_that_is_said(&server, &ended.handler(), &ended.run()).await;
    for frame in server.events(&ended.handler(), "").await.rest().await {
        said.push(("the stream".to_owned(), frame.data.into_bytes()));
    }
    server.stop();
    files(server.data().parent().expect("its folder"), &mut said);
    said.push(("the log after all".to_owned(), server.log().into_bytes()));
    assert!(said.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("wf-secret-KEY-")), "there is something to look at");
    stands_nowhere(&[SECRET], &said);
}

/// A library follows by itself where an answer leads to: that is a request as any other.
#[tokio::test]
async fn an_address_within_needs_its_own_grant_however_it_is_written_or_led_to() {
    let origin = origin(|_, _| vec![reply(200, &[], "reached")]).await;
    let port = origin.port();
    let hosts = ["127.0.0.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0"];
    let mut within: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
    within.push("169.254.169.254".to_owned());
    let leads = self::origin(|seen, _| vec![reply(302, &[("location", &format!("http:/{}/", seen.path))], "")]).await;
    let server = Serve::guests(&["wasi-http"]).with(&["--allow-http", "*://*:*", "--allow-http", &leads.url("")]).start().await;
    for authority in &within {
        let error = refused(&server, json!({ "authority": authority, "path": "/" })).await;
        assert!(error.contains("is not granted the address"), "{authority}: {error}");
        let error = refused(&server, ask(&leads, &format!("/{authority}"), json!({ "follows": true }))).await;
        assert!(error.contains("is not granted the address"), "led to {authority}: {error}");
    }
    // Nor is what is granted led to what is not.
    let server = granted(&leads).await;
    let error = refused(&server, ask(&leads, &format!("/127.0.0.1:{port}"), json!({ "follows": true }))).await;
    assert!(error.contains(&format!("`--allow-http {}`", origin.url(""))), "{error}");
    assert_eq!((leads.seen().len(), origin.connections()), (within.len() + 1, 0));
    // Granted by itself it is reached, by its name only if that is granted, too.
    let by_name = json!({ "authority": format!("localhost:{port}"), "path": "/" });
    let server = granted(&origin).await;
    assert_eq!(told(&server, json!({ "authority": format!("2130706433:{port}"), "path": "/" })).await["body"], "reached");
    let error = refused(&server, by_name.clone()).await;
    assert!(error.contains("is not granted the request"), "{error}");
    let name = format!("http://localhost:{port}");
    let server = Serve::guests(&["wasi-http"]).with(&["--allow-http", &origin.url(""), "--allow-http", &name]).start().await;
    assert_eq!(told(&server, by_name).await["body"], "reached");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_by_name() {
    let origin = origin(|_, _| vec![reply(200, &[], "")]).await;
    let server = granted(&origin).await;
    for (task, why) in [
        (json!({ "body": "x", "trailers": true, "late": true }), "this host sends no trailers"),
        (json!({ "headers": [["upgrade", "websocket"]] }), "the header `upgrade` is the connection's own"),
        (json!({ "headers": [["transfer-encoding", "chunked"]] }), "the header `transfer-encoding` is the connection's own"),
        (json!({ "headers": [["host", "other"]] }), "the header `host` is the connection's own"),
        (json!({ "body": "x", "late": true, "early": true }), "finish its body before waiting for its answer"),
        (json!({ "body": "x", "drops": true }), "the body of the request was not finished"),
        (json!({ "body": "x", "drops": true, "late": true }), "the body of the request was not finished"),
        (json!({ "body": "four", "headers": [["content-length", "5"]] }), "HttpRequestBodySize"),
        (json!({ "method": "CONNECT" }), "the method is none that a request can have"),
        (json!({ "headers": [["x", "1\r\ny: 2"]] }), "InvalidSyntax"),
        (json!({ "authority": "127.0.0.1/../x" }), "HttpRequestUriInvalid"),
        (json!({ "authority": "user:pass@127.0.0.1" }), "a name or a password before its host"),
    ] {
        let error = refused(&server, ask(&origin, "/", task.clone())).await;
        assert!(error.contains(why), "{task}: {error}");
    }
    assert_eq!(origin.seen().len(), 0);
    // A step holds no more than one request may have.
    let error = refused(&server, ask(&origin, "/", json!({ "body": "x".repeat(1 << 20), "repeat": 17 }))).await;
    assert!(error.contains("hold more than 2097152 bytes (limit wasi_http_max)"), "{error}");
}

#[tokio::test]
async fn answers_that_stall_and_break_off_say_so() {
    let origin = origin(|seen, _| match seen.path.as_str() {
        "/silent" => vec![Part::Hang],
        "/stalls" => vec![chunked(200, &[]), chunk("some"), Part::Hang],
        "/cut" => vec![chunked(200, &[]), chunk("some"), Part::Cut],
        _ => vec![Part::Bytes(b"HTTP/1.1 200 So\r\n\r\n".to_vec()), Part::Zeros(1 << 30), Part::Cut],
    })
    .await;
    let server = granted(&origin).await;
    for (path, why) in [
        ("/silent", "did not answer within 200ms"),
        ("/stalls", "came for 200ms"),
        ("/cut", "127.0.0.1"),
        ("/zeros", "bytes (limit response_max)"),
    ] {
        // No timer beside it, however long, stands in the way of the time-out.
        for beside in [None, Some(3600.0)] {
            let error = refused(&server, ask(&origin, path, json!({ "first_byte": 0.2, "between_bytes": 0.2, "beside": beside }))).await;
            assert!(error.contains(why), "{path}: {error}");
        }
    }
}

/// A stream is read while it comes: the first part is published before the second is sent.
#[tokio::test]
async fn what_comes_in_parts_is_read_and_published_in_parts() {
    let origin = origin(|_, _| vec![chunked(200, &[]), chunk("one"), Part::Gate, chunk("two"), Part::Gate, chunk("")]).await;
    let server = granted(&origin).await;
    // Beside a timer of an hour, too: who waits for both does not sleep.
    for beside in [None, Some(0.5), Some(3600.0)] {
        let task = ask(&origin, "/", json!({ "publish": true, "beside": beside }));
        let handler = server.begin("wasi-http", &tasks(&[task])).await;
        let mut stream = server.events(&handler, "").await;
        for text in ["one", "two"] {
            assert_eq!(part(&mut stream).await, text);
            origin.let_through(1);
        }
        assert_eq!(server.ended(&handler).await.result()["told"][0]["body"], "onetwo");
    }
}

/// At its end a body is ready for whoever waits, and has no more however it is asked, also when the step is entered again.
#[tokio::test]
async fn an_answer_that_has_ended_or_broken_off_stays_so() {
    let origin = origin(|seen, _| match seen.path.as_str() {
        "/cut" => vec![chunked(200, &[]), chunk("one"), Part::Cut],
        "/none" => vec![reply(204, &[], "")],
        _ => vec![chunked(200, &[]), chunk("one"), chunk("two"), chunk("")],
    })
    .await;
    let server = granted(&origin).await;
    let entry = [json!([[1], true]), json!([true, true, true])];
    let said = json!([entry[0], entry[1], entry[0], entry[1], true, [true, true]]);
    for (path, body) in [("/whole", "onetwo"), ("/none", ""), ("/cut", "one")] {
        for beside in [None, Some(3600.0)] {
            let answer = told(&server, ask(&origin, path, json!({ "ended": true, "beside": beside }))).await;
            assert_eq!((&answer["body"], &answer["ended"]["said"]), (&json!(body), &said), "{path}: {answer}");
            assert_eq!(answer["ended"]["broke"].is_string(), path == "/cut", "it broke off, and said so once: {answer}");
        }
    }
    assert_eq!(origin.seen().len(), 6, "at its second and third entry it asked nobody");
    server.check_store();
}

#[tokio::test]
async fn what_is_skipped_or_passed_on_is_recorded_as_what_is_read() {
    let origin = origin(|_, _| vec![chunked(200, &[]), chunk("one\n"), Part::Gate, chunk("and two\n"), chunk("")]).await;
    let server = granted(&origin).await;
    for way in ["skip", "splice"] {
        for beside in [None, Some(3600.0)] {
            let task = ask(&origin, "/", json!({ "way": way, "publish": true, "ended": true, "beside": beside }));
            let handler = server.begin("wasi-http", &tasks(&[task])).await;
            let mut stream = server.events(&handler, "").await;
            assert_eq!(part(&mut stream).await, "4 ");
            origin.let_through(1);
            let ended = server.ended(&handler).await;
            assert_eq!(ended.result()["told"][0]["body"], "4 8 ", "{ended:?}");
            let logs = server.get(&format!("/api/v1/runs/{}/logs", ended.run())).await.json();
            let lines: Vec<&str> = logs["logs"].as_array().expect("a list").iter().filter_map(|it| it["message"].as_str()).collect();
            // What goes to stdout is there once, though it was written at each of three entries.
            assert_eq!(lines, if way == "splice" { vec!["one", "and two"] } else { Vec::new() });
        }
    }
    assert_eq!(origin.seen().len(), 4);
}

/// A sleep of a second drops the instance, and with it the connection: the rest is gone, and says why.
#[tokio::test]
async fn an_answer_that_is_open_while_the_step_is_not_there_is_cut() {
    let origin = origin(|_, _| vec![chunked(200, &[]), chunk("one"), Part::Hang]).await;
    let server = granted(&origin).await;
    for beside in [None, Some(3600.0)] {
        let error = refused(&server, ask(&origin, "/", json!({ "pauses": true, "beside": beside }))).await;
        assert!(error.contains("was cut: the host went away, or the step waited, since it was sent"), "{error}");
    }
    assert_eq!(origin.seen().len(), 2, "nothing was asked for again");
}

/// What has come of two answers at once is read in one order, also when the step is entered again.
#[tokio::test]
async fn two_answers_that_are_read_at_once_come_again_as_they_came() {
    let origin = origin(|seen, _| vec![chunked(200, &[]), chunk(&seen.path), chunk("")]).await;
    let server = granted(&origin).await;
    let ended = server.run("wasi-http", &tasks(&[ask(&origin, "/a", json!({ "also": "/b" }))])).await;
    assert_eq!((&ended.result()["told"][0]["body"], &ended.result()["attempt"]), (&json!(["/a", "/b"]), &json!(0)), "{ended:?}");
    assert_eq!(origin.seen().len(), 2, "after its sleep it asked nobody");
}

/// All are due at once when the step is there, and when it is entered again the part is there before the timers.
#[tokio::test]
async fn a_part_and_a_timer_that_are_due_at_once_come_in_one_order_at_every_entry() {
    let origin = origin(|seen, _| match seen.path.as_str() {
        "/whole" => vec![reply(200, &[], "whole")],
        _ => vec![chunked(200, &[]), Part::Gate, chunk("late"), chunk("")],
    })
    .await;
    let server = granted(&origin).await;
    for path in ["/whole", "/late"] {
        let handler = server.begin("wasi-http", &tasks(&[ask(&origin, path, json!({ "timed": true }))])).await;
        let mut stream = server.events(&handler, "").await;
        let mut published = Vec::new();
        while let Ok(frame) = stream.next().await {
            let Some(text) = frame.json()["value"]["_data"]["text"].as_str().map(str::to_owned) else { break };
            // Nothing came before the timer was due.
            origin.let_through(usize::from(text == TIMER));
            published.push(text);
        }
        let ended = server.ended(&handler).await.result();
        assert_eq!((&ended["attempt"], &ended["told"][0]["body"]), (&json!(0), &json!(published)), "{ended}");
        assert_eq!(published.contains(&TIMER.to_owned()), path == "/late", "{published:?}");
    }
    assert_eq!(origin.seen().len(), 2);
}

/// Between the timers and the part, and between the timers, which are due at once, the step asks for nothing that is recorded.
#[tokio::test]
async fn timers_and_a_part_come_in_one_order_where_nothing_is_recorded_between_them() {
    let origin = origin(|_, _| vec![chunked(200, &[]), Part::Gate, chunk("late"), chunk("")]).await;
    let server = granted(&origin).await;
    let handler = server.begin("wasi-http", &tasks(&[ask(&origin, "/", json!({ "timed": true, "quiet": true }))])).await;
    let run = server.get(&format!("/handlers/{handler}")).await.json()["run_id"].as_str().expect("its run").to_owned();
    until("it to have gone by both timers", async || {
        let logs = server.get(&format!("/api/v1/runs/{run}/logs")).await.body;
        logs.contains("the second timer").then_some(())
    })
    .await;
    origin.let_through(1);
    let in_order = json!([TIMER, "the second timer", "a part", "a part"]);
    let frames = server.events(&handler, "").await.rest().await;
    let published: Vec<Value> = frames.iter().map(|it| it.json()["value"]["_data"]["text"].clone()).filter(|it| it.is_string()).collect();
    assert_eq!(json!(published), in_order);
    let ended = server.ended(&handler).await.result();
    assert_eq!((&ended["attempt"], &ended["told"][0]["body"]), (&json!(0), &in_order), "it was entered again: {ended}");
    assert_eq!(origin.seen().len(), 1);
    server.check_store();
}

/// Killed with an answer half read, beside a timer: what was recorded comes again without a request, in the same order; the
/// rest is a new attempt's.
#[tokio::test]
async fn a_crash_repeats_no_request_whose_answer_was_recorded() {
    let origin = origin(|seen, number| match seen.path.as_str() {
        "/whole" => vec![reply(200, &[], &number.to_string())],
        _ => vec![chunked(200, &[]), chunk(&format!("{number} begun")), Part::Gate, chunk("ended"), chunk("")],
    })
    .await;
    let mut server = granted(&origin).await;
    let whole = ask(&origin, "/whole", json!({ "publish": true, "beside": 0.5 }));
    let parts = ask(&origin, "/parts", json!({ "publish": true, "beside": 0.2, "fails": true }));
    let handler = server.begin("wasi-http", &tasks(&[whole, parts])).await;
    let mut stream = server.events(&handler, "").await;
    // What the timer says comes between the first part and the one that nobody sends yet.
    assert_eq!((part(&mut stream).await, part(&mut stream).await), ("0".to_owned(), "1 begun".to_owned()));
    for _ in 0..2 {
        assert_eq!(stream.next().await.expect("a frame").json()["value"]["_data"]["text"], TIMER);
    }
    server.kill();
    origin.let_through(10);
    server.restart().await;
    let ended = server.ended(&handler).await;
    assert_eq!(ended.result()["attempt"], 1, "{ended:?}");
    assert_eq!(ended.result()["told"][1]["body"], "3 begunended");
    let paths: Vec<String> = origin.seen().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/whole", "/parts", "/whole", "/parts"]);
    server.check_store();
}

/// Killed at whatever moment: every answer that a run tells is of a request, and none is asked for twice once it was told.
#[tokio::test]
async fn kills_around_requests_repeat_none_that_was_recorded() {
    let origin = origin(|_, number| vec![reply(200, &[], &number.to_string())]).await;
    let mut server = granted(&origin).await;
    // Every second one is read beside a timer of an hour.
    let beside = |at: usize| (at % 2 == 1).then_some(3600.0);
    let all: Vec<Value> = (0..40)
        .map(|at| ask(&origin, &format!("/{at}"), json!({ "publish": true, "body": "x", "late": true, "beside": beside(at) })))
        .collect();
    let handler = server.begin("wasi-http", &tasks(&all)).await;
    for kills in 1..=4 {
        until("some requests more", async || (origin.seen().len() >= kills * 8).then_some(())).await;
        server.crash().await;
    }
    let ended = server.ended(&handler).await;
    let (told, seen) = (ended.result()["told"].clone(), origin.seen());
    let mut cut = 0;
    for at in 0..40 {
        // Where the kill came between the head and the body, the body is not to be had any more.
        if told[at].as_str().is_some_and(|it| it.contains("was cut: the host went away")) {
            cut += 1;
            continue;
        }
        let asked: Vec<usize> = seen.iter().enumerate().filter(|(_, it)| it.path == format!("/{at}")).map(|(number, _)| number).collect();
        assert_eq!(told[at]["body"].as_str().map(str::to_owned), asked.last().map(usize::to_string), "{asked:?} {ended:?}");
    }
    assert!(seen.len() <= 40 + 4, "at most one of each kill was not recorded: {}", seen.len());
    assert!(cut <= 4, "at most one of each kill was cut: {cut}");
    server.check_store();
}

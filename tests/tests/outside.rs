//! Into the world: requests, secrets, variables and folders, as far as they are granted.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wf_tests::origin::{Origin, Part, Seen, chunk, chunked, reply};
use wf_tests::project::Dev;
use wf_tests::written::{all_that_is_said, files, stands_nowhere};
use wf_tests::{Answer, Serve, Server, artifacts, certificates, database, until};

/// A value that must stand nowhere.
const SECRET: &str = "sk-live-9f8e7d6c5b4a";

async fn origin(answer: impl Fn(&Seen, usize) -> Vec<Part> + Send + Sync + 'static) -> Origin {
    Origin::start(answer).await
}

/// One that says what it was asked.
async fn echo() -> Origin {
    origin(|seen, _| vec![reply(200, &[("x-way", "here")], &format!("{} {}", seen.method, seen.path))]).await
}

async fn serve(arguments: &[&str]) -> Server {
    Serve::guests(&["outside"]).with(arguments).start().await
}

/// A server that grants this origin, by its address.
async fn granted(origin: &Origin) -> Server {
    serve(&["--allow-http", &origin.url("")]).await
}

fn tasks(tasks: &[Value]) -> String {
    json!({ "tasks": tasks }).to_string()
}

async fn ended(server: &Server, what: &[Value]) -> Answer {
    server.run("outside", &tasks(what)).await
}

/// What one task gave.
async fn told(server: &Server, task: Value) -> Value {
    let answer = ended(server, &[task]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.result()["told"][0].clone()
}

async fn refused(server: &Server, task: Value) -> (String, String) {
    let told = told(server, task).await;
    let text = |key: &str| told[key].as_str().unwrap_or_else(|| panic!("it is no failure: {told}")).to_owned();
    (text("kind"), text("message"))
}

#[tokio::test]
async fn what_is_not_granted_names_the_grant_and_where_it_stands() {
    let origin = echo().await;
    let server = serve(&[]).await;
    let (kind, message) = refused(&server, json!({ "url": origin.url("/a?key=private") })).await;
    let url = origin.url("");
    assert_eq!(kind, "denied");
    let grant =
        format!("add `allow_http = [\"{url}\"]` to `[workflows.outside]` in wf-host.toml, or start the host with `--allow-http {url}`");
    assert!(message.contains(&grant) && !message.contains("private"), "{message}");
    assert_eq!(origin.connections(), 0);
}

/// Also where all of `http` is granted: what goes around it says what to use in its place.
#[tokio::test]
async fn sockets_of_every_kind_and_names_are_closed_and_say_what_is_open() {
    let origin = echo().await;
    let server = granted(&origin).await;
    let address = format!("127.0.0.1:{}", origin.port());
    for (what, address) in [("tcp", address.as_str()), ("udp", "127.0.0.1:0"), ("name", "localhost:9")] {
        let (kind, _) = refused(&server, json!({ "socket": [what, address] })).await;
        assert_ne!(kind, "", "{what}");
        let error = ended(&server, &[json!({ "socket": [what, address], "fails": true })]).await.text("error");
        assert!(error.contains("sockets are never granted: use `wf:workflow/http`"), "{what}: {error}");
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn a_request_is_made_as_it_was_asked_for_and_connections_are_used_again() {
    let origin = echo().await;
    let server = granted(&origin).await;
    let ask = |url: &str| json!({ "method": "post", "url": origin.url(url), "headers": { "X-Mine": "1" }, "body": "{}", "label": "pay" });
    let answer = ended(&server, &[ask("/a?b=c"), ask("/d")]).await.result();
    let first = &answer["told"][0];
    assert_eq!((&first["status"], &first["body"]), (&json!(200), &json!("POST /a?b=c")), "{answer}");
    assert!(first["headers"].to_string().contains(r#"["x-way","here"]"#), "{first}");
    let seen = origin.seen();
    assert_eq!((seen.len(), origin.connections()), (2, 1), "one connection for both");
    assert_eq!((seen[0].header("x-mine"), &seen[0].body[..], seen[0].header("accept-encoding")), ("1", &b"{}"[..], ""));
    assert!(seen[0].header("idempotency-key").len() == 36 && seen[0].header("idempotency-key") == seen[1].header("idempotency-key"));
}

#[tokio::test]
async fn methods_schemes_and_ports_are_granted_one_by_one() {
    let origin = echo().await;
    let server = serve(&["--allow-http", &format!("GET {}", origin.url(""))]).await;
    assert_eq!(told(&server, json!({ "url": origin.url("/") })).await["status"], 200);
    assert_eq!(refused(&server, json!({ "url": origin.url("/"), "method": "POST" })).await.0, "denied");
    assert_eq!(refused(&server, json!({ "url": origin.url("/").replace("http:", "https:") })).await.0, "denied");
    assert_eq!(refused(&server, json!({ "url": "http://127.0.0.1:1/" })).await.0, "denied");
}

#[tokio::test]
async fn a_name_that_is_found_within_this_machine_needs_the_address_too() {
    let origin = echo().await;
    let (by_name, by_address) = (format!("http://localhost:{}", origin.port()), origin.url(""));
    let server = serve(&["--allow-http", &by_name]).await;
    let (kind, message) = refused(&server, json!({ "url": by_name })).await;
    assert!(kind == "denied" && message.contains("is not granted the address") && message.contains("by itself"), "{message}");
    // Neither does all that there is.
    let server = serve(&["--allow-http", "*://*:*"]).await;
    for host in ["127.0.0.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0"] {
        let url = format!("http://{host}:{}/", origin.port());
        assert_eq!(refused(&server, json!({ "url": url })).await.0, "denied", "{url}");
    }
    assert_eq!(refused(&server, json!({ "url": "http://169.254.169.254/latest/meta-data/" })).await.0, "denied");
    assert_eq!(origin.connections(), 0);
    // Nor is one reached by a redirect of who is granted, however it is written there.
    let port = origin.port();
    let leads = self::origin(move |seen, _| {
        let host = match seen.path.as_str() {
            "/metadata" => "169.254.169.254".to_owned(),
            path => format!("{}:{port}", &path[1..]),
        };
        vec![reply(302, &[("location", &format!("http://{host}/"))], "")]
    })
    .await;
    let server = serve(&["--allow-http", "*://*:*", "--allow-http", &leads.url("")]).await;
    for path in ["/localhost", "/127.0.0.1", "/2130706433", "/[::ffff:127.0.0.1]", "/metadata"] {
        let (kind, message) = refused(&server, json!({ "url": leads.url(path) })).await;
        assert!(kind == "denied" && message.contains("is not granted the address"), "{path}: {message}");
    }
    assert_eq!((leads.seen().len(), origin.connections()), (5, 0));
    let server = serve(&["--allow-http", &by_name, "--allow-http", &by_address]).await;
    assert_eq!(told(&server, json!({ "url": by_name })).await["status"], 200);
}

#[tokio::test]
async fn a_redirect_is_followed_as_far_as_it_is_granted_and_takes_nothing_private_along() {
    let other = echo().await;
    let (to, within) = (other.url("/there"), "http://localhost:1/");
    let place = to.clone();
    let origin = origin(move |seen, _| {
        let place = match seen.path.as_str() {
            "/other" => place.as_str(),
            "/loop" => "/loop",
            "/within" => within,
            "/bad" => "http://user:pass@x/",
            "/file" => "file:///etc/passwd",
            _ => return vec![reply(200, &[], &format!("{} {}", seen.method, seen.path))],
        };
        vec![reply(if seen.path == "/other" { 307 } else { 302 }, &[("location", place)], "")]
    })
    .await;
    let server = granted(&origin).await;
    let (kind, message) = refused(&server, json!({ "url": origin.url("/other") })).await;
    assert!(kind == "denied" && message.contains(&other.url("")), "{message}");
    for path in ["/within", "/loop", "/bad", "/file"] {
        let kind = refused(&server, json!({ "url": origin.url(path) })).await.0;
        assert_eq!(kind, if path == "/within" { "denied" } else { "network" }, "{path}");
    }
    assert_eq!(told(&server, json!({ "url": origin.url("/other"), "stays": true })).await["status"], 307);
    assert_eq!(other.connections(), 0);
    let server = serve(&["--allow-http", &origin.url(""), "--allow-http", &other.url("")]).await;
    let private = json!({ "authorization": "Bearer own", "cookie": "a=b", "x-plain": "1" });
    let followed = told(&server, json!({ "url": origin.url("/other"), "method": "PUT", "headers": private, "body": "x" })).await;
    assert_eq!((&followed["body"], &followed["url"]), (&json!("PUT /there"), &json!(to)));
    let seen = &other.seen()[0];
    assert_eq!((seen.header("authorization"), seen.header("cookie"), seen.header("x-plain"), &seen.body[..]), ("", "", "1", &b"x"[..]));
}

#[tokio::test]
async fn nothing_of_one_request_becomes_a_second_one() {
    let origin = echo().await;
    let server = granted(&origin).await;
    let url = origin.url("/");
    for task in [
        json!({ "url": url, "headers": { "x": "1\r\n\r\nGET /second HTTP/1.1" } }),
        json!({ "url": url, "headers": { "Content-Length": "0" } }),
        json!({ "url": url, "headers": { "Transfer-Encoding": "chunked" } }),
        json!({ "url": url, "headers": { "Host": "other" } }),
        json!({ "url": url, "method": "GET /second HTTP/1.1\r\nx:" }),
        json!({ "url": format!("http://user@127.0.0.1:{}/", origin.port()) }),
    ] {
        assert_eq!(refused(&server, task.clone()).await.0, "invalid", "{task}");
    }
    // What breaks a line in a URL is escaped, or none of it.
    told(&server, json!({ "url": origin.url("/a b\r\nGET /second") })).await;
    assert_eq!(origin.seen().iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["/a%20bGET%20/second"]);
}

#[tokio::test]
async fn answers_without_end_ends_or_sense_end() {
    let origin = origin(|seen, _| match seen.path.as_str() {
        "/silent" => vec![Part::Hang],
        "/stalls" => vec![chunked(200, &[]), chunk("some"), Part::Hang],
        "/cut" => vec![chunked(200, &[]), chunk("some"), Part::Cut],
        "/none" => vec![Part::Cut],
        "/sense" => vec![Part::Bytes(b"HTTP/9.9 what\r\n\r\n".to_vec()), Part::Cut],
        "/head" => vec![reply(200, &[("x", &"y".repeat(70_000))], "")],
        "/slow" => std::iter::once(chunked(200, &[])).chain((0..1000).flat_map(|_| [chunk("x"), Part::Gate])).collect(),
        // As long as it likes, and as a bomb of zeros would be: what is compressed stays so.
        _ => vec![Part::Bytes(b"HTTP/1.1 200 So\r\ncontent-encoding: gzip\r\n\r\n".to_vec()), Part::Zeros(1 << 30), Part::Cut],
    })
    .await;
    let server = granted(&origin).await;
    let before = server.memory_max();
    let ask = |path: &str| json!({ "url": origin.url(path), "timeout": 5, "first_byte": 0.2, "idle": 0.2 });
    for (path, kind, why) in [
        ("/silent", "timeout", "did not answer within 200ms"),
        ("/stalls", "timeout", "nothing more of the answer"),
        ("/cut", "network", ""),
        ("/none", "network", "did not answer as it should"),
        ("/sense", "network", ""),
        ("/head", "limit", "(limit head_max)"),
        ("/zeros", "limit", "bytes (limit response_max)"),
    ] {
        let (told, message) = refused(&server, ask(path)).await;
        assert!(told == kind && message.contains(why), "{path}: {told}: {message}");
    }
    let slow = json!({ "url": origin.url("/slow"), "timeout": 0.3, "idle": 60 });
    let (kind, message) = refused(&server, slow).await;
    assert!(kind == "timeout" && message.contains("did not end in time"), "{message}");
    assert_eq!(refused(&server, json!({ "url": "http://127.0.0.1:1/" })).await.0, "denied");
    // Of a gigabyte 16 MiB are taken: they are journaled, and on their way there in several places at once.
    let megabytes = (server.memory_max() - before) / 1_000_000;
    assert!(megabytes < 256, "{megabytes} MB for answers that are too long");
}

#[tokio::test]
async fn a_step_has_so_many_answers_open_and_others_are_not_held_up() {
    let origin = echo().await;
    let server = granted(&origin).await;
    let open: Vec<Value> = (0..17).map(|_| json!({ "url": origin.url("/"), "open": true })).collect();
    let told = ended(&server, &open).await.result()["told"].clone();
    assert_eq!(told[15]["status"], 200);
    assert!(
        told[16]["message"]
            .as_str()
            .is_some_and(|it| it.contains("answers are open at once (limit open_max): read them to their end, or close them")),
        "{}",
        told[16]
    );
}

/// A workflow has so many requests under way, their answers included: more wait for their turn, and no other workflow does.
#[tokio::test]
async fn requests_of_a_workflow_have_their_turns_and_no_other_waits_for_them() {
    let origin = origin(|seen, _| match seen.path.as_str() {
        "/open" => vec![chunked(200, &[]), chunk("some"), Part::Hang],
        "/held" => vec![Part::Gate, reply(200, &[], "held")],
        _ => vec![reply(200, &[], "other")],
    })
    .await;
    let mut serve = Serve::guests(&["outside"]).with(&["--allow-http", &origin.url("")]);
    serve.paths.push(format!("other={}", artifacts::guest("outside").display()));
    let server = serve.start().await;
    let open = || (0..12).map(|_| json!({ "url": origin.url("/open"), "open": true }));
    let held: Vec<Value> = open().chain([json!({ "url": origin.url("/held") })]).collect();
    let mut handlers = Vec::new();
    for _ in 0..4 {
        handlers.push(server.begin("outside", &tasks(&held)).await);
    }
    until("fifty-two requests", async || (origin.seen().len() == 52).then_some(())).await;
    // Twelve more are all that it may have.
    let late: Vec<Value> = open().chain([json!({ "url": origin.url("/late"), "timeout": 0.3 })]).collect();
    let told = ended(&server, &late).await.result()["told"].clone();
    assert_eq!(told[11]["status"], 200, "{told}");
    let message = told[12]["message"].as_str().unwrap_or_default();
    assert!(told[12]["kind"] == "timeout" && message.contains("`outside` had more requests under way than it may"), "{told}");
    let other = server.run("other", &tasks(&[json!({ "url": origin.url("/") })])).await;
    assert_eq!(other.result()["told"][0]["body"], "other", "{other:?}");
    origin.let_through(4);
    for handler in handlers {
        assert_eq!(server.ended(&handler).await.result()["told"][12]["body"], "held");
    }
    assert!(origin.seen().iter().all(|it| it.path != "/late"), "it never left");
}

/// What has come while a part is recorded is one part: a journal has no entry for each token of a fast stream.
#[tokio::test]
async fn a_fast_answer_makes_few_entries() {
    const PARTS: usize = 4_000;
    let origin = origin(|_, _| {
        let Part::Bytes(part) = chunk("a token. ") else { unreachable!("it is bytes") };
        vec![chunked(200, &[]), Part::Bytes(part.repeat(PARTS)), chunk("")]
    })
    .await;
    let mut server = granted(&origin).await;
    let told = told(&server, json!({ "url": origin.url("/"), "publish": true })).await;
    assert_eq!(told["length"], 9 * PARTS);
    server.stop();
    let entries = database::rows(&server.data(), "journal") as usize;
    assert!(entries < PARTS / 2, "{entries} entries for {PARTS} parts");
}

/// Who takes no connection at all is not waited for as long as one that has.
#[tokio::test]
async fn a_connection_that_nobody_takes_is_given_up() {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("it listens");
    let address = listener.local_addr().expect("an address");
    // Until the queue of connections that nobody accepts is full.
    let mut queued = Vec::new();
    let soon = std::time::Duration::from_millis(300);
    while let Ok(Ok(stream)) = tokio::time::timeout(soon, tokio::net::TcpStream::connect(address)).await {
        queued.push(stream);
    }
    let url = format!("http://{address}");
    let server = serve(&["--allow-http", &url]).await;
    let (kind, message) = refused(&server, json!({ "url": url })).await;
    assert!(kind == "timeout" && message.contains("cannot be connected to in time"), "{kind}: {message}");
}

/// A stream is read while it comes: the first part is published before the second is sent.
#[tokio::test]
async fn what_comes_in_parts_is_read_and_published_in_parts() {
    let origin = origin(|_, _| vec![chunked(200, &[]), chunk("one"), Part::Gate, chunk("two"), Part::Gate, chunk("")]).await;
    let server = granted(&origin).await;
    let handler = server.begin("outside", &tasks(&[json!({ "url": origin.url("/"), "publish": true })])).await;
    let mut stream = server.events(&handler, "").await;
    for text in ["one", "two"] {
        assert_eq!(stream.next().await.expect("a part").json()["value"]["text"], text);
        origin.let_through(1);
    }
    assert_eq!(server.ended(&handler).await.result()["told"][0]["body"], "onetwo");
}

/// Killed with an answer half read: what was recorded comes again without a request, the rest is a new attempt's.
#[tokio::test]
async fn a_crash_repeats_no_request_whose_answer_was_recorded() {
    let origin = origin(|seen, number| match seen.path.as_str() {
        "/whole" => vec![reply(200, &[], &number.to_string())],
        _ => vec![chunked(200, &[]), chunk(&format!("{number} begun")), Part::Gate, chunk("ended"), chunk("")],
    })
    .await;
    let mut server = granted(&origin).await;
    let whole = json!({ "url": origin.url("/whole"), "publish": true });
    let handler = server.begin("outside", &tasks(&[whole, json!({ "url": origin.url("/parts"), "publish": true, "fails": true })])).await;
    let mut stream = server.events(&handler, "").await;
    stream.next().await.expect("the whole one");
    assert_eq!(stream.next().await.expect("a part").json()["value"]["text"], "1 begun");
    server.kill();
    assert_eq!(origin.seen().len(), 2);
    origin.let_through(10);
    server.restart().await;
    let ended = server.ended(&handler).await;
    // The first attempt was entered again, and failed at the first read that was not recorded; the second made both anew.
    assert_eq!(ended.result()["attempt"], 1, "{ended:?}");
    let paths: Vec<String> = origin.seen().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/whole", "/parts", "/whole", "/parts"]);
    let calls = database::query(&server.data(), "select count(*) from journal where cast(text as text) like '%interrupted%'");
    assert_ne!(calls[0][0], 0, "the attempt failed so");
}

/// Killed at whatever moment: every answer that a run tells is of a request, and none is asked for twice once it was told.
#[tokio::test]
async fn kills_around_requests_repeat_none_that_was_recorded() {
    let origin = origin(|_, number| vec![reply(200, &[], &number.to_string())]).await;
    let mut server = granted(&origin).await;
    let all: Vec<Value> = (0..40).map(|at| json!({ "url": origin.url(&format!("/{at}")), "publish": true })).collect();
    let handler = server.begin("outside", &tasks(&all)).await;
    for kills in 1..=4 {
        // Each time once it has come a little further.
        until("some requests more", async || (origin.seen().len() >= kills * 8).then_some(())).await;
        server.crash().await;
    }
    let ended = server.ended(&handler).await;
    let told = ended.result()["told"].clone();
    let seen = origin.seen();
    let mut cut = 0;
    for at in 0..40 {
        // Where the kill came between the head and the body, the body is not to be had any more.
        if told[at].to_string().contains(r#""kind":"interrupted""#) {
            cut += 1;
            continue;
        }
        let asked: Vec<usize> = seen.iter().enumerate().filter(|(_, it)| it.path == format!("/{at}")).map(|(number, _)| number).collect();
        // The last one is the one that was recorded: after it there is none.
        assert_eq!(told[at]["body"].as_str().map(str::to_owned), asked.last().map(usize::to_string), "{asked:?} {ended:?}");
    }
    assert!(seen.len() <= 40 + 4, "at most one of each kill was not recorded: {}", seen.len());
    assert!(cut <= 4, "at most one of each kill was cut: {cut}");
    server.check_store();
}

#[tokio::test]
async fn an_answer_that_asks_for_time_is_given_it_by_the_retry() {
    let origin = origin(|_, number| match number {
        0 => vec![reply(429, &[("retry-after", "1")], "slower")],
        1 => vec![reply(503, &[("date", "Wed, 21 Oct 2015 07:28:00 GMT"), ("retry-after", "Wed, 21 Oct 2015 07:28:01 GMT")], "")],
        _ => vec![reply(200, &[], "done")],
    })
    .await;
    let server = granted(&origin).await;
    let begun = std::time::Instant::now();
    let ended = ended(&server, &[json!({ "url": origin.url("/"), "fails": true })]).await;
    assert_eq!((&ended.result()["told"][0]["body"], &ended.result()["attempt"]), (&json!("done"), &json!(2)));
    assert!(begun.elapsed().as_secs_f64() >= 2.0, "the policy alone would have waited a tenth of a second: {:?}", begun.elapsed());
    assert_eq!(origin.seen().len(), 3);
}

/// A service that knows the header does nothing twice: the key is the same at re-entry and in the next attempt, and another one
/// for whatever is meant to happen beside it.
#[tokio::test]
async fn an_idempotency_key_is_the_same_until_what_it_stands_for_is_done() {
    let origin = origin(|_, number| match number {
        0 => vec![Part::Hang],
        1 => vec![reply(503, &[], "")],
        _ => vec![reply(200, &[], "")],
    })
    .await;
    let mut server = granted(&origin).await;
    let ask = |label: &str| json!({ "method": "POST", "url": origin.url(&format!("/{label}")), "label": label, "fails": true });
    let both = [ask("pay"), ask("ship")];
    let handler = server.begin("outside", &tasks(&both)).await;
    until("the first request", async || (origin.seen().len() == 1).then_some(())).await;
    server.crash().await;
    let first = server.ended(&handler).await.result();
    assert_eq!(first["attempt"], 1, "entered again, and tried again: {first}");
    assert_eq!(ended(&server, &both).await.result()["attempt"], 0);
    let seen = origin.seen();
    let paths: Vec<&str> = seen.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/pay", "/pay", "/pay", "/ship", "/pay", "/ship"]);
    let keys: Vec<&str> = seen.iter().map(|it| it.header("idempotency-key")).collect();
    assert!(keys[0].len() == 36 && keys[..3].iter().all(|it| *it == keys[0]), "one key for one payment: {keys:?}");
    let mut different = keys[2..].to_vec();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 4, "another label and another run have others: {keys:?}");
}

#[tokio::test]
async fn tls_is_trusted_by_given_roots_and_not_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = certificates::write(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("roots.pem"), &trusted).expect("written");
    let mut other = Serve::guests(&["greeting"]).with(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    other.certificate = Some(trusted);
    let other = other.start().await;
    let url = format!("{}/health", other.url());
    let server = serve(&["--allow-http", other.url(), "--http-roots", &path("roots.pem")]).await;
    assert_eq!(told(&server, json!({ "url": url })).await["status"], 200);
    let server = serve(&["--allow-http", other.url()]).await;
    let (kind, message) = refused(&server, json!({ "url": url })).await;
    assert!(kind == "network" && message.contains("certificate"), "{message}");
}

/// Where no roots are given, those of the system are trusted: where they stand, a variable may say.
#[tokio::test]
async fn tls_is_trusted_by_the_roots_of_the_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = certificates::write(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("system.pem"), &trusted).expect("written");
    let another = tempfile::tempdir().expect("a folder");
    let (not_trusted, none) = (another.path().join("other.pem"), another.path().join("none.pem"));
    std::fs::write(&not_trusted, certificates::write(another.path())).expect("written");
    let mut other = Serve::guests(&["greeting"]).with(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    other.certificate = Some(trusted);
    let other = other.start().await;
    let ask = json!({ "url": format!("{}/health", other.url()) });
    let roots = async |file: &str, arguments: &[&str]| {
        let mut serve = Serve::guests(&["outside"]).with(&["--allow-http", other.url()]).with(arguments);
        serve.environment = vec![("SSL_CERT_FILE".to_owned(), file.to_owned())];
        serve.start().await
    };
    assert_eq!(told(&roots(&path("system.pem"), &[]).await, ask.clone()).await["status"], 200);
    let (kind, message) = refused(&roots(&not_trusted.display().to_string(), &[]).await, ask.clone()).await;
    assert!(kind == "network" && message.contains("certificate"), "{message}");
    // Given ones come beside them, and do without where the system has none.
    for system in [&not_trusted, &none] {
        let server = roots(&system.display().to_string(), &["--http-roots", &path("system.pem")]).await;
        assert_eq!(told(&server, ask.clone()).await["status"], 200);
    }
}

#[tokio::test]
async fn a_secret_goes_where_it_is_granted_for_and_stands_nowhere_else() {
    let other = echo().await;
    let away = other.url("");
    let origin = origin(move |seen, _| match seen.path.as_str() {
        // Whoever is asked repeats what it was told, in pieces.
        "/echo" => {
            let (text, body) = (seen.header("authorization").to_owned(), String::from_utf8_lossy(&seen.body).into_owned());
            let (first, second) = text.split_at(text.len() - 5);
            vec![chunked(200, &[("x-repeated", &text)]), chunk(first), Part::Gate, chunk(second), chunk(&body), chunk("")]
        }
        path if path.starts_with("/lead") => vec![reply(302, &[("location", &path.replace("/lead", "/led"))], "")],
        path if path.starts_with("/away") => {
            vec![reply(302, &[("location", &format!("{away}{path}"))], "")]
        }
        "/elsewhere" => vec![reply(302, &[("location", "http://localhost:1/")], "")],
        _ => vec![reply(401, &[], &format!("{} is none of ours", seen.header("authorization")))],
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("FROM_DIR"), format!("{SECRET}-dir\n")).expect("written");
    let mut serve = Serve::guests(&["outside"]).with(&[
        "--allow-http",
        &origin.url(""),
        "--allow-http",
        &other.url(""),
        "--secret",
        &format!("KEY=env:OUTSIDE_KEY@{}", origin.url("")),
        "--secret",
        &format!("dir:{}@{}", folder.path().display(), origin.url("")),
    ]);
    serve.environment = vec![("OUTSIDE_KEY".to_owned(), SECRET.to_owned()), ("RUST_LOG".to_owned(), "debug".to_owned())];
    let mut server = serve.start().await;
    origin.let_through(2);
    let task = json!({
        "url": origin.url("/echo"), "method": "POST", "fill": ["KEY", "FROM_DIR"], "headers": { "authorization": "Bearer {KEY}" },
        "body": "{FROM_DIR}", "publish": true, "log": "this is it: ",
    });
    let answer = ended(&server, &[task, json!({ "variable": "KEY" })]).await;
    let seen = &origin.seen()[0];
    assert_eq!(
        (seen.header("authorization"), String::from_utf8_lossy(&seen.body)),
        (&*format!("Bearer {SECRET}"), format!("{SECRET}-dir").into())
    );
    let told = answer.result()["told"].clone();
    let placeholder = told[1].as_str().expect("what it has for it").to_owned();
    assert!(placeholder.starts_with("wf-secret-KEY-"), "{placeholder}");
    assert!(
        told[0]["body"].as_str().is_some_and(|it| it.starts_with(&format!("Bearer {placeholder}"))),
        "what is repeated is put back: {told}"
    );

    // In a query it is escaped; elsewhere it does not go, and an error of the other side does not show it.
    let query = json!({ "url": format!("{}?key={{KEY}}", origin.url("/q")), "fill": ["KEY"] });
    assert_eq!(self::told(&server, query).await["status"], 401);
    assert_eq!(origin.seen()[1].path, format!("/q?key={SECRET}"));
    let (kind, message) = refused(&server, json!({ "url": other.url("/"), "fill": ["KEY"], "body": "{KEY}", "method": "POST" })).await;
    assert!(kind == "denied" && message.contains("the secret `KEY` is not granted for"), "{message}");
    assert_eq!(other.connections(), 0);
    let failing = json!({ "url": origin.url("/no"), "fill": ["KEY"], "headers": { "authorization": "Bearer {KEY}" }, "fails": true });
    let error = ended(&server, &[failing]).await.text("error");
    assert!(error.contains("401 of `GET") && error.contains("wf-secret-KEY"), "{error}");
    let elsewhere = json!({ "url": origin.url("/elsewhere"), "fill": ["KEY"], "headers": { "x-key": "{KEY}" } });
    refused(&server, elsewhere).await;
    // Nor does it go with a redirect that repeats it, but to where it is granted for.
    let lead = |path: &str| json!({ "url": format!("{}?key={{KEY}}", origin.url(path)), "fill": ["KEY"] });
    let led = self::told(&server, lead("/lead")).await;
    assert!(led["status"] == 401 && led["url"].as_str().is_some_and(|it| it.contains("/led?key=wf-secret-KEY-")), "{led}");
    assert_eq!(origin.seen().last().map(|it| it.path.clone()), Some(format!("/led?key={SECRET}")));
    assert_eq!(refused(&server, lead("/away")).await.0, "denied");
    assert_eq!(other.connections(), 0);

    let handlers = server.get("/handlers").await.body;
    let page = server.get("/api/v1/workflows").await.body;
    assert!(page.contains("KEY (secret, for "), "{page}");
    let mut written = Vec::new();
    files(server.data().parent().expect("its folder"), &mut written);
    server.stop();
    files(server.data().parent().expect("its folder"), &mut written);
    let said = [("log", server.log()), ("screen", server.screen()), ("handlers", handlers), ("page", page)];
    written.extend(said.map(|(name, text)| (name.to_owned(), text.into_bytes())));
    assert!(written.len() > 4, "there is something to look at");
    stands_nowhere(&[SECRET], &written);
}

/// Killed while a request with a secret is under way and its answer repeats it; after that the step fails with what it was told,
/// and what it was told is so long that it lies apart. The value, which is none that a text has as it is, is nowhere; one in a
/// file is what that file says by then.
#[tokio::test]
async fn a_secret_stands_nowhere_after_kills_failures_and_in_what_lies_apart() {
    const OTHER: &str = "zebra-\"okapi\\gnu\"-quagga";
    let origin = origin(|seen, number| {
        let told = seen.header("x-key").to_owned();
        let long = format!("{told} ").repeat(8_000);
        match (seen.path.split('?').next().unwrap_or_default(), number) {
            ("/held", 0) => vec![chunked(200, &[("x-told", &told)]), chunk(&long), Part::Hang],
            ("/held", _) => vec![chunked(200, &[("x-told", &told)]), chunk(&long), chunk(&seen.path), chunk("")],
            _ => vec![reply(500, &[("x-told", &told)], &told)],
        }
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, OTHER).expect("written");
    let url = origin.url("");
    let mut server = serve(&["--allow-http", &url, "--secret", &format!("KEY=file:{}@{url}", file.display())]).await;
    let headers = json!({ "x-key": "{KEY}", "content-type": "application/json" });
    let held = json!({
        "url": origin.url("/held?key={KEY}"), "method": "POST", "body": "{\"key\":\"{KEY}\"}", "headers": headers, "fill": ["KEY"],
        "publish": true, "fails": true, "log": "the key is ",
    });
    let failing = json!({ "url": origin.url("/failing"), "headers": headers, "fill": ["KEY"], "fails": true });
    let handler = server.begin("outside", &tasks(&[held, failing])).await;
    server.events(&handler, "").await.next().await.expect("a part");
    let sent = origin.seen()[0].clone();
    assert_eq!((sent.header("x-key"), &sent.json()["key"]), (OTHER, &json!(OTHER)));
    let run = server.get(&format!("/handlers/{handler}")).await.json()["run_id"].as_str().expect("its run").to_owned();
    let mut said = all_that_is_said(&server, &handler, &run).await;
    server.kill();
    files(server.data().parent().expect("its folder"), &mut said);
    std::fs::write(&file, SECRET).expect("written");
    server.restart().await;
    let ended = server.ended(&handler).await;
    assert!(ended.text("error").contains("500 of `GET"), "{ended:?}");
    assert!(origin.seen().iter().any(|it| it.header("x-key") == SECRET), "the file is read for each request");
    said.extend(all_that_is_said(&server, &handler, &run).await);
    for frame in server.events(&handler, "").await.rest().await {
        said.push(("the stream".to_owned(), frame.json().to_string().into_bytes()));
    }
    server.stop();
    files(server.data().parent().expect("its folder"), &mut said);
    said.push(("the log after all".to_owned(), server.log().into_bytes()));
    let apart = database::rows(&server.data(), "blob");
    assert!(apart > 0, "nothing lies apart");
    // Words of it are the same in JSON and in URLs.
    stands_nowhere(&["okapi", "quagga", SECRET], &said);
}

#[tokio::test]
async fn what_a_secret_lacks_is_said_at_the_start() {
    let output =
        wf_tests::server::command().args(["serve", "--secret", "KEY=env:OUTSIDE_NONE@https://a", "x.wasm"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("the variable `OUTSIDE_NONE` is not set"), "{said}");
}

#[tokio::test]
async fn a_folder_is_what_was_granted_of_it_and_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["in", "out"] {
        std::fs::create_dir(path(name)).expect("made");
    }
    std::fs::write(path("in/a.txt"), "inside").expect("written");
    std::fs::write(path("beside.txt"), "beside").expect("written");
    std::os::unix::fs::symlink(path("beside.txt"), path("in/link")).expect("linked");
    std::os::unix::fs::symlink("../beside.txt", path("in/relative")).expect("linked");
    let (read, write) = (format!("data={}", path("in").display()), format!("out={}:rw", path("out").display()));
    let server = serve(&["--allow-dir", &read, "--allow-dir", &write]).await;
    let answer = ended(
        &server,
        &[
            json!({ "read": "/data/a.txt" }),
            json!({ "write": ["/out/b.txt", "written"] }),
            json!({ "write": ["/data/a.txt", "changed"] }),
            json!({ "read": "/data/../beside.txt" }),
            json!({ "read": "/data/link" }),
            json!({ "read": "/data/relative" }),
            json!({ "read": path("beside.txt") }),
            json!({ "read": "/etc/passwd" }),
        ],
    )
    .await;
    let told = answer.result()["told"].clone();
    assert_eq!((&told[0], &told[1]), (&json!("inside"), &json!(null)), "{told}");
    for refused in &told.as_array().expect("a list")[2..] {
        assert!(refused["kind"].is_string(), "{told}");
    }
    assert_eq!(std::fs::read_to_string(path("out/b.txt")).expect("written"), "written");
    assert_eq!(std::fs::read_to_string(path("in/a.txt")).expect("there"), "inside");
}

/// All that is below a folder, but for one of its folders: what each is, without following where it leads.
fn standing(folder: &Path, but: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() && path != but {
            standing(&path, but, found);
        }
        let what = if kind.is_file() { std::fs::read_to_string(&path).expect("text") } else { format!("{kind:?}") };
        found.push((path, what));
    }
    found.sort();
}

/// By dots, absolute paths, links of files and folders that are there or that it makes itself, hard links, and renames across:
/// whatever the guest does in the one folder that it may write to, nothing beside that is read or changed, nor what it may only
/// read.
#[tokio::test]
async fn nothing_beside_a_folder_that_may_be_written_is_changed_through_it() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    for name in ["in", "out", "aside"] {
        std::fs::create_dir(path(name)).expect("made");
    }
    for name in ["in/a.txt", "beside.txt", "aside/kept.txt"] {
        std::fs::write(path(name), "as it was").expect("written");
    }
    let links = [("../beside.txt", "out/link"), ("../aside", "out/folder"), ("../made.txt", "out/dangling"), ("../in", "out/read")];
    for (to, name) in links {
        std::os::unix::fs::symlink(to, path(name)).expect("linked");
    }
    std::os::unix::fs::symlink(path("beside.txt"), path("out/absolute")).expect("linked");
    let (read, write) = (format!("data={}", path("in").display()), format!("out={}:rw", path("out").display()));
    let server = serve(&["--allow-dir", &read, "--allow-dir", &write]).await;
    let act = |what: &str, from: &str, to: &str| json!({ "act": [what, from, to] });
    let host = |name: &str| path(name).display().to_string();
    let mut before = Vec::new();
    standing(root.path(), &path("out"), &mut before);

    let allowed = [
        json!({ "write": ["/out/b.txt", "own"] }),
        act("make", "", "/out/sub"),
        act("rename", "/out/b.txt", "/out/sub/b.txt"),
        act("copy", "/data/a.txt", "/out/c.txt"),
    ];
    let told = ended(&server, &allowed).await.result()["told"].clone();
    assert_eq!(told, json!([null, null, null, null]), "within it may");

    // It may make links that lead out, as far as it goes; they lead nowhere.
    let own = [
        act("symlink", "../beside.txt", "/out/mine"),
        act("symlink", "..", "/out/up"),
        act("symlink", "../../aside", "/out/sub/far"),
        act("link", "/out/link", "/out/hard"),
        act("rename", "/out/folder", "/out/renamed"),
    ];
    let told = ended(&server, &own).await.result()["told"].clone();
    assert_eq!(told, json!([null, null, null, null, null]), "what a link is stays within");
    // By an absolute path it can make none.
    let mut tasks = vec![act("symlink", &host("beside.txt"), "/out/whole")];
    for to in [
        "/out/../beside.txt",
        "/out/sub/../../beside.txt",
        "/out/../out/../beside.txt",
        "../beside.txt",
        "/../beside.txt",
        &host("beside.txt"),
        &host("aside/kept.txt"),
        "/out/link",
        "/out/absolute",
        "/out/renamed/kept.txt",
        "/out/read/a.txt",
        "/out/mine",
        "/out/up/beside.txt",
        "/out/up/aside/kept.txt",
        "/out/sub/far/kept.txt",
        "/out/hard",
        "/data/a.txt",
        "/data/../beside.txt",
    ] {
        tasks.extend([json!({ "write": [to, "changed"] }), act("append", "", to)]);
        if to != "/data/a.txt" {
            tasks.extend([json!({ "read": to }), act("copy", to, "/out/copied.txt")]);
        }
        // What a link itself is may be moved, linked or removed within: not what lies behind it.
        if !["/out/link", "/out/absolute", "/out/mine", "/out/hard"].contains(&to) {
            tasks.extend(["rename", "link"].map(|what| act(what, to, "/out/taken.txt")));
            tasks.push(act("remove", "", to));
            tasks.push(act("rename", "/out/c.txt", to));
            tasks.push(act("link", "/out/c.txt", to));
        }
    }
    for to in ["/out/../made", "/out/up/made", "/out/renamed/made", "/out/sub/far/made", "/out/dangling", "/data/made", &host("made")] {
        tasks.extend([json!({ "write": [to, "made"] }), act("copy", "/out/c.txt", to)]);
        if to != "/out/dangling" {
            tasks.extend(["make", "rename", "link"].map(|what| act(what, "/out/c.txt", to)));
            tasks.push(act("symlink", "a.txt", to));
        }
    }
    for to in ["/out/..", "/out/../aside", "/out/up/aside", "/data", "/out/sub/far/../aside"] {
        tasks.push(act("empty", "", to));
    }
    let told = ended(&server, &tasks).await.result()["told"].clone();
    for (task, told) in tasks.iter().zip(told.as_array().expect("a list")) {
        assert!(told["kind"].is_string(), "{task} was done: {told}");
    }
    let mut after = Vec::new();
    standing(root.path(), &path("out"), &mut after);
    assert_eq!(after, before);
    assert!(!path("out/copied.txt").exists() && !path("out/taken.txt").exists(), "nothing of it came in");
    assert_eq!(std::fs::read_to_string(path("out/c.txt")).expect("there"), "as it was");
}

#[tokio::test]
async fn a_folder_that_is_gone_fails_its_attempts_and_one_that_never_was_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in");
    std::fs::create_dir(&path).expect("made");
    let granted = format!("data={}", path.display());
    let server = serve(&["--allow-dir", &granted]).await;
    std::fs::remove_dir(&path).expect("removed");
    let error = ended(&server, &[]).await.text("error");
    assert!(error.contains("the folder `data` that is granted cannot be opened at"), "{error}");
    let output = wf_tests::server::command().args(["serve", "--allow-dir", &granted, "x.wasm"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("there is no such folder"), "{said}");
}

#[test]
fn what_is_asked_for_and_not_granted_is_shown_before_it_runs() {
    let run = |arguments: &[&str]| {
        let guest = artifacts::guest("outside").display().to_string();
        let output = wf_tests::server::command().args(arguments).arg(guest).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (shown, said) = run(&["check"]);
    assert!(said.contains(": it asks for http, and none is granted") && said.contains("`[workflows.outside]` in wf-host.toml"), "{said}");
    assert_eq!(shown.lines().count(), 1, "{shown}");
    let grants = ["--allow-http", "GET https://a.example", "--secret", "PATHS=env:PATH@https://a.example"];
    let (shown, said) = run(&[&["check"], &grants[..]].concat());
    let rows = "\n    http       GET https://a.example\n    files      nothing\n    variables  PATHS (secret, for https://a.example)\n    sockets    nothing\n";
    assert!(shown.ends_with(rows) && said.is_empty(), "{shown}{said}");
    let (shown, _) = run(&[&["inspect"], &grants[..]].concat());
    assert!(shown.contains("http       GET https://a.example\n") && shown.contains("PATHS (secret, for https://a.example)"), "{shown}");
    let (json, _) = run(&[&["inspect", "--format", "json"], &grants[..]].concat());
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["outside"]["http"], json!({ "requested": true, "granted": ["GET https://a.example"] }));
    assert_eq!(json["outside"]["sockets"]["granted"], json!([]));
}

/// For development: the flags of `serve` are those of `dev` and `run`, too.
/// A project, which `dev` builds; what it looks at is granted by flags.
const LOOKS: &str = r#"
import os

import httpx
from llama_agents.server import WorkflowServer
from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


class Looks(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        async with httpx.AsyncClient() as client:
            answer = await client.get(ev.url, headers={"x-key": os.environ["KEY"]})
        with open("/notes/n") as noted:
            return StopEvent(result=[os.environ["SET"], noted.read(), answer.status_code])


server = WorkflowServer()
server.add_workflow("looks", Looks())
"#;

#[tokio::test(flavor = "multi_thread")]
async fn flags_grant_in_dev_and_in_run() {
    let origin = echo().await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), SECRET).expect("written");
    std::fs::write(folder.path().join("n"), "noted").expect("written");
    let (guest, url) = (artifacts::guest("outside").display().to_string(), origin.url(""));
    let secret = format!("KEY=file:key@{url}");
    let grants = ["--allow-http", &url, "--allow-env", "SET=here", "--allow-dir", "notes=.", "--secret", &secret];
    let asked = json!({ "url": origin.url("/a"), "fill": ["KEY"], "headers": { "x-key": "{KEY}" } });
    let event = tasks(&[json!({ "variable": "SET" }), json!({ "read": "/notes/n" }), asked]);
    std::fs::write(folder.path().join("looks.py"), LOOKS).expect("written");
    let dev = Dev::of(folder.path(), &[&["dev", "looks.py", "--offline", "--port", "0"], &grants[..]].concat()).await;
    let start = json!({ "url": origin.url("/a") }).to_string();
    let told = until("it to be loaded", async || {
        let answer = dev.client.run("looks", &start).await;
        (answer.status == 200).then(|| answer.result())
    })
    .await;
    assert_eq!(told, json!(["here", "noted", 200]));
    let ran = |grants: &[&str]| {
        let mut command = wf_tests::server::command();
        let output = command.args(["run", &guest, "--event", &event]).args(grants).current_dir(folder.path()).output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    };
    let said = ran(&grants);
    assert!(said.contains(r#""here","noted",{"#) && said.contains("GET /a"), "{said}");
    assert!(origin.seen().iter().all(|it| it.header("x-key") == SECRET) && origin.seen().len() == 2);
    let said = ran(&[]);
    assert!(!said.contains("here") && origin.seen().len() == 2, "{said}");
}

#[tokio::test]
async fn variables_are_granted_by_name_and_settings_stand_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("wf-host.toml");
    std::fs::create_dir(folder.path().join("notes")).expect("made");
    std::fs::write(folder.path().join("notes/n"), "noted").expect("written");
    let text = "[workflows.outside]\nallow_env = [\"OUTSIDE_SEEN\", \"SET=here\"]\nallow_dir = [\"notes=notes\"]\nallow_http = [\"https://a.example\"]\n";
    std::fs::write(&config, text).expect("written");
    let mut serve = Serve::guests(&["outside"]).with(&["--config", &config.display().to_string()]);
    serve.environment = vec![("OUTSIDE_SEEN".to_owned(), "seen".to_owned()), ("OUTSIDE_HIDDEN".to_owned(), "hidden".to_owned())];
    let server = serve.start().await;
    let ask = |name: &str| json!({ "variable": name });
    let told = ended(&server, &[ask("OUTSIDE_SEEN"), ask("SET"), ask("OUTSIDE_HIDDEN"), ask("PATH"), json!({ "read": "/notes/n" })]).await;
    assert_eq!(told.result()["told"], json!(["seen", "here", null, null, "noted"]));
    let listed = server.get("/api/v1/workflows").await.json();
    let outside = listed["workflows"][0]["outside"].clone();
    assert_eq!(outside[0], json!({ "what": "http", "requested": true, "granted": ["https://a.example"] }), "{listed}");
    assert_eq!(outside[1]["granted"], json!(["/notes read-only"]));
}

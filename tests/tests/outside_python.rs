//! Into the world from Python: `httpx`, `urllib`, variables, secrets and folders, as far as they are granted.

use serde_json::{Value, json};
use wf_tests::artifacts::Language;
use wf_tests::origin::{Origin, Part, chunk, chunked, reply};
use wf_tests::{Answer, Serve, Server, until};

async fn serve(arguments: &[&str]) -> Server {
    let server = Serve::of(Language::Python, &["outside"]).with(arguments).start().await;
    until("it is loaded", async || (server.get("/workflows").await.json()["workflows"] == json!(["outside"])).then_some(())).await;
    server
}

async fn granted(origin: &Origin) -> Server {
    serve(&["--allow-http", &origin.url("")]).await
}

fn tasks(tasks: &[Value]) -> String {
    json!({ "tasks": tasks }).to_string()
}

async fn ended(server: &Server, what: &[Value]) -> Answer {
    server.run("outside", &tasks(what)).await
}

#[tokio::test]
async fn what_is_not_granted_names_the_grant() {
    let origin = Origin::start(|_, _| vec![reply(200, &[], "")]).await;
    let server = serve(&[]).await;
    let url = origin.url("/");
    let fill = json!({ "url": url, "fill": ["KEY"] });
    let read = json!({ "read": "/data/a.txt" });
    let answer =
        ended(&server, &[json!({ "url": url }), json!({ "url": url, "urllib": true }), json!({ "variable": "PATH" }), fill, read]).await;
    let told = answer.result()["told"].clone();
    let said = |at: usize| (told[at]["kind"].as_str().unwrap_or_default(), told[at]["message"].as_str().unwrap_or_default());
    let grant = format!("add `allow_http = [\"{}\"]` to `[workflows.outside]` in wf-host.toml", origin.url(""));
    assert!(said(0).0 == "NotGranted" && said(0).1.contains(&grant), "{told}");
    assert!(said(1).0 == "URLError" && said(1).1.contains(&grant), "{told}");
    assert_eq!(told[2], Value::Null);
    assert!(said(3).1.contains("add `allow_env = [\"KEY\"]`") && said(3).1.contains("--secret KEY=env:KEY@https://HOST"), "{told}");
    assert_eq!(said(4).0, "FileNotFoundError", "{told}");
    assert_eq!(origin.connections(), 0);

    let error = ended(&server, &[json!({ "url": url, "fails": true })]).await.text("error");
    assert!(error.contains(&grant), "{error}");
    let error = ended(&server, &[json!({ "read": "/data/a.txt", "fails": true })]).await.text("error");
    assert!(error.contains("no folder is granted: add `allow_dir = [\"name=path\"]` to `[workflows.outside]`"), "{error}");
}

#[tokio::test]
async fn a_request_is_made_as_it_was_asked_for() {
    let origin = Origin::start(|seen, _| vec![reply(200, &[("x-way", "here")], &format!("{} {}", seen.method, seen.path))]).await;
    let server = granted(&origin).await;
    let ask = json!({ "method": "post", "url": origin.url("/a?b=c"), "headers": { "X-Mine": "1" }, "body": "{}", "label": "pay" });
    let told = ended(&server, &[ask, json!({ "url": origin.url("/d"), "urllib": true })]).await.result()["told"].clone();
    assert_eq!((&told[0]["status"], &told[0]["body"]), (&json!(200), &json!("POST /a?b=c")), "{told}");
    assert!(told[0]["headers"].to_string().contains(r#"["x-way","here"]"#), "{told}");
    assert_eq!(told[1], json!({ "status": 200, "body": "GET /d" }));
    let seen = &origin.seen()[0];
    assert_eq!((seen.header("x-mine"), &seen.body[..], seen.header("idempotency-key").len()), ("1", &b"{}"[..], 36));
}

#[tokio::test]
async fn what_comes_in_parts_is_read_and_published_in_parts() {
    let origin = Origin::start(|_, _| vec![chunked(200, &[]), chunk("one"), Part::Gate, chunk("two"), Part::Gate, chunk("")]).await;
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
    let origin = Origin::start(|seen, number| match seen.path.as_str() {
        "/whole" => vec![reply(200, &[], &number.to_string())],
        _ => vec![chunked(200, &[]), chunk(&format!("{number} begun")), Part::Gate, chunk("ended"), chunk("")],
    })
    .await;
    let mut server = granted(&origin).await;
    let ask = |path: &str| json!({ "url": origin.url(path), "publish": true, "fails": true });
    let handler = server.begin("outside", &tasks(&[ask("/whole"), ask("/parts")])).await;
    let mut stream = server.events(&handler, "").await;
    stream.next().await.expect("the whole one");
    assert_eq!(stream.next().await.expect("a part").json()["value"]["text"], "1 begun");
    server.kill();
    origin.let_through(10);
    server.restart().await;
    assert_eq!(server.ended(&handler).await.result()["attempt"], 1);
    let paths: Vec<String> = origin.seen().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/whole", "/parts", "/whole", "/parts"]);
    server.check_store();
}

#[tokio::test]
async fn an_answer_that_asks_for_time_is_given_it_by_the_retry() {
    let origin = Origin::start(|_, number| match number {
        0 => vec![reply(429, &[("retry-after", "1")], "slower")],
        _ => vec![reply(200, &[], "done")],
    })
    .await;
    let server = granted(&origin).await;
    let begun = std::time::Instant::now();
    let ended = ended(&server, &[json!({ "url": origin.url("/"), "fails": true })]).await.result();
    assert_eq!((&ended["told"][0]["body"], &ended["attempt"]), (&json!("done"), &json!(1)), "{ended}");
    assert!(begun.elapsed().as_secs_f64() >= 1.0, "the policy alone would have waited less: {:?}", begun.elapsed());
}

/// Variables are what they were when the attempt first asked; the secret's value stands with the one who is asked alone.
#[tokio::test]
async fn variables_secrets_and_folders_are_there_as_far_as_they_are_granted() {
    let origin = Origin::start(|seen, number| match (seen.path.as_str(), number) {
        ("/held", 0) => vec![Part::Hang],
        _ => vec![reply(200, &[], seen.header("authorization"))],
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["in", "out"] {
        std::fs::create_dir(path(name)).expect("made");
    }
    std::fs::write(path("in/a.txt"), "inside").expect("written");
    std::fs::write(path("beside.txt"), "beside").expect("written");
    let config = path("wf-host.toml");
    let settings = |stage: &str| {
        let text = format!(
            "[workflows.outside]\nallow_env = [\"STAGE={stage}\"]\nallow_http = [\"{0}\"]\nsecrets = [\"KEY=env:OUTSIDE_KEY@{0}\"]\nallow_dir = [\"data=in\", \"out=out:rw\"]\n",
            origin.url("")
        );
        std::fs::write(&config, text).expect("written");
    };
    settings("then");
    let mut serve = Serve::of(Language::Python, &["outside"]).with(&["--config", &config.display().to_string()]);
    serve.environment.push(("OUTSIDE_KEY".to_owned(), "sk-live-9f8e7d".to_owned()));
    let mut server = serve.start().await;
    let variable = json!({ "variable": "STAGE" });
    let held = json!({ "url": origin.url("/held"), "fill": ["KEY"], "headers": { "authorization": "Bearer {KEY}" } });
    let others = [
        json!({ "read": "/data/a.txt" }),
        json!({ "write": ["/out/b.txt", "written"] }),
        json!({ "list": "/out" }),
        json!({ "read": "data/a.txt" }),
        json!({ "write": ["/data/a.txt", "changed"] }),
        json!({ "read": "/data/../beside.txt" }),
        json!({ "read": path("beside.txt") }),
    ];
    let first = [variable.clone(), held, variable.clone()];
    let handler = server.begin("outside", &tasks(&[&first[..], &others[..]].concat())).await;
    until("its request", async || (origin.seen().len() == 1).then_some(())).await;
    server.kill();
    settings("now");
    server.restart().await;
    let ended = server.ended(&handler).await.result();
    let told = &ended["told"];
    assert_eq!((&ended["attempt"], &told[0], &told[2]), (&json!(0), &json!("then"), &json!("then")), "{ended}");
    assert!(told[1]["body"].as_str().is_some_and(|it| it.starts_with("Bearer wf-secret-KEY-")), "{ended}");
    assert_eq!(origin.seen().last().expect("asked again").header("authorization"), "Bearer sk-live-9f8e7d");
    assert_eq!((&told[3], &told[4], &told[5]), (&json!("inside"), &Value::Null, &json!(["b.txt"])), "{ended}");
    assert_eq!(told[6], "inside", "as it is written for a folder beside the file: {ended}");
    for refused in &told.as_array().expect("a list")[7..] {
        assert!(refused["kind"].is_string(), "{ended}");
    }
    assert_eq!(std::fs::read_to_string(path("out/b.txt")).expect("written"), "written");
    assert_eq!(std::fs::read_to_string(path("in/a.txt")).expect("there"), "inside");
    let later = server.run("outside", &tasks(&[variable])).await.result();
    assert_eq!(later["told"], json!(["now"]));
    server.check_store();
}

/// What was made when the component was built is the same in all instances, and chance is not; a step that is entered again
/// has the same.
#[tokio::test]
async fn chance_is_each_runs_own() {
    let origin = Origin::start(|_, number| if number == 0 { vec![Part::Hang] } else { vec![reply(200, &[], "")] }).await;
    let mut server = granted(&origin).await;
    let what = tasks(&[json!({ "chance": true }), json!({ "url": origin.url("/") }), json!({ "chance": true })]);
    let handler = server.begin("outside", &what).await;
    until("its request", async || (origin.seen().len() == 1).then_some(())).await;
    server.kill();
    server.restart().await;
    let first = server.ended(&handler).await.result();
    let second = server.run("outside", &what).await.result();
    assert_eq!(first["attempt"], 0, "it drew again what it had drawn: {first}");
    let drawn: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|it| [&it["told"][0], &it["told"][2]])
        .flat_map(|it| it.as_array().expect("a list").iter().map(Value::to_string).collect::<Vec<_>>())
        .collect();
    let different: std::collections::HashSet<&String> = drawn.iter().collect();
    assert_eq!((drawn.len(), different.len()), (20, 20), "{drawn:?}");
}

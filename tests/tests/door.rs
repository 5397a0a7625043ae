//! Who comes in, and what they may do there: keys, sessions, rates, the audit log, TLS, and what lies on disk.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use futures_util::TryStreamExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wf_client::{Error, From, Start};
use wf_tests::artifacts::root;
use wf_tests::command_line::check_command;
use wf_tests::patience::{DEADLINE, within};
use wf_tests::{Answer, Client, Serve, Server, artifacts, certificates, server, until};

/// Every operation of the OpenAPI document, with `x` for each name; and what else there is.
fn routes() -> Vec<(String, String)> {
    let output = server::command().arg("openapi").output().expect("the binary starts");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut routes: Vec<(String, String)> = paths
        .iter()
        .flat_map(|(path, operations)| {
            let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
            let methods =
                operations.as_object().expect("operations").keys().filter(|it| ["get", "post", "put", "delete"].contains(&it.as_str()));
            methods.map(move |method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    assert!(routes.len() > 20, "{routes:?}");
    routes.extend([("POST", "/handlers/x/cancel?purge=true"), ("GET", "/"), ("GET", "/ui/x")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    routes
}

/// The files of the page.
async fn assets(server: &Client) -> Vec<String> {
    let page = server.get("/").await.body;
    let found: Vec<String> = page.split('"').filter(|it| it.starts_with("ui/")).map(|it| format!("/{it}")).collect();
    for path in &found {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert!([".js", ".css"].iter().all(|end| found.iter().any(|it| it.ends_with(end))), "`make ui` builds the page: {page}");
    found
}

async fn ask(client: &Client, method: &str, path: &str) -> Answer {
    client.request(method, path, &[], if method == "POST" { "{}" } else { "" }).await
}

#[tokio::test]
async fn a_stranger_without_a_key_gets_401_on_everything_but_health() {
    let server = Server::start(&["greeting"]).await;
    assert_eq!(server.get("/workflows").await.status, 200, "without keys everybody comes in");
    let assets = assets(&server).await;
    server.lock("ada", &[]).await;
    let strange = [
        ("GET", "/nope"),
        ("PUT", "/workflows"),
        ("DELETE", "/handlers/x"),
        ("GET", "/workflows/"),
        ("GET", "//workflows"),
        ("OPTIONS", "/workflows"),
    ];
    let strange = strange.map(|(method, path)| (method.to_owned(), path.to_owned()));
    let files = assets.iter().flat_map(|path| ["GET", "HEAD"].map(|method| (method.to_owned(), path.clone())));
    for (method, path) in routes().into_iter().chain(strange).chain(files) {
        let answer = ask(&server, &method, &path).await;
        if path == "/health" {
            assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"healthy"}"#));
            continue;
        }
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}: {answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        if method == "HEAD" {
            assert_eq!(answer.body, "", "{path}");
        } else if path == "/" {
            assert!(answer.header("content-type").starts_with("text/html") && answer.body.contains("<h1>Sign in</h1>"), "{answer:?}");
        } else {
            let keys: Vec<String> = answer.json().as_object().expect("an object").keys().cloned().collect();
            assert_eq!((keys, answer.json()["detail"].is_string()), (vec!["detail".to_owned()], true), "{method} {path}");
        }
    }
    assert_eq!(server.get("/workflows").await.body, r#"{"detail":"An API key is needed: send it as 'Authorization: Bearer KEY'"}"#);
    for wrong in ["wfh_wrong", "x y"] {
        let answer = server.with_key(wrong).get("/workflows").await;
        assert_eq!((answer.status, answer.body.as_str()), (401, r#"{"detail":"The API key is not known, or has ended"}"#));
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="wf-host", error="invalid_token""#);
    }
    let basic = server.request("GET", "/workflows", &[("authorization", "Basic YTpi")], "").await;
    assert_eq!(basic.status, 401);
    // Pages of other origins ask first without a key.
    let own = format!("http://{}", server.address());
    let preflight =
        [("origin", own.as_str()), ("access-control-request-method", "POST"), ("access-control-request-headers", "authorization")];
    let answer = server.request("OPTIONS", "/workflows/greeting/run", &preflight, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-headers")), (200, "authorization"));
}

#[tokio::test]
async fn each_scope_opens_its_routes() {
    let server = Server::start(&["greeting"]).await;
    let admin = server.lock("admin", &["--scope", "admin"]).await;
    let keys = [
        ("read", server.make_key("read", &["--scope", "read"])),
        ("run", server.make_key("run", &["--scope", "run"])),
        ("both", server.make_key("both", &[])),
        ("admin", admin),
    ];
    let mut table = String::new();
    for (method, path) in routes() {
        let _ = write!(table, "{method} {path}:");
        for (name, key) in &keys {
            let answer = ask(&server.with_key(key), &method, &path).await;
            assert!(
                answer.status != 403 || answer.body.starts_with(&format!(r#"{{"detail":"The key '{name}' lacks the scope '"#)),
                "{answer:?}"
            );
            let _ = write!(table, " {name} {}", answer.status);
        }
        table.push('\n');
    }
    expect![[r#"
        GET /api/v1/handlers/x/context: read 404 run 403 both 404 admin 404
        GET /api/v1/openapi.json: read 200 run 200 both 200 admin 200
        GET /api/v1/runs: read 200 run 403 both 200 admin 200
        GET /api/v1/runs/x: read 404 run 403 both 404 admin 404
        GET /api/v1/runs/x/events: read 404 run 403 both 404 admin 404
        POST /api/v1/runs/x/fork: read 403 run 404 both 404 admin 404
        POST /api/v1/runs/x/go-on: read 403 run 404 both 404 admin 404
        GET /api/v1/runs/x/history: read 404 run 403 both 404 admin 404
        GET /api/v1/runs/x/logs: read 404 run 403 both 404 admin 404
        GET /api/v1/runs/x/representation: read 404 run 403 both 404 admin 404
        GET /api/v1/runs/x/state: read 404 run 403 both 404 admin 404
        GET /api/v1/session: read 200 run 200 both 200 admin 200
        POST /api/v1/sign-in: read 401 run 401 both 401 admin 401
        POST /api/v1/sign-out: read 200 run 200 both 200 admin 200
        GET /api/v1/workflows: read 200 run 403 both 200 admin 200
        GET /api/v1/workflows/x: read 404 run 403 both 404 admin 404
        GET /api/v1/workflows/x/breakpoints: read 200 run 403 both 200 admin 200
        POST /api/v1/workflows/x/breakpoints: read 403 run 404 both 404 admin 404
        GET /events/x: read 404 run 403 both 404 admin 404
        POST /events/x: read 403 run 404 both 404 admin 404
        GET /handlers: read 200 run 403 both 200 admin 200
        GET /handlers/x: read 404 run 403 both 404 admin 404
        POST /handlers/x/cancel: read 403 run 404 both 404 admin 404
        GET /health: read 200 run 200 both 200 admin 200
        GET /results/x: read 404 run 403 both 404 admin 404
        GET /workflows: read 200 run 403 both 200 admin 200
        GET /workflows/x/events: read 404 run 403 both 404 admin 404
        GET /workflows/x/representation: read 404 run 403 both 404 admin 404
        POST /workflows/x/run: read 403 run 404 both 404 admin 404
        POST /workflows/x/run-nowait: read 403 run 404 both 404 admin 404
        GET /workflows/x/schema: read 404 run 403 both 404 admin 404
        POST /handlers/x/cancel?purge=true: read 403 run 403 both 403 admin 404
        GET /: read 200 run 200 both 200 admin 200
        GET /ui/x: read 404 run 404 both 404 admin 404
    "#]]
    .assert_eq(&table);
    // What is done counts, not what a handler is called.
    let reader = server.with_key(&keys[0].1);
    let denied = reader.post("/workflows/greeting/run", "{}").await;
    assert_eq!((denied.status, denied.body.as_str()), (403, r#"{"detail":"The key 'read' lacks the scope 'run'"}"#));
    let runner = server.with_key(&keys[1].1);
    assert_eq!(runner.run("greeting", "{}").await.status, 200);
    for purge in ["purge=true", "purge=TRUE", "purge=%74rue", "purge=false&purge=true"] {
        assert_eq!(runner.post(&format!("/handlers/x/cancel?{purge}"), "").await.status, 403, "{purge}");
    }
    for path in ["/workflows/greeting/run/", "/nope"] {
        assert_eq!(reader.post(path, "{}").await.status, 404, "{path}");
    }
    assert_eq!(reader.request("PUT", "/workflows", &[], "").await.status, 405);
}

#[tokio::test]
async fn a_key_knows_only_its_workflows() {
    let server = Server::start(&["greeting", "hitl", "counter"]).await;
    let admin = server.with_key(&server.lock("admin", &["--scope", "admin"]).await);
    let some = server.with_key(&server.make_key("some", &["--scope", "admin", "--workflow", "gree*", "--workflow", "hitl"]));
    let none = server.with_key(&server.make_key("none", &["--workflow", "nothing-*"]));
    let own = some.begin("hitl", "{}").await;
    let hidden = admin.run("counter", r#"{"by":1}"#).await;
    let (hidden, hidden_run) = (hidden.handler(), hidden.run());
    // Lists.
    assert_eq!(some.get("/workflows").await.body, r#"{"workflows":["greeting","hitl"]}"#);
    assert_eq!(none.get("/workflows").await.body, r#"{"workflows":[]}"#);
    let names = |answer: &Answer, list: &str, key: &str| -> Vec<String> {
        let items = answer.json()[list].as_array().expect("a list").clone();
        items.iter().map(|it| it[key].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(names(&some.get("/api/v1/workflows").await, "workflows", "name"), ["greeting", "hitl"]);
    for path in ["/handlers", "/handlers?limit=10", "/handlers?workflow_name=hitl&workflow_name=counter"] {
        assert_eq!(names(&some.get(path).await, "handlers", "handler_id"), std::slice::from_ref(&own), "{path}");
    }
    assert_eq!(names(&some.get("/api/v1/runs").await, "runs", "handler_id"), std::slice::from_ref(&own));
    for path in ["/handlers?workflow_name=counter", &format!("/handlers?after={hidden}")] {
        assert_eq!(names(&some.get(path).await, "handlers", "handler_id"), [""; 0], "{path}");
    }
    for path in ["/handlers", "/handlers?workflow_name=hitl"] {
        assert_eq!(names(&none.get(path).await, "handlers", "handler_id"), [""; 0], "{path}");
    }
    assert_eq!(names(&none.get("/api/v1/runs").await, "runs", "handler_id"), [""; 0]);
    // What is hidden answers as what is not there, to the letter.
    for (method, path) in routes().iter().filter(|(_, path)| path.contains("/x") && !path.starts_with("/ui")) {
        let known = match path.split('/').nth(if path.starts_with("/api") { 3 } else { 1 }).expect("a noun") {
            "workflows" => "counter",
            "runs" => &hidden_run,
            _ => &hidden,
        };
        let (there, nowhere) = (path.replace("/x", &format!("/{known}")), path.replace("/x", "/nope"));
        let (there, nowhere) = (ask(&some, method, &there).await, ask(&some, method, &nowhere).await);
        assert_eq!(there.status, 404, "{method} {path}: {there:?}");
        assert_eq!(there.body.replace(known, "nope"), nowhere.body, "{method} {path}");
    }
    // The state of a hidden handler is not carried over.
    let body = json!({ "handler_id": hidden }).to_string();
    let taken = some.post("/workflows/greeting/run", &body).await;
    assert_eq!((taken.status, taken.text("detail")), (403, format!("The key may not go on with handler '{hidden}'")));
    // What it knows, it does.
    assert_eq!(some.send(&own, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(some.ended(&own).await.status, 200);
    assert_eq!(some.events(&own, "").await.rest().await.len(), 2);
    assert_eq!(some.post(&format!("/handlers/{own}/cancel?purge=true"), "").await.body, r#"{"status":"deleted"}"#);
    assert_eq!(admin.get(&format!("/handlers/{hidden}")).await.status, 200);
}

#[tokio::test]
async fn a_key_knows_the_runs_of_its_workflows_also_when_they_are_no_longer_served() {
    let named = |name: &str| format!("{name}={}", artifacts::guest("greeting").display());
    let paths = ["build-docs", "build-site", "billing"].map(named).to_vec();
    let mut server = Serve { paths, ..Serve::default() }.start().await;
    let admin = server.lock("admin", &["--scope", "admin"]).await;
    let builds = server.make_key("builds", &["--workflow", "build-*"]);
    let mut handlers = Vec::new();
    for name in ["build-docs", "build-site", "billing"] {
        handlers.push(server.with_key(&admin).run(name, "{}").await.handler());
    }
    server.kill();
    server.load(Serve { paths: vec![named("billing")], ..Serve::default() });
    server.restart().await;
    let builds = server.with_key(&builds);
    assert_eq!(builds.get("/workflows").await.body, r#"{"workflows":[]}"#);
    let mut newest: Vec<&String> = handlers[..2].iter().collect();
    for (path, list) in [("/handlers", "handlers"), ("/handlers?limit=9", "handlers"), ("/api/v1/runs", "runs")] {
        let answer = builds.get(path).await.json();
        let mut listed: Vec<String> =
            answer[list].as_array().expect("a list").iter().map(|it| it["handler_id"].as_str().expect("a text").to_owned()).collect();
        listed.sort_unstable();
        newest.sort_unstable();
        assert_eq!(listed.iter().collect::<Vec<_>>(), newest, "{path}");
    }
    assert_eq!(builds.get(&format!("/handlers/{}", handlers[0])).await.status, 200);
    assert_eq!(builds.get(&format!("/handlers/{}", handlers[2])).await.status, 404);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_the_door_stays_locked() {
    let mut server = Server::start(&["hitl"]).await;
    let key = server.lock("ada", &[]).await;
    let ada = server.with_key(&key);
    let handler = ada.begin("hitl", "{}").await;
    let mut stream = ada.events(&handler, "").await;
    assert_eq!(stream.next().await.expect("the question").name(), "RequestEvent");
    let signed_in = sign_in(&server, &key).await;
    assert_eq!(with_cookie(&server, "GET", "/workflows", &signed_in, &[]).await.status, 200);
    server.keys(&["revoke", "ada"]);
    until("the key to be worth nothing", async || (ada.get("/workflows").await.status == 401).then_some(())).await;
    assert_eq!(with_cookie(&server, "GET", "/workflows", &signed_in, &[]).await.status, 401, "the session has ended with it");
    // What was being told to it has ended, without a terminal event.
    assert!(stream.rest().await.is_empty());
    assert_eq!(server.get("/workflows").await.status, 401, "no key, and nobody comes in");
    server.kill();
    server.restart().await;
    assert_eq!(server.get("/workflows").await.status, 401);
    // A new one of the same name is another; it works at once.
    let other = server.make_key("ada", &[]);
    assert_ne!(other, key);
    assert_eq!(server.with_key(&other).get("/workflows").await.status, 200);
    assert_eq!(server.with_key(&key).get("/workflows").await.status, 401);
    let short = server.with_key(&server.make_key("short", &["--expires", "1s"]));
    until("the key to expire", async || (short.get("/workflows").await.status == 401).then_some(())).await;
}

#[tokio::test]
async fn keys_that_cannot_be_read_let_nobody_in() {
    let server = Server::start(&["greeting"]).await;
    let ada = server.with_key(&server.lock("ada", &[]).await);
    let file = server.data().join("wf-host.db.keys");
    let good = std::fs::read(&file).expect("readable");
    assert!(!String::from_utf8_lossy(&good).contains("wfh_"), "only hashes are kept");
    std::fs::write(&file, "{").expect("written");
    until("nobody to come in", async || (ada.get("/workflows").await.status == 503).then_some(())).await;
    assert_eq!(server.get("/workflows").await.status, 503);
    assert_eq!(server.get("/health").await.status, 200);
    std::fs::write(&file, good).expect("written");
    until("it to be mended", async || (ada.get("/workflows").await.status == 200).then_some(())).await;
    std::fs::remove_file(&file).expect("removed");
    until("the keys to be gone", async || server.log().contains("are gone: nobody comes in until they are back").then_some(())).await;
    assert_eq!((server.get("/workflows").await.status, ada.get("/workflows").await.status), (401, 401));
}

/// The cookie that somebody gets for a key.
async fn sign_in(server: &Client, key: &str) -> String {
    let answer = server.post("/api/v1/sign-in", &format!("key={key}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "../../"), "{answer:?}");
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn with_cookie(server: &Client, method: &str, path: &str, cookie: &str, more: &[(&str, &str)]) -> Answer {
    server.request(method, path, &[&[("cookie", cookie)], more].concat(), if method == "POST" { "{}" } else { "" }).await
}

#[tokio::test]
async fn the_page_is_signed_in_to_and_out_of() {
    let server = Serve::guests(&["greeting"]).with(&["--cors-origin", "*"]).start().await;
    assert_eq!(server.post("/api/v1/sign-in", "key=x").await.status, 303, "nobody needs a key");
    let key = server.lock("ada", &["--scope", "read,run"]).await;
    let answer = server.post("/api/v1/sign-in", &format!("key={key}")).await;
    let cookie = answer.header("set-cookie");
    let port = server.address().rsplit(':').next().expect("a port");
    assert!(cookie.starts_with(&format!("wf_host_session_{port}=wfs_")) && !cookie.contains(&key[4..]), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = sign_in(&server, &key).await;
    let page = with_cookie(&server, "GET", "/", &cookie, &[]).await;
    assert_eq!((page.status, page.body.contains("<div id=\"root\">")), (200, true));
    let session = with_cookie(&server, "GET", "/api/v1/session", &cookie, &[]).await;
    expect![[r#"{"key":"ada","scopes":["read","run"],"workflows":[],"signed_in":true,"read_only":false,"notice":null}"#]]
        .assert_eq(&session.body);
    let own = format!("http://{}", server.address());
    let run = "/workflows/greeting/run";
    assert_eq!(with_cookie(&server, "POST", run, &cookie, &[("origin", &own)]).await.status, 200);
    // Every origin may use the server with a key; none but ours with what somebody has signed in with.
    for (method, path) in [("POST", run), ("GET", "/workflows"), ("POST", "/api/v1/sign-out")] {
        assert_eq!(with_cookie(&server, method, path, &cookie, &[("origin", "https://evil.example")]).await.status, 401, "{method} {path}");
    }
    let foreign = server.request("POST", "/api/v1/sign-in", &[("origin", "https://evil.example")], &format!("key={key}")).await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, ""));
    let other = sign_in(&server, &key).await;
    let out = with_cookie(&server, "POST", "/api/v1/sign-out", &cookie, &[("origin", &own)]).await;
    assert_eq!((out.status, out.body.as_str()), (200, r#"{"status":"signed out"}"#));
    assert!(out.header("set-cookie").starts_with(&format!("wf_host_session_{port}=; Path=/; Max-Age=0;")), "{out:?}");
    assert_eq!(with_cookie(&server, "GET", "/workflows", &cookie, &[]).await.status, 401);
    assert_eq!(with_cookie(&server, "GET", "/workflows", &other, &[]).await.status, 200);
    // It does not last longer by itself.
    let session = other.split_once('=').expect("a value").1;
    assert_eq!(server.post("/api/v1/sign-in", &format!("key={session}")).await.status, 401);
    // A person is told on the page, a program in its own form.
    let wrong = server.request("POST", "/api/v1/sign-in", &[("accept", "text/html,*/*")], "key=wfh_wrong").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("The API key is not known, or has ended") && wrong.body.contains(r#"action="./sign-in""#), "{wrong:?}");
    assert_eq!(server.post("/api/v1/sign-in", "key=wfh_wrong").await.json(), json!({ "detail": "The API key is not known, or has ended" }));
    for (url, end) in [
        ("https://flows.example", "; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"),
        ("https://flows.example/wf/", "; Path=/wf; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"),
        ("http://flows.example/a;b", "; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"),
    ] {
        let public = Serve::guests(&["greeting"]).with(&["--public-url", url]).start().await;
        let key = public.lock("ada", &[]).await;
        let answer = public.post("/api/v1/sign-in", &format!("key={key}")).await;
        assert!(answer.header("set-cookie").ends_with(end), "{answer:?}");
    }
}

/// To a browser, cookies are of a host with all its ports.
#[tokio::test]
async fn who_signs_in_at_one_server_of_a_host_stays_signed_in_at_another() {
    let (one, other) = (Server::start(&["greeting"]).await, Server::start(&["hitl"]).await);
    let (first, second) = (sign_in(&one, &one.lock("ada", &[]).await).await, sign_in(&other, &other.lock("ada", &[]).await).await);
    let name = |cookie: &str| cookie.split_once('=').expect("a cookie").0.to_owned();
    assert_ne!(name(&first), name(&second), "the later would take the place of the earlier");
    let both = format!("{first}; {second}");
    for (server, workflow) in [(&one, "greeting"), (&other, "hitl")] {
        let listed = with_cookie(server, "GET", "/workflows", &both, &[]).await;
        assert_eq!((listed.status, listed.body), (200, format!(r#"{{"workflows":["{workflow}"]}}"#)));
    }
    assert_eq!(with_cookie(&one, "POST", "/api/v1/sign-out", &both, &[]).await.status, 200);
    let statuses = [&one, &other].map(|server| with_cookie(server, "GET", "/workflows", &both, &[]));
    let [at_one, at_other] = statuses;
    assert_eq!((at_one.await.status, at_other.await.status), (401, 200));
}

#[tokio::test]
async fn what_is_signed_in_with_is_short() {
    let server = Server::start(&["greeting"]).await;
    let key = server.lock("ada", &[]).await;
    let form = |length: usize| format!("key={key}&more={}", "x".repeat(length - key.len() - 10));
    assert_eq!(server.post("/api/v1/sign-in", &form(4 << 10)).await.status, 303);
    let long = server.post("/api/v1/sign-in", &form((4 << 10) + 1)).await;
    assert_eq!((long.status, long.header("set-cookie")), (413, ""), "{long:?}");
    assert_eq!(long.text("detail"), "The request's body is larger than 4096 bytes (limit body_max)");
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_and_nobody_else() {
    let server = Server::start(&["greeting"]).await;
    let key = server.lock("ada", &[]).await;
    let mut statuses = Vec::new();
    for at in 0..14 {
        let answer =
            if at % 2 == 0 { server.post("/api/v1/sign-in", "key=no").await } else { server.with_key("no").get("/workflows").await };
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.text("detail"), "Too many wrong keys came from this address");
            assert!((1..=7).contains(&answer.header("retry-after").parse::<u64>().expect("seconds")), "{answer:?}");
        }
    }
    assert!(statuses.starts_with(&[401; 10]) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(server.with_key(&key).get("/workflows").await.status, 200, "from the same address");
    assert_eq!(server.get("/workflows").await.status, 401, "who shows nothing guesses nothing");
}

#[tokio::test]
async fn each_key_and_each_address_has_its_rate() {
    let server = Serve::guests(&["greeting"]).with(&["--rate-limit", "20/h"]).start().await;
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(server.get("/workflows").await);
    }
    let last = statuses.pop().expect("the last");
    assert!(statuses.iter().all(|it| it.status == 200), "{statuses:?}");
    assert_eq!((last.status, last.body.as_str()), (429, r#"{"detail":"Too many requests"}"#));
    assert!((170..=181).contains(&last.header("retry-after").parse::<u64>().expect("seconds")), "{last:?}");
    assert_eq!(server.get("/health").await.status, 200, "whoever watches over it is not counted");
}

/// The whole answer to a request from one of this machine's own addresses; its status.
async fn from_address(server: &Server, address: &str, key: &str) -> u16 {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(format!("{address}:0").parse().expect("an address")).expect("one of its own");
    let mut stream = socket.connect(server.address().parse().expect("an address")).await.expect("it listens");
    let request = format!("GET /workflows HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.expect("text");
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_key_has_its_rate_from_wherever_it_comes() {
    let mut server = Serve::guests(&["greeting"]).with(&["--rate-limit", "20/h"]).start().await;
    let (ada, bob) = (server.make_key("ada", &[]), server.make_key("bob", &[]));
    server.crash().await;
    let mut statuses = Vec::new();
    for at in 0..21 {
        // No address comes near its own rate.
        statuses.push(from_address(&server, &format!("127.0.1.{}", at % 7 + 1), &ada).await);
    }
    assert_eq!((statuses.pop(), statuses), (Some(429), vec![200; 20]));
    assert_eq!(from_address(&server, "127.0.1.1", &bob).await, 200, "another key at the same address");
    assert_eq!(from_address(&server, "127.0.1.9", &ada).await, 429, "the same key at another address");
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_so_or_asks_again() {
    let server = Serve::guests(&["greeting"]).with(&["--rate-limit", "1/s"]).start().await;
    let client = |patience| wf_client::Client::new(server.url()).expect("a client").with_patience(patience);
    let hasty = client(Duration::ZERO);
    let error = until("a refusal", async || hasty.workflows().await.err()).await;
    let Error::TooMany { detail, retry_after } = error else { panic!("{error}") };
    assert_eq!((detail.as_str(), retry_after), ("Too many requests", Duration::from_secs(1)));
    for _ in 0..2 {
        client(Duration::from_secs(60)).workflows().await.expect("it asks again");
    }
}

#[tokio::test]
async fn the_door_stands_behind_the_path_of_the_public_url_and_lets_in_by_any_name() {
    let server = Serve::guests(&["greeting"]).with(&["--public-url", "http://flows.example/wf/"]).start().await;
    let elsewhere = [("host", "other.example")];
    assert_eq!(server.request("GET", "/workflows", &elsewhere, "").await.status, 421);
    let some = server.lock("some", &["--workflow", "other-*"]).await;
    let all = server.make_key("all", &[]);
    assert_eq!(server.request("GET", "/workflows", &elsewhere, "").await.status, 401);
    assert_eq!(server.with_key(&all).request("GET", "/workflows", &elsewhere, "").await.status, 200);
    for path in ["/workflows/greeting/schema", "/wf/workflows/greeting/schema", "/wf/%77orkflows/greeting/sc%68ema"] {
        assert_eq!(server.get(path).await.status, 401, "{path}");
        assert_eq!(server.with_key(&some).get(path).await.status, 404, "{path}");
        assert_eq!(server.with_key(&all).get(path).await.status, 200, "{path}");
    }
}

/// What the audit log says, without times and addresses.
fn audited(server: &Server) -> Vec<Value> {
    let text = std::fs::read_to_string(server.data().join("wf-host.db.audit.log")).expect("the audit log");
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let fields = line.as_object_mut().expect("an object");
        let at = fields.remove("at").expect("a time");
        assert!(at.as_str().is_some_and(|it| it.ends_with("+00:00")), "{at}");
        let address = fields.remove("address").expect("an address");
        assert!(address == "127.0.0.1" || address.is_null(), "{address}");
        assert!(fields.remove("sum").is_some(), "a line has a checksum");
        line
    });
    lines.collect()
}

#[tokio::test]
async fn the_audit_log_says_who_did_what() {
    let mut server = Server::start(&["hitl"]).await;
    server.begin("hitl", "{}").await;
    let key = server.lock("ada", &["--scope", "admin"]).await;
    let ada = server.with_key(&key);
    let reader = server.with_key(&server.make_key("bob", &["--scope", "read"]));
    let started = ada.post("/workflows/hitl/run-nowait", "{}").await;
    let (handler, run) = (started.handler(), started.run());
    ada.get("/workflows").await;
    ada.send(&handler, "Nope", "{}").await;
    reader.post(&format!("/handlers/{handler}/cancel"), "").await;
    ada.post(&format!("/handlers/{handler}/cancel"), "").await;
    ada.post(&format!("/handlers/{handler}/cancel?purge=true"), "").await;
    server.with_key("wfh_wrong").get("/handlers").await;
    let cookie = sign_in(&server, &key).await;
    with_cookie(&server, "POST", "/api/v1/sign-out", &cookie, &[]).await;
    until("the server to have written", async || audited(&server).iter().any(|it| it["action"] == "sign-out").then_some(())).await;
    server.keys(&["revoke", "bob"]);
    assert!(server.stop().success());
    let cancel = format!("/handlers/{handler}/cancel");
    assert_eq!(
        audited(&server),
        [
            json!({ "key": null, "action": "add-key", "of": "ada" }),
            json!({ "key": null, "action": "add-key", "of": "bob" }),
            json!({ "key": "ada", "action": "start", "workflow": "hitl", "handler": handler, "run": run, "status": 200 }),
            json!({ "key": "ada", "action": "send", "handler": handler, "status": 400 }),
            json!({ "key": "bob", "action": "refused", "path": cancel, "status": 403 }),
            json!({ "key": "ada", "action": "cancel", "handler": handler, "status": 200 }),
            json!({ "key": "ada", "action": "purge", "handler": handler, "status": 200 }),
            json!({ "key": null, "action": "refused", "path": "/handlers", "status": 401 }),
            json!({ "key": "ada", "action": "sign-in", "status": 200 }),
            json!({ "key": "ada", "action": "sign-out", "status": 200 }),
            json!({ "key": null, "action": "revoke-key", "of": "bob" }),
        ]
    );
}

/// A server that speaks TLS, and where its certificate is.
async fn by_tls(folder: &Path, guests: &[&str]) -> Server {
    let trusted = certificates::write(folder);
    let path = |name: &str| folder.join(name).display().to_string();
    let mut serve = Serve::guests(guests).with(&["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")]);
    serve.certificate = Some(trusted);
    serve.start().await
}

#[tokio::test]
async fn a_certificate_is_taken_anew_and_no_connection_breaks() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = by_tls(folder.path(), &["hitl"]).await;
    assert!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());
    let answer = server.get("/workflows").await;
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, "max-age=31536000"));
    let handler = server.begin("hitl", "{}").await;
    let mut stream = server.events(&handler, "").await;
    assert_eq!(stream.next().await.expect("the question").name(), "RequestEvent");
    // A half-written file changes nothing.
    std::fs::write(folder.path().join("cert.pem"), "-----BEGIN CERT").expect("written");
    until("it to be noticed", async || server.log().contains("the certificate before goes on: ").then_some(())).await;
    let trusted = certificates::write(folder.path());
    let newer = until("the new certificate", async || {
        let client = Client::trusting(server.url(), None, Some(&trusted));
        (client.attempt("GET", "/health", &[], "").await?.status == 200).then_some(client)
    })
    .await;
    let old = Client::trusting(server.url(), None, None);
    assert!(old.attempt("GET", "/health", &[], "").await.is_none(), "nobody has signed that one");
    // The stream of before goes on.
    assert_eq!(newer.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(stream.rest().await.last().expect("the end").name(), "OutEvent");
}

#[tokio::test]
async fn both_protocols_are_spoken_under_tls() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = by_tls(folder.path(), &["greeting"]).await;
    let certificate = reqwest::Certificate::from_pem(server_certificate(&server).as_bytes()).expect("a certificate");
    for (older, version) in [(true, reqwest::Version::HTTP_11), (false, reqwest::Version::HTTP_2)] {
        let mut builder = reqwest::Client::builder().no_proxy().tls_certs_merge([certificate.clone()]);
        if older {
            builder = builder.http1_only();
        }
        let client = builder.build().expect("a client");
        let run = client.post(format!("{}/workflows/greeting/run", server.url())).body("{}");
        // A browser's own origin, which is told by the name that the request is for.
        let answer = run.header("origin", server.url()).send().await.expect("an answer");
        assert_eq!((answer.version(), answer.status().as_u16()), (version, 200));
        assert_eq!(answer.headers()["access-control-allow-origin"], server.url());
    }
    // The same name without TLS is another origin, whoever may answer there.
    let plain = server.url().replace("https://", "http://");
    assert_eq!(server.request("POST", "/workflows/greeting/run", &[("origin", &plain)], "{}").await.status, 403);
    let strange = Client::new(&plain);
    assert!(strange.attempt("GET", "/health", &[], "").await.is_none_or(|it| it.status != 200), "not without TLS");
}

/// A connection that has agreed on the newer protocol.
fn agreed(server: &Server) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let certificate = CertificateDer::from_pem_slice(server_certificate(server).as_bytes()).expect("a certificate");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("it can be trusted");
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connection = rustls::ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().expect("a name")).expect("a client");
    let socket = TcpStream::connect(server.address()).expect("it listens");
    socket.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let mut stream = rustls::StreamOwned::new(connection, socket);
    stream.conn.complete_io(&mut stream.sock).expect("they agree");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    stream
}

/// As long as with the older protocol: [`a_slow_client_is_let_go`](../hostile.rs).
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_nothing_by_the_newer_protocol_is_let_go_and_a_stream_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = by_tls(folder.path(), &["hitl"]).await;
    let handler = server.begin("hitl", "{}").await;
    let mut reader = server.events(&handler, "").await;
    assert_eq!(reader.next().await.expect("the question").name(), "RequestEvent");
    // One that says nothing, and one that has asked once, and answers from then on whether it is there.
    let mut silent = agreed(&server);
    let mut asked = agreed(&server);
    let ended = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).map(|_| rest)
    });
    let idle = tokio::task::spawn_blocking(move || asks_once(&mut asked));
    let (silent, pings) = tokio::join!(ended, idle);
    let silent = silent.expect("no panic");
    assert!(
        silent.as_ref().is_ok_and(Vec::is_empty) || silent.as_ref().is_err_and(|it| it.kind() == ErrorKind::UnexpectedEof),
        "{silent:?}"
    );
    let pings = pings.expect("no panic");
    assert!(pings <= 2, "{pings} signs of life were asked for");
    // Whoever reads a stream asks for nothing either, and is under way.
    assert_eq!(server.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(reader.rest().await.last().expect("the end").name(), "OutEvent");
}

/// Asks for `/health`, then answers signs of life alone until the server closes; how many it was asked for.
fn asks_once(stream: &mut (impl Read + Write)) -> usize {
    const PING: u8 = 6;
    // The preface, empty settings, and headers: GET, https, /health, and the name.
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    let headers = b"\x82\x87\x04\x07/health\x01\x01x";
    hello.extend([0, 0, headers.len() as u8, 1, 5, 0, 0, 0, 1]);
    hello.extend(headers);
    stream.write_all(&hello).expect("written");
    let mut pings = 0;
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return pings;
        }
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        if stream.read_exact(&mut payload).is_err() {
            return pings;
        }
        if head[3] == PING && head[4] == 0 {
            pings += 1;
            if pings > 2 {
                return pings;
            }
            let answer = [&[0, 0, 8, PING, 1, 0, 0, 0, 0][..], &payload].concat();
            if stream.write_all(&answer).is_err() {
                return pings;
            }
        }
    }
}

fn server_certificate(server: &Server) -> String {
    server.certificate().expect("it speaks TLS").to_owned()
}

#[tokio::test]
async fn what_cannot_be_served_by_tls_or_at_a_rate_is_said() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    certificates::write(folder.path());
    let other = tempfile::tempdir().expect("a temporary directory");
    certificates::write(other.path());
    std::fs::rename(other.path().join("key.pem"), folder.path().join("other.pem")).expect("renamed");
    std::fs::write(folder.path().join("empty.pem"), "").expect("written");
    std::fs::write(folder.path().join("greeting.wasm"), "").expect("written");
    let check = |arguments: &str, expect: expect_test::Expect| {
        check_command(folder.path(), &arguments.split(' ').collect::<Vec<_>>(), &expect);
    };
    check(
        "serve greeting.wasm --tls-cert cert.pem",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: TLS needs a certificate and its key
        hint: give both `--tls-cert` and `--tls-key`
    "#]],
    );
    check(
        "serve greeting.wasm --tls-cert empty.pem --tls-key key.pem",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `empty.pem` holds no certificate that can be read: there is no `BEGIN CERTIFICATE` in it
        hint: `--tls-cert` and `--tls-key` name PEM files that belong together
    "#]],
    );
    check(
        "serve greeting.wasm --tls-cert cert.pem --tls-key empty.pem",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `empty.pem` holds no private key that can be read: no items found
        hint: `--tls-cert` and `--tls-key` name PEM files that belong together
    "#]],
    );
    check(
        "serve greeting.wasm --tls-cert cert.pem --tls-key other.pem",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `cert.pem` and `other.pem` do not fit: keys may not be consistent: KeyMismatch
        hint: `--tls-cert` and `--tls-key` name PEM files that belong together
    "#]],
    );
    check(
        "serve greeting.wasm --rate-limit 10",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `rate_limit` cannot be `10`
        hint: give a number and a unit of `s`, `m` and `h`, as in `100/s`
    "#]],
    );
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let check = |arguments: &str, expect: expect_test::Expect| {
        check_command(folder.path(), &arguments.split(' ').collect::<Vec<_>>(), &expect);
    };
    check(
        "keys",
        expect![[r#"
        exit code 0
        --- stdout
        NAME  SCOPES  WORKFLOWS  MADE  EXPIRES
        --- stderr
    "#]],
    );
    let output = server::command().args(["keys", "add", "ada"]).current_dir(folder.path()).output().expect("it runs");
    let (key, said) = (String::from_utf8(output.stdout).expect("text"), String::from_utf8(output.stderr).expect("text"));
    assert!(key.starts_with("wfh_") && key.trim().len() == 47, "{key}");
    expect![[r#"
        from now on everybody needs a key, also when the last one is revoked; without `.wf-host/wf-host.db.keys` nobody does
    "#]]
    .assert_eq(&said);
    let more = ["keys", "add", "ci", "--scope", "run", "--workflow", "build-*", "--expires", "90d", "--json"];
    let output = server::command().args(more).current_dir(folder.path()).output().expect("it runs");
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(made["name"] == "ci" && made["key"].as_str().is_some_and(|it| it.starts_with("wfh_")), "{made}");
    assert!(output.stderr.is_empty());
    let list = server::command().args(["keys", "ls", "--json"]).current_dir(folder.path()).output().expect("it runs");
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let fields: BTreeSet<&str> = list[1].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(["name", "scopes", "workflows", "created_at", "expires_at"]), "no secret");
    assert_eq!(
        (&list[1]["workflows"], &list[0]["scopes"], &list[0]["expires_at"]),
        (&json!(["build-*"]), &json!(["read", "run"]), &Value::Null)
    );
    let output = server::command().arg("keys").current_dir(folder.path()).output().expect("it runs");
    let table = String::from_utf8(output.stdout).expect("text");
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        (&words[0][..], &words[1][..3], words[1][4], &words[2][..3]),
        (&["NAME", "SCOPES", "WORKFLOWS", "MADE", "EXPIRES"][..], &["ada", "read,run", "*"][..], "-", &["ci", "run", "build-*"][..])
    );
    check(
        "keys add ada",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is a key `ada` already
        hint: choose another name, or `wf-host keys revoke` it first
    "#]],
    );
    check(
        "keys add a/b",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `a/b` cannot be the name of a key
        hint: a name is 1 to 64 letters, digits, `.`, `_` and `-`
    "#]],
    );
    check(
        "keys add bob --workflow a***",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `a***` is no pattern of workflow names: wildcards are either regular `*` or recursive `**`
        hint: write a name, or a pattern such as `billing-*`
    "#]],
    );
    check(
        "keys add bob --expires soon",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--expires` cannot be `soon`
        hint: give a number and a unit of `d`, `h`, `m` and `s`, as in `90d`
    "#]],
    );
    check(
        "keys add bob --scope write",
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'write' for '--scope <SCOPES>'
          [possible values: read, run, admin]

        For more information, try '--help'.
    "#]],
    );
    check(
        "keys revoke bob",
        expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no key `bob`
        hint: `wf-host keys ls` lists those that are there
    "#]],
    );
    check(
        "keys revoke ci",
        expect![[r#"
        exit code 0
        --- stdout
        --- stderr
    "#]],
    );
    std::fs::write(folder.path().join(".wf-host/wf-host.db.keys"), "[]").expect("written");
    check(
        "keys",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: the keys in `.wf-host/wf-host.db.keys` cannot be read: invalid length 0, expected struct Keys with 4 elements at line 1 column 2
            hint: correct the file or its permissions; until then nobody comes in
        "#]],
    );
    std::fs::write(folder.path().join("greeting.wasm"), "").expect("written");
    check(
        "serve greeting.wasm",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: the keys in `.wf-host/wf-host.db.keys` cannot be read: invalid length 0, expected struct Keys with 4 elements at line 1 column 2
            hint: correct the file or its permissions; until then nobody comes in
        "#]],
    );
    // Where they cannot be kept; and what cannot be noted of it.
    std::fs::write(folder.path().join("file"), "").expect("written");
    check(
        "keys --data-dir file/in add bob",
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: the keys in `file/in/wf-host.db.keys` cannot be written: the folder `file/in` cannot be made: Not a directory (os error 20)
            hint: correct the file or its permissions; until then nobody comes in
        "#]],
    );
    std::fs::create_dir_all(folder.path().join("data/wf-host.db.audit.log")).expect("made");
    let output = server::command().args(["keys", "--data-dir", "data", "add", "bob"]).current_dir(folder.path()).output().expect("it runs");
    assert!(output.status.success(), "it is made all the same");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("warning: `data/wf-host.db.audit.log` cannot be written: Is a directory"), "{said}");
    // The store that is named has its own.
    let output =
        server::command().args(["keys", "--store", "sqlite:mine.db", "add", "bob"]).current_dir(folder.path()).output().expect("it runs");
    assert!(output.status.success() && folder.path().join("mine.db.keys").exists(), "{output:?}");
}

/// A command against a server: exit code, and what it says.
fn remote(server: &Server, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = server::command();
    command.args(arguments).env("WF_HOST_SERVER", server.url()).envs(environment.iter().copied());
    let output = command.output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it exits"), String::from_utf8(text).expect("text").trim_end().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_the_client_show_a_key_and_trust_a_certificate() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = by_tls(folder.path(), &["greeting"]).await;
    let trusted = server_certificate(&server);
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &trusted).expect("written");
    let ca = ca.display().to_string();
    let (code, said) = remote(&server, &["workflows", "ls"], &[]);
    assert_eq!(code, 1);
    expect![[r#"
        error: no answer from the server: invalid peer certificate: UnknownIssuer
        hint: `--ca-cert` names certificates to trust; a server without TLS is at `http://`"#]]
    .assert_eq(&said);
    let key = server.lock("ada", &["--scope", "read,run"]).await;
    let ca = ("WF_HOST_CA_CERT", ca.as_str());
    let missing = "error: An API key is needed: send it as 'Authorization: Bearer KEY'\n\
                   hint: give a key with `--api-key` or WF_HOST_API_KEY; `wf-host keys add NAME`, where the server runs, makes one";
    assert_eq!(remote(&server, &["workflows", "ls"], &[ca]), (1, missing.to_owned()));
    let listed = |arguments: &[&str], environment: &[(&str, &str)]| {
        let (code, said) = remote(&server, &[&["workflows", "ls"], arguments].concat(), environment);
        assert!(code == 0 && said.contains("greeting"), "{said}");
    };
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{key}\n")).expect("written");
    let file = file.display().to_string();
    listed(&["--api-key", &key], &[ca]);
    listed(&[], &[ca, ("WF_HOST_API_KEY", &key)]);
    listed(&["--api-key-file", &file, "--ca-cert", ca.1], &[]);
    listed(&[], &[ca, ("WF_HOST_API_KEY_FILE", &file)]);
    let given = [ca, ("WF_HOST_API_KEY", key.as_str())];
    let denied = "error: The key 'ada' lacks the scope 'admin'\n\
                  hint: `wf-host keys ls`, where the server runs, says what each key is good for";
    assert_eq!(remote(&server, &["runs", "purge", "x"], &given), (1, denied.to_owned()));
    let (code, said) = remote(&server, &["runs", "start", "greeting", "--wait"], &given);
    assert!(code == 0 && said.starts_with("\"Hello, World!\"\nhandler: "), "{said}");
    let wrong = |arguments: &[&str]| remote(&server, &[&["workflows", "ls"], arguments].concat(), &[]);
    let no_file = "error: `nope` cannot be read: No such file or directory (os error 2)\nhint: correct its name, or its permissions";
    assert_eq!(wrong(&["--api-key-file", "nope"]), (2, no_file.to_owned()));
    let no_certificate = format!(
        "error: `{file}` cannot be trusted: this is no certificate: there is no `BEGIN CERTIFICATE` in it\nhint: `--ca-cert` names a PEM file"
    );
    assert_eq!(wrong(&["--ca-cert", &file]), (2, no_certificate));
    let no_key = "error: this is no API key: a key is one line of letters, digits and `_`\nhint: `wf-host keys add NAME` makes one";
    assert_eq!(wrong(&["--api-key", "a\nb"]), (2, no_key.to_owned()));
    // Completions know what there is all the same.
    until("completions", async || {
        let mut complete = server::command();
        complete.envs([ca, ("WF_HOST_API_KEY", key.as_str()), ("WF_HOST_SERVER", server.url()), ("COMPLETE", "fish")]);
        let output = complete.args(["--", "wf-host", "workflows", "show", "gre"]).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).contains("greeting").then_some(())
    })
    .await;
    // The client, through its own calls.
    let client =
        wf_client::Client::new(server.url()).and_then(|it| it.with_ca(trusted.as_bytes())).expect("a client").with_patience(Duration::ZERO);
    assert!(matches!(client.workflows().await, Err(Error::Refused { status: 401, .. })));
    let client = client.with_key(&key).expect("a key");
    assert!(!format!("{client:?}").contains(&key), "a key is not shown");
    let run = client.start("greeting", &Start::event(json!({ "name": "Ada" }))).await.expect("it starts");
    let events: Vec<_> = client.events(&run.handler_id, From::Beginning).try_collect().await.expect("its events");
    assert_eq!(events.last().expect("the end").event.value.to_string(), r#"{"result":"Hello, Ada!"}"#);
}

#[tokio::test]
async fn the_first_screen_says_who_comes_in() {
    let mut server = Serve::guests(&["greeting"]).start().await;
    let locks = format!("`wf-host keys add NAME --data-dir {}` locks it", server.data().display());
    assert!(server.screen().contains(&format!("\n  open to everyone on this machine; {locks}\n")), "{}", server.screen());
    assert_eq!(
        server.get("/api/v1/session").await.text("notice"),
        "Without keys, every user and program of this machine can start workflows and read runs."
    );
    server.make_key("ada", &[]);
    server.kill();
    server.restart().await;
    assert!(server.screen().contains("\n  open to whoever has its 1 key\n"), "{}", server.screen());
    assert!(server.screen().contains("\n  try  curl -H \"Authorization: Bearer $WF_HOST_API_KEY\" -X POST http"), "{}", server.screen());
    server.make_key("bob", &[]);
    server.kill();
    server.load(Serve::guests(&["greeting"]).with(&["--host", "0.0.0.0"]));
    server.restart().await;
    assert!(server.screen().contains("\n  open to whoever has one of its 2 keys\n"), "{}", server.screen());
    until("the warning", async || {
        server.log().contains("without TLS: keys can be read on their way\nhint: give `--tls-cert` and `--tls-key`, or").then_some(())
    })
    .await;
    let open = Serve::guests(&["greeting"]).with(&["--host", "0.0.0.0"]).start().await;
    let warning = format!(
        "whoever reaches this machine can start workflows and read runs\nhint: `wf-host keys add NAME --data-dir {}` locks it; `--host 127.0.0.1` keeps it on this machine",
        open.data().display()
    );
    until("the warning", async || open.log().contains(&warning).then_some(())).await;
    assert!(!open.screen().contains("open to"), "{}", open.screen());
    let notice = open.get("/api/v1/session").await.text("notice");
    assert!(
        notice.starts_with("Without keys, whoever reaches 0.0.0.0:") && notice.ends_with(" can start workflows and read runs."),
        "{notice}"
    );
}

#[tokio::test]
async fn every_answer_says_what_browsers_must_not_do() {
    let server = Server::start(&["greeting"]).await;
    for path in ["/", "/health", "/workflows", "/nope", "/handlers/x"] {
        let answer = server.get(path).await;
        let headers =
            ["x-content-type-options", "referrer-policy", "x-frame-options", "strict-transport-security"].map(|name| answer.header(name));
        assert_eq!(headers, ["nosniff", "same-origin", "SAMEORIGIN", ""], "{path}");
    }
    let policy = server.get("/").await.header("content-security-policy").to_owned();
    for part in ["default-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    server.lock("ada", &[]).await;
    let sign_in = server.get("/").await;
    assert!(sign_in.header("content-security-policy").starts_with("default-src 'none'; "), "{sign_in:?}");
}

/// The mode of everything below a folder, by path.
fn modes(folder: &Path, found: &mut Vec<(String, bool, u32)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let metadata = entry.metadata().expect("it is there");
        found.push((entry.path().display().to_string(), metadata.is_dir(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            modes(&entry.path(), found);
        }
    }
}

#[tokio::test]
async fn what_the_host_writes_is_its_users_alone() {
    let server = Serve::guests(&["greeting"]).anew().start().await;
    let ada = server.with_key(&server.lock("ada", &[]).await);
    assert_eq!(ada.run("greeting", &json!({ "name": "x".repeat(100 << 10) }).to_string()).await.status, 200);
    for folder in [server.data(), server.compiled()] {
        let mode = std::fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", folder.display());
        let mut found = Vec::new();
        modes(&folder, &mut found);
        assert!(!found.is_empty());
        for (path, is_folder, mode) in &found {
            assert_eq!(*mode, if *is_folder { 0o700 } else { 0o600 }, "{path}");
        }
        if folder == server.data() {
            for name in ["wf-host.db", "wf-host.db-wal", "wf-host.db.lock", "wf-host.db.keys", "wf-host.db.audit.log"] {
                assert!(found.iter().any(|(path, ..)| path.ends_with(name)), "{name}: {found:?}");
            }
        }
    }
}

#[tokio::test]
async fn compiled_code_is_never_taken_from_where_others_write() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).expect("made");
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o777)).expect("set");
    let mut serve = Serve::guests(&["greeting"]);
    serve.environment.push(("WF_HOST_CACHE_DIR".to_owned(), shared.display().to_string()));
    let server = serve.start().await;
    assert_eq!(server.run("greeting", "{}").await.result(), "Hello, World!", "it is compiled instead");
    let warning = format!("compiled code is neither kept nor loaded: others than its user can write `{}` (mode 777)", shared.display());
    assert!(server.log().contains(&warning), "{}", server.log());
    assert_eq!(std::fs::read_dir(&shared).expect("a folder").count(), 0);
    // What a working directory brings along is not looked at; the user's own folder is.
    let (work, home) = (folder.path().join("work"), folder.path().join("home"));
    std::fs::create_dir_all(work.join(".wf-host/compiled")).expect("made");
    std::fs::create_dir(&home).expect("made");
    let guest = wf_tests::artifacts::guest("greeting").display().to_string();
    let mut command = server::command();
    command.args(["check", &guest]).current_dir(&work).env_remove("WF_HOST_CACHE_DIR").env_remove("XDG_CACHE_HOME").env("HOME", &home);
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_dir(work.join(".wf-host/compiled")).expect("a folder").count(), 0);
    let own = home.join(".cache/wf-host");
    assert_eq!(std::fs::metadata(&own).expect("a folder").permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(own).expect("a folder").count(), 1, "the component");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_with_a_browser() {
    let server = Server::start(&["greeting", "hitl"]).await;
    let key = server.lock("ada", &[]).await;
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec", "host/ui/tests/door.mjs"]).current_dir(root()).stdin(Stdio::null());
    tests.env("WF_HOST_URL", server.url()).env("WF_HOST_API_KEY", key).env("WF_HOST_SHOTS", root().join("target/screenshots"));
    let output = tokio::task::spawn_blocking(move || tests.output()).await.expect("no panic").expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("pass 3"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

//! Files that change while they are served.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::{Serve, Server, artifacts, until};

/// A folder that is served as `app`, whatever the component in it calls itself.
struct App {
    folder: TempDir,
}

impl App {
    fn new(guest: &str) -> App {
        let app = App { folder: tempfile::tempdir().expect("a temporary directory") };
        app.replace(guest);
        app
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.wasm")
    }

    fn serve(&self) -> Serve {
        Serve { paths: vec![format!("app={}", self.path().display())], ..Serve::default() }
    }

    /// As compilers and editors do: written beside, then renamed.
    fn replace(&self, guest: &str) {
        replace(&self.path(), &fs::read(artifacts::guest(guest)).expect("readable"));
    }
}

fn replace(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, bytes).expect("writable");
    fs::rename(beside, path).expect("renamed");
}

fn bytes(guest: &str) -> Vec<u8> {
    fs::read(artifacts::guest(guest)).expect("readable")
}

/// Which component answers: `greeting` greets, `random` gives two numbers.
async fn version(server: &Server, name: &str) -> &'static str {
    let answer = server.run(name, "{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    match answer.result() {
        Value::String(_) => "greeting",
        Value::Object(_) => "random",
        other => panic!("{other}"),
    }
}

async fn serves(server: &Server, wanted: &str) {
    until(&format!("{wanted} to answer"), async || (version(server, "app").await == wanted).then_some(())).await;
}

async fn listing(server: &Server, name: &str) -> Value {
    let all = server.get("/api/v1/workflows").await.json();
    all["workflows"].as_array().and_then(|all| all.iter().find(|it| it["name"] == name)).cloned().unwrap_or(Value::Null)
}

#[tokio::test]
async fn files_in_a_folder_come_change_and_go() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    replace(&folder.path().join("a.wasm"), &bytes("greeting"));
    let server = Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() }.start().await;
    assert_eq!(server.get("/workflows").await.json()["workflows"], serde_json::json!(["greeting"]));

    replace(&folder.path().join("b.wasm"), &bytes("slow"));
    until("slow to be added", async || (server.get("/workflows").await.body.contains("slow")).then_some(())).await;
    let running = server.begin("slow", r#"{"seconds":1.0}"#).await;

    fs::remove_file(folder.path().join("b.wasm")).expect("removed");
    until("slow to be retired", async || (!server.get("/workflows").await.body.contains("slow")).then_some(())).await;
    assert_eq!(server.post("/workflows/slow/run-nowait", "{}").await.status, 404);
    assert_eq!(server.ended(&running).await.result(), "slept 1.0", "what was under way finishes");

    // A file that holds another workflow: one goes, the other comes.
    replace(&folder.path().join("a.wasm"), &bytes("hitl"));
    until("hitl in its place", async || (server.get("/workflows").await.json()["workflows"] == serde_json::json!(["hitl"])).then_some(()))
        .await;
    // Renamed: it stays what it is.
    fs::rename(folder.path().join("a.wasm"), folder.path().join("c.wasm")).expect("renamed");
    until("the new path", async || listing(&server, "hitl").await["path"].as_str()?.ends_with("c.wasm").then_some(())).await;
}

#[tokio::test]
async fn each_swap_says_what_changed() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    app.replace("hitl");
    let line = until("the log line", async || server.log().lines().find(|it| it.contains("reloaded `app`")).map(str::to_owned)).await;
    // From the line on, requests use the new code.
    let handler = server.begin("app", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    for change in ["step `prompt_human` added", "step `greet` removed", "event `RequestEvent` added"] {
        assert!(line.contains(change), "{change}: {line}");
    }
}

#[tokio::test]
async fn a_version_that_asks_for_more_of_the_outside_says_so() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    assert_eq!(listing(&server, "app").await["outside"][0], json!({ "what": "http", "requested": false, "granted": [] }));
    app.replace("outside");
    let line = until("the log line", async || server.log().lines().find(|it| it.contains("reloaded `app`")).map(str::to_owned)).await;
    assert!(line.contains("it asks for http now, and none is granted"), "{line}");
    assert_eq!(listing(&server, "app").await["outside"][0], json!({ "what": "http", "requested": true, "granted": [] }));
    // What it has asked for before, and what is granted, is nothing to speak of.
    assert!(!line.contains("it asks for variables"), "{line}");
    let app = App::new("greeting");
    let server = app.serve().with(&["--allow-http", "https://a.example"]).start().await;
    app.replace("outside");
    let line = until("the log line", async || server.log().lines().find(|it| it.contains("reloaded `app`")).map(str::to_owned)).await;
    assert!(!line.contains("it asks for http"), "{line}");
}

#[tokio::test]
async fn runs_finish_on_the_definition_that_they_began_with() {
    let app = App::new("hitl");
    let mut server = app.serve().start().await;
    let (first, second) = (server.begin("app", "{}").await, server.begin("app", "{}").await);
    for handler in [&first, &second] {
        server.events(handler, "").await.until("RequestEvent").await;
    }
    app.replace("greeting");
    until("the swap", async || server.log().contains("reloaded `app`").then_some(())).await;
    assert_eq!(version(&server, "app").await, "greeting");
    // Checked against its own definition: greeting knows no ResponseEvent.
    assert_eq!(server.send(&first, "NopeEvent", "{}").await.status, 400);
    assert_eq!(server.send(&first, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(server.ended(&first).await.value()["output"], "Hello, Ada");
    // Also after a restart in the middle, and a crash.
    server.crash().await;
    assert_eq!(server.send(&second, "ResponseEvent", r#"{"response":"Bob"}"#).await.status, 200);
    assert_eq!(server.ended(&second).await.value()["output"], "Hello, Bob");
    assert_eq!(version(&server, "app").await, "greeting");
}

#[tokio::test]
async fn a_broken_version_leaves_the_old_one_serving() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    let digest = listing(&server, "app").await["digest"].clone();
    assert!(digest.is_string());
    for (broken, says) in [(bytes("describe-unsound"), "no step returns a stop event"), (b"not wasm".to_vec(), "it is not WebAssembly")] {
        replace(&app.path(), &broken);
        let error = until("the error", async || {
            let message = listing(&server, "app").await["error"]["message"].as_str()?.to_owned();
            message.contains(says).then_some(message)
        })
        .await;
        assert!(error.contains("app.wasm"), "{error}");
        assert_eq!(version(&server, "app").await, "greeting");
        assert_eq!(listing(&server, "app").await["digest"], digest);
        let logged = || server.log().lines().any(|it| it.contains("the version before goes on") && it.contains(says));
        until("the log line", async || logged().then_some(())).await;
    }
    app.replace("random");
    serves(&server, "random").await;
    assert_eq!(listing(&server, "app").await["error"], Value::Null, "it is forgotten");
}

#[tokio::test]
async fn runs_of_a_workflow_that_is_no_longer_served_take_events_and_are_cancelled() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    replace(&folder.path().join("a.wasm"), &bytes("greeting"));
    replace(&folder.path().join("b.wasm"), &bytes("hitl"));
    let mut server = Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() }.start().await;
    let (answered, cancelled) = (server.begin("hitl", "{}").await, server.begin("hitl", "{}").await);
    for handler in [&answered, &cancelled] {
        server.events(handler, "").await.until("RequestEvent").await;
    }
    fs::remove_file(folder.path().join("b.wasm")).expect("removed");
    until("it to be retired", async || (!server.get("/workflows").await.body.contains("hitl")).then_some(())).await;
    server.crash().await;
    assert_eq!(server.send(&answered, "NopeEvent", "{}").await.status, 400, "it is checked against its own definition");
    assert_eq!(server.send(&answered, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(server.ended(&answered).await.value()["output"], "Hello, Ada");
    assert_eq!(server.post(&format!("/handlers/{cancelled}/cancel"), "").await.body, r#"{"status":"cancelled"}"#);
    assert_eq!(server.post("/workflows/hitl/run", "{}").await.status, 404);
}

#[tokio::test]
async fn sixty_four_describes_that_sleep_hold_up_neither_a_start_nor_a_reload() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sleeps = bytes("describe-sleep");
    for number in 0..64_u8 {
        // Each another component: a section of its own at the end, with a name and a number.
        let section = [0, 3, 1, b'n', number];
        fs::write(folder.path().join(format!("sleep{number}.wasm")), [&sleeps[..], &section].concat()).expect("writable");
    }
    replace(&folder.path().join("app.wasm"), &bytes("greeting"));
    let server = Serve { paths: vec![folder.path().display().to_string()], ..Serve::default() }.start().await;
    assert_eq!(version(&server, "greeting").await, "greeting");
    until("each to be refused", async || (server.log().matches("its `describe` sleeps").count() == 64).then_some(())).await;
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["greeting"]}"#);

    // All of them again, and beside them one that is sound.
    for number in 0..64_u8 {
        let section = [0, 3, 1, b'm', number];
        replace(&folder.path().join(format!("sleep{number}.wasm")), &[&sleeps[..], &section].concat());
    }
    replace(&folder.path().join("app.wasm"), &bytes("random"));
    until("the new version", async || {
        let answer = server.run("random", "{}").await;
        (answer.status == 200).then_some(())
    })
    .await;
    until("each to be refused", async || (server.log().matches("its `describe` sleeps").count() == 128).then_some(())).await;
    assert_eq!(server.get("/workflows").await.body, r#"{"workflows":["random"]}"#);
}

#[tokio::test]
async fn a_half_written_file_does_no_harm() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    let whole = bytes("random");
    // In place, and in two parts: what lies between is half a file.
    fs::write(app.path(), &whole[..whole.len() / 2]).expect("writable");
    until("somebody to notice", async || listing(&server, "app").await["error"]["message"].as_str().map(|_| ())).await;
    assert_eq!(version(&server, "app").await, "greeting");
    fs::write(app.path(), &whole).expect("writable");
    serves(&server, "random").await;
}

#[tokio::test]
async fn a_burst_of_saves_ends_with_the_last() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    let (one, other) = (bytes("greeting"), bytes("random"));
    for save in 0..100 {
        let content = if save % 2 == 0 { &one } else { &other };
        if save % 3 == 0 { replace(&app.path(), content) } else { fs::write(app.path(), content).expect("writable") }
    }
    serves(&server, "random").await;
    let loads = server.log().lines().filter(|it| it.contains("reloaded")).count();
    assert!(loads < 50, "{loads} loads for a hundred saves");
}

#[tokio::test]
async fn a_symbolic_link_is_followed_to_what_it_leads_to_now() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (release, guest) in [("one", "greeting"), ("two", "random")] {
        fs::create_dir(folder.path().join(release)).expect("made");
        replace(&folder.path().join(release).join("app.wasm"), &bytes(guest));
    }
    let current = folder.path().join("current");
    std::os::unix::fs::symlink("one", &current).expect("linked");
    let path = format!("app={}", current.join("app.wasm").display());
    let server = Serve { paths: vec![path], ..Serve::default() }.start().await;
    serves(&server, "greeting").await;
    std::os::unix::fs::symlink("two", folder.path().join("next")).expect("linked");
    fs::rename(folder.path().join("next"), &current).expect("swapped");
    serves(&server, "random").await;
}

#[tokio::test]
async fn a_folder_that_disappears_and_comes_back() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let folder = parent.path().join("workflows");
    fs::create_dir(&folder).expect("made");
    replace(&folder.join("a.wasm"), &bytes("greeting"));
    let server = Serve { paths: vec![folder.display().to_string()], ..Serve::default() }.start().await;
    fs::rename(&folder, parent.path().join("elsewhere")).expect("moved");
    until("greeting to be retired", async || (server.get("/workflows").await.body == r#"{"workflows":[]}"#).then_some(())).await;
    assert_eq!(server.get("/health").await.status, 200);
    fs::create_dir(&folder).expect("made");
    replace(&folder.join("b.wasm"), &bytes("random"));
    until("random", async || (server.get("/workflows").await.body == r#"{"workflows":["random"]}"#).then_some(())).await;
    // And it is still followed.
    replace(&folder.join("c.wasm"), &bytes("slow"));
    until("slow", async || (server.get("/workflows").await.body == r#"{"workflows":["random","slow"]}"#).then_some(())).await;
}

#[tokio::test]
async fn nothing_is_reloaded_where_that_is_not_wanted() {
    let app = App::new("greeting");
    let still = app.serve().with(&["--no-watch"]).start().await;
    let following = app.serve().start().await;
    app.replace("random");
    serves(&following, "random").await;
    assert_eq!(version(&still, "app").await, "greeting");
}

/// How many swaps the soak takes: each is a chance to fail a request, and minutes of them are no other.
const SWAPS: usize = 150;
/// How often it swaps.
const SWAP_EVERY: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "how much it was put through")]
async fn swaps_under_load_fail_no_request_and_lose_no_run() {
    let app = App::new("greeting");
    let server = app.serve().start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let mut load = tokio::task::JoinSet::new();
    for worker in 0..4 {
        let (client, stop, seen) = ((*server).clone(), stop.clone(), seen.clone());
        load.spawn(async move {
            let mut handlers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                if worker == 0 {
                    handlers.push(client.begin("app", "{}").await);
                    continue;
                }
                let answer = client.run("app", "{}").await;
                assert_eq!(answer.status, 200, "{answer:?}");
                seen[usize::from(answer.result().is_object())].fetch_add(1, Ordering::Relaxed);
            }
            handlers
        });
    }
    let mut ticks = tokio::time::interval(SWAP_EVERY);
    for swap in 0..SWAPS {
        ticks.tick().await;
        app.replace(if swap % 2 == 0 { "random" } else { "greeting" });
    }
    stop.store(true, Ordering::Relaxed);
    let mut handlers = Vec::new();
    while let Some(done) = load.join_next().await {
        handlers.extend(done.expect("no request failed"));
    }
    for handler in &handlers {
        assert_eq!(server.ended(handler).await.text("status"), "completed");
    }
    let [greetings, randoms] = [&seen[0], &seen[1]].map(|it| it.load(Ordering::Relaxed));
    let reloads = server.log().lines().filter(|it| it.contains("reloaded")).count();
    println!("{SWAPS} swaps, {reloads} reloads, {greetings} + {randoms} answers, {} runs without waiting", handlers.len());
    assert!(greetings > 0 && randoms > 0 && reloads > SWAPS / 4, "{greetings} greetings, {randoms} randoms, {reloads} reloads");
}

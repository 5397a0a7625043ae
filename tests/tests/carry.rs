//! `wf-host export` and `import`: runs in files, beside servers on both sides.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::TempDir;
use wf_tests::chance::Chance;
use wf_tests::command_line::{done, text, wf_host};
use wf_tests::database::{change, copied, forge, query, rows};
use wf_tests::origin::{Origin, reply};
use wf_tests::patience::within;
use wf_tests::server::command;
use wf_tests::{Client, End, Frame, Serve, Server, artifacts, command_line, until};

/// It must refuse. Gives what it says.
fn refused(arguments: &[&str]) -> String {
    let output = wf_host(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).expect("text")
}

/// A folder for files, and one of them.
fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.tar");
    (folder, file)
}

fn export(server: &Server, name: &str, file: &Path, arguments: &[&str]) -> String {
    done(&[&["export", name, "-o", text(file), "--data-dir", text(&server.data())], arguments].concat())
}

fn import(server: &Server, file: &Path, arguments: &[&str]) -> String {
    let said = done(&[&["import", text(file), "--data-dir", text(&server.data())], arguments].concat());
    server.check_store();
    said
}

/// A run of `hitl` that waits, under this handler.
async fn waiting(server: &Server, handler: &str) -> String {
    let answer = server.post("/workflows/hitl/run-nowait", &json!({ "handler_id": handler }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    server.events(handler, "").await.until("RequestEvent").await;
    answer.run()
}

/// The frames of a run, until it waits or has ended.
async fn frames(client: &Client, run: &str, count: usize) -> Vec<Frame> {
    let mut stream = client.stream(&format!("/api/v1/runs/{run}/events?include_internal=true"), &[]).await;
    let mut frames = Vec::new();
    while frames.len() < count {
        frames.push(stream.next().await.expect("a frame"));
    }
    frames
}

fn count(server: &Server, run: &str) -> usize {
    let found = query(&server.data(), &format!("select max(last) + 1 from stream join run on run.key = stream.run where id = '{run}'"));
    usize::try_from(found[0][0].as_u64().expect("a number")).expect("few")
}

async fn answer(server: &Server, handler: &str) {
    let sent = server.send(handler, "ResponseEvent", r#"{"response":"Ada"}"#).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(server.ended(handler).await.value(), json!({ "output": "Hello, Ada" }));
}

/// Whether the audit log says that something was done with the run `h` and a file.
fn audited(server: &Server, action: &str, file: &Path) -> bool {
    let lines = fs::read_to_string(server.data().join("wf-host.db.audit.log")).expect("a log");
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.any(|line| line["action"] == action && line["handler"] == "h" && line["path"] == text(file))
}

#[tokio::test]
async fn a_moved_waiting_run_goes_on_in_another_folder_and_ends_there() {
    let (here, there) = (Server::start(&["hitl"]).await, Server::start(&["hitl"]).await);
    let body = r#"{"handler_id":"h"}"#;
    let key = [("Idempotency-Key", "once")];
    let run = here.request("POST", "/workflows/hitl/run-nowait", &key, body).await.run();
    here.events("h", "").await.until("RequestEvent").await;
    let many = count(&here, &run);
    let before = frames(&here, &run, many).await;
    // Somebody reads on, and the run has left the memory.
    let mut reader = here.stream(&format!("/api/v1/runs/{run}/events?after_sequence=now"), &[]).await;
    let waits = {
        let client = Client::new(here.url());
        tokio::spawn(async move { client.get("/results/h").await.status })
    };
    until("the run to leave memory", async || {
        let owned = query(&here.data(), "select count(*) from run where owner is not null");
        (owned == json!([[0]])).then_some(())
    })
    .await;
    let (_folder, file) = file();
    let said = export(&here, "h", &file, &["--move"]);
    assert!(said.ends_with("; handler h is here no more)\n"), "{said}");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(within("the stream to end", reader.next()).await, Err(End::Whole), "who reads is told that nothing follows");
    let _ = within("an answer", waits).await.expect("no panic");
    for path in ["/handlers/h".to_owned(), format!("/api/v1/runs/{run}/history")] {
        assert_eq!(here.get(&path).await.status, 404);
    }
    assert_eq!(here.send("h", "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 404);

    assert_eq!(import(&there, &file, &[]), format!("h (run {run} goes on here)\n"));
    assert_eq!(there.request("POST", "/workflows/hitl/run-nowait", &key, body).await.run(), run, "its key went along");
    assert_eq!(frames(&there, &run, many).await, before, "no frame has changed");
    answer(&there, "h").await;
    assert_eq!(here.get("/health").await.status, 200);
    assert!(audited(&here, "move", &file) && audited(&there, "import", &file));
    until("its rows to go", async || (rows(&here.data(), "journal") == 0).then_some(())).await;
    here.check_store();
    there.check_store();
}

/// Nobody serves the workflow there: its components came along.
#[tokio::test]
async fn a_copy_of_a_waiting_run_goes_on_as_another_and_so_does_the_run() {
    let (here, there) = (Server::start(&["waiter"]).await, Server::start(&["greeting"]).await);
    let run = here.post("/workflows/waiter/run-nowait", r#"{"handler_id":"h"}"#).await.run();
    here.events("h", "").await.until("AskEvent").await;
    let (_folder, file) = file();
    let said = export(&here, &run, &file, &[]);
    assert!(said.ends_with(&format!("a copy of run {run}, which goes on)\n")), "{said}");
    let said = import(&there, &file, &["--as", "copied"]);
    assert!(said.starts_with("copied (run ") && said.ends_with(" is a copy that goes on here)\n"), "{said}");
    let copy = there.get("/handlers/copied").await;
    assert_eq!(copy.text("status"), "running");
    assert_ne!(copy.run(), run);
    // The step that waited has begun anew, without a word from outside, and waits again.
    until("it to wait", async || {
        let waits = query(&there.data(), "select waiting from run where handler = 'copied'");
        waits[0][0].as_str().is_some_and(|it| it.contains("AnswerEvent")).then_some(())
    })
    .await;
    let names: Vec<String> = frames(&there, &copy.run(), count(&there, &copy.run())).await.iter().map(Frame::name).collect();
    assert_eq!(names.iter().filter(|it| *it == "AskEvent").count(), 1, "what was asked is not asked again: {names:?}");
    let told = there.get(&format!("/api/v1/runs/{}/history", copy.run())).await;
    assert_eq!(told.status, 200, "{told:?}");
    // As often as one likes, here too.
    let again = import(&here, &file, &[]);
    let again = again.split(' ').next().expect("a handler");
    // As with any fork, both say so.
    let second = here.get(&format!("/handlers/{again}")).await.run();
    assert_eq!(here.get(&format!("/api/v1/runs/{second}")).await.json()["forked_from"], run);
    assert_eq!(here.get(&format!("/api/v1/runs/{run}")).await.json()["forks"], json!([second]));
    assert_eq!(there.get(&format!("/api/v1/runs/{}", copy.run())).await.json()["forked_from"], run);
    for (server, handler) in [(&there, "copied"), (&here, "h"), (&here, again)] {
        let event = format!(r#"{{"user":"laurie","answer":"{handler}"}}"#);
        assert_eq!(server.send(handler, "AnswerEvent", &event).await.status, 200);
        assert_eq!(server.ended(handler).await.result(), json!({ "answer": handler }));
    }
}

#[tokio::test]
async fn a_run_that_has_ended_stands_as_it_was() {
    let (here, there) = (Server::start(&["greeting", "failing"]).await, Server::start(&["hitl"]).await);
    let greeting = here.run("greeting", r#"{"name":"Ada"}"#).await;
    let failing = here.run("failing", r#"{"message":"no luck"}"#).await;
    for ended in [greeting, failing] {
        let (run, handler) = (ended.run(), ended.handler());
        let (_folder, file) = file();
        export(&here, &handler, &file, &[]);
        assert_eq!(import(&there, &file, &[]), format!("{handler} (run {run} has ended)\n"));
        for path in [
            format!("/handlers/{handler}"),
            format!("/api/v1/runs/{run}/history"),
            format!("/api/v1/runs/{run}/state"),
            format!("/api/v1/runs/{run}/logs"),
            format!("/api/v1/runs/{run}/representation"),
        ] {
            let (before, after) = (here.get(&path).await, there.get(&path).await);
            assert_eq!((after.status, &after.body), (before.status, &before.body), "{path}");
        }
        let many = count(&here, &run);
        assert_eq!(frames(&there, &run, many).await, frames(&here, &run, many).await);
        let said = refused(&["import", text(&file), "--data-dir", text(&there.data())]);
        assert!(said.starts_with(&format!("error: run `{run}` is in the store already\n")), "{said}");
    }
    assert_eq!(there.get("/health").await.status, 200);
}

#[tokio::test]
async fn what_sleeps_wakes_where_it_was_moved() {
    let here = Server::start(&["slow"]).await;
    let handler = here.begin("slow", r#"{"seconds":3}"#).await;
    until("it to sleep", async || (query(&here.data(), "select wake_at is not null from run") == json!([[1]])).then_some(())).await;
    let (_folder, file) = file();
    export(&here, &handler, &file, &["--move"]);
    // Where nothing is yet.
    let there = Serve::guests(&["slow"]).start_on(|data| drop(done(&["import", text(&file), "--data-dir", text(data)]))).await;
    assert_eq!(there.ended(&handler).await.result(), json!("slept 3.0"));
}

/// Time-outs count on the clock of a store, and that of another is somewhere else.
#[tokio::test]
async fn what_waits_for_so_long_times_out_where_it_was_moved() {
    let here = Server::start(&["waiter"]).await;
    let there = Server::start(&["greeting"]).await;
    here.post("/workflows/waiter/run-nowait", r#"{"handler_id":"h","start_event":{"wait":4}}"#).await;
    here.events("h", "").await.until("AskEvent").await;
    let (_folder, file) = file();
    export(&here, "h", &file, &["--move"]);
    import(&there, &file, &[]);
    assert_eq!(there.get("/handlers/h").await.status, 202, "it waits on");
    let begun = Instant::now();
    let ended = there.ended("h").await;
    assert!(ended.text("status") == "failed" && begun.elapsed() < Duration::from_secs(60), "{ended:?}");
}

#[tokio::test]
async fn a_handler_moves_with_all_its_runs_and_may_come_back() {
    let (here, there) = (Server::start(&["counter"]).await, Server::start(&["counter"]).await);
    let run = async |server: &Server| {
        let ended = server.post("/workflows/counter/run", r#"{"handler_id":"c","start_event":{}}"#).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        (ended.run(), ended.result())
    };
    let first = run(&here).await.0;
    let second = run(&here).await.0;
    let (_folder, file) = file();
    let said = refused(&["export", &first, "--move", "-o", text(&file), "--data-dir", text(&here.data())]);
    assert!(said.starts_with(&format!("error: run `{first}` is not the newest of its handler `c`\n")), "{said}");
    export(&here, "c", &file, &["--move"]);
    assert_eq!(here.get("/handlers/c").await.status, 404);
    import(&there, &file, &[]);
    for run in [first, second] {
        assert_eq!(there.get(&format!("/api/v1/runs/{run}/history")).await.status, 200);
    }
    assert_eq!(run(&there).await.1, json!({ "count": 3 }), "it goes on with its state");
    let back = file.with_file_name("back.tar");
    export(&there, "c", &back, &["--move"]);
    import(&here, &back, &[]);
    assert_eq!(run(&here).await.1, json!({ "count": 4 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_leaves_the_run_in_one_place() {
    let (here, there) = (Server::start(&["hitl"]).await, Server::start(&["hitl"]).await);
    let mut chance = Chance::from_environment();
    let folder = tempfile::tempdir().expect("a folder");
    let (mut stayed, mut gone) = (0, 0);
    // As long as a whole one takes on this machine.
    let mut whole = Duration::from_millis(120);
    for round in 0..40 {
        let handler = format!("h{round}");
        waiting(&here, &handler).await;
        let file = folder.path().join(format!("{round}.tar"));
        let arguments = ["export", &handler, "--move", "-o", text(&file), "--data-dir", text(&here.data())].map(str::to_owned);
        let mut moving = tokio::process::Command::from(command());
        let mut child = moving.args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let moment = Duration::from_micros(chance.below(u64::try_from(whole.as_micros()).expect("short")));
        // It may have been quicker.
        let _ = tokio::time::timeout(moment, child.wait()).await;
        child.kill().await.expect("a child");
        let partial = folder.path().join(format!("{round}.tar.partial"));
        if partial.exists() {
            let said = refused(&["import", text(&partial), "--data-dir", text(&there.data())]);
            assert!(said.contains("was not finished\nhint: call `wf-host export` once more"), "{said}");
        }
        match here.get(&format!("/handlers/{handler}")).await.status {
            202 => {
                stayed += 1;
                assert!(!file.exists(), "a file has its name once the run is gone");
            }
            404 => gone += 1,
            other => panic!("{other}"),
        }
        // Whoever calls again gets the file, whatever was before.
        let begun = Instant::now();
        done(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        whole = begun.elapsed();
        assert!(file.exists() && !partial.exists());
        assert_eq!(here.get(&format!("/handlers/{handler}")).await.status, 404);
        import(&there, &file, &[]);
        answer(&there, &handler).await;
    }
    assert!(stayed > 0, "{stayed} stayed, {gone} were gone");
}

/// A file that was whole, and had not got its name when its run was gone.
#[tokio::test]
async fn a_move_is_finished_by_calling_it_again() {
    let (here, there) = (Server::start(&["hitl"]).await, Server::start(&["hitl"]).await);
    waiting(&here, "h").await;
    let (folder, file) = file();
    export(&here, "h", &file, &["--move"]);
    let partial = folder.path().join("run.tar.partial");
    fs::rename(&file, &partial).expect("it is there");
    let said = refused(&["export", "h", "--data-dir", text(&here.data())]);
    assert!(said.starts_with(&format!("error: `h` was moved to `{}`, and is here no more\n", file.display())), "{said}");
    // It is all there is of the run.
    waiting(&here, "other").await;
    let said = refused(&["export", "other", "-o", text(&file), "--data-dir", text(&here.data())]);
    assert!(said.contains(", which was moved into it and is nowhere else\nhint: `wf-host export h --move` on the store"), "{said}");
    let again = export(&here, "h", &file, &["--move"]);
    assert!(again.ends_with("; moved before)\n") && file.exists() && !partial.exists(), "{again}");
    assert_eq!(export(&here, "h", &file, &["--move"]), again, "as often as one likes");
    import(&there, &file, &[]);
    answer(&there, "h").await;
}

/// The disk has no room for the file: the run stays, and goes on.
#[tokio::test]
async fn a_move_that_fails_leaves_the_run_where_it_is() {
    let here = Server::start(&["hitl"]).await;
    waiting(&here, "h").await;
    let (folder, file) = file();
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 300; exec "$@""#, "sh"]).arg(artifacts::binary());
    let output = command.args(["export", "h", "--move", "-o", text(&file), "--data-dir", text(&here.data())]).output().expect("it starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success() && said.contains("cannot be written: File too large"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left that could be taken for it");
    answer(&here, "h").await;
}

#[tokio::test]
async fn a_run_that_queues_moves_and_begins_there() {
    let settings = tempfile::tempdir().expect("a folder");
    let config = settings.path().join("wf-host.toml");
    fs::write(&config, "[workflows.hitl]\nruns_max = 1\n").expect("room");
    let here = Serve::guests(&["hitl"]).with(&["--config", text(&config)]).start().await;
    let there = Server::start(&["hitl"]).await;
    let origin = waiting(&here, "zero").await;
    answer(&here, "zero").await;
    waiting(&here, "first").await;
    let queued = here.post("/workflows/hitl/run-nowait", r#"{"handler_id":"second"}"#).await;
    assert_eq!(queued.status, 200, "{queued:?}");
    let forked = here.post(&format!("/api/v1/runs/{origin}/fork"), r#"{"at":0,"handler_id":"forked"}"#).await;
    assert_eq!((forked.status, &forked.json()["queued"]), (200, &json!(true)), "{forked:?}");
    let (_folder, file) = file();
    let said = refused(&["export", "second", "-o", text(&file), "--data-dir", text(&here.data())]);
    assert!(said.contains("has not begun: a copy of it would have nothing to go on with"), "{said}");
    export(&here, "second", &file, &["--move"]);
    import(&there, &file, &[]);
    there.events("second", "").await.until("RequestEvent").await;
    answer(&there, "second").await;
    let file = file.with_file_name("forked.tar");
    export(&here, "forked", &file, &["--move"]);
    import(&there, &file, &[]);
    there.events("forked", "").await.until("RequestEvent").await;
    answer(&there, "forked").await;
    there.check_store();
    answer(&here, "first").await;
}

#[tokio::test]
async fn what_is_redacted_is_not_in_the_file() {
    let (here, there) = (Server::start(&["hitl"]).await, Server::start(&["hitl"]).await);
    let run = waiting(&here, "h").await;
    let (_folder, file) = file();
    let secret = "ada-of-the-secret";
    assert_eq!(here.send("h", "ResponseEvent", &json!({ "response": secret }).to_string()).await.status, 200);
    here.ended("h").await;
    let holds = |file: &Path| fs::read(file).expect("a file").windows(secret.len()).any(|it| it == secret.as_bytes());
    export(&here, "h", &file, &[]);
    assert!(holds(&file));
    let redacted = file.with_file_name("redacted.tar");
    export(&here, "h", &redacted, &["--redact", "response", "--redact", "output"]);
    assert!(!holds(&redacted));
    import(&there, &redacted, &[]);
    let shown = there.get("/handlers/h").await;
    assert_eq!((shown.text("status").as_str(), shown.run()), ("completed", run.clone()));
    assert_eq!(shown.value(), json!({ "output": "[redacted]" }));
    assert_eq!(there.get(&format!("/api/v1/runs/{run}/history")).await.status, 200);
}

/// Wherever a value may lie: the start event, the state, the result, a line's fields, the key that made it.
#[tokio::test]
async fn a_secret_is_nowhere_in_the_file() {
    let (here, there) = (Server::start(&["counter"]).await, Server::start(&["hitl"]).await);
    let secret = "918273645";
    let body = format!(r#"{{"handler_id":"c","start_event":{{"by":{secret}}}}}"#);
    let ended = here.request("POST", "/workflows/counter/run", &[("Idempotency-Key", "once")], &body).await;
    assert_eq!(ended.result(), json!({ "count": 918_273_645 }));
    let run = ended.run();
    let line = format!(r#"[[1,1,"context",0,1,"info","counted","{{\"card\":{{\"by\":{secret}}}}}"]]"#);
    change(&here.data(), &format!("insert into log (run, text) select key, cast('{line}' as blob) from run"));
    let (_folder, file) = file();
    let parts = |file: &Path| {
        let script = "import sys, tarfile; print([it.name for it in tarfile.open(sys.argv[1])], open(sys.argv[1], 'rb').read())";
        let output = Command::new("python3").args(["-c", script, text(file)]).output().expect("python3 is there");
        String::from_utf8(output.stdout).expect("text")
    };
    export(&here, "c", &file, &[]);
    let whole = parts(&file);
    assert!(whole.matches(secret).count() > 4 && whole.contains("0/keys.json") && whole.contains("0/log/"), "{whole}");
    let redacted = file.with_file_name("redacted.tar");
    export(&here, "c", &redacted, &["--redact", "by", "--redact", "count"]);
    let left = parts(&redacted);
    assert!(!left.contains(secret) && !left.contains("keys.json") && left.contains("0/log/"), "{left}");
    import(&there, &redacted, &[]);
    assert_eq!(there.get("/handlers/c").await.result(), json!({ "count": "[redacted]" }));
    assert_eq!(there.get(&format!("/api/v1/runs/{run}/state")).await.status, 200);
    assert!(there.get(&format!("/api/v1/runs/{run}/logs")).await.body.contains("counted"));
}

/// A run that is stuck is shown to others: it goes on here, and stands there.
#[tokio::test]
async fn a_copy_without_some_values_or_that_is_read_only_stands_as_cancelled() {
    let (here, there) = (Server::start(&["inbox"]).await, Server::start(&["hitl"]).await);
    let secret = "ada-of-the-secret";
    let run = here.post("/workflows/inbox/run-nowait", r#"{"handler_id":"h","start_event":{"n":2}}"#).await.run();
    assert_eq!(here.send("h", "AnswerEvent", &json!({ "text": secret }).to_string()).await.status, 200);
    asked(&here, "h", 2).await;
    let (_folder, file) = file();
    export(&here, "h", &file, &["--redact", "text"]);
    let bytes = fs::read(&file).expect("a file");
    assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()));
    assert_eq!(
        import(&there, &file, &[]),
        format!(
            "h (run {run} is a copy to be looked at, cancelled here)
"
        )
    );
    let before = frames(&here, &run, count(&here, &run)).await;
    let check = async |server: &Server| {
        let shown = server.get("/handlers/h").await;
        assert_eq!((shown.text("status").as_str(), shown.run()), ("cancelled", run.clone()));
        for what in ["history", "state", "logs", "representation"] {
            assert_eq!(server.get(&format!("/api/v1/runs/{run}/{what}")).await.status, 200, "{what}");
        }
        let names = |frames: &[Frame]| frames.iter().map(Frame::name).collect::<Vec<_>>();
        let after = frames(server, &run, count(server, &run)).await;
        assert_eq!(names(&after)[..before.len()], names(&before));
        let sent = server.send("h", "AnswerEvent", r#"{"text":"more"}"#).await;
        assert_ne!(sent.status, 200, "it goes on no more: {sent:?}");
    };
    check(&there).await;

    let whole = file.with_file_name("whole.tar");
    export(&here, "h", &whole, &[]);
    let third = Server::start(&["hitl"]).await;
    import(&third, &whole, &["--read-only"]);
    check(&third).await;
    let said = refused(&["import", text(&file), "--as", "other", "--data-dir", text(&third.data())]);
    assert!(said.contains("is no copy that goes on: it keeps its handler `h`"), "{said}");
    assert_eq!(here.send("h", "AnswerEvent", r#"{"text":"last"}"#).await.status, 200);
    assert_eq!(here.ended("h").await.result(), json!([secret, "last"]), "it has gone on");
    // What is nowhere else goes on.
    waiting_of(&here, "moved").await;
    let moved = file.with_file_name("moved.tar");
    export(&here, "moved", &moved, &["--move"]);
    let said = refused(&["import", text(&moved), "--read-only", "--data-dir", text(&third.data())]);
    assert!(said.contains("is nowhere else: cancelled here, it would never go on"), "{said}");
    import(&third, &moved, &[]);
}

/// A run of `inbox` that waits, under this handler.
async fn waiting_of(server: &Server, handler: &str) {
    let body = json!({ "handler_id": handler, "start_event": {} }).to_string();
    assert_eq!(server.post("/workflows/inbox/run-nowait", &body).await.status, 200);
    asked(server, handler, 1).await;
}

/// Waits until a run of `inbox` has asked so many times.
async fn asked(server: &Server, handler: &str, times: u32) {
    let mut events = server.events(handler, "").await;
    for _ in 0..times {
        events.until("AskEvent").await;
    }
}

/// In a file all would be sealed anew, and as good as new.
#[tokio::test]
async fn what_is_damaged_does_not_go_along() {
    let mut server = Server::start(&["inbox", "failing"]).await;
    let body = r#"{"handler_id":"h","start_event":{"n":3}}"#;
    assert_eq!(server.request("POST", "/workflows/inbox/run-nowait", &[("Idempotency-Key", "once")], body).await.status, 200);
    let large = "x".repeat(70_000);
    for text in ["short", &large] {
        assert_eq!(server.send("h", "AnswerEvent", &json!({ "text": text }).to_string()).await.status, 200);
    }
    asked(&server, "h", 3).await;
    let failed = server.run("failing", r#"{"message":"no luck"}"#).await.handler();
    assert!(server.stop().success());
    let refuses = |handler: &str, statement: &str| {
        let copy = copied(&server.data());
        change(copy.path(), statement);
        let file = copy.path().join("run.tar");
        let of = |moves: &[&str]| {
            let said = refused(&[&["export", handler, "-o", text(&file), "--data-dir", text(copy.path())], moves].concat());
            assert!(!file.exists() && !copy.path().join("run.tar.partial").exists());
            said
        };
        let said = of(&["--move"]);
        assert_eq!(query(copy.path(), "select count(*) from run"), json!([[2]]), "the runs are where they were");
        assert_eq!(of(&[]), said);
        let names = query(copy.path(), "select digest from component union all select id from run union all select handler from run");
        let names: Vec<Value> = names.as_array().expect("rows").iter().map(|it| it[0].clone()).collect();
        let names = names.iter().filter_map(Value::as_str).filter(|it| it.len() > 1);
        let shown = names.fold(said, |said, name| said.replace(name, "[NAME]"));
        let error = shown.lines().next().expect("a line");
        let mut parts = error.split(", row ").map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let shown = parts.map(|part| {
            let rest = part.trim_start_matches(|it: char| it.is_ascii_digit());
            format!(", row {}{rest}", if rest.len() < part.len() { "#" } else { "" })
        });
        first + &shown.collect::<String>() + "\n"
    };
    let letter = |table: &str, old: &str, new: &str| {
        format!("update {table} set text = cast(replace(cast(text as text), '{old}', '{new}') as blob)")
    };
    let said = [
        refuses("h", &letter("journal", "short", "shart")),
        refuses("h", &letter("stream", "AskEvent", "AskEvenx")),
        refuses(&failed, &letter("log", "no luck", "no lack")),
        refuses("h", "update blob set bytes = cast(replace(cast(bytes as text), 'xx', 'xy') as blob)"),
        refuses("h", "update idempotency set made_run = 'other'"),
        refuses(&failed, "update ending set outcome = cast('no lack' as blob)"),
        refuses("h", "update component set bytes = x'00'"),
        refuses("h", "update component set manifest = manifest || ' '"),
    ];
    expect![[r#"
        error: the store is damaged: run `[NAME]` of handler `h`, table journal, row #: its bytes are not as they were written
        error: the store is damaged: run `[NAME]` of handler `h`, table stream, row #: its bytes are not as they were written
        error: the store is damaged: run `[NAME]` of handler `[NAME]`, table log, row #: its bytes are not as they were written
        error: the store is damaged: run `[NAME]` of handler `h`, table blob, row #: its bytes are not those of its digest
        error: the store is damaged: run `[NAME]` of handler `h`, table idempotency, row workflow/inbox once: its bytes are not as they were written
        error: the store is damaged: run `[NAME]` of handler `[NAME]`, table ending: its bytes are not as they were written
        error: the store is damaged: table component, row [NAME]: its bytes are not those of its digest
        error: the store is damaged: table component, row [NAME]: its manifest is not as it was written
    "#]].assert_eq(&said.concat());
}

#[tokio::test]
async fn a_file_that_was_cut_or_changed_or_is_newer_is_refused_with_its_name() {
    let here = Server::start(&["hitl"]).await;
    waiting(&here, "h").await;
    let (folder, file) = file();
    export(&here, "h", &file, &[]);
    let whole = fs::read(&file).expect("a file");
    let data = folder.path().join("data");
    let refuses = |bytes: &[u8]| {
        let copied = folder.path().join("copied.tar");
        fs::write(&copied, bytes).expect("room");
        let said = refused(&["import", text(&copied), "--data-dir", text(&data)]);
        assert!(said.contains("copied.tar") && !data.exists(), "{said}");
        said
    };
    for end in [0, 1, 512, whole.len() / 2, whole.len() - 124, whole.len() - 1] {
        assert!(refuses(&whole[..end]).contains("it was cut"), "{end}");
    }
    let mut chance = Chance::from_environment();
    for _ in 0..20 {
        let at = usize::try_from(chance.below(whole.len() as u64 - 124)).expect("small");
        let mut changed = whole.clone();
        changed[at] ^= 1 << chance.below(8);
        assert!(refuses(&changed).contains("is damaged"), "{at}");
    }
    let last = String::from_utf8(whole[whole.len() - 124..].to_vec()).expect("text").replace("form 0001", "form 0002");
    let newer = [&whole[..whole.len() - 124], last.as_bytes()].concat();
    assert!(refuses(&newer).contains("was written by a newer wf-host (form 2 of the export)"));
    import(&here, &file, &["--as", "again"]);
}

/// Whoever makes such a file makes its last line, too.
#[tokio::test]
async fn a_file_that_somebody_else_has_made_is_looked_into() {
    let here = Server::start(&["hitl"]).await;
    let running = waiting(&here, "h").await;
    waiting(&here, "ended").await;
    answer(&here, "ended").await;
    let ended = here.get("/handlers/ended").await.run();
    let folder = tempfile::tempdir().expect("a folder");
    let digest = query(&here.data(), "select digest from component");
    let digest = digest[0][0].as_str().expect("a text");
    let forged = |handler: &str, part: &str, old: &str, new: &str| {
        let file = folder.path().join("forged.tar");
        let _ = fs::remove_file(&file);
        export(&here, handler, &file, &[]);
        forge(&file, "export", part, old, new);
        let said = command_line::outcome(folder.path(), &["import", "forged.tar"]);
        let runs = query(&folder.path().join(".wf-host"), "select (select count(*) from run) + (select count(*) from component)");
        assert_eq!(runs, json!([[0]]), "all or nothing: {part} {old} {new}");
        said.replace(digest, "[DIGEST]")
            .replace(&ended, "[ENDED]")
            .lines()
            .filter_map(|line| line.strip_prefix("error: "))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let said = [
        ("components", "wf:workflow", "wf:workfloo"),
        ("journal", r#""rules":4"#, r#""rules":7"#),
        ("journal", r#""v":1"#, r#""v":9"#),
        ("journal", r#""seq":1"#, r#""seq":5"#),
        ("journal", "StepReturned", "StepReturnex"),
        ("manifest.json", r#""moved": false"#, r#""shaken": false"#),
        ("evil", "", ""),
        ("../evil", "", ""),
        ("9/state.json", "", ""),
        ("0/journal/000000.json", "", ""),
    ];
    let said: String = said.iter().map(|(part, old, new)| forged("h", part, old, new)).collect();
    expect![[r#"
        `forged.tar` cannot be imported: component [DIGEST] is another one
        `forged.tar` cannot be imported: the run follows rules 7, and this build knows rules 1 to 4: it was begun by a newer version
        `forged.tar` cannot be imported: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version
        `forged.tar` cannot be imported: entry 1 of the journal is missing: entry 5 stands there
        `forged.tar` cannot be imported: entry 1 of the journal is unreadable: unknown variant `StepReturnex`, expected one of `Started`, `EventReceived`, `StepProgressed`, `StepReturned`, `StepFailed`, `TimerFired`, `CancelRequested`, `Resumed`, `Forked` at line 1 column 85
        `forged.tar` cannot be imported: unknown field `shaken`, expected one of `wf_host`, `made_at`, `alive`, `moved`, `redacted`, `runs` at line 5 column 10
        `forged.tar` holds what no export does: evil
        `forged.tar` holds what no export does: ../evil
        `forged.tar` holds what no export does: run 9
        `forged.tar` cannot be imported: EOF while parsing a value at line 1 column 0
    "#]].assert_eq(&said);
    // What has ended is only looked at here, and is looked into all the same.
    let said = [
        ("journal", r#""v":1"#, r#""v":9"#),
        ("journal", r#""rules":4"#, r#""rules":7"#),
        ("journal", "StepReturned", "StepReturnex"),
        ("journal", r#""seq":2"#, r#""seq":3"#),
        ("journal", "Started", ""),
        ("stream", "StopEvent", "StopEvenx"),
        ("stream", "[", ""),
        ("outcome", "Ada", "Bob"),
        ("state.json", "{", r#"{"a":1,"#),
        ("state.json", "{", ""),
        ("components", "asm", ""),
        ("components", "wf:workflow", ""),
        ("manifest.json", r#""status": "completed""#, r#""status": "failed""#),
        ("manifest.json", r#""workflow": "hitl""#, r#""workflow": "other""#),
        ("manifest.json", r#""next_seq": "#, r#""next_seq": 1"#),
    ];
    let mut said: String = said.iter().map(|(part, old, new)| forged("ended", part, old, new)).collect();
    said += &forged("h", "manifest.json", r#""status": "running""#, r#""status": "completed""#).replace(&running, "[RUN]");
    expect![[r#"
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: the run follows rules 7, and this build knows rules 1 to 4: it was begun by a newer version
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: entry 1 of the journal is unreadable: unknown variant `StepReturnex`, expected one of `Started`, `EventReceived`, `StepProgressed`, `StepReturned`, `StepFailed`, `TimerFired`, `CancelRequested`, `Resumed`, `Forked` at line 1 column 85
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: entry 3 stands at the place of entry 2
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: it is missing, and so is what the run would begin with
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table ending: its outcome is not that of the journal
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table stream: frame 0 is missing, of which the journal tells
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table ending: its outcome is not that of the journal
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table ending: its state is not that of the journal
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table ending: it is missing: the journal tells that the run has ended
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: component [DIGEST] is not in the store
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table journal: component [DIGEST] is not in the store
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table run: `status` is not as its journal tells
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table run: `workflow` is not as its journal tells
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table run: `next_seq` is not as its journal tells
        `forged.tar` cannot be imported: run `[RUN]` of handler `h`, table run: `status` is not as its journal tells
    "#]].assert_eq(&said);
    export(&here, "h", &folder.path().join("sound.tar"), &[]);
    done(&["import", text(&folder.path().join("sound.tar")), "--data-dir", text(&folder.path().join(".wf-host"))]);
}

/// What such a file says of names, keys and frames is true, or it is refused.
#[tokio::test]
async fn what_a_forged_file_says_beside_its_journals_is_refused() {
    let here = Server::start(&["hitl"]).await;
    let start = async |handler: &str| {
        let body = json!({ "handler_id": handler }).to_string();
        let run = here.request("POST", "/workflows/hitl/run-nowait", &[("Idempotency-Key", handler)], &body).await.run();
        here.events(handler, "").await.until("RequestEvent").await;
        run
    };
    let (running, ended) = (start("h").await, start("ended").await);
    answer(&here, "ended").await;
    let folder = tempfile::tempdir().expect("a folder");
    let forged = |handler: &str, part: &str, old: &str, new: &str| {
        let file = folder.path().join("forged.tar");
        let _ = fs::remove_file(&file);
        export(&here, handler, &file, &[]);
        forge(&file, "export", part, old, new);
        let said = command_line::outcome(folder.path(), &["import", "forged.tar", "--read-only"]);
        let error = said.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_else(|| panic!("{part} {old} {new}: {said}"));
        error.replace(&running, "[RUNNING]").replace(&ended, "[ENDED]") + "\n"
    };
    let id = format!(r#""id": "{running}""#);
    let said = [
        forged("h", "manifest.json", r#""handler": "h""#, r#""handler": """#),
        forged("h", "manifest.json", r#""handler": "h""#, r#""handler": "h\u001b[2J""#),
        forged("h", "manifest.json", r#""workflow": "hitl""#, r#""workflow": "a\nb""#),
        forged("h", "manifest.json", &id, r#""id": "../../x""#),
        forged("ended", "keys.json", "workflow/hitl", "moved"),
        forged("ended", "keys.json", "workflow/hitl", "workflow/other"),
        forged("ended", "keys.json", &ended, &running),
        forged("ended", "0/state.json", "", "{}"),
        forged("ended", "0/stream/000001.json", "", r#"[[0,1,{}]]"#),
        forged("h", "stream", "What is your name?", "What is your password?"),
        forged("h", "stream", "not_running", "running"),
        forged("ended", "stream", "RequestEvent", "ResponseEvent"),
        forged("ended", "stream", r#""qualified_name":"hitl.RequestEvent","type":"RequestEvent""#, r#""type":["RequestEvent"]"#),
    ];
    expect![[r#"
        `forged.tar` cannot be imported: the handler is empty
        `forged.tar` cannot be imported: the handler "h\u001b[2J" has a control character
        `forged.tar` cannot be imported: the workflow "a\nb" has a control character
        `forged.tar` cannot be imported: the id of a run must be 1 to 128 characters of [0-9A-Za-z._:-]
        `forged.tar` holds what no export does: a key of another run
        `forged.tar` holds what no export does: a key of another run
        `forged.tar` holds what no export does: a key of another run
        `forged.tar` cannot be imported: 0/state.json: it is there twice
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table stream: frame 0 does not hold what the journal tells
        `forged.tar` cannot be imported: run `[RUNNING]` of handler `h`, table stream: frame 2 does not hold what the journal tells
        `forged.tar` cannot be imported: run `[RUNNING]` of handler `h`, table stream: frame 1 does not hold what the journal tells
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table stream: frame 1 does not hold what the journal tells
        `forged.tar` cannot be imported: run `[ENDED]` of handler `ended`, table stream: frame 2 does not hold what the journal tells
    "#]]
    .assert_eq(&said.concat());
}

/// Whoever owned it where it comes from says nothing about who owns it here: the next would be one more.
#[tokio::test]
async fn an_owner_before_all_others_keeps_nobody_from_what_is_due() {
    let (here, there) = (Server::start(&["hitl"]).await, Server::start(&["hitl", "slow"]).await);
    waiting(&here, "h").await;
    let (_folder, file) = file();
    export(&here, "h", &file, &["--move"]);
    forge(&file, "export", "manifest.json", r#""generation": "#, r#""generation": 922337203685477580"#);
    import(&there, &file, &[]);
    let slow = there.begin("slow", r#"{"seconds":1.5}"#).await;
    answer(&there, "h").await;
    assert_eq!(there.ended(&slow).await.result(), json!("slept 1.5"));
}

/// Bodies are in the file as base64, headers and addresses as texts: no field of theirs can be named.
#[tokio::test]
async fn what_came_from_the_outside_is_not_in_a_file_without_some_values() {
    let secret = "ada-of-the-secret";
    let origin = Origin::start(move |_, _| vec![reply(200, &[("x-token", secret)], secret)]).await;
    let here = Serve::guests(&["outside"]).with(&["--allow-http", &origin.url("")]).start().await;
    let tasks = json!({ "tasks": [{ "url": origin.url(&format!("/a?key={secret}")) }] }).to_string();
    let ended = here.run("outside", &tasks).await;
    assert_eq!(ended.result()["told"][0]["body"], secret, "{ended:?}");
    let (_folder, file) = file();
    let holds = |file: &Path| {
        let script = "import base64, sys
whole, secret = open(sys.argv[1], 'rb').read(), sys.argv[2].encode()
print(whole.count(secret), whole.count(base64.b64encode(secret)))";
        let output = Command::new("python3").args(["-c", script, text(file), secret]).output().expect("python3 is there");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    export(&here, &ended.handler(), &file, &[]);
    let whole = holds(&file);
    assert!(whole.ends_with(" 1") && !whole.starts_with("0 "), "{whole}");
    let redacted = file.with_file_name("redacted.tar");
    export(&here, &ended.handler(), &redacted, &["--redact", "tasks", "--redact", "told"]);
    assert_eq!(holds(&redacted), "0 0");
    let there = Server::start(&["greeting"]).await;
    import(&there, &redacted, &[]);
    assert_eq!(there.get(&format!("/api/v1/runs/{}/history", ended.run())).await.status, 200);
}

/// A step has waited for Laurie's answer, and not for the first one: without the names it would have been that.
#[tokio::test]
async fn what_would_tell_another_story_without_some_values_is_not_written() {
    let here = Server::start(&["waiter"]).await;
    here.post("/workflows/waiter/run-nowait", r#"{"handler_id":"h"}"#).await;
    here.events("h", "").await.until("AskEvent").await;
    for user in ["bob", "laurie"] {
        let event = json!({ "user": user, "answer": user }).to_string();
        assert_eq!(here.send("h", "AnswerEvent", &event).await.status, 200);
    }
    assert_eq!(here.ended("h").await.result(), json!({ "answer": "laurie" }));
    let (folder, file) = file();
    let said = refused(&["export", "h", "-o", text(&file), "--redact", "user", "--data-dir", text(&here.data())]);
    assert!(said.starts_with("error: without these values run `") && said.contains("hint: leave one of the fields in"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left of it");
    export(&here, "h", &file, &["--redact", "answer"]);
    // A name that no event has is said, for a value may be left by that.
    let other = file.with_file_name("other.tar");
    let output = wf_host(&["export", "h", "-o", text(&other), "--redact", "anwser", "--data-dir", text(&here.data())]);
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success() && said.starts_with("warning: there is no value of `anwser` in the run\nhint: "), "{said}");
}

/// The time of a run counts on the clock of a store, and that of another is somewhere else.
#[tokio::test]
async fn what_may_take_so_long_times_out_where_it_was_moved() {
    let (here, there) = (Server::start(&["timeout"]).await, Server::start(&["greeting"]).await);
    // A server that stands still has no time: whatever was begun is there to be moved. It may have ended before.
    let handler = until("one that is moved before its time is over", async || {
        let handler = here.begin("timeout", r#"{"seconds":100}"#).await;
        here.pause();
        let (_folder, file) = file();
        let moved = wf_host(&["export", &handler, "--move", "-o", text(&file), "--data-dir", text(&here.data())]);
        here.resume();
        let said = if moved.status.success() { import(&there, &file, &[]) } else { String::new() };
        said.ends_with(" goes on here)\n").then_some(handler)
    })
    .await;
    let ended = there.ended(&handler).await;
    assert_eq!((ended.text("status").as_str(), ended.text("error").contains("timed out after 0.3")), ("failed", true), "{ended:?}");
    there.check_store();
}

fn check(folder: &Path, arguments: &[&str], expect: &Expect) {
    expect.assert_eq(&command_line::outcome(folder, arguments));
}

#[tokio::test]
async fn what_cannot_be_exported_or_imported_says_why() {
    let here = Server::start(&["greeting", "hitl"]).await;
    here.post("/workflows/greeting/run", r#"{"handler_id":"ended","start_event":{"name":"Ada"}}"#).await;
    waiting(&here, "h").await;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let data = here.data();
    let in_data = |arguments: &[&str]| done(&[arguments, &["--data-dir", text(&data)]].concat());
    check(
        folder,
        &["export", "h"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: there is no store in `.wf-host/wf-host.db`
            hint: name the one that the server has, with `--data-dir` or `--store`
        "#]],
    );
    fs::create_dir(folder.join("old")).expect("a folder");
    fs::copy(artifacts::root().join("host/tests/store/golden/2.db"), folder.join("old/wf-host.db")).expect("it is kept");
    check(
        folder,
        &["export", "h", "--data-dir", "old"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `old/wf-host.db` was written by an older wf-host
            hint: `wf-host serve` brings it up to date
        "#]],
    );
    in_data(&["backup", text(&folder.join("it.backup"))]);
    done(&["restore", text(&folder.join("it.backup")), "--data-dir", text(&folder.join(".wf-host"))]);
    check(
        folder,
        &["export", "nobody"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no run and no handler `nobody` in the store
        hint: `wf-host runs ls` shows those of a server; `--data-dir` or `--store` name another store
    "#]],
    );
    check(
        folder,
        &["export", "h", "--move", "--redact", "x"],
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the argument '--move' cannot be used with '--redact <FIELD>'

        Usage: wf-host export --move <NAME>

        For more information, try '--help'.
    "#]],
    );
    done(&["export", "ended", "-o", text(&folder.join("ended.tar")), "--data-dir", text(&folder.join(".wf-host"))]);
    check(
        folder,
        &["export", "ended", "-o", "ended.tar"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `ended.tar` is there already
        hint: choose another name, or remove it first
    "#]],
    );
    let run = here.get("/handlers/ended").await.run();
    let check = |folder: &Path, arguments: &[&str], expect: &Expect| {
        expect.assert_eq(&command_line::outcome(folder, arguments).replace(&run, "[RUN]"));
    };
    check(
        folder,
        &["import", "ended.tar", "--data-dir", "new", "--as", "x"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: run `[RUN]` is no copy that goes on: it keeps its handler `ended`
            hint: leave `--as` away
        "#]],
    );
    check(
        folder,
        &["import", "ended.tar", "--data-dir", "new", "--as", "a b"],
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'a b' for '--as <HANDLER>': it must be 1 to 128 characters of [0-9A-Za-z._:-]

        For more information, try '--help'.
    "#]],
    );
    check(
        folder,
        &["export", "ended", "--redact", ""],
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value '' for '--redact <FIELD>': a name is empty

        For more information, try '--help'.
    "#]],
    );
    // What is called so nobody would take in.
    check(
        folder,
        &["export", "ended", "-o", "more.partial"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `more.partial` is the name of a file that is not finished
        hint: choose one without `.partial`
    "#]],
    );
    check(
        folder,
        &["import", "it.backup", "--data-dir", "new"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `it.backup` is no whole export of wf-host: it was cut, or is another kind of file
        hint: copy it again from where it was made
    "#]],
    );
    done(&["export", "h", "-o", text(&folder.join("h.tar")), "--data-dir", text(&folder.join(".wf-host"))]);
    check(
        folder,
        &["import", "h.tar", "--as", "h"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: handler `h` is in the store already
            hint: nothing was imported: purge that one first, or give a copy that goes on another handler with `--as`
        "#]],
    );
}

/// A run that executes: what its host does of it from there on, is not stored.
#[tokio::test]
async fn a_run_that_is_under_way_moves() {
    let (here, there) = (Server::start(&["greeting"]).await, Server::start(&["greeting"]).await);
    let handler = here.begin("greeting", r#"{"name":"Ada","delay":2}"#).await;
    let run = here.get(&format!("/handlers/{handler}")).await.run();
    let mut reader = here.events(&handler, "").await;
    reader.until("StreamEvent").await;
    let seen = frames(&here, &run, count(&here, &run)).await;
    let (_folder, file) = file();
    export(&here, &handler, &file, &["--move"]);
    let end = loop {
        if let Err(end) = within("the stream to end", reader.next()).await {
            break end;
        }
    };
    assert_eq!(end, End::Whole);
    assert_eq!(here.get(&format!("/handlers/{handler}")).await.status, 404);
    import(&there, &file, &[]);
    assert_eq!(there.ended(&handler).await.result(), json!("Hello, Ada!"));
    let all = frames(&there, &run, count(&there, &run)).await;
    assert_eq!(all[..seen.len()], seen, "no frame has changed");
    let greeted = all.iter().filter(|frame| frame.name() == "StreamEvent").count();
    assert_eq!(greeted, 3, "nothing is said twice");
    until("the worker to go", async || (query(&here.data(), "select count(*) from run") == json!([[0]])).then_some(())).await;
    assert!(!here.log().contains("ERROR"), "{}", here.log());
}

/// Each time that it was read it has changed: in the end it has to wait.
#[tokio::test]
async fn a_run_that_never_rests_moves() {
    let (here, there) = (Server::start(&["torrent"]).await, Server::start(&["greeting"]).await);
    // On a busy machine it may have ended before it could be moved.
    let (handler, run, seen) = until("one that is moved before its end", async || {
        let handler = here.begin("torrent", r#"{"events":5000,"bytes":10000}"#).await;
        let run = here.get(&format!("/handlers/{handler}")).await.run();
        let seen = frames(&here, &run, 100).await;
        let (_folder, file) = file();
        export(&here, &handler, &file, &["--move"]);
        let said = import(&there, &file, &[]);
        (said == format!("{handler} (run {run} goes on here)\n")).then_some((handler, run, seen))
    })
    .await;
    assert_eq!(there.ended(&handler).await.result(), json!(5_000));
    let all = frames(&there, &run, count(&there, &run)).await;
    assert_eq!(all[..seen.len()], seen, "no frame has changed");
    let published: Vec<_> = all.iter().filter(|it| it.name() == "DropEvent").map(|it| it.json()["value"]["sequence"].clone()).collect();
    assert_eq!(published, (0..5_000).map(|it| json!(it)).collect::<Vec<_>>(), "each once, in order");
}

/// The most memory that a command has had, in MiB.
fn memory(arguments: &[&str]) -> u64 {
    let script = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)";
    let output = Command::new("python3").args(["-c", script]).arg(artifacts::binary()).args(arguments).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

#[tokio::test]
async fn a_large_component_takes_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    // A section that nobody reads.
    let mut component = fs::read(artifacts::guest("hitl")).expect("a component");
    let section = [&[4][..], b"none", &vec![7; 60 << 20]].concat();
    component.push(0);
    let mut size = section.len();
    while size >= 128 {
        component.push(u8::try_from(size & 127).expect("seven bits") | 128);
        size >>= 7;
    }
    component.push(u8::try_from(size).expect("seven bits"));
    component.extend(section);
    let path = folder.path().join("hitl.wasm");
    fs::write(&path, component).expect("room");
    let here = Serve { paths: vec![text(&path).to_owned()], ..Serve::default() }.start().await;
    waiting(&here, "h").await;
    let there = Server::start(&["greeting"]).await;
    let usual = memory(&["keys", "ls", "--data-dir", text(&here.data())]);
    let file = folder.path().join("run.tar");
    let export = memory(&["export", "h", "--move", "-o", text(&file), "--data-dir", text(&here.data())]);
    let import = memory(&["import", text(&file), "--data-dir", text(&there.data())]);
    assert!(fs::metadata(&file).expect("a file").len() > 60 << 20);
    // SQLite holds a value twice that it makes room for, but no more of it.
    assert!(export < usual + 30 && import < usual + 30 + 2 * 60, "{usual} MiB, then {export} and {import} MiB");
    answer(&there, "h").await;
}

//! Journals that do not fit: each is an error with its reason, for that run alone.

use expect_test::{Expect, expect};
use wf_tests::database::{change_journals, query, rows};
use wf_tests::{Server, until};

async fn check(from: &str, to: &str, expected: Expect) {
    let mut server = Server::start(&["hitl"]).await;
    for handler in ["broken", "sound"] {
        let answer = server.post("/workflows/hitl/run-nowait", &format!(r#"{{"handler_id":"{handler}"}}"#)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        server.events(handler, "").await.until("RequestEvent").await;
    }
    server.kill();
    change_journals(&server.data(), "broken", from, to);
    server.restart().await;
    let refused = server.send("broken", "ResponseEvent", r#"{"response":"Ada"}"#).await;
    let run = server.get("/handlers/broken").await.run();
    // The column depends on how many digits the entry's time has.
    let (text, column) = refused.body.rsplit_once(" at line 1 column ").unwrap_or((&refused.body, ""));
    let end = column.trim_start_matches(|digit: char| digit.is_ascii_digit());
    expected.assert_eq(&format!("{} {text}{end}\n", refused.status).replace(&run, "$run"));
    let again = server.send("broken", "ResponseEvent", r#"{"response":"Ada"}"#).await;
    assert_eq!((again.status, &again.body), (refused.status, &refused.body), "it is told the same again");
    let told = server.get(&format!("/api/v1/runs/{run}/history")).await;
    assert_eq!(
        (told.status, told.body.replace(&run, "$run")),
        (refused.status, refused.body.replace(&run, "$run")),
        "the page is told the same"
    );
    assert_eq!(server.send("sound", "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(server.ended("sound").await.value(), serde_json::json!({ "output": "Hello, Ada" }), "the others go on");
    assert_eq!(server.get("/health").await.status, 200);
    server.stop();
    let said = |log: &str| log.lines().filter(|line| line.contains("ERROR") && line.contains(&run)).count();
    until("the log", async || (said(&server.log()) > 0).then_some(())).await;
    assert_eq!(said(&server.log()), 1, "it is said once, however often it is asked for: {}", server.log());
}

#[tokio::test]
async fn a_newer_form() {
    check(r#""v":1"#, r#""v":9"#, expect![[r#"
        500 {"detail":"Run '$run' cannot be read: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version"}
    "#]]).await;
}

#[tokio::test]
async fn newer_rules() {
    check(r#""rules":4"#, r#""rules":7"#, expect![[r#"
        500 {"detail":"Run '$run' cannot be read: the run follows rules 7, and this build knows rules 1 to 4: it was begun by a newer version"}
    "#]]).await;
}

#[tokio::test]
async fn an_entry_that_is_missing() {
    check(
        r#""seq":1"#,
        r#""seq":5"#,
        expect![[r#"
        500 {"detail":"Run '$run' cannot be read: entry 1 of the journal is missing: entry 5 stands there"}
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_input() {
    check("StepReturned", "StepReturnex", expect![[r#"
        500 {"detail":"Run '$run' cannot be read: entry 1 of the journal is unreadable: unknown variant `StepReturnex`, expected one of `Started`, `EventReceived`, `StepProgressed`, `StepReturned`, `StepFailed`, `TimerFired`, `CancelRequested`, `Resumed`, `Forked`"}
    "#]]).await;
}

#[tokio::test]
async fn a_run_that_is_soon_over_is_one_write_and_one_that_lasts_is_stored_while_it_lasts() {
    let server = Server::start(&["greeting"]).await;
    // On a busy machine one or another is not over within the five milliseconds that its creation waits.
    let run = until("a run that is soon over", async || {
        let run = server.run("greeting", "{}").await.run();
        let kept = format!("select count(*), max(last) from journal where run = (select key from run where id = '{run}')");
        (query(&server.data(), &kept) == serde_json::json!([[1, 4]])).then_some(run)
    });
    let run = run.await;
    let kept = format!("select status, owner, next_seq from run where id = '{run}'");
    assert_eq!(query(&server.data(), &kept), serde_json::json!([["completed", null, 5]]));
    let told = server.get(&format!("/api/v1/runs/{run}/events?sse=false&include_internal=false")).await.body;
    assert_eq!(told.lines().count(), 4, "all its frames: {told}");
    let before = rows(&server.data(), "run");
    let lasting = server.run("greeting", r#"{"delay":0.3}"#);
    let seen = until("the run while it lasts", async || {
        let stored = query(&server.data(), "select status from run order by key desc limit 1");
        (rows(&server.data(), "run") > before).then_some(stored)
    });
    let (ended, seen) = tokio::join!(lasting, seen);
    assert_eq!(seen, serde_json::json!([["running"]]), "its client waits, and has been told nothing");
    assert_eq!(ended.text("status"), "completed");
}

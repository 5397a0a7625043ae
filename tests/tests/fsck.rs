//! `wf-host fsck`: whatever is not as it was written is found and named, and nothing else is.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use serde_json::json;
use tempfile::TempDir;
use wf_tests::chance::Chance;
use wf_tests::command_line::outcome;
use wf_tests::database::{change, content, copied, query};
use wf_tests::{Serve, Server, artifacts, until};

/// A server of `inbox` and `failing` that has runs of every kind, keys, and an audit log.
async fn everything() -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("wf-host.toml");
    std::fs::write(&config, "[workflows.inbox]\nruns_max = 4\n").expect("written");
    let server = Serve::guests(&["inbox", "failing"]).with(&["--config", &config.display().to_string()]).start().await;
    let large = "x".repeat(70_000);
    let start = async |handler: &str, event: serde_json::Value| {
        let body = json!({ "handler_id": handler, "start_event": event }).to_string();
        let path = if handler == "failed" { "/workflows/failing/run-nowait" } else { "/workflows/inbox/run-nowait" };
        let answer = server.request("POST", path, &[("idempotency-key", handler)], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    start("failed", json!({})).await;
    for handler in ["done", "large"] {
        start(handler, json!({ "n": 2 })).await;
        let text = if handler == "large" { &large } else { "short" };
        assert_eq!(server.send(handler, "AnswerEvent", &json!({ "text": text }).to_string()).await.status, 200);
    }
    assert_eq!(server.send("done", "AnswerEvent", r#"{"text":"last"}"#).await.status, 200);
    server.ended("done").await;
    server.ended("failed").await;
    start("cancelled", json!({})).await;
    assert_eq!(server.post("/handlers/cancelled/cancel", "").await.status, 200);
    start("waiting", json!({})).await;
    start("sleeping", json!({ "delay": 100_000 })).await;
    start("more", json!({})).await;
    start("queued", json!({ "n": 1 })).await;
    until("a snapshot", async || (!query(&server.data(), "select key from snapshot").as_array().expect("rows").is_empty()).then_some(()))
        .await;
    until("all that waits", async || {
        let waiting = query(&server.data(), "select count(*) from run where waiting is not null");
        (waiting == json!([[3]])).then_some(())
    })
    .await;
    server.lock("ada", &[]).await;
    until("the audit log", async || server.data().join("wf-host.db.audit.log").exists().then_some(())).await;
    (server, folder)
}

/// The same, as a stop leaves it.
async fn stopped() -> (Server, TempDir) {
    let (mut server, folder) = everything().await;
    assert!(server.stop().success());
    (server, folder)
}

/// What it says, without what differs from run to run.
fn said(data: &Path, arguments: &[&str]) -> String {
    let text = outcome(data, &[&["fsck", "--data-dir", "."], arguments].concat());
    let mut shown = String::new();
    for (place, part) in text.split('`').enumerate() {
        let is_name = place % 2 == 1 && part.len() == 10 && part.chars().all(|it| it.is_ascii_alphanumeric());
        shown += if place > 0 { "`" } else { "" };
        shown += if is_name { "$run" } else { part };
    }
    // The digests of components are those of what was built here.
    let words = shown.split_inclusive(' ').map(|word| {
        let is_digest = |text: &str| text.len() == 64 && text.chars().all(|it| it.is_ascii_hexdigit());
        let text = word.trim_end_matches([' ', ':']);
        if is_digest(text) { format!("$digest{}", &word[64..]) } else { word.to_owned() }
    });
    // A column depends on how many digits the times of entries have, the key of a row and the place of a frame on who wrote first.
    let shown: String = words.collect();
    [" column ", ", row ", ", table stream, row #: frame "].into_iter().fold(shown, |shown, before| {
        let mut parts = shown.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let rest = part.trim_start_matches(|it: char| it.is_ascii_digit());
            text + before + if rest.len() < part.len() { "#" } else { "" } + rest
        })
    })
}

fn sound(runs: u32) -> String {
    format!("exit code 0\n--- stdout\n{runs} runs checked: all is sound\n--- stderr\n")
}

fn check(data: &Path, statements: &str, expected: &Expect) -> TempDir {
    let copy = copied(data);
    change(copy.path(), statements);
    expected.assert_eq(&said(copy.path(), &[]));
    copy
}

#[tokio::test]
async fn a_store_is_sound_while_it_is_served_and_after_a_kill_and_a_stop() {
    let (mut server, _folder) = everything().await;
    assert_eq!(said(&server.data(), &[]), sound(8));
    server.kill();
    let copy = copied(&server.data());
    assert_eq!(said(&server.data(), &[]), sound(8));
    assert_eq!(said(copy.path(), &[]), sound(8));
    server.restart().await;
    assert!(server.stop().success());
    let before = files(&server.data());
    assert_eq!(said(&server.data(), &[]), sound(8));
    let after = files(&server.data());
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "nothing is made beside it");
    let changed = after.iter().zip(&before).filter(|(after, before)| after != before).map(|(after, _)| after.0.clone());
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

fn files(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    // What SQLite shares between those who have the file open is no data.
    let is_data = |path: &PathBuf| !path.to_string_lossy().ends_with("-shm");
    let files = std::fs::read_dir(data).expect("a folder").flatten().map(|it| it.path()).filter(is_data);
    let mut files: Vec<(PathBuf, Vec<u8>)> = files.map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect();
    files.sort();
    files
}

#[tokio::test]
async fn each_kind_of_damage_has_its_line() {
    let (server, _folder) = stopped().await;
    let data = server.data();
    let of = |handler: &str| format!("(select key from run where handler = '{handler}')");
    let journal = "update journal set text = cast(replace(cast(text as text), 'short', 'shart') as blob)";
    check(
        &data,
        journal,
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `done`, table journal, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `done`, table journal, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `done`, table stream, row #: frame # does not hold what the journal tells; bring the store back from a backup, or purge the run's handler
            8 runs checked: 3 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        &format!("delete from journal where run = {} and last = 1", of("waiting")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `waiting`, table stream: the journal does not tell of frame 1; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `waiting`, table run, row #: `updated_at`, `next_seq`, `waiting` is not as its journal tells; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `waiting`, table run, row #: nobody owns it and it is never due, but it has to go on; stop the server, and check again with `--repair`
            8 runs checked: 3 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        &format!("delete from stream where run = {0} and last = (select max(last) from stream where run = {0})", of("failed")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `failed`, table stream: frame 1 is missing, of which the journal tells; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        &format!("update stream set last = last + 1 where run = {}", of("failed")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `failed`, table stream, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `failed`, table stream, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
            8 runs checked: 2 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        &format!("update ending set state = cast('{{\"a\":1}}' as blob), seal = -1 where run = {}", of("done")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `done`, table ending: its state is not that of the journal; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    // Rows without a checksum, as an earlier version has written them: what their journals tell finds it.
    let unsealed = |table: &str, old: &str, new: &str, of: &str| {
        format!("update {table} set text = cast(replace(cast(text as text), '{old}', '{new}') as blob), seal = -1 where run = {of}")
    };
    check(
        &data,
        &unsealed("stream", "[0,", "[7,", &of("failed")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `failed`, table stream, row #: it ends with frame 7, and says that it ends with frame 0; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `failed`, table stream: frame 7 stands at the place of frame 0, of which the journal tells; bring the store back from a backup, or purge the run's handler
            8 runs checked: 2 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        &unsealed("stream", "not_running", "running", &of("waiting")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `waiting`, table stream, row #: frame # does not hold what the journal tells; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &unsealed("stream", r#""number":0"#, r#""number":7"#, &of("waiting")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `waiting`, table stream, row #: frame # does not hold what the journal tells; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("update stream set last = last + 1, seal = -1 where run = {}", of("failed")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `failed`, table stream, row #: it ends with frame 0, and says that it ends with frame 1; bring the store back from a backup, or purge the run's handler
        run `$run` of handler `failed`, table stream, row #: it ends with frame 2, and says that it ends with frame 3; bring the store back from a backup, or purge the run's handler
        8 runs checked: 2 findings
        --- stderr
    "#]],
    );
    check(
        &data,
        &unsealed("journal", "boom", "bang", &of("failed")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `failed`, table stream, row #: frame # does not hold what the journal tells; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `failed`, table ending: its outcome is not that of the journal; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `failed`, table run, row #: `result_preview` is not as its journal tells; stop the server, and check again with `--repair`
            8 runs checked: 3 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        &unsealed("journal", r#""v":1"#, r#""v":9"#, &of("failed")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `failed`, table journal, row #: entry 0 of the journal has form 9, and this build knows form 1: it was written by another version; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &unsealed("journal", r#""seq":1"#, r#""seq":5"#, &of("failed")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `failed`, table journal, row #: entry 5 stands at the place of entry 1; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &unsealed("journal", r#""rules":4"#, r#""rules":7"#, &of("failed")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `failed`, table journal, row #: the run follows rules 7, and this build knows rules 1 to 4: it was begun by a newer version; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("update ending set outcome = cast('other' as blob), seal = -1 where run = {}", of("failed")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `failed`, table ending: its outcome is not that of the journal; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("insert into ending (run, state) values ({}, cast('{{}}' as blob))", of("waiting")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `waiting`, table ending: the journal does not tell that the run has ended; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("update run set wake_at = 5 where key = {}", of("done")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `done`, table run, row #: it has ended, and is to go on all the same; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        "update run set wake_at = wake_at + 1, owner = 1 where handler = 'sleeping'; insert or ignore into host (key, lease_until) values (1, 0)",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `sleeping`, table run, row #: it is due at another time than its journal tells; stop the server, and check again with `--repair`
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        &format!("insert into command (run, command, seal) values ({}, cast('x' as blob), 5)", of("waiting")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `waiting`, table command, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("insert into deleted (run) values ({})", of("waiting")),
        &expect![[r#"
        exit code 1
        --- stdout
        table deleted, row #: the run is there, and its rows are about to be deleted; bring the store back from a backup
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        "insert into idempotency (scope, key, body, run, seal) values ('moved', 'gone', x'00', 0, 5)",
        &expect![[r#"
        exit code 1
        --- stdout
        table idempotency, row moved gone: its bytes are not as they were written; bring the store back from a backup
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("delete from ending where run = {}", of("cancelled")),
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `cancelled`, table ending: it is missing: the journal tells that the run has ended; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        "update log set text = cast(replace(cast(text as text), 'a', 'b') as blob)",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `failed`, table log, row #: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "update idempotency set made_run = 'other' where key = 'done'",
        &expect![[r#"
        exit code 1
        --- stdout
        run `$run` of handler `done`, table idempotency, row workflow/inbox done: its bytes are not as they were written; bring the store back from a backup, or purge the run's handler
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
    check(
        &data,
        &format!("delete from queued where run = {}", of("queued")),
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `queued`, table journal: it is missing, and so is what the run would begin with; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "delete from run where handler = 'done'",
        &expect![[r#"
        exit code 1
        --- stdout
        table journal, row of run 2: its run is not there; stop the server, and check again with `--repair`
        table stream, row of run 2: its run is not there; stop the server, and check again with `--repair`
        table ending, row of run 2: its run is not there; stop the server, and check again with `--repair`
        table idempotency, row of run 2: its run is not there; stop the server, and check again with `--repair`
        7 runs checked: 4 findings
        --- stderr
    "#]],
    );
    check(
        &data,
        "delete from blob",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `large`, table journal, row #: it cannot be read: a row cannot be read: value 1 is missing; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `large`, table snapshot, row #: it cannot be read: a row cannot be read: value 1 is missing; stop the server, and check again with `--repair`
            8 runs checked: 2 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        "update blob set bytes = x'00'",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `large`, table journal, row #: it cannot be read: a row cannot be read: expected value at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `large`, table snapshot, row #: it cannot be read: a row cannot be read: expected value at line 1 column #; stop the server, and check again with `--repair`
            table blob, row #: its bytes are not those of its digest; bring the store back from a backup
            8 runs checked: 3 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        "update component set bytes = x'00'",
        &expect![[r#"
        exit code 1
        --- stdout
        table component, row $digest: its bytes are not those of its digest; serve the same file again, or bring the store back from a backup
        table component, row $digest: its bytes are not those of its digest; serve the same file again, or bring the store back from a backup
        8 runs checked: 2 findings
        --- stderr
    "#]],
    );
    check(
        &data,
        "update component set manifest = '{}'",
        &expect![[r#"
            exit code 1
            --- stdout
            table component, row $digest: its manifest is not as it was written; serve the same file again, or bring the store back from a backup
            table component, row $digest: its manifest is not as it was written; serve the same file again, or bring the store back from a backup
            run `$run` of handler `failed`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `done`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `large`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `cancelled`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `waiting`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `sleeping`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `more`, table journal, row #: the manifest of component $digest cannot be read: missing field `name` at line 1 column #; bring the store back from a backup, or purge the run's handler
            8 runs checked: 9 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        "delete from component",
        &expect![[r#"
            exit code 1
            --- stdout
            table component, row $digest: it is missing, and runs are pinned to it; serve the same file again, or bring the store back from a backup
            table component, row $digest: it is missing, and runs are pinned to it; serve the same file again, or bring the store back from a backup
            run `$run` of handler `failed`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `done`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `large`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `cancelled`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `waiting`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `sleeping`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            run `$run` of handler `more`, table journal, row #: component $digest is not in the store; bring the store back from a backup, or purge the run's handler
            8 runs checked: 9 findings
            --- stderr
        "#]],
    );
    check(
        &data,
        "update run set handler = 'another' where handler = 'done'",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `another`, table run, row #: `handler` is not as its journal tells; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "update run set newest = 0 where handler = 'done'",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `done`, table run, row #: 0 runs of its handler are the newest; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "update run set owner = 99 where handler = 'waiting'",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `waiting`, table run, row #: its owner is a host that is not known; stop the server, and check again with `--repair`
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "update run set next_seq = 99 where handler = 'done'",
        &expect![[r#"
            exit code 1
            --- stdout
            run `$run` of handler `done`, table run, row #: `next_seq` is not as its journal tells; bring the store back from a backup, or purge the run's handler
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "pragma user_version = 3",
        &expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: `./wf-host.db` says that it has version 3 of the database, and has the tables of another
        hint: its header is damaged: bring the store back from a backup
    "#]],
    );
    check(
        &data,
        "drop index run_due_at",
        &expect![[r#"
            exit code 1
            --- stdout
            ./wf-host.db: `run_due_at` of `sqlite_schema` is not as version 5 has it; bring the store back from a backup
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    // What others keep in the file is theirs.
    check(
        &data,
        "create table other (it text); create index other_it on other (it); analyze",
        &expect![[r#"
        exit code 0
        --- stdout
        8 runs checked: all is sound
        --- stderr
    "#]],
    );
    check(
        &data,
        "create trigger other after insert on run begin delete from host; end",
        &expect![[r#"
            exit code 1
            --- stdout
            ./wf-host.db: `other` of `sqlite_schema` is not as version 5 has it; bring the store back from a backup
            8 runs checked: 1 finding
            --- stderr
        "#]],
    );
    check(
        &data,
        "update sqlite_sequence set seq = 1",
        &expect![[r#"
        exit code 1
        --- stdout
        table sqlite_sequence, row run: its counter is not that of the keys that were given; bring the store back from a backup
        8 runs checked: 1 finding
        --- stderr
    "#]],
    );
}

#[tokio::test]
async fn what_loses_nothing_is_put_right() {
    let (server, _folder) = stopped().await;
    let data = server.data();
    let check = |statements: &str, expected: Expect| {
        let copy = copied(&data);
        change(copy.path(), statements);
        let before = query(copy.path(), "select hex(text) from journal order by key");
        let found = said(copy.path(), &[]);
        assert!(found.starts_with("exit code 1\n"), "{found}");
        expected.assert_eq(&said(copy.path(), &["--repair"]));
        assert_eq!(said(copy.path(), &[]), sound(8));
        assert_eq!(query(copy.path(), "select hex(text) from journal order by key"), before, "no journal is touched");
    };
    check(
        "update snapshot set text = cast(replace(cast(text as text), '1', '2') as blob)",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `large`, table snapshot, row #: its bytes are not as they were written; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "update snapshot set seq = 900",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `large`, table snapshot, row #: its bytes are not as they were written; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "insert into blob (digest, bytes) values (x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'')",
        expect![[r#"
            exit code 0
            --- stdout
            table blob, row #: no run needs it; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "delete from blob_use",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `large`, table blob_use: it does not name the values that the run's rows need; put right
            table blob, row #: no run needs it; put right
            8 runs checked: 2 findings, 2 of them put right
            --- stderr
        "#]],
    );
    check(
        "insert or ignore into blob_use (run, blob) select key, 1 from run",
        expect![[r#"
        exit code 0
        --- stdout
        run `$run` of handler `failed`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `done`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `cancelled`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `waiting`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `sleeping`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `more`, table blob_use: it does not name the values that the run's rows need; put right
        run `$run` of handler `queued`, table blob_use: it does not name the values that the run's rows need; put right
        8 runs checked: 7 findings, 7 of them put right
        --- stderr
    "#]],
    );
    check(
        "insert into journal (run, last, text) values (1000, 0, x'5b5d')",
        expect![[r#"
        exit code 0
        --- stdout
        table journal, row of run 1000: its run is not there; put right
        8 runs checked: 1 finding, 1 of them put right
        --- stderr
    "#]],
    );
    check(
        "update part set digest = 'x'",
        expect![[r#"
        exit code 0
        --- stdout
        table part: it names other components than the definitions have; put right
        8 runs checked: 1 finding, 1 of them put right
        --- stderr
    "#]],
    );
    check(
        "update run set status = 'failed', preview = 'x', updated_at = 1, started_at = 1, waiting = 'X', next_seq = 0",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `failed`, table run, row #: `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `done`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `large`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `cancelled`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `waiting`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `sleeping`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `more`, table run, row #: `status`, `started_at`, `updated_at`, `next_seq`, `waiting`, `preview` is not as its journal tells; put right
            run `$run` of handler `queued`, table run, row #: `status`, `started_at`, `updated_at`, `waiting`, `preview` is not as its journal tells; put right
            8 runs checked: 8 findings, 8 of them put right
            --- stderr
        "#]],
    );
    check(
        "update run set result_preview = 'x' where handler = 'done'",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `done`, table run, row #: `result_preview` is not as its journal tells; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "update run set owner = 99 where handler = 'waiting'",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `waiting`, table run, row #: its owner is a host that is not known; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "update run set wake_at = null, wake_alive = null where handler = 'sleeping'",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `sleeping`, table run, row #: nobody owns it and it is never due, but it has to go on; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    check(
        "update run set wake_at = wake_at + 900000000000000 where handler = 'sleeping'",
        expect![[r#"
        exit code 0
        --- stdout
        run `$run` of handler `sleeping`, table run, row #: nobody owns it, and it is due later than its journal tells; put right
        8 runs checked: 1 finding, 1 of them put right
        --- stderr
    "#]],
    );
    check(
        "update run set wake_alive = 900000000000000 where handler = 'sleeping'; update run set wake_at = null where handler = 'sleeping'",
        expect![[r#"
            exit code 0
            --- stdout
            run `$run` of handler `sleeping`, table run, row #: nobody owns it, and it is due later than its journal tells; put right
            8 runs checked: 1 finding, 1 of them put right
            --- stderr
        "#]],
    );
    // Where it has no checksum, as one that an earlier version has written, its journal tells.
    check(
        "update snapshot set text = cast(replace(cast(text as text), 'ask', 'axk') as blob), seal = -1",
        expect![[r#"
        exit code 0
        --- stdout
        run `$run` of handler `large`, table snapshot, row #: it is not what the journal tells until there; put right
        8 runs checked: 1 finding, 1 of them put right
        --- stderr
    "#]],
    );
    check(
        "update snapshot set seq = 900, seal = -1",
        expect![[r#"
        exit code 0
        --- stdout
        run `$run` of handler `large`, table snapshot, row #: it tells of an entry that is not there; put right
        8 runs checked: 1 finding, 1 of them put right
        --- stderr
    "#]],
    );
    let index =
        "pragma writable_schema = on; update sqlite_schema set sql = replace(sql, '(handler', '(workflow') where name = 'run_handler'";
    let copy = copied(&data);
    change(copy.path(), index);
    change(
        copy.path(),
        "reindex run_handler; pragma writable_schema = on; update sqlite_schema set sql = replace(sql, '(workflow', '(handler') where name = 'run_handler'",
    );
    expect![[r#"
        exit code 0
        --- stdout
        ./wf-host.db: SQLite says: row 1 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 2 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 3 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 4 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 5 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 6 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 7 missing from index run_handler; put right
        ./wf-host.db: SQLite says: row 8 missing from index run_handler; put right
        run `$run` of handler `failed`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `done`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `large`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `cancelled`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `waiting`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `sleeping`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `more`, table run, row #: 0 runs of its handler are the newest; put right
        run `$run` of handler `queued`, table run, row #: 0 runs of its handler are the newest; put right
        8 runs checked: 16 findings, 16 of them put right
        --- stderr
    "#]]
    .assert_eq(&said(copy.path(), &["--repair"]));
    assert_eq!(said(copy.path(), &[]), sound(8));
}

/// What is advised is done: the file that is served anew is put in the place of what is damaged.
#[tokio::test]
async fn a_component_is_put_right_by_serving_its_file_again() {
    let (server, _folder) = stopped().await;
    for statement in [
        "update component set bytes = x'00'",
        "update component set manifest = '{}'",
        "update component set manifest = replace(manifest, 'ask', 'axk')",
        "update component set seal = seal + 1",
        "delete from component",
    ] {
        let mut again = Serve::guests(&["inbox", "failing"])
            .start_on(|data| {
                std::fs::create_dir(data).expect("it is new");
                for (path, bytes) in files(&server.data()) {
                    std::fs::write(data.join(path.file_name().expect("a name")), bytes).expect("written");
                }
                std::fs::remove_file(data.join("wf-host.db.keys")).expect("it is there");
                change(data, statement);
                assert!(said(data, &[]).contains("serve the same file again"), "{statement}");
            })
            .await;
        until("it to be put right", async || said(&again.data(), &[]).starts_with("exit code 0").then_some(())).await;
        assert_eq!(again.send("waiting", "AnswerEvent", r#"{"text":"one"}"#).await.status, 200);
        assert_eq!(again.send("waiting", "AnswerEvent", r#"{"text":"two"}"#).await.status, 200);
        assert_eq!(again.ended("waiting").await.result(), json!(["one", "two"]));
        assert!(again.stop().success());
        again.check_store();
    }
}

/// They are named, and no finding: those that are served wait for their first run.
#[tokio::test]
async fn components_that_no_run_needs_are_named_and_dropped() {
    let mut server = Server::start(&["greeting", "failing"]).await;
    server.run("failing", "{}").await;
    assert!(server.stop().success());
    let data = server.data();
    expect![[r#"
        exit code 0
        --- stdout
        table component, row $digest: no run needs it; no harm: where nobody serves it, `--repair` drops it
        1 run checked: all is sound; 1 component that no run needs
        --- stderr
    "#]]
    .assert_eq(&said(&data, &[]));
    let lines = |text: String| text.lines().filter(|line| line.starts_with('{')).map(|line| format!("{line}\n")).collect::<String>();
    let digest = query(&data, "select digest from component order by length(bytes)").as_array().expect("rows").clone();
    let shown = |text: String| digest.iter().fold(lines(text), |text, it| text.replace(it[0].as_str().expect("a text"), "$digest"));
    expect![[r#"
        {"file":null,"run":null,"handler":null,"table":"component","row":"$digest","what":"no run needs it","advice":"no harm: where nobody serves it, `--repair` drops it","harmless":true,"repairable":true,"repaired":false}
        {"runs":1,"findings":0,"repaired":0,"unused_components":1}
    "#]].assert_eq(&shown(said(&data, &["--json"])));
    let copy = copied(&data);
    expect![[r#"
        {"file":null,"run":null,"handler":null,"table":"component","row":"$digest","what":"no run needs it","advice":"no harm: where nobody serves it, `--repair` drops it","harmless":true,"repairable":true,"repaired":true}
        {"runs":1,"findings":0,"repaired":0,"unused_components":0}
    "#]].assert_eq(&shown(said(copy.path(), &["--json", "--repair"])));
    expect![[r#"
        exit code 0
        --- stdout
        table component, row $digest: no run needs it; put right
        1 run checked: all is sound; 1 component dropped that no run needs
        --- stderr
    "#]]
    .assert_eq(&said(&data, &["--repair"]));
    assert_eq!(said(&data, &[]), sound(1).replace("runs", "run"));
    assert_eq!(query(&data, "select count(*) from component"), json!([[1]]));
}

#[tokio::test]
async fn a_server_keeps_its_store_from_being_put_right() {
    let server = Server::start(&["greeting"]).await;
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: another wf-host uses `./wf-host.db`
        hint: stop it, or give this one a folder of its own with `--data-dir`
    "#]]
    .assert_eq(&said(&server.data(), &["--repair"]));
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_said() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: there is no database `./wf-host.db`
        hint: name its folder with `--data-dir`, or the file with `--store sqlite:PATH`
    "#]]
    .assert_eq(&said(folder.path(), &[]));
    expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: a store in memory lies nowhere
        hint: name a file with `--store sqlite:PATH`
    "#]]
    .assert_eq(&said(folder.path(), &["--store", "memory:"]));
    expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is no store `postgres`
        hint: use `memory:` or `sqlite:PATH`
    "#]]
    .assert_eq(&said(folder.path(), &["--store", "postgres:x"]));
    let golden = artifacts::root().join("host/tests/store/golden/3.db");
    std::fs::copy(golden, folder.path().join("wf-host.db")).expect("copied");
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: `./wf-host.db` has version 3 of the database, and this build checks version 5
        hint: start `wf-host serve` on a copy of it: that brings the copy to this version
    "#]]
    .assert_eq(&said(folder.path(), &[]));
    change(folder.path(), "pragma user_version = 99");
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: `./wf-host.db` was written by a newer wf-host (version 99 of the database)
        hint: start that one, or choose another database with `--store sqlite:PATH`
    "#]]
    .assert_eq(&said(folder.path(), &[]));
    std::fs::write(folder.path().join("wf-host.db"), "x".repeat(5000)).expect("written");
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: `./wf-host.db` cannot be opened as a database: file is not a database
        hint: it is another kind of file, or damaged: choose another with `--store sqlite:PATH`
    "#]]
    .assert_eq(&said(folder.path(), &[]));
}

#[tokio::test]
async fn programs_read_json() {
    let (server, _folder) = stopped().await;
    let copy = copied(&server.data());
    change(copy.path(), "delete from blob_use; update ending set state = cast('[]' as blob) where run = 2");
    let lines = |arguments: &[&str]| said(copy.path(), arguments);
    let filtered = |text: String| {
        let run = text.split(r#""run":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("none").to_owned();
        let more: Vec<String> = text.split(r#""run":""#).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
        more.iter().chain([&run]).fold(text.clone(), |text, run| text.replace(run.as_str(), "$run"))
    };
    expect![[r#"
        exit code 1
        --- stdout
        {"file":null,"run":"$run","handler":"done","table":"ending","row":null,"what":"its bytes are not as they were written","advice":"bring the store back from a backup, or purge the run's handler","harmless":false,"repairable":false,"repaired":false}
        {"file":null,"run":"$run","handler":"large","table":"blob_use","row":null,"what":"it does not name the values that the run's rows need","advice":"stop the server, and check again with `--repair`","harmless":false,"repairable":true,"repaired":false}
        {"file":null,"run":null,"handler":null,"table":"blob","row":"1","what":"no run needs it","advice":"stop the server, and check again with `--repair`","harmless":false,"repairable":true,"repaired":false}
        {"runs":8,"findings":3,"repaired":0,"unused_components":0}
        --- stderr
    "#]].assert_eq(&filtered(lines(&["--json"])));
    expect![[r#"
        exit code 1
        --- stdout
        {"file":null,"run":"$run","handler":"done","table":"ending","row":null,"what":"its bytes are not as they were written","advice":"bring the store back from a backup, or purge the run's handler","harmless":false,"repairable":false,"repaired":false}
        {"file":null,"run":"$run","handler":"large","table":"blob_use","row":null,"what":"it does not name the values that the run's rows need","advice":"stop the server, and check again with `--repair`","harmless":false,"repairable":true,"repaired":true}
        {"file":null,"run":null,"handler":null,"table":"blob","row":"1","what":"no run needs it","advice":"stop the server, and check again with `--repair`","harmless":false,"repairable":true,"repaired":true}
        {"runs":8,"findings":3,"repaired":2,"unused_components":0}
        --- stderr
    "#]].assert_eq(&filtered(lines(&["--json", "--repair"])));
}

/// Where to change a byte: so that each page is met, however many hold large values.
fn positions(chance: &mut Chance, length: u64, count: u64) -> Vec<(usize, u8)> {
    let pages = length.div_ceil(4096);
    let position = |chance: &mut Chance| (chance.below(pages) * 4096 + chance.below(4096)).min(length - 1);
    (0..count).map(|_| (position(chance) as usize, 1 << chance.below(8))).collect()
}

#[tokio::test]
async fn a_flipped_byte_anywhere_is_found_and_named() {
    let mut chance = Chance::from_environment();
    let (mut server, _folder) = everything().await;
    server.kill();
    let with_log = copied(&server.data());
    server.restart().await;
    assert!(server.stop().success());
    let log = server.data().join("wf-host.db.audit.log");
    for aside in [1, 4] {
        std::fs::copy(&log, server.data().join(format!("wf-host.db.audit.log.{aside}"))).expect("copied");
    }
    let mut silent = Vec::new();
    for (data, name, count) in [
        (server.data(), "wf-host.db", 200),
        (with_log.path().to_owned(), "wf-host.db-wal", 80),
        (server.data(), "wf-host.db.keys", 40),
        (server.data(), "wf-host.db.audit.log", 40),
        (server.data(), "wf-host.db.audit.log.1", 10),
        (server.data(), "wf-host.db.audit.log.4", 10),
    ] {
        let whole = content(copied(&data).path()).expect("a sound database");
        let bytes = std::fs::read(data.join(name)).expect("a file");
        let copy = copied(&data);
        let mut found = 0;
        for (at, flip) in positions(&mut chance, bytes.len() as u64, count) {
            for file in files(&data) {
                std::fs::write(copy.path().join(file.0.file_name().expect("a name")), file.1).expect("written");
            }
            let _ = std::fs::remove_file(copy.path().join("wf-host.db-shm"));
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            std::fs::write(copy.path().join(name), &changed).expect("written");
            let said = said(copy.path(), &[]);
            if said.starts_with("exit code 0\n") {
                let same = match name.strip_prefix("wf-host.db.") {
                    Some("keys") => serde_json::from_slice::<serde_json::Value>(&changed).ok() == serde_json::from_slice(&bytes).ok(),
                    Some(_) => false,
                    None => content(copy.path()).as_ref() == Some(&whole),
                };
                silent.extend((!same).then(|| format!("{name}: {flip:#x} at {at}")));
            } else {
                found += 1;
                let named = match name {
                    "wf-host.db" => said.contains("table ") || said.contains(name),
                    // What SQLite leaves out of the log the file lacks.
                    "wf-host.db-wal" => said.contains(name) || said.starts_with("exit code 3\n") && said.contains("wf-host.db"),
                    name => said.contains(name),
                };
                assert!(named, "{name}: {flip:#x} at {at}: {said}");
            }
        }
        assert!(found * 2 > count, "{name}: {found} of {count} were found");
    }
    assert!(silent.is_empty(), "nobody notices {}", silent.join(", "));
}

/// A server that has the file open, and stands still: what is flipped below it is found by whoever looks.
#[tokio::test]
async fn a_flipped_byte_below_a_server_is_found() {
    use std::os::unix::fs::FileExt;
    let mut chance = Chance::from_environment();
    let (mut server, _folder) = everything().await;
    assert!(server.stop().success());
    server.restart().await;
    // What the restart has written is in the log beside: none of the file's pages is there twice.
    server.pause();
    let path = server.data().join("wf-host.db");
    let file = std::fs::File::options().read(true).write(true).open(&path).expect("a file");
    let whole = content(copied(&server.data()).path()).expect("a sound database");
    let length = file.metadata().expect("a file").len();
    let mut found = 0;
    for (at, flip) in positions(&mut chance, length, 40) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at as u64).expect("within");
        file.write_all_at(&[byte[0] ^ flip], at as u64).expect("room");
        let said = said(&server.data(), &[]);
        let same = said.starts_with("exit code 0\n") && content(copied(&server.data()).path()).as_ref() == Some(&whole);
        file.write_all_at(&byte, at as u64).expect("room");
        assert!(same || said.contains("table ") || said.contains("wf-host.db"), "{flip:#x} at {at}: {said}");
        found += usize::from(!same);
    }
    assert!(found > 13, "{found} of 40 were found");
    server.resume();
    assert_eq!(said(&server.data(), &[]), sound(8));
}

/// What SQLite cannot read of one table keeps nothing else from being looked at.
#[tokio::test]
async fn a_page_that_cannot_be_read_keeps_no_run_from_being_looked_at() {
    let (server, _folder) = stopped().await;
    let root = query(&server.data(), "select rootpage from sqlite_schema where name = 'command_run'");
    let at = usize::try_from(root[0][0].as_u64().expect("a page") - 1).expect("small") * 4096;
    let copy = copied(&server.data());
    let path = copy.path().join("wf-host.db");
    let mut bytes = std::fs::read(&path).expect("a file");
    bytes[at..at + 4096].fill(0);
    std::fs::write(&path, bytes).expect("written");
    let said = said(copy.path(), &[]);
    assert!(said.starts_with("exit code 1\n") && said.contains("\n8 runs checked: "), "{said}");
}

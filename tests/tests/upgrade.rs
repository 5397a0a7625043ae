//! Stores that older builds have left, with runs in every state: this one opens them, and everything goes on.
//!
//! `tests/stores/VERSION.db.xz` is a store as a server of that version of the database has left it. No test run changes one:
//! what is missing is written when `UPDATE_EXPECT` is set, and what is there stays. The same holds of `backup-FORM.xz`, a
//! backup of such a store, of `export-FORM.xz`, a run of it that was moved away, and of `ended-FORM.xz`, a copy of one that
//! has ended.

use std::path::{Path, PathBuf};

use serde_json::json;
use wf_tests::command_line::{done, outcome, text, wf_host};
use wf_tests::database::{pack, query};
use wf_tests::{Serve, Server, artifacts, until};

/// The first version of which there is a store here. Databases of those before are in `host/tests/store/golden`.
const FIRST: u64 = 4;

fn golden(version: u64) -> PathBuf {
    artifacts::root().join(format!("tests/stores/{version}.db.xz"))
}

/// A server that has left runs in every state.
async fn left() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("wf-host.toml");
    std::fs::write(&config, "[workflows.inbox]\nruns_max = 4\n").expect("written");
    let mut server = Serve::guests(&["inbox"]).with(&["--config", &config.display().to_string()]).start().await;
    let start = async |handler: &str, event: serde_json::Value| {
        let body = json!({ "handler_id": handler, "start_event": event }).to_string();
        let answer = server.request("POST", "/workflows/inbox/run-nowait", &[("idempotency-key", handler)], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let answer = async |handler: &str, text: &str| {
        let sent = server.send(handler, "AnswerEvent", &json!({ "text": text }).to_string()).await;
        assert_eq!(sent.status, 200, "{}", sent.body);
    };
    start("done", json!({ "n": 1 })).await;
    answer("done", "first").await;
    server.ended("done").await;
    start("failed", json!({ "n": "not a number" })).await;
    server.ended("failed").await;
    start("cancelled", json!({})).await;
    assert_eq!(server.post("/handlers/cancelled/cancel", "").await.status, 200);
    start("waiting", json!({ "n": 1 })).await;
    // Kept apart, and enough for a snapshot.
    start("large", json!({ "n": 2 })).await;
    answer("large", &"x".repeat(70_000)).await;
    start("sleeping", json!({ "n": 0, "delay": 30 })).await;
    start("early", json!({ "n": 2, "delay": 30 })).await;
    answer("early", "kept").await;
    start("queued", json!({ "n": 0 })).await;
    let rows = |what: &str| query(&server.data(), what)[0][0].as_u64().expect("a number");
    until("all that waits", async || (rows("select count(*) from run where waiting is not null") == 2).then_some(())).await;
    until("a snapshot", async || (rows("select count(*) from snapshot") == 1).then_some(())).await;
    assert!(server.stop().success());
    (server, folder)
}

fn version(data: &Path) -> u64 {
    query(data, "pragma user_version")[0][0].as_u64().expect("a number")
}

#[tokio::test]
async fn a_store_of_every_version_is_opened_and_its_runs_go_on() {
    let (server, _folder) = left().await;
    let newest = version(&server.data());
    // Asking has left its log beside: what is in it is in the file by now.
    let database = server.data().join("wf-host.db");
    let missing = golden(newest);
    if std::env::var_os("UPDATE_EXPECT").is_some() && !missing.exists() {
        pack(&database, &missing);
    }
    for version in FIRST..=newest {
        let golden = golden(version);
        assert!(golden.exists(), "`{}` is missing: `UPDATE_EXPECT=1` writes that of a new version", golden.display());
        goes_on(&golden).await;
    }
}

/// A file of a form, of which the newest is that of a file which was just made; what is missing is kept.
fn of_every_form(kind: &str, made: &Path) -> Vec<PathBuf> {
    let bytes = std::fs::read(made).expect("a file");
    let last = String::from_utf8_lossy(&bytes[bytes.len() - 124..]).into_owned();
    let newest = last.split(" form ").nth(1).and_then(|rest| rest[..4].parse::<u32>().ok()).expect("a form");
    let golden = |form: u32| artifacts::root().join(format!("tests/stores/{kind}-{form}.xz"));
    if std::env::var_os("UPDATE_EXPECT").is_some() && !golden(newest).exists() {
        pack(made, &golden(newest));
    }
    let all: Vec<PathBuf> = (1..=newest).map(golden).collect();
    for golden in &all {
        assert!(golden.exists(), "`{}` is missing: `UPDATE_EXPECT=1` writes that of a new form", golden.display());
    }
    all
}

#[tokio::test]
async fn a_backup_of_every_form_is_restored_and_its_runs_go_on() {
    let (server, folder) = left().await;
    server.make_key("ada", &[]);
    let made = folder.path().join("made.backup");
    done(&["backup", text(&made), "--data-dir", text(&server.data())]);
    for golden in of_every_form("backup", &made) {
        let file = folder.path().join("golden.backup");
        pack(&golden, &file);
        // One of an older database is brought up to date once it is restored and served; only then it is checked.
        let checked = wf_host(&["fsck", text(&file)]);
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() || said.contains(" of the database, and this build checks version "), "{said}");
        let restored = |data: &Path| {
            let said = done(&["restore", text(&file), "--data-dir", text(data)]);
            assert!(said.ends_with(", with its 1 key)\n"), "{said}");
            // Whose key it is, nobody knows any more.
            std::fs::remove_file(data.join("wf-host.db.keys")).expect("it is there");
        };
        go_on(Serve::guests(&["greeting"]).start_on(restored).await).await;
    }
}

#[tokio::test]
async fn an_export_of_every_form_is_imported_and_goes_on() {
    let (server, folder) = left().await;
    let made = folder.path().join("made.tar");
    done(&["export", "large", "--move", "-o", text(&made), "--data-dir", text(&server.data())]);
    for golden in of_every_form("export", &made) {
        let file = folder.path().join("golden.tar");
        pack(&golden, &file);
        let there = Server::start(&["greeting"]).await;
        let said = done(&["import", text(&file), "--data-dir", text(&there.data())]);
        assert!(said.starts_with("large (run ") && said.ends_with(" goes on here)\n"), "{said}");
        there.check_store();
        assert_eq!(there.send("large", "AnswerEvent", r#"{"text":"last"}"#).await.status, 200);
        assert_eq!(there.ended("large").await.result(), json!(["x".repeat(70_000), "last"]));
        there.check_store();
    }
}

#[tokio::test]
async fn an_export_of_what_has_ended_is_imported_and_stands_as_it_was() {
    let (server, folder) = left().await;
    let made = folder.path().join("made.tar");
    done(&["export", "done", "-o", text(&made), "--data-dir", text(&server.data())]);
    for golden in of_every_form("ended", &made) {
        let file = folder.path().join("golden.tar");
        pack(&golden, &file);
        let there = Server::start(&["greeting"]).await;
        let said = done(&["import", text(&file), "--data-dir", text(&there.data())]);
        assert!(said.starts_with("done (run ") && said.ends_with(" has ended)\n"), "{said}");
        there.check_store();
        let shown = there.get("/handlers/done").await;
        assert_eq!((shown.status, shown.result()), (200, json!(["first"])));
        for what in ["history", "state", "logs", "representation"] {
            assert_eq!(there.get(&format!("/api/v1/runs/{}/{what}", shown.run())).await.status, 200, "{what}");
        }
    }
}

async fn goes_on(golden: &Path) {
    go_on(Serve::guests(&["greeting"]).start_on(|data| unpacked(golden, data)).await).await;
}

/// The workflow is not served any more: all that the runs need is in their store.
async fn go_on(mut server: Server) {
    let status = async |handler: &str| server.get(&format!("/handlers/{handler}")).await.json();
    let before = [status("done").await, status("failed").await, status("cancelled").await];
    let shown = |it: &serde_json::Value| json!([it["status"], it["result"]["value"]["result"], it["error"].is_string()]);
    let shown: Vec<_> = before.iter().map(shown).collect();
    assert_eq!(json!(shown), json!([["completed", ["first"], false], ["failed", null, true], ["cancelled", null, false]]));
    assert_eq!(server.ended("sleeping").await.result(), json!([]), "what slept wakes");
    assert_eq!(server.ended("queued").await.result(), json!([]), "who queued has its turn");
    for (handler, text) in [("waiting", "now"), ("early", "then"), ("large", "last")] {
        let sent = server.send(handler, "AnswerEvent", &json!({ "text": text }).to_string()).await;
        assert_eq!(sent.status, 200, "{handler}: {}", sent.body);
    }
    assert_eq!(server.ended("waiting").await.result(), json!(["now"]));
    assert_eq!(server.ended("early").await.result(), json!(["kept", "then"]));
    assert_eq!(server.ended("large").await.result(), json!(["x".repeat(70_000), "last"]));
    // Started again with its key, it is the run that is there.
    let body = json!({ "handler_id": "done", "start_event": { "n": 1 } }).to_string();
    let again = server.request("POST", "/workflows/inbox/run-nowait", &[("idempotency-key", "done")], &body).await;
    assert_eq!((again.status, again.run()), (200, before[0]["run_id"].as_str().expect("an id").to_owned()), "{}", again.body);
    server.check_store();
    assert!(server.stop().success());
    server.check_store();
}

fn unpacked(golden: &Path, data: &Path) {
    std::fs::create_dir(data).expect("a new folder");
    pack(golden, &data.join("wf-host.db"));
}

#[tokio::test]
async fn an_older_build_refuses_a_newer_store_by_name_and_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join(".wf-host");
    unpacked(&golden(FIRST), &data);
    wf_tests::database::change(&data, "pragma user_version = 1000");
    let before = std::fs::read(data.join("wf-host.db")).expect("a file");
    let greeting = artifacts::guest("greeting").display().to_string();
    expect_test::expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `.wf-host/wf-host.db` was written by a newer wf-host (version 1000 of the database)
        hint: start that one, or choose another database with `--store sqlite:PATH`
    "#]]
    .assert_eq(&outcome(folder.path(), &["serve", &greeting]));
    assert!(std::fs::read(data.join("wf-host.db")).expect("a file") == before);
    assert_eq!(std::fs::read_dir(&data).expect("a folder").count(), 1, "nothing is made beside it");
}

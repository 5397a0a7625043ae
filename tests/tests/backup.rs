//! `wf-host backup` beside servers under load, and what comes of its files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use wf_tests::chance::Chance;
use wf_tests::command_line::{done, text, wf_host};
use wf_tests::database::{Reading, change, copied, forge, query};
use wf_tests::server::command;
use wf_tests::{Client, Serve, Server, artifacts, command_line, until};

fn restore(file: &Path, data: &Path) {
    done(&["restore", text(file), "--data-dir", text(data)]);
}

/// Starts runs one after the other until it is told to stop; gives the handlers that were acknowledged.
fn load(client: &Client, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Vec<String>> {
    let client = client.clone();
    tokio::spawn(async move {
        let mut handlers = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            handlers.push(client.begin("greeting", r#"{"name":"Ada"}"#).await);
        }
        handlers
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_on_from_a_backup_that_was_made_beside_a_load() {
    let server = Server::start(&["greeting", "hitl", "slow"]).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let handler = server.begin("hitl", "{}").await;
        server.events(&handler, "").await.until("RequestEvent").await;
        waiting.push(handler);
    }
    let slow = server.begin("slow", r#"{"seconds":2}"#).await;
    let stop = Arc::new(AtomicBool::new(false));
    let before: Vec<String> = {
        let mut handlers = Vec::new();
        for _ in 0..20 {
            handlers.push(server.begin("greeting", r#"{"name":"Ada"}"#).await);
        }
        handlers
    };
    let loads: Vec<_> = (0..4).map(|_| load(&server, stop.clone())).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.backup");
    let (data, to) = (server.data(), file.clone());
    let said = tokio::task::spawn_blocking(move || done(&["backup", text(&to), "--data-dir", text(&data)])).await.expect("no panic");
    assert!(said.contains("no keys: a server on it lets everybody in"), "{said}");
    stop.store(true, Ordering::Relaxed);
    for load in loads {
        assert!(!load.await.expect("no panic").is_empty(), "the load went on meanwhile");
    }
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("runs.backup.partial").exists());
    drop(server);

    let again = Serve::guests(&["greeting", "hitl", "slow"]).start_on(|data| restore(&file, data)).await;
    for handler in &waiting {
        assert_eq!(again.send(handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    }
    for handler in &waiting {
        assert_eq!(again.ended(handler).await.value(), serde_json::json!({ "output": "Hello, Ada" }));
    }
    for handler in before {
        assert_eq!(again.ended(&handler).await.result(), serde_json::json!("Hello, Ada!"));
    }
    assert_eq!(again.ended(&slow).await.result(), serde_json::json!("slept 2.0"), "what was due meanwhile is done");
    again.check_store();
}

/// A backup is looked at as it is: that of a damaged store is as damaged, and that is said before it is needed.
#[tokio::test]
async fn a_backup_is_checked_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, runs) = (backup(folder.path()).await, folder.path());
    let said = |file: &str| command_line::outcome(runs, &["fsck", file]);
    expect![[r#"
        exit code 0
        --- stdout
        1 run checked: all is sound
        --- stderr
    "#]]
    .assert_eq(&said("runs.backup"));
    let before = fs::read(&file).expect("a file");
    let data = runs.join(".wf-host");
    restore(&file, &data);
    assert!(fs::read(&file).expect("a file") == before && fs::read_dir(runs).expect("a folder").count() == 2, "nothing has changed");
    // SQLite sees nothing of it, and the copy is made.
    change(&data, "update stream set text = cast(replace(cast(text as text), 'Ada', 'Bob') as blob)");
    done(&["backup", text(&runs.join("damaged.backup")), "--data-dir", text(&data)]);
    let damaged = said("damaged.backup");
    assert!(damaged.starts_with("exit code 1\n") && damaged.contains(": its bytes are not as they were written;"), "{damaged}");
    let mut changed = before.clone();
    changed[5000] ^= 1;
    fs::write(runs.join("changed.backup"), changed).expect("room");
    fs::write(runs.join("cut.backup"), &before[..before.len() / 2]).expect("room");
    fs::copy(data.join("wf-host.db"), runs.join("store.backup")).expect("room");
    forge(&runs.join("store.backup"), "backup", "", "", "");
    let refused = ["changed.backup", "cut.backup", "store.backup", "none.backup"].map(said).concat();
    let repaired = command_line::outcome(runs, &["fsck", "runs.backup", "--repair"]);
    expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: `changed.backup` is damaged: what is in it is not what its last line says
        hint: copy it again from where it was made
        exit code 3
        --- stdout
        --- stderr
        error: `cut.backup` is no whole backup of wf-host: it was cut, or is another kind of file
        hint: copy it again from where it was made
        exit code 3
        --- stdout
        --- stderr
        error: `store.backup` holds no copy of a store
        hint: give it what `wf-host backup` has made
        exit code 3
        --- stdout
        --- stderr
        error: `none.backup` cannot be read: No such file or directory (os error 2)
        hint: look whether it is there, and whether you may read it
        exit code 2
        --- stdout
        --- stderr
        error: the argument '[BACKUP]' cannot be used with '--repair'

        Usage: wf-host fsck <BACKUP>

        For more information, try '--help'.
    "#]]
    .assert_eq(&(refused + &repaired));
}

/// What is put in the place of a store that has gone on is the store as it was, and goes on from there.
#[tokio::test]
async fn a_store_goes_back_to_its_backup_and_on_from_there() {
    let mut server = Server::start(&["greeting", "hitl"]).await;
    let waiting = server.begin("hitl", "{}").await;
    server.events(&waiting, "").await.until("RequestEvent").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.backup");
    done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    assert_eq!(server.send(&waiting, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    server.ended(&waiting).await;
    let later = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    server.ended(&later).await;
    // Its log is beside it, and must not come back.
    server.kill();
    done(&["restore", text(&file), "--data-dir", text(&server.data()), "--force"]);
    server.check_store();
    server.restart().await;
    assert_eq!(server.get(&format!("/handlers/{later}")).await.status, 404, "what came after it is gone");
    assert_eq!(server.get(&format!("/handlers/{waiting}")).await.status, 202);
    assert_eq!(server.send(&waiting, "ResponseEvent", r#"{"response":"Bob"}"#).await.status, 200);
    assert_eq!(server.ended(&waiting).await.value(), serde_json::json!({ "output": "Hello, Bob" }));
    assert!(server.stop().success());
    server.check_store();
}

/// However it ends, the store is the one before or the one of the backup; called again, it is that of the backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_leaves_one_store_or_the_other() {
    let mut server = Server::start(&["greeting"]).await;
    // Other texts each, so that a restore takes its time.
    let name = "x".repeat(2 << 20);
    for number in 0..4 {
        server.run("greeting", &format!(r#"{{"name":"{number}{name}"}}"#)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.backup");
    done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    let later = server.begin("greeting", r#"{"name":"Ada"}"#).await;
    server.ended(&later).await;
    server.kill();
    let mut chance = Chance::from_environment();
    let (mut before, mut after) = (0, 0);
    for _ in 0..15 {
        let copy = copied(&server.data());
        assert!(fs::metadata(copy.path().join("wf-host.db-wal")).expect("a log").len() > 0);
        let arguments = ["restore", text(&file), "--force", "--data-dir", text(copy.path())];
        let mut child = command().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let (begun, moment) = (Instant::now(), Duration::from_micros(chance.below(60_000)));
        until("the moment", async || (begun.elapsed() >= moment).then_some(())).await;
        child.kill().expect("a child");
        child.wait().expect("a child");
        let runs = || {
            done(&["fsck", "--data-dir", text(copy.path())]);
            query(copy.path(), "select count(*) from run")[0][0].as_u64().expect("a number")
        };
        match runs() {
            5 => before += 1,
            4 => after += 1,
            other => panic!("{other} runs"),
        }
        done(&arguments);
        assert_eq!(runs(), 4);
    }
    assert!(before > 0, "{before} were as before, {after} as in the backup");
}

#[tokio::test]
async fn keys_go_with_a_backup() {
    let server = Server::start(&["greeting"]).await;
    let key = server.lock("ada", &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.backup");
    let said = done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    assert!(said.ends_with("with its 1 key)\n"), "{said}");
    let again = Serve::guests(&["greeting"]).start_on(|data| restore(&file, data)).await;
    assert_eq!(again.get("/workflows").await.status, 401);
    assert_eq!(again.with_key(&key).get("/workflows").await.status, 200);
    again.check_store();
    let mode = fs::metadata(again.data().join("wf-host.db.keys")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A backup of a store with one run.
async fn backup(folder: &Path) -> std::path::PathBuf {
    let server = Server::start(&["greeting"]).await;
    server.run("greeting", r#"{"name":"Ada"}"#).await;
    let file = folder.join("runs.backup");
    done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    file
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_is_refused_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = backup(folder.path()).await;
    let whole = fs::read(&file).expect("a file");
    let refused = |bytes: &[u8]| {
        let file = folder.path().join("copied.backup");
        fs::write(&file, bytes).expect("room");
        let output = wf_host(&["restore", text(&file), "--data-dir", text(&folder.path().join("data"))]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("copied.backup") && !folder.path().join("data").exists(), "{said}");
        said
    };
    for end in [0, 1, 100, 4096, whole.len() / 2, whole.len() - 124, whole.len() - 1] {
        assert!(refused(&whole[..end]).contains("it was cut"), "{end}");
    }
    let mut chance = Chance::from_environment();
    for _ in 0..20 {
        let at = usize::try_from(chance.below(whole.len() as u64 - 124)).expect("small");
        let mut changed = whole.clone();
        changed[at] ^= 1 << chance.below(8);
        assert!(refused(&changed).contains("is damaged: what is in it is not what its last line says"), "{at}");
    }
    restore(&file, &folder.path().join("data"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_killed_leaves_nothing_that_is_taken_for_one() {
    let server = Server::start(&["greeting"]).await;
    // Other texts each: what is the same is stored once, and a small backup is over before anybody has looked.
    let name = "x".repeat(1 << 20);
    for number in 0..24 {
        server.run("greeting", &format!(r#"{{"name":"{number}{name}"}}"#)).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut chance = Chance::from_environment();
    let (mut unfinished, mut whole) = (0, 0);
    for round in 0..30 {
        let file = folder.path().join("runs.backup");
        let mut command = command();
        command.args(["backup", text(&file), "--data-dir", text(&server.data())]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let partial = folder.path().join("runs.backup.partial");
        // The first is killed as soon as there is something to find.
        if round == 0 {
            until("a beginning", async || partial.exists().then_some(())).await;
        } else {
            let (begun, moment) = (Instant::now(), Duration::from_millis(chance.below(150)));
            until("the moment", async || (begun.elapsed() >= moment).then_some(())).await;
        }
        child.kill().expect("a child");
        child.wait().expect("a child");
        let data = folder.path().join("data");
        if file.exists() {
            whole += 1;
            restore(&file, &data);
            fs::remove_dir_all(&data).expect("it is there");
            fs::remove_file(&file).expect("it is there");
        } else if partial.exists() {
            unfinished += 1;
            let output = wf_host(&["restore", text(&partial), "--data-dir", text(&data)]);
            let said = String::from_utf8(output.stderr).expect("text");
            assert!(!output.status.success() && said.contains("runs.backup.partial` is a backup that was not finished"), "{said}");
        }
    }
    assert!(unfinished > 0, "{whole} were whole");
    let file = folder.path().join("runs.backup");
    done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    restore(&file, &folder.path().join("data"));
}

fn check(folder: &Path, arguments: &[&str], expect: &Expect) {
    expect.assert_eq(&command_line::outcome(folder, arguments));
}

#[tokio::test]
async fn what_cannot_be_backed_up_or_restored_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = backup(folder.path()).await;
    let folder = folder.path();
    check(
        folder,
        &["backup", "other.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: there is no store in `.wf-host/wf-host.db`
        hint: name the one that the server has, with `--data-dir` or `--store`
    "#]],
    );
    check(
        folder,
        &["backup", "other.backup", "--store", "memory:"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: a store in memory is its host's alone
        hint: name the one of a file with `--store sqlite:PATH` or `--data-dir`
    "#]],
    );
    restore(&file, &folder.join(".wf-host"));
    check(
        folder,
        &["backup", "runs.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `runs.backup` is there already
        hint: choose another name, or remove it first
    "#]],
    );
    check(
        folder,
        &["backup", "nowhere/runs.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `nowhere/runs.backup.partial` cannot be written: No such file or directory (os error 2)
        hint: make room, or choose another place
    "#]],
    );
    check(
        folder,
        &["restore", "runs.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `.wf-host/wf-host.db` is there already
        hint: choose another folder with `--data-dir`; `--force` replaces what is there, and it is gone then
    "#]],
    );
    check(
        folder,
        &["restore", "none.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `none.backup` cannot be read: No such file or directory (os error 2)
        hint: look whether it is there, and whether you may read it
    "#]],
    );
    fs::write(folder.join("runs.backup.partial"), "").expect("room");
    check(
        folder,
        &["restore", "runs.backup.partial", "--data-dir", "new"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: `runs.backup.partial` is a backup that was not finished
        hint: use an earlier one; `wf-host backup` makes another
    "#]],
    );
    done(&["restore", text(&file), "--data-dir", text(&folder.join(".wf-host")), "--force"]);
    fs::copy(folder.join(".wf-host/wf-host.db"), folder.join("store.backup")).expect("room");
    forge(&folder.join("store.backup"), "backup", "", "", "");
    check(
        folder,
        &["restore", "store.backup", "--data-dir", "new"],
        &expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            error: `store.backup` holds no copy of a store
            hint: give it what `wf-host backup` has made
        "#]],
    );
    let writes = fs::File::create(folder.join("other.backup.partial")).expect("room");
    writes.lock().expect("nobody has it");
    check(
        folder,
        &["backup", "other.backup"],
        &expect![[r#"
        exit code 1
        --- stdout
        --- stderr
        error: another wf-host writes `other.backup.partial`
        hint: let it end, or choose another name
    "#]],
    );
    // What no server has made a store of is not opened as one.
    let serve = command()
        .args(["serve", "--port", "0", "--store", &format!("sqlite:{}", file.display())])
        .arg(artifacts::guest("greeting"))
        .output()
        .expect("the binary starts");
    let said = command_line::filtered(&String::from_utf8_lossy(&serve.stderr), folder);
    expect![[r#"
        error: `[DIR]/runs.backup` is a backup, and no store
        hint: `wf-host restore` makes a store of it, with the keys that belong to it
    "#]]
    .assert_eq(&said);
}

#[tokio::test]
async fn a_store_that_a_server_has_is_not_replaced() {
    let server = Server::start(&["greeting"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.backup");
    done(&["backup", text(&file), "--data-dir", text(&server.data())]);
    let said = wf_host(&["restore", text(&file), "--data-dir", text(&server.data()), "--force"]);
    let said = String::from_utf8(said.stderr).expect("text").replace(text(&server.data()), "[DATA]");
    expect![[r#"
        error: another wf-host uses `[DATA]/wf-host.db`
        hint: stop it, or give this one a folder of its own with `--data-dir`
    "#]]
    .assert_eq(&said);
    assert_eq!(server.get("/health").await.status, 200);
}

/// What was carried into a database that is gone at once would be acknowledged, and nowhere.
#[tokio::test]
async fn nothing_is_carried_while_a_store_is_replaced() {
    let server = Server::start(&["hitl"]).await;
    server.post("/workflows/hitl/run-nowait", r#"{"handler_id":"kept"}"#).await;
    let (elsewhere, files) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let data = elsewhere.path();
    let [backup, run] = ["runs.backup", "run.tar"].map(|name| files.path().join(name));
    done(&["backup", text(&backup), "--data-dir", text(&server.data())]);
    done(&["export", "kept", "-o", text(&run), "--data-dir", text(&server.data())]);
    restore(&backup, data);
    let refused = |arguments: &[&str]| {
        let said = wf_host(&[arguments, &["--data-dir", text(data)]].concat());
        assert_eq!(said.status.code(), Some(1), "{said:?}");
        String::from_utf8(said.stderr).expect("text").replace(text(data), "[DATA]")
    };
    // As `restore` holds the folder, and as `import` and `export` do.
    let folder = fs::File::open(data).expect("a folder");
    folder.lock().expect("nobody has it");
    let another = files.path().join("another.tar");
    for carried in [&["import", text(&run)][..], &["export", "kept", "-o", text(&another)]] {
        expect![[r#"
            error: `[DATA]/wf-host.db` is being replaced by a restore
            hint: try again once it has ended
        "#]]
        .assert_eq(&refused(carried));
    }
    folder.unlock().expect("it was locked");
    folder.lock_shared().expect("nobody has it");
    expect![[r#"
        error: another command writes to `[DATA]/wf-host.db`
        hint: try again once it has ended, or choose another folder with `--data-dir`
    "#]]
    .assert_eq(&refused(&["restore", text(&backup), "--force"]));
    done(&["import", text(&run), "--data-dir", text(data)]);
    folder.unlock().expect("it was locked");
    done(&["restore", text(&backup), "--force", "--data-dir", text(data)]);
}

/// What keeps copying the database elsewhere reads for long, takes over the log's beginning from others, and looks on.
#[tokio::test]
async fn a_server_stays_well_beside_who_reads_for_long_and_its_log_is_cut_down_then() {
    let server = Server::start(&["greeting"]).await;
    let name = "x".repeat(1 << 20);
    let log = server.data().join("wf-host.db-wal");
    let length = || fs::metadata(&log).map_or(0, |it| it.len());
    let begin = async |number: usize| {
        let answer = server.run("greeting", &format!(r#"{{"name":"{number}{name}"}}"#)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    begin(0).await;
    let reading = Reading::of(&server.data());
    for number in 1..=12 {
        begin(number).await;
    }
    assert!(length() > 20 << 20, "what is read is kept: {}", length());
    assert_eq!(server.get("/health").await.status, 200);
    drop(reading);
    let mut number = 12;
    until("the log to be cut down", async || {
        number += 1;
        begin(number).await;
        (length() <= 20 << 20).then_some(())
    })
    .await;
}

/// Litestream, as it copies a server's database, until it is dropped.
struct Litestream {
    folder: tempfile::TempDir,
    child: Child,
}

impl Litestream {
    fn of(data: &Path) -> Litestream {
        let folder = tempfile::tempdir().expect("a folder");
        let page = fs::read_to_string(artifacts::root().join("OPERATING.md")).expect("the page");
        let (_, block) = page.split_once("# litestream.yml\n").expect("its configuration");
        let (config, _) = block.split_once("```").expect("its end");
        let places = [("/var/lib/wf-host/wf-host.db", data.join("wf-host.db")), ("/mnt/replica/wf-host", folder.path().join("replica"))];
        let config = places.iter().fold(config.to_owned(), |config, (from, to)| {
            assert!(config.contains(from), "{config}");
            config.replace(from, text(to))
        });
        fs::write(folder.path().join("litestream.yml"), config).expect("room");
        let mut command = Litestream::command("replicate", folder.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it is installed: `make clients`");
        Litestream { folder, child }
    }

    fn command(what: &str, folder: &Path) -> Command {
        let mut command = Command::new(artifacts::root().join("target/clients/litestream/bin/litestream"));
        command.args([what, "-config", text(&folder.join("litestream.yml"))]);
        command
    }

    /// What is copied so far, as a database in a folder that is not there.
    fn restored(&self, data: &Path, to: &Path) -> bool {
        let mut command = Litestream::command("restore", self.folder.path());
        let output = command.args(["-o", text(&to.join("wf-host.db")), text(&data.join("wf-host.db"))]).output();
        output.expect("it is installed").status.success()
    }
}

impl Drop for Litestream {
    fn drop(&mut self) {
        // What it has copied is of no use any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn litestream_copies_beside_a_server_and_runs_go_on_from_its_copy() {
    let mut server = Server::start(&["greeting", "hitl"]).await;
    let litestream = Litestream::of(&server.data());
    let name = "x".repeat(300 << 10);
    for number in 0..60 {
        let body = format!(r#"{{"handler_id":"g{number}","start_event":{{"name":"{name}"}}}}"#);
        assert_eq!(server.post("/workflows/greeting/run", &body).await.status, 200);
        // Space is given back, and the log cut down, while it is being copied.
        if number % 2 == 0 {
            assert_eq!(server.post(&format!("/handlers/g{number}/cancel?purge=true"), "").await.status, 200);
        }
    }
    let handler = server.begin("hitl", "{}").await;
    server.events(&handler, "").await.until("RequestEvent").await;
    let copies = tempfile::tempdir().expect("a folder");
    let mut tries = 0;
    let copy = until("the copy to have all", async || {
        tries += 1;
        let to = copies.path().join(tries.to_string());
        let there = litestream.restored(&server.data(), &to);
        let has = format!("select count(*) from run where handler = '{handler}' and updated_at = {}", updated(&server.data(), &handler));
        (there && query(&to, &has) == serde_json::json!([[1]])).then_some(to)
    })
    .await;
    assert_eq!(server.get("/health").await.status, 200);
    assert!(!server.log().contains("WARN"), "{}", server.log());
    server.kill();
    let again = Serve::guests(&["greeting", "hitl"])
        .start_on(|data| {
            fs::create_dir(data).expect("it is new");
            fs::copy(copy.join("wf-host.db"), data.join("wf-host.db")).expect("room");
        })
        .await;
    assert_eq!(again.get("/handlers/g0").await.status, 404);
    assert_eq!(again.ended("g1").await.text("status"), "completed");
    assert_eq!(again.send(&handler, "ResponseEvent", r#"{"response":"Ada"}"#).await.status, 200);
    assert_eq!(again.ended(&handler).await.value(), serde_json::json!({ "output": "Hello, Ada" }));
    again.check_store();
    let mode = fs::metadata(again.data().join("wf-host.db")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "whoever copied it has made it so that all could read it");
}

fn updated(data: &Path, handler: &str) -> u64 {
    query(data, &format!("select updated_at from run where handler = '{handler}'"))[0][0].as_u64().expect("a number")
}

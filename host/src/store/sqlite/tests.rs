//! What only shows from inside: plans, rows, and faults in the middle of a group.

mod disk;
mod faults;
mod many;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;

use super::{Sqlite, connect, statements};
use crate::model::RunsFilter;
use crate::store::rows::{Append, Ended, EntryRow, Follows, FrameRow, HostId, LogRow, NewRun, RunKey, Snapshot, Standing, Status};
use crate::store::{Error, Store};

/// Small tables by their nature: looking through them is no fault. Of commands only those that wait are looked through.
const SMALL: [&str; 8] = ["CONSTANT", "command", "component", "definition", "deleted", "host", "part", "sqlite_sequence"];

fn opened(folder: &Path) -> Sqlite {
    let lock = File::create(folder.join("lock")).expect("a file");
    Sqlite::open(&folder.join("wf-host.db"), lock).expect("it opens")
}

fn new(store: &Sqlite, run: &str) -> NewRun {
    NewRun {
        key: store.key(),
        host: HostId(1),
        run: run.into(),
        handler: run.into(),
        follows: Follows::Any,
        workflow: "greeting".into(),
        definition: vec!["one".into()],
        started_at: 1,
        preview: "{}".into(),
        entries: vec![EntryRow { seq: 0, bytes: b"{}".to_vec() }],
        frames: Vec::new(),
        copied: 0,
        logs: Vec::new(),
        standing: Standing::default(),
        runs_max: None,
        idempotency: None,
        waited: true,
    }
}

async fn created(store: &Sqlite, run: &str) -> RunKey {
    let new = new(store, run);
    let key = new.key;
    store.create(new).await.expect("created");
    key
}

fn append(run: RunKey, seq: u64) -> Append {
    Append {
        run,
        generation: 1,
        expected_seq: seq,
        entries: vec![EntryRow { seq, bytes: b"{}".to_vec() }],
        frames: Vec::new(),
        standing: Standing::default(),
        idempotency: None,
        logs: Vec::new(),
        snapshot: None,
        answer: None,
        waited: true,
    }
}

/// A value that is kept apart.
fn large(of: &str) -> String {
    format!(r#"{{"large":"{}"}}"#, of.repeat(100_000 / of.len()))
}

/// An append with the same large value in everything that it can be in.
fn everywhere(run: RunKey, seq: u64) -> Append {
    let value = large("same");
    let line = LogRow {
        invocation: 1,
        attempt: 0,
        source: "log".into(),
        number: 0,
        at: 1,
        level: "info".into(),
        message: "said".into(),
        fields: "{}".into(),
    };
    let ended = Ended { status: Status::Completed(value.clone().into()), at: 9, state: format!(r#"{{"kept":{value}}}"#).into() };
    Append {
        entries: vec![EntryRow { seq, bytes: format!(r#"{{"event":{value},"calls":[{{"answer":{value}}}]}}"#).into_bytes() }],
        frames: vec![FrameRow { sequence: seq, internal: false, terminal: true, json: format!(r#"{{"value":{value}}}"#).into() }],
        logs: vec![line],
        snapshot: Some(Snapshot { seq, bytes: Bytes::from(format!("[{value}]")) }),
        standing: Standing { ended: Some(ended), ..Standing::default() },
        ..append(run, seq)
    }
}

async fn count(store: &Sqlite, table: &'static str) -> i64 {
    let count = move |connection: &Connection| Ok(connection.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?);
    store.read(count).await.expect("a count")
}

#[tokio::test]
async fn no_statement_looks_through_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let (connection, _) = connect::open(&folder.path().join("wf-host.db")).expect("it opens");
    let mut faults = Vec::new();
    for (name, sql) in statements::ALL {
        let mut statement = connection.prepare(&format!("explain query plan {sql}")).expect(name);
        for parameter in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(parameter, 1).expect("bound");
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().expect("a plan") {
            let step: String = row.get(3).expect("a step");
            let scanned = step.strip_prefix("SCAN ").and_then(|it| it.split(' ').next());
            // What lists filter by is in their index as a whole.
            let partly = name.starts_with("KEYS_") && !step.contains("COVERING INDEX");
            if partly || step.contains("TEMP B-TREE") || scanned.is_some_and(|table| !SMALL.contains(&table)) {
                faults.push(format!("{name}: {step}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_large_value_is_kept_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    for run in ["first", "second"] {
        let run = created(&store, run).await;
        store.append(everywhere(run, 1)).await.expect("appended");
    }
    assert_eq!(count(&store, "blob").await, 1, "over entries, answers, frames, snapshots, results, states and runs");
    store.purge("first", false).await.expect("purged");
    tidied(&store).await;
    assert_eq!((count(&store, "blob").await, count(&store, "blob_use").await), (1, 1), "the other run needs it");
    store.purge("second", false).await.expect("purged");
    tidied(&store).await;
    for table in ["blob", "blob_use", "journal", "stream", "log", "snapshot", "ending"] {
        assert_eq!(count(&store, table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_runs_snapshots_stay_and_go_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    for seq in 1..5 {
        let bytes = Bytes::from(format!("[{}]", large(&seq.to_string())));
        store.append(Append { snapshot: Some(Snapshot { seq, bytes }), ..append(run, seq) }).await.expect("appended");
    }
    assert_eq!((count(&store, "snapshot").await, count(&store, "blob").await), (4, 4));
    store.purge("r", true).await.expect("purged");
    tidied(&store).await;
    assert_eq!((count(&store, "snapshot").await, count(&store, "blob").await, count(&store, "blob_use").await), (0, 0, 0));
}

#[tokio::test]
async fn half_a_million_lines_are_a_few_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    let line = |number| LogRow {
        invocation: 1,
        attempt: 0,
        source: "stdout".into(),
        number,
        at: 1,
        level: "info".into(),
        message: String::new(),
        fields: "{}".into(),
    };
    store.log(run, (0..500_000).map(line).collect()).await.expect("kept");
    assert_eq!(count(&store, "log").await, 1);
}

/// A line and an event of 16 MB: each is written once, and whoever comes behind them is not kept waiting.
#[tokio::test]
async fn what_is_very_large_is_written_once_and_holds_up_nobody() {
    const LARGE: usize = 16 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let (run, neighbour) = (created(&store, "r").await, created(&store, "neighbour").await);
    let size = || -> u64 {
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        files.map(|file| file.metadata().map_or(0, |it| it.len())).sum()
    };
    let before = size();
    let line = LogRow {
        invocation: 1,
        attempt: 0,
        source: "log".into(),
        number: 0,
        at: 1,
        level: "info".into(),
        message: "x".repeat(LARGE),
        fields: "{}".into(),
    };
    let logged = store.log(run, vec![line]);
    let entry = EntryRow { seq: 1, bytes: format!(r#"{{"event":"{}"}}"#, "y".repeat(LARGE)).into_bytes() };
    let appended = store.append(Append { entries: vec![entry], waited: false, ..append(run, 1) });
    let neighbours = async {
        for seq in 1..50 {
            store.append(append(neighbour, seq)).await.expect("appended");
        }
    };
    // Copied once for each of its pages it took minutes.
    tokio::time::timeout(std::time::Duration::from_secs(20), neighbours).await.expect("the neighbour goes on");
    logged.await.expect("kept");
    appended.await.expect("appended");
    // The log of the database, and the database: each has it at most once.
    let written = size() - before;
    assert!(written < 5 * LARGE as u64, "{written} bytes");
    assert_eq!((count(&store, "log").await, count(&store, "journal").await, count(&store, "blob").await), (1, 2 + 50, 2));
    assert_eq!(store.logs("r").await.expect("lines")[0].message.len(), LARGE);
}

#[tokio::test]
async fn readers_are_few() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let (now, most) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let questions: Vec<_> = (0..100)
        .map(|_| {
            let (now, most) = (now.clone(), most.clone());
            tokio::spawn(store.read(move |connection| {
                use std::sync::atomic::Ordering::SeqCst;
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                let sum: i64 = connection.query_row(
                    "with recursive n(n) as (select 1 union all select n + 1 from n limit 20000) select sum(n) from n",
                    [],
                    |row| row.get(0),
                )?;
                now.fetch_sub(1, SeqCst);
                Ok(sum)
            }))
        })
        .collect();
    for question in questions {
        question.await.expect("no panic").expect("an answer");
    }
    let most = most.load(std::sync::atomic::Ordering::SeqCst);
    assert!(most <= 8, "{most} at once");
}

/// A component is large, and its store is to be no larger than what is in it.
#[tokio::test]
async fn the_space_of_components_is_given_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let bytes = bytes::Bytes::from(vec![7; 8 << 20]);
    for digest in ["one", "other"] {
        store.put_component(digest, bytes.clone(), "{}".to_owned()).await.expect("kept");
    }
    assert_eq!(store.drop_components(vec!["other".to_owned()]).await, Ok(1));
    tidied(&store).await;
    let file = async || {
        let pages = |connection: &Connection| Ok(connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))?);
        store.read(pages).await.expect("a number")
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while file().await > (9 << 20) / 4096 {
        assert!(std::time::Instant::now() < until, "{} pages are left", file().await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    sound(&store).await;
    // Nothing goes: nothing is given back.
    assert_eq!(store.drop_components(vec!["other".to_owned()]).await, Ok(0));
    assert_eq!(count(&store, "deleted").await, 0);
}

/// Waits until nothing of what was deleted is left.
async fn tidied(store: &Sqlite) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while count(store, "deleted").await > 0 {
        assert!(std::time::Instant::now() < until, "rows are left");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// That nothing in the file contradicts itself.
async fn sound(store: &Sqlite) {
    let check = |connection: &Connection| Ok(connection.query_row("pragma integrity_check", [], |row| row.get::<_, String>(0))?);
    assert_eq!(store.read(check).await, Ok("ok".to_owned()));
}

fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_)) && error.hint().is_some()
}

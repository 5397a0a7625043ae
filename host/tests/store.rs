//! What every store does, and what SQLite does beside.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use wf_host::store::{
    Append, Ended, EntryRow, Error, Expiry, FrameRow, HandlersQuery, IdempotencyRow, LogRow, Made, NewRun, RunKey, RunsQuery, Status,
    Store, open, start_scope,
};

/// Runs each test on each store.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::open(Some("memory:"), std::path::Path::new("unused")).await.expect("it opens")).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                super::$name(super::open(None, folder.path()).await.expect("it opens")).await;
            })*
        }
    };
}

on_every_store!(
    a_run_is_there_once_it_is_created,
    a_handler_has_one_running_run,
    an_idempotency_key_is_taken_once,
    appends_name_the_place_and_the_owner,
    appends_take_effect_in_the_order_of_calls,
    a_refused_append_leaves_no_trace,
    frames_are_read_by_cursor,
    a_run_ends,
    handlers_are_listed_and_paged,
    runs_are_listed_newest_first,
    log_lines_are_kept_once,
    purge_deletes_everything,
    what_is_over_goes,
    components_go_when_no_run_needs_them,
    components_are_kept_by_digest,
    the_clock_never_goes_back,
    the_mark_of_a_graceful_stop_is_taken_once,
    many_runs_at_once,
);

type AnyStore = Arc<dyn Store>;

fn entry(seq: u64) -> EntryRow {
    EntryRow { seq, bytes: format!(r#"{{"seq":{seq}}}"#).into_bytes() }
}

fn frame(sequence: u64) -> FrameRow {
    FrameRow { sequence, internal: sequence % 2 == 1, terminal: false, json: Bytes::from(format!(r#"{{"n":{sequence}}}"#)) }
}

fn new(run: &str, handler: &str) -> NewRun {
    NewRun {
        run: run.into(),
        handler: handler.into(),
        workflow: "greeting".into(),
        definition: vec!["one".into(), "two".into()],
        started_at: 10,
        entry: entry(0),
        frames: vec![frame(0)],
        ended: None,
        idempotency: None,
    }
}

fn append(run: RunKey, generation: u64, seq: u64) -> Append {
    Append {
        run,
        generation,
        expected_seq: seq,
        entries: vec![entry(seq)],
        frames: vec![frame(seq)],
        updated_at: 10 + seq,
        ended: None,
        idempotency: None,
        logs: Vec::new(),
        waited: true,
    }
}

fn key(scope: &str, key: &str, made: Made) -> IdempotencyRow {
    IdempotencyRow { scope: scope.into(), key: key.into(), body: [7; 32], made }
}

async fn seqs(store: &AnyStore, key: RunKey) -> Vec<u64> {
    store.journal(key).await.expect("a journal").iter().map(|it| it.seq).collect()
}

async fn sequences(store: &AnyStore, run: &str, after: i64, limit: usize) -> Vec<u64> {
    store.frames(run, after, limit).await.expect("frames").iter().map(|it| it.sequence).collect()
}

async fn a_run_is_there_once_it_is_created(store: AnyStore) {
    assert_eq!(store.run("r").await.expect("an answer"), None);
    assert_eq!(store.handler("h").await.expect("an answer"), None);
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    assert_eq!(generation, 1);
    let summary = store.run("r").await.expect("an answer").expect("it is there");
    assert_eq!((summary.key, summary.run.as_str(), summary.handler.as_str(), summary.workflow.as_str()), (run, "r", "h", "greeting"));
    assert_eq!((summary.definition, summary.status, summary.started_at), (vec!["one".to_owned(), "two".to_owned()], Status::Running, 10));
    assert_eq!(summary.completed_at, None);
    assert_eq!(store.handler("h").await.expect("an answer").expect("it is there").run, "r");
    assert_eq!(store.journal(run).await.expect("a journal"), [entry(0)]);
    assert_eq!(store.frames("r", -1, 9).await.expect("frames"), [frame(0)]);
    assert_eq!(store.unfinished().await.expect("ids"), ["r"]);
}

async fn a_handler_has_one_running_run(store: AnyStore) {
    let (run, generation) = store.create(new("r1", "h")).await.expect("created");
    assert_eq!(store.create(new("r2", "h")).await, Err(Error::AlreadyRunning));
    let ended = Some(Ended { status: Status::Cancelled, at: 20 });
    store.append(Append { ended, ..append(run, generation, 1) }).await.expect("appended");
    store.create(new("r2", "h")).await.expect("the handler is free");
    assert_eq!(store.handler("h").await.expect("an answer").expect("it is there").run, "r2", "the newest");
    assert_eq!(store.run("r1").await.expect("an answer").expect("it stays").status, Status::Cancelled);
}

async fn an_idempotency_key_is_taken_once(store: AnyStore) {
    let row = key(&start_scope("greeting"), "k", Made::Run("r1".into()));
    let first = NewRun { idempotency: Some(row.clone()), ..new("r1", "h1") };
    let (run, generation) = store.create(first).await.expect("created");
    assert_eq!(store.idempotency(&row.scope, "k").await.expect("an answer"), Some(row.clone()));
    assert_eq!(store.idempotency(&row.scope, "other").await.expect("an answer"), None);
    let second = NewRun { idempotency: Some(key(&row.scope, "k", Made::Run("r2".into()))), ..new("r2", "h2") };
    assert_eq!(store.create(second).await, Err(Error::KeyTaken));
    assert_eq!(store.run("r2").await.expect("an answer"), None, "nothing of it is stored");
    let event = key("handler/h1", "k", Made::Event("e".into()));
    store.append(Append { idempotency: Some(event.clone()), ..append(run, generation, 1) }).await.expect("another scope");
    assert_eq!(store.idempotency("handler/h1", "k").await.expect("an answer"), Some(event.clone()));
    let again = Append { idempotency: Some(event), ..append(run, generation, 2) };
    assert_eq!(store.append(again).await, Err(Error::KeyTaken));
    assert_eq!(seqs(&store, run).await, [0, 1]);
}

async fn appends_name_the_place_and_the_owner(store: AnyStore) {
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    assert_eq!(store.append(append(run, generation, 2)).await, Err(Error::Stale), "a gap");
    assert_eq!(store.append(append(run, generation, 0)).await, Err(Error::Stale), "twice");
    store.append(append(run, generation, 1)).await.expect("the right place");
    let newer = store.acquire(run).await.expect("owned");
    assert!(newer > generation);
    assert_eq!(store.append(append(run, generation, 2)).await, Err(Error::Stale), "an older owner");
    store.append(append(run, newer, 2)).await.expect("the owner");
    assert_eq!(seqs(&store, run).await, [0, 1, 2]);
    assert_eq!(store.append(append(RunKey(99), 1, 1)).await, Err(Error::Gone));
    assert_eq!(store.acquire(RunKey(99)).await, Err(Error::Gone));
}

async fn appends_take_effect_in_the_order_of_calls(store: AnyStore) {
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let mut futures: Vec<_> = (1..=50).map(|seq| store.append(Append { waited: seq == 50, ..append(run, generation, seq) })).collect();
    // Polled from the last to the first.
    while let Some(future) = futures.pop() {
        future.await.expect("appended");
    }
    assert_eq!(seqs(&store, run).await, (0..=50).collect::<Vec<_>>());
    assert_eq!(store.last_sequence("r").await.expect("a number"), 50);
}

async fn a_refused_append_leaves_no_trace(store: AnyStore) {
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let good = store.append(append(run, generation, 1));
    let bad = store.append(append(run, generation, 7));
    let next = store.append(append(run, generation, 2));
    assert_eq!((good.await, bad.await, next.await), (Ok(()), Err(Error::Stale), Ok(())), "one group, three fates");
    assert_eq!(seqs(&store, run).await, [0, 1, 2]);
    assert_eq!(sequences(&store, "r", -1, 100).await, [0, 1, 2]);
}

async fn frames_are_read_by_cursor(store: AnyStore) {
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let many = Append { frames: (1..10).map(frame).collect(), ..append(run, generation, 1) };
    store.append(many).await.expect("appended");
    assert_eq!(sequences(&store, "r", -1, 100).await, (0..10).collect::<Vec<_>>());
    assert_eq!(sequences(&store, "r", 3, 100).await, [4, 5, 6, 7, 8, 9], "within what one append wrote");
    assert_eq!(sequences(&store, "r", 3, 2).await, [4, 5]);
    assert_eq!(sequences(&store, "r", 9, 100).await, [0; 0]);
    assert_eq!(store.frames("r", 6, 1).await.expect("frames"), [frame(7)]);
    assert_eq!(sequences(&store, "nobody", -1, 100).await, [0; 0]);
    assert_eq!((store.last_sequence("r").await, store.last_sequence("nobody").await), (Ok(9), Ok(-1)));
}

async fn a_run_ends(store: AnyStore) {
    for (place, status) in
        [Status::Completed(Bytes::from(r#"{"value":1}"#)), Status::Failed("why".into()), Status::Cancelled].into_iter().enumerate()
    {
        let (id, handler) = (format!("r{place}"), format!("h{place}"));
        let (run, generation) = store.create(new(&id, &handler)).await.expect("created");
        let ended = Some(Ended { status: status.clone(), at: 99 });
        store.append(Append { ended, updated_at: 99, ..append(run, generation, 1) }).await.expect("appended");
        let summary = store.run(&id).await.expect("an answer").expect("it is there");
        assert_eq!((summary.status, summary.completed_at, summary.updated_at), (status, Some(99), Some(99)));
    }
    assert_eq!(store.unfinished().await.expect("ids"), [""; 0]);
    let at_once = NewRun { ended: Some(Ended { status: Status::Cancelled, at: 10 }), ..new("r9", "h9") };
    store.create(at_once).await.expect("created");
    assert_eq!(store.run("r9").await.expect("an answer").expect("it is there").status, Status::Cancelled);
}

async fn handlers_are_listed_and_paged(store: AnyStore) {
    for (run, handler, workflow) in [("r1", "a", "x"), ("r2", "b", "y"), ("r3", "c", "x"), ("r4", "d", "x")] {
        let (key, generation) = store.create(NewRun { workflow: workflow.into(), ..new(run, handler) }).await.expect("created");
        if handler != "b" {
            let ended = Some(Ended { status: Status::Failed("no".into()), at: 20 });
            store.append(Append { ended, ..append(key, generation, 1) }).await.expect("appended");
        }
    }
    // Continued: it counts from its newest run.
    store.create(NewRun { workflow: "x".into(), ..new("r5", "a") }).await.expect("created");
    let list = async |query: HandlersQuery| {
        let found = store.handlers(query).await.expect("a list");
        found.into_iter().map(|it| it.handler).collect::<Vec<_>>().join(" ")
    };
    let all = HandlersQuery::default;
    assert_eq!(list(all()).await, "b c d a");
    assert_eq!(list(HandlersQuery { workflow: vec!["x".into()], ..all() }).await, "c d a");
    assert_eq!(list(HandlersQuery { workflow: vec!["x".into(), "y".into()], ..all() }).await, "b c d a");
    assert_eq!(list(HandlersQuery { status: vec!["failed".into()], ..all() }).await, "c d");
    assert_eq!(list(HandlersQuery { status: vec!["running".into()], workflow: vec!["x".into()], ..all() }).await, "a");
    assert_eq!(list(HandlersQuery { limit: Some(2), ..all() }).await, "b c");
    assert_eq!(list(HandlersQuery { limit: Some(2), after: Some("c".into()), ..all() }).await, "d a");
    assert_eq!(list(HandlersQuery { after: Some("a".into()), ..all() }).await, "");
    assert_eq!(list(HandlersQuery { after: Some("nobody".into()), ..all() }).await, "");
}

async fn log_lines_are_kept_once(store: AnyStore) {
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let line = |invocation, attempt, source: &str, number, message: &str| LogRow {
        invocation,
        attempt,
        source: source.into(),
        number,
        at: 5,
        level: "info".into(),
        message: message.into(),
        fields: "{}".into(),
    };
    let first = vec![line(2, 0, "log", 1, "later"), line(1, 1, "log", 0, "again"), line(1, 0, "stdout", 0, "first")];
    store.append(Append { logs: first, ..append(run, generation, 1) }).await.expect("appended");
    let repeated = vec![line(1, 0, "stdout", 0, "written again"), line(1, 0, "stdout", 1, "new")];
    store.append(Append { logs: repeated, entries: Vec::new(), frames: Vec::new(), ..append(run, generation, 2) }).await.expect("appended");
    let lines: Vec<String> = store.logs("r").await.expect("lines").into_iter().map(|it| it.message).collect();
    assert_eq!(lines, ["first", "new", "again", "later"]);
    assert_eq!(store.logs("nobody").await.expect("lines"), []);
    assert_eq!(seqs(&store, run).await, [0, 1], "lines alone are no entry");
}

/// Ends a new run of a handler at a time.
async fn over(store: &AnyStore, run: &str, handler: &str, workflow: &str, at: u64) {
    let ended = Ended { status: Status::Cancelled, at };
    store.create(NewRun { workflow: workflow.into(), ended: Some(ended), ..new(run, handler) }).await.expect("created");
}

async fn handlers(store: &AnyStore) -> Vec<String> {
    let runs = store.handlers(HandlersQuery::default()).await.expect("runs");
    runs.into_iter().map(|run| run.handler).collect()
}

async fn runs_are_listed_newest_first(store: AnyStore) {
    over(&store, "a1", "first", "tea", 100).await;
    over(&store, "b1", "second", "milk", 100).await;
    over(&store, "a2", "first", "tea", 300).await;
    store.create(new("c", "third")).await.expect("created");
    let of = async |query: RunsQuery| -> Vec<String> {
        let runs = store.runs(query).await.expect("runs");
        runs.into_iter().map(|run| run.run).collect()
    };
    let all = || RunsQuery { limit: 9, ..RunsQuery::default() };
    assert_eq!(of(all()).await, ["c", "a2", "b1", "a1"], "all of a handler's");
    assert_eq!(of(RunsQuery { status: vec!["cancelled".into()], ..all() }).await, ["a2", "b1", "a1"]);
    assert_eq!(of(RunsQuery { workflow: vec!["tea".into(), "milk".into()], limit: 2, ..all() }).await, ["a2", "b1"]);
    assert_eq!(of(RunsQuery { search: Some("first".into()), ..all() }).await, ["a2", "a1"]);
    assert_eq!(of(RunsQuery { search: Some("1".into()), ..all() }).await, ["b1", "a1"]);
    let before = store.run("b1").await.expect("an answer").map(|run| run.key);
    assert_eq!(of(RunsQuery { before, ..all() }).await, ["a1"]);
}

async fn what_is_over_goes(store: AnyStore) {
    let expiry = |before| Expiry { workflow: None, except: Vec::new(), before, max: 9 };
    over(&store, "a", "first", "tea", 100).await;
    over(&store, "b", "again", "tea", 100).await;
    over(&store, "c", "again", "tea", 300).await;
    over(&store, "d", "milk", "milk", 100).await;
    store.create(new("e", "running")).await.expect("created");
    assert_eq!(store.expire(expiry(100)).await, Ok(0), "not before its time");
    let milk = Expiry { workflow: Some("milk".into()), ..expiry(200) };
    assert_eq!(store.expire(Expiry { except: vec!["tea".into(), "milk".into()], ..expiry(200) }).await, Ok(0));
    assert_eq!(store.expire(milk).await, Ok(1));
    assert_eq!(handlers(&store).await, ["first", "again", "running"]);
    assert_eq!(store.expire(expiry(200)).await, Ok(1), "the newest run of a handler counts");
    assert_eq!(handlers(&store).await, ["again", "running"]);
    assert!(store.run("b").await.expect("an answer").is_some());
    over(&store, "f", "second", "tea", 50).await;
    assert_eq!(store.expire(Expiry { max: 1, ..expiry(1000) }).await, Ok(1), "what ended first goes first");
    assert_eq!(handlers(&store).await, ["again", "running"]);
    assert_eq!(store.expire(expiry(1000)).await, Ok(1));
    assert!(store.run("b").await.expect("an answer").is_none(), "with all its runs");
}

async fn components_go_when_no_run_needs_them(store: AnyStore) {
    for digest in ["one", "kept", "loose"] {
        store.put_component(digest, Bytes::from_static(b"\0asm"), "{}".into()).await.expect("kept");
    }
    // Of the definition `one two`.
    store.create(new("r", "h")).await.expect("created");
    assert_eq!(store.drop_components(vec!["kept".into()]).await, Ok(1));
    assert_eq!(store.component("loose").await, Ok(None));
    assert!(store.manifest("one").await.expect("an answer").is_some() && store.manifest("kept").await.expect("an answer").is_some());
    store.purge("h").await.expect("purged");
    assert_eq!(store.drop_components(Vec::new()).await, Ok(2));
}

async fn purge_deletes_everything(store: AnyStore) {
    let started = NewRun { idempotency: Some(key("workflow/greeting", "k", Made::Run("r".into()))), ..new("r", "h") };
    let (run, generation) = store.create(started).await.expect("created");
    store.create(new("other", "other")).await.expect("created");
    store.purge("h").await.expect("purged");
    assert_eq!(store.run("r").await.expect("an answer"), None);
    assert_eq!(store.handler("h").await.expect("an answer"), None);
    assert_eq!(seqs(&store, run).await, [0; 0]);
    assert_eq!(sequences(&store, "r", -1, 9).await, [0; 0]);
    assert_eq!(store.idempotency("workflow/greeting", "k").await.expect("an answer"), None);
    assert_eq!(store.append(append(run, generation, 1)).await, Err(Error::Gone));
    store.purge("h").await.expect("nothing to do");
    assert_eq!(store.unfinished().await.expect("ids"), ["other"]);
    let (again, _) = store.create(new("r2", "h")).await.expect("the handler is free");
    assert_ne!(again, run, "a key is never used again");
}

async fn components_are_kept_by_digest(store: AnyStore) {
    assert_eq!((store.manifest("d").await, store.component("d").await), (Ok(None), Ok(None)));
    store.put_component("d", Bytes::from_static(b"\0asm"), "{}".into()).await.expect("kept");
    store.put_component("d", Bytes::from_static(b"other"), "other".into()).await.expect("kept already");
    assert_eq!(store.manifest("d").await, Ok(Some("{}".into())));
    assert_eq!(store.component("d").await, Ok(Some(Bytes::from_static(b"\0asm"))));
}

async fn the_clock_never_goes_back(store: AnyStore) {
    assert_eq!(store.alive().await, Ok(0));
    store.save_alive(500).await.expect("saved");
    store.save_alive(400).await.expect("saved");
    assert_eq!(store.alive().await, Ok(500));
}

async fn the_mark_of_a_graceful_stop_is_taken_once(store: AnyStore) {
    assert_eq!(store.take_planned().await, Ok(false));
    store.mark_planned().await.expect("marked");
    store.mark_planned().await.expect("marked");
    assert_eq!(store.take_planned().await, Ok(true));
    assert_eq!(store.take_planned().await, Ok(false));
}

async fn many_runs_at_once(store: AnyStore) {
    let tasks: Vec<_> = (0..40)
        .map(|place| {
            let store = store.clone();
            tokio::spawn(async move {
                let (run, generation) = store.create(new(&format!("r{place}"), &format!("h{place}"))).await.expect("created");
                for seq in 1..20 {
                    store.append(append(run, generation, seq)).await.expect("appended");
                }
                run
            })
        })
        .collect();
    for task in tasks {
        let run = task.await.expect("no panic");
        assert_eq!(seqs(&store, run).await, (0..20).collect::<Vec<_>>());
    }
}

// --- SQLite alone

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join("wf-host.db")
}

#[tokio::test]
async fn sqlite_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(None, folder.path()).await.expect("it opens");
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let logs = vec![LogRow {
        invocation: 0,
        attempt: 0,
        source: "log".into(),
        number: 0,
        at: 1,
        level: "info".into(),
        message: "said".into(),
        fields: "{}".into(),
    }];
    store.append(Append { logs, ..append(run, generation, 1) }).await.expect("appended");
    // Nobody waits for this one; a clean end writes it all the same.
    let unwaited = store.append(Append { waited: false, ..append(run, generation, 2) });
    store.put_component("d", Bytes::from_static(b"\0asm"), "{}".into()).await.expect("kept");
    store.save_alive(77).await.expect("saved");
    store.mark_planned().await.expect("marked");
    drop(store);
    unwaited.await.expect("written before the end");

    let store = open(None, folder.path()).await.expect("it opens again");
    assert_eq!(seqs(&store, run).await, [0, 1, 2]);
    assert_eq!(sequences(&store, "r", -1, 9).await, [0, 1, 2]);
    assert_eq!(store.logs("r").await.expect("lines").len(), 1);
    assert_eq!(store.component("d").await, Ok(Some(Bytes::from_static(b"\0asm"))));
    assert_eq!((store.alive().await, store.take_planned().await), (Ok(77), Ok(true)));
    assert!(store.acquire(run).await.expect("owned") > generation);
}

#[tokio::test]
async fn sqlite_takes_one_host_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(None, folder.path()).await.expect("it opens");
    let Err(error) = open(None, folder.path()).await else { panic!("two hosts on one store") };
    assert!(error.to_string().starts_with("another wf-host uses"), "{error}");
    assert!(error.hint().is_some_and(|it| it.contains("--data-dir")));
    drop(store);
    open(None, folder.path()).await.expect("it is free again");
}

#[tokio::test]
async fn sqlite_does_not_touch_what_a_newer_host_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(None, folder.path()).await.expect("it opens"));
    let connection = rusqlite::Connection::open(database(folder.path())).expect("a database");
    connection.execute("insert into migration (version) values (99)", []).expect("written");
    drop(connection);
    let Err(error) = open(None, folder.path()).await else { panic!("it opened") };
    assert!(error.to_string().ends_with("was written by a newer wf-host (version 99 of the database)"), "{error}");
}

#[tokio::test]
async fn sqlite_says_when_its_file_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(None, folder.path()).await.expect("it opens");
    store.create(new("r", "h")).await.expect("created");
    drop(store);
    std::fs::write(database(folder.path()), b"SQLite format 3\0 and then nothing that fits".repeat(200)).expect("writable");
    let Err(error) = open(None, folder.path()).await else { panic!("it opened") };
    assert!(error.hint().is_some(), "{error}");
}

#[tokio::test]
async fn sqlite_refuses_while_it_cannot_write_and_goes_on_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(None, folder.path()).await.expect("it opens");
    let (run, generation) = store.create(new("r", "h")).await.expect("created");
    let other = rusqlite::Connection::open(database(folder.path())).expect("a database");
    other.execute_batch("begin immediate").expect("it holds the write lock");
    let refused = store.append(append(run, generation, 1)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(seqs(&store, run).await, [0], "readers go on");
    other.execute_batch("rollback").expect("it lets go");
    store.append(append(run, generation, 1)).await.expect("it can write again");
    assert_eq!(seqs(&store, run).await, [0, 1]);
}

#[tokio::test]
async fn sqlite_syncs_before_it_answers() {
    // Durability itself is shown by `kill -9` from outside; here, that the settings are the safe ones.
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(None, folder.path()).await.expect("it opens");
    store.create(new("r", "h")).await.expect("created");
    let other = rusqlite::Connection::open(database(folder.path())).expect("a database");
    let mode: String = other.query_row("pragma journal_mode", [], |row| row.get(0)).expect("a mode");
    assert_eq!(mode, "wal");
}

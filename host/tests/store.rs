//! What every store does. What SQLite does beside is in `sqlite`.

#[path = "store/golden.rs"]
mod golden;
#[path = "store/owners.rs"]
mod owners;
#[path = "store/rows.rs"]
mod rows;
#[path = "store/sqlite.rs"]
mod sqlite;
#[path = "store/turns.rs"]
mod turns;

use bytes::Bytes;
use rows::{AnyStore, HOST, append, created, ended, entry, frame, key, large, line, new, now, over, seqs, sequences};
use wf_engine::text::LEVEL_END;
use wf_host::model::{RunsFilter, RunsOrder, RunsPlace};
use wf_host::store::{
    Append, CommandId, Error, Expiry, FrameRow, HandlersQuery, IdempotencyRow, Made, NewRun, Past, RunKey, RunSummary, Snapshot, Standing,
    Status, Stored, Written, event_scope, open, start_scope,
};

/// Runs each test on each store, which one host has joined.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory_has {
            $(#[tokio::test]
            async fn $name() {
                let store = super::open(Some("memory:"), std::path::Path::new("unused")).await.expect("it opens");
                assert_eq!(store.join(super::now(0, 0)).await, Ok(super::HOST));
                super::$name(store).await;
            })*
        }
        mod sqlite_has {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                let store = super::open(None, folder.path()).await.expect("it opens");
                assert_eq!(store.join(super::now(0, 0)).await, Ok(super::HOST));
                super::$name(store).await;
            })*
        }
    };
}
pub(crate) use on_every_store;

on_every_store!(
    a_run_is_there_once_it_is_created,
    what_is_created_with_a_run_is_as_if_it_was_added,
    a_handler_has_one_running_run,
    keys_are_given_once,
    an_idempotency_key_is_taken_once,
    appends_name_the_place_and_the_owner,
    appends_take_effect_in_the_order_of_calls,
    a_refused_append_leaves_no_trace,
    frames_are_read_by_cursor,
    frames_are_read_in_bounded_parts,
    a_run_ends,
    a_run_is_loaded_from_its_newest_snapshot,
    a_run_is_loaded_as_it_was_from_the_snapshot_before,
    a_part_of_a_journal_is_bounded,
    large_results_are_listed_in_pages,
    large_values_come_back_as_they_were,
    handlers_are_listed_and_paged,
    runs_are_listed_newest_first,
    runs_are_listed_by_time,
    runs_that_wait_are_found_and_so_is_what_went_in_and_came_out,
    a_page_of_runs_is_bounded,
    runs_are_searched_in_parts,
    log_lines_are_replaced_when_written_again,
    log_lines_past_the_end_go,
    many_lines_at_once,
    lines_are_read_in_parts,
    purge_deletes_everything,
    purge_spares_what_runs,
    what_is_over_goes,
    what_is_over_is_told_from_the_newest_on,
    components_go_when_no_run_needs_them,
    components_are_kept_by_digest,
    the_clock_never_goes_back,
    who_watches_a_run_is_told,
    many_runs_at_once,
);

async fn a_run_is_there_once_it_is_created(store: AnyStore) {
    assert_eq!(store.run("r").await.expect("an answer"), None);
    assert_eq!(store.handler("h").await.expect("an answer"), None);
    let standing = Standing { updated_at: 11, waiting: Some("Answer".into()), ..Standing::default() };
    let new = NewRun { standing, ..new(&store, "r", "h") };
    let run = new.key;
    store.create(new).await.expect("created");
    let summary = store.run("r").await.expect("an answer").expect("it is there");
    assert_eq!((summary.key, summary.run.as_str(), summary.handler.as_str(), summary.workflow.as_str()), (run, "r", "h", "greeting"));
    assert_eq!((summary.definition, summary.status, summary.started_at), (vec!["one".to_owned(), "two".to_owned()], Status::Running, 10));
    assert_eq!((summary.updated_at, summary.completed_at), (Some(11), None));
    assert_eq!((summary.waiting.as_deref(), summary.queue.as_deref()), (Some("Answer"), None));
    assert_eq!((summary.preview.as_str(), summary.result_preview), (r#"{"name":"World"}"#, None));
    assert_eq!(store.handler("h").await.expect("an answer").expect("it is there").run, "r");
    assert_eq!(store.journal(run).await.expect("a journal"), [entry(0)]);
    assert_eq!(store.frames("r", -1, 9).await.expect("frames"), [frame(0)]);
    assert_eq!(store.final_state(run).await, Ok(None));
    assert_eq!(store.health(), Ok(()));
    let next = Standing { updated_at: 12, ..Standing::default() };
    store.append(Append { standing: next, ..append(run, 1, 1) }).await.expect("appended");
    let summary = store.run("r").await.expect("an answer").expect("it is there");
    assert_eq!((summary.updated_at, summary.waiting, summary.queue), (Some(12), None, None));
}

async fn what_is_created_with_a_run_is_as_if_it_was_added(store: AnyStore) {
    for (name, standing) in
        [("goes on", Standing { waiting: Some("Answer".into()), ..Standing::default() }), ("ends", ended(Status::Completed(large()), 30))]
    {
        let added = |run| {
            let logs = vec![line(0, 0, "log", 0, "said")];
            [Append { logs, waited: false, ..append(run, 1, 1) }, Append { standing: standing.clone(), ..append(run, 1, 2) }]
        };
        let (apart, together) = (format!("{name} apart"), format!("{name} together"));
        let key = created(&store, &apart, &apart).await;
        for append in added(key) {
            store.append(append).await.expect("appended");
        }
        let mut new = NewRun { waited: false, ..new(&store, &together, &together) };
        let of_both = new.key;
        assert!(added(new.key).into_iter().all(|append| new.with(append).is_none()) && new.waited, "{name}");
        // What belongs to no creation is given back, and nothing of it is taken.
        let taken = new.entries.len();
        let refused = [
            Append { snapshot: Some(Snapshot { seq: 3, bytes: large() }), ..append(new.key, 1, 3) },
            Append { idempotency: Some(key_of("k")), ..append(new.key, 1, 3) },
            Append { answer: Some((CommandId(1), Vec::new())), ..append(new.key, 1, 3) },
        ];
        assert!(refused.into_iter().all(|append| new.with(append).is_some()) && new.entries.len() == taken, "{name}");
        store.create(new).await.expect("created");
        let shown = async |key, run: &str| {
            let summary = store.run(run).await.expect("an answer").expect("it is there");
            let summary = RunSummary { key: of_both, run: String::new(), handler: String::new(), ..summary };
            let (frames, logs) = (store.frames(run, -1, 9).await, store.logs(run).await);
            (summary, store.journal(key).await, frames, logs, store.final_state(key).await)
        };
        assert_eq!(shown(key, &apart).await, shown(of_both, &together).await, "{name}");
    }
}

fn key_of(name: &str) -> IdempotencyRow {
    key("handler/h", name, Made::Event("e".into()))
}

async fn a_handler_has_one_running_run(store: AnyStore) {
    let run = created(&store, "r1", "h").await;
    assert_eq!(store.create(new(&store, "r2", "h")).await, Err(Error::AlreadyRunning));
    assert_eq!(store.create(new(&store, "r1", "other")).await, Err(Error::AlreadyRunning), "a run's id is its own");
    store.append(Append { standing: ended(Status::Cancelled, 20), ..append(run, 1, 1) }).await.expect("appended");
    created(&store, "r2", "h").await;
    assert_eq!(store.handler("h").await.expect("an answer").expect("it is there").run, "r2", "the newest");
    assert_eq!(store.run("r1").await.expect("an answer").expect("it stays").status, Status::Cancelled);
}

async fn keys_are_given_once(store: AnyStore) {
    let given: Vec<RunKey> = (0..3).map(|_| store.key()).collect();
    assert!(given[0] < given[1] && given[1] < given[2], "{given:?}");
    // Created in another order: the newest is the one that came last.
    let with = |key, run: &str| NewRun { key, standing: ended(Status::Cancelled, 20), ..new(&store, run, "h") };
    store.create(with(given[2], "first")).await.expect("created");
    store.create(with(given[0], "second")).await.expect("created");
    assert_eq!(store.handler("h").await.expect("an answer").expect("it is there").run, "second");
    assert_eq!(handlers(&store).await, ["h"]);
}

async fn an_idempotency_key_is_taken_once(store: AnyStore) {
    let row = key(&start_scope("greeting"), "k", Made::Run("r1".into()));
    let first = NewRun { idempotency: Some(row.clone()), ..new(&store, "r1", "h1") };
    let run = first.key;
    store.create(first).await.expect("created");
    assert_eq!(store.idempotency(&row.scope, "k").await.expect("an answer"), Some(row.clone()));
    assert_eq!(store.idempotency(&row.scope, "other").await.expect("an answer"), None);
    let second = NewRun { idempotency: Some(key(&row.scope, "k", Made::Run("r2".into()))), ..new(&store, "r2", "h2") };
    assert_eq!(store.create(second).await, Err(Error::KeyTaken));
    assert_eq!(store.run("r2").await.expect("an answer"), None, "nothing of it is stored");
    let event = key(&event_scope("h1"), "k", Made::Event("e".into()));
    store.append(Append { idempotency: Some(event.clone()), ..append(run, 1, 1) }).await.expect("another scope");
    assert_eq!(store.idempotency("handler/h1", "k").await.expect("an answer"), Some(event.clone()));
    let again = Append { idempotency: Some(event), ..append(run, 1, 2) };
    assert_eq!(store.append(again).await, Err(Error::KeyTaken));
    assert_eq!(seqs(&store, run).await, [0, 1]);
}

async fn appends_name_the_place_and_the_owner(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    assert_eq!(store.append(append(run, 1, 2)).await, Err(Error::Stale), "a gap");
    assert_eq!(store.append(append(run, 1, 0)).await, Err(Error::Stale), "twice");
    store.append(append(run, 1, 1)).await.expect("the right place");
    let newer = store.acquire(HOST, "r", now(1, 1)).await.expect("owned").generation;
    assert_eq!(store.append(append(run, 1, 2)).await, Err(Error::Stale), "an older owner");
    store.append(append(run, newer, 2)).await.expect("the owner");
    assert_eq!(seqs(&store, run).await, [0, 1, 2]);
    assert_eq!(store.append(append(RunKey(99), 1, 1)).await, Err(Error::Gone));
    store.append(Append { standing: ended(Status::Cancelled, 20), ..append(run, newer, 3) }).await.expect("the end");
    assert_eq!(store.append(append(run, newer, 4)).await, Err(Error::Stale), "nothing follows the end");
}

async fn appends_take_effect_in_the_order_of_calls(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let mut futures: Vec<_> = (1..=50).map(|seq| store.append(Append { waited: seq == 50, ..append(run, 1, seq) })).collect();
    // Polled from the last to the first.
    while let Some(future) = futures.pop() {
        future.await.expect("appended");
    }
    assert_eq!(seqs(&store, run).await, (0..=50).collect::<Vec<_>>());
    assert_eq!(store.last_sequence("r").await.expect("a number"), 50);
}

async fn a_refused_append_leaves_no_trace(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let good = store.append(append(run, 1, 1));
    let bad = store.append(append(run, 1, 7));
    let next = store.append(append(run, 1, 2));
    assert_eq!((good.await, bad.await, next.await), (Ok(()), Err(Error::Stale), Ok(())), "one group, three fates");
    assert_eq!(seqs(&store, run).await, [0, 1, 2]);
    assert_eq!(sequences(&store, "r", -1, 100).await, [0, 1, 2]);
}

async fn frames_are_read_by_cursor(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let many = Append { frames: (1..10).map(frame).collect(), ..append(run, 1, 1) };
    store.append(many).await.expect("appended");
    assert_eq!(sequences(&store, "r", -1, 100).await, (0..10).collect::<Vec<_>>());
    assert_eq!(sequences(&store, "r", 3, 100).await, [4, 5, 6, 7, 8, 9], "within what one append wrote");
    assert_eq!(sequences(&store, "r", 3, 2).await, [4, 5]);
    assert_eq!(sequences(&store, "r", 9, 100).await, [0; 0]);
    assert_eq!(store.frames("r", 6, 1).await.expect("frames"), [frame(7)]);
    assert_eq!(sequences(&store, "nobody", -1, 100).await, [0; 0]);
    assert_eq!((store.last_sequence("r").await, store.last_sequence("nobody").await), (Ok(9), Ok(-1)));
}

async fn frames_are_read_in_bounded_parts(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let large = |sequence| FrameRow { json: format!(r#""{sequence}{}""#, "x".repeat(3 << 20)).into(), ..frame(sequence) };
    store.append(Append { frames: (1..6).map(large).collect(), ..append(run, 1, 1) }).await.expect("appended");
    let mut after = 0;
    while after < 5 {
        let some = store.frames("r", after, 100).await.expect("frames");
        assert!((1..=2).contains(&some.len()), "{} frames of 3 MiB at once", some.len());
        assert_eq!(some[0], large(after as u64 + 1));
        after = some.last().expect("one").sequence as i64;
    }
}

async fn a_run_ends(store: AnyStore) {
    for (place, (status, preview)) in [
        (Status::Completed(Bytes::from(r#"{"value":1}"#)), Some(r#"{"value":1}"#)),
        (Status::Failed("why".into()), Some("why")),
        (Status::Cancelled, None),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, handler) = (format!("r{place}"), format!("h{place}"));
        let run = created(&store, &id, &handler).await;
        store.append(Append { standing: ended(status.clone(), 99), ..append(run, 1, 1) }).await.expect("appended");
        let summary = store.run(&id).await.expect("an answer").expect("it is there");
        assert_eq!((summary.status, summary.completed_at, summary.updated_at), (status, Some(99), Some(99)));
        assert_eq!(summary.result_preview.as_deref(), preview);
        assert_eq!(store.final_state(run).await, Ok(Some(Bytes::from_static(br#"{"count":1}"#))));
    }
    over(&store, "r9", "h9", "greeting", 10).await;
    assert_eq!(store.run("r9").await.expect("an answer").expect("it is there").status, Status::Cancelled, "at once");
    let long = created(&store, "r10", "h10").await;
    store.append(Append { standing: ended(Status::Failed("é".repeat(1000)), 99), ..append(long, 1, 1) }).await.expect("appended");
    let summary = store.run("r10").await.expect("an answer").expect("it is there");
    assert_eq!(summary.result_preview, Some("é".repeat(200)));
}

async fn a_run_is_loaded_from_its_newest_snapshot(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    assert_eq!(store.load(run).await, Ok(Stored { snapshot: None, entries: vec![entry(0)] }));
    let snapshot = |seq, text: &str| Some(Snapshot { seq, bytes: text.to_owned().into() });
    store.append(Append { entries: vec![entry(1), entry(2)], snapshot: snapshot(2, "[2]"), ..append(run, 1, 1) }).await.expect("appended");
    assert_eq!(store.load(run).await, Ok(Stored { snapshot: snapshot(2, "[2]"), entries: vec![] }));
    store.append(Append { entries: vec![entry(3), entry(4)], ..append(run, 1, 3) }).await.expect("appended");
    assert_eq!(store.load(run).await, Ok(Stored { snapshot: snapshot(2, "[2]"), entries: vec![entry(3), entry(4)] }));
    store.append(Append { snapshot: snapshot(5, "[5]"), ..append(run, 1, 5) }).await.expect("appended");
    store.append(append(run, 1, 6)).await.expect("appended");
    assert_eq!(store.load(run).await, Ok(Stored { snapshot: snapshot(5, "[5]"), entries: vec![entry(6)] }));
    assert_eq!(seqs(&store, run).await, [0, 1, 2, 3, 4, 5, 6], "the journal stays whole");
    assert_eq!(store.load(RunKey(99)).await, Ok(Stored { snapshot: None, entries: vec![] }));
}

async fn a_run_is_loaded_as_it_was_from_the_snapshot_before(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let snapshot = |seq: u64| Some(Snapshot { seq, bytes: format!("[{seq}]").into() });
    // In appends of two entries, and a snapshot with each second of them.
    for seq in (1..20).step_by(2) {
        let snapshot = if seq % 4 == 3 { snapshot(seq + 1) } else { None };
        store.append(Append { entries: vec![entry(seq), entry(seq + 1)], snapshot, ..append(run, 1, seq) }).await.expect("appended");
    }
    for after in 0..25 {
        let newest = (1..=5).map(|it| it * 4).rfind(|it| *it <= after);
        for limit in [0, 1, 3, 100] {
            let past = store.load_at(run, Some(after), limit as usize).await.expect("it is there");
            let entries = newest.map_or(0, |it| it + 1)..=(after + limit).min(20);
            let expected = Past { snapshot: newest.and_then(snapshot), entries: entries.map(entry).collect(), length: 21 };
            assert_eq!(past, expected, "after {after}, at most {limit}");
        }
    }
    let first = Past { snapshot: None, entries: (0..3).map(entry).collect(), length: 21 };
    assert_eq!(store.load_at(run, None, 3).await, Ok(first));
    assert_eq!(store.load(run).await.expect("a run").snapshot, snapshot(20));
    let nothing = Past { snapshot: None, entries: Vec::new(), length: 0 };
    assert_eq!(store.load_at(RunKey(99), Some(9), 9).await, Ok(nothing.clone()));
    store.purge("h", true).await.expect("purged");
    assert_eq!(store.load_at(run, Some(9), 9).await, Ok(nothing));
}

async fn a_part_of_a_journal_is_bounded(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let large = |seq| wf_host::store::EntryRow { seq, bytes: format!(r#"{{"seq":{seq},"value":"{}"}}"#, "x".repeat(3 << 20)).into_bytes() };
    store.append(Append { entries: (1..6).map(large).collect(), ..append(run, 1, 1) }).await.expect("appended");
    let read = async |after, limit| -> Vec<u64> {
        store.load_at(run, after, limit).await.expect("it is there").entries.iter().map(|it| it.seq).collect()
    };
    assert_eq!(read(None, 9).await, [0, 1, 2], "as soon as it is more than 4 MiB");
    assert_eq!(read(Some(3), 9).await, [0, 1, 2, 3, 4, 5], "those until there are all needed");
    assert_eq!(read(Some(5), 9).await, [0, 1, 2, 3, 4, 5]);
}

async fn large_results_are_listed_in_pages(store: AnyStore) {
    let result = Bytes::from(format!(r#"{{"value":"{}"}}"#, "x".repeat(3 << 20)));
    for handler in ["a", "b", "c", "d", "e"] {
        let run = created(&store, handler, handler).await;
        let standing = ended(Status::Completed(result.clone()), 20);
        store.append(Append { standing, ..append(run, 1, 1) }).await.expect("appended");
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.handlers(HandlersQuery { limit: 100, after, ..HandlersQuery::default() }).await.expect("handlers");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3, "{} results of 3 MiB at once", page.len());
        after = Some(last.key);
        seen.extend(page.into_iter().map(|it| it.handler));
    }
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}

async fn large_values_come_back_as_they_were(store: AnyStore) {
    let large = format!(r#"{{"a" : "{}\"\\", "b":[1.50, {{}}]}}"#, "é".repeat(50_000));
    let entries: Vec<_> = (1..4)
        .map(|seq| wf_host::store::EntryRow { seq, bytes: format!(r#"{{"seq":{seq},"event":{large}, "again":{large}}}"#).into_bytes() })
        .collect();
    let frames = vec![FrameRow { json: format!(r#"{{"value":{large}}}"#).into(), ..frame(1) }, frame(2)];
    let state = Bytes::from(format!(r#"{{"kept":{large}}}"#));
    let mut standing = ended(Status::Completed(large.clone().into()), 9);
    standing.ended.as_mut().expect("it ends").state = state.clone();
    let snapshot = Some(Snapshot { seq: 3, bytes: format!("[{large}]").into() });
    let run = created(&store, "r", "h").await;
    store
        .append(Append {
            entries: entries.clone(),
            frames: frames.clone(),
            logs: vec![line(1, 0, "log", 0, &large)],
            standing,
            snapshot: snapshot.clone(),
            ..append(run, 1, 1)
        })
        .await
        .expect("appended");
    assert_eq!(store.journal(run).await.expect("a journal")[1..], entries);
    assert_eq!(store.frames("r", 0, 9).await.expect("frames"), frames);
    assert_eq!(store.logs("r").await.expect("lines"), [line(1, 0, "log", 0, &large)]);
    assert_eq!(store.final_state(run).await, Ok(Some(state)));
    assert_eq!(store.load(run).await.expect("a run").snapshot, snapshot);
    let status = store.run("r").await.expect("an answer").expect("it is there").status;
    assert_eq!(status, Status::Completed(large.into()));
}

async fn handlers_are_listed_and_paged(store: AnyStore) {
    let mut keys = Vec::new();
    for (run, handler, workflow) in [("r1", "a", "x"), ("r2", "b", "y"), ("r3", "c", "x"), ("r4", "d", "x")] {
        let new = NewRun { workflow: workflow.into(), ..new(&store, run, handler) };
        let key = new.key;
        store.create(new).await.expect("created");
        keys.push(key);
        if handler != "b" {
            store.append(Append { standing: ended(Status::Failed("no".into()), 20), ..append(key, 1, 1) }).await.expect("appended");
        }
    }
    // Continued: it counts from its newest run.
    store.create(NewRun { workflow: "x".into(), ..new(&store, "r5", "a") }).await.expect("created");
    let list = async |query: HandlersQuery| {
        let found = store.handlers(query).await.expect("a list");
        found.into_iter().map(|it| it.handler).collect::<Vec<_>>().join(" ")
    };
    let all = || HandlersQuery { limit: 9, ..HandlersQuery::default() };
    assert_eq!(list(all()).await, "b c d a");
    assert_eq!(list(HandlersQuery { limit: usize::MAX, ..all() }).await, "b c d a");
    assert_eq!(list(HandlersQuery { workflow: vec!["x".into()], ..all() }).await, "c d a");
    assert_eq!(list(HandlersQuery { workflow: vec!["x".into(), "y".into(), "x".into()], ..all() }).await, "b c d a");
    assert_eq!(list(HandlersQuery { status: vec!["failed".into()], ..all() }).await, "c d");
    assert_eq!(list(HandlersQuery { status: vec!["running".into()], workflow: vec!["x".into()], ..all() }).await, "a");
    assert_eq!(list(HandlersQuery { status: vec!["unheard of".into()], ..all() }).await, "");
    assert_eq!(list(HandlersQuery { limit: 2, ..all() }).await, "b c");
    assert_eq!(list(HandlersQuery { limit: 2, after: Some(keys[2]), ..all() }).await, "d a");
    assert_eq!(list(HandlersQuery { status: vec!["failed".into()], after: Some(keys[2]), ..all() }).await, "d");
    let newest = store.handler("a").await.expect("an answer").map(|run| run.key);
    assert_eq!(list(HandlersQuery { after: newest, ..all() }).await, "");
    // One that has only older runs has runs, too.
    over(&store, "r6", "c", "z", 30).await;
    over(&store, "r7", "c", "x", 31).await;
    assert_eq!(store.workflows().await.expect("names"), ["x", "y", "z"]);
}

async fn log_lines_are_replaced_when_written_again(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let first = vec![line(2, 0, "log", 1, "later"), line(1, 1, "log", 0, "again"), line(1, 0, "stdout", 0, "first")];
    store.append(Append { logs: first, ..append(run, 1, 1) }).await.expect("appended");
    let repeated = vec![line(1, 0, "stdout", 0, "written again"), line(1, 0, "stdout", 1, "new"), line(1, 0, "stdout", 1, "newer")];
    store.log(run, repeated).await.expect("kept");
    store.log(run, Vec::new()).await.expect("nothing to keep");
    let lines: Vec<String> = store.logs("r").await.expect("lines").into_iter().map(|it| it.message).collect();
    assert_eq!(lines, ["written again", "newer", "again", "later"]);
    assert_eq!(store.logs("nobody").await.expect("lines"), []);
    assert_eq!(seqs(&store, run).await, [0, 1], "lines alone are no entry");
    store.log(RunKey(99), vec![line(1, 0, "log", 0, "to nobody")]).await.expect("nothing, where there is no run");
}

/// An entry that was lost may have written more than the one after it.
async fn log_lines_past_the_end_go(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let said = |attempt, source, number| line(1, attempt, source, number, "said");
    let end = |attempt, source, number| wf_host::store::LogRow { level: LEVEL_END.into(), ..line(1, attempt, source, number, "") };
    let others = [said(0, "stderr", 4), said(1, "log", 7), line(2, 0, "log", 7, "said")];
    let lost = (0..5).map(|number| said(0, "log", number)).chain((0..3).map(|number| said(0, "stdout", number)));
    store.log(run, lost.chain(others.clone()).collect()).await.expect("kept");
    store.log(run, vec![said(0, "log", 1), end(0, "log", 2), end(0, "stdout", 0)]).await.expect("kept");
    let left = [said(0, "log", 0), said(0, "log", 1)].into_iter().chain(others).collect();
    assert_eq!(store.logs("r").await, Ok(left));
    store.append(Append { logs: vec![end(0, "log", 0), said(0, "log", 0)], ..append(run, 1, 1) }).await.expect("appended");
    let again: Vec<u64> = store.logs("r").await.expect("lines").iter().map(|line| line.number).collect();
    assert_eq!(again, [0, 4, 7, 7], "what is written after it is there");
}

async fn many_lines_at_once(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let lines: Vec<_> = (0..100_000).map(|number| line(1, 0, "stdout", number, "")).collect();
    store.log(run, lines.clone()).await.expect("kept");
    assert_eq!(store.logs("r").await.expect("lines"), lines);
}

/// All parts together tell what is there, whatever was written again and went in between.
async fn lines_are_read_in_parts(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    let said = |number, message: &str| line(1, 0, "log", number, message);
    let numbers = |written: &Written| written.lines.iter().map(|it| it.number).collect::<Vec<_>>();
    for number in 0..5 {
        store.log(run, vec![said(number, "said")]).await.expect("kept");
    }
    let one = store.written("r", 0, 2).await.expect("a part");
    assert_eq!((numbers(&one), one.more), (vec![0, 1], true));
    let other = store.written("r", one.last, 9).await.expect("a part");
    assert_eq!((numbers(&other), other.more), (vec![2, 3, 4], false));
    let none = store.written("r", other.last, 9).await.expect("a part");
    assert_eq!(none, Written { last: other.last, ..Written::default() });
    let end = wf_host::store::LogRow { level: LEVEL_END.into(), ..said(2, "") };
    store.log(run, vec![said(1, "again")]).await.expect("kept");
    store.log(run, vec![end.clone()]).await.expect("kept");
    let news = store.written("r", other.last, 9).await.expect("a part");
    assert_eq!((news.lines, news.more), (vec![said(1, "again"), end], false));
    assert_eq!(store.logs("r").await, Ok(vec![said(0, "said"), said(1, "again")]));
    assert_eq!(store.written("r", u64::MAX, 9).await, Ok(Written { last: u64::MAX, ..Written::default() }));
    assert_eq!(store.written("nobody", 7, 9).await.expect("an answer").lines, []);
    // Large lines end a part before its limit does.
    let large = said(9, &"x".repeat(3 << 20));
    for number in 10..14 {
        store.log(run, vec![wf_host::store::LogRow { number, ..large.clone() }]).await.expect("kept");
    }
    let part = store.written("r", news.last, 9).await.expect("a part");
    assert_eq!((numbers(&part), part.more), (vec![10, 11], true));
}

async fn handlers(store: &AnyStore) -> Vec<String> {
    let runs = store.handlers(HandlersQuery { limit: usize::MAX, ..HandlersQuery::default() }).await.expect("runs");
    runs.into_iter().map(|run| run.handler).collect()
}

async fn runs_are_listed_newest_first(store: AnyStore) {
    over(&store, "a1", "first", "tea", 100).await;
    over(&store, "b1", "second", "milk", 100).await;
    over(&store, "a2", "first", "tea", 300).await;
    created(&store, "c", "third").await;
    let of = async |query: RunsFilter| -> (Vec<String>, Option<RunsPlace>) {
        let page = store.runs(query).await.expect("runs");
        (page.runs.into_iter().map(|run| run.run).collect(), page.next)
    };
    let ids = async |query: RunsFilter| {
        let (ids, next) = of(query).await;
        assert_eq!(next, None);
        ids
    };
    let all = || RunsFilter { limit: 4, ..RunsFilter::default() };
    assert_eq!(ids(all()).await, ["c", "a2", "b1", "a1"], "all of a handler's");
    assert_eq!(ids(RunsFilter { status: vec!["cancelled".into()], ..all() }).await, ["a2", "b1", "a1"]);
    assert_eq!(ids(RunsFilter { status: vec!["cancelled".into(), "running".into()], ..all() }).await, ["c", "a2", "b1", "a1"]);
    assert_eq!(ids(RunsFilter { status: vec!["completed".into()], ..all() }).await, [""; 0]);
    assert_eq!(ids(RunsFilter { status: vec!["cancelled".into()], workflow: vec!["milk".into()], ..all() }).await, ["b1"]);
    let two = RunsFilter { workflow: vec!["tea".into(), "milk".into()], limit: 2, ..all() };
    let (found, next) = of(two.clone()).await;
    assert_eq!(found, ["a2", "b1"]);
    assert_eq!(of(RunsFilter { after: next, ..two }).await, (vec!["a1".into()], None));
    assert_eq!(ids(RunsFilter { search: Some("first".into()), ..all() }).await, ["a2", "a1"]);
    assert_eq!(ids(RunsFilter { search: Some("1".into()), ..all() }).await, ["b1", "a1"]);
    let (found, next) = of(RunsFilter { search: Some("first".into()), limit: 1, ..all() }).await;
    assert_eq!(found, ["a2"]);
    assert_eq!(of(RunsFilter { search: Some("first".into()), after: next, limit: 1, ..all() }).await.0, ["a1"]);
    let after = store.run("b1").await.expect("an answer").map(|run| RunsPlace { at: 0, key: run.key.0 });
    assert_eq!(ids(RunsFilter { after, ..all() }).await, ["a1"]);
    assert_eq!(ids(RunsFilter { newest: true, ..all() }).await, ["c", "a2", "b1"]);
    assert_eq!(ids(RunsFilter { handler: Some("first".into()), ..all() }).await, ["a2", "a1"]);
    let (found, next) = of(RunsFilter { handler: Some("first".into()), limit: 1, ..all() }).await;
    assert_eq!((found, next.is_some()), (vec!["a2".to_owned()], true));
    assert_eq!(ids(RunsFilter { handler: Some("first".into()), after: next, ..all() }).await, ["a1"]);
    assert_eq!(ids(RunsFilter { handler: Some("first".into()), newest: true, ..all() }).await, ["a2"]);
}

/// By when they began or ended, from a time to another, page by page.
async fn runs_are_listed_by_time(store: AnyStore) {
    for (place, at) in [10, 30, 20].into_iter().enumerate() {
        let run = format!("r{place}");
        let new = NewRun { started_at: at, ..new(&store, &run, &run) };
        let key = new.key;
        store.create(new).await.expect("created");
        if place != 1 {
            store.append(Append { standing: ended(Status::Cancelled, 100 - at), ..append(key, 1, 1) }).await.expect("appended");
        }
    }
    let ids = async |filter: RunsFilter| {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = store.runs(RunsFilter { after, limit: 1, ..filter.clone() }).await.expect("runs");
            ids.extend(page.runs.into_iter().map(|run| run.run));
            after = page.next;
            if after.is_none() {
                return ids;
            }
        }
    };
    let of = |order| RunsFilter { order, ..RunsFilter::default() };
    assert_eq!(ids(of(RunsOrder::Newest)).await, ["r2", "r1", "r0"], "as they were created");
    assert_eq!(ids(of(RunsOrder::Oldest)).await, ["r0", "r2", "r1"]);
    assert_eq!(ids(of(RunsOrder::LastEnded)).await, ["r0", "r2"]);
    assert_eq!(ids(of(RunsOrder::FirstEnded)).await, ["r2", "r0"]);
    assert_eq!(ids(RunsFilter { since: Some(20), ..of(RunsOrder::Newest) }).await, ["r1", "r2"]);
    assert_eq!(ids(RunsFilter { since: Some(10), until: Some(30), ..of(RunsOrder::Newest) }).await, ["r2", "r0"]);
    assert_eq!(ids(RunsFilter { since: Some(10), until: Some(30), ..of(RunsOrder::Oldest) }).await, ["r0", "r2"]);
    assert_eq!(ids(RunsFilter { since: Some(85), ..of(RunsOrder::FirstEnded) }).await, ["r0"]);
    assert_eq!(ids(RunsFilter { status: vec!["running".into()], ..of(RunsOrder::Oldest) }).await, ["r1"]);
    assert_eq!(ids(RunsFilter { workflow: vec!["another".into()], ..of(RunsOrder::Oldest) }).await, [""; 0]);
}

/// Those that wait stand apart from those that go on, and what went in and came out is searched.
async fn runs_that_wait_are_found_and_so_is_what_went_in_and_came_out(store: AnyStore) {
    let waits = created(&store, "waits", "h").await;
    let standing = Standing { updated_at: 5, waiting: Some(r#"[{"types":["Answer"]}]"#.into()), ..Standing::default() };
    store.append(Append { standing: standing.clone(), ..append(waits, 1, 1) }).await.expect("appended");
    store.create(NewRun { preview: r#"{"name":"Ada"}"#.into(), ..new(&store, "goes", "i") }).await.expect("created");
    let ends = created(&store, "ends", "j").await;
    let status = Status::Failed("no such Customer".to_owned());
    store.append(Append { standing: ended(status, 9), ..append(ends, 1, 1) }).await.expect("appended");
    let ids = async |filter: RunsFilter| -> Vec<String> {
        let page = store.runs(RunsFilter { limit: 9, ..filter }).await.expect("runs");
        page.runs.into_iter().map(|run| run.run).collect()
    };
    let of = |status: &[&str]| RunsFilter { status: status.iter().map(|it| (*it).to_owned()).collect(), ..RunsFilter::default() };
    assert_eq!(ids(of(&["waiting"])).await, ["waits"]);
    assert_eq!(ids(of(&["running"])).await, ["goes"]);
    assert_eq!(ids(of(&["running", "waiting"])).await, ["goes", "waits"]);
    assert_eq!(ids(of(&["failed", "waiting"])).await, ["ends", "waits"]);
    let of_workflow = |name: &str| RunsFilter { workflow: vec![name.to_owned()], ..of(&["waiting"]) };
    assert_eq!(ids(of_workflow("greeting")).await, ["waits"]);
    assert_eq!(ids(of_workflow("another")).await, [""; 0]);
    let search = |text: &str| RunsFilter { search: Some(text.to_owned()), ..RunsFilter::default() };
    assert_eq!(ids(search("ADA")).await, ["goes"]);
    assert_eq!(ids(search("customer")).await, ["ends"]);
    store.append(Append { standing: Standing { updated_at: 6, ..Standing::default() }, ..append(waits, 1, 2) }).await.expect("appended");
    assert_eq!(ids(of(&["waiting"])).await, [""; 0]);
    assert_eq!(ids(of(&["running"])).await, ["goes", "waits"]);
}

async fn a_page_of_runs_is_bounded(store: AnyStore) {
    for place in 0..5 {
        let run = created(&store, &format!("r{place}"), &format!("h{place}")).await;
        let result = format!(r#"{{"{place}":"{}"}}"#, "x".repeat(5 << 20));
        store.append(Append { standing: ended(Status::Completed(result.into()), 9), ..append(run, 1, 1) }).await.expect("appended");
    }
    let (mut found, mut before) = (0, None);
    loop {
        let page = store.runs(RunsFilter { after: before, limit: 100, ..RunsFilter::default() }).await.expect("runs");
        assert!(page.runs.len() <= 2, "{} results of 5 MiB at once", page.runs.len());
        found += page.runs.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, 5);
}

async fn runs_are_searched_in_parts(store: AnyStore) {
    created(&store, "needle", "h").await;
    let many: Vec<_> = (0..12_000).map(|place| store.create(new(&store, &format!("r{place}"), &format!("h{place}")))).collect();
    for one in many {
        one.await.expect("created");
    }
    let (mut before, mut asked) = (None, 0);
    let found = loop {
        let query = RunsFilter { search: Some("needle".into()), after: before, limit: 10, ..RunsFilter::default() };
        let page = store.runs(query).await.expect("runs");
        asked += 1;
        before = page.next;
        if before.is_none() || asked > 5 {
            break page.runs;
        }
        assert_eq!(page.runs, []);
    };
    assert_eq!(found.iter().map(|run| run.run.as_str()).collect::<Vec<_>>(), ["needle"]);
}

async fn what_is_over_goes(store: AnyStore) {
    let expiry = |before| Expiry { workflow: None, except: Vec::new(), before, max: 9 };
    over(&store, "a", "first", "tea", 100).await;
    over(&store, "b", "again", "tea", 100).await;
    over(&store, "c", "again", "tea", 300).await;
    over(&store, "d", "milk", "milk", 100).await;
    created(&store, "e", "running").await;
    assert_eq!(store.expire(expiry(100)).await, Ok(0), "not before its time");
    let milk = Expiry { workflow: Some("milk".into()), ..expiry(200) };
    assert_eq!(store.expire(Expiry { except: vec!["tea".into(), "milk".into()], ..expiry(200) }).await, Ok(0));
    assert_eq!(store.expire(milk).await, Ok(1));
    assert_eq!(handlers(&store).await, ["first", "again", "running"]);
    assert_eq!(store.expire(expiry(200)).await, Ok(1), "the newest run of a handler counts");
    assert_eq!(handlers(&store).await, ["again", "running"]);
    assert!(store.run("b").await.expect("an answer").is_some());
    over(&store, "f", "second", "milk", 50).await;
    assert_eq!(store.expire(Expiry { max: 1, ..expiry(1000) }).await, Ok(1), "what ended first goes first");
    assert_eq!(handlers(&store).await, ["again", "running"]);
    assert_eq!(store.expire(expiry(1000)).await, Ok(1));
    assert!(store.run("b").await.expect("an answer").is_none(), "with all its runs");
}

async fn what_is_over_is_told_from_the_newest_on(store: AnyStore) {
    for (run, handler, workflow, at) in [
        ("r1", "h1", "greeting", 30),
        ("r2", "h2", "greeting", 20),
        ("r3", "h3", "other", 25),
        ("r4", "h4", "greeting", 30),
        ("r5", "h2", "greeting", 21),
    ] {
        over(&store, run, handler, workflow, at).await;
    }
    created(&store, "r6", "h6").await;
    let told = async |after, limit| store.over("greeting", after, limit, true).await.expect("an answer");
    let all = told(None, 9).await;
    let times: Vec<u64> = all.iter().map(|it| it.at).collect();
    assert_eq!(times, [30, 30, 21], "a handler is over with its newest run");
    assert!(all[0].run > all[1].run, "of two at once, the later one first");
    assert!(all[2].bytes > all[1].bytes && all[1].bytes > 0, "it holds what all of its runs hold: {all:?}");
    assert_eq!(told(None, 1).await, all[..1]);
    assert_eq!(told(Some(all[0]), 9).await, all[1..]);
    assert_eq!(told(Some(all[2]), 9).await, []);
    let plain = store.over("greeting", None, 9, false).await.expect("an answer");
    assert_eq!(plain.iter().map(|it| (it.at, it.run)).collect::<Vec<_>>(), all.iter().map(|it| (it.at, it.run)).collect::<Vec<_>>());
    assert_eq!(store.over("nobody", None, 9, true).await, Ok(Vec::new()));
}

async fn components_go_when_no_run_needs_them(store: AnyStore) {
    for digest in ["one", "kept", "loose"] {
        store.put_component(digest, Bytes::from_static(b"\0asm"), "{}".into()).await.expect("kept");
    }
    // Of the definition `one two`.
    created(&store, "r", "h").await;
    assert_eq!(store.drop_components(vec!["kept".into()]).await, Ok(1));
    assert_eq!(store.component("loose").await, Ok(None));
    assert!(store.manifest("one").await.expect("an answer").is_some() && store.manifest("kept").await.expect("an answer").is_some());
    store.purge("h", true).await.expect("purged");
    assert_eq!(store.drop_components(Vec::new()).await, Ok(2));
    created(&store, "r2", "h").await;
    let definition = store.run("r2").await.expect("an answer").expect("it is there").definition;
    assert_eq!(definition, ["one", "two"], "known anew");
}

async fn purge_deletes_everything(store: AnyStore) {
    let started = NewRun { idempotency: Some(key("workflow/greeting", "k", Made::Run("r".into()))), ..new(&store, "r", "h") };
    let run = started.key;
    store.create(started).await.expect("created");
    created(&store, "other", "other").await;
    store.log(run, vec![line(1, 0, "log", 0, "said")]).await.expect("kept");
    let snapshot = Some(Snapshot { seq: 1, bytes: "{}".into() });
    store.append(Append { standing: ended(Status::Cancelled, 20), snapshot, ..append(run, 1, 1) }).await.expect("appended");
    assert_eq!(store.purge("h", false).await.expect("purged").runs, ["r"]);
    assert_eq!(store.run("r").await.expect("an answer"), None);
    assert_eq!(store.handler("h").await.expect("an answer"), None);
    assert_eq!(seqs(&store, run).await, [0; 0]);
    assert_eq!(store.load(run).await, Ok(Stored { snapshot: None, entries: vec![] }));
    assert_eq!((store.final_state(run).await, store.logs("r").await), (Ok(None), Ok(vec![])));
    assert_eq!(sequences(&store, "r", -1, 9).await, [0; 0]);
    assert_eq!(store.last_sequence("r").await, Ok(-1));
    assert_eq!(store.idempotency("workflow/greeting", "k").await.expect("an answer"), None);
    assert_eq!(store.append(append(run, 1, 2)).await, Err(Error::Gone));
    assert_eq!(store.purge("h", false).await.expect("nothing to do").runs, [""; 0]);
    assert_eq!(handlers(&store).await, ["other"]);
    assert_ne!(created(&store, "r2", "h").await, run, "a key is never used again");
}

async fn purge_spares_what_runs(store: AnyStore) {
    let run = created(&store, "r", "h").await;
    assert_eq!(store.purge("h", false).await, Err(Error::AlreadyRunning));
    assert_eq!(seqs(&store, run).await, [0]);
    assert_eq!(store.purge("h", true).await.expect("purged").runs, ["r"]);
    assert_eq!(seqs(&store, run).await, [0; 0]);
}

async fn components_are_kept_by_digest(store: AnyStore) {
    assert_eq!((store.manifest("d").await, store.component("d").await), (Ok(None), Ok(None)));
    store.put_component("d", Bytes::from_static(b"damaged"), "damaged".into()).await.expect("kept");
    assert_eq!(store.manifest("d").await, Ok(Some("damaged".into())));
    // A digest has one content: what differs from it was damaged.
    for _ in 0..2 {
        store.put_component("d", Bytes::from_static(b"\0asm"), "{}".into()).await.expect("kept");
    }
    assert_eq!(store.manifest("d").await, Ok(Some("{}".into())));
    assert_eq!(store.component("d").await, Ok(Some(Bytes::from_static(b"\0asm"))));
}

async fn the_clock_never_goes_back(store: AnyStore) {
    assert_eq!(store.alive().await, Ok(0));
    store.keep_alive(HOST, now(9, 500)).await.expect("saved");
    store.keep_alive(HOST, now(8, 400)).await.expect("saved");
    assert_eq!(store.alive().await, Ok(500_000_000));
}

async fn who_watches_a_run_is_told(store: AnyStore) {
    let mut watch = store.watch("r");
    let second = store.watch("r");
    let other = store.watch("other");
    let run = created(&store, "r", "h").await;
    watch.changed().await.expect("the store is there");
    let before = *watch.borrow_and_update();
    let appended = store.append(append(run, 1, 1));
    watch.changed().await.expect("the store is there");
    assert_eq!(sequences(&store, "r", 0, 9).await, [1], "it is there when one is told");
    appended.await.expect("appended");
    assert_eq!((*watch.borrow_and_update(), *second.borrow()), (before + 1, before + 1));
    assert_eq!(store.append(append(run, 1, 7)).await, Err(Error::Stale));
    assert!(!watch.has_changed().expect("the store is there"), "a refusal is no change");
    store.send_command("r", b"do".to_vec()).await.expect("sent");
    assert!(watch.has_changed().expect("the store is there"));
    watch.borrow_and_update();
    store.purge("h", true).await.expect("purged");
    assert!(watch.has_changed().expect("the store is there"));
    assert_eq!(*other.borrow(), 0);
}

async fn many_runs_at_once(store: AnyStore) {
    let tasks: Vec<_> = (0..40)
        .map(|place| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = created(&store, &format!("r{place}"), &format!("h{place}")).await;
                for seq in 1..20 {
                    store.append(append(run, 1, seq)).await.expect("appended");
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

//! What questions cost beside ten thousand runs that have ended, in steps of SQLite's machine.
#![expect(unsafe_code, reason = "SQLite's interface to whoever counts its steps is one of C")]

use std::ffi::{c_int, c_void};

use rusqlite::ffi;
use rusqlite::params;

use super::*;
use crate::model::RunsOrder;
use crate::store::rows::{HandlersQuery, Now};
use crate::store::sqlite::carry::{Carrier, RunRow};
use crate::store::sqlite::{inbox, lists, owners, read, turns};

/// Those that are there beside the first.
const FEW: i64 = 100;
const MANY: i64 = 10_000;

unsafe extern "C" fn step(count: *mut c_void) -> c_int {
    // SAFETY: it is the count that was given below.
    unsafe { *count.cast::<u64>() += 1 };
    0
}

/// How many steps a question takes.
fn steps(connection: &Connection, ask: impl FnOnce(&Connection)) -> u64 {
    let mut count = 0_u64;
    // SAFETY: the connection is open, and the count is there until it is not told any more.
    unsafe { ffi::sqlite3_progress_handler(connection.handle(), 1, Some(step), (&raw mut count).cast()) };
    ask(connection);
    // SAFETY: as above.
    unsafe { ffi::sqlite3_progress_handler(connection.handle(), 0, None, std::ptr::null_mut()) };
    count
}

/// Copies a run with all that belongs to it, by SQL, under numbers from one on to another.
fn copy(connection: &Connection, run: RunKey, from: i64, to: i64) -> rusqlite::Result<()> {
    const NUMBERS: &str = "with recursive n(n) as (select ?2 union all select n + 1 from n where n < ?3)";
    let copied = [
        (
            "run",
            "key",
            "id, handler",
            "id || n, handler || n",
            "newest, workflow, definition, status, started_at, updated_at, completed_at, \
          generation, next_seq, preview, result_preview",
        ),
        ("journal", "run", "last", "last", "text, holes"),
        ("stream", "run", "last", "last", "text, holes"),
        ("log", "run", "text", "text", "holes"),
        ("ending", "run", "outcome", "outcome", "outcome_holes, state, state_holes"),
    ];
    for (table, key, names, values, same) in copied {
        let copy = format!(
            "insert into {table} ({key}, {names}, {same}) {NUMBERS} select {key} + 1000 + n, {values}, {same} from {table}, n where {key} = ?1"
        );
        connection.execute(&copy, params![run.0, from, to])?;
    }
    Ok(())
}

/// Every question that the API asks of the store, and the search for what is due; each with what it costs.
fn questions(connection: &Connection, run: RunKey) -> Vec<(&'static str, u64)> {
    let handlers = |status: &str, workflow: &str| HandlersQuery {
        status: [status].into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        workflow: [workflow].into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        limit: 10,
        after: None,
    };
    let runs = |status: &str, workflow: &str| {
        let HandlersQuery { status, workflow, .. } = handlers(status, workflow);
        RunsFilter { status, workflow, limit: 10, ..RunsFilter::default() }
    };
    let mut costs = Vec::new();
    macro_rules! ask {
        ($($name:literal: $question:expr;)*) => {
            $(costs.push(($name, steps(connection, |connection| $question(connection).map(drop).expect($name))));)*
        };
    }
    ask! {
        "run": |it| lists::run(it, "r");
        "handler": |it| lists::handler(it, "r");
        "handlers": |it| lists::handlers(it, &handlers("", ""));
        "handlers that run": |it| lists::handlers(it, &handlers("running", ""));
        "handlers of a workflow": |it| lists::handlers(it, &handlers("", "greeting"));
        "handlers of another workflow": |it| lists::handlers(it, &handlers("", "other"));
        "handlers of a workflow that run": |it| lists::handlers(it, &handlers("running", "greeting"));
        "runs": |it| lists::runs(it, &runs("", ""));
        "runs that failed": |it| lists::runs(it, &runs("failed", ""));
        "runs of a workflow": |it| lists::runs(it, &runs("", "greeting"));
        "runs of a workflow that failed": |it| lists::runs(it, &runs("failed", "greeting"));
        "runs that wait": |it| lists::runs(it, &runs("waiting", ""));
        "runs of a workflow that wait": |it| lists::runs(it, &runs("waiting", "greeting"));
        "runs that go on": |it| lists::runs(it, &runs("running", ""));
        "runs of a workflow that go on": |it| lists::runs(it, &runs("running", "greeting"));
        "runs of a handler": |it| lists::runs(it, &RunsFilter { handler: Some("r".to_owned()), ..runs("", "") });
        "runs since": |it| lists::runs(it, &RunsFilter { since: Some(1), ..runs("", "") });
        "runs by their ends": |it| lists::runs(it, &RunsFilter { order: RunsOrder::LastEnded, ..runs("", "") });
        "load": |it| read::load(it, run);
        "load_at": |it| read::load_at(it, run, Some(0), 10);
        "journal": |it| read::journal(it, run);
        "final_state": |it| read::final_state(it, run);
        "frames": |it| read::frames(it, "r", -1, 10);
        "last_sequence": |it| read::last_sequence(it, "r");
        "logs": |it| read::logs(it, "r");
        "idempotency": |it| read::idempotency(it, "workflow/greeting", "k");
        "manifest": |it| read::manifest(it, "one");
        "component": |it| read::component(it, "one");
        "commands": |it| inbox::commands(it, run);
        "commanded": |it| inbox::commanded(it, HostId(1));
        "unbegun": |it| turns::unbegun(it, run);
        "queues": turns::queues;
        "unfinished": owners::unfinished;
        "owned": |it| owners::owned(it, HostId(1));
        "next_due": owners::next_due;
        "alive": owners::alive;
    }
    costs
}

#[tokio::test]
async fn no_question_costs_more_however_many_runs_have_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(folder.path());
    let run = created(&store, "r").await;
    store.append(everywhere(run, 1)).await.expect("it ends");
    created(&store, "goes on").await;
    let counted = async |from, to| {
        store.write(move |connection| Ok(copy(connection, run, from, to)?)).await.expect("copied");
        assert_eq!(count(&store, "run").await, to + 2);
        store.read(move |connection| Ok(questions(connection, run))).await.expect("counted")
    };
    let few = counted(1, FEW).await;
    let many = counted(FEW + 1, MANY).await;
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        assert!(few > 0, "{name} is counted");
        assert!(many <= few + few / 2, "{name}: {few} steps beside few, {many} beside many");
    }
    let claimed = store.claim_due(HostId(1), Now { at: 1, alive: 1 }, 10).await.expect("an answer");
    assert!(claimed.is_empty(), "what has ended is nobody's: {claimed:?}");
}

#[test]
fn each_of_very_many_runs_that_are_carried_looks_for_a_key_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = Carrier::make(&folder.path().join("wf-host.db")).expect("a database");
    carrier.write().expect("nobody else writes");
    let mut count = 0;
    let mut put = |many: usize| {
        steps(&carrier.seen().connection, |_| {
            for _ in 0..many {
                count += 1;
                let run = RunRow {
                    id: format!("r{count}"),
                    handler: "h".to_owned(),
                    newest: false,
                    workflow: "w".to_owned(),
                    definition: vec!["d".to_owned()],
                    status: "completed".to_owned(),
                    started_at: 0,
                    updated_at: 0,
                    completed_at: Some(0),
                    generation: 1,
                    next_seq: 0,
                    waiting: None,
                    queues: false,
                    preview: String::new(),
                    result_preview: None,
                };
                carrier.put_run(&run, 1).expect("room");
            }
        })
    };
    let first = put(100);
    put(2_000);
    let after = put(100);
    assert!(after < 2 * first, "{first} steps for the first hundred, {after} for one after two thousand");
}

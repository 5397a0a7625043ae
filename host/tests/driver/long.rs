//! A run of 100,000 entries: whatever is asked of its past begins at a snapshot nearby.

use super::*;

use wf_engine::entry::{Buffered, Commit, RULES, Started, Usage};
use wf_engine::history::History;
use wf_engine::json;
use wf_host::machine::{Command, Fresh, Output, Report, Reported, Worker};
use wf_host::model::Workflow;
use wf_host::store::{Follows, HostId, Now, RunKey};

const TURNS: u64 = 100_000;
/// One that goes in a circle, and one that stands beside it from the beginning.
const LOOP: &str = r#"{"name":"loop","events":[{"name":"Next","kind":"plain"}],
    "steps":[{"name":"turn","accepts":["StartEvent","Next"],"emits":["Next","StopEvent"]},{"name":"stand","accepts":["StartEvent"]}]}"#;
/// Most entries between a snapshot and the next, as long as these entries are.
const BETWEEN_MAX: usize = 400;

struct Long {
    host: Host,
    store: Arc<Hostile>,
    key: RunKey,
    worker: Worker<()>,
}

/// A run of one entry a second, as a worker has left it in the store.
async fn long(turns: u64) -> Long {
    let store = Arc::new(Hostile::default());
    let host = host(store.clone(), Module::quiet(LOOP)).await;
    let workflow = host.workflow("loop").expect("it is loaded");
    store.put_component(&workflow.digests()[0], Module::quiet(LOOP).binary().into(), LOOP.to_owned()).await.expect("kept");
    let key = store.key();
    let fresh = Fresh {
        host: HostId(1),
        key,
        workflow: workflow.clone(),
        follows: Follows::Any,
        started: started(&workflow),
        idempotency: None,
        awaited: false,
    };
    let (worker, mut outputs) = Worker::<()>::begin(fresh, now(0), None);
    let mut long = Long { host, store, key, worker };
    for turn in 0..=turns {
        long.store(outputs).await;
        // The second that is made stands, and what comes after it has the number of its turn and one more.
        let report = Report { invocation: if turn == 0 { 0 } else { turn + 1 }, attempt: 0, what: next(turn + 1) };
        if turn < turns {
            long.worker.hear(now(turn + 1), report);
        }
        outputs = long.worker.outputs();
    }
    long
}

fn now(seq: u64) -> Now {
    Now { at: seq * 1_000_000, alive: seq * 1_000_000 }
}

fn started(workflow: &Workflow) -> Started {
    Started {
        rules: RULES,
        definition: workflow.definition.parts(),
        workflow: "loop".to_owned(),
        handler: "h".to_owned(),
        run: "r".to_owned(),
        start: Event { name: "StartEvent".into(), payload: json::empty() },
        state: json::empty(),
        seed: Started::seed_text([1; 32]),
        timeout: None,
        additional_events: Vec::new(),
        state_max: None,
    }
}

fn next(turn: u64) -> Reported {
    let set = Buffered::Set { path: "turn".to_owned(), value: to_json(&turn) };
    let events = vec![Event { name: "Next".into(), payload: to_json(&serde_json::json!({ "turn": turn })) }];
    Reported::Returned { calls: Vec::new(), commit: Commit { effects: vec![set] }, events, usage: Usage::default() }
}

impl Long {
    /// Does what the worker says, as far as it is about the store.
    async fn store(&mut self, outputs: Vec<Output<()>>) {
        for output in outputs {
            match output {
                Output::Create(new) => drop(self.store.create(*new).await.expect("created")),
                Output::Append(append) => self.store.append(*append).await.expect("appended"),
                _ => continue,
            }
            self.worker.appended(Ok(()));
        }
    }

    /// A page, and how many entries were read for it.
    async fn page(&self, after: Option<u64>, limit: usize) -> (History, Option<u64>, usize) {
        let before = self.store.read.load(Ordering::Acquire);
        let (history, next) = self.host.history("r", after, limit).await.expect("a page");
        (history, next, self.store.read.load(Ordering::Acquire) - before)
    }

    async fn state(&self, seq: u64) -> (String, usize) {
        let before = self.store.read.load(Ordering::Acquire);
        let state = self.host.state_at("r", Some(seq)).await.expect("a state");
        (state.get().to_owned(), self.store.read.load(Ordering::Acquire) - before)
    }
}

#[tokio::test]
async fn a_page_and_a_state_cost_the_same_wherever_they_lie() {
    let long = long(TURNS).await;
    for after in [0, 1, 777, 30_000, 65_535, 65_536, 99_000, TURNS - 50, TURNS] {
        let (history, next, read) = long.page(Some(after), 100).await;
        let seqs: Vec<u64> = history.moments.iter().map(|it| it.seq).collect();
        let last = TURNS.min(after + 100);
        assert_eq!(seqs, (after + 1..=last).collect::<Vec<_>>());
        assert_eq!(next, (last < TURNS).then_some(last));
        assert!(read <= BETWEEN_MAX + 100, "{read} entries are read for a page after {after}");
        for delivery in history.deliveries.values() {
            let made = if delivery.invocation == 0 { 0 } else { delivery.invocation - 1 };
            assert_eq!((delivery.seq, delivery.at), (made, made * 1_000_000), "also of one that was made before the page");
            assert_eq!(delivery.spans.first().map(|span| span.seq), Some(made));
        }
        let (state, read) = long.state(after).await;
        let expected = if after == 0 { "{}".to_owned() } else { format!(r#"{{"turn":{after}}}"#) };
        assert_eq!(state, expected);
        assert!(read <= BETWEEN_MAX, "{read} entries are read for the state at {after}");
    }
    let before = long.store.read.load(Ordering::Acquire);
    assert_eq!(long.host.state("h").await.expect("a state").get(), format!(r#"{{"turn":{TURNS}}}"#));
    let read = long.store.read.load(Ordering::Acquire) - before;
    assert!(read <= BETWEEN_MAX, "{read} entries are read for the state as it is");
    let (first, next, read) = long.page(None, 100).await;
    assert_eq!((first.moments.len(), first.moments[0].kind, next, read), (100, "started", Some(99), 100));
    let snapshots: usize = long.store.snapshots.load(Ordering::Acquire);
    let journal: usize = long.store.journal(long.key).await.expect("a journal").iter().map(|it| it.bytes.len()).sum();
    assert!((200..=1000).contains(&long.store.kept.load(Ordering::Acquire)), "so many are kept");
    assert!(snapshots < journal, "together they are less than the journal: {snapshots} bytes, {journal} bytes");
}

#[tokio::test]
async fn a_run_that_goes_on_with_the_state_of_a_long_one_reads_no_entry_of_it() {
    let mut long = long(TURNS).await;
    let outputs = long.worker.command(now(TURNS + 1), Command::Cancel { reply: () });
    long.store(outputs).await;
    let before = long.store.read.load(Ordering::Acquire);
    assert!(matches!(long.host.handler("h").await.expect("it is there").status, RunStatus::Cancelled));
    let state = format!(r#"{{"turn":{TURNS}}}"#);
    assert_eq!(long.host.state("h").await.expect("a state").get(), state);
    let workflow = long.host.workflow("loop").expect("it is loaded");
    let event = started(&workflow).start;
    let start = Start { workflow, event, state: None, handler: Some("h".to_owned()), idempotency: None };
    let run = long.host.start(start).await.expect("it is durable").run;
    assert_eq!(long.store.read.load(Ordering::Acquire) - before, 0, "entries are read");
    assert_eq!(long.host.state_at(&run, Some(0)).await.expect("a state").get(), state, "it has begun with it");
}

#[tokio::test]
async fn a_damaged_snapshot_is_done_without() {
    let long = long(2_000).await;
    let sound = long.page(Some(1_500), 20).await;
    long.store.damages.store(true, Ordering::Release);
    let damaged = long.page(Some(1_500), 20).await;
    assert_eq!(format!("{:?}", (damaged.0.moments, damaged.0.deliveries)), format!("{:?}", (sound.0.moments, sound.0.deliveries)));
    assert!(sound.2 < 500 && damaged.2 > 1_500, "{} and {} entries are read", sound.2, damaged.2);
    assert_eq!(long.state(1_500).await.0, r#"{"turn":1500}"#);
}

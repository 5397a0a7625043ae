//! The shell around the machine, on a store that fails, panics and counts.

#[path = "driver/costs.rs"]
mod costs;
#[path = "driver/definitions.rs"]
mod definitions;
#[path = "driver/lease.rs"]
mod lease;
#[path = "driver/lines.rs"]
mod lines;
#[path = "driver/long.rs"]
mod long;
#[path = "driver/search.rs"]
mod search;
#[path = "driver/two_hosts.rs"]
mod two_hosts;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use delegate::delegate;
use expect_test::expect;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, join_all, ready};
use serde_json::value::RawValue;
use tokio::sync::{Notify, watch};
use wf_engine::entry::{Event, Micros};
use wf_engine::json::{Json, to_json};
use wf_host::config::{Config, WorkflowConfig};
use wf_host::host::{Edit, Host};
use wf_host::model::RunsFilter;
use wf_host::model::{Idempotency, Limits, Refusal, RunStatus, RunView, Start, Target};
use wf_host::registry::Source;
use wf_host::runtime::{Compiler, Options, Runtime};
use wf_host::store::{
    Append, Claim, CommandId, Created, EntryRow, Error, Expiry, FrameRow, HandlersQuery, Held, HostId, IdempotencyRow, LogRow, Memory,
    NewRun, Now, Past, Purged, Release, Result, RunKey, RunSummary, RunsPage, SentCommand, Store, Stored, Unbegun, Wake,
};
use wf_tests::wasm::Module;

const MANIFEST: &str = r#"{"name":"echo","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store that does not always do what it is asked.
struct Hostile {
    store: Arc<dyn Store>,
    /// How long a write takes, in milliseconds.
    takes: AtomicU64,
    /// While set, lines of logs are not written; so many bytes of them were to be.
    holds_lines: watch::Sender<bool>,
    lines_held: AtomicUsize,
    /// So many of the next appends fail, or panic.
    fails: AtomicUsize,
    panics: AtomicUsize,
    writes: AtomicUsize,
    waited: AtomicUsize,
    /// No run is left: who has one stays its owner.
    keeps: AtomicBool,
    /// Commands that were left for a host elsewhere.
    letters: AtomicUsize,
    /// Entries that were read; snapshots that were stored, and their bytes.
    read: AtomicUsize,
    kept: AtomicUsize,
    snapshots: AtomicUsize,
    /// A snapshot is read with a digit that was not written.
    damages: AtomicBool,
    /// So many of the next loads panic, and of the next claims, which are made all the same.
    loads_panic: AtomicUsize,
    claims_panic: AtomicUsize,
    /// Whoever asks next for the state of a run that has ended is told later.
    holds_state: AtomicBool,
    let_go: Notify,
    /// Components that were read.
    components: AtomicUsize,
    /// How often the lease was renewed; so many of the next renewals panic.
    renewed: AtomicUsize,
    renewals_panic: AtomicUsize,
    /// How often it was asked who has taken what, which queues there are, and for frames.
    asked_for_newer: AtomicUsize,
    asked_for_queues: AtomicUsize,
    asked_for_frames: AtomicUsize,
}

impl Default for Hostile {
    /// One that lasts as long as its process.
    fn default() -> Hostile {
        Hostile::on(Arc::new(Memory::default()))
    }
}

/// Takes one of what is left.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok()
}

impl Hostile {
    /// In front of another.
    fn on(store: Arc<dyn Store>) -> Hostile {
        Hostile {
            store,
            takes: AtomicU64::default(),
            holds_lines: watch::Sender::default(),
            lines_held: AtomicUsize::default(),
            fails: AtomicUsize::default(),
            panics: AtomicUsize::default(),
            writes: AtomicUsize::default(),
            waited: AtomicUsize::default(),
            keeps: AtomicBool::default(),
            letters: AtomicUsize::default(),
            read: AtomicUsize::default(),
            kept: AtomicUsize::default(),
            snapshots: AtomicUsize::default(),
            damages: AtomicBool::default(),
            loads_panic: AtomicUsize::default(),
            claims_panic: AtomicUsize::default(),
            holds_state: AtomicBool::default(),
            let_go: Notify::default(),
            components: AtomicUsize::default(),
            renewed: AtomicUsize::default(),
            renewals_panic: AtomicUsize::default(),
            asked_for_newer: AtomicUsize::default(),
            asked_for_queues: AtomicUsize::default(),
            asked_for_frames: AtomicUsize::default(),
        }
    }

    /// A write that was asked for is told of some time later.
    fn slowly<T: Send + 'static>(&self, written: BoxFuture<'static, Result<T>>) -> BoxFuture<'static, Result<T>> {
        let takes = Duration::from_millis(self.takes.load(Ordering::Acquire));
        if takes.is_zero() {
            return written;
        }
        let told = async move {
            tokio::time::sleep(takes).await;
            written.await
        };
        told.boxed()
    }

    fn count(&self, waited: bool) {
        self.writes.fetch_add(1, Ordering::AcqRel);
        self.waited.fetch_add(usize::from(waited), Ordering::AcqRel);
    }
}

impl Store for Hostile {
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<Created>> {
        self.count(new.waited);
        self.slowly(self.store.create(new))
    }

    fn unbegun(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Unbegun>>> {
        self.store.unbegun(key)
    }

    fn queues(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        self.asked_for_queues.fetch_add(1, Ordering::AcqRel);
        self.store.queues()
    }

    fn keep_alive(&self, host: HostId, now: Now) -> BoxFuture<'static, Result<()>> {
        assert!(!take(&self.renewals_panic), "by the test");
        self.renewed.fetch_add(1, Ordering::AcqRel);
        self.store.keep_alive(host, now)
    }

    fn newer(&self, held: Vec<Held>) -> BoxFuture<'_, Result<Vec<Held>>> {
        self.asked_for_newer.fetch_add(1, Ordering::AcqRel);
        self.store.newer(held)
    }

    fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>> {
        self.asked_for_frames.fetch_add(1, Ordering::AcqRel);
        self.store.frames(run, after, limit)
    }

    fn give_turns(&self, workflow: &str, runs_max: Option<u32>, now: Now) -> BoxFuture<'static, Result<usize>> {
        self.store.give_turns(workflow, runs_max, now)
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        self.count(append.waited);
        if let Some(snapshot) = &append.snapshot {
            self.kept.fetch_add(1, Ordering::AcqRel);
            self.snapshots.fetch_add(snapshot.bytes.len(), Ordering::AcqRel);
        }
        assert!(!take(&self.panics), "by the test");
        if take(&self.fails) {
            return ready(Err(Error::Unavailable("by the test".to_owned()))).boxed();
        }
        self.slowly(self.store.append(append))
    }

    fn release(&self, release: Release) -> BoxFuture<'static, Result<()>> {
        if self.keeps.load(Ordering::Acquire) {
            return ready(Err(Error::Unavailable("by the test".to_owned()))).boxed();
        }
        self.store.release(release)
    }

    fn load(&self, key: RunKey) -> BoxFuture<'_, Result<Stored>> {
        assert!(!take(&self.loads_panic), "by the test");
        let stored = async move {
            let stored = self.store.load(key).await?;
            self.read.fetch_add(stored.entries.len(), Ordering::AcqRel);
            Ok(stored)
        };
        stored.boxed()
    }

    fn claim_due(&self, host: HostId, now: Now, limit: usize) -> BoxFuture<'static, Result<Vec<Claim>>> {
        let (claimed, panics) = (self.store.claim_due(host, now, limit), take(&self.claims_panic));
        let told = async move {
            let claimed = claimed.await;
            assert!(!panics, "by the test");
            claimed
        };
        told.boxed()
    }

    fn final_state(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Bytes>>> {
        let state = self.store.final_state(key);
        if !self.holds_state.swap(false, Ordering::AcqRel) {
            return state;
        }
        let told = async {
            self.let_go.notified().await;
            state.await
        };
        told.boxed()
    }

    fn log(&self, run: RunKey, lines: Vec<LogRow>) -> BoxFuture<'static, Result<()>> {
        let mut holds = self.holds_lines.subscribe();
        if *holds.borrow() {
            self.lines_held.fetch_add(lines.iter().map(LogRow::size).sum(), Ordering::AcqRel);
        }
        let written = self.store.log(run, lines);
        let told = async move {
            holds.wait_for(|holds| !holds).await.expect("the store is there");
            written.await
        };
        told.boxed()
    }

    fn send_command(&self, run: &str, command: Vec<u8>) -> BoxFuture<'static, Result<CommandId>> {
        self.letters.fetch_add(1, Ordering::AcqRel);
        self.store.send_command(run, command)
    }

    fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.components.fetch_add(1, Ordering::AcqRel);
        self.store.component(digest)
    }

    fn load_at(&self, key: RunKey, after: Option<u64>, limit: usize) -> BoxFuture<'_, Result<Past>> {
        let past = async move {
            let mut past = self.store.load_at(key, after, limit).await?;
            self.read.fetch_add(past.entries.len(), Ordering::AcqRel);
            if let Some(snapshot) = past.snapshot.as_mut().filter(|_| self.damages.load(Ordering::Acquire)) {
                snapshot.bytes = String::from_utf8_lossy(&snapshot.bytes).replacen(r#""next_seq":"#, r#""next_seq":1"#, 1).into();
            }
            Ok(past)
        };
        past.boxed()
    }

    fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>> {
        let journal = async move {
            let journal = self.store.journal(key).await?;
            self.read.fetch_add(journal.len(), Ordering::AcqRel);
            Ok(journal)
        };
        journal.boxed()
    }

    delegate! {
        to self.store {
            fn join(&self, now: Now) -> BoxFuture<'static, Result<HostId>>;
            fn alive(&self) -> BoxFuture<'_, Result<Micros>>;
            fn health(&self) -> Result<()>;
            fn key(&self) -> RunKey;
            fn acquire(&self, host: HostId, run: &str, now: Now) -> BoxFuture<'static, Result<Claim>>;
            fn unfinished(&self) -> BoxFuture<'_, Result<u64>>;
            fn owned(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>>;
            fn next_due(&self) -> BoxFuture<'_, Result<Wake>>;
            fn watch(&self, run: &str) -> watch::Receiver<u64>;
            fn commands(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<SentCommand>>>;
            fn commanded(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>>;
            fn watch_commands(&self) -> watch::Receiver<u64>;
            fn answer_command(&self, command: CommandId, answer: Vec<u8>) -> BoxFuture<'static, Result<()>>;
            fn take_answer(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>>;
            fn withdraw_command(&self, command: CommandId) -> BoxFuture<'static, Result<Option<Vec<u8>>>>;
            fn run(&self, run: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;
            fn handler(&self, handler: &str) -> BoxFuture<'_, Result<Option<RunSummary>>>;
            fn handlers(&self, query: HandlersQuery) -> BoxFuture<'_, Result<Vec<RunSummary>>>;
            fn runs(&self, query: RunsFilter) -> BoxFuture<'_, Result<RunsPage>>;
            fn workflows(&self) -> BoxFuture<'_, Result<Vec<String>>>;
            fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>>;
            fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>>;
            fn written(&self, run: &str, after: u64, limit: usize) -> BoxFuture<'_, Result<wf_host::store::Written>>;
            fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>>;
            fn made(&self, scope: &str) -> BoxFuture<'_, Result<Vec<String>>>;
            fn purge(&self, handler: &str, running_too: bool) -> BoxFuture<'static, Result<Purged>>;
            fn over(&self, workflow: &str, after: Option<wf_host::store::Finished>, limit: usize, sized: bool) -> BoxFuture<'_, Result<Vec<wf_host::store::Finished>>>;
            fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>>;
            fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>>;
            fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>>;
            fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>>;
        }
    }
}

struct Fixture {
    host: Host,
    store: Arc<Hostile>,
}

async fn fixture() -> Fixture {
    let store = Arc::new(Hostile::default());
    Fixture { host: host(store.clone(), Module::echoing(MANIFEST)).await, store }
}

/// One whose runs are created before anything of them is known: it might be that they have to queue.
async fn queuing() -> Fixture {
    let store = Arc::new(Hostile::default());
    let limits = Limits { runs_max: Some(u32::MAX), ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    Fixture { host: host_of(store.clone(), Module::echoing(MANIFEST), config).await, store }
}

/// A host with one workflow.
async fn host(store: Arc<Hostile>, module: Module) -> Host {
    host_of(store, module, Config::default()).await
}

async fn host_of(store: Arc<Hostile>, module: Module, config: Config) -> Host {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("workflow.wasm");
    std::fs::write(&path, module.binary()).expect("a file");
    let limits = Limits { instances_max: 8, calls_max: u32::MAX, ..config.limits.clone() };
    let options = Options { cache_dir: None, compiler: Compiler::Here, threads: None, limits: limits.clone() };
    let runtime = Runtime::new(options).expect("a runtime");
    let host = Host::open(store, runtime, Config { limits, ..config }).await.expect("it opens");
    host.load(&Source::file(path)).await.expect("it loads");
    host.resume().await.expect("it accepts");
    host
}

impl Fixture {
    fn start(&self, handler: usize) -> Start {
        self.start_with(handler, &serde_json::json!({ "result": handler }))
    }

    fn start_with(&self, handler: usize, payload: &serde_json::Value) -> Start {
        let event = Event { name: "StartEvent".into(), payload: to_json(payload) };
        let workflow = self.host.workflow("echo").expect("it is loaded");
        Start { workflow, event, state: None, handler: Some(format!("h{handler}")), idempotency: None }
    }

    async fn run(&self, handler: usize) -> std::result::Result<RunView, Refusal> {
        let ended = self.host.start_and_wait(self.start(handler));
        tokio::time::timeout(PATIENCE, ended).await.expect("everybody is answered").map_err(|cut| cut.refusal)
    }

    /// Until a run has ended, without touching it: a handler is only looked at.
    async fn completes(&self, handler: usize) {
        let since = Instant::now();
        while !matches!(self.host.handler(&format!("h{handler}")).await, Ok(RunView { status: RunStatus::Completed(_), .. })) {
            assert!(since.elapsed() < PATIENCE, "run {handler} is left to nobody");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_run_that_may_have_to_queue_is_created_before_its_first_step() {
    let fixture = queuing().await;
    assert!(matches!(fixture.run(1).await.expect("it ends").status, RunStatus::Completed(_)));
    assert_eq!(fixture.store.writes.load(Ordering::Acquire), 2, "its creation, before it is known whether it queues, and its end");
    assert_eq!(fixture.store.waited.load(Ordering::Acquire), 2, "its step waits for the one, its client for the other");
    assert_eq!(fixture.store.asked_for_frames.load(Ordering::Acquire), 0, "who waits for the end reads no stream");
    fixture.host.start(fixture.start(2)).await.expect("it is durable");
    fixture.completes(2).await;
    assert_eq!(fixture.store.waited.load(Ordering::Acquire), 3, "the first: for the last nobody waits");
}

#[tokio::test]
async fn a_panic_in_a_worker_loses_no_run() {
    let fixture = queuing().await;
    fixture.store.panics.store(3, Ordering::Release);
    let answer = fixture.run(1).await;
    assert!(matches!(answer, Err(Refusal::Unavailable(_))), "{answer:?}");
    fixture.completes(1).await;
    assert_eq!(fixture.store.panics.load(Ordering::Acquire), 0, "they were met");
    assert_eq!(fixture.host.health().map_err(|it| it.to_string()), Ok(()));
}

#[tokio::test]
async fn a_panic_in_a_load_loses_no_run() {
    let fixture = queuing().await;
    fixture.store.panics.store(1, Ordering::Release);
    fixture.store.loads_panic.store(2, Ordering::Release);
    let answer = fixture.run(1).await;
    assert!(matches!(answer, Err(Refusal::Unavailable(_))), "{answer:?}");
    fixture.completes(1).await;
    assert_eq!(fixture.store.loads_panic.load(Ordering::Acquire), 0, "they were met");
}

/// Reads something again and again.
const READING: &str = r#"{"name":"echo","timeout":0.3,"steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;

#[tokio::test]
async fn what_is_due_happens_while_a_guest_reports_all_the_time() {
    let module = Module::echoing(READING);
    let get = r#"(import "wf:workflow/state@0.1.0" "get" (func $get (param i32 i32 i32)))"#;
    let reads =
        "(loop (global.set $next (i32.const 32768)) (call $get (i32.const 28704) (i32.const 9) (i32.const 28672)) (br 0)) unreachable";
    let module = Module { fields: format!("{get} {}", module.fields), invoke: reads, ..module };
    let store = Arc::new(Hostile::default());
    let fixture = Fixture { host: host(store.clone(), module).await, store };
    let status = fixture.run(1).await.expect("it ends").status;
    assert!(matches!(&status, RunStatus::Failed(message) if message == "Workflow timed out after 0.3s"), "{status:?}");
}

#[tokio::test]
async fn a_run_goes_on_with_the_state_of_the_one_right_before_it() {
    let fixture = fixture().await;
    let with = |number: u64| Start { state: Some(to_json(&serde_json::json!({ "number": number }))), ..fixture.start(1) };
    fixture.host.start_and_wait(with(1)).await.expect("it ends");
    fixture.store.holds_state.store(true, Ordering::Release);
    let (ended, ()) = tokio::join!(fixture.run(1), async {
        while fixture.store.holds_state.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        // It has seen the first, and nothing of it is stored.
        fixture.host.start_and_wait(with(2)).await.expect("it ends");
        fixture.store.let_go.notify_one();
    });
    assert!(matches!(ended.expect("it ends").status, RunStatus::Completed(_)));
    assert_eq!(fixture.host.state("h1").await.expect("a state").get(), r#"{"number":2}"#);
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_leaves_no_run_and_no_request() {
    let fixture = queuing().await;
    fixture.store.fails.store(40, Ordering::Release);
    for answer in join_all((0..8).map(|handler| fixture.run(handler))).await {
        assert!(matches!(answer, Err(Refusal::Unavailable(_))), "{answer:?}");
    }
    for handler in 0..8 {
        fixture.completes(handler).await;
    }
    assert_eq!(fixture.store.fails.load(Ordering::Acquire), 0, "they were met");
}

#[tokio::test]
async fn a_stop_answers_everybody_and_leaves_every_run_to_the_next_host() {
    let fixture = queuing().await;
    fixture.store.fails.store(usize::MAX, Ordering::Release);
    let (answers, ()) = tokio::join!(join_all((0..8).map(|handler| fixture.run(handler))), async {
        // They are there, and cannot go on.
        while fixture.store.writes.load(Ordering::Acquire) < 16 {
            tokio::task::yield_now().await;
        }
        fixture.host.stop().await;
    });
    assert!(answers.iter().all(|answer| matches!(answer, Err(Refusal::Unavailable(_)))), "{answers:?}");
    assert!(matches!(fixture.host.health(), Err(Refusal::Unavailable(_))));
}

fn json(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).expect("JSON").into()
}

/// Whoever embeds a host hands in events that have come through no edge.
#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_reason() {
    let fixture = fixture().await;
    let with = |text: &str| {
        let start = fixture.start(1);
        Start { event: Event { payload: json(text), ..start.event.clone() }, ..start }
    };
    let mut reasons = Vec::new();
    for text in ["5", "null", "[1]", r#""text""#, r#"{"a":1,"a":2}"#, r#"{"\ud83d":1}"#] {
        let started = fixture.host.start(with(text)).await;
        let Err(Refusal::Invalid(reason)) = started else { panic!("{text}: {started:?}") };
        let awaited = fixture.host.start_and_wait(with(text)).await.map_err(|cut| cut.refusal);
        assert!(matches!(&awaited, Err(Refusal::Invalid(again)) if *again == reason), "{text}: {awaited:?}");
        reasons.push(reason);
    }
    let with_state = Start { state: Some(json("[]")), ..fixture.start(1) };
    let refused = fixture.host.start(with_state).await.expect_err("its state is no object");
    reasons.push(refused.to_string());
    let waiting = host(Arc::default(), two_hosts::module()).await;
    waiting.start(two_hosts::start_under(&waiting, "h")).await.expect("it is durable");
    let sent = waiting.send("h", Event { name: "Answer".into(), payload: json("[1]") }, Target::default(), None).await;
    reasons.push(sent.expect_err("it is no object").to_string());
    expect![[r#"
        the value of StartEvent is no JSON object
        the value of StartEvent is no JSON object
        the value of StartEvent is no JSON object
        the value of StartEvent is no JSON object
        the value of StartEvent has the field `a` twice
        the value of StartEvent has the text "\ud83d", which is half of a surrogate pair
        the state is no JSON object
        the value of Answer is no JSON object
    "#]]
    .assert_eq(&(reasons.join("\n") + "\n"));
}

/// It was looked up before the first was durable, and so was not found.
#[tokio::test]
async fn a_key_that_comes_twice_at_once_is_done_once_and_answered_twice() {
    let waiting = host(Arc::default(), two_hosts::module()).await;
    let key = |key: &str| Some(Idempotency { key: key.to_owned(), body: [0; 32] });
    let start = |with: &str| Start { idempotency: key(with), ..two_hosts::start_under(&waiting, "h") };
    let first = waiting.start(start("first")).await.expect("it is durable");
    let again = waiting.start(start("first")).await.expect("it was started");
    assert_eq!(again.run, first.run);
    let other = waiting.start(start("other")).await;
    assert!(matches!(other, Err(Refusal::AlreadyRunning(_))), "{other:?}");
    let send = |with: &str| {
        let event = Event { name: "Answer".into(), payload: to_json(&serde_json::json!({ "result": 7 })) };
        waiting.send("h", event, Target::default(), key(with))
    };
    send("answer").await.expect("it is durable");
    let ended = tokio::time::timeout(PATIENCE, waiting.ended(&first.run)).await.expect("in time").expect("it ends");
    assert!(matches!(ended.status, RunStatus::Completed(_)), "{ended:?}");
    send("answer").await.expect("it has ended the run");
    let late = send("late").await;
    assert!(matches!(late, Err(Refusal::AlreadyCompleted)), "{late:?}");
}

#[tokio::test]
async fn a_slow_store_holds_guests_back_and_nobody_for_ever() {
    let fixture = fixture().await;
    fixture.store.takes.store(30, Ordering::Release);
    // Together they are more than may be on its way to the store, and each has several writes of its own.
    let large = serde_json::json!({ "result": "x".repeat(300 << 10) });
    let runs = (0..120).map(|handler| fixture.host.start_and_wait(fixture.start_with(handler, &large)));
    let ended = tokio::time::timeout(PATIENCE, join_all(runs)).await.expect("nobody waits for room that is never given back");
    for view in ended {
        let status = view.expect("it ends").status;
        assert!(matches!(status, RunStatus::Completed(_)), "{status:?}");
    }
}

#[tokio::test]
async fn a_reader_sees_the_end_of_a_run_whose_worker_was_lost() {
    let fixture = fixture().await;
    fixture.store.panics.store(2, Ordering::Release);
    // Who begins it may be told that its worker is gone, or that it is there.
    let told = fixture.host.start(fixture.start(1)).await;
    assert!(matches!(told, Ok(_) | Err(Refusal::Unavailable(_))), "{told:?}");
    let view = fixture.host.handler("h1").await.expect("it is durable");
    let frames = fixture.host.frames(&view.run, -1).map(|frames| frames.len()).collect::<Vec<_>>();
    let frames = tokio::time::timeout(PATIENCE, frames).await.expect("the stream ends");
    assert!(!frames.is_empty());
}

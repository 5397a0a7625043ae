//! The shell around the machine, on a store that fails, panics and counts.

#[path = "driver/two_hosts.rs"]
mod two_hosts;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use delegate::delegate;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, join_all, ready};
use tokio::sync::watch;
use wf_engine::entry::{Event, Micros};
use wf_engine::json::to_json;
use wf_host::config::Config;
use wf_host::host::Host;
use wf_host::model::{Limits, Refusal, RunStatus, RunView, Start};
use wf_host::registry::Source;
use wf_host::runtime::{Options, Runtime};
use wf_host::store::{
    Append, Claim, CommandId, EntryRow, Error, Expiry, FrameRow, HandlersQuery, HostId, IdempotencyRow, LogRow, Memory, NewRun, Now,
    Purged, Release, Result, RunKey, RunSummary, RunsPage, RunsQuery, SentCommand, Store, Stored, Wake,
};
use wf_tests::wasm::Module;

const MANIFEST: &str = r#"{"name":"echo","steps":[{"name":"only","accepts":["StartEvent"],"emits":["StopEvent"]}]}"#;
/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store that lasts as long as its process, and does not always do what it is asked.
#[derive(Default)]
struct Hostile {
    memory: Memory,
    /// How long a write takes, in milliseconds.
    takes: AtomicU64,
    /// So many of the next appends fail, or panic.
    fails: AtomicUsize,
    panics: AtomicUsize,
    writes: AtomicUsize,
    waited: AtomicUsize,
    /// No run is left: who has one stays its owner.
    keeps: AtomicBool,
    /// Commands that were left for a host elsewhere.
    letters: AtomicUsize,
}

/// Takes one of what is left.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok()
}

impl Hostile {
    /// A write that was asked for is told of some time later.
    fn slowly(&self, written: BoxFuture<'static, Result<()>>) -> BoxFuture<'static, Result<()>> {
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
    fn create(&self, new: NewRun) -> BoxFuture<'static, Result<()>> {
        self.count(new.waited);
        self.slowly(self.memory.create(new))
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Result<()>> {
        self.count(append.waited);
        assert!(!take(&self.panics), "by the test");
        if take(&self.fails) {
            return ready(Err(Error::Unavailable("by the test".to_owned()))).boxed();
        }
        self.slowly(self.memory.append(append))
    }

    fn release(&self, release: Release) -> BoxFuture<'static, Result<()>> {
        if self.keeps.load(Ordering::Acquire) {
            return ready(Err(Error::Unavailable("by the test".to_owned()))).boxed();
        }
        self.memory.release(release)
    }

    fn send_command(&self, run: &str, command: Vec<u8>) -> BoxFuture<'static, Result<CommandId>> {
        self.letters.fetch_add(1, Ordering::AcqRel);
        self.memory.send_command(run, command)
    }

    delegate! {
        to self.memory {
            fn join(&self, now: Now) -> BoxFuture<'static, Result<HostId>>;
            fn keep_alive(&self, host: HostId, now: Now) -> BoxFuture<'static, Result<()>>;
            fn alive(&self) -> BoxFuture<'_, Result<Micros>>;
            fn health(&self) -> Result<()>;
            fn key(&self) -> RunKey;
            fn log(&self, run: RunKey, lines: Vec<LogRow>) -> BoxFuture<'static, Result<()>>;
            fn acquire(&self, host: HostId, run: &str, now: Now) -> BoxFuture<'static, Result<Claim>>;
            fn claim_due(&self, host: HostId, now: Now, limit: usize) -> BoxFuture<'static, Result<Vec<Claim>>>;
            fn unfinished(&self) -> BoxFuture<'_, Result<u64>>;
            fn owned(&self, host: HostId) -> BoxFuture<'_, Result<Vec<String>>>;
            fn next_due(&self) -> BoxFuture<'_, Result<Wake>>;
            fn load(&self, key: RunKey) -> BoxFuture<'_, Result<Stored>>;
            fn journal(&self, key: RunKey) -> BoxFuture<'_, Result<Vec<EntryRow>>>;
            fn final_state(&self, key: RunKey) -> BoxFuture<'_, Result<Option<Bytes>>>;
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
            fn runs(&self, query: RunsQuery) -> BoxFuture<'_, Result<RunsPage>>;
            fn frames(&self, run: &str, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<FrameRow>>>;
            fn last_sequence(&self, run: &str) -> BoxFuture<'_, Result<i64>>;
            fn logs(&self, run: &str) -> BoxFuture<'_, Result<Vec<LogRow>>>;
            fn idempotency(&self, scope: &str, key: &str) -> BoxFuture<'_, Result<Option<IdempotencyRow>>>;
            fn purge(&self, handler: &str, running_too: bool) -> BoxFuture<'static, Result<Purged>>;
            fn expire(&self, expiry: Expiry) -> BoxFuture<'static, Result<usize>>;
            fn drop_components(&self, keep: Vec<String>) -> BoxFuture<'static, Result<usize>>;
            fn put_component(&self, digest: &str, bytes: Bytes, manifest: String) -> BoxFuture<'static, Result<()>>;
            fn manifest(&self, digest: &str) -> BoxFuture<'_, Result<Option<String>>>;
            fn component(&self, digest: &str) -> BoxFuture<'_, Result<Option<Bytes>>>;
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

/// A host with one workflow.
async fn host(store: Arc<Hostile>, module: Module) -> Host {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("workflow.wasm");
    std::fs::write(&path, module.binary()).expect("a file");
    let limits = Limits { instances_max: 8, ..Limits::default() };
    let runtime = Runtime::new(Options { cache_dir: None, threads: None, limits }).expect("a runtime");
    let host = Host::open(store, runtime, Config::default()).await.expect("it opens");
    host.load(&Source { name: None, path }).await.expect("it loads");
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
        tokio::time::timeout(PATIENCE, ended).await.expect("everybody is answered")
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
async fn a_run_to_its_end_waits_for_one_write() {
    let fixture = fixture().await;
    assert!(matches!(fixture.run(1).await.expect("it ends").status, RunStatus::Completed(_)));
    assert_eq!(fixture.store.waited.load(Ordering::Acquire), 1, "the last: what nobody waits for is not waited for");
    assert_eq!(fixture.store.writes.load(Ordering::Acquire), 2, "its creation, and its end");
    fixture.host.start(fixture.start(2)).await.expect("it is durable");
    fixture.completes(2).await;
    assert_eq!(fixture.store.waited.load(Ordering::Acquire), 2, "and the first");
}

#[tokio::test]
async fn a_panic_in_a_worker_loses_no_run() {
    let fixture = fixture().await;
    fixture.store.panics.store(3, Ordering::Release);
    let answer = fixture.run(1).await;
    assert!(matches!(answer, Err(Refusal::Unavailable(_))), "{answer:?}");
    fixture.completes(1).await;
    assert_eq!(fixture.store.panics.load(Ordering::Acquire), 0, "they were met");
    assert_eq!(fixture.host.health().map_err(|it| it.to_string()), Ok(()));
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_leaves_no_run_and_no_request() {
    let fixture = fixture().await;
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
    let fixture = fixture().await;
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
    let view = fixture.host.start(fixture.start(1)).await.expect("it is durable");
    let frames = fixture.host.frames(&view.run, -1).map(|frames| frames.len()).collect::<Vec<_>>();
    let frames = tokio::time::timeout(PATIENCE, frames).await.expect("the stream ends");
    assert!(!frames.is_empty());
}

//! Two hosts on one store: what is asked of one of them about a run that the other has.

use super::*;

use wf_host::model::Frame;
use wf_host::store::{ALIVE_FIRST, EntryRow, Follows, HostId, RunKey, Standing};

/// Runs each test on each store. Two hosts of a process share a SQLite store as they share one in memory.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(std::sync::Arc::default()).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                let store = wf_host::store::open(None, folder.path()).await.expect("it opens");
                super::$name(std::sync::Arc::new(super::Hostile::on(store))).await;
            })*
        }
    };
}

on_every_store!(
    an_event_reaches_a_run_that_the_other_host_has,
    what_the_other_host_refuses_is_refused,
    a_run_that_the_other_host_has_is_cancelled,
    what_the_other_host_has_is_purged,
    one_key_is_done_once,
    many_events_are_each_done_once,
    a_run_that_nobody_has_is_taken_at_once,
    whoever_takes_over_does_what_the_owner_was_told,
    a_command_that_nobody_has_done_is_withdrawn,
    readers_of_both_hosts_see_all_of_it,
    readers_and_waiters_go_on_where_the_run_goes_on,
    who_waits_on_the_other_host_is_told,
    what_is_over_goes_from_both_and_what_runs_stays,
    the_clock_that_stands_is_one_for_both,
);

/// A run that waits: an `Answer` ends it, a `Note` does not.
pub(super) const WAITING: &str = r#"{"name":"waiting",
    "events":[{"name":"Answer","kind":"human-response"},{"name":"Note","kind":"human-response"}],
    "steps":[{"name":"begin","accepts":["StartEvent"]},{"name":"note","accepts":["Note"]},
             {"name":"finish","accepts":["Answer"],"emits":["StopEvent"]}]}"#;

/// The first host that joins a store, and the second.
const HOSTS: [HostId; 2] = [HostId(1), HostId(2)];

/// Steps with a name no longer than `begin` return nothing, the other ends the run.
pub(super) fn module() -> Module {
    let (quiet, echoing) = (Module::quiet(WAITING), Module::echoing(WAITING));
    let invoke = format!(
        "(if (result i32) (i32.le_u (local.get 1) (i32.const {})) (then {}) (else {}))",
        "begin".len(),
        quiet.invoke,
        echoing.invoke
    );
    Module { invoke: invoke.leak(), ..echoing }
}

struct Two {
    store: Arc<Hostile>,
    first: Host,
    second: Host,
}

/// `keeps`: the first host stays the owner of what it has begun, whether that is in memory or not.
async fn two(store: Arc<Hostile>, keeps: bool) -> Two {
    store.keeps.store(keeps, Ordering::Release);
    let two = Two { first: host(store.clone(), module()).await, second: host(store.clone(), module()).await, store };
    // In a file, whoever joins takes those before it for gone; the first renews its lease only some time later.
    two.store.keep_alive(HOSTS[0], now()).await.expect("it is there");
    two
}

fn now() -> Now {
    let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later");
    Now { at: u64::try_from(at.as_micros()).expect("it is not as late as that"), alive: 0 }
}

fn start(host: &Host) -> Start {
    start_under(host, "h")
}

pub(super) fn start_under(host: &Host, handler: &str) -> Start {
    let event = Event { name: "StartEvent".into(), payload: to_json(&serde_json::json!({})) };
    let workflow = host.workflow("waiting").expect("it is loaded");
    Start { workflow, event, state: None, handler: Some(handler.to_owned()), idempotency: None }
}

async fn send(host: &Host, name: &str, key: Option<&str>) -> std::result::Result<(), Refusal> {
    let event = Event { name: name.into(), payload: to_json(&serde_json::json!({ "result": 7 })) };
    let idempotency = key.map(|key| Idempotency { key: key.to_owned(), body: [0; 32] });
    in_time(host.send("h", event, Target::default(), idempotency)).await
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("everybody is answered")
}

pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !holds().await {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        tokio::task::yield_now().await;
    }
}

impl Two {
    /// A run that the first host has, and that waits.
    async fn begun(&self) -> RunView {
        self.first.start(start(&self.first)).await.expect("it is durable")
    }

    async fn key(&self, run: &RunView) -> RunKey {
        self.store.run(&run.run).await.expect("an answer").expect("it is there").key
    }

    /// How often something of this kind stands in a run's journal.
    async fn entries(&self, run: &RunView, kind: &str) -> usize {
        let journal = self.store.journal(self.key(run).await).await.expect("a journal");
        journal.iter().filter(|row| String::from_utf8_lossy(&row.bytes).contains(kind)).count()
    }

    /// Until nobody owns a run that has not ended.
    async fn left(&self) {
        until("the run is left", async || self.store.owned(HOSTS[0]).await.expect("an answer").is_empty()).await;
    }

    fn letters(&self) -> usize {
        self.store.letters.load(Ordering::Acquire)
    }
}

async fn an_event_reaches_a_run_that_the_other_host_has(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    send(&two.second, "Answer", None).await.expect("it is accepted");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (1, 1));
    until("it ends", async || matches!(two.second.run(&run.run).await, Ok(RunView { status: RunStatus::Completed(_), .. }))).await;
    assert_eq!(two.store.commands(two.key(&run).await).await, Ok(Vec::new()));
    let late = send(&two.second, "Answer", None).await;
    assert!(matches!(late, Err(Refusal::AlreadyCompleted)), "{late:?}");
}

async fn what_the_other_host_refuses_is_refused(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    let event = Event { name: "Answer".into(), payload: to_json(&serde_json::json!({})) };
    let target = Target { step: None, invocation: Some(99) };
    let refused = in_time(two.second.send("h", event, target, None)).await;
    assert!(matches!(refused, Err(Refusal::NotWaiting(99))), "{refused:?}");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (1, 0));
}

async fn a_run_that_the_other_host_has_is_cancelled(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    in_time(two.second.cancel("h")).await.expect("it is cancelled");
    assert!(matches!(two.second.run(&run.run).await, Ok(RunView { status: RunStatus::Cancelled, .. })));
    assert_eq!((two.letters(), two.entries(&run, "CancelRequested").await), (1, 1));
    let again = in_time(two.second.cancel("h")).await;
    assert!(matches!(again, Err(Refusal::NotFound)), "{again:?}");
}

async fn what_the_other_host_has_is_purged(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    in_time(two.second.purge("h")).await.expect("it is purged");
    assert!(matches!(two.first.run(&run.run).await, Err(Refusal::NotFound)));
}

async fn one_key_is_done_once(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    let sent = join_all((0..4).map(|_| send(&two.second, "Note", Some("k")))).await;
    assert!(sent.iter().all(|it| it.is_ok()), "{sent:?}");
    send(&two.first, "Note", Some("k")).await.expect("it was done before");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (4, 1));
}

async fn many_events_are_each_done_once(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    let hosts = (0..40).map(|number| if number % 4 == 0 { &two.first } else { &two.second });
    let sent = join_all(hosts.map(|host| send(host, "Note", None))).await;
    assert!(sent.iter().all(|it| it.is_ok()), "{sent:?}");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (30, 40));
}

async fn a_run_that_nobody_has_is_taken_at_once(store: Arc<Hostile>) {
    let two = two(store, false).await;
    two.begun().await;
    two.left().await;
    send(&two.second, "Note", None).await.expect("it is accepted");
    assert_eq!(two.letters(), 0);
    assert_eq!(two.store.owned(HOSTS[1]).await.expect("an answer").len(), 1, "it has it now");
    send(&two.first, "Answer", None).await.expect("it is accepted");
    assert_eq!(two.letters(), 1, "the first host has it no more");
}

/// A host that is gone at once, with all its tasks.
struct Doomed(Option<tokio::runtime::Runtime>);

impl Doomed {
    fn kill(&mut self) {
        self.0.take().expect("it is up").shutdown_background();
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // A runtime cannot wait for its threads within another.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The second host vanishes with a run that waits; its lease lasts.
async fn vanished(store: &Arc<Hostile>) -> (RunView, Host) {
    store.keeps.store(true, Ordering::Release);
    let first = host(store.clone(), module()).await;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut doomed = Doomed(Some(runtime));
    let begun = {
        let store = store.clone();
        doomed.0.as_ref().expect("it is up").spawn(async move {
            let second = host(store, module()).await;
            second.start(start(&second)).await.expect("it is durable")
        })
    };
    let run = in_time(begun).await.expect("no panic");
    doomed.kill();
    (run, first)
}

async fn whoever_takes_over_does_what_the_owner_was_told(store: Arc<Hostile>) {
    let (run, first) = vanished(&store).await;
    let key = store.run(&run.run).await.expect("an answer").expect("it is there").key;
    let (sent, ()) = tokio::join!(send(&first, "Answer", None), async {
        until("the command waits", async || store.commands(key).await.expect("commands").len() == 1).await;
        assert_eq!(store.owned(HOSTS[1]).await, Ok(vec![run.run.clone()]), "its lease lasts");
        store.keep_alive(HOSTS[1], Now::default()).await.expect("it is over");
    });
    sent.expect("it is done");
    let ended = in_time(first.ended(&run.run)).await.expect("it ends");
    assert!(matches!(ended.status, RunStatus::Completed(_)), "{ended:?}");
    let journal = store.journal(key).await.expect("a journal");
    let received = journal.iter().filter(|row| String::from_utf8_lossy(&row.bytes).contains("EventReceived")).count();
    assert_eq!((received, store.letters.load(Ordering::Acquire)), (1, 1));
}

async fn a_command_that_nobody_has_done_is_withdrawn(store: Arc<Hostile>) {
    let (run, first) = vanished(&store).await;
    let key = store.run(&run.run).await.expect("an answer").expect("it is there").key;
    let (sent, ()) = tokio::join!(send(&first, "Answer", None), async {
        until("the command waits", async || store.commands(key).await.expect("commands").len() == 1).await;
        in_time(first.stop()).await;
    });
    assert!(matches!(sent, Err(Refusal::Unavailable(_))), "{sent:?}");
    assert_eq!(store.commands(key).await, Ok(Vec::new()), "nobody does it later");
}

#[tokio::test]
async fn a_panic_in_a_claim_leaves_no_run_behind() {
    let store = Arc::new(Hostile::default());
    let (run, first) = vanished(&store).await;
    in_time(first.stop()).await;
    store.keep_alive(HOSTS[1], Now::default()).await.expect("its lease is over");
    store.keeps.store(false, Ordering::Release);
    store.claims_panic.store(1, Ordering::Release);
    let third = host(store.clone(), module()).await;
    until("it has been claimed", async || store.owned(HOSTS[1]).await == Ok(vec![])).await;
    until("it is loaded, and left again", async || store.owned(HostId(3)).await == Ok(vec![])).await;
    assert_eq!(store.claims_panic.load(Ordering::Acquire), 0, "it was met");
    send(&third, "Answer", None).await.expect("it is accepted");
    assert!(matches!(in_time(third.ended(&run.run)).await.expect("it ends").status, RunStatus::Completed(_)));
}

#[tokio::test]
async fn whoever_has_lost_a_run_notices_without_an_append() {
    let store = Arc::new(Hostile::default());
    let spinning = Module { invoke: "(loop (br 0)) unreachable", ..Module::describing(WAITING) };
    let first = host(store.clone(), spinning).await;
    let (told, writes) = tokio::join!(in_time(first.start_and_wait(start(&first))), async {
        until("it is stored", async || first.handler("h").await.is_ok()).await;
        let run = first.handler("h").await.expect("it is there").run;
        // By the clock of another, the lease is over.
        let far_off = Now { at: u64::MAX, alive: 0 };
        store.acquire(HOSTS[1], &run, far_off).await.expect("it is taken");
        store.writes.load(Ordering::Acquire)
    });
    assert!(
        matches!(told.as_ref().map_err(|cut| &cut.refusal), Err(Refusal::Unavailable(why)) if why.contains("another owner")),
        "{told:?}"
    );
    assert_eq!(store.writes.load(Ordering::Acquire), writes, "its worker had nothing to append");
    assert!(first.handler("h").await.is_ok_and(|run| matches!(run.status, RunStatus::Running)), "it is another's");
}

#[tokio::test]
async fn what_is_asked_of_a_run_that_its_owner_cannot_read_is_refused() {
    let two = two(Arc::default(), true).await;
    let new = NewRun {
        key: two.store.key(),
        host: HOSTS[0],
        run: "torn".to_owned(),
        handler: "h".to_owned(),
        follows: Follows::Any,
        workflow: "waiting".to_owned(),
        definition: Vec::new(),
        started_at: 1,
        preview: String::new(),
        entries: vec![EntryRow { seq: 0, bytes: b"{".to_vec() }],
        logs: Vec::new(),
        frames: Vec::new(),
        copied: 0,
        standing: Standing::default(),
        runs_max: None,
        idempotency: None,
        waited: true,
    };
    let key = new.key;
    two.store.create(new).await.expect("created");
    for _ in 0..2 {
        let refused = send(&two.second, "Answer", None).await;
        assert!(matches!(&refused, Err(Refusal::Unfit { run, .. }) if run == "torn"), "{refused:?}");
    }
    assert_eq!((two.letters(), two.store.commands(key).await), (2, Ok(Vec::new())));
    in_time(two.second.purge("h")).await.expect("it can go");
    until("its owner forgets it", async || matches!(two.first.ended("torn").await, Err(Refusal::NotFound))).await;
}

/// Frames to the end, as a reader gets them.
async fn read(host: &Host, run: &str) -> Vec<Frame> {
    in_time(host.frames(run, -1).collect::<Vec<_>>()).await.concat()
}

fn sequences(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.sequence).collect()
}

impl Two {
    /// Both hosts have shown all that is stored, to the end.
    async fn check_read(&self, run: &RunView, read: [Vec<Frame>; 2]) {
        let stored: Vec<u64> = self.store.frames(&run.run, -1, usize::MAX).await.expect("frames").iter().map(|it| it.sequence).collect();
        for frames in read {
            assert_eq!(sequences(&frames), stored);
            assert!(frames.last().is_some_and(|frame| frame.terminal));
        }
    }
}

async fn readers_of_both_hosts_see_all_of_it(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    let (first, second, ()) = tokio::join!(read(&two.first, &run.run), read(&two.second, &run.run), async {
        for _ in 0..5 {
            send(&two.second, "Note", None).await.expect("it is accepted");
        }
        send(&two.first, "Answer", None).await.expect("it is accepted");
    });
    two.check_read(&run, [first, second]).await;
}

async fn readers_and_waiters_go_on_where_the_run_goes_on(store: Arc<Hostile>) {
    let two = two(store, false).await;
    let begun = two.first.start_and_wait(start(&two.first));
    let rest = async {
        until("it is there", async || two.second.handler("h").await.is_ok()).await;
        let run = two.second.handler("h").await.expect("it is there");
        let (first, second, waited, ()) =
            tokio::join!(read(&two.first, &run.run), read(&two.second, &run.run), in_time(two.first.ended(&run.run)), async {
                // Each host in its turn has it.
                for host in [&two.second, &two.first, &two.second] {
                    let owner = if std::ptr::eq(host, &two.second) { HOSTS[1] } else { HOSTS[0] };
                    until("it is left", async || {
                        let owned = [two.store.owned(HOSTS[0]).await, two.store.owned(HOSTS[1]).await];
                        owned.iter().all(|it| it.as_ref().is_ok_and(Vec::is_empty))
                    })
                    .await;
                    send(host, "Note", None).await.expect("it is accepted");
                    assert_eq!(two.store.owned(owner).await, Ok(vec![run.run.clone()]));
                }
                send(&two.second, "Answer", None).await.expect("it is accepted");
            });
        assert!(matches!(waited.expect("it ends").status, RunStatus::Completed(_)));
        two.check_read(&run, [first, second]).await;
    };
    let (ended, ()) = tokio::join!(in_time(begun), rest);
    assert!(matches!(ended.expect("it ends").status, RunStatus::Completed(_)));
    assert_eq!(two.letters(), 0, "nobody had to ask");
}

async fn what_is_over_goes_from_both_and_what_runs_stays(store: Arc<Hostile>) {
    let config = || Config { retention: Some(Duration::from_millis(1)), ..Config::default() };
    let hosts = [host_of(store.clone(), module(), config()).await, host_of(store.clone(), module(), config()).await];
    store.keep_alive(HOSTS[0], now()).await.expect("it is there");
    hosts[0].start(start(&hosts[0])).await.expect("it is durable");
    for (host, handler) in hosts.iter().zip(["one", "two"]) {
        host.start(start_under(host, handler)).await.expect("it is durable");
        in_time(host.cancel(handler)).await.expect("it runs");
    }
    for host in &hosts {
        for handler in ["one", "two"] {
            until("it is gone", async || matches!(host.handler(handler).await, Err(Refusal::NotFound))).await;
        }
        assert!(matches!(host.handler("h").await, Ok(RunView { status: RunStatus::Running, .. })));
    }
    send(&hosts[1], "Answer", None).await.expect("it goes on, with its component");
}

async fn the_clock_that_stands_is_one_for_both(store: Arc<Hostile>) {
    let first = host(store.clone(), module()).await;
    let ahead = ALIVE_FIRST + 3_600_000_000;
    store.keep_alive(HOSTS[0], Now { alive: ahead, ..now() }).await.expect("another has been up for longer");
    let before = store.renewed.load(Ordering::Acquire);
    until("the first renews its lease", async || store.renewed.load(Ordering::Acquire) >= before + 2).await;
    assert!(store.alive().await.is_ok_and(|alive| alive >= ahead), "and does not set it back");
    let second = host(store.clone(), module()).await;
    let run = second.start(start(&second)).await.expect("it is durable");
    let key = store.run(&run.run).await.expect("an answer").expect("it is there").key;
    let journal = store.journal(key).await.expect("a journal");
    let begun = wf_engine::journal::read(0, &journal[0].bytes).expect("it fits");
    assert!(begun.alive >= ahead, "whoever comes goes on from there");
    drop(first);
}

async fn who_waits_on_the_other_host_is_told(store: Arc<Hostile>) {
    let two = two(store, true).await;
    let run = two.begun().await;
    let (ended, sent) = tokio::join!(in_time(two.second.ended(&run.run)), send(&two.first, "Answer", None));
    sent.expect("it is accepted");
    assert!(matches!(ended.expect("it ends").status, RunStatus::Completed(_)));
}

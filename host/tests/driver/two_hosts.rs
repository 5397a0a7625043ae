//! Two hosts on one store: what is asked of one of them about a run that the other has.

use super::*;

use wf_host::model::{Frame, Idempotency, Target};
use wf_host::store::{HostId, RunKey};

/// A run that waits: an `Answer` ends it, a `Note` does not.
const WAITING: &str = r#"{"name":"waiting",
    "events":[{"name":"Answer","kind":"human-response"},{"name":"Note","kind":"human-response"}],
    "steps":[{"name":"begin","accepts":["StartEvent"]},{"name":"note","accepts":["Note"]},
             {"name":"finish","accepts":["Answer"],"emits":["StopEvent"]}]}"#;

/// The first host that joins a store, and the second.
const HOSTS: [HostId; 2] = [HostId(1), HostId(2)];

/// Steps with a name no longer than `begin` return nothing, the other ends the run.
fn module() -> Module {
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
async fn two(keeps: bool) -> Two {
    let store = Arc::new(Hostile::default());
    store.keeps.store(keeps, Ordering::Release);
    Two { first: host(store.clone(), module()).await, second: host(store.clone(), module()).await, store }
}

fn start(host: &Host) -> Start {
    let event = Event { name: "StartEvent".into(), payload: to_json(&serde_json::json!({})) };
    let workflow = host.workflow("waiting").expect("it is loaded");
    Start { workflow, event, state: None, handler: Some("h".to_owned()), idempotency: None }
}

async fn send(host: &Host, name: &str, key: Option<&str>) -> std::result::Result<(), Refusal> {
    let event = Event { name: name.into(), payload: to_json(&serde_json::json!({ "result": 7 })) };
    let idempotency = key.map(|key| Idempotency { key: key.to_owned(), body: [0; 32] });
    in_time(host.send("h", event, Target::default(), idempotency)).await
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("everybody is answered")
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
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

#[tokio::test]
async fn an_event_reaches_a_run_that_the_other_host_has() {
    let two = two(true).await;
    let run = two.begun().await;
    send(&two.second, "Answer", None).await.expect("it is accepted");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (1, 1));
    until("it ends", async || matches!(two.second.run(&run.run).await, Ok(RunView { status: RunStatus::Completed(_), .. }))).await;
    assert_eq!(two.store.commands(two.key(&run).await).await, Ok(Vec::new()));
    let late = send(&two.second, "Answer", None).await;
    assert!(matches!(late, Err(Refusal::AlreadyCompleted)), "{late:?}");
}

#[tokio::test]
async fn what_the_other_host_refuses_is_refused() {
    let two = two(true).await;
    let run = two.begun().await;
    let event = Event { name: "Answer".into(), payload: to_json(&serde_json::json!({})) };
    let target = Target { step: None, invocation: Some(99) };
    let refused = in_time(two.second.send("h", event, target, None)).await;
    assert!(matches!(refused, Err(Refusal::NotWaiting(99))), "{refused:?}");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (1, 0));
}

#[tokio::test]
async fn a_run_that_the_other_host_has_is_cancelled() {
    let two = two(true).await;
    let run = two.begun().await;
    in_time(two.second.cancel("h")).await.expect("it is cancelled");
    assert!(matches!(two.second.run(&run.run).await, Ok(RunView { status: RunStatus::Cancelled, .. })));
    assert_eq!((two.letters(), two.entries(&run, "CancelRequested").await), (1, 1));
    let again = in_time(two.second.cancel("h")).await;
    assert!(matches!(again, Err(Refusal::NotFound)), "{again:?}");
}

#[tokio::test]
async fn what_the_other_host_has_is_purged() {
    let two = two(true).await;
    let run = two.begun().await;
    in_time(two.second.purge("h")).await.expect("it is purged");
    assert!(matches!(two.first.run(&run.run).await, Err(Refusal::NotFound)));
}

#[tokio::test]
async fn one_key_is_done_once() {
    let two = two(true).await;
    let run = two.begun().await;
    let sent = join_all((0..4).map(|_| send(&two.second, "Note", Some("k")))).await;
    assert!(sent.iter().all(|it| it.is_ok()), "{sent:?}");
    send(&two.first, "Note", Some("k")).await.expect("it was done before");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (4, 1));
}

#[tokio::test]
async fn many_events_are_each_done_once() {
    let two = two(true).await;
    let run = two.begun().await;
    let hosts = (0..40).map(|number| if number % 4 == 0 { &two.first } else { &two.second });
    let sent = join_all(hosts.map(|host| send(host, "Note", None))).await;
    assert!(sent.iter().all(|it| it.is_ok()), "{sent:?}");
    assert_eq!((two.letters(), two.entries(&run, "EventReceived").await), (30, 40));
}

#[tokio::test]
async fn a_run_that_nobody_has_is_taken_at_once() {
    let two = two(false).await;
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

/// The first host vanishes with a run that waits; its lease lasts.
async fn vanished() -> (Arc<Hostile>, RunView, Host) {
    let store = Arc::new(Hostile::default());
    store.keeps.store(true, Ordering::Release);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let mut doomed = Doomed(Some(runtime));
    let begun = {
        let store = store.clone();
        doomed.0.as_ref().expect("it is up").spawn(async move {
            let first = host(store, module()).await;
            first.start(start(&first)).await.expect("it is durable")
        })
    };
    let run = in_time(begun).await.expect("no panic");
    doomed.kill();
    let second = host(store.clone(), module()).await;
    (store, run, second)
}

#[tokio::test]
async fn whoever_takes_over_does_what_the_owner_was_told() {
    let (store, run, second) = vanished().await;
    let key = store.run(&run.run).await.expect("an answer").expect("it is there").key;
    let (sent, ()) = tokio::join!(send(&second, "Answer", None), async {
        until("the command waits", async || store.commands(key).await.expect("commands").len() == 1).await;
        assert_eq!(store.owned(HOSTS[0]).await, Ok(vec![run.run.clone()]), "its lease lasts");
        store.keep_alive(HOSTS[0], Now::default()).await.expect("it is over");
    });
    sent.expect("it is done");
    let ended = in_time(second.ended(&run.run)).await.expect("it ends");
    assert!(matches!(ended.status, RunStatus::Completed(_)), "{ended:?}");
    let journal = store.journal(key).await.expect("a journal");
    let received = journal.iter().filter(|row| String::from_utf8_lossy(&row.bytes).contains("EventReceived")).count();
    assert_eq!((received, store.letters.load(Ordering::Acquire)), (1, 1));
}

#[tokio::test]
async fn a_command_that_nobody_has_done_is_withdrawn() {
    let (store, run, second) = vanished().await;
    let key = store.run(&run.run).await.expect("an answer").expect("it is there").key;
    let (sent, ()) = tokio::join!(send(&second, "Answer", None), async {
        until("the command waits", async || store.commands(key).await.expect("commands").len() == 1).await;
        in_time(second.stop()).await;
    });
    assert!(matches!(sent, Err(Refusal::Unavailable(_))), "{sent:?}");
    assert_eq!(store.commands(key).await, Ok(Vec::new()), "nobody does it later");
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

#[tokio::test]
async fn readers_of_both_hosts_see_all_of_it() {
    let two = two(true).await;
    let run = two.begun().await;
    let (first, second, ()) = tokio::join!(read(&two.first, &run.run), read(&two.second, &run.run), async {
        for _ in 0..5 {
            send(&two.second, "Note", None).await.expect("it is accepted");
        }
        send(&two.first, "Answer", None).await.expect("it is accepted");
    });
    two.check_read(&run, [first, second]).await;
}

#[tokio::test]
async fn readers_and_waiters_go_on_where_the_run_goes_on() {
    let two = two(false).await;
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

#[tokio::test]
async fn who_waits_on_the_other_host_is_told() {
    let two = two(true).await;
    let run = two.begun().await;
    let (ended, sent) = tokio::join!(in_time(two.second.ended(&run.run)), send(&two.first, "Answer", None));
    sent.expect("it is accepted");
    assert!(matches!(ended.expect("it ends").status, RunStatus::Completed(_)));
}

//! Rows for tests.

use std::sync::Arc;

use bytes::Bytes;
use wf_engine::text::LEVEL_END;
use wf_host::store::{
    Append, Claim, CommandId, Created, Ended, EntryRow, Error, Follows, FrameRow, HostId, IdempotencyRow, LogRow, Made, NewRun, Now,
    Release, RunKey, RunSummary, Snapshot, Standing, Status, Store, Stored, Unbegun, Wake,
};

pub type AnyStore = Arc<dyn Store>;

/// The first host that joins a store.
pub const HOST: HostId = HostId(1);

/// Both clocks, in seconds.
pub fn now(at: u64, alive: u64) -> Now {
    Now { at: at * 1_000_000, alive: alive * 1_000_000 }
}

pub fn entry(seq: u64) -> EntryRow {
    EntryRow { seq, bytes: format!(r#"{{"seq":{seq}}}"#).into_bytes() }
}

pub fn frame(sequence: u64) -> FrameRow {
    FrameRow { sequence, internal: sequence % 2 == 1, terminal: false, json: Bytes::from(format!(r#"{{"n":{sequence}}}"#)) }
}

pub fn new(store: &AnyStore, run: &str, handler: &str) -> NewRun {
    NewRun {
        key: store.key(),
        host: HOST,
        run: run.into(),
        handler: handler.into(),
        follows: Follows::Any,
        workflow: "greeting".into(),
        definition: vec!["one".into(), "two".into()],
        started_at: 10,
        preview: r#"{"name":"World"}"#.into(),
        entries: vec![entry(0)],
        logs: Vec::new(),
        frames: vec![frame(0)],
        copied: 0,
        standing: Standing { updated_at: 10, ..Standing::default() },
        runs_max: None,
        idempotency: None,
        waited: true,
    }
}

/// Stores a run, which has generation 1.
pub async fn created(store: &AnyStore, run: &str, handler: &str) -> RunKey {
    let new = new(store, run, handler);
    let key = new.key;
    store.create(new).await.expect("created");
    key
}

pub fn append(run: RunKey, generation: u64, seq: u64) -> Append {
    Append {
        run,
        generation,
        expected_seq: seq,
        entries: vec![entry(seq)],
        frames: vec![frame(seq)],
        standing: Standing { updated_at: 10 + seq, ..Standing::default() },
        idempotency: None,
        logs: Vec::new(),
        snapshot: None,
        answer: None,
        waited: true,
    }
}

pub fn ended(status: Status, at: u64) -> Standing {
    let ended = Ended { status, at, state: Bytes::from_static(br#"{"count":1}"#) };
    Standing { updated_at: at, ended: Some(ended), ..Standing::default() }
}

/// Ends a new run of a handler at a time.
pub async fn over(store: &AnyStore, run: &str, handler: &str, workflow: &str, at: u64) {
    let new = NewRun { workflow: workflow.into(), standing: ended(Status::Cancelled, at), ..new(store, run, handler) };
    store.create(new).await.expect("created");
}

pub fn key(scope: &str, key: &str, made: Made) -> IdempotencyRow {
    IdempotencyRow { scope: scope.into(), key: key.into(), body: [7; 32], made }
}

pub fn line(invocation: u64, attempt: u32, source: &str, number: u64, message: &str) -> LogRow {
    LogRow { invocation, attempt, source: source.into(), number, at: 5, level: "info".into(), message: message.into(), fields: "{}".into() }
}

pub async fn seqs(store: &AnyStore, key: RunKey) -> Vec<u64> {
    store.journal(key).await.expect("a journal").iter().map(|it| it.seq).collect()
}

pub async fn sequences(store: &AnyStore, run: &str, after: i64, limit: usize) -> Vec<u64> {
    store.frames(run, after, limit).await.expect("frames").iter().map(|it| it.sequence).collect()
}

/// One of everything that lasts, by the same calls each time. Databases with it are golden files: what is
/// added here is not in those of older versions, and [`expect_everything`] must bear that.
pub async fn write_everything(store: &AnyStore) {
    assert_eq!(store.join(now(1, 1)).await, Ok(HOST));
    store.put_component("one", Bytes::from_static(b"\0asm"), r#"{"name":"greeting"}"#.into()).await.expect("kept");
    over(store, "old", "continued", "greeting", 20).await;
    let failed = created(store, "failed", "failed").await;
    store.append(Append { standing: ended(Status::Failed("why".into()), 21), ..append(failed, 1, 1) }).await.expect("appended");
    let new = NewRun { idempotency: Some(key("workflow/greeting", "k", Made::Run("r".into()))), ..new(store, "r", "continued") };
    let run = new.key;
    store.create(new).await.expect("created");
    let all = Append {
        entries: vec![entry(1), large_entry()],
        frames: vec![frame(1), FrameRow { json: large(), ..frame(2) }],
        logs: vec![line(0, 0, "log", 0, "said"), line(0, 0, "stdout", 0, "lost"), line(0, 1, "log", 0, &large_text())],
        idempotency: Some(key("handler/continued", "k", Made::Event("e".into()))),
        snapshot: Some(Snapshot { seq: 2, bytes: large() }),
        ..append(run, 1, 1)
    };
    store.append(all).await.expect("appended");
    store.log(run, vec![LogRow { level: LEVEL_END.into(), ..line(0, 0, "stdout", 0, "") }]).await.expect("kept");
    let mut standing = ended(Status::Completed(large()), 30);
    standing.ended.as_mut().expect("it ends").state = large();
    let last = vec![FrameRow { terminal: true, ..frame(3) }];
    store.append(Append { frames: last, standing, ..append(run, 1, 3) }).await.expect("appended");
    let standing = Standing { updated_at: 22, waiting: Some("Answer".into()), ..Standing::default() };
    let waits = NewRun { standing, ..self::new(store, "waits", "waits") };
    let key = waits.key;
    store.create(waits).await.expect("created");
    let answered = store.send_command("waits", b"did".to_vec()).await.expect("sent");
    store.answer_command(answered, b"done".to_vec()).await.expect("answered");
    store.send_command("waits", b"do".to_vec()).await.expect("sent");
    store.release(Release { run: key, generation: 1, wake: Wake { at: Some(40), alive: Some(50) } }).await.expect("left");
    created(store, "runs", "runs").await;
    let queues = NewRun { entries: vec![EntryRow { seq: 0, ..large_entry() }], runs_max: Some(1), ..self::new(store, "queues", "queues") };
    assert_eq!(store.create(queues).await, Ok(Created::Queued));
    store.keep_alive(HOST, now(2, 77)).await.expect("kept");
}

/// A value that is kept apart.
pub fn large() -> Bytes {
    Bytes::from(format!("\"{}\"", large_text()))
}

fn large_text() -> String {
    "x".repeat(66_000)
}

fn large_entry() -> EntryRow {
    EntryRow { seq: 2, bytes: format!(r#"{{"seq": 2, "value": "{}" , "é":1.50}}"#, large_text()).into_bytes() }
}

/// Looks at what [`write_everything`] has written, and takes it over.
pub async fn expect_everything(store: &AnyStore) {
    let summary = async |run: &str| store.run(run).await.expect("an answer").expect("it is there");
    let done = store.handler("continued").await.expect("an answer").expect("it is there");
    assert_eq!(done, summary("r").await, "the newest of its handler");
    let expected = RunSummary {
        key: done.key,
        run: "r".into(),
        handler: "continued".into(),
        workflow: "greeting".into(),
        definition: vec!["one".into(), "two".into()],
        origin: None,
        status: Status::Completed(large()),
        started_at: 10,
        updated_at: Some(30),
        completed_at: Some(30),
        preview: r#"{"name":"World"}"#.into(),
        result_preview: Some(format!("\"{}", &large_text()[..199])),
        waiting: None,
        queue: None,
    };
    assert_eq!(done, expected);
    assert_eq!((summary("old").await.status, summary("failed").await.status), (Status::Cancelled, Status::Failed("why".into())));
    assert_eq!(store.journal(done.key).await, Ok(vec![entry(0), entry(1), large_entry(), entry(3)]));
    let frames = vec![frame(0), frame(1), FrameRow { json: large(), ..frame(2) }, FrameRow { terminal: true, ..frame(3) }];
    assert_eq!(store.frames("r", -1, 9).await, Ok(frames));
    let lines = vec![line(0, 0, "log", 0, "said"), line(0, 1, "log", 0, &large_text())];
    assert_eq!(store.logs("r").await, Ok(lines));
    let snapshot = Some(Snapshot { seq: 2, bytes: large() });
    assert_eq!(store.load(done.key).await, Ok(Stored { snapshot, entries: vec![entry(3)] }));
    assert_eq!(store.final_state(done.key).await, Ok(Some(large())));
    for (scope, made) in [("workflow/greeting", Made::Run("r".into())), ("handler/continued", Made::Event("e".into()))] {
        assert_eq!(store.idempotency(scope, "k").await, Ok(Some(key(scope, "k", made))));
    }
    assert_eq!(store.component("one").await, Ok(Some(Bytes::from_static(b"\0asm"))));
    assert_eq!(store.manifest("one").await, Ok(Some(r#"{"name":"greeting"}"#.into())));
    // Nobody could queue in the first versions.
    let queued = store.run("queues").await.expect("an answer");
    if let Some(queued) = &queued {
        let unbegun = Unbegun { entries: vec![EntryRow { seq: 0, ..large_entry() }], queues: true };
        assert_eq!((queued.queue.as_deref(), store.unbegun(queued.key).await), (Some("greeting"), Ok(Some(unbegun))));
    }
    assert_eq!((store.alive().await, store.unfinished().await), (Ok(77_000_000), Ok(2 + u64::from(queued.is_some()))));
    assert_eq!(store.next_due().await, Ok(Wake { at: Some(40), alive: Some(50) }));
    let host = store.join(now(3, 77)).await.expect("joined");
    assert_ne!(host, HOST);
    let claims = store.claim_due(host, now(3, 77), 9).await.expect("claims");
    let claims: Vec<_> = claims.iter().map(|it| (it.run.as_str(), it.generation, it.abandoned)).collect();
    assert_eq!(claims, [("runs", 2, true), ("waits", 2, false)], "the host before has left it at once");
    let waits = summary("waits").await;
    assert_eq!((waits.status, waits.waiting.as_deref(), waits.queue), (Status::Running, Some("Answer"), None));
    assert_eq!(store.commands(waits.key).await, Ok(vec![(CommandId(2), b"do".to_vec())]));
    assert_eq!(store.take_answer(CommandId(1)).await, Ok(Some(b"done".to_vec())));
    assert!(store.key() > waits.key);
    store.append(append(waits.key, 2, 1)).await.expect("it goes on");
}

/// The ids of runs that were claimed.
pub fn ids(claims: Result<Vec<Claim>, Error>) -> Vec<String> {
    claims.expect("claims").into_iter().map(|it| it.run).collect()
}

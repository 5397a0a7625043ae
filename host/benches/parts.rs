//! What a run is made of, part by part: `cargo bench --profile release --workspace --bench parts`.
//!
//! Each is what the host does for a `greeting`, without the rest of it. `tests/bench` measures the whole.

#[path = "../tests/store/rows.rs"]
#[expect(dead_code, reason = "the tests of the store need all of them")]
mod rows;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use divan::{Bencher, black_box};
use serde_json::json;
use tokio::runtime::Runtime as Tokio;
use tokio::sync::mpsc::unbounded_channel;
use wf_engine::attempt::{Attempt, Limits as AttemptLimits, Next, Request, RunInfo};
use wf_engine::definition::Definition;
use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Commit, Event, Input, Part, RULES, Started, Usage};
use wf_engine::json::{empty, to_json};
use wf_engine::run::Run;
use wf_host::model::{Grants, Limits};
use wf_host::runtime::{Compiler, Component, Options, Report, Runtime, Terms};
use wf_host::store::{Append, FrameRow, open};

/// Appends that one sync carries.
const TOGETHER: u64 = 64;

static TOKIO: LazyLock<Tokio> = LazyLock::new(|| Tokio::new().expect("threads"));
static DEFINITION: LazyLock<Arc<Definition>> = LazyLock::new(|| {
    let steps = json!([{ "name": "greet", "accepts": ["StartEvent"], "emits": ["StopEvent"] }]);
    let manifest = json!({ "name": "greeting", "steps": steps, "events": [{ "name": "Greeted", "kind": "plain" }] });
    Arc::new(Definition::new(vec![(part(), serde_json::from_value(manifest).expect("a manifest"))]))
});

fn main() {
    divan::main();
}

fn part() -> Part {
    Part { component: "d".into(), data: None }
}

fn event(name: &str, payload: serde_json::Value) -> Event {
    Event { name: name.into(), payload: to_json(&payload) }
}

fn started() -> Input {
    Input::Started(Box::new(Started {
        rules: RULES,
        definition: vec![part()],
        workflow: "greeting".into(),
        handler: "h".into(),
        run: "r".into(),
        start: event("StartEvent", json!({ "name": "Ada" })),
        state: empty(),
        seed: String::new(),
        timeout: None,
        additional_events: Vec::new(),
        state_max: None,
    }))
}

/// Folds what happened, and says what is to be entered.
fn apply(run: &mut Run, input: Input) -> Option<Invoke> {
    let seq = run.next_seq();
    let entry = run.entry(seq, seq, input);
    let effects = black_box(run.apply(&entry));
    effects.into_iter().find_map(|effect| if let Effect::Invoke(invoke) = effect { Some(*invoke) } else { None })
}

/// A run that has begun, and the attempt that it asks for.
fn begun() -> (Run, Invoke) {
    let mut run = Run::new(DEFINITION.clone());
    let invoke = apply(&mut run, started()).expect("a step");
    (run, invoke)
}

/// The fold of a whole run: its start, and its step's return.
#[divan::bench]
fn fold_a_greeting(bencher: Bencher) {
    bencher.with_inputs(|| (Run::new(DEFINITION.clone()), started())).bench_local_values(|(mut run, start)| {
        let invoke = apply(&mut run, start).expect("a step");
        let (invocation, attempt) = (invoke.invocation, invoke.attempt);
        let events = vec![event("StopEvent", json!({ "result": "Hello, Ada!" }))];
        let returned =
            Input::StepReturned { invocation, attempt, calls: vec![], commit: Commit::default(), events, usage: Usage::default() };
        apply(&mut run, returned);
        run
    });
}

/// What a guest's call costs before anybody hears of it: an attempt, and an event that it publishes.
#[divan::bench]
fn enter_an_attempt_and_publish(bencher: Bencher) {
    let limits = AttemptLimits {
        payload_max: 4 << 20,
        value_max: 4 << 20,
        state_max: 64 << 20,
        events_max: 10_000,
        buffered_max: usize::MAX,
        calls_max: u32::MAX,
    };
    bencher.with_inputs(|| begun().1).bench_local_values(|invoke| {
        let mut attempt = Attempt::new(invoke, limits.clone());
        let next = attempt.call(Request::Publish { name: "Greeted".into(), payload: r#"{"name":"Ada"}"#.into() }, 0);
        assert!(matches!(next, Next::Progress { .. }));
        attempt
    });
}

async fn greeting() -> (Runtime, Arc<Component>) {
    let options = Options { cache_dir: None, compiler: Compiler::Here, threads: None, limits: Limits::default() };
    let runtime = Runtime::new(options).expect("a runtime");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies in a workspace");
    let bytes = std::fs::read(root.join("target/guests/rust/greeting.wasm")).expect("`make guests` builds it");
    let component = runtime.load(bytes).await.expect("it loads");
    (runtime, component)
}

/// A fresh instance on a guest's thread, its step, and the report of its return.
#[divan::bench]
fn instantiate_and_call(bencher: Bencher) {
    let (runtime, component) = TOKIO.block_on(greeting());
    let info = RunInfo { run: "r".into(), handler: "h".into(), workflow: "greeting".into(), seed: [7; 32] };
    let info = Arc::new(info);
    let terms = Terms { limits: Arc::new(Limits::default()), grants: Arc::new(Grants::default()), watched: false };
    bencher.with_inputs(|| begun().1).bench_local_values(|invoke| {
        TOKIO.block_on(async {
            let (reporter, mut reports) = unbounded_channel();
            let _entry = runtime.enter(component.clone(), invoke, 0, info.clone(), terms.clone(), reporter);
            loop {
                match reports.recv().await.expect("it reports until it has ended") {
                    Report::Returned { events, .. } => return events,
                    Report::Failed { failure, .. } => panic!("{failure:?}"),
                    _ => (),
                }
            }
        })
    });
}

/// So many runs append at once to SQLite, each an entry and a frame, until all is durable.
#[divan::bench(counters = [divan::counter::ItemsCount::new(TOGETHER)])]
fn append_for_many_runs(bencher: Bencher) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (store, runs) = TOKIO.block_on(async {
        let store = open(None, folder.path()).await.expect("it opens");
        store.join(rows::now(0, 0)).await.expect("it joins");
        let mut runs = Vec::new();
        for number in 0..TOGETHER {
            runs.push(rows::created(&store, &format!("r{number}"), &format!("h{number}")).await);
        }
        (store, runs)
    });
    let mut seq = 0;
    bencher.bench_local(|| {
        seq += 1;
        let appended = runs.iter().map(|run| store.append(rows::append(*run, 1, seq)));
        let appended: Vec<_> = appended.collect();
        TOKIO.block_on(async {
            for each in appended {
                each.await.expect("it is written");
            }
        });
    });
}

/// From a frame that is handed to the store to somebody who watches its run and has read it.
#[divan::bench]
fn frame_to_its_reader(bencher: Bencher) {
    let (store, run) = TOKIO.block_on(async {
        let store = open(Some("memory:"), Path::new("unused")).await.expect("it opens");
        store.join(rows::now(0, 0)).await.expect("it joins");
        let run = rows::created(&store, "r", "h").await;
        (store, run)
    });
    let mut watching = store.watch("r");
    let mut seq = 0;
    bencher.bench_local(|| {
        seq += 1;
        TOKIO.block_on(async {
            let frames: Vec<FrameRow> = vec![rows::frame(seq)];
            store.append(Append { frames, ..rows::append(run, 1, seq) }).await.expect("it is written");
            watching.changed().await.expect("it is there");
            store.frames("r", i64::try_from(seq).expect("few") - 1, 9).await.expect("frames")
        })
    });
}

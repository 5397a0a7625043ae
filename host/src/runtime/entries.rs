//! Entries whose host answers late or never, and pools that are full to the last place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use wf_engine::definition::Definition;
use wf_engine::effect::{Invoke, Log, Memos, RetryInfo};
use wf_engine::entry::Event;
use wf_tests::wasm::Module;

use super::{Compiler, Component, Entry, Options, Report, RunInfo, Runtime, Terms, Waits, engine, shape};
use crate::model::Limits;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One that does this, and then commits: its host has to answer.
fn committing(before: &str, further: String) -> Module {
    let sound = Module::sound("committing");
    let import = r#"(import "wf:workflow/run@0.1.0" "commit" (func $commit))"#;
    let invoke = format!("{before} (call $commit) unreachable").leak();
    Module { fields: format!("{import} {}", sound.fields), invoke, further, ..sound }
}

fn runtime(instances_max: u32) -> Runtime {
    let limits = Limits { instances_max, ..Limits::default() };
    Runtime::new(Options { cache_dir: None, compiler: Compiler::Here, threads: None, limits }).expect("a runtime")
}

fn enter(runtime: &Runtime, component: &Arc<Component>, name: &str, limits: Limits) -> (Entry, UnboundedReceiver<Report>) {
    let start = Event { name: "StartEvent".into(), payload: serde_json::from_str("{}").expect("JSON") };
    let invoke = Invoke {
        invocation: 0,
        attempt: 0,
        step: "only".into(),
        component: 0,
        events: [start].into(),
        started_at: 0,
        log: Log::new_sync(),
        committed: 0,
        memos: Memos::new_sync(),
        retry: RetryInfo::default(),
        definition: Arc::new(Definition::new(Vec::new())),
        time_left: None,
        lost: false,
    };
    let info = RunInfo { run: name.to_owned(), handler: name.to_owned(), workflow: name.to_owned(), seed: [0; 32] };
    let (sender, reports) = unbounded_channel();
    let terms = Terms { limits: Arc::new(limits), grants: Arc::default(), watched: false, answered: false };
    (runtime.enter(component.clone(), invoke, 0, Arc::new(info), terms, sender), reports)
}

async fn next(reports: &mut UnboundedReceiver<Report>) -> Report {
    tokio::time::timeout(PATIENCE, reports.recv()).await.expect("in time").expect("a report")
}

#[tokio::test]
async fn who_is_never_answered_ends_by_the_clock() {
    let runtime = runtime(4);
    let component = runtime.load(committing("", String::new()).binary()).await.expect("it loads");
    let begun = Instant::now();
    let limits = Limits { entry_max: Duration::from_millis(300), ..Limits::default() };
    let (_entry, mut reports) = enter(&runtime, &component, "one", limits);
    let Report::Progressed { waits: Waits::Answer(reply), .. } = next(&mut reports).await else { panic!("it commits") };
    let Report::Failed { failure, .. } = next(&mut reports).await else { panic!("it is given up") };
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    let why = "step `only` computed, slept and waited for the host for more than 300ms in all (limit entry_max)";
    assert_eq!((&*failure.kind, &*failure.message), ("timeout", why));
    assert!(reply.is_closed(), "its instance is gone");
}

/// That component with so many core instances more, of a module with nothing in it.
fn with_core_instances(component: &[u8], more: u8) -> Vec<u8> {
    let (mut rest, mut modules) = (&component[8..], 0);
    // Each section: what it is, how long, and what is in it.
    while let [kind, after @ ..] = rest {
        modules += u8::from(*kind == 1);
        let (mut length, mut at) = (0, 0);
        while after[at] & 0x80 != 0 {
            length |= usize::from(after[at] & 0x7f) << (7 * at);
            at += 1;
        }
        length |= usize::from(after[at]) << (7 * at);
        rest = &after[at + 1 + length..];
    }
    let module = [1, 8, 0, b'a', b's', b'm', 1, 0, 0, 0];
    let instances = [0, modules, 0].repeat(more.into());
    let length = instances.len() + 1;
    let head = [2, 0x80 | (length & 0x7f) as u8, (length >> 7) as u8, more];
    [component, &module, &head, &instances].concat()
}

/// As many as there are turns, each of a workflow of its own, all of them in their instances at once.
async fn all_at_once(runtime: &Runtime, what: &str, bytes: Vec<u8>) {
    let component = runtime.load(bytes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let entries = (0..runtime.0.limits.instances_max).map(|number| enter(runtime, &component, &number.to_string(), Limits::default()));
    let mut held = Vec::new();
    for (entry, mut reports) in entries.collect::<Vec<_>>() {
        match next(&mut reports).await {
            Report::Progressed { waits: Waits::Answer(reply), .. } => held.push((entry, reports, reply)),
            Report::Failed { failure, .. } => panic!("{what}: {}", failure.message),
            _ => panic!("{what}: it does nothing else"),
        }
    }
    assert!(held.iter().all(|(_, _, reply)| !reply.is_closed()), "{what}: all of them wait");
}

#[tokio::test]
async fn all_who_have_a_turn_find_room_for_whatever_one_component_may_have() {
    // More than wasmtime's own totals have room for.
    let runtime = runtime(64);
    let full = |what: &str, module: Module| (what.to_owned(), module.binary());
    // Ten thousand frames of some words each: more than half of the stack.
    let deep = "(call $deep (i32.const 10000))";
    let frame = "(func $deep (param $left i32)
        (if (local.get $left) (then (call $deep (i32.sub (local.get $left) (i32.const 1))) (return)))
        (call $commit))";
    let (what, plain) = full("core instances", committing("", String::new()));
    let plain = shape::component(&plain).expect("a component");
    let most = (1..=u8::try_from(engine::CORE_INSTANCES_MAX).expect("few"))
        .rev()
        .map(|more| with_core_instances(&plain, more))
        .find(|bytes| super::make(super::Work::Compile, bytes).is_ok_and(|code| super::cache::component(&runtime.0.engine, &code).is_ok()));
    all_at_once(&runtime, &what, most.expect("one that loads")).await;
    for (what, bytes) in [
        full("memories", committing("", "(memory 1)".repeat(engine::MEMORIES_MAX as usize - 1))),
        full("tables", committing("", "(table 1000 funcref)".repeat(engine::TABLES_MAX as usize))),
        full("stacks", committing(deep, frame.to_owned())),
    ] {
        all_at_once(&runtime, &what, bytes).await;
    }
}

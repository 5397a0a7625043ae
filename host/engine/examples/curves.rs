//! How the work of the fold grows: each thing at 10 to 100,000 of it, in microseconds for one.
//!
//! `cargo run --release --package wf-engine --example curves [NAME…]`
//!
//! A row that stays level is flat or, over all of them, linear. Bytes are of the journal, or of a
//! snapshot, for one.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use wf_engine::attempt::{Attempt, Limits, Next, Request};
use wf_engine::definition::Definition;
use wf_engine::effect::{Effect, Invoke};
use wf_engine::entry::{Call, Commit, Entry, Event, Function, Input, InvocationId, Part, RULES, Started, Usage, Wait};
use wf_engine::json::{Json, empty, to_json};
use wf_engine::run::Run;
use wf_engine::{journal, snapshot};

const SIZES: [u64; 5] = [10, 100, 1_000, 10_000, 100_000];
/// Most of a thing that are timed, where one alone costs the same as another.
const SAMPLE: u64 = 2_000;

/// After so many bytes of entries a host puts a run away, at the soonest.
const SNAPSHOT_AFTER: usize = 64 << 10;

type Curve = fn(u64) -> Vec<f64>;

/// What is measured: a name, what each number is of, and how.
const CURVES: [(&str, &[&str], Curve); 17] = [
    ("an answer to one of n waiters", &["us"], answer),
    ("a wait after n waits in one attempt", &["us"], waits),
    ("a collect of n", &["us", "bytes"], collect),
    ("a set after n uncommitted ones, and a read", &["us"], sets),
    ("a push after n uncommitted ones", &["us"], pushes),
    ("a write into a state of n fields", &["us"], room),
    ("a read of a state of n bytes, by a step that returns", &["us", "bytes"], gets),
    ("a read of a state of n bytes, by a step that publishes", &["us", "bytes"], publishes),
    ("a fan-out of n, joined", &["us"], fan_out),
    ("an inner scope that closes beside n unpaired events", &["us"], unpaired),
    ("a turn of a loop through a fan-out, after n", &["us", "bytes"], turns),
    ("an exclusive edit with n in the queue", &["us"], exclusive),
    ("history, for each of n in flight", &["us"], history),
    ("a page of 100 of the history of n entries", &["us", "bytes"], page),
    ("a resumption, for each of n waiters", &["us"], resumption),
    ("replay, for each of n entries", &["us"], replay),
    ("a restore from a snapshot, for each of n in flight", &["us", "bytes"], restore),
];

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!("{:56}{}", "", SIZES.map(|n| format!("{n:>12}")).concat());
    for (name, units, curve) in CURVES {
        if !wanted.is_empty() && !wanted.iter().any(|it| name.contains(it.as_str())) {
            continue;
        }
        let rows = SIZES.map(curve);
        for (place, unit) in units.iter().enumerate() {
            let mut line = format!("{:49}{unit:>6} ", if place == 0 { name } else { "" });
            for row in &rows {
                let _ = write!(line, "{:>12.2}", row[place]);
            }
            println!("{line}");
        }
    }
}

/// A run, and its journal where that is kept.
struct World {
    run: Run,
    journal: Vec<Entry>,
    keeps: bool,
    bytes: usize,
}

impl World {
    fn new(steps: Value) -> World {
        let types = ["Item", "Done", "Next", "B"].map(|name| json!({ "name": name, "kind": "plain" }));
        let mut events = types.to_vec();
        events.push(json!({ "name": "Answer", "kind": "human-response" }));
        let manifest = json!({ "name": "curves", "steps": steps, "events": events });
        let part = Part { component: "d".into(), data: None };
        let definition = Definition::new(vec![(part.clone(), serde_json::from_value(manifest).expect("a manifest"))]);
        let mut world = World { run: Run::new(Arc::new(definition)), journal: Vec::new(), keeps: true, bytes: 0 };
        world.input(Input::Started(Box::new(Started {
            rules: RULES,
            definition: vec![part],
            workflow: "curves".into(),
            handler: "h".into(),
            run: "r".into(),
            start: event("StartEvent"),
            state: empty(),
            seed: String::new(),
            timeout: None,
            additional_events: vec!["Answer".into()],
            state_max: None,
        })));
        world
    }

    fn input(&mut self, input: Input) -> Vec<Effect> {
        let seq = self.run.next_seq();
        let entry = self.run.entry(seq, seq, input);
        let effects = self.run.apply(&entry);
        if self.keeps {
            self.bytes += serde_json::to_vec(&entry).expect("JSON").len();
            self.journal.push(entry);
        }
        effects
    }

    fn returns(&mut self, invocation: InvocationId, events: Vec<Event>) {
        let input =
            Input::StepReturned { invocation, attempt: 0, calls: vec![], commit: Commit::default(), events, usage: Usage::default() };
        assert!(!self.input(input).is_empty(), "it is heard");
    }

    fn calls(&mut self, invocation: InvocationId, ordinal: u32, function: Function) {
        let calls = vec![Call { ordinal, at: 0, function }];
        let input = Input::StepProgressed { invocation, attempt: 0, calls, commit: Some(Commit::default()), usage: Usage::default() };
        self.input(input);
    }

    fn receives(&mut self, payload: Json) {
        let event = Event { name: "Answer".into(), payload };
        self.input(Input::EventReceived { id: String::new(), event, step: None, invocation: None });
    }
}

fn event(name: &str) -> Event {
    Event { name: name.into(), payload: empty() }
}

fn events(name: &str, count: u64) -> Vec<Event> {
    (0..count).map(|_| event(name)).collect()
}

fn wait(i: u64) -> Function {
    let requirements = [("i".to_owned(), to_json(&i))].into();
    let types = vec!["Answer".into()];
    Function::Wait(Box::new(Wait {
        types,
        subtypes: false,
        id: None,
        requirements,
        timeout: None,
        request: None,
        fresh: false,
        answer: None,
    }))
}

/// Microseconds for one of so many.
fn each(count: u64, work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e6 / count as f64
}

/// Many invocations of `work`, all in flight.
fn wide(n: u64, slots: u64) -> World {
    let mut world = World::new(json!([
        { "name": "split", "accepts": ["StartEvent"], "emits": ["Item"], "fan_out": true },
        { "name": "work", "accepts": ["Item"], "emits": ["Done"], "num_workers": slots },
        { "name": "gather", "accepts": ["Done"], "emits": ["StopEvent"], "join": "all" },
    ]));
    world.returns(0, events("Item", n));
    world
}

fn answer(n: u64) -> Vec<f64> {
    let mut world = wide(n, 4);
    world.keeps = false;
    (1..=n).for_each(|id| world.calls(id, 0, wait(id)));
    let sample = n.min(SAMPLE);
    vec![each(sample, || (n + 1 - sample..=n).for_each(|id| world.receives(to_json(&json!({ "i": id })))))]
}

fn waits(n: u64) -> Vec<f64> {
    let mut world = World::new(json!([{ "name": "work", "accepts": ["StartEvent"], "emits": ["StopEvent"] }]));
    world.keeps = false;
    let mut turn = |i: u64| {
        world.calls(0, i as u32, wait(1));
        world.receives(to_json(&json!({ "i": 1 })));
    };
    (0..n).for_each(&mut turn);
    vec![each(100, || (n..n + 100).for_each(&mut turn))]
}

fn collect(n: u64) -> Vec<f64> {
    let mut world = wide(n, n);
    world.bytes = 0;
    let call = || Function::Collect { id: None, expected: vec![("Item".into(), n as u32)], event: event("Item"), answer: None };
    let took = each(n, || (1..=n).for_each(|id| world.calls(id, 0, call())));
    vec![took, world.bytes as f64 / n as f64]
}

/// An attempt, and the run that it asks.
fn guest() -> (Attempt, World) {
    let mut world = World::new(json!([{ "name": "work", "accepts": ["StartEvent"], "emits": ["StopEvent"] }]));
    let invoke = world.input(Input::Resumed { planned: true, on_thread: None }).into_iter().find_map(invoked).expect("it is entered");
    let limits = Limits {
        payload_max: 4 << 20,
        value_max: 4 << 20,
        state_max: 64 << 20,
        events_max: 10_000,
        buffered_max: usize::MAX,
        calls_max: u32::MAX,
    };
    (Attempt::new(invoke, limits), world)
}

fn invoked(effect: Effect) -> Option<Invoke> {
    if let Effect::Invoke(invoke) = effect { Some(*invoke) } else { None }
}

/// Calls, and asks the run what is to be asked.
fn call(attempt: &mut Attempt, run: &Run, request: Request) {
    let mut next = attempt.call(request, 0);
    while let Next::Read { query, mut own } = next {
        let answer = run.query(&query, &mut own);
        next = attempt.read(answer, own);
    }
    assert!(matches!(next, Next::Answer(Ok(_))), "{next:?}");
}

fn sets(n: u64) -> Vec<f64> {
    let (mut attempt, world) = guest();
    let took = each(n, || {
        for i in 0..n {
            call(&mut attempt, &world.run, Request::Set { path: format!("data.k{i}"), value: "1".into() });
            call(&mut attempt, &world.run, Request::Get { path: format!("data.k{}", i / 2) });
        }
    });
    vec![took]
}

fn pushes(n: u64) -> Vec<f64> {
    let (mut attempt, world) = guest();
    vec![each(n, || (0..n).for_each(|_| call(&mut attempt, &world.run, Request::Push { path: "list".into(), value: "1".into() })))]
}

fn room(n: u64) -> Vec<f64> {
    let (mut attempt, mut world) = guest();
    let state: Value = (0..n).map(|i| (format!("k{i}"), json!(i))).collect::<serde_json::Map<_, _>>().into();
    let fork = wf_engine::entry::Forked {
        origin: "r".into(),
        run: "f".into(),
        handler: "f".into(),
        seed: String::new(),
        definition: world.run.definition().parts(),
        state: Some(to_json(&state)),
        events: None,
    };
    world.input(Input::Forked(Box::new(fork)));
    let took = each(SAMPLE, || {
        (0..SAMPLE).for_each(|i| call(&mut attempt, &world.run, Request::Set { path: format!("k{}", i % n), value: "7".into() }));
    });
    vec![took]
}

fn gets(n: u64) -> Vec<f64> {
    let (mut attempt, mut world) = guest();
    let text = format!("\"{}\"", "x".repeat(n as usize));
    call(&mut attempt, &world.run, Request::Set { path: "text".into(), value: text });
    let (calls, commit, events) = attempt.returned(vec![]).expect("it may return");
    world.input(Input::StepReturned { invocation: 0, attempt: 0, calls, commit, events, usage: Usage::default() });
    let (mut reader, _) = guest();
    let took = each(1, || call(&mut reader, &world.run, Request::Get { path: "text".into() }));
    let (calls, ..) = reader.returned(vec![]).expect("it may return");
    vec![took, serde_json::to_vec(&calls).expect("JSON").len() as f64]
}

/// At a turn after the first, where nothing has changed.
fn publishes(n: u64) -> Vec<f64> {
    let (mut attempt, mut world) = guest();
    let text = format!("\"{}\"", "x".repeat(n as usize));
    call(&mut attempt, &world.run, Request::Set { path: "text".into(), value: text });
    report(&mut attempt, &mut world, Request::Commit);
    let before = world.bytes;
    let took = each(1, || {
        call(&mut attempt, &world.run, Request::Get { path: "text".into() });
        report(&mut attempt, &mut world, Request::Publish { name: "Item".into(), payload: "{}".into() });
    });
    vec![took, (world.bytes - before) as f64]
}

/// A call that the fold answers.
fn report(attempt: &mut Attempt, world: &mut World, request: Request) {
    let Next::Progress { calls, commit } = attempt.call(request, 0) else { panic!("it is reported") };
    let effects = world.input(Input::StepProgressed { invocation: 0, attempt: 0, calls, commit, usage: Usage::default() });
    let answered = |effect| if let Effect::Answer { call, .. } = effect { Some(call) } else { None };
    attempt.answered(effects.into_iter().find_map(answered).expect("it is answered"));
}

fn fan_out(n: u64) -> Vec<f64> {
    let began = Instant::now();
    let mut world = wide(n, 4);
    world.keeps = false;
    (1..=n).for_each(|id| world.returns(id, events("Done", 1)));
    vec![began.elapsed().as_secs_f64() * 1e6 / n as f64]
}

fn unpaired(n: u64) -> Vec<f64> {
    let mut world = World::new(json!([
        { "name": "outer", "accepts": ["StartEvent"], "emits": ["Next", "Item"], "fan_out": true },
        { "name": "inner", "accepts": ["Next"], "emits": ["Done"], "fan_out": true, "num_workers": n },
        { "name": "pair", "accepts": ["Item", "B"], "emits": ["StopEvent"], "join": "each" },
    ]));
    world.returns(0, [events("Item", n), events("Next", n)].concat());
    world.keeps = false;
    vec![each(n, || (1..=n).for_each(|id| world.returns(id, vec![])))]
}

fn turns(n: u64) -> Vec<f64> {
    let mut world = World::new(json!([
        { "name": "loop", "accepts": ["StartEvent", "Next"], "emits": ["Next", "Item", "B"], "fan_out": true },
        { "name": "pair", "accepts": ["Item", "B"], "emits": ["Done"], "join": "each" },
    ]));
    world.keeps = false;
    let mut id = 0;
    let mut turn = |world: &mut World| {
        world.returns(id, ["Next", "Item", "B"].map(event).to_vec());
        id = if id == 0 { 1 } else { id + 2 };
        world.returns(id + 1, vec![]);
    };
    (0..n).for_each(|_| turn(&mut world));
    let took = each(100, || (0..100).for_each(|_| turn(&mut world)));
    vec![took, snapshot::take(&world.run).len() as f64]
}

fn exclusive(n: u64) -> Vec<f64> {
    let mut world = wide(n, n);
    world.keeps = false;
    let took = each(n, || {
        (1..=n).for_each(|id| world.calls(id, 0, Function::EditExclusive { path: "n".into(), answer: None }));
        let commit = || Function::EditCommit { path: "n".into(), version: 0, value: to_json(&1), answer: None };
        (1..=n).for_each(|id| world.calls(id, 1, commit()));
    });
    vec![took]
}

fn history(n: u64) -> Vec<f64> {
    let mut world = wide(n, n);
    (1..=n).for_each(|id| world.returns(id, events("Done", 1)));
    let definition = world.run.definition().clone();
    let took = each(n, || drop(journal::history(Run::new(definition), &world.journal).expect("the journal fits")));
    vec![took]
}

/// Its last, from snapshots as a host takes them. The bytes are what it reads.
fn page(n: u64) -> Vec<f64> {
    let mut world = World::new(json!([{ "name": "loop", "accepts": ["StartEvent", "Next"], "emits": ["Next"] }]));
    let (mut rows, mut since) = (Vec::new(), 0);
    let mut put_away = snapshot::take(&world.run);
    for id in 0..n {
        world.returns(id, events("Next", 1));
        let row = serde_json::to_vec(world.journal.last().expect("an entry")).expect("JSON");
        since += row.len();
        rows.push((id + 1, row));
        if since >= SNAPSHOT_AFTER && id + 100 < n {
            (put_away, since) = (snapshot::take(&world.run), 0);
            rows.clear();
        }
    }
    let definition = world.run.definition().clone();
    let bytes: usize = rows.iter().map(|(_, row)| row.len()).sum();
    let took = each(1, || {
        let entries: Vec<Entry> = rows.iter().map(|(seq, row)| journal::read(*seq, row).expect("an entry")).collect();
        let (before, page) = entries.split_at(entries.len().saturating_sub(100));
        let run = snapshot::restore(definition, &put_away).expect("a snapshot");
        let run = journal::replay(run, before).expect("the journal fits");
        drop(journal::history(run, page).expect("the journal fits"));
    });
    vec![took, (put_away.len() + bytes) as f64]
}

fn resumption(n: u64) -> Vec<f64> {
    let mut world = wide(n, 4);
    world.keeps = false;
    (1..n).for_each(|id| world.calls(id, 0, wait(id)));
    vec![each(1, || drop(world.input(Input::Resumed { planned: true, on_thread: None }))) / n as f64]
}

fn replay(n: u64) -> Vec<f64> {
    let mut world = World::new(json!([{ "name": "loop", "accepts": ["StartEvent", "Next"], "emits": ["Next"] }]));
    (0..n).for_each(|id| world.returns(id, events("Next", 1)));
    let rows: Vec<Vec<u8>> = world.journal.iter().map(|entry| serde_json::to_vec(entry).expect("JSON")).collect();
    let definition = world.run.definition().clone();
    let took = each(n, || {
        let entries: Vec<Entry> = (0..).zip(&rows).map(|(seq, row)| journal::read(seq, row).expect("an entry")).collect();
        drop(journal::replay(Run::new(definition), &entries).expect("the journal fits"));
    });
    vec![took]
}

fn restore(n: u64) -> Vec<f64> {
    let mut world = wide(n, n);
    (1..=n).for_each(|id| world.calls(id, 0, wait(id)));
    let bytes = snapshot::take(&world.run);
    let definition = world.run.definition().clone();
    let took = each(n, || drop(snapshot::restore(definition, &bytes).expect("a snapshot")));
    vec![took, bytes.len() as f64 / n as f64]
}

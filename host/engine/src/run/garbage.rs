//! Inputs that no sound host gives: the fold must neither panic nor contradict itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::Run;
use super::invocation::Activity;
use crate::definition::Definition;
use crate::effect::Effect;
use crate::entry::{
    Buffered, Call, Chunk, Commit, Entry, Event, Failure, Forked, Function, Input, Part, RULES, Response, Started, Told, Usage, Wait,
};
use crate::json::{Json, empty, to_json};
use crate::snapshot;

pub(super) fn definition() -> Arc<Definition> {
    let any = ["Item", "Group", "Special", "Done", "Sum", "Ask", "Answer", "Again", "StopEvent"];
    let manifest = json!({
        "name": "garbage",
        "events": [
            { "name": "Ask", "kind": "input-required" },
            { "name": "Item", "kind": "plain" },
            { "name": "Special", "kind": "plain", "base": "Item" },
        ],
        "steps": [
            { "name": "split", "accepts": ["StartEvent", "Again"], "emits": any, "fan_out": true },
            { "name": "group", "accepts": ["Group"], "emits": any, "fan_out": true,
              "retry": { "backoff": "exponential", "delay": 1, "jitter": 1, "attempts_max": 3 } },
            { "name": "work", "accepts": ["Item"], "emits": any, "subtypes": true, "num_workers": 2,
              "retry": { "attempts_max": 5 } },
            { "name": "pair", "accepts": ["Done", "Item"], "emits": any, "join": "each" },
            { "name": "gather", "accepts": ["Done", "Sum"], "emits": any, "join": "all" },
            { "name": "first", "accepts": ["Special"], "emits": any, "join": "all", "take": 2, "order": "arrival" },
            { "name": "recover", "accepts": ["StepFailedEvent"], "emits": any, "catch_error": { "max_recoveries": 50 } },
        ],
    });
    let manifest = serde_json::from_value(manifest).expect("a manifest");
    Arc::new(Definition::new(vec![(part(), manifest)]))
}

fn part() -> Part {
    Part { component: "digest".into(), data: None }
}

pub(super) fn started() -> Started {
    Started {
        rules: RULES,
        definition: vec![part()],
        workflow: "garbage".into(),
        handler: "handler".into(),
        run: "run".into(),
        start: Event { name: "StartEvent".into(), payload: empty() },
        state: empty(),
        seed: Started::seed_text([7; 32]),
        timeout: Some(900.0),
        additional_events: vec!["Answer".into()],
        state_max: None,
    }
}

struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    fn event(&mut self) -> Event {
        let names = ["Item", "Item", "Group", "Special", "Done", "Sum", "Ask", "Answer", "Again", "Nope", "StopEvent", "UnhandledEvent"];
        // Rarely one of the last three, which end the run or the attempt.
        let end = if self.below(200) == 0 { names.len() } else { names.len() - 3 };
        let payload = to_json(&json!({ "n": self.below(3) }));
        Event { name: names[self.below(end as u64) as usize].into(), payload }
    }

    fn events(&mut self) -> Vec<Event> {
        (0..self.below(4)).map(|_| self.event()).collect()
    }

    fn path(&mut self) -> String {
        ["a", "a.b", "a.b.c", "l", "l.0", "l.01"][self.below(6) as usize].into()
    }

    fn value(&mut self) -> Json {
        [to_json(&1), to_json(&[1, 2]), empty()][self.below(3) as usize].clone()
    }

    fn function(&mut self) -> Function {
        match self.below(13) {
            0 => Function::Publish { event: self.event() },
            1 => Function::Collect { id: None, expected: vec![("Item".into(), 2), ("Done".into(), 1)], event: self.event(), answer: None },
            2 => Function::EditCommit { path: self.path(), version: self.below(9), value: self.value(), answer: None },
            3 => Function::Sleep { duration: self.below(2_000_000), answer: false },
            4 => Function::Keep { name: "memo".into(), value: self.value() },
            5 => Function::Commit,
            6 => Function::Log,
            7 | 8 => Function::EditExclusive { path: self.path(), answer: None },
            9 => Function::Get { path: self.path(), answer: Told::Before(self.below(9)) },
            10 => Function::Request { target: "GET https://x".into(), answer: Response::Head(empty()) },
            11 => Function::Read { request: self.below(9) as u32, answer: Chunk::End },
            _ => Function::Wait(Box::new(Wait {
                types: vec!["Answer".into(), "Special".into()],
                subtypes: self.below(2) == 0,
                id: None,
                requirements: [("n".into(), to_json(&self.below(3)))].into_iter().take(self.below(2) as usize).collect(),
                timeout: Some(self.below(5) as f64 - 1.0),
                request: Some(self.event()),
                fresh: self.below(2) == 0,
                answer: None,
            })),
        }
    }

    fn commit(&mut self) -> Commit {
        let set = Buffered::Set { path: self.path(), value: self.value() };
        let push = Buffered::Push { path: self.path(), value: self.value() };
        let delete = Buffered::Delete { path: self.path() };
        Commit { effects: vec![Buffered::Send { event: self.event(), step: None }, set, push, delete] }
    }

    fn forked(&mut self) -> Forked {
        let seed = Started::seed_text([8; 32]);
        let events = Some((self.below(60), self.events()));
        let state = (self.below(2) == 0).then(|| self.value());
        Forked { origin: "run".into(), run: "fork".into(), handler: "fork".into(), seed, definition: vec![part()], state, events }
    }

    fn input(&mut self, logged: impl Fn(u64) -> u32) -> Input {
        let (invocation, attempt) = (self.below(60), self.below(2) as u32);
        let ordinal = logged(invocation) + (self.below(8) == 0) as u32;
        let calls = vec![Call { ordinal, at: self.below(9), function: self.function() }];
        let usage = Usage::default();
        match self.below(20) {
            0 if self.below(9) == 0 => Input::Forked(Box::new(self.forked())),
            0 => Input::Resumed { planned: self.below(2) == 0, on_thread: (self.below(2) == 0).then(|| vec![invocation]) },
            1..4 => Input::TimerFired { timer: self.below(60) },
            4..7 => {
                let directed = (self.below(3) == 0).then(|| self.below(60));
                Input::EventReceived { id: String::new(), event: self.event(), step: None, invocation: directed }
            }
            7 => Input::StepFailed { invocation, attempt, calls, failure: failure(self.below(4) > 0), usage },
            8..12 => Input::StepReturned { invocation, attempt, calls: Vec::new(), commit: self.commit(), events: self.events(), usage },
            _ => Input::StepProgressed { invocation, attempt, calls, commit: (self.below(3) > 0).then(|| self.commit()), usage },
        }
    }
}

fn failure(retryable: bool) -> Failure {
    Failure { kind: "Boom".into(), message: String::new(), retryable, retry_after: None, keep_answers: retryable, trace: None }
}

/// What follows from what, in every run.
fn assert_sound(run: &Run) {
    let in_flight = || run.invocations.iter();
    for (step, planned) in run.plan.iter().enumerate() {
        let (in_use, is_full, queue) = run.steps.at(step);
        let queued = in_flight().filter(|(_, it)| it.step == step && matches!(it.activity, Activity::Queued)).map(|(id, _)| id);
        assert_eq!(*queue, queued.collect(), "who is queued is in the queue of `{}`", planned.name);
        let slots: Vec<u32> = in_flight().filter(|(_, it)| it.step == step).filter_map(|(_, it)| it.slot).collect();
        assert_eq!(slots.len() as u32, in_use, "slots in use belong to somebody");
        assert_eq!(slots.len(), slots.iter().collect::<BTreeSet<_>>().len(), "a slot belongs to one");
        assert!(queue.is_empty() || is_full, "nobody queues while a slot is free");
    }
    for (id, it) in in_flight() {
        let has_slot = matches!(it.activity, Activity::Executing { .. } | Activity::Sleeping { .. } | Activity::Blocked);
        assert_eq!(it.slot.is_some(), has_slot, "invocation {id} in {:?}", it.activity);
        assert!(it.committed as usize <= it.log.len());
    }
    let waiting = in_flight().filter(|(_, it)| matches!(it.activity, Activity::Waiting { .. })).map(|(id, _)| id);
    assert_eq!(run.waiters.ids(), waiting.collect());
    for (timer, owner) in run.timers.owners() {
        assert_eq!(run.invocations[owner].timer(), Some(timer), "timer {timer} belongs to nobody");
    }
    for (id, it) in in_flight().filter(|(_, it)| matches!(it.activity, Activity::Blocked)) {
        assert!(run.exclusives.held(id).is_none(), "{id} of step {} waits for what it has", it.step);
    }
    for (id, parent, busy, below) in run.scopes.open_scopes() {
        let inside = in_flight().filter(|(_, it)| it.place.scope == Some(id)).count();
        assert_eq!(busy, inside as u64, "scope {id}");
        assert!(busy > 0 || !below.is_empty(), "an empty scope is closed");
        let inner: BTreeSet<_> = run.scopes.open_scopes().filter(|(_, parent, _, _)| *parent == Some(id)).map(|it| it.0).collect();
        assert_eq!(*below, inner, "what is below scope {id}");
        assert!(parent.is_none_or(|parent| run.scopes.open_scopes().any(|it| it.0 == parent)), "a parent is open");
    }
}

/// Feeds a run with garbage; how many effects it had.
fn feed(seed: u64) -> usize {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let definition = definition();
    let mut run = Run::new(definition.clone());
    let (mut journal, mut logged) = (Vec::new(), vec![0; 60]);
    let (mut effects, mut sequence, mut ended, mut taken) = (0, 0, false, None);
    for seq in 0..400 {
        let input = if seq == 0 { Input::Started(Box::new(started())) } else { chance.input(|id| logged[id as usize]) };
        let entry: Entry = run.entry(chance.below(1000 * (seq + 1)), 1000 * seq, input);
        for effect in run.apply(&entry) {
            assert!(!ended, "seed {seed}: nothing follows the end");
            effects += 1;
            match effect {
                Effect::Publish(frame) => {
                    assert_eq!(frame.sequence, sequence, "seed {seed}: frames are numbered without gaps");
                    sequence += 1;
                }
                Effect::Invoke(invoke) if invoke.invocation < 60 => logged[invoke.invocation as usize] = invoke.log.len() as u32,
                Effect::Answer { invocation, call, .. } if invocation < 60 => logged[invocation as usize] = call.ordinal + 1,
                Effect::End(_) => ended = true,
                _ => (),
            }
        }
        assert_sound(&run);
        journal.push(entry);
        if seq == seed % 400 {
            let bytes = snapshot::take(&run);
            taken = snapshot::restore(definition.clone(), &bytes).ok().map(|run| (journal.len(), run));
        }
    }
    let whole = format!("{run:?}");
    let applied = |mut run: Run, entries: &[Entry]| {
        entries.iter().for_each(|entry| drop(run.apply(entry)));
        run
    };
    let replayed = applied(Run::new(definition), &journal);
    assert_eq!(whole, format!("{replayed:?}"), "seed {seed}: a replay gives the same run");
    let (length, restored) = taken.expect("a snapshot");
    let restored = applied(restored, &journal[length..]);
    assert_eq!(whole, format!("{restored:?}"), "seed {seed}: so does one from a snapshot");
    effects
}

#[test]
fn garbage_is_survived() {
    let effects: usize = (0..300).map(feed).sum();
    assert!(effects > 20_000, "only {effects} effects: the garbage is too unlikely");
}

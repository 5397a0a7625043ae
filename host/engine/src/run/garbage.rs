//! Inputs that no sound host gives: the fold must neither panic nor contradict itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use serde_json::value::RawValue;

use super::Run;
use super::invocation::Phase;
use crate::definition::Definition;
use crate::effect::Effect;
use crate::entry::{Buffered, Call, Commit, Entry, Event, Failure, Function, Input, RULES, Started, Usage, Wait};

fn definition() -> Arc<Definition> {
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
            { "name": "recover", "accepts": ["StepFailedEvent"], "emits": any, "catch_error": { "max_recoveries": 50 } },
        ],
    });
    let manifest = serde_json::from_value(manifest).expect("a manifest");
    Arc::new(Definition::new(vec![("digest".into(), manifest)]))
}

fn started() -> Started {
    Started {
        rules: RULES,
        definition: vec!["digest".into()],
        workflow: "garbage".into(),
        handler: "handler".into(),
        run: "run".into(),
        start: Event { name: "StartEvent".into(), payload: super::frames::empty() },
        state: json!({}),
        seed: Started::seed_text([7; 32]),
        timeout: Some(900.0),
        additional_events: vec!["Answer".into()],
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
        let payload = RawValue::from_string(format!("{{\"n\":{}}}", self.below(3))).expect("JSON");
        Event { name: names[self.below(end as u64) as usize].into(), payload: payload.into() }
    }

    fn events(&mut self) -> Vec<Event> {
        (0..self.below(4)).map(|_| self.event()).collect()
    }

    fn function(&mut self) -> Function {
        let value: Arc<RawValue> = RawValue::from_string("1".into()).expect("JSON").into();
        match self.below(9) {
            0 => Function::Publish { event: self.event() },
            1 => Function::Collect { id: None, expected: vec!["Item".into(), "Done".into()], event: self.event(), answer: None },
            2 => Function::EditCommit { path: "a.b".into(), version: self.below(9), value, answer: None },
            3 => Function::Sleep { duration: self.below(2_000_000), answer: false },
            4 => Function::Keep { name: "memo".into(), value },
            5 => Function::Commit,
            6 => Function::Log,
            _ => Function::Wait(Wait {
                name: "Answer".into(),
                id: None,
                requirements: [("n".into(), self.below(3).into())].into(),
                timeout: Some(self.below(5) as f64 - 1.0),
                request: Some(self.event()),
                answer: None,
            }),
        }
    }

    fn commit(&mut self) -> Commit {
        let value: Arc<RawValue> = RawValue::from_string("{}".into()).expect("JSON").into();
        let set = Buffered::Set { path: "a".into(), value };
        Commit { effects: vec![Buffered::Send { event: self.event(), step: None }, set] }
    }

    fn input(&mut self, logged: impl Fn(u64) -> u32) -> Input {
        let (invocation, attempt) = (self.below(60), self.below(2) as u32);
        let ordinal = logged(invocation) + (self.below(8) == 0) as u32;
        let calls = vec![Call { ordinal, at: self.below(9), function: self.function() }];
        match self.below(20) {
            0 => Input::Resumed { planned: self.below(2) == 0 },
            1..4 => Input::TimerFired { timer: self.below(60) },
            4..7 => Input::EventReceived { id: String::new(), event: self.event(), step: None },
            7 => Input::StepFailed { invocation, attempt, failure: failure(self.below(4) > 0), usage: Usage::default() },
            8..12 => Input::StepReturned {
                invocation,
                attempt,
                calls: Vec::new(),
                commit: self.commit(),
                events: self.events(),
                usage: Usage::default(),
            },
            _ => Input::StepProgressed { invocation, attempt, calls, commit: (self.below(3) > 0).then(|| self.commit()) },
        }
    }
}

fn failure(retryable: bool) -> Failure {
    Failure { kind: "Boom".into(), message: String::new(), retryable, retry_after: None, keep_answers: retryable, trace: None }
}

/// What follows from what, in every run.
fn assert_sound(run: &Run) {
    let in_flight = || run.invocations.iter();
    for (step, it) in run.steps.iter().enumerate() {
        let queued = in_flight().filter(|(_, it)| it.step == step && matches!(it.phase, Phase::Queued)).map(|(&id, _)| id);
        assert_eq!(it.queue, queued.collect(), "who is queued is in the queue");
        let slots: Vec<u32> = in_flight().filter(|(_, it)| it.step == step).filter_map(|(_, it)| it.slot).collect();
        assert_eq!(slots.len() as u32, it.slots.in_use(), "slots in use belong to somebody");
        assert_eq!(slots.len(), slots.iter().collect::<BTreeSet<_>>().len(), "a slot belongs to one");
        assert!(it.queue.is_empty() || it.slots.is_full(), "nobody queues while a slot is free");
    }
    for (id, it) in in_flight() {
        let has_slot = matches!(it.phase, Phase::Executing { .. } | Phase::Sleeping { .. });
        assert_eq!(it.slot.is_some(), has_slot, "invocation {id} in {:?}", it.phase);
        assert!(it.committed as usize <= it.log.len());
    }
    let waiting = in_flight().filter(|(_, it)| matches!(it.phase, Phase::Waiting { .. })).map(|(&id, _)| id);
    assert_eq!(run.waiters.values().flatten().copied().collect::<BTreeSet<_>>(), waiting.collect());
    for (&timer, owner) in run.timers.iter().filter_map(|(timer, it)| Some((timer, it.invocation?))) {
        let owned = match &run.invocations[&owner].phase {
            Phase::Sleeping { timer: its, .. } | Phase::Waiting { timer: Some(its), .. } => *its == timer,
            Phase::Retrying => true,
            _ => false,
        };
        assert!(owned, "timer {timer} belongs to nobody");
    }
    for (&id, scope) in &run.scopes {
        let inside = in_flight().filter(|(_, it)| it.scope == Some(id)).count();
        let below = run.scopes.values().filter(|it| it.parent == Some(id)).count();
        assert_eq!(scope.busy, (inside + below) as u64, "scope {id}");
        assert!(scope.busy > 0, "an empty scope is closed");
    }
    assert!(in_flight().filter_map(|(_, it)| it.scope).all(|scope| run.scopes.contains_key(&scope)), "who is in a scope keeps it open");
}

/// Feeds a run with garbage; how many effects it had.
fn feed(seed: u64) -> usize {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let definition = definition();
    let mut run = Run::new(definition.clone());
    let (mut journal, mut logged) = (Vec::new(), vec![0; 60]);
    let (mut effects, mut sequence, mut ended) = (0, 0, false);
    for seq in 0..400 {
        let input = if seq == 0 { Input::Started(Box::new(started())) } else { chance.input(|id| logged[id as usize]) };
        let entry = Entry { v: 1, seq, at: chance.below(1000 * (seq + 1)), alive: 1000 * seq, input };
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
                Effect::Finish(_) => ended = true,
                _ => (),
            }
        }
        assert_sound(&run);
        journal.push(entry);
    }
    assert_eq!(format!("{run:?}"), format!("{:?}", Run::replay(definition, &journal)), "seed {seed}: a replay gives the same run");
    effects
}

#[test]
fn garbage_is_survived() {
    let effects: usize = (0..300).map(feed).sum();
    assert!(effects > 20_000, "only {effects} effects: the garbage is too unlikely");
}

//! Runtime, worker, store, outside and clocks around one run, and the invariants that hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use wf_engine::definition::Definition;
use wf_engine::effect::{Due, Effect, Invoke};
use wf_engine::entry::{ENTRY_VERSION, Entry, Function, Input, InvocationId, Micros, RULES, Started, TimerId};
use wf_engine::run::{Run, Status};

use crate::program::{Instance, Move, Op, event, payload};

/// Slots of `work`.
const SLOTS: usize = 2;

pub struct World {
    chance: ChaCha8Rng,
    definition: Arc<Definition>,
    program: Vec<Op>,
    count: u64,
    run: Run,
    journal: Vec<Entry>,
    /// How much of the journal a crash leaves.
    synced: usize,
    /// What readers have seen.
    released: Vec<String>,
    seen: Seen,
    instances: BTreeMap<InvocationId, Instance>,
    /// Reports that will come again.
    late: Vec<Input>,
    timers: BTreeMap<TimerId, Due>,
    at: Micros,
    alive: Micros,
    crashes: u32,
    cancelled: bool,
    notes: u64,
}

/// What follows from the journal, gathered from the effects; the same after each replay.
#[derive(Default)]
struct Seen {
    frames: Vec<String>,
    edits: u64,
    /// Who has asked, by invocation.
    asks: BTreeSet<u64>,
    answered: BTreeSet<u64>,
    /// Who was given an item of `collect`.
    owners: BTreeMap<u64, InvocationId>,
    memos: BTreeSet<InvocationId>,
    started: BTreeMap<(InvocationId, u32), Micros>,
    answers: BTreeMap<(InvocationId, u32, u32), Micros>,
    ended: BTreeSet<(InvocationId, u32)>,
    noted: BTreeMap<u64, InvocationId>,
    finished: bool,
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let manifest = json!({
            "name": "world",
            "events": [
                { "name": "Work", "kind": "plain" }, { "name": "Done", "kind": "plain" }, { "name": "Sum", "kind": "plain" },
                { "name": "Seen", "kind": "plain" }, { "name": "Item", "kind": "plain" }, { "name": "Ask", "kind": "input-required" },
                { "name": "Answer", "kind": "human-response" }, { "name": "Note", "kind": "human-response" },
            ],
            "additional_events": ["Answer"],
            "steps": [
                { "name": "begin", "accepts": ["StartEvent"], "emits": ["Work"], "fan_out": true },
                { "name": "work", "accepts": ["Work"], "emits": ["Done"], "sends": ["Seen", "Item"], "num_workers": SLOTS,
                  "retry": { "delay": 0.05, "jitter": 0.5, "attempts_max": 5 } },
                { "name": "join", "accepts": ["Done"], "emits": ["Sum"], "join": "all" },
                { "name": "last", "accepts": ["Sum"], "emits": ["StopEvent"] },
                { "name": "note", "accepts": ["Note"], "num_workers": 1 },
            ],
        });
        let manifest = serde_json::from_value(manifest).expect("a manifest");
        let definition = Arc::new(Definition::new(vec![("d".into(), manifest)]));
        assert_eq!(definition.check(), []);
        let program = program(&mut chance);
        let count = u64::from(chance.next_u32() % 5);
        let run = Run::new(definition.clone());
        let mut world = World {
            chance,
            definition,
            program,
            count,
            run,
            journal: Vec::new(),
            synced: 0,
            released: Vec::new(),
            seen: Seen::default(),
            instances: BTreeMap::new(),
            late: Vec::new(),
            timers: BTreeMap::new(),
            at: 1_000_000,
            alive: 0,
            crashes: 0,
            cancelled: false,
            notes: 0,
        };
        world.input(Input::Started(Box::new(started(seed, count))));
        world.sync();
        world
    }

    /// Something happens.
    pub fn tick(&mut self) {
        let passed = 1 + u64::from(self.chance.next_u32() % 20_000);
        self.pass(passed);
        match self.chance.next_u32() % 40 {
            0 if self.crashes < 8 => self.crash(),
            1..=4 => self.sync(),
            5..=8 => self.fire(),
            9..=11 => self.repeat(),
            12..=15 => self.answer(),
            16 if self.notes < 4 => {
                self.notes += 1;
                let note = event("Note", json!({ "id": self.notes }));
                self.input(Input::EventReceived { id: format!("note-{}", self.notes), event: note, step: None });
                // An accepted event is answered once it is durable.
                self.sync();
            }
            17 if self.chance.next_u32().is_multiple_of(60) => {
                self.input(Input::CancelRequested);
                self.sync();
                self.cancelled = true;
            }
            _ => self.step(),
        }
    }

    /// Lets everything come to its end, in a kind world.
    pub fn settle(&mut self) {
        for _ in 0..5_000 {
            if self.seen.finished {
                break;
            }
            self.pass(50_000);
            self.answer();
            self.fire();
            self.step();
        }
        self.sync();
        match self.run.status() {
            Status::Completed(stop) => {
                let mut items: Vec<u64> = serde_json::from_value(payload(stop)["result"].clone()).expect("a list");
                items.sort_unstable();
                assert_eq!(items, (0..self.count).collect::<Vec<_>>(), "the join has each event of its scope once");
                assert_eq!(self.seen.edits, self.count * self.edits(), "each edit counts once");
            }
            Status::Cancelled => assert!(self.cancelled, "nobody cancelled it"),
            other => panic!("it must end well: {other:?}"),
        }
    }

    fn edits(&self) -> u64 {
        let before = self.program.iter().take_while(|op| !matches!(op, Op::FailBefore(_)));
        let edits = |ops: &mut dyn Iterator<Item = &Op>| ops.filter(|op| matches!(op, Op::Edit)).count() as u64;
        let failures = self.program.iter().find_map(|op| if let Op::FailBefore(attempt) = op { Some(u64::from(*attempt)) } else { None });
        edits(&mut self.program.iter()) + failures.unwrap_or(0) * edits(&mut before.into_iter())
    }

    fn pass(&mut self, micros: Micros) {
        self.at += micros;
        self.alive += micros;
    }

    fn input(&mut self, input: Input) {
        let entry = Entry { v: ENTRY_VERSION, seq: self.run.next_seq(), at: self.at, alive: self.alive, input };
        let was_finished = self.seen.finished;
        let effects = self.run.apply(&entry);
        assert!(!was_finished || effects.is_empty(), "nothing follows the end");
        self.journal.push(entry);
        self.seen.observe(&effects);
        self.check();
        for effect in effects {
            self.perform(effect);
        }
    }

    fn check(&self) {
        let count = self.run.state().get("count").and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(count, self.seen.edits, "an edit that is answered `committed` counts, and no other");
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Invoke(invoke) => self.enter(&invoke),
            Effect::Answer { invocation, attempt, call } => {
                let instance = self.instances.get_mut(&invocation).filter(|it| it.attempt == attempt);
                let instance = instance.expect("who is answered waits");
                assert!(instance.waits, "and has reported");
                instance.waits = false;
                instance.at = instance.at.max(call.at);
                instance.answer = Some(call.function);
            }
            Effect::Abort { invocation, .. } => drop(self.instances.remove(&invocation)),
            Effect::SetTimer { timer, due } => drop(self.timers.insert(timer, due)),
            Effect::ClearTimer { timer } => drop(self.timers.remove(&timer)),
            Effect::Publish(_) => (),
            Effect::Finish(_) => {
                self.instances.clear();
                self.timers.clear();
            }
        }
    }

    fn enter(&mut self, invoke: &Invoke) {
        let id = invoke.invocation;
        assert!(!self.instances.contains_key(&id), "one instance for an invocation");
        assert!(self.seen.memos.contains(&id) <= !invoke.memos.is_empty(), "a memo stays with its invocation");
        for call in &invoke.log {
            let known = self.seen.answers.get(&(id, invoke.attempt, call.ordinal));
            assert!(known.is_none_or(|at| *at == call.at), "a call was answered when it was, also at re-entry");
        }
        let alike = self.instances.values().filter(|it| it.step == invoke.step).count();
        assert!(&*invoke.step != "work" || alike < SLOTS, "no more than its slots");
        let program = if &*invoke.step == "work" { self.program.as_slice() } else { &[] };
        self.instances.insert(id, Instance::enter(invoke, program));
    }

    /// An instance goes on to its next report.
    fn step(&mut self) {
        let ready: Vec<InvocationId> = self.instances.iter().filter(|(_, it)| !it.waits).map(|(id, _)| *id).collect();
        let Some(&id) = self.pick(&ready) else { return };
        let instance = self.instances.get_mut(&id).expect("picked");
        let report = match instance.go_on(&self.run) {
            Move::Pause => return,
            Move::Report(report) => report,
            Move::Last(report) => {
                let attempt = instance.attempt;
                self.instances.remove(&id);
                self.seen.ended.insert((id, attempt));
                report
            }
        };
        if let Input::StepProgressed { calls, .. } = &report
            && calls.last().is_some_and(|call| call.function.suspends())
        {
            self.instances.remove(&id);
        }
        if self.chance.next_u32().is_multiple_of(4) {
            self.late.push(report.clone());
        }
        self.input(report);
    }

    /// A report comes twice, or late.
    fn repeat(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let place = self.chance.next_u32() as usize % self.late.len();
        let report = self.late.swap_remove(place);
        let before = format!("{:?}", self.run.state());
        let frames = self.seen.frames.len();
        self.input(report);
        assert_eq!((before, frames), (format!("{:?}", self.run.state()), self.seen.frames.len()), "a repeated report changes nothing");
    }

    fn fire(&mut self) {
        let is_due = |due: &Due| match *due {
            Due::At(at) => at <= self.at,
            Due::Alive(alive) => alive <= self.alive,
        };
        let due: Vec<TimerId> = self.timers.iter().filter(|(_, due)| is_due(due)).map(|(id, _)| *id).collect();
        if let Some(&timer) = self.pick(&due) {
            self.timers.remove(&timer);
            self.input(Input::TimerFired { timer });
        }
    }

    /// Somebody outside answers what was asked, once it could be read.
    fn answer(&mut self) {
        let Some(by) = self.seen.asks.iter().copied().find(|by| !self.seen.answered.contains(by)) else { return };
        self.seen.answered.insert(by);
        let answer = event("Answer", json!({ "to": by }));
        self.input(Input::EventReceived { id: format!("answer-{by}"), event: answer, step: None });
        self.sync();
    }

    /// Everything is durable, and what waited for that is released.
    fn sync(&mut self) {
        self.synced = self.journal.len();
        self.released = self.seen.frames.clone();
    }

    /// The host is gone with what was not synced; another takes the run over.
    fn crash(&mut self) {
        self.crashes += 1;
        self.journal.truncate(self.synced);
        // What is on disk has been text.
        let text: Vec<String> = self.journal.iter().map(|entry| serde_json::to_string(entry).expect("JSON")).collect();
        self.journal = text.iter().map(|line| serde_json::from_str(line).expect("an entry")).collect();
        self.instances.clear();
        self.timers.clear();
        self.late.clear();
        self.run = Run::new(self.definition.clone());
        let answered = std::mem::take(&mut self.seen).answered;
        for entry in &self.journal {
            let effects = self.run.apply(entry);
            self.seen.observe(&effects);
            self.seen.note_end(&entry.input);
        }
        // An answer that was accepted was durable.
        self.seen.answered = answered;
        // The frames' payloads are not journaled; their names and numbers are.
        assert_eq!(names(&self.released), names(&self.seen.frames[..self.released.len()]), "a released frame never changes");
        let away = u64::from(self.chance.next_u32() % 1_000_000);
        self.pass(away);
        self.input(Input::Resumed { planned: false });
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.chance.next_u32() as usize % of.len()) }
    }
}

impl Seen {
    fn observe(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Publish(frame) => {
                    assert_eq!(frame.sequence, self.frames.len() as u64, "frames have no gaps");
                    assert!(!self.finished, "nothing follows the terminal frame");
                    if &*frame.event.name == "Ask" {
                        let by = payload(&frame.event)["by"].as_u64().expect("an invocation");
                        assert!(self.asks.insert(by), "a request is published once");
                    }
                    self.frames.push(format!("{} {}", frame.event.name, frame.event.payload));
                }
                Effect::Invoke(invoke) => self.entered(invoke),
                Effect::Answer { invocation, attempt, call } => {
                    self.answers.insert((*invocation, *attempt, call.ordinal), call.at);
                    self.given(*invocation, &call.function);
                }
                Effect::Finish(_) => self.finished = true,
                _ => (),
            }
        }
    }

    fn entered(&mut self, invoke: &Invoke) {
        let attempt = (invoke.invocation, invoke.attempt);
        assert!(!self.ended.contains(&attempt), "a finished attempt never runs again");
        let started = *self.started.entry(attempt).or_insert(invoke.started_at);
        assert_eq!(started, invoke.started_at, "an attempt's clock begins where it began");
        if &*invoke.step == "note" {
            let id = payload(&invoke.events[0])["id"].as_u64().expect("an id");
            assert_eq!(*self.noted.entry(id).or_insert(invoke.invocation), invoke.invocation, "an event is delivered once");
        }
    }

    fn given(&mut self, invocation: InvocationId, function: &Function) {
        match function {
            Function::EditCommit { answer: Some(true), .. } => self.edits += 1,
            Function::Keep { .. } => drop(self.memos.insert(invocation)),
            Function::Collect { answer: Some(Some(batch)), .. } => {
                assert_eq!(batch.len(), 2);
                for item in batch {
                    let of = payload(item)["of"].as_u64().expect("an invocation");
                    assert_eq!(*self.owners.entry(of).or_insert(invocation), invocation, "a batch belongs to one invocation");
                }
            }
            _ => (),
        }
    }

    fn note_end(&mut self, input: &Input) {
        match input {
            Input::StepReturned { invocation, attempt, .. } | Input::StepFailed { invocation, attempt, .. } => {
                self.ended.insert((*invocation, *attempt));
            }
            _ => (),
        }
    }
}

fn names(frames: &[String]) -> Vec<&str> {
    frames.iter().filter_map(|frame| frame.split(' ').next()).collect()
}

fn program(chance: &mut ChaCha8Rng) -> Vec<Op> {
    let length = chance.next_u32() % 7;
    let mut program: Vec<Op> = (0..length)
        .map(|_| match chance.next_u32() % 10 {
            0 => Op::Publish,
            1 | 2 => Op::Edit,
            3 => Op::Set,
            4 => Op::Sleep(30_000),
            5 => Op::Sleep(1_500_000),
            6 => Op::Memo,
            7 => Op::Commit,
            8 => Op::Wait,
            _ => Op::Collect,
        })
        .collect();
    // One wait at most: its key would be another occurrence, and the request another.
    let waits: Vec<usize> = (0..program.len()).filter(|&place| matches!(program[place], Op::Wait)).collect();
    for &place in waits.iter().skip(1).rev() {
        program.remove(place);
    }
    if chance.next_u32().is_multiple_of(2) {
        let place = chance.next_u32() as usize % (program.len() + 1);
        program.insert(place, Op::FailBefore(1 + chance.next_u32() % 2));
    }
    program
}

fn started(seed: u64, count: u64) -> Started {
    Started {
        rules: RULES,
        definition: vec!["d".into()],
        workflow: "world".into(),
        handler: "h".into(),
        run: "r".into(),
        start: event("StartEvent", json!({ "n": count })),
        state: json!({}),
        seed: format!("{seed:064x}"),
        timeout: None,
        additional_events: vec!["Answer".into()],
    }
}

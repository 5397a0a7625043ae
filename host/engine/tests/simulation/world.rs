//! Runtime, worker, store, outside and clocks around one run, and the invariants that hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use wf_engine::answers::answers;
use wf_engine::attempt::Answer;
use wf_engine::definition::Definition;
use wf_engine::effect::{Due, Effect, Invoke};
use wf_engine::entry::{Batch, Call, Entry, Event, Function, Input, InvocationId, Micros, Part, RULES, Started, TimerId, WaitAnswer};
use wf_engine::journal;
use wf_engine::json;
use wf_engine::run::{Run, Status};
use wf_engine::snapshot;

use crate::outside::{Outside, sending};
use crate::pages;
use crate::program::{Instance, Move, Op, Saw, event, payload, shown};

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
    is_put_away_always: bool,
    /// A snapshot that was put away, and how much of the journal it stands for.
    snapshot: Option<(usize, Vec<u8>)>,
    /// What readers have seen.
    released: Vec<String>,
    seen: Seen,
    /// The answers that were accepted, by whom they are for.
    sent: BTreeMap<InvocationId, u64>,
    /// What guests have seen, by attempt.
    saw: BTreeMap<(InvocationId, u32), Saw>,
    instances: BTreeMap<InvocationId, Instance>,
    outside: Outside,
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
    /// How often each invocation has asked.
    asks: BTreeMap<InvocationId, u64>,
    /// The answers that each invocation was given, in order.
    given: BTreeMap<InvocationId, Vec<u64>>,
    alone: u64,
    /// Who was given an item of `collect`.
    owners: BTreeMap<String, InvocationId>,
    memos: BTreeSet<InvocationId>,
    started: BTreeMap<(InvocationId, u32), Micros>,
    answers: BTreeMap<(InvocationId, u32, u32), Micros>,
    ended: BTreeSet<(InvocationId, u32)>,
    noted: BTreeMap<u64, InvocationId>,
    finished: bool,
}

impl World {
    /// Every third is put away and taken up again after every input.
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
        let definition = Arc::new(Definition::new(vec![(part(), manifest)]));
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
            is_put_away_always: seed.is_multiple_of(3),
            snapshot: None,
            sent: BTreeMap::new(),
            saw: BTreeMap::new(),
            released: Vec::new(),
            seen: Seen::default(),
            instances: BTreeMap::new(),
            outside: Outside::default(),
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
                self.receive(format!("note-{}", self.notes), note, None);
            }
            17 | 18 => self.put_away(),
            19 if self.chance.next_u32().is_multiple_of(60) => {
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
            self.answer_all();
            self.fire();
            self.sync();
            self.step();
        }
        self.sync();
        self.check_answers();
        self.check_outside();
        if self.chance.next_u32().is_multiple_of(8) {
            let size = 1 + self.chance.next_u32() as usize % 40;
            pages::check(std::slice::from_ref(&self.definition), &self.journal, size);
        }
        match self.run.status() {
            Status::Completed(stop) => {
                let mut items: Vec<u64> = serde_json::from_value(payload(stop)["result"].clone()).expect("a list");
                items.sort_unstable();
                assert_eq!(items, (0..self.count).collect::<Vec<_>>(), "the join has each event of its scope once");
                let edits = |edit: fn(&Op) -> bool| self.count * self.times(edit);
                assert_eq!(self.seen.edits, edits(|op| matches!(op, Op::Edit)), "each edit counts once");
                assert_eq!(self.seen.alone, edits(|op| matches!(op, Op::Alone | Op::Beside)), "each exclusive edit counts once");
            }
            Status::Cancelled => assert!(self.cancelled, "nobody cancelled it"),
            other => panic!("it must end well: {other:?}"),
        }
    }

    /// How often a work item comes by such an operation: in each attempt that fails, and in the last.
    fn times(&self, such: fn(&Op) -> bool) -> u64 {
        let count = |ops: &[Op]| ops.iter().filter(|op| such(op)).count() as u64;
        let failing = self.program.iter().enumerate().find_map(|(place, op)| match op {
            Op::FailBefore(attempt) => Some((place, u64::from(*attempt))),
            _ => None,
        });
        count(&self.program) + failing.map_or(0, |(place, failures)| failures * count(&self.program[..place]))
    }

    fn pass(&mut self, micros: Micros) {
        self.at += micros;
        self.alive += micros;
    }

    fn input(&mut self, input: Input) {
        let entry = self.run.entry(self.at, self.alive, input);
        let was_finished = self.seen.finished;
        let effects = self.run.apply(&entry);
        assert!(!was_finished || effects.is_empty(), "nothing follows the end");
        self.journal.push(entry);
        self.seen.observe(&effects);
        self.check();
        if self.is_put_away_always {
            self.take_up_now();
        }
        for effect in effects {
            self.perform(effect);
        }
    }

    fn check(&self) {
        let state: Value = serde_json::from_str(self.run.state().get()).expect("JSON");
        let count = |key: &str| state.get(key).and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(count("count"), self.seen.edits, "an edit that is answered `committed` counts, and no other");
        assert_eq!(count("alone"), self.seen.alone, "so does an exclusive one");
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Invoke(invoke) => self.enter(*invoke),
            Effect::Answer { invocation, attempt, call } => {
                let instance = self.instances.get_mut(&invocation).filter(|it| it.attempt.attempt == attempt);
                instance.expect("who is answered waits").answered(call);
            }
            Effect::Abort { invocation, .. } => drop(self.instances.remove(&invocation)),
            Effect::SetTimer { timer, due } => drop(self.timers.insert(timer, due)),
            Effect::ClearTimer { timer } => drop(self.timers.remove(&timer)),
            Effect::Publish(_) => (),
            Effect::End(_) => {
                self.instances.clear();
                self.timers.clear();
            }
        }
    }

    fn enter(&mut self, invoke: Invoke) {
        let id = invoke.invocation;
        assert!(!self.instances.contains_key(&id), "one instance for an invocation");
        assert!(self.seen.memos.contains(&id) <= (invoke.memos.size() > 0), "a memo stays with its invocation");
        for call in invoke.log.iter() {
            let known = self.seen.answers.get(&(id, invoke.attempt, call.ordinal));
            assert!(known.is_none_or(|at| *at == call.at), "a call was answered when it was, also at re-entry");
        }
        let alike = self.instances.values().filter(|it| it.attempt.step == invoke.step).count();
        assert!(&*invoke.step != "work" || alike < SLOTS, "no more than its slots");
        let program = if &*invoke.step == "work" { self.program.as_slice() } else { &[] };
        self.instances.insert(id, Instance::enter(invoke, program));
    }

    /// An instance goes on to its next report.
    fn step(&mut self) {
        let ready = self.instances.iter().filter(|(_, it)| it.is_ready(self.at, self.synced));
        let ready: Vec<InvocationId> = ready.map(|(id, _)| *id).collect();
        let Some(&id) = self.pick(&ready) else { return };
        let instance = self.instances.get_mut(&id).expect("picked");
        if let Some((_, target)) = instance.leaves.take() {
            return self.leave(id, &target);
        }
        let report = match instance.go_on(&self.run) {
            Move::Pause => return,
            Move::Leave(target) => {
                instance.leaves = Some((self.journal.len(), target));
                return;
            }
            Move::Read(sending) => {
                let (after, came) = self.outside.read(sending, &mut self.chance);
                instance.comes = Some((self.at + after, came));
                return;
            }
            Move::Report(report) => report,
            Move::Last(report) => {
                let instance = self.instances.remove(&id).expect("picked");
                self.seen.ended.insert((id, instance.attempt.attempt));
                self.remember(instance);
                report
            }
        };
        if let Input::StepProgressed { calls, .. } = &report
            && calls.last().is_some_and(|call| call.function.suspends())
            && let Some(instance) = self.instances.remove(&id)
        {
            self.remember(instance);
        }
        if self.chance.next_u32().is_multiple_of(4) {
            self.late.push(report.clone());
        }
        self.input(report);
    }

    /// A request leaves. What led to it is durable, and its answer is not: then nobody asks again.
    fn leave(&mut self, id: InvocationId, target: &str) {
        let instance = self.instances.get_mut(&id).expect("it leaves");
        let mut ordinals = BTreeSet::new();
        for call in self.journal[..self.synced].iter().flat_map(|entry| calls(&entry.input, id, instance.attempt.attempt)) {
            ordinals.insert(call.ordinal);
            let is_recorded = matches!(&call.function, Function::Request { target: then, .. } if then == target);
            assert!(!is_recorded, "{target} leaves again, and its answer is recorded");
        }
        assert_eq!(ordinals.len(), instance.attempt.calls() as usize, "{target} leaves, and what led to it is not durable");
        let (after, came) = self.outside.ask(target, &mut self.chance);
        instance.comes = Some((self.at + after, came));
    }

    /// A report comes twice, or late.
    fn repeat(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let place = self.chance.next_u32() as usize % self.late.len();
        let report = self.late.swap_remove(place);
        let before = self.run.state();
        let frames = self.seen.frames.len();
        self.input(report);
        assert_eq!((before.get(), frames), (self.run.state().get(), self.seen.frames.len()), "a repeated report changes nothing");
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

    /// What a guest has seen is the same at every entry, once it is recorded.
    fn remember(&mut self, instance: Instance) {
        for (&sending, heard) in &instance.heard {
            assert!(self.outside.parts(sending).starts_with(heard), "the parts of sending {sending} come as they came, and in their order");
        }
        let saw = self.saw.entry((instance.id(), instance.attempt.attempt)).or_default();
        for (ordinal, answer) in instance.saw {
            let known = saw.entry(ordinal).or_insert_with(|| answer.clone());
            assert_eq!(*known, answer, "call {ordinal} of {}.{}", instance.attempt.invocation, instance.attempt.attempt);
        }
    }

    /// Somebody outside answers a work item, also before it has asked, and more often.
    fn answer(&mut self) {
        if self.count > 0 {
            let to = 1 + u64::from(self.chance.next_u32()) % self.count;
            if self.sent.get(&to).is_none_or(|sent| *sent < 3) {
                self.answer_one(to);
            }
        }
    }

    /// Whoever asked gets an answer.
    fn answer_all(&mut self) {
        let asked: Vec<InvocationId> =
            self.seen.asks.iter().filter(|(id, asks)| self.sent.get(id).is_none_or(|it| it < asks)).map(|(id, _)| *id).collect();
        asked.into_iter().for_each(|to| self.answer_one(to));
    }

    fn answer_one(&mut self, to: InvocationId) {
        let number = self.sent.entry(to).or_default();
        *number += 1;
        let answer = event("Answer", json!({ "to": to, "number": *number }));
        let id = format!("answer-{to}-{number}");
        // Sometimes to the invocation itself, if it waits.
        let directed = self.run.refuses(&answer, None, Some(to)).is_none() && self.chance.next_u32().is_multiple_of(2);
        self.receive(id, answer, directed.then_some(to));
    }

    /// An accepted event is answered once it is durable.
    fn receive(&mut self, id: String, event: Event, invocation: Option<InvocationId>) {
        self.input(Input::EventReceived { id, event, step: None, invocation });
        self.sync();
    }

    /// Puts the run away, as far as it is durable.
    fn put_away(&mut self) {
        if self.synced == self.journal.len() {
            self.snapshot = Some((self.synced, snapshot::take(&self.run)));
        }
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
        let text: Vec<Vec<u8>> = self.journal.iter().map(|entry| serde_json::to_vec(entry).expect("JSON")).collect();
        self.journal = (0..).zip(text).map(|(seq, text)| journal::read(seq, &text).expect("an entry")).collect();
        self.instances.clear();
        self.timers.clear();
        self.late.clear();
        self.run = Run::new(self.definition.clone());
        self.seen = Seen::default();
        for entry in &self.journal {
            let effects = journal::accept(&mut self.run, entry).expect("the journal fits");
            self.seen.observe(&effects);
            self.seen.note_end(&entry.input);
        }
        self.take_up_snapshot();
        self.forget_unrecorded();
        // The frames' payloads are not journaled; their names and numbers are.
        assert_eq!(names(&self.released), names(&self.seen.frames[..self.released.len()]), "a released frame never changes");
        let away = u64::from(self.chance.next_u32() % 1_000_000);
        self.pass(away);
        self.timers = self.run.timers().collect();
        if self.run.needs_resume() {
            let on_thread = self.chance.next_u32().is_multiple_of(2).then(|| vec![u64::from(self.chance.next_u32() % 6)]);
            self.input(Input::Resumed { planned: false, on_thread });
        }
    }

    /// The host goes on with the run that a snapshot of now gives: it is the same.
    fn take_up_now(&mut self) {
        let restored = snapshot::restore(self.definition.clone(), &snapshot::take(&self.run)).expect("a snapshot");
        assert_eq!(format!("{restored:?}"), format!("{:?}", self.run), "from a snapshot after entry {}", self.run.next_seq());
        self.run = restored;
    }

    /// A run from a snapshot and the entries after it is the run that a replay of all gives.
    fn take_up_snapshot(&mut self) {
        let Some((entries, bytes)) = self.snapshot.take() else { return };
        let restored = snapshot::restore(self.definition.clone(), &bytes).expect("a snapshot");
        let restored = journal::replay(restored, &self.journal[entries..]).expect("the journal fits");
        assert_eq!(format!("{restored:?}"), format!("{:?}", self.run), "from a snapshot of {entries} entries");
        self.run = restored;
    }

    /// What was not recorded, or not answered, may be seen another way.
    fn forget_unrecorded(&mut self) {
        for (&(id, attempt), saw) in &mut self.saw {
            if !self.seen.ended.contains(&(id, attempt)) {
                let calls = answers(|| Run::new(self.definition.clone()), &self.journal, id, attempt).expect("the journal fits");
                saw.retain(|ordinal, _| calls.get(*ordinal as usize).is_some_and(|call| Answer::of(call.clone()).is_ok()));
            }
        }
    }

    /// What the journal tells of every attempt is what its guest saw.
    fn check_answers(&self) {
        for (&(id, attempt), saw) in &self.saw {
            let calls = answers(|| Run::new(self.definition.clone()), &self.journal, id, attempt).expect("the journal fits");
            for (&ordinal, saw) in saw {
                let Some(call) = calls.get(ordinal as usize) else {
                    assert!(!self.seen.ended.contains(&(id, attempt)), "call {ordinal} of {id}.{attempt} is told by nobody");
                    continue;
                };
                let told = Answer::of(call.clone()).expect("an answer");
                assert_eq!(shown(&told), *saw, "call {ordinal} of {id}.{attempt}");
            }
        }
    }

    /// What is recorded of a request is what came of the last time that it was made.
    fn check_outside(&self) {
        for call in self.journal.iter().flat_map(|entry| reported(&entry.input)) {
            if let Function::Request { target, answer } = &call.function {
                assert_eq!(self.outside.last(target), Some(sending(answer)), "{target} was made again, and its answer was recorded");
            }
        }
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
                        *self.asks.entry(payload(&frame.event)["by"].as_u64().expect("an invocation")).or_default() += 1;
                    }
                    self.frames.push(format!("{} {}", frame.event.name, frame.event.payload));
                }
                Effect::Invoke(invoke) => self.entered(invoke),
                Effect::Answer { invocation, attempt, call } => {
                    self.answers.insert((*invocation, *attempt, call.ordinal), call.at);
                    self.given(*invocation, &call.function);
                }
                Effect::End(_) => self.finished = true,
                _ => (),
            }
        }
    }

    fn entered(&mut self, invoke: &Invoke) {
        let attempt = (invoke.invocation, invoke.attempt);
        assert!(!self.ended.contains(&attempt), "a finished attempt never runs again");
        let started = *self.started.entry(attempt).or_insert(invoke.started_at);
        assert_eq!(started, invoke.started_at, "an attempt's clock begins where it began");
        let answers: Vec<u64> = invoke.log.iter().filter_map(|call| answer_number(&call.function)).collect();
        let given = self.given.entry(invoke.invocation).or_default();
        if answers.len() > given.len() {
            assert!(answers.is_sorted_by(|one, next| one < next), "answers are given in their order, each once");
            given.clone_from(&answers);
        }
        assert_eq!(answers, given[..answers.len()], "a wait that is answered stays answered");
        if &*invoke.step == "note" {
            let id = payload(&invoke.events[0])["id"].as_u64().expect("an id");
            assert_eq!(*self.noted.entry(id).or_insert(invoke.invocation), invoke.invocation, "an event is delivered once");
        }
    }

    fn given(&mut self, invocation: InvocationId, function: &Function) {
        match function {
            Function::EditCommit { path, answer: Some(true), .. } if path == "count" => self.edits += 1,
            Function::EditCommit { answer: Some(true), .. } => self.alone += 1,
            Function::Keep { .. } => drop(self.memos.insert(invocation)),
            Function::Collect { answer: Some(Batch::Complete(batch)), .. } => {
                assert_eq!(batch.len(), 2);
                for item in batch.iter() {
                    let of = payload(item)["of"].to_string();
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

/// The calls that an input reports, of whatever attempt.
fn reported(input: &Input) -> &[Call] {
    match input {
        Input::StepProgressed { calls, .. } | Input::StepReturned { calls, .. } | Input::StepFailed { calls, .. } => calls,
        _ => &[],
    }
}

/// Those of one attempt.
fn calls(input: &Input, id: InvocationId, nth: u32) -> &[Call] {
    match input {
        Input::StepProgressed { invocation, attempt, .. }
        | Input::StepReturned { invocation, attempt, .. }
        | Input::StepFailed { invocation, attempt, .. }
            if (*invocation, *attempt) == (id, nth) =>
        {
            reported(input)
        }
        _ => &[],
    }
}

/// The number of the answer that a wait was given.
fn answer_number(function: &Function) -> Option<u64> {
    let Function::Wait(wait) = function else { return None };
    let Some(WaitAnswer::Event(event)) = &wait.answer else { return None };
    payload(event)["number"].as_u64()
}

fn part() -> Part {
    Part { component: "d".into(), data: None }
}

fn names(frames: &[String]) -> Vec<&str> {
    frames.iter().filter_map(|frame| frame.split(' ').next()).collect()
}

fn program(chance: &mut ChaCha8Rng) -> Vec<Op> {
    let length = chance.next_u32() % 7;
    let mut program: Vec<Op> = (0..length)
        .map(|_| match chance.next_u32() % 14 {
            0 => Op::Publish,
            1 | 2 => Op::Edit,
            3 => Op::Set,
            4 => Op::Sleep(30_000),
            5 => Op::Sleep(1_500_000),
            6 => Op::Memo,
            7 => Op::Commit,
            8 => Op::Wait,
            9 => Op::Alone,
            10 => Op::Get,
            11 => Op::Beside,
            12 => Op::Variables,
            _ => Op::Collect,
        })
        .collect();
    // Asked again, it is no call.
    let mut asks = 0;
    program.retain(|op| {
        asks += u32::from(matches!(op, Op::Variables));
        asks < 2 || !matches!(op, Op::Variables)
    });
    if chance.next_u32().is_multiple_of(2) {
        let place = chance.next_u32() as usize % (program.len() + 1);
        program.insert(place, Op::FailBefore(1 + chance.next_u32() % 2));
    }
    add_requests(&mut program, chance);
    program
}

/// Half of the programs make a request or two, and read what comes, between whatever else they do.
fn add_requests(program: &mut Vec<Op>, chance: &mut ChaCha8Rng) {
    let requests = (chance.next_u32() % 4).saturating_sub(1);
    for _ in 0..requests {
        let asks = chance.next_u32() as usize % (program.len() + 1);
        program.insert(asks, Op::Ask);
        for _ in 0..chance.next_u32() % 5 {
            let reads = asks + 1 + chance.next_u32() as usize % (program.len() - asks);
            program.insert(reads, Op::Read);
        }
    }
}

fn started(seed: u64, count: u64) -> Started {
    Started {
        rules: RULES,
        definition: vec![part()],
        workflow: "world".into(),
        handler: "h".into(),
        run: "r".into(),
        start: event("StartEvent", json!({ "n": count })),
        state: json::empty(),
        seed: format!("{seed:064x}"),
        timeout: None,
        additional_events: vec!["Answer".into()],
        state_max: Some(1 << 20),
    }
}

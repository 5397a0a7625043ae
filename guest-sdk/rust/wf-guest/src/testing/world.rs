//! What a host is to a run, in one thread: applies inputs, and carries out effects in their order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::value::RawValue;
use wf_engine::attempt::RunInfo;
use wf_engine::definition::Definition;
use wf_engine::effect::{Due, Effect, Invoke};
use wf_engine::entry::{Call, Event, Failure, Input, InvocationId, Micros, RULES, Started, TimerId, Usage};
use wf_engine::run::Run;

use super::entry::{self, Entry, Reply, Report};
use super::{Answers, HttpResponse, Line, Responder, Test};
use crate::RawEvent;

/// 2026-01-01T00:00:00Z.
const BEGINNING: Micros = 1_767_225_600_000_000;
/// A run that is still going after so many inputs never ends.
const INPUTS_MAX: u64 = 1_000_000;
/// Why a request has no answer in a test that gives none.
const NOBODY: &str = "nobody answers requests in this test: say who does with `Test::http`";

/// Attempts that fail after they have done their work.
pub(super) struct Fault {
    pub step: String,
    /// Which invocation of the step, from 0; none: each.
    pub delivery: Option<usize>,
    pub attempts: u32,
    pub failure: crate::Failure,
}

/// Something that lets a step go on.
enum Task {
    Enter(Box<Invoke>),
    Answer(InvocationId, u32, Call),
}

pub(super) struct World {
    pub definition: Arc<Definition>,
    pub run: Run,
    pub now: Micros,
    pub frames: Vec<RawEvent>,
    pub lines: Vec<Line>,
    /// Step, invocation and attempt of all that was entered.
    pub attempts: BTreeSet<(String, InvocationId, u32)>,
    info: Arc<RunInfo>,
    invoke: entry::Step,
    responders: Vec<Responder>,
    faults: Vec<Fault>,
    restarts: bool,
    variables: Arc<BTreeMap<String, String>>,
    outside: Option<Answers>,
    live: BTreeMap<InvocationId, (String, Entry)>,
    tasks: VecDeque<Task>,
    answers: VecDeque<RawEvent>,
    sent: u64,
}

impl World {
    pub(super) fn start(test: Test, event: Box<RawValue>) -> World {
        let Test { definition, invoke, state, responders, faults, restarts, variables, outside } = test;
        let definition = Arc::new(definition);
        let info = RunInfo { run: "run".into(), handler: "handler".into(), workflow: definition.name().to_owned(), seed: [0; 32] };
        let name = definition.start_type().unwrap_or("StartEvent").to_owned();
        let started = Started {
            rules: RULES,
            definition: definition.parts(),
            workflow: info.workflow.clone(),
            handler: info.handler.clone(),
            run: info.run.clone(),
            start: Event { name: name.into(), payload: event.into() },
            state,
            seed: Started::seed_text(info.seed),
            timeout: definition.timeout(),
            additional_events: definition.additional_events(),
            state_max: Some(entry::LIMITS.state_max as u64),
        };
        let mut world = World {
            run: Run::new(definition.clone()),
            definition,
            now: BEGINNING,
            frames: Vec::new(),
            lines: Vec::new(),
            attempts: BTreeSet::new(),
            info: Arc::new(info),
            invoke,
            responders,
            faults,
            restarts,
            variables: Arc::new(variables),
            outside,
            live: BTreeMap::new(),
            tasks: VecDeque::new(),
            answers: VecDeque::new(),
            sent: 0,
        };
        world.apply(Input::Started(Box::new(started)));
        world.settle();
        world
    }

    pub(super) fn declares(&self, name: &str) -> bool {
        self.definition.is_declared(name) || self.definition.additional_events().iter().any(|it| it == name)
    }

    pub(super) fn send(&mut self, event: RawEvent, step: Option<&str>) {
        self.receive(event, step);
        self.settle();
    }

    fn receive(&mut self, event: RawEvent, step: Option<&str>) {
        self.sent += 1;
        let event = inward(event);
        let refused = self.run.refuses(&event, step, None);
        assert!(refused.is_none(), "the run keeps as many events as it may that nothing has taken: the API would refuse `{}`", event.name);
        self.apply(Input::EventReceived { id: self.sent.to_string(), event, step: step.map(str::to_owned), invocation: None });
    }

    pub(super) fn cancel(&mut self) {
        self.apply(Input::CancelRequested);
        self.settle();
    }

    pub(super) fn advance(&mut self, time: Micros) {
        let end = self.now.saturating_add(time);
        while let Some((due, timer)) = self.next_timer().filter(|(due, _)| *due <= end) {
            self.fire(due, timer);
        }
        self.now = end;
    }

    pub(super) fn finish(&mut self) {
        while let Some((due, timer)) = self.next_timer() {
            self.fire(due, timer);
        }
    }

    /// The timer that is due next, and when; both clocks are one here.
    pub(super) fn next_timer(&self) -> Option<(Micros, TimerId)> {
        let due = |due| match due {
            Due::At(at) => at,
            Due::Alive(alive) => BEGINNING.saturating_add(alive),
        };
        self.run.timers().map(|(timer, it)| (due(it).max(self.now), timer)).min()
    }

    fn fire(&mut self, due: Micros, timer: TimerId) {
        self.now = due;
        self.apply(Input::TimerFired { timer });
        self.settle();
    }

    /// Lets one step after the other go on, until none can.
    fn settle(&mut self) {
        loop {
            match self.tasks.pop_front() {
                Some(Task::Enter(invoke)) => self.enter(*invoke),
                Some(Task::Answer(invocation, attempt, call)) => {
                    if let Some((_, entry)) = self.live.get(&invocation).filter(|(_, entry)| entry.attempt == attempt) {
                        entry.reply(Reply::Answered(call));
                        self.listen(invocation);
                    }
                }
                None => match self.answers.pop_front() {
                    Some(answer) if self.run.is_running() => {
                        assert!(self.declares(&answer.name), "the workflow does not declare the answer `{}`", answer.name);
                        self.receive(answer, None);
                    }
                    Some(_) => (),
                    None => return,
                },
            }
        }
    }

    fn enter(&mut self, invoke: Invoke) {
        let (step, invocation) = (invoke.step.to_string(), invoke.invocation);
        self.attempts.insert((step.clone(), invocation, invoke.attempt));
        let entry = Entry::begin(self.invoke, invoke, self.info.clone(), self.variables.clone());
        self.live.insert(invocation, (step, entry));
        self.listen(invocation);
    }

    /// Hears a step until it waits, or has ended.
    fn listen(&mut self, invocation: InvocationId) {
        loop {
            let Some((step, entry)) = self.live.get(&invocation) else { return };
            let mut reads = false;
            let attempt = entry.attempt;
            let input = match entry.reports.recv() {
                Ok(Report::Read { query, mut own }) => {
                    let answer = self.run.query(&query, &mut own);
                    entry.reply(Reply::Read(answer, own));
                    continue;
                }
                Ok(Report::Logged(line)) => {
                    self.lines.push(line);
                    continue;
                }
                Ok(Report::Asked(request)) => {
                    let nobody = || HttpResponse::failed(crate::Failure::new("denied", NOBODY).no_retry());
                    let response = self.outside.as_mut().map_or_else(nobody, |answers| answers(&request));
                    let (head, body) = response.tell(&request.url);
                    entry.reply(Reply::Came(head, body));
                    continue;
                }
                Ok(Report::Progressed { calls, commit, reads: now_reads }) => {
                    reads = now_reads;
                    if calls.last().is_some_and(|call| call.function.suspends()) {
                        self.live.remove(&invocation);
                    }
                    Input::StepProgressed { invocation, attempt, calls, commit, usage: self.usage() }
                }
                Ok(Report::Returned { calls, commit, events }) => {
                    let of_step = self.attempts.iter().filter(|(name, ..)| name == step).map(|(_, invocation, _)| *invocation);
                    let delivery = of_step.collect::<BTreeSet<_>>().range(..invocation).count();
                    let is_meant = |fault: &&Fault| fault.delivery.is_none_or(|it| it == delivery) && attempt < fault.attempts;
                    let fault = self.faults.iter().filter(|fault| fault.step == *step).find(is_meant);
                    let fault = fault.map(|fault| fault.failure.clone().into_host());
                    self.live.remove(&invocation);
                    match fault {
                        Some(failure) => {
                            let failure = Failure::from_guest(failure.kind, failure.message, &failure.details);
                            Input::StepFailed { invocation, attempt, calls, failure, usage: self.usage() }
                        }
                        None => Input::StepReturned { invocation, attempt, calls, commit, events, usage: self.usage() },
                    }
                }
                Ok(Report::Failed { calls, failure }) => {
                    self.live.remove(&invocation);
                    Input::StepFailed { invocation, attempt, calls, failure, usage: self.usage() }
                }
                // Its thread was lost in a way that reports nothing.
                Err(_) => {
                    self.live.remove(&invocation);
                    let failure = Failure::new("panic", "the step's thread has ended", true);
                    Input::StepFailed { invocation, attempt, calls: Vec::new(), failure, usage: self.usage() }
                }
            };
            self.apply(input);
            if self.restarts && self.run.is_running() && !reads {
                self.live.clear();
                self.tasks.clear();
                if self.run.needs_resume() {
                    self.apply(Input::Resumed { planned: true, on_thread: None });
                }
            }
            return;
        }
    }

    fn usage(&self) -> Usage {
        Usage { started_at: self.now, ..Usage::default() }
    }

    fn apply(&mut self, input: Input) {
        assert!(self.run.next_seq() < INPUTS_MAX, "the run does not end: its journal has {INPUTS_MAX} entries");
        let entry = self.run.entry(self.now, self.now - BEGINNING, input);
        for effect in self.run.apply(&entry) {
            match effect {
                Effect::Invoke(invoke) => self.tasks.push_back(Task::Enter(invoke)),
                Effect::Answer { invocation, attempt, call } => self.tasks.push_back(Task::Answer(invocation, attempt, call)),
                Effect::Abort { invocation, attempt } => {
                    self.tasks.retain(|task| match task {
                        Task::Enter(invoke) => (invoke.invocation, invoke.attempt) != (invocation, attempt),
                        Task::Answer(other, its, _) => (*other, *its) != (invocation, attempt),
                    });
                    if self.live.get(&invocation).is_some_and(|(_, entry)| entry.attempt == attempt) {
                        self.live.remove(&invocation);
                    }
                }
                // The run knows its timers.
                Effect::SetTimer { .. } | Effect::ClearTimer { .. } => (),
                Effect::Publish(frame) => self.publish(&frame.event),
                Effect::End(_) => {
                    self.tasks.clear();
                    self.live.clear();
                }
            }
        }
    }

    fn publish(&mut self, event: &Event) {
        let event = RawEvent { name: event.name.to_string(), payload: event.payload.get().to_owned() };
        let asked = self.responders.iter_mut().filter(|responder| responder.asks == event.name);
        self.answers.extend(asked.map(|responder| (responder.answers)(&event)));
        self.frames.push(event);
    }
}

fn inward(event: RawEvent) -> Event {
    let payload = RawValue::from_string(event.payload).expect("serde_json wrote it");
    Event { name: event.name.into(), payload: payload.into() }
}

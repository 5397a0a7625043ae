//! The task that drives a run: one input at a time, apply, append, carry out the effects.
//!
//! Nothing that the outside can see leaves before the entries behind it are durable; guests may
//! go on before that, because a crash only makes them compute the same again.

mod guests;
mod held;
mod load;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use wf_engine::effect::{Due, Effect, Invoke};
use wf_engine::entry::{Entry, Event, Input, TimerId};
use wf_engine::run::Run;

use crate::host::Inner;
use crate::model::{Frame, Idempotency, Refusal, RunView, Target, Workflow, envelope};
use crate::registry::Loaded;
use crate::runtime::{Report, RunInfo};
use crate::store::{self, Append, Ended, EntryRow, FrameRow, IdempotencyRow, LogRow, Made, RunKey};
use crate::tail::Tail;
use guests::Guests;
use held::{Appends, Held};
pub(crate) use load::{entries, replay, started, unfit};

/// A run with nothing in flight leaves memory after this long.
const PARK_AFTER: Duration = Duration::from_millis(500);
/// The first delay before a run whose append failed is loaded again; doubles up to the last.
const RELOAD_DELAY: Duration = Duration::from_millis(100);
const RELOAD_DELAY_MAX: Duration = Duration::from_secs(5);

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;
pub(crate) type Commands = mpsc::UnboundedReceiver<Command>;

/// What the outside asks of a run.
pub(crate) enum Command {
    Send {
        event: Event,
        target: Target,
        idempotency: Option<Idempotency>,
        reply: Reply<()>,
    },
    Cancel {
        reply: Reply<()>,
    },
    /// Go on: a timer is due, or the host has started.
    Wake,
    /// A graceful stop: leave no mark of a crash, and end.
    Stop,
}

/// How a stretch of driving ended.
enum Exit {
    /// The run has ended.
    Ended,
    /// Nothing to do until a command or a timer.
    Parked,
    /// The host stops.
    Stopped,
    /// An append failed; what is in memory is ahead of the store.
    Broken(store::Error),
}

/// A run in memory.
pub(crate) struct Worker {
    inner: Arc<Inner>,
    key: RunKey,
    generation: u64,
    run: Run,
    info: Arc<RunInfo>,
    loaded: Loaded,
    tail: Arc<Tail>,
    guests: Guests,
    timers: BTreeMap<TimerId, Due>,
    logs: Vec<LogRow>,
    appends: Appends,
    /// The idempotency keys of events that were accepted while the run was in memory.
    keys: HashMap<String, [u8; 32]>,
    commands: Commands,
}

/// A run that has just been created, or loaded.
pub(crate) struct Fresh {
    pub key: RunKey,
    pub generation: u64,
    pub run: Run,
    pub loaded: Loaded,
    pub info: Arc<RunInfo>,
    /// To be carried out: durable already.
    pub effects: Vec<Effect>,
}

/// Drives a run until it has ended or has nothing to do. `fresh`: a run that has just been
/// created; none: load it.
pub(crate) async fn drive(inner: Arc<Inner>, id: String, mut fresh: Option<Fresh>, mut commands: Commands) {
    let mut delay = RELOAD_DELAY;
    loop {
        let loaded = match fresh.take() {
            Some(fresh) => Ok(Worker::new(inner.clone(), fresh, commands)),
            None => Worker::load(inner.clone(), &id, commands).await,
        };
        let mut worker = match loaded {
            Ok(worker) => worker,
            Err((refusal, rest)) => return load::refuse(&inner, &id, rest, &refusal),
        };
        let exit = worker.run().await;
        worker.guests.abort_all();
        match exit {
            Exit::Parked => return,
            Exit::Ended => return worker.leave(),
            Exit::Stopped => return load::refuse(&inner, &id, worker.commands, &Refusal::stopping()),
            Exit::Broken(store::Error::Gone) => return load::refuse(&inner, &id, worker.commands, &Refusal::NotFound),
            Exit::Broken(error) => {
                tracing::error!(run.id = id, "run `{id}`: its journal could not be written; it is loaded again in {delay:?}: {error}");
                worker.refuse_held(&error).await;
                commands = worker.commands;
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RELOAD_DELAY_MAX);
            }
        }
    }
}

impl Worker {
    async fn run(&mut self) -> Exit {
        loop {
            if !self.run.is_running() && self.appends.is_empty() {
                return Exit::Ended;
            }
            let due = self.timers.iter().map(|(&timer, &due)| (self.inner.clock.until(due), timer)).min();
            let wake = due.map_or(Duration::MAX, |(until, _)| until);
            let idle = self.guests.is_empty() && self.appends.is_empty() && wake > PARK_AFTER;
            tokio::select! {
                biased;
                Some((result, held)) = self.appends.next() => {
                    if let Err(error) = result {
                        held.refuse(&error);
                        return Exit::Broken(error);
                    }
                    held.release(&self.tail);
                }
                command = self.commands.recv() => match command {
                    Some(Command::Stop) | None => return self.stop().await,
                    Some(command) => self.command(command),
                },
                report = self.guests.report() => self.report(report),
                () = tokio::time::sleep(wake), if !idle && due.is_some() => {
                    let (_, timer) = due.expect("guarded");
                    self.timers.remove(&timer);
                    self.input(Input::TimerFired { timer }, Held::default(), None);
                }
                () = tokio::time::sleep(PARK_AFTER), if idle => {
                    if self.inner.park(&self.info.run, &self.commands, due.map(|(until, _)| until.saturating_sub(PARK_AFTER))) {
                        return Exit::Parked;
                    }
                }
            }
        }
    }

    /// Brings the run to a durable point. What executes is entered again after the restart.
    async fn stop(&mut self) -> Exit {
        self.guests.abort_all();
        while let Some((result, held)) = self.appends.next().await {
            match result {
                Ok(()) => held.release(&self.tail),
                Err(error) => held.refuse(&error),
            }
        }
        Exit::Stopped
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Send { reply, .. } | Command::Cancel { reply } if !self.run.is_running() => {
                let _ = reply.send(Err(Refusal::AlreadyCompleted));
            }
            Command::Send { event, target, idempotency, reply } => self.send(event, target, idempotency, reply),
            Command::Cancel { reply } => self.input(Input::CancelRequested, Held::reply(reply, ()), None),
            Command::Wake | Command::Stop => (),
        }
    }

    fn send(&mut self, event: Event, target: Target, idempotency: Option<Idempotency>, reply: Reply<()>) {
        let held = Held::reply(reply, ());
        // The store was asked before; a repeat may have come in between.
        let sent = idempotency.as_ref().and_then(|it| Some(self.keys.get(&it.key)? == &it.body));
        match sent {
            Some(true) => return self.appends.push(held, None),
            Some(false) => return held.refuse_with(Refusal::KeyReused),
            None => (),
        }
        let Target { step, invocation } = target;
        if let Some(refusal) = self.run.refuses(&event, step.as_deref(), invocation) {
            return held.refuse_with(refusal.into());
        }
        self.keys.extend(idempotency.clone().map(|it| (it.key, it.body)));
        let id = crate::host::new_id();
        let row = idempotency.map(|Idempotency { key, body }| {
            let scope = store::event_scope(&self.info.handler);
            IdempotencyRow { scope, key, body, made: Made::Event(id.clone()) }
        });
        self.input(Input::EventReceived { id, event, step, invocation }, held, row);
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Progressed { invocation, attempt, calls, commit, usage, reply } => {
                let suspends = calls.last().is_some_and(|call| call.function.suspends());
                if self.guests.hold(invocation, attempt, suspends, reply) {
                    let input = Input::StepProgressed { invocation, attempt, calls, commit, usage };
                    self.input(input, Held::default(), None);
                }
            }
            Report::Read { query, mut own, reply, .. } => {
                let answer = self.run.query(&query, &mut own);
                // A guest that is gone meanwhile needs no answer.
                let _ = reply.send((answer, own));
            }
            Report::Logged { invocation, attempt, line } => self.logs.push(guests::log_row(invocation, attempt, line)),
            Report::Returned { invocation, attempt, calls, commit, events, usage } => {
                if self.guests.ended(invocation, attempt) {
                    let input = Input::StepReturned { invocation, attempt, calls, commit, events, usage };
                    self.input(input, Held::default(), None);
                }
            }
            Report::Failed { invocation, attempt, calls, failure, usage } => {
                if self.guests.ended(invocation, attempt) {
                    self.logs.push(guests::failure_row(invocation, attempt, self.inner.clock.at(), &failure));
                    self.input(Input::StepFailed { invocation, attempt, calls, failure, usage }, Held::default(), None);
                }
            }
        }
    }

    /// The one way of a run: apply, append, carry out.
    fn input(&mut self, input: Input, held: Held, idempotency: Option<IdempotencyRow>) {
        let clock = &self.inner.clock;
        let entry = self.run.entry(clock.at(), clock.alive(), input);
        let effects = self.run.apply(&entry);
        self.append(&entry, &effects, held, idempotency);
        self.perform(effects);
    }

    fn append(&mut self, entry: &Entry, effects: &[Effect], mut held: Held, idempotency: Option<IdempotencyRow>) {
        let frames = frame_rows(&self.loaded.workflow, effects);
        held.frames = frames.iter().cloned().map(Frame::from).collect();
        let ended = effects.iter().any(|effect| matches!(effect, Effect::Finish(_)));
        held.ended = ended.then(|| RunView::of(&self.run, &self.loaded.workflow, &self.info));
        let append = Append {
            run: self.key,
            generation: self.generation,
            expected_seq: entry.seq,
            entries: vec![entry_row(entry)],
            frames,
            updated_at: entry.at,
            ended: held.ended.as_ref().and_then(Ended::of),
            idempotency,
            logs: std::mem::take(&mut self.logs),
            waited: held.is_answer() || self.tail.has_readers(),
        };
        self.appends.push(held, Some(self.inner.store.append(append)));
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Invoke(invoke) => self.enter(*invoke),
                Effect::Answer { invocation, attempt, call } => self.guests.answer(invocation, attempt, call),
                Effect::Abort { invocation, attempt } => self.guests.abort(invocation, attempt),
                Effect::SetTimer { timer, due } => drop(self.timers.insert(timer, due)),
                Effect::ClearTimer { timer } => drop(self.timers.remove(&timer)),
                Effect::Publish(_) => (), // with the append
                Effect::Finish(_) => {
                    self.timers.clear();
                    self.guests.abort_all();
                }
            }
        }
    }

    fn enter(&mut self, invoke: Invoke) {
        let component = self.loaded.components[invoke.component].clone();
        let (at, info, limits) = (self.inner.clock.at(), self.info.clone(), self.loaded.workflow.limits.clone());
        self.guests.enter(&self.inner.runtime, component, invoke, at, info, limits);
    }
}

/// An entry as the store keeps it.
pub(crate) fn entry_row(entry: &Entry) -> EntryRow {
    let bytes = serde_json::to_vec(entry).expect("entries are JSON");
    EntryRow { seq: entry.seq, bytes }
}

/// The frames among the effects, as the store keeps them.
pub(crate) fn frame_rows(workflow: &Workflow, effects: &[Effect]) -> Vec<FrameRow> {
    let rows = effects.iter().filter_map(|effect| match effect {
        Effect::Publish(frame) => Some(FrameRow {
            sequence: frame.sequence,
            internal: workflow.definition.is_internal(&frame.event.name),
            terminal: workflow.definition.is_terminal(&frame.event.name),
            json: envelope(&workflow.definition, &workflow.name, &frame.event),
        }),
        _ => None,
    });
    rows.collect()
}

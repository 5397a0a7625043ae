//! A run as it was at every entry, for those who look at it. Computed by the fold itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Run;
use super::invocation::{Invocation, Phase as Stands};
use crate::definition::Definition;
use crate::effect::Due;
use crate::entry::{Buffered, Entry, Event, Failure, Function, Input, InvocationId, Micros};

/// All that happened in a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The entries of the journal, in order.
    pub moments: Vec<Moment>,
    /// The deliveries to steps, in order.
    pub deliveries: Vec<Delivery>,
}

/// An entry of the journal.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Its place in the journal.
    pub seq: u64,
    /// When, in UTC.
    pub at: Micros,
    /// What: `started`, `event-received`, `step-progressed`, `step-returned`, `step-failed`, `timer-fired`, `cancel-requested`, `resumed`.
    pub kind: &'static str,
    /// Whose report it is.
    pub invocation: Option<InvocationId>,
    /// The event that came.
    pub event: Option<Arc<str>>,
    /// How many frames the stream had after it.
    pub frames: u64,
}

/// An invocation: one delivery of events to a step, over all its attempts.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number.
    pub invocation: InvocationId,
    /// The step.
    pub step: Arc<str>,
    /// What it was given.
    pub events: Vec<Event>,
    /// The entry that made it.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// Where it stood, from then on.
    pub spans: Vec<Span>,
    /// The types of the events that it sent, with the entries that committed them.
    pub sent: Vec<(u64, Arc<str>)>,
    /// Its failures, by attempt.
    pub failures: Vec<(u32, Failure)>,
    /// How it ended.
    pub end: Option<End>,
}

/// A time in which an invocation stood somewhere.
#[derive(Clone, Debug)]
pub struct Span {
    /// Which attempt, from 0.
    pub attempt: u32,
    /// Where.
    pub phase: Phase,
    /// The slot that it held.
    pub slot: Option<u32>,
    /// What it waits for.
    pub wait: Option<Waited>,
    /// The entry that began it.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// When it ended; none: it has not.
    pub until: Option<Micros>,
}

/// Where an invocation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// For a slot.
    Queued,
    /// In an instance.
    Executing,
    /// For a time.
    Sleeping,
    /// For an event.
    Waiting,
    /// For the delay of a retry.
    Retrying,
}

/// What an invocation waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Waited {
    /// The event's type.
    pub name: String,
    /// Fields that must be equal.
    pub requirements: BTreeMap<String, serde_json::Value>,
    /// When it gives up, in UTC, if the host stays up.
    pub due: Option<Micros>,
}

/// How an invocation ended.
#[derive(Clone, Debug)]
pub struct End {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Micros,
    /// How.
    pub outcome: Outcome,
}

/// How an invocation ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It returned events of these types.
    Returned(Vec<Arc<str>>),
    /// It failed for good.
    Failed,
    /// The run ended first.
    Dropped,
}

impl History {
    /// Of a run's journal.
    pub fn of(definition: Arc<Definition>, entries: &[Entry]) -> History {
        let mut run = Run::new(definition);
        let mut history = History::default();
        let mut places = BTreeMap::new();
        for entry in entries {
            let was = run.is_running();
            run.apply(entry);
            history.moments.push(Moment::of(entry, run.next_sequence()));
            if was {
                history.note(&run, entry, &mut places);
            }
        }
        history
    }

    /// What has become of the invocations by an entry.
    fn note(&mut self, run: &Run, entry: &Entry, places: &mut BTreeMap<InvocationId, usize>) {
        let (seq, at) = (entry.seq, run.updated_at());
        if let Input::StepFailed { invocation, attempt, failure, .. } = &entry.input
            && let Some(&place) = places.get(invocation)
            // A late report changes nothing.
            && self.deliveries[place].spans.last().is_some_and(|span| span.attempt == *attempt)
        {
            self.deliveries[place].failures.push((*attempt, failure.clone()));
        }
        if let Input::StepProgressed { invocation, commit: Some(commit), .. } | Input::StepReturned { invocation, commit, .. } =
            &entry.input
            && let Some(&place) = places.get(invocation)
            && !run.invocations.get(invocation).is_some_and(conflicted)
        {
            let sent = commit.effects.iter().filter_map(|effect| match effect {
                Buffered::Send { event, .. } => Some((seq, event.name.clone())),
                _ => None,
            });
            self.deliveries[place].sent.extend(sent);
        }
        for (&id, invocation) in &run.invocations {
            let place = *places.entry(id).or_insert_with(|| {
                let step = run.steps[invocation.step].name.clone();
                let events = invocation.events.clone();
                self.deliveries.push(Delivery {
                    invocation: id,
                    step,
                    events,
                    seq,
                    at,
                    spans: vec![],
                    sent: vec![],
                    failures: vec![],
                    end: None,
                });
                self.deliveries.len() - 1
            });
            self.deliveries[place].stands(invocation, run, seq, at);
        }
        let gone: Vec<InvocationId> = places.keys().filter(|id| !run.is_running() || !run.invocations.contains_key(id)).copied().collect();
        for id in gone {
            let outcome = match &entry.input {
                Input::StepReturned { invocation, events, .. } if *invocation == id => {
                    Outcome::Returned(events.iter().map(|event| event.name.clone()).collect())
                }
                Input::StepFailed { invocation, .. } if *invocation == id => Outcome::Failed,
                _ => Outcome::Dropped,
            };
            if let Some(place) = places.remove(&id) {
                let delivery = &mut self.deliveries[place];
                delivery.close(at);
                delivery.end = Some(End { seq, at, outcome });
            }
        }
    }
}

impl Delivery {
    fn stands(&mut self, invocation: &Invocation, run: &Run, seq: u64, at: Micros) {
        let phase = match invocation.phase {
            Stands::Queued => Phase::Queued,
            Stands::Executing { .. } => Phase::Executing,
            Stands::Sleeping { .. } => Phase::Sleeping,
            Stands::Waiting { .. } => Phase::Waiting,
            Stands::Retrying => Phase::Retrying,
        };
        let same = |span: &Span| span.until.is_none() && (span.phase, span.attempt) == (phase, invocation.attempt);
        if self.spans.last().is_some_and(same) {
            return;
        }
        self.close(at);
        let wait = if phase == Phase::Waiting { waited(invocation, run) } else { None };
        self.spans.push(Span { attempt: invocation.attempt, phase, slot: invocation.slot, wait, seq, at, until: None });
    }

    fn close(&mut self, at: Micros) {
        if let Some(span) = self.spans.last_mut() {
            span.until.get_or_insert(at);
        }
    }
}

/// Whether its last call is an edit that conflicted, and so committed nothing.
fn conflicted(invocation: &Invocation) -> bool {
    invocation.log.last().is_some_and(|call| matches!(call.function, Function::EditCommit { answer: Some(false), .. }))
}

fn waited(invocation: &Invocation, run: &Run) -> Option<Waited> {
    let Stands::Waiting { timer, .. } = &invocation.phase else { return None };
    let Function::Wait(wait) = &invocation.log.last()?.function else { return None };
    let due = timer.and_then(|timer| run.timers.get(&timer)).map(|timer| match timer.due {
        Due::At(at) => at,
        Due::Alive(alive) => run.at.saturating_add(alive.saturating_sub(run.alive)),
    });
    Some(Waited { name: wait.name.clone(), requirements: wait.requirements.clone(), due })
}

impl Moment {
    fn of(entry: &Entry, frames: u64) -> Moment {
        let (kind, invocation, event) = match &entry.input {
            Input::Started(started) => ("started", None, Some(started.start.name.clone())),
            Input::EventReceived { event, .. } => ("event-received", None, Some(event.name.clone())),
            Input::StepProgressed { invocation, .. } => ("step-progressed", Some(*invocation), None),
            Input::StepReturned { invocation, .. } => ("step-returned", Some(*invocation), None),
            Input::StepFailed { invocation, .. } => ("step-failed", Some(*invocation), None),
            Input::TimerFired { .. } => ("timer-fired", None, None),
            Input::CancelRequested => ("cancel-requested", None, None),
            Input::Resumed { .. } => ("resumed", None, None),
        };
        Moment { seq: entry.seq, at: entry.at, kind, invocation, event, frames }
    }
}

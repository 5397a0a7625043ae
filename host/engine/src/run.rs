//! One run: a fold over its journal, and nothing else.
//!
//! [`Run::apply`] is the only way a run changes, and holds the only `match` on [`Input`]. Each
//! module below holds one family of moves. A move changes the run and puts its effects into the
//! `Turn`; what depends on the whole entry (slots, stuck, idle) is done at its end, in `settle`.

// Read in this order.
mod start;

mod invocation;
mod slots;

mod join;
mod route;
mod scope;

mod commit;
mod forbidden;
mod report;

mod collect;
mod sleep;
mod wait;

mod fail;
mod retry;

mod resume;
mod timer;

mod finish;
mod frames;
mod settle;

pub mod history;

mod pool;
pub(crate) mod time;

#[cfg(test)]
mod garbage;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::definition::Definition;
use crate::effect::Effect;
use crate::entry::{Buffered, Entry, Event, Input, InvocationId, Micros, Started, TimerId};
use crate::state::{PathError, State};

use invocation::Invocation;
use pool::Pool;
use route::{Unhandled, Waiters};
use scope::{Scope, ScopeId};
use slots::Step;
use timer::Timer;

/// How a run stands.
#[derive(Clone, Debug)]
pub enum Status {
    /// Not ended.
    Running,
    /// Ended with a stop event.
    Completed(Event),
    /// Ended with a message.
    Failed(String),
    /// Ended on request.
    Cancelled,
}

/// A run.
#[derive(Debug)]
pub struct Run {
    definition: Arc<Definition>,
    steps: Vec<Step>,
    status: Status,
    started: Option<Started>,
    started_at: Micros,
    next_seq: u64,
    next_sequence: u64,
    /// The time of the entry that is being applied, or was last; neither clock goes back.
    at: Micros,
    alive: Micros,
    state: State,

    next_invocation: InvocationId,
    /// What is in flight. Dropped when it ends.
    invocations: BTreeMap<InvocationId, Invocation>,
    waiters: Waiters,
    next_timer: TimerId,
    timers: BTreeMap<TimerId, Timer>,
    next_scope: ScopeId,
    scopes: BTreeMap<ScopeId, Scope>,
    /// The buffers of `collect`, by step and name.
    buffers: BTreeMap<(usize, String), Pool<Event>>,
    idle: bool,
    turn: Turn,
}

/// What one entry gives rise to.
#[derive(Debug, Default)]
struct Turn {
    effects: Vec<Effect>,
    /// Invocations that were made.
    arrived: Vec<InvocationId>,
    unhandled: Vec<Unhandled>,
}

impl Run {
    /// A run before its first entry, which is `Started`.
    pub fn new(definition: Arc<Definition>) -> Run {
        Run {
            steps: slots::steps(&definition),
            definition,
            status: Status::Running,
            started: None,
            started_at: 0,
            next_seq: 0,
            next_sequence: 0,
            at: 0,
            alive: 0,
            state: State::new(Value::Object(serde_json::Map::new())),
            next_invocation: 0,
            invocations: BTreeMap::new(),
            waiters: Waiters::new(),
            next_timer: 0,
            timers: BTreeMap::new(),
            next_scope: 0,
            scopes: BTreeMap::new(),
            buffers: BTreeMap::new(),
            idle: false,
            turn: Turn::default(),
        }
    }

    /// Rebuilds a run from its journal. The effects were carried out, or lost, long ago: apply
    /// `Resumed` to go on.
    pub fn replay(definition: Arc<Definition>, entries: &[Entry]) -> Run {
        let mut run = Run::new(definition);
        for entry in entries {
            run.apply(entry);
        }
        run
    }

    /// The only way a run changes. What no longer concerns it (a late report, anything after
    /// the end) changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Effect> {
        self.next_seq = entry.seq.saturating_add(1);
        let first = matches!(entry.input, Input::Started(_));
        if !self.is_running() || first != self.started.is_none() {
            return Vec::new();
        }
        self.at = self.at.max(entry.at);
        self.alive = self.alive.max(entry.alive);
        match &entry.input {
            Input::Started(started) => self.start(started),
            Input::EventReceived { event, step, .. } => self.route(event, step.as_deref(), None),
            Input::StepProgressed { invocation, attempt, calls, commit } => {
                self.progressed(*invocation, *attempt, calls, commit.as_ref());
            }
            Input::StepReturned { invocation, attempt, calls, commit, events, .. } => {
                self.returned(*invocation, *attempt, calls, commit, events);
            }
            Input::StepFailed { invocation, attempt, failure, .. } => self.reported_failure(*invocation, *attempt, failure),
            Input::TimerFired { timer } => self.fired(*timer),
            Input::CancelRequested => self.cancel(),
            Input::Resumed { planned } => self.resumed(*planned),
        }
        self.settle();
        std::mem::take(&mut self.turn).effects
    }

    /// How it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running)
    }

    /// The place of the next entry in the journal.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The number of the next frame of the stream.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Its first entry, but for the state, which is `null` here: see [`Run::state`].
    pub fn started(&self) -> Option<&Started> {
        self.started.as_ref()
    }

    /// When it began, in UTC.
    pub fn started_at(&self) -> Micros {
        self.started_at
    }

    /// When it last changed, in UTC; its end, once it has ended.
    pub fn updated_at(&self) -> Micros {
        self.at
    }

    /// The committed state: a JSON object.
    pub fn state(&self) -> &Value {
        self.state.value()
    }

    /// Whether the state stays within `max` bytes of JSON when an attempt that has buffered
    /// `own` writes `size` bytes more.
    pub fn has_room(&self, own: &[Buffered], size: usize, max: usize) -> bool {
        self.state.has_room(own, size, max)
    }

    /// The value at a path as an attempt sees it that has buffered `own`.
    pub fn read(&self, path: &str, own: &[Buffered]) -> Result<Option<Arc<RawValue>>, PathError> {
        self.state.read(path, own)
    }

    /// The version of a path, and the value there as an attempt sees it that has buffered `own`.
    pub fn edit_begin(&self, path: &str, own: &[Buffered]) -> Result<(u64, Option<Arc<RawValue>>), PathError> {
        self.state.edit_begin(path, own)
    }

    /// Whether an attempt that has buffered `own` could set or delete the path.
    pub fn check_write(&self, path: &str, own: &[Buffered]) -> Result<(), PathError> {
        self.state.check_write(path, own)
    }

    /// The seq of the entry that is being applied.
    fn seq(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }
}

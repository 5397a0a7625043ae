//! One run: a fold over its journal, and nothing else.
//!
//! [`Run::apply`] is the only way a run changes, and holds the only `match` on [`Input`]. The first
//! half of the modules below are the *parts* of a run: types with a small surface, each over data
//! that nobody else touches. The second half are the *moves*: what a run does with its parts, one
//! family a file. Between them stands what the moves ask, which knows of no run. A move puts its effects into the `Turn`; what depends on the whole entry (slots,
//! stuck, idle) is done at its end, in `settle`.

// The parts, in the order in which an event meets them.
mod plan;

mod place;

mod pool;

mod scopes;

mod waiters;

mod inbox;

mod steps;

mod invocation;

mod timers;

mod buffers;

mod exclusives;

mod frames;

// What the moves ask.
mod forbidden;

mod retry;

// The moves, beginning with what all others ask of a run.
mod turn;

mod tell;

mod alarm;

mod awaits;

mod start;

mod route;

mod join;

mod enter;

mod report;

mod commit;

mod fill;

mod answer;

mod wait;

mod exclusive;

mod sleep;

mod due;

mod leave;

mod fail;

mod resume;

mod fork;

mod end;

mod settle;

pub mod history;

#[cfg(test)]
mod garbage;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::attempt::{Query, ReadAnswer};
use crate::definition::Definition;
use crate::effect::{Due, Effect, Log};
use crate::entry::{ENTRY_VERSION, Entry, Event, FRAMES_TOLD_EVERY, Input, InvocationId, Micros, Part, Started, TimerId};
use crate::json::{self, Json};
use crate::state::{Overlay, State};
use crate::text;

pub use awaits::Awaits;
use awaits::Questions;
use buffers::Buffers;
use exclusives::Exclusives;
use history::Notes;
use inbox::Inbox;
pub use inbox::{INBOX_BYTES_MAX, INBOX_EVENTS_MAX};
use invocation::Invocations;
use plan::Plan;
pub use route::Refusal;
use route::Unhandled;
use scopes::Scopes;
use steps::Steps;
use timers::Timers;
use waiters::Waiters;

/// How a run stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Status {
    /// It has no first entry yet: it queues for its workflow's turn.
    Queued,
    /// Not ended.
    Running,
    /// Ended with a stop event.
    Completed(Event),
    /// Ended with a message.
    Failed(String),
    /// Ended on request.
    Cancelled,
}

/// A run. Its serialised form is that of [`crate::snapshot`], and nobody else's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    #[serde(skip, default = "plan::nothing")]
    definition: Arc<Definition>,
    /// What follows from the definition, by step.
    #[serde(skip)]
    plan: Plan,
    status: Status,
    started: Option<Started>,
    started_at: Micros,
    /// When it became one of its own, where it was copied from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forked_at: Option<Micros>,
    next_seq: u64,
    /// The clocks of the entry that is being applied, or was last.
    now: Now,
    state: State,
    steps: Steps,
    invocations: Invocations,
    waiters: Waiters,
    inbox: Inbox,
    questions: Questions,
    exclusives: Exclusives,
    buffers: Buffers,
    scopes: Scopes,
    timers: Timers,
    next_sequence: u64,
    idle: bool,
    /// What forks may go on with.
    #[serde(skip)]
    known: Vec<Arc<Definition>>,
    #[serde(skip)]
    turn: Turn,
    /// For those who look at it; none: nobody does.
    #[serde(skip)]
    notes: Option<Notes>,
}

/// What the clocks show. Of an entry's own, because one that was wrong once must not hold for ever.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Now {
    at: Micros,
    alive: Micros,
}

/// What one entry gives rise to.
#[derive(Debug, Default)]
struct Turn {
    effects: Vec<Effect>,
    /// Invocations that were made.
    arrived: Vec<InvocationId>,
    unhandled: Vec<Unhandled>,
    /// Invocations that now do something else, or the same anew.
    touched: BTreeSet<InvocationId>,
}

impl Run {
    /// A run before its first entry, which is `Started`.
    pub fn new(definition: Arc<Definition>) -> Run {
        let plan = Plan::of(&definition);
        Run {
            steps: Steps::new(&plan),
            plan,
            definition,
            status: Status::Queued,
            started: None,
            started_at: 0,
            forked_at: None,
            next_seq: 0,
            now: Now::default(),
            state: State::new(&json::empty()),
            invocations: Invocations::default(),
            waiters: Waiters::default(),
            inbox: Inbox::default(),
            questions: Questions::default(),
            exclusives: Exclusives::default(),
            buffers: Buffers::default(),
            scopes: Scopes::default(),
            timers: Timers::default(),
            next_sequence: 0,
            idle: false,
            known: Vec::new(),
            turn: Turn::default(),
            notes: None,
        }
    }

    /// The next entry of the journal: to be applied, and to be appended.
    pub fn entry(&self, at: Micros, alive: Micros, input: Input) -> Entry {
        let frames = self.next_seq.is_multiple_of(FRAMES_TOLD_EVERY).then_some(self.next_sequence);
        Entry {
            v: ENTRY_VERSION,
            seq: self.next_seq,
            at,
            alive,
            frames: frames.filter(|_| self.next_seq > 0),
            input: self.without_reads(input),
        }
    }

    /// The only way a run changes. What no longer concerns it (a late report, anything after
    /// the end) changes nothing. Entries that are read from a journal come through
    /// [`crate::journal::replay`], which checks that they fit.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Effect> {
        self.next_seq = entry.seq.saturating_add(1);
        let first = matches!(entry.input, Input::Started(_));
        if self.has_ended() || first != self.started.is_none() {
            return Vec::new();
        }
        self.now = Now { at: entry.at, alive: entry.alive };
        match &entry.input {
            Input::Started(started) => self.start(started),
            Input::EventReceived { event, step, invocation, .. } => self.received(event, step.as_deref(), *invocation),
            Input::StepProgressed { invocation, attempt, calls, commit, usage } => {
                self.progressed(*invocation, *attempt, calls, commit.as_ref(), usage);
            }
            Input::StepReturned { invocation, attempt, calls, commit, events, .. } => {
                self.returned(*invocation, *attempt, calls, commit, events);
            }
            Input::StepFailed { invocation, attempt, failure, .. } => self.failed(*invocation, *attempt, failure),
            Input::TimerFired { timer } => self.fired(*timer),
            Input::CancelRequested => self.cancel(),
            Input::Resumed { planned, on_thread } => self.resumed(*planned, on_thread.as_deref()),
            Input::Forked(forked) => self.forked(forked),
        }
        self.settle();
        let Turn { effects, touched, .. } = std::mem::take(&mut self.turn);
        self.keep_stands(touched);
        effects
    }

    /// How it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    fn has_ended(&self) -> bool {
        !matches!(self.status, Status::Queued | Status::Running)
    }

    /// What it is pinned to.
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Gives a run a definition that a fork of it goes on with, before the `Forked` entry is accepted. A fork of
    /// a fork may want several, in any order.
    pub fn redefine(&mut self, definition: Arc<Definition>) {
        self.known.push(definition);
    }

    /// Whether the definition of these parts is its own, or one that it was given.
    pub(crate) fn knows(&self, parts: &[Part]) -> bool {
        std::iter::once(&self.definition).chain(&self.known).any(|it| it.parts() == parts)
    }

    /// The number of the next frame of the stream.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Its first entry, but for the state, which is empty here: see [`Run::state`].
    pub fn started(&self) -> Option<&Started> {
        self.started.as_ref()
    }

    /// When it began, in UTC. A fork began when it was made, and not when its origin did.
    pub fn started_at(&self) -> Micros {
        self.forked_at.unwrap_or(self.started_at)
    }

    /// When its first entry was made, in UTC: of a fork that was when its origin began.
    pub fn first_at(&self) -> Micros {
        self.started_at
    }

    /// When it last changed, in UTC; its end, once it has ended.
    pub fn updated_at(&self) -> Micros {
        self.now.at
    }

    /// Whether it has not ended, and nothing of it goes on before an event comes, or a wait is over.
    pub fn is_idle(&self) -> bool {
        self.is_running() && self.idle
    }

    /// The committed state: a JSON object.
    pub fn state(&self) -> Json {
        self.state.json()
    }

    /// The timers that are set, with what they are due at: for whoever takes the run over.
    pub fn timers(&self) -> impl Iterator<Item = (TimerId, Due)> {
        self.timers.iter()
    }

    /// The types of events that waits of it would take.
    pub fn awaited(&self) -> impl Iterator<Item = &str> {
        self.waiters.types().into_iter()
    }

    /// Whether instances of it were alive by its journal: whoever takes it over applies `Resumed`
    /// before anything else, and only then.
    pub fn needs_resume(&self) -> bool {
        self.is_running() && self.invocations.iter().any(|(_, invocation)| invocation.is_live())
    }

    /// Whether an invocation has been made and has not ended.
    pub(crate) fn is_in_flight(&self, invocation: InvocationId) -> bool {
        self.invocations.get(invocation).is_some()
    }

    /// What is in flight: each invocation with its step, and what that was given.
    pub fn in_flight(&self) -> impl Iterator<Item = (InvocationId, &Arc<str>, &Arc<[Event]>)> {
        self.invocations.iter().map(|(id, invocation)| (id, &self.plan[invocation.step].name, &invocation.events))
    }

    /// The recorded calls of an attempt in flight.
    pub(crate) fn log(&self, invocation: InvocationId, attempt: u32) -> Option<&Log> {
        self.invocations.get(invocation).filter(|it| it.attempt == attempt).map(|it| &it.log)
    }

    /// Answers a question about the state, as an attempt sees it that has buffered `own`.
    pub fn query(&self, query: &Query, own: &mut Overlay) -> Result<ReadAnswer, text::Refused> {
        query.answer(&self.state, self.next_seq, own)
    }

    /// A run that was put away, with the definition that it was put away without.
    pub(crate) fn with(self, definition: Arc<Definition>) -> Run {
        Run { plan: Plan::of(&definition), definition, ..self }
    }
}

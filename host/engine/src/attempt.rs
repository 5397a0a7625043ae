//! The guest's side of an attempt: answers its calls from the log, up to *recorded*, and says what
//! to ask of the run after it.
//!
//! As pure as the fold: whoever runs the guest carries a [`Step`] out, and brings back what came of it.

mod request;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::effect::Invoke;
use crate::entry::{Buffered, Call, Commit, Event, Failure, Function, InvocationId, Micros, Wait, WaitAnswer};
use crate::run::Run;

use request::Prepared;
pub use request::Request;

/// The run that a guest works for.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Its id.
    pub run: String,
    /// Its handler's id.
    pub handler: String,
    /// Its workflow's name.
    pub workflow: String,
    /// What all its chance comes from.
    pub seed: [u8; 32],
}

impl RunInfo {
    /// A UUID for an outside effect: the same over all entries and attempts of an invocation.
    pub fn idempotency_key(&self, invocation: InvocationId, label: &str) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("wf-host/{}/{invocation}/{label}", self.run).as_bytes()).to_string()
    }
}

/// What one attempt may ask for. A number past its limit is a failure of kind `limit`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest payload of an event, in bytes.
    pub payload_max: usize,
    /// Largest value in the state or a memo, in bytes.
    pub value_max: usize,
    /// Largest state of a run, in bytes.
    pub state_max: usize,
    /// Most events that one attempt may send or return.
    pub events_max: usize,
    /// Most recorded calls of one attempt.
    pub calls_max: u32,
}

/// What is to be done about a call.
#[derive(Clone, Debug)]
pub enum Step {
    /// Give this to the guest.
    Answer(Result<Answer, Failure>),
    /// Ask [`Run::query`], and bring what it says to [`Attempt::read`].
    Read {
        /// The question.
        query: Query,
        /// State writes that are not committed yet.
        own: Vec<Buffered>,
    },
    /// Report `StepProgressed`. The answer of its last call comes to [`Attempt::answered`]; where
    /// that call [suspends](Function::suspends), by entering the attempt again: drop the instance.
    Progress {
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed; none for a publish.
        commit: Option<Commit>,
    },
    /// The attempt has failed: drop the instance.
    Fail(Failure),
}

/// What a guest's call gives.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was done.
    Done,
    /// Of `wait`.
    Event(Event),
    /// Of `collect`: the batch, if it is complete.
    Batch(Option<Vec<Event>>),
    /// Of `get` and `look-up`.
    Value(Option<Arc<RawValue>>),
    /// Of `edit-begin`: the version, and what is there.
    Edit(u64, Option<Arc<RawValue>>),
    /// Of `edit-commit`: whether it was committed.
    Committed(bool),
    /// Of `write`: the number of the line. It is written again at re-entry, under the same one.
    Line(u32),
}

impl Answer {
    /// The event; a failure, as with the following, where the answer is of another kind.
    pub fn event(self) -> Result<Event, Failure> {
        if let Answer::Event(event) = self { Ok(event) } else { Err(other()) }
    }

    /// The batch.
    pub fn batch(self) -> Result<Option<Vec<Event>>, Failure> {
        if let Answer::Batch(batch) = self { Ok(batch) } else { Err(other()) }
    }

    /// The value.
    pub fn value(self) -> Result<Option<Arc<RawValue>>, Failure> {
        if let Answer::Value(value) = self { Ok(value) } else { Err(other()) }
    }

    /// The version, and what is there.
    pub fn edit(self) -> Result<(u64, Option<Arc<RawValue>>), Failure> {
        if let Answer::Edit(version, value) = self { Ok((version, value)) } else { Err(other()) }
    }

    /// Whether it was committed.
    pub fn committed(self) -> Result<bool, Failure> {
        if let Answer::Committed(committed) = self { Ok(committed) } else { Err(other()) }
    }
}

/// A question about the run's state.
#[derive(Clone, Debug)]
pub enum Query {
    /// The value at a path.
    Get {
        /// The path.
        path: String,
    },
    /// The version and the value.
    EditBegin {
        /// The path.
        path: String,
    },
    /// Whether the path can be written.
    CheckWrite {
        /// The path.
        path: String,
        /// How long the value's text is.
        size: usize,
        /// The largest state, in bytes.
        state_max: usize,
    },
}

/// Its answer.
#[derive(Clone, Debug)]
pub enum ReadAnswer {
    /// To `Get`.
    Value(Option<Arc<RawValue>>),
    /// To `EditBegin`.
    Edit(u64, Option<Arc<RawValue>>),
    /// To `CheckWrite`.
    Sound,
    /// To `CheckWrite`: the state would grow beyond its limit.
    TooLarge,
}

/// One entry into an attempt.
#[derive(Debug)]
pub struct Attempt {
    /// Whose.
    pub invocation: InvocationId,
    /// Which, from 0.
    pub attempt: u32,
    /// The step.
    pub step: Arc<str>,
    limits: Limits,
    /// When the last recorded call was answered.
    at: Micros,
    /// What is still to be answered from the log.
    log: VecDeque<Call>,
    /// The ordinal of the next call.
    next: u32,
    committed: u32,
    /// Calls since the last report.
    calls: Vec<Call>,
    /// Effects since the last commit.
    own: Vec<Buffered>,
    /// What an edit that conflicts gives back.
    committing: Vec<Buffered>,
    memos: BTreeMap<String, Arc<RawValue>>,
    sent: usize,
    /// The call that waits for `read`.
    pending: Option<Prepared>,
}

impl Attempt {
    /// As the fold wants it entered.
    pub fn new(invoke: Invoke, limits: Limits) -> Attempt {
        Attempt {
            invocation: invoke.invocation,
            attempt: invoke.attempt,
            step: invoke.step,
            limits,
            at: invoke.started_at,
            log: invoke.log.into(),
            next: 0,
            committed: invoke.committed,
            calls: Vec::new(),
            own: Vec::new(),
            committing: Vec::new(),
            memos: invoke.memos,
            sent: 0,
            pending: None,
        }
    }

    /// The guest's clock is not to stand before this.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// The guest calls, at a time on its clock.
    pub fn call(&mut self, request: Request, at: Micros) -> Step {
        self.at = self.at.max(at);
        self.sent += usize::from(matches!(request, Request::Send { .. }));
        if self.sent > self.limits.events_max {
            return Step::Fail(limit(format!("the step sent more than {} events", self.limits.events_max)));
        }
        let (identity, prepared) = request.prepare(&self.limits);
        if let Some(call) = self.log.pop_front() {
            return self.recorded(call, &identity, prepared.ok());
        }
        match prepared {
            Ok(Prepared { query: Some(query), function, effect }) => {
                self.pending = Some(Prepared { query: None, function, effect });
                let own = self.own.iter().filter(|effect| !matches!(effect, Buffered::Send { .. })).cloned().collect();
                Step::Read { query, own }
            }
            Ok(prepared) => self.act(prepared),
            Err(failure) => self.refuse(identity, failure),
        }
    }

    /// The run was asked, and says this; an error is a path that cannot be.
    pub fn read(&mut self, answer: Result<ReadAnswer, String>) -> Step {
        let Some(mut prepared) = self.pending.take() else { return Step::Fail(invalid("nothing was asked")) };
        let call = prepared.function.identity();
        match (answer, &mut prepared.function) {
            (Ok(ReadAnswer::Value(value)), Function::Get { answer, .. }) => *answer = value,
            (Ok(ReadAnswer::Edit(version, value)), Function::EditBegin { answer, .. }) => *answer = (version, value),
            (Ok(ReadAnswer::TooLarge), _) => {
                return self.refuse(call, limit(format!("the state would be larger than {} bytes", self.limits.state_max)));
            }
            (Ok(_), _) => (),
            (Err(message), _) => return self.refuse(call, invalid(&message)),
        }
        self.act(prepared)
    }

    /// The last reported call was answered.
    pub fn answered(&mut self, call: Call) -> Step {
        self.at = self.at.max(call.at);
        let committing = std::mem::take(&mut self.committing);
        // A conflict commits nothing, not even what was buffered.
        if matches!(call.function, Function::EditCommit { answer: Some(false), .. }) {
            self.own = committing;
        }
        Step::Answer(answer(call.function))
    }

    /// The step returned: what is reported, and the events, as far as they can be some.
    pub fn returned(&mut self, events: Vec<(String, String)>) -> Result<(Vec<Call>, Commit, Vec<Event>), Failure> {
        if events.len() > self.limits.events_max {
            return Err(limit(format!("the step returned more than {} events", self.limits.events_max)));
        }
        let events: Result<_, _> = events.into_iter().map(|(name, payload)| self.limits.event(name, payload)).collect();
        let events = events?;
        if let Some(call) = self.log.front() {
            return Err(nondeterministic(&call.function.identity(), "its end"));
        }
        Ok((std::mem::take(&mut self.calls), Commit { effects: std::mem::take(&mut self.own) }, events))
    }

    /// A call that was made at an earlier entry. The attempt fails when it was another one.
    fn recorded(&mut self, call: Call, identity: &str, prepared: Option<Prepared>) -> Step {
        let then = call.function.identity();
        if then != identity {
            return Step::Fail(nondeterministic(&then, identity));
        }
        self.at = self.at.max(call.at);
        self.next = call.ordinal + 1;
        let refused = matches!(call.function, Function::Refused { .. });
        if let Some(effect) = prepared.and_then(|it| it.effect).filter(|_| !refused && self.next > self.committed) {
            self.own.push(effect);
        }
        self.keep(&call.function);
        Step::Answer(match call.function {
            Function::Log => Ok(Answer::Line(call.ordinal)),
            function => answer(function),
        })
    }

    /// A call that nothing speaks against.
    fn act(&mut self, prepared: Prepared) -> Step {
        let Prepared { mut function, effect, .. } = prepared;
        if let Function::LookUp { name, answer } = &mut function {
            *answer = self.memos.get(name).cloned();
        }
        self.own.extend(effect);
        self.keep(&function);
        let ordinal = self.next;
        if let Err(failure) = self.note(function.clone()) {
            return Step::Fail(failure);
        }
        match function {
            Function::Log => Step::Answer(Ok(Answer::Line(ordinal))),
            function if function.is_commit_point() => {
                let effects = std::mem::take(&mut self.own);
                self.committing = if matches!(function, Function::EditCommit { .. }) { effects.clone() } else { Vec::new() };
                Step::Progress { calls: std::mem::take(&mut self.calls), commit: Some(Commit { effects }) }
            }
            Function::Publish { .. } => Step::Progress { calls: std::mem::take(&mut self.calls), commit: None },
            function => Step::Answer(answer(function)),
        }
    }

    fn refuse(&mut self, call: String, failure: Failure) -> Step {
        match self.note(Function::Refused { call, failure: failure.clone() }) {
            Ok(()) => Step::Answer(Err(failure)),
            Err(past) => Step::Fail(past),
        }
    }

    /// Records a call, to be reported with the next that is answered by the fold.
    fn note(&mut self, function: Function) -> Result<(), Failure> {
        if self.next >= self.limits.calls_max {
            return Err(limit(format!("the step made more than {} calls", self.limits.calls_max)));
        }
        self.calls.push(Call { ordinal: self.next, at: self.at, function });
        self.next += 1;
        Ok(())
    }

    fn keep(&mut self, function: &Function) {
        if let Function::Keep { name, value } = function {
            self.memos.insert(name.clone(), value.clone());
        }
    }
}

impl Run {
    /// Answers a question about the state, as an attempt sees it that has buffered `own`.
    pub fn query(&self, query: &Query, own: &[Buffered]) -> Result<ReadAnswer, String> {
        match query {
            Query::Get { path } => self.read(path, own).map(ReadAnswer::Value),
            Query::EditBegin { path } => self.edit_begin(path, own).map(|(version, value)| ReadAnswer::Edit(version, value)),
            Query::CheckWrite { size, state_max, .. } if !self.has_room(own, *size, *state_max) => Ok(ReadAnswer::TooLarge),
            Query::CheckWrite { path, .. } => self.check_write(path, own).map(|()| ReadAnswer::Sound),
        }
        .map_err(|error| error.to_string())
    }
}

/// What an answered call gives to the guest.
fn answer(function: Function) -> Result<Answer, Failure> {
    Ok(match function {
        Function::Refused { failure, .. } => return Err(failure),
        Function::Wait(Wait { answer: Some(WaitAnswer::Event(event)), .. }) => Answer::Event(event),
        Function::Wait(Wait { name, timeout, .. }) => {
            let message = format!("no {name} came within {:?} s", timeout.unwrap_or_default());
            return Err(Failure::new("timeout", message, true));
        }
        Function::Collect { answer, .. } => Answer::Batch(answer.flatten()),
        Function::Get { answer, .. } | Function::LookUp { answer, .. } => Answer::Value(answer),
        Function::EditBegin { answer: (version, value), .. } => Answer::Edit(version, value),
        Function::EditCommit { answer, .. } => Answer::Committed(answer.unwrap_or(false)),
        _ => Answer::Done,
    })
}

fn nondeterministic(then: &str, now: &str) -> Failure {
    let message = format!("nondeterministic step: where the call was `{then}` when it was recorded, it is `{now}` now");
    Failure::new("nondeterministic", message, false)
}

fn other() -> Failure {
    invalid("the call was answered as another one would be")
}

fn invalid(message: &str) -> Failure {
    Failure::new("invalid", message, false)
}

fn limit(message: String) -> Failure {
    Failure::new("limit", message, false)
}

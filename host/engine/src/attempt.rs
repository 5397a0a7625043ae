//! The guest's side of an attempt: answers its calls from the log, up to *recorded*, and says what
//! to ask of the run after it.
//!
//! As pure as the fold: whoever runs the guest carries a [`Next`] out, and brings back what came of it.

// Read in this order.
mod request;

mod options;

mod border;

mod reentry;

mod live;

mod query;

mod own;

mod unreported;

mod outside;

mod variables;

mod answer;

mod info;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::definition::Definition;
use crate::effect::{Invoke, Log, Memos, RetryInfo};
use crate::entry::{Buffered, Call, Commit, Event, Failure, Function, InvocationId, Micros, Told, Variables};
use crate::state::Overlay;
use crate::text::{Limit, MESSAGE_MAX, Refused, cut};

pub use answer::Answer;
use border::{Prepared, Sizes};
pub use info::RunInfo;
pub use outside::Outside;
use own::Own;
pub use query::{Query, ReadAnswer};
pub use request::Request;
use unreported::Unreported;
pub(crate) use unreported::is_large;

/// What one attempt may ask for. A number past its limit is a failure of kind `limit`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest payload of an event, in bytes.
    pub payload_max: usize,
    /// Largest value in the state or a memo, in bytes.
    pub value_max: usize,
    /// Largest state of a run, in bytes.
    pub state_max: usize,
    /// Most events that one entry into an attempt may send, or return. What was recorded before it does not count.
    pub events_max: usize,
    /// Most bytes that one entry into an attempt may hold back until it commits or reports: what it sends, writes and
    /// is told, and what it returns. Past it only a commit point may follow.
    pub buffered_max: usize,
    /// Most recorded calls of one attempt: all of them are kept for re-entry. Past it one more may follow, which
    /// commits what they have buffered.
    pub calls_max: u32,
}

/// What is to be done about a call.
#[derive(Debug)]
pub enum Next {
    /// Give this to the guest.
    Answer(Result<Answer, Failure>),
    /// Ask the run's state with [`Query::answer`], and bring what it says to [`Attempt::read`], and the overlay back with it.
    Read {
        /// The question.
        query: Query,
        /// State writes that are not committed yet.
        own: Overlay,
    },
    /// Report `StepProgressed`. The answer of its last call comes to [`Attempt::answered`]; where
    /// that call [suspends](Function::suspends), by entering the attempt again: drop the instance.
    Progress {
        /// The calls since the last report.
        calls: Vec<Call>,
        /// What is committed; none where the last call is no commit point.
        commit: Option<Commit>,
    },
    /// Reach the outside, and bring what came of it to [`Attempt::performed`] or [`Attempt::received`].
    Perform(Outside),
    /// The attempt has failed: drop the instance, and report `StepFailed` with [`Attempt::failed`].
    Fail(Failure),
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
    retry: RetryInfo,
    definition: Arc<Definition>,
    /// Where its clock stands at least.
    at: Micros,
    /// What is answered from the log.
    log: Log,
    /// The ordinal of the next call.
    next: u32,
    /// How many of the calls are committed.
    committed: u32,
    memos: Memos,
    /// Sends that this entry has made beyond the log.
    sent: usize,
    unreported: Unreported,
    own: Own,
    /// What an edit that conflicts gives back.
    committing: Option<Own>,
    /// The call that waits for `read`.
    asked: Option<Prepared>,
    /// What waits for `performed` or `received`.
    outside: Option<Outside>,
    /// The path of the exclusive edit that it is in.
    held: Option<String>,
    /// Requests whose bodies have more, and whether this entry made them.
    bodies: BTreeMap<u32, bool>,
    /// What it was told of its variables, once it has asked.
    variables: Option<Variables>,
}

impl Attempt {
    /// As the fold wants it entered.
    pub fn new(invoke: Invoke, limits: Limits) -> Attempt {
        Attempt {
            invocation: invoke.invocation,
            attempt: invoke.attempt,
            step: invoke.step,
            limits,
            retry: invoke.retry,
            definition: invoke.definition,
            at: invoke.started_at,
            log: invoke.log,
            next: 0,
            committed: invoke.committed,
            memos: invoke.memos,
            sent: 0,
            unreported: Unreported::default(),
            own: Own::default(),
            committing: None,
            asked: None,
            outside: None,
            held: None,
            bodies: BTreeMap::new(),
            variables: None,
        }
    }

    /// The guest's clock is not to stand before this.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// How many calls this entry has made.
    pub fn calls(&self) -> u32 {
        self.next
    }

    /// Whether more calls were recorded than this entry has made.
    pub fn has_recorded(&self) -> bool {
        (self.next as usize) < self.log.len()
    }

    /// Whether this call is the one that was recorded next; none: no more were.
    pub fn recorded(&self, request: &Request) -> Option<bool> {
        self.log.get(self.next as usize).map(|call| request.is(&call.function))
    }

    /// The guest calls, at a time on its clock.
    pub fn call(&mut self, request: Request, at: Micros) -> Next {
        self.at = self.at.max(at);
        if let Request::Variables { values } = &request
            && let Some(known) = self.known(values)
        {
            return Next::Answer(Ok(Answer::Variables(known)));
        }
        match self.log.get(self.next as usize).cloned() {
            Some(call) => self.again(call, request),
            None => self.live(request).unwrap_or_else(Next::Fail),
        }
    }

    /// The run's state was asked, and says this.
    pub fn read(&mut self, answer: Result<ReadAnswer, Refused>, own: Overlay) -> Next {
        self.own.seen = own;
        let Some(Prepared { mut function, effect, .. }) = self.asked.take() else { return Next::Fail(unsound("nothing was asked")) };
        let ordinal = self.next;
        let mut told = |value, seq, own| {
            let told = value_told(value);
            if let (Told::Value(_), false) = (&told, own) {
                self.unreported.tell_again(ordinal, seq);
            }
            told
        };
        match (answer, &mut function) {
            (Ok(ReadAnswer::Value { value, seq, own }), Function::Get { answer, .. }) => *answer = told(value, seq, own),
            (Ok(ReadAnswer::Edit { version: at, value, seq, own }), Function::EditBegin { version, answer, .. }) => {
                (*version, *answer) = (at, told(value, seq, own));
            }
            (Ok(_), _) => (),
            (Err(refused), function) => return self.refuse(function.identity(), refused.into()),
        }
        self.act(function, effect)
    }

    /// The last reported call was answered.
    pub fn answered(&mut self, call: Call) -> Next {
        self.stands(&call);
        if let Some(outside) = &self.outside {
            return Next::Perform(outside.clone());
        }
        match (self.committing.take(), &call.function) {
            // A conflict commits nothing, not even what was buffered.
            (Some(own), Function::EditCommit { answer: Some(false), .. }) => self.own = own,
            (_, function) if function.is_commit_point() => self.committed = self.next,
            _ => (),
        }
        answer::next(call, &self.log)
    }

    /// The clock stands where a call was answered. Of one that publishes the guest has not waited for an answer: its time is
    /// the run's, and the guest's clock stays where it was.
    fn stands(&mut self, call: &Call) {
        if !matches!(call.function, Function::Publish { .. }) {
            self.at = self.at.max(call.at);
        }
    }

    /// What the step returns is no list: of a fan-out it opens no scope. To be said before it returns.
    pub fn no_list(&mut self) {
        self.own.add(Buffered::NoList);
    }

    /// The step returned: what is reported, and the events, as far as they can be some.
    pub fn returned(&mut self, events: Vec<(String, String)>) -> Result<(Vec<Call>, Commit, Vec<Event>), Failure> {
        if let Some(call) = self.log.get(self.next as usize) {
            return Err(nondeterministic(call.function.identity(), "its end".to_owned()));
        }
        if events.len() > self.limits.events_max {
            return Err(limit(format!("the step returned more than {} events (limit events_max)", self.limits.events_max)));
        }
        if events.iter().map(|(_, payload)| payload.len()).sum::<usize>() > self.limits.buffered_max {
            return Err(limit(format!("the step returned more than {} bytes (limit buffered_max)", self.limits.buffered_max)));
        }
        let sizes = Sizes::of(&self.limits);
        let events = events.into_iter().map(|(name, payload)| sizes.event(&name, payload));
        let events = events.collect::<Result<_, _>>()?;
        Ok((self.unreported.last(), self.own.commit(), events))
    }

    /// The attempt failed: the calls since the last report.
    pub fn failed(&mut self) -> Vec<Call> {
        self.unreported.last()
    }
}

fn value_told(value: Option<crate::json::Json>) -> Told {
    value.map_or(Told::Nothing, Told::Value)
}

/// Longest text of a call in a failure's message.
const CALL_MAX: Limit = Limit { name: "call", max: 256 };

fn nondeterministic(then: String, now: String) -> Failure {
    let (then, now) = (cut(then, CALL_MAX), cut(now, CALL_MAX));
    let message = format!("nondeterministic step: where the call was `{then}` when it was recorded, it is `{now}` now");
    Failure::new("nondeterministic", message, false)
}

/// What was recorded, or brought back, cannot be.
fn unsound(message: impl Into<String>) -> Failure {
    Failure::new("invalid", cut(message.into(), MESSAGE_MAX), false)
}

fn limit(message: String) -> Failure {
    Failure::new("limit", message, false)
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::new(refused.kind, cut(refused.message, MESSAGE_MAX), false)
    }
}

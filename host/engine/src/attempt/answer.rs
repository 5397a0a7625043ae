//! What a guest's call gives.

use std::sync::Arc;

use super::{Next, unsound};
use crate::effect::Log;
use crate::entry::{Batch, Call, Chunk, Event, Failure, Function, Response, Told, Variables, Wait, WaitAnswer};
use crate::json::Json;
use crate::text::{MESSAGE_MAX, cut};

/// What a guest's call gives.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was done.
    Done,
    /// Of `wait`.
    Event(Event),
    /// Of `collect`: the batch, if it is complete.
    Batch(Option<Arc<[Event]>>),
    /// Of `get` and `look-up`.
    Value(Option<Json>),
    /// Of `edit-begin` and `edit-exclusive`: the version, and what is there.
    Edit(u64, Option<Json>),
    /// Of `edit-commit`: whether it was committed.
    Committed(bool),
    /// Of `write`: the number of the line. It is written again at re-entry, under the same one.
    Line(u32),
    /// Of a request to the outside: its number, for reads of the body, and what came of it.
    Response(u32, Response),
    /// Of a read of a body.
    Chunk(Chunk),
    /// The variables that the attempt has.
    Variables(Variables),
}

impl Answer {
    /// What a guest saw of a call, as [`crate::answers::answers`] tells it. The outer error is a call that has no
    /// answer yet; the inner one went to the guest.
    pub fn of(call: Call) -> Result<Result<Answer, Failure>, Failure> {
        answer(call, &Log::new_sync())
    }

    /// The event; a failure, as with the following, where the answer is of another kind.
    pub fn event(self) -> Result<Event, Failure> {
        if let Answer::Event(event) = self { Ok(event) } else { Err(other()) }
    }

    /// The batch.
    pub fn batch(self) -> Result<Option<Arc<[Event]>>, Failure> {
        if let Answer::Batch(batch) = self { Ok(batch) } else { Err(other()) }
    }

    /// The value.
    pub fn value(self) -> Result<Option<Json>, Failure> {
        if let Answer::Value(value) = self { Ok(value) } else { Err(other()) }
    }

    /// The version, and what is there.
    pub fn edit(self) -> Result<(u64, Option<Json>), Failure> {
        if let Answer::Edit(version, value) = self { Ok((version, value)) } else { Err(other()) }
    }

    /// Whether it was committed.
    pub fn committed(self) -> Result<bool, Failure> {
        if let Answer::Committed(committed) = self { Ok(committed) } else { Err(other()) }
    }

    /// The number of the request, and what came of it.
    pub fn response(self) -> Result<(u32, Response), Failure> {
        if let Answer::Response(request, response) = self { Ok((request, response)) } else { Err(other()) }
    }

    /// The variables.
    pub fn variables(self) -> Result<Variables, Failure> {
        if let Answer::Variables(values) = self { Ok(values) } else { Err(other()) }
    }

    /// What was read.
    pub fn chunk(self) -> Result<Chunk, Failure> {
        if let Answer::Chunk(chunk) = self { Ok(chunk) } else { Err(other()) }
    }
}

/// What an answered call gives to the guest. `log`: the calls that it can mean by [`Told::Same`].
pub(super) fn next(call: Call, log: &Log) -> Next {
    match answer(call, log) {
        Ok(answer) => Next::Answer(answer),
        Err(failure) => Next::Fail(failure),
    }
}

/// The outer error is a log that cannot be; the inner one is the guest's.
fn answer(call: Call, log: &Log) -> Result<Result<Answer, Failure>, Failure> {
    let unanswered = format!("`{}` was recorded, and has no answer", call.function.identity());
    let unanswered = || unsound(unanswered);
    Ok(Ok(match call.function {
        Function::Wait(wait) => return waited(*wait).ok_or_else(unanswered),
        Function::Collect { answer, .. } => match answer.ok_or_else(unanswered)? {
            Batch::Complete(events) => Answer::Batch(Some(events)),
            Batch::Incomplete => Answer::Batch(None),
        },
        Function::Get { answer, .. } | Function::LookUp { answer, .. } => Answer::Value(value(&answer, log)?),
        Function::EditBegin { version, answer, .. } => Answer::Edit(version, value(&answer, log)?),
        Function::EditExclusive { answer, .. } => {
            let (version, answer) = answer.ok_or_else(unanswered)?;
            Answer::Edit(version, value(&answer, log)?)
        }
        Function::EditCommit { answer, .. } => Answer::Committed(answer.ok_or_else(unanswered)?),
        Function::Log => Answer::Line(call.ordinal),
        Function::Request { answer, .. } => Answer::Response(call.ordinal, answer),
        Function::Read { answer, .. } => Answer::Chunk(answer),
        Function::Variables { values } => Answer::Variables(values),
        Function::Send { .. }
        | Function::Publish { .. }
        | Function::Set { .. }
        | Function::Push { .. }
        | Function::Delete { .. }
        | Function::Sleep { .. }
        | Function::Keep { .. }
        | Function::Commit => Answer::Done,
        Function::Refused { failure, .. } => return Ok(Err(failure)),
    }))
}

/// How a wait ended, for its guest.
fn waited(wait: Wait) -> Option<Result<Answer, Failure>> {
    Some(match wait.answer? {
        WaitAnswer::Event(event) => Ok(Answer::Event(event)),
        WaitAnswer::TimedOut => {
            let message = format!("no {} came within {:?} s", wait.types.join(" or "), wait.timeout.unwrap_or_default());
            Err(Failure::new("timeout", cut(message, MESSAGE_MAX), true))
        }
    })
}

/// What was told.
fn value(told: &Told, log: &Log) -> Result<Option<Json>, Failure> {
    match told {
        Told::Nothing => Ok(None),
        Told::Value(value) => Ok(Some(value.clone())),
        Told::Same(ordinal) => match log.get(*ordinal as usize).and_then(|call| call.function.value()) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(unsound(format!("a read gave the same as call {ordinal}, and that has no value"))),
        },
        Told::Before(_) => Err(unsound("a read of an attempt's last report was recorded in an attempt that goes on".to_owned())),
    }
}

fn other() -> Failure {
    Failure::new("invalid", "the call was answered as another one would be", false)
}

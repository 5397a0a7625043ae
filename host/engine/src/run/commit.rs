//! Both watermarks: what is recorded in the step log, and what of it is committed.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{Run, frames};
use crate::effect::Effect;
use crate::entry::{Buffered, Call, Commit, Event, Function, InvocationId};

impl Run {
    /// Appends to the step log, and to the stream what was published. What the fold does not
    /// read again is not kept: payloads of frames live in the stream.
    pub(super) fn record(&mut self, id: InvocationId, calls: &[Call]) {
        for call in calls {
            if let Function::Publish { event } = &call.function {
                self.publish(event.clone());
            }
        }
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        if !calls.is_empty() {
            invocation.crashes = 0;
        }
        invocation.log.extend(calls.iter().cloned().map(without_published));
    }

    /// Whether a call is an edit of what another attempt has changed since it began.
    pub(super) fn conflicts(&self, id: InvocationId, attempt: u32, function: &Function) -> bool {
        match function {
            Function::EditCommit { path, version, .. } => self.state.conflicts(path, *version, (id, attempt)),
            _ => false,
        }
    }

    /// Moves the watermark *committed* to where *recorded* is.
    pub(super) fn mark_committed(&mut self, id: InvocationId) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.committed = invocation.log.len() as u32;
        }
    }

    pub(super) fn commit_state(&mut self, id: InvocationId, attempt: u32, commit: &Commit) {
        let seq = self.seq();
        self.state.commit(&commit.effects, (id, attempt), seq);
    }

    pub(super) fn commit_sends(&mut self, commit: &Commit) {
        for (event, step) in sent(commit) {
            self.emit(event, step, None);
        }
    }

    /// Answers the last call, if it is one that the instance waits in. `conflict`: it is an edit
    /// that commits nothing.
    pub(super) fn answer(&mut self, id: InvocationId, function: &Function, conflict: bool) {
        match function {
            Function::Wait(wait) => self.wait(id, wait),
            Function::Sleep { duration, .. } => self.sleep(id, *duration),
            Function::Collect { id: buffer, expected, event, .. } => self.collect(id, buffer.as_deref(), expected, event),
            Function::EditCommit { path, value, .. } => self.edit(id, path, value, !conflict),
            Function::Keep { name, value } => self.keep(id, name, value),
            Function::Publish { .. } | Function::Commit => self.answer_last(id, |_| ()),
            _ => (),
        }
    }

    fn keep(&mut self, id: InvocationId, name: &str, value: &Arc<RawValue>) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.kept.memos.insert(name.to_owned(), value.clone());
        }
        self.answer_last(id, |_| ());
    }

    /// Ends an edit. Its own write comes after what was buffered before it.
    fn edit(&mut self, id: InvocationId, path: &str, value: &Arc<RawValue>, commits: bool) {
        let Some(attempt) = self.invocations.get(&id).map(|invocation| invocation.attempt) else { return };
        if commits {
            let set = Buffered::Set { path: path.to_owned(), value: value.clone() };
            self.commit_state(id, attempt, &Commit { effects: vec![set] });
        }
        self.answer_last(id, |function| {
            if let Function::EditCommit { answer, .. } = function {
                *answer = Some(commits);
            }
        });
    }

    /// Fills in the answer of the last call, and lets the instance go on.
    pub(super) fn answer_last(&mut self, id: InvocationId, fill: impl FnOnce(&mut Function)) {
        let Some(attempt) = self.fill_last(id, fill) else { return };
        let call = self.invocations.get(&id).and_then(|invocation| invocation.log.last().cloned());
        self.turn.effects.extend(call.map(|call| Effect::Answer { invocation: id, attempt, call }));
    }

    /// Fills in the answer of the last call, as of now.
    pub(super) fn fill_last(&mut self, id: InvocationId, fill: impl FnOnce(&mut Function)) -> Option<u32> {
        let invocation = self.invocations.get_mut(&id)?;
        let call = invocation.log.last_mut()?;
        call.at = call.at.max(self.at);
        fill(&mut call.function);
        Some(invocation.attempt)
    }
}

/// What a commit sends, and to which step.
pub(super) fn sent(commit: &Commit) -> impl Iterator<Item = (&Event, Option<&str>)> {
    commit.effects.iter().filter_map(|effect| match effect {
        Buffered::Send { event, step } => Some((event, step.as_deref())),
        _ => None,
    })
}

/// A call as the step log keeps it: what it publishes is part of no identity.
fn without_published(mut call: Call) -> Call {
    match &mut call.function {
        Function::Publish { event } => event.payload = frames::empty(),
        Function::Wait(wait) => wait.request = None,
        _ => (),
    }
    call
}

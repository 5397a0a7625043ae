//! Both watermarks: what is recorded in the step log, and what of it is committed.

use super::Run;
use super::place::Place;
use crate::entry::{Buffered, Call, Commit, Event, Function, InvocationId};
use crate::json;

impl Run {
    /// Appends to the step log, and to the stream what was published. What the fold does not
    /// read again is not kept: payloads of frames live in the stream.
    pub(super) fn record(&mut self, id: InvocationId, calls: Vec<Call>) {
        if !calls.is_empty() {
            self.invocations[id].crashes = 0;
        }
        for call in calls {
            if let Function::Publish { event } = &call.function {
                self.publish_of(id, event.clone());
            }
            self.invocations[id].record(without_published(call));
        }
    }

    /// Moves the watermark *committed* to where *recorded* is.
    pub(super) fn mark_committed(&mut self, id: InvocationId) {
        let invocation = &mut self.invocations[id];
        invocation.committed = invocation.log.len() as u32;
    }

    pub(super) fn commit(&mut self, id: InvocationId, commit: &Commit) {
        self.commit_state(id, &commit.effects);
        self.note_sent(id, commit);
        self.commit_sends(commit);
    }

    pub(super) fn commit_state(&mut self, id: InvocationId, effects: &[Buffered]) {
        let (attempt, seq) = (self.invocations[id].attempt, self.seq());
        self.state.commit(effects, (id, attempt), seq);
    }

    pub(super) fn commit_sends(&mut self, commit: &Commit) {
        for (event, step) in commit.sends() {
            self.emit(event, step, Place::default());
        }
    }
}

impl Commit {
    /// What it sends, and to which step.
    pub(crate) fn sends(&self) -> impl Iterator<Item = (&Event, Option<&str>)> {
        self.effects.iter().filter_map(|effect| match effect {
            Buffered::Send { event, step } => Some((event, step.as_deref())),
            _ => None,
        })
    }

    /// Whether what is returned with it is no list.
    pub(crate) fn is_no_list(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Buffered::NoList))
    }
}

/// A call as the step log keeps it: what it publishes is part of no identity.
fn without_published(mut call: Call) -> Call {
    match &mut call.function {
        Function::Publish { event } => event.payload = json::empty(),
        Function::Wait(wait) => wait.request = None,
        _ => (),
    }
    call
}

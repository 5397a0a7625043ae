//! What the fold answers: the last call of a report, if the instance waits in it.

use super::Run;
use super::invocation::OTHER;
use crate::entry::{Batch, Buffered, Event, Function, InvocationId, calls};

impl Run {
    /// `conflict`: the call is an edit that commits nothing.
    pub(super) fn answer(&mut self, id: InvocationId, function: &Function, conflict: bool) {
        match function {
            Function::Wait(wait) => self.wait(id, wait),
            Function::Sleep { duration, .. } => self.sleep(id, *duration),
            Function::EditExclusive { path, .. } => self.edit_exclusive(id, path),
            Function::Collect { id: buffer, expected, event, .. } => self.collect(id, buffer.as_deref(), expected, event),
            Function::EditCommit { path, .. } => self.edit(id, path, function.edit().filter(|_| !conflict)),
            Function::Keep { name, value } => {
                self.invocations[id].kept.memos.insert_mut(name.clone(), value.clone());
                self.answer_last(id, |_| ());
            }
            // Nothing is to be filled in: the instance goes on.
            Function::Send { .. }
            | Function::Publish { .. }
            | Function::Get { .. }
            | Function::Set { .. }
            | Function::Push { .. }
            | Function::Delete { .. }
            | Function::EditBegin { .. }
            | Function::LookUp { .. }
            | Function::Log
            | Function::Commit
            | Function::Request { .. }
            | Function::Read { .. }
            | Function::Variables { .. }
            | Function::Refused { .. } => self.answer_last(id, |_| ()),
        }
    }

    /// Whether a call is an edit of what another attempt has changed since it began, or has to itself now.
    pub(super) fn conflicts(&self, id: InvocationId, function: &Function) -> bool {
        // No other call can conflict.
        let Function::EditCommit { path, version, .. } = function else { return false };
        if self.exclusives.held(id) == Some(path) {
            return false;
        }
        let by = (id, self.invocations[id].attempt);
        self.exclusives.is_held_by_another(path, id) || self.state.conflicts(path, *version, by)
    }

    /// Ends an edit. Its own write comes after what was buffered before it; none: it commits nothing.
    fn edit(&mut self, id: InvocationId, path: &str, write: Option<Buffered>) {
        let commits = write.is_some();
        self.commit_state(id, write.as_slice());
        let answered = |function: &mut Function| {
            let Function::EditCommit { answer, .. } = function else { unreachable!("{OTHER}") };
            *answer = Some(commits);
        };
        if self.exclusives.is_held_by_another(path, id) {
            self.fill_last(id, answered);
            return self.exclusives.put_off(id, path);
        }
        self.answer_last(id, answered);
        if self.exclusives.held(id) == Some(path) {
            self.release_exclusive(id);
        }
    }

    /// Adds an event, once per invocation and call, and answers with the batch if it is complete,
    /// or if the invocation has it from before.
    fn collect(&mut self, id: InvocationId, buffer: Option<&str>, expected: &[(String, u32)], event: &Event) {
        let buffer = calls::buffer(buffer, expected);
        let invocation = &mut self.invocations[id];
        let call = invocation.occurrence(&format!("collect {buffer}"));
        if invocation.kept.added.insert(call.clone())
            && let Some(batch) = self.buffers.add(invocation.step, &buffer, event.clone(), expected)
        {
            invocation.kept.batches.insert(call.clone(), batch.into());
        }
        let batch = invocation.kept.batches.get(&call).cloned().map_or(Batch::Incomplete, Batch::Complete);
        self.answer_last(id, |function| {
            let Function::Collect { answer, .. } = function else { unreachable!("{OTHER}") };
            *answer = Some(batch);
        });
    }
}

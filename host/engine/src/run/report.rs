//! What the instances report.

use super::invocation::{Invocation, Phase};
use super::{Run, frames};
use crate::effect::Effect;
use crate::entry::{Call, Commit, Event, InvocationId};

impl Run {
    /// Calls were made, and the instance waits for the answer of the last.
    pub(super) fn progressed(&mut self, id: InvocationId, attempt: u32, calls: &[Call], commit: Option<&Commit>) {
        let Some(Call { function, .. }) = calls.last().filter(|_| self.expects(id, attempt, calls)) else { return };
        if let Some(failure) = self.forbidden(id, calls, commit, &[]) {
            self.turn.effects.push(Effect::Abort { invocation: id, attempt });
            return self.failed(id, &failure);
        }
        let conflict = self.conflicts(id, attempt, function);
        self.record(id, calls);
        if !conflict && let Some(commit) = commit {
            self.commit_state(id, attempt, commit);
            self.commit_sends(commit);
        }
        if !conflict && (commit.is_some() || function.is_commit_point()) {
            self.mark_committed(id);
        }
        self.answer(id, function, conflict);
    }

    /// An attempt ended well.
    pub(super) fn returned(&mut self, id: InvocationId, attempt: u32, calls: &[Call], commit: &Commit, events: &[Event]) {
        if !self.expects(id, attempt, calls) {
            return;
        }
        if let Some(failure) = self.forbidden(id, calls, Some(commit), events) {
            return self.failed(id, &failure);
        }
        self.record(id, calls);
        self.commit_state(id, attempt, commit);
        let Some(invocation) = self.end(id, events.last()) else { return };
        if let Some(stop) = events.iter().position(|event| self.definition.is_terminal(&event.name)) {
            let asked = events[..stop].iter().filter(|event| self.is_input_required(event)).cloned();
            asked.collect::<Vec<_>>().into_iter().for_each(|event| self.publish(event));
            return self.complete(&events[stop]);
        }
        self.commit_sends(commit);
        self.emit_returned(&invocation, events);
    }

    /// Routes what was returned, before its invocation leaves its scope.
    fn emit_returned(&mut self, invocation: &Invocation, events: &[Event]) {
        let opened = self.steps[invocation.step].fan_out.then(|| self.open_scope(invocation.step, invocation.scope));
        for event in events {
            self.emit(event, None, opened.or(invocation.scope));
        }
        self.leave_scope(opened);
        self.leave_scope(invocation.scope);
    }

    /// Takes an invocation out whose last attempt ended.
    pub(super) fn end(&mut self, id: InvocationId, output: Option<&Event>) -> Option<Invocation> {
        self.publish_ended(id, output);
        self.free_slot(id);
        self.invocations.remove(&id)
    }

    /// Says that an attempt is not running any more.
    pub(super) fn publish_ended(&mut self, id: InvocationId, output: Option<&Event>) {
        let Some(invocation) = self.invocations.get(&id) else { return };
        let step = &self.steps[invocation.step];
        let frame = frames::step_state(step, invocation, frames::StepState::NotRunning, output);
        self.publish(frame);
    }

    /// Whether a report goes on where the step log ends: not late, and not heard before.
    fn expects(&self, id: InvocationId, attempt: u32, calls: &[Call]) -> bool {
        let Some(invocation) = self.invocations.get(&id) else { return false };
        let executing = matches!(invocation.phase, Phase::Executing { .. }) && invocation.attempt == attempt;
        let ordinals = invocation.log.len()..;
        executing && calls.iter().zip(ordinals).all(|(call, ordinal)| call.ordinal as usize == ordinal)
    }
}

//! What the instances report.

use super::Run;
use super::history::Ended;
use super::invocation::{Activity, Invocation};
use super::place::Place;
use crate::effect::Effect;
use crate::entry::{Call, Commit, Event, InvocationId};

impl Run {
    /// Calls were made, and the instance waits for the answer of the last.
    pub(super) fn progressed(&mut self, id: InvocationId, attempt: u32, calls: &[Call], commit: Option<&Commit>) {
        let Some(Call { function, .. }) = calls.last().filter(|_| self.expects(id, attempt, calls)) else { return };
        if let Some(failure) = self.forbidden(id, calls, commit, &[]) {
            self.push(Effect::Abort { invocation: id, attempt });
            return self.fail_attempt(id, &failure);
        }
        let conflict = self.conflicts(id, function);
        self.record(id, calls);
        if let Some(commit) = commit.filter(|_| !conflict) {
            self.commit(id, commit);
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
            return self.fail_attempt(id, &failure);
        }
        self.record(id, calls);
        self.commit_state(id, &commit.effects);
        self.note_sent(id, commit);
        self.note_ended(id, Ended::Returned(events.iter().map(|event| event.name.clone()).collect()));
        let invocation = self.end_invocation(id, events.last());
        match events.iter().position(|event| self.definition.is_terminal(&event.name)) {
            Some(stop) => self.stop(commit, &events[..stop], &events[stop]),
            None => {
                self.commit_sends(commit);
                self.emit_returned(&invocation, events);
            }
        }
    }

    /// Ends the run with a stop event. What was asked before it is still shown.
    fn stop(&mut self, commit: &Commit, before: &[Event], stop: &Event) {
        let sent = commit.sends().map(|(event, _)| event);
        let asked: Vec<Event> = sent.chain(before).filter(|event| self.is_input_required(event)).cloned().collect();
        asked.into_iter().for_each(|event| self.publish(event));
        self.complete(stop);
    }

    /// Routes what was returned, before its invocation leaves its scope.
    fn emit_returned(&mut self, invocation: &Invocation, events: &[Event]) {
        let opened = self.plan[invocation.step].fan_out.then(|| self.open_scope(invocation.step, invocation.place));
        for (index, event) in (0..).zip(events) {
            let place = opened.map_or(invocation.place, |scope| Place { scope: Some(scope), index });
            self.emit(event, None, place);
        }
        self.leave_scope(opened);
        self.leave_scope(invocation.place.scope);
    }

    /// Whether a report goes on where the step log ends: not late, and not heard before.
    fn expects(&self, id: InvocationId, attempt: u32, calls: &[Call]) -> bool {
        let Some(invocation) = self.invocations.get(id) else { return false };
        let executing = matches!(invocation.activity, Activity::Executing { .. }) && invocation.attempt == attempt;
        let ordinals = invocation.log.len()..;
        executing && calls.iter().zip(ordinals).all(|(call, ordinal)| call.ordinal as usize == ordinal)
    }
}

//! What the instances report.

use super::Run;
use super::forbidden::Declared;
use super::history::Ended;
use super::invocation::{Activity, Invocation};
use super::place::Place;
use crate::effect::Effect;
use crate::entry::{Call, Commit, Event, Failure, InvocationId, Usage};
use crate::text::Limit;

impl Run {
    /// Calls were made, and the instance waits for the answer of the last.
    pub(super) fn progressed(&mut self, id: InvocationId, attempt: u32, calls: &[Call], commit: Option<&Commit>, usage: &Usage) {
        if !self.expects(id, attempt, calls) {
            return;
        }
        if !self.counts_alive() {
            self.invocations[id].uses(usage.cpu);
        }
        // A report of no call asks for no answer.
        let Some(Call { function, .. }) = calls.last() else { return };
        let conflict = self.conflicts(id, function);
        if let Some(failure) = self.forbidden(id, calls, commit, &[], conflict) {
            self.push(Effect::Abort { invocation: id, attempt });
            return self.fail_attempt(id, &failure);
        }
        self.record(id, self.with_reads(calls));
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
        let conflict = calls.last().is_some_and(|call| self.conflicts(id, &call.function));
        if let Some(failure) = self.forbidden(id, calls, Some(commit), events, conflict) {
            return self.fail_attempt(id, &failure);
        }
        self.record(id, calls.to_vec());
        self.commit_state(id, &commit.effects);
        self.note_sent(id, commit);
        self.note_ended(id, Ended::Returned(events.iter().map(|event| event.name.clone()).collect()));
        let invocation = self.end_invocation(id, events.last());
        match events.iter().position(|event| self.definition.is_terminal(&event.name)) {
            Some(stop) => self.stop(commit, &events[..stop], &events[stop]),
            None => {
                self.commit_sends(commit);
                self.emit_returned(&invocation, commit, events);
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
    fn emit_returned(&mut self, invocation: &Invocation, commit: &Commit, events: &[Event]) {
        let fans_out = self.plan[invocation.step].fan_out && !commit.is_no_list();
        let opened = fans_out.then(|| self.open_scope(invocation.step, invocation.place));
        for (index, event) in (0..).zip(events) {
            let place = opened.map_or(invocation.place, |scope| Place { scope: Some(scope), index });
            self.emit(event, None, place);
        }
        self.leave_scope(opened);
        self.leave_scope(invocation.place.scope);
    }

    /// Whether a report goes on where the step log ends: not late, and not heard before.
    fn expects(&self, id: InvocationId, attempt: u32, calls: &[Call]) -> bool {
        self.invocations.get(id).is_some_and(|invocation| {
            let executing = matches!(invocation.activity, Activity::Executing { .. }) && invocation.attempt == attempt;
            let ordinals = invocation.log.len()..;
            executing && calls.iter().zip(ordinals).all(|(call, ordinal)| call.ordinal as usize == ordinal)
        })
    }

    /// `conflict`: the last call is an edit that commits nothing.
    fn forbidden(&self, id: InvocationId, calls: &[Call], commit: Option<&Commit>, events: &[Event], conflict: bool) -> Option<Failure> {
        let additional = self.started.as_ref().map_or(&[][..], |started| &started.additional_events);
        let step = &self.plan[self.invocations[id].step].name;
        let declared = Declared { definition: &self.definition, additional, step };
        declared.forbids(calls, commit, events).or_else(|| if conflict { None } else { self.too_large(calls, commit) })
    }

    /// Each attempt keeps to the limit by what it sees; what several write at once is seen only here.
    fn too_large(&self, calls: &[Call], commit: Option<&Commit>) -> Option<Failure> {
        let max = usize::try_from(self.started.as_ref()?.state_max?).unwrap_or(usize::MAX);
        let edit = calls.last().and_then(|call| call.function.edit());
        let effects = commit.into_iter().flat_map(|commit| &commit.effects).chain(&edit);
        let refused = || Limit { name: "state_max", max }.exceeded("the state, with what others have written,");
        self.state.outgrows(effects, max).then(|| refused().into())
    }
}

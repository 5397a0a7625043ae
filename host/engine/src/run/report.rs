//! What the instances report.

use crate::effect::Effect;
use crate::entry::{Buffered, Call, Commit, Event, Failure, Function, InvocationId};

use super::invocation::{Invocation, Phase};
use super::{Run, fail, frames};

impl Run {
    /// Calls were made, and the instance waits for the answer of the last.
    pub(super) fn progressed(&mut self, id: InvocationId, attempt: u32, calls: &[Call], commit: Option<&Commit>) {
        if calls.is_empty() || !self.expects(id, attempt, calls) {
            return;
        }
        if let Some(failure) = self.forbidden(id, calls, commit, &[]) {
            self.turn.effects.push(Effect::Abort { invocation: id, attempt });
            return self.failed(id, &failure);
        }
        let conflict = self.conflicts(id, attempt, calls);
        self.record(id, calls);
        if !conflict && let Some(commit) = commit {
            self.commit_state(id, attempt, commit);
            self.commit_sends(commit);
        }
        let commits = commit.is_some() || calls.last().is_some_and(|call| call.function.is_commit_point());
        if commits && !conflict {
            self.mark_committed(id);
        }
        self.answer(id, conflict);
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

    /// What no step may do: it fails the attempt, and nothing of the report is committed.
    fn forbidden(&self, id: InvocationId, calls: &[Call], commit: Option<&Commit>, events: &[Event]) -> Option<Failure> {
        let step = &self.steps[self.invocations.get(&id)?.step];
        let is_stop = |event: &&Event| self.definition.is_terminal(&event.name);
        if let Some(event) = calls.iter().filter_map(|call| published(&call.function)).find(is_stop) {
            return Some(fail::stop_not_returned(&step.name, "published", &event.name));
        }
        if let Some(event) = commit.into_iter().flat_map(sent).map(|(event, _)| event).find(is_stop) {
            return Some(fail::stop_not_returned(&step.name, "sent", &event.name));
        }
        let event = events.iter().find(|event| !self.may_return(&step.name, &event.name))?;
        Some(fail::undeclared(&step.name, &event.name))
    }

    /// Whether a step's manifest declares that it returns a type, or one that it derives from.
    fn may_return(&self, step: &str, name: &str) -> bool {
        let bases = self.definition.types(name);
        let emits = self.definition.step(step).map_or(&[][..], |step| &step.emits);
        emits.iter().any(|emitted| emitted == name || bases.contains(&emitted.as_str()))
    }

    /// Appends to the step log, and to the stream what was published. What the fold does not
    /// read again is not kept: payloads of frames live in the stream.
    fn record(&mut self, id: InvocationId, calls: &[Call]) {
        for event in calls.iter().filter_map(|call| match &call.function {
            Function::Publish { event } => Some(event),
            _ => None,
        }) {
            self.publish(event.clone());
        }
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        if !calls.is_empty() {
            invocation.crashes = 0;
        }
        invocation.log.extend(calls.iter().cloned().map(without_published));
    }

    /// Whether the last call is an edit of what another attempt has changed since it began.
    fn conflicts(&self, id: InvocationId, attempt: u32, calls: &[Call]) -> bool {
        match calls.last().map(|call| &call.function) {
            Some(Function::EditCommit { path, version, .. }) => self.state.conflicts(path, *version, (id, attempt)),
            _ => false,
        }
    }

    /// Moves the watermark *committed* to where *recorded* is.
    fn mark_committed(&mut self, id: InvocationId) {
        if let Some(invocation) = self.invocations.get_mut(&id) {
            invocation.committed = invocation.log.len() as u32;
        }
    }

    fn commit_state(&mut self, id: InvocationId, attempt: u32, commit: &Commit) {
        let seq = self.seq();
        self.state.commit(&commit.effects, (id, attempt), seq);
    }

    fn commit_sends(&mut self, commit: &Commit) {
        for (event, step) in sent(commit) {
            self.emit(event, step, None);
        }
    }

    /// Answers the last call, if it is one that the instance waits in. `conflict`: it is an edit
    /// that commits nothing.
    fn answer(&mut self, id: InvocationId, conflict: bool) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        let Some(call) = invocation.log.last() else { return };
        match call.function.clone() {
            Function::Wait(wait) => self.wait(id, &wait),
            Function::Sleep { duration, .. } => self.sleep(id, duration),
            Function::Collect { id: buffer, expected, event, .. } => self.collect(id, buffer.as_deref(), &expected, &event),
            Function::EditCommit { path, value, .. } => self.edit(id, path, value, !conflict),
            Function::Keep { name, value } => {
                invocation.kept.memos.insert(name, value);
                self.answer_last(id, |_| ());
            }
            Function::Publish { .. } | Function::Commit => self.answer_last(id, |_| ()),
            _ => (),
        }
    }

    /// Ends an edit. Its own write comes after what was buffered before it.
    fn edit(&mut self, id: InvocationId, path: String, value: std::sync::Arc<serde_json::value::RawValue>, commits: bool) {
        let Some(attempt) = self.invocations.get(&id).map(|invocation| invocation.attempt) else { return };
        if commits {
            self.commit_state(id, attempt, &Commit { effects: vec![Buffered::Set { path, value }] });
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
fn sent(commit: &Commit) -> impl Iterator<Item = (&Event, Option<&str>)> {
    commit.effects.iter().filter_map(|effect| match effect {
        Buffered::Send { event, step } => Some((event, step.as_deref())),
        _ => None,
    })
}

/// What a call publishes.
fn published(function: &Function) -> Option<&Event> {
    match function {
        Function::Publish { event } => Some(event),
        Function::Wait(wait) => wait.request.as_ref(),
        _ => None,
    }
}

/// A call as the journal would give it back.
fn without_published(mut call: Call) -> Call {
    if let Function::Publish { event } = &mut call.function {
        event.payload = frames::empty();
    }
    call
}

//! Where an event goes: to who waits for it, and to the steps that accept it; or into the inbox.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Run;
use super::place::Place;
use crate::entry::{Event, InvocationId, WaitAnswer};
use crate::manifest::{EventKind, Join};

/// An event that nobody took.
#[derive(Debug)]
pub(super) struct Unhandled {
    pub name: Arc<str>,
    pub step: Option<String>,
}

/// Why an event from outside is not accepted now. Asked before it becomes an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing takes it now, and as many as may be are kept already.
    InboxFull,
    /// It is directed at an invocation that does not wait for it.
    NotWaiting(InvocationId),
}

impl Run {
    /// Whether an event from outside can be accepted: routed, or kept for a wait to come.
    pub fn refuses(&self, event: &Event, step: Option<&str>, invocation: Option<InvocationId>) -> Option<Refusal> {
        if let Some(id) = invocation {
            let bases = self.definition.bases(&event.name);
            let waits = self.is_at(id, step) && self.waiters.would_take(id, &event.name, &bases, &event.payload);
            return (!waits).then_some(Refusal::NotWaiting(id));
        }
        let kept = self.may_be_waited_for(&event.name) && !self.inbox.has_room(event) && !self.is_taken(event, step);
        kept.then_some(Refusal::InboxFull)
    }

    /// An event from outside. One that nothing takes now is kept, if a wait could take it.
    pub(super) fn received(&mut self, event: &Event, step: Option<&str>, invocation: Option<InvocationId>) {
        if invocation.is_some() {
            self.answer_waiters(event, step, invocation);
            return;
        }
        let waiting = self.waiters.len();
        if !self.route(event, step, Place::default()) {
            if self.may_be_waited_for(&event.name) {
                self.inbox.keep(event, step);
            }
            self.unhandled(event, step);
        } else if waiting == self.waiters.len() && self.definition.kind(&event.name) == Some(EventKind::HumanResponse) {
            self.questions.answered();
        }
    }

    /// An event that a step returned or sent, or that the run starts with.
    pub(super) fn emit(&mut self, event: &Event, step: Option<&str>, place: Place) {
        let asks = self.is_input_required(event);
        if asks {
            self.ask(event.clone());
        }
        // The outside takes what is asked of it.
        if !self.route(event, step, place) && !asks {
            self.unhandled(event, step);
        }
    }

    /// Gives an event to every waiter that it answers, and to every step that accepts it and
    /// has no such waiter; `target`: to that step only. Whether anybody took it.
    fn route(&mut self, event: &Event, target: Option<&str>, place: Place) -> bool {
        let waited = self.answer_waiters(event, target, None);
        let mut taken = !waited.is_empty();
        let definition = self.definition.clone();
        for &step in definition.accepting(&event.name) {
            if self.is_target(step, target) && !waited.contains(&step) {
                taken |= self.deliver(step, event, place);
            }
        }
        taken
    }

    /// The steps whose waiters it answers; `only`: of these, that one.
    fn answer_waiters(&mut self, event: &Event, target: Option<&str>, only: Option<InvocationId>) -> BTreeSet<usize> {
        let mut steps = BTreeSet::new();
        for id in self.waiters.find(&event.name, &self.definition.bases(&event.name), &event.payload) {
            if only.is_none_or(|only| only == id) && self.is_at(id, target) {
                steps.insert(self.invocations[id].step);
                self.end_wait(id, WaitAnswer::Event(event.clone()));
            }
        }
        steps
    }

    /// Whether routing would find somebody. What comes from outside is in no scope, and so is for no all-join.
    fn is_taken(&self, event: &Event, target: Option<&str>) -> bool {
        let waiters = self.waiters.find(&event.name, &self.definition.bases(&event.name), &event.payload);
        let mut steps = self.definition.accepting(&event.name).iter();
        let takes = |step: usize| self.is_target(step, target) && self.plan[step].join != Some(Join::All);
        waiters.into_iter().any(|id| self.is_at(id, target)) || steps.any(|&step| takes(step))
    }

    fn is_target(&self, step: usize, target: Option<&str>) -> bool {
        target.is_none_or(|target| *target == *self.plan[step].name)
    }

    fn is_at(&self, id: InvocationId, target: Option<&str>) -> bool {
        self.invocations.get(id).is_some_and(|invocation| self.is_target(invocation.step, target))
    }

    fn unhandled(&mut self, event: &Event, step: Option<&str>) {
        self.turn.unhandled.push(Unhandled { name: event.name.clone(), step: step.map(str::to_owned) });
    }
}

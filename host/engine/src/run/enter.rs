//! How an invocation comes about, and how its attempts are entered.

use super::Run;
use super::frames::{StepState, StepStateChanged};
use super::invocation::Activity;
use super::place::Place;
use crate::effect::{Effect, Frame, Invoke};
use crate::entry::{Event, InvocationId};

impl Run {
    /// Makes an invocation, which queues.
    pub(super) fn invoke(&mut self, step: usize, events: Vec<Event>, place: Place) {
        let id = self.invocations.add(step, events, place);
        self.scopes.enter(place.scope);
        self.turn.arrived.push(id);
        self.requeue(id);
    }

    /// Lets an invocation queue, ahead of those that arrived after it.
    pub(super) fn requeue(&mut self, id: InvocationId) {
        self.now_does(id, Activity::Queued);
        self.steps.queue(self.invocations[id].step, id);
    }

    pub(super) fn free_slot(&mut self, id: InvocationId) {
        let invocation = &mut self.invocations[id];
        if let Some(slot) = invocation.slot.take() {
            self.steps.free(invocation.step, slot);
        }
    }

    /// Lets in who waits, as far as there are slots.
    pub(super) fn fill_slots(&mut self) {
        for step in 0..self.plan.len() {
            while let Some((id, slot)) = self.steps.let_in(step) {
                self.invocations[id].slot = Some(slot);
                self.publish_step_state(id, StepState::Running, None);
                self.enter(id);
            }
        }
    }

    /// Enters an attempt that has a slot, with a fresh instance.
    pub(super) fn enter(&mut self, id: InvocationId) {
        self.push_invoke(id, false);
    }

    /// Enters an attempt whose instance was lost while it worked.
    pub(super) fn enter_again(&mut self, id: InvocationId) {
        self.push_invoke(id, true);
    }

    fn push_invoke(&mut self, id: InvocationId, lost: bool) {
        self.now_does(id, Activity::Executing { since: self.now.alive });
        let (at, invocation) = (self.now.at, &mut self.invocations[id]);
        invocation.first_at.get_or_insert(at);
        let started_at = *invocation.started_at.get_or_insert(at);
        invocation.used_before = invocation.used;
        let planned = &self.plan[invocation.step];
        let invoke = Invoke {
            invocation: id,
            attempt: invocation.attempt,
            step: planned.name.clone(),
            component: planned.component,
            events: invocation.events.clone(),
            started_at,
            log: invocation.log.clone(),
            committed: invocation.committed,
            memos: invocation.kept.memos.clone(),
            retry: invocation.retry_info(),
            definition: self.definition.clone(),
            time_left: planned.timeout.map(|timeout| timeout.saturating_sub(invocation.used)),
            lost,
        };
        self.push(Effect::Invoke(Box::new(invoke)));
    }

    /// Changes what an invocation does.
    pub(super) fn now_does(&mut self, id: InvocationId, activity: Activity) {
        let counts_alive = self.counts_alive();
        let invocation = &mut self.invocations[id];
        if counts_alive {
            invocation.pause(self.now.alive);
        }
        invocation.activity = activity;
        self.turn.touched.insert(id);
    }

    /// Whether a step's timeout counts the time that it was in an instance: by rules 1. Those after it count what its
    /// entries say that they computed.
    pub(super) fn counts_alive(&self) -> bool {
        !self.follows_rules(2)
    }

    /// Whether the run began by these rules, or by later ones.
    pub(super) fn follows_rules(&self, number: u32) -> bool {
        self.started.as_ref().is_none_or(|started| started.rules >= number)
    }

    pub(super) fn publish(&mut self, event: Event) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.push(Effect::Publish(Frame { sequence, event }));
    }

    /// Tells the stream what has become of a step.
    pub(super) fn publish_step_state(&mut self, id: InvocationId, step_state: StepState, output: Option<&Event>) {
        let invocation = &self.invocations[id];
        let frame = StepStateChanged {
            name: &self.plan[invocation.step].name,
            step_state,
            worker_id: invocation.slot.map_or("<enqueued>".to_owned(), |slot| slot.to_string()),
            // An all-join may be given no events at all.
            input_event_name: invocation.events.first().map_or("", |event| &*event.name),
            output_event_name: output.map(|event| &*event.name),
        };
        let frame = frame.event();
        self.publish(frame);
    }
}

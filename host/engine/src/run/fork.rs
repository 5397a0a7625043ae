//! A copied journal becomes a run of its own, perhaps on another definition.

use std::sync::Arc;

use super::Run;
use super::exclusives::Exclusives;
use super::history::Ended;
use super::invocation::Invocation;
use super::plan::Plan;
use super::waiters::Waiters;
use crate::definition::Definition;
use crate::entry::{Forked, InvocationId};
use crate::state::State;

impl Run {
    /// Gives the run its own ids and seed, edits it, and starts anew what is in flight. What
    /// invocations keep over their attempts, and what was sent to the run, stays.
    pub(super) fn forked(&mut self, forked: &Forked) {
        self.forked_at = Some(self.now.at);
        if let Some(started) = &mut self.started {
            started.run.clone_from(&forked.run);
            started.handler.clone_from(&forked.handler);
            started.seed.clone_from(&forked.seed);
            started.definition.clone_from(&forked.definition);
        }
        if let Some(state) = &forked.state {
            self.state = State::new(state);
        }
        if let Some(at) = self.known.iter().position(|it| it.parts() == forked.definition) {
            let definition = self.known.remove(at);
            self.move_to(definition);
        }
        self.waiters = Waiters::default();
        self.exclusives = Exclusives::default();
        let timers: Vec<_> = self.timers.iter().map(|(timer, _)| timer).collect();
        timers.into_iter().for_each(|timer| self.clear_timer(Some(timer)));
        self.set_run_timeout();
        self.steps = self.steps.emptied();
        let ids: Vec<InvocationId> = self.invocations.iter().map(|(id, _)| id).collect();
        for id in ids {
            // Before it begins anew: what has executed until now is no part of its new attempt.
            self.requeue(id);
            self.no_question(id);
            let invocation = &mut self.invocations[id];
            invocation.slot = None;
            invocation.begin_afresh();
            if let Some((_, events)) = forked.events.as_ref().filter(|(edited, _)| *edited == id) {
                invocation.events = events.as_slice().into();
            }
        }
    }

    /// Takes up another definition, where steps are the same that have the same name. What is in
    /// flight in a step that is gone ends, and what was held for it is forgotten.
    fn move_to(&mut self, definition: Arc<Definition>) {
        let plan = Plan::of(&definition);
        let moved: Vec<Option<usize>> = self.plan.iter().map(|step| plan.place(&step.name)).collect();
        let gone: Vec<InvocationId> = self.invocations.iter().filter(|(_, it)| moved[it.step].is_none()).map(|(id, _)| id).collect();
        gone.iter().for_each(|id| self.note_ended(*id, Ended::Dropped));
        let left: Vec<Invocation> = gone.into_iter().map(|id| self.invocations.remove(id)).collect();
        for (_, invocation) in self.invocations.iter_mut() {
            invocation.step = moved[invocation.step].expect("those without a step are gone");
        }
        self.steps = self.steps.moved(&plan, &moved);
        self.buffers.move_to(&moved);
        self.scopes.move_to(&moved, &plan);
        self.plan = plan;
        self.definition = definition;
        left.into_iter().for_each(|invocation| self.leave_scope(invocation.place.scope));
    }
}

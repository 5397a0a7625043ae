//! The steps of a run: who queues for them, and who is in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::invocation::{Invocation, Phase};
use super::pool::Pool;
use super::scope::{Held, ScopeId};
use super::{Run, frames, time};
use crate::definition::Definition;
use crate::effect::{Effect, Invoke};
use crate::entry::{Event, InvocationId, Micros};
use crate::manifest::{Join, StepManifest};

/// What a run keeps of a step.
#[derive(Debug)]
pub(super) struct Step {
    pub name: Arc<str>,
    /// The component that has it.
    pub component: usize,
    pub join: Option<Join>,
    /// The fan-out step whose scopes it joins, if it is an all-join.
    pub opener: Option<usize>,
    pub fan_out: bool,
    pub timeout: Option<Micros>,
    pub slots: Slots,
    /// Who waits for a slot. Invocations are numbered as they arrive, so the lowest is the next,
    /// and one that comes back from a wait or a retry is ahead of all that have never been in.
    pub queue: BTreeSet<InvocationId>,
    /// Events that an each-join has, while their company is missing.
    pub held: Pool<Held>,
    /// How often it was given an error, as a catch-error step.
    pub recoveries: u32,
}

/// The steps of a definition, in order; of two with one name, the first.
pub(super) fn steps(definition: &Definition) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (component, manifest) in definition.manifests().enumerate() {
        for step in &manifest.steps {
            if !steps.iter().any(|other| *other.name == *step.name) {
                steps.push(Step::new(component, step));
            }
        }
    }
    let openers: Vec<Option<usize>> = steps.iter().map(|step| opener(definition, &steps, step)).collect();
    steps.iter_mut().zip(openers).for_each(|(step, opener)| step.opener = opener);
    steps
}

fn opener(definition: &Definition, steps: &[Step], join: &Step) -> Option<usize> {
    let opener = definition.fan_out_of(&join.name)?;
    steps.iter().position(|step| *step.name == *opener)
}

impl Step {
    fn new(component: usize, manifest: &StepManifest) -> Step {
        Step {
            name: manifest.name.as_str().into(),
            component,
            join: manifest.join,
            opener: None,
            fan_out: manifest.fan_out,
            timeout: manifest.timeout.map(time::micros),
            slots: Slots { max: manifest.num_workers.max(1), fresh: 0, freed: BTreeSet::new() },
            queue: BTreeSet::new(),
            held: Pool::default(),
            recoveries: 0,
        }
    }

    /// Takes out who is next, if there is a slot.
    fn next_in(&mut self) -> Option<InvocationId> {
        if self.slots.is_full() { None } else { self.queue.pop_first() }
    }
}

/// The slots of a step, numbered from 0; the lowest free one is the next.
#[derive(Debug)]
pub(super) struct Slots {
    max: u32,
    /// The lowest that was never in use.
    fresh: u32,
    freed: BTreeSet<u32>,
}

impl Slots {
    pub(super) fn is_full(&self) -> bool {
        self.freed.is_empty() && self.fresh == self.max
    }

    #[cfg(test)]
    pub(super) fn in_use(&self) -> u32 {
        self.fresh - self.freed.len() as u32
    }

    fn take(&mut self) -> u32 {
        self.freed.pop_first().unwrap_or_else(|| {
            self.fresh += 1;
            self.fresh - 1
        })
    }
}

impl Run {
    /// Makes an invocation, which queues.
    pub(super) fn invoke(&mut self, step: usize, events: Vec<Event>, scope: Option<ScopeId>) {
        let id = self.next_invocation;
        self.next_invocation += 1;
        self.enter_scope(scope);
        self.invocations.insert(id, Invocation::new(step, events, scope));
        self.steps[step].queue.insert(id);
        self.turn.arrived.push(id);
    }

    /// Lets an invocation queue again, ahead of those that arrived after it.
    pub(super) fn requeue(&mut self, id: InvocationId) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        invocation.phase = Phase::Queued;
        self.steps[invocation.step].queue.insert(id);
    }

    pub(super) fn free_slot(&mut self, id: InvocationId) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        if let Some(slot) = invocation.slot.take() {
            self.steps[invocation.step].slots.freed.insert(slot);
        }
    }

    /// Lets in who waits, as far as there are slots.
    pub(super) fn fill_slots(&mut self) {
        for step in 0..self.steps.len() {
            while let Some(id) = self.steps[step].next_in() {
                if let Some(invocation) = self.invocations.get_mut(&id) {
                    invocation.slot = Some(self.steps[step].slots.take());
                }
                self.enter(id);
            }
        }
    }

    /// Enters an attempt that has a slot, with a fresh instance.
    pub(super) fn enter(&mut self, id: InvocationId) {
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        let step = &self.steps[invocation.step];
        invocation.phase = Phase::Executing { since: self.alive };
        invocation.first_at.get_or_insert(self.at);
        let is_new = invocation.started_at.is_none();
        let started_at = *invocation.started_at.get_or_insert(self.at);
        let frame = is_new.then(|| frames::step_state(step, invocation, frames::StepState::Running, None));
        let invoke = Invoke {
            invocation: id,
            attempt: invocation.attempt,
            step: step.name.clone(),
            component: step.component,
            events: invocation.events.clone(),
            started_at,
            log: invocation.log.clone(),
            committed: invocation.committed,
            memos: invocation.kept.memos.clone(),
            time_left: step.timeout.map(|timeout| timeout.saturating_sub(invocation.used)),
        };
        frame.into_iter().for_each(|frame| self.publish(frame));
        self.turn.effects.push(Effect::Invoke(Box::new(invoke)));
    }
}

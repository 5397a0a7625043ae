//! Who queues for a step, and who is in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::entry::InvocationId;

/// The slots and queues of a run's steps, by step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Steps(Vec<Step>);

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    slots: Slots,
    /// Who waits for a slot. Invocations are numbered as they arrive, so the lowest is the next,
    /// and one that comes back from a wait or a retry is ahead of all that have never been in.
    queue: BTreeSet<InvocationId>,
    /// How often it was given an error, as a catch-error step.
    recoveries: u32,
}

/// The slots of a step, numbered from 0; the lowest free one is the next.
#[derive(Debug, Serialize, Deserialize)]
struct Slots {
    max: u32,
    /// The lowest that was never in use.
    fresh: u32,
    freed: BTreeSet<u32>,
}

impl Steps {
    pub(super) fn new(plan: &Plan) -> Steps {
        let step = |max| Step { slots: Slots::new(max), queue: BTreeSet::new(), recoveries: 0 };
        Steps(plan.iter().map(|planned| step(planned.slots)).collect())
    }

    /// The same, without anybody in a slot or a queue.
    pub(super) fn emptied(&self) -> Steps {
        let emptied = |step: &Step| Step { slots: Slots::new(step.slots.max), queue: BTreeSet::new(), recoveries: step.recoveries };
        Steps(self.0.iter().map(emptied).collect())
    }

    /// Those of another plan, with the recoveries of the steps that were moved there, and nobody in.
    pub(super) fn moved(&self, plan: &Plan, moved: &[Option<usize>]) -> Steps {
        let mut steps = Steps::new(plan);
        for (step, to) in self.0.iter().zip(moved) {
            if let Some(to) = to {
                steps.0[*to].recoveries = step.recoveries;
            }
        }
        steps
    }

    pub(super) fn queue(&mut self, step: usize, id: InvocationId) {
        self.0[step].queue.insert(id);
    }

    pub(super) fn free(&mut self, step: usize, slot: u32) {
        self.0[step].slots.freed.insert(slot);
    }

    /// Takes out who is next at a step, with the slot that it gets; none while there is none.
    pub(super) fn let_in(&mut self, step: usize) -> Option<(InvocationId, u32)> {
        let step = &mut self.0[step];
        if step.slots.is_full() {
            return None;
        }
        let id = step.queue.pop_first()?;
        Some((id, step.slots.take()))
    }

    /// Counts one more recovery, if there may be more.
    pub(super) fn recover(&mut self, step: usize, max: u32) -> bool {
        let step = &mut self.0[step];
        let may = step.recoveries < max;
        step.recoveries += u32::from(may);
        may
    }

    /// The slots in use, and who queues.
    #[cfg(test)]
    pub(super) fn at(&self, step: usize) -> (u32, bool, &BTreeSet<InvocationId>) {
        let Step { slots, queue, .. } = &self.0[step];
        (slots.fresh - slots.freed.len() as u32, slots.is_full(), queue)
    }
}

impl Slots {
    fn new(max: u32) -> Slots {
        Slots { max, fresh: 0, freed: BTreeSet::new() }
    }

    fn is_full(&self) -> bool {
        self.freed.is_empty() && self.fresh == self.max
    }

    fn take(&mut self) -> u32 {
        self.freed.pop_first().unwrap_or_else(|| {
            self.fresh += 1;
            self.fresh - 1
        })
    }
}

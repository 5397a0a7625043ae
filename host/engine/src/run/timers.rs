//! Timers: of the run's timeout, sleeps, waits and retries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::effect::Due;
use crate::entry::{InvocationId, TimerId};

/// The timers that are set.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Timers {
    next: TimerId,
    set: BTreeMap<TimerId, Timer>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Timer {
    pub due: Due,
    /// Whose; none: the run's timeout.
    pub invocation: Option<InvocationId>,
}

impl Timers {
    pub(super) fn set(&mut self, due: Due, invocation: Option<InvocationId>) -> TimerId {
        let timer = self.next;
        self.next += 1;
        self.set.insert(timer, Timer { due, invocation });
        timer
    }

    pub(super) fn remove(&mut self, timer: TimerId) -> Option<Timer> {
        self.set.remove(&timer)
    }

    pub(super) fn get(&self, timer: TimerId) -> Option<Timer> {
        self.set.get(&timer).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (TimerId, Due)> {
        self.set.iter().map(|(&timer, it)| (timer, it.due))
    }

    /// Whose they are, the run's own aside.
    #[cfg(test)]
    pub(super) fn owners(&self) -> impl Iterator<Item = (TimerId, InvocationId)> {
        self.set.iter().filter_map(|(&timer, it)| Some((timer, it.invocation?)))
    }
}

//! The buffers of `events.collect`, which complete by themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pool::Pool;
use crate::entry::Event;

/// What was collected and is in no batch yet, by step and name of the buffer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Buffers {
    arrivals: u64,
    by_step: BTreeMap<usize, BTreeMap<String, Pool<Event>>>,
}

impl Buffers {
    /// Adds an event, and takes out the batch if it is complete.
    pub(super) fn add(&mut self, step: usize, buffer: &str, event: Event, expected: &[(String, u32)]) -> Option<Vec<Event>> {
        let buffers = self.by_step.entry(step).or_default();
        let pool = buffers.entry(buffer.to_owned()).or_default();
        let name = event.name.clone();
        pool.add(&name, self.arrivals, event);
        self.arrivals += 1;
        let batch = pool.take(expected);
        if pool.is_empty() {
            buffers.remove(buffer);
        }
        batch
    }

    /// Follows steps to their places in another plan.
    pub(super) fn move_to(&mut self, moved: &[Option<usize>]) {
        let by_step = std::mem::take(&mut self.by_step).into_iter();
        self.by_step = by_step.filter_map(|(step, buffers)| Some((moved[step]?, buffers))).collect();
    }
}

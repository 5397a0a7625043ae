//! What every move asks of a run, and adds to its turn.

use super::{Run, Status};
use crate::effect::Effect;

impl Run {
    /// Whether it has begun and not ended.
    pub fn is_running(&self) -> bool {
        matches!(self.status, Status::Running)
    }

    /// The place of the next entry in the journal.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The seq of the entry that is being applied.
    pub(super) fn seq(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    /// An effect of that entry.
    pub(super) fn push(&mut self, effect: Effect) {
        self.turn.effects.push(effect);
    }
}

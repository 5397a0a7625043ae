//! What an attempt has to itself, given back at its end.

use super::Run;
use super::frames::StepState;
use super::invocation::Invocation;
use crate::entry::{Event, InvocationId};

impl Run {
    /// An attempt is over: its slot and its exclusive edit are free.
    pub(super) fn end_attempt(&mut self, id: InvocationId, output: Option<&Event>) {
        self.publish_step_state(id, StepState::NotRunning, output);
        self.free_slot(id);
        self.release_exclusive(id);
    }

    /// Takes an invocation out whose last attempt is over. It still counts in its scope.
    pub(super) fn end_invocation(&mut self, id: InvocationId, output: Option<&Event>) -> Invocation {
        self.end_attempt(id, output);
        self.invocations.remove(id)
    }
}

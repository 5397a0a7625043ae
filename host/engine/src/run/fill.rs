//! The answer of the last call: filled into the step log, and told to the instance that waits for it.

use super::Run;
use crate::effect::Effect;
use crate::entry::{Function, InvocationId};

impl Run {
    /// Fills in the answer of the last call, and lets the instance go on.
    pub(super) fn answer_last(&mut self, id: InvocationId, fill: impl FnOnce(&mut Function)) {
        let (at, invocation) = (self.now.at, &mut self.invocations[id]);
        invocation.fill_last(at, fill);
        let attempt = invocation.attempt;
        let call = invocation.log.last().cloned();
        self.turn.effects.extend(call.map(|call| Effect::Answer { invocation: id, attempt, call }));
    }

    /// Fills in the answer of the last call, whose instance is gone.
    pub(super) fn fill_last(&mut self, id: InvocationId, fill: impl FnOnce(&mut Function)) {
        let at = self.now.at;
        self.invocations[id].fill_last(at, fill);
    }
}

//! `time.sleep`: a sleep keeps its slot, and a long one drops its instance.

use super::Run;
use super::invocation::Phase;
use crate::effect::Due;
use crate::entry::{Function, InvocationId, Micros, SLEEP_DROP_MIN};

impl Run {
    pub(super) fn sleep(&mut self, id: InvocationId, duration: Micros) {
        let timer = self.set_timer(Due::At(self.at.saturating_add(duration)), Some(id));
        let Some(invocation) = self.invocations.get_mut(&id) else { return };
        invocation.pause(self.alive);
        invocation.phase = Phase::Sleeping { timer, dropped: duration >= SLEEP_DROP_MIN };
    }

    /// Wakes what sleeps, at the time at which it was due or later.
    pub(super) fn wake(&mut self, id: InvocationId, due: Micros, dropped: bool) {
        self.at = self.at.max(due);
        let awake = |function: &mut Function| {
            if let Function::Sleep { answer, .. } = function {
                *answer = true;
            }
        };
        if dropped {
            self.fill_last(id, awake);
            self.enter(id);
        } else {
            if let Some(invocation) = self.invocations.get_mut(&id) {
                invocation.phase = Phase::Executing { since: self.alive };
            }
            self.answer_last(id, awake);
        }
    }
}

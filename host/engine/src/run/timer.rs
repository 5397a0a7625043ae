//! Timers: of the run's timeout, sleeps, waits and retries.

use super::Run;
use super::invocation::Phase;
use crate::effect::{Due, Effect};
use crate::entry::{InvocationId, TimerId, WaitAnswer};

#[derive(Debug)]
pub(super) struct Timer {
    pub due: Due,
    /// Whose; none: the run's timeout.
    pub invocation: Option<InvocationId>,
}

impl Run {
    pub(super) fn set_timer(&mut self, due: Due, invocation: Option<InvocationId>) -> TimerId {
        let timer = self.next_timer;
        self.next_timer += 1;
        self.timers.insert(timer, Timer { due, invocation });
        self.turn.effects.push(Effect::SetTimer { timer, due });
        timer
    }

    pub(super) fn fired(&mut self, timer: TimerId) {
        let Some(Timer { due, invocation }) = self.timers.remove(&timer) else { return };
        let Some(id) = invocation else { return self.time_out() };
        let Some(invocation) = self.invocations.get(&id) else { return };
        match (&invocation.phase, due) {
            (&Phase::Sleeping { dropped, .. }, Due::At(due)) => self.wake(id, due, dropped),
            (Phase::Waiting { .. }, _) => self.end_wait(id, WaitAnswer::TimedOut),
            (Phase::Retrying, _) => self.requeue(id),
            _ => (),
        }
    }
}

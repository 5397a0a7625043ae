//! A timer is due.

use super::Run;
use super::invocation::Activity;
use super::timers::Timer;
use crate::entry::{TimerId, WaitAnswer};

impl Run {
    pub(super) fn fired(&mut self, timer: TimerId) {
        let Some(Timer { due, invocation }) = self.timers.remove(timer) else { return };
        let Some(id) = invocation else { return self.time_out() };
        match self.invocations[id].activity {
            Activity::Sleeping { dropped, .. } => self.wake(id, due, dropped),
            Activity::Waiting { .. } => self.end_wait(id, WaitAnswer::TimedOut),
            Activity::Retrying { .. } => self.requeue(id),
            Activity::Queued | Activity::Executing { .. } | Activity::Blocked => {
                unreachable!("cannot happen: a timer of what waits for none")
            }
        }
    }
}

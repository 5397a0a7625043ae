//! A timer is due.

use super::Run;
use super::invocation::Activity;
use super::timers::Timer;
use crate::effect::Due;
use crate::entry::{InvocationId, TimerId, WaitAnswer};

impl Run {
    pub(super) fn fired(&mut self, timer: TimerId) {
        match self.timers.remove(timer) {
            Some(Timer { due, invocation: Some(id) }) => self.due(id, due),
            Some(Timer { invocation: None, .. }) => self.time_out(),
            // It was cleared when the host had fired it already.
            None => (),
        }
    }

    fn due(&mut self, id: InvocationId, due: Due) {
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

//! Setting and clearing timers, so that the host knows of them.

use super::Run;
use crate::effect::{Due, Effect};
use crate::entry::{InvocationId, TimerId};

impl Run {
    pub(super) fn set_timer(&mut self, due: Due, invocation: Option<InvocationId>) -> TimerId {
        let timer = self.timers.set(due, invocation);
        self.push(Effect::SetTimer { timer, due });
        timer
    }

    pub(super) fn clear_timer(&mut self, timer: Option<TimerId>) {
        if let Some(timer) = timer
            && self.timers.remove(timer).is_some()
        {
            self.push(Effect::ClearTimer { timer });
        }
    }
}
